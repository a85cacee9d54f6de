"""What nothing may part: sums while other threads add too, and the setting of all gradients."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from itertools import repeat
from threading import RLock
from typing import Any, TypeVar

_T = TypeVar("_T")

# A handler of signals that is called within, in the same thread, enters it again.
lock = RLock()

if hasattr(os, "register_at_fork"):  # or a child process might wait for a thread that it hasn't
    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )


def one_at_a_time(function: Callable[[_T], None]) -> Callable[[_T], None]:
    """Let a thread that calls `function` wait until no other one does."""

    @functools.wraps(function)
    def alone(argument: _T) -> None:
        taken: list[bool] = []
        try:
            # Taken and noted in a single call into C: Ctrl-C that comes as a `with` is entered
            # leaves the lock taken, from Python 3.14 on.
            taken.extend(map(lock.acquire, (True,)))
            function(argument)
        finally:
            if taken:
                lock.release()

    return alone


def set_grads(grads: Mapping[Any, Any]) -> None:
    """Set `_grad` of all nodes, also where Ctrl-C comes between two of them."""
    try:
        for x, grad in grads.items():
            x._grad = grad
    except BaseException:
        any(map(setattr, grads, repeat("_grad"), grads.values()))  # a single call into C
        raise
