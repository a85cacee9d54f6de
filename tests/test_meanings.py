"""What a tensor means by what it does: a test for each rule that the design fixes."""

from __future__ import annotations

import array
import contextvars
import copy
import math
import pickle
import threading
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from tinytorch import Tensor, nn, no_grad, optim

FLOATS = (np.float16, np.float32, np.float64)

# --- construction ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_floating_array_keeps_its_dtype_and_is_copied(dtype: Any) -> None:
    array = np.array([1, 2, 3], dtype)
    x = Tensor(array)
    assert x.dtype == dtype
    array[0] = 7
    assert x.data[0] == 1
    x.data[1] = 9
    assert array[1] == 2


@pytest.mark.parametrize("data", [3, True, [1, 2], [[True], [False]], np.arange(3), (1, 2.5)])
def test_everything_else_becomes_float64(data: Any) -> None:
    x = Tensor(data)
    assert x.dtype == np.float64
    assert_array_equal(x.data, np.array(data, np.float64))


def test_another_tensor_lends_its_values_only() -> None:
    x = Tensor([1.0, 2.0], dtype=np.float32)
    with pytest.raises(TypeError, match=r"a copy, Tensor\(x\), .* would lose its gradient"):
        Tensor(x * 2)
    y = Tensor((x * 2).detach())
    assert y.dtype == np.float32
    assert_array_equal(y.data, [2, 4])
    y.sum().backward()
    assert_array_equal(x.grad, [0, 0])


def test_other_libraries_arrays_come_and_go_by_dlpack() -> None:
    theirs = torch.tensor([1.0, 2.0])
    x = Tensor(theirs)
    assert x.dtype == np.float32
    theirs[0] = 9
    assert_array_equal(x.data, [1, 2])
    assert Tensor(torch.arange(3)).dtype == np.float64
    assert torch.from_dlpack(x.detach()).tolist() == [1, 2]
    assert np.shares_memory(np.from_dlpack(x.detach()), x.data)
    with pytest.raises(TypeError, match="an exchange by DLPack would lose the gradient"):
        torch.from_dlpack(x)


def test_dtype_may_be_named() -> None:
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert Tensor(np.ones(2, np.float32), dtype="float64").dtype == np.float64


@pytest.mark.parametrize(
    ("data", "error", "got"),
    [
        ("1.0", TypeError, "str '1.0'"),
        (["a", "b"], TypeError, "list ['a', 'b']"),
        (None, TypeError, "NoneType None"),
        ({}, TypeError, "dict {}"),
        (np.array([None]), TypeError, "object"),
        (np.array(["2026-01-01"], "datetime64"), TypeError, "datetime64"),
        ([[1, 2], [3]], ValueError, "inhomogeneous"),
    ],
)
def test_what_is_no_numbers_is_refused(data: Any, error: type[Exception], got: str) -> None:
    with pytest.raises(error, match="expected a number, nested lists of them, or an array") as e:
        Tensor(data)
    assert got in str(e.value)


@pytest.mark.parametrize("dtype", [int, bool, str, object])
def test_a_dtype_without_derivatives_is_refused(dtype: Any) -> None:
    with pytest.raises(TypeError, match="has a floating or complex dtype, got"):
        Tensor([1.0], dtype=dtype)


# --- dtypes and constants -------------------------------------------------------------------------


@pytest.mark.parametrize("constant", [2, 2.5, True, np.arange(1, 4), np.array([True, True, False])])
def test_numbers_and_whole_numbers_never_change_a_dtype(constant: Any) -> None:
    for dtype in FLOATS:
        x = Tensor([1.0, 2.0, 3.0], dtype=dtype)
        for z in (x + constant, constant - x, x * constant, constant / x, x**constant):
            assert z.dtype == dtype
        (x * constant).sum().backward()
        assert x.grad.dtype == dtype


def test_a_floating_array_promotes_as_in_numpy_and_the_gradient_comes_back() -> None:
    x = Tensor([1.0, 2.0], dtype=np.float32)
    z = x * np.array([0.1, 0.2])
    assert z.dtype == np.float64
    z.sum().backward()
    assert x.grad.dtype == np.float32


def test_arrays_and_numbers_are_constants_on_either_side() -> None:
    array = np.array([1.0, 2.0])
    x = Tensor([3.0, 4.0])
    for z in (array + x, x + array, np.add(array, x), 1 - x, array * x, 2.0**x, array @ x):
        assert type(z) is Tensor
        assert any(child is x for child in z._children)
        assert z.requires_grad
    assert type(array) is np.ndarray


