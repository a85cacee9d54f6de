"""NumPy's functions that put entries elsewhere: insert, delete, block, choose and the like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.engine import Node
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.indexing import along, pick, scatter, size_along, take
from tinytorch.operations.joining import Joining
from tinytorch.operations.protocols import implements
from tinytorch.operations.samples import as_operand, values_of
from tinytorch.operations.windows import windows


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """Leave out the entries `obj` along `axis`, or of all in one row."""
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    return take(arr, np.delete(np.arange(size_along(arr, axis)), obj), axis)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Put `values` before the entries `obj` along `axis`, or of all in one row."""
    arr, values = as_operand(arr), as_operand(values, arr)
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    axis = normalize_axis_index(axis, arr.ndim)
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    size = arr.shape[axis]
    obj = np.arange(size)[obj] if isinstance(obj, slice) else np.asarray(obj)
    if obj.dtype == bool:
        obj = np.flatnonzero(obj)
    if obj.ndim == 0:
        values = np.moveaxis(values, 0, axis)
    count = obj.size if obj.ndim and obj.size > 1 else max(values.shape[axis], obj.size)
    if obj.ndim and not obj.size:
        return Arithmetic.clone(arr) if isinstance(arr, Node) else arr
    shape = [count if i == axis else n for i, n in enumerate(arr.shape)]
    both = np.concatenate([arr, np.broadcast_to(values, shape)], axis)
    places = np.insert(np.arange(size), obj.astype(int), size + np.arange(count))
    return take(both, places, axis)


@implements(np.block)
def block(arrays: Any) -> Any:
    """Put together the blocks of nested lists: the innermost lists join along the last axis."""

    def depth(part: Any) -> int:
        return 1 + depth(part[0]) if isinstance(part, list) else 0

    def most(part: Any) -> int:
        return max(map(most, part)) if isinstance(part, list) else np.ndim(part)

    levels = depth(arrays)
    ndim = max(levels, most(arrays))

    def tensors(part: Any) -> Iterator[Any]:
        for inner in part if isinstance(part, list) else ():
            yield from tensors(inner)
        if isinstance(part, Node):
            yield part

    like = next(tensors(arrays))

    def joined(part: Any, level: int) -> Any:
        if isinstance(part, list):
            return np.concatenate([joined(inner, level - 1) for inner in part], axis=-level)
        part = as_operand(part, like)
        return np.reshape(part, (1,) * (ndim - part.ndim) + part.shape)

    return joined(arrays, levels)


@implements("unstack")
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """Give the slices along `axis`, without that axis."""
    return Joining.unbind(x, axis)


