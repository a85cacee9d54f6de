"""The engine: the graph that operations leave behind, and the gradients that flow back through it.

It knows no operation. Each node holds the array that an operation computed, the inputs it was
computed from, and one rule per input that turns the gradient of the output into that input's
share. `gradients` visits the nodes, outputs before inputs, and adds the shares up: the chain rule
in reverse mode (S. Linnainmaa, "Taylor expansion of the accumulated rounding error", 1976).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from tinytorch.arrays import broadcast_to, sum_leading
from tinytorch.lazy import any_lazy, gradients_in_memory, spread

# Any array that speaks NumPy's protocols may stand where this type is written.
Array: TypeAlias = npt.NDArray[Any]
# rule(grad, out, *inputs) gives one input's share of the gradient. Its arguments are plain arrays,
# or tensors when the derivative is to be differentiated again.
Rule: TypeAlias = Callable[..., Any]


class Node:
    """What the engine needs to know of a tensor: a value and where it came from."""

    __slots__ = (  # noqa: RUF023  (in the order in which one meets them)
        "_data", "_grad", "_children", "_arrays", "_op", "_backward", "_order", "requires_grad",
        "label", "_call", "_computed", "__weakref__",
    )  # fmt: skip
    _data: Array
    _grad: Array | None
    _children: tuple[Any, ...]  # the inputs in order: tensors, and constants as they are
    _arrays: tuple[Any, ...]  # the value and what it was computed from, for the rules
    _op: Any  # the Operation that made this node; None for a leaf
    _backward: Sequence[Rule]  # one for each input
    _order: int  # larger than that of every input
    requires_grad: bool
    label: str | None
    _call: tuple[Any, ...] | None  # what a picture shows as one box: a module, and its inputs
    _computed: Array | None  # the value of a Dask array, where it is known; else often unset
    _kind: ClassVar[Any]  # of what operations make of it

    def __init_subclass__(cls, results: type[Node] | None = None) -> None:
        """Let operations give tensors of the same class, or of the class `results`."""
        cls._kind = results or cls

    def _begin(self, data: Array, label: str | None, requires_grad: bool, grad: Any) -> None:
        """Be a leaf, which no operation made."""
        self._data, self.label, self.requires_grad, self._grad = data, label, requires_grad, grad
        self._children, self._arrays, self._op, self._backward, self._order = (), (), None, (), 0
        self._call = None


_grad_enabled = ContextVar("grad_enabled", default=True)


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Record operations inside the block if `mode` is true, as PyTorch's; per thread, and nests."""
    before = _grad_enabled.set(mode)
    try:
        yield
    finally:
        _grad_enabled.reset(before)


def no_grad() -> Any:
    """Record nothing inside the block, `with no_grad(): ...`, or the function, `@no_grad()`."""
    return set_grad_enabled(mode=False)


_new = object.__new__
_count = count(1)
_by_order = attrgetter("_order")


def record(
    value: Any, inputs: tuple[Any, ...], arrays: tuple[Any, ...], op: Any, rules: Sequence[Rule]
) -> Any:
    """Make the tensor of an operation's `value`, with a graph behind it if an input needs one."""
    if type(value) is not np.ndarray and isinstance(value, np.generic):
        value = np.asarray(value)  # NumPy gives a scalar where an array of no axes is meant
    if _grad_enabled.get():
        for x in inputs:
            if isinstance(x, Node) and x.requires_grad:
                node = _new(x._kind)
                node._data = value
                node._grad = node.label = node._call = None
                node.requires_grad = True
                node._children, node._arrays = inputs, arrays
                node._op, node._backward = op, rules
                node._order = next(_count)
                return node
    node = _new(next(x._kind for x in inputs if isinstance(x, Node)))
    node._begin(value, None, False, None)
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
    nodes.sort(key=_by_order)
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
    nodes = topological_order(seeds) if only is None else list(only)
    nodes.reverse()
    if not create_graph and any_lazy([root._data for root in seeds]):
        nodes = gradients_in_memory(nodes, seeds, grads, partial(_pull, grads, only, False))
    _pull(grads, only, create_graph, nodes)
    return grads


def _pull(grads: dict[Node, Any], only: Any, create_graph: bool, nodes: Iterable[Node]) -> None:
    """Add to `grads` what the rules make of each node's gradient."""
    for node in nodes:
        inputs = node._children
        if not inputs:
            continue
        given = (grads[node], node, *inputs) if create_graph else (grads[node], *node._arrays)
        for x, rule in zip(inputs, node._backward):  # noqa: B905  (strict costs time)
            if isinstance(x, Node) and x.requires_grad and (only is None or x in only):
                share, data = rule(*given), x._data
                if share.shape != data.shape:
                    share = sum_to_shape(spread(share, data), data.shape)
                if share.dtype is not data.dtype and share.dtype != data.dtype:
                    share = share.astype(data.dtype)
                # Taken out, the sum so far is nobody else's, and NumPy adds to it in place.
                grads[x] = grads.pop(x) + share if x in grads else share


def accumulate(grads: Mapping[Node, Any]) -> None:
    """Set `.grad`: add to what a leaf has, replace what an intermediate node has."""
    handed_on = {id(grad) for node, grad in grads.items() if node._children}
    for node, grad in grads.items():
        if node._children:
            node._grad = grad
        elif node._grad is not None:
            node._grad = node._grad + grad
        else:
            # A rule may hand on the array it was given, or a view of it; a leaf keeps its own.
            shared = id(grad) in handed_on or getattr(grad, "base", None) is not None
            node._grad = grad.copy() if shared else grad


def sum_to_shape(array: Any, shape: Sequence[int]) -> Any:
    """Fold `array` back to `shape`: the adjoint of `np.broadcast_to`.

    Broadcasting uses one entry many times, so the gradient of that entry is the sum over its uses:

    1. right-align: the shorter of the two shapes gets axes of size 1 on its left;
    2. sum out the leading axes that `shape` does not have;
    3. sum the axes in which `shape` has size 1, and keep them;
    4. expand: where `array` has size 1 and `shape` has more, its entries are repeated.

    Raises ValueError if the two shapes do not broadcast against each other.

    >>> sum_to_shape(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    >>> sum_to_shape(np.ones((2, 3)), (2, 1))
    array([[3.],
           [3.]])
    """
    shape, given = tuple(shape), array.shape
    if len(given) > len(shape):
        array = sum_leading(array, len(given) - len(shape))
    elif given and len(given) < len(shape):
        array = array.reshape((1,) * (len(shape) - len(given)) + given)
    if array.shape == shape:
        return array
    repeated = [i for i, n in enumerate(array.shape) if n != shape[i] == 1]
    if repeated:
        array = array.sum(axis=tuple(repeated), keepdims=True)
    try:
        return broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"sum_to_shape: shape {given} cannot be folded to {shape}") from None
