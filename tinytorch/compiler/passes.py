"""What makes a program shorter, and leaves what it computes as it is.

Each pass goes once through the calls. Three things keep a call where it is: somebody outside looks
at what it gives, it writes into an array, or it draws random numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tinytorch.arrays.kind import at_hand
from tinytorch.arrays.parts import made, map_parts
from tinytorch.compiler.program import Call, Constant, Program, Ref, Value
from tinytorch.compiler.storage import VIEWS, is_elementwise, is_random

# Constants of more entries are computed in each run.
_LARGE = 1 << 16
# A product of matrices with more multiplications is shared among threads, unless by rows.
_ONE_THREAD = 1 << 18


def optimise(program: Program, outputs: Iterable[int]) -> tuple[Program, list[int]]:
    """Give a program of fewer calls, and of faster ones, and where the outputs are in it."""
    values = list(program.values)
    calls, instead = _out_of_place(program.calls, values)
    outputs = [instead.get(slot, slot) for slot in outputs]
    kept = {values[slot].root for slot in outputs}
    calls = [_typed(fast, values) for call in calls for fast in _fastest(call, values)]
    calls, instead = _each_once(calls, values, kept)
    outputs = [instead.get(slot, slot) for slot in outputs]
    for value in list(values):
        if (of := value.gradient_of) is not None:
            values[instead.get(value.slot, value.slot)].gradient_of = instead.get(of, of)
    calls = _subtracted(calls, values)
    calls = _needed(calls, values, set(outputs))
    return replace(program, calls=calls, values=values), outputs


# --- values that stay what they are ---------------------------------------------------------------


def _out_of_place(calls: Sequence[Call], values: list[Value]) -> tuple[list[Call], dict[int, int]]:
    """Let x += y make a new value, where x is the program's own and nobody has a view of it."""
    fixed = {value.root for value in values if value.source is not None}
    instead: dict[int, int] = {}
    result = []

    for original in calls:
        call = _with(original, instead)
        written = call.written
        for slot in call.outs:  # a view is of what its array is now
            root = values[slot].root
            values[slot].root = instead.get(root, root)
            if root != slot:
                fixed.add(values[slot].root)
        if is_in_place(call, values) and written[0] not in fixed:
            slot = len(values)
            values.append(replace(values[written[0]], slot=slot, root=slot))
            instead[original.written[0]] = slot
            call = replace(call, kwargs={}, written=[], outs=[slot])
        result.append(call)
    return result, instead


def _with(call: Call, instead: dict[int, int]) -> Call:
    """Let a call read and write other values."""
    if instead.keys().isdisjoint((*call.inputs(), *call.written)):
        return call

    def now(x: Any) -> Any:
        return Ref(instead.get(x.slot, x.slot)) if type(x) is Ref else x

    args, kwargs = map_parts(now, (call.args, call.kwargs))
    written = [instead.get(slot, slot) for slot in call.written]
    return replace(call, args=args, kwargs=kwargs, written=written)


def is_in_place(call: Call, values: Sequence[Value]) -> bool:
    """Say whether it computes with entries of one dtype, and writes them into an array."""
    if call.kwargs.keys() != {"out"} or len(call.written) != 1 or not is_elementwise(call):
        return False
    (slot,) = call.written
    dtype, ufunc = values[slot].dtype, call.function
    alike = all(type(x) is not Ref or values[x.slot].dtype == dtype for x in call.args)
    same: bool = (
        values[slot].root == slot and alike and dtype.kind == "f" and ufunc.nout == 1  # type: ignore[attr-defined]
        and ufunc.resolve_dtypes((*[dtype] * ufunc.nin, None))[-1] == dtype  # type: ignore[attr-defined]
    )  # fmt: skip
    return same


# --- the fastest words ----------------------------------------------------------------------------


def _fastest(call: Call, values: list[Value]) -> list[Call]:
    """Say the same in NumPy's fastest words."""
    if call.function in (np.clip, np.ndarray.clip) and len(call.args) == 3 and not call.kwargs:
        x, low, high = call.args
        out = values[call.outs[0]]
        fits = type(x) is Ref and values[x.slot].dtype == out.dtype and out.dtype.kind == "f"
        if fits and _numbers(low, high):
            steps: list[tuple[Any, Any]] = [(np.maximum, low)] if low != -np.inf else []
            steps += [(np.minimum, high)] if high != np.inf else []
            return _chain(call, x, steps, values)
    if call.function is np.matmul and not call.kwargs and len(values[call.outs[0]].shape) > 2:
        return _in_rows(call, values)
    return [call]


