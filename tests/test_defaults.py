"""What is left out has the value that NumPy, SciPy and PyTorch give it, where they have it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch import Tensor, autograd, data, distributions, fft, linalg, nn, optim
from tinytorch.checking import check_grads
from tinytorch.nn import functional, init
from tinytorch.operations.protocols import numpy_functions
from tinytorch.optim import lr_scheduler

Defaults = dict[str, Any]
Pair = tuple[str, Defaults, Defaults]
SPELLINGS = {"dim": "axis", "keepdim": "keepdims"}
# What NumPy calls by no value is None here, but for these.
NO_VALUE = {"where": True, "keepdims": False, "axis": -1}
# Where another value is given here, it means the same.
OURS = {
    ("dtype", None): [np.float64, np.int64],
    ("dim", None): [-1],
    ("stable", False): [True],
    ("axis", 0): [None],
    ("dx", None): [1],
    ("rcond", 1e-15): [None],
    ("weights_only", None): [True],
    ("modules", None): [()],
    ("values", None): [()],
    ("optimize", False): [True],
    ("storage_offset", None): [0],
    ("indexing", None): ["ij"],
    ("order", "C"): [None],
    ("args", None): [()],
    ("extrapolate", None): [True],
    ("shuffle", None): [False],
    ("prefetch_factor", None): [2],
    ("allow_unused", None): [False],
    ("generator", torch.default_generator): [None],
    ("compute_mode", "use_mm_for_euclid_dist_if_necessary"): [None],
}


def defaults(function: Callable[..., Any]) -> Defaults:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # one in C
        return {}
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def documented(name: str, owner: Any) -> Defaults:
    """Read the defaults of a function in C from the first line of its docstring."""
    first = (getattr(owner, name).__doc__ or "").strip().partition("\n")[0]
    call = re.match(rf"(?:[\w.]+\.)?{name}\((.*)\)\s*->", first)
    found = {}
    for parameter, text in re.findall(r"(\w+)=(\([^()]*\)|[^,()\s]+)", call[1]) if call else []:
        try:
            found[parameter] = ast.literal_eval(text)
        except ValueError:  # as in dtype=torch.float32
            continue
    return found


def of_numpy() -> Iterator[Pair]:
    for function, implementation in numpy_functions.items():
        yield function.__name__, defaults(implementation), defaults(function)


def of_module(ours: ModuleType, theirs: ModuleType) -> Iterator[Pair]:
    for name in sorted({*dir(ours)} & {*dir(theirs)}):
        if callable(getattr(ours, name)) and not name.startswith("_"):
            yield (
                name,
                defaults(getattr(ours, name)),
                (defaults(getattr(theirs, name)) or documented(name, theirs)),
            )


def of_scipy() -> Iterator[Pair]:
    for part in (
        *("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal"),
        *("sparse.linalg", "special", "stats"),
    ):
        ours, theirs = (import_module(f"{home}.{part}") for home in ("tinytorch.scipy", "scipy"))
        yield from of_module(ours, theirs)


def of_methods() -> Iterator[Pair]:
    for name in sorted({*dir(Tensor)} & {*dir(torch.Tensor)}):
        if not name.startswith("_"):
            yield name, defaults(getattr(Tensor, name)), documented(name, torch.Tensor)


def of_functions() -> Iterator[Pair]:
    for name in sorted({*dir(tinytorch)} & {*dir(torch)}):
        ours, theirs = getattr(tinytorch, name), getattr(torch, name)
        if callable(ours) and callable(theirs) and not name.startswith("_"):
            yield name, defaults(ours), defaults(theirs) or documented(name, torch)


@pytest.mark.parametrize(
    ("pairs", "at_least"),
    [
        (of_numpy(), 250),
        (of_module(nn, torch.nn), 300),
        (of_module(functional, torch.nn.functional), 190),
        (of_module(init, torch.nn.init), 10),
        (of_module(optim, torch.optim), 50),
        (of_module(lr_scheduler, torch.optim.lr_scheduler), 40),
        (of_module(fft, torch.fft), 40),
        (of_module(linalg, torch.linalg), 10),
        (of_module(data, torch.utils.data), 10),
        (of_module(autograd, torch.autograd), 5),
        (of_module(distributions, torch.distributions), 4),
        (of_module(nn.utils.rnn, torch.nn.utils.rnn), 10),
        (of_module(optim.swa_utils, torch.optim.swa_utils), 6),
        (of_scipy(), 160),
        (of_methods(), 100),
        (of_functions(), 60),
    ],
    ids=[
        "numpy",
        "nn",
        "functional",
        "init",
        "optim",
        "lr_scheduler",
        "fft",
        "linalg",
        "data",
        "autograd",
        "distributions",
        "rnn",
        "swa_utils",
        "scipy",
        "methods",
        "functions",
    ],
)
def test_defaults_are_numpys_and_pytorchs(pairs: Iterator[Pair], at_least: int) -> None:
    compared = 0
    for name, ours, theirs in pairs:
        for parameter, default in theirs.items():
            # Both spellings may be there, of which one then is None.
            known = [p for p in (parameter, SPELLINGS.get(parameter)) if p in ours]
            given = [ours[p] for p in known]
            if default is np._NoValue:
                wanted = {NO_VALUE.get(parameter)}
            elif callable(default):  # relu, whose namesake it is
                given, wanted = [f.__name__ for f in given], {default.__name__}
            else:
                wanted = {default, *OURS.get((parameter, default), [])}
            assert not known or {*given} & wanted, f"{name}: {parameter}"
            compared += bool(known)
    assert compared >= at_least


# PyTorch's arguments that have no place here: they are given by name, or not at all.
NO_PLACE = {
    "device", "dtype", "out", "size_average", "reduce", "sparse", "min_value", "max_value",
    "foreach", "maximize", "capturable", "differentiable", "_weight", "_freeze", "_stacklevel",
}  # fmt: skip


def in_places(function: Any) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [x.name for x in parameters if x.kind == x.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize(
    ("ours", "theirs", "at_least"),
    [
        (nn, torch.nn, 120),
        (functional, torch.nn.functional, 70),
        (optim, torch.optim, 9),
        (lr_scheduler, torch.optim.lr_scheduler, 15),
    ],
    ids=["nn", "functional", "optim", "lr_scheduler"],
)
def test_arguments_come_in_pytorchs_places(
    ours: ModuleType, theirs: ModuleType, at_least: int
) -> None:
    compared = 0
    for name in sorted({*dir(ours)} & {*dir(theirs)}):
        if not name.startswith("_") and callable(getattr(ours, name)):
            wanted = [x for x in in_places(getattr(theirs, name)) if x not in NO_PLACE]
            assert in_places(getattr(ours, name))[: len(wanted)] == wanted, name
            compared += bool(wanted)
    assert compared >= at_least


def test_two_derivatives_are_checked_where_nothing_is_said() -> None:
    assert defaults(check_grads) == {"order": 2, "rtol": 1e-4, "atol": 1e-6}
