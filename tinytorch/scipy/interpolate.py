"""SciPy's interpolation of one variable: pieces of lines and of cubics, with derivatives.

They have derivatives by the knots x, the values y, and by where they are looked at.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.arrays.checks import check
from tinytorch.operations.elementwise import where
from tinytorch.scipy.linalg import solve_banded
from tinytorch.scipy.words import operand


class _Pieces:
    """A polynomial between each two of the knots x: sum of c[k, i] * (x - x[i])**(n - 1 - k)."""

    x: Any
    c: Any
    axis: int
    extrapolate: bool

    def __call__(self, x: Any, nu: int = 0, extrapolate: bool | None = None) -> Any:
        """Give the values at x, or the `nu`-th derivative; they stand where the values' axis was.

        Outside of the knots the end pieces go on, or all is nan if not `extrapolate`.
        """
        x = operand(x)
        knots, n = self.x.data, self.c.shape[0]
        piece = np.clip(np.searchsorted(knots, x.data, side="right") - 1, 0, knots.size - 2)
        rest = self.c.ndim - 2
        steps = np.reshape(x - self.x[piece], x.shape + (1,) * rest)
        out: Any = 0.0
        for power in range(n - 1, nu - 1, -1):
            out = out * steps + self.c[n - 1 - power, piece] * math.perm(power, nu)
        if not (self.extrapolate if extrapolate is None else extrapolate):
            inside = (x.data >= knots[0]) & (x.data <= knots[-1])
            out = where(inside.reshape(steps.shape), out, np.nan)
        front = range(x.ndim)
        return np.moveaxis(out, tuple(front), tuple(self.axis + i for i in front))


def _knots_and_values(name: str, x: Any, y: Any, axis: int) -> tuple[Any, Any, int]:
    """Check them; give the values with their axis in front, and its number."""
    x, y = operand(x), operand(y)
    if x.ndim != 1 or x.size < 2 or not y.ndim or y.shape[axis] != x.size:
        raise ValueError(
            f"{name}: x is a row of two numbers or more, and y has as many along axis {axis}; "
            f"got shapes {x.shape} and {y.shape}"
        )
    steps = np.diff(x.data)
    check(steps > 0, steps, ValueError, f"{name}: x has to increase from each number to the next")
    return x, np.moveaxis(y, axis, 0), axis % y.ndim


def _differences(x: Any, y: Any) -> tuple[Any, Any]:
    """Give the lengths of the pieces, as a column for y, and the slopes from knot to knot."""
    lengths = np.reshape(np.diff(x), (-1,) + (1,) * (y.ndim - 1))
    return lengths, np.diff(y, axis=0) / lengths


class CubicHermiteSpline(_Pieces):
    """The cubic pieces that have the values y and the slopes dydx at the knots x.

    `spline(x, nu=0)` gives the values at x, or the nu-th derivative. Raises ValueError for shapes
    that don't fit, and for knots that don't increase.

    >>> CubicHermiteSpline([0.0, 1.0], [0.0, 1.0], [0.0, 2.0])([0.5, 1.0])
    Tensor([0.25, 1.  ], requires_grad=False)
    """

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: bool = True) -> None:
        self.x, y, self.axis = _knots_and_values(type(self).__name__, x, y, axis)
        self.extrapolate = extrapolate
        self._join(y, np.moveaxis(operand(dydx), axis, 0))

    def _join(self, y: Any, dydx: Any) -> None:
        if y.shape != dydx.shape:
            raise ValueError(f"as many slopes as values: got shapes {dydx.shape} and {y.shape}")
        lengths, slopes = _differences(self.x, y)
        bend = (dydx[:-1] + dydx[1:] - 2 * slopes) / lengths
        self.c = np.stack(
            [bend / lengths, (slopes - dydx[:-1]) / lengths - bend, dydx[:-1], y[:-1]]
        )


class CubicSpline(CubicHermiteSpline):
    """The cubic pieces through the values y at the knots x with two continuous derivatives.

    The slopes at the knots solve a tridiagonal system (C. de Boor, "A Practical Guide to Splines",
    1978, chapter 4). `bc_type` says what holds at the ends: "not-a-knot" (the last two pieces are
    one cubic), "natural" (second derivative 0), "clamped" (first derivative 0), or a pair for the
    two ends, of these, (1, slope) or (2, second derivative). `spline(x, nu=0)` gives the values at
    x, or the nu-th derivative. Raises ValueError for another bc_type, for shapes that don't fit,
    and for knots that don't increase.

    >>> spline = CubicSpline([0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 4.0, 16.0])
    >>> spline(3.0).data.round(6), spline(3.0, nu=1).data.round(6)
    (np.float64(9.0), np.float64(6.0))
    """

    def __init__(
        self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: bool = True
    ) -> None:
        self.x, y, self.axis = _knots_and_values("CubicSpline", x, y, axis)
        self.extrapolate = extrapolate
        table = y.reshape(self.x.size, -1)
        self._join(y, np.reshape(_slopes(self.x, table, *_ends(bc_type)), y.shape))


def _ends(bc_type: Any) -> list[Any]:
    """Give for both ends None for "not-a-knot", or (order, value) of the derivative that is set."""
    named = {"not-a-knot": None, "natural": (2, 0.0), "clamped": (1, 0.0)}
    pair = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    ends = [named.get(end, ()) if isinstance(end, str) else end for end in pair]
    for end in ends if len(ends) == 2 else [()]:
        if end is not None and not (isinstance(end, tuple) and len(end) == 2 and end[0] in (1, 2)):
            raise ValueError(
                f"CubicSpline: bc_type is {', '.join(map(repr, named))}, or for the two ends a "
                f"pair of these, (1, slope) or (2, second derivative), got {bc_type!r}"
            )
    return ends


def _slopes(x: Any, y: Any, first: Any, last: Any) -> Any:
    h, slopes = _differences(x, y)
    if x.size == 2:  # one line
        first, last = ((1, slopes[0]) if end is None else end for end in (first, last))
    elif x.size == 3 and first is last is None:  # one parabola, of which both say the same
        first = (2, 2 * (slopes[1] - slopes[0]) / (h[0] + h[1]))
    above = _end(first, h, slopes, 1.0)
    below = _end(last, np.flip(h, 0), np.flip(slopes, 0), -1.0)
    zero = np.zeros((1, 1))
    matrix = [
        [zero, above[1], h[:-1]],
        [above[0], 2 * (h[:-1] + h[1:]), below[0]],
        [h[1:], below[1], zero],
    ]
    right = 3 * (h[1:] * slopes[:-1] + h[:-1] * slopes[1:])
    diagonals = np.stack([np.concatenate(row)[:, 0] for row in matrix])
    return solve_banded((1, 1), diagonals, np.concatenate([above[2], right, below[2]]))


def _end(condition: Any, h: Any, slopes: Any, sign: float) -> tuple[Any, Any, Any]:
    """Give the equation at an end, a * slope + b * next slope = c, as a, b and c."""
    one = np.ones((1, 1))
    if condition is None:
        both = h[:1] + h[1:2]
        right = (h[:1] + 2 * both) * h[1:2] * slopes[:1] + h[:1] ** 2 * slopes[1:2]
        return h[1:2], both, right / both
    order, value = condition
    value = operand(value).reshape(1, -1)
    if order == 1:
        return one, 0 * one, value + 0 * slopes[:1]
    return 2 * one, one, 3 * slopes[:1] - sign * value * h[:1] / 2


class _Lines(_Pieces):
    def __init__(self, x: Any, y: Any, axis: int) -> None:
        self.x, y, self.axis = _knots_and_values("interp1d", x, y, axis)
        self.c = np.stack([_differences(self.x, y)[1], y[:-1]])
        self.extrapolate = True


class interp1d:  # noqa: N801  (SciPy's name)
    """Interpolate the values y at x by lines, or cubics with "not-a-knot" ends: `kind`.

    The x need no order, unless they are `assume_sorted`. Outside of them values are refused by
    ValueError if `bounds_error`, as where nothing is said; are `fill_value`, a number or a pair for
    below and above; or go on with fill_value="extrapolate". Raises ValueError for another kind, and
    for shapes that don't fit.

    >>> interp1d([0.0, 1.0, 2.0], [0.0, 10.0, 0.0])([0.25, 1.5])
    Tensor([2.5, 5. ], requires_grad=False)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        kind: str = "linear",
        axis: int = -1,
        bounds_error: bool | None = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        if kind not in ("linear", "cubic"):
            raise ValueError(f'interp1d: kind is "linear" or "cubic", got {kind!r}')
        x, y = operand(x), operand(y)
        if not assume_sorted and x.ndim == 1 and y.ndim and y.shape[axis] == x.size:
            order = np.argsort(x.data, kind="stable")
            x, y = x[order], np.take(y, order, axis=axis)
        self._pieces: _Pieces = _Lines(x, y, axis) if kind == "linear" else CubicSpline(x, y, axis)
        self._goes_on = isinstance(fill_value, str) and fill_value == "extrapolate"
        self._refuses = not self._goes_on if bounds_error is None else bounds_error
        self._fill = fill_value

    def __call__(self, x: Any) -> Any:
        """Give the values at x."""
        x, knots, axis = operand(x), self._pieces.x.data, self._pieces.axis
        below, above = x.data < knots[0], x.data > knots[-1]
        if self._refuses and (below | above).any():
            raise ValueError(
                f"interp1d: x lies outside of [{knots[0]}, {knots[-1]}]; "
                'fill_value="extrapolate" goes on there'
            )
        out = self._pieces(x)
        if self._goes_on:
            return out
        fill = self._fill if isinstance(self._fill, tuple) else (self._fill, self._fill)
        behind = (1,) * (out.ndim - axis - x.ndim)
        for outside, value in zip((below, above), fill, strict=True):
            out = where(outside.reshape(outside.shape + behind), value, out)
        return out
