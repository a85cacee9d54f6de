"""Functions of calculus, entry by entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.plain import base
from tinytorch.arrays.words import choose, conj, half_as_single, keep, logaddexp
from tinytorch.engine import Node
from tinytorch.operations.arithmetic import Arithmetic, set_where
from tinytorch.operations.notation import binary, parametric, unary
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements, numpy_functions

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_LN2 = float(np.log(2))
_LN10 = float(np.log(10))
_ERF_SLOPE = float(2 / np.sqrt(np.pi))


def _flat(grad: Any, out: Any, *operands: Any) -> Any:  # noqa: ARG001
    """Be the rule of a step function, whose slope is 0 wherever it has one."""
    return keep(False, grad)


def sign(x: Any) -> Any:
    """Give the sign of x as PyTorch does: 0 of nan."""
    return np.sign(keep(x == x, x))  # noqa: PLR0124


def _sign_rule(grad: Any, out: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return _flat(grad, out)
    along = (grad * out).real  # as x grows, nothing changes
    return (grad - along * conj(out)) / set_where(x == 0, np.inf, np.abs(x))


_SINC_SLOPE = Operation("sinc_slope")
_CLIP = Operation(
    "clip",
    rules=(
        lambda grad, out, x, low, high: keep((x >= low) & (x <= high), grad),
        lambda grad, out, x, low, high: keep((x < low) & (low < high), grad),
        lambda grad, out, x, low, high: keep((x > high) | (low > high), grad),
    ),
)


@defines(_SINC_SLOPE)
def _sinc_slope(x: Any, n: int = 1) -> Any:
    """Give the `n`-th derivative of sinc, whose rule is the next one: right to any order."""
    return apply(
        _SINC_SLOPE,
        half_as_single(lambda x: _sinc_derivative(x, n)),
        (lambda grad, out, x: grad * _sinc_slope(x, n + 1),),
        x,
    )


def _sinc_derivative(x: Any, n: int) -> Any:
    """Compute the `n`-th derivative of sin(z) / z at z = pi x, times pi**n.

    From z f(z) = sin(z) follows z f_n(z) + n f_(n-1)(z) = sin_n(z). Near 0, where that divides by
    little, the Taylor series gives the sum of (-1)**k z**(2k - n) / ((2k + 1) (2k - n)!).
    """
    z = np.pi * x
    near = np.abs(z) < 1 + n / math.e
    far = np.where(near, 1 + n, z)
    sine, cosine = np.sin(far), np.cos(far)
    slope = sine / far
    for k in range(1, n + 1):
        slope = ((sine, cosine, -sine, -cosine)[k % 4] - k * slope) / far
    z = np.where(near, z, 0)
    square, series = z * z, 0
    first = (n + 1) // 2
    for k in reversed(range(first, first + n + 12)):
        series = series * square + (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - n))
    return np.pi**n * np.where(near, series * z if n % 2 else series, slope)


def _square_distance(x: Any, y: Any) -> Any:
    square = x * x + y * y
    return set_where(square == 0, np.inf, square)  # for a slope of 0 at the origin


def _erf(x: Any) -> Any:
    erf = kind_of(x).scipy("special", "erf")
    # In float16 SciPy gives float64, and it knows no longdouble.
    return erf(x.astype(np.float64) if x.dtype.char == "g" else x).astype(x.dtype)


def _xlogy(x: Any, y: Any) -> Any:
    # Where x is 0, x + 1 is the 1 whose logarithm is 0, in the dtype of x. A nan in y stays nan.
    return x * np.log(np.where((x == 0) & (y == y), x + 1, y))  # noqa: PLR0124


def _root_of_square_less_one(x: Any) -> Any:
    if x.dtype.kind == "c":  # where the root of the product would have the other sign on the left
        return np.sqrt(x - 1) * np.sqrt(x + 1)
    return np.sqrt(x * x - 1)


class Elementwise(Arithmetic):
    """Functions of each entry."""

    __slots__ = ()

    exp = unary(np.exp, lambda grad, out, x: grad * out, "e to the power x")
    exp2 = unary(np.exp2, lambda grad, out, x: grad * out * _LN2, "2 to the power x")
    expm1 = unary(np.expm1, lambda grad, out, x: grad * (out + 1), "exp(x) - 1, exact near 0")
    log = unary(np.log, lambda grad, out, x: grad / x, "The natural logarithm of x")
    log2 = unary(np.log2, lambda grad, out, x: grad / (x * _LN2), "The logarithm of x to base 2")
    log10 = unary(
        np.log10, lambda grad, out, x: grad / (x * _LN10), "The logarithm of x to base 10"
    )
    log1p = unary(np.log1p, lambda grad, out, x: grad / (1 + x), "log(1 + x), exact near 0")
    sqrt = unary(np.sqrt, lambda grad, out, x: grad / (2 * out), "The square root of x")
    cbrt = unary(np.cbrt, lambda grad, out, x: grad / (3 * out * out), "The cube root of x")
    rsqrt = unary(
        lambda x: 1 / np.sqrt(x), lambda grad, out, x: -grad * out / (2 * x), "1 / sqrt(x)", "rsqrt"
    )
    square = unary(np.square, lambda grad, out, x: 2 * grad * x, "x * x")
    reciprocal = unary(np.reciprocal, lambda grad, out, x: -grad * out * out, "1 / x")

    __abs__ = abs = absolute = unary(
        np.absolute,
        lambda grad, out, x: grad * conj(sign(x)),
        "The absolute value of x",
    )
    sign = sgn = unary(
        np.sign, _sign_rule, "x / |x| and 0 at 0: -1, 0 or 1, as x is negative, zero or positive"
    )
    floor = unary(np.floor, _flat, "The largest integer that is not above x")
    ceil = unary(np.ceil, _flat, "The smallest integer that is not below x")
    trunc = fix = unary(np.trunc, _flat, "x without its fractional part")
    rint = unary(np.rint, _flat, "The nearest integer; halves go to the even one")
    round = parametric(
        np.round,
        lambda grad, out, x, decimals=0: keep(False, grad),
        "x to `decimals` places; halves go to the even neighbour",
    )

    sin = unary(np.sin, lambda grad, out, x: grad * np.cos(x), "The sine of x (radians)")
    cos = unary(np.cos, lambda grad, out, x: -grad * np.sin(x), "The cosine of x (radians)")
    tan = unary(np.tan, lambda grad, out, x: grad * (1 + out * out), "The tangent of x (radians)")
    arcsin = asin = unary(
        np.arcsin, lambda grad, out, x: grad / np.sqrt(1 - x * x), "The angle whose sine is x"
    )
    arccos = acos = unary(
        np.arccos, lambda grad, out, x: -grad / np.sqrt(1 - x * x), "The angle whose cosine is x"
    )
    arctan = atan = unary(
        np.arctan, lambda grad, out, x: grad / (1 + x * x), "The angle whose tangent is x"
    )
    sinh = unary(np.sinh, lambda grad, out, x: grad * np.cosh(x), "(exp(x) - exp(-x)) / 2")
    cosh = unary(np.cosh, lambda grad, out, x: grad * np.sinh(x), "(exp(x) + exp(-x)) / 2")
    tanh = unary(np.tanh, lambda grad, out, x: grad * (1 - out * out), "sinh(x) / cosh(x)")
    arcsinh = asinh = unary(
        np.arcsinh, lambda grad, out, x: grad / np.sqrt(x * x + 1), "The inverse of sinh"
    )
    arccosh = acosh = unary(
        np.arccosh,
        lambda grad, out, x: grad / _root_of_square_less_one(x),
        "The inverse of cosh, x >= 1",
    )
    arctanh = atanh = unary(
        np.arctanh, lambda grad, out, x: grad / (1 - x * x), "The inverse of tanh, |x| < 1"
    )
    sinc = unary(
        np.sinc,
        lambda grad, out, x: grad * _sinc_slope(x),
        "sin(pi x) / (pi x), and 1 at 0",
    )
    deg2rad = radians = unary(
        np.deg2rad, lambda grad, out, x: grad * (np.pi / 180), "Degrees in radians"
    )
    rad2deg = degrees = unary(
        np.rad2deg, lambda grad, out, x: grad * (180 / np.pi), "Radians in degrees"
    )
    erf = unary(
        _erf,
        lambda grad, out, x: grad * _ERF_SLOPE * np.exp(-x * x),
        "2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x; needs SciPy",
        "erf",
    )

    arctan2 = atan2 = binary(
        np.arctan2,
        lambda grad, out, x, y: grad * y / _square_distance(x, y),
        lambda grad, out, x, y: -grad * x / _square_distance(x, y),
        "The angle of the point whose ordinate is x and whose abscissa is y",
    )
    hypot = binary(
        np.hypot,
        lambda grad, out, x, y: grad * x / out,
        lambda grad, out, x, y: grad * y / out,
        "sqrt(x**2 + y**2), without overflow",
    )
    logaddexp = binary(
        logaddexp,
        # Not exp(x - out), since in a large out the digits that matter are rounded away.
        lambda grad, out, x, y: grad * Operation.SIGMOID(x - y),
        lambda grad, out, x, y: grad * Operation.SIGMOID(y - x),
        "log(exp(x) + exp(y)), without overflow",
    )
    logaddexp2 = binary(
        np.logaddexp2,
        lambda grad, out, x, y: grad * Operation.SIGMOID((x - y) * _LN2),
        lambda grad, out, x, y: grad * Operation.SIGMOID((y - x) * _LN2),
        "log2(2**x + 2**y), without overflow",
    )
    xlogy = binary(
        _xlogy,
        lambda grad, out, x, y: grad * np.log(set_where((x == 0) & (y <= 0), 1, y)),
        lambda grad, out, x, y: grad * x / y,
        "x * log(y), and 0 where x is 0",
        "xlogy",
    )
    copysign = binary(
        np.copysign,
        lambda grad, out, x, y: grad * np.sign(x) * np.copysign(1, y),
        _flat,
        "The magnitude of x with the sign of y",
    )
    # Where both are the extreme one, each gets half. A nan that comes of either is both's.
    maximum = binary(
        np.maximum,
        lambda grad, out, x, y: keep(np.logical_not(x < y), grad) - keep(x == y, grad / 2),
        lambda grad, out, x, y: keep(np.logical_not(y < x), grad) - keep(x == y, grad / 2),
        "The larger of x and y; nan if either is",
    )
    minimum = binary(
        np.minimum,
        lambda grad, out, x, y: keep(np.logical_not(x > y), grad) - keep(x == y, grad / 2),
        lambda grad, out, x, y: keep(np.logical_not(y > x), grad) - keep(x == y, grad / 2),
        "The smaller of x and y; nan if either is",
    )
    # Of these two, x is the one that is taken where they are equal, or both nan.
    fmax = binary(
        np.fmax,
        lambda grad, out, x, y: keep((x >= y) | np.isnan(y), grad),
        lambda grad, out, x, y: keep(np.logical_not((x >= y) | np.isnan(y)), grad),
        "The larger of x and y; a nan gives way",
    )
    fmin = binary(
        np.fmin,
        lambda grad, out, x, y: keep((x <= y) | np.isnan(y), grad),
        lambda grad, out, x, y: keep(np.logical_not((x <= y) | np.isnan(y)), grad),
        "The smaller of x and y; a nan gives way",
    )
    nan_to_num = parametric(
        lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(
            x, nan=nan, posinf=posinf, neginf=neginf
        ),
        lambda grad, out, x, nan=0.0, posinf=None, neginf=None: keep(np.isfinite(x), grad),
        "x with `nan`, `posinf` and `neginf` in place of what is not finite",
        "nan_to_num",
    )

    @defines(_CLIP)
    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit x to `min` <= x <= `max`; either may be None. The bounds get gradients too.

        Where `max` is below `min`, the result is `max`.
        """
        low = -np.inf if min is None else min
        high = np.inf if max is None else max
        return apply(_CLIP, np.clip, _CLIP.rules, self, low, high)

    clamp = clip

    def lerp(self, end: Any, weight: Any) -> Tensor:
        """Interpolate linearly: x + weight * (end - x)."""
        return self.sub((self - end) * weight)

    def where(self, condition: Any, other: Any) -> Tensor:
        """Take x where `condition` holds, else `other`."""
        return where(condition, self, other)


