"""Kernels: elementwise calls on a GPU that make one pass through memory, and one launch.

Each entry of what they give is computed from the entries in its place. So calls of one shape can be
a single `cupy.ElementwiseKernel`, whose text has a line for each of them. Updates of arrays outside
are calls like others: one kernel takes an optimiser's step of a parameter.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import at_hand
from tinytorch.compiler.program import Call, Constant, Ref, Value
from tinytorch.compiler.storage import Into, dense_order, is_random

# The C++ of NumPy's functions, as CuPy has it; t is the type that is computed in.
_ARITHMETIC: dict[Any, str] = {np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}",
               np.negative: "-{}", np.positive: "{}", np.square: "{0} * {0}"}  # fmt: skip
_OF_FLOATS: dict[Any, str] = {
    np.divide: "{} / {}", np.reciprocal: "({t})1 / {}", np.power: "pow({}, {})",
    np.maximum: "{0} >= {1} || isnan({0}) ? {0} : {1}",
    np.minimum: "{0} <= {1} || isnan({0}) ? {0} : {1}",
    np.absolute: "fabs({})", np.sign: "{0} < 0 || {0} > 0 ? copysign(({t})1, {0}) : {0} - {0}",
    np.arctan2: "atan2({}, {})", np.hypot: "hypot({}, {})", np.copysign: "copysign({}, {})",
    np.fmax: "fmax({}, {})", np.fmin: "fmin({}, {})", np.arcsin: "asin({})",
    np.arccos: "acos({})", np.arctan: "atan({})", np.arcsinh: "asinh({})",
    np.arccosh: "acosh({})", np.arctanh: "atanh({})",
    np.logaddexp: "{0} == {1} ? {0} + log(({t})2) : "
                  "fmax({0}, {1}) + log1p(exp(-fabs({0} - {1})))",
    **{getattr(np, name): f"{name}({{}})" for name in (
        "sqrt", "cbrt", "exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "floor", "ceil", "trunc", "rint",
    )},
}  # fmt: skip
_QUESTIONS: dict[Any, str] = {
    np.equal: "{} == {}", np.not_equal: "{} != {}", np.less: "{} < {}",
    np.less_equal: "{} <= {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
}  # fmt: skip
_QUESTIONS_OF_FLOATS: dict[Any, str] = {
    np.isnan: "isnan({})", np.isinf: "isinf({})", np.isfinite: "isfinite({})",
    np.signbit: "signbit({})",
}  # fmt: skip
_LOGIC: dict[Any, str] = {
    np.logical_and: "{} && {}", np.logical_or: "{} || {}", np.logical_not: "!{}",
    np.bitwise_and: "{} && {}", np.bitwise_or: "{} || {}", np.invert: "!{}",
    np.logical_xor: "{} != {}", np.bitwise_xor: "{} != {}", np.not_equal: "{} != {}",
    np.equal: "{} == {}",
}  # fmt: skip
_TYPES = {
    np.dtype(bool): "bool", np.dtype(np.int32): "int", np.dtype(np.int64): "long long",
    np.dtype(np.float32): "float", np.dtype(np.float64): "double",
}  # fmt: skip
_OPERANDS = Ref | int | float | np.generic
_SUFFIXES = {"float": "f", "long long": "LL"}
# How far back a call looks for others that it goes with.
_REACH = 64
# So many arrays go to a kernel: CUDA passes 4096 bytes, and each is its shape and strides, too.
_MOST_ARRAYS = 32


class _Line(NamedTuple):
    """A call in C++: its text with places for the operands, and the dtypes they are taken in."""

    call: Call
    out: Value
    text: str
    operands: Sequence[Any]
    dtypes: Sequence[Any]


def _line(call: Call, values: Sequence[Value]) -> _Line | None:
    """Write a call as a line of a kernel; None for what is none."""
    if len(call.outs) + len(call.written) != 1:
        return None
    out = values[(call.outs or call.written)[0]]
    if not out.on_gpu or out.root != out.slot or dense_order(out) is None or 0 in out.shape:
        return None
    operands = [values[slot] for slot in call.inputs()]
    if any(x.dtype not in _TYPES or not (x.on_gpu or x.scalar) for x in (out, *operands)):
        return None
    found = _written(call, out.dtype, values)
    return None if found is None else _Line(call, out, *found)


def _written(  # noqa: PLR0911  (a branch for each kind)
    call: Call, out: np.dtype[Any], values: Sequence[Value]
) -> tuple[str, Sequence[Any], Sequence[Any]] | None:
    function, args = call.function, call.args
    copies = function is np.ndarray.copy and args[1:] in ((), ("C",))
    if (copies or (function is np.ndarray.astype and len(args) == 2)) and not call.kwargs:
        return "{}", args[:1], [out]
    if call.kwargs.keys() - {"out"} or not all(isinstance(x, _OPERANDS) for x in args):
        return None
    if function is np.where and len(args) == 3:
        condition = type(args[0]) is Ref and values[args[0].slot].dtype.kind == "b"
        return ("{} ? {} : {}", args, [np.dtype(bool), out, out]) if condition else None
    if function is getattr(sys.modules.get("cupyx.scipy.special"), "erf", None):
        return ("erf({})", args, [out]) if out.kind == "f" else None
    if not isinstance(function, np.ufunc):
        return None
    loop = np.result_type(*[_kind(x, values) for x in args])
    if out.kind == "b":
        tables = [_LOGIC] if loop.kind == "b" else [_QUESTIONS, _QUESTIONS_OF_FLOATS]
    elif call.written and loop != out:
        return None
    else:
        loop, tables = out, [_ARITHMETIC, _OF_FLOATS]
    for table in tables if loop.kind == "f" else tables[:1]:
        if function in table:
            return table[function], args, [loop] * len(args)
    return None


def _kind(x: Any, values: Sequence[Value]) -> Any:
    """Give what decides of the dtype of a result: a number of Python's as one."""
    if type(x) is not Ref:
        return x
    value = values[x.slot]
    return value.dtype.type(0).item() if value.weak else value.dtype


