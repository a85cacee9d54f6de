"""Sums of products over named axes: Einstein's convention, and tensordot."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinytorch.arrays.words import half_as_single, sum_axes
from tinytorch.engine import Rule
from tinytorch.operations.operands import alike
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.protocols import implements

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

_EINSUM = Operation("einsum")
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


@defines(_EINSUM)
@implements(np.einsum)
def einsum(*operands: Any, optimize: Any = True) -> Tensor:
    """Multiply the operands and sum, by Einstein's convention: `einsum("ij,jk->ik", x, y)`.

    The subscripts name the axes of each operand, and after the arrow those of the result; all
    others are summed out. Without an arrow the result has those that are named once. The same may
    be said with lists of whole numbers: `einsum(x, [0, 1], y, [1, 2], [0, 2])`. Unlike NumPy's, it
    looks for a fast order of the products, and for matrix products, unless `optimize` is false.

    Raises ValueError for subscripts that do not fit the operands.
    """
    subscripts, *factors = operands
    if not isinstance(subscripts, str):
        subscripts, factors = _in_letters(operands)
    factors = alike(*factors)
    return apply(
        _EINSUM,
        half_as_single(lambda *arrays: _contract(subscripts, arrays, optimize)),
        [_einsum_rule(i, subscripts) for i in range(len(factors))],
        *factors,
    )


def _contract(subscripts: str, operands: Sequence[Any], optimize: Any = True) -> Any:
    """Give the einsum; what a single operand sums out is summed first, and loses no digits."""
    if subscripts.count(",") + 1 != len(operands):
        return np.einsum(subscripts, *operands)  # says what is wrong
    terms, result = _explicit(subscripts, operands)
    letters, factors = "".join(terms), list(operands)
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        alone = [k for k, c in enumerate(term) if letters.count(c) == 1 and c not in result]
        if alone and np.ndim(x) == len(term):
            factors[i] = sum_axes(x, tuple(alone))
            terms[i] = "".join(c for k, c in enumerate(term) if k not in alone)
    return np.einsum(f"{','.join(terms)}->{result}", *factors, optimize=optimize)


def _in_letters(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Write `x, [0, 1], y, [1, 2], [0, 2]` as "AB,BC->AC" and `[x, y]`."""
    pairs = len(operands) // 2 * 2
    terms = [
        "".join("..." if label is Ellipsis else _LETTERS[label] for label in labels)
        for labels in (*operands[1:pairs:2], *operands[pairs:])
    ]
    result = "->" + terms.pop() if len(operands) > pairs else ""
    return ",".join(terms) + result, list(operands[:pairs:2])


def _explicit(subscripts: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """Give a letter for each axis of each operand, and of the result."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    unnamed = [
        np.ndim(x) - len(term.replace("...", "")) for x, term in zip(operands, terms, strict=True)
    ]
    dots = "".join(letter for letter in _LETTERS if letter not in given)[: max(unnamed)]
    if not arrow:
        result = "..." + "".join(sorted(x for x in _LETTERS if given.count(x) == 1))
    own = [dots[len(dots) - n :] for n in unnamed]
    terms = [term.replace("...", letters) for term, letters in zip(terms, own, strict=True)]
    return terms, result.replace("...", dots)


def _einsum_rule(i: int, given: str) -> Rule:
    """Make the rule of operand i: the einsum of the gradient with all other operands."""

    def rule(grad: Any, out: Any, *operands: Any) -> Any:  # noqa: ARG001
        terms, result = _explicit(given, operands)
        x = operands[i]
        factors = [grad, *operands[:i], *operands[i + 1 :]]
        labels = [result, *terms[:i], *terms[i + 1 :]]
        unused = (letter for letter in _LETTERS if letter not in "".join(terms))
        wanted = ""
        for label, size in zip(terms[i], x.shape, strict=True):
            if label in wanted:  # x enters with a diagonal: off it the gradient is 0
                twin = next(unused)
                factors.append(np.eye(size, dtype=x.dtype))
                labels.append(label + twin)
                wanted += twin
            else:
                wanted += label
        # Along an axis that only x has, and that was summed out, all entries get the same.
        alone = tuple(i for i, label in enumerate(wanted) if label not in "".join(labels))
        kept = "".join(label for i, label in enumerate(wanted) if i not in alone)
        subscripts = f"{','.join(labels)}->{kept}"
        share = half_as_single(lambda *arrays: _contract(subscripts, arrays))(*factors)
        return np.expand_dims(share, alone)

    return rule


_TENSORDOT = Operation("tensordot")


@defines(_TENSORDOT)
@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Sum the products over axes of a and b: over `axes[0]` of a with `axes[1]` of b.

    A single number n means the last n axes of a with the first n of b. The result has the other
    axes of a, then those of b.
    """
    a, b = alike(a, b)
    if np.iterable(axes):  # counted from the front, since Dask gets the others wrong
        pairs = zip(axes, (a, b), strict=True)
        axes = tuple(normalize_axis_tuple(of, np.ndim(x), allow_duplicate=True) for of, x in pairs)

    def labels(a: Any, b: Any) -> tuple[list[int], list[int], list[int]]:
        """Number the axes of a, of b and of the result, as an einsum of lists takes them."""
        pair = axes if np.iterable(axes) else (range(a.ndim - axes, a.ndim), range(axes))
        label_a = list(range(a.ndim))
        label_b = list(range(a.ndim, a.ndim + b.ndim))
        for i, j in zip(*map(np.atleast_1d, pair), strict=True):
            label_b[int(j)] = label_a[int(i)]
        summed = set(label_a) & set(label_b)
        return label_a, label_b, [label for label in label_a + label_b if label not in summed]

    def rule_a(grad: Any, out: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        label_a, label_b, result = labels(a, b)
        return np.einsum(grad, result, b, label_b, label_a, optimize=True)

    def rule_b(grad: Any, out: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        label_a, label_b, result = labels(a, b)
        return np.einsum(grad, result, a, label_a, label_b, optimize=True)

    return apply(_TENSORDOT, lambda a, b: np.tensordot(a, b, axes), (rule_a, rule_b), a, b)


@implements(np.linalg.tensordot)
def _linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)
