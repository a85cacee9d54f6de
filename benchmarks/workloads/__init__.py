"""The workloads: in each module one function for every library that can do it, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any, NamedTuple

from benchmarks.contestant import Contestant
from benchmarks.libraries import LIBRARIES, Library
from benchmarks.workloads import (
    adam,
    attention,
    batchnorm_conv,
    chain,
    elementwise,
    embedding,
    gpt,
    hessian,
    lenet,
    lstm,
    quickstart,
    training,
)


class Workload(NamedTuple):
    """What is raced: a module, the arguments of its functions, and who cannot take part.

    Times are given per operation where a step has several. `tolerance` is relative to the largest
    entry of the array compared. With `keep`, all processes keep the memory that they free.
    """

    module: ModuleType
    arguments: Mapping[str, Any] = {}
    operations: int = 1
    absent: tuple[str, ...] = ()
    tolerance: float = 1e-12
    keep: bool = False

    def libraries(self) -> list[str]:
        """List who takes part."""
        return [
            name
            for name, library in LIBRARIES.items()
            if name not in self.absent and self._has(library)
        ]

    def _has(self, library: Library) -> bool:
        function = getattr(self.module, library.function, None)
        if function is None or not library.compiled:
            return function is not None
        return "compile" in signature(function).parameters

    def contestant(self, library: str) -> Contestant:
        """Set up one library's side."""
        function: Callable[..., Contestant] = getattr(self.module, LIBRARIES[library].function)
        if LIBRARIES[library].compiled:
            compile = import_module(LIBRARIES[library].imports).compile  # noqa: A001
            return function(**self.arguments, compile=compile)
        return function(**self.arguments)


def _training(batch: int, *sizes: int, dtype: str = "float32") -> Workload:
    arguments = {"sizes": sizes, "batch": batch, "dtype": dtype}
    return Workload(training, arguments, tolerance=1e-12 if dtype == "float64" else 1e-5)


WORKLOADS = {
    "quickstart": Workload(quickstart),
    "moons": _training(100, 2, 24, 12, 1, dtype="float64"),
    "mnist32": _training(32, 784, 128, 10),
    "mnist256": _training(256, 784, 128, 10),
    "wide": _training(256, 784, 512, 512, 10),
    "chain1k": Workload(chain, {"operations": 1_000}, operations=1_000),
    "chain100k": Workload(
        chain,
        {"operations": 100_000},
        operations=100_000,
        absent=("autograd", "micrograd", "compiled"),  # several seconds a step, or to record
    ),
    "elementwise": Workload(elementwise, {"size": 1_000_000}, tolerance=1e-5),
    "attention": Workload(attention, tolerance=1e-5),
    "elementwise-kept": Workload(elementwise, {"size": 1_000_000}, tolerance=1e-5, keep=True),
    "attention-kept": Workload(attention, tolerance=1e-5, keep=True),
    "lenet": Workload(lenet, tolerance=1e-5),
    "batchnorm_conv": Workload(batchnorm_conv, tolerance=1e-4),
    "gpt": Workload(gpt, tolerance=1e-4),
    "lstm": Workload(lstm, tolerance=1e-4),
    "lstm-kept": Workload(lstm, tolerance=1e-4, keep=True),
    "adam": Workload(adam, tolerance=1e-5),
    "embedding": Workload(embedding, tolerance=1e-5),
    "hessian10": Workload(hessian, {"dimensions": 10}),
    "hessian50": Workload(hessian, {"dimensions": 50}),
}
