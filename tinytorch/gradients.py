"""The way back from one or several roots, in whatever kind of array they hold."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, cast

from tinytorch.arrays.kind import NUMPY, kind_of
from tinytorch.arrays.scattered import whole
from tinytorch.arrays.warned import at_users_line, keep_filter_first
from tinytorch.arrays.words import conj
from tinytorch.engine import Node, pull, topological_order


def gradients(
    seeds: Mapping[Node, Any], *, only: dict[Node, bool] | None = None, create_graph: bool = False
) -> dict[Node, Any]:
    """Map every node that the roots in `seeds` depend on to the gradient of sum(root * seed).

    With `only`, nodes in topological order, gradients flow through no others, and those that it
    maps to false have theirs dropped on the way. `create_graph` as in `engine.pull`.
    """
    keep_filter_first()
    try:
        return _way_back(seeds, only, create_graph)
    except RuntimeWarning:
        return cast("dict[Node, Any]", at_users_line(_way_back, seeds, only, create_graph))


_value_of, _kind_of_dtype = attrgetter("_value"), attrgetter("dtype.kind")


def _way_back(seeds: Mapping[Node, Any], only: Any, create_graph: bool) -> dict[Node, Any]:
    grads = _conjugated(dict(seeds))
    nodes = topological_order(seeds) if only is None else list(only)
    nodes.reverse()
    kind = kind_of(*map(_value_of, seeds))
    if create_graph or kind is NUMPY:
        pull(grads, nodes, only, create_graph)
    else:
        kind.way_back(nodes, grads, lambda nodes: pull(grads, nodes, only))
    return _conjugated(grads)


def _conjugated(grads: dict[Node, Any]) -> dict[Node, Any]:
    """Give the conjugates of complex gradients; to ask is one call into C."""
    if "c" in map(_kind_of_dtype, grads.values()):
        return {x: conj(whole(grad)) for x, grad in grads.items()}
    return grads
