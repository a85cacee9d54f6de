"""SciPy's special functions that have parameters: incomplete gamma and beta functions and the like.

By the parameters that have no derivative in such functions there is none here: that is said.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from tinytorch.operations.elementwise import where
from tinytorch.operations.notation import binary, unary
from tinytorch.operations.operation import Operation, apply
from tinytorch.operations.special import special_functions, values_of


def _row(name: str, doc: str, *rules: Any) -> Any:
    """Write down SciPy's function of that name, with a rule for each of its inputs."""
    write: Any = {1: unary, 2: binary, 3: _ternary}[len(rules)]
    special_functions[name] = write(values_of(name), *rules, doc=doc, name=name)
    return Operation[name.upper()]


def _ternary(function: Any, *rules: Any, doc: str, name: str) -> Any:
    op = Operation(name, None, function, rules, doc)

    def method(*operands: Any) -> Any:
        return apply(op, function, rules, *operands)

    op.method, op.__signature__ = method, inspect.signature(method)
    return method


def _no_rule(grad: Any, out: Any, *inputs: Any) -> Any:  # noqa: ARG001
    raise TypeError("the derivative by a parameter of a special function is not known here")


_gammaln, _psi, _betaln, _xlogy, _xlog1py = (
    Operation[name] for name in ("GAMMALN", "PSI", "BETALN", "XLOGY", "XLOG1PY")
)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(_xlogy(a - 1, x) - x - _gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(_xlogy(a - 1, x) + _xlog1py(b - 1, -x) - _betaln(a, b))


def _t_density(df: Any, x: Any) -> Any:
    ratio = np.exp(_gammaln((df + 1) / 2) - _gammaln(df / 2)) / np.sqrt(df * math.pi)
    return ratio * np.exp(-(df + 1) / 2 * np.log1p(x * x / df))


def _exprel_slope(grad: Any, out: Any, x: Any) -> Any:
    near = np.abs(x) < 1e-5
    return grad * where(near, 0.5 + x / 3, (np.exp(x) - out) / where(near, 1, x))


def _spence_slope(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    near = np.abs(x - 1) < 1e-5
    return grad * where(near, (x - 1) / 2 - 1, np.log(x) / where(near, 1, 1 - x))


def _boxcox_slope(grad: Any, out: Any, x: Any, power: Any) -> Any:
    log, flat = np.log(x), np.abs(power) < 1e-5
    steep = (log * (power * out + 1) - out) / where(flat, 1, power)
    return grad * where(flat, log * log / 2 + power * log**3 / 3, steep)


_row("loggamma", "The logarithm of gamma(x), x > 0", lambda grad, out, x: grad * _psi(x))
_row("exprel", "(exp(x) - 1) / x, and 1 at 0", _exprel_slope)
_row("spence", "The integral of log(t) / (1 - t) from 1 to x", _spence_slope)
_row(
    "boxcox",
    "(x**power - 1) / power, and log(x) where the power is 0",
    lambda grad, out, x, power: grad * np.exp((power - 1) * np.log(x)),
    _boxcox_slope,
)
_row(
    "gammainc",
    "The part of the integral gamma(a) from 0 to x",
    _no_rule,
    lambda grad, out, a, x: grad * _gamma_density(a, x),
)
_row(
    "gammaincc",
    "1 - gammainc(a, x)",
    _no_rule,
    lambda grad, out, a, x: -grad * _gamma_density(a, x),
)
_row(
    "betainc",
    "The part of the integral beta(a, b) from 0 to x",
    _no_rule,
    _no_rule,
    lambda grad, out, a, b, x: grad * _beta_density(a, b, x),
)
_row(
    "betaincc",
    "1 - betainc(a, b, x)",
    _no_rule,
    _no_rule,
    lambda grad, out, a, b, x: -grad * _beta_density(a, b, x),
)
_row(
    "gammaincinv",
    "The inverse of gammainc by its last argument",
    _no_rule,
    lambda grad, out, a, y: grad / _gamma_density(a, out),
)
_row(
    "gammainccinv",
    "The inverse of gammaincc by its last argument",
    _no_rule,
    lambda grad, out, a, y: -grad / _gamma_density(a, out),
)
_row(
    "betaincinv",
    "The inverse of betainc by its last argument",
    _no_rule,
    _no_rule,
    lambda grad, out, a, b, y: grad / _beta_density(a, b, out),
)
_row(
    "huber",
    "x * x / 2 where |x| is below delta, and delta * (|x| - delta / 2) beyond",
    lambda grad, out, delta, x: grad * np.maximum(np.abs(x) - delta, 0),
    lambda grad, out, delta, x: grad * np.clip(x, -delta, delta),
)
_row(
    "pseudo_huber",
    "delta**2 * (sqrt(1 + (x / delta)**2) - 1)",
    lambda grad, out, delta, x: (
        grad * (2 * out / delta - x * x / (delta * np.sqrt(1 + (x / delta) ** 2)))
    ),
    lambda grad, out, delta, x: grad * x / np.sqrt(1 + (x / delta) ** 2),
)
_row(
    "stdtr",
    "The probability that Student's t with df degrees of freedom is below x",
    _no_rule,
    lambda grad, out, df, x: grad * _t_density(df, x),
)
