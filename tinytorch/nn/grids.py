"""Grids: images and volumes sampled at positions, which may come from a network themselves."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.nn.inputs import tensor, values
from tinytorch.nn.resampling import cubic
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Give the positions theta @ (x, y, 1), for (x, y) from -1 to 1, that `grid_sample` takes.

    Of (N, 2, 3) and the `size` (N, C, H, W), (N, H, W, 2); of (N, 3, 4) and (N, C, D, H, W),
    (N, D, H, W, 3). -1 and 1 are the outer edges, with `align_corners` the middles of the corners'
    entries. Raises ValueError for another size.
    """
    matrices, n = tensor(theta), len(size) - 2
    if n not in (2, 3) or matrices.shape != (size[0], n, n + 1):
        raise ValueError(
            f"affine_grid: a size (N, C, H, W) takes matrices of shape (N, 2, 3), (N, C, D, H, W) "
            f"of shape (N, 3, 4), got {describe(matrices)} for {tuple(size)}"
        )
    axes = [np.linspace(-1, 1, m) if m > 1 else np.zeros(1) for m in size[2:]]
    if not align_corners:
        axes = [axis * (m - 1) / m for axis, m in zip(axes, size[2:], strict=True)]
    points = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], np.ones(size[2:])], axis=-1)
    flat: Any = own(points.reshape(-1, n + 1).astype(matrices.dtype), matrices) @ matrices.mT
    grid: Tensor = flat.reshape(size[0], *size[2:], n)
    return grid


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Sample (N, C, H, W) at the positions (x, y) of a grid (N, h, w, 2), to (N, C, h, w).

    Or (N, C, D, H, W) at (x, y, z) of (N, d, h, w, 3). From -1 to 1 a position goes over the input,
    from edge to edge, with `align_corners` from the middle of the first entry to that of the last.
    `mode` is "bilinear", "nearest" or, of images, "bicubic"; `padding_mode` says what is beyond:
    "zeros", "border" or "reflection". Raises ValueError for shapes that don't fit (M. Jaderberg et
    al., "Spatial transformer networks", 2015).
    """
    x: Any = tensor(input)
    at = tensor(grid)
    _refuse_others(x, at, mode, padding_mode)
    n, sizes, aligned = x.ndim - 2, x.shape[2:], bool(align_corners)

    def placed(position: Any, axis: int) -> Any:
        """Put a position beyond the ends where `padding_mode` says."""
        if padding_mode == "reflection":
            position = _reflected(position, sizes[axis], aligned)
        return position if padding_mode == "zeros" else np.clip(position, 0, sizes[axis] - 1)

    positions = [_position(at[..., n - 1 - i], sizes[i], aligned) for i in range(n)]
    if mode != "bicubic":
        positions = [placed(position, i) for i, position in enumerate(positions)]
    channels_last = np.moveaxis(x, 1, -1)
    example = np.arange(len(x)).reshape((-1,) + (1,) * n)
    terms = []
    # The entries around each position: along each axis a place, and its weight.
    for corner in itertools.product(*map(_TAPS[mode], positions)):
        places = [place for place, _ in corner]
        if mode == "bicubic":
            places = [np.rint(placed(place, i)) for i, place in enumerate(places)]
        index = [np.clip(place, 0, m - 1) for place, m in zip(places, sizes, strict=True)]
        entries = channels_last[(example, *[i.astype(int) for i in index])]
        if padding_mode == "zeros":
            inside = [i == place for i, place in zip(index, places, strict=True)]
            entries = np.where(functools.reduce(np.logical_and, inside)[..., None], entries, 0)
        weight = functools.reduce(operator.mul, [weight for _, weight in corner])
        terms.append(entries if mode == "nearest" else entries * weight[..., None])
    out: Tensor = np.moveaxis(functools.reduce(operator.add, terms), -1, 1)
    return out


def _refuse_others(x: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    n = x.ndim - 2
    if n not in (2, 3) or grid.ndim != n + 2 or grid.shape[-1] != n or len(grid) != len(x):
        raise ValueError(
            f"grid_sample: expected (N, C, H, W) and a grid (N, h, w, 2), or (N, C, D, H, W) and "
            f"(N, d, h, w, 3), got {describe(x)} and {describe(grid)}"
        )
    if mode not in _TAPS or (mode == "bicubic" and n == 3):
        raise ValueError(
            f"grid_sample: mode is bilinear, nearest, or of images bicubic, got {mode!r}"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            f"grid_sample: padding_mode is zeros, border or reflection, got {padding_mode!r}"
        )
    if not x.size:
        raise ValueError(f"grid_sample: nothing to sample in {describe(x)}")


def _position(x: Any, size: int, aligned: bool) -> Any:
    """Count in entries what goes from -1 to 1."""
    return (x + 1) * ((size - 1) / 2) if aligned else ((x + 1) * size - 1) * 0.5


def _reflected(position: Any, size: int, aligned: bool) -> Any:
    """Go back and forth between the ends, which are the edges or the middles of entries."""
    low, span = (0.0, size - 1) if aligned else (-0.5, size)
    if not span:
        return position * 0
    distance = abs(position - low)
    turns = np.floor(values(distance) / span)
    there = distance - turns * span
    return np.where(turns % 2 == 1, span - there, there) + low


def _nearest(position: Any) -> list[tuple[Any, Any]]:
    return [(np.rint(values(position)), 1)]


def _linear(position: Any) -> list[tuple[Any, Any]]:
    low = np.floor(values(position))
    weight = position - low
    return [(low, 1 - weight), (low + 1, weight)]


def _cubic(position: Any) -> list[tuple[Any, Any]]:
    low = np.floor(values(position))
    weight = position - low
    return [(low + j, cubic(weight - j)) for j in (-1, 0, 1, 2)]


_TAPS = {"nearest": _nearest, "bilinear": _linear, "bicubic": _cubic}
