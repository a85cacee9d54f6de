"""The transforms, against torch.func, and what they promise of levels, structures and errors."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from cases import CASES, Case, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import exchanged, is_variable, leaves
from scipy.optimize import minimize
from test_linalg import CASES as LINEAR_ALGEBRA

import tinytorch
from tinytorch import (
    Tensor,
    check_grads,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    is_grad_enabled,
    jacobian,
    jvp,
    no_grad,
    transforms,
    value_and_grad,
    vjp,
    with_rules,
)
from tinytorch.arrays.batch import SHORT_CUTS, Batch
from tinytorch.arrays.places import parameters
from tinytorch.engine import record, recording
from tinytorch.transforms import jacobians

Function = Callable[..., Any]


def close(actual: Any, expected: Any, rtol: float = 1e-9) -> None:
    """Compare trees of arrays, ours with PyTorch's."""
    mine, theirs = list(leaves(actual)), list(leaves(expected))
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert isinstance(a, np.ndarray | np.floating)
        expected_array = b.numpy(force=True) if isinstance(b, torch.Tensor) else np.asarray(b)
        assert a.shape == expected_array.shape
        assert_allclose(a, expected_array, rtol=rtol, atol=rtol)


def in_torch(tree: Any) -> Any:
    return exchanged(tree, lambda x: torch.tensor(x, dtype=torch.float64))


def torch_hessian(f: Function, argnums: Any = 0) -> Function:
    """Be `torch.func.hessian` without forward mode, whose import takes seconds and warns."""
    hessian: Function = torch.func.jacrev(torch.func.jacrev(f, argnums), argnums)
    return hessian


def torch_jvp(f: Function, xs: Any, vs: Any) -> tuple[Any, Any]:
    """Be `torch.func.jvp`, likewise: by the definition, from the whole Jacobian."""
    matrices = torch.func.jacrev(f, tuple(range(len(xs))))(*xs)
    return f(*xs), contracted(matrices, vs)


def contracted(matrices: Any, vs: Any) -> Any:
    if isinstance(matrices, tuple) and torch.is_tensor(matrices[0]):
        return sum(torch.tensordot(m, v, v.ndim) for m, v in zip(matrices, vs, strict=True))
    if isinstance(matrices, dict):
        return {key: contracted(part, vs) for key, part in matrices.items()}
    return type(matrices)(contracted(part, vs) for part in matrices)


@pytest.fixture(autouse=True)
def no_level_left() -> Any:
    yield
    assert recording.get()[1] == 0


# --- beside torch.func ----------------------------------------------------------------------------


def tensors(f: Function) -> Function:
    """Give f tensors for the arrays that no derivative is wanted for."""

    def with_tensors(*args: Any) -> Any:
        return f(*[Tensor(x, requires_grad=False) if is_variable(x) else x for x in args])

    return with_tensors


# Functions of two matrices (m, n), in words that PyTorch's tensors know too.
SCALAR: dict[str, Function] = {
    "product": lambda x, y: (x * y * x).sum(),
    "network": lambda x, y: ((x @ y.T).tanh() * 2).sum(),
    "picked": lambda x, y: (x[0] * y[-1]).exp().sum() + (x[:, ::2] ** 3).sum(),
    "shapes": lambda x, y: (x.T.reshape(-1) * y.reshape(-1)).cumsum(0).sin().sum(),
    "broadcast": lambda x, y: ((x[:, None] - y[None]) ** 2).mean(),
    "reduced": lambda x, y: (x.sum(0, keepdim=True) * y).logsumexp(1).prod(),
    "one of them": lambda x, y: (y**3).sum(),
}
VECTOR: dict[str, Function] = {
    "elementwise": lambda x, y: x * y.sin(),
    "flat": lambda x, y: (x * x + y).reshape(-1),
    "matrix": lambda x, y: (x @ y.T).tanh(),
    "scalar": lambda x, y: (x * y).sum(),
    "picked": lambda x, y: x[-1] * y[0] + x.sum(0),
    "sorted": lambda x, y: torch.sort(x + y, 1)[0] if torch.is_tensor(x) else np.sort(x + y, 1),
    "several": lambda x, y: {"a": x * y, "b": [x.exp().sum(), y[0]]},
}
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))
SEEDS = st.integers(0, 99)


def pair(shape: tuple[int, int], seed: int) -> Any:
    return list(np.random.default_rng(seed).normal(size=(2, *shape)))


@pytest.mark.parametrize("f", SCALAR.values(), ids=SCALAR)
@given(shape=SHAPES, seed=SEEDS, argnums=st.sampled_from([0, 1, (0, 1), (1,), (1, 0)]))
def test_functions_of_a_single_entry(
    f: Function, shape: tuple[int, int], seed: int, argnums: Any
) -> None:
    args, directions = pair(shape, seed), pair(shape, seed + 1)
    xs, vs = in_torch(args), in_torch(directions)
    g = tensors(f)
    expected = torch.func.grad(f, argnums)(*xs)
    close(grad(g, argnums)(*args), expected)
    close(jacobian(g, argnums)(*args), expected)
    value, gradient = value_and_grad(g, argnums)(*args)
    close(value, f(*xs))
    close(gradient, expected)
    close(hessian(g, argnums)(*args), torch_hessian(f, argnums)(*xs))
    close(hvp(f, args, directions), torch_jvp(torch.func.grad(f, (0, 1)), xs, vs)[1])


