"""The reference's examples: functions are run, and what comes of it is shown."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import numpy as np

import tinytorch
from tinytorch import Tensor, data, nn, optim, scipy

MODULES = {"nn": nn, "data": data, "scipy": scipy}
NAN = re.compile(r"\bnan\b")

# What to make modules and functions of, and what to give them, where one tensor isn't enough.
SEQUENCE, IMAGE, VOLUME = "np.ones((1, 4, 6))", "np.ones((1, 4, 6, 6))", "np.ones((1, 4, 4, 4, 4))"
INPUTS = (
    "Tensor([0.25, 0.5])", "Tensor([1.5, 2.0])", "Tensor([[2.0, 1.0], [1.0, 3.0]])",
    f"Tensor({SEQUENCE})", f"Tensor({IMAGE})", f"Tensor({VOLUME})", "Tensor(2.0)",
)  # fmt: skip
ARGUMENTS = (
    "x", "x, np.array([1.0, 0.0])", "x, np.array([1, 0])", "x, 1", "x, 2", "x, 0, 1", "x, (2, 1)",
    "x, np.array([0])", "[x, x]", "x, np.array([[1, 0], [0, 1]])", "x, 0, np.array([0])",
    "x > 0.3, x, 0.0", "x, x, 0.5", "x, x, x", "x, x > 1, 0.0", "x, x > 1", "x, 0, (2, 1)",
    "x, np.array([1.0, 0.0]), np.array([1.0, 1.0])", "x, np.eye(2), np.eye(2)",
    "x, x, np.array([1.0, -1.0])", "x, np.eye(2), x, 1",
    "np.array([0, 1]), x", "x, np.ones((2, 4, 3))", "x, np.ones((2, 4, 3, 3))",
    "x, np.ones((2, 4, 3, 3, 3))", "x, np.ones((4, 2, 3))", "x, np.ones((4, 2, 3, 3))",
    "x, np.ones((4, 2, 3, 3, 3))", "x, (1, 1)", "x, (6, 6), 3", "x, scale_factor=2",
    "x, 0, np.array([1, 0]), x", "x, 0, np.array([1, 0]), x, 'prod'", "x, 0, np.array([0]), 9.0",
    "x, Tensor(9.0), 0, 1", "x, 0, 0, 1", "x, 2, 0, 1.0", "x, 0, 2, 1", "x, np.float32", "x, x",
    "x, np.eye(2)", "scipy.linalg.cho_factor(x), np.ones(2)", "x, (2,), (1,)",
    "x, *tinytorch.eye(2).lu()", "*x.lu()", "*x.lu(), np.eye(2)", "x, np.eye(2), upper=True",
    "x, np.ones(2), np.eye(2)",
)  # fmt: skip
MADE_WITH = (
    "", "2", "4, 2, 3", "2, 3", "3", "0.5", "2, 2", "1, (2, 1)", "(2,)", "4, 2", "0.1, 20.0",
    "2, 2, 3",
)  # fmt: skip
GIVEN = (
    "x", "x, np.array([1.0, 0.0])", "x, np.array([1, 0])", "x, x, x",
    "x, x, np.array([1.0, -1.0])",
)  # fmt: skip


# What is shown of functions that take other things than tensors. Of each line the value is shown.
LINES = {
    "eye": "tinytorch.eye(2)",
    "full": "tinytorch.full((2,), 7.0)",
    "linspace": "tinytorch.linspace(0, 1, 5)",
    "logspace": "tinytorch.logspace(0, 2, 3)",
    "tril_indices": "tinytorch.tril_indices(2, 2)",
    "triu_indices": "tinytorch.triu_indices(2, 2)",
    "randperm": "tinytorch.randperm(5).shape",
    "randint": "tinytorch.randint(0, 10, (3,)).shape",
    "normal": "tinytorch.normal(0.0, 1.0, (3,)).shape",
    "multinomial": "tinytorch.multinomial(np.array([0.0, 1.0]), 1)",
    "bernoulli": "tinytorch.bernoulli(tinytorch.ones(3))",
    "full_like": "tinytorch.full_like(Tensor([1.0, 2.0]), 7.0)",
    "is_tensor": "tinytorch.is_tensor(np.ones(2))",
    "no_grad": "tinytorch.no_grad()(np.exp)(Tensor(0.0))",
    "enable_grad": "tinytorch.enable_grad()(np.exp)(Tensor(0.0))",
    "is_grad_enabled": "tinytorch.is_grad_enabled()",
    "get_default_dtype": "tinytorch.get_default_dtype()",
    "cross": "tinytorch.cross(Tensor([1.0, 0.0, 0.0]), Tensor([0.0, 1.0, 0.0]))",
    "scatter_add": "tinytorch.scatter_add(Tensor([1.0, 2.0]), 0, [0, 0], Tensor([3.0, 4.0]))",
    "randint_like": "tinytorch.randint_like(Tensor([1.0, 2.0]), 0, 10).shape",
    "root": "scipy.optimize.root(lambda x, a: x**2 - a, 1.0, args=(2.0,)).x",
    "solve_banded": "scipy.linalg.solve_banded((0, 1), [[0.0, 1.0], [2.0, 2.0]], [4.0, 2.0])",
    "solve_sylvester": "scipy.linalg.solve_sylvester(np.eye(2), np.eye(2), 2.0 * np.eye(2))",
    "polygamma": "scipy.special.polygamma(1, Tensor([1.0, 2.0]))",
    "minimize": "scipy.optimize.minimize(lambda x, a: ((x - a) ** 2).sum(), [0.0], args=(2.0,)).x",
    "isnan": "tinytorch.isnan(Tensor([1.0, np.inf]))",
    "calculate_gain": "nn.init.calculate_gain('relu')",
    "fans": "nn.init.fans(tinytorch.ones(3, 2))",
    "one_hot": "nn.functional.one_hot(np.array([0, 2]), 3)",
    "MLP": "nn.MLP(3, [(4, nn.Activation.RELU), (1, nn.Activation.LINEAR)], rng=0).n_parameters",
    "ModuleList": "nn.ModuleList([nn.ReLU(), nn.Tanh()])[1]",
    "ModuleDict": "list(nn.ModuleDict({'bend': nn.ReLU()}))",
    "ParameterList": "len(nn.ParameterList([nn.Parameter(np.ones(2))]))",
    "ParameterDict": "list(nn.ParameterDict({'scale': nn.Parameter(np.ones(2))}))",
    "Activation": "list(nn.Activation)",
    "DataLoader": "[batch for batch in data.DataLoader(np.arange(5), batch_size=2)]",
    "Subset": "list(data.Subset(['a', 'b', 'c'], [2, 0]))",
    "ConcatDataset": "data.ConcatDataset([['a'], ['b', 'c']])[2]",
    "manual_seed": "tinytorch.manual_seed(0).normal()",
    **{
        name: f"tinytorch.{name}(2)" if name != "empty" else "tinytorch.empty(2).shape"
        for name in ("ones", "zeros", "empty")
    },
    **{name: f"tinytorch.{name}(2, 3).shape" for name in ("rand", "randn")},
    **{name: f"tinytorch.{name}(np.ones(2))" for name in ("as_tensor", "asarray", "from_numpy")},
    **{name: f"tinytorch.{name}(Tensor([1.0, 2.0]))" for name in ("ones_like", "zeros_like")},
    **{
        name: f"tinytorch.{name}(Tensor([1.0, 2.0])).shape"
        for name in ("empty_like", "rand_like", "randn_like")
    },
    **{
        name: f"tinytorch.{name}(Tensor([1.0, np.inf]))" for name in ("nanmean", "nansum")
    },
    **{name: f"nn.init.{name}(tinytorch.ones(2, 2))" for name in ("eye_", "ones_", "zeros_")},
    **{
        name: f"nn.init.{name}(tinytorch.ones(2, 2), rng=0).shape"
        for name in (
            "uniform_", "normal_", "trunc_normal_", "orthogonal_", "xavier_uniform_",
            "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
        )
    },
    "constant_": "nn.init.constant_(tinytorch.ones(2), 0.5)",
    "sparse_": "nn.init.sparse_(tinytorch.ones(4, 2), 0.5, rng=0).shape",
    "dirac_": "nn.init.dirac_(tinytorch.ones(1, 1, 3))",
}  # fmt: skip


def step_of(name: str) -> list[str]:
    """Show one step of an optimiser."""
    p = Tensor([1.0, -2.0])
    optimizer = getattr(optim, name)([p], lr=0.1)
    (p * p).sum().backward()
    optimizer.step()
    return [
        "",
        ">>> p = Tensor([1.0, -2.0])",
        f">>> optimizer = optim.{name}([p], lr=0.1)",
        ">>> (p * p).sum().backward()",
        ">>> optimizer.step()",
        ">>> p",
        repr(p),
    ]


def example(name: str, obj: Any) -> list[str]:
    """Run a function at a point or two, and show what comes of it and how fast it changes.

    Of what takes more than one tensor, the arguments are tried out; where none fit, none are shown.
    """
    word = name.rpartition(".")[2]
    if word in {"Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "NAdam", "RMSprop"}:
        return step_of(word)
    if word in LINES and ".Tensor." not in name:
        names = {"Tensor": Tensor, "tinytorch": tinytorch, "np": np, **MODULES}
        shown = eval(LINES[word], names)  # noqa: S307
        return ["", f">>> {LINES[word]}", *repr(shown).splitlines()]
    for call in calls_of(name, obj):
        for made in INPUTS:
            if session := ran(made, call):
                return ["", *session]
    return []


def calls_of(name: str, obj: Any) -> list[str]:
    """List the calls that may be an example of it."""
    owner, _, word = name.rpartition(".")
    if inspect.isclass(obj):
        made = MADE_WITH if issubclass(obj, nn.Module) else ()
        return [f"nn.{word}({how})({given})" for how in made for given in GIVEN]
    if isinstance(obj, property):
        return [f"x.{word}"]
    if word[0] == "_" or word in DANGEROUS or not callable(obj):
        return []
    if owner.endswith("Tensor"):
        own = [given[3:] for given in ARGUMENTS if given.startswith("x, ")]
        return [f"x.{word}({given})" for given in ["", *own]]
    if ".scipy." in owner:
        home = owner.removeprefix("tinytorch.")
    elif ".nn" in owner and word in nn.functional.__all__:
        home = "nn.functional"
    elif owner == "tinytorch.linalg":
        home = owner
    elif word in tinytorch.functions.__all__:
        home = "tinytorch"
    else:
        return []
    return [f"{home}.{word}({given})" for given in ARGUMENTS]


DANGEROUS = {"render", "explain", "backward", "retain_grad"}


def ran(made: str, call: str) -> list[str]:
    """Give the lines of a session, or none if the call wants other arguments."""
    names: dict[str, Any] = {"Tensor": Tensor, "tinytorch": tinytorch, "np": np, **MODULES}
    if re.match(r"x\.\w*[^_]_\(", call):  # written into x, of which no gradient is wanted then
        made = made.replace("Tensor(", "tinytorch.tensor(")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tinytorch.manual_seed(0)
            names["x"] = x = eval(made, names)  # noqa: S307
            out = eval(call, names)  # noqa: S307
            session = [f">>> x = {made}"]
            large = isinstance(out, Tensor) and (out.size > 8 or out.ndim > 2)
            shown = f"{call}.shape" if large else call
            text = repr(out.shape if large else out)
            empty = isinstance(out, Tensor) and not out.size
            if out is None or empty or " at 0x" in text or NAN.search(text) or len(text) > 600:
                return []
            session += [f">>> {shown}", *text.splitlines()]
            if isinstance(out, Tensor) and not large and out.requires_grad and out is not x:
                out.backward()
                session += [f">>> {call}.backward()", ">>> x.grad", *repr(x.grad).splitlines()]
    except Exception:  # noqa: BLE001  (whatever it wants: these aren't its arguments)
        return []
    return session if not any(map(NAN.search, session)) else []
