"""NumPy's protocols: its functions take tensors, and none of them drops a gradient in silence."""

from __future__ import annotations

import inspect
import io
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal
from reference import Function, assert_close, exchanged, is_variable, leaves, weights

from tinytorch import Tensor, check_grads
from tinytorch.operations.protocols import numpy_functions, plain_functions

X = np.array([[0.5, 2.0, -1.0], [3.0, 0.25, 1.5]])

# --- tensors into arrays --------------------------------------------------------------------------


def test_asarray_gives_the_values_and_array_a_copy() -> None:
    x = Tensor(X, dtype=np.float32, requires_grad=False)
    assert np.asarray(x) is x.data
    copied = np.array(x)
    assert_array_equal(copied, x.data, strict=True)
    copied[0, 0] = 9
    assert x.data[0, 0] == 0.5
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.array(x, copy=False) is x.data
    with pytest.raises(ValueError, match="copy"):
        np.array(x, dtype=np.float64, copy=False)


def test_a_plot_shows_the_values() -> None:
    x = Tensor([0.0, 1.0, 2.0])
    (line,) = Figure().subplots().plot(x, x**2)
    assert_array_equal(line.get_xdata(), [0, 1, 2])
    assert_array_equal(line.get_ydata(), [0, 1, 4])


# --- arrays and numbers among tensors -------------------------------------------------------------

WITH_ARRAYS = [
    pytest.param(case, id=case.name)
    for case in CASES
    if case.numpy is not None and sum(map(is_variable, leaves(case.arguments(dice(0))))) > 1
]


@pytest.mark.parametrize("case", WITH_ARRAYS)
@given(seed=st.integers(0, 9999))
def test_arrays_among_tensors_are_constants(case: Case, seed: int) -> None:
    args = case.arguments(dice(seed))
    count = sum(map(is_variable, leaves(args)))

    def run(chosen: set[int]) -> tuple[list[Tensor], list[Tensor]]:
        places = iter(range(count))
        made = []

        def change(x: Any) -> Any:
            if not is_variable(x) or next(places) not in chosen:
                return x
            made.append(Tensor(x))
            return made[-1]

        ys = list(leaves(case.numpy(*exchanged(args, change))))
        for y, w in zip(ys, weights([np.shape(y) for y in ys], 1), strict=True):
            if isinstance(y, Tensor) and y.requires_grad:
                y.backward(w)
        return made, ys

    everything, expected = run(set(range(count)))
    for i in range(count):
        (x,), ys = run({i})
        for y, z in zip(ys, expected, strict=True):
            assert_array_equal(y.data if isinstance(y, Tensor) else y, z.data)
        assert_close(x.grad, everything[i].grad)


@pytest.mark.parametrize("number", [np.float64(2), np.float32(2), np.int64(2), np.array(2.0)])
def test_numbers_of_numpys_come_from_either_side(number: Any) -> None:
    x = Tensor(X)
    for z in (number * x, x * number):
        assert type(z) is Tensor
        z.backward()
        assert_array_equal(z.data, 2 * X)
    assert_array_equal(x.grad, np.full(X.shape, 4))
    assert type(number - x) is type(number / x) is type(number**x) is Tensor


# --- methods of ufuncs ----------------------------------------------------------------------------

REDUCTIONS = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp]


@pytest.mark.parametrize("ufunc", REDUCTIONS)
def test_reduce_and_accumulate_run_along_the_first_axis_unless_told(ufunc: np.ufunc) -> None:
    for options in ({}, {"axis": 1}, {"axis": None}, {"axis": (0, 1), "keepdims": True}):
        if ufunc is np.logaddexp and options.get("axis", 0) in (None, (0, 1)):
            expected = np.logaddexp.reduce(X.ravel()).reshape(np.sum(X, **options).shape)
        else:
            expected = ufunc.reduce(X, **options)
        reduced = ufunc.reduce(Tensor(X), **options)
        assert type(reduced) is Tensor
        assert reduced.requires_grad
        assert_close(reduced.data, expected, rtol=1e-15)
    for options in ({}, {"axis": 1}, {"axis": -1}):
        running = ufunc.accumulate(Tensor(X), **options)
        assert running.requires_grad
        assert_close(running.data, ufunc.accumulate(X, **options), rtol=1e-15)


