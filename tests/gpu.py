"""CuPy for the tests: the real one where `TINYTORCH_GPU=1` says so, else the stand-in for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import strict_array
from reference import assert_close, exchanged

IS_REAL = os.environ.get("TINYTORCH_GPU") == "1"
cupy: Any = import_module("cupy") if IS_REAL else strict_array.modules["cupy"]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `import cupy` find the stand-in, in tests that import this fixture."""
    if not IS_REAL:
        for name, module in strict_array.modules.items():
            monkeypatch.setitem(sys.modules, name, module)


@contextmanager
def transferring(times: int) -> Iterator[None]:
    """Expect that many transfers to the host in the block, which only the stand-in counts."""
    before = strict_array.transfers
    yield
    assert IS_REAL or strict_array.transfers - before == times


def uploaded(tree: Any) -> Any:
    """Take all arrays in a nesting over."""
    return exchanged(tree, lambda x: cupy.asarray(x) if isinstance(x, np.ndarray) else x)


def assert_same(there: Any, here: Any, rtol: float = 1e-9) -> None:
    """Compare arrays there with those here."""
    for a, b in zip(there, here, strict=True):
        assert isinstance(a, cupy.ndarray)
        assert a.dtype == b.dtype
        assert_close(a.get(), b, rtol)
