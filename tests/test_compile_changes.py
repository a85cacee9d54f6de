"""A program is never replayed when what the function finds outside has changed."""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import logging
import os
import queue
import random
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Tensor, compile, nn, optim  # noqa: A004
from tinytorch.compiler import environment


class Pair(NamedTuple):
    """A structure of two parts."""

    x: Any
    y: Any


class Settings:
    """What the functions below find outside."""

    def __init__(self) -> None:
        self.number, self.rate, self.rates, self.pair = 2, 1.0, [1.0, 2.0], (1.0, 2.0)
        self.names, self.act = {"a"}, np.tanh
        self.options = {"a": 1, "b": 2}
        self.namespace = types.SimpleNamespace(number=2)
        self.parsed = argparse.Namespace(number=2)
        self.weight = Tensor(np.ones(3))

    def method(self, x: Any) -> Any:
        return x + 1


def shifted(x: Any, by: float = 1.0) -> Any:
    return x + by


def helper(x: Any) -> Any:
    return shifted(x) * 2


def change_code(_: Settings) -> None:
    shifted.__code__ = (lambda x: x + 5).__code__


def change_global(_: Settings) -> None:
    globals()["shifted"] = lambda x: x + 7


def hide(_: Settings) -> None:
    globals()["len"] = lambda x: 5


def change_default(_: Settings) -> None:
    shifted.__defaults__ = (3.0,)


def change_environment(_: Settings) -> None:
    os.environ["TINYTORCH_SCALE"] = "3"


def reverse(s: Settings) -> None:
    s.options["a"] = s.options.pop("a")


CHANGES: dict[str, tuple[Callable[[Settings, Any], Any], Callable[[Settings], None]]] = {
    "a set": (lambda s, x: x * len(s.names), lambda s: s.names.add("b")),
    "a member of a set": (
        lambda s, x: x * 2 if "a" in s.names else x,
        lambda s: s.names.symmetric_difference_update({"a", "b"}),
    ),
    "a namespace": (
        lambda s, x: x * s.namespace.number,
        lambda s: setattr(s.namespace, "number", 3),
    ),
    "parsed": (lambda s, x: x * s.parsed.number, lambda s: setattr(s.parsed, "number", 3)),
    "a function's code": (lambda _, x: helper(x), change_code),
    "a function": (lambda _, x: helper(x), change_global),
    "NumPy's function": (lambda s, x: s.act(x), lambda s: setattr(s, "act", np.sin)),
    "the object's method": (
        lambda s, x: s.method(x),
        lambda s: setattr(s, "method", lambda x: x + 3),
    ),
    "a list": (lambda s, x: x * s.rates[0], lambda s: setattr(s, "rates", [3.0, 2.0])),
    "a tuple": (lambda s, x: x * s.pair[1], lambda s: setattr(s, "pair", (1.0, 5.0))),
    "a function's default": (lambda _, x: shifted(x), change_default),
    "a name that hides another": (lambda _, x: x * len(x), hide),
    "what globals() gives": (
        lambda _, x: globals()["shifted"](x),
        change_global,
    ),
    "the environment": (
        lambda _, x: x * int(os.environ.get("TINYTORCH_SCALE", "2")),
        change_environment,
    ),
    "the order of a dict": (lambda s, x: x + next(iter(s.options)).count("a"), reverse),
    "an object's attributes": (
        lambda s, x: x * s.number,
        lambda s: setattr(s, "__dict__", {**vars(s), "number": 3}),
    ),
    "zero": (lambda s, x: x * s.rate if s.rate else x + 1, lambda s: setattr(s, "rate", 0.0)),
}


@pytest.fixture
def restored() -> Iterator[None]:
    function, code = shifted, shifted.__code__
    yield
    function.__code__, function.__defaults__ = code, (1.0,)
    globals()["shifted"] = function
    globals().pop("len", None)
    os.environ.pop("TINYTORCH_SCALE", None)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name: str, restored: None) -> None:  # noqa: ARG001
    function, change = CHANGES[name]
    settings, x = Settings(), np.array([1.0, 2.0, 3.0])
    compiled = compile(lambda x: function(settings, x))
    for i in range(12):
        if i == 6:
            assert compiled.source is not None
            change(settings)
        assert_allclose(compiled(x + i), function(settings, x + i), rtol=1e-14)


