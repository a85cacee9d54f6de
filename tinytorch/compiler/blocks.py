"""Runs: calls from rows to rows are made for one block of rows after the other.

A large array goes through memory once for each call that reads or writes it. So calls that need of
each operand only the rows that they give are put together: a run is one call of the program, and
takes a block of rows, which stays in the cache, from the first of its calls to the last. What ends
a run are sums over the rows: each block gives its part, and the parts are summed. Threads share the
blocks, whose sizes don't hang on how many threads there are: neither do the numbers.
"""

from __future__ import annotations

import math
import operator
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinytorch.arrays.parts import map_parts
from tinytorch.compiler.execute import Executable
from tinytorch.compiler.program import Call, Program, Ref, Value
from tinytorch.compiler.storage import Into, dense_order, is_elementwise, is_random, is_reduction

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# A block's largest array has so many bytes: several of them fit into a core's cache.
_BYTES = 1 << 18
# Sums of parts are sums of all.
_FOLDED = {
    np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or,
    np.bitwise_and, np.bitwise_or,
}  # fmt: skip
_RESHAPES = {np.ndarray.reshape, np.reshape}
_SWAPS = {np.ndarray.swapaxes, np.swapaxes}
_TRANSPOSES = {np.ndarray.transpose, np.transpose}
_COPIES = {np.ndarray.astype, np.ndarray.copy}


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Part(NamedTuple):
    """A call of a run: for so many rows, it needs those rows of the values `sliced`."""

    call: Call
    rows: int
    sliced: frozenset[int]
    shape: tuple[int, ...] | None = None  # what it is told to give, for all rows
    folds: bool = False  # it sums over the rows

    def of_block(self, rows: int) -> Call:
        """Write the call for a block of so many rows."""
        call = self.call
        if self.shape is None:
            return call
        shape = (rows, *self.shape[1:])
        if call.function is np.full:
            return replace(call, args=(shape, *call.args[1:]))
        return replace(call, args=(call.args[0], shape))


def _part(call: Call, values: Sequence[Value]) -> _Part | None:  # noqa: PLR0911  (a branch for each kind)
    """Say how a call goes from rows to rows; None if it doesn't."""
    if len(call.outs) != 1 or call.written:
        return None
    function, args, kwargs = call.function, call.args, call.kwargs
    out = values[call.outs[0]]
    if is_reduction(function):
        if not kwargs.keys() <= {"axis", "keepdims", "dtype"} or type(args[0]) is not Ref:
            return None
        x = values[args[0].slot]
        axes = _axes(kwargs.get("axis", 0), len(x.shape))
        folds = 0 in axes
        if not x.shape or (folds and function.__self__ not in _FOLDED):  # type: ignore[attr-defined]
            return None
        return _Part(call, x.shape[0], frozenset((x.slot,)), folds=folds)
    if not out.shape or (out.root == out.slot and not _rows_first(out)):
        return None
    rows, ndim = out.shape[0], len(out.shape)
    operands = [values[slot] for slot in call.inputs()]
    if function is np.vecdot and not kwargs:
        ndim += 1
    elif not (
        (is_elementwise(call) and not kwargs)
        or (function is np.where and len(args) == 3)
        or (function is np.matmul and not kwargs and ndim > 2)
    ):
        return _reordered(call, out, operands)
    sliced = frozenset(x.slot for x in operands if len(x.shape) == ndim and x.shape[0] == rows)
    return _Part(call, rows, sliced)


def _reordered(call: Call, out: Value, operands: list[Value]) -> _Part | None:
    """The same for calls that copy, or only look at an array in another way."""
    rows = out.shape[0]
    if call.function is np.full and not operands:
        return _Part(call, rows, frozenset(), out.shape)
    if len(operands) != 1 or type(call.args[0]) is not Ref or call.kwargs:
        return None
    (x,) = operands
    part = _Part(call, rows, frozenset((x.slot,)))
    alike = bool(x.shape) and x.shape[0] == rows
    if call.function is np.broadcast_to:
        alike = alike and len(x.shape) == len(out.shape)
        return part._replace(shape=out.shape, sliced=part.sliced if alike else frozenset())
    if alike and call.function in _RESHAPES:
        return part._replace(shape=out.shape)
    return part if alike and _keeps_rows(call, x, out) else None


