"""Changes in place: `x += y`, and `x.add_(y)`, the method without the underscore, written into x.

They are for what no graph is recorded of: constants, plain arrays, and inside `no_grad()` leaves.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.grad_mode import is_grad_enabled
from tinytorch.operations.operands import describe
from tinytorch.random import RNG
from tinytorch.random import generator as chosen


def write(x: Any, values: Any, name: str) -> Any:
    """Put values, which broadcast, in the place of x's own; give x.

    Raises RuntimeError where a gradient would be lost: for what was computed, for a leaf that
    needs one outside `no_grad()`, and for values that do.
    """
    if isinstance(x, Node) and is_grad_enabled():
        plainly = name.rstrip("_")
        if x._children:
            raise RuntimeError(
                f"{name}: {describe(x)} was computed, and its gradient needs it as it is: "
                f"x = x.{plainly}(...) makes a new one"
            )
        if x._requires_grad:
            raise RuntimeError(
                f"{name}: {describe(x)} is a leaf that requires a gradient: inside "
                f"tinytorch.no_grad() it may be changed, x.{plainly}(...) makes a new one"
            )
    if isinstance(values, Node) and values._requires_grad and is_grad_enabled():
        raise RuntimeError(
            f"{name}: what is written into {describe(x)} requires a gradient, which would be "
            f"lost: x = x.{name.rstrip('_')}(...) makes a new one, .detach() goes on without"
        )
    values, own = getattr(values, "_value", values), x._value
    if hasattr(x, "_grad"):
        x.data = np.broadcast_to(values, own.shape)
    else:
        own[...] = values
    return x


def _in_place(name: str) -> Callable[..., Any]:
    """Make `add_` of `add`."""

    def method(self: Any, *args: Any, **options: Any) -> Any:
        return write(self, getattr(self, name)(*args, **options), f"{name}_")

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"Put what `{name}` gives in the place of x's own values; gives x."
    return method


def _in_place_operator(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        """Do `x -= y`: a new tensor bound to the name; in `no_grad()` x itself is changed.

        Raises RuntimeError for a leaf that has a gradient already: it is to be updated, and in the
        loop `for p in parameters: p -= lr * p.grad` the new tensor would be lost.
        """
        if self._children:
            return compute(self, other)
        if not is_grad_enabled():
            self.data = compute(self._value, other._value if isinstance(other, Node) else other)
            return self
        if self._requires_grad and self._grad is not None:
            raise RuntimeError(
                f"{describe(self)} has a gradient, and x -= y would make a new tensor instead of "
                "changing it: x.data -= y updates a parameter, and so does x -= y inside no_grad()"
            )
        return compute(self, other)

    return method


class InPlace:
    """Changes of the array itself, by PyTorch's names."""

    __slots__ = ()
    _value: Any

    __iadd__ = _in_place_operator(operator.add)
    __isub__ = _in_place_operator(operator.sub)
    __imul__ = _in_place_operator(operator.mul)
    __itruediv__ = _in_place_operator(operator.truediv)
    __ifloordiv__ = _in_place_operator(operator.floordiv)
    __imod__ = _in_place_operator(operator.mod)
    __ipow__ = _in_place_operator(operator.pow)
    __imatmul__ = _in_place_operator(operator.matmul)

    add_, sub_, mul_, div_ = map(_in_place, ("add", "sub", "mul", "div"))
    pow_, remainder_, lerp_ = map(_in_place, ("pow", "remainder", "lerp"))
    neg_, abs_, sign_, square_, reciprocal_ = map(
        _in_place, ("neg", "abs", "sign", "square", "reciprocal")
    )
    exp_, log_, sqrt_, rsqrt_ = map(_in_place, ("exp", "log", "sqrt", "rsqrt"))
    floor_, ceil_, round_, trunc_ = map(_in_place, ("floor", "ceil", "round", "trunc"))
    sin_, cos_, tanh_, sigmoid_ = map(_in_place, ("sin", "cos", "tanh", "sigmoid"))
    relu_, tril_, triu_ = map(_in_place, ("relu", "tril", "triu"))
    clamp_, clip_, masked_fill_ = map(_in_place, ("clamp", "clip", "masked_fill"))
    scatter_add_, nan_to_num_ = map(_in_place, ("scatter_add", "nan_to_num"))

    def addcmul_(self: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
        """Add value * tensor1 * tensor2."""
        return write(self, self + value * tensor1 * tensor2, "addcmul_")

    def addcdiv_(self: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
        """Add value * tensor1 / tensor2."""
        return write(self, self + value * tensor1 / tensor2, "addcdiv_")

    def zero_(self) -> Any:
        """Make all entries 0."""
        return write(self, 0, "zero_")

    def fill_(self, value: Any) -> Any:
        """Make all entries a number."""
        return write(self, value, "fill_")

    def copy_(self, src: Any, non_blocking: bool = False) -> Any:  # noqa: ARG002
        """Take over other values, which broadcast."""
        return write(self, src, "copy_")

    def normal_(self: Any, mean: Any = 0, std: Any = 1, *, generator: RNG = None) -> Any:
        """Draw all entries from the normal distribution."""
        drawn = chosen(generator).normal(mean, std, self.shape)
        return write(self, drawn, "normal_")

    def uniform_(
        self: Any, a: float = 0, b: float = 1, *, generator: RNG = None, **ends: float
    ) -> Any:
        """Draw all entries evenly from `a` (PyTorch's name: `from`) to `b` (`to`)."""
        a, b = ends.pop("from", a), ends.pop("to", b)
        if ends:
            raise TypeError(f"uniform_: takes from= and to=, got {min(ends)}=")
        drawn = chosen(generator).uniform(a, b, self.shape)
        return write(self, drawn, "uniform_")

    def bernoulli_(self: Any, p: Any = 0.5, *, generator: RNG = None) -> Any:
        """Draw 1 with probability `p`, else 0."""
        drawn = chosen(generator).random(self.shape) < getattr(p, "_value", p)
        return write(self, drawn, "bernoulli_")
