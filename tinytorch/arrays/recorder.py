"""The recorder: an array that speaks NumPy's protocols, holds a value, and writes down every call.

A function that computes with arrays cannot tell the difference: each NumPy call is made at once, of
the values, and its result is a recorder again. What the tape has in the end is the list of calls.
Where a function would have to know a value, to decide something or to hand it to what writes
nothing down, the recorder refuses, and names the user's line.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Iterator
from dis import opmap
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.kind import Kind, register
from tinytorch.arrays.parts import ARRAYS, ATOMS, WRITERS, is_array, made, map_parts
from tinytorch.arrays.user_lines import current, refuse
from tinytorch.engine import Array

# The shapes of their results depend on values.
_REFUSED = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.bincount,
    np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.trim_zeros, np.histogram,
    np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.histogram_bin_edges,
}  # fmt: skip
_COMPLEX_AT_TIMES = {"logm", "sqrtm"}
_SHOWN = {np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savetxt}
# They look at the shape and the dtype only.
_STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.common_type, np.min_scalar_type,
}  # fmt: skip
_MAKERS = {np.zeros_like: 0, np.empty_like: 0, np.ones_like: 1}
_WRITING_METHODS = {"fill", "sort", "partition", "put"}
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
    "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip
_POWERS = {1: np.positive, -1: np.reciprocal, 0.5: np.sqrt, 2: np.square}


def plainly(x: Any) -> Any:
    """Give the value that a recorder holds."""
    return x.value if isinstance(x, Recorder) else x


def call(
    function: Callable[..., Any], args: Any, kwargs: Any, written: tuple[Any, ...] = ()
) -> Any:
    """Make a call; write it down if this thread is recording."""
    tape = current()
    if tape is not None:
        return tape.call(function, args, kwargs, written)
    values = map_parts(plainly, (args, kwargs))
    return made(function, *values)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    """Make the method of an operator such as +=; a number of NumPy's becomes a new one."""
    operate = getattr(operator, name)
    numpys = getattr(NDArrayOperatorsMixin, f"__i{name}__")

    def method(x: Any, y: Any) -> Any:
        return numpys(x, y) if is_array(x.value) else operate(x, y)

    return method


