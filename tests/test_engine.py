"""The engine: folding back, the order of the nodes, sums over all paths, and memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch import Tensor, no_grad, sum_to_shape
from tinytorch.engine import topological_order, watcher
from tinytorch.gradients import gradients

# --- folding back ---------------------------------------------------------------------------------


@given(data=st.data())
def test_sum_to_shape_is_the_adjoint_of_broadcasting(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4))
    small, large = shapes.input_shapes[0], shapes.result_shape
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, g = rng.normal(size=small), rng.normal(size=large)
    folded = sum_to_shape(g, small)
    assert folded.shape == small
    assert_allclose(np.sum(folded * x), np.sum(g * np.broadcast_to(x, large)), atol=1e-12)


@given(data=st.data())
def test_sum_to_shape_expands_and_folds_at_once(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4))
    given_shape, wanted = shapes.input_shapes
    g = np.random.default_rng(0).normal(size=given_shape)
    expected = sum_to_shape(np.broadcast_to(g, shapes.result_shape), wanted)
    assert_allclose(sum_to_shape(g, wanted), expected, atol=1e-12)


@pytest.mark.parametrize(("array", "shape"), [((2, 3), (2,)), ((3,), (2, 4)), ((2, 2), (3, 2))])
def test_sum_to_shape_names_shapes_that_do_not_fit(array: Any, shape: Any) -> None:
    with pytest.raises(ValueError, match=r"sum_to_shape: shape .* cannot be folded to") as error:
        sum_to_shape(np.ones(array), shape)
    assert str(array) in str(error.value)
    assert str(shape) in str(error.value)


# --- every path counts ----------------------------------------------------------------------------


def test_a_square_counts_both_its_factors() -> None:
    x = Tensor([3.0])
    (x * x).backward()
    assert_array_equal(x.grad, [6])


def test_a_diamond_waits_for_both_its_sides() -> None:
    a = Tensor(2.0)
    b = a + a
    c = b + b
    d = c * b  # 8 a**2
    d.backward()
    assert a.grad == 32
    assert b.grad == 4 * 4
    assert [node is b or node is c or node is d for node in topological_order([d])[-3:]] == [
        True
    ] * 3


@given(st.permutations(range(6)))
def test_every_node_comes_after_its_inputs(order: list[int]) -> None:
    nodes = [Tensor(float(i)) for i in range(3)]
    for i in order:
        nodes.append(nodes[i % len(nodes)] * nodes[-1] + nodes[0])
    seen = set()
    for node in topological_order([nodes[-1]]):
        assert seen.issuperset(node._children)
        seen.add(node)


def test_two_losses_that_share_a_part_add_up() -> None:
    def gradient(first: bool, second: bool) -> Any:
        x = Tensor([0.5, 1.5])
        shared = x.exp()
        for wanted, loss in ((first, (shared * 2).sum()), (second, (shared * x).sum())):
            if wanted:
                loss.backward()
        return x.grad

    together = gradient(first=True, second=True)
    apart = gradient(first=True, second=False) + gradient(first=False, second=True)
    assert_allclose(together, apart, rtol=1e-15)


def test_gradients_have_the_shape_and_dtype_of_their_data() -> None:
    w = Tensor(np.ones((3, 1)), dtype=np.float32)
    b = Tensor(np.ones(1), dtype=np.float16)
    z = np.ones((5, 3)) @ w + b
    z.sum().backward()
    assert (w.grad.shape, w.grad.dtype) == ((3, 1), np.float32)
    assert (b.grad.shape, b.grad.dtype) == ((1,), np.float16)
    assert_array_equal(w.grad, np.full((3, 1), 5))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1, 1, 1)])
def test_size_zero_and_no_axes_are_no_special_case(shape: tuple[int, ...]) -> None:
    x, y = Tensor(np.ones(shape)), Tensor(2.0)
    z = (x * y + x.exp()).sum()
    z.backward()
    assert_allclose(x.grad, np.full(shape, 2 + np.e))
    assert_allclose(y.grad, x.size)


# --- memory ---------------------------------------------------------------------------------------


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


GRAPHS = {
    "arithmetic": lambda x: x * 2 + x**2 / 3 - x,
    "elementwise": lambda x: x.exp().log().tanh().sigmoid().relu().clip(0, 1),
    "reductions": lambda x: x.sum(0) + x.max(axis=1, keepdims=True) + x.std() + x.cumsum(0),
    "shapes": lambda x: np.concatenate([x.T, x.reshape(3, 3)]).flip(0),
    "indexing": lambda x: x[[0, 0, 1]].sort(axis=0) + np.where(x > 0, x, 0),
    "products": lambda x: x @ x + np.einsum("ij,kj->ik", x, x) + x.norm(),
    "solutions": lambda x: np.linalg.solve(x @ x.T + np.eye(3), x) + np.linalg.svd(x)[1],
    "softmax": lambda x: x.softmax(axis=0) + x.log_softmax(axis=1) + x.logsumexp(),
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.usefixtures("no_collector")
def test_dropping_the_last_name_frees_everything_at_once(graph: Any, backward: bool) -> None:
    x = Tensor(np.random.default_rng(0).uniform(0.1, 1, (3, 3)))
    z = graph(x)
    if backward:
        z.backward()
    nodes = topological_order([z])
    alive = [weakref.ref(node) for node in nodes if node is not x]
    alive += [weakref.ref(node._value) for node in nodes if node is not x]
    del z, nodes
    assert len(alive) > 2
    assert not [ref for ref in alive if ref() is not None]


@pytest.mark.usefixtures("no_collector")
def test_nothing_is_kept_for_what_needs_no_gradient() -> None:
    x = Tensor(np.ones(3), requires_grad=False)
    middle = x * 2
    alive = weakref.ref(middle)
    z = middle.exp()
    del middle
    assert alive() is None
    with no_grad():
        y = Tensor(np.ones(3)) * 2
    assert (y._children, z._children) == ((), ())


# --- indexing on the way back ---------------------------------------------------------------------


def test_steps_by_hand_and_watchers_see_the_parts_of_indexing_as_arrays() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    y = (x[0] + x[[0, 1], 1] * x).sum()
    y.backward()
    nodes, expected = topological_order([y])[::-1], x.grad
    for node in nodes[1:]:
        node.grad = None
    seen: list[Any] = []
    token = watcher.set(lambda node, x, share: seen.append(share))
    try:
        for node in nodes:
            node._backward()
        y.backward()
    finally:
        watcher.reset(token)
    assert_array_equal(x.grad, 2 * expected)
    assert all(isinstance(share, np.ndarray | np.generic) for share in seen)


def test_a_part_is_added_to_an_array_of_its_own() -> None:
    """The rule of a sum hands one array to both its inputs, of which only one was picked from."""
    x, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    part = x[0]
    ((x + w).sum() + part).backward()
    assert_array_equal(x.grad, [2, 1])
    assert_array_equal(w.grad, [1, 1])


def test_what_a_transform_does_not_ask_for_is_not_kept() -> None:
    x = Tensor([1.0, 2.0])
    middle = x.exp()
    z = middle.sum()
    only = {x: True, middle: False, z: False}
    assert list(gradients({z: np.asarray(1.0)}, only=only)) == [x]
    assert set(gradients({z: np.asarray(1.0)})) == {x, middle, z}