@pytest.mark.parametrize("f", VECTOR.values(), ids=VECTOR)
@given(shape=SHAPES, seed=SEEDS)
def test_functions_of_many_entries(f: Function, shape: tuple[int, int], seed: int) -> None:
    args, directions = pair(shape, seed), pair(shape, seed + 1)
    xs, vs = in_torch(args), in_torch(directions)
    out, tangent = jvp(f, args, directions)
    out_t, tangent_t = torch_jvp(f, xs, vs)
    close(out, out_t)
    close(tangent, tangent_t)
    out, pullback = vjp(f, *args)
    out_t, pullback_t = torch.func.vjp(f, *xs)
    rng = np.random.default_rng(seed)
    weights = exchanged(out, lambda y: rng.normal(size=y.shape))
    close(pullback(weights), pullback_t(in_torch(weights)))
    close(pullback(weights), pullback_t(in_torch(weights)))  # once more
    for argnums in (0, (0, 1)):
        close(jacobian(tensors(f), argnums)(*args), torch.func.jacrev(f, argnums)(*xs))
    by_column = jacobian(lambda x: jacobian(tensors(f))(x, args[1]))(args[0])
    close(by_column, torch.func.jacrev(torch.func.jacrev(f))(*xs))


@given(shape=st.lists(st.integers(0, 3), max_size=3), seed=SEEDS)
def test_elementwise_grad_nests(shape: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=shape)
    t = np.tanh(x)
    derivatives = [1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)]
    f: Function = np.tanh
    for expected in derivatives:
        f = elementwise_grad(f)
        close(f(x), expected)
    y = np.random.default_rng(seed + 1).normal(size=3 if shape[-1:] in ([3], [1], []) else ())
    both = elementwise_grad(lambda x, y: x * np.sin(y), (0, 1))(x, y)
    ones = np.ones(np.broadcast_shapes(x.shape, y.shape))
    assert both[0].shape == x.shape
    assert_allclose(both[0].sum(), (np.sin(y) * ones).sum(), atol=1e-12)
    assert_allclose(both[1].sum(), (x * np.cos(y) * ones).sum(), atol=1e-12)


# --- every operation ------------------------------------------------------------------------------


def function_of_variables(case: Case, args: Any) -> tuple[Function, list[Any]]:
    """Make a function of the floating arrays among the arguments, that gives a list of tensors."""

    def function(*xs: Any) -> list[Any]:
        remaining = iter(xs)
        given = exchanged(args, lambda x: next(remaining) if is_variable(x) else x)
        return [y for y in leaves(case.spellings[0](*given)) if isinstance(y, Tensor)]

    return function, [x for x in leaves(args) if is_variable(x)]


BY_NAME = [pytest.param(case, id=case.name) for case in [*CASES, *LINEAR_ALGEBRA]]


@pytest.mark.parametrize("case", BY_NAME)
def test_forwards_and_backwards_agree_on_all_operations(case: Case) -> None:
    """w @ (J @ v) = (w @ J) @ v, and J itself gives both, its rows all at once or one by one."""
    for seed in range(4):
        f, xs = function_of_variables(case, case.arguments(dice(seed)))
        rng = np.random.default_rng(seed)
        vs = [rng.normal(size=x.shape) for x in xs]
        out, pullback = vjp(f, *xs)
        ws = [rng.normal(size=y.shape) for y in out]
        slopes, pulled = jvp(f, xs, vs)[1], pullback(ws)
        matrices = jacobian(f, range(len(xs)))(*xs)
        # Inside another transform, the rows are tensors.
        inside: list[Any] = []

        def watched(*xs: Any, f: Function = f, inside: list[Any] = inside) -> Any:
            inside.extend(jacobian(f, range(len(xs)))(*xs))
            return xs[0].sum()

        grad(watched)(*xs)
        singly = [rows_one_by_one(out, pullback, i) for i in range(len(out))]
        for by_batch, tensors, by_row, w, slope in zip(
            matrices, inside, singly, ws, slopes, strict=True
        ):
            for block, tensor, rows in zip(by_batch, tensors, by_row, strict=True):
                assert_close(block, rows)
                assert_close(tensor.data, rows)
            linear = [np.tensordot(b, v, v.ndim) for b, v in zip(by_batch, vs, strict=True)]
            assert_close(slope, sum(linear))
            assert w.shape == slope.shape
        for i, (x, p) in enumerate(zip(xs, pulled, strict=True)):
            total = sum(np.tensordot(w, m[i], w.ndim) for w, m in zip(ws, matrices, strict=True))
            assert_close(p, total + np.zeros(x.shape))


def rows_one_by_one(out: Any, pullback: Function, number: int) -> list[Any]:
    """Pull each entry of an output back by itself, and give the rows for each input."""
    zeros, rows = [np.zeros(y.shape) for y in out], []
    for place in np.ndindex(out[number].shape):
        seeds = [seed.copy() for seed in zeros]
        seeds[number][place] = 1
        rows.append(pullback(type(out)(seeds)))
    shape = out[number].shape
    empty = [np.zeros(x.shape) for x in pullback(type(out)(zeros))]
    columns = zip(*rows, strict=True) if rows else [()] * len(empty)
    return [np.reshape(column, shape + x.shape) for column, x in zip(columns, empty, strict=True)]


