"""Flatten and its opposite: axes joined into one, and one parted into several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinytorch.nn.inputs import tensor
from tinytorch.nn.module import Module
from tinytorch.tensor import Tensor


class Flatten(Module):
    """Join the axes from `start_dim` to `end_dim` into one; by default all but the first.

    An input that is no tensor is a constant.

    >>> import numpy as np
    >>> Flatten()(np.ones((5, 3, 4, 4))).shape
    (5, 48)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Tensor:
        """Join the axes."""
        return tensor(input).flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Show which axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Part the axis `dim` into several of these sizes; one may be -1.

    >>> import numpy as np
    >>> Unflatten(1, (3, 16))(np.ones((5, 48))).shape
    (5, 3, 16)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Tensor:
        """Part the axis."""
        parted: Tensor = tensor(input).unflatten(self.dim, self.unflattened_size)
        return parted

    def extra_repr(self) -> str:
        """Show which axis, and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
