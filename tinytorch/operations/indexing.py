"""Indexing: picking entries, and its adjoint, scattering them back.

Each of the two is the other's rule: an entry that was picked twice gets the sum of two gradients,
and a sum that went to several places is read from all of them.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tinytorch.arrays.kind import evaluate, kind_of
from tinytorch.arrays.plain import PlainArray, base, plain
from tinytorch.arrays.scattered import Scattered
from tinytorch.engine import Array, Node, recording
from tinytorch.operations.elementwise import where
from tinytorch.operations.operands import constant, describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import axis_of_scalars, torch_spelling

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_PICK = Operation("index", "[]")
_SCATTER = Operation("scatter")


@defines(_PICK)
def pick(x: Any, index: Any) -> Tensor:
    """Give x[index], with everything that NumPy's indexing takes."""
    return apply(
        _PICK,
        lambda x: kind_of(x).pick(x, index),
        (lambda grad, out, x: _back(grad, index, x),),
        x,
    )


def _back(grad: Any, index: Any, x: Any) -> Any:
    """Give the gradient of x: a part of it, of which the engine makes one array with the others."""
    if isinstance(grad, np.ndarray | np.generic):  # NumPy gives a number where there are no axes
        return Scattered(index, grad, x.shape, x.dtype)
    return scatter(grad, index, x.shape)


@defines(_SCATTER)
def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Tensor:
    """Add the entries of x up in an array of zeros, each where `index` picks from."""
    return apply(
        _SCATTER,
        lambda x: kind_of(x).scatter(x, index, shape),
        (lambda grad, out, x: pick(grad, index),),
        x,
    )


def along(axis: int, index: Any, ndim: int) -> tuple[Any, ...]:
    """Index one axis, and all of the others whole."""
    return (slice(None),) * normalize_axis_index(axis, ndim) + (index,)


def size_along(x: Any, axis: int) -> int:
    """Give the number of entries along `axis`. Raises AxisError for an axis that x doesn't have."""
    size: int = np.shape(x)[normalize_axis_index(axis, np.ndim(x))]
    return size


def _checked(index: Any) -> Any:
    """Make an array of an index along an axis that is a sequence of any kind, as NumPy does.

    Raises TypeError for tensors and Dask arrays.
    """
    if isinstance(index, Node):
        raise TypeError(
            f"an index is made of whole numbers or truth values, got {describe(index)}; "
            "comparisons, argmax and argsort give such arrays, x.data.astype(int) makes one"
        )
    if kind_of(index).plans:
        raise TypeError(
            f"an index decides the shape, a {kind_of(index).name} array as one must be computed "
            "first"
        )
    if hasattr(index, "__array_function__"):
        return base(index)
    array = np.asarray(index)
    if not array.ndim:
        return index  # a whole number, a slice, None or ...
    return array if array.size else array.astype(int)


class ValuesIndices(NamedTuple):
    """What PyTorch's functions give that pick entries: `values, indices = x.max(dim=1)`."""

    values: Tensor
    indices: PlainArray


def one_along(
    name: str, x: Any, index: Callable[..., Any], axis: Any, keepdims: bool
) -> ValuesIndices:
    """Pick one entry along `axis`, by `index(data, axis=axis, keepdims=True)`."""
    line = x if x.ndim else np.reshape(x, 1)  # as in PyTorch
    indices = evaluate(name, index, line.data, axis=axis, keepdims=True)
    values: Any = take_along_axis(line, indices, axis)
    if keepdims and x.ndim:
        return ValuesIndices(values, plain(indices))
    return ValuesIndices(np.squeeze(values, axis), plain(indices.squeeze(axis)))


def strided(size: Sequence[int], stride: Sequence[int], offset: int) -> Any:
    """Number the entries that lie in strides in a row: offset + i * stride[0] + j * stride[1]."""
    steps = [step * np.arange(n) for n, step in zip(size, stride, strict=True)]
    return functools.reduce(np.add.outer, steps, np.asarray(offset))


