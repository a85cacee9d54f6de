"""Decompositions of matrices: Cholesky's, QR, eigenvalues, singular values; stacks as in NumPy.

Most rules are in M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008; of complex matrices they have the adjoint, `mH`, for the
transposed one. NumPy's LinAlgError passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from tinytorch.arrays.checks import anywhere
from tinytorch.arrays.kind import evaluate, kind_of, own
from tinytorch.arrays.words import conj
from tinytorch.engine import Node, Rule, record
from tinytorch.operations.joining import concatenate
from tinytorch.operations.notation import unary
from tinytorch.operations.operation import Operation, defines
from tinytorch.operations.protocols import implements

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class QRResult(NamedTuple):
    """x = Q @ R."""

    Q: Tensor
    R: Tensor


class EighResult(NamedTuple):
    """x @ eigenvectors = eigenvectors * eigenvalues."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """x @ eigenvectors = eigenvectors * eigenvalues."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVDResult(NamedTuple):
    """x = (U * S) @ Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def outputs(op: Operation, function: Callable[..., Any], rules: Sequence[Rule], x: Any) -> Any:
    """Record each output of `function` as a node of its own: `rule(grad, out, x)` for each.

    Of an array it is the plain function. `out` are all of the outputs together. Since gradients add
    up linearly, what x gets through one does not depend on what it gets through another.
    """
    if not isinstance(x, Node):
        return function(x)
    arrays = evaluate(op, function, x._value)

    def ruled(rule: Rule) -> Rule:
        # To be differentiated again, the other outputs must know that they come from x.
        return lambda grad, out, x: rule(grad, function(x) if isinstance(x, Node) else arrays, x)

    return [
        record(array, (x,), (array, x._value), op, (ruled(rule),))
        for array, rule in zip(arrays, rules, strict=True)
    ]


def mT(x: Any) -> Any:
    """Give x.mT, which Dask arrays do not have."""
    return np.swapaxes(x, -1, -2)


def mH(x: Any) -> Any:
    """Give x.mH, the conjugate of x.mT."""
    return conj(mT(x))


def by_adjoints(rule: Rule) -> Rule:
    """Take a rule for gradients df/da + i df/db, as books have it, and not for their conjugates."""
    return lambda grad, out, *inputs: conj(rule(conj(grad), out, *inputs))


def _cholesky_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    # x.grad = L.mH**-1 @ P @ L**-1, with P the lower triangle of L.mH @ L.grad, its diagonal halved
    product = mH(out) @ grad
    inverse = np.linalg.inv(out)
    half = mH(inverse) @ (np.tril(product) + np.tril(product, -1)) @ inverse / 4
    return half + mH(half)


_CHOLESKY = unary(
    # Dask's gives the upper triangle; it has no such parameter, and refuses. Nor has CuPy's.
    lambda x: np.linalg.cholesky(x, **{"upper": False} if kind_of(x).plans else {}),
    by_adjoints(_cholesky_rule),
    "The lower triangle L for which x = L @ L.mH",
    "cholesky",
)


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Tensor:
    """Give the lower triangle L for which a = L @ L.mH, or the upper one for which a = U.mH @ U.

    It sees only that triangle of a, and shares the gradient with the other: a is symmetric, or
    Hermitian if it is complex. Raises LinAlgError if a is not positive definite.
    """
    return mH(_CHOLESKY(mH(a))) if upper else _CHOLESKY(a)


_QR = Operation("qr")


def _times_inverse_adjoint(x: Any, r: Any) -> Any:
    return mH(np.linalg.solve(r, mH(x)))


def _copy_lower(x: Any) -> Any:
    """Copy the lower triangle to the upper one, to a symmetric or Hermitian matrix."""
    lower = np.tril(x)
    return (lower + mH(lower)) * own(1 - np.eye(x.shape[-1], dtype=x.dtype) / 2, x)


def _of_first(grad: Any, n: int, op: Operation) -> Any:
    """Give the gradient of the first n vectors. Raises ValueError if the others have one."""
    if grad.shape[-1] > n and anywhere(grad[..., n:] != 0):
        raise ValueError(
            f"{op}: the vectors that make a matrix square are arbitrary, and have no gradient; "
            f"the first {n} have one, which full_matrices=False (svd) or "
            'mode="reduced" (qr) gives'
        )
    return grad[..., :n]


def _q_rule(grad: Any, out: Any, x: Any) -> Any:
    n = x.shape[-1]
    q, r = out
    q, r = q[..., :n], r[..., :n, :]
    grad = _of_first(grad, n, _QR)
    return _times_inverse_adjoint(grad - q @ _copy_lower(mH(grad) @ q), r)


def _r_rule(grad: Any, out: Any, x: Any) -> Any:
    n = x.shape[-1]
    q, r = out
    q, r = q[..., :n], r[..., :n, :]
    return _times_inverse_adjoint(q @ _copy_lower(r @ mH(grad[..., :n, :])), r)


@defines(_QR)
@implements(np.linalg.qr)
def qr(a: Any, mode: Literal["reduced", "complete", "r"] = "reduced") -> Any:
    """Give Q, with orthogonal columns of length 1, and R, upper triangular, for which a = Q @ R.

    In mode "r" R alone; in mode "complete" Q is square, and what is filled up has no gradient. The
    rules are those of S. Walter & L. Lehmann, "Algorithmic differentiation of
    linear algebra functions with application in optimum experimental design", 2012.
    """
    if mode == "r":
        return qr(a).R
    if mode not in ("reduced", "complete"):
        raise ValueError(f'qr: mode is "reduced", "complete" or "r", got {mode!r}')
    if a.ndim >= 2 and a.shape[-2] < a.shape[-1]:
        # The first columns make Q, and the others are written in it.
        square, others = a[..., : a.shape[-2]], a[..., a.shape[-2] :]
        q, r = qr(square)
        return QRResult(q, concatenate([r, mH(q) @ others], axis=-1))
    rules = (by_adjoints(_q_rule), by_adjoints(_r_rule))
    return QRResult(*outputs(_QR, lambda x: np.linalg.qr(x, mode), rules, a))


_EIGH = Operation("eigh")


def _inverse_differences(x: Any) -> Any:
    """Give 1 / (x[j] - x[i]), and 0 where i = j."""
    same = own(np.eye(x.shape[-1], dtype=x.dtype), x)
    return (1 - same) / (x[..., None, :] - x[..., :, None] + same)


def _eigenvalues_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    _, v = out
    return (v * grad[..., None, :]) @ mH(v)


def _eigenvectors_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    w, v = out
    product = mH(v) @ grad
    share = v @ (_inverse_differences(w) * product) @ mH(v)
    return (share + mH(share)) / 2


@defines(_EIGH)
@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: Literal["L", "U"] = "L") -> EighResult:
    """Give the eigenvalues of symmetric matrices, in rising order, and the eigenvectors as columns.

    A complex matrix is Hermitian. Only the lower triangle is looked at, or the upper one with
    `UPLO="U"`; the gradient takes a for symmetric. Where eigenvalues are equal their vectors are
    arbitrary, and have no finite gradient. The phases of complex vectors are arbitrary, too: what
    is computed from them must not depend on those.
    """
    rules = (by_adjoints(_eigenvalues_rule), by_adjoints(_eigenvectors_rule))
    return EighResult(*outputs(_EIGH, lambda x: np.linalg.eigh(x, UPLO), rules, a))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Literal["L", "U"] = "L") -> Tensor:
    """Give the eigenvalues of symmetric matrices, in rising order."""
    return eigh(a, UPLO).eigenvalues


_EIG = Operation("eig")


def _general_eigenvalues_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    _, v = out
    return np.linalg.solve(mH(v), grad[..., None] * mH(v))


def _general_eigenvectors_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    # C. Boeddeker et al., "On the computation of complex-valued gradients with application to
    # statistically optimum beamforming", 2017, formula 4.77; the vectors keep their length.
    w, v = out
    product = mH(v) @ grad
    length = np.diagonal(product, 0, -2, -1).real[..., None, :]
    inside = conj(_inverse_differences(w)) * (product - mH(v) @ v * length)
    return np.linalg.solve(mH(v), inside @ mH(v))


@defines(_EIG)
@implements(np.linalg.eig)
def eig(a: Any) -> EigResult:
    """Give the eigenvalues of square matrices, and the eigenvectors, of length 1, as columns.

    They are complex unless all eigenvalues are real. Equal eigenvalues and the phases of vectors
    are as in `eigh`.
    """
    rules = (by_adjoints(_general_eigenvalues_rule), by_adjoints(_general_eigenvectors_rule))
    return EigResult(*outputs(_EIG, np.linalg.eig, rules, a))


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Tensor:
    """Give the eigenvalues of square matrices."""
    return eig(a).eigenvalues


_SVD = Operation("svd")


def _thin(out: Any) -> tuple[Any, Any, Any]:
    u, s, vh = out
    return u[..., : s.shape[-1]], s, vh[..., : s.shape[-1], :]


def _singular_values_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    u, _, vh = _thin(out)
    return (u * grad[..., None, :]) @ vh


def _left_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    # J. Townsend, "Differentiating the singular value decomposition", 2016
    u, s, vh = _thin(out)
    grad = _of_first(grad, s.shape[-1], _SVD)
    product = mH(u) @ grad
    skew = product - mH(product)
    inside = u @ (_inverse_differences(s * s) * skew * s[..., None, :])
    if skew.dtype.kind == "c":  # the phases of U and V turn together
        turning = np.diagonal(skew, 0, -2, -1) / (4 * s)
        inside = inside + u * turning[..., None, :]
    if u.shape[-2] > u.shape[-1]:
        inside = inside + (grad - u @ product) / s[..., None, :]
    return inside @ vh


def _right_rule(grad: Any, out: Any, x: Any) -> Any:
    # These are the left ones of the adjoint matrix.
    u, s, vh = out
    return mH(_left_rule(mH(grad), (mH(vh), s, mH(u)), x))


@defines(_SVD)
@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Give U, S and Vh for which a = (U * S) @ Vh: S in falling order, the others orthogonal.

    `full_matrices` fills U and Vh up to square ones; what is filled up has no gradient. Of matrices
    that are said to be `hermitian` the lower triangle is looked at, as in NumPy.
    Where singular values are equal their vectors are arbitrary, and have no finite gradient.
    """
    if not compute_uv:
        return svdvals(a)
    rules = tuple(map(by_adjoints, (_left_rule, _singular_values_rule, _right_rule)))

    def function(x: Any) -> Any:
        known: Any = {"hermitian": True} if hermitian else {}  # which CuPy has not
        return np.linalg.svd(x, full_matrices=full_matrices, **known)

    return SVDResult(*outputs(_SVD, function, rules, a))


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Tensor:
    """Give the singular values, in falling order."""
    values: Tensor = svd(x, full_matrices=False).S
    return values
