"""The graph in Graphviz's language.

A tensor is a card with its name, shape, values and, once there is one, its gradient. On top of the
card is the operation that made it, with a socket for each input: where an arrow arrives says which
argument it brings, and a dashed arrow brings no gradient back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinytorch.arrays.kind import at_hand, kind_of
from tinytorch.engine import Node
from tinytorch.nn import Module
from tinytorch.pictures.cells import INK, Cell, Look, framed, in_full, side_by_side, stacked, write
from tinytorch.pictures.graph import Box, Graph, inputs_of, is_number
from tinytorch.pictures.values import is_small, number, summary

if TYPE_CHECKING:
    from graphviz import Digraph

PartT = TypeVar("PartT")  # a cell, or a text

_FONT = "DejaVu Sans Mono,Menlo,Consolas,monospace"
_FAINT, _GRADIENT = "#5c5c5c", "#9a3412"
_MOST_SOCKETS = 8

# Hues of M. Okabe and K. Ito, "Color universal design", 2008, which the colour-blind tell apart.
LOOKS = {
    "leaf": Look("#d9edfa", "#0072b2", "box", "filled,rounded"),
    "parameter": Look("#fdeccb", "#b97a00", "box3d"),
    "constant": Look("#ececec", "#6e6e6e", "note"),
    "": Look("#ffffff", "#6e6e6e"),
    "result": Look("#cfeee3", "#00795a"),
}
_OPERATION = Look("#454545", "#454545")
_MODULE = LOOKS["parameter"]
CLUSTER = {
    "bgcolor": "#fff8ea",
    "color": _MODULE.border,
    "fontname": _FONT,
    "labeljust": "l",
    "margin": "10",
    "style": "rounded",
}


def as_dot(
    graph: Graph,
    names: Mapping[int, str] | None = None,
    grads: Mapping[int, list[str]] | None = None,
) -> str:
    """Write the graph down in Graphviz's language.

    `names` and `grads` map the id of a unit to its name, and to the lines that its gradient is
    written in; if not given, `names_of` names them, and gradients are those in `.grad`. Units have
    the ids n0, n1, ... in the order of the graph, and the arrow that ends at the socket i of n5 has
    the id n5-i.
    """
    if names is None:
        names = names_of(graph)
    if grads is None:
        grads = {
            id(x): summary(np.asarray(at_hand(x.grad)))
            for x in graph.units
            if getattr(x, "_grad", None) is not None and not kind_of(x._value).plans
        }
    dot = digraph("computational_graph")
    keys = {id(unit): f"n{i}" for i, unit in enumerate(graph.units)}
    for unit in graph.units:
        key, name = keys[id(unit)], names[id(unit)]
        card = _node(graph, unit, name, grads.get(id(unit)))
        dot.node(key, id=key, **card, **_tooltip(graph, unit, name))
    free = dict(keys)  # a parameter that two calls use is drawn in the first
    for i, box in enumerate(reversed(graph.opened.values())):
        inside = [free.pop(id(x), "") for x in box.inside]
        parameters = [free.pop(id(x), "") for x in box.parameters.values()]
        with dot.subgraph(name=f"cluster_{i}") as cluster:
            title = title_of(box.module)
            label = write(title, 12, _MODULE.border, bold=True).content
            cluster.attr(label=f"<{label}>", **CLUSTER, **in_full(title))
            for key in filter(None, inside + parameters):
                cluster.node(key)
        # Parameters below the inputs: so the boxes stand below each other, not side by side.
        inputs = [keys.get(id(x), "") for x in box.inputs]
        for x, parameter in itertools.product(filter(None, inputs), filter(None, parameters)):
            dot.edge(x, parameter, style="invis")
    for unit in graph.units:
        inputs = graph.inputs(unit)
        for i, x in enumerate(inputs):
            dot.edge(
                f"{keys.get(id(x), 'more')}:s",
                ":".join(filter(None, (keys[id(unit)], _port(i, len(inputs)), "n"))),
                id=f"{keys[id(unit)]}-{i}",
                style="solid" if getattr(x, "requires_grad", False) else "dashed",
            )
    if graph.n_left_out:
        more = write(f"… {graph.n_left_out:,} more", 12, _FAINT).content
        dot.node("more", f"<{more}>", shape="box", style="rounded,dashed", color=_FAINT)
    return str(dot.source)


def digraph(name: str) -> Digraph:
    """Begin a picture."""
    from graphviz import Digraph

    return Digraph(
        name,
        graph_attr={"bgcolor": "white", "pad": "0.2", "nodesep": "0.3", "ranksep": "0.3"},
        node_attr={"fontname": _FONT, "margin": "0.1,0.06", "penwidth": "1.2"},
        edge_attr={"arrowsize": "0.6", "color": _FAINT, "penwidth": "1.2"},
    )


def names_of(graph: Graph) -> dict[int, str]:
    """Map units' ids to their labels; what has none gets a number: t1, t2, ... and c1, c2, ..."""
    labels = [getattr(unit, "label", None) for unit in graph.units]
    taken = set(labels)
    numbers = {"t": itertools.count(1), "c": itertools.count(1)}
    names = {}
    for unit, label in zip(graph.units, labels, strict=True):
        kind = "t" if getattr(unit, "requires_grad", False) else "c"
        fresh = (name for n in numbers[kind] if (name := f"{kind}{n}") not in taken)
        names[id(unit)] = str(label or graph.parameters.get(id(unit)) or next(fresh))
    return names


