"""A step of a character transformer: 4 layers, width 128, 16 texts of 128 characters, AdamW.

The layers normalise first, the mask is causal, and gelu is the one of GPT-2, by tanh.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

CHARACTERS, WIDTH, CONTEXT, BATCH, LAYERS, HEADS = 65, 128, 128, 16, 4, 4


def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw texts, the characters that follow, and say which later ones are hidden from each."""
    inputs, targets = np.random.default_rng(0).integers(0, CHARACTERS, (2, BATCH, CONTEXT))
    return inputs, targets, np.triu(np.ones((CONTEXT, CONTEXT), bool), 1)


def modules(nn: Any, **options: Any) -> Any:
    """Make the parts of the model, of either library, in a list."""
    gelu = partial(nn.functional.gelu, approximate="tanh")
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, 0.0, gelu, batch_first=True, norm_first=True, **options
    )
    return nn.ModuleList(
        [
            nn.Embedding(CHARACTERS, WIDTH, **options),
            nn.Embedding(CONTEXT, WIDTH, **options),
            nn.TransformerEncoder(
                layer, LAYERS, nn.LayerNorm(WIDTH, **options), enable_nested_tensor=False
            ),
            nn.Linear(WIDTH, CHARACTERS, **options),
        ]
    )


def set_weights(model: Any, write: Any) -> None:
    """Draw the same weights for both libraries: `write(parameter, values)`."""
    rng = np.random.default_rng(1)
    for name, parameter in model.named_parameters():
        values = rng.normal(0, 0.08, tuple(parameter.shape)).astype("float32")
        write(parameter, values + ("norm" in name and name.endswith("weight")))


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """Modules, a loss and an optimiser."""
    from tinytorch import Tensor, nn
    from tinytorch.optim import AdamW

    inputs, targets, hidden = problem()
    model, places = modules(nn, dtype="float32"), np.arange(CONTEXT)
    set_weights(model, lambda parameter, values: np.copyto(parameter.data, values))
    optimizer = AdamW(model.parameters())
    characters, positions, blocks, head = model

    def differentiate() -> Tensor:
        x = characters(inputs) + positions(places)
        scores = head(blocks(x, hidden, is_causal=True))
        loss = nn.functional.cross_entropy(scores.reshape(-1, CHARACTERS), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate().data, *(p.grad for p in model.parameters)])


def in_pytorch() -> Contestant:
    """The same words; its attention is the fused one, which makes no matrix of scores.

    PyTorch's `compile` takes minutes for it, and does not race.
    """
    import torch
    from torch import nn

    inputs, targets, hidden = map(torch.tensor, problem())
    model, places = modules(nn), torch.arange(CONTEXT)
    with torch.no_grad():
        set_weights(model, lambda parameter, values: parameter.copy_(torch.tensor(values)))
    optimizer = torch.optim.AdamW(model.parameters())
    characters, positions, blocks, head = model

    def differentiate() -> torch.Tensor:
        x = characters(inputs) + positions(places)
        scores = head(blocks(x, hidden, is_causal=True))
        loss = nn.functional.cross_entropy(scores.reshape(-1, CHARACTERS), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        return loss.detach()

    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate(), *(p.grad for p in model.parameters())])


def in_jax() -> Contestant:
    """One compiled call for the whole step, the layers and AdamW written out."""
    import jax
    import jax.numpy as jnp

    import tinytorch

    inputs, targets, hidden = map(jnp.asarray, problem())
    model = modules(tinytorch.nn, dtype="float32")
    set_weights(model, lambda parameter, values: np.copyto(parameter.data, values))
    parameters = {name: jnp.asarray(p.data) for name, p in model.named_parameters()}
    state = parameters, *[jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)], 0

    def loss_of(parameters: dict[str, jax.Array]) -> jax.Array:
        def linear(x: jax.Array, name: str, kind: str = "") -> jax.Array:
            weight, bias = (parameters[f"{name}{kind}{part}"] for part in ("weight", "bias"))
            return x @ weight.T + bias

        def norm(x: jax.Array, name: str) -> jax.Array:
            normal = jax.nn.standardize(x, epsilon=1e-5)
            return normal * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]

        x = parameters["0.weight"][inputs] + parameters["1.weight"]
        for layer in range(LAYERS):
            name = f"2.layers.{layer}"
            qkv = linear(norm(x, f"{name}.norm1"), f"{name}.self_attn.", "in_proj_")
            qkv = qkv.reshape(BATCH, CONTEXT, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
            q, k, v = qkv
            scores = q @ k.swapaxes(-1, -2) / np.float32((WIDTH / HEADS) ** 0.5)
            heads = jax.nn.softmax(jnp.where(hidden, -jnp.inf, scores)) @ v
            joined = heads.swapaxes(1, 2).reshape(BATCH, CONTEXT, WIDTH)
            x = x + linear(joined, f"{name}.self_attn.out_proj.")
            wide = jax.nn.gelu(linear(norm(x, f"{name}.norm2"), f"{name}.linear1."))
            x = x + linear(wide, f"{name}.linear2.")
        scores = jax.nn.log_softmax(linear(norm(x, "2.norm"), "3."))
        return -jnp.take_along_axis(scores, targets[..., None], -1).mean()

    differentiate = jax.jit(jax.value_and_grad(loss_of))

    def update(parameters: Any, means: Any, squares: Any, t: Any) -> Any:
        _, grads = jax.value_and_grad(loss_of)(parameters)
        t = t + 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, grads)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, grads)
        rate, scale = 1e-3 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        parameters = jax.tree.map(
            lambda p, m, v: p * (1 - 1e-3 * 0.01) - rate * m / (jnp.sqrt(v * scale) + 1e-8),
            parameters, means, squares,
        )  # fmt: skip
        return parameters, means, squares, t

    run = jax.jit(update, donate_argnums=(0, 1, 2))

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(run(*state))

    def evaluate() -> list[jax.Array]:
        loss, grads = differentiate(state[0])
        return [loss, *(grads[name] for name in parameters)]

    return Contestant(step, evaluate)
