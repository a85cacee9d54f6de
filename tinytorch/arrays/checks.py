"""What a function asks of values, which in a program are known only when it runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.batch import Batch, aligned, level_of
from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.operators import call
from tinytorch.arrays.user_lines import current


def check(fine: Any, values: Any, error: type[Exception], message: str) -> None:
    """Raise `error`, which names the first of the `values` that is not `fine`, unless all are.

    A program asks again in each run, where an `if` in a function that is compiled is refused. A
    GPU isn't waited for: what is wrong there is said when a value is brought back.
    """
    if current() is None:
        raise_unless(fine, values, error, message)
    else:
        call(raise_unless, (fine, values, error, message), {})


def raise_unless(fine: Any, values: Any, error: type[Exception], message: str) -> None:
    """Be what `check` does, as one call of a program."""
    if level := level_of([fine, values]):
        fine, values = aligned(fine, level), aligned(values, level)
        raise_unless(fine, values, error, message)
    else:
        kind_of(fine).check(fine, values, error, message)


def surely(condition: Any) -> bool:
    """Say whether something is known to hold: of what a program or a GPU computes, nothing is."""
    return isinstance(condition, bool | np.bool) and bool(condition)


def anywhere(condition: Any) -> bool:
    """Say whether something holds for an entry, in whichever array of a batch."""
    while type(condition) is Batch:
        condition = condition.stacked
    return bool(np.any(condition))
