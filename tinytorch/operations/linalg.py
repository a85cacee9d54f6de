"""Inverses, determinants and solutions of matrices, in stacks as in NumPy.

Most rules are in M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008. NumPy's LinAlgError for a singular matrix passes through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.words import conj, keep
from tinytorch.operations.decompositions import (
    QRResult,
    by_adjoints,
    cholesky,
    mH,
    mT,
    outputs,
    qr,
    svd,
    svdvals,
)
from tinytorch.operations.determinant import cofactor
from tinytorch.operations.elementwise import where
from tinytorch.operations.norms import Norms, matrix_norm
from tinytorch.operations.notation import unary
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.products import Products
from tinytorch.operations.protocols import implements, numpy_functions

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class SlogdetResult(NamedTuple):
    """det(x) = sign * exp(logabsdet)."""

    sign: Tensor
    logabsdet: Tensor


class TorchSVDResult(NamedTuple):
    """x = (U * S) @ V.mH."""

    U: Tensor
    S: Tensor
    V: Tensor


# --- inverse and determinant ----------------------------------------------------------------------

inv = unary(
    np.linalg.inv,
    lambda grad, out, x: -mT(out) @ grad @ mT(out),
    "The inverse of square matrices; raises LinAlgError if there is none",
)

det = unary(
    np.linalg.det,
    lambda grad, out, x: grad[..., None, None] * cofactor(x),
    "The determinant of square matrices",
)

_SLOGDET = Operation("slogdet")


def _turn(grad: Any, sign: Any) -> Any:
    """Give i times what turns sign = exp(i t) by t; a real sign stays as it is."""
    return (grad * sign).imag * 1j if grad.dtype.kind == "c" else keep(False, grad)


@defines(_SLOGDET)
@implements(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """Give the sign of the determinant, and the logarithm of its absolute value."""
    rules = (
        lambda grad, out, x: _turn(grad, out[0])[..., None, None] * np.linalg.inv(x).mT,
        lambda grad, out, x: grad[..., None, None] * np.linalg.inv(x).mT,
    )
    return SlogdetResult(*outputs(_SLOGDET, np.linalg.slogdet, rules, a))


# --- solutions ------------------------------------------------------------------------------------

_SOLVE = Operation(
    "solve",
    rules=(
        lambda grad, out, a, b: -np.linalg.solve(mT(a), grad) @ mT(out),
        lambda grad, out, a, b: np.linalg.solve(mT(a), grad),
    ),
)


@defines(_SOLVE)
@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Tensor:
    """Give the x for which a @ x = b; b is one vector, or a stack of matrices.

    Raises LinAlgError for a singular matrix.
    """
    if np.ndim(b) == 1:
        return solve(a, np.reshape(b, (-1, 1)))[..., 0]
    return apply(_SOLVE, np.linalg.solve, _SOLVE.rules, a, b)


_PINV = Operation("pinv")


@defines(_PINV)
@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """Give the pseudo-inverse (Moore and Penrose); singular values up to `rcond` count as 0."""
    name = "rtol" if rtol is not None and rcond is not None else "rcond"  # NumPy refuses both
    given = {"rcond": rcond, "hermitian": hermitian or None, name: rcond if rtol is None else rtol}
    parameters = {name: value for name, value in given.items() if value is not None}
    return apply(_PINV, lambda x: kind_of(x).pinv(x, **parameters), (by_adjoints(_pinv_rule),), a)


def _pinv_rule(grad: Any, out: Any, x: Any) -> Any:
    # G. Golub & V. Pereyra, "The differentiation of pseudo-inverses ...", 1973, formula 4.12
    inner = -mH(out) @ grad @ mH(out)
    left = mH(grad) @ out @ mH(out)
    right = mH(out) @ out @ mH(grad)
    return inner + left - x @ out @ left + right - right @ out @ x


_LSTSQ = Operation("lstsq")


def _least(rcond: float | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> float:
    """Give the part of the largest singular value up to which others count as 0."""
    return max(shape) * float(np.finfo(dtype).eps) if rcond is None else rcond


@defines(_LSTSQ)
@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Tensor, Tensor, int, Tensor]:
    """Find the shortest x for which a @ x - b has the smallest norm; b is a vector, or columns.

    Gives x, the sums of squares that remain (none if the rank of a is less than its columns, or
    a has no more rows than columns), the rank, and the singular values of a. Those up to `rcond`
    times the largest count as 0.
    """
    if np.ndim(b) == 1:
        column, square, rank, values = lstsq(a, np.reshape(b, (-1, 1)), rcond)
        return column[:, 0], square, rank, values

    def rule_a(grad: Any, out: Any, a: Any, b: Any) -> Any:
        inverse = np.linalg.pinv(a, _least(rcond, a.shape, a.dtype))
        share = mH(inverse) @ grad
        return (
            (b - a @ out) @ mH(inverse @ share)
            - share @ mH(out)
            + mH(inverse) @ out @ mH(grad - inverse @ (a @ grad))
        )

    x = apply(
        _LSTSQ,
        lambda a, b: np.linalg.lstsq(a, b, rcond)[0],
        (
            by_adjoints(rule_a),
            lambda grad, out, a, b: np.linalg.pinv(a, _least(rcond, a.shape, a.dtype)).mT @ grad,
        ),
        a,
        b,
    )
    rest = b - a @ x
    squares = (rest * conj(rest)).real.sum(axis=0)
    singular: Any = np.linalg.svd(a, compute_uv=False)
    rows, columns = np.shape(a)
    rank = int(np.sum(singular > _least(rcond, (rows, columns), singular.dtype) * singular[:1]))
    return x, squares if rank == columns < rows else squares[:0], rank, singular


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Tensor:
    """Give the condition number norm(x) * norm(inv(x)): by default of order 2, for any shape."""
    if p in (None, 2, -2):
        values = svdvals(x)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    return matrix_norm(x, ord=p) * matrix_norm(np.linalg.inv(x), ord=p)


class LinearAlgebra(Products, Norms):
    """Products, decompositions and solutions."""

    __slots__ = ()

    inverse = inv = inv
    det = det
    slogdet = slogdet
    pinverse = pinv = pinv

    def logdet(self) -> Tensor:
        """Give the logarithm of the determinant, nan where it is negative."""
        sign, logabsdet = slogdet(self)
        if sign.dtype.kind == "c":
            return sign.log() + logabsdet
        return where(sign < 0, np.nan, logabsdet)

    def cholesky(self, upper: bool = False) -> Tensor:
        """Give the lower triangle L for which x = L @ L.mH, or the upper one: x = U.mH @ U."""
        return cholesky(self, upper=upper)

    def qr(self, some: bool = True) -> QRResult:
        """Give Q and R for which x = Q @ R; Q is square if not `some`."""
        out: QRResult = qr(self, "reduced" if some else "complete")
        return out

    def svd(self, some: bool = True) -> TorchSVDResult:
        """Give U, S and V (np.linalg.svd: Vh) for which x = (U * S) @ V.mH; full if not `some`."""
        u, s, vh = svd(self, full_matrices=not some)
        return TorchSVDResult(u, s, mH(vh))


numpy_functions[np.linalg.inv] = inv
numpy_functions[np.linalg.det] = det
