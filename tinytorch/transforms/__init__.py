"""Transforms: from a function to its derivative, which is a function again.

    grad(f)(x)        the gradient of f at x
    jacobian(f)(x)    all first derivatives, and hessian(f)(x) all second ones
    vjp(f, x)         f(x), and the function v -> v @ J; jvp(f, [x], [v]) gives f(x) and J @ v
    vmap(f)(xs)       f of each of xs, all at once
    hvp(f, [x], [v])  the Hessian times v

The names and signatures are JAX's, where it has them. Arguments are floats, floating arrays or
tensors, or lists, tuples and dicts of them, nested at will; f sees tensors in their place and gives
tensors. The results are plain NumPy arrays and numbers, zeros where f doesn't depend on x.

Transforms nest: inside a function that is being differentiated the results are tensors, which pass
gradients on. No two levels get confused, since each gives f new tensors for its own arguments, and
a gradient goes to a tensor, not to a value. `no_grad` around a transform does not stop it; inside f
it makes what is computed there, transforms included, a constant.

Outside of another transform the results are values: to a tensor that f closes over, such as a
module's weight, no gradient flows from what is computed from them. `autograd.grad` with
`create_graph=True` gives gradients that pass it on.
A tensor that f keeps for its next call is a constant there.
"""

from tinytorch.transforms.calling import Function, call_on_tensors, title_of
from tinytorch.transforms.gradients import elementwise_grad, grad, value_and_grad
from tinytorch.transforms.jacobians import (
    hessian,
    hessian_diagonal,
    jacfwd,
    jacobian,
    jacrev,
    laplacian,
)
from tinytorch.transforms.products import hvp, jvp, linearize, vjp
from tinytorch.transforms.vmap import vmap

__all__ = [
    "Function",
    "call_on_tensors",
    "elementwise_grad",
    "grad",
    "hessian",
    "hessian_diagonal",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "laplacian",
    "linearize",
    "title_of",
    "value_and_grad",
    "vjp",
    "vmap",
]
