"""Reductions: one number out of many, over all entries or along axes; and running ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinytorch.arrays.kind import evaluate
from tinytorch.arrays.words import keep, mean
from tinytorch.engine import Node, Rule
from tinytorch.operations.elementwise import Elementwise, where
from tinytorch.operations.indexing import sort, take_along_axis
from tinytorch.operations.operation import (
    Operation,
    apply,
    as_method,
    refuse_unknown,
    torch_spelling,
)
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.shape import moveaxis

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

Axis: TypeAlias = int | tuple[int, ...] | None


def axes_of(x: Any, axis: Axis) -> tuple[int, ...]:
    """Name the axes counted from the front."""
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(i + x.ndim if i < 0 else i for i in axes)


def count(x: Any, axis: Axis) -> int:
    """Count the entries that make one entry of the reduction."""
    return x.size if axis is None else math.prod([x.shape[i] for i in axes_of(x, axis)])


def largest(x: Any, axis: Axis) -> Any:
    """Give the largest entry along `axis`, which is kept with size 1; 0 if there is none."""
    return (x.max if x.size else x.sum)(axis=axis, keepdims=True)


def reduction(
    function: Callable[..., Any],
    rule: Rule,
    doc: str,
    name: str | None = None,
    faster: Callable[..., Any] | None = None,
) -> Callable[..., Tensor]:
    """Write down a reduction: `function(x, axis, keepdims, *parameters)`.

    `faster` does the same as a function of NumPy's.

    Its rule is `rule(grad, out, x, axis, *parameters)`; `grad` and `out` come with the reduced axes
    kept at size 1, so that they broadcast against x.
    """
    name = name or function.__name__
    op = Operation(name, None, function, (rule,), doc)
    in_numpy: bool = getattr(np, name, None) is function

    def by_method(x: Any, **options: Any) -> Any:
        return getattr(x, name)(**options)

    # NumPy's function would only call the method, and takes its time.
    compute = faster or (by_method if in_numpy else function)

    @torch_spelling
    def method(self: Any, axis: Axis = None, keepdims: bool = False, **parameters: Any) -> Any:
        refuse_unknown(parameters, rule, op)
        if isinstance(axis, list):
            axis = tuple(axis)

        def value(x: Any) -> Any:
            return compute(x, axis=axis, keepdims=keepdims, **parameters)

        def share(grad: Any, out: Any, x: Any) -> Any:
            if axis is not None and not keepdims:
                axes = axes_of(x, axis)
                kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
                grad, out = grad.reshape(kept), out.reshape(kept)
            return rule(grad, out, x, axis, **parameters)

        return apply(op, value, (share,), self)

    as_method(op, method)
    if in_numpy:
        # The third position, keepdims here and in PyTorch, is dtype= or out= in NumPy.
        numpy_functions[function] = lambda a, axis=None, **kwargs: method(a, axis, **kwargs)
    return method


def _extreme_rule(grad: Any, out: Any, x: Any, axis: Axis) -> Any:
    # All entries that tie share equally.
    won = x == out
    return keep(won, grad / won.sum(axis=axis, keepdims=True, dtype=grad.dtype))


def _products_before(x: Any) -> Any:
    """Give for each entry along the last axis the product of all entries before it."""
    return np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1), axis=-1)


def _prod_rule(grad: Any, out: Any, x: Any, axis: Axis) -> Any:  # noqa: ARG001
    # The product of all others, without dividing by an entry that may be 0.
    axes = axes_of(x, axis)
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    moved = np.transpose(x, order)
    line = moved.reshape([*moved.shape[: x.ndim - len(axes)], count(x, axis)])
    others = _products_before(line) * _products_before(line[..., ::-1])[..., ::-1]
    return grad * np.transpose(others.reshape(moved.shape), np.argsort(order).tolist())


def _sums_from_behind(grad: Any, factors: Any) -> Any:
    """Solve s[k] = grad[k] + factors[k + 1] * s[k + 1] along the last axis, from the last k on."""
    sums = [grad[..., -1]]
    for k in range(grad.shape[-1] - 2, -1, -1):
        sums.append(grad[..., k] + factors[..., k + 1] * sums[-1])
    return np.stack(sums[::-1], axis=-1)


def _cumprod_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    return _products_before(x) * _sums_from_behind(grad, x)


def _logcumsumexp_rule(grad: Any, out: Any, x: Any) -> Any:
    steps = np.exp(np.concatenate([out[..., :1], out[..., :-1]], axis=-1) - out)
    return np.exp(x - out) * _sums_from_behind(grad, steps)


def running(function: Callable[..., Any], rule: Rule, doc: str, name: str) -> Callable[..., Tensor]:
    """Write down an operation that runs along an axis; function and rule see it as the last one.

    Without `axis`, over all entries in one row, as in NumPy.
    """
    op = Operation(name, None, function, (rule,), doc)

    @torch_spelling
    def method(self: Any, axis: int | None = None) -> Any:
        if axis is None:
            return method(self.reshape(-1), 0)
        line = np.moveaxis(self, axis, -1)
        if line.size:
            line = apply(op, lambda x: function(x, axis=-1), (rule,), line)
        return np.moveaxis(line, -1, axis)

    return as_method(op, method)


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = largest(x, axis)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum is -inf
        out = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return out if keepdims else out.squeeze(axis)


def _lower_median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.quantile(x, 0.5, axis=axis, keepdims=keepdims, method="lower")


def _var_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:  # noqa: ARG001
    return grad * 2 * (x - x.mean(axis=axis, keepdims=True)) / (count(x, axis) - ddof)


def _std_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:
    deviation = x - x.mean(axis=axis, keepdims=True)
    # Where all entries are equal, the slope is set to 0.
    return grad * deviation / (np.where(out == 0, np.inf, out) * (count(x, axis) - ddof))


variance = reduction(np.var, _var_rule, "The variance: sum((x - mean)**2) / (n - ddof)")
deviation = reduction(np.std, _std_rule, "The standard deviation: the root of the variance")


@implements(np.nansum)
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Give the sum of the entries that are not nan."""
    return where(np.isnan(x), 0, x).sum(axis, keepdims)


