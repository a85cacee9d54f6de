"""The engine: the graph that operations leave behind, and the gradients that flow back through it.

A node holds what an operation computed, its inputs, and for each a rule that turns the output's
gradient into that input's share. `pull` takes outputs first and adds the shares up: the chain rule
in reverse (S. Linnainmaa, "Taylor expansion of the accumulated rounding error", 1976).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from itertools import count
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from tinytorch.arrays.scattered import Scattered, whole
from tinytorch.arrays.words import broadcast_to, cast, conj, sum_axes, sum_leading
from tinytorch.atomic import one_at_a_time, set_grads

Array: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Any]]  # or what speaks its protocols
Rule: TypeAlias = Callable[..., Any]  # rule(grad, out, *inputs) gives the share of one input


class Node:
    """A value, and where it came from: all that the engine needs to know of a tensor."""

    _value: Array
    _grad: Any  # an array or, of a leaf, `Scattered`; None; of what was computed, the conjugate
    _children: tuple[Any, ...]  # the inputs in order: nodes, and constants as they are
    _arrays: tuple[Any, ...]  # the value and the inputs' values, collected once for all rules
    _op: Any  # what made this node; None for a leaf
    _rules: Sequence[Rule]  # one for each input
    _order: int  # larger than that of every input
    _requires_grad: bool
    label: str | None
    __slots__ = (*__annotations__, "__weakref__")

    def _begin(self, data: Array, label: str | None, requires_grad: bool, grad: Any) -> None:
        """Be a leaf, which no operation made."""
        self._value, self.label, self._requires_grad = data, label, requires_grad
        self._grad, self._op, self._order = grad, None, next(_count)
        self._children = self._arrays = self._rules = ()

    def _backward(self) -> None:
        """Take one step of the way back: add this node's shares to its inputs' gradients."""
        shares: dict[Node, Any] = {self: self._grad}
        pull(shares, [self])
        del shares[self]
        sums = {x: whole(g) if x._children else conj(whole(g)) for x, g in shares.items()}
        sums = {x: g.copy() if x._grad is None else whole(x._grad) + g for x, g in sums.items()}
        set_grads(sums)


recording = ContextVar[Sequence[Any]]("recording", default=(True, 0))  # enabled?, transforms around
watcher = ContextVar[Callable[..., object] | None]("watcher", default=None)  # of each share
_new, _count, _by_order = object.__new__, count(1), attrgetter("_order")


def record(value: Any, inputs: Any, arrays: Any, op: Any, rules: Sequence[Rule]) -> Any:
    """Make the tensor of an operation's `value`, with a graph behind it if an input needs one."""
    if type(value) is not np.ndarray and isinstance(value, np.generic):
        value = np.asarray(value)  # NumPy gives a scalar where an array of no axes is meant
    if recording.get()[0]:
        for x in inputs:
            if isinstance(x, Node) and x._requires_grad:
                node = _new(type(x))
                node._value, node._grad, node.label = value, None, None  # more than three are slow
                node._children, node._arrays, node._op = inputs, arrays, op
                node._rules, node._order, node._requires_grad = rules, next(_count), True
                return node
    node = _new(next(type(x) for x in inputs if isinstance(x, Node)))
    node._begin(value, None, False, None)
    return node


def topological_order(roots: Iterable[Node]) -> list[Node]:
    """List `roots` and all nodes that they need gradients for, every node after its inputs."""
    seen = set(nodes := list(roots))
    for node in nodes:  # which grow on the way
        for x in node._children:
            if isinstance(x, Node) and x._requires_grad and x not in seen:
                seen.add(x)
                nodes.append(x)
    nodes.sort(key=_by_order)  # of their making, which comes after the inputs'
    return nodes


def pull(grads: Any, nodes: Iterable[Node], only: Any = None, create_graph: bool = False) -> None:
    """Take the way back through `nodes`, outputs first: add each input's share to `grads`.

    Rules get arrays; with `create_graph` tensors, which do the same and so record a graph. Given a
    dict `only`, nothing flows through other nodes, and those mapped to true keep what they got.
    """
    watch = watcher.get()
    for node in nodes:
        grad, inputs = grads[node], node._children
        if type(grad) is Scattered and (inputs or only is not None):  # all its parts have come
            grads[node] = grad = grad.array()
        if only is not None and not only[node]:
            del grads[node]
        if not inputs:
            continue
        given = (grad, node, *inputs) if create_graph else (grad, *node._arrays)
        for x, rule in zip(inputs, node._rules):  # noqa: B905  (strict costs time)
            if isinstance(x, Node) and x._requires_grad and (only is None or x in only):
                share, data = rule(*given), x._value
                if watch is not None:
                    watch(node, x, conj(whole(share)))
                if share.shape != data.shape:
                    share = sum_to_shape(share, data.shape, data)
                if share.dtype is not data.dtype and share.dtype != data.dtype:
                    share = cast(share, data.dtype)
                grads[x] = grads.pop(x) + share if x in grads else share  # popped: summed in place
                share = None  # while the next is computed, its memory may be another's


@one_at_a_time  # or sums of two threads would be lost
def accumulate(grads: Mapping[Node, Any]) -> None:
    """Set `.grad`: add to what a leaf has, replace what an intermediate node has."""
    totals, handed_on = dict(grads), set()
    for x, grad in grads.items():  # in which no input comes before its outputs
        if x._children:
            handed_on.add(id(grad))
            continue
        totals[x] = share = conj(whole(grad)) if grad.dtype.kind == "c" else grad
        if x._grad is not None:
            totals[x] = whole(x._grad) + whole(share)
        elif id(share) in handed_on or getattr(share, "base", None) is not None:
            totals[x] = share.copy()  # a rule has handed on what it was given
    set_grads(totals)


def sum_to_shape(array: Any, shape: Sequence[int], like: Any = None) -> Any:
    """Fold `array` back to `shape`: the adjoint of `np.broadcast_to` sums over an entry's uses.

    What a rule left to be repeated is repeated, as `like`. Raises ValueError for unfit shapes.

    >>> sum_to_shape(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if (folded := sum_leading(array, array.ndim - len(shape))).shape == (shape := tuple(shape)):
        return folded
    if repeated := [i for i in range(-folded.ndim, 0) if folded.shape[i] != shape[i] == 1]:
        folded = sum_axes(folded, tuple(repeated), keepdims=True)
    try:
        return folded if folded.shape == shape else broadcast_to(folded, shape, like)
    except ValueError:
        raise ValueError(f"sum_to_shape: shape {array.shape} cannot be folded to {shape}") from None
