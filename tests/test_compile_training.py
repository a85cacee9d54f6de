"""Training steps, compiled: every module and optimiser goes on to the last bit as uncompiled."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_nn_modules import MODULES, X

import tinytorch
from tinytorch import Tensor, compile, nn, optim  # noqa: A004
from tinytorch.nn.functional import cross_entropy

CLASSES = np.array([0, 2, 1, 1])


def arrays(model: Any) -> list[Any]:
    return [getattr(x, "_value", x) for x in (*model.parameters, *model.buffers())]


def classifier(kind: str, dtype: Any, options: dict[str, Any]) -> Any:
    model = nn.Sequential(
        nn.Linear(6, 8, rng=0, dtype=dtype), nn.BatchNorm1d(8, dtype=dtype), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(8, 3, rng=1, dtype=dtype),
    )  # fmt: skip
    optimizer = getattr(optim, kind)(model.parameters, lr=0.01, **options)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    average = optim.swa_utils.AveragedModel(model)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optim.clip_grad_norm_(model.parameters, 1.0)
        optimizer.step()
        average.update_parameters(model)
        return loss

    return step, schedule, lambda: [*arrays(model), *arrays(average)], model


def losses(step: Any, schedule: Any) -> list[Any]:
    tinytorch.manual_seed(5)
    found = []
    for i in range(12):
        found.append(step(X * (1 + i / 10), np.roll(CLASSES, i)).data)
        if i % 4 == 3:
            schedule.step()
    return [*found, tinytorch.random.default_generator.random()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("Adam", {"amsgrad": True}),
        ("AdamW", {}), ("NAdam", {}), ("RMSprop", {"centered": True, "momentum": 0.5}),
        ("Adagrad", {"lr_decay": 0.1}), ("Adadelta", {}), ("Adamax", {}),
    ],
)  # fmt: skip
def test_every_optimiser_bit_for_bit(kind: str, options: dict[str, Any], dtype: Any) -> None:
    eager, schedule, state, _ = classifier(kind, dtype, options)
    expected = losses(eager, schedule)
    twin, schedule, twins_state, _ = classifier(kind, dtype, options)
    compiled = compile(twin)
    assert_array_equal(losses(compiled, schedule), expected)
    for x, y in zip(twins_state(), state(), strict=True):
        assert_array_equal(x, y)
    assert compiled.program is not None


# The lengths of labels, and of bags, decide shapes.
BY_LENGTHS = {("CTCLoss", 4), ("EmbeddingBag", 2)}
COMPILED = [case for case in MODULES if (case[0], len(case[2])) not in BY_LENGTHS]


@pytest.mark.parametrize(("name", "options", "inputs"), COMPILED, ids=[m[0] for m in COMPILED])
def test_every_module_in_training(name: str, options: dict[str, Any], inputs: list[Any]) -> None:
    def make() -> Any:
        tinytorch.manual_seed(0)
        module, scale = getattr(nn, name)(**options), Tensor(1.0)

        def step(x: Any, *others: Any) -> Any:
            module.zero_grad()
            scale.grad = None
            out = module(
                x if name in ("Embedding", "EmbeddingBag", "BCELoss") else x * scale, *others
            )
            if out.requires_grad:
                out.sum().backward()
            for p in (scale, *module.parameters):
                p.data -= 0.01 * p.grad
            return out

        return step, lambda: [scale.data, *arrays(module)]

    (eager, state), (twin, twins_state) = make(), make()
    compiled = compile(twin)
    for _ in range(5):
        # Softmax leaves out the largest where it knows that exp can't overflow.
        assert_allclose(compiled(*inputs).data, eager(*inputs).data, rtol=1e-14, atol=1e-15)
    for x, y in zip(twins_state(), state(), strict=True):
        assert_allclose(x, y, rtol=1e-13, atol=1e-15)
    assert compiled.program is not None


def test_warnings_of_an_optimiser_come_in_each_replay() -> None:
    x = Tensor(np.zeros(3, np.float32))
    optimizer = optim.SGD([x], lr=1e38)
    step = compile(optimizer.step)
    for _ in range(5):
        x.data[:] = 0
        x.grad = np.ones(3, np.float32)
        step()
    x.grad = np.full(3, 1e38, np.float32)
    with pytest.warns(RuntimeWarning, match="overflow encountered in multiply"):
        step()
    assert_array_equal(x.data, np.full(3, -np.inf))
    assert all(call.errstate is None for call in step.program.calls)


def test_a_check_is_made_in_each_replay() -> None:
    step, _, state, _ = classifier("SGD", np.float64, {})
    compiled = compile(step)
    for _ in range(5):
        compiled(X, CLASSES)
    before = [x.copy() for x in state()[:2]]
    with pytest.raises(IndexError, match="of 3 classes the labels are 0 to 2, got 5"):
        compiled(X, CLASSES + 5)
    for x, y in zip(state(), before, strict=False):
        assert_array_equal(x, y)
    assert "raise IndexError('cross_entropy: of 3 classes" in compiled.source


def test_modes_of_training_have_programs_of_their_own() -> None:
    model = nn.Sequential(nn.Linear(6, 3, rng=0), nn.Dropout(0.5))
    compiled = compile(model)
    for _ in range(4):
        compiled(X)
    model.eval()
    for _ in range(4):
        assert_array_equal(compiled(X).data, model(X).data)


def test_numbers_are_pythons_own() -> None:
    def function(x: Any, a: float) -> Any:
        return x * (a**3 / 7), a + 1, -a, a > 0.5, a, 0.9**a

    compiled = compile(function)
    for i in range(6):
        for got, wanted in zip(
            compiled(X.astype("f"), 0.1 + i), function(X.astype("f"), 0.1 + i), strict=True
        ):
            assert type(got) is type(wanted)
            assert_array_equal(got, wanted)


def test_slots_and_deques_are_seen() -> None:
    class Counter:
        __slots__ = ("count",)

    counter = Counter()
    counter.count = np.zeros(())

    def function(x: Any) -> Any:
        counter.count[...] += 1
        return x * counter.count

    compiled = compile(function)
    for i in range(6):
        assert_array_equal(compiled(X), X * (i + 1))


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function, got int 3"):
        compile(3)  # type: ignore[arg-type]

    def numbers(x: Any) -> Any:
        yield x

    with pytest.raises(TypeError, match="one by one"):
        compile(numbers)


def test_a_change_that_is_seen_while_recording_names_the_line() -> None:
    @compile
    def turn(x: Any, held: Any) -> Any:
        held.side = "left" if held.side == "right" else "right"
        return x * 2

    held = SimpleNamespace(side="left")
    message = r"changes held\.side, which (.|\n)*test_compile_training.py:\d+: held.side = "
    with pytest.raises(TypeError, match=message):
        [turn(X, held) for _ in range(4)]


def test_a_refused_change_names_the_line() -> None:
    kept: list[Any] = []

    @compile
    def step(x: Any) -> Any:
        total = x.sum()
        kept.append(total)
        return total

    with pytest.raises(TypeError, match=r"changes kept(.|\n)*kept\.append\(total\)"):
        [step(X) for _ in range(4)]


def test_names_that_never_come_twice_are_told_of_once() -> None:
    scaled = compile(lambda x, name: x * len(name))
    with pytest.warns(UserWarning, match="give numbers that change as floats") as caught:
        [scaled(X, "x" * n) for n in range(12)]
    assert [w.filename for w in caught] == [__file__]


def test_a_step_that_frees_its_graph_is_recorded() -> None:
    w = Tensor(np.ones(3))

    def step() -> Any:
        w.grad = None
        loss = (w * 2).tanh().sum()
        loss.backward(retain_graph=False)
        w.data -= 0.1 * w.grad
        return loss

    expected = [(step().item(), w.data.copy()) for _ in range(4)]
    w.data[...] = 1
    compiled = tinytorch.compile(step)
    for value, weights in expected:
        assert compiled().item() == value
        assert_array_equal(w.data, weights)


def test_an_interrupt_leaves_all_parameters_updated_or_none() -> None:
    x, w, b = X[:, :3], Tensor(np.ones((3, 2))), Tensor(np.zeros(2))
    momentum = np.zeros((3, 2))

    @compile
    def step() -> None:
        w.grad = b.grad = None
        (x @ w + b).exp().mean().backward()
        np.multiply(momentum, 0.9, out=momentum)
        np.add(momentum, w.grad, out=momentum)
        w.data -= 0.1 * momentum
        b.data -= 0.1 * b.grad

    state = w.data, b.data
    for _ in range(4):
        step()
    path = step._latest.executable.path

    at = lines = 0

    def trace(frame: Any, event: str, _arg: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename == path and event in ("line", "return"):
            lines += 1
            if lines == at:
                raise KeyboardInterrupt
        return trace

    while True:
        at, lines = at + 1, 0
        before = [s.copy() for s in state]
        sys.settrace(trace)
        try:
            step()
            break
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        assert len({np.array_equal(x, y) for x, y in zip(before, state, strict=True)}) == 1
    assert at > 5


class Option:
    """An argument that can be compared, and so has no hash."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Option)

    __hash__ = None  # type: ignore[assignment]


def test_arguments_without_a_hash_are_told_apart_by_identity() -> None:
    step, options = compile(lambda x, option: x * option.factor), [Option(2.0), Option(3.0)]
    for _ in range(4):
        for option in options:
            assert_array_equal(step(X, option), X * option.factor)
    assert step.program is not None
