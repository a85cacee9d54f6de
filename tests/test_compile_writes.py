"""What a function writes into an array, in any of NumPy's ways, its program writes again."""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from test_numpy_keywords import ARGUMENTS, M
from write_numpy_functions import functions

from tinytorch import compile  # noqa: A004

Write = Callable[[Any, Any], Any]  # of an array, and of what to write into


def assert_writes(write: Write, shape: Any, dtype: Any = float) -> None:
    def written(x: Any) -> Any:
        out = np.zeros(shape, dtype) + (x.sum() * 0).astype(dtype)
        other = out[...]  # which has the same memory
        write(x, out)
        return other * 2

    compiled = compile(written)
    for i in range(1, 5):
        assert_array_equal(compiled(M * i), written(M * i))
    assert compiled.program is not None


GIVEN: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    **ARGUMENTS,
    **dict.fromkeys(("percentile", "nanpercentile"), lambda x: (x, 30, 0)),
    **dict.fromkeys(("quantile", "nanquantile"), lambda x: (x, 0.3, 0)),
    **dict.fromkeys(("cumulative_sum", "cumulative_prod"), lambda x: (x[0],)),
    "dot": lambda x: (x, x.T),
    "outer": lambda x: (x, x),
    "take": lambda x: (x, [1, 0], 1),
    "trace": lambda x: (x[:, :2, None],),
}
# Its shape depends on values; from NumPy 2.5 on it is deprecated; and these are of dates.
LEFT_OUT = "np.compress", "np.fix", "np.busday_count", "np.busday_offset", "np.is_busday"


def with_out() -> Iterator[Any]:
    """List NumPy's functions that take `out`, by its place and by its name."""
    for name, function in functions():
        if isinstance(function, np.ufunc) or name in LEFT_OUT:
            continue
        try:
            parameters = [*inspect.signature(function).parameters.values()]
        except ValueError:  # those in C tell theirs from NumPy 2.4 on
            continue
        place = next((i for i, x in enumerate(parameters) if x.name == "out"), None)
        if place is None:
            continue
        by_axis = place > 1 and parameters[1].name == "axis" and name != "np.concatenate"
        given = (lambda x: (x, 0)) if by_axis else (lambda x: (x,))
        given = GIVEN.get(name.rpartition(".")[2], given)
        yield pytest.param(function, given, None, id=f"{name} by name")
        if parameters[place].kind == inspect.Parameter.POSITIONAL_OR_KEYWORD:
            before = [x.default for x in parameters[:place]]
            yield pytest.param(function, given, before, id=f"{name} by place")


WITH_OUT = [*with_out()]


@pytest.mark.parametrize(("function", "given", "before"), WITH_OUT)
def test_out_of_a_function(function: Any, given: Any, before: list[Any] | None) -> None:
    like = function(*given(M))

    def write(x: Any, out: Any) -> None:
        args = given(x)
        if before is None:
            function(*args, out=out)
        else:
            function(*args, *before[len(args) :], out)

    assert_writes(write, like.shape, like.dtype)


@pytest.mark.parametrize(("function", "given", "before"), WITH_OUT)
def test_out_of_a_method(function: Any, given: Any, before: list[Any] | None) -> None:
    name = function.__name__
    # NumPy's methods do not take `out` there, though they say so.
    elsewhere = name in ("choose", "ptp") or (before and name in ("all", "any"))
    if elsewhere or not hasattr(np.ndarray, name):
        return
    like = function(*given(M))

    def write(x: Any, out: Any) -> None:
        array, *args = given(x)
        if before is None:
            getattr(array, name)(*args, out=out)
        else:
            getattr(array, name)(*args, *before[len(args) + 1 :], out)

    assert_writes(write, like.shape, like.dtype)


def ufuncs() -> list[Any]:
    found = {f for _, f in functions() if isinstance(f, np.ufunc) and f.signature is None}
    return sorted(
        (f for f in found if any(t.startswith("d" * f.nin + "->") for t in f.types)),
        key=lambda f: str(f.__name__),
    )


