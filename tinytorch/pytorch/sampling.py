"""Tensors of random numbers, by PyTorch's names.

`generator=` is a generator or a seed; else the numbers come from the library's own generator, which
`manual_seed` sets. They are NumPy's: from one seed PyTorch draws others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import NUMPY, kind_of, placed
from tinytorch.arrays.plain import base, plain
from tinytorch.devices import device as device_of
from tinytorch.devices import gpu
from tinytorch.operations.operands import describe
from tinytorch.pytorch.factories import known, made, size_of
from tinytorch.random import RNG
from tinytorch.random import generator as chosen

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
]  # fmt: skip


def draws(rng: RNG, device: Any) -> Any:
    """Give what draws on a device; None is the CPU."""
    on_cpu = device is None or device_of(device).type == "cpu"
    return (NUMPY if on_cpu else gpu()).draws(chosen(rng))


def _values(x: Any) -> Any:
    x = base(getattr(x, "_value", x))
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def _converted(drawn: Any, dtype: npt.DTypeLike | None) -> Any:
    return np.asarray(drawn, like=drawn) if dtype is None else np.asarray(drawn, dtype, like=drawn)


def rand(
    *shape: Any,
    size: Any = None,
    generator: RNG = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw evenly from 0 to 1."""
    drawn = draws(generator, device).random(size_of(shape, size))
    return made(_converted(drawn, known(dtype)), requires_grad, device)


def randn(
    *shape: Any,
    size: Any = None,
    generator: RNG = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw from the normal distribution of mean 0 and variance 1."""
    drawn = draws(generator, device).standard_normal(size_of(shape, size))
    return made(_converted(drawn, known(dtype)), requires_grad, device)


def rand_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw evenly from 0 to 1, in another tensor's shape and dtype."""
    kind, device = dtype or input.dtype, device or input.device
    return rand(size=input.shape, dtype=kind, device=device, requires_grad=requires_grad)


def randn_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw from the normal distribution, in another tensor's shape and dtype."""
    kind, device = dtype or input.dtype, device or input.device
    return randn(size=input.shape, dtype=kind, device=device, requires_grad=requires_grad)


def randint(
    *bounds: Any,
    low: int = 0,
    high: int | None = None,
    size: Any = None,
    generator: RNG = None,
    dtype: npt.DTypeLike = np.int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw whole numbers from `low` (or 0) up to `high`, without it: randint(low, high, size).

    Raises TypeError without `high` or `size`.
    """
    given = list(bounds)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if given:
        low = given.pop()
    if high is None or size is None or given:
        raise TypeError("randint: write randint(high, size) or randint(low, high, size)")
    drawn = draws(generator, device).integers(int(low), int(high), size_of((), size))
    return made(_converted(drawn, known(dtype)), requires_grad, device)


def randint_like(
    input: Any, *bounds: int, dtype: npt.DTypeLike | None = None, device: Any = None
) -> Any:
    """Draw whole numbers, in another tensor's shape and dtype: randint_like(x, low, high)."""
    return randint(*bounds, input.shape, dtype=dtype or input.dtype, device=device or input.device)


def randperm(
    n: int, *, generator: RNG = None, dtype: npt.DTypeLike = np.int64, device: Any = None
) -> Any:
    """Give the numbers from 0 up to `n` in random order."""
    return made(placed(chosen(generator).permutation(n).astype(dtype), device))


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: RNG = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw from normal distributions: of one mean and one std, or those of each entry."""
    mean, std = getattr(mean, "_value", mean), getattr(std, "_value", std)
    shape = (
        np.broadcast_shapes(np.shape(mean), np.shape(std)) if size is None else size_of((), size)
    )
    home = kind_of(mean, std)
    numbers = draws(generator, device) if device is not None else home.draws(chosen(generator))
    drawn = mean + std * numbers.standard_normal(shape)
    return made(_converted(drawn, known(dtype)), requires_grad, device)


def bernoulli(input: Any, *, generator: RNG = None) -> Any:
    """Draw 1 with the probability that each entry is, else 0. Raises ValueError for no such."""
    p = _values(input)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("bernoulli: the entries are probabilities, between 0 and 1")
    drawn = kind_of(p).draws(chosen(generator)).random(p.shape) < p
    return made(drawn.astype(p.dtype))


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: RNG = None
) -> Any:
    """Draw indices, each as likely as its entry is large; of a matrix, in each row.

    The entries need not add up to 1. Without `replacement` no index comes twice. Raises ValueError
    for entries of which nothing can be drawn, or not as many.
    """
    weights = _values(input).astype(np.float64)
    if weights.ndim not in (1, 2):
        raise ValueError(f"multinomial: expected one axis or two, got {describe(input)}")
    rows = np.atleast_2d(weights)
    if not (np.isfinite(rows) & (rows >= 0)).all() or not rows.any(axis=1).all():
        raise ValueError(
            "multinomial: the entries are finite, none is negative, and a row has one above 0"
        )
    rng = kind_of(weights).draws(chosen(generator))
    if replacement or num_samples == 1:
        ends = np.cumsum(rows, axis=1)
        places = rng.random((len(rows), num_samples)) * ends[:, -1:]
        pairs = zip(ends, places, strict=True)
        drawn: Any = np.stack([np.searchsorted(*pair, side="right") for pair in pairs])
    else:
        if num_samples > np.count_nonzero(rows, axis=1).min():
            raise ValueError(
                f"multinomial: {num_samples} different indices cannot be drawn from fewer entries "
                "above 0; replacement=True lets them come again"
            )
        # The first to arrive, where each entry is a rate: the exponential race.
        with np.errstate(divide="ignore"):
            arrivals = rng.standard_exponential(rows.shape) / rows
        drawn = np.argsort(arrivals, axis=1)[:, :num_samples]
    return plain(drawn.reshape(*weights.shape[:-1], num_samples))
