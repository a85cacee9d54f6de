"""NumPy's protocols: what a tensor does when one of NumPy's functions is called with it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Container, Mapping
from typing import Any, TypeVar

import numpy as np

from tinytorch.arrays.places import parameters

numpy_functions: dict[Callable[..., Any], Callable[..., Any]] = {}

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def implements(*functions: Callable[..., Any] | str) -> Callable[[FunctionT], FunctionT]:
    """Make the decorated function what these NumPy functions do with tensors.

    What NumPy 2.0 does not have yet is given by its name, and left out where it is missing.
    """

    def register(implementation: FunctionT) -> FunctionT:
        for function in functions:
            known = getattr(np, function, None) if isinstance(function, str) else function
            if known is not None:
                numpy_functions[known] = implementation
        return implementation

    return register


# Keywords that change no entry, and what each may be: they say how memory is laid out, or which way
# is taken to the same entries.
_SWITCH = (None, True, False)
_CHANGING_NOTHING: dict[str, tuple[Any, ...]] = {
    "order": (None, "C", "F", "A", "K"),
    "copy": _SWITCH,
    "device": (None, "cpu"),
    "subok": _SWITCH,
    "casting": ("same_kind", "unsafe"),  # the others refuse some dtypes
    "overwrite_input": _SWITCH,
    "kind": (None, "quicksort", "heapsort", "mergesort", "stable", "introselect"),
    "stable": _SWITCH,
}


def without_meaning(name: str, keywords: Mapping[str, Any], obeyed: Container[str] = ()) -> Any:
    """Leave out the keywords that change no entry, but those `obeyed`.

    Raises TypeError for a value of one that would change something, or that NumPy does not know.
    """
    kept = {}
    for key, value in keywords.items():
        allowed = _CHANGING_NOTHING.get(key)
        if allowed is None or key in obeyed:
            kept[key] = value
        elif not (isinstance(value, str | bool | None) and value in allowed):
            raise TypeError(
                f"{name}: {key}={value!r} is not supported for tensors: {key}= is one of "
                f"{', '.join(map(repr, allowed))}"
            )
    return kept


@functools.cache
def _places(function: Callable[..., Any]) -> float:
    """Count the arguments that the implementation of NumPy's `function` takes in NumPy's places."""
    theirs, ours = parameters(function), parameters(numpy_functions[function])
    for i, x in enumerate(theirs):
        if x.kind == x.VAR_POSITIONAL:
            break
        if x.kind == x.POSITIONAL_OR_KEYWORD and x.default is not x.empty:
            mine = ours[i] if i < len(ours) else None
            if mine is None or mine.name != x.name or mine.kind != x.kind:
                return i
    return math.inf


def name_of_function(function: Callable[..., Any]) -> str:
    """Say under which name a function of NumPy's is called."""
    return f"{function.__module__.replace('numpy', 'np', 1)}.{function.__name__}"


def arguments(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """Give what NumPy's `function` was called with as its implementation takes it.

    The first argument may have come by NumPy's name for it, and others in NumPy's places. What
    changes no entry is left out, where the implementation does not ask for it. Raises TypeError for
    what the implementation does not take.
    """
    if not kwargs and len(args) <= _places(function):
        return args, kwargs
    name, theirs = name_of_function(function), [x.name for x in parameters(function)]
    if len(args) > _places(function):
        places = int(_places(function))
        kwargs = {**dict(zip(theirs[places:], args[places:], strict=False)), **kwargs}
        args = args[:places]
        for key in ("dtype", "out"):
            if isinstance(flag := kwargs.get(key), bool | np.bool_):  # as in np.sum(x, 0, True)
                raise TypeError(f"{name}: {key}= has that place, got {flag}: write keepdims={flag}")
    if kwargs.get("out") is not None:
        raise TypeError(f"{name}: out= is not supported for tensors")
    ours = parameters(numpy_functions[function])
    known = {x.name for x in ours}
    if not args and theirs and theirs[0] in kwargs and theirs[0] not in known:
        args = (kwargs[theirs[0]],)
        kwargs = {key: x for key, x in kwargs.items() if key != theirs[0]}
    kwargs = {key: x for key, x in kwargs.items() if key != "out"}
    kwargs = without_meaning(name, kwargs, known)
    unknown = () if any(x.kind == x.VAR_KEYWORD for x in ours) else kwargs.keys() - known
    if unknown:
        raise TypeError(f"{name}: {min(unknown)}= is not supported for tensors")
    return args, kwargs


# Functions of whole numbers, dates and text, which no tensor holds.
whole_functions: frozenset[Callable[..., Any]] = frozenset(
    {
        np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_not, np.bitwise_invert, np.invert,
        np.bitwise_left_shift, np.bitwise_right_shift, np.left_shift, np.right_shift,
        np.bitwise_count, np.gcd, np.lcm, np.packbits, np.unpackbits, np.ix_, np.unravel_index,
        np.ravel_multi_index, np.busday_count, np.busday_offset, np.is_busday, np.isnat,
        np.datetime_as_string,
    }
)  # fmt: skip

# Functions whose results have no gradient: they see the values, and give plain arrays. They answer
# with truth values, whole numbers, shapes or text, or with fresh arrays of constants.
plain_functions: frozenset[Callable[..., Any]] = frozenset(
    {
        np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
        np.isfinite, np.isinf, np.isnan, np.signbit,
        np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
        np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isneginf, np.isposinf,
        np.any, np.all, np.count_nonzero, np.nonzero, np.flatnonzero, np.argwhere,
        np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition,
        np.lexsort, np.searchsorted, np.digitize,
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.shares_memory,
        np.may_share_memory, np.iscomplexobj, np.isrealobj, np.isreal, np.iscomplex,
        np.zeros_like, np.ones_like, np.empty_like,
        np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savez_compressed,
        np.savetxt,
        np.linalg.matrix_rank, np.isin, np.common_type, np.min_scalar_type, np.einsum_path,
        np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
    }
)  # fmt: skip