def assert_close(actual: Any, expected: Any) -> None:
    scale = max(1, np.max(np.abs(expected), initial=0))
    assert_allclose(actual, expected, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize("case", BY_NAME)
def test_second_derivatives_take_batches(case: Case) -> None:
    """The rows of the gradient's Jacobian, one at a time and all at once."""
    f, xs = function_of_variables(case, case.arguments(dice(1)))
    numbers = range(len(xs))

    def slopes(*xs: Any) -> Any:
        out, pullback = vjp(f, *xs)
        return pullback([np.linspace(1, 2, y.size).reshape(y.shape) for y in out])

    by_batch = jacobian(slopes, numbers)(*xs)
    out, pullback = vjp(slopes, *xs)
    for i, batch in enumerate(by_batch):
        for block, rows in zip(batch, rows_one_by_one(out, pullback, i), strict=True):
            assert_close(block, rows)


@pytest.mark.parametrize(
    ("f", "thin"),
    [
        (lambda x: np.linalg.svd(x)[0], lambda x: np.linalg.svd(x, full_matrices=False)[0]),
        (lambda x: np.linalg.svd(x.T)[2].T, lambda x: np.linalg.svd(x, full_matrices=False)[0]),
        (lambda x: np.linalg.qr(x, mode="complete")[0], lambda x: np.linalg.qr(x)[0]),
    ],
)
def test_the_jacobian_of_what_fills_up_a_square(f: Function, thin: Function) -> None:
    x = np.random.default_rng(0).normal(size=(4, 2))
    first = jacobian(lambda x: f(x)[:, :2])(x)
    assert_allclose(np.abs(first), np.abs(jacobian(thin)(x)), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="arbitrary, and have no gradient"):
        jacobian(f)(x)


@pytest.mark.parametrize("entries", [1, 40, 300])
def test_a_jacobian_in_parts_is_the_same(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    f, args = VECTOR["several"], pair((3, 4), 0)
    whole = jacobian(f, (0, 1))(*args)
    monkeypatch.setattr(jacobians, "_BATCHED_ENTRIES", entries)
    for a, b in zip(leaves(jacobian(f, (0, 1))(*args)), leaves(whole), strict=True):
        assert_allclose(a, b, rtol=1e-14)


def test_a_jacobian_takes_one_sweep() -> None:
    sweeps: list[Any] = []

    def rule(g: Any, _out: Any, x: Any) -> Any:
        sweeps.append(g.shape)
        return g * np.cos(x)

    f = partial(record_with, np.sin, rule)
    x = np.linspace(0, 1, 20)
    assert_allclose(jacobian(f)(x), np.diag(np.cos(x)), rtol=1e-14)
    assert sweeps == [(20,)]


def record_with(function: Function, rule: Function, x: Tensor) -> Tensor:
    value = function(x.data)
    result: Tensor = record(value, (x,), (value, x.data), None, (rule,))
    return result


def put(x: Any, make: Function = np.zeros_like) -> Any:
    out = make(x, shape=(4, 3))
    out[..., 1:] = x[:1, :2]
    np.add.at(out, (np.array([0, 0, 3]), slice(None)), x[[0, 1, 0]])
    return out


ODD = np.arange(6).reshape(2, 3) % 2 == 1
ON_ONE_ARRAY: dict[str, Function] = {
    "operators": lambda x: (2 * x - x / np.ones((4, 1, 3))) ** 2 + x[0],
    "comparison": lambda x: np.where(x > 0, x, np.arange(3.0)),
    "sums": lambda x: [x.sum(), x.sum(-1), x.sum((0, -1), keepdims=True), np.sum(x, axis=0)],
    "index": lambda x: [x[..., 0], x[...], x[None, 1:], x[..., None, :], x[[1, 0, 1]], x[ODD]],
    "moved": lambda x: [x.T, x.mT, x.reshape(3, 2), x.reshape(-1), x.swapaxes(0, 1)],
    "moved by functions": lambda x: [np.flip(x, 1), np.roll(x, 1), np.broadcast_to(x, (2, 2, 3))],
    "put": put,
    "put into ones": lambda x: put(x, np.ones_like),
    "put beside a number": lambda x: put(x, partial(np.full_like, fill_value=2.5)),
    "put beside numbers": lambda x: put(x, partial(np.full_like, fill_value=x[0])),
    "products": lambda x: [x @ np.ones(3), np.ones(2) @ x, x @ x.T, np.ones((4, 5, 2)) @ x],
    "product of stacks": lambda x: np.stack([x, -x]) @ np.ones((4, 1, 3, 2)),
    "one by one": lambda x: [np.cumsum(x, axis=1), np.tril(x), x.mean(), np.add.reduce(x, axis=0)],
    "with a parameter": lambda x: np.add(x, 1, dtype=np.float32),
    "named results": np.linalg.qr,
    "what it is": lambda x: x * (100 * x.ndim + 10 * x.size + x.shape[1] + np.size(x) + np.ndim(x)),
    "dtype": lambda x: x.astype(np.float32),
}


@pytest.mark.parametrize("f", ON_ONE_ARRAY.values(), ids=ON_ONE_ARRAY)
def test_a_batch_does_what_each_of_its_arrays_does(f: Function) -> None:
    arrays = np.random.default_rng(0).normal(size=(5, 2, 3))
    results = list(leaves(f(Batch(np.moveaxis(arrays, 0, -1)))))
    expected = [list(leaves(f(array))) for array in arrays]
    for result, *each in zip(results, *expected, strict=True):
        stacked = np.stack(each, axis=-1)
        assert result.dtype == stacked.dtype
        assert result.shape == stacked.shape[:-1]
        assert_allclose(result.stacked, stacked, rtol=1e-13)


# What is called of x; else that alone.
CALLED: dict[str, Function] = {
    "full_like": lambda x: (x, 2.5), "where": lambda x: (x > 0, x, 1), "clip": lambda x: (x, -1),
    "isclose": lambda x: (x, 1), "partition": lambda x: (x, 1), "argpartition": lambda x: (x, 1),
    "repeat": lambda x: (x, 2), "delete": lambda x: (x, 1), "quantile": lambda x: (x, 0.3),
    "nanquantile": lambda x: (x, 0.3), "compress": lambda x: ([True, False, True], x),
    "tile": lambda x: (x, 2), "resize": lambda x: (x, (2, 3)), "split": lambda x: (x, 3),
    "array_split": lambda x: (x, 2), "rollaxis": lambda x: (x, 1), "roll": lambda x: (x, 1),
    "take": lambda x: (x, [0, 2]), "take_along_axis": lambda x: (x, np.argsort(x)),
    "sliding_window_view": lambda x: (x, 2), "reshape": lambda x: (x, (1, 9)),
    "swapaxes": lambda x: (x, 0, 1), "moveaxis": lambda x: (x, 0, 1),
    "expand_dims": lambda x: (x, 0), "broadcast_to": lambda x: (x, (2, 3, 3)),
    "concatenate": lambda x: ([x, x],), "stack": lambda x: ([x, x * 2],), "pad": lambda x: (x, 1),
    "tensordot": lambda x: (x, x + 1), "cross": lambda x: (x, x + 1), "solve": lambda x: (x, x[0]),
    "matrix_power": lambda x: (x, 3), "einsum": lambda x: ("ij,kj->ik", x, x + 1),
}  # fmt: skip
GIVEN: dict[str, Any] = {
    "axis": 0, "axes": (1, 0), "axis1": 1, "axis2": 0, "start": 1, "dtype": np.float32,
    "keepdims": True, "k": 1, "offset": 1, "shape": (2,), "order": "F", "subok": False,
    "a_min": -0.5, "a_max": 0.5, "min": -0.5, "max": 0.5, "nan": 7.0, "posinf": 9.0, "rtol": 0.3,
    "atol": 0.5, "equal_nan": True, "decimals": 1, "initial": 2.0, "where": np.eye(3) > 0,
    "ddof": 1, "correction": 1, "kind": "stable", "stable": True, "n": 2, "prepend": 0.0,
    "append": np.ones((3, 1)), "norm": "ortho", "method": "lower", "mode": "wrap", "UPLO": "U",
    "upper": True, "full_matrices": False, "hermitian": True, "rcond": 0.1, "optimize": True,
    "copy": False, "overwrite_input": False,
}  # fmt: skip


@pytest.mark.parametrize("function", [f for f in SHORT_CUTS if not isinstance(f, tuple)])
def test_a_batch_takes_arguments_by_place_and_by_name(function: Any) -> None:
    arrays = np.random.default_rng(0).normal(size=(4, 3, 3))
    arrays = arrays + np.swapaxes(arrays, 1, 2) + 6 * np.eye(3)  # positive definite
    called = CALLED.get(function.__name__, lambda x: (x,))
    known = {x.name: x for x in parameters(function)}
    defaults = [x.default for x in known.values()]
    named = [x.name for x in known.values() if x.kind == x.POSITIONAL_OR_KEYWORD]
    calls = [lambda x: function(*called(x))]
    if named and named[0] == next(iter(known)):
        calls += [lambda x: function(**dict(zip(known, called(x), strict=False)))]
    for i, key in enumerate(known):
        if value := {key: GIVEN[key]} if key in GIVEN else {}:
            calls += [lambda x, value=value: function(*called(x), **value)]
            if key in named:
                calls += [
                    lambda x, i=i, value=value: function(
                        *called(x), *defaults[len(called(x)) : i], *value.values()
                    )
                ]
    taken = 0
    for call in calls:
        try:
            expected = [list(leaves(call(x))) for x in arrays]
        except (TypeError, ValueError):
            continue  # so does NumPy
        taken += 1
        results = leaves(call(Batch(np.moveaxis(arrays, 0, -1))))
        for result, *each in zip(results, *expected, strict=True):
            single = not isinstance(result, Batch)
            found = [result] * 4 if single else np.moveaxis(result.stacked, -1, 0)
            assert_array_equal(np.shape(found), np.shape(each))
            assert np.asarray(found).dtype == np.asarray(each).dtype
            if function is not np.empty_like:
                assert_allclose(found, each, rtol=1e-12, atol=1e-12)
    assert taken


def test_a_batch_is_never_taken_for_one_array() -> None:
    batch = Batch(np.ones((2, 3)))
    for use in (np.asarray, bool, float):
        with pytest.raises(TypeError):
            use(batch)
    with pytest.raises(AttributeError):
        batch.nbytes  # noqa: B018  (an attribute of an array, but no method)


# --- types and structures -------------------------------------------------------------------------


def test_plain_in_plain_out() -> None:
    for x in (2.0, np.float64(2), np.array(2.0), Tensor(2.0)):
        value, slope = value_and_grad(lambda x: x**3)(x)
        assert (type(value), type(slope)) == (np.float64, np.float64)
        assert (value, slope) == (8, 12)
        assert type(hessian(lambda x: x**3)(x)) is np.float64
        assert type(jacobian(lambda x: x**3)(x)) is np.float64
        assert [type(y) for y in jvp(lambda x: x**3, (x,), (1,))] == [np.float64] * 2
    assert type(grad(lambda x: x.sum())(np.ones(1))) is np.ndarray
    assert type(jacobian(lambda x: x * np.ones(2))(1.0)) is np.ndarray
    # A single entry counts as a scalar, whatever its shape; the value keeps it.
    value, slope = value_and_grad(lambda x: x**2)(np.array([[3.0]]))
    assert (value.shape, slope.shape) == ((1, 1), (1, 1))
    assert hessian(lambda x: x**2)(np.array([[3.0]])).shape == (1, 1, 1, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_dtypes_stay(dtype: Any) -> None:
    x = np.ones(2, dtype)
    f = lambda x: (x * x * 0.5).sum()  # noqa: E731
    results = [
        *value_and_grad(f)(x),
        hessian(f)(x),
        jacobian(f)(x),
        hvp(f, x, np.arange(2)),
        *jvp(f, x, x),
    ]
    results += vjp(f, x)[1](1.0)
    assert {result.dtype for result in results} == {np.dtype(dtype)}


def test_results_are_the_callers_own() -> None:
    x, y, w = np.ones(3), np.ones(3), np.ones(3)
    gx, gy = grad(lambda x, y: (x + y).sum(), (0, 1))(x, y)
    out, pullback = vjp(lambda x, y: x + y, x, y)
    px, py = pullback(w)
    same, _ = vjp(lambda x: x, x)
    for array in (gx, out, px, same):  # writable, and sharing memory with nothing
        array[:] = 7
    assert_array_equal([x, y, w, gy, py], np.ones((5, 3)))
    x += 5
    assert_array_equal(pullback(w)[0], np.ones(3))


def test_a_pullback_keeps_the_point_it_was_made_at() -> None:
    x = np.array([1.0, 2.0])
    _, pullback = vjp(lambda x: (x * x).sum(), x)
    x[:] = 99
    assert_array_equal(pullback(1.0)[0], [2, 4])


class Parameters(NamedTuple):
    weight: Any
    bias: Any


def test_gradients_come_in_the_structure_of_the_argument() -> None:
    layers = OrderedDict(
        second=[Parameters(np.ones((2, 3)), 0.5), (np.ones(2),)], first={"w": Tensor([2.0])}
    )

    def f(layers: Any, scale: Any) -> Any:
        weight, bias = layers["second"][0]
        total = (weight * 2).sum() + bias * layers["second"][1][0].sum()
        return scale * (total * layers["first"]["w"]).sum()

    found = grad(f)(layers, 3)  # what isn't differentiated may be a whole number
    assert type(found) is OrderedDict
    assert list(found) == ["second", "first"]
    assert type(found["second"]) is list
    assert type(found["second"][0]) is Parameters
    assert type(found["second"][1]) is tuple
    assert_array_equal(found["second"][0].weight, np.full((2, 3), 12))
    assert found["second"][0].bias == 12
    assert_array_equal(found["second"][1][0], [3, 3])
    assert_array_equal(found["first"]["w"], [39])
    assert layers["first"]["w"]._grad is None
    assert type(grad(lambda d: d["a"])(defaultdict(float, a=1.0))) is defaultdict

    both = grad(f, (1, 0))(layers, 3.0)
    assert type(both) is tuple
    assert both[0] == 26
    curvature = hessian(f)(layers, 1.0)
    by_w = curvature["first"]["w"]["second"][0]
    assert_array_equal(by_w.weight, np.full((1, 2, 3), 2))
    assert_array_equal(by_w.bias, [2])


def test_empty_structures_and_arrays() -> None:
    assert grad(lambda x, y: y * 1, (0, 1))({"a": []}, 2.0) == ({"a": []}, 1.0)
    empty = np.ones((0, 2))
    assert grad(lambda x: (x * x).sum())(empty).shape == (0, 2)
    assert jacobian(lambda x: x * x)(empty).shape == (0, 2, 0, 2)
    assert hessian(lambda x: (x * x).sum())(empty).shape == (0, 2, 0, 2)
    inner = grad(lambda y: jacobian(lambda x: x * x * y)(empty).sum() + y)(2.0)
    assert inner == 1


def test_repeated_and_negative_argnums() -> None:
    assert grad(lambda x, y: x * y, (0, 0, -1))(2.0, 3.0) == (3, 3, 2)


def test_arguments_by_name_and_not_differentiated_pass_through() -> None:
    def f(x: Any, mode: str, n: int = 1, *, flag: bool) -> Any:
        assert (mode, flag) == ("cube", True)
        return x**n

    assert grad(f)(2.0, "cube", n=3, flag=True) == 12
    assert inspect.signature(grad(f)) == inspect.signature(f)
    assert hessian(grad(f)).__name__ == "hessian(grad(f))"


def test_outputs_that_do_not_depend_on_the_input_give_zeros() -> None:
    x = np.ones((2, 3))
    for f in (lambda x: Tensor(3.0), lambda x: np.sign(x).sum(), lambda x: x.detach().sum()):
        assert_array_equal(grad(f)(x), np.zeros((2, 3)))
        assert_array_equal(hessian(f)(x), np.zeros((2, 3, 2, 3)))
        assert_array_equal(jvp(f, x, x)[1], 0)
        assert_array_equal(vjp(f, x)[1](1.0), np.zeros((1, 2, 3)))
        assert_array_equal(hvp(f, x, x), np.zeros((2, 3)))
        assert_array_equal(grad(lambda x, f=f: (grad(f)(x) * 2).sum())(x), np.zeros((2, 3)))
    assert grad(grad(lambda x: 3 * x))(1.0) == 0
    assert grad(lambda x, y: y * 1.0, (0, 1))(1.0, 2.0) == (0, 1)


def test_outputs_that_are_plain_arrays_are_refused() -> None:
    """They may have lost a gradient on their way out; a constant says that it is one."""
    data = np.arange(6.0)
    for call in (
        lambda: grad(lambda x, y: (y * y).sum())(np.ones(2), data),
        lambda: jacobian(lambda x, y: y * y)(1.0, data),
        lambda: vjp(lambda x: [x * 2, data], 1.0),
        lambda: jvp(lambda x: data, (1.0,), (1.0,)),
        lambda: value_and_grad(lambda x: np.float32(2))(1.0),
        lambda: grad(lambda x: grad(lambda y: data.sum())(x) + x)(1.0),
    ):
        with pytest.raises(TypeError, match=r"a constant is written Tensor\(3\.0\)"):
            call()
    assert_array_equal(jacobian(lambda x: Tensor(data))(1.0), np.zeros(6))


def test_non_finite_values_pass() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert_array_equal(elementwise_grad(lambda x: x * x)(x), 2 * x)
    assert_array_equal(grad(lambda x: x.exp().sum())(x), np.exp(x))
    assert jvp(lambda x: x * np.inf, (1.0,), (1.0,)) == (np.inf, np.inf)


# --- levels ---------------------------------------------------------------------------------------


def test_levels_are_not_confused() -> None:
    # A forward mode without tags gives 2, and with a shared tag too.
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1])(3.0) == 6
    # The same tensor is an argument of both, and both times another variable.
    assert grad(lambda x: grad(lambda y: x * y)(x))(3.0) == 1
    assert grad(lambda x: grad(lambda y: y * y)(x) * x)(3.0) == 12
    assert grad(lambda x: grad(lambda y, z: y * z, 0)(x, x))(3.0) == 1
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(x) * y)(x))(2.0) == 8
    # What is constant for the one is not for the other.
    assert grad(lambda x: grad(lambda y: y**2)(3.0) * x)(2.0) == 6
    assert grad(lambda x: grad(lambda y: y**2)(3.0))(2.0) == 0


