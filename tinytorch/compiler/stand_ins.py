"""What takes the place of things outside while a function is recorded.

Arrays become recorders, and generators of random numbers write down their draws. What can't be
looked at, as an iterator, or goes unseen, as printing does, refuses.
"""

from __future__ import annotations

import builtins
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinytorch.arrays.operators import call
from tinytorch.arrays.parts import is_array
from tinytorch.arrays.plain import base
from tinytorch.arrays.user_lines import current, refuse
from tinytorch.compiler.tape import Tape
from tinytorch.engine import Node


def _refusing(function: Callable[..., Any], name: str, hint: str) -> Callable[..., Any]:
    def refused(*args: Any, **kwargs: Any) -> Any:
        if current() is not None:
            refuse(f"{name} leaves no record of what it does", hint)
        return function(*args, **kwargs)

    return refused


_DRAW = "draw with rng = np.random.default_rng()"
# They are another thing after each use, and what they are can't be looked at.
_OPAQUE = random.Random, np.random.RandomState, Iterator
# Those of Python's and NumPy's functions that are met often, and that a program would leave out.
UNSEEN: list[tuple[dict[str, Any], str, Any]] = [
    (vars(builtins), "print", _refusing(print, "print", "print what the function returns")),
    *[
        (vars(module), name, _refusing(draw, f"{shown}.{name}", _DRAW))
        for shown, module in (("random", random), ("np.random", np.random))
        for name, draw in vars(module).items()
        if isinstance(getattr(draw, "__self__", None), _OPAQUE)
    ],
]


class _Opaque:
    """What stands in for an iterator, or an older generator of random numbers: it refuses."""

    def __init__(self, value: Any) -> None:
        self._original = value

    def __getattr__(self, name: str) -> Any:
        if current() is not None:
            kind = type(self._original).__name__
            hint = "give what comes next as an argument"
            refuse(
                f"{kind} gives something else each time, and leaves no record of it",
                hint if isinstance(self._original, Iterator) else _DRAW,
            )
        return getattr(self._original, name)

    def __iter__(self) -> Any:
        return self.__getattr__("__iter__")()

    def __next__(self) -> Any:
        return self.__getattr__("__next__")()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__("__call__")(*args, **kwargs)


class _Generator(np.random.Generator):
    """A generator of random numbers whose draws are written down."""

    original: np.random.Generator

    def __repr__(self) -> str:
        return repr(self.original)

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        if current() is not None and hasattr(self.original, name):
            refuse(f"{name} of a generator is no draw", "call it outside of the function")
        return getattr(self.original, name)

    def spawn(self, n_children: int) -> Any:
        """Give other generators, whose draws would be unseen."""
        return self.__getattr__("spawn")(n_children)

    @property
    def bit_generator(self) -> Any:
        """What the bits come from, whose state a program does not set."""
        return self.__getattr__("bit_generator")


# The place of `out`, where it has one.
_OUT = {"random": 2, "standard_normal": 2, "standard_exponential": 3, "standard_gamma": 3}


def _draw(name: str) -> Callable[..., Any]:
    method = getattr(np.random.Generator, name)
    place = _OUT.get(name, 9)

    def draw(self: Any, *args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return method(self, *args, **kwargs)
        out = args[place] if len(args) > place else kwargs.get("out")
        if name == "shuffle":
            out = args[0] if args else kwargs.get("x")
            if not isinstance(out, np.ndarray):
                refuse("a list is shuffled, of which a program has no record", "shuffle an array")
        return call(method, (self.original, *args), kwargs, () if out is None else (out,))

    return draw


for _name in dir(np.random.Generator):
    if not _name.startswith("_") and _name not in ("bit_generator", "spawn", "bytes"):
        setattr(_Generator, _name, _draw(_name))


def stand_in(value: Any, tape: Tape) -> Any:
    """Give what takes the place of a value from outside while a function is recorded."""
    if isinstance(value, Node | str | int | float):  # most are
        return value
    if is_array(base(value)):
        return tape.plain(base(value), known=True)
    if isinstance(value, np.random.Generator):
        generator = _Generator(value.bit_generator)
        generator.original = value
        return generator
    is_opaque = isinstance(value, _OPAQUE) or isinstance(getattr(value, "__self__", None), _OPAQUE)
    return _Opaque(value) if is_opaque else value
