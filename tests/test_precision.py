"""Precision: the dtype stays, whatever it is, and long sums, counts and positions are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, Case, dice
from numpy.testing import assert_allclose, assert_array_equal
from reference import Function, leaves, tensors_of
from test_operations import ELEMENTWISE, SMOOTH

from tinytorch import Tensor, grad
from tinytorch.arrays import words

DTYPES = (np.float16, np.float32, np.longdouble)
BY_NAME = [pytest.param(case, id=case.name) for case in CASES]

# --- dtypes ---------------------------------------------------------------------------------------


def assert_keeps(function: Function, args: Any, dtype: Any, out: Any = None) -> None:
    inputs, xs = tensors_of(args, dtype)
    with np.errstate(all="ignore"):
        ys = list(leaves(function(*inputs)))
        for y in ys:
            assert y.dtype == (out or dtype)
            if y.requires_grad:
                y.backward()
    assert all(x.grad.dtype == dtype for x in xs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", BY_NAME)
def test_the_table_keeps_its_dtype(case: Case, dtype: Any) -> None:
    for seed in range(3):
        args = case.arguments(dice(seed))
        for function in case.spellings:
            assert_keeps(function, args, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_elementwise_keeps_its_dtype(
    name: str, method: Function, operands: int, dtype: Any
) -> None:
    args = [SMOOTH + (name == "ARCCOSH") + i / 50 for i in range(operands)]
    wide = np.result_type(dtype, np.float64) if name == "FLOAT_POWER" else dtype
    assert_keeps(method, args, dtype, wide)
    if operands == 2:
        for number in (2, 0.5, True):
            assert_keeps(lambda x, number=number: method(x, number), args[:1], dtype, wide)
            assert_keeps(lambda x, number=number: method(number, x), args[:1], dtype, wide)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_another_byte_order_becomes_the_machines(kind: str) -> None:
    other, own = np.dtype(f">{kind}"), np.dtype(kind)
    x = Tensor(np.array([1.0, 2.0], other))
    assert x.dtype == own
    assert x.dtype.isnative
    assert Tensor([1.0], dtype=other).dtype.isnative
    assert x.astype(other).dtype.isnative
    constant = np.array([3.0, 4.0], other)
    for y in (x * constant, constant * x, np.maximum(x, constant), x.sigmoid() + constant):
        assert y.dtype.isnative
        y.backward(np.array([1.0, 1.0], other))
    assert x.grad.dtype.isnative
    x.grad = x.data = constant
    assert x.data.dtype.isnative
    assert x.grad.dtype.isnative


# --- float16 --------------------------------------------------------------------------------------

MANY = 70_000  # more than float16 can count


def test_ties_are_counted() -> None:
    for function in (np.max, np.min, Tensor.amax, Tensor.median):
        slope = grad(function)(np.ones(MANY, np.float16))
        assert_array_equal(slope, np.full(MANY, 1 / MANY, np.float16))


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3000, 1), ()])
def test_a_bias_gets_the_sum_over_the_batch(shape: Any) -> None:
    X, b = np.ones((3000, 4), np.float16), Tensor(np.zeros(shape, np.float16))
    (X + b).backward()
    assert_array_equal(b.grad, np.full(shape, 12000 / max(b.size, 1), np.float16), strict=True)


HALF = {
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(0),
    "var": lambda x: x.var(0),
    "std": lambda x: x.std(0),
    "logsumexp": lambda x: x.logsumexp(0),
    "softmax": lambda x: x.softmax(0) if isinstance(x, Tensor) else torch.softmax(x, 0),
    "log_softmax": lambda x: x.log_softmax(0),
    "cumsum": lambda x: x.cumsum(0),
    "nanmean": lambda x: x.nanmean(0),
    "nansum": lambda x: x.nansum(0),
    "logcumsumexp": lambda x: x.logcumsumexp(0),
}


@pytest.mark.parametrize("name", HALF)
def test_half_precision_is_rounded_once(name: str) -> None:
    values = np.random.default_rng(0).uniform(0.5, 1.5, (5000, 2)).astype(np.float16)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, (5000, 2)).astype(np.float16)
    x, t = Tensor(values), torch.tensor(values).double().requires_grad_()
    y, z = HALF[name](x), HALF[name](t)
    y.backward(weights[: y.shape[0]] if y.ndim == 2 else weights[0])
    z.backward(torch.tensor(weights[: z.shape[0]] if z.ndim == 2 else weights[0]))
    half = float(np.finfo(np.float16).eps)
    # The rule gets the output as it was rounded, whose exponential errs by as much as it is large.
    rough = 12 * half if "log" in name else 2 * half
    assert_allclose(y.data, z.detach(), rtol=half)
    assert_allclose(x.grad, t.grad, rtol=rough, atol=rough * float(t.grad.abs().max()))


def test_means_of_more_than_can_be_counted() -> None:
    values = np.ones((MANY, 2), np.float16)
    for function in (Tensor.mean, Tensor.nanmean):
        x = Tensor(values)
        y = function(x, axis=0)
        y.backward()
        assert_array_equal(y.data, [1, 1])
        assert_array_equal(x.grad, np.full(x.shape, 1 / MANY, np.float16))
    assert_array_equal(Tensor(values).softmax(0).data, np.full(values.shape, 1 / MANY, np.float16))


# --- float32 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((1_000_000, 3), 0),
        ((1_000_000, 1), 0),
        ((100, 10_000), 0),
        ((300, 3, 1000), (0, 2)),
        ((100_000, 2, 2), (0, 1)),
        ((2, 100_000, 2), 1),
        ((10, 100_000), 1),
        ((1000, 1000), None),
    ],
)
def test_long_sums_lose_no_digits(shape: Any, axis: Any) -> None:
    x = np.random.default_rng(0).random(shape, np.float32)
    tiny = 10 * float(np.finfo(np.float32).eps)
    for array in (x, np.asfortranarray(x), x[::2], x[..., ::2]):
        exact = array.astype(np.float64)
        for keepdims in (False, True):
            options = {"axis": axis, "keepdims": keepdims}
            assert_allclose(words.sum_axes(array, **options), exact.sum(**options), rtol=tiny)
            assert_allclose(words.mean(array, **options), exact.mean(**options), rtol=tiny)
        options = {"axis": axis, "keepdims": False}
        assert_allclose(words.variance(array, **options), exact.var(**options), rtol=tiny)
    w = Tensor(np.ones_like(x.sum(axis=axis, keepdims=True)))
    (x * w).backward()
    assert_allclose(w.grad, x.astype(np.float64).sum(axis=axis, keepdims=True), rtol=tiny)


def test_a_bias_over_many_rows_loses_no_digits() -> None:
    x, b = np.full((1_000_000, 2), 0.1, np.float32), Tensor(np.zeros(2, np.float32))
    (x + b).backward(x)
    assert_allclose(b.grad, x.astype(np.float64).sum(axis=0), rtol=1e-6)


def test_running_sums_lose_no_digits() -> None:
    values = np.full((100_000, 2), 0.1, np.float32)
    x = Tensor(values)
    y = x.cumsum(0)
    y.backward(values)
    exact = values.astype(np.float64)
    assert_allclose(y.data, exact.cumsum(0), rtol=1e-7)
    assert_allclose(x.grad, exact[::-1].cumsum(0)[::-1], rtol=1e-7)


def test_positions_are_exact() -> None:
    x = np.arange(2**24 + 10, dtype=np.float32)
    for q in (0.999, 0.5, 1e-7):
        assert_allclose(
            np.quantile(Tensor(x), q).item(), np.quantile(x.astype(float), q), rtol=1e-7
        )
