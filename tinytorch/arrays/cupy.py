"""CuPy's arrays, on a GPU: NumPy's functions compute there, and nothing comes back unasked.

What CuPy lacks, or does in other words, is said here. It mixes with no array of NumPy's: what an
operation makes for itself goes over to the GPU (`own`), what the user gives has to be there.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.kind import Kind, register
from tinytorch.arrays.operators import call
from tinytorch.arrays.plain import PLAIN, PlainArray, base, wrapped
from tinytorch.arrays.user_lines import current, refuse
from tinytorch.devices import device


def _cupy() -> Any:
    return import_module("cupy")


def _uploaded(array: Any) -> Any:
    asarray = _cupy().asarray
    return asarray(array) if current() is None else call(asarray, (array,), {})


_SAID = "CuPy cannot do this to its arrays"


class CupyKind(Kind):
    """Arrays on a GPU."""

    name = "CuPy"
    to_numpy = "its get()"

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Any, type[Exception]]] = {}  # by their messages

    @property
    def namespace(self) -> Any:
        """The module whose functions make arrays."""
        return _cupy()

    def accept(self, array: Any) -> Any:
        """Give CuPy's own array."""
        return base(array)

    def plain(self, array: Any) -> Any:
        """Give whole numbers and truth values the methods that PyTorch's have."""
        known = type(array) is PlainCupy or array.dtype.kind not in "biu"
        return array if known else PlainCupy(array)

    def like(self, values: Any, array: Any) -> Any:
        """Give `values` on the GPU."""
        return self.own(values, array)

    def numpy(self, array: Any) -> Any:
        """Bring the values back. Raises what has been found wrong since this was last done."""
        checks, self._checks = self._checks, {}
        for message, (fine, error) in checks.items():
            if not fine:
                raise error(f"{message}, got others on the way to this value")
        return base(array).get()

    def check(self, fine: Any, values: Any, error: type[Exception], message: str) -> None:
        """Note whether all are fine, without waiting for it."""
        del values
        known, _ = self._checks.get(message, (True, error))
        self._checks[message] = fine.all() & known, error

    def operands(self, op: object, arrays: Sequence[Any]) -> list[Any]:
        """Take arrays of no axes over; refuse others that are on the CPU."""
        return [self._operand(op, x, arrays) for x in arrays]

    def _operand(self, op: object, x: Any, arrays: Sequence[Any]) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        if x.ndim:
            there = next(y for y in arrays if isinstance(y, _cupy().ndarray))
            raise TypeError(
                f"{op} of a NumPy array of shape {x.shape} and a CuPy array of shape "
                f"{there.shape}: both are on the CPU, or both on the GPU; x.cuda() and x.cpu() "
                "take a tensor over, cupy.asarray(x) an array"
            )
        return _uploaded(x)

    def own(self, array: Any, like: Any) -> Any:
        """Take the array over to the GPU."""
        del like
        return _uploaded(array) if isinstance(array, np.ndarray) else array

    def device(self, array: Any) -> device:
        """Say on which GPU the entries are."""
        return device("cuda", base(array).device.id)

    def placed(self, array: Any, index: int | None) -> Any:
        """Give the array on that GPU, or without an index on the current one.

        Refuses another one than that in a program.
        """
        here, there = _cupy().cuda.Device(), _cupy().cuda.Device(index)
        if current() is not None and there.id != here.id:
            refuse("an array goes to another GPU", "compile what is done on each")
        with there:
            return _uploaded(array)

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call `function`. Raises TypeError for what CuPy can't do."""
        try:
            return function(*arrays, **parameters)
        except (TypeError, AttributeError, NotImplementedError) as error:
            if _SAID in str(error) or str(error).startswith("compile: "):
                raise  # by what is computed inside
            raise self._refused(op, error) from error

    def _refused(self, op: object, error: Exception) -> Exception:
        reason = str(error).strip().partition("\n")[0]
        return TypeError(
            f"{op}: {_SAID} ({reason}). On NumPy arrays, which x.cpu() gives, it works"
        )

    def accumulate(self, ufunc: np.ufunc, array: Any, axis: int) -> Any:
        """Let each entry take in the one before it, then the two before those, then the four.

        CuPy accumulates sums and products only. (W. D. Hillis and G. L. Steele, "Data parallel
        algorithms", 1986.)
        """
        out = np.moveaxis(array.copy(), axis, -1)
        step = 1
        while step < out.shape[-1]:
            out[..., step:] = ufunc(out[..., :-step], out[..., step:])
            step *= 2
        return np.moveaxis(out, -1, axis)

    def multi_dot(self, matrices: Sequence[Any]) -> Any:
        """Give the product of all the matrices, in a good order, if not always the best one."""
        letters = string.ascii_letters
        terms = ",".join(letters[i : i + 2] for i in range(len(matrices)))
        return np.einsum(f"{terms}->a{letters[len(matrices)]}", *matrices, optimize=True)

    def pinv(self, array: Any, hermitian: bool = False, **parameters: Any) -> Any:
        """Give the pseudo-inverse; of a Hermitian matrix by its eigenvalues."""
        if not hermitian or not array.size:
            return np.linalg.pinv(array, **parameters)
        values, vectors = np.linalg.eigh(array)
        size = np.abs(values)
        small = size <= (parameters.get("rcond", 1e-15) * size.max(axis=-1))[..., None]
        inverse = np.where(small, 0, 1 / np.where(small, 1, values))
        return (vectors * inverse[..., None, :]) @ np.conj(np.swapaxes(vectors, -1, -2))

    def add_at(self, out: Any, index: Any, part: Any) -> None:
        """Do `out[index] += part`, but add up what goes to the same entry."""
        out.scatter_add(index, part)

    def draws(self, rng: np.random.Generator) -> Any:
        """Give CuPy's generator with a seed that `rng` draws: once, if it is the library's own."""
        known = getattr(rng, "on_gpu", None)
        if known is None:
            known = _cupy().random.Generator(_cupy().random.XORWOW(int(rng.integers(2**63))))
            if hasattr(rng, "on_gpu"):
                rng.on_gpu = known
        return known

    def scipy(self, module: str, name: str) -> Callable[..., Any]:
        """Give CuPy's function of that name. Raises TypeError where it has none."""
        try:
            function: Callable[..., Any] = getattr(import_module(f"cupyx.scipy.{module}"), name)
        except AttributeError:
            raise TypeError(f"cupyx.scipy.{module} has no {name}") from None
        return function