def test_a_patched_method_is_seen() -> None:
    class Layer:
        def forward(self, x: Any) -> Any:
            return x + 1

    layer = Layer()
    compiled = compile(lambda x: layer.forward(x) * 1)
    for i in range(10):
        if i == 5:
            setattr(Layer, "forward", lambda _, x: x * 7)  # noqa: B010
        assert_allclose(compiled(np.ones(2)), layer.forward(np.ones(2)))


def test_numbers_of_one_name_are_two() -> None:
    def scaled(rate: float) -> tuple[Any, Any]:
        def scale(x: Any) -> Any:
            return x * rate

        def put(now: float) -> None:
            nonlocal rate
            rate = now

        return scale, put

    (f, put_f), (g, put_g) = scaled(1.0), scaled(1.0)
    compiled = compile(lambda x: f(x) + 100 * g(x))
    for i in range(8):
        put_f(1.0 + i)
        put_g(2.0 + i * i)
        assert_allclose(compiled(np.ones(1)), 1.0 + i + 100 * (2.0 + i * i))


def test_numbers_in_tuples_and_lists_that_are_replaced_are_inputs() -> None:
    settings = Settings()
    compiled = compile(lambda x: x * settings.pair[0] + settings.rates[1])
    for i in range(10):
        settings.pair, settings.rates = (0.5 * i, 2.0), [1.0, 3.0 * i]
        assert_allclose(compiled(np.ones(2)), np.full(2, 3.5 * i))
    assert compiled.source is not None
    assert len(compiled._variants) == 1


def test_a_tuple_of_numbers_that_gets_longer_is_seen() -> None:
    settings = Settings()
    compiled = compile(lambda x: x * settings.pair[0] * len(settings.pair))
    for i in range(10):
        settings.pair = (0.5 * i, 2.0) if i < 7 else (0.5 * i, 2.0, 1.0)
        assert_allclose(compiled(np.ones(2)), 0.5 * i * len(settings.pair))


def test_a_gradient_that_is_there_and_one_that_is_not() -> None:
    weights = Tensor(np.ones(3)), Tensor(np.ones(3))

    def accumulates(weight: Tensor, x: Any) -> Any:
        (weight * x).sum().backward()
        return weight.grad * 1.0

    first = compile(lambda x: accumulates(weights[0], x))
    for i in range(30):
        if i % 4 != 3:
            for weight in weights:
                weight.grad = None
        x = np.arange(3.0) + i
        assert_allclose(first(x), accumulates(weights[1], x))
        assert_allclose(weights[0].grad, weights[1].grad)
    assert first.source is not None