def _keeps_rows(call: Call, x: Value, out: Value) -> bool:
    """Say whether a copy or view of `x` has the same rows, whatever it does in them."""
    function, args = call.function, call.args
    if function is np.ndarray.view:
        return x.dtype.itemsize == out.dtype.itemsize
    if function in _SWAPS:
        return 0 not in _axes(args[1:3], len(x.shape))
    if function in _TRANSPOSES and len(args) > 1:
        axes = args[1] if isinstance(args[1], tuple | list) else args[1:]
        return bool(axes) and axes[0] in (0, -len(x.shape))
    if function is operator.getitem:
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        plain = all(i is None or i is Ellipsis or isinstance(i, slice | int) for i in index)
        used = sum(i is not None and i is not Ellipsis for i in index)
        whole = index[:1] == (slice(None),)
        return plain and (whole or (index[:1] == (Ellipsis,) and used < len(x.shape)))
    return function in _COPIES


def _axes(axes: Any, ndim: int) -> set[int]:
    if axes is None:
        return set(range(ndim))
    return (
        {axis % ndim for axis in (axes if isinstance(axes, tuple) else (axes,))} if ndim else set()
    )


def _rows_first(value: Value) -> bool:
    """Say whether rows lie one after the other in memory."""
    order = dense_order(value)
    return order is not None and order[:1] == [0]


# --- which calls make a run -----------------------------------------------------------------------


def in_runs(
    calls: Iterable[Call], values: Sequence[Value], outputs: Iterable[int], threads: int
) -> list[Call]:
    """Put calls of large arrays together, as far as they follow on each other."""
    return _Runs(list(calls), values, outputs, threads).result


class _Runs:
    """One run at a time: what it needs is called before it, and what needs it afterwards."""

    def __init__(
        self, calls: list[Call], values: Sequence[Value], outputs: Iterable[int], threads: int
    ) -> None:
        self.result: list[Call] = []
        self._values, self._threads = values, threads
        self._uses = Counter(outputs)  # of values, in all calls
        for call in calls:
            self._uses.update({*call.inputs(), *call.written})
        self._begin()
        for call in calls:
            self._add(call)
        self._close()

    def _begin(self) -> None:
        self._run: list[_Part] = []
        self._made: set[int] = set()  # by the calls of the run
        self._waiting: list[Call] = []  # for the run to end
        self._late: set[int] = set()  # what is there only then

    def _add(self, call: Call) -> None:
        if call.written or is_random(call):  # which stay where they are
            self._close()
            self.result.append(call)
            return
        inputs, part = set(call.inputs()), _part(call, self._values)
        if part is not None and not self._follows(part, inputs):
            if _size(part, self._values) <= _BYTES:
                part = None
            else:
                self._close()
        if part is not None:
            self._run.append(part)
            (self._late if part.folds else self._made).update(call.outs)
        elif inputs & self._made or inputs & self._late:
            self._waiting.append(call)
            self._late.update(call.outs)
        else:
            self.result.append(call)

    def _follows(self, part: _Part, inputs: set[int]) -> bool:
        if not self._run or part.rows != self._run[0].rows or inputs & self._late:
            return False
        return inputs & self._made <= part.sliced

    def _close(self) -> None:
        computed = [p for p in self._run if self._values[p.call.outs[0]].root == p.call.outs[0]]
        if len(computed) > 1:
            self.result.extend(self._in_blocks())
        else:
            self.result.extend(part.call for part in self._run)
        self.result.extend(self._waiting)
        self._begin()

    def _in_blocks(self) -> Iterator[Call]:
        """Give a run as one call, and views of what it gives."""
        run, values = self._run, self._values
        inside = Counter(slot for part in run for slot in set(part.call.inputs()))
        made = [slot for part in run for slot in part.call.outs]
        needed = {slot for slot in made if self._uses[slot] > inside[slot]}
        views = []  # which can be looked at when all is there
        for part in reversed(run):
            (slot,) = part.call.outs
            if slot in needed and values[slot].root != slot:
                views.append(part.call)
                needed.update(part.call.inputs())
        blocks = Blocks(run, values, needed, self._threads)
        args = tuple(map(Ref, blocks.operands))
        first = run[0].call
        yield replace(first, function=blocks, args=args, kwargs={}, outs=blocks.outs, errstate=None)
        yield from reversed(views)


def _size(part: _Part, values: Sequence[Value]) -> int:
    """Give the bytes of its largest array."""
    slots = (*part.sliced, *part.call.outs)
    return max(math.prod(values[i].shape) * values[i].dtype.itemsize for i in slots)


