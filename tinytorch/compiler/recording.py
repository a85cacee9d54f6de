"""To record: run a function once on recorders, and make a program of what the tape has then."""

from __future__ import annotations

import gc
import inspect
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tinytorch.arrays.batch import Batch
from tinytorch.arrays.parts import is_array, map_parts, on_gpu
from tinytorch.arrays.recorder import Recorder
from tinytorch.arrays.scattered import whole
from tinytorch.arrays.user_lines import Line, current, enters, refuse, tapes, user_line
from tinytorch.compiler.environment import Environment, Place, line_about
from tinytorch.compiler.program import (
    Argument,
    Gradient,
    Program,
    Ref,
    owner_of,
)
from tinytorch.compiler.stand_ins import UNSEEN, stand_in
from tinytorch.compiler.tape import Tape
from tinytorch.engine import Node
from tinytorch.gradients import forget_graph

# --- tensors, while a function that is being recorded looks at them -------------------------------

_DATA, _GRAD = Node.__dict__["_value"], Node.__dict__["_grad"]
_installing = threading.Lock()


def _data_of(node: Any) -> Any:
    value = _DATA.__get__(node)
    if isinstance(value, Recorder) or (tape := current()) is None or not is_array(value):
        return value
    recorder = tape.plain(value)
    tape.touched(node)
    described = tape.values[recorder.slot]
    if described.node is None:
        described.node = node
    return recorder


def _grad_of(node: Any) -> Any:
    value, tape = whole(_GRAD.__get__(node)), current()
    if tape is None or isinstance(value, Recorder):
        return value
    if id(node) not in tape.given and not isinstance(_DATA.__get__(node), Recorder):
        tape.asked.setdefault(id(node), (node, value is None))
    if value is None:
        return None
    if not isinstance(_DATA.__get__(node), Recorder) and value is tape.touched(node):
        key = tape.arguments.get(id(node), node)
        return tape.enter(("gradient", id(node)), arrayed(value), Gradient(key))
    return tape.plain(arrayed(value))


def _set_grad(node: Any, value: Any) -> None:
    data = _DATA.__get__(node)
    if isinstance(data, Recorder):
        if isinstance(value, Recorder):
            value.tape.values[value.slot].gradient_of = data.slot
    # A tensor inside vmap comes from the function itself.
    elif (tape := current()) is not None and not isinstance(data, Batch):
        with suppress(AttributeError):  # one that is being made has no gradient yet
            tape.touched(node)
        tape.given.add(id(node))
    _GRAD.__set__(node, as_array(value))


def _set_data(node: Any, value: Any) -> None:
    _DATA.__set__(node, as_array(value))


_NUMPYS = np.ndarray, np.generic, float, int


def arrayed(x: Any) -> Any:
    """Give an array of what NumPy gives for no axes; CuPy gives arrays."""
    return np.asarray(x) if isinstance(x, _NUMPYS) else x


def as_array(x: Any) -> Any:
    """Let a recorder hold an array where its value is a number of NumPy's, as tensors do."""
    if isinstance(x, Recorder) and isinstance(x.value, np.generic):
        x.value = np.asarray(x.value)
        x.tape.values[x.slot].scalar = False
    return x


@contextmanager
def _recording(tape: Tape) -> Iterator[None]:
    """Let this thread see recorders where tensors hold arrays."""
    thread = threading.get_ident()
    with _installing:
        if not tapes:
            Node._value = property(_data_of, _set_data)  # type: ignore[assignment]
            Node._grad = property(_grad_of, _set_grad)
            for namespace, name, refusing in UNSEEN:
                _seen.append(namespace[name])
                namespace[name] = refusing
        tapes[thread] = tape
    try:
        yield
    finally:
        with _installing:
            del tapes[thread]
            if not tapes:
                Node._value, Node._grad = _DATA, _GRAD
                for (namespace, name, _), function in zip(UNSEEN, _seen, strict=True):
                    namespace[name] = function
                _seen.clear()


_seen: list[Any] = []  # what stands in their places otherwise


@contextmanager
def _swapped(place: Place, value: Any, now: Any) -> Iterator[None]:
    """Put `now` in the place of `value`, until the block ends or something else is put there."""
    with suppress(TypeError, AttributeError):  # it can't be, and is met in the calls
        place.write(now)
    try:
        yield
    finally:
        if place.read() is now:
            place.write(value)


