"""The table of operations: how each is called here, in NumPy and in PyTorch, and with what.

A row's arguments are drawn with `Choices`. Each spelling takes them as they come; PyTorch gets
tensors for all arrays. `numpy` calls a function of `np`, on tensors and on arrays; `torch` is
written the same way here and in PyTorch; `here` are further spellings of ours, and `there` is
PyTorch's where it differs. Where there is none, differences stand in for PyTorch's derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from reference import exchanged
from torch.nn import functional

Function = Callable[..., Any]
NUMPY_2_1, NUMPY_2_4, NUMPY_2_5 = (
    np.lib.NumpyVersion(np.__version__) >= v for v in ("2.1.0", "2.4.0", "2.5.0")
)


@dataclass(frozen=True)
class Choices:
    """Arguments built from whole numbers, which Hypothesis or a generator chooses."""

    integer: Callable[[int, int], int]  # from the first to the second, both included

    def one_of(self, *options: Any) -> Any:
        return options[self.integer(0, len(options) - 1)]

    def shape(self, low: int = 0, high: int = 4, smallest: int = 0) -> tuple[int, ...]:
        # One array in many is empty.
        sizes = [n for n in (1, 2, 3, 2, 3, 1, 0) if n >= smallest]
        return tuple(self.one_of(*sizes) for _ in range(self.integer(low, high)))

    def filled(self, shape: tuple[int, ...], ties: bool = True) -> Any:
        """Fill an array: with zeros and ties among its entries, or without."""
        rng = np.random.default_rng(self.integer(0, 999))
        if ties and self.integer(0, 1):
            return np.asarray(rng.integers(-2, 3, shape), float)
        size = math.prod(shape)
        # No two entries, nor an entry and 0, are nearer than the steps of the differences.
        steps = rng.permutation(size) - size // 2 + rng.uniform(0.3, 0.7, size)
        return (steps * 4 / max(size, 4)).reshape(shape)

    def array(self, low: int = 0, high: int = 4, smallest: int = 0, ties: bool = True) -> Any:
        return self.filled(self.shape(low, high, smallest), ties)

    def axis(self, x: Any) -> int:
        return self.integer(-x.ndim, x.ndim - 1)

    def axis_or_none(self, x: Any) -> int | None:
        return self.axis(x) if x.ndim and self.integer(0, 2) else None

    def axes(self, x: Any) -> Any:
        """Choose what a reduction takes for an axis: None, a number, or a tuple of them."""
        if not x.ndim or not self.integer(0, 3):
            return None
        if self.integer(0, 1):
            return self.axis(x)
        order = np.random.default_rng(self.integer(0, 99)).permutation(x.ndim)
        chosen = order[: self.integer(1, x.ndim)].tolist()
        return tuple(i - x.ndim * self.integer(0, 1) for i in chosen)

    def order(self, n: int) -> list[int]:
        return np.random.default_rng(self.integer(0, 99)).permutation(n).tolist()

    def cuts(self) -> list[int]:
        return sorted([self.integer(0, 4), self.integer(0, 4)])

    def mask(self, shape: tuple[int, ...]) -> Any:
        return np.asarray(np.random.default_rng(self.integer(0, 99)).random(shape) < 0.5)

    def places(self, size: int, shape: tuple[int, ...]) -> Any:
        """Draw indices into `size` entries, negative ones and repeated ones too."""
        return np.random.default_rng(self.integer(0, 99)).integers(-size, size, shape)

    def siblings(self, x: Any, axis: int | None = None) -> list[Any]:
        """Draw arrays of x's shape, but for the size along `axis`."""
        shape = list(x.shape)
        arrays = [x]
        for _ in range(self.integer(0, 2)):
            if axis is not None:
                shape[axis] = self.integer(0, 3)
            arrays.append(self.filled(tuple(shape)))
        return arrays

    def broadcasting(self, n: int, ties: bool = True) -> list[Any]:
        """Draw arrays that broadcast against each other."""
        common = self.shape()
        arrays = []
        for _ in range(n):
            sizes = [1 if self.integer(0, 3) == 0 else size for size in common]
            arrays.append(self.filled(tuple(sizes[self.integer(0, len(sizes)) :]), ties))
        return arrays

    def index(self, x: Any) -> Any:
        """Draw an index of all that NumPy's indexing takes."""
        rows = self.shape(0, 2)
        first = self.integer(0, x.ndim)
        last = self.integer(0, x.ndim - first)
        parts = [self.index_of_axis(n, rows) for n in x.shape[:first]]
        if last or self.integer(0, 1):
            parts += [..., *[self.index_of_axis(n, rows) for n in x.shape[x.ndim - last :]]]
        if self.integer(0, 1):
            parts.insert(self.integer(0, len(parts)), None)
        return parts[0] if len(parts) == 1 and self.integer(0, 1) else tuple(parts)

    def index_of_axis(self, n: int, rows: tuple[int, ...]) -> Any:
        """Draw an index of n entries; those that are arrays broadcast to the shape `rows`."""
        if not n or self.integer(0, 1):
            step = self.one_of(None, 1, 2, -1, -2)
            some = slice(self.integer(-4, 4), self.one_of(None, -1, 0, 2), step)
            return self.one_of(slice(None), some)
        # As an index, a mask is as long as it has true entries.
        many = rows[-1] if rows else 1
        mask = np.zeros(n, bool)
        mask[self.order(n)[: 1 if n < many else many]] = True
        return self.one_of(
            self.integer(-n, n - 1),
            self.places(n, rows),
            # A list of no lists has lost their length.
            self.places(n, rows) if 0 in rows[:-1] else self.places(n, rows).tolist(),
            self.places(n, (1,) * len(rows)),
            mask,
            mask.tolist(),
        )


def dice(seed: int) -> Choices:
    """Choose by a generator, for the tests that need no search."""
    rng = np.random.default_rng(seed)
    return Choices(lambda low, high: int(rng.integers(low, high, endpoint=True)))


@dataclass(frozen=True)
class Case:
    name: str
    arguments: Callable[[Choices], Any]
    numpy: Function | None = None
    torch: Function | None = None
    here: tuple[Function, ...] = ()
    there: Function | None = None

    @property
    def spellings(self) -> list[Function]:
        return [f for f in (self.numpy, self.torch, *self.here) if f is not None]

    @property
    def reference(self) -> Function | None:
        return self.there or self.torch


# --- PyTorch in NumPy's words ---------------------------------------------------------------------


