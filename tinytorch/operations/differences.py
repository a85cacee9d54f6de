"""Differences between neighbouring entries, and sums over them: NumPy's calculus of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.operations.operands import alike
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Axis, axes_of


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate y over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        dx = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    return ((y[..., 1:] + y[..., :-1]) * dx / 2).sum(axis=-1)


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""
    if n < 0:
        raise ValueError(f"diff: n is 0 or more, got {n}")
    if n == 0:
        return x
    line = np.moveaxis(x, axis, -1)
    parts = [_end(prepend, line, axis), line, _end(append, line, axis)]
    line = np.concatenate([part for part in parts if part is not None], axis=-1)
    for _ in range(n):
        line = line[..., 1:] - line[..., :-1]
    return np.moveaxis(line, -1, axis)


def _end(values: Any, line: Any, axis: int) -> Any:
    if values is None or values is np._NoValue:
        return None
    if np.ndim(values) == 0:
        return np.broadcast_to(alike(line, values)[1], (*line.shape[:-1], 1))
    return np.moveaxis(values, axis, -1)


@implements(np.gradient)
def gradient(f: Any, *spacing: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Estimate the derivative along each axis: second-order differences inside.

    `spacing` is a step or the coordinates, one for all axes or one for each; the differences at
    the two ends are of order `edge_order`, 1 or 2. Several axes give a tuple.
    """
    axes = axes_of(f, axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise TypeError(f"gradient: {len(axes)} axes take as many spacings, got {len(spacing)}")
    slopes = tuple(_slope(f, h, i, edge_order) for i, h in zip(axes, steps, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    line = np.moveaxis(f, axis, -1)
    if edge_order not in (1, 2) or line.shape[-1] <= edge_order:
        raise ValueError(
            f"gradient: edge_order is 1 or 2 and needs more entries than that, got {edge_order} "
            f"for {line.shape[-1]} entries along axis {axis}"
        )
    step = np.diff(spacing) if np.ndim(spacing) else np.full(line.shape[-1] - 1, spacing)
    step = own(step.astype(line.dtype), line)
    slope = (line[..., 1:] - line[..., :-1]) / step
    # The parabola through three points: its slope at the middle one, and at the ends.
    left, right = step[:-1], step[1:]
    bend = (slope[..., 1:] - slope[..., :-1]) / (left + right)
    inside = slope[..., :-1] + bend * left
    first, last = slope[..., :1], slope[..., -1:]
    if edge_order == 2:
        first, last = first - bend[..., :1] * left[:1], last + bend[..., -1:] * right[-1:]
    return np.moveaxis(np.concatenate([first, inside, last], axis=-1), -1, axis)


class Differences:
    """Differences along an axis; `axis`, or PyTorch's `dim`."""

    __slots__ = ()

    diff = torch_spelling(diff)
