"""SciPy's convolutions, of arrays of any number of axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.words import conj
from tinytorch.operations.windows import windows
from tinytorch.scipy.words import operand


def convolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """Give out[k] = sum(in1[i] * in2[k - i]).

    "full": all of it; "same": its middle, of in1's shape; "valid": where the one lies in the other.
    Raises ValueError for another mode, or numbers of axes that differ.
    """
    x, y = operand(in1), operand(in2)
    if x.ndim != y.ndim:
        raise ValueError(f"convolve: the numbers of axes differ: {x.shape} and {y.shape}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f'convolve: mode is "full", "same" or "valid", got {mode!r}')
    shape = x.shape
    if y.size > x.size:
        x, y = y, x
    if not x.ndim:
        return x * y
    axes, ones = tuple(range(x.ndim)), (1,) * x.ndim
    padded = np.pad(x, tuple((n - 1, n - 1) for n in y.shape))
    shown: Any = windows(padded, axes, y.shape, ones, ones)
    full = np.tensordot(shown, np.flip(y), x.ndim)
    if mode == "full":
        return full
    if mode == "same":
        return _middle(full, shape)
    if any(n > m for n, m in zip(y.shape, x.shape, strict=True)):
        raise ValueError(f"convolve: neither lies in the other: {x.shape} and {y.shape}")
    return _middle(full, tuple(m - n + 1 for m, n in zip(x.shape, y.shape, strict=True)))


fftconvolve = convolve


def correlate(in1: Any, in2: Any, mode: str = "full") -> Any:
    """Give out[k] = sum(in1[i + k] * conj(in2[i])); modes as in `convolve`."""
    return convolve(in1, np.flip(conj(operand(in2))), mode)


def _middle(full: Any, shape: tuple[int, ...]) -> Any:
    starts = [(n - m) // 2 for n, m in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(i, i + m) for i, m in zip(starts, shape, strict=True))]
