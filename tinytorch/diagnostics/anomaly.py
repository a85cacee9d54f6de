"""Where nan or inf first appeared, in the forward or in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from tinytorch import engine
from tinytorch.arrays.kind import kind_of
from tinytorch.diagnostics.watching import watching
from tinytorch.operations.operands import describe


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise RuntimeError where nan or inf first appears, in this block.

    The message names the operation, its inputs with their ranges, and the line of the program. In
    the forward pass nan counts always, inf where no input has it: a mask of -inf is meant. In the
    backward pass any of the two counts in the share of a gradient. NumPy's arrays are looked at,
    and what this thread computes.

    Each operation is looked at, which makes the block several times slower; outside it nothing is
    paid. A profiler has to wait meanwhile.

    >>> from tinytorch import Tensor
    >>> x = Tensor([0.0, 1.0], label="x")
    >>> with detect_anomaly():
    ...     x.sqrt().sum().backward()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    RuntimeError: inf appears on the way back
    """
    lines: dict[int, str] = {}  # by a node's place in the order of all

    def forward(frame: FrameType, value: Any) -> None:
        # Of the functions that return, the one that makes nodes; unless it was left by an error.
        if frame.f_code is not engine.record.__code__ or value is None:
            return
        arrays, inputs, op = (frame.f_locals[name] for name in ("arrays", "inputs", "op"))
        from tinytorch.pictures.lines import users_line

        line = users_line(frame)
        if value._children:
            lines[value._order] = line
        fault = _fault(value._value)
        if fault is None or (fault == "inf" and any(_fault(x) == "inf" for x in arrays[1:])):
            return
        came = "was in an input of" if any(map(_fault, arrays[1:])) else "first appears in"
        raise RuntimeError(
            f"detect_anomaly: {fault} {came} {op}{_at(line)}: entry {_place(value._value)} of the "
            f"result, of {_inputs(inputs, arrays[1:])}"
        )

    def backward(node: Any, x: Any, share: Any) -> None:
        fault = _fault(share)
        if fault is None:
            return
        which = next(i for i, y in enumerate(node._children) if y is x)
        raise RuntimeError(
            f"detect_anomaly: {fault} first appears on the way back, in the gradient that "
            f"{node._op}{_at(lines.get(node._order, ''))} gives its input {which}: entry "
            f"{_place(share)}, of {_inputs(node._children, node._arrays[1:])}"
        )

    from tinytorch.pictures.lines import on_return

    with on_return(forward), watching(backward):
        yield


def _fault(array: Any) -> str | None:
    """Say what an array holds that is no finite number: "nan", else "inf"."""
    if isinstance(array, float):
        array = np.asarray(array)
    if not _has_values(array) or array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    return "nan" if np.isnan(array).any() else "inf"


def _has_values(array: Any) -> bool:
    """Tell arrays from numbers, and from plans, which are not computed yet."""
    on_gpu = hasattr(array, "dtype") and kind_of(array).device(array).type == "cuda"
    return type(array) is np.ndarray or on_gpu


def _place(array: Any) -> Any:
    """Give the index of the first entry that is at fault."""
    wrong = np.isnan(array) if np.isnan(array).any() else np.isinf(array)
    return tuple(map(int, np.argwhere(wrong)[0]))


def _inputs(inputs: Any, arrays: Any) -> str:
    return " and ".join(_told(x, array) for x, array in zip(inputs, arrays, strict=True))


def _told(x: Any, array: Any) -> str:
    told = describe(x)
    if not _has_values(array) or not array.size or array.dtype.kind not in "fiu":
        return told
    if _fault(array):
        return f"{told} (with {_fault(array)} at {_place(array)})"
    return f"{told} (from {array.min():.6g} to {array.max():.6g})"


def _at(line: str) -> str:
    return f" at {line}" if line else ""
