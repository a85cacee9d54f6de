"""The results as text: one table, in Markdown that also reads well in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.bounds import OURS, Medians, further, is_missed, ratio
from benchmarks.growth import Cost
from benchmarks.libraries import LIBRARIES

PEERS = {
    "tinytorch": ("pytorch", "jax", "autograd", "numpy"),
    "compiled": ("pytorch", "pytorch_compiled", "jax", "numpy"),
}
BYTES = ("installed", "memory")
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def results(medians: Medians) -> str:
    """Give the table of medians and of ratios with their bounds, and the bounds it can't show."""
    columns = ["", *(library.title for library in LIBRARIES.values())]
    pairs = [(ours, peer) for ours, peers in PEERS.items() for peer in peers]
    for ours, peer in pairs:
        whose = "" if ours == "tinytorch" else f"{ours} "
        columns.append(f"{whose}÷ {LIBRARIES[peer].title.split(',')[0]}")
    rows = [
        [
            row,
            *(quantity(row, medians[row].get(library)) for library in LIBRARIES),
            *(_ratio(medians, row, peer, ours) for ours, peer in pairs),
        ]
        for row in medians
    ]
    notes = [f"- {'✗ ' if missed else ''}{line}" for line, missed in further(medians).items()]
    return "\n".join([*table(columns, rows), *(["", *notes] if notes else [])])


def _ratio(medians: Medians, row: str, peer: str, ours: str) -> str:
    measured = ratio(medians, row, peer, ours)
    if measured is None:
        return ""
    bound = OURS[ours].get(row, {}).get(peer)
    mark = " ✗" if is_missed(row, peer, measured, ours) else ""
    limit = "" if bound is None else f" ({bound:g})"
    return f"{measured:.2f}{limit}{mark}" if measured < 10 else f"{measured:.0f}{limit}{mark}"


def growth(
    nodes: Mapping[int, Cost], entries: Mapping[int, Cost], keeping: Mapping[int, Cost]
) -> str:
    """Give time and memory for one node, and for one entry of the arrays."""
    by_nodes = [
        [f"{n:,}", f"{cost.seconds / n * 1e6:.1f} µs", f"{cost.bytes / n:.0f}"]
        for n, cost in nodes.items()
    ]
    by_entries = [
        [
            f"{n:,}",
            f"{cost.seconds / n * 1e9:.1f} ns",
            f"{keeping[n].seconds / n * 1e9:.1f} ns",
            f"{cost.bytes / n:.0f}",
        ]
        for n, cost in entries.items()
    ]
    columns = ["entries, elementwise", "time for one", "if freed memory is kept", "bytes for one"]
    return "\n".join(
        [
            *table(["nodes of a chain", "time for one", "bytes for one"], by_nodes),
            "",
            *table(columns, by_entries),
        ]
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a Markdown table: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [[columns[0].ljust(widths[0]), *map(str.rjust, columns[1:], widths[1:])]]
    lines += [["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]]
    lines += [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def quantity(row: str, value: float | None) -> str:
    """Word a median with three digits and a unit."""
    if value is None:
        return ""
    if row in BYTES:
        return f"{digits(value / 1e6)} MB"
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value / 1e-9)} ns"


def digits(value: float) -> str:
    """Give three digits, or all that are before the point."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def write_between_markers(path: Path, text: str) -> None:
    """Replace what stands between the two markers in the file at `path`.

    Raises ValueError if they are not there.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path} needs the lines {BEGIN} and {END} around the table's place")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
