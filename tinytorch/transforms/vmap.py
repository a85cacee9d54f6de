"""`vmap`: from a function of one example to the function of a batch of them.

The function runs once, on tensors that hold a `Batch` each. Going in, an axis of an argument
becomes the one that the batch doesn't show, and coming out it is shown again: two operations, each
of which is the other's rule. A tensor from outside, which is the same for all examples, gets the
sum of their gradients. Nothing else of the library knows that there are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tinytorch.arrays import batch_kind, batch_products  # noqa: F401  (what a batch does at once)
from tinytorch.arrays.batch import Batch, in_front, new_level
from tinytorch.arrays.plain import PLAIN, base, plain
from tinytorch.arrays.words import rows
from tinytorch.engine import Node, Rule, record, sum_to_shape, topological_order
from tinytorch.grad_mode import in_transform
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply
from tinytorch.random import shared
from tinytorch.tensor import Tensor
from tinytorch.transforms.calling import Function, derived, title_of
from tinytorch.trees import leaves, map_leaves

_IN = Operation("vmap_in", "vmap in", module=__name__)
_OUT = Operation("vmap_out", "vmap out", module=__name__)
# Whose second input may be a matrix that all examples share.
_PRODUCTS = (Operation.MATMUL, Operation.ADDMM)
_TOTAL = Operation("vmap_total", "vmap total", module=__name__)


def vmap(f: Function, in_axes: Any = 0, out_axes: Any = 0, randomness: str = "error") -> Function:
    """Give the function that calls f for each entry along an axis, all at once, and stacks results.

    `vmap(f)(x, y)[i]` is `f(x[i], y[i])`. `in_axes` is the axis of the arguments: a number for
    all of them, or a tuple with one item for each: a number, None for what is the same in every
    call, or, where an argument is a list, tuple or dict, one of these in place of its parts.
    `out_axes` says in the same way where the new axis of the output goes. Arguments given by name
    are the same in every call. Nests with every transform: `vmap(grad(loss), (None, 0, 0))` gives
    each example's own gradient.

    f is run once, so it can't look at values: an `if` on them raises where the calls differ
    (`np.where` chooses for each), as do float(x) and masks as indices. What it draws is the same in
    every call, and raises unless `randomness="same"` says so. The results are arrays where no
    argument is a tensor and no gradient is wanted, else tensors.

    Raises, when called, ValueError for axes that aren't there, of different sizes or of size 0, and
    for `in_axes` or `out_axes` that don't fit; TypeError for an output of f that is no array.

    >>> vmap(np.dot, (0, None))(np.arange(6.0).reshape(3, 2), np.array([1.0, 10.0]))
    array([10., 32., 54.])
    """
    title = title_of("vmap", f)
    if randomness not in ("error", "same"):
        raise ValueError(
            f'{title}: randomness is "error" or "same", got {describe(randomness)}; for numbers '
            "that differ, draw them outside, with one more axis, and map over that"
        )

    @derived(title, f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        level = new_level()
        axes = _in_axes(title, in_axes, args)
        size = _size(title, axes, args)
        remaining = iter(axes)
        tensors = any(isinstance(x, Tensor) for x in leaves((args, kwargs)))
        given = map_leaves(lambda _where, x: _inside(x, next(remaining), level), "", args)
        before = shared.set(randomness == "same")
        try:
            output = f(*given, **kwargs)
        finally:
            shared.reset(before)
        found = [y for y in leaves(output) if isinstance(y, Tensor)]
        _share(found, level, size)
        remaining = iter(_spread(f"{title}: out_axes", out_axes, output))

        def outside(where: str, y: Any) -> Any:
            return _outside(where, y, next(remaining), level, size, tensors)

        return map_leaves(outside, f"{title}: the output", output)

    return mapped


# --- the axes -------------------------------------------------------------------------------------


def _in_axes(title: str, in_axes: Any, args: Sequence[Any]) -> list[int | None]:
    """Give the axis of each leaf of the arguments."""
    if isinstance(in_axes, list | tuple):
        if len(in_axes) != len(args):
            raise ValueError(
                f"{title}: in_axes has {len(in_axes)} items for {len(args)} positional arguments"
            )
        in_axes = tuple(in_axes)
    return _spread(f"{title}: in_axes", in_axes, args)


def _spread(where: str, axes: Any, tree: Any) -> list[int | None]:
    """Give each leaf of the tree the axis that stands in its place, or in one around it."""
    found: list[int | None] = []

    def spread(where: str, axis: Any, part: Any) -> None:
        if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
            raise TypeError(f"{where} is {describe(axis)}, expected a whole number or None")
        found.extend([axis] * len(leaves(part)))

    map_leaves(spread, where, axes, tree)
    return found


def _size(title: str, axes: Sequence[int | None], args: Sequence[Any]) -> int:
    """Say how many examples there are."""
    try:
        mapped = [(x, i) for x, i in zip(leaves(args), axes, strict=True) if i is not None]
        sizes = {x.shape[i] for x, i in mapped if x.dtype}
    except (AttributeError, IndexError):
        sizes = set()
    if len(sizes) != 1:
        _refuse_sizes(title, axes, args)
    (size,) = sizes
    if not size:
        raise ValueError(f"{title}: there are 0 examples, so that nothing tells what f gives")
    return int(size)


def _refuse_sizes(title: str, axes: Sequence[int | None], args: Sequence[Any]) -> NoReturn:
    """Say what is wrong with the axes."""
    sizes: list[str] = []
    remaining = iter(axes)

    def measure(where: str, x: Any) -> None:
        axis = next(remaining)
        if axis is None:
            return
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            raise TypeError(
                f"{where} is {describe(x)}, which has no axis to map over: an array has, and None "
                "in its place of in_axes gives it to every call"
            )
        size = x.shape[_axis(where, axis, len(x.shape))]
        sizes.append(f"\n  {size} in {where}, {describe(x)}, axis {axis}")

    for i, x in enumerate(args):
        map_leaves(measure, f"{title}: argument {i}", x)
    if sizes:
        raise ValueError(f"{title}: the axes that are mapped over differ in size:{''.join(sizes)}")
    raise ValueError(
        f"{title}: no argument is mapped over: give at least one by position, with an axis in "
        "in_axes"
    )


def _axis(where: str, axis: int, ndim: int) -> int:
    try:
        return normalize_axis_index(axis, ndim)
    except np.exceptions.AxisError as error:
        raise ValueError(f"{where}: {error}") from None


# --- in, and out ----------------------------------------------------------------------------------


def _hide(x: Any, axis: int, level: int) -> Any:
    """Make a batch of an array, of what lies along `axis`."""
    if type(x) is Batch and x.level > level:
        return Batch(_hide(x.stacked, axis, level), x.level)
    return Batch(np.moveaxis(x, axis, -1), level) if axis else in_front(x, level)


def _show(x: Any, axis: int, level: int) -> Any:
    """Make an array of a batch, with its arrays along `axis`."""
    if type(x) is Batch and x.level > level:
        return Batch(_show(x.stacked, axis, level), x.level)
    return np.moveaxis(x.front, 0, axis) if axis else x.front


def _enter(x: Any, axis: int, level: int) -> Any:
    rule = lambda grad, *_: _leave(grad, axis, level)  # noqa: E731
    return apply(_IN, lambda x: _hide(x, axis, level), (rule,), x)


def _leave(x: Any, axis: int, level: int) -> Any:
    rule = lambda grad, *_: _enter(grad, axis, level)  # noqa: E731
    return apply(_OUT, lambda x: _show(x, axis, level), (rule,), x)


def _inside(x: Any, axis: int | None, level: int) -> Any:
    """Give f an argument as it sees it."""
    if axis is None:
        return x
    axis = normalize_axis_index(axis, len(x.shape))
    if not isinstance(x, Tensor):
        if x.dtype.kind in "iub":
            hidden = _hide(base(x), axis, level)
            return plain(hidden) if type(x) in PLAIN else hidden
        x = Tensor(x, requires_grad=False)
    return _enter(x, axis, level)


def _has(x: Any, level: int) -> bool:
    """Say whether an array is a batch of this level, or has one inside."""
    return type(x) is Batch and (x.level == level or _has(x.stacked, level))


def _all(x: Any, axis: int, level: int, size: int) -> Any:
    """Give what all examples have, along `axis`."""
    if _has(getattr(x, "_value", x), level):
        return _leave(x, axis, level)
    return np.moveaxis(np.broadcast_to(x, (size, *x.shape)), 0, axis)


def _outside(where: str, y: Any, axis: Any, level: int, size: int, tensors: bool) -> Any:
    """Hand out an output: its arrays along `axis`, or the only one there is."""
    if not isinstance(y, Tensor):
        if not hasattr(y, "dtype") and not isinstance(y, float | int):
            raise TypeError(f"{where} is {describe(y)}, expected a tensor, an array or a number")
        y = base(y) if hasattr(y, "dtype") else np.asarray(y)
    value = y._value if isinstance(y, Tensor) else y
    if axis is None:
        if _has(value, level):
            raise ValueError(
                f"{where} differs from example to example, and out_axes=None is for what doesn't: "
                "give it an axis, as in out_axes=0"
            )
    else:
        y = _all(y, _axis(where, axis, len(value.shape) + 1), level, size)
    if not isinstance(y, Tensor):
        return plain(y) if tensors else y if type(y) is Batch else np.array(y)
    batch = isinstance(y._value, Batch)
    if tensors or batch or in_transform() or y.requires_grad:
        return y
    return y._value.copy()[()]


# --- what all examples share ----------------------------------------------------------------------


def _share(outputs: Sequence[Tensor], level: int, size: int) -> None:
    """Let tensors from outside that the outputs depend on get the sum of all examples' gradients.

    The graph is there: between a node that differs from example to example, and an input of it
    that doesn't, comes a node that sums.
    """
    totals: dict[Node, Any] = {}
    for node in topological_order(y for y in outputs if y._requires_grad):
        if node._op is _IN or not _has(node._value, level):
            continue
        inputs = list(node._children)
        for i, x in enumerate(inputs):
            if not isinstance(x, Node) or not x._requires_grad or _has(x._value, level):
                continue
            if _is_product(node, i, x):
                node._rules = _product_rules(node._rules, level, size)
            else:
                if x not in totals:
                    totals[x] = _total(x, level, size)
                    # After x, and before all that use it, which come one or more later.
                    totals[x]._order = x._order + (1 - x._order % 1) / 2
                inputs[i] = totals[x]
        node._children = tuple(inputs)


def _total(x: Any, level: int, size: int) -> Any:
    """Give x, whose gradient is the sum of those that all examples have for it."""
    rule = lambda grad, *_: sum_to_shape(_all(grad, 0, level, size), grad.shape)  # noqa: E731
    return record(x._value, (x,), (x._value, x._value), _TOTAL, (rule,))


def _is_product(node: Any, i: int, x: Node) -> bool:
    """Say whether x is the matrix of a product whose rules nobody has exchanged."""
    return i == 1 and x._value.ndim == 2 and node._op in _PRODUCTS and node._rules == node._op.rules


def _product_rules(rules: Sequence[Rule], level: int, size: int) -> tuple[Rule, ...]:
    """Exchange the rule of y in x @ y: for all rows of all examples that is one product.

    The others take part in sums of their own where they are differentiated again.
    """

    def rule_y(grad: Any, _out: Any, x: Any, *_: Any) -> Any:
        left, right = (_all(z, 0, level, size) for z in (x, grad))
        return rows(left).T @ rows(right)

    def with_total(rule: Rule) -> Rule:
        def share(grad: Any, out: Any, x: Any, y: Any, *others: Any) -> Any:
            return rule(grad, out, x, _total(y, level, size) if isinstance(y, Node) else y, *others)

        return share

    return tuple(rule_y if i == 1 else with_total(rule) for i, rule in enumerate(rules))
