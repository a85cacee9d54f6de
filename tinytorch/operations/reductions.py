"""Reductions: one number out of many, over all entries or along axes; and running ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from tinytorch.arrays import words
from tinytorch.arrays.kind import evaluate
from tinytorch.arrays.words import half_as_single, keep
from tinytorch.engine import Array, Node, Rule
from tinytorch.operations.arithmetic import set_where
from tinytorch.operations.elementwise import Elementwise, where
from tinytorch.operations.indexing import (
    ValuesIndices,
    along,
    one_along,
    size_along,
    sort,
    take_along_axis,
)
from tinytorch.operations.operation import (
    Operation,
    apply,
    as_method,
    refuse_unknown,
    torch_spelling,
)
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.pytorch import axis_of_scalars
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
    compute = half_as_single(faster or (by_method if in_numpy else function))
    rule = half_as_single(rule)

    @torch_spelling
    def method(self: Any, axis: Axis = None, keepdims: bool = False, **parameters: Any) -> Any:
        refuse_unknown(parameters, rule, op)
        if isinstance(axis, list):
            axis = tuple(axis)
        if axis in (0, -1) and not self.ndim:
            axis = None  # as in PyTorch

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
    # All entries that tie share equally; where one is nan, out is, and nan ties with nan.
    won = (x == out) | np.isnan(x)
    return keep(won, (grad / won.sum(axis=axis, keepdims=True)).astype(grad.dtype))


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
    finite = np.where(out == -np.inf, 0, out)  # where nothing has come yet but -inf
    steps = np.exp(np.concatenate([out[..., :1], out[..., :-1]], axis=-1) - finite)
    return np.exp(x - finite) * _sums_from_behind(grad, steps)


def running(function: Callable[..., Any], rule: Rule, doc: str, name: str) -> Callable[..., Tensor]:
    """Write down an operation that runs along an axis; function and rule see it as the last one.

    Without `axis`, over all entries in one row, as in NumPy.
    """
    op = Operation(name, None, function, (rule,), doc)
    function, rule = half_as_single(function), half_as_single(rule)

    def values(self: Any, axis: int | None = None) -> Any:
        if axis is None:
            return values(self.reshape(-1), 0)
        line = np.moveaxis(self, axis, -1)
        if line.size:
            line = apply(op, lambda x: function(x, axis=-1), (rule,), line)
        return np.moveaxis(line, -1, axis)

    if hasattr(np, name):
        numpy_functions[getattr(np, name)] = values
    return torch_spelling(axis_of_scalars(as_method(op, values)))


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = largest(x, axis)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum is -inf
        out = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return out if keepdims else out.squeeze(axis)


def _lower_median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.quantile(x, 0.5, axis=axis, keepdims=keepdims, method="lower")


def _var_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:  # noqa: ARG001
    return grad * 2 * (x - words.mean(x, axis, keepdims=True)) / (count(x, axis) - ddof)


def _std_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:
    deviation = x - words.mean(x, axis, keepdims=True)
    # Where all entries are equal, the slope is set to 0.
    return grad * deviation / (set_where(out == 0, np.inf, out) * (count(x, axis) - ddof))


lower_median = reduction(
    _lower_median,
    _extreme_rule,
    "The middle one of the sorted entries, the lower of two",
    "median",
)
variance = reduction(
    np.var,
    _var_rule,
    "The variance: sum((x - mean)**2) / (n - ddof)",
    faster=words.variance,
)
deviation = reduction(
    np.std,
    _std_rule,
    "The standard deviation: the root of the variance",
    faster=lambda x, **options: np.sqrt(words.variance(x, **options)),
)


@implements(np.nansum)
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Give the sum of the entries that are not nan."""
    return where(np.isnan(x), 0, x).sum(axis, keepdims)


