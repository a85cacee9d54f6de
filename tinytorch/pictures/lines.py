"""Which line of the user's program made a tensor: asked of Python itself, while somebody asks."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tinytorch import engine

_PACKAGE = __name__.partition(".")[0]
_lines: dict[int, str] = {}  # by a node's place in the order of all, which no other node gets


@contextmanager
def record_lines() -> Iterator[None]:
    """Remember for `explain` which line of the program makes each tensor, in this block.

    Python tells of each function that returns, in this thread, which makes the block several times
    slower; outside it nothing is paid. A profiler has to wait meanwhile.

    >>> from tinytorch import Tensor
    >>> with record_lines():
    ...     z = Tensor(2.0).exp()
    """

    def remember(frame: FrameType, value: Any) -> None:
        if frame.f_code is engine.record.__code__ and getattr(value, "_children", None):
            _lines[value._order] = users_line(frame)

    with on_return(remember):
        yield


def line_of(node: engine.Node) -> str:
    """Give the line that made a node, as in `moons.py:12: z = x * y`, or "" if none is known."""
    return _lines.get(node._order, "")


@contextmanager
def on_return(tell: Callable[[FrameType, Any], None]) -> Iterator[None]:
    """Call `tell(frame, value)` for each function of Python's that returns in this thread."""

    def profile(frame: FrameType, event: str, value: Any) -> None:
        if event == "return":
            tell(frame, value)

    before: Any = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        getattr(before, "enable", lambda: sys.setprofile(before))()  # cProfile's starts itself


def users_line(frame: FrameType) -> str:
    """Give the line outside this package from which `frame` was called, or "" if there is none."""
    caller: FrameType | None = frame
    while caller and str(caller.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        caller = caller.f_back
    if caller is None:
        return ""
    name, number = caller.f_code.co_filename, caller.f_lineno
    text = linecache.getline(name, number, caller.f_globals).strip()
    # The cell of a notebook has no file of its name.
    where = f"{Path(name).name}:{number}" if Path(name).exists() else f"line {number}"
    return f"{where}: {text}"
