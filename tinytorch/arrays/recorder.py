"""The recorder: an array that speaks NumPy's protocols, holds a value, and writes down every call.

A function that computes with arrays cannot tell the difference: each NumPy call is made at once, of
the values, and its result is a recorder again. What the tape has in the end is the list of calls.
Where a function would have to know a value, to decide something or to hand it to what writes
nothing down, the recorder refuses, and names the user's line.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator
from dis import opmap
from typing import Any, NoReturn

import numpy as np

from tinytorch.arrays.holders import ALONE, variables
from tinytorch.arrays.kind import Kind, register
from tinytorch.arrays.operators import NUMBERS, Operators, call, is_number, plainly
from tinytorch.arrays.parts import ARRAYS, ATOMS, is_array, map_parts
from tinytorch.arrays.places import in_places, written
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
_TAKE_OUT = {"item", "tolist", "tobytes", "tofile", "dump", "dumps", "data", "ctypes"}
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
    "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip
NOT_HELD = (
    (
        "a recorded value is given to what is no NumPy function, or written into an array that no "
        "argument or tensor holds"
    ),
    "write with NumPy's functions on arguments, tensors and np.zeros_like(x)",
)


def _part(name: str) -> property:
    """Make the property of complex arrays that can also be assigned to."""

    def write(x: Any, values: Any) -> None:
        if name == "imag" and x.dtype.kind != "c":
            raise TypeError("an array of real numbers has no imaginary part to set")
        getattr(x, name)[...] = values

    return property(lambda x: call(getattr(np, name), (x,), {}), write)


def _refuse_new(name: str) -> Callable[[Any, Any], NoReturn]:
    """Make the setter of what a program keeps as it is."""

    def refused(_array: Any, _new: Any) -> NoReturn:
        way = {"shape": "reshape", "dtype": "view"}.get(name, "np.reshape")
        refuse(f"the {name} of an array is assigned to", f"make another array, with {way}")

    return refused


class Recorder(Operators):
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
        return kind if kind in NUMBERS else np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        shape: tuple[int, ...] = getattr(self.value, "shape", ())
        return shape

    @shape.setter
    def shape(self, new: Any) -> None:
        _refuse_new("shape")(self, new)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries; of a Python number the one that NumPy would give it."""
        dtype: np.dtype[Any] = self.tape.values[self.slot].dtype
        return dtype

    @dtype.setter
    def dtype(self, new: Any) -> None:
        _refuse_new("dtype")(self, new)

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
        outs = kwargs.get("out", ())
        own = len(outs) == 1 and type(outs[0]) is np.ndarray and outs[0] is inputs[0]
        alone = own and sys.getrefcount(outs[0]) <= ALONE and variables(outs[0]) <= 1
        if alone and (tape := current()) is not None:  # as of x += y, which x becomes
            kwargs["out"] = outs = (tape.taken_over(outs[0]),)
        for x in inputs:
            if type(x) not in ATOMS and _is_foreign(x):
                return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if any(x is None for x in outs):  # of several results some are written
            results = call(function, inputs, {key: x for key, x in kwargs.items() if key != "out"})
            pairs = [*zip(outs, results, strict=True)]
            for out, result in pairs:
                if out is not None:
                    np.copyto(out, result)
            return tuple(result if out is None else out for out, result in pairs)
        return call(function, inputs, kwargs, inputs[:1] if method == "at" else outs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if not all(issubclass(kind, _ARRAYS) or kind in ARRAYS for kind in types):
            return NotImplemented
        args, kwargs = in_places(function, args, kwargs)
        if not args and function not in _STATIC:
            refuse(f"np.{function.__name__} is given arrays by their names", "give them in order")
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
        return call(function, args, kwargs, written(function, args, kwargs))

    def _made(
        self, fill_value: Any, dtype: Any = None, order: str = "K", *_: Any, shape: Any = None,
        **__: Any,
    ) -> Any:  # fmt: skip
        """Give an array of the same shape: the values don't come into it."""
        flags: Any = getattr(self.value, "flags", None)
        like = order in ("K", "A") and shape is None and flags is not None
        by_columns = order == "F" or (like and flags.f_contiguous and not flags.c_contiguous)
        options = {"order": "F"} if by_columns else {}
        shape = self.shape if shape is None else shape
        return call(np.full, (shape, fill_value, np.dtype(dtype or self.dtype)), options)

    # --- an array's methods ---------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        of_number = is_number(self.value) and current() is not None and hasattr(self.value, name)
        if of_number and not name.startswith("__"):
            refuse(f"{name} takes a value out of the program", "compute it outside")
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"an array has no attribute {name!r}")
        if current() is None:
            return getattr(np.asarray(self.value), name)
        if name in _TAKE_OUT:
            refuse(f"{name} takes a value out of the program", "return the array instead")
        method = getattr(np.ndarray, name)
        if not callable(method):
            return getattr(np.asarray(self.value), name)
        if name in ("resize", "byteswap"):
            refuse(f"{name} changes an array in a way that is not recorded", "make a new array")

        def called(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = in_places(method, (self, *args), kwargs)
            if name in _REDUCTIONS:
                return self._reduce(_REDUCTIONS[name], *args[1:], **kwargs)
            return call(method, args, kwargs, written(method, args, kwargs))

        return called

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

    real, imag = _part("real"), _part("imag")
    strides = property(lambda x: np.asarray(x.value).strides, _refuse_new("strides"))

    @property
    def flat(self) -> Any:
        """The entries one after the other, which can be written."""
        return self._known("flat takes values out of the program", "use reshape(-1)").flat

    @flat.setter
    def flat(self, values: Any) -> None:
        if np.ndim(values):
            refuse("flat is assigned an array", "assign x[...] = values.reshape(x.shape)")
        self[...] = values

    @property
    def T(self) -> Any:
        """The axes in reverse."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def view(self, dtype: Any = None, **options: Any) -> Any:
        """Give the same memory, read as another dtype."""
        kind = options.get("type", np.ndarray)
        if isinstance(dtype, type) and issubclass(dtype, np.ndarray):
            dtype, kind = None, dtype
        if kind is not np.ndarray:
            refuse(f"an array becomes a {kind.__name__}", "keep to np.ndarray")
        return self if dtype is None else call(np.ndarray.view, (self, np.dtype(dtype)), {})

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: str = "unsafe",
        subok: bool = True,  # noqa: ARG002  (of no subclass)
        copy: bool = True,
    ) -> Any:
        """Give the entries in another dtype; itself where nothing is to be done."""
        if not copy and self.dtype == dtype and order in ("K", "A"):
            return self
        options = {"order": order, "casting": casting}
        if casting == "unsafe":
            del options["casting"]
        if order == "K":
            del options["order"]
        return call(np.ndarray.astype, (self, np.dtype(dtype)), options)

    def copy(self, order: str = "C") -> Any:
        """Give an array of its own."""
        if not is_array(self.value):
            return call(np.array, (self,), {})
        return call(np.ndarray.copy, (self, order), {})

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
        value = self._known(*NOT_HELD)
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
