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
# To catch an error that doesn't come costs nothing.
warnings.filterwarnings(
    "error", category=RuntimeWarning, module=rf"{_PACKAGE}\.(arrays|engine|operations)\b"
)


def at_users_line(compute: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `compute`, and give its warnings where the package was called from."""
    try:
        return compute(*args, **kwargs)
    except RuntimeWarning as warning:
        told: list[Warning | str] = [warning]
    try:
        with np.errstate(all="ignore"):
            result = compute(*args, **kwargs)
    except RuntimeWarning:  # of another kind, which NumPy writes in Python
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            result = compute(*args, **kwargs)
        told = [warning.message for warning in caught]
    level, frame = 1, sys._getframe()
    while frame.f_back and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    for message in told:
        warnings.warn(str(message), RuntimeWarning, stacklevel=level)
    return result


def _is_ours(module: Any) -> bool:
    return str(module).partition(".")[0] == _PACKAGE
