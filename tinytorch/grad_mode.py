"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, and transforms.

The mode is kept for each thread and each task. A block that is entered gets a list of its own,
`[recorded?, transforms around]`, and hands it back what was before when it is left. So a block that
ends in another place than it began, as in an asynchronous generator that nobody finishes, leaves
nothing behind.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import get_ident
from typing import Any, Self, TypeVar, overload
from weakref import ref

from tinytorch.engine import Node, recording, topological_order

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class GradMode:
    """A mode of recording, for a block, `with no_grad(): ...`, or a function, `@no_grad()`.

    It nests, and can be used again. A decorated generator computes in the mode, and whoever
    iterates over it doesn't.
    """

    _thread = staticmethod(get_ident)  # which a global isn't any more when the interpreter ends
    # Each thread's blocks that have not been left, and what was before: all may use one mode.
    _entered: defaultdict[int, list[tuple[list[Any], Any]]]

    def __init__(self, mode: bool) -> None:
        self._entered, self.mode = defaultdict(list), bool(mode)

    def __enter__(self) -> Self:
        before, entered = recording.get(), self._entered[self._thread()]
        entered.append(([self.mode, before[1]], before))
        try:
            recording.set(entered[-1][0])
        except BaseException:  # an interrupt: what wasn't entered won't be left
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        here, entered = recording.get(), self._entered[self._thread()]
        mine = [i for i, (block, _) in enumerate(entered) if block is here]
        block, before = entered[mine[-1] if mine else -1]
        block[:] = before  # which is seen wherever the block is the mode
        if mine:
            recording.set(before)
        del entered[mine[-1] if mine else -1]

    def __del__(self) -> None:
        blocks = getattr(self, "_entered", None)
        while blocks and blocks[self._thread()]:  # an interrupt came before __exit__ had begun
            self._leave()

    @overload
    def __call__(self) -> GradMode: ...
    @overload
    def __call__(self, function: FunctionT) -> FunctionT: ...
    def __call__(self, function: Any = None) -> Any:
        """Decorate a function, a generator or a coroutine; without one, give the mode anew."""
        if function is None:
            return GradMode(self.mode)
        decorate = _function
        if inspect.isgeneratorfunction(function):
            decorate = _generator
        elif inspect.isasyncgenfunction(function):
            decorate = _async_generator
        elif inspect.iscoroutinefunction(function):
            decorate = _coroutine
        return functools.wraps(function)(decorate(function, self.mode))


def _function(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with GradMode(mode):
            return function(*args, **kwargs)

    return decorated


def _coroutine(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with GradMode(mode):
            return await function(*args, **kwargs)

    return decorated


def _generator(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Any:
        steps = function(*args, **kwargs)
        context, step, given = copy_context(), steps.send, None
        context.run(recording.set, [mode, recording.get()[1]])
        while True:
            try:
                value = context.run(step, given)
            except StopIteration as stop:
                return stop.value
            try:
                step, given = steps.send, (yield value)
            except BaseException as error:  # noqa: BLE001  (which is the generator's to handle)
                step, given = steps.throw, error

    return decorated


def _async_generator(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        steps = function(*args, **kwargs)
        step, given = steps.asend, None
        while True:
            try:
                with GradMode(mode):
                    value = await step(given)
            except StopAsyncIteration:
                return
            try:
                step, given = steps.asend, (yield value)
            except BaseException as error:  # noqa: BLE001  (which is the generator's to handle)
                step, given = steps.athrow, error

    return decorated


class _SetGradEnabled(GradMode):
    """A mode that holds from here on; as a block or a decorator, in it alone."""

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self._from_here_on = True
        super().__enter__()

    def __enter__(self) -> Self:
        if not self._from_here_on:
            return super().__enter__()
        self._from_here_on = False  # the block has begun already
        return self

    def __call__(self, function: Any = None) -> Any:
        if self._from_here_on:
            self._from_here_on = False
            self._leave()
        return super().__call__(function)

    def __del__(self) -> None:
        if not self._from_here_on:
            super().__del__()


no_grad = GradMode(mode=False)
no_grad.__doc__ = (
    """Record nothing inside the block, `with no_grad(): ...`, or the function, `@no_grad()`."""
)
enable_grad = GradMode(mode=True)
enable_grad.__doc__ = "Record again, inside a block that records nothing."


def set_grad_enabled(mode: bool) -> GradMode:
    """Record operations if `mode` is true: from here on, or as a block, `with`, inside it.

    >>> from tinytorch import Tensor
    >>> with set_grad_enabled(False):
    ...     y = Tensor(1.0) * 2
    >>> y.requires_grad
    False
    """
    return _SetGradEnabled(mode)


def is_grad_enabled() -> bool:
    """Say whether operations are recorded."""
    return bool(recording.get()[0])


# By id, what the transforms that are running, in whatever threads, have given to their functions.
_variables: dict[int, ref[Node]] = {}


def _nothing() -> None:
    """Stand for the variable that there is not."""


def in_transform(*tensors: Node) -> bool:
    """Say whether a transform of functions wants to differentiate what is computed here.

    A thread that a function starts knows nothing of the transform around, unless it runs in a
    `contextvars.copy_context()`, as all do in a free-threaded Python. But what is computed there of
    tensors from outside is wanted all the same: so the answer is yes, too, if one of `tensors`
    depends on a running transform's.
    """
    enabled, depth = recording.get()
    if depth or not enabled or not _variables:
        return bool(enabled and depth)
    # An id may be another's by now, if an interrupt has left it behind.
    nodes = topological_order(tensors)
    return any(_variables.get(id(x), _nothing)() is x for x in nodes)


def run_in_transform(
    function: Callable[..., Any], variables: Sequence[Node], *args: Any, **kwargs: Any
) -> Any:
    """Call `function` and record it, one transform deeper; nothing of that outlasts the call.

    The `variables` are what the transform is to differentiate by.
    """

    def run() -> Any:
        recording.set([True, recording.get()[1] + 1])
        return function(*args, **kwargs)

    try:
        for x in variables:
            _variables[id(x)] = ref(x)
        return copy_context().run(run)
    finally:
        for x in variables:
            _variables.pop(id(x), None)
