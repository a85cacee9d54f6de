"""Which part of a graph to draw: tensors and constants, and the calls of modules as boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tinytorch.engine import Node
from tinytorch.nn import Module
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves


class Box(NamedTuple):
    """The call of a module: what it computed on the way from its inputs to its output."""

    module: Module
    parameters: dict[str, Any]
    out: Any
    inside: list[Any]
    inputs: list[Any]


class Graph:
    """What to draw: tensors and constant arrays, the `units`, inputs first.

    The `opened` and the `closed` calls of modules are found by the id of their output. A closed one
    is drawn in the place of its output, and has its inputs. Raises ValueError where `max_nodes`
    leaves nothing to draw.
    """

    def __init__(self, root: Tensor, *, expand: bool, max_nodes: int) -> None:
        if max_nodes < 1:
            raise ValueError(f"render: max_nodes is at least 1, got {max_nodes}")
        self.root = root
        found = _reached(root, inputs_of)
        called = [node for node in found if getattr(node, "_call", None)]
        modules = {id(node._call[0]): node._call[0] for node in called}.values()
        self.parameters = {id(x): name for m in modules for name, x in m.named_parameters()}
        boxes = {id(box.out): box for box in map(_box, called) if box}
        owner = {id(x): out for out, box in boxes.items() for x in box.inside}
        # What something outside uses, other than the output, is not to be hidden in a box.
        leaky = {
            owner[id(x)]
            for node in (found if boxes else ())
            for x in inputs_of(node)
            if id(x) in owner and owner[id(x)] not in (id(x), owner.get(id(node)))
        }
        boxes = {out: box for out, box in boxes.items() if out not in leaky}
        self.opened, self.closed = (boxes, {}) if expand else ({}, boxes)
        if self.closed:
            found = _reached(root, self.inputs)
        self.n_left_out = max(0, len(found) - max_nodes)
        self.units = _inputs_first(root, self.inputs, {id(unit) for unit in found[:max_nodes]})

    def inputs(self, unit: Any) -> list[Any]:
        """List the units that a unit was computed from, in the order of its arguments."""
        box = self.closed.get(id(unit))
        return box.inputs if box else inputs_of(unit)

    def kind(self, unit: Any) -> str:
        """Say what a unit is; an intermediate result needs no word."""
        if not getattr(unit, "requires_grad", False):
            return "constant"
        if not unit._children:
            return "parameter" if id(unit) in self.parameters else "leaf"
        return "result" if unit is self.root else ""


def inputs_of(node: Any) -> list[Any]:
    """List tensors and arrays; numbers are written into the operation."""
    return [x for x in getattr(node, "_children", ()) if not is_number(x)]


def is_number(x: Any) -> bool:
    """Tell what is written into an operation, as a number, from tensors and arrays with axes."""
    return not isinstance(x, Node) and not (hasattr(x, "__array_function__") and np.ndim(x))


def _reached(root: Any, inputs: Callable[[Any], Iterable[Any]]) -> list[Any]:
    """List `root` and all that it was computed from, the nearest first."""
    found = [root]
    seen = {id(root)}
    for node in found:
        for x in inputs(node):
            if id(x) not in seen:
                seen.add(id(x))
                found.append(x)
    return found


def _inputs_first(root: Any, inputs: Callable[[Any], list[Any]], shown: set[int]) -> list[Any]:
    order: list[Any] = []
    stack = [root]
    while stack:
        unit = stack.pop()
        if unit is None:
            order.append(stack.pop())
        elif id(unit) in shown:
            shown.remove(id(unit))
            stack += (unit, None, *reversed(inputs(unit)))
    return order


def _box(out: Any) -> Box | None:
    """Find what a module computed; None if other modules did part of it, and have their own box."""
    module, *arguments = out._call
    given = {id(x): x for x in leaves(arguments)}
    # What the module keeps from a call is no parameter; a neuron's views of its layer's are.
    parameters = {
        name: x
        for name, x in module.named_parameters()
        if not any(id(y) in given or getattr(y, "_children", ()) for y in inputs_of(x))
    }
    own = {id(x) for x in parameters.values()}
    outside: dict[int, Any] = {}

    def steps(node: Any) -> Iterator[Any]:
        for x in inputs_of(node):
            if id(x) in given or not getattr(x, "_children", ()):
                outside[id(x)] = x
            elif id(x) not in own:
                yield x

    inside = _reached(out, steps)
    if any(getattr(x, "_call", None) for x in inside[1:]):
        return None
    in_order = [i for i in given if i in outside] + [i for i in outside if i not in given]
    return Box(module, parameters, out, inside, [outside[i] for i in in_order if i not in own])
