"""The user's line that is being executed, while a function is recorded, and errors that name it."""

from __future__ import annotations

import linecache
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tinytorch.engine import accumulate, pull

_INSIDE = (str(Path(__file__).parents[1]), str(Path(np.__file__).parent), "<frozen", "<__array_f")
_PULL, _ACCUMULATE = pull.__code__, accumulate.__code__

entrances: set[int] = set()  # the ids of the code that calls the function that is recorded
tapes: dict[int, Any] = {}  # of the threads that record: what their calls are written on


class Line(NamedTuple):
    """A line of the user's."""

    path: str
    number: int

    def __str__(self) -> str:
        return f"{Path(self.path).name}:{self.number}"

    @property
    def text(self) -> str:
        """The line itself, where its file is at hand."""
        return linecache.getline(self.path, self.number).strip()


def current() -> Any:
    """Give the tape of this thread, if a function is being recorded."""
    return tapes.get(threading.get_ident())


class _Inside(dict[str, bool]):
    """Whether a file is the library's or NumPy's, by its path."""

    def __missing__(self, path: str) -> bool:
        self[path] = inside = path.startswith(_INSIDE)
        return inside


_is_inside = _Inside()


def user_line() -> tuple[Line, bool]:
    """Find the line of the user's that is being executed, and whether it runs a backward pass.

    A gradient's is the line of what it is the gradient of; where the library calls no function of
    the user's, it is the first line of the function that is compiled.
    """
    frame, backward, tape = sys._getframe(1), False, current()
    while _is_inside[(code := frame.f_code).co_filename] and frame.f_back is not None:
        if code is _PULL:
            backward = True
            made = frame.f_locals["node"]._arrays[:1]
            if tape is not None and made and hasattr(made[0], "slot"):
                return tape.values[made[0].slot].line, True
        elif code is _ACCUMULATE:
            backward = True
        elif tape is not None and id(code) in entrances:
            return tape.home, backward
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno), backward


def refuse(what: str, hint: str, line: Line | None = None) -> NoReturn:
    """Raise TypeError that says what cannot be part of a program, where, and what to do."""
    line = line or user_line()[0]
    raise TypeError(f"compile: {what}: {hint}\n  {line}: {line.text}")
