"""Plain arrays of whole numbers and truth values inside `vmap`, with PyTorch's methods."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.batch import Batch
from tinytorch.arrays.plain import PLAIN, PlainArray, base, wrapped


class PlainBatch(NDArrayOperatorsMixin):
    """What `PlainArray` is to NumPy's arrays: labels, indices, counts or truth values of many."""

    __slots__ = ("_value",)
    requires_grad = False

    def __init__(self, array: Batch) -> None:
        self._value = array

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        kwargs = {k: tuple(map(base, x)) if k == "out" else base(x) for k, x in kwargs.items()}
        results = getattr(ufunc, method)(*map(base, inputs), **kwargs)
        return tuple(map(wrapped, results)) if ufunc.nout > 1 else wrapped(results)

    __array_function__ = PlainArray.__array_function__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._value.__array__(dtype, copy)

    __getitem__, __setitem__ = PlainArray.__getitem__, PlainArray.__setitem__
    __iter__ = PlainArray.__iter__

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __int__(self) -> int:
        return int(self._value)

    __index__ = __int__

    def __getattr__(self, name: str) -> Any:
        method = inspect.getattr_static(PlainArray, name, None)
        if method is not None and method is not inspect.getattr_static(np.ndarray, name, None):
            return method.__get__(self, type(self)) if hasattr(method, "__get__") else method
        return getattr(self._value, name)  # what a batch has, too

    def __reduce__(self) -> Any:
        return PlainBatch, (self._value,)


PLAIN.add(PlainBatch)