# Of the first two NumPy 2.4 joins the first and the last entry alone, where they lie side by side;
# of the third the second operand is whole.
NOT_JOINED = {np.power, np.arctan2, np.ldexp}
JOINING = sorted(
    {
        ufunc
        for ufunc in numpy_functions
        if isinstance(ufunc, np.ufunc) and (ufunc.nin, ufunc.nout) == (2, 1) and not ufunc.signature
    }
    - NOT_JOINED,
    key=lambda ufunc: ufunc.__name__,
)
FIRST = np.array([[0.31, 2.13, 1.47], [1.93, 0.67, 2.59]])
METHODS: dict[str, Function] = {
    "reduce": lambda f, x: f.reduce(x),
    "reduce axis": lambda f, x: f.reduce(x, axis=1, keepdims=True),
    "reduce where": lambda f, x: f.reduce(x, axis=-1, initial=1.3, where=FIRST > 0.5),
    "accumulate": lambda f, x: f.accumulate(x),
    "accumulate axis": lambda f, x: f.accumulate(x, axis=1),
    "outer": lambda f, x: f.outer(x[0], x[1]),
    "outer of an array": lambda f, x: f.outer([0.74, 1.22], x),
    "reduceat": lambda f, x: f.reduceat(x, [0, 1, 0]),
    "reduceat axis": lambda f, x: f.reduceat(x, [0, 2, 1], axis=1),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("ufunc", JOINING, ids=lambda ufunc: ufunc.__name__)
def test_methods_of_every_ufunc_give_numpys_values_and_slopes(ufunc: np.ufunc, name: str) -> None:
    call = METHODS[name]
    expected = call(ufunc, FIRST)
    y = call(ufunc, Tensor(FIRST))
    assert_close(y.data, expected, rtol=1e-14)
    check_grads(lambda x: call(ufunc, x), FIRST)


def test_a_ufuncs_dtype_is_computed_in() -> None:
    x = Tensor(X)
    for y in (np.sin(x, dtype=np.float32), np.add.reduce(x, dtype="f4"), np.sum(x, dtype="f4")):
        assert y.dtype == np.float32
        y.backward()
    assert x.grad.dtype == np.float64


def test_a_power_is_joined_from_the_left() -> None:
    for method in ("reduce", "accumulate"):
        joined = getattr(np.power, method)(Tensor([2.0, 3.0, 2.0]))
        assert joined.data.reshape(-1)[-1] == 64


def test_several_axes_are_for_ufuncs_that_take_any_order() -> None:
    assert_close(np.hypot.reduce(Tensor(X), axis=None).data, np.hypot.reduce(X, axis=None))
    with pytest.raises(ValueError, match="not reorderable"):
        np.subtract.reduce(Tensor(X), axis=(0, 1))
    with pytest.raises(ValueError, match="initial="):
        np.subtract.reduce(Tensor(X), where=X > 0)
    with pytest.raises(IndexError, match="indices are 0 to 2"):
        np.add.reduceat(Tensor(X), [0, 3], axis=1)


def test_methods_of_comparisons_are_plain() -> None:
    assert_array_equal(np.greater.outer(Tensor(X[0]), X[1]), np.greater.outer(X[0], X[1]))
    assert_array_equal(np.logical_and.reduce(Tensor(X)), [True, True, True])


# --- plain answers --------------------------------------------------------------------------------

INCREASING = np.array([0.0, 1.0, 2.0])
PLAIN: dict[Function, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            np.equal,
            np.not_equal,
            np.less,
            np.less_equal,
            np.greater,
            np.greater_equal,
            np.logical_and,
            np.logical_or,
            np.logical_xor,
            np.isclose,
            np.allclose,
            np.array_equal,
            np.array_equiv,
        ),
        (X, X.round()),
    ),
    **dict.fromkeys((np.searchsorted, np.digitize), (X[0], INCREASING)),
    np.searchsorted: (INCREASING, X),
    np.lexsort: ((X[0], X[1]),),
    np.diag_indices_from: (X[:, :2],),
    np.einsum_path: ("ij,j->i", X, X[0]),
    np.isin: (X, X[0]),
    np.argpartition: (X, 1),
    np.can_cast: (X[0].astype(np.float32).dtype, np.float64),
    np.result_type: (X, 1.0),
    np.shares_memory: (X, X[0]),
    np.may_share_memory: (X, X[0]),
}
WRITING = {np.save, np.savez, np.savez_compressed, np.savetxt}


