"""Every operation, in every spelling: value, dtype, first and second derivative."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, NUMPY_2_5, Case, Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import (
    Function,
    assert_agrees_with_differences,
    assert_close,
    assert_same,
    exchanged,
    here,
    in_torch,
    is_variable,
    leaves,
    tensors_of,
    torch_gradients,
    weights,
)
from test_linalg import CASES as LINEAR_ALGEBRA
from torch.nn import functional

from tinytorch import Operation, Tensor
from tinytorch.arrays.plain import PlainArray
from tinytorch.autograd import grad
from tinytorch.engine import topological_order
from tinytorch.gradients import gradients
from tinytorch.operations.activations import Activations
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import Elementwise
from tinytorch.operations.protocols import numpy_functions
from tinytorch.operations.special import special_functions


def choices(data: st.DataObject) -> Choices:
    return Choices(lambda low, high: data.draw(st.integers(low, high)))


# --- the operations entry by entry, found by being there ------------------------------------------


def elementwise() -> Iterator[tuple[str, Function, int]]:
    """Find the operations on one tensor and on two, with the number of their operands."""
    for family in (Arithmetic, Elementwise, Activations):
        found: dict[str, tuple[Function, int]] = {}
        for method in filter(callable, vars(family).values()):
            parameters = list(inspect.signature(method).parameters)
            if parameters in (["self"], ["self", "other"]):
                found.setdefault(method.__name__, (method, len(parameters)))
        for op in Operation:
            if op.name.lower() in found:
                yield op.name, *found[op.name.lower()]


ELEMENTWISE = list(elementwise())
UNARY = [(name, method) for name, method, operands in ELEMENTWISE if operands == 1]
BINARY = [(name, method) for name, method, operands in ELEMENTWISE if operands == 2]


def aliases(method: Function) -> list[str]:
    names = [name for name in dir(Tensor) if inspect.getattr_static(Tensor, name) is method]
    return [*names, *{method.__name__} - {*names}]


# PyTorch's floor_divide refuses to be differentiated, and its copysign gives a second derivative
# that is the rounding error of x / x.
COUNTERPARTS = {
    "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "copysign": lambda x, y: x.abs() * torch.copysign(torch.ones_like(y), y).detach(),
}


def counterpart(method: Function) -> Function | None:
    """Find PyTorch's function of one of the names that ours has."""
    if method.__name__ in COUNTERPARTS:
        return COUNTERPARTS[method.__name__]
    for name in sorted(aliases(method), key=lambda name: name.startswith("_")):
        for place in (torch, torch.special, torch.nn.functional):
            if callable(getattr(place, name, None)):
                found: Function = getattr(place, name)
                return found
    return None


def numpy_spellings(method: Function) -> list[Function]:
    """Find NumPy's functions of the names that ours has."""
    names = [name for name in aliases(method) if callable(getattr(np, name, None))]
    return [getattr(np, name) for name in names if name != "fix" or not NUMPY_2_5]  # deprecated


# Zeros, ties, halves, the ends of domains, small ones and large ones.
POINTS = np.array(
    [
        0,
        *(
            s * x
            for s in (1, -1)
            for x in (1e-9, 0.1, 0.25, 0.5, 0.7, 0.99, 1, 1.2, 1.5, 2, 2.5, 3, 3.3, 5, 20)
        ),
    ]
)
# Where PyTorch has nothing to compare with: no kinks, nor what is too steep for differences.
SMOOTH = np.array([0.3, 0.45, 0.62, 0.81, 0.93])


def finite(points: list[Any], function: Function) -> list[Any]:
    """Leave out the points at which PyTorch's value or a derivative is not finite."""
    found = in_torch(function, points)
    fine = np.ones(points[0].shape, bool)
    for array in [*found.values, *found.first, *found.second]:
        fine &= np.isfinite(array)
    return [x[fine] for x in points]


def everywhere(x: Any, _: Any) -> Any:
    return np.ones(x.shape, bool)


def distinct(x: Any, y: Any) -> Any:
    return x != y


