"""Reductions: one number out of many, over all entries or along axes; and running ones."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from tinytorch.arrays import words
from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.plain import plain
from tinytorch.arrays.words import conj, half_as_single, keep
from tinytorch.engine import Array, Rule
from tinytorch.operations.arithmetic import Arithmetic, set_where
from tinytorch.operations.elementwise import Elementwise, where
from tinytorch.operations.indexing import (
    ValuesIndices,
    one_along,
)
from tinytorch.operations.notation import as_method, check_parameters
from tinytorch.operations.operation import Operation, apply
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.pytorch import axis_of_scalars, torch_spelling

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
    single = faster or (by_method if in_numpy else function), rule
    half = half_as_single(single[0]), half_as_single(rule)
    known = list(inspect.signature(rule).parameters)[4:]

    @torch_spelling
    def method(self: Any, axis: Axis = None, keepdims: bool = False, **parameters: Any) -> Any:
        if parameters:
            if (dtype := parameters.pop("dtype", None)) is not None:
                self = Arithmetic.astype(self, dtype)
            check_parameters(op, known, (), parameters)
        if axis is not None:
            axis = tuple(axis) if isinstance(axis, list) else axis
            axis = None if axis in (0, -1, (0,), (-1,)) and not self.ndim else axis  # as in PyTorch
        compute, slope = half if self._value.dtype.char == "e" else single

        def value(x: Any) -> Any:
            return compute(x, axis=axis, keepdims=keepdims, **parameters)

        def share(grad: Any, out: Any, x: Any) -> Any:
            if axis is not None and not keepdims:
                axes = axes_of(x, axis)
                kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
                grad, out = grad.reshape(kept), out.reshape(kept)
            return slope(grad, out, x, axis, **parameters)

        return apply(op, value, (share,), self)

    as_method(op, method)
    if in_numpy:
        numpy_functions[function] = method
    return method


def extreme_rule(grad: Any, out: Any, x: Any, axis: Axis) -> Any:
    """Share the gradient among all entries that tie; a nan, which out is then, ties with nan."""
    won = (x == out) | np.isnan(x)
    return keep(won, (grad / won.sum(axis=axis, keepdims=True)).astype(grad.dtype))


def _all_nan_rule(grad: Any, out: Any, x: Any, axis: Axis) -> Any:
    """Share among all that tie; where out is nan all shares are, as in PyTorch's amax and amin."""
    return np.where(np.isnan(out), np.nan, extreme_rule(grad, out, x, axis))


def _products_before(x: Any) -> Any:
    """Give for each entry along the last axis the product of all entries before it."""
    return np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1), axis=-1)


