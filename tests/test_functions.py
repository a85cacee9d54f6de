"""The package in PyTorch's words: every factory and function, here and in PyTorch."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from cases import CASES, Case, Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import assert_close, assert_same, here, in_torch, leaves
from test_linalg import CASES as LINEAR_ALGEBRA

import tinytorch
from tinytorch import Tensor
from tinytorch.arrays.plain import PlainArray
from tinytorch.operations.replacing import Replacing
from tinytorch.operations.sums_of_products import SumsOfProducts
from tinytorch.operations.torch_names import TorchNames
from tinytorch.pytorch import functions
from tinytorch.pytorch.foreign import MEANINGS

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def numpys_default() -> Iterator[None]:
    """Let PyTorch make float64 of Python's numbers, as NumPy does."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def assert_alike(ours: Any, theirs: Any) -> None:
    """Compare what one expression gave here and in PyTorch: structure, values, dtype, shape."""
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_alike(a, b)
    elif isinstance(theirs, torch.Tensor):
        assert isinstance(ours, Tensor | PlainArray)
        assert ours.dtype == str(theirs.dtype).removeprefix("torch.")
        assert ours.requires_grad == theirs.requires_grad
        assert isinstance(ours, Tensor) == theirs.dtype.is_floating_point
        assert ours.shape == tuple(theirs.shape)
        assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-14, atol=1e-15)
    else:
        assert ours == theirs
        assert isinstance(ours, type(theirs))


# --- factories ------------------------------------------------------------------------------------

FACTORIES: list[Function] = [
    lambda t: t.tensor(1.5),
    lambda t: t.tensor([1.0, 2.0], requires_grad=True),
    lambda t: t.tensor([[1, 2], [3, 4]]),
    lambda t: t.tensor([True, False]),
    lambda t: t.tensor([1, 2], dtype=t.float32),
    lambda t: t.tensor([1.7, -2.7], dtype=t.long),
    lambda t: t.tensor([0, 1, 2], dtype=t.bool),
    lambda t: t.tensor(np.float32(2.0)),
    lambda t: t.tensor(np.arange(3.0), device="cpu"),
    lambda t: t.tensor(np.arange(3, dtype=np.int32), device=t.device("cpu")),
    lambda t: t.tensor([t.tensor(1), t.tensor(2)]),
    lambda t: t.as_tensor([1.0, 2.0]),
    lambda t: t.as_tensor(np.arange(3)),
    lambda t: t.as_tensor(t.tensor([1.5]), dtype=t.int32),
    lambda t: t.asarray([1, 2]),
    lambda t: t.from_numpy(np.arange(4.0, dtype=np.float32)),
    lambda t: t.from_numpy(np.array([True, False])),
    lambda t: t.zeros(2, 3),
    lambda t: t.zeros((2, 3)),
    lambda t: t.zeros([2, 3], dtype=t.long),
    lambda t: t.zeros(size=(2,)),
    lambda t: t.zeros(()),
    lambda t: t.zeros(3, requires_grad=True),
    lambda t: t.zeros(t.ones(2, 3).shape),
    lambda t: t.ones(2),
    lambda t: t.ones((2, 1), dtype=t.bool),
    lambda t: t.empty(0, 3),
    lambda t: t.full((2, 2), 3),
    lambda t: t.full((2,), 0.5),
    lambda t: t.full((2,), True),
    lambda t: t.full(size=(2,), fill_value=1, dtype=t.float32),
    lambda t: t.arange(5),
    lambda t: t.arange(1, 5, 2),
    lambda t: t.arange(0, 1, 0.25),
    lambda t: t.arange(3.0),
    lambda t: t.arange(3, dtype=t.float16),
    lambda t: t.arange(t.tensor(3).item()),
    lambda t: t.linspace(0, 1, 5),
    lambda t: t.linspace(-1, 1, steps=3, dtype=t.float32),
    lambda t: t.logspace(-2, 2, 5),
    lambda t: t.logspace(0, 3, steps=4, base=2),
    lambda t: t.eye(3),
    lambda t: t.eye(2, 3, dtype=t.int64),
    lambda t: t.tril(t.ones(3, 3)),
    lambda t: t.triu(t.ones(3, 3), diagonal=1),
    lambda t: t.tril_indices(3, 4, -1),
    lambda t: t.triu_indices(3, 4, offset=1),
    lambda t: t.zeros_like(t.ones(2, 3)),
    lambda t: t.ones_like(t.tensor([1, 2])),
    lambda t: t.ones_like(t.tensor([1, 2]), dtype=t.float64),
    lambda t: t.empty_like(t.ones(2)).shape,
    lambda t: t.full_like(t.ones(2), 7.0),
    lambda t: t.full_like(t.tensor([1, 2]), 7),
    lambda t: t.zeros_like(t.ones(2), requires_grad=True),
    lambda t: t.ones(2).new_zeros(3),
    lambda t: t.ones(2, dtype=t.float32).new_ones((2, 2)),
    lambda t: t.tensor([1, 2]).new_full((2,), 3),
    lambda t: t.ones(2, dtype=t.float32).new_tensor([1.0, 2.0]),
    lambda t: t.tensor([1, 2]).new_empty(0),
    lambda t: t.fft.fftfreq(5),
    lambda t: t.fft.fftfreq(4, 0.5),
    lambda t: t.fft.rfftfreq(5),
    lambda t: t.fft.rfftfreq(4, d=0.5),
]


