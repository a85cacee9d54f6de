"""How weights begin: functions that fill a tensor in place, and give it.

They write into `.data`, whatever gradient the tensor has, and what draws takes `rng`, a generator
or a seed. A weight is (out, in, ...), and `fan_in` and `fan_out` are how many numbers one output
is made of, and how many one input goes to.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.nn.inputs import values
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


def _filled(tensor: Tensor, array: Any) -> Tensor:
    values(tensor)[...] = own(array, values(tensor))
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, rng: RNG = None) -> Tensor:
    """Fill with numbers that are uniform between a and b."""
    return _filled(tensor, generator(rng).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, rng: RNG = None) -> Tensor:
    """Fill with normal numbers of this mean and standard deviation."""
    return _filled(tensor, generator(rng).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    rng: RNG = None,
) -> Tensor:
    """Fill with normal numbers, of which those outside a to b are drawn again."""
    rng = generator(rng)
    if not math.erf((b - mean) / std / math.sqrt(2)) > math.erf((a - mean) / std / math.sqrt(2)):
        raise ValueError(f"trunc_normal_: nothing lies between {a} and {b}")
    array = rng.normal(mean, std, tensor.shape)
    while (outside := (array < a) | (array > b)).any():
        array[outside] = rng.normal(mean, std, np.count_nonzero(outside))
    return _filled(tensor, array)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    return _filled(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return _filled(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return _filled(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with 1 on its diagonal, else 0."""
    _refuse_other(tensor, "eye_", 2)
    return _filled(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it gives its input, in each of `groups`."""
    _refuse_other(tensor, "dirac_", 3, 4, 5)
    out, n_channels, *sizes = tensor.shape
    if out % groups:
        raise ValueError(f"dirac_: {out} channels make no {groups} groups")
    array = np.zeros(tensor.shape)
    middle = tuple(size // 2 for size in sizes)
    for i in range(out):
        if (channel := i % (out // groups)) < n_channels:
            array[(i, channel, *middle)] = 1
    return _filled(tensor, array)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, rng: RNG = None) -> Tensor:
    """Fill uniformly, with variance gain**2 * 2 / (fan_in + fan_out).

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, rng: RNG = None) -> Tensor:
    """Fill normally, with variance gain**2 * 2 / (fan_in + fan_out); see xavier_uniform_."""
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(fans(tensor))), rng=rng)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: RNG = None,
) -> Tensor:
    """Fill uniformly, with variance gain**2 / fan_in, or fan_out; `a` is leaky_relu's slope.

    K. He et al., "Delving deep into rectifiers", 2015.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: RNG = None,
) -> Tensor:
    """Fill normally, with variance gain**2 / fan_in, or fan_out; see kaiming_uniform_."""
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'kaiming: mode is "fan_in" or "fan_out", got {mode!r}')
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def orthogonal_(tensor: Tensor, gain: float = 1, *, rng: RNG = None) -> Tensor:
    """Fill so that the rows, or the columns if those are fewer, are orthonormal, times `gain`.

    The axes behind the first count as one (A. M. Saxe et al., "Exact solutions to the nonlinear
    dynamics of learning in deep linear neural networks", 2013).
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected two axes or more, got {describe(tensor)}")
    n_rows = tensor.shape[0]
    n_columns = tensor.size // max(n_rows, 1)
    array = generator(rng).normal(size=(max(n_rows, n_columns), min(n_rows, n_columns)))
    q, r = np.linalg.qr(array)
    q = q * np.sign(np.diagonal(r))  # uniform among all
    q = q if n_rows >= n_columns else q.T
    return _filled(tensor, gain * q.reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, *, rng: RNG = None) -> Tensor:
    """Fill a matrix normally, and of each column the fraction `sparsity` with 0.

    J. Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    _refuse_other(tensor, "sparse_", 2)
    rng = generator(rng)
    n_rows, n_columns = tensor.shape
    array = rng.normal(0, std, tensor.shape)
    for j in range(n_columns):
        array[rng.permutation(n_rows)[: math.ceil(sparsity * n_rows)], j] = 0
    return _filled(tensor, array)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Give the factor that keeps the spread of signals through an activation.

    `param` is leaky_relu's slope, 0.01 if not given. Raises ValueError for an unknown activation.
    """
    linear = ["linear", "sigmoid"]
    linear += [f"conv{transposed}{n}d" for transposed in ("", "_transpose") for n in (1, 2, 3)]
    gains = {
        **dict.fromkeys(linear, 1.0),
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: one of {', '.join(gains)}, got {nonlinearity!r}")
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Give fan_in and fan_out. Raises ValueError for fewer axes than two."""
    if tensor.ndim < 2:
        raise ValueError(
            f"fan_in and fan_out: expected a weight of shape (out, in, ...), got {describe(tensor)}"
        )
    n_out, n_in, *sizes = tensor.shape
    field = math.prod(sizes)
    return n_in * field, n_out * field


def _refuse_other(tensor: Tensor, name: str, *ndims: int) -> None:
    if tensor.ndim not in ndims:
        axes = " or ".join(map(str, ndims))
        raise ValueError(f"{name}: expected {axes} axes, got {describe(tensor)}")
