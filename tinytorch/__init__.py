"""TinyTorch: gradients of NumPy programs, in a library that is short enough to read."""

from tinytorch import autograd, nn
from tinytorch.compiler import compile
from tinytorch.engine import no_grad, set_grad_enabled, sum_to_shape
from tinytorch.memory import keep_freed_memory
from tinytorch.operations.rows import Operation
from tinytorch.tensor import Tensor
from tinytorch.transforms import (
    check_grads,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

__all__ = [
    "Operation",
    "Tensor",
    "autograd",
    "check_grads",
    "compile",
    "elementwise_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "keep_freed_memory",
    "nn",
    "no_grad",
    "set_grad_enabled",
    "sum_to_shape",
    "value_and_grad",
    "vjp",
]
