"""How an operation is written down: a name, a value in NumPy's words, and a rule for each input."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinytorch.engine import Node, Rule, record
from tinytorch.lazy import IN_MEMORY, NUMBERS, accepted, evaluate

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class _Enumeration(type):
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


class Operation(metaclass=_Enumeration):
    """The enumeration of operations: `Operation.EXP`, `Operation["EXP"]`, `for op in Operation`.

    A node's `_op` says which one made it. The symbol is an infix, a word, or, where neither would
    do, the whole expression with a □ for each operand.
    """

    __slots__ = ("name", "symbol")
    _members: dict[str, Operation] = {}  # noqa: RUF012  (the class is its own registry)

    def __init__(self, name: str, symbol: str | None = None) -> None:
        self.name = name.upper()
        self.symbol = symbol or name
        if self.name in self._members:
            raise ValueError(f"there is an operation {self.name} already")
        self._members[self.name] = self

    def __repr__(self) -> str:
        return f"Operation.{self.name}"

    def __str__(self) -> str:
        name = self.name.lower()
        return name if name == self.symbol else f"{name} ({self.symbol})"


# What a tensor does when a NumPy function is called with it.
numpy_functions: dict[Callable[..., Any], Callable[..., Any]] = {}


FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def answers(*functions: Callable[..., Any]) -> Callable[[FunctionT], FunctionT]:
    """Make the decorated function what these NumPy functions do with tensors."""

    def register(implementation: FunctionT) -> FunctionT:
        for function in functions:
            numpy_functions[function] = implementation
        return implementation

    return register


def describe(operand: Any) -> str:
    """Say what an operand is, for a message."""
    if isinstance(operand, Node):
        name = "a tensor" if operand.label is None else f"tensor {operand.label!r}"
        return f"{name} of shape {operand._data.shape}"
    if hasattr(operand, "shape") and operand.shape != ():
        return f"an array of dtype {operand.dtype} and shape {operand.shape}"
    return f"{type(operand).__name__} {reprlib.repr(operand)}"


def constant(operand: Any, dtype: np.dtype[Any], op: Operation) -> Any:
    """Prepare an operand that is no tensor: only a floating array may change a result's dtype."""
    kind = type(operand)
    if kind in NUMBERS:
        return operand
    if hasattr(operand, "__array_function__"):
        operand = operand if kind is np.ndarray else accepted(operand)
    else:
        if isinstance(operand, list | tuple) and any(isinstance(x, Node) for x in operand):
            raise TypeError(
                f"{op}: a {kind.__name__} of tensors is no tensor; "
                "np.stack or np.concatenate makes one of it"
            )
        try:
            operand = np.asarray(operand)
        except ValueError as error:
            raise ValueError(f"{op}: {error}") from None
    if operand.dtype.kind == "f":
        return operand
    if operand.dtype.kind in "biu":
        return operand.astype(dtype)
    raise TypeError(
        f"{op}: expected a Tensor, a real number or an array of real numbers, "
        f"got {describe(operand if operand.ndim else operand.item())}"
    )


def refusal(error: Exception, op: Operation, operands: Sequence[Any]) -> Exception:
    """Say in NumPy's error which operation it was and what it was given."""
    given = " and ".join(describe(x) for x in operands)
    reason = str(error).removeprefix(f"{op}: ")
    return type(error)(f"{op} of {given}: {reason}")


def apply(
    op: Operation, function: Callable[..., Any], rules: Sequence[Rule], *operands: Any
) -> Tensor:
    """Compute `function` of the operands' arrays and record how it came about.

    With no tensor among the operands it is the plain function, so that a rule may use it on arrays.
    """
    for x in operands:
        if isinstance(x, Node):
            dtype = x._data.dtype
            break
    else:
        plain: Tensor = function(*operands)  # an array in fact, which the rule treats alike
        return plain
    inputs, arrays = [], []
    for x in operands:
        given = x if isinstance(x, Node) else constant(x, dtype, op)
        inputs.append(given)
        arrays.append(given._data if isinstance(given, Node) else given)
    try:
        if IN_MEMORY.issuperset(map(type, arrays)):
            value = function(*arrays)
        else:
            value = evaluate(op, function, *arrays)
    except (ValueError, IndexError) as error:
        raise refusal(error, op, inputs) from None
    node: Tensor = record(value, tuple(inputs), (value, *arrays), op, rules)
    return node


