"""A batch: arrays of one shape, to which NumPy's functions do what they do to one array.

A Jacobian takes a sweep through one graph for each of its rows. With batches for gradients it takes
a single one: the rules of derivatives are in NumPy's words, and a batch answers to those. It keeps
its arrays along a last axis that it doesn't show, where it disturbs neither broadcasting nor
indexing. What has no short cut here is done to one array after the other.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.kind import Kind, kind_of, own, register
from tinytorch.engine import Array
from tinytorch.trees import map_leaves


def _one_by_one(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` with the first of each batch, then with the second, and so on."""
    lengths: set[int] = set()

    def member(i: int) -> Any:
        def pick(_where: str, leaf: Any) -> Any:
            if not isinstance(leaf, Batch):
                return leaf
            lengths.add(leaf.stacked.shape[-1])
            return leaf.stacked[..., i]

        args_i, kwargs_i = map_leaves(pick, "", (args, kwargs))
        return function(*args_i, **kwargs_i)

    results = [member(0)]
    results += [member(i) for i in range(1, *lengths)]
    return map_leaves(lambda _where, *parts: Batch(np.stack(parts, axis=-1)), "", *results)


def _rearranged(function: Callable[..., Any], batch: Batch, *args: Any, **kwargs: Any) -> Batch:
    """Call a `function` that only moves, repeats or drops entries: it tells where each is from."""
    entries = batch.stacked.reshape(-1, batch.stacked.shape[-1])
    origins = np.arange(len(entries)).reshape(batch.shape)
    return Batch(entries[function(origins, *args, **kwargs)])


