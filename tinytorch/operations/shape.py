"""Shapes: the same entries in another arrangement.

The functions have NumPy's signatures and answer for NumPy's functions; `Shape` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinytorch.engine import Array
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import also_called, torch_spelling

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_RESHAPE = Operation("reshape")
_TRANSPOSE = Operation("transpose")
_FLIP = Operation("flip")
_ROLL = Operation("roll")


def unpacked(values: tuple[Any, ...]) -> tuple[int, ...]:
    """Read `f(2, 3)` and `f((2, 3))` alike."""
    if len(values) == 1 and isinstance(values[0], Sequence | np.ndarray):
        values = tuple(values[0])
    return tuple(operator.index(i) for i in values)


# --- moving axes ----------------------------------------------------------------------------------


@defines(_RESHAPE)
@implements(np.reshape)
def reshape(
    x: Any, shape: int | Sequence[int], order: str | None = "C", *, copy: bool | None = None
) -> Tensor:
    """Arrange the entries, in their order, in `shape`; one size may be -1.

    With `order` "F" the first axis runs fastest, in x and in the result. The result shares x's
    memory where it can, but not with `copy`. Raises ValueError for other orders, which would depend
    on how memory is laid out, and for a `copy` of False.
    """
    if copy is not None:
        if not copy:
            raise ValueError("reshape: copy=False is not supported: x.data.reshape shares memory")
        return reshape(np.copy(x), shape, order)
    if _first_runs_fastest("reshape", order):
        turned = (shape,) if isinstance(shape, int) else tuple(shape)[::-1]
        return transpose(reshape(transpose(x), turned))
    return apply(
        _RESHAPE,
        lambda x: x.reshape(shape),
        (lambda grad, out, x: grad.reshape(x.shape),),
        x,
    )


def _first_runs_fastest(name: str, order: Any) -> bool:
    if order not in (None, "C", "F"):
        raise ValueError(
            f'{name}: order="C" (the last axis runs fastest) or "F" (the first) says the order of '
            f"a tensor's entries, whose place in memory says nothing: got {order!r}"
        )
    return bool(order == "F")


@defines(_TRANSPOSE)
@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Put the axes in the order `axes`, or in reverse."""
    if axes is None:
        axes = range(x.ndim)[::-1]
    axes = tuple(axes)
    back = tuple(np.argsort([i % x.ndim for i in axes]).tolist()) if x.ndim else ()
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


