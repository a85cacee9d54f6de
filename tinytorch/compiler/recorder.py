"""The recorder: an array that speaks NumPy's protocols, holds a value, and writes down every call.

A function that computes with arrays cannot tell the difference: each NumPy call is made at once, of
the values, and its result is a recorder again. What the tape has in the end is the list of calls.
Where a function would have to know a value, to decide something or to hand it to what writes
nothing down, the recorder refuses, and names the user's line.
"""

from __future__ import annotations

import functools
import operator
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.compiler.program import (
    Argument,
    Call,
    Line,
    Program,
    Ref,
    Value,
    map_parts,
    owner_of,
    place_of,
    same,
)
from tinytorch.engine import Array, Node, accumulate, gradients

_INSIDE = (str(Path(__file__).parents[1]), str(Path(np.__file__).parent), "<frozen", "<__array_f")
_BACKWARD = {gradients.__code__, accumulate.__code__}

# The shapes of their results depend on values.
_REFUSED = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.bincount,
    np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.trim_zeros, np.histogram,
    np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.histogram_bin_edges,
}  # fmt: skip
_SHOWN = {np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savetxt}
# They look at the shape and the dtype only.
_STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.common_type, np.min_scalar_type,
}  # fmt: skip
_MAKERS = {np.zeros_like: 0, np.empty_like: 0, np.ones_like: 1}
# They write into their first argument.
_WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
_WRITING_METHODS = {"fill", "sort", "partition", "put"}
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
    "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip
_POWERS = {1: np.positive, -1: np.reciprocal, 0.5: np.sqrt, 2: np.square}

gradient_slot = Node.__dict__["_grad"]
_tapes: dict[int, Tape] = {}  # by thread


def current() -> Tape | None:
    """Give the tape of this thread, if a function is being recorded."""
    return _tapes.get(threading.get_ident())


def user_line() -> tuple[Line, bool]:
    """Find the line of the user's that is being executed, and whether it runs a backward pass."""
    frame, backward = sys._getframe(1), False
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        backward = backward or frame.f_code in _BACKWARD
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno), backward


def refuse(what: str, hint: str, line: Line | None = None) -> NoReturn:
    """Raise TypeError that says what cannot be part of a program, where, and what to do."""
    line = line or user_line()[0]
    raise TypeError(f"compile: {what}: {hint}\n  {line}: {line.text}")