def _node(graph: Graph, unit: Any, name: str, grad: list[str] | None) -> dict[str, str]:
    """Draw a tensor or an array as a card, with what made it on top."""
    kind = graph.kind(unit)
    look = LOOKS[kind]
    array = unit._value if isinstance(unit, Node) else unit
    facts = f"{kind} {tuple(array.shape)} {array.dtype}".lstrip()
    lines = [write(name, 13, bold=True), write(facts, 9, _FAINT)]
    lines.append(_values(array, grad))
    if look.shape != "plain":
        return {
            "label": f"<{stacked(lines)}>",
            "shape": look.shape,
            "style": look.style,
            "fillcolor": look.fill,
            "color": look.border,
        }
    card = framed(stacked(lines), look)
    if kind == "result":
        card = framed(card, look)
    box = graph.closed.get(id(unit))
    made_by = _module(box) if box else _operation(unit)
    return {"label": f"<{stacked([made_by, Cell(card)])}>", "shape": "plain"}


def _tooltip(graph: Graph, unit: Any, name: str) -> dict[str, str]:
    box = graph.closed.get(id(unit))
    return in_full(name, *([title_of(box.module), *box.parameters] if box else []))


def _values(array: Any, grad: list[str] | None) -> Cell:
    """Write all values, or what they range over, with the lines of the gradient beside them."""
    if not isinstance(array := at_hand(array), np.ndarray):  # it may not be computed yet
        return write(f"{type(array).__module__.partition('.')[0]} array", 9, _FAINT)
    columns = [(INK, summary(array))]
    if grad is not None:
        columns = [(INK, ["data", *summary(array)]), (_GRADIENT, ["grad", *grad])]
    if not is_small(array):
        head = [" "] * (grad is not None)
        columns.insert(0, (_FAINT, [*head, "min", "mean", "max"]))
    gap = "  "
    return side_by_side(
        write("\n".join(x + gap for x in column), color=color) for color, column in columns
    )


def spell(node: Any, arguments: Sequence[PartT], sign: Callable[[str], PartT]) -> list[PartT]:
    """Write an operation with its arguments, such as `x`, ` * `, `y`, each in its place."""
    symbol = {"NEGATIVE": "-", "POSITIVE": "+"}.get(node._op.name, node._op.symbol)
    if "□" in symbol:
        texts = [sign(part) if part else None for part in symbol.split("□")]
        pairs = itertools.zip_longest(texts, arguments)
        return [part for pair in pairs for part in pair if part is not None]
    if symbol == "[]":
        return [*arguments, sign("[…]")]
    if symbol.isidentifier():
        listed = [part for x in arguments for part in (sign(", "), x)]
        return [sign(f"{symbol}("), *listed[1:], sign(")")]
    if len(arguments) == 2:
        return [arguments[0], sign(f" {symbol} "), arguments[1]]
    return [sign(symbol), *arguments]


def _operation(node: Any) -> Cell:
    """Write down the operation with its numbers, and with a socket for each other input."""
    n = len(inputs_of(node))
    ports = iter(range(n))
    arguments = [
        _sign(number(x)) if is_number(x) else _sign("□", _port(next(ports), n))
        for x in node._children
    ]
    if n > _MOST_SOCKETS:
        arguments = [_sign(f"{n} * □")]
    space = _sign(" ")
    signs = (space, *spell(node, arguments, _sign), space)
    return side_by_side(signs, f"{_OPERATION.frame} style='rounded'")


def _sign(text: str, port: str = "") -> Cell:
    return write(text, 12, "#ffffff", bold=True)._replace(port=port)


def _port(i: int, n: int) -> str:
    """Name the socket for one of n arrows; one arrow alone, or very many, end in the middle."""
    return f"i{i}" if 1 < n <= _MOST_SOCKETS else ""


def _module(box: Box) -> Cell:
    """Name the module and its parameters, under a socket for each input if there are several."""
    ports = [_port(i, len(box.inputs)) for i in range(len(box.inputs))]
    sockets = [write(" □ ", 12)._replace(port=port) for port in ports if port]
    lines = [side_by_side(sockets, "border='0'")] if sockets else []
    lines.append(write(title_of(box.module), 12, bold=True))
    for name, parameter in box.parameters.items():
        lines.append(write(f"{name} {parameter.shape}", 9, _FAINT))
    return Cell(framed(stacked(lines), _MODULE, "style='rounded'"))


def title_of(module: Module) -> str:
    """Name a module in a line, as `Layer(2 → 24, RELU)`."""
    title = repr(module).partition(":")[0].removesuffix("()").replace("->", "→")
    return type(module).__name__ if "\n" in title else title