def test_a_hessian_of_a_function_that_calls_grad() -> None:
    def energy(x: Any) -> Any:
        return (x**4).sum() + x[0] * x[1] * x[2]

    def roughness(x: Any) -> Any:
        return (grad(energy)(x) ** 2).sum() + value_and_grad(energy)(x)[0]

    def roughness_t(x: Any) -> Any:
        return (torch.func.grad(energy)(x) ** 2).sum() + energy(x)

    x = np.array([1.0, -2.0, 0.5])
    close(hessian(roughness)(x), torch_hessian(roughness_t)(torch.tensor(x)))
    close(
        grad(lambda x: hessian(energy)(x).trace() ** 2)(x),
        torch.func.grad(lambda x: torch_hessian(energy)(x).trace() ** 2)(torch.tensor(x)),
    )
    close(
        jacobian(lambda x: hvp(energy, x, x))(x),
        torch.func.jacrev(lambda x: torch_hessian(energy)(x) @ x)(torch.tensor(x)),
    )


def test_pullbacks_and_tangents_are_differentiated_by_what_they_are_given() -> None:
    out, pullback = vjp(lambda x: x**2, 3.0)
    assert grad(lambda v: pullback(v)[0] ** 2)(1.0) == 72

    def f(v: Any, x: Any) -> Any:
        _, pullback = vjp(lambda x: x**3, x)
        return pullback(v)[0]

    assert grad(f, (0, 1))(2.0, 3.0) == (27, 36)
    assert grad(lambda v, x: jvp(lambda x: x**3, (x,), (v,))[1], (0, 1))(2.0, 3.0) == (27, 36)
    assert grad(lambda v, x: hvp(lambda x: x**4, x, v), (0, 1))(2.0, 3.0) == (108, 144)
    assert out == 9


