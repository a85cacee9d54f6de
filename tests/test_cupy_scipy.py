"""Complex numbers and SciPy on a GPU: functions give what they give on the CPU, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
from gpu import assert_same, cupy, installed  # noqa: F401

import tinytorch
from tinytorch import Tensor, linalg
from tinytorch.scipy import integrate, special
from tinytorch.scipy import linalg as scipy_linalg

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 3))
X = X @ X.T + np.eye(3)
Z = X + 1j * (X - X[::-1, ::-1] + np.triu(X, 1) - np.triu(X, 1).T)


def differentiated(function: Any, x: Any, make: Any, compiled: bool = False) -> Any:
    def values(x: Any) -> Any:
        tensor = Tensor(x)
        y = function(tensor)
        y.backward(make(np.arange(1.0, y.size + 1).reshape(y.shape).astype(y.dtype)))
        return [y.data, tensor.grad]

    step = tinytorch.compile(values) if compiled else values
    for _ in range(4 if compiled else 1):
        found = step(make(x))
    return found


def assert_as_on_the_cpu(function: Any, x: Any) -> None:
    here = [np.asarray(y) for y in differentiated(function, x, np.asarray)]
    for compiled in (False, True):
        assert_same(differentiated(function, x, cupy.asarray, compiled), here)


COMPLEX = {
    "exp": np.exp, "log": np.log, "sin": np.sin, "tanh": np.tanh, "sqrt": np.sqrt, "abs": np.abs,
    "angle": np.angle, "conj": lambda z: z * z.conj(), "real": np.real, "imag": np.imag,
    "quotient": lambda z: z / (z + 2), "power": lambda z: z**2.5, "mean": np.mean, "var": np.var,
    "prod": np.prod, "cumsum": lambda z: z.cumsum(0), "matmul": lambda z: z @ z,
    "where": lambda z: np.where(True, z, 0), "inv": np.linalg.inv, "det": np.linalg.det,
    "norm": np.linalg.norm, "fft": np.fft.fft, "expm": linalg.matrix_exp,
    "svdvals": linalg.svdvals, "view_as_real": tinytorch.view_as_real,
    "lu": lambda z: linalg.lu(z)[1], "pinv": linalg.pinv,
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_numbers(name: str) -> None:
    assert_as_on_the_cpu(COMPLEX[name], Z)


SCIPY = {
    "simpson": integrate.simpson, "trapezoid": integrate.trapezoid, "expm": scipy_linalg.expm,
    "solve_triangular": lambda x: scipy_linalg.solve_triangular(x, x + 1),
    "cho_factor": lambda x: scipy_linalg.cho_factor(x)[0], "logsumexp": special.logsumexp,
    "softmax": lambda x: special.softmax(x, axis=0), "polygamma": lambda x:
    special.polygamma(1, x * x + 1), "multigammaln": lambda x: special.multigammaln(x * x + 2, 2),
    "erf": scipy.special.erf, "gammaln": lambda x: scipy.special.gammaln(x * x + 1),
    "xlogy": lambda x: scipy.special.xlogy(x * x, 2 + x * x), "expit": scipy.special.expit,
}  # fmt: skip


@pytest.mark.parametrize("name", SCIPY)
def test_functions_of_scipy(name: str) -> None:
    assert_as_on_the_cpu(SCIPY[name], X)


REFUSED = {
    "logm": scipy_linalg.logm, "sqrtm": scipy_linalg.sqrtm,
    "solve_sylvester": lambda x: scipy_linalg.solve_sylvester(x, x, x),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_the_cpu_can_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=r"CuPy cannot do this to its arrays .* x\.cpu\(\) gives"):
        REFUSED[name](Tensor(cupy.asarray(X)))
