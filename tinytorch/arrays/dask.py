"""Dask arrays: plans of how to compute an array, chunk by chunk.

Operations and their rules make longer plans of it, and nothing is computed before somebody asks for
numbers: `item`, say, or `backward`, if NumPy arrays want their gradients.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dask.array as da
import dask.base
import dask.config
import numpy as np

from tinytorch.arrays.kind import Kind


class _WouldCompute(Exception):  # noqa: N818  (it never leaves this module)
    """Numbers were asked for where a plan is being made."""


_planning = threading.RLock()


def is_lazy(array: Any) -> bool:
    """Tell a Dask array from one that is in memory."""
    return isinstance(array, da.Array)


class DaskKind(Kind):
    """Arrays that are computed later."""

    name = "Dask"
    to_numpy = "its compute()"
    plans = True
    takes_batches = False

    def accept(self, array: Any) -> Any:
        """Give the array without its empty chunks, which Dask cannot always handle.

        Raises ValueError for an array of no entries, or one that doesn't know its shape.
        """
        if any(map(math.isnan, array.shape)):
            raise ValueError(
                f"the Dask array has sizes that are not known, {array.shape}, as after picking by "
                "a mask; array.compute_chunk_sizes() finds them out, in one pass over the data"
            )
        if not array.size:
            raise ValueError(f"the Dask array of shape {array.shape} has no entries")
        for axis, sizes in enumerate(array.chunks):
            if 0 in sizes:
                array = array.blocks[(slice(None),) * axis + (np.flatnonzero(sizes).tolist(),)]
        return array

    def like(self, values: Any, array: Any) -> Any:
        """Give `values` in chunks as those of `array`."""
        if is_lazy(values):
            return values
        lazy: Any = np.asarray(values, like=array)
        return lazy.rechunk(array.chunks)

    def known(self, array: Any) -> Any:
        """Give the values if a pass over the data has computed them."""
        return getattr(array, "_tinytorch_value", array)

    def numpy(self, array: Any) -> Any:
        """Compute the values, unless a pass over the data has done so already."""
        known = self.known(array)
        return compute([known])[0] if known is array else known

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call `function` without computing anything. Raises TypeError if that is impossible."""
        with planning(op):
            result = function(*arrays, **parameters)
            return self.accept(result) if is_lazy(result) else result

    def broadcast_to(self, array: Any, shape: tuple[int, ...], like: Any) -> Any:
        """Repeat the entries chunk by chunk: `np.broadcast_to` would make a single one of them."""
        if like is None or not is_lazy(like):
            return np.broadcast_to(array, shape)
        return array * np.ones_like(like, dtype=array.dtype)

    def pick(self, x: Any, index: Any) -> Any:
        """Give x[index], of which Dask itself knows a part."""
        merged, parts, shape = _simplified(index, x.shape)
        return x.reshape(merged)[parts].reshape(shape)

    def scatter(self, x: Any, index: Any, shape: tuple[int, ...]) -> Any:
        """Add the entries of x up in zeros, each where `index` picks from."""
        return _scattered(x, index, shape)

    def way_back(self, nodes: Sequence[Any], grads: Any, step: Callable[..., None]) -> None:
        """Pull gradients back through the nodes that hold Dask arrays, then through the others.

        What is computed from a Dask array is one itself, so that these nodes come first on the way
        back. Between the two, all gradients that have reached NumPy arrays are computed together,
        and with them the values of those roots that are single numbers.
        """
        roots = list(grads)
        for root in roots:
            if is_lazy(root._value):
                grads[root] = self.like(grads[root], root._value)
        for node in nodes:
            if is_lazy(node._value):
                with planning(node._op):
                    step([node])
        reached = [node for node in grads if not is_lazy(node._value)]
        if reached:
            numbers = [root._value for root in roots if root.size == 1 and is_lazy(root._value)]
            values = compute([grads[node] for node in reached] + numbers)
            grads.update(zip(reached, values, strict=False))
            for number, value in zip(numbers, values[len(reached) :], strict=True):
                number._tinytorch_value = value
        step([node for node in nodes if not is_lazy(node._value)])

    def settle(self, arrays: Sequence[Any], likes: Sequence[Any]) -> list[Any]:
        """Compute, all together, those of the arrays whose counterparts are in memory."""
        found = list(arrays)
        wanted = [i for i, x in enumerate(likes) if is_lazy(found[i]) and not is_lazy(x)]
        for i, array in zip(wanted, compute([arrays[i] for i in wanted]), strict=True):
            found[i] = array
        return found

    def text(self, array: Any) -> str:
        """Write down the plan, or the values if they are known."""
        known = self.known(array)
        return repr(array) if known is array else super().text(known)


KIND = DaskKind()


def compute(arrays: Sequence[Any]) -> list[Any]:
    """Compute all the arrays together, in one pass over the data that they share."""
    # Copies, since what comes from another process may be read-only.
    computed = dask.base.compute(*arrays, traverse=False)  # type: ignore[no-untyped-call]
    return [np.array(array) for array in computed]


@contextmanager
def planning(op: object) -> Iterator[None]:
    """Keep Dask from computing anything in the block.

    Raises TypeError, naming `op`, for what Dask cannot do, or not without computing.
    """
    thread = threading.get_ident()
    # Every computation passes the scheduler, which is the same for all threads: one at a time makes
    # plans here, and the others go on computing.
    with _planning:
        outer = dask.config.get("scheduler", None)

        def refuse(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread:
                raise _WouldCompute("it would have to compute the array")
            return dask.base.get_scheduler(scheduler=outer or "threads")(  # type: ignore[no-untyped-call]
                *args, **kwargs
            )

        with dask.config.set(scheduler=refuse):
            try:
                yield
            except (ValueError, IndexError) as error:
                raise type(error)(f"{op}: {error}") from error
            except Exception as error:
                if type(error) is RuntimeError:  # a graph that was freed says so
                    raise
                reason = str(error).strip().partition("\n")[0]
                raise TypeError(
                    f"{op}: Dask cannot do this to its arrays without computing them, or at all "
                    f"({reason}). On NumPy arrays, which their compute() gives, it works"
                ) from error


# --- indexing, of which Dask knows a part ---------------------------------------------------------


def _scattered(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
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
