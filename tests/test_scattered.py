"""Gradients of a few entries of a large leaf, which are written down where somebody looks."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Tensor, nn
from tinytorch.arrays.scattered import Scattered
from tinytorch.optim import SGD, Adam, Optimizer

ROWS = np.random.default_rng(0).normal(size=(40, 3))


def loss_of(table: Any, numbers: Any) -> Any:
    return (table[numbers] ** 2).sum()


def differentiated(numbers: Any = (3, 7, 3), rows: Any = ROWS) -> Tensor:
    """Give a table whose gradient is not written down yet."""
    table = Tensor(rows, label="table")
    loss_of(table, np.array(numbers)).backward()
    assert type(table._grad) is Scattered
    return table


def expected(*numbers: int, rows: Any = ROWS) -> Any:
    gradient = np.zeros_like(rows)
    np.add.at(gradient, np.array(numbers), 2 * rows[list(numbers)])
    return gradient


@given(
    st.lists(st.integers(-40, 39), min_size=1, max_size=5),
    st.sampled_from([SGD, Adam]),
    st.sampled_from([{}, {"weight_decay": 0.1}, {"maximize": True}]),
    st.sampled_from([0, 0.5]),
    st.integers(1, 2),
)
def test_steps_follow_pytorchs(
    numbers: list[int], kind: Any, options: Any, momentum: float, passes: int
) -> None:
    options = {"lr": 0.1, **options}
    if kind is SGD:
        options["momentum"] = momentum
    ours, theirs = Tensor(ROWS), torch.tensor(ROWS, requires_grad=True)
    mine, their = kind([ours], **options), getattr(torch.optim, kind.__name__)([theirs], **options)
    for _ in range(3):
        mine.zero_grad()
        their.zero_grad()
        for _ in range(passes):
            loss_of(ours, np.array(numbers)).backward()
            loss_of(theirs, numbers).backward()
        mine.step()
        their.step()
    assert_allclose(ours.data, theirs.detach(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_steps_change_the_rows_that_were_used(dtype: Any) -> None:
    rows = ROWS.astype(dtype)
    table, twin = Tensor(rows), Tensor(rows)
    for x in (table, twin):
        loss_of(x, np.array([3, 7, 3])).backward()
    assert twin.grad.dtype == dtype  # written down
    for x in (table, twin):
        SGD([x], lr=0.1).step()
    assert table._grad._sum is None  # still not
    assert_allclose(table.data, twin.data, rtol=1e-6 if dtype == np.float32 else 1e-14)
    assert (table.data != rows).any(axis=1).nonzero()[0].tolist() == [3, 7]


def test_what_is_done_to_the_gradient_counts() -> None:
    table = differentiated()
    gradient = table.grad
    assert table.grad is gradient
    assert_array_equal(gradient, expected(3, 7, 3))
    gradient[0] = 1
    table.grad *= 2
    assert table.grad is gradient
    SGD([table], lr=0.5).step()
    assert_allclose(table.data, ROWS - expected(3, 7, 3) - np.eye(40)[0][:, None], rtol=1e-12)
    table = differentiated()
    norm = nn.utils.clip_grad_norm_([table], 1.0)
    assert_allclose(norm.data, np.linalg.norm(expected(3, 7, 3)))
    assert_allclose(np.linalg.norm(table.grad), 1, rtol=1e-6)


def test_nothing_that_changes_later_changes_it() -> None:
    table, numbers = Tensor(ROWS), np.array([3, 7])
    rows = table[numbers]
    (rows * rows).sum().backward()
    numbers[:] = 0
    rows.grad[...] = 0
    assert type(table._grad) is Scattered
    assert_array_equal(table.grad, expected(3, 7))


def test_passes_add_up() -> None:
    table = differentiated()
    loss_of(table, np.array([7, 9])).backward()
    assert_array_equal(table.grad, expected(3, 7, 3, 7, 9))
    first = table.grad
    loss_of(table, [1]).backward()  # in an array of its own
    assert_array_equal(table.grad, expected(3, 7, 3, 7, 9, 1))
    assert_array_equal(first, expected(3, 7, 3, 7, 9))
    (table * 2).sum().backward()
    assert_array_equal(table.grad, expected(3, 7, 3, 7, 9, 1) + 2)
    table = differentiated((5,))
    loss = loss_of(table, [1])
    loss.grad = np.ones(())
    for node in (loss, loss._children[0], loss._children[0]._children[0], table):
        node._backward()
    assert_array_equal(table.grad, expected(5, 1))


def test_two_uses_in_one_pass_and_transforms() -> None:
    table = Tensor(ROWS)
    (loss_of(table, [3]) + loss_of(table, [3, 4])).backward()
    assert_array_equal(table.grad, expected(3, 3, 4))
    (found,) = tinytorch.autograd.grad(loss_of(table, [3]), [table])
    assert type(found._value) is np.ndarray
    assert_array_equal(found, expected(3))


def test_copies_pictures_and_dtypes_have_arrays(tmp_path: Path) -> None:
    pickled = pickle.dumps(differentiated())
    for twin in (copy.deepcopy(differentiated()), pickle.loads(pickled)):  # noqa: S301
        assert_array_equal(twin.grad, expected(3, 7, 3))
    table = nn.Embedding.from_pretrained(ROWS, freeze=False)
    loss_of(table.weight, [3]).backward()
    table.float()
    assert table.weight.grad.dtype == np.float32
    assert_allclose(table.weight.grad, expected(3), rtol=1e-6)
    small = Tensor(np.ones(8))
    small[[3]].backward()
    assert type(small._grad) is Scattered
    small.render(tmp_path / "graph.dot")
    assert_array_equal(small.grad, np.eye(8)[3])


def test_an_optimiser_of_the_users_gets_an_array() -> None:
    class Signs(SGD):
        def update(self, x: Any, g: Any, _state: Any, group: Any) -> None:
            x -= group["lr"] * np.sign(g)

    class Plain(Optimizer):
        def update(self, x: Any, g: Any, _state: Any, _group: Any) -> None:
            x -= np.sign(g)

    for make in (lambda xs: Signs(xs, lr=1), lambda xs: Plain(xs, {})):
        table = differentiated()
        make([table]).step()
        assert_array_equal(table.data, ROWS - np.sign(expected(3, 7, 3)))


def test_compiled_functions_read_and_add_to_it() -> None:
    def again(numbers: Any) -> Any:
        loss = loss_of(table, numbers)
        loss.backward()
        return loss

    def step() -> None:
        optimizer.step()

    compiled, table = tinytorch.compile(again), differentiated()
    for n in range(1, 4):
        compiled(np.array([3, 4]))
        assert_allclose(table.grad, expected(3, 7, 3) + n * expected(3, 4), rtol=1e-14)
    table = Tensor(ROWS)
    optimizer = SGD([table], lr=0.25)
    compiled = tinytorch.compile(step)
    rows = ROWS
    for _ in range(4):
        optimizer.zero_grad()
        loss_of(table, np.array([3, 7, 3])).backward()
        compiled()
        rows = rows - 0.25 * expected(3, 7, 3, rows=rows)
        assert_allclose(table.data, rows, rtol=1e-12, atol=1e-15)
