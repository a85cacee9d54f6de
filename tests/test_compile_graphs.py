"""Random programs, compiled: graphs of operations with training steps, and arrays that overlap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_graphs import graphs, loss, results

import tinytorch
from tinytorch import Tensor


@given(graph=graphs())
def test_steps_of_random_graphs(graph: Any) -> None:
    arrays, steps = graph

    def make() -> tuple[list[Tensor], Callable[[Any], Any]]:
        parameters = [Tensor(x) for x in arrays]

        def step(scale: Any) -> Any:
            total = loss(results([p * scale for p in parameters], steps))
            for p in parameters:
                p.grad = None
            total.backward()
            for p in parameters:
                p.data -= 0.001 * p.grad
            return total

        return parameters, step

    (ours, eager), (twins, step) = make(), make()
    compiled = tinytorch.compile(step)
    for i in range(5):
        expected, actual = eager(1 + i / 10), compiled(1 + i / 10)
        assert_allclose(actual.data, expected.data, rtol=1e-12)
        for p, q in zip(ours, twins, strict=True):
            assert_allclose(q.data, p.data, rtol=1e-10, atol=1e-12)
            assert_allclose(q.grad, p.grad, rtol=1e-9, atol=1e-11 * (1 + np.abs(p.grad).max()))
    assert compiled.program is not None


class Step(NamedTuple):
    """What is done, to which of the arrays so far, with which parameters."""

    name: str
    operands: tuple[int, int]
    numbers: tuple[int, int]


# All arrays are 4 x 4 or views of some of that.
VIEWS: dict[str, Callable[..., Any]] = {
    "transpose": lambda x, i, j: x.T,
    "rows": lambda x, i, j: x[i : i + 2],
    "backwards": lambda x, i, j: x[::-1, ::-1],
    "flat": lambda x, i, j: x.reshape(-1),
    "part": lambda x, i, j: x[i:, j:],
}
MAKE: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y / 4,
    "tanh": lambda x, y: np.tanh(x),
    "same": lambda x, y: x * 1,
    "number": lambda x, y: (x * 2).sum().reshape(1, 1),
    "copy": lambda x, y: x.copy(),
    "dot": lambda x, y: np.dot(x, y) / 8,
    "sum": lambda x, y: x.sum(axis=0),
    "largest": lambda x, y: np.maximum(x, y),  # noqa: PLW0108
    "constant": lambda x, y: np.ones_like(x),
    "astype": lambda x, y: x.astype(np.float32).astype(np.float64),
}


def add_in_place(x: Any, y: Any) -> None:
    x += y


def write(x: Any, y: Any) -> None:
    x[...] = y


def clear(x: Any, y: Any) -> None:  # noqa: ARG001
    x.fill(0.5)


def tanh_in_place(x: Any, y: Any) -> None:  # noqa: ARG001
    np.tanh(x, out=x)


CHANGE = {"+=": add_in_place, "[...]": write, "fill": clear, "out": tanh_in_place}
NAMES = [*VIEWS, *MAKE, *MAKE, *CHANGE]
steps = st.builds(
    Step,
    st.sampled_from(NAMES),
    st.tuples(st.integers(0, 99), st.integers(0, 99)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)


def run(program: list[Step], arrays: list[Any], outputs: list[int]) -> list[Any]:
    arrays = list(arrays)
    for name, (a, b), (i, j) in program:
        x, y = arrays[a % len(arrays)], arrays[b % len(arrays)]
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            continue
        if name in VIEWS:
            if x.ndim == 2 or name in ("transpose", "flat"):
                arrays.append(VIEWS[name](x, i, j))
        elif name in MAKE:
            fits = x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]
            if (name != "dot" or fits) and (name != "sum" or x.ndim == 2):
                arrays.append(MAKE[name](x, y))
        elif np.broadcast_shapes(x.shape, y.shape) == x.shape:
            CHANGE[name](x, y)
    return [arrays[i % len(arrays)] for i in outputs]


@settings(max_examples=5 * settings.default.max_examples)
@given(
    program=st.lists(steps, min_size=1, max_size=60),
    outputs=st.lists(st.integers(0, 99), max_size=4),
    shared=st.booleans(),
)
def test_random_programs_with_views_and_changes(
    program: list[Step], outputs: list[int], shared: bool
) -> None:
    def make() -> tuple[list[Any], Callable[[Any], Any]]:
        state = [np.linspace(-1, 1, 16).reshape(4, 4), np.eye(4)]
        return state, lambda *arguments: run(program, [*state, *arguments], outputs)

    (state, eager), (twins_state, function) = make(), make()
    compiled = tinytorch.compile(function)
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(5):
        memory = rng.normal(size=(5, 4))
        memories = memory.copy(), memory.copy()
        ours, twins = ([m[:4], m[1:]] if shared else [m[:4].copy(), m[1:].copy()] for m in memories)
        expected, actual = eager(*ours), compiled(*twins)
        for x, y in zip([*state, *ours, *expected], [*twins_state, *twins, *actual], strict=True):
            assert_array_equal(y, x)
        fresh = [
            y for y in actual if not any(np.shares_memory(y, x) for x in [*twins_state, *twins])
        ]
        kept.append((fresh, [y.copy() for y in fresh]))
    for arrays, then in kept:  # nothing has written into what was handed out
        for x, y in zip(arrays, then, strict=True):
            assert_array_equal(x, y)
    assert compiled.program is not None
