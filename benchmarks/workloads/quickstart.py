"""`x * y + x.exp()` on vectors of three, and its gradients: what a library costs before it counts.

Gradients add up in the eager libraries; each is told to start afresh in its own way.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

X = np.array([0.5, -1.0, 2.0])
Y = np.array([1.5, 0.25, -0.75])


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """Methods and operators."""
    from tinytorch import Tensor

    x, y = Tensor(X), Tensor(Y)

    @compile
    def step() -> Tensor:
        x.grad = y.grad = None
        z = x * y + x.exp()
        z.backward()
        return z

    return Contestant(step, lambda: [step().data, x.grad, y.grad])


def in_pytorch(compile: Decorator = as_it_is) -> Contestant:
    """As in TinyTorch, with the ones that PyTorch wants for a loss of several entries."""
    import torch

    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y, requires_grad=True)
    ones = torch.ones(3, dtype=x.dtype)

    @compile
    def expression(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * y + x.exp()

    def step() -> torch.Tensor:
        x.grad = y.grad = None
        z: torch.Tensor = expression(x, y)
        z.backward(ones)
        return z.detach()

    return Contestant(step, lambda: [step(), x.grad, y.grad])


def in_jax() -> Contestant:
    """One compiled call for the value and both gradients."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(X), jnp.asarray(Y)

    @jax.jit
    def differentiate(x: jax.Array, y: jax.Array) -> list[jax.Array]:
        z, pull_back = jax.vjp(lambda x, y: x * y + jnp.exp(x), x, y)
        return [z, *pull_back(jnp.ones_like(z))]

    def step() -> list[jax.Array]:
        return jax.block_until_ready(differentiate(x, y))

    return Contestant(step, step)


def in_autograd() -> Contestant:
    """`make_vjp`, autograd's way from one evaluation to the gradients of all arguments."""
    import autograd.numpy as anp
    from autograd import make_vjp

    differentiate = make_vjp(lambda xy: xy[0] * xy[1] + anp.exp(xy[0]))
    ones = np.ones(3)

    def step() -> list[np.ndarray]:
        pull_back, z = differentiate((X, Y))
        return [z, *pull_back(ones)]

    return Contestant(step, step)


def in_micrograd() -> Contestant:
    """Three times over, since it knows scalars only; `exp` it leaves to its user."""
    from micrograd.engine import Value

    def exp(x: Value) -> Value:
        out = Value(math.exp(x.data), (x,), "exp")

        def backward() -> None:
            x.grad += out.data * out.grad

        out._backward = backward  # noqa: SLF001  (how micrograd is extended)
        return out

    xs, ys = [Value(x) for x in X.tolist()], [Value(y) for y in Y.tolist()]

    def step() -> list[Value]:
        zs = []
        for x, y in zip(xs, ys, strict=True):
            x.grad = y.grad = 0
            z = x * y + exp(x)
            z.backward()
            zs.append(z)
        return zs

    return Contestant(
        step, lambda: [[z.data for z in step()], [x.grad for x in xs], [y.grad for y in ys]]
    )


def by_hand() -> Contestant:
    """Three calls forward, one back: the gradient for `y` is `x`."""
    z, power, x_grad = np.empty(3), np.empty(3), np.empty(3)

    def step() -> None:
        np.exp(X, out=power)
        np.multiply(X, Y, out=z)
        np.add(z, power, out=z)
        np.add(Y, power, out=x_grad)

    def evaluate() -> list[np.ndarray]:
        step()
        return [z, x_grad, X]

    return Contestant(step, evaluate)