def _in_rows(call: Call, values: list[Value]) -> list[Call]:
    """Lay the second matrices of a product out by rows, where threads would wait for each other."""
    x, y = call.args
    if type(x) is not Ref or type(y) is not Ref:
        return [call]
    size, v = values[x.slot].shape[-2:], values[y.slot]
    if v.on_gpu or len(v.shape) < 3 or v.strides[-2] != v.dtype.itemsize or v.shape[-2] == 1:
        return [call]
    if math.prod(size) * v.shape[-1] <= _ONE_THREAD:
        return [call]
    strides = tuple(v.dtype.itemsize * math.prod(v.shape[i + 1 :]) for i in range(len(v.shape)))
    slot = len(values)
    values.append(replace(v, slot=slot, root=slot, strides=strides, source=None, scalar=False))
    copy = replace(call, function=np.ndarray.copy, args=(y, "C"), outs=[slot])
    return [copy, replace(call, args=(x, Ref(slot)))]


def _typed(call: Call, values: list[Value]) -> Call:
    """Give Python's numbers the dtype of the operands that they meet."""
    if not is_elementwise(call) or call.kwargs:
        return call
    dtypes = {values[x.slot].dtype for x in call.args if type(x) is Ref}
    if len(dtypes) != 1 or any(values[x.slot].weak for x in call.args if type(x) is Ref):
        return call
    (dtype,) = dtypes
    if dtype.kind != "f":
        return call
    number = next((x for x in call.args if type(x) in (int, float)), None)
    kind: Any = type(number)
    if number is None or not _stays(call.function, dtype, kind):
        return call  # as ldexp, which takes an int, and float_power, which has one precision
    args = tuple(dtype.type(x) if type(x) in (int, float) else x for x in call.args)
    return replace(call, args=args)


@cache
def _stays(ufunc: Any, dtype: Any, kind: Any) -> bool:
    """Say whether an operand of that kind becomes one of the dtype where it meets it."""
    if ufunc.nin != 2:
        return False
    try:
        operands = ufunc.resolve_dtypes((dtype, kind, *[None] * ufunc.nout))[:2]
    except TypeError:
        return False
    return bool(operands == (dtype, dtype))


def _subtracted(calls: list[Call], values: list[Value]) -> list[Call]:
    """Write (-x) + y and y + (-x) as y - x."""
    negated = {
        call.outs[0]: call.args[0]
        for call in calls
        if call.function is np.negative
        and not call.kwargs
        and type(call.args[0]) is Ref
        and values[call.outs[0]].dtype.kind in "fc"  # no int is too small to have an opposite
    }
    written = {values[slot].root for call in calls for slot in call.written}
    result = []
    for call in calls:
        fast = call
        if call.function is np.add and not call.kwargs and len(call.args) == 2:
            for x, y in (call.args, call.args[::-1]):
                minus = negated.get(x.slot) if type(x) is Ref else None
                if minus is not None and values[minus.slot].root not in written:
                    fast = replace(call, function=np.subtract, args=(y, minus))
        result.append(fast)
    return result


def _numbers(*bounds: Any) -> bool:
    return all(isinstance(x, int | float) for x in bounds)


def _chain(call: Call, x: Ref, steps: list[tuple[Any, Any]], values: list[Value]) -> list[Call]:
    """Write a call as several, of functions of two operands, one after the other."""
    calls = []
    for i, (function, y) in enumerate(steps or [(np.positive, None)]):
        if i == len(steps) - 1 or not steps:
            out = call.outs[0]
        else:
            out = len(values)
            values.append(replace(values[call.outs[0]], slot=out, root=out))
        args = (x,) if y is None else (x, y)
        calls.append(replace(call, function=function, args=args, kwargs={}, outs=[out]))
        x = Ref(out)
    return calls


# --- nothing twice, nothing that is known before --------------------------------------------------


def _each_once(  # noqa: C901  (a branch for each kind)
    calls: list[Call], values: list[Value], kept: set[int]
) -> tuple[list[Call], dict[int, int]]:
    """Leave out a call that has been made already, a copy that nobody needs, and constants."""
    written = {values[slot].root for call in calls for slot in call.written}
    instead: dict[int, int] = {}
    versions = Counter[int]()
    known: dict[Any, list[int]] = {}
    remaining = []

    def constant(x: Any) -> Any:
        return values[x.slot].source.content if type(x) is Ref else x

    for original in calls:
        for slot in original.outs:  # its memory may have become another's
            values[slot].root = values[values[slot].root].root
        call = _with(original, instead)
        args = _single(call, call.args, values)
        if args is not call.args:
            call = replace(call, args=args)
        for slot in call.written:
            versions[values[slot].root] += 1
        free = not call.written and not is_random(call)
        if free and len(call.outs) == 1:
            out = values[call.outs[0]]
            if _is_idle(call, values, written, kept):
                instead[out.slot] = call.inputs()[0]
                out.root = values[call.inputs()[0]].root
                continue
            if (
                out.root not in written
                and out.root not in kept
                and _is_constant(call, values, written)
            ):
                plain = map_parts(constant, (call.args, call.kwargs))
                if _set_constant(call, out, plain):
                    continue
        key = _key(call, values, versions) if free else None
        if key is not None:
            roots = {values[slot].root for slot in call.outs}
            views = _is_view(call, values)
            if views or (roots.isdisjoint(written) and roots.isdisjoint(kept)):
                before = known.setdefault(key, call.outs)
                if before is not call.outs:
                    for slot, earlier in zip(call.outs, before, strict=True):
                        instead[slot] = earlier
                        values[slot].root = values[earlier].root
                    continue
        remaining.append(call)
    return remaining, instead


