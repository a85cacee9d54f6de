"""The operators of recorders, as `x + y` and `x += y`, which do what those of NumPy's arrays do."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.parts import ATOMS, is_array, made, map_parts
from tinytorch.arrays.user_lines import current, refuse

_POWERS = {1: np.positive, -1: np.reciprocal, 0.5: np.sqrt, 2: np.square}
NUMBERS = {float, int, bool}


def plainly(x: Any) -> Any:
    """Give the value that a recorder holds."""
    return x.value if isinstance(x, Operators) else x


def call(
    function: Callable[..., Any], args: Any, kwargs: Any, written: tuple[Any, ...] = ()
) -> Any:
    """Make a call; write it down if this thread is recording."""
    tape = current()
    if tape is not None:
        return tape.call(function, args, kwargs, written)
    values = map_parts(plainly, (args, kwargs))
    return made(function, *values)


def is_number(x: Any) -> bool:
    """Tell the numbers of Python's own, which have no dtype."""
    return type(x) in NUMBERS


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    """Make the method of an operator such as +=; a number of NumPy's becomes a new one."""
    operate = getattr(operator, f"{name}_" if name in ("and", "or") else name)
    numpys = getattr(NDArrayOperatorsMixin, f"__i{name}__")

    def method(x: Any, y: Any) -> Any:
        return numpys(x, y) if is_array(x.value) else operate(x, y)

    return method


def _operator(name: str, ufunc: np.ufunc, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """Make the method of an operator: of two numbers of Python's it is Python's own.

    That rounds otherwise than NumPy here and there, and its result gives way to any dtype.
    """
    own = getattr(operator, f"{name}_" if name in ("and", "or") else name)
    numpys = getattr(NDArrayOperatorsMixin, f"__{'r' if swapped else ''}{name}__")

    def method(x: Any, y: Any) -> Any:
        if type(y) not in ATOMS:
            return numpys(x, y)
        of_numbers = type(x.value) in NUMBERS and is_number(plainly(y))
        return call(own if of_numbers else ufunc, (y, x) if swapped else (x, y), {})

    return method


_power, _power_in_place = _operator("pow", np.power), _in_place("pow")


class Operators(NDArrayOperatorsMixin):
    """What has a `value`, and a `dtype`, and records what is done with it."""

    __slots__ = ()

    value: Any
    dtype: Any

    __add__, __radd__ = _operator("add", np.add), _operator("add", np.add, swapped=True)
    __sub__ = _operator("sub", np.subtract)
    __rsub__ = _operator("sub", np.subtract, swapped=True)
    __mul__, __rmul__ = _operator("mul", np.multiply), _operator("mul", np.multiply, swapped=True)
    __truediv__ = _operator("truediv", np.divide)
    __rtruediv__ = _operator("truediv", np.divide, swapped=True)
    __floordiv__ = _operator("floordiv", np.floor_divide)
    __rfloordiv__ = _operator("floordiv", np.floor_divide, swapped=True)
    __mod__ = _operator("mod", np.remainder)
    __rmod__ = _operator("mod", np.remainder, swapped=True)
    __rpow__ = _operator("pow", np.power, swapped=True)
    __and__, __rand__ = _operator("and", np.bitwise_and), _operator("and", np.bitwise_and, True)
    __or__, __ror__ = _operator("or", np.bitwise_or), _operator("or", np.bitwise_or, True)
    __xor__, __rxor__ = _operator("xor", np.bitwise_xor), _operator("xor", np.bitwise_xor, True)
    __lshift__ = _operator("lshift", np.left_shift)
    __rlshift__ = _operator("lshift", np.left_shift, swapped=True)
    __rshift__ = _operator("rshift", np.right_shift)
    __rrshift__ = _operator("rshift", np.right_shift, swapped=True)
    __lt__, __le__ = _operator("lt", np.less), _operator("le", np.less_equal)
    __gt__, __ge__ = _operator("gt", np.greater), _operator("ge", np.greater_equal)
    __eq__, __ne__ = _operator("eq", np.equal), _operator("ne", np.not_equal)

    def _known_power(self, exponent: Any) -> Any:
        """Give the function of one operand that NumPy's own arrays take for a power."""
        known = type(exponent) in (int, float) and self.dtype.kind == "f"
        return _POWERS.get(exponent) if known and isinstance(self.value, np.ndarray) else None

    def __pow__(self, exponent: Any) -> Any:
        if (ufunc := self._known_power(exponent)) is not None:
            return ufunc(self)
        if type(exponent) in (int, float) and self.dtype.kind in "bc":  # has NumPy's own ways
            return call(operator.pow, (self, exponent), {})
        return _power(self, exponent)

    def __divmod__(self, other: Any) -> Any:
        if is_number(self.value):
            return self // other, self % other
        return super().__divmod__(other)

    def __rdivmod__(self, other: Any) -> Any:
        if is_number(self.value):
            return other // self, other % self
        return super().__rdivmod__(other)

    def __neg__(self) -> Any:
        return call(operator.neg if is_number(self.value) else np.negative, (self,), {})

    def __pos__(self) -> Any:
        return call(operator.pos if is_number(self.value) else np.positive, (self,), {})

    def __invert__(self) -> Any:
        return call(operator.invert if is_number(self.value) else np.invert, (self,), {})

    def __abs__(self) -> Any:
        return call(operator.abs if is_number(self.value) else np.absolute, (self,), {})

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None or is_number(self.value):
            refuse("round() takes a value out of the program", "np.round(x) keeps it")
        rounded: Any = np.round(self, digits)  # type: ignore[call-overload]
        return rounded

    __iadd__, __isub__ = _in_place("add"), _in_place("sub")
    __imul__, __itruediv__ = _in_place("mul"), _in_place("truediv")
    __ifloordiv__, __imod__ = _in_place("floordiv"), _in_place("mod")
    __iand__, __ior__, __ixor__ = _in_place("and"), _in_place("or"), _in_place("xor")
    __ilshift__, __irshift__ = _in_place("lshift"), _in_place("rshift")

    def __ipow__(self, exponent: Any) -> Any:
        if (ufunc := self._known_power(exponent)) is not None:
            return ufunc(self, out=(self,))
        return _power_in_place(self, exponent)

    def __imatmul__(self, other: Any) -> Any:
        matmul: Any = np.matmul
        return matmul(self, other, axes=[(-2, -1)] * 3, out=(self,))  # as NumPy's does
