"""NumPy's functions of samples, statistics and arrangement: NumPy's values, and derivatives.

A row calls the function with tensors. It gives NumPy's values on arrays, in every dtype, and its
derivatives of both orders agree with differences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import NUMPY_2_1, NUMPY_2_4
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose
from reference import leaves

from tinytorch import Tensor, check_grads

RNG = np.random.default_rng(3)
X = RNG.normal(size=5)
Y = RNG.normal(size=3)
M = RNG.normal(size=(3, 4))
T = RNG.normal(size=(2, 3, 4))
SQUARE = RNG.normal(size=(6, 6)).reshape(2, 3, 6)
HOLES = np.where(RNG.random((3, 4)) < 0.3, np.nan, M)
HOLES[0] = M[0]
MASK = RNG.random((3, 4)) < 0.7
MASK[:, 0] = True
WEIGHTS = RNG.uniform(0.5, 2, 4)
FRACTIONS = np.array([0.15, 0.72])
POINTS = np.array([-1.5, -0.4, 0.1, 0.9, 2.2])

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    # statistics
    "average": (np.average, (M,)),
    "average axis": (lambda x: np.average(x, axis=1), (M,)),
    "average weights": (lambda x, w: np.average(x, 1, w), (M, WEIGHTS)),
    "average axes": (lambda x, w: np.average(x, (2, 0), w), (T, RNG.uniform(0.5, 2, (4, 2)))),
    "average returned": (
        lambda x, w: np.average(x, weights=w, returned=True, axis=0, keepdims=True),
        (M, RNG.uniform(1, 2, (3, 4))),
    ),
    "average of tensors' weights": (lambda w: np.average([1.0, 2, 5, 3], weights=w), (WEIGHTS,)),
    "percentile": (lambda x: np.percentile(x, [20, 70], axis=1), (M,)),
    "percentile method": (lambda x: np.percentile(x, 33, method="lower"), (M,)),
    "ptp": (lambda x: np.ptp(x, axis=-1, keepdims=True), (M,)),
    "cov": (np.cov, (M,)),
    "cov row": (np.cov, (X,)),
    "cov of two": (lambda x, y: np.cov(x, y, rowvar=False, bias=True), (M, M + T[0])),
    "cov weights": (
        lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w, ddof=1),
        (M, WEIGHTS),
    ),
    "cov fweights": (lambda x: np.cov(x, fweights=[1, 2, 1, 3]), (M,)),
    "corrcoef": (np.corrcoef, (M,)),
    "corrcoef of two": (np.corrcoef, (X, X**2)),
    "corrcoef row": (np.corrcoef, (X,)),
    # of what is not nan
    "nanmax": (lambda x: np.nanmax(x, axis=1), (HOLES,)),
    "nanmin": (lambda x: np.nanmin(x, keepdims=True), (HOLES,)),
    "nanmax where": (lambda x: np.nanmax(x, 1, where=MASK, initial=0.2), (HOLES,)),
    "nanprod": (lambda x: np.nanprod(x, axis=0), (HOLES,)),
    "nancumsum": (lambda x: np.nancumsum(x, axis=1), (HOLES,)),
    "nancumprod": (np.nancumprod, (HOLES,)),
    "nanvar": (lambda x: np.nanvar(x, axis=1, ddof=1), (HOLES,)),
    "nanvar correction": (lambda x: np.nanvar(x, correction=0.5), (HOLES,)),
    "nanstd": (lambda x: np.nanstd(x, axis=1, keepdims=True), (HOLES,)),
    "nanmedian": (lambda x: np.nanmedian(x, axis=0), (HOLES,)),
    "nanmedian all": (np.nanmedian, (HOLES,)),
    "nanquantile": (lambda x: np.nanquantile(x, [0.2, 0.9], axis=1, keepdims=True), (HOLES,)),
    "nanquantile of three": (lambda x: np.nanquantile(x, 0.3, axis=(0, 2)), (T,)),
    "nanquantile method": (lambda x: np.nanquantile(x, 0.4, 1, method="hazen"), (HOLES,)),
    "nanpercentile": (lambda x: np.nanpercentile(x, 40, axis=1), (HOLES,)),
    "nanquantile in q": (lambda x, q: np.nanquantile(x, q, axis=1), (M, FRACTIONS)),
    "nanquantile weights": (
        lambda x: np.nanquantile(x, [0.2, 0.6], 1, weights=M**2, method="inverted_cdf"),
        (HOLES,),
    ),
    "nanmean where dtype": (lambda x: np.nanmean(x, axis=1, where=MASK, dtype=float), (HOLES,)),
    "nanprod where": (lambda x: np.nanprod(x, axis=1, where=MASK, initial=1.5), (HOLES,)),
    "nanvar where": (lambda x: np.nanvar(x, axis=1, where=MASK), (HOLES,)),
    "nanstd where": (lambda x: np.nanstd(x, axis=1, where=MASK, keepdims=True), (HOLES,)),
    "nansum where": (lambda x: np.nansum(x, axis=1, where=MASK, initial=0.5), (HOLES,)),
    "nanvar mean": (lambda x: np.nanvar(x, axis=1, mean=np.full((3, 1), 0.3)), (HOLES,)),
    # keywords of reductions
    "sum where": (lambda x: np.sum(x, axis=1, where=MASK), (M,)),
    "sum initial": (lambda x: np.sum(x, initial=2.5), (M,)),
    "prod where": (lambda x: np.prod(x, 0, where=MASK, initial=2.0), (M,)),
    "max where": (lambda x: np.max(x, axis=1, where=MASK, initial=-9.0), (M,)),
    "min initial": (lambda x: np.min(x, axis=1, initial=0.1), (M,)),
    "mean where": (lambda x: np.mean(x, axis=1, where=MASK, keepdims=True), (M,)),
    "var where": (lambda x: np.var(x, axis=1, where=MASK), (M,)),
    "std where": (lambda x: np.std(x, where=MASK, ddof=1), (M,)),
    "var mean": (lambda x, m: np.var(x, axis=1, mean=m), (M, Y[:, None])),
    "std mean where": (
        lambda x, m: np.std(x, axis=1, mean=m, where=MASK, keepdims=True),
        (M, Y[:, None]),
    ),
    "quantile in q": (lambda x, q: np.quantile(x, q, axis=0), (M, FRACTIONS)),
    "percentile in q": (lambda q: np.percentile(M, q), (100 * FRACTIONS,)),
    "quantile weights": (
        lambda x: np.quantile(x, [0, 0.2, 0.6, 1], 1, weights=WEIGHTS, method="inverted_cdf"),
        (M,),
    ),
    "quantile weights of all": (
        lambda x: np.quantile(x, 0.3, weights=np.square(M), method="inverted_cdf", keepdims=True),
        (M,),
    ),
    "percentile weights": (
        lambda x: np.percentile(x, 35, (2, 0), weights=WEIGHTS[:, None] * [1, 2],
                                method="inverted_cdf"),
        (T,),
    ),
    **{
        f"quantile {method}": (lambda x, m=method: np.quantile(x, [0.0, 0.2, 0.87], 1, method=m),
                               (M,))
        for method in (
            "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "weibull", "hazen",
            "interpolated_inverted_cdf", "median_unbiased", "normal_unbiased", "nearest",
        )
    },
    "trace dtype": (lambda x: np.trace(x, 1, dtype=np.float64), (M,)),
    "cov dtype": (lambda x: np.cov(x, dtype=np.float64), (M,)),
    "corrcoef dtype": (lambda x: np.corrcoef(x, dtype=np.float64), (M,)),
    "concatenate dtype": (lambda x: np.concatenate([x, x], 1, dtype=np.float64), (M,)),
    "stack dtype": (lambda x: np.stack([x, x], 1, dtype=np.float64), (M,)),
    "hstack dtype": (lambda x, y: np.hstack([x, y], dtype=np.float64), (X, Y)),
    "vstack dtype": (lambda x: np.vstack([x, x], dtype=np.float64), (X,)),
    "by NumPy's name": (lambda x: np.flip(m=np.swapaxes(a=x, axis1=0, axis2=1), axis=1), (M,)),
    "of memory alone": (
        lambda x: np.sort(np.copy(x, order="K"), axis=0, kind="stable")
        + np.full_like(x, 2, order="C"),
        (M,),
    ),
    "reshape F": (lambda x: np.reshape(x, (4, -1, 2), order="F"), (T,)),
    "ravel F": (lambda x: np.ravel(x, order="F"), (T,)),
    "take wrap": (lambda x: np.take(x, [5, -7, 2], axis=1, mode="wrap"), (M,)),
    "take clip": (lambda x: np.take(x, [50, -7, 2], mode="clip"), (M,)),
    # counting
    "histogram weights": (lambda w: np.histogram(POINTS, 3, weights=w)[0], (X,)),
    "histogram edges": (lambda x: np.histogram(x, 4), (M,)),
    "histogram of equals": (lambda x: np.histogram(x, 3), (np.full(4, 2.0),)),
    "histogram density": (lambda x: np.histogram(x, "sturges", density=True), (M,)),
    "histogram range": (lambda x, w: np.histogram(x, 3, (-1, 0.6), weights=w), (M, M + 3)),
    "histogram_bin_edges": (lambda x: np.histogram_bin_edges(x, 5), (X,)),
    "histogram2d": (lambda x, y: np.histogram2d(x, y, [2, 3], density=True), (X, X**2)),
    "histogram2d weights": (
        lambda w: np.histogram2d(POINTS, POINTS**2, [0.0, 0.5, 6], weights=w)[0],
        (X,),
    ),
    "histogramdd": (lambda x: np.histogramdd(x, (2, 1, 3, 2)), (M,)),
    # sets
    "unique_all": (np.unique_all, (np.concatenate([X, X[:2]]),)),
    "unique_counts": (np.unique_counts, (X,)),
    "unique_inverse": (np.unique_inverse, (M,)),
    "unique_values": (lambda x: np.sort(np.unique_values(x)), (X,)),
    "union1d": (np.union1d, (X, M)),
    "intersect1d": (lambda x, y: np.intersect1d(x, y, return_indices=True), (X, X[[3, 1]])),
    "intersect1d of an array": (lambda y: np.intersect1d(X, y), (X[[3, 1]],)),
    "setdiff1d": (lambda x: np.setdiff1d(x, X[1:3]), (X,)),
    "setdiff1d assume": (lambda x: np.setdiff1d(x, X[1:3], assume_unique=True), (X,)),
    "setxor1d": (np.setxor1d, (X[:3], X[1:])),
    # padding
    "pad ramp": (lambda x: np.pad(x, ((1, 2), (0, 3)), "linear_ramp", end_values=(2, -1)), (M,)),
    "pad mean": (lambda x: np.pad(x, 2, "mean", stat_length=2), (M,)),
    "pad maximum": (lambda x: np.pad(x, (1, 2), "maximum"), (M,)),
    "pad minimum": (lambda x: np.pad(x, 1, "minimum", stat_length=((2, 1), (3, 9))), (M,)),
    "pad median": (lambda x: np.pad(x, ((0, 0), (1, 1)), "median"), (M,)),
    "pad odd": (lambda x: np.pad(x, ((4, 5), (1, 2)), "reflect", reflect_type="odd"), (M,)),
    "pad symmetric odd": (lambda x: np.pad(x, 3, "symmetric", reflect_type="odd"), (M,)),
    "pad dict": (lambda x: np.pad(x, {-1: (1, 2)}), (M,)),
    **{
        f"pad a volume {mode} {kind}": (
            lambda x, mode=mode, options=options: np.pad(
                x, ((1, 2), (0, 3), (2, 0)), mode, **options
            ),
            (T,),
        )
        for mode in (
            *("constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum"),
            *("reflect", "symmetric", "wrap"),
        )
        for kind, options in {
            "": {},
            **({"odd": {"reflect_type": "odd"}} if mode in ("reflect", "symmetric") else {}),
        }.items()
    },
    "var correction": (lambda x: np.var(x, axis=0, correction=1), (M,)),
    "std correction": (lambda x: np.std(x, axis=0, correction=1), (M,)),
    "sum dtype": (lambda x: np.sum(x, dtype=np.float64), (M,)),
    "mean dtype": (lambda x: np.mean(x, axis=0, dtype=np.float64), (M,)),
    "cumsum dtype": (lambda x: np.cumsum(x, 0, dtype=np.float64), (M,)),
    # samples
    "interp": (np.interp, (M, POINTS, X)),
    "interp ends": (lambda x, fp: np.interp(x, POINTS, fp, left=-7.0, right=8.0), (3 * M, X)),
    "interp period": (lambda x, fp: np.interp(x, POINTS, fp, period=2.5), (3 * M, X)),
    "interp of one": (lambda x, fp: np.interp(x, [0.3], fp), (M, X[:1])),
    "interp number": (lambda x: np.interp(x, [0.0, 1.0], [2.0, 5.0]), (np.array(0.3),)),
    "unwrap": (lambda x: np.unwrap(x, axis=1), (4 * M,)),
    "unwrap period": (lambda x: np.unwrap(x, period=3.0), (4 * X,)),
    "ediff1d": (lambda x, y: np.ediff1d(x, to_begin=y, to_end=3.0), (M, Y)),
    "cumulative_sum": (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), (M,)),
    "cumulative_prod": (lambda x: np.cumulative_prod(x), (X,)),  # noqa: PLW0108
    "cumulative_prod 0": (lambda x: np.cumulative_prod(x, axis=0, include_initial=True), (M,)),
    "polyval": (np.polyval, (Y, M)),
    "polyadd": (np.polyadd, (Y, X)),
    "polysub": (np.polysub, (Y, X)),
    "polymul": (np.polymul, (Y, X)),
    "polyder": (lambda p: np.polyder(p, 2), (X,)),
    "polyint": (lambda p: np.polyint(p, 2, k=[1.0, 3.0]), (X,)),
    "poly": (np.poly, (Y,)),
    "poly of a matrix": (np.poly, (M[:, :3] + M[:, :3].T,)),
    "windows along no axis": (lambda x: sliding_window_view(x, (), ()), (X,)),
    "diff between numbers": (lambda x: np.diff(x, prepend=0.5, append=1.0), (M,)),
    "polydiv": (np.polydiv, (X, Y)),
    "polydiv short": (np.polydiv, (Y, X)),
    "polydiv without a rest": (np.polydiv, (np.array([1.0, 0, 0, -1]), np.array([1.0, -1]))),
    "roots": (np.roots, (np.poly([1.2, -0.4, 2.7, 0.3]),)),
    "roots and 0": (lambda p: np.roots(np.pad(p, (1, 1))), (np.poly([1.2, -0.4]),)),
    "polyfit full": (lambda x, y: np.polyfit(x, y, 2, full=True)[:2], (POINTS, X)),
    "polyfit cov": (lambda x, y: np.polyfit(x, y, 1, cov=True), (POINTS, X)),
    "polyfit unscaled": (
        lambda x, y: np.polyfit(x, y, 1, w=[1.0, 2, 1, 3, 1], cov="unscaled"),
        (POINTS, np.stack([X, X**2], 1)),
    ),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), (POINTS, X)),
    "polyfit w": (lambda y: np.polyfit(POINTS, y, 1, w=[1.0, 2, 1, 3, 1]), (X,)),
    "vander": (np.vander, (X,)),
    "vander increasing": (lambda x: np.vander(x, 3, increasing=True), (X,)),
    "linspace": (lambda a, b: np.linspace(a, b, 5), (Y, Y**2)),
    "linspace from whole": (lambda b: np.linspace(np.arange(3), b, 5), (Y,)),
    "linspace step": (
        lambda a: np.linspace(a, 2.0, 4, endpoint=False, retstep=True, axis=-1),
        (Y,),
    ),
    "logspace": (lambda a, b: np.logspace(a, b, 4), (Y, Y**2)),
    "geomspace": (lambda a, b: np.geomspace(a, b, 4), (Y**2, Y**2 + 1)),
    # arrangement
    "delete": (lambda x: np.delete(x, [0, -2], axis=1), (M,)),
    "delete all": (lambda x: np.delete(x, slice(1, 6, 2)), (M,)),
    "insert": (lambda x, v: np.insert(x, 1, v, axis=1), (M, Y)),
    "insert row": (lambda x: np.insert(x, [0, 2], 7.5, axis=0), (M,)),
    "insert several": (lambda x, v: np.insert(x, [1, 3, 1], v), (X, Y)),
    "insert many at one": (lambda x, v: np.insert(x, 2, v), (X, Y)),
    "insert list of one": (lambda x, v: np.insert(x, [1], v, axis=1), (M, M[:, :2])),
    "insert by mask": (  # which older NumPys take for whole numbers
        lambda x: np.insert(x, np.arange(5) % 2 == 0 if isinstance(x, Tensor) else [0, 2, 4], 3.0),
        (X,),
    ),
    "block": (lambda a, b: np.block([[a, np.eye(3)], [b, np.zeros((2, 3))]]), (M, M[:2])),
    "block of rows": (lambda a, b: np.block([a, b, 2.0]), (X, Y)),
    "unstack": (lambda x: np.unstack(x, axis=1), (M,)),
    "choose": (lambda a, b: np.choose([[0, 1, 1], [2, 0, 1]], [a, b, 4.0]), (Y, T[:, :, 0])),
    "choose wrap": (lambda a, b: np.choose([3, -2, 1], [a, b], mode="wrap"), (Y, Y**2)),
    "piecewise": (
        lambda x: np.piecewise(x, [x < 0, x > 0.5], [np.square, np.exp, lambda v: 3 * v]),
        (M,),
    ),
    "piecewise numbers": (lambda x: np.piecewise(x, [x < 0], [-1.0, np.sqrt]), (X,)),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda r: r * r.sum(), 1, x), (T,)),
    "apply_along_axis to one": (lambda x: np.apply_along_axis(np.prod, 0, x), (T,)),
    "apply_along_axis to more": (
        lambda x: np.apply_along_axis(lambda r: np.outer(r, r), 1, x),
        (T,),
    ),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, 2]), (T,)),
    "sliding_window_view": (lambda x: sliding_window_view(x, 2, axis=1), (M,)),
    "sliding_window_view of both": (lambda x: sliding_window_view(x, (2, 3)), (M,)),
    "full like": (lambda x: np.full((2, 5), x, like=x), (X,)),
    "astype": (lambda x: np.astype(x, np.float64), (M,)),
    "diagflat": (lambda x: np.diagflat(x, 1), (M,)),
    "extract": (lambda x: np.extract(MASK, x), (M,)),
    "resize": (lambda x: np.resize(x, (4, 5)), (M,)),
    "trim_zeros of axes": (lambda x: np.trim_zeros(np.pad(x, ((1, 2), (2, 1))), axis=1), (M,)),
    "trim_zeros": (lambda x: np.trim_zeros(np.pad(x, 2)), (X,)),
    "unique": (lambda x: np.unique(np.concatenate([x, x[:3]])), (X,)),
    "unique rows": (lambda x: np.unique(x[[0, 1, 0]], axis=0), (M,)),
    # parts of a number, matrices
    "heaviside": (np.heaviside, (np.array([-1.0, 0, 2]), Y)),
    "ldexp": (lambda x: np.ldexp(x, [1, -2, 3]), (Y,)),
    "frexp": (lambda x: np.frexp(x)[0], (M,)),
    "modf": (lambda x: np.modf(3 * x), (M,)),
    "divmod": (np.divmod, (M, np.array(0.7))),
    "divmod of Python": (divmod, (M, np.array(0.7))),
    "divmod of a number": (lambda x: divmod(0.7, x), (M,)),
    "i0": (np.i0, (X,)),
    "spacing": (np.spacing, (X,)),
    "tensorinv": (np.linalg.tensorinv, (SQUARE,)),
    "tensorsolve": (np.linalg.tensorsolve, (SQUARE, M[:2, :3])),
    "tensorsolve axes": (
        lambda a, b: np.linalg.tensorsolve(np.moveaxis(a, 2, 0), b, axes=(0,)),
        (SQUARE, M[:2, :3]),
    ),
    "multi_dot": (lambda a, b, c: np.linalg.multi_dot([a, b, c]), (Y, M, X[:4])),
}  # fmt: skip
for _mode in ("full", "same", "valid"):
    for _name, _function in (("convolve", np.convolve), ("correlate", np.correlate)):
        for _a, _b in ((X, Y), (Y, X), (X, Y[:2]), (Y[:2], X), (X[:4], Y[:2]), (Y[:2], X[:4])):
            CASES[f"{_name} {_mode} {_a.size} {_b.size}"] = (
                lambda a, b, f=_function, m=_mode: f(a, b, m),
                (_a, _b),
            )
if not NUMPY_2_4:  # which brought the first, and mended the second where axes are out of order
    for _name in ("pad dict", "percentile weights"):
        del CASES[_name]
if not hasattr(np, "matvec"):  # as NumPy 2.2 has, which takes axes there
    del CASES["trim_zeros of axes"]
if not NUMPY_2_1:  # which brought these
    for _name in ("cumulative_sum", "cumulative_prod", "cumulative_prod 0", "unstack"):
        del CASES[_name]
# What has a float64 array among its arguments.
WIDE = {
    *("average of tensors' weights", "interp ends", "interp period", "interp number", "polyint"),
    *("polyfit w", "block", "percentile in q", "nanvar mean", "histogram2d", "polyfit unscaled"),
}
# Steps and edges, or points whose order the differences would change.
NO_DIFFERENCES = {"heaviside", "histogram of equals", "polydiv without a rest"}
for _name in CASES:
    if _name.startswith(("intersect1d", "setdiff1d", "setxor1d", "union1d", "unique_")):
        NO_DIFFERENCES.add(_name)


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name: str) -> None:
    function, args = CASES[name]
    made = list(leaves(function(*map(Tensor, args))))
    expected = list(leaves(function(*args)))
    for y, z in zip(made, expected, strict=True):
        data = y.data if isinstance(y, Tensor) else y
        assert np.shape(data) == np.shape(z)
        assert_allclose(data, z, rtol=1e-12, atol=1e-14)
    tensors = [y for y in made if isinstance(y, Tensor)]
    assert tensors[0].requires_grad

    def together(*xs: Any) -> Any:
        return np.concatenate([np.reshape(y, -1) for y in leaves(function(*xs))])

    if not any(np.isnan(x).any() for x in args) and name not in NO_DIFFERENCES:
        check_grads(together, *args, order=2)
    narrow = leaves(function(*[Tensor(x, dtype=np.float32) for x in args]))
    y = next(y for y in narrow if isinstance(y, Tensor))
    assert y.dtype == (np.float64 if name in WIDE or "type" in name else np.float32)


@pytest.mark.parametrize("name", [n for n, (_, args) in CASES.items() if np.isnan(args[0]).any()])
def test_what_is_nan_gets_no_gradient(name: str) -> None:
    function, (holes,) = CASES[name]
    numbers = ~np.isnan(holes)

    def of_numbers(entries: Any) -> Any:
        x = np.full(holes.shape, np.nan)
        x[numbers] = np.asarray(entries)
        return function(x)

    entries, x = holes[numbers], Tensor(holes)
    y = function(x)
    w = np.random.default_rng(1).normal(size=y.shape)
    y.backward(w)
    steps = 1e-6 * np.eye(entries.size)
    slopes = [((of_numbers(entries + h) - of_numbers(entries - h)) * w).sum() / 2e-6 for h in steps]
    assert_allclose(x.grad[numbers], slopes, rtol=1e-6, atol=1e-7)
    assert_allclose(x.grad[~numbers], 0)


def test_of_equal_entries_the_first_gets_the_gradient() -> None:
    def taken(function: Callable[..., Any], *others: Any) -> Any:
        x = Tensor([2.0, 1.0, 2.0, 3.0])
        (
            next(leaves(function(x, *others))) * [2.0, 3.0, 5.0][: len(function(x, *others))]
        ).backward()
        return x.grad.tolist()

    assert taken(np.unique_values) == [3, 2, 0, 5]
    assert taken(np.union1d, [1.0]) == [3, 2, 0, 5]
    assert taken(np.intersect1d, [3.0, 2.0, 7.0]) == [2, 0, 0, 3]
    assert taken(np.setdiff1d, [2.0]) == [0, 2, 0, 3]
    assert taken(np.setxor1d, [2.0, 4.0]) == [0, 2, 0, 3]
    y = Tensor([3.0, 2.0])
    np.intersect1d([2.0, 5.0], y).backward()
    assert y.grad.tolist() == [0, 1]


def test_all_nan_is_nan() -> None:
    x = Tensor([[np.nan, np.nan], [1.0, np.nan]])
    for function in (np.nanmax, np.nanmin, np.nanmedian, np.nanvar, np.nanstd):
        assert np.isnan(function(x, axis=1).data).tolist() == [True, False]
        assert_allclose(function(x, axis=1)[1].data, function([1.0]))


def test_a_deviation_of_0_has_slope_0() -> None:
    for call in (np.nanstd, lambda x: np.std(x, where=[True, True])):
        x = Tensor([2.0, 2.0])
        call(x).backward()
        assert_allclose(x.grad, 0)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "weights": (lambda x: np.average(x, weights=[1.0, 2.0]), "weights have the shape"),
    "where": (lambda x: np.max(x, where=MASK), "where= needs initial="),
    "interp": (lambda x: np.interp(x, [0.0, 1.0], [2.0]), "rows of one length"),
    "convolve": (lambda x: np.convolve(x, [1.0]), "expected two rows"),
    "mode": (lambda x: np.convolve(x[0], [1.0, 2.0], "most"), "mode is"),
    "cumulative": (lambda x: np.cumulative_sum(x), "needs an axis"),  # noqa: PLW0108
    "choose": (lambda x: np.choose(x, [1, 2]), "whole numbers"),
    "put": (lambda x: np.put(x, 0, 1.0), r"x\.put"),
    "put_along_axis": (lambda x: np.put_along_axis(x, MASK * 1, 1.0, 0), r"x\.scatter"),
    "fill_diagonal": (lambda x: np.fill_diagonal(x, 1.0), r"diagonal_scatter"),
    "copyto": (lambda x: np.copyto(x, 1.0), r"np\.where"),
    "cov": (lambda x: np.cov(x[None]), "at most two axes"),
}
if not NUMPY_2_1:
    del REFUSED["cumulative"]


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_named(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call(Tensor(M))
