"""What SciPy's counterparts have in common."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinytorch.engine import Node


def operand(x: Any) -> Any:
    """Make a constant tensor of what is none."""
    from tinytorch.pytorch.factories import as_tensor

    x = x if isinstance(x, Node) else as_tensor(x)
    return x if isinstance(x, Node) else x.double()


def call(name: str, *args: Any) -> Any:
    """Call SciPy's special function of that name, which takes tensors."""
    return getattr(import_module("scipy.special"), name)(*args)
