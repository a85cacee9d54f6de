"""What makes compiled programs fast leaves what they compute as it is."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Tensor, compile  # noqa: A004
from tinytorch.compiler import blocks
from tinytorch.compiler.blocks import Blocks
from tinytorch.compiler.program import Value
from tinytorch.compiler.storage import Buffers
from tinytorch.nn.functional import conv2d, max_pool2d

rng = np.random.default_rng(0)


def runs(compiled: Any) -> int:
    """Count the runs of the latest program."""
    names = compiled._latest.executable.names
    return sum(isinstance(x, Blocks) for x in names.values())


def functions_of(compiled: Any) -> list[Any]:
    return [call.function for call in compiled.program.calls]


def with_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    def step(*arrays: Any) -> Any:
        tensors = [Tensor(x) for x in arrays]
        out = function(*tensors)
        out.sum().backward()
        return [out.data, *(x.grad for x in tensors)]

    return step


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_BYTES", 256)


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "elementwise": (lambda x, y: (x * y + x.exp()).tanh(), ((100,), (100,))),
    "all summed": (lambda x, y: (x * y).tanh().sum() * y, ((10, 7), (10, 7))),
    "summed by column": (lambda x, y: (x * y).sin().sum(axis=0) * y[0], ((40, 7), (40, 7))),
    "summed by row": (lambda x, y: (x * y).sin().sum(axis=1), ((40, 7), (40, 7))),
    "kept axes": (lambda x, y: x / (x * y).exp().sum(axis=(0, 2), keepdims=True), ((9, 5, 4),) * 2),
    "maximum": (lambda x, y: (x * y).sin().max() * y, ((133,), (133,))),
    "product": (lambda x, y: (x.cos() + y).prod(axis=0), ((33, 2), (33, 2))),
    "rows added": (lambda x, y: (x * 2 + y).relu().exp(), ((50, 6), (6,))),
    "columns added": (lambda x, y: (x * 2 + y).relu().exp(), ((50, 6), (50, 1))),
    "square": (lambda x, y: (x * 2 + y).tanh() * y, ((12, 12), (12,))),
    "needed whole": (lambda x, y: (y.sin() * x.exp()).cos() * y, ((40,), (40, 40))),
    "softmax": (lambda x, y: x.softmax(axis=-1).log_softmax(axis=-1) * y, ((30, 9), (30, 9))),
    "softmax of columns": (lambda x, y: (x * y).softmax(axis=0), ((30, 9), (30, 9))),
    "views": (
        lambda x, y: (x.exp().reshape(20, 12) * y.sin().reshape(20, 12)).reshape(20, 3, 4).sum(-1),
        ((20, 4, 3), (20, 2, 6)),
    ),
    "transposed": (lambda x, y: (x.exp().T * y.T).sin() + x.T, ((16, 9), (16, 9))),
    "attention": (
        lambda x, y: (x @ y.swapaxes(-1, -2) * 0.3).softmax(axis=-1) @ (y * 2),
        ((5, 2, 8, 3), (5, 2, 8, 3)),
    ),
    "one stack": (lambda x, y: ((x * 2) @ y.exp()).tanh(), ((6, 5, 4), (4, 3))),
    "convolution": (
        lambda x, y: conv2d(x.exp(), y, padding=1).tanh(),
        ((7, 2, 9, 8), (3, 2, 3, 3)),
    ),
    "convolution in groups": (
        lambda x, y: conv2d(x.exp(), y, padding=2, dilation=2, groups=2).relu(),
        ((7, 4, 9, 8), (6, 2, 3, 3)),
    ),
    "convolution in strides": (
        lambda x, y: conv2d(x.exp(), y, stride=2, padding=1).tanh(),
        ((7, 2, 17, 16), (3, 2, 3, 3)),
    ),
    "convolution of wide rows": (
        lambda x, y: conv2d(x.exp(), y, padding=1).tanh(),
        ((7, 24, 8, 8), (3, 24, 3, 3)),
    ),
    "pooling": (lambda x, y: max_pool2d((x * y).relu(), 2), ((7, 2, 6, 4),) * 2),
    "pooling of windows that overlap": (
        lambda x, y: max_pool2d((x * y).relu(), 3, 2),
        ((7, 2, 7, 5),) * 2,
    ),
    "an index": (lambda x, y: (x.exp()[:, 1:] * y[:, :-1]).sin(), ((30, 5), (30, 5))),
}


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_blocks_give_what_the_whole_gives(name: str, dtype: str) -> None:
    function, shapes = FUNCTIONS[name]
    step = with_gradients(function)
    compiled, one = compile(step, threads=3), compile(step, threads=1)
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    for _ in range(6):
        arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
        expected, actual, alone = step(*arrays), compiled(*arrays), one(*arrays)
        for a, b, c in zip(actual, expected, alone, strict=True):
            assert_array_equal(a, c)  # whoever computes a block
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))
    assert runs(compiled)


@pytest.mark.usefixtures("small_blocks")
def test_each_block_is_taken_by_one_thread() -> None:
    compiled = compile(lambda x: np.sin(x).sum(axis=0), threads=3)
    for i in range(2000):
        x = np.full((64, 16), 1.0 + i % 7)
        assert_allclose(compiled(x), np.sin(x).sum(axis=0), rtol=1e-12)
    assert runs(compiled)


@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 700), st.integers(1, 3))
def test_blocks_of_any_size(rows: int, columns: int, size: int, threads: int) -> None:
    before, blocks._BYTES = blocks._BYTES, size
    try:
        step = with_gradients(lambda x, y: ((x * y).sin().sum(axis=0) + y) * x.max())
        compiled = compile(step, threads=threads)
        for _ in range(4):
            arrays = [rng.normal(size=(rows, columns)) for _ in range(2)]
            for a, b in zip(compiled(*arrays), step(*arrays), strict=True):
                assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    finally:
        blocks._BYTES = before


def test_a_convolution_takes_a_few_calls_however_many_examples() -> None:
    step = with_gradients(lambda x, y: conv2d(x.exp(), y, padding=1).tanh())
    weight, compiled = rng.normal(size=(4, 3, 3, 3)).astype("f"), compile(step)
    counts = set()
    for n in (3, 300):
        for _ in range(4):
            compiled(rng.normal(size=(n, 3, 20, 20)).astype("f"), weight)
        counts.add(len(compiled.program.calls))
    assert len(counts) == 1


def test_forward_and_backward_are_one_run() -> None:
    x, y = (Tensor(rng.normal(size=1 << 18).astype("f")) for _ in range(2))

    @compile
    def step() -> Any:
        x.grad = y.grad = None
        loss = (x * y + x.exp()).tanh().sum()
        loss.backward()
        return loss

    for _ in range(5):
        loss = step()
    assert runs(step) == 1
    exact = (x.data.astype(float) * y.data + np.exp(x.data.astype(float))).__array__()
    assert_allclose(float(loss), np.tanh(exact).sum(), rtol=1e-5)


def test_an_update_uses_what_it_adds_before_that_is_changed() -> None:
    def make() -> Any:
        w, velocity = Tensor([1.0, 2.0]), np.array([3.0, 4.0])

        def step(x: Any) -> Any:
            w.data -= velocity
            np.multiply(velocity, 0.5, out=velocity)
            np.add(velocity, x, out=velocity)
            return x * 2

        return step, w, velocity

    (step, w, v), (twin, other, u) = make(), make()
    compiled = compile(twin)
    for i in range(6):
        x = np.array([i, 1.0])
        assert_array_equal(compiled(x), step(x))
        assert_array_equal(other.data, w.data)
        assert_array_equal(u, v)
    assert compiled.program is not None


@pytest.mark.usefixtures("small_blocks")
def test_updates_come_after_what_reads_the_parameters() -> None:
    def make() -> Any:
        w = Tensor(np.linspace(-1, 1, 400).reshape(100, 4))

        def step(x: Any) -> Any:
            loss = ((x * w).sin() * w).sum()
            w.grad = None
            loss.backward()
            w.data -= 0.1 * w.grad
            return loss + (w.data * w.data).sum()

        return step, w

    (step, w), (twin, other) = make(), make()
    compiled = compile(twin)
    for _ in range(6):
        x = rng.normal(size=(100, 4))
        assert_allclose(compiled(x).data, step(x).data, rtol=1e-12)
        assert_allclose(other.data, w.data, rtol=1e-12)
    assert runs(compiled)


# --- results --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 1 << 18])
def test_results_belong_to_the_caller(size: int) -> None:
    compiled = compile(lambda x: (np.exp(x) * 2, np.sin(x)[::2]))
    given_, kept = [], []
    for _ in range(8):
        given_.append(rng.normal(size=size))
        kept.append(compiled(given_[-1])[0] if size > 10 else compiled(given_[-1])[0].view())
    for x, out in zip(given_, kept, strict=True):
        assert_array_equal(out, np.exp(x) * 2)
    views = [compiled(x)[1] for x in given_]
    for x, out in zip(given_, views, strict=True):
        assert_array_equal(out, np.sin(x)[::2])


def test_memory_of_results_that_nobody_holds_is_used_again() -> None:
    compiled = compile(lambda x: np.exp(x) * 2)
    x = rng.normal(size=1 << 18)
    for _ in range(6):
        compiled(x)
    tracemalloc.start()
    for _ in range(5):
        compiled(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 2
    out = compiled(x)
    if np.lib.NumpyVersion(np.__version__) < "2.5.0":  # where it is not deprecated yet
        out.shape = (2, -1)
    del out
    assert compiled(x).shape == x.shape


def test_gradients_are_written_where_the_last_ones_were() -> None:
    x = Tensor(rng.normal(size=1 << 18))

    @compile
    def step() -> None:
        x.grad = None
        (x * x).sum().backward()

    for _ in range(5):
        step()
    first = x.grad.ctypes.data
    step()
    assert x.grad.ctypes.data == first
    kept = x.grad
    copy = kept.copy()
    x.data *= 2
    step()
    assert x.grad.ctypes.data != first
    assert_array_equal(kept, copy)
    assert_array_equal(x.grad, 2 * x.data)


def test_an_operand_that_is_given_as_the_result_keeps_its_memory() -> None:
    def function(x: Any) -> Any:
        twice = np.real(x * 2)  # the very array
        return np.exp(x) * twice + twice

    compiled, x = compile(function), np.arange(5.0)
    for _ in range(5):
        assert_array_equal(compiled(x), function(x))


def test_gradients_that_a_program_reads_are_there_when_it_runs() -> None:
    x = Tensor(np.ones(1 << 18))

    @compile
    def step() -> Any:
        before = x.grad.sum()
        x.grad = None
        (x * x).sum().backward()
        return before

    assert [float(step()) for _ in range(6)] == [0.0] + [2.0 * x.size] * 5


def test_what_ends_in_a_result_is_computed_there() -> None:
    x, y = Tensor(rng.normal(size=1 << 18)), Tensor(rng.normal(size=1 << 18))

    @compile(threads=1)
    def step() -> None:
        x.grad = y.grad = None
        (x * y + x.exp()).tanh().sum().backward()

    for _ in range(4):
        step()
    (run,) = (f for f in step._latest.executable.names.values() if isinstance(f, Blocks))
    assert all(program.buffers.total <= blocks._BYTES for program in run._programs[0].values())


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5)), max_size=60))
def test_places_do_not_overlap(requests: list[tuple[int, int]]) -> None:
    buffers, taken, most = Buffers(), [], 0
    for size, i in requests:
        if i and len(taken) >= i:
            buffers.give_back(taken.pop(-i))
        value = Value.of(np.empty(size, np.uint8), 0, 0, None, None)
        taken.append(buffers.take(value))
        assert taken[-1].stop - taken[-1].start >= size
        most = max(most, sum(place.stop - place.start for place in taken))
        bounds = sorted((place.start, place.stop) for place in taken)
        assert all(x[1] <= y[0] for x, y in pairwise(bounds))
        assert bounds[-1][1] <= buffers.total
    for place in taken:
        buffers.give_back(place)
    assert most <= buffers.total <= len(buffers.memory())
    if taken:  # all of it is one place again
        assert (
            buffers.take(Value.of(np.empty(buffers.total, np.uint8), 0, 0, None, None)).start == 0
        )


def test_a_place_is_the_smallest_that_is_large_enough() -> None:
    buffers, values = Buffers(), {n: Value.of(np.empty(n), 0, 0, None, None) for n in (8, 64)}
    large, _, small, _ = (buffers.take(values[n]) for n in (64, 8, 8, 8))
    buffers.give_back(large)
    buffers.give_back(small)
    assert buffers.take(values[8]) == small
    assert buffers.take(values[64]) == large


def test_results_in_between_share_memory() -> None:
    compiled = compile(lambda x: x @ x @ x @ x @ x @ x)
    x = np.eye(50)
    for _ in range(4):
        assert_array_equal(compiled(x), x)
    # Of four, two are needed at a time.
    assert 0 < compiled._latest.executable.buffers.total < 3 * x.nbytes


def test_a_step_needs_less_memory_than_eager() -> None:
    def peak(step: Any) -> int:
        for _ in range(4):
            step()
        tracemalloc.start()
        step()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    def make() -> Any:
        x, w = rng.normal(size=(512, 64)), Tensor(rng.normal(size=(64, 64)))

        def step() -> None:
            h = x
            for _ in range(6):
                h = (h @ w).tanh()
            w.grad = None
            h.sum().backward()

        return step

    tracemalloc.start()
    compiled = compile(make())
    for _ in range(5):
        compiled()
    gc.collect()  # what the recordings leave goes with the collector
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept + peak(compiled) < 0.9 * peak(make())


# --- errors ---------------------------------------------------------------------------------------


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("threads", [1, 2])
def test_after_an_error_or_an_interrupt_the_next_call_is_right(threads: int) -> None:
    w = Tensor(np.ones(200))

    @compile(threads=threads)
    def step(x: Any) -> Any:
        loss = (np.log(x) * w).sum()
        w.grad = None
        loss.backward()
        w.data -= 0.5 * w.grad
        return loss

    x = np.linspace(1, 2, 200)
    for _ in range(5):
        step(x)
    assert runs(step)
    before = w.data.copy()
    for i in (0, 100, 199):
        bad = x.copy()
        bad[i] = -1
        with pytest.raises(RuntimeWarning, match="invalid value") as caught:
            step(bad)
        assert "in log, recorded at test_compile_memory.py" in caught.value.__notes__[0]
        with np.errstate(invalid="call", call=_interrupt), pytest.raises(KeyboardInterrupt):
            step(bad)
    assert_array_equal(w.data, before)
    assert_allclose(step(x).data, (np.log(x) * before).sum(), rtol=1e-12)
    assert_allclose(w.data, before - 0.5 * np.log(x), rtol=1e-12)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = """if True:
        import os, numpy as np, tinytorch
        f = tinytorch.compile(lambda x: np.exp(x) * 2, threads=2)
        x = np.zeros(1 << 18)
        for _ in range(5): f(x)
        child = os.fork()
        if not child:
            os._exit(0 if f(x)[0] == 2 else 1)
        raise SystemExit(os.waitpid(child, 0)[1])
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- fewer calls ----------------------------------------------------------------------------------