# --- to make them ---------------------------------------------------------------------------------


class Blocks(Into):
    """The function of a run: it takes its operands, and the arrays to write into."""

    def __init__(
        self, run: Sequence[_Part], values: Sequence[Value], needed: set[int], threads: int
    ) -> None:
        self.run = tuple(run)
        made = {slot for part in run for slot in part.call.outs}
        folded = {part.call.outs[0]: part for part in run if part.folds}
        operands = {  # each with whether only its rows are needed
            (slot, slot in part.sliced): None
            for part in run
            for slot in part.call.inputs()
            if slot not in made
        }
        self._operands = list(operands)
        self.operands = [slot for slot, _ in self._operands]
        self._rows = [
            slot
            for slot in made
            if slot in needed and values[slot].root == slot and slot not in folded
        ]
        self._folded = list(folded.values())
        self.outs = [*self._rows, *folded]
        rows = run[0].rows
        size = max(_size(part, values) for part in run)
        count = min(-(-size // _BYTES), rows)
        self._bounds = [rows * i // count for i in range(count + 1)]
        self._parts = [
            np.empty((count, *values[slot].shape), values[slot].dtype) for slot in folded
        ]
        self._values = values
        self._threads = min(threads, count)
        self.calls_at: dict[tuple[str, int], Call] = {}
        self._programs: list[dict[int, Executable]] = [{} for _ in range(self._threads)]
        for programs in self._programs:
            for n in {b - a for a, b in zip(self._bounds, self._bounds[1:], strict=False)}:
                programs[n] = self._program(n)
                self.calls_at |= programs[n].calls_at

    def _program(self, rows: int) -> Executable:
        """Write the calls down as a program for a block of so many rows."""
        values: list[Value] = []
        known: dict[Any, int] = {}

        def enter(slot: int, sliced: bool) -> int:
            if (slot, sliced) not in known:
                value = self._values[slot]
                known[slot, sliced] = i = len(values)
                shape = (rows, *value.shape[1:]) if sliced else value.shape
                root = known.get((value.root, sliced), i)
                values.append(replace(value, slot=i, root=root, shape=shape, source=None))
            return known[slot, sliced]

        inputs = [enter(slot, sliced) for slot, sliced in self._operands]
        calls = []
        for part in self.run:
            call, of_block = part.of_block(rows), partial(_entered, enter, part.sliced)
            args, kwargs = map_parts(of_block, (call.args, call.kwargs))
            outs = [enter(call.outs[0], not part.folds)]
            calls.append(replace(call, args=args, kwargs=kwargs, outs=outs))
        given = [enter(slot, True) for slot in self._rows]
        given += [enter(part.call.outs[0], False) for part in self._folded]
        return Executable(Program(calls, values, None), (), inputs, given)

    def __call__(self, *arrays: Any) -> None:
        """Go through all blocks, several at a time."""
        given, outs = arrays[: len(self._operands)], arrays[len(self._operands) :]
        rows = [(x, sliced) for x, (_, sliced) in zip(given, self._operands, strict=True)]
        rows += [(x, True) for x in outs[: len(self._rows)]]
        pending = deque(range(len(self._bounds) - 1))  # of which each thread takes one by one

        def work(programs: dict[int, Any]) -> None:
            while True:
                try:
                    i = pending.popleft()
                except IndexError:
                    return
                a, b = self._bounds[i : i + 2]
                block = [x[a:b] if sliced else x for x, sliced in rows]
                programs[b - a].run(*block, *(part[i, ...] for part in self._parts))

        from concurrent.futures import wait

        first, *others = self._programs
        futures = [_pool().submit(copy_context().run, work, programs) for programs in others]
        try:
            work(first)
            wait(futures)
        finally:
            wait(futures)  # after an interrupt too: the next call finds nobody writing
        for future in futures:
            future.result()
        for part, parts, out in zip(
            self._folded, self._parts, outs[len(self._rows) :], strict=True
        ):
            fold: Any = part.call.function
            fold(parts, axis=0, out=out)


def _entered(enter: Any, sliced: frozenset[int], x: Any) -> Any:
    return Ref(enter(x.slot, x.slot in sliced)) if type(x) is Ref else x


_pools: list[ThreadPoolExecutor] = []


def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    if not _pools:
        _pools.append(ThreadPoolExecutor(cores(), "tinytorch.compile"))
    return _pools[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # its threads stay behind
