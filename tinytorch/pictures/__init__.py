"""Pictures of the graph behind a tensor: what was computed from what, and the gradients.

First the part of the graph to draw is chosen (`graph.py`), then it is written down as DOT
(`dot.py`, in the cells of `cells.py`), then Graphviz draws it (`drawing.py`).
"""

from tinytorch.pictures.lines import record_lines
from tinytorch.pictures.page import Page, explain
from tinytorch.pictures.picture import Picture, render

__all__ = ["Page", "Picture", "explain", "record_lines", "render"]
