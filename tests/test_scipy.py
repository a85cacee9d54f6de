"""SciPy's counterparts: SciPy's values, and derivatives that agree with differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.special
import scipy.stats
from numpy.testing import assert_allclose
from reference import leaves

import tinytorch.scipy
from tinytorch import Tensor, check_grads, grad

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
    "betaincc": (lambda x: scipy.special.betaincc(P, 1.7, x), (X,)),
    "betaincinv": (lambda y: scipy.special.betaincinv(P, 1.7, y), (X,)),
    "huber": (scipy.special.huber, (X + 0.2, np.array([0.1, -2.0, 0.3]))),
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
    assert_allclose(grad(grad(scipy.special.spence))(1.0), 1 / 2)

    def of_power(power: Any) -> Any:
        return scipy.special.boxcox(3.0, power)

    assert_allclose(grad(of_power)(0.0), np.log(3) ** 2 / 2)
    assert_allclose(grad(grad(of_power))(0.0), np.log(3) ** 3 / 3)
    assert grad(lambda x: scipy.special.gammainc(1.0, x))(0.0) == 1
    assert grad(lambda x: scipy.special.betainc(1.0, 2.0, x))(0.0) == 2
    with pytest.raises(TypeError, match="by their parameters"):
        grad(lambda a: scipy.special.gammainc(a, 0.5))(1.2)


# --- the rooms ------------------------------------------------------------------------------------

FUNCTIONS: dict[str, tuple[Callable[[Any], Callable[..., Any]], tuple[Any, ...]]] = {
    "expm": (lambda s: s.linalg.expm, (A,)),
    "expm of a stack": (lambda s: s.linalg.expm, (RNG.normal(size=(2, 2, 2)),)),
    "expm of a number": (lambda s: s.linalg.expm, (np.array([[2.0]]),)),
    "expm of nothing": (lambda s: s.linalg.expm, (np.ones((0, 0)),)),
    "logm": (lambda s: s.linalg.logm, (POSITIVE,)),
    "sqrtm": (lambda s: s.linalg.sqrtm, (POSITIVE,)),
    "solve_sylvester": (lambda s: s.linalg.solve_sylvester, (A + 3 * np.eye(3), B, Q)),
    "block_diag": (lambda s: s.linalg.block_diag, (A, Q, X)),
    "toeplitz": (lambda s: s.linalg.toeplitz, (X, np.append(X[0], P))),
    "toeplitz of one": (lambda s: s.linalg.toeplitz, (X,)),
    "solve_banded": (
        lambda s: lambda ab, b: s.linalg.solve_banded((2, 1), ab, b),
        (RNG.normal(size=(4, 5)) + 4 * (np.arange(4) == 1)[:, None], RNG.normal(size=(5, 2))),
    ),
    "solve_banded of a row": (
        lambda s: lambda ab, b: s.linalg.solve_banded((0, 1), ab, b),
        (RNG.normal(size=(2, 4)) + 3, RNG.normal(size=4)),
    ),
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
        FUNCTIONS[f"{_name} {_mode}"] = (
            lambda s, n=_name, m=_mode: lambda a, b: getattr(s.signal, n)(a, b, m),
            (RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3))),
        )
FUNCTIONS["convolve by a larger"] = (
    lambda s: lambda a, b: s.signal.convolve(a, b, "valid"),
    (X, RNG.normal(size=7)),
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
    _numbers = [*map(float, _shapes)]
    for _what in ("cdf", "logcdf", "sf"):
        FUNCTIONS[f"{_name}.{_what}"] = (
            lambda s, n=_name, w=_what, v=_numbers: (
                lambda x, loc, scale: getattr(getattr(s.stats, n), w)(x, *v, loc=loc, scale=scale)
            ),
            (X, *_rest),
        )
FUNCTIONS |= {
    "poisson": (lambda s: lambda mu: s.stats.poisson.logpmf([0, 2, 5], mu), (P,)),
    "binom": (lambda s: lambda p: s.stats.binom.logpmf([0, 2, 5], 6, p), (X,)),
    "multinomial": (
        lambda s: lambda p: s.stats.multinomial.logpmf([[1, 0, 3], [2, 2, 0]], 4, p / p.sum()),
        (P,),
    ),
    "dirichlet": (
        lambda s: lambda x, alpha: s.stats.dirichlet.logpdf(x / x.sum(axis=0), alpha),
        (np.abs(RNG.normal(size=(3, 2))), P),
    ),
    "dirichlet of all but one": (lambda s: s.stats.dirichlet.logpdf, (X[:2] / 2, P)),
    "wishart": (
        lambda s: (
            lambda x, df, a: s.stats.wishart.logpdf(
                x @ x.T + np.eye(3), df[()], a @ a.T + np.eye(3)
            )
        ),
        (RNG.normal(size=(3, 3)), np.array(4.5), A),
    ),
    "bernoulli": (lambda s: lambda p: s.stats.bernoulli.logpmf([0, 1, 1], p), (X,)),
    "multivariate_normal": (
        lambda s: lambda x, m, a: s.stats.multivariate_normal.logpdf(x, m, a @ a.T + np.eye(3)),
        (RNG.normal(size=(2, 3)), X, A),
    ),
}


STEPS = np.array([0.0, 0.4, 1.1, 1.5, 2.3, 2.6])
for _n in (2, 5, 6):
    FUNCTIONS[f"simpson of {_n}"] = (
        lambda s: lambda y, x: s.integrate.simpson(y, x=x, axis=0),
        (RNG.normal(size=(_n, 2)), STEPS[:_n]),
    )
FUNCTIONS |= {
    "trapezoid": (lambda s: s.integrate.trapezoid, (RNG.normal(size=(2, 6)), STEPS)),
    "steps": (lambda s: lambda y: s.integrate.simpson(y, dx=0.3), (RNG.normal(size=(2, 4)),)),
}
for _ends in ("not-a-knot", "natural", "clamped", ((1, 0.3), (2, -0.5)), ((2, 0.4), "natural")):
    for _n in (2, 3, 4, 6):
        FUNCTIONS[f"CubicSpline {_ends} {_n}"] = (
            lambda s, e=_ends: lambda x, y, z: s.interpolate.CubicSpline(x, y, bc_type=e)(z),
            (STEPS[:_n], RNG.normal(size=_n), np.array([-0.2, 0.3, 1.3, 2.0])),
        )
for _nu in range(4):
    FUNCTIONS[f"CubicSpline derivative {_nu}"] = (
        lambda s, n=_nu: lambda y, z: s.interpolate.CubicSpline(STEPS, y, axis=1)(z, n),
        (RNG.normal(size=(2, 6, 2)), RNG.uniform(0, 3, (2, 2))),
    )
FUNCTIONS |= {
    "CubicHermiteSpline": (
        lambda s: lambda x, y, d, z: s.interpolate.CubicHermiteSpline(x, y, d)(z),
        (STEPS, RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2)), X),
    ),
    "interp1d": (
        lambda s: lambda x, y, z: s.interpolate.interp1d(x, y, fill_value="extrapolate")(z),
        (STEPS[[3, 0, 5, 1, 2, 4]], RNG.normal(size=(2, 6)), np.array([-0.3, 0.3, 1.3, 3.0])),
    ),
    "interp1d cubic": (
        lambda s: (
            lambda x, y, z: s.interpolate.interp1d(
                x, y, "cubic", axis=0, bounds_error=False, fill_value=(-1.0, 2.0)
            )(z)
        ),
        (STEPS, RNG.normal(size=(6, 2)), np.array([-0.3, 0.3, 1.3, 3.0])),
    ),
}
MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-wrap")
for _i, _mode in enumerate(MODES):
    for _name in ("convolve", "correlate"):
        FUNCTIONS[f"ndimage.{_name} {_mode}"] = (
            lambda s, n=_name, m=_mode: (
                lambda x, w: getattr(s.ndimage, n)(x, w, mode=m, cval=0.3, origin=(0, -1))
            ),
            (RNG.normal(size=(4, 5)), RNG.normal(size=(2 + _i % 2, 3))),
        )
for _order, _mode in (
    *((1, "nearest"), (1, "constant"), (2, "mirror"), (3, "constant")),
    *((3, "grid-wrap"), (4, "mirror"), (5, "constant")),
):
    FUNCTIONS[f"shift {_order} {_mode}"] = (
        lambda s, o=_order, m=_mode: (
            lambda x: s.ndimage.shift(x, (1.3, -0.6), order=o, mode=m, cval=0.2)
        ),
        (RNG.normal(size=(5, 4)),),
    )
FUNCTIONS["shift reflect"] = (
    lambda s: lambda x: s.ndimage.shift(x, 1.3, mode="reflect"),
    (RNG.normal(size=20),),  # in shorter ones SciPy's coefficients are less exact
)
for _mode in ("reflect", "mirror", "grid-wrap", "nearest", "constant"):
    FUNCTIONS[f"shift beyond the image {_mode}"] = (
        lambda s, m=_mode: lambda x: s.ndimage.shift(x, (7.3, -11.6), order=1, mode=m, cval=0.2),
        (RNG.normal(size=(3, 4)),),
    )
FUNCTIONS["shift of coefficients"] = (
    lambda s: lambda x: s.ndimage.shift(x, 0.4, prefilter=False),
    (RNG.normal(size=6),),
)


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


def test_a_part_of_a_whole_may_be_0() -> None:
    x, alpha = np.array([0.0, 0.25, 0.75]), np.array([1.0, 2.0, 3.0])
    found = tinytorch.scipy.stats.dirichlet.logpdf(Tensor(x), alpha)
    assert_allclose(found.item(), scipy.stats.dirichlet.logpdf(x, alpha))
