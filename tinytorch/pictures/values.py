"""Arrays written down: whole where they are small, else a corner, what they range over, a map."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

_ROWS, _COLUMNS = 12, 16  # the most of a map
_SHADES = 12  # of each sign


def number(x: Any) -> str:
    """Write a number with four digits, and no sign for 0; of what is none, its text or type."""
    if not hasattr(x, "__float__"):
        return reprlib.repr(x) if isinstance(x, str) else type(x).__name__
    return f"{(x if np.iscomplexobj(x) else float(x)) + 0.0:.4g}"


def is_small(array: Any) -> bool:
    """Say whether all entries are shown."""
    n_columns = array.shape[-1] if array.ndim else 1
    return bool(n_columns <= 6 and array.size <= min(16, 8 * n_columns))


def entries(array: Any) -> list[str]:
    """Write out an array, one line for each of its rows."""
    if not array.size:
        return ["empty"]
    texts = [[number(x) for x in row] for row in array.reshape(-1, (array.shape or (1,))[-1])]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)) for row in texts]


def extent(array: Any) -> list[str]:
    """Write the smallest entry, the mean and the largest entry; of complex ones, of their sizes."""
    array = np.abs(array) if np.iscomplexobj(array) else array
    with np.errstate(all="ignore"):
        texts = [number(x) for x in (array.min(), array.mean(), array.max())]
    return [x.rjust(max(map(len, texts))) for x in texts]


def summary(array: Any) -> list[str]:
    """Write all entries of a small array, the extent of another."""
    return (entries if is_small(array) else extent)(array)


def inline(array: Any) -> str:
    """Write an array on one line, as NumPy would; of more than eight entries, the first ones.

    >>> inline(np.eye(2)), inline(np.arange(12.0).reshape(3, 4))
    ('[[1 0] [0 1]]', '[[0 1 …] [4 5 …] …]')
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiubc":
        return str(array)
    return _nested(array, 8 if array.size <= 8 else 2)


def _nested(array: Any, most: int) -> str:
    if not array.ndim:
        return number(array)
    parts = [_nested(part, most) for part in array[:most]]
    return f"[{' '.join(parts + ['…'] * (len(array) > most))}]"


def details(array: Any) -> dict[str, Any]:
    """Describe an array for the page: its text and, of a large one, its extent and a heat map."""
    if is_small(array) or not array.size:
        return {"text": "\n".join(entries(array))}
    rows = array.reshape(-1, array.shape[-1])
    corner = [
        line + "  …" * (rows.shape[1] > 4) for line in entries(np.ascontiguousarray(rows[:3, :4]))
    ]
    least, mean, most = map(str.strip, extent(array))
    return {
        "text": "\n".join(corner + ["…"] * (len(rows) > 3)),
        "extent": f"from {least} to {most}, mean {mean}",
        "map": _heat_map(rows),
        "of": f"{len(rows)} by {rows.shape[1]}",
    }


def _heat_map(rows: Any) -> list[str]:
    """Shade entries evenly spread over a matrix: "m" is 0, "a" and "y" the largest magnitude.

    What is no number is a blank; a complex one counts by its size.
    """
    picked = [
        np.linspace(0, n - 1, min(n, most)).astype(int)
        for n, most in zip(rows.shape, (_ROWS, _COLUMNS), strict=True)
    ]
    sample = rows[np.ix_(*picked)]
    sample = np.abs(sample) if np.iscomplexobj(sample) else sample.astype(float)
    finite = np.isfinite(sample)
    top = np.abs(sample[finite]).max(initial=0) or 1.0
    shades = np.round(np.where(finite, sample, 0) / top * _SHADES).astype(int)
    letters = np.where(finite, shades + ord("m"), ord(" "))
    return ["".join(map(chr, row)) for row in letters.tolist()]
