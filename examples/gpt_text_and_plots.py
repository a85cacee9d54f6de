"""The text that the language model learns, its rivals, and its pictures."""

from __future__ import annotations

import bz2
import math
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from script import COLOURS, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array: TypeAlias = NDArray[Any]


def text() -> str:
    """Return the English that comes with Python, each paragraph once: no part has seen another."""
    licences = (Path(os.__file__).with_name(name) for name in ("LICENSE.txt", "LICENSE"))
    licence = [path.read_text(encoding="utf-8") for path in licences if path.exists()]
    paragraphs = "\n\n".join([*licence, *topics.values()]).split("\n\n")
    return "\n\n".join(dict.fromkeys(paragraphs))


def five_gram_bits(train: str, test: str, n: int = 5) -> float:
    """Return the bits per character of a model that looks at the four characters before.

    It is smoothed by interpolation after R. Kneser and H. Ney ("Improved backing-off for m-gram
    language modeling", 1995): of each count a discount goes to the model that looks less far, and
    that one counts in how many ways a character goes on, rather than how often.
    """
    uniform = 1 / len(set(train))
    counts = Counter(train[i : i + n] for i in range(len(train) - n + 1))
    orders = []  # the longest first
    for _ in range(n):
        once, twice = (sum(count == k for count in counts.values()) for k in (1, 2))
        totals, ways = Counter[str](), Counter[str]()
        for gram, count in counts.items():
            totals[gram[:-1]] += count
            ways[gram[:-1]] += 1
        orders.append((counts, totals, ways, once / max(once + 2 * twice, 1)))
        counts = Counter(gram[1:] for gram in counts)

    def probability(gram: str) -> float:
        p = uniform
        for k, (counts, totals, ways, discount) in enumerate(reversed(orders), 1):
            gram_k, before = gram[n - k :], gram[n - k : -1]
            if before in totals:
                given = max(counts[gram_k] - discount, 0) + discount * ways[before] * p
                p = given / totals[before]
        return p

    grams = [test[i - n + 1 : i + 1] for i in range(n - 1, len(test))]
    return -sum(math.log2(probability(gram)) for gram in grams) / len(grams)


def bz2_bits(train: str, test: str) -> float:
    """Return the bits per character that bz2 needs for more text after that which it has seen."""
    sizes = [len(bz2.compress(part.encode())) for part in (train + test, train)]
    return 8 * (sizes[0] - sizes[1]) / len(test)


def draw_training(
    history: Sequence[float], held_out: dict[int, float], bits: dict[str, float]
) -> Figure:
    """Draw the loss of each step, smoothed, and what the held-out text costs each model."""
    figure = new_figure(9, 5)
    axes = figure.subplots()
    size = min(50, len(history))
    means = np.convolve(history, np.ones(size) / size, "valid")
    steps = np.arange(size, len(history) + 1)
    axes.plot(steps, means, color=COLOURS[0], label="training, mean of 50 steps")
    axes.plot(
        list(held_out),
        list(held_out.values()),
        "o",
        color=COLOURS[1],
        label="held out, its beginning",
    )
    for (name, value), style in zip(bits.items(), ("-", "--", ":"), strict=True):
        label = f"{name}: {value:.2f}"
        axes.axhline(value, color=INK, linestyle=style, linewidth=1, label=label)
    axes.set(title="What a character costs", xlabel="step", ylabel="bits", ylim=(1, 5))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    return figure


def draw_surprise(passage: str, surprises: Array, lines: int = 24, columns: int = 72) -> Figure:
    """Show a passage, each character on a ground that is the darker the less it was expected."""
    figure = new_figure(10, 7)
    axes = figure.subplots()
    grid = np.full((lines, columns), np.nan)
    row = column = 0
    for character, bits in zip(passage, surprises, strict=True):
        if character == "\n" or column == columns:
            row, column = row + 1, 0
        if row == lines:
            break
        if character != "\n":
            grid[row, column] = bits
            colour = "white" if bits > 6 else INK
            place = {"ha": "center", "va": "center_baseline"}
            axes.text(column, row, character, family="monospace", color=colour, **place)
            column += 1
    image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=10, aspect="auto")
    axes.set_axis_off()
    axes.set_title("What surprises the transformer in a text that it has never seen")
    figure.colorbar(image, label="bits", shrink=0.6)
    return figure