class Wrapping:
    """Calls another function, as a decorator that is a class does."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, x: Any) -> Any:
        return self.function(x)


def test_what_a_wrapped_function_finds_outside_is_seen() -> None:
    factors = {"a": 2.0}
    times = Wrapping(lambda x: x * factors["a"])
    compiled = compile(lambda x: times(x) + 1)
    for factor in (2.0, 2.0, 3.0, 3.0, 4.0, 5.0):
        factors["a"] = factor
        assert_array_equal(compiled(np.ones(2)), [factor + 1] * 2)


def test_a_gradient_is_taken_away_or_left_alone() -> None:
    x = Tensor([1.0, 2.0])

    @compile
    def taking() -> Any:
        x.grad = None
        return (x * 2).sum()

    leaving = compile(lambda: (x * 2).sum())  # noqa: PLW0108
    for _ in range(4):
        (x * x).sum().backward()
        assert leaving().item() == 6
        assert_array_equal(x.grad, [2, 4])
        assert taking().item() == 6
        assert_array_equal(x.grad, [0, 0])


def test_equal_arguments_are_not_the_same() -> None:
    class Scale:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Scale)

        def __hash__(self) -> int:
            return 1

    compiled = compile(lambda scale, x: x * scale.number)
    for i in range(16):
        assert_allclose(compiled(Scale(1 + i // 4), np.ones(1)), 1 + i // 4)


DRAWS: dict[str, tuple[Any, Callable[[Any], float]]] = {
    "Random": (random.Random(0), lambda rng: rng.random()),  # noqa: S311
    "RandomState": (np.random.RandomState(0), lambda rng: rng.normal()),
    "an iterator": (itertools.cycle([1, 1, 1, 1, 2]), next),
    "a function": (random.random, lambda draw: draw()),
}


@pytest.mark.parametrize("name", DRAWS)
def test_what_is_another_thing_after_each_use_is_refused(name: str) -> None:
    value, draw = DRAWS[name]
    compiled = compile(lambda x: x * 2 if draw(value) > 0.5 else x)
    compiled(np.ones(2))
    with pytest.raises(TypeError, match="leaves no record"):
        compiled(np.ones(2))


def test_an_iterator_that_is_not_used_is_in_nobodys_way() -> None:
    holder = types.SimpleNamespace(it=iter([1, 2]), weight=3.0)
    compiled = compile(lambda x: x * holder.weight)
    for i in range(5):
        assert_allclose(compiled(np.full(2, i)), 3.0 * i)
    assert compiled.source is not None
    assert next(holder.it) == 1


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_one_cycle_changes_rate_and_momentum(kind: str) -> None:
    def training() -> tuple[Any, Any, Any]:
        model = nn.Linear(3, 1, rng=0)
        make = getattr(optim, kind)
        optimizer = make(model.parameters(), 0.01, **({"momentum": 0.9} if kind == "SGD" else {}))
        schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=30)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return model, schedule, step

    (model, schedule, step), (other, schedule_2, compiled) = training(), training()
    compiled = compile(compiled)
    for i in range(25):
        x = np.arange(6.0).reshape(2, 3) + i
        assert_allclose(compiled(x).data, step(x).data, rtol=1e-12)
        schedule.step()
        schedule_2.step()
    assert_allclose(model.weight.data, other.weight.data, rtol=1e-12)
    assert compiled.source is not None
    assert len(compiled._variants) == 1


def test_dropout_draws_from_the_generator_that_it_was_given() -> None:
    def layer() -> Any:
        return nn.Dropout(0.5, rng=np.random.default_rng(3))

    eager, compiled = layer(), compile(layer())
    for _ in range(8):
        x = np.ones(20)
        assert_allclose(tinytorch.Tensor(compiled(x)).data, tinytorch.Tensor(eager(x)).data)


def test_a_counter_becomes_an_input() -> None:
    compiled = compile(lambda x, t: x / (1 - 0.9**t))
    for t in range(1, 40):
        assert_allclose(compiled(np.ones(2), t), np.ones(2) / (1 - 0.9**t), rtol=1e-14)
    assert compiled.source is not None
    assert len(compiled._variants) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: x.reshape(n, -1),
        lambda x, n: x[n],
        lambda x, n: x[: n + 1],
        lambda x, n: np.broadcast_to(x, (n, x.size)),
        lambda x, n: x[[0, 1, 2][n % 3]],
    ],
)
def test_a_size_that_is_another_in_each_call_is_refused(function: Any) -> None:
    compiled, x = compile(function), np.arange(5040.0)
    for n in range(1, 8):
        assert_allclose(compiled(x, n), function(x, n))
    compiled(x, 8)
    with pytest.raises(TypeError, match="as an index or a size"):
        compiled(x, 9)


def test_ints_that_come_back_stay_what_they_are() -> None:
    compiled = compile(lambda x, n: x.reshape(n, -1) * 1.5)
    x = np.arange(12.0)
    for i in range(40):
        n = (1, 2, 3, 4)[i % 4]
        assert_allclose(compiled(x, n), x.reshape(n, -1) * 1.5)
    assert len(compiled._variants) == 4


def test_named_tuples_are_structures() -> None:
    compiled = compile(lambda pair: Pair(pair.x * pair.y, pair.y))
    for i in range(8):
        x, y = compiled(Pair(np.arange(3.0) + i, 2.0 * i))
        assert_allclose(x, (np.arange(3.0) + i) * 2.0 * i)
        assert y == 2.0 * i
    assert "def " in compiled.source


# --- whose modules are looked into ----------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a package of a module whose function counts its calls, and another's that reads."""
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "__init__.py").touch()
    (tmp_path / "installed" / "counting.py").write_text(
        "import functools\ncalls = []\nscale = [2.0]\n"
        "def twice(x):\n    calls.append(len(calls))\n    return scale[0] * x\n"
        "class Counting:\n"
        "    def __init__(self, f):\n        functools.update_wrapper(self, f)\n"
        "    def __call__(self, x):\n"
        "        calls.append(len(calls))\n        return vars(self)['__wrapped__'](x)\n"
    )
    (tmp_path / "installed" / "reading.py").write_text(
        "from installed.counting import scale\n"
        "def factor():\n    return scale[0]\n"
        "def scaled(x):\n    return factor() * x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(environment, "_INSTALLED", (str(tmp_path),))
    yield (
        importlib.import_module("installed.counting"),
        importlib.import_module("installed.reading"),
    )
    for name in ("installed", "installed.counting", "installed.reading"):
        del sys.modules[name]


def test_what_installed_packages_do_inside_is_their_own_affair(package: Any) -> None:
    twice = package[0].twice

    @compile
    def step(x: Any) -> Any:
        return twice(x) + 1

    for _ in range(5):
        assert_array_equal(step(np.ones(2)), [3.0, 3.0])
    assert step.program is not None


def test_another_function_in_an_installed_packages_wrapper_is_seen(package: Any) -> None:
    counting = package[0].Counting(np.sin)
    step, x = compile(lambda x: counting(x) + 1), np.ones(2)
    for function in (np.sin, np.cos, lambda x: x + 1, lambda x: x - 1):
        vars(counting)["__wrapped__"] = function
        for _ in range(3):
            assert_allclose(step(x), function(x) + 1)
        assert step.program is not None


def test_a_function_of_an_installed_package_sees_its_own_modules(package: Any) -> None:
    counting, reading = package
    step = compile(reading.scaled)
    for _ in range(5):
        assert_array_equal(step(np.ones(2)), [2.0, 2.0])
    counting.scale[0] = 5.0
    assert_array_equal(step(np.ones(2)), [5.0, 5.0])


def test_what_a_refused_run_has_left_outside_are_arrays() -> None:
    kept = queue.SimpleQueue[Tensor]()  # into which nobody can look

    @compile
    def step(x: Tensor) -> Tensor:
        y = x * 2
        kept.put(y)
        z = y.exp().sum()
        z.backward()
        return z

    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="a value computed in the function is kept outside of it"):
        [step(x) for _ in range(3)]
    assert kept.qsize() > 1
    while not kept.empty():
        y = kept.get()
        assert type(y._value) is type(y._grad) is np.ndarray
        assert_allclose(y.data, [2.0, 4.0])
        assert_allclose(y.grad, np.exp([2.0, 4.0]))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, n: x * np.ones((n, 1)), "an array has another shape or dtype in the next call"),
        (lambda x, n: x * np.ones(3, f"f{4 * n}"), "an array has another shape or dtype"),
        (lambda x, n: x * np.full(3, float(n)), "an array changes from one call to the next"),
        (lambda x, n: x * float(n), "a number, or something else that is no array, changes"),
        (lambda x, n: x[:n], "a number, or something else that is no array, changes"),
        (
            lambda x, n: (np.sin, np.cos)[n - 1](x),
            "it does one thing in one call and another in the next",
        ),
        (lambda x, n: x + 1 if n == 1 else x + 1 + 1, "it does more in one call than in the next"),
        (lambda x, n: (x * 2, n), "what the function returns or changes differs"),
        (lambda x, n: [x * 2] * n, "what the function returns or changes differs"),
        (lambda x, n: setattr(HELD, "ab"[n - 1], x * 2), "what the function returns or changes"),
    ],
)
def test_another_program_in_the_next_call_is_refused(
    function: Any, message: str, tmp_path: Path
) -> None:
    # How many files there are leaves no trace in Python.
    compiled = compile(lambda x: function(x, 1 + len([*tmp_path.iterdir()]) % 2))

    def several() -> None:
        for n in range(4):
            (tmp_path / str(n)).touch()
            compiled(np.ones(3))

    with pytest.raises(TypeError, match=f"^compile: {message}"):
        several()


