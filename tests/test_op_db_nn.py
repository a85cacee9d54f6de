"""PyTorch's own database of operations, its group `nn.functional`, run over `nn.functional` here.

Each entry has samples of inputs, which PyTorch tests itself with. Values and gradients have to
agree on every kind of them.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from unittest import TestCase

import pytest
import torch
from numpy.testing import assert_allclose
from reference import leaves, weights

from tinytorch import Tensor, nn
from tinytorch.nn import functional as ours

if "expecttest" not in sys.modules:  # the database is defined beside tests that need it
    sys.modules["expecttest"] = ModuleType("expecttest")
    sys.modules["expecttest"].TestCase = TestCase  # type: ignore[attr-defined]
from torch.testing._internal.common_methods_invocations import op_db

GROUP = "nn.functional."
ENTRIES = [op for op in op_db if op.name.startswith(GROUP)]

LEFT_OUT = {
    "alpha_dropout": "random",
    "dropout": "random",
    "dropout2d": "random",
    "dropout3d": "random",
    "feature_alpha_dropout.with_train": "random",
    "fractional_max_pool2d": "random",
    "fractional_max_pool3d": "random",
    "silu.complex": "complex",
    "upsample_bilinear": "an old name of interpolate",
    "upsample_nearest": "an old name of interpolate",
}

# The database calls these two with the weights first.
WEIGHTS_FIRST = {"embedding", "embedding_bag"}

RTOL = {"hardsigmoid": 1e-7}  # PyTorch's 1/6 is that of float32

MOST = 16  # samples of an entry, spread over all


def title(op: Any) -> str:
    name = str(op.name).removeprefix(GROUP)
    return f"{name}.{op.variant_test_name}" if op.variant_test_name else name


def test_nothing_is_missing() -> None:
    names = {str(op.name).removeprefix(GROUP) for op in ENTRIES}
    assert names - set(LEFT_OUT) - set(ours.__all__) == set()
    assert {title(op) for op in ENTRIES} >= set(LEFT_OUT)


CHOSEN = [op for op in ENTRIES if title(op) not in LEFT_OUT]


def samples(op: Any) -> list[Any]:
    torch.manual_seed(0)
    floating = torch.float64 in op.dtypes or not op.dtypes
    dtype = torch.float64 if floating else torch.int64
    every = [x for x in op.sample_inputs("cpu", dtype, requires_grad=floating) if is_tested(op, x)]
    return every[:: -(-len(every) // MOST)]


def is_tested(op: Any, sample: Any) -> bool:
    """Leave out samples that need random numbers, and what has no channels."""
    name, options = title(op), sample.kwargs
    if name == "rrelu":
        return not options.get("training")
    if name == "scaled_dot_product_attention":
        return not options.get("dropout_p")
    return not (name.startswith("batch_norm") and sample.input.ndim == 1)


def arguments(op: Any, sample: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args, options = (sample.input, *sample.args), dict(sample.kwargs)
    if title(op) == "multi_head_attention_forward":
        assert args[10] == 0.5  # the part that is left out at random
        args = (*args[:10], 0.0, *args[11:])
    if title(op) == "ctc_loss":  # PyTorch's gradient is right behind log_softmax only
        args = (args[0].log_softmax(-1).detach().requires_grad_(), *args[1:])
    return args, options


def functions(op: Any) -> tuple[Any, Any]:
    """Give the function here and in PyTorch."""
    name = op.name[len(GROUP) :]
    mine = getattr(ours, name)
    if name in WEIGHTS_FIRST:
        return lambda weight, x, **options: mine(x, weight, **options), op.op
    if name == "ctc_loss":
        return tuple(
            lambda x, *args, f=f, **options: f(x.log_softmax(-1), *args, **options)
            for f in (mine, op.op)
        )  # type: ignore[return-value]
    return mine, op.op


def here(x: Any, xs: list[tuple[torch.Tensor, Tensor]]) -> Any:  # noqa: PLR0911
    """Make of PyTorch's arguments ours; note down each variable in both libraries."""
    if isinstance(x, torch.Tensor):
        array = x.detach().numpy()
        if not x.is_floating_point():
            return array
        tensor = Tensor(array, requires_grad=x.requires_grad)
        if x.requires_grad:
            xs.append((x, tensor))
        return tensor
    if isinstance(x, list | tuple):
        return type(x)([here(part, xs) for part in x])
    if isinstance(x, dict):
        return {key: here(part, xs) for key, part in x.items()}
    if isinstance(x, torch.nn.Module):
        return getattr(nn, type(x).__name__)()
    if isinstance(x, torch.dtype):
        return str(x).removeprefix("torch.")
    return x


@pytest.mark.parametrize("op", CHOSEN, ids=title)
@pytest.mark.filterwarnings("ignore")  # of PyTorch's own samples
def test_as_pytorchs(op: Any) -> None:
    mine, theirs = functions(op)
    given = samples(op)
    assert given
    for sample in given:
        args, options = arguments(op, sample)
        xs: list[tuple[torch.Tensor, Tensor]] = []
        y = mine(*here(args, xs), **here(options, xs))
        z = theirs(*args, **options)
        compare(list(leaves(y)), list(leaves(z)), xs, RTOL.get(title(op), 1e-9))


def compare(
    mine: list[Any], expected: list[Any], xs: list[tuple[torch.Tensor, Tensor]], rtol: float
) -> None:
    assert len(mine) == len(expected)
    with_gradient = []
    for y, z, w in zip(mine, expected, weights([tuple(z.shape) for z in expected], 0), strict=True):
        data = y.data if isinstance(y, Tensor) else y
        assert_allclose(data, numbers(z), rtol=rtol, atol=rtol / 10)
        if z.requires_grad:
            assert y.requires_grad
            seed = (w * (1 + 2j) if z.is_complex() else w).astype(y.dtype)
            y.backward(seed)
            with_gradient.append((z, torch.tensor(seed)))
    if with_gradient:
        outputs, ws = zip(*with_gradient, strict=True)
        theirs = [x for x, _ in xs]
        grads = torch.autograd.grad(outputs, theirs, ws, allow_unused=True, materialize_grads=True)
        for (_, x), grad in zip(xs, grads, strict=True):
            assert_allclose(x.grad, numbers(grad), rtol=rtol, atol=rtol / 10)


def numbers(x: torch.Tensor) -> Any:
    return x.resolve_conj().resolve_neg().numpy(force=True)
