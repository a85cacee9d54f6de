"""A compiled function's source: Python text that gives the same numbers with NumPy alone."""

from __future__ import annotations

import builtins
import html
import linecache
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Case, dice
from numpy.testing import assert_allclose, assert_array_equal
from reference import Function, is_variable, leaves
from test_compile import X, Y, arrays_in, data_and_gradients, network, training_step
from test_compile_operations import EVERY_CASE, differentiated

import tinytorch
from tinytorch import Tensor, compile, no_grad, value_and_grad  # noqa: A004
from tinytorch.compiler.spelling import dtype_text, literal


def executed(compiled: Any) -> Function:
    """Give the function in a source, with what it needs from outside."""
    namespace: dict[str, Any] = {}
    outside = compiled.outside
    exec(compiled.source, namespace)  # noqa: S102
    *_, function = namespace.values()
    return lambda *arguments: function(*arguments, **outside)


def test_a_training_step_goes_on_bit_for_bit() -> None:
    model, twin = network(), network()
    step, expected = compile(training_step(model)), training_step(twin)
    for _ in range(4):
        step(X, Y)
        expected(X, Y)
    run = executed(step)
    for _ in range(3):
        loss, *gradients = run(X, Y)
        assert_array_equal(loss, expected(X, Y).data)
        for i, parameter in enumerate(twin.parameters):
            assert_array_equal(gradients[i], parameter.grad)
    for a, b in zip(data_and_gradients(model)()[::2], data_and_gradients(twin)()[::2], strict=True):
        assert_array_equal(a, b)  # the parameters' own arrays are written into


def test_names_shapes_and_sections() -> None:
    step = compile(training_step(network()))
    assert step.source is None
    assert step.outside == {}
    for _ in range(4):
        step(X, Y)
    lines = step.source.splitlines()
    assert lines[0] == "import numpy as np"
    head = "def step(X, y, *, layers_0_weight, layers_0_bias, layers_1_weight, layers_1_bias):"
    assert head in lines
    sections = [line.strip() for line in lines if "---" in line]
    assert sections == ["# --- forward ---", "# --- backward ---", "# --- update ---"]
    assert "    d_layers_1_bias = np.dot(constant, d_x5)  # (1,)" in lines
    assert any(line.startswith("    layers_0_weight -= ") for line in lines)
    # What is computed on the way back is at the line of what it is the gradient of.
    backward = lines[lines.index("    # --- backward ---") :]
    assert any(line.strip().endswith("* (1 - p).log()).mean()") for line in backward)
    assert not any("functools" in line for line in lines)


def test_the_picture_has_the_lines_and_what_they_read(tmp_path: Path) -> None:
    model = network()
    step = compile(training_step(model))
    with pytest.raises(RuntimeError, match="no program yet"):
        step.render(tmp_path / "step.svg")
    for _ in range(4):
        step(X, Y)
    picture = step.render(tmp_path / "step.svg")
    assert (tmp_path / "step.svg").read_text(encoding="utf-8") == picture.svg
    statements = [line.strip() for line in step.source.splitlines() if "  # (" in line]
    shown = html.unescape(re.sub(r"<[^>]+>", "", picture.svg)).replace("\xa0", " ")
    for line in statements:
        assert re.sub(r" +# ", "  ", line) in shown
    titles = re.findall(r"<title>(.+)</title>", html.unescape(picture.svg))
    assert {title.rpartition("_")[2] for title in titles if title.startswith("cluster")} == {
        "forward", "backward", "update"
    }  # fmt: skip
    assert sum(title.startswith("line") and "->" not in title for title in titles) == len(
        statements
    )
    arrows = [title.split("->") for title in titles if "->" in title]
    assert {x for x, line in arrows if line == "line0"} == {"given_X", "given_layers_0_weight"}
    assert {line for _, line in arrows} == {f"line{i}" for i in range(len(statements))}


def test_needs_nothing_but_numpy() -> None:
    @compile
    def f(x: Any) -> Any:
        return (x * x + 0.5).sum()

    for i in range(4):
        f(np.arange(3.0) + i)
    code = f"{f.source}\nimport sys\nprint(*f(np.arange(3.0)), 'tinytorch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "6.5 False\n"


def test_gradients_are_named_after_arguments() -> None:
    def loss(parameters: Any, x: Any) -> Any:
        return ((np.tanh(x @ parameters["w"]) + parameters["b"]) ** 2).mean()

    step = compile(value_and_grad(loss))
    for _ in range(4):
        step({"w": np.ones((2, 1)), "b": np.ones(1)}, np.ones((4, 2)))
    assert re.search(r"return \(x\d+, d_parameters_w, d_parameters_b\)", step.source)
    cube = compile(tinytorch.grad(lambda x: (x**3).sum()))
    for _ in range(4):
        cube(np.ones(3))
    assert "    d_x = 3.0 * x1  # (3,)\n    return (d_x,)" in cube.source


def test_labels_name_results() -> None:
    @compile
    def f(x: Any) -> Any:
        y = (Tensor(x) * 2).sum()
        y.label = "loss"
        return y

    for i in range(4):
        f(np.arange(3.0) + i)
    assert "    loss = " in f.source


