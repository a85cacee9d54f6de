"""Max pooling: the largest entry of each window, and back to where it was."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tinytorch.arrays.checks import check
from tinytorch.arrays.kind import evaluate, own
from tinytorch.arrays.words import half_as_single, keep
from tinytorch.engine import Node
from tinytorch.nn.inputs import values
from tinytorch.nn.module import Module
from tinytorch.nn.pooling import Windows, windows_of
from tinytorch.nn.spatial import Sizes, each, for_axes, in_batches
from tinytorch.operations.indexing import pick, scatter
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.tensor import Tensor

_MAX_POOL = Operation("max_pool")
_MAX_UNPOOL = Operation("max_unpool")
_TO_LARGEST = Operation("to_largest")


def _first_largest(x: Any, out: Any, windows: Windows) -> list[Any]:
    """Say of each entry of a window, for all windows, if it is the first that equals `out`."""
    found, first = None, []
    for part in windows.parts(x.shape):
        equal = (x[part] == out) | np.isnan(x[part])
        first.append(equal if found is None else equal & ~found)
        found = equal if found is None else equal | found
    return first


def _max_pool_rule(grad: Any, out: Any, x: Any, windows: Windows) -> Any:
    x_values, out_values = (y._value if isinstance(y, Node) else y for y in (x, out))
    return _to_largest(grad, _first_largest(x_values, out_values, windows), x.shape, windows)


@defines(_TO_LARGEST)
def _to_largest(x: Any, first: Sequence[Any], shape: Sequence[int], windows: Windows) -> Any:
    """Put x, (N, C, *places), where the largest entries of windows are in zeros of `shape`."""
    parts = list(zip(first, windows.parts(shape), strict=True))

    def forward(x: Any) -> Any:
        out = np.zeros_like(x, shape=tuple(shape))
        for found, part in parts:
            if windows.overlap:
                out[part] += keep(found, x)
            else:
                out[part] = keep(found, x)
        return out

    def back(grad: Any, _out: Any, _x: Any) -> Any:
        return functools.reduce(operator.add, [keep(found, grad[part]) for found, part in parts])

    return apply(_TO_LARGEST, half_as_single(forward), (back,), x)


def _max_pool(
    n: int,
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Give the largest entry of each window of (N, C, *sizes), to (N, C, *places); nan is larger.

    The windows of `kernel_size` are `stride` apart, without it side by side; what `padding` puts
    around is never the largest. With `ceil_mode` the last one may reach beyond the end. Of entries
    that tie the first gets the gradient. With `return_indices`, also say where each was, as plain
    numbers of entries in the (flattened) sizes. N may be missing.
    """
    name = f"max_pool{n}d"
    x, single = in_batches(n, input, name)
    windows = windows_of(name, n, x, kernel_size, stride, padding, dilation, ceil_mode)
    padded: Any = x
    if any(map(any, windows.around)):
        padded = np.pad(x, windows.around, constant_values=-np.inf)

    out = _max_pool_of(padded, windows)
    if not return_indices:
        return out[0] if single else out
    where = evaluate(name, _numbers_of_largest, padded._value, out._value, windows, x.shape[2:])
    return (out[0], where[0]) if single else (out, where)


@defines(_MAX_POOL)
def _max_pool_of(x: Any, windows: Windows) -> Any:
    """Give the largest entry of each window of (N, C, *sizes), to (N, C, *places)."""
    return apply(
        _MAX_POOL,
        lambda x: functools.reduce(np.maximum, [x[part] for part in windows.parts(x.shape)]),
        (lambda grad, out, x: _max_pool_rule(grad, out, x, windows),),
        x,
    )


def _numbers_of_largest(x: Any, out: Any, windows: Windows, sizes: Sequence[int]) -> Any:
    numbers = np.arange(int(np.prod(sizes))).reshape(sizes)
    numbers = own(np.pad(numbers, windows.around[2:]), x)
    first = _first_largest(x, out, windows)
    parts = windows.parts(x.shape)
    return sum(found * numbers[part[2:]] for found, part in zip(first, parts, strict=True))


_max_pool.__name__ = "max_pool"
max_pool1d, max_pool2d, max_pool3d = for_axes(_max_pool)


