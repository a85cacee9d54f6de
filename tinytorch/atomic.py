"""What nothing may part: sums while other threads add too, and the setting of all gradients."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import repeat
from threading import RLock
from typing import Any

# A handler of signals that is called within, in the same thread, enters it again.
one_at_a_time = RLock()

if hasattr(os, "register_at_fork"):  # or a child process might wait for a thread that it hasn't
    os.register_at_fork(
        before=one_at_a_time.acquire,
        after_in_parent=one_at_a_time.release,
        after_in_child=one_at_a_time.release,
    )


def set_grads(grads: Mapping[Any, Any]) -> None:
    """Set `_grad` of all nodes, also where Ctrl-C comes between two of them."""
    try:
        for x, grad in grads.items():
            x._grad = grad
    except BaseException:
        any(map(setattr, grads, repeat("_grad"), grads.values()))  # a single call into C
        raise