def _operator(name: str, ufunc: np.ufunc, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """Make the method of an operator: of two numbers of Python's it is Python's own.

    That rounds otherwise than NumPy here and there, and its result gives way to any dtype.
    """
    own = getattr(operator, name)
    numpys = getattr(NDArrayOperatorsMixin, f"__{'r' if swapped else ''}{name}__")

    def method(x: Any, y: Any) -> Any:
        if type(y) not in ATOMS:
            return numpys(x, y)
        of_numbers = type(x.value) in _NUMBERS and is_number(plainly(y))
        return call(own if of_numbers else ufunc, (y, x) if swapped else (x, y), {})

    return method


_power = _operator("pow", np.power)


_NUMBERS = {float, int, bool}


def is_number(x: Any) -> bool:
    """Tell the numbers of Python's own, which have no dtype."""
    return type(x) in _NUMBERS


class Recorder(NDArrayOperatorsMixin):
    """An array whose calls are written down on a tape.

    Once the recording has ended, and in other threads, it is what its value is.
    """

    __slots__ = ("__weakref__", "ref", "slot", "tape", "value")

    def __init__(self, value: Any, ref: Any, tape: Any) -> None:
        self.value, self.ref, self.slot, self.tape = value, ref, ref.slot, tape

    # --- what a program knows before it runs ----------------------------------------------------

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What `isinstance` takes it for: an array, or for a Python number a float."""
        kind = type(self.value)
        return kind if kind in _NUMBERS else np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        shape: tuple[int, ...] = getattr(self.value, "shape", ())
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries; of a Python number the one that NumPy would give it."""
        dtype: np.dtype[Any] = self.tape.values[self.slot].dtype
        return dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def base(self) -> Any:
        """The array whose memory this one looks into, None for one with memory of its own."""
        return getattr(self.value, "base", None)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # --- NumPy's functions ----------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in inputs:
            if type(x) not in ATOMS and _is_foreign(x):
                return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        written = tuple(x for x in kwargs["out"] if x is not None) if "out" in kwargs else ()
        if method == "at":
            written = inputs[:1]
        return call(function, inputs, kwargs, written)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if not all(issubclass(kind, _ARRAYS) or kind in ARRAYS for kind in types):
            return NotImplemented
        no_value = function in (np.any, np.all) and not np.size(args[0])
        if function in _STATIC or no_value or current() is None:
            values = map_parts(plainly, (args, kwargs))
            return function(*values[0], **values[1])
        if function in _REFUSED:
            name = f"np.{function.__name__}"
            refuse(f"the shape of what {name} gives depends on values", "use np.where and masks")
        if function in _SHOWN:
            refuse("a value is printed or stored inside the function", "return it")
        if function in _MAKERS:
            return self._made(_MAKERS[function], *args[1:], **kwargs)
        if function is np.full_like:
            return self._made(*args[1:], **kwargs)
        out = kwargs.get("out")
        written = args[:1] if function in WRITERS else () if out is None else (out,)
        return call(function, args, kwargs, written)

    def _made(self, fill: Any, dtype: Any = None, *_order: Any, shape: Any = None, **_: Any) -> Any:
        """Give an array of the same shape: the values don't come into it."""
        shape = self.shape if shape is None else shape
        return call(np.full, (shape, fill, np.dtype(dtype or self.dtype)), {})

    # --- an array's methods ---------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"an array has no attribute {name!r}")
        if current() is None:
            return getattr(np.asarray(self.value), name)
        if name in _REDUCTIONS:
            return functools.partial(self._reduce, _REDUCTIONS[name])
        if name in ("item", "tolist", "tobytes", "tofile", "dump", "dumps", "data", "ctypes",
                    "flat"):  # fmt: skip
            refuse(f"{name} takes a value out of the program", "return the array instead")
        if name in ("real", "imag"):
            return call(getattr(np, name), (self,), {})
        method = getattr(np.ndarray, name)
        if not callable(method):
            return getattr(np.asarray(self.value), name)
        written = (self,) if name in _WRITING_METHODS else ()
        return lambda *args, **kwargs: call(method, (self, *args), kwargs, written)

    def _reduce(
        self, ufunc: np.ufunc, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any
    ) -> Any:
        if not self.size and ufunc in (np.logical_or, np.logical_and):
            return ufunc.reduce(self.value, axis=axis, **options)  # no value decides that
        options = {"axis": axis, **options}
        if dtype is not None:
            options["dtype"] = dtype
        if out is not None:
            options["out"] = out
        return call(ufunc.reduce, (self,), options, () if out is None else (out,))

    @property
    def T(self) -> Any:
        """The axes in reverse."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def view(self, dtype: Any) -> Any:
        """Give the same memory, read as another dtype."""
        if isinstance(dtype, type) and issubclass(dtype, np.ndarray):
            return self
        return call(np.ndarray.view, (self, np.dtype(dtype)), {})

    def astype(self, dtype: Any, copy: bool = True, **options: Any) -> Any:
        """Give the entries in another dtype; itself where nothing is to be done."""
        if not copy and self.dtype == dtype:
            return self
        return call(np.ndarray.astype, (self, np.dtype(dtype)), options)

    def copy(self, order: str = "C") -> Any:
        """Give an array of its own."""
        if not is_array(self.value):
            return call(np.array, (self,), {})
        return call(np.ndarray.copy, (self, order), {})

    __add__, __radd__ = _operator("add", np.add), _operator("add", np.add, swapped=True)
    __sub__ = _operator("sub", np.subtract)
    __rsub__ = _operator("sub", np.subtract, swapped=True)
    __mul__, __rmul__ = _operator("mul", np.multiply), _operator("mul", np.multiply, swapped=True)
    __truediv__ = _operator("truediv", np.divide)
    __rtruediv__ = _operator("truediv", np.divide, swapped=True)
    __floordiv__ = _operator("floordiv", np.floor_divide)
    __rfloordiv__ = _operator("floordiv", np.floor_divide, swapped=True)
    __mod__ = _operator("mod", np.remainder)
    __rmod__ = _operator("mod", np.remainder, swapped=True)
    __rpow__ = _operator("pow", np.power, swapped=True)
    __lt__, __le__ = _operator("lt", np.less), _operator("le", np.less_equal)
    __gt__, __ge__ = _operator("gt", np.greater), _operator("ge", np.greater_equal)
    __eq__, __ne__ = _operator("eq", np.equal), _operator("ne", np.not_equal)

    def __pow__(self, exponent: Any) -> Any:
        # As NumPy's own arrays do it.
        known = type(exponent) in (int, float) and self.dtype.kind == "f"
        if known and exponent in _POWERS and isinstance(self.value, np.ndarray):
            return _POWERS[exponent](self)
        return _power(self, exponent)

    def __neg__(self) -> Any:
        return call(operator.neg if is_number(self.value) else np.negative, (self,), {})

    def __abs__(self) -> Any:
        return call(operator.abs if is_number(self.value) else np.absolute, (self,), {})

    __iadd__ = _in_place("add")
    __isub__ = _in_place("sub")
    __imul__ = _in_place("mul")
    __itruediv__ = _in_place("truediv")
    __ipow__ = _in_place("pow")

    def __getitem__(self, index: Any) -> Any:
        if type(index) is tuple and not index and self.ndim:
            return self
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, Recorder) and part.dtype == bool for part in parts):
            refuse("a mask decides a shape", "np.where(mask, x, 0) keeps it")
        return call(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, values: Any) -> None:
        call(operator.setitem, (self, index, values), {}, (self,))

    # --- what would need to know a value --------------------------------------------------------

    def _known(self, what: str, hint: str) -> Any:
        if current() is self.tape:
            refuse(what, hint)
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        value = self._known(
            "a recorded value is given to what is no NumPy function, or written into an array "
            "that no argument or tensor holds",
            "write with NumPy's functions on arguments and tensors",
        )
        return np.array(value, dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        if current() is self.tape and self.tape.may_decide(self.slot, bool(self.value)):
            return bool(self.value)
        return bool(
            self._known("a decision hangs on a value", "np.where takes both ways, entry by entry")
        )

    def __float__(self) -> float:
        frame = sys._getframe(1)
        if frame.f_code.co_code[frame.f_lasti] == opmap["STORE_SUBSCR"]:
            self.__array__()  # which refuses
        return float(self._known("float() takes a value out of the program", "return it instead"))

    def __int__(self) -> int:
        return int(self._known("int() takes a value out of the program", "return it instead"))

    def __index__(self) -> int:
        return operator.index(
            self._known("a value is used as an index or a size", "give few different ones")
        )

    def __complex__(self) -> complex:
        return complex(self._known("complex() takes a value out", "return it instead"))

    def __contains__(self, x: Any) -> bool:
        return x in self._known("a decision hangs on a value", "np.where takes both ways")

    def __repr__(self) -> str:
        return repr(self._known("a value is printed inside the function", "return it"))

    def __format__(self, spec: str) -> str:
        return format(self._known("a value is printed inside the function", "return it"), spec)

    def __reduce__(self) -> Any:
        return self._known("a value is stored inside the function", "return it"), ()

    def __hash__(self) -> int:
        if isinstance(self.value, np.ndarray):
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._known("a value is looked up in a dict or set", "give it as an argument"))


def _is_foreign(x: Any) -> bool:
    """Tell an operand that has its own way with NumPy's functions, as tensors and batches do."""
    return (
        not isinstance(x, Recorder | np.ndarray | np.generic)
        and hasattr(x, "__array_ufunc__")
        and type(x) not in ARRAYS
    )


ATOMS.add(Recorder)
_ARRAYS = Recorder, np.ndarray


class _RecorderKind(Kind):
    """Recorders, to which a tensor's other arrays become alike."""

    makes_blocks = True

    def text(self, array: Any) -> str:
        """Refuse to be printed."""
        return repr(array)

    def like(self, values: Any, array: Any) -> Any:  # noqa: ARG002  (Kind asks so)
        """Give a recorder of the values."""
        tape = current()
        return tape.plain(values) if tape and type(values) is np.ndarray else values

    def scipy(self, module: str, name: str) -> Callable[..., Any]:
        """Give SciPy's function, whose call is written down."""
        function = super().scipy(module, name)
        if name in _COMPLEX_AT_TIMES:
            refuse(f"the dtype of what {name} gives depends on values", "call it outside")
        if isinstance(function, np.ufunc):
            return function
        return lambda *args, **options: call(function, args, options)


register(Recorder, _RecorderKind())
