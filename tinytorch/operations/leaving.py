"""What leaves the graph: values, truth values, and refusals where it would lose a gradient."""

from __future__ import annotations

import sys
from dis import opmap
from typing import Any, NoReturn

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.plain import PlainArray, plain
from tinytorch.engine import Array, Node
from tinytorch.grad_mode import in_transform, is_grad_enabled
from tinytorch.operations.operands import describe

_STORE_SUBSCR = opmap["STORE_SUBSCR"]


def value_of(x: Any) -> Any:
    """Give the array of a tensor, and anything else as it is."""
    return x._value if isinstance(x, Node) else x


def deep_values(x: Any) -> Any:
    """Give the arrays of all tensors in lists, tuples and dicts."""
    if isinstance(x, list | tuple):
        return type(x)([deep_values(part) for part in x])
    if isinstance(x, dict):
        return {key: deep_values(part) for key, part in x.items()}
    return value_of(x)


class Leaving:
    """The ways out of the graph: said ones give plain values, unsaid ones raise."""

    __slots__ = ()
    _value: Array
    _requires_grad: bool

    # --- values -------------------------------------------------------------------------------

    def numpy(self) -> Array:
        """Give the values: the array itself, not a copy; a Dask array is computed."""
        values: Array = kind_of(self._value).numpy(self._value)
        return values

    to_numpy = numpy  # by which matplotlib and pandas ask

    def item(self) -> float:
        """Give the only entry as a Python number. Raises ValueError if there are more, or none."""
        if self._value.size != 1:
            raise ValueError(f"item: expected a single entry, got {describe(self)}")
        number: Any = self.numpy().item()
        return number if self._value.dtype.kind == "c" else float(number)

    def tolist(self) -> Any:
        """Give the values as nested lists of Python numbers."""
        return self.numpy().tolist()

    # --- Python's numbers ---------------------------------------------------------------------

    def __float__(self) -> float:
        self._refuse_number("float")
        return float(self.item())

    def __int__(self) -> int:
        self._refuse_number("int")
        return int(self.item())

    def __complex__(self) -> complex:
        self._refuse_number("complex")
        return complex(self.item())

    def __bool__(self) -> bool:
        if self._value.size != 1:
            raise ValueError(
                f"the truth of {describe(self)} is ambiguous: use any() or all() of a comparison"
            )
        return bool(self.numpy().item())

    # --- comparisons: plain arrays of truth values ------------------------------------------

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> PlainArray:  # type: ignore[override]
        truths: PlainArray = plain(self._value == value_of(other))
        return truths

    def __ne__(self, other: object) -> PlainArray:  # type: ignore[override]
        truths: PlainArray = plain(self._value != value_of(other))
        return truths

    def __lt__(self, other: Any) -> PlainArray:
        truths: PlainArray = plain(self._value < value_of(other))
        return truths

    def __le__(self, other: Any) -> PlainArray:
        truths: PlainArray = plain(self._value <= value_of(other))
        return truths

    def __gt__(self, other: Any) -> PlainArray:
        truths: PlainArray = plain(self._value > value_of(other))
        return truths

    def __ge__(self, other: Any) -> PlainArray:
        truths: PlainArray = plain(self._value >= value_of(other))
        return truths

    # --- ways out of the graph --------------------------------------------------------------

    def _refuse_to_leave(self: Any, way: str, instead: str) -> None:
        """Raise TypeError where a gradient would be lost in silence."""
        if not self._requires_grad or not is_grad_enabled():
            return
        if self._children or in_transform(self):
            raise TypeError(
                f"{way} of {describe(self)} would lose its gradient without a word: write "
                f"{instead} to keep it, x.data or x.detach() to go on without"
            )

    def _refuse_number(self: Any, name: str) -> None:
        """Raise TypeError where a Python number would lose the gradient."""
        frame = sys._getframe(2)
        assigned = frame.f_code.co_code[frame.f_lasti] == _STORE_SUBSCR
        if assigned and self._requires_grad and is_grad_enabled():
            raise TypeError(
                f"to put {describe(self)} into an array by o[i] = x would lose its gradient "
                "without a word: np.stack or np.concatenate makes one array of many tensors, "
                "np.where(mask, x, o) puts x in some places; x.data goes on without"
            )
        if in_transform(self):
            self._refuse_to_leave(
                f"{name}(x)", "NumPy's functions instead of the math module's (np.sin(x))"
            )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._requires_grad and is_grad_enabled():
            raise TypeError(
                f"an array made of {describe(self)} would lose its gradient without a word: "
                "np.stack or np.concatenate makes a tensor of several, NumPy's functions take "
                "tensors as they are, x.data or x.numpy() gives the values alone; for another "
                "library's function see tinytorch.operation"
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    @property
    def chunks(self) -> NoReturn:
        """Refuse: Dask's functions ask for it before they take a tensor for an array."""
        raise TypeError(
            f"Dask's functions would take {describe(self)} for an array, and lose its gradient: "
            "methods and NumPy's functions, x.sum() or np.sum(x), plan on Dask arrays and keep it; "
            "x.data gives the values alone"
        )

    @property
    def at(self) -> NoReturn:
        """Refuse what JAX, whose arrays can't be changed, writes as x.at[i].set(v)."""
        raise AttributeError(
            "x.at[i].set(v) is JAX's: np.where(mask, v, x) makes a new tensor with v in some "
            "places, x.data[i] = v changes the values of this one"
        )

    @classmethod
    def __torch_function__(
        cls,
        function: Any,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> NoReturn:
        """Refuse: PyTorch's functions ask for it where a tensor is none of PyTorch's own."""
        name = getattr(function, "__name__", str(function))
        raise TypeError(
            f"PyTorch's {name} got a tensor of TinyTorch, whose gradient it would not know of: "
            "tinytorch's own functions (import tinytorch as torch) and NumPy's take it, "
            "torch.as_tensor(x.data) gives PyTorch the values alone"
        )

    def __dlpack__(self, **options: Any) -> Any:
        if self._requires_grad and is_grad_enabled():
            raise TypeError(
                f"an exchange by DLPack would lose the gradient of {describe(self)} without a "
                "word: x.data or x.detach() gives the values alone"
            )
        return self._value.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._value.__dlpack_device__()
