"""Operations of one's own: `operation` makes one of a function and its rules, from anywhere."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate
from tinytorch.arrays.warned import at_users_line
from tinytorch.arrays.words import cast
from tinytorch.engine import Node, Rule, record
from tinytorch.operations.operands import closed_over, constant, describe, no_parameter, refusal
from tinytorch.operations.operation import Operation


def operation(
    function: Callable[..., Any],
    *rules: Rule | None,
    name: str | None = None,
    symbol: str | None = None,
    doc: str | None = None,
) -> Callable[..., Any]:
    """Make an operation of `function`, with a rule for each of its inputs.

    `function(*inputs, *parameters)` computes the value in NumPy's words: an array, or a tuple of
    several. `rule(grad, out, *inputs, *parameters)` gives what its input gets of the output's
    gradient: an array of the input's shape, or of one that broadcasting makes of it. In NumPy's
    words too, it has derivatives of its own. Where a rule is None, that input is a constant:
    an index, a sparse matrix, anything. What else the function depends on is no tensor.

    The operation takes tensors, arrays and numbers, and gives a plain array where none is a tensor.
    It is called `name`, or as the function is, and `Operation` lists it; to make it again replaces
    it. Raises ValueError for the name of one of the library's own, or a function without a name;
    the operation raises TypeError for a tensor that is a parameter, or that the function uses
    without being given it: such a tensor would get no gradient.

    >>> sech = operation(
    ...     lambda x: 1 / np.cosh(x), lambda grad, out, x: -grad * out * np.tanh(x), name="sech"
    ... )
    >>> float(sech(0.0)), Operation.SECH
    (1.0, Operation.SECH)
    """
    name = str(name or getattr(function, "__name__", "<lambda>"))
    if name == "<lambda>":
        raise ValueError("operation: a function without a name needs one, as in name='sech'")
    _check_functions(name, function, rules)
    doc = doc or inspect.getdoc(function)
    op = Operation(name, symbol, function, rules, doc, getattr(function, "__module__", None) or "")
    checked = tuple(rule and _checked(op, rule, place) for place, rule in enumerate(rules))
    signature = _signature(function, rules)

    @functools.wraps(function)
    def method(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(signature.parameters):
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{op}{signature}: {error}") from None
            given.apply_defaults()
            args, kwargs = given.args, given.kwargs
        operands, parameters = args[: len(rules)], args[len(rules) :]
        if len(operands) < len(rules):
            raise TypeError(
                f"{op}: expected {len(rules)} inputs, one for each rule, got {len(operands)}"
            )
        names = [*signature.parameters][len(rules) :]
        for key, value in [*zip(names, parameters, strict=False), *kwargs.items()]:
            if isinstance(value, Node):
                raise no_parameter(op, key, value)
        if not any(isinstance(x, Node) for x in operands):
            return at_users_line(function, *args, **kwargs)
        return apply_own(op, function, checked, operands, parameters, kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    method.__signature__ = op.__signature__ = signature  # type: ignore[attr-defined]
    op.method = method
    return method


def with_rules(*rules: Rule | None, **options: Any) -> Callable[..., Any]:
    """Make an operation of the decorated function: `operation(function, *rules, **options)`.

    >>> @with_rules(lambda grad, out, x, base: grad * out * np.log(base))
    ... def raised(x, base=2.0):
    ...     return base**x
    >>> float(raised(3.0))
    8.0
    """
    return lambda function: operation(function, *rules, **options)


def _check_functions(name: str, function: Any, rules: Sequence[Any]) -> None:
    if not callable(function):
        raise TypeError(f"operation {name}: expected a function, got {describe(function)}")
    if not rules:
        raise TypeError(f"operation {name}: expected a rule, or None, for each input, got no rules")
    for i, rule in enumerate(rules):
        if rule is not None and not callable(rule):
            raise TypeError(
                f"operation {name}: the rule of input {i} is a function, or None, "
                f"got {describe(rule)}"
            )


def _signature(function: Callable[..., Any], rules: Sequence[Rule | None]) -> inspect.Signature:
    """Give the function's signature; of one in C as many inputs as rules."""
    if inspect.isfunction(function) or inspect.ismethod(function):
        return inspect.signature(function)
    kind = inspect.Parameter.POSITIONAL_ONLY
    return inspect.Signature([inspect.Parameter(f"x{i}", kind) for i in range(len(rules))])


