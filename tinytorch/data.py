"""Data in batches: datasets, and loaders that go through them.

A dataset is anything with `len` and `[i]`: an array, a list, a pandas table (whose rows it is), a
`.npy` file that is larger than memory (`np.load(path, mmap_mode="r")`), an object of one's own.
Nothing is read of it but the items of a batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from itertools import accumulate
from math import isclose
from typing import Any, Generic, TypeVar

import numpy as np

from tinytorch.arrays.plain import plain
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor

ItemT = TypeVar("ItemT")


class Dataset(Generic[ItemT]):
    """What a dataset of one's own may derive from: it says `len(dataset)` and `dataset[i]`.

    >>> class Squares(Dataset[int]):
    ...     def __len__(self) -> int:
    ...         return 5
    ...
    ...     def __getitem__(self, i: int) -> int:
    ...         return i * i
    >>> [batch.tolist() for batch in DataLoader(Squares(), batch_size=2)]
    [[0, 1], [4, 9], [16]]
    """

    def __getitem__(self, index: int) -> ItemT:
        """Give one item: that is for the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no method `__getitem__`")

    def __add__(self, other: Any) -> ConcatDataset:
        """Put one after the other."""
        return ConcatDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Arrays, or tensors, of which item i is the tuple of their i-th entries.

    Tables of pandas are taken as arrays. Raises ValueError for arrays of different lengths.

    >>> len(TensorDataset(np.zeros((5, 2)), np.arange(5)))
    5
    """

    def __init__(self, *tensors: Any) -> None:
        for x in tensors:
            if isinstance(x, list | tuple) and any(hasattr(part, "shape") for part in x):
                raise TypeError(
                    f"TensorDataset: expected arrays, got a {type(x).__name__} of them: write "
                    "TensorDataset(X, y)"
                )
        self.tensors = tuple(x.to_numpy() if hasattr(x, "iloc") else x for x in tensors)
        lengths = [len(x) for x in self.tensors]
        if len(set(lengths)) != 1:
            raise ValueError(f"TensorDataset: expected arrays of one length, got {lengths}")

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        """Give the entries at an index, one of each array; at several indices, arrays of them."""
        return tuple(x[index] for x in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[Any]):
    """The items of a dataset at some indices, in their order."""

    def __init__(self, dataset: Any, indices: Any) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        """Give one item."""
        return _item(self.dataset, self.indices[index])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[Any]):
    """Several datasets, one after the other. Raises ValueError for none."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: there are no datasets")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int) -> Any:
        """Give one item. Raises IndexError for one that isn't there."""
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: there is no item {index} among {n}")
        index %= n
        which = int(np.searchsorted(self.cumulative_sizes, index, side="right"))
        dataset = self.datasets[which]
        return _item(dataset, index - self.cumulative_sizes[which] + len(dataset))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: RNG = None, *, rng: RNG = None
) -> list[Subset]:
    """Split a dataset at random into parts of these lengths, or of these fractions of it.

    `rng` (PyTorch's name: `generator`) is a generator or a seed. What fractions leave over goes to
    the parts in turn. Raises ValueError for lengths that don't add up to the dataset's, or to 1.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25], rng=0)]
    [8, 2]
    """
    n = len(dataset)
    sizes = [int(length) for length in lengths]
    if isclose(sum(lengths), 1) and n != 1:
        sizes = [int(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ValueError(
            f"random_split: the lengths add up to {n}, or fractions to 1; got {list(lengths)}"
        )
    order: Any = _generator(generator, rng).permutation(n)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


class DataLoader:
    """The items of a dataset in batches, anew for each `for` loop: `for x, y in DataLoader(...)`.

    `shuffle` puts the items into another order each time, which `rng` (PyTorch's name: `generator`)
    pins, a generator or a seed: one seed, the same sequence of orders. `sampler`, an iterable of
    indices, says the order instead, and `batch_sampler`, an iterable of lists of them, the batches.
    `drop_last` leaves out a last batch that isn't full. `batch_size=None` gives single items.

    A batch of numbers, arrays or tensors is an array or tensor of one axis more; of tuples or
    dictionaries it is a tuple (of PyTorch: list) or dictionary of batches; text stays a list.
    `collate_fn` makes a batch of a list of items instead. Arrays and `TensorDataset`s are indexed
    with all indices of a batch at once, unless there is a `collate_fn`.

    With `num_workers` threads up to `prefetch_factor` batches for each are read ahead, in order,
    for items whose reading waits for disks, or for NumPy, which lets other threads run. What a
    thread raises is raised in the loop. A loop that is left ends its threads. `pin_memory` and
    `persistent_workers` change nothing: there are no GPUs and no processes.

    Raises ValueError for options that exclude one another, TypeError for a dataset without length.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: RNG = None,
        *,
        rng: RNG = None,
        prefetch_factor: int = 2,
        pin_memory: bool = False,  # noqa: ARG002
        persistent_workers: bool = False,  # noqa: ARG002
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                "DataLoader: a dataset has a length and items, `len(data)` and `data[i]`; "
                f"got {type(dataset).__name__}; of an iterator, `list(...)` has them"
            )
        if hasattr(batch_size, "shape"):
            raise TypeError(
                "DataLoader: the first argument is the dataset, the second a number; of several "
                "arrays DataLoader(TensorDataset(X, y), batch_size=32) makes batches"
            )
        if collate_fn is None and _is_several_arrays(dataset):
            raise TypeError(
                f"DataLoader: a {type(dataset).__name__} of arrays is a dataset with each of them "
                "for an item; write DataLoader(TensorDataset(X, y), ...)"
            )
        for name, value, least in (
            ("batch_size", 1 if batch_size is None else batch_size, 1),
            ("num_workers", num_workers, 0),
            ("prefetch_factor", prefetch_factor, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"DataLoader: {name} is a whole number from {least}: {value!r}")
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: the sampler says the order; leave out shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler or drop_last):
            raise ValueError(
                "DataLoader: the batch_sampler says what the batches are; leave out batch_size, "
                "shuffle, sampler and drop_last"
            )
        if drop_last and batch_size is None:
            raise ValueError(
                "DataLoader: without batches there is no last one; leave out drop_last"
            )
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.sampler, self.batch_sampler, self.drop_last = sampler, batch_sampler, drop_last
        self.num_workers, self.prefetch_factor = num_workers, prefetch_factor
        self.collate_fn = collate_fn
        self.generator = _generator(generator, rng)

    def __len__(self) -> int:
        """How many batches there are. Raises TypeError for a sampler that has no length."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        items = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return items
        return (items if self.drop_last else items + self.batch_size - 1) // self.batch_size

    def __iter__(self) -> Iterator[Any]:
        # The order is drawn now, not with the first batch, so that it depends on nothing between.
        places = self._places()
        return self._read_ahead(places) if self.num_workers else map(self._read, places)

    def _places(self) -> Iterator[Any]:
        """Give the indices of each batch."""
        if self.batch_sampler is not None:
            return iter(self.batch_sampler)
        if self.sampler is not None:
            order: Any = iter(self.sampler)
        else:
            n = len(self.dataset)
            order = self.generator.permutation(n) if self.shuffle else range(n)
        return iter(order) if self.batch_size is None else self._batches(order, self.batch_size)

    def _batches(self, order: Any, size: int) -> Iterator[Any]:
        if hasattr(order, "__getitem__"):
            last = len(order) - size if self.drop_last else len(order) - 1
            yield from (order[i : i + size] for i in range(0, last + 1, size))
            return
        batch = []
        for place in order:
            batch.append(place)
            if len(batch) == size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def _read(self, places: Any) -> Any:
        """Give the batch at these indices, or the item at this one."""
        dataset = self.dataset
        if self.batch_size is None and self.batch_sampler is None:
            item = _item(dataset, places)
            return item if self.collate_fn is None else self.collate_fn(item)
        if self.collate_fn is None:
            batch = _many(dataset, np.asarray(places))
            if batch is not None:
                return batch
        return (self.collate_fn or default_collate)([_item(dataset, i) for i in places])

    def _read_ahead(self, places: Iterator[Any]) -> Iterator[Any]:
        from concurrent.futures import Future, ThreadPoolExecutor

        waiting: deque[Future[Any]] = deque()
        pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="DataLoader")
        try:
            for place in places:
                waiting.append(pool.submit(copy_context().run, self._read, place))
                if len(waiting) > self.num_workers * self.prefetch_factor:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def default_collate(items: list[Any]) -> Any:
    """Make a batch of items: arrays of numbers, tensors of tensors, in the items' structure.

    Raises ValueError for items of different shapes, TypeError for what makes no batch.

    >>> default_collate([(np.zeros(2), 3), (np.ones(2), 4)])
    (array([[0., 0.],
           [1., 1.]]), array([3, 4]))
    """
    first = items[0]
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in items]) for key in first}
    if isinstance(first, str | bytes):
        return items
    if isinstance(first, tuple | list):
        if any(len(item) != len(first) for item in items):
            raise ValueError("DataLoader: the items have different lengths; write a collate_fn")
        parts = [default_collate(list(part)) for part in zip(*items, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, Tensor) or hasattr(first, "shape"):
        shapes = {x.shape for x in items}
        if len(shapes) > 1:
            raise ValueError(
                f"DataLoader: the items have different shapes, {sorted(shapes)}; write a collate_fn"
            )
        return np.stack(items)
    if isinstance(first, int | float | complex):
        return plain(np.array(items))
    raise TypeError(
        f"DataLoader: no batch can be made of {type(first).__name__}; write a collate_fn"
    )


def _is_several_arrays(dataset: Any) -> bool:
    """Say whether these are arrays with an entry for each item, which make no batch as they are."""
    if not isinstance(dataset, list | tuple) or not all(hasattr(x, "shape") for x in dataset):
        return False
    shapes = {tuple(x.shape) for x in dataset}
    return len(shapes) > 1 and len({shape[:1] for shape in shapes}) == 1 and () not in shapes


def _item(dataset: Any, index: Any) -> Any:
    """Give one item: of a pandas table a row, as an array."""
    if hasattr(dataset, "iloc"):
        row = dataset.iloc[index]
        return row.to_numpy() if hasattr(row, "to_numpy") else row
    return dataset[index if isinstance(index, int) else int(index)]


def _many(dataset: Any, places: Any) -> Any:
    """Give the items at several indices at once, or None where they have to be asked for singly."""
    if type(dataset) is Subset:
        return _many(dataset.dataset, np.asarray(dataset.indices)[places])
    if type(dataset) is TensorDataset:
        parts = [_many(x, places) for x in dataset.tensors]
        return None if any(part is None for part in parts) else tuple(parts)
    if hasattr(dataset, "iloc"):
        return dataset.iloc[places].to_numpy()
    takes_many = hasattr(dataset, "__array_function__") or isinstance(dataset, Tensor)
    return dataset[places] if takes_many else None


def _generator(theirs: RNG, ours: RNG) -> np.random.Generator:
    if theirs is not None and ours is not None:
        raise TypeError("give rng= or generator=, not both")
    return generator(theirs if ours is None else ours)
