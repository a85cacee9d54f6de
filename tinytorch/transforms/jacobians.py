"""All derivatives: Jacobians, Hessians, and the diagonals of Hessians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np

from tinytorch.arrays.checks import surely
from tinytorch.arrays.kind import kind_of, own
from tinytorch.autograd import sweep
from tinytorch.engine import Array, topological_order
from tinytorch.grad_mode import in_transform, run_in_transform
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import (
    Argnames,
    Argnums,
    Function,
    call_on_tensors,
    derived,
    in_memory,
    parted,
    result_of,
    title_of,
    wanted_of,
)
from tinytorch.transforms.gradients import Derivative, gradient_of
from tinytorch.transforms.products import transposed_of
from tinytorch.transforms.vmap import vmap
from tinytorch.trees import leaves, map_leaves

# A sweep for a Jacobian takes so many rows at once that its gradients have about as many entries.
_BATCHED_ENTRIES = 2**23


def jacobian(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function:
    """Give the function that computes every derivative of every entry of f.

    For an argument x that is `J[i, j] = df(x)[i]/dx[j]`, of shape `f(x).shape + x.shape`. Where the
    output or the argument is a structure, so is the result: the output's, with the argument's in
    place of each leaf. A tuple `argnums` counts as one argument, which is a tuple; `argnames` and
    `has_aux` as in `grad`. It takes a pass back for each entry of f, all in one batch (`jacfwd`,
    two passes for each entry of x; its name is `jacrev`, too).

    Of a complex function of complex x it is the derivative of a holomorphic one; ValueError says
    that it is not. A real function of complex x has gradients for rows, df/da + i df/db by a + ib.

    Raises TypeError and ValueError as `grad` does, but for the size of the output.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return _all_derivatives("jacobian", _by_rows, f, argnums, has_aux, argnames)


jacrev = jacobian


def jacfwd(
    f: Function, argnums: Argnums = 0, has_aux: bool = False, argnames: Argnames = None
) -> Function:
    """Give what `jacobian` gives, column by column: for more outputs than inputs.

    >>> jacfwd(lambda x: np.stack([x, x**2, x**3]))(2.0)
    array([ 1.,  4., 12.])
    """
    return _all_derivatives("jacfwd", _by_columns, f, argnums, has_aux, argnames)


def _all_derivatives(
    name: str,
    blocks_of: Function,
    f: Function,
    argnums: Argnums,
    has_aux: bool,
    argnames: Argnames,
) -> Function:
    title = title_of(name, f)
    wanted = wanted_of(title, argnums, argnames)

    @derived(title, f)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        main, with_aux = parted(title, f, has_aux)
        return with_aux(blocks_of(*call_on_tensors(title, main, wanted, args, kwargs)))

    return derivatives


