"""What is asked of a batch as of any kind of array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from tinytorch.arrays.batch import Batch, aligned, is_batch, level_of, one_by_one, pick, scatter
from tinytorch.arrays.kind import Kind, kind_of, own, register
from tinytorch.arrays.plain import base
from tinytorch.arrays.plain_batch import PlainBatch
from tinytorch.arrays.scattered import whole
from tinytorch.messages import describe


class _BatchKind(Kind):
    """Batches, which a rule in other words than NumPy's gets one array after the other."""

    name = "batch"

    def accept(self, array: Any) -> Any:
        """Give the batch itself."""
        return base(array)

    def plain(self, array: Any) -> Any:
        """Give whole numbers and truth values the methods that PyTorch's have."""
        known = type(array) is PlainBatch or array.dtype.kind not in "biu"
        return array if known else PlainBatch(array)

    def own(self, array: Any, like: Any) -> Any:
        """Give the array as one of those in the batch."""
        return own(array, like.stacked)

    def most(self, array: Any) -> int:
        """Give the largest of whole numbers, of any example."""
        return kind_of(array.stacked).most(array.stacked)

    def like(self, values: Any, array: Any) -> Any:
        """Give `values`, of the shape of `array`, in a batch as `array` is."""
        if level_of(values) > array.level:
            return values
        if is_batch(values, array.level):
            return Batch(kind_of(array.stacked).like(values.stacked, array.stacked), array.level)
        return Batch(
            np.broadcast_to(aligned(values, array.level), array.stacked.shape), array.level
        )

    def numpy(self, array: Any) -> NoReturn:
        """Refuse: there is no single value."""
        raise TypeError(
            f"inside vmap a tensor of shape {array.shape} is many, and has no value that a Python "
            "number or NumPy's own array could be: give it to NumPy's functions, or hand it out"
        )

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call `function` with batches, or if it can't take them, once for each of their arrays."""
        del op
        try:
            return function(*arrays, **parameters)
        except (TypeError, AttributeError):
            return one_by_one(function, *arrays, **parameters)

    def broadcast_to(self, array: Any, shape: tuple[int, ...], like: Any) -> Any:
        """Repeat the entries to fill `shape`."""
        del like
        return np.broadcast_to(array, shape)

    def pick(self, x: Any, index: Any) -> Any:
        """Give x[index]."""
        return pick(x, index)

    def scatter(self, x: Any, index: Any, shape: tuple[int, ...]) -> Any:
        """Add the entries of x up in zeros of `shape`, each where `index` picks from."""
        return scatter(x, index, shape)

    def check_grads(self, grads: Any) -> None:
        """Refuse a batch of gradients for a tensor from outside."""
        for x, grad in grads.items():
            if level_of(whole(grad)) > level_of(x._value):
                raise RuntimeError(
                    f"backward inside vmap: {describe(x)} comes from outside, and each example has "
                    "a gradient of its own for it, vmap(grad(f)); or sum what vmap(f) gives and go "
                    "back from there"
                )

    def text(self, array: Any) -> str:
        """Say what it is."""
        return f"one of {array.stacked.shape[-1]} inside vmap, of shape {array.shape}"


KIND = _BatchKind()
register(Batch, KIND)
register(PlainBatch, KIND)
