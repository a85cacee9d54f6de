"""Every operation, in every spelling: value, dtype, first and second derivative."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, Case, Choices, dice
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
    weights,
)

from tinytorch import Operation, Tensor, no_grad
from tinytorch.engine import topological_order
from tinytorch.operations.activations import Activations
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import Elementwise


def choices(data: st.DataObject) -> Choices:
    return Choices(lambda low, high: data.draw(st.integers(low, high)))


# --- the operations entry by entry, found by being there ------------------------------------------


def elementwise() -> Iterator[tuple[str, Function, int]]:
    """Find the operations on one tensor and on two, with the number of their operands."""
    for family in (Arithmetic, Elementwise, Activations):
        for op in Operation:
            method = vars(family).get(op.name.lower())
            if method is not None:
                parameters = list(inspect.signature(method).parameters)
                if parameters in (["self"], ["self", "other"]):
                    yield op.name, method, len(parameters)


ELEMENTWISE = list(elementwise())
UNARY = [(name, method) for name, method, operands in ELEMENTWISE if operands == 1]
BINARY = [(name, method) for name, method, operands in ELEMENTWISE if operands == 2]


def aliases(method: Function) -> list[str]:
    return [name for name in dir(Tensor) if inspect.getattr_static(Tensor, name) is method]


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
    return [getattr(np, name) for name in aliases(method) if callable(getattr(np, name, None))]


# Zeros, ties, halves, the ends of domains, small ones and large ones.
POINTS = np.array(
    [0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 20, 1e-9]
    + [-0.25, -0.5, -1, -1.5, -2, -2.5, -3, -5, -20, -1e-9]
    + [0.1, 0.7, 0.99, 1.2, 3.3, -0.1, -0.7, -0.99, -1.2, -3.3]
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


# Where PyTorch is no reference. It gives fmax's and fmin's gradient of a tie to the first operand,
# but a half to each for maximum and minimum; and for x**0 it forgets that the exponent may change.
COMPARED = {
    "FMAX": lambda x, y: x != y,
    "FMIN": lambda x, y: x != y,
    "POWER": lambda x, y: y != 0,
    "FLOAT_POWER": lambda x, y: y != 0,
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
    for part, rtol in (("values", 1e-5), ("first", 1e-5), ("second", 1e-4)):
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


# --- the table --------------------------------------------------------------------------------------

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
