"""Arithmetic: `+ - * / **`, with the names that NumPy and PyTorch give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import NUMBERS
from tinytorch.arrays.words import keep, power
from tinytorch.engine import Node
from tinytorch.operations.notation import binary, parametric, reflected, unary
from tinytorch.operations.operands import as_dtype
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import numpy_functions

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_SET_WHERE = Operation("set_where")


@defines(_SET_WHERE)
def set_where(condition: Any, value: float, x: Any) -> Any:
    """Give np.where(condition, value, x), for a slope that is set where it does not exist.

    The derivative of a slope that does not exist does not exist either: there it is nan.
    """
    return apply(
        _SET_WHERE,
        lambda x: np.where(condition, value, x),
        (lambda grad, out, x: np.where(condition, np.nan, grad),),
        x,
    )


def _log(x: Any, flat: Any, y: Any) -> Any:
    """Give the log of x, of 1 where x is `flat`: a complex one of negative x for complex y."""
    x = np.where(flat, 1, x)
    return np.log(x + 0j if y.dtype.kind == "c" else x)


_POWER_LOG = Operation("power_log")


@defines(_POWER_LOG)
def _power_log(x: Any, y: Any, k: int) -> Any:
    """Give x**y * log(x)**k, of which all derivatives of x**y are made; 0 for x = 0 and y > 0."""

    def value(x: Any, y: Any) -> Any:
        powers = power(x, y)
        return powers * _log(x, (x == 0) & (y.real > 0), y) ** k if k else powers

    def by_x(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
        less = _one_less(x, y)
        slope = y * _power_log(x, less, k)
        return grad * (slope + k * _power_log(x, less, k - 1) if k else slope)

    def by_y(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
        return grad * _power_log(x, y, k + 1)

    return apply(_POWER_LOG, value, (by_x, by_y), x, y)


def _one_less(x: Any, y: Any) -> Any:
    # The exponent 0 instead of -1 where the slope y * x**(y - 1) would be 0 * 0**-1.
    return set_where((y == 0) & np.logical_not(np.abs(x) > 0), 0, y - 1)  # x is 0, or nan


def _base_rule(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    if type(y) is np.ndarray and not y.shape:
        y = y.item()
    if type(y) in NUMBERS and y:
        return grad * (y * (x if y == 2 else power(x, y - 1)))
    return grad * (y * _power_log(x, _one_less(x, y), 0))


def _exponent_rule(grad: Any, out: Any, x: Any, y: Any) -> Any:
    # 0**y is 0 for all y > 0: there the slope is 0, not 0 * log(0). At y = 0 it is set to 0 too.
    if isinstance(out, Node):
        return grad * _power_log(x, set_where((x == 0) & (y == 0), 1, y), 1)
    return grad * out * _log(x, (x == 0) & (y.real >= 0), y)


def _scaled(other: Any, alpha: float) -> Any:
    if alpha == 1:
        return other
    return (np.asarray(other) if isinstance(other, list | tuple) else other) * alpha


def floating(dtype: Any) -> np.dtype[Any]:
    """Read a floating or complex dtype. Raises TypeError for another one."""
    # NumPy's own dtype of that type, since some of its fast ways know no equal one.
    kind: np.dtype[Any] = np.dtype(as_dtype(dtype).type)
    if kind.kind not in "fc":
        raise TypeError(f"a tensor has a floating or complex dtype, got {kind}")
    return kind


class Arithmetic:
    """The operators, entry by entry; the operands broadcast."""

    __slots__ = ()

    __add__ = binary(
        np.add,
        lambda grad, out, x, y: grad,
        lambda grad, out, x, y: grad,
        "x + y",
        symbol="+",
    )
    __sub__ = binary(
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
    __truediv__ = true_divide = binary(
        np.divide,
        lambda grad, out, x, y: grad / y,
        lambda grad, out, x, y: -grad * out / y,
        "x / y",
        symbol="/",
    )
    # It knows faster ways to whole powers and to roots than np.power.
    __pow__ = pow = power = binary(
        power, _base_rule, _exponent_rule, "x to the power y", name="power", symbol="**"
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

    def add(self: Any, other: Any, *, alpha: float = 1) -> Tensor:
        """Give x + alpha * other."""
        total: Tensor = self + _scaled(other, alpha)
        return total

    def sub(self: Any, other: Any, *, alpha: float = 1) -> Tensor:
        """Give x - alpha * other."""
        difference: Tensor = self - _scaled(other, alpha)
        return difference

    subtract = sub

    def div(self: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Give x / other, rounded with "floor", or with "trunc" towards 0."""
        if rounding_mode not in {None, "floor", "trunc"}:
            raise ValueError(
                f'div: rounding_mode is None, "floor" or "trunc", got {rounding_mode!r}'
            )
        quotient: Tensor = self // other if rounding_mode == "floor" else self / other
        return quotient.trunc() if rounding_mode == "trunc" else quotient

    divide = div

    __radd__ = reflected(__add__)
    __rsub__ = reflected(__sub__)
    __rmul__ = reflected(__mul__)
    __rtruediv__ = reflected(__truediv__)
    __rpow__ = reflected(__pow__)
    __rmod__ = reflected(__mod__)
    __rfloordiv__ = reflected(__floordiv__)

    def __divmod__(self: Any, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    astype = parametric(
        lambda x, dtype: x.astype(floating(dtype)),
        lambda grad, out, x, dtype: grad,
        "x in another floating dtype; its gradient comes back in x's own",
        name="astype",
    )


numpy_functions[np.power] = Arithmetic.power
numpy_functions[np.copy] = Arithmetic.clone
