"""TinyTorch: gradients of NumPy programs, in a library that is short enough to read."""

from tinytorch import nn
from tinytorch.engine import no_grad, set_grad_enabled, sum_to_shape
from tinytorch.operations.rows import Operation
from tinytorch.tensor import Tensor

__all__ = ["Operation", "Tensor", "nn", "no_grad", "set_grad_enabled", "sum_to_shape"]
