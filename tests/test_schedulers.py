"""Schedules of the learning rate, step by step beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose

from tinytorch import Tensor, optim
from tinytorch.optim import lr_scheduler


def an_optimizer(module: Any, kind: str = "SGD", **options: Any) -> Any:
    """Two groups, of different learning rates."""
    x, y = (
        (Tensor(1.0), Tensor(2.0))
        if module is optim
        else (torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True))
    )
    groups = [{"params": [x]}, {"params": [y], "lr": 0.3}]
    return getattr(module, kind)(groups, lr=0.5, **options)


def swa(module: Any) -> Any:
    """Give the module of averaged weights beside that of schedules."""
    return optim.swa_utils if module is lr_scheduler else torch.optim.swa_utils


MOMENTUM = {"momentum": 0.9}
# How to make a scheduler: of the module of schedulers and an optimiser.
CASES: dict[str, Callable[[Any, Any], Any]] = {
    "step": lambda m, o: m.StepLR(o, 3, gamma=0.5),
    "every step": lambda m, o: m.StepLR(o, 1),
    "milestones": lambda m, o: m.MultiStepLR(o, [2, 5, 5, 9], gamma=0.3),
    "exponential": lambda m, o: m.ExponentialLR(o, gamma=0.9),
    "constant": lambda m, o: m.ConstantLR(o),
    "constant for a while": lambda m, o: m.ConstantLR(o, factor=0.5, total_iters=4),
    "linear": lambda m, o: m.LinearLR(o),
    "linear down to 0": lambda m, o: m.LinearLR(o, 1.0, 0.0, total_iters=7),
    "polynomial": lambda m, o: m.PolynomialLR(o, total_iters=8, power=2.0),
    "polynomial in one": lambda m, o: m.PolynomialLR(o),
    "cosine": lambda m, o: m.CosineAnnealingLR(o, T_max=5),
    "cosine above": lambda m, o: m.CosineAnnealingLR(o, T_max=4, eta_min=0.05),
    "restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 4, eta_min=0.01),
    "longer restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 2, T_mult=2),
    "lambda": lambda m, o: m.LambdaLR(o, lambda t: 0.9**t),
    "lambdas": lambda m, o: m.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: t % 3]),
    "multiplicative": lambda m, o: m.MultiplicativeLR(o, lambda t: 0.9 + 0.01 * t),
    "one cycle": lambda m, o: m.OneCycleLR(o, 1.0, total_steps=24),
    "one line": lambda m, o: m.OneCycleLR(
        o, [1.0, 2.0], epochs=5, steps_per_epoch=5, anneal_strategy="linear", pct_start=0.4
    ),
    "three phases": lambda m, o: m.OneCycleLR(
        o, 1.0, total_steps=24, three_phase=True, div_factor=5.0, final_div_factor=50.0,
        base_momentum=0.5, max_momentum=[0.8, 0.7],
    ),
    "one cycle without momentum": lambda m, o: m.OneCycleLR(
        o, 1.0, total_steps=24, cycle_momentum=False
    ),
    "cyclic": lambda m, o: m.CyclicLR(o, 0.1, 1.0, step_size_up=4),
    "cyclic down": lambda m, o: m.CyclicLR(
        o, [0.1, 0.2], [1.0, 2.0], 3, 5, mode="triangular2", base_momentum=0.5
    ),
    "cyclic less": lambda m, o: m.CyclicLR(o, 0.1, 1.0, 3, mode="exp_range", gamma=0.9),
    "cyclic of ones own": lambda m, o: m.CyclicLR(
        o, 0.1, 1.0, 3, scale_fn=lambda t: 1 / (1 + t), scale_mode="iterations"
    ),
    "averaged": lambda m, o: swa(m).SWALR(o, 0.05, anneal_epochs=5),
    "averaged in a line": lambda m, o: swa(m).SWALR(o, 0.05, 4, "linear"),
    "warm up, then down": lambda m, o: m.SequentialLR(
        o,
        [m.LinearLR(o, 0.1, total_iters=4), m.CosineAnnealingLR(o, 10), m.ExponentialLR(o, 0.5)],
        [4, 12],
    ),
    "chained": lambda m, o: m.ChainedScheduler(
        [m.ConstantLR(o, 0.5, 4), m.ExponentialLR(o, 0.9), m.CosineAnnealingLR(o, 6)]
    ),
}  # fmt: skip
OPTIMIZERS = [("SGD", MOMENTUM), ("Adam", {"betas": (0.7, 0.9)})]


def rates(optimizer: Any) -> list[Any]:
    """Give what schedules change."""
    return [
        (group["lr"], group.get("momentum"), group.get("betas"))[
            :: 1 if "betas" not in group else 2
        ]
        for group in optimizer.param_groups
    ]


def flat(values: Any) -> Any:
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        elif value is not None:
            yield value


def assert_same(ours: Any, theirs: Any) -> None:
    assert_allclose(list(flat(rates(ours))), list(flat(rates(theirs))), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("name", CASES)
def test_schedules_are_pytorchs(name: str, kind: str, options: dict[str, Any]) -> None:
    ours, theirs = (an_optimizer(m, kind, **options) for m in (optim, torch.optim))
    here, there = CASES[name](lr_scheduler, ours), CASES[name](torch.optim.lr_scheduler, theirs)
    seen = set()
    for _ in range(24):
        assert_same(ours, theirs)
        assert_allclose(here.get_last_lr(), there.get_last_lr(), rtol=1e-12, atol=1e-15)
        seen.add(here.get_last_lr()[0])
        theirs.step()
        here.step()
        there.step()
    assert len(seen) > 1


def test_averages_begin_at_once_without_epochs_to_anneal() -> None:
    ours, theirs = (an_optimizer(m) for m in (optim, torch.optim))
    optim.swa_utils.SWALR(ours, 0.05, 0)
    torch.optim.swa_utils.SWALR(theirs, 0.05, 0)
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", CASES)
def test_a_schedule_goes_on_from_its_state(name: str) -> None:
    first = an_optimizer(optim, **MOMENTUM)
    scheduler = CASES[name](lr_scheduler, first)
    for _ in range(7):
        scheduler.step()
    second = an_optimizer(optim, **MOMENTUM)
    again = CASES[name](lr_scheduler, second)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    again.load_state_dict(pickle.loads(pickle.dumps(scheduler.state_dict())))  # noqa: S301
    for _ in range(12):
        scheduler.step()
        again.step()
        assert_same(second, first)


def test_a_schedule_goes_on_from_a_step() -> None:
    optimizer = an_optimizer(optim)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        scheduler.step()
    again = lr_scheduler.ExponentialLR(optimizer, 0.5, last_epoch=scheduler.last_epoch)
    assert_allclose(again.get_last_lr(), [0.5 / 16, 0.3 / 16])
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.ExponentialLR(an_optimizer(optim), 0.5, last_epoch=3)


def test_changes_by_hand_are_kept() -> None:
    for module in (optim, torch.optim):
        optimizer = an_optimizer(module)
        scheduler = module.lr_scheduler.StepLR(optimizer, 2, 0.5)
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 8.0
        for _ in range(5):
            scheduler.step()
        assert scheduler.get_last_lr() == [2.0, 0.075]


def test_restarts_go_to_any_point_in_time() -> None:
    ours, theirs = (an_optimizer(m) for m in (optim, torch.optim))
    theirs.step()
    here = lr_scheduler.CosineAnnealingWarmRestarts(ours, 3, 2)
    there = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 3, 2)
    for epoch in (0.3, 1.9, 2.5, 3.2, 8.0, 9.4, 20.5, None, 1.1):
        here.step(epoch)
        there.step(epoch)
        if epoch is not None:  # from there PyTorch goes on to 21.5, and here it is to 21.5 too
            assert_same(ours, theirs)


FIGURES = [1.0, 0.9, 0.95, 0.95, 0.9, 0.91, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, float("nan"), 0.7, 1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 1, "mode": "max", "factor": 0.3},
        {"patience": 0, "threshold": 0.15, "cooldown": 1},
        {"patience": 2, "threshold": 0.02, "threshold_mode": "abs"},
        {"patience": 0, "threshold": 0.02, "threshold_mode": "abs", "mode": "max", "cooldown": 2},
        {"patience": 1, "threshold": 0.0, "threshold_mode": "abs"},
        {"patience": 0, "min_lr": [0.1, 0.02], "eps": 1e-3, "factor": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("sign", [1, -1])
def test_plateaus_are_pytorchs(options: dict[str, Any], sign: int) -> None:
    ours, theirs = (an_optimizer(m) for m in (optim, torch.optim))
    here = lr_scheduler.ReduceLROnPlateau(ours, **options)
    there = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for figure in FIGURES * 2:
        for name in ("best", "num_bad_epochs", "cooldown_counter", "last_epoch"):
            assert here.state_dict()[name] == there.state_dict()[name]
        here.step(Tensor(sign * figure))
        there.step(sign * figure)
        assert_same(ours, theirs)
    state = here.state_dict()
    again = lr_scheduler.ReduceLROnPlateau(ours)
    again.load_state_dict(state)
    assert again.state_dict() == state


def test_a_schedule_of_ones_own_says_its_rates() -> None:
    class Inverse(lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    scheduler = Inverse(an_optimizer(optim))
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25, 0.15]


O = an_optimizer(optim)  # noqa: E741


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: lr_scheduler.StepLR(O, 0), "StepLR: step_size is at least 1, got 0"),
        (lambda: optim.swa_utils.SWALR(O, 0.1, 5, "sin"), '"cos" or "linear", got \'sin\''),
        (lambda: lr_scheduler.LinearLR(O, 0.0), "start_factor is above 0 and up to 1"),
        (lambda: lr_scheduler.OneCycleLR(O, 1.0), "give total_steps, or epochs and"),
        (lambda: lr_scheduler.OneCycleLR(O, 1.0, 5, anneal_strategy="sin"), "'cos' or 'linear'"),
        (
            lambda: lr_scheduler.OneCycleLR(an_optimizer(optim, "Adagrad"), 1.0, 5),
            "Adagrad has no momentum; write cycle_momentum=False",
        ),
        (lambda: lr_scheduler.CyclicLR(O, 0.1, 1.0, mode="wave"), "mode is one of triangular"),
        (lambda: lr_scheduler.LambdaLR(O, [abs]), "lr_lambda has 1 items for 2 groups"),
        (lambda: lr_scheduler.SequentialLR(O, [], []), "one schedule more than milestones"),
        (
            lambda: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(O, 1)], an_optimizer(optim)),
            "ChainedScheduler: StepLR is of another optimiser",
        ),
        (lambda: lr_scheduler.ChainedScheduler([]), "there are no schedules"),
        (lambda: lr_scheduler.ReduceLROnPlateau(O, factor=1.0), "factor is below 1"),
        (lambda: lr_scheduler.ReduceLROnPlateau(O, mode="up"), r"mode is one of \('min', 'max'\)"),
    ],
)
def test_mistakes_are_named(mistake: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mistake()


def test_what_is_no_optimizer_is_refused() -> None:
    with pytest.raises(TypeError, match="expected an optimiser, got int"):
        lr_scheduler.StepLR(3, 1)  # type: ignore[arg-type]
    scheduler = lr_scheduler.OneCycleLR(an_optimizer(optim, **MOMENTUM), 1.0, 5)
    for _ in range(5):
        scheduler.step()
    with pytest.raises(ValueError, match="this is step 6 of 5"):
        scheduler.step()
