"""Padding: entries put before and after, along each axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.operations.indexing import along, size_along, take
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements

_PAD = Operation("pad")
_TAKEN = ("edge", "reflect", "symmetric", "wrap")
_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max,
    "minimum": np.min,
    "mean": np.mean,
    "median": np.median,
}


@defines(_PAD)
@implements(np.pad)
def pad(
    x: Any,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Any:
    """Put `pad_width` entries before and after, along each axis.

    They are `constant_values`; or in mode "edge", "reflect", "symmetric" or "wrap" taken from x, in
    "linear_ramp" even steps to `end_values`, in "maximum", "minimum", "mean" or "median" that of
    the first and last `stat_length` entries.
    """
    widths = _of_each_axis(x, pad_width)
    if mode == "constant":
        inside = tuple(slice(b, b + n) for (b, _), n in zip(widths, x.shape, strict=True))
        return apply(
            _PAD,
            lambda x: np.pad(x, widths, constant_values=constant_values),
            (lambda grad, out, x: grad[inside],),
            x,
        )
    if mode not in (*_TAKEN, *_STATISTICS, "linear_ramp"):
        raise ValueError(
            f"pad: mode {mode!r} has no gradient here; there are constant, linear_ramp, "
            f"{', '.join((*_TAKEN, *_STATISTICS))}"
        )
    ends, lengths = _of_each_axis(x, end_values), _of_each_axis(x, stat_length)
    for axis, (before, after) in enumerate(widths):
        if mode in _TAKEN:
            x = _taken(x, axis, (before, after), mode, reflect_type)
        elif before or after:
            sides = _ramps if mode == "linear_ramp" else _statistics(mode)
            given = ends if mode == "linear_ramp" else lengths
            first, last = sides(x, axis, (before, after), given[axis])
            x = np.concatenate([first, x, last], axis)
    return x


def _of_each_axis(x: Any, given: Any) -> list[Any]:
    """Give the pair for each axis of what NumPy takes for it: a number, a pair, or all pairs."""
    if isinstance(given, dict):
        pairs = dict.fromkeys(range(x.ndim), (0, 0)) | {i % x.ndim: n for i, n in given.items()}
        given = [np.broadcast_to(pairs[i], 2).tolist() for i in range(x.ndim)]
    pairs_of_all: list[Any] = np.broadcast_to(given, (x.ndim, 2)).tolist()
    return pairs_of_all


def _taken(x: Any, axis: int, width: Any, mode: Any, reflect_type: str) -> Any:
    size = size_along(x, axis)
    if reflect_type == "odd" and mode in ("reflect", "symmetric"):
        # Twice the end less the mirrored entry, and so on: a sum of entries, which NumPy knows.
        one = np.eye(size, dtype=x.dtype)
        sums = np.pad(one, ((0, 0), width), mode=mode, reflect_type="odd")
        return np.moveaxis(np.moveaxis(x, axis, -1) @ sums, -1, axis)
    return take(x, np.pad(np.arange(size), width, mode=mode), axis)


def _ramps(x: Any, axis: int, width: Any, ends: Any) -> tuple[Any, Any]:
    """Give even steps from the end values to the first and to the last entries."""
    index = tuple(along(axis, i, x.ndim) for i in (0, -1))
    first, last = (
        np.linspace(end, x[i], n, endpoint=False, dtype=x.dtype, axis=axis)
        for end, i, n in zip(ends, index, width, strict=True)
    )
    return first, np.flip(last, axis)


def _statistics(mode: str) -> Callable[..., tuple[Any, Any]]:
    def sides(x: Any, axis: int, width: Any, lengths: Any) -> tuple[Any, Any]:
        size = size_along(x, axis)
        first, last = (size if n is None else min(n, size) for n in lengths)
        parts = (slice(0, first), slice(size - last, size))
        ends = [x[along(axis, part, x.ndim)] for part in parts]
        both = [_STATISTICS[mode](end, axis=axis, keepdims=True) for end in ends]
        return tuple(np.repeat(y, n, axis) for y, n in zip(both, width, strict=True))  # type: ignore[return-value]

    return sides


class Padding:
    """Padding, as NumPy's function does."""

    __slots__ = ()

    pad = pad
