"""Order statistics: entries picked by their place in sorted order, along an axis or of all.

The functions have NumPy's signatures and answer for NumPy's functions; `Ordering` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinytorch.arrays.kind import evaluate, kind_of, own
from tinytorch.arrays.plain import plain
from tinytorch.engine import Array, Node
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import (
    ValuesIndices,
    along,
    one_along,
    size_along,
    sort,
    take_along_axis,
)
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import axis_of_scalars, torch_spelling
from tinytorch.operations.reductions import Axis, axes_of, by_dim, extreme_rule, reduction
from tinytorch.operations.samples import as_operand, values_of
from tinytorch.operations.shape import moveaxis

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


# Methods that change by steps, as q does: its slope is 0.
_STEPS = {
    "lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf",
    "closest_observation",
}  # fmt: skip
_numpys: Any = np.quantile


def places_of(q: Any, n: int, method: str) -> Any:
    """Say at which places between n sorted entries the quantiles are: those of 0, 1, ..., n - 1."""
    return _numpys(np.arange(float(n)), q, method=method)


def has_slope(q: Any, method: str) -> bool:
    """Say whether quantiles change with q. Raises TypeError for methods without a rule for it."""
    if isinstance(q, Node) and method != "linear" and method not in _STEPS:
        raise TypeError(f'quantile: q has a gradient with method="linear", not {method!r}')
    return isinstance(q, Node) and method == "linear"


@implements(np.quantile)
def quantile(
    x: Any,
    q: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    method: str = "linear",
    weights: Any = None,
) -> Any:
    """Give the value below which the fraction `q` of the entries is, a number or an array of them.

    Between two entries `method` decides, as in NumPy: "linear", "lower", "higher", "midpoint",
    "nearest", "hazen" and others. The axes of q come first. `weights` say how much each entry
    counts, with method "inverted_cdf". Raises ValueError for q outside 0 to 1 or another method.
    """
    x = as_operand(x)
    if axis in (0, -1) and not x.ndim:
        axis = None  # as in PyTorch
    axes = axes_of(x, axis)
    if weights is not None:
        weights = spread(values_of(weights), x, axes)
        return weighted_quantile(x, q, axis, method, keepdims, weights)
    # float32 is too coarse to tell large positions apart
    fractions = values_of(q).astype(np.float64)
    if not np.all((fractions >= 0) & (fractions <= 1)):
        raise ValueError(f"quantile: q lies between 0 and 1, got {fractions}")
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    line = moveaxis(x, axes, range(len(axes)))
    line = sort(line.reshape(-1, *line.shape[len(axes) :]), axis=0)
    size = line.shape[0]
    place = places_of(fractions, size, method)
    low, high = np.floor(place), np.ceil(place)
    below, above = line[low.astype(int)], line[high.astype(int)]
    weight = (q * (size - 1.0) if has_slope(q, method) else place) - low
    weight = own(weight.astype(x.dtype).reshape(fractions.shape + (1,) * (line.ndim - 1)), x)
    out = below + weight * (above - below)
    out = where(np.isnan(line[-1]), line[-1], out)  # a nan is sorted to the end
    return out.reshape(fractions.shape + kept) if keepdims else out


def spread(weights: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Give weights the shape of x; they may have that of the axes alone that they are for."""
    if weights.shape == x.shape:
        return weights
    if weights.shape != tuple(x.shape[i] for i in axes):
        raise ValueError(
            f"quantile: weights have the shape {x.shape} of the entries, or that of the axes, "
            f"got {weights.shape}"
        )
    turned = np.transpose(weights, np.argsort(axes))
    return np.broadcast_to(
        turned.reshape([n if i in axes else 1 for i, n in enumerate(x.shape)]), x.shape
    )


