"""What NumPy can say in several ways, in the fastest; of other arrays, in the usual one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of

# Whole numbers of the same size.
_BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}

# A vector times a matrix of more entries is shared among threads, to wait for which takes longer.
_ONE_THREAD = 9000


def is_numpy(x: Any) -> bool:
    """Say whether x is NumPy's own array, or stands for one, as a recorder does."""
    return type(x) is np.ndarray or getattr(x, "stands_for", None) is np.ndarray


def keep(mask: Any, array: Any) -> Any:
    """Give `array` where `mask` is true, else 0."""
    bits = _BITS.get(array.dtype) if is_numpy(array) else None
    if bits is None:
        return np.where(mask, array, 0)
    # Nothing branches; and bits times 0 are 0, where inf times 0 would be nan.
    return (array.view(bits) * mask).view(array.dtype)


def matmul(x: Any, y: Any) -> Any:
    """Give the matrix product, as `np.matmul`."""
    if is_numpy(x) and is_numpy(y) and y.ndim == 2:
        if x.ndim == 2:
            return np.dot(x, y)
        if x.ndim > 2:  # a single product instead of one for each matrix of the stack
            return np.dot(rows(x), y).reshape((*x.shape[:-1], y.shape[-1]))
    return np.matmul(x, y)


def rows(x: Any) -> Any:
    """Put the rows of all matrices of a stack into one matrix."""
    return x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def ones_like(array: Any) -> Any:
    """Give `np.ones_like(array)`; of no axes, a scalar, with which NumPy counts faster."""
    if type(array) is not np.ndarray:
        return np.ones_like(array)
    return ones(array.shape, array.dtype) if array.shape else array.dtype.type(1)


def ones(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Give `np.ones(shape, dtype)`."""
    array: Any = np.empty(shape, dtype)
    array.fill(1)
    return array


def sum_leading(array: Any, axes: int) -> Any:
    """Sum over the first axes, so many."""
    matrix = axes == 1 and is_numpy(array) and array.ndim == 2
    if matrix and array.size <= _ONE_THREAD and array.dtype.char in "fd":
        return np.dot(ones(len(array), array.dtype), array)
    return array.sum(axis=tuple(range(axes)))


def sum_along(array: Any, axis: int) -> Any:
    """Sum along an axis, which is kept with size 1."""
    if is_numpy(array) and array.dtype.char in "fd" and axis in (-1, array.ndim - 1):
        return np.vecdot(array, ones(array.shape[-1], array.dtype))[..., None]
    return array.sum(axis=axis, keepdims=True)


def mean(array: Any, axis: Any, keepdims: bool) -> Any:
    """Give `np.mean(array, axis, keepdims=keepdims)`."""
    if is_numpy(array) and array.dtype.char in "fd" and array.size:
        sums = array.sum(axis=axis, keepdims=keepdims)
        return sums / (array.size // sums.size)
    return array.mean(axis=axis, keepdims=keepdims)


def broadcast_to(array: Any, shape: tuple[int, ...], like: Any = None) -> Any:
    """Repeat the entries to fill `shape`, without copying, as `np.broadcast_to`.

    `like` is an array of that shape: where its kind lays arrays out, the result is laid out so.
    """
    if type(array) is np.ndarray and not array.shape:
        array = array[()]  # which is read-only, and makes the result so
    if isinstance(array, np.generic):
        # From one entry to the next it is 0 bytes, in every direction.
        return np.ndarray(shape, array.dtype, array, strides=(0,) * len(shape))
    return kind_of(array if like is None else like).broadcast_to(array, shape, like)