@pytest.mark.parametrize("ufunc", [*ufuncs(), np.matmul, np.vecdot], ids=lambda f: f.__name__)
@pytest.mark.parametrize("by_place", [False, True])
def test_out_of_a_ufunc(ufunc: Any, by_place: bool) -> None:
    if by_place and ufunc in (np.maximum, np.minimum):
        return  # it is deprecated

    def inputs(x: Any) -> list[Any]:
        x = x / 100  # which is in the domain of them all but one
        x = x + 1 if ufunc is np.arccosh else x
        return [x, x.T if ufunc is np.matmul else x + 0.5][: ufunc.nin]

    results = ufunc(*inputs(M))
    like = results[0] if ufunc.nout > 1 else results

    def write(x: Any, out: Any) -> None:
        outs = (out, *[None] * (ufunc.nout - 1))
        if by_place:
            ufunc(*inputs(x), *outs)
        else:
            ufunc(*inputs(x), out=outs)

    assert_writes(write, like.shape, like.dtype)


IN_PLACE: dict[str, Write] = {
    "nan_to_num": lambda x, out: np.nan_to_num(fill(out, np.nan), copy=False, nan=x[0, 1]),
    "nan_to_num by place": lambda x, out: np.nan_to_num(fill(out, np.nan), False, x[0, 1]),
    "nan_to_num of a copy": lambda x, out: np.nan_to_num(fill(out, np.nan), nan=x[0, 1]),
    "copyto": lambda x, out: np.copyto(dst=out, src=x),
    "copyto where": lambda x, out: np.copyto(out, x, where=x > 2),
    "place": lambda x, out: np.place(arr=out, mask=x > 2, vals=x),
    "putmask": lambda x, out: np.putmask(out, x > 2, x),
    "put": lambda x, out: np.put(a=out, ind=[0, 4], v=x[0, :2]),
    "fill_diagonal": lambda x, out: np.fill_diagonal(a=out, val=x[0, 1]),
    "put_along_axis": lambda x, out: np.put_along_axis(out, np.array([[1], [2]]), x[:, :1], 1),
    "add.at": lambda x, out: np.add.at(out, ([0, 0, 1], [1, 1, 2]), x[0]),
    "add.accumulate": lambda x, out: np.add.accumulate(x, 0, None, out),
    "add.reduceat": lambda x, out: np.add.reduceat(x, [0, 1], 0, None, out),
    "fill": lambda x, out: out.fill(x[0, 1]),
    "sort": lambda x, out: [np.copyto(out, -x), out.sort(0)],
    "partition": lambda x, out: [np.copyto(out, -x), out.partition(1)],
    "method put": lambda x, out: out.put([0, 4], x[0, :2]),
    "setfield": lambda x, out: out.setfield(x, float),
    "index": lambda x, out: out.__setitem__((slice(None), [2, 0]), x[:, :2]),
    "view": lambda x, out: out.T.__setitem__(1, x[:, 0]),
    "real": lambda x, out: out.real.__setitem__(0, x[0]),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_writing_in_place(name: str) -> None:
    assert_writes(IN_PLACE[name], M.shape)


def fill(out: Any, value: float) -> Any:
    out[0] = value
    return out


@pytest.mark.parametrize(
    "write", [lambda x: x.resize((1, 2), refcheck=False), lambda x: x.byteswap(inplace=True)]
)
def test_what_is_not_written_again_is_refused(write: Any) -> None:
    compiled = compile(lambda x: write(x * 2))
    with pytest.raises(TypeError, match="changes an array in a way that is not recorded"):
        [compiled(M) for _ in range(3)]


def test_arrays_like_another_are_filled_whatever_comes_by_name() -> None:
    for like in (
        lambda x: np.full_like(x, fill_value=3),
        lambda x: np.full_like(a=x, fill_value=3),
        lambda x: np.ones_like(a=x, dtype=np.float32),
        lambda x: np.zeros_like(x, shape=(2, 1)),
        lambda x: np.empty_like(prototype=x) * 0,
        lambda x: np.any(a=x * 2, axis=0),
    ):
        compiled = compile(lambda x, like=like: like(x * 2) + like(x))
        for _ in range(4):
            assert_array_equal(compiled(M), like(M * 2) + like(M), strict=True)


def test_what_was_written_in_between_is_computed_again() -> None:
    def step(x: Any) -> Any:
        out = x * 2
        first = np.sin(out)
        out[0] = 3
        return first, np.sin(out)

    compiled = compile(step)
    for _ in range(4):
        assert_array_equal(compiled(M), step(M))


@pytest.mark.parametrize(
    "reduce",
    [
        lambda x: x.sum(axis=1, where=x > 2),
        lambda x: x.max(axis=1, initial=3.0),
        lambda x: x.prod(axis=0, initial=2.0, where=x > 2),
        lambda x: x.sum(0, None, None, True),
        lambda x: np.add.reduce(x, 1, None, None, True, 2.0),
        lambda x: np.add.reduce(x, 0, np.float32),
    ],
)
def test_every_option_of_a_reduction_is_kept(reduce: Any) -> None:
    compiled = compile(lambda x: reduce(x * 2) * 3)
    for i in range(1, 5):
        assert_array_equal(compiled(M * i), reduce(M * i * 2) * 3)


def refused(function: Callable[[Any], Any], match: str) -> None:
    compiled = compile(function)
    compiled(M)
    with pytest.raises(TypeError, match=match):
        [compiled(M) for _ in range(2)]


def between(write: Callable[[Any], Any], use: Write = lambda x, w: x * w) -> Any:
    def function(x: Any) -> Any:
        w = np.ones(3)
        y = use(x, w)
        write(w)
        return y + use(x, w)

    return function


def test_what_is_written_with_no_record_is_refused() -> None:
    for function in (
        between(lambda w: w.__setitem__(0, 7)),
        between(lambda w: w[:2].__setitem__(0, 7)),
        between(lambda w: np.multiply(w, 3, out=w)),
        between(lambda w: w.sort() or w.fill(2)),
    ):
        refused(function, "something writes into an array, and leaves no record of it")


def test_a_result_that_was_written_with_no_record_is_refused() -> None:
    def function(x: Any) -> Any:
        w = np.zeros(3)
        y = x * w
        w[0] = 7
        return y, w

    refused(function, "leaves no record")


HELD: dict[str, Write] = {
    "out": lambda x, w: np.multiply(x, 2, out=w),
    "copyto": lambda x, w: np.copyto(w, x),
    "row": lambda x, w: operator.iadd(w[0], x[0]),
    "another name": lambda x, w: operator.iadd(w, x),
    "at": lambda x, w: np.add.at(w, [0], x[:1]),
    "a number": lambda x, w: w.__setitem__(0, x[0]),
}


@pytest.mark.parametrize("name", HELD)
def test_a_write_into_what_is_read_elsewhere_is_refused(name: str) -> None:
    def function(x: Any) -> Any:
        w = np.zeros((2, 3))
        HELD[name](x, w)
        return w.sum() * x

    refused(function, "written into an array that no argument or tensor holds")


@pytest.mark.parametrize(
    "held",
    [lambda w: [w], lambda w: w[:], lambda w: {"w": w}, lambda w: types.SimpleNamespace(w=w)],
)
def test_what_a_sum_begins_with_is_held_by_nothing_else(held: Any) -> None:
    def function(x: Any) -> Any:
        w = np.zeros(3)
        holder = held(w)
        w += x[0]
        return w.sum() * x, holder

    refused(function, "written into an array that no argument or tensor holds")


def test_what_a_sum_begins_with_is_a_value_of_the_program() -> None:
    def function(x: Any) -> Any:
        w = np.zeros(3)
        w += x[0]
        w[1] = 5
        w *= 2
        return w.sum() * x, w, np.sqrt(w)

    compiled = compile(function)
    for i in (1, 1, 1, 2, 3):
        for x, y in zip(compiled(M * i), function(M * i), strict=True):
            assert_array_equal(x, y)


@pytest.mark.parametrize("part", [slice(None), 0])
def test_shuffling_and_draws_into_an_array_are_writes(part: Any) -> None:
    def function(rng: Any, x: Any) -> Any:
        y, z = x * 1, x * 2
        first = y * 2
        rng.shuffle(y[part])
        rng.random(None, np.float64, z[part])
        rng.standard_normal(out=y[1])
        rng.permuted(x * 1, axis=1, out=z[:])
        return first, y * 2, z * 2, x

    compiled = compile(function)
    mine, numpys = np.random.default_rng(0), np.random.default_rng(0)
    for i in range(1, 6):
        for x, y in zip(compiled(mine, M * i), function(numpys, M * i), strict=True):
            assert_array_equal(x, y)


def test_what_a_generator_does_besides_is_refused() -> None:
    rng = np.random.default_rng(0)
    refused(lambda x: rng.spawn(1)[0].random() * x, "spawn of a generator is no draw")
    refused(lambda x: (rng.shuffle([1, 2]), x)[1] * 2, "a list is shuffled")
