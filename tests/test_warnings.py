"""NumPy's warnings name the line of the program that called the package."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

from tinytorch import Operation, Tensor, grad, jacobian, operation

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
    "one's own": lambda x: own_log(x),  # noqa: PLW0108
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_names_the_users_line(name: str) -> None:
    call = CALLS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.filterwarnings("error", category=RuntimeWarning, module=r"tinytorch\.")
        call(Tensor([0.0, 1.0]))
    assert caught
    for warning in caught:
        assert warning.filename == __file__
        assert warning.lineno == inspect.getsourcelines(call)[1]


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
