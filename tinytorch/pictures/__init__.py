"""Pictures of the graph behind a tensor: what was computed from what, and the gradients.

First the part of the graph to draw is chosen (`graph.py`), then it is written down as DOT
(`dot.py`, in the cells of `cells.py`), then Graphviz draws it (`drawing.py`).

`explain` puts the picture into a page that plays the forward and the backward pass (`page.py`, and
in the browser `page.html`, `page.css` and `page.js`). Its steps are told by the engine's own loop
(`steps.py`), each with the source of the rule that ran (`rules.py`) and, of what was computed in a
block `with record_lines():`, the line of the program that computed it (`lines.py`).
"""

from tinytorch.pictures.lines import record_lines
from tinytorch.pictures.page import Page, explain
from tinytorch.pictures.picture import Picture, render

__all__ = ["Page", "Picture", "explain", "record_lines", "render"]
