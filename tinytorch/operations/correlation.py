"""Correlation: what convolutions compute, and its two derivatives, block by block.

All three come from one sum of products, over examples n, places p, entries k of the kernel:

    sum of x[n, c, p * step + k * dilation] * weight[o, c, k] * y[n, o, p]

Its derivative in y is the correlation, a matrix product of windows. That in x is the transposed
convolution, and that in the weight finishes the three: the rule of each is made of the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import iadd
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import NUMPY, kind_of
from tinytorch.arrays.words import half_as_single
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.windows import count, entries, windows

_CORRELATE = Operation("correlate")
_SPREAD = Operation("spread")
_CORRELATE_WEIGHT = Operation("correlate_weight")

_BLOCK = 1 << 19  # so many bytes of windows at a time: they stay in the cache
_LONG = 64  # so many entries make a row of a matrix long enough to multiply it fast


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


@defines(_CORRELATE)
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


@defines(_SPREAD)
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


@defines(_CORRELATE_WEIGHT)
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
    x, weight = _by_group(x, how.groups), _grouped_weight(weight, how.groups)
    shape = (how.groups, x.shape[1], *places, outs // how.groups)
    out = np.empty_like(_special(x, weight), shape=shape)
    shifts = None if bias is None else bias.reshape((how.groups, 1, 1, -1))
    matrices = np.moveaxis(weight, 1, -2).reshape((how.groups, -1, shape[-1]))
    for block, columns in _columns(x, places, kernel, how):
        each = matrices.reshape((how.groups, len(columns), 1, -1, shape[-1]))
        product = reduce(iadd, [part @ each[:, i] for i, part in enumerate(columns)])
        if shifts is not None:
            product += shifts
        out[:, block] = product.reshape((how.groups, -1, *shape[2:]))
    return _with_channels(out)


def _spread(y: Any, weight: Any, sizes: Sequence[int], how: Sliding) -> Any:
    outs, n_channels, *kernel = weight.shape
    flipped = _flipped(kernel, y.shape[2:], sizes, how)
    if flipped is not None and outs <= n_channels * how.groups:  # few entries to make windows of
        return _correlate(y, _flipped_weight(weight, how.groups), sizes, flipped)
    y, places = _by_group(y, how.groups), y.shape[2:]
    padded = [n + sum(zeros) for n, zeros in zip(sizes, how.padding, strict=True)]
    shape = (how.groups, y.shape[1], *padded, n_channels)
    out = np.zeros_like(_special(y, weight), shape=shape)
    matrices = _grouped_weight(weight, how.groups)  # (groups, in, *kernel, out)
    matrices = np.moveaxis(matrices, (1, -1), (-1, -2)).copy()  # (groups, *kernel, out, in)
    axes = tuple(range(2, 2 + len(kernel)))
    parts = list(entries(places, axes, kernel, how.steps, how.dilations))
    largest = how.groups * math.prod(places) * max(n_channels, y.shape[-1])
    size = _examples(2 * largest * y.dtype.itemsize)
    for i in range(0, y.shape[1], size):
        part, target = y[:, i : i + size], out[:, i : i + size]
        rows = part.reshape((how.groups, -1, y.shape[-1]))
        for entry, there in parts:
            product = rows @ matrices[(slice(None), *entry)]
            target[there] += product.reshape((*part.shape[:-1], n_channels))
    return _with_channels(out[(slice(None), slice(None), *_inside(sizes, how))])


def _flipped(
    kernel: Sequence[int], places: Sequence[int], sizes: Sequence[int], how: Sliding
) -> Sliding | None:
    """Say how the flipped kernel slides over y to spread it, if that is done in steps of 1."""
    spans = [(k - 1) * d for k, d in zip(kernel, how.dilations, strict=True)]
    before = [span - zeros for span, (zeros, _) in zip(spans, how.padding, strict=True)]
    along = zip(sizes, spans, places, before, strict=True)
    behind = [size + span - n - zeros for size, span, n, zeros in along]
    if set(how.steps) != {1} or min(*before, *behind) < 0:
        return None
    return how._replace(padding=list(zip(before, behind, strict=True)))


def _flipped_weight(weight: Any, groups: int) -> Any:
    """Give the weight from outputs to inputs, (in, out / groups, *kernel), the kernel reversed."""
    outs, n_channels, *kernel = weight.shape
    grouped = weight.reshape((groups, outs // groups, n_channels, *kernel)).swapaxes(1, 2)
    flipped = np.flip(grouped, tuple(range(3, 3 + len(kernel))))
    return flipped.reshape((groups * n_channels, outs // groups, *kernel))


def _correlate_weight(x: Any, y: Any, kernel: Sequence[int], how: Sliding) -> Any:
    x, y, places = _by_group(x, how.groups), _by_group(y, how.groups), y.shape[2:]
    groups, n_channels, outs = how.groups, x.shape[-1], y.shape[-1]
    shape = (groups, math.prod(kernel) * n_channels, outs)
    total = np.zeros_like(_special(x, y), shape=shape)
    for block, columns in _columns(x, places, kernel, how):
        of_y = y[:, block].reshape((*columns[0].shape[:-1], outs))
        products = [(part.swapaxes(-1, -2) @ of_y).sum(axis=1) for part in columns]
        total += np.concatenate(products, axis=1)
    weight = total.reshape((groups, *kernel, n_channels, outs))
    weight = np.moveaxis(weight, (-1, -2), (1, 2))
    return weight.reshape((groups * outs, n_channels, *kernel))


def _special(x: Any, y: Any) -> Any:
    """Give the one of two arrays that is not NumPy's, if there is one, as the result will be."""
    return y if kind_of(x) is NUMPY else x


