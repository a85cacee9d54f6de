"""Arithmetic: `+ - * / **`, with the names that NumPy and PyTorch give them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinytorch.arrays.words import keep
from tinytorch.engine import Node
from tinytorch.operations.operation import binary, parametric, reflected, unary
from tinytorch.operations.protocols import numpy_functions


def _base_rule(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    # y * x**(y - 1), but with the exponent 0 instead of -1 where it would be 0 * 0**-1.
    if isinstance(y, int | float) and y:
        return grad * (y * x ** (y - 1))
    return grad * (y * x ** np.where((x == 0) & (y == 0), 0, y - 1))


def _exponent_rule(grad: Any, out: Any, x: Any, y: Any) -> Any:
    # 0**y is 0 for all y > 0: there the slope is 0, not 0 * log(0).
    return grad * out * np.log(np.where((x == 0) & (y >= 0), 1, x))


def floating(dtype: Any) -> np.dtype[Any]:
    """Read a floating dtype. Raises TypeError for another one."""
    kind: np.dtype[Any] = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"a tensor holds real numbers: expected a floating dtype, got {kind}")
    return kind


class Arithmetic(Node):
    """The operators, entry by entry; the operands broadcast."""

    __slots__ = ()

    __add__ = add = binary(
        np.add,
        lambda grad, out, x, y: grad,
        lambda grad, out, x, y: grad,
        "x + y",
        symbol="+",
    )
    __sub__ = sub = subtract = binary(
        np.subtract,
        lambda grad, out, x, y: grad,
        lambda grad, out, x, y: -grad,
        "x - y",
        symbol="-",
    )
    __mul__ = mul = multiply = binary(
        np.multiply,
        lambda grad, out, x, y: grad * y,
        lambda grad, out, x, y: grad * x,
        "x * y",
        symbol="*",
    )
    __truediv__ = div = divide = true_divide = binary(
        np.divide,
        lambda grad, out, x, y: grad / y,
        lambda grad, out, x, y: -grad * out / y,
        "x / y",
        symbol="/",
    )
    # The operator knows faster ways to square and to take roots than np.power.
    __pow__ = pow = power = binary(
        operator.pow, _base_rule, _exponent_rule, "x to the power y", name="power", symbol="**"
    )
    float_power = binary(
        np.float_power, _base_rule, _exponent_rule, "x to the power y, in float64 at least"
    )
    __mod__ = mod = remainder = binary(
        np.remainder,
        lambda grad, out, x, y: grad,
        lambda grad, out, x, y: -grad * np.floor_divide(x, y),
        "x - y * floor(x / y), with the sign of y",
        symbol="%",
    )
    fmod = binary(
        np.fmod,
        lambda grad, out, x, y: grad,
        lambda grad, out, x, y: -grad * np.trunc(x / y),
        "x - y * trunc(x / y), with the sign of x",
    )
    __floordiv__ = floor_divide = binary(
        np.floor_divide,
        lambda grad, out, x, y: keep(False, grad),
        lambda grad, out, x, y: keep(False, grad),
        "floor(x / y), whose slope is 0",
        symbol="//",
    )
    __neg__ = neg = negative = unary(np.negative, lambda grad, out, x: -grad, "-x")
    __pos__ = positive = unary(np.positive, lambda grad, out, x: grad, "+x")
    clone = copy = unary(
        lambda x: x.copy(),
        lambda grad, out, x: grad,
        "A copy of x that passes gradients on",
        "copy",
    )

    __radd__ = reflected(__add__)
    __rsub__ = reflected(__sub__)
    __rmul__ = reflected(__mul__)
    __rtruediv__ = reflected(__truediv__)
    __rpow__ = reflected(__pow__)
    __rmod__ = reflected(__mod__)
    __rfloordiv__ = reflected(__floordiv__)

    astype = to = parametric(
        lambda x, dtype: x.astype(floating(dtype)),
        lambda grad, out, x, dtype: grad,
        "x in another floating dtype; its gradient comes back in x's own",
        name="astype",
    )


numpy_functions[np.power] = Arithmetic.power
numpy_functions[np.copy] = Arithmetic.clone