class Tape:
    """The calls that one run of a function makes, and the arrays that it found and made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.values: list[Value] = []
        self.outside: dict[Any, Recorder] = {}  # the recorders of what comes from outside
        self.alive: list[weakref.ref[Recorder]] = []
        self.arguments: dict[int, Argument] = {}  # tensors among the arguments, by id
        self.nodes: dict[int, tuple[weakref.ref[Any], Any]] = {}  # tensors, and what .grad was
        self.before: dict[Any, Array] = {}  # what arrays that are known already held before the run
        self._owners: dict[int, int] = {}  # of arrays from outside: the value that came first
        self._errstate = np.geterr()

    # --- what comes in --------------------------------------------------------------------------

    def enter(self, key: Any, value: Any, source: Any) -> Recorder:
        """Give the recorder of a value from outside; for the same key the same one."""
        found = self.outside.get(key)
        if found is None:
            root = None
            if isinstance(value, np.ndarray):
                root = self._owners.setdefault(id(owner_of(value)), len(self.values))
            found = self.outside[key] = self._recorder(value, root, source)
            self.values[found.slot].line = user_line()[0]
        return found

    def plain(self, array: Array) -> Recorder:
        """Give the recorder of an array that the function found somewhere."""
        key = place_of(array)
        found = self.outside.get(key)
        if found is None:
            before = self.before.get(key)
            if before is not None and not same(before, array):
                refuse(
                    "something writes into an array, and leaves no record of it",
                    "give the array to the function as an argument",
                )
            found = self.enter(key, array, array)
            value = self.values[found.slot]
            value.content, value.place = array.copy(), key
        return found

    def argument(self, array: Array, source: Argument) -> Recorder:
        """Give the recorder of an array that is an argument."""
        return self.enter(place_of(array), array, source)

    def watch(self, program: Program) -> None:
        """Remember what the arrays hold that another run has found outside."""
        for value in program.values:
            if isinstance(value.source, np.ndarray):
                self.before[value.place] = value.source.copy()

    def touched(self, node: Any) -> Any:
        """Note that a tensor from outside is used, and give what its gradient was at first."""
        found = self.nodes.get(id(node))
        if found is None or found[0]() is not node:
            found = self.nodes[id(node)] = (weakref.ref(node), gradient_slot.__get__(node))
        return found[1]

    def _recorder(self, value: Any, root: int | None, source: Any = None) -> Recorder:
        slot = len(self.values)
        self.values.append(Value.of(value, slot, slot if root is None else root, source))
        recorder = Recorder(value, slot, self)
        self.alive.append(weakref.ref(recorder))
        return recorder

    # --- calls ----------------------------------------------------------------------------------

    def call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        written: tuple[Any, ...] = (),
    ) -> Any:
        """Make a call, and write it down."""
        operands: list[Recorder] = []

        def ref(x: Any) -> Any:
            if type(x) is np.ndarray:
                if not x.ndim and not x.flags.writeable and x.base is None:
                    return x[()]  # a number that operations share
                x = self.plain(x)
            if not isinstance(x, Recorder):
                return x
            operands.append(x)
            return Ref(x.slot)

        line, backward = user_line()
        refs = map_parts(ref, (args, kwargs))
        changed = [ref(x).slot for x in written]
        values = map_parts(plainly, (args, kwargs))
        result = function(*values[0], **values[1])
        errstate = np.geterr()
        call = Call(
            function, refs[0], refs[1], [], changed, line, "backward" if backward else "",
            None if errstate == self._errstate else errstate,
        )  # fmt: skip
        self.calls.append(call)
        roots = {id(owner_of(x.value)): self.values[x.slot].root for x in operands}

        def wrap(part: Any) -> Any:
            if not isinstance(part, np.ndarray | np.generic | bool | int | float):
                return part
            for x in written:
                if part is plainly(x):
                    return x
            recorder = self._recorder(part, roots.get(id(owner_of(part))))
            self.values[recorder.slot].line = line
            call.outs.append(recorder.slot)
            return recorder

        return map_parts(wrap, result)


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
    return function(*values[0], **values[1])


class Recorder(NDArrayOperatorsMixin):
    """An array whose calls are written down on a tape.

    Once the recording has ended, and in other threads, it is what its value is.
    """

    __slots__ = ("__weakref__", "slot", "tape", "value")

    def __init__(self, value: Any, slot: int, tape: Tape) -> None:
        self.value, self.slot, self.tape = value, slot, tape

    # --- what a program knows before it runs ----------------------------------------------------

    @property
    def stands_for(self) -> type:
        """The kind of array, or number, that the value is."""
        return type(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return np.shape(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries; of a Python number the one that NumPy would give it."""
        return self.tape.values[self.slot].dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        """The number of entries."""
        return np.size(self.value)

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
        if any(_is_foreign(x) for x in inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        written = tuple(x for x in kwargs.get("out", ()) if x is not None)
        if method == "at":
            written = inputs[:1]
        return call(function, inputs, kwargs, written)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if any(hasattr(kind, "_one_by_one") for kind in types):
            return NotImplemented
        name = f"np.{function.__name__}"
        if function in _STATIC or current() is None:
            values = map_parts(plainly, (args, kwargs))
            return function(*values[0], **values[1])
        if function in _REFUSED:
            refuse(f"the shape of what {name} gives depends on values", "use np.where and masks")
        if function in _SHOWN:
            refuse("a value is printed or stored inside the function", "return it")
        if function in _MAKERS:
            return self._made(_MAKERS[function], *args[1:], **kwargs)
        if function is np.full_like:
            return self._made(*args[1:], **kwargs)
        out = kwargs.get("out")
        written = args[:1] if function in _WRITERS else () if out is None else (out,)
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
        if name in ("item", "tolist", "tobytes", "tofile", "dump", "dumps", "data", "ctypes"):
            refuse(f"{name} takes a value out of the program", "return the array instead")
        method = getattr(np.ndarray, name)
        if not callable(method):
            return getattr(np.asarray(self.value), name)
        written = (self,) if name in _WRITING_METHODS else ()
        return lambda *args, **kwargs: call(method, (self, *args), kwargs, written)

    def _reduce(
        self, ufunc: np.ufunc, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any
    ) -> Any:
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
    def mT(self) -> Any:  # noqa: N802
        """The last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def astype(self, dtype: Any, copy: bool = True, **options: Any) -> Any:
        """Give the entries in another dtype; itself where nothing is to be done."""
        if not copy and self.dtype == dtype:
            return self
        return call(np.ndarray.astype, (self, np.dtype(dtype)), options)

    def copy(self, order: str = "C") -> Any:
        """Give an array of its own."""
        if not isinstance(self.value, np.ndarray):
            return call(np.array, (self,), {})
        return call(np.ndarray.copy, (self, order), {})

    def __pow__(self, exponent: Any) -> Any:
        # As NumPy's own arrays do it.
        known = type(exponent) in (int, float) and self.dtype.kind == "f"
        if known and exponent in _POWERS and isinstance(self.value, np.ndarray):
            return _POWERS[exponent](self)
        return super().__pow__(exponent)

    def __getitem__(self, index: Any) -> Any:
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
        return bool(
            self._known("a decision hangs on a value", "np.where takes both ways, entry by entry")
        )

    def __float__(self) -> float:
        return float(self._known("float() takes a value out of the program", "return it instead"))

    def __int__(self) -> int:
        return int(self._known("int() takes a value out of the program", "return it instead"))

    def __index__(self) -> int:
        return operator.index(self._known("a value is used as an index or a size", "give an int"))

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

    __hash__ = None  # type: ignore[assignment]  # as an array's


def _is_foreign(x: Any) -> bool:
    """Tell an operand that has its own way with NumPy's functions, as tensors and batches do."""
    return not isinstance(x, Recorder | np.ndarray) and hasattr(x, "__array_ufunc__") and not (
        isinstance(x, np.generic)
    )
