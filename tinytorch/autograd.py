"""Gradients on demand: of these tensors, for those, as values of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.words import conj
from tinytorch.engine import Node, topological_order
from tinytorch.grad_mode import GradMode
from tinytorch.gradients import gradients, may_hide
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

__all__ = ["grad"]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    *,
    retain_graph: bool | None = None,
    only_inputs: bool = True,  # noqa: ARG001  (others get none)
) -> tuple[Tensor, ...]:
    """Give the gradient of the sum of `outputs` for each of `inputs`; no `.grad` changes.

    `grad_outputs`, one for each output and of its shape, weight the outputs' entries; None stands
    for 1 where the output has a single entry. With `create_graph` the gradients can be
    differentiated again, any number of times; without it they require no gradient. With
    `allow_unused` an input that the outputs don't depend on has None for a gradient. The graph
    lives as long as its tensors do, unless `retain_graph=False` has it freed on the way.

    Raises RuntimeError for an output or input that requires no gradient, for an output of several
    entries without weights, for an unused input, and where an input may be behind a graph that was
    freed; ValueError for weights of another shape.

    >>> x = Tensor(2.0)
    >>> (slope,) = grad(x**3, x, create_graph=True)
    >>> slope, grad(slope, x)
    (Tensor(12.), (Tensor(12., requires_grad=False),))
    """
    outputs, inputs = _tensors("outputs", outputs), _tensors("inputs", inputs)
    if grad_outputs is None:
        grad_outputs = [None] * len(outputs)
    elif not isinstance(grad_outputs, list | tuple):
        grad_outputs = [grad_outputs]
    if len(grad_outputs) != len(outputs):
        raise ValueError(
            f"grad: grad_outputs has {len(grad_outputs)} items for {len(outputs)} outputs"
        )
    seeds = []
    for i, (output, weights) in enumerate(zip(outputs, grad_outputs, strict=True)):
        if weights is None and output.size != 1:
            raise RuntimeError(
                f"grad: outputs[{i}] is {describe(output)}: the gradient of several entries needs "
                "grad_outputs, or sum them"
            )
        if weights is None and output.dtype.kind == "c":
            raise RuntimeError(
                f"grad: outputs[{i}] is complex, and only real numbers have a gradient by "
                "themselves: take its .real, .imag or .abs(), or give grad_outputs"
            )
        ones = np.ones_like(output.data)
        seeds.append(seed(f"grad: grad_outputs[{i}]", ones if weights is None else weights, output))
    with GradMode(create_graph):
        retain = retain_graph is None or bool(retain_graph)
        found = sweep(outputs, seeds, inputs, create_graph=create_graph, retain_graph=retain)
    for i, gradient in enumerate(found):
        if gradient is None and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on inputs[{i}], {describe(inputs[i])}; "
                "with allow_unused=True its gradient is None"
            )
        if not isinstance(gradient, Tensor | None):
            found[i] = Tensor(gradient, requires_grad=False)
    return tuple(found)


def _tensors(name: str, tensors: Any) -> tuple[Tensor, ...]:
    single = isinstance(tensors, Tensor) or not isinstance(tensors, Iterable)
    several: tuple[Tensor, ...] = (tensors,) if single else tuple(tensors)
    for i, tensor in enumerate(several):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"grad: {name}[{i}] is {describe(tensor)}, expected a Tensor")
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: {name}[{i}], {describe(tensor)}, requires no gradient")
    return several


def seed(where: str, values: Any, like: Tensor) -> Tensor:
    """Make a tensor of `values`, with the dtype of `like`.

    Raises TypeError for what are not real numbers, ValueError for another shape than that of
    `like`; both begin with `where`.
    """
    if isinstance(values, Tensor):
        weights = values
    else:
        kind = (getattr(values, "dtype", None) or np.asarray(values).dtype).kind
        if kind not in "fiubc" or kind == "c" != like.dtype.kind:
            wanted = "numbers" if like.dtype.kind == "c" else "real numbers"
            raise TypeError(f"{where}: expected {wanted}, got {describe(values)}")
        weights = Tensor(values, requires_grad=False, dtype=like.dtype)
    if weights.shape != like.shape:
        raise ValueError(f"{where}: expected shape {like.shape}, got {describe(values)}")
    return weights if weights.dtype == like.dtype else weights.astype(like.dtype)


def sweep(
    outputs: Iterable[Tensor],
    seeds: Iterable[Any],
    inputs: Sequence[Tensor],
    *,
    create_graph: bool,
    retain_graph: bool = True,
) -> list[Any]:
    """Give the gradient of the sum of all `output * seed` for each input, None where there is none.

    The gradients are arrays, with `create_graph` mostly tensors; then the seeds must be tensors.
    """
    joined: dict[Node, Any] = {}
    for output, share in zip(outputs, seeds, strict=True):
        weights = share
        if isinstance(share, Tensor) and not create_graph:
            weights = kind_of(output._value).like(share._value, output._value)
        joined[output] = joined[output] + weights if output in joined else weights
    # The nodes on the paths from the outputs to the inputs, and whether they are inputs.
    wanted, oldest = set(inputs), min((x._order for x in inputs), default=0)
    only: dict[Node, bool] = {}
    for node in topological_order(joined):
        behind = any(isinstance(x, Node) and x in only for x in node._children)
        if node in wanted or behind or may_hide(node, oldest):  # which raises
            only[node] = node in wanted
    seeds_on_paths = {node: conj(weights) for node, weights in joined.items() if node in only}
    grads: dict[Node, Any] = {}
    if only:
        grads = gradients(
            seeds_on_paths, only=only, create_graph=create_graph, retain_graph=retain_graph
        )
    return [conj(grads[x]) if x in grads else None for x in inputs]
