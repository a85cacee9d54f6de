"""The machine that the figures are of, and how much of it others took."""

from __future__ import annotations

import os
import platform
import resource
from importlib.metadata import version
from pathlib import Path

from benchmarks.libraries import LIBRARIES


def cores() -> int:
    """Count the cores, which is also the number of threads that every library is given."""
    return os.cpu_count() or 1


def description() -> dict[str, str]:
    """Give processor, system and versions."""
    names = dict.fromkeys(entry.distribution for entry in LIBRARIES.values())
    versions = {name: version(name) for name in names}
    return {
        "processor": f"{_processor()}, {cores()} cores, {cores()} threads for every library",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }


def _processor() -> str:
    """Give the name on the box, where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def seconds_of_others() -> float:
    """Give the processor time that others have used so far, on Linux: all there was but ours.

    The time of our own processes counts once they have ended.
    """
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    user, nice, system, _, _, interrupt, soft_interrupt = map(int, fields[1:8])
    everyone = (user + nice + system + interrupt + soft_interrupt) / os.sysconf("SC_CLK_TCK")
    ours = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return everyone - sum(usage.ru_utime + usage.ru_stime for usage in ours)
