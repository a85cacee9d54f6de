"""SciPy's Fourier transforms: those of `np.fft`, and Hermitian ones along several axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.operations import fourier
from tinytorch.operations.fourier import fftshift, ifftshift
from tinytorch.scipy.words import operand

__all__ = [
    "fft", "fft2", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn",
    "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftn",
]  # fmt: skip


def _of_one_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give it SciPy's signature; how it is computed is NumPy's business."""

    def transform(
        x: Any,
        n: int | None = None,
        axis: int = -1,
        norm: fourier.Norm = None,
        overwrite_x: bool = False,  # noqa: ARG001
        workers: int | None = None,  # noqa: ARG001
        *,
        plan: None = None,  # noqa: ARG001
    ) -> Any:
        return function(operand(x), n, axis, norm)

    return _named(transform, function)


def _of_axes(function: Callable[..., Any], default: fourier.Axes) -> Callable[..., Any]:
    def transform(
        x: Any,
        s: fourier.Sizes = None,
        axes: fourier.Axes = default,
        norm: fourier.Norm = None,
        overwrite_x: bool = False,  # noqa: ARG001
        workers: int | None = None,  # noqa: ARG001
        *,
        plan: None = None,  # noqa: ARG001
    ) -> Any:
        return function(operand(x), s, axes, norm)

    return _named(transform, function)


def _named(transform: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    transform.__name__ = transform.__qualname__ = function.__name__
    transform.__doc__ = function.__doc__
    return transform


fft, ifft = _of_one_axis(fourier.fft), _of_one_axis(fourier.ifft)
rfft, irfft = _of_one_axis(fourier.rfft), _of_one_axis(fourier.irfft)
hfft, ihfft = _of_one_axis(fourier.hfft), _of_one_axis(fourier.ihfft)
fft2, ifft2 = _of_axes(fourier.fft2, (-2, -1)), _of_axes(fourier.ifft2, (-2, -1))
rfft2, irfft2 = _of_axes(fourier.rfft2, (-2, -1)), _of_axes(fourier.irfft2, (-2, -1))
hfft2, ihfft2 = _of_axes(fourier.hfft2, (-2, -1)), _of_axes(fourier.ihfft2, (-2, -1))
fftn, ifftn = _of_axes(fourier.fftn, None), _of_axes(fourier.ifftn, None)
rfftn, irfftn = _of_axes(fourier.rfftn, None), _of_axes(fourier.irfftn, None)
hfftn, ihfftn = _of_axes(fourier.hfftn, None), _of_axes(fourier.ihfftn, None)
