"""The libraries that race, and how each is imported, installed and named."""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """One library; `function` is the name that its side of every workload has.

    With `compiled`, that side is decorated with what the library calls `compile`.
    """

    title: str
    function: str
    distribution: str
    imports: str
    compiled: bool = False


LIBRARIES = {
    "tinytorch": Library("TinyTorch", "in_tinytorch", "tinytorch", "tinytorch"),
    "compiled": Library("TinyTorch, compiled", "in_tinytorch", "tinytorch", "tinytorch", True),
    "pytorch": Library("PyTorch, eager", "in_pytorch", "torch", "torch"),
    "pytorch_compiled": Library("PyTorch `compile`", "in_pytorch", "torch", "torch", True),
    "jax": Library("JAX `jit`", "in_jax", "jax", "jax.numpy"),
    "autograd": Library("autograd", "in_autograd", "autograd", "autograd.numpy"),
    "micrograd": Library("micrograd", "in_micrograd", "micrograd", "micrograd.engine"),
    "numpy": Library("NumPy by hand", "by_hand", "numpy", "numpy"),
}
