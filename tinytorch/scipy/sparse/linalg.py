"""Products with, and solutions of, a constant sparse matrix: linear, so each other's transpose."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinytorch.arrays.kind import evaluate
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import operand

_PRODUCT = Operation("sparse_product", module=__name__)
_SPSOLVE = Operation("spsolve", module=__name__)


class _LinearOperator:
    """A constant matrix A that multiplies tensors: `A @ x`, and `A.T @ x`."""

    def __init__(self, A: Any) -> None:
        self._matrix = A
        self.shape = A.shape

    @property
    def T(self) -> _LinearOperator:
        """The transpose."""
        return _LinearOperator(self._matrix.T)

    def __matmul__(self, x: Any) -> Any:
        x = operand(x)
        if x.ndim not in (1, 2) or x.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} doesn't multiply shape {x.shape}")
        return self._times(x)

    dot = matvec = matmat = __matmul__

    def rmatvec(self, x: Any) -> Any:
        """Give A.T @ x."""
        return self.T @ x

    def _times(self, x: Any) -> Any:
        def of_arrays(x: Any) -> Any:
            return (self._matrix @ x).astype(x.dtype, copy=False)

        return apply(
            _PRODUCT,
            lambda x: evaluate(_PRODUCT, of_arrays, x),
            (lambda grad, out, x: self.T._times(grad),),
            x,
        )


def aslinearoperator(A: Any) -> _LinearOperator:
    """Give what multiplies tensors as the constant matrix A does: `aslinearoperator(A) @ x`.

    A is sparse, or an array. Raises ValueError for what is no matrix of real numbers.

    >>> from scipy.sparse import csr_array
    >>> aslinearoperator(csr_array([[0, 1], [2, 0]])) @ [3.0, 4.0]
    Tensor([4., 6.], requires_grad=False)
    """
    if getattr(A, "ndim", 0) != 2 or A.dtype.kind not in "fiub":
        raise ValueError(f"aslinearoperator: expected a matrix of real numbers, got {A!r}")
    return _LinearOperator(A)


def spsolve(A: Any, b: Any) -> Any:
    """Give the x of which A @ x is b, a row or columns; A is a constant sparse matrix.

    A is factored once, for the derivatives too. Raises ValueError for shapes that don't fit,
    RuntimeError for a singular matrix.

    >>> from scipy.sparse import csr_array
    >>> spsolve(csr_array([[0, 1], [2, 0]]), [4.0, 6.0])
    Tensor([3., 4.], requires_grad=False)
    """
    b = operand(b)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or b.shape[:1] != A.shape[:1] or b.ndim > 2:
        raise ValueError(f"spsolve: A has shape {A.shape}, b {b.shape}")
    return _solved(import_module("scipy.sparse.linalg").splu(A.tocsc().astype(float)), "N", b)


def _solved(factors: Any, trans: str, b: Any) -> Any:
    def of_arrays(b: Any) -> Any:
        return factors.solve(b.astype(float), trans).astype(b.dtype, copy=False)

    turned = "N" if trans == "T" else "T"
    return apply(
        _SPSOLVE,
        lambda b: evaluate(_SPSOLVE, of_arrays, b),
        (lambda grad, out, b: _solved(factors, turned, grad),),
        b,
    )
