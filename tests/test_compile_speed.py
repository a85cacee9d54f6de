"""What it costs to record a function and to compile it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import Tensor, compile, nn  # noqa: A004

rng = np.random.default_rng(0)


def test_long_programs_compile_in_linear_time() -> None:
    def seconds(operations: int) -> float:
        x = Tensor([0.5, -1.0, 2.0])

        @compile
        def step() -> None:
            h = x
            for _ in range(operations):
                h = h * 0.999 + 0.001
            x.grad = None
            h.sum().backward()

        start = time.perf_counter()
        for _ in range(4):
            step()
        return time.perf_counter() - start

    seconds(100)
    assert seconds(8000) < 25 * seconds(1000)


def test_to_record_costs_no_more_than_so_many_steps() -> None:
    def calls(function: Callable[[], Any]) -> int:
        made = 0

        def count(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            function()
        finally:
            sys.setprofile(before)
        return made

    layers = [(24, nn.Activation.RELU), (12, nn.Activation.RELU), (1, nn.Activation.SIGMOID)]
    model, x, y = nn.MLP(2, layers), rng.normal(size=(100, 2)), rng.random((100, 1)) < 0.5

    def step() -> None:
        p = model(x)
        loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        model.flush_grads()
        loss.backward()
        for parameter in model.parameters:
            parameter.data -= 0.01 * parameter.grad

    step()
    eager, compiled = calls(step), compile(step)
    first, *recordings, _replay = [calls(compiled) for _ in range(4)]
    # Calls of functions are the same in each run, which times are not.
    assert first < 3 * eager
    assert sum(recordings) < 56 * eager