def _by_group(x: Any, groups: int) -> Any:
    """Arrange (N, groups * C, *sizes) as (groups, N, *sizes, C)."""
    n, n_channels, *sizes = x.shape
    return np.moveaxis(x.reshape((n, groups, n_channels // groups, *sizes)), (1, 2), (0, -1))


def _with_channels(x: Any) -> Any:
    """Arrange (groups, N, *sizes, C) as (N, groups * C, *sizes)."""
    groups, n, *sizes, n_channels = x.shape
    return np.moveaxis(x, (0, -1), (1, 2)).reshape((n, groups * n_channels, *sizes))


def _grouped_weight(weight: Any, groups: int) -> Any:
    """Arrange (groups * out, in, *kernel) as (groups, in, *kernel, out)."""
    outs, *others = weight.shape
    return np.moveaxis(weight.reshape((groups, outs // groups, *others)), 1, -1)


def _columns(
    x: Any, places: Sequence[int], kernel: Sequence[int], how: Sliding
) -> Iterator[tuple[slice, list[Any]]]:
    """Give the windows of (groups, N, *sizes, C), each in a row, with their block of examples.

    They come in parts, (groups, 1, n * places, K * C) or (groups, n, places, K * C), one after the
    other through the kernel.
    """
    groups, n, *sizes, n_channels = x.shape
    n_axes, run = len(kernel), kernel[-1] * n_channels
    # What is copied in long runs is copied fast: of a window's entries, or of places.
    wide = run >= places[-1]
    # Where they are long, windows along the last axis are enough: others are rows of these.
    outer = n_axes - 1 if wide and run >= _LONG else 0
    axes, entry_axes = tuple(range(2, 2 + n_axes)), range(3 + n_axes, 3 + 2 * n_axes - outer)
    order = (0, 1, *axes, *entry_axes, 2 + n_axes)
    order = order if wide else (0, *entry_axes, 2 + n_axes, 1, *axes)
    before = (slice(None),) * order.index(1)
    around = [n + sum(zeros) for n, zeros in zip(sizes, how.padding, strict=True)]
    shape = (*around[:outer], *places[outer:], math.prod(kernel[outer:]) * n_channels)
    size = n  # of a block; what shows windows of another kind of array may be a copy
    if isinstance(x, np.ndarray):
        size = _examples(groups * math.prod(shape) * x.dtype.itemsize)
    sliding = (axes, kernel, how.steps, how.dilations)
    around_rows = (along[:outer] for along in (places, *sliding))
    parts = [there for _, there in entries(*around_rows)]
    # One block after the other comes between the same zeros, where the channels are last.
    padded = np.zeros_like(x, shape=(groups, min(size, n), *around, n_channels))
    inside = _inside(sizes, how)
    shown: Any = None
    for i in range(0, n, max(size, 1)):
        block = x[:, i : i + size]
        examples = slice(block.shape[1])
        padded[(slice(None), examples, *inside)] = block
        if shown is None:
            shown = windows(padded, *(along[outer:] for along in sliding))
            shown = shown[(slice(None), slice(None), *map(slice, shape[:-1]))]
            shown = np.transpose(shown, order)
        rows = shown[(*before, examples)].copy()
        if outer:
            each = [rows[there] for there in parts]
            rows_of = (*rows.shape[:2], -1, shape[-1])
            yield slice(i, i + size), [part.reshape(rows_of) for part in each]
        elif wide:
            yield slice(i, i + size), [rows.reshape((groups, 1, -1, shape[-1]))]
        else:
            yield slice(i, i + size), [rows.reshape((groups, 1, shape[-1], -1)).swapaxes(-1, -2)]


def _inside(sizes: Sequence[int], how: Sliding) -> tuple[slice, ...]:
    """Index what lies between the zeros."""
    along = zip(sizes, how.padding, strict=True)
    return tuple(slice(before, before + n) for n, (before, _) in along)


def _examples(bytes_of_one: int) -> int:
    """Say how many examples make a block."""
    return max(_BLOCK // max(bytes_of_one, 1), 1)