def test_parameters_of_a_closure_stay_untouched_and_results_plain() -> None:
    w = Tensor([2.0, 3.0], label="w")
    slope = grad(lambda x: (w * x * x).sum())(np.ones(2))
    assert type(slope) is np.ndarray
    assert_array_equal(slope, [4, 6])
    assert w._grad is None
    # An outer level sees them, though.
    assert_array_equal(grad(lambda w: (w * grad(lambda x: w @ x)(np.ones(2))).sum())(w), [4, 6])


def test_steps_of_descent_are_differentiated_in_linear_time() -> None:
    """What came before an inner level is none of its business: it isn't swept again."""
    asked = 0

    def rule(g: Any, _out: Any, x: Any) -> Any:
        nonlocal asked
        asked += 1
        return g * np.cos(x)

    def descended(x: Any, steps: int) -> Any:
        for _ in range(steps):
            x = x - 0.1 * grad(partial(record_with, np.sin, rule))(x)
        return x

    counts = []
    for steps in (5, 10, 20):
        asked = 0
        value = grad(descended)(1.0, steps)
        counts.append(asked)
    assert counts == [5, 10, 20]

    def torchs(x: Any) -> Any:
        for _ in range(20):
            x = x - 0.1 * torch.cos(x)
        return x

    close(value, torch.func.grad(torchs)(torch.tensor(1.0, dtype=torch.float64)))


