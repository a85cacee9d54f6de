"""A program: NumPy calls in order, the values that go in and out, and where they are from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.operators import is_number
from tinytorch.arrays.parts import ATOMS, is_array, map_parts, on_gpu
from tinytorch.arrays.user_lines import Line
from tinytorch.engine import Array, Node


class Ref(NamedTuple):
    """The place of a value in a call."""

    slot: int


ATOMS.add(Ref)


@dataclass(slots=True)
class Value:
    """What is known of a value: all but its entries."""

    slot: int
    root: int  # the value whose memory it lies in
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    scalar: bool  # no array, but a number
    weak: bool  # a number of Python's, which has no dtype of its own
    source: Any = None  # where it comes from, if from outside: an array, or one of the keys below
    content: Array | None = None  # of an array from outside, as it was met
    node: Any = None  # the tensor whose data or gradient it is
    place: Any = None  # where in memory that was
    gradient_of: int | None = None  # the value whose gradient it is
    line: Line | None = None
    on_gpu: bool = False

    @classmethod
    def of(cls, value: Any, slot: int, root: int, source: Any, line: Line | None) -> Value:
        """Describe `value`."""
        weak = is_number(value)
        x = np.asarray(value) if weak else value
        there = on_gpu(value)
        scalar = not (there or isinstance(value, np.ndarray))
        return cls(
            slot, root, x.shape, x.dtype, x.strides, scalar, weak, source, line=line, on_gpu=there
        )

    def describes(self, array: Any, root: int) -> bool:
        """Say whether it is what is known of an array."""
        return (
            type(array) is np.ndarray and not self.scalar and self.source is None
            and self.root == root and self.shape == array.shape and self.dtype == array.dtype
            and self.strides == array.strides
        )  # fmt: skip

    def alike(self, other: Value) -> bool:
        """Say whether both look the same."""
        return (
            self.root == other.root and self.shape == other.shape and self.dtype == other.dtype
            and self.strides == other.strides and self.scalar == other.scalar
            and self.weak == other.weak and self.on_gpu == other.on_gpu
        )  # fmt: skip


class Argument(NamedTuple):
    """The source of a value: a leaf of the arguments, by its number."""

    number: int


class Constant(NamedTuple):
    """The source of a value: it is the same in each run."""

    content: Array


class Gradient(NamedTuple):
    """The source of a value: what a tensor had as its gradient before the call."""

    node: Any


@dataclass(slots=True)
class Call:
    """One call of a NumPy function; it makes the values `outs`, and changes those `written`."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outs: list[int]
    written: list[int]
    line: Line
    part: str  # forward, backward or update
    errstate: dict[str, str] | None = None  # where NumPy is told to treat errors otherwise
    sequence: bool = False  # it gives a tuple or list, be it of one value
    _inputs: tuple[int, ...] | None = field(default=None, init=False)

    def target(self, names: Sequence[str]) -> str:
        """Write what the values are assigned to, by their names."""
        return ", ".join(names) + ("," if self.sequence and len(names) == 1 else "")

    def inputs(self) -> tuple[int, ...]:
        """List the values that it reads."""
        if self._inputs is None:
            self._inputs = tuple(refs_in((self.args, self.kwargs)))
        return self._inputs


def refs_in(tree: Any) -> list[int]:
    """List the slots that a tree refers to."""
    found: list[int] = []
    map_parts(lambda x: found.append(x.slot) if type(x) is Ref else None, tree)
    return found


def owner_of(array: Any) -> Any:
    """Give the array whose memory it is, or what else has it, as a bytearray."""
    last = array
    while (base := getattr(last, "base", None)) is not None:
        last = base
        if is_array(base):  # else what as_strided puts between two arrays
            array = base
    return array if last is array else last.obj if isinstance(last, memoryview) else last


def place_of(array: Array) -> tuple[Any, ...]:
    """Say where an array lies in memory, and how; the same for every view of the same entries."""
    data: Any = array.data
    start = data.ptr if on_gpu(array) else array.__array_interface__["data"][0]
    return id(owner_of(array)), start, array.shape, array.strides, array.dtype


def same(x: Array, y: Array) -> bool:
    """Say whether two arrays are equal bit by bit, nan included."""
    return x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes()


def equal(x: Any, y: Any) -> bool:  # noqa: PLR0911  (a line for each kind)
    """Say whether two trees are the same, numbers by value and objects by identity."""
    if x is y:
        return True
    if (kind := type(x)) is not type(y):
        return False
    if kind is Ref:  # nearly always
        return bool(x.slot == y.slot)
    if isinstance(x, (list, tuple)):  # a union would be made anew each time
        return len(x) == len(y) and all(map(equal, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(equal(x[key], y[key]) for key in x)
    if isinstance(x, slice):
        return equal((x.start, x.stop, x.step), (y.start, y.stop, y.step))
    if isinstance(x, Node):
        return False
    if isinstance(x, float) and math.isnan(x):
        return math.isnan(y)
    return bool(x == y)


@dataclass(slots=True)
class Program:
    """The calls, the values, and what is done with them when all calls are made."""

    calls: list[Call]
    values: list[Value]
    results: Any  # the tree that is returned: Ref, Result or constants
    gradients: list[tuple[Any, int | None]] = field(default_factory=list)  # set, or forgotten
    rebound: list[tuple[Any, Any]] = field(default_factory=list)  # places outside, and their values
    # What the function asked of places outside, and the answer: the program is for that one.
    conditions: list[tuple[Any, Callable[[Any], bool], bool]] = field(default_factory=list)
