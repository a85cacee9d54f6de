"""Products and linear algebra of batches: NumPy's functions of stacks, all arrays at once."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinytorch.arrays.batch import SHORT_CUTS, in_front, is_batch, one_by_one
from tinytorch.arrays.batch_functions import each, short_cut
from tinytorch.arrays.words import conj, matmul

Function = Callable[..., Any]


def _as_stack(x: Any, core: int, level: int, loops: int) -> Any:
    """Give the arrays of a batch along a first axis, with `loops` axes before the `core` ones."""
    if not is_batch(x, level):
        return x
    front = x.front
    ones = (1,) * (loops - (x.ndim - core))
    return front.reshape((len(front), *ones, *x.shape)) if ones else front


def _stacks(function: Function, core: Sequence[int], level: int, *operands: Any, **o: Any) -> Any:
    """Call a function that takes stacks, in each operand before so many axes of its own."""
    loops = max(np.ndim(x) - n for x, n in zip(operands, core, strict=False))
    given = [_as_stack(x, n, level, loops) for x, n in zip(operands, core, strict=False)]
    result = function(*given, *operands[len(core) :], **o)
    if not isinstance(result, tuple):
        return in_front(result, level)
    named: Any = type(result)
    return named._make([in_front(part, level) for part in result])


def _of_stacked_matrices(function: Function, level: int, x: Any, *args: Any, **options: Any) -> Any:
    return _stacks(function, (2,), level, x, *args, **options)


@short_cut((np.matmul, "__call__"))
def _matmul(level: int, x: Any, y: Any, **options: Any) -> Any:
    if options:
        return one_by_one(np.matmul, x, y, **options)
    if not is_batch(x, level) and np.ndim(y) == 1 and np.ndim(x) <= 2:
        x, y = y, x.T
    if not is_batch(y, level) and np.ndim(x) == 1 and np.ndim(y) <= 2:
        return in_front(matmul(x.front, y), level)  # of all vectors as one matrix
    if np.ndim(x) == np.ndim(y) == 1:
        return np.vecdot(conj(x), y)  # which conjugates x again
    row, column = np.ndim(x) == 1, np.ndim(y) == 1
    out = _stacks(matmul, (2, 2), level, x[None] if row else x, y[:, None] if column else y)
    return out[..., 0, :] if row else out[..., 0] if column else out


@short_cut(np.tensordot)
def _tensordot(level: int, a: Any, b: Any, axes: Any = 2) -> Any:
    del level
    if isinstance(axes, int):
        axes = range(np.ndim(a) - axes, np.ndim(a)), range(axes)
    summed = [normalize_axis_tuple(of, np.ndim(x)) for of, x in zip(axes, (a, b), strict=True)]
    kept = [
        [i for i in range(np.ndim(x)) if i not in of] for of, x in zip(summed, (a, b), strict=True)
    ]
    count = math.prod([a.shape[i] for i in summed[0]])
    m, n = (math.prod([x.shape[i] for i in of]) for x, of in zip((a, b), kept, strict=True))
    rows = np.transpose(a, (*kept[0], *summed[0])).reshape(m, count)
    columns = np.transpose(b, (*summed[1], *kept[1])).reshape(count, n)
    shape = [x.shape[i] for x, axes in zip((a, b), kept, strict=True) for i in axes]
    return np.matmul(rows, columns).reshape(shape)


SHORT_CUTS[np.linalg.cross] = lambda level, x, y, axis=-1: (
    _stacks(np.linalg.cross, (1, 1), level, x, y)
    if axis == -1
    else one_by_one(np.linalg.cross, x, y, axis=axis)
)
SHORT_CUTS[np.vecdot, "__call__"] = lambda level, x, y, **options: (
    one_by_one(np.vecdot, x, y, **options) if options else _stacks(np.vecdot, (1, 1), level, x, y)
)
SHORT_CUTS[np.linalg.solve] = lambda level, a, b: (
    _stacks(np.linalg.solve, (2, 2), level, a, b)
    if np.ndim(b) > 1
    else _stacks(np.linalg.solve, (2, 2), level, a, b[:, None])[..., 0]
)
each(_of_stacked_matrices,
    np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigh,
    np.linalg.eigvalsh, np.linalg.svd, np.linalg.svdvals, np.linalg.qr, np.linalg.pinv,
    np.linalg.matrix_power,
)  # fmt: skip


@short_cut(np.einsum)
def _einsum(level: int, subscripts: Any, *operands: Any, **options: Any) -> Any:
    if not isinstance(subscripts, str) or "->" not in subscripts:
        return one_by_one(np.einsum, subscripts, *operands, **options)
    letter = next(x for x in string.ascii_letters if x not in subscripts)
    terms, result = subscripts.split("->")
    labels = [
        letter + term if is_batch(x, level) else term
        for term, x in zip(terms.split(","), operands, strict=True)
    ]
    arrays = [x.front if is_batch(x, level) else x for x in operands]
    return in_front(np.einsum(f"{','.join(labels)}->{letter}{result}", *arrays, **options), level)