def test_no_grad_around_does_not_stop_a_transform_and_within_makes_constants() -> None:
    with no_grad():
        assert grad(grad(lambda x: x**3))(2.0) == 12
        assert jvp(lambda x: x**3, (2.0,), (1.0,)) == (8, 12)
        assert hessian(lambda x: x**3)(2.0) == 12
        assert not is_grad_enabled()

    def f(x: Any) -> Any:
        with no_grad():
            constant = grad(lambda x: x**2)(x)
            assert type(constant) is np.float64
        return constant * x

    assert grad(f)(3.0) == 6


def test_another_thread_starts_at_level_0() -> None:
    found: list[Any] = []

    def f(x: Any) -> Any:
        thread = threading.Thread(target=lambda: found.append(grad(lambda y: y**2)(3.0)))
        contextvars.Context().run(thread.start)  # or it inherits one in a free-threaded Python
        thread.join()
        return x * found[0]

    assert grad(f)(1.0) == 6
    assert type(found[0]) is np.float64


# --- bad input ------------------------------------------------------------------------------------


def scores(x: Any) -> Any:
    return x * np.ones(3)


def absent(x: Any) -> None:
    x * 2  # and no return


EVERY = [
    pytest.param(lambda f, x: grad(f)(x), id="grad"),
    pytest.param(lambda f, x: value_and_grad(f)(x), id="value_and_grad"),
    pytest.param(lambda f, x: elementwise_grad(f)(x), id="elementwise_grad"),
    pytest.param(vjp, id="vjp"),
    pytest.param(lambda f, x: jvp(f, (x,), (1.0,)), id="jvp"),
    pytest.param(lambda f, x: jacobian(f)(x), id="jacobian"),
    pytest.param(lambda f, x: hessian(f)(x), id="hessian"),
    pytest.param(lambda f, x: hvp(f, (x,), (1.0,)), id="hvp"),
    pytest.param(check_grads, id="check_grads"),
]


