"""Compare random computations with PyTorch as long as one likes: `make fuzz SECONDS=600 SEED=1`.

A computation is an operation of the tables, or random leaves, and a random graph of what comes out:
values, first and second derivatives; one in eight is also run in float32, and one in eight
compiled, which costs several times as much. Of each mismatch the seed and the shortest graph that
still shows it are printed; at the end, how often each operation ran.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, count, islice
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import torch
from cases import CASES, Choices, dice
from numpy.testing import assert_allclose
from reference import exchanged, is_variable, leaves
from reference import tensors_of as made_tensors
from test_graphs import BINARY, OPERATIONS, SHAPES, Step, loss, results
from test_operations import ELEMENTWISE, SMOOTH, counterpart

from tinytorch import Tensor, compile  # noqa: A004
from tinytorch.autograd import grad

Function = Callable[..., Any]
# So many graphs are one piece of work; and so many of them come before one in float32, or compiled.
PIECE, RARE = 400, 8
# Weights of both signs, none near 0, so that every entry's gradient is told apart.
NUMBERS = np.random.default_rng(1).uniform(0.5, 2, 9973) * np.resize([1, -1, -1], 9973)


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
NAMES = [*OPERATIONS]
# The share of graphs that begin with an operation of the tables; the others are quicker.
OF_TABLES = 0.3
# Gradients g of w y by `backward`, values y, g on tensors, and the gradients of v g: of x and of w.
Parts = list[list[Any]]


class Trial:
    """A computation by its seed: of which arguments, and which steps follow."""

    def __init__(self, seed: int) -> None:
        self.rng, self.seed = random.Random(seed), seed  # noqa: S311
        self.name = self.rng.choice([*TABLE]) if self.rng.random() < OF_TABLES else "leaves"
        if self.name == "leaves":
            numbers = np.random.default_rng(seed)
            shapes = self.rng.choices(SHAPES, k=self.rng.randint(1, 4))
            self.args: Any = [numbers.uniform(-3, 3, shape) for shape in shapes]
            self.ours = self.pytorchs = lambda *xs: list(xs)
        else:
            row = TABLE[self.name]
            self.args, self.pytorchs = row.arguments(dice(seed)), row.pytorchs
            self.ours = self.rng.choice(row.ours)
        # What float32 holds, too, so that its results differ by rounding errors alone.
        self.args = exchanged(
            self.args, lambda x: np.array(x, "f4").astype("f8") if is_variable(x) else x
        )
        self.steps: list[Step] = []

    def drawn(self, values: list[Any]) -> list[Any]:
        """Draw the steps while they are done; give all results."""
        rng, first = self.rng, len(values)
        for _ in range(rng.randint(0, 8) if values else 0):
            name = rng.choice(NAMES)
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
        assert len(values) == first + len(self.steps)
        return values

    def compare(self, steps: list[Step] | None = None) -> None:
        """Raise what differs; without steps, they are drawn."""
        twice = self.name not in PYTORCHS_FAULTS
        mine = ours(self.args, lambda *a: self.results(outputs(self.ours, a), steps))
        steps = self.steps if steps is None else steps
        theirs = pytorchs(self.args, lambda *a: results(outputs(self.pytorchs, a), steps), twice)
        # By `backward` each result goes back by itself: infinite gradients may be inf - inf then.
        finite = all(np.isfinite(y).all() for y in theirs[0])
        skipped = 0 if finite else 1
        assert_near(mine[skipped : len(theirs)], theirs[skipped:], 1e-9)
        # Beyond the root of its largest number, a product may overflow; at a kink, its rounding may
        # lead to the other side.
        kinks = {"abs", "relu", "maximum"} & {step.operation for step in steps}
        if (
            self.seed % RARE == 0
            and not kinks
            and largest(chain(*mine)) < np.finfo(np.float32).max ** 0.5
        ):
            in_float32 = ours(
                self.args, lambda *a: results(outputs(self.ours, a), steps), np.float32
            )
            assert_near(in_float32, mine, 3e-3)
        if self.seed % RARE == 1:
            self.compare_compiled(steps)

    def results(self, values: list[Any], steps: list[Step] | None) -> list[Any]:
        return self.drawn(values) if steps is None else results(values, steps)

    def compare_compiled(self, steps: list[Step]) -> None:
        inputs, xs = made_tensors(self.args)
        if not any(y.requires_grad for y in outputs(self.ours, inputs)):
            return
        step = training(self.ours, steps, inputs, xs)
        total = step()
        expected = [total.data, *(x.grad.copy() for x in xs)]
        compiled = compile(step)
        for _ in range(2):
            try:
                again = compiled()
            except TypeError as error:
                if not str(error).startswith("compile:"):
                    raise
                return  # it says that it cannot
            assert_near([[again.data, *(x.grad for x in xs)]], [expected], 1e-9)

    def fails(self, steps: list[Step] | None = None) -> Exception | None:
        try:
            with np.errstate(all="ignore"):
                self.compare(steps)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is a mismatch)
            return error
        return None

    def minimised(self) -> list[Step]:
        """Leave steps out, from the last to the first, as long as it still fails."""
        steps = self.steps
        for i in reversed(range(len(steps))):
            first = len(outputs(self.ours, made_tensors(self.args)[0]))
            fewer = without(steps, i, first + i)
            if self.fails(fewer):
                steps = fewer
        return steps


def weights(arrays: Iterable[Any], start: int) -> list[Any]:
    """Give numbers of the shape of each array."""
    shapes = [tuple(x.shape) for x in arrays]
    return [np.resize(NUMBERS[start + 17 * i :], shape) for i, shape in enumerate(shapes)]


def ours(args: Any, function: Function, dtype: Any = np.float64) -> Parts:
    """Differentiate with TinyTorch: by `backward`, and then twice on tensors."""
    inputs, xs = made_tensors(args, dtype)
    ys = function(*inputs)
    ws = [Tensor(w, dtype=dtype) for w in weights(ys, 1)]
    for y, w in zip(ys, ws, strict=True):
        if y.requires_grad:
            y.backward(w.data)
    vs = [v.astype(dtype) for v in weights(xs, 2)]
    first, second = derived(grad, ys, xs, ws, vs)
    parts = [ys, first, second]
    return [[x.grad for x in xs], *([y.data for y in part] for part in parts)]


def pytorchs(args: Any, function: Function, twice: bool) -> Parts:
    """Differentiate with PyTorch, once or twice."""
    xs: list[torch.Tensor] = []

    def change(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        tensor = torch.from_numpy(x.copy())
        if is_variable(x):
            xs.append(tensor.requires_grad_())
        return tensor

    ys = function(*exchanged(args, change))
    ws = [torch.from_numpy(w).requires_grad_() for w in weights(ys, 1)]
    vs = [torch.from_numpy(v) for v in weights(xs, 2)]
    first, second = derived(torch.autograd.grad, ys, xs, ws, vs, twice)
    parts = [first, ys, first, *([second] if twice else [])]
    return [[y.numpy(force=True) for y in part] for part in parts]


def derived(
    derive: Function, ys: list[Any], xs: list[Any], ws: list[Any], vs: list[Any], twice: bool = True
) -> tuple[list[Any], list[Any]]:
    """Give the gradients g of w y with respect to x, and those of v g with respect to x and w."""

    def gradients(ys: list[Any], xs: list[Any], weights: list[Any], create_graph: bool) -> Any:
        pairs = [(y, w) for y, w in zip(ys, weights, strict=True) if y.requires_grad]
        found = [None] * len(xs)
        if pairs:
            ys, weights = map(list, zip(*pairs, strict=True))
            found = derive(ys, xs, weights, create_graph=create_graph, allow_unused=True)
        return [x.detach() * 0 if g is None else g for x, g in zip(xs, found, strict=True)]

    first = gradients(ys, xs, ws, create_graph=True)
    return first, gradients(first, [*xs, *ws], vs, create_graph=False) if twice else []


def without(steps: list[Step], i: int, place: int) -> list[Step]:
    """Leave out a step, whose result has that place, and use the first operand instead."""
    return [
        Step(name, tuple(0 if j == place else j - (j > place) for j in operands))
        for k, (name, operands) in enumerate(steps)
        if k != i
    ]


def assert_near(actual: Parts, expected: Parts, rtol: float) -> None:
    """Compare; what cancels is as exact as the largest numbers around."""
    for ours, theirs in zip(actual, expected, strict=True):
        assert [x.shape for x in ours] == [y.shape for y in theirs]
        x, y = (np.concatenate([p.ravel() for p in part] or [[]]) for part in (ours, theirs))
        atol = rtol * largest([y])
        if not (np.abs(x - y) <= atol).all():  # much quicker than what follows
            assert_allclose(x, y, rtol=rtol, atol=atol)


def largest(arrays: Iterable[Any]) -> float:
    """Give the largest finite number, but at least 1."""
    return float(max((np.abs(x[np.isfinite(x)]).max(initial=1) for x in arrays), default=1))


def piece(seeds: range) -> tuple[Counter[str], list[str]]:
    """Compare the graphs of these seeds; count them by operation, and tell of what fails."""
    torch.set_num_threads(1)
    gc.disable()  # what is left in circles goes at the end of the piece
    ran, failures = Counter[str](), []
    for seed in seeds:
        trial = Trial(seed)
        error = trial.fails()
        ran.update([trial.name, *{step.operation for step in trial.steps}])
        if error:
            steps = trial.minimised()
            failures.append(f"seed {seed}: {trial.name} of {trial.args}, then {steps}\n{error}\n")
    gc.enable()
    gc.collect()
    return ran, failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    until, ran, failed, graphs = time.monotonic() + options.seconds, Counter[str](), 0, 0
    pieces = (range(i, i + PIECE) for i in count(options.seed, PIECE))
    with ProcessPoolExecutor(options.processes, get_context("fork")) as pool:
        while time.monotonic() < until:
            for counts, failures in pool.map(piece, islice(pieces, 4 * options.processes)):
                ran, graphs, failed = ran + counts, graphs + PIECE, failed + len(failures)
                print(*failures, sep="\n", end="" if not failures else "\n", flush=True)
    for name, times in ran.most_common():
        print(f"{times:8} {name}")
    print(*(f"PyTorch's {name}: {fault}" for name, fault in PYTORCHS_FAULTS.items()), sep="\n")
    print(f"{graphs - failed} passed, {failed} failed; the next seed is {options.seed + graphs}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
