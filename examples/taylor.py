"""Draw tanh and its first six derivatives, and print the Taylor polynomial that they make.

Each derivative is `elementwise_grad` of the one before: gradients of gradients, six levels deep.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from tinytorch import elementwise_grad

ORDER = 6
NAMES = ("tanh", "first", "second", "third", "fourth", "fifth", "sixth")
# Blue and vermilion differ to colour-blind eyes too, and so do lines and dashes.
ODD, EVEN = {"color": "#0072b2"}, {"color": "#d55e00", "linestyle": "--"}


def derivatives() -> list[Callable[..., Any]]:
    """Return tanh and its derivatives up to the order 6, as functions of arrays."""
    functions: list[Callable[..., Any]] = [np.tanh]
    for _ in range(ORDER):
        functions.append(elementwise_grad(functions[-1]))
    return functions


def taylor_polynomial() -> str:
    """Write out the sum of `derivative(0) / order! * x^order`."""
    coefficients = [f(0.0) / math.factorial(k) for k, f in enumerate(derivatives())]
    terms = [f"{c:+.6f} x^{k}" for k, c in enumerate(coefficients) if c]
    return " ".join(terms)


def draw() -> Figure:
    """Draw each function in a panel of its own, since each reaches higher than the one before."""
    figure = Figure(figsize=(9, 9), layout="constrained", facecolor="#fdfdfd")
    panels = figure.subplot_mosaic([[0, 0], [1, 2], [3, 4], [5, 6]], sharex=True)
    x = np.linspace(-4, 4, 401)
    for order, f in enumerate(derivatives()):
        axes = panels[order]
        axes.axhline(0, color="#999999", linewidth=0.8)
        axes.plot(x, f(x), linewidth=1.8, **(EVEN if order % 2 else ODD))
        axes.set_title(f"{NAMES[order]} derivative" if order else "tanh")
        axes.grid(alpha=0.3)
        axes.margins(x=0)
        if order in {0, 5, 6}:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("$x$")
        axes.set_ylabel(rf"$\tanh^{{({order})}}(x)$" if order else r"$\tanh(x)$")
    lines = [panels[0].lines[1], panels[1].lines[1]]
    labels = ["odd: $f(-x) = -f(x)$", "even: $f(-x) = f(x)$"]
    figure.align_ylabels()
    figure.legend(lines, labels, loc="outside lower center", ncols=2)
    figure.suptitle("tanh and its derivatives, each the elementwise_grad of the one before")
    return figure


def main() -> None:
    """Read the command line, print the polynomial and save the drawing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("taylor.svg"),
        help="file for the picture; its ending, such as .svg or .png, says of what kind",
    )
    arguments = parser.parse_args()
    print(f"tanh(x) = {taylor_polynomial()} + ...")
    figure, path = draw(), arguments.output
    metadata = {"Date": None} if path.suffix == ".svg" else None  # the same bytes on any day
    try:
        with rc_context({"svg.hashsalt": "taylor"}):
            figure.savefig(path, metadata=metadata)
    except (OSError, ValueError) as error:
        parser.error(f"argument --output: cannot draw {path}: {error}")
    print(f"drawn: {path}")


if __name__ == "__main__":
    main()
