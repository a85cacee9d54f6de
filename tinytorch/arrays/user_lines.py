"""The user's line that is being executed, while a function is recorded, and errors that name it."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from threading import get_ident
from types import CodeType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tinytorch.engine import accumulate, pull

_TINYTORCH, _NUMPY = Path(__file__).parents[1], Path(np.__file__).parent
# SciPy, which calls functions of the user's as well, lies beside NumPy.
_INSIDE = (str(_TINYTORCH), str(_NUMPY), str(_NUMPY.parent / "scipy"), "<frozen", "<__array_f")
# What only passes a refusal on.
_RECORDING = (
    *(
        str(_TINYTORCH / "arrays" / name)
        for name in ("recorder.py", "operators.py", "user_lines.py")
    ),
    *(str(_TINYTORCH / "compiler"), str(_NUMPY)),
)
_PULL, _ACCUMULATE = pull.__code__, accumulate.__code__

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
    return tapes.get(get_ident())


_OURS, _MARKED = 1, 2


class _Files(dict[str, int]):
    """What a file is, by its path: one of the user's, of ours and NumPy's, or of those marked."""

    def __missing__(self, path: str) -> int:
        self[path] = kind = _OURS if path.startswith(_INSIDE) else 0
        return kind


# In those marked there is a function that `user_line` looks for.
_files = _Files({_PULL.co_filename: _MARKED})
_entrances: list[CodeType] = []


def enters(code: CodeType) -> None:
    """Say that it is this code that calls the function which is recorded."""
    _entrances.append(code)
    _files[code.co_filename] = _MARKED


def user_line() -> tuple[Line, str]:
    """Find the line of the user's that is being executed; of a backward pass, say "backward".

    A gradient's is the line of what it is the gradient of; where the library calls no function of
    the user's, it is the first line of the function that is compiled.
    """
    frame, part, tape = sys._getframe(1), "", current()
    while (kind := _files[frame.f_code.co_filename]) and frame.f_back is not None:
        if kind == _MARKED:
            if (code := frame.f_code) is _PULL:
                part = "backward"
                made = frame.f_locals["node"]._arrays[:1]
                if tape is not None and made and hasattr(made[0], "slot"):
                    return tape.values[made[0].slot].line, part
            elif code is _ACCUMULATE:
                part = "backward"
            elif tape is not None and any(code is entrance for entrance in _entrances):
                return tape.home, part
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno), part


def refuse(what: str, hint: str, line: Line | None = None) -> NoReturn:
    """Raise TypeError that says what cannot be part of a program, where, and what to do."""
    if line is None:
        line, name = user_line()[0], _deciding()
        if name is not None:
            what = f"{name} decides on values, and so can't be part of a program"
            hint = "call it outside of the compiled function, and give what comes out"
    raise TypeError(f"compile: {what}: {hint}\n  {line}: {line.text}")


def _deciding() -> str | None:
    """Name the function of ours, called by the user, that would have to know a value.

    None where the user's own line would, as it is, or by a method that gives values.
    """
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_filename.startswith(_RECORDING):
        frame = frame.f_back
    inner = name = None
    while frame.f_back and _files[frame.f_code.co_filename]:
        code, inner = frame.f_code, frame.f_code.co_name
        module = frame.f_globals.get("__name__", "")
        function = frame.f_locals.get("function") if inner == "__array_function__" else None
        if function is not None and module == "tinytorch.tensor":
            name = f"{function.__module__.replace('numpy', 'np', 1)}.{function.__name__}"
        elif module.startswith("tinytorch.scipy"):
            name = f"{module}.{code.co_qualname.partition('.<locals>')[0].lstrip('_')}"
        frame = frame.f_back
    return name
