"""NumPy's protocols: what a tensor does when one of NumPy's functions is called with it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

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


# Keywords that say how memory is laid out, or which way is taken to the same entries.
_OF_MEMORY = frozenset(
    {
        "order",
        "copy",
        "device",
        "subok",
        "casting",
        "overwrite_input",
        "kind",
        "stable",
        "hermitian",
    }
)


@functools.cache
def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:  # those in C tell theirs from NumPy 2.4 on; the first has no name there
        return ("",)


def arguments(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    """Give what NumPy's `function` was called with as its implementation takes it.

    The first argument may have come by NumPy's name for it. What changes no entry is left out,
    where the implementation does not ask for it.
    """
    if not kwargs:
        return args, kwargs
    first, known = _names(function)[0], _names(numpy_functions[function])
    if not args and first in kwargs and first not in known:
        args = (kwargs[first],)
        kwargs = {name: x for name, x in kwargs.items() if name != first}
    return args, {k: x for k, x in kwargs.items() if k not in _OF_MEMORY or k in known}


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