def along_axes(function: Function) -> Function:
    """Make of PyTorch's reduction of one axis, `function(x, dim)`, one that takes NumPy's axes."""

    def reduction(x: Any, axis: Any, keepdims: bool, *parameters: Any) -> Any:
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = [i % x.ndim for i in axes]
        kept = [i for i in range(x.ndim) if i not in axes]
        shape = [x.shape[i] for i in kept]
        count = math.prod([x.shape[i] for i in axes])
        reduced = function(x.permute([*kept, *axes]).reshape(*shape, count), -1, *parameters)
        if keepdims:
            shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        return reduced.reshape(shape)

    return reduction


def over_all_without_axis(function: Function) -> Function:
    """Make of PyTorch's running `function(x, dim)` one that takes None for an axis."""

    def running(x: Any, axis: int | None) -> Any:
        return function(x.reshape(-1), 0) if axis is None else function(x, axis)

    return running


def moved(function: Function) -> Function:
    """Make of NumPy's function that moves entries PyTorch's: it moves their numbers first."""

    def moving(x: Any, *arguments: Any) -> Any:
        numbers = np.arange(x.numel()).reshape(tuple(x.shape))
        plain = exchanged(arguments, lambda a: a.numpy() if isinstance(a, torch.Tensor) else a)
        return exchanged(
            function(numbers, *plain), lambda places: x.flatten()[torch.tensor(np.array(places))]
        )

    return moving


# --- arguments that several rows share ------------------------------------------------------------


def one(low: int = 0, high: int = 4, smallest: int = 0) -> Callable[[Choices], Any]:
    return lambda choose: (choose.array(low, high, smallest),)


def with_axis(choose: Choices) -> Any:
    x = choose.array(1)
    return x, choose.axis(x)


def with_axis_or_none(choose: Choices) -> Any:
    x = choose.array()
    return x, choose.axis_or_none(x)


def reduced(low: int = 0, smallest: int = 0, ties: bool = True) -> Callable[[Choices], Any]:
    def arguments(choose: Choices) -> Any:
        x = choose.array(low, smallest=smallest, ties=ties)
        return x, choose.axes(x), choose.one_of(False, True)

    return arguments


def reduced_along(choose: Choices, ties: bool = True) -> Any:
    x = choose.array(1, smallest=1, ties=ties)
    return x, choose.axis(x), choose.one_of(False, True)


def with_nan(choose: Choices) -> Any:
    x, axis, keepdims = reduced(smallest=1)(choose)
    # Not the first ones, so that there is always something to add up.
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    later = np.zeros(x.shape, bool)
    for i in axes:
        later |= np.indices(x.shape)[i] > 0
    return np.where(later & choose.mask(x.shape), np.nan, x), axis, keepdims


def spread(choose: Choices) -> Any:
    x, axis, keepdims = reduced(1, smallest=2, ties=False)(choose)
    return x, axis, keepdims, choose.one_of(0, 1)


def fractions(choose: Choices) -> Any:
    x, axis, keepdims = reduced(smallest=1, ties=False)(choose)
    q = choose.one_of(0.0, 0.3, 0.5, 1.0, np.array([0.2, 0.9]), np.array([[0.1], [0.6]]))
    q = q.tolist() if isinstance(q, np.ndarray) else q
    method = choose.one_of("linear", "lower", "higher", "midpoint", "nearest")
    return x, q, axis, keepdims, method


def torch_quantile(x: Any, q: Any, axis: Any, keepdims: bool, method: str) -> Any:
    def value(x: Any, fraction: float) -> Any:
        at = along_axes(lambda x, dim: torch.quantile(x, fraction, dim, interpolation=method))
        return at(x, axis, keepdims)

    values = [value(x, fraction) for fraction in np.ravel(q).tolist()]
    return torch.stack(values).reshape(np.shape(q) + tuple(values[0].shape))


def samples(choose: Choices) -> Any:
    y = choose.array(1, smallest=1)
    axis = choose.axis(y)
    x = np.cumsum(
        np.abs(choose.filled(choose.one_of(y.shape, y.shape[axis : axis + 1 or None]))) + 0.5,
        axis=-1,
    )
    return y, x, axis