def _max_unpool(
    n: int,
    input: Any,
    indices: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put each entry where `max_pool` found it, at `indices`, and else zeros.

    The sizes are `output_size`, or (size - 1) * stride - 2 * padding + kernel_size along each axis.
    Of several entries for one place the last remains, but each gets the gradient of its place, as
    in PyTorch. N may be missing. Raises ValueError for indices that don't fit.
    """
    name = f"max_unpool{n}d"
    x, single = in_batches(n, input, name)
    where = own(values(indices)[None] if single else values(indices), x)
    sizes = each("kernel_size", kernel_size, n)
    steps = sizes if stride is None else each("stride", stride, n)
    zeros = each("padding", padding, n, 0)
    along = zip(x.shape[2:], steps, zeros, sizes, strict=True)
    to = [(size - 1) * s - 2 * p + k for size, s, p, k in along]
    if output_size is not None:
        to = list(output_size)[-n:]
    length = int(np.prod(to))
    message = f"{name}: {describe(x)} takes indices of that shape, below {length}"
    if where.shape != x.shape:
        raise ValueError(f"{message}, got {describe(where)}")
    check((where >= 0) & (where < length), where, ValueError, message)
    images, channels = x.shape[:2]
    flat: Any = x.reshape(images * channels, math.prod(x.shape[2:]))
    places = (own(np.arange(images * channels)[:, None], x), where.reshape(flat.shape))
    result: Tensor = _put(flat, places, (images * channels, length)).reshape(images, channels, *to)
    return result[0] if single else result


def _is_last(rows: Any, where: Any, size: int) -> Any:
    """Say for each entry whether none after it in its row goes to the same place."""
    order = own(np.broadcast_to(np.arange(where.shape[1]), where.shape), where)
    last = own(np.zeros((len(where), size), int), where)
    last[rows, where] = order
    return last[rows, where] == order


@defines(_MAX_UNPOOL)
def _put(x: Any, places: Any, shape: tuple[int, int]) -> Any:
    """Put the entries of x into zeros of `shape`; of several at one place the last remains."""
    remains = evaluate(_MAX_UNPOOL, _is_last, *places, size=shape[1])
    return apply(
        _MAX_UNPOOL,
        lambda x: scatter(np.where(remains, x, 0), places, shape),
        (lambda grad, out, x: pick(grad, places),),  # noqa: ARG005
        x,
    )


_max_unpool.__name__ = "max_unpool"
max_unpool1d, max_unpool2d, max_unpool3d = for_axes(_max_unpool)


class _MaxPool(Module):
    _n: ClassVar[int]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        """Give the largest entries, and with `return_indices` where they were."""
        pool = (max_pool1d, max_pool2d, max_pool3d)[self._n - 1]
        return pool(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Show the windows."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest entry of each window of (N, C, L); the options are those of `max_pool1d`.

    >>> MaxPool1d(2)(np.array([[[1.0, 5.0, 2.0, 3.0]]]))
    Tensor([[[5., 3.]]], requires_grad=False)
    """

    _n = 1


class MaxPool2d(_MaxPool):
    """The largest entry of each window of (N, C, H, W); the options are those of `max_pool2d`.

    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """

    _n = 2


class MaxPool3d(_MaxPool):
    """The largest entry of each window of (N, C, D, H, W), with the options of `max_pool3d`."""

    _n = 3


class _MaxUnpool(Module):
    _n: ClassVar[int]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        self.kernel_size = each("kernel_size", kernel_size, self._n)
        self.stride = each("stride", kernel_size if stride is None else stride, self._n)
        self.padding = each("padding", padding, self._n, 0)

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Tensor:
        """Put each entry where it was before pooling."""
        unpool = (max_unpool1d, max_unpool2d, max_unpool3d)[self._n - 1]
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """Show the windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Each entry of (N, C, L) where `MaxPool1d(..., return_indices=True)` found it, else zeros."""

    _n = 1


class MaxUnpool2d(_MaxUnpool):
    """What `MaxUnpool1d` is to sequences, to images (N, C, H, W)."""

    _n = 2


class MaxUnpool3d(_MaxUnpool):
    """What `MaxUnpool1d` is to sequences, to volumes (N, C, D, H, W)."""

    _n = 3
