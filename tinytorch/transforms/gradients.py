"""Gradients of functions: `grad`, `value_and_grad`, `elementwise_grad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar, overload

from tinytorch.engine import Array
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Argnums,
    Function,
    call_on_tensors,
    derived,
    in_memory,
    ones_of,
    primals_of,
    pull_back,
    title_of,
)
from tinytorch.trees import leaves

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
    title = title_of("grad", f)

    @derived(title, f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return gradient_of(title, f, argnums, *args, **kwargs)

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
    title = title_of("value_and_grad", f)

    @derived(title, f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        return value_and_gradient_of(title, f, argnums, args, kwargs)

    return value_and_gradient


def value_and_gradient_of(
    title: str, f: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Call a function of a single entry; give its value and its gradient."""
    output, variables = call_on_tensors(title, f, argnums, args, kwargs)
    if not isinstance(output, Tensor) or output.size != 1:
        raise TypeError(
            f"{title}: the output is {describe(output)}, expected a single entry; "
            "jacobian and elementwise_grad take outputs of more, or sum them"
        )
    gradient = pull_back(
        [output], [ones_of(output)], variables
    )  # which may compute the output as well
    return in_memory(primals_of(output), variables), gradient


def gradient_of(title: str, f: Function, argnums: Argnums, *args: Any, **kwargs: Any) -> Any:
    """Give the gradient of a function of a single entry."""
    return value_and_gradient_of(title, f, argnums, args, kwargs)[1]


@overload
def elementwise_grad(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def elementwise_grad(f: Function, argnums: Argnums) -> Function: ...
def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Give the derivative of a function that works entry by entry, for every entry at once.

    That is `df(x)[i]/dx[i]`, of the shape of x. It is computed as the gradient of `f(x).sum()`,
    which is the same as long as `f(x)[i]` depends on no other entry of x than `x[i]`.

    >>> elementwise_grad(lambda x: x**3)(Tensor([1.0, 2.0]))
    array([ 3., 12.])
    """
    title = title_of("elementwise_grad", f)

    @derived(title, f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        output, variables = call_on_tensors(title, f, argnums, args, kwargs)
        outputs = leaves(output)
        return pull_back(outputs, [ones_of(y) for y in outputs], variables)

    return derivative
