"""A program, ready to run: as Python code of one NumPy call a line, with the arrays it writes into.

Whatever can be known before the program runs is an object that the code names: the arrays found
outside, buffers, views of them, numbers. What is different in each run is a local variable.
"""

from __future__ import annotations

import linecache
import operator
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from tinytorch.arrays.parts import is_array, made, map_parts
from tinytorch.compiler.program import Call, Constant, Program, Ref, Value
from tinytorch.compiler.storage import (
    VIEWS,
    Buffers,
    Into,
    Results,
    arguments_with_out,
    dense_order,
    empty,
    is_elementwise,
    is_large,
    last_uses,
)

_numbers = count(1)


class Executable:
    """A program as Python code. `run(*inputs, *into)` gives the values of `outputs`, in a tuple.

    The values `into` are written into arrays that the caller gives. `calls` are the program's, if
    they are not to be made one by one; the last `n_last`, of the form f(x, y, out), are made
    in one.
    """

    def __init__(
        self,
        program: Program,
        outputs: Sequence[int],
        inputs: Sequence[int],
        into: Sequence[int] = (),
        calls: Sequence[Call] | None = None,
        n_last: int = 0,
    ) -> None:
        self.program, self.values = program, program.values
        self.names: dict[str, Any] = {"asarray": np.asarray, "copyto": np.copyto}
        self.static: dict[int, Any] = {}  # what is known before the program runs
        self._later: dict[int, slice | Call] = {}  # what of it is in buffers: a place, or a view
        self.local: dict[int, str] = {}  # the variables of what is not
        self.lines: list[str] = []
        self.calls_at: dict[tuple[str, int], Call] = {}
        self.buffers = Buffers()
        self._places: dict[int, slice] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self.path = f"<tinytorch.compile {next(_numbers)}>"
        self.outputs = outputs
        self._into = set(into)
        self._ahead: dict[int, int] = {}  # values in memory that is there for a later one of `into`
        for slot in (*inputs, *into):
            self.local[slot] = f"x{slot}"
        written = {slot for call in program.calls for slot in call.written}
        self._begin_static({self.values[slot].root for slot in (*written, *outputs)})
        self._write(program.calls if calls is None else calls, n_last)
        self._make_buffers()
        self.lines.append(f"return ({''.join(f'{self._name(slot)}, ' for slot in outputs)})")
        parameters = ", ".join(self.local[slot] for slot in (*inputs, *into))
        self.text = f"def run({parameters}):\n    " + "\n    ".join(self.lines) + "\n"
        written_lines = self.text.splitlines(keepends=True)
        linecache.cache[self.path] = len(self.text), None, written_lines, self.path
        exec(compile(self.text, self.path, "exec"), self.names)  # noqa: S102
        self.run: Callable[..., tuple[Any, ...]] = self.names["run"]

    def call_of(self, error: BaseException) -> Call | None:
        """Give the call that an error was raised in."""
        trace, found = error.__traceback__, None
        while trace is not None:
            at = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            found = self.calls_at.get(at, found)
            trace = trace.tb_next
        return found

    # --- values ---------------------------------------------------------------------------------

    def _begin_static(self, written: set[int]) -> None:
        for value in self.values:
            if is_array(value.source):
                self.static[value.slot] = value.source
            elif isinstance(value.source, Constant):
                if value.root in written:
                    self.local[value.slot] = f"x{value.slot}"
                    content = self._object(value.source.content)
                    self.lines.append(f"x{value.slot} = {content}.copy()")
                else:
                    self.static[value.slot] = value.source.content

    def _name(self, slot: int) -> str:
        if slot in self.local:
            return self.local[slot]
        name = f"s{slot}"
        self.names[name] = self.static.get(slot)
        return name

    def _make_buffers(self) -> None:
        """Make what lies in the buffers, whose size is known now."""
        memory = self._memory()
        for slot, later in self._later.items():
            if isinstance(later, slice):
                self.static[slot] = empty(self.values[slot], memory[later])
            else:
                plain = map_parts(self._now, (later.args, later.kwargs))
                self.static[slot] = made(later.function, *plain)
            if f"s{slot}" in self.names:
                self.names[f"s{slot}"] = self.static[slot]

    def _memory(self) -> Any:
        return self.buffers.memory()

    def _object(self, x: Any) -> str:
        """Write something that is the same in each run."""
        if x is None or type(x) in (bool, int, str):
            return repr(x)
        if type(x) is tuple:
            return f"({''.join(f'{self._object(part)}, ' for part in x)})"
        key = id(x), type(x)
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"k{len(self._constants)}"
            self.names[name] = x  # which also keeps it alive, and its id its own
        return name

    def _text(self, tree: Any) -> str:
        """Write an argument of a call."""
        kind = type(tree)
        if kind is Ref:
            return self._name(tree.slot)
        if kind is tuple:
            return f"({''.join(f'{self._text(part)}, ' for part in tree)})"
        if kind is list:
            return f"[{', '.join(map(self._text, tree))}]"
        if kind is slice:
            return (
                f"slice({self._text(tree.start)}, {self._text(tree.stop)}, {self._text(tree.step)})"
            )
        return self._object(tree)

    # --- calls ----------------------------------------------------------------------------------

    def _write(self, calls: Sequence[Call], n_last: int) -> None:
        values = self.values
        kept = {values[slot].root for slot in self.outputs}
        last = last_uses(calls, values, kept)
        if self._into:
            self._look_ahead(calls, last)
        dying: dict[int, list[int]] = {}
        for root, i in last.items():
            dying.setdefault(i, []).append(root)
        for i, call in enumerate(calls[: len(calls) - n_last]):
            ends, over = dying.get(i, ()), None
            if is_elementwise(call) and len(call.outs) == 1:
                # It may write over an operand that is of no more use.
                out = values[call.outs[0]]
                over = next((root for root in ends if self._fits(values[root], out)), None)
            self._write_call(call, kept, over)
            for root in ends:
                if root in self._places:
                    self.buffers.give_back(self._places.pop(root))
        if n_last:
            self._write_together(calls[-n_last:])

    def _look_ahead(self, calls: Sequence[Call], last: dict[int, int]) -> None:
        """Let what ends in an array of the caller's be computed there all along."""
        made = {slot for call in calls for slot in call.outs}
        for i, call in reversed(list(enumerate(calls))):
            if not is_elementwise(call) or len(call.outs) != 1:
                continue
            out = call.outs[0]
            place = out if out in self._into else self._ahead.get(out, -1)
            for x in call.inputs() if place >= 0 else ():
                value = self.values[x]
                ends = value.root == x in made and x not in self._into and last[x] == i
                if ends and _alike(value, self.values[out]):
                    self._ahead[x] = place
                    break

    def _write_together(self, calls: Sequence[Call]) -> None:
        """Write calls as one of C's, which no interrupt gets into."""
        columns: list[list[str]] = [[], [], [], []]
        for call in calls:
            texts = [self._operand(x) for x in (*call.args, *call.kwargs["out"])]
            for column, text in zip(columns, (self._object(call.function), *texts), strict=True):
                column.append(text)
        lists = ", ".join(f"({', '.join(column)},)" for column in columns)
        self.names |= {"deque": deque, "call": operator.call}
        self._statement(calls[0], f"deque(map(call, {lists}), 0)")

    def _fits(self, x: Any, out: Any) -> bool:
        return x.slot in self._places and _alike(x, out)

    def _write_call(self, call: Call, kept: set[int], over: int | None) -> None:
        if isinstance(call.function, Into):
            self._write_run(call, kept)
        elif self._is_static_view(call):
            self._later[call.outs[0]] = call
        else:
            form = self._form_with_out(call, kept, over)
            if form is not None:
                self._statement(call, self._expression(*form))
            else:
                self._write_assignment(call)

    def _write_run(self, call: Call, kept: set[int]) -> None:
        for slot in call.outs:
            if not self._have_memory(slot, kept):
                self.lines.append(f"x{slot} = {self._empty(self.values[slot])}")
                self.local[slot] = f"x{slot}"
        self.calls_at |= call.function.calls_at  # type: ignore[attr-defined]
        operands = *call.args, *map(Ref, call.outs)
        self._statement(call, self._expression(call.function, operands, {}))

    def _empty(self, value: Value) -> str:
        return f"{self._object(empty)}({self._object(value)})"

    def _form_with_out(self, call: Call, kept: set[int], over: int | None) -> Any:
        """Write a call so that its result goes into an array that is there; None if it can't."""
        if call.kwargs.get("out") is not None:
            out = call.kwargs["out"][0] if type(call.kwargs["out"]) is tuple else call.kwargs["out"]
            rest = {key: x for key, x in call.kwargs.items() if key != "out"}
            return arguments_with_out(replace(call, kwargs=rest), out)
        if len(call.outs) != 1 or call.written or self.values[call.outs[0]].root != call.outs[0]:
            return None
        form = arguments_with_out(call, Ref(call.outs[0]))
        return form if form is not None and self._have_memory(call.outs[0], kept, over) else None

    def _write_assignment(self, call: Call) -> None:
        expression = self._expression(call.function, call.args, call.kwargs)
        if self._into.intersection(call.outs):
            self._statement(call, f"copyto({self._name(call.outs[0])}, {expression})")
            return
        if len(call.outs) == 1:
            out = self.values[call.outs[0]]
            if not (out.shape or out.scalar or out.on_gpu):
                expression = f"asarray({expression})"  # where NumPy gives a number
        for slot in call.outs:
            self.local[slot] = f"x{slot}"
        target = call.target([self.local[slot] for slot in call.outs])
        self._statement(call, f"{target} = {expression}" if target else expression)

    def _have_memory(self, slot: int, kept: set[int], over: int | None = None) -> bool:
        """Find an array for the result to be written into, if it is good to have one."""
        value = self.values[slot]
        if slot in self._into:
            return True
        if slot in self._ahead:
            self.local[slot] = self.local[self._ahead[slot]]
            return True
        if slot in kept:
            if not is_large(value) or dense_order(value) is None:
                return False
            self.local[slot] = f"x{slot}"
            self.lines.append(f"x{slot} = {self._object(Results(value))}()")
            return True
        if not value.scalar and dense_order(value) is None:
            return False
        place = self.buffers.take(value) if over is None else self._places.pop(over)
        self._places[slot] = self._later[slot] = place
        return True

    def _is_static_view(self, call: Call) -> bool:
        if call.function not in VIEWS or call.written or len(call.outs) != 1:
            return False
        inputs = call.inputs()
        slot = call.outs[0]
        return (
            len(inputs) == 1 and (inputs[0] in self.static or inputs[0] in self._later)
            and self.values[slot].root == self.values[inputs[0]].root
        )  # fmt: skip

    def _now(self, x: Any) -> Any:
        return self.static[x.slot] if type(x) is Ref else x

    def _expression(self, function: Any, args: Any, kwargs: Any) -> str:
        parts = [self._operand(x) for x in args]
        parts += [f"{key}={self._text(x)}" for key, x in kwargs.items()]
        return f"{self._object(function)}({', '.join(parts)})"

    def _operand(self, x: Any) -> str:
        # To a ufunc an array of no axes is twice as fast as a number.
        if isinstance(x, np.generic):
            key = x.dtype, x.tobytes(), "number"
            if key not in self._constants:
                self._constants[key] = f"k{len(self._constants)}"
                self.names[self._constants[key]] = np.asarray(x)
            return self._constants[key]
        return self._text(x)

    def _statement(self, call: Call, text: str) -> None:
        if call.errstate is not None:
            self.lines.append(f"with {self._object(np.errstate)}(**{self._object(call.errstate)}):")
            text = f"    {text}"
        self.lines.append(text)
        self.calls_at[self.path, len(self.lines) + 1] = call


def _alike(x: Value, y: Value) -> bool:
    return (x.shape, x.dtype.itemsize, x.strides) == (y.shape, y.dtype.itemsize, y.strides)
