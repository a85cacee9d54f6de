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
from tinytorch.nn.spatial import for_axes
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


def _dropout(
    n: int,
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """Set whole channels of (N, C, *sizes) or (C, *sizes) to 0 as `dropout` does entries.

    In two dimensions three axes are (N, C, L), as in PyTorch. Raises ValueError for others.
    """
    x = tensor(input)
    if x.ndim not in (n + 1, n + 2):
        raise ValueError(f"dropout{n}d: expected {n + 1} or {n + 2} axes, got shape {x.shape}")
    whole = 1 if x.ndim == n + 1 and n != 2 else 2
    return _dropped(x, (*x.shape[:whole], *(1,) * (x.ndim - whole)), p, training, rng)


_dropout.__name__ = "dropout"
dropout1d, dropout2d, dropout3d = for_axes(_dropout)


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
    """In training, each entry 0 with probability p, and the others divided by 1 - p.

    >>> drop = Dropout(0.5, rng=0)
    >>> drop(np.ones(6))
    Tensor([2., 2., 2., 0., 0., 0.], requires_grad=False)
    >>> drop.eval()(np.ones(3))
    Tensor([1., 1., 1.], requires_grad=False)
    """


class Dropout1d(_Dropout, function=dropout1d, shows="p inplace"):
    """In training, whole channels of (N, C, L) or (C, L) left out with probability p."""


class Dropout2d(_Dropout, function=dropout2d, shows="p inplace"):
    """In training, whole channels of (N, C, H, W) left out with probability p.

    >>> Dropout2d(0.5, rng=3)(np.ones((1, 3, 2, 2))).data[0, :, 0, 0]
    array([2., 0., 0.])
    """


class Dropout3d(_Dropout, function=dropout3d, shows="p inplace"):
    """In training, whole channels of (N, C, D, H, W) left out with probability p."""


class AlphaDropout(_Dropout, function=alpha_dropout, shows="p inplace"):
    """In training, each entry selu's lowest value with probability p, so that its mean is kept."""


class FeatureAlphaDropout(_Dropout, function=feature_alpha_dropout, shows="p inplace"):
    """In training, whole channels of (N, C, ...) selu's lowest value with probability p."""
