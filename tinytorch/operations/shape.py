"""Shapes: the same entries in another arrangement.

The functions have NumPy's signatures and answer for NumPy's functions; `Shape` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinytorch.engine import Node
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import along, pick, scatter, size_along, take
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, torch_spelling
from tinytorch.operations.protocols import implements

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_RESHAPE = Operation("reshape")
_TRANSPOSE = Operation("transpose")
_BROADCAST_TO = Operation("broadcast_to")
_FLIP = Operation("flip")
_ROLL = Operation("roll")
_TRIL = Operation("tril")
_TRIU = Operation("triu")
_CONCATENATE = Operation("concatenate")


def unpacked(values: tuple[Any, ...]) -> tuple[int, ...]:
    """Read `f(2, 3)` and `f((2, 3))` alike."""
    if len(values) == 1 and isinstance(values[0], Sequence | np.ndarray):
        values = tuple(values[0])
    return tuple(operator.index(i) for i in values)


# --- moving axes ----------------------------------------------------------------------------------


@implements(np.reshape)
def reshape(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Arrange the entries, in their order, in `shape`; one size may be -1."""
    return apply(
        _RESHAPE,
        lambda x: x.reshape(shape),
        (lambda grad, out, x: grad.reshape(x.shape),),
        x,
    )


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Put the axes in the order `axes`, or in reverse."""
    if axes is None:
        axes = range(x.ndim)[::-1]
    back = np.argsort([i % x.ndim for i in axes]).tolist() if x.ndim else ()
    return apply(
        _TRANSPOSE,
        lambda x: np.transpose(x, axes),
        (lambda grad, out, x: np.transpose(grad, back),),
        x,
    )


@implements(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Move the axes `source` to the places `destination`; the others keep their order."""
    return transpose(x, _order(x, np.moveaxis, source, destination))


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""
    return transpose(x, _order(x, np.swapaxes, axis1, axis2))


@implements(np.rollaxis)
def rollaxis(x: Any, axis: int, start: int = 0) -> Tensor:
    """Move `axis` back until it comes before `start`."""
    return transpose(x, _order(x, np.rollaxis, axis, start))


@implements(np.matrix_transpose)
def matrix_transpose(x: Any) -> Tensor:
    """Exchange the last two axes."""
    return swapaxes(x, -1, -2)


def _order(x: Any, function: Any, *args: Any) -> tuple[int, ...]:
    """Ask NumPy for the order of axes that one of its functions makes."""
    # An array whose sizes are its axes' numbers, and that takes no memory.
    numbered = np.broadcast_to(0, range(x.ndim))
    return tuple(function(numbered, *args).shape)


@implements(np.expand_dims)
def expand_dims(x: Any, axis: int | Sequence[int]) -> Tensor:
    """Put in an axis of size 1, or several, at the places `axis` of the result."""
    return reshape(x, np.expand_dims(_without_memory(x), axis).shape)


@implements(np.squeeze)
def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Leave out axes of size 1. Raises ValueError for a named axis of another size."""
    return reshape(x, np.squeeze(_without_memory(x), axis).shape)


@implements(np.ravel)
def ravel(x: Any) -> Tensor:
    """Arrange the entries in one axis."""
    return reshape(x, -1)


def _without_memory(x: Any) -> Any:
    return np.broadcast_to(0, x.shape)


# --- repeating entries ----------------------------------------------------------------------------


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Repeat the entries to fill `shape`, by the rules of broadcasting."""
    return apply(
        _BROADCAST_TO, lambda x: np.broadcast_to(x, shape), (lambda grad, out, x: grad,), x
    )


