"""A compiled program as a picture: a box for each line, arrows to it from those that it reads."""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path

from tinytorch.compiler.source import Source
from tinytorch.pictures.cells import in_full, write
from tinytorch.pictures.dot import CLUSTER, LOOKS, digraph
from tinytorch.pictures.picture import Picture, checked, show


def render_program(source: Source, path: str | os.PathLike[str] | None, *, view: bool) -> Picture:
    """Draw the lines of a program: what `render` of a compiled function does, and says."""
    path = None if path is None else checked(path, Picture.endings)
    return show(Picture(_as_dot(source)), path, Path("program.svg"), view=view)


def _as_dot(source: Source) -> str:
    dot = digraph("program")
    boxes: dict[str, str] = {}  # what holds a name's value, up to the line that is being drawn
    number = iter(range(len(source.steps)))
    for part, steps in groupby(source.steps, lambda step: step.part):
        with dot.subgraph(name=f"cluster_{len(boxes)}_{part}") as cluster:
            cluster.attr(label=f"<{write(part, 12, bold=True).content}>", **CLUSTER)
            for step in steps:
                box = f"line{next(number)}"
                look = LOOKS["result" if part == "update" else ""]
                text, _, shape = step.text.rpartition("  # ")
                label = f"<{write(f'{text}  {shape}').content}>"
                cluster.node(
                    box, label, shape="box", style="filled,rounded", fillcolor=look.fill,
                    color=look.border, **in_full(text),
                )  # fmt: skip
                for name in dict.fromkeys(step.reads):
                    if name not in boxes:
                        boxes[name] = f"given_{name}"
                        look = LOOKS["leaf"]
                        dot.node(
                            boxes[name], f"<{write(name, 12, bold=True).content}>", shape="box",
                            style=look.style, fillcolor=look.fill, color=look.border,
                        )  # fmt: skip
                    dot.edge(boxes[name], box)
                boxes.update(dict.fromkeys(step.sets, box))
    return str(dot.source)
