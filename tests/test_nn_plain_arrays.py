"""Plain arrays in the place of any of a function's tensors: constants, and the result a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import test_nn_functions
import test_nn_windows
from cases import dice
from numpy.testing import assert_allclose
from test_nn_functions import Case, exchanged

from tinytorch import Tensor
from tinytorch.nn import functional as ours

pytestmark = test_nn_windows.pytestmark
CASES = [*test_nn_functions.CASES, *test_nn_windows.CASES]


def leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, list | tuple):
        for part in x:
            yield from leaves(part)
    else:
        yield x


def is_variable(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def with_tensors(variables: Any, which: Callable[[int], bool]) -> Any:
    """Make tensors of some of the variables, by their numbers, and copies of the others."""
    numbers = iter(range(100))

    def made(x: Any) -> Any:
        if not is_variable(x):
            return x
        return Tensor(x) if which(next(numbers)) else x.copy()

    return exchanged(variables, made)


def outputs(case: Case, variables: Any, options: Any, which: Callable[[int], bool]) -> list[Any]:
    own = exchanged(options, lambda x: x.copy() if isinstance(x, np.ndarray) else x)
    return list(leaves(case.ours(own)(*with_tensors(variables, which))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_of_the_cases(case: Case) -> None:
    for seed in range(4):
        variables, options = case.draw(dice(seed))
        expected = outputs(case, variables, options, lambda _: True)
        for only in (None, *range(sum(map(is_variable, leaves(variables))))):
            actual = outputs(case, variables, options, lambda i, only=only: i == only)  # type: ignore[misc]
            assert isinstance(actual[0], Tensor)
            for x, y in zip(actual, expected, strict=True):
                assert_allclose(x.tolist(), y.tolist(), rtol=1e-12, atol=1e-12)


x, q = np.random.default_rng(0).normal(size=(2, 3, 4, 4)), np.ones((2, 3, 4))
numbers, rows, labels = np.array([[0, 1], [2, 1]]), np.ones((4, 3)), np.array([0, 1])
_, places1 = ours.max_pool1d(q, 2, return_indices=True)
_, places2 = ours.max_pool2d(x, 2, return_indices=True)
_, places3 = ours.max_pool3d(x, 2, return_indices=True)
ONE, EIGHT = np.ones(3), np.ones(8)
FURTHER: dict[str, Callable[[], Any]] = {
    "alpha_dropout": lambda: ours.alpha_dropout(x),
    "dropout": lambda: ours.dropout(x),
    "dropout1d": lambda: ours.dropout1d(q),
    "dropout2d": lambda: ours.dropout2d(x),
    "dropout3d": lambda: ours.dropout3d(x),
    "feature_alpha_dropout": lambda: ours.feature_alpha_dropout(x),
    "gumbel_softmax": lambda: ours.gumbel_softmax(x),
    "ctc_loss": lambda: ours.ctc_loss(
        np.zeros((5, 2, 4)), numbers + 1, np.array([5, 5]), np.array([2, 2])
    ),
    "embedding_bag": lambda: ours.embedding_bag(
        numbers, rows, max_norm=1.0, mode="sum", per_sample_weights=np.ones((2, 2))
    ),
    "linear_cross_entropy": lambda: ours.linear_cross_entropy(np.ones((2, 3)), rows, labels),
    "max_unpool1d": lambda: ours.max_unpool1d(q[..., :2], places1, 2),
    "max_unpool2d": lambda: ours.max_unpool2d(x[..., :2, :2], places2, 2),
    "max_unpool3d": lambda: ours.max_unpool3d(x[:, :1, :2, :2], places3, 2),
    "scaled_dot_product_attention": lambda: ours.scaled_dot_product_attention(q, q, q, np.eye(3)),
    "multi_head_attention_forward": lambda: ours.multi_head_attention_forward(
        q, q, q, 4, 2, np.ones((12, 4)), np.ones(12), None, None, False, 0.0, np.eye(4), np.ones(4)
    )[0],
    "batch_norm": lambda: ours.batch_norm(x, ONE, ONE, ONE, ONE),
    "instance_norm": lambda: ours.instance_norm(x, ONE, ONE, ONE, ONE, use_input_stats=False),
    "layer_norm": lambda: ours.layer_norm(q, (4,), np.ones(4), np.ones(4)),
    "group_norm": lambda: ours.group_norm(np.ones((2, 8, 3)), 2, EIGHT, EIGHT),
}


@pytest.mark.parametrize("name", FURTHER)
def test_of_further_functions(name: str) -> None:
    assert isinstance(FURTHER[name](), Tensor)


def test_every_function_is_among_them() -> None:
    assert set(ours.__all__) - {case.name for case in CASES} - {*FURTHER} == {"one_hot"}


@pytest.mark.parametrize("norm", [ours.batch_norm, ours.instance_norm])
def test_plain_running_statistics_move_in_place_as_tensors_do(norm: Callable[..., Any]) -> None:
    plain = np.zeros(3), np.ones(3)
    tensors = [Tensor(part, requires_grad=False) for part in plain]
    norm(x, *plain, None, None, True)
    norm(Tensor(x), *tensors, None, None, True)
    for mine, theirs in zip(plain, tensors, strict=True):
        assert_allclose(mine, theirs.data)
    assert plain[0].any()
