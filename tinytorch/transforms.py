"""Transforms: from a function to its derivative, which is a function again.

    grad(f)(x)        the gradient of f at x
    jacobian(f)(x)    all first derivatives, and hessian(f)(x) all second ones
    vjp(f, x)         f(x), and the function v -> v @ J; jvp(f, [x], [v]) gives f(x) and J @ v
    hvp(f, [x], [v])  the Hessian times v

The names and signatures are JAX's, where it has them. Arguments are floats, floating arrays or
tensors, or lists, tuples and dicts of them, nested at will; f sees tensors in their place and gives
tensors. The results are plain NumPy arrays and numbers, zeros where f doesn't depend on x.

Transforms nest: inside a function that is being differentiated the results are tensors, which pass
gradients on. No two levels get confused, since each gives f new tensors for its own arguments, and
a gradient goes to a tensor, not to a value. `no_grad` around a transform does not stop it; inside f
it makes what is computed there, transforms included, a constant.

Outside of another transform the results are values: to a tensor that f closes over, such as a
module's weight, no gradient flows from what is computed from them. `autograd.grad` with
`create_graph=True` gives gradients that pass it on.
A tensor that f keeps for its next call is a constant there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, overload

import numpy as np

from tinytorch.arrays.batch import Batch
from tinytorch.arrays.kind import NUMPY, kind_of, own
from tinytorch.autograd import seed, sweep
from tinytorch.engine import Array, topological_order
from tinytorch.grad_mode import in_transform, run_in_transform
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves, map_leaves

Function: TypeAlias = Callable[..., Any]
Argnums: TypeAlias = int | Sequence[int]

FloatT = TypeVar("FloatT", bound=float)
ArrayT = TypeVar("ArrayT", bound=Array)


class Derivative(Protocol):
    """A function of x whose result has the type of x; where x is a tensor it is one in transforms.

    Only a type checker looks at it.
    """

    @overload
    def __call__(self, x: FloatT, /, *args: Any, **kwargs: Any) -> FloatT: ...
    @overload
    def __call__(self, x: ArrayT, /, *args: Any, **kwargs: Any) -> ArrayT: ...
    @overload
    def __call__(self, x: Any, /, *args: Any, **kwargs: Any) -> Any: ...


class ValueAndGradient(Protocol):
    """A function of x whose result is a value, and a gradient with the type of x."""

    @overload
    def __call__(self, x: FloatT, /, *args: Any, **kwargs: Any) -> tuple[Any, FloatT]: ...
    @overload
    def __call__(self, x: ArrayT, /, *args: Any, **kwargs: Any) -> tuple[Any, ArrayT]: ...
    @overload
    def __call__(self, x: Any, /, *args: Any, **kwargs: Any) -> tuple[Any, Any]: ...


# A sweep for a Jacobian takes so many rows at once that its gradients have about as many entries.
_BATCHED_ENTRIES = 2**23


def title_of(transform: str, f: Function, argnums: Argnums = 0) -> str:
    """Name a transform of `f`, for messages. Raises TypeError if `f` is no function."""
    if not callable(f):
        raise TypeError(f"{transform}: expected a function, got {describe(f)}")
    title = f"{transform}({getattr(f, '__name__', type(f).__name__)})"
    numbers = argnums if isinstance(argnums, Sequence) else [argnums]
    if not all(isinstance(number, int) for number in numbers):
        raise TypeError(
            f"{title}: argnums says which arguments to differentiate by, as in 0 or (0, 1), got "
            f"{describe(argnums)}; the derivative is a function, which is called with values: "
            f"{title}(x)"
        )
    return title


def _derived(title: str, f: Function) -> Callable[[Function], Function]:
    """Give a derivative of `f` its signature, and a name."""

    def rename(derivative: Function) -> Function:
        functools.update_wrapper(derivative, f)
        derivative.__name__ = derivative.__qualname__ = title
        return derivative

    return rename


def call_on_tensors(
    title: str, f: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Call `f` with new tensors for the arguments numbered; give its output, and those tensors."""

    def variable(where: str, leaf: Any) -> Tensor:
        dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        if dtype.kind != "f":
            raise TypeError(
                f"{where}: a derivative needs floating values, as in 3.0 or x.astype(float), "
                f"got {describe(leaf)}"
            )
        # A copy that passes gradients on, for the transform around this one.
        x = leaf.clone() if isinstance(leaf, Tensor) and in_transform() else Tensor(leaf)
        x.requires_grad = True
        made.append(x)
        return x

    made: list[Tensor] = []
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    try:
        numbers = [range(len(args))[i] for i in numbers]
    except IndexError:
        raise ValueError(
            f"{title}: there is no argument {argnums} to differentiate by: "
            f"{len(args)} positional arguments were given"
        ) from None
    variables = {i: map_leaves(variable, f"{title}: argument {i}", args[i]) for i in numbers}
    given = [variables.get(i, x) for i, x in enumerate(args)]
    output = run_in_transform(f, made, *given, **kwargs)
    output = map_leaves(_tensor, f"{title}: the output", output)
    chosen = tuple(variables[i] for i in numbers)
    return output, chosen[0] if isinstance(argnums, int) else chosen


