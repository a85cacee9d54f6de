"""NumPy's sets: the entries that differ, and those of two arrays.

Whole numbers say which entries are taken, and these get the gradient: of equal ones the first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations.indexing import take
from tinytorch.operations.protocols import implements
from tinytorch.operations.samples import as_operand, values_of


class UniqueResult(NamedTuple):
    """What `np.unique_all` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `np.unique_counts` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `np.unique_inverse` gives."""

    values: Any
    inverse_indices: Any


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, **options: Any
) -> Any:
    """Give the entries that differ, in order: of equal ones the first, which gets the gradient.

    With `axis` slices are compared instead. Indices, inverse and counts are plain.
    """
    found: Any = np.unique(ar._value, True, bool(return_inverse), **options)  # type: ignore[call-overload]
    _, index, *others = found
    values = take(ar, index, options.get("axis"))
    rest = [index, *others] if return_index else others
    return (values, *rest) if rest else values


@implements(np.unique_all)
def unique_all(x: Any) -> UniqueResult:
    """Give the entries that differ, where each is, which of them each entry is, and how many."""
    return UniqueResult(*unique(x, True, True, return_counts=True, equal_nan=False))


@implements(np.unique_values)
def unique_values(x: Any) -> Any:
    """Give the entries that differ, in order."""
    return unique_all(x).values


@implements(np.unique_counts)
def unique_counts(x: Any) -> UniqueCounts:
    """Give the entries that differ, in order, and how often each is there."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> UniqueInverse:
    """Give the entries that differ, in order, and which of them each entry is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """Give the entries of both, in order, each once."""
    return unique(np.concatenate([as_operand(ar1), as_operand(ar2)], axis=None))


@implements(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """Give the entries of ar1 that are in ar2 too, in order, each once; and where they are."""
    a, b = values_of(ar1), values_of(ar2)
    _, first, second = np.intersect1d(a, b, assume_unique, return_indices=True)
    values = take(ar1, first) if isinstance(ar1, Node) else take(ar2, second)
    return (values, first, second) if return_indices else values


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """Give the entries of ar1 that are not in ar2, in order, each once."""
    own = np.reshape(ar1, -1) if assume_unique or not isinstance(ar1, Node) else unique(ar1)
    if not isinstance(ar1, Node):
        own = own if assume_unique else np.unique(own)
    return own[np.isin(values_of(own), values_of(ar2), invert=True)]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """Give the entries that are in one of the two alone, in order."""
    parts = [as_operand(x) for x in (ar1, ar2)]
    if not assume_unique:
        parts = [unique(x) if isinstance(x, Node) else np.unique(x) for x in parts]
    both = np.concatenate(parts, axis=None)
    _, index, counts = np.unique(values_of(both), return_index=True, return_counts=True)
    return take(both, index[counts == 1])
