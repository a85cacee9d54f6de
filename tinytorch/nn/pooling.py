"""Pooling: the mean, or a norm, of each window; and which windows there are."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.arrays.words import half_as_single
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.spatial import Sizes, each, for_axes, in_batches
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.windows import add_windows, count, entries
from tinytorch.tensor import Tensor

_SUM_POOL = Operation("sum_pool")


class Windows(NamedTuple):
    """Which windows of (N, C, *sizes): the arguments of `windows`, and what lies around."""

    axes: tuple[int, ...]
    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: tuple[int, ...]
    around: list[tuple[int, int]]  # of all axes, as far as the last window reaches

    @property
    def overlap(self) -> bool:
        """Whether an entry may be in several windows."""
        along = zip(self.sizes, self.steps, self.dilations, strict=True)
        return any(step <= (k - 1) * d for k, step, d in along)

    def parts(self, shape: Sequence[int]) -> list[Any]:
        """List the index of each entry of a window in a padded array of that shape."""
        along = zip(self.axes, self.sizes, self.steps, self.dilations, strict=True)
        places = [count(shape[axis], k, step, d) for axis, k, step, d in along]
        return [part for _, part in entries(places, *self[:4])]


def windows_of(
    name: str, n: int, x: Any, kernel_size: Sizes, stride: Any, padding: Sizes, dilation: Sizes,
    ceil_mode: bool,
) -> Windows:  # fmt: skip
    """Say which windows of x there are. Raises ValueError where there is none."""
    sizes = each("kernel_size", kernel_size, n)
    steps = sizes if stride is None or np.size(stride) == 0 else each("stride", stride, n)
    zeros, dilations = each("padding", padding, n, 0), each("dilation", dilation, n)
    around = [(0, 0), (0, 0)]
    for size, k, s, p, d in zip(x.shape[2:], sizes, steps, zeros, dilations, strict=True):
        span = (k - 1) * d + 1
        if p > span // 2:
            raise ValueError(f"{name}: padding is at most half the window of {span}, got {p}")
        places = count(size + 2 * p, k, s, d)
        if ceil_mode and places:
            places = -(-(size + 2 * p - span) // s) + 1
            places -= (places - 1) * s >= size + p  # a window that lies behind the end
        if places < 1 or not size:
            raise ValueError(
                f"{name}: a window that spans {span} is larger than {describe(x)} with padding {p}"
            )
        around.append((p, max((places - 1) * s + span - size - p, p)))
    return Windows(tuple(range(2, 2 + n)), sizes, steps, dilations, zeros, around)


@defines(_SUM_POOL)
def _sum_pool(x: Any, windows: Windows) -> Any:
    """Give the sum of each window of (N, C, *sizes), to (N, C, *places)."""
    return apply(
        _SUM_POOL,
        half_as_single(
            lambda x: functools.reduce(np.add, [x[part] for part in windows.parts(x.shape)])
        ),
        (lambda grad, out, x: _sum_pool_rule(grad, out, x, windows),),
        x,
    )


def _sum_pool_rule(grad: Any, out: Any, x: Any, windows: Windows) -> Any:
    share = grad[(..., *[None] * len(windows.sizes))]
    share = np.broadcast_to(share, (*out.shape, *windows.sizes))
    return add_windows(share, x.shape, *windows[:4])


def _avg_pool(
    n: int,
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Give the mean of each window of (N, C, *sizes), to (N, C, *places).

    The windows of `kernel_size` are `stride` apart, without it side by side. The zeros that
    `padding` puts around count as entries, or with `count_include_pad` false they don't. With
    `ceil_mode` the last window may reach beyond the end, where nothing counts. `divisor_override`
    is what sums are divided by instead. N may be missing.
    """
    name = f"avg_pool{n}d"
    x, single = in_batches(n, input, name)
    windows = windows_of(name, n, x, kernel_size, stride, padding, 1, ceil_mode)
    padded: Any = np.pad(x, windows.around) if any(map(any, windows.around)) else x
    sums = _sum_pool(padded, windows)
    if divisor_override == 0:
        raise ValueError(f"{name}: divisor_override is not 0")
    counts = divisor_override or _counts(windows, x.shape[2:], sums.shape[2:], count_include_pad)
    out: Tensor = sums / (counts if isinstance(counts, int) else own(counts.astype(x.dtype), x))
    return out[0] if single else out


