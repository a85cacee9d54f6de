"""A stand-in for CuPy where there is no GPU: an array type over NumPy that refuses what CuPy does.

It knows the functions that CuPy has, and their parameters, and no others; it mixes with no array
of NumPy's; results of no axes are arrays, those of several arrays are tuples without names; and it
counts what goes to the host. `modules` is what `import cupy` and its like then find.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn, Self

import cupy_names
import numpy as np
import strict_kernel
from numpy.lib.mixins import NDArrayOperatorsMixin

_SCALARS = bool | int | float | complex | np.generic
UFUNCS = frozenset(cupy_names.UFUNCS.split())
_PARAMETERS = {
    name: parameters.rstrip(")").split(", ")
    for name, _, parameters in (
        line.partition("(") for line in cupy_names.FUNCTIONS.split("\n") if line
    )
}
# They take what lies on the host.
_UPLOADS = {"array", "asarray", "asanyarray"}
# They say something of an array's shape or dtype.
_STATIC = {"shape", "ndim", "size", "result_type", "can_cast", "common_type", "iscomplexobj"}
# How large their results are, the host has to know.
_SIZED_BY_VALUES = {
    "nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "bincount", "repeat",
    "unique_all", "unique_counts", "unique_inverse", "unique_values", "array2string",
}  # fmt: skip
_AXES = {"axis", "axes", "source", "destination", "shift"}

transfers = 0  # to the host


def _transfer() -> None:
    global transfers  # noqa: PLW0603  (a count)
    transfers += 1


class _Device:
    """One of two GPUs, on which arrays are made while it is entered."""

    current = 0

    def __init__(self, index: int | None = None) -> None:
        self.id = self.current if index is None else index

    def __enter__(self) -> Self:
        self._before, _Device.current = self.current, self.id
        return self

    def __exit__(self, *_: object) -> None:
        _Device.current = self._before

    def synchronize(self) -> None:
        pass


class ndarray(NDArrayOperatorsMixin):  # noqa: N801  (CuPy's name, and its methods)
    """An array "on the GPU", whose entries are in `_host`."""

    __slots__ = ("__weakref__", "_host", "base", "device")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: Any, base: Any = None) -> None:
        host = np.asarray(host)
        if host.dtype.kind not in "biufc" or host.dtype.char in "gG":
            raise ValueError(f"Unsupported dtype {host.dtype}")
        self._host, self.base = host, base
        self.device = _Device() if base is None else base.device

    # --- what the host knows of it ----------------------------------------------------------------

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    data = property(lambda self: SimpleNamespace(ptr=self._host.__array_interface__["data"][0]))
    T = property(lambda self: self._view(self._host.T))
    mT = property(lambda self: self._view(self._host.mT))  # noqa: N815
    real = property(lambda self: self._view(self._host.real))
    imag = property(lambda self: self._view(self._host.imag))

    @property
    def flags(self) -> Any:
        flags = self._host.flags
        names = ("c_contiguous", "f_contiguous", "owndata", "fnc", "forc")
        return SimpleNamespace(**{name: getattr(flags, name) for name in names})

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def _view(self, host: Any) -> ndarray:
        return ndarray(host, _root(self))

    # --- transfers --------------------------------------------------------------------------------

    def get(self, stream: Any = None, order: str = "C", out: Any = None) -> Any:
        del stream, out
        _transfer()
        return self._host.copy(order)

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def tobytes(self) -> bytes:
        return bytes(self.get().tobytes())

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def __reduce__(self) -> Any:
        return asarray, (self.get(),)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __dlpack__(self, **_: Any) -> Any:
        return self._host.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0  # CUDA, the first GPU

    # --- copies -----------------------------------------------------------------------------------

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        return self.copy()

    def copy(self, order: str = "C") -> ndarray:
        return ndarray(self._host.copy(order))

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: Any = None,
        subok: Any = None,
        copy: bool = True,
    ) -> ndarray:
        del casting, subok
        if not copy and self.dtype == dtype:
            return self
        with np.errstate(all="ignore"):
            return ndarray(self._host.astype(dtype, order))

    def view(self, dtype: Any = None) -> ndarray:
        return self._view(self._host.view() if dtype is None else self._host.view(dtype))

    def set(self, values: Any) -> None:
        """Copy from the host."""
        self._host[...] = values

    # --- entries ----------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> ndarray:
        picked = self._host[_index(index, self.shape)]
        own = isinstance(picked, np.generic) or picked.base is None
        return ndarray(picked) if own else self._view(picked)

    def __setitem__(self, index: Any, values: Any) -> None:
        if isinstance(values, list | tuple) or (np.ndim(_host(values)) and _is_numpys(values)):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        self._host[_index(index, self.shape)] = _host(values)

    def fill(self, value: Any) -> None:
        self[...] = value

    def scatter_add(self, index: Any, values: Any) -> None:
        """Add, where an index comes several times."""
        _refuse_numpys((values,))
        np.add.at(self._host, _index(index, self.shape), _host(values))

    # --- NumPy's functions ------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in UFUNCS | {"matmul"}:
            return NotImplemented
        (out,) = kwargs.pop("out", (None,))
        comparison = ufunc in (
            np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
        )  # fmt: skip
        for x in (*inputs, *([] if out is None else [out])):
            if comparison and isinstance(x, np.ndarray) and not x.ndim:
                continue
            if isinstance(x, np.ndarray):
                raise TypeError("Unsupported type <class 'numpy.ndarray'>")
            if not isinstance(x, ndarray | _SCALARS):
                return NotImplemented
        if kwargs.keys() - {"dtype", "casting"}:
            raise TypeError(f"Wrong arguments {kwargs}")
        if out is not None:
            kwargs["out"] = out._host
        with np.errstate(all="ignore"):  # a GPU warns of nothing
            result = ufunc(*map(_host, inputs), **kwargs)
        return out if out is not None else _wrapped(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(cls, ndarray | np.ndarray) for cls in types):
            return NotImplemented
        module = function.__module__.partition(".")[2].removesuffix("._stride_tricks_impl")
        name = f"{module}.{function.__name__}".lstrip(".")
        if name not in _PARAMETERS.keys() | UFUNCS:
            return NotImplemented
        return _call(name, function, args, kwargs)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _METHODS:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        return lambda *args, **kwargs: _method(name, self, args, kwargs)


ndarray.__module__ = "cupy"
_METHODS = {
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip", "compress",
    "conj", "conjugate", "cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min",
    "nonzero", "partition", "prod", "ptp", "put", "ravel", "repeat", "reshape", "round",
    "searchsorted", "sort", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose",
    "var",
}  # fmt: skip


def _host(x: Any) -> Any:
    """Give the same nesting with the entries of arrays in their place."""
    if isinstance(x, ndarray):
        return x._host
    if isinstance(x, list | tuple):
        return type(x)([_host(part) for part in x])
    return x


def _root(x: ndarray) -> ndarray:
    return x if x.base is None else x.base


def _is_numpys(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def _refuse_numpys(tree: Any) -> None:
    if isinstance(tree, list | tuple):
        for part in tree:
            _refuse_numpys(part)
    elif _is_numpys(tree):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")


def _index(index: Any, shape: tuple[int, ...]) -> Any:
    """Take an index, which may be NumPy's, to the host; of how many a mask picks, it is told.

    Arrays of numbers beyond the ends go round, and raise nothing.
    """
    parts = list(_host(index)) if isinstance(index, tuple) else [_host(index)]
    named = sum(_axes_of(part) for part in parts)
    axis = 0
    for i, part in enumerate(parts):
        if getattr(part, "dtype", None) == np.bool_ and part.ndim:
            _transfer()
        elif isinstance(part, list | np.ndarray) and np.ndim(part):
            array = np.asarray(part)
            if array.size and array.dtype.kind not in "iub":
                raise IndexError("arrays used as indices must be of integer or boolean type.")
            if array.dtype.kind in "iu" and axis < len(shape) and shape[axis]:
                parts[i] = array % shape[axis]
        axis += len(shape) - named if part is Ellipsis else _axes_of(part)
    return tuple(parts) if isinstance(index, tuple) else parts[0]


def _axes_of(part: Any) -> int:
    """Say how many axes a part of an index stands for."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if getattr(part, "dtype", None) == np.bool_ else 1


