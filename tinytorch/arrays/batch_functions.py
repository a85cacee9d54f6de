"""NumPy's functions of a batch that do all of its arrays at once.

They get the arrays along a first axis, as they mostly lie in memory, and axes are counted from
there. Where operands broadcast, the axis that a batch doesn't show is the last.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinytorch.arrays.batch import (
    SHORT_CUTS,
    Batch,
    aligned,
    in_front,
    is_batch,
    level_of,
    one_by_one,
    pick,
    size_of,
)
from tinytorch.arrays.words import choose, sum_axes

Function = Callable[..., Any]


def short_cut(*functions: Any) -> Callable[[Function], Function]:
    """Let the decorated `short_cut(level, *args, **kwargs)` be what a batch does in a function."""

    def decorate(short_cut: Function) -> Function:
        for function in functions:
            SHORT_CUTS[function] = short_cut
        return short_cut

    return decorate


def each(short_cut: Function, *functions: Any) -> None:
    """Let `short_cut(function, level, *args, **kwargs)` be what a batch does in each of these."""
    for function in functions:
        SHORT_CUTS[function] = functools.partial(short_cut, function)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Count axes, all if none are given, as they are with the one of the batch in front."""
    axes = range(ndim) if axis is None else normalize_axis_tuple(axis, ndim)
    return tuple(i + 1 for i in axes)


# --- what they are --------------------------------------------------------------------------------

SHORT_CUTS[np.ndim] = lambda _level, x: x.ndim
SHORT_CUTS[np.shape] = lambda _level, x: x.shape
SHORT_CUTS[np.copy] = lambda _level, x, **_: x.copy()


@short_cut(np.size)
def _size(level: int, x: Any, axis: Any = None) -> int:
    del level
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return math.prod(x.shape[i] for i in axes)


def _like(function: Function, level: int, x: Any, *, shape: Any = None, **options: Any) -> Any:
    shape = x.shape if shape is None else shape
    front = x.front
    shape = (len(front), *(shape if isinstance(shape, Sequence) else (shape,)))
    return in_front(function(front, shape=shape, **options), level)


each(_like, np.zeros_like, np.ones_like, np.empty_like)


@short_cut(np.full_like)
def _full_like(
    level: int, x: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, **_: Any
) -> Any:
    dtype = x.dtype if dtype is None else dtype
    if level_of(fill_value):
        return np.broadcast_to(fill_value, x.shape if shape is None else shape).astype(dtype)
    out = _like(np.empty_like, level, x, dtype=dtype, shape=shape)
    out[...] = fill_value
    return out


# --- entry by entry -------------------------------------------------------------------------------


@short_cut(np.where)
def _where(level: int, *operands: Any) -> Any:
    if len(operands) < 3:
        return one_by_one(np.where, *operands)
    return Batch(choose(*[aligned(x, level) for x in operands]), level)


