"""Schedules that rise again: cycles, one cycle, and warm restarts."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinytorch.optim.lr_scheduler.scheduler import LRScheduler, for_each_group, fraction, positive
from tinytorch.optim.optimizer import Group, Optimizer


class CosineAnnealingWarmRestarts(LRScheduler):
    """`CosineAnnealingLR` that begins anew after T_0 steps, then after T_0 * T_mult, and so on.

    `step(epoch)` goes to any point in time, also between two steps.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        kind = type(self).__name__
        self.T_0, self.T_mult = positive(kind, "T_0", T_0), positive(kind, "T_mult", T_mult)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next step, or to any other point in time."""
        self.time = self.last_epoch + 1 if epoch is None else epoch
        self.last_epoch = math.floor(self.time) - 1
        super().step()

    def get_lr(self) -> list[float]:
        """See the class."""
        t, length = self.time, self.T_0
        if self.T_mult == 1:
            t %= length
        while t >= length:
            t, length = t - length, length * self.T_mult
        factor = (1 + math.cos(math.pi * t / length)) / 2
        return [self.eta_min + (base - self.eta_min) * factor for base in self.base_lrs]


class _CyclicLR(LRScheduler):
    """A schedule that changes the momentum (of Adam and its like beta1) as well, if it is to."""

    cycle_momentum: bool

    def _begin_momentum(self, base: float | list[float], top: float | list[float]) -> None:
        """Keep the bounds between which the momentum changes."""
        kind, optimizer = type(self).__name__, self.optimizer
        if not self.cycle_momentum:
            return
        if not optimizer.defaults.keys() & {"momentum", "betas"}:
            raise ValueError(
                f"{kind}: {type(optimizer).__name__} has no momentum; write cycle_momentum=False"
            )
        self.base_momentums = for_each_group(kind, "base_momentum", base, optimizer)
        self.max_momentums = for_each_group(kind, "max_momentum", top, optimizer)

    def _set_momentum(self, group: Group, momentum: float) -> None:
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class OneCycleLR(_CyclicLR):
    """Up from max_lr / div_factor to max_lr, then down to max_lr / div_factor / final_div_factor.

    The first `pct_start` of the `total_steps`, or epochs * steps_per_epoch, go up; with
    `three_phase` as many go down again to where it began, and the rest from there. The way is half
    a wave, or with anneal_strategy="linear" a line. The momentum goes the other way, from
    max_momentum to base_momentum and back (L. Smith and N. Topin, "Super-convergence: very fast
    training of neural networks using large learning rates", 2018).

    Raises ValueError for a number of steps that is not given or not positive, a step after the
    last, and an optimiser without momentum, for which to write `cycle_momentum=False`.

    >>> from tinytorch import Tensor, optim
    >>> optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    >>> scheduler = OneCycleLR(optimizer, max_lr=2.0, total_steps=5)
    >>> for _ in range(4):
    ...     print(round(scheduler.get_last_lr()[0], 3))
    ...     scheduler.step()
    0.08
    1.901
    1.223
    0.377
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self.total_steps = positive("OneCycleLR", "total_steps", total_steps)
        self.pct_start = fraction("OneCycleLR", "pct_start", pct_start, zero=True)
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase
        self.cycle_momentum, self.optimizer = cycle_momentum, optimizer
        for group, top in zip(
            optimizer.param_groups,
            for_each_group("OneCycleLR", "max_lr", max_lr, optimizer),
            strict=True,
        ):
            group["initial_lr"], group["max_lr"] = top / div_factor, top
            group["min_lr"] = top / div_factor / final_div_factor
        self._begin_momentum(base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See the class."""
        t, last = self.last_epoch, self.total_steps - 1
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: this is step {t} of {self.total_steps}")
        # Where each phase ends, and how the learning rate and the momentum are there.
        up = self.pct_start * self.total_steps - 1
        ends = [(0.0, "initial_lr", 1.0), (up, "max_lr", 0.0), (last, "min_lr", 1.0)]
        if self.three_phase:
            ends.insert(2, (2 * up, "initial_lr", 1.0))
        i = next((i for i, (end, *_) in enumerate(ends) if i and t <= end), len(ends) - 1)
        (start, first, high), (end, second, low) = ends[i - 1], ends[i]
        part = (t - start) / (end - start)
        if self.anneal_strategy == "cos":
            part = (1 - math.cos(math.pi * part)) / 2
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            share = high + (low - high) * part
            for group, base, top in zip(
                groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, base + (top - base) * share)
        return [group[first] + (group[second] - group[first]) * part for group in groups]


class CyclicLR(_CyclicLR):
    """Up from base_lr to max_lr in step_size_up steps, down in step_size_down, and again.

    In the mode "triangular2" each cycle rises half as high as the one before, in "exp_range"
    gamma ** t as high; or as high as `scale_fn` says, of the number of the cycle from 1 on, or with
    scale_mode="iterations" of t. The momentum goes the other way (L. Smith, "Cyclical learning
    rates for training neural networks", 2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        modes: dict[str, Callable[[float], float]] = {
            "triangular": lambda _: 1.0,
            "triangular2": lambda cycle: 0.5 ** (cycle - 1),
            "exp_range": lambda t: gamma**t,
        }
        if scale_fn is None:
            if mode not in modes:
                raise ValueError(f"CyclicLR: mode is one of {', '.join(modes)}, got {mode!r}")
            scale_fn, scale_mode = modes[mode], "iterations" if mode == "exp_range" else "cycle"
        self.functions, self.scale_mode = [scale_fn], scale_mode
        self.step_size_up = positive("CyclicLR", "step_size_up", step_size_up)
        self.step_size_down = step_size_up if step_size_down is None else step_size_down
        self.cycle_momentum, self.optimizer = cycle_momentum, optimizer
        for group, lr in zip(
            optimizer.param_groups,
            for_each_group("CyclicLR", "base_lr", base_lr, optimizer),
            strict=True,
        ):
            group["lr"] = group["initial_lr"] = lr
        self.max_lrs = for_each_group("CyclicLR", "max_lr", max_lr, optimizer)
        self._begin_momentum(base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See the class."""
        cycle, t = divmod(self.last_epoch, self.step_size_up + self.step_size_down)
        up, down = t / self.step_size_up, (t - self.step_size_up) / self.step_size_down
        (scale,) = self.functions
        height = scale(cycle + 1 if self.scale_mode == "cycle" else self.last_epoch)
        height *= up if up <= 1 else 1 - down
        if self.cycle_momentum:
            for group, base, top in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, top - (top - base) * height)
        return [
            base + (top - base) * height
            for base, top in zip(self.base_lrs, self.max_lrs, strict=True)
        ]
