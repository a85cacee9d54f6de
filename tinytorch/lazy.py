"""Arrays that are computed later: all that TinyTorch knows of Dask.

A Dask array is a plan of how to compute it, chunk by chunk. Operations and their rules make longer
plans of it, and nothing is computed before somebody asks for numbers: `item`, say, or `backward`,
if NumPy arrays want their gradients. Dask is imported when the first of its arrays has come in.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np


class _WouldCompute(Exception):  # noqa: N818  (it never leaves this module)
    """Numbers were asked for where a plan is being made."""


_planning = threading.RLock()


NUMBERS = frozenset({float, int, bool})
# What almost all operands are, so that nothing else is asked of them.
IN_MEMORY = NUMBERS | {np.ndarray}


def is_lazy(array: Any) -> bool:
    """Tell a Dask array from one that is in memory."""
    return hasattr(array, "__dask_graph__")


def any_lazy(arrays: Sequence[Any]) -> bool:
    """Say whether there is a Dask array among them."""
    return not IN_MEMORY.issuperset(map(type, arrays)) and any(map(is_lazy, arrays))


def accepted(array: Any) -> Any:
    """Give the array; a Dask array without its empty chunks, which Dask cannot always handle.

    Raises ValueError for a Dask array of no entries, or one that doesn't know its shape.
    """
    if not is_lazy(array):
        return array
    if any(map(math.isnan, array.shape)):
        raise ValueError(
            f"the Dask array has sizes that are not known, {array.shape}, as after picking by a "
            "mask; array.compute_chunk_sizes() finds them out, in one pass over the data"
        )
    if not array.size:
        raise ValueError(f"the Dask array of shape {array.shape} has no entries")
    for axis, sizes in enumerate(array.chunks):
        if 0 in sizes:
            array = array.blocks[(slice(None),) * axis + (np.flatnonzero(sizes).tolist(),)]
    return array


def like(values: Any, array: Any) -> Any:
    """Give `values`, of the shape of `array`, in an array of its kind.

    Raises TypeError for a Dask array where one in memory is wanted.
    """
    if is_lazy(values) == is_lazy(array):
        return values
    if is_lazy(values):
        raise TypeError("expected a NumPy array, got a Dask array; its compute() gives one")
    lazy: Any = np.asarray(values, like=array)
    return lazy.rechunk(array.chunks)


def spread(share: Any, array: Any) -> Any:
    """Broadcast the share of a Dask array's gradient to its shape, chunk by chunk.

    `np.broadcast_to` knows no chunks, and would make a single one.
    """
    lazy = type(array) is not np.ndarray and is_lazy(array)
    if lazy and is_lazy(share) and share.size < array.size:
        return share * np.ones_like(array, dtype=share.dtype)
    return share


@contextmanager
def planning(op: object) -> Iterator[None]:
    """Keep Dask from computing anything in the block.

    Raises TypeError, naming `op`, for what Dask cannot do, or not without computing.
    """
    dask: Any = import_module("dask")
    thread = threading.get_ident()
    # Every computation passes the scheduler, which is the same for all threads: one at a time makes
    # plans here, and the others go on computing.
    with _planning:
        outer = dask.config.get("scheduler", None)

        def refuse(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread:
                raise _WouldCompute("it would have to compute the array")
            return dask.base.get_scheduler(scheduler=outer or "threads")(*args, **kwargs)

        with dask.config.set(scheduler=refuse):
            try:
                yield
            except (ValueError, IndexError) as error:
                raise type(error)(f"{op}: {error}") from error
            except Exception as error:
                reason = str(error).strip().partition("\n")[0]
                raise TypeError(
                    f"{op}: Dask cannot do this to its arrays without computing them, or at all "
                    f"({reason}). On NumPy arrays, which their compute() gives, it works"
                ) from error


def evaluate(op: object, function: Callable[..., Any], *arrays: Any, **parameters: Any) -> Any:
    """Call `function`; if it is given a Dask array, without computing anything.

    Raises TypeError, naming `op`, where that is impossible.
    """
    if not any_lazy(arrays):
        return function(*arrays, **parameters)
    with planning(op):
        return accepted(function(*arrays, **parameters))


def compute(arrays: Sequence[Any]) -> list[Any]:
    """Compute all the arrays together, in one pass over the data that they share."""
    dask: Any = import_module("dask")
    # Copies, since what comes from another process may be read-only.
    return [np.array(array) for array in dask.compute(*arrays, traverse=False)]


def settled(arrays: Sequence[Any], likes: Sequence[Any]) -> list[Any]:
    """Compute, all together, those of the arrays whose counterparts are in memory."""
    found = list(arrays)
    wanted = [i for i, array in enumerate(likes) if not is_lazy(array)]
    for i, array in zip(wanted, compute([arrays[i] for i in wanted]), strict=True):
        found[i] = array
    return found


def known(node: Any) -> Any:
    """Give a node's array, or its value if that has been computed already."""
    value = getattr(node, "_computed", None)
    return node._data if value is None else value