@implements(np.nanmean)
@half_as_single
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Give the mean of the entries that are not nan."""
    numbers = np.sum(np.logical_not(np.isnan(x)), axis=axis, keepdims=keepdims)
    return nansum(x, axis, keepdims) / numbers


def _latest_extreme(x: Any, function: np.ufunc, axis: int) -> ValuesIndices:
    running = evaluate(f"{function.__name__}.accumulate", function.accumulate, x.data, axis=axis)
    places = np.indices(x.shape, sparse=True)[axis]
    reached = (x.data == running) | np.isnan(x.data)
    latest = np.maximum.accumulate(np.where(reached, places, 0), axis=axis)
    return ValuesIndices(take_along_axis(x, latest, axis), latest)


def _mode_index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
    """Find the last one of the entries that are there most often, the smallest of several such."""
    order = np.moveaxis(np.argsort(data, axis=axis, kind="stable"), axis, -1)
    line = np.take_along_axis(np.moveaxis(data, axis, -1), order, -1)
    places = np.arange(line.shape[-1])
    begins = np.diff(line, axis=-1, prepend=np.nan) != 0
    repeated = places - np.maximum.accumulate(np.where(begins, places, 0), axis=-1)
    last = np.argmax(repeated, axis=-1, keepdims=True)
    return np.moveaxis(np.take_along_axis(order, last, -1), -1, axis)


def _median_index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
    """Find the lower one of the middle entries in sorted order; the first nan if there is one."""
    order = np.argsort(data, axis=axis, kind="stable")
    size, nans = data.shape[axis], np.isnan(data).sum(axis=axis, keepdims=True)
    return np.take_along_axis(order, np.where(nans, size - nans, (size - 1) // 2), axis)


@implements(np.quantile)
def quantile(
    x: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Any:
    """Give the value below which the fraction `q` of the entries is, a number or an array of them.

    Between two entries `method` decides: "linear", "lower", "higher", "midpoint" or "nearest". The
    axes of q come first. Raises ValueError for q outside 0 to 1 and for another method.
    """
    q = np.asarray(q, dtype=np.float64)  # float32 is too coarse to tell large positions apart
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError(f"quantile: q lies between 0 and 1, got {q}")
    if axis in (0, -1) and not x.ndim:
        axis = None  # as in PyTorch
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
    weight = weights[method].astype(x.dtype).reshape(q.shape + (1,) * (line.ndim - 1))
    below, above = line[low.astype(int)], line[high.astype(int)]
    out = below + weight * (above - below)
    out = where(np.isnan(line[-1]), line[-1], out)  # a nan is sorted to the end
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

    sum = reduction(np.sum, lambda grad, out, x, axis: grad, "The sum", faster=words.sum_axes)
    mean = reduction(
        np.mean,
        lambda grad, out, x, axis: grad / max(count(x, axis), 1),
        "The mean: sum / n",
        faster=words.mean,
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
    cumsum = running(
        words.cumsum,
        lambda grad, out, x: words.cumsum(grad[..., ::-1])[..., ::-1],
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

    @overload
    def max(
        self,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        keepdim: bool = False,
    ) -> Tensor: ...
    @overload
    def max(self, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices: ...
    def max(
        self: Any,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        dim: int | None = None,
        keepdim: bool = False,
    ) -> Any:
        """Give the largest entry along `axis`; with a tensor, array or float the larger of each.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
        if _is_operand(axis):
            return Elementwise.maximum(self, axis)
        if _by_dim("max", axis, dim):
            return one_along("max", self, np.argmax, dim, keepdims or keepdim)
        return self.amax(axis, keepdims or keepdim)

    @overload
    def min(
        self,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        keepdim: bool = False,
    ) -> Tensor: ...
    @overload
    def min(self, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices: ...
    def min(
        self: Any,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        dim: int | None = None,
        keepdim: bool = False,
    ) -> Any:
        """Give the smallest entry along `axis`; with a tensor, array or float the smaller one.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
        if _is_operand(axis):
            return Elementwise.minimum(self, axis)
        if _by_dim("min", axis, dim):
            return one_along("min", self, np.argmin, dim, keepdims or keepdim)
        return self.amin(axis, keepdims or keepdim)

    @overload
    def median(
        self, axis: Axis = None, keepdims: bool = False, *, keepdim: bool = False
    ) -> Tensor: ...
    @overload
    def median(
        self, *, dim: int, keepdims: bool = False, keepdim: bool = False
    ) -> ValuesIndices: ...
    def median(
        self: Any,
        axis: Axis = None,
        keepdims: bool = False,
        *,
        dim: int | None = None,
        keepdim: bool = False,
    ) -> Any:
        """Give the middle one of the sorted entries, the lower of two (np.median: their mean).

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the index gets the gradient.
        """
        if _by_dim("median", axis, dim):
            return one_along("median", self, _median_index, dim, keepdims or keepdim)
        return lower_median(self, axis, keepdims or keepdim)

    @torch_spelling
    def mode(self, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the entry that is there most often along `axis`, and the index of the last of them.

        Of several such it is the smallest.
        """
        return one_along("mode", self, _mode_index, axis, keepdims)

    @torch_spelling
    def kthvalue(self, k: int, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

        Raises ValueError unless there are k entries.
        """
        size = size_along(self, axis) if self._data.ndim else 1
        if not 1 <= k <= size:
            raise ValueError(f"kthvalue: k lies between 1 and {size} (axis {axis}), got {k}")

        def index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
            order = np.argsort(data, axis=axis, kind="stable")
            return order[along(axis, slice(k - 1, k), data.ndim)]

        return one_along("kthvalue", self, index, axis, keepdims)

    @torch_spelling
    def var(
        self,
        axis: Axis = None,
        correction: float = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""
        if isinstance(axis, bool):  # PyTorch's x.var(False)
            return variance(self, None, keepdims, ddof=int(axis))
        return variance(self, axis, keepdims, ddof=correction if unbiased else 0)

    @torch_spelling
    def std(
        self,
        axis: Axis = None,
        correction: float = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""
        if isinstance(axis, bool):  # PyTorch's x.std(False)
            return deviation(self, None, keepdims, ddof=int(axis))
        return deviation(self, axis, keepdims, ddof=correction if unbiased else 0)

    @torch_spelling
    @axis_of_scalars
    def cummax(self, axis: int) -> ValuesIndices:
        """Give the largest entry up to each and its index; of tied ones the last."""
        return _latest_extreme(self, np.maximum, axis)

    @torch_spelling
    @axis_of_scalars
    def cummin(self, axis: int) -> ValuesIndices:
        """Give the smallest entry up to each and its index; of tied ones the last."""
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


def _by_dim(name: str, axis: Any, dim: int | None) -> bool:
    """Tell PyTorch's spelling from NumPy's. Raises TypeError for both at once."""
    if dim is not None and axis is not None:
        raise TypeError(f"{name}: give dim= or axis=, not both")
    return dim is not None


def _is_operand(axis: Any) -> bool:
    """Tell the other operand in x.max(y) from an axis, a whole number or a tuple of them."""
    return isinstance(axis, Node | float) or (
        hasattr(axis, "__array_function__") and not np.issubdtype(axis.dtype, np.integer)
    )


numpy_functions[np.amax] = numpy_functions[np.max]
numpy_functions[np.amin] = numpy_functions[np.min]