def test_structures_and_numbers_as_arguments() -> None:
    def loss(parameters: Any, x: Any, rate: float) -> Any:
        return ((x @ parameters["w"][0] + parameters["b"]) ** 2).mean() * rate / 3

    f = compile(value_and_grad(loss))
    parameters = {"w": [np.ones((2, 3))], "b": np.arange(3.0)}
    for i in range(4):
        expected = f(parameters, X + i, 0.5 + i)
    actual = executed(f)(*leaves(parameters), X + 3, 3.5)
    for a, b in zip(actual, leaves(expected), strict=True):
        assert_array_equal(a, b)


def test_gradients_that_add_up() -> None:
    x = Tensor([1.0, 2.0], label="x")

    @compile
    def f(y: Any) -> None:
        (x * y).sum().backward()

    for _ in range(4):
        f(np.array([3.0, 4.0]))
    run = executed(f)
    f(np.array([3.0, 4.0]))
    assert "x_grad" in f.outside
    (grad,) = run(np.array([3.0, 4.0]))
    assert_array_equal(grad, x.grad)


def test_random_numbers_come_from_the_generator() -> None:
    rng = np.random.default_rng(3)

    @compile
    def f(x: Any) -> Any:
        return x * rng.random(3)

    for _ in range(4):
        f(np.ones(3))
    state = rng.bit_generator.state
    expected = f(np.ones(3))
    rng.bit_generator.state = state
    (actual,) = executed(f)(np.ones(3))
    assert_array_equal(actual, expected)


def test_writes_into_an_argument_and_into_a_number() -> None:
    total = np.array(1.0)

    @compile
    def f(x: Any) -> Any:
        x[1:] *= 2
        total[...] += x[0]
        y = np.zeros(3)
        y[0] = 5.0
        return y + x

    for _ in range(4):
        f(np.ones(3))
    x = np.ones(3)
    run = executed(f)
    for i in range(2):
        (y,) = run(x)
        assert_array_equal(x, [1, 2 << i, 2 << i])
        assert_array_equal(y, [6, 2 << i, 2 << i])
    assert total == 7


def test_a_sequence_of_one() -> None:
    @compile
    def f(x: Any) -> Any:
        return np.split(x, 1)[0] * 2

    for _ in range(5):
        assert_array_equal(f(np.arange(3.0)), [0, 2, 4])
    assert_array_equal(executed(f)(np.arange(3.0)), [[0, 2, 4]])


def test_single_precision_stays_single() -> None:
    @compile
    def f(x: Any) -> Any:
        with no_grad():
            return (x * 0.1 + 1 / 3).exp().mean(axis=0)

    x = Tensor(np.ones((3, 2), np.float32), requires_grad=False)
    for _ in range(4):
        expected = f(x)
    (actual,) = executed(f)(x.data)
    assert actual.dtype == np.float32
    assert_array_equal(actual, expected.data)


@pytest.mark.parametrize(("case", "spelling"), EVERY_CASE)
def test_every_row_as_text(case: Case, spelling: Function) -> None:
    arguments = case.arguments(dice(3))
    arrays = [x for x in leaves(arguments) if is_variable(x)]
    compiled = tinytorch.compile(differentiated(spelling, arguments))
    with np.errstate(all="ignore"):
        for i in range(4):
            expected = compiled([x * (1 + i / 100) for x in arrays])
        actual = executed(compiled)(*(x * 1.03 for x in arrays))
    results = {id(x): x for x in arrays_in(expected)}.values()  # the same one only once
    for a, b in zip(actual, results, strict=True):
        assert_allclose(a, b, rtol=1e-13, atol=1e-14)


def test_the_readme_shows_the_program_of_its_network() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", readme)
    at = next(i for i, block in enumerate(blocks) if "@tinytorch.compile" in block)
    names: dict[str, Any] = {"np": np, "tinytorch": tinytorch, "Tensor": Tensor}
    path = "README.md"
    linecache.cache[path] = (len(blocks[at]), None, blocks[at].splitlines(keepends=True), path)
    exec(builtins.compile(blocks[at], path, "exec"), names)  # noqa: S102
    without_lines = re.sub(r"(?m)^    # \S+:\d+.*\n", "", names["step"].source)
    assert blocks[at + 1].strip() in without_lines
    assert without_lines.startswith("import numpy as np\n")


@pytest.mark.parametrize("dtype", [*"?bhilqBHILQefdgFDG", ">f4", ">i8", "M8[s]"])
def test_dtypes_are_written_by_name_where_they_have_one(dtype: str) -> None:
    known = np.dtype(dtype)
    text = dtype_text(known)
    assert np.dtype(eval(text)) == known  # noqa: S307
    assert text == (f"np.{known.type.__name__}" if len(dtype) == 1 else f"np.dtype({known.str!r})")


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.0, 2.0], [np.inf, np.nan]]),
        np.array([-0.0, -0.0], np.float32),
        np.full((2, 3), 7, np.int8),
        np.array([True, False]),
        np.array([1 + 2j, 0]),
        np.zeros((0, 3)),
        np.arange(64.0),
    ],
    ids=repr,
)
def test_a_short_array_is_written_out(array: Any) -> None:
    text = literal(array)
    assert text is not None
    written = eval(text, {"np": np})  # noqa: S307
    assert written.dtype == array.dtype
    assert_array_equal(written, array)
    assert_array_equal(np.signbit(written.real), np.signbit(array.real))
    assert literal(np.arange(65.0)) is None
