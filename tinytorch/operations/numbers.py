"""NumPy's functions of the parts of a number, and of tensors that act as matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.words import keep
from tinytorch.engine import Node
from tinytorch.operations.elementwise import Elementwise
from tinytorch.operations.notation import binary, unary
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.samples import as_operand
from tinytorch.operations.special import special_functions

heaviside = binary(
    np.heaviside,
    lambda grad, out, x, y: keep(False, grad),
    lambda grad, out, x, y: keep(x == 0, grad),
    "0 where x is negative, y where it is 0, and 1 where it is positive",
)
spacing = unary(
    np.spacing, lambda grad, out, x: keep(False, grad), "The distance to the next number"
)
nextafter = binary(
    np.nextafter,
    lambda grad, out, x, y: keep(x != y, grad),
    lambda grad, out, x, y: keep(False, grad),
    "The next number to x in the direction of y",
)
numpy_functions[np.i0] = special_functions["i0"]


@implements(np.ldexp)
def ldexp(x1: Any, x2: Any) -> Any:
    """Give x1 * 2**x2."""
    if isinstance(x2, Node):
        return x1 * Elementwise.exp2(x2)
    return x1 * np.ldexp(np.ones((), x1.dtype), x2)


@implements(np.frexp)
def frexp(x: Any) -> tuple[Any, Any]:
    """Give m and whole n of which x = m * 2**n, where |m| is at least 1/2 and below 1."""
    exponent = np.frexp(x._value)[1]
    return x * np.ldexp(np.ones_like(x._value), -exponent), exponent


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    """Give x without its whole part, and the whole part."""
    whole = Elementwise.trunc(x)
    return x - whole, whole


@implements(np.divmod)
def _divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """Give x // y and x % y."""
    return np.floor_divide(x, y), np.mod(x, y)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """Give the inverse of a tensor as a map from its last axes to the first `ind`."""
    if ind < 1:
        raise ValueError(f"tensorinv: ind is at least 1, got {ind}")
    rows, columns = a.shape[:ind], a.shape[ind:]
    return np.linalg.inv(a.reshape(-1, math.prod(columns))).reshape(columns + rows)


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Give the x of which tensordot(a, x, x.ndim) is b; `axes` of a go to the end first."""
    a, b = as_operand(a), as_operand(b)
    if axes is not None:
        axes = [i % a.ndim for i in axes]
        a = np.transpose(a, [i for i in range(a.ndim) if i not in axes] + axes)
    shape = a.shape[b.ndim :]
    return np.linalg.solve(a.reshape(b.size, math.prod(shape)), b.reshape(-1)).reshape(shape)
