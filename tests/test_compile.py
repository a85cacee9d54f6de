"""Compiled functions: what they compute, what they change, what they refuse."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Tensor, compile, grad, hessian, jvp, no_grad, value_and_grad  # noqa: A004
from tinytorch.nn import MLP, Activation
from tinytorch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RMSprop

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 2)), (rng.random((20, 1)) < 0.5).astype(float)


def network(seed: int = 0) -> MLP:
    return MLP(2, [(5, Activation.RELU), (1, Activation.SIGMOID)], rng=seed)


def cross_entropy(p: Any, y: Any) -> Any:
    p = p.clip(1e-12, 1 - 1e-12)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def training_step(model: Any) -> Callable[[Any, Any], Any]:
    def step(X: Any, y: Any) -> Any:
        loss = cross_entropy(model(X), y)
        model.flush_grads()
        loss.backward()
        for parameter in model.parameters:
            parameter.data -= 0.1 * parameter.grad
        return loss

    return step


def assert_same_steps(
    make: Callable[[], Any], *arguments: Callable[[], Any], calls: int = 8
) -> Any:
    """Call a function and its twin, compiled, on the same arguments; `make` gives both its parts."""  # noqa: E501
    function, state = make()
    twin, twins_state = make()
    compiled = compile(twin)
    for _ in range(calls):
        given = [argument() for argument in arguments]
        expected, actual = function(*given), compiled(*given)
        for a, b in zip(arrays_in(actual), arrays_in(expected), strict=True):
            assert_array_equal(a, b)
        for a, b in zip(twins_state(), state(), strict=True):
            assert_array_equal(a, b)
    assert compiled.program is not None
    return compiled


def arrays_in(tree: Any) -> list[Any]:
    return [x.data if isinstance(x, Tensor) else x for x in tinytorch.trees.leaves(tree)]


def data_and_gradients(model: Any) -> Callable[[], list[Any]]:
    return lambda: [part for p in model.parameters for part in (p.data, p.grad)]


# --- what it computes -----------------------------------------------------------------------------


def test_a_training_step_bit_for_bit() -> None:
    def make() -> Any:
        model = network()
        return training_step(model), data_and_gradients(model)

    assert_same_steps(make, lambda: rng.normal(size=(20, 2)), lambda: Y)


def test_parameters_stay_the_same_arrays() -> None:
    model = network()
    arrays = [p.data for p in model.parameters]
    step = compile(training_step(model))
    for _ in range(6):
        step(X, Y)
    assert all(p.data is array for p, array in zip(model.parameters, arrays, strict=True))


def test_gradients_accumulate_where_nobody_flushes_them() -> None:
    def make() -> Any:
        x = Tensor([1.0, 2.0])

        def step(y: Any) -> Any:
            loss = (x * y).sum()
            loss.backward()
            return loss

        return step, lambda: [x.grad]

    assert_same_steps(make, lambda: rng.normal(size=2))


def test_new_shapes_and_dtypes_have_programs_of_their_own() -> None:
    compiled = compile(lambda x: np.tanh(x) * 2)
    for _ in range(3):
        for shape in ((3,), (2, 3), (), (0,), (1, 1)):
            for dtype in (np.float64, np.float32):
                x = rng.normal(size=shape).astype(dtype)
                for _ in range(3):
                    out = compiled(x)
                    assert out.dtype == dtype
                    assert_array_equal(out, np.tanh(x) * 2)


def test_modes_of_recording_have_programs_of_their_own() -> None:
    x = Tensor([1.0, 2.0])
    compiled = compile(lambda: x * 2)
    for _ in range(5):
        assert compiled().requires_grad
        with no_grad():
            assert not compiled().requires_grad
    x.requires_grad = False
    for _ in range(5):
        assert not compiled().requires_grad


def test_floats_are_inputs_and_other_numbers_are_not() -> None:
    compiled = compile(lambda x, rate, power: x * rate**power)
    for i in range(12):
        rate, power = 0.1 * (i + 1), i // 4
        assert_array_equal(compiled(X, rate, power), X * rate**power)
    assert compile(lambda x, rate: x * rate)(X.astype("f"), 0.1).dtype == np.float32


@pytest.mark.parametrize(
    "transformed",
    [
        grad(lambda x: (np.sin(x) * x).sum()),
        value_and_grad(lambda x: (np.sin(x) * x).sum()),
        hessian(lambda x: (x[1:] * x[:-1] ** 2).sum()),
        lambda x: jvp(np.sin, (x,), (x * 2,)),
        grad(lambda x: grad(lambda y: (y**3).sum())(x).sum()),
    ],
)
def test_transforms(transformed: Any) -> None:
    assert_same_steps(lambda: (transformed, list), lambda: rng.normal(size=5))


def test_structures_of_arguments_and_results() -> None:
    def function(parameters: Any, pair: Any) -> Any:
        x, y = pair
        return {"sum": [x + parameters["w"], (y, 3, "name", None)], "w": parameters["w"]}

    compiled = compile(function)
    for _ in range(6):
        parameters, pair = {"w": rng.normal(size=2)}, (rng.normal(size=2), rng.normal(size=2))
        out = compiled(parameters, pair)
        assert_array_equal(out["sum"][0], pair[0] + parameters["w"])
        assert out["sum"][1][0] is pair[1]
        assert out["sum"][1][1:] == (3, "name", None)
        assert out["w"] is parameters["w"]


def test_a_compiled_function_inside_another_and_inside_a_transform() -> None:
    inner = compile(lambda x: np.sin(x) * x)
    for _ in range(5):
        x = rng.normal(size=3)
        inner(x)
        assert_array_equal(grad(lambda x: inner(x).sum())(x), np.cos(x) * x + np.sin(x))
    outer = compile(lambda x: inner(x) + 1)
    for _ in range(5):
        assert_array_equal(outer(x), np.sin(x) * x + 1)


def test_methods_and_options() -> None:
    class Scale:
        factor = 2.0

        @compile
        def apply(self, x: Any) -> Any:
            return x * self.factor

    scale = Scale()
    for factor in (2.0, 3.0):
        scale.factor = factor
        for _ in range(5):
            assert_array_equal(scale.apply(X), X * factor)
    assert_array_equal(compile(np.negative)(X), -X)
    assert copy.deepcopy(compile(network)).program is None
    assert pickle.loads(pickle.dumps(compile(network))).program is None  # noqa: S301


# --- what lies in the same memory -----------------------------------------------------------------


def test_results_belong_to_the_caller() -> None:
    model = network()
    step = compile(training_step(model))
    losses, gradients, expected = [], [], []
    for _ in range(8):
        losses.append(step(X, Y))
        gradients.append(model.parameters[0].grad)
        expected.append((losses[-1].data.copy(), gradients[-1].copy()))
    for loss, gradient, (loss_then, gradient_then) in zip(losses, gradients, expected, strict=True):
        assert loss.data == loss_then
        assert_array_equal(gradient, gradient_then)


@pytest.mark.parametrize("size", [3, 100_000])
def test_large_results_belong_to_the_caller_too(size: int) -> None:
    x = Tensor(np.ones(size))

    def function(y: Any) -> Any:
        x.grad = None
        (x * y).sum().backward()
        return y * 2, (y + 1).reshape(-1, 1)

    compiled = compile(function)
    kept: list[Any] = []
    for i in range(8):
        y = np.full(size, float(i))
        double, more = compiled(y)
        kept.append((double, more[1:], x.grad[:2]) if i % 2 else ())
    for i, parts in enumerate(kept):
        for part, value in zip(parts, (2 * i, i + 1, i), strict=False):
            assert np.all(part == value)


def test_an_array_given_twice_and_returned_twice() -> None:
    def function(x: Any, y: Any) -> Any:
        x += 1
        double = y * 2
        return double, double, x, y.T

    compiled = compile(function)
    for _ in range(4):
        for x, y in ((np.ones((2, 3)), np.ones((2, 3))), (np.ones((2, 3)),) * 2):
            a, b, c, d = compiled(x, y)
            assert a is b
            assert c is x
            assert d.base is y
            assert np.all(a == (4 if x is y else 2))
            assert np.all(x == 2)


def test_arguments_that_overlap_each_other_or_a_parameter() -> None:
    w = Tensor(np.zeros(4))

    def function(x: Any, y: Any) -> Any:
        before = y * 1
        x += 1
        w.data += 10
        return before, y * 1

    compiled = compile(function)
    for _ in range(4):
        memory = np.zeros(5)
        for x, y in ((memory[1:], memory[:-1]), (np.zeros(4), np.zeros(4)), (w.data, w.data)):
            expected = y.copy()
            before, after = compiled(x, y)
            assert_array_equal(before, expected)
            assert_array_equal(after, y)


def test_a_parameter_exchanged_for_another() -> None:
    model = network()
    predict = compile(lambda X: model(X).data)
    for seed in (1, 2):
        for _ in range(5):
            assert_array_equal(predict(X), model(X).data)
        model.layers[0].weight = network(seed).layers[0].weight
    for _ in range(5):
        model.layers[0].weight.data = rng.normal(size=(2, 5))
        assert_array_equal(predict(X), model(X).data)


def test_arrays_from_outside_are_looked_at_in_each_call() -> None:
    y = np.ones(3)
    table = {"scale": np.ones(3)}
    compiled = compile(lambda x: x * (1 - y) * table["scale"])
    for i in range(8):
        y[:] = i
        table["scale"][1] = i
        assert_array_equal(compiled(X[:1, :1]), X[:1, :1] * (1 - y) * table["scale"])


def test_numbers_and_arrays_from_outside_that_change_become_inputs() -> None:
    rate, offset = 0.0, np.zeros(3)
    compiled = compile(lambda x: x * rate + offset)
    for i in range(10):
        rate, offset = i / 10, np.full(3, i)
        assert_array_equal(compiled(np.ones(3)), rate + offset)
    assert compiled.program is not None


# --- state ----------------------------------------------------------------------------------------


def test_moments_of_an_optimiser_in_plain_arrays() -> None:
    def make() -> Any:
        model = network()
        moments = [np.zeros_like(p.data) for p in model.parameters]
        count = np.zeros(())

        def step(X: Any) -> Any:
            loss = cross_entropy(model(X), Y)
            model.flush_grads()
            loss.backward()
            count[...] += 1
            for p, m in zip(model.parameters, moments, strict=True):
                m *= 0.9  # noqa: PLW2901
                m += 0.1 * p.grad  # noqa: PLW2901
                p.data -= 0.1 * m / (1 - 0.9**count)
            return loss

        return step, lambda: [*data_and_gradients(model)(), *moments, count]

    assert_same_steps(make, lambda: rng.normal(size=(20, 2)))


def test_a_running_mean_that_is_bound_anew() -> None:
    class Mean:
        def __init__(self) -> None:
            self.mean = np.zeros(2)

        def __call__(self, x: Any) -> Any:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
            return x - self.mean

    def make() -> Any:
        mean = Mean()
        return mean, lambda: [mean.mean]

    assert_same_steps(make, lambda: rng.normal(size=(20, 2)))


def test_random_numbers_are_drawn_anew_in_the_same_order() -> None:
    def make() -> Any:
        generator = np.random.default_rng(3)
        model = network()

        def step(X: Any) -> Any:
            mask = generator.random(X.shape) < 0.5
            loss = cross_entropy(model(X * mask / 0.5), Y) + generator.normal()
            model.flush_grads()
            loss.backward()
            for p in model.parameters:
                p.data -= 0.1 * p.grad
            return loss

        return step, lambda: [*data_and_gradients(model)(), generator.random(2)]

    assert_same_steps(make, lambda: rng.normal(size=(20, 2)))


# --- what it refuses ------------------------------------------------------------------------------

outside: list[Any] = []


def decides(x: Any) -> Any:
    return x if x.sum() > 0 else -x  # here


def makes_a_float(x: Any) -> Any:
    return x * float(x.sum())  # here


def takes_an_item(x: Any) -> Any:
    return x * (Tensor(x) * 2).sum().item()  # here


def prints(x: Any) -> Any:
    print(x * 2)  # here  # noqa: T201
    return x


def picks_by_a_mask(x: Any) -> Any:
    return x[x > 0]  # here


def asks_where(x: Any) -> Any:
    return np.nonzero(x)  # here


def writes_unseen(x: Any) -> Any:
    buffer = np.zeros(3)
    buffer[0] = x[0]  # here
    return buffer


def draws_unseen(x: Any) -> Any:
    noise = np.random.normal(size=3)  # here  # noqa: NPY002
    return x + noise  # here


def keeps(x: Any) -> Any:
    outside.append(x * 2)  # here
    return x


def keeps_a_tensor(x: Any) -> Any:
    outside[0].last = (Tensor(x) * 2,)  # here
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (decides, "decision"),
        (makes_a_float, "float"),
        (takes_an_item, "item"),
        (prints, "print leaves no record"),
        (picks_by_a_mask, "mask"),
        (asks_where, "nonzero"),
        (writes_unseen, "no NumPy function"),
        (draws_unseen, "np.random.normal leaves no record"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_refusals_name_the_line(function: Any, message: str) -> None:
    compiled = compile(function)
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=message) as error:  # noqa: PT012
        for _ in range(4):
            compiled(x)
    assert "# here" in str(error.value)
    assert "test_compile.py" in str(error.value)


def test_what_is_kept_outside_is_refused() -> None:
    outside.clear()
    with pytest.raises(TypeError, match="changes"):  # noqa: PT012
        for _ in range(3):
            compile(keeps)(X)
            compiled = compile(keeps)
            for _ in range(3):
                compiled(X)

    class Holder:
        last: Any = None

    outside[:] = [Holder()]
    compiled = compile(keeps_a_tensor)
    with pytest.raises(TypeError, match="changes|kept outside"):  # noqa: PT012, RUF043
        for _ in range(3):
            compiled(X)
    assert_array_equal(outside[0].last[0].data + 0, X * 2)  # it has stayed a tensor


def test_counting_is_refused() -> None:
    calls = 0

    def count(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x * 2

    compiled = compile(count)
    with pytest.raises(TypeError, match="calls"):  # noqa: PT012
        for _ in range(3):
            compiled(X)


def test_backward_through_a_result_is_refused() -> None:
    model = network()
    predict = compile(lambda X: model(X))  # noqa: PLW0108
    for _ in range(5):
        loss = predict(X).sum()
    with pytest.raises(RuntimeError, match="compiled"):
        loss.backward()


# --- errors, threads, growth ----------------------------------------------------------------------


def test_errors_leave_the_state_whole() -> None:
    w = Tensor(np.eye(2))

    def step(A: Any) -> Any:
        w.grad = None
        loss = (np.linalg.inv(A) @ w).sum()
        loss.backward()
        w.data -= 0.1 * w.grad
        return loss

    compiled, good = compile(step), np.array([[2.0, 0.0], [1.0, 1.0]])
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(np.linalg.LinAlgError):
                compiled(np.zeros((2, 2)))
        for _ in range(5):
            before = w.data.copy()
            compiled(good)
            assert_array_equal(w.data, before - 0.1 * w.grad)
    with pytest.raises(np.linalg.LinAlgError) as error:
        compiled(np.zeros((2, 2)))
    assert "np.linalg.inv(A)" in error.value.__notes__[-1]


def test_threads_may_call_at_once() -> None:
    compiled = compile(lambda x: np.tanh(x @ x.T).sum(axis=0) * 2)
    failures = []

    def work(seed: int) -> None:
        mine = np.random.default_rng(seed)
        for _ in range(200):
            x = mine.normal(size=(10, 10))
            if not np.array_equal(compiled(x), np.tanh(x @ x.T).sum(axis=0) * 2):
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_other_threads_compute_undisturbed_while_one_records() -> None:
    model = network()
    expected = model(X).data
    stop, failures = threading.Event(), []

    def predict() -> None:
        while not stop.is_set():
            if type(model(X).data) is not np.ndarray or not np.array_equal(model(X).data, expected):
                failures.append(1)

    thread = threading.Thread(target=predict)
    thread.start()
    for _ in range(30):
        compiled = compile(lambda X: model(X).data)
        for _ in range(4):
            compiled(X)
    stop.set()
    thread.join()
    assert not failures


def test_many_replays_do_not_grow() -> None:
    model = network()
    step = compile(training_step(model))
    for _ in range(100):
        step(X, Y)
    gc.collect()
    tracemalloc.start()
    for _ in range(10_000):
        step(X, Y)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000  # the smallest object of each step would be 160,000 bytes


def test_warnings_come_in_each_call() -> None:
    compiled = compile(lambda x: np.log(x))  # noqa: PLW0108
    for _ in range(5):
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            compiled(np.zeros(3))
        with np.errstate(all="ignore"):
            compiled(np.zeros(3))

    def quiet(x: Any) -> Any:
        with np.errstate(divide="ignore"):
            return np.log(x)

    compiled = compile(quiet)
    for _ in range(5):
        compiled(np.zeros(3))


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, NAdam, RMSprop, Adagrad, Adadelta, Adamax])
def test_optimisers(kind: Any) -> None:
    def make() -> Any:
        model = network(3)
        optimizer = kind(model.parameters, lr=0.01, weight_decay=0.1)

        def step(X: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = ((model(X) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    (step, model, optimizer), (function, twin, twins) = make(), make()
    compiled = compile(function)
    for _ in range(12):
        X = rng.normal(size=(20, 2))
        assert_allclose(compiled(X, Y).data, step(X, Y).data, rtol=1e-12)
        for a, b in zip(twin.parameters, model.parameters, strict=True):
            assert_array_equal(a.data, b.data)
            for name, kept in optimizer.state[b].items():
                assert type(twins.state[a][name]) is type(kept)
                assert_allclose(twins.state[a][name], kept, rtol=1e-12)
    assert compiled.program is not None
