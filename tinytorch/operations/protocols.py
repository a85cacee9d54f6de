"""NumPy's protocols: what a tensor does when one of NumPy's functions is called with it."""

from __future__ import annotations

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
        np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savetxt,
        np.linalg.matrix_rank, np.isin, np.common_type,
    }
)  # fmt: skip
