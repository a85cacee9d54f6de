"""What enters the graph: numbers and arrays, of which a tensor has a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import from_dlpack, kind_of
from tinytorch.arrays.warned import at_users_line
from tinytorch.engine import Array
from tinytorch.operations.arithmetic import floating
from tinytorch.operations.leaving import Leaving
from tinytorch.operations.operands import describe


def floating_array(data: Any, dtype: npt.DTypeLike | None, way: str, instead: str) -> Array:
    """Copy `data` into an array of real or complex numbers.

    Where that would lose the gradient of a tensor, the error says which `way` it was going to be
    lost, and what to write `instead`.
    """
    wanted = "expected a number, nested lists of them, or an array"
    if dtype is not None:
        dtype = floating(dtype)
    if isinstance(data, Leaving):
        data._refuse_to_leave(way, instead)
        data = data._value
    if hasattr(data, "__array_function__"):
        array: Array = kind_of(data).accept(data).copy()
    elif hasattr(data, "__dlpack__"):  # another library's
        array = from_dlpack(data).copy()
    else:
        array = _of_numbers(data, wanted)
    if dtype is None and array.dtype.kind in "fc":
        return array
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"Tensor: {wanted}, got {describe(data)}")
    kind = dtype or np.float64
    if array.dtype == kind:
        return array
    if array.dtype.kind == "c" != np.dtype(kind).kind:
        raise TypeError(
            f"Tensor: expected real numbers for {kind}, got {describe(data)}, which is complex: "
            "z.real are its real parts"
        )
    converted: Array = at_users_line(array.astype, kind)
    return converted


def _of_numbers(data: Any, wanted: str) -> Array:
    """Make an array of nested lists of numbers."""
    try:
        array: Array = np.array(data)
    except ValueError as error:
        raise ValueError(f"Tensor: {wanted} of one length along each axis: {error}") from None
    if array.dtype != object or not all(isinstance(x, int) for x in array.flat):
        return array
    try:
        return array.astype(np.float64)  # whole numbers that no integer dtype holds
    except OverflowError:
        raise ValueError(f"Tensor: {describe(data)} is too large for float64") from None


def truth(requires_grad: Any) -> bool:
    """Take a truth value, NumPy's too. Raises TypeError for what is none."""
    if type(requires_grad) is bool:  # nearly always, and quick to ask
        return requires_grad
    if not isinstance(requires_grad, np.bool_):
        raise TypeError(f"requires_grad is True or False, got {describe(requires_grad)}")
    return bool(requires_grad)
