"""`h = h * 0.999 + 0.001` over and over on a vector of three, sum, backward: the cost of a node.

Each line is two operations.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

START = np.array([0.5, -1.0, 2.0])


def chain(h: Any, operations: int) -> Any:
    """Give `h` after so many operations."""
    for _ in range(operations // 2):
        h = h * 0.999 + 0.001
    return h


def in_tinytorch(operations: int, compile: Decorator = as_it_is) -> Contestant:
    """A loop."""
    from tinytorch import Tensor

    x = Tensor(START)

    @compile
    def step() -> Tensor:
        x.grad = None
        loss = chain(x, operations).sum()
        loss.backward()
        return loss

    return Contestant(step, lambda: [step().data, x.grad])


def in_pytorch(operations: int) -> Contestant:
    """The same loop."""
    import torch

    x = torch.tensor(START, requires_grad=True)

    def step() -> torch.Tensor:
        x.grad = None
        loss = chain(x, operations).sum()
        loss.backward()
        return loss.detach()

    return Contestant(step, lambda: [step(), x.grad])


def in_jax(operations: int) -> Contestant:
    """A loop of JAX's own: unrolled, the longer chain would compile for minutes."""
    import jax
    import jax.numpy as jnp

    def loss(x: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, operations // 2, lambda _, h: h * 0.999 + 0.001, x).sum()

    differentiate = jax.jit(jax.value_and_grad(loss))
    x = jnp.asarray(START)

    def step() -> Any:
        return jax.block_until_ready(differentiate(x))

    return Contestant(step, lambda: list(step()))


def in_autograd(operations: int) -> Contestant:
    """The same loop, in a function."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    differentiate: Callable[[Any], Any] = value_and_grad(lambda x: anp.sum(chain(x, operations)))
    return Contestant(lambda: differentiate(START), lambda: list(differentiate(START)))


def in_micrograd(operations: int) -> Contestant:
    """Three scalar chains; micrograd orders the graph by recursion, one level for each node."""
    from micrograd.engine import Value

    sys.setrecursionlimit(2 * operations + 1000)
    xs = [Value(x) for x in START.tolist()]

    def step() -> Value:
        for x in xs:
            x.grad = 0
        loss = sum(chain(x, operations) for x in xs)
        loss.backward()
        return loss

    return Contestant(step, lambda: [step().data, [x.grad for x in xs]])


def by_hand(operations: int) -> Contestant:
    """In place; backward, only the factor is left."""
    h, grad = np.empty(3), np.empty(3)
    loss = 0.0

    def step() -> None:
        nonlocal loss
        np.copyto(h, START)
        for _ in range(operations // 2):
            np.multiply(h, 0.999, out=h)
            np.add(h, 0.001, out=h)
        loss = h.sum()
        grad.fill(1)
        for _ in range(operations // 2):
            np.multiply(grad, 0.999, out=grad)

    def evaluate() -> list[Any]:
        step()
        return [loss, grad]

    return Contestant(step, evaluate)
