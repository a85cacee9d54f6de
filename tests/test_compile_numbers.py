"""Programs compute with NumPy's dtypes, and with Python's numbers as Python does."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tinytorch import compile  # noqa: A004

M = np.arange(1.0, 7.0).reshape(2, 3)
DTYPES = "float64", "float32", "float16", "int8", "uint8", "int64", "bool", "complex64"


def result(function: Any, *args: Any) -> Any:
    """Give the result, or the error that is the answer."""
    try:
        return function(*args)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error).__name__


def assert_same(function: Any, *args: Any) -> None:
    compiled = compile(function)
    for _ in range(4):
        mine, numpys = result(compiled, *args), result(function, *args)
        mine, numpys = ([x] if not isinstance(x, list | tuple) else x for x in (mine, numpys))
        for x, y in zip(mine, numpys, strict=True):
            assert type(x) is type(y)
            if isinstance(x, str):
                assert x == y
            else:
                assert_array_equal(x, y, strict=True)


FUNCTIONS: dict[str, Any] = {
    "ldexp": lambda x: np.ldexp(x, 2),
    "float_power": lambda x: np.float_power(x, 0.1),
    "copysign": lambda x: np.copysign(x, 0.0) * 2 + np.copysign(x, -0.0),
    "minus first": lambda x: -x + np.int64(1000),
    "minus last": lambda x: x.astype(float) * 2 + (-x),
    "clip at no end": lambda x: np.clip(x, -np.inf, np.inf),
    "clip at one end": lambda x: x.clip(-np.inf, 3),
    "round": lambda x: np.round(x, 1) + round(x[0, 0] * 1, 1),
    "divmod": lambda x: divmod(x, 2),
    "invert": lambda x: ~x,
    "and": lambda x: (x & 3) ^ (1 | x),
    "view": lambda x: (x * 1).view() * x.view(np.ndarray) + x.view(type=np.ndarray),
    "astype by place": lambda x: x.astype(np.complex128, "F", "safe", True, False) * 2,
    **{f"power {e!r}": lambda x, e=e: x**e for e in (2, 1, 0, -1, 0.5, 3, 2.0, -1.0, 1.5)},
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_dtypes_are_numpys(name: str, dtype: str) -> None:
    if not ("round" in name and dtype in ("bool", "complex64")):  # whose entries have no round
        assert_same(FUNCTIONS[name], M.astype(dtype))


SPECIAL = np.array([-np.inf, -0.0, 0.0, np.inf, np.nan, -1.5, 2.5])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("exponent", [2, 1, 0, -1, 0.5, 3, -1.0, 1.5])
def test_powers_in_place(dtype: str, exponent: Any) -> None:
    def power(x: Any) -> Any:
        y = x * 1
        y **= exponent
        return y

    assert_same(power, SPECIAL.astype(dtype))


UNARY = [operator.pos, operator.neg, operator.abs]
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, divmod, operator.lt, operator.eq,
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv,
    operator.imod, operator.ipow,
]  # fmt: skip


@pytest.mark.parametrize("number", [2.5, np.float32(2.5), np.float64(2.5)], ids=repr)
def test_operators_of_a_number(number: Any) -> None:
    x = M.astype(np.float32)
    for f in UNARY:
        assert_same(lambda x, s, f=f: (f(s), x * f(s)), x, number)
    for f in BINARY:
        for way in (lambda s, f=f: f(s, 2), lambda s, f=f: f(s + 5, s)):
            parts = (lambda r: r) if f is divmod else (lambda r: (r,))
            assert_same(
                lambda x, s, w=way, p=parts: [*p(w(s)), *(x * r for r in p(w(s)))], x, number
            )
    assert_same(lambda x, s: [*divmod(7, s), x * divmod(7, s)[1]], x, number)


@pytest.mark.parametrize("take", [lambda s: s.is_integer(), lambda s: s.conjugate(), round])
def test_what_takes_a_number_out_is_refused(take: Any) -> None:
    compiled = compile(lambda x, s: x * take(s))
    compiled(M, 2.5)
    with pytest.raises(TypeError, match="takes a value out of the program"):
        compiled(M, 3.5)


PARTS: dict[str, Any] = {
    "real": lambda x: setattr(x, "real", 3),
    "imag": lambda x: setattr(x, "imag", x.real * 2),
    "flat": lambda x: setattr(x, "flat", 3),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_assigned_to(name: str) -> None:
    def write(x: Any) -> Any:
        y = x * 1
        PARTS[name](y)
        return y * 2

    assert_same(write, M.astype(complex))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from NumPy 2.5 on
@pytest.mark.parametrize(("name", "value"), [("shape", (3, 2)), ("dtype", np.dtype(int))])
def test_the_shape_and_the_dtype_of_an_array_stay(name: str, value: Any) -> None:
    compiled = compile(lambda x: setattr(x * 1, name, value))
    compiled(M)
    with pytest.raises(TypeError, match=f"the {name} of an array is assigned to"):
        compiled(M)


@pytest.mark.parametrize(
    "overflow",
    [
        lambda x: np.exp(x * 1000),
        lambda x: operator.imul(x * 1, 1e308),
        lambda x: x.astype(complex).astype(float) * 1e308,
        lambda x: x[:0].mean(),
    ],
)
def test_warnings_of_plain_arrays_are_no_errors(overflow: Any) -> None:
    compiled = compile(overflow)
    for _ in range(4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert_array_equal(compiled(M), overflow(M))
        assert {str(x.message) for x in caught}
