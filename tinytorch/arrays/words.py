"""What NumPy can say in several ways, in the fastest; of other arrays, in the usual one."""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import IN_MEMORY, NUMBERS, NUMPY, kind_of, own

# Whole numbers of the same size.
_BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}

# A vector times a matrix of more entries is shared among threads, to wait for which takes longer.
_ONE_THREAD = 9000

_WHOLE_POWERS = {*range(-8, -1), *range(2, 9)}

# So many entries of a few arrays stay in the cache.
_BLOCK = 1 << 15

# So many rows are added one after the other, before their sums are.
_ROWS = 64


def keep(mask: Any, array: Any) -> Any:
    """Give `array` where `mask` is true, else 0."""
    bits = _BITS.get(array.dtype) if isinstance(array, np.ndarray) else None
    if bits is None:
        return choose(mask, array, 0)
    # Nothing branches; and bits times 0 are 0, where inf times 0 would be nan.
    return (array.view(bits) * mask).view(array.dtype)


def choose(mask: Any, x: Any, y: Any) -> Any:
    """Give `np.where(mask, x, y)`, wherever the mask was made."""
    if type(x) is not np.ndarray or type(y) is not np.ndarray:
        mask = own(mask, y if kind_of(x) is NUMPY else x)
    return np.where(mask, x, y)


def conj(x: Any) -> Any:
    """Give the complex conjugate; real numbers as they are.

    A gradient df/da + i df/db, of f by a + ib, goes back through the graph as its conjugate: then a
    rule that holds for real numbers holds for complex ones, if it has a derivative there.
    """
    return np.conj(x) if x.dtype.kind == "c" else x


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """Give x in another dtype; of complex numbers, their real parts where the dtype is real."""
    return (x.real if x.dtype.kind == "c" != dtype.kind else x).astype(dtype)


def as_reals(x: Any) -> Any:
    """See complex numbers as real and imaginary parts, in a last axis; real numbers as they are."""
    return x[..., None].view(x.real.dtype) if x.dtype.kind == "c" else x


