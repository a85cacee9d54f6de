"""Padding: entries put around sequences, images and volumes, or taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tinytorch.nn.inputs import tensor
from tinytorch.nn.module import Module
from tinytorch.nn.spatial import Sizes, each
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

# PyTorch's names of the modes, and NumPy's.
_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(
    input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Put entries around the last axes: `pad` has a number before and one behind for each.

    They come from the last axis on, so that (1, 2, 3, 4) puts 1 and 2 columns left and right, 3 and
    4 rows above and below. In mode "constant" they are `value`, 0 by default, and a negative number
    takes entries away; "reflect", "replicate" and "circular" take them from the input.
    Raises ValueError for more entries than the mode can give, and for another mode.
    """
    x, widths = tensor(input), tuple(pad)
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise ValueError(
            f"pad: expected a number before and one behind for each of up to {x.ndim} axes, got "
            f"{widths}"
        )
    if mode != "constant" and mode not in _MODES:
        raise ValueError(f"pad: mode is one of constant, {', '.join(_MODES)}, got {mode!r}")
    if value is not None and value != 0 and mode != "constant":
        raise ValueError(f"pad: mode {mode!r} takes no value, got {value}")
    pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    _refuse_too_much(x, pairs, mode)
    if mode == "circular":  # what is lost is not there to be repeated
        x = _cropped(x, pairs)
    around = [(max(before, 0), max(behind, 0)) for before, behind in pairs]
    if mode == "constant":
        padded: Any = np.pad(x, around, constant_values=0.0 if value is None else value)
    else:
        padded = np.pad(x, around, mode=_MODES[mode])  # type: ignore[call-overload]
    result: Tensor = padded if mode == "circular" else _cropped(padded, pairs)
    return result


def _cropped(x: Any, pairs: Sequence[tuple[int, int]]) -> Any:
    """Take as many entries away at each end as a negative number says."""
    if all(min(pair) >= 0 for pair in pairs):
        return x
    return x[tuple(slice(max(-before, 0), min(behind, 0) or None) for before, behind in pairs)]


def _refuse_too_much(x: Tensor, pairs: Sequence[tuple[int, int]], mode: str) -> None:
    for (before, behind), n in zip(pairs, x.shape, strict=True):
        left = n + min(before, 0) + min(behind, 0)
        if before + behind + n < 0 or (left < 0 and mode in ("constant", "circular")):
            raise ValueError(f"pad: {describe(x)} has no {-min(before, behind)} entries to lose")
        most = {"reflect": max(n - 1, 0), "circular": left}.get(mode, max(before, behind))
        if max(before, behind) > most or (mode != "constant" and max(before, behind) > 0 == n):
            raise ValueError(
                f"pad: in mode {mode!r}, an axis of {n} entries gives {max(most, 0)} at most, "
                f"got {before} and {behind}"
            )


class _Pad(Module):
    _n: ClassVar[int]
    _mode: ClassVar[str] = "constant"
    value: float | None = None

    def __init__(self, padding: Sizes) -> None:
        self.padding = each("padding", padding, 2 * self._n, None)

    def forward(self, input: Any) -> Tensor:
        """Put the entries around."""
        return pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Show how many entries."""
        return str(self.padding)


class _ConstantPad(_Pad):
    value: float

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Show how many entries, and what they are."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`value` before and behind the last axis: `padding` is a number, or one for each side."""

    _n = 1


class ConstantPad2d(_ConstantPad):
    """`value` around the last two axes: `padding` is (left, right, above, below)."""

    _n = 2


class ConstantPad3d(_ConstantPad):
    """`value` around the last three axes, `padding` from the last axis on."""

    _n = 3


class ZeroPad1d(_Pad):
    """Zeros before and behind the last axis: `padding` is a number, or one for each side."""

    _n, value = 1, 0.0


class ZeroPad2d(_Pad):
    """Zeros around the last two axes: `padding` is (left, right, above, below).

    >>> ZeroPad2d(1)(np.ones((1, 1, 1))).data[0]
    array([[0., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.]])
    """

    _n, value = 2, 0.0


class ZeroPad3d(_Pad):
    """Zeros around the last three axes, `padding` from the last axis on."""

    _n, value = 3, 0.0


class ReflectionPad1d(_Pad):
    """The last axis, mirrored at its first and last entry.

    >>> ReflectionPad1d(2)(np.array([[1.0, 2.0, 3.0]]))
    Tensor([[3., 2., 1., 2., 3., 2., 1.]], requires_grad=False)
    """

    _n, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The last two axes, mirrored at their first and last entries."""

    _n, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """The last three axes, mirrored at their first and last entries."""

    _n, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The last axis, with its first and last entry repeated.

    >>> ReplicationPad1d(2)(np.array([[1.0, 2.0, 3.0]]))
    Tensor([[1., 1., 1., 2., 3., 3., 3.]], requires_grad=False)
    """

    _n, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The last two axes, with their first and last entries repeated."""

    _n, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The last three axes, with their first and last entries repeated."""

    _n, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """The last axis as one turn of a circle, which goes on at either end.

    >>> CircularPad1d(2)(np.array([[1.0, 2.0, 3.0]]))
    Tensor([[2., 3., 1., 2., 3., 1., 2.]], requires_grad=False)
    """

    _n, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """The last two axes as circles, which go on at either end."""

    _n, _mode = 2, "circular"


class CircularPad3d(_Pad):
    """The last three axes as circles, which go on at either end."""

    _n, _mode = 3, "circular"
