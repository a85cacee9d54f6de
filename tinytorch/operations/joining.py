"""Joining tensors to one, and splitting one into parts.

The functions have NumPy's signatures and answer for NumPy's functions; `Joining` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.indexing import along, pick, size_along
from tinytorch.operations.operands import alike
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.shape import reshape

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_CONCATENATE = Operation("concatenate")
# Each of a node's rules is handed all of its inputs: those of n inputs take n * n steps.
_MOST = 64


@defines(_CONCATENATE)
@implements(np.concatenate)
def concatenate(arrays: Iterable[Any], axis: int | None = 0, *, dtype: Any = None) -> Tensor:
    """Join arrays along an axis that they have; all other sizes agree."""
    if dtype is not None:
        return Arithmetic.astype(concatenate(arrays, axis), dtype)
    arrays = list(arrays)
    if axis is None:
        arrays, axis = _each_once(np.ravel, arrays), 0
    distinct = list({id(x): x for x in arrays if isinstance(x, Node)}.values())
    if len(distinct) < sum(isinstance(x, Node) for x in arrays):
        return _repeated(arrays, axis)
    while len(arrays) > _MOST:
        arrays = [concatenate(arrays[i : i + _MOST], axis) for i in range(0, len(arrays), _MOST)]
    ends = np.cumsum([size_along(x, axis) for x in arrays])

    def part(end: int, size: int) -> Any:
        return lambda grad, out, *arrays: grad[along(axis, slice(end - size, end), grad.ndim)]

    sizes = np.diff(ends, prepend=0)
    return apply(
        _CONCATENATE,
        lambda *arrays: np.concatenate(arrays, axis),
        [part(int(end), int(size)) for end, size in zip(ends, sizes, strict=True)],
        *arrays,
    )


def _repeated(arrays: list[Any], axis: int) -> Tensor:
    """Join each array once, and pick it as often as it is there: one long sum on the way back."""
    distinct = list({id(x): x for x in arrays}.values())
    sizes = [size_along(x, axis) for x in distinct]
    places, end = {}, 0
    for x, size in zip(distinct, sizes, strict=True):
        places[id(x)] = np.arange(end, end := end + size)
    index = np.concatenate([places[id(x)] for x in arrays])
    return pick(concatenate(distinct, axis), along(axis, index, np.ndim(arrays[0])))


def _each_once(function: Callable[[Any], Any], arrays: Iterable[Any]) -> list[Any]:
    """List `function` of each, computed once for an array that is there several times."""
    arrays = list(arrays)
    results = {id(x): function(x) for x in {id(x): x for x in arrays}.values()}
    return [results[id(x)] for x in arrays]


@implements(np.stack)
def stack(arrays: Iterable[Any], axis: int = 0, *, dtype: Any = None) -> Tensor:
    """Join arrays of one shape along a new axis."""
    apart = _each_once(lambda x: np.expand_dims(x, axis), alike(*arrays))
    return concatenate(apart, axis, dtype=dtype)


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Tensor:
    """Put `values` behind x along `axis`, or behind all entries of x in one row."""
    x, values = alike(x, values)
    return concatenate([x, values], axis)


@implements(np.hstack)
def hstack(tup: Iterable[Any], *, dtype: Any = None) -> Tensor:
    """Join side by side: along the second axis, or the only one."""
    arrays = _each_once(np.atleast_1d, alike(*tup))
    return concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype)


@implements(np.vstack)
def vstack(tup: Iterable[Any], *, dtype: Any = None) -> Tensor:
    """Join as rows: along the first axis of at least two."""
    return concatenate(_each_once(np.atleast_2d, alike(*tup)), 0, dtype=dtype)


@implements(np.dstack)
def dstack(tup: Iterable[Any]) -> Tensor:
    """Join in depth: along the third axis."""
    return concatenate(_each_once(np.atleast_3d, alike(*tup)), 2)


@implements(np.column_stack)
def column_stack(tup: Iterable[Any]) -> Tensor:
    """Join as columns of a matrix."""

    def column(x: Any) -> Any:
        return np.reshape(x, (-1, 1)) if np.ndim(x) < 2 else x

    return concatenate(_each_once(column, alike(*tup)), 1)


@implements(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    """Give each at least one axis."""
    return _each(lambda x: reshape(x, -1) if x.ndim == 0 else x, arrays)


@implements(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    """Give each at least two axes, new ones first."""
    return _each(lambda x: reshape(x, (1, -1)) if x.ndim < 2 else x, arrays)


@implements(np.atleast_3d)
def atleast_3d(*arrays: Any) -> Any:
    """Give each at least three axes: of a vector the middle one, of a matrix the first two."""

    def raised(x: Any) -> Any:
        shape = (1, *x.shape, 1) if x.ndim == 1 else (*x.shape, *(1,) * (3 - x.ndim))
        return reshape(x, shape) if x.ndim < 3 else x

    return _each(raised, arrays)


def _each(function: Any, arrays: tuple[Any, ...]) -> Any:
    results = [function(x if hasattr(x, "__array_function__") else np.asarray(x)) for x in arrays]
    return results[0] if len(results) == 1 else tuple(results)


@implements(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into that many parts, the first ones larger by one if need be, or before the indices."""
    # What takes no memory is cut for the lengths alone.
    cut = np.array_split(np.broadcast_to(0, size_along(x, axis)), indices_or_sections)
    ends = np.cumsum([len(part) for part in cut]).tolist()
    if np.ndim(indices_or_sections):
        return _cut(x, list(indices_or_sections), axis)
    return _cut(x, ends[:-1], axis)