@overload
def hessian(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def hessian(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function: ...
def hessian(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function:
    """Give the function that computes all second derivatives of f, which has a single entry.

    For an argument x that is `H[i, j] = d2f/dx[i]dx[j]`, of shape `x.shape + x.shape`; structures
    as in `jacobian`.

    Raises TypeError and ValueError as `grad` does.

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return _of_gradient("hessian", _by_rows, f, argnums, argnames)


@overload
def hessian_diagonal(f: Function, argnums: Literal[0] = 0) -> Derivative: ...
@overload
def hessian_diagonal(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function: ...
def hessian_diagonal(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function:
    """Give the function that computes `d2f/dx[i]**2` for each entry, of the shape of x.

    It takes as many passes back as `hessian`, in batches, and keeps none of their rows.

    >>> hessian_diagonal(lambda x: (x**3).sum() + x[0] * x[1])(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """
    return _of_gradient("hessian_diagonal", _diagonals, f, argnums, argnames)


def laplacian(f: Function, argnums: Argnums = 0, argnames: Argnames = None) -> Function:
    """Give the function that computes the sum of all `d2f/dx[i]**2`, the trace of the Hessian.

    As `hessian_diagonal`, it keeps no rows of the Hessian.

    >>> laplacian(lambda x: (x**3).sum() + x[0] * x[1])(np.array([1.0, 2.0]))
    np.float64(18.0)
    """

    def total(output: Any, variables: Any) -> Any:
        return sum(diagonal.sum() for diagonal in leaves(_diagonals(output, variables)))

    return _of_gradient("laplacian", total, f, argnums, argnames)


def _of_gradient(
    name: str, blocks_of: Function, f: Function, argnums: Argnums, argnames: Argnames
) -> Function:
    title = title_of(name, f)
    wanted = wanted_of(title, argnums, argnames)

    @derived(title, f)
    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        gradient = functools.wraps(f)(functools.partial(gradient_of, title, f, wanted))
        output, variables = call_on_tensors(title, gradient, wanted, args, kwargs)
        if any(x.dtype.kind == "c" for x in leaves(variables)):
            raise TypeError(
                f"{title}: second derivatives by complex numbers are those by their parts: make f "
                "a function of real arrays (tinytorch.view_as_complex); hvp takes complex ones"
            )
        return blocks_of(output, variables)

    return second_derivatives


# --- row by row, column by column -----------------------------------------------------------------


def _by_rows(output: Any, variables: Any) -> Any:
    inputs = leaves(variables)

    def blocks(_where: str, y: Tensor) -> Any:
        def pulled(unit: Tensor) -> list[Any]:
            found = sweep([y], [unit], inputs, create_graph=in_transform())
            return [result_of(share, x) for share, x in zip(found, inputs, strict=True)]

        rows = _for_each_unit(y, pulled, output, inputs)
        if y.dtype.kind == "c":
            of_imag = _for_each_unit(y, lambda unit: pulled(unit * 1j), output, inputs)
            rows = [
                np.conj(_holomorphic(x, row, other)) if x.dtype.kind == "c" else row + other * 1j
                for x, row, other in zip(inputs, rows, of_imag, strict=True)
            ]
        remaining = iter(rows)
        return map_leaves(
            lambda _where, x: next(remaining).reshape(y.shape + x.shape)[()], "", variables
        )

    return map_leaves(blocks, "", output)


def _by_columns(output: Any, variables: Any) -> Any:
    inputs, outputs, pull = leaves(variables), leaves(output), transposed_of(output, variables)
    columns: list[list[Any]] = []
    for i, x in enumerate(inputs):

        def pushed(unit: Tensor, i: int = i) -> list[Any]:
            return pull([unit if i == j else None for j in range(len(inputs))])

        found = _for_each_unit(x, pushed, output, outputs)
        if x.dtype.kind == "c":

            def turned(unit: Tensor, pushed: Any = pushed) -> list[Any]:
                columns: list[Any] = pushed(unit * 1j)
                return columns

            across = _for_each_unit(x, turned, output, outputs)
            found = [
                _holomorphic(x, column, other) if y.dtype.kind == "c" else column + other * 1j
                for y, column, other in zip(outputs, found, across, strict=True)
            ]
        columns.append(
            [
                np.moveaxis(column, 0, -1).reshape(y.shape + x.shape)[()]
                for column, y in zip(found, outputs, strict=True)
            ]
        )
    # For each output a tree of the inputs.
    rows = iter(zip(*columns, strict=True))

    def blocks(_where: str, _y: Tensor) -> Any:
        remaining = iter(next(rows))
        return map_leaves(lambda _where, _x: next(remaining), "", variables)

    return in_memory(map_leaves(blocks, "", output), variables)


def _holomorphic(x: Tensor, derivative: Any, turned: Any) -> Any:
    """Give a derivative by complex x, if that in the direction i, `turned`, is i times as much.

    These are the equations of Cauchy and Riemann. Raises ValueError where they do not hold.
    """
    wrong = np.abs(turned - derivative * 1j) > np.sqrt(np.finfo(x.dtype).eps) * (
        1 + np.abs(derivative)
    )
    if surely(wrong.any()):
        raise ValueError(
            f"jacobian: the output is no holomorphic function of {describe(x)}, and has no complex "
            "derivative: take the jacobian of its .real and its .imag"
        )
    return derivative


def _diagonals(gradient: Any, variables: Any) -> Any:
    def diagonal(_where: str, y: Tensor, x: Tensor) -> Any:
        def entry(unit: Tensor) -> list[Any]:
            (row,) = sweep([y], [unit], [x], create_graph=in_transform())
            return [(result_of(row, x) * unit).sum()]

        (entries,) = _for_each_unit(y, entry, gradient, [Tensor(np.zeros((), x.dtype))])
        return entries.reshape(x.shape)[()]

    return map_leaves(diagonal, "", gradient, variables)


def _for_each_unit(
    y: Tensor, f: Callable[[Tensor], list[Any]], roots: Any, likes: Sequence[Tensor]
) -> list[Any]:
    """Stack what f gives for arrays like y that are 1 in one entry, all at once or in parts.

    f takes a sweep through the graph below `roots`, and its results are shaped as `likes`.
    """
    kind = kind_of(y._value, *[root._value for root in leaves(roots)])
    if not y.size:
        return [result_of(np.zeros_like(x._value, shape=(0, *x.shape)), x) for x in likes]
    if not kind.takes_batches:
        units = [Tensor(unit, requires_grad=False) for unit in _units(y, 0, y.size)]
        # As tensors, which are plans until all of them are there.
        results = run_in_transform(lambda: [f(unit) for unit in units], [])
        rows: list[Any] = [np.stack(column) for column in zip(*results, strict=True)]
        if in_transform():
            return rows
        return kind.settle([row._value for row in rows], [x._value for x in likes])
    # For as many entries of y at once as memory should be spent on.
    entries = 1 + sum(node._value.size for node in topological_order(leaves(roots)))
    step = 1 + _BATCHED_ENTRIES // entries
    parts = [vmap(f)(_units(y, start, step)) for start in range(0, y.size, step)]
    return [np.concatenate(part) if len(part) > 1 else part[0] for part in zip(*parts, strict=True)]


def _units(y: Tensor, start: int, count: int) -> Array:
    """Give arrays like y that are 1 in one of its entries, from the entry `start` on."""
    count = min(count, y.size - start)
    units: Array = own(np.eye(count, y.size, start, dtype=y.dtype), y)
    return units.reshape(count, *y.shape)
