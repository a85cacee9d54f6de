"""NumPy's statistics of the entries that are not nan.

Where all entries are nan, the result is nan, without NumPy's warning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import at_hand, own
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import sort, take_along_axis
from tinytorch.operations.protocols import implements
from tinytorch.operations.reductions import Axis, Reductions, axes_of
from tinytorch.operations.shape import moveaxis

numpys_quantile: Any = np.quantile


def root(square: Any) -> Any:
    """Give the square root, whose slope is set to 0 where it is 0, as that of a deviation."""
    flat = square == 0
    return where(flat, 0, np.sqrt(where(flat, 1, square)))


def _extreme(name: str, worst: float) -> Callable[..., Any]:
    reduce: Callable[..., Any] = getattr(Reductions, name)

    def extreme(
        a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        """Give the extreme entry that is not nan; ties share the gradient."""
        none = np.isnan(a) | np.logical_not(where)
        out = reduce(_where(none, worst, a), axis, keepdims)
        out = _where(np.all(none, axis=axis, keepdims=keepdims), np.nan, out)
        compare = np.fmax if worst < 0 else np.fmin
        return out if initial is None else compare(out, initial)

    return extreme


_where = where
nanmax = implements(np.nanmax)(_extreme("amax", -np.inf))
nanmin = implements(np.nanmin)(_extreme("amin", np.inf))


@implements(np.nanprod)
def nanprod(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the product of the entries that are not nan."""
    return where(np.isnan(a), 1, a).prod(axis, keepdims)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None) -> Any:
    """Give the sums up to each entry of those that are not nan."""
    return Reductions.cumsum(where(np.isnan(a), 0, a), axis)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None) -> Any:
    """Give the products up to each entry of those that are not nan."""
    return Reductions.cumprod(where(np.isnan(a), 1, a), axis)


@implements(np.nanvar)
def nanvar(
    a: Any,
    axis: Axis = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Any:
    """Give the variance of the entries that are not nan; their number less `ddof` divides."""
    none = np.isnan(a)
    number = np.sum(~none, axis=axis, keepdims=True)
    mean = where(none, 0, a).sum(axis, keepdims=True) / np.maximum(number, 1)
    deviation = where(none, 0, a - mean)
    freedom = number.reshape(np.sum(none, axis=axis, keepdims=keepdims).shape)
    freedom = (freedom - (ddof if correction is None else correction)).astype(a.dtype)
    squares = (deviation * deviation).sum(axis, keepdims)
    return where(freedom > 0, squares / np.where(freedom > 0, freedom, 1), np.nan)


@implements(np.nanstd)
def nanstd(a: Any, axis: Axis = None, **options: Any) -> Any:
    """Give the root of the variance of the entries that are not nan."""
    return root(nanvar(a, axis, **options))


@implements(np.nanquantile)
def nanquantile(
    a: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    """Give the value below which the fraction `q` of the entries that are not nan is.

    `method` is any of NumPy's, and the axes of q come first, as in np.quantile.
    """
    q, axes = np.asarray(q, np.float64), axes_of(a, axis)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    line = moveaxis(a, axes, range(len(axes)))
    line = sort(line.reshape(-1, *line.shape[len(axes) :]), axis=0)  # nan goes to the end
    rest = line.shape[1:]
    counts = at_hand(np.sum(~np.isnan(line), axis=0).reshape(-1))  # each has a place of its own
    # The quantile of 0, 1, ..., n - 1 is the place of that of n sorted entries.
    each = {
        n: numpys_quantile(np.arange(max(n, 1.0)), q.reshape(-1), method=method) for n in {*counts}
    }
    place = np.stack([each[n] for n in counts], axis=1) if counts.size else np.zeros((q.size, 0))
    place = place.reshape(q.size, *rest)
    low, high = np.floor(place), np.ceil(place)
    below, above = (take_along_axis(line, at.astype(int), 0) for at in (low, high))
    out = below + own((place - low).astype(a.dtype), a) * (above - below)
    return out.reshape(q.shape + (kept if keepdims else rest))


@implements(np.nanpercentile)
def nanpercentile(a: Any, q: Any, axis: Axis = None, **options: Any) -> Any:
    """Give the value below which `q` percent of the entries that are not nan are."""
    return nanquantile(a, np.true_divide(q, 100), axis, **options)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the middle one of the sorted entries that are not nan, or the mean of two."""
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


def _with_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let NumPy's `dtype=` say what is computed with."""
    plainly = function

    def converted(a: Any, *args: Any, dtype: Any = None, **options: Any) -> Any:
        return plainly(a if dtype is None else Arithmetic.astype(a, dtype), *args, **options)

    return converted


for _function in (np.nanprod, np.nancumsum, np.nancumprod, np.nanvar, np.nanstd):
    implements(_function)(_with_dtype(globals()[_function.__name__]))
