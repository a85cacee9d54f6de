"""`compile`: a function that is recorded while it is called, and from then on runs as a program."""

from __future__ import annotations

import functools
import inspect
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.batch import Batch
from tinytorch.arrays.parts import is_array, map_parts, on_gpu
from tinytorch.arrays.user_lines import current, refuse
from tinytorch.compiler.agreement import agree
from tinytorch.compiler.blocks import cores
from tinytorch.compiler.environment import Environment, line_about
from tinytorch.compiler.program import Argument, Program, Ref
from tinytorch.compiler.ready import Ready
from tinytorch.compiler.recording import Made, Recorded, record
from tinytorch.compiler.signature import lying_in, signature
from tinytorch.compiler.source import Source
from tinytorch.compiler.spelling import argument_names
from tinytorch.engine import Node
from tinytorch.grad_mode import in_transform, is_grad_enabled
from tinytorch.operations.operands import describe

if TYPE_CHECKING:
    from tinytorch.pictures import Picture

# What a signature tells from others of its kind.
_PLAIN = (int, float, str, bytes, bool, complex, type(None), np.ndarray, np.generic, Node)
_MOST_LEAVES = 1 << 30
# So many programs are kept, of different shapes and surroundings.
_KEPT = 32
# After so many kinds of call without a program, the user is told.
_MANY = 8
# So many calls may change what the function finds outside, before it is refused.
_PATIENCE = 2


class _Variant:
    """One way in which the function is called, and the program for it once there is one."""

    def __init__(
        self, environment: Environment, owners: dict[int, int], leaves: Sequence[Any]
    ) -> None:
        self.shared = _shared(owners, leaves, environment)
        self.conditions: list[Any] = []
        self.dynamic: set[str] = set()
        self.first: Program | None = None
        self.ready: Ready | None = None
        self.settle(environment, leaves)

    def settle(self, environment: Environment, leaves: Sequence[Any]) -> None:
        """Take `environment` for the one that it was recorded in, which looks the same."""
        self.environment = environment
        # Among the arguments' leaves, by number.
        self.objects = [
            (i, x) for i, x in enumerate(leaves) if not isinstance(x, _PLAIN) and not on_gpu(x)
        ]
        self.conditions = [
            (environment.places.get(place.name, place), ask, answer)
            for place, ask, answer in self.conditions
        ]
        if self.ready is not None:
            self.ready.settle(environment)
        dynamic = self.dynamic
        self.unchanged = environment.guard(dynamic) if dynamic else environment.unchanged

    def holds(self) -> bool:
        """Say whether what the function asked has the same answer."""
        return all(ask(place.read()) is answer for place, ask, answer in self.conditions)

    def fits(self, owners: dict[int, int], leaves: Sequence[Any]) -> bool:
        """Say whether all is outside as it was, and the arguments share as much memory with it."""
        if self.objects and any(leaves[i] is not x for i, x in self.objects):
            return False
        if self.conditions and not self.holds():
            return False
        environment = self.environment
        if not self.shared[0] and environment.owners.isdisjoint(owners):
            return self.unchanged()
        return self.shared == _shared(owners, leaves, environment) and self.unchanged()


def _shared(owners: dict[int, int], leaves: Sequence[Any], environment: Environment) -> Any:
    """Tell what memory is shared by arguments and what is outside, and who is in the same place."""
    both = owners.keys() & environment.owners
    return both, lying_in(environment.in_memory, leaves) if both else []