def apply_own(
    op: Operation,
    function: Callable[..., Any],
    rules: Sequence[Rule | None],
    operands: Sequence[Any],
    parameters: Sequence[Any] = (),
    options: dict[str, Any] | None = None,
) -> Any:
    """Compute `function` and record how it came about."""
    options = options or {}
    dtype = next(x._value.dtype for x in operands if isinstance(x, Node))
    inputs = [
        # Without a rule a tensor counts as a constant, and all else is as it was given.
        (x.detach() if isinstance(x, Node) else x)  # type: ignore[attr-defined]
        if rule is None
        else (x if isinstance(x, Node) else constant(x, dtype, op))
        for x, rule in zip(operands, rules, strict=True)
    ]
    arrays = [x._value if isinstance(x, Node) else x for x in inputs]
    try:
        value = evaluate(op, lambda *arrays: function(*arrays, *parameters, **options), *arrays)
    except (ValueError, IndexError) as error:
        raise refusal(error, op, inputs) from None

    def bound(rule: Rule | None) -> Rule:
        return lambda grad, out, *inputs: rule(grad, out, *inputs, *parameters, **options)  # type: ignore[misc]

    rules = tuple(map(bound, rules)) if parameters or options else rules
    if any(isinstance(y, Node) for y in (value if isinstance(value, tuple) else (value,))):
        raise closed_over(op)
    record_it = _record_several if isinstance(value, tuple) else _record_one
    return record_it(op, value, rules, tuple(inputs), arrays, dtype)


def _is_array(x: Any) -> bool:
    return isinstance(x, np.generic) or hasattr(x, "__array_function__")


def _is_floating(x: Any) -> bool:
    return _is_array(x) and x.dtype.kind in "fc"


def _is_complex(x: Any) -> bool:
    return hasattr(x, "dtype") and x.dtype.kind == "c"


def _record_one(
    op: Operation, value: Any, rules: Any, inputs: Any, arrays: Sequence[Any], dtype: Any
) -> Any:
    if isinstance(value, float | int):
        value = np.asarray(value, dtype)
    if not _is_floating(value):
        raise TypeError(f"{op}: the function gave {describe(value)}, expected floating values")
    return record(value, inputs, (value, *arrays), op, rules)


def _record_several(
    op: Operation, values: Any, rules: Any, inputs: Any, arrays: Sequence[Any], dtype: Any
) -> Any:
    """Record one node of all outputs' entries in one row, of which each output is a part.

    So a rule is called once, with the gradients of all outputs in a tuple. An output that isn't
    floating, such as an index, is handed out as it is, and has None for a gradient.
    """
    values = [np.asarray(y, dtype) if type(y) is float else y for y in values]
    floating = [_is_floating(y) for y in values]
    if not any(floating):
        given = ", ".join(map(describe, values))
        raise TypeError(f"{op}: the function gave {given}, expected floating values")
    sizes = [y.size if is_floating else 0 for y, is_floating in zip(values, floating, strict=True)]
    ends = np.cumsum(sizes).tolist()

    def parts(row: Any, others: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            cast(row[end - size : end].reshape(y.shape), y.dtype) if is_floating else other
            for end, size, y, other, is_floating in zip(
                ends, sizes, values, others, floating, strict=True
            )
        )

    def joint(rule: Rule | None) -> Rule:
        return lambda grad, out, *inputs: rule(  # type: ignore[misc]
            parts(grad, [None] * len(values)), parts(out, values), *inputs
        )

    row = np.concatenate(
        [y.reshape(-1) for y, is_floating in zip(values, floating, strict=True) if is_floating]
    )
    node = record(row, inputs, (row, *arrays), op, tuple(map(joint, rules)))
    return parts(node, values)


def _checked(op: Operation, rule: Rule, place: int) -> Rule:
    """Let a rule that gives no share of its input's gradient be named."""

    @functools.wraps(rule)
    def checked(grad: Any, out: Any, *inputs: Any, **options: Any) -> Any:
        x = inputs[place]
        here = f"{op}: the rule of input {place}, {describe(x)},"
        try:
            share = evaluate(op, rule, grad, out, *inputs, **options)
        except Exception as error:
            error.add_note(f"{here} raised this")
            raise
        outs = out if isinstance(out, tuple) else (out,)
        if isinstance(share, Node) and not any(isinstance(y, Node) for y in (*outs, *inputs)):
            raise TypeError(
                f"{here} gave {describe(share)} where all that it got are arrays: a tensor that it "
                "uses is not an input; make it one, or use tensor.data"
            )
        known = "fiubc" if any(_is_complex(y) for y in (*outs, *inputs)) else "fiub"
        if not (isinstance(share, Node) or _is_array(share)) or share.dtype.kind not in known:
            raise TypeError(f"{here} gave {describe(share)}, expected real numbers of that shape")
        shapes = [x.shape, *(y.shape for y in outs if hasattr(y, "shape"))]
        if share.shape != x.shape and not any(_broadcasts(share.shape, shape) for shape in shapes):
            raise ValueError(f"{here} gave {describe(share)}, expected that shape")
        return share

    return checked


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False
