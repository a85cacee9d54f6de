"""How time and memory grow with data on disk: `python -m benchmarks.dask_growth [--quick]`.

The gradient of a logistic regression, and its loss, by one worker and by two, beside the formula
that one would write by hand. They take turns, and the fastest of each counts.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

from benchmarks.resident import forget_peak, resident
from tinytorch import Tensor

FEATURES = 20
CHUNK = 250_000  # rows
MEMORY_LIMIT = 400e6  # bytes, for a worker


def write_data(folder: Path, rows: int) -> tuple[Any, Any]:
    """Write float32 data, as many values as `rows` has times FEATURES; give them, on disk."""
    folder.mkdir()
    rng = da.random.default_rng(0)
    X = rng.standard_normal((rows, FEATURES), dtype=np.float32, chunks=(CHUNK, FEATURES))
    y = rng.random((rows, 1), chunks=(CHUNK, 1)) < 0.5
    for name, array in (("X", X), ("y", y.astype(np.float32))):
        da.to_npy_stack(folder / name, array)
    X, y = (da.from_npy_stack(folder / name, mmap_mode=None) for name in ("X", "y"))
    return X, y


def in_tinytorch(w: Any, b: Any, X: Any, y: Any) -> list[Any]:
    """Give the loss and the gradients, by `backward`."""
    w, b = Tensor(w), Tensor(b)
    p = (X @ w + b).sigmoid()
    loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    loss.backward()
    return [loss.item(), w.grad, b.grad]


def by_hand(w: Any, b: Any, X: Any, y: Any) -> list[Any]:
    """Give the same by the formula X.T @ (p - y) / n, in one computation."""
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    slope = (p - y) / np.float32(len(X))
    return list(dask.compute(loss, X.T @ slope, slope.sum(axis=0)))


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Give the time of a call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print a line for each number of workers and of values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to ten million values only")
    sizes = [10**5, 10**6, 10**7, 10**8]
    sizes = sizes[: 3 if parser.parse_args().quick else 4]
    logging.getLogger("distributed").setLevel(logging.ERROR)
    w, b = np.full((FEATURES, 1), 0.1, np.float32), np.zeros(1, np.float32)
    print("| workers | values | TinyTorch | by hand | ratio | most memory of a worker |")
    print("| --: | --: | --: | --: | --: | --: |")
    for workers in (1, 2):
        with (
            tempfile.TemporaryDirectory(prefix="tinytorch-") as folder,
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=MEMORY_LIMIT,
                dashboard_address=":0",
            ) as cluster,
            Client(cluster) as client,
        ):
            for size in sizes:
                arguments = w, b, *write_data(Path(folder) / str(size), size // FEATURES)
                for ours, theirs in zip(in_tinytorch(*arguments), by_hand(*arguments), strict=True):
                    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
                client.run(forget_peak)
                turns = [
                    [seconds(function, *arguments) for function in (in_tinytorch, by_hand)]
                    for _ in range(5)
                ]
                mine, hand = np.min(turns, axis=0)
                peak = max(client.run(resident, peak=True).values())
                print(
                    f"| {workers} | {size:,} | {mine:.3f} s | {hand:.3f} s | {mine / hand:.2f} "
                    f"| {peak / 1e6:.0f} MB |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
