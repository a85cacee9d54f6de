"""NumPy's warnings name the line of the program that called the package."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case, dice
from reference import exchanged, is_variable, leaves, tensors_of

from tinytorch import Operation, Tensor, autograd, grad, jacobian, nn, operation, optim
from tinytorch.engine import topological_order
from tinytorch.nn.parameter import Parameter

PACKAGE = r"tinytorch\.(arrays|engine|operations|tensor)\b"  # as in arrays/warned.py
own_log = operation(np.log, lambda grad, out, x: grad / x, name="own_log")
CALLS = {
    "unary": lambda x: x.log(),
    "binary": lambda x: 1 / x,
    "parametric": lambda x: x.log().softmax(),
    "NumPy's function": lambda x: np.log(x),  # noqa: PLW0108
    "reduction": lambda x: Tensor(np.ones(0)).mean(),
    "backward": lambda x: x.sqrt().sum().backward(),
    "sum of gradients": lambda x: [(x * 1e308).sum().backward() for _ in range(2)],
    "gradient": lambda x: grad(lambda x: np.sqrt(x).sum())(x.data),
    "Jacobian": lambda x: jacobian(np.sqrt)(x.data),
    "of arrays": lambda x: Operation.LOG(x.data),
    "a cast": lambda x: Tensor(x.data * 1e300 + 1e300, dtype=np.float32),
    "new data": lambda x: setattr(Tensor(x.data, dtype=np.float32), "data", x.data * 1e300),
    "spread of one entry": lambda x: (x[:1].std(), x[:1].var(), np.std(x[:1], ddof=1)),
    "infinite spread": lambda x: (x.data * np.inf, Tensor([np.inf, 0.0]).std())[1],
    "one's own": lambda x: own_log(x),  # noqa: PLW0108
}


FILTERS = ("always", "default", "module", "once", "error")


def told_by(call: Any, action: Any) -> list[Any]:
    """Give the warnings that `call` gives under a filter which comes after the package's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter(action)
        call()
    return caught


@pytest.mark.parametrize("action", FILTERS)
@pytest.mark.parametrize("name", CALLS)
def test_a_warning_names_the_users_line(name: str, action: Any) -> None:
    call = CALLS[name]
    line = inspect.getsourcelines(call)[1]
    if action == "error":
        with pytest.raises(RuntimeWarning) as raised:
            told_by(lambda: call(Tensor([0.0, 1.0])), action)
        lines = [entry.lineno for entry in raised.traceback if str(entry.path) == __file__]
        assert line - 1 in lines
        return
    caught = told_by(lambda: call(Tensor([0.0, 1.0])), action)
    assert caught
    for warning in caught:
        assert (warning.filename, warning.lineno) == (__file__, line), warning.message


def diverging(kind: Any, **options: Any) -> Any:
    w = Parameter(np.array([1e200, 1.0]), label="w")
    w.grad = np.array([1e200, 1.0])
    return kind([w], **options)


STEPS: dict[str, Any] = {
    "SGD": lambda: diverging(optim.SGD, lr=1e200),
    "weight decay": lambda: diverging(optim.SGD, lr=1.0, weight_decay=1e200),
    "momentum": lambda: diverging(optim.SGD, lr=1e200, momentum=0.9),
    "Adam": lambda: diverging(optim.Adam, lr=1e-3),
    "AdamW": lambda: diverging(optim.AdamW, lr=1e200, weight_decay=1e200),
    "RMSprop": lambda: diverging(optim.RMSprop),
    "Adagrad": lambda: diverging(optim.Adagrad),
    "nothing to do": lambda: optim.SGD([Parameter(np.ones(1))]),
}


@pytest.mark.parametrize("action", FILTERS)
@pytest.mark.parametrize("name", STEPS)
def test_warnings_of_a_step_name_the_users_line(name: str, action: Any) -> None:
    optimizer = STEPS[name]()

    def step() -> None:
        optimizer.step()

    line = inspect.getsourcelines(step)[1] + 1
    if action == "error":
        with pytest.raises((RuntimeWarning, UserWarning)):
            told_by(step, action)
        return
    caught = told_by(step, action)
    assert caught
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


