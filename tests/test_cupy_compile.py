"""`compile` on a GPU: programs of CuPy's arrays, whose elementwise calls are kernels.

As the tests beside it, it runs on the stand-in for CuPy, or with `TINYTORCH_GPU=1` on CuPy.
"""

from __future__ import annotations

import copy
import operator
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from gpu import IS_REAL, assert_same, cupy, installed, transferring, uploaded  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import Function, exchanged, is_variable, leaves, weights
from test_linalg import CASES as LINEAR_ALGEBRA
from test_operations import ELEMENTWISE, SMOOTH

import tinytorch
from tinytorch import (
    grad,
    hessian,
    manual_seed,
    nn,
    optim,
    value_and_grad,
    vmap,
)
from tinytorch.compiler.kernels import _ARITHMETIC, _OF_FLOATS, _QUESTIONS, Kernel
from tinytorch.compiler.kernels import _QUESTIONS_OF_FLOATS as _OF_ONE
from tinytorch.nn import functional

# --- every operation ------------------------------------------------------------------------------

# The rank of the matrix decides what it computes.
REFUSED = {"lstsq"}
# Their shapes depend on a mask, of which the host has to know how many it picks.
SIZED_BY_VALUES = {"index", "index by a mask", "masked_select"}
EVERY_CASE = [
    pytest.param(case, spelling, id=f"{case.name}-{i}")
    for case in [*CASES, *LINEAR_ALGEBRA]
    if case.name not in REFUSED and not (IS_REAL and case.name.startswith(("svd", "eigh", "qr")))
    for i, spelling in enumerate(case.spellings)
]


def differentiated(function: Function, arguments: Any) -> Function:
    """Give the function of the floating arrays alone that computes values and gradients."""
    plain = exchanged(arguments, lambda x: x if is_variable(x) else uploaded(x))

    def compute(arrays: Any) -> Any:
        remaining, xs = iter(arrays), []

        def change(x: Any) -> Any:
            if not is_variable(x):
                return x
            xs.append(tinytorch.Tensor(next(remaining)))
            return xs[-1]

        outputs = list(leaves(function(*exchanged(plain, change))))
        for y, w in zip(outputs, weights([y.shape for y in outputs], 1), strict=True):
            if y.requires_grad:
                y.backward(cupy.asarray(w))
        return [getattr(y, "_value", y) for y in outputs] + [x.grad for x in xs]

    return compute


def assert_compiles(function: Function, arrays: list[Any], counted: bool = True) -> None:
    """Expect of the program what the function gives, for new arrays, and no transfers."""
    compiled = tinytorch.compile(function)
    for i in range(6):
        moved = [cupy.asarray(x * (1 + i / 100)) for x in arrays]
        expected = function(moved)
        with transferring(0) if i > 3 and counted else nullcontext():
            actual = compiled(moved)
        assert_same(actual, [np.asarray(x.get()) for x in expected], rtol=1e-12)
    assert compiled.program is not None


@pytest.mark.parametrize(("case", "spelling"), EVERY_CASE)
def test_every_row_compiled(case: Case, spelling: Function) -> None:
    arguments = case.arguments(dice(3))
    arrays = [x for x in leaves(arguments) if is_variable(x)]
    counted = case.name not in SIZED_BY_VALUES
    assert_compiles(differentiated(spelling, arguments), arrays, counted)


@pytest.mark.parametrize(("name", "method", "operands"), ELEMENTWISE)
def test_every_elementwise_operation_compiled(name: str, method: Function, operands: int) -> None:
    offset = 1 if name == "ARCCOSH" else 0
    arrays = [SMOOTH / 1.1 + offset + i / 50 for i in range(operands)]
    assert_compiles(differentiated(method, arrays), arrays)


# --- kernels --------------------------------------------------------------------------------------


def launches(compiled: Any) -> list[str]:
    """List the names of what the program calls, kernels by their numbers of lines."""
    names = compiled._latest.executable.names.values()
    return [f"kernel of {len(x.text.splitlines())}" for x in names if isinstance(x, Kernel)]


