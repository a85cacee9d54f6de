"""SciPy's special functions, entry by entry: `scipy.special.gammaln(x)` of a tensor.

SciPy is not imported: where a program calls one of its functions with a tensor, it is there. The
derivatives are those of M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.engine import Rule
from tinytorch.operations.elementwise import Elementwise
from tinytorch.operations.notation import binary, unary
from tinytorch.operations.operation import Operation
from tinytorch.operations.protocols import numpy_functions

_ROOT_PI, _ROOT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)

# What is called by the name of SciPy's function.
special_functions: dict[str, Callable[..., Any]] = {
    name: getattr(Elementwise, name) for name in ("cbrt", "erf", "exp2", "expm1", "log1p", "xlogy")
}


def values_of(name: str) -> Callable[..., Any]:
    """Give SciPy's function of that name, of arrays of any kind."""

    def function(*arrays: Any) -> Any:
        value = kind_of(*arrays).scipy("special", name)(*arrays)
        # SciPy computes float16 in float32.
        dtype = np.result_type(*(getattr(x, "dtype", x) for x in arrays))
        return value if value.dtype == dtype else value.astype(dtype)

    return function


def _row(name: str, doc: str, *rules: Rule) -> Operation:
    """Write down SciPy's function of that name, with a rule for each of its one or two inputs."""
    write: Callable[..., Any] = unary if len(rules) == 1 else binary
    special_functions[name] = write(values_of(name), *rules, doc=doc, name=name)
    return Operation[name.upper()]


def _no_rule(grad: Any, out: Any, order: Any, x: Any) -> Any:  # noqa: ARG001
    raise TypeError("the derivative by the order of a special function is not known here")


