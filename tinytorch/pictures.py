"""Pictures of the graph behind a tensor: what was computed from what, and the gradients.

First the part of the graph to draw is chosen, then it is written down as DOT, then Graphviz draws
it. A tensor is a card with its name, shape, values and, once there is one, its gradient. On top of
the card is the operation that made it, with a socket for each input: where an arrow arrives says
which argument it brings, and a dashed arrow brings no gradient back.
"""

from __future__ import annotations

import html
import itertools
import logging
import math
import os
import re
import secrets
import sys
import tempfile
import threading
import unicodedata
import webbrowser
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinytorch.engine import Node
from tinytorch.nn import Module
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves


class Picture:
    """A drawn graph: `.svg` and `.dot` are strings, `save` writes a file, a notebook shows it."""

    def __init__(self, dot: str) -> None:
        self.dot = dot

    @cached_property
    def svg(self) -> str:
        """The picture as SVG. Raises RuntimeError where Graphviz is missing."""
        return _draw(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that the ending of `path` names; raises as `Tensor.render`."""
        path = _checked(path)
        match path.suffix.lower():
            case ".dot":
                content = self.dot.encode()
            case ".svg":
                content = self.svg.encode()
            case ".pdf":  # the same picture is the same file, whenever it is drawn
                pdf = _draw(self.dot, "pdf")
                content = re.sub(rb"(?<=/CreationDate \(D:)\d{14}", b"20000101000000", pdf)
            case _:
                content = _draw(self.dot, "png")
        # The file appears under its name when it is complete, or not at all.
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise type(error)(f"render: cannot write {path}: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"Picture({self.dot.count(' [label=')} nodes)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except RuntimeError as error:
            return {"text/plain": str(error)}


def render(
    tensor: Tensor,
    path: str | os.PathLike[str] | None = None,
    *,
    expand: bool = False,
    max_nodes: int = 200,
    view: bool = False,
) -> Picture:
    """Draw the graph behind `tensor`: what `Tensor.render` does, and says."""
    if max_nodes < 1:
        raise ValueError(f"render: max_nodes is at least 1, got {max_nodes}")
    named = path is not None
    path = _checked("computational_graph.svg" if path is None else path)
    picture = Picture(_dot(_Graph(tensor, expand=expand, max_nodes=max_nodes)))
    if named or view or not _in_notebook():
        picture.save(path)
        if not named:
            _tell(f"the graph is drawn in {path.resolve()}")
    if view:
        webbrowser.open(path.resolve().as_uri())
    return picture


def _checked(path: str | os.PathLike[str]) -> Path:
    path, endings = Path(path), (".svg", ".png", ".pdf", ".dot")
    if path.suffix.lower() not in endings:
        raise ValueError(f"render: the file ends in {', '.join(endings)}; got {path.name!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"render: there is no directory {path.parent}")
    return path


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _tell(message: str) -> None:
    """Log, and where nobody has set up logging, say it all the same."""
    log = logging.getLogger("tinytorch")
    if log.hasHandlers():
        log.info(message)
    else:
        print(message, file=sys.stderr)  # noqa: T201


# --- which part of the graph ----------------------------------------------------------------------


class _Box(NamedTuple):
    """The call of a module: what it computed on the way from its inputs to its output."""

    module: Module
    parameters: dict[str, Any]
    out: Any
    inside: list[Any]
    inputs: list[Any]


class _Graph:
    """What to draw: tensors and constant arrays, the `units`, inputs first.

    The `opened` and the `closed` calls of modules are found by the id of their output. A closed one
    is drawn in the place of its output, and has its inputs.
    """

    def __init__(self, root: Tensor, *, expand: bool, max_nodes: int) -> None:
        self.root = root
        found = _reached(root, _inputs)
        called = [node for node in found if getattr(node, "_call", None)]
        modules = {id(node._call[0]): node._call[0] for node in called}.values()
        self.parameters = {id(x): name for m in modules for name, x in m.named_parameters()}
        boxes = {id(box.out): box for box in map(_box, called) if box}
        owner = {id(x): out for out, box in boxes.items() for x in box.inside}
        # What something outside uses, other than the output, is not to be hidden in a box.
        leaky = {
            owner[id(x)]
            for node in (found if boxes else ())
            for x in _inputs(node)
            if id(x) in owner and owner[id(x)] not in (id(x), owner.get(id(node)))
        }
        boxes = {out: box for out, box in boxes.items() if out not in leaky}
        self.opened, self.closed = (boxes, {}) if expand else ({}, boxes)
        if self.closed:
            found = _reached(root, self.inputs)
        self.n_left_out = max(0, len(found) - max_nodes)
        self.units = _inputs_first(root, self.inputs, {id(unit) for unit in found[:max_nodes]})

    def inputs(self, unit: Any) -> list[Any]:
        """List the units that a unit was computed from, in the order of its arguments."""
        box = self.closed.get(id(unit))
        return box.inputs if box else _inputs(unit)

    def kind(self, unit: Any) -> str:
        """Say what a unit is; an intermediate result needs no word."""
        if not getattr(unit, "requires_grad", False):
            return "constant"
        if not unit._children:
            return "parameter" if id(unit) in self.parameters else "leaf"
        return "result" if unit is self.root else ""


def _inputs(node: Any) -> list[Any]:
    """List tensors and arrays; numbers are written into the operation."""
    return [x for x in getattr(node, "_children", ()) if not _is_number(x)]


def _is_number(x: Any) -> bool:
    return not isinstance(x, Node) and not getattr(x, "ndim", 0)


def _reached(root: Any, inputs: Callable[[Any], Iterable[Any]]) -> list[Any]:
    """List `root` and all that it was computed from, the nearest first."""
    found = [root]
    seen = {id(root)}
    for node in found:
        for x in inputs(node):
            if id(x) not in seen:
                seen.add(id(x))
                found.append(x)
    return found


def _inputs_first(root: Any, inputs: Callable[[Any], list[Any]], shown: set[int]) -> list[Any]:
    order: list[Any] = []
    stack = [root]
    while stack:
        unit = stack.pop()
        if unit is None:
            order.append(stack.pop())
        elif id(unit) in shown:
            shown.remove(id(unit))
            stack += (unit, None, *reversed(inputs(unit)))
    return order


def _box(out: Any) -> _Box | None:
    """Find what a module computed; None if other modules did part of it, and have their own box."""
    module, *arguments = out._call
    given = {id(x): x for x in leaves(arguments)}
    # What the module keeps from a call is no parameter; a neuron's views of its layer's are.
    parameters = {
        name: x
        for name, x in module.named_parameters()
        if not any(id(y) in given or getattr(y, "_children", ()) for y in _inputs(x))
    }
    own = {id(x) for x in parameters.values()}
    outside: dict[int, Any] = {}

    def steps(node: Any) -> Iterator[Any]:
        for x in _inputs(node):
            if id(x) in given or not getattr(x, "_children", ()):
                outside[id(x)] = x
            elif id(x) not in own:
                yield x

    inside = _reached(out, steps)
    if any(getattr(x, "_call", None) for x in inside[1:]):
        return None
    in_order = [i for i in given if i in outside] + [i for i in outside if i not in given]
    return _Box(module, parameters, out, inside, [outside[i] for i in in_order if i not in own])


# --- the part as DOT ------------------------------------------------------------------------------

_FONT = "DejaVu Sans Mono,Menlo,Consolas,monospace"
_INK, _FAINT, _GRADIENT = "#1b1b1b", "#5c5c5c", "#9a3412"
_MOST_SOCKETS, _MOST_COLUMNS, _MOST_LINES = 8, 80, 20


class _Look(NamedTuple):
    fill: str
    border: str
    shape: str = "plain"
    style: str = "filled"

    @property
    def frame(self) -> str:
        return f"border='1' bgcolor='{self.fill}' color='{self.border}'"


# Hues of M. Okabe and K. Ito, "Color universal design", 2008, which the colour-blind tell apart.
_LOOKS = {
    "leaf": _Look("#d9edfa", "#0072b2", "box", "filled,rounded"),
    "parameter": _Look("#fdeccb", "#b97a00", "box3d"),
    "constant": _Look("#ececec", "#6e6e6e", "note"),
    "": _Look("#ffffff", "#6e6e6e"),
    "result": _Look("#cfeee3", "#00795a"),
}
_OPERATION = _Look("#454545", "#454545")
_MODULE = _LOOKS["parameter"]
_CLUSTER = {
    "bgcolor": "#fff8ea",
    "color": _MODULE.border,
    "fontname": _FONT,
    "labeljust": "l",
    "margin": "10",
    "style": "rounded",
}


def _dot(graph: _Graph) -> str:
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
            label = _text(title, 12, _MODULE.border, bold=True).content
            cluster.attr(label=f"<{label}>", **_CLUSTER, **_in_full(title))
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
        more = _text(f"… {graph.n_left_out:,} more", 12, _FAINT).content
        dot.node("more", f"<{more}>", shape="box", style="rounded,dashed", color=_FAINT)
    return str(dot.source)


def _names(graph: _Graph) -> list[str]:
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


def _node(graph: _Graph, unit: Any, name: str) -> dict[str, str]:
    """Draw a tensor or an array as a card, with what made it on top."""
    kind = graph.kind(unit)
    look = _LOOKS[kind]
    array = unit._data if isinstance(unit, Node) else unit
    facts = f"{kind} {tuple(array.shape)} {array.dtype}".lstrip()
    lines = [_text(name, 13, bold=True), _text(facts, 9, _FAINT)]
    lines.append(_values(array, getattr(unit, "_grad", None)))
    if look.shape != "plain":
        return {
            "label": f"<{_stack(lines)}>",
            "shape": look.shape,
            "style": look.style,
            "fillcolor": look.fill,
            "color": look.border,
        }
    card = _framed(_stack(lines), look)
    if kind == "result":
        card = _framed(card, look)
    box = graph.closed.get(id(unit))
    made_by = _module(box) if box else _operation(unit)
    return {"label": f"<{_stack([made_by, _Cell(card)])}>", "shape": "plain"}


def _tooltip(graph: _Graph, unit: Any, name: str) -> dict[str, str]:
    box = graph.closed.get(id(unit))
    return _in_full(name, *([_title(box.module), *box.parameters] if box else []))


def _values(array: Any, grad: Any) -> _Cell:
    """Write all values, or what they range over, with the gradient beside them."""
    if not isinstance(array, np.ndarray):  # it may be far away, or not computed yet
        return _text(f"{type(array).__module__.partition('.')[0]} array", 9, _FAINT)
    n_columns = array.shape[-1] if array.ndim else 1
    in_full = n_columns <= 6 and array.size <= min(16, 8 * n_columns)
    lines = _entries if in_full else _range
    columns = [(_INK, lines(array))]
    if grad is not None:
        columns = [
            (_INK, ["data", *lines(array)]),
            (_GRADIENT, ["grad", *lines(np.asarray(grad))]),
        ]
    if not in_full:
        head = [" "] * (grad is not None)
        columns.insert(0, (_FAINT, [*head, "min", "mean", "max"]))
    gap = "  "
    return _strip(
        _text("\n".join(x + gap for x in column), color=color) for color, column in columns
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
    return [text.rjust(max(map(len, texts))) for text in texts]


def _number(x: Any) -> str:
    return f"{float(x):.4g}"


def _operation(node: Any) -> _Cell:
    """Write down the operation with its numbers, and with a socket for each other input."""
    n = len(_inputs(node))
    ports = iter(range(n))
    arguments = [
        _sign(_number(x)) if _is_number(x) else _sign("□", _port(next(ports), n))
        for x in node._children
    ]
    if n > _MOST_SOCKETS:
        arguments = [_sign(f"{n} * □")]
    symbol = {"NEGATIVE": "-", "POSITIVE": "+"}.get(node._op.name, node._op.symbol)
    if "□" in symbol:
        texts = [_sign(text) if text else None for text in symbol.split("□")]
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
    return _strip((space, *signs, space), f"{_OPERATION.frame} style='rounded'")


def _sign(text: str, port: str = "") -> _Cell:
    return _text(text, 12, "#ffffff", bold=True)._replace(port=port)


def _port(i: int, n: int) -> str:
    """Name the socket for one of n arrows; one arrow alone, or very many, end in the middle."""
    return f"i{i}" if 1 < n <= _MOST_SOCKETS else ""


def _module(box: _Box) -> _Cell:
    """Name the module and its parameters, under a socket for each input if there are several."""
    ports = [_port(i, len(box.inputs)) for i in range(len(box.inputs))]
    sockets = [_text(" □ ", 12)._replace(port=port) for port in ports if port]
    lines = [_strip(sockets, "border='0'")] if sockets else []
    lines.append(_text(_title(box.module), 12, bold=True))
    for name, parameter in box.parameters.items():
        lines.append(_text(f"{name} {parameter.shape}", 9, _FAINT))
    return _Cell(_framed(_stack(lines), _MODULE, "style='rounded'"))


def _title(module: Module) -> str:
    return repr(module).partition(":")[0].replace("->", "→")


# --- text -----------------------------------------------------------------------------------------


class _Cell(NamedTuple):
    """A cell of a table, of a size known beforehand or as large as its content."""

    content: str
    width: int = 0
    height: int = 0
    port: str = ""

    def __str__(self) -> str:
        return (
            f"<td align='left' width='{self.width}' height='{self.height}' port='{self.port}'>"
            f"{self.content}</td>"
        )


def _text(text: str, size: int = 11, color: str = _INK, *, bold: bool = False) -> _Cell:
    """Write a text, as wide as it is in a usual fixed-width font.

    So a picture doesn't depend on the fonts of the computer that draws it, and fits on the one that
    shows it.
    """
    lines = _fitted(text)
    shown = [_escaped(line) for line in lines]
    content = "".join(f"{line}<br align='left'/>" for line in shown) if shown[1:] else shown[0]
    if bold:
        content = f"<b>{content}</b>"
    width = math.ceil(0.605 * size * max(map(_columns, lines)))
    content = f"<font point-size='{size}' color='{color}'>{content}</font>"
    return _Cell(content, width + 2, math.ceil(1.2 * size * len(lines)) + 2)


def _columns(line: str) -> int:
    return len(line) + sum(unicodedata.east_asian_width(c) in "WF" for c in line)


def _visible(text: str) -> list[str]:
    """Split a text into lines; what would be invisible, or steer what is around it, is spelled out.

    So control characters, half pairs and marks of direction look as Python shows them. The joiners
    of letters and of emoji stay.
    """
    return [
        "".join(
            ascii(c)[1:-1]
            if c in "\ufffe\uffff" or (unicodedata.category(c) in _UNSEEN and c not in _JOINERS)
            else c
            for c in line.expandtabs(4)
        )
        for line in text.split("\n")
    ]


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def _fitted(text: str) -> list[str]:
    """Give the lines of a text that is shown, with an ellipsis for the middle where it is long."""
    lines = _visible(text)
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        lines = [*lines[:half], "…", *lines[-half:]]
    return [_shortened(line) for line in lines]


def _shortened(line: str) -> str:
    if _columns(line) <= _MOST_COLUMNS:
        return line
    head, tail = line[:_MOST_COLUMNS], line[-_MOST_COLUMNS:]
    while _columns(head) >= _MOST_COLUMNS / 2:
        head = head[:-1]
    while _columns(tail) >= _MOST_COLUMNS / 2 or unicodedata.combining(tail[0]):
        tail = tail[1:]
    return f"{head}…{tail}"


def _in_full(*texts: str) -> dict[str, str]:
    """Give those texts that are not shown in full as a tooltip."""
    cut = [_visible(text) for text in texts if _fitted(text) != _visible(text)]
    # Graphviz looks for escapes twice.
    lines = [html.escape(line).replace("\\", "\\" * 4) for lines in cut for line in lines]
    return {"tooltip": "&#10;".join(lines)} if lines else {}


def _escaped(line: str) -> str:
    """Write a line so that Graphviz takes it literally."""
    return html.escape(line).replace("\\", "\\\\").replace(" ", "&#32;")


_TIGHT = "cellborder='0' cellspacing='0' cellpadding='0'"


def _strip(cells: Iterable[_Cell], attributes: str = "border='0' align='left'") -> _Cell:
    """Put cells side by side, each of its own width."""
    cells = list(cells)
    width, height = sum(cell.width for cell in cells) + 2, max(cell.height for cell in cells) + 2
    return _Cell(
        f"<table {_TIGHT} fixedsize='true' width='{width}' height='{height}' {attributes}>"
        f"<tr>{''.join(map(str, cells))}</tr></table>",
        width,
        height,
    )


def _stack(cells: Iterable[_Cell]) -> str:
    """Put cells under each other."""
    rows = "".join(f"<tr>{cell}</tr>" for cell in cells)
    return f"<table {_TIGHT} border='0'>{rows}</table>"


def _framed(content: str, look: _Look, style: str = "") -> str:
    cell = f"<tr><td>{content}</td></tr>"
    return f"<table {look.frame} cellborder='0' cellpadding='2' {style}>{cell}</table>"


# --- drawing --------------------------------------------------------------------------------------

_one_at_a_time = threading.Lock()  # Graphviz keeps global state


def _draw(dot: str, kind: str) -> bytes:
    """Lay out and draw with pygraphviz, or with the program `dot` where that cannot be loaded."""
    if kind == "png":  # twice the usual, for today's screens
        dot = dot.replace("graph [", "graph [dpi=144 ", 1)
    try:
        from pygraphviz import AGraph
    except (ImportError, OSError) as error:  # the latter where one of its libraries is missing
        return _draw_by_program(dot, kind, error)
    with _one_at_a_time, _quiet():
        return bytes(AGraph(string=dot).draw(format=kind, prog="dot"))


def _draw_by_program(dot: str, kind: str, reason: Exception) -> bytes:
    import graphviz

    text = 'without it, render("graph.dot") writes the graph as text'
    try:
        return bytes(graphviz.pipe("dot", kind, dot.encode()))
    except graphviz.ExecutableNotFound:
        if isinstance(reason, ModuleNotFoundError) and reason.name == "pygraphviz":
            wanted = 'to draw needs Graphviz, which pip install "tinytorch[viz]" brings along'
        else:
            wanted = (
                f"pygraphviz is installed, but cannot be loaded ({reason}): to draw needs the "
                "system's Graphviz, as apt install graphviz or conda install graphviz give it"
            )
        raise RuntimeError(f"render: {wanted}; {text}") from None
    except graphviz.CalledProcessError as error:
        said = " ".join((error.stderr or b"").decode(errors="replace").split())
        raise RuntimeError(f"render: the program dot failed ({said}); {text}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what Graphviz and its fonts say on stderr, which matters only if they fail."""
    try:
        stderr = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