CORNERS = np.array([-np.inf, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, np.inf, np.nan])
FUNCTIONS = [*{f.__name__: f for f in (*_ARITHMETIC, *_OF_FLOATS, *_QUESTIONS, *_OF_ONE)}.values()]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_line_of_a_kernel_gives_what_the_function_gives(function: Any, dtype: Any) -> None:
    x, y = (np.asarray(a.ravel(), dtype) for a in np.meshgrid(CORNERS, CORNERS))
    args = (x, y)[: function.nin]

    @tinytorch.compile
    def both(*args: Any) -> Any:
        return function(*args), -args[0]

    given = uploaded(args)
    for _ in range(4):
        found = both(*given)
    assert launches(both) == ["kernel of 4"]
    with np.errstate(all="ignore"):
        assert_same(found, [function(*args), -x], rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("number", [*CORNERS.tolist(), 1e-300, -1e300, -3, 0, 3])
def test_a_number_stands_in_a_kernel_as_it_is(number: float) -> None:
    array = np.asarray(number)
    held = uploaded([array])[0]

    def lines(x: Any, of_one: Any = array) -> Any:
        chosen = np.where(x > number, number, x)
        return x - number, number - x, x * number, np.arctan2(number, x), chosen, x - -of_one

    compiled = tinytorch.compile(lambda x: lines(x, held))
    for _ in range(4):
        found = compiled(*uploaded([CORNERS]))
    assert len(launches(compiled)) == 1
    with np.errstate(all="ignore"):
        assert_same(found, lines(CORNERS))


def test_whole_numbers_and_truth_values_go_along() -> None:
    def mixed(x: Any, n: Any, mask: Any) -> Any:
        half = np.where(mask & ~(x > 1), x, 0.5)
        return half * n, (n + 2) * n, mask | (n == 3), half.astype(np.float32), -(n - 1), half == n

    x, n = np.array([0.5, 2.0, -3.0]), np.array([3, 0, -2])
    args = [x, n, x > 0]
    compiled = tinytorch.compile(mixed)
    for _ in range(4):
        found = compiled(*uploaded(args))
    assert len(launches(compiled)) == 1
    assert_same(found, mixed(*args))


def test_elementwise_runs_are_one_kernel() -> None:
    @tinytorch.compile
    def slope(x: Any) -> Any:
        x = tinytorch.Tensor(x)
        ((x.sin() * x.tanh() + x * x).sum()).backward()
        return x.grad

    x = cupy.asarray(np.linspace(-2, 2, 12).reshape(3, 4))
    for _ in range(4):
        found = slope(x)
    there = slope._latest.executable
    assert len(launches(slope)) == 1
    assert there.text.count("\n") == 4  # the kernel and what it needs
    s, t = np.sin(x.get()), np.tanh(x.get())
    assert_same([found], [np.cos(x.get()) * t + s * (1 - t * t) + 2 * x.get()])


def test_an_optimisers_step_of_a_parameter_is_one_kernel() -> None:
    w = tinytorch.Tensor(cupy.asarray(np.ones((2, 3))))
    optimizer = optim.Adam([w], lr=0.1)

    @tinytorch.compile
    def step() -> None:
        w.grad = np.full_like(w.data, 0.5)
        optimizer.step()

    for _ in range(6):
        step()
    assert launches(step) == ["kernel of 17"]


def test_results_in_between_share_memory() -> None:
    compiled = tinytorch.compile(lambda x: x @ x @ x @ x @ x @ x)
    x = cupy.asarray(np.eye(50))
    for _ in range(4):
        assert_same([compiled(x)], [np.eye(50)])
    # Of four, two are needed at a time.
    assert 0 < compiled._latest.executable.buffers.total < 3 * x.nbytes


def test_what_is_written_in_between_is_seen() -> None:
    def writes(x: Any, y: Any) -> Any:
        first = x * 2 + y
        x += 1
        row = x[0] * 3
        x *= y
        second = x * 2 + first
        y[1] = 5.0
        total = np.ones_like(x, shape=(1,))
        before = total * 2
        total[...] = x.sum()
        after = total * 3 + before
        return first, row, second, x + y, np.sqrt(np.abs(y)) * x[:1], after

    compiled = tinytorch.compile(writes)
    here = [np.arange(6.0).reshape(2, 3), np.linspace(1, 2, 6).reshape(2, 3)]
    there = uploaded([x.copy() for x in here])
    for _ in range(6):
        with np.errstate(all="ignore"):
            expected, found = writes(*here), compiled(*there)
        assert_same([*found, *there], [*expected, *here])


STEPS: list[Any] = [
    lambda x, y: x + 0.5 * y, lambda x, y: np.tanh(x) - y, lambda x, y: np.where(x > y, x, -y),
    lambda x, _y: x[::-1] * 1.5, lambda x, y: x.sum(axis=0) + y, lambda x, _y: x.T,
    lambda x, _y: operator.imul(x, 0.5), lambda x, y: np.subtract(x, y * 0.25, out=x),
    lambda x, y: operator.setitem(x, 0, y[1] * 0.5),
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(STEPS), *[st.integers(0, 9)] * 2), min_size=3))
@settings(max_examples=60)
def test_any_order_of_calls_gives_the_same(steps: Any) -> None:
    """Elementwise calls, views, sums and updates in any order, of two arrays outside."""

    def run(a: Any, b: Any) -> Any:
        found = [a, b]
        for step, i, j in steps:
            new = step(found[i % len(found)], found[j % len(found)])
            found += [] if new is None else [new]
        return found[2:]

    compiled = tinytorch.compile(run)
    here = [np.linspace(-1, 1, 9).reshape(3, 3), np.linspace(2, -1, 9).reshape(3, 3)]
    there = uploaded([x.copy() for x in here])
    for _ in range(5):
        expected, found = run(*here), compiled(*there)
        assert_same([*found, *there], [*expected, *here])


