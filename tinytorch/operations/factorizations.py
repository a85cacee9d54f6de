"""Factorizations as LAPACK packs them: LU with its pivots, QR as reflections, triangular systems.

NumPy has none of these. Each is made of operations, but for the factors of one square matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import evaluate, own
from tinytorch.arrays.plain import PlainArray, base, plain, wrapped
from tinytorch.engine import Node
from tinytorch.operations.decompositions import by_adjoints, mH, outputs
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import pick
from tinytorch.operations.operation import Operation, defines

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class LUResult(NamedTuple):
    """x = P @ L @ U."""

    P: Tensor
    L: Tensor
    U: Tensor


class LUFactors(NamedTuple):
    """L below the diagonal of `LU`, whose own is 1, and U; `pivots` counts from 1."""

    LU: Tensor
    pivots: PlainArray


class TriangularSolution(NamedTuple):
    """What `triangular_solve` gives; the second is the matrix it was given."""

    solution: Tensor
    cloned_coefficient: Tensor


# --- LU -------------------------------------------------------------------------------------------


def _eliminated(x: Any, pivot: bool) -> tuple[Any, Any, Any]:
    """Eliminate by Gauss: give the packed factors, the order of the rows, and LAPACK's pivots."""
    x = x.copy()
    (*stack, m, _), k = x.shape, min(x.shape[-2:])
    order = own(np.broadcast_to(np.arange(m), (*stack, m)), x)
    pivots = own(np.broadcast_to(np.arange(1, k + 1), (*stack, k)).copy(), x)
    for i in range(k):
        if pivot:
            best = i + np.argmax(_size(x[..., i:, i]), axis=-1, keepdims=True)
            pivots[..., i : i + 1] = best + 1
            swap = _swapped(i, best, m)
            x = np.take_along_axis(x, swap[..., None], -2)
            order = np.take_along_axis(order, swap, -1)
        head = x[..., i : i + 1, i]
        x[..., i + 1 :, i] /= np.where(head == 0, 1, head)
        x[..., i + 1 :, i + 1 :] -= x[..., i + 1 :, i, None] * x[..., i, None, i + 1 :]
    return x, order, pivots


def _size(x: Any) -> Any:
    """Say how large entries are, complex ones by LAPACK's measure."""
    return np.abs(x.real) + np.abs(x.imag) if np.iscomplexobj(x) else np.abs(x)


def _swapped(i: int, others: Any, m: int) -> Any:
    """Number m rows, row i and another one exchanged."""
    rows = own(np.arange(m), others)
    return np.where(rows == i, others, np.where(rows == others, i, rows))


