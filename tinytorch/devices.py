"""Devices: the CPU, where NumPy computes, and NVIDIA's GPUs, where CuPy does."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

_DEVICE = re.compile(r"(cpu|cuda|mps|xpu|hip|xla|meta)(:\d+)?")


class device:  # noqa: N801  (PyTorch's name)
    """Where tensors are: `tinytorch.device("cpu")`, or "cuda", or the second GPU, "cuda:1".

    Raises RuntimeError for any other place.

    >>> device("cuda:1"), str(device("cpu"))
    (device(type='cuda', index=1), 'cpu')
    """

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        name = f"cuda:{type}" if isinstance(type, int) and not isinstance(type, bool) else type
        if not is_device(name):
            raise TypeError(f'device: expected "cpu" or "cuda", got {type!r}')
        self.type, _, number = str(name).partition(":")
        if self.type not in ("cpu", "cuda"):
            raise RuntimeError(
                f'a tensor is on the CPU or on an NVIDIA GPU: write "cpu" or "cuda", got {type!r}'
            )
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if is_device(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


def is_device(x: Any) -> bool:
    """Say whether x names a device, rather than a dtype."""
    return isinstance(x, device) or (isinstance(x, str) and bool(_DEVICE.fullmatch(x)))


# --- GPUs -----------------------------------------------------------------------------------------


def gpu() -> Any:
    """Give the kind of array that is on a GPU. Raises RuntimeError where there is none."""
    try:
        import_module("cupy")
    except ImportError as error:
        raise RuntimeError(
            'a GPU needs CuPy: pip install "tinytorch[cuda]"; on the CPU, device="cpu", everything '
            "works without it"
        ) from error
    if not is_available():
        raise RuntimeError(
            "CuPy finds no GPU that it can use here (nvidia-smi lists them); everything works on "
            'the CPU, device="cpu"'
        )
    return import_module("tinytorch.arrays.cupy").KIND


def namespace(place: Any) -> Any:
    """Give the module that makes arrays on such a device: NumPy, or CuPy; None is the CPU.

    Raises RuntimeError for a device that is not there.
    """
    return np if place is None or device(place).type == "cpu" else gpu().namespace


def is_available() -> bool:
    """Say whether there are CuPy and a GPU for it."""
    return device_count() > 0


def device_count() -> int:
    """Give the number of GPUs that CuPy can use; 0 without CuPy."""
    try:
        cupy: Any = import_module("cupy")
        return int(cupy.cuda.runtime.getDeviceCount()) if cupy.cuda.is_available() else 0
    except ImportError:
        return 0


def synchronize(place: Any = None) -> None:
    """Wait until the GPU has computed all that it was given."""
    if is_available():
        import_module("cupy").cuda.Device(
            None if place is None else device(place).index
        ).synchronize()


def empty_cache() -> None:
    """Give back the GPU's memory that CuPy keeps for later."""
    if is_available():
        import_module("cupy").get_default_memory_pool().free_all_blocks()


def _seed(seed: int) -> None:
    """Seed the library's own generator, from which those on GPUs have their seeds."""
    import_module("tinytorch.random").manual_seed(seed)


cuda = SimpleNamespace(
    is_available=is_available,
    device_count=device_count,
    manual_seed=_seed,
    manual_seed_all=_seed,
    synchronize=synchronize,
    empty_cache=empty_cache,
)
backends = SimpleNamespace(
    cuda=SimpleNamespace(is_available=is_available),
    mps=SimpleNamespace(is_available=lambda: False),
    cudnn=SimpleNamespace(deterministic=True, benchmark=False, enabled=False),
)