# --- which calls make a kernel --------------------------------------------------------------------


class _Group:
    """Calls that are made one after the other: the lines of a kernel, or any other call."""

    def __init__(self, shape: tuple[int, ...] | None) -> None:
        self.shape = shape  # of what a kernel gives
        self.calls: list[Call] = []
        self.lines: list[_Line] = []
        self.made: set[int] = set()  # slots
        self.slots: set[int] = set()  # that are looked at
        self.reads: set[Any] = set()  # roots
        self.writes: set[Any] = set()

    def add(self, call: Call, line: _Line | None, reads: set[Any], writes: set[Any]) -> None:
        """Make the call after the others."""
        self.calls.append(call)
        self.lines += [] if line is None else [line]
        self.made.update((*call.outs, *call.written))
        self.slots.update(call.inputs())
        self.reads |= reads
        self.writes |= writes

    def comes_before(self, reads: set[Any], writes: set[Any]) -> bool:
        """Say whether what reads and writes these roots has to come after it."""
        return not (
            self.writes.isdisjoint(reads)
            and self.writes.isdisjoint(writes)
            and self.reads.isdisjoint(writes)
        )

    def takes(self, call: Call, values: Sequence[Value]) -> bool:
        """Say whether the call can be one of the kernel's: entries are looked at in their place."""
        made = {values[slot].root for slot in self.made}
        if any(values[s].root in made and s not in self.made for s in call.inputs()):
            return False
        written = {values[slot].root for slot in call.written}
        looks = self.slots | set(call.inputs())
        return all(s in call.written for s in looks if values[s].root in written)


def in_kernels(
    calls: Iterable[Call], values: Sequence[Value], outputs: Iterable[int]
) -> list[Call]:
    """Put elementwise calls of one shape together, each as early as what it needs is there."""
    groups: list[_Group] = []
    uses = Counter(outputs)
    for call in _numbers_first(list(calls), values):
        uses.update({*call.inputs()})
        reads: set[Any] = {values[slot].root for slot in call.inputs()}
        writes: set[Any] = {values[slot].root for slot in (*call.outs, *call.written)}
        if is_random(call):
            writes.add(("generator", id(call.args[0])))
        if not (call.outs or call.written):
            writes.add("a check")  # which come in their order
        line, group = _line(call, values), None
        shape = None if line is None else line.out.shape
        for before in reversed(groups[-_REACH:]):
            if shape is not None and before.shape == shape and before.takes(call, values):
                group = before
                break
            if before.comes_before(reads, writes):
                break
        if group is None:
            group = _Group(shape)
            groups.append(group)
        group.add(call, line, reads, writes)
    written = {values[slot].root for group in groups for c in group.calls for slot in c.written}

    def made(group: _Group) -> list[Call]:
        return _as_kernels(group.lines, values, uses, written) if group.lines else group.calls

    return [call for group in groups for call in made(group)]


def _numbers_first(calls: Sequence[Call], values: Sequence[Value]) -> list[Call]:
    """Put before all others what is computed on the CPU, as rates are, of what nobody changes."""
    late = {values[slot].root for call in calls for slot in call.written}

    def is_late(call: Call) -> bool:
        used = [values[slot] for slot in (*call.inputs(), *call.outs)]
        if not call.outs or is_random(call) or any(x.on_gpu or x.root in late for x in used):
            late.update(x.root for x in used)
            return True
        return False

    return sorted(calls, key=is_late)


