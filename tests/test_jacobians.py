"""Jacobians by columns, linear maps, and diagonals of Hessians, against rows and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, Case, dice
from numpy.testing import assert_allclose, assert_array_equal
from reference import leaves
from test_linalg import CASES as LINEAR_ALGEBRA
from test_transforms import SCALAR, VECTOR, function_of_variables, pair, tensors, torch_hessian

from tinytorch import (
    custom_vjp,
    grad,
    hessian,
    hessian_diagonal,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    laplacian,
    linearize,
    value_and_grad,
    vjp,
    vmap,
)
from tinytorch.transforms import jacobians

Function = Callable[..., Any]


def assert_close(actual: Any, expected: Any) -> None:
    for a, b in zip(leaves(actual), leaves(expected), strict=True):
        scale = max(1, np.max(np.abs(b), initial=0))
        assert_allclose(a, b, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in [*CASES, *LINEAR_ALGEBRA]]
)
def test_columns_are_rows_of_every_operation(case: Case) -> None:
    f, xs = function_of_variables(case, case.arguments(dice(1)))
    numbers = range(len(xs))
    assert_close(jacfwd(f, numbers)(*xs), jacobian(f, numbers)(*xs))


@pytest.mark.parametrize("f", VECTOR.values(), ids=VECTOR)
@pytest.mark.parametrize("argnums", [0, 1, (0, 1), (1,)])
def test_structures_of_columns(f: Function, argnums: Any) -> None:
    args = pair((3, 4), 0)
    by_columns, by_rows = jacfwd(tensors(f), argnums)(*args), jacrev(tensors(f), argnums)(*args)
    assert type(by_columns) is type(by_rows)
    assert_close(by_columns, by_rows)
    assert [a.shape for a in leaves(by_columns)] == [a.shape for a in leaves(by_rows)]


@pytest.mark.parametrize("entries", [1, 40, 300])
def test_columns_in_parts(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    args = pair((3, 4), 0)
    f = tensors(VECTOR["several"])
    whole = jacfwd(f, (0, 1))(*args), hessian_diagonal(tensors(SCALAR["product"]))(*args)
    monkeypatch.setattr(jacobians, "_BATCHED_ENTRIES", entries)
    parts = jacfwd(f, (0, 1))(*args), hessian_diagonal(tensors(SCALAR["product"]))(*args)
    assert_close(parts, whole)


def test_columns_nest() -> None:
    f = lambda x: np.stack([x.prod(), (x**3).sum(), x[0]])  # noqa: E731
    x = np.array([1.0, 2.0, 3.0])
    expected = jacobian(jacobian(f))(x)
    for second in (jacfwd(jacfwd(f)), jacfwd(jacrev(f)), jacrev(jacfwd(f))):
        assert_close(second(x), expected)
    assert_close(
        vmap(jacfwd(f))(np.stack([x, 2 * x])), [np.stack([jacobian(f)(x), jacobian(f)(2 * x)])]
    )
    assert_close(
        grad(lambda x: (jacfwd(f)(x) ** 2).sum())(x), grad(lambda x: (jacobian(f)(x) ** 2).sum())(x)
    )
    assert type(jacfwd(lambda x: x**2)(3.0)) is np.float64
    assert jacfwd(lambda x: x**2)(np.ones((0, 2))).shape == (0, 2, 0, 2)
    assert jacfwd(lambda x: x[:0])(np.ones(2)).shape == (0, 2)


def test_custom_gradients_in_columns() -> None:
    double = custom_vjp(lambda x: x * x)
    double.defvjp(lambda x: (x * x, x), lambda x, g: (5 * g * x,))
    x = np.array([1.0, 2.0])
    assert_array_equal(jacfwd(double)(x), np.diag(5 * x))
    assert_array_equal(vmap(jacfwd(double))(x[None]), np.diag(5 * x)[None])
    assert_array_equal(linearize(double, x)[1](np.ones(2)), 5 * x)


# --- linear maps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("f", VECTOR.values(), ids=VECTOR)
def test_linearize_is_jvp_many_times(f: Function) -> None:
    args = pair((3, 4), 0)
    out, push = linearize(f, *args)
    for seed in (1, 2):
        vs = pair((3, 4), seed)
        expected_out, expected = jvp(f, args, vs)
        assert_close(out, expected_out)
        assert_close(push(*vs), expected)


def test_linearize_runs_the_function_once() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return np.sin(x)

    _, push = linearize(f, 1.0)
    assert push(1.0) == np.cos(1.0)
    assert push(2.0) == 2 * np.cos(1.0)
    assert len(calls) == 1
    by_batch = vmap(push)(np.arange(3.0))
    assert_close(by_batch, np.arange(3) * np.cos(1.0))
    with pytest.raises(ValueError, match=r"linearize\(f\): tangents: expected a tuple of length 1"):
        push(1.0, 2.0)
    with pytest.raises(ValueError, match=r"tangents\[0\]: expected shape \(\)"):
        push(np.ones(2))


# --- diagonals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", SCALAR.values(), ids=SCALAR)
def test_diagonals_of_hessians(f: Function) -> None:
    args = pair((3, 2), 0)
    xs = [torch.tensor(x) for x in args]
    blocks = torch_hessian(f, (0, 1))(*xs)
    diagonals = [blocks[i][i].reshape(6, 6).diagonal().numpy().reshape(3, 2) for i in (0, 1)]
    assert_close(hessian_diagonal(tensors(f), (0, 1))(*args), diagonals)
    assert_close(hessian_diagonal(tensors(f), 1)(*args), diagonals[1])
    assert_close(laplacian(tensors(f), (0, 1))(*args), sum(d.sum() for d in diagonals))


def test_diagonals_nest_and_keep_structures() -> None:
    f = lambda p: (p["a"] ** 3).sum() * p["b"][0] ** 2  # noqa: E731
    p = {"a": np.array([1.0, 2.0]), "b": [3.0]}
    found = hessian_diagonal(f)(p)
    assert_array_equal(found["a"], [54.0, 108.0])
    assert found["b"] == [18.0]
    assert laplacian(f)(p) == 180
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    cubes = lambda x: (x**3).sum()  # noqa: E731
    assert_close(vmap(laplacian(cubes))(x), 6 * x.sum(axis=1))
    assert_close(grad(laplacian(cubes))(x), np.full((2, 2), 6.0))
    assert_array_equal(hessian_diagonal(lambda x: x.sum())(x), np.zeros((2, 2)))
    assert laplacian(lambda x: (x * x).sum())(np.ones((0, 2))) == 0


def test_a_laplacian_keeps_no_rows() -> None:
    """Of 1000 entries a Hessian has a million, of which less than a tenth is there at once."""
    import tracemalloc

    x = np.linspace(0, 1, 1000)
    f = lambda x: np.sin(x).sum()  # noqa: E731
    old, jacobians._BATCHED_ENTRIES = jacobians._BATCHED_ENTRIES, 2**14
    try:
        laplacian(f)(x[:2])
        tracemalloc.start()
        value = laplacian(f)(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        jacobians._BATCHED_ENTRIES = old
    assert_allclose(value, -np.sin(x).sum())
    assert peak < 8e5


# --- arguments by name, and what comes beside the output ------------------------------------------


def loss(w: Any, x: Any, n: int = 2, *, mode: str = "sum") -> Any:
    return getattr((w * x) ** n, mode)()


def test_arguments_by_name() -> None:
    w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    expected = grad(loss, (0, 1))(w, x)
    assert_close(grad(loss, argnames=("w", "x"))(w, x), expected)
    assert_close(grad(loss, argnames=("x", "w"))(w, x=x), expected[::-1])
    assert_close(grad(loss, argnames="x")(x=x, w=w, n=2, mode="sum"), expected[1])
    assert_close(hessian(loss, argnames="w")(w, x=x), hessian(loss)(w, x))
    assert_close(hessian_diagonal(loss, argnames="w")(w=w, x=x), 2 * x * x)
    assert laplacian(loss, argnames="w")(w, x) == (2 * x * x).sum()
    for transform in (jacobian, jacfwd):
        assert_close(transform(loss, argnames="w")(x=x, w=w), expected[0])
    assert_close(grad(grad(loss, argnames="w"), argnames="w")(w=1.0, x=3.0), 18)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: grad(loss, argnames="v")(1.0, 2.0), ValueError, "argument v to .*: w, x were"),
        (lambda: grad(loss, argnames="n")(1.0, 2.0, 3), TypeError, "argument 2: a derivative"),
        (lambda: grad(loss, argnames="n")(1.0, 2.0, n=3), TypeError, "argument n: a derivative"),
        (lambda: grad(loss, 2)(1.0, 2.0, 3), TypeError, "argument 2: a derivative .* got int 3"),
        (lambda: grad(loss, argnames="mode")(1.0, 2.0, mode="a"), TypeError, "got str 'a'"),
        (lambda: grad(loss, 1, argnames="w"), TypeError, "argnums= or argnames=, not both"),
        (lambda: grad(loss, argnames=0), TypeError, "argnames says which .*, got int 0"),
        (lambda: grad(loss, "w"), TypeError, "argnums says which .*, got str"),
        (lambda: grad(loss, has_aux=True)(1.0, 2.0), TypeError, "with has_aux=True .* pair"),
    ],
)  # fmt: skip
def test_refused_arguments(call: Function, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_what_comes_beside_the_output() -> None:
    def f(x: Any) -> Any:
        return (x**2).sum(), {"twice": 2 * x, "name": "f", "n": 3}

    x = np.array([1.0, 2.0])
    gradient, aux = grad(f, has_aux=True)(x)
    assert_array_equal(gradient, 2 * x)
    assert type(aux["twice"]) is np.ndarray
    assert_array_equal(aux["twice"], 2 * x)
    assert (aux["name"], aux["n"]) == ("f", 3)
    (value, aux), gradient = value_and_grad(f, has_aux=True)(x)
    assert (value, aux["name"]) == (5, "f")
    assert_array_equal(gradient, 2 * x)
    for transform in (jacobian, jacfwd):
        matrix, aux = transform(f, has_aux=True)(x)
        assert_array_equal(matrix, 2 * x)
        assert aux["n"] == 3
    out, pullback, aux = vjp(f, x, has_aux=True)
    assert (out, aux["n"]) == (5, 3)
    assert_array_equal(pullback(1.0)[0], 2 * x)

    def around(x: Any) -> Any:
        slope, aux = grad(f, has_aux=True)(x)
        return (slope * aux["twice"]).sum()

    assert_array_equal(grad(around)(x), 8 * x)
    slopes, aux = vmap(grad(lambda x: (f(x)[0], 2 * x), has_aux=True))(x[:, None])
    assert_array_equal(slopes, 2 * x[:, None])
    assert_array_equal(aux, 2 * x[:, None])
