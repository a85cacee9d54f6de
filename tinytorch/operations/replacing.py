"""Entries replaced by those of another tensor, and entries reduced into places: PyTorch's scatter.

Each entry of the result is one of x, one of the source, or a reduction of several; which one, whole
numbers say. So there is no rule here: picking, choosing and reducing have theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.checks import check
from tinytorch.arrays.kind import evaluate, kind_of, own
from tinytorch.arrays.plain import base
from tinytorch.engine import Node
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import along, pick, scatter, size_along, strided
from tinytorch.operations.operands import constant, describe
from tinytorch.operations.pytorch import also_called, axis_of_scalars, torch_spelling
from tinytorch.operations.reductions import Reductions

_NAME = "replace"

# What changes nothing in a reduction, and the reduction of a pile along its first axis.
_REDUCTIONS: dict[str, tuple[float, Callable[..., Any]]] = {
    "sum": (0, Reductions.sum),
    "prod": (1, Reductions.prod),
    "mean": (0, Reductions.sum),
    "amax": (-np.inf, Reductions.amax),
    "amin": (np.inf, Reductions.amin),
}


def numbers_of(shape: tuple[int, ...], like: Any = None) -> Any:
    """Number the entries of an array in their order, for picking from `like`."""
    return own(np.arange(math.prod(shape)).reshape(shape), like)


def replaced(x: Any, places: Any, source: Any) -> Any:
    """Put the entries of `source` in the places of x, by their number; of several the last."""
    source = constant(source, x.dtype, _NAME) if not isinstance(source, Node) else source
    if not places.size:
        return x.clone()
    if np.ndim(source) == 0:
        hit = evaluate(_NAME, _last, places.reshape(-1), size=x.size).reshape(x.shape) >= 0
        return where(hit, source, x)
    chosen = evaluate(_NAME, _last, places.reshape(-1), size=x.size).reshape(x.shape)
    row = np.reshape(np.broadcast_to(source, places.shape), -1)
    return where(chosen >= 0, pick(row, np.maximum(chosen, 0)), x)


def piled(x: Any, places: Any, source: Any, reduce: str, include_self: bool) -> Any:
    """Reduce the entries of `source` into the places of x; with x's own if `include_self`.

    Those of one place are piled up along a new first axis, and the pile is reduced.
    """
    if reduce not in _REDUCTIONS:
        raise ValueError(f"reduce is one of {', '.join(_REDUCTIONS)}, got {reduce!r}")
    neutral, reduced = _REDUCTIONS[reduce]
    places, source = places.reshape(-1), np.reshape(source, -1)
    count = np.bincount(places, minlength=x.size)
    height = kind_of(count).most(count) if count.size else 0
    chosen = evaluate(_NAME, _heaped, places, count, height=height)
    chosen, count = chosen.reshape(height, *x.shape), count.reshape(x.shape)
    first = x if include_self else where(count > 0, neutral, x)
    if not height:
        return first.clone()
    pile = where(chosen >= 0, pick(source, np.maximum(chosen, 0)), neutral)
    out: Any = reduced(np.concatenate([pile, first[None]]), 0)
    return out / np.maximum(count + include_self, 1) if reduce == "mean" else out


def _last(places: Any, size: int) -> Any:
    """Number what goes to each of so many places, of several the last; -1 where nothing does."""
    chosen = own(np.full(size, -1), places)
    chosen[places] = numbers_of(places.shape, places)
    return chosen


def _heaped(places: Any, count: Any, height: int) -> Any:
    """Number what goes to each place, one in each row; -1 where nothing more does."""
    # The sources of one place follow each other in the order, and are counted from 0 on.
    order = np.argsort(places)
    level = numbers_of(places.shape, places) - (np.cumsum(count) - count)[places[order]]
    chosen = own(np.full((height, *count.shape), -1), places)
    chosen[level, places[order]] = order
    return chosen


def _index(x: Any, index: Any) -> Any:
    if isinstance(index, Node):
        raise TypeError(f"an index is made of whole numbers, got {describe(index)}")
    index = base(index)
    return own(index if hasattr(index, "__array_function__") else np.asarray(index), x)


def _rows(x: Any, index: Any, axis: int) -> Any:
    """Number the entries that `gather` would pick along `axis`."""
    rows = list(np.indices(index.shape, sparse=True))
    rows[axis] = index
    return pick(numbers_of(x.shape, x), tuple(rows))


def _slices(x: Any, axis: int, index: Any) -> Any:
    """Number the entries of slices along `axis`."""
    return pick(numbers_of(x.shape, x), along(axis, np.atleast_1d(index), x.ndim))


def _source(x: Any, source: Any, shape: tuple[int, ...]) -> Any:
    """Take of the source as much as there are indices."""
    source = source if isinstance(source, Node) else constant(source, x.dtype, _NAME)
    return source[tuple(slice(n) for n in shape)] if np.ndim(source) else source


class Replacing:
    """PyTorch's methods that put entries in the places of others."""

    __slots__ = ()

    @torch_spelling
    @axis_of_scalars
    def scatter(
        self: Any, axis: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
    ) -> Any:
        """Put the entries of `src`, or a number, in the places that `gather` would pick for them.

        With `reduce` "add" or "multiply" they are added to what is there, or multiply it.
        """
        index = np.atleast_1d(_index(self, index))
        source = _source(self, value if src is None else src, index.shape)
        if reduce is None:
            return replaced(self, _rows(self, index, axis), source)
        name = {"add": "sum", "multiply": "prod"}.get(reduce, reduce)
        source = np.broadcast_to(source, index.shape)
        return piled(self, _rows(self, index, axis), source, name, True)

    @torch_spelling
    @axis_of_scalars
    def scatter_reduce(
        self: Any, axis: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> Any:
        """Reduce the entries of `src` in the places that `gather` would pick for them.

        `reduce` is "sum", "prod", "mean", "amax" or "amin"; with what is there if `include_self`.
        """
        index = np.atleast_1d(_index(self, index))
        source = np.reshape(_source(self, src, index.shape), index.shape)
        return piled(self, _rows(self, index, axis), source, reduce, include_self)

    @torch_spelling
    @axis_of_scalars
    def index_copy(self: Any, axis: int, index: Any, source: Any) -> Any:
        """Put the slices of `source` in the places of those along `axis`."""
        return replaced(self, _slices(self, axis, _index(self, index)), _in_shape(self, source))

    @torch_spelling
    @axis_of_scalars
    def index_fill(self: Any, axis: int, index: Any, value: Any) -> Any:
        """Put a number in all places of slices along `axis`."""
        return replaced(self, _slices(self, axis, _index(self, index)), value)

    @torch_spelling
    @axis_of_scalars
    def index_add(self: Any, axis: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
        """Add the slices of `source`, `alpha` times, to those along `axis`."""
        index = np.atleast_1d(_index(self, index))
        source = _in_shape(self, source)
        source = source if alpha == 1 else source * alpha
        return self + scatter(source, along(axis, index, self.ndim), self.shape)

    @torch_spelling
    @axis_of_scalars
    def index_reduce(
        self: Any, axis: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
    ) -> Any:
        """Reduce the slices of `source` into those along `axis`: "prod", "mean", "amax", "amin"."""
        places = _slices(self, axis, _index(self, index))
        return piled(self, places, _in_shape(self, source), reduce, include_self)

    def index_put(self: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
        """Give x after x[indices] = values, or with them added where `accumulate`."""
        places = pick(numbers_of(self.shape, self), tuple(_index(self, i) for i in indices))
        if not accumulate:
            return replaced(self, places, values)
        values = values if isinstance(values, Node) else constant(values, self.dtype, _NAME)
        row = np.reshape(np.broadcast_to(values, places.shape), -1)
        return self + scatter(row, places.reshape(-1), (self.size,)).reshape(self.shape)

    def put(self: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
        """Put the entries of `source` in places counted in order, or add them to what is there."""
        index = _index(self, index)
        row = self.reshape(-1).index_put((index.reshape(-1),), np.reshape(source, -1), accumulate)
        return row.reshape(self.shape)

    def masked_scatter(self: Any, mask: Any, source: Any) -> Any:
        """Put the entries of `source`, one after the other, where `mask` is true.

        Raises ValueError where there are too few.
        """
        shape = np.broadcast_shapes(self.shape, np.shape(mask))
        x: Any = np.broadcast_to(self, shape)
        places = np.flatnonzero(np.broadcast_to(_index(self, mask), shape))
        row = np.reshape(source, -1)
        if row.size < places.size:
            raise ValueError(f"masked_scatter: {places.size} places for {row.size} entries")
        return replaced(x, places, row[: places.size])

    @torch_spelling
    def select_scatter(self: Any, src: Any, axis: int, index: int) -> Any:
        """Put `src` in the place of one slice along `axis`."""
        return replaced(self, numbers_of(self.shape, self)[along(axis, index, self.ndim)], src)

    @torch_spelling
    def slice_scatter(
        self: Any,
        src: Any,
        axis: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Any:
        """Put `src` in the place of x[start:end:step] along `axis`."""
        part = along(axis, slice(start, end, step), self.ndim)
        return replaced(self, numbers_of(self.shape, self)[part], src)

    def as_strided_scatter(
        self: Any,
        src: Any,
        size: Sequence[int],
        stride: Sequence[int],
        storage_offset: int = 0,
    ) -> Any:
        """Put `src` in the places that `as_strided` would pick."""
        return replaced(self, strided(size, stride, storage_offset), src)

    @also_called(dim1="axis1", dim2="axis2")
    def diagonal_scatter(
        self: Any, src: Any, offset: int = 0, axis1: int = 0, axis2: int = 1
    ) -> Any:
        """Put `src` in the place of a diagonal."""
        return replaced(self, np.diagonal(numbers_of(self.shape, self), offset, axis1, axis2), src)

    @also_called(dim1="axis1", dim2="axis2")
    def diag_embed(self: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Any:
        """Put the rows along the last axis on diagonals of matrices, in two axes of the result."""
        size = self.shape[-1] + abs(offset)
        places = np.diagonal(numbers_of((size, size)), offset)
        flat: Any = scatter(self, (..., places), (*self.shape[:-1], size * size))
        square: Any = flat.reshape(*self.shape[:-1], size, size)
        return np.moveaxis(square, (-2, -1), (axis1, axis2))

    @torch_spelling
    def narrow(self: Any, axis: int, start: int, length: int) -> Any:
        """Pick `length` slices along `axis` from `start` on.

        Raises ValueError unless there are so many.
        """
        size = size_along(self, axis)
        if kind_of(start).name == "batch":  # of which each has its own slice
            places = np.where(base(start) < 0, start + size, start) + np.arange(length)
            message = f"narrow: {length} slices don't fit into {size} (axis {axis}) from there on"
            check((places >= 0) & (places < size), start, ValueError, message)
            return pick(self, along(axis, base(places), self.ndim))
        start = start + size if start < 0 else start
        if not 0 <= start <= start + length <= size:
            raise ValueError(
                f"narrow: {length} slices from {start} on don't fit into {size} (axis {axis})"
            )
        return pick(self, along(axis, slice(start, start + length), self.ndim))

    def fill(self: Any, value: Any) -> Any:
        """Give a tensor like x of one number."""
        value = value if isinstance(value, Node) else constant(value, self.dtype, _NAME)
        return where(np.ones(self.shape, bool), value, self)


def _in_shape(x: Any, source: Any) -> Any:
    source = source if isinstance(source, Node) else constant(source, x.dtype, _NAME)
    return np.reshape(source, 1) if np.ndim(source) == 0 else source
