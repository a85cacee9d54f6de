"""Precision: the dtype stays, whatever it is, and long sums, counts and positions are exact."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, Case, dice
from numpy.testing import assert_allclose, assert_array_equal
from reference import Function, leaves, tensors_of
from scipy.special import ndtr
from test_operations import ELEMENTWISE, SMOOTH

from tinytorch import Tensor, grad
from tinytorch.arrays import words
from tinytorch.nn import functional as ours

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


NUMBER: dict[str, Function] = {
    "append": lambda x: x.append(0.5),
    "prepended": lambda x: np.append(0.5, x),
    "kron": lambda x: np.kron(x, 0.5),
    "kron from the left": lambda x: np.kron(0.5, x),
    "outer": lambda x: x.outer(0.5),
    "ger": lambda x: x.ger(0.5),
    "outer from the left": lambda x: np.outer(0.5, x),
    "dot": lambda x: np.dot(x, 0.5),
    "inner": lambda x: np.inner(0.5, x),
    "tensordot": lambda x: np.tensordot(x, 0.5, 0),
    "einsum": lambda x: np.einsum(",i->i", 0.5, x),
    "diff": lambda x: np.diff(x, prepend=0.5, append=1.5),
    "gradient": lambda x: np.gradient(x, 0.5),
    "trapezoid": lambda x: np.trapezoid(x, dx=0.5),
    "pad": lambda x: np.pad(x, 1, constant_values=0.5),
    "where": lambda x: np.where([True, False, True], x, 0.5),
    "select": lambda x: np.select([np.array([True, False, True])], [x], 0.5),
    "masked_fill": lambda x: x.masked_fill(np.array([True, False, True]), 0.5),
    "clip": lambda x: np.clip(x, 0.5, 1.5),
    "lerp": lambda x: x.lerp(0.5, 0.25),
    "stack": lambda x: np.stack([x[0], 0.5]),
    "hstack": lambda x: np.hstack([x, 0.5]),
    "vstack": lambda x: np.vstack([x[0], 0.5]),
    "column_stack": lambda x: np.column_stack([x[0], 0.5]),
    "power": lambda x: x**9,
    "logaddexp": lambda x: np.logaddexp(x, 0.5),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NUMBER)
def test_a_number_keeps_the_dtype(name: str, dtype: Any) -> None:
    assert_keeps(NUMBER[name], [np.array([1.0, 2.0, 3.0])], dtype)


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


EVERY_HALF = np.arange(2**16, dtype=np.uint16).view(np.float16)


@pytest.mark.parametrize(
    "operation", [row for row in ELEMENTWISE if row[2] == 1], ids=itemgetter(0)
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_number_of_half_precision(operation: Any) -> None:
    name, method, _ = operation
    finite = EVERY_HALF[np.isfinite(EVERY_HALF)]
    if name == "SINC":  # NumPy's own overflows in pi x, and early ones are nan at 0
        finite = finite[np.isfinite(np.sinc(finite))]
    x, exact = Tensor(finite), Tensor(finite.astype(float))
    y, z = method(x), method(exact)
    y.backward()
    z.backward()
    eps, largest = float(np.finfo(np.float16).eps), float(np.finfo(np.float16).max)
    for found, wanted in ((y.data, z.data), (x.grad, exact.grad)):
        # Beyond the largest number anything is infinite, and rounding may lead there or not.
        fits = (np.abs(z.data) < 0.9 * largest) & (np.abs(wanted) < 0.9 * largest)
        fits |= np.isnan(wanted)
        # A rule gets out as it was rounded; next to a pole, as of arctanh at 1, 1 - x**2 has lost
        # digits, and squares of small and large numbers vanish or overflow.
        assert_allclose(found[fits], wanted[fits], rtol=10 * eps, atol=4 * eps)


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


# --- one entry, many times ------------------------------------------------------------------------

USES = 5000
FIRST, ONES = np.zeros(USES, int), np.ones(USES, np.float16)
MASK = np.ones(USES, bool)
# Of one entry x, so many uses.
USED: dict[str, Function] = {
    "repeat": lambda x: np.repeat(x, USES),
    "repeat_interleave": lambda x: x.repeat_interleave(USES),
    "tile": lambda x: np.tile(x, USES),
    "x.repeat": lambda x: x.repeat(USES),
    "expand": lambda x: x.expand(USES),
    "broadcast_to": lambda x: np.broadcast_to(x, USES),
    "broadcast": lambda x: x + np.zeros(USES, np.float16),
    "times": lambda x: x * ONES,
    "maximum": lambda x: np.maximum(x, np.zeros(USES, np.float16)),
    "where": lambda x: np.where(MASK, x, 0),
    "select": lambda x: np.select([MASK], [x]),
    "clip": lambda x: np.clip(np.zeros(USES, np.float16), x, 3),
    "masked_fill": lambda x: Tensor(np.zeros(USES, np.float16)).masked_fill(MASK, x),
    "lerp": lambda x: Tensor(ONES).lerp(2 * ONES, x),
    "meshgrid": lambda x: np.meshgrid(x, ONES)[0],
    "pad edge": lambda x: np.pad(x, (0, USES - 1), mode="edge"),
    "pad wrap": lambda x: np.pad(x, (0, USES - 1), mode="wrap"),
    "replicate": lambda x: ours.pad(x.reshape(1, 1, 1), (0, USES - 1), "replicate"),
    "interpolate": lambda x: ours.interpolate(x.reshape(1, 1, 1), size=USES),
    "index": lambda x: x[FIRST],
    "one by one": lambda x: np.stack([x[0] for _ in range(USES)]),
    "take": lambda x: np.take(x, FIRST),
    "take_along_axis": lambda x: np.take_along_axis(x, FIRST, 0),
    "gather": lambda x: x.gather(0, FIRST),
    "index_select": lambda x: x.index_select(0, FIRST),
    "embedding": lambda x: ours.embedding(FIRST, x.reshape(1, 1)),
    "embedding_bag": lambda x: ours.embedding_bag(FIRST[None], x.reshape(1, 1), mode="sum"),
    "bincount": lambda x: np.bincount(FIRST, x[FIRST]),
    "stack": lambda x: np.stack([x] * USES),
    "concatenate": lambda x: np.concatenate([x] * USES),
    "concatenate flat": lambda x: np.concatenate([x] * USES, None),
    "hstack": lambda x: np.hstack([x] * USES),
    "vstack": lambda x: np.vstack([x] * USES),
    "dstack": lambda x: np.dstack([x] * USES),
    "column_stack": lambda x: np.column_stack([x] * USES),
    "matmul": lambda x: x.reshape(1, 1) @ ONES[None],
    "rmatmul": lambda x: ONES[:, None] @ x.reshape(1, 1),
    "addmm": lambda x: x.addmm(ONES[:, None], np.ones((1, 1), np.float16)),
    "outer": lambda x: np.outer(x, ONES),
    "kron": lambda x: np.kron(x, ONES),
    "einsum": lambda x: np.einsum("i,j->ij", x, ONES),
    "tensordot": lambda x: np.tensordot(x, ONES, 0),
    "cross": lambda x: np.cross(np.broadcast_to(x, (USES, 3)), np.array([0, 0, 1], "e"))[:, 0],
    "unfold": lambda x: np.pad(x, USES - 1).unfold(0, USES, 1),
    "linear": lambda x: ours.linear(ONES[:, None], x.reshape(1, 1)),
    "bias": lambda x: ours.linear(ONES[:, None], np.zeros((1, 1), np.float16), x),
    "conv1d": lambda x: ours.conv1d(ONES[None, None], x.reshape(1, 1, 1)),
    "layer_norm": lambda x: ours.layer_norm(ONES[:, None], (1,), None, x),
}
LINE, SQUARE = ONES[None, None], ONES[:, None]
# And of so many entries, all of them 1, their sum.
ADDED: dict[str, Function] = {
    "sum": lambda x: x.sum(),
    "nansum": lambda x: x.nansum(),
    "add.reduce": np.add.reduce,
    "bincount": lambda x: np.bincount(FIRST, x),
    "scatter_add": lambda x: Tensor(np.zeros(1, np.float16)).scatter_add(0, FIRST, x),
    "einsum": lambda x: np.einsum("i->", x),
    "einsum of columns": lambda x: np.einsum("ij->j", np.stack([x, x], 1))[:1],
    "einsum of two": lambda x: np.einsum("ij,ij->j", np.stack([x, x], 1), np.ones((USES, 2), "e"))[
        0
    ],
    "dot": lambda x: np.dot(x, ONES),
    "matmul": lambda x: LINE[0] @ x,
    "vecdot": lambda x: np.vecdot(x, ONES),
    "tensordot": lambda x: np.tensordot(x, ONES, 1),
    "trace": lambda x: np.trace(np.diag(x)),
    "cumsum": lambda x: x.cumsum(0)[-1],
    "norm 0": lambda x: np.linalg.norm(x, 0),
    "norm 1": lambda x: np.linalg.norm(x, 1),
    "norm 2": lambda x: np.linalg.norm(x) ** 2,
    "norm 3": lambda x: np.linalg.norm(x, 3) ** 3,
    "norm of columns": lambda x: np.linalg.norm(np.stack([x, x], 1), 1, axis=0)[0],
    "norm of a matrix": lambda x: np.linalg.norm(np.stack([x, x], 1), 1),
    "fold": lambda x: ours.fold(x.reshape(1, USES, 1), (USES, 1), (USES, 1)).sum(),
    "avg_pool": lambda x: ours.avg_pool1d(x.reshape(1, 1, USES), USES) * USES,
    "lp_pool": lambda x: ours.lp_pool1d(x.reshape(1, 1, USES), 1, USES),
    "conv1d": lambda x: ours.conv1d(x.reshape(1, 1, USES), LINE),
    "conv_transpose1d": lambda x: ours.conv_transpose1d(x.reshape(1, USES, 1), SQUARE[..., None]),
    "linear": lambda x: ours.linear(x, LINE[0]),
    "l1_loss": lambda x: ours.l1_loss(x, 0 * ONES, reduction="sum"),
    "mse_loss": lambda x: ours.mse_loss(x, 0 * ONES, reduction="sum"),
}


@pytest.mark.parametrize("name", USED)
def test_an_entry_used_many_times_gets_the_sum(name: str) -> None:
    x = Tensor(np.ones(1, np.float16))
    USED[name](x).backward()
    assert_array_equal(x.grad, np.array([USES], np.float16), strict=True)


@pytest.mark.parametrize("name", ADDED)
def test_many_entries_are_added_up(name: str) -> None:
    x = Tensor(np.ones(USES, np.float16))
    y = ADDED[name](x)
    assert y.dtype == np.float16
    assert_allclose(y.data.item(), USES, rtol=3 * float(np.finfo(np.float16).eps))
    y.backward()
    assert x.grad.dtype == np.float16


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


@pytest.mark.parametrize("order", [1, 1.5, 2, 3])
def test_norms_and_einsum_of_many_rows_lose_no_digits(order: float) -> None:
    x = np.random.default_rng(0).random((1_000_000, 3), np.float32)
    tiny = 10 * float(np.finfo(np.float32).eps)
    exact = np.linalg.norm(x.astype(np.float64), order, axis=0)
    assert_allclose(np.linalg.norm(Tensor(x), order, axis=0).data, exact, rtol=tiny)
    if order == 1:
        assert_allclose(np.einsum("ij->j", Tensor(x)).data, exact, rtol=tiny)


def test_gradients_of_many_uses_lose_no_digits() -> None:
    weights = np.random.default_rng(0).random((1_000_000, 2), np.float32)
    exact = weights.astype(np.float64).sum(axis=0)
    for function in (
        lambda x: np.repeat(x, len(weights), axis=0),
        lambda x: x[np.zeros(len(weights), int)],
        lambda x: np.pad(x, ((0, len(weights) - 1), (0, 0)), mode="edge"),
    ):
        x = Tensor(np.ones((1, 2), np.float32))
        function(x).backward(weights)
        assert_allclose(x.grad[0], exact, rtol=1e-7)


def test_gelu_is_exact_far_from_zero() -> None:
    x = np.concatenate([np.linspace(-37, 37, 2001), [-np.inf, np.inf, np.nan, 0.0]])
    with np.errstate(invalid="ignore"):  # -inf * 0
        expected = x * ndtr(x)
        assert_allclose(Tensor(x).gelu().data, expected, rtol=1e-12, atol=1e-300)
        single = Tensor(x.astype(np.float32)).gelu().data
    assert_allclose(single, expected, rtol=1e-4, atol=1e-35)
