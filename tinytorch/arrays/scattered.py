"""What indexing leaves of a gradient: a part of it, and where in the whole it belongs.

`x[0]`, `x[1]` and so on each have a gradient of one entry. Were each written into zeros of x's
shape, n of them would take n * n steps. So the rule gives the part with its index, and where the
engine adds, the parts go into one array.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

# One in so many entries is written down as one.
_FEW = 8


class Scattered:
    """An array of `shape`: `part` at `index`, where repeated entries add up, and 0 elsewhere.

    `+` adds to it in place, which is nobody else's, and `array()` gives the sum: from the first
    time on it is that array, which may be changed.
    """

    __slots__ = ("_index", "_part", "_sum", "dtype", "shape")
    __array_ufunc__ = None  # an array on the left of + leaves the sum to this class

    def __init__(self, index: Any, part: Any, shape: tuple[int, ...], dtype: Any) -> None:
        self._index, self._part, self.shape, self.dtype = index, part, shape, dtype
        self._sum: Any = None

    def array(self) -> Any:
        """Write the sum down."""
        return self._so_far().astype(self.dtype, copy=False)

    @property
    def base(self) -> Any:
        """Whose memory it is in: a rule's."""
        return self._part

    def copy(self) -> Any:
        """Give what a leaf keeps as its gradient: of a few entries the part, else an array."""
        few = type(self._part) is np.ndarray and _FEW * self._part.size <= math.prod(self.shape)
        if not few or self._sum is not None or self._wide() != self.dtype:
            return self.array()
        # Others may write to the part, which is a gradient too, and to the index.
        index, part = copy.deepcopy((self._index, self._part))
        return Scattered(index, part, self.shape, self.dtype)

    def subtract_from(self, array: Any, factor: Any) -> None:
        """Do `array -= factor * self`, where only the entries of the part change."""
        if self._sum is None:
            add_at(array, self._index, -factor * self._part)
        else:
            array -= factor * self._sum

    def _so_far(self) -> Any:
        if self._sum is None:
            self._begin(np.zeros_like(self._part, self._wide(), shape=self.shape))
        return self._sum

    def _begin(self, array: Any) -> None:
        add_at(array, self._index, self._part)
        self._sum = array

    def _wide(self) -> Any:
        """Give the dtype to add up in, since float16 counts up to 2048 only."""
        return np.float32 if self.dtype == np.float16 else self.dtype

    def __add__(self, other: Any) -> Scattered:
        if isinstance(other, Scattered):
            add_at(self._so_far(), other._index, other._part)
        else:
            self._so_far()
            self._sum += other
        return self

    def __radd__(self, array: Any) -> Scattered:
        # A copy, since others may look at it.
        wide = self._wide()
        self._begin(np.array(array, wide) if isinstance(array, np.generic) else array.astype(wide))
        return self


def whole(share: Any) -> Any:
    """Give a share of a gradient as an array."""
    return share.array() if type(share) is Scattered else share


def add_at(out: Any, index: Any, part: Any) -> None:
    """Do `out[index] += part`, but add up what goes to the same entry."""
    index = index if isinstance(index, tuple) else (index,)
    if not any(np.ndim(x) and _is_whole(x) for x in index):
        out[index] += part
        return
    if type(out) is type(part) is np.ndarray and out.flags.c_contiguous:
        places = _places(index, out.shape)
        if places is not None:  # along a single axis NumPy is five times as fast
            out, index, part = out.reshape(-1), places, part.reshape(-1)
    if type(out) is np.ndarray and out.dtype.char in "ef":
        # A long sum would lose digits, and in float16 one of ones would end at 2048. Of the wide
        # array only what is picked is ever written to, or takes memory.
        wide: Any = np.empty(out.shape, np.float64)
        wide[index] = out[index]
        np.add.at(wide, index, np.asarray(part, np.float64))
        out[index] = wide[index]
    else:
        np.add.at(out, index, part)


def _is_whole(x: Any) -> bool:
    """Tell whole numbers from masks, slices, None and ..."""
    return (x if hasattr(x, "dtype") else np.asarray(x)).dtype.kind in "iu"


def _places(index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Number the entries that `index` picks out of `shape`, in one row.

    Gives None if it does more than to pick by whole numbers along neighbouring axes.
    """
    parts, first = list(index), 0
    while parts and isinstance(parts[-1], slice) and parts[-1] == slice(None):
        parts.pop()
    while isinstance(parts[first], slice) and parts[first] == slice(None):
        first += 1
    numbers = tuple(parts[first:])
    if not all(map(_is_whole, numbers)):
        return None
    axes, after = shape[first : len(parts)], math.prod(shape[len(parts) :])
    np.broadcast_to(0, axes)[numbers]  # raises IndexError
    along = np.ravel_multi_index(numbers, axes, mode="wrap")  # which knows negative numbers
    before = np.arange(math.prod(shape[:first])) * math.prod(axes)
    rows = before[:, None] + along.reshape(-1)
    return (rows[..., None] * after + np.arange(after)).reshape(-1)
