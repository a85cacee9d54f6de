"""Compare random computations with PyTorch as long as one likes: `make fuzz SECONDS=600 SEED=1`.

A computation is an operation of the tables, or random leaves, and a random graph of what comes out:
values, first and second derivatives, in float32 too, compiled and not. Of each mismatch the seed
and the shortest graph that still shows it are printed; at the end, how often each operation ran.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from cases import CASES, Choices, dice
from numpy.testing import assert_allclose
from reference import Derivatives, assert_close, exchanged, here, in_torch, is_variable, leaves
from reference import tensors_of as made_tensors
from test_graphs import BINARY, OPERATIONS, SHAPES, Step, loss, results
from test_operations import ELEMENTWISE, SMOOTH, counterpart

from tinytorch import Tensor, compile  # noqa: A004

Function = Callable[..., Any]


class Row(NamedTuple):
    arguments: Callable[[Choices], Any]
    ours: tuple[Function, ...]
    pytorchs: Function


def entry_by_entry(name: str, operands: int) -> Callable[[Choices], Any]:
    low = 1 if name == "ARCCOSH" else 0

    def arguments(choose: Choices) -> Any:
        rng = np.random.default_rng(choose.integer(0, 2**31))
        # Different numbers throughout: neither ties nor an exponent of 0.
        return [
            np.asarray(low + rng.uniform(SMOOTH[0], SMOOTH[-1], x.shape))
            for x in choose.broadcasting(operands)
        ]

    return arguments


TABLE = {
    case.name: Row(case.arguments, tuple(case.spellings), case.reference)
    for case in CASES
    if case.reference
}
TABLE |= {
    name: Row(entry_by_entry(name, operands), (method,), counterpart(method))
    for name, method, operands in ELEMENTWISE
    if counterpart(method)
}


def outputs(function: Function, args: Any) -> list[Any]:
    """Give the floating tensors that come out, whichever library's."""
    found = [y for y in leaves(function(*args)) if hasattr(y, "requires_grad")]
    return [y for y in found if "float" in str(y.dtype)]


def training(function: Function, steps: list[Step], inputs: Any, xs: list[Tensor]) -> Function:
    """Make a function that differentiates; it knows nothing else, through which compile'd look."""

    def step() -> Any:
        for x in xs:
            x.grad = None
        total = loss(results(outputs(function, inputs), steps))
        total.backward()
        return total

    return step


# What is wrong in PyTorch: of the first, no second derivatives are compared; the second follows no
# row of a table, where entries are 0.
PYTORCHS_FAULTS = {
    "logcumsumexp": "its second derivative is wrong where entries are far apart",
    "power": "its second derivative forgets the exponent of x**y at y = 0",
}
# Nor do these, where ties may go either way by rounding.
NOT_OF_TABLES = {"abs", "relu", "maximum", "power"}