def no_rounding_to_infinity(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.isfinite(x / y) | (y == 0)


# Where PyTorch is a reference. It gives the whole gradient of a tie to the first operand of fmax
# and fmin, and half to each of maximum and minimum; and it divides before it takes a remainder.
COMPARED = {
    "FMAX": distinct,
    "FMIN": distinct,
    "LOGADDEXP2": lambda x, y: (x != -1) | (y != -1),  # where it is 0, but for a rounding error
    "XLOGY": lambda x, y: (x != 0) | (y >= 0),  # where the logarithm exists
    "REMAINDER": no_rounding_to_infinity,
    "FMOD": no_rounding_to_infinity,
}


@pytest.mark.parametrize(("name", "method"), UNARY)
def test_unary_at_points(name: str, method: Function) -> None:
    function = counterpart(method)
    if function is None:
        for sign in (1, -1):
            assert_agrees_with_differences(method, [sign * SMOOTH])
        return
    # Next to 0, PyTorch's sinc is flat.
    points = finite([POINTS[abs(POINTS) != 1e-9] if name == "SINC" else POINTS], function)
    assert points[0].size >= 5, name
    assert_same(here(method, points), in_torch(function, points), atol=1e-14)


@pytest.mark.parametrize(("name", "method"), BINARY)
def test_binary_at_points(name: str, method: Function) -> None:
    function = counterpart(method)
    if function is None:
        x, y = np.meshgrid(SMOOTH, SMOOTH + 0.05)
        assert_agrees_with_differences(method, [x, y])
        return
    # Next to 0, second derivatives are large, and their errors as well.
    points = POINTS[abs(POINTS) != 1e-9]
    pairs = np.meshgrid(points, points)
    compared = COMPARED.get(name, everywhere)(*pairs)
    if "POWER" in name:
        compared &= pairs[1] != 0  # there PyTorch's second derivative forgets the exponent
    points = finite([x[compared] for x in pairs], function)
    assert points[0].size >= 5, name
    assert_same(here(method, points), in_torch(function, points), atol=1e-14)


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
@given(data=st.data())
def test_elementwise_shapes(
    name: str, method: Function, operands: int, data: st.DataObject
) -> None:
    # All have finite derivatives there, but for one that wants more than 1.
    offset = 1 if name == "ARCCOSH" else 0
    shapes = choices(data).broadcasting(operands)
    arrays = [
        np.asarray(np.random.default_rng(i).choice(SMOOTH, x.shape) + offset + i / 50)
        for i, x in enumerate(shapes)
    ]
    function = counterpart(method)
    if function is None:
        assert_agrees_with_differences(method, arrays)
    else:
        assert_same(here(method, arrays), in_torch(function, arrays), atol=1e-14)


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_elementwise_spellings(name: str, method: Function, operands: int) -> None:
    offset = 1 if name == "ARCCOSH" else 0
    arrays = [SMOOTH + offset + i / 50 for i in range(operands)]
    tensors = [Tensor(x) for x in arrays]
    expected = method(*tensors)
    assert expected._op is Operation[name]
    assert str(expected._op).startswith(name.lower())
    for spelling in numpy_spellings(method):
        result = spelling(*tensors)
        assert type(result) is Tensor
        assert result._op is expected._op
        assert result.requires_grad
        # In NumPy, the power operator knows faster ways than np.power.
        assert_close(result.data, spelling(*arrays), rtol=1e-15)
        assert_array_equal(result.data, expected.data)
        if operands == 2:
            for pair in ([arrays[0], tensors[1]], [tensors[0], arrays[1]]):
                mixed = spelling(*pair)
                assert_array_equal(mixed.data, expected.data)
                assert mixed.requires_grad


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_elementwise_float32(name: str, method: Function, operands: int) -> None:
    offset = 1 if name == "ARCCOSH" else 0
    arrays = [(SMOOTH + offset + i / 50).astype(np.float32) for i in range(operands)]
    assert_stays_float32(method, arrays, out=np.float64 if name == "FLOAT_POWER" else np.float32)


def rounded(args: Any) -> Any:
    return exchanged(args, lambda x: x.astype(np.float32) if is_variable(x) else x)


def assert_stays_float32(function: Function, args: Any, out: Any = np.float32) -> None:
    small, large = here(function, args, np.float32), here(function, args, np.float64)
    assert all(y.dtype == out for y in small.values)
    assert all(g.dtype == np.float32 for g in [*small.first, *small.second])
    # A rounding error is 1e-7 of a value; second derivatives cancel and amplify.
    for part, rtol in (("values", 1e-5), ("first", 1e-5), ("second", 1e-3)):
        for a, b in zip(getattr(small, part), getattr(large, part), strict=True):
            assert_close(a, b, rtol)


@pytest.mark.parametrize(("name", "method"), BINARY)
def test_a_number_is_no_tensor_and_keeps_the_dtype(name: str, method: Function) -> None:
    x = Tensor(SMOOTH, dtype=np.float32)
    operator = next((alias for alias in aliases(method) if alias.startswith("__")), None)
    wide = np.float64 if name == "FLOAT_POWER" else np.float32
    for number in (2.0, 2, True, np.arange(1, 6), np.ones(5, bool)):
        out = method(x, number)
        assert out.dtype == wide
        assert_close(out.data, method(x, Tensor(np.broadcast_to(number, 5))).data, rtol=1e-6)
        (out * 1.0).sum().backward()
        assert x.grad.dtype == np.float32
        if operator is not None:
            reflected = getattr(Tensor, f"__r{operator[2:]}")
            out = reflected(x, number)
            assert out.dtype == wide
            other = Tensor(np.broadcast_to(number, 5), dtype=np.float32)
            assert_close(out.data, method(other, x).data, rtol=1e-6)


# --- edges ----------------------------------------------------------------------------------------

EDGES = np.array([0, 1, -1, 2, -2, 800, -800, 1e-300, -1e-300, 1e300, -1e300])
# PyTorch's softsign has no slope at infinity, where it is 0.
UNBOUNDED = {name: np.array([np.inf, -np.inf]) for name, _ in UNARY if name != "SOFTSIGN"}


@pytest.mark.parametrize(
    ("name", "method", "operands"), [row for row in ELEMENTWISE if counterpart(row[1])]
)
def test_edges_have_pytorchs_gradient(name: str, method: Function, operands: int) -> None:
    """Compare where values overflow, vanish or are not numbers at all, and slopes are infinite."""
    arrays = [np.append(EDGES, UNBOUNDED.get(name, []))]
    if operands == 2:
        pairs = np.meshgrid(EDGES, EDGES)
        compared = COMPARED.get(name, everywhere)(*pairs)
        arrays = [x[compared] for x in pairs]
    xs = [Tensor(x) for x in arrays]
    ts = [torch.tensor(x, requires_grad=True) for x in arrays]
    with np.errstate(all="ignore"):
        y = method(*xs)
        y.backward()
    t = counterpart(method)(*ts)
    slopes = torch_gradients([t], ts, [torch.ones_like(t)])
    # What is below 1e-299 in one of them may be 0 in the other.
    for ours, theirs in zip([y.data, *[x.grad for x in xs]], [t, *slopes], strict=True):
        assert_allclose(ours, theirs.numpy(force=True), rtol=1e-12, atol=1e-299)


def test_the_slope_of_a_power_at_the_exponent_0() -> None:
    x, y = np.array([0.5, 2.0, 3.0]), np.zeros(3)
    result = here(Tensor.power, [x, y])
    assert_array_equal(result.values[0], 1)
    (w,) = weights([(3,)], 1)
    v = weights([(3,), (3,)], 2)
    assert_array_equal(result.first[0], 0)
    assert_close(result.first[1], w * np.log(x))
    # The derivatives by both are 1 / x, and twice by the exponent log(x)**2.
    assert_close(result.second[0], w * v[1] / x)
    assert_close(result.second[1], w * (v[0] / x + v[1] * np.log(x) ** 2))


def test_sinc_keeps_its_digits_next_to_0() -> None:
    x = np.array([1e-3, 5e-3, -9.9e-3, 1.01e-2])
    result = here(Tensor.sinc, [x])
    # The differences cancel, so that they want more digits than float64 has.
    a = np.pi * x.astype(np.longdouble)
    first = np.pi * (a * np.cos(a) - np.sin(a)) / a**2
    second = -(np.pi**2) * ((a**2 - 2) * np.sin(a) + 2 * a * np.cos(a)) / a**3
    (w,), (v,) = weights([(4,)], 1), weights([(4,)], 2)
    assert_allclose(result.first[0], (w * first).astype(float), rtol=1e-11)
    assert_allclose(result.second[0], (w * v * second).astype(float), rtol=1e-9)


def exact_sinc(x: float, n: int) -> float:
    """Sum the Taylor series of the n-th derivative of sinc, with sixty digits."""
    with localcontext(prec=60):
        pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
        z = pi * Decimal(x)
        terms = [
            (-1) ** k * z ** (2 * k - n) / ((2 * k + 1) * math.factorial(2 * k - n))
            for k in range(n // 2 + 1, 100)
        ]
        if n % 2 == 0:
            terms.append((-1) ** (n // 2) / Decimal(n + 1))  # z**0, which may be 0**0
        return float(pi**n * sum(terms))


def test_derivatives_of_sinc_are_right_to_any_order() -> None:
    points = [0.0, 1e-9, -1e-3, 0.01, -0.1, 0.3, 0.5, 0.8, 1.0, -1.3, 1.7, 2.5]
    x = Tensor(points)
    y = np.sinc(x)
    for n in range(1, 9):
        (y,) = grad(y.sum(), x, create_graph=True)
        exact = [exact_sinc(point, n) for point in points]
        # Beside what may be near 0, compared with the largest value that the derivative has.
        assert_allclose(y.data, exact, rtol=1e-13, atol=4e-15 * np.pi**n / (n + 1))
        assert_allclose(y.data[1], exact[1], rtol=1e-13)


@pytest.mark.parametrize("power", [-8, -3, -2, -1, 2, 3, 4, 5, 7, 8, 9, 3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_whole_powers(power: float, dtype: Any) -> None:
    values = np.append(np.random.default_rng(0).normal(size=50), [np.inf, -np.inf, -0.0, 0.0])
    x, t = Tensor(values, dtype=dtype), torch.tensor(values, requires_grad=True)
    with np.errstate(divide="ignore"):
        y, z = x**power, t**power
        y.backward()
        z.backward(torch.ones_like(z))
    tiny = 10 * np.finfo(dtype).eps
    assert_allclose(y.data, z.detach(), rtol=tiny)
    assert_allclose(x.grad, t.grad, rtol=tiny)


@pytest.mark.parametrize("function", [Tensor.fmax, Tensor.fmin])
def test_fmax_and_fmin_give_ties_to_the_first_and_pass_over_nan(function: Function) -> None:
    x, y = Tensor([1.0, np.nan, 1.0]), Tensor([1.0, 1.0, np.nan])
    z = function(x, y)
    z.backward()
    assert_array_equal(z.data, [1, 1, 1])
    assert_array_equal(x.grad, [1, 0, 1])
    assert_array_equal(y.grad, [0, 1, 0])


# --- the table ------------------------------------------------------------------------------------

BY_NAME = [pytest.param(case, id=case.name) for case in CASES]


@pytest.mark.parametrize("case", BY_NAME)
@given(data=st.data())
def test_value_and_derivatives(case: Case, data: st.DataObject) -> None:
    args = case.arguments(choices(data))
    results = [here(spelling, args) for spelling in case.spellings]
    for result in results[1:]:
        assert_same(result, results[0], rtol=1e-13)
    if case.numpy is not None:
        expected = [np.asarray(y) for y in leaves(case.numpy(*args))]
        assert len(results[0].values) == len(expected)
        for ours, numpys in zip(results[0].values, expected, strict=True):
            assert_close(ours, numpys, rtol=1e-14)
    if case.reference is not None:
        assert_same(results[0], in_torch(case.reference, args))
    else:
        assert_agrees_with_differences(case.spellings[0], args)


@pytest.mark.parametrize("case", BY_NAME)
@given(seed=st.integers(0, 9999))
def test_float32(case: Case, seed: int) -> None:
    assert_stays_float32(case.spellings[0], rounded(case.arguments(dice(seed))))


# --- what a rule may do ---------------------------------------------------------------------------

EVERY_CASE = [pytest.param(case, id=case.name) for case in [*CASES, *LINEAR_ALGEBRA]]


def graph_of(
    case: Case, seed: int, only: int | None = None
) -> tuple[list[Tensor], list[tuple[Tensor, Any]]]:
    """Run a case, with one of the inputs as the only variable or all; give outputs with weights."""
    inputs, xs = tensors_of(case.arguments(dice(seed)))
    for i, x in enumerate(xs):
        x.requires_grad = only in (None, i)
    ys = list(leaves(case.spellings[0](*inputs)))
    pairs = zip(ys, weights([y.shape for y in ys], 1), strict=True)
    return xs, [(y, w) for y, w in pairs if y.requires_grad]


@pytest.mark.parametrize("case", EVERY_CASE)
def test_no_rule_writes_into_what_it_is_given(case: Case) -> None:
    for seed in range(3):
        xs, pairs = graph_of(case, seed)
        for node in topological_order([*xs, *[y for y, _ in pairs]]):
            node._value.flags.writeable = False
        for y, w in pairs:
            w.flags.writeable = False
            gradients({y: w})


@pytest.mark.parametrize("case", EVERY_CASE)
def test_nothing_is_computed_for_a_constant(case: Case) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the rule of a constant was called")

    for seed in range(3):
        xs, pairs = graph_of(case, seed)
        for y, w in pairs:
            y.backward(w)
        for i, x in enumerate(xs):
            others, pairs = graph_of(case, seed, only=i)
            for node in topological_order([y for y, _ in pairs]):
                node._rules = [
                    rule if isinstance(child, Tensor) and child.requires_grad else fail
                    for child, rule in zip(node._children, node._rules, strict=True)
                ]
            for y, w in pairs:
                y.backward(w)
            assert_close(others[i].grad, x.grad)
            assert all(other._grad is None for j, other in enumerate(others) if j != i)


# --- large numbers, and none ----------------------------------------------------------------------

STABLE = {
    "sigmoid": (Tensor.sigmoid, torch.sigmoid),
    "tanh": (Tensor.tanh, torch.tanh),
    "softplus": (Tensor.softplus, lambda x: functional.softplus(x, threshold=100)),
    "logsigmoid": (Tensor.logsigmoid, functional.logsigmoid),
    "silu": (Tensor.silu, functional.silu),
    "mish": (Tensor.mish, functional.mish),
    "elu": (Tensor.elu, functional.elu),
    "selu": (Tensor.selu, functional.selu),
    "celu": (Tensor.celu, functional.celu),
    "softsign": (Tensor.softsign, functional.softsign),
    "softmax": (Tensor.softmax, lambda x: torch.softmax(x, -1)),
    "softmin": (Tensor.softmin, lambda x: functional.softmin(x, -1)),
    "log_softmax": (Tensor.log_softmax, lambda x: torch.log_softmax(x, -1)),
    "logsumexp": (Tensor.logsumexp, lambda x: torch.logsumexp(x, -1)),
}


@pytest.mark.parametrize("name", STABLE)
@pytest.mark.parametrize("large", [30, 1e3, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_numbers_neither_overflow_nor_warn(name: str, large: float, dtype: Any) -> None:
    ours, theirs = STABLE[name]
    values = np.array([large, 0, -large, 1, -1, large / 2], dtype)
    x, t = Tensor(values), torch.tensor(values, requires_grad=True)
    y, z = ours(x), theirs(t)
    w = weights([y.shape], 1)[0]
    y.backward(w)
    z.backward(torch.tensor(w, dtype=z.dtype))
    tiny = 10 * np.finfo(dtype).eps
    assert_close(y.data, z.detach().numpy(), rtol=tiny)
    assert_close(x.grad, t.grad.numpy(), rtol=tiny)


EMPTY = {
    "sum": (Tensor.sum, 0),
    "prod": (Tensor.prod, 1),
    "logsumexp": (Tensor.logsumexp, -np.inf),
    "any": (Tensor.any, False),
    "all": (Tensor.all, True),
    "count_nonzero": (Tensor.count_nonzero, 0),
}


@pytest.mark.parametrize("name", EMPTY)
def test_reductions_of_nothing(name: str) -> None:
    function, neutral = EMPTY[name]
    for axis, shape in ((None, ()), (1, (2,)), (0, (0,))):
        x = Tensor(np.empty((2, 0)))
        y = function(x, axis)
        assert_array_equal(y.data if isinstance(y, Tensor) else y, np.full(shape, neutral))
        if isinstance(y, Tensor):
            y.backward()
            assert x.grad.shape == (2, 0)


def test_the_mean_of_nothing_is_numpys_with_its_warning() -> None:
    with pytest.warns(RuntimeWarning, match="Mean of empty slice|invalid value") as warned:
        assert np.isnan(Tensor(np.empty(0)).mean().item())
    assert len(warned) == 2


@pytest.mark.parametrize("name", ["argmax", "argmin", "any", "all", "count_nonzero"])
@given(seed=st.integers(0, 9999))
def test_reductions_without_gradient_are_plain(name: str, seed: int) -> None:
    choose = dice(seed)
    x = choose.array(1, smallest=1)
    axis = choose.axis_or_none(x) if "arg" in name else choose.axes(x)
    keepdims = choose.one_of(False, True)
    expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
    by_numpy = getattr(np, name)(Tensor(x), axis=axis, keepdims=keepdims)
    by_method = getattr(Tensor(x), name)(axis, keepdims)
    by_pytorch = getattr(Tensor(x), name)(dim=axis, keepdim=keepdims)
    assert type(by_numpy) is type(expected)
    assert type(by_method) is type(by_pytorch) is PlainArray
    for answer in (by_numpy, by_method, by_pytorch):
        assert np.asarray(answer).dtype == np.asarray(expected).dtype
        assert_array_equal(answer, expected)


@given(seed=st.integers(0, 9999))
def test_sorting_by_indices(seed: int) -> None:
    choose = dice(seed)
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    order = Tensor(x).argsort(dim=axis)
    assert_array_equal(order, np.argsort(x, axis, kind="stable"))
    falling = Tensor(x).argsort(axis, descending=True)
    assert_array_equal(
        falling, torch.argsort(torch.tensor(x), dim=axis, descending=True, stable=True)
    )


# PyTorch's pair: what to call, and whether ties have an index that PyTorch fixes.
PAIRS = {
    "max": (lambda x, axis, keep: x.max(dim=axis, keepdim=keep), True),
    "min": (lambda x, axis, keep: x.min(dim=axis, keepdim=keep), True),
    "median": (lambda x, axis, keep: x.median(dim=axis, keepdim=keep), False),
    "mode": (lambda x, axis, keep: x.mode(axis, keep), True),
    "kthvalue": (lambda x, axis, keep: x.kthvalue(1, axis, keep), False),
    "cummax": (lambda x, axis, keep: x.cummax(axis), True),
    "cummin": (lambda x, axis, keep: x.cummin(axis), True),
    "topk": (lambda x, axis, keep: x.topk(1, axis, keep), False),
    "sort": (lambda x, axis, keep: x.sort(dim=axis, descending=keep, stable=True), True),
}


@pytest.mark.parametrize("name", PAIRS)
@given(seed=st.integers(0, 9999))
def test_pairs_of_values_and_indices(name: str, seed: int) -> None:
    call, ties = PAIRS[name]
    choose = dice(seed)
    x = choose.array(0, smallest=1, ties=ties)
    axis = choose.axis(x) if x.ndim else choose.one_of(0, -1)
    keep = choose.one_of(False, True)
    ours, theirs = call(Tensor(x), axis, keep), call(torch.tensor(x), axis, keep)
    assert isinstance(ours.values, Tensor)
    assert not isinstance(ours.indices, Tensor)
    assert_array_equal(ours.values.data, theirs.values, strict=True)
    assert_array_equal(ours.indices, theirs.indices, strict=True)
    values, indices = ours
    assert values is ours.values
    assert indices is ours.indices


def test_an_axis_gives_values_and_a_dim_gives_a_pair() -> None:
    x = Tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]])
    for name in ("max", "min", "median", "sort"):
        method, function = getattr(x, name), getattr(np, name)
        for values in (method(1), method(axis=1), function(x, axis=1)):
            assert isinstance(values, Tensor)
        if name != "median":
            assert_array_equal(method(1).data, function(x.data, 1))
        assert type(method(dim=1)).__name__ == "ValuesIndices"
        with pytest.raises(TypeError, match=f"{name}: give dim= or axis=, not both"):
            method(dim=1, axis=0)
    x.max(axis=1).backward()
    assert_array_equal(x.grad, [[0, 0.5, 0.5], [1, 0, 0]])
    x.grad = None
    x.max(dim=1).values.backward()
    assert_array_equal(x.grad, [[0, 1, 0], [1, 0, 0]])


SCALARS = """sum mean prod amax amin logsumexp nansum nanmean cumsum cumprod logcumsumexp softmax
    log_softmax squeeze argsort argmax any all count_nonzero max min median mode sort cummax cummin
    topk kthvalue quantile flip index_select"""


@pytest.mark.parametrize("name", SCALARS.split())
@pytest.mark.parametrize("axis", [0, -1])
def test_a_tensor_of_no_axes_has_an_axis_0_as_in_pytorch(name: str, axis: int) -> None:
    before = {"topk": (1,), "kthvalue": (1,), "quantile": (0.5,)}.get(name, ())
    x, t = Tensor(3.0), torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    if name == "flip":
        y, z = x.flip(axis), t.flip(axis)
    elif name == "index_select":
        y, z = x.index_select(axis, [0]), t.index_select(axis, torch.tensor([0]))
    else:
        y, z = (getattr(v, name)(*before, dim=axis) for v in (x, t))
    if isinstance(z, tuple):
        assert_array_equal(y.indices, z.indices, strict=True)
        y, z = y.values, z.values
    assert_array_equal(y.data if isinstance(y, Tensor) else np.asarray(y), z.detach(), strict=True)
    if isinstance(y, Tensor):
        y.backward()
        z.backward()
        assert_array_equal(x.grad, t.grad)
    if name not in {"argmax", "flip"}:
        with pytest.raises((IndexError, ValueError), match="axis 1 is out of bounds"):
            x.sum(dim=1)


def test_a_deviation_of_one_entry_is_nan_with_numpys_warning() -> None:
    for function in (Tensor.std, Tensor.var):
        with pytest.warns(RuntimeWarning, match="Degrees of freedom|invalid value"):
            assert np.isnan(function(Tensor(3.0), dim=0).item())


@given(seed=st.integers(0, 9999))
def test_partition_puts_an_entry_in_its_place(seed: int) -> None:
    choose = dice(seed)
    x = choose.filled((choose.integer(1, 9),))
    kth = choose.integer(0, x.size - 1)
    parted = Tensor(x).partition(kth).data
    assert_array_equal(np.sort(parted), np.sort(x))
    assert parted[kth] == np.sort(x)[kth]
    assert max(parted[:kth], default=-np.inf) <= parted[kth] <= min(parted[kth:])


def test_a_deviation_of_0_has_no_slope() -> None:
    for function in (Tensor.std, np.std, Tensor.var, np.var):
        x = Tensor(np.full((2, 3), 1.5))
        y = function(x)
        y.backward()
        assert y.item() == 0
        assert_array_equal(x.grad, np.zeros((2, 3)))


def test_the_lower_median_shares_ties_over_all_and_along_an_axis() -> None:
    x, t = (maker([1.0, 2, 2, 2, 3]) for maker in (Tensor, torch.tensor))
    t.requires_grad_()
    x.median().backward()
    t.median().backward()
    assert_close(x.grad, t.grad.numpy(), rtol=1e-7)  # PyTorch's is float32
    x = Tensor([[1.0, 2, 2, 2, 3]])
    x.median(axis=1).backward()
    assert_close(x.grad, np.array([[0, 1, 1, 1, 0]]) / 3)


# --- casts ----------------------------------------------------------------------------------------


def test_a_cast_hands_the_gradient_back_in_the_dtype_it_came_from() -> None:
    for cast in (Tensor.astype, Tensor.to):
        x = Tensor([0.1, 0.2], dtype=np.float32)
        y = cast(x, np.float64)
        (y * np.array([1.0, 3.0])).backward()
        assert (y.dtype, y.grad.dtype) == (np.float64, np.float64)
        assert_array_equal(x.grad, np.array([1, 3], np.float32), strict=True)


def test_infinities_become_the_largest_numbers_of_their_dtype() -> None:
    for dtype in (np.float32, np.float64):
        x = Tensor([np.inf, -np.inf, np.nan, 1.0], dtype=dtype)
        y = x.nan_to_num()
        y.backward()
        largest = np.finfo(dtype).max
        assert_array_equal(y.data, np.array([largest, -largest, 0, 1], dtype), strict=True)
        assert_array_equal(x.grad, [0, 0, 0, 1])


# --- bad input ------------------------------------------------------------------------------------

AXIS = "axis 5 is out of bounds for array of dimension 2"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.sum(axis=5), ValueError, rf"sum of tensor 'x' of shape \(2, 3\): {AXIS}"),
        (lambda x: x.sum(axis=5), IndexError, AXIS),
        (
            lambda x: x.sum(axis=(0, 0)),
            ValueError,
            "sum of tensor 'x' .* duplicate value in 'axis'",
        ),
        (lambda x: x.sum(axis=1.5), TypeError, "'float' object cannot be interpreted as an integ"),
        (lambda x: x.max(axis=5), ValueError, f"max of tensor 'x' .*{AXIS}"),
        (lambda x: x[:0].max(), ValueError, "max of .* zero-size array to reduction operation"),
        (lambda x: x.softmax(5), ValueError, f"softmax of tensor 'x' .*{AXIS}"),
        (lambda x: x.cumsum(5), ValueError, AXIS),
        (lambda x: x.cummax(5), ValueError, AXIS),
        (lambda x: x.sort(5), ValueError, AXIS),
        (lambda x: x.flip(5), ValueError, f"flip of tensor 'x' .*{AXIS}"),
        (lambda x: x.roll(1, 5), ValueError, f"roll of tensor 'x' .*{AXIS}"),
        (lambda x: x.squeeze(5), ValueError, AXIS),
        (lambda x: x.unbind(5), ValueError, AXIS),
        (lambda x: x.chunk(2, 5), ValueError, AXIS),
        (lambda x: x.topk(1, 5), ValueError, AXIS),
        (lambda x: x.select(5, 0), ValueError, AXIS),
        (lambda x: x.gather(5, [[0]]), ValueError, AXIS),
        (lambda x: x.unflatten(5, (1, 1)), ValueError, AXIS),
        (lambda x: np.take(x, 0, 5), ValueError, AXIS),
        (lambda x: np.split(x, 2, 5), ValueError, AXIS),
        (lambda x: np.concatenate([x, x], 5), ValueError, AXIS),
        (lambda x: np.gradient(x, axis=5), ValueError, AXIS),
        (lambda x: x.reshape(4, 2), ValueError, r"reshape of tensor 'x' .*6 into shape \(4,2\)"),
        (lambda x: x.permute(0, 0), ValueError, "transpose of tensor 'x' .* repeated axis"),
        (lambda x: x.permute(0), ValueError, "transpose of tensor 'x' .* axes don't match"),
        (lambda x: np.squeeze(x, 0), ValueError, "size not equal to one"),
        (lambda x: x.flatten(1, 0), ValueError, "flatten: start_dim 1 comes after end_dim 0"),
        (lambda x: x.broadcast_to((3, 3)), ValueError, r"broadcast_to of tensor 'x' .*\(3,3\)"),
        (lambda x: x.expand(3), ValueError, r"expand: tensor 'x' .* does not fit into \(3,\)"),
        (lambda x: np.repeat(x, [1, 2], 1), ValueError, r"\(3,\) \(2,\)"),
        (lambda x: np.stack([x, x[0]]), ValueError, "concatenate of a tensor .*dimensions"),
        (lambda x: np.concatenate([x, x.T]), ValueError, "concatenate of tensor 'x' .* must match"),
        (lambda x: np.concatenate([]), ValueError, "at least one array"),
        (lambda x: np.split(x, 2, 1), ValueError, "split: 3 entries along axis 1 make no 2 equal"),
        (lambda x: x.split(0), ValueError, "split: the size of a part is at least 1, got 0"),
        (lambda x: x.split([1, 2]), ValueError, r"split: sizes \[1, 2\] do not add up to 2"),
        (lambda x: x.chunk(0), ValueError, "chunk: the number of parts is at least 1, got 0"),
        (lambda x: np.pad(x, 1, "empty"), ValueError, "pad: mode 'empty' has no grad"),
        (lambda x: np.pad(x, -1), ValueError, "negative"),
        (
            lambda x: x.reshape(1, 2, 3).diag(),
            ValueError,
            r"diag: expected .* got shape \(1, 2, 3\)",
        ),
        (lambda x: np.meshgrid(x, indexing="ab"), ValueError, "meshgrid: indexing is .* got 'ab'"),
        (lambda x: x[5], IndexError, "index .* of tensor 'x' .* index 5 is out of bounds"),
        (lambda x: x[0, 0, 0], IndexError, "of tensor 'x' .* too many indices"),
        (lambda x: x[1.5], IndexError, "of tensor 'x' .* only integers, slices"),
        (lambda x: x.take(9), IndexError, "index 9 is out of bounds"),
        (lambda x: x.gather(0, [0]), ValueError, r"tensor 'x' .* as many axes, got .* \(1,\)"),
        (lambda x: x.masked_select(np.ones(5, bool)), ValueError, r"\(5,\).*\(2, 3\)"),
        (lambda x: x.masked_fill(np.ones(5, bool), 0), ValueError, r"where of .*\(5,\).*\(2,3\)"),
        (lambda x: x.kthvalue(4), ValueError, r"kthvalue: k lies between 1 and 3 .*, got 4"),
        (lambda x: x.kthvalue(0), ValueError, r"kthvalue: k lies between 1 and 3 .*, got 0"),
        (lambda x: x.mode(5), ValueError, AXIS),
        (lambda x: x.max(dim=5), ValueError, AXIS),
        (lambda x: x.div(x, rounding_mode="up"), ValueError, "div: rounding_mode is .* got 'up'"),
        (lambda x: x.topk(4), ValueError, r"topk: k lies between 0 and 3 \(axis -1\), got 4"),
        (lambda x: x.clip("a"), TypeError, "clip: expected a Tensor, a number .*got str 'a'"),
        (lambda x: np.select([x > 0], [x, x]), ValueError, "select: 1 conditions for 2 choices"),
        (lambda x: x.glu(), ValueError, "3 entries along axis -1 make no 2 equal parts"),
        (lambda x: x.gelu("x"), ValueError, 'gelu: approximate is "none" or "tanh", got \'x\''),
        (lambda x: x.quantile(2), ValueError, "quantile: q lies between 0 and 1, got 2"),
        (lambda x: x.quantile(0.5, method="x"), ValueError, "'x' is not a valid method"),
        (lambda x: np.diff(x, -1), ValueError, "diff: n is 0 or more, got -1"),
        (lambda x: np.gradient(x, 1, 2, 3), TypeError, "2 axes take as many spacings, got 3"),
        (lambda x: np.gradient(x, edge_order=3), ValueError, "edge_order is 1 or 2 .* got 3"),
        (lambda x: np.gradient(x[:1], axis=0), ValueError, "got 1 for 1 entries along axis 0"),
        (lambda x: np.gradient(x[:2], axis=0, edge_order=2), ValueError, "got 2 for 2 entries"),
        (lambda x: x.astype(int), TypeError, "floating or complex dtype, got int64"),
        (lambda x: x.leaky_relu(slope=1), TypeError, "leaky_relu: slope= is not supported"),
        (lambda x: x.sum(dim=0, axis=0), TypeError, "sum: give dim= or axis=, not both"),
        (lambda x: x.sum(keepdim=1, keepdims=1), TypeError, "give keepdim= or keepdims=, not both"),
        (
            lambda x: x @ x,
            ValueError,
            r"matmul \(@\) of tensor 'x' of shape \(2, 3\) and tensor 'x'",
        ),
        (
            lambda x: x + x.T,
            ValueError,
            r"add \(\+\) of tensor 'x' .* and a tensor of shape \(3, 2\)",
        ),
    ],
)
def test_bad_input_is_named_and_leaves_nothing_behind(
    call: Function, error: type[Exception], message: str
) -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3), label="x")
    with pytest.raises(error, match=message):
        call(x)
    assert_array_equal(x.data, np.arange(6.0).reshape(2, 3))
    x.sum().backward()
    assert_array_equal(x.grad, np.ones((2, 3)))


