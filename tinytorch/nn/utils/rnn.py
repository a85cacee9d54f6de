"""Sequences of several lengths in one array: padded, or packed one after the other step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.plain import plain
from tinytorch.nn.inputs import tensor, values
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import scatter
from tinytorch.tensor import Tensor


class PackedSequence(NamedTuple):
    """N sequences without their padding: the first step of all, the second of those that have one.

    `data` is (entries, *), `batch_sizes` says how many sequences have each step. They come in the
    order of `sorted_indices`, from the longest to the shortest; `unsorted_indices` undoes it. None
    stands for the order that they were given in.
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None

    @property
    def places(self) -> tuple[Any, Any]:
        """The step of each entry, and its sequence."""
        sizes = self.batch_sizes
        steps, sequences = np.nonzero(np.arange(sizes[0]) < sizes[:, None])
        order = self.sorted_indices
        return steps, sequences if order is None else order[sequences]


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0
) -> Any:
    """Put sequences (L, *) into one array (longest L, N, *), the short ones with padding behind.

    With `batch_first` it is (N, longest L, *). Raises ValueError for none.

    >>> pad_sequence([np.array([1, 2]), np.array([3])], batch_first=True)
    array([[1, 2],
           [3, 0]])
    """
    if not len(sequences):
        raise ValueError("pad_sequence: there are no sequences")
    lengths = np.array([len(x) for x in sequences])
    sequence, step = np.nonzero(np.arange(lengths.max()) < lengths[:, None])
    data: Any = np.concatenate([x if hasattr(x, "dtype") else values(x) for x in sequences])
    out = _padded(data, (step, sequence), (lengths.max(), len(lengths)), padding_value)
    return out.swapaxes(0, 1) if batch_first else out


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack padded sequences (L, N, *), or with `batch_first` (N, L, *), of these lengths.

    Raises ValueError for lengths that don't fit, or with `enforce_sorted` grow.
    """
    x, lengths = tensor(input), values(lengths).astype(int)
    x = x.swapaxes(0, 1) if batch_first else x
    if lengths.shape != x.shape[1:2] or not (lengths > 0).all() or lengths.max() > len(x):
        raise ValueError(
            f"pack_padded_sequence: {x.shape[1]} sequences have so many lengths from 1 to "
            f"{len(x)}, got {lengths.tolist()}; batch_first={not batch_first} swaps the two axes"
        )
    order = back = None
    if not enforce_sorted:
        order = np.argsort(-lengths, kind="stable")
        back = np.argsort(order)
    elif (np.diff(lengths) > 0).any():
        raise ValueError(
            "pack_padded_sequence: the lengths grow; enforce_sorted=False lets them be in any order"
        )
    sizes = (np.arange(lengths.max())[:, None] < lengths).sum(axis=1)
    packed = PackedSequence(None, *map(_plain, (sizes, order, back)))
    return packed._replace(data=x[packed.places])


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Any]:
    """Give packed sequences padded, (L, N, *) or with `batch_first` (N, L, *), and their lengths.

    L is that of the longest, or `total_length`. Raises ValueError if that is too short.
    """
    steps, sequences = sequence.places
    n_steps, n_sequences = len(sequence.batch_sizes), sequence.batch_sizes[0]
    if total_length is not None and total_length < n_steps:
        raise ValueError(f"pad_packed_sequence: total_length is at least {n_steps}: {total_length}")
    shape = (total_length or n_steps, int(n_sequences))
    out = _padded(sequence.data, (steps, sequences), shape, padding_value)
    return out.swapaxes(0, 1) if batch_first else out, plain(np.bincount(sequences))


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, *): see `pack_padded_sequence`."""
    lengths = np.array([len(x) for x in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def _plain(x: Any) -> Any:
    return None if x is None else plain(x)


def _padded(data: Any, places: Any, shape: tuple[int, int], value: float) -> Any:
    """Put the entries of `data` in their places, and `value` in all others."""
    out = scatter(data, places, (*shape, *data.shape[1:]))
    if value:
        others = np.ones((*shape, *(1,) * (data.ndim - 1)), bool)
        others[places] = False
        out = where(others, out.dtype.type(value), out)
    return out if isinstance(out, Tensor) else plain(out)
