"""Who holds an array that `x += y` writes into: if it is x alone, x may become something else."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


class _Counter:
    """It counts who refers to what `+=` writes into, where a protocol looks at it."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        outs = kwargs.get("out", ())
        return sys.getrefcount(outs[0])


def _references() -> Any:
    x: Any = np.empty(0)
    x += _Counter()
    return x


# So many refer to an array that one variable holds, in `__array_ufunc__`.
ALONE = _references()


def variables(array: Any) -> int:
    """Count the variables that hold an array, in the functions that led to the protocol's.

    Python 3.14 does not count a reference for each of them.
    """
    frame, n = sys._getframe(1).f_back, 0
    while frame is not None:
        n += sum(x is array for x in [*frame.f_locals.values()])
        frame = frame.f_back
    return n
