"""Normalisation of each channel: over a batch, or over each example of it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.batch import level_of
from tinytorch.grad_mode import is_grad_enabled
from tinytorch.nn.inputs import check_sizes, tensor, values
from tinytorch.nn.module import Module
from tinytorch.nn.normalization import affine, scale_and_shift, standardize
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor


def batch_norm(
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel, the second axis.

    In training mean and variance are those of the batch, and the running ones move towards them,
    by the fraction `momentum`, in place; otherwise they are the running ones (S. Ioffe and C.
    Szegedy, "Batch normalization", 2015). Raises ValueError for training on one value a channel.
    """
    x = tensor(input)
    if training:
        if x.size <= x.shape[1]:
            raise ValueError(f"batch_norm: one value a channel has no variance, shape {x.shape}")
        return _by_its_own(x, (0, *range(2, x.ndim)), running_mean, running_var, weight, bias,
                           momentum, eps)  # fmt: skip
    return _by_running(x, running_mean, running_var, weight, bias, eps)


def instance_norm(
    input: Any,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel of each example, (N, C, ...).

    Without `use_input_stats` mean and variance are the running ones, else these move towards the
    batch's average (D. Ulyanov et al., "Instance normalization", 2016). Raises ValueError for one
    value a channel.
    """
    x = tensor(input)
    if not use_input_stats:
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    if x.size <= x.shape[0] * x.shape[1]:
        raise ValueError(f"instance_norm: one value a channel has no variance, shape {x.shape}")
    return _by_its_own(x, tuple(range(2, x.ndim)), running_mean, running_var, weight, bias,
                       momentum, eps)  # fmt: skip


def _by_its_own(
    x: Tensor,
    axes: tuple[int, ...],
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    momentum: float,
    eps: float,
) -> Tensor:
    normal, mean, variance = standardize(x, axes, eps)
    n = x.size // variance.size
    for running, batch in ((running_mean, mean), (running_var, variance * (n / (n - 1)))):
        if running is not None:
            average = batch.reshape(-1, x.shape[1]).mean(axis=0)
            now = values(running)
            moved = now + momentum * (average - now)
            if level_of(moved) > level_of(now):
                raise TypeError(
                    "normalisation inside vmap: the running statistics of all would follow each "
                    "batch; model.eval() uses them as they are, track_running_stats=False or a "
                    "GroupNorm keeps none"
                )
            if isinstance(running, Tensor):
                running.data = moved
            else:
                running[...] = moved
    return affine(normal, weight, bias, _channels(x))


def _by_running(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    if running_mean is None or running_var is None:
        raise ValueError(
            "normalisation by running statistics: expected a running mean and variance"
        )
    for running in (running_mean, running_var):
        if isinstance(running, Tensor) and running.requires_grad and is_grad_enabled():
            raise TypeError(
                f"normalisation by running statistics: they get no gradient, got "
                f"{describe(running)}; x.detach() has none"
            )
    mean = values(running_mean).astype(x.dtype, copy=False)
    scale = (values(running_var).astype(x.dtype, copy=False) + eps) ** -0.5
    normal = (x - mean.reshape(_channels(x))) * scale.reshape(_channels(x))
    return affine(normal, weight, bias, _channels(x))


def _channels(x: Tensor) -> tuple[int, ...]:
    """Give the shape in which one number a channel broadcasts against x."""
    return (-1, *(1,) * (x.ndim - 2))


class _ByChannel(Module):
    """What normalises each channel, and may keep running statistics."""

    _ndims: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight, self.bias = scale_and_shift(num_features, affine, bias, dtype)
        track = track_running_stats
        self.register_buffer(
            "running_mean", Tensor(np.zeros(num_features, dtype)) if track else None
        )
        self.register_buffer("running_var", Tensor(np.ones(num_features, dtype)) if track else None)
        self.register_buffer("num_batches_tracked", np.array(0) if track else None)

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Any

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.data[...] = 0
            self.running_var.data[...] = 1
            self.num_batches_tracked[...] = 0

    def _checked(self, input: Any) -> Tensor:
        x = tensor(input)
        if x.ndim not in self._ndims:
            axes = " or ".join(map(str, self._ndims))
            raise ValueError(f"{type(self).__name__}: expected {axes} axes, got shape {x.shape}")
        return x

    def extra_repr(self) -> str:
        """Show the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ByChannel):
    def forward(self, input: Any) -> Tensor:
        """Normalise each channel, in training by the batch, else by the running statistics."""
        x, momentum = self._checked(input), self.momentum
        counted = self.training and self.num_batches_tracked is not None
        if counted and momentum is None:  # the average of all batches
            momentum = (1 / (self.num_batches_tracked + 1)).astype(x.dtype)
        out = batch_norm(
            x,
            self.running_mean if not self.training or self.track_running_stats else None,
            self.running_var if not self.training or self.track_running_stats else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            0.0 if momentum is None else momentum,
            self.eps,
        )
        if counted:  # a batch that was refused doesn't count
            self.num_batches_tracked[...] += 1
        return out


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel of (N, C) or (N, C, L).

    In training mean and variance are the batch's, and `running_mean` and `running_var` move towards
    them by the fraction `momentum`, or are the average if it is None; else they are the running
    ones. `weight` and `bias` are (num_features,), and start at 1 and 0.

    >>> norm = BatchNorm1d(2)
    >>> norm(np.array([[1.0, 0.0], [3.0, 4.0]])).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> norm.running_mean
    Tensor([0.2, 0.2], requires_grad=False)
    """

    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """What `BatchNorm1d` is to (N, C, L), to images (N, C, H, W).

    >>> BatchNorm2d(3)(np.ones((5, 3, 4, 4))).shape
    (5, 3, 4, 4)
    """

    _ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """What `BatchNorm1d` is to (N, C, L), to volumes (N, C, D, H, W)."""

    _ndims = (5,)


class _InstanceNorm(_ByChannel):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias=bias, dtype=dtype
        )

    def forward(self, input: Any) -> Tensor:
        """Normalise each channel of each example."""
        x = self._checked(input)
        single = x.ndim == self._ndims[0]
        out = instance_norm(
            x[None] if single else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )
        return out[0] if single else out


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel of each, (N, C, L) or (C, L).

    Mean and variance are its own; with `track_running_stats` they are the running ones unless it
    is being trained. With `affine` there are `weight` and `bias`, which start at 1 and 0.
    """

    _ndims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """What `InstanceNorm1d` is to (N, C, L), to images (N, C, H, W) or (C, H, W).

    >>> InstanceNorm2d(3)(np.ones((5, 3, 4, 4))).shape
    (5, 3, 4, 4)
    """

    _ndims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """What `InstanceNorm1d` is to (N, C, L), to volumes (N, C, D, H, W) or (C, D, H, W)."""

    _ndims = (4, 5)
