"""PyTorch's sums with products: addmv, addbmm, addcmul and the like, in tensors' words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


def scaled_sum(x: Any, product: Any, beta: float, alpha: float) -> Tensor:
    """Give beta * x + alpha * product; of x nothing, not even a nan, where beta is 0."""
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:
        out: Tensor = scaled + np.zeros(x.shape, x.dtype)
        return out
    total: Tensor = (x if beta == 1 else x * beta) + scaled
    return total


class SumsOfProducts:
    """A tensor plus a product: `beta` and `alpha` scale the two."""

    __slots__ = ()

    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (mat @ vec)."""
        return scaled_sum(self, mat @ vec, beta, alpha)

    def addr(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * outer(vec1, vec2)."""
        return scaled_sum(self, np.outer(vec1, vec2), beta, alpha)

    def addbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (the sum of the products of the matrices)."""
        return scaled_sum(self, (batch1 @ batch2).sum(axis=0), beta, alpha)

    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (batch1 @ batch2)."""
        return scaled_sum(self, batch1 @ batch2, beta, alpha)

    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Give x + value * tensor1 * tensor2."""
        return scaled_sum(self, tensor1 * tensor2, 1, value)

    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Give x + value * tensor1 / tensor2."""
        return scaled_sum(self, tensor1 / tensor2, 1, value)
