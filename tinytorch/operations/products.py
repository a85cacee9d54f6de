"""Products of vectors and matrices; stacks of matrices in the leading axes, as in NumPy.

The functions have NumPy's signatures and answer for NumPy's functions; `Products` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinytorch.arrays.kind import kind_of, own
from tinytorch.arrays.words import half_as_single, matmul, rows, sum_axes
from tinytorch.engine import Node, Rule
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import where
from tinytorch.operations.notation import binary, reflected
from tinytorch.operations.operands import alike
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Reductions
from tinytorch.operations.shape import (
    diagonal,
    matrix_transpose,
    moveaxis,
    reshape,
)
from tinytorch.operations.sums_of_products import scaled_sum

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

# --- the matrix product ---------------------------------------------------------------------------


def _matmul_rule_x(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    if y.ndim == 1:
        return grad[..., None] * y
    if x.ndim == 1:
        grad = grad[..., None, :]
    return matmul(grad, y.swapaxes(-1, -2))


def _matmul_rule_y(grad: Any, out: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
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
        out += b  # memory that is new takes longer than the sum
        return out
    return out + b


_ADDMM = Operation(
    "addmm",
    "□ @ □ + □",
    rules=(
        lambda grad, out, x, y, b: _matmul_rule_x(grad, out, x, y),
        lambda grad, out, x, y, b: _matmul_rule_y(grad, out, x, y),
        lambda grad, out, x, y, b: grad,
    ),
)

# --- sums of products -----------------------------------------------------------------------------

_EINSUM = Operation("einsum")
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


@defines(_EINSUM)
@implements(np.einsum)
def einsum(*operands: Any, optimize: Any = True) -> Tensor:
    """Multiply the operands and sum, by Einstein's convention: `einsum("ij,jk->ik", x, y)`.

    The subscripts name the axes of each operand, and after the arrow those of the result; all
    others are summed out. Without an arrow the result has those that are named once. The same may
    be said with lists of whole numbers: `einsum(x, [0, 1], y, [1, 2], [0, 2])`. Unlike NumPy's, it
    looks for a fast order of the products, and for matrix products, unless `optimize` is false.

    Raises ValueError for subscripts that do not fit the operands.
    """
    subscripts, *factors = operands
    if not isinstance(subscripts, str):
        subscripts, factors = _in_letters(operands)
    factors = alike(*factors)
    return apply(
        _EINSUM,
        half_as_single(lambda *arrays: _contract(subscripts, arrays, optimize)),
        [_einsum_rule(i, subscripts) for i in range(len(factors))],
        *factors,
    )


def _contract(subscripts: str, operands: Sequence[Any], optimize: Any = True) -> Any:
    """Give the einsum; what a single operand sums out is summed first, and loses no digits."""
    if subscripts.count(",") + 1 != len(operands):
        return np.einsum(subscripts, *operands)  # says what is wrong
    terms, result = _explicit(subscripts, operands)
    letters, factors = "".join(terms), list(operands)
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        alone = [k for k, c in enumerate(term) if letters.count(c) == 1 and c not in result]
        if alone and np.ndim(x) == len(term):
            factors[i] = sum_axes(x, tuple(alone))
            terms[i] = "".join(c for k, c in enumerate(term) if k not in alone)
    return np.einsum(f"{','.join(terms)}->{result}", *factors, optimize=optimize)


def _in_letters(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Write `x, [0, 1], y, [1, 2], [0, 2]` as "AB,BC->AC" and `[x, y]`."""
    pairs = len(operands) // 2 * 2
    terms = [
        "".join("..." if label is Ellipsis else _LETTERS[label] for label in labels)
        for labels in (*operands[1:pairs:2], *operands[pairs:])
    ]
    result = "->" + terms.pop() if len(operands) > pairs else ""
    return ",".join(terms) + result, list(operands[:pairs:2])


