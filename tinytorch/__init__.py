"""TinyTorch: gradients of NumPy programs, in a library that is short enough to read."""

from tinytorch import autograd, data, nn, optim
from tinytorch.checking import check_grads
from tinytorch.compiler import compile  # noqa: A004
from tinytorch.custom import checkpoint, custom_vjp
from tinytorch.engine import sum_to_shape
from tinytorch.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinytorch.memory import keep_freed_memory
from tinytorch.nn import summary
from tinytorch.operations.operation import Operation
from tinytorch.operations.own import operation, with_rules
from tinytorch.random import Generator, manual_seed
from tinytorch.serialization import load, save
from tinytorch.tensor import Tensor
from tinytorch.transforms import (
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
    "Generator",
    "Operation",
    "Tensor",
    "autograd",
    "check_grads",
    "checkpoint",
    "compile",
    "custom_vjp",
    "data",
    "elementwise_grad",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "keep_freed_memory",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "operation",
    "optim",
    "save",
    "set_grad_enabled",
    "sum_to_shape",
    "summary",
    "value_and_grad",
    "vjp",
    "with_rules",
]
