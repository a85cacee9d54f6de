"""Products with Jacobians and Hessians, without the matrices: `vjp`, `jvp`, `hvp`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd import seed, sweep
from tinytorch.grad_mode import in_transform, run_in_transform
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Function,
    call_on_tensors,
    in_memory,
    primals_of,
    pull_back,
    result_of,
    title_of,
)
from tinytorch.transforms.gradients import gradient_of
from tinytorch.trees import leaves, map_leaves


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
    output, variables, pullback = pullback_of(title, f, primals, "cotangent")
    return in_memory(primals_of(output), variables), pullback


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

    The latter is the Jacobian-vector product `J @ v`, of the shape of the output. A pullback is
    linear, `v -> v @ J`, so that its own Jacobian is J transposed, and pulling back through the
    pullback gives `J @ v`. Both take a tuple or list, one item for each argument, or the only one.

    Raises TypeError for primals and tangents that aren't floating, and for an output that isn't
    made of tensors; ValueError for tangents of another structure or shape.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.1))
    (np.float64(10.0), np.float64(5.2))
    """
    title = title_of("jvp", f)
    primals = arguments_of(primals)
    output, variables = call_on_tensors(title, f, range(len(primals)), primals, {})
    directions = map_leaves(
        lambda where, x, v: seed(where, v, x),
        f"{title}: tangents",
        variables,
        arguments_of(tangents),
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
    slope = map_leaves(lambda _where, y: result_of(next(remaining), y), "", output)
    primal, tangent = in_memory((primals_of(output), slope), variables)
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
    primals = arguments_of(primals)
    numbers = range(len(primals))
    gradient = functools.partial(gradient_of, title, f, numbers)
    _, _, pullback = pullback_of(title, gradient, primals, "tangents")
    products = pullback(arguments_of(tangents))
    return products[0] if len(products) == 1 else products


def arguments_of(values: Any) -> tuple[Any, ...]:
    """Give the arguments that came in a list or tuple, or the only one as it came."""
    return tuple(values) if isinstance(values, list | tuple) else (values,)
