"""Tensors made from numbers: `tensor`, `zeros`, `arange` and their like, by PyTorch's names.

As in PyTorch they need no gradient unless `requires_grad=True`, where `Tensor(data)` itself needs
one. What is floating is a `Tensor`; whole numbers and truth values, which have no gradient, are
plain arrays with a tensor's methods (`PlainArray`). Python's floats become NumPy's float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.plain import PlainArray, base, plain
from tinytorch.devices import check_device
from tinytorch.operations.conversions import converted
from tinytorch.operations.operands import as_dtype, describe
from tinytorch.operations.shape import unpacked
from tinytorch.tensor import Tensor

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "full",
    "full_like", "is_tensor", "linspace", "logspace", "ones", "ones_like", "tensor",
    "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


def tensor(
    data: Any, dtype: npt.DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Make a tensor of numbers, nested lists of them, or an array, which is copied.

    Raises TypeError for what are no numbers, RuntimeError for whole ones that are to have a
    gradient.

    >>> tensor([1.0, 2.0]), tensor([1, 2])
    (Tensor([1., 2.], requires_grad=False), array([1, 2]))
    """
    check_device(device)
    if isinstance(data, Tensor):
        kind = data.dtype if dtype is None else as_dtype(dtype)
        if kind.kind in "fc":
            return Tensor(data, None, requires_grad, kind)
        return made(converted(data.detach(), kind), requires_grad)
    data = base(data)
    if not hasattr(data, "dtype"):
        try:
            data = np.array(data)
        except ValueError as error:
            raise ValueError(f"tensor: the lists are of different lengths: {error}") from None
    kind = data.dtype if dtype is None else as_dtype(dtype)
    if kind.kind in "biu" and data.dtype.kind in "biuf":
        return made(np.array(data, kind), requires_grad)
    return Tensor(data, None, requires_grad, None if dtype is None else kind)


def as_tensor(data: Any, dtype: npt.DTypeLike | None = None, device: Any = None) -> Any:
    """Make a tensor of the same memory, if data are an array or a tensor of that dtype."""
    if isinstance(data, Tensor | PlainArray):
        check_device(device)
        return data if dtype is None else converted(data, dtype)
    if isinstance(data, np.ndarray) and dtype in (None, data.dtype):
        check_device(device)
        return from_numpy(data)
    return tensor(data, dtype, device)


asarray = as_tensor


def from_numpy(ndarray: Any) -> Any:
    """Make a tensor of an array, in the same memory. Raises TypeError for anything else."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {describe(ndarray)}")
    if ndarray.dtype.kind not in "fcbiu" or not ndarray.dtype.isnative:
        return tensor(ndarray)
    return made(np.ndarray.view(ndarray, np.ndarray), False)


def made(array: Any, requires_grad: bool = False) -> Any:
    """Make a tensor, or a plain array, of an array that nobody else writes to."""
    if array.dtype.kind not in "fc":
        if requires_grad:
            raise RuntimeError(
                f"requires_grad=True: only floating tensors have gradients, this is {array.dtype}; "
                "give floats, or dtype=tinytorch.float64"
            )
        return plain(array)
    x = object.__new__(Tensor)
    x._begin(array, None, bool(requires_grad), None)
    return x


def is_tensor(obj: Any) -> bool:
    """Say whether obj is a tensor, or a plain array with a tensor's methods."""
    return isinstance(obj, Tensor | PlainArray)


# --- filled with a number -------------------------------------------------------------------------


def size_of(size: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """Read `zeros(2, 3)`, `zeros((2, 3))` and `zeros(size=(2, 3))` alike."""
    return unpacked((named,) if named is not None else size)


def known(dtype: Any) -> np.dtype[Any] | None:
    """Read a dtype that may be left to NumPy. Raises TypeError for what it doesn't know."""
    return None if dtype is None else as_dtype(dtype)


def zeros(
    *shape: Any,
    size: Any = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor of zeros."""
    check_device(device)
    return made(np.zeros(size_of(shape, size), known(dtype)), requires_grad)


def ones(
    *shape: Any,
    size: Any = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor of ones."""
    check_device(device)
    return made(np.ones(size_of(shape, size), known(dtype)), requires_grad)


def empty(
    *shape: Any,
    size: Any = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor to be filled, of zeros."""
    return zeros(*shape, size=size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor filled with a number, of that number's dtype."""
    check_device(device)
    fill_value = getattr(fill_value, "_value", fill_value)
    return made(np.full(size_of((size,)), fill_value, known(dtype)), requires_grad)


def zeros_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor of zeros, of another's shape and of its dtype or a given one."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor of ones, of another's shape and of its dtype or a given one."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


empty_like = zeros_like


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor filled with a number, of another's shape and of its dtype or a given one."""
    check_device(device)
    like = getattr(input, "_value", input)
    fill_value = getattr(fill_value, "_value", fill_value)
    return made(np.full_like(like, fill_value, known(dtype)), requires_grad)


# --- rows of numbers, and matrices ----------------------------------------------------------------


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Count from `start` (or 0) up to `end`, without it, in steps.

    >>> arange(3), arange(0, 1, 0.5)
    (array([0, 1, 2]), Tensor([0. , 0.5], requires_grad=False))
    """
    check_device(device)
    start, end = (0, start) if end is None else (start, end)
    ends = [getattr(x, "_value", x) for x in (start, end, step)]
    return made(np.arange(*ends, dtype=known(dtype)), requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Give that many numbers from `start` to `end`, both included, at equal distances."""
    check_device(device)
    return made(np.linspace(start, end, steps, dtype=known(dtype)), requires_grad)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Give that many numbers from base**start to base**end, each the same multiple of the last."""
    check_device(device)
    return made(np.logspace(start, end, steps, base=base, dtype=known(dtype)), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a matrix with ones on its diagonal."""
    check_device(device)
    return made(np.eye(n, m, dtype=np.float64 if dtype is None else as_dtype(dtype)), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0) -> Any:
    """Give the two rows of indices of the entries on and below a diagonal."""
    return plain(np.stack(np.tril_indices(row, offset, col)))


def triu_indices(row: int, col: int, offset: int = 0) -> Any:
    """Give the two rows of indices of the entries on and above a diagonal."""
    return plain(np.stack(np.triu_indices(row, offset, col)))
