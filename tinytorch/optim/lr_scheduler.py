"""Schedules: how the learning rate, `group["lr"]`, changes from one `scheduler.step()` to the next.

Each gives the learning rate at step t, from t = 0, which is where it starts. Names of options and
defaults are PyTorch's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tinytorch.optim.optimizer import Group, Optimizer


class LRScheduler:
    """A schedule, which sets each group's learning rate: a subclass says in `get_lr` to what.

    `last_epoch` is t, and `base_lrs` are the learning rates before the schedule, which are kept in
    the groups as "initial_lr". To go on with a schedule, give it the `last_epoch` that it had, or
    its `state_dict`. Raises TypeError for what is no optimiser, KeyError for a group to go on with
    that has no "initial_lr".
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        kind = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{kind}: expected an optimiser, got {type(optimizer).__name__}; write "
                f"{kind}(optimizer, ...)"
            )
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f'{kind}: to go on from last_epoch, groups need their "initial_lr"')
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def get_lr(self) -> list[float]:
        """Give the groups' learning rates at step `last_epoch`: that is for the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no method `get_lr`")

    def step(self) -> None:
        """Go on to the next learning rate, in general once after each epoch or optimiser's step."""
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """Give the groups' learning rates as they are now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Give all that changes, and the options, but the optimiser and what are functions."""
        return {
            name: [part.state_dict() for part in value] if name == "schedulers" else value
            for name, value in vars(self).items()
            if name not in ("optimizer", "functions")
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        own = dict(state_dict)
        parts = own.pop("schedulers", [])
        for scheduler, state in zip(vars(self).get("schedulers", []), parts, strict=True):
            scheduler.load_state_dict(state)
        vars(self).update(own)


class _FactorLR(LRScheduler):
    """A schedule that is a factor of the learning rate, or of what lies above `eta_min`.

    Each step takes what the learning rate is now times factor(t) / factor(t - 1), so that several
    schedules, and changes by hand, go together.
    """

    eta_min: float = 0.0

    def factor(self, t: int) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """See the class."""
        t, low = self.last_epoch, self.eta_min
        now, before = self.factor(t), self.factor(t - 1) if t else 1.0
        if now == before:
            return self.get_last_lr()
        if not before:  # the learning rate rises again
            return [low + (base - low) * now for base in self.base_lrs]
        return [low + (lr - low) * (now / before) for lr in self.get_last_lr()]


class StepLR(_FactorLR):
    """lr = base * gamma ** (t // step_size).

    >>> from tinytorch import Tensor, optim
    >>> optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> [scheduler.get_last_lr() + [scheduler.step()] for _ in range(4)]
    [[1.0, None], [1.0, None], [0.5, None], [0.5, None]]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = _positive("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(_FactorLR):
    """lr = base * gamma ** (how many of the milestones are at most t)."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(_FactorLR):
    """lr = base * gamma ** t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.gamma**t


class ConstantLR(_FactorLR):
    """lr = base * factor before step total_iters, then base."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.total_iters = _part("ConstantLR", "factor", factor), total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.start_factor if t < self.total_iters else 1.0


class LinearLR(_FactorLR):
    """lr = base * a factor that goes from start_factor to end_factor in total_iters steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = _part("LinearLR", "start_factor", start_factor)
        self.end_factor = _part("LinearLR", "end_factor", end_factor, zero=True)
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        done = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class PolynomialLR(_FactorLR):
    """lr = base * (1 - t / total_iters) ** power, which is 0 from step total_iters on."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(_FactorLR):
    """lr = eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2.

    Half a wave in T_max steps (I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with
    warm restarts", 2017).
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = _positive("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


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
        self.T_0, self.T_mult = _positive(kind, "T_0", T_0), _positive(kind, "T_mult", T_mult)
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


class LambdaLR(LRScheduler):
    """lr = base * lr_lambda(t), with one function for all groups or a list with one for each."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.functions = _each("LambdaLR", "lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See the class."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.functions)]  # noqa: B905


class MultiplicativeLR(LambdaLR):
    """At each step from t = 1 on, lr *= lr_lambda(t)."""

    def get_lr(self) -> list[float]:
        """See the class."""
        rates, t = self.get_last_lr(), self.last_epoch
        return [lr * f(t) for lr, f in zip(rates, self.functions, strict=True)] if t else rates


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
        self.base_momentums = _each(kind, "base_momentum", base, optimizer)
        self.max_momentums = _each(kind, "max_momentum", top, optimizer)

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
        self.total_steps = _positive("OneCycleLR", "total_steps", total_steps)
        self.pct_start = _part("OneCycleLR", "pct_start", pct_start, zero=True)
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase
        self.cycle_momentum, self.optimizer = cycle_momentum, optimizer
        for group, top in zip(
            optimizer.param_groups, _each("OneCycleLR", "max_lr", max_lr, optimizer), strict=True
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
        self.step_size_up = _positive("CyclicLR", "step_size_up", step_size_up)
        self.step_size_down = step_size_up if step_size_down is None else step_size_down
        self.cycle_momentum, self.optimizer = cycle_momentum, optimizer
        for group, lr in zip(
            optimizer.param_groups, _each("CyclicLR", "base_lr", base_lr, optimizer), strict=True
        ):
            group["lr"] = group["initial_lr"] = lr
        self.max_lrs = _each("CyclicLR", "max_lr", max_lr, optimizer)
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


class SequentialLR(LRScheduler):
    """One schedule after the other: from each of the milestones on the next, from its t = 0.

    Raises ValueError unless there is one schedule more than milestones, all of this optimiser.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(schedulers) != len(milestones) + 1:
            raise ValueError(
                "SequentialLR: expected one schedule more than milestones, got "
                f"{len(schedulers)} and {len(milestones)}"
            )
        _refuse_others("SequentialLR", schedulers, optimizer)
        self.optimizer, self.schedulers, self.milestones = optimizer, schedulers, milestones
        self.last_epoch = last_epoch
        self.step()

    def step(self) -> None:
        """Let the schedule whose turn it is go on."""
        self.last_epoch += 1
        turn = bisect_right(self.milestones, self.last_epoch)
        scheduler = self.schedulers[turn]
        if self.last_epoch in (0, *self.milestones):
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
            scheduler.last_epoch = -1
        scheduler.step()


class ChainedScheduler(LRScheduler):
    """All schedules at each step, each on top of the ones before.

    Raises ValueError for schedules of several optimisers.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: there are no schedules")
        self.optimizer, self.schedulers = optimizer or schedulers[0].optimizer, schedulers
        _refuse_others("ChainedScheduler", schedulers, self.optimizer)
        self.last_epoch = 0

    def step(self) -> None:
        """Let all schedules go on."""
        self.last_epoch += 1
        for scheduler in self.schedulers:
            scheduler.step()


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
        self.min_lrs = _each("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
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


def _each(kind: str, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """Give a list with one for each group, of one for all or such a list."""
    n = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * n
    if len(values) != n:
        raise ValueError(f"{kind}: {name} has {len(values)} items for {n} groups")
    return values


def _positive(kind: str, name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{kind}: {name} is at least 1, got {value}")
    return value


def _part(kind: str, name: str, value: float, *, zero: bool = False) -> float:
    if not (0 < value <= 1 or (zero and value == 0)):
        raise ValueError(f"{kind}: {name} is {'from' if zero else 'above'} 0 and up to 1: {value}")
    return value


def _refuse_others(kind: str, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
    for scheduler in schedulers:
        if scheduler.optimizer is not optimizer or isinstance(scheduler, ReduceLROnPlateau):
            name = type(scheduler).__name__
            raise ValueError(f"{kind}: {name} is of another optimiser, or goes by a figure")
