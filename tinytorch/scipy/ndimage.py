"""SciPy's filters and shifts of images, of any number of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.operations.elementwise import where
from tinytorch.scipy import signal
from tinytorch.scipy.words import operand

# What SciPy's modes of continuing an image are called where NumPy pads one.
_PADDING = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "constant": "constant",
    "grid-constant": "constant",
    "wrap": "wrap",
    "grid-wrap": "wrap",
}


def convolve(
    input: Any,
    weights: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
) -> Any:
    """Give out[k] = sum(weights[j] * input[k + m - j]), of input's shape; m is weights' middle.

    Beyond its ends the image goes on as `mode` says: "reflect" (c b a | a b c), "mirror"
    (c b | a b c), "nearest" (a a | a b c), "wrap", or "constant", which is `cval`. `origin` moves
    the middle. Raises ValueError for another mode, and for numbers of axes that differ.

    >>> convolve([1.0, 2.0, 4.0], [1.0, 1.0, 1.0], mode="nearest")
    Tensor([ 4.,  7., 10.], requires_grad=False)
    """
    flipped = np.flip(operand(weights))
    origins = _each(origin, flipped.ndim, "origin")
    # The middle of an even number of weights is one of two, and flipping exchanges them.
    moved = [-k - (n % 2 == 0) for k, n in zip(origins, flipped.shape, strict=True)]
    return correlate(input, flipped, mode=mode, cval=cval, origin=moved)


def correlate(
    input: Any,
    weights: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
) -> Any:
    """Give out[k] = sum(weights[j] * input[k + j - m]); else as `convolve`.

    >>> correlate([1.0, 2.0, 4.0], [-1.0, 0.0, 1.0], mode="nearest")
    Tensor([1., 3., 2.], requires_grad=False)
    """
    x, weights = operand(input), operand(weights)
    if x.ndim != weights.ndim:
        raise ValueError(f"the numbers of axes differ: {x.shape} and {weights.shape}")
    if mode not in _PADDING:
        raise ValueError(f"mode is one of {', '.join(_PADDING)}, got {mode!r}")
    origins = _each(origin, x.ndim, "origin")
    before = [n // 2 + k for n, k in zip(weights.shape, origins, strict=True)]
    widths = [(m, n - 1 - m) for m, n in zip(before, weights.shape, strict=True)]
    if any(min(pair) < 0 for pair in widths):
        raise ValueError(f"origin {origin} lies outside of weights of shape {weights.shape}")
    options: Any = {"constant_values": cval} if _PADDING[mode] == "constant" else {}
    pad: Any = np.pad
    padded = pad(x, tuple(widths), mode=_PADDING[mode], **options)
    return signal.correlate(padded, weights, "valid", "direct")


def _each(value: Any, n: int, name: str) -> list[Any]:
    """Give a value for each of n axes."""
    if np.ndim(value) == 0:
        return [value] * n
    if len(value) != n:
        raise ValueError(f"{name}: expected a number, or one for each of {n} axes, got {value}")
    return list(value)


# --- shifts ---------------------------------------------------------------------------------------


def shift(
    input: Any,
    shift: Any,
    *,
    order: int = 3,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Any:
    """Give out[k] = input[k - shift], with splines of `order` 1 to 5 between the entries.

    `shift` is a number, or one for each axis; the derivative by it is the splines' slope. Beyond
    its ends the image goes on as `mode` says: "constant" (all is `cval`), "mirror", "reflect" or
    "grid-wrap", and "nearest" up to order 1. Without `prefilter` the entries are the splines'
    coefficients (M. Unser, "Splines: a perfect fit for signal and image processing", 1999). It
    takes the time of matrices of the length of each axis. Raises ValueError for other modes and
    orders.

    >>> shift([1.0, 2.0, 4.0], 0.5, order=1)
    Tensor([0. , 1.5, 3. ], requires_grad=False)
    """
    x, steps = operand(input), operand(shift)
    if order not in range(1, 6):
        raise ValueError(f"shift: order is 1 to 5, got {order!r}")
    if mode not in _FOLDS or (mode == "nearest" and order > 1):
        raise ValueError(
            f"shift: mode is one of {', '.join(_FOLDS)}, nearest up to order 1; got {mode!r} of "
            f"order {order}"
        )
    steps = _each(steps, x.ndim, "shift")
    inside = np.ones((1,) * x.ndim, bool)
    out = x
    for axis, step in enumerate(steps):
        n = x.shape[axis]
        places = np.arange(n) - step
        if mode == "nearest":
            places = np.clip(places, 0, n - 1)
        if mode == "constant":
            here = (places.data >= 0) & (places.data <= n - 1)
            inside = inside & here.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        matrix = _samples(places, n, order, _FOLDS[mode])
        if prefilter and order > 1:
            knots = _samples(operand(np.arange(n, dtype=float)), n, order, _FOLDS[mode])
            matrix = np.linalg.solve(knots.T, matrix.T).T
        out = np.moveaxis(np.tensordot(matrix, out, (1, axis)), 0, axis)
    out = out.astype(x.dtype)
    return where(inside, out, cval) if mode == "constant" else out


def _samples(places: Any, n: int, order: int, fold: Any) -> Any:
    """Give the matrix that takes n coefficients to the values of their spline at the places."""
    first = np.floor(places.data - (order - 1) / 2).astype(int)
    matrix = np.zeros((len(first), n))
    for k in (first + i for i in range(order + 1)):
        weight = _b_spline(places - k, order)
        matrix = matrix + weight[:, None] * (fold(k, n)[:, None] == np.arange(n))
    return matrix


def _b_spline(u: Any, order: int) -> Any:
    """Give the B-spline around 0: sum of (-1)**k C(order + 1, k) (u - k + m)_+**order / order!."""
    terms = [
        (-1) ** k * math.comb(order + 1, k) * np.maximum(u + (order + 1) / 2 - k, 0) ** order
        for k in range(order + 2)
    ]
    return sum(terms[1:], terms[0]) / math.factorial(order)


def _mirror(k: Any, n: int) -> Any:
    period = max(2 * n - 2, 1)
    return np.minimum(k % period, period - k % period) if n > 1 else 0 * k


def _reflect(k: Any, n: int) -> Any:
    return np.minimum(k % (2 * n), 2 * n - 1 - k % (2 * n))


# Which entry is meant by one beyond the ends.
_FOLDS = {
    "constant": _mirror,
    "mirror": _mirror,
    "reflect": _reflect,
    "grid-wrap": lambda k, n: k % n,
    "nearest": lambda k, n: np.clip(k, 0, n - 1),
}
