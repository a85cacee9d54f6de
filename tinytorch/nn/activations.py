"""Activations: functions of each entry, and of rows of entries that compete.

`inplace` is taken as in PyTorch, and changes nothing: the result is always a new tensor.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.warned import warn
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import check_sizes, tensor
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor

# --- entry by entry -------------------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """max(x, 0)."""
    return tensor(input).relu()


def relu6(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """Limit x to 0 <= x <= 6."""
    return tensor(input).relu6()


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x where it is positive, else negative_slope * x."""
    return tensor(input).leaky_relu(negative_slope=negative_slope)


def prelu(input: Any, weight: Tensor) -> Tensor:
    """x where it is positive, else weight * x; one weight for all, or one for each channel.

    The channels are the second axis, or the only one.
    """
    x = tensor(input)
    if weight.size > 1 and x.ndim > 1:
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
    elif not x.ndim:
        weight = weight.reshape(())
    return x.where(x.data > 0, weight * x)


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,  # noqa: ARG001
    *,
    rng: RNG = None,
) -> Tensor:
    """x where it is positive, else a * x, with a uniform between `lower` and `upper`.

    Each entry has its own `a`; unless `training`, all have the mean.
    """
    x = tensor(input)
    if not training:
        return x.leaky_relu(negative_slope=(lower + upper) / 2)
    numbers = kind_of(x._value).draws(generator(rng))
    slopes = numbers.uniform(lower, upper, x.shape).astype(x.dtype)
    return x * np.where(x.data > 0, 1, slopes)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return tensor(input).elu(alpha=alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """Scale elu so that a deep network's activations keep mean 0 and variance 1."""
    return tensor(input).selu()


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x where it is positive, else alpha * (exp(x / alpha) - 1)."""
    return tensor(input).celu(alpha=alpha)


def gelu(input: Any, approximate: Literal["none", "tanh"] = "none") -> Tensor:
    """x times the probability that a standard normal variable is below x; the exact form: SciPy."""
    return tensor(input).gelu(approximate)


def silu(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x * sigmoid(x)."""
    return tensor(input).silu()


def mish(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x * tanh(softplus(x))."""
    return tensor(input).mish()


def sigmoid(input: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return tensor(input).sigmoid()


def tanh(input: Any) -> Tensor:
    """sinh(x) / cosh(x)."""
    return tensor(input).tanh()


def logsigmoid(input: Any) -> Tensor:
    """The logarithm of sigmoid, without overflow."""
    return tensor(input).logsigmoid()


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """A smooth relu, log(1 + exp(beta * x)) / beta; x where beta * x is above `threshold`."""
    x = tensor(input)
    return x.where(x.data * beta > threshold, x.softplus(beta))


def softsign(input: Any) -> Tensor:
    """x / (1 + |x|)."""
    return tensor(input).softsign()


def hardtanh(
    input: Any,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,  # noqa: ARG001
) -> Tensor:
    """Limit x to min_val <= x <= max_val."""
    return tensor(input).hardtanh(min_val=min_val, max_val=max_val)


def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """A sigmoid of three straight lines: relu6(x + 3) / 6."""
    return (tensor(input) + 3).relu6() / 6


def hardswish(input: Any, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x * relu6(x + 3) / 6."""
    return tensor(input).hardswish()


def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """x where it is farther than `lambd` from 0, else 0."""
    x = tensor(input)
    return x.masked_fill((x.data >= -lambd) & (x.data <= lambd), 0)


def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """Move x by `lambd` towards 0, and not beyond."""
    x = tensor(input)
    return x - x.clip(-lambd, lambd)


def tanhshrink(input: Any) -> Tensor:
    """x - tanh(x)."""
    x = tensor(input)
    return x - x.tanh()


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """x where it is above `threshold`, else `value`."""
    x = tensor(input)
    return x.masked_fill(x.data <= threshold, value)


class ReLU(FunctionModule, function=relu):
    """max(x, 0).

    >>> ReLU()([-1.0, 2.0])
    Tensor([0., 2.], requires_grad=False)
    """


class ReLU6(FunctionModule, function=relu6):
    """x limited to 0 <= x <= 6."""


class LeakyReLU(FunctionModule, function=leaky_relu, shows="negative_slope"):
    """x where it is positive, else negative_slope * x.

    >>> LeakyReLU(0.1)([-1.0, 2.0])
    Tensor([-0.1,  2. ], requires_grad=False)
    """


class PReLU(Module):
    """x where it is positive, else weight * x; the weights, one or one a channel, are learnt."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, dtype: npt.DTypeLike = np.float64
    ) -> None:
        check_sizes(self, num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init), label="weight", dtype=dtype)

    def forward(self, input: Any) -> Tensor:
        """x where it is positive, else weight * x."""
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Show the number of weights."""
        return f"num_parameters={self.num_parameters}"


class RReLU(FunctionModule, function=rrelu, shows="lower upper"):
    """x where it is positive, else a * x; in training `a` is drawn anew for each entry."""


class ELU(FunctionModule, function=elu, shows="alpha"):
    """x where it is positive, else alpha * (exp(x) - 1)."""


class SELU(FunctionModule, function=selu):
    """elu, scaled so that a deep network's activations keep mean 0 and variance 1."""


class CELU(FunctionModule, function=celu, shows="alpha"):
    """x where it is positive, else alpha * (exp(x / alpha) - 1)."""


class GELU(FunctionModule, function=gelu, shows="approximate"):
    """x times the probability that a standard normal variable is below x.

    >>> GELU()([-1.0, 2.0]).data.round(3)
    array([-0.159,  1.954])
    """


class SiLU(FunctionModule, function=silu):
    """x * sigmoid(x)."""


class Mish(FunctionModule, function=mish):
    """x * tanh(softplus(x))."""


class Sigmoid(FunctionModule, function=sigmoid):
    """1 / (1 + exp(-x)).

    >>> Sigmoid()([0.0, 2.0]).data.round(3)
    array([0.5  , 0.881])
    """


class Tanh(FunctionModule, function=tanh):
    """sinh(x) / cosh(x)."""


class LogSigmoid(FunctionModule, function=logsigmoid):
    """The logarithm of sigmoid, without overflow."""


class Softplus(FunctionModule, function=softplus, shows="beta threshold"):
    """log(1 + exp(beta * x)) / beta, a smooth relu."""


class Softsign(FunctionModule, function=softsign):
    """x / (1 + |x|)."""


class Hardtanh(FunctionModule, function=hardtanh, shows="min_val max_val"):
    """x limited to min_val <= x <= max_val."""


class Hardsigmoid(FunctionModule, function=hardsigmoid):
    """A sigmoid of three straight lines: relu6(x + 3) / 6."""


class Hardswish(FunctionModule, function=hardswish):
    """x * relu6(x + 3) / 6."""


class Hardshrink(FunctionModule, function=hardshrink):
    """x where it is farther than `lambd` from 0, else 0."""

    def extra_repr(self) -> str:
        """Show `lambd`."""
        return f"{self.lambd}"  # type: ignore[attr-defined]


class Softshrink(FunctionModule, function=softshrink):
    """x, moved by `lambd` towards 0, and not beyond."""

    def extra_repr(self) -> str:
        """Show `lambd`."""
        return f"{self.lambd}"  # type: ignore[attr-defined]


class Tanhshrink(FunctionModule, function=tanhshrink):
    """x - tanh(x)."""


class Threshold(FunctionModule, function=threshold, shows="threshold value"):
    """x where it is above `threshold`, else `value`."""


# --- along an axis --------------------------------------------------------------------------------


def _axis(dim: int | None, x: Tensor, name: str) -> int:
    if dim is not None:
        return dim
    axis = 0 if x.ndim in (0, 1, 3) else 1
    warn(f"{name}: without dim= it is taken to be {axis}: say so")
    return axis


def softmax(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`, computed in `dtype` if it is given."""
    x = tensor(input)
    return _in_dtype(x, dtype).softmax(_axis(dim, x, "softmax"))


def softmin(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The softmax of -x along `dim`, computed in `dtype` if it is given."""
    x = tensor(input)
    return (-_in_dtype(x, dtype)).softmax(_axis(dim, x, "softmin"))


def log_softmax(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The logarithm of softmax along `dim`, computed in `dtype` if it is given."""
    x = tensor(input)
    return _in_dtype(x, dtype).log_softmax(_axis(dim, x, "log_softmax"))


def _in_dtype(x: Tensor, dtype: npt.DTypeLike | None) -> Tensor:
    return x if dtype is None else x.astype(dtype)


def gumbel_softmax(
    logits: Any,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,  # noqa: ARG001
    dim: int = -1,
    *,
    rng: RNG = None,
) -> Tensor:
    """Draw from the classes along `dim`, softly: softmax((logits + g) / tau), g Gumbel noise.

    With `hard` the value is the drawn class's unit vector, and the gradient that of the soft one
    (E. Jang et al., "Categorical reparameterization with Gumbel-softmax", 2017). `eps` is not used,
    in PyTorch neither.
    """
    x = tensor(logits)
    numbers = kind_of(x._value).draws(generator(rng))
    noise: Any = -np.log(numbers.standard_exponential(x.shape)).astype(x.dtype)
    soft: Tensor = ((x + noise) / tau).softmax(dim)
    if not hard:
        return soft
    largest = soft.data == soft.data.max(axis=dim, keepdims=True)
    drawn: Tensor = soft + (largest - soft.data)
    return drawn


def glu(input: Any, dim: int = -1) -> Tensor:
    """Gate the first half of x along `dim` by the sigmoid of the second: a * sigmoid(b)."""
    gated: Tensor = tensor(input).glu(dim)
    return gated


def _softmax2d(input: Any) -> Tensor:
    x = tensor(input)
    if x.ndim not in (3, 4):
        raise ValueError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got shape {x.shape}")
    return x.softmax(-3)


class Softmax(FunctionModule, function=softmax, shows="dim"):
    """exp(x) / sum(exp(x)) along `dim`.

    >>> Softmax(dim=-1)([[0.0, 0.0, 1.0]]).data.round(3)
    array([[0.212, 0.212, 0.576]])
    """


class Softmin(FunctionModule, function=softmin, shows="dim"):
    """The softmax of -x along `dim`."""


class LogSoftmax(FunctionModule, function=log_softmax, shows="dim"):
    """The logarithm of softmax along `dim`.

    >>> LogSoftmax(dim=-1)([[0.0, 0.0]]).data.round(3)
    array([[-0.693, -0.693]])
    """


class Softmax2d(FunctionModule, function=_softmax2d):
    """The softmax over the channels of each pixel, of (N, C, H, W) or (C, H, W)."""


class GLU(FunctionModule, function=glu, shows="dim"):
    """The first half of x along `dim`, gated by the sigmoid of the second."""