@pytest.mark.parametrize("make", FACTORIES)
def test_a_factory_makes_what_pytorch_makes(make: Function) -> None:
    assert_alike(make(tinytorch), make(torch))


def test_what_shares_memory() -> None:
    array, labels = np.zeros(3), np.zeros(3, int)
    shared, counts = tinytorch.from_numpy(array), tinytorch.as_tensor(labels)
    copied = tinytorch.tensor(array)
    array[0], labels[0] = 1, 1
    assert shared.tolist() == [1, 0, 0]
    assert counts.tolist() == [1, 0, 0]
    assert copied.tolist() == [0, 0, 0]
    assert tinytorch.as_tensor(shared) is shared


RANDOM: list[tuple[Function, str, float, float]] = [
    (lambda t, g: t.rand(50, 40, generator=g), "float64", 0, 1),
    (lambda t, g: t.randn((50, 40), generator=g, dtype=t.float32), "float32", -9, 9),
    (lambda t, g: t.randn(size=(50, 40), generator=g), "float64", -9, 9),
    (lambda t, g: t.randint(7, (50, 40), generator=g), "int64", 0, 6),
    (lambda t, g: t.randint(-2, 7, (50, 40), generator=g), "int64", -2, 6),
    (lambda t, g: t.randint(low=3, high=7, size=(50, 40), generator=g), "int64", 3, 6),
    (lambda t, g: t.normal(5.0, 0.1, (50, 40), generator=g), "float64", 4, 6),
    (lambda t, g: t.normal(t.zeros(50, 1), t.ones(40), generator=g), "float64", -9, 9),
    (lambda t, g: t.bernoulli(t.full((50, 40), 0.5), generator=g), "float64", 0, 1),
    (lambda t, g: t.zeros(50, 40).uniform_(2, 3, generator=g), "float64", 2, 3),
    (lambda t, g: t.zeros(50, 40).normal_(2, 0.1, generator=g), "float64", 1, 3),
    (lambda t, g: t.zeros(50, 40).bernoulli_(0.5, generator=g), "float64", 0, 1),
]


@pytest.mark.parametrize(("draw", "dtype", "low", "high"), RANDOM)
def test_random_numbers_are_of_the_asked_kind(
    draw: Function, dtype: str, low: float, high: float
) -> None:
    theirs = draw(torch, torch.Generator().manual_seed(0))
    for x in (draw(tinytorch, tinytorch.Generator().manual_seed(0)), theirs):
        assert str(x.dtype).removeprefix("torch.") == dtype
        assert tuple(x.shape) == (50, 40)
        assert low <= x.min()
        assert x.max() <= high
        assert not x.requires_grad
    again = draw(tinytorch, tinytorch.Generator(device="cpu").manual_seed(0))
    assert_array_equal(again.numpy(), draw(tinytorch, np.random.default_rng(0)).numpy())
    # Means and spreads of both libraries are those of the same distribution.
    ours = draw(tinytorch, np.random.default_rng(1)).double()
    error = 5 * theirs.double().std().item() / 2000**0.5
    assert abs(ours.mean().item() - theirs.double().mean().item()) < 2 * error
    assert abs(ours.std().item() - theirs.double().std().item()) < 2 * error


def test_random_numbers_like_others_and_by_the_seed() -> None:
    x = tinytorch.ones(3, 2, dtype=tinytorch.float32)
    tinytorch.manual_seed(4)
    first = tinytorch.rand_like(x), tinytorch.randn_like(x), tinytorch.randperm(9)
    tinytorch.manual_seed(4)
    second = tinytorch.rand_like(x), tinytorch.randn_like(x), tinytorch.randperm(9)
    for a, b in zip(first, second, strict=True):
        assert_array_equal(a.numpy(), b.numpy())
    assert first[0].dtype == first[1].dtype == np.float32
    assert sorted(first[2].tolist()) == list(range(9))
    assert tinytorch.randint_like(first[2], 2, 5).shape == (9,)
    assert tinytorch.randn(3, requires_grad=True).requires_grad


def test_multinomial_draws_by_weights() -> None:
    weights = tinytorch.tensor([[0.0, 1.0, 3.0], [2.0, 2.0, 0.0]])
    drawn = tinytorch.multinomial(weights, 4000, replacement=True, generator=3)
    assert drawn.shape == (2, 4000)
    shares = [np.bincount(row, minlength=3) / 4000 for row in drawn.numpy()]
    assert_allclose(shares, [[0, 0.25, 0.75], [0.5, 0.5, 0]], atol=0.04)
    pairs = weights.multinomial(2, generator=3)
    assert np.sort(pairs, axis=1).tolist() == [[1, 2], [0, 1]]
    many = np.array([tinytorch.multinomial([1.0, 2.0, 3.0], 2, generator=i) for i in range(3000)])
    # The first of the two is drawn by the weights, the second by those of the others.
    assert_allclose(np.bincount(many[:, 0]) / 3000, [1 / 6, 2 / 6, 3 / 6], atol=0.05)
    last = (many[:, 0] == 2) & (many[:, 1] == 1)
    assert abs(last.mean() - 3 / 6 * 2 / 3) < 0.05
    assert tinytorch.multinomial(np.array([0.0, 1.0]), 1).tolist() == [1]
    for weights, number in (([1.0, -1.0], 1), ([0.0, 0.0], 1), ([np.nan], 1), ([0.0, 1.0], 2)):
        with pytest.raises(ValueError, match="multinomial: "):
            tinytorch.multinomial(weights, number)


