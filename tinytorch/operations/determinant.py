"""The derivatives of the determinant, of any order: a polynomial's, which need no inverse."""

from __future__ import annotations

import itertools
import string
from typing import Any

import numpy as np

from tinytorch.arrays.kind import own
from tinytorch.arrays.words import conj
from tinytorch.engine import Rule
from tinytorch.operations.operation import Operation, apply, defines

_COFACTOR = Operation("cofactor")


@defines(_COFACTOR)
def cofactor(x: Any, *directions: Any) -> Any:
    """Give the matrix of cofactors, which is the derivative of det(x): det(x) * inv(x).mT.

    With directions, matrices like x, it is the derivative of that along them, one after the other;
    their order makes no difference.
    """

    def rule_x(grad: Any, out: Any, x: Any, *along: Any) -> Any:  # noqa: ARG001
        return cofactor(x, *along, grad)

    def rule_of(i: int) -> Rule:  # it is linear in each direction
        return lambda grad, out, x, *along: cofactor(x, *along[:i], grad, *along[i + 1 :])

    rules = [rule_x, *map(rule_of, range(len(directions)))]
    return apply(_COFACTOR, _cofactor, rules, x, *directions)


def _cofactor(x: Any, *directions: Any) -> Any:
    # In the basis of singular vectors x is diagonal. The derivative of its determinant along d, e
    # and so on is a sum over all choices of as many rows i, j, ...: the determinant of row i of d,
    # row j of e, ... in the columns i, j, ..., times the singular values of all other rows.
    u, s, vh = np.linalg.svd(x)
    sign = np.linalg.det(u @ vh)
    u, vh = conj(u), conj(vh)
    if not directions:
        return (u * (sign[..., None] * _products_of_others(s, 1))[..., None, :]) @ vh
    count = len(directions) + 1  # with a last one: the result is what it is multiplied with
    weights = sign.reshape(*sign.shape, *(1,) * count) * _products_of_others(s, count)
    factors = [weights, *(u.mT @ direction @ vh.mT for direction in directions)]
    rows = string.ascii_letters[:count]
    total: Any = 0
    for columns in itertools.permutations(rows):
        *entries, last = (f"...{row}{column}" for row, column in zip(rows, columns, strict=True))
        given = ",".join([f"...{rows}", *entries])
        if last[-1] == last[-2]:
            diagonal = np.einsum(f"{given}->{last[:-1]}", *factors)
            term = diagonal[..., None] * own(np.eye(s.shape[-1], dtype=x.dtype), x)
        else:
            term = np.einsum(f"{given}->{last}", *factors)
        inversions = sum(a > b for a, b in itertools.combinations(columns, 2))
        total = total - term if inversions % 2 else total + term
    return u @ total @ vh


def _products_of_others(s: Any, count: int) -> Any:
    """Give, for each choice of `count` entries of s, the product of all others; 0 for one twice."""
    same = own(np.eye(s.shape[-1], dtype=bool), s)
    chosen, free = own(np.ones((), s.dtype), s), own(np.ones(s.shape[-1], s.dtype), s)
    for _ in range(count):
        chosen = chosen[..., None] * free
        s = np.where(same, 1, s[..., None, :])
        free = np.where(same, 0, free[..., None, :])
    return chosen * s.prod(axis=-1)
