"""What is opened is closed: files, threads, processes; and nothing grows from step to step.

What takes long of this, a million of everything, is in large.py.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinytorch
from tinytorch import Tensor, diagnostics, nn, no_grad, optim, pictures
from tinytorch.atomic import lock
from tinytorch.autograd import grad
from tinytorch.data import DataLoader
from tinytorch.pictures.drawing import _quiet


def what_is_open() -> list[Any]:
    files = sorted(path.name for path in Path("/dev/fd").iterdir())
    threads = sorted(thread.name for thread in threading.enumerate())
    # stderr is the file that it was, too, which some libraries' noise is kept from.
    return [files, threads, multiprocessing.active_children(), os.fstat(2).st_ino]


@pytest.fixture
def all_closed() -> Iterator[None]:
    before = what_is_open()
    yield
    for _ in range(500):  # a thread needs a moment to end
        if what_is_open() == before:
            break
        time.sleep(0.01)
    assert what_is_open() == before


def saved(folder: Path) -> None:
    model = nn.Linear(2, 3, rng=0)
    tinytorch.save({"model": model.state_dict(), "epoch": 3}, folder / "model")
    model.load_state_dict(tinytorch.load(folder / "model")["model"])


def damaged(folder: Path) -> None:
    (folder / "damaged").write_bytes(b"\x80")
    with pytest.raises(ValueError, match="load: "):
        tinytorch.load(folder / "damaged")


def loaded(_: Path) -> None:
    data = np.arange(12.0).reshape(6, 2)
    assert len(list(DataLoader(data, 2, num_workers=2))) == 3
    for _ in DataLoader(data, 2, num_workers=2):
        break


def drawn(folder: Path) -> None:
    x = Tensor([1.0, 2.0])
    y = (x * np.exp(x)).sum()
    for name in ("dot", "svg"):
        pictures.render(y, folder / f"graph.{name}")
    pictures.explain(y, folder / "page.html")


def compiled(_: Path) -> None:
    x = Tensor(np.ones(300_000, np.float32))  # enough for several threads
    step = tinytorch.compile(lambda: (x * x + np.exp(x)).tanh().sum())
    for _ in range(3):
        step()


USES: list[Callable[[Path], None]] = [saved, damaged, loaded, drawn, compiled]


@pytest.mark.usefixtures("all_closed")
@pytest.mark.parametrize("use", USES)
def test_what_is_opened_is_closed(use: Callable[[Path], None], tmp_path: Path) -> None:
    use(tmp_path)


def test_noise_is_held_back_unless_drawing_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with _quiet():
        os.write(2, b"noise")
    assert capfd.readouterr().err == ""
    with pytest.raises(ValueError, match="failed"), _quiet():  # noqa: PT012
        os.write(2, b"the reason")
        raise ValueError("failed")
    assert capfd.readouterr().err == "the reason"


X = np.random.default_rng(0).normal(size=(8, 4))


def training() -> Callable[[], Any]:
    model = nn.Sequential(
        nn.Linear(4, 8, rng=0), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1, rng=1)
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        loss = ((model(X) - X[:, :1]) ** 2).mean()
        loss.backward()
        optimizer.step()

    return step


def derivatives() -> Callable[[], Any]:
    x = Tensor(X)

    def step() -> None:
        (slope,) = grad((x**3).sum(), [x], create_graph=True)
        grad((slope * slope).sum(), [x])
        with no_grad():
            (x * 2).sum()

    return step


def watched() -> Callable[[], Any]:
    def step() -> None:
        with diagnostics.detect_anomaly():
            (Tensor(X) * 2).sum().backward()

    return step


STEPS = {
    "training": training,
    "compiled training": lambda: tinytorch.compile(training()),
    "derivatives": derivatives,
    "watched": watched,
    "new functions": lambda: lambda: tinytorch.compile(lambda x: x * 2 + 1)(Tensor(X)),
}


@pytest.mark.parametrize("name", STEPS)
def test_nothing_grows_from_step_to_step(name: str) -> None:
    step = STEPS[name]()

    def after(n: int) -> tuple[int, int]:
        for _ in range(n):
            step()
        gc.collect()
        return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

    after(20)
    tracemalloc.start()
    try:
        # A free-threaded Python fills stores of its own first; later steps, of 7000, add nothing.
        objects, memory = after(100)
        more_objects, more_memory = after(100)
    finally:
        tracemalloc.stop()
    # An array alone is an object of more than 100 bytes.
    assert more_objects - objects < 20
    assert more_memory - memory < 100 * 100


def test_a_forked_process_waits_for_no_thread_of_its_parent() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            entered.set()
            leave.wait(10)

    x = Tensor([1.0, 2.0])
    threading.Thread(target=hold).start()
    entered.wait()
    threading.Timer(0.2, leave.set).start()
    if not (child := os.fork()):
        signal.alarm(5)  # ends a child that waits
        (x * x).sum().backward()
        os._exit(int(x.grad.sum()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6
    # Nor does another thread of the parent.
    other = threading.Thread(target=(x * x).sum().backward, daemon=True)
    other.start()
    other.join(10)
    assert x.grad.sum() == 6
