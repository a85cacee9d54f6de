"""NumPy's warnings, such as "overflow encountered in exp", at the line of the user's program.

NumPy warns of the line that called it, which is one of this package. So a filter makes errors of
warnings from here, which `at_users_line` turns into warnings again, of the line that called us.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

_PACKAGE = __name__.partition(".")[0]


# Those that hold here: a free-threaded Python keeps some for each context.
_filters: Callable[[], Any] = getattr(warnings, "_get_filters", lambda: warnings.filters)


def keep_filter_first() -> None:
    """Put the filter before those that the program has set since, `simplefilter("always")` say."""
    filters = _filters()
    if not filters or filters[0] != _filter:
        warnings.filterwarnings(
            "error",
            category=RuntimeWarning,
            module=rf"{_PACKAGE}\.(arrays|engine|operations|tensor)\b",
        )


_filter: Any = None
keep_filter_first()  # to catch an error that doesn't come costs nothing
_filter = _filters()[0]


def at_users_line(compute: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `compute`, and give its warnings where the package was called from."""
    try:
        return compute(*args, **kwargs)
    except RuntimeWarning as warning:
        told: list[Any] = [warning]
    try:
        with np.errstate(all="ignore"):
            result = compute(*args, **kwargs)
    except RuntimeWarning:  # of another kind, which NumPy writes in Python
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            result = compute(*args, **kwargs)
        told = [warning.message for warning in caught]
    for message in told:
        warn(str(message), RuntimeWarning)
    return result


class WarningsAtUsersLine:
    """A block whose warnings come where the package was called from, when it is left.

    It is for what changes arrays in place, and so can't be computed twice. No filter matters to it:
    NumPy writes into a log what it would have warned of.
    """

    def __enter__(self) -> None:
        kinds: dict[str, Any] = {kind: "log" for kind, how in np.geterr().items() if how == "warn"}
        self._told: dict[str, None] = {}
        # A program that has a log or a handler of its own keeps it.
        self._log = np.errstate(**({} if np.geterrcall() else {**kinds, "call": self}))
        self._log.__enter__()

    def write(self, text: str) -> None:
        """Take a line of the log, as in "Warning: overflow encountered in multiply"."""
        self._told[text.removeprefix("Warning: ").strip()] = None

    def __exit__(self, *_: object) -> None:
        self._log.__exit__(None, None, None)
        for message in self._told:
            warn(message, RuntimeWarning)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Give a warning where the package was called from."""
    level, frame = 1, sys._getframe()
    while frame.f_back and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: Any) -> bool:
    return str(module).partition(".")[0] == _PACKAGE
