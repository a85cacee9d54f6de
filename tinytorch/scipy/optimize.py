"""SciPy's solvers, differentiated implicitly: not their steps, but the equation that they solve.

Where f(x, a) = 0, the derivative of x by a is -(df/dx)^-1 df/da.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import operand
from tinytorch.transforms import grad as gradient_of
from tinytorch.transforms import jacobian, vjp

_SOLUTION = Operation("solution")


def root(fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), **options: Any) -> Any:
    """Solve fun(x, *args) = 0 from x0 on, by scipy.optimize.root; `result.x` is a tensor.

    It has derivatives by what is in `args`. Raises TypeError where fun depends on a tensor
    that is not there, RuntimeError where no solution was found.
    """
    optimize = import_module("scipy.optimize")

    def search(x0: Any, *values: Any) -> Any:
        return optimize.root(
            lambda x: np.ravel(_plain(fun(x, *values))),
            x0,
            jac=lambda x: _plain(jacobian(lambda x: fun(x, *values))(x)),
            **options,
        )

    return _solved("root", search, fun, x0, args)


def minimize(fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), **options: Any) -> Any:
    """Find where fun(x, *args), a number, is smallest, from x0 on; `result.x` is a tensor.

    By scipy.optimize.minimize, whose `tol` says how exact the derivatives are: those by what is
    in `args`. Raises as `root`.
    """
    optimize = import_module("scipy.optimize")
    slope = gradient_of(fun)

    def search(x0: Any, *values: Any) -> Any:
        return optimize.minimize(
            lambda x: float(_plain(fun(x, *values))),
            x0,
            jac=lambda x: _plain(slope(x, *values)),
            **options,
        )

    return _solved("minimize", search, slope, x0, args)


def _plain(value: Any) -> Any:
    if isinstance(value, Node) and value.requires_grad:
        raise TypeError("fun depends on a tensor that is not among its arguments: put it into args")
    return getattr(value, "_data", value)


def _solved(
    name: str,
    search: Callable[..., Any],
    equation: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
) -> Any:
    """Search with values, and record the solution of equation(x, *args) = 0."""
    start = np.asarray(getattr(x0, "_data", x0), float)
    tensors = tuple(map(operand, args))
    found = search(start, *[x._data for x in tensors])
    if not found.success:
        raise RuntimeError(f"{name}: no solution was found: {found.message}")
    solution = np.reshape(found.x, start.shape)

    def shared(grad: Any, out: Any, *args: Any) -> Any:
        slope = jacobian(lambda x: equation(x, *args))(out)
        size = start.size
        adjoint = -np.linalg.solve(slope.reshape(size, size).T, grad.reshape(size))
        return vjp(lambda *a: equation(out, *a), *args)[1](adjoint.reshape(start.shape))

    def rule(i: int) -> Callable[..., Any]:
        return lambda grad, out, *args: shared(grad, out, *args)[i]

    if tensors:
        rules = [rule(i) for i in range(len(tensors))]
        found.x = apply(_SOLUTION, lambda *_: solution, rules, *tensors)
    else:
        found.x = operand(solution)
    return found