def unary(
    function: Callable[[Any], Any], rule: Rule, doc: str, name: str | None = None
) -> Callable[[Any], Tensor]:
    """Write down an operation on one tensor, entry by entry: `rule(grad, out, x)`."""
    name = name or function.__name__
    op = Operation(name)
    rules = (rule,)

    def method(self: Any) -> Any:
        x = self._data
        value = function(x) if type(x) is np.ndarray else evaluate(op, function, x)
        return record(value, (self,), (value, x), op, rules)

    return known(method, name, doc, function)


def parametric(
    function: Callable[..., Any], rule: Rule, doc: str, name: str | None = None
) -> Callable[..., Tensor]:
    """Write down an operation on one tensor with parameters, which its rule gets as well.

    `function(x, *parameters)` and `rule(grad, out, x, *parameters)`.
    """
    name = name or function.__name__
    op = Operation(name)

    @torch_spelling
    def method(self: Any, *args: Any, **parameters: Any) -> Any:
        refuse_unknown(parameters, rule, op)
        return apply(
            op,
            lambda x: function(x, *args, **parameters),
            (lambda grad, out, x: rule(grad, out, x, *args, **parameters),),
            self,
        )

    return known(method, name, doc, function)


@functools.lru_cache(256)
def _shared_array(number: float, dtype: np.dtype[Any]) -> Any:
    array = np.asarray(number, dtype)
    array.setflags(write=False)
    return array


def _as_array(number: float, dtype: np.dtype[Any]) -> Any:
    """Give an array of no axes; equal numbers share one, which saves memory in long graphs."""
    # But 0 equals -0.
    return _shared_array(number, dtype) if number else np.asarray(number, dtype)


def binary(
    function: Callable[[Any, Any], Any],
    rule_x: Rule,
    rule_y: Rule,
    doc: str,
    name: str | None = None,
    symbol: str | None = None,
) -> Callable[[Any, Any], Tensor]:
    """Write down an operation on two operands that broadcast: `rule(grad, out, x, y)` for each."""
    name = name or function.__name__
    op = Operation(name, symbol)
    rules = (rule_x, rule_y)

    # To a ufunc an array of no axes is twice as fast as a number; the operator ** knows numbers.
    prefers_arrays = isinstance(function, np.ufunc)

    def method(self: Any, other: Any) -> Any:
        if isinstance(other, Node):
            y = other._data
            if isinstance(self, Node):
                x = self._data
            elif prefers_arrays and type(self) in NUMBERS:
                x = _as_array(self, y.dtype)
            else:
                self = x = constant(self, y.dtype, op)
        else:
            x = self._data
            if prefers_arrays and type(other) in NUMBERS:
                y = _as_array(other, x.dtype)
            else:
                other = y = constant(other, x.dtype, op)
        try:
            if type(x) is type(y) is np.ndarray:
                value = function(x, y)
            else:
                value = evaluate(op, function, x, y)
        except ValueError as error:
            raise refusal(error, op, (self, other)) from None
        return record(value, (self, other), (value, x, y), op, rules)

    return known(method, name, doc, function)


def refuse_unknown(parameters: dict[str, Any], rule: Rule, op: Operation) -> None:
    """Raise TypeError for a parameter that NumPy's function has and the rule knows nothing of."""
    for name in parameters:
        if name not in inspect.signature(rule).parameters:
            raise TypeError(f"{op}: {name}= is not supported for tensors")


def reflected(method: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    """Exchange the operands: `__rsub__` from `__sub__`."""

    def exchanged(self: Any, other: Any) -> Tensor:
        return method(other, self)

    return known(exchanged, method.__name__, f"{method.__doc__} with the operands exchanged.")


_TORCH_SPELLINGS = (
    ("dim", "axis"),
    ("dims", "axis"),
    ("keepdim", "keepdims"),
    ("interpolation", "method"),
)


def torch_spelling(method: Callable[..., Any]) -> Callable[..., Any]:
    """Take PyTorch's names of parameters, such as `dim` and `keepdim`, for NumPy's."""

    @functools.wraps(method)
    def either_spelling(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in _TORCH_SPELLINGS:
                if theirs in kwargs:
                    if ours in kwargs:
                        name = either_spelling.__name__
                        raise TypeError(f"{name}: give {theirs}= or {ours}=, not both")
                    kwargs[ours] = kwargs.pop(theirs)
        return method(*args, **kwargs)

    return either_spelling


def known(
    method: Callable[..., Any], name: str, doc: str, function: Callable[..., Any] | None = None
) -> Callable[..., Tensor]:
    """Give a method its name and docstring, and NumPy's function of that name the method."""
    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    in_numpy: bool = getattr(np, name, None) is function
    if function is not None and in_numpy:
        numpy_functions[function] = method
    return method
