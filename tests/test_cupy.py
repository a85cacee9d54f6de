"""On a GPU: the same values and gradients as NumPy's, and nothing goes to the host unasked.

Where `TINYTORCH_GPU=1` is set (`make gpu-tests`) these tests run on CuPy, else on a stand-in for it
that refuses what CuPy refuses (`strict_array.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import test_linalg
import test_operations
from cases import CASES, Case, Choices, dice
from gpu import IS_REAL, assert_same, cupy, installed, transferring  # noqa: F401
from reference import exchanged, is_variable, leaves, weights

from tinytorch import Tensor
from tinytorch.autograd import grad

# --- every operation ------------------------------------------------------------------------------


def elementwise(name: str, method: Callable[..., Any], operands: int) -> Case:
    def arguments(choose: Choices) -> Any:
        offset = 1 if name == "ARCCOSH" else 0
        return tuple(
            np.asarray(np.random.default_rng(i).choice(test_operations.SMOOTH, x.shape) + offset)
            for i, x in enumerate(choose.broadcasting(operands))
        )

    return Case(name.lower(), arguments, here=(method,))


ALL = [elementwise(*row) for row in test_operations.ELEMENTWISE] + CASES + test_linalg.CASES
if IS_REAL:  # whose vectors may have other signs than LAPACK's
    ALL = [case for case in ALL if not case.name.startswith(("svd", "eigh", "qr"))]
BY_NAME = [pytest.param(case, id=case.name) for case in ALL]


def differentiated(function: Callable[..., Any], args: Any, make: Callable[[Any], Any]) -> Any:
    """Give the outputs, the gradients that `backward` leaves behind, and second derivatives."""
    xs: list[Tensor] = []

    def change(x: Any) -> Any:
        if not is_variable(x):
            return make(x) if isinstance(x, np.ndarray) else x
        xs.append(Tensor(make(x)))
        return xs[-1]

    outputs = list(leaves(function(*exchanged(args, change))))
    ws = [make(w) for w in weights([y.shape for y in outputs], 1)]
    vs = [make(v) for v in weights([x.shape for x in xs], 2)]
    pairs = [(y, w) for y, w in zip(outputs, ws, strict=True) if y.requires_grad]
    for y, w in pairs:
        y.backward(w)
    first = [x.grad for x in xs]
    second: list[Any] = []
    if pairs:
        ys, ws = zip(*pairs, strict=True)
        found = grad(ys, xs, list(ws), create_graph=True, allow_unused=True)
        both = zip(found, vs, strict=True)
        graphs = [(g, v) for g, v in both if g is not None and g.requires_grad]
        if graphs:
            gs, vs = zip(*graphs, strict=True)
            second = [g.data for g in grad(gs, xs, list(vs), allow_unused=True) if g is not None]
    return [getattr(y, "_value", y) for y in outputs], first, second


# Their shapes depend on values, which the host has to know.
SIZED_BY_VALUES = {
    "repeat", "index", "index by a mask", "masked_select", "compress", "lstsq",
}  # fmt: skip


def assert_agrees(case: Case, function: Callable[..., Any], args: Any) -> None:
    with np.errstate(all="ignore"):
        expected = differentiated(function, args, np.asarray)
        if case.name in SIZED_BY_VALUES:
            actual = differentiated(function, args, cupy.asarray)
        else:
            with transferring(0):
                actual = differentiated(function, args, cupy.asarray)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_same(ours, theirs)


@pytest.mark.parametrize("case", BY_NAME)
def test_every_operation_gives_numpys_values_and_gradients(case: Case) -> None:
    for seed in range(2):
        args = case.arguments(dice(seed))
        for function in case.spellings:
            assert_agrees(case, function, args)


# --- the stand-in ---------------------------------------------------------------------------------


def test_numpys_arrays_and_what_cupy_lacks_are_refused() -> None:
    x, y = cupy.ones((2, 3)), np.ones((2, 3))
    for refused in (
        lambda: np.asarray(x), lambda: x + y, lambda: y * x, lambda: np.maximum(x, y),
        lambda: np.add(x, np.array(1.0)), lambda: np.concatenate([x, y]),
        lambda: np.add.at(x, [0], 1.0), lambda: np.maximum.accumulate(x),
        lambda: np.sum(x, axis=[0, 1]), lambda: np.vecdot(x, x), lambda: np.linalg.svdvals(x),
        lambda: np.sum(x, where=y > 0), lambda: np.block([x]), lambda: np.linalg.pinv(x, rtol=0.1),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            refused()
    q = np.linalg.qr(x)
    assert type(q) is tuple or IS_REAL
    for array in (x.sum(), x[0, 0], np.max(x), x.argmax(), np.allclose(x, x)):
        assert isinstance(array, cupy.ndarray)
        assert array.shape == ()
    for transfer in (lambda: x.sum().item(), lambda: float(x[0, 0]), lambda: bool((x > 0).all())):
        with transferring(1):
            transfer()