def _counts(
    windows: Windows, sizes: Sequence[int], places: Sequence[int], with_padding: bool
) -> Any:
    """Count the entries of each window: a number, or an array of the shape `places`."""
    counts: Any = 1
    along = zip(sizes, places, windows.sizes, windows.steps, windows.padding, strict=True)
    for size, n, k, step, padding in along:
        start = np.arange(n) * step - padding
        end = np.minimum(start + k, size + padding if with_padding else size)
        counts = np.multiply.outer(counts, end - (start if with_padding else np.maximum(start, 0)))
    return int(counts.flat[0]) if (counts == counts.flat[0]).all() else counts


_avg_pool.__name__ = "avg_pool"
_avg_pool1d, avg_pool2d, avg_pool3d = for_axes(_avg_pool)


def avg_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Give the mean of each window of (N, C, L), to (N, C, places), as `avg_pool2d` of images."""
    return _avg_pool1d(input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def _lp_pool(
    n: int,
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Give (sum of x**p)**(1/p) of each window of (N, C, *sizes), with p = `norm_type`.

    The windows are those of `avg_pool`; one that reaches beyond the end counts as if its mean went
    on there. Where a sum is 0, or negative for an odd p, there is no slope.
    """
    pool = (avg_pool1d, avg_pool2d, avg_pool3d)[n - 1]
    x, single = in_batches(n, input, f"lp_pool{n}d")
    means = pool(x**norm_type, kernel_size, stride, 0, ceil_mode)
    size = int(np.prod(each("kernel_size", kernel_size, n)))
    out: Tensor = (means.sign() * means.abs().relu() * size) ** (1 / norm_type)
    return out[0] if single else out


_lp_pool.__name__ = "lp_pool"
lp_pool1d, lp_pool2d, lp_pool3d = for_axes(_lp_pool)


class _AvgPool(FunctionModule):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stride is None:
            self.stride = self.kernel_size

    kernel_size: Any
    stride: Any


class AvgPool1d(_AvgPool, function=avg_pool1d, shows="kernel_size stride padding"):
    """The mean of each window of (N, C, L); the options are those of `avg_pool1d`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("kernel_size", "stride", "padding"):
            setattr(self, name, each(name, getattr(self, name), 1, 0))


class AvgPool2d(_AvgPool, function=avg_pool2d, shows="kernel_size stride padding"):
    """The mean of each window of (N, C, H, W); the options are those of `avg_pool2d`.

    >>> AvgPool2d(2)(np.arange(8.0).reshape(1, 1, 2, 4))
    Tensor([[[[2.5, 4.5]]]], requires_grad=False)
    """


class AvgPool3d(_AvgPool, function=avg_pool3d, shows="kernel_size stride padding"):
    """The mean of each window of (N, C, D, H, W); the options are those of `avg_pool3d`."""


_LP_SHOWS = "norm_type kernel_size stride ceil_mode"


class LPPool1d(FunctionModule, function=lp_pool1d, shows=_LP_SHOWS):
    """(sum of x**p)**(1/p) of each window of (N, C, L), with p = `norm_type`."""


class LPPool2d(FunctionModule, function=lp_pool2d, shows=_LP_SHOWS):
    """(sum of x**p)**(1/p) of each window of (N, C, H, W), with p = `norm_type`."""


class LPPool3d(FunctionModule, function=lp_pool3d, shows=_LP_SHOWS):
    """(sum of x**p)**(1/p) of each window of (N, C, D, H, W), with p = `norm_type`."""