# --- functions: the rows of the operations' table, with the package's function for the method -----


class Functions:
    """Stands for a tensor: `x.name(...)` is `package.name(x, ...)`."""

    used: set[str] = set()  # noqa: RUF012  (all of them note it here)

    def __init__(self, package: Any, x: Any) -> None:
        self.package, self.x = package, x

    def __getattr__(self, name: str) -> Any:
        if name not in functions.__all__:
            return getattr(self.x, name)
        self.used.add(name)
        return lambda *args, **options: getattr(self.package, name)(self.x, *args, **options)


def as_functions(spelling: Function, package: Any = tinytorch) -> Function:
    def called(first: Any, *others: Any) -> Any:
        result = spelling(Functions(package, first), *others)
        return result.x if isinstance(result, Functions) else result

    return called


# A whole number behind x is `dim` to these functions; and where the condition stands differs.
BY_DIM = {"max", "min", "median", "sort"}
KNOWN = {*functions.__all__, "values"} - BY_DIM - {"where"}
ROWS = [
    (f"{case.name} {i}", case, spelling)
    for case in (*CASES, *LINEAR_ALGEBRA)
    for i, spelling in enumerate(case.spellings)
    if spelling is not case.numpy and case.name != "relu6"
    if inspect.isfunction(spelling) and spelling.__name__ == "<lambda>"
    if spelling.__code__.co_names and KNOWN.issuperset(spelling.__code__.co_names)
]


def choices(data: st.DataObject) -> Choices:
    return Choices(lambda low, high: data.draw(st.integers(low, high)))