@implements(np.nanmean)
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Give the mean of the entries that are not nan."""
    numbers = np.sum(np.logical_not(np.isnan(x)), axis=axis, keepdims=keepdims)
    return nansum(x, axis, keepdims) / numbers


def _latest_extreme(x: Any, function: np.ufunc, axis: int) -> Tensor:
    running = evaluate(f"{function.__name__}.accumulate", function.accumulate, x.data, axis=axis)
    places = np.indices(x.shape, sparse=True)[axis]
    latest = np.maximum.accumulate(np.where(x.data == running, places, 0), axis=axis)
    return take_along_axis(x, latest, axis)


@implements(np.quantile)
def quantile(
    x: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Any:
    """Give the value below which the fraction `q` of the entries is, a number or an array of them.

    Between two entries `method` decides: "linear", "lower", "higher", "midpoint" or "nearest". The
    axes of q come first. Raises ValueError for q outside 0 to 1 and for another method.
    """
    q = np.asarray(q, dtype=x.dtype)
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError(f"quantile: q lies between 0 and 1, got {q}")
    axes = axes_of(x, axis)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    line = moveaxis(x, axes, range(len(axes)))
    line = sort(line.reshape(-1, *line.shape[len(axes) :]), axis=0)
    place = q * (line.shape[0] - 1)
    low, high = np.floor(place), np.ceil(place)
    weights = {
        "linear": place - low,
        "lower": np.zeros_like(place),
        "higher": np.ones_like(place),
        "midpoint": np.full_like(place, 0.5),
        "nearest": np.round(place) - low,
    }
    if method not in weights:
        raise ValueError(f"quantile: method is one of {', '.join(weights)}, got {method!r}")
    weight = weights[method].reshape(q.shape + (1,) * (line.ndim - 1))
    below, above = line[low.astype(int)], line[high.astype(int)]
    out = below + weight * (above - below)
    out = where(np.isnan(line[-1]), np.nan, out)  # a nan is sorted to the end
    return out.reshape(q.shape + kept) if keepdims else out


@implements(np.median)
def median(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the middle one of the sorted entries, or the mean of the middle two."""
    return quantile(x, 0.5, axis, keepdims, method="midpoint")


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate y over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        dx = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    return ((y[..., 1:] + y[..., :-1]) * dx / 2).sum(axis=-1)


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""
    if n < 0:
        raise ValueError(f"diff: n is 0 or more, got {n}")
    if n == 0:
        return x
    line = np.moveaxis(x, axis, -1)
    parts = [_end(prepend, line, axis), line, _end(append, line, axis)]
    line = np.concatenate([part for part in parts if part is not None], axis=-1)
    for _ in range(n):
        line = line[..., 1:] - line[..., :-1]
    return np.moveaxis(line, -1, axis)


def _end(values: Any, line: Any, axis: int) -> Any:
    if values is None or values is np._NoValue:
        return None
    if np.ndim(values) == 0:
        return np.broadcast_to(values, (*line.shape[:-1], 1))
    return np.moveaxis(values, axis, -1)