def test_a_kernel_takes_no_more_arrays_than_can_be_passed() -> None:
    @tinytorch.compile
    def sums(xs: Any) -> Any:
        found = [xs[0] * 2]
        for x in xs[1:]:
            found.append(found[-1] + x)
        return found

    xs = [np.full(3, float(i)) for i in range(40)]
    for _ in range(5):
        found = sums(uploaded(xs))
    assert_same(found, np.cumsum(xs, axis=0))
    kernels = [x for x in sums._latest.executable.names.values() if isinstance(x, Kernel)]
    counts = [len(x.inputs.split(",")) + len(x.outputs.split(",")) for x in kernels]
    assert 1 < len(counts) < 8
    assert max(counts) <= 32


def test_an_update_in_a_narrower_dtype_is_computed_in_the_wider_one() -> None:
    def update(x: Any, y: Any) -> Any:
        x -= y
        return x * 2, x + x

    compiled = tinytorch.compile(update)
    here = [np.array([1, 1e-3, 3], np.float32), np.array([1 + 1e-9, 1e-3 + 1e-9, 1 / 3])]
    there = uploaded([x.copy() for x in here])
    for _ in range(5):
        assert_same([*compiled(*there), *there], [*update(*here), *here], rtol=0)


def test_a_kernel_refuses_what_cupy_refuses() -> None:
    kernel = cupy.ElementwiseKernel("float64 x1, bool x2", "float64 y1", "y1 = x2 ? x1 : 0.0;", "k")
    x, mask = cupy.asarray([1.0, 2.0]), cupy.asarray([True, False])
    assert_same([kernel(x, mask), kernel(3.0, mask)], [np.array([1.0, 0.0]), np.array([3.0, 0.0])])
    for wrong in (
        (x,), (x, mask, x, x), (mask, mask), (x, x), (np.ones(2), mask), (1.0, True),
        (x, mask, cupy.asarray([1.0])),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            kernel(*wrong)
    if not IS_REAL:
        for text in (
            "y1 = x3;", "const float v1 = x1;", "y1 = exp(1);", "y1 = 1 / 2;", "y1 = x1 < 2.0;",
            "const double v1 = x1; const double v1 = x1; y1 = v1;",
        ):  # fmt: skip
            with pytest.raises((SyntaxError, TypeError, KeyError)):
                cupy.ElementwiseKernel("float64 x1", "float64 y1", text, "k")(x)


# --- programs -------------------------------------------------------------------------------------


def both_ways(make: Any, calls: int = 7) -> Any:
    """Take steps on the GPU, as they are and compiled; expect the same losses, and no transfers."""
    losses = []
    for compiled in (False, True):
        manual_seed(0)
        step = make()
        step = tinytorch.compile(step) if compiled else step
        losses.append([])
        for i in range(calls):
            with transferring(0) if i > 3 else nullcontext():
                loss = step()
            losses[-1].append(loss)
    assert step.program is not None
    plain, fast = ([x.item() for x in found] for found in losses)
    assert_allclose(fast, plain, rtol=1e-9)
    return step


def network_on_moons() -> Any:
    rng = np.random.default_rng(0)
    x, y = uploaded([rng.normal(size=(40, 2)), (rng.uniform(size=(40, 1)) > 0.5) * 1.0])
    model = nn.MLP(2, [(8, nn.Activation.TANH), (1, nn.Activation.SIGMOID)]).cuda()

    def step() -> Any:
        for p in model.parameters:
            p.grad = None
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        for p in model.parameters:
            p.data -= 0.1 * p.grad
        return loss

    return step


def classifier() -> Any:
    rng = np.random.default_rng(0)
    x = tinytorch.tensor(rng.normal(size=(32, 16)).astype(np.float32)).cuda()
    y = tinytorch.tensor(rng.integers(0, 4, 32)).cuda()
    model = nn.Sequential(
        nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 4)
    )
    model = model.float().cuda()
    optimizer = optim.Adam(model.parameters, lr=0.01)

    def step() -> Any:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters, 1.0)
        optimizer.step()
        return loss.detach()

    return step