def _explicit(subscripts: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """Give a letter for each axis of each operand, and of the result."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    unnamed = [
        np.ndim(x) - len(term.replace("...", "")) for x, term in zip(operands, terms, strict=True)
    ]
    dots = "".join(letter for letter in _LETTERS if letter not in given)[: max(unnamed)]
    if not arrow:
        result = "..." + "".join(sorted(x for x in _LETTERS if given.count(x) == 1))
    own = [dots[len(dots) - n :] for n in unnamed]
    terms = [term.replace("...", letters) for term, letters in zip(terms, own, strict=True)]
    return terms, result.replace("...", dots)


def _einsum_rule(i: int, given: str) -> Rule:
    """Make the rule of operand i: the einsum of the gradient with all other operands."""

    def rule(grad: Any, out: Any, *operands: Any) -> Any:  # noqa: ARG001
        terms, result = _explicit(given, operands)
        x = operands[i]
        factors = [grad, *operands[:i], *operands[i + 1 :]]
        labels = [result, *terms[:i], *terms[i + 1 :]]
        unused = (letter for letter in _LETTERS if letter not in "".join(terms))
        wanted = ""
        for label, size in zip(terms[i], x.shape, strict=True):
            if label in wanted:  # x enters with a diagonal: off it the gradient is 0
                twin = next(unused)
                factors.append(np.eye(size, dtype=x.dtype))
                labels.append(label + twin)
                wanted += twin
            else:
                wanted += label
        # Along an axis that only x has, and that was summed out, all entries get the same.
        alone = tuple(i for i, label in enumerate(wanted) if label not in "".join(labels))
        kept = "".join(label for i, label in enumerate(wanted) if i not in alone)
        subscripts = f"{','.join(labels)}->{kept}"
        share = half_as_single(lambda *arrays: _contract(subscripts, arrays))(*factors)
        return np.expand_dims(share, alone)

    return rule


_TENSORDOT = Operation("tensordot")


@defines(_TENSORDOT)
@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Sum the products over axes of a and b: over `axes[0]` of a with `axes[1]` of b.

    A single number n means the last n axes of a with the first n of b. The result has the other
    axes of a, then those of b.
    """
    a, b = alike(a, b)
    if np.iterable(axes):  # counted from the front, since Dask gets the others wrong
        pairs = zip(axes, (a, b), strict=True)
        axes = tuple(normalize_axis_tuple(of, np.ndim(x), allow_duplicate=True) for of, x in pairs)

    def labels(a: Any, b: Any) -> tuple[list[int], list[int], list[int]]:
        """Number the axes of a, of b and of the result, as an einsum of lists takes them."""
        pair = axes if np.iterable(axes) else (range(a.ndim - axes, a.ndim), range(axes))
        label_a = list(range(a.ndim))
        label_b = list(range(a.ndim, a.ndim + b.ndim))
        for i, j in zip(*map(np.atleast_1d, pair), strict=True):
            label_b[int(j)] = label_a[int(i)]
        summed = set(label_a) & set(label_b)
        return label_a, label_b, [label for label in label_a + label_b if label not in summed]

    def rule_a(grad: Any, out: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        label_a, label_b, result = labels(a, b)
        return np.einsum(grad, result, b, label_b, label_a, optimize=True)

    def rule_b(grad: Any, out: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        label_a, label_b, result = labels(a, b)
        return np.einsum(grad, result, a, label_a, label_b, optimize=True)

    return apply(_TENSORDOT, lambda a, b: np.tensordot(a, b, axes), (rule_a, rule_b), a, b)


@implements(np.linalg.tensordot)
def _linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)


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
    """Sum the products of all entries, in their order."""
    return Products.matmul(np.ravel(a), np.ravel(b))


def _vecdot(x: Any, y: Any) -> Any:
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return np.vecdot(x, y)
    return np.einsum("...i,...i->...", x, y)  # for CuPy has no such function


_VECDOT = binary(
    _vecdot,
    lambda grad, out, x, y: grad[..., None] * y,
    lambda grad, out, x, y: grad[..., None] * x,
    "The sum of the products over the last axis",
    "vecdot",
)


@implements(np.vecdot)
def vecdot(a: Any, b: Any, axis: int = -1) -> Tensor:
    """Sum the products over `axis`; the other axes broadcast."""
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
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sum the diagonal of the planes of two axes."""
    return Reductions.sum(diagonal(a, offset, axis1, axis2), -1)


@implements(np.linalg.trace)
def _linalg_trace(x: Any, /, *, offset: int = 0) -> Tensor:
    return trace(x, offset, -2, -1)


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


class Products(Node):
    """Products."""

    __slots__ = ()

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
        """Give the vector product along `axis`, or along the first axis of size 3."""
        if axis is None:
            if 3 not in self._value.shape:
                raise ValueError(f"cross: one axis has size 3, got shape {self._value.shape}")
            axis = self._value.shape.index(3)
        return cross(self, other, axis=axis)


numpy_functions[np.linalg.matrix_transpose] = matrix_transpose
numpy_functions[np.matmul] = numpy_functions[np.linalg.matmul] = Products.matmul

if hasattr(np, "matvec"):  # NumPy 2.2

    @implements(np.matvec)
    def _matvec(x1: Any, x2: Any) -> Tensor:
        return Products.matmul(x1, np.expand_dims(x2, -1))[..., 0]

    @implements(np.vecmat)
    def _vecmat(x1: Any, x2: Any) -> Tensor:
        return Products.matmul(np.expand_dims(x1, -2), x2)[..., 0, :]