def _is_view(call: Call, values: list[Value]) -> bool:
    """Tell what only looks at an array from copies, as x[0] and x[[0, 1]] are."""
    return call.function in VIEWS and all(values[slot].root != slot for slot in call.outs)


def _is_idle(call: Call, values: list[Value], written: set[int], kept: set[int]) -> bool:
    """Tell copies, and products with one, that nobody needs."""
    if not call.inputs() or not (call.function is np.ndarray.copy or _is_times_one(call, values)):
        return False
    x, out = values[call.inputs()[0]], values[call.outs[0]]
    if x.root in written or out.root in written or x.strides != out.strides or x.scalar:
        return False
    return out.root not in kept or (values[x.root].source is None and x.root not in kept)


def _is_times_one(call: Call, values: list[Value]) -> bool:
    if call.function is not np.multiply or call.kwargs:
        return False
    numbers = [x for x in call.args if type(x) is not Ref]
    return (
        numbers == [1]
        and isinstance(numbers[0], np.inexact)
        and (values[call.inputs()[0]].shape, values[call.inputs()[0]].dtype)
        == (values[call.outs[0]].shape, values[call.outs[0]].dtype)
    )


def _is_constant(call: Call, values: list[Value], written: set[int]) -> bool:
    return all(
        isinstance(values[slot].source, Constant) and values[slot].root not in written
        for slot in call.inputs()
    )


def _set_constant(call: Call, out: Value, arguments: Any) -> bool:
    if np.prod(out.shape, dtype=int) > _LARGE and call.function not in VIEWS:
        return False
    try:
        with np.errstate(all="raise"):
            result = made(call.function, *arguments)
    except Exception:  # noqa: BLE001  (then it is for each run to raise it)
        return False
    out.source, out.root = Constant(result), out.slot
    return True


def _single(call: Call, args: Any, values: list[Value]) -> Any:
    """Give an operand of which all entries are the same one as a number."""
    if not is_elementwise(call) or len(call.outs) != 1:
        return args
    shape = values[call.outs[0]].shape
    if not shape or 0 in shape:
        return args

    def single(x: Any) -> bool:
        if type(x) is not Ref:
            return False
        source = values[x.slot].source
        return isinstance(source, Constant) and not any(values[x.slot].strides)

    if not any(type(x) is Ref and values[x.slot].shape == shape and not single(x) for x in args):
        return args
    return tuple(
        at_hand(values[x.slot].source.content[(0,) * len(values[x.slot].shape)])[()]
        if single(x)
        else x
        for x in args
    )


def _key(call: Call, values: list[Value], versions: Counter[int]) -> Any:
    """Give what two calls have in common that give the same; None if that can't be told."""
    parts: list[Any] = [call.function, call.errstate and repr(call.errstate)]
    first = call.args[0] if call.args else None

    def add(x: Any) -> None:
        if type(x) is Ref:
            look = x is first and _is_view(call, values)
            parts.append((x.slot, 0 if look else versions[values[x.slot].root]))
        elif x is None or isinstance(x, int | float | complex | str | np.generic):
            parts.append((type(x), repr(x)))  # 0.0 equals -0.0
        else:
            parts.append((type(x), x))

    def structure(tree: Any) -> Any:
        if isinstance(tree, tuple | list) and type(tree) is not Ref:
            return type(tree), tuple(map(structure, tree))
        if isinstance(tree, slice):
            return slice, *map(structure, (tree.start, tree.stop, tree.step))
        return tuple(sorted(tree)) if isinstance(tree, dict) else None

    if call.kwargs or any(type(x) in (tuple, list, slice) for x in call.args):
        map_parts(add, (call.args, call.kwargs))
        parts += structure(call.args), structure(call.kwargs)
    else:
        for x in call.args:
            add(x)
    key = tuple(parts)
    try:
        hash(key)
    except TypeError:
        return None
    return key


# --- nothing in vain ------------------------------------------------------------------------------


def _needed(calls: list[Call], values: list[Value], outputs: set[int]) -> list[Call]:
    """Leave out calls whose results nobody looks at."""
    slots = set(outputs)
    roots = {values[slot].root for slot in outputs}
    roots |= {value.root for value in values if value.source is not None}
    needed = []
    for call in reversed(calls):
        if (
            is_random(call)
            or not (call.outs or call.written)  # a check, which may raise
            or any(slot in slots for slot in call.outs)
            or any(values[slot].root in roots for slot in call.written)
        ):
            needed.append(call)
            for slot in (*call.inputs(), *call.written):
                slots.add(slot)
                roots.add(values[slot].root)
    needed.reverse()
    return needed
