"""Transposed convolutions, the adjoints of convolutions: they spread each entry by a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.nn.convolution import Convolution
from tinytorch.nn.inputs import input_like
from tinytorch.nn.spatial import Sizes, each, for_axes, in_batches
from tinytorch.operations.correlation import Sliding, spread
from tinytorch.operations.operands import describe
from tinytorch.random import RNG
from tinytorch.tensor import Tensor


def _conv_transpose(
    n: int,
    input: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Add up input[n, c, p] * weight[c, o, k] at out[n, o, p * stride + k * dilation - padding].

    From (N, in, *sizes) with the weight (in, out / groups, *kernel) to (N, out, *sizes) of
    (size - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1 along each axis. It
    is what the convolution with that weight does to gradients. N may be missing. Raises ValueError
    for shapes that don't fit.
    """
    name = f"conv_transpose{n}d"
    x, single = in_batches(n, input_like(weight, input), name)
    if weight.ndim != n + 2:
        raise ValueError(f"{name}: expected a weight of {n + 2} axes, got {describe(weight)}")
    ins, _, *kernel = weight.shape
    if groups < 1 or ins % groups or x.shape[1] != ins:
        raise ValueError(
            f"{name}: a weight of shape {weight.shape} in {groups} groups takes {ins} channels, "
            f"got {describe(x)}"
        )
    steps, dilations = each("stride", stride, n), each("dilation", dilation, n)
    margins, more = each("padding", padding, n, 0), each("output_padding", output_padding, n, 0)
    if any(m >= max(s, d) for m, s, d in zip(more, steps, dilations, strict=True)):
        raise ValueError(
            f"{name}: output_padding is smaller than stride or dilation, got {output_padding}"
        )
    along = zip(x.shape[2:], steps, margins, dilations, kernel, more, strict=True)
    sizes = [(size - 1) * s - 2 * p + d * (k - 1) + m + 1 for size, s, p, d, k, m in along]
    if min(sizes) < 1 or 0 in x.shape[2:]:
        raise ValueError(
            f"{name}: nothing is left of {describe(x)} with a kernel of {tuple(kernel)} without "
            f"padding {padding}"
        )
    how = Sliding(steps, dilations, [(p, p) for p in margins], groups)
    out: Tensor = spread(x, weight, sizes, how)
    if bias is not None:
        out = out + bias.reshape((-1,) + (1,) * n)
    return out[0] if single else out


_conv_transpose.__name__ = "conv_transpose"
conv_transpose1d, conv_transpose2d, conv_transpose3d = for_axes(_conv_transpose)


class _ConvTranspose(Convolution):
    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        if isinstance(padding, str):
            raise TypeError(f"{type(self).__name__}: padding is a whole number, got {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, rng, dtype,
        )  # fmt: skip
        self.output_padding = each("output_padding", output_padding, self._n, 0)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Tensor:
        """Spread the input by the weight, and add the bias.

        `output_size` says which of the sizes that `output_padding` makes the result has.
        """
        more = self.output_padding
        if output_size is not None:
            more = self._more(np.shape(input)[-self._n :], tuple(output_size)[-self._n :])
        padding: Any = self.padding
        convolve = (conv_transpose1d, conv_transpose2d, conv_transpose3d)[self._n - 1]
        return convolve(
            input, self.weight, self.bias, self.stride, padding, more, self.groups,
            self.dilation,
        )  # fmt: skip

    def _more(self, sizes: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
        along = zip(sizes, self.stride, self._margins, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - sum(p) + d * (k - 1) + 1 for n, s, p, d, k in along]
        more = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"{type(self).__name__}: an output_size between {least} and {most}, got {wanted}"
            )
        return more


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of a convolution: from (N, in, L), `weight` being (in, out / groups, k).

    (N, out, M) with M = (L - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1.
    `weight` and `bias`, (out,), start uniform between -b and b, b = 1 / sqrt(out / groups * k).

    >>> ConvTranspose1d(2, 3, 4, stride=2, padding=1, rng=0)(np.ones((4, 2, 7))).shape
    (4, 3, 14)
    """

    _n = 1


class ConvTranspose2d(_ConvTranspose):
    """What `ConvTranspose1d` is to sequences, to images (N, in, H, W).

    >>> ConvTranspose2d(8, 3, 2, stride=2, rng=0)(np.ones((5, 8, 4, 4))).shape
    (5, 3, 8, 8)
    """

    _n = 2


class ConvTranspose3d(_ConvTranspose):
    """What `ConvTranspose1d` is to sequences, to volumes (N, in, D, H, W)."""

    _n = 3
