"""Tensors made from numbers: `tensor`, `zeros`, `arange` and their like, by PyTorch's names.

As in PyTorch they need no gradient unless `requires_grad=True`, where `Tensor(data)` itself needs
one. What is floating is a `Tensor`; whole numbers and truth values, which have no gradient, are
plain arrays with a tensor's methods (`PlainArray`). Python's floats become NumPy's float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import NUMPY, from_dlpack, kind_of, placed
from tinytorch.arrays.plain import PLAIN, base, plain
from tinytorch.devices import namespace
from tinytorch.operations.conversions import converted, moved
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
    x = _tensor(data, dtype, requires_grad)
    if not isinstance(x, Tensor):
        return moved(x, device)
    array = x._value
    there = placed(array, device)
    if there is not array:
        x._value = there
    return x


def _tensor(data: Any, dtype: npt.DTypeLike | None, requires_grad: bool) -> Any:
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
        return made(data.astype(kind), requires_grad)
    return Tensor(data, None, requires_grad, None if dtype is None else kind)


def as_tensor(data: Any, dtype: npt.DTypeLike | None = None, device: Any = None) -> Any:
    """Make a tensor of the same memory, if data are an array or a tensor of that dtype."""
    if is_tensor(data):
        data = moved(data, device)
        return data if dtype is None else converted(data, dtype)
    if isinstance(data, np.ndarray) and dtype in (None, data.dtype):
        return moved(from_numpy(data), device)
    if not hasattr(data, "__array_function__") and hasattr(data, "__dlpack__"):
        data = from_dlpack(data)
    if kind_of(data) is not NUMPY and dtype in (None, data.dtype) and data.dtype.kind in "fbiu":
        return moved(made(data), device)
    return tensor(data, dtype, device)


asarray = as_tensor


def from_numpy(ndarray: Any) -> Any:
    """Make a tensor of an array, in the same memory. Raises TypeError for anything else."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {describe(ndarray)}")
    if ndarray.dtype.kind not in "fcbiu" or not ndarray.dtype.isnative:
        return tensor(ndarray)
    return made(base(ndarray).view(np.ndarray), False)


def made(array: Any, requires_grad: bool = False, device: Any = None) -> Any:
    """Make a tensor, or a plain array, of an array that nobody else writes to; on a device."""
    array = placed(array, device)
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
    return isinstance(obj, Tensor) or type(obj) in PLAIN


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
    return made(namespace(device).zeros(size_of(shape, size), known(dtype)), requires_grad, device)


def ones(
    *shape: Any,
    size: Any = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a tensor of ones."""
    return made(namespace(device).ones(size_of(shape, size), known(dtype)), requires_grad, device)


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
    fill_value = getattr(fill_value, "_value", fill_value)
    return made(
        namespace(device).full(size_of((size,)), fill_value, known(dtype)), requires_grad, device
    )


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
    like = placed(getattr(input, "_value", input), device)
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
    start, end = (0, start) if end is None else (start, end)
    ends = [getattr(x, "_value", x) for x in (start, end, step)]
    return made(namespace(device).arange(*ends, dtype=known(dtype)), requires_grad, device)


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
    return made(
        namespace(device).linspace(start, end, steps, dtype=known(dtype)), requires_grad, device
    )


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
    return made(
        namespace(device).logspace(start, end, steps, base=base, dtype=known(dtype)),
        requires_grad,
        device,
    )


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Make a matrix with ones on its diagonal."""
    return made(
        namespace(device).eye(n, m, dtype=np.float64 if dtype is None else as_dtype(dtype)),
        requires_grad,
        device,
    )


def tril_indices(row: int, col: int, offset: int = 0) -> Any:
    """Give the two rows of indices of the entries on and below a diagonal."""
    return plain(np.stack(np.tril_indices(row, offset, col)))


def triu_indices(row: int, col: int, offset: int = 0) -> Any:
    """Give the two rows of indices of the entries on and above a diagonal."""
    return plain(np.stack(np.triu_indices(row, offset, col)))
