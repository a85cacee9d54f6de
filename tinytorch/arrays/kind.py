"""What is asked of a kind of array that a tensor holds, with the answers of NumPy's own.

The rest of the library computes with NumPy's functions, which any array with NumPy's protocols
takes. Where a kind needs something else, it says so in a subclass of `Kind`, in a file beside this
one, which is imported when the first of its arrays comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.scattered import add_at
from tinytorch.arrays.warned import at_users_line
from tinytorch.devices import device, gpu

NUMBERS = frozenset({float, int, bool})


class Kind:
    """The arrays of one library. This one is NumPy's, and does for whatever nobody else claims."""

    name = "NumPy"
    to_numpy = ""  # what to write for an array of NumPy's
    plans = False  # does it write down what to compute, and so keep nothing in between?
    makes_blocks = False  # does it take loops over examples in blocks of its own?
    takes_batches = True  # are gradients of many seeds computed in one sweep, as a batch?

    def accept(self, array: Any) -> Any:
        """Give the array as a tensor may hold it. Raises TypeError or ValueError for others."""
        if isinstance(array, np.matrix | np.ma.MaskedArray):
            name, way = type(array).__name__, "np.asarray(m) gives a plain array"
            if isinstance(array, np.ma.MaskedArray):
                way = "m.filled(0) gives a plain array"
            raise TypeError(f"a {name} computes by rules of its own; {way}")
        if isinstance(array, np.ndarray):
            array = array.view(np.ndarray)
            if not array.dtype.isnative:
                array = array.astype(array.dtype.newbyteorder("="))
        return array

    def like(self, values: Any, array: Any) -> Any:
        """Give `values`, of the shape of `array`, in an array of this kind, as `array` is.

        Raises TypeError where that would take more than it looks.
        """
        del array
        kind = kind_of(values)
        if kind.to_numpy and kind is not self:
            raise TypeError(
                f"expected a {self.name} array, got a {kind.name} array; {kind.to_numpy} gives one"
            )
        return values

    def known(self, array: Any) -> Any:
        """Give the values as a NumPy array if they are at hand, else the array itself."""
        return array

    def numpy(self, array: Any) -> Any:
        """Give the values as a NumPy array, whatever it costs."""
        return array

    def device(self, array: Any) -> device:
        """Say where the entries are."""
        del array
        return device("cpu")

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call one of NumPy's functions; `op` says for messages which operation it is."""
        del op
        return function(*arrays, **parameters)

    def operands(self, op: object, arrays: Sequence[Any]) -> list[Any]:
        """Give an operation's operands, one of which is of this kind, as it computes with them.

        Raises TypeError for one that it doesn't mix with; `op` says for the message which operation
        it is.
        """
        del op
        return list(arrays)

    def plain(self, array: Any) -> Any:
        """Give whole numbers and truth values the methods that PyTorch's have."""
        return array

    def check(self, fine: Any, values: Any, error: type[Exception], message: str) -> None:
        """Raise `error`, which names the first of the `values` that is not `fine`."""
        if not fine.all():
            raise error(f"{message}, got {np.broadcast_to(values, fine.shape)[~fine][0]}")

    def most(self, array: Any) -> int:
        """Give the largest of whole numbers, of any example."""
        return int(array.max())

    def own(self, array: Any, like: Any) -> Any:
        """Give what NumPy has made, an identity say, as what computes with `like`."""
        del like
        return array

    def accumulate(self, ufunc: np.ufunc, array: Any, axis: int) -> Any:
        """Give `ufunc.accumulate(array, axis)`."""
        return ufunc.accumulate(array, axis=axis)

    def multi_dot(self, matrices: Sequence[Any]) -> Any:
        """Give the product of all the matrices."""
        return np.linalg.multi_dot(matrices)

    def pinv(self, array: Any, **parameters: Any) -> Any:
        """Give `np.linalg.pinv(array, **parameters)`."""
        return np.linalg.pinv(array, **parameters)

    def scipy(self, module: str, name: str) -> Callable[..., Any]:
        """Give SciPy's function of that name, for arrays of this kind."""
        try:
            function: Callable[..., Any] = getattr(import_module(f"scipy.{module}"), name)
        except ImportError:
            raise ModuleNotFoundError(
                f'{name} needs SciPy: pip install "tinytorch[scipy]"'
            ) from None
        return function

    def draws(self, rng: np.random.Generator) -> Any:
        """Give what draws `random(shape, dtype)` and `standard_normal` where the arrays are."""
        return rng

    def broadcast_to(self, array: Any, shape: tuple[int, ...], like: Any) -> Any:
        """Repeat the entries to fill `shape`; `like` is an array of that shape, or None."""
        del like
        return np.broadcast_to(array, shape)

    def pick(self, x: Any, index: Any) -> Any:
        """Give x[index]."""
        try:
            return x[index]
        except TypeError:
            if (kind := kind_of(*index if isinstance(index, tuple) else [index])) is self:
                raise
            return kind.pick(x, index)

    def scatter(self, x: Any, index: Any, shape: tuple[int, ...]) -> Any:
        """Add the entries of x up in zeros of `shape`, each where `index` picks from."""
        kind = kind_of(*index if isinstance(index, tuple) else [index])
        if kind not in (self, NUMPY):
            return kind.scatter(x, index, shape)
        out = np.zeros_like(x, shape=shape)
        self.add_at(out, index, x)
        return out

    def add_at(self, out: Any, index: Any, part: Any) -> None:
        """Do `out[index] += part`, but add up what goes to the same entry."""
        add_at(out, index, part)

    def way_back(self, nodes: Sequence[Any], grads: Any, step: Callable[..., None]) -> None:
        """Take the way back: `step(nodes)` pulls the gradients in `grads` through some of them."""
        del grads
        step(nodes)

    def check_grads(self, grads: Any) -> None:
        """Raise RuntimeError where a gradient is of a kind that its tensor's `.grad` can't be."""

    def settle(self, arrays: Sequence[Any], likes: Sequence[Any]) -> list[Any]:
        """Give results of this kind, each in the kind of its counterpart in `likes`."""
        del likes
        return list(arrays)

    def text(self, array: Any) -> str:
        """Write the values as `repr` shows them."""
        return np.array2string(np.asarray(self.numpy(array)), separator=", ", prefix="Tensor(")


