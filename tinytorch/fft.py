"""PyTorch's `torch.fft`: the transforms of `np.fft` under its names, `fft(input, n, dim, norm)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.operations import fourier
from tinytorch.operations.pytorch import also_called
from tinytorch.pytorch.factories import as_tensor
from tinytorch.tensor import Tensor

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2",
    "rfftfreq", "rfftn",
]  # fmt: skip


def _of_tensor(function: Callable[..., Any], axes: str) -> Callable[..., Any]:
    """Let the function of np.fft have `dim` for the argument that it calls `axes`."""
    spelled = also_called(dim=axes)(function)

    def transform(input: Any, *args: Any, **options: Any) -> Any:
        x = as_tensor(input)
        return spelled(x if isinstance(x, Tensor) else x.double(), *args, **options)

    transform.__name__ = transform.__qualname__ = function.__name__
    transform.__doc__ = function.__doc__
    names = {"a": "input", "x": "input", axes: "dim"}
    signature = inspect.signature(function)
    shown = [p.replace(name=names.get(p.name, p.name)) for p in signature.parameters.values()]
    transform.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return transform


fft, ifft = _of_tensor(fourier.fft, "axis"), _of_tensor(fourier.ifft, "axis")
rfft, irfft = _of_tensor(fourier.rfft, "axis"), _of_tensor(fourier.irfft, "axis")
hfft, ihfft = _of_tensor(fourier.hfft, "axis"), _of_tensor(fourier.ihfft, "axis")
fft2, ifft2 = _of_tensor(fourier.fft2, "axes"), _of_tensor(fourier.ifft2, "axes")
rfft2, irfft2 = _of_tensor(fourier.rfft2, "axes"), _of_tensor(fourier.irfft2, "axes")
hfft2, ihfft2 = _of_tensor(fourier.hfft2, "axes"), _of_tensor(fourier.ihfft2, "axes")
fftn, ifftn = _of_tensor(fourier.fftn, "axes"), _of_tensor(fourier.ifftn, "axes")
rfftn, irfftn = _of_tensor(fourier.rfftn, "axes"), _of_tensor(fourier.irfftn, "axes")
hfftn, ihfftn = _of_tensor(fourier.hfftn, "axes"), _of_tensor(fourier.ihfftn, "axes")
fftshift = _of_tensor(fourier.fftshift, "axes")
ifftshift = _of_tensor(fourier.ifftshift, "axes")


def fftfreq(n: int, d: float = 1.0) -> Tensor:
    """Give the frequencies of fft's n results, for samples at a distance of d."""
    return Tensor(np.fft.fftfreq(n, d), requires_grad=False)


def rfftfreq(n: int, d: float = 1.0) -> Tensor:
    """Give the frequencies of rfft's n // 2 + 1 results."""
    return Tensor(np.fft.rfftfreq(n, d), requires_grad=False)
