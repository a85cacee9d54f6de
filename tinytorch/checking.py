"""Trust in derivatives: `check_grads` compares them with differences of the function's values."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinytorch.arrays.words import as_reals
from tinytorch.engine import Array
from tinytorch.pytorch.functions import view_as_complex, view_as_real
from tinytorch.tensor import Tensor
from tinytorch.transforms import Function, call_on_tensors, grad, jacobian, title_of, vjp
from tinytorch.trees import leaves, map_leaves

# An error shows so many entries at most.
_SHOWN = 10


def check_grads(
    f: Function, *args: Any, order: int = 2, rtol: float = 1e-4, atol: float = 1e-6
) -> None:
    """Compare the derivatives of f up to `order` with central differences, entry by entry.

    They count as equal where `|analytic - numeric| <= atol + rtol * |numeric|`. Everything is
    computed in float64, and complex numbers are pairs of real ones, along a last axis; the
    arguments are given as to `vjp`. From the second order on, the
    derivatives are those of a weighted sum of all entries of f, of which the first has weight 1.

    Raises AssertionError that shows which entries disagree, analytic beside numeric; TypeError as
    `vjp` does.

    >>> check_grads(lambda x, y: np.sin(x) * y, 0.5, np.array([1.0, 2.0]))
    """
    title = title_of("check_grads", f)
    f, args = _of_parts(f, args), map_leaves(_in_float64, "", args)
    inputs = [name for i, x in enumerate(args) for name in _entries(f"argument {i}", x)]
    everything = range(len(args))
    outputs: list[str] = []
    for degree in range(1, order + 1):
        output, _ = call_on_tensors(title, f, everything, args, {})
        outputs = outputs or _entries("the output", output)
        blocks = iter(leaves(jacobian(f, everything)(*args)))
        analytic = np.block(
            [
                [np.reshape(next(blocks), (np.size(y), np.size(x))) for x in leaves(args)]
                for y in leaves(output)
            ]
        )
        numeric = _central_differences(f, args, len(analytic))
        wrong = np.argwhere(~np.isclose(analytic, numeric, rtol, atol, equal_nan=True))
        if len(wrong):
            raise AssertionError(
                f"{title}: {len(wrong)} of {analytic.size} derivatives of order {degree} "
                "differ from central differences:"
                + "".join(
                    f"\n  {outputs[i]} by {inputs[j]}: "
                    f"analytic {analytic[i, j]:.9g}, numeric {numeric[i, j]:.9g}"
                    for i, j in wrong[:_SHOWN].tolist()
                )
            )
        outputs = [f"the derivative by {name}" for name in inputs]
        f = grad(functools.partial(_weighted_sum, f), everything)


def _of_parts(f: Function, args: tuple[Any, ...]) -> Function:
    """Make of `f` the function of the parts of complex numbers, which gives parts."""

    def joined(_where: str, given: Any, x: Any) -> Any:
        return view_as_complex(x) if np.asarray(given).dtype.kind == "c" else x

    def apart(_where: str, y: Any) -> Any:
        return view_as_real(y) if isinstance(y, Tensor) and y.dtype.kind == "c" else y

    return lambda *parts: map_leaves(apart, "", f(*map_leaves(joined, "", args, parts)))


def _in_float64(_where: str, leaf: Any) -> Any:
    array = np.asarray(leaf)
    if array.dtype.kind == "c":
        return as_reals(array.astype(np.complex128))
    return array.astype(np.float64) if array.dtype.kind == "f" else leaf


def _entries(where: str, tree: Any) -> list[str]:
    """Name all entries of a tree of arrays."""
    names: list[str] = []

    def name(where: str, leaf: Any) -> None:
        names.extend(where + (str(list(i)) if i else "") for i in np.ndindex(np.shape(leaf)))

    map_leaves(name, where, tree)
    return names


def _weighted_sum(f: Function, *args: Any) -> Any:
    outputs = leaves(f(*args))
    return sum((y * np.linspace(1, 2, y.size).reshape(y.shape)).sum() for y in outputs)


def _central_differences(f: Function, args: tuple[Any, ...], size: int) -> Array:
    """Give `(f(x + h) - f(x - h)) / 2h` for every entry of x, in columns, `size` entries each."""
    arrays = leaves(args)
    point = np.concatenate([x.ravel() for x in arrays])

    def values(shifted: Array) -> Array:
        parts = iter(np.split(shifted, np.cumsum([x.size for x in arrays])[:-1]))
        moved = map_leaves(lambda _where, x: next(parts).reshape(x.shape), "", args)
        output, _ = vjp(f, *moved)
        return np.concatenate([np.ravel(y) for y in leaves(output)])

    columns = np.empty((size, point.size))
    for i, x in enumerate(point):
        # Where the errors of truncation and of rounding balance.
        step = np.cbrt(np.finfo(float).eps) * max(1, abs(x))
        above, below = point.copy(), point.copy()
        above[i] += step
        below[i] -= step
        columns[:, i] = (values(above) - values(below)) / (above[i] - below[i])
    return columns