def test_what_changes_nothing_is_left_out() -> None:
    compiled = compile(lambda x: (x * np.float64(1)).exp())
    x = Tensor(rng.normal(size=5))
    for _ in range(5):
        assert_array_equal(compiled(x).data, np.exp(x.data))
    assert functions_of(compiled) == [np.exp]


def test_minus_becomes_part_of_a_sum() -> None:
    compiled = compile(lambda x, y: (-x + y, y + -x))
    for _ in range(5):
        x, y = rng.normal(size=(2, 5))
        x[0], y[1] = np.inf, -np.inf
        for out in compiled(x, y):
            assert_array_equal(out, y - x)
    assert functions_of(compiled) == [np.subtract, np.subtract][:1] * len(functions_of(compiled))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: _in_place(x * 2, y),
        lambda x, y: _in_place(x.astype("f"), y),
        lambda x, y: _viewed(x * 2, y),
        lambda x, y: _in_place(_in_place(x + 1, y), y) * 2,
    ],
)
def test_what_is_changed_in_place(function: Any) -> None:
    compiled = compile(function)
    for _ in range(5):
        x, y = rng.normal(size=(2, 5, 3))
        assert_array_equal(compiled(x, y), function(x, y))


@pytest.mark.parametrize("index", [0, (slice(None), 1), [0, 2], (0, 1)])
def test_an_entry_is_read_again_after_it_was_written(index: Any) -> None:
    def function(x: Any) -> Any:
        sums = np.zeros_like(x)
        for factor in (1, 2, 3):
            sums[index] += factor * x[index]
        first, second = x[index], x[index]
        sums[index] = first + 0.5 * second
        return sums, first, second

    compiled = compile(function)
    for _ in range(5):
        x = rng.normal(size=(4, 3))
        for a, b in zip(compiled(x), function(x), strict=True):
            assert_array_equal(a, b)


def test_copies_of_the_same_entries_are_two() -> None:
    def function(x: Any) -> Any:
        first, second = x[[0, 2]], x[[0, 2]]
        first += 1
        return first, second

    compiled = compile(function)
    for _ in range(5):
        x = rng.normal(size=(4, 3))
        for a, b in zip(compiled(x), function(x), strict=True):
            assert_array_equal(a, b)


def _in_place(x: Any, y: Any) -> Any:
    x += y
    return x


def _viewed(x: Any, y: Any) -> Any:
    view = x[1:]
    x += y
    view *= 2
    return np.concatenate([view, x])


def test_the_number_of_threads_survives_a_pickle() -> None:
    assert compile(threads=1)(tinytorch.grad(lambda x: x)).__getstate__()[1] == 1