@implements(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """Repeat the entries of all to fill their common shape."""
    shape = np.broadcast_shapes(*[np.shape(x) for x in arrays])
    return tuple(broadcast_to(x, shape) for x in arrays)


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each entry along `axis`, or each of all, `repeats` times."""
    if axis is None:
        x, axis = reshape(x, -1), 0
    return take(x, np.repeat(np.arange(size_along(x, axis)), repeats), axis)


@implements(np.tile)
def tile(x: Any, reps: int | Sequence[int]) -> Tensor:
    """Lay the whole of x side by side, `reps` times along each axis."""
    given = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(len(given), x.ndim)
    times = (1,) * (ndim - len(given)) + given
    shape = (1,) * (ndim - x.ndim) + x.shape
    # Every axis gets one of size 1 before it, which is then repeated.
    apart = reshape(x, [size for n in shape for size in (1, n)])
    repeated = broadcast_to(
        apart, [size for pair in zip(times, shape, strict=True) for size in pair]
    )
    return reshape(repeated, [r * n for r, n in zip(times, shape, strict=True)])


@implements(np.meshgrid)
def meshgrid(*xi: Any, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Repeat coordinates over a grid, an array for each axis: x first ("xy") or in order ("ij")."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: indexing is "xy" or "ij", got {indexing!r}')
    places = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        places[:2] = 1, 0
    grids = [
        reshape(x, [-1 if i == place else 1 for i in range(len(xi))])
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


# --- exchanging entries ---------------------------------------------------------------------------


@implements(np.flip)
def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Reverse the order of the entries along `axis`, or along all."""
    return apply(_FLIP, lambda x: np.flip(x, axis), (lambda grad, out, x: np.flip(grad, axis),), x)


@implements(np.fliplr)
def fliplr(x: Any) -> Tensor:
    """Reverse the columns."""
    return flip(x, 1)


@implements(np.flipud)
def flipud(x: Any) -> Tensor:
    """Reverse the rows."""
    return flip(x, 0)


@implements(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Shift the entries along `axis`, or all in one row; the last ones come in first."""
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return apply(
        _ROLL,
        lambda x: np.roll(x, shift, axis),
        (lambda grad, out, x: np.roll(grad, back, axis),),
        x,
    )


@implements(np.rot90)
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turn the plane of `axes` by 90 degrees, `k` times, from the first towards the second."""
    first, second = axes
    turned = x
    if k % 4 in (2, 3):
        turned = flip(turned, axes)
    if k % 2:
        turned = swapaxes(flip(turned, second), first, second)
    return np.positive(x) if turned is x else turned


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """Keep the entries on and below the `k`-th diagonal; the others become 0."""
    return apply(_TRIL, lambda x: np.tril(x, k), (lambda grad, out, x: np.tril(grad, k),), x)


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Tensor:
    """Keep the entries on and above the `k`-th diagonal; the others become 0."""
    return apply(_TRIU, lambda x: np.triu(x, k), (lambda grad, out, x: np.triu(grad, k),), x)


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Give the diagonals of the planes of two axes, along a new last axis."""
    moved: Any = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = moved.shape[-2:]
    size = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    along = np.arange(size)
    return moved[..., along - min(offset, 0), along + max(offset, 0)]


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Any:
    """Give the `k`-th diagonal of a matrix, or the matrix that has x on it and is 0 elsewhere."""
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag: expected one axis or two, got shape {x.shape}")
    along, size = np.arange(x.shape[0]), x.shape[0] + abs(k)
    return scatter(x, (along - min(k, 0), along + max(k, 0)), (size, size))


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> Any:
    """Put `pad_width` entries before and after, along each axis.

    They are `constant_values`, or in mode "edge", "reflect", "symmetric" or "wrap" taken from x.
    """
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: mode {mode!r} has no gradient here")
    if mode == "constant":
        frame = np.pad(np.zeros(x.shape, bool), pad_width, constant_values=True)
        values = np.pad(np.zeros(x.shape, x.dtype), pad_width, constant_values=constant_values)
        before = [n[0] for n in np.broadcast_to(pad_width, (x.ndim, 2)).tolist()]
        inside = tuple(slice(b, b + n) for b, n in zip(before, x.shape, strict=True))
        return where(frame, values, scatter(x, inside, frame.shape))
    for axis, width in enumerate(np.broadcast_to(pad_width, (x.ndim, 2)).tolist()):
        x = take(x, np.pad(np.arange(size_along(x, axis)), width, mode=mode), axis)
    return x


# --- joining and splitting ------------------------------------------------------------------------


@implements(np.concatenate)
def concatenate(arrays: Iterable[Any], axis: int | None = 0) -> Tensor:
    """Join arrays along an axis that they have; all other sizes agree."""
    arrays = list(arrays)
    if axis is None:
        arrays, axis = [np.reshape(x, -1) for x in arrays], 0
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


@implements(np.stack)
def stack(arrays: Iterable[Any], axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis."""
    return concatenate([np.expand_dims(x, axis) for x in arrays], axis)


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Tensor:
    """Put `values` behind x along `axis`, or behind all entries of x in one row."""
    return concatenate([x, values], axis)


@implements(np.hstack)
def hstack(tup: Iterable[Any]) -> Tensor:
    """Join side by side: along the second axis, or the only one."""
    arrays = [np.atleast_1d(x) for x in tup]
    return concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)


@implements(np.vstack)
def vstack(tup: Iterable[Any]) -> Tensor:
    """Join as rows: along the first axis of at least two."""
    return concatenate([np.atleast_2d(x) for x in tup], 0)


@implements(np.dstack)
def dstack(tup: Iterable[Any]) -> Tensor:
    """Join in depth: along the third axis."""
    return concatenate([np.atleast_3d(x) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup: Iterable[Any]) -> Tensor:
    """Join as columns of a matrix."""
    return concatenate([np.reshape(x, (-1, 1)) if np.ndim(x) < 2 else x for x in tup], 1)


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
    cut = np.array_split(np.arange(size_along(x, axis)), indices_or_sections)
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


class Shape(Node):
    """Other arrangements of the entries; `axis`, or PyTorch's `dim`."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._data.size

    def numel(self) -> int:
        """Give the number of entries."""
        return self._data.size

    def dim(self) -> int:
        """Give the number of axes."""
        return self._data.ndim

    ravel = ravel
    moveaxis = movedim = moveaxis
    swapaxes = swapdims = swapaxes
    expand_dims = torch_spelling(expand_dims)
    broadcast_to = broadcast_to
    rollaxis = rollaxis
    fliplr, flipud = fliplr, flipud
    rot90 = rot90
    tril, triu = tril, triu
    diagonal = diagonal
    diag = diag
    append = append
    hsplit, vsplit, dsplit = hsplit, vsplit, dsplit
    atleast_1d, atleast_2d, atleast_3d = atleast_1d, atleast_2d, atleast_3d
    pad = pad

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return matrix_transpose(self)

    def reshape(self, *shape: Any) -> Tensor:
        """Arrange the entries, in their order, in `shape`; one size may be -1."""
        return reshape(self, unpacked(shape))

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Join the axes from `start_dim` to `end_dim` into one."""
        if self.ndim == 0:
            return reshape(self, 1)
        first, last = (normalize_axis_index(i, self.ndim) for i in (start_dim, end_dim))
        if first > last:
            raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
        joined = int(np.prod(self.shape[first : last + 1], dtype=int))
        return reshape(self, (*self.shape[:first], joined, *self.shape[last + 1 :]))

    @torch_spelling
    def unflatten(self, axis: int, sizes: Sequence[int]) -> Tensor:
        """Part an axis into several of these sizes; one may be -1."""
        axis = normalize_axis_index(axis, self.ndim)
        return reshape(self, (*self.shape[:axis], *sizes, *self.shape[axis + 1 :]))

    def transpose(self, *axes: Any) -> Tensor:
        """Exchange two axes; of none, reverse them all; of more, put them in that order."""
        axes = axes if axes and axes[0] is not None else ()
        order = unpacked(axes)
        if len(order) == 2 and not isinstance(axes[0], Sequence):
            return swapaxes(self, *order)
        return transpose(self, order or None)

    def permute(self, *axes: Any) -> Tensor:
        """Put the axes in the order `axes`."""
        return transpose(self, unpacked(axes))

    @torch_spelling
    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """Leave out the axes of size 1, or of those named the ones that have it."""
        if axis is None:
            return squeeze(self)
        named = normalize_axis_tuple(axis, self.ndim)
        return squeeze(self, tuple(i for i in named if self.shape[i] == 1))

    @torch_spelling
    def unsqueeze(self, axis: int) -> Tensor:
        """Put in an axis of size 1 at the place `axis`."""
        return expand_dims(self, axis)

    def expand(self, *shape: Any) -> Tensor:
        """Repeat the entries to fill `shape`; -1 keeps a size."""
        sizes = unpacked(shape)
        if len(sizes) < self.ndim:
            raise ValueError(f"expand: {describe(self)} does not fit into {sizes}")
        own = (1,) * (len(sizes) - self.ndim) + self.shape
        return broadcast_to(self, [n if s == -1 else s for s, n in zip(sizes, own, strict=True)])

    @torch_spelling
    def flip(self, *axes: Any, axis: Any = None) -> Tensor:
        """Reverse the order of the entries along these axes, or along all."""
        return flip(self, unpacked(axes) if axes else axis)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """Shift the entries along `dims`, or all in one row; the last ones come in first."""
        return roll(self, shifts, dims)

    def repeat(self, *sizes: Any) -> Tensor:
        """Lay the whole of x side by side, that many times along each axis (np.repeat: entries)."""
        return tile(self, unpacked(sizes))

    tile = repeat

    @torch_spelling
    def repeat_interleave(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Repeat each entry along `axis`, or each of all, as np.repeat."""
        return repeat(self, repeats, axis)

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
    def unbind(self, axis: int = 0) -> tuple[Tensor, ...]:
        """Give the slices along `axis`, without that axis."""
        return tuple(pick(self, along(axis, i, self.ndim)) for i in range(size_along(self, axis)))
