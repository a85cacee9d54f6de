"""Discrete Fourier transforms, along one axis and several, as in np.fft.

The transform multiplies by exp(-2 pi i j k / n), a symmetric matrix, and gradients travel as
conjugates: so they go through the same transform again. What is padded with zeros going forth is
cut off coming back, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.operations.notation import as_method
from tinytorch.operations.operation import Operation, apply
from tinytorch.operations.protocols import implements, numpy_functions

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

Norm: TypeAlias = Literal["backward", "ortho", "forward"] | None
Axes: TypeAlias = Iterable[int] | int | None
Sizes: TypeAlias = Sequence[int | None] | int | None


def _along(axis: int, values: Any, ndim: int) -> Any:
    return np.reshape(values, [-1 if i == axis % ndim else 1 for i in range(ndim)])


def _resized(x: Any, n: int, axis: int) -> Any:
    """Cut the entries behind the first n off, or add zeros behind them."""
    size, axis = x.shape[axis], axis % x.ndim
    if n > size:
        return np.pad(x, [(0, n - size) if i == axis else (0, 0) for i in range(x.ndim)])
    return x if n == size else x[(slice(None),) * axis + (slice(n),)]


def _once_or_twice(n: int, axis: int, like: Any) -> Any:
    """Count how often each of the first n // 2 + 1 entries is among n, itself or its conjugate."""
    k = np.arange(n // 2 + 1)
    weights = _along(axis, np.where((k == 0) | (2 * k == n), 1, 2), like.ndim)
    return own(weights.astype(like.real.dtype), like)


def _transform(
    function: Callable[..., Any], back: Callable[..., Any], doc: str, from_half: bool = False
) -> Callable[..., Tensor]:
    """Write down a transform: `function(x, n, axis, norm)`, and `back(grad, n, axis, norm)`.

    If it goes `from_half`, x has the first half of n entries, of which the others are conjugates.
    """
    op = Operation(function.__name__, None, function, (back,), doc)

    def method(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
        def rule(grad: Any, out: Any, x: Any) -> Any:
            size = out.shape[axis] if from_half else x.shape[axis] if n is None else n
            share = back(grad, size, axis, norm)
            if from_half:
                share = share * _once_or_twice(size, axis, x)
            return _resized(share, x.shape[axis], axis)

        return apply(op, lambda x: function(x, n, axis, norm), (rule,), a)

    numpy_functions[function] = method
    return as_method(op, method)


fft = _transform(np.fft.fft, np.fft.fft, "sum_j x[j] exp(-2 pi i j k / n), for all k < n")
ifft = _transform(
    np.fft.ifft,
    np.fft.ifft,
    "The inverse of fft: sum_j x[j] exp(2 pi i j k / n) / n",
)
rfft = _transform(
    np.fft.rfft,
    np.fft.fft,
    "fft of real x, for k up to n // 2: the others are conjugates",
)
ihfft = _transform(
    np.fft.ihfft,
    np.fft.ifft,
    "ifft of real x, for k up to n // 2: the others are conjugates",
)
irfft = _transform(
    np.fft.irfft,
    np.fft.ihfft,
    "The inverse of rfft: n real numbers, by default twice the entries of x, less 2",
    from_half=True,
)
hfft = _transform(
    np.fft.hfft,
    np.fft.rfft,
    "The inverse of ihfft: n real numbers, by default twice the entries of x, less 2",
    from_half=True,
)


# --- along several axes ---------------------------------------------------------------------------


def _sizes(a: Any, s: Sizes, axes: Axes) -> list[tuple[int | None, int]]:
    """Pair sizes with axes: by default of all axes, or of as many last ones as there are sizes."""
    s = [s] if isinstance(s, int) else s
    if axes is None:
        axes = range(-(a.ndim if s is None else len(s)), 0)
    axes = [axes] if isinstance(axes, int) else list(axes)
    sizes = [None] * len(axes) if s is None else [None if n == -1 else n for n in s]
    if len(sizes) != len(axes):
        raise ValueError(f"fft: {len(sizes)} sizes for {len(axes)} axes: shape and axes differ")
    if not axes:
        raise ValueError("fft: expected an axis at least, got none")
    return list(zip(sizes, axes, strict=True))


def _along_each(one: Callable[..., Any], a: Any, pairs: Any, norm: Norm) -> Any:
    for n, axis in pairs:
        a = one(a, n, axis, norm)
    return a


@implements(np.fft.fftn)
def fftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the fft along each of `axes`, which get the sizes `s`."""
    out: Tensor = _along_each(fft, a, _sizes(a, s, axes)[::-1], norm)
    return out


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the ifft along each of `axes`: the inverse of fftn."""
    out: Tensor = _along_each(ifft, a, _sizes(a, s, axes)[::-1], norm)
    return out


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the rfft along the last of `axes`, and the fft along the others."""
    *others, last = _sizes(a, s, axes)
    out: Tensor = _along_each(fft, rfft(a, *last, norm), others[::-1], norm)
    return out


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the inverse of rfftn."""
    *others, last = _sizes(a, s, axes)
    return irfft(_along_each(ifft, a, others, norm), *last, norm)


def hfftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the fft along all of `axes` but the last, and the hfft along that one."""
    *others, last = _sizes(a, s, axes)
    return hfft(_along_each(fft, a, others, norm), *last, norm)


def ihfftn(a: Any, s: Sizes = None, axes: Axes = None, norm: Norm = None) -> Tensor:
    """Give the inverse of hfftn."""
    *others, last = _sizes(a, s, axes)
    out: Tensor = _along_each(ifft, ihfft(a, *last, norm), others[::-1], norm)
    return out


def _of_two_axes(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Make of fftn, say, fft2."""

    def planar(a: Any, s: Sizes = None, axes: Axes = (-2, -1), norm: Norm = None) -> Any:
        return function(a, s, axes, norm)

    planar.__name__ = planar.__qualname__ = function.__name__.replace("n", "2")
    planar.__doc__ = f"Do {function.__name__} along two axes."
    return planar


fft2, ifft2, rfft2, irfft2, hfft2, ihfft2 = map(
    _of_two_axes, (fftn, ifftn, rfftn, irfftn, hfftn, ihfftn)
)
for _function in (fft2, ifft2, rfft2, irfft2):
    numpy_functions[getattr(np.fft, _function.__name__)] = _function


# --- the order of frequencies ---------------------------------------------------------------------


def _shifted(x: Any, axes: Any, direction: int) -> Any:
    axes = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return np.roll(x, [direction * (x.shape[i] // 2) for i in axes], tuple(axes))


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Tensor:
    """Move the frequency 0, which fft has first, to the middle."""
    out: Tensor = _shifted(x, axes, 1)
    return out


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Tensor:
    """Undo fftshift."""
    out: Tensor = _shifted(x, axes, -1)
    return out
