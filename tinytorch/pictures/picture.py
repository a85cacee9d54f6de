"""A picture, and what becomes of it: a file, or a part of a notebook."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
import webbrowser
from functools import cached_property
from pathlib import Path
from typing import Any

from tinytorch.pictures.dot import as_dot
from tinytorch.pictures.drawing import draw
from tinytorch.pictures.graph import Graph
from tinytorch.tensor import Tensor


class Picture:
    """A drawn graph: `.svg` and `.dot` are strings, `save` writes a file, a notebook shows it."""

    def __init__(self, dot: str) -> None:
        self.dot = dot

    @cached_property
    def svg(self) -> str:
        """The picture as SVG. Raises RuntimeError where Graphviz is missing."""
        return draw(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that the ending of `path` names; raises as `Tensor.render`."""
        path = _checked(path)
        match path.suffix.lower():
            case ".dot":
                content = self.dot.encode()
            case ".svg":
                content = self.svg.encode()
            case ".pdf":  # the same picture is the same file, whenever it is drawn
                pdf = draw(self.dot, "pdf")
                content = re.sub(rb"(?<=/CreationDate \(D:)\d{14}", b"20000101000000", pdf)
            case _:
                content = draw(self.dot, "png")
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
    picture = Picture(as_dot(Graph(tensor, expand=expand, max_nodes=max_nodes)))
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
