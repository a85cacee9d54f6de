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
from tinytorch.operations.ordering import has_slope, places_of, spread, weighted_quantile
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.reductions import Axis, Reductions, axes_of
from tinytorch.operations.samples import as_operand, values_of
from tinytorch.operations.shape import moveaxis


def squared_modulus(x: Any) -> Any:
    """Give |x| ** 2, which is real."""
    return (x * np.conj(x)).real if x.dtype.kind == "c" else x * x


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
def nanprod(a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = 1) -> Any:
    """Give the product of the entries that are not nan, and of `initial`."""
    return where(np.isnan(a), 1, a).prod(axis, keepdims) * initial


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
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Give the variance of the entries that are not nan; their number less `ddof` divides.

    Their `mean` may be given, with the axes kept at size 1.
    """
    none = np.isnan(a)
    number = np.sum(~none, axis=axis, keepdims=True)
    if mean is None:
        mean = where(none, 0, a).sum(axis, keepdims=True) / np.maximum(number, 1)
    deviation = where(none, 0, a - mean)
    freedom = number.reshape(np.sum(none, axis=axis, keepdims=keepdims).shape)
    squares = squared_modulus(deviation).sum(axis, keepdims)
    freedom = (freedom - (ddof if correction is None else correction)).astype(squares.dtype)
    return where(freedom > 0, squares / np.where(freedom > 0, freedom, 1), np.nan)


@implements(np.nanstd)
def nanstd(a: Any, axis: Axis = None, **options: Any) -> Any:
    """Give the root of the variance of the entries that are not nan."""
    return root(nanvar(a, axis, **options))


@implements(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """Give the value below which the fraction `q` of the entries that are not nan is.

    `method` is any of NumPy's, and the axes of q come first, as in np.quantile.
    """
    a, axes = as_operand(a), axes_of(a, axis)
    if weights is not None:
        none = np.isnan(values_of(a))
        weights = np.where(none, 0, spread(values_of(weights), a, axes))
        return weighted_quantile(where(none, np.inf, a), q, axis, method, keepdims, weights)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    line = moveaxis(a, axes, range(len(axes)))
    line = sort(line.reshape(-1, *line.shape[len(axes) :]), axis=0)  # nan goes to the end
    rest = line.shape[1:]
    counts = np.sum(~np.isnan(line), axis=0).reshape(-1)
    fractions = np.reshape(values_of(q).astype(np.float64), -1)
    n_q = fractions.size
    if method == "linear":
        places_of(fractions, 1, method)  # which checks them
        place = own(fractions[:, None], counts) * np.maximum(counts - 1, 0)
    else:  # each number of entries has a place of its own
        counts = at_hand(counts)
        each = {n: places_of(fractions, max(int(n), 1), method) for n in {*counts}}
        place = np.stack([each[n] for n in counts], axis=1) if counts.size else np.zeros((n_q, 0))
    place = place.reshape(n_q, *rest)
    low, high = np.floor(place), np.ceil(place)
    below, above = (take_along_axis(line, at.astype(int), 0) for at in (low, high))
    if has_slope(q, method):
        place = np.reshape(q, (n_q, *(1,) * len(rest))) * (counts.reshape(rest) - 1)
    out = below + own((place - low).astype(a.dtype), a) * (above - below)
    return out.reshape(np.shape(q) + (kept if keepdims else rest))


@implements(np.nanpercentile)
def nanpercentile(a: Any, q: Any, axis: Axis = None, **options: Any) -> Any:
    """Give the value below which `q` percent of the entries that are not nan are."""
    return nanquantile(a, np.true_divide(q, 100), axis, **options)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the middle one of the sorted entries that are not nan, or the mean of two."""
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


def _with_keywords(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let NumPy's `dtype=` say what is computed with, and `where=` what counts: nan does not."""
    plainly = function

    def chosen(a: Any, *args: Any, dtype: Any = None, where: Any = True, **options: Any) -> Any:
        x = a if dtype is None else Arithmetic.astype(a, dtype)
        return plainly(x if where is True else _where(where, x, np.nan), *args, **options)

    chosen.__doc__ = plainly.__doc__
    return chosen


for _function in (np.nanmean, np.nanprod, np.nanvar, np.nanstd, np.nancumsum, np.nancumprod):
    implements(_function)(_with_keywords(numpy_functions[_function]))
