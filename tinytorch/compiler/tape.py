"""The tape: what a function did in one run, as a list of calls and of the arrays in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Container
from typing import Any

import numpy as np

from tinytorch.arrays.operators import plainly
from tinytorch.arrays.parts import ATOMS, METHODS, is_array, made, map_parts, on_gpu
from tinytorch.arrays.recorder import NOT_HELD, Recorder
from tinytorch.arrays.scattered import whole
from tinytorch.arrays.user_lines import Line, refuse, user_line
from tinytorch.arrays.warned import WarningsAtUsersLine, at_users_line
from tinytorch.compiler.environment import Place
from tinytorch.compiler.program import (
    Argument,
    Call,
    Program,
    Ref,
    Value,
    equal,
    owner_of,
    place_of,
    same,
)
from tinytorch.compiler.storage import VIEWS
from tinytorch.engine import Array, Node

_MEMORY = METHODS | VIEWS
_RECORDED = np.ndarray, np.generic, bool, int, float
_UNSEEN = (
    "something writes into an array, and leaves no record of it",
    "give the array to the function as an argument",
)
_GRAD = Node.__dict__["_grad"]


def recorder_of(value: Any) -> type[Recorder]:
    """Give the class of the recorder that holds `value`."""
    if not on_gpu(value):
        return Recorder
    from tinytorch.arrays.cupy_recorder import CupyRecorder

    return CupyRecorder


def _once(compute: Callable[..., Any], *args: Any) -> Any:
    """Call `compute`, which can't be done twice, and give its warnings at the user's line."""
    with WarningsAtUsersLine():
        return compute(*args)


def _only_counts(function: Any) -> bool:
    """Say whether an int among the operands can't be the size or the place of anything."""
    return isinstance(function, np.ufunc) or (
        getattr(function, "__module__", "") == "_operator" and function not in _MEMORY
    )


