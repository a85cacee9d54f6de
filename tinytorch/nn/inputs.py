"""What modules and functions take that is no tensor: constants."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np

from tinytorch.arrays.plain import base
from tinytorch.operations.operands import constant, describe
from tinytorch.tensor import Tensor


def tensor(x: Any) -> Tensor:
    """Make a constant of what is no tensor."""
    return x if isinstance(x, Tensor) else Tensor(x, requires_grad=False)


def input_like(weight: Tensor, x: Any, name: str = "an input") -> Any:
    """Make an input that is no tensor a constant of the weights' dtype; messages name it so."""
    if not isinstance(x, Tensor) and (not hasattr(x, "dtype") or x.dtype != weight.dtype):
        x = constant(x, weight.dtype, name)
        if hasattr(x, "astype"):  # not a number
            x = x.astype(weight.dtype, copy=False)
    return x


def values(x: Any) -> Any:
    """Give the array of what carries no gradient: labels, masks, weights of classes."""
    x = x._value if isinstance(x, Tensor) else base(x)
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def check_sizes(module: object, smallest: int = 0, **sizes: Any) -> None:
    """Raise TypeError for a size that is no whole number, ValueError for one that is smaller."""
    for name, size in sizes.items():
        is_number = isinstance(size, SupportsIndex) and not isinstance(size, bool)
        if not is_number or operator.index(size) < smallest:
            raise (ValueError if is_number else TypeError)(
                f"{type(module).__name__}: {name} is a whole number, at least {smallest}, got "
                f"{describe(size)}"
            )
