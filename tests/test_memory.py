"""Memory: graphs die with their last name, and gradients belong to their leaves alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from reference import leaves, tensors_of

from tinytorch import Tensor
from tinytorch.autograd import grad
from tinytorch.engine import topological_order

EVERY_CASE = [pytest.param(case, id=case.name) for case in CASES]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def references(roots: list[Tensor]) -> list[Any]:
    """Refer weakly to all tensors and arrays of a graph."""
    nodes = topological_order(roots)
    return [weakref.ref(part) for node in nodes for part in (node, node._data)]


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


@pytest.mark.parametrize("case", EVERY_CASE)
def test_a_leafs_gradient_is_its_own_memory(case: Case) -> None:
    for seed in range(3):
        inputs, xs = tensors_of(case.arguments(dice(seed)))
        for y in outputs_of(case, xs, inputs):
            y.backward()
            others = topological_order([y, *xs])
            for x in xs:
                arrays = [node._grad for node in others if node is not x and node._grad is not None]
                arrays += [node._data for node in others]
                assert not any(np.may_share_memory(x.grad, array) for array in arrays)
                assert x.grad.flags.writeable
            for x in xs:
                x.grad = None
