"""Functions of matrices: the exponential, the logarithm and the square root; they need SciPy.

For all of them f([[A, E], [0, A]]) = [[f(A), L(E)], [0, f(A)]], where L is the derivative at A in
the direction E (N. J. Higham, "Functions of Matrices", 2008, theorem 3.6).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate, kind_of
from tinytorch.operations.operation import Operation, apply


def _derivative(function: Callable[..., Any], a: Any, direction: Any) -> Any:
    n = a.shape[-1]
    upper = np.concatenate([a, direction], -1)
    lower = np.concatenate([np.zeros_like(a), a], -1)
    return function(np.concatenate([upper, lower], -2))[..., :n, n:]


def _matrix_function(name: str, doc: str) -> Callable[[Any], Any]:
    """Write down SciPy's function of square matrices of that name; stacks in the leading axes."""

    def of_arrays(a: Any) -> Any:
        if a.shape[-1] == 0:
            return a
        out = kind_of(a).scipy("linalg", name)(a)
        of_complex = np.iscomplexobj(out)  # as where a has eigenvalues below 0
        return out.astype(np.result_type(a.dtype, 1j) if of_complex else a.dtype, copy=False)

    def value(a: Any) -> Any:
        return evaluate(op, of_arrays, a)

    def function(A: Any) -> Any:
        if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
            raise ValueError(f"{name}: expected square matrices, got shape {A.shape}")
        return apply(op, value, (rule,), A)

    def rule(grad: Any, out: Any, a: Any) -> Any:  # noqa: ARG001
        return _derivative(function, a.swapaxes(-1, -2), grad)

    op = Operation(name, None, value, (rule,), doc)
    function.__name__, function.__doc__, op.method = name, doc, function
    op.__signature__ = inspect.signature(function)
    return function


expm = _matrix_function("expm", "The exponential of square matrices: 1 + A + A @ A / 2 + ...")
logm = _matrix_function("logm", "The logarithm of square matrices: expm(logm(A)) is A")
sqrtm = _matrix_function("sqrtm", "The square root of square matrices: sqrtm(A) @ sqrtm(A) is A")


class MatrixFunctions:
    """PyTorch's one function of matrices."""

    __slots__ = ()

    def matrix_exp(self: Any) -> Any:
        """Give the exponential of square matrices: 1 + A + A @ A / 2 + ...; needs SciPy."""
        return expm(self)
