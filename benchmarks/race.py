"""The race: one process for each library, asked in turn, round by round.

Each library has a process of its own, so that no other's imports and garbage are in its way, and a
new one for each workload: what it has freed before decides how it comes by large arrays later. All
but one are stopped at any time: thread pools go on spinning for a while after their work is done,
which on a small machine slows whoever comes next to a half. The order is drawn anew each round, so
that whatever slows the machine down for a while hits all alike.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import ParamSpec, Protocol, TypeVar

import numpy as np

from benchmarks import worker
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import WORKLOADS

TURN = 0.03  # seconds
ROUNDS = 2

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Ask(Protocol):
    """How to have a function called in another process."""

    def __call__(
        self,
        function: Callable[Arguments, Result],
        /,
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Result:
        """Give what `function` gives there."""


@contextmanager
def processes(libraries: Iterable[str]) -> Iterator[dict[str, Ask]]:
    """Start a process for each library, which imports it, and then runs only while it is asked."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pools = {}
        for library in libraries:
            pool = ProcessPoolExecutor(1, context, import_module, (LIBRARIES[library].imports,))
            pools[library] = stack.enter_context(pool)
        pids = {library: pool.submit(os.getpid) for library, pool in pools.items()}
        yield {
            library: stack.enter_context(_stopped(pool, pids[library].result()))
            for library, pool in pools.items()
        }


@contextmanager
def process(library: str = "tinytorch") -> Iterator[Ask]:
    """Start a process for one library."""
    with processes([library]) as asks:
        yield asks[library]


@contextmanager
def _stopped(pool: ProcessPoolExecutor, pid: int) -> Iterator[Ask]:
    """Keep the process of a pool stopped while it is not asked."""

    def ask(
        function: Callable[Arguments, Result],
        /,
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Result:
        os.kill(pid, signal.SIGCONT)
        try:
            return pool.submit(function, *arguments, **options).result()
        finally:
            os.kill(pid, signal.SIGSTOP)

    try:
        yield ask
    finally:
        os.kill(pid, signal.SIGCONT)


def race(name: str, *, seconds: float, heats: int) -> dict[str, list[float]]:
    """Give each library's seconds per operation, one figure a round.

    Each heat has new processes, since it is luck on which cores their threads come to run, and
    takes at least `seconds` and two rounds.
    """
    workload = WORKLOADS[name]
    times: dict[str, list[float]] = {library: [] for library in workload.libraries()}
    for _ in range(heats):
        with processes(times) as asks:
            for library, ask in asks.items():
                ask(worker.enter, library, name)
            repeats = {library: _steps_of_a_turn(ask) for library, ask in asks.items()}
            rounds, end = 0, time.perf_counter() + seconds
            while rounds < ROUNDS or time.perf_counter() < end:
                rounds += 1
                for library in random.sample(list(asks), len(asks)):
                    took = asks[library](worker.run, repeats[library])
                    times[library].append(took / workload.operations)
    return times


def _steps_of_a_turn(ask: Ask) -> int:
    """Try how many steps fill a turn; the first ones compile, record, or load what is late."""
    ask(worker.run, 4)
    steps = 1
    while (took := steps * ask(worker.run, steps)) < TURN / 2:
        steps *= 2
    return max(1, round(steps * TURN / took))


def check_agreement(names: Iterable[str]) -> None:
    """Compare losses and gradients at the start, after a step, and after some more.

    Raises AssertionError if one library's are not the same as TinyTorch's.
    """
    with processes(LIBRARIES) as asks:
        for name in names:
            libraries = WORKLOADS[name].libraries()
            for library in libraries:
                asks[library](worker.enter, library, name)
            for steps in (0, 1, 4):  # from the fourth on, a compiled step is replayed
                results = {library: asks[library](worker.evaluate, steps) for library in libraries}
                _compare(f"{name} after {steps} step(s)", results, WORKLOADS[name].tolerance)


def _compare(where: str, results: dict[str, list[np.ndarray]], tolerance: float) -> None:
    expected = results.pop("tinytorch")
    for library, result in results.items():
        for i, (actual, desired) in enumerate(zip(result, expected, strict=True)):
            what = f"gradient {i}" if i else "value"
            np.testing.assert_allclose(
                actual,
                desired,
                rtol=0,
                atol=tolerance * np.abs(desired).max(),
                err_msg=f"{where}: {library}'s {what} is not TinyTorch's",
            )
