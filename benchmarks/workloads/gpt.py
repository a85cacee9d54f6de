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
    """The same words; its attention is the fused one, which makes no matrix of scores."""
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
