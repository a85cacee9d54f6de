"""Products of vectors and matrices; stacks of matrices in the leading axes, as in NumPy.

The functions have NumPy's signatures and answer for NumPy's functions; `Products` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import kind_of, own
from tinytorch.arrays.words import conj, matmul, rows
from tinytorch.engine import Array, Rule
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.diagonals import diagonal
from tinytorch.operations.einsum import tensordot
from tinytorch.operations.elementwise import where
from tinytorch.operations.notation import binary, reflected
from tinytorch.operations.operands import alike
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Reductions
from tinytorch.operations.shape import matrix_transpose, moveaxis, reshape
from tinytorch.operations.sums_of_products import scaled_sum

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

# --- the matrix product ---------------------------------------------------------------------------


def _matmul_rule_x(grad: Any, out: Any, x: Any, y: Any, b: Any = 0) -> Any:  # noqa: ARG001
    if y.ndim == 1:
        return grad[..., None] * y
    if x.ndim == 1:
        grad = grad[..., None, :]
    return matmul(grad, y.swapaxes(-1, -2))


def _matmul_rule_y(grad: Any, out: Any, x: Any, y: Any, b: Any = 0) -> Any:  # noqa: ARG001
    if x.ndim == 1:
        return x * grad if y.ndim == 1 else x[:, None] * grad[..., None, :]
    if y.ndim == 1:
        return grad[..., None, :] @ x
    if x.ndim > 2 and y.ndim == 2:
        x, grad = rows(x), rows(grad)
    return matmul(x.swapaxes(-1, -2), grad)


def _addmm(x: Any, y: Any, b: Any) -> Any:
    out = matmul(x, y)
    if type(out) is type(b) is np.ndarray and b.shape == out.shape[-1:] and b.dtype == out.dtype:
        return np.add(out, b, out)  # memory that is new takes longer than the sum
    return out + b


_ADDMM = Operation(
    "addmm",
    "□ @ □ + □",
    rules=(
        _matmul_rule_x,
        _matmul_rule_y,
        lambda grad, out, x, y, b: grad,
    ),
)

# --- of two arrays -------------------------------------------------------------------------------


@implements(np.dot)
def dot(a: Any, b: Any) -> Tensor:
    """Sum the products over the last axis of a and the last but one of b, or its only one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return Arithmetic.multiply(a, b)
    return Products.matmul(a, b) if np.ndim(b) <= 2 else tensordot(a, b, (-1, -2))


