"""The way back from one or several roots, in whatever kind of array they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, cast

import numpy as np

from tinytorch.arrays.kind import NUMPY, kind_of
from tinytorch.arrays.warned import WarningsAtUsersLine, at_users_line, keep_filter_first
from tinytorch.engine import Node, Rule, pull, topological_order


def gradients(
    seeds: Mapping[Node, Any],
    *,
    only: dict[Node, bool] | None = None,
    create_graph: bool = False,
    retain_graph: bool = True,
) -> dict[Node, Any]:
    """Map every node that the roots in `seeds` depend on to the gradient of sum(root * seed).

    Seeds and gradients of complex numbers are conjugates (`words.conj`). With `only`, nodes in
    topological order, gradients flow through no others, and those that it maps to false have theirs
    dropped on the way. `create_graph` as in `engine.pull`. Without `retain_graph` the nodes are
    freed on the way, their gradients too, and `only` is empty in the end.
    """
    keep_filter_first()
    if not retain_graph:
        with WarningsAtUsersLine():  # there is no second way back
            return _way_back(seeds, only, create_graph, retain_graph)
    try:
        return _way_back(seeds, only, create_graph)
    except RuntimeWarning:
        return cast("dict[Node, Any]", at_users_line(_way_back, seeds, only, create_graph))


def _way_back(
    seeds: Mapping[Node, Any], only: Any, create_graph: bool, retain_graph: bool = True
) -> dict[Node, Any]:
    grads = dict(seeds)
    nodes = topological_order(seeds) if only is None else list(only)
    nodes.reverse()
    kind = NUMPY if create_graph else kind_of(*[root._value for root in seeds])
    if kind is NUMPY and retain_graph:
        pull(grads, nodes, only, create_graph)
    else:

        def step(nodes: list[Node]) -> None:
            walk = nodes if retain_graph else _freed(nodes, grads, only)
            pull(grads, walk, only, create_graph)

        kind.way_back(nodes, grads, step)
        if only is None:  # they become `.grad`
            kind.check_grads(grads)
    return grads


def _freed(nodes: list[Node], grads: dict[Node, Any], only: Any) -> Iterator[Node]:
    """Give one node after the other; then no reference to it is left here, nor to its graph."""
    nodes.reverse()
    while nodes:
        yield (node := nodes.pop())
        if only is None and node._children:
            del grads[node]
            node._grad = None  # of an earlier pass
        if any(isinstance(x, Node) and (only is None or x in only) for x in node._children):
            forget_graph(node, _was_freed)
        if only is not None:
            del only[node]


def forget_graph(node: Any, rule: Rule) -> None:
    """Leave of what a node was computed from only `rule`, which raises if a gradient comes."""
    end = object.__new__(type(node))
    end._begin(np.zeros(()), "not kept", True, None)
    # Made by something, of nothing: so `may_hide` knows it, and how old what was behind it may be.
    end._op, end._order = rule, node._order - 1
    # What another thread's pass takes of a node last changes first: its rules.
    node._rules = (rule,) * max(1, len(node._children))
    node._arrays, node._children = (node._value, None), (end,)


def may_hide(node: Any, oldest: int) -> bool:
    """Say whether a node ends a forgotten graph, and a leaf of that order may have been in it."""
    return not node._children and node._op is not None and node._order >= oldest


def _was_freed(*_: Any) -> NoReturn:
    raise RuntimeError(
        "backward: the graph behind this tensor was freed by an earlier pass with "
        "retain_graph=False; leave that out there to go back a second time"
    )