def _tensor(where: str, leaf: Any) -> Tensor:
    if isinstance(leaf, Tensor):
        if in_transform(leaf) and not in_transform():
            raise TypeError(
                f"{where} depends on a variable of a transform in another thread, which would lose "
                "its gradient without a word: contextvars.copy_context().run(...) in this thread "
                "lets it know of that transform"
            )
        return leaf
    raise TypeError(
        f"{where} is {describe(leaf)}, expected a tensor: a plain array, float(), .item() and the "
        "math module lose the gradient; a constant is written Tensor(3.0)"
    )


def _pull(outputs: Sequence[Tensor], seeds: Sequence[Tensor], variables: Any) -> Any:
    """Give the gradients of `sum(output * seed)` in the structure of `variables`."""
    found = sweep(outputs, seeds, leaves(variables), create_graph=in_transform())
    remaining = iter(found)
    return map_leaves(lambda _where, x: _result(next(remaining), x), "", variables)


def _result(value: Any, like: Tensor) -> Any:
    """Hand over a gradient, zeros for None: a tensor to a transform around, else a plain value."""
    if value is None:
        value = np.zeros_like(like._value)
    if in_transform():
        return value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)
    # A copy, since rules may pass on what they were given; and a number if it has no axes.
    return value.copy()[()]


def _primals(output: Any) -> Any:
    """Hand over the values of the outputs."""

    def primal(_where: str, y: Tensor) -> Any:
        return _result(y if in_transform() else kind_of(y._value).known(y._value), y)

    return map_leaves(primal, "", output)


def _in_memory(results: Any, variables: Any) -> Any:
    """Compute, all together, results that come as plans where no argument was one."""
    arrays = leaves(results)
    kind = kind_of(*arrays)
    if kind is NUMPY or kind_of(*[x._value for x in leaves(variables)]) is kind:
        return results
    settled = iter(kind.settle(arrays, [None] * len(arrays)))
    return map_leaves(lambda _where, _array: next(settled)[()], "", results)


def _ones(output: Tensor) -> Tensor:
    return Tensor(np.ones_like(output._value), requires_grad=False)


# --- gradients ------------------------------------------------------------------------------------


