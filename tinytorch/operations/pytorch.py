"""PyTorch's spellings: its names of arguments, and what 0 and -1 are to a tensor of no axes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

_TORCH_SPELLINGS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "interpolation": "method",
}


def torch_spelling(method: Callable[..., Any]) -> Callable[..., Any]:
    """Take PyTorch's names of parameters, such as `dim` and `keepdim`, for NumPy's."""

    @functools.wraps(method)
    def either_spelling(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in _TORCH_SPELLINGS.items():
                if theirs in kwargs:
                    if ours in kwargs:
                        name = either_spelling.__name__
                        raise TypeError(f"{name}: give {theirs}= or {ours}=, not both")
                    kwargs[ours] = kwargs.pop(theirs)
        return method(*args, **kwargs)

    either_spelling.spellings = _TORCH_SPELLINGS  # type: ignore[attr-defined]
    return either_spelling


def also_called(**theirs: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Take PyTorch's names of arguments for NumPy's: `also_called(dim1="axis1")`."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def renaming(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **{theirs.get(name, name): x for name, x in kwargs.items()})

        renaming.spellings = theirs  # type: ignore[attr-defined]
        return renaming

    return decorate


def axis_of_scalars(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let `method` work along axis 0 of a tensor of no axes, as if it had one of a single entry.

    The results, one or several, have no axes either.
    """
    signature = inspect.signature(method)

    @functools.wraps(method)
    def of_any_axes(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.ndim:
            return method(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        if bound.arguments["axis"] not in (0, -1):
            return method(self, *args, **kwargs)
        results = method(self.reshape(1), *args, **kwargs)
        if isinstance(results, tuple):
            return type(results)(*[result.reshape(()) for result in results])
        return results.reshape(())

    return of_any_axes