def test_no_rule_runs_for_a_constant() -> None:
    called = []

    def rule(name: str) -> Any:
        return lambda grad, out, x, y: called.append(name) or grad

    x, constant = Tensor([1.0]), Tensor([2.0], requires_grad=False)
    for operands in ((x, constant), (x, np.ones(1)), (x, 2.0)):
        z = operands[0] * operands[1]
        z._rules = (rule("x"), rule("constant"))
        z.backward()
    assert called == ["x", "x", "x"]
    assert constant._grad is None


@pytest.mark.parametrize("operand", ["a", None, {}, object()])
def test_an_operand_that_is_no_number_is_refused(operand: Any) -> None:
    with pytest.raises(TypeError, match="expected a Tensor, a number or an array of"):
        Tensor([1.0]) + operand


def test_a_list_of_tensors_is_no_operand() -> None:
    with pytest.raises(TypeError, match=r"np\.stack or np\.concatenate makes one of it"):
        Tensor([1.0, 2.0]) * [Tensor(1.0), Tensor(2.0)]


# --- indexing -------------------------------------------------------------------------------------


@given(data=st.data())
def test_indexing_is_numpys(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    index = data.draw(
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
        | (hnp.integer_array_indices(shape) if shape else st.just(()))
        | hnp.arrays(bool, shape)
    )
    array = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    x = Tensor(array)
    picked = x[index]
    assert_array_equal(picked.data, array[index])
    weights = np.arange(1.0, picked.size + 1).reshape(picked.shape)
    picked.backward(weights)
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    assert_array_equal(x.grad, expected)


PAIRS = [(0, 1), (0, 1), (1, 1), (0, 0)]
INDICES = {
    "a tuple in a tuple": lambda x: x[(0, 0, 1),],
    "tuples": lambda x: x[(0, 0), (1, 1)],
    "zipped": lambda x: x[tuple(zip(*PAIRS, strict=True))],
    "nested": lambda x: x[((0, 1), (1, 1)),],
    "ranges": lambda x: x[range(2), range(1, -1, -1)],
    "array.array": lambda x: x[array.array("i", [0, 0, 1])],
    "memoryview": lambda x: x[memoryview(np.array([1, 1]))],
    "pytorch's": lambda x: x[torch.tensor([1, 1, 0])] if isinstance(x, Tensor) else x[[1, 1, 0]],
    "unsigned": lambda x: x[np.array([1, 1], np.uint64)],
    "no axes": lambda x: x[np.array(1), (1, 1)],
    "truth values": lambda x: x[(True, False), (1, 1)],
    "nothing": lambda x: x[(),],
    "an empty tuple": lambda x: x[()],
    "between slices": lambda x: x[:, (1, 1)],
    "after all": lambda x: x[..., (0, 0, 1)],
    "around": lambda x: x[None, (0, 0), None, (-1, -1)],
    "a mask before": lambda x: x[True, (0, 0)],
    "take": lambda x: np.take(x, ((0, 0), (3, 1))),
    "take along": lambda x: np.take(x, (1, 1), axis=1),
    "take from a range": lambda x: np.take(x, range(1, 3)),
}


@pytest.mark.parametrize("name", INDICES)
def test_whatever_numpy_takes_for_an_index_adds_up(name: str) -> None:
    values = np.arange(4.0).reshape(2, 2)
    x = Tensor(values)
    y = INDICES[name](x)
    numbers = INDICES[name](np.arange(4).reshape(2, 2))
    assert_array_equal(y.data, INDICES[name](values))
    y.backward(np.full(y.shape, 2.0))
    assert_array_equal(x.grad.ravel(), 2.0 * np.bincount(numbers.ravel(), minlength=4))


@given(data=st.data())
def test_parts_of_a_gradient_add_up_in_any_order(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    indices = st.none() | hnp.basic_indices(shape) | hnp.integer_array_indices(shape)
    x, expected = Tensor(np.ones(shape)), np.zeros(shape)
    z = x.sum() * 0
    whole = x * 1.0  # which gets the same array as its share
    for index in data.draw(st.lists(indices, min_size=1, max_size=6)):
        part = whole if index is None else whole[index]
        weights = np.arange(1.0, part.size + 1).reshape(part.shape)
        z = z + (part * weights).sum()
        np.add.at(expected, ... if index is None else index, weights)
    for _ in range(2):
        x.grad = None
        z.backward()
        assert_array_equal(x.grad, expected)
        assert_array_equal(whole.grad, expected)


def test_numbers_that_are_equal_are_told_apart() -> None:
    x = Tensor(2.0)
    for zero in (0.0, -0.0, 0):
        y = x * zero
        x.grad = None
        y.backward()
        assert math.copysign(1, y.item()) == math.copysign(1, x.grad) == math.copysign(1, zero)
        assert math.copysign(1, (zero * x).item()) == math.copysign(1, zero)
    for dtype in (np.float16, np.float32, np.float64):
        assert (Tensor([1.0], dtype=dtype) * 0.1).data == dtype(0.1)


def test_axes_of_mixed_indices_are_ordered_as_in_numpy() -> None:
    x = Tensor(np.arange(24.0).reshape(2, 3, 4))
    index = (0, slice(None), [0, 1])
    assert x[index].shape == x.data[index].shape == (2, 3)


def test_assigning_by_index_points_to_what_works() -> None:
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"x\.data\[i\] = v changes its values, np\.where"):
        x[0] = 3.0
    assert_array_equal(x.data, [1, 2])


def test_a_tensor_is_no_index() -> None:
    with pytest.raises(TypeError, match="an index is made of whole numbers or truth values"):
        Tensor([1.0, 2.0])[Tensor([1.0])]


# --- what needs no gradient -----------------------------------------------------------------------


def test_no_grad_records_nothing_and_nests() -> None:
    x = Tensor([1.0])
    with no_grad():
        with no_grad():
            pass
        inside = x * 2
    assert not inside.requires_grad
    assert inside._children == ()
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception_and_decorates() -> None:
    x = Tensor([1.0])

    @no_grad()
    def twice(x: Tensor) -> Tensor:
        return x * 2

    assert not twice(x).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_no_grad_is_a_threads_own() -> None:
    x = Tensor([1.0])
    found = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append((x * 2).requires_grad))
        contextvars.Context().run(thread.start)  # or it inherits one in a free-threaded Python
        thread.join()
    assert found == [True]


