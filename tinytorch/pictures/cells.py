"""Text in cells of tables, as wide as it is in a usual fixed-width font, and safe in DOT."""

from __future__ import annotations

import bisect
import html
import itertools
import math
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

INK = "#1b1b1b"
_MOST_COLUMNS, _MOST_LINES = 80, 20
_MOST_BYTES = 16_000  # of a tooltip: Graphviz reads no string above 16,384


class Look(NamedTuple):
    """The colours of a card, and its shape and style as Graphviz names them."""

    fill: str
    border: str
    shape: str = "plain"
    style: str = "filled"

    @property
    def frame(self) -> str:
        """The attributes of a table that looks so."""
        return f"border='1' bgcolor='{self.fill}' color='{self.border}'"


class Cell(NamedTuple):
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


def write(text: str, size: int = 11, color: str = INK, *, bold: bool = False) -> Cell:
    """Write a text, as wide as it is in a usual fixed-width font.

    So a picture doesn't depend on the fonts of the computer that draws it, and fits on the one that
    shows it.
    """
    lines = fitted(text)
    shown = [_escaped(line) for line in lines]
    content = "".join(f"{line}<br align='left'/>" for line in shown) if shown[1:] else shown[0]
    if bold:
        content = f"<b>{content}</b>"
    width = math.ceil(0.605 * size * max(map(_columns, lines)))
    content = f"<font point-size='{size}' color='{color}'>{content}</font>"
    return Cell(content, width + 2, math.ceil(1.2 * size * len(lines)) + 2)


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


def fitted(text: str) -> list[str]:
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


def in_full(*texts: str) -> dict[str, str]:
    """Give those texts that are not shown in full as a tooltip, up to a length of its own."""
    cut = ["\n".join(_visible(text)) for text in texts if fitted(text) != _visible(text)]
    # Graphviz looks for escapes twice.
    written = [html.escape(c).replace("\\", "\\" * 4) for c in "\n".join(cut)]
    ends = itertools.accumulate(len(c.encode()) + 4 * (c == "\n") for c in written)
    fits = bisect.bisect([*ends], _MOST_BYTES)
    tooltip = "".join(written[:fits]).replace("\n", "&#10;") + "…" * (fits < len(written))
    return {"tooltip": tooltip} if cut else {}


def _escaped(line: str) -> str:
    """Write a line so that Graphviz takes it literally."""
    return html.escape(line).replace("\\", "\\\\").replace(" ", "&#32;")


_TIGHT = "cellborder='0' cellspacing='0' cellpadding='0'"


def side_by_side(cells: Iterable[Cell], attributes: str = "border='0' align='left'") -> Cell:
    """Put cells side by side, each of its own width."""
    cells = list(cells)
    width, height = sum(cell.width for cell in cells) + 2, max(cell.height for cell in cells) + 2
    return Cell(
        f"<table {_TIGHT} fixedsize='true' width='{width}' height='{height}' {attributes}>"
        f"<tr>{''.join(map(str, cells))}</tr></table>",
        width,
        height,
    )


def stacked(cells: Iterable[Cell]) -> str:
    """Put cells under each other."""
    rows = "".join(f"<tr>{cell}</tr>" for cell in cells)
    return f"<table {_TIGHT} border='0'>{rows}</table>"


def framed(content: str, look: Look, style: str = "") -> str:
    """Put a border around what a table of one cell contains, on the fill of `look`."""
    cell = f"<tr><td>{content}</td></tr>"
    return f"<table {look.frame} cellborder='0' cellpadding='2' {style}>{cell}</table>"
