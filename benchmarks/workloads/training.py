"""One training step of a multi-layer perceptron, as in the README.

Forward, written-out binary cross-entropy, flush, backward, update. The hidden layers are ReLU, the
last is a sigmoid. Data are random: the work depends on shapes and dtype only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

LEARNING_RATE = 0.01


def problem(
    sizes: Sequence[int], batch: int, dtype: str
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Draw inputs, targets of 0 and 1, and parameters: weight and bias, layer by layer."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(batch, sizes[0]))
    targets = rng.random((batch, sizes[-1])) < 0.5
    parameters = []
    for n, m in pairwise(sizes):
        parameters += [rng.normal(size=(n, m)) * np.sqrt(2 / n), np.zeros(m)]
    return inputs.astype(dtype), targets.astype(dtype), [p.astype(dtype) for p in parameters]


def in_tinytorch(
    sizes: Sequence[int], batch: int, dtype: str, compile: Decorator = as_it_is
) -> Contestant:
    """The README's loop."""
    from tinytorch import Tensor
    from tinytorch.nn import MLP, Activation

    inputs, targets, start = problem(sizes, batch, dtype)
    hidden = [(n, Activation.RELU) for n in sizes[1:-1]]
    model = MLP(sizes[0], [*hidden, (sizes[-1], Activation.SIGMOID)], dtype=dtype)
    for parameter, values in zip(model.parameters, start, strict=True):
        parameter.data = values

    def differentiate() -> Tensor:
        p = model(inputs)
        loss = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
        model.flush_grads()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()
        for parameter in model.parameters:
            parameter.data -= LEARNING_RATE * parameter.grad

    return Contestant(step, lambda: [differentiate().data, *(p.grad for p in model.parameters)])


