"""Random graphs of operations, here and in PyTorch; and the laws of algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tinytorch import Tensor
from tinytorch.autograd import grad

SHAPES = [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (4, 1, 3), (1, 1, 1)]


class Step(NamedTuple):
    """An operation, and which of the results so far are its operands."""

    operation: str
    operands: tuple[int, ...]


# Every one keeps values between -10 and 10 or so, whatever it is given, so that a graph of thirty
# neither overflows nor loses its digits; all but the kinks of abs, maximum and relu are smooth.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: (x + y) / 2,
    "subtract": lambda x, y: (x - y) / 2,
    "multiply": lambda x, y: x * y / 4,
    "divide": lambda x, y: x / (y * y + 1),
    "power": lambda x, y: (x * x + 0.5) ** (y / 8),
    "maximum": lambda x, y: x.maximum(y),
    "matmul": lambda x, y: (x.reshape(-1, 1) @ y.reshape(1, -1)).mean(),
    "negate": lambda x: -x,
    "square": lambda x: x**2 / 4,
    "reciprocal": lambda x: 1 / (x * x + 1),
    "constants": lambda x: 1 - (0.5 * x + 0.25),
    "exp": lambda x: (x / 4).exp(),
    "log": lambda x: (x * x + 1).log(),
    "sqrt": lambda x: (x * x + 1).sqrt(),
    "abs": abs,
    "relu": lambda x: x.relu(),
    "sigmoid": lambda x: x.sigmoid(),
    "tanh": lambda x: x.tanh(),
    "sum": lambda x: x.sum() / 8,
    "mean": lambda x: x.mean(),
    "rows": lambda x: x.reshape(1, -1).sum(0) / 2,
    "flat": lambda x: x.reshape(-1)[:1],
}
BINARY = ["add", "subtract", "multiply", "divide", "power", "maximum", "matmul"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[np.ndarray[Any, Any]], list[Step]]:
    """Draw leaves, and up to thirty steps whose operands are leaves or earlier results."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    leaves = [rng.uniform(-3, 3, shape) for shape in shapes]
    values = [Tensor(x) for x in leaves]
    steps = []
    for _ in range(draw(st.integers(1, 30))):
        name = draw(st.sampled_from(list(OPERATIONS)))
        places = st.integers(0, len(values) - 1)
        operands = (draw(places), draw(places)) if name in BINARY else (draw(places),)
        try:
            value = OPERATIONS[name](*[values[i] for i in operands])
        except ValueError:  # these two do not broadcast
            continue
        steps.append(Step(name, operands))
        values.append(value)
    return leaves, steps


def results(leaves: list[Any], steps: list[Step]) -> list[Any]:
    values = list(leaves)
    for name, operands in steps:
        values.append(OPERATIONS[name](*[values[i] for i in operands]))
    return values


def loss(values: list[Any]) -> Any:
    """Weigh every result, so that a gradient flows into each on two ways."""
    return sum(value.sum() * (1 + i / 7) for i, value in enumerate(values))