class Batch(NDArrayOperatorsMixin):
    """The arrays `stacked[..., 0]`, `stacked[..., 1]` and so on, at least one.

    >>> pair = Batch(np.array([[1.0, 10.0], [2.0, 20.0]]))
    >>> pair.shape, (pair * np.array([3.0, 5.0])).sum().stacked
    ((2,), array([ 13., 130.]))
    """

    def __init__(self, stacked: Array) -> None:
        self.stacked = stacked
        self.shape = stacked.shape[:-1]
        self.dtype = stacked.dtype

    @property
    def ndim(self) -> int:
        """The number of axes of each array."""
        return self.stacked.ndim - 1

    @property
    def size(self) -> int:
        """The number of entries of each array."""
        return math.prod(self.shape)

    # --- NumPy's functions ------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and ufunc.signature is None and kwargs.keys() <= {"out"}:
            (out,) = kwargs.get("out", (None,))
            if isinstance(out, Batch):
                ufunc(*map(_aligned, inputs), out=out.stacked)
                return out
            # Of x *= batch for one array x: what is called x from then on is many.
            return Batch(ufunc(*map(_aligned, inputs)))
        if ufunc is np.matmul and min(map(np.ndim, inputs)) > 1 and not kwargs:
            product = np.matmul(*_stacked_in_front(inputs))
            return Batch(product.transpose(*range(1, product.ndim), 0))
        if method == "at":
            out, index, values = inputs
            at = kind_of(out.stacked).add_at if ufunc is np.add else ufunc.at
            return at(out.stacked, _sparing_last_axis(index), _aligned(values))
        return _one_by_one(getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function in _REARRANGEMENTS:
            return _rearranged(function, *args, **kwargs)
        if function in _SHORT_CUTS:
            return _SHORT_CUTS[function](*args, **kwargs)
        return _one_by_one(function, *args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise TypeError("a batch is many arrays, not one")

    def __bool__(self) -> NoReturn:
        raise TypeError("a batch has many truth values, not one")

    # --- an array's methods -----------------------------------------------------------------

    T = property(functools.partial(_rearranged, np.transpose))
    mT = property(functools.partial(_rearranged, np.matrix_transpose))  # noqa: N815
    reshape = functools.partialmethod(functools.partial(_rearranged, np.ndarray.reshape))
    swapaxes = functools.partialmethod(functools.partial(_rearranged, np.swapaxes))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or not callable(getattr(np.ndarray, name)):
            raise AttributeError(f"a batch has no {name}")
        return lambda *args, **kwargs: _one_by_one(
            lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs), self, *args, **kwargs
        )

    def __getitem__(self, index: Any) -> Batch:
        return Batch(self.stacked[_sparing_last_axis(index)])

    def __setitem__(self, index: Any, values: Any) -> None:
        self.stacked[_sparing_last_axis(index)] = _aligned(values)

    def copy(self) -> Batch:
        """Give a batch of its own."""
        return Batch(self.stacked.copy())

    def astype(self, dtype: Any) -> Batch:
        """Give the batch in another dtype."""
        return Batch(self.stacked.astype(dtype))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Batch:
        """Sum each array's entries, all or along `axis`."""
        axes = normalize_axis_tuple(range(self.ndim) if axis is None else axis, self.ndim)
        return Batch(self.stacked.sum(axis=axes, keepdims=keepdims))


def _aligned(operand: Any) -> Any:
    """Give a batch's arrays, or an array with one more axis, so that it broadcasts against them."""
    if isinstance(operand, Batch):
        return operand.stacked
    return operand[..., None] if getattr(operand, "ndim", 0) else operand


def _stacked_in_front(operands: Sequence[Any]) -> Iterator[Any]:
    """Give operands as matrices in stacks: those of a batch along a new first axis."""
    most = max(map(np.ndim, operands))
    for x in operands:
        if isinstance(x, Batch):
            ones = (1,) * (most - x.ndim)
            front = x.stacked.transpose(-1, *range(x.ndim))
            yield front.reshape(-1, *ones, *x.shape) if ones else front
        else:
            yield x


def _sparing_last_axis(index: Any) -> Any:
    index = index if isinstance(index, tuple) else (index,)
    return (*index, slice(None)) if any(part is Ellipsis for part in index) else index


def _zeros_like(batch: Batch, dtype: Any = None, *, shape: Any = None) -> Batch:
    shape = batch.shape if shape is None else shape
    shape = (*shape, batch.stacked.shape[-1])
    return Batch(np.zeros_like(batch.stacked, dtype or batch.dtype, shape=shape))


def _where(*operands: Any) -> Batch:
    return Batch(np.where(*map(_aligned, operands)))


class _BatchKind(Kind):
    """Batches, which a rule in other words than NumPy's gets one array after the other."""

    name = "batch"

    def own(self, array: Any, like: Any) -> Any:
        """Give the array as one of those in the batch."""
        return own(array, like.stacked)

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call `function` with batches, or if it can't take them, once for each of their arrays."""
        del op
        try:
            return function(*arrays, **parameters)
        except TypeError:
            return _one_by_one(function, *arrays, **parameters)


register(Batch, _BatchKind())


def _einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    if not isinstance(subscripts, str) or "->" not in subscripts:
        return _one_by_one(np.einsum, subscripts, *operands, **kwargs)
    letter = next(x for x in string.ascii_letters if x not in subscripts)
    terms, result = subscripts.split("->")
    labels = [
        term + letter if isinstance(x, Batch) else term
        for term, x in zip(terms.split(","), operands, strict=True)
    ]
    arrays = [x.stacked if isinstance(x, Batch) else x for x in operands]
    return Batch(np.einsum(f"{','.join(labels)}->{result}{letter}", *arrays, **kwargs))


_SHORT_CUTS: dict[Callable[..., Any], Callable[..., Any]] = {
    # A rule asks this for an `if`, which is decided for all of the arrays together.
    np.any: lambda batch: bool(np.any(batch.stacked)),
    np.einsum: _einsum,
    np.ndim: lambda batch: batch.ndim,
    np.shape: lambda batch: batch.shape,
    np.size: lambda batch: batch.size,
    np.sum: Batch.sum,
    np.where: _where,
    np.zeros_like: _zeros_like,
}
_REARRANGEMENTS: frozenset[Callable[..., Any]] = frozenset(
    {
        np.broadcast_to, np.expand_dims, np.flip, np.matrix_transpose, np.moveaxis, np.reshape,
        np.roll, np.squeeze, np.swapaxes, np.take_along_axis, np.transpose,
    }
)  # fmt: skip