@implements(np.inner)
def inner(a: Any, b: Any) -> Tensor:
    """Sum the products over the last axes of a and b."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return Arithmetic.multiply(a, b)
    return tensordot(a, b, (-1, -1))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Tensor:
    """Sum the products of all entries, in their order: of the conjugates in a."""
    return Products.matmul(conj(np.ravel(a)), np.ravel(b))


def _vecdot(x: Any, y: Any) -> Any:
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return np.vecdot(x, y)
    return np.einsum("...i,...i->...", conj(x), y)  # for CuPy has no such function


_VECDOT = binary(
    _vecdot,
    lambda grad, out, x, y: conj(grad[..., None] * y),
    lambda grad, out, x, y: grad[..., None] * conj(x),
    "The sum of the products of conj(x) and y over the last axis",
    "vecdot",
)


@implements(np.vecdot)
def vecdot(a: Any, b: Any, axis: int = -1) -> Tensor:
    """Sum the products of conj(a) and b over `axis`; the other axes broadcast."""
    return _VECDOT(np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1))


@implements(np.linalg.vecdot)
def _linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, axis)


_MULTI_DOT = Operation("multi_dot")


@defines(_MULTI_DOT)
@implements(np.linalg.multi_dot)
def multi_dot(arrays: Iterable[Any]) -> Tensor:
    """Give the matrix product of all arrays, in the order that takes the fewest multiplications.

    The first may be a vector, then it is a row, and the last, then it is a column.
    """
    matrices = list(arrays)
    row, column = np.ndim(matrices[0]) == 1, np.ndim(matrices[-1]) == 1
    if row:
        matrices[0] = np.reshape(matrices[0], (1, -1))
    if column:
        matrices[-1] = np.reshape(matrices[-1], (-1, 1))
    out = apply(
        _MULTI_DOT,
        lambda *arrays: _multiplied(arrays),
        [_multi_dot_rule(i) for i in range(len(matrices))],
        *matrices,
    )
    return out.reshape(out.shape[int(row) : 2 - int(column)])


def _multi_dot_rule(i: int) -> Rule:
    """Make the rule of matrix i: with out = L x R, L.T grad R.T."""

    def rule(grad: Any, out: Any, *matrices: Any) -> Any:  # noqa: ARG001
        transposed = [x.swapaxes(0, 1) for x in matrices]
        return _multiplied([*transposed[:i][::-1], grad, *transposed[:i:-1]])

    return rule


def _multiplied(matrices: Sequence[Any]) -> Any:
    return kind_of(*matrices).multi_dot(matrices)


# --- products of all with all ---------------------------------------------------------------------


@implements(np.outer)
def outer(a: Any, b: Any) -> Tensor:
    """Multiply every entry of a with every entry of b, to a matrix: out[i, j] = a[i] * b[j]."""
    a, b = alike(a, b)
    return Arithmetic.multiply(np.reshape(a, (-1, 1)), np.ravel(b))


@implements(np.linalg.outer)
def _linalg_outer(x1: Any, x2: Any, /) -> Tensor:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"outer: expected two vectors, got shapes {np.shape(x1)} and {np.shape(x2)}; "
            "np.outer takes any"
        )
    return outer(x1, x2)


@implements(np.kron)
def kron(a: Any, b: Any) -> Tensor:
    """Put a copy of b, times that entry, in place of every entry of a: Kronecker's product."""
    a, b = alike(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.reshape(a, tuple(n for size in shape_a for n in (size, 1)))
    inside = np.reshape(b, tuple(n for size in shape_b for n in (1, size)))
    shape = tuple(m * n for m, n in zip(shape_a, shape_b, strict=True))
    return reshape(np.multiply(blocks, inside), shape)


_CROSS = binary(
    np.linalg.cross,
    lambda grad, out, x, y: np.linalg.cross(y, grad),
    lambda grad, out, x, y: np.linalg.cross(grad, x),
    "The vector product of the vectors along the last axis",
)


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """Give the vector product; the vectors, of three entries, lie along the axes named.

    Raises ValueError for vectors of another size.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    return moveaxis(_CROSS(np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)), -1, axisc)


@implements(np.linalg.cross)
def _linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return cross(x1, x2, axis=axis)


# --- of one matrix --------------------------------------------------------------------------------


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
    """Sum the diagonal of the planes of two axes."""
    given = {} if dtype is None else {"dtype": dtype}
    return Reductions.sum(diagonal(a, offset, axis1, axis2), -1, **given)


@implements(np.linalg.trace)
def _linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    return trace(x, offset, -2, -1, dtype)


@implements(np.linalg.diagonal)
def _linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Tensor:
    """Give the n-th power of square matrices, of their inverses for negative n.

    Raises LinAlgError for matrices that are not square, or have no inverse where one is needed.
    """
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(
            f"matrix_power: the last two axes make square matrices, got shape {a.shape}"
        )
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return where(True, own(np.eye(a.shape[-1], dtype=a.dtype), a), a)
    if n == 1:
        return Arithmetic.clone(a)
    half = matrix_power(a, n // 2)
    return half @ half @ a if n % 2 else half @ half


class Products:
    """Products."""

    __slots__ = ()
    _value: Array

    __matmul__ = matmul = mm = bmm = mv = binary(
        matmul, _matmul_rule_x, _matmul_rule_y, "The matrix product", name="matmul", symbol="@"
    )
    __rmatmul__ = reflected(__matmul__)

    @defines(_ADDMM)
    def addmm(self: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give alpha * mat1 @ mat2 + beta * self: of (n, k), (k, m) and (m,), say, (n, m).

        The sum broadcasts, and the factors are all that `@` takes. Raises ValueError for shapes
        that don't fit.
        """
        if beta == alpha == 1:  # in one operation
            return apply(_ADDMM, _addmm, _ADDMM.rules, mat1, mat2, self)
        return scaled_sum(self, mat1 @ mat2, beta, alpha)

    dot, inner, vdot, kron, trace, matrix_power = dot, inner, vdot, kron, trace, matrix_power
    outer = ger = outer

    @torch_spelling
    def cross(self, other: Any, axis: int | None = None) -> Tensor:
        """Give the vector product along `axis`, or along the first axis of size 3.

        >>> from tinytorch import Tensor
        >>> Tensor([1.0, 0.0, 0.0]).cross([0.0, 1.0, 0.0])
        Tensor([0., 0., 1.])
        """
        if axis is None:
            if 3 not in self._value.shape:
                raise ValueError(f"cross: one axis has size 3, got shape {self._value.shape}")
            axis = self._value.shape.index(3)
        return cross(self, other, axis=axis)


numpy_functions[np.linalg.matrix_transpose] = matrix_transpose
numpy_functions[np.matmul] = numpy_functions[np.linalg.matmul] = Products.matmul


@implements("matvec")
def _matvec(x1: Any, x2: Any) -> Tensor:
    """Give the product of matrices with vectors."""
    return Products.matmul(x1, np.expand_dims(x2, -1))[..., 0]


@implements("vecmat")
def _vecmat(x1: Any, x2: Any) -> Tensor:
    """Give the product of the conjugates of vectors with matrices."""
    return Products.matmul(conj(np.expand_dims(x1, -2)), x2)[..., 0, :]
