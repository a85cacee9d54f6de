"""Slopes that are set where there is none, as PyTorch sets them: they have no derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from reference import here, in_torch

from tinytorch import Tensor, grad, hessian, jacobian

Function = Callable[..., Any]
ORDERS = (0.5, 1.5, 2, 2.5, 3, 4, -1)


@pytest.fixture(autouse=True)
def infinite_without_a_warning() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def torch_gradient(f: Function, *xs: Any) -> list[Any]:
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
    f(*inputs).sum().backward()
    return [x.grad.numpy() for x in inputs]  # type: ignore[union-attr]


NOWHERE_FINITE: dict[str, tuple[Function, Function, list[Any]]] = {
    **{
        f"norm {p}": (
            lambda x, p=p: x.norm(p),
            lambda x, p=p: torch.linalg.vector_norm(x, p),
            [np.zeros(3)],
        )
        for p in ORDERS
    },
    "norm squared": (lambda x: x.norm() ** 2, lambda x: x.norm() ** 2, [np.zeros(3)]),
    "matrix norm": (np.linalg.norm, torch.linalg.norm, [np.zeros((2, 3))]),
    "nuclear norm": (
        lambda x: np.linalg.norm(x, "nuc"),
        lambda x: torch.linalg.matrix_norm(x, "nuc"),
        [np.zeros((3, 2))],
    ),
    "spectral norm": (
        lambda x: np.linalg.norm(x, 2),
        lambda x: torch.linalg.matrix_norm(x, 2),
        [np.zeros((2, 2))],
    ),
    "std": (lambda x: x.std(), torch.std, [np.full(3, 2.0)]),
    "std over n": (np.std, lambda x: torch.std(x, correction=0), [np.full(4, -1.0)]),
    "arctan2": (np.arctan2, torch.arctan2, [0.0, 0.0]),
    "hypot": (np.hypot, torch.hypot, [0.0, 0.0]),
}


@pytest.mark.parametrize(("f", "torchs", "xs"), NOWHERE_FINITE.values(), ids=NOWHERE_FINITE)
def test_a_slope_that_is_set_has_no_finite_derivative(
    f: Function, torchs: Function, xs: list[Any]
) -> None:
    variables = tuple(range(len(xs)))
    slopes = grad(f, variables)(*xs)
    for ours, theirs in zip(slopes, torch_gradient(torchs, *xs), strict=True):
        assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-12)  # singular vectors have two signs
    for row in hessian(f, variables)(*xs):
        for block in row:
            assert not np.isfinite(block).any()


@pytest.mark.parametrize("p", [2, 3, 4])
def test_the_norms_of_other_rows_have_theirs(p: int) -> None:
    x = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, -2.0]])
    blocks = hessian(lambda x: x.norm(p, dim=1).sum())(x)
    assert not np.isfinite(blocks[0, :, 0]).any()
    assert_allclose(blocks[1, :, 1], hessian(lambda x: x.norm(p))(x[1]), rtol=1e-14)


@pytest.mark.parametrize("p", ORDERS)
def test_norms_at_an_entry_of_0(p: float) -> None:
    x = np.array([0.0, 2.0, -1.0])
    actual = hessian(lambda x: x.norm(p))(x)
    other = hessian(lambda y: y.norm(p))(x[1:])
    if p >= 2:  # there it is smooth: below, PyTorch has nan
        expected = np.zeros((3, 3))
        expected[0, 0] = 1 / np.linalg.norm(x) if p == 2 else 0
        expected[1:, 1:] = other
        assert_allclose(actual, expected, rtol=1e-14, atol=1e-15)
    else:
        assert not np.isfinite(actual[:, 0]).any()
        if p > 0:
            assert_allclose(actual[1:, 1:], other, rtol=1e-14)


def test_even_norms_are_smooth_at_an_entry_of_0() -> None:
    def norm(t: Any) -> Any:
        return (np.stack([t, t * 0 + 2])).norm(4)

    slope = norm
    found = []
    for _ in range(4):
        slope = grad(slope)
        found.append(slope(0.0))
    assert_allclose(found, [0, 0, 0, 24 / 4 / 2**3], atol=1e-15)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (0.0, [[0, np.nan], [np.nan, np.nan]]),
        (0.5, [[np.nan, np.nan], [np.nan, 0]]),
        (1.0, [[0, np.nan], [np.nan, 0]]),
        (1.5, [[np.nan, 0], [0, 0]]),
        (2.0, [[2, 0], [0, 0]]),
        (3.0, [[0, 0], [0, 0]]),
    ],
)
def test_powers_of_0(y: float, expected: list[list[float]]) -> None:
    """By x and y, at x = 0; what is given as nan may be infinite."""
    actual = np.array(hessian(Tensor.power, (0, 1))(0.0, y))
    assert_array_equal(np.where(np.isfinite(actual), actual, np.nan), expected)
    # Where one of the two is a constant, it has no part in this.
    assert_array_equal(grad(grad(lambda y: 0.0**y))(y), expected[1][1])
    slope = grad(grad(lambda x: x**y))(0.0)
    assert_array_equal(slope if np.isfinite(slope) else np.nan, expected[0][0])


def test_powers_of_0_to_the_third_order() -> None:
    third = jacobian(hessian(Tensor.power, (0, 1)), (0, 1))
    # d3/dx2dy is y (y - 1) x**(y - 2) log(x) + (2 y - 1) x**(y - 2).
    (xx, xy), (yx, yy) = third(0.0, 2.0)
    assert xx[1] == xy[0] == yx[0] == -np.inf
    assert xy[1] == yx[1] == yy[0] == yy[1] == 0
    (xx, xy), (yx, yy) = third(0.0, 3.0)
    assert xx[0] == 6
    assert [xx[1], xy[0], yx[0], xy[1], yy[0], yy[1]] == [0] * 6


def test_powers_elsewhere_to_the_third_order() -> None:
    xs = np.array([0.5, 2.0, 3.0]), np.array([-1.5, 0.25, 2.0])

    def slopes(x: Any, y: Any) -> Any:
        by_x, by_y = grad(lambda x, y: (x**y).sum(), (0, 1))(x, y)
        return (by_x + 2 * by_y).sum()

    def torch_slopes(*xs: Any) -> Any:
        by_x, by_y = torch.autograd.grad((xs[0] ** xs[1]).sum(), xs, create_graph=True)
        return (by_x + 2 * by_y).sum()

    expected = torch.autograd.functional.hessian(torch_slopes, tuple(map(torch.tensor, xs)))
    for ours, theirs in zip(hessian(slopes, (0, 1))(*xs), expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert_allclose(a, b.numpy(), rtol=1e-12)


def test_xlogy() -> None:
    xx, xy = hessian(Tensor.xlogy, (0, 1))(0.0, 0.0)[0]
    assert (xx, np.isfinite(xy)) == (0, False)
    assert grad(Tensor.xlogy)(0.0, 0.0) == grad(Tensor.xlogy)(0.0, -1.0) == 0
    assert np.isnan(hessian(Tensor.xlogy, (0, 1))(0.0, -1.0)[0][1])  # no logarithm is around there
    assert hessian(Tensor.xlogy, (0, 1))(0.0, 2.0)[0][1] == 0.5


@pytest.mark.parametrize(
    ("f", "torchs"),
    [
        (np.abs, torch.abs),
        (lambda x: x.norm(1), lambda x: torch.linalg.vector_norm(x, 1)),
        (lambda x: x.norm(np.inf), lambda x: torch.linalg.vector_norm(x, torch.inf)),
        (lambda x: x.norm(0), lambda x: torch.linalg.vector_norm(x, 0)),
        (lambda x: x.relu(), torch.relu),
        (lambda x: x.max(), torch.amax),
        (lambda x: x**0, lambda x: x**0),
        (lambda x: x.prod(), torch.prod),
        (lambda x: x.cumprod(0), lambda x: x.cumprod(0)),
    ],
)
@pytest.mark.parametrize("x", [[0.0, 0.0], [0.0, 2.0]])
def test_kinks_and_products_have_pytorchs_second_derivative(
    f: Function, torchs: Function, x: list[float]
) -> None:
    actual, expected = here(f, [np.array(x)]), in_torch(torchs, [np.array(x)])
    assert_array_equal(actual.first[0], expected.first[0])
    assert_array_equal(actual.second[0], expected.second[0])
