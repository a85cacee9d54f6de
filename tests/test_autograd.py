"""`tinytorch.autograd.grad`: what PyTorch's does, beside PyTorch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch import Tensor, is_grad_enabled, no_grad
from tinytorch.autograd import grad
from tinytorch.engine import record
from tinytorch.nn import MLP, Activation

STEPS: list[Callable[..., Any]] = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b * b,
    lambda a, b: a.tanh() * b,
    lambda a, b: (a * b).sin(),
    lambda a, b: a + b.sum(),
    lambda a, b: a.mean() * (b / 4).exp(),
]
# Each new node takes two of the nodes there are.
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99)), max_size=8
)
SOME_NODES = st.lists(st.integers(0, 99), min_size=1, max_size=3)


def run(program: list[Any], leaves: list[Any]) -> list[Any]:
    nodes = list(leaves)
    for step, i, j in program:
        nodes.append(step(nodes[i % len(nodes)], nodes[j % len(nodes)]))
    return nodes


@given(program=PROGRAMS, outputs=SOME_NODES, inputs=SOME_NODES, seed=st.integers(0, 99))
def test_any_nodes_of_any_graph_as_in_torch(
    program: list[Any], outputs: list[int], inputs: list[int], seed: int
) -> None:
    """Outputs come twice, lie behind each other or are inputs, and inputs are inner nodes."""
    points, weights, directions = np.random.default_rng(seed).normal(size=(3, 3, 3))

    def derivatives(variable: Any, constant: Any, grad: Any) -> tuple[Any, Any]:
        nodes = run(program, [variable(p) for p in points])
        first = grad(
            [nodes[i % len(nodes)] for i in outputs],
            [nodes[i % len(nodes)] for i in inputs],
            [constant(w) for w in weights[: len(outputs)]],
            create_graph=True,
            allow_unused=True,
        )
        pairs = [
            (g, constant(v))
            for g, v in zip(first, directions, strict=False)
            if g is not None and g.requires_grad
        ]
        if not pairs:
            return first, [None] * 3
        gs, vs = zip(*pairs, strict=True)
        return first, grad(gs, nodes[:3], vs, allow_unused=True)

    ours = derivatives(Tensor, lambda w: Tensor(w, requires_grad=False), grad)
    theirs = derivatives(
        lambda p: torch.tensor(p, requires_grad=True), torch.tensor, torch.autograd.grad
    )
    assert [g is None for g in ours[0]] == [g is None for g in theirs[0]]
    for mine, torchs in zip((*ours[0], *ours[1]), (*theirs[0], *theirs[1]), strict=True):
        a, b = (np.zeros(3) if g is None else g.detach().numpy() for g in (mine, torchs))
        assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_gives_a_tuple_and_touches_no_grad() -> None:
    x, y = Tensor([1.0, 2.0]), Tensor(3.0)
    h = x * y
    found = grad((h * h).sum(), (x, h, y))
    assert type(found) is tuple
    assert_array_equal([found[0], found[1]], [[18, 36], [6, 12]])
    assert found[2].item() == 30
    assert all(type(g) is Tensor and not g.requires_grad and not g._children for g in found)
    assert all(t._grad is None for t in (x, y, h))
    # One input, one gradient: still a tuple, as in PyTorch.
    assert len(grad(y * 2, y)) == 1


def test_derivatives_of_any_order() -> None:
    x = Tensor([0.5, -1.5])
    power = x**6
    for order, (factor, exponent) in enumerate(
        [(6, 5), (30, 4), (120, 3), (360, 2), (720, 1), (720, 0)], start=1
    ):
        (power,) = grad(power.sum(), x, create_graph=True)
        assert_allclose(power.data, factor * x.data**exponent, err_msg=f"order {order}")


def test_the_weights_are_differentiated_too() -> None:
    x, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (g,) = grad(x**3, x, w, create_graph=True)
    by_x, by_w = grad(g.sum(), (x, w))
    assert_array_equal(by_x, [18, 48])
    assert_array_equal(by_w, [3, 12])


def test_weights_may_be_arrays_numbers_and_none() -> None:
    x = Tensor([1.0, 2.0], dtype=np.float32)
    first = grad(x * x, x, np.array([10, 1]))
    second = grad([x * x, (x * x).sum()], x, [[10, 1], None])
    third = grad((x * x).sum(), x, 0.5)
    assert_array_equal(first[0], [20, 4])
    assert_array_equal(second[0], [22, 8])
    assert_array_equal(third[0], [1, 2])
    fourth = grad(x, x, Tensor([2.0, 1.0]))
    assert all(g.dtype == np.float32 for g in (*first, *second, *third, *fourth))


def test_the_gradients_are_no_views_of_each_other_nor_of_the_weights() -> None:
    x, y, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), np.ones(2)
    a, b = grad(x + y, (x, y), w)
    a.data += 1
    w += 5
    assert_array_equal(b, [1, 1])


def test_a_penalty_on_the_gradient_trains_a_network_as_in_torch() -> None:
    model = MLP(3, [(5, Activation.TANH), (1, Activation.LINEAR)], rng=0)
    data = np.random.default_rng(0).normal(size=(4, 3))
    x = Tensor(data)
    (slope,) = grad(model(x).sum(), x, create_graph=True)
    (slope * slope).sum().backward()

    weights = [torch.tensor(p.data, requires_grad=True) for p in model.parameters]
    xt = torch.tensor(data, requires_grad=True)
    hidden = torch.tanh(xt @ weights[0] + weights[1])
    (slope_t,) = torch.autograd.grad(
        (hidden @ weights[2] + weights[3]).sum(), xt, create_graph=True
    )
    (slope_t * slope_t).sum().backward()
    for ours, theirs in zip(model.parameters, weights, strict=True):
        expected = np.zeros(ours.shape) if theirs.grad is None else theirs.grad.numpy()
        assert_allclose(ours.grad, expected, rtol=1e-12, atol=1e-14)


def counting(x: Tensor, calls: list[str], name: str) -> Tensor:
    """Be the identity, and note that its rule was asked."""

    def rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
        calls.append(name)
        return grad

    result: Tensor = record(x.data.copy(), (x,), (x.data, x.data), None, (rule,))
    return result


@pytest.mark.parametrize("create_graph", [False, True])
def test_nothing_is_computed_off_the_way_from_outputs_to_inputs(create_graph: bool) -> None:
    calls: list[str] = []
    early, side = Tensor(2.0), Tensor(5.0)
    x = counting(early, calls, "upstream of the input")
    y = counting(x * 3, calls, "on the way") * counting(side, calls, "beside")
    (g,) = grad(y, x, create_graph=create_graph)
    assert g.item() == 15
    assert calls == ["on the way"]
    grad(y, (x, early), create_graph=create_graph)
    assert calls == ["on the way"] * 2 + ["upstream of the input"]


@pytest.mark.parametrize("create_graph", [False, True])
def test_inside_no_grad(create_graph: bool) -> None:
    x = Tensor(2.0)
    y = x**3
    with no_grad():
        (g,) = grad(y, x, create_graph=create_graph)
        assert not is_grad_enabled()
        assert not (x * 1).requires_grad
    assert g.item() == 12
    assert g.requires_grad == create_graph
    if create_graph:
        assert grad(g, x)[0].item() == 12


def test_a_failing_rule_leaves_nothing_behind() -> None:
    def rule(*_: Any) -> Any:
        raise ArithmeticError

    x = Tensor(2.0)
    y = record(x.data.copy(), (x,), (x.data, x.data), None, (rule,))
    with no_grad():
        with pytest.raises(ArithmeticError):
            grad(y, x, create_graph=True)
        assert not is_grad_enabled()
    assert grad(x * x, x)[0].item() == 4


X = Tensor([1.0, 2.0], label="x")
CONSTANT = Tensor(1.0, requires_grad=False)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((X * 2, X), RuntimeError, "outputs[0] is a tensor of shape (2,)|grad_outputs"),
        (([X.sum(), X], X), RuntimeError, "outputs[1]|'x'|grad_outputs"),
        ((X.sum(), Tensor(1.0)), RuntimeError, "do not depend on inputs[0]|allow_unused"),
        ((X.sum(), [X, Tensor(1.0)]), RuntimeError, "do not depend on inputs[1]"),
        ((X.sum(), CONSTANT), RuntimeError, "inputs[0]|requires no gradient"),
        ((CONSTANT, X), RuntimeError, "outputs[0]|requires no gradient"),
        ((X.sum(), np.ones(2)), TypeError, "inputs[0] is float64 np.float64(1.0), expected"),
        ((X.sum(), 1.0), TypeError, "inputs[0] is float 1.0, expected a Tensor"),
        (([3.0], X), TypeError, "outputs[0] is float 3.0, expected a Tensor"),
        ((X * 2, X, np.ones(3)), ValueError, "grad_outputs[0]|(2,)|(3,)"),
        ((X * 2, X, Tensor(np.ones((2, 1)))), ValueError, "grad_outputs[0]|(2,)|(2, 1)"),
        ((X.sum(), X, "one"), TypeError, "grad_outputs[0]|'one'"),
        ((X.sum(), X, [1.0, 2.0]), ValueError, "2 items for 1 outputs"),
        ((X.sum(), X, 1j), TypeError, "grad_outputs[0]|1j"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        grad(*arguments)
    for part in words.split("|"):
        assert part in str(caught.value)


def test_unused_inputs_may_be_allowed() -> None:
    used, unused = grad(X.sum(), (X, Tensor(1.0)), allow_unused=True)
    assert_array_equal(used, [1, 1])
    assert unused is None


def test_backward_refuses_create_graph_and_says_where_to_go() -> None:
    with pytest.raises(RuntimeError, match=re.escape("tinytorch.autograd.grad(")):
        X.sum().backward(create_graph=True)
