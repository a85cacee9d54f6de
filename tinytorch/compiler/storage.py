"""Where values lie: which calls can write into an array that is there, and which arrays those are.

An array that the program makes for itself lives from the call that makes it to the last one that
looks at it or at a view of it. After that its memory is the next one's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from sys import getrefcount
from typing import Any

import numpy as np

from tinytorch.compiler.program import Call, Value

# A result of more bytes goes into the memory that the one before had, if nobody else looks at it.
_LARGE = 1 << 16
# So many arrays for a result are kept: while one is still a gradient, the next is written.
_SPARE = 2
# The bytes that a processor fetches at once.
_LINE = 64
# They only say how to look at an array.
VIEWS = {
    np.ndarray.reshape, np.ndarray.transpose, np.ndarray.swapaxes, np.ndarray.view,
    np.ndarray.ravel, np.ndarray.squeeze, np.ndarray.diagonal, np.transpose, np.reshape,
    np.swapaxes, np.moveaxis, np.broadcast_to, np.expand_dims, np.squeeze, np.matrix_transpose,
    np.rollaxis, np.ravel, operator.getitem, np.flip, np.diagonal, np.atleast_1d, np.atleast_2d,
    np.lib.stride_tricks.sliding_window_view,
}  # fmt: skip


class Into:
    """A function that takes, after its operands, the arrays to write its results into."""


def arguments_with_out(  # noqa: C901, PLR0911  (a branch for each kind)
    call: Call, out: Any
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None:
    """Write a call so that its result goes into the array `out`; None where that can't be said."""
    function, args, kwargs = call.function, call.args, call.kwargs
    if function in (np.maximum, np.minimum) and not kwargs:
        return function, args, {"out": out}
    if isinstance(function, np.ufunc):
        if function.nout == 1 and not kwargs:
            return function, (*args, out), {}
    elif is_reduction(function):
        if kwargs.keys() <= {"axis", "keepdims", "dtype"} and len(args) == 1:
            options = kwargs.get("axis", 0), kwargs.get("dtype"), out, kwargs.get("keepdims", False)
            return function, (*args, *options), {}
    elif function in (np.ndarray.dot, np.dot) and not kwargs:
        return np.dot, (*args, out), {}
    elif function is np.ndarray.copy or (function is np.array and len(args) == 1):
        return np.copyto, (out, args[0]), {}
    elif function is np.ndarray.astype:
        return np.copyto, (out, args[0], "unsafe"), {}
    elif function in (np.concatenate, np.stack):
        if kwargs.keys() <= {"axis"}:
            return function, args, {**kwargs, "out": out}
    elif function is np.full and isinstance(args[1], int | float | complex | np.generic):
        return np.ndarray.fill, (out, args[1]), {}
    return None


def is_reduction(function: Any) -> bool:
    """Say whether it is some ufunc's `reduce`."""
    return getattr(function, "__name__", "") == "reduce" and isinstance(
        getattr(function, "__self__", None), np.ufunc
    )


def is_elementwise(call: Call) -> bool:
    """Say whether each entry of the result is computed from the entries in its place."""
    return isinstance(call.function, np.ufunc) and call.function.signature is None


def is_random(call: Call) -> bool:
    """Say whether a call draws random numbers."""
    return bool(call.args) and isinstance(call.args[0], np.random.Generator)


def last_uses(
    calls: Sequence[Call], values: Sequence[Value], kept: Iterable[int]
) -> dict[int, int]:
    """Map each root to the number of the last call that needs it; the roots `kept` live on."""
    last: dict[int, int] = {}
    for i, call in enumerate(calls):
        for slot in (*call.inputs(), *call.outs, *call.written):
            last[values[slot].root] = i
    for root in kept:
        last[root] = len(calls)
    return last


def dense_order(value: Value) -> list[int] | None:
    """Give the axes in their order in memory; None where the entries don't lie close together."""
    order = sorted(range(len(value.shape)), key=lambda i: (-value.strides[i], i))
    size = value.dtype.itemsize
    for axis in reversed(order):
        if value.shape[axis] != 1:
            if value.strides[axis] != size:
                return None
            size *= value.shape[axis]
    return order


def empty(value: Value, memory: Any = None) -> Any:
    """Make an array that looks like `value`, in `memory` if that is given, an array of bytes."""
    order = range(len(value.shape)) if value.scalar else dense_order(value)
    if order is None:
        return None
    shape = [value.shape[i] for i in order]
    if memory is None:
        array = (import_module("cupy") if value.on_gpu else np).empty(shape, value.dtype)
    else:
        size = math.prod(shape) * value.dtype.itemsize
        array = memory[:size].view(value.dtype).reshape(shape)
    return array if list(order) == sorted(order) else array.transpose(*np.argsort(order).tolist())


def is_large(value: Value) -> bool:
    """Say whether memory for it is better kept than asked for again."""
    return math.prod(value.shape) * value.dtype.itemsize >= _LARGE


def _references(arrays: list[Any]) -> int:
    for array in arrays:
        return getrefcount(array)
    return 0


# How many refer to an array that only a list and a variable hold: up to Python 3.13 the argument of
# `getrefcount` is a third, from 3.14 on it is not.
_ALONE = _references([np.empty(0)])


class Results:
    """Large arrays for one result, which belongs to the caller for as long as he holds it.

    Fresh memory is slow; so an array is given again when nobody else refers to it any more.
    """

    def __init__(self, value: Value) -> None:
        self._value, self._arrays = value, [empty(value)]

    def __call__(self) -> Any:
        """Give an array that nobody refers to."""
        for array in self._arrays:
            if getrefcount(array) == _ALONE and array.flags.writeable and self._is_as_made(array):
                return array
        array = empty(self._value)
        self._arrays = [*self._arrays[1 - _SPARE :], array]
        return array

    def _is_as_made(self, array: Any) -> bool:
        value = self._value
        return (array.shape, array.strides, array.dtype) == (
            value.shape, value.strides, value.dtype,
        )  # fmt: skip


class Buffers:
    """One piece of memory, in which each place is given to one array after the other."""

    def __init__(self) -> None:
        self._free: dict[int, int] = {}  # where free places start and stop; no two are neighbours
        self.total = 0

    def take(self, value: Value) -> slice:
        """Give a place for such a value, in the smallest that is free."""
        size = max(-(-math.prod(value.shape) * value.dtype.itemsize // _LINE), 1) * _LINE
        fit = [(stop - start, start) for start, stop in self._free.items() if stop - start >= size]
        if fit:
            start = min(fit)[1]
        else:  # the last one grows
            start = next(
                (start for start, stop in self._free.items() if stop == self.total), self.total
            )
            self._free[start] = self.total = start + size
        stop = self._free.pop(start)
        if start + size < stop:
            self._free[start + size] = stop
        return slice(start, start + size)

    def give_back(self, place: slice) -> None:
        """Take a place back that is not needed any more, and join it with its neighbours."""
        start = next((x for x, stop in self._free.items() if stop == place.start), place.start)
        self._free[start] = self._free.pop(place.stop, place.stop)

    def memory(self) -> Any:
        """Make the memory, as large as it has to be; it starts where processors like it."""
        memory = np.empty(self.total + _LINE, np.uint8)
        return memory[-memory.ctypes.data % _LINE :]
