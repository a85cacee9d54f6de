"""Probability distributions: draws, logarithms of probabilities, entropies.

What `sample` gives has no gradient; what `rsample` gives has one for the parameters, since it is
computed from them and a draw that doesn't depend on them. `log_prob`, `entropy` and
`kl_divergence` are tensors' operations. Parameters broadcast; a draw of `sample_shape` has these
axes first. `rng=` is a generator or a seed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.plain import base
from tinytorch.nn.functional import binary_cross_entropy_with_logits
from tinytorch.operations.conversions import floating
from tinytorch.operations.shape import unpacked
from tinytorch.pytorch.factories import as_tensor, made
from tinytorch.pytorch.functions import broadcast_tensors
from tinytorch.pytorch.sampling import multinomial
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


class Distribution:
    """What distributions have in common: the shapes, and how a draw is asked for."""

    batch_shape: tuple[int, ...]
    event_shape: tuple[int, ...] = ()

    def sample(self, sample_shape: Any = (), *, rng: RNG = None) -> Any:
        """Draw, without a gradient."""
        return self._draw((*unpacked((sample_shape,)), *self.batch_shape), generator(rng))

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_shape={self.batch_shape})"


class Normal(Distribution):
    """The normal distribution of mean `loc` and standard deviation `scale`.

    >>> Normal(0.0, 1.0).log_prob(0.0)
    Tensor(-0.91893853, requires_grad=False)
    """

    def __init__(self, loc: Any, scale: Any) -> None:
        self.loc: Tensor
        self.scale: Tensor
        given = [_floating(loc), _floating(scale)]
        home = next((x.device for x in given if x.ndim), None)  # numbers go to where arrays are
        self.loc, self.scale = broadcast_tensors(*[x if x.ndim else x.to(home) for x in given])
        if not (self.scale.data > 0).all():
            raise ValueError("Normal: the scale is a standard deviation, above 0")
        self.batch_shape = self.loc.shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale.square()

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        loc, scale = self.loc.data, self.scale.data
        drawn = loc + scale * kind_of(loc).draws(rng).standard_normal(shape)
        return made(drawn.astype(loc.dtype))

    def rsample(self, sample_shape: Any = (), *, rng: RNG = None) -> Tensor:
        """Draw loc + scale * noise, which has a gradient for both."""
        shape = (*unpacked((sample_shape,)), *self.batch_shape)
        noise = kind_of(self.loc.data).draws(generator(rng)).standard_normal(shape)
        return self.loc + self.scale * np.asarray(noise, self.loc.dtype, like=noise)

    def log_prob(self, value: Any) -> Tensor:
        """Give -((x - loc) / scale)**2 / 2 - log(scale) - log(2 pi) / 2."""
        z = (_floating(value) - self.loc) / self.scale
        return -0.5 * z.square() - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        """Give (1 + log(2 pi)) / 2 + log(scale)."""
        return self.scale.log() + 0.5 * (1 + math.log(2 * math.pi))


class Categorical(Distribution):
    """One of several, with probabilities along the last axis, or with `logits`, their logarithms.

    Neither need be normalised. Draws are plain whole numbers.

    >>> Categorical([1.0, 3.0]).log_prob(1).exp()
    Tensor(0.75, requires_grad=False)
    """

    def __init__(self, probs: Any = None, logits: Any = None) -> None:
        given = _one_of("Categorical", probs, logits)
        if not given.ndim:
            raise ValueError("Categorical: probabilities have an axis, got a single number")
        if probs is not None:
            if not (given.data >= 0).all() or not given.data.any(axis=-1).all():
                raise ValueError("Categorical: no probability is negative, and not all are 0")
            self.probs = given / given.sum(-1, keepdims=True)
            self.logits = _clamped(self.probs).log()
        else:
            self.logits = given - given.logsumexp(-1, keepdims=True)
            self.probs = given.softmax(-1)
        self.batch_shape = given.shape[:-1]

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        n = self.probs.shape[-1]
        rows = self.probs.data.reshape(-1, n)
        times = math.prod(shape) // len(rows) if len(rows) else 0
        drawn = multinomial(rows, times, replacement=True, generator=rng) if times else rows
        return drawn.T.reshape(shape)

    def log_prob(self, value: Any) -> Tensor:
        """Give the logarithm of each number's probability."""
        numbers = base(getattr(value, "_value", value))
        numbers = np.asarray(numbers, np.int64, like=self.logits.data)
        shape = np.broadcast_shapes(numbers.shape, self.batch_shape)
        logits = self.logits.broadcast_to((*shape, self.logits.shape[-1]))
        return logits.take_along_axis(np.broadcast_to(numbers, shape)[..., None]).squeeze(-1)

    def entropy(self) -> Tensor:
        """Give -sum(p * log(p))."""
        lowest = np.finfo(self.logits.dtype).min
        return -(self.probs * self.logits.clip(lowest)).sum(-1)


