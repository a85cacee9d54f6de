"""The methods of plain arrays, made from the operations' table; whole numbers stay whole."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.plain import PlainArray, base, plain, wrapped
from tinytorch.operations.conversions import Conversions
from tinytorch.operations.diagonals import Diagonals
from tinytorch.operations.in_place import InPlace
from tinytorch.operations.indexing import Indexing, ValuesIndices
from tinytorch.operations.joining import Joining
from tinytorch.operations.padding import Padding
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Reductions, is_operand
from tinytorch.operations.repeating import Repeating
from tinytorch.operations.shape import Shape

# What only arranges or picks entries does so with those of any array.
_SAME = {
    Shape: """reshape flatten unflatten ravel transpose permute squeeze unsqueeze expand_dims
        moveaxis movedim swapaxes swapdims flip fliplr flipud roll rot90""",
    Repeating: "expand broadcast_to repeat tile repeat_interleave",
    Diagonals: "tril triu diag diagonal",
    Padding: "pad",
    Joining: "split chunk unbind hsplit vsplit dsplit atleast_1d atleast_2d atleast_3d",
    Indexing: """select index_select gather take take_along_axis take_along_dim compress
        masked_select masked_fill""",
}

# What tensors give as plain arrays, too.
_PLAIN = {
    Reductions: "argmax argmin any all count_nonzero",
    Indexing: "argsort",
    Shape: "dim numel size",
}

# What picks or orders entries by their size goes by a tensor's floating numbers, which hold whole
# ones exactly up to 2**53.
_BY_SIZE = "max min amax amin sort topk median mode kthvalue cummax cummin"

# NumPy's functions that keep whole numbers whole.
_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "subtract": np.subtract, "mul": np.multiply,
    "multiply": np.multiply, "div": np.true_divide, "divide": np.true_divide,
    "true_divide": np.true_divide, "floor_divide": np.floor_divide, "pow": np.power,
    "remainder": np.remainder, "fmod": np.fmod, "maximum": np.maximum, "minimum": np.minimum,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), np.matmul), "dot": np.dot, "vdot": np.vdot,
    "outer": np.outer, "ger": np.outer, "inner": np.inner, "kron": np.kron,
    "neg": np.negative, "negative": np.negative,
    "abs": np.abs, "absolute": np.abs, "sign": np.sign, "square": np.square,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.invert,
}  # fmt: skip

# NumPy's functions of an axis.
_ALONG: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "std": np.std, "var": np.var,
    "cumsum": np.cumsum, "cumprod": np.cumprod,
}  # fmt: skip


def _of_values(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def on_plain(self: PlainArray, *args: Any, **options: Any) -> Any:
        return _all_plain(method(self._value, *args, **options))

    return on_plain


def _all_plain(results: Any) -> Any:
    if isinstance(results, list | tuple):
        return type(results)(map(plain, results))
    return plain(results)


def _by_size(name: str) -> Callable[..., Any]:
    def on_plain(self: PlainArray, *args: Any, **options: Any) -> Any:
        from tinytorch.tensor import Tensor

        found = getattr(Tensor(self._value, requires_grad=False), name)(*args, **options)
        if isinstance(found, ValuesIndices):
            return ValuesIndices(plain(found.values.data.astype(self.dtype)), found.indices)  # type: ignore[arg-type]
        others = [getattr(x, "dtype", x) for x in args if is_operand(x)]
        dtype = np.result_type(self.dtype, *others)
        return found if dtype.kind == "f" else plain(found.data.astype(dtype))

    return on_plain


def _of_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_plain(self: PlainArray, *others: Any) -> Any:
        return wrapped(function(self, *others))

    return on_plain


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    @torch_spelling
    def on_plain(self: PlainArray, axis: Any = None, *keepdims: bool, **options: Any) -> Any:
        if keepdims:
            options["keepdims"] = keepdims[0]
        return plain(function(self._value, axis, **options))

    return on_plain


def _view(self: PlainArray, *shape: Any, **options: Any) -> Any:
    """Arrange the entries in `shape`; of a dtype or a class, see the memory so, as NumPy does."""
    if options or not shape or isinstance(shape[0], type | np.dtype | str):
        return np.ndarray.view(self, *shape, **options)
    return self.reshape(*shape)


def _clamp(self: PlainArray, min: Any = None, max: Any = None) -> Any:
    """Limit the entries to `min` <= x <= `max`."""
    return wrapped(np.clip(self._value, base(min), base(max)))


def _clone(self: PlainArray, *_: Any, **__: Any) -> Any:
    """Give a copy."""
    return plain(self._value.copy())


def _attach(name: str, method: Any, doc: str | None) -> None:
    method.__name__, method.__doc__ = name, doc or method.__doc__
    setattr(PlainArray, name, method)


for _family, _names in _SAME.items():
    for _name in _names.split():
        _method = getattr(_family, _name)
        _attach(_name, _of_values(_method), _method.__doc__)
for _family, _names in _PLAIN.items():
    for _name in _names.split():
        setattr(PlainArray, _name, vars(_family)[_name])
for _name in _BY_SIZE.split():
    _attach(_name, _by_size(_name), f"See `Tensor.{_name}`; the entries stay whole.")
for _name, _function in _NUMPY.items():
    _attach(_name, _of_numpy(_function), f"See `np.{_function.__name__}`.")
for _name, _function in _ALONG.items():
    _attach(_name, _along(_function), f"See `np.{_function.__name__}`; or with `dim`, `keepdim`.")
for _words in (Conversions, InPlace):
    for _name, _method in vars(_words).items():
        if not _name.startswith("_"):
            setattr(PlainArray, _name, _method)
for _name, _method in (("view", _view), ("clamp", _clamp), ("clip", _clamp), ("copy", _clone)):
    setattr(PlainArray, _name, _method)
PlainArray.clone = _clone  # type: ignore[attr-defined]
PlainArray.T = property(lambda self: plain(self._value.T))  # type: ignore[assignment]