# --- completeness ---------------------------------------------------------------------------------

# The names that people bring along from NumPy and PyTorch; the functions of linear algebra are in
# test_linalg.py.
NAMES = {
    "elementwise": """exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square cbrt reciprocal abs sign
        floor ceil round trunc sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh
        arccosh arctanh sinc hypot logaddexp logaddexp2 maximum minimum fmax fmin clip where
        copysign mod remainder fmod floor_divide lerp nan_to_num deg2rad rad2deg float_power xlogy
        add subtract multiply divide power negative positive absolute fabs rint fix radians degrees
        true_divide around erf""",
    "PyTorch's elementwise": """asin acos atan atan2 asinh acosh atanh clamp neg sub mul div pow sgn
        clone""",
    "activations": """relu leaky_relu elu selu celu gelu silu mish softplus softsign hardtanh relu6
        sigmoid logsigmoid softmax log_softmax softmin glu""",
    "reductions": """sum mean prod var std min max amin amax logsumexp nansum nanmean cumsum cumprod
        logcumsumexp cummax cummin median mode kthvalue quantile trapezoid diff gradient""",
    "shape": """reshape view ravel flatten squeeze expand_dims unsqueeze transpose permute swapaxes
        swapdims moveaxis movedim broadcast_to expand flip fliplr flipud roll rot90 repeat tile
        repeat_interleave stack concatenate append hstack vstack dstack column_stack atleast_1d
        atleast_2d atleast_3d split array_split hsplit vsplit dsplit chunk unbind unflatten rollaxis
        pad tril triu diag diagonal meshgrid T mT""",
    "indexing": """take select partition take_along_axis gather index_select masked_fill
        masked_select sort topk scatter_add compress""",
}
ALL_NAMES = {name for names in NAMES.values() for name in names.split()}


