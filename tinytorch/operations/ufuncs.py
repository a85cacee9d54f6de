"""NumPy's ufuncs with more than operands: their keywords, and reduce, accumulate, outer, reduceat.

Of every ufunc that has a rule. Sums, products, extremes and logaddexp have operations of their own;
any other is computed entry after entry, as NumPy does.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations import special
from tinytorch.operations.arithmetic import Arithmetic, floating
from tinytorch.operations.indexing import along, size_along
from tinytorch.operations.leaving import value_of
from tinytorch.operations.ordering import Ordering
from tinytorch.operations.protocols import (
    numpy_functions,
    plain_functions,
    whole_functions,
    without_meaning,
)
from tinytorch.operations.reductions import Reductions, axes_of


def called(ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what `ufunc`, or its method, does with tensors. Raises TypeError if there is no rule."""
    out = options.get("out")
    is_plain = ufunc in plain_functions and method != "at"
    if is_plain and not any(isinstance(x, Node) for x in out or ()):
        values = {name: value_of(x) for name, x in options.items()}
        return getattr(ufunc, method)(*map(value_of, inputs), **values)
    name = name_of(ufunc) if method == "__call__" else f"{name_of(ufunc)}.{method}"
    if out is not None:
        raise TypeError(
            f"{name}: out= would write into an array behind the graph's back; use the result"
        )
    if ufunc not in numpy_functions and special.find(ufunc) is None:
        raise refusal(ufunc, name)
    options = without_meaning(name, {key: x for key, x in options.items() if key != "out"})
    if method == "__call__":
        if "where" in options:
            raise TypeError(
                f"{name}: where= is not supported for tensors, since it leaves the other entries "
                f"undefined: write np.where(mask, {name}(x), x)"
            )
        dtype = options.pop("dtype", None)
        inputs = inputs if dtype is None else [_in_dtype(x, dtype) for x in inputs]
        if unknown := options.keys() - {"axis", "keepdims"}:
            raise TypeError(f"{name}: {min(unknown)}= is not supported for tensors")
        return numpy_functions[ufunc](*inputs, **options)
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise ValueError(f"{name}: only functions of two operands have it")
    return _METHODS[method](ufunc, *inputs, **options)


def name_of(ufunc: np.ufunc) -> str:
    """Say under which name `ufunc` is found."""
    for home, module in (("np", np), ("scipy.special", sys.modules.get("scipy.special"))):
        if getattr(module, ufunc.__name__, None) is ufunc:
            return f"{home}.{ufunc.__name__}"
    return ufunc.__name__


def refusal(function: Callable[..., Any], name: str) -> TypeError:
    """Say that a function of that name has no rule, and what to write."""
    if function in whole_functions:
        return TypeError(
            f"{name} takes whole numbers, which a tensor does not hold: "
            "x.data.astype(int) gives some, without a gradient"
        )
    return TypeError(
        f"{name} has no derivative rule here. For plain values give it x.data, "
        "for a gradient write it with functions that have one (see Operation)"
    )


def _in_dtype(x: Any, dtype: Any) -> Any:
    return Arithmetic.astype(x, floating(dtype)) if isinstance(x, Node) else np.asarray(x, dtype)


# What adds up all entries of an axis in one operation, and each of the sums on the way there.
_REDUCED: Mapping[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logaddexp: Reductions.logsumexp,
}
_RUNNING: Mapping[np.ufunc, Callable[..., Any]] = {
    np.add: Reductions.cumsum,
    np.multiply: Reductions.cumprod,
    np.maximum: lambda x, axis: Ordering.cummax(x, axis).values,
    np.minimum: lambda x, axis: Ordering.cummin(x, axis).values,
    np.logaddexp: Reductions.logcumsumexp,
}


def _reduce(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Join the entries along `axis` by `ufunc`, from the first on."""
    x = array if dtype is None else _in_dtype(array, dtype)
    reduced = _REDUCED.get(ufunc)
    if reduced is Reductions.logsumexp:
        x = x if where is True else np.where(where, x, -np.inf)
        out = reduced(x, axis=axis, keepdims=keepdims)
        return out if initial is None else np.logaddexp(out, initial)
    if reduced is not None:
        return reduced(x, axis=axis, keepdims=keepdims, where=where, initial=initial)
    # NumPy says which functions may run along several axes at once.
    ufunc.reduce(np.ones((1,) * x.ndim), axis)
    axes = axes_of(x, axis)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    first = ufunc.identity if initial is None and where is not True else initial
    counts = np.broadcast_to(where, x.shape)
    out = _joined(ufunc, _in_front(x, axes), _in_front(counts, axes), first)
    return np.reshape(out, kept) if keepdims else out


def _in_front(x: Any, axes: tuple[int, ...]) -> Any:
    """Make one first axis of these."""
    moved = np.moveaxis(x, axes, range(len(axes)))
    return np.reshape(moved, (math.prod(moved.shape[: len(axes)]), *moved.shape[len(axes) :]))


def _joined(ufunc: np.ufunc, line: Any, counts: Any, first: Any) -> Any:
    start = first is None
    if start and not (len(line) and np.all(counts)):
        raise ValueError(f"{name_of(ufunc)}.reduce: where= and empty axes need initial=")
    out = line[0] if start else np.broadcast_to(first, line.shape[1:])
    for entry, mask in zip(line[int(start) :], counts[int(start) :], strict=True):
        both = ufunc(out, entry)
        out = both if np.all(mask) else np.where(mask, both, out)
    return out


def _accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Join the entries along `axis` up to each."""
    x = array if dtype is None else _in_dtype(array, dtype)
    if ufunc in _RUNNING:
        return _RUNNING[ufunc](x, axis)
    entries: Any = np.moveaxis(x, axis, 0)
    joined = [entries[0]] if len(entries) else []
    for entry in entries[1:]:
        joined.append(ufunc(joined[-1], entry))
    return np.stack(joined, axis) if joined else x


def _outer(ufunc: np.ufunc, a: Any, b: Any, dtype: Any = None) -> Any:
    """Join each entry of a with each of b."""
    a, b = (x if dtype is None else _in_dtype(x, dtype) for x in (a, b))
    return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)


def _reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Join the entries from each index to the next; where that is not larger, give its entry."""
    size, starts = size_along(array, axis), np.asarray(indices).tolist()
    if not all(0 <= i < size for i in starts):
        raise IndexError(f"{name_of(ufunc)}.reduceat: indices are 0 to {size - 1}, got {starts}")
    part = functools.partial(along, axis, ndim=array.ndim)
    reduce = functools.partial(_reduce, ufunc, axis=axis, dtype=dtype)
    ends = [*starts[1:], size]
    parts = [
        reduce(array[part(slice(i, end if i < end else i + 1))])
        for i, end in zip(starts, ends, strict=True)
    ]
    return np.stack(parts, axis)


def _at(ufunc: np.ufunc, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(
        f"{name_of(ufunc)}.at writes into an array behind the graph's back: "
        "x.index_put((indices,), values, accumulate=True) makes a new tensor with values added, "
        "x.scatter_reduce(axis, index, values, reduce) one with products, means or extremes"
    )


_METHODS: Mapping[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "outer": _outer,
    "reduceat": _reduceat,
    "at": _at,
}
