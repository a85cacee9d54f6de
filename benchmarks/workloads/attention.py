"""`softmax(Q K^T / sqrt(d)) V`, sum of squares, backward: 4 sequences of 128, 8 heads of 32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

SHAPE = (4, 8, 128, 32)
SCALE = 1 / math.sqrt(SHAPE[-1])


def problem() -> list[np.ndarray]:
    """Draw queries, keys and values, float32."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=SHAPE).astype("float32") for _ in range(3)]


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """Methods and operators."""
    from tinytorch import Tensor

    leaves = q, k, v = [Tensor(array) for array in problem()]

    @compile
    def step() -> Tensor:
        for leaf in leaves:
            leaf.grad = None
        weights = (q @ k.swapaxes(-1, -2) * SCALE).softmax(axis=-1)
        loss = ((weights @ v) ** 2).sum()
        loss.backward()
        return loss

    return Contestant(step, lambda: [step().data, *(leaf.grad for leaf in leaves)])


def in_pytorch(compile: Decorator = as_it_is) -> Contestant:
    """The same words."""
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in problem()]

    @compile
    def loss_of(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        weights = (q @ k.swapaxes(-1, -2) * SCALE).softmax(dim=-1)
        return ((weights @ v) ** 2).sum()

    def step() -> torch.Tensor:
        for leaf in leaves:
            leaf.grad = None
        loss: torch.Tensor = loss_of(*leaves)
        loss.backward()
        return loss.detach()

    return Contestant(step, lambda: [step(), *(leaf.grad for leaf in leaves)])


def in_jax() -> Contestant:
    """One compiled call."""
    import jax
    import jax.numpy as jnp

    def loss(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
        weights = jax.nn.softmax(q @ k.swapaxes(-1, -2) * SCALE, axis=-1)
        return ((weights @ v) ** 2).sum()

    arrays = [jnp.asarray(array) for array in problem()]
    differentiate = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))

    def step() -> tuple[jax.Array, tuple[jax.Array, ...]]:
        return jax.block_until_ready(differentiate(*arrays))

    def evaluate() -> list[jax.Array]:
        loss, grads = step()
        return [loss, *grads]

    return Contestant(step, evaluate)


def in_autograd() -> Contestant:
    """With the softmax written out: autograd has none."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def loss(q: Any, k: Any, v: Any) -> Any:
        scores = anp.matmul(q, anp.swapaxes(k, -1, -2)) * SCALE
        powers = anp.exp(scores - anp.max(scores, axis=-1, keepdims=True))
        weights = powers / anp.sum(powers, axis=-1, keepdims=True)
        return anp.sum(anp.matmul(weights, v) ** 2)

    arrays = problem()
    differentiate = value_and_grad(loss, (0, 1, 2))

    def evaluate() -> list[Any]:
        value, grads = differentiate(*arrays)
        return [value, *grads]

    return Contestant(lambda: differentiate(*arrays), evaluate)


def by_hand() -> Contestant:
    """Buffers kept, scores stored keys by queries: NumPy reduces columns faster than rows."""
    q, k, v = problem()
    q_grad, k_grad, v_grad, out = (np.empty_like(q) for _ in range(4))
    q_columns, out_columns = (np.empty_like(q.swapaxes(-1, -2), order="C") for _ in range(2))
    weights, scores_grad = (np.empty((*SHAPE[:3], SHAPE[2]), "float32") for _ in range(2))
    weights_rows, scores_grad_rows = weights.swapaxes(-1, -2), scores_grad.swapaxes(-1, -2)
    row, ones = np.empty((*SHAPE[:2], 1, SHAPE[2]), "float32"), np.ones((1, SHAPE[2]), "float32")
    ones_of_head = np.ones((1, SHAPE[3]), "float32")

    def step() -> np.floating:
        np.multiply(q.swapaxes(-1, -2), SCALE, out=q_columns)
        np.matmul(k, q_columns, out=weights)
        np.maximum.reduce(weights, axis=-2, keepdims=True, out=row)
        np.subtract(weights, row, out=weights)
        np.exp(weights, out=weights)
        np.matmul(ones, weights, out=row)
        np.reciprocal(row, out=row)
        np.multiply(weights, row, out=weights)
        np.matmul(weights_rows, v, out=out)
        flat = out.reshape(-1)
        loss = flat @ flat

        np.multiply(out, 2, out=out)
        np.copyto(out_columns, out.swapaxes(-1, -2))
        np.matmul(weights, out, out=v_grad)
        np.matmul(v, out_columns, out=scores_grad)
        # Softmax: weights * (grad - sum(grad * weights)), where the sum is that of out * out / 2.
        np.multiply(out_columns, out_columns, out=out_columns)
        np.matmul(ones_of_head, out_columns, out=row)
        np.divide(row, 2, out=row)
        np.subtract(scores_grad, row, out=scores_grad)
        np.multiply(scores_grad, weights, out=scores_grad)
        np.matmul(scores_grad_rows, k, out=q_grad)
        np.multiply(q_grad, SCALE, out=q_grad)
        np.matmul(scores_grad, q_columns.swapaxes(-1, -2), out=k_grad)
        return loss

    return Contestant(step, lambda: [step(), q_grad, k_grad, v_grad])
