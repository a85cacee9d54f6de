"""What SciPy's counterparts have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.engine import Node, recording
from tinytorch.grad_mode import in_transform
from tinytorch.trees import leaves, map_leaves


def operand(x: Any) -> Any:
    """Make a constant tensor of what is none."""
    from tinytorch.pytorch.factories import as_tensor

    x = x if isinstance(x, Node) else as_tensor(x)
    return x if isinstance(x, Node) else x.double()


def call(name: str, *args: Any) -> Any:
    """Call SciPy's special function of that name, which takes tensors."""
    return getattr(import_module("scipy.special"), name)(*args)


def values(x: Any) -> Any:
    """Give the values of a tensor; anything else is its own."""
    return x._value if isinstance(x, Node) else x


def like(out: Any, x: Any) -> Any:
    """Give x to a rule that was given `out`: where that is an array, an array."""
    return x if isinstance(out, Node) else values(x)


def of_values(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` as if no transform were around: derivatives taken in it are values."""

    def run() -> Any:
        recording.set([recording.get()[0], 0])
        return function(*args)

    return copy_context().run(run)


class Function:
    """A user's `function(*inputs, *args)` as one of the inputs and of the tensors in args.

    These may be nested in lists, tuples and dicts. `values` are theirs. Making it calls it once:
    raises TypeError where it depends on a tensor that is not in args, which would lose its
    gradient.
    """

    def __init__(self, function: Callable[..., Any], args: Any, *inputs: Any) -> None:
        args = args if isinstance(args, tuple) else (args,)
        self._function, self._args = function, args
        self.tensors = [x for x in leaves(args) if isinstance(x, Node)]
        self.values = [x._value for x in self.tensors]
        out = self(*inputs, *self.values)
        lost = isinstance(out, Node) and out._requires_grad
        # Derivatives that it takes inside of a transform are tensors, but need not depend on
        # others.
        if lost and (not in_transform() or of_values(in_transform, out)):
            raise TypeError(
                f"{getattr(function, '__name__', 'the function')} depends on a tensor that is not "
                "among its arguments: put it into args"
            )

    def __call__(self, *inputs: Any) -> Any:
        """Call it with the last inputs in place of the tensors; a list becomes an array."""
        first = len(inputs) - len(self.tensors)
        remaining = iter(inputs[first:])
        args = map_leaves(
            lambda _, leaf: next(remaining) if isinstance(leaf, Node) else leaf, "", self._args
        )
        out = self._function(*inputs[:first], *args)
        return np.stack(out) if isinstance(out, list | tuple) else out
