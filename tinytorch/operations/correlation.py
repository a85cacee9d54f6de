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
# Within, arrays are (N, groups, *sizes, channels of a group): channels that lie together in memory
# make long runs to copy. Each example is a matrix product of its own, which stays in the cache.


def _correlate(x: Any, weight: Any, places: Sequence[int], how: Sliding, bias: Any = None) -> Any:
    outs, _, *kernel = weight.shape
    x, weight = _by_group(x, how.groups), _grouped_weight(weight, how.groups)
    shape = (len(x), how.groups, *places, outs // how.groups)
    shifts = None if bias is None else bias.reshape((how.groups, 1, -1))
    matrices = np.moveaxis(weight, 1, -2).reshape((how.groups, -1, shape[-1]))
    results = []
    for _, columns in _columns(x, places, kernel, how):
        each = matrices.reshape((how.groups, len(columns), -1, shape[-1]))
        product = reduce(iadd, [_product(part, each[:, i]) for i, part in enumerate(columns)])
        if shifts is not None:
            product += shifts
        results.append(product.reshape((-1, *shape[1:])))
    return _with_channels(_joined(results, shape, _special(x, weight)))


def _spread(y: Any, weight: Any, sizes: Sequence[int], how: Sliding) -> Any:
    outs, n_channels, *kernel = weight.shape
    flipped = _flipped(kernel, y.shape[2:], sizes, how)
    # Few entries to make windows of; or no sums in strides, which a program can't take in blocks.
    few = outs <= n_channels * how.groups or _in_program(y, math.prod(sizes))
    if flipped is not None and few:
        return _correlate(y, _flipped_weight(weight, how.groups), sizes, flipped)
    y, places = _by_group(y, how.groups), y.shape[2:]
    padded = [n + sum(zeros) for n, zeros in zip(sizes, how.padding, strict=True)]
    out = np.zeros_like(_special(y, weight), shape=(*y.shape[:2], *padded, n_channels))
    matrices = _grouped_weight(weight, how.groups)  # (groups, in, *kernel, out)
    matrices = np.moveaxis(matrices, (1, -1), (-1, -2)).copy()  # (groups, *kernel, out, in)
    axes = tuple(range(2, 2 + len(kernel)))
    parts = list(entries(places, axes, kernel, how.steps, how.dilations))
    largest = how.groups * math.prod(places) * max(n_channels, y.shape[-1])
    size = _examples(2 * largest * y.dtype.itemsize)
    for i in range(0, len(y), size):
        part, target = y[i : i + size], out[i : i + size]
        rows = part.reshape((*part.shape[:2], math.prod(places), y.shape[-1]))
        for entry, there in parts:
            product = _product(rows, matrices[(slice(None), *entry)])
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
        of_y = y[block].reshape((*columns[0].shape[:-1], outs))
        products = [_product_of_rows(part, of_y) for part in columns]
        total += np.concatenate(products, axis=1)
    weight = total.reshape((groups, *kernel, n_channels, outs))
    weight = np.moveaxis(weight, (-1, -2), (1, 2))
    return weight.reshape((groups * outs, n_channels, *kernel))


def _product(rows: Any, matrices: Any) -> Any:
    """Multiply (n, groups, places, K) by (groups, K, out): where rows are few, those of all n."""
    if not _are_one_matrix(rows):
        return rows @ matrices
    product = rows.reshape((-1, rows.shape[-1])) @ matrices[0]
    return product.reshape((*rows.shape[:-1], matrices.shape[-1]))


def _product_of_rows(x: Any, y: Any) -> Any:
    """Sum the products of the rows of (n, groups, places, K) and (…, out): (groups, K, out)."""
    if not _are_one_matrix(x):
        return (x.swapaxes(-1, -2) @ y).sum(axis=0)
    return (x.reshape((-1, x.shape[-1])).T @ y.reshape((-1, y.shape[-1])))[None]


def _are_one_matrix(rows: Any) -> bool:
    _, groups, length, _ = rows.shape
    return groups == 1 and 0 not in rows.shape and not _each_alone(rows, length)


def _in_program(x: Any, length: int) -> bool:
    """Say whether a program is recorded that takes the examples, of so many places, in blocks."""
    return kind_of(x).makes_blocks and _each_alone(x, length)


def _each_alone(x: Any, length: int) -> bool:
    """Say whether each example's rows are enough for a matrix product, where each is a call."""
    return isinstance(x, np.ndarray) and length >= _LONG


def _joined(blocks: Sequence[Any], shape: Sequence[int], like: Any) -> Any:
    """Put the results of blocks together; there may be none."""
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.zeros_like(like, shape=shape)


def _special(x: Any, y: Any) -> Any:
    """Give the one of two arrays that is not NumPy's, if there is one, as the result will be."""
    return y if kind_of(x) is NUMPY else x


def _by_group(x: Any, groups: int) -> Any:
    """Arrange (N, groups * C, *sizes) as (N, groups, *sizes, C)."""
    n, n_channels, *sizes = x.shape
    return np.moveaxis(x.reshape((n, groups, n_channels // groups, *sizes)), 2, -1)


def _with_channels(x: Any) -> Any:
    """Arrange (N, groups, *sizes, C) as (N, groups * C, *sizes)."""
    n, groups, *sizes, n_channels = x.shape
    return np.moveaxis(x, -1, 2).reshape((n, groups * n_channels, *sizes))


def _grouped_weight(weight: Any, groups: int) -> Any:
    """Arrange (groups * out, in, *kernel) as (groups, in, *kernel, out)."""
    outs, *others = weight.shape
    return np.moveaxis(weight.reshape((groups, outs // groups, *others)), 1, -1)


def _columns(
    x: Any, places: Sequence[int], kernel: Sequence[int], how: Sliding
) -> Iterator[tuple[slice, list[Any]]]:
    """Give the windows of (N, groups, *sizes, C), each in a row, with their block of examples.

    They come in parts, (n, groups, places, K * C), one after the other through the kernel.
    """
    n, groups, *sizes, n_channels = x.shape
    n_axes, run = len(kernel), kernel[-1] * n_channels
    # What is copied in long runs is copied fast: of a window's entries, or of places.
    length = math.prod(places)
    wide = run >= places[-1] or length < _LONG
    # Where they are long, windows along the last axis are enough: others are rows of these.
    outer = n_axes - 1 if wide and run >= _LONG else 0
    axes, entry_axes = tuple(range(2, 2 + n_axes)), range(3 + n_axes, 3 + 2 * n_axes - outer)
    order = (0, 1, *axes, *entry_axes, 2 + n_axes)
    order = order if wide else (0, 1, *entry_axes, 2 + n_axes, *axes)
    around = [n + sum(zeros) for n, zeros in zip(sizes, how.padding, strict=True)]
    shape = (*around[:outer], *places[outer:], math.prod(kernel[outer:]) * n_channels)
    # What shows windows of another kind of array may be a copy, and programs have their own blocks.
    size = n
    if isinstance(x, np.ndarray) and not _in_program(x, length):
        size = _examples(groups * math.prod(shape) * x.dtype.itemsize)
    sliding = (axes, kernel, how.steps, how.dilations)
    around_rows = (along[:outer] for along in (places, *sliding))
    parts = [there for _, there in entries(*around_rows)]
    # One block after the other comes between the same zeros, where the channels are last.
    padded = np.zeros_like(x, shape=(min(size, n), groups, *around, n_channels))
    inside = _inside(sizes, how)
    shown: Any = None
    for i in range(0, n, max(size, 1)):
        block = x[i : i + size]
        padded[(slice(len(block)), slice(None), *inside)] = block
        if shown is None:
            shown = windows(padded, *(along[outer:] for along in sliding))
            shown = shown[(slice(None), slice(None), *map(slice, shape[:-1]))]
            shown = np.transpose(shown, order)
        rows = shown[: len(block)].copy()
        matrix = len(block), groups, length, shape[-1]
        if outer:
            yield slice(i, i + size), [rows[there].reshape(matrix) for there in parts]
        elif wide:
            yield slice(i, i + size), [rows.reshape(matrix)]
        else:
            by_entry = rows.reshape((len(block), groups, shape[-1], length))
            yield slice(i, i + size), [by_entry.swapaxes(-1, -2)]


def _inside(sizes: Sequence[int], how: Sliding) -> tuple[slice, ...]:
    """Index what lies between the zeros."""
    along = zip(sizes, how.padding, strict=True)
    return tuple(slice(before, before + n) for n, (before, _) in along)


def _examples(bytes_of_one: int) -> int:
    """Say how many examples make a block."""
    return max(_BLOCK // max(bytes_of_one, 1), 1)
