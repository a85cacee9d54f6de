"""The recorder of an array on a GPU: CuPy makes the calls, written down in NumPy's words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.cupy import KIND, CupyKind, drawn
from tinytorch.arrays.kind import register
from tinytorch.arrays.operators import call
from tinytorch.arrays.parts import ARRAYS, ATOMS
from tinytorch.arrays.places import in_places, written
from tinytorch.arrays.recorder import Recorder
from tinytorch.arrays.user_lines import current, refuse

cupy: Any = import_module("cupy")
cupyx: Any = import_module("cupyx")


# With `like=` they make arrays there.
_MAKERS = (
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.zeros, np.ones, np.empty, np.full,
    np.arange, np.eye, np.identity, np.tri,
)  # fmt: skip


class CupyRecorder(Recorder):
    """A recorder that holds a CuPy array."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What `isinstance` takes it for."""
        return type(self.value)

    def __cupy_get_ndarray__(self) -> Any:
        """Refuse: CuPy asks for its own array, of which nothing is written down."""
        return self._known(
            "a recorded value is given to a function of CuPy's", "write np.exp(x) for cupy.exp(x)"
        )

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _MAKERS:
            return super().__array_function__(function, types, args, kwargs)
        if function is np.asarray and type(args[0]) is CupyRecorder:
            x, dtype = args[0], dict(zip(("", "dtype"), args, strict=False), **kwargs).get("dtype")
            return x if dtype is None else x.astype(dtype, copy=False)
        return call(getattr(cupy, function.__name__), args, kwargs)

    def _made(
        self, fill_value: Any, dtype: Any = None, *_order: Any, shape: Any = None, **_: Any
    ) -> Any:
        shape = self.shape if shape is None else shape
        return call(cupy.full, (shape, fill_value, np.dtype(dtype or self.dtype)), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(self.value, name):
            raise AttributeError(f"a CuPy array has no attribute {name!r}")
        if current() is None:
            return getattr(self.value, name)
        if name in ("get", "item", "tolist", "tobytes"):
            refuse(f"{name} takes a value out of the program", "return the array instead")
        if name in ("real", "imag"):
            return call(getattr(np, name), (self,), {})
        method = getattr(np.ndarray, name, None)
        if not callable(method):
            return getattr(self.value, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = in_places(method, (self, *args), kwargs)
            return call(method, args, kwargs, written(method, args, kwargs))

        return called


class _Draws:
    """CuPy's generator, whose draws are written down."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: call(drawn, (self._rng, name, *args), options)


class _CupyRecorderKind(CupyKind):
    """Recorders on a GPU: what CuPy does in words of its own is written down, too."""

    name = "recorded CuPy"

    def plain(self, array: Any) -> Any:
        """Give the recorder, which has an array's methods."""
        return array

    def numpy(self, array: Any) -> Any:
        """Refuse: a value would leave the program."""
        if current() is None:
            return KIND.numpy(array.value)
        return refuse("a value is taken to the CPU", "return it, and take it there afterwards")

    def device(self, array: Any) -> Any:
        """Say on which GPU the entries are."""
        return KIND.device(array.value)

    def add_at(self, out: Any, index: Any, part: Any) -> None:
        """Do `out[index] += part`, but add up what goes to the same entry."""
        call(cupyx.scatter_add, (out, index, part), {}, (out,))

    def draws(self, rng: np.random.Generator) -> Any:
        """Give what draws on the GPU, and writes it down."""
        return _Draws(getattr(rng, "original", rng))

    def scipy(self, module: str, name: str) -> Callable[..., Any]:
        """Give CuPy's function of that name, whose calls are written down."""
        function = super().scipy(module, name)
        return lambda *args, **options: call(function, args, options)


ARRAYS.add(cupy.ndarray)
ATOMS.update((CupyRecorder, cupy.ndarray))
register(CupyRecorder, _CupyRecorderKind())
