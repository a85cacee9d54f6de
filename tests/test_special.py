"""SciPy's special functions on tensors: values and derivatives, found without an import."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.special
import torch
from numpy.testing import assert_allclose

from tinytorch import Tensor, check_grads, grad
from tinytorch.operations.special import special_functions

X = np.array([0.15, 0.4, 0.85])
ORDERS = {"zeta": 2.5, "jv": 1.5, "yv": 0.5, "iv": 2.0, "kv": 1.0, "ive": 1.0, "stdtr": 2.5}
ORDERS |= dict.fromkeys(("gammainc", "gammaincc", "gammaincinv", "gammainccinv", "kve"), 1.5)


@pytest.mark.parametrize("name", special_functions)
def test_values_and_derivatives(name: str) -> None:
    function = getattr(scipy.special, name)
    if name in ORDERS:
        order = ORDERS[name]
        assert_allclose(function(order, Tensor(X)).data, function(order, X), rtol=1e-15)
        check_grads(lambda x: function(order, x), X, order=3)
        with pytest.raises(TypeError, match=r"derivative by (the order|their param)"):
            function(Tensor(order), X).sum().backward()
        return
    if function.nin == 3:
        return  # see test_scipy.py
    args = (X, X + 0.1) if function.nin == 2 else (X,)
    assert_allclose(function(*map(Tensor, args)).data, function(*args), rtol=1e-15)
    check_grads(function, *args, order=3)
    for dtype in (np.float16, np.float32):
        y = function(*[Tensor(x.astype(dtype)) for x in args])
        assert y.dtype == dtype


@pytest.mark.parametrize("name", [n for n in special_functions if hasattr(torch.special, n)])
def test_gradients_are_pytorchs(name: str) -> None:
    function, theirs = getattr(scipy.special, name), getattr(torch.special, name)
    if name in {
        "gammainc",
        "gammaincc",
        "zeta",
        "xlogy",
        "xlog1py",
        "psi",
    }:  # of two arguments; PyTorch's psi' has 9 digits
        return
    x = torch.tensor(X, requires_grad=True)
    theirs(x).sum().backward()
    assert_allclose(grad(lambda x: function(x).sum())(X), x.grad, rtol=1e-12)


def test_the_page_names_what_has_a_rule() -> None:
    page = Path(__file__).parents[1] / "docs" / "do" / "scipy.md"
    table = page.read_text(encoding="utf-8").partition("| `special` (SciPy's own) |")[2]
    rows, _, _ = table.partition("| `special` |")
    named = {getattr(scipy.special, name).__name__ for name in re.findall(r"`(\w+)`", rows)}
    assert named == set(special_functions)


def test_what_has_no_rule_is_named() -> None:
    with pytest.raises(TypeError, match=r"scipy\.special\.wofz has no derivative rule here"):
        scipy.special.wofz(Tensor(X))


def test_scipy_is_not_imported() -> None:
    code = "import sys, tinytorch; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
