"""A program, ready to run: as Python code of one NumPy call a line, with the arrays it writes into.

Whatever can be known before the program runs is an object that the code names: the arrays found
outside, buffers, views of them, numbers. What is different in each run is a local variable.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from tinytorch.arrays.recorder import map_parts
from tinytorch.compiler.program import Call, Constant, Program, Ref
from tinytorch.compiler.storage import (
    VIEWS,
    Buffers,
    arguments_with_out,
    empty,
    is_elementwise,
    last_uses,
)

# A result of more bytes goes into the memory that the one before had, if nobody else looks at it.
_LARGE = 1 << 16
_numbers = count(1)


class Executable:
    """A program as Python code. `run(*inputs)` gives the values of `outputs`, in a tuple."""

    def __init__(self, program: Program, outputs: Sequence[int], inputs: Sequence[int]) -> None:
        self.program, self.values = program, program.values
        self.names: dict[str, Any] = {
            "empty": empty,
            "references": sys.getrefcount,
            "asarray": np.asarray,
        }
        self.static: dict[int, Any] = {}  # what is known before the program runs
        self.local: dict[int, str] = {}  # the variables of what is not
        self.lines: list[str] = []
        self.calls_at: dict[int, Call] = {}
        self.buffers = Buffers()
        self._pieces: dict[int, Any] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self.outputs = outputs
        for slot in inputs:
            self.local[slot] = f"x{slot}"
        written = {slot for call in program.calls for slot in call.written}
        self._begin_static({self.values[slot].root for slot in (*written, *outputs)})
        self._write(program.calls)
        self.lines.append("return " + "".join(f"{self._name(slot)}, " for slot in outputs) or "()")
        parameters = ", ".join(self.local[slot] for slot in inputs)
        self.text = f"def run({parameters}):\n    " + "\n    ".join(self.lines) + "\n"
        path = f"<tinytorch.compile {next(_numbers)}>"
        linecache.cache[path] = len(self.text), None, self.text.splitlines(keepends=True), path
        exec(compile(self.text, path, "exec"), self.names)  # noqa: S102
        self.path = path
        self.run: Callable[..., tuple[Any, ...]] = self.names["run"]

    def call_of(self, error: BaseException) -> Call | None:
        """Give the call that an error was raised in."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.path:
                return self.calls_at.get(trace.tb_lineno)
            trace = trace.tb_next
        return None

    # --- values ---------------------------------------------------------------------------------

    def _begin_static(self, written: set[int]) -> None:
        for value in self.values:
            if isinstance(value.source, np.ndarray):
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
        self.names[name] = self.static[slot]
        return name

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

    def _write(self, calls: list[Call]) -> None:
        values = self.values
        kept = {values[slot].root for slot in self.outputs}
        last = last_uses(calls, values, kept)
        dying: dict[int, list[int]] = {}
        for root, i in last.items():
            dying.setdefault(i, []).append(root)
        self.lines.append("pass")
        for i, call in enumerate(calls):
            ends = dying.get(i, ())
            if is_elementwise(call) and len(call.outs) == 1:
                # It may write over an operand that is of no more use.
                alike = [root for root in ends if self._fits(values[root], values[call.outs[0]])]
                self._free(alike)
                ends = [root for root in ends if root not in alike]
            self._write_call(call, kept)
            self._free(ends)

    def _fits(self, x: Any, out: Any) -> bool:
        return x.slot in self._pieces and (x.shape, x.dtype, x.strides) == (
            out.shape, out.dtype, out.strides,
        )  # fmt: skip

    def _free(self, roots: Sequence[int]) -> None:
        for root in roots:
            if root in self._pieces:
                self.buffers.give_back(self._pieces.pop(root))

    def _write_call(self, call: Call, kept: set[int]) -> None:
        values = self.values
        if self._is_static_view(call):
            plain = map_parts(self._now, (call.args, call.kwargs))
            self.static[call.outs[0]] = call.function(*plain[0], **plain[1])
            return
        function, args, kwargs = call.function, call.args, call.kwargs
        if kwargs.get("out") is not None:
            out = kwargs["out"][0] if type(kwargs["out"]) is tuple else kwargs["out"]
            rest = {key: x for key, x in kwargs.items() if key != "out"}
            plain_call = Call(function, args, rest, [], [], call.line, call.part)
            form = arguments_with_out(plain_call, out)
            if form is not None:
                self._statement(call, self._expression(*form))
                return
        if len(call.outs) == 1 and not call.written:
            slot = call.outs[0]
            value = values[slot]
            form = arguments_with_out(call, Ref(slot)) if value.root == slot else None
            if form is not None and self._have_memory(slot, kept):
                self._statement(call, self._expression(*form))
                return
        expression = self._expression(function, args, kwargs)
        if len(call.outs) == 1:
            out = values[call.outs[0]]
            if not out.shape and not out.scalar:
                expression = f"asarray({expression})"  # where NumPy gives a number
        for slot in call.outs:
            self.local[slot] = f"x{slot}"
        target = call.target([self.local[slot] for slot in call.outs])
        self._statement(call, f"{target} = {expression}" if target else expression)

    def _have_memory(self, slot: int, kept: set[int]) -> bool:
        """Find an array for the result to be written into, if it is good to have one."""
        value = self.values[slot]
        if slot in kept:
            return False
        array, piece = self.buffers.take(value)
        if array is None:
            self.buffers.give_back(piece)
            return False
        self.static[slot], self._pieces[slot] = array, piece
        return True

    def _is_static_view(self, call: Call) -> bool:
        if call.function not in VIEWS or call.written or len(call.outs) != 1:
            return False
        inputs = call.inputs()
        slot = call.outs[0]
        return (
            len(inputs) == 1 and inputs[0] in self.static
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
        self.calls_at[len(self.lines) + 1] = call