@implements(np.gradient)
def gradient(f: Any, *spacing: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Estimate the derivative along each axis: second-order differences inside.

    `spacing` is a step or the coordinates, one for all axes or one for each; the differences at
    the two ends are of order `edge_order`, 1 or 2. Several axes give a tuple.
    """
    axes = axes_of(f, axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise TypeError(f"gradient: {len(axes)} axes take as many spacings, got {len(spacing)}")
    slopes = tuple(_slope(f, h, i, edge_order) for i, h in zip(axes, steps, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    line = np.moveaxis(f, axis, -1)
    if edge_order not in (1, 2) or line.shape[-1] <= edge_order:
        raise ValueError(
            f"gradient: edge_order is 1 or 2 and needs more entries than that, got {edge_order} "
            f"for {line.shape[-1]} entries along axis {axis}"
        )
    step = np.diff(spacing) if np.ndim(spacing) else np.full(line.shape[-1] - 1, spacing)
    step = step.astype(line.dtype)
    slope = (line[..., 1:] - line[..., :-1]) / step
    # The parabola through three points: its slope at the middle one, and at the ends.
    left, right = step[:-1], step[1:]
    bend = (slope[..., 1:] - slope[..., :-1]) / (left + right)
    inside = slope[..., :-1] + bend * left
    first, last = slope[..., :1], slope[..., -1:]
    if edge_order == 2:
        first, last = first - bend[..., :1] * left[:1], last + bend[..., -1:] * right[-1:]
    return np.moveaxis(np.concatenate([first, inside, last], axis=-1), -1, axis)


class Reductions(Node):
    """Sums, means, extremes and the like; `axis` and `keepdims`, or `dim` and `keepdim`."""

    __slots__ = ()

    sum = reduction(np.sum, lambda grad, out, x, axis: grad, "The sum")
    mean = reduction(
        np.mean,
        lambda grad, out, x, axis: grad / max(count(x, axis), 1),
        "The mean: sum / n",
        faster=mean,
    )
    prod = reduction(np.prod, _prod_rule, "The product")
    amax = reduction(np.max, _extreme_rule, "The largest entry", "max")
    amin = reduction(np.min, _extreme_rule, "The smallest entry", "min")
    logsumexp = reduction(
        _logsumexp,
        lambda grad, out, x, axis: grad * np.exp(x - np.where(out == -np.inf, 0, out)),
        "log(sum(exp(x))), without overflow",
        "logsumexp",
    )
    median = reduction(
        _lower_median,
        _extreme_rule,
        "The middle one of the sorted entries, the lower of two (np.median: their mean)",
        "median",
    )

    cumsum = running(
        np.cumsum,
        lambda grad, out, x: np.cumsum(grad[..., ::-1], axis=-1)[..., ::-1],
        "The sums of the entries up to each",
        "cumsum",
    )
    cumprod = running(
        np.cumprod, _cumprod_rule, "The products of the entries up to each", "cumprod"
    )
    logcumsumexp = running(
        np.logaddexp.accumulate, _logcumsumexp_rule, "The logsumexp up to each", "logcumsumexp"
    )

    nansum = torch_spelling(nansum)
    nanmean = torch_spelling(nanmean)
    quantile = torch_spelling(quantile)
    diff = torch_spelling(diff)

    @torch_spelling
    def max(self: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Give the largest entry along `axis`; with a tensor, array or float the larger of each."""
        return Elementwise.maximum(self, axis) if _is_operand(axis) else self.amax(axis, keepdims)

    @torch_spelling
    def min(self: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Give the smallest entry along `axis`; with a tensor, array or float the smaller one."""
        return Elementwise.minimum(self, axis) if _is_operand(axis) else self.amin(axis, keepdims)

    @torch_spelling
    def var(self, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Tensor:
        """Give the variance: sum((x - mean)**2) / (n - correction)."""
        return variance(self, axis, keepdims, ddof=correction)

    @torch_spelling
    def std(self, axis: Axis = None, correction: float = 1, keepdims: bool = False) -> Tensor:
        """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""
        return deviation(self, axis, keepdims, ddof=correction)

    @torch_spelling
    def cummax(self, axis: int) -> Tensor:
        """Give the largest entry up to each; of tied ones the last gets the gradient."""
        return _latest_extreme(self, np.maximum, axis)

    @torch_spelling
    def cummin(self, axis: int) -> Tensor:
        """Give the smallest entry up to each; of tied ones the last gets the gradient."""
        return _latest_extreme(self, np.minimum, axis)

    @torch_spelling
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the largest entry, as plain integers."""
        return np.argmax(self._data, axis=axis, keepdims=keepdims)

    @torch_spelling
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the smallest entry, as plain integers."""
        return np.argmin(self._data, axis=axis, keepdims=keepdims)

    @torch_spelling
    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether any entry is not 0, as plain truth values."""
        return np.any(self._data, axis=axis, keepdims=keepdims)

    @torch_spelling
    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether all entries are not 0, as plain truth values."""
        return np.all(self._data, axis=axis, keepdims=keepdims)

    @torch_spelling
    def count_nonzero(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Count the entries that are not 0, as plain integers."""
        return np.count_nonzero(self._data, axis=axis, keepdims=keepdims)


def _is_operand(axis: Any) -> bool:
    """Tell the other operand in x.max(y) from an axis, a whole number or a tuple of them."""
    return isinstance(axis, Node | float) or (
        hasattr(axis, "__array_function__") and not np.issubdtype(axis.dtype, np.integer)
    )


numpy_functions[np.amax] = numpy_functions[np.max]
numpy_functions[np.amin] = numpy_functions[np.min]
