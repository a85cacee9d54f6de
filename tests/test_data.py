"""Datasets and loaders."""

from __future__ import annotations

import threading
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tqdm import tqdm

from tinytorch import Tensor, manual_seed, no_grad
from tinytorch.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    random_split,
)

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


class Slow(Dataset[Any]):
    """Items that take a moment, one of which may be bad."""

    def __init__(self, bad: int | None = None) -> None:
        self.bad, self.read = bad, []

    def __len__(self) -> int:
        return 40

    def __getitem__(self, i: int) -> Any:
        self.read.append(i)
        time.sleep(0.001)
        if i == self.bad:
            raise KeyError("item is broken")
        return X[i % 10], i


@given(
    n=st.integers(1, 12),
    size=st.integers(1, 5),
    drop_last=st.booleans(),
    workers=st.integers(0, 3),
    as_list=st.booleans(),
)
def test_batches_are_pytorchs(
    n: int, size: int, drop_last: bool, workers: int, as_list: bool
) -> None:
    data: Any = list(range(n)) if as_list else np.arange(n)
    loader = DataLoader(data, size, drop_last=drop_last, num_workers=workers)
    expected = torch.utils.data.DataLoader(list(range(n)), size, drop_last=drop_last)
    batches = list(loader)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in expected]
    assert len(loader) == len(batches) == len(expected)


def test_shuffling_goes_through_all_in_another_order_each_time() -> None:
    for workers in (0, 2):
        loader = DataLoader(TensorDataset(X, Y), 3, shuffle=True, rng=0, num_workers=workers)
        orders = [np.concatenate([y for _, y in loader]) for _ in range(3)]
        for order in orders:
            assert sorted(order) == list(range(10))
        assert len({tuple(order) for order in orders}) == 3
        again = DataLoader(TensorDataset(X, Y), 3, shuffle=True, generator=0)
        for order in orders:
            assert_array_equal(np.concatenate([y for _, y in again]), order)
        for x, y in loader:
            assert_array_equal(x, X[y])


def test_the_librarys_seed_pins_the_order() -> None:
    def order() -> Any:
        return [batch.tolist() for batch in DataLoader(Y, 3, shuffle=True)]

    manual_seed(4)
    first, second = order(), order()
    manual_seed(4)
    assert (order(), order()) == (first, second)
    assert first != second


def test_the_order_is_drawn_when_the_loop_begins() -> None:
    rng = np.random.default_rng(1)
    batches = iter(DataLoader(Y, 3, shuffle=True, rng=rng))
    rng.normal(size=100)
    expected = np.random.default_rng(1).permutation(10)
    assert_array_equal(np.concatenate(list(batches)), expected)


Pair = namedtuple("Pair", "x y")  # noqa: PYI024


def test_a_batch_has_the_structure_of_its_items() -> None:
    items = [{"x": X[i], "y": i, "name": str(i), "pair": Pair(0.5, True)} for i in range(3)]
    (batch,) = DataLoader(items, 3)
    assert_array_equal(batch["x"], X[:3])
    assert batch["y"].dtype == np.int64
    assert batch["name"] == ["0", "1", "2"]
    assert type(batch["pair"]) is Pair
    assert batch["pair"].y.dtype == bool
    (tensors,) = DataLoader([Tensor(x) for x in X], 10)
    assert_array_equal(tensors.data, X)
    (x, y) = next(iter(DataLoader(TensorDataset(Tensor(X), Y), 4)))
    assert isinstance(x, Tensor)
    assert type(y) is np.ndarray
    assert next(iter(DataLoader(X, 2, collate_fn=len))) == 2
    assert [x.tolist() for x in DataLoader(X, batch_size=None)] == X.tolist()


def test_a_batch_is_a_copy() -> None:
    data = np.zeros((4, 2))
    for batch in DataLoader(data, 2):
        np.add(batch, 1, out=batch)
    assert not data.any()


class Table:
    """What pandas' tables are to a loader."""

    def __init__(self, values: Any) -> None:
        self.iloc = self
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Any:
        return Table(self.values[rows])

    def to_numpy(self) -> Any:
        return self.values


def test_tables_are_read_by_rows() -> None:
    loader = DataLoader(Table(X), 4)
    assert_array_equal(np.concatenate(list(loader)), X)
    (batch,) = DataLoader(TensorDataset(Table(X), Y), 10)
    assert_array_equal(batch[0], X)
    assert_array_equal(Subset(Table(X), [3])[0], X[3])
    assert_array_equal(next(iter(DataLoader(Table(X), 2, collate_fn=np.stack))), X[:2])


def test_a_file_larger_than_memory_is_read_batch_by_batch(tmp_path: Path) -> None:
    path = tmp_path / "data.npy"
    rows = 2**20
    # A sparse file of 8 GiB, of which only what is written exists.
    data = np.lib.format.open_memmap(path, "w+", np.float64, (rows, 1024))
    data[-1] = 7
    data.flush()
    loader = DataLoader(np.load(path, mmap_mode="r"), 4, sampler=[0, rows - 1])
    (batch,) = loader
    assert batch.shape == (2, 1024)
    assert_array_equal(batch.sum(axis=1), [0, 7 * 1024])
    loader = DataLoader(np.load(path, mmap_mode="r"), 64, shuffle=True, rng=0, num_workers=2)
    assert next(iter(loader)).shape == (64, 1024)
    assert len(loader) == rows // 64


