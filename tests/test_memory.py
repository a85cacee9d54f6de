"""Memory: graphs die with their last name, and gradients belong to their leaves alone."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from reference import leaves, tensors_of

from tinytorch import Tensor, keep_freed_memory
from tinytorch.autograd import grad
from tinytorch.engine import topological_order
from tinytorch.nn import MLP, Activation

EVERY_CASE = [pytest.param(case, id=case.name) for case in CASES]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def references(roots: list[Tensor]) -> list[Any]:
    """Refer weakly to all tensors and arrays of a graph."""
    nodes = topological_order(roots)
    return [weakref.ref(part) for node in nodes for part in (node, node._value)]


def outputs_of(case: Case, xs: list[Tensor], inputs: Any) -> list[Tensor]:
    # Tensors handed on as they came are none of the graph's.
    found = leaves(case.spellings[0](*inputs))
    return [y for y in found if y.requires_grad and not any(y is x for x in xs)]


@pytest.mark.parametrize("case", EVERY_CASE)
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.usefixtures("no_collector")
def test_everything_is_freed_at_once(case: Case, order: int) -> None:
    for seed in range(3):
        inputs, xs = tensors_of(case.arguments(dice(seed)))
        ys = outputs_of(case, xs, inputs)
        alive = references([*xs, *ys])
        if order == 1:
            for y in ys:
                y.backward()
                alive += [weakref.ref(node.grad) for node in topological_order([y])]
        if order == 2:
            for y in ys:
                ones = np.ones(y.shape)
                slopes = grad(y, xs, ones, create_graph=True, allow_unused=True)
                alive += references([slope for slope in slopes if slope is not None])
                del slopes
        y = None
        del inputs, xs, ys, y
        assert not [ref for ref in alive if ref() is not None]


@pytest.mark.usefixtures("no_collector")
def test_training_leaves_nothing_to_the_collector() -> None:
    model = MLP(2, [(3, Activation.RELU), (1, Activation.SIGMOID)], rng=0)
    found = []
    for _ in range(5):
        loss = ((model(np.ones((4, 2))) - 1) ** 2).mean()
        model.flush_grads()
        loss.backward()
        for parameter in model.parameters:
            parameter.data -= 0.1 * parameter.grad
        del loss
        found.append(gc.collect())
    # The test runner leaves something now and then, but a step would each time.
    assert min(found) == 0


def test_adding_up_in_place_changes_no_other_gradient() -> None:
    # NumPy reuses an array that nobody else holds, if it is this large.
    x = Tensor(np.ones(100_000))
    twice = x + x
    total = twice + x
    total.backward()
    assert (total.grad == 1).all()
    assert (twice.grad == 1).all()
    assert (x.grad == 3).all()


@pytest.mark.parametrize("case", EVERY_CASE)
def test_a_leafs_gradient_is_its_own_memory(case: Case) -> None:
    for seed in range(3):
        inputs, xs = tensors_of(case.arguments(dice(seed)))
        for y in outputs_of(case, xs, inputs):
            y.backward()
            others = topological_order([y, *xs])
            for x in xs:
                arrays = [node._grad for node in others if node is not x and node._grad is not None]
                arrays += [node._value for node in others]
                assert not any(np.may_share_memory(x.grad, array) for array in arrays)
                assert x.grad.flags.writeable
            for x in xs:
                x.grad = None


# Kept are four values, a gradient that they share, and those of x and y. A freed graph has given up
# tanh's value and the gradient in front of it when those of x and y come.
@pytest.mark.parametrize(("retain_graph", "arrays"), [(None, 7), (True, 7), (False, 6)])
def test_nothing_but_values_and_gradients_is_kept_on_the_way_back(
    retain_graph: bool | None, arrays: int
) -> None:
    x, y = Tensor(np.ones(100_000)), Tensor(np.ones(100_000))
    tracemalloc.start()
    (x * y + x.exp()).tanh().sum().backward(retain_graph=retain_graph)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (arrays + 0.1) * x.data.nbytes


# --- of the process ---------------------------------------------------------------------------

FAULTS = """
import ctypes
import resource
import numpy as np
import tinytorch

PR_SET_THP_DISABLE = 41  # a huge page would count as one
ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
if {keep}:
    tinytorch.keep_freed_memory()
x = tinytorch.Tensor(np.ones({size}))
for step in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    (x.exp().tanh() * x).sum().backward()
    x.grad = None
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is another C library's")
def test_freed_memory_is_used_again() -> None:
    def faults(size: int, *, keep: bool) -> int:
        code = FAULTS.format(size=size, keep=keep)
        # Dask's clusters leave a threshold of glibc's in the environment, which ends its learning.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
        return int(
            subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
        )

    # There are seven arrays, of 977 pages each, and then of ten times as many.
    assert faults(500_000, keep=False) < 100
    assert faults(5_000_000, keep=False) > 5 * 9770
    assert faults(5_000_000, keep=True) < 100


def test_glibc_is_told_by_its_numbers_for_the_two(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    glibc = SimpleNamespace(mallopt=lambda *option: told.append(option))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: glibc)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    keep_freed_memory()
    assert told == [(-1, 2**31 - 1), (-4, 0)]  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h


def test_another_c_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with pytest.raises(OSError, match=r"keep_freed_memory: it tells glibc .* another C library"):
        keep_freed_memory()
