"""How TinyTorch's time and memory grow: with the graph, with the arrays, with the training."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass

from benchmarks.contestant import Contestant
from benchmarks.race import process
from benchmarks.resident import forget_peak, resident
from benchmarks.workloads import WORKLOADS, chain, elementwise
from tinytorch import keep_freed_memory

NODES = (1_000, 10_000, 100_000, 1_000_000)
ENTRIES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
STEPS = 10_000


@dataclass(frozen=True)
class Cost:
    """What one step costs."""

    seconds: float
    bytes: int


def of_nodes(operations: int) -> Cost:
    """Give the cost of a chain of so many operations."""
    with process() as ask:
        return ask(_chain_cost, operations)


def of_entries(size: int, *, keep: bool) -> Cost:
    """Give the cost of the elementwise workload, with `keep_freed_memory` if `keep`."""
    with process() as ask:
        return ask(_elementwise_cost, size, keep=keep)


def of_training(*, collect: bool) -> int:
    """Give the bytes that the last nine tenths of 10,000 steps of `moons` add."""
    with process() as ask:
        return ask(_training_growth, collect=collect)


def _chain_cost(operations: int) -> Cost:
    return _cost(chain.in_tinytorch(10), chain.in_tinytorch(operations))


def _elementwise_cost(size: int, *, keep: bool) -> Cost:
    if keep:
        keep_freed_memory()
    return _cost(elementwise.in_tinytorch(10), elementwise.in_tinytorch(size))


def _cost(small: Contestant, large: Contestant) -> Cost:
    """Measure `large` in a process that `small` has warmed up."""
    small.step()
    before = resident()
    forget_peak()
    large.step()
    grown = resident(peak=True) - before

    times: list[float] = []
    end = time.perf_counter() + 0.5
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        large.step()
        times.append(time.perf_counter() - start)
    return Cost(statistics.median(times), grown)


def _training_growth(*, collect: bool) -> int:
    if not collect:
        gc.disable()
    contestant = WORKLOADS["moons"].contestant("tinytorch")
    for _ in range(STEPS // 10):
        contestant.step()
    before = resident()
    for _ in range(STEPS - STEPS // 10):
        contestant.step()
    return resident() - before
