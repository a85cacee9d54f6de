"""Every keyword of NumPy's functions is obeyed, refused, or changes nothing: none is forgotten."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cases import NUMPY_2_1
from numpy.testing import assert_allclose, assert_array_equal
from reference import leaves
from write_numpy_functions import functions, kind

from tinytorch import Tensor
from tinytorch.arrays.places import parameters
from tinytorch.operations.protocols import (
    _CHANGING_NOTHING,
    arguments,
    numpy_functions,
)

M = np.arange(6.0).reshape(2, 3) + 1
SQUARE = np.array([[2.0, 1.0], [1.0, 3.0]])

# Calls of functions that take more than one matrix.
ARGUMENTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "broadcast_arrays": lambda x: (x, x),
    "broadcast_to": lambda x: (x, (2, 2, 3)),
    "clip": lambda x: (x, 1, 2),
    "full": lambda x: (2, x[0, 0]),
    "full_like": lambda x: (x, x[0, 0]),
    "linspace": lambda x: (x, 9.0),
    "meshgrid": lambda x: (x[0], x[1]),
    "partition": lambda x: (x, 1),
    "reshape": lambda x: (x, (3, 2)),
    "sliding_window_view": lambda x: (x[0], 2),
    "astype": lambda x: (x, np.float32),
    "einsum": lambda x: ("ij->j", x),
    "choose": lambda x: ([0, 1, 1], x),
    "multi_dot": lambda x: ([x, x.T],),
    **dict.fromkeys(("fix", "cumulative_sum", "cumulative_prod"), lambda x: (x,)),
    "svd": lambda x: (x[:, :2] @ x[:, :2].T,),
    **dict.fromkeys(("percentile", "nanpercentile"), lambda x: (x, 30)),
    **dict.fromkeys(("quantile", "nanquantile"), lambda x: (x, 0.3)),
    **dict.fromkeys(
        ("concat", "concatenate", "hstack", "stack", "vstack"), lambda x: ([x, x],)
    ),
}  # fmt: skip


def ignored() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """List the keywords of NumPy's that an implementation does not see."""
    for name, function in functions():
        if kind(function) != "gradient" or isinstance(function, np.ufunc):
            continue
        ours = parameters(numpy_functions[function])
        for x in parameters(function):
            if x.name in _CHANGING_NOTHING and x.name not in {y.name for y in ours}:
                yield name, function, x.name


IGNORED = list(ignored())


@pytest.mark.parametrize(
    ("name", "function", "key"), IGNORED, ids=[f"{name} {key}" for name, _, key in IGNORED]
)
def test_what_is_left_out_changes_nothing_in_numpy(
    name: str, function: Callable[..., Any], key: str
) -> None:
    made = ARGUMENTS.get(name.rpartition(".")[2], lambda x: (x,))
    like = {"like": Tensor(M)} if name == "np.full" else {}
    expected = list(leaves(function(*made(M))))
    taken = 0
    for value in _CHANGING_NOTHING[key]:
        x = Tensor(M)
        try:
            of_numpy = list(leaves(function(*made(M), **{key: value})))
        except (TypeError, ValueError):  # NumPy takes it elsewhere: order= of np.sort, say
            continue
        taken += 1
        for y, z, plain in zip(
            leaves(function(*made(x), **like, **{key: value})), of_numpy, expected, strict=True
        ):
            data = y.data if isinstance(y, Tensor) else y
            assert_allclose(data, z, rtol=5e-16)
            assert_array_equal(z, plain)
    assert taken or key == "order"
    with pytest.raises(TypeError, match=f"{key}='nonsense' is not supported for tensors"):
        function(*made(Tensor(M)), **like, **{key: "nonsense"})


def known_to_numpy() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """List the keywords of NumPy's functions that are refused."""
    for name, function in functions():
        if kind(function) != "gradient" or isinstance(function, np.ufunc):
            continue
        ours = parameters(numpy_functions[function])
        if any(y.kind == y.VAR_KEYWORD for y in ours):
            continue
        for i, x in enumerate(parameters(function)):
            unseen = x.name not in {y.name for y in ours} | _CHANGING_NOTHING.keys() | {"like"}
            if i and unseen and x.default is not inspect.Parameter.empty:
                yield name, function, x.name


REFUSED = list(known_to_numpy())


@pytest.mark.parametrize(
    ("name", "function", "key"), REFUSED, ids=[f"{name} {key}" for name, _, key in REFUSED]
)
def test_what_is_not_taken_is_refused(name: str, function: Callable[..., Any], key: str) -> None:
    if any(x.kind == x.POSITIONAL_ONLY and x.name == key for x in parameters(function)):
        return
    made = ARGUMENTS.get(name.rpartition(".")[2], lambda x: (x, 1))
    with pytest.raises(TypeError, match=rf"{key}= is not supported for tensors"):
        function(*made(Tensor(M)), **{key: np.ones(1)})


