"""The results as a picture."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bounds import Medians
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import WORKLOADS

COLOURS = {
    "tinytorch": "#d1495b",
    "compiled": "#8f1d36",
    "pytorch_compiled": "#66a182",
    "jax": "#30638e",
    "autograd": "#8d96a3",
    "numpy": "#edae49",
}


def draw(medians: Medians, path: Path) -> None:
    """Draw every workload's times as multiples of PyTorch's, on a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmark"  # the same figures give the same file
    from matplotlib import pyplot as plt

    rows = [row for row in medians if row in WORKLOADS]
    height = 0.8 / len(COLOURS)
    figure, axes = plt.subplots(figsize=(8, 0.6 * len(rows) + 1), layout="constrained")
    for i, (library, colour) in enumerate(COLOURS.items()):
        bars = {
            j + (i - (len(COLOURS) - 1) / 2) * height: medians[row][library]
            / medians[row]["pytorch"]
            for j, row in enumerate(rows)
            if library in medians[row]
        }
        title = LIBRARIES[library].title.replace("`", "")
        # Bars start at 1: to the left is faster than PyTorch.
        widths = [ratio - 1 for ratio in bars.values()]
        axes.barh(list(bars), widths, height, left=1, color=colour, label=title)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("time, as a multiple of eager PyTorch's: left of 1 is faster")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
