"""NumPy's statistics: averages with weights, covariances, and the keywords of its reductions.

A reduction of NumPy's takes `where=`, which says what counts, `initial=`, which counts besides, and
`dtype=`; the functions here see to them and hand on the rest.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.words import conj
from tinytorch.engine import Node
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import where
from tinytorch.operations.nans import root, squared_modulus
from tinytorch.operations.ordering import quantile
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.reductions import Axis, axes_of
from tinytorch.operations.samples import as_operand

_where = where


def _reduction(
    function: Callable[..., Any], neutral: float | None, add: Callable[[Any, Any], Any]
) -> None:
    """Let NumPy's reduction take `where=`, `initial=`, `dtype=`; what doesn't count is neutral."""
    plainly = numpy_functions[function]

    def reduced(
        a: Any,
        axis: Axis = None,
        where: Any = True,
        initial: Any = None,
        dtype: Any = None,
        **options: Any,
    ) -> Any:
        x = a if dtype is None else Arithmetic.astype(a, dtype)
        if where is not True:
            instead = initial if neutral is None else neutral
            if instead is None:
                raise ValueError(f"{function.__name__}: where= needs initial= beside it")
            x = _where(where, x, instead)
        out = plainly(x, axis, **options)
        return out if initial is None else add(out, initial)

    reduced.__doc__ = plainly.__doc__
    implements(function)(reduced)


_reduction(np.sum, 0, lambda out, initial: out + initial)
_reduction(np.nansum, 0, lambda out, initial: out + initial)
_reduction(np.prod, 1, lambda out, initial: out * initial)
_reduction(np.max, None, np.maximum)
_reduction(np.min, None, np.minimum)
numpy_functions[np.amax] = numpy_functions[np.max]
numpy_functions[np.amin] = numpy_functions[np.min]


def _mean_where(a: Any, axis: Axis, where: Any, keepdims: bool) -> tuple[Any, Any]:
    """Give the mean of what counts, and its number."""
    number = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    return _where(where, a, 0).sum(axis, keepdims) / number, number


def _moment(function: Callable[..., Any]) -> None:
    """Let NumPy's mean, variance or deviation take `where=`, `dtype=`, `mean=`, `correction=`."""
    plainly, name = numpy_functions[function], function.__name__

    def moment(
        a: Any,
        axis: Axis = None,
        where: Any = True,
        dtype: Any = None,
        mean: Any = None,
        **options: Any,
    ) -> Any:
        x = a if dtype is None else Arithmetic.astype(a, dtype)
        if "correction" in options:
            options["ddof"] = options.pop("correction")
        if where is True and mean is None:
            return plainly(x, axis, **options)
        keepdims, ddof = options.pop("keepdims", False), options.pop("ddof", 0)
        if options:
            raise TypeError(f"np.{name}: where= and mean= go with axis=, keepdims=, ddof=, dtype=")
        if name.endswith("mean"):
            return _mean_where(x, axis, where, keepdims)[0]
        middle = _mean_where(x, axis, where, True)[0] if mean is None else mean
        apart = _where(where, x - middle, 0)
        square, number = _mean_where(squared_modulus(apart), axis, where, keepdims)
        spread = square * number / np.maximum(number - ddof, 0)
        return root(spread) if name.endswith("std") else spread

    moment.__doc__ = plainly.__doc__
    implements(function)(moment)


for _function in (np.mean, np.var, np.std):
    _moment(_function)


@implements(np.ptp)
def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the largest entry minus the smallest."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@implements(np.percentile)
def percentile(a: Any, q: Any, axis: Axis = None, **options: Any) -> Any:
    """Give the value below which `q` percent of the entries are, as np.quantile."""
    return quantile(a, np.true_divide(q, 100), axis, **options)


@implements(np.average)
def average(
    a: Any,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Give sum(weights * a) / sum(weights), and also that last sum if `returned`.

    Weights of another shape than a's have that of the axes which are averaged over.
    Raises ValueError where they have neither.
    """
    a = a if isinstance(a, Node) else np.asarray(a)
    if weights is None:
        out = a.mean(axis=axis, keepdims=keepdims)
        total: Any = a.size / max(out.size, 1)
    else:
        weights = _weights(a, axis, weights)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        out = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (out, np.broadcast_to(total, out.shape)) if returned else out


def _weights(a: Any, axis: Axis, weights: Any) -> Any:
    weights = weights if isinstance(weights, Node) else np.asarray(weights)
    if weights.shape == a.shape:
        return weights
    axes = axes_of(a, axis)
    if axis is None or weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError(
            f"average: weights have the shape {a.shape} of a, or that of the axes averaged over, "
            f"got {weights.shape}"
        )
    order = np.argsort(axes).tolist()
    kept = tuple(n if i in axes else 1 for i, n in enumerate(a.shape))
    return np.broadcast_to(np.transpose(weights, order).reshape(kept), a.shape)


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Give the covariances of the rows of m (and y): sum((x - mean) (y - mean)) / (n - 1).

    Of complex numbers the second factor is conjugated. Not `rowvar`, of the columns. Weights
    multiply the observations: by how often each is there (`fweights`), and how much each counts
    (`aweights`).
    """
    x = _observations(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _observations(y, rowvar)])
    if dtype is not None:
        x = Arithmetic.astype(x, dtype)
    ddof = float(not bias) if ddof is None else ddof
    parts = [w for w in (fweights, aweights) if w is not None]
    if not parts:
        apart = x - x.mean(axis=1, keepdims=True)
        return np.squeeze(apart @ conj(apart).T / max(x.shape[1] - ddof, 0))
    w: Any = functools.reduce(operator.mul, map(as_operand, parts))
    total = np.sum(w)
    apart = x - np.sum(x * w, axis=1, keepdims=True) / total
    lost = ddof if aweights is None else ddof * np.sum(w * aweights) / total
    freedom = total - lost
    freedom = freedom if isinstance(freedom, Node) else float(freedom)
    return np.squeeze((apart * w) @ conj(apart).T / freedom)


def _observations(m: Any, rowvar: bool) -> Any:
    rows = np.atleast_2d(m)
    if rows.ndim > 2:
        raise ValueError(f"cov: expected at most two axes, got shape {rows.shape}")
    return rows if rowvar or rows.shape[0] == 1 else rows.T


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Give the correlations of the rows of x (and y): their covariances by both deviations."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.diagonal(c).real)
    out = c / deviation[:, None] / deviation
    if out.dtype.kind == "c":
        return np.clip(out.real, -1, 1) + np.clip(out.imag, -1, 1) * 1j
    return np.clip(out, -1, 1)