def _also_of_scalars(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a tensor of no axes have an axis 0 to exchange with itself, as in PyTorch."""

    @functools.wraps(method)
    def of_any_axes(x: Any, *axes: Any, **named: Any) -> Tensor:
        if not x.ndim and {*axes, *named.values()} <= {0, -1}:
            return transpose(x)
        return method(x, *axes, **named)

    return of_any_axes


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
def ravel(x: Any, order: str | None = "C") -> Tensor:
    """Arrange the entries in one axis; with `order` "F" the first axis runs fastest."""
    return reshape(x, -1, order)


def _without_memory(x: Any) -> Any:
    return np.broadcast_to(0, x.shape)


# --- exchanging entries ---------------------------------------------------------------------------


@defines(_FLIP)
@implements(np.flip)
def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Reverse the order of the entries along `axis`, or along all."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    return apply(_FLIP, lambda x: np.flip(x, axis), (lambda grad, out, x: np.flip(grad, axis),), x)


@implements(np.fliplr)
def fliplr(x: Any) -> Tensor:
    """Reverse the columns."""
    return flip(x, 1)


@implements(np.flipud)
def flipud(x: Any) -> Tensor:
    """Reverse the rows."""
    return flip(x, 0)


@defines(_ROLL)
@implements(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Shift the entries along `axis`, or all in one row; the last ones come in first."""
    shift, axis = (tuple(x) if isinstance(x, list) else x for x in (shift, axis))
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
        turned = flip(turned, tuple(axes))
    if k % 2:
        turned = swapaxes(flip(turned, second), first, second)
    return np.positive(x) if turned is x else turned


class Size(int):
    """A number of entries that may be called for the shape, since PyTorch's `size` is a method."""

    shape: tuple[int, ...]

    def __new__(cls, shape: tuple[int, ...]) -> Size:  # noqa: PYI034  (no subclass is made)
        """Count the entries of an array of that shape."""
        size = super().__new__(cls, math.prod(shape))
        size.shape = shape
        return size

    def __call__(self, dim: int | None = None) -> Any:
        """Give the shape, or the size along the axis `dim`."""
        return self.shape if dim is None else self.shape[dim]


class Shape:
    """Other arrangements of the entries; `axis`, or PyTorch's `dim`."""

    __slots__ = ()
    _value: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        return self._value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> Size:
        """The number of entries; as in PyTorch, `x.size()` is the shape, `x.size(0)` one size."""
        return Size(self._value.shape)

    def numel(self) -> int:
        """Give the number of entries."""
        return self._value.size

    def dim(self) -> int:
        """Give the number of axes."""
        return self._value.ndim

    ravel = ravel
    moveaxis = movedim = _also_of_scalars(moveaxis)
    swapaxes = _also_of_scalars(swapaxes)
    swapdims = also_called(dim0="axis1", dim1="axis2")(swapaxes)
    expand_dims = torch_spelling(expand_dims)
    rollaxis = rollaxis
    fliplr, flipud = fliplr, flipud
    rot90 = also_called(dims="axes")(rot90)

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return matrix_transpose(self)

    def reshape(self, *shape: Any, order: str | None = "C") -> Tensor:
        """Arrange the entries in `shape`, of which one size may be -1.

        They keep their order, in which the last axis runs fastest, or with `order` "F" the first.
        """
        return reshape(self, unpacked(shape), order)

    def view(self, *shape: Any) -> Tensor:
        """Arrange the entries, in their order, in `shape`; one size may be -1."""
        return reshape(self, unpacked(shape))

    def flatten(self, start_dim: Any = 0, end_dim: int = -1, *, order: str | None = "C") -> Tensor:
        """Join the axes from `start_dim` to `end_dim` into one; or all in NumPy's `order`."""
        if isinstance(start_dim, str):  # NumPy's x.flatten("F")
            order, start_dim = start_dim, 0
        if _first_runs_fastest("flatten", order):
            if (start_dim, end_dim) != (0, -1):
                raise ValueError('flatten: order="F" joins all axes: give no start_dim, end_dim')
            return ravel(self, order)
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

    def transpose(self, *axes: Any, dim0: int | None = None, dim1: int | None = None) -> Tensor:
        """Exchange two axes; of none, reverse them all; of more, put them in that order."""
        axes += tuple(i for i in (dim0, dim1) if i is not None)
        axes = axes if axes and axes[0] is not None else ()
        order = unpacked(axes)
        if len(order) == 2 and not isinstance(axes[0], Sequence):
            return _also_of_scalars(swapaxes)(self, *order)
        return transpose(self, order or None)

    def permute(self, *axes: Any, dims: Any = None) -> Tensor:
        """Put the axes in the order `axes`, or `dims`."""
        return transpose(self, unpacked(axes if dims is None else (dims,)))

    @torch_spelling
    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """Leave out the axes of size 1, or of those named the ones that have it."""
        if axis is None or (not self.ndim and {*np.atleast_1d(axis)} <= {0, -1}):
            return squeeze(self)
        named = normalize_axis_tuple(axis, self.ndim)
        return squeeze(self, tuple(i for i in named if self.shape[i] == 1))

    @torch_spelling
    def unsqueeze(self, axis: int) -> Tensor:
        """Put in an axis of size 1 at the place `axis`."""
        return expand_dims(self, axis)

    @torch_spelling
    def flip(self, *axes: Any, axis: Any = None) -> Tensor:
        """Reverse the order of the entries along these axes, or along all."""
        given = axes if axis is None else (axis,)
        named = unpacked(given) if given else None
        return flip(self, named if self.ndim or named not in {(0,), (-1,)} else None)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """Shift the entries along `dims`, or all in one row; the last ones come in first."""
        return roll(self, shifts, dims)