def _array(index: Any) -> Any:
    index = _checked(index)
    return index if hasattr(index, "__array_function__") else np.asarray(index)


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Tensor:
    """Pick entries along `axis`, or of all in one row; the axes of `indices` replace it.

    In `mode` "wrap" the numbers go on from the start, in "clip" no further than the ends.
    """
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    index, size = _array(indices), size_along(x, axis)
    if mode != "raise":
        index = index % size if mode == "wrap" else np.clip(index, 0, size - 1)
    return pick(x, along(axis, index, x.ndim))


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Pick along `axis`, in each row by its own indices, as argsort and argmax give them.

    Along the other axes x and `indices` broadcast.
    """
    indices = _checked(indices)
    if axis is None:
        return pick(np.reshape(x, -1), indices)
    return pick(x, _rows(x, indices, axis, x.shape))


def _rows(x: Any, indices: Any, axis: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Make the index that goes along `axis` by `indices` and keeps to its row in all others."""
    if indices.ndim != x.ndim:
        raise ValueError(
            f"{describe(x)} takes indices of as many axes, got them of shape {indices.shape}"
        )
    index = list(np.indices(shape, sparse=True))
    index[normalize_axis_index(axis, x.ndim)] = indices
    return tuple(index)


@implements(np.sort)
def sort(x: Any, axis: int | None = -1) -> Tensor:
    """Sort along `axis`, or all entries in one row."""
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    return take_along_axis(x, np.argsort(x, axis=axis, kind="stable"), axis)


@implements(np.partition)
def partition(x: Any, kth: Any, axis: int | None = -1) -> Tensor:
    """Put the `kth` entry in its sorted place, smaller ones before it and larger ones behind."""
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    return take_along_axis(x, np.argpartition(x, kth, axis=axis), axis)


@implements(np.compress)
def compress(condition: Any, x: Any, axis: int | None = None) -> Tensor:
    """Pick the slices along `axis` for which the condition holds."""
    return take(x, np.flatnonzero(condition), axis)


def _argsort_descending(data: Any, axis: int | None) -> Any:
    """Sort from behind and turn the order round, so that nan comes first, and ties keep theirs."""
    if axis is None:
        data, axis = data.reshape(-1), 0
    order = np.argsort(np.flip(data, axis), axis=axis, kind="stable")
    return data.shape[axis] - 1 - np.flip(order, axis)


