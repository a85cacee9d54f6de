"""An LSTM of width 128 on 32 sequences of 64 steps, sum of squares, backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

WIDTH, STEPS, BATCH = 128, 64, 32


def problem() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw inputs, and the four weights by their names."""
    rng, bound = np.random.default_rng(0), WIDTH**-0.5
    shapes = {"weight_ih_l0": (4 * WIDTH, WIDTH), "weight_hh_l0": (4 * WIDTH, WIDTH),
              "bias_ih_l0": (4 * WIDTH,), "bias_hh_l0": (4 * WIDTH,)}  # fmt: skip
    weights = {k: rng.uniform(-bound, bound, s).astype("float32") for k, s in shapes.items()}
    return rng.normal(size=(STEPS, BATCH, WIDTH)).astype("float32"), weights


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """The module, on inputs that need no gradient."""
    from tinytorch import Tensor, nn

    inputs, weights = problem()
    model = nn.LSTM(WIDTH, WIDTH, dtype="float32")
    model.load_state_dict(weights)

    def differentiate() -> Tensor:
        model.zero_grad()
        output, _ = model(inputs)
        loss = output.square().sum()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()

    return Contestant(step, lambda: [differentiate().data, *(p.grad for p in model.parameters)])


def in_pytorch() -> Contestant:
    """The same words; PyTorch's `compile` leaves recurrent networks as they are."""
    import torch

    inputs, weights = problem()
    x, model = torch.tensor(inputs), torch.nn.LSTM(WIDTH, WIDTH)
    model.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})

    def step() -> torch.Tensor:
        model.zero_grad()
        output, _ = model(x)
        loss = output.square().sum()
        loss.backward()
        return loss.detach()

    return Contestant(step, lambda: [step(), *(p.grad for p in model.parameters())])


def in_jax() -> Contestant:
    """One compiled call; `scan` takes the steps."""
    import jax
    import jax.numpy as jnp

    inputs, values = problem()
    x, weights = jnp.asarray(inputs), {name: jnp.asarray(w) for name, w in values.items()}

    def loss_of(weights: dict[str, jax.Array]) -> jax.Array:
        bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]

        def step(state: Any, gates: jax.Array) -> Any:
            h, c = state
            i, f, g, o = jnp.split(gates + h @ weights["weight_hh_l0"].T, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((BATCH, WIDTH), x.dtype)
        _, output = jax.lax.scan(step, (zeros, zeros), x @ weights["weight_ih_l0"].T + bias)
        return (output**2).sum()

    differentiate = jax.jit(jax.value_and_grad(loss_of))

    def step() -> Any:
        return jax.block_until_ready(differentiate(weights))

    def evaluate() -> list[jax.Array]:
        loss, grads = step()
        return [loss, *(grads[name] for name in weights)]

    return Contestant(step, evaluate)
