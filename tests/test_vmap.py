"""`vmap`: every operation in a batch, against a loop; and the nests, axes and errors of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from numpy.testing import assert_allclose
from reference import leaves
from test_linalg import CASES as LINEAR_ALGEBRA
from test_transforms import function_of_variables

from tinytorch import grad, vjp, vmap

Function = Callable[..., Any]


def assert_close(actual: Any, expected: Any) -> None:
    actual, expected = list(leaves(actual)), list(leaves(expected))
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        scale = max(1, np.max(np.abs(b), initial=0))
        assert_allclose(a, b, rtol=1e-9, atol=1e-11 * scale)


def stacked(results: Any) -> list[Any]:
    """Stack what a loop gave, leaf by leaf."""
    return [np.stack(column) for column in zip(*map(leaves, results), strict=True)]


# --- every operation ------------------------------------------------------------------------------

EXAMPLES = 3
BY_NAME = [pytest.param(case, id=case.name) for case in [*CASES, *LINEAR_ALGEBRA]]


@pytest.mark.parametrize("case", BY_NAME)
def test_every_operation_in_a_batch(case: Case) -> None:
    """Values, gradients within and of the batch, and second derivatives, against a loop."""
    f, xs = function_of_variables(case, case.arguments(dice(2)))
    # Smaller in proportion, so that all are in the domain where the first ones are.
    examples = [[x * (1 - 0.1 * i) for x in xs] for i in range(EXAMPLES)]
    args, numbers = [np.stack(column) for column in zip(*examples, strict=True)], range(len(xs))
    rng = np.random.default_rng(0)
    outs, pullbacks = zip(*[vjp(f, *example) for example in examples], strict=True)
    ws = [rng.normal(size=(EXAMPLES, *y.shape)) for y in outs[0]]
    gradients = [pull([w[i] for w in ws]) for i, pull in enumerate(pullbacks)]
    out, pullback = vjp(vmap(f), *args)
    assert_close(vmap(f)(*args), stacked(outs))
    assert_close(out, stacked(outs))
    assert_close(pullback(ws), stacked(gradients))

    def slopes(xs: Any, ws: Any) -> Any:
        return list(vjp(f, *xs)[1](ws))

    assert_close(vmap(slopes)(args, ws), stacked(gradients))
    vs = [rng.normal(size=x.shape) for x in args]

    def contracted(*args: Any) -> Any:
        found = vmap(slopes)(list(args), ws)
        return sum((g * v).sum() for g, v in zip(found, vs, strict=True))

    def one(i: int) -> Function:
        def contracted(*xs: Any) -> Any:
            found = slopes(xs, [w[i] for w in ws])
            return sum((g * v[i]).sum() for g, v in zip(found, vs, strict=True))

        return contracted

    second = [grad(one(i), numbers)(*example) for i, example in enumerate(examples)]
    assert_close(grad(contracted, numbers)(*args), stacked(second))


@pytest.mark.parametrize("case", BY_NAME)
def test_every_operation_with_an_argument_that_all_share(case: Case) -> None:
    f, xs = function_of_variables(case, case.arguments(dice(2)))
    if len(xs) < 2:
        return
    others = [[x * (1 - 0.1 * i) for x in xs[1:]] for i in range(EXAMPLES)]
    args = [np.stack(column) for column in zip(*others, strict=True)]
    outs, pullbacks = zip(*[vjp(f, xs[0], *example) for example in others], strict=True)
    rng = np.random.default_rng(0)
    ws = [rng.normal(size=(EXAMPLES, *y.shape)) for y in outs[0]]
    gradients = [pull([w[i] for w in ws]) for i, pull in enumerate(pullbacks)]
    axes = (None, *[0] * len(args))
    out, pullback = vjp(vmap(f, axes), xs[0], *args)
    assert_close(out, stacked(outs))
    first, *rest = stacked(gradients)
    assert_close(pullback(ws), [first.sum(axis=0), *rest])
    within = vmap(lambda *given: list(vjp(f, *given[:-1])[1](given[-1])), (*axes, 0))
    assert_close(within(xs[0], *args, ws), [first, *rest])
