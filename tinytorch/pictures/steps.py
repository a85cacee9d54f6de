"""The steps of a forward and a backward pass, told one after another.

The way back is not walked a second time in here: the engine's own loop runs, and is watched.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinytorch.engine import Array, Node, pull, sum_to_shape, topological_order, watcher
from tinytorch.pictures.cells import fitted
from tinytorch.pictures.dot import names_of, spell
from tinytorch.pictures.graph import Graph, is_number
from tinytorch.pictures.lines import on_return
from tinytorch.pictures.rules import Rules, Written
from tinytorch.pictures.values import details, inline, is_small, number, summary

_MOST_COPIES, _MOST_NAMED = 3, 6


@dataclass
class Step:
    """What happens at once, in words and for the picture; nodes and arrows are named as in DOT."""

    kind: str  # start, forward, seed, share, fold, spread or end
    text: str
    node: str = ""  # at work
    to: str = ""  # what it hands a share to
    arrows: list[str] = field(default_factory=list)
    rule: str = ""
    names: str = ""  # the rule, with those of the program
    numbers: str = ""
    result: str = ""
    share: dict[str, Any] = field(default_factory=dict)  # the result, if it is large
    sum: str = ""
    copies: list[str] = field(default_factory=list)  # which are summed to `total`
    total: str = ""
    known: list[str] = field(default_factory=list)  # whose values are there from now on
    grads: dict[str, list[str]] = field(default_factory=dict)  # gradients as they are from now on
    complete: list[str] = field(default_factory=list)  # gradients that will not change any more
    wrong: list[str] = field(default_factory=list)  # who is at fault, or has a false gradient


class Share(NamedTuple):
    """What the engine's loop told: the share of one input, and the rule that gave it."""

    node: Node
    place: int  # among the inputs
    x: Node
    array: Array  # as the rule gave it, not yet folded
    rule: Written


def watch(root: Node, nodes: Iterable[Node], names: Mapping[int, str]) -> list[Share]:
    """Let the engine pull gradients from `root` through `nodes`, in that order, and watch.

    Lists the shares that go to the nodes that `names` names, by id. No node's `.grad` is changed.
    """
    told: list[Share] = []
    inputs: dict[Node, Iterator[int]] = {}  # those that have not been told of yet
    rules = Rules()

    def tell(node: Node, x: Node, share: Any) -> None:
        if node not in inputs:
            places = enumerate(node._children)
            inputs[node] = (i for i, y in places if isinstance(y, Node) and y._requires_grad)
        place = next(inputs[node])
        if id(x) in names:
            # A number has no name but itself.
            called = [names.get(id(y), "…" if isinstance(y, Node) else "") for y in node._children]
            known = {id(a): c for a, c in zip(node._arrays[1:], called, strict=True) if c}
            known[id(node._arrays[0])] = names.get(id(node), "…")
            rule = rules.written(node, place, known)
            told.append(Share(node, place, x, np.array(share), rule))

    token = watcher.set(tell)
    try:
        with on_return(rules), np.errstate(all="ignore"):
            pull({root: np.ones_like(root._value)}, nodes)
    finally:
        watcher.reset(token)
    return told


def too_early(root: Node) -> list[Node] | None:
    """List the nodes in a wrong order: each hands on before others that it still gets shares from.

    Of those that have a share, the one that was made first. None if no order is wrong, where no
    computed value is used by two operations.
    """
    order: list[Node] = []
    waiting, reached = [(-1, root)], {root}
    while waiting:
        node = heapq.heappop(waiting)[1]
        order.append(node)
        for x in node._children:
            if isinstance(x, Node) and x._children and x not in reached:
                reached.add(x)
                heapq.heappush(waiting, (x._order, x))
    turn = {node: i for i, node in enumerate(order)}
    edges = ((node, x) for node in order for x in node._children if isinstance(x, Node))
    return order if any(turn[node] > turn.get(x, len(turn)) for node, x in edges) else None


