"""Schedules that are a formula: the learning rate is the first one times a factor of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable

from tinytorch.optim.lr_scheduler.scheduler import LRScheduler, for_each_group, fraction, positive
from tinytorch.optim.optimizer import Optimizer


class FactorLR(LRScheduler):
    """A schedule that is a factor of the learning rate, or of what lies above `eta_min`.

    Each step takes what the learning rate is now times factor(t) / factor(t - 1), so that several
    schedules, and changes by hand, go together.
    """

    eta_min: float = 0.0

    def factor(self, t: int) -> float:
        """Give the factor at step t: that is for the subclass."""
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


class StepLR(FactorLR):
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
        self.step_size, self.gamma = positive("StepLR", "step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(FactorLR):
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


class ExponentialLR(FactorLR):
    """lr = base * gamma ** t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.gamma**t


class ConstantLR(FactorLR):
    """lr = base * factor before step total_iters, then base."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor, self.total_iters = fraction("ConstantLR", "factor", factor), total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return self.start_factor if t < self.total_iters else 1.0


class LinearLR(FactorLR):
    """lr = base * a factor that goes from start_factor to end_factor in total_iters steps.

    >>> from tinytorch import Tensor, optim
    >>> optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    >>> scheduler = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for _ in range(3):
    ...     print(round(scheduler.get_last_lr()[0], 3))
    ...     scheduler.step()
    0.5
    0.75
    1.0
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = fraction("LinearLR", "start_factor", start_factor)
        self.end_factor = fraction("LinearLR", "end_factor", end_factor, zero=True)
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        done = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class PolynomialLR(FactorLR):
    """lr = base * (1 - t / total_iters) ** power, which is 0 from step total_iters on."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(FactorLR):
    """lr = eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2.

    Half a wave in T_max steps (I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with
    warm restarts", 2017).

    >>> from tinytorch import Tensor, optim
    >>> optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
    >>> for _ in range(3):
    ...     print(round(scheduler.get_last_lr()[0], 3))
    ...     scheduler.step()
    1.0
    0.5
    0.0
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = positive("CosineAnnealingLR", "T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """See the class."""
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class LambdaLR(LRScheduler):
    """lr = base * lr_lambda(t), with one function for all groups or a list with one for each.

    >>> from tinytorch import Tensor, optim
    >>> optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    >>> scheduler = LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> for _ in range(3):
    ...     print(round(scheduler.get_last_lr()[0], 3))
    ...     scheduler.step()
    1.0
    0.5
    0.333
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.functions = for_each_group("LambdaLR", "lr_lambda", lr_lambda, optimizer)
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
