"""PyTorch's own database of operations, but for its groups `nn.functional` and random, run here.

Each entry has samples of inputs, which PyTorch tests itself with. In float64, values and gradients
have to agree on every kind of them; where there is no gradient, values alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from reference import leaves
from test_op_db_nn import GROUP, compare, op_db

import tinytorch
from tinytorch import Tensor
from tinytorch.arrays.plain import PlainArray, plain

ENTRIES = [op for op in op_db if not op.name.startswith(GROUP)]


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


LEFT_OUT: dict[str, str] = {}
GROUPS = {
    "fft.": "complex",
    "masked.": "PyTorch's masked tensors: where=, np.where and NumPy's nan functions stand for them",
    "signal.windows.": "SciPy's windows, of no tensor",
    "torch.": "kernels inside PyTorch",
    "sparse.": "sparse",
    "special.": "",
}

MOST = 12  # samples of an entry, spread over all


def is_left_out(op: Any) -> bool:
    return title(op) in LEFT_OUT or op.name in LEFT_OUT or torch.float64 not in op.dtypes


def function(op: Any) -> Any:
    group, _, name = op.name.rpartition(".")
    if op.name in SPELLED:
        return SPELLED[op.name]
    if group == "linalg":
        return getattr(np.linalg, name)
    if group == "special":
        return getattr(scipy.special, name)
    if hasattr(tinytorch, name):
        return getattr(tinytorch, name)
    return getattr(Tensor, name)


SPELLED: dict[str, Any] = {}


def samples(op: Any) -> list[Any]:
    torch.manual_seed(0)
    every = list(op.sample_inputs("cpu", torch.float64, requires_grad=op.supports_autograd))
    return every[:: -(-len(every) // MOST)]


def here(x: Any, xs: list[tuple[torch.Tensor, Tensor]]) -> Any:
    """Make of PyTorch's arguments ours; note down each variable in both libraries."""
    if isinstance(x, torch.Tensor):
        array = x.detach().resolve_conj().resolve_neg().numpy()
        if not x.is_floating_point():
            return plain(array.copy())
        tensor = Tensor(array, requires_grad=x.requires_grad)
        if x.requires_grad:
            xs.append((x, tensor))
        return tensor
    if isinstance(x, list | tuple) and not isinstance(x, torch.Size):
        return type(x)([here(part, xs) for part in x])
    if isinstance(x, dict):
        return {key: here(part, xs) for key, part in x.items()}
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, torch.dtype):
        return str(x).removeprefix("torch.")
    return x