def _wrapped(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic | bool):
        return ndarray(result)
    if isinstance(result, list | tuple):
        parts = [_wrapped(part) for part in result]
        return parts if isinstance(result, list) else tuple(parts)
    return result


def _call(name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """Call NumPy's function in the place of CuPy's."""
    _check(name, args, kwargs)
    if name.rpartition(".")[2] in _SIZED_BY_VALUES or (name == "where" and len(args) == 1):
        _transfer()
    with np.errstate(all="ignore"):
        result = function(*_host(args), **{key: _host(x) for key, x in kwargs.items()})
    if kwargs.get("out") is not None:
        return kwargs["out"]
    if name in _STATIC:
        return result
    if name.startswith("linalg.") and isinstance(result, tuple):
        result = tuple(result)
    wrapped = _wrapped(result)
    if isinstance(wrapped, ndarray) and isinstance(args[0] if args else None, ndarray):
        shared = np.shares_memory(wrapped._host, args[0]._host)
        wrapped.base = _root(args[0]) if shared else None
    return wrapped


def _method(name: str, x: ndarray, args: Any, kwargs: Any) -> Any:
    _refuse_numpys(args)
    _refuse_lists(kwargs)
    if name in ("transpose", "max", "sum", "mean") and any(isinstance(x, list) for x in args):
        raise TypeError(f"{name}: an axis is a number or a tuple of numbers")
    if "where" in kwargs or "initial" in kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument")
    if name in _SIZED_BY_VALUES:
        _transfer()
    with np.errstate(all="ignore"):
        result = getattr(x._host, name)(
            *_host(args), **{key: _host(value) for key, value in kwargs.items()}
        )
    if kwargs.get("out") is not None:
        return kwargs["out"]
    wrapped = _wrapped(result)
    if isinstance(wrapped, ndarray) and np.shares_memory(wrapped._host, x._host):
        wrapped.base = _root(x)
    return wrapped


def _check(name: str, args: Any, kwargs: Any) -> None:
    """Raise TypeError for arguments that CuPy's function has no parameter for."""
    known = _PARAMETERS.get(name, ["*", "out", "dtype"])
    if kwargs.keys() - known and "**" not in known:
        raise TypeError(f"{name}() got an unexpected keyword argument {kwargs.keys() - known}")
    if "*" not in known and len(args) > len(known):
        raise TypeError(f"{name}() takes {len(known)} positional arguments")
    if name not in _UPLOADS:
        _refuse_numpys(args)
        _refuse_numpys(list(kwargs.values()))
    given = {**kwargs} if "*" in known else {**dict(zip(known, args, strict=False)), **kwargs}
    _refuse_lists(given)
    if given.get("kind") not in (None, "stable"):
        raise ValueError(f"{name}: kind={given['kind']!r} is not supported")
    methods = ("linear", "lower", "higher", "midpoint", "nearest")
    if name.endswith(("quantile", "percentile")) and given.get("method", "linear") not in methods:
        raise ValueError(f"'{given['method']}' method is not yet supported.")


def _refuse_lists(given: dict[str, Any]) -> None:
    for axis in _AXES & given.keys():
        if isinstance(given[axis], list):
            raise TypeError(f"{axis}: an axis is a number or a tuple of numbers, got a list")


# --- the modules ----------------------------------------------------------------------------------


def asarray(a: Any, dtype: Any = None, order: Any = None, copy: Any = None) -> ndarray:
    """Make an array of what lies on either side."""
    del copy
    if isinstance(a, ndarray) and dtype in (None, a.dtype) and a.device.id == _Device.current:
        return a
    return ndarray(np.array(_host(a), dtype, order=order or "K"))


def array(obj: Any, dtype: Any = None) -> ndarray:
    return ndarray(np.array(_host(obj), dtype))


class _OnHost:
    """What NumPy takes to be on the host, so that it makes an array of the same memory."""

    def __init__(self, other: Any) -> None:
        self.other = other

    def __dlpack__(self, **_: Any) -> Any:
        return self.other.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def from_dlpack(other: Any) -> ndarray:
    return ndarray(np.from_dlpack(_OnHost(other)))


class Generator:
    """What CuPy's generator has, by NumPy's numbers."""

    _NAMES = (
        "beta", "binomial", "chisquare", "dirichlet", "exponential", "f", "gamma", "geometric",
        "integers", "poisson", "random", "standard_exponential", "standard_gamma",
        "standard_normal", "uniform",
    )  # fmt: skip

    def __init__(self, bit_generator: Any) -> None:
        self.numbers = np.random.default_rng(bit_generator)

    def __getattr__(self, name: str) -> Any:
        if name not in self._NAMES:
            raise AttributeError(f"'Generator' object has no attribute {name!r}")

        def draw(*args: Any, **kwargs: Any) -> ndarray:
            _refuse_numpys(args)
            return ndarray(getattr(self.numbers, name)(*_host(args), **kwargs))

        return draw


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = f"{sysconfig.get_path('purelib')}/{name.replace('.', '/')}/__init__.py"
    vars(module).update(contents)
    return module


def _of(names: str, home: str) -> dict[str, Any]:
    def function(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            _refuse_numpys(args)
            with np.errstate(all="ignore"):
                result = getattr(import_module(home), name)(*_host(args), **kwargs)
            return _wrapped(result)

        return _named(call, f"cupyx_{home.replace('.', '_')}_{name}")

    return {name: function(name) for name in names.split()}


def _named(function: Any, name: str) -> Any:
    function.__name__, function.__module__ = name, "cupy"
    return function


def _functions(module: str = "") -> dict[str, Any]:
    home = import_module(f"numpy.{module}".rstrip("."))

    def function(name: str) -> Any:
        short = name[len(module) :]
        call = lambda *args, **kwargs: _call(name, getattr(home, short), args, kwargs)  # noqa: E731
        return _named(call, short)

    names = (name for name in _PARAMETERS if name.rpartition(".")[0] == module.rstrip("."))
    return {
        name[len(module) :]: function(name) for name in names if hasattr(home, name[len(module) :])
    }


class ufunc:  # noqa: N801  (CuPy's name)
    """A function of entries, which takes CuPy's arrays and numbers."""

    def __init__(self, function: np.ufunc) -> None:
        self._function, self.__name__ = function, f"cupy_{function.__name__}"
        self.nin, self.nout = function.nin, function.nout

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if not self.nin <= len(args) <= self.nin + self.nout:
            raise TypeError(f"Wrong number of arguments for {self.__name__!r}")
        outs = args[self.nin :] or (out if isinstance(out, tuple) else (out,))
        inputs = [x.__cupy_get_ndarray__() if hasattr(x, "__cupy_get_ndarray__") else x
                  for x in args[: self.nin]]  # fmt: skip
        like = next((x for x in (*inputs, *outs) if isinstance(x, ndarray)), ndarray(0.0))
        result = like.__array_ufunc__(self._function, "__call__", *inputs, out=outs[:1], **kwargs)
        if result is NotImplemented:
            raise TypeError(f"{self.__name__}: Unsupported type")
        return result


def scatter_add(a: ndarray, slices: Any, value: Any) -> None:
    a.scatter_add(slices, value)


def fuse(function: Any = None, kernel_name: str | None = None) -> Any:
    """Give the function, which CuPy would make one kernel of."""
    del kernel_name
    return (lambda f: f) if function is None else function


class ElementwiseKernel:
    """A kernel, whose text is checked and computed as its compiler would take it."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        *,
        options: tuple[str, ...] = (),
    ) -> None:
        if not all(isinstance(option, str) for option in options) or not name.isidentifier():
            raise ValueError(f"Invalid kernel name: {name!r}, or options: {options}")
        self._inputs, self._outputs = map(strict_kernel.parameters, (in_params, out_params))
        self.operation, self.name = operation, name

    def __call__(self, *args: Any) -> Any:
        n, total = len(self._inputs), len(self._inputs) + len(self._outputs)
        if len(args) not in (n, total):
            raise TypeError(
                f"Wrong number of arguments for {self.name!r}. It must be either {n} or {total} "
                f"(with outputs), but given {len(args)}."
            )
        given: dict[str, Any] = {}
        for (name, dtype), x in zip((*self._inputs, *self._outputs), args, strict=False):
            if not isinstance(x, ndarray | _SCALARS):
                raise TypeError(f"Unsupported type {type(x)}")
            if isinstance(x, ndarray) and x.dtype != dtype:
                raise TypeError(f"Type is mismatched. {name} {x.dtype} {dtype}")
            given[name] = x._host if isinstance(x, ndarray) else np.asarray(x, dtype)
        shapes = [x.shape for x in args if isinstance(x, ndarray)]
        if not shapes:
            raise ValueError("Loop size is undecided.")
        shape = np.broadcast_shapes(*shapes)
        if len(args) == n:
            given |= {name: np.empty(shape, dtype) for name, dtype in self._outputs}
        for name, _ in self._outputs:
            if given[name].shape != shape:
                raise ValueError("Out shape is mismatched")
        computed = strict_kernel.compute(self.operation, given, [x for x, _ in self._outputs])
        for name, value in computed.items():
            given[name][...] = value
        outs = args[n:] or [ndarray(given[name]) for name, _ in self._outputs]
        return outs[0] if len(outs) == 1 else tuple(outs)


_cuda = _module(
    "cupy.cuda",
    is_available=lambda: True,
    runtime=SimpleNamespace(getDeviceCount=lambda: 2),
    Device=_Device,
    get_current_stream=lambda: SimpleNamespace(synchronize=lambda: None),
)
_cupy = _module(
    "cupy",
    **{
        **_functions(),
        **{name: ufunc(getattr(np, name)) for name in UFUNCS
           if isinstance(getattr(np, name, None), np.ufunc)},
        "linalg": _module("cupy.linalg", **_functions("linalg.")),
        "fft": _module("cupy.fft", **_functions("fft.")),
        "ufunc": ufunc, "ElementwiseKernel": ElementwiseKernel,
        "ndarray": ndarray, "asarray": asarray, "array": array, "fuse": fuse,
        "from_dlpack": from_dlpack, "cuda": _cuda, "asnumpy": lambda x: x.get(),
        "random": SimpleNamespace(Generator=Generator, XORWOW=lambda seed: seed),
    },
)  # fmt: skip
# By their names: what `sys.modules` has where CuPy is installed.
modules = {
    "cupy": _cupy,
    "cupy.cuda": _cuda,
    "cupyx": _module("cupyx", scatter_add=scatter_add),
    "cupyx.scipy": _module("cupyx.scipy"),
    "cupyx.scipy.special": _module(
        "cupyx.scipy.special", **_of(cupy_names.SPECIAL, "scipy.special")
    ),
    "cupyx.scipy.linalg": _module("cupyx.scipy.linalg", **_of(cupy_names.LINALG, "scipy.linalg")),
}