@implements(np.choose)
def choose(a: Any, choices: Any, *, mode: str = "raise") -> Any:
    """Take each entry from the choice of that number; `a` and the choices broadcast."""
    if isinstance(a, Node):
        raise TypeError("choose: a holds whole numbers, which have no gradient: give it as such")
    like = next(x for x in choices if isinstance(x, Node))
    a, *choices = np.broadcast_arrays(a, *[as_operand(x, like) for x in choices])
    a, stacked = np.asarray(getattr(a, "_value", a)), np.stack(choices)
    n = len(choices)
    if mode == "raise" and (np.any(a < 0) or np.any(a >= n)):
        raise ValueError(f"choose: of {n} choices the numbers are 0 to {n - 1}")
    a = a % n if mode == "wrap" else np.clip(a, 0, n - 1)
    return pick(stacked, (a.astype(int), *np.indices(a.shape, sparse=True)))


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Compute each function of the entries where its condition holds, the last one that does.

    One function more than conditions is for the entries where none holds; a number is constant.
    """
    conditions = np.asarray(values_of(condlist) if isinstance(condlist, Node) else condlist, bool)
    if conditions.ndim == x.ndim:
        conditions = conditions[None]
    masks = list(conditions)
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    elif len(funclist) != len(masks):
        raise ValueError(f"piecewise: {len(masks)} conditions for {len(funclist)} functions")
    out, taken = np.zeros(x.shape, x.dtype), np.zeros(x.shape, bool)
    for holds, function in zip(masks[::-1], funclist[::-1], strict=True):
        mask, taken = holds & ~taken, taken | holds
        if not mask.any():
            continue
        values = function(x[mask], *args, **kw) if callable(function) else function
        values = np.broadcast_to(values, (int(mask.sum()),)).astype(x.dtype)
        out = out + scatter(values, mask, x.shape)
    return out


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """Stack what the function gives for each row along `axis`; its axes replace that one."""
    axis = normalize_axis_index(axis, arr.ndim)
    moved = np.moveaxis(arr, axis, -1)
    lead = moved.shape[:-1]
    if not math.prod(lead):
        raise ValueError("apply_along_axis: there is no row to apply the function to")
    rows = [func1d(row, *args, **kwargs) for row in np.reshape(moved, (-1, moved.shape[-1]))]
    out = np.stack(rows)
    own = out.ndim - 1
    out = np.reshape(out, lead + out.shape[1:])
    last = range(out.ndim - own, out.ndim)
    return np.moveaxis(out, tuple(last), tuple(range(axis, axis + own))) if own else out


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Call func(a, axis) for each axis in turn; an axis that it takes away is kept with size 1."""
    for axis in np.atleast_1d(axes).tolist():
        out = func(a, axis)
        a = out if out.ndim == a.ndim else np.expand_dims(out, axis)
    return a


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, writeable: bool = False
) -> Any:
    """Show all windows of a shape, their entries along new last axes."""
    if writeable:
        raise TypeError("sliding_window_view: writeable= is not supported for tensors")
    # NumPy checks and places the axes; numbers say which entry goes where.
    sizes = tuple(np.atleast_1d(window_shape).tolist())
    sliding_window_view(np.broadcast_to(0, x.shape), sizes, axis)
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis).tolist()
    axes = tuple(normalize_axis_index(i, x.ndim) for i in axes)
    if len({*axes}) < len(axes):
        raise ValueError(f"sliding_window_view: an axis is named once here, got {axes}")
    ones = (1,) * len(axes)
    return windows(x, axes, sizes, ones, ones)


@implements(np.full)
def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Fill an array with a tensor, which `like=` names too."""
    filled = np.broadcast_to(fill_value, shape)
    return filled if dtype is None else filled.astype(dtype)


@implements(np.astype)
def _astype(x: Any, dtype: Any, /) -> Any:
    """Give x in another floating dtype; its gradient comes back in x's own."""
    return x.astype(dtype)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """Give the entries where the condition holds, in one row."""
    places = np.flatnonzero(values_of(condition))
    return take(arr, places)


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """Repeat all entries in their order to fill `new_shape`."""
    size = math.prod(np.atleast_1d(new_shape).tolist())
    if size and not a.size:
        raise ValueError("resize: there are no entries to repeat")
    return np.reshape(take(a, np.arange(size) % max(a.size, 1)), new_shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Leave out the zeros in front ("f") and behind ("b"), along `axis` or every one."""
    axes = range(filt.ndim) if axis is None else np.atleast_1d(axis).tolist()
    for i in axes:
        others = tuple(j for j in range(filt.ndim) if j != i % filt.ndim)
        kept = np.flatnonzero(np.any(filt._value != 0, axis=others))
        size = size_along(filt, i)
        first = kept[0] if kept.size and "f" in trim.lower() else 0 if kept.size else size
        last = kept[-1] + 1 if kept.size and "b" in trim.lower() else size
        filt = filt[along(i, slice(int(first), int(last)), filt.ndim)]
    return filt


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG001
        raise TypeError(f"np.{name} writes into an array behind the graph's back: {instead}")

    return refuse


_WRITING: dict[Callable[..., Any], str] = {
    np.put: "x.put(index, source) makes a new tensor",
    np.put_along_axis: "x.scatter(axis, indices, values) makes a new tensor",
    np.place: "x.masked_scatter(mask, values) makes a new tensor",
    np.putmask: "np.where(mask, values, x) makes a new tensor",
    np.copyto: "np.where(mask, values, x) makes a new tensor",
    np.fill_diagonal: "x.diagonal_scatter(values) makes a new tensor",
}
for _function, _instead in _WRITING.items():
    implements(_function)(_refusal(_function.__name__, _instead))
