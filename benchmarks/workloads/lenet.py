"""One step of a LeNet with Adam: 64 images of 28 x 28, two convolutions, two poolings, ten classes.

Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998, with ReLU and max
pooling. Images and labels are random: the work depends on shapes and dtype only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

LEARNING_RATE = 1e-3
SHAPES = ((6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84))


def problem() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Draw images, labels, and parameters: weight and bias, layer by layer."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(64, 1, 28, 28)).astype("float32")
    parameters = []
    for shape in SHAPES:
        weight = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        parameters += [weight.astype("float32"), np.zeros(shape[0], "float32")]
    return images, rng.integers(0, 10, 64), parameters


def _network(nn: Any, **options: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, **options), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, **options), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120, **options), nn.ReLU(),
        nn.Linear(120, 84, **options), nn.ReLU(),
        nn.Linear(84, 10, **options),
    )  # fmt: skip


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """PyTorch's words."""
    from tinytorch import Tensor, nn
    from tinytorch.optim import Adam

    images, labels, start = problem()
    model = _network(nn, dtype="float32")
    for parameter, values in zip(model.parameters, start, strict=True):
        parameter.data = values
    loss_of, optimizer = nn.CrossEntropyLoss(), Adam(model.parameters, lr=LEARNING_RATE)

    def differentiate() -> Tensor:
        loss: Tensor = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate().data, *(p.grad for p in model.parameters)])


def in_pytorch(compile: Decorator = as_it_is) -> Contestant:
    """Eager mode, as everybody writes it."""
    import torch

    images, labels, start = problem()
    inputs, targets = torch.tensor(images), torch.tensor(labels)
    model = _network(torch.nn)
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), start, strict=True):
            parameter.copy_(torch.tensor(values))
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    run = compile(model)

    def differentiate() -> torch.Tensor:
        loss: torch.Tensor = loss_of(run(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        return loss.detach()

    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate(), *(p.grad for p in model.parameters())])


def in_jax() -> Contestant:
    """One compiled call for the whole step, Adam written out; the old state is donated."""
    import jax
    import jax.numpy as jnp

    images, labels, parameters = jax.tree.map(jnp.asarray, problem())
    state = parameters, *[[jnp.zeros_like(p) for p in parameters] for _ in range(2)], 0

    def pooled(x: jax.Array) -> jax.Array:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    def cross_entropy(parameters: list[jax.Array]) -> jax.Array:
        h = images
        for weight, bias, margin in zip(parameters[:4:2], parameters[1:4:2], (2, 0), strict=True):
            around = [(margin, margin)] * 2
            h = jax.lax.conv_general_dilated(h, weight, (1, 1), around)
            h = pooled(jax.nn.relu(h + bias[:, None, None]))
        h = h.reshape(len(h), -1)
        for weight, bias in zip(parameters[4:8:2], parameters[5:8:2], strict=True):
            h = jax.nn.relu(h @ weight.T + bias)
        scores = jax.nn.log_softmax(h @ parameters[8].T + parameters[9])
        return -jnp.take_along_axis(scores, labels[:, None], 1).mean()

    differentiate = jax.jit(jax.value_and_grad(cross_entropy))

    def update(parameters: Any, means: Any, squares: Any, t: Any) -> Any:
        _, grads = jax.value_and_grad(cross_entropy)(parameters)
        t = t + 1
        means = [0.9 * m + 0.1 * g for m, g in zip(means, grads, strict=True)]
        squares = [0.999 * v + 0.001 * g * g for v, g in zip(squares, grads, strict=True)]
        rate, scale = LEARNING_RATE / (1 - 0.9**t), 1 / (1 - 0.999**t)
        parameters = [
            p - rate * m / (jnp.sqrt(v * scale) + 1e-8)
            for p, m, v in zip(parameters, means, squares, strict=True)
        ]
        return parameters, means, squares, t

    run = jax.jit(update, donate_argnums=(0, 1, 2))

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(run(*state))

    def evaluate() -> list[jax.Array]:
        loss, grads = differentiate(state[0])
        return [loss, *grads]

    return Contestant(step, evaluate)
