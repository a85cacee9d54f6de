"""Fractional pooling: windows at random places, so many that a size shrinks by any factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate, kind_of, own
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import values
from tinytorch.nn.spatial import Sizes, each, for_axes, in_batches
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator


def _fractional_max_pool(
    n: int,
    input: Any,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    rng: RNG = None,
) -> Any:
    """Give the largest entries of windows of (N, C, *sizes), as many as `output_size` says.

    Or the fraction `output_ratio` of the sizes. Window i along an axis begins at floor((i + u) * a)
    - floor(u * a), with a = (size - kernel) / (n - 1), the last at size - kernel; u is drawn
    between 0 and 1 for each channel and axis, or given, (N, C, axes) (B. Graham, "Fractional
    max-pooling", 2014). With `return_indices`, also say where each was, as plain numbers of entries
    in the (flattened) sizes. N may be missing. Raises ValueError for sizes that don't fit.
    """
    name = f"fractional_max_pool{n}d"
    x, single = in_batches(n, input, name)
    kernel, sizes = each("kernel_size", kernel_size, n), x.shape[2:]
    if (output_size is None) == (output_ratio is None):
        raise ValueError(f"{name}: give output_size or output_ratio")
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, Sequence) else [output_ratio] * n
        output_size = [int(size * ratio) for size, ratio in zip(sizes, ratios, strict=True)]
    wanted = each(f"{name}: the output size", output_size, n)
    if any(k + w - 1 > size for k, w, size in zip(kernel, wanted, sizes, strict=True)):
        raise ValueError(f"{name}: {wanted} windows of {kernel} don't fit into {describe(x)}")
    samples = kind_of(x._value).draws(generator(rng)).random((*x.shape[:2], n))
    if _random_samples is not None:
        samples = own(values(_random_samples).reshape(samples.shape), x)
    if n == 2:  # PyTorch's first one is that of the last axis
        samples = samples[..., ::-1]
    numbers: Any = 0  # of the entries in each window, (N, C, *wanted, *kernel)
    for i, (k, w, size) in enumerate(zip(kernel, wanted, sizes, strict=True)):
        shape = [1] * (2 * n)
        shape[i], shape[n + i] = w, k
        along = _starts(samples[..., i], size, k, w)[..., None] + own(np.arange(k), x)
        numbers = numbers * size + along.reshape(*x.shape[:2], *shape)
    numbers = numbers.reshape(*x.shape[:2], math.prod(wanted), math.prod(kernel))
    flat: Any = x.reshape(*x.shape[:2], math.prod(sizes))

    def largest(data: Any) -> Any:
        first = np.argmax(np.take_along_axis(data[..., None, :], numbers, -1), axis=-1)
        return np.take_along_axis(numbers, first[..., None], -1)[..., 0]

    where = evaluate(name, largest, flat._value)
    out: Any = np.take_along_axis(flat, where, -1).reshape(*x.shape[:2], *wanted)
    where = where.reshape(out.shape)
    if single:
        out, where = out[0], where[0]
    return (out, where) if return_indices else out


def _starts(u: Any, size: int, kernel: int, n: int) -> Any:
    """Say where each of n windows begins: of (...), (..., n)."""
    step, u = (size - kernel) / max(n - 1, 1), u[..., None]
    starts = ((own(np.arange(n), u) + u) * step).astype(int) - (u * step).astype(int)
    starts[..., -1] = size - kernel
    return starts


_fractional_max_pool.__name__ = "fractional_max_pool"
_, fractional_max_pool2d, fractional_max_pool3d = for_axes(_fractional_max_pool)


class FractionalMaxPool2d(FunctionModule, function=fractional_max_pool2d):
    """The largest entries of windows of (N, C, H, W) at random places: `output_size` of them.

    Or the fraction `output_ratio` of H and W.

    >>> FractionalMaxPool2d(2, output_ratio=0.7, rng=0)(np.ones((5, 3, 10, 10))).shape
    (5, 3, 7, 7)
    """


class FractionalMaxPool3d(FunctionModule, function=fractional_max_pool3d):
    """What `FractionalMaxPool2d` is to images, to volumes (N, C, D, H, W)."""
