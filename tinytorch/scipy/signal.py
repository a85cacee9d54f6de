"""SciPy's convolutions, of arrays of any number of axes: each one's derivatives are another."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate, kind_of
from tinytorch.arrays.words import conj
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import operand

_CONVOLUTION = Operation("convolution", module=__name__)


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Give out[k] = sum(in1[i] * in2[k - i]).

    "full": all of it; "same": its middle, of in1's shape; "valid": where the one lies in the other.
    `method` is "direct", "fft", or "auto", the faster one. Raises ValueError for others, for
    numbers of axes that differ, and for arrays without entries.
    """
    x, y = operand(in1), operand(in2)
    if x.ndim != y.ndim:
        raise ValueError(f"convolve: the numbers of axes differ: {x.shape} and {y.shape}")
    if not (x.size and y.size):
        raise ValueError(f"convolve: there is nothing to add up: {x.shape} and {y.shape}")
    if mode == "full":
        return _full(x, y, method)
    if mode == "same":
        return _middle(_full(x, y, method), x.shape)
    if mode != "valid":
        raise ValueError(f'convolve: mode is "full", "same" or "valid", got {mode!r}')
    if y.size > x.size:
        x, y = y, x
    if any(n > m for n, m in zip(y.shape, x.shape, strict=True)):
        raise ValueError(f"convolve: neither lies in the other: {x.shape} and {y.shape}")
    return _inner(x, y, method)


def fftconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """Give `convolve` by Fourier transforms, in n * log(n) steps."""
    return convolve(in1, in2, mode, "fft")


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Give out[k] = sum(in1[i + k] * conj(in2[i])); modes and methods as in `convolve`."""
    return convolve(in1, np.flip(conj(operand(in2))), mode, method)


def _full(x: Any, y: Any, method: str) -> Any:
    return _convolution(
        "full",
        method,
        lambda grad, out, x, y: _inner(grad, np.flip(y), method),
        lambda grad, out, x, y: _inner(grad, np.flip(x), method),
        x,
        y,
    )


def _inner(x: Any, y: Any, method: str) -> Any:
    """Convolve where y lies in x."""
    return _convolution(
        "valid",
        method,
        lambda grad, out, x, y: _full(grad, np.flip(y), method),
        lambda grad, out, x, y: _inner(np.flip(x), grad, method),
        x,
        y,
    )


def _convolution(mode: str, method: str, by_x: Any, by_y: Any, x: Any, y: Any) -> Any:
    def of_arrays(x: Any, y: Any) -> Any:
        return kind_of(x, y).scipy("signal", "convolve")(x, y, mode, method)

    return apply(
        _CONVOLUTION,
        lambda x, y: evaluate(_CONVOLUTION, of_arrays, x, y),
        (by_x, by_y),
        x,
        y,
    )


def _middle(full: Any, shape: tuple[int, ...]) -> Any:
    starts = [(n - m) // 2 for n, m in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(i, i + m) for i, m in zip(starts, shape, strict=True))]