def attention() -> Any:
    rng = np.random.default_rng(0)
    q, k, v = (tinytorch.Tensor(cupy.asarray(rng.normal(size=(2, 2, 5, 4)))) for _ in range(3))

    def step() -> Any:
        q.grad = k.grad = v.grad = None
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        loss = (y * y).sum()
        loss.backward()
        q.data -= 0.1 * q.grad
        return loss

    return step


def transformer() -> Any:
    rng = np.random.default_rng(0)
    text = tinytorch.tensor(rng.integers(0, 7, (3, 6))).cuda()
    embedding, scores = nn.Embedding(7, 8).cuda(), nn.Linear(8, 7).cuda()
    layer = nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0.1, activation="gelu", batch_first=True
    ).cuda()
    parameters = [*embedding.parameters, *layer.parameters, *scores.parameters]
    optimizer = optim.AdamW(parameters, lr=0.01)

    def step() -> Any:
        optimizer.zero_grad()
        found = scores(layer(embedding(text[:, :-1]))).reshape(-1, 7)
        loss = functional.cross_entropy(found, text[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    return step


PROGRAMS = [network_on_moons, classifier, attention, transformer]


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_a_compiled_step_does_what_the_step_does(make: Any) -> None:
    both_ways(make)


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_the_source_runs_on_its_own(make: Any) -> None:
    step = both_ways(make)
    names: dict[str, Any] = {}
    exec(step.source, names)  # noqa: S102
    assert "import cupy as cp" in step.source
    assert "tinytorch" not in step.source.partition("def ")[2].replace("# ", "")
    outside = {key: copy.deepcopy(x) for key, x in step.outside.items()}
    assert_allclose(names["step"](**outside)[0].item(), step().item(), rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "Adamax"]
)
def test_optimisers_compiled(name: str) -> None:
    def make() -> Any:
        rng = np.random.default_rng(0)
        x, y = (tinytorch.tensor(rng.normal(size=(8, 3))).cuda() for _ in range(2))
        model = nn.Linear(3, 3).cuda()
        optimizer = getattr(optim, name)(model.parameters, lr=0.01, weight_decay=0.1)

        def step() -> Any:
            optimizer.zero_grad()
            loss = functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step

    both_ways(make, 12)


def test_transforms_compiled() -> None:
    def f(x: Any) -> Any:
        return (np.sin(x) * x[:, :1]).sum() ** 2

    x = np.linspace(-1, 2, 12).reshape(3, 4)
    for transform in (grad(f), value_and_grad(f), hessian(f), vmap(grad(lambda r: (r**3).sum()))):
        compiled = tinytorch.compile(transform)
        for i in range(6):
            moved = x * (1 + i / 10)
            expected = list(leaves(transform(moved)))
            with transferring(0) if i > 3 else nullcontext():
                found = list(leaves(compiled(cupy.asarray(moved))))
            assert_same(found, [np.asarray(y) for y in expected])


# --- kinds of arrays ------------------------------------------------------------------------------


def test_each_kind_of_array_has_its_program() -> None:
    @tinytorch.compile
    def f(x: Any) -> Any:
        return np.exp(x) * 2 + x

    x = np.linspace(0, 1, 6)
    for array in (x, cupy.asarray(x)) * 5:
        for argument in (array, tinytorch.tensor(array)):
            found = f(argument)
            found = found.data if isinstance(found, tinytorch.Tensor) else found
            assert type(found) is type(array)
            assert_allclose(found if array is x else found.get(), np.exp(x) * 2 + x)


def test_what_is_on_the_cpu_is_taken_over_in_each_run() -> None:
    w = tinytorch.Tensor(cupy.asarray(np.ones((3, 2))))

    @tinytorch.compile
    def loss(x: Any, rate: float) -> Any:
        return (tinytorch.tensor(x).cuda() @ w * rate).sum()

    for i in range(6):
        x = np.full((4, 3), float(i))
        with transferring(0) if i > 3 else nullcontext():
            found = loss(x, 0.5 * i)
        assert found.item() == 12 * i * i


def test_random_numbers_are_drawn_anew() -> None:
    x = tinytorch.tensor(np.ones((50, 20))).cuda()

    @tinytorch.compile
    def drop() -> Any:
        return functional.dropout(x, 0.5)

    manual_seed(3)
    found = [drop().numpy() for _ in range(6)]
    assert all(not np.array_equal(a, b) for a, b in pairwise(found))
    manual_seed(3)
    eager = [functional.dropout(x, 0.5).numpy() for _ in range(6)]
    assert np.array_equal(found, eager)


def test_a_label_out_of_range_is_found() -> None:
    scores = tinytorch.tensor(np.ones((3, 4))).cuda()

    @tinytorch.compile
    def loss(y: Any) -> Any:
        return functional.cross_entropy(scores, y)

    for _ in range(5):
        loss(cupy.asarray([0, 1, 2])).item()
    found = loss(cupy.asarray([0, 9, 2]))
    with pytest.raises(IndexError, match="label"):
        found.item()


def test_what_no_program_can_do_is_refused_in_a_sentence() -> None:
    x = cupy.asarray(np.linspace(-1, 1, 4))
    for function, message in (
        (lambda x: x * 2 if x.sum() > 0 else x, "a decision hangs on a value"),
        (lambda x: x * float(x.sum()), "float.. takes a value out"),
        (lambda x: x * x.sum().item(), "item takes a value out"),
        (lambda x: np.exp(x.get()), "get takes a value out"),
        (lambda x: tinytorch.tensor(x).cpu() * 2, "a value is taken to the CPU"),
        (lambda x: x[x > 0], "a mask decides a shape"),
        (np.unique, "depends on values"),
        (lambda x: cupy.exp(x) * 2, "given to a function of CuPy's: write np.exp"),
    ):
        compiled = tinytorch.compile(function)
        compiled(x)
        with pytest.raises(TypeError, match=f"compile: .*{message}"):
            compiled(x)


@pytest.mark.parametrize("index", range(cupy.cuda.runtime.getDeviceCount()))
@pytest.mark.parametrize(
    "go",
    [lambda x, d: x.to(d), lambda x, d: x.cuda().to(d), lambda _, d: tinytorch.zeros(2, device=d)],
)
def test_a_program_keeps_to_one_gpu(go: Any, index: int) -> None:
    x, name = tinytorch.tensor([1.0, 2.0]), f"cuda:{index}"
    compiled = tinytorch.compile(lambda x: go(x, name))
    assert str(compiled(x).device) == name
    for _ in range(4):
        if index == 0:
            assert str(compiled(x).device) == name
        else:
            with pytest.raises(TypeError, match="compile: an array goes to another GPU"):
                compiled(x)
    with cupy.cuda.Device(index):
        compiled = tinytorch.compile(lambda x: go(x, name))
        for _ in range(5):
            assert str(compiled(x).device) == name


MAKERS = {
    "array of a list": lambda x: np.array([1.0, 10.0], like=x),
    "array": lambda x: np.array(x, like=x),
    "asarray": lambda x: np.asarray(x, like=x),
    "asarray of a dtype": lambda x: np.asarray(x, np.float32, like=x),
    "asarray of a list": lambda x: np.asarray([1.0, 10.0], like=x),
    "asarray of an array of NumPy's": lambda x: np.asarray(np.arange(2), float, like=x),
    "asanyarray": lambda x: np.asanyarray(x, np.float32, like=x),
    "ascontiguousarray": lambda x: np.ascontiguousarray(x[::-1], like=x),
    "zeros": lambda x: np.zeros(x.shape, like=x),
    "arange": lambda x: np.arange(3.0, like=x),
    "identity": lambda x: np.identity(3, like=x),
    "tri": lambda x: np.tri(3, like=x),
}


@pytest.mark.parametrize("name", MAKERS)
def test_arrays_are_made_there_while_a_function_is_recorded(name: str) -> None:
    def changed_afterwards(x: Any) -> Any:
        made = MAKERS[name](x)
        x += 1
        return [made * 2]

    compiled = tinytorch.compile(changed_afterwards)
    for value in (1.0, 2.0, 3.0, 4.0):
        x = np.array([value, 5.0])
        there = uploaded(x)
        assert_same(compiled(there), changed_afterwards(x))