def in_pytorch(
    sizes: Sequence[int], batch: int, dtype: str, compile: Decorator = as_it_is
) -> Contestant:
    """Eager mode: `F.linear` for the layers, a quarter faster on moons than `nn.Sequential`."""
    import torch
    from torch.nn.functional import linear

    inputs, targets, start = problem(sizes, batch, dtype)
    inputs, targets = torch.tensor(inputs), torch.tensor(targets)
    parameters = [torch.tensor(p.T.copy(), requires_grad=True) for p in start]
    *hidden, last = pairs(parameters)

    @compile
    def cross_entropy(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        h = inputs
        for weight, bias in hidden:
            h = linear(h, weight, bias).relu()
        p = linear(h, *last).sigmoid()
        return -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()

    def differentiate() -> torch.Tensor:
        loss: torch.Tensor = cross_entropy(inputs, targets)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        return loss.detach()

    def step() -> None:
        differentiate()
        with torch.no_grad():
            for parameter in parameters:
                parameter.add_(parameter.grad, alpha=-LEARNING_RATE)

    return Contestant(step, lambda: [differentiate(), *(p.grad.numpy().T for p in parameters)])


def in_jax(sizes: Sequence[int], batch: int, dtype: str) -> Contestant:
    """One compiled call for the whole step; the old parameters are donated to the new ones."""
    import jax
    import jax.numpy as jnp

    inputs, targets, parameters = jax.tree.map(jnp.asarray, problem(sizes, batch, dtype))

    def cross_entropy(
        parameters: list[jax.Array], inputs: jax.Array, targets: jax.Array
    ) -> jax.Array:
        *hidden, (last_weight, last_bias) = pairs(parameters)
        h = inputs
        for weight, bias in hidden:
            h = jax.nn.relu(h @ weight + bias)
        p = jax.nn.sigmoid(h @ last_weight + last_bias)
        return -(targets * jnp.log(p) + (1 - targets) * jnp.log(1 - p)).mean()

    differentiate = jax.value_and_grad(cross_entropy)

    @partial(jax.jit, donate_argnums=0)
    def update(
        parameters: list[jax.Array], inputs: jax.Array, targets: jax.Array
    ) -> tuple[jax.Array, list[jax.Array]]:
        loss, grads = differentiate(parameters, inputs, targets)
        return loss, [p - LEARNING_RATE * g for p, g in zip(parameters, grads, strict=True)]

    def step() -> None:
        nonlocal parameters
        _, parameters = jax.block_until_ready(update(parameters, inputs, targets))

    def evaluate() -> list[jax.Array]:
        loss, grads = differentiate(parameters, inputs, targets)
        return [loss, *grads]

    return Contestant(step, evaluate)


def in_autograd(sizes: Sequence[int], batch: int, dtype: str) -> Contestant:
    """`value_and_grad` of the loss in the parameters."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    inputs, targets, parameters = problem(sizes, batch, dtype)

    def cross_entropy(parameters: Any) -> Any:
        *hidden, (last_weight, last_bias) = pairs(parameters)
        h = inputs
        for weight, bias in hidden:
            h = anp.maximum(anp.dot(h, weight) + bias, 0)
        p = 1 / (1 + anp.exp(-(anp.dot(h, last_weight) + last_bias)))
        return -anp.mean(targets * anp.log(p) + (1 - targets) * anp.log(1 - p))

    differentiate = value_and_grad(cross_entropy)

    def step() -> None:
        _, grads = differentiate(parameters)
        for parameter, grad in zip(parameters, grads, strict=True):
            np.subtract(parameter, LEARNING_RATE * grad, out=parameter)

    def evaluate() -> list[np.ndarray]:
        loss, grads = differentiate(parameters)
        return [loss, *grads]

    return Contestant(step, evaluate)


def by_hand(sizes: Sequence[int], batch: int, dtype: str) -> Contestant:
    """Every array is made once; the sigmoid and the cross-entropy share one derivative."""
    inputs, targets, parameters = problem(sizes, batch, dtype)
    weights, biases = parameters[::2], parameters[1::2]
    grads = [np.empty_like(p) for p in parameters]
    outputs = [np.empty((batch, n), dtype) for n in sizes[1:]]
    deltas = [np.empty_like(out) for out in outputs]
    masks = [np.empty(out.shape, bool) for out in outputs]
    below = [inputs, *outputs[:-1]]
    *hidden, last = zip(below, weights, biases, outputs, strict=True)
    *_, p = last
    error, entropy = deltas[-1], np.empty_like(p)
    # The gradient of a bias is a column sum: a product with ones is the fastest.
    ones, complement, n_entries = np.ones(batch, dtype), 1 - targets, targets.size
    backward = list(zip(deltas, below, grads[::2], grads[1::2], strict=True))[::-1]
    # Through each layer but the first: to the delta below, where the output below is positive.
    through = list(zip(deltas[1:], weights[1:], deltas, masks, outputs, strict=False))[::-1]

    def differentiate() -> float:
        for x, weight, bias, out in hidden:
            np.dot(x, weight, out=out)
            np.add(out, bias, out=out)
            np.maximum(out, 0, out=out)
        x, weight, bias, _ = last
        np.dot(x, weight, out=p)
        np.add(p, bias, out=p)
        np.negative(p, out=p)
        np.exp(p, out=p)
        np.add(p, 1, out=p)
        np.reciprocal(p, out=p)

        # Targets are 0 and 1, so |1 - target - p| is p or 1 - p: one logarithm serves both terms.
        np.subtract(complement, p, out=entropy)
        np.abs(entropy, out=entropy)
        np.log(entropy, out=entropy)
        loss = -np.add.reduce(entropy, axis=None) / n_entries

        np.subtract(p, targets, out=error)
        np.divide(error, n_entries, out=error)
        for delta, weight, delta_below, mask, out_below in through:
            np.dot(delta, weight.T, out=delta_below)
            np.greater(out_below, 0, out=mask)
            np.multiply(delta_below, mask, out=delta_below)
        for delta, x, weight_grad, bias_grad in backward:
            np.dot(x.T, delta, out=weight_grad)
            np.dot(ones, delta, out=bias_grad)
        return loss

    def step() -> None:
        differentiate()
        for parameter, grad in zip(parameters, grads, strict=True):
            np.multiply(grad, LEARNING_RATE, out=grad)
            np.subtract(parameter, grad, out=parameter)

    return Contestant(step, lambda: [differentiate(), *grads])


def pairs(parameters: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Group `parameters` by layer: weight and bias."""
    return list(zip(parameters[::2], parameters[1::2], strict=True))