@overload
def grad(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def grad(f: Function, argnums: Argnums) -> Function: ...
def grad(f: Function, argnums: Argnums = 0) -> Function:
    """Give the function that computes the gradient of f, which has a single entry.

    With x the argument numbered `argnums`, the gradient is df/dx, of the structure and the shapes
    of x; a tuple of numbers gives a tuple of gradients.

    Raises TypeError, when called, for an argument that isn't floating and for an output that isn't
    a tensor of a single entry; ValueError for an argument that isn't there.

    >>> grad(lambda x: x**3)(2.0)
    np.float64(12.0)
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    title = title_of("grad", f, argnums)

    @_derived(title, f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _gradient(title, f, argnums, *args, **kwargs)

    return gradient


@overload
def value_and_grad(f: Function, argnums: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(f: Function, argnums: Argnums) -> Function: ...
def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Give the function that computes f and its gradient, as a pair; else as `grad`.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """
    title = title_of("value_and_grad", f, argnums)

    @_derived(title, f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        return _value_and_grad(title, f, argnums, args, kwargs)

    return value_and_gradient


def _value_and_grad(
    title: str, f: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    output, variables = call_on_tensors(title, f, argnums, args, kwargs)
    if not isinstance(output, Tensor) or output.size != 1:
        raise TypeError(
            f"{title}: the output is {describe(output)}, expected a single entry; "
            "jacobian and elementwise_grad take outputs of more, or sum them"
        )
    gradient = _pull([output], [_ones(output)], variables)  # which may compute the output as well
    return _in_memory(_primals(output), variables), gradient


def _gradient(title: str, f: Function, argnums: Argnums, *args: Any, **kwargs: Any) -> Any:
    return _value_and_grad(title, f, argnums, args, kwargs)[1]


@overload
def elementwise_grad(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def elementwise_grad(f: Function, argnums: Argnums) -> Function: ...
def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Give the derivative of a function that works entry by entry, for every entry at once.

    That is `df(x)[i]/dx[i]`, of the shape of x. It is computed as the gradient of `f(x).sum()`,
    which is the same as long as `f(x)[i]` depends on no other entry of x than `x[i]`.

    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    title = title_of("elementwise_grad", f, argnums)

    @_derived(title, f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        output, variables = call_on_tensors(title, f, argnums, args, kwargs)
        outputs = leaves(output)
        return _pull(outputs, [_ones(y) for y in outputs], variables)

    return derivative


# --- products with Jacobians ----------------------------------------------------------------------


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Compute `f(*primals)`, and give with it the function that pulls gradients back through f.

    `pullback(v)`, where v has the structure and shapes of the output, is the vector-Jacobian
    product: for each of the primals the gradient of `(f(*primals) * v).sum()`, in a tuple. It can
    be called more than once.

    Raises TypeError for a primal that isn't floating, and for an output that isn't made of tensors;
    the pullback raises ValueError for another structure or shape.

    >>> out, pullback = vjp(lambda x, y: x * y, 2.0, np.array([3.0, 4.0]))
    >>> out, pullback(np.array([1.0, 10.0]))
    (array([6., 8.]), (np.float64(43.0), array([ 2., 20.])))
    """
    title = title_of("vjp", f)
    output, variables, pullback = _vjp(title, f, primals, "cotangent")
    return _in_memory(_primals(output), variables), pullback


def _vjp(title: str, f: Function, primals: Sequence[Any], name: str) -> tuple[Any, Any, Function]:
    output, variables = call_on_tensors(title, f, range(len(primals)), primals, {})

    def pullback(v: Any) -> Any:
        seeds = map_leaves(
            lambda where, y, part: seed(where, part, y), f"{title}: {name}", output, v
        )
        return _pull(leaves(output), leaves(seeds), variables)

    return output, variables, pullback


def jvp(f: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Compute `f(*primals)`, and how fast it changes when the primals change by the tangents.

    The latter is the Jacobian-vector product `J @ v`, of the shape of the output. A pullback is
    linear, `v -> v @ J`, so that its own Jacobian is J transposed, and pulling back through the
    pullback gives `J @ v`. Both take a tuple or list, one item for each argument, or the only one.

    Raises TypeError for primals and tangents that aren't floating, and for an output that isn't
    made of tensors; ValueError for tangents of another structure or shape.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.1))
    (np.float64(10.0), np.float64(5.2))
    """
    title = title_of("jvp", f)
    primals = _arguments(primals)
    output, variables = call_on_tensors(title, f, range(len(primals)), primals, {})
    directions = map_leaves(
        lambda where, x, v: seed(where, v, x), f"{title}: tangents", variables, _arguments(tangents)
    )
    outputs = leaves(output)
    weights = [Tensor(np.ones_like(y._value)) for y in outputs]
    pulled = run_in_transform(
        sweep, weights, outputs, weights, leaves(variables), create_graph=True
    )
    # Where a gradient is no tensor, it doesn't depend on the weights.
    pairs = zip(pulled, leaves(directions), strict=True)
    linear = [(gradient, v) for gradient, v in pairs if isinstance(gradient, Tensor)]
    slopes = sweep(
        [gradient for gradient, _ in linear],
        [v for _, v in linear],
        weights,
        create_graph=in_transform(),
    )
    remaining = iter(slopes)
    slope = map_leaves(lambda _where, y: _result(next(remaining), y), "", output)
    primal, tangent = _in_memory((_primals(output), slope), variables)
    return primal, tangent


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """Compute `H @ v`, the Hessian of f at the primals times the tangents, without the Hessian.

    f has a single entry. Primals and tangents are given as to `jvp`; the result has the structure
    of the only argument, or is a tuple for several. The Hessian is symmetric, so that pulling v
    back through `grad(f)` gives what pushing it forward would.

    Raises TypeError and ValueError as `grad` and `jvp` do.

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    title = title_of("hvp", f)
    primals = _arguments(primals)
    numbers = range(len(primals))
    gradient = functools.partial(_gradient, title, f, numbers)
    _, _, pullback = _vjp(title, gradient, primals, "tangents")
    products = pullback(_arguments(tangents))
    return products[0] if len(products) == 1 else products


def _arguments(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, list | tuple) else (values,)


# --- all derivatives ------------------------------------------------------------------------------


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Give the function that computes every derivative of every entry of f.

    For an argument x that is `J[i, j] = df(x)[i]/dx[j]`, of shape `f(x).shape + x.shape`. Where the
    output or the argument is a structure, so is the result: the output's, with the argument's in
    place of each leaf. A tuple `argnums` counts as one argument, which is a tuple.

    Raises TypeError and ValueError as `grad` does, but for the size of the output.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    title = title_of("jacobian", f, argnums)

    @_derived(title, f)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(*call_on_tensors(title, f, argnums, args, kwargs))

    return derivatives


@overload
def hessian(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def hessian(f: Function, argnums: Argnums) -> Function: ...
def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """Give the function that computes all second derivatives of f, which has a single entry.

    For an argument x that is `H[i, j] = d2f/dx[i]dx[j]`, of shape `x.shape + x.shape`; structures
    as in `jacobian`.

    Raises TypeError and ValueError as `grad` does.

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    title = title_of("hessian", f, argnums)
    gradient = functools.partial(_gradient, title, f, argnums)

    @_derived(title, f)
    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(*call_on_tensors(title, gradient, argnums, args, kwargs))

    return second_derivatives


def _jacobian(output: Any, variables: Any) -> Any:
    inputs = leaves(variables)

    def blocks(_where: str, y: Tensor) -> Any:
        if in_transform():
            found = _rows_by_tensors(y, inputs)
        elif kind_of(y._value).takes_batches:
            found = _rows_by_batch(y, inputs)
        else:
            rows = [row._value for row in _rows_by_tensors(y, inputs)]
            found = kind_of(y._value).settle(rows, [x._value for x in inputs])
        remaining = iter(found)
        return map_leaves(lambda _where, _x: next(remaining), "", variables)

    return map_leaves(blocks, "", output)


def _rows_by_tensors(y: Tensor, inputs: Sequence[Tensor]) -> list[Any]:
    """Sweep once for each entry of y, so that every row can be differentiated again."""
    units = [Tensor(unit, requires_grad=False) for unit in _units(y, 0, y.size)]
    rows = [sweep([y], [unit], inputs, create_graph=True) for unit in units]
    return [
        np.concatenate(
            [Tensor(np.zeros_like(x._value, shape=(0, *x.shape)))]
            + [_result(row[i], x)[None] for row in rows]
        ).reshape(y.shape + x.shape)
        for i, x in enumerate(inputs)
    ]


def _rows_by_batch(y: Tensor, inputs: Sequence[Tensor]) -> list[Any]:
    """Sweep once for as many entries of y as memory should be spent on."""
    found = [np.zeros_like(x._value, shape=(y.size, *x.shape)) for x in inputs]
    step = 1 + _BATCHED_ENTRIES // (1 + sum(node._value.size for node in topological_order([y])))
    for start in range(0, y.size, step):
        batch = Batch(np.moveaxis(_units(y, start, step), 0, -1))
        for rows, part in zip(found, sweep([y], [batch], inputs, create_graph=False), strict=True):
            if part is not None:
                rows[start : start + step] = np.moveaxis(part.stacked, -1, 0)
    return [rows.reshape(y.shape + x.shape)[()] for rows, x in zip(found, inputs, strict=True)]


def _units(y: Tensor, start: int, count: int) -> Array:
    """Give arrays like y that are 1 in one of its entries, from the entry `start` on."""
    count = min(count, y.size - start)
    units: Array = own(np.eye(count, y.size, start, dtype=y.dtype), y)
    return units.reshape(count, *y.shape)