def weighted_quantile(x: Any, q: Any, axis: Axis, method: str, keepdims: bool, weights: Any) -> Any:
    """Pick the first entry up to which the weights sum up to the fraction `q` of them all."""
    if method != "inverted_cdf":
        raise ValueError(f'quantile: weights= go with method="inverted_cdf", not {method!r}')
    axes, fractions = axes_of(x, axis), values_of(q).astype(np.float64)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    in_front: list[Any] = [np.moveaxis(y, axes, range(len(axes))) for y in (x, weights)]
    line, weights = (y.reshape(-1, *y.shape[len(axes) :]) for y in in_front)
    order = np.argsort(values_of(line), axis=0, kind="stable")
    sums = np.cumsum(np.take_along_axis(weights, order, 0), axis=0)
    sums = sums / sums[-1:]
    sums = np.where(sums == 0, -1, sums)  # what weighs nothing is no quantile, that of 0 neither
    places = [np.argmax(sums >= fraction, axis=0) for fraction in fractions.reshape(-1)]
    out = take_along_axis(line, np.take_along_axis(order, np.stack(places), 0), 0)
    return np.reshape(out, fractions.shape + (kept if keepdims else line.shape[1:]))


@implements(np.median)
def median(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Give the middle one of the sorted entries, or the mean of the middle two."""
    return quantile(x, 0.5, axis, keepdims, method="midpoint")


def _lower_median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.quantile(x, 0.5, axis=axis, keepdims=keepdims, method="lower")


lower_median = reduction(
    _lower_median,
    extreme_rule,
    "The middle one of the sorted entries, the lower of two",
    "median",
)


def _mode_index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
    """Find the last one of the entries that are there most often, the smallest of several such."""
    order = np.moveaxis(np.argsort(data, axis=axis, kind="stable"), axis, -1)
    line = np.take_along_axis(np.moveaxis(data, axis, -1), order, -1)
    places = own(np.arange(line.shape[-1]), data)
    before, after = line[..., :-1], line[..., 1:]
    begins = (before != after) & ~(np.isnan(before) & np.isnan(after))
    begins = np.concatenate([np.ones_like(begins, shape=(*line.shape[:-1], 1)), begins], axis=-1)
    first = kind_of(data).accumulate(np.maximum, np.where(begins, places, 0), -1)
    repeated = places - first
    last = np.argmax(repeated, axis=-1, keepdims=True)
    return np.moveaxis(np.take_along_axis(order, last, -1), -1, axis)


def _median_index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
    """Find the lower one of the middle entries in sorted order; the first nan if there is one."""
    order = np.argsort(data, axis=axis, kind="stable")
    size, nans = data.shape[axis], np.isnan(data).sum(axis=axis, keepdims=True)
    return np.take_along_axis(order, np.where(nans, size - nans, (size - 1) // 2), axis)


def _latest_extreme(x: Any, function: np.ufunc, axis: int) -> ValuesIndices:
    data, kind = x._value, kind_of(x._value)
    running = evaluate(f"{function.__name__}.accumulate", kind.accumulate, function, data, axis)
    places = own(np.indices(x.shape, sparse=True)[axis], data)
    reached = (data == running) | np.isnan(data)
    latest = kind.accumulate(np.maximum, np.where(reached, places, 0), axis)
    return ValuesIndices(take_along_axis(x, latest, axis), plain(latest))


class Ordering:
    """Entries by their place in sorted order; `axis` and `keepdims`, or `dim` and `keepdim`."""

    __slots__ = ()
    _value: Array

    quantile = torch_spelling(quantile)

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
        if by_dim("median", axis, dim):
            return one_along("median", self, _median_index, dim, keepdims or keepdim)
        return lower_median(self, axis, keepdims or keepdim)

    @torch_spelling
    def mode(self, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the entry that is there most often along `axis`, and the index of the last of them.

        Of several such it is the smallest; nan counts as one value, larger than any number.
        """
        return one_along("mode", self, _mode_index, axis, keepdims)

    @torch_spelling
    def kthvalue(self, k: int, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

        Raises ValueError unless there are k entries.
        """
        size = size_along(self, axis) if self._value.ndim else 1
        if not 1 <= k <= size:
            raise ValueError(f"kthvalue: k lies between 1 and {size} (axis {axis}), got {k}")

        def index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
            order = np.argsort(data, axis=axis, kind="stable")
            return order[along(axis, slice(k - 1, k), data.ndim)]

        return one_along("kthvalue", self, index, axis, keepdims)

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