BY_PLACE: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: np.sum(x, 0, np.float32, None, True),
    "std": lambda x: np.std(x, 0, None, None, 1),
    "max": lambda x: np.max(x, 0, None, True),
    "median": lambda x: np.median(x, 0, None, False, True),
    "take": lambda x: np.take(x, [9], 0, None, "wrap"),
    "quantile": lambda x: np.quantile(x, 0.3, 0, None, False, "lower", True),
    "sort": lambda x: np.sort(x, -1, "stable"),
    "nansum": lambda x: np.nansum(x, 0, None, None, True),
    "copy": lambda x: np.copy(x, "F"),
    "clip": lambda x: np.clip(x, 2, 4, None),
    "svd": lambda x: np.linalg.svd(x[:, :2] @ x[:, :2].T, True, True, True),
}


@pytest.mark.parametrize("name", BY_PLACE)
def test_arguments_come_in_numpys_places(name: str) -> None:
    call = BY_PLACE[name]
    for y, z in zip(leaves(call(Tensor(M))), leaves(call(M)), strict=True):
        assert y.data.dtype == np.asarray(z).dtype
        assert_allclose(y.data, z, rtol=1e-14)


def test_the_order_of_entries_is_that_of_numpy() -> None:
    for order in ("C", "F", None):
        for array, x in ((M, Tensor(M)), (M.T, Tensor(M).T)):
            expected = np.ravel(array, order=order)
            assert_array_equal(x.ravel(order=order).data, expected)
            assert_array_equal(x.flatten(order=order).data, expected)
            assert_array_equal(x.reshape(-1, order=order).data, expected)
            shaped = np.reshape(array, (3, -1), order=order)
            assert_array_equal(x.reshape((3, -1), order=order).data, shaped)
    assert_array_equal(Tensor(M).flatten("F").data, M.flatten("F"))
    x = Tensor(M)
    (x.reshape(3, 2, order="F") * M.reshape(3, 2)).backward()
    assert_array_equal(x.grad.reshape(3, 2, order="F"), M.reshape(3, 2))


@pytest.mark.parametrize("order", ["K", "A", "x", 1])
def test_an_order_in_memory_is_no_order_of_entries(order: Any) -> None:
    x = Tensor(M).T
    calls: tuple[Callable[[], Any], ...] = (
        lambda: np.ravel(x, order=order),
        lambda: np.reshape(x, 6, order=order),
        lambda: x.ravel(order=order),
        lambda: x.flatten(order=order),
        lambda: x.reshape(6, order=order),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r'order="C" .* or "F"'):
            call()
    with pytest.raises(ValueError, match="joins all axes"):
        x.flatten(1, order="F")


def test_a_reshape_may_be_a_copy() -> None:
    x = Tensor(M)
    if NUMPY_2_1:  # which brought it
        y = np.reshape(x, 6, copy=True)
        assert not np.shares_memory(y.data, x.data)
        y.backward()
        assert_array_equal(x.grad, 1)
        with pytest.raises(ValueError, match="copy=False is not supported"):
            np.reshape(x, 6, copy=False)
    with pytest.raises(TypeError, match="copy=False writes into an array"):
        np.nan_to_num(x, copy=False)


def test_of_hermitian_matrices_the_lower_triangle_counts() -> None:
    x = Tensor(SQUARE)
    above = np.triu(np.full((2, 2), 5.0), 1) + SQUARE
    for y, z in zip(
        np.linalg.svd(Tensor(above), hermitian=True),
        np.linalg.svd(SQUARE, hermitian=True),
        strict=True,
    ):
        assert_allclose(y.data, z, rtol=1e-14)
    np.linalg.svd(x, hermitian=True).S.backward()
    assert_allclose(x.grad, np.eye(2), atol=1e-14)  # as the trace's


def test_what_is_not_taken_is_named() -> None:
    refused = 0
    for function, ours in numpy_functions.items():
        known = {x.name for x in parameters(ours)}
        if isinstance(function, np.ufunc) or any(x.kind == x.VAR_KEYWORD for x in parameters(ours)):
            continue
        for x in parameters(function)[1:]:
            if x.name in known or x.name in {*_CHANGING_NOTHING, "out"} or x.default is x.empty:
                continue
            with pytest.raises(TypeError, match=rf"^np\..*: {x.name}= is not supported for tens"):
                arguments(function, (Tensor(M),), {x.name: 1})
            refused += 1
    assert refused