@pytest.mark.parametrize(
    ("case", "spelling"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_function_does_what_the_method_does(case: Case, spelling: Function) -> None:
    for seed in range(3):
        args = case.arguments(dice(seed))
        if not isinstance(args[0], np.ndarray):
            continue
        expected, actual = here(spelling, args), here(as_functions(spelling), args)
        assert_same(actual, expected, rtol=0, atol=0)
        # Of a plain array it makes a constant.
        value = list(leaves(as_functions(spelling)(*args)))
        for ours, theirs in zip(value, expected.values, strict=True):
            assert isinstance(ours, Tensor)
            assert not ours.requires_grad
            assert_array_equal(ours.data, theirs)


JOINING: dict[str, list[Any]] = {
    "cat": [([0, 1],), ([0, 1], 1), ([0, 1, 0],)],
    "concat": [([0, 1], 1)],
    "concatenate": [([0, 1], 1)],
    "stack": [([0, 1],), ([0, 1], 1), ([0, 1], -1)],
    "hstack": [([0, 1],)],
    "vstack": [([0, 1],)],
    "dstack": [([0, 1],)],
    "column_stack": [([0, 1],)],
    "broadcast_tensors": [(0, 2)],
    "einsum": [("ij,kj->ik", 0, 1), ("ij,j->i", 0, 2)],
    "tensordot": [(0, 1), (0, 1, ([0, 1], [0, 1]))],
    "where": [(np.array([[True], [False]]), 0, 1)],
    "std_mean": [(0,), (0, 1)],
    "var_mean": [(0,), (0, 1)],
    "atleast_1d": [(2,)],
    "atleast_2d": [(2,)],
    "atleast_3d": [(2,)],
    "outer": [(2, 2)],
    "max": [(0,), (0, 1), (0, 1, True)],
    "min": [(0,), (0, 0)],
    "sort": [(0,), (0, 0), (0, 1, True)],
    "median": [(0,), (0, 1)],
    "argmax": [(0,), (0, 1)],
    "argmin": [(0,), (0, 1)],
    "argsort": [(0,), (0, 0)],
    "all": [(0,), (0, 1)],
    "any": [(0,), (0, 1)],
    "count_nonzero": [(0,), (0, 1)],
    "transpose": [(0, 0, 1)],
    "t": [(0,)],
    "clone": [(0,)],
    "broadcast_to": [(2, (2, 3))],
    "diff": [(0,)],
    "nonzero": [(0,)],
    "unique": [(0,)],
    "isnan": [(0,)],
    "isinf": [(0,)],
    "isfinite": [(0,)],
    "isclose": [(0, 1)],
    "allclose": [(0, 1), (0, 0)],
    "equal": [(0, 1), (0, 0)],
    "numel": [(0,)],
    "is_floating_point": [(0,)],
    "swapdims": [(0, 0, 1)],
    "norm": [(0,)],
    "addmm": [(3, 0, 4)],
    "logical_not": [(0,)],
    "trace": [(5,)],
    "bmm": [(6, 6)],
    "mv": [(4, 3)],
    "ger": [(2, 3)],
    "dot": [(2, 2)],
    "vdot": [(2, 2)],
    "inner": [(0, 1)],
    "kron": [(0, 1)],
    "inverse": [(5,)],
    "det": [(5,)],
    "logdet": [(5,)],
    "slogdet": [(5,)],
    "pinverse": [(0,)],
    "mm": [(0, 4)],
    "take": [(0, np.array([1, 4]))],
}
PAIRS = "eq ne lt le gt ge greater greater_equal less less_equal not_equal logical_and logical_or"
JOINING |= {name: [(0, 1), (0, 2)] for name in (*PAIRS.split(), "logical_xor")}
OPERANDS = [
    np.array([[1.0, 2.0, -1.5], [0.0, 0.5, 3.0]]),
    np.array([[2.0, 2.0, 0.3], [-1.0, 0.5, 1.0]]),
    np.array([1.0, -2.0, 0.5]),
    np.array([0.1, 0.2]),
    np.array([[1.0, 2.0], [0.4, 3.0], [-1.0, 1.0]]),
    np.array([[1.0, 2.0], [0.4, 3.0]]),
    np.array([[[1.0, 2.0], [0.4, 3.0]], [[-1.0, 2.0], [0.5, 1.0]]]),
]


# So many arguments are operands.
ARITY = {"einsum": 3, "tensordot": 2, "where": 3, "broadcast_tensors": 2, "outer": 2}
ARITY |= {"isclose": 2, "allclose": 2, "equal": 2, "addmm": 3, "logical_xor": 2}
ARITY |= dict.fromkeys(("bmm", "mv", "ger", "dot", "vdot", "inner", "kron", "mm"), 2)
ARITY |= dict.fromkeys(PAIRS.split(), 2)


def call(package: Any, name: str, args: Any, operands: list[Any]) -> Any:
    given = [
        [operands[j] for j in x]
        if isinstance(x, list)
        else operands[x]
        if isinstance(x, int) and i < ARITY.get(name, 1)
        else torch.tensor(x)
        if isinstance(x, np.ndarray) and package is torch
        else x
        for i, x in enumerate(args)
    ]
    return getattr(package, name)(*given)


# In PyTorch, or here.
FLOATING_ALONE = {"std_mean", "var_mean", "norm", "inverse", "det", "logdet", "slogdet", "pinverse"}
FLOATING_ALONE |= {"trace", "addmm", "median", "diff"}


@pytest.mark.parametrize(
    ("name", "args"), [(name, args) for name, rows in JOINING.items() for args in rows]
)
def test_a_function_of_several_is_pytorchs(name: str, args: Any) -> None:
    for grad in (False, True):
        ours = [Tensor(x, requires_grad=grad) for x in OPERANDS]
        theirs = [torch.tensor(x, requires_grad=grad) for x in OPERANDS]
        assert_alike(call(tinytorch, name, args, ours), call(torch, name, args, theirs))
        if name == "unique":  # PyTorch's can't be differentiated
            continue
        actual, expected = call(tinytorch, name, args, ours), call(torch, name, args, theirs)
        for y, z in zip(leaves(actual), leaves(expected), strict=True):
            if isinstance(y, Tensor) and y.requires_grad:
                y.backward()
                z.sum().backward(retain_graph=True)
        for x, y in zip(ours, theirs, strict=True):
            if y.grad is not None:
                assert_close(x.grad, y.grad.numpy())
    assert_alike(
        call(tinytorch, name, args, OPERANDS),
        call(torch, name, args, [*map(torch.tensor, OPERANDS)]),
    )
    whole = [x.astype(int) for x in OPERANDS]
    if name not in FLOATING_ALONE:
        theirs = [torch.tensor(x) for x in whole]
        assert_alike(call(tinytorch, name, args, whole), call(torch, name, args, theirs))


# What is tested in test_op_db.py, and in test_complex.py.
IN_OP_DB = {
    *(
        "adjoint",
        "as_strided",
        "as_strided_scatter",
        "complex",
        "lu",
        "lu_solve",
        "lu_unpack",
        "nextafter",
        "ormqr",
        "triangular_solve",
        "imag",
        "is_complex",
        "polar",
        "real",
        "view_as_complex",
        "view_as_real",
    ),
    *(name for family in (TorchNames, Replacing, SumsOfProducts) for name in vars(family)),
    *("matrix_exp", "block_diag", "cartesian_prod", "combinations"),
}
ENTRY_BY_ENTRY = [
    name
    for name in functions.__all__
    if hasattr(torch, name)
    and list(inspect.signature(getattr(functions, name)).parameters)
    in (["self"], ["self", "other"])
    and name not in {*JOINING, *IN_OP_DB}
    and name
    not in {
        "floor_divide",
        "inverse",
        "det",
        "slogdet",
        "logdet",
        "pinverse",
        "numel",
        "fix",
        "ravel",
    }
    and name not in {"fliplr", "flipud", "matmul", "mm", "bmm", "mv", "dot", "ger", "vdot", "inner"}
]


@pytest.mark.parametrize("name", ENTRY_BY_ENTRY)
def test_a_function_entry_by_entry_is_pytorchs(name: str) -> None:
    x, y = np.array([0.3, 0.6, 0.9]), np.array([0.2, 0.7, 1.4])
    if name in {"acosh", "arccosh"}:
        x = x + 1
    two = "other" in inspect.signature(getattr(functions, name)).parameters
    args = (x, y) if two else (x,)
    assert_same(here(getattr(tinytorch, name), args), in_torch(getattr(torch, name), args), 1e-10)
    constant = getattr(tinytorch, name)(*args)
    assert not constant.requires_grad
    assert_alike(constant, getattr(torch, name)(*map(torch.tensor, args)))


# Those that PyTorch has elsewhere or not, each an alias of what was compared.
ELSEWHERE = {
    "cbrt", "celu", "elu", "fix", "gelu", "glu", "hardtanh", "leaky_relu", "log_sigmoid",
    "logsigmoid", "mish", "mod", "power", "relu6", "rint", "selu", "silu", "softmin", "softplus",
    "softsign", "xlogy", "inv", "take_along_axis", "bincount", "floor_divide", "meshgrid",
    "cholesky", "qr", "svd", "diagflat",
    *IN_OP_DB,
}  # fmt: skip


def test_no_function_is_left_out() -> None:
    for _, case, spelling in ROWS:
        as_functions(spelling)(*case.arguments(dice(1)))
    tested = {*Functions.used, *JOINING, *ENTRY_BY_ENTRY}
    in_pytorch = {name for name in functions.__all__ if hasattr(torch, name)}
    assert sorted(in_pytorch - tested - ELSEWHERE) == []


@given(st.data())
def test_a_dimension_by_its_place(data: st.DataObject) -> None:
    choose = choices(data)
    x = choose.array(1, smallest=1, ties=False)
    axis = choose.axis(x)
    for name in ("max", "min", "median", "sort"):
        ours, theirs = getattr(tinytorch, name), getattr(torch, name)
        assert_alike(ours(x, axis), theirs(torch.tensor(x), axis))
        assert_alike(ours(x, axis, True), theirs(torch.tensor(x), axis, True))


def test_a_grid() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    grids = torch.meshgrid(torch.tensor(x), torch.tensor(y), indexing="ij")
    assert_alike(tinytorch.meshgrid(x, y), grids)
    assert_alike(tinytorch.meshgrid([x, y]), grids)
    grids = torch.meshgrid(torch.tensor(x), torch.tensor(y), indexing="xy")
    assert_alike(tinytorch.meshgrid(x, y, indexing="xy"), grids)
    assert tinytorch.meshgrid(Tensor(x), y)[0].requires_grad


def test_bincount_and_numbers_of_python() -> None:
    labels = tinytorch.tensor([1, 0, 1])
    assert tinytorch.bincount(labels, minlength=3).tolist() == [1, 2, 0]
    assert tinytorch.bincount(labels, tinytorch.tensor([0.5, 1, 2])).tolist() == [1, 2.5]
    x = Tensor([2.0, 3.0])
    for function in (tinytorch.add, tinytorch.mul, tinytorch.pow, tinytorch.maximum):
        assert_alike(
            function(2, x).detach(),
            getattr(torch, function.__name__)(torch.tensor(2), torch.tensor(x.data)),
        )
    assert tinytorch.sqrt(4.0).item() == 2
    assert tinytorch.exp(input=x).requires_grad
    assert tinytorch.softmax(input=x, dim=0).shape == (2,)


# --- plain arrays: labels, indices, masks ---------------------------------------------------------

WHOLE: list[Function] = [
    lambda t, y, m: y[0],
    lambda t, y, m: y[0, 1],
    lambda t, y, m: [*y],
    lambda t, y, m: y.size(),
    lambda t, y, m: y.size(0),
    lambda t, y, m: y.size(-1),
    lambda t, y, m: y.shape[1],
    lambda t, y, m: y.dim(),
    lambda t, y, m: y.ndim,
    lambda t, y, m: y.numel(),
    lambda t, y, m: y.nelement(),
    lambda t, y, m: len(y),
    lambda t, y, m: y.view(-1),
    lambda t, y, m: y.view(3, -1),
    lambda t, y, m: y.reshape(3, 2),
    lambda t, y, m: y.flatten(),
    lambda t, y, m: y.unsqueeze(0),
    lambda t, y, m: y.unsqueeze(-1).squeeze(-1),
    lambda t, y, m: y.t(),
    lambda t, y, m: y.T,
    lambda t, y, m: y.transpose(0, 1),
    lambda t, y, m: y.permute(1, 0),
    lambda t, y, m: y[None].expand(2, -1, -1),
    lambda t, y, m: y.repeat(2, 1),
    lambda t, y, m: y.flip(0),
    lambda t, y, m: y.roll(1, 0),
    lambda t, y, m: y.tril(),
    lambda t, y, m: [*y.split(1)],
    lambda t, y, m: y.unbind(),
    lambda t, y, m: [*y.chunk(2, dim=1)],
    lambda t, y, m: y.sum(),
    lambda t, y, m: y.sum(dim=1),
    lambda t, y, m: y.sum(1, keepdim=True),
    lambda t, y, m: y.sum(0, True),
    lambda t, y, m: m.sum(),
    lambda t, y, m: m.sum(dim=0),
    lambda t, y, m: y.prod(),
    lambda t, y, m: y.cumsum(dim=1),
    lambda t, y, m: y.max(),
    lambda t, y, m: y.max().item(),
    lambda t, y, m: y.max(dim=1),
    lambda t, y, m: y.min(dim=0, keepdim=True),
    lambda t, y, m: y.argmax(),
    lambda t, y, m: y.argmax(dim=1),
    lambda t, y, m: y.argmin(dim=1, keepdim=True),
    lambda t, y, m: y.sort(dim=1),
    lambda t, y, m: y.argsort(dim=1, descending=True),
    lambda t, y, m: y.topk(2),
    lambda t, y, m: m.any(),
    lambda t, y, m: m.all(dim=1),
    lambda t, y, m: m.any().item(),
    lambda t, y, m: m.nonzero(),
    lambda t, y, m: m.nonzero(as_tuple=True),
    lambda t, y, m: y.unique(),
    lambda t, y, m: y.unique(return_counts=True),
    lambda t, y, m: y.eq(3),
    lambda t, y, m: y.ne(y),
    lambda t, y, m: y.eq(y).sum().item(),
    lambda t, y, m: (y == 3).float().mean(),
    lambda t, y, m: (y == y.clone()).float().mean().item(),
    lambda t, y, m: y > 2,
    lambda t, y, m: (y > 2) & m,
    lambda t, y, m: (y > 2) | ~m,
    lambda t, y, m: m.logical_not(),
    lambda t, y, m: y.long(),
    lambda t, y, m: y.int(),
    lambda t, y, m: y.bool(),
    lambda t, y, m: y.byte(),
    lambda t, y, m: y.float(),
    lambda t, y, m: y.double(),
    lambda t, y, m: m.long(),
    lambda t, y, m: m.int().sum(),
    lambda t, y, m: y.to(t.float32),
    lambda t, y, m: y.to("cpu"),
    lambda t, y, m: y.to(t.device("cpu"), dtype=t.int32),
    lambda t, y, m: y.to(t.ones(1)),
    lambda t, y, m: y.type(t.bool),
    lambda t, y, m: y.type_as(t.ones(1)),
    lambda t, y, m: y.cpu().contiguous().detach().clone(),
    lambda t, y, m: y.data,
    lambda t, y, m: y / 2,
    lambda t, y, m: y / y,
    lambda t, y, m: y // 2,
    lambda t, y, m: y % 2,
    lambda t, y, m: y * 2 + 1,
    lambda t, y, m: y * 0.5,
    lambda t, y, m: -y,
    lambda t, y, m: y**2,
    lambda t, y, m: y.pow(2),
    lambda t, y, m: y.add(1),
    lambda t, y, m: y.abs(),
    lambda t, y, m: y.clamp(min=2),
    lambda t, y, m: y.clamp(1, 3),
    lambda t, y, m: y.float().log(),
    lambda t, y, m: y.exp(),
    lambda t, y, m: y.sqrt(),
    lambda t, y, m: y[m],
    lambda t, y, m: y[y > 2],
    lambda t, y, m: y[:, [0, 2]],
    lambda t, y, m: y[t.tensor([1, 0])],
    lambda t, y, m: y.gather(1, t.tensor([[0], [2]])),
    lambda t, y, m: y.masked_fill(m, 0),
    lambda t, y, m: y.masked_select(m),
    lambda t, y, m: y.index_select(1, t.tensor([0, 0])),
    lambda t, y, m: y.tolist(),
    lambda t, y, m: y[0, 0].item(),
    lambda t, y, m: int(y[0, 0]) + 1,
    lambda t, y, m: [10, 20, 30, 40, 50, 60][y[0, 0]],
    lambda t, y, m: bool(y[0, 0] > 2),
    lambda t, y, m: y.is_floating_point(),
    lambda t, y, m: y.requires_grad,
    lambda t, y, m: t.cat([y, y], dim=1),
    lambda t, y, m: t.cat([t.zeros(0), t.ones(2, 3)]),
    lambda t, y, m: t.cat([t.ones(1), t.zeros(2)]),
    lambda t, y, m: t.stack([y, y]),
    lambda t, y, m: t.stack([t.arange(9.0)[i : i + 2] for i in y[0]]),
    lambda t, y, m: t.where(m, y, 0),
    lambda t, y, m: t.where(m, 1.0, 0.0),
    lambda t, y, m: t.where(m),
    lambda t, y, m: t.exp(y),
    lambda t, y, m: t.sum(m),
    lambda t, y, m: t.max(y, 1),
    lambda t, y, m: t.argmax(y, dim=1),
    lambda t, y, m: y.amax(1),
    lambda t, y, m: y.amin((0, 1), True),
    lambda t, y, m: y.max(y.flip(0)),
    lambda t, y, m: y.max(t.tensor(3)),
    lambda t, y, m: y.min(t.tensor(2.5)),
    lambda t, y, m: y.max(y.flip(0) + 0.5),
    lambda t, y, m: t.min(y, y.flip(0) - 0.5),
    lambda t, y, m: m.max(y),
    lambda t, y, m: m.min(m.flip(0)),
    lambda t, y, m: y.float().max(y.flip(0)),
    lambda t, y, m: t.min(y / 2, y.flip(0)),
    lambda t, y, m: t.zeros_like(y),
    lambda t, y, m: t.is_tensor(y),
    lambda t, y, m: t.ones(2, 3) * m,
    lambda t, y, m: m * t.ones(2, 3),
    lambda t, y, m: t.ones(2, 3) / y,
    lambda t, y, m: y - t.ones(2, 3),
    lambda t, y, m: t.matmul(y, y.T),
    lambda t, y, m: y @ y.T,
    lambda t, y, m: y.float() @ t.ones(3, 2, dtype=t.float32),
    lambda t, y, m: t.arange(24.0).view(2, 3, 4)[:, y[1] % 3],
    lambda t, y, m: t.ones(2, 3).masked_fill(m == 0, float("-inf")),
    lambda t, y, m: t.softmax(t.eye(3), 1).argmax(dim=1).eq(t.tensor([0, 1, 1])).float().mean(),
    lambda t, y, m: t.ones(2, 3).to(t.long),
    lambda t, y, m: t.tensor([1.7, -1.7]).int(),
    lambda t, y, m: (t.tensor([0.2, 0.7]) > 0.5).float().mean(),
    lambda t, y, m: t.tensor(3.0) > 2,
    lambda t, y, m: t.tensor([1.0, float("nan")]).isnan().any(),
    lambda t, y, m: y.view_as(t.ones(3, 2)),
    lambda t, y, m: y.add_(1),
    lambda t, y, m: y.zero_(),
    lambda t, y, m: y[0].fill_(7),
    lambda t, y, m: y.copy_(t.tensor([1, 2, 3])),
    lambda t, y, m: y.clamp_(max=2),
    lambda t, y, m: m.fill_(True),
]


@pytest.mark.parametrize("say", WHOLE)
def test_whole_numbers_and_truth_values_answer_as_pytorchs(say: Function) -> None:
    def arguments(package: Any) -> tuple[Any, ...]:
        labels = package.tensor([[3, 1, 2], [2, 5, 4]])
        mask = package.tensor([[True, False, True], [False, False, True]])
        return package, labels, mask

    ours, theirs = arguments(tinytorch), arguments(torch)
    assert_alike(say(*ours), say(*theirs))
    assert_alike(ours[1:], theirs[1:])  # changed in place alike


def test_to_numpy_and_to_operations_a_plain_array_is_numpys_own() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    mask, places = x > 2, x.argmax(dim=1)
    assert isinstance(mask, np.ndarray)
    assert type(mask.numpy()) is type(np.sort(places)) is type(np.stack([mask])) is np.ndarray
    assert np.transpose(places[None]).shape == (2, 1)  # NumPy's functions mean what NumPy's mean
    assert np.repeat(places, 2).shape == (4,)
    assert [array.tolist() for array in np.nonzero(mask)] == [[1, 1, 1], [0, 1, 2]]
    assert type((x * mask)._value) is type(x[:, places]._value) is np.ndarray
    assert all(type(part) is not PlainArray for part in (x * mask)._children)
    (x * mask).sum().backward()
    assert_array_equal(x.grad, mask)
    assert repr(mask) == repr(np.asarray(mask).view(np.ndarray))
    assert f"{mask.sum():3d}|{mask}" == f"  3|{mask.numpy()}"
    assert mask.astype(float).dtype == mask.mean().dtype == np.float64
    assert {2: "two"}[places[0]] == "two"
    with pytest.raises(TypeError, match="several entries"):
        hash(places)
    with pytest.raises(AttributeError, match="no attribute 'shap'"):
        _ = mask.shap
    for twin in (copy.deepcopy(places), pickle.loads(pickle.dumps(places))):  # noqa: S301
        assert type(twin) is PlainArray
        assert_array_equal(twin, places)


def test_compiled_functions_take_plain_arrays() -> None:
    w = Tensor(np.ones(3))

    @tinytorch.compile
    def loss(labels: Any, mask: Any, x: Any) -> Any:
        return ((x * w)[np.arange(4), labels] * mask).sum()

    rng = np.random.default_rng(0)
    for _ in range(5):
        labels, x = tinytorch.randint(3, (4,), generator=rng), rng.normal(size=(4, 3))
        mask = tinytorch.tensor(rng.random(4) < 0.5)
        expected = x[np.arange(4), labels][mask].sum()
        assert_allclose(loss(labels, mask, x).item(), expected, rtol=1e-14)


# --- tensors' other methods -----------------------------------------------------------------------

FLOATING: list[Function] = [
    lambda t, x: x.float(),
    lambda t, x: x.half().dtype == t.float16,
    lambda t, x: x.to(t.float32).double(),
    lambda t, x: x.to("cpu", t.float32),
    lambda t, x: x.to(device="cpu", dtype=t.float64, non_blocking=True),
    lambda t, x: x.cpu().contiguous(),
    lambda t, x: x.long(),
    lambda t, x: x.nelement(),
    lambda t, x: x.element_size(),
    lambda t, x: x.size(),
    lambda t, x: x.is_contiguous(),
    lambda t, x: x.is_cuda,
    lambda t, x: str(x.device),
    lambda t, x: x.device == t.device("cpu"),
    lambda t, x: x.expand_as(t.ones(2, 2, 3)),
    lambda t, x: x.view_as(t.ones(3, 2)),
    lambda t, x: x.t(),
    lambda t, x: x.detach().add_(1),
    lambda t, x: x.detach().mul_(2).sub_(t.ones(3), alpha=2),
    lambda t, x: x.detach().div_(t.tensor([1, 2, 4])),
    lambda t, x: x.detach().clamp_(min=1, max=2),
    lambda t, x: x.detach().fill_(3),
    lambda t, x: x.detach().zero_(),
    lambda t, x: x.detach().copy_(t.arange(3.0)),
    lambda t, x: x.detach().exp_().sqrt_().neg_().abs_(),
    lambda t, x: x.detach().masked_fill_(x > 1, 0.0),
    lambda t, x: x.detach().addcmul_(t.ones(3), t.ones(2, 1), value=0.5),
    lambda t, x: x.detach().addcdiv_(t.ones(3), t.full((2, 1), 4.0), value=2),
    lambda t, x: x.detach().lerp_(t.ones(2, 3), 0.25),
    lambda t, x: x.detach().pow_(2).tril_().round_(),
    lambda t, x: t.finfo(x.dtype).max,
    lambda t, x: t.iinfo(t.int32).max,
    lambda t, x: str(t.get_default_dtype()).rpartition(".")[2],
    lambda t, x: t.cuda.is_available(),
    lambda t, x: t.cuda.device_count(),
    lambda t, x: t.backends.mps.is_available(),
    lambda t, x: str(t.device("cuda" if t.cuda.is_available() else "cpu")),
    lambda t, x: t.is_tensor(x),
    lambda t, x: t.is_tensor(1.0),
    lambda t, x: x.is_leaf,
    lambda t, x: (x * 2).is_leaf,
]


@pytest.mark.parametrize("say", FLOATING)
def test_tensors_answer_as_pytorchs(say: Function) -> None:
    values = [[0.5, 1.5, -2.0], [3.0, 0.25, 1.0]]
    ours = tinytorch.tensor(values, requires_grad=True)
    theirs = torch.tensor(values, requires_grad=True)
    assert_alike(say(tinytorch, ours), say(torch, theirs))
    assert_alike(ours, theirs)


def test_a_leaf_is_changed_inside_no_grad_alone() -> None:
    x = Tensor([1.0, 2.0], label="x")
    memory = x.data
    for change in (lambda: x.add_(1), x.zero_, lambda: x.copy_([3.0, 4.0]), x.normal_):
        with pytest.raises(RuntimeError, match=r"'x' of shape .* is a leaf that requires"):
            change()
        with tinytorch.no_grad():
            assert change() is x
    assert x.data is memory
    with tinytorch.no_grad():
        assert x.copy_(Tensor([3.0, 4.0])).mul_(2).tolist() == [6, 8]
    with pytest.raises(RuntimeError, match=r"was computed.*x = x.relu\(...\)"):
        (x * 2).relu_()
    with pytest.raises(RuntimeError, match=r"what is written into .* requires a gradient"):
        tinytorch.zeros(2).add_(x)
    with pytest.raises(TypeError, match="takes from= and to=, got at="):
        tinytorch.zeros(2).uniform_(at=2)
    with pytest.raises(ValueError, match="broadcast"):
        tinytorch.zeros(2).copy_(np.ones(3))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEANINGS)
def test_a_foreign_name_is_answered(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}': .{{20}}"):
        getattr(tinytorch, name)


REFUSED: list[tuple[Function, type[Exception], str]] = [
    (lambda t: t.device("tpu"), TypeError, "expected"),
    (lambda t: t.zeros(2, device="cuda:0"), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.randn(2, device="mps"), RuntimeError, "or on an NVIDIA GPU"),
    (lambda t: t.ones(2).cuda(), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.ones(2).to("cuda"), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.tensor([1]).cuda(), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.nn.Linear(2, 2).cuda(), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.nn.Linear(2, 2).to("cuda"), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.Generator(device="cuda"), RuntimeError, r"a GPU needs CuPy.*\[cuda\]"),
    (lambda t: t.tensor([1, 2], requires_grad=True), RuntimeError, "only floating"),
    (lambda t: t.zeros(2, dtype=t.long, requires_grad=True), RuntimeError, "only floating"),
    (lambda t: t.tensor("text"), TypeError, "number"),
    (lambda t: t.tensor([[1], [2, 3]]), ValueError, "different lengths"),
    (lambda t: t.tensor(Tensor([1.0]) * 2), TypeError, "lose its gradient"),
    (lambda t: t.from_numpy([1.0]), TypeError, "NumPy array"),
    (lambda t: t.set_default_dtype(t.float32), RuntimeError, "dtype=tinytorch.float32"),
    (lambda t: t.randint(3), TypeError, "randint"),
    (lambda t: t.bernoulli(t.tensor([2.0])), ValueError, "between 0 and 1"),
    (lambda t: t.no_such_name, AttributeError, "no attribute 'no_such_name'"),
    (lambda t: t.ones(1, 1, 1).t(), ValueError, "two axes"),
]


@pytest.mark.parametrize(("do", "kind", "message"), REFUSED)
def test_what_there_is_not_is_said(do: Function, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        do(tinytorch)


def test_modules_know_the_cpu() -> None:
    model = tinytorch.nn.Linear(2, 3)
    assert model.to("cpu") is model.to(tinytorch.device("cpu")) is model.cpu() is model
    assert model.to("cpu", tinytorch.float32).weight.dtype == np.float32
    assert model.to(device="cpu", dtype=tinytorch.float64).weight.dtype == np.float64
    model.register_buffer("seen", tinytorch.zeros(2, dtype=tinytorch.long))
    model.register_buffer("mask", tinytorch.tril(tinytorch.ones(2, 2)))
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]
    assert sorted(model.state_dict()) == ["bias", "mask", "seen", "weight"]
    tinytorch.set_default_dtype(tinytorch.float64)
