"""The race: one process for each library, asked in turn, round by round.

Each library has a process of its own, so that no other's imports and garbage are in its way. All
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import ParamSpec, Protocol, TypeVar

import numpy as np

from benchmarks import worker
from benchmarks.workloads import WORKLOADS

TURN = 0.04  # seconds

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
def process() -> Iterator[Ask]:
    """Start a process that runs only while it is asked."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pid = pool.submit(os.getpid).result()

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


@contextmanager
def processes(libraries: Sequence[str]) -> Iterator[dict[str, Ask]]:
    """Start a process for each library."""
    with ExitStack() as stack:
        yield {library: stack.enter_context(process()) for library in libraries}


def race(
    name: str, asks: Mapping[str, Ask], *, seconds: float, rounds: int
) -> dict[str, list[float]]:
    """Give each library's seconds per operation, one figure a round, after a check of the results.

    It takes at least `seconds` and at least so many rounds.
    """
    workload = WORKLOADS[name]
    asks = {library: asks[library] for library in workload.libraries()}
    for library, ask in asks.items():
        ask(worker.enter, library, name)
    check_agreement(name, asks)

    repeats = {library: max(1, int(TURN / ask(worker.run, 1))) for library, ask in asks.items()}
    times: dict[str, list[float]] = {library: [] for library in asks}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["tinytorch"]) < rounds:
        for library in random.sample(list(asks), len(asks)):
            times[library].append(asks[library](worker.run, repeats[library]) / workload.operations)
    return times


def check_agreement(name: str, asks: Mapping[str, Ask]) -> None:
    """Compare losses and gradients at the start and after a step.

    Raises AssertionError if one library's are not the same as TinyTorch's.
    """
    for steps in (0, 1):
        results = {library: ask(worker.evaluate, steps) for library, ask in asks.items()}
        expected = results.pop("tinytorch")
        for library, result in results.items():
            for i, (actual, desired) in enumerate(zip(result, expected, strict=True)):
                what = f"gradient {i}" if i else "value"
                np.testing.assert_allclose(
                    actual,
                    desired,
                    rtol=0,
                    atol=WORKLOADS[name].tolerance * np.abs(desired).max(),
                    err_msg=f"{name}: {library}'s {what} after {steps} step(s) is not TinyTorch's",
                )
