"""What is done in a library's own process; it has one contestant at a time."""

from __future__ import annotations

import os
import time

import numpy as np

from benchmarks.contestant import Contestant
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import WORKLOADS, Workload
from tinytorch import keep_freed_memory

_contestants: dict[str, Contestant] = {}


def set_up(library: str, workload: Workload) -> Contestant:
    """Give `library`'s side of `workload`, with as many threads as the machine has cores."""
    if (
        LIBRARIES[library].imports == "torch"
    ):  # the others look at the environment, or at the machine
        import torch

        torch.set_num_threads(os.cpu_count() or 1)
    return workload.contestant(library)


def enter(library: str, workload: str) -> None:
    """Set up `library`'s side of `workload` in place of what was there before."""
    if WORKLOADS[workload].keep:
        keep_freed_memory()
    _contestants.clear()
    _contestants["now"] = set_up(library, WORKLOADS[workload])


def evaluate(steps: int) -> list[np.ndarray]:
    """Take so many steps, then give the loss and the gradients."""
    contestant = _contestants["now"]
    for _ in range(steps):
        contestant.step()
    return [np.asarray(array, dtype=float) for array in contestant.evaluate()]


def run(repeats: int) -> float:
    """Give the seconds that a step takes, on average, after a quarter as many to warm up."""
    step = _contestants["now"].step
    for _ in range(repeats // 4):
        step()
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats
