"""The places of arguments in NumPy's functions: what came by its place, and what is written to."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MethodDescriptorType
from typing import Any

import numpy as np

# They write into their first argument.
WRITERS = {
    np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis, np.ndarray.fill,
    np.ndarray.sort, np.ndarray.partition, np.ndarray.put, np.ndarray.setfield,
}  # fmt: skip
# NumPy does not tell these before 2.4; the method `choose` takes its choices one by one.
_KNOWN: dict[Any, tuple[str, ...]] = {
    np.concatenate: ("arrays", "axis", "out"),
    np.copyto: ("dst", "src"),
    np.dot: ("a", "b", "out"),
    np.empty_like: ("prototype",),
    np.ndarray.choose: ("self",),
}


@functools.cache
def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """List the parameters of a function; none where NumPy does not tell."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except ValueError:  # those in C tell theirs from NumPy 2.4 on
        return ()


@functools.cache
def names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name the parameters that have a place."""
    if function in _KNOWN:
        return _KNOWN[function]
    if isinstance(function, MethodDescriptorType):  # the function has the same places
        function = getattr(np, function.__name__, function)
    return tuple(x.name for x in parameters(function) if x.kind < x.VAR_POSITIONAL)


def in_places(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give the first argument by its place, and `out` by its name, however they came.

    >>> in_places(np.dot, (1, 2, 3), {})
    ((1, 2), {'out': 3})
    """
    known = names(function)
    if not args and known and known[0] in kwargs:
        args = (kwargs[known[0]],)
        kwargs = {name: x for name, x in kwargs.items() if name != known[0]}
    if "out" in known[: len(args)]:
        place = known.index("out")
        kwargs = {**dict(zip(known[place:], args[place:], strict=False)), **kwargs}
        args = args[:place]
    return args, kwargs


def written(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """List the arrays that a call writes into, whose arguments are in their places."""
    if function is np.nan_to_num:
        named = {**dict(zip(names(function), args, strict=False)), **kwargs}
        return () if named.get("copy", True) else args[:1]
    out = kwargs.get("out")
    return args[:1] if function in WRITERS else () if out is None else (out,)
