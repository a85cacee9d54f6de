"""All derivatives at once: Jacobians and Hessians."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.autograd import sweep
from tinytorch.engine import Array, topological_order
from tinytorch.grad_mode import in_transform
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Argnums,
    Function,
    call_on_tensors,
    derived,
    result_of,
    title_of,
)
from tinytorch.transforms.gradients import Derivative, gradient_of
from tinytorch.transforms.vmap import vmap
from tinytorch.trees import leaves, map_leaves

# A sweep for a Jacobian takes so many rows at once that its gradients have about as many entries.
_BATCHED_ENTRIES = 2**23


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
    title = title_of("jacobian", f)

    @derived(title, f)
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
    title = title_of("hessian", f)
    gradient = functools.partial(gradient_of, title, f, argnums)

    @derived(title, f)
    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        return _jacobian(*call_on_tensors(title, gradient, argnums, args, kwargs))

    return second_derivatives


def _jacobian(output: Any, variables: Any) -> Any:
    inputs = leaves(variables)

    def blocks(_where: str, y: Tensor) -> Any:
        remaining = iter(_rows(y, inputs))
        return map_leaves(lambda _where, _x: next(remaining), "", variables)

    return map_leaves(blocks, "", output)


def _rows(y: Tensor, inputs: Sequence[Tensor]) -> list[Any]:
    """Give for each input the gradients of all entries of y, along first axes of y's shape."""

    def pulled(unit: Tensor) -> list[Any]:
        found = sweep([y], [unit], inputs, create_graph=in_transform())
        return [result_of(share, x) for share, x in zip(found, inputs, strict=True)]

    kind, rows = kind_of(y._value), []
    if not kind.takes_batches:
        units = [Tensor(unit, requires_grad=False) for unit in _units(y, 0, y.size)]
        rows = [np.stack(column) for column in zip(*map(pulled, units), strict=True)]
        if not in_transform():
            rows = kind.settle(rows, [x._value for x in inputs])
    elif y.size:
        # For as many entries of y at once as memory should be spent on.
        entries = 1 + sum(node._value.size for node in topological_order([y]))
        step = 1 + _BATCHED_ENTRIES // entries
        starts = range(0, y.size, step)
        parts = zip(*[vmap(pulled)(_units(y, start, step)) for start in starts], strict=True)
        rows = [np.concatenate(part) if len(part) > 1 else part[0] for part in parts]
    rows = rows or [result_of(np.empty((0, *x.shape), x.dtype), x) for x in inputs]
    return [row.reshape(y.shape + x.shape)[()] for row, x in zip(rows, inputs, strict=True)]


def _units(y: Tensor, start: int, count: int) -> Array:
    """Give arrays like y that are 1 in one of its entries, from the entry `start` on."""
    count = min(count, y.size - start)
    return np.eye(count, y.size, start, dtype=y.dtype).reshape(count, *y.shape)
