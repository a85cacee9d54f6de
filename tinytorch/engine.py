"""The engine: the graph that operations leave behind, and the gradients that flow back through it.

It knows no operation. Each node holds the array that an operation computed, the inputs it was
computed from, and one rule per input that turns the gradient of the output into that input's
share. `gradients` visits the nodes, outputs before inputs, and adds the shares up: the chain rule
in reverse mode (S. Linnainmaa, "Taylor expansion of the accumulated rounding error", 1976).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tinytorch.lazy import any_lazy, gradients_in_memory, spread

# Any array that speaks NumPy's protocols may stand where this type is written.
Array: TypeAlias = npt.NDArray[Any]
# rule(grad, out, *inputs) gives one input's share of the gradient. Its arguments are plain arrays,
# or tensors when the derivative is to be differentiated again.
Rule: TypeAlias = Callable[..., Any]


class Node:
    """What the engine needs to know of a tensor: a value and where it came from."""

    __slots__ = (  # noqa: RUF023  (in the order in which one meets them)
        "_data", "_grad", "_children", "_op", "_backward", "_order", "requires_grad", "label",
        "_computed", "__weakref__",
    )  # fmt: skip
    _data: Array
    _grad: Array | None
    _children: tuple[Any, ...]  # the inputs in order: tensors, and constants as they are
    _op: Any  # the Operation that made this node; None for a leaf
    _backward: Sequence[Rule]  # one for each input
    _order: int  # larger than that of every input
    requires_grad: bool
    label: str | None
    _computed: Array | None  # the value of a Dask array, where it is known; else often unset


class _GradMode(threading.local):
    enabled = True


_grad_mode = _GradMode()


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Record operations inside the block if `mode` is true, as PyTorch's; per thread, and nests."""
    outer, _grad_mode.enabled = _grad_mode.enabled, mode
    try:
        yield
    finally:
        _grad_mode.enabled = outer


def no_grad() -> Any:
    """Record nothing inside the block, `with no_grad(): ...`, or the function, `@no_grad()`."""
    return set_grad_enabled(mode=False)


_new = object.__new__
_count = count(1)


def record(value: Any, inputs: tuple[Any, ...], op: Any, rules: Sequence[Rule]) -> Any:
    """Make the tensor of an operation's `value`, with a graph behind it if an input needs one."""
    if type(value) is not np.ndarray and isinstance(value, np.generic):
        value = np.asarray(value)  # NumPy gives a scalar where an array of no axes is meant
    kind: type[Node] = Node
    for x in inputs:
        if isinstance(x, Node):
            kind = type(x)
            if x.requires_grad and _grad_mode.enabled:
                node = _new(kind)
                node._data, node._grad, node.label, node.requires_grad = value, None, None, True
                node._children, node._op, node._backward = inputs, op, rules
                node._order = next(_count)
                return node
    node = _new(kind)
    node._data, node._grad, node.label, node.requires_grad = value, None, None, False
    node._children, node._op, node._backward, node._order = (), None, (), 0
    return node


def topological_order(roots: Iterable[Node]) -> list[Node]:
    """List `roots` and all nodes that they need gradients for, every node after its inputs.

    An operation comes after the ones that made its inputs, so the order of their making will do.
    """
    nodes = list(roots)
    seen = set(nodes)
    for node in nodes:  # which grow on the way
        for x in node._children:
            if isinstance(x, Node) and x.requires_grad and x not in seen:
                seen.add(x)
                nodes.append(x)
    nodes.sort(key=attrgetter("_order"))
    return nodes


def gradients(
    seeds: Mapping[Node, Any], *, only: dict[Node, None] | None = None, create_graph: bool = False
) -> dict[Node, Any]:
    """Map every node that the roots in `seeds` depend on to the gradient of sum(root * seed).

    Rules run on plain arrays. With `create_graph` they run on the tensors themselves (the seeds
    too), and since a tensor does what its array does, that records the graph of the derivative.
    With `only`, nodes in topological order, gradients flow through no others.
    """
    grads = dict(seeds)
    pull = partial(_pull, grads, only, create_graph)
    nodes = list(reversed(topological_order(seeds) if only is None else only))
    if not create_graph and any_lazy([root._data for root in seeds]):
        nodes = gradients_in_memory(nodes, seeds, grads, pull)
    pull(nodes)
    return grads


def _pull(grads: dict[Node, Any], only: Any, create_graph: bool, nodes: Iterable[Node]) -> None:
    """Add to `grads` what the rules make of each node's gradient."""
    for node in nodes:
        inputs = node._children
        if not inputs:
            continue
        grad = grads[node]
        out: Any = node if create_graph else node._data
        values = inputs
        if not create_graph:
            values = tuple([x._data if isinstance(x, Node) else x for x in inputs])
        for x, rule in zip(inputs, node._backward):  # noqa: B905  (strict costs time)
            if isinstance(x, Node) and x.requires_grad and (only is None or x in only):
                share, data = rule(grad, out, *values), x._data
                if share.shape != data.shape:
                    share = sum_to_shape(spread(share, data), data.shape)
                if share.dtype is not data.dtype and share.dtype != data.dtype:
                    share = share.astype(data.dtype)
                grads[x] = grads[x] + share if x in grads else share


def accumulate(grads: Mapping[Node, Any]) -> None:
    """Set `.grad`: add to what a leaf has, replace what an intermediate node has."""
    handed_on = set()
    for node, grad in grads.items():
        if node._children:
            node._grad = grad
            handed_on.add(id(grad))
        elif node._grad is not None:
            node._grad = node._grad + grad
        else:
            # A rule may hand on the array it was given, or a view of it; a leaf keeps its own.
            shared = id(grad) in handed_on or getattr(grad, "base", None) is not None
            node._grad = grad.copy() if shared else grad


def sum_to_shape(array: Any, shape: Sequence[int]) -> Any:
    """Fold `array` back to `shape`: the adjoint of `np.broadcast_to`.

    Broadcasting uses one entry many times, so the gradient of that entry is the sum over its uses:

    1. right-align: `shape` gets axes of size 1 on its left until it has as many as `array`;
    2. expand: where `array` has size 1 and `shape` has more, its entries are repeated;
    3. sum out the leading axes that `shape` does not have;
    4. sum the axes in which `shape` has size 1, and keep them.

    Raises ValueError if the two shapes do not broadcast against each other.

    >>> sum_to_shape(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    >>> sum_to_shape(np.ones((2, 3)), (2, 1))
    array([[3.],
           [3.]])
    """
    shape, given = tuple(shape), array.shape
    leading = len(given) - len(shape)
    aligned, sizes = (1,) * leading + shape, (1,) * -leading + given
    if leading < 0:
        array = array.reshape(sizes)
    if 1 in sizes and any(m == 1 != n for m, n in zip(sizes, aligned, strict=True)):
        expanded = [n if m == 1 else m for m, n in zip(sizes, aligned, strict=True)]
        array = np.broadcast_to(array, expanded)
    if leading > 0:
        array = array.sum(axis=tuple(range(leading)))
    repeated = tuple([i for i, n in enumerate(shape) if n == 1 != array.shape[i]])
    if repeated:
        array = array.sum(axis=repeated, keepdims=True)
    if array.shape != shape:
        raise ValueError(f"sum_to_shape: an array of shape {given} cannot be folded to {shape}")
    return array
