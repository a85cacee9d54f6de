"""No gradient is lost in silence: what takes a tensor passes it on, or says that it can't.

A function f is called with a tracked tensor, and the gradient of f(x) is compared with differences
of f's values on arrays. It may raise, as long as the error says something; what it may not do is to
give a finite wrong gradient, as happens where a tensor is turned into values on the way.
"""

from __future__ import annotations

import array
import contextvars
import copy
import inspect
import math
import operator
import pickle
import statistics
import struct
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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

from tinytorch import Tensor, grad, jacobian, no_grad, vjp
from tinytorch.arrays.plain import plain

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
    # Arbitrary values; what tells arrays from others.
    *("empty_like", "bmat", "polyvalfromroots"),
    # Which entries are equal decides their results, and how many they are.
    *("intersect1d", "setdiff1d", "setxor1d", "union1d", "nextafter", "histogram2d", "histogramdd"),
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
    elif isinstance(result, np.ndarray) and result.dtype.kind in "fc":
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
        differs = np.nan_to_num(np.abs(np.array(slopes)), nan=0, posinf=0)
        if not tracked:
            # A step function, or one of constants: nothing changes with x.
            differs[differs > JUMP] = 0
            assert differs.max(initial=0) < 1e-4, "values without a gradient"
            return "plain"
        assert len(results) == len(values)
        for j, y in enumerate(results):
            gradient = np.zeros(2)
            if isinstance(y, Tensor) and y.requires_grad:
                x.grad = None
                try:
                    y.sum().real.backward()
                except Exception as error:  # noqa: BLE001  (by the order of jv, say)
                    return "refused" if str(error) else pytest.fail(f"{type(error)} says nothing")
                gradient = x.grad
            slope = np.array(slopes)[:, j].real
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


# --- threads --------------------------------------------------------------------------------------


def in_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:  # which a free-threaded Python would tell of the context
        return contextvars.Context().run(pool.submit, work).result()


# What a function does with its variable x, in a thread of its own, and the gradient at X.
IN_A_THREAD: dict[str, Callable[[Any], Any]] = {
    "float": lambda x: float(x[1]),
    "int": lambda x: int(x[1]),
    "complex": lambda x: complex(x[1]).real,
    "math": lambda x: math.sin(x[1]),
    "array.array": lambda x: array.array("d", x)[1],
    "struct": lambda x: struct.unpack("d", struct.pack("d", x[1]))[0],
    "fromiter": lambda x: np.fromiter(x, float)[1],
    "statistics": statistics.fmean,
    "asarray": lambda x: np.asarray(x)[1],
    "Tensor": lambda x: Tensor(x)[1],
    "copy": lambda x: copy.copy(x)[1],
    "deepcopy": lambda x: copy.deepcopy(x)[1],
    "pickle": lambda x: pickle.loads(pickle.dumps(x))[1],  # noqa: S301
    "grad at it": lambda x: grad(lambda y: y * y)(x[1]),
    "grad at the variable": lambda x: grad(lambda y: (y * y).sum())(x)[1],
    "grad of it": lambda x: grad(lambda y: y * x[1])(3.0),
    "jacobian of it": lambda x: jacobian(lambda y: y * x[1])(X)[0, 0],
    "vjp of it": lambda x: vjp(lambda y: y * x[1], 3.0)[0],
}


@pytest.mark.parametrize("name", IN_A_THREAD)
def test_a_thread_in_a_function_loses_nothing(name: str) -> None:
    use = IN_A_THREAD[name]
    # NumPy and struct have words of their own for what __float__ refuses.
    said = "without a word|setting an array|argument is not a float"
    for transform in (grad, lambda f: jacobian(lambda x: f(x)[None])):
        for y in (lambda x: x, lambda x: x * 2):
            with pytest.raises((TypeError, ValueError, struct.error), match=said):
                transform(lambda x, y=y: x[0] * in_thread(lambda: use(y(x))))(X)


def test_a_thread_that_knows_of_the_transform_is_a_part_of_it() -> None:
    def f(x: Any, use: Any) -> Any:
        context = contextvars.copy_context()
        return x[0] * in_thread(lambda: context.run(use, x))

    assert_allclose(grad(f)(X, IN_A_THREAD["grad at it"]), [2 * X[1], 2 * X[0]])
    assert_allclose(grad(f)(X, IN_A_THREAD["grad of it"]), [X[1], X[0]])
    with pytest.raises(TypeError, match="without a word"):
        grad(f)(X, IN_A_THREAD["float"])


