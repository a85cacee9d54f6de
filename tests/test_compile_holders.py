"""Arrays outside are read and written in each run, whatever holds them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tinytorch import compile  # noqa: A004


class _Pair(NamedTuple):
    array: Any
    number: float


def _default(w: Any) -> Any:
    return lambda x, use, w=w: use(x, w)


def _by_name(w: Any) -> Any:
    def function(x: Any, use: Any, *, w: Any = w) -> Any:
        return use(x, w)

    return function


def _from(held: Any, get: Callable[[Any], Any]) -> Any:
    return lambda x, use: use(x, get(held))


HOLDERS: dict[str, Callable[[Any], Any]] = {
    "a closure": lambda w: lambda x, use: use(x, w),
    "a tuple": lambda w: lambda x, use, t=[(w, 1.0)]: use(x, t[0][0]),
    "a tuple in a tuple": lambda w: lambda x, use, t=(0, (1, (w,))): use(x, t[1][1][0]),
    "a named tuple": lambda w: _from([_Pair(w, 1.0)], lambda held: held[0].array),
    "a default": _default,
    "a default by name": _by_name,
    "a partial": lambda w: functools.partial(lambda w, x, use: use(x, w), w),
    "a partial by name": lambda w: functools.partial(lambda x, use, w: use(x, w), w=w),
    "a partial inside": lambda w: _from([functools.partial(abs, w)], lambda held: held[0].args[0]),
}


def _add_to(x: Any, w: Any) -> Any:
    w[0] += 1
    w *= x
    return w.sum()


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize(
    "use",
    [lambda x, w: x * w, lambda x, w: x * w.sum(), lambda x, w: x * (w * 2)[0], _add_to],
)
def test_an_array_is_read_wherever_it_is_held(name: str, use: Any) -> None:
    arrays = np.ones(3), np.ones(3)
    compiled, function = compile(HOLDERS[name](arrays[0])), HOLDERS[name](arrays[1])
    for i in range(6):
        for w in arrays:
            np.add(w, i // 4, out=w)
        x = np.arange(1.0, 4) + i
        assert_array_equal(compiled(x, use), function(x, use), strict=True)
        assert_array_equal(*arrays)
    assert compiled.program is not None


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_like_another_lie_as_it_does(order: Any) -> None:
    x = np.arange(1.0, 7.0).reshape((2, 3), order=order)
    for function in (
        np.zeros_like,
        lambda x: np.full_like(x * 1, 2, order="F"),
        lambda x: np.ones_like(x, order="C"),
        lambda x: np.full_like(x, x[0]) * 2,
    ):
        compiled = compile(function)
        for _ in range(4):
            assert compiled(x).strides == function(x).strides
            assert_array_equal(compiled(x), function(x), strict=True)


def test_what_has_no_hash_is_an_argument_too() -> None:
    compiled = compile(lambda x, view: x * len(view))
    view = memoryview(bytearray(3))
    for _ in range(4):
        assert_array_equal(compiled(np.ones(2), view), np.full(2, 3.0))


def _write(a: Any, b: Any) -> Any:
    before = b * 1
    a += 1
    return before + b * 1, a * b


@pytest.mark.parametrize("first", [0, 1])
def test_arguments_in_one_place_and_in_two_of_one_memory(first: int) -> None:
    compiled = compile(_write)
    for i in range(9):
        mine, numpys = np.arange(9.0), np.arange(9.0)
        at = 1 + (first if i < 5 else 1 - first)
        results = compiled(mine[1:5], mine[at : at + 4]), _write(numpys[1:5], numpys[at : at + 4])
        assert_array_equal(*results)
        assert_array_equal(mine, numpys)


@pytest.mark.parametrize("first", [0, 1])
def test_an_argument_in_the_place_of_what_is_outside_and_beside_it(first: int) -> None:
    mine, numpys = np.arange(9.0), np.arange(9.0)
    parts = [mine[1:5]], [numpys[1:5]]
    compiled, function = (lambda a, w=w: _write(a, w[0]) for w in parts)
    compiled = compile(compiled)
    for i in range(9):
        at = 1 + (first if i < 5 else 1 - first)
        assert_array_equal(compiled(mine[at : at + 4]), function(numpys[at : at + 4]))
        assert_array_equal(mine, numpys)


def test_arrays_share_the_memory_of_what_is_no_array() -> None:
    compiled = compile(_write)
    for _ in range(5):
        mine, numpys = bytearray(np.arange(9.0).tobytes()), bytearray(np.arange(9.0).tobytes())
        results = [
            function(np.frombuffer(memory)[:4], np.frombuffer(memory)[1:5])
            for function, memory in ((compiled, mine), (_write, numpys))
        ]
        assert_array_equal(*results)
        assert mine == numpys
