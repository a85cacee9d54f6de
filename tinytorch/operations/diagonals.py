"""Diagonals and triangles of matrices; stacks of matrices in the other axes.

The functions have NumPy's signatures and answer for NumPy's functions; `Diagonals` makes methods of
them, with PyTorch's names of arguments too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.operations.indexing import scatter
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements
from tinytorch.operations.pytorch import also_called
from tinytorch.operations.shape import moveaxis

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_TRIL = Operation("tril")
_TRIU = Operation("triu")


@defines(_TRIL)
@implements(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """Keep the entries on and below the `k`-th diagonal; the others become 0."""
    return apply(_TRIL, lambda x: np.tril(x, k), (lambda grad, out, x: np.tril(grad, k),), x)


@defines(_TRIU)
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


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """Put all entries on a diagonal of a matrix."""
    return diag(np.reshape(v, -1), k)


class Diagonals:
    """Diagonals and triangles of matrices."""

    __slots__ = ()

    tril, triu = also_called(diagonal="k")(tril), also_called(diagonal="k")(triu)
    diagonal = also_called(dim1="axis1", dim2="axis2")(diagonal)
    diag = also_called(diagonal="k")(diag)
    diagflat = also_called(offset="k")(diagflat)