def test_a_thread_in_a_function_computes_and_others_are_left_alone() -> None:
    assert_allclose(
        grad(lambda x: x[0] * in_thread(lambda: np.sin(x[1])))(X), [np.sin(0.7), 0.4 * np.cos(0.7)]
    )
    other = Tensor(2.0) * 3

    def f(x: Any) -> Any:
        assert in_thread(lambda: float(other)) == 6
        assert in_thread(lambda: grad(lambda y: (y * other) ** 2)(1.0)) == 72
        with no_grad():
            assert float(x[0]) == X[0]
        assert in_thread(no_grad(lambda: float(x[0]))) == X[0]
        return x.sum()

    assert_allclose(grad(f)(X), [1, 1])
    assert float(other) == 6


# --- setters --------------------------------------------------------------------------------------

SETTERS: dict[str, Callable[[Any, Any], Any]] = {
    "data": lambda w, y: setattr(w, "data", y),
    "grad": lambda w, y: setattr(w, "grad", y),
    "gradient": lambda w, y: (w * 2).backward(y),
    "entries": lambda w, y: setattr(w, "data", [y[0], y[1]]),
    "entries of the gradient": lambda w, y: setattr(w, "grad", [y[0], y[1]]),
    "a constant in place": lambda w, y: w.detach().copy_(y),
    "a plain array in place": lambda w, y: plain(np.array([1, 2])).copy_(y),
    "a plain array's entry": lambda w, y: plain(np.array([1, 2])).__setitem__(0, y[0]),
    "an array in place": lambda w, y: np.ones(2).__iadd__(y),
}


@pytest.mark.parametrize("name", SETTERS)
def test_no_setter_takes_the_values_of_what_needs_a_gradient(name: str) -> None:
    w, x = Tensor(np.ones(2)), Tensor(X)
    with pytest.raises((TypeError, ValueError, RuntimeError), match=r"lose|lost|out="):
        SETTERS[name](w, x * 3)
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        grad(lambda x: SETTERS[name](w, x) or x.sum())(X)
    assert_allclose(w.data, [1, 1])
    assert w._grad is None
    if "entr" not in name:
        SETTERS[name](w, (x * 3).data)


@pytest.mark.parametrize(
    "switch_off",
    [
        lambda y: setattr(y, "requires_grad", False),
        lambda y: y.requires_grad_(False),
    ],
)
def test_what_was_computed_needs_its_gradient(switch_off: Any) -> None:
    x = Tensor(X)
    y = x * 2
    with pytest.raises(RuntimeError, match=r"was computed; x\.detach\(\)"):
        switch_off(y)
    (y * x).sum().backward()
    assert_allclose(x.grad, 4 * X)
    switch_off(x)
    assert x.requires_grad is False


@pytest.mark.parametrize("flag", ["yes", 1, None, Tensor(1.0), np.ones(2)], ids=repr)
def test_requires_grad_is_a_truth_value(flag: Any) -> None:
    x = Tensor(X)
    for call in (
        lambda: Tensor(X, requires_grad=flag),
        lambda: setattr(x, "requires_grad", flag),
        lambda: x.requires_grad_(flag),
        lambda: x.__setstate__((X, None, flag, None, False)),
    ):
        with pytest.raises(TypeError, match="requires_grad is True or False, got"):
            call()
    assert x.requires_grad is True
    assert Tensor(X, requires_grad=np.bool_(False)).requires_grad is False


IN_PLACE = (
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv,
    operator.imod, operator.ipow, operator.imatmul,
)  # fmt: skip


@pytest.mark.parametrize("change", IN_PLACE)
def test_each_operator_in_place_updates_refuses_or_makes_a_new_tensor(change: Any) -> None:
    values, other = np.array([[3.0, 2.0], [1.0, 5.0]]), np.array([[2.0, 0.5], [1.0, 2.0]])
    expected = getattr(operator, change.__name__[1:])(values, other)
    w = Tensor(values, label="w")
    fresh = change(w, other)
    assert fresh is not w
    assert_allclose(fresh.data, expected)
    (w * w).sum().backward()
    with pytest.raises(RuntimeError, match=r"tensor 'w' .* x\.data -= y updates a parameter"):
        change(w, other)
    with no_grad():
        assert change(w, Tensor(other)) is w
    assert_allclose(w.data, expected)
    assert not w._children


def test_every_operator_in_place_that_tensors_have_is_tested() -> None:
    has = {
        name for name in dir(operator) if name.startswith("i") and hasattr(Tensor, f"__{name}__")
    }
    assert has - {"index", "inv", "invert", "is_", "is_not"} == {f.__name__ for f in IN_PLACE}


# --- other libraries ------------------------------------------------------------------------------


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