@pytest.mark.parametrize("function", sorted(plain_functions - WRITING, key=lambda f: f.__name__))
def test_what_has_no_gradient_answers_as_for_arrays(function: Function) -> None:
    args = PLAIN.get(function, (X,))
    if function is np.can_cast:
        args = (np.float32, np.float64)
    expected = function(*args)
    answer = function(*exchanged(args, lambda x: Tensor(x) if is_variable(x) else x))
    if function is np.empty_like:
        assert (type(answer), answer.shape) == (type(expected), expected.shape)
    elif function in (np.shares_memory, np.may_share_memory):
        assert answer is False  # tensors copy their data
    else:
        assert not any(isinstance(part, Tensor) for part in leaves(answer))
        for ours, numpys in zip(leaves(answer), leaves(expected), strict=True):
            assert_array_equal(ours, numpys)


def test_saving_writes_the_values() -> None:
    file = io.BytesIO()
    np.save(file, Tensor(X))
    file.seek(0)
    assert_array_equal(np.load(file), X)
    text = io.StringIO()
    np.savetxt(text, Tensor(X))
    text.seek(0)
    assert_array_equal(np.loadtxt(text), X)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.exp(x, out=np.empty((2, 3))), r"np\.exp: out= would write into an array"),
        (lambda x: np.add(X, 1.0, out=x), r"np\.add: out= would write into an array"),
        (lambda x: np.isnan(X, out=x), r"np\.isnan: out= would write into an array"),
        (lambda x: np.add.reduce(x, out=np.empty(3)), r"np\.add\.reduce: out= would write"),
        (lambda x: np.sum(x, axis=0, out=np.empty(3)), r"np\.sum: out= is not supported"),
        (lambda x: np.exp(x, where=X > 0), r"write np\.where\(mask, np\.exp\(x\), x\)"),
        (lambda x: np.exp(x, dtype=int), r"has a floating or complex dtype"),
        (lambda x: np.add(x, 1, signature="dd->d"), r"np\.add: signature= is not supported"),
        (lambda x: np.add.at(x, 0, 1.0), r"np\.add\.at writes into an array .* x\.index_put"),
        (lambda x: np.bitwise_and(x, 1), r"np\.bitwise_and takes whole numbers"),
        (np.packbits, r"np\.packbits takes whole numbers"),
        (lambda x: np.copyto(x, X), r"np\.copyto writes into an array"),
        (lambda x: np.round(x, 1, None, 2), "round"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(call: Function, message: str) -> None:
    x = Tensor(X)
    with pytest.raises(TypeError, match=message):
        call(x)
    assert_array_equal(x.data, X)


def dispatching() -> dict[str, Function]:
    """Find NumPy's ufuncs and all functions that ask their arguments what to do."""
    places = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
    return {
        f"{place}.{name}": function
        for place, module in places.items()
        for name, function in inspect.getmembers(module, callable)
        if isinstance(function, np.ufunc) or hasattr(function, "_implementation")
    }


# Those that have no gradient, and those whose first argument, a condition, has none.
WITHOUT = plain_functions | {
    np.compress,
    np.extract,
    np.select,
    np.full_like,
    np.histogram,
    np.histogram_bin_edges,
    np.histogramdd,
    np.histogram2d,
    np.where,
}
NUMPY = {name: function for name, function in dispatching().items() if function not in WITHOUT}


@pytest.mark.parametrize("name", NUMPY)
def test_no_function_drops_a_gradient_in_silence(name: str) -> None:
    function = NUMPY[name]
    square = np.array([[2.0, 0.5, 0.0], [0.5, 3.0, 0.25], [0.0, 0.25, 1.0]])
    for array in (square, square[0]):
        calls: list[Any] = [((), ()), ((), (1,)), ((), ((3, 3),)), ((), (array,))]
        if isinstance(function, np.ufunc) and function.nin == 2:
            calls.append(((array,), ()))
        for before, after in calls:
            x = Tensor(array)
            try:
                with np.errstate(all="ignore"):
                    result = function(*before, x, *after)
            except (TypeError, ValueError, IndexError, AttributeError, np.linalg.LinAlgError):
                continue
            assert function in numpy_functions
            assert any(isinstance(part, Tensor) for part in leaves(result))
