"""Losses between numbers: how far an input is from its target, entry by entry.

`reduction` says what becomes of the entries' losses: their "mean", their "sum", or "none", all of
them. A target that is no tensor is a constant of the input's dtype.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from tinytorch.arrays.checks import check
from tinytorch.arrays.warned import warn
from tinytorch.nn.function_module import FunctionModule, refuse_old
from tinytorch.nn.inputs import input_like, tensor, values
from tinytorch.tensor import Tensor

LossT = TypeVar("LossT", bound=Callable[..., Tensor])


def loss(function: LossT) -> LossT:
    """Let a loss refuse what PyTorch's took before they had `reduction`."""
    parameters = inspect.signature(function).parameters

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Tensor:
        refuse_old(function.__name__, parameters, args, kwargs)
        return function(*args, **kwargs)

    return cast(LossT, checked)


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Give the mean of the losses, their sum, or all of them."""
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f'reduction is "mean", "sum" or "none", got {reduction!r}')


def paired(name: str, input: Any, target: Any, *, strict: bool = False) -> tuple[Tensor, Any]:
    """Prepare an input and its target, which should have one shape.

    Shapes that differ are an error if `strict`, and where they would broadcast to a third one, as
    (n, 1) and (n,) do to (n, n); else a warning.
    """
    x, y = tensor(input), np.shape(target)
    if x.shape != y:
        message = f"{name}: the input has shape {x.shape}, the target {y}"
        try:
            both = np.broadcast_shapes(x.shape, y)
        except ValueError:
            both = ()
        if strict or both not in (x.shape, y):
            raise ValueError(f"{message}; target.reshape(input.shape), say, gives it the same")
        warn(f"{message}: they broadcast to {both}")
    return x, input_like(x, target, f"{name}, the target")


def _weights(weight: Any, x: Tensor) -> Any:
    if np.shape(weight) != x.shape:
        raise ValueError(f"the weights have shape {np.shape(weight)}, the input {x.shape}")
    return input_like(x, weight)


@loss
def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """(x - y)**2; with weights the mean is the weighted one."""
    x, y = paired("mse_loss", input, target)
    return _weighted_mean((x - y).square(), x, reduction, weight)


@loss
def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """|x - y|; with weights the mean is the weighted one."""
    x, y = paired("l1_loss", input, target)
    return _weighted_mean(abs(x - y), x, reduction, weight)


def _weighted_mean(losses: Tensor, x: Tensor, reduction: str, weight: Any) -> Tensor:
    if weight is None:
        return reduced(losses, reduction)
    weights = _weights(weight, x)
    losses = losses * weights
    if reduction == "mean":
        losses, reduction = losses / weights.sum(), "sum"
    return reduced(losses, reduction)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """d**2 / 2 for d = |x - y| up to `delta`, beyond it the tangent delta * (d - delta / 2)."""
    x, y = paired("huber_loss", input, target)
    losses = _parabola_and_tangents(x - y, delta)
    return reduced(losses if weight is None else losses * _weights(weight, x), reduction)


@loss
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """|x - y| - beta / 2, and below |x - y| = beta the parabola (x - y)**2 / (2 * beta)."""
    x, y = paired("smooth_l1_loss", input, target)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta is 0 or more, got {beta}")
    losses = _parabola_and_tangents(x - y, beta) / beta if beta else abs(x - y)
    return reduced(losses, reduction)


def _parabola_and_tangents(x: Tensor, end: float) -> Tensor:
    inner = x.clip(-end, end)
    return inner * (x - inner / 2)


@loss
def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """y * (log(y) - x): the divergence of the target y from the input, whose logarithm is x.

    With `log_target` the logarithm of y is given. The divergence of distributions is the "sum" over
    the classes; `reduction` may be "batchmean" too, the sum divided by the first size.
    """
    x, y = paired("kl_div", input, target)
    losses = np.exp(y) * (y - x) if log_target else tensor(y).xlogy(y) - y * x
    if reduction == "batchmean":
        losses, reduction = losses / (x.shape[0] if x.ndim else 1), "sum"
    return reduced(losses, reduction)


@loss
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """exp(x) - y * x: how unlikely the count y is where the logarithm of x is expected.

    Without `log_input` x itself is: x - y * log(x + eps). With `full` Stirling's approximation of
    log(y!) is added where y is above 1.
    """
    x, y = paired("poisson_nll_loss", input, target)
    losses = x.exp() - y * x if log_input else x - y * (x + eps).log()
    if full:
        large = values(y) > 1
        z = np.where(large, y, 1)
        stirling = z * np.log(z) - z + np.log(2 * math.pi * z) / 2
        losses = losses + np.where(large, stirling, 0)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log(var) + (x - y)**2 / var) / 2: how unlikely y is where x is expected.

    The variance is a number, or has the input's shape, with its last size 1 or left out if one
    stands for a row. Below `eps` it counts as `eps`, with the gradient that it has. With `full`
    log(2 pi) / 2 is added. Raises ValueError for a negative variance and for another shape.
    """
    x, y = paired("gaussian_nll_loss", input, target)
    variance = tensor(np.full(x.shape, var, x.dtype) if isinstance(var, int | float) else var)
    message = "gaussian_nll_loss: a variance is not negative"
    check(variance.data >= 0, variance.data, ValueError, message)
    if variance.shape == x.shape[:-1] != x.shape:
        variance = variance[..., None]
    differ = [n for n, m in zip(variance.shape, x.shape, strict=False) if n != m]
    if variance.ndim != x.ndim or (differ and differ != [1]):
        raise ValueError(
            f"gaussian_nll_loss: the input has shape {x.shape}, the variance {np.shape(var)}"
        )
    variance = variance + (np.maximum(variance.data, eps) - variance.data)
    losses = (variance.log() + (x - y).square() / variance) / 2
    return reduced(losses + math.log(2 * math.pi) / 2 if full else losses, reduction)


class MSELoss(FunctionModule, function=mse_loss, inputs=2):
    """(x - y)**2.

    >>> MSELoss()([1.0, 3.0], [1.0, 1.0])
    Tensor(2., requires_grad=False)
    """


class L1Loss(FunctionModule, function=l1_loss, inputs=2):
    """|x - y|.

    >>> L1Loss()([1.0, 3.0], [1.0, 1.0])
    Tensor(1., requires_grad=False)
    """


class HuberLoss(FunctionModule, function=huber_loss, inputs=2):
    """d**2 / 2 for d = |x - y| up to `delta`, beyond it the tangent delta * (d - delta / 2).

    >>> HuberLoss(reduction="none")([0.5, 3.0], [0.0, 0.0])
    Tensor([0.125, 2.5  ], requires_grad=False)
    """


class SmoothL1Loss(FunctionModule, function=smooth_l1_loss, inputs=2):
    """|x - y| - beta / 2, and below |x - y| = beta the parabola (x - y)**2 / (2 * beta)."""


class KLDivLoss(FunctionModule, function=kl_div, inputs=2):
    """y * (log(y) - x): the divergence of the target y from the input, whose logarithm is x.

    >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]])
    >>> round(KLDivLoss(reduction="batchmean")(np.log(q), p).item(), 3)
    0.511
    """


class PoissonNLLLoss(FunctionModule, function=poisson_nll_loss, inputs=2):
    """exp(x) - y * x: how unlikely the count y is where the logarithm of x is expected."""


class GaussianNLLLoss(FunctionModule, function=gaussian_nll_loss, inputs=3):
    """(log(var) + (x - y)**2 / var) / 2: how unlikely y is where x is expected."""
