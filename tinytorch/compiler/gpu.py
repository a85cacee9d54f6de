"""A program of CuPy's arrays, ready to run: each call by CuPy's own function."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.parts import METHODS
from tinytorch.compiler.execute import Executable
from tinytorch.compiler.program import Call, Ref, Value
from tinytorch.compiler.storage import dense_order, is_elementwise

# They take an array to write into, as their parameter `out`.
_REDUCTIONS = {np.ndarray.sum, np.ndarray.prod, np.ndarray.max, np.ndarray.min}


def word(function: Any) -> Any:
    """Give CuPy's function for NumPy's; what CuPy does under no such name stays as it is.

    >>> word(abs)
    <built-in function abs>
    """
    home, _, module = (getattr(function, "__module__", None) or "").partition(".")
    if isinstance(function, np.ufunc) or home == "numpy":
        found: Any = import_module("cupy")
        for name in (*module.split("."), function.__name__) if module else (function.__name__,):
            found = getattr(found, name, None)
        return found or function
    return function


class OnGpu(Executable):
    """The same, where CuPy computes; what it computes of no array of CuPy's, NumPy does.

    Results are new arrays each time, whose memory CuPy keeps for the next ones.
    """

    def _is_there(self, call: Call) -> bool:
        return any(self.values[slot].on_gpu for slot in (*call.inputs(), *call.outs))

    def _memory(self) -> Any:
        return import_module("cupy").empty(self.buffers.total, np.uint8)

    def _have_memory(self, slot: int, kept: set[int], over: int | None = None) -> bool:
        return slot not in kept and super()._have_memory(slot, kept, over)

    def _empty(self, value: Value) -> str:
        if dense_order(value) != [*range(len(value.shape))]:
            return super()._empty(value)
        made = self._object(import_module("cupy").empty)
        return f"{made}({self._object(value.shape)}, {self._object(value.dtype)})"

    def _form_with_out(self, call: Call, kept: set[int], over: int | None) -> Any:
        if not self._is_there(call) or call.written or len(call.outs) != 1:
            return None
        out, function = self.values[call.outs[0]], call.function
        if not out.on_gpu or out.root != out.slot:
            return None
        if is_elementwise(call):
            takes = isinstance(word(function), import_module("cupy").ufunc) and not call.kwargs
        elif function in (np.dot, np.matmul):
            function = np.dot
            takes = all(len(self.values[slot].shape) == 2 for slot in call.inputs())
        else:
            takes = function in _REDUCTIONS and call.kwargs.get("out") is None
        if not takes or not self._have_memory(out.slot, kept, over):
            return None
        return function, call.args, {**call.kwargs, "out": Ref(out.slot)}

    def _expression(self, function: Any, args: Any, kwargs: Any) -> str:
        if function in METHODS and self._is_array(args[0]):
            parts = [self._text(x) for x in args[1:]]
            parts += [f"{key}={self._text(x)}" for key, x in kwargs.items()]
            return f"{self._text(args[0])}.{function.__name__}({', '.join(parts)})"
        there = any(map(self._is_array, args))
        return super()._expression(word(function) if there else function, args, kwargs)

    def _is_array(self, x: Any) -> bool:
        if type(x) in (tuple, list):
            return any(map(self._is_array, x))
        return type(x) is Ref and self.values[x.slot].on_gpu

    def _operand(self, x: Any) -> str:
        return self._text(x)  # numbers stay numbers, which go along with a kernel's arguments