def gradients_in_memory(
    nodes: Sequence[Any],
    roots: Iterable[Any],
    grads: MutableMapping[Any, Any],
    pull: Callable[[Sequence[Any]], None],
) -> list[Any]:
    """Pull gradients back through the nodes that hold Dask arrays, and give the other nodes.

    What is computed from a Dask array is one itself, so that these nodes come first on the way
    back. Then all gradients that have reached NumPy arrays are computed together, and with them
    the values of those roots that are single numbers.
    """
    for root in roots:
        grads[root] = like(grads[root], root._data)
    for node in nodes:
        if is_lazy(node._data):
            with planning(node._op):
                pull([node])
    reached = [node for node in grads if not is_lazy(node._data)]
    if reached:
        numbers = [root for root in roots if root.size == 1 and is_lazy(root._data)]
        arrays = compute([grads[node] for node in reached] + [root._data for root in numbers])
        grads.update(zip(reached, arrays, strict=False))
        for root, value in zip(numbers, arrays[len(reached) :], strict=True):
            root._computed = value
    return [node for node in nodes if not is_lazy(node._data)]


# --- indexing, of which Dask knows a part ---------------------------------------------------------


def picked(x: Any, index: Any) -> Any:
    """Give x[index] of a Dask array."""
    merged, parts, shape = _simplified(index, x.shape)
    return x.reshape(merged)[parts].reshape(shape)


def scattered(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Add the entries of a Dask array up in zeros, each where `index` picks from."""
    merged, parts, _ = _simplified(index, shape)
    axis = next((i for i, part in enumerate(parts) if isinstance(part, np.ndarray)), None)
    out = np.zeros_like(x, shape=merged)
    if axis is None:
        out[parts] = x.reshape(np.broadcast_to(0, merged)[parts].shape)
        return out
    before, places, after = parts[:axis], parts[axis], parts[axis + 1 :]
    sizes = np.broadcast_to(0, merged)[(*before, slice(0), *after)].shape
    x = x.reshape((*sizes[:axis], places.size, *sizes[axis + 1 :]))
    # Assigning does not add up, so that each place gets one of its entries, then the next, and on.
    rest = np.arange(places.size)
    while rest.size:
        _, first = np.unique(places[rest], return_index=True)
        there = (*before, places[rest[first]], *after)
        out[there] = out[there] + x[(slice(None),) * axis + (rest[first],)]
        rest = np.delete(rest, first)
    return out.reshape(shape)


def _simplified(index: Any, shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Write an index as Dask takes it: without new axes, and with one array at most.

    Axes that arrays index together are merged into one. Gives the shape after that, the index, and
    the shape of the result. Raises NotImplementedError for arrays that lie apart.
    """
    parts: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        is_mask = isinstance(part, bool) or getattr(part, "dtype", None) == np.bool_
        parts.extend(np.nonzero(part) if is_mask else [part])
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    named = sum(part is not None for part in parts) - 1
    parts[at : at + 1] = [slice(None)] * (len(shape) - named)

    if not any(isinstance(part, np.ndarray) for part in parts):
        result = np.broadcast_to(0, shape)[tuple(parts)].shape
    else:
        indexed = [i for i, part in enumerate(parts) if not isinstance(part, slice | None)]
        first, end = indexed[0], indexed[-1] + 1
        if len(indexed) < end - first:
            raise NotImplementedError("whole numbers and arrays lie apart in the index")
        axis = sum(part is not None for part in parts[:first])
        block = shape[axis : axis + end - first]
        places = np.arange(math.prod(block)).reshape(block)[tuple(parts[first:end])]
        shape = (*shape[:axis], math.prod(block), *shape[axis + end - first :])
        around = np.broadcast_to(0, shape)[(*parts[:first], slice(0), *parts[end:])].shape
        result = (*around[:first], *places.shape, *around[first + 1 :])
        parts[first:end] = [places.ravel()]
    return shape, tuple(part for part in parts if part is not None), result