HELD = types.SimpleNamespace(a=np.zeros(3), b=np.zeros(3))


def test_a_number_of_another_type_is_another_call() -> None:
    def product(x: Any, number: Any) -> Any:
        return x * number

    x, compiled = np.ones(3, np.float32), compile(product)
    for number in (2.0, np.float64(2), np.float32(2), 2, np.float16(2), np.complex64(2)) * 3:
        assert compiled(x, number).dtype == product(x, number).dtype


def test_a_change_of_a_wrapper_itself_is_seen() -> None:
    class Scaling:
        def __init__(self, function: Any) -> None:
            functools.update_wrapper(self, function)
            self.scale = 1.0

        def __call__(self, x: Any) -> Any:
            return vars(self)["__wrapped__"](x) * self.scale

    wrapper = Scaling(np.sin)
    compiled = compile(lambda x: wrapper(x) * 2)
    x = np.ones(3)
    for function in (np.sin, np.cos, lambda x: x + 1, lambda x: x - 1):
        for wrapper.scale in (1.0, 3.0):
            vars(wrapper)["__wrapped__"] = function
            for _ in range(3):
                assert_allclose(compiled(x), 2 * wrapper.scale * function(x))


def lambda_of(text: str) -> Any:
    return eval(f"lambda {text}")  # noqa: S307


