"""The plot of gradient flow: three panels, over the steps or over the layers of one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_TITLES = {
    "gradient": "gradient (root mean square)",
    "update": "update / weight",
    "dead": "dead and saturated units",
}
_HEALTHY = 1e-3  # an update of a thousandth of the weights


def draw(figure: Any, steps: Sequence[Any]) -> None:
    """Draw the steps' `LayerFlow`s, given by the layers' paths."""
    layers = list(steps[-1])
    panels = figure.subplots(1, len(_TITLES))
    for panel, (name, title) in zip(panels, _TITLES.items(), strict=True):
        panel.set_title(title)
        panel.grid(alpha=0.3)
        names = [name, "saturated"] if name == "dead" else [name]
        for which in names:
            values = {path: [getattr(step[path], which) for step in steps] for path in layers}
            (_over_steps if len(steps) > 1 else _over_layers)(panel, values, dashed=which != name)
        if name == "dead":
            panel.set_ylim(-0.03, 1.03)
            panel.yaxis.set_major_formatter("{x:.0%}")
        elif any(y > 0 for line in panel.lines for y in line.get_ydata()):
            panel.set_yscale("log", nonpositive="mask")
        if name == "update":
            panel.axhline(_HEALTHY, color="gray", linestyle=":", linewidth=1)
    if len(steps) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    panels[-1].text(
        0.98, 0.97, "solid: dead\ndashed: saturated", transform=panels[-1].transAxes,
        ha="right", va="top", fontsize="small",
    )  # fmt: skip


def _over_steps(panel: Any, values: dict[str, list[Any]], *, dashed: bool) -> None:
    from matplotlib import colormaps

    colors = colormaps["viridis"]
    for i, (path, row) in enumerate(values.items()):
        numbers = [float("nan") if x is None else x for x in row]
        panel.plot(
            range(1, len(row) + 1), numbers, label=path, color=colors(i / len(values)),
            linestyle="--" if dashed else "-", marker="." if len(row) < 10 else "",
        )  # fmt: skip
    panel.set_xlabel("step")
    panel.xaxis.get_major_locator().set_params(integer=True)


def _over_layers(panel: Any, values: dict[str, list[Any]], *, dashed: bool) -> None:
    known = {i: row[0] for i, row in enumerate(values.values()) if row[0] is not None}
    panel.plot(list(known), list(known.values()), "C1--s" if dashed else "C0-o")
    panel.set_xticks(range(len(values)), list(values), rotation=45, ha="right")
