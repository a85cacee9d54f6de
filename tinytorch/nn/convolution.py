"""Convolutions of sequences, images and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from tinytorch.nn.inputs import check_sizes, input_like
from tinytorch.nn.module import Module
from tinytorch.nn.padding import pad
from tinytorch.nn.parameter import Parameter
from tinytorch.nn.spatial import Sizes, each, for_axes, in_batches
from tinytorch.operations.correlation import Sliding, correlate
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor

Padding = Sizes | Literal["same", "valid"]


def margins(
    padding: Padding, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Say how much comes before and behind each axis."""
    if not isinstance(padding, str):
        return [(p, p) for p in each("padding", padding, len(kernel), 0)]
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding != "same":
        raise ValueError(f'padding is "same", "valid" or whole numbers, got {describe(padding)}')
    if any(step != 1 for step in stride):
        raise ValueError(f'padding="same" keeps the size, which takes a stride of 1, got {stride}')
    spans = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    return [(span // 2, span - span // 2) for span in spans]


def _conv(
    n: int,
    input: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Correlate (N, in, *sizes) with the weight (out, in / groups, *kernel), to (N, out, *places).

    out[n, o, p] = bias[o] + sum of weight[o, c, k] * input[n, c, p * stride + k * dilation], where
    the input has `padding` zeros around it; "same" keeps its size. Each of the groups of channels
    has its own part of the weight. N may be missing. Raises ValueError for shapes that don't fit.
    """
    name = f"conv{n}d"
    x, single = in_batches(n, input_like(weight, input), name)
    if weight.ndim != n + 2:
        raise ValueError(f"{name}: expected a weight of {n + 2} axes, got {describe(weight)}")
    outs, ins, *kernel = weight.shape
    if groups < 1 or outs % groups or x.shape[1] != ins * groups:
        raise ValueError(
            f"{name}: a weight of shape {weight.shape} in {groups} groups takes {ins * groups} "
            f"channels, got {describe(x)}" + ("" if groups < 1 or outs % groups == 0 else
            f"; {outs} channels make no {groups} groups") + _last_axis(x, ins * groups)
        )  # fmt: skip
    steps, dilations = each("stride", stride, n), each("dilation", dilation, n)
    how = Sliding(steps, dilations, margins(padding, kernel, steps, dilations), groups)
    places = how.places(x.shape[2:], kernel)
    if 0 in places:
        spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
        raise ValueError(
            f"{name}: a kernel that spans {spans} is larger than {describe(x)}, with its padding"
        )
    shifts = None if bias is None else bias.reshape((-1,) + (1,) * n)
    out: Tensor = correlate(x, weight, places, how, shifts)
    return out[0] if single else out


def _last_axis(x: Any, channels: int) -> str:
    if x.shape[-1] != channels:
        return ""
    return "; its last axis could be channels, which come second: np.moveaxis(x, -1, 1)"


_conv.__name__ = "conv"
conv1d, conv2d, conv3d = for_axes(_conv)


class Convolution(Module):
    """What convolutions and transposed ones have in common."""

    _n: ClassVar[int]
    _transposed: ClassVar[bool] = False
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Padding,
        dilation: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        rng: RNG,
        dtype: npt.DTypeLike,
    ) -> None:
        name = type(self).__name__
        check_sizes(self, in_channels=in_channels, out_channels=out_channels)
        check_sizes(self, 1, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: {in_channels} and {out_channels} channels make no {groups} groups"
            )
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes[: 1 if self._transposed else None]:
            raise ValueError(f"{name}: padding_mode is one of {modes}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each("kernel_size", kernel_size, self._n)
        self.stride = each("stride", stride, self._n)
        self.dilation = each("dilation", dilation, self._n)
        self.padding = padding if isinstance(padding, str) else each("padding", padding, self._n, 0)
        self.padding_mode = padding_mode
        self._margins = margins(self.padding, self.kernel_size, self.stride, self.dilation)
        first, second = out_channels, in_channels // groups
        if self._transposed:
            first, second = in_channels, out_channels // groups
        rng, shape = generator(rng), (first, second, *self.kernel_size)
        bound = 1 / math.sqrt(max(second * math.prod(self.kernel_size), 1))
        self.weight = Parameter(rng.uniform(-bound, bound, shape), label="weight", dtype=dtype)
        self.bias = None
        if bias:
            values = rng.uniform(-bound, bound, out_channels)
            self.bias = Parameter(values, label="bias", dtype=dtype)

    def extra_repr(self) -> str:
        """Show the sizes, and what is not by default."""
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        shown += [f"stride={self.stride}"]
        zeros, ones = (0,) * self._n, (1,) * self._n
        defaults = {"padding": zeros, "dilation": ones, "output_padding": zeros, "groups": 1}
        for option, default in defaults.items():
            value = getattr(self, option, default)
            if value != default:
                shown.append(f"{option}={value}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


class _Conv(Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Padding = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, rng, dtype,
        )  # fmt: skip

    def forward(self, input: Any) -> Tensor:
        """Correlate the input with the weight, and add the bias."""
        x: Any = input
        padding: Padding = self.padding
        if self.padding_mode != "zeros":
            widths = [n for pair in reversed(self._margins) for n in pair]
            x, padding = pad(input, widths, self.padding_mode), 0
        convolve = (conv1d, conv2d, conv3d)[self._n - 1]
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Correlation of (N, in, L) with `weight`, (out, in / groups, k), plus `bias`, (out,).

    `padding` is a number, "same" or "valid"; `padding_mode` says what it is filled with: "zeros",
    "reflect", "replicate" or "circular". Both parameters start uniform between -b and b, with
    b = 1 / sqrt(in / groups * k).

    >>> Conv1d(2, 3, 5, padding="same", rng=0)(np.ones((4, 2, 7))).shape
    (4, 3, 7)
    """

    _n = 1


class Conv2d(_Conv):
    """Correlation of (N, in, H, W) with `weight`, (out, in / groups, k, k), plus `bias`, (out,).

    What `Conv1d` is to sequences, to images; all sizes may differ by axis.

    >>> Conv2d(3, 8, 3, padding=1, rng=0)(np.ones((5, 3, 16, 16))).shape
    (5, 8, 16, 16)
    """

    _n = 2


class Conv3d(_Conv):
    """Correlation of (N, in, D, H, W) with `weight`, (out, in / groups, k, k, k), plus `bias`.

    What `Conv1d` is to sequences, to volumes; all sizes may differ by axis.
    """

    _n = 3