def _as_kernels(
    lines: Sequence[_Line], values: Sequence[Value], uses: Counter[int], changed: set[int]
) -> list[Call]:
    """Give the call of a kernel; of several, where it would have too many arrays."""
    calls = [line.call for line in lines]
    if len(calls) < 2:
        return calls
    inside = Counter(slot for call in calls for slot in {*call.inputs()})
    written = dict.fromkeys(slot for call in calls for slot in call.written)
    outs = [s for call in calls for s in call.outs if uses[s] > inside[s]]
    text = _Text(lines, values, [*written, *outs], changed)
    if len(text.operands) + len(text.outputs) > _MOST_ARRAYS:
        half = len(lines) // 2
        parts = lines[:half], lines[half:]
        return [call for part in parts for call in _as_kernels(part, values, uses, changed)]
    # What is written into is given before what is made.
    args = (*text.operands, *map(Ref, written))
    last = replace(calls[-1], function=Kernel(*text.parts()), args=args, kwargs={})
    return [replace(last, outs=outs, written=[*written])]


class _Text:
    """The text of a kernel, whose names are numbered, so that kernels that do the same are one."""

    def __init__(
        self,
        lines: Sequence[_Line],
        values: Sequence[Value],
        outs: Iterable[int],
        changed: set[int],
    ) -> None:
        self._values, self._changed = values, changed
        self.operands: list[Any] = []
        self._inputs: list[str] = []
        self._lines: list[str] = []
        self._names: dict[int, str] = {}  # of parameters and variables
        self._number = 0
        for line in lines:
            self._add(line)
        self.outputs: list[str] = []
        for slot in outs:
            name = f"y{len(self.outputs) + 1}"
            self.outputs.append(f"{values[slot].dtype.name} {name}")
            self._lines.append(f"{name} = {self._names[slot]}")

    def parts(self) -> tuple[str, str, str]:
        """Give what an ElementwiseKernel is made of."""
        return ", ".join(self._inputs), ", ".join(self.outputs), ";\n".join(self._lines) + ";"

    def _add(self, line: _Line) -> None:
        operands = zip(line.operands, line.dtypes, strict=True)
        terms = [self._term(x, dtype) for x, dtype in operands]
        self._number += 1
        name = self._names[line.out.slot] = f"v{self._number}"
        text = line.text.format(*terms, t=_TYPES[line.dtypes[-1]])
        self._lines.append(f"const {_TYPES[line.out.dtype]} {name} = {text}")

    def _term(self, x: Any, dtype: Any) -> str:
        """Write an operand, in the dtype that is computed in."""
        kind = _TYPES[dtype]
        if type(x) is not Ref:
            return _literal(x, kind)
        value = self._values[x.slot]
        is_fixed = isinstance(value.source, Constant) and value.root not in self._changed
        if is_fixed and value.source.content.size == 1:
            return _literal(at_hand(value.source.content).item(), kind)
        if x.slot not in self._names:
            self.operands.append(x)
            self._names[x.slot] = f"x{len(self.operands)}"
            self._inputs.append(f"{value.dtype.name} {self._names[x.slot]}")
        name = self._names[x.slot]
        return name if value.dtype == dtype else f"({kind}){name}"


def _literal(x: Any, kind: str) -> str:
    if kind == "bool":
        return "true" if x else "false"
    if kind in ("int", "long long"):
        return f"{int(x)}{_SUFFIXES.get(kind, '')}"
    text, f = repr(float(x)), _SUFFIXES.get(kind, "")
    if text in ("inf", "-inf", "nan"):
        over = {"inf": "1.0", "-inf": "-1.0", "nan": "0.0"}[text]
        return f"({over}{f} / 0.0{f})"
    return f"{text}{f}"


@functools.lru_cache(1024)
def _kernel(inputs: str, outputs: str, text: str) -> Any:
    # Without contractions the entries are those that CuPy's own functions give.
    return import_module("cupy").ElementwiseKernel(
        inputs, outputs, text, "tinytorch_kernel", options=("--fmad=false",)
    )


class Kernel(Into):
    """The function of a kernel: it takes its operands, and the arrays to write its results into."""

    __name__ = "a kernel"
    calls_at: dict[Any, Any] = {}  # noqa: RUF012  (an error in it is the kernel's)

    def __init__(self, inputs: str, outputs: str, text: str) -> None:
        self.inputs, self.outputs, self.text = inputs, outputs, text
        self.run = _kernel(inputs, outputs, text)

    def __call__(self, *arrays: Any) -> None:
        """Run it."""
        self.run(*arrays)
