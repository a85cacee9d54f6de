"""PyTorch's `linalg`: NumPy's functions with PyTorch's arguments, and what PyTorch has besides.

NumPy's own, `np.linalg`, take tensors as well.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import NUMPY, kind_of, own
from tinytorch.arrays.plain import PlainArray, plain
from tinytorch.operations import factorizations
from tinytorch.operations.diagonals import diagonal as diagonal_of
from tinytorch.operations.factorizations import LUFactors, LUResult, info
from tinytorch.operations.matrix_functions import expm
from tinytorch.operations.norms import matrix_norm as norm_of_matrices
from tinytorch.operations.protocols import numpy_functions
from tinytorch.operations.reductions import Axis
from tinytorch.pytorch.factories import as_tensor
from tinytorch.tensor import Tensor

__all__ = [
    "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals",
    "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm",
    "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip


class WithInfo(NamedTuple):
    """A result, and what LAPACK says of each matrix: 0, since what fails raises LinAlgError."""

    result: Tensor
    info: PlainArray


class LUWithInfo(NamedTuple):
    """What `lu_factor` gives, and what LAPACK says of each matrix: 0."""

    LU: Tensor
    pivots: PlainArray
    info: PlainArray


class LeastSquares(NamedTuple):
    """What `lstsq` gives: of the residuals the sums of squares, and none below full rank."""

    solution: Tensor
    residuals: Tensor
    rank: PlainArray
    singular_values: Tensor


_numpy: Any = np.linalg  # whose types know of no tensors


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else as_tensor(x)


def _same(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of tensors of NumPy's, whose arguments are PyTorch's."""

    @functools.wraps(function)
    def of_tensors(A: Any, *args: Any, **options: Any) -> Any:
        return function(_tensor(A), *args, **options)

    implementation = numpy_functions[function]
    of_tensors.__module__, of_tensors.__doc__ = __name__, inspect.getdoc(implementation)
    of_tensors.__signature__ = inspect.signature(implementation)  # type: ignore[attr-defined]
    return of_tensors


cholesky, qr, eigh, eigvalsh = map(
    _same, (_numpy.cholesky, _numpy.qr, _numpy.eigh, _numpy.eigvalsh)
)
eig, eigvals = _same(np.linalg.eig), _same(np.linalg.eigvals)
inv, det, slogdet, cond = map(_same, (_numpy.inv, _numpy.det, _numpy.slogdet, _numpy.cond))
matmul, matrix_power, tensorinv = map(_same, (_numpy.matmul, _numpy.matrix_power, _numpy.tensorinv))

# --- products and norms ---------------------------------------------------------------------------


def matrix_exp(A: Any) -> Any:
    """Give the exponential of square matrices."""
    return expm(_tensor(A))


def multi_dot(tensors: Iterable[Any]) -> Any:
    """Give the product of all matrices, in the order that takes the fewest multiplications."""
    return _numpy.multi_dot(list(map(_tensor, tensors)))


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """Give the vector product of the vectors along `dim`."""
    return _numpy.cross(_tensor(input), _tensor(other), axis=dim)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Sum the products over `dim`; the other axes broadcast."""
    return _numpy.vecdot(_tensor(x), _tensor(y), axis=dim)


def norm(A: Any, ord: Any = None, dim: Axis = None, keepdim: bool = False) -> Any:
    """Give the norm of vectors along one axis, or of matrices along two; see np.linalg.norm."""
    return _numpy.norm(_tensor(A), ord, dim, keepdim)


def vector_norm(x: Any, ord: float = 2, dim: Axis = None, keepdim: bool = False) -> Any:
    """Give (sum |x|**ord)**(1/ord) over `dim`, or all entries."""
    return _tensor(x).norm(ord, dim, keepdim)


def matrix_norm(
    A: Any, ord: Any = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False
) -> Any:
    """Give the norm of the matrices in two axes; see np.linalg.matrix_norm for the orders."""
    out: Any = norm_of_matrices(np.moveaxis(_tensor(A), tuple(dim), (-2, -1)), ord=ord)
    return np.expand_dims(out, tuple(i % A.ndim for i in dim)) if keepdim else out


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Give the diagonals of the matrices in two axes, along a new last axis."""
    return diagonal_of(_tensor(A), offset, dim1, dim2)


def vander(x: Any, N: int | None = None) -> Any:
    """Give the powers x**0, ..., x**(N-1) along a new last axis; N is by default x.shape[-1]."""
    x = np.atleast_1d(_tensor(x))
    return x[..., None] ** own(np.arange(x.shape[-1] if N is None else N), x)


def matrix_rank(
    A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False
) -> PlainArray:
    """Count the singular values above max(atol, rtol * the largest), in plain numbers.

    By default atol is 0, and rtol as many times the dtype's epsilon as the longer side has entries;
    but 0 where there is an atol.
    """
    A = _tensor(A).detach()
    values = np.abs(eigvalsh(A)).data if hermitian else svdvals(A).data
    bound = _bound(values, A, atol, rtol)
    return plain(np.sum(values > bound[..., None], axis=-1))


def _bound(values: Any, A: Any, atol: Any, rtol: Any) -> Any:
    """Give the size up to which singular values count as 0."""
    atol = _array(0 if atol is None else atol, A)
    if rtol is None:
        rtol = _rtol(A) * (atol <= 0)
    return np.maximum(atol, _array(rtol, A) * _largest(values))


