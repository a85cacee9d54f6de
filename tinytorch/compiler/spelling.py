"""How a program's text spells what it is given: the names of arguments, constants, dtypes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import at_hand
from tinytorch.arrays.parts import on_gpu
from tinytorch.engine import Array

# Constants of more entries are given to the function, not written into it.
_LARGE = 64


def argument_names(function: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """Name the leaves of the arguments, after the parameters and what they are in them."""
    try:
        positional = [
            (f"{name}_{i}" if x.kind is x.VAR_POSITIONAL else name)
            for name, x in inspect.signature(function).parameters.items()
            for i in range(len(args) if x.kind is x.VAR_POSITIONAL else 1)
        ]
    except (TypeError, ValueError):  # a builtin
        positional = []
    positional += [f"argument_{i}" for i in range(len(positional), len(args))]
    names: list[str] = []

    def walk(tree: Any, name: str) -> None:
        if type(tree) in (list, tuple, dict) or hasattr(type(tree), "_make"):
            for key, part in tree.items() if type(tree) is dict else enumerate(tree):
                walk(part, f"{name}_{key}")
        elif type(tree) is slice:
            for end in ("start", "stop", "step"):
                walk(getattr(tree, end), f"{name}_{end}")
        else:
            names.append(name)

    for name, x in (*zip(positional, args, strict=False), *kwargs.items()):
        walk(x, name)
    return names


def literal(content: Any) -> str | None:
    """Write an array; None where that would be too long."""
    array: Array = np.asarray(at_hand(content))
    np_ = "cp" if on_gpu(content) else "np"
    dtype = dtype_text(array.dtype)
    if array.size and array.dtype.kind in "fiub" and (array == array.flat[0]).all():
        first = array.flat[0]
        if first or not np.signbit(np.float64(array)).any():
            return f"{np_}.full({array.shape}, {number_text(first.item())}, {dtype})"
    if array.size > _LARGE or array.dtype.kind not in "fiubc":
        return None
    text = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(array.tolist()))
    return f"{np_}.array({text}, {dtype}).reshape({array.shape})"


def dtype_text(dtype: np.dtype[Any]) -> str:
    """Write a dtype."""
    name = dtype.type.__name__
    if getattr(np, name, None) is dtype.type and np.dtype(dtype.type) == dtype:
        return f"np.{name}"
    return f"np.dtype({dtype.str!r})"


def number_text(x: Any) -> str:
    """Write one of Python's numbers."""
    return re.sub(r"\b(nan|inf)\b", r"np.\1", repr(x))
