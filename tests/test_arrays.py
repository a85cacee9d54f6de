"""NumPy's words, faster: each is the plain one, on arrays of every kind."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.array_utils import byte_bounds
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch.arrays import words

DTYPES = st.sampled_from([np.float16, np.float32, np.float64, np.longdouble])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def laid_out(x: Any, how: int) -> Any:
    """Give the same entries in rows, in columns, or as every second one of more."""
    if how == 2:
        spread = np.full((*x.shape, 2), np.nan, x.dtype)
        spread[..., 0] = x
        return spread[..., 0]
    return np.asarray(x, order="CF"[how])


SPECIAL = st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan])


@st.composite
def inputs(draw: st.DrawFn, shapes: Any = SHAPES, dtypes: Any = DTYPES) -> Any:
    shape, dtype = draw(shapes), draw(dtypes)
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape).astype(dtype)
    return laid_out(x, draw(st.integers(0, 2)))


def assert_same(given: Any, expected: Any, rounding: int = 8) -> None:
    """Compare dtype, shape and entries; the order of a sum changes the last bits."""
    assert np.asarray(given).dtype == np.asarray(expected).dtype
    assert np.shape(given) == np.shape(expected)
    tolerance = rounding * float(np.finfo(np.asarray(expected).dtype).eps)
    assert_allclose(given, expected, rtol=tolerance, atol=tolerance)


@given(data=st.data())
def test_keep_gives_zeros_whatever_stands_there(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3))
    x = data.draw(inputs(st.just(shapes.input_shapes[0])))
    x.flat[::2] = data.draw(SPECIAL)
    mask = np.random.default_rng(0).random(shapes.input_shapes[1]) < 0.5
    assert_array_equal(words.keep(mask, x), np.where(mask, x, x.dtype.type(0)), strict=True)


def test_keep_knows_truth_values_and_other_arrays() -> None:
    assert_array_equal(words.keep(False, np.array([1.0, np.inf])), np.zeros(2), strict=True)
    assert words.keep(True, np.float64(2.0)) == 2


@given(data=st.data())
def test_matmul(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_side=3))
    dtypes = st.just(data.draw(DTYPES))
    x, y = (data.draw(inputs(st.just(shape), dtypes)) for shape in shapes.input_shapes)
    assert_same(words.matmul(x, y), np.matmul(x, y))


@given(x=inputs())
def test_ones_like(x: Any) -> None:
    assert_array_equal(np.asarray(words.ones_like(x)), np.ones_like(x), strict=True)


# What has a short cut is drawn more often than the rest.
FAST = st.sampled_from([np.float32, np.float64])
MATRICES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4)


@given(x=inputs() | inputs(MATRICES, FAST) | inputs(MATRICES, FAST), data=st.data())
def test_sum_leading(x: Any, data: st.DataObject) -> None:
    axes = data.draw(st.sampled_from([min(1, x.ndim), *range(x.ndim + 1)]))
    x.flat[:1] = data.draw(SPECIAL)
    assert_same(words.sum_leading(x, axes), x.sum(axis=tuple(range(axes))))


@given(
    x=inputs(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0)) | inputs(MATRICES, FAST),
    data=st.data(),
)
def test_sum_along(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from([-1, *range(-x.ndim, x.ndim)]))
    x.flat[:1] = data.draw(SPECIAL)
    assert_same(words.sum_along(x, axis), x.sum(axis=axis, keepdims=True))


def test_long_sums_are_exact() -> None:
    x = np.random.default_rng(0).random((2, 100_000)).astype(np.float32)
    exact = x.astype(np.float64).sum(axis=1)
    eps = np.finfo(np.float32).eps
    assert_allclose(words.sum_along(x, -1)[:, 0], exact, rtol=8 * eps)
    columns = np.ascontiguousarray(x.T[:4000])
    exact = columns.astype(np.float64).sum(axis=0)
    # Row after row, rounding errors add up at random: less than one for the root of 4,000 rows.
    assert_allclose(words.sum_leading(columns, 1), exact, rtol=8 * eps)


@given(
    x=inputs(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1))
    | inputs(hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4), FAST),
    data=st.data(),
)
def test_mean(x: Any, data: st.DataObject) -> None:
    subsets = [axes for n in range(x.ndim + 1) for axes in combinations(range(x.ndim), n)]
    axis = data.draw(st.sampled_from([None, *range(x.ndim), *subsets]))
    keepdims = data.draw(st.booleans())
    given_mean = words.mean(x, axis=axis, keepdims=keepdims)
    assert_same(given_mean, np.mean(x, axis=axis, keepdims=keepdims))


@given(data=st.data())
def test_broadcast_to_takes_no_memory(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3))
    x = data.draw(inputs(st.just(shapes.input_shapes[0])))
    given = words.broadcast_to(x, shapes.result_shape)
    assert_array_equal(given, np.broadcast_to(x, shapes.result_shape), strict=True)
    assert not given.flags.writeable
    (low, high), (first, last) = byte_bounds(given), byte_bounds(x)
    assert high - low <= last - first
