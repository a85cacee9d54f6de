"""Windows as columns, columns as images, and channels that change places with pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import tensor
from tinytorch.nn.spatial import Sizes, each, in_batches
from tinytorch.operations.operands import describe
from tinytorch.operations.windows import add_windows, count, windows
from tinytorch.tensor import Tensor


def unfold(
    input: Any,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Give each window of (N, C, H, W) in a column: (N, C * kernel height * width, places).

    The windows have zeros of `padding` around, and are `stride` apart. N may be missing. Raises
    ValueError where no window fits.
    """
    x, single = in_batches(2, input, "unfold")
    sizes, steps = each("kernel_size", kernel_size, 2), each("stride", stride, 2)
    dilations, zeros = each("dilation", dilation, 2), each("padding", padding, 2, 0)
    padded: Any = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in zeros]])
    shown: Any = windows(padded, (2, 3), sizes, steps, dilations)
    columns: Any = np.transpose(shown, (0, 1, 4, 5, 2, 3))
    places = math.prod(shown.shape[2:4])
    out: Tensor = columns.reshape(len(x), x.shape[1] * math.prod(sizes), places)
    return out[0] if single else out


def fold(
    input: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Add columns up, each where `unfold` takes a window from: (N, C, *output_size).

    Of (N, C * kernel height * width, places). N may be missing. Raises ValueError for another
    number of rows or of places.
    """
    x = tensor(input)
    single = x.ndim == 2
    x = x[None] if single else x
    size, sizes = each("output_size", output_size, 2), each("kernel_size", kernel_size, 2)
    steps, dilations = each("stride", stride, 2), each("dilation", dilation, 2)
    zeros = each("padding", padding, 2, 0)
    around = [n + 2 * p for n, p in zip(size, zeros, strict=True)]
    places = [count(*along) for along in zip(around, sizes, steps, dilations, strict=True)]
    entries = math.prod(sizes)
    if x.ndim != 3 or x.shape[1] % entries or x.shape[2] != math.prod(places):
        raise ValueError(
            f"fold: to fold to {size}, expected (N, C * {entries}, {math.prod(places)}), got "
            f"{describe(x)}"
        )
    channels = x.shape[1] // entries
    shown = np.transpose(x.reshape(len(x), channels, *sizes, *places), (0, 1, 4, 5, 2, 3))
    shape = (len(x), channels, *around)
    out: Any = add_windows(shown, shape, (2, 3), sizes, steps, dilations)
    inside = tuple(slice(p, p + n) for p, n in zip(zeros, size, strict=True))
    out = out[(slice(None), slice(None), *inside)]
    result: Tensor = out[0] if single else out
    return result


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Arrange (..., C * r**2, H, W) as (..., C, H * r, W * r), with r = `upscale_factor`.

    W. Shi et al., "Real-time single image and video super-resolution", 2016. Raises ValueError for
    channels that r**2 does not divide.
    """
    x, r = tensor(input), upscale_factor
    if x.ndim < 3 or r < 1 or x.shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: expected (..., C * {r}**2, H, W), of whole numbers, got {describe(x)}"
        )
    *rest, channels, height, width = x.shape
    apart = x.reshape(math.prod(rest), channels // (r * r), r, r, height, width)
    moved: Any = np.transpose(apart, (0, 1, 4, 2, 5, 3))
    out: Tensor = moved.reshape(*rest, channels // (r * r), height * r, width * r)
    return out


def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """Arrange (..., C, H * r, W * r) as (..., C * r**2, H, W), with r = `downscale_factor`.

    Raises ValueError for a height or width that r does not divide.
    """
    x, r = tensor(input), downscale_factor
    if x.ndim < 3 or r < 1 or x.shape[-2] % r or x.shape[-1] % r:
        raise ValueError(
            f"pixel_unshuffle: expected (..., C, H * {r}, W * {r}), of whole numbers, got "
            f"{describe(x)}"
        )
    *rest, channels, height, width = x.shape
    apart = x.reshape(math.prod(rest), channels, height // r, r, width // r, r)
    moved: Any = np.transpose(apart, (0, 1, 3, 5, 2, 4))
    out: Tensor = moved.reshape(*rest, channels * r * r, height // r, width // r)
    return out


def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Deal the channels of (N, C, ...) out again: the first of each group, the second, and so on.

    X. Zhang et al., "ShuffleNet", 2018. Raises ValueError for channels that `groups` does not
    divide.
    """
    x = tensor(input)
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"channel_shuffle: expected (N, C, ...) of channels in {groups} groups, got "
            f"{describe(x)}"
        )
    dealt: Any = np.swapaxes(x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:]), 1, 2)
    out: Tensor = dealt.reshape(x.shape)
    return out


class Unfold(FunctionModule, function=unfold, shows="kernel_size dilation padding stride"):
    """The windows of (N, C, H, W) in columns: (N, C * kernel height * width, places).

    >>> Unfold(2)(np.ones((1, 3, 4, 4))).shape
    (1, 12, 9)
    """


class Fold(FunctionModule, function=fold, shows="output_size kernel_size dilation padding stride"):
    """Columns added up where `Unfold` takes its windows from: (N, C, *output_size).

    >>> Fold((4, 4), 2, stride=2)(np.ones((1, 4, 4))).shape
    (1, 1, 4, 4)
    """


class PixelShuffle(FunctionModule, function=pixel_shuffle, shows="upscale_factor"):
    """(..., C * r**2, H, W) arranged as (..., C, H * r, W * r), with r = `upscale_factor`.

    >>> PixelShuffle(2)(np.ones((1, 12, 4, 4))).shape
    (1, 3, 8, 8)
    """


class PixelUnshuffle(FunctionModule, function=pixel_unshuffle, shows="downscale_factor"):
    """(..., C, H * r, W * r) arranged as (..., C * r**2, H, W), with r = `downscale_factor`."""


class ChannelShuffle(FunctionModule, function=channel_shuffle, shows="groups"):
    """The channels of (N, C, ...) dealt out again, one of each group in turn."""
