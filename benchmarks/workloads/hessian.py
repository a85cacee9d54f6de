"""The Hessian of the Rosenbrock function: derivatives of derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contestant import Contestant, Decorator, as_it_is


def start(dimensions: int) -> np.ndarray:
    """Draw the point at which the Hessian is wanted."""
    return np.random.default_rng(0).normal(size=dimensions)


def rosenbrock(x: Any) -> Any:
    """Give the valley's height, for any library's arrays."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def contestant(hessian: Callable[[], Any]) -> Contestant:
    """Race `hessian`, which gives the matrix."""
    return Contestant(hessian, lambda: [hessian()])


def in_tinytorch(dimensions: int, compile: Decorator = as_it_is) -> Contestant:
    """`tinytorch.hessian`."""
    import tinytorch

    hessian, x = compile(tinytorch.hessian(rosenbrock)), start(dimensions)
    return contestant(lambda: hessian(x))


def in_pytorch(dimensions: int) -> Contestant:
    """Vectorized, which is the fastest of PyTorch's ways, `torch.func.hessian` included."""
    import torch
    from torch.autograd.functional import hessian

    x = torch.tensor(start(dimensions))
    return contestant(lambda: hessian(rosenbrock, x, vectorize=True))


def in_jax(dimensions: int) -> Contestant:
    """One compiled call."""
    import jax
    import jax.numpy as jnp

    hessian, x = jax.jit(jax.hessian(rosenbrock)), jnp.asarray(start(dimensions))
    return contestant(lambda: hessian(x).block_until_ready())


def in_autograd(dimensions: int) -> Contestant:
    """`autograd.hessian`."""
    from autograd import hessian

    differentiate, x = hessian(rosenbrock), start(dimensions)
    return contestant(lambda: differentiate(x))


def by_hand(dimensions: int) -> Contestant:
    """The formula that calculus gives: three diagonals."""
    x, matrix = start(dimensions), np.zeros((dimensions, dimensions))
    flat = matrix.reshape(-1)
    diagonal = flat[:: dimensions + 1]
    above, below = flat[1 :: dimensions + 1], flat[dimensions :: dimensions + 1]

    def hessian() -> np.ndarray:
        diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
        diagonal[-1] = 0
        diagonal[1:] += 200
        above[:] = below[:] = -400 * x[:-1]
        return matrix

    return contestant(hessian)
