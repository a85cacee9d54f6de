"""What an operation is: a value in NumPy's words, and a rule for each input."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinytorch.arrays.kind import IN_MEMORY, evaluate, kind_of
from tinytorch.arrays.warned import at_users_line
from tinytorch.engine import Node, Rule, record
from tinytorch.operations.operands import closed_over, constant, refusal

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
# Of operations without rules of their own.
_CLOSING = "Its rules close over its parameters: each node has its own, `_rules`."


class _Registry(type):
    """Lets a class list its members as an Enum does, but each family of operations adds its own."""

    _members: dict[str, Operation]

    def __iter__(cls) -> Iterator[Operation]:
        return iter(list(cls._members.values()))  # while another thread adds to them, too

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
    arrays, the `rules` (unless they close over parameters, such as an axis, and each node has its
    own), a docstring and a signature. To call it, of tensors or of arrays, computes it.

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
        self.rules: tuple[Any, ...] = tuple(rules)
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


def defines(op: Operation) -> Callable[[FunctionT], FunctionT]:
    """Make the decorated function, which takes tensors and arrays, what it is to call `op`.

    Where the function's parameters, such as an axis, are part of the rules, it makes them itself.
    """

    def decorate(function: FunctionT) -> FunctionT:
        op.function = op.method = function
        op.__signature__ = inspect.signature(function)
        op.__doc__ = inspect.getdoc(function)
        if not op.rules:
            op.__doc__ = f"{op.__doc__}\n\n{_CLOSING}"
        return function

    return decorate


def apply(
    op: Operation, function: Callable[..., Any], rules: Sequence[Rule], *operands: Any
) -> Tensor:
    """Compute `function` of the operands' arrays and record how it came about.

    With no tensor among the operands it is the plain function, so that a rule may use it on arrays.
    """
    arrays = [x._value for x in operands if isinstance(x, Node)]
    if not arrays:
        plain: Tensor = function(*operands)  # an array in fact, which the rule treats alike
        return plain
    if len(arrays) < len(operands):
        dtype = arrays[0].dtype
        operands = tuple([x if isinstance(x, Node) else constant(x, dtype, op) for x in operands])
        arrays = [x._value if isinstance(x, Node) else x for x in operands]
    try:
        if IN_MEMORY.issuperset(map(type, arrays)):
            value = function(*arrays)
        else:
            arrays = kind_of(*arrays).operands(op, arrays)
            value = evaluate(op, function, *arrays)
    except RuntimeWarning:
        value = evaluate(op, function, *arrays)
    except (ValueError, IndexError) as error:
        raise refusal(error, op, operands) from None
    if type(value) is not np.ndarray and isinstance(value, Node):
        raise closed_over(op)
    node: Tensor = record(value, operands, (value, *arrays), op, rules)
    return node
