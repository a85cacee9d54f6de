"""What no other thread may part: a call into C where Python has its lock, else one under ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from threading import RLock

_lock = RLock()


def _under_the_lock(answers: Iterable[object]) -> bool:
    with _lock:
        return any(answers)


# any(answers), for which nobody waits where Python lets one thread run at a time.
at_once: Callable[[Iterable[object]], bool] = (
    any if getattr(sys, "_is_gil_enabled", lambda: True)() else _under_the_lock
)
