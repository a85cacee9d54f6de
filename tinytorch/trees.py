"""Trees: values in nested lists, tuples and dicts, as a function takes and gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.messages import describe


def map_leaves(function: Callable[..., Any], where: str, tree: Any, *others: Any) -> Any:
    """Give a tree of the same structure, with `function(where, leaf, *leaves)` for every leaf.

    What is no list, tuple or dict is a leaf, and `leaves` are what the other trees have in its
    place. `where` says for messages which leaf it is: "argument 0" becomes "argument 0['w'][2]".
    Raises ValueError where the other trees have another structure.

    >>> map_leaves(lambda where, leaf: where, "x", {"a": 1, "b": [2, 3]})
    {'a': "x['a']", 'b': ["x['b'][0]", "x['b'][1]"]}
    """
    if isinstance(tree, dict):
        for other in others:
            if not isinstance(other, dict) or other.keys() != tree.keys():
                keys = f" with the keys {list(other)}" if isinstance(other, dict) else ""
                raise ValueError(
                    f"{where}: expected a dict with the keys {list(tree)}, "
                    f"got {describe(other)}{keys}"
                )
        # The union keeps the kind of dict.
        return tree | {
            key: map_leaves(function, f"{where}[{key!r}]", leaf, *(other[key] for other in others))
            for key, leaf in tree.items()
        }
    if isinstance(tree, list | tuple):
        for other in others:
            if type(other) is not type(tree) or len(other) != len(tree):
                length = f" of length {len(other)}" if isinstance(other, list | tuple) else ""
                raise ValueError(
                    f"{where}: expected a {type(tree).__name__} of length {len(tree)}, "
                    f"got {describe(other)}{length}"
                )
        parts = [
            map_leaves(function, f"{where}[{i}]", *group)
            for i, group in enumerate(zip(tree, *others, strict=True))
        ]
        return tree._make(parts) if hasattr(tree, "_make") else type(tree)(parts)
    return function(where, tree, *others)


def leaves(tree: Any) -> list[Any]:
    """List the leaves of a tree."""
    found: list[Any] = []
    map_leaves(lambda _where, leaf: found.append(leaf), "", tree)
    return found
