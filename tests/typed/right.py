"""What a user writes: type checkers accept it, know its types, and it runs."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import tinytorch
from tinytorch import Tensor, elementwise_grad, grad, hessian, nn, no_grad, value_and_grad
from tinytorch.arrays.plain import PlainArray
from tinytorch.grad_mode import GradMode
from tinytorch.operations.indexing import ValuesIndices

x = Tensor([[1.0, 2.0], [3.0, 4.0]], label="x")
a: npt.NDArray[np.float64] = np.array([1.0, 2.0])

# Methods, in NumPy's spelling and in PyTorch's.
assert_type(x.exp(), Tensor)
assert_type(x.sum(), Tensor)
assert_type(x.sum(0, keepdims=True), Tensor)
assert_type(x.sum(dim=(0, 1), keepdim=True), Tensor)
assert_type(x.std(dim=0), Tensor)
assert_type(x.softmax(axis=1), Tensor)
assert_type(x.softmax(dim=1), Tensor)
assert_type(x.max(1), Tensor)
assert_type(x.max(x), Tensor)
assert_type(x.max(dim=1), ValuesIndices)
assert_type(x.sort(), Tensor)
values, indices = x.sort(dim=1, descending=True)
assert_type(values, Tensor)
assert_type(indices, PlainArray)
assert_type(x.median(axis=0), Tensor)
assert_type(x.reshape(4).flip(dims=(0,)), Tensor)
assert_type(x.transpose(0, 1), Tensor)
assert_type(x.split(1), list[Tensor])
assert_type(x.shape, tuple[int, ...])
assert_type(x.T @ x, Tensor)
assert_type(x[0, :1], Tensor)
assert_type(x.qr().Q, Tensor)

# Operators.
assert_type(x + 1, Tensor)
assert_type(2 / x, Tensor)
assert_type(-(x**2), Tensor)
assert_type(abs(x), Tensor)
assert_type(x == x, PlainArray)  # noqa: PLR0124
assert_type(x < 2, PlainArray)
assert_type([row.item() for row in x.sum(1)], list[float])

# NumPy's own stubs promise an array for np.sin(x), np.sum(x) and a * x, whatever x is.
assert_type(x.sin(), Tensor)
assert_type(x * a, Tensor)
assert_type(x.sum(axis=0), Tensor)

# Gradients.
loss = ((x - 1) ** 2).mean()
loss.backward()
assert_type(x.grad, npt.NDArray[Any])
(slope,) = tinytorch.autograd.grad((x * x).sum(), x)
assert_type(slope, Tensor)


def f(v: Tensor, scale: float = 1.0) -> Tensor:
    return (scale * v**2).sum()


assert_type(grad(f)(2.0), float)
assert_type(grad(f)(a, scale=3.0), npt.NDArray[np.float64])
assert_type(elementwise_grad(f)(a), npt.NDArray[np.float64])
assert_type(hessian(f)(2.0), float)
value, gradient = value_and_grad(f)(a)
assert_type(gradient, npt.NDArray[np.float64])
assert_type(grad(f, argnums=(0, 1))(a, 2.0), Any)

# Modes.
assert_type(no_grad(), GradMode)
with no_grad():
    x.data -= 0.1 * x.grad


@no_grad()
def evaluate(v: Tensor) -> float:
    return v.sum().item()


assert_type(evaluate(x), float)


# Modules: a call has the types of forward.
class Model(nn.Module):
    def __init__(self) -> None:
        self.net = nn.MLP(2, [(3, nn.Activation.RELU), (1, nn.Activation.SIGMOID)], rng=0)

    def forward(self, v: Tensor, *, twice: bool = False) -> tuple[Tensor, int]:
        return self.net(v) * (1 + twice), 1


model = Model()
assert_type(model(x, twice=True), tuple[Tensor, int])
assert_type(model.net(x), Tensor)
for parameter in model.parameters:
    assert_type(parameter, Tensor)
