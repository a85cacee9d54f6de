"""Fit a logistic regression to data that are several times larger than the memory it may use.

The data are written to disk in chunks, and Dask's workers, each within its memory limit, go through
them once for every step of gradient descent. The training loop is the one for NumPy arrays.
"""

from __future__ import annotations

import argparse
import logging
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster
from tqdm import trange

from tinytorch import Tensor, no_grad
from tinytorch.nn import Activation, Neuron

CHUNK = 16e6  # bytes of X; a worker holds a few chunks at a time
SAMPLE = 250_000  # rows, which are several chunks


def binary_cross_entropy(p: Tensor, y: Any) -> Tensor:
    """Return `-mean(y log p + (1 - y) log(1 - p))`; probabilities and labels have shape (n, 1)."""
    p = p.clip(1e-7, 1 - 1e-7)  # a sure prediction rounds to 0 or 1, and log(0) is not finite
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def write_data(folder: Path, rows: int, features: int, seed: int) -> tuple[Any, Any, Any]:
    """Let the workers write float32 data; return them, on disk, and the weights behind them.

    `X` has shape (rows, features). A label in `y`, shape (rows, 1), is 1 with the probability that
    the weights give it, so that no model can be right about all of them.
    """
    rng = da.random.default_rng(seed)
    weights = np.random.default_rng(seed).normal(size=(features, 1)).astype(np.float32)
    chunks = (int(CHUNK / 4 / features), features)
    X = rng.standard_normal((rows, features), dtype=np.float32, chunks=chunks)
    da.to_npy_stack(folder / "X", X)
    X = da.from_npy_stack(folder / "X", mmap_mode=None)
    y = rng.random((rows, 1), chunks=(X.chunks[0], 1)) < 1 / (1 + np.exp(-(X @ weights)))
    da.to_npy_stack(folder / "y", y.astype(np.float32))
    return X, da.from_npy_stack(folder / "y", mmap_mode=None), weights


def train(model: Neuron, X: Any, y: Any, steps: int, learning_rate: float) -> None:
    """Train by gradient descent, one pass over the data for each step."""
    with trange(steps, desc="training", unit="step") as bar:
        for _ in bar:
            p = model(X)
            loss = binary_cross_entropy(p, y)
            model.flush_grads()
            loss.backward()  # the only line that computes anything
            for parameter in model.parameters:
                parameter.data -= learning_rate * parameter.grad
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)


def gradients(model: Neuron, X: Any, y: Any) -> Any:
    """Return the gradients of the loss for all parameters, in one row."""
    model.flush_grads()
    binary_cross_entropy(model(X), y).backward()
    return np.concatenate([parameter.grad.ravel() for parameter in model.parameters])


def peak_memory() -> float:
    """Return the most bytes that this process has had in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@contextmanager
def connected(arguments: argparse.Namespace) -> Iterator[Client]:
    """Connect to the scheduler that was named, or to one and workers started here."""
    if arguments.scheduler:
        try:
            client = Client(arguments.scheduler)
        except (OSError, ValueError) as error:
            sys.exit(f"argument --scheduler: {error}")
        with client:
            yield client
        return
    handler = signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the workers leave Ctrl-C to this process
    try:
        cluster = LocalCluster(
            n_workers=arguments.workers,
            threads_per_worker=1,
            memory_limit=arguments.memory_limit * 1e6,
            dashboard_address=":0",
        )
    finally:
        signal.signal(signal.SIGINT, handler)
    with cluster, Client(cluster) as client:
        client.run(logging.disable, logging.WARNING)
        yield client


def parse_arguments() -> argparse.Namespace:
    """Read the command line; a mistake ends the program with a line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="%(prog)s [options]",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    options: dict[str, tuple[type, Any, str]] = {
        "--rows": (int, 16_000_000, "rows of the data"),
        "--features": (int, 32, "columns of the data, in float32"),
        "--steps": (int, 8, "steps of gradient descent"),
        "--learning-rate": (float, 2.0, "size of a step"),
        "--workers": (int, 2, "processes to start"),
        "--memory-limit": (int, 300, "megabytes for each of them"),
        "--scheduler": (str, None, "address of a running cluster, instead of starting workers"),
        "--folder": (Path, Path(tempfile.gettempdir()), "disk for the data, which all workers see"),
        "--seed": (int, 0, "of the data"),
    }
    for option, (kind, default, meaning) in options.items():
        parser.add_argument(option, type=kind, default=default, help=meaning, metavar="")
    arguments = parser.parse_args()
    for option in ("rows", "features", "steps", "workers", "memory_limit", "learning_rate"):
        if getattr(arguments, option) <= 0:
            parser.error(f"argument --{option.replace('_', '-')}: expected a positive number")
    if not arguments.folder.is_dir():
        parser.error(f"argument --folder: there is no folder {arguments.folder}")
    size = 4 * arguments.rows * (arguments.features + 1)
    if shutil.disk_usage(arguments.folder).free < 1.1 * size:
        parser.error(f"argument --folder: {arguments.folder} has no {size / 1e9:.1f} GB to spare")
    return arguments


def main() -> None:
    """Write the data, train on them, and compare a sample with the result in memory."""
    arguments = parse_arguments()
    for name in ("asyncio", "distributed"):  # they report on what Ctrl-C has cut off
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory(prefix="tinytorch-", dir=arguments.folder) as folder,
        connected(arguments) as client,
    ):
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        limit = sum(worker["memory_limit"] or np.inf for worker in workers)
        size = 4 * arguments.rows * (arguments.features + 1)
        print(
            f"{size / 1e9:.2f} GB of data in {folder},\n{size / limit:.1f} times the "
            f"{limit / 1e9:.2f} GB that {len(workers)} workers may use together"
        )
        start = perf_counter()
        X, y, weights = write_data(Path(folder), arguments.rows, arguments.features, arguments.seed)
        print(f"written in {perf_counter() - start:.1f} seconds")

        model = Neuron(arguments.features, Activation.SIGMOID, rng=0, dtype=np.float32)
        train(model, X, y, arguments.steps, arguments.learning_rate)

        with no_grad():
            right = ((model(X) > 0.5) == y).mean()
        best = (((X @ weights) > 0) == y).mean()
        print(
            "right on {:.2%} of the data; the weights behind them: {:.2%}".format(
                *dask.compute(right, best)
            )
        )

        X, y = X[:SAMPLE], y[:SAMPLE]
        chunked, whole = gradients(model, X, y), gradients(model, *dask.compute(X, y))
        difference = np.abs(chunked - whole).max() / np.abs(whole).max()
        print(f"gradients of {len(X):,} rows, here and in memory: {difference:.1e} apart")

        peaks = client.run(peak_memory).values()
        print("peak memory of the workers: " + ", ".join(f"{p / 1e6:.0f} MB" for p in peaks))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
