"""Activation functions of neural networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tinytorch.arrays.words import dot_along, half_as_single, in_blocks, keep, of_reals, sum_along
from tinytorch.engine import Node
from tinytorch.operations.elementwise import Elementwise
from tinytorch.operations.joining import split
from tinytorch.operations.notation import parametric, unary
from tinytorch.operations.operation import Operation
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import largest

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

# S. Klambauer et al., "Self-normalizing neural networks", 2017: mean 0 and variance 1 are kept.
_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _sigmoid(x: Any) -> Any:
    if x.dtype.kind == "c":
        power = np.exp(np.where(x.real > 0, -x, x))
        return np.where(x.real > 0, 1, power) / (1 + power)
    power = np.exp(-np.abs(x))  # at most 1: it doesn't overflow
    return np.maximum(power, x >= 0) / (1 + power)


def _softplus(x: Any, beta: float = 1.0) -> Any:
    x = beta * x
    return (np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))) / beta


def _softmax(x: Any, axis: int = -1) -> Any:
    if not _is_moderate(x):  # to find the largest takes longer than all the rest
        x = x - largest(x, axis)
    powers = np.exp(x)
    powers /= sum_along(powers, axis)
    return powers


def _is_moderate(x: Any) -> bool:
    """Say whether it is known that neither exp nor sums of it overflow, or vanish."""
    known = type(x) is np.ndarray and x.dtype.char in "fd" and x.size > 0
    return bool(known and x.max() < 40 and x.min() > -40)


def _softmax_rule(grad: Any, out: Any, x: Any, axis: int = -1) -> Any:  # noqa: ARG001
    share = grad - dot_along(grad, out, axis)
    share *= out
    return share


def _log_softmax(x: Any, axis: int = -1) -> Any:
    shifted = x - largest(x, axis)
    # The largest gives exp(0), so that only a sum of nothing is below 1.
    shifted -= np.log(np.maximum(sum_along(np.exp(shifted), axis), 1))
    return shifted


def _log_softmax_rule(grad: Any, out: Any, x: Any, axis: int = -1) -> Any:  # noqa: ARG001
    share = np.exp(out)
    share *= -sum_along(grad, axis)
    share += grad
    return share


_ROOT_HALF, _ROOT_TWO_PI = math.sqrt(0.5), math.sqrt(2 * math.pi)
# Of a polynomial in t = (z - 3.75) / (z + 3.75), which from t = -1 to 1 is within 3e-15 of
# (1 + 2z) exp(z**2) erfc(z). The form is that of M. Shepherd and J. Laframboise, "Chebyshev
# approximation of (1 + 2x) exp(x**2) erfc(x) in 0 <= x < inf", 1981.
_ERFC = (
    1.2375126308378264, -0.14024059858550575, 0.0035854154857627857, 0.08227673848704045,
    -0.10880393015433062, 0.09230432122771155, -0.05869339838397541, 0.02836227674782648,
    -0.009746581262494456, 0.0017556295487634313, 0.0002937218341919264, -0.00029016639136143893,
    5.162479200942778e-05, 2.241015775977701e-05, -1.1397625287921655e-05,
    -1.0084713725546233e-06, 1.6939254478276176e-06, -2.7685663849700945e-08,
    -2.1321360409864602e-07, 8.512559451761331e-09, 1.7312209083118933e-08,
)  # fmt: skip
# The same to the digits of float32.
_ERFC_SINGLE = (
    1.2375126184625727, -0.14024060801000512, 0.0035863101016557347, 0.08227741756033913,
    -0.10881458496144075, 0.09229636796137264, -0.058645982868684894, 0.02839648212025025,
    -0.009845491093711209, 0.0016886622315439575, 0.0003967046377333361, -0.00022874723375328662,
)  # fmt: skip
_GELU, _GELU_CUBIC = math.sqrt(2 / math.pi), math.sqrt(2 / math.pi) * 0.044715

# These write into what they have made: new memory takes longer than a product.


def _tail(x: Any) -> Any:
    """Give erfc(|x| / sqrt(2)) / 2: how probably a standard normal variable is above |x|."""
    z = np.minimum(np.abs(x), 40) * _ROOT_HALF
    t = (z - 3.75) / (z + 3.75)
    coefficients = _ERFC_SINGLE if x.dtype.char == "f" else _ERFC
    series = t * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        series += coefficient
        series *= t
    series += coefficients[0]
    series *= np.exp(z * -z)
    series /= 4 * z + 2
    return series


def _probability(x: Any) -> Any:
    tail = _tail(x)
    return np.where(x > 0, 1 - tail, tail)


def _gelu(x: Any) -> Any:
    share = _tail(x)
    share *= np.abs(np.minimum(x, 40))
    return np.maximum(x, 0) - share


def _gelu_rule(grad: Any, out: Any, x: Any) -> Any:
    if isinstance(x, Node):
        slope = Operation.NORMAL_PROBABILITY(x)
    else:  # out is x times that, and keeps few digits where it is very small
        small = np.abs(x) < np.finfo(x.dtype).eps
        slope = np.where(small, 0.5, out / np.where(small, 1, x))
    slope += x * np.exp(x * x * -0.5) / _ROOT_TWO_PI
    slope *= grad
    return slope


def _gelu_tanh(x: Any) -> Any:
    inner = x * x
    inner *= _GELU_CUBIC
    inner += _GELU
    inner *= x
    out = np.tanh(inner)
    out += 1
    out *= x
    out *= 0.5
    return out


def _gelu_tanh_rule(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
    square = x * x
    inner = square * _GELU_CUBIC
    inner += _GELU
    inner *= x
    t = np.tanh(inner)
    square *= 3 * _GELU_CUBIC
    square += _GELU
    square *= x
    square *= 1 - t * t
    square += t
    square += 1
    square *= 0.5
    square *= grad
    return square


class Activations(Elementwise):
    """What a neuron does with its weighted sum."""

    __slots__ = ()

    relu = unary(
        lambda x: np.maximum(x, 0), lambda grad, out, x: keep(out != 0, grad), "max(x, 0)", "relu"
    )
    sigmoid = unary(
        _sigmoid, lambda grad, out, x: grad * out * (1 - out), "1 / (1 + exp(-x))", "sigmoid"
    )
    leaky_relu = parametric(
        lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        lambda grad, out, x, negative_slope=0.01: np.where(x > 0, grad, negative_slope * grad),
        "x where it is positive, else negative_slope * x",
        "leaky_relu",
    )
    celu = parametric(
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
        # At 0 out is 0, and left out for a slope that has the slope 0 there, as in PyTorch.
        lambda grad, out, x, alpha=1.0: np.where(
            x <= 0, grad * (keep(x < 0, out) / alpha + 1), grad
        ),
        "x where it is positive, else alpha * (exp(x / alpha) - 1)",
        "celu",
    )
    elu = parametric(
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda grad, out, x, alpha=1.0: np.where(x <= 0, grad * (keep(x < 0, out) + alpha), grad),
        "x where it is positive, else alpha * (exp(x) - 1)",
        "elu",
    )
    softplus = parametric(
        of_reals(in_blocks(_softplus)),
        # The slope is sigmoid(beta * x) = 1 - exp(-beta * out).
        in_blocks(lambda grad, out, x, beta=1.0: -grad * np.expm1(-beta * out)),
        "log(1 + exp(beta * x)) / beta, a smooth relu; without overflow",
        "softplus",
    )
    softsign = unary(
        of_reals(lambda x: x / (1 + np.abs(x))),
        lambda grad, out, x: grad / (1 + np.abs(x)) / (1 + np.abs(x)),
        "x / (1 + |x|)",
        "softsign",
    )
    hardtanh = parametric(
        lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
        lambda grad, out, x, min_val=-1.0, max_val=1.0: keep(
            np.logical_not((x <= min_val) | (x >= max_val)), grad
        ),
        "x limited to min_val <= x <= max_val; the slope at either is 0",
        "hardtanh",
    )
    hardswish = unary(
        lambda x: x * (np.clip(x + 3, 0, 6) / 6),
        lambda grad, out, x: np.where(
            x <= -3, 0 * grad, np.where(x < 3, grad * (x / 3 + 0.5), grad)
        ),
        "x * relu6(x + 3) / 6",
        "hardswish",
    )
    softmax = parametric(
        half_as_single(_softmax),
        half_as_single(_softmax_rule),
        "exp(x) / sum(exp(x)) along `axis`",
        "softmax",
    )
    log_softmax = parametric(
        of_reals(half_as_single(_log_softmax)),
        half_as_single(_log_softmax_rule),
        "The logarithm of softmax along `axis`",
        "log_softmax",
    )

    def relu6(self) -> Tensor:
        """Limit x to 0 <= x <= 6."""
        return self.hardtanh(0.0, 6.0)

    def selu(self) -> Tensor:
        """Scale elu so that a deep network's activations keep mean 0 and variance 1."""
        return self.elu(_SELU_ALPHA) * _SELU_SCALE

    def logsigmoid(self) -> Tensor:
        """The logarithm of sigmoid, without overflow."""
        return -(-self).softplus()

    log_sigmoid = logsigmoid

    def silu(self) -> Tensor:
        """x * sigmoid(x)."""
        return self * self.sigmoid()

    def mish(self) -> Tensor:
        """x * tanh(softplus(x))."""
        return self * self.softplus().tanh()

    _probability = unary(
        of_reals(half_as_single(_probability)),
        lambda grad, out, x: grad * np.exp(x * x * -0.5) / _ROOT_TWO_PI,
        "The probability that a standard normal variable is below x",
        "normal_probability",
    )
    _gelu = unary(
        of_reals(in_blocks(half_as_single(_gelu))),
        in_blocks(_gelu_rule),
        "x times the normal distribution's probability",
        "gelu",
    )
    _gelu_tanh = unary(
        of_reals(in_blocks(half_as_single(_gelu_tanh))),
        in_blocks(half_as_single(_gelu_tanh_rule)),
        "gelu, nearly, by tanh",
        "gelu_tanh",
    )

    def gelu(self, approximate: Literal["none", "tanh"] = "none") -> Tensor:
        """x times the probability that a standard normal variable is below x.

        With `approximate="tanh"` nearly so (D. Hendrycks and K. Gimpel, "Gaussian error linear
        units", 2016). Raises ValueError for another form.
        """
        if approximate == "none":
            return self._gelu()
        if approximate == "tanh":
            return self._gelu_tanh()
        raise ValueError(f'gelu: approximate is "none" or "tanh", got {approximate!r}')

    @torch_spelling
    def softmin(self, axis: int = -1) -> Tensor:
        """Compute the softmax of -x along `axis`."""
        return (-self).softmax(axis)

    @torch_spelling
    def glu(self, axis: int = -1) -> Tensor:
        """Gate the first half of x along `axis` by the sigmoid of the second: a * sigmoid(b)."""
        values, gate = split(self, 2, axis)
        return values * gate.sigmoid()
