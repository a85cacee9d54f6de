"""Products with Jacobians and Hessians, without the matrices: `vjp`, `jvp`, `linearize`, `hvp`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd import seed, sweep
from tinytorch.grad_mode import in_transform, run_in_transform
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Function,
    call_on_tensors,
    in_memory,
    parted,
    primals_of,
    pull_back,
    result_of,
    title_of,
)
from tinytorch.transforms.gradients import gradient_of
from tinytorch.trees import leaves, map_leaves


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Compute `f(*primals)`, and give with it the function that pulls gradients back through f.

    `pullback(v)`, where v has the structure and shapes of the output, is the vector-Jacobian
    product: for each of the primals the gradient of `(f(*primals) * v).sum()`, in a tuple. It can
    be called more than once. With `has_aux` f gives a pair, and its second part comes third.

    Raises TypeError for a primal that isn't floating, and for an output that isn't made of tensors;
    the pullback raises ValueError for another structure or shape.

    >>> out, pullback = vjp(lambda x, y: x * y, 2.0, np.array([3.0, 4.0]))
    >>> out, pullback(np.array([1.0, 10.0]))
    (array([6., 8.]), (np.float64(43.0), array([ 2., 20.])))
    """
    title = title_of("vjp", f)
    main, with_aux = parted(title, f, has_aux)
    output, variables, pullback = pullback_of(title, main, primals, "cotangent")
    return with_aux(in_memory(primals_of(output), variables), pullback)


def pullback_of(
    title: str, f: Function, primals: Sequence[Any], name: str
) -> tuple[Any, Any, Function]:
    """Call a function; give its output, its variables and its pullback."""
    output, variables = call_on_tensors(title, f, range(len(primals)), primals, {})

    def pullback(v: Any) -> Any:
        seeds = map_leaves(
            lambda where, y, part: seed(where, part, y), f"{title}: {name}", output, v
        )
        return pull_back(leaves(output), leaves(seeds), variables)

    return output, variables, pullback


def jvp(f: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Compute `f(*primals)`, and how fast it changes when the primals change by the tangents.

    The latter is the Jacobian-vector product `J @ v`, of the shape of the output. Both are given as
    a tuple or list, one item for each argument, or as the only one. It is `linearize` for a single
    direction: two passes back, some three gradients' time, in place of one forward, for which each
    operation would need rules of its own.

    Raises TypeError for primals and tangents that aren't floating, and for an output that isn't
    made of tensors; ValueError for tangents of another structure or shape.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.1))
    (np.float64(10.0), np.float64(5.2))
    """
    title = title_of("jvp", f)
    output, variables, push = pushforward_of(title, f, arguments_of(primals))
    slope = push(arguments_of(tangents))
    primal, tangent = in_memory((primals_of(output), slope), variables)
    return primal, tangent


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Compute `f(*primals)`, and give with it the function `v -> J @ v` that f is nearby.

    `push(*tangents)` takes one tangent for each of the primals, any number of times: f and the
    first pass back are done once. Raises what `jvp` raises.

    >>> out, push = linearize(lambda x: x**3, np.array([1.0, 2.0]))
    >>> out, push(np.array([1.0, 0.0])), push(np.array([0.0, 1.0]))
    (array([1., 8.]), array([3., 0.]), array([ 0., 12.]))
    """
    title = title_of("linearize", f)
    output, variables, push = pushforward_of(title, f, primals)
    return in_memory(primals_of(output), variables), lambda *tangents: push(tangents)


def pushforward_of(title: str, f: Function, primals: Sequence[Any]) -> tuple[Any, Any, Function]:
    """Call a function; give its output, its variables and the function that pushes tangents.

    A pullback is linear, `v -> v @ J`, so that its own Jacobian is J transposed, and pulling back
    through the pullback gives `J @ v`.
    """
    output, variables = call_on_tensors(title, f, range(len(primals)), primals, {})
    transposed = transposed_of(output, variables)

    def push(tangents: Any) -> Any:
        directions = map_leaves(
            lambda where, x, v: seed(where, v, x), f"{title}: tangents", variables, tangents
        )
        remaining = iter(transposed(leaves(directions)))
        return map_leaves(lambda _where, _y: next(remaining), "", output)

    return output, variables, push


def transposed_of(output: Any, variables: Any) -> Callable[[Sequence[Tensor | None]], list[Any]]:
    """Pull weights back, and give the function that pulls back through that.

    It takes a tangent for each leaf of the variables, None for zeros, and gives one for each leaf
    of the output.
    """
    outputs = leaves(output)
    weights = [Tensor(np.ones_like(y._value)) for y in outputs]
    pulled = run_in_transform(
        sweep, weights, outputs, weights, leaves(variables), create_graph=True
    )

    def pull(tangents: Sequence[Tensor | None]) -> list[Any]:
        # Where a gradient is no tensor, it doesn't depend on the weights.
        pairs = [
            (gradient, v)
            for gradient, v in zip(pulled, tangents, strict=True)
            if isinstance(gradient, Tensor) and v is not None
        ]
        slopes = sweep(
            [gradient for gradient, _ in pairs],
            [v for _, v in pairs],
            weights,
            create_graph=in_transform(),
        )
        return [result_of(slope, y) for slope, y in zip(slopes, outputs, strict=True)]

    return pull


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
    primals = arguments_of(primals)
    numbers = range(len(primals))
    gradient = functools.partial(gradient_of, title, f, numbers)
    _, _, pullback = pullback_of(title, gradient, primals, "tangents")
    products = pullback(arguments_of(tangents))
    return products[0] if len(products) == 1 else products


def arguments_of(values: Any) -> tuple[Any, ...]:
    """Give the arguments that came in a list or tuple, or the only one as it came."""
    return tuple(values) if isinstance(values, list | tuple) else (values,)
