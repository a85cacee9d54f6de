"""The way back from one or several roots, in whatever kind of array they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tinytorch.arrays.kind import NUMPY, kind_of
from tinytorch.arrays.warned import at_users_line, keep_filter_first
from tinytorch.engine import Node, pull, topological_order


def gradients(
    seeds: Mapping[Node, Any], *, only: dict[Node, bool] | None = None, create_graph: bool = False
) -> dict[Node, Any]:
    """Map every node that the roots in `seeds` depend on to the gradient of sum(root * seed).

    Seeds and gradients of complex numbers are conjugates (`words.conj`). With `only`, nodes in
    topological order, gradients flow through no others, and those that it maps to false have theirs
    dropped on the way. `create_graph` as in `engine.pull`.
    """
    keep_filter_first()
    try:
        return _way_back(seeds, only, create_graph)
    except RuntimeWarning:
        return cast("dict[Node, Any]", at_users_line(_way_back, seeds, only, create_graph))


def _way_back(seeds: Mapping[Node, Any], only: Any, create_graph: bool) -> dict[Node, Any]:
    grads = dict(seeds)
    nodes = topological_order(seeds) if only is None else list(only)
    nodes.reverse()
    kind = NUMPY if create_graph else kind_of(*[root._value for root in seeds])
    if kind is NUMPY:
        pull(grads, nodes, only, create_graph)
    else:
        kind.way_back(nodes, grads, lambda nodes: pull(grads, nodes, only))
    return grads
