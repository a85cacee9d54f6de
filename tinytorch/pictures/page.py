"""The step-by-step page: the picture of a graph, and a program in the browser that plays steps."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from dataclasses import replace
from functools import cached_property
from importlib.resources import files
from itertools import chain
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from tinytorch.engine import Node
from tinytorch.operations.operands import describe
from tinytorch.pictures.dot import as_dot, names_of, title_of
from tinytorch.pictures.drawing import draw
from tinytorch.pictures.graph import Graph, is_number
from tinytorch.pictures.lines import line_of
from tinytorch.pictures.picture import Picture, checked, show
from tinytorch.pictures.steps import Step, Story
from tinytorch.pictures.values import details, summary
from tinytorch.tensor import Tensor

_SMALL = 150_000  # letters of SVG: what is larger takes seconds to draw, and megabytes of pixels


class Page(Picture):
    """A page that plays the forward and the backward pass, `.html`; and its picture at the end.

    It is one file that loads nothing. `save` writes it, or the picture, and a notebook shows it.

    >>> from tempfile import TemporaryDirectory
    >>> x = Tensor([1.0, 2.0], label="x")
    >>> with TemporaryDirectory() as folder:
    ...     page = explain(x.exp(), f"{folder}/graph.dot")
    >>> page.story.backward[-1].text
    'The way back is over: x.grad = [2.718 7.389].'
    """

    endings = (".html", *Picture.endings)

    def __init__(self, graph: Graph, *, expand: bool) -> None:
        self.story, self._expand = Story(graph), expand
        self._grads = _in_lines(self.story)
        super().__init__(as_dot(graph, names_of(graph), self._grads))

    @cached_property
    def html(self) -> str:
        """The page. Raises RuntimeError where Graphviz is missing."""
        data = self._data()
        pictures = f'<div id="opened">{_compact(self.svg)}</div>'
        if "closed" in data:
            closed = draw(
                as_dot(self._closed, names_of(self.story.graph), self._grads), "svg"
            ).decode()
            # Names in a page are unique.
            closed = _compact(closed).replace('<g id="', '<g id="closed-')
            pictures += f'<div id="closed">{closed}</div>'
        script, style, page = (
            files(__package__).joinpath(f"page.{ending}").read_text("utf-8")
            for ending in ("js", "css", "html")
        )
        digest = hashlib.sha256(script.encode()).digest()
        return Template(page).substitute(
            data=json.dumps(data, separators=(",", ":")).replace("<", r"\u003c"),
            digest=base64.b64encode(digest).decode(),
            pictures=pictures,
            script=script,
            style=style,
        )

    def _content(self, ending: str) -> bytes:
        return self.html.encode() if ending == ".html" else super()._content(ending)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        shown = super()._repr_mimebundle_(**options)
        if "image/svg+xml" in shown:
            # What is inside the frame is shown where frames are not allowed.
            svg = base64.b64encode(self.svg.encode()).decode()
            shown["text/html"] = (
                '<iframe sandbox="allow-scripts" style="width: 100%; height: 40rem; border: 0" '
                f'srcdoc="{html.escape(self.html)}">'
                f'<img alt="The computational graph" src="data:image/svg+xml;base64,{svg}">'
                "</iframe>"
            )
            # VS Code takes neither of the two from a folder that it doesn't trust.
            if len(self.svg) < _SMALL:
                shown["image/png"] = base64.b64encode(draw(self.dot, "png")).decode()
        return shown

    @cached_property
    def _closed(self) -> Graph:
        n = len(self.story.graph.units)
        return Graph(self.story.root, expand=False, max_nodes=n)

    def _data(self) -> dict[str, Any]:
        """What the program in the browser plays."""
        story = self.story
        data: dict[str, Any] = {
            "name": story.names[id(story.root)],
            "units": {story.keys[id(unit)]: self._unit(unit) for unit in story.graph.units},
            "forward": [*map(_written, story.forward)],
            "backward": [*map(_written, story.backward)],
            "wrong": [*map(_briefly, story.wrong)],
            "expand": self._expand,
        }
        if story.graph.opened and not story.graph.n_left_out:
            data["closed"] = self._places()
        return data

    def _unit(self, unit: Any) -> dict[str, Any]:
        story = self.story
        array = unit._value if isinstance(unit, Node) else unit
        facts = {
            "name": story.names[id(unit)],
            "facts": f"{story.graph.kind(unit)} {tuple(array.shape)} {array.dtype}".lstrip(),
            "values": details(array),
        }
        if id(unit) in story.grads:
            facts["grad"] = details(story.grads[id(unit)])
        if getattr(unit, "_children", ()):
            facts["made"] = f"{facts['name']} = {story.expression(unit)}"
            facts["line"] = line_of(unit)
        return facts

    def _places(self) -> dict[str, Any]:
        """Say where each unit and each arrow is in the picture in which modules are closed."""
        opened, closed = self.story.keys, self._closed
        cards = {id(unit): f"closed-n{i}" for i, unit in enumerate(closed.units)}
        places, owner = dict(cards), {id(unit): id(unit) for unit in closed.units}
        for out, box in reversed(closed.closed.items()):
            for x in chain(box.inside, box.parameters.values()):
                places.setdefault(id(x), cards[out])
                owner.setdefault(id(x), out)
        inputs = {id(unit): [*map(id, closed.inputs(unit))] for unit in closed.units}
        arrows = {}
        for unit in self.story.graph.units:
            out = owner[id(unit)]
            taken = (x for x in getattr(unit, "_children", ()) if not is_number(x))
            for i, x in enumerate(taken):
                if id(x) in inputs[out]:
                    j = inputs[out].index(id(x)) if out in closed.closed else i
                    arrows[f"{opened[id(unit)]}-{i}"] = f"{cards[out]}-{j}"
        return {
            "cards": {opened[key]: place for key, place in cards.items()},
            "places": {opened[key]: place for key, place in places.items()},
            "arrows": arrows,
            "boxes": {cards[out]: title_of(box.module) for out, box in closed.closed.items()},
        }


def _written(step: Step) -> dict[str, Any]:
    return {name: value for name, value in vars(step).items() if value}


def _briefly(step: Step) -> dict[str, Any]:
    return _written(replace(step, share={}))


def _in_lines(story: Story) -> dict[int, list[str]]:
    """Write the gradients as wide as they ever get."""
    ids = {key: unit for unit, key in story.keys.items()}
    grads = {unit: summary(grad) for unit, grad in story.grads.items()}
    for step in story.backward + story.wrong:
        for key, lines in step.grads.items():
            width = max(map(len, lines))
            grads[ids[key]] = [line.ljust(width) for line in grads[ids[key]]]
    return grads


def _compact(svg: str) -> str:
    """Make Graphviz's SVG half as long: leave out what is not seen, or what the page's style says.

    In texts < and > are escaped, so that these are what tags begin and end with.
    """
    svg = re.sub(
        r"<title>[^<]*</title>\n|<!--.*?-->\n", "", svg[svg.index("<svg") :], flags=re.DOTALL
    )
    svg = re.sub(r"<text[^>]*>(?: |&#160;)*</text>\n", "", svg)
    svg = re.sub(r'<path fill="none" stroke="#454545"[^>]*>\n', "", svg)  # in its own colour
    return re.sub(r"<(?:path|polygon|text)[^>]*>", _shorter, svg)


def _shorter(tag: re.Match[str]) -> str:
    attributes = r' xml:space="preserve"| (?:font-family|stroke-width)="[^"]*"| stroke="none"'
    rounded = re.sub(r"\.0+(?=\D)|(\.\d)\d+", r"\1", tag[0])
    return re.sub(rf'{attributes}| text-anchor="start"', "", rounded)


def explain(
    tensor: Tensor,
    path: str | os.PathLike[str] | None = None,
    *,
    expand: bool = False,
    max_nodes: int = 200,
    view: bool = False,
) -> Page:
    """Show how `tensor` came about and gets its gradients: what `Tensor.explain` does, and says.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     explain(Tensor([1.0, 2.0]) * 3, f"{folder}/graph.dot")
    Page(2 nodes)
    """
    path = None if path is None else checked(path, Page.endings)
    if not tensor.requires_grad:
        raise RuntimeError(
            f"explain: {describe(tensor)} requires no gradient: it was made with "
            "requires_grad=False, by detach(), inside no_grad(), or from constants only"
        )
    graph = Graph(tensor, expand=True, max_nodes=max_nodes)
    for unit in graph.units:
        array = unit._value if isinstance(unit, Node) else unit
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"explain: the page shows numbers, and {describe(unit)} holds a "
                f"{type(array).__module__.partition('.')[0]} array: explain a small example of "
                "NumPy's arrays"
            )
    return show(Page(graph, expand=expand), path, Path("backprop.html"), view=view)
