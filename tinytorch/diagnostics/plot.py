"""A plot by matplotlib that shows itself in a notebook, and writes itself to a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from typing import Any


class Plot:
    """A plot: `save(path)` writes it, and a notebook shows it. `figure` is matplotlib's."""

    def __init__(
        self,
        width: float,
        height: float,
        draw: Callable[[Any], None],
        path: str | os.PathLike[str] | None,
    ) -> None:
        try:
            from matplotlib.figure import Figure  # no window, and none of pyplot's global state
        except ImportError:
            raise ImportError("plots are drawn by matplotlib: pip install matplotlib") from None
        self.figure = Figure(figsize=(width, height), layout="constrained")
        draw(self.figure)
        if path is not None:
            self.save(path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the plot to a file, whose ending (.png, .svg, .pdf) says the format."""
        self.figure.savefig(path, dpi=150)

    def _repr_png_(self) -> bytes:
        png = BytesIO()
        self.figure.savefig(png, format="png", dpi=96)
        return png.getvalue()