def _with_parts(whole: Any, parts: dict[tuple[int, Any], Any]) -> Any:
    """Give a tuple with other parts, which are told by its id and their numbers."""
    if not isinstance(whole, tuple):
        return whole
    now = [parts.get((id(whole), i), _with_parts(x, parts)) for i, x in enumerate(whole)]
    if all(x is y for x, y in zip(whole, now, strict=True)):
        return whole
    return type(whole)._make(now) if hasattr(whole, "_make") else tuple(now)


# --- results --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A tensor among the results: a new one, or one that was there before."""

    data: Ref
    label: str | None
    requires_grad: bool
    computed: bool  # by operations, which a gradient would have to go back through
    kind: type
    node: Any = field(compare=False)  # an Argument, the tensor itself, or None for a new one

    def tensor(self, data: Any) -> Any:
        """Make the tensor, of what its data are now."""
        node: Any = object.__new__(self.kind)
        node._begin(arrayed(data), self.label, self.requires_grad, None)
        if self.computed and self.requires_grad:
            forget_graph(node, _lost)
        return node


def _lost(*_: Any) -> NoReturn:
    """Be the rule of a result, which has no graph behind it."""
    raise RuntimeError(
        "backward: this tensor comes from a compiled function, which keeps no graph; call backward "
        "inside the function, or compile its gradient: tinytorch.compile(tinytorch.grad(f))"
    )


class Recorded(NamedTuple):
    """What a recorded run gives: the program, and the values of its results."""

    program: Program
    values: dict[int, Any]


def record(
    function: Callable[..., Any],
    leaves: Sequence[Any],
    rebuild: Callable[[Sequence[Any]], tuple[Any, Any]],
    environment: Environment,
    dynamic: set[str],
    varying: Container[int],
    before: Program | None,
) -> Recorded:
    """Run the function, and give the program that it is.

    `leaves` are the arguments' leaves, and `rebuild` puts them, or others, back in their structure.
    What is found in the places `dynamic` becomes an input, and so do ints among the leaves, if they
    have one of the numbers `varying`.
    """
    tape = Tape(_home(function), before, _held(leaves, environment))
    result = _run(tape, function, leaves, rebuild, environment, dynamic, varying)
    return _finish(tape, result, environment)


def _held(leaves: Sequence[Any], environment: Environment) -> set[int]:
    """Name the owners of the memory that the function finds, or is given."""
    given = (x._value if isinstance(x, Node) else x for x in leaves)
    return environment.owners | {id(owner_of(x)) for x in given if is_array(x)}


def _run(
    tape: Tape,
    function: Callable[..., Any],
    leaves: Sequence[Any],
    rebuild: Callable[[Sequence[Any]], tuple[Any, Any]],
    environment: Environment,
    dynamic: set[str],
    varying: Container[int],
) -> list[Any]:
    """Give the function's result, in a list so that nobody else holds on to it."""
    parts: dict[tuple[int, Any], Any] = {}
    with ExitStack() as stack:
        given = [_enter(tape, i, leaf, i in varying) for i, leaf in enumerate(leaves)]
        for place, value, _ in environment.found:
            may_vary = isinstance(value, float | np.inexact | np.ndarray) or on_gpu(value)
            if place.name in dynamic and may_vary:
                now: Any = tape.enter(("place", place.name), value, place)
            else:
                now = stand_in(value, tape)
            if now is not value:
                holder = place.container.read() if place.how == "part" else place.container
                mask = getattr(getattr(value, "dtype", None), "kind", "") == "b"
                if isinstance(holder, tuple):
                    if not mask:  # which would decide a shape
                        parts[id(holder), place.key] = now
                else:
                    stack.enter_context(_swapped(place, value, now))
        for place, value in environment.tuples:
            if (now := _with_parts(value, parts)) is not value:
                stack.enter_context(_swapped(place, value, now))
        stack.enter_context(_recording(tape))
        args, kwargs = rebuild(given)
        return [function(*args, **kwargs)]


enters(_run.__code__)


