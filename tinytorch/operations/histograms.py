"""Counting: how many entries, or how much weight, lie between edges.

Counts are plain. Weights have a gradient, and so have edges that follow from the entries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations.indexing import scatter
from tinytorch.operations.operands import describe
from tinytorch.operations.protocols import implements
from tinytorch.operations.samples import as_operand, values_of


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Count how often each whole number is in x, or sum the `weights` of each."""
    if isinstance(x, Node):
        raise TypeError(f"bincount: it counts whole numbers, got {describe(x)}")
    size = int(np.maximum(np.max(x, initial=-1) + 1, minlength))  # in a batch, if all agree
    return scatter(weights, x if hasattr(x, "__array_function__") else np.asarray(x), (size,))


def _edges(x: Any, bins: Any, limits: Any) -> Any:
    """Give the edges of `bins`: these, or that many in even steps, or as many as NumPy says."""
    if np.ndim(bins):
        return as_operand(bins)
    if isinstance(bins, str):
        bins = np.histogram_bin_edges(values_of(x), bins, limits).size - 1
    if limits is None:
        limits = (x.min(), x.max()) if x.size else (0.0, 1.0)
    low, high = limits
    if values_of(low) == values_of(high):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=x.dtype)


def _places(x: Any, edges: Any) -> tuple[Any, Any]:
    """Say in which bin each entry is, the last edge in the last one, and which are in any."""
    x, edges = values_of(x), values_of(edges)
    place = np.searchsorted(edges, x, "right") - 1
    inside = (x >= edges[0]) & (x <= edges[-1])
    return np.where(x == edges[-1], edges.size - 2, place), inside


def _counted(places: Any, inside: Any, weights: Any, shape: Sequence[int]) -> Any:
    size = math.prod(shape)
    if weights is not None:
        weights = np.reshape(weights, -1)[inside]
    return np.bincount(places[inside], weights, size).reshape(tuple(shape))


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:  # noqa: ARG001
    """Give the edges between which `np.histogram` counts."""
    return _edges(as_operand(a), bins, range)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """Count the entries, or sum their `weights`, between edges; give these too.

    A `density` integrates to 1.
    """
    a = np.reshape(as_operand(a), -1)
    edges = _edges(a, bins, range)
    counts = _counted(*_places(a, edges), weights, [edges.size - 1])
    return (counts / np.diff(edges) / counts.sum() if density else counts), edges


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, tuple[Any, ...]]:
    """Count the rows of a matrix, or the points of these coordinates, in boxes between edges."""
    columns = list(sample.T) if hasattr(sample, "ndim") else list(map(as_operand, sample))
    n = len(columns)
    each = [bins] * n if np.ndim(bins) == 0 else list(bins)
    limits = [None] * n if range is None else list(range)
    if len(each) != n or len(limits) != n:
        raise ValueError(f"histogramdd: {n} coordinates take as many bins and ranges")
    edges = [_edges(*of) for of in zip(columns, each, limits, strict=True)]
    shape = [e.size - 1 for e in edges]
    places, inside = zip(*map(_places, columns, edges), strict=True)
    flat = np.ravel_multi_index(places, shape, mode="clip")
    counts = _counted(flat, np.all(inside, axis=0), weights, shape)
    counts = counts.astype(np.float64) if weights is None else counts  # as in NumPy
    if density:
        counts = counts / counts.sum()
        for i, edge in enumerate(edges):
            counts = counts / np.reshape(np.diff(edge), [-1 if i == j else 1 for j in np.arange(n)])
    return counts, tuple(edges)


@implements(np.histogram2d)
def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Any, Any, Any]:
    """Count the points (x, y) in boxes between edges, which it gives too."""
    if np.ndim(bins) and len(bins) != 2:
        bins = [bins, bins]
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, *edges
