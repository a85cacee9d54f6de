"""An LSTM of width 128 on 32 sequences of 64 steps, sum of squares, backward."""

from __future__ import annotations

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
    """The same words."""
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
