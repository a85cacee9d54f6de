"""SciPy's special functions that are no ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.operations.activations import Activations
from tinytorch.operations.reductions import Axis, Reductions
from tinytorch.scipy.words import call, operand


def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Any:
    """Give log(sum(b * exp(a))), without overflow; b is positive or 0."""
    a = operand(a)
    shifted = a if b is None else a + np.log(b)
    return Reductions.logsumexp(shifted, axis, keepdims)


def softmax(x: Any, axis: int | None = None) -> Any:
    """Give exp(x) / sum(exp(x)), over `axis` or all entries."""
    return _along(Activations.softmax, x, axis)


def log_softmax(x: Any, axis: int | None = None) -> Any:
    """Give the logarithm of softmax(x)."""
    return _along(Activations.log_softmax, x, axis)


def _along(function: Any, x: Any, axis: int | None) -> Any:
    x = operand(x)
    if axis is not None:
        return function(x, axis)
    return np.reshape(function(np.reshape(x, -1), -1), x.shape)


def multigammaln(a: Any, d: int) -> Any:
    """Give the logarithm of the gamma function of d dimensions."""
    a = operand(a)
    shifted = a[..., None] - own(np.arange(d).astype(a.dtype) / 2, a)
    return call("gammaln", shifted).sum(axis=-1) + d * (d - 1) / 4 * math.log(math.pi)


def polygamma(n: int, x: Any) -> Any:
    """Give the n-th derivative of digamma."""
    x = operand(x)
    if n == 0:
        return call("psi", x)
    return call("zeta", n + 1.0, x) * ((-1) ** (n + 1) * math.factorial(n))
