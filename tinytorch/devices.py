"""Devices: the CPU. What PyTorch's programs ask about others has an answer here."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

_DEVICE = re.compile(r"(cpu|cuda|mps|xpu|hip|xla|meta)(:\d+)?")


class device:  # noqa: N801  (PyTorch's name)
    """Where tensors are: `tinytorch.device("cpu")`. Raises RuntimeError for any other place.

    >>> device("cpu")
    device(type='cpu')
    """

    type, index = "cpu", None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if not is_device(type):
            raise TypeError(f'device: expected "cpu", got {type!r}')
        if not str(type).startswith("cpu"):
            raise RuntimeError(NO_GPU)
        del index

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")


NO_GPU = (
    'a tensor is on the CPU, as its NumPy array is: write device="cpu", or leave device= and '
    ".cuda() out"
)


def is_device(x: Any) -> bool:
    """Say whether x names a device, rather than a dtype."""
    return isinstance(x, device) or (isinstance(x, str) and bool(_DEVICE.fullmatch(x)))


def check_device(x: Any) -> None:
    """Raise RuntimeError for a device that is not the CPU, TypeError for what is none."""
    if x is not None:
        device(x)


def _nothing(*_: Any) -> None:
    """Have nothing to do."""


cuda = SimpleNamespace(
    is_available=lambda: False,
    device_count=lambda: 0,
    manual_seed=_nothing,
    manual_seed_all=_nothing,
    synchronize=_nothing,
    empty_cache=_nothing,
)
backends = SimpleNamespace(
    cuda=SimpleNamespace(is_available=lambda: False),
    mps=SimpleNamespace(is_available=lambda: False),
    cudnn=SimpleNamespace(deterministic=True, benchmark=False, enabled=False),
)
