"""The tape: what a function did in one run, as a list of calls and of the arrays in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.recorder import METHODS, Recorder, is_array, made, map_parts, on_gpu, plainly
from tinytorch.arrays.user_lines import Line, refuse, user_line
from tinytorch.compiler.environment import Place
from tinytorch.compiler.program import (
    Argument,
    Call,
    Program,
    Ref,
    Value,
    owner_of,
    place_of,
    same,
)
from tinytorch.compiler.storage import VIEWS
from tinytorch.engine import Array, Node

_MEMORY = METHODS | VIEWS
_RECORDED = np.ndarray, np.generic, bool, int, float
_GRAD = Node.__dict__["_grad"]


def recorder_of(value: Any) -> type[Recorder]:
    """Give the class of the recorder that holds `value`."""
    if not on_gpu(value):
        return Recorder
    from tinytorch.arrays.cupy_recorder import CupyRecorder

    return CupyRecorder


def _only_counts(function: Any) -> bool:
    """Say whether an int among the operands can't be the size or the place of anything."""
    return isinstance(function, np.ufunc) or (
        getattr(function, "__module__", "") == "_operator" and function not in _MEMORY
    )


class Tape:
    """The calls that one run of a function makes, and the arrays that it found and made."""

    def __init__(self, home: Line) -> None:
        self.home = home
        self.calls: list[Call] = []
        self.values: list[Value] = []
        self.outside: dict[Any, Recorder] = {}  # the recorders of what comes from outside
        self._seen: dict[int, Recorder] = {}  # the same, by the arrays' ids
        self.alive: list[weakref.ref[Recorder]] = []
        self.arguments: dict[int, Argument] = {}  # tensors among the arguments, by id
        self.nodes: dict[int, tuple[weakref.ref[Any], Any]] = {}  # tensors, and what .grad was
        self.before: dict[Any, Array] = {}  # what arrays that are known already held before the run
        self.asked: dict[int, tuple[Any, bool]] = {}  # tensors by id, and whether .grad was None
        self.given: set[int] = set()  # ids of tensors whose .grad was set
        self.decided: dict[str, tuple[Place, bool]] = {}
        self._owners: dict[int, int] = {}  # of arrays from outside: the value that came first
        self._errstate = np.geterr()

    # --- what comes in --------------------------------------------------------------------------

    def enter(self, key: Any, value: Any, source: Any) -> Recorder:
        """Give the recorder of a value from outside; for the same key the same one."""
        found = self.outside.get(key)
        if found is None:
            root = None
            if is_array(value):
                root = self._owners.setdefault(id(owner_of(value)), len(self.values))
            found = self.outside[key] = self._recorder(value, root, source, user_line()[0])
        return found

    def plain(self, array: Array, known: bool = False) -> Recorder:
        """Give the recorder of an array that the function found somewhere; `known` is where."""
        found = self._seen.get(id(array))
        if found is not None:
            return found
        key = place_of(array)
        found = self.outside.get(key)
        if found is None:
            before = self.before.get(key)
            if before is not None and not same(before, array):
                refuse(
                    "something writes into an array, and leaves no record of it",
                    "give the array to the function as an argument",
                )
            found = self.enter(key, array, array)
            value = self.values[found.slot]
            value.content, value.place = None if known else array.copy(), key
        if found.value is array:
            self._seen[id(array)] = found
        return found

    def argument(self, array: Array, source: Argument) -> Recorder:
        """Give the recorder of an array that is an argument."""
        return self.enter(place_of(array), array, source)

    def watch(self, program: Program) -> None:
        """Remember what the arrays hold that another run has found outside."""
        for value in program.values:
            if is_array(value.source) and value.content is not None:
                self.before[value.place] = value.source.copy()

    def may_decide(self, slot: int, answer: bool) -> bool:
        """Say whether something may hang on the truth of a number: of one outside, as a rate."""
        source = self.values[slot].source
        if not isinstance(source, Place) or self.values[slot].shape:
            return False
        self.decided[source.name] = source, answer
        return True

    def forget(self) -> None:
        """Let the recorders of what came from outside go."""
        self.outside.clear()
        self._seen.clear()

    def touched(self, node: Any) -> Any:
        """Note that a tensor from outside is used, and give what its gradient was at first."""
        found = self.nodes.get(id(node))
        if found is None or found[0]() is not node:
            found = self.nodes[id(node)] = (weakref.ref(node), _GRAD.__get__(node))
        return found[1]

    def _recorder(
        self, value: Any, root: int | None, source: Any = None, line: Any = None
    ) -> Recorder:
        slot = len(self.values)
        self.values.append(Value.of(value, slot, slot if root is None else root, source, line))
        recorder = recorder_of(value)(value, slot, self)
        self.alive.append(weakref.ref(recorder))
        return recorder

    # --- calls ----------------------------------------------------------------------------------

    def call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        written: tuple[Any, ...] = (),
    ) -> Any:
        """Make a call, and write it down."""
        if args and function in _MEMORY and isinstance(plainly(args[0]), np.generic):
            # A view of a number has memory of its own.
            args = (self.call(np.array, args[:1], {}), *args[1:])
        line, backward = user_line()
        operands: list[Recorder] = []

        def ref(x: Any) -> Any:
            return self._ref(x, operands)

        refs = map_parts(ref, args), map_parts(ref, kwargs) if kwargs else {}
        changed = [ref(x).slot for x in written] if written else []
        if any(type(x.value) is int for x in operands) and not _only_counts(function):
            refuse("a value is used as an index or a size", "give few different ones", line)
        plain = map_parts(plainly, args), map_parts(plainly, kwargs) if kwargs else {}
        result = made(function, *plain)
        errstate: Any = np.geterr()
        call = Call(
            function, refs[0], refs[1], [], changed, line, "backward" if backward else "",
            None if errstate == self._errstate else errstate, isinstance(result, tuple | list),
        )  # fmt: skip
        self.calls.append(call)

        def wrap(part: Any) -> Any:
            if not isinstance(part, _RECORDED) and not on_gpu(part):
                return part
            for x in written:
                if part is plainly(x):
                    return x
            root = None
            # CuPy gives here and there the operand itself.
            if on_gpu(part) or (type(part) is np.ndarray and part.base is not None):
                owner = owner_of(part)
                same = (x for x in operands if owner_of(x.value) is owner)
                root = next((self.values[x.slot].root for x in same), None)
            recorder = self._recorder(part, root, line=line)
            call.outs.append(recorder.slot)
            return recorder

        return map_parts(wrap, result) if call.sequence else wrap(result)

    def _ref(self, x: Any, operands: list[Recorder]) -> Any:
        """Give what stands for an operand in a call, and note it."""
        kind = type(x)
        if kind is np.ndarray:
            if not x.ndim and not x.flags.writeable and x.base is None:
                return x[()]  # a number that operations share
            x = self.plain(x)
        elif on_gpu(x):
            x = self.plain(x)
        elif not isinstance(x, Recorder):
            return x
        operands.append(x)
        return Ref(x.slot)