def told(error: type[Exception], call: Function) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("transform", EVERY)
def test_arguments_that_are_not_floating(
    transform: Function, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    for x, words in [
        (3, "int 3"),
        (True, "bool True"),
        (np.arange(3), "int64 and shape (3,)"),
        (np.ones(3, bool), "bool and shape (3,)"),
        ("three", "str 'three'"),
        (None, "NoneType None"),
    ]:
        message = told(TypeError, partial(transform, scores, x))
        assert message.startswith(f"{name}(scores): argument 0: ")
        assert words in message
        assert "floating" in message
    message = told(TypeError, partial(transform, scores, {"w": [1.0, (2,)]}))
    assert "argument 0['w'][1][0]: " in message
    assert "int 2" in message


@pytest.mark.parametrize("transform", EVERY)
def test_functions_that_give_no_tensor(transform: Function, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    message = told(TypeError, partial(transform, absent, 1.0))
    assert message.startswith(f"{name}(absent): the output is NoneType None, expected a tensor")
    for value, words in [
        (2.5, "float 2.5"),
        ("a", "str 'a'"),
        (np.arange(2), "dtype int64 and shape (2,)"),
    ]:
        message = told(TypeError, partial(transform, lambda x, value=value: value, 1.0))
        assert message.startswith(f"{name}(<lambda>): the output is ")
        assert words in message
    assert "the output[1] is " in told(TypeError, partial(transform, lambda x: (x, None), 1.0))
    # A number of the math module has lost its way: an error, not a slope of 0.
    for convert in (float, int, complex):
        message = told(TypeError, partial(transform, lambda x, to=convert: to(x), 1.0))
        assert f"{convert.__name__}(x) of " in message
        assert "instead of the math module's" in message


@pytest.mark.parametrize("transform", EVERY)
def test_no_function(transform: Function, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    message = told(TypeError, partial(transform, 3.0, 1.0))
    assert message == f"{name}: expected a function, got float 3.0"


@pytest.mark.parametrize("transform", [EVERY[i] for i in (0, 1, 6, 7)])
def test_outputs_of_many_entries(transform: Function, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    message = told(TypeError, partial(transform, scores, 1.0))
    assert message.startswith(f"{name}(scores): the output is a tensor of shape (3,)")
    assert "jacobian" in message
    assert "list" in told(TypeError, partial(transform, lambda x: [x], 1.0))
    empty = told(TypeError, partial(transform, lambda x: x * np.ones(0), 1.0))
    assert "shape (0,)" in empty


def test_arguments_that_are_not_there() -> None:
    message = told(ValueError, lambda: grad(scores, 1)(1.0))
    assert message.startswith("grad(scores): there is no argument 1 to differentiate by: 1 ")
    assert "no argument 2" in told(ValueError, lambda: hessian(scores, (0, 2))(1.0, 2.0))
    assert "0 positional" in told(ValueError, lambda: jacobian(scores)(x=1.0))


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"a": 1.0}, ValueError, "keys ['a', 'b'], got dict {'a': 1.0} with the keys ['a']"),
        ([1.0], ValueError, ": expected a dict with the keys ['a', 'b'], got list [1.0]"),
        (1.0, ValueError, ": expected a dict with the keys ['a', 'b'], got float 1.0"),
        ({"a": 1.0, "b": []}, ValueError, "['b']: expected a list of length 1, got list []"),
        ({"a": 1.0, "b": (1.0,)}, ValueError, "['b']: expected a list of length 1, got tuple"),
        ({"a": 1.0, "b": [np.ones(3)]}, ValueError, "['b'][0]: expected shape (2,), got"),
        ({"a": 1.0, "b": [1.0]}, ValueError, "['b'][0]: expected shape (2,), got"),
        ({"a": "x", "b": [np.ones(2)]}, TypeError, "['a']: expected real numbers, got str 'x'"),
        ({"a": None, "b": [np.ones(2)]}, TypeError, "['a']: expected real numbers, got None"),
    ],
)
def test_structures_that_differ(given: Any, error: type[Exception], words: str) -> None:
    def f(d: Any) -> Any:
        return {"b": [d["b"][0] * 2], "a": d["a"]}

    x = {"a": 1.0, "b": [np.ones(2)]}
    # The output's keys come in another order.
    words_out = words.replace("['a', 'b']", "['b', 'a']")
    message = told(error, lambda: vjp(f, x)[1](given))
    assert message.startswith("vjp(f): cotangent")
    assert words_out in message
    message = told(error, lambda: jvp(f, (x,), (given,)))
    assert message.startswith("jvp(f): tangents[0]")
    assert words in message
    message = told(error, lambda: hvp(lambda d: f(d)["a"], (x,), (given,)))
    assert message.startswith("hvp(<lambda>): tangents[0]")
    assert words in message
    assert told(ValueError, lambda: jvp(f, (x,), (x, x))).startswith("jvp(f): tangents: ")


def test_errors_pass_through_and_nothing_half_done_stays() -> None:
    class OwnError(Exception):
        pass

    def f(x: Any, fail: bool) -> Any:
        inner = grad(lambda y: y * y * x)(x)
        if fail:
            raise OwnError
        return inner

    for transform in (grad, value_and_grad, elementwise_grad, jacobian, hessian):
        with pytest.raises(OwnError):
            transform(transform(f))(2.0, True)
        with no_grad():
            with pytest.raises(OwnError):
                transform(f)(2.0, True)
            assert not is_grad_enabled()
        assert recording.get()[1] == 0
    assert grad(f)(2.0, False) == 8
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda x: np.linalg.inv(x).sum())(np.zeros((2, 2)))


# --- check_grads ----------------------------------------------------------------------------------


def wrong_by_one(x: Any) -> Any:
    """Give x**3, with a slope that is too large by 1 where x is above 2."""
    return record_with(lambda x: x**3, lambda g, _out, x: g * (3 * x**2 + np.where(x > 2, 1, 0)), x)


