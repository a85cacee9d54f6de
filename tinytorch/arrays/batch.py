"""A batch: arrays of one shape, to which NumPy's functions do what they do to one array.

`vmap` gives its function batches in the place of arrays: operations and their rules are in NumPy's
words, and a batch answers to those. It keeps its arrays along a last axis that it doesn't show,
where it disturbs neither broadcasting nor indexing; in memory that is mostly the first one, as in
any batch. Most functions do all arrays at once, here, in `batch_functions.py` and in
`batch_products.py`; what has no short cut is done to one array after the other.

Batches nest: the entries of one may be batches themselves, of a lower level. Each `vmap` has a
level of its own, higher than those around it, and to a function of several levels the arrays of
lower ones are single arrays.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinytorch.arrays.kind import NUMPY, kind_of, own
from tinytorch.arrays.places import in_places, parameters, written
from tinytorch.arrays.plain import PLAIN, PlainArray, base, bases
from tinytorch.engine import Array, Node
from tinytorch.trees import leaves, map_leaves

_NO_PLACE = (
    "inside vmap what is the same for all of a batch has no place for each one's values: "
    "np.broadcast_to(x, shape) and np.where(mask, x, y) make a place"
)
_next_level = count(1)

# Functions that have a short cut: it gets the level, then the arguments that have no default by
# their places, and all others by NumPy's names.
SHORT_CUTS: dict[Any, Callable[..., Any]] = {}


def new_level() -> int:
    """Give a level that is higher than all before."""
    return next(_next_level)


def is_batch(x: Any, level: int) -> bool:
    """Tell batches of this level from all that is the same for each of its arrays."""
    return type(x) is Batch and x.level == level


def level_of(tree: Any) -> int:
    """Give the highest level among the batches in a tree, 0 if there are none."""
    kind = type(tree)
    if isinstance(tree, Batch):
        return tree.level
    if kind is tuple or kind is list or kind is dict:
        return max(map(level_of, tree.values() if kind is dict else tree), default=0)
    return 0


def size_of(tree: Any, level: int) -> int:
    """Say how many arrays each batch of this level in a tree is made of."""
    (size,) = {x.stacked.shape[-1] for x in leaves(tree) if is_batch(x, level)}
    return int(size)


def in_front(array: Any, level: int) -> Batch:
    """Make a batch of what lies along the first axis."""
    return Batch(array.transpose(*range(1, array.ndim), 0), level)


def one_by_one(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` with the first of each batch, then with the second, and so on."""
    level = level_of((args, kwargs))

    def member(i: int) -> Any:
        def pick(_where: str, x: Any) -> Any:
            return x.stacked[..., i] if is_batch(x, level) else x

        args_i, kwargs_i = map_leaves(pick, "", (args, kwargs))
        return _called(function, args_i, kwargs_i)

    def together(_where: str, *results: Any) -> Any:
        if results[0] is None:
            return None
        shapes = {np.shape(x) for x in results}
        if len(shapes) > 1:
            raise ValueError(
                "the arrays of a batch have one shape, and here it depends on their values: "
                f"{' and '.join(map(str, sorted(shapes)))}"
            )
        return in_front(np.stack(results), level)

    return map_leaves(together, "", *map(member, range(size_of((args, kwargs), level))))


