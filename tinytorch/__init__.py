"""TinyTorch: gradients of NumPy programs, in a library that is short enough to read."""

from typing import TYPE_CHECKING

from tinytorch import autograd, data, diagnostics, distributions, fft, linalg, nn, optim
from tinytorch.checking import check_grads
from tinytorch.compiler import compile  # noqa: A004
from tinytorch.custom import checkpoint, custom_vjp
from tinytorch.devices import backends, cuda, device
from tinytorch.engine import sum_to_shape
from tinytorch.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinytorch.memory import keep_freed_memory
from tinytorch.nn import summary
from tinytorch.operations.operation import Operation
from tinytorch.operations.own import operation, with_rules
from tinytorch.pytorch import dtypes, factories, functions, sampling
from tinytorch.pytorch.dtypes import *  # noqa: F403
from tinytorch.pytorch.factories import *  # noqa: F403
from tinytorch.pytorch.functions import *  # noqa: F403
from tinytorch.pytorch.sampling import *  # noqa: F403
from tinytorch.random import Generator, manual_seed
from tinytorch.serialization import load, save
from tinytorch.tensor import Tensor
from tinytorch.transforms import (
    elementwise_grad,
    grad,
    hessian,
    hessian_diagonal,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    laplacian,
    linearize,
    value_and_grad,
    vjp,
    vmap,
)

__version__ = "0.1.0"  # the one place: the build reads it here

__all__ = [
    "Generator",
    "Operation",
    "Tensor",
    "autograd",
    "backends",
    "check_grads",
    "checkpoint",
    "compile",
    "cuda",
    "custom_vjp",
    "data",
    "device",
    "diagnostics",
    "distributions",
    "elementwise_grad",
    "enable_grad",
    "fft",
    "grad",
    "hessian",
    "hessian_diagonal",
    "hvp",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "keep_freed_memory",
    "laplacian",
    "linalg",
    "linearize",
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
    "vmap",
    "with_rules",
]
__all__ += dtypes.__all__
__all__ += factories.__all__
__all__ += functions.__all__
__all__ += sampling.__all__

if not TYPE_CHECKING:  # else every name would be taken for one of these

    def __getattr__(name: str) -> None:
        from tinytorch.pytorch.foreign import explanation

        raise AttributeError(explanation(name))
