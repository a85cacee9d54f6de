"""SciPy's solvers, differentiated implicitly: not their steps, but the equation that they solve.

Where f(x, a) = 0, the derivative of x by a is -(df/dx)^-1 df/da.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate
from tinytorch.operations.joint import JointRules
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import Function, of_values, operand, values
from tinytorch.transforms import grad as gradient_of
from tinytorch.transforms import jacobian, vjp

_SOLUTION = Operation("solution", module=__name__)


def root(fun: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """Solve fun(x, *args) = 0 from x0 on, by scipy.optimize.root; `result.x` is a tensor.

    It has derivatives by the tensors in `args`. Raises TypeError where fun depends on a tensor
    that is not there, RuntimeError where no solution was found.
    """
    start = np.asarray(values(x0), float)
    f = Function(fun, args, start)

    def search(*given: Any) -> Any:
        return import_module("scipy.optimize").root(
            lambda x: values(f(x, *given)),
            start,
            jac=jacobian(lambda x: f(x, *given)),
            **options,
        )

    return _solved("root", search, f, start, f)


def minimize(fun: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """Find where fun(x, *args), a number, is smallest, from x0 on; `result.x` is a tensor.

    By scipy.optimize.minimize, whose `tol` says how exact the derivatives are: those by the tensors
    in `args`, which hold where the minimum is inside of all bounds. Raises as `root`, and
    ValueError for `constraints`.
    """
    if options.get("constraints"):
        raise ValueError("minimize: a minimum under constraints has no derivative rule here")
    start = np.asarray(values(x0), float)
    f = Function(fun, args, start)
    slope = gradient_of(f)

    def search(*given: Any) -> Any:
        return import_module("scipy.optimize").minimize(
            lambda x: values(f(x, *given)),
            start,
            jac=lambda x: slope(x, *given),
            **options,
        )

    return _solved("minimize", search, f, start, slope)


def _solved(
    name: str,
    search: Callable[..., Any],
    f: Function,
    start: Any,
    equation: Callable[..., Any],
) -> Any:
    """Search, and record the solution of equation(x, *args) = 0."""
    results: list[Any] = []

    def solve(*given: Any) -> Any:
        arrays = map(np.asarray, given)  # which a batch refuses, to come one by one
        found = of_values(search, *arrays)
        if not found.success:
            raise RuntimeError(f"{name}: no solution was found: {found.message}")
        results.append(found)
        return np.reshape(found.x, start.shape)

    def shares(grad: Any, out: Any, *args: Any) -> Any:
        slope = jacobian(lambda x: equation(x, *args))(out)
        size = start.size
        adjoint = -np.linalg.solve(slope.reshape(size, size).T, grad.reshape(size))
        return vjp(lambda *args: equation(out, *args), *args)[1](adjoint.reshape(start.shape))

    def work(*given: Any) -> Any:
        return evaluate(_SOLUTION, shares, *given)

    rules: Any = JointRules(work, *(lambda work, *_, i=i: work[i] for i in range(len(f.tensors))))
    if f.tensors:
        x = apply(_SOLUTION, lambda *x: evaluate(_SOLUTION, solve, *x), rules, *f.tensors)
    else:
        x = operand(solve())
    results[-1].x = x
    return results[-1]
