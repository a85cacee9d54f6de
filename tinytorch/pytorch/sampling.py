"""Tensors of random numbers, by PyTorch's names.

`generator=` is a generator or a seed; else the numbers come from the library's own generator, which
`manual_seed` sets. They are NumPy's: from one seed PyTorch draws others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.plain import plain
from tinytorch.devices import check_device
from tinytorch.operations.operands import describe
from tinytorch.pytorch.factories import known, made, size_of
from tinytorch.random import RNG
from tinytorch.random import generator as chosen

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
]  # fmt: skip


def rand(
    *shape: Any,
    size: Any = None,
    generator: RNG = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw evenly from 0 to 1."""
    check_device(device)
    drawn: Any = chosen(generator).random(size_of(shape, size))
    return made(np.asarray(drawn, known(dtype)), requires_grad)


def randn(
    *shape: Any,
    size: Any = None,
    generator: RNG = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw from the normal distribution of mean 0 and variance 1."""
    check_device(device)
    drawn: Any = chosen(generator).standard_normal(size_of(shape, size))
    return made(np.asarray(drawn, known(dtype)), requires_grad)


def rand_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw evenly from 0 to 1, in another tensor's shape and dtype."""
    kind = dtype or input.dtype
    return rand(size=input.shape, dtype=kind, device=device, requires_grad=requires_grad)


def randn_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Draw from the normal distribution, in another tensor's shape and dtype."""
    kind = dtype or input.dtype
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
    check_device(device)
    given = list(bounds)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if given:
        low = given.pop()
    if high is None or size is None or given:
        raise TypeError("randint: write randint(high, size) or randint(low, high, size)")
    drawn: Any = chosen(generator).integers(int(low), int(high), size_of((), size))
    return made(np.asarray(drawn, known(dtype)), requires_grad)


def randint_like(
    input: Any, *bounds: int, dtype: npt.DTypeLike | None = None, device: Any = None
) -> Any:
    """Draw whole numbers, in another tensor's shape and dtype: randint_like(x, low, high)."""
    return randint(*bounds, input.shape, dtype=dtype or input.dtype, device=device)


def randperm(
    n: int, *, generator: RNG = None, dtype: npt.DTypeLike = np.int64, device: Any = None
) -> Any:
    """Give the numbers from 0 up to `n` in random order."""
    check_device(device)
    drawn: Any = chosen(generator).permutation(n)
    return made(drawn.astype(dtype))


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
    check_device(device)
    mean, std = getattr(mean, "_value", mean), getattr(std, "_value", std)
    shape = None if size is None else size_of((), size)
    drawn: Any = chosen(generator).normal(mean, std, shape)
    return made(np.asarray(drawn, known(dtype)), requires_grad)


def bernoulli(input: Any, *, generator: RNG = None) -> Any:
    """Draw 1 with the probability that each entry is, else 0. Raises ValueError for no such."""
    p = np.asarray(getattr(input, "_value", input))
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("bernoulli: the entries are probabilities, between 0 and 1")
    drawn: Any = chosen(generator).random(p.shape) < p
    return made(np.asarray(drawn, p.dtype))


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: RNG = None
) -> Any:
    """Draw indices, each as likely as its entry is large; of a matrix, in each row.

    The entries need not add up to 1. Without `replacement` no index comes twice. Raises ValueError
    for entries of which nothing can be drawn, or not as many.
    """
    weights = np.asarray(getattr(input, "_value", input), np.float64)
    if weights.ndim not in (1, 2):
        raise ValueError(f"multinomial: expected one axis or two, got {describe(input)}")
    rows = np.atleast_2d(weights)
    if not (np.isfinite(rows) & (rows >= 0)).all() or not rows.any(axis=1).all():
        raise ValueError(
            "multinomial: the entries are finite, none is negative, and a row has one above 0"
        )
    rng = chosen(generator)
    if replacement or num_samples == 1:
        ends = np.cumsum(rows, axis=1)
        places = rng.random((len(rows), num_samples)) * ends[:, -1:]
        pairs = zip(ends, places, strict=True)
        drawn: Any = np.array([np.searchsorted(*pair, side="right") for pair in pairs], np.int64)
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
