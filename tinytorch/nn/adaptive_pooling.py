"""Adaptive pooling: as many windows as are wanted, whatever the size of the input.

Window i of n along an axis goes from entry floor(i * size / n) up to ceil((i + 1) * size / n).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tinytorch.arrays.kind import evaluate, own
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.spatial import along_axis, for_axes, in_batches
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

OutputSize: TypeAlias = int | Sequence[int | None] | None  # None: that of the input


def _wanted(name: str, x: Any, output_size: OutputSize, n: int) -> list[int]:
    given = output_size if isinstance(output_size, Sequence) else [output_size] * n
    sizes = [
        size if out is None else int(out) for size, out in zip(x.shape[2:], given, strict=False)
    ]
    if len(given) != n or min(sizes) < 0 or (0 in x.shape[2:] and max(sizes) > 0):
        raise ValueError(
            f"{name}: output_size is a number or {n} of them, of sizes that are not empty, got "
            f"{output_size} for {describe(x)}"
        )
    return sizes


def _bounds(size: int, n: int) -> tuple[Any, Any]:
    """Give the first entry of each window, and the one behind its last."""
    i = np.arange(n)
    return i * size // max(n, 1), -(-(i + 1) * size // max(n, 1))


def average_matrix(size: int, n: int, dtype: Any) -> Any:
    """Give the matrix (n, size) that makes of `size` entries the averages of n windows."""
    start, end = _bounds(size, n)
    j = np.arange(size)
    inside = (start[:, None] <= j) & (j < end[:, None])
    return (inside / (end - start)[:, None]).astype(dtype)


def _adaptive_avg_pool(n: int, input: Any, output_size: OutputSize) -> Tensor:
    """Give the means of windows of (N, C, *sizes), so many that the sizes are `output_size`.

    That is a number for all axes, or one for each; None is the size of the input. N may be missing.
    """
    x, single = in_batches(n, input, f"adaptive_avg_pool{n}d")
    for axis, size in enumerate(_wanted(f"adaptive_avg_pool{n}d", x, output_size, n), 2):
        if size != x.shape[axis]:
            x = along_axis(average_matrix(x.shape[axis], size, x.dtype), x, axis)
    out: Tensor = x
    return out[0] if single else out


_adaptive_avg_pool.__name__ = "adaptive_avg_pool"
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = for_axes(_adaptive_avg_pool)


def _adaptive_max_pool(
    n: int, input: Any, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Give the largest entries of windows of (N, C, *sizes), as many as `output_size` says.

    That is a number for all axes, or one for each; None is the size of the input. Of entries that
    tie the first gets the gradient. With `return_indices`, also say where each was, as plain
    numbers of entries in the (flattened) sizes. N may be missing.
    """
    name = f"adaptive_max_pool{n}d"
    x, single = in_batches(n, input, name)
    sizes = x.shape[2:]
    wanted = _wanted(name, x, output_size, n)
    numbers = _in_windows(np.arange(int(np.prod(sizes))).reshape(sizes), wanted)
    flat: Any = x.reshape(*x.shape[:2], math.prod(sizes))

    def largest(data: Any) -> Any:
        there = own(numbers, data)
        first = np.argmax(data[..., there], axis=-1)
        return np.take_along_axis(there[None, None], first[..., None], -1)[..., 0]

    where = evaluate(name, largest, flat._value)
    out: Any = np.take_along_axis(flat, where.reshape(*flat.shape[:2], math.prod(wanted)), -1)
    out = out.reshape(where.shape)
    if single:
        out, where = out[0], where[0]
    return (out, where) if return_indices else out


def _in_windows(numbers: Any, wanted: Sequence[int]) -> Any:
    """Pick the entries of each window: of (*sizes), (*wanted, entries); the last ones repeated."""
    n = numbers.ndim
    for axis, size in enumerate(wanted):
        start, end = _bounds(numbers.shape[2 * axis], size)
        longest = int((end - start).max(initial=0))
        along = np.minimum(start[:, None] + np.arange(longest), end[:, None] - 1)
        numbers = np.take(numbers, along, 2 * axis)
    order = (*range(0, 2 * n, 2), *range(1, 2 * n, 2))
    return numbers.transpose(order).reshape(*wanted, -1)


_adaptive_max_pool.__name__ = "adaptive_max_pool"
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = for_axes(_adaptive_max_pool)


class AdaptiveAvgPool1d(FunctionModule, function=adaptive_avg_pool1d, shows="output_size"):
    """The means of `output_size` windows of (N, C, L)."""


class AdaptiveAvgPool2d(FunctionModule, function=adaptive_avg_pool2d, shows="output_size"):
    """The means of windows of (N, C, H, W), so many that the sizes are `output_size`.

    >>> AdaptiveAvgPool2d(1)(np.ones((2, 3, 7, 9))).shape
    (2, 3, 1, 1)
    """


class AdaptiveAvgPool3d(FunctionModule, function=adaptive_avg_pool3d, shows="output_size"):
    """The means of windows of (N, C, D, H, W), so many that the sizes are `output_size`."""


class AdaptiveMaxPool1d(FunctionModule, function=adaptive_max_pool1d, shows="output_size"):
    """The largest entries of `output_size` windows of (N, C, L)."""


class AdaptiveMaxPool2d(FunctionModule, function=adaptive_max_pool2d, shows="output_size"):
    """The largest entries of windows of (N, C, H, W), as many as `output_size` says.

    >>> AdaptiveMaxPool2d((2, None))(np.ones((2, 3, 7, 9))).shape
    (2, 3, 2, 9)
    """


class AdaptiveMaxPool3d(FunctionModule, function=adaptive_max_pool3d, shows="output_size"):
    """The largest entries of windows of (N, C, D, H, W), as many as `output_size` says."""