_WHERE = Operation("where")


@defines(_WHERE)
def where(condition: Any, x: Any, y: Any) -> Tensor:
    """Take x where `condition` holds, else y; the three broadcast."""
    mask = condition._value if isinstance(condition, Node) else base(condition)
    if not hasattr(mask, "__array_function__"):
        mask = np.asarray(mask)
    mask = mask.astype(bool)
    return apply(
        _WHERE,
        lambda x, y: choose(mask, x, y),
        (
            lambda grad, out, x, y: keep(mask, grad),
            lambda grad, out, x, y: keep(np.logical_not(mask), grad),
        ),
        x,
        y,
    )


@implements(np.where)
def _where(condition: Any, /, *choices: Any) -> Any:
    """Take the first choice where `condition` holds, else the second; the three broadcast."""
    # Of the condition alone, NumPy gives the indices.
    return where(condition, *choices) if choices else np.nonzero(condition)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Take each entry from the first choice whose condition holds there, else from `default`.

    Raises ValueError unless there are as many conditions as choices.
    """
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    out = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        out = where(condition, choice, out)
    return out


@implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit a to `a_min` <= a <= `a_max`, or `min` and `max`; the bounds get gradients too."""
    return Elementwise.clip(a, a_min if min is None else min, a_max if max is None else max)


@implements(np.nan_to_num)
def _nan_to_num(
    x: Any,
    copy: bool = True,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Put `nan`, `posinf` and `neginf` in place of what is not finite."""
    if not copy:
        raise TypeError(
            "np.nan_to_num: copy=False writes into an array behind the graph's back: use the result"
        )
    return Elementwise.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


numpy_functions[np.fabs] = Elementwise.absolute
numpy_functions[np.logaddexp] = Elementwise.logaddexp
numpy_functions[np.fix] = Elementwise.trunc
numpy_functions[np.around] = Elementwise.round
numpy_functions[np.radians] = Elementwise.deg2rad
numpy_functions[np.degrees] = Elementwise.rad2deg
