"""Resampling: sequences, images and volumes of another size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tinytorch.nn.adaptive_pooling import average_matrix
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import tensor
from tinytorch.nn.spatial import Sizes, along_axis
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

Factors: TypeAlias = float | Sequence[float]

_AXES = {"linear": (1,), "bilinear": (2,), "trilinear": (3,), "bicubic": (2,)}
_MODES = ("nearest", "nearest-exact", "area", *_AXES)


def interpolate(
    input: Any,
    size: Sizes | None = None,
    scale_factor: Factors | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resample (N, C, *sizes) to `size`, or to `scale_factor` times the sizes, rounded down.

    `mode` is "nearest" (by the entry's first edge) or "nearest-exact" (by its middle), "linear",
    "bilinear" or "trilinear" for one to three axes, "bicubic" (R. Keys, "Cubic convolution
    interpolation for digital image processing", 1981), or "area", the mean over the part that an
    entry covers. With `align_corners` the middles of the corners' entries stay in place, else the
    outer edges. Positions follow from `scale_factor` as it is given, with `recompute_scale_factor`
    from the two sizes. With `antialias`, what is made smaller is smoothed before, in the modes
    "bilinear" and "bicubic". In all modes but the nearest ones, lines are multiplied by a matrix:
    one nan or inf spoils all of its line. Raises ValueError for options that don't go together.
    """
    x = tensor(input)
    n = x.ndim - 2
    if mode not in _MODES or n not in (1, 2, 3) or n not in _AXES.get(mode, (n,)):
        raise ValueError(
            f"interpolate: of (N, C, *sizes) of one axis, two or three, mode is one of "
            f"{', '.join(_MODES)}, bilinear and bicubic for two, got {mode!r} for {describe(x)}"
        )
    if align_corners is not None and mode not in _AXES:
        raise ValueError(f"interpolate: align_corners is for linear modes and cubic, got {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"interpolate: antialias is for bilinear and bicubic, got {mode!r}")
    sizes, factors = _sizes(x, n, size, scale_factor)
    if recompute_scale_factor:
        factors = [None] * n
    for axis, (to, factor) in enumerate(zip(sizes, factors, strict=True), 2):
        at = _Axis(x.shape[axis], to, factor, bool(align_corners))
        if mode.startswith("nearest"):
            x = _picked(x, axis, at.nearest(0.5 if mode == "nearest-exact" else 0))
        elif to != x.shape[axis] or at.step != 1:
            if mode == "area":
                matrix = average_matrix(at.size, to, x.dtype)
            elif antialias:
                matrix = at.smooth(mode == "bicubic").astype(x.dtype)
            else:
                matrix = (at.cubic() if mode == "bicubic" else at.linear()).astype(x.dtype)
            x = along_axis(matrix, x, axis)
    return x


def _sizes(
    x: Any, n: int, size: Sizes | None, scale_factor: Factors | None
) -> tuple[list[int], list[Any]]:
    """Give the size of each axis, and its factor if that decides the positions."""
    given = scale_factor if size is None else size
    if given is None or (size is not None and scale_factor is not None):
        raise ValueError("interpolate: give either size or scale_factor")
    numbers: list[Any] = list(given) if isinstance(given, Sequence) else [given] * n
    if len(numbers) != n:
        raise ValueError(f"interpolate: a number or {n} of them for {describe(x)}, got {given}")
    old = x.shape[2:]
    sizes = [math.floor(m * f) for m, f in zip(old, numbers, strict=True)] if size is None else None
    sizes = numbers if sizes is None else sizes
    if min(sizes) < 1 or min(old) < 1:
        raise ValueError(f"interpolate: nothing is left, from {describe(x)} to {tuple(sizes)}")
    return sizes, [None] * n if size is not None else numbers


class _Axis:
    """An axis of `size` entries to become one of `n`: where, in the old one, the new ones lie."""

    def __init__(self, size: int, n: int, factor: float | None, align_corners: bool) -> None:
        self.size, self.n, self.align_corners = size, n, align_corners
        if align_corners:
            self.step = (size - 1) / (n - 1) if n > 1 else 0.0
        else:
            self.step = 1 / factor if factor else size / n

    def middles(self) -> Any:
        i = np.arange(self.n)
        return i * self.step if self.align_corners else (i + 0.5) * self.step - 0.5

    def nearest(self, offset: float) -> Any:
        at = ((np.arange(self.n) + offset) * self.step).astype(np.float32)  # PyTorch rounds so
        return np.minimum(np.floor(at).astype(int), self.size - 1)

    def linear(self) -> Any:
        at = np.maximum(self.middles(), 0)
        low = np.minimum(np.floor(at), self.size - 1)
        weight = np.clip(at - low, 0, 1)
        return self._matrix(low, [1 - weight, weight])

    def cubic(self) -> Any:
        at = self.middles()
        low = np.floor(at)
        return self._matrix(low - 1, [cubic(at - low - j) for j in (-1, 0, 1, 2)])

    def smooth(self, is_cubic: bool) -> Any:
        """Give weights by distance, where one step is 1, but at least one entry of the old axis."""
        middle = (np.arange(self.n)[:, None] + 0.5) * self.step
        distance = (np.arange(self.size) + 0.5 - middle) / max(self.step, 1)
        weight = cubic(distance, -0.5) if is_cubic else np.maximum(1 - np.abs(distance), 0)
        return weight / weight.sum(axis=1, keepdims=True)

    def _matrix(self, first: Any, weights: Sequence[Any]) -> Any:
        """Give the matrix with these weights from the `first` entry on; the last ones go on."""
        matrix = np.zeros((self.n, self.size))
        for j, weight in enumerate(weights):
            column = np.clip(first + j, 0, self.size - 1).astype(int)
            matrix[np.arange(self.n), column] += weight
        return matrix


def cubic(x: Any, a: float = -0.75) -> Any:
    """Give Keys' weight of an entry at the distance x, with the slope a at 1; 0 from 2 on."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _picked(x: Any, axis: int, index: Any) -> Any:
    """Pick entries along an axis."""
    size = x.shape[axis]
    times, rest = divmod(len(index), size)
    if rest or np.any(index != np.arange(len(index)) // max(times, 1)):
        return np.take(x, index, axis)
    # Repeated by broadcasting, whose adjoint is a sum.
    shape = x.shape
    apart = np.broadcast_to(np.expand_dims(x, axis + 1), (*shape[: axis + 1], times,
                                                          *shape[axis + 1 :]))  # fmt: skip
    return apart.reshape((*shape[:axis], len(index), *shape[axis + 1 :]))


class Upsample(FunctionModule, function=interpolate):
    """(N, C, *sizes) in another size: `size`, or `scale_factor` times its own; see `interpolate`.

    >>> Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """

    size: Any
    scale_factor: Any
    mode: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        factor = self.scale_factor
        if factor is not None:
            is_one = isinstance(factor, int | float)
            self.scale_factor = float(factor) if is_one else tuple(map(float, factor))

    def extra_repr(self) -> str:
        """Show the size or the factor, and the mode."""
        size = f"size={self.size}" if self.size else f"scale_factor={self.scale_factor}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample, function=interpolate):
    """Images in another size, of the nearest entries."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample, function=interpolate):
    """Images in another size, interpolated between entries, with aligned corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)
