"""Look 256 of 50,000 rows of 64 up, sum of squares, backward, a step of SGD."""

from __future__ import annotations

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

ROWS, WIDTH, USED, LEARNING_RATE = 50_000, 64, 256, 0.01


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Draw the rows and the numbers of those that are used."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(ROWS, WIDTH)).astype("float32"), rng.integers(0, ROWS, USED)


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """A module and an optimiser."""
    from tinytorch import Tensor, nn
    from tinytorch.optim import SGD

    rows, numbers = problem()
    model = nn.Embedding.from_pretrained(rows, freeze=False)
    optimizer = SGD(model.parameters(), LEARNING_RATE)

    def differentiate() -> Tensor:
        loss = model(numbers).square().sum()
        optimizer.zero_grad()
        loss.backward()
        return loss

    @compile
    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate().data, model.weight.grad])


def in_pytorch() -> Contestant:
    """The same words, and a gradient of the whole table, as here."""
    import torch

    rows, numbers = map(torch.tensor, problem())
    model = torch.nn.Embedding.from_pretrained(rows, freeze=False)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)

    def differentiate() -> torch.Tensor:
        loss = model(numbers).square().sum()
        optimizer.zero_grad()
        loss.backward()
        return loss.detach()

    def step() -> None:
        differentiate()
        optimizer.step()

    return Contestant(step, lambda: [differentiate(), model.weight.grad])
