"""Entries that are nan: the value, the gradient and the order that PyTorch gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from reference import Function, weights
from torch.nn import functional

from tinytorch import Tensor, compile, hessian, vmap  # noqa: A004

nan = np.nan
VALUES = np.array([[1, nan, 3, 3, 0], [nan, 2, nan, 2, 5], [1, 1, 0, -1, 2], [nan] * 5], float)
OTHER = np.array([[2, 4, nan, 3, 0], [nan, 2, 1, -2, nan], [1, nan, 0, 5, 2], [0, 1, nan, 2, 3.0]])


def constant(x: Any) -> Any:
    """Give OTHER as PyTorch's functions and ours take it."""
    return OTHER if isinstance(x, Tensor) else torch.tensor(OTHER)


def both(name: str, *parameters: Any, **keywords: Any) -> tuple[Function, Function]:
    def method(x: Any) -> Any:
        return getattr(x, name)(*parameters, **keywords)

    return method, method


def first(name: str, *parameters: Any, **keywords: Any) -> tuple[Function, Function]:
    """Take the values of a pair, from both."""

    def method(x: Any) -> Any:
        return getattr(x, name)(*parameters, **keywords)[0]

    return method, method


def binary(name: str) -> tuple[Function, Function]:
    return lambda x: getattr(x, name)(OTHER), lambda x: getattr(torch, name)(x, torch.tensor(OTHER))


# Of elu and hardtanh PyTorch makes one thing in the middle of an array, another at its end.
SAME = {
    "max": both("max"),
    "min": both("min"),
    "median": both("median"),
    "max along": first("max", dim=1),
    "min along": first("min", dim=0),
    "median along": first("median", dim=1),
    "cummax": first("cummax", 1),
    "cummin": first("cummin", dim=0),
    "sort": first("sort", dim=1, stable=True),
    "sort from the largest": first("sort", dim=0, descending=True, stable=True),
    "quantile": both("quantile", 0.4, dim=1),
    "nansum": both("nansum", 1),
    "cumsum": both("cumsum", 1),
    "logsumexp": both("logsumexp", 1),
    "logcumsumexp": both("logcumsumexp", 1),
    "softmax": both("softmax", 1),
    "log_softmax": both("log_softmax", 1),
    "clip": both("clip", 0, 2),
    "maximum": binary("maximum"),
    "minimum": binary("minimum"),
    "relu": (Tensor.relu, torch.relu),
    "leaky_relu": (Tensor.leaky_relu, functional.leaky_relu),
    "softsign": (Tensor.softsign, functional.softsign),
    "softplus": (Tensor.softplus, functional.softplus),
    "sigmoid": both("sigmoid"),
    "nan_to_num": both("nan_to_num"),
    "to the power 0": (lambda x: x**0, lambda x: x**0),
    "to powers": (lambda x: x ** np.zeros(5), lambda x: x ** torch.zeros(5)),
    "floor": both("floor"),
}


@pytest.mark.parametrize("name", SAME)
def test_values_and_gradients_are_pytorchs(name: str) -> None:
    ours, theirs = SAME[name]
    x, t = Tensor(VALUES), torch.tensor(VALUES, requires_grad=True)
    with np.errstate(invalid="ignore"):  # of which NumPy's logaddexp warns
        y, z = ours(x), theirs(t)
    w = weights([y.shape], 1)[0]
    y.backward(w)
    z.backward(torch.tensor(w))
    assert_allclose(y.data, z.detach(), rtol=1e-12)
    assert_allclose(x.grad, t.grad, rtol=1e-12)


def test_the_extremes_along_an_axis_share_among_nan() -> None:
    for function in (Tensor.max, np.min, np.amax, Tensor.median):
        x = Tensor([[1.0, nan, nan], [2.0, 2.0, 2.0]])
        y = function(x, axis=1)
        y.backward(np.array([3.0, 6.0]))
        assert_array_equal(y.data, [nan, 2])
        assert_array_equal(x.grad, [[0, 1.5, 1.5], [2, 2, 2]])


def test_in_fmax_and_fmin_a_nan_gives_way_and_two_are_the_first() -> None:
    for name in ("fmax", "fmin"):
        x, y = Tensor([nan, 1.0, nan, 2.0, 3.0]), Tensor([1.0, nan, nan, 3.0, 2.0])
        t, s = (torch.tensor(v.data, requires_grad=True) for v in (x, y))
        z = getattr(x, name)(y)
        z.backward()
        expected = getattr(torch, name)(t, s)
        expected.sum().backward()
        assert_array_equal(z.data, expected.detach())
        assert_array_equal(x.grad, t.grad)
        assert_array_equal(y.grad, s.grad)


def test_a_nan_is_the_largest_and_ties_keep_their_order() -> None:
    for row in [*VALUES, *OTHER]:
        t, x = torch.tensor(row), Tensor(row)
        for descending in (False, True):
            ordered = torch.sort(t, descending=descending, stable=True)
            for mine in (
                x.sort(dim=0, descending=descending),
                x.sort(dim=-1, descending=descending),
            ):
                assert_array_equal(mine.values.data, ordered.values)
                assert_array_equal(mine.indices, ordered.indices)
            assert_array_equal(x.sort(descending=descending).data, ordered.values)
            assert_array_equal(x.argsort(descending=descending), ordered.indices)
            top = x.topk(3, largest=descending)
            assert_array_equal(top.values.data, ordered.values[:3])
            assert_array_equal(top.indices, ordered.indices[:3])
        for k in range(1, 6):
            assert_array_equal(x.kthvalue(k).values.data, t.kthvalue(k).values)
        assert_array_equal(np.sort(x).data, np.sort(row))


def test_a_nan_stays_in_running_extremes() -> None:
    for ufunc, name in ((np.maximum, "cummax"), (np.minimum, "cummin")):
        for row in [*VALUES, *OTHER]:
            theirs = getattr(torch.tensor(row), name)(0)
            ours = getattr(Tensor(row), name)(0)
            assert_array_equal(ours.indices, theirs.indices)
            assert_array_equal(ours.values.data, ufunc.accumulate(row))
            assert_array_equal(ufunc.accumulate(Tensor(row)).data, ufunc.accumulate(row))


def test_masked_entries_have_no_part_in_logcumsumexp() -> None:
    infinite = -np.inf
    x = np.array([infinite, infinite, 0.3, 1, infinite, 2])
    weight = np.array([1.0, 2, 3, 4])

    def f(x: Any) -> Any:
        return (x.logcumsumexp(0)[2:] * weight).sum()

    numbers = np.isfinite(x)
    t = torch.tensor(x[numbers])

    def g(t: Any) -> Any:
        running = torch.logcumsumexp(t, 0)  # the masked one repeats the sum before it
        return (running * torch.tensor([1.0, 2 + 3, 4])).sum()

    expected = np.zeros((6, 6))
    expected[np.ix_(numbers, numbers)] = torch.autograd.functional.hessian(g, t)
    assert_allclose(hessian(f)(x), expected, atol=1e-14)


@pytest.mark.parametrize("q", [0.5, [0.2, 0.7]])
def test_quantiles_of_many_and_compiled(q: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    x[0, 1, 1:] = x[1, :, 2] = x[2, 0, 0] = np.nan

    def f(x: Any) -> Any:
        return np.nanquantile(x, q, axis=-1)

    found = vmap(f)(x)
    program = compile(f)
    for i, row in enumerate(x):
        assert_allclose(found[i], f(row), rtol=1e-13)
        assert_allclose(program(Tensor(row)).data, f(row), rtol=1e-13)