def names_in(function: Function) -> set[str]:
    code = getattr(function, "__code__", None)
    called = set(code.co_names) if code is not None and code.co_name == "<lambda>" else set()
    return called | {getattr(function, "__name__", "")}


def operations_of(function: Function, args: Any) -> set[str]:
    """Name the operations that compute a function and its derivative."""
    inputs, xs = tensors_of(args)
    ys = [y for y in leaves(function(*inputs)) if y.requires_grad]
    ws = [Tensor(w) for w in weights([y.shape for y in ys], 1)]
    slopes = grad(ys, xs, ws, create_graph=True, allow_unused=True) if ys else []
    nodes = topological_order([*ys, *[slope for slope in slopes if slope is not None]])
    return {node._op.name for node in nodes if node._op is not None}


# What tinytorch.nn adds is tested with its functions, in test_nn_functions.py and beside it.
OF_NETWORKS = {
    "BINARY_CROSS_ENTROPY", "STANDARDIZE", "SCALE_AND_SHIFT", "CORRELATE", "CORRELATE_WEIGHT",
    "SPREAD", "MAX_POOL", "TO_LARGEST", "MAX_UNPOOL", "SUM_POOL", "MASKED_SOFTMAX", "RECURRENCE",
}  # fmt: skip


# In test_numpy_functions.py, test_op_db.py, test_scipy.py, test_complex.py and test_fft.py.
ELSEWHERE = {
    "REAL", "IMAG", "CONJUGATE", "ANGLE", "EIG", "FFT", "IFFT", "RFFT", "IRFFT", "HFFT", "IHFFT",
    "TO",  # in test_cupy_tensors.py
    "HEAVISIDE", "SPACING", "UNWRAP", "FRAC", "EXPM", "LOGM", "SQRTM", "SOLVE_TRIANGULAR",
    "SOLVE_SYLVESTER", "SOLUTION", "NEXTAFTER", "ROOTS", "LU",
}  # fmt: skip


