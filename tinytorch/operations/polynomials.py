"""NumPy's polynomials: rows of coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.samples import as_operand, convolve, values_of


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """Give p[0] * x**(n-1) + ... + p[n-1], by Horner's scheme."""
    if isinstance(x, np.poly1d):
        raise TypeError("polyval: of a polynomial of tensors, x is an array or a tensor")
    x = as_operand(x)
    out: Any = np.zeros_like(x)
    for coefficient in p:
        out = out * x + coefficient
    return out


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """Add two polynomials."""
    a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
    n = max(a1.size, a2.size)
    return np.pad(a1, (n - a1.size, 0)) + np.pad(a2, (n - a2.size, 0))


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """Subtract one polynomial from another."""
    return polyadd(a1, -as_operand(a2))


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """Multiply two polynomials."""
    return convolve(np.atleast_1d(a1), np.atleast_1d(a2))


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """Differentiate a polynomial, `m` times."""
    for _ in range(m):
        p = p[:-1] * np.arange(p.size - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """Integrate a polynomial, `m` times; `k` are the constants, by default 0."""
    constants = np.broadcast_to(as_operand(0.0 if k is None else k, p), (m,))
    for i in range(m):
        p = np.concatenate([p / np.arange(p.size, 0, -1), constants[i : i + 1]])
    return p


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Divide one polynomial by another: give the quotient and the remainder."""
    u, v = np.atleast_1d(as_operand(u)), np.atleast_1d(as_operand(v))
    rest, quotient = u, []
    for k in range(u.size - v.size + 1):
        quotient.append(rest[k] / v[0])
        rest = rest - np.pad(quotient[k] * v, (k, u.size - v.size - k))
    zeros = np.isclose(values_of(rest)[:-1], 0, rtol=1e-14)
    leading = int(np.sum(np.cumprod(zeros)))  # NumPy leaves them out
    whole = np.stack(quotient) if quotient else np.zeros(1, np.result_type(u, v))
    return whole, rest[leading:]


_ROOTS = Operation("roots")


@defines(_ROOTS)
@implements(np.roots)
def roots(p: Any) -> Any:
    """Give the roots of a polynomial. Raises TypeError where some are complex numbers.

    Where p(r) stays 0, dr = -sum(r**k dp[k]) / p'(r). A root that is there twice has no gradient.
    """
    return apply(_ROOTS, _real_roots, (_roots_rule,), p)


def _roots_rule(grad: Any, out: Any, p: Any) -> Any:
    return -(grad / np.polyval(np.polyder(p), out)) @ np.vander(out, p.size)


def _real_roots(p: Any) -> Any:
    found = np.roots(p)
    if np.iscomplexobj(found):
        raise TypeError("np.roots: some roots are complex numbers, which have no gradient here")
    return found


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """Give the polynomial with these zeros, or that of a matrix, whose zeros are its eigenvalues.

    The latter by U. Le Verrier's and D. Faddeev's sums of traces.
    """
    x = seq_of_zeros
    if x.ndim == 2 and x.shape[0] == x.shape[1] > 0:
        one = np.eye(x.shape[0], dtype=x.dtype)
        coefficients, power = [one[0, 0]], one
        for k in range(1, x.shape[0] + 1):
            power = x @ power
            coefficients.append(-np.trace(power) / k)
            power = power + coefficients[k] * one
        return np.stack(coefficients)
    if x.ndim != 1:
        raise ValueError(f"poly: expected a row or a square matrix, got shape {x.shape}")
    out: Any = np.ones(1, x.dtype)
    for zero in x:
        out = np.pad(out, (0, 1)) - np.pad(out * zero, (1, 0))
    return out


@implements(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: bool | str = False,
) -> Any:
    """Give the polynomial of degree `deg` that is nearest to the points (x, y): least squares.

    `full` also gives what np.linalg.lstsq gives and `rcond`, `cov` the coefficients' covariances:
    by the sum of squares over its freedoms, unless "unscaled".
    """
    x, y = as_operand(x), as_operand(y)
    matrix = np.vander(x, deg + 1)
    scale = np.sqrt(np.sum(values_of(matrix) ** 2, axis=0))
    matrix = matrix / scale
    rcond = x.size * np.finfo(x.dtype).eps if rcond is None else rcond
    if w is not None:
        w = as_operand(w)
        matrix, y = matrix * w[:, None], y * (w if y.ndim == 1 else w[:, None])
    found, squares, rank, values = np.linalg.lstsq(matrix, y, rcond=rcond)
    coefficients = found / (scale if y.ndim == 1 else scale[:, None])
    if full:
        return coefficients, squares, rank, values, rcond
    if not cov:
        return coefficients
    spread = np.linalg.inv(matrix.T @ matrix) / np.outer(scale, scale)
    spread = spread if y.ndim == 1 else spread[..., None]
    return coefficients, spread if cov == "unscaled" else spread * (squares / (x.size - deg - 1))


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Give the powers of each entry as a row, the highest first unless `increasing`."""
    n = x.shape[-1] if N is None else N
    powers = [x**0]
    while len(powers) < n:
        powers.append(powers[-1] * x)
    columns = powers[:n] if increasing else powers[:n][::-1]
    return np.stack(columns, axis=-1) if columns else np.zeros((*x.shape, 0), x.dtype)