def _rtol(A: Any) -> Any:
    return max(A.shape[-2:]) * np.finfo(A.dtype).eps


def _largest(values: Any) -> Any:
    """Give the largest of numbers that aren't negative; of none 0."""
    return values.max(axis=-1) if values.shape[-1] else values.sum(axis=-1)


def _array(x: Any, like: Any) -> Any:
    return own(np.asarray(x), like) if kind_of(x) is NUMPY else getattr(x, "_value", x)


# --- solutions ------------------------------------------------------------------------------------


def _columns(A: Any, B: Any) -> bool:
    """Tell whether B holds a vector for each matrix, rather than matrices."""
    return bool(B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]))


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """Give the X for which A @ X = B, or X @ A = B if not `left`.

    B is a matrix for each of A, or a vector for each. Raises LinAlgError for a singular matrix.
    """
    A, B = _tensor(A), _tensor(B)
    if _columns(A, B):
        return solve(A, B[..., None])[..., 0]
    return _numpy.solve(A, B) if left else _numpy.solve(A.mT, B.mT).mT


def lstsq(
    A: Any,
    B: Any,
    rcond: float | None = None,
    *,
    driver: str | None = None,  # noqa: ARG001  (which of LAPACK's it is)
) -> LeastSquares:
    """Find the shortest X for which A @ X - B has the smallest norm, of stacks of matrices."""
    A, B = _tensor(A), _tensor(B)
    if _columns(A, B):
        found = lstsq(A, B[..., None], rcond)
        return found._replace(solution=found.solution[..., 0])
    x = _numpy.pinv(A, rtol=rcond) @ B
    rank = matrix_rank(A, rtol=rcond)
    squares = ((A @ x - B) ** 2).sum(axis=-2)
    full = np.all(rank == A.shape[-1]) and A.shape[-2] > A.shape[-1]
    values: Any = _numpy.svdvals(A)
    return LeastSquares(x, squares if full else squares[..., :0], rank, values)


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """Give the X of which tensordot(A, X, X.ndim) is B; `dims` of A go to the end first."""
    return _numpy.tensorsolve(_tensor(A), _tensor(B), dims)


def pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Give the pseudo-inverse; singular values up to max(atol, rtol * the largest) count as 0.

    The defaults are those of `matrix_rank`.
    """
    A = _tensor(A)
    if atol is None:
        rtol = _rtol(A) if rtol is None else rtol
    else:
        values = svdvals(A.detach()).data
        largest = _largest(values)
        rtol = _bound(values, A, atol, rtol) / np.where(largest > 0, largest, 1)
    return _numpy.pinv(A, hermitian=hermitian, rtol=rtol)


def svd(A: Any, full_matrices: bool = True) -> Any:
    """Give U, S and Vh for which A = (U * S) @ Vh; see np.linalg.svd."""
    found: Any = _numpy.svd(_tensor(A), full_matrices)
    return found


def svdvals(A: Any) -> Any:
    """Give the singular values, in falling order."""
    return _numpy.svdvals(_tensor(A))


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """Give the X for which A @ X = B, or X @ A = B if not `left`; A is triangular.

    Of A only that triangle counts; not its diagonal either if `unitriangular`.
    """
    how = {"upper": upper, "left": left, "unitriangular": unitriangular}
    return factorizations.solve_triangular(_tensor(A), _tensor(B), **how)


# --- factors --------------------------------------------------------------------------------------


def lu(A: Any, *, pivot: bool = True) -> LUResult:
    """Give P, L and U for which A = P @ L @ U: L and U triangular, L's diagonal ones."""
    return factorizations.lu(_tensor(A), pivot)


def lu_factor(A: Any, *, pivot: bool = True) -> LUFactors:
    """Give L and U packed into one matrix, and the row that each was exchanged for, from 1 on."""
    return factorizations.lu_factor(_tensor(A), pivot)


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """Give the X for which A @ X = B, where `lu_factor` packed A; not `left`, X @ A = B.

    With `adjoint` of A.mH.
    """
    return factorizations.lu_solve(_tensor(LU), pivots, _tensor(B), left=left, adjoint=adjoint)


def householder_product(A: Any, tau: Any) -> Any:
    """Give the first columns of the product of reflections 1 - tau v v.mH.

    The vectors v stand below the diagonal of A, on which each has a 1.
    """
    return factorizations.householder_product(_tensor(A), _tensor(tau))


def cholesky_ex(A: Any, *, upper: bool = False) -> WithInfo:
    """Give Cholesky's factor, and 0 for each matrix."""
    return WithInfo(cholesky(A, upper=upper), info(A))


def inv_ex(A: Any) -> WithInfo:
    """Give the inverse, and 0 for each matrix."""
    return WithInfo(inv(A), info(A))


def solve_ex(A: Any, B: Any, *, left: bool = True) -> WithInfo:
    """Give what `solve` gives, and 0 for each matrix."""
    return WithInfo(solve(A, B, left=left), info(A))


def lu_factor_ex(A: Any, *, pivot: bool = True) -> LUWithInfo:
    """Give what `lu_factor` gives, and 0 for each matrix."""
    return LUWithInfo(*lu_factor(A, pivot=pivot), info(A))