def _prod_rule(grad: Any, out: Any, x: Any, axis: Axis) -> Any:  # noqa: ARG001
    # The product of all others, without dividing by an entry that may be 0.
    axes = axes_of(x, axis)
    order = (*(i for i in range(x.ndim) if i not in axes), *axes)
    moved = np.transpose(x, order)
    line = moved.reshape([*moved.shape[: x.ndim - len(axes)], count(x, axis)])
    others = _products_before(line) * _products_before(line[..., ::-1])[..., ::-1]
    return grad * np.transpose(others.reshape(moved.shape), tuple(np.argsort(order).tolist()))


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

    def values(self: Any, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Any:
        if dtype is not None:
            self = self.astype(dtype)
        if axis is None:
            return values(self.reshape(-1), 0)
        line = np.moveaxis(self, axis, -1)
        if line.size:
            line = apply(op, lambda x: function(x, axis=-1), (rule,), line)
        return np.moveaxis(line, -1, axis)

    method = torch_spelling(axis_of_scalars(as_method(op, values)))
    if hasattr(np, name):
        numpy_functions[getattr(np, name)] = values
    op.function = values  # of arrays too, along any axis
    return method


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = largest(x, axis).real  # the angle of a logarithm is that of the sum
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum is -inf
        out = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return out if keepdims else out.squeeze(axis)


def _var_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:  # noqa: ARG001
    return grad * 2 * conj(x - words.mean(x, axis, keepdims=True)) / (count(x, axis) - ddof)


def _std_rule(grad: Any, out: Any, x: Any, axis: Axis, ddof: float = 0) -> Any:
    deviation = conj(x - words.mean(x, axis, keepdims=True))
    # Where all entries are equal, the slope is set to 0.
    return grad * deviation / (set_where(out == 0, np.inf, out) * (count(x, axis) - ddof))


def _lost(correction: float | None, unbiased: bool) -> float:
    """Say how many freedoms a variance has lost: by default one, as in PyTorch."""
    if not unbiased:
        return 0
    return 1 if correction is None else correction


max_entry = reduction(np.max, extreme_rule, "The largest entry", "max")
min_entry = reduction(np.min, extreme_rule, "The smallest entry", "min")
variance = reduction(
    np.var,
    _var_rule,
    "The variance: sum(|x - mean|**2) / (n - ddof)",
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


class Reductions:
    """Sums, means, extremes and the like; `axis` and `keepdims`, or `dim` and `keepdim`."""

    __slots__ = ()
    _value: Array

    sum = reduction(np.sum, lambda grad, out, x, axis: grad, "The sum", faster=words.sum_axes)
    mean = reduction(
        np.mean,
        lambda grad, out, x, axis: grad / max(count(x, axis), 1),
        "The mean: sum / n",
        faster=words.mean,
    )
    prod = reduction(np.prod, _prod_rule, "The product")
    amax = reduction(np.max, _all_nan_rule, "The largest entry; a nan has no slope", "amax")
    amin = reduction(np.min, _all_nan_rule, "The smallest entry; a nan has no slope", "amin")
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
        lambda x, axis: kind_of(x).accumulate(np.logaddexp, x, axis),
        _logcumsumexp_rule,
        "The logsumexp up to each",
        "logcumsumexp",
    )

    nansum = torch_spelling(nansum)
    nanmean = torch_spelling(nanmean)

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
        if is_operand(axis):
            return Elementwise.maximum(self, axis)
        if by_dim("max", axis, dim):
            return one_along("max", self, np.argmax, dim, keepdims or keepdim)
        return max_entry(self, axis, keepdims or keepdim)

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
        if is_operand(axis):
            return Elementwise.minimum(self, axis)
        if by_dim("min", axis, dim):
            return one_along("min", self, np.argmin, dim, keepdims or keepdim)
        return min_entry(self, axis, keepdims or keepdim)

    @torch_spelling
    def var(
        self,
        axis: Axis = None,
        correction: float | None = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""
        if isinstance(axis, bool):  # PyTorch's x.var(False)
            return variance(self, None, keepdims, ddof=int(axis))
        return variance(self, axis, keepdims, ddof=_lost(correction, unbiased))

    @torch_spelling
    def std(
        self,
        axis: Axis = None,
        correction: float | None = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""
        if isinstance(axis, bool):  # PyTorch's x.std(False)
            return deviation(self, None, keepdims, ddof=int(axis))
        return deviation(self, axis, keepdims, ddof=_lost(correction, unbiased))

    @torch_spelling
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the largest entry, as plain integers."""
        return plain(np.argmax(self._value, axis=axis, keepdims=keepdims))

    @torch_spelling
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the smallest entry, as plain integers."""
        return plain(np.argmin(self._value, axis=axis, keepdims=keepdims))

    @torch_spelling
    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether any entry is not 0, as plain truth values."""
        return plain(np.any(self._value, axis=axis, keepdims=keepdims))

    @torch_spelling
    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether all entries are not 0, as plain truth values."""
        return plain(np.all(self._value, axis=axis, keepdims=keepdims))

    @torch_spelling
    def count_nonzero(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Count the entries that are not 0, as plain integers."""
        return plain((self._value != 0).sum(axis=axis, keepdims=keepdims))


def by_dim(name: str, axis: Any, dim: int | None) -> bool:
    """Tell PyTorch's spelling from NumPy's. Raises TypeError for both at once."""
    if dim is not None and axis is not None:
        raise TypeError(f"{name}: give dim= or axis=, not both")
    return dim is not None


def is_operand(axis: Any) -> bool:
    """Tell the other operand in x.max(y) from an axis, a whole number or a tuple of them."""
    return isinstance(axis, float) or hasattr(axis, "__array_function__")


numpy_functions[np.amax] = numpy_functions[np.max]
numpy_functions[np.amin] = numpy_functions[np.min]