class Indexing:
    """Picking entries: NumPy's indexing, and PyTorch's functions for it."""

    __slots__ = ()
    _value: Array
    _requires_grad: bool

    take_along_axis = take_along_axis
    take = torch_spelling(take)

    def __getitem__(self, index: Any) -> Tensor:
        parts = index if isinstance(index, tuple) else (index,)
        return pick(self, tuple(map(_checked, parts)))

    def __setitem__(self, index: Any, value: Any) -> None:
        # Of a constant no graph is lost.
        recorded = recording.get()[0]
        if recorded and (self._requires_grad or (isinstance(value, Node) and value._requires_grad)):
            raise TypeError(
                "a tensor is not assigned to by index: x.data[i] = v changes its values, "
                "np.where(mask, v, x) makes a new tensor with v in some places"
            )
        parts = index if isinstance(index, tuple) else (index,)
        self._value[tuple(map(_checked, parts))] = getattr(value, "_value", value)

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """Pick the slices along `axis` for which the condition holds."""
        return compress(condition, self, axis)

    @torch_spelling
    def take_along_dim(self, indices: Any, axis: int | None = None) -> Tensor:
        """Pick along `axis` as take_along_axis, or of all entries in one row."""
        return take_along_axis(self, _array(indices).reshape(-1) if axis is None else indices, axis)

    @torch_spelling
    def select(self: Any, axis: int, index: int) -> Tensor:
        """Pick one slice along `axis`, without that axis."""
        return pick(self, along(axis, operator.index(index), self.ndim))

    @torch_spelling
    @axis_of_scalars
    def index_select(self, axis: int, index: Any) -> Tensor:
        """Pick slices along `axis`."""
        return take(self, index, axis)

    @torch_spelling
    def gather(self: Any, axis: int, index: Any) -> Tensor:
        """Pick along `axis`, in each row by its own indices; of the other axes the first ones."""
        index = _array(index)
        if not np.ndim(self) or not index.ndim:  # as if it were a row
            line: Any = np.atleast_1d(self)
            row: Any = line.gather(axis, np.atleast_1d(index))
            return np.reshape(row, index.shape)  # type: ignore[return-value]
        if not index.size:
            return pick(np.reshape(self, -1), index)
        return pick(self, _rows(self, index, axis, index.shape))

    def as_strided(
        self: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
    ) -> Tensor:
        """Pick from all entries in one row, in strides: y[i, j] = row[offset + i * s + j * t]."""
        return pick(np.reshape(self, -1), strided(size, stride, storage_offset))

    @torch_spelling
    @axis_of_scalars
    def scatter_add(self: Any, axis: int, index: Any, src: Any) -> Any:
        """Add the entries of `src`, each to the entry of x that `gather` would pick for it."""
        index = np.atleast_1d(_array(index))
        if not isinstance(src, Node):
            src = constant(src, self.dtype, _SCATTER)
        part = np.atleast_1d(src)[tuple(slice(n) for n in index.shape)]
        return scatter(part, _rows(self, index, axis, index.shape), self.shape) + self

    def masked_select(self: Any, mask: Any) -> Tensor:
        """Pick the entries where `mask`, broadcast, is true, in one row."""
        shape = np.broadcast_shapes(np.shape(mask), self.shape)
        return pick(np.broadcast_to(self, shape), np.broadcast_to(_checked(mask), shape))

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """Put `value` where `mask` is true."""
        return where(mask, value, self)

    @overload
    def sort(
        self, axis: int | None = -1, descending: bool = False, *, stable: bool = True
    ) -> Tensor: ...
    @overload
    def sort(self, *, dim: int, descending: bool = False, stable: bool = True) -> ValuesIndices: ...
    def sort(
        self: Any,
        axis: int | None = -1,
        descending: bool = False,
        *,
        dim: int | None = None,
        stable: bool = True,  # noqa: ARG002  (it always is)
    ) -> Any:
        """Sort along `axis`. Along `dim` give PyTorch's pair of values and indices.

        A nan is larger than any number. Ties keep their order, `stable` or not.
        """
        if dim is None:
            return self._sorted(axis, descending).values
        if axis != -1:
            raise TypeError("sort: give dim= or axis=, not both")
        return self._sorted(dim, descending)

    @axis_of_scalars
    def _sorted(self: Any, axis: int | None, descending: bool) -> ValuesIndices:
        line: Any = np.reshape(self, -1) if axis is None else self
        order = line.argsort(axis or 0, descending)
        return ValuesIndices(take_along_axis(line, order, axis or 0), order)

    @torch_spelling
    @axis_of_scalars
    def argsort(
        self,
        axis: int | None = -1,
        descending: bool = False,
        *,
        stable: bool = True,  # noqa: ARG002  (it always is)
    ) -> Any:
        """Give the indices that sort along `axis`, as plain integers; ties keep their order."""
        if not descending:
            return plain(evaluate("argsort", np.argsort, self._value, axis=axis, kind="stable"))
        return plain(evaluate("argsort", _argsort_descending, self._value, axis))

    partition = partition

    @torch_spelling
    @axis_of_scalars
    def topk(
        self,
        k: int,
        axis: int = -1,
        largest: bool = True,
        sorted: bool = True,  # noqa: ARG002  (they are)
    ) -> ValuesIndices:
        """Give the `k` largest entries along `axis`, or the smallest, in order; and their indices.

        A nan is larger than any number.
        """
        size = size_along(self, axis)
        if not 0 <= k <= size:
            raise ValueError(f"topk: k lies between 0 and {size} (axis {axis}), got {k}")
        order = self.argsort(axis, descending=largest)
        first = order[along(axis, slice(k), self._value.ndim)]
        return ValuesIndices(take_along_axis(self, first, axis), first)