def _parted(packed: Any) -> tuple[Any, Any]:
    """Part the packed factors into L and U."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    lower = np.tril(packed[..., :k], -1) + own(np.eye(m, k, dtype=packed.dtype), packed)
    return lower, np.triu(packed[..., :k, :])


_LU = Operation("lu")


def _between(inner: Any, out: Any) -> Any:
    """Give L.mH**-1 @ inner @ U.mH**-1."""
    lower, upper = out
    return mH(np.linalg.solve(upper, mH(np.linalg.solve(mH(lower), inner))))


# With dL = L tril(L**-1 dx U**-1, -1) and dU = triu(L**-1 dx U**-1) U.
_RULES = (
    by_adjoints(lambda grad, out, x: _between(np.tril(mH(out[0]) @ grad, -1), out)),
    by_adjoints(lambda grad, out, x: _between(np.triu(grad @ mH(out[1])), out)),
)


def _square_factors(x: Any) -> Any:
    """Give L and U of square matrices whose rows are in order."""
    if not isinstance(x, Node):
        return _parted(_eliminated(x, pivot=False)[0])
    return outputs(_LU, _square_factors, _RULES, x)


@defines(_LU)
def lu(a: Any, pivot: bool = True) -> LUResult:
    """Give P, L and U for which a = P @ L @ U.

    L is lower triangular with ones on its diagonal, U upper triangular, and P exchanges rows; it is
    1 if not `pivot`. Raises LinAlgError for a matrix of more rows than columns and a smaller rank.
    """
    (*_, m, n), k = a.shape, min(a.shape[-2:])
    _, order, _ = evaluate(_LU, _eliminated, getattr(a, "_value", a), pivot=pivot)
    rows = np.take_along_axis(a, order[..., None], -2)
    lower, upper = _square_factors(rows[..., :k, :k])
    if n > k:
        upper = np.concatenate([upper, np.linalg.solve(lower, rows[..., k:])], axis=-1)
    if m > k:
        others = np.linalg.solve(upper.mT, rows[..., k:, :].mT).mT
        lower = np.concatenate([lower, others], axis=-2)
    return LUResult(wrapped(_exchange(order, a.dtype)), lower, upper)


def _exchange(order: Any, dtype: Any) -> Any:
    """Give the matrix that puts rows back which were taken in that order."""
    return np.swapaxes(pick(own(np.eye(order.shape[-1], dtype=dtype), order), order), -1, -2)


def lu_factor(a: Any, pivot: bool = True) -> LUFactors:
    """Give L and U packed into one matrix, and the row that each was exchanged for, from 1 on."""
    _, lower, upper = lu(a, pivot)
    (*_, m, n), k = a.shape, min(a.shape[-2:])
    stack = [(0, 0)] * (a.ndim - 2)
    packed = np.pad(np.tril(lower, -1), (*stack, (0, 0), (0, n - k)))
    packed = packed + np.pad(upper, (*stack, (0, m - k), (0, 0)))
    pivots = evaluate(_LU, _eliminated, getattr(a, "_value", a), pivot=pivot)[2]
    return LUFactors(packed, plain(pivots.astype(np.int32)))


def info(a: Any) -> PlainArray:
    """Say 0 for each matrix, as LAPACK does; what fails raises LinAlgError."""
    return plain(own(np.zeros(a.shape[:-2], np.int32), a))


def lu_unpack(LU_data: Any, LU_pivots: Any) -> LUResult:
    """Give P, L and U of what `lu_factor` packs."""
    pivots = base(LU_pivots) if hasattr(LU_pivots, "shape") else np.asarray(LU_pivots)
    m = LU_data.shape[-2]
    order = own(np.broadcast_to(np.arange(m), (*pivots.shape[:-1], m)), pivots)
    for i in range(pivots.shape[-1]):
        order = np.take_along_axis(order, _swapped(i, pivots[..., i : i + 1] - 1, m), -1)
    return LUResult(wrapped(_exchange(order, LU_data.dtype)), *_parted(LU_data))


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """Give the X for which A @ X = B, where `lu_factor` packed A; not `left`, X @ A = B.

    With `adjoint` of A.mH.
    """
    if not left:
        return mH(lu_solve(LU, pivots, mH(B), adjoint=not adjoint))
    p, lower, upper = lu_unpack(LU, pivots)
    exchange = p._value  # constant
    if adjoint:
        return exchange @ np.linalg.solve(mH(lower), np.linalg.solve(mH(upper), B))
    return np.linalg.solve(upper, np.linalg.solve(lower, np.swapaxes(exchange, -1, -2) @ B))


# --- triangles and reflections --------------------------------------------------------------------


def solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """Give the x for which a @ x = b, or x @ a = b if not `left`; a is triangular.

    Of a only that triangle counts; not its diagonal either if `unitriangular`.
    """
    if not left:
        turned, other = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
        return solve_triangular(turned, other, upper=not upper, unitriangular=unitriangular).mT
    triangle: Any = np.triu if upper else np.tril
    if unitriangular:
        a = triangle(a, 1 if upper else -1) + own(np.eye(a.shape[-1], dtype=a.dtype), a)
    return np.linalg.solve(triangle(a), b)


def ormqr(a: Any, tau: Any, c: Any, left: bool = True, transpose: bool = False) -> Any:
    """Give Q @ c, or c @ Q if not `left`; of Q.mH with `transpose`.

    Q is the product of reflections 1 - tau v v.mH, whose vectors v stand below the diagonal of a.
    """
    if not left:
        return mH(ormqr(a, tau, mH(c), True, not transpose))
    m, k = a.shape[-2], tau.shape[-1]
    vectors = np.tril(a[..., :k], -1) + own(np.eye(m, k, dtype=a.dtype), a)
    factors = tau.conj() if transpose else tau
    for i in range(k)[:: 1 if transpose else -1]:
        v = vectors[..., :, i, None]
        c = c - factors[..., i, None, None] * v * np.sum(v.conj() * c, axis=-2, keepdims=True)
    return c


def householder_product(A: Any, tau: Any) -> Any:
    """Give the first columns of the product Q of reflections; see `ormqr`."""
    return ormqr(A, tau, where(True, own(np.eye(*A.shape[-2:], dtype=A.dtype), A), A))


class Factorizations:
    """PyTorch's methods of packed factors."""

    __slots__ = ()

    def lu(self: Any, pivot: bool = True, get_infos: bool = False) -> Any:
        """Give L and U packed into one matrix, and the row that each was exchanged for.

        With `get_infos` also what LAPACK says of each matrix: 0.
        """
        factors = lu_factor(self, pivot)
        return (*factors, info(self)) if get_infos else factors

    def lu_solve(self: Any, LU_data: Any, LU_pivots: Any) -> Any:
        """Give the X for which A @ X is this tensor; `lu` has packed A."""
        return lu_solve(LU_data, LU_pivots, self)

    def triangular_solve(
        self: Any,
        A: Any,
        upper: bool = True,
        transpose: bool = False,
        unitriangular: bool = False,
    ) -> TriangularSolution:
        """Give the X for which A @ X is this tensor, of the triangle of A; and A itself."""
        turned = np.swapaxes(A, -1, -2) if transpose else A
        upward = upper != transpose
        x = solve_triangular(turned, self, upper=upward, unitriangular=unitriangular)
        return TriangularSolution(x, A)

    def ormqr(
        self: Any, input2: Any, input3: Any, left: bool = True, transpose: bool = False
    ) -> Tensor:
        """Give Q @ input3, of reflections whose vectors are here and whose factors `input2` are."""
        out: Tensor = ormqr(self, input2, input3, left, transpose)
        return out
