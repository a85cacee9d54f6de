"""Gradients of functions: `grad`, `value_and_grad`, `elementwise_grad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar, overload

from tinytorch.engine import Array
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Argnames,
    Argnums,
    Function,
    Wanted,
    call_on_tensors,
    derived,
    in_memory,
    ones_of,
    parted,
    primals_of,
    pull_back,
    title_of,
    wanted_of,
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
def grad(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function: ...
def grad(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function:
    """Give the function that computes the gradient of f, which has a single entry.

    With x the argument numbered `argnums`, the gradient is df/dx, of the structure and the shapes
    of x; a tuple of numbers gives a tuple of gradients. `argnames`, a name or a tuple of them, says
    the same of arguments by name. All others are given to f as they are, whole numbers and text
    too. With `has_aux` f gives a pair, and what comes second is given beside the gradient.

    Raises TypeError, when called, for an argument that isn't floating and for an output that isn't
    a tensor of a single entry; ValueError for an argument that isn't there.

    >>> grad(lambda x: x**3)(2.0)
    np.float64(12.0)
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    >>> grad(lambda x, n: (x**n, n + 1), has_aux=True, argnames="x")(2.0, n=3)
    (np.float64(12.0), 4)
    """
    title = title_of("grad", f)
    wanted = wanted_of(title, argnums, argnames)

    @derived(title, f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        main, with_aux = parted(title, f, has_aux)
        return with_aux(gradient_of(title, main, wanted, *args, **kwargs))

    return gradient


@overload
def value_and_grad(f: Function, argnums: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function: ...
def value_and_grad(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function:
    """Give the function that computes f and its gradient, as a pair; else as `grad`.

    With `has_aux` the value is the pair that f gives.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """
    title = title_of("value_and_grad", f)
    wanted = wanted_of(title, argnums, argnames)

    @derived(title, f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        main, with_aux = parted(title, f, has_aux)
        value, gradient = value_and_gradient_of(title, main, wanted, args, kwargs)
        return with_aux(value), gradient

    return value_and_gradient


def value_and_gradient_of(
    title: str, f: Function, wanted: Wanted, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Call a function of a single entry; give its value and its gradient."""
    output, variables = call_on_tensors(title, f, wanted, args, kwargs)
    if not isinstance(output, Tensor) or output.size != 1:
        raise TypeError(
            f"{title}: the output is {describe(output)}, expected a single entry; "
            "jacobian and elementwise_grad take outputs of more, or sum them"
        )
    _refuse_complex(title, output)
    # Which may compute the output as well.
    gradient = pull_back([output], [ones_of(output)], variables)
    return in_memory(primals_of(output), variables), gradient


def _refuse_complex(title: str, output: Tensor) -> None:
    if output.dtype.kind == "c":
        raise TypeError(
            f"{title}: the output is complex, and only real numbers have a gradient: take its "
            ".real, .imag or .abs(); jacobian gives the derivative of a holomorphic function"
        )


def gradient_of(title: str, f: Function, wanted: Wanted, *args: Any, **kwargs: Any) -> Any:
    """Give the gradient of a function of a single entry."""
    return value_and_gradient_of(title, f, wanted, args, kwargs)[1]


@overload
def elementwise_grad(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def elementwise_grad(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function: ...
def elementwise_grad(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function:
    """Give the derivative of a function that works entry by entry, for every entry at once.

    That is `df(x)[i]/dx[i]`, of the shape of x. It is computed as the gradient of `f(x).sum()`,
    which is the same as long as `f(x)[i]` depends on no other entry of x than `x[i]`.

    >>> elementwise_grad(lambda x: x**3)(Tensor([1.0, 2.0]))
    array([ 3., 12.])
    """
    title = title_of("elementwise_grad", f)
    wanted = wanted_of(title, argnums, argnames)

    @derived(title, f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        output, variables = call_on_tensors(title, f, wanted, args, kwargs)
        outputs = leaves(output)
        for y in outputs:
            _refuse_complex(title, y)
        return pull_back(outputs, [ones_of(y) for y in outputs], variables)

    return derivative