@short_cut(np.clip)
def _clip(
    level: int, x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    del level
    low, high = a_min if min is None else min, a_max if max is None else max
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _entry_by_entry(function: Function, level: int, *operands: Any, **options: Any) -> Any:
    if level_of(options):
        return one_by_one(function, *operands, **options)
    return Batch(function(*[aligned(x, level) for x in operands], **options), level)


each(_entry_by_entry, np.nan_to_num, np.isclose, np.real, np.imag, np.sinc, np.round)


# --- along axes -----------------------------------------------------------------------------------


@functools.cache
def _signature(function: Function) -> inspect.Signature:
    return inspect.signature(function)


# Arguments that are as the array is, and would have to be moved with it.
_OF_ITS_SHAPE = {"where", "mean", "weights", "prepend", "append"}


def _along(function: Function, level: int, *args: Any, **kwargs: Any) -> Any:
    """Do what a function does along `axis`, or without one to all entries in a row."""
    given = _signature(function).bind(*args, **kwargs)
    named = {*given.arguments, "axis"}
    given.apply_defaults()
    name, x = next(iter(given.arguments.items()))
    rest = [value for key, value in given.arguments.items() if key != name]
    axis, keepdims = given.arguments["axis"], given.arguments.get("keepdims") is True
    if (
        not is_batch(x, level)
        or level_of(rest)
        or any(np.ndim(given.arguments[key]) for key in named & _OF_ITS_SHAPE)
        or (function in (np.argmax, np.argmin) and axis is None and keepdims)
        or (not x.ndim and axis is not None)  # numbers have an axis 0 in some functions
    ):
        return one_by_one(function, *args, **kwargs)
    if isinstance(axis, tuple | list) or (axis is None and keepdims):
        axis = _axes(axis, x.ndim)
    elif axis is not None:
        axis = normalize_axis_index(operator.index(axis), x.ndim) + 1
    else:
        x, axis = x.reshape(-1), 1
    given.arguments |= {name: x.front, "axis": axis}
    passed = {key: value for key, value in given.arguments.items() if key in named}
    return in_front(function(**passed), level)


each(_along,
    np.prod, np.mean, np.max, np.min, np.std, np.var, np.median, np.any, np.all,
    np.argmax, np.argmin, np.cumsum, np.cumprod, np.sort, np.argsort, np.partition, np.argpartition,
    np.diff, np.nansum, np.nanmax, np.nanmin, np.nanprod, np.nanmean, np.nanstd,
    np.nanvar, np.nanmedian, np.nancumsum, np.nancumprod, np.count_nonzero, np.ptp,
    np.repeat, np.delete, np.compress,
    np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft,
)  # fmt: skip


def _quantile(function: Function, level: int, x: Any, q: Any, *args: Any, **options: Any) -> Any:
    if np.ndim(q):  # whose axes would come before the batch's
        return one_by_one(function, x, q, *args, **options)
    return _along(function, level, x, q, *args, **options)


each(_quantile, np.quantile, np.nanquantile)


@short_cut(np.sum)
def _sum(level: int, x: Any, axis: Any = None, keepdims: Any = False, **options: Any) -> Any:
    if options or not is_batch(x, level) or (not x.ndim and axis is not None):
        return _along(np.sum, level, x, axis=axis, keepdims=keepdims, **options)
    axes = _axes(axis, x.ndim)
    same = not axes and x.dtype.kind not in "biu"  # of which few bits become many
    return x if same else in_front(sum_axes(x.front, axes, keepdims), level)


def _ufunc_along(function: Function, level: int, x: Any, axis: Any = 0, **options: Any) -> Any:
    if not is_batch(x, level) or level_of(options) or not x.ndim:
        return one_by_one(function, x, axis=axis, **options)
    axes = _axes(axis, x.ndim)
    options = {key: value for key, value in options.items() if value is not None}
    one = axes[0] if len(axes) == 1 else axes
    return in_front(function(x.front, axis=one, **options), level)


for _ufunc in (
    np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or, np.logaddexp,
):  # fmt: skip
    for _method in ("reduce", "accumulate"):
        _cut = functools.partial(_ufunc_along, getattr(_ufunc, _method))
        SHORT_CUTS[_ufunc, _method] = _cut


# --- moved ----------------------------------------------------------------------------------------


def _rearranged(function: Function, level: int, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a `function` that only moves, repeats or drops entries: it tells where each is from."""
    if not is_batch(x, level) or level_of((args, kwargs)):
        return one_by_one(function, x, *args, **kwargs)
    rows = x.front
    rows = rows.reshape((len(rows), x.size))
    origins = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
    if isinstance(origins, list | tuple):
        return type(origins)(in_front(rows[:, part], level) for part in origins)
    return in_front(rows[:, origins], level)


each(_rearranged,
    np.rot90, np.tile, np.diagonal, np.resize, np.split, np.array_split,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.rollaxis,
)  # fmt: skip


@short_cut(np.flip)
def _flip(level: int, x: Any, axis: Any = None) -> Any:
    return in_front(np.flip(x.front, _axes(axis, x.ndim)), level)


@short_cut(np.roll)
def _roll(level: int, x: Any, shift: Any, axis: Any = None) -> Any:
    several = isinstance(axis, Sequence) and len(axis) > 1  # which may be the same one
    if axis is None or several or level_of(shift):
        return _rearranged(np.roll, level, x, shift, axis)
    return in_front(np.roll(x.front, shift, _axes(axis, x.ndim)), level)


def _triangle(function: Function, level: int, x: Any, k: int = 0) -> Any:
    entries = function(np.ones(x.shape[-2:], bool), k)
    return _where(level, entries, x, x.dtype.type(0))


each(_triangle, np.tril, np.triu)


@short_cut(np.take)
def _take(level: int, x: Any, indices: Any, axis: int | None = None, **options: Any) -> Any:
    if options:
        return one_by_one(np.take, x, indices, axis, **options)
    del level
    x, axis = (np.reshape(x, -1), 0) if axis is None else (x, axis)
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    return pick(x, (slice(None),) * normalize_axis_index(axis, np.ndim(x)) + (indices,))


@short_cut(np.take_along_axis)
def _take_along_axis(level: int, x: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return _take_along_axis(level, np.reshape(x, -1), np.reshape(indices, -1), 0)
    rows = list(np.indices(x.shape, sparse=True))
    rows[axis] = indices
    return pick(x, tuple(rows))


@short_cut(np.lib.stride_tricks.sliding_window_view)
def _windows(level: int, x: Any, window_shape: Any, axis: Any = None, **options: Any) -> Any:
    view = np.lib.stride_tricks.sliding_window_view
    return in_front(view(x.front, window_shape, _axes(axis, x.ndim), **options), level)


@short_cut(np.reshape)
def _reshape(level: int, x: Any, shape: Any, order: str = "C", **options: Any) -> Any:
    if order != "C":
        return _rearranged(np.reshape, level, x, shape, order=order, **options)
    shape = list(shape) if isinstance(shape, Sequence) else [shape]
    if -1 in shape:
        known = -math.prod(shape)
        if not known or x.size % known:
            raise ValueError(f"cannot reshape array of size {x.size} into shape {tuple(shape)}")
        shape[shape.index(-1)] = x.size // known
    front = x.front
    return in_front(front.reshape((len(front), *shape)), level)


@short_cut(np.ravel)
def _ravel(level: int, x: Any, order: str = "C") -> Any:
    return _reshape(level, x, -1, order)


@short_cut(np.transpose)
def _transpose(level: int, x: Any, axes: Any = None) -> Any:
    axes = range(x.ndim)[::-1] if axes is None else [normalize_axis_index(i, x.ndim) for i in axes]
    return Batch(x.stacked.transpose(*axes, x.ndim), level)


@short_cut(np.matrix_transpose)
def _matrix_transpose(level: int, x: Any) -> Any:
    return _swapaxes(level, x, -1, -2)


@short_cut(np.swapaxes)
def _swapaxes(level: int, x: Any, axis1: int, axis2: int) -> Any:
    axes = [normalize_axis_index(i, x.ndim) for i in (axis1, axis2)]
    return Batch(np.swapaxes(x.stacked, *axes), level)


@short_cut(np.moveaxis)
def _moveaxis(level: int, x: Any, source: Any, destination: Any) -> Any:
    axes = [normalize_axis_tuple(i, x.ndim) for i in (source, destination)]
    return Batch(np.moveaxis(x.stacked, *axes), level)


@short_cut(np.expand_dims)
def _expand_dims(level: int, x: Any, axis: Any) -> Any:
    count = len(axis) if isinstance(axis, Sequence) else 1
    return Batch(np.expand_dims(x.stacked, normalize_axis_tuple(axis, x.ndim + count)), level)


@short_cut(np.squeeze)
def _squeeze(level: int, x: Any, axis: Any = None) -> Any:
    if axis is None:
        axis = tuple(i for i, n in enumerate(x.shape) if n == 1)
    return Batch(np.squeeze(x.stacked, normalize_axis_tuple(axis, x.ndim)), level)


@short_cut(np.broadcast_to)
def _broadcast_to(level: int, x: Any, shape: Any, **_: Any) -> Any:
    shape = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    return Batch(np.broadcast_to(x.stacked, (*shape, x.stacked.shape[-1])), level)


def _in_full(level: int, arrays: Any) -> list[Any]:
    """Give arrays of which some are batches along a first axis: the others so many times."""
    size = size_of(list(arrays), level)
    return [
        x.front if is_batch(x, level) else np.broadcast_to(x, (size, *np.shape(x))) for x in arrays
    ]


@short_cut(np.concatenate)
def _concatenate(level: int, arrays: Any, axis: int | None = 0, **options: Any) -> Any:
    full = _in_full(level, arrays)
    if axis is None:
        full, axis = [x.reshape((len(x), -1)) for x in full], 0
    axis = normalize_axis_index(axis, full[0].ndim - 1) + 1
    return in_front(np.concatenate(full, axis=axis, **options), level)


@short_cut(np.stack)
def _stack(level: int, arrays: Any, axis: int = 0, **options: Any) -> Any:
    full = _in_full(level, arrays)
    axis = normalize_axis_index(axis, full[0].ndim) + 1
    return in_front(np.stack(full, axis=axis, **options), level)


@short_cut(np.pad)
def _pad(level: int, x: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    of_axes = any(np.ndim(x) > 1 for x in options.values() if not callable(x))
    if not is_batch(x, level) or level_of(options) or of_axes or isinstance(pad_width, dict):
        return one_by_one(np.pad, x, pad_width, mode, **options)
    widths = [(0, 0), *np.broadcast_to(pad_width, (x.ndim, 2)).tolist()]
    return in_front(np.pad(x.front, widths, mode, **options), level)