def find(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """Give what a tensor does when it meets SciPy's `ufunc`, or None if that has no rule."""
    name = ufunc.__name__
    modules = [sys.modules.get(f"scipy.special{part}") for part in ("", "._ufuncs")]
    method = special_functions.get(name.lstrip("_"))
    if method is None or all(getattr(module, name, None) is not ufunc for module in modules):
        return None
    numpy_functions[ufunc] = method
    return method


# --- the error function and the normal distribution -----------------------------------------------

_row("erfc", "1 - erf(x)", lambda grad, out, x: -grad * (2 / _ROOT_PI) * np.exp(-x * x))
_row("erfcx", "exp(x**2) * erfc(x)", lambda grad, out, x: grad * (2 * x * out - 2 / _ROOT_PI))
_row("erfinv", "The inverse of erf", lambda grad, out, x: grad * (_ROOT_PI / 2) * np.exp(out * out))
_row(
    "erfcinv",
    "The inverse of erfc",
    lambda grad, out, x: -grad * (_ROOT_PI / 2) * np.exp(out * out),
)
_row("erfi", "-i * erf(i * x)", lambda grad, out, x: grad * (2 / _ROOT_PI) * np.exp(x * x))
_row("dawsn", "exp(-x**2) * erfi(x) * sqrt(pi) / 2", lambda grad, out, x: grad * (1 - 2 * x * out))
_row(
    "ndtr",
    "The probability that a standard normal variable is below x",
    lambda grad, out, x: grad * np.exp(-x * x / 2) / _ROOT_2PI,
)
_row(
    "log_ndtr",
    "The logarithm of ndtr(x)",
    lambda grad, out, x: grad * np.exp(-x * x / 2 - out) / _ROOT_2PI,
)
_row("ndtri", "The inverse of ndtr", lambda grad, out, x: grad * _ROOT_2PI * np.exp(out * out / 2))

# --- logistic functions and entropies -------------------------------------------------------------

expit: Operation = _row("expit", "1 / (1 + exp(-x))", lambda grad, out, x: grad * out * (1 - out))
_row("logit", "log(x / (1 - x))", lambda grad, out, x: grad / (x * (1 - x)))
_row("log_expit", "The logarithm of expit(x)", lambda grad, out, x: grad * expit(-x))
_row("entr", "-x * log(x)", lambda grad, out, x: -grad * (np.log(x) + 1))
_row(
    "xlog1py",
    "x * log1p(y), and 0 where x is 0",
    lambda grad, out, x, y: grad * np.log1p(y),
    lambda grad, out, x, y: grad * x / (1 + y),
)
_row(
    "rel_entr",
    "x * log(x / y)",
    lambda grad, out, x, y: grad * (np.log(x / y) + 1),
    lambda grad, out, x, y: -grad * x / y,
)
_row(
    "kl_div",
    "x * log(x / y) - x + y",
    lambda grad, out, x, y: grad * np.log(x / y),
    lambda grad, out, x, y: grad * (1 - x / y),
)
_row("expi", "The integral of exp(t) / t up to x", lambda grad, out, x: grad * np.exp(x) / x)
_row("exp1", "The integral of exp(-t) / t from x", lambda grad, out, x: -grad * np.exp(-x) / x)
_row("exp10", "10 to the power x", lambda grad, out, x: grad * out * math.log(10))
_row("cosm1", "cos(x) - 1, exact near 0", lambda grad, out, x: -grad * np.sin(x))

# --- gamma and beta -------------------------------------------------------------------------------

zeta: Operation = _row(
    "zeta",
    "Hurwitz's zeta function: the sum of (k + x)**-order over k = 0, 1, 2, ...",
    _no_rule,
    lambda grad, out, order, x: -grad * order * zeta(order + 1, x),
)
psi: Operation = _row("psi", "The derivative of gammaln", lambda grad, out, x: grad * zeta(2.0, x))
_row("gamma", "The gamma function", lambda grad, out, x: grad * out * psi(x))
_row("rgamma", "1 / gamma(x)", lambda grad, out, x: -grad * out * psi(x))
_row("gammaln", "The logarithm of |gamma(x)|", lambda grad, out, x: grad * psi(x))
_row(
    "poch",
    "gamma(x + y) / gamma(x)",
    lambda grad, out, x, y: grad * out * (psi(x + y) - psi(x)),
    lambda grad, out, x, y: grad * out * psi(x + y),
)
_row(
    "beta",
    "gamma(x) * gamma(y) / gamma(x + y)",
    lambda grad, out, x, y: grad * out * (psi(x) - psi(x + y)),
    lambda grad, out, x, y: grad * out * (psi(y) - psi(x + y)),
)
_row(
    "betaln",
    "The logarithm of |beta(x, y)|",
    lambda grad, out, x, y: grad * (psi(x) - psi(x + y)),
    lambda grad, out, x, y: grad * (psi(y) - psi(x + y)),
)

# --- Bessel's functions ---------------------------------------------------------------------------

jv: Operation = _row(
    "jv",
    "Bessel's function of the first kind, of an order",
    _no_rule,
    lambda grad, out, order, x: grad * (jv(order - 1, x) - jv(order + 1, x)) / 2,
)
yv: Operation = _row(
    "yv",
    "Bessel's function of the second kind, of an order",
    _no_rule,
    lambda grad, out, order, x: grad * (yv(order - 1, x) - yv(order + 1, x)) / 2,
)
iv: Operation = _row(
    "iv",
    "The modified function of the first kind, of an order",
    _no_rule,
    lambda grad, out, order, x: grad * (iv(order - 1, x) + iv(order + 1, x)) / 2,
)
kv: Operation = _row(
    "kv",
    "The modified function of the second kind, of an order",
    _no_rule,
    lambda grad, out, order, x: -grad * (kv(order - 1, x) + kv(order + 1, x)) / 2,
)
ive: Operation = _row(
    "ive",
    "iv(order, x) * exp(-|x|)",
    _no_rule,
    lambda grad, out, order, x: (
        grad * (ive(order - 1, x) + ive(order + 1, x)) / 2 - (grad * out).real * np.sign(x.real)
    ),
)
kve: Operation = _row(
    "kve",
    "kv(order, x) * exp(x)",
    _no_rule,
    lambda grad, out, order, x: grad * (out - (kve(order - 1, x) + kve(order + 1, x)) / 2),
)
_row("j0", "jv(0, x)", lambda grad, out, x: -grad * jv(1.0, x))
_row("j1", "jv(1, x)", lambda grad, out, x: grad * (jv(0.0, x) - jv(2.0, x)) / 2)
_row("y0", "yv(0, x)", lambda grad, out, x: -grad * yv(1.0, x))
_row("y1", "yv(1, x)", lambda grad, out, x: grad * (yv(0.0, x) - yv(2.0, x)) / 2)
_row("i0", "iv(0, x)", lambda grad, out, x: grad * iv(1.0, x))
_row("i1", "iv(1, x)", lambda grad, out, x: grad * (iv(0.0, x) + iv(2.0, x)) / 2)
_row("i0e", "ive(0, x)", lambda grad, out, x: grad * (ive(1.0, x) - np.sign(x) * out))
_row(
    "i1e",
    "ive(1, x)",
    lambda grad, out, x: grad * ((ive(0.0, x) + ive(2.0, x)) / 2 - np.sign(x) * out),
)
_row("k0", "kv(0, x)", lambda grad, out, x: -grad * kv(1.0, x))
_row("k1", "kv(1, x)", lambda grad, out, x: -grad * (kv(0.0, x) + kv(2.0, x)) / 2)
_row("k0e", "kve(0, x)", lambda grad, out, x: grad * (out - kve(1.0, x)))
_row("k1e", "kve(1, x)", lambda grad, out, x: grad * (out - (kve(0.0, x) + kve(2.0, x)) / 2))
