"""A picture, and what becomes of it: a file, or a part of a notebook."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from tinytorch.operations.operands import describe
from tinytorch.pictures.dot import as_dot
from tinytorch.pictures.drawing import draw
from tinytorch.pictures.graph import Graph
from tinytorch.tensor import Tensor


class Picture:
    """A drawn graph: `.svg` and `.dot` are strings, `save` writes a file, a notebook shows it.

    >>> from tempfile import TemporaryDirectory
    >>> x = Tensor([1.0, 2.0], label="x")
    >>> with TemporaryDirectory() as folder:
    ...     picture = render(x.exp(), f"{folder}/graph.dot")
    >>> picture
    Picture(2 nodes)
    >>> picture.dot.splitlines()[0]
    'digraph computational_graph {'
    """

    endings: tuple[str, ...] = (".svg", ".png", ".pdf", ".dot")  # of the files that it can be

    def __init__(self, dot: str) -> None:
        self.dot = dot

    @cached_property
    def svg(self) -> str:
        """The picture as SVG. Raises RuntimeError where Graphviz is missing."""
        return draw(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that the ending of `path` names; raises as `Tensor.render`."""
        path = checked(path, self.endings)
        content = self._content(path.suffix.lower())
        # The file appears under its name when it is complete, or not at all.
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise type(error)(f"render: cannot write {path}: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)

    def _content(self, ending: str) -> bytes:
        match ending:
            case ".dot":
                return self.dot.encode()
            case ".svg":
                return self.svg.encode()
            case ".pdf":  # the same picture is the same file, whenever it is drawn
                pdf = draw(self.dot, "pdf")
                return re.sub(rb"(?<=/CreationDate \(D:)\d{14}", b"20000101000000", pdf)
            case _:
                return draw(self.dot, "png")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dot.count(' [label=')} nodes)"

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
    """Draw the graph behind `tensor`: what `Tensor.render` does, and says.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     render(Tensor([1.0, 2.0]) * 3, f"{folder}/graph.dot")
    Picture(2 nodes)
    """
    path = None if path is None else checked(path, (*Picture.endings, ".html"))
    if path and path.suffix.lower() == ".html":
        from tinytorch.pictures.page import explain

        return explain(tensor, path, expand=expand, max_nodes=max_nodes, view=view)
    graph = Graph(tensor, expand=expand, max_nodes=max_nodes)
    return show(Picture(as_dot(graph)), path, Path("computational_graph.svg"), view=view)


PictureT = TypeVar("PictureT", bound=Picture)


def show(picture: PictureT, path: Path | None, default: Path, *, view: bool) -> PictureT:
    """Write the file that is named; where none is, and no notebook shows the picture, `default`."""
    if path or view or not _in_notebook():
        picture.save(path or default)
        if not path:
            _tell(f"the graph is drawn in {default.resolve()}")
    if view:
        webbrowser.open((path or default).resolve().as_uri())
    return picture


def checked(path: str | os.PathLike[str], endings: Sequence[str]) -> Path:
    """Give a path for a file. Raises TypeError, ValueError, or FileNotFoundError."""
    try:
        path = Path(path)
    except TypeError:
        raise TypeError(f"render: the path is a str or a Path, got {describe(path)}") from None
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