class Trial:
    """A computation by its seed: of which arguments, and which steps follow."""

    def __init__(self, seed: int) -> None:
        rng, self.seed = random.Random(seed), seed  # noqa: S311
        self.name = rng.choice([*TABLE, *["leaves"] * (len(TABLE) // 4)])
        if self.name == "leaves":
            numbers = np.random.default_rng(seed)
            shapes = rng.choices(SHAPES, k=rng.randint(1, 4))
            self.args: Any = [numbers.uniform(-3, 3, shape) for shape in shapes]
            self.ours = self.pytorchs = lambda *xs: list(xs)
        else:
            row = TABLE[self.name]
            self.args, self.pytorchs = row.arguments(dice(seed)), row.pytorchs
            self.ours = rng.choice(row.ours)
        # What float32 holds, too, so that its results differ by rounding errors alone.
        self.args = exchanged(
            self.args, lambda x: np.array(x, "f4").astype("f8") if is_variable(x) else x
        )
        values = outputs(self.ours, made_tensors(self.args)[0])
        self.steps: list[Step] = []
        for _ in range(rng.randint(0, 8) if values else 0):
            name = rng.choice([*OPERATIONS])
            places = tuple(rng.choices(range(len(values)), k=1 + (name in BINARY)))
            if any(values[i].size == 0 for i in places) or (
                name in NOT_OF_TABLES and self.name != "leaves"
            ):
                continue
            try:
                values.append(OPERATIONS[name](*[values[i] for i in places]))
            except ValueError:  # these two do not broadcast
                continue
            self.steps.append(Step(name, places))

    def compare(self, steps: list[Step]) -> None:
        """Raise what differs."""

        def ours(*args: Any) -> Any:
            return results(outputs(self.ours, args), steps)

        def theirs(*args: Any) -> Any:
            return results(outputs(self.pytorchs, args), steps)

        once = self.name in PYTORCHS_FAULTS
        mine, expected = here(ours, self.args), in_torch(theirs, self.args, twice=not once)
        assert_near(mine, expected, 1e-9)
        assert_near(here(ours, self.args, np.float32), mine, 3e-3)
        inputs, xs = made_tensors(self.args)
        if not any(y.requires_grad for y in ours(*inputs)):
            return

        step = training(self.ours, steps, inputs, xs)
        total = step()
        slopes = [x.grad.copy() for x in xs]
        compiled = compile(step)
        for _ in range(2):
            try:
                again = compiled()
            except TypeError as error:
                if not str(error).startswith("compile:"):
                    raise
                return  # it says that it cannot
            assert_close(again.data, total.data, rtol=1e-9)
            for x, slope in zip(xs, slopes, strict=True):
                assert_close(x.grad, slope, rtol=1e-9)

    def fails(self, steps: list[Step]) -> Exception | None:
        try:
            with np.errstate(all="ignore"):
                self.compare(steps)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is a mismatch)
            return error
        return None

    def minimised(self) -> list[Step]:
        """Leave steps out, from the last to the first, as long as it still fails."""
        steps, first = self.steps, len(outputs(self.ours, made_tensors(self.args)[0]))
        for i in reversed(range(len(steps))):
            fewer = without(steps, i, first + i)
            if self.fails(fewer):
                steps = fewer
        return steps


def without(steps: list[Step], i: int, place: int) -> list[Step]:
    """Leave out a step, whose result has that place, and use the first operand instead."""
    return [
        Step(name, tuple(0 if j == place else j - (j > place) for j in operands))
        for k, (name, operands) in enumerate(steps)
        if k != i
    ]


def assert_near(actual: Derivatives, expected: Derivatives, rtol: float) -> None:
    """Compare; what cancels is as exact as the largest numbers around."""
    for ours, theirs in zip(actual, expected, strict=True):
        largest = max(
            (np.abs(y[np.isfinite(y)]).max(initial=1) for y in map(np.asarray, theirs)), default=1
        )
        for x, y in zip(ours, theirs, strict=bool(theirs)):
            assert_allclose(x, y, rtol=rtol, atol=rtol * largest)


def main(seconds: float, seed: int) -> int:
    until, ran, failed = time.monotonic() + seconds, Counter[str](), 0
    while time.monotonic() < until:
        trial = Trial(seed)
        ran.update([trial.name, *{step.operation for step in trial.steps}])
        ran["graphs"] += 1
        if error := trial.fails(trial.steps):
            failed += 1
            steps = trial.minimised()
            print(f"seed {seed}: {trial.name} of {trial.args}, then {steps}\n{error}\n")
        seed += 1
    for name, times in ran.most_common():
        print(f"{times:8} {name}")
    print(*(f"PyTorch's {name}: {fault}" for name, fault in PYTORCHS_FAULTS.items()), sep="\n")
    print(f"{ran['graphs'] - failed} passed, {failed} failed; the next seed is {seed}")
    return bool(failed)


if __name__ == "__main__":
    arguments = [*sys.argv[1:], "60", "0"] if len(sys.argv) < 2 else [*sys.argv[1:], "0"]
    sys.exit(main(float(arguments[0]), int(arguments[1])))
