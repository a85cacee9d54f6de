"""Batch norm, ReLU and a 3x3 convolution of 32 images of 32 channels, 16 x 16; a weighted sum back.

The weights of the sum stand for the gradient that comes from the layers behind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

SHAPE = (32, 32, 16, 16)


def problem() -> list[np.ndarray]:
    """Draw the input, the sum's weights, and the convolution's weight and bias, float32."""
    rng = np.random.default_rng(0)
    shapes = SHAPE, SHAPE, (32, 32, 3, 3), (32,)
    return [(rng.normal(size=shape) / 10).astype("float32") for shape in shapes]


def _block(nn: Any, **options: Any) -> Any:
    return nn.Sequential(
        nn.BatchNorm2d(32, **options), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1, **options)
    )


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """PyTorch's words."""
    from tinytorch import Tensor, nn

    images, weights, weight, bias = problem()
    block = _block(nn, dtype="float32")
    block[2].weight.data, block[2].bias.data = weight, bias
    x = Tensor(images)
    leaves = [x, *block.parameters]

    def differentiate() -> Tensor:
        for leaf in leaves:
            leaf.grad = None
        loss: Tensor = (block(x) * weights).sum()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()

    return Contestant(step, lambda: [differentiate().data, *(leaf.grad for leaf in leaves)])


def in_pytorch(compile: Decorator = as_it_is) -> Contestant:
    """The same words."""
    import torch

    images, weights, weight, bias = map(torch.tensor, problem())
    block = _block(torch.nn)
    with torch.no_grad():
        block[2].weight.copy_(weight)
        block[2].bias.copy_(bias)
    x = images.requires_grad_()
    leaves, run = [x, *block.parameters()], compile(block)

    def step() -> torch.Tensor:
        for leaf in leaves:
            leaf.grad = None
        loss: torch.Tensor = (run(x) * weights).sum()
        loss.backward()
        return loss.detach()

    return Contestant(step, lambda: [step(), *(leaf.grad for leaf in leaves)])


def in_jax() -> Contestant:
    """One compiled call."""
    import jax
    import jax.numpy as jnp

    images, weights, weight, bias = map(jnp.asarray, problem())
    ones, zeros = jnp.ones(32, "float32"), jnp.zeros(32, "float32")

    def loss(*leaves: jax.Array) -> jax.Array:
        x, scale, shift, weight, bias = leaves
        mean = x.mean((0, 2, 3), keepdims=True)
        variance = ((x - mean) ** 2).mean((0, 2, 3), keepdims=True)
        normal = (x - mean) * jax.lax.rsqrt(variance + 1e-5)
        h = jax.nn.relu(normal * scale[:, None, None] + shift[:, None, None])
        out = jax.lax.conv_general_dilated(h, weight, (1, 1), [(1, 1)] * 2)
        return ((out + bias[:, None, None]) * weights).sum()

    arrays = images, ones, zeros, weight, bias
    differentiate = jax.jit(jax.value_and_grad(loss, range(5)))

    def step() -> Any:
        return jax.block_until_ready(differentiate(*arrays))

    def evaluate() -> list[jax.Array]:
        value, grads = step()
        return [value, *grads]

    return Contestant(step, evaluate)
