"""A schedule that listens: it lowers the learning rate where a loss no longer falls."""

from __future__ import annotations

import math
from typing import Any

from tinytorch.optim.lr_scheduler.scheduler import LRScheduler, for_each_group
from tinytorch.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr *= factor, where a figure has not got better for more than `patience` steps.

    `step(metrics)` is told the figure, which is better where it is below ("max": above) the best so
    far by more than `threshold`, a part of the best, or with threshold_mode="abs" a number. After a
    change, `cooldown` steps don't count. No rate goes below `min_lr` or changes by up to `eps`.

    Raises ValueError for a factor of 1 or more, or another mode.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor is below 1, got {factor}")
        for name, given, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if given not in known:
                raise ValueError(f"ReduceLROnPlateau: {name} is one of {known}, got {given!r}")
        self.optimizer, self.last_epoch = optimizer, 0
        self.mode, self.factor, self.patience, self.eps = mode, factor, patience, eps
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs = for_each_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Hear the figure, a number or a tensor of one entry, and lower the rates if it is time."""
        self.last_epoch += 1
        figure = float(metrics)
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            bar = self.best * (1 - sign * self.threshold)
        else:
            bar = self.best - sign * self.threshold
        self.num_bad_epochs += 1
        if sign * figure < sign * bar:
            self.best, self.num_bad_epochs = figure, 0
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                lr = max(group["lr"] * self.factor, least)
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr
            self.num_bad_epochs, self.cooldown_counter = 0, self.cooldown