def test_a_dataset_of_one_array_has_its_length() -> None:
    assert len(TensorDataset(X)) == len(X)
    ((batch,),) = DataLoader(TensorDataset(X), len(X))
    assert_array_equal(batch, X)


def test_datasets_are_split_and_joined() -> None:
    data = TensorDataset(X, Y)
    parts = random_split(data, [7, 3], rng=0)
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(y for part in parts for _, y in (part[i] for i in range(len(part)))) == list(Y)
    again = random_split(data, [0.7, 0.3], generator=np.random.default_rng(0))
    assert_array_equal(parts[0].indices, again[0].indices)
    assert [len(part) for part in random_split(Y, [0.5, 0.25, 0.25])] == [6, 2, 2]
    joined = parts[0] + parts[1]
    assert isinstance(joined, ConcatDataset)
    assert len(joined) == 10
    assert joined[-1][1] == parts[1][2][1]
    assert joined[7][1] == parts[1][0][1]
    (x, y) = next(iter(DataLoader(parts[0], 7)))
    assert_array_equal(x, X[y])
    assert_array_equal(y, parts[0].indices)
    (_, y) = next(iter(DataLoader(joined, 10)))
    assert sorted(y) == list(Y)
    with pytest.raises(IndexError, match="no item 10 among 10"):
        joined[10]


def loader_threads() -> int:
    return sum(thread.name.startswith("DataLoader") for thread in threading.enumerate())


def wait_for(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError


def test_workers_read_ahead_in_order() -> None:
    data = Slow()
    batches = iter(DataLoader(data, 2, num_workers=2, prefetch_factor=3))
    assert next(batches)[1].tolist() == [0, 1]
    wait_for(lambda: len(data.read) >= 10)
    time.sleep(0.02)
    assert len(data.read) <= 14  # not all that there is
    assert np.concatenate([y for _, y in batches]).tolist() == list(range(2, 40))
    wait_for(lambda: not loader_threads())


def test_a_loop_that_is_left_ends_its_threads() -> None:
    for _ in DataLoader(Slow(), 2, num_workers=3):
        assert loader_threads()
        break
    wait_for(lambda: not loader_threads())


def test_a_workers_exception_is_raised_in_the_loop() -> None:
    for workers in (0, 2):
        seen = []
        with pytest.raises(KeyError, match="item is broken"):  # noqa: PT012
            for _, y in DataLoader(Slow(bad=7), 2, num_workers=workers):
                seen.append(y.tolist())
        assert seen == [[0, 1], [2, 3], [4, 5]]
        wait_for(lambda: not loader_threads())


def test_workers_record_where_the_loop_does() -> None:
    data = [Tensor([1.0]) for _ in range(4)]
    with no_grad():
        assert not any(x.requires_grad for x in DataLoader(data, 2, num_workers=2))
    assert all(x.requires_grad for x in DataLoader(data, 2, num_workers=2))


def test_samplers_say_the_order() -> None:
    assert [b.tolist() for b in DataLoader(Y, 2, sampler=iter([5, 1, 5]))] == [[5, 1], [5]]
    assert [b.tolist() for b in DataLoader(Y, 2, sampler=iter([5, 1, 5]), drop_last=True)] == [
        [5, 1]
    ]
    loader = DataLoader(Y, batch_sampler=[[1], [2, 3]])
    assert [b.tolist() for b in loader] == [[1], [2, 3]]
    assert len(loader) == 2


def test_a_progress_bar_knows_the_length(capsys: pytest.CaptureFixture[str]) -> None:
    bar = tqdm(DataLoader(Y, 3))
    assert bar.total == 4
    assert len(list(bar)) == 4
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: DataLoader(iter([1])), TypeError, "a dataset has a length and items"),
        (lambda: DataLoader(Y, 0), ValueError, "batch_size is a whole number from 1: 0"),
        (lambda: DataLoader(Y, 2.5), ValueError, "batch_size is a whole number from 1: 2.5"),
        (lambda: DataLoader(Y, num_workers=-1), ValueError, "num_workers is a whole number from 0"),
        (lambda: DataLoader(Y, shuffle=True, sampler=[1]), ValueError, "leave out shuffle"),
        (lambda: DataLoader(Y, 2, batch_sampler=[[1]]), ValueError, "leave out batch_size"),
        (lambda: DataLoader(Y, None, drop_last=True), ValueError, "leave out drop_last"),
        (lambda: DataLoader(Y, generator=1, rng=1), TypeError, "rng= or generator=, not both"),
        (lambda: list(DataLoader([X[0], X], 2)), ValueError, "different shapes.*collate_fn"),
        (lambda: list(DataLoader([(1,), (1, 2)], 2)), ValueError, "different lengths"),
        (lambda: list(DataLoader([None, None], 2)), TypeError, "made of NoneType"),
        (lambda: TensorDataset(X, Y[:3]), ValueError, r"of one length, got \[10, 3\]"),
        (lambda: random_split(Y, [3, 3]), ValueError, "the lengths add up to 10"),
        (lambda: random_split(Y, [11, -1]), ValueError, "the lengths add up to 10"),
        (lambda: ConcatDataset([]), ValueError, "no datasets"),
        (lambda: Dataset()[0], NotImplementedError, "no method `__getitem__`"),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()
