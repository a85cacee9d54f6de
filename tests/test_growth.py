"""Growth: what is done n times takes n steps, forward and on the way back."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np
import pytest

from tinytorch import Tensor

ROUTES = {
    "single indices": lambda x, n: sum(x[i] for i in range(n)),
    "single entries": lambda x, n: sum(x[i, 0] for i in range(n)),
    "lists of indices": lambda x, n: sum(x[[i, 0]] for i in range(n)),
    "iteration": lambda x, n: np.stack(list(x)),
    "unbind": lambda x, n: np.stack(x.unbind()),
    "split": lambda x, n: np.concatenate(np.split(x, n)),
    "beside the whole": lambda x, n: (x * 2).sum() + sum(x[i] for i in range(n)) + (x * x).sum(),
    "stack": lambda x, n: np.stack([x[0]] * n),
    "running products": lambda x, n: x[:, 0].cumprod(0),
}


def seconds(route: Any, n: int) -> float:
    """Time a forward and a backward pass: the shorter of two, without the collector's passes."""
    times = []
    gc.disable()
    try:
        for _ in range(2):
            x = Tensor(np.ones((n, 8)))
            start = time.process_time()
            route(x, n).backward()
            times.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(times)


@pytest.mark.parametrize("name", ROUTES)
def test_four_times_the_parts_take_some_four_times_as_long(name: str) -> None:
    few, many = (seconds(ROUTES[name], n) for n in (3000, 12000))
    assert many < 9 * few
