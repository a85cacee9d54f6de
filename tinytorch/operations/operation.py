"""What an operation is, and how one is written: a value in NumPy's words, a rule for each input."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import IN_MEMORY, NUMBERS, evaluate
from tinytorch.arrays.warned import at_users_line
from tinytorch.engine import Node, Rule, record
from tinytorch.operations.operands import as_array, constant, refusal
from tinytorch.operations.protocols import numpy_functions

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class _Registry(type):
    """Lets a class list its members as an Enum does, but each family of operations adds its own."""

    _members: dict[str, Operation]

    def __iter__(cls) -> Iterator[Operation]:
        return iter(cls._members.values())

    def __len__(cls) -> int:
        return len(cls._members)

    def __getitem__(cls, name: str) -> Operation:
        return cls._members[name]

    def __getattr__(cls, name: str) -> Operation:
        try:
            return cls._members[name]
        except KeyError:
            raise AttributeError(f"there is no operation {name}") from None

    def __dir__(cls) -> list[str]:
        return [*super().__dir__(), *cls._members]


class Operation(metaclass=_Registry):
    """An operation: a function in NumPy's words, and a rule for each of its inputs.

    `Operation.EXP`, `Operation["EXP"]` and `for op in Operation` find the ones that there are, and
    a node's `_op` says which one made it. Each has its `name`, its `symbol` (an infix, a word or,
    where neither would do, the whole expression with a □ for each operand), the `function` of
    arrays, the `rules`, a docstring and a signature; to call it is to call the method of tensors.

    >>> Operation.EXP(np.zeros(2)), Operation.EXP.symbol
    (array([1., 1.]), 'exp')
    """

    _members: dict[str, Operation] = {}  # noqa: RUF012  (the class is its own registry)

    def __init__(
        self,
        name: str,
        symbol: str | None = None,
        function: Callable[..., Any] | None = None,
        rules: Sequence[Rule | None] = (),
        doc: str | None = None,
        module: str = __name__,
    ) -> None:
        self.name, self.module = name.upper(), module
        known = self._members.get(self.name)
        if known is not None and known.module == __name__:
            raise ValueError(f"there is an operation {self.name} already: give another name=")
        self.symbol = symbol or name
        self.function: Any = function
        self.rules = tuple(rules)
        self.method: Callable[..., Any] | None = None
        self.__doc__ = doc
        self.__signature__: inspect.Signature | None = None  # None: inspect looks at __call__
        self._members[self.name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute it, of tensors or of arrays."""
        function: Any = self.function
        if self.method is not None and any(isinstance(x, Node) for x in args):
            function = self.method
        return at_users_line(function, *args, **kwargs)

    def __repr__(self) -> str:
        return f"Operation.{self.name}"

    def __str__(self) -> str:
        name = self.name.lower()
        return name if name == self.symbol else f"{name} ({self.symbol})"


def apply(
    op: Operation, function: Callable[..., Any], rules: Sequence[Rule], *operands: Any
) -> Tensor:
    """Compute `function` of the operands' arrays and record how it came about.

    With no tensor among the operands it is the plain function, so that a rule may use it on arrays.
    """
    for x in operands:
        if isinstance(x, Node):
            dtype = x._value.dtype
            break
    else:
        plain: Tensor = function(*operands)  # an array in fact, which the rule treats alike
        return plain
    inputs, arrays = [], []
    for x in operands:
        given = x if isinstance(x, Node) else constant(x, dtype, op)
        inputs.append(given)
        arrays.append(given._value if isinstance(given, Node) else given)
    try:
        if IN_MEMORY.issuperset(map(type, arrays)):
            value = function(*arrays)
        else:
            value = evaluate(op, function, *arrays)
    except RuntimeWarning:
        value = evaluate(op, function, *arrays)
    except (ValueError, IndexError) as error:
        raise refusal(error, op, inputs) from None
    node: Tensor = record(value, tuple(inputs), (value, *arrays), op, rules)
    return node


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

    @torch_spelling
    def method(self: Any, *args: Any, **parameters: Any) -> Any:
        refuse_unknown(parameters, rule, op)
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
            if type(x) is type(y) is np.ndarray:
                value = function(x, y)
            else:
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


def refuse_unknown(parameters: dict[str, Any], rule: Rule, op: Operation) -> None:
    """Raise TypeError for a parameter that NumPy's function has and the rule knows nothing of."""
    for name in parameters:
        if name not in inspect.signature(rule).parameters:
            raise TypeError(f"{op}: {name}= is not supported for tensors")


def reflected(method: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    """Exchange the operands: `__rsub__` from `__sub__`."""

    def exchanged(self: Any, other: Any) -> Tensor:
        return method(other, self)

    exchanged.__name__ = exchanged.__qualname__ = method.__name__
    exchanged.__doc__ = f"{method.__doc__} with the operands exchanged."
    return exchanged


_TORCH_SPELLINGS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "interpolation": "method",
}


def torch_spelling(method: Callable[..., Any]) -> Callable[..., Any]:
    """Take PyTorch's names of parameters, such as `dim` and `keepdim`, for NumPy's."""

    @functools.wraps(method)
    def either_spelling(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in _TORCH_SPELLINGS.items():
                if theirs in kwargs:
                    if ours in kwargs:
                        name = either_spelling.__name__
                        raise TypeError(f"{name}: give {theirs}= or {ours}=, not both")
                    kwargs[ours] = kwargs.pop(theirs)
        return method(*args, **kwargs)

    either_spelling.spellings = _TORCH_SPELLINGS  # type: ignore[attr-defined]
    return either_spelling
