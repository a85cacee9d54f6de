"""SciPy's integrals, differential equations, solvers and sparse matrices, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
import scipy.stats
from numpy.testing import assert_allclose

import tinytorch.scipy
from tinytorch import Tensor, check_grads, grad, hessian, jacobian, jvp, vmap
from tinytorch.scipy import integrate, interpolate, ndimage, optimize, stats
from tinytorch.scipy.sparse import linalg

RNG = np.random.default_rng(7)

# --- integrals ------------------------------------------------------------------------------------

TIGHT = {"epsabs": 1e-12, "epsrel": 1e-12}


def wave(x: Any, a: Any, b: Any) -> Any:
    return np.exp(-a * x * x) * np.sin(b["speed"] * x + b["shift"][0])


def integral(low: Any, high: Any, a: Any, speed: Any, shift: Any) -> Any:
    args = (a, {"speed": speed, "shift": [shift]})
    return integrate.quad(wave, low, high, args, **TIGHT)[0]


def test_an_integral_has_derivatives_by_ends_and_parameters() -> None:
    args = (0.2, 1.7, 1.3, 2.1, 0.4)
    expected = scipy.integrate.quad(wave, 0.2, 1.7, (1.3, {"speed": 2.1, "shift": [0.4]}), **TIGHT)
    assert integral(*map(Tensor, args)).data == expected[0]
    check_grads(integral, *args, order=2)
    assert_allclose(grad(integral, 1)(*args), wave(1.7, 1.3, {"speed": 2.1, "shift": [0.4]}))
    assert integrate.quad(np.sin, 0, 1)[1] == scipy.integrate.quad(np.sin, 0, 1)[1]


def test_an_integral_over_all_numbers() -> None:
    def bell(a: Any) -> Any:
        return integrate.quad(lambda x, a: np.exp(-a * x * x), -np.inf, np.inf, a)[0]

    assert_allclose(grad(bell)(2.0), -np.sqrt(np.pi) / 2**2.5, rtol=1e-8)
    assert_allclose(hessian(bell)(2.0), 3 / 4 * np.sqrt(np.pi) / 2**2.5, rtol=1e-8)


def test_an_integral_of_arrays() -> None:
    def function(high: Any, a: Any) -> Any:
        return integrate.quad_vec(
            lambda x, a: np.stack([np.sin(a * x), x + 0 * a]), 0.0, high, args=(a,)
        )[0]

    a = np.array([0.7, 1.2, -0.4])
    assert_allclose(function(2.0, Tensor(a)).data[0], (1 - np.cos(2 * a)) / a, rtol=1e-10)
    assert_allclose(function(2.0, Tensor(a)).data[1], 2.0)
    check_grads(function, 2.0, a, order=2)


# --- differential equations -----------------------------------------------------------------------


def pendulum(y: Any, t: Any, pull: Any, rest: Any) -> Any:
    return [y[1], -pull * np.sin(y[0]) - rest["friction"] * y[1] + 0.1 * t]


def swing(y0: Any, t: Any, pull: Any, friction: Any) -> Any:
    return integrate.odeint(pendulum, y0, t, (pull, {"friction": friction}), rtol=1e-9, atol=1e-9)


SWING = (np.array([0.3, 0.1]), np.array([0.0, 0.4, 0.4, 1.0]), 1.3, 0.2)


def test_odeint_goes_back_by_the_adjoint_equation() -> None:
    expected = scipy.integrate.odeint(
        pendulum, *SWING[:2], (1.3, {"friction": 0.2}), rtol=1e-9, atol=1e-9
    )
    assert_allclose(swing(*map(Tensor, SWING)).data, expected, rtol=1e-15)
    y0, t, pull, friction = SWING
    check_grads(lambda y0, pull, f: swing(y0, t, pull, f), y0, pull, friction, order=1)
    end_at_once = np.array([0.0, 0.3])
    check_grads(lambda y0, pull: swing(y0, end_at_once, pull, 0.2)[1, 0], y0, pull, order=2)
    times = jacobian(swing, 1)(y0, t[[0, 1, 3]], pull, friction)
    end = expected[-1]
    slope = np.stack(pendulum(end, 1.0, pull, {"friction": friction}))
    assert_allclose(times[2, :, 2], slope, rtol=1e-7)
    assert (times[2, :, 1] == 0).all()
    check_grads(lambda t: swing(y0, t, pull, friction), t[[0, 1, 3]], order=1)


def test_a_linear_equation_is_the_exponential_of_its_matrix() -> None:
    a = RNG.normal(size=(3, 3)) / 2

    def flow(a: Any) -> Any:
        return integrate.odeint(
            lambda t, y, a: a @ y, np.ones(3), [0.0, 0.7], (a,), tfirst=True, rtol=1e-11, atol=1e-11
        )[1]

    def exact(a: Any) -> Any:
        return tinytorch.scipy.linalg.expm(0.7 * a) @ np.ones(3)

    assert_allclose(flow(a).data, exact(Tensor(a)).data, rtol=1e-9)
    assert_allclose(jacobian(flow)(a), jacobian(exact)(a), rtol=1e-8, atol=1e-9)
    v = RNG.normal(size=(3, 3))
    assert_allclose(jvp(flow, a, v)[1], jvp(exact, a, v)[1], rtol=1e-8)


def test_backward_gives_what_transforms_give() -> None:
    tensors = [Tensor(x) for x in SWING]
    swing(*tensors).sum().backward()
    grads = grad(lambda *args: swing(*args).sum(), (0, 1, 2, 3))(*SWING)
    for x, expected in zip(tensors, grads, strict=True):
        assert_allclose(x.grad, expected, rtol=1e-12)


def test_solve_ivp_at_fixed_times_and_at_its_own() -> None:
    def turned(t: Any, y: Any, pull: Any, rest: Any) -> Any:
        return pendulum(y, t, pull, rest)

    options = {"rtol": 1e-8, "atol": 1e-8}

    def at_times(y0: Any, t: Any, pull: Any) -> Any:
        args = (pull, {"friction": 0.2})
        return integrate.solve_ivp(turned, (0, 1.0), y0, t_eval=t, args=args, **options).y

    def at_its_own(y0: Any, start: Any, end: Any, pull: Any) -> Any:
        args = (pull, {"friction": 0.2})
        return integrate.solve_ivp(turned, (start, end), y0, "DOP853", args=args, **options).y[
            :, -1
        ]

    y0, times = SWING[0], np.array([0.2, 0.5, 0.9])
    plain = scipy.integrate.solve_ivp(
        turned, (0, 1.0), y0, t_eval=times, args=(1.3, {"friction": 0.2}), **options
    )
    assert_allclose(at_times(y0, times, Tensor(1.3)).data, plain.y, rtol=1e-15)
    check_grads(at_times, y0, times, 1.3, order=1)
    check_grads(at_its_own, y0, 0.1, 0.6, 1.3, order=1)


def test_a_field_may_be_a_gradient_itself() -> None:
    def energy(q: Any) -> Any:
        return np.sum(q**4)

    def end(a: Any) -> Any:
        def field(y: Any, _t: Any, a: Any) -> Any:
            return -a * grad(energy)(y)

        return integrate.odeint(field, [1.0, 0.5], [0.0, 1.0], (a,), rtol=1e-10, atol=1e-10)[1]

    # dq/dt = -4 a q^3 has the solution q / sqrt(1 + 8 a t q^2).
    q = np.array([1.0, 0.5])
    assert_allclose(end(Tensor(0.3)).data, q / np.sqrt(1 + 2.4 * q**2), rtol=1e-8)
    assert_allclose(jacobian(end)(0.3), -4 * q**3 / (1 + 2.4 * q**2) ** 1.5, rtol=1e-7)


# --- solutions of equations -----------------------------------------------------------------------


def cubes(x: Any, a: Any, b: Any) -> Any:
    return np.stack([x[0] ** 3 + x[0] - a[0], x[1] + b * x[0] - a[1]])


def test_a_root_is_differentiated_implicitly() -> None:
    def solution(a: Any, b: Any) -> Any:
        return optimize.root(cubes, [1.0, 1.0], (a, b), tol=1e-13).x

    a, b = np.array([2.5, 0.3]), np.array(0.7)
    assert_allclose(cubes(solution(a, b).data, a, b), 0, atol=1e-12)
    check_grads(solution, a, b, order=2, rtol=1e-4, atol=1e-5)
    dx = 1 / (3 * solution(a, b).data[0] ** 2 + 1)
    assert_allclose(jacobian(solution)(a, b)[0], [dx, 0], rtol=1e-10)


def test_a_minimum_is_differentiated_implicitly() -> None:
    def smallest(a: Any) -> Any:
        def fun(x: Any, a: Any) -> Any:
            return np.sum(np.cosh(x - a)) + np.sum(x * x) / 2

        return optimize.minimize(fun, np.zeros(3), (a,), tol=1e-7).x.sum()

    x = np.array([0.4, -0.9, 1.3])
    check_grads(smallest, x, order=1)
    assert np.isfinite(hessian(smallest)(x)).all()


# --- sparse matrices ------------------------------------------------------------------------------


SPARSE = scipy.sparse.random_array((5, 5), density=0.4, rng=3) + scipy.sparse.eye_array(5) * 2


@pytest.mark.parametrize("shape", [(5,), (5, 3)])
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_products_and_solutions(shape: tuple[int, ...], form: str) -> None:
    matrix, x = SPARSE.asformat(form), RNG.normal(size=shape)
    for ours, theirs in (
        (lambda x: linalg.aslinearoperator(matrix) @ x, matrix @ x),
        (lambda x: linalg.aslinearoperator(matrix).T @ x, matrix.T @ x),
        (lambda x: linalg.aslinearoperator(matrix).rmatvec(x), matrix.T @ x),
        (lambda x: linalg.spsolve(matrix, x), scipy.sparse.linalg.spsolve(matrix.tocsc(), x)),
    ):
        assert_allclose(ours(Tensor(x)).data, theirs, rtol=1e-12)
        check_grads(lambda x, ours=ours: ours(x * x), x, order=2)
    assert linalg.spsolve(matrix, Tensor(x.astype(np.float32))).dtype == np.float32


@pytest.mark.parametrize("shape", [(), (4,), (4, 5), (1, 5), (5, 3, 2), (5, 1, 1)])
def test_only_columns_of_the_matrixs_size_are_multiplied_or_solved_for(
    shape: tuple[int, ...],
) -> None:
    x = np.ones(shape)
    with pytest.raises(ValueError, match=r"of shape \(5, 5\) doesn't multiply shape"):
        linalg.aslinearoperator(SPARSE) @ x
    with pytest.raises(ValueError, match=r"spsolve: A has shape \(5, 5\), b"):
        linalg.spsolve(SPARSE, x)


@pytest.mark.parametrize("shape", [(5,), (5, 4), (4, 5)])
def test_only_a_square_matrix_is_solved_for(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="spsolve: A has shape"):
        linalg.spsolve(scipy.sparse.coo_array(np.ones(shape)), np.ones(5))


# --- shifts and splines ---------------------------------------------------------------------------


def test_a_shift_has_a_derivative_by_how_far() -> None:
    x = RNG.normal(size=(3, 2))
    for order, mode in ((1, "mirror"), (3, "reflect"), (3, "constant"), (2, "grid-wrap")):
        check_grads(
            lambda x, s, o=order, m=mode: ndimage.shift(x, s, order=o, mode=m),
            x,
            np.array([0.3, -0.6]),
            order=1 + (order == 3),
        )


def test_a_spline_that_does_not_go_on_is_nan_outside() -> None:
    spline = interpolate.CubicSpline([0.0, 1.0, 2.0], [0.0, 1.0, 4.0], extrapolate=False)
    x = Tensor([-1.0, 1.5])
    y = spline(x)
    assert np.isnan(y.data[0])
    assert_allclose(y.data[1], 2.25)
    assert_allclose(spline(x, extrapolate=True).data[0], 1)


# --- many at once ---------------------------------------------------------------------------------

SQUARE = scipy.sparse.eye_array(4) * 2
KNOTS = [0.0, 1.0, 2.0, 3.0]
MANY: dict[str, Callable[[Any], Any]] = {
    "convolve": lambda x: tinytorch.scipy.signal.convolve(x, x),
    "CubicSpline": lambda x: interpolate.CubicSpline(KNOTS, x)(x),
    "interp1d": lambda x: interpolate.interp1d(KNOTS, x)(x),
    "odeint": lambda x: integrate.odeint(lambda y, t, a: a * y - t, x, [0.0, 1.0], (x,))[1],
    "quad": lambda x: integrate.quad(lambda t, x: (x * t).sum(), 0, x[0], (x,))[0],
    "quad_vec": lambda x: integrate.quad_vec(lambda t, x: x * t, x[1], 2, args=(x,))[0],
    "root": lambda x: optimize.root(lambda z, x: z**3 - x, np.ones(4), (x,)).x,
    "minimize": lambda x: (
        optimize.minimize(lambda z, x: ((z - x) ** 2).sum(), np.zeros(4), x, tol=1e-10).x
    ),
    "aslinearoperator": lambda x: linalg.aslinearoperator(SQUARE) @ x,
    "spsolve": lambda x: linalg.spsolve(SQUARE, x),
    "ndimage.convolve": lambda x: ndimage.convolve(x, [1.0, 2.0, 3.0]),
    "shift": lambda x: ndimage.shift(x, x[0]),
    "norm": stats.norm.logcdf,
    "beta": lambda x: stats.beta.cdf(x, 2.0, 1.5),
    "gammainc": lambda x: scipy.special.gammainc(1.5, x),
}


@pytest.mark.parametrize("name", MANY)
def test_vmap_does_each(name: str) -> None:
    function, rows = MANY[name], RNG.uniform(0.1, 0.9, (3, 4))
    slope = grad(lambda x: function(x).sum())
    assert_allclose(vmap(function)(rows), [function(Tensor(x)).data for x in rows], rtol=1e-9)
    assert_allclose(vmap(slope)(rows), [slope(x) for x in rows], rtol=1e-9, atol=1e-12)


# --- what is refused ------------------------------------------------------------------------------

A = Tensor(2.0)
REFUSED: dict[str, tuple[type[Exception], str, Callable[[], Any]]] = {
    "root closes over": (
        TypeError, "put it into args", lambda: optimize.root(lambda x: x * x - A, 1.0),
    ),
    "quad closes over": (
        TypeError, "put it into args", lambda: integrate.quad(lambda x: x * A, 0, 1),
    ),
    "odeint closes over": (
        TypeError, "put it into args",
        lambda: integrate.odeint(lambda y, t: y * A, [1.0], [0.0, 1.0]),
    ),
    "a transform's variable": (
        TypeError, "put it into args",
        lambda: grad(lambda a: integrate.quad(lambda x: x * a, 0, 1)[0])(2.0),
    ),
    "no root": (
        RuntimeError, "no solution", lambda: optimize.root(lambda x: x * x + 1, [1.0]),
    ),
    "constraints": (
        ValueError, "under constraints",
        lambda: optimize.minimize(lambda x: x @ x, [1.0], constraints={"type": "eq", "fun": abs}),
    ),
    "solve_ivp stops": (
        RuntimeError, "solve_ivp: Required step size",
        lambda: integrate.solve_ivp(lambda t, y: y * y, (0, 2), [1.0]),
    ),
    "odeint of a matrix": (
        ValueError, "y0 and t are rows",
        lambda: integrate.odeint(lambda y, t: y, np.eye(2), [0.0, 1.0]),
    ),
    "a field of another size": (
        ValueError, "gave shape",
        lambda: grad(
            lambda y: integrate.solve_ivp(lambda t, y: y.sum()[None], (0, 1), y).y.sum()
        )(np.ones(2)),
    ),
    "knots": (
        ValueError, "has to increase", lambda: interpolate.CubicSpline([0.0, 0.0, 1.0], np.ones(3)),
    ),
    "shapes": (
        ValueError, "got shapes", lambda: interpolate.CubicSpline([0.0, 1.0], np.ones(3)),
    ),
    "ends": (
        ValueError, "bc_type is",
        lambda: interpolate.CubicSpline([0.0, 1.0], [0.0, 1.0], 0, "free"),
    ),
    "ends of order 3": (
        ValueError, "bc_type is",
        lambda: interpolate.CubicSpline([0.0, 1.0], [0.0, 1.0], bc_type=((3, 0.0), (1, 0.0))),
    ),
    "slopes": (
        ValueError, "as many slopes",
        lambda: interpolate.CubicHermiteSpline([0.0, 1.0], np.ones(2), np.ones(3)),
    ),
    "outside": (
        ValueError, "outside of", lambda: interpolate.interp1d([0.0, 1.0], [0.0, 1.0])(2.0),
    ),
    "kind": (
        ValueError, "kind is", lambda: interpolate.interp1d([0.0, 1.0], [0.0, 1.0], "nearest"),
    ),
    "no matrix": (ValueError, "expected a matrix", lambda: linalg.aslinearoperator([1.0])),
    "weights": (
        ValueError, "numbers of axes", lambda: ndimage.convolve(np.ones(3), np.ones((2, 2))),
    ),
    "mode": (
        ValueError, "mode is one of", lambda: ndimage.convolve(np.ones(3), np.ones(2), mode="odd"),
    ),
    "origin": (
        ValueError, "lies outside", lambda: ndimage.convolve(np.ones(3), np.ones(2), origin=4),
    ),
    "order": (ValueError, "order is", lambda: ndimage.shift(np.ones(3), 1, order=0)),
    "a shift's mode": (
        ValueError, "nearest up to", lambda: ndimage.shift(np.ones(3), 1, mode="nearest"),
    ),
    "shifts": (ValueError, "one for each", lambda: ndimage.shift(np.ones(3), (1, 2))),
    "bands": (
        ValueError, "are 3 rows",
        lambda: tinytorch.scipy.linalg.solve_banded((1, 1), np.ones((2, 3)), np.ones(3)),
    ),
    "parts": (ValueError, "sum is 1", lambda: stats.dirichlet.logpdf([0.2, 0.9], [1.0, 2.0])),
    "alpha": (ValueError, "x has shape", lambda: stats.dirichlet.logpdf([1.0], [1.0, 2.0, 3.0])),
    "matrices": (ValueError, "two matrices", lambda: stats.wishart.logpdf([1.0], 3, np.eye(2))),
    "vectors": (
        ValueError, "vectors of 2",
        lambda: stats.multivariate_normal.logpdf(np.ones(3), np.ones(2)),
    ),
    "outcomes": (
        ValueError, "x has shape", lambda: stats.multinomial.logpmf([1, 1], 2, [0.2, 0.3, 0.5]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    kind, message, call = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def test_where_odeint_stops() -> None:
    def explodes(y: Any, _t: Any) -> Any:
        return y * y

    with (
        pytest.warns(scipy.integrate.ODEintWarning),
        pytest.raises(RuntimeError, match="odeint: Excess work"),
    ):
        integrate.odeint(explodes, [1.0], [0.0, 2.0])


def test_the_ends_of_distributions_are_scipys() -> None:
    x = np.array([-np.inf, -1e8, -30.0, -1.0, 0.0, 1.0, 30.0, 1e8, np.inf, np.nan])
    for name, shapes in (
        *(("norm", ()), ("t", (3.5,)), ("gamma", (0.6,)), ("chi2", (1.4,)), ("beta", (0.5, 2.0))),
        *(("expon", ()), ("laplace", ()), ("cauchy", ()), ("logistic", ()), ("lognorm", (0.8,))),
        ("uniform", ()),
    ):
        for what in ("cdf", "sf", "logcdf"):
            ours, theirs = (getattr(getattr(s, name), what) for s in (stats, scipy.stats))
            tensor = Tensor(x)
            y = ours(tensor, *shapes)
            with np.errstate(all="ignore"):
                expected = theirs(x, *shapes)
            known = np.isfinite(expected) | ~np.isfinite(y.data)  # not SciPy's log(0)
            assert_allclose(y.data[known], expected[known], rtol=1e-9, err_msg=f"{name}.{what}")
            if name in {"gamma", "chi2", "beta", "expon", "lognorm", "uniform"}:
                y[:4].sum().backward()
                assert not tensor.grad[:4].any()
    assert np.isnan(stats.expon.logpdf(np.nan).data)


def test_a_normal_variable_of_one_number() -> None:
    for args in ((), (0.3,), (None, 2.0), ([0.1, 0.2], 2.0), ([0.1, 0.2], [2.0, 3.0])):
        x = np.array([0.1, 0.4])
        assert_allclose(
            stats.multivariate_normal.logpdf(x, *args).data,
            scipy.stats.multivariate_normal.logpdf(x, *args),
        )


def test_probabilities_of_what_cannot_be() -> None:
    assert stats.poisson.pmf(1.5, 2.0).data == stats.binom.pmf(0.5, 2, 0.5).data == 0
    assert stats.multinomial.logpmf([1, 1], 3, [0.5, 0.5]).data == -np.inf
    assert stats.multinomial.pmf([-1, 2], 1, [0.5, 0.5]).data == 0
    assert_allclose(stats.cauchy.cdf(-1e8).data, 1 / np.pi * 1e-8, rtol=1e-12)