def test_detach_shares_the_values_and_nothing_else() -> None:
    x = Tensor([1.0, 2.0], label="x")
    y = (x * x).detach()
    assert not y.requires_grad
    assert y._children == ()
    z = x.detach()
    z.data[0] = 5
    assert x.data[0] == 5


def test_requires_grad_false_is_a_constant() -> None:
    x, y = Tensor([1.0], requires_grad=False), Tensor([2.0])
    z = x * y
    z.backward()
    assert_array_equal(y.grad, [1])
    assert_array_equal(x.grad, [0])
    assert not (x * 2).requires_grad


# --- gradients ------------------------------------------------------------------------------------


def test_grad_is_zeros_before_any_backward_and_not_made_before_it_is_asked_for() -> None:
    x = Tensor(np.ones((2, 3), np.float32))
    assert x._grad is None
    assert_array_equal(x.grad, np.zeros((2, 3), np.float32), strict=True)


def test_backward_seeds_with_ones_or_with_what_it_is_given() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    (x * x).backward()
    assert_array_equal(x.grad, [2, 4, 6])
    x.grad = None
    seed = np.array([1.0, 0.0, -1.0])
    z = x * x
    z.backward(seed)
    assert_array_equal(x.grad, [2, 0, -6])
    seed[:] = 7
    assert_array_equal(z.grad, [1, 0, -1])


def test_a_second_pass_adds_at_leaves_and_replaces_between() -> None:
    x = Tensor([1.0, 2.0])
    middle = x * x
    z = middle.sum()
    z.backward()
    once, kept = x.grad.copy(), middle.grad.copy()
    z.backward()
    assert_array_equal(x.grad, 2 * once)
    assert_array_equal(middle.grad, kept)


def test_a_leafs_gradient_is_its_own_array() -> None:
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    z = x + y
    z.backward()
    x.grad *= 10
    assert_array_equal(y.grad, [1, 1])
    assert_array_equal(z.grad, [1, 1])
    w = Tensor(np.ones((2, 2)))
    w.sum().backward()
    w.grad[0, 0] = 5  # no view of a single number
    assert_array_equal(w.grad, [[5, 1], [1, 1]])