class Story:
    """The steps of a graph: `forward`, `backward` and, if there is one, in the `wrong` order.

    Names and keys of the units are the picture's, `grads` are the gradients at the end.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.root = graph, graph.root
        self.keys = {id(unit): f"n{i}" for i, unit in enumerate(graph.units)}
        self.names = {unit: " ".join(fitted(name)) for unit, name in names_of(graph).items()}
        nodes = topological_order([self.root])
        self.forward = [self._start(), *map(self._compute, self._computed())]
        shares = watch(self.root, reversed(nodes), self.names)
        self._uses = Counter(id(share.x) for share in shares)
        self.backward, self.grads = self._way_back(shares)
        order = too_early(self.root)
        self.wrong: list[Step] = []
        if order is not None:
            self.wrong, _ = self._way_back(watch(self.root, order, self.names))

    def arguments(self, node: Any) -> Sequence[list[str]]:
        """Give the names and the values of what an operation was applied to."""
        names = [number(x) if is_number(x) else self.names.get(id(x), "…") for x in node._children]
        values = [inline(array) for array in node._arrays[1:]]
        if len(names) > _MOST_NAMED:
            return [[*texts[:_MOST_NAMED], "…"] for texts in (names, values)]
        return names, values

    def expression(self, node: Any) -> str:
        """Write down what made a node, as in `x * y`."""
        return "".join(spell(node, self.arguments(node)[0], str))

    def _computed(self) -> list[Any]:
        computed = [unit for unit in self.graph.units if getattr(unit, "_children", ())]
        return sorted(computed, key=lambda node: node._order)

    def _start(self) -> Step:
        given = [unit for unit in self.graph.units if not getattr(unit, "_children", ())]
        told = [f"{self.names[id(x)]} = {inline(_array(x))}" for x in given]
        told += ["tensors that are not shown"] * (self.graph.n_left_out > 0)
        return Step(
            "start",
            f"The program begins with {_listed(told)}.",
            known=[self.keys[id(x)] for x in given],
        )

    def _compute(self, node: Any) -> Step:
        key, name = self.keys[id(node)], self.names[id(node)]
        _, values = self.arguments(node)
        numbers = "".join(spell(node, values, str))
        step = Step(
            "forward",
            f"{name} is computed: {self.expression(node)}.",
            key,
            arrows=[f"{key}-{i}" for i in range(len(self.graph.inputs(node)))],
            rule=f"{name} = {self.expression(node)}",
            numbers=numbers,
            result=inline(node._value),
            known=[key],
        )
        if node is self.root:
            step.text += f" {name} is the result."
        return step

    def _way_back(self, shares: list[Share]) -> tuple[list[Step], dict[int, Array]]:
        """Tell of the seed, of each share, and of what has come of it."""
        name, key = self.names[id(self.root)], self.keys[id(self.root)]
        grads: dict[int, Array] = {id(self.root): np.ones_like(self.root._value)}
        seed = Step(
            "seed",
            f"The way back begins at {name}: its gradient is {inline(grads[id(self.root)])}, "
            f"that of {name} with respect to itself.",
            key,
            grads={key: summary(grads[id(self.root)])},
            complete=[key],
        )
        steps, left, begun = [seed], self._uses.copy(), {id(self.root)}
        for share in shares:
            steps += self._hand_on(share, grads, left, begun)
        return [*steps, self._end(grads)], grads

    def _hand_on(
        self, share: Share, grads: dict[int, Array], left: Counter[int], begun: set[int]
    ) -> list[Step]:
        """Tell of one share: how it is found, folded, and added to what its input has."""
        node, x = id(share.node), id(share.x)
        name, to = self.names.get(node, "A tensor that isn't shown"), self.names[x]
        step = Step("share", "", self.keys.get(node, "more"), self.keys[x])
        step.arrows = [f"{step.node}-{self._arrow(share)}"] if node in self.keys else []
        step.rule, step.names, step.numbers = share.rule
        step.result = inline(share.array)
        if not is_small(share.array):
            step.share = details(share.array)
            del step.share["text"]
        if node not in begun:
            begun.add(node)
            if left[node]:
                step.text = f"{name} hands on too early, with {_shares(left[node])} still to come. "
                step.wrong = [step.node]
            elif node in self.keys:
                step.text = f"The gradient of {name} is complete. "
        step.text += f"{name} hands {to} its share, {step.result}."

        folded = sum_to_shape(share.array, share.x._value.shape, share.x._value)
        folded = folded.astype(share.x._value.dtype)
        steps = [step]
        copies = _copies(share.array, folded.shape)
        if len(copies) != 1 or copies[0].size != folded.size:
            steps.append(self._fold(share, copies, folded, step))
        last = steps[-1]
        before = grads.get(x)
        grads[x] = folded if before is None else before + folded
        last.grads = {last.to: summary(grads[x])}
        if before is None:
            last.text += f" {to} had none yet."
        else:
            last.sum = f"{inline(before)} + {inline(folded)} = {inline(grads[x])}"
            last.text += f" It is added to what {to} has: {last.sum}."
        left[x] -= 1
        if x in begun:
            last.text += f" That is too late: {to} has handed on what it had."
            last.wrong = [last.to]
        if not left[x]:
            last.complete = [last.to]
        return steps

    def _fold(self, share: Share, copies: Array, folded: Array, step: Step) -> Step:
        """Tell how a share gets its input's shape: copies are summed, or it is spread."""
        to, shape, wanted = self.names[id(share.x)], share.array.shape, folded.shape
        fold = Step("fold", "", step.node, step.to, arrows=step.arrows, total=inline(folded))
        if len(copies) != 1:
            fold.text = (
                f"{to} has the shape {wanted}, its share {shape}: {to} was copied {len(copies)} "
                f"times, so that its share is the sum of those of the copies, {fold.total}."
            )
            fold.copies = [inline(copy) for copy in copies[:_MOST_COPIES]]
            if len(copies) > _MOST_COPIES:
                fold.copies.append(f"… {len(copies) - _MOST_COPIES:,} more")
        else:
            fold.kind = "spread"
            fold.text = (
                f"{to} has the shape {wanted}, its share {shape}: each entry of {to} counted "
                f"alike, so that each gets it, {fold.total}."
            )
            fold.copies = [inline(share.array)]
        return fold

    def _arrow(self, share: Share) -> int:
        """Say which of the node's arrows it is; numbers have none."""
        return sum(not is_number(x) for x in share.node._children[: share.place])

    def _end(self, grads: Mapping[int, Array]) -> Step:
        nodes = [x for x in self.graph.units if id(x) in grads]
        step = Step("end", f"The way back is over: {self._gradients(nodes, grads)}.")
        right = getattr(self, "grads", grads)
        false = [x for x in nodes if not _equal(grads[id(x)], right[id(x)])]
        if false:
            step.wrong = [self.keys[id(x)] for x in false]
            step.text += f" In the right order, {self._gradients(false, right)}."
        return step

    def _gradients(self, nodes: list[Any], grads: Mapping[int, Array]) -> str:
        leaves = [x for x in nodes if not x._children] or nodes
        return _listed([f"{self.names[id(x)]}.grad = {inline(grads[id(x)])}" for x in leaves])


def _equal(x: Array, y: Array) -> bool:
    return bool(np.array_equal(x, y, equal_nan=True))


def _copies(array: Array, shape: tuple[int, ...]) -> Array:
    """List the parts of `array` that broadcasting made of one array of `shape`."""
    added = array.ndim - len(shape)
    axes = [i for i, n in enumerate(array.shape) if i < added or shape[i - added] == 1 != n]
    one = [1 if i in axes else n for i, n in enumerate(array.shape)][max(added, 0) :]
    copies = math.prod([array.shape[i] for i in axes])
    return np.moveaxis(array, axes, range(len(axes))).reshape(copies, *one)


def _array(unit: Any) -> Any:
    return unit._value if isinstance(unit, Node) else unit


def _listed(texts: list[str]) -> str:
    if len(texts) > _MOST_NAMED:
        texts = [*texts[: _MOST_NAMED - 1], f"{len(texts) - _MOST_NAMED + 1:,} more"]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _shares(n: int) -> str:
    return "1 share" if n == 1 else f"{n} shares"
