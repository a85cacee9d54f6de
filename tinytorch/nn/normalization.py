"""Normalisation of each example: by its features, by groups of channels, by its neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays import words
from tinytorch.engine import Node
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import check_sizes, tensor
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.tensor import Tensor

_STANDARDIZE = Operation("standardize")
_SCALE_AND_SHIFT = Operation("scale_and_shift", "□ * □ + □")


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    """Give the mean over some axes, which are kept with size 1."""
    if axes == (-1,):
        return words.sum_along(x, -1) / x.shape[-1]
    return np.mean(x, axis=axes, keepdims=True)


def _mean_of_products(x: Any, y: Any, axes: tuple[int, ...]) -> Any:
    if axes == (-1,):
        return words.dot_along(x, y) / x.shape[-1]
    return words.sum_products(x, y, axes) / max(math.prod(x.shape[i] for i in axes), 1)


@defines(_STANDARDIZE)
def standardize(x: Tensor, axes: tuple[int, ...], eps: float) -> tuple[Tensor, Any, Any]:
    """Give (x - mean) / sqrt(var + eps) with the mean and variance over `axes`, and these two."""
    values = x._value if isinstance(x, Node) else x
    mean = _mean(values, axes)
    normal = values - mean
    variance = _mean_of_products(normal, normal, axes)
    scale = (variance + eps) ** -0.5
    normal *= scale

    def rule(grad: Any, out: Any, x: Any) -> Any:
        # Of arrays it is known; for a second derivative it must come from x.
        graph = isinstance(x, Node)
        by = (np.var(x, axis=axes, keepdims=True) + eps) ** -0.5 if graph else scale
        # In this order NumPy needs a single large array.
        return (out * _mean_of_products(grad, out, axes) + _mean(grad, axes) - grad) * -by

    return apply(_STANDARDIZE, lambda _: normal, (rule,), x), mean, variance


@defines(_SCALE_AND_SHIFT)
def affine(x: Tensor, weight: Any, bias: Any, shape: Sequence[int]) -> Tensor:
    """Give x * weight + bias, with the two in `shape`, which broadcasts; either may be None."""
    if weight is not None and bias is not None:
        return apply(
            _SCALE_AND_SHIFT,
            lambda x, weight, bias: x * weight + bias,
            (
                lambda grad, _out, _x, weight, _bias: grad * weight,
                lambda grad, _out, x, weight, _bias: _folded_product(grad, x, weight.shape),
                lambda grad, *_: grad,
            ),
            x,
            weight.reshape(shape),
            bias.reshape(shape),
        )
    if weight is not None:
        x = x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


def _folded_product(x: Any, y: Any, shape: tuple[int, ...]) -> Any:
    """Sum x * y over the axes along which `shape` is broadcast to theirs."""
    padded = (1,) * (x.ndim - len(shape)) + shape
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return words.sum_products(x, y, axes).reshape(shape)


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(np.atleast_1d(normalized_shape).tolist())


def _last_axes(name: str, x: Tensor, sizes: tuple[int, ...]) -> tuple[int, ...]:
    if x.shape[-len(sizes) :] != sizes:
        raise ValueError(f"{name}: expected shape (..., {str(sizes)[1:-1]}), got {x.shape}")
    return tuple(range(-len(sizes), 0))


def layer_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, over the last axes, of `normalized_shape`.

    J. L. Ba et al., "Layer normalization", 2016.
    """
    x, sizes = tensor(input), _sizes(normalized_shape)
    normal, _, _ = standardize(x, _last_axes("layer_norm", x, sizes), eps)
    return affine(normal, weight, bias, sizes)