def reloaded(function: Any, text: str) -> None:
    """Give a function other code, in its place, as IPython's autoreload does."""
    function.__code__ = lambda_of(text).__code__


def doubling() -> Any:
    class Doubling:
        """What calls and holds functions in every way in which a class may."""

        def __call__(self, x: Any) -> Any:
            return x * 2

        def method(self, x: Any) -> Any:
            return x * 2

        @staticmethod
        def static(x: Any) -> Any:
            return x * 2

        @classmethod
        def of_class(cls, x: Any) -> Any:
            return x * 2

        @property
        def factor(self) -> float:
            return 2.0

    return Doubling


class Tripling:
    """Another class, of the same layout."""

    def __call__(self, x: Any) -> Any:
        return x * 3


RELOADS: dict[str, Callable[[Any, Any, Any], tuple[Any, Callable[[], Any]]]] = {
    # Of a function, an object and its class: what is compiled, and what happens to it.
    "the function": lambda f, a, kind: (f, lambda: reloaded(f, "x: x * 3")),
    "a part": lambda f, a, kind: (functools.partial(f), lambda: reloaded(f, "x: x * 3")),
    "a wrapper": lambda f, a, kind: (
        functools.wraps(f)(lambda x: f(x) + 0), lambda: reloaded(f, "x: x * 3"),
    ),
    "in a set": lambda f, a, kind: (
        lambda x, fs=frozenset([f]): sum(g(x) for g in fs), lambda: reloaded(f, "x: x * 3"),
    ),
    "in a tuple": lambda f, a, kind: (
        lambda x, fs=(f,): fs[0](x), lambda: reloaded(f, "x: x * 3"),
    ),
    "defaults": lambda f, a, kind: (
        g := lambda_of("x, k=2.0: x * k"), lambda: setattr(g, "__defaults__", (3.0,)),
    ),
    "defaults by name": lambda f, a, kind: (
        g := lambda_of("x, *, k=2.0: x * k"), lambda: setattr(g, "__kwdefaults__", {"k": 3.0}),
    ),
    "a method": lambda f, a, kind: (
        lambda x: a.method(x) + 0, lambda: setattr(kind, "method", lambda_of("self, x: x * 3")),
    ),
    "a method's code": lambda f, a, kind: (
        a.method, lambda: reloaded(kind.method, "self, x: x * 3"),
    ),
    "a static method": lambda f, a, kind: (
        lambda x: kind.static(x) + 0,
        lambda: setattr(kind, "static", staticmethod(lambda_of("x: x * 3"))),
    ),
    "a class method": lambda f, a, kind: (
        lambda x: kind.of_class(x) + 0,
        lambda: setattr(kind, "of_class", classmethod(lambda_of("cls, x: x * 3"))),
    ),
    "a property": lambda f, a, kind: (
        lambda x: x * a.factor,
        lambda: setattr(kind, "factor", property(lambda_of("self: 3.0"))),
    ),
    "an object that is called": lambda f, a, kind: (
        a, lambda: setattr(kind, "__call__", lambda_of("self, x: x * 3")),
    ),
    "the class of an object": lambda f, a, kind: (
        lambda x: a(x) + 0, lambda: setattr(a, "__class__", Tripling),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RELOADS)
def test_what_is_reloaded_in_its_place_is_seen(name: str) -> None:
    kind = doubling()
    function, change = RELOADS[name](lambda_of("x: x * 2"), kind(), kind)
    compiled, x = compile(function), np.ones(3)
    for factor in (2, 3):
        for _ in range(4):
            assert_array_equal(function(x), np.full(3, float(factor)))
            assert_array_equal(compiled(x), function(x))
        change()


@pytest.mark.parametrize("values", [(1, 1.0, True, 1 + 0j), (2.0, 2, np.float32(2))])
def test_an_equal_number_of_another_type_outside_is_another_program(values: Any) -> None:
    held = types.SimpleNamespace()
    compiled, x = compile(lambda x: x * held.number), np.arange(3)
    for held.number in [number for number in values * 3 for _ in range(3)]:
        assert compiled(x).dtype == (x * held.number).dtype


def test_an_equal_value_outside_is_the_same_program() -> None:
    held = types.SimpleNamespace()
    compiled = compile(lambda x: x * held.number + len(held.text))
    for _ in range(6):
        held.number, held.text = int("1000"), str(b"onetwo", "ascii")
        assert_array_equal(compiled(np.ones(2)), [1006, 1006])
    assert compiled.program is not None
    assert "1000" in compiled.source


def test_a_tensor_that_the_function_makes_is_a_new_one_in_each_call() -> None:
    compiled = compile(lambda x: (x * 2, Tensor([1.0, 2.0])))
    made = [compiled(Tensor([3.0, 4.0]))[1] for _ in range(5)]
    assert len({id(x) for x in made}) == 5
    for x in made:
        assert_array_equal(x.data, [1.0, 2.0])
        x.data[:] = 0


@pytest.mark.parametrize(
    "index",
    [
        lambda i: slice(i, i + 2),
        lambda i: slice(None, None, i),
        lambda i: slice(np.int64(-i), None),
        lambda i: (slice(None), slice(i)),
        lambda i: [i, slice(0, 3, 2), i],
        lambda i: {"index": (..., None, slice(i, None))},
        lambda i: range(i, 3),
    ],
)
def test_slices_are_arguments_like_others(index: Any) -> None:
    def part(x: Any, index: Any, factor: float) -> Any:
        if isinstance(index, list):
            first, inner, last = index
            return x[first][inner] * factor + last
        return x[index["index"] if isinstance(index, dict) else index] * factor

    compiled, x = compile(part), np.arange(16.0).reshape(4, 4)
    for i in (1, 1, 1, 2, 2, 2, 1):
        assert_array_equal(compiled(x, index(i), factor=0.5), part(x, index(i), 0.5))
    assert compiled.program is not None


def test_the_ends_of_a_slice_have_names() -> None:
    compiled = compile(lambda x, at: x + at.start)
    for start in (0.5, 1.5, 2.5):
        compiled(np.ones(2), slice(start, None))
    assert "at_start" in compiled.source


def test_what_objects_of_the_standard_library_keep_is_their_own_affair() -> None:
    log = logging.getLogger(__name__)

    @compile
    def step(x: Any) -> Any:
        log.debug("recorded")
        return x * 2

    def programs() -> Iterator[Any]:
        for log.level in (10, 20, 30) * 2:
            assert_array_equal(step(np.ones(2)), [2.0, 2.0])
            yield step.program

    assert len({id(program) for program in [*programs()][3:]}) == 1


def test_what_a_module_of_ones_own_holds_may_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_settings.py").write_text("scale = 2.0\n")
    (tmp_path / "my_program.py").write_text(
        "import my_settings\n\ndef step(x):\n    return x * my_settings.scale\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings = importlib.import_module("my_settings")
    step = compile(importlib.import_module("my_program").step)
    for settings.scale in (2.0, 2.0, 2.0, 3.0, 4, 4, 4, 2.0):
        assert_array_equal(step(np.ones(2)), np.full(2, settings.scale))
    assert step.program is not None
