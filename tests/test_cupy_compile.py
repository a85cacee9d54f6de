"""`compile` on a GPU: programs of CuPy's arrays, whose elementwise calls are kernels.

As the tests beside it, it runs on the stand-in for CuPy, or with `TINYTORCH_GPU=1` on CuPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from gpu import IS_REAL, assert_same, cupy, installed, transferring, uploaded  # noqa: F401
from reference import Function, exchanged, is_variable, leaves, weights
from test_linalg import CASES as LINEAR_ALGEBRA
from test_operations import ELEMENTWISE, SMOOTH

import tinytorch

# --- every operation ------------------------------------------------------------------------------

# What they compute, or its shape, depends on values, which the host has to know.
REFUSED = {"lstsq"}
SIZED_BY_VALUES: set[str] = set()
EVERY_CASE = [
    pytest.param(case, spelling, id=f"{case.name}-{i}")
    for case in [*CASES, *LINEAR_ALGEBRA]
    if case.name not in REFUSED
    and not (IS_REAL and case.name.startswith(("svd", "eigh", "qr")))
    for i, spelling in enumerate(case.spellings)
]


def differentiated(function: Function, arguments: Any) -> Function:
    """Give the function of the floating arrays alone that computes values and gradients."""
    plain = exchanged(arguments, lambda x: x if is_variable(x) else uploaded(x))

    def compute(arrays: Any) -> Any:
        remaining, xs = iter(arrays), []

        def change(x: Any) -> Any:
            if not is_variable(x):
                return x
            xs.append(tinytorch.Tensor(next(remaining)))
            return xs[-1]

        outputs = list(leaves(function(*exchanged(plain, change))))
        for y, w in zip(outputs, weights([y.shape for y in outputs], 1), strict=True):
            if y.requires_grad:
                y.backward(cupy.asarray(w))
        return [getattr(y, "_value", y) for y in outputs] + [x.grad for x in xs]

    return compute


def assert_compiles(function: Function, arrays: list[Any]) -> None:
    """Expect of the program what the function gives, for new arrays, and no transfers."""
    compiled = tinytorch.compile(function)
    for i in range(6):
        moved = [cupy.asarray(x * (1 + i / 100)) for x in arrays]
        expected = function(moved)
        if i < 4:
            actual = compiled(moved)
        else:
            with transferring(0):
                actual = compiled(moved)
        assert_same(actual, [np.asarray(x.get()) for x in expected], rtol=1e-12)
    assert compiled.program is not None


@pytest.mark.parametrize(("case", "spelling"), EVERY_CASE)
def test_every_row_compiled(case: Case, spelling: Function) -> None:
    arguments = case.arguments(dice(3))
    arrays = [x for x in leaves(arguments) if is_variable(x)]
    assert_compiles(differentiated(spelling, arguments), arrays)


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_every_elementwise_operation_compiled(name: str, method: Function, operands: int) -> None:
    offset = 1 if name == "ARCCOSH" else 0
    arrays = [SMOOTH / 1.1 + offset + i / 50 for i in range(operands)]
    assert_compiles(differentiated(method, arrays), arrays)
