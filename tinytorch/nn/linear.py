"""Linear maps: of one input, and of two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.nn.inputs import check_sizes, input_like, tensor
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.einsum import einsum
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


def linear(input: Any, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute input @ weight.T + bias: of (..., in), (out, in) and (out,), (..., out).

    Raises ValueError for an input of another last size.
    """
    x = input_like(weight, input)
    if getattr(x, "shape", ())[-1:] != weight.shape[-1:]:
        raise ValueError(_unfit(x, weight))
    if bias is None:
        return tensor(x @ weight.T)
    product: Tensor = tensor(input_like(weight, bias)).addmm(x, weight.T)
    return product


def _unfit(x: Any, weight: Tensor) -> str:
    size = weight.shape[-1]
    said = f"linear: expected an input of shape (..., {size}), got {describe(x)}"
    shape = getattr(x, "shape", ())
    if len(shape) > 2 and math.prod(shape[1:]) == size:
        said += "; nn.Flatten() in front, or x.reshape(len(x), -1), makes a row of each"
    return said


def bilinear(input1: Any, input2: Any, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute x1 @ weight[k] @ x2 + bias[k] for each k: of (..., n), (..., m), (out, n, m)."""
    x, y = input_like(weight, input1), input_like(weight, input2)
    product = einsum("...i,kij,...j->...k", x, weight, y)
    return tensor(product if bias is None else product + bias)


def _uniform(
    shape: tuple[int, ...], bound: float, label: str, rng: np.random.Generator, dtype: Any
) -> Parameter:
    return Parameter(rng.uniform(-bound, bound, shape), label=label, dtype=dtype)


class Linear(Module):
    """A linear map: input @ weight.T + bias, from (..., in_features) to (..., out_features).

    `weight` is (out_features, in_features) and `bias` (out_features,); without `bias` it is None.
    Both start uniform between -b and b, with b = 1 / sqrt(in_features).

    >>> Linear(2, 3, rng=0)(np.ones((5, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        bound, rng = 1 / math.sqrt(max(in_features, 1)), generator(rng)
        self.weight = _uniform((out_features, in_features), bound, "weight", rng, dtype)
        self.bias = _uniform((out_features,), bound, "bias", rng, dtype) if bias else None

    def forward(self, input: Any) -> Tensor:
        """Compute input @ weight.T + bias."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """A bilinear map of two inputs: x1 @ weight[k] @ x2 + bias[k], for each k.

    From (..., in1_features) and (..., in2_features) to (..., out_features); `weight` is
    (out_features, in1_features, in2_features). Weights and biases start uniform between -b and b,
    with b = 1 / sqrt(in1_features).

    >>> Bilinear(3, 4, 5, rng=0)(np.ones((2, 3)), np.ones((2, 4))).shape
    (2, 5)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, 1, in1_features=in1_features)
        check_sizes(self, in2_features=in2_features, out_features=out_features)
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        bound, rng = 1 / math.sqrt(in1_features), generator(rng)
        shape = (out_features, in1_features, in2_features)
        self.weight = _uniform(shape, bound, "weight", rng, dtype)
        self.bias = _uniform((out_features,), bound, "bias", rng, dtype) if bias else None

    def forward(self, input1: Any, input2: Any) -> Tensor:
        """Compute x1 @ weight[k] @ x2 + bias[k]."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """The input itself, whatever else the module is made with.

    >>> Identity()([1.0, 2.0])
    [1.0, 2.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Give the input."""
        return input
