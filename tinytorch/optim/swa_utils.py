"""Averaged weights: a second model whose parameters are the average over the steps of training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from tinytorch.grad_mode import no_grad
from tinytorch.nn.module import Module
from tinytorch.optim.lr_scheduler.factors import FactorLR
from tinytorch.optim.optimizer import Optimizer

# (the average so far, the new values, how many the average is of) -> the new average
Average: TypeAlias = Callable[[Any, Any, int], Any]


def get_swa_avg_fn() -> Average:
    """Give the rule of the plain average: a + (x - a) / (n + 1)."""
    return lambda average, x, n: average + (x - average) / (n + 1)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Give the rule of the exponential moving average: decay * a + (1 - decay) * x.

    Raises ValueError for a decay that is not from 0 to 1.
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay is from 0 to 1, got {decay}")
    return lambda average, x, _: decay * average + (1 - decay) * x


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are averages of the model's.

    `update_parameters(model)`, called after each step of training, takes the model's parameters
    into the average, which is the plain one unless `avg_fn` says another (P. Izmailov et al.,
    "Averaging weights leads to wider optima and better generalization", 2018). Buffers are copied,
    or with `use_buffers` averaged too.
    """

    n_averaged: Any

    def __init__(
        self, model: Module, avg_fn: Average | None = None, use_buffers: bool = False
    ) -> None:
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", np.zeros((), np.int64))
        self.avg_fn = avg_fn or get_swa_avg_fn()
        self.use_buffers = use_buffers

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output of the averaged model."""
        return self.module(*inputs, **options)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` as they are now into the average."""
        pairs = list(zip(self.module.parameters, model.parameters, strict=True))
        buffers = list(zip(self.module.buffers(), model.buffers(), strict=True))
        if self.use_buffers:
            pairs, buffers = pairs + buffers, []
        with no_grad():
            for mine, theirs in pairs:
                a, x = _array(mine), _array(theirs)
                n = self.n_averaged.astype(a.dtype)
                a[...] = np.where(n > 0, self.avg_fn(a, x, n), x)
            for mine, theirs in buffers:
                _array(mine)[...] = _array(theirs)
        self.n_averaged += 1


class SWALR(FactorLR):
    """The schedule of averaged weights: from what it is to `swa_lr` in `anneal_epochs` steps.

    lr = swa_lr + (base - swa_lr) * (1 + cos(pi * t / anneal_epochs)) / 2, or with the strategy
    "linear" 1 - t / anneal_epochs in the place of the last factor (P. Izmailov et al., "Averaging
    weights leads to wider optima and better generalization", 2018).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f'SWALR: the strategy is "cos" or "linear", got {anneal_strategy!r}')
        self.eta_min, self.anneal_epochs = swa_lr, anneal_epochs
        self.anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        done = min(t / self.anneal_epochs, 1.0) if self.anneal_epochs else 1.0
        return 1 - done if self.anneal_strategy == "linear" else (1 + math.cos(math.pi * done)) / 2


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Compute the running means and variances of batch normalisation anew, over all batches.

    A batch is an input, or a list or tuple that begins with it.
    """
    norms: list[Any] = [
        module for module in model.modules() if hasattr(module, "reset_running_stats")
    ]
    was_training, momenta = model.training, [module.momentum for module in norms]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain average
    model.train()
    with no_grad():
        for batch in loader if norms else ():
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum
    model.train(was_training)


def _array(x: Any) -> Any:
    return getattr(x, "_value", x)
