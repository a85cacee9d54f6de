"""Schedules of schedules, one after the other or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from tinytorch.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinytorch.optim.lr_scheduler.scheduler import LRScheduler
from tinytorch.optim.optimizer import Optimizer


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


def _refuse_others(kind: str, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
    for scheduler in schedulers:
        if scheduler.optimizer is not optimizer or isinstance(scheduler, ReduceLROnPlateau):
            name = type(scheduler).__name__
            raise ValueError(f"{kind}: {name} is of another optimiser, or goes by a figure")
