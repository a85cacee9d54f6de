"""The dtypes under PyTorch's names: each is NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "bool", "cdouble", "cfloat", "complex64", "complex128", "double", "finfo", "float", "float16",
    "float32", "float64", "get_default_dtype", "half", "iinfo", "int", "int8", "int16", "int32",
    "int64", "long", "set_default_dtype", "short", "uint8",
]  # fmt: skip

float16 = half = np.dtype(np.float16)
float32 = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
complex64 = cfloat = np.dtype(np.complex64)
complex128 = cdouble = np.dtype(np.complex128)
uint8, int8, int16, int32, int64 = map(np.dtype, ("u1", "i1", "i2", "i4", "i8"))
short, long = int16, int64
float = float32  # noqa: A001  (PyTorch's names, here and below)
int = int32  # noqa: A001
bool = np.dtype(np.bool)  # noqa: A001
iinfo, finfo = np.iinfo, np.finfo


def get_default_dtype() -> np.dtype[Any]:
    """Give the dtype of what is made of Python's numbers: NumPy's float64."""
    return float64


def set_default_dtype(d: Any) -> None:
    """Accept float64, which the default is. Raises RuntimeError for another dtype."""
    if np.dtype(d) != float64:
        raise RuntimeError(
            f"the default dtype is NumPy's, float64: write dtype=tinytorch.{np.dtype(d)} where "
            f"tensors are made, model.to(tinytorch.{np.dtype(d)}) for a model"
        )
