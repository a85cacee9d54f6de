"""What the example scripts share: a command line, and figures that need no screen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue and orange differ to colour-blind eyes too.
COLOURS = ("#0072b2", "#e69f00")
PAPER, INK = "#fdfdfd", "#222222"


def number(kind: type[int | float], least: float, most: float) -> Callable[[str], float]:
    """Return a converter for argparse that accepts numbers of this kind from `least` to `most`."""

    def convert(text: str) -> float:
        with suppress(ValueError):
            if least <= (value := kind(text)) <= most:
                return value
        wanted = "whole number" if kind is int else "number"
        raise argparse.ArgumentTypeError(f"{text!r} is not a {wanted} from {least} to {most}")

    return convert


def parse_arguments(
    description: str | None, options: Mapping[str, tuple[Callable[[str], Any], Any, str]]
) -> argparse.Namespace:
    """Read the command line and make the output folder; a mistake ends the program with a line.

    `options` are names with a converter, a default and a meaning; a default of False makes a flag.
    """
    parser = argparse.ArgumentParser(
        description=description,
        usage="%(prog)s [options]",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for option, (kind, default, meaning) in options.items():
        if default is False:
            parser.add_argument(option, action="store_true", help=meaning)
        else:
            parser.add_argument(option, type=kind, default=default, help=meaning, metavar="")
    arguments = parser.parse_args()

    folder = arguments.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --output: cannot make the folder {folder}: {error.strerror}")
    if not os.access(folder, os.W_OK):
        parser.error(f"argument --output: cannot write into the folder {folder}")
    return arguments


def new_figure(width: float, height: float) -> Figure:
    """Return a figure that needs no screen, and whose paper is light on dark pages too."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    margins = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    return Figure(figsize=(width, height), layout=margins, facecolor=PAPER)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Put the legend of `axes` under the whole figure."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def save(figure: Figure, path: Path) -> None:
    """Write the figure to `path`: the same bytes for the same figure, whatever the day."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, metadata={"Date": None})
    print(f"drawn: {path}")
