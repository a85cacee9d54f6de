"""What tells one kind of call from another: the structure, shapes and dtypes of its arguments."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.parts import is_array, on_gpu
from tinytorch.arrays.plain import PLAIN, base
from tinytorch.compiler.program import owner_of, place_of
from tinytorch.engine import Node


def signature(  # noqa: PLR0911  (a branch for each kind)
    tree: Any, leaves: list[Any], owners: dict[int, int], varying: Container[int]
) -> Any:
    """Describe the arguments: programs are for one structure, with these shapes and dtypes.

    `leaves` and the `owners` of their memory are noted.
    """
    kind = type(tree)
    if kind is tuple or kind is list or hasattr(kind, "_make"):
        return kind, *[signature(part, leaves, owners, varying) for part in tree]
    if kind is dict:
        return kind, *[
            (key, signature(part, leaves, owners, varying)) for key, part in tree.items()
        ]
    if kind is slice:
        ends = tree.start, tree.stop, tree.step
        return kind, *[signature(end, leaves, owners, varying) for end in ends]
    if kind in PLAIN:
        tree = base(tree)
        kind = type(tree)
    leaves.append(tree)
    if kind is np.ndarray:
        return tree.shape, tree.dtype.str, tree.strides, _owner(tree, leaves, owners)
    if isinstance(tree, Node):
        data = tree._value
        owner = _owner(data, leaves, owners)
        return (
            kind, type(data), data.shape, data.dtype.str, getattr(data, "strides", None), owner,
            tree._requires_grad, tree._grad is None, tree.label, id(tree) in owners,
        )  # fmt: skip
    is_varying_int = kind is int and len(leaves) - 1 in varying
    if is_varying_int or kind is float or isinstance(tree, np.inexact):
        return kind
    if on_gpu(tree):
        owner = _owner(tree, leaves, owners)
        return kind, tree.shape, tree.dtype.str, tree.strides, owner
    try:
        hash(tree)
    except (TypeError, ValueError):  # a memoryview's
        return id(tree)
    return kind, tree


def _owner(array: Any, leaves: Sequence[Any], owners: dict[int, int]) -> Any:
    """Give the number of the leaf that came first in this memory, and of one in the same place."""
    last = len(leaves) - 1
    first = owners.setdefault(id(owner_of(array)), last)
    if first == last or not is_array(array):
        return first
    return (first, *lying_in({place_of(array)}, leaves)[:1])


def lying_in(places: Container[Any], leaves: Sequence[Any]) -> list[int]:
    """List the leaves, by number, that are in one of the places."""
    arrays = ((i, getattr(x, "_value", x)) for i, x in enumerate(leaves))
    return [i for i, x in arrays if is_array(x) and place_of(x) in places]
