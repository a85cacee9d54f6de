"""What one library brings to one workload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Decorator = Callable[[Any], Any]


def as_it_is(function: Any) -> Any:
    """Be the decorator of a library that compiles nothing."""
    return function


class Contestant(NamedTuple):
    """One library's side of a workload.

    `step` is what the clock sees. `evaluate` gives the loss and the gradients as they are now,
    arrays in an order that all contestants share: what is compared before the race.
    """

    step: Callable[[], object]
    evaluate: Callable[[], list[Any]]