@implements(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into that many equal parts, or before the indices.

    Raises ValueError where the size is no multiple of the number of parts.
    """
    size = size_along(x, axis)
    if np.ndim(indices_or_sections) == 0 and size % indices_or_sections:
        raise ValueError(
            f"split: {size} entries along axis {axis} make no {indices_or_sections} equal parts; "
            "array_split makes unequal ones"
        )
    return array_split(x, indices_or_sections, axis)


def _cut(x: Any, places: Sequence[int], axis: int) -> list[Tensor]:
    bounds = zip([None, *places], [*places, None], strict=True)
    return [pick(x, along(axis, slice(start, stop), x.ndim)) for start, stop in bounds]


@implements(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the second axis, or the only one."""
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@implements(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the first axis."""
    return split(x, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the third axis."""
    return split(x, indices_or_sections, 2)


class Joining:
    """Parts of a tensor, and what is put together; `axis`, or PyTorch's `dim`."""

    __slots__ = ()

    append = append
    hsplit, vsplit, dsplit = hsplit, vsplit, dsplit
    atleast_1d, atleast_2d, atleast_3d = atleast_1d, atleast_2d, atleast_3d

    @torch_spelling
    def split(self, split_size: int | Sequence[int], axis: int = 0) -> list[Tensor]:
        """Cut into parts of that size, the last one smaller if need be, or of these sizes."""
        size = size_along(self, axis)
        if isinstance(split_size, int):
            if split_size < 1:
                raise ValueError(f"split: the size of a part is at least 1, got {split_size}")
            return _cut(self, range(split_size, size, split_size), axis)
        if sum(split_size) != size:
            raise ValueError(f"split: sizes {split_size} do not add up to {size} (axis {axis})")
        return _cut(self, np.cumsum(split_size)[:-1].tolist(), axis)

    @torch_spelling
    def chunk(self, chunks: int, axis: int = 0) -> list[Tensor]:
        """Cut into at most that many parts of one size, the last one smaller if need be."""
        size = size_along(self, axis)
        if chunks < 1:
            raise ValueError(f"chunk: the number of parts is at least 1, got {chunks}")
        each = max(math.ceil(size / chunks), 1)
        return _cut(self, range(each, size, each), axis)

    @torch_spelling
    def unbind(self: Any, axis: int = 0) -> tuple[Tensor, ...]:
        """Give the slices along `axis`, without that axis."""
        size = size_along(self, axis)
        return tuple(pick(self, along(axis, i, self.ndim)) for i in range(size))
