"""Correlation: what convolutions compute, and its two derivatives, block by block.

All three come from one sum of products, over examples n, places p, entries k of the kernel:

    sum of x[n, c, p * step + k * dilation] * weight[o, c, k] * y[n, o, p]

Its derivative in y is the correlation, a matrix product of windows. That in x is the transposed
convolution, and that in the weight finishes the three: the rule of each is made of the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.words import half_as_single
from tinytorch.operations.operation import Operation, apply
from tinytorch.operations.windows import count, entries, windows

_CORRELATE = Operation("correlate")
_SPREAD = Operation("spread")
_CORRELATE_WEIGHT = Operation("correlate_weight")

_BLOCK = 1 << 19  # so many bytes of windows at a time, which stay in the cache


class Sliding(NamedTuple):
    """How a kernel slides: along each axis its step and dilation, and the zeros at either end."""

    steps: Sequence[int]
    dilations: Sequence[int]
    padding: Sequence[tuple[int, int]]
    groups: int

    def places(self, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
        """Count the places along each axis."""
        along = zip(sizes, self.padding, kernel, self.steps, self.dilations, strict=True)
        return [count(n + sum(zeros), k, step, d) for n, zeros, k, step, d in along]


def correlate(x: Any, weight: Any, places: Sequence[int], how: Sliding, bias: Any = None) -> Any:
    """Correlate (N, in, *sizes) with (out, in / groups, *kernel), to (N, out, *places).

    A `bias` of shape (out, 1, ...) is added.
    """
    return apply(
        _CORRELATE,
        half_as_single(lambda x, weight, *bias: _correlate(x, weight, places, how, *bias)),
        (
            lambda grad, out, x, weight, *_: spread(grad, weight, x.shape[2:], how),
            lambda grad, out, x, weight, *_: correlate_weight(x, grad, weight.shape[2:], how),
            lambda grad, out, x, weight, bias: grad,
        ),
        x,
        weight,
        *([] if bias is None else [bias]),
    )


def spread(y: Any, weight: Any, sizes: Sequence[int], how: Sliding) -> Any:
    """Add up y[p] * weight around each place p: of (N, out, *places), (N, in, *sizes)."""
    return apply(
        _SPREAD,
        half_as_single(lambda y, weight: _spread(y, weight, sizes, how)),
        (
            lambda grad, out, y, weight: correlate(grad, weight, y.shape[2:], how),
            lambda grad, out, y, weight: correlate_weight(grad, y, weight.shape[2:], how),
        ),
        y,
        weight,
    )


def correlate_weight(x: Any, y: Any, kernel: Sequence[int], how: Sliding) -> Any:
    """Sum the windows of x weighted by y, over places and examples: (out, in / groups, *kernel)."""
    return apply(
        _CORRELATE_WEIGHT,
        half_as_single(lambda x, y: _correlate_weight(x, y, kernel, how)),
        (
            lambda grad, out, x, y: spread(y, grad, x.shape[2:], how),
            lambda grad, out, x, y: correlate(x, grad, y.shape[2:], how),
        ),
        x,
        y,
    )


# --- of arrays ------------------------------------------------------------------------------------
# Within, arrays are (groups, N, *sizes, channels of a group): channels that lie together in memory
# make long runs to copy, and one large matrix product.


def _correlate(x: Any, weight: Any, places: Sequence[int], how: Sliding, bias: Any = None) -> Any:
    outs, _, *kernel = weight.shape
    x, matrices = _padded(x, how), _matrices(weight, how)
    shape = (how.groups, x.shape[1], *places, outs // how.groups)
    out = np.empty_like(x, shape=shape)
    for block, columns in _columns(x, places, kernel, how):
        product = columns @ matrices
        if bias is not None:
            product = product + bias.reshape((how.groups, 1, -1))
        out[:, block] = product.reshape((how.groups, -1, *shape[2:]))
    return _with_channels(out)


def _spread(y: Any, weight: Any, sizes: Sequence[int], how: Sliding) -> Any:
    _, n_channels, *kernel = weight.shape
    y, places = _by_group(y, how.groups), y.shape[2:]
    padded = [n + sum(zeros) for n, zeros in zip(sizes, how.padding, strict=True)]
    out = np.zeros_like(y, shape=(how.groups, y.shape[1], *padded, n_channels))
    matrices = _grouped_weight(weight, how)  # (groups, in, *kernel, out)
    matrices = np.moveaxis(matrices, (1, -1), (-1, -2)).copy()  # (groups, *kernel, out, in)
    axes = tuple(range(2, 2 + len(kernel)))
    largest = max(n_channels, y.shape[-1])
    parts = list(entries(places, axes, kernel, how.steps, how.dilations))
    for block in _blocks(y.shape, 2 * largest * y.dtype.itemsize):
        part, target = y[:, block], out[:, block]
        rows = part.reshape((how.groups, -1, y.shape[-1]))
        for entry, there in parts:
            product = rows @ matrices[(slice(None), *entry)]
            target[there] += product.reshape((*part.shape[:-1], n_channels))
    along = zip(sizes, how.padding, strict=True)
    inside = tuple(slice(before, before + n) for n, (before, _) in along)
    return _with_channels(out[(slice(None), slice(None), *inside)])


def _correlate_weight(x: Any, y: Any, kernel: Sequence[int], how: Sliding) -> Any:
    x, y, places = _padded(x, how), _by_group(y, how.groups), y.shape[2:]
    groups, n_channels, outs = how.groups, x.shape[-1], y.shape[-1]
    total = np.zeros_like(x, shape=(groups, math.prod(kernel) * n_channels, outs))
    for block, columns in _columns(x, places, kernel, how):
        total += columns.swapaxes(-1, -2) @ y[:, block].reshape((groups, -1, outs))
    weight = total.reshape((groups, *kernel, n_channels, outs))
    weight = np.moveaxis(weight, (-1, -2), (1, 2))
    return weight.reshape((groups * outs, n_channels, *kernel))


def _by_group(x: Any, groups: int) -> Any:
    """Arrange (N, groups * C, *sizes) as (groups, N, *sizes, C)."""
    n, n_channels, *sizes = x.shape
    return np.moveaxis(x.reshape((n, groups, n_channels // groups, *sizes)), (1, 2), (0, -1))


def _with_channels(x: Any) -> Any:
    """Arrange (groups, N, *sizes, C) as (N, groups * C, *sizes)."""
    groups, n, *sizes, n_channels = x.shape
    return np.moveaxis(x, (0, -1), (1, 2)).reshape((n, groups * n_channels, *sizes))


def _padded(x: Any, how: Sliding) -> Any:
    """Put the zeros around x, and its channels last, also in memory."""
    x = _by_group(x, how.groups)
    groups, n, *sizes, n_channels = x.shape
    padded = [size + sum(zeros) for size, zeros in zip(sizes, how.padding, strict=True)]
    out = np.zeros_like(x, shape=(groups, n, *padded, n_channels))
    along = zip(sizes, how.padding, strict=True)
    inside = tuple(slice(before, before + size) for size, (before, _) in along)
    out[(slice(None), slice(None), *inside)] = x
    return out


def _grouped_weight(weight: Any, how: Sliding) -> Any:
    """Arrange (groups * out, in, *kernel) as (groups, in, *kernel, out)."""
    outs, *others = weight.shape
    return np.moveaxis(weight.reshape((how.groups, outs // how.groups, *others)), 1, -1)


def _matrices(weight: Any, how: Sliding) -> Any:
    """Give a matrix for each group, from the entries of a window, channels last, to channels."""
    grouped = np.moveaxis(_grouped_weight(weight, how), 1, -2)
    return grouped.reshape((how.groups, -1, grouped.shape[-1]))


def _columns(
    x: Any, places: Sequence[int], kernel: Sequence[int], how: Sliding
) -> Iterator[tuple[slice, Any]]:
    """Give the windows of (groups, N, *sizes, C), each in a row: (groups, n * places, K * C).

    They come with the block of examples that they belong to.
    """
    n_axes, groups, length = len(kernel), how.groups, math.prod(kernel) * x.shape[-1]
    axes = tuple(range(2, 2 + n_axes))
    shown: Any = windows(x, axes, kernel, how.steps, how.dilations)
    shown = shown[(slice(None), slice(None), *map(slice, places))]
    channels, entry_axes = 2 + n_axes, tuple(range(3 + n_axes, 3 + 2 * n_axes))
    wide = x.shape[-1] * kernel[-1] >= shown.shape[1 + n_axes]
    # What is copied in long runs is copied fast: of a window's entries, or of places.
    order = (0, 1, *axes, *entry_axes, channels) if wide else (0, *entry_axes, channels, 1, *axes)
    for block in _blocks(shown.shape[: 3 + n_axes], length * x.dtype.itemsize):
        part = np.transpose(shown[:, block], order).copy()
        if wide:
            yield block, part.reshape((groups, -1, length))
        else:
            yield block, part.reshape((groups, length, -1)).swapaxes(-1, -2)


def _blocks(shape: Sequence[int], bytes_of_a_place: int) -> Iterator[slice]:
    """Part the examples of (groups, N, *places, C) into blocks of some bytes."""
    groups, n, *places, _ = shape
    each = max(groups * math.prod(places) * bytes_of_a_place, 1)
    size = max(_BLOCK // each, 1)
    return (slice(i, i + size) for i in range(0, n, size))
