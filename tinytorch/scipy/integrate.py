"""SciPy's integrals and differential equations, with derivatives by what they depend on.

`odeint` and `solve_ivp` go back by the adjoint equation, another differential equation, and `quad`
by the integral of the derivative. Both are solved by the same functions, on tensors where a
derivative of the derivative is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate, own
from tinytorch.operations.joint import JointRules
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import Function, like, of_values, operand, values
from tinytorch.transforms import vjp

_TRAJECTORY = Operation("trajectory", module=__name__)
_INTEGRAL = Operation("integral", module=__name__)


# --- of samples -----------------------------------------------------------------------------------


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Give the integral of the lines through the samples y at x, or at steps of dx.

    >>> trapezoid([0.0, 1.0, 4.0])
    Tensor(3., requires_grad=False)
    """
    return np.trapezoid(operand(y), x, dx, axis)


def simpson(y: Any, *, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Give the integral of parabolas, each through three of the samples y at x, or at steps of dx.

    Of an even number the last piece is below the parabola through the last three (K. V. Cartwright,
    "Simpson's rule cumulative integration with MS Excel and irregularly-spaced data", 2017).

    >>> simpson([0.0, 1.0, 4.0, 9.0]).data.round(6)
    np.float64(9.0)
    """
    y = np.moveaxis(operand(y), axis, -1)
    n = y.shape[-1]
    x = own(np.arange(n) * dx, y) if x is None else x
    h = np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    if n < 3:
        return trapezoid(y, x)
    odd = n - 1 + n % 2
    a, b = h[..., : odd - 1 : 2], h[..., 1 : odd - 1 : 2]
    first, middle, last = y[..., : odd - 2 : 2], y[..., 1 : odd - 1 : 2], y[..., 2:odd:2]
    parts = (2 - b / a) * first + (a + b) ** 2 / (a * b) * middle + (2 - a / b) * last
    whole = ((a + b) / 6 * parts).sum(axis=-1)
    if n == odd:
        return whole
    a, b = h[..., -2], h[..., -1]
    before, right = b * (b + 3 * a) / (6 * a), b * (2 * b + 3 * a) / (6 * (a + b))
    left = b**3 / (6 * a * (a + b))
    return whole + right * y[..., -1] + before * y[..., -2] - left * y[..., -3]


# --- of functions ---------------------------------------------------------------------------------


def quad(
    func: Callable[..., Any],
    a: Any,
    b: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
) -> tuple[Any, float]:
    """Give the integral of func(x, *args), a number, for x from a to b, and its likely error.

    The derivative by b is func(b), by a it is -func(a), and by a tensor in args the integral of the
    derivative (G. W. Leibniz's rule), which is found to the same error. Raises TypeError where func
    depends on a tensor that is not in args.

    >>> from tinytorch import grad
    >>> grad(lambda a: quad(lambda x, a: a * x**2, 0.0, 3.0, a)[0])(2.0).round(6)
    np.float64(9.0)
    """
    a, b = operand(a), operand(b)
    f = Function(func, args, _inside(a._value, b._value))
    errors: list[float] = []

    def find(g: Callable[[Any], Any], a: float, b: float) -> Any:
        value, error = import_module("scipy.integrate").quad(
            lambda x: float(g(x)), a, b, epsabs=epsabs, epsrel=epsrel, limit=limit
        )
        errors.append(error)
        return np.asarray(value)

    return _integral(f, (epsabs, epsrel), a, b, f.tensors, find), max(errors)


def quad_vec(
    f: Callable[..., Any],
    a: Any,
    b: Any,
    epsabs: float = 1e-200,
    epsrel: float = 1e-8,
    *,
    args: Any = (),
) -> tuple[Any, float]:
    """Give the integral of f(x, *args), an array, for x from a to b, and its likely error.

    Derivatives and errors as of `quad`.

    >>> quad_vec(lambda x: np.stack([x, x**2]), 0.0, 3.0)[0].data.round(6)
    array([4.5, 9. ])
    """
    a, b = operand(a), operand(b)
    function = Function(f, args, _inside(a._value, b._value))
    errors: list[float] = []

    def find(g: Callable[[Any], Any], a: float, b: float) -> Any:
        value, error = import_module("scipy.integrate").quad_vec(g, a, b, epsabs, epsrel)
        errors.append(error)
        return np.asarray(value)

    tolerances = (max(epsabs, 1e-12), epsrel)  # a derivative may be 0, unlike what it is of
    return _integral(function, tolerances, a, b, function.tensors, find), max(errors)


def _inside(a: Any, b: Any) -> Any:
    """Give a number that lies between the ends, or at one."""
    return np.clip(0.5, np.minimum(a, b), np.maximum(a, b))


def _integral(
    f: Callable[..., Any],
    tolerances: tuple[float, float],
    a: Any,
    b: Any,
    args: Sequence[Any],
    find: Callable[..., Any] | None = None,
) -> Any:
    """Integrate f(x, *args); `find(g, a, b)` does it in arrays, if not `quad_vec`."""

    def by_quad_vec(g: Callable[[Any], Any], a: float, b: float) -> Any:
        return import_module("scipy.integrate").quad_vec(g, a, b, *tolerances)[0]

    def of_arrays(a: Any, b: Any, *args: Any) -> Any:
        args = tuple(map(np.asarray, args))  # which a batch refuses, to come one by one
        return of_values(find or by_quad_vec, lambda x: values(f(x, *args)), float(a), float(b))

    def slope(x: Any, grad: Any, *args: Any) -> Any:
        return _in_a_row(vjp(lambda *args: operand(f(x, *args)), *args)[1](grad))

    def work(grad: Any, out: Any, a: Any, b: Any, *args: Any) -> Any:  # noqa: ARG001
        return grad, _integral(slope, tolerances, a, b, (grad, *args)) if args else None

    rules: Any = JointRules(
        work,
        lambda work, out, a, b, *args: -(work[0] * like(out, f(a, *args))).sum(),
        lambda work, out, a, b, *args: (work[0] * like(out, f(b, *args))).sum(),
        *(lambda work, *_, part=part: part(work[1]) for part in _parts(args)),
    )
    return apply(_INTEGRAL, lambda *x: evaluate(_INTEGRAL, of_arrays, *x), rules, a, b, *args)


def _in_a_row(arrays: Sequence[Any]) -> Any:
    return np.concatenate([np.reshape(x, -1) for x in arrays])


def _parts(arrays: Sequence[Any]) -> list[Callable[[Any], Any]]:
    """For each of the arrays, give what takes it out of a row of all their entries."""

    def part(end: int, x: Any) -> Callable[[Any], Any]:
        return lambda row: row[end - x.size : end].reshape(x.shape)

    return list(map(part, np.cumsum([x.size for x in arrays]).tolist(), arrays))


# --- differential equations -----------------------------------------------------------------------


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: Any = (),
    *,
    tfirst: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    mxstep: int = 0,
) -> Any:
    """Solve dy/dt = func(y, t, *args) from y0 at t[0] on; row i of the result is y at t[i].

    func is written in NumPy's words: it gets arrays, and tensors for the derivatives, which are
    those by y0, t, and the tensors in args. They are found by the adjoint equation, da/dt =
    -a @ df/dy, which goes from the end to the beginning (R. T. Q. Chen and others, "Neural ordinary
    differential equations", 2018), as exactly as `rtol` and `atol` say. `tfirst` calls
    func(t, y, *args). Raises TypeError where func depends on a tensor that is not in args,
    ValueError for shapes that don't fit, RuntimeError where the solver stops.

    >>> from tinytorch import grad
    >>> grad(lambda a: odeint(lambda y, t, a: -a * y, 1.0, [0.0, 1.0], a)[1, 0])(1.0).round(4)
    np.float64(-0.3679)
    """

    def solve(field: Callable[..., Any], y0: Any, t: Any) -> Any:
        path, report = import_module("scipy.integrate").odeint(
            field, y0, t, tfirst=True, rtol=rtol, atol=atol, mxstep=mxstep, full_output=True
        )
        if not report["message"].endswith("successful."):
            raise RuntimeError(f"odeint: {report['message']}")
        return path

    y0, t = operand(y0), operand(t)
    if y0.ndim > 1 or t.ndim != 1:
        raise ValueError(f"odeint: y0 and t are rows, got shapes {y0.shape} and {t.shape}")
    first = (t.data[0], y0.data) if tfirst else (y0.data, t.data[0])
    f = Function(func, args, *first)
    field = f if tfirst else lambda t, y, *args: f(y, t, *args)
    return _trajectory(field, solve, np.reshape(y0, -1), t, f.tensors)


def solve_ivp(
    fun: Callable[..., Any],
    t_span: Any,
    y0: Any,
    method: str = "RK45",
    t_eval: Any = None,
    args: Any = (),
    *,
    rtol: float = 1e-3,
    atol: float = 1e-6,
    max_step: float = np.inf,
) -> Any:
    """Solve dy/dt = fun(t, y, *args) from y0 at t_span[0] on; `result.y[:, i]` is y at result.t[i].

    result.y is a tensor, and all else as SciPy gives it. The times are `t_eval`, or those that the
    solver stops at, which are constants between the two of `t_span`. Derivatives and errors as of
    `odeint`.

    >>> solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], t_eval=[1.0]).y.data.round(3)
    array([[0.368]])
    """

    def find(field: Callable[..., Any], y0: Any, span: Any, t_eval: Any) -> Any:
        found = import_module("scipy.integrate").solve_ivp(
            field, span, y0, method, t_eval, rtol=rtol, atol=atol, max_step=max_step
        )
        if not found.success:
            raise RuntimeError(f"solve_ivp: {found.message}")
        return found

    def solve(field: Callable[..., Any], y0: Any, t: Any) -> Any:
        return find(field, y0, (float(t[0]), float(t[-1])), t).y.T

    y0 = operand(y0)
    start, end = map(operand, t_span)
    span = float(start._value), float(end._value)
    f = Function(fun, args, span[0], y0.data)
    found = of_values(
        find, lambda t, y: values(f(t, y, *f.values)), y0._value, span, values(t_eval)
    )
    if t_eval is None:
        times = _in_a_row([start, operand(found.t[1:-1]), end])
        found.y = _trajectory(f, solve, y0, times, f.tensors, found.y.T).T
    else:
        times = _in_a_row([start, operand(t_eval)])
        path = np.concatenate([y0._value[None], found.y.T])
        found.y = _trajectory(f, solve, y0, times, f.tensors, path)[1:].T
    return found


def _trajectory(
    field: Callable[..., Any],
    solve: Callable[..., Any],
    y0: Any,
    t: Any,
    args: Sequence[Any],
    path: Any = None,
) -> Any:
    """Give y at the times t, where dy/dt = field(t, y, *args); the `path` may be known already.

    `solve(field, y0, t)` solves it in arrays.
    """
    n, parts = y0.size, _parts(args)

    def of_arrays(y0: Any, t: Any, *args: Any) -> Any:
        if path is not None:
            return np.asarray(path, y0.dtype)
        y0, t, *given = map(np.asarray, (y0, t, *args))  # which a batch refuses, to come one by one
        found = of_values(solve, lambda t, y: values(field(t, y, *given)), y0, t)
        return found.astype(y0.dtype)

    def backwards(t: Any, state: Any, *args: Any) -> Any:
        """Say how y, a, and what has come together of the gradients of args change with t."""
        slope, pullback = vjp(lambda *given: _row_of(field(t, *given), n), state[:n], *args)
        return _in_a_row([slope, *(-share for share in pullback(state[n : 2 * n]))])

    def work(grad: Any, out: Any, y0: Any, t: Any, *args: Any) -> Any:
        def slope(t: Any, y: Any) -> Any:
            return like(out, _row_of(field(t, y, *args), n))

        a = np.zeros_like(grad[0])
        given = _in_a_row([a, *(np.zeros_like(x) for x in args)])[n:]
        by_t: list[Any] = []
        for i in range(len(t) - 1, 0, -1):
            a = a + grad[i]
            by_t.append((grad[i] * slope(t[i], out[i])).sum())
            if values(t)[i] != values(t)[i - 1]:
                state = _in_a_row([out[i], a, given])
                times = np.stack([t[i], t[i - 1]])
                state = _trajectory(backwards, solve, state, times, args)[1]
                a, given = state[n : 2 * n], state[2 * n :]
        by_t.append(-(a * slope(t[0], y0)).sum())
        return a + grad[0], np.stack(by_t[::-1]), given

    rules: Any = JointRules(
        work,
        lambda work, *_: work[0],
        lambda work, *_: work[1],
        *(lambda work, *_, part=part: part(work[2]) for part in parts),
    )
    return apply(_TRAJECTORY, lambda *x: evaluate(_TRAJECTORY, of_arrays, *x), rules, y0, t, *args)


def _row_of(slope: Any, n: int) -> Any:
    slope = operand(slope)
    if slope.size != n:
        raise ValueError(f"the function of y, of {n} numbers, gave shape {slope.shape}")
    return np.reshape(slope, n)
