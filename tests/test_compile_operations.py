"""Every operation, compiled, gives what it gives uncompiled, for inputs that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from numpy.testing import assert_allclose
from reference import Function, exchanged, is_variable, leaves, weights
from test_linalg import CASES as LINEAR_ALGEBRA
from test_numpy_functions import CASES as FUNCTIONS
from test_operations import ELEMENTWISE, SMOOTH
from test_scipy import FUNCTIONS as COUNTERPARTS
from test_scipy import UFUNCS

import tinytorch.scipy
from tinytorch import Tensor

# The rank of the matrix decides what it computes; and how many are picked, of arrays, the shape.
REFUSED = {"lstsq"}
DECIDED = {*REFUSED, "compress"}
EVERY_CASE = [
    pytest.param(case, spelling, id=f"{case.name}-{i}")
    for case in [*CASES, *LINEAR_ALGEBRA]
    if case.name not in REFUSED
    for i, spelling in enumerate(case.spellings)
]


def differentiated(function: Function, arguments: Any) -> Function:
    """Give the function of the floating arrays alone that computes values and gradients."""

    def compute(arrays: Any) -> Any:
        remaining = iter(arrays)
        args = exchanged(arguments, lambda x: next(remaining) if is_variable(x) else x)
        inputs, xs = [], []

        def change(x: Any) -> Any:
            if getattr(x, "dtype", np.dtype(int)).kind != "f":
                return x
            xs.append(tinytorch.Tensor(x))
            return xs[-1]

        inputs = exchanged(args, change)
        outputs = list(leaves(function(*inputs)))
        ws = weights([y.shape for y in outputs], 1)
        for y, w in zip(outputs, ws, strict=True):
            if getattr(y, "requires_grad", False):
                y.backward(w)
        values = [y.data if isinstance(y, tinytorch.Tensor) else y for y in outputs]
        return values + [x.grad for x in xs]

    return compute


def assert_compiles(function: Function, arrays: list[Any]) -> None:
    compiled = tinytorch.compile(function)
    for i in range(6):
        moved = [x * (1 + i / 100) for x in arrays]
        with np.errstate(all="ignore"):
            expected, actual = function(moved), compiled(moved)
        for a, b in zip(actual, expected, strict=True):
            assert type(a) is type(b)
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    assert compiled.program is not None


@pytest.mark.parametrize(("case", "spelling"), EVERY_CASE)
def test_every_row_compiled(case: Case, spelling: Function) -> None:
    arguments = case.arguments(dice(3))
    arrays = [x for x in leaves(arguments) if is_variable(x)]
    assert_compiles(differentiated(spelling, arguments), arrays)


def with_names() -> Iterator[Any]:
    """List NumPy's functions whose arguments may be given by their names."""
    for case in [*CASES, *LINEAR_ALGEBRA]:
        try:
            kinds = {x.kind for x in signature(case.numpy or len).parameters.values()}
        except ValueError:  # ufuncs, and what is in C before NumPy 2.4
            continue
        by_name = kinds <= {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
        if case.numpy and by_name and case.name not in DECIDED:
            yield pytest.param(case, id=case.name)


@pytest.mark.parametrize("case", [*with_names()])
def test_every_row_compiled_with_arguments_by_their_names(case: Case) -> None:
    function: Any = case.numpy
    arguments, names = case.arguments(dice(3)), [*signature(function).parameters]

    def compute(arrays: Any) -> Any:
        remaining = iter(arrays)
        given = exchanged(arguments, lambda x: next(remaining) if is_variable(x) else x)
        return list(leaves(function(**dict(zip(names, given, strict=False)))))

    assert_compiles(compute, [x for x in leaves(arguments) if is_variable(x)])


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_every_elementwise_operation_compiled(name: str, method: Function, operands: int) -> None:
    offset = 1 if name == "ARCCOSH" else 0
    arrays = [SMOOTH / 1.1 + offset + i / 50 for i in range(operands)]
    assert_compiles(differentiated(method, arrays), arrays)


# --- functions of NumPy and SciPy -----------------------------------------------------------------

# What they compute, or its shape, hangs on values.
DECIDING = {
    *("histogram", "histogram2d", "histogramdd", "histogram_bin_edges", "interp number"),
    *("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "union1d"),
    *("intersect1d", "setdiff1d", "setxor1d", "extract", "piecewise", "trim_zeros"),
    *("polydiv", "polyfit", "quantile in q", "percentile in q", "nanquantile method"),
    *("logm", "sqrtm", "lstsq"),
}
ROWS = {
    **{f"np.{name}": row for name, row in FUNCTIONS.items()},
    **{f"special {name}": row for name, row in UFUNCS.items()},
    **{f"scipy.{key}": (find(tinytorch.scipy), x) for key, (find, x) in COUNTERPARTS.items()},
    "np.lstsq": (lambda a, b: np.linalg.lstsq(a, b)[0], (np.eye(3)[:, :2] + 0.1, np.ones(3))),
}


def decides(name: str) -> bool:
    own = name.partition(".")[2]
    return own in DECIDING or own.partition(" ")[0] in DECIDING


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ROWS)
def test_functions_are_recorded_or_say_that_they_decide(name: str) -> None:
    function, args = ROWS[name]
    arrays = [np.asarray(x, float) for x in args]
    step = differentiated(function, arrays)
    if not decides(name):
        assert_compiles(step, arrays)
        return
    compiled = tinytorch.compile(step)
    compiled(arrays)
    own = name.partition(".")[2].partition(" ")[0]
    message = rf"compile: \S+\.{own} decides on values, .*\n  test_\w+\.py:\d+: "
    with pytest.raises(TypeError, match=message):
        compiled(arrays)


# --- decisions ------------------------------------------------------------------------------------


def turned(x: Any, *_: Any) -> Any:
    return -x if x[0] > 0 else x


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.apply_along_axis(turned, 0, Tensor(x)),
        lambda x: tinytorch.scipy.integrate.odeint(turned, x, [0.0, 1.0])[1],
        lambda x: tinytorch.scipy.optimize.root(lambda z: turned(x) + z, np.ones(2)).x,
    ],
    ids=["apply_along_axis", "odeint", "root"],
)
def test_a_decision_within_the_users_function_is_the_users(function: Any) -> None:
    compiled = tinytorch.compile(function)
    compiled(np.ones(2))
    with pytest.raises(TypeError, match=r"a decision hangs on a value.*\n.*: return -x if x\[0\]"):
        compiled(np.ones(2))
