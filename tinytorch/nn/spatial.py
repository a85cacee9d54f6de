"""What functions of sequences, images and volumes share: one function for all numbers of axes."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.nn.inputs import tensor
from tinytorch.operations.operands import describe

P = ParamSpec("P")
T = TypeVar("T")

Sizes: TypeAlias = int | Sequence[int]  # one number for all axes, or one for each


def for_axes(
    function: Callable[Concatenate[int, P], T],
) -> tuple[Callable[P, T], Callable[P, T], Callable[P, T]]:
    """Make of `f(n, ...)` the functions `f1d(...)`, `f2d(...)` and `f3d(...)`."""
    signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()

    def of(n: int) -> Callable[P, T]:
        @functools.wraps(function)
        def of_n(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(n, *args, **kwargs)

        of_n.__name__ = of_n.__qualname__ = f"{function.__name__}{n}d"
        of_n.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return of_n

    return of(1), of(2), of(3)


def each(name: str, value: Sizes, n: int, smallest: int | None = 1) -> tuple[int, ...]:
    """Give one number for each of n axes.

    Raises TypeError for what are no whole numbers, ValueError for smaller ones or another count.
    """
    single = isinstance(value, int | np.integer)
    count = "a whole number" if n == 1 else f"a whole number or {n} of them"
    least = "" if smallest is None else f", at least {smallest}"
    wanted = f"{name} is {count}{least}, got {describe(value)}"
    try:
        numbers = tuple(map(operator.index, [value] * n if single else value))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(wanted) from None
    if len(numbers) == 1:
        numbers *= n
    if len(numbers) != n or (smallest is not None and min(numbers) < smallest):
        raise ValueError(wanted)
    return numbers


def in_batches(n: int, input: Any, name: str) -> tuple[Any, bool]:
    """Give (N, C, *sizes) of n axes, and whether it came without N, as (C, *sizes).

    Raises ValueError for another number of axes.
    """
    x = tensor(input)
    if x.ndim not in (n + 1, n + 2):
        sizes = ("L", "H, W", "D, H, W")[n - 1]
        raise ValueError(f"{name}: expected shape (N, C, {sizes}) or (C, {sizes}), got "
                         f"{describe(x)}")  # fmt: skip
    return (x, False) if x.ndim == n + 2 else (x[None], True)


def along_axis(matrix: Any, x: Any, axis: int) -> Any:
    """Multiply each line of x along `axis` by the matrix."""
    return np.moveaxis(np.moveaxis(x, axis, -1) @ own(matrix.T, x), -1, axis)
