"""Laying out and drawing, which Graphviz does."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()  # Graphviz keeps global state


def draw(dot: str, kind: str) -> bytes:
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
