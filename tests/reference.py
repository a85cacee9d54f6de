"""One computation here and in PyTorch, or by finite differences: values and derivatives compared.

A function under test takes its arguments in any nesting of lists, tuples and dictionaries. The
floating arrays among them become tensors; everything else reaches it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.testing import assert_allclose

from tinytorch import Tensor
from tinytorch.autograd import grad

Function = Callable[..., Any]


class Derivatives(NamedTuple):
    """The outputs y of a function of x, and what the weights w and v of no symmetry make of them.

    `first` holds the gradients g = d(w y)/dx, `second` those of (v g): d(v g)/dx, then d(v g)/dw.
    """

    values: list[Any]
    first: list[Any]
    second: list[Any]


def leaves(tree: Any) -> Iterator[Any]:
    """Walk through lists, tuples and dictionaries to what is in them."""
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from leaves(part)
    elif isinstance(tree, dict):
        yield from leaves(list(tree.values()))
    else:
        yield tree


def exchanged(tree: Any, change: Function) -> Any:
    """Build the same nesting with `change(leaf)` in place of each leaf."""
    if isinstance(tree, list | tuple):
        return type(tree)([exchanged(part, change) for part in tree])
    if isinstance(tree, dict):
        return {key: exchanged(part, change) for key, part in tree.items()}
    return change(tree)


def is_variable(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def weights(shapes: list[tuple[int, ...]], seed: int) -> list[Any]:
    """Draw numbers of both signs, none near 0, so that every entry's gradient is told apart."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)) for shape in shapes]


def tensors_of(args: Any, dtype: Any = np.float64) -> tuple[Any, list[Tensor]]:
    """Make tensors of the floating arrays; give the arguments, and the tensors in a list."""
    made: list[Tensor] = []

    def change(x: Any) -> Any:
        if not is_variable(x):
            return x
        made.append(Tensor(x, dtype=dtype))
        return made[-1]

    return exchanged(args, change), made


def here(function: Function, args: Any, dtype: Any = np.float64) -> Derivatives:
    """Differentiate with TinyTorch: once on arrays, by `backward`, and then on tensors."""
    inputs, xs = tensors_of(args, dtype)
    outputs = list(leaves(function(*inputs)))
    ws = [Tensor(w, dtype=dtype) for w in weights([y.shape for y in outputs], 1)]
    vs = [v.astype(dtype) for v in weights([x.shape for x in xs], 2)]
    for y, w in zip(outputs, ws, strict=True):
        if y.requires_grad:
            y.backward(w.data)
    first = [x.grad for x in xs]
    graphs = gradients(outputs, xs, ws)
    for with_graph, without in zip(graphs, first, strict=True):
        assert_close(with_graph.data, without, rtol=100 * np.finfo(dtype).eps)
    second = gradients(graphs, [*xs, *ws], vs)
    return Derivatives([y.data for y in outputs], first, [s.data for s in second])


def gradients(outputs: list[Tensor], inputs: list[Tensor], weights: list[Any]) -> list[Tensor]:
    """Give the gradients of the inputs as tensors with a graph, zeros where there are none."""
    pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
    found: list[Any] = [None] * len(inputs)
    if pairs:
        ys, ws = zip(*pairs, strict=True)
        found = list(grad(ys, inputs, ws, create_graph=True, allow_unused=True))
    zeros = [Tensor(np.zeros_like(x.data), requires_grad=False) for x in inputs]
    return [zero if g is None else g for g, zero in zip(found, zeros, strict=True)]


def in_torch(function: Function, args: Any, *, twice: bool = True) -> Derivatives:
    """Differentiate with PyTorch, in float64; once where it cannot do so twice."""
    xs: list[torch.Tensor] = []

    def change(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        tensor = torch.tensor(x)
        if is_variable(x):
            xs.append(tensor.double().requires_grad_())
            return xs[-1]
        return tensor

    outputs = list(leaves(function(*exchanged(args, change))))
    ws = [torch.tensor(w) for w in weights([tuple(y.shape) for y in outputs], 1)]
    vs = [torch.tensor(v) for v in weights([tuple(x.shape) for x in xs], 2)]
    ws = [w.requires_grad_() for w in ws]
    first = torch_gradients(outputs, xs, ws)
    second = torch_gradients(first, [*xs, *ws], vs) if twice else []
    return Derivatives(*[[t.numpy(force=True) for t in part] for part in (outputs, first, second)])


def torch_gradients(
    outputs: list[torch.Tensor], inputs: list[torch.Tensor], weights: list[torch.Tensor]
) -> list[torch.Tensor]:
    """Give the gradients of the inputs, zeros where PyTorch has none."""
    pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
    if not pairs:
        return [torch.zeros_like(x) for x in inputs]
    found = torch.autograd.grad(
        [y for y, _ in pairs],
        inputs,
        [w for _, w in pairs],
        create_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    return list(found)


def assert_close(
    actual: Any, expected: Any, rtol: float = 1e-11, atol: float | None = None
) -> None:
    """Compare shapes and values; what cancels may err by a tenth of `rtol` of the largest entry."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    if atol is None:
        finite = expected[np.isfinite(expected)]
        atol = rtol / 10 * max(1, np.max(np.abs(finite), initial=0))
    assert_allclose(actual, expected, rtol=rtol, atol=atol)


def assert_same(
    actual: Derivatives, expected: Derivatives, rtol: float = 1e-11, atol: float | None = None
) -> None:
    for ours, theirs in zip(actual, expected, strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b, rtol, atol)


# The slope of the polynomial through four points at these steps from the middle.
STEPS = np.array([-2, -1, 1, 2]) * 1e-3
SLOPE = np.array([1, -8, 8, -1]) / 12e-3


def assert_agrees_with_differences(function: Function, args: Any) -> None:
    """Hold first and second derivatives against differences of values and of first derivatives."""
    actual = here(function, args)
    variables = [x for x in leaves(args) if is_variable(x)]
    ws = weights([y.shape for y in actual.values], 1)
    vs = weights([x.shape for x in variables], 2)
    directions = weights([x.shape for x in variables], 3)

    def moved(step: float) -> Derivatives:
        stepped = iter(
            [np.asarray(x + step * d) for x, d in zip(variables, directions, strict=True)]
        )
        return here(function, exchanged(args, lambda x: next(stepped) if is_variable(x) else x))

    around = [moved(step) for step in STEPS]
    values = [contracted(point.values, ws) for point in around]
    slopes = [contracted(point.first, vs) for point in around]
    # Rounding errors of 1e-16 divided by steps of 1e-3, and the fourth power of the steps.
    tolerance = {"rtol": 1e-8, "atol": 1e-8}
    assert_allclose(contracted(actual.first, directions), SLOPE @ values, **tolerance)
    of_inputs = actual.second[: len(variables)]
    assert_allclose(contracted(of_inputs, directions), SLOPE @ slopes, **tolerance)
    # The first derivative is linear in w, so that d(v g)/dw contracted with w is v g itself.
    of_weights = actual.second[len(variables) :]
    assert_close(contracted(of_weights, ws), contracted(actual.first, vs))


def contracted(arrays: list[Any], weights: list[Any]) -> float:
    return float(sum(np.sum(a * w) for a, w in zip(arrays, weights, strict=True)))
