"""Computations with complex numbers, here and in PyTorch: values, first and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from reference import Derivatives, Function, exchanged, gradients, leaves, torch_gradients

from tinytorch import Tensor

RNG = np.random.default_rng(14)


def drawn(*shape: int) -> Any:
    """Draw complex numbers, none of which is near 0."""
    return np.exp(RNG.uniform(-0.7, 0.7, shape) + 1j * RNG.uniform(-np.pi, np.pi, shape))


def is_variable(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def weights(arrays: list[Any], seed: int) -> list[Any]:
    """Draw numbers of each array's shape, complex ones for complex arrays."""
    rng = np.random.default_rng(seed)
    drawn = [rng.uniform(0.5, 2, (2, *np.shape(x))) for x in arrays]
    return [w[0] + 1j * w[1] if np.iscomplexobj(x) else w[0] for w, x in zip(drawn, arrays)]  # noqa: B905


def here(function: Function, args: Any) -> Derivatives:
    """Differentiate with TinyTorch: by `backward`, and then on tensors."""
    xs: list[Tensor] = []

    def change(x: Any) -> Any:
        if not is_variable(x):
            return x
        xs.append(Tensor(x))
        return xs[-1]

    outputs = [y for y in leaves(function(*exchanged(args, change))) if isinstance(y, Tensor)]
    ws = [Tensor(w) for w in weights([y.data for y in outputs], 1)]
    vs = [Tensor(v) for v in weights([x.data for x in xs], 2)]
    for y, w in zip(outputs, ws, strict=True):
        if y.requires_grad:
            y.backward(w.data)
    first = [x.grad for x in xs]
    graphs = gradients(outputs, xs, ws)
    for with_graph, without in zip(graphs, first, strict=True):
        assert with_graph.dtype == without.dtype
        np.testing.assert_allclose(with_graph.data, without, 1e-12, 1e-12)
    second = gradients(graphs, [*xs, *ws], vs)
    return Derivatives([y.data for y in outputs], first, [s.data for s in second])


def in_torch(function: Function, args: Any) -> Derivatives:
    """Differentiate with PyTorch."""
    xs: list[torch.Tensor] = []

    def change(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        if is_variable(x):
            xs.append(torch.tensor(x).requires_grad_())
            return xs[-1]
        return torch.tensor(x)

    made = leaves(function(*exchanged(args, change)))
    outputs = [y for y in made if y.is_complex() or y.is_floating_point()]
    ws = [torch.tensor(w) for w in weights([numbers(y) for y in outputs], 1)]
    vs = [torch.tensor(v) for v in weights([numbers(x) for x in xs], 2)]
    ws = [w.requires_grad_() for w in ws]
    first = torch_gradients(outputs, xs, ws)
    second = torch_gradients(first, [*xs, *ws], vs)
    return Derivatives(*[list(map(numbers, part)) for part in (outputs, first, second)])


def numbers(x: torch.Tensor) -> Any:
    return x.detach().resolve_conj().resolve_neg().numpy()


def assert_as_in_torch(mine: Function, theirs: Function, *args: Any, rtol: float = 1e-10) -> None:
    """Compare values, first and second derivatives, and their dtypes."""
    found, expected = here(mine, args), in_torch(theirs, args)
    for ours, others in zip(found, expected, strict=True):
        for x, y in zip(ours, others, strict=True):
            assert x.dtype == y.dtype
            scale = np.abs(y).max(initial=1e-3)
            np.testing.assert_allclose(x, y, rtol, rtol * scale)
