"""How much memory this process has, as Linux tells it."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path


def resident(*, peak: bool = False) -> int:
    """Give the bytes that are in memory now, or with `peak` the most since `forget_peak`."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in status if line.startswith(wanted))


def forget_peak() -> None:
    """Count the peak from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def give_back() -> None:
    """Give garbage back to the system, and freed memory that the C library keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