def _home(function: Any) -> Line:
    """Give the first line of the user's function, which others may be wrapped around."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return user_line()[0] if code is None else Line(code.co_filename, code.co_firstlineno)


def _enter(tape: Tape, i: int, leaf: Any, varies: bool) -> Any:
    if isinstance(leaf, Node):
        tape.arguments[id(leaf)] = Argument(i)
        if is_array(leaf._value):
            tape.argument(leaf._value, Argument(i))
        return leaf
    if is_array(leaf):
        return tape.argument(leaf, Argument(i))
    if type(leaf) is float or isinstance(leaf, np.inexact) or varies:
        return tape.enter(("number", i), leaf, Argument(i))
    return stand_in(leaf, tape)


def _finish(tape: Tape, results: list[Any], environment: Environment) -> Recorded:
    """Take the recorders out of everything that outlives the run."""
    result = results.pop()

    def part(x: Any) -> Any:
        if isinstance(x, Recorder):
            return Ref(x.slot)
        if isinstance(x, Node):
            data = _DATA.__get__(x)
            node = None if isinstance(data, Recorder) else tape.arguments.get(id(x), x)
            slot = (data if isinstance(data, Recorder) else tape.plain(data)).slot
            return _made(x, slot, node)
        return Ref(tape.met(x).slot) if is_array(x) else x

    program = Program(tape.calls, tape.values, map_parts(part, result))
    outside = {id(x) for x in environment.arrays}
    program.conditions = [
        (Place("attribute", x, "_grad", "_grad"), _is_none, none)
        for x, none in tape.asked.values()
        if id(x) in outside
    ]
    program.conditions += [(place, bool, truth) for place, truth in tape.decided.values()]
    values: dict[int, Any] = {}

    def keep(x: Any) -> None:
        x = _DATA.__get__(x) if isinstance(x, Node) else x
        x = tape.plain(x) if is_array(x) else x
        if isinstance(x, Recorder):
            values[x.slot] = x.value

    map_parts(keep, result)
    del result
    _take_gradients(program, tape)
    try:
        _bind_again(program, environment)
    finally:
        tape.forget()
        escaped = _release(tape)
    if escaped is not None:
        refuse(
            "a value computed in the function is kept outside of it, where a program does not put "
            "anything",
            "return it, in tuples, lists and dicts",
            tape.values[escaped].line,
        )
    return Recorded(program, values)


def _is_none(x: Any) -> bool:
    return x is None


def _take_gradients(program: Program, tape: Tape) -> None:
    """Note which tensors from outside have another gradient now."""
    for reference, initial in tape.nodes.values():
        node = reference()
        if node is None:
            continue
        now, key = _GRAD.__get__(node), tape.arguments.get(id(node), node)
        if is_array(now) and now is not initial:
            now = tape.plain(now)
        if isinstance(now, Recorder):
            program.gradients.append((key, now.slot))
            _GRAD.__set__(node, arrayed(now.value))
        elif now is None and initial is not None:
            program.gradients.append((key, None))


def _made(x: Any, slot: int, node: Any) -> Made:
    return Made(Ref(slot), x.label, x.requires_grad, bool(x._children), type(x), node)


def _bind_again(program: Program, environment: Environment) -> None:
    """Note which places outside hold something else now: arrays and tensors can be put back."""
    (_, function), *_ = environment.roots
    for place, _, now in environment.changes():
        data = _DATA.__get__(now) if isinstance(now, Node) else now
        if not isinstance(data, Recorder):
            refuse(
                f"the function changes {place.name}, which a program does not do again",
                "return the new value, or keep it in an array or tensor",
                line_about(function, place.name),
            )
        if isinstance(now, Node):
            made: Any = _made(now, data.slot, None)
            now._begin(arrayed(data.value), now.label, now._requires_grad, None)
        else:
            made = Ref(data.slot)
            place.write(data.value)
        program.rebound.append((place, made))


def _release(tape: Tape) -> int | None:
    """Give the slot of a recorder that something outside holds; tensors get arrays instead."""
    alive = [reference for reference in tape.alive if reference() is not None]
    if alive:
        gc.collect()  # a cycle of the user's
    escaped = [x for x in (reference() for reference in alive) if x is not None]
    for x in escaped:
        for holder in gc.get_referrers(x):
            if isinstance(holder, Node):
                for slot in (_DATA, _GRAD):
                    if slot.__get__(holder) is x:
                        slot.__set__(holder, arrayed(x.value))
    return escaped[0].slot if escaped else None