# The graphs are many, and each is worth more than an example of a single operation.
@settings(max_examples=5 * settings.default.max_examples)
@given(graph=graphs())
def test_random_graph_agrees_with_pytorch(graph: Any) -> None:
    arrays, steps = graph
    ours = [Tensor(x) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    our_loss, their_loss = loss(results(ours, steps)), loss(results(theirs, steps))
    our_loss.backward()
    their_loss.backward()
    assert_allclose(our_loss.data, their_loss.detach().numpy(), rtol=1e-9)
    for x, y in zip(ours, theirs, strict=True):
        # What is left of terms that cancel is as exact as the largest of them.
        expected = y.grad.numpy()
        assert_allclose(x.grad, expected, rtol=1e-9, atol=1e-12 * (1 + np.abs(expected).max()))


@given(graph=graphs())
def test_second_derivatives_of_random_graphs_agree_with_pytorch(graph: Any) -> None:
    arrays, steps = graph
    ours = [Tensor(x) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    products = []
    for xs, derive in ((ours, grad), (theirs, torch.autograd.grad)):
        slopes = derive(loss(results(xs, steps)), xs, create_graph=True)
        # The derivative along a direction of no symmetry: the Hessian times a vector.
        along = sum((slope * (i + 0.7)).sum() for i, slope in enumerate(slopes))
        along = along + sum((x * x).sum() for x in xs) / 2
        products.append(derive(along, xs))
    for ours_twice, theirs_twice in zip(*products, strict=True):
        expected = theirs_twice.numpy()
        # Twice as many terms cancel as in the first derivative.
        tolerance = 1e-11 * (1 + np.abs(expected).max())
        assert_allclose(ours_twice.data, expected, rtol=1e-9, atol=tolerance)


@given(graph=graphs())
def test_float32_stays_float32_in_every_graph(graph: Any) -> None:
    arrays, steps = graph
    leaves = [Tensor(x, dtype=np.float32) for x in arrays]
    values = results(leaves, steps)
    loss(values).backward()
    assert {value.dtype for value in values} == {np.dtype(np.float32)}
    assert {value.grad.dtype for value in values} == {np.dtype(np.float32)}


@given(graph=graphs())
def test_backward_changes_no_value(graph: Any) -> None:
    arrays, steps = graph
    values = results([Tensor(x) for x in arrays], steps)
    before = [value.data.copy() for value in values]
    loss(values).backward()
    assert all(np.array_equal(x, y.data) for x, y in zip(before, values, strict=True))


@given(graph=graphs(), by_hand=st.booleans())
def test_a_freed_graph_gave_the_same_gradients_and_gives_no_more(graph: Any, by_hand: bool) -> None:
    arrays, steps = graph
    leaves, twins = ([Tensor(x) for x in arrays] for _ in range(2))
    values, kept = results(leaves, steps), loss(results(twins, steps))
    z = loss(values)
    kept.backward()
    if by_hand:
        found = [x.data for x in grad(z, leaves, retain_graph=False)]
    else:
        z.backward(retain_graph=False)
        found = [x.grad for x in leaves]
    for ours, twin in zip(found, twins, strict=True):
        assert np.array_equal(ours, twin.grad)
    before = [x.grad for x in leaves]
    for value in {z, *(y for y in values if not y.is_leaf)}:
        assert value.requires_grad
        with pytest.raises(RuntimeError, match="was freed by an earlier pass with retain_graph"):
            value.backward()
    for x, again in zip(leaves, before, strict=True):
        assert np.array_equal(x.grad, again)


LAWS = {
    "addition commutes": (lambda x, y, z: x + y, lambda x, y, z: y + x),
    "multiplication commutes": (lambda x, y, z: x * y, lambda x, y, z: y * x),
    "addition associates": (lambda x, y, z: (x + y) + z, lambda x, y, z: x + (y + z)),
    "multiplication associates": (lambda x, y, z: (x * y) * z, lambda x, y, z: x * (y * z)),
    "it distributes": (lambda x, y, z: x * (y + z), lambda x, y, z: x * y + x * z),
    "zero adds nothing": (lambda x, y, z: x + 0, lambda x, y, z: +x),
    "one is neutral": (lambda x, y, z: x * 1, lambda x, y, z: x / 1),
    "minus is plus the negative": (lambda x, y, z: x - y, lambda x, y, z: x + -y),
    "twice negated": (lambda x, y, z: x.neg().neg(), lambda x, y, z: x**1),
    "a quotient times its divisor": (lambda x, y, z: x / y * y, lambda x, y, z: x * (y / y)),
    "squares": (lambda x, y, z: x**2, lambda x, y, z: x * x),
    "powers add": (lambda x, y, z: x**2.5 * x**0.5, lambda x, y, z: x**3),
    "logarithms add": (lambda x, y, z: (x * y).log(), lambda x, y, z: x.log() + y.log()),
    "exp undoes log": (lambda x, y, z: x.log().exp(), lambda x, y, z: +x),
    "the larger and the smaller": (
        lambda x, y, z: x.maximum(y) + x.minimum(y),
        lambda x, y, z: x + y,
    ),
}


@pytest.mark.parametrize("name", LAWS)
@given(
    seed=st.integers(0, 2**32 - 1), shapes=st.lists(st.sampled_from(SHAPES), min_size=3, max_size=3)
)
def test_law(name: str, seed: int, shapes: list[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(0.5, 2, shape) for shape in shapes]
    gradients = []
    for side in LAWS[name]:
        tensors = [Tensor(x) for x in arrays]
        value = side(*tensors)
        value.backward(np.linspace(1, 2, value.size).reshape(value.shape))
        gradients.append([value.data, *[x.grad for x in tensors]])
    for left, right in zip(*gradients, strict=True):
        # A law of real numbers holds for floating ones up to their rounding.
        assert_allclose(left, right, rtol=1e-12, atol=1e-12)