def test_every_operation_has_a_case() -> None:
    tested = {name for name, _, _ in ELEMENTWISE}
    for case in [*CASES, *LINEAR_ALGEBRA]:
        for seed in range(3):
            args = case.arguments(dice(seed))
            tested.update(*[operations_of(spelling, args) for spelling in case.spellings])
    x = Tensor(2.0)
    tested.update(
        node._op.name for node in topological_order(grad(x**x, x, create_graph=True)) if node._op
    )
    tested.update(name.upper() for name in special_functions)  # in test_special.py
    library = {op.name for op in Operation if op.module == "tinytorch.operations.operation"}
    assert library - OF_NETWORKS - ELSEWHERE == tested


def test_every_name_has_a_case() -> None:
    tested = {name for case in CASES for spelling in case.spellings for name in names_in(spelling)}
    for _, method, _ in ELEMENTWISE:
        tested.update(aliases(method), (f.__name__ for f in numpy_spellings(method)))
    assert ALL_NAMES - tested == set()


@pytest.mark.parametrize("name", sorted(ALL_NAMES))
def test_every_name_is_there_in_each_library_that_has_it(name: str) -> None:
    if callable(getattr(torch.Tensor, name, None)):
        assert hasattr(Tensor, name)
    if hasattr(np, name):
        assert getattr(np, name) in numpy_functions
