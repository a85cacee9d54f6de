"""Norms of vectors and matrices; stacks of them in the other axes, as in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.words import conj, keep, power, sum_axes
from tinytorch.operations.arithmetic import set_where
from tinytorch.operations.elementwise import sign
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Axis, axes_of, max_entry, min_entry, reduction
from tinytorch.operations.shape import (
    expand_dims,
)

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


def _norm(x: Any, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    if ord == 0:
        return (x != 0).sum(axis=axis, keepdims=keepdims, dtype=x.real.dtype)
    powers = (x * conj(x)).real if ord == 2 else power(np.abs(x), ord)
    sums = sum_axes(powers, axis, keepdims)
    return np.sqrt(sums) if ord == 2 else sums ** (1 / ord)


def _norm_rule(grad: Any, out: Any, x: Any, axis: Axis, ord: float = 2) -> Any:  # noqa: ARG001
    # The derivative of (sum |x|**p)**(1/p): sign(x) * (|x| / out)**(p - 1).
    if ord == 0:
        return keep(False, grad)
    if ord == 1:
        return grad * conj(sign(x))
    # Where the norm is 0 the slope is set to 0.
    size = set_where(out == 0, np.inf, out)
    if ord == 2:
        return grad * conj(x) / size
    if ord > 2 and ord % 2 == 0 and x.dtype.kind != "c":  # no kink at x = 0
        return grad * power(x / size, ord - 1)
    if ord > 2:
        return grad * conj(sign(x)) * power(np.abs(x) / size, ord - 1)
    # At x = 0 this slope has an infinite one below order 2, and is infinite itself below order 1.
    entry = set_where(x == 0, 1, np.abs(x))
    ratio = (entry / size) ** (ord - 1) if ord > 1 else (out / entry) ** (1 - ord)
    return grad * conj(sign(x)) * ratio


_NORM = reduction(_norm, _norm_rule, "The norm of vectors", "norm")


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Give the norm (sum |x|**ord)**(1/ord), over `axis` or all entries; its slope at 0 is 0.

    Order inf is the largest |x|, -inf the smallest, 0 counts the entries that are not 0.
    Raises ValueError for an order that is no number.
    """
    if isinstance(ord, str):
        raise ValueError(f"norm: the order of vectors is a number, got {ord!r}")  # noqa: TRY004
    if ord == np.inf:
        return max_entry(np.abs(x), axis, keepdims)
    if ord == -np.inf:
        return min_entry(np.abs(x), axis, keepdims)
    return _NORM(x, axis, keepdims, ord=ord)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Give a norm of the matrices in the last two axes.

    "fro": the root of the sum of all squares; "nuc", 2, -2: the sum, the largest, the smallest of
    the singular values; 1, -1: the largest, the smallest column sum of |x|; inf, -inf: row sum.
    Raises ValueError for another order.
    """
    if ord in ("fro", "f", None):
        out = vector_norm(x, axis=(-2, -1))
    elif ord == "nuc":
        out = np.linalg.svdvals(x).sum(axis=-1)
    elif ord in (2, -2, 1, -1, np.inf, -np.inf):
        if abs(ord) == 2:
            sizes = np.linalg.svdvals(x)
        else:
            sizes = np.abs(x).sum(axis=-2 if abs(ord) == 1 else -1)
        out = (np.max if ord > 0 else np.min)(sizes, axis=-1)
    else:
        raise ValueError(
            f'norm: a matrix has the orders "fro", "nuc", 1, -1, 2, -2, inf, -inf, got {ord!r}'
        )
    return expand_dims(out, (-2, -1)) if keepdims else out


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Give the norm of vectors along one axis, or of matrices along two.

    Without an order the root of the sum of all squares, without `axis` of all entries.
    Raises ValueError for more axes than two.
    """
    axes = axes_of(x, axis)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) == 2:
        out = matrix_norm(np.moveaxis(x, axes, (-2, -1)), ord=ord)
        return expand_dims(out, axes) if keepdims else out
    raise ValueError(f"norm: one axis or two have a norm of order {ord!r}, got {len(axes)}")


class Norms:
    """Norms."""

    __slots__ = ()

    @torch_spelling
    def norm(self, p: Any = "fro", axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Give (sum |x|**p)**(1/p), over `axis` or all entries; its slope at 0 is 0.

        "fro" is 2; "nuc" the sum of the singular values of a matrix, which two axes make.
        """
        axes = tuple(axis) if isinstance(axis, list) else axis
        if p == "nuc":
            return norm(self, p, axes_of(self, axes), keepdims)
        return vector_norm(self, axis=axes, keepdims=keepdims, ord=2 if p in ("fro", None) else p)