class Bernoulli(Distribution):
    """1 with probability `probs`, else 0; or with `logits`, log(p / (1 - p)).

    >>> Bernoulli(0.25).log_prob(1.0).exp()
    Tensor(0.25, requires_grad=False)
    """

    def __init__(self, probs: Any = None, logits: Any = None) -> None:
        given = _one_of("Bernoulli", probs, logits)
        if probs is not None:
            if not ((given.data >= 0) & (given.data <= 1)).all():
                raise ValueError("Bernoulli: probabilities are between 0 and 1")
            p = _clamped(given)
            self.probs, self.logits = given, p.log() - (-p).log1p()
        else:
            self.probs, self.logits = given.sigmoid(), given
        self.batch_shape = given.shape

    @property
    def mean(self) -> Tensor:
        """The mean: the probability."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """The variance: p * (1 - p)."""
        return self.probs * (1 - self.probs)

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        p = self.probs.data
        return made((kind_of(p).draws(rng).random(shape) < p).astype(p.dtype))

    def log_prob(self, value: Any) -> Tensor:
        """Give log(p) where the value is 1, log(1 - p) where it is 0."""
        logits, value = broadcast_tensors(self.logits, _floating(value))
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """Give -p * log(p) - (1 - p) * log(1 - p)."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Give the mean of log(p(x) / q(x)) over draws of p, for two distributions of one class.

    Raises NotImplementedError for others (S. Kullback and R. A. Leibler, "On information and
    sufficiency", 1951).

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    Tensor(0.5, requires_grad=False)
    """
    if isinstance(p, Normal) and isinstance(q, Normal):
        ratio = (p.scale / q.scale).square()
        distance = ((p.loc - q.loc) / q.scale).square()
        return 0.5 * (ratio + distance - 1 - ratio.log())
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        return (p.probs * (p.logits - q.logits)).sum(-1)
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        # log(p / (1 - p)) = logit, and log(1 - p) = -softplus(logit).
        mean = p.probs * (p.logits - q.logits)
        return mean + q.logits.softplus() - p.logits.softplus()
    raise NotImplementedError(
        f"kl_divergence of a {type(p).__name__} and a {type(q).__name__}: expected two Normal, two "
        "Categorical or two Bernoulli"
    )


def _floating(x: Any) -> Tensor:
    x = as_tensor(x)
    return x if isinstance(x, Tensor) else floating(x, np.float64)


def _one_of(name: str, probs: Any, logits: Any) -> Tensor:
    if (probs is None) == (logits is None):
        raise ValueError(f"{name}: give either probs= or logits=")
    return _floating(logits if probs is None else probs)


def _clamped(p: Tensor) -> Tensor:
    """Keep probabilities off 0 and 1, by as much as floating numbers tell apart from 1."""
    eps = float(np.finfo(p.dtype).eps)
    return p.clip(eps, 1 - eps)
