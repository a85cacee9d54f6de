"""SciPy's counterparts: SciPy's values, and derivatives that agree with differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats
from numpy.testing import assert_allclose
from reference import leaves

import tinytorch.scipy
from tinytorch import Tensor, check_grads, grad, hessian, jacobian

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 3)) / 2
B = RNG.normal(size=(2, 2)) / 2
Q = RNG.normal(size=(3, 2))
X = np.array([0.3, 0.8, 0.45])
P = np.array([1.3, 2.1, 0.7])
POSITIVE = A @ A.T + np.eye(3)

# --- ufuncs with parameters -----------------------------------------------------------------------

UFUNCS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "loggamma": (scipy.special.loggamma, (X,)),
    "exprel": (scipy.special.exprel, (X,)),
    "spence": (scipy.special.spence, (X,)),
    "boxcox": (scipy.special.boxcox, (P, X)),
    "gammainc": (lambda x: scipy.special.gammainc(P, x), (X,)),
    "gammaincc": (lambda x: scipy.special.gammaincc(P, x), (X,)),
    "betainc": (lambda x: scipy.special.betainc(P, 1.7, x), (X,)),
    "stdtr": (lambda x: scipy.special.stdtr(P, x), (X,)),
}


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs(name: str) -> None:
    function, args = UFUNCS[name]
    assert_allclose(function(*map(Tensor, args)).data, function(*args), rtol=1e-15)
    check_grads(function, *args, order=2)


def test_the_limits_of_ufuncs() -> None:
    assert_allclose(grad(scipy.special.exprel)(0.0), 0.5)
    assert_allclose(grad(grad(scipy.special.exprel))(0.0), 1 / 3)
    assert_allclose(grad(scipy.special.spence)(1.0), -1)
    assert_allclose(grad(lambda p: scipy.special.boxcox(3.0, p))(0.0), np.log(3) ** 2 / 2)
    with pytest.raises(TypeError, match="by a parameter"):
        grad(lambda a: scipy.special.gammainc(a, 0.5))(1.2)


# --- the rooms ------------------------------------------------------------------------------------

FUNCTIONS: dict[str, tuple[Callable[[Any], Callable[..., Any]], tuple[Any, ...]]] = {
    "expm": (lambda s: s.linalg.expm, (A,)),
    "expm of a stack": (lambda s: s.linalg.expm, (RNG.normal(size=(2, 2, 2)),)),
    "logm": (lambda s: s.linalg.logm, (POSITIVE,)),
    "sqrtm": (lambda s: s.linalg.sqrtm, (POSITIVE,)),
    "solve_sylvester": (lambda s: s.linalg.solve_sylvester, (A + 3 * np.eye(3), B, Q)),
    "block_diag": (lambda s: s.linalg.block_diag, (A, Q, X)),
    "toeplitz": (lambda s: s.linalg.toeplitz, (X, np.append(X[0], P))),
    "toeplitz of one": (lambda s: s.linalg.toeplitz, (X,)),
    "cho_solve": (
        lambda s: lambda a, b: s.linalg.cho_solve(s.linalg.cho_factor(a @ a.T + np.eye(3)), b),
        (A, Q),
    ),
    "cho_solve lower": (
        lambda s: (
            lambda a, b: s.linalg.cho_solve(s.linalg.cho_factor(a @ a.T + np.eye(3), lower=True), b)
        ),
        (A, X),
    ),
    "logsumexp": (lambda s: lambda x: s.special.logsumexp(x, axis=1), (A,)),
    "logsumexp b": (lambda s: lambda x, b: s.special.logsumexp(x, 0, b), (A, np.abs(A) + 0.1)),
    "softmax": (lambda s: s.special.softmax, (A,)),
    "log_softmax": (lambda s: lambda x: s.special.log_softmax(x, axis=0), (A,)),
    "multigammaln": (lambda s: lambda x: s.special.multigammaln(x, 3), (X + 2,)),
    "polygamma": (lambda s: lambda x: s.special.polygamma(2, x), (X,)),
}
for _lower in (False, True):
    for _trans in (0, "T"):
        for _unit in (False, True):
            FUNCTIONS[f"solve_triangular {_lower} {_trans} {_unit}"] = (
                lambda s, o=(_trans, _lower, _unit): (
                    lambda a, b: s.linalg.solve_triangular(a, b, *o)
                ),
                (A + 2 * np.eye(3), X if _unit else Q),
            )
for _mode in ("full", "same", "valid"):
    for _name in ("convolve", "correlate", "fftconvolve"):
        if (_name, _mode) != ("correlate", "same"):
            FUNCTIONS[f"{_name} {_mode}"] = (
                lambda s, n=_name, m=_mode: lambda a, b: getattr(s.signal, n)(a, b, m),
                (RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3))),
            )
SHAPES: dict[str, tuple[float, ...]] = {"t": (3.5,), "gamma": (2.3,), "chi2": (3.1,)}
SHAPES |= {"beta": (1.4, 2.2), "lognorm": (0.8,)}
PLAIN_SHAPES = {"t", "gamma", "chi2", "beta"}  # by which a cdf has no derivative here
for _name in (
    *("norm", "t", "gamma", "beta", "expon", "chi2", "laplace", "cauchy", "logistic", "lognorm"),
    "uniform",
):
    _shapes = tuple(np.array(v) for v in SHAPES.get(_name, ()))
    _rest = (np.array(0.1), np.array(1.7))
    for _what in ("logpdf", "pdf"):
        FUNCTIONS[f"{_name}.{_what}"] = (
            lambda s, n=_name, w=_what: getattr(getattr(s.stats, n), w),
            (X, *_shapes, *_rest),
        )
    for _what in ("cdf", "logcdf", "sf"):
        FUNCTIONS[f"{_name}.{_what}"] = (
            lambda s, n=_name, w=_what, v=_shapes: (
                lambda x, loc, scale: getattr(getattr(s.stats, n), w)(
                    x, *map(float, v), loc=loc, scale=scale
                )
            ),
            (X, *_rest),
        )
FUNCTIONS |= {
    "poisson": (lambda s: lambda mu: s.stats.poisson.logpmf([0, 2, 5], mu), (P,)),
    "binom": (lambda s: lambda p: s.stats.binom.logpmf([0, 2, 5], 6, p), (X,)),
    "bernoulli": (lambda s: lambda p: s.stats.bernoulli.logpmf([0, 1, 1], p), (X,)),
    "multivariate_normal": (
        lambda s: lambda x, m, a: s.stats.multivariate_normal.logpdf(x, m, a @ a.T + np.eye(3)),
        (RNG.normal(size=(2, 3)), X, A),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_counterpart_is_scipys(name: str) -> None:
    find, args = FUNCTIONS[name]
    function = find(tinytorch.scipy)
    made = [y.data for y in leaves(function(*map(Tensor, args)))]
    theirs = find(scipy)
    expected = (
        scipy.stats.multivariate_normal(X, args[2] @ args[2].T + np.eye(3)).logpdf(args[0])
        if name == "multivariate_normal"
        else theirs(*args)
    )
    for y, z in zip(made, leaves(expected), strict=True):
        assert_allclose(y, z, rtol=1e-10, atol=1e-12)
    check_grads(function, *args, order=2)


def test_outside_of_the_support_the_density_is_0() -> None:
    stats = tinytorch.scipy.stats
    x = Tensor([-1.0, 0.5])
    y = stats.gamma.pdf(x, 2.0)
    y.sum().backward()
    assert y.data[0] == x.grad[0] == 0
    assert stats.expon.cdf(x).data[0] == 0
    assert stats.uniform.logpdf(3.0).data == -np.inf
    with pytest.raises(TypeError, match="the arguments are x, a, loc, scale"):
        stats.gamma.pdf(x)


def test_what_is_not_there_is_said() -> None:
    linalg, signal = tinytorch.scipy.linalg, tinytorch.scipy.signal
    for call, message in (
        (lambda: linalg.expm(Q), "square matrices"),
        (lambda: linalg.solve_triangular(A, X, trans=2), "trans is"),
        (lambda: signal.convolve(X, A), "numbers of axes differ"),
        (lambda: signal.convolve(X, X, "most"), "mode is"),
        (lambda: signal.convolve(np.ones((3, 1)), np.ones((1, 2)), "valid"), "neither lies"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- solutions ------------------------------------------------------------------------------------


def cubes(x: Any, a: Any, b: Any) -> Any:
    return np.stack([x[0] ** 3 + x[0] - a[0], x[1] + b * x[0] - a[1]])


def test_a_root_is_differentiated_implicitly() -> None:
    def solution(a: Any, b: Any) -> Any:
        return tinytorch.scipy.optimize.root(cubes, [1.0, 1.0], (a, b), tol=1e-13).x

    a, b = np.array([2.5, 0.3]), np.array(0.7)
    assert_allclose(cubes(solution(a, b).data, a, b), 0, atol=1e-12)
    check_grads(solution, a, b, order=2, rtol=1e-4, atol=1e-5)
    dx = 1 / (3 * solution(a, b).data[0] ** 2 + 1)
    assert_allclose(jacobian(solution)(a, b)[0], [dx, 0], rtol=1e-10)


def test_a_minimum_is_differentiated_implicitly() -> None:
    def smallest(a: Any) -> Any:
        def fun(x: Any, a: Any) -> Any:
            return np.sum(np.cosh(x - a)) + np.sum(x * x) / 2

        return tinytorch.scipy.optimize.minimize(fun, np.zeros(3), (a,), tol=1e-7).x.sum()

    x = np.array([0.4, -0.9, 1.3])
    check_grads(smallest, x, order=1)
    assert np.isfinite(hessian(smallest)(x)).all()


def test_what_solvers_refuse() -> None:
    optimize = tinytorch.scipy.optimize
    a = Tensor(2.0)
    with pytest.raises(TypeError, match="put it into args"):
        optimize.root(lambda x: x * x - a, 1.0)
    with pytest.raises(RuntimeError, match="no solution"):
        optimize.root(lambda x: x * x + 1, [1.0])
