"""PyTorch's database of operations on a GPU: each gives what it gives on the CPU, or is refused."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from gpu import assert_same, cupy, installed  # noqa: F401
from reference import leaves, weights
from test_op_db import CHOSEN, MEANINGLESS, function, has_complex, title

from tinytorch import Tensor
from tinytorch.arrays.plain import plain


def ours(x: Any, make: Any, xs: list[Tensor]) -> Any:  # noqa: PLR0911
    """Make of PyTorch's arguments ours, of arrays that `make` gives; note down each variable."""
    if isinstance(x, torch.Tensor):
        array = make(x.numpy(force=True).copy())
        if not x.is_floating_point():
            return plain(array)
        tensor = Tensor(array, requires_grad=x.requires_grad)
        if x.requires_grad:
            xs.append(tensor)
        return tensor
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, list | tuple):
        return type(x)([ours(part, make, xs) for part in x])
    if isinstance(x, dict):
        return {key: ours(part, make, xs) for key, part in x.items()}
    if isinstance(x, torch.dtype):
        return str(x).removeprefix("torch.")
    return x


def computed(op: Any, sample: Any, make: Any) -> Any:
    """Give the values, and the gradients of all variables."""
    args, options = (sample.input, *sample.args), dict(sample.kwargs)
    if op.name in CONSTANT:
        args = (args[0], *[x.detach() if isinstance(x, torch.Tensor) else x for x in args[1:]])
    known = {name: x for name, x in options.items() if name not in MEANINGLESS}
    xs: list[Tensor] = []
    found = leaves(function(op)(*ours(args, make, xs), **ours(known, make, xs)))
    outputs = [y for y in found if hasattr(y, "shape")]
    tensors = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
    for y, w in zip(tensors, weights([y.shape for y in tensors], 1), strict=True):
        y.backward(make(w.astype(y.dtype)))
    return [getattr(y, "_value", y) for y in outputs], [x.grad for x in xs]


# What CuPy lacks: no such function, or not with these parameters.
REFUSED = {
    **dict.fromkeys(("i0", "special.i1"), "cupyx.scipy.special has no iv"),
    **dict.fromkeys(("special.i0e", "special.i1e"), "cupyx.scipy.special has no ive"),
}
CONSTANT = {"quantile", "nanquantile"}  # whose second argument has no gradient here
# They make something on the CPU.
FACTORIES = {"arange", "eye", "full", "linspace", "logspace", "ones", "to", "zeros"}
COMPLEX = {"view_as_real"}  # no samples of real numbers
THERE = [op for op in CHOSEN if op.name not in FACTORIES | COMPLEX]


@pytest.mark.parametrize("op", THERE, ids=title)
@pytest.mark.filterwarnings("ignore")  # of PyTorch's own samples
def test_as_on_the_cpu(op: Any) -> None:
    torch.manual_seed(0)
    every = op.sample_inputs("cpu", torch.float64, requires_grad=op.supports_autograd)
    for sample in islice((sample for sample in every if not has_complex(sample)), 2):
        with np.errstate(all="ignore"):
            here = computed(op, sample, np.asarray)
            if op.name in REFUSED:
                with pytest.raises(TypeError, match=REFUSED[op.name]):
                    computed(op, sample, cupy.asarray)
                return
            there = computed(op, sample, cupy.asarray)
        for a, b in zip(there, here, strict=True):
            assert_same(a, [np.asarray(x) for x in b])
