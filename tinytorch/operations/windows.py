"""Windows: the parts of an array that a kernel slides over, and their adjoint, adding them up.

Each of the two is the other's rule. Pooling reduces windows, a convolution multiplies them by its
kernel, and both have derivatives of any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.arrays.words import half_as_single
from tinytorch.operations.operation import Operation, apply, defines

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_WINDOWS = Operation("windows")
_ADD_WINDOWS = Operation("add_windows")

Numbers = Sequence[int]  # one for each axis that windows slide along


@defines(_WINDOWS)
def windows(x: Any, axes: Numbers, sizes: Numbers, steps: Numbers, dilations: Numbers) -> Tensor:
    """Show the windows along `axes`, counted from the front, without a copy.

    Each of these axes becomes one of places, and in the end come axes of `sizes`: along each, entry
    j of the window at place i is x[i * step + j * dilation]. Raises ValueError if a window is
    larger than x.
    """
    how = axes, sizes, steps, dilations
    return apply(
        _WINDOWS,
        lambda x: _windows(x, *how),
        (lambda grad, out, x: add_windows(grad, x.shape, *how),),
        x,
    )


@defines(_ADD_WINDOWS)
def add_windows(
    x: Any, shape: Numbers, axes: Numbers, sizes: Numbers, steps: Numbers, dilations: Numbers
) -> Tensor:
    """Add windows up in an array of zeros of `shape`, each entry where `windows` shows it."""
    how = axes, sizes, steps, dilations
    return apply(
        _ADD_WINDOWS,
        half_as_single(lambda x: _add_windows(x, shape, *how)),
        (lambda grad, out, x: windows(grad, *how),),
        x,
    )


def count(size: int, kernel: int, step: int, dilation: int) -> int:
    """Count the places of a window along an axis of `size` entries; 0 if it is too large."""
    return max((size - (kernel - 1) * dilation - 1) // step + 1, 0)


def entries(
    places: Numbers, axes: Numbers, sizes: Numbers, steps: Numbers, dilations: Numbers
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Give each entry of a window, and the index that picks it from all windows at once.

    For every entry that is a part of the array in strides, as long as there are `places`.
    """
    for entry in itertools.product(*map(range, sizes)):
        index = [slice(None)] * (max(axes, default=-1) + 1)
        for axis, n, j, step, dilation in zip(axes, places, entry, steps, dilations, strict=True):
            index[axis] = slice(j * dilation, j * dilation + (n - 1) * step + 1, step)
        yield entry, tuple(index)


def _windows(x: Any, axes: Numbers, sizes: Numbers, steps: Numbers, dilations: Numbers) -> Any:
    spans = tuple((k - 1) * d + 1 for k, d in zip(sizes, dilations, strict=True))
    if any(span > x.shape[axis] for span, axis in zip(spans, axes, strict=True)):
        along = tuple(x.shape[axis] for axis in axes)
        raise ValueError(f"windows that span {spans} do not fit into {along}")
    shown = sliding_window_view(x, spans, tuple(axes))
    index = [slice(None)] * x.ndim + [slice(None, None, d) for d in dilations]
    for axis, step in zip(axes, steps, strict=True):
        index[axis] = slice(None, None, step)
    return shown[tuple(index)]


def _add_windows(
    x: Any, shape: Numbers, axes: Numbers, sizes: Numbers, steps: Numbers, dilations: Numbers
) -> Any:
    out = np.zeros_like(x, shape=tuple(shape))
    places = [x.shape[axis] for axis in axes]
    # A few parts in strides take a fraction of the time of np.add.at.
    for entry, part in entries(places, axes, sizes, steps, dilations):
        out[part] += x[(..., *entry)]
    return out


class Windows:
    """Windows, as PyTorch's method gives them."""

    __slots__ = ()

    def unfold(self: Any, dimension: int, size: int, step: int) -> Tensor:
        """Show the windows of `size` entries along an axis, `step` apart, along a new last axis.

        Raises ValueError if a window is larger than that.
        """
        if not self.ndim:  # as in PyTorch
            line: Tensor = self.reshape(1).unfold(dimension, size, step)[0]
            return line
        axis = normalize_axis_index(dimension, self.ndim)
        return windows(self, (axis,), (size,), (step,), (1,))