def wrong_curvature(x: Any) -> Any:
    """Give x**3, with a right slope that counts as constant."""
    return record_with(lambda x: x**3, lambda g, _out, x: g * (3 * getattr(x, "_value", x) ** 2), x)


def test_check_grads_accepts_what_is_right() -> None:
    check_grads(lambda x, y: np.sin(x) * y, 0.5, np.array([1.0, 2.0]))
    check_grads(lambda x, y: np.sin(x) * y, 10.0, np.array([1e-3, 2e3]), order=3)
    check_grads(lambda d: {"u": d["a"].exp(), "v": [d["b"][0] @ d["a"]]}, nested_arguments())
    check_grads(lambda x: (x**4).sum(), np.array([0.5, 2.0], np.float32), order=4)


def nested_arguments() -> Any:
    return {"a": np.array([0.1, 0.2]), "b": (np.array([[1.0, 2.0], [3.0, 4.0]]),)}


# Gradients of symmetric matrices are shared between the triangles, where differences see but one.
SYMMETRIC = ("eigh", "eigvalsh", "cholesky")
DIFFERENTIABLE = [case for case in BY_NAME if not str(case.id).startswith(SYMMETRIC)]


@pytest.mark.parametrize("case", DIFFERENTIABLE[::6])
def test_check_grads_accepts_operations(case: Case) -> None:
    def without_kinks(x: Any) -> Any:
        return x + np.linspace(0.01, 0.04, x.size).reshape(x.shape)

    args = exchanged(case.arguments(dice(1)), lambda x: without_kinks(x) if is_variable(x) else x)
    f, xs = function_of_variables(case, args)
    check_grads(f, *xs)


def test_check_grads_shows_what_is_wrong() -> None:
    def f(p: Any, q: Any) -> Any:
        return wrong_by_one(p["w"]) * 2 + q

    message = told(AssertionError, lambda: check_grads(f, {"w": np.array([[1.0, 3.0]])}, 0.5))
    assert message.splitlines() == [
        "check_grads(f): 1 of 6 derivatives of order 1 differ from central differences:",
        "  the output[0, 1] by argument 0['w'][0, 1]: analytic 56, numeric 54",
    ]
    check_grads(f, {"w": np.array([[1.0, 1.5]])}, 0.5)


def test_check_grads_looks_at_the_second_order() -> None:
    check_grads(wrong_curvature, 2.0, order=1)
    message = told(AssertionError, lambda: check_grads(wrong_curvature, 2.0))
    headline, entry = message.splitlines()
    assert "1 of 1 derivatives of order 2 differ" in headline
    assert entry == "  the derivative by argument 0 by argument 0: analytic 0, numeric 12"
    message = told(AssertionError, lambda: check_grads(wrong_curvature, np.ones(40)))
    assert "40 of 1600" in message
    assert len(message.splitlines()) == 11


def test_check_grads_tolerances() -> None:
    x = np.array([2.5])
    check_grads(wrong_by_one, x, order=1, rtol=0.1)
    check_grads(wrong_by_one, x, order=1, atol=1.01)
    with pytest.raises(AssertionError):
        check_grads(wrong_by_one, x, order=1, rtol=0.04)
    with pytest.raises(AssertionError):
        check_grads(wrong_by_one, x, order=1, atol=0.99, rtol=0)


# --- SciPy ----------------------------------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(
    "options",
    [
        {"method": "trust-ncg", "jac": grad(rosenbrock), "hess": hessian(rosenbrock)},
        {"method": "Newton-CG", "jac": grad(rosenbrock), "hessp": partial(hvp, rosenbrock)},
        {"method": "BFGS", "fun": value_and_grad(rosenbrock), "jac": True},
        {"method": "L-BFGS-B", "fun": value_and_grad(rosenbrock), "jac": True},
    ],
    ids=lambda options: options["method"],
)
def test_minimize_takes_them_as_they_are(options: dict[str, Any]) -> None:
    found = minimize(**{"fun": rosenbrock, "x0": np.array([1.3, 0.7, 0.8, 1.9]), **options})
    assert found.success
    assert_allclose(found.x, np.ones(4), atol=1e-4)
    assert found.nfev < 120


def test_arguments_that_minimize_passes_on() -> None:
    def f(x: Any, center: Any, scale: float) -> Any:
        return (scale * (x - center) ** 4).sum()

    args = (np.array([1.0, 2.0]), 3)
    found = minimize(
        f, np.zeros(2), args, jac=grad(f), hess=hessian(f), method="trust-exact", tol=1e-10
    )
    assert_allclose(found.x, args[0], atol=1e-2)


def test_all_are_at_the_top() -> None:
    for name in ("grad", "value_and_grad", "elementwise_grad", "vjp", "jvp", "jacobian", "hessian"):
        assert getattr(tinytorch, name) is getattr(transforms, name)
        assert name in tinytorch.__all__


def test_a_rule_may_write_in_place_beside_a_batch() -> None:
    def rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
        slope = 2 * x
        slope *= grad
        return slope

    square = with_rules(rule, name="square_in_place")(lambda x: x * x)
    x = np.array([1.0, 2.0, 3.0])
    assert_array_equal(jacobian(square)(x), np.diag(2 * x))
    weights = np.array([1.0, 2.0, 3.0])
    p = np.exp(x) / np.exp(x).sum()
    expected = -weights.sum() * (np.diag(p) - np.outer(p, p))
    assert_allclose(hessian(lambda x: (x.log_softmax(0) * weights).sum())(x), expected, atol=1e-14)


def test_a_rule_that_writes_into_what_it_made_has_a_jacobian() -> None:
    x = np.array([[0.3, -1.2], [0.8, 0.1]])
    for f in (
        lambda x: x.gelu(),
        lambda x: x.gelu("tanh"),
        lambda x: x.log_softmax(0),
        lambda x: x.log_softmax(-1),
    ):
        check_grads(f, x, order=2)
