"""`(x * y + x.exp()).tanh().sum()` and backward on large arrays: memory and the loops over it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is


def problem(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw x and y, float32."""
    rng = np.random.default_rng(0)
    return rng.normal(size=size).astype("float32"), rng.normal(size=size).astype("float32")


def in_tinytorch(size: int, compile: Decorator = as_it_is) -> Contestant:
    """Methods and operators."""
    from tinytorch import Tensor

    x, y = map(Tensor, problem(size))

    @compile
    def step() -> Tensor:
        x.grad = y.grad = None
        loss = (x * y + x.exp()).tanh().sum()
        loss.backward()
        return loss

    return Contestant(step, lambda: [step().data, x.grad, y.grad])


def in_pytorch(size: int, compile: Decorator = as_it_is) -> Contestant:
    """The same words."""
    import torch

    x, y = (torch.tensor(array, requires_grad=True) for array in problem(size))

    @compile
    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x * y + x.exp()).tanh().sum()

    def step() -> torch.Tensor:
        x.grad = y.grad = None
        loss: torch.Tensor = loss_of(x, y)
        loss.backward()
        return loss.detach()

    return Contestant(step, lambda: [step(), x.grad, y.grad])


def in_jax(size: int) -> Contestant:
    """One compiled call."""
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, problem(size))
    loss_and_grads = jax.value_and_grad(lambda x, y: jnp.tanh(x * y + jnp.exp(x)).sum(), (0, 1))
    differentiate = jax.jit(loss_and_grads)

    def step() -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        return jax.block_until_ready(differentiate(x, y))

    def evaluate() -> list[jax.Array]:
        loss, grads = step()
        return [loss, *grads]

    return Contestant(step, evaluate)


def in_autograd(size: int) -> Contestant:
    """The same words, as functions."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    np.seterr(over="ignore")  # its derivative of tanh overflows, to the right limit
    x, y = problem(size)
    differentiate = value_and_grad(lambda x, y: anp.sum(anp.tanh(x * y + anp.exp(x))), (0, 1))

    def evaluate() -> list[Any]:
        loss, grads = differentiate(x, y)
        return [loss, *grads]

    return Contestant(lambda: differentiate(x, y), evaluate)


def by_hand(size: int) -> Contestant:
    """Four buffers, no temporary."""
    x, y = problem(size)
    power, t, x_grad, y_grad = (np.empty_like(x) for _ in range(4))

    def step() -> np.floating:
        np.exp(x, out=power)
        np.multiply(x, y, out=t)
        np.add(t, power, out=t)
        np.tanh(t, out=t)
        loss = np.add.reduce(t)
        np.multiply(t, t, out=t)
        np.subtract(1, t, out=t)
        np.add(y, power, out=x_grad)
        np.multiply(x_grad, t, out=x_grad)
        np.multiply(x, t, out=y_grad)
        return loss

    return Contestant(step, lambda: [step(), x_grad, y_grad])
