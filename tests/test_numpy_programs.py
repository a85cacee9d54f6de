"""What people write with NumPy and an autodiff library: each function in every combination.

Arguments are combined as they come: numbers, arrays of each number of axes, positive and negative,
every axis, each flag. Values are NumPy's, and derivatives agree with differences.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference import leaves

from tinytorch import Tensor, check_grads, elementwise_grad, grad, jacobian, value_and_grad

RNG = np.random.default_rng(8)


def filled(*shape: int) -> Any:
    """Draw entries of both signs, none near 0 or another."""
    return np.asarray(RNG.uniform(0.5, 2, shape) * RNG.choice([-1, 1], shape))


NUMBER, ROW, COLUMN, MATRIX, CUBE = filled(), filled(4), filled(3, 1), filled(3, 4), filled(2, 3, 4)
SHAPES = [NUMBER, filled(1), ROW, COLUMN, MATRIX, CUBE]
OTHERS = [filled(), filled(1, 1), filled(4), filled(3, 4)]
AXES = [None, 0, 1, -1, (0, 1), (-1, 0)]

Combination = tuple[Callable[..., Any], Sequence[Sequence[Any]], dict[str, Sequence[Any]]]
COMBINED: dict[str, Combination] = {
    # in pairs that broadcast, of every number of axes
    **{
        f"{f.__name__} of pairs": (f, [SHAPES, OTHERS], {})
        for f in (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.arctan2,
                  np.logaddexp, np.logaddexp2, np.hypot, np.remainder, np.copysign)
    },
    "power": (lambda x, y: np.abs(x) ** y, [SHAPES, [2, 0.5, -1.5, MATRIX, ROW]], {}),
    "number to the power": (lambda y: 2.5**y, [SHAPES], {}),
    # over every axis
    **{
        f"{f.__name__} over axes": (f, [[MATRIX, CUBE]], {"axis": AXES, "keepdims": [True, False]})
        for f in (np.sum, np.mean, np.prod, np.max, np.min, np.ptp, np.median, np.var)
    },
    "std over axes": (np.std, [[MATRIX, CUBE]], {"axis": AXES, "ddof": [0, 1]}),
    "quantile over axes": (np.quantile, [[MATRIX, CUBE], [0.3, [0.1, 0.8]]], {"axis": AXES}),
    "average": (np.average, [[MATRIX]], {"axis": [1], "weights": [None, [1.0, 2, 0.5, 3]]}),
    **{
        f"{f.__name__} along axes": (f, [[MATRIX, CUBE]], {"axis": [None, 0, 1, -1]})
        for f in (np.cumsum, np.cumprod, np.sort, np.flip)
    },
    "diff": (np.diff, [[MATRIX, CUBE]], {"n": [1, 2], "axis": [0, 1, -1]}),
    "gradient": (np.gradient, [[MATRIX]], {"axis": [None, 0, 1]}),
    "norm of vectors": (np.linalg.norm, [[ROW]], {"ord": [None, 1, 2, 3, 0.5, np.inf, -np.inf]}),
    "norm of matrices": (np.linalg.norm, [[MATRIX, MATRIX.T]],
                         {"ord": [None, "fro", "nuc", 1, -1, 2, np.inf]}),
    # products of every number of axes
    "dot": (np.dot, [[NUMBER, ROW, filled(3, 4)], [NUMBER, ROW, filled(4, 2)]], {}),
    "inner": (np.inner, [[ROW, MATRIX, CUBE], [ROW, filled(2, 4)]], {}),
    "matmul": (np.matmul, [[ROW, MATRIX, CUBE], [ROW, filled(4, 2), filled(2, 4, 3)]], {}),
    "outer": (np.outer, [[NUMBER, ROW, MATRIX], [NUMBER, ROW]], {}),
    "kron": (np.kron, [[ROW, MATRIX], [ROW, filled(2, 2)]], {}),
    "tensordot": (np.tensordot, [[CUBE], [filled(3, 4, 2)]],
                  {"axes": [([1, 2], [0, 1]), ([0], [2]), ([-1], [-2]), 0]}),
    "einsum": (lambda how, x: np.einsum(how, x, x), [["ij,ij->", "ij,kj->ik", "ij,ij->j",
                                                      "...j,...j", "ij,kl->jk"], [MATRIX]], {}),
    "einsum of a square": (np.einsum, [["ii", "ii->i", "ij->ji", "ij->"], [filled(3, 3)]], {}),
    "cross": (np.cross, [[filled(3), filled(2, 3)], [filled(3), filled(2, 3)]], {}),
    # shapes
    "reshape": (np.reshape, [[MATRIX], [(4, 3), (2, -1), -1, (2, 3, 2)]], {"order": ["C", "F"]}),
    "transpose": (np.transpose, [[CUBE]], {"axes": [None, (2, 0, 1), (-1, 0, 1)]}),
    "moveaxis": (np.moveaxis, [[CUBE], [0, 1, -1], [0, 2, -2]], {}),
    "roll": (np.roll, [[MATRIX, CUBE], [1, -2]], {"axis": [None, 0, 1, (0, 1)]}),
    "repeat": (np.repeat, [[MATRIX, NUMBER], [0, 2]], {"axis": [None]}),
    "repeat each": (np.repeat, [[MATRIX], [[1, 0, 2]]], {"axis": [0]}),
    "tile": (np.tile, [[NUMBER, ROW, MATRIX], [2, (2, 1), (1, 2, 2)]], {}),
    "pad": (np.pad, [[MATRIX], [1, ((1, 0), (0, 2))], ["constant", "edge", "wrap", "mean"]], {}),
    "concatenate": (lambda x, y, axis: np.concatenate([x, y, x], axis), [[MATRIX], [filled(3, 4)],
                                                                       [0, 1, None]], {}),
    "stack": (lambda x, axis: np.stack([x, 2 * x], axis), [[ROW, MATRIX], [0, 1, -1]], {}),
    "split": (np.split, [[MATRIX], [2, [1, 3], [0, 2]]], {"axis": [1]}),
    "array_split": (np.array_split, [[CUBE], [2, 3]], {"axis": [0, 1, 2]}),
    "rot90": (np.rot90, [[MATRIX], [0, 1, 2, 3, -1]], {}),
    "squeeze": (np.squeeze, [[COLUMN, filled(1, 3, 1)]], {"axis": [None, -1]}),
    "expand_dims": (np.expand_dims, [[MATRIX], [0, -1, (0, 2)]], {}),
    "broadcast_to": (np.broadcast_to, [[NUMBER, COLUMN], [(3, 4), (2, 3, 4)]], {}),
    "triangles": (lambda f, x, k: f(x, k), [[np.tril, np.triu], [MATRIX, CUBE], [-1, 0, 2]], {}),
    "diagonal": (np.diagonal, [[CUBE], [0, 1, -1], [0, 1], [2]], {}),
    "diag": (np.diag, [[ROW, MATRIX], [-1, 0, 1]], {}),
    "trace": (np.trace, [[MATRIX, CUBE], [0, 1]], {}),
    # entries
    "index": (lambda x, i: x[i], [[CUBE], [0, -1, slice(None, None, -1), (0, 1), (..., 0), None,
                                           (slice(1), [2, 0, 2]), ([0, 1], [1, 1]), CUBE > 0,
                                           (slice(None, None, 2), None, ..., -2)]], {}),
    "take": (np.take, [[MATRIX], [0, [3, 1, 1], [[0], [-1]]]], {"axis": [1, None]}),
    "where": (np.where, [[MATRIX > 0, [True, False, True, True]], [MATRIX, 1.5], [ROW, COLUMN]],
              {}),
    "clip": (np.clip, [[MATRIX, NUMBER], [None, -0.5, -(ROW**2)], [0.7, COLUMN**2]], {}),
    "select": (lambda x: np.select([x < -0.5, x > 0.5], [x**2, np.exp(x)], 7 * x), [SHAPES], {}),
    # steps that share arguments
    "of itself": (lambda x: x * x + x / (x * x + 1) - x, [SHAPES], {}),
    "numbers on both sides": (lambda x: 3 - 2 * x / 5 + (1 / (2 + x**2)) ** 3 - (-x), [SHAPES], {}),
}  # fmt: skip


def combinations(name: str) -> Any:
    function, args, options = COMBINED[name]
    for given in itertools.product(*args):
        for chosen in itertools.product(*options.values()):
            yield function, given, dict(zip(options, chosen, strict=True))


@pytest.mark.parametrize("name", COMBINED)
def test_every_combination_gives_numpys_values_and_slopes(name: str) -> None:
    tried = 0
    for function, args, options in combinations(name):
        try:
            expected = list(leaves(function(*args, **options)))
        except (ValueError, IndexError):  # they don't fit
            continue
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype == float]
        if not places:
            continue

        def of_arrays(*xs: Any, f: Any = function, args: Any = args, o: Any = options,
                      places: Any = places) -> Any:  # fmt: skip
            filled_in = list(args)
            for i, x in zip(places, xs, strict=True):
                filled_in[i] = x
            return np.concatenate([np.reshape(y, -1) for y in leaves(f(*filled_in, **o))])

        xs = [args[i] for i in places]
        y = of_arrays(*map(Tensor, xs))
        assert_allclose(y.data, np.concatenate([np.reshape(z, -1) for z in expected]), rtol=1e-12)
        check_grads(of_arrays, *xs, order=1)
        tried += 1
    assert tried


# --- programs -------------------------------------------------------------------------------------

X, Y = filled(6, 3), np.array([1.0, 0, 1, 1, 0, 1])


def logistic_regression(w: Any, b: Any) -> Any:
    p = 1 / (1 + np.exp(-(np.dot(X, w) + b)))
    return -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p)) + 0.1 * np.sum(np.square(w))


def mixture(means: Any, scales: Any, logits: Any) -> Any:
    weights = logits - np.logaddexp.reduce(logits)
    apart = (X[:, None, 0] - means) / np.exp(scales)
    return -np.sum(np.logaddexp.reduce(weights - scales - 0.5 * apart**2, axis=1))


def gaussian_process(lengths: Any, noise: Any) -> Any:
    apart = (X[:, None] - X) / lengths
    covariance = np.exp(-0.5 * np.sum(apart**2, axis=-1)) + np.exp(noise) * np.eye(len(X))
    half = np.linalg.solve(np.linalg.cholesky(covariance), Y)
    return 0.5 * half @ half + 0.5 * np.linalg.slogdet(covariance)[1]


def recurrent(weights: Any, start: Any) -> Any:
    state = start
    for x in X:
        state = np.tanh(weights @ np.concatenate([x, state, [1.0]]))
    return np.sum(state**2)


def pendulum(angle: Any, speed: Any) -> Any:
    path = []
    for _ in range(8):
        speed = speed - 0.1 * np.sin(angle)
        angle = angle + 0.1 * speed
        path.append(np.stack([angle, speed]))
    return np.trapezoid(np.stack(path)[:, 0] ** 2, dx=0.1)


def convolution(image: Any, kernel: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    out = np.einsum("ijkl,kl->ij", windows, kernel)
    pooled = out[: out.shape[0] // 2 * 2].reshape(-1, 2, out.shape[1]).max(axis=1)
    return np.sum(np.where(pooled > 0, pooled, 0.1 * pooled))


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def attention(queries: Any, keys: Any, values: Any) -> Any:
    scores = np.matmul(queries, np.swapaxes(keys, -1, -2)) / np.sqrt(queries.shape[-1])
    scores = np.where(np.tril(np.ones(scores.shape)) > 0, scores, -np.inf)
    weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.sum((weights / weights.sum(axis=-1, keepdims=True) @ values) ** 2)


def spectrum(x: Any) -> Any:
    values, vectors = np.linalg.eigh(x + x.T)
    return np.sum(np.abs(vectors[:, -1])) + values[0] * np.prod(values[1:])


def spline(knots: Any, at: Any) -> Any:
    return np.sum(
        np.polyval(np.polyfit(np.arange(4.0), knots, 2), at) - np.interp(at, range(4), knots)
    )


def counted(x: Any) -> Any:
    order = np.argsort(x)
    ranks = np.searchsorted(np.sort(x), x)
    return np.sum(x[order][::2] * np.bincount(ranks, x, minlength=x.size)[: (x.size + 1) // 2])


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "logistic regression": (logistic_regression, (filled(3), filled())),
    "mixture": (mixture, (filled(3), filled(3), filled(3))),
    "Gaussian process": (gaussian_process, (np.array([1.0, 2, 0.7]), filled())),
    "recurrent": (recurrent, (filled(2, 6), filled(2))),
    "pendulum": (pendulum, (filled(), filled())),
    "convolution": (convolution, (filled(6, 6), filled(3, 2))),
    "Rosenbrock": (rosenbrock, (filled(5),)),
    "attention": (attention, (filled(2, 3, 4), filled(2, 3, 4), filled(2, 3, 2))),
    "spectrum": (spectrum, (filled(4, 4),)),
    "spline": (spline, (filled(4), np.array([0.3, 1.7, 2.2]))),
    "counted": (counted, (filled(7),)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_numpys_runs_as_it_is(name: str) -> None:
    function, args = PROGRAMS[name]
    value, slopes = value_and_grad(function, tuple(range(len(args))))(*args)
    assert_allclose(value, function(*args), rtol=1e-12)
    assert [np.shape(slope) for slope in slopes] == [np.shape(x) for x in args]
    check_grads(function, *args, order=2)


def test_containers_of_parameters_and_transforms_of_transforms() -> None:
    def loss(params: dict[str, Any], scale: float = 1.0) -> Any:
        hidden = np.tanh(X @ params["layers"][0] + params["bias"])
        return scale * np.sum((hidden @ params["layers"][1] - Y) ** 2)

    params = {"layers": [filled(3, 2), filled(2)], "bias": filled(2)}
    slopes = grad(loss)(params, scale=2.0)
    assert slopes["layers"][0].shape == (3, 2)
    check_grads(lambda b: loss({**params, "bias": b}, scale=2.0), params["bias"])
    third = elementwise_grad(elementwise_grad(elementwise_grad(np.sin)))
    assert_allclose(third(ROW), -np.cos(ROW))
    rows = jacobian(lambda x: np.stack([np.sum(x**2), np.prod(x)]))(ROW)
    assert_allclose(rows, [2 * ROW, np.prod(ROW) / ROW])
    assert_allclose(jacobian(grad(rosenbrock))(ROW), jacobian(grad(rosenbrock))(ROW).T)
