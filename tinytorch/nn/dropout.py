"""Dropout: entries or whole channels that are left out at random while a network is trained.

N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
Every function takes `rng`, a generator or a seed. `inplace` is taken as in PyTorch, and changes
nothing: the result is always a new tensor.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import tensor
from tinytorch.operations.activations import _SELU_ALPHA, _SELU_SCALE
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set each entry to 0 with probability p, in training, and divide the others by 1 - p."""
    x = tensor(input)
    return _dropped(x, x.shape, p, training, rng)


def dropout1d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set whole channels of (N, C, L) or (C, L) to 0 as `dropout` does entries."""
    return _dropped_channels("dropout1d", input, {2: 1, 3: 2}, p, training, rng)


def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set whole channels of (N, C, H, W), or of (N, C, L), to 0 as `dropout` does entries."""
    return _dropped_channels("dropout2d", input, {3: 2, 4: 2}, p, training, rng)


def dropout3d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set whole channels of (N, C, D, H, W) or (C, D, H, W) to 0 as `dropout` does entries."""
    return _dropped_channels("dropout3d", input, {4: 1, 5: 2}, p, training, rng)


def alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set each entry to selu's lowest value with probability p, in training.

    All are scaled and shifted so that mean 0 and variance 1 are kept (G. Klambauer et al.,
    "Self-normalizing neural networks", 2017).
    """
    x = tensor(input)
    return _alpha_dropped(x, x.shape, p, training, rng)


def feature_alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set whole channels of (N, C, ...) to selu's lowest value as `alpha_dropout` does entries."""
    x = tensor(input)
    return _alpha_dropped(x, (*x.shape[:2], *(1,) * (x.ndim - 2)), p, training, rng)


def _kept(x: Tensor, shape: tuple[int, ...], p: float, rng: RNG) -> Any:
    """Draw which are kept, with probability 1 - p, as 1 and 0 in an array of the kind of x."""
    numbers = kind_of(x._value).draws(generator(rng)).random(shape, np.float32)
    return np.asarray(numbers >= p, x.dtype, like=x.data)


def _nothing_to_do(p: float, training: bool) -> bool:
    if not 0 <= p <= 1:
        raise ValueError(
            f"dropout: p is a probability, between 0 and 1, got {p}"
            + (f"; {p} % are p={p / 100}" if 1 < p <= 100 else "")
        )
    return not training or p == 0


def _dropped(x: Tensor, shape: tuple[int, ...], p: float, training: bool, rng: RNG) -> Tensor:
    if _nothing_to_do(p, training):
        return x
    kept = _kept(x, shape, p, rng)
    out: Tensor = x * (kept / (1 - p) if p < 1 else kept)
    return out


def _dropped_channels(
    name: str, input: Any, leading: dict[int, int], p: float, training: bool, rng: RNG
) -> Tensor:
    x = tensor(input)
    if x.ndim not in leading:
        axes = " or ".join(map(str, leading))
        raise ValueError(f"{name}: expected {axes} axes, got shape {x.shape}")
    n = leading[x.ndim]
    return _dropped(x, (*x.shape[:n], *(1,) * (x.ndim - n)), p, training, rng)


def _alpha_dropped(x: Tensor, shape: tuple[int, ...], p: float, training: bool, rng: RNG) -> Tensor:
    if _nothing_to_do(p, training):
        return x
    kept = _kept(x, shape, p, rng)
    lowest = -_SELU_SCALE * _SELU_ALPHA
    scale = 1 / math.sqrt((1 - p) * (1 + p * lowest**2)) if p < 1 else 0.0
    out: Tensor = x * (kept * scale) + ((1 - kept) * lowest - p * lowest) * scale
    return out


class _Dropout(FunctionModule):
    """What all of them have in common: `p` is looked at when they are made."""

    p: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _nothing_to_do(self.p, training=False)


class Dropout(_Dropout, function=dropout, shows="p inplace"):
    """In training, each entry 0 with probability p, and the others divided by 1 - p."""


class Dropout1d(_Dropout, function=dropout1d, shows="p inplace"):
    """In training, whole channels of (N, C, L) or (C, L) left out with probability p."""


class Dropout2d(_Dropout, function=dropout2d, shows="p inplace"):
    """In training, whole channels of (N, C, H, W) left out with probability p."""


class Dropout3d(_Dropout, function=dropout3d, shows="p inplace"):
    """In training, whole channels of (N, C, D, H, W) left out with probability p."""


class AlphaDropout(_Dropout, function=alpha_dropout, shows="p inplace"):
    """In training, each entry selu's lowest value with probability p, so that its mean is kept."""


class FeatureAlphaDropout(_Dropout, function=feature_alpha_dropout, shows="p inplace"):
    """In training, whole channels of (N, C, ...) selu's lowest value with probability p."""
