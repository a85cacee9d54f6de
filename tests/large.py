"""A million of everything, which takes minutes: `make tests-large`.

Names in a file; nodes of a graph that is recorded, differentiated twice, compiled, drawn, told step
by step and pickled; 20,000 steps, after which no more memory is taken than after 2,000; and the
memory that the way back of a hundred million entries takes, beside what PyTorch takes.
"""

from __future__ import annotations

import copy
import json
import os
import pickle
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinytorch
from tinytorch import Tensor, pictures
from tinytorch.autograd import grad

MILLION = 1_000_000


def resident() -> int:
    """Give the bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True)
def within_minutes() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < 300


@pytest.mark.parametrize("dtype", ["U8", "BF16"])
def test_a_file_of_a_million_names(dtype: str, tmp_path: Path) -> None:
    size = 1 + (dtype == "BF16")
    header = {
        str(i): {"dtype": dtype, "shape": [1], "data_offsets": [size * i, size * i + size]}
        for i in range(MILLION)
    }
    text = json.dumps(header).encode()
    path = tmp_path / "names"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size * MILLION))
    state = tinytorch.load(path)
    assert len(state) == MILLION
    tinytorch.save(state, path)
    assert tinytorch.load(path).keys() == state.keys()


def test_a_header_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_bytes(struct.pack("<Q", 2**40) + b"{" + bytes(1000))
    with pytest.raises(ValueError, match="load: "):
        tinytorch.load(path)


def chain(x: Tensor, n: int) -> Tensor:
    for _ in range(n):
        x = x * 0.9999999
    return x


def test_a_graph_of_a_million_nodes(tmp_path: Path) -> None:
    x = Tensor([0.5])
    y = chain(x, MILLION)
    y.backward()
    np.testing.assert_allclose(x.grad, 0.9999999**MILLION)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="would lose its gradient"):
            copied(y)
        copied(y.detach())
    for name in ("dot", "svg"):
        pictures.render(y, tmp_path / f"graph.{name}")
        assert (tmp_path / f"graph.{name}").stat().st_size < 1_000_000
    pictures.explain(y, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 2_000_000
    z = chain(x, MILLION // 4)
    (slope,) = grad(z * z, [x], create_graph=True)
    (curvature,) = grad(slope, [x])
    np.testing.assert_allclose(curvature.data, 2 * 0.9999999 ** (MILLION // 2))


def test_a_program_of_a_million_operations() -> None:
    @tinytorch.compile
    def power(x: Any) -> Any:
        return chain(x, MILLION)

    expected = chain(Tensor([0.5]), MILLION).data
    for _ in range(3):
        np.testing.assert_allclose(power(Tensor([0.5])).data, expected)


def test_20_000_steps_take_no_more_memory() -> None:
    from test_resources import STEPS

    for name in ("training", "compiled training", "derivatives", "watched"):
        step = STEPS[name]()
        for _ in range(2_000):
            step()
        before = resident()
        for _ in range(20_000):
            step()
        # 100 bytes a step would be twice as much; the allocator keeps some pages.
        assert resident() - before < 1_000_000, name


PEAK = """
from benchmarks.resident import forget_peak, resident
import numpy as np
import torch
from tinytorch import Tensor

def program(x, y):
    (x * y).tanh().sum().backward(retain_graph={retain_graph})

make = {make}
program(make(np.ones(10, "f4")), make(np.ones(10, "f4")))  # what is loaded late is
x, y = make(np.ones({size}, "f4")), make(np.ones({size}, "f4"))
before = resident()
forget_peak()
program(x, y)
print(resident(peak=True) - before)
"""
MAKERS = {"tinytorch": "Tensor", "pytorch": "lambda a: torch.from_numpy(a).requires_grad_()"}


@pytest.mark.parametrize("retain_graph", [False, True])
def test_a_way_back_takes_one_array_more_than_pytorchs(retain_graph: bool) -> None:
    size, peaks = 100 * MILLION, {}
    for library, make in MAKERS.items():
        code = PEAK.format(size=size, make=make, retain_graph=retain_graph)
        root = Path(__file__).parents[1]
        peaks[library] = int(subprocess.check_output([sys.executable, "-c", code], cwd=root))
    # It is the product, which the graph keeps to be looked at; the rest are a few pages.
    assert peaks["tinytorch"] - peaks["pytorch"] < 1.05 * 4 * size