NUMPY = Kind()
# What almost all operands are, so that nothing else is asked of them.
IN_MEMORY = NUMBERS | {np.ndarray}
_kinds: dict[type, Kind] = dict.fromkeys(IN_MEMORY, NUMPY)
# The library whose arrays they are, and the file that knows them.
_FILES = {"dask": "tinytorch.arrays.dask", "cupy": "tinytorch.arrays.cupy"}


def kind_of(*arrays: Any) -> Kind:
    """Say of what kind an array is; of several, the first that is not NumPy's."""
    for array in arrays:
        if type(array) is not np.ndarray:
            kind = _kinds.get(type(array)) or _kind_of_type(type(array))
            if kind is not NUMPY:
                return kind
    return NUMPY


def _kind_of_type(cls: type) -> Kind:
    file = _FILES.get(cls.__module__.partition(".")[0])
    is_array = file and hasattr(cls, "__array_function__")
    _kinds[cls] = import_module(file).KIND if file and is_array else NUMPY
    return _kinds[cls]


def evaluate(op: object, function: Callable[..., Any], *arrays: Any, **parameters: Any) -> Any:
    """Call one of NumPy's functions as the kind of the arrays does it; warn at the user's line."""
    return at_users_line(kind_of(*arrays).evaluate, op, function, arrays, parameters)


def register(cls: type, kind: Kind) -> None:
    """Say of what kind arrays of the type `cls` are."""
    _kinds[cls] = kind


def own(array: Any, like: Any) -> Any:
    """Give what NumPy has made as what computes with `like`, an array or a tensor."""
    like = getattr(like, "_value", like)
    return kind_of(like).own(array, like)


def at_hand(array: Any) -> Any:
    """Give the values as a NumPy array; a plan as it is."""
    kind = kind_of(array)
    return array if kind.plans else kind.numpy(array)


def placed(array: Any, place: Any) -> Any:
    """Give an array on a device, itself if it is there; None for a device is any.

    Raises TypeError for a Dask array that is to go to a GPU, RuntimeError where there is none.
    """
    if place is None:
        return array
    kind, place = kind_of(array), device(place)
    if place.type == "cpu":
        return array if kind.device(array).type == "cpu" else kind.numpy(array)
    if kind.plans:
        raise TypeError("a Dask array goes to a GPU by parts: array.map_blocks(cupy.asarray)")
    return gpu().placed(array, place.index)


def from_dlpack(data: Any) -> Any:
    """Give another library's array as NumPy's, or on a GPU CuPy's, in the same memory."""
    on_gpu = data.__dlpack_device__()[0] in _CUDA
    array: Any = gpu().namespace.from_dlpack(data) if on_gpu else np.from_dlpack(data)
    return array


_CUDA = (2, 13)  # DLPack's numbers of devices: a GPU's memory, and memory that a GPU manages
