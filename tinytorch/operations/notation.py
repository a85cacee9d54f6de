"""How the rows of the calculus table are written: a function, its rules, and what it is for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import IN_MEMORY, NUMBERS, evaluate, kind_of
from tinytorch.engine import Node, Rule, record
from tinytorch.operations.operands import as_array, constant, no_parameter, refusal
from tinytorch.operations.operation import Operation, apply
from tinytorch.operations.protocols import numpy_functions
from tinytorch.operations.pytorch import torch_spelling

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


def unary(
    function: Callable[[Any], Any], rule: Rule, doc: str, name: str | None = None
) -> Callable[[Any], Tensor]:
    """Write down an operation on one tensor, entry by entry: `rule(grad, out, x)`."""
    op = Operation(name or function.__name__, None, function, (rule,), doc)
    rules = (rule,)

    def method(self: Any) -> Any:
        x = self._value
        try:
            value = function(x) if type(x) is np.ndarray else evaluate(op, function, x)
        except RuntimeWarning:
            value = evaluate(op, function, x)
        return record(value, (self,), (value, x), op, rules)

    return as_method(op, method)


def parametric(
    function: Callable[..., Any], rule: Rule, doc: str, name: str | None = None
) -> Callable[..., Tensor]:
    """Write down an operation on one tensor with parameters, which its rule gets as well.

    `function(x, *parameters)` and `rule(grad, out, x, *parameters)`.
    """
    op = Operation(name or function.__name__, None, function, (rule,), doc)
    known = list(inspect.signature(rule).parameters)[3:]

    @torch_spelling
    def method(self: Any, *args: Any, **parameters: Any) -> Any:
        check_parameters(op, known, args, parameters)
        return apply(
            op,
            lambda x: function(x, *args, **parameters),
            (lambda grad, out, x: rule(grad, out, x, *args, **parameters),),
            self,
        )

    return as_method(op, method)


def binary(
    function: Callable[[Any, Any], Any],
    rule_x: Rule,
    rule_y: Rule,
    doc: str,
    name: str | None = None,
    symbol: str | None = None,
) -> Callable[[Any, Any], Tensor]:
    """Write down an operation on two operands that broadcast: `rule(grad, out, x, y)` for each."""
    rules = (rule_x, rule_y)
    op = Operation(name or function.__name__, symbol, function, rules, doc)

    # To a ufunc an array of no axes is twice as fast as a number; the operator ** knows numbers.
    prefers_arrays = isinstance(function, np.ufunc)

    def method(self: Any, other: Any) -> Any:
        if isinstance(other, Node):
            y = other._value
            if isinstance(self, Node):
                x = self._value
            elif prefers_arrays and type(self) in NUMBERS:
                x = as_array(self, y.dtype)
            else:
                self = x = constant(self, y.dtype, op)
        else:
            x = self._value
            if prefers_arrays and type(other) in NUMBERS:
                y = as_array(other, x.dtype)
            else:
                other = y = constant(other, x.dtype, op)
        try:
            if type(x) is type(y) is np.ndarray or IN_MEMORY.issuperset((type(x), type(y))):
                value = function(x, y)
            else:
                x, y = kind_of(x, y).operands(op, (x, y))
                value = evaluate(op, function, x, y)
        except RuntimeWarning:
            value = evaluate(op, function, x, y)
        except ValueError as error:
            raise refusal(error, op, (self, other)) from None
        return record(value, (self, other), (value, x, y), op, rules)

    return as_method(op, method)


def as_method(op: Operation, method: Callable[..., Any]) -> Callable[..., Tensor]:
    """Make `method` what the operation does, and what NumPy's function of that name does.

    Where it takes all parameters and hands them to the rule, the signature shows the rule's.
    """
    name = op.name.lower()
    op.method = method
    signature = inspect.signature(method)
    given = signature.parameters.values()
    shown = [
        p.replace(annotation=p.empty if p.annotation == "Any" else p.annotation)
        for p in given
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    if len(shown) < len(given):
        known = ("grad", "out", "x", *signature.parameters)
        rule: Any = op.rules[0]
        parameters = inspect.signature(rule).parameters
        shown += [p for name, p in parameters.items() if name not in known]
    signature = signature.replace(parameters=shown, return_annotation="Tensor")
    method.__signature__ = op.__signature__ = signature  # type: ignore[attr-defined]
    method.__name__ = method.__qualname__ = name
    method.__doc__ = op.__doc__
    function: Any = op.function
    in_numpy: bool = getattr(np, name, None) is function
    if function is not None and in_numpy:
        numpy_functions[function] = method
    return method


def check_parameters(
    op: Operation, known: Sequence[str], args: Sequence[Any], parameters: dict[str, Any]
) -> None:
    """Raise TypeError for a parameter that the rule knows nothing of, and for a tensor."""
    for name, value in parameters.items():
        if name not in known:
            raise TypeError(f"{op}: {name}= is not supported for tensors")
        if isinstance(value, Node):
            raise no_parameter(op, name, value)
    for place, value in enumerate(args):
        if isinstance(value, Node):
            raise no_parameter(op, known[place], value)


def reflected(method: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    """Exchange the operands: `__rsub__` from `__sub__`."""

    def exchanged(self: Any, other: Any) -> Tensor:
        return method(other, self)

    exchanged.__name__ = exchanged.__qualname__ = method.__name__
    exchanged.__doc__ = f"{method.__doc__} with the operands exchanged."
    return exchanged
