"""The graph in Graphviz's language.

A tensor is a card with its name, shape, values and, once there is one, its gradient. On top of the
card is the operation that made it, with a socket for each input: where an arrow arrives says which
argument it brings, and a dashed arrow brings no gradient back.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.nn import Module
from tinytorch.pictures.cells import INK, Cell, Look, framed, in_full, side_by_side, stacked, write
from tinytorch.pictures.graph import Box, Graph, inputs_of, is_number

_FONT = "DejaVu Sans Mono,Menlo,Consolas,monospace"
_FAINT, _GRADIENT = "#5c5c5c", "#9a3412"
_MOST_SOCKETS = 8

# Hues of M. Okabe and K. Ito, "Color universal design", 2008, which the colour-blind tell apart.
_LOOKS = {
    "leaf": Look("#d9edfa", "#0072b2", "box", "filled,rounded"),
    "parameter": Look("#fdeccb", "#b97a00", "box3d"),
    "constant": Look("#ececec", "#6e6e6e", "note"),
    "": Look("#ffffff", "#6e6e6e"),
    "result": Look("#cfeee3", "#00795a"),
}
_OPERATION = Look("#454545", "#454545")
_MODULE = _LOOKS["parameter"]
_CLUSTER = {
    "bgcolor": "#fff8ea",
    "color": _MODULE.border,
    "fontname": _FONT,
    "labeljust": "l",
    "margin": "10",
    "style": "rounded",
}


def as_dot(graph: Graph) -> str:
    """Write the graph down in Graphviz's language."""
    from graphviz import Digraph

    dot = Digraph(
        "computational_graph",
        graph_attr={"bgcolor": "white", "pad": "0.2", "nodesep": "0.3", "ranksep": "0.3"},
        node_attr={"fontname": _FONT, "margin": "0.1,0.06", "penwidth": "1.2"},
        edge_attr={"arrowsize": "0.6", "color": _FAINT, "penwidth": "1.2"},
    )
    keys = {id(unit): f"n{i}" for i, unit in enumerate(graph.units)}
    names = _names(graph)
    for unit, name in zip(graph.units, names, strict=True):
        dot.node(keys[id(unit)], **_node(graph, unit, name), **_tooltip(graph, unit, name))
    free = dict(keys)  # a parameter that two calls use is drawn in the first
    for i, box in enumerate(reversed(graph.opened.values())):
        inside = [free.pop(id(x), "") for x in box.inside]
        parameters = [free.pop(id(x), "") for x in box.parameters.values()]
        with dot.subgraph(name=f"cluster_{i}") as cluster:
            title = _title(box.module)
            label = write(title, 12, _MODULE.border, bold=True).content
            cluster.attr(label=f"<{label}>", **_CLUSTER, **in_full(title))
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
                style="solid" if getattr(x, "requires_grad", False) else "dashed",
            )
    if graph.n_left_out:
        more = write(f"… {graph.n_left_out:,} more", 12, _FAINT).content
        dot.node("more", f"<{more}>", shape="box", style="rounded,dashed", color=_FAINT)
    return str(dot.source)


def _names(graph: Graph) -> list[str]:
    """Give the units' labels; what has none gets a number: t1, t2, ... and c1, c2, ..."""
    labels = [getattr(unit, "label", None) for unit in graph.units]
    taken = set(labels)
    numbers = {"t": itertools.count(1), "c": itertools.count(1)}
    names = []
    for unit, label in zip(graph.units, labels, strict=True):
        kind = "t" if getattr(unit, "requires_grad", False) else "c"
        fresh = (name for n in numbers[kind] if (name := f"{kind}{n}") not in taken)
        names.append(str(label or graph.parameters.get(id(unit)) or next(fresh)))
    return names


def _node(graph: Graph, unit: Any, name: str) -> dict[str, str]:
    """Draw a tensor or an array as a card, with what made it on top."""
    kind = graph.kind(unit)
    look = _LOOKS[kind]
    array = unit._data if isinstance(unit, Node) else unit
    facts = f"{kind} {tuple(array.shape)} {array.dtype}".lstrip()
    lines = [write(name, 13, bold=True), write(facts, 9, _FAINT)]
    lines.append(_values(array, getattr(unit, "_grad", None)))
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
    return in_full(name, *([_title(box.module), *box.parameters] if box else []))


def _values(array: Any, grad: Any) -> Cell:
    """Write all values, or what they range over, with the gradient beside them."""
    if not isinstance(array, np.ndarray):  # it may be far away, or not computed yet
        return write(f"{type(array).__module__.partition('.')[0]} array", 9, _FAINT)
    n_columns = array.shape[-1] if array.ndim else 1
    all_fit = n_columns <= 6 and array.size <= min(16, 8 * n_columns)
    lines = _entries if all_fit else _range
    columns = [(INK, lines(array))]
    if grad is not None:
        columns = [
            (INK, ["data", *lines(array)]),
            (_GRADIENT, ["grad", *lines(np.asarray(grad))]),
        ]
    if not all_fit:
        head = [" "] * (grad is not None)
        columns.insert(0, (_FAINT, [*head, "min", "mean", "max"]))
    gap = "  "
    return side_by_side(
        write("\n".join(x + gap for x in column), color=color) for color, column in columns
    )


def _entries(array: Any) -> list[str]:
    """Write out an array, one line for each of its rows."""
    if not array.size:
        return ["empty"]
    texts = [[_number(x) for x in row] for row in array.reshape(-1, (array.shape or (1,))[-1])]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)) for row in texts]


def _range(array: Any) -> list[str]:
    with np.errstate(all="ignore"):
        texts = [_number(x) for x in (array.min(), array.mean(), array.max())]
    return [x.rjust(max(map(len, texts))) for x in texts]


def _number(x: Any) -> str:
    return f"{float(x):.4g}"


def _operation(node: Any) -> Cell:
    """Write down the operation with its numbers, and with a socket for each other input."""
    n = len(inputs_of(node))
    ports = iter(range(n))
    arguments = [
        _sign(_number(x)) if is_number(x) else _sign("□", _port(next(ports), n))
        for x in node._children
    ]
    if n > _MOST_SOCKETS:
        arguments = [_sign(f"{n} * □")]
    symbol = {"NEGATIVE": "-", "POSITIVE": "+"}.get(node._op.name, node._op.symbol)
    if "□" in symbol:
        texts = [_sign(part) if part else None for part in symbol.split("□")]
        pairs = itertools.zip_longest(texts, arguments)
        signs = [sign for pair in pairs for sign in pair if sign]
    elif symbol == "[]":
        signs = [*arguments, _sign("[…]")]
    elif symbol.isidentifier():
        listed = [sign for x in arguments for sign in (_sign(", "), x)]
        signs = [_sign(f"{symbol}("), *listed[1:], _sign(")")]
    elif len(arguments) == 2:
        signs = [arguments[0], _sign(f" {symbol} "), arguments[1]]
    else:
        signs = [_sign(symbol), *arguments]
    space = _sign(" ")
    return side_by_side((space, *signs, space), f"{_OPERATION.frame} style='rounded'")


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
    lines.append(write(_title(box.module), 12, bold=True))
    for name, parameter in box.parameters.items():
        lines.append(write(f"{name} {parameter.shape}", 9, _FAINT))
    return Cell(framed(stacked(lines), _MODULE, "style='rounded'"))


def _title(module: Module) -> str:
    title = repr(module).partition(":")[0].removesuffix("()").replace("->", "→")
    return type(module).__name__ if "\n" in title else title