class Tape:
    """The calls that one run of a function makes, and the arrays that it found and made."""

    def __init__(
        self, home: Line, before: Program | None, held: Container[int] = frozenset()
    ) -> None:
        self.home = home
        self._before = before  # the program that another run was, if there was one
        self.calls: list[Call] = []
        self.values: list[Value] = []
        self.outside: dict[Any, Recorder] = {}  # the recorders of what comes from outside
        self._seen: dict[int, Recorder] = {}  # the same, by the arrays' ids
        self.alive: list[weakref.ref[Recorder]] = []
        self.arguments: dict[int, Argument] = {}  # tensors among the arguments, by id
        self.nodes: dict[int, tuple[weakref.ref[Any], Any]] = {}  # tensors, and what .grad was
        self._contents: dict[Any, Array] = {}  # what arrays known from it held before this run
        for value in before.values if before else ():
            if isinstance(value.source, np.ndarray) and value.content is not None:
                self._contents[value.place] = value.source.copy()
        self.asked: dict[int, tuple[Any, bool]] = {}  # tensors by id, and whether .grad was None
        self.given: set[int] = set()  # ids of tensors whose .grad was set
        self.decided: dict[str, tuple[Place, bool]] = {}
        self._owners: dict[int, int] = {}  # of arrays from outside: the value that came first
        self._held = held  # ids of the owners of what the function finds, or is given
        self._last_seen: dict[int, Array] = {}  # by slot, what an array held that came as it is
        self._operands: list[Recorder] = []  # of the call that is being made
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
            before = self._contents.get(key)
            if before is not None and not same(before, array):
                refuse(*_UNSEEN)
            found = self.enter(key, array, array)
            value = self.values[found.slot]
            value.content, value.place = None if known else array.copy(), key
        if found.value is array:
            self._seen[id(array)] = found
        return found

    def met(self, array: Array) -> Recorder:
        """Give the recorder of an array that came as it is, and not as a recorder.

        What is written into it meanwhile, and by no recorder, would be left out of the program.
        """
        found = self.plain(array)
        seen = self._last_seen.get(found.slot)
        if seen is None:
            content = self.values[found.slot].content
            self._last_seen[found.slot] = array.copy() if content is None else content
        elif not same(seen, array):
            refuse(*_UNSEEN)
        return found

    def taken_over(self, array: Any) -> Any:
        """Give the recorder of an array that only the call has which writes into it: `x += y`."""
        return array if self._is_held(array) or array.base is not None else self.met(array)

    def _is_held(self, array: Any) -> bool:
        return id(owner_of(array)) in self._held

    def argument(self, array: Array, source: Argument) -> Recorder:
        """Give the recorder of an array that is an argument."""
        return self.enter(place_of(array), array, source)

    def may_decide(self, slot: int, answer: bool) -> bool:
        """Say whether something may hang on the truth of a number: of one outside, as a rate."""
        source = self.values[slot].source
        if not isinstance(source, Place) or self.values[slot].shape:
            return False
        self.decided[source.name] = source, answer
        return True

    def forget(self) -> None:
        """Let the recorders go."""
        self._operands = []
        self.outside.clear()
        self._seen.clear()

    def touched(self, node: Any) -> Any:
        """Note that a tensor from outside is used, and give what its gradient was at first."""
        found = self.nodes.get(id(node))
        if found is None or found[0]() is not node:
            found = self.nodes[id(node)] = (weakref.ref(node), whole(_GRAD.__get__(node)))
        return found[1]

    def _recorder(
        self, value: Any, root: int | None, source: Any = None, line: Any = None
    ) -> Recorder:
        slot = len(self.values)
        root, known = slot if root is None else root, None
        if source is None and self._before is not None and slot < len(self._before.values):
            known = self._before.values[slot]
        if known is None or not known.describes(value, root):
            known = Value.of(value, slot, root, source, line)
        self.values.append(known)
        recorder = recorder_of(value)(value, Ref(slot), self)
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
        operands = self._operands = []
        refs = tuple([self._ref(x) if type(x) in ATOMS else map_parts(self._ref, x) for x in args])
        options = map_parts(self._ref, kwargs) if kwargs else kwargs
        changed = [self._slot_written(x) for x in written] if written else []
        if not _only_counts(function) and any(type(x.value) is int for x in operands):
            refuse("a value is used as an index or a size", "give few different ones")
        plain = [x.value if type(x) is Recorder else map_parts(plainly, x) for x in args]
        named = map_parts(plainly, kwargs) if kwargs else kwargs
        make = _once if written else at_users_line
        result = make(made, function, plain, named)
        if changed:
            self._note_written({self.values[slot].root for slot in changed})
        errstate = self._errors()
        before = self._as_before(function, refs, options, changed, errstate)
        line, part = (before.line, before.part) if before else user_line()
        outs: list[int] = []

        def wrap(part: Any) -> Any:
            if not isinstance(part, _RECORDED) and not on_gpu(part):
                return part
            for x in written:
                if part is plainly(x):
                    return x
            root = None
            if is_array(part):  # which may be an operand, as np.real of real numbers is
                owner = part if part.base is None else owner_of(part)
                same = (
                    x
                    for x in operands
                    if (x.value if owner is part else owner_of(x.value)) is owner
                )
                root = next((self.values[x.slot].root for x in same), None)
            recorder = self._recorder(part, root, line=line)
            outs.append(recorder.slot)
            return recorder

        sequence = isinstance(result, tuple | list)
        result = map_parts(wrap, result) if sequence else wrap(result)
        if before is None or before.outs != outs or before.sequence != sequence:
            before = Call(function, refs, options, outs, changed, line, part, errstate, sequence)
        self.calls.append(before)
        return result

    def _slot_written(self, array: Any) -> int:
        """Give the slot of an array that is written to."""
        if type(array) is np.ndarray and not self._is_held(array):
            refuse(*NOT_HELD)  # who has it would read from it, and leave no record
        slot: int = self._ref(array).slot
        return slot

    def _note_written(self, roots: Container[int]) -> None:
        """See again what the arrays hold in which a call has written."""
        for recorder in self.outside.values():
            slot = recorder.slot
            if slot in self._last_seen and self.values[slot].root in roots:
                self._last_seen[slot] = recorder.value.copy()

    def _errors(self) -> Any:
        """Say how the function wants errors to be treated, if not as its caller does.

        That an optimiser collects warnings is to give them a line, which those of a program have.
        """
        errstate: Any = np.geterr()
        as_ever = errstate == self._errstate or type(np.geterrcall()) is WarningsAtUsersLine
        return None if as_ever else errstate

    def _as_before(
        self, function: Any, refs: Any, options: Any, changed: list[int], errstate: Any
    ) -> Call | None:
        """Give the call that the run before made here, if it is the same one."""
        i = len(self.calls)
        if self._before is None or i >= len(self._before.calls):
            return None
        call = self._before.calls[i]
        alike = (call.function, call.written, call.errstate) == (function, changed, errstate)
        return call if alike and equal((call.args, call.kwargs), (refs, options)) else None

    def _ref(self, x: Any) -> Any:
        """Give what stands for an operand in a call, and note it."""
        kind = type(x)
        if kind is np.ndarray:
            if not x.ndim and not x.flags.writeable and x.base is None:
                return x[()]  # a number that operations share
            x = self.met(x)
        elif not isinstance(x, Recorder):
            if not on_gpu(x):
                return x
            x = self.plain(x)
        self._operands.append(x)
        return x.ref