@pytest.mark.parametrize("retain_graph", [True, False])
def test_a_warning_of_the_way_back_alone_names_the_users_line(retain_graph: bool) -> None:
    z = Tensor([0.0]).sqrt()  # made before the filters; its slope divides by 0

    def back() -> None:
        z.backward(retain_graph=retain_graph)

    (warning,) = told_by(back, "default")
    assert (warning.filename, warning.lineno) == (__file__, inspect.getsourcelines(back)[1] + 1)


def test_a_step_leaves_alone_how_a_program_handles_errors() -> None:
    optimizer, seen = STEPS["SGD"](), []
    with np.errstate(all="ignore"):
        assert not told_by(optimizer.step, "always")
    with np.errstate(all="call", call=lambda kind, _: seen.append(kind)):
        optimizer.step()
    assert seen
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        STEPS["SGD"]().step()
    assert np.geterrcall() is None


MODULES: dict[str, Any] = {
    "a loss": lambda x: nn.MSELoss()(x, np.ones((2, 2))),
    "its function": lambda x: nn.functional.mse_loss(x, np.ones((2, 2))),
    "softmax": lambda x: nn.Softmax()(x) * 1,
    "in a container": lambda x: nn.Sequential(nn.Softmax(), nn.Identity())(x) * 1,
}


@pytest.mark.parametrize("action", FILTERS[:-1])
@pytest.mark.parametrize("name", MODULES)
def test_warnings_of_modules_name_the_users_line(name: str, action: Any) -> None:
    call = MODULES[name]
    caught = told_by(lambda: call(Tensor([0.0, 1.0])), action)
    line = inspect.getsourcelines(call)[1]
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]


def test_a_program_of_its_own_shows_its_line_once_and_hides_what_it_ignores(tmp_path: Any) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import numpy as np\n"
        "from tinytorch import Tensor\n"
        "for _ in range(3):\n"
        "    Tensor([0.0]).log()\n"
        "with np.errstate(divide='ignore'):\n"
        "    Tensor([0.0]).log()\n"
    )
    run = [sys.executable, str(script)]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert told.count("RuntimeWarning") == 1
    assert "program.py:4: RuntimeWarning: divide by zero encountered in log" in told
    run.insert(1, "-Wignore")
    assert not subprocess.run(run, capture_output=True, text=True, check=True).stderr


def test_a_warning_that_is_an_error_leaves_no_gradient_behind() -> None:
    x = Tensor([0.0])
    y = x.sqrt()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="divide by zero"):
            y.sum().backward()
    assert x._grad is None


EXTREMES = (0.0, -1.0, np.inf, -np.inf, np.nan, 1e308)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_no_warning_becomes_an_error(case: Case) -> None:
    """Whatever an operation and its rules warn of, by `backward`, by hand and differentiated."""
    for dtype in (np.float64, np.float32):
        for i, value in enumerate(EXTREMES):
            args = exchanged(case.arguments(dice(i)), lambda x: extreme(x, value))  # noqa: B023
            for spelling in case.spellings:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    warnings.filterwarnings("error", category=RuntimeWarning, module=PACKAGE)
                    assert_warns_at_most(spelling, args, dtype)


def extreme(x: Any, value: float) -> Any:
    return np.where(np.arange(x.size).reshape(x.shape) % 2, x, value) if is_variable(x) else x


def assert_warns_at_most(function: Any, args: Any, dtype: Any) -> None:
    inputs, xs = tensors_of(args, dtype)
    try:
        ys = [y for y in leaves(function(*inputs)) if isinstance(y, Tensor) and y.requires_grad]
        for y in ys:
            y.backward()
            for node in reversed(topological_order([y])):
                if node._children:
                    node._backward()
        if ys:
            ws = [Tensor(np.ones(y.shape), dtype=y.dtype) for y in ys]
            autograd.grad(ys, xs, ws, create_graph=True, allow_unused=True)
    except (ValueError, IndexError, np.linalg.LinAlgError, TypeError):
        pass  # what such values, or shapes of no entries, make impossible


@pytest.mark.parametrize("number", [1e300, -1e300, 10**300], ids="012")
def test_numbers_too_large_for_a_dtype_are_infinite_with_a_warning(number: Any) -> None:
    x = Tensor([1.0], dtype=np.float32)
    for call in (lambda: x * number, lambda: number * x, lambda: x + np.array([number], float)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", category=RuntimeWarning, module=PACKAGE)
            assert abs(call().item()) > 1e299
