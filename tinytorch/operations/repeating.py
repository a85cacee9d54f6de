"""Repeating entries: broadcasting, tiles, grids.

The functions have NumPy's signatures and answer for NumPy's functions; `Repeating` makes methods of
them, with PyTorch's meaning where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.engine import Node
from tinytorch.operations.indexing import size_along, take
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.samples import as_operand
from tinytorch.operations.shape import reshape, unpacked

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_BROADCAST_TO = Operation("broadcast_to")


@defines(_BROADCAST_TO)
@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Repeat the entries to fill `shape`, by the rules of broadcasting."""
    return apply(
        _BROADCAST_TO, lambda x: np.broadcast_to(x, shape), (lambda grad, out, x: grad,), x
    )


@implements(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Fill an array of a's shape and dtype, or others; with a tensor, give a tensor."""
    if not isinstance(fill_value, Node):
        return np.full_like(a._value, fill_value, dtype, shape=shape)
    filled: Any = broadcast_to(fill_value, np.shape(a) if shape is None else shape)
    dtype = a.dtype if dtype is None else dtype
    return filled if filled.dtype == dtype else filled.astype(dtype)


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
    repeats = kind_of(repeats).numpy(repeats)  # they decide the shape
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
        reshape(as_operand(x), [-1 if i == place else 1 for i in range(len(xi))])
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


class Repeating:
    """Entries repeated; `axis`, or PyTorch's `dim`."""

    __slots__ = ()

    broadcast_to = broadcast_to

    def expand(self: Any, *shape: Any) -> Tensor:
        """Repeat the entries to fill `shape`; -1 keeps a size."""
        sizes = unpacked(shape)
        if len(sizes) < self.ndim:
            raise ValueError(f"expand: {describe(self)} does not fit into {sizes}")
        own = (1,) * (len(sizes) - self.ndim) + self.shape
        return broadcast_to(self, [n if s == -1 else s for s, n in zip(sizes, own, strict=True)])

    def repeat(self, *sizes: Any) -> Tensor:
        """Lay the whole of x side by side, that many times along each axis (np.repeat: entries)."""
        return tile(self, unpacked(sizes))

    tile = repeat

    @torch_spelling
    def repeat_interleave(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Repeat each entry along `axis`, or each of all, as np.repeat."""
        return repeat(self, repeats, axis)