def _called(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call `function` by its short cut, if there are batches, wherever they are: NumPy sees few."""
    level = level_of((args, kwargs))
    if not level:
        return function(*args, **kwargs)
    args, kwargs = in_places(function, args, kwargs)
    if not all(x is None or is_batch(x, level) for x in leaves(written(function, args, kwargs))):
        raise TypeError(_NO_PLACE)
    if function not in SHORT_CUTS or kwargs.get("out") is not None:
        return one_by_one(function, *args, **kwargs)
    names, n = _arguments(function)
    if names and len(args) != n:
        kwargs = dict(zip(names, args, strict=False)) | kwargs
        args = [kwargs.pop(name) for name in names[:n]]
    return SHORT_CUTS[function](level, *args, **kwargs)


@functools.cache
def _arguments(function: Callable[..., Any]) -> tuple[list[str], int]:
    """Name the arguments of one of NumPy's functions, and count those that it needs.

    None are named if there are others that have places only.
    """
    known = parameters(function)
    needed = [x for x in known if x.kind < x.VAR_POSITIONAL and x.default is x.empty]
    placed = [x for x in known if x.kind in (x.POSITIONAL_ONLY, x.VAR_POSITIONAL)]
    names = [x.name for x in known] if {*placed} <= {*needed} else []
    return names, len(needed)


class Batch(NDArrayOperatorsMixin):
    """The arrays `stacked[..., 0]`, `stacked[..., 1]` and so on, at least one.

    >>> pair = Batch(np.array([[1.0, 10.0], [2.0, 20.0]]))
    >>> pair.shape, (pair * np.array([3.0, 5.0])).sum().stacked
    ((2,), array([ 13., 130.]))
    """

    def __init__(self, stacked: Array, level: int | None = None) -> None:
        self.stacked = stacked
        self.level = new_level() if level is None else level
        self.shape = stacked.shape[:-1]
        self.dtype = stacked.dtype

    @property
    def ndim(self) -> int:
        """The number of axes of each array."""
        return self.stacked.ndim - 1

    @property
    def size(self) -> int:
        """The number of entries of each array."""
        return math.prod(self.shape)

    @property
    def front(self) -> Any:
        """The arrays along a first axis."""
        ndim = self.stacked.ndim - 1
        return self.stacked.transpose(ndim, *range(ndim))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a batch of arrays of no axes")
        return int(self.shape[0])

    # --- NumPy's functions ------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Node) or type(x) in PLAIN - {PlainArray} for x in inputs):
            return NotImplemented  # a tensor computes with a batch as with any array
        outs, level = kwargs.get("out", ()), level_of((inputs, kwargs))
        if outs and not all(x is None or is_batch(x, level) for x in outs):
            # Of x *= batch for one array x: what is called x from then on is many.
            if kwargs.keys() > {"out"} or len(outs) > 1 or outs[0] is not inputs[0]:
                raise TypeError(_NO_PLACE)
            size = size_of((inputs, kwargs), level)
            place = np.broadcast_to(aligned(outs[0], level), (*np.shape(outs[0]), size))
            kwargs["out"] = outs = (Batch(place.copy(), level),)
        if (ufunc, method) in SHORT_CUTS:
            return SHORT_CUTS[ufunc, method](level, *inputs, **kwargs)
        plain = kwargs.keys() <= {"out"} and len(outs) <= 1
        if method == "__call__" and ufunc.signature is None and plain:
            return _entry_by_entry(level, ufunc, inputs, *outs)
        if method == "at":
            return _at(level, ufunc, *inputs)
        return one_by_one(
            ufunc if method == "__call__" else getattr(ufunc, method), *inputs, **kwargs
        )

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if any(issubclass(cls, Node) or cls in PLAIN - {PlainArray} for cls in types):
            return NotImplemented
        return _called(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise TypeError(
            "inside vmap an array is many, and can't become a single one of NumPy's; one of those "
            "takes it for an index as a tensor, Tensor(table)[i], and has no place for it"
        )

    def __bool__(self) -> bool:
        return bool(self._agreed("truth value", "np.where(condition, x, y) chooses for each"))

    def __int__(self) -> int:
        return int(self._agreed("number", "x[index] takes an array for an index"))

    __index__ = __int__

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _agreed(self, what: str, way: str) -> Any:
        """Give the only entry of each array, if it is the same in all."""
        first = self.stacked[..., :1]
        if self.size != 1 or not np.all(self.stacked == first):
            raise TypeError(
                f"inside vmap an array is many, and they have no {what} in common here: {way}"
            )
        return first.reshape(-1)[0]

    # --- an array's methods -----------------------------------------------------------------

    @property
    def T(self) -> Any:
        """The transpose."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The matrices transposed."""
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        """The real parts."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return np.imag(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not callable(getattr(np.ndarray, name, None)):
            return self._as_tensor(name)
        function: Any = getattr(np, name, None)
        if function in SHORT_CUTS:
            return functools.partial(function, self)
        return lambda *args, **kwargs: one_by_one(
            lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs), self, *args, **kwargs
        )

    def _as_tensor(self, name: str) -> Any:
        """Give what PyTorch has, and no array: `(p > 0.5).float()`."""
        from tinytorch.tensor import Tensor

        if name.startswith("_") or not hasattr(Tensor, name) or hasattr(np.ndarray, name):
            raise AttributeError(f"a batch has no {name}")
        return getattr(Tensor(self, requires_grad=False), name)

    def __getitem__(self, index: Any) -> Batch:
        batch: Batch = pick(self, bases(index))
        return batch

    def __setitem__(self, index: Any, values: Any) -> None:
        index, values = bases(index), base(values)
        level = level_of((self, index, values))
        if level != self.level:
            raise TypeError(_NO_PLACE)
        if level_of(index) == level:
            rows = places(self.shape, index, level)
            entry = (*np.unravel_index(rows, self.shape), np.arange(self.stacked.shape[-1]))
        else:
            entry = _sparing_last_axis(index)
        self.stacked[entry] = aligned(values, level)

    def reshape(self, *shape: Any, **order: Any) -> Any:
        """Give the entries in another shape."""
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return np.reshape(self, shape, **order)

    def transpose(self, *axes: Any) -> Any:
        """Give the axes in another order."""
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, axes or None)

    def copy(self, order: str = "C") -> Batch:
        """Give a batch of its own; the order in memory changes nothing else."""
        del order
        return in_front(self.front.copy(), self.level)

    def astype(self, dtype: Any, **options: Any) -> Batch:
        """Give the batch in another dtype."""
        return Batch(self.stacked.astype(dtype, **options), self.level)


def _entry_by_entry(level: int, ufunc: np.ufunc, inputs: Sequence[Any], out: Any = None) -> Any:
    arrays = [aligned(x, level) for x in inputs]
    if out is not None:
        ufunc(*arrays, out=out.stacked)
        return out
    result = ufunc(*arrays)
    if isinstance(result, tuple):
        return tuple(Batch(part, level) for part in result)
    return Batch(result, level)


def aligned(operand: Any, level: int) -> Any:
    """Give a batch's arrays, or an array with one more axis, so that it broadcasts against them."""
    if is_batch(operand, level):
        return operand.stacked
    if isinstance(operand, list | tuple):
        operand = np.asarray(operand)
    return operand[..., None] if getattr(operand, "ndim", 0) else operand


# --- indexing -------------------------------------------------------------------------------------


def _sparing_last_axis(index: Any) -> tuple[Any, ...]:
    index = index if isinstance(index, tuple) else (index,)
    whole = (slice(None),) if any(part is Ellipsis for part in index) else (Ellipsis, slice(None))
    return (*index, *whole)


def pick(x: Any, index: Any) -> Any:
    """Give x[index], where x or the index is a batch, or both are."""
    level = level_of((x, index))
    if not level:
        return x[index]
    if level_of(index) < level:
        return Batch(x.stacked[_sparing_last_axis(index)], level)
    rows = places(x.shape, index, level)
    if not is_batch(x, level):
        return Batch(pick(x.reshape(-1), (rows,)), level)
    size = x.stacked.shape[-1]
    return Batch(pick(x.stacked.reshape(-1, size), (rows, np.arange(size))), level)


def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Add the entries of x up in zeros of `shape`, where x or the index is a batch, or both are."""
    level = level_of((x, index))
    if not level:
        return kind_of(x).scatter(x, index, shape)
    size = size_of((x, index), level)
    if level_of(index) < level:
        return Batch(scatter(x.stacked, _sparing_last_axis(index), (*shape, size)), level)
    rows = places(shape, index, level) * size
    rows = rows + own(np.arange(size), rows)
    part = np.broadcast_to(aligned(x, level), rows.shape)
    flat = scatter(part, (rows,), (math.prod(shape) * size,))
    return Batch(flat.reshape((*shape, size)), level)


def places(shape: tuple[int, ...], index: Any, level: int) -> Any:
    """Number the entries that an index with batches picks out of `shape`, in one row.

    What each of the batch picks is along a last axis.
    """
    index = index if isinstance(index, tuple) else (index,)
    parts: list[Any] = []
    for part in index:
        if getattr(part, "dtype", None) != np.bool_:
            parts.append(part)
        elif level_of(part):
            raise TypeError(
                "inside vmap a mask picks as many entries as are true, for each array of the batch "
                "another number: np.where(mask, x, 0) keeps the shape"
            )
        else:
            parts += part.nonzero()
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    given = sum(part is not None and part is not Ellipsis for part in parts)
    i = next(i for i, part in enumerate(parts) if part is Ellipsis)
    parts[i : i + 1] = [slice(None)] * (len(shape) - given)
    # Where the arrays are neighbours, their axes come in their place, else first of all.
    arrays = [i for i, part in enumerate(parts) if not isinstance(part, slice | None)]
    together = arrays[-1] - arrays[0] == len(arrays) - 1
    last = max(np.ndim(parts[i]) for i in arrays) + (arrays[0] if together else 0)
    for i in arrays:
        parts[i] = aligned(parts[i], level)
    like = next((part for part in parts if kind_of(part) is not NUMPY), None)
    numbers = own(np.arange(math.prod(shape)).reshape(shape), like)
    return np.moveaxis(pick(numbers, tuple(parts)), last, -1)


def _at(level: int, ufunc: np.ufunc, out: Any, index: Any, *values: Any) -> None:
    if not is_batch(out, level):
        raise TypeError("what is the same for all of a batch has no place for each one's values")
    values = tuple(aligned(x, level) for x in values)
    at = kind_of(out.stacked).add_at if ufunc is np.add else ufunc.at
    if level_of(index) < level:
        at(out.stacked, _sparing_last_axis(index), *values)
    else:
        rows = places(out.shape, index, level)
        entry = (*np.unravel_index(rows, out.shape), np.arange(out.stacked.shape[-1]))
        at(out.stacked, entry, *values)
