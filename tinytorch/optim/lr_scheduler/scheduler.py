"""What a schedule is: it sets the learning rate, from one `scheduler.step()` to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinytorch.optim.optimizer import Optimizer


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


def for_each_group(kind: str, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """Give a list with one for each group, of one for all or such a list."""
    n = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * n
    if len(values) != n:
        raise ValueError(f"{kind}: {name} has {len(values)} items for {n} groups")
    return values


def positive(kind: str, name: str, value: int) -> int:
    """Check a number of steps."""
    if value < 1:
        raise ValueError(f"{kind}: {name} is at least 1, got {value}")
    return value


def fraction(kind: str, name: str, value: float, *, zero: bool = False) -> float:
    """Check a number above 0, or with `zero` from 0 on, and up to 1."""
    if not (0 < value <= 1 or (zero and value == 0)):
        raise ValueError(f"{kind}: {name} is {'from' if zero else 'above'} 0 and up to 1: {value}")
    return value