def rms_norm(
    input: Any,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / sqrt(mean(x**2) + eps) * weight, over the last axes, of `normalized_shape`.

    Without `eps` it is the distance from 1 to the next number of the dtype (B. Zhang and R.
    Sennrich, "Root mean square layer normalization", 2019).
    """
    x, sizes = tensor(input), _sizes(normalized_shape)
    axes = _last_axes("rms_norm", x, sizes)
    if eps is None:
        eps = float(np.finfo(x.dtype).eps)
    scale = (x.square().mean(axes, keepdims=True) + eps).rsqrt()
    return affine(x * scale, weight, None, sizes)


def group_norm(
    input: Any,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, over each group of channels of each example.

    Of (N, C, ...); `num_groups` divides C (Y. Wu and K. He, "Group normalization", 2018).
    """
    x = tensor(input)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"group_norm: {num_groups} groups of channels in shape {x.shape}")
    grouped = x.reshape(x.shape[0], num_groups, math.prod(x.shape[1:]) // num_groups)
    normal, _, _ = standardize(grouped, (-1,), eps)
    return affine(normal.reshape(x.shape), weight, bias, (-1, *(1,) * (x.ndim - 2)))


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha * mean of x**2 over `size` channels around)**beta, of (N, C, ...).

    Beyond the ends there are zeros (A. Krizhevsky et al., "ImageNet classification with deep
    convolutional neural networks", 2012).
    """
    x = tensor(input)
    if x.ndim < 3:
        raise ValueError(f"local_response_norm: expected shape (N, C, ...), got {x.shape}")
    n_channels = x.shape[1]
    around = ((0, 0), (size // 2, (size - 1) // 2), *((0, 0),) * (x.ndim - 2))
    squares = x.square().pad(around)
    sums = sum(squares[:, i : i + n_channels] for i in range(size))
    out: Tensor = x / (sums * (alpha / size) + k) ** beta
    return out


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, over the last axes, of `normalized_shape`.

    `weight` and `bias` have that shape, and start at 1 and 0.

    >>> LayerNorm(4)(np.array([[1.0, 2.0, 3.0, 4.0]])).data.round(3)
    array([[-1.342, -0.447,  0.447,  1.342]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        for size in self.normalized_shape:
            check_sizes(self, normalized_shape=size)
        self.elementwise_affine = elementwise_affine
        self.weight, self.bias = scale_and_shift(
            self.normalized_shape, elementwise_affine, bias, dtype
        )

    def forward(self, input: Any) -> Tensor:
        """Normalise the last axes."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Show the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


def scale_and_shift(
    shape: int | tuple[int, ...], weight: bool, bias: bool, dtype: npt.DTypeLike
) -> tuple[Parameter | None, Parameter | None]:
    """Make parameters of 1 and of 0, or None; without the first there is no second."""
    return (
        Parameter(np.ones(shape), label="weight", dtype=dtype) if weight else None,
        Parameter(np.zeros(shape), label="bias", dtype=dtype) if weight and bias else None,
    )


class RMSNorm(Module):
    """x / sqrt(mean(x**2) + eps) * weight, over the last axes, of `normalized_shape`.

    `weight` has that shape, and starts at 1.

    >>> RMSNorm(2)(np.array([[3.0, 4.0]])).data.round(3)
    array([[0.849, 1.131]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.normalized_shape, self.eps = _sizes(normalized_shape), eps
        for size in self.normalized_shape:
            check_sizes(self, normalized_shape=size)
        self.elementwise_affine = elementwise_affine
        self.weight, _ = scale_and_shift(self.normalized_shape, elementwise_affine, False, dtype)

    def forward(self, input: Any) -> Tensor:
        """Normalise the last axes."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Show the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, over each group of channels of each example.

    `weight` and `bias` are (num_channels,), and start at 1 and 0.

    >>> GroupNorm(2, 6)(np.ones((5, 6, 4, 4))).shape
    (5, 6, 4, 4)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, num_channels=num_channels)
        check_sizes(self, 1, num_groups=num_groups)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels make no {num_groups} groups")
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.weight, self.bias = scale_and_shift(num_channels, affine, bias, dtype)

    def forward(self, input: Any) -> Tensor:
        """Normalise each group of channels."""
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Show the options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionModule, function=local_response_norm):
    """x / (k + alpha * mean of x**2 over `size` channels around)**beta, of (N, C, ...)."""

    def extra_repr(self) -> str:
        """Show the options."""
        size, *others = (getattr(self, name) for name in self._options)
        return "{}, alpha={}, beta={}, k={}".format(size, *others)