def with_spacing(choose: Choices) -> Any:
    f = choose.filled(tuple(choose.integer(3, 4) for _ in range(choose.integer(1, 3))))
    axes = choose.axes(f)
    count = f.ndim if axes is None else 1 if isinstance(axes, int) else len(axes)
    named = range(f.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    kind = choose.integer(0, 3)
    if kind == 0:
        spacing: list[Any] = []
    elif kind == 1:
        spacing = [choose.one_of(0.5, 2.0)]
    elif kind == 2:
        spacing = [choose.one_of(0.5, 2.0) for _ in range(count)]
    else:
        rng = np.random.default_rng(choose.integer(0, 99))
        spacing = [np.cumsum(rng.uniform(0.5, 2, f.shape[i])).tolist() for i in named]
    return f, spacing, axes, choose.one_of(1, 2)


def torch_gradient(f: Any, spacing: list[Any], axes: Any, edge_order: int) -> Any:
    dim = tuple(range(f.ndim)) if axes is None else axes
    count = len(dim) if isinstance(dim, tuple) else 1
    steps = spacing * count if len(spacing) == 1 else spacing or [1.0] * count
    if isinstance(steps[0], list):
        steps = [torch.tensor(step, dtype=torch.float64) for step in steps]
    return torch.gradient(f, spacing=steps, dim=dim, edge_order=edge_order)


def differences(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)

    def end() -> Any:
        size = [choose.integer(1, 2) if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
        return choose.one_of(None, choose.filled(tuple(size)))

    return x, choose.integer(0, 3), axis, end(), end()


def reshaped(choose: Choices) -> Any:
    x = choose.array()
    sizes = [n for n in x.shape if n != 1] or [1]
    order = [sizes[i] for i in choose.order(len(sizes))]
    flat = (-1,) if x.size else (0,)
    return x, choose.one_of(tuple(order), (*order, 1), (1, *order), (x.size,), flat)


def permuted(choose: Choices) -> Any:
    x = choose.array()
    return x, [i - x.ndim * choose.integer(0, 1) for i in choose.order(x.ndim)]


def two_axes(choose: Choices) -> Any:
    x = choose.array(1)
    return x, choose.axis(x), choose.axis(x)


def plane(choose: Choices) -> Any:
    x = choose.array(2)
    first, second = choose.order(x.ndim)[:2]
    return x, first - x.ndim * choose.integer(0, 1), second


def moving_axes(choose: Choices) -> Any:
    x = choose.array(1)
    count = choose.integer(1, x.ndim)
    source, destination = choose.order(x.ndim)[:count], choose.order(x.ndim)[:count]
    return (x, source[0], destination[0]) if count == 1 else (x, source, destination)


def rolled_axis(choose: Choices) -> Any:
    x = choose.array(1)
    return x, choose.axis(x), choose.integer(0, x.ndim)


def new_axis(choose: Choices) -> Any:
    x = choose.array(high=3)
    return x, choose.integer(-x.ndim - 1, x.ndim)


def thin_axis(choose: Choices) -> Any:
    shape = list(choose.shape(1))
    axis = choose.integer(-len(shape), len(shape) - 1)
    shape[axis] = 1
    return choose.filled(tuple(shape)), choose.one_of(axis, (axis,))


def broadcast(choose: Choices) -> Any:
    shape = choose.shape()
    sizes = [choose.one_of(1, n) for n in shape]
    return choose.filled(tuple(sizes[choose.integer(0, len(sizes)) :])), shape


def axes_to_flip(choose: Choices) -> Any:
    x = choose.array(1)
    count = choose.integer(1, x.ndim)
    return x, tuple(choose.order(x.ndim)[:count])


def shifted(choose: Choices) -> Any:
    x = choose.array(1)
    if not choose.integer(0, 2):
        return x, choose.integer(-5, 5), None
    if choose.integer(0, 1):
        return x, choose.integer(-5, 5), choose.axis(x)
    axes = tuple(choose.order(x.ndim)[: choose.integer(1, x.ndim)])
    return x, tuple(choose.integer(-5, 5) for _ in axes), axes


def turned(choose: Choices) -> Any:
    x, first, second = plane(choose)
    return x, choose.integer(-5, 5), [first, second]


def repeated(choose: Choices) -> Any:
    x, axis = with_axis_or_none(choose)
    size = x.size if axis is None else x.shape[axis]
    each = np.random.default_rng(choose.integer(0, 99)).integers(0, 3, size)
    return x, choose.one_of(choose.integer(0, 3), each), axis


def tiled(choose: Choices) -> Any:
    x = choose.array(high=3)
    return x, tuple(choose.integer(0, 2) for _ in range(choose.integer(max(x.ndim, 1), 4)))


def banded(choose: Choices) -> Any:
    return choose.array(2), choose.integer(-3, 3)


def diagonals(choose: Choices) -> Any:
    x, first, second = plane(choose)
    return x, choose.integer(-3, 3), first, second


def several(choose: Choices) -> Any:
    x = choose.array(high=3)
    return choose.siblings(x), choose.integer(-x.ndim - 1, x.ndim)


def joined_along(choose: Choices) -> Any:
    x = choose.array(1, 3)
    axis = choose.axis(x)
    return choose.siblings(x, axis), axis


def joined_rows(low: int, axis: Callable[[int], int]) -> Callable[[Choices], Any]:
    """Draw what np.hstack, np.vstack, ... take: they name the axis themselves."""

    def arguments(choose: Choices) -> Any:
        x = choose.array(low, 3)
        free = axis(x.ndim)
        return (choose.siblings(x, free if free < x.ndim else None),)

    return arguments


def columns(choose: Choices) -> Any:
    n = choose.integer(0, 3)
    shapes = [choose.one_of((n,), (n, choose.integer(0, 3))) for _ in range(choose.integer(1, 3))]
    return ([choose.filled(shape) for shape in shapes],)


def cut(low: int, axis: Callable[[int], int]) -> Callable[[Choices], Any]:
    """Draw what np.hsplit, np.vsplit, ... take: they name the axis themselves."""

    def arguments(choose: Choices) -> Any:
        x = choose.array(low)
        size = x.shape[axis(x.ndim)]
        return x, choose.one_of(max(size, 1), 1, choose.cuts())

    return arguments


def split_evenly(choose: Choices) -> Any:
    x = choose.array(1)
    axis = choose.axis(x)
    parts = [n for n in (1, 2, 3) if x.shape[axis] % n == 0]
    return x, choose.one_of(choose.one_of(*parts), choose.cuts()), axis


def split_roughly(choose: Choices) -> Any:
    x = choose.array(1)
    axis = choose.axis(x)
    return x, choose.one_of(choose.integer(1, 4), choose.cuts()), axis


def split_in_torch(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    size = x.shape[axis]
    first = choose.integer(0, size)
    return x, choose.one_of(choose.integer(1, 4), [first, size - first]), axis


def unfolded(choose: Choices) -> Any:
    x = choose.array(smallest=1)
    axis = choose.axis(x) if x.ndim else 0
    size = choose.integer(1, x.shape[axis]) if x.ndim else 1
    return x, axis, size, choose.integer(1, 3)


def padded(choose: Choices) -> Any:
    x = choose.array(1, 3, smallest=1)
    mode = choose.one_of("constant", "edge", "reflect", "symmetric", "wrap")
    each = tuple((choose.integer(0, 2), choose.integer(0, 2)) for _ in range(x.ndim))
    return x, choose.one_of(choose.integer(0, 2), (1, 2), each), mode


def coordinates(choose: Choices) -> Any:
    return (
        [choose.array(0, 1) for _ in range(choose.integer(1, 3))],
        choose.one_of("xy", "ij"),
    )


def taken(choose: Choices) -> Any:
    x = choose.array(smallest=1)
    axis = choose.axis_or_none(x)
    size = x.size if axis is None else x.shape[axis]
    return x, choose.places(size, choose.shape(0, 2)), axis


def selected(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    return x, axis, choose.integer(-x.shape[axis], x.shape[axis] - 1)


def slices(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    return x, axis, choose.places(x.shape[axis], (choose.integer(0, 4),)) % x.shape[axis]


def gathered(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    shape = [choose.integer(0, 3 if i == axis % x.ndim else n) for i, n in enumerate(x.shape)]
    return x, axis, choose.places(x.shape[axis], tuple(shape)) % x.shape[axis]


def taken_along(choose: Choices) -> Any:
    x = choose.array(1, smallest=1)
    axis = choose.axis(x)
    shape = [
        choose.integer(0, 3) if i == axis % x.ndim else choose.one_of(1, n, n)
        for i, n in enumerate(x.shape)
    ]
    return x, axis, choose.places(x.shape[axis], tuple(shape)) % x.shape[axis]


def scattered(choose: Choices) -> Any:
    x, axis, index = gathered(choose)
    return x, axis, index, choose.filled(index.shape)


def masked(choose: Choices) -> Any:
    x = choose.array()
    return x, choose.mask(choose.one_of(x.shape, x.shape[1:]))


def filled_in(choose: Choices) -> Any:
    x, mask = masked(choose)
    return x, mask, choose.one_of(0.5, choose.filled(()))


def chosen(choose: Choices) -> Any:
    x, y, like = choose.broadcasting(3)
    return choose.mask(like.shape), x, y


def several_choices(choose: Choices) -> Any:
    first, second = choose.broadcasting(2)
    # NumPy doesn't ask the default whether it is more than an array.
    return [choose.mask(first.shape), choose.mask(second.shape)], [first, second], 0.5


def bounded(choose: Choices) -> Any:
    x, low, high = choose.broadcasting(3)
    return x, low, high


def halves(choose: Choices) -> Any:
    shape = list(choose.shape(1))
    axis = choose.integer(-len(shape), len(shape) - 1)
    shape[axis] = 2 * choose.integer(0, 2)
    return choose.filled(tuple(shape)), axis


def highest(choose: Choices) -> Any:
    x = choose.array(1, ties=False)
    axis = choose.axis(x)
    return x, choose.integer(0, x.shape[axis]), axis, choose.one_of(True, False)


def partitioned(choose: Choices) -> Any:
    x = choose.array(1, smallest=1, ties=False)
    axis = choose.axis_or_none(x)
    size = x.size if axis is None else x.shape[axis]
    return x, choose.integer(-size, size - 1), axis


def flattened(choose: Choices) -> Any:
    x = choose.array(1)
    start, end = sorted([choose.integer(0, x.ndim - 1), choose.integer(0, x.ndim - 1)])
    return x, start, end - x.ndim * choose.integer(0, 1)


def parted(choose: Choices) -> Any:
    x, axis = with_axis(choose)
    return x, axis, choose.one_of((1, x.shape[axis]), (x.shape[axis], 1, 1))


def scaled(*parameters: float) -> Callable[[Choices], Any]:
    # Nowhere 0: it is a matter of taste which second derivative that has.
    return lambda choose: (choose.array(ties=False), choose.one_of(*parameters))


CASES = [
    # --- elementwise, with parameters ---
    Case(
        "clip",
        bounded,
        numpy=np.clip,
        torch=lambda x, low, high: x.clip(low, high),
        here=(
            lambda x, low, high: np.clip(x, a_min=low, a_max=high),
            lambda x, low, high: np.clip(x, min=low, max=high) if NUMPY_2_1 else x.clip(low, high),
            lambda x, low, high: x.clamp(min=low, max=high),
        ),
        # Its own broadcasting fails in the backward pass.
        there=lambda x, low, high: torch.clip(*torch.broadcast_tensors(x, low, high)),
    ),
    Case(
        "clip below",
        lambda choose: choose.broadcasting(2),
        numpy=lambda x, low: np.clip(x, low, None),
        torch=lambda x, low: x.clip(min=low),
    ),
    Case(
        "clip above",
        lambda choose: choose.broadcasting(2),
        numpy=lambda x, high: np.clip(x, None, high),
        torch=lambda x, high: x.clamp(max=high),
    ),
    Case(
        "where",
        chosen,
        numpy=np.where,
        torch=lambda mask, x, y: x.where(mask, y),
    ),
    Case(
        "select by conditions",
        several_choices,
        numpy=np.select,
        there=lambda masks, arrays, default: torch.where(
            masks[0], arrays[0], torch.where(masks[1], arrays[1], default)
        ),
    ),
    Case(
        "add a multiple",
        lambda choose: (*choose.broadcasting(2), choose.one_of(1, 2, 0.5)),
        torch=lambda x, y, alpha: x.add(y, alpha=alpha),
    ),
    Case(
        "subtract a multiple",
        lambda choose: (*choose.broadcasting(2), choose.one_of(1, 2, 0.5)),
        torch=lambda x, y, alpha: x.sub(y, alpha=alpha),
        here=(lambda x, y, alpha: x.subtract(other=y, alpha=alpha),),
    ),
    Case(
        "divide and round",
        lambda choose: (
            *(args := choose.broadcasting(2))[:1],
            np.asarray(args[1] + 0.25),
            choose.one_of("floor", "trunc", None),
        ),
        torch=lambda x, y, mode: x.div(y, rounding_mode=mode),
        here=(lambda x, y, mode: x.divide(y, rounding_mode=mode),),
    ),
    Case("sinc", one(), numpy=np.sinc),  # PyTorch's derivatives next to 0 are 0
    Case("fabs", one(), numpy=np.fabs, torch=lambda x: x.abs()),
    Case(
        "lerp",
        lambda choose: choose.broadcasting(3),
        torch=lambda x, end, weight: x.lerp(end, weight),
        here=(lambda x, end, weight: x.lerp(end, weight=weight),),
    ),
    Case(
        "round",
        lambda choose: (choose.array(), choose.one_of(0, 1, -1)),
        numpy=np.round,
        torch=lambda x, decimals: x.round(decimals=decimals),
        here=(np.around, lambda x, decimals: x.round(decimals)),
    ),
    Case(
        "nan_to_num",
        lambda choose: (
            np.where(choose.mask(()), choose.one_of(np.nan, np.inf, -np.inf), choose.array()),
            *choose.one_of((0.0, 5.0, -5.0), (1.0, 2.0, -3.0)),
        ),
        numpy=lambda x, nan, high, low: np.nan_to_num(x, nan=nan, posinf=high, neginf=low),
        torch=lambda x, nan, high, low: x.nan_to_num(nan, high, low),
    ),
    Case(
        "astype",
        one(),
        here=(
            lambda x: x.astype(x.dtype),
            lambda x: x.to(x.dtype),
            lambda x: x.astype(dtype=x.dtype),
        ),
        there=lambda x: x.clone(),
    ),
    # --- activations ---
    Case(
        "leaky_relu",
        scaled(0.01, 0.5),
        here=(
            lambda x, slope: x.leaky_relu(slope),
            lambda x, slope: x.leaky_relu(negative_slope=slope),
        ),
        there=functional.leaky_relu,
    ),
    Case("elu", scaled(1.0, 0.5), here=(lambda x, a: x.elu(a),), there=functional.elu),
    Case("celu", scaled(1.0, 0.5), here=(lambda x, a: x.celu(alpha=a),), there=functional.celu),
    Case("selu", scaled(1.0), here=(lambda x, _: x.selu(),), there=lambda x, _: functional.selu(x)),
    Case("gelu", one(), here=(lambda x: x.gelu(),), there=functional.gelu),
    Case(
        "gelu, tanh",
        one(),
        here=(lambda x: x.gelu(approximate="tanh"),),
        there=lambda x: functional.gelu(x, approximate="tanh"),
    ),
    Case("silu", one(), here=(lambda x: x.silu(),), there=functional.silu),
    Case("mish", one(), here=(lambda x: x.mish(),), there=functional.mish),
    Case(
        "softplus",
        scaled(1.0, 2.0),
        here=(lambda x, beta: x.softplus(beta),),
        # PyTorch's own is x itself where beta * x > 20.
        there=lambda x, beta: functional.softplus(x, beta, threshold=100.0),
    ),
    Case(
        "hardtanh",
        lambda choose: (choose.array(), *choose.one_of((-1.0, 1.0), (-0.5, 2.0))),
        here=(lambda x, low, high: x.hardtanh(low, high),),
        there=functional.hardtanh,
    ),
    Case(
        "relu6", one(), here=(lambda x: (x * 4).relu6(),), there=lambda x: functional.relu6(x * 4)
    ),
    Case(
        "log-sigmoid",
        one(),
        here=(lambda x: x.logsigmoid(), lambda x: x.log_sigmoid()),
        there=functional.logsigmoid,
    ),
    Case(
        "softmax",
        with_axis,
        torch=lambda x, axis: x.softmax(axis),
        here=(lambda x, axis: x.softmax(dim=axis), lambda x, axis: x.softmax(axis=axis)),
    ),
    Case(
        "log_softmax",
        with_axis,
        torch=lambda x, axis: x.log_softmax(axis),
        here=(lambda x, axis: x.log_softmax(dim=axis),),
    ),
    Case(
        "softmin",
        with_axis,
        here=(lambda x, axis: x.softmin(axis), lambda x, axis: x.softmin(dim=axis)),
        there=functional.softmin,
    ),
    Case(
        "glu",
        halves,
        here=(lambda x, axis: x.glu(axis), lambda x, axis: x.glu(dim=axis)),
        there=functional.glu,
    ),
    # --- reductions ---
    Case(
        "sum",
        reduced(),
        numpy=lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
        here=(
            lambda x, axis, keepdims: np.sum(x, axis, keepdims=keepdims),
            lambda x, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.sum(axis, keepdims),
            lambda x, axis, keepdims: x.sum(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.sum),
    ),
    Case(
        "mean",
        reduced(smallest=1),
        numpy=lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
        here=(
            lambda x, axis, keepdims: x.mean(axis, keepdims),
            lambda x, axis, keepdims: x.mean(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.mean),
    ),
    Case(
        "prod",
        reduced(),
        numpy=lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
        here=(
            lambda x, axis, keepdims: np.multiply.reduce(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.prod(axis, keepdims),
            lambda x, axis, keepdims: x.prod(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.prod),
    ),
    Case(
        "max",
        reduced(smallest=1),
        numpy=lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
        here=(
            lambda x, axis, keepdims: np.amax(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: np.maximum.reduce(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.max(axis, keepdims),
            lambda x, axis, keepdims: x.max(axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.amax(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.amax),
    ),
    Case(
        "min",
        reduced(smallest=1),
        numpy=lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
        here=(
            lambda x, axis, keepdims: np.amin(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: np.minimum.reduce(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.min(axis, keepdims),
            lambda x, axis, keepdims: x.min(axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.amin(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.amin),
    ),
    Case(
        "logsumexp",
        reduced(),
        here=(
            lambda x, axis, keepdims: np.logaddexp.reduce(x, axis=axis, keepdims=keepdims),
            lambda x, axis, keepdims: x.logsumexp(axis, keepdims),
            lambda x, axis, keepdims: x.logsumexp(dim=axis, keepdim=keepdims),
        ),
        there=along_axes(torch.logsumexp),
    ),
    Case(
        "var",
        spread,
        numpy=lambda x, axis, keepdims, ddof: np.var(x, axis=axis, keepdims=keepdims, ddof=ddof),
        here=(
            lambda x, axis, keepdims, n: x.var(axis, unbiased=n == 1, keepdims=keepdims),
            lambda x, axis, keepdims, n: x.var(axis, correction=n, keepdims=keepdims),
            lambda x, axis, keepdims, n: x.var(dim=axis, correction=n, keepdim=keepdims),
        ),
        there=along_axes(lambda x, dim, n: torch.var(x, dim, correction=n)),
    ),
    Case(
        "std",
        spread,
        numpy=lambda x, axis, keepdims, ddof: np.std(x, axis=axis, keepdims=keepdims, ddof=ddof),
        here=(
            lambda x, axis, keepdims, n: x.std(axis, unbiased=n == 1, keepdims=keepdims),
            lambda x, axis, keepdims, n: x.std(axis, correction=n, keepdims=keepdims),
            lambda x, axis, keepdims, n: x.std(dim=axis, correction=n, keepdim=keepdims),
        ),
        there=along_axes(lambda x, dim, n: torch.std(x, dim, correction=n)),
    ),
    Case(
        "nansum",
        with_nan,
        numpy=lambda x, axis, keepdims: np.nansum(x, axis=axis, keepdims=keepdims),
        here=(lambda x, axis, keepdims: x.nansum(dim=axis, keepdim=keepdims),),
        there=along_axes(torch.nansum),
    ),
    Case(
        "nanmean",
        with_nan,
        numpy=lambda x, axis, keepdims: np.nanmean(x, axis=axis, keepdims=keepdims),
        here=(lambda x, axis, keepdims: x.nanmean(dim=axis, keepdim=keepdims),),
        there=along_axes(torch.nanmean),
    ),
    Case(
        "median",
        reduced(smallest=1, ties=False),
        numpy=lambda x, axis, keepdims: np.median(x, axis=axis, keepdims=keepdims),
        there=along_axes(lambda x, dim: torch.quantile(x, 0.5, dim, interpolation="midpoint")),
    ),
    Case(
        "median, the lower one",
        reduced(smallest=1, ties=False),
        here=(lambda x, axis, keepdims: x.median(axis, keepdims),),
        there=along_axes(lambda x, dim: torch.median(x, dim).values),
    ),
    Case(
        "max, with its index",
        reduced_along,
        torch=lambda x, axis, keepdim: x.max(dim=axis, keepdim=keepdim).values,
    ),
    Case(
        "min, with its index",
        reduced_along,
        torch=lambda x, axis, keepdim: x.min(dim=axis, keepdim=keepdim).values,
    ),
    Case(
        "median, with its index",
        lambda choose: reduced_along(choose, ties=False),
        torch=lambda x, axis, keepdim: x.median(dim=axis, keepdim=keepdim).values,
    ),
    Case(
        "mode",
        reduced_along,
        torch=lambda x, axis, keepdim: x.mode(axis, keepdim).values,
        here=(lambda x, axis, keepdims: x.mode(dim=axis, keepdim=keepdims)[0],),
    ),
    Case(
        "kthvalue",
        lambda choose: (
            *(args := reduced_along(choose, ties=False)),
            choose.integer(1, args[0].shape[args[1]]),
        ),
        torch=lambda x, axis, keepdim, k: x.kthvalue(k, axis, keepdim).values,
        here=(lambda x, axis, keepdims, k: x.kthvalue(k=k, dim=axis, keepdim=keepdims)[0],),
    ),
    Case(
        "quantile",
        fractions,
        numpy=lambda x, q, axis, keepdims, method: np.quantile(
            x, q, axis=axis, keepdims=keepdims, method=method
        ),
        here=(
            lambda x, q, axis, keepdims, method: x.quantile(
                q, dim=axis, keepdim=keepdims, interpolation=method
            ),
            lambda x, q, axis, keepdims, method: x.quantile(q, axis, keepdims, method=method),
        ),
        there=torch_quantile,
    ),
    Case(
        "trapezoid",
        samples,
        numpy=lambda y, x, axis: np.trapezoid(y, x, axis=axis),
        there=lambda y, x, axis: torch.trapezoid(y, x, dim=axis),
    ),
    Case(
        "trapezoid in steps",
        lambda choose: (*with_axis(choose), choose.one_of(0.5, 2.0)),
        numpy=lambda y, axis, dx: np.trapezoid(y, dx=dx, axis=axis),
        there=lambda y, axis, dx: torch.trapezoid(y, dx=dx, dim=axis),
    ),
    Case(
        "diff",
        differences,
        numpy=lambda x, n, axis, before, after: np.diff(
            x,
            n,
            axis,
            **{
                name: end
                for name, end in (("prepend", before), ("append", after))
                if end is not None
            },
        ),
        torch=lambda x, n, axis, before, after: x.diff(n, axis, before, after),
        here=(
            lambda x, n, axis, before, after: x.diff(n=n, dim=axis, prepend=before, append=after),
        ),
    ),
    Case(
        "gradient",
        with_spacing,
        numpy=lambda f, spacing, axis, edge_order: np.gradient(
            f, *spacing, axis=axis, edge_order=edge_order
        ),
        there=torch_gradient,
    ),
    # --- running along an axis ---
    Case(
        "cumsum",
        with_axis_or_none,
        numpy=lambda x, axis: np.cumsum(x, axis=axis),
        here=(
            lambda x, axis: np.add.accumulate(*((x.reshape(-1), 0) if axis is None else (x, axis))),
            lambda x, axis: x.cumsum(axis),
            lambda x, axis: x.cumsum(dim=axis),
        ),
        there=over_all_without_axis(torch.cumsum),
    ),
    Case(
        "cumprod",
        with_axis_or_none,
        numpy=lambda x, axis: np.cumprod(x, axis=axis),
        here=(lambda x, axis: x.cumprod(axis), lambda x, axis: x.cumprod(dim=axis)),
        there=over_all_without_axis(torch.cumprod),
    ),
    Case(
        "logcumsumexp",
        with_axis,
        numpy=np.logaddexp.accumulate,
        torch=lambda x, axis: x.logcumsumexp(axis),
        here=(lambda x, axis: x.logcumsumexp(dim=axis),),
    ),
    Case(
        "cummax",
        with_axis,
        numpy=np.maximum.accumulate,
        torch=lambda x, axis: x.cummax(axis).values,
        here=(lambda x, axis: x.cummax(dim=axis)[0],),
    ),
    Case(
        "cummin",
        with_axis,
        numpy=np.minimum.accumulate,
        torch=lambda x, axis: x.cummin(axis).values,
        here=(lambda x, axis: x.cummin(dim=axis)[0],),
    ),
    # --- shape ---
    Case(
        "reshape",
        reshaped,
        numpy=np.reshape,
        torch=lambda x, shape: x.reshape(shape),
        here=(
            lambda x, shape: x.reshape(*shape),
            lambda x, shape: x.view(*shape),
            lambda x, shape: np.reshape(x, list(shape)),
        ),
    ),
    Case("ravel", one(), numpy=np.ravel, torch=lambda x: x.ravel()),
    Case("flatten", one(), torch=lambda x: x.flatten()),
    Case(
        "flatten some",
        flattened,
        torch=lambda x, start, end: x.flatten(start, end),
        here=(lambda x, start, end: x.flatten(start_dim=start, end_dim=end),),
    ),
    Case(
        "unflatten",
        parted,
        torch=lambda x, axis, sizes: x.unflatten(axis, sizes),
        here=(lambda x, axis, sizes: x.unflatten(dim=axis, sizes=sizes),),
    ),
    Case("squeeze", one(), numpy=np.squeeze, torch=lambda x: x.squeeze()),
    Case(
        "squeeze an axis",
        thin_axis,
        numpy=lambda x, axis: np.squeeze(x, axis=axis),
        torch=lambda x, axis: x.squeeze(axis),
        here=(lambda x, axis: x.squeeze(dim=axis), lambda x, axis: x.squeeze(axis=axis)),
    ),
    Case(
        "expand_dims",
        new_axis,
        numpy=np.expand_dims,
        torch=lambda x, axis: x.unsqueeze(axis),
        here=(
            lambda x, axis: x.unsqueeze(dim=axis),
            lambda x, axis: x.expand_dims(axis),
            lambda x, axis: np.expand_dims(x, axis=(axis,)),
        ),
    ),
    Case(
        "transpose",
        one(),
        numpy=np.transpose,
        here=(lambda x: x.T, lambda x: x.transpose(), lambda x: np.transpose(x, None)),
        there=lambda x: x.permute([*range(x.ndim)[::-1]]),
    ),
    Case(
        "permute",
        permuted,
        numpy=np.transpose,
        torch=lambda x, axes: x.permute(axes),
        here=(
            lambda x, axes: x.permute(*axes),
            lambda x, axes: x.permute(dims=axes),
            lambda x, axes: x.transpose(axes),
            lambda x, axes: np.permute_dims(x, axes=axes),
        ),
    ),
    Case(
        "matrix_transpose",
        one(2),
        numpy=np.matrix_transpose,
        torch=lambda x: x.mT,
    ),
    Case(
        "swapaxes",
        two_axes,
        numpy=np.swapaxes,
        torch=lambda x, i, j: x.swapaxes(i, j),
        here=(
            lambda x, i, j: x.transpose(i, j),
            lambda x, i, j: x.transpose(dim0=i, dim1=j),
            lambda x, i, j: x.swapdims(i, j),
            lambda x, i, j: x.swapdims(dim0=i, dim1=j),
        ),
    ),
    Case(
        "moveaxis",
        moving_axes,
        numpy=np.moveaxis,
        torch=lambda x, source, destination: x.moveaxis(source, destination),
        here=(lambda x, source, destination: x.movedim(source, destination),),
    ),
    Case(
        "rollaxis",
        rolled_axis,
        numpy=np.rollaxis,
        here=(lambda x, axis, start: x.rollaxis(axis, start),),
        there=moved(np.rollaxis),
    ),
    Case(
        "broadcast_to",
        broadcast,
        numpy=np.broadcast_to,
        torch=lambda x, shape: x.broadcast_to(shape),
        here=(
            lambda x, shape: x.expand(*shape),
            lambda x, shape: x.expand(shape),
        ),
    ),
    Case(
        "broadcast_arrays",
        lambda choose: choose.broadcasting(3),
        numpy=np.broadcast_arrays,
        there=torch.broadcast_tensors,
    ),
    Case("flip everything", one(), numpy=np.flip, here=(lambda x: x.flip(),), there=moved(np.flip)),
    Case(
        "flip",
        axes_to_flip,
        numpy=np.flip,
        torch=lambda x, axes: x.flip(axes),
        here=(
            lambda x, axes: x.flip(*axes),
            lambda x, axes: x.flip(axis=axes),
            lambda x, axes: x.flip(dims=axes),
        ),
    ),
    Case("fliplr", one(2), numpy=np.fliplr, torch=lambda x: x.fliplr()),
    Case("flipud", one(1), numpy=np.flipud, torch=lambda x: x.flipud()),
    Case(
        "roll",
        shifted,
        numpy=np.roll,
        torch=lambda x, shift, axis: x.roll(shift, axis),
        here=(lambda x, shift, axis: x.roll(shifts=shift, dims=axis),),
    ),
    Case(
        "rot90",
        turned,
        numpy=np.rot90,
        torch=lambda x, k, axes: x.rot90(k, axes),
        here=(
            lambda x, k, axes: np.rot90(x, k=k, axes=tuple(axes)),
            lambda x, k, axes: x.rot90(k, dims=axes),
        ),
    ),
    Case(
        "repeat",
        repeated,
        numpy=np.repeat,
        torch=lambda x, repeats, axis: x.repeat_interleave(repeats, axis),
        here=(lambda x, repeats, axis: x.repeat_interleave(repeats, dim=axis),),
    ),
    Case(
        "tile",
        tiled,
        numpy=np.tile,
        torch=lambda x, times: x.repeat(*times),
        here=(lambda x, times: x.repeat(times), lambda x, times: x.tile(*times)),
    ),
    Case(
        "tile fewer axes",
        lambda choose: (choose.array(1), choose.integer(0, 2)),
        numpy=np.tile,
        torch=lambda x, times: x.tile((times,)),
    ),
    Case(
        "stack",
        several,
        numpy=np.stack,
        there=torch.stack,
    ),
    Case(
        "concatenate",
        joined_along,
        numpy=np.concatenate,
        here=(lambda arrays, axis: np.concat(arrays, axis=axis),),
        there=torch.cat,
    ),
    Case(
        "concatenate everything",
        lambda choose: ([choose.array(0, 2), choose.array(0, 2)],),
        numpy=lambda arrays: np.concatenate(arrays, axis=None),
        here=(lambda arrays: np.append(*arrays), lambda arrays: arrays[0].append(arrays[1])),
        there=lambda arrays: torch.cat([x.flatten() for x in arrays]),
    ),
    Case(
        "append",
        joined_along,
        numpy=lambda arrays, axis: np.append(arrays[0], arrays[-1], axis),
        here=(lambda arrays, axis: arrays[0].append(arrays[-1], axis),),
        there=lambda arrays, axis: torch.cat([arrays[0], arrays[-1]], axis),
    ),
    Case(
        "hstack",
        joined_rows(0, lambda ndim: 0 if ndim < 2 else 1),
        numpy=np.hstack,
        there=torch.hstack,
    ),
    Case("vstack", joined_rows(2, lambda _: 0), numpy=np.vstack, there=torch.vstack),
    Case("vstack vectors", joined_rows(0, lambda _: 4), numpy=np.vstack, there=torch.vstack),
    Case("dstack", joined_rows(0, lambda _: 2), numpy=np.dstack, there=torch.dstack),
    Case("column_stack", columns, numpy=np.column_stack, there=torch.column_stack),
    Case(
        "atleast_1d",
        one(),
        numpy=np.atleast_1d,
        here=(lambda x: x.atleast_1d(),),
        there=torch.atleast_1d,
    ),
    Case(
        "atleast_2d",
        one(),
        numpy=np.atleast_2d,
        here=(lambda x: x.atleast_2d(),),
        there=torch.atleast_2d,
    ),
    Case(
        "atleast_3d",
        one(),
        numpy=np.atleast_3d,
        here=(lambda x: x.atleast_3d(),),
        there=torch.atleast_3d,
    ),
    Case(
        "atleast_1d of several",
        lambda choose: (choose.array(), choose.array()),
        numpy=np.atleast_1d,
        there=torch.atleast_1d,
    ),
    Case(
        "split",
        split_evenly,
        numpy=np.split,
        here=(lambda x, parts, axis: np.split(x, indices_or_sections=parts, axis=axis),),
        there=lambda x, parts, axis: torch.tensor_split(
            x, [int(i) for i in parts] if isinstance(parts, list) else parts, axis
        ),
    ),
    Case(
        "array_split",
        split_roughly,
        numpy=np.array_split,
        there=lambda x, parts, axis: torch.tensor_split(
            x, [int(i) for i in parts] if isinstance(parts, list) else parts, axis
        ),
    ),
    Case(
        "hsplit",
        cut(1, lambda ndim: 0 if ndim == 1 else 1),
        numpy=np.hsplit,
        here=(lambda x, parts: x.hsplit(parts),),
        there=moved(np.hsplit),
    ),
    Case(
        "vsplit",
        cut(2, lambda _: 0),
        numpy=np.vsplit,
        here=(lambda x, parts: x.vsplit(parts),),
        there=moved(np.vsplit),
    ),
    Case(
        "dsplit",
        cut(3, lambda _: 2),
        numpy=np.dsplit,
        here=(lambda x, parts: x.dsplit(parts),),
        there=moved(np.dsplit),
    ),
    Case(
        "split in sizes",
        split_in_torch,
        torch=lambda x, size, axis: x.split(size, axis),
        here=(lambda x, size, axis: x.split(size, dim=axis),),
    ),
    Case(
        "chunk",
        lambda choose: (choose.array(1, smallest=1), choose.integer(1, 4)),
        torch=lambda x, chunks: x.chunk(chunks, -1),
        here=(lambda x, chunks: x.chunk(chunks, dim=-1),),
    ),
    Case(
        "unbind",
        with_axis,
        torch=lambda x, axis: x.unbind(axis),
        here=(
            lambda x, axis: x.unbind(dim=axis),
            lambda x, axis: list(np.moveaxis(x, axis, 0)),
        ),
    ),
    Case(
        "unfold",
        unfolded,
        torch=lambda x, axis, size, step: x.unfold(axis, size, step),
        here=(lambda x, axis, size, step: x.unfold(dimension=axis, size=size, step=step),),
    ),
    Case("unpacking", one(1), torch=lambda x: [*x]),
    Case(
        "pad",
        padded,
        numpy=np.pad,
        here=(lambda x, width, mode: x.pad(width, mode=mode),),
        # What is not taken from x is taken from a 0 behind it.
        there=lambda x, width, mode: torch.cat([x.flatten(), x.new_zeros(1)])[
            torch.tensor(
                np.pad(
                    np.arange(x.numel()).reshape(tuple(x.shape)),
                    width,
                    mode,
                    **({"constant_values": x.numel()} if mode == "constant" else {}),
                )
            )
        ],
    ),
    Case(
        "pad with values",
        lambda choose: (choose.array(1, 3), choose.integer(0, 2), 0.5),
        numpy=lambda x, width, value: np.pad(x, width, constant_values=value),
        there=lambda x, width, value: functional.pad(x, (width, width) * x.ndim, value=value),
    ),
    Case(
        "tril",
        banded,
        numpy=np.tril,
        torch=lambda x, k: x.tril(k),
        here=(lambda x, k: x.tril(diagonal=k),),
    ),
    Case(
        "triu",
        banded,
        numpy=np.triu,
        torch=lambda x, k: x.triu(k),
        here=(lambda x, k: x.triu(diagonal=k),),
    ),
    Case(
        "diag",
        lambda choose: (choose.array(1, 2), choose.integer(-3, 3)),
        numpy=np.diag,
        torch=lambda x, k: x.diag(k),
        here=(lambda x, k: x.diag(diagonal=k),),
    ),
    Case(
        "diagonal",
        diagonals,
        numpy=np.diagonal,
        torch=lambda x, offset, i, j: x.diagonal(offset, i, j),
        here=(lambda x, offset, i, j: x.diagonal(offset, dim1=i, dim2=j),),
    ),
    Case(
        "meshgrid",
        coordinates,
        numpy=lambda arrays, indexing: np.meshgrid(*arrays, indexing=indexing),
        there=lambda arrays, indexing: torch.meshgrid(*arrays, indexing=indexing),
    ),
    Case(
        "meshgrid, sparse",
        coordinates,
        numpy=lambda arrays, indexing: np.meshgrid(*arrays, indexing=indexing, sparse=True),
    ),
    # --- indexing ---
    Case(
        "index",
        lambda choose: (x := choose.array(), choose.index(x)),
        numpy=lambda x, index: x[index],
        there=moved(lambda x, index: x[index]),
    ),
    Case(
        "index by a mask",
        lambda choose: (x := choose.array(), choose.mask(x.shape[: choose.integer(0, x.ndim)])),
        numpy=lambda x, mask: x[mask],
        there=moved(lambda x, mask: x[mask]),
    ),
    Case(
        "take",
        taken,
        numpy=lambda x, indices, axis: np.take(x, indices, axis=axis),
        here=(lambda x, indices, axis: x.take(indices, axis),),
        there=moved(lambda x, indices, axis: np.take(x, np.asarray(indices), axis=axis)),
    ),
    Case(
        "select",
        selected,
        torch=lambda x, axis, index: x.select(axis, index),
        here=(lambda x, axis, index: x.select(dim=axis, index=index),),
    ),
    Case(
        "index_select",
        slices,
        torch=lambda x, axis, index: x.index_select(axis, index),
        here=(lambda x, axis, index: x.index_select(dim=axis, index=index),),
    ),
    Case(
        "take_along_axis",
        taken_along,
        numpy=lambda x, axis, index: np.take_along_axis(x, index, axis),
        torch=lambda x, axis, index: x.take_along_dim(index, dim=axis),
        here=(lambda x, axis, index: x.take_along_axis(index, axis),),
    ),
    Case(
        "take_along_axis of all",
        lambda choose: (x := choose.array(1, smallest=1), choose.places(x.size, (4,)) % x.size),
        numpy=lambda x, index: np.take_along_axis(x, index, None),
        torch=lambda x, index: x.take_along_dim(index),
    ),
    Case(
        "gather",
        gathered,
        torch=lambda x, axis, index: x.gather(axis, index),
        here=(lambda x, axis, index: x.gather(dim=axis, index=index),),
    ),
    Case(
        "scatter_add",
        scattered,
        torch=lambda x, axis, index, src: x.scatter_add(axis, index, src),
        here=(lambda x, axis, index, src: x.scatter_add(dim=axis, index=index, src=src),),
    ),
    Case("masked_select", masked, torch=lambda x, mask: x.masked_select(mask)),
    Case("masked_fill", filled_in, torch=lambda x, mask, value: x.masked_fill(mask, value)),
    Case(
        "compress",
        lambda choose: (
            x := choose.array(1),
            axis := choose.axis(x),
            choose.mask((x.shape[axis],)),
        ),
        numpy=lambda x, axis, mask: np.compress(mask, x, axis=axis),
        here=(lambda x, axis, mask: x.compress(mask, axis),),
        there=lambda x, axis, mask: x.index_select(axis, mask.nonzero()[:, 0]),
    ),
    Case(
        "sort",
        with_axis,
        numpy=np.sort,
        here=(
            lambda x, axis: x.sort(axis),
            lambda x, axis: x.sort(axis, descending=False),
            lambda x, axis: x.sort(dim=axis, stable=True).values,
        ),
        there=lambda x, axis: torch.sort(x, dim=axis, stable=True).values,
    ),
    Case(
        "sort from the largest",
        with_axis,
        here=(
            lambda x, axis: x.sort(axis, descending=True),
            lambda x, axis: x.sort(dim=axis, descending=True)[0],
        ),
        there=lambda x, axis: torch.sort(x, dim=axis, descending=True, stable=True).values,
    ),
    Case(
        "sort everything",
        one(),
        numpy=lambda x: np.sort(x, axis=None),
        there=lambda x: x.flatten().sort(stable=True, dim=0).values,
    ),
    Case(
        "partition",
        partitioned,
        # Not compared with NumPy's: it leaves open in which order the others come.
        here=(np.partition, lambda x, kth, axis: x.partition(kth, axis)),
    ),
    Case(
        "topk",
        highest,
        torch=lambda x, k, axis, largest: x.topk(k, axis, largest).values,
        here=(lambda x, k, axis, largest: x.topk(k=k, dim=axis, largest=largest, sorted=True)[0],),
    ),
]
