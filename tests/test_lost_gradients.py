"""No gradient is lost in silence: what takes a tensor passes it on, or says that it can't.

A function f is called with a tracked tensor, and the gradient of f(x) is compared with differences
of f's values on arrays. It may raise, as long as the error says something; what it may not do is to
give a finite wrong gradient, as happens where a tensor is turned into values on the way.
"""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import statistics
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.special
import scipy.stats
from numpy.testing import assert_allclose
from scipy import integrate, interpolate, sparse

from tinytorch import Tensor, grad, no_grad

X = np.array([0.4, 0.7])
MATRIX = np.array([[2.0, 0.5], [0.5, 3.0]])

# --- whole libraries ------------------------------------------------------------------------------


def functions_of(*modules: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Walk through what modules show in public: functions, and not classes."""
    seen = set()
    for module in modules:
        for name, function in inspect.getmembers(module, callable):
            if name.startswith("_") or inspect.isclass(function) or id(function) in seen:
                continue
            seen.add(id(function))
            yield f"{module.__name__}.{name}", function


# They talk to files, or to the world, or change how arrays are printed.
UNSAFE = {
    *("savetxt", "save", "savez", "savez_compressed", "fromfile", "load", "loadtxt", "genfromtxt"),
    *("memmap", "fromregex", "test", "show_config", "show_runtime", "info", "source", "lookfor"),
    *("set_printoptions", "setbufsize", "seterr", "seterrcall", "printoptions", "errstate"),
    # Arbitrary values; what np.ma takes from any object's `_data`; what tells arrays from others.
    *("empty_like", "getdata", "numpy.ma.median", "scipy.stats.tmax", "scipy.stats.tmean"),
    *("scipy.stats.tmin", "bmat", "polyvalfromroots"),
}
EVERYTHING = {
    name: function
    for name, function in functions_of(
        np, np.linalg, np.fft, np.emath, np.ma, np.lib.stride_tricks, np.polynomial.polynomial,
        scipy.special, scipy.linalg, scipy.stats, scipy.signal, scipy.ndimage, scipy.integrate,
        scipy.interpolate,
    )
    if not UNSAFE & {name, name.rpartition(".")[2]}
}  # fmt: skip

JUMP = 1e4  # a difference as large as this is one across a jump

# Ways to call a function with the variable: its arguments, and how many values it gives.
CALLS: tuple[Callable[[Callable[..., Any], Any], Any], ...] = (
    lambda f, x: f(x),
    lambda f, x: f(x, x),
    lambda f, x: f([x[0] ** 2, x[1]]),
    lambda f, x: f(X[::-1].copy(), x),  # no ties, whose slope is a choice
    lambda f, x: f(x, X[::-1].copy()),
    lambda f, x: f(MATRIX.copy(), x),
    lambda f, x: f(np.array([0, 1]), x),
)


def floats_in(result: Any) -> Iterator[Any]:
    """Walk through what a function gives to the floating numbers and arrays in it."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from floats_in(part)
    elif isinstance(result, float | np.floating):
        yield np.asarray(result)
    elif isinstance(result, np.ndarray) and result.dtype.kind == "f":
        yield result


def assert_nothing_lost(call: Callable[[Any], Any]) -> str:
    """Say what `call` does with a tensor: "gradient", "refused", or "plain" where it has none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            values = list(floats_in(call(X.copy())))
        except Exception:  # noqa: BLE001  (which these arguments don't fit)
            return "unfit"
        x = Tensor(X, label="x")
        try:
            results = list(floats_in(call(x)))
        except Exception as error:  # noqa: BLE001  (of whatever kind, if it says something)
            return "refused" if str(error) else pytest.fail(f"{type(error)} says nothing")
        tracked = [y for y in results if isinstance(y, Tensor) and y.requires_grad]
        slopes = [
            [(np.sum(a) - np.sum(b)) / 2e-6 for a, b in zip(above, below, strict=True)]
            for i in range(2)
            for above, below in [
                [list(floats_in(call(X + s * 1e-6 * np.eye(2)[i]))) for s in (1, -1)]
            ]
        ]
        differs = np.nan_to_num(np.array(slopes, float), nan=0, posinf=0, neginf=0)
        if not tracked:
            # A step function, or one of constants: nothing changes with x.
            differs[np.abs(differs) > JUMP] = 0
            assert np.abs(differs).max(initial=0) < 1e-4, "values without a gradient"
            return "plain"
        assert len(results) == len(values)
        for j, y in enumerate(results):
            gradient = np.zeros(2)
            if isinstance(y, Tensor) and y.requires_grad:
                x.grad = None
                try:
                    y.sum().backward()
                except Exception as error:  # noqa: BLE001  (by the order of jv, say)
                    return "refused" if str(error) else pytest.fail(f"{type(error)} says nothing")
                gradient = x.grad
            slope = np.array(slopes)[:, j]
            smooth = np.isfinite(gradient) & (np.abs(slope) < JUMP)
            assert_allclose(gradient[smooth], slope[smooth], rtol=1e-4, atol=1e-5)
    return "gradient"


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_function_loses_a_gradient(name: str) -> None:
    if name.startswith(("scipy.stats", "scipy.integrate")) and "quad" in name:
        return
    for call in CALLS:
        assert_nothing_lost(lambda x, call=call: call(EVERYTHING[name], x))


# --- what was found once --------------------------------------------------------------------------

S = sparse.csr_array(MATRIX)


def filled(x: Any) -> Any:
    out = np.zeros(2)
    out[0] = x[0]
    return (x * out).sum()


FOUND: dict[str, Callable[[Any], Any]] = {
    "a list of tensors": lambda x: np.sum([x[0] ** 2, x[1]]),
    "dot of an array": lambda x: MATRIX.dot(x).sum(),
    "a sparse matrix": lambda x: (S @ x).sum(),
    "np.array": lambda x: np.sum(np.array([x[0], x[1]]) * x),
    "Tensor of tensors": lambda x: Tensor([x[0], x[1]]).sum() * x[0],
    "an entry assigned": filled,
    "logsumexp": lambda x: scipy.special.logsumexp(x) * x[0],
    "math": lambda x: (x * math.sin(x[0])).sum(),
    "deepcopy": lambda x: (copy.deepcopy(2 * x) * x).sum(),
    "copy": lambda x: (copy.copy(2 * x) * x).sum(),
    "pickle": lambda x: (pickle.loads(pickle.dumps(2 * x)) * x).sum(),  # noqa: S301
    "Tensor(x)": lambda x: (Tensor(x) * x).sum(),
    "bincount": lambda x: (np.bincount([1, 1], weights=x) * x).sum(),
    "full_like": lambda x: (np.full_like(x, x[0]) * x).sum(),
    "full": lambda x: (np.full(2, x[0]) * x).sum(),
    "float": lambda x: x[0] * float(x[1]),
    "int": lambda x: x[0] * int(x[1]),
    "complex": lambda x: x[0] * complex(x[1]).real,
    "statistics": lambda x: x[0] * statistics.fmean(x),
    "sum of a list": lambda x: sum(x * x),
    "iteration": lambda x: next(iter(x)) * x[1] + max(x) * x[0],
    "interpolation": lambda x: x[0] * interpolate.CubicSpline([0, 1, 2], [0, 1, 4])(x).sum(),
    "trapezoid": lambda x: integrate.trapezoid(x) * x[0],
    "vectorize": lambda x: (np.vectorize(lambda v: v * 2)(x) * x).sum(),
    "random": lambda x: (np.random.default_rng(0).normal(x) * x).sum(),
    "fromiter": lambda x: (np.fromiter(x, float) * x).sum(),
    "asarray": lambda x: (np.asarray(x) * x).sum(),
    "dlpack": lambda x: (np.from_dlpack(x) * x).sum(),
    "poly1d": lambda x: np.poly1d(x)(2.0) * x[0],
    "r_": lambda x: (np.r_[x, x] * np.concatenate([x, x])).sum(),
    "where": lambda x: np.where([True, False], x, x[::-1]).sum() * x[0],
    "round": lambda x: round(x[0], 1) * x[1],
    "detach": lambda x: (x.detach() * 0 + x * x).sum(),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_lost_once_is_passed_on_or_refused(name: str) -> None:
    f = FOUND[name]

    def in_numpy(x: Any) -> float:
        with no_grad():
            return float(f(Tensor(x)).data)

    try:
        gradient = grad(f)(X)
    except (TypeError, ValueError) as error:
        assert len(str(error)) > 30  # noqa: PT017
        return
    steps = np.eye(2) * 1e-6
    slopes = [(in_numpy(X + h) - in_numpy(X - h)) / 2e-6 for h in steps]
    assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [pd.Series, lambda values: pd.DataFrame({"a": values})["a"]])
def test_a_series_on_either_side_is_a_constant(kind: Any) -> None:
    series = kind([2.0, 3.0])
    for f in (lambda x: (series * x).sum(), lambda x: (x * series).sum()):
        assert_allclose(grad(f)(X), [2, 3])
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]])
    assert_allclose(grad(lambda x: (frame * x).sum())(X), [4, 6])


def test_a_table_of_mixed_columns_is_refused_and_a_series_of_tensors() -> None:
    x, mixed = Tensor(X), pd.DataFrame({"a": [1.0, 2.0], "name": ["x", "y"]})
    for call in (
        lambda: Tensor(mixed),
        lambda: x * mixed,
        lambda: pd.Series(x * 2),
    ):
        with pytest.raises(TypeError, match=r"expected|would lose its gradient"):
            call()


def test_right_ways_are_right() -> None:
    assert_allclose(grad(lambda x: np.sum(np.stack([x[0] ** 2, x[1]])))(X), [0.8, 1])
    assert_allclose(grad(FOUND["bincount"])(X), [X[1] + 0, X[0] + 2 * X[1]])
    assert_allclose(grad(FOUND["full_like"])(X), [2 * X[0] + X[1], X[0]])


def test_an_entry_assigned_outside_of_a_transform_is_refused_too() -> None:
    x, out = Tensor(X), np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as raised:
        out[0] = x[0] * 2
    assert "o[i] = x would lose its gradient" in str(raised.value.__cause__)
    out[0] = (x[0] * 2).data
    assert float(x[0]) == X[0]
    with no_grad():
        out[1] = x[1]
    assert out[1] == X[1]


def test_what_says_so_gives_values() -> None:
    x = Tensor(X) * 2
    for values in (x.data, x.numpy(), x.to_numpy(), np.asarray(x.detach())):
        assert_allclose(values, 2 * X)
    with no_grad():
        assert_allclose(np.asarray(x), 2 * X)
    assert x[0].item() == 2 * X[0]
    assert x.tolist() == [0.8, 1.4]
    assert (x > 1).tolist() == [False, True]


@pytest.mark.parametrize(
    "other",
    [np.ma.array([1.0, 2.0], mask=[True, False]), np.asmatrix([[1.0, 2.0]])],
    ids=["masked", "matrix"],
)
def test_arrays_that_compute_otherwise_are_refused(other: Any) -> None:
    for call in (
        lambda: Tensor(other),
        lambda: Tensor(X) * other,
        lambda: np.add(Tensor(X), other),
    ):
        with pytest.raises(
            TypeError, match=r"computes by rules of its own; .* gives a plain array"
        ):
            call()
