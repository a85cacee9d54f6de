"""Curves of training, which grow while it runs."""

from __future__ import annotations

import os
import sys
from numbers import Real
from time import monotonic
from typing import Any, Self

import numpy as np

from tinytorch.diagnostics.plot import Plot
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

_SECONDS = 0.5  # between two drawings: a drawing takes longer than a small network's step


class History:
    """Named numbers of each step, drawn as lines: live in a notebook, in a script at the end.

    `add` collects numbers, and `values` holds them by name. In a notebook the plot stands below the
    cell and replaces itself. The end of a block, `with History("training.png") as history:`, draws
    all of them, to `path` if one was given.

    >>> history = History()
    >>> for loss in (3.0, 2.0, 1.5):
    ...     history.add(loss=loss)
    >>> history.values
    {'loss': [3.0, 2.0, 1.5]}
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path, self.values = path, dict[str, list[float]]()
        self._steps: dict[str, list[int]] = {}
        self._n_steps = 0
        self._shown: Any = None  # IPython's handle of what is displayed
        self._drawn_at = -_SECONDS

    def add(self, **numbers: Any) -> None:
        """Add the numbers of one step, `history.add(loss=loss, accuracy=0.9)`.

        Of a tensor of one entry its value is kept, without the graph behind it. Not every name has
        to come in each step. Raises TypeError for what is no single number; then none is added.
        """
        if not numbers:
            raise TypeError("History.add: numbers have names, as in history.add(loss=loss)")
        read = {name: _number(name, x) for name, x in numbers.items()}
        self._n_steps += 1
        for name, number in read.items():
            self.values.setdefault(name, []).append(number)
            self._steps.setdefault(name, []).append(self._n_steps)
        if _in_notebook() and monotonic() - self._drawn_at >= _SECONDS:
            self._show()

    def plot(self, path: str | os.PathLike[str] | None = None) -> Plot:
        """Draw the lines, one panel for each name, and write them to `path` if one is given.

        Raises ValueError where nothing was added, ImportError without matplotlib.
        """
        if not self.values:
            raise ValueError(
                "History: there is nothing to draw; history.add(loss=loss) comes first"
            )
        return Plot(4 * len(self.values), 3, self._draw, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.values:
            return
        if self.path is not None:
            self.plot(self.path)
        if _in_notebook():
            self._show()

    def _show(self) -> None:
        from IPython.display import display

        show: Any = display
        if self._shown is None:
            self._shown = show(self.plot(), display_id=True)
        else:
            self._shown.update(self.plot())
        self._drawn_at = monotonic()

    def _draw(self, figure: Any) -> None:
        panels = figure.subplots(1, len(self.values), squeeze=False)[0]
        for panel, (name, numbers) in zip(panels, self.values.items(), strict=True):
            panel.plot(self._steps[name], numbers, marker="." if len(numbers) < 30 else "")
            panel.set(title=name, xlabel="step")
            panel.xaxis.get_major_locator().set_params(integer=True)
            panel.grid(alpha=0.3)


def _number(name: str, x: Any) -> float:
    if isinstance(x, Tensor) or hasattr(x, "shape"):
        if x.shape and np.prod(x.shape) != 1:
            raise TypeError(
                f"History.add: {name} is one number a step, got {describe(x)}; x.mean() is one"
            )
        return float(x.item())
    if not isinstance(x, Real):
        raise TypeError(f"History.add: {name} is a number, got {describe(x)}")
    return float(x)


def _in_notebook() -> bool:
    """Say whether a Jupyter kernel runs this, which shows pictures; a terminal does not."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    current: Any = get_ipython
    return hasattr(current(), "kernel")
