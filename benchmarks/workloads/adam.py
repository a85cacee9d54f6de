"""A step of Adam alone, on 100 parameters of 10,000 entries that have their gradients."""

from __future__ import annotations

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is

PARAMETERS, ENTRIES = 100, 10_000


def problem() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw parameters and gradients, float32."""
    rng = np.random.default_rng(0)
    values, grads = rng.normal(size=(2, PARAMETERS, ENTRIES)).astype("float32")
    return list(values), list(grads)


def in_tinytorch(compile: Decorator = as_it_is) -> Contestant:
    """The optimiser, on plain tensors."""
    from tinytorch import Tensor
    from tinytorch.optim import Adam

    values, grads = problem()
    parameters = [Tensor(x) for x in values]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    optimizer = Adam(parameters)

    def evaluate() -> list[np.ndarray]:
        optimizer.step()
        return [parameter.data for parameter in parameters]

    return Contestant(compile(optimizer.step), evaluate)


def in_pytorch() -> Contestant:
    """The same; on a CPU PyTorch takes one parameter after the other, too."""
    import torch

    values, grads = problem()
    parameters = [torch.tensor(x, requires_grad=True) for x in values]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.Adam(parameters)

    def evaluate() -> list[torch.Tensor]:
        optimizer.step()
        return [parameter.detach() for parameter in parameters]

    return Contestant(optimizer.step, evaluate)
