"""SciPy's solvers, differentiated implicitly: not their steps, but the equation that they solve.

Where f(x, a) = 0, the derivative of x by a is -(df/dx)^-1 df/da.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate
from tinytorch.engine import Node
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import operand
from tinytorch.transforms import grad as gradient_of
from tinytorch.transforms import jacobian, vjp

_SOLUTION = Operation("solution", module=__name__)


def root(fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), **options: Any) -> Any:
    """Solve fun(x, *args) = 0 from x0 on, by scipy.optimize.root; `result.x` is a tensor.

    It has derivatives by what is in `args`. Raises TypeError where fun depends on a tensor
    that is not there, RuntimeError where no solution was found.
    """
    optimize = import_module("scipy.optimize")

    def search(x0: Any, *values: Any) -> Any:
        return optimize.root(
            lambda x: _values(fun(x, *values)),
            x0,
            jac=lambda x: _values(jacobian(lambda x: fun(x, *values))(x)),
            **options,
        )

    return _solved("root", search, fun, fun, x0, args)


def minimize(fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), **options: Any) -> Any:
    """Find where fun(x, *args), a number, is smallest, from x0 on; `result.x` is a tensor.

    By scipy.optimize.minimize, whose `tol` says how exact the derivatives are: those by what is
    in `args`. Raises as `root`.
    """
    optimize = import_module("scipy.optimize")
    slope = gradient_of(fun)

    def search(x0: Any, *values: Any) -> Any:
        return optimize.minimize(
            lambda x: _values(fun(x, *values)),
            x0,
            jac=lambda x: _values(slope(x, *values)),
            **options,
        )

    return _solved("minimize", search, fun, slope, x0, args)


def _values(x: Any) -> Any:
    return getattr(x, "_value", x)


def _solved(
    name: str,
    search: Callable[..., Any],
    fun: Callable[..., Any],
    equation: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
) -> Any:
    """Search with values, and record the solution of equation(x, *args) = 0."""
    start = np.asarray(_values(x0), float)
    tensors = tuple(map(operand, args))
    values = [x._value for x in tensors]
    first = fun(start, *values)
    if isinstance(first, Node) and first._requires_grad:
        raise TypeError("fun depends on a tensor that is not among its arguments: put it into args")
    found = search(start, *values)
    if not found.success:
        raise RuntimeError(f"{name}: no solution was found: {found.message}")
    solution = np.reshape(found.x, start.shape)

    def shared(grad: Any, out: Any, *args: Any) -> Any:
        slope = jacobian(lambda x: equation(x, *args))(out)
        size = start.size
        adjoint = -np.linalg.solve(slope.reshape(size, size).T, grad.reshape(size))
        return vjp(lambda *a: equation(out, *a), *args)[1](adjoint.reshape(start.shape))

    def rule(i: int) -> Callable[..., Any]:
        return lambda *given: evaluate(_SOLUTION, lambda *given: shared(*given)[i], *given)

    if tensors:
        rules = [rule(i) for i in range(len(tensors))]
        found.x = apply(_SOLUTION, lambda *_: solution, rules, *tensors)
    else:
        found.x = operand(solution)
    return found