def test_backward_of_constants_says_why_not() -> None:
    with pytest.raises(RuntimeError, match="requires no gradient: it was made with"):
        Tensor([1.0], label="c", requires_grad=False).backward()


def test_backward_refuses_a_gradient_of_another_shape() -> None:
    x = Tensor([1.0, 2.0], label="x")
    with pytest.raises(ValueError, match=r"tensor 'x' of shape \(2,\) takes a gradient of that"):
        x.backward([1.0, 2.0, 3.0])
    assert x._grad is None


def test_backward_with_a_graph_points_to_grad() -> None:
    x = Tensor(2.0)
    with pytest.raises(RuntimeError, match=r"tinytorch\.autograd\.grad\(outputs, inputs, create"):
        (x * x).backward(create_graph=True)


def test_an_error_in_the_middle_leaves_no_gradient_half_done() -> None:
    def fail(*_: Any) -> Any:
        raise FloatingPointError

    x, y = Tensor([1.0]), Tensor([2.0])
    middle = y.exp()
    z = x * middle
    middle._rules = (fail,)
    with pytest.raises(FloatingPointError):
        z.backward()
    assert x._grad is None
    assert y._grad is None
    assert z._grad is None


TIES = {
    "max": (lambda x: x.max(), lambda x: x.amax()),
    "min": (lambda x: x.min(axis=0), lambda x: x.amin(0)),
    "maximum": (lambda x: x.maximum(1.0), lambda x: torch.maximum(x, torch.ones_like(x))),
    "minimum": (lambda x: x.minimum(1.0), lambda x: torch.minimum(x, torch.ones_like(x))),
    "relu": (lambda x: x.relu(), torch.relu),
    "power 0": (lambda x: x**0, lambda x: x**0),
    "abs": (abs, abs),
    "clip": (lambda x: x.clip(0, 1), lambda x: x.clip(0, 1)),
    "prod": (lambda x: x.prod(), lambda x: x.prod()),
    "norm": (lambda x: (x * 0).norm(), lambda x: (x * 0).norm()),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_and_kinks_have_pytorchs_gradient(name: str) -> None:
    ours, theirs = TIES[name]
    values = np.array([0.0, 1.0, 1.0, 0.0, -1.0, 0.5])
    x, y = Tensor(values), torch.tensor(values, requires_grad=True)
    ours(x).sum().backward()
    theirs(y).sum().backward()
    assert_array_equal(x.grad, y.grad.numpy())


def test_max_tells_an_axis_from_an_operand() -> None:
    array = np.array([[1.0, 5.0], [3.0, 2.0]])
    x = Tensor(array)
    assert x.max().item() == 5
    for axis in (0, -1, (0, 1), np.int64(1)):
        assert_array_equal(x.max(axis).data, array.max(axis))
        assert_array_equal(x.min(axis, keepdims=True).data, array.min(axis, keepdims=True))
    for other in (2.0, Tensor([2.0, 4.0]), np.array([2.0, 4.0])):
        plain = getattr(other, "data", other) if isinstance(other, Tensor) else other
        assert_array_equal(x.max(other).data, np.maximum(array, plain))
        assert_array_equal(x.min(other).data, np.minimum(array, plain))


def test_a_method_is_pytorchs_and_a_function_is_numpys() -> None:
    array = np.arange(6.0).reshape(2, 3)
    x, y = Tensor(array), torch.tensor(array)
    assert_allclose(x.std().data, y.std().numpy())
    assert_allclose(np.std(x).data, np.std(array))
    assert_allclose(x.var(dim=1).data, y.var(dim=1).numpy())
    assert_array_equal(x.repeat(2, 3).data, y.repeat(2, 3).numpy())
    assert_array_equal(np.repeat(x, 2, axis=0).data, np.repeat(array, 2, axis=0))
    assert_array_equal(x.transpose(0, 1).data, array.T)
    assert_array_equal(x.transpose().data, array.T)
    cube = np.arange(24.0).reshape(2, 3, 4)
    assert Tensor(cube).transpose(2, 0, 1).shape == cube.transpose(2, 0, 1).shape
    assert_array_equal(x.argmax(dim=1), y.argmax(dim=1).numpy())
    assert_array_equal(x.sum(dim=0, keepdim=True).data, x.sum(axis=0, keepdims=True).data)
    with pytest.raises(TypeError, match="give dim= or axis=, not both"):
        x.sum(dim=0, axis=0)


def test_the_graph_holds_the_data_and_no_copy() -> None:
    x, y = Tensor([2.0]), Tensor([3.0])
    z = x * y
    y.data[...] = 5  # in place, before backward: the rule sees it
    z.backward()
    assert_array_equal(x.grad, [5])
    for text in (Tensor.data.__doc__, Tensor.backward.__doc__):
        assert "after `backward`" in text


# --- plain answers --------------------------------------------------------------------------------


def test_comparisons_are_plain_arrays_and_hashing_is_by_identity() -> None:
    x, y = Tensor([1.0, 2.0]), Tensor([1.0, 3.0])
    for truth, expected in (
        (x == y, [True, False]),
        (x != y, [False, True]),
        (x < y, [False, True]),
        (x >= 2, [False, True]),
        (np.array([1.0, 5.0]) > x, [False, True]),
    ):
        assert isinstance(truth, np.ndarray)
        assert_array_equal(truth, expected)
    assert len({x, y, x}) == 2


def test_adding_in_place_binds_a_new_node() -> None:
    x = Tensor([1.0])
    y = x
    y += 1
    assert y is not x
    assert_array_equal(x.data, [1])
    y.backward()
    assert_array_equal(x.grad, [1])


@pytest.mark.parametrize("large", [1e3, -1e3, 1e30, -1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stable_functions_are_stable(large: float, dtype: Any) -> None:
    for function in (
        Tensor.sigmoid,
        Tensor.tanh,
        Tensor.softplus,
        Tensor.softmax,
        Tensor.log_softmax,
        Tensor.logsumexp,
        Tensor.logsigmoid,
    ):
        x = Tensor([large, 0.0, -large, 1.0], dtype=dtype)
        z = function(x)
        z.backward()  # a warning would fail the test
        assert np.isfinite(z.data).all()
        assert np.isfinite(x.grad).all()


def test_log_of_zero_and_division_by_zero_are_numpys_with_its_warning() -> None:
    zero = Tensor([0.0])
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        assert zero.log().data[0] == -np.inf
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in divide"):
        assert (1 / zero).data[0] == np.inf


@pytest.mark.parametrize(
    ("operation", "shapes"),
    [
        (lambda x, y: x + y, r"\(2, 3\).*\(4,\)"),
        (lambda x, y: x @ y, r"\(2, 3\).*\(4,\)"),
        (lambda x, y: np.where(x > 0, x, y), r"\(2, 3\).*\(4,\)"),
        (lambda x, y: np.concatenate([x, y]), r"\(2, 3\).*\(4,\)"),
        (lambda x, y: x.reshape(7), r"\(2, 3\)"),
        (lambda x, y: x.sum(axis=2), r"axis 2"),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_labels(operation: Any, shapes: str) -> None:
    x, y = Tensor(np.ones((2, 3)), label="inputs"), Tensor(np.ones(4), label="weights")
    with pytest.raises(ValueError, match=shapes) as error:
        operation(x, y)
    assert "'inputs'" in str(error.value)


# --- copies and depth -----------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301
def test_copies_keep_everything_but_the_graph(copied: Any) -> None:
    x = Tensor([1.0, 2.0], label="x", dtype=np.float32)
    z = x * x
    z.label = "z"
    z.backward()
    with pytest.raises(TypeError, match=r"a copy of tensor 'z' .* would lose its gradient"):
        copied(z)
    for original in (x, z.detach(), Tensor([1.0], requires_grad=False)):
        twin = copied(original)
        assert_array_equal(twin.data, original.data, strict=True)
        assert_array_equal(twin.grad, original.grad)
        assert (twin.label, twin.requires_grad) == (original.label, original.requires_grad)
        assert twin._children == ()
        twin.data[0] = 9
        assert original.data[0] != 9


class Measured(Tensor):
    """A tensor with a unit, and a name in a slot."""

    __slots__ = ("__dict__", "name")

    def __init__(self, data: Any, unit: str) -> None:
        super().__init__(data)
        self.unit, self.name, self.itself = unit, "m", self


class Named(nn.Parameter):
    """A parameter that is made in its own way, and has attributes."""

    def __new__(cls, name: str) -> Self:  # noqa: ARG004
        return super().__new__(cls, [1.0])

    def __init__(self, name: str) -> None:
        super().__init__([1.0])
        self.name, self.unit, self.itself = name, "cm", self


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy]
    + [lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in (0, 2, 5)],  # noqa: S301
)
def test_copies_keep_what_a_subclass_adds(copied: Any) -> None:
    for x in (Measured([1.0, 2.0], "cm"), Named("m")):
        x.grad = x.data
        twin = copied(x)
        assert type(twin) is type(x)
        assert isinstance(twin, nn.Parameter) is isinstance(x, Named)
        assert (twin.unit, twin.name) == ("cm", "m")
        assert twin.itself is (x if copied is copy.copy else twin)
        assert_array_equal(twin.data, x.data)
        assert_array_equal(twin.grad, x.data)
        assert not np.shares_memory(twin.data, x.data)


@pytest.mark.parametrize(
    "state",
    [
        ("text", None, True, None, False),
        ([1.0], 5, True, None, False),
        ([1.0], None, True, [1.0, 2.0], False),
    ],
)
def test_a_state_is_checked_where_it_comes_back(state: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"expected a number|label is|gradient of"):
        Tensor.__new__(Tensor).__setstate__(state)


def test_a_million_operations_differentiate_copy_and_die_on_a_small_stack() -> None:
    def work() -> None:
        h = x
        for _ in range(500_000):
            h = h * 0.999999 + 1e-7
        h.backward()
        assert copy.deepcopy(h.detach())._children == ()
        done.append(x.grad.copy())
        del h

    x, done = Tensor([1.0, 2.0]), []
    size = threading.stack_size(1024 * 1024)  # Python 3.13 takes half of it for what is shallow
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert_allclose(done[0], 0.999999**500_000, rtol=1e-9)  # half a million roundings


# --- the array inside -----------------------------------------------------------------------------


def test_repr_shows_what_is_not_the_default() -> None:
    assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5])"
    x = Tensor([1.0], label="x", dtype=np.float32, requires_grad=False)
    assert repr(x) == "Tensor([1.], label='x', dtype=float32, requires_grad=False)"
    large = repr(Tensor(np.zeros((1000, 1000))))
    assert "..." in large
    assert len(large) < 1000


def test_an_array_tells_of_itself() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 3), 2, 6, 2, np.float64)
    assert [row.shape for row in x] == [(3,), (3,)]
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.numpy() is x.data
    assert x.to_numpy() is x.data
    assert (x.size(), x.size(0), x.size(dim=-1)) == ((2, 3), 2, 3)
    assert round(Tensor(2.71828), 2).item() == 2.72
    assert not x.detach().requires_grad_(False).requires_grad
    assert_array_equal(x.T.data, x.data.T)
    assert f"{Tensor(3.14159):.2f}" == "3.14"
    assert (float(Tensor([2.5])), int(Tensor(2.5)), bool(Tensor(0.0))) == (2.5, 2, False)


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        (lambda: Tensor([1.0, 2.0]).item(), ValueError, "expected a single entry"),
        (lambda: bool(Tensor([1.0, 2.0])), ValueError, "is ambiguous"),
        (lambda: len(Tensor(1.0)), TypeError, "of no axes"),
        (lambda: list(Tensor(1.0)), TypeError, "of no axes"),
        (lambda: setattr(Tensor([1.0]), "data", [1.0, 2.0]), ValueError, "values of that shape"),
        (lambda: setattr(Tensor([1.0]), "data", "a"), TypeError, "expected a number"),
        (
            lambda: setattr(Tensor([1.0]), "grad", [1.0, 2.0]),
            ValueError,
            "a gradient of that shape",
        ),
    ],
)
def test_questions_without_an_answer(question: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        question()


def test_assigning_data_writes_into_the_array_in_its_dtype() -> None:
    x = Tensor([1.0, 2.0], dtype=np.float32)
    array = x.data
    x.data = [3.0, 4.0]
    assert x.data is array
    assert_array_equal(array, np.array([3, 4], np.float32), strict=True)
    x.data -= 0.5
    assert_array_equal(array, [2.5, 3.5])


def test_numpy_functions_without_a_rule_are_refused() -> None:
    x = Tensor([1.0, 2.0])
    for function, name in ((np.sort_complex, "np.sort_complex"),):
        with pytest.raises(
            TypeError, match=f"{name} has no derivative rule here. For plain values"
        ):
            function(x)
    with pytest.raises(TypeError, match="out= "):
        np.add(x, 1, out=np.ones(2))
    with pytest.raises(TypeError, match="where= is not supported"):
        np.add(x, 1, where=np.array([True, False]))


def test_nothing_warns_on_import_of_a_value() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(np.asarray(Tensor(1.5, requires_grad=False))) == 1.5


# --- what bad input is told -----------------------------------------------------------------------

X = Tensor(np.ones((2, 2)))
NET = nn.Linear(2, 1, rng=0)
SPARSE = sparse.csr_array(np.eye(2))
TOLD: dict[str, tuple[Callable[[], Any], str]] = {
    "keepdims by place": (lambda: np.sum(X, 0, True), "dtype= has that place.* keepdims=True"),
    "keepdims for out": (lambda: np.max(X, 0, True), "out= has that place.* write keepdims=True"),
    "out by place": (lambda: np.cumsum(X, 0, None, X.data), "np.cumsum: out= is not supported"),
    "a sparse operand": (lambda: X @ SPARSE, r"got a csr_array .* toarray\(\) gives an array"),
    "sparse data": (lambda: Tensor(SPARSE), r"got a csr_array .* toarray\(\) gives an array"),
    "a ufunc of one's own": (
        lambda: np.frompyfunc(lambda a: a, 1, 1)(X),
        r"^<lambda> \(vectorized\) has no derivative rule",
    ),
    "a module to optimise": (lambda: optim.SGD(NET), r"got the Linear that has them: write SGD"),
    "a word for lr": (lambda: optim.Adam(NET.parameters, lr="a"), "numbers for lr, got str 'a'"),
    "a number for betas": (lambda: optim.Adam(NET.parameters, betas=3), "betas.* got int 3"),
    "another's dtype": (lambda: Tensor([1.0], dtype=torch.float32), "got dtype torch.float32"),
    "another's dtype later": (lambda: X.to(torch.float32), "got dtype torch.float32"),
    "no state": (lambda: X.__setstate__((1,)), r"grad, is_parameter\), .* got tuple"),
}


@pytest.mark.parametrize("name", TOLD)
def test_bad_input_is_told_what_to_write(name: str) -> None:
    call, message = TOLD[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_backward_takes_pytorchs_retain_graph() -> None:
    x = Tensor([1.0, 2.0])
    z = (x * x).sum()
    for retain in (True, None, False):
        z.backward(retain_graph=retain)
    assert_array_equal(x.grad, [6, 12])
    with pytest.raises(RuntimeError, match="freed"):
        z.backward()


def test_a_step_by_hand_before_any_gradient_gives_none() -> None:
    x = Tensor([1.0, 2.0])
    y = x * x
    y._backward()
    assert_array_equal(x.grad, [0, 0])


@pytest.mark.parametrize("method", ["transpose", "swapaxes", "movedim", "moveaxis", "swapdims"])
def test_a_scalar_has_an_axis_to_exchange_with_itself(method: str) -> None:
    for axes in ((0, 0), (0, -1), (-1, 0)):
        x = Tensor(3.0)
        y = getattr(x, method)(*axes)
        y.backward()
        assert (y.shape, y.item(), float(x.grad)) == ((), 3.0, 1.0)
    with pytest.raises(IndexError):
        getattr(Tensor(3.0), method)(0, 1)


def test_neurons_are_views_that_take_no_memory_for_gradients() -> None:
    layer = nn.Layer(2, 3, rng=0)
    assert [x._grad for neuron in layer.neurons for x in neuron.parameters] == [None] * 6
    layer(np.ones((4, 2))).sum().backward()
    for j, neuron in enumerate(layer.neurons):
        assert_array_equal(neuron.weight.grad, layer.weight.grad[:, [j]])
        assert_array_equal(neuron.bias.grad, layer.bias.grad[[j]])
    layer.neurons[0].weight.grad[:] = 7
    assert (layer.weight.grad[:, 0] == 7).all()


def test_in_no_grad_a_constant_is_changed_in_place_too() -> None:
    x = Tensor([1.0, 2.0], requires_grad=False)
    same = x
    with no_grad():
        x *= 3
        x += Tensor([1.0, 1.0])
    assert x is same
    assert_array_equal(same.data, [4.0, 7.0])
