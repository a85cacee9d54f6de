"""Kinks, ties and nan: PyTorch's slope of every function of entries, and the slope of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional as theirs

from tinytorch import Tensor, autograd
from tinytorch.nn import functional as ours

nan = np.nan
# PyTorch's name; the places where the slope jumps.
KINKS: dict[str, tuple[float, ...]] = {
    "relu": (0.0,), "relu6": (0.0, 6.0), "leaky_relu": (0.0,), "elu": (0.0,), "selu": (0.0,),
    "celu": (0.0,), "hardtanh": (-1.0, 1.0), "hardswish": (-3.0, 3.0),
    "hardshrink": (-0.5, 0.5), "softshrink": (-0.5, 0.5), "softsign": (0.0,), "softplus": (0.0,),
    "logsigmoid": (0.0,), "silu": (0.0,), "mish": (0.0,), "gelu": (0.0,), "tanhshrink": (0.0,),
    "sigmoid": (0.0,), "tanh": (0.0,),
}  # fmt: skip
METHODS: dict[str, tuple[float, ...]] = {
    "abs": (0.0,), "exp": (0.0,), "exp2": (0.0,), "expm1": (0.0,), "log": (1.0,),
    "log1p": (0.0,), "log2": (1.0,), "log10": (1.0,), "sqrt": (4.0,), "rsqrt": (4.0,),
    "square": (0.0,), "reciprocal": (2.0,), "floor": (1.0,), "ceil": (1.0,), "trunc": (0.0,),
    "round": (0.5,), "sin": (0.0,), "cos": (0.0,), "tan": (0.0,), "asin": (0.0,), "acos": (0.0,),
    "atan": (0.0,), "sinh": (0.0,), "cosh": (0.0,), "tanh": (0.0,), "asinh": (0.0,),
    "acosh": (2.0,), "atanh": (0.0,), "sinc": (0.5,), "deg2rad": (0.0,), "rad2deg": (0.0,),
    "erf": (0.0,), "sigmoid": (0.0,), "nan_to_num": (0.0,),
}  # fmt: skip
PAIRS = ["maximum", "minimum", "fmax", "fmin", "hypot", "atan2", "logaddexp", "logaddexp2"]
TIES = [(1.0, 1.0), (0.0, -0.0), (1.0, nan), (nan, 1.0), (nan, nan), (1.0, 2.0), (2.0, 1.0)]


def slopes(function: Any, x: Any, *, torchs: bool) -> list[float]:
    """Give the value, the slope, and the slope of the slope at one place."""
    if torchs:
        t = torch.tensor([x], dtype=torch.float64, requires_grad=True)
        y = function(t)
        (slope,) = torch.autograd.grad(y.sum(), t, create_graph=True)
        second = torch.zeros(1)
        if slope.requires_grad:
            (second,) = torch.autograd.grad(slope.sum(), t, allow_unused=True)
        return [y.item(), slope.item(), 0.0 if second is None else second.item()]
    p = Tensor([x])
    y = function(p)
    (slope,) = autograd.grad(y.sum(), p, create_graph=True)
    second: Any = 0.0
    if slope.requires_grad:
        slope.sum().backward()
        second = p.grad[0]
    return [y.item(), slope.item(), float(second)]


def compare(mine: Any, there: Any, x: float) -> None:
    with np.errstate(all="ignore"):
        found = slopes(mine, x, torchs=False)
    expected = slopes(there, x, torchs=True)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-12)  # PyTorch's 1/6 is that of float32


@pytest.mark.parametrize("name", KINKS)
def test_activations_at_kinks_and_nan(name: str) -> None:
    for x in (*KINKS[name], nan):
        compare(getattr(ours, name), getattr(theirs, name), x)


@pytest.mark.parametrize("name", METHODS)
def test_functions_at_kinks_and_nan(name: str) -> None:
    for x in (*METHODS[name], nan):
        compare(lambda x: getattr(x, name)(), lambda x: getattr(x, name)(), x)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_at_ties_and_nan(name: str) -> None:
    for values in TIES:
        pairs = (
            [Tensor([x]) for x in values],
            [torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in values],
        )
        with np.errstate(all="ignore"):
            (x, y), (t, s) = pairs
            z, w = getattr(x, name)(y), getattr(torch, name)(t, s)
            z.backward()
            w.backward()
        assert_allclose(z.data, w.detach(), rtol=1e-12)
        assert_allclose([x.grad, y.grad], [t.grad, s.grad], rtol=1e-12, err_msg=str(values))


@pytest.mark.parametrize("name", ["amax", "amin", "max", "min"])
def test_extremes_at_ties_and_nan(name: str) -> None:
    for values in ([0.0, nan, 2.0, 2.0], [2.0, 2.0, 1.0, 1.0], [nan, nan, 1.0, 0.0]):
        x, t = Tensor(values), torch.tensor(values, dtype=torch.float64, requires_grad=True)
        getattr(x, name)().backward()
        getattr(t, name)().backward()
        assert_array_equal(x.grad, t.grad)


def test_norms_at_zero_and_nan() -> None:
    for order in (1, 2, 3, np.inf, -np.inf, 1.5):
        for values in ([0.0, 2.0, -2.0], [nan, 1.0, -2.0], [3.0, 3.0, -3.0]):
            x, t = Tensor(values), torch.tensor(values, dtype=torch.float64, requires_grad=True)
            x.norm(order).backward()
            torch.linalg.vector_norm(t, order).backward()
            assert_allclose(x.grad, t.grad, rtol=1e-12, err_msg=f"{order} {values}")