KIND = CupyKind()


def drawn(rng: np.random.Generator, name: str, *args: Any, **options: Any) -> Any:
    """Draw random numbers on the GPU, from CuPy's generator that has its seed from `rng`."""
    return getattr(KIND.draws(rng), name)(*args, **options)


class PlainCupy(NDArrayOperatorsMixin):
    """What `PlainArray` is to NumPy's arrays: labels, indices, counts or truth values on a GPU."""

    __slots__ = ("_value",)
    requires_grad = False

    def __init__(self, array: Any) -> None:
        self._value = array

    # --- the protocols of arrays --------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        kwargs = {key: tuple(map(base, x)) if key == "out" else x for key, x in kwargs.items()}
        return wrapped(getattr(ufunc, method)(*map(base, inputs), **kwargs))

    __array_function__ = PlainArray.__array_function__

    @property
    def __cuda_array_interface__(self) -> Any:
        return self._value.__cuda_array_interface__

    # --- entries ------------------------------------------------------------------------------

    __getitem__, __setitem__ = PlainArray.__getitem__, PlainArray.__setitem__
    __iter__ = PlainArray.__iter__

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.numpy())

    def __hash__(self) -> int:
        return hash(self.item())

    def item(self) -> Any:
        """Give the only entry as a number of Python's."""
        return self.numpy().item()

    def tolist(self) -> Any:
        """Give the values as nested lists."""
        return self.numpy().tolist()

    # --- what else there is -------------------------------------------------------------------

    def numpy(self) -> Any:
        """Bring the values back."""
        return KIND.numpy(self._value)

    def __getattr__(self, name: str) -> Any:
        method = inspect.getattr_static(PlainArray, name, None)
        if method is None or method is inspect.getattr_static(np.ndarray, name, None):
            return getattr(self._value, name)  # what CuPy's have, too
        return method.__get__(self, type(self)) if hasattr(method, "__get__") else method

    def __repr__(self) -> str:
        return repr(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(self.numpy() if self.ndim else self.item(), spec)

    def __reduce__(self) -> Any:
        return PlainCupy, (self._value,)


PLAIN.add(PlainCupy)
register(PlainCupy, KIND)