class Compiled:
    """A function that runs as a NumPy program; see `compile`."""

    def __init__(self, function: Callable[..., Any], threads: int) -> None:
        if not callable(function):
            raise TypeError(f"compile: expected a function, got {describe(function)}")
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise TypeError(
                f"compile: {function.__name__} gives its results one by one, which a program does "
                "not: compile what it does for each"
            )
        functools.update_wrapper(self, function)
        self._function, self._threads = function, threads
        self._begin()

    def _begin(self) -> None:
        self._variants: dict[Any, list[_Variant]] = {}
        self._lock = threading.RLock()
        self._latest: Ready | None = None
        self._varying: frozenset[int] = frozenset()  # leaves that are ints, and inputs
        self._ints: dict[Any, list[list[Any]]] = {}  # of first calls that are alike but for ints
        self._changes, self._changed = 0, ""  # so many calls in a row change something outside

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for such a call, or where there is none yet the function itself."""
        if current() is not None or in_transform():
            return self._function(*args, **kwargs)  # a part of the program around it
        leaves: list[Any] = []
        owners: dict[int, int] = {}
        key = (
            signature(args, leaves, owners, self._varying) if args else None,
            signature(kwargs, leaves, owners, self._varying) if kwargs else None,
            is_grad_enabled(),
        )
        for x in leaves:
            if isinstance(x, Node) and (
                (x._children and x._requires_grad) or isinstance(x._value, Batch)
            ):
                return self._function(*args, **kwargs)  # whose gradients flow on, or inside vmap
        with self._lock:
            variants = self._variants.get(key)
            if variants:
                latest = variants[-1]
                if latest.ready is not None and latest.fits(owners, leaves):
                    return latest.ready(leaves)
            try:
                return self._slowly(key, args, kwargs, leaves, owners)
            except ValueError as error:  # NumPy's, when an entry of an array is assigned to
                if str(error.__cause__).startswith("compile: "):
                    raise error.__cause__ from None  # type: ignore[misc]
                raise

    def _slowly(
        self, key: Any, args: Any, kwargs: Any, leaves: list[Any], owners: dict[int, int]
    ) -> Any:
        variants = self._variants.setdefault(key, [])
        variant = next((x for x in reversed(variants) if x.fits(owners, leaves)), None)
        if variant is None or (variant.ready is None and variant.dynamic):
            plain = (float, np.ndarray, Node)
            names = argument_names(self._function, args, kwargs)
            named = zip(names, leaves, strict=True)
            objects = [(name, x) for name, x in named if not isinstance(x, plain) and not on_gpu(x)]
            environment = Environment([("", self._function), *objects])
            variant = self._find(variants, environment, owners, leaves)
            if variant is None:
                if self._let_ints_vary(args, kwargs):
                    return self(*args, **kwargs)
                return self._for_the_first_time(key, args, kwargs, environment, owners, leaves)
            variant.settle(environment, leaves)
        variants.remove(variant)
        variants.append(variant)
        environment = variant.environment
        if variant.ready is not None:
            return variant.ready(leaves)

        def rebuild(given: Sequence[Any]) -> Any:
            remaining = iter(given)
            return map_parts(lambda _leaf: next(remaining), (args, kwargs))

        first = variant.first
        recorded = record(
            self._function, leaves, rebuild, environment, variant.dynamic, self._varying, first
        )
        variant.first = recorded.program
        variant.conditions = recorded.program.conditions
        if first is not None:
            variant.first = None
            names = argument_names(self._function, args, kwargs)
            program = agree(first, recorded.program)
            variant.ready = self._latest = Ready(program, names, environment, self._threads)
        return _given(recorded, leaves)

    def _for_the_first_time(
        self,
        key: Any,
        args: Any,
        kwargs: Any,
        environment: Environment,
        owners: dict[int, int],
        leaves: Sequence[Any],
    ) -> Any:
        """Run the function as ever; it may make what it needs, but not change it in each call."""
        if self._changes >= _PATIENCE:
            refuse(
                f"the function changes {self._changed} in each call, which a program does not do "
                "again",
                "return the new value, or keep it in an array or tensor",
                line_about(self._function, self._changed),
            )
        if self._latest is None and len(self._variants) == _MANY:
            warnings.warn(
                f"compile: {_MANY} calls, and no two alike, so there is no program yet: it is for "
                "one value of each int, str and bool, and for one shape of each array; give "
                "numbers that change as floats",
                stacklevel=4,
            )
        self._forget_oldest()
        self._variants.setdefault(key, []).append(_Variant(environment, owners, leaves))
        result = self._function(*args, **kwargs)
        changes = [place.name for place, x, y in environment.changes() if not _may_be_input(x, y)]
        self._changes = self._changes + 1 if changes else 0
        self._changed = changes[0] if changes else ""
        return result

    def _find(
        self,
        variants: list[_Variant],
        environment: Environment,
        owners: dict[int, int],
        leaves: Sequence[Any],
    ) -> _Variant | None:
        """Find the variant that belongs to what the function finds outside."""
        near = None
        for variant in reversed(variants):
            if variant.shared != _shared(owners, leaves, environment) or not variant.holds():
                continue
            changes = variant.environment.differences(environment)
            inputs = {place.name for place, x, y in changes if _may_be_input(x, y)}
            if len(inputs) == len(changes):
                if inputs <= variant.dynamic:
                    return variant
                near = near or (variant, inputs)
        if near is None:
            return None
        variant, inputs = near  # what changes becomes an input
        variant.dynamic |= inputs
        variant.first = variant.ready = None
        return variant

    def _let_ints_vary(self, args: Any, kwargs: Any) -> bool:
        """Let an int be an input that was another one in each of many calls, as a counter is."""
        leaves: list[Any] = []
        kind = signature((args, kwargs), leaves, {}, range(_MOST_LEAVES))
        ints = [x if type(x) is int else None for x in leaves]
        known = self._ints.setdefault((kind, is_grad_enabled()), [])
        known.append(ints)
        varying = frozenset(i for i, x in enumerate(zip(*known, strict=True)) if len(set(x)) > 1)
        if len(known) < _MANY or self._latest is not None or varying <= self._varying:
            return False
        self._varying |= varying
        self._variants, self._ints = {}, {}
        return True

    def _forget_oldest(self) -> None:
        if sum(map(len, self._variants.values())) >= _KEPT:
            key = next(iter(self._variants))
            self._variants[key].pop(0)
            if not self._variants[key]:
                del self._variants[key]

    @property
    def program(self) -> Program | None:
        """The latest program, None before there is one."""
        return None if self._latest is None else self._latest.executable.program

    @property
    def source(self) -> str | None:
        """The latest program as Python text that needs NumPy alone, None before there is one.

        Its function takes the arguments' arrays and numbers one by one, and by keyword what is in
        `outside`. It writes into arrays as the program does, and returns in a tuple the results and
        the gradients.
        """
        written = self._written()
        return None if written is None else written.text

    @property
    def outside(self) -> dict[str, Any]:
        """What the function in `source` takes besides the arguments, by name."""
        written = self._written()
        return {} if written is None else written.outside

    def render(self, path: str | os.PathLike[str] | None = None, *, view: bool = False) -> Picture:
        """Draw the latest program: a box for each line, forward, backward and update in frames.

        `path`, `view` and what is raised as in `Tensor.render`; RuntimeError before there is one.
        """
        from tinytorch.pictures.program import render_program

        source = self._written()
        if source is None:
            raise RuntimeError("render: there is no program yet, which the third call makes")
        return render_program(source, path, view=view)

    def _written(self) -> Source | None:
        name = getattr(self._function, "__name__", "program")
        return None if self._latest is None else self._latest.source(name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getstate__(self) -> Any:
        return self._function, self._threads

    def __setstate__(self, state: Any) -> None:
        self._function, self._threads = state
        functools.update_wrapper(self, self._function)
        self._begin()


def _given(recorded: Recorded, leaves: Sequence[Any]) -> Any:
    """Give the results of a recorded run."""

    def part(x: Any) -> Any:
        if type(x) is Ref:
            return recorded.values[x.slot]
        if not isinstance(x, Made):
            return x
        if type(x.node) is Argument:
            return leaves[x.node.number]
        return x.tensor(recorded.values[x.data.slot]) if x.node is None else x.node

    return map_parts(part, recorded.program.results)


def _may_be_input(x: Any, y: Any) -> bool:
    """Say whether a program can read what is found outside in each run."""
    if is_array(x) and type(x) is type(y):
        return (x.shape, x.dtype, x.strides) == (y.shape, y.dtype, y.strides)
    return type(x) is type(y) and isinstance(x, float | np.inexact)


def compile(  # noqa: A001  (as PyTorch's)
    function: Callable[..., Any] | None = None, *, threads: int | None = None
) -> Any:
    """Give the function that records what `function` computes, and then replays it.

    The first call runs as ever. The next two are recorded as programs of NumPy calls and compared;
    if they are the same, later calls run that program, with its buffers kept, for as long as the
    arguments have the same structure, shapes and dtypes, and all else that the function reaches is
    as it was. Floats may change, among the arguments and outside; a program is for one value of
    each int, str or bool. State is updated in the very arrays, random numbers of a generator are
    drawn anew, and results belong to the caller. The next gradients are written where large ones
    were that nobody else holds, so a call that fails may leave none.

    Large arrays are taken block by block through the cache, by as many threads as there are cores,
    or `threads`; the numbers don't hang on how many. Sums are added block by block too, and stacks
    of matrices multiplied in another layout, so they differ from the function's own in the last
    places: by no more than the rounding errors that either may have (for a sum of n numbers in
    pairs, some log2(n) eps times the sum of their absolute values). All else is equal bit by bit.

    On a GPU the program is of CuPy's calls, and elementwise calls of one shape are one kernel.

    Raises TypeError, naming the line, for what can't be a program: a decision that hangs on a
    value, `float(x)`, printing, a value that is kept outside.

    >>> @compile
    ... def step(x):
    ...     return (x * x).sum()
    >>> [float(step(np.arange(n, n + 3.0))) for n in range(5)]
    [5.0, 14.0, 29.0, 50.0, 77.0]
    """
    if function is None:
        return functools.partial(compile, threads=threads)
    return Compiled(function, cores() if threads is None else threads)
