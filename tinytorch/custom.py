"""Functions with a gradient of their own: `custom_vjp`, and `checkpoint`, which spares memory.

Either is an operation with a single rule: of all tensors that the function uses, put into one row.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import NUMBERS, kind_of
from tinytorch.arrays.words import cast, conj
from tinytorch.autograd import sweep
from tinytorch.engine import Node
from tinytorch.grad_mode import enable_grad, is_grad_enabled, no_grad
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, defines
from tinytorch.operations.own import apply_own
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves, map_leaves

Function = Callable[..., Any]


class custom_vjp:  # noqa: N801  (JAX's name)
    """Give a function a gradient of its own, in JAX's words.

    `f.defvjp(forward, backward)` says how: `forward(*args)` gives what f gives, and with it what
    `backward(kept, grad)` needs to give the gradients, a tuple of one for each argument, None where
    there is none. Arguments and outputs are tensors, or lists, tuples and dicts of them; both
    functions are written with tensors, and are differentiated themselves for higher derivatives.
    What a call leaves out gets its default, as in JAX. `name` is what the operation is called, if
    not as the function.

    Raises TypeError where `forward` uses a tensor that requires a gradient and is no argument, or
    gives no such pair; `backward` ValueError for a gradient of another shape than its argument's.

    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda kept, grad: (np.clip(grad, -1, 1),))
    >>> x = Tensor([1.0, 2.0])
    >>> (clipped(x) * np.array([0.5, 50.0])).sum().backward()
    >>> x.grad
    array([0.5, 1. ])
    """

    def __init__(self, function: Function, name: str | None = None) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._name = name or name_of(function)
        self._title = f"custom_vjp({self._name})"
        module = getattr(function, "__module__", None) or ""
        doc = inspect.getdoc(function)
        self._operation = op = Operation(self._name, None, self, doc=doc, module=module)
        self._signature = op.__signature__ = inspect.signature(function)
        self._ways: tuple[Function, Function] | None = None

    def defvjp(self, forward: Function, backward: Function) -> None:
        """Say how the function is computed where it is differentiated, and its gradient."""
        self._ways = forward, backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function. Raises RuntimeError if its gradient has not been said."""
        if self._ways is None:
            raise RuntimeError(f"{self._title}: {self._name}.defvjp(...) comes first")
        args = self._positional(args, kwargs)
        forward, backward = self._ways
        variables = _variables(args)
        if not variables:
            return self._function(*args)

        def both(values: Sequence[Any]) -> tuple[Any, Any]:
            pair = forward(*_with(args, variables, values))
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(
                    f"{self._title}: forward gives a pair, the output and what backward needs, "
                    f"got {describe(pair)}"
                )
            return pair

        def compute(*values: Tensor) -> Any:
            # The values are constants: what requires a gradient has it from elsewhere.
            with enable_grad():
                output, _ = both(values)
            if any(isinstance(y, Tensor) and y.requires_grad for y in leaves(output)):
                raise TypeError(
                    f"{self._title}: the output depends on a tensor that requires a gradient and "
                    "is no argument, so it would get none: make it an argument, or use its "
                    ".detach()"
                )
            return output

        def pull_back(grad: Any, *values: Tensor) -> list[Any]:
            _, kept = both(values)
            try:
                shares = backward(kept, grad)
            except Exception as error:
                error.add_note(f"{self._title}: backward raised this")
                raise
            if not isinstance(shares, tuple) or len(shares) != len(args):
                raise TypeError(
                    f"{self._title}: backward gives a tuple of {len(args)} gradients, one for each "
                    f"argument, got {describe(shares)}"
                )
            return list(self._of_variables(args, shares, set(map(id, variables))))

        return _record(self._operation, compute, pull_back, variables)

    def _positional(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Give all arguments in order, with defaults for what is missing."""
        try:
            given = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._title}: {error}") from None
        if given.kwargs:
            raise TypeError(
                f"{self._title}: {', '.join(given.kwargs)} can only be given by name, and has no "
                "place among the gradients: let the function take it by position"
            )
        given.apply_defaults()
        return given.args

    def _of_variables(self, args: Any, shares: Any, wanted: set[int]) -> list[Any]:
        """Pick from the arguments' gradients those of variables, by their id."""
        found = []

        def take(where: str, x: Any, share: Any = None) -> None:
            if id(x) not in wanted:
                return
            if share is not None:
                share = np.asarray(share, x.dtype) if type(share) in NUMBERS else share
                gave = f"{where}, {describe(x)}: backward gave {describe(share)}"
                dtype = getattr(share, "dtype", None) or np.asarray(share).dtype
                if dtype.kind not in "fiub" and dtype.kind != x.dtype.kind:
                    raise TypeError(f"{gave}, expected real numbers")
                if np.shape(share) != x.shape:
                    raise ValueError(f"{gave}, expected that shape")
            found.append(share)

        for i, (arg, share) in enumerate(zip(args, shares, strict=True)):
            where = f"{self._title}: the gradient of argument {i}"
            map_leaves(take, where, arg, *([] if share is None else [share]))
        return found


_CHECKPOINT = Operation("checkpoint", module=__name__)


@defines(_CHECKPOINT)
def checkpoint(function: Function) -> Function:
    """Give the function that forgets its intermediate values, and computes them again to go back.

    That takes time for memory: of `checkpoint(f)(x)` the graph keeps x and the output. Tensors that
    f uses without being given them, such as a module's weights, get their gradients as well.
    (A. Griewank and A. Walther, "Algorithm 799: revolve", 2000.)

    The second computation has to give what the first did: `backward` raises RuntimeError where f
    draws random numbers, or something that it uses has been changed. Of Dask arrays, which keep no
    intermediate values, the function is what it was.

    >>> x = Tensor(2.0)
    >>> checkpoint(lambda x: (x * x).exp())(x).backward()
    >>> float(x.grad.round(3))
    218.393
    """
    name = name_of(function)

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        given = _variables(args)
        plans = any(
            kind_of(x._value).plans for x in leaves([args, kwargs]) if isinstance(x, Tensor)
        )
        if plans or not is_grad_enabled():
            return function(*args, **kwargs)
        before = Tensor(0.0).clone()._order
        twins = [_leaf(x) for x in given]
        first = function(*_with(args, given, twins), **kwargs)
        others = [x for x in _made_before(leaves(first), before) if x not in set(twins)]
        values = [y.detach() for y in _tracked(first)]
        if not values:
            return first

        def pull_back(grad: Any, *inputs: Tensor) -> list[Any]:
            again = inputs[0].requires_grad  # for a derivative of the derivative
            with enable_grad():
                variables = [x.clone() if again else _leaf(x) for x in inputs[: len(given)]]
                outputs = _tracked(function(*_with(args, given, variables), **kwargs))
            if len(outputs) != len(values) or not all(map(_same, outputs, values)):
                raise RuntimeError(
                    f"checkpoint({name}): the second time it gave something else: it draws "
                    "random numbers, or what it uses was changed before backward"
                )
            return sweep(outputs, grad, [*variables, *others], create_graph=again)

        recorded = iter(_record(_CHECKPOINT, lambda *_: values, pull_back, [*given, *others]))
        return map_leaves(lambda _, y: next(recorded) if _is_tracked(y) else y, "", first)

    return checkpointed


def _is_tracked(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _tracked(tree: Any) -> list[Tensor]:
    return [x for x in leaves(tree) if _is_tracked(x)]


def _same(x: Tensor, y: Tensor) -> bool:
    return np.array_equal(x._value, y._value, equal_nan=True)


def name_of(function: Function) -> str:
    """Name a function, also one that functools.partial made, or an object that is called."""
    inner = getattr(function, "func", function)
    name: str = getattr(inner, "__name__", type(inner).__name__)
    return name


def _record(op: Operation, compute: Function, pull_back: Function, variables: list[Any]) -> Any:
    """Record a function of `variables` as one operation.

    `compute(*variables)` gives a tree of tensors, and `pull_back(grad, *variables)`, with a tree of
    gradients, a list of one gradient for each variable.
    """
    ends = np.cumsum([x.size for x in variables]).tolist()
    structure: list[Any] = []

    def apart(row: Any) -> list[Any]:
        if len(variables) == 1:
            return [row]
        parts = [row[end - x.size : end] for end, x in zip(ends, variables, strict=True)]
        return [
            cast(part.reshape(x.shape), x.dtype) for part, x in zip(parts, variables, strict=True)
        ]

    def in_a_row(arrays: Sequence[Any]) -> Any:
        if len(variables) == 1:
            return arrays[0]
        return np.concatenate([np.reshape(array, -1) for array in arrays])

    def function(row: Any) -> Any:
        with no_grad():
            structure[:] = [compute(*map(_constant, apart(row)))]
        arrays = [_value(y) for y in leaves(structure[0])]
        return arrays[0] if len(arrays) == 1 else tuple(arrays)

    def rule(grad: Any, _out: Any, row: Any) -> Any:
        grads = (g if g is None else conj(g) for g in (grad if isinstance(grad, tuple) else [grad]))
        tree = map_leaves(lambda _, _y: _constant(next(grads)), "", structure[0])
        again = isinstance(row, Node)
        shares = pull_back(tree, *(apart(row) if again else map(_constant, apart(row))))
        joined = in_a_row(
            [
                np.zeros_like(x._value) if share is None else share
                for share, x in zip(shares, variables, strict=True)
            ]
        )
        return conj(joined if again else _value(joined))

    out = apply_own(op, function, (rule,), (in_a_row(variables),))
    parts = iter(out if isinstance(out, tuple) else (out,))
    return map_leaves(lambda _, _y: next(parts), "", structure[0])


def _is_variable(x: Any) -> bool:
    return _is_tracked(x) and is_grad_enabled()


def _variables(args: Any) -> list[Any]:
    return [x for x in leaves(args) if _is_variable(x)]


def _with(args: Any, variables: Sequence[Any], values: Any) -> Any:
    """Put values in the place of variables."""
    by_id = dict(zip(map(id, variables), values, strict=True))
    return map_leaves(lambda _, x: by_id.get(id(x), x), "", args)


def _value(x: Any) -> Any:
    return x._value if isinstance(x, Node) else x


def _constant(x: Any) -> Any:
    """Make a tensor of an array, without a copy; a tensor, or None, stays what it is."""
    if x is None or isinstance(x, Node):
        return x
    tensor = object.__new__(Tensor)
    tensor._begin(x, None, False, None)
    return tensor


def _leaf(x: Tensor) -> Tensor:
    """Give a tensor of the same values that begins a graph of its own."""
    twin = x.detach()
    twin.requires_grad = True
    return twin


def _made_before(outputs: Sequence[Any], order: int) -> list[Any]:
    """List the tensors that the outputs were computed from, and that were there before."""
    found, steps = dict[Any, None](), list[Any](outputs)
    seen = set[Node]()
    for x in steps:  # which grow on the way
        if isinstance(x, Node) and x._requires_grad and x not in seen:
            seen.add(x)
            if x._children and x._order > order:
                steps.extend(x._children)
            else:
                found[x] = None
    return list(found)