def power(x: Any, y: Any) -> Any:
    """Give x**y. Of whole powers, small ones are products, and others those of |x|, with a sign.

    In front of a negative x NumPy takes a hundred times as long.
    """
    if type(x) is type(y) is np.ndarray and not y.shape and y.dtype.kind == "f":
        x, y = x.astype(np.result_type(x, y), copy=False), y.item()
    if type(y) in NUMBERS and y == 2:
        return x * x
    whole = isinstance(x, np.ndarray) and type(y) in NUMBERS and y % 1 == 0
    if not whole or x.dtype.char in "eFDG" or abs(y) < 2:
        return x**y
    if y not in _WHOLE_POWERS:
        size = np.abs(x) ** y
        return np.copysign(size, x) if y % 2 else size
    if y < 0:
        return 1 / power(x, -y)
    if y == 3:
        return x * x * x
    half = power(x * x, y // 2)
    return half * x if y % 2 else half


def matmul(x: Any, y: Any) -> Any:
    """Give the matrix product, as `np.matmul`."""
    if type(x) is type(y) is np.ndarray and x.ndim == y.ndim == 2:
        return x.dot(y)  # which looks for no protocol
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and y.ndim == 2:
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


_sum: Any = np.add.reduce  # what the method calls, which takes longer


def sum_axes(array: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Give `array.sum(axis=axis, keepdims=keepdims)`; long sums lose no digits.

    NumPy adds in pairs along the axis that lies together in memory, and one by one along others,
    where the rounding errors add up: in float16 a sum of ones ends at 2048.
    """
    if type(array) is np.ndarray and array.dtype.char == "d":
        return _sum(array, axis, None, None, keepdims)
    if not isinstance(array, np.ndarray) or array.dtype.char not in "efF":
        return array.sum(axis=axis, keepdims=keepdims)
    if array.dtype.char == "e":
        wide: type[Any] = np.float32
    elif (axis is None and array.flags.forc) or (
        axis in {-1, array.ndim - 1} and array.flags.c_contiguous
    ):
        return array.sum(axis=axis, keepdims=keepdims)
    elif axis in {0, (0,)} and array.ndim == 2 and array.flags.c_contiguous:
        return _sum_rows(array)[None] if keepdims else _sum_rows(array)
    elif array.ndim > 2 and (sums := _sum_blocks(array, axis)) is not None:
        return sums if keepdims else sums.squeeze(axis)
    else:
        wide = np.complex128 if array.dtype.kind == "c" else np.float64
    return array.sum(axis=axis, keepdims=keepdims, dtype=wide).astype(array.dtype)


def _sum_blocks(array: Any, axis: Any) -> Any:
    """Sum over axes, kept, that in memory are the first ones or the last; None for others."""
    axes = {i % array.ndim for i in (range(array.ndim) if axis is None else np.atleast_1d(axis))}
    order = sorted(range(array.ndim), key=lambda i: -array.strides[i])
    dense = array.transpose(order)
    if not dense.flags.c_contiguous or not array.size:
        return None
    first = [i for i in order if i in axes]
    if order[: len(axes)] == first:
        sums = _sum_rows(dense.reshape((math.prod(dense.shape[: len(axes)]), -1)))
    elif order[-len(axes) :] == first:
        sums = dense.reshape((math.prod(dense.shape[: -len(axes)]), -1)).sum(axis=-1)
    else:
        return None
    kept = sums.reshape([1 if i in axes else array.shape[i] for i in order])
    return kept.transpose(np.argsort(order))


def sum_products(x: Any, y: Any, axis: tuple[int, ...]) -> Any:
    """Give `np.sum(x * y, axis, keepdims=True)`, of arrays of one shape."""
    if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)) or x.dtype.char not in "fd":
        return np.sum(x * y, axis=axis, keepdims=True)
    axes = {i % x.ndim for i in axis}
    letters = string.ascii_letters[: x.ndim]
    kept = "".join(letter for i, letter in enumerate(letters) if i not in axes)
    sums = np.einsum(f"{letters},{letters}->{kept}", x, y)
    return sums.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])


def _sum_rows(matrix: Any) -> Any:
    """Sum over the rows, by products with ones, which are faster than sums."""
    while len(matrix) > _ROWS:
        whole = len(matrix) - len(matrix) % _ROWS
        stack = matrix[:whole].reshape(-1, _ROWS, matrix.shape[1])
        sums = np.matmul(ones((1, _ROWS), matrix.dtype), stack)[:, 0]
        matrix = np.concatenate([sums, matrix[whole:].sum(axis=0, keepdims=True)])
    return matrix.sum(axis=0)


@functools.lru_cache(64)
def _shared_ones(size: int, dtype: np.dtype[Any]) -> Any:
    array = ones(size, dtype)
    array.setflags(write=False)
    return array


def sum_leading(array: Any, axes: int) -> Any:
    """Sum over the first axes, so many; there may be none."""
    if axes <= 0:
        return array
    if isinstance(array, np.ndarray) and array.ndim == axes + 1:
        if axes > 1 and array.flags.c_contiguous:
            array, axes = rows(array), 1
        if axes == 1 and array.size <= _ONE_THREAD and array.dtype.char in "fd":
            weights = _shared_ones(len(array), array.dtype)
            return weights.dot(array) if type(array) is np.ndarray else np.dot(weights, array)
    return sum_axes(array, tuple(range(axes)))


def sum_along(array: Any, axis: int) -> Any:
    """Sum along an axis, which is kept with size 1."""
    if isinstance(array, np.ndarray) and array.dtype.char in "fd" and axis in (-1, array.ndim - 1):
        return np.vecdot(array, ones(array.shape[-1], array.dtype))[..., None]
    return sum_axes(array, axis, keepdims=True)


def dot_along(x: Any, y: Any, axis: int = -1) -> Any:
    """Sum the products of x and y along an axis, which is kept with size 1."""
    arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    if arrays and x.shape == y.shape and x.dtype.char in "fd" and axis in (-1, x.ndim - 1):
        return np.vecdot(x, y)[..., None]
    return sum_along(x * y, axis)


def mean(array: Any, axis: Any, keepdims: bool) -> Any:
    """Give `np.mean(array, axis, keepdims=keepdims)`; long sums lose no digits."""
    if not isinstance(array, np.ndarray) or array.dtype.char not in "fd" or not array.size:
        return array.mean(axis=axis, keepdims=keepdims)
    sums = sum_axes(array, axis, keepdims)
    return sums / (array.size // sums.size)


def variance(array: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """Give `np.var(array, axis, ddof=ddof, keepdims=keepdims)`; long sums lose no digits."""
    if not isinstance(array, np.ndarray) or array.dtype.char not in "fd" or not array.size:
        return array.var(axis=axis, keepdims=keepdims, ddof=ddof)
    deviation = array - mean(array, axis, keepdims=True)
    sums = sum_axes(deviation * deviation, axis, keepdims)
    return sums / max(array.size // sums.size - ddof, 0)


def cumsum(array: Any, axis: int = -1) -> Any:
    """Give `np.cumsum(array, axis)`; long sums lose no digits."""
    if isinstance(array, np.ndarray) and array.dtype.char == "f":
        return np.cumsum(array, axis=axis, dtype=np.float64).astype(array.dtype)
    return np.cumsum(array, axis=axis)


def half_as_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let `function` of arrays compute float16 in float32, and round its result, as PyTorch does.

    Beyond 2048, float16 counts in steps of two and more, and it ends at 65504.
    """

    @functools.wraps(function)
    def rounded(*arrays: Any, **parameters: Any) -> Any:
        if arrays[0].dtype.char != "e":
            return function(*arrays, **parameters)
        wide = [x.astype(np.float32) if hasattr(x, "astype") else x for x in arrays]
        return function(*wide, **parameters).astype(np.float16)

    return rounded


def of_reals(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let `function` of an array refuse complex numbers: TypeError."""

    @functools.wraps(function)
    def checked(x: Any, *args: Any, **parameters: Any) -> Any:
        if x.dtype.kind == "c":
            raise TypeError(f"this function takes real numbers, got an array of dtype {x.dtype}")
        return function(x, *args, **parameters)

    return checked


def in_blocks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let an elementwise function go through large arrays in parts that stay in the cache."""

    @functools.wraps(function)
    def blockwise(*arrays: Any, **parameters: Any) -> Any:
        first = arrays[-1]
        if type(first) is not np.ndarray or first.size <= 2 * _BLOCK:
            return function(*arrays, **parameters)
        if not all(_in_a_row(x) and x.shape == first.shape for x in arrays):
            return function(*arrays, **parameters)
        out, flat = np.empty(first.shape, first.dtype), [x.reshape(-1) for x in arrays]
        for part in (slice(i, i + _BLOCK) for i in range(0, first.size, _BLOCK)):
            out.reshape(-1)[part] = function(*[x[part] for x in flat], **parameters)
        return out

    return blockwise


def _in_a_row(x: Any) -> bool:
    """Say whether the entries make a row without a copy; the same one repeated does, too."""
    return type(x) is np.ndarray and (x.flags.c_contiguous or not any(x.strides))


def _log_of_sum(x: Any, y: Any) -> Any:
    with np.errstate(invalid="ignore"):
        gap = np.abs(x - y)
    gap = np.where(np.isnan(gap), 0, gap)  # inf - inf; a nan is in the larger one, too
    return np.maximum(x, y) + np.log1p(np.exp(-gap))


_log_of_sum = in_blocks(_log_of_sum)


def logaddexp(x: Any, y: Any) -> Any:
    """Give `np.logaddexp(x, y)`, which calls the C library for each entry."""
    dtypes = {z.dtype.char for z in (x, y) if type(z) is np.ndarray}
    if dtypes in ({"f"}, {"d"}) and IN_MEMORY.issuperset((type(x), type(y))):
        return _log_of_sum(x, y)
    return np.logaddexp(x, y)


def subtract_scaled(x: Any, factor: Any, y: Any) -> None:
    """Do `x -= factor * y`; of large arrays in parts, which need no memory of their own."""
    large = type(x) is type(y) is np.ndarray and x.size > 2 * _BLOCK and x.shape == y.shape
    if large and x.flags.c_contiguous and y.flags.c_contiguous:
        x, y = x.reshape(-1), y.reshape(-1)
        for part in (slice(i, i + _BLOCK) for i in range(0, x.size, _BLOCK)):
            x[part] -= factor * y[part]
    else:
        x -= factor * y


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
