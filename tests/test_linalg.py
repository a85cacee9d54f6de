"""Linear algebra: every function against NumPy's value and PyTorch's derivatives."""

from __future__ import annotations

import gc
import itertools
import string
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from cases import Case, Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import (
    Function,
    exchanged,
    gradients,
    here,
    in_torch,
    is_variable,
    leaves,
    torch_gradients,
    weights,
)

import tinytorch
from tinytorch import Operation, Tensor, hessian, jacobian, no_grad
from tinytorch.autograd import grad

# --- matrices that are not nearly singular --------------------------------------------------------


def normal(choose: Choices, *shape: int) -> Any:
    return np.random.default_rng(choose.integer(0, 999)).normal(size=shape)


def stack(choose: Choices) -> tuple[int, ...]:
    return choose.shape(0, 2)


def with_values(choose: Choices, rows: int, columns: int, values: Any) -> Any:
    """Build a stack of matrices with these singular values."""
    shape = stack(choose)
    u = np.linalg.qr(normal(choose, *shape, rows, rows))[0]
    v = np.linalg.qr(normal(choose, *shape, columns, columns))[0]
    n = min(rows, columns)
    return u[..., :, :n] * values[:n] @ v[..., :n, :]


# Far from 0, and from each other.
APART = np.array([3.0, 2.2, 1.4, 0.7, 0.4])


def regular(choose: Choices) -> Any:
    n = choose.integer(0, 4)
    return with_values(choose, n, n, APART)


def rectangular(choose: Choices, *, empty: bool = True) -> Any:
    least = 0 if empty else 1
    return with_values(choose, choose.integer(least, 4), choose.integer(least, 4), APART)


def for_qr(choose: Choices, rows: int, columns: int) -> Any:
    """Draw matrices whose first columns, as many as there are rows, are far from dependent."""
    x = with_values(choose, rows, min(rows, columns), APART)
    return np.concatenate([x, normal(choose, *x.shape[:-1], max(columns - rows, 0))], axis=-1)


def any_for_qr(choose: Choices) -> Any:
    return for_qr(choose, choose.integer(0, 4), choose.integer(0, 4))


def symmetric(choose: Choices, signs: Any = 1) -> Any:
    n = choose.integer(0, 4)
    q = np.linalg.qr(normal(choose, *stack(choose), n, n))[0]
    return q * (signs * APART)[:n] @ q.mT


def indefinite(choose: Choices) -> Any:
    return symmetric(choose, np.array([1, -1, -1, 1, 1]))


def alone(argument: Function) -> Function:
    return lambda choose: (argument(choose),)


# --- what goes into the products ------------------------------------------------------------------


def factors(choose: Choices) -> Any:
    """Draw what `@` takes: vectors, matrices, stacks of them that broadcast."""
    rows, inner, columns = (choose.integer(0, 3) for _ in range(3))
    common = stack(choose)
    shapes: list[tuple[int, ...]] = []
    for matrix, vector in (((rows, inner), (inner,)), ((inner, columns), (inner,))):
        leading = tuple(choose.one_of(n, 1) for n in common)[choose.integer(0, len(common)) :]
        shapes.append(choose.one_of(vector, matrix, (*leading, *matrix)))
    return tuple(normal(choose, *shape) for shape in shapes)


def term_and_factors(choose: Choices) -> Any:
    """Draw a product's factors, and before them what broadcasts against it."""
    x, y = factors(choose)
    shape = [choose.one_of(n, 1) for n in np.shape(x @ y)]
    return normal(choose, *shape[choose.integer(0, len(shape)) :]), x, y


def vectors(choose: Choices) -> Any:
    n = choose.integer(0, 4)
    return normal(choose, n), normal(choose, n)


def two(choose: Choices) -> Any:
    return normal(choose, *choose.shape(0, 3)), normal(choose, *choose.shape(0, 2))


def two_with_last(choose: Choices) -> Any:
    n = choose.integer(0, 3)
    return normal(choose, *choose.shape(0, 2), n), normal(choose, *choose.shape(0, 2), n)


def for_dot(choose: Choices) -> Any:
    n = choose.integer(0, 3)
    a = normal(choose, *choose.shape(0, 2), n)
    b = choose.one_of((), (n,), (n, 2), (2, n, 3))
    return a, normal(choose, *b)


def torch_dot(a: Any, b: Any) -> Any:
    if not a.ndim or not b.ndim:
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def for_tensordot(choose: Choices) -> Any:
    a = normal(choose, *choose.shape(0, 3))
    order = choose.order(a.ndim)[: choose.integer(0, a.ndim)]
    sizes = [a.shape[i] for i in order] + list(choose.shape(0, 2))
    places = choose.order(len(sizes))
    b = normal(choose, *[sizes[i] for i in places])
    of_b = [places.index(i) for i in range(len(order))]
    return a, b, (order, of_b)


def for_vecdot(choose: Choices) -> Any:
    # The axis, of one size, and others that broadcast.
    n, axis = choose.integer(0, 3), choose.one_of(0, 1, -1, -2)
    shapes = []
    for _ in range(2):
        shape = [choose.one_of(1, 2)]
        shape.insert(axis % 2, n)
        shapes.append(shape)
    return normal(choose, *shapes[0]), normal(choose, *shapes[1]), axis


def threes(choose: Choices) -> Any:
    a, b = choose.broadcasting(2, ties=False)
    return tuple(np.stack([x + 1, x * x, 2 - x], axis=-1) for x in (a, b))


def torch_cross(a: Any, b: Any) -> Any:
    return torch.linalg.cross(*torch.broadcast_tensors(a, b))


def chain(choose: Choices) -> Any:
    sizes = [choose.integer(0, 3) for _ in range(choose.integer(3, 5))]
    arrays = [normal(choose, m, n) for m, n in itertools.pairwise(sizes)]
    if choose.integer(0, 1):
        arrays[0] = normal(choose, sizes[1])
    if choose.integer(0, 1):
        arrays[-1] = normal(choose, sizes[-2])
    return arrays


def planes(choose: Choices) -> Any:
    x = normal(choose, *choose.shape(2, 4))
    first, second = choose.order(x.ndim)[:2]
    return x, choose.integer(-2, 2), first, second


def powers(choose: Choices) -> Any:
    return regular(choose), choose.integer(-3, 6)


def for_solve(choose: Choices) -> Any:
    a = regular(choose)
    n = a.shape[-1]
    return a, choose.one_of(normal(choose, n), normal(choose, *a.shape[:-1], 2))


def torch_solve(a: Any, b: Any) -> Any:
    if b.ndim > 1:
        return torch.linalg.solve(a, b)
    # As columns for all of the stack: PyTorch could take fewer axes for a stack of vectors.
    return torch.linalg.solve(a, b[:, None].expand(*a.shape[:-1], 1))[..., 0]


def equations(choose: Choices) -> Any:
    rows, columns = choose.integer(1, 4), choose.integer(1, 4)
    u = np.linalg.qr(normal(choose, rows, rows))[0]
    v = np.linalg.qr(normal(choose, columns, columns))[0]
    n = min(rows, columns)
    b = normal(choose, rows, *choose.one_of((), (1,), (2,)))
    return u[:, :n] * APART[:n] @ v[:n], b


@pytest.mark.parametrize("shape", [(4, 2), (3, 3), (2, 4)])
def test_only_what_is_overdetermined_has_residuals(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
    found = tinytorch.linalg.lstsq(Tensor(a), b)
    expected = torch.linalg.lstsq(*map(torch.tensor, (a, b)), driver="gelsd")
    assert found.residuals.shape == expected.residuals.shape


def without_rank(a: Any, b: Any) -> Any:
    x, squares, _, singular = np.linalg.lstsq(a, b)
    return x, squares, singular


def torch_lstsq(a: Any, b: Any) -> Any:
    x = torch.linalg.pinv(a) @ b
    squares = ((a @ x - b) ** 2).reshape(len(b), -1).sum(0)
    return x, squares if a.shape[0] > a.shape[1] else squares[:0], torch.linalg.svdvals(a)


def first_signs(vectors: Any) -> Any:
    """Give the signs of the first entries of vectors in columns, as plain numbers."""
    if torch.is_tensor(vectors):
        return vectors[..., :1, :].detach().sign()
    return np.sign((vectors.data if isinstance(vectors, Tensor) else vectors)[..., :1, :])


def signed(parts: Any) -> Any:
    """Choose the signs of singular vectors, which NumPy and PyTorch choose differently."""
    u, s, vh = parts
    signs = first_signs(u)
    return u * signs, s, vh * signs.swapaxes(-1, -2)


def signed_vectors(parts: Any) -> Any:
    """Choose those of eigenvectors."""
    values, vectors = parts
    return values, vectors * first_signs(vectors)


# --- norms ----------------------------------------------------------------------------------------

ORDERS = (None, 0, 1, 2, 3, 2.5, 1.5, 0.5, -1, np.inf, -np.inf)
MATRIX_ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


def for_vector_norm(choose: Choices) -> Any:
    x = choose.array(1, 3, smallest=1, ties=False)
    return x, choose.one_of(*ORDERS), choose.axis(x), bool(choose.integer(0, 1))


def torch_vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    return torch.linalg.vector_norm(x, 2 if ord is None else ord, axis, keepdims)


def for_matrix_norm(choose: Choices) -> Any:
    x = np.moveaxis(rectangular(choose, empty=False), -2, 0)
    axes = choose.one_of((0, -1), (0, x.ndim - 1), (-1, 0))
    return x, choose.one_of(*MATRIX_ORDERS), axes, bool(choose.integer(0, 1))


def torch_matrix_norm(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    return torch.linalg.matrix_norm(x, "fro" if ord is None else ord, axes, keepdims)


def for_torch_norm(choose: Choices) -> Any:
    x = choose.array(1, 3, smallest=1, ties=False)
    p = choose.one_of("fro", *ORDERS[1:])
    axes = choose.axes(x)
    return x, p, axes if p != "fro" or np.size(axes) < 3 else None, bool(choose.integer(0, 1))


CASES = [
    # Products.
    Case(
        "addmm",
        term_and_factors,
        torch=lambda b, x, y: b.addmm(x, y),
        there=lambda b, x, y: b + x @ y,
    ),
    Case("matmul", factors, np.matmul, lambda x, y: x.matmul(y), (np.linalg.matmul,)),
    Case("@", factors, lambda x, y: x @ y, lambda x, y: x @ y),
    Case("dot", for_dot, np.dot, there=torch_dot, here=(Tensor.dot,)),
    Case("vectors", vectors, np.dot, lambda x, y: x.dot(y), (np.vdot, np.inner, Tensor.vdot)),
    Case("inner", two_with_last, np.inner, lambda x, y: x.inner(y)),
    Case("inner 0-d", lambda c: (c.array(), c.array(0, 0)), np.inner, there=torch.inner),
    Case("vdot", lambda c: (normal(c, 2, 3), normal(c, 6)), np.vdot,
         there=lambda x, y: x.ravel() @ y),
    Case("outer", vectors, np.outer, lambda x, y: x.outer(y), (np.linalg.outer, Tensor.ger)),
    Case("outer flat", two, np.outer, there=lambda x, y: torch.outer(x.ravel(), y.ravel())),
    Case("kron", two, np.kron, lambda x, y: x.kron(y)),
    Case("tensordot", for_tensordot, np.tensordot, there=torch.tensordot,
         here=(lambda a, b, axes: np.linalg.tensordot(a, b, axes=axes),)),
    Case("tensordot n", lambda c: (normal(c, 2, 3, 2), normal(c, 3, 2, 4), c.one_of(0, 2)),
         np.tensordot, there=torch.tensordot),
    Case("vecdot", for_vecdot, lambda a, b, axis: np.vecdot(a, b, axis=axis),
         there=lambda a, b, axis: torch.linalg.vecdot(a, b, dim=axis),
         here=(lambda a, b, axis: np.linalg.vecdot(a, b, axis=axis),)),
    Case("cross", threes, np.cross, there=torch_cross, here=(np.linalg.cross,)),
    Case("cross of axes", lambda c: (normal(c, 3, 2), normal(c, 2, 3)),
         lambda a, b: np.cross(a, b, 0, 1, 0),
         there=lambda a, b: torch.linalg.cross(a, b.mT, dim=0)),
    Case("cross along dim", lambda c: (normal(c, 3, 3, 2), normal(c, 3, 3, 2)),
         lambda a, b: np.cross(a, b, axis=1), lambda a, b: a.cross(b, dim=1)),
    Case("multi_dot", chain, lambda *x: np.linalg.multi_dot(x),
         there=lambda *x: torch.linalg.multi_dot(x)),
    Case("trace", planes, np.trace, there=lambda x, *at: torch.diagonal(x, *at).sum(-1),
         here=(Tensor.trace,)),
    Case("trace of matrices", alone(rectangular), np.linalg.trace,
         there=lambda x: torch.diagonal(x, 0, -2, -1).sum(-1)),
    Case("diagonal", alone(rectangular), lambda x: np.linalg.diagonal(x, offset=-1),
         there=lambda x: torch.diagonal(x, -1 if x.shape[-2] else 0, -2, -1)),
    Case("matrix_transpose", alone(rectangular), np.linalg.matrix_transpose, lambda x: x.mT),
    Case("matrix_power", powers, np.linalg.matrix_power, lambda x, n: x.matrix_power(n)),
    # Norms.
    Case("norm", lambda c: (c.array(1, 4, smallest=1, ties=False),), np.linalg.norm,
         lambda x: x.norm()),
    Case("vector norm", for_vector_norm, np.linalg.norm, there=torch_vector_norm, here=(
        lambda x, p, axis, keepdims: np.linalg.vector_norm(
            x, ord=2 if p is None else p, axis=axis, keepdims=keepdims),)),
    Case("matrix norm", for_matrix_norm, np.linalg.norm, there=torch_matrix_norm),
    Case("matrix_norm", alone(lambda c: rectangular(c, empty=False)),
         lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True),
         there=lambda x: torch.linalg.matrix_norm(x, "nuc", keepdim=True)),
    Case("x.norm", for_torch_norm, torch=lambda x, p, dim, keep: x.norm(p, dim, keepdim=keep)),
    Case("x.norm nuc", alone(lambda c: with_values(c, 3, 2, APART)),
         torch=lambda x: x.norm("nuc", dim=(-2, -1))),
    Case("cond", alone(lambda c: rectangular(c, empty=False)), np.linalg.cond,
         there=torch.linalg.cond),
    # Inverses, determinants, solutions.
    Case("inv", alone(regular), np.linalg.inv, lambda x: x.inverse(), (Tensor.inv,)),
    Case("det", alone(regular), np.linalg.det, lambda x: x.det()),
    Case("slogdet", alone(regular), np.linalg.slogdet, lambda x: x.slogdet()),
    Case("logdet", alone(lambda c: symmetric(c) + 0.1), torch=lambda x: x.logdet()),
    Case("solve", for_solve, np.linalg.solve, there=torch_solve),
    Case("pinv", alone(rectangular), np.linalg.pinv, lambda x: x.pinverse(), (Tensor.pinv,)),
    Case("lstsq", equations, without_rank, there=torch_lstsq),
    # Decompositions.
    Case("cholesky", alone(symmetric), np.linalg.cholesky, there=torch.linalg.cholesky,
         here=(Tensor.cholesky,)),
    Case("cholesky upper", alone(symmetric), lambda x: np.linalg.cholesky(x, upper=True),
         there=lambda x: torch.linalg.cholesky(x, upper=True),
         here=(lambda x: x.cholesky(upper=True),)),
    Case("qr", alone(any_for_qr), np.linalg.qr, there=torch.linalg.qr, here=(Tensor.qr,)),
    Case("qr r", alone(any_for_qr), lambda x: np.linalg.qr(x, mode="r"),
         there=lambda x: torch.linalg.qr(x).R),
    Case("qr complete", alone(lambda c: for_qr(c, 2, c.integer(2, 4))),
         lambda x: np.linalg.qr(x, mode="complete"),
         there=lambda x: torch.linalg.qr(x, mode="complete"), here=(lambda x: x.qr(some=False),)),
    Case("eigh", alone(indefinite), lambda x: signed_vectors(np.linalg.eigh(x)),
         there=lambda x: signed_vectors(torch.linalg.eigh(x))),
    Case("eigh U", alone(indefinite), lambda x: signed_vectors(np.linalg.eigh(x, "U")),
         there=lambda x: signed_vectors(torch.linalg.eigh(x, "U"))),
    Case("eigvalsh", alone(indefinite), np.linalg.eigvalsh, there=torch.linalg.eigvalsh),
    Case("svd", alone(lambda c: rectangular(c, empty=False)),
         lambda x: signed(np.linalg.svd(x, full_matrices=False)),
         there=lambda x: signed(torch.linalg.svd(x, full_matrices=False))),
    Case("svd as PyTorch's", alone(lambda c: rectangular(c, empty=False)),
         torch=lambda x: signed((x.svd().U, x.svd().S, x.svd().V.mT))),
    Case("svdvals", alone(rectangular), np.linalg.svdvals, there=torch.linalg.svdvals,
         here=(lambda x: np.linalg.svd(x, compute_uv=False),)),
]  # fmt: skip

BY_NAME = [pytest.param(case, id=case.name) for case in CASES]


def assert_near(actual: Any, expected: Any, tolerance: float) -> None:
    """Compare what may be 0 by cancellation of numbers around 1."""
    assert np.shape(actual) == np.shape(expected)
    scale = max(1, np.max(np.abs(expected), initial=0))
    assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


def assert_same(actual: Any, expected: Any, tolerance: float) -> None:
    for ours, theirs in zip(leaves(tuple(actual)), leaves(tuple(expected)), strict=True):
        assert_near(ours, theirs, tolerance)


def choices(data: st.DataObject) -> Choices:
    return Choices(lambda low, high: data.draw(st.integers(low, high)))


@pytest.mark.parametrize("case", BY_NAME)
@given(data=st.data())
def test_value_and_derivatives(case: Case, data: st.DataObject) -> None:
    args = case.arguments(choices(data))
    results = [here(spelling, args) for spelling in case.spellings]
    for result in results[1:]:
        assert_same(result, results[0], 1e-12)
    if case.numpy is not None:
        values = [np.asarray(y) for y in leaves(case.numpy(*args))]
        for ours, numpys in zip(results[0].values, values, strict=True):
            assert_near(ours, numpys, 1e-13)
    assert case.reference is not None
    assert_same(results[0], in_torch(case.reference, args), 1e-9)


@pytest.mark.parametrize("case", BY_NAME)
def test_third_derivative(case: Case) -> None:
    def slopes(*args: Any) -> Any:
        outputs = list(leaves(case.spellings[0](*args)))
        inputs = [x for x in leaves(args) if isinstance(x, Tensor)]
        ws = [Tensor(w) for w in weights([y.shape for y in outputs], 4)]
        return gradients(outputs, inputs, ws)

    def slopes_in_torch(*args: Any) -> Any:
        outputs = list(leaves(case.reference(*args)))  # type: ignore[misc]
        inputs = [x for x in leaves(args) if torch.is_tensor(x)]
        ws = [torch.tensor(w) for w in weights([tuple(y.shape) for y in outputs], 4)]
        return torch_gradients(outputs, inputs, ws)

    for seed in range(3):
        args = case.arguments(dice(seed))
        assert_same(here(slopes, args), in_torch(slopes_in_torch, args), 1e-8)


@pytest.mark.parametrize("case", BY_NAME)
def test_float32(case: Case) -> None:
    for seed in range(3):
        args = exchanged(
            case.arguments(dice(seed)), lambda x: x.astype(np.float32) if is_variable(x) else x
        )
        small, large = here(case.spellings[0], args, np.float32), here(case.spellings[0], args)
        for part in ("values", "first", "second"):
            for a, b in zip(getattr(small, part), getattr(large, part), strict=True):
                assert a.dtype == np.float32
                assert_near(a, b, 1e-3)


@pytest.mark.parametrize("case", BY_NAME)
def test_no_reference_cycles(case: Case) -> None:
    args = case.arguments(dice(0))
    gc.collect()
    gc.disable()
    try:
        xs = exchanged(args, lambda x: Tensor(x) if is_variable(x) else x)
        outputs = list(leaves(case.spellings[0](*xs)))
        for y in outputs:
            y.backward()
        ghosts = [weakref.ref(y) for y in outputs]
        del xs, outputs, y
        assert [ghost() for ghost in ghosts] == [None] * len(ghosts)
    finally:
        gc.enable()


# --- einsum ---------------------------------------------------------------------------------------


def for_einsum(choose: Choices) -> Any:
    """Draw subscripts, and operands that fit them.

    Labels may be repeated inside of an operand and be in one operand only, an axis of size 1 may
    meet longer ones, and an ellipsis may stand for several axes, fewer in some operands.
    """
    sizes = {label: choose.integer(1, 3) for label in "abcd"}
    dots = [choose.integer(1, 2) for _ in range(choose.integer(0, 2))]
    terms, operands = [], []
    for _ in range(choose.integer(1, 3)):
        labels = [choose.one_of(*sizes) for _ in range(choose.integer(0, 3))]
        own = {label: choose.one_of(n, n, n, 1) for label, n in sizes.items()}
        shape = [own[label] for label in labels]
        if dots:
            place = choose.integer(0, len(labels))
            missing = choose.integer(0, len(dots))
            shape[place:place] = [choose.one_of(n, n, 1) for n in dots[missing:]]
            labels.insert(place, "...")
        terms.append("".join(labels))
        operands.append(normal(choose, *shape))
    subscripts = choose.one_of(",", " , ").join(terms)
    if choose.integer(0, 2):
        named = sorted(set("".join(terms)) - {"."})
        kept = [named[i] for i in choose.order(len(named))][: choose.integer(0, len(named))]
        if dots:
            kept.insert(choose.integer(0, len(kept)), "...")
        subscripts += "->" + "".join(kept)
    return subscripts, *operands


@given(data=st.data())
def test_einsum(data: st.DataObject) -> None:
    args = for_einsum(choices(data))
    actual = here(np.einsum, args)
    assert_near(actual.values[0], np.einsum(*args), 1e-13)
    assert_same(actual, in_torch(torch.einsum, args), 1e-11)
    assert_same(here(lambda *args: np.einsum(*args, optimize=False), args), actual, 1e-12)


@given(data=st.data())
def test_einsum_of_lists(data: st.DataObject) -> None:
    subscripts, *operands = for_einsum(choices(data))
    terms, arrow, result = subscripts.replace(" ", "").replace("...", "~").partition("->")

    def numbers(term: str) -> list[Any]:
        return [Ellipsis if label == "~" else string.ascii_letters.index(label) for label in term]

    def interleaved(*operands: Any) -> Any:
        pairs = zip(operands, terms.split(","), strict=True)
        args = [part for x, term in pairs for part in (x, numbers(term))]
        return np.einsum(*args, *([numbers(result)] if arrow else []))

    assert_near(interleaved(*[Tensor(x) for x in operands]).data, interleaved(*operands), 1e-13)
    expected = here(np.einsum, (subscripts, *operands))
    assert_same(here(interleaved, operands), expected, 1e-12)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("...ij,...jk->...ik", [(2, 4, 3, 2), (4, 2, 3)]),  # the shorter ellipsis is on the right
        ("i...,i...->...", [(3, 2), (3, 4, 2)]),
        ("...", [(2, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ba", [(2, 3)]),  # without an arrow in the order of the alphabet: the transpose
        ("ii", [(3, 3)]),
        ("iji->ij", [(3, 2, 3)]),
        ("iii,i->i", [(3, 3, 3), (3,)]),
        ("...ii->...", [(2, 3, 3)]),
        ("ij,k->k", [(2, 3), (4,)]),
        ("ij,j->i", [(2, 3), (1,)]),
        ("ii,i->i", [(1, 1), (3,)]),
        (",i->i", [(), (3,)]),
    ],
)
def test_einsum_of_each_kind(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    args = subscripts, *weights(shapes, 0)
    actual = here(np.einsum, args)
    assert_near(actual.values[0], np.einsum(*args), 1e-13)
    assert_same(actual, in_torch(torch.einsum, args), 1e-11)


def test_einsum_of_empty_arrays() -> None:
    for subscripts, *shapes in (
        ("ij,jk->ik", (2, 0), (0, 3)),
        ("ij,jk->ik", (0, 2), (2, 3)),
        ("ii->i", (0, 0)),
        ("ij,k->", (0, 2), (3,)),
    ):
        args = subscripts, *[np.ones(shape) for shape in shapes]
        assert_same(here(np.einsum, args), in_torch(torch.einsum, args), 0)


def test_einsum_says_what_does_not_fit() -> None:
    x, y = Tensor(np.ones((2, 3)), label="x"), Tensor(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"einsum of tensor 'x' .*\(2, 3\) and a tensor.*\(2, 3\)"):
        np.einsum("ij,jk", x, y)
    with pytest.raises(ValueError, match="einsum"):
        np.einsum("ijk", x)
    with pytest.raises(TypeError, match=r"einsum.*dtype"):
        np.einsum("ij", x, dtype=np.float32)
    with pytest.raises(TypeError, match="out="):
        np.einsum("ij->i", x, out=np.zeros(2))


# --- at the edges ---------------------------------------------------------------------------------


def test_det_at_singular_matrices() -> None:
    # Of rank 2 and 1, and 0: the gradient is the matrix of cofactors.
    u = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    x = np.stack([u * s @ u.T for s in ([3, 2, 0], [3, 0, 0], [0, 0, 0])])
    matrix = Tensor(x)
    np.linalg.det(matrix).backward(np.ones(3))
    minors = [
        [np.linalg.det(np.delete(np.delete(x, i, -2), j, -1)) * (-1) ** (i + j) for j in range(3)]
        for i in range(3)
    ]
    assert_near(matrix.grad, np.moveaxis(minors, -1, 0), 1e-12)


def derivative_of_det(x: Any, order: int) -> Any:
    """Give all derivatives of the sum over permutations of sign * x[0, p[0]] * x[1, p[1]] * ..."""
    n = len(x)
    out = np.zeros((n, n) * order)
    for columns in itertools.permutations(range(n)):
        sign = np.linalg.det(np.eye(n)[list(columns)])
        for rows in itertools.permutations(range(n), order):
            others = [x[i, columns[i]] for i in range(n) if i not in rows]
            out[tuple(j for i in rows for j in (i, columns[i]))] += sign * np.prod(others)
    return out


LEAST = ([], [1e-12], [0], [0, 0], [1e-12, 0], [1e-7, 1e-9], [0] * 5)


@pytest.mark.parametrize("least", LEAST, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_derivatives_of_det_need_no_inverse(n: int, least: list[float]) -> None:
    rng = np.random.default_rng(n)
    values = np.append(rng.uniform(0.5, 2, n), least)[len(least) :][-n:]
    u, vh = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    x = u * values @ vh
    second = hessian(np.linalg.det)(x)
    assert_near(second, derivative_of_det(x, 2), 1e-14)
    if n > 2 and any(values):  # else PyTorch has nan
        theirs = torch.func.jacrev(torch.func.jacrev(torch.linalg.det))(torch.tensor(x))
        assert_near(second, theirs.numpy(), 1e-10)
    if n < 4:
        assert_near(jacobian(hessian(np.linalg.det))(x), derivative_of_det(x, 3), 1e-14)


@pytest.mark.parametrize("values", [[3.0, 2, 1, 0.5], [3, 2, 1, 0], [3, 2, 0, 0], [0] * 4])
def test_derivatives_of_det_of_any_order(values: list[float]) -> None:
    rng = np.random.default_rng(0)
    u, vh = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
    x = u * values @ vh
    slope, directions = np.linalg.det, [rng.normal(size=(4, 4)) for _ in range(5)]
    for order, direction in enumerate(directions, 1):
        slope = along(slope, direction)
        if order < 5:
            expected = derivative_of_det(x, order)
            for v in directions[:order]:
                expected = np.tensordot(v, expected)
        else:
            expected = 0.0  # of a polynomial of order 4
        assert_near(slope(Tensor(x)).item(), expected, 1e-13)


def along(f: Function, direction: Any) -> Function:
    """Give the derivative of f along a direction."""
    return lambda x: (grad(f(x), x, create_graph=True)[0] * direction).sum()


def test_derivatives_of_det_in_a_stack() -> None:
    x = np.stack([np.diag([3.0, 2, 0]), np.diag([3.0, 0, 0]), np.zeros((3, 3)), np.ones((3, 3))])
    second = hessian(lambda x: np.linalg.det(x).sum())(x)
    for i, j in itertools.product(range(4), repeat=2):
        block = second[i, :, :, j]
        assert_near(block, derivative_of_det(x[i], 2) if i == j else np.zeros_like(block), 1e-14)


def test_derivatives_of_a_large_regular_det() -> None:
    x = np.random.default_rng(0).normal(size=(12, 12))
    second, inverse = hessian(np.linalg.det)(x), np.linalg.inv(x)
    expected = np.einsum("ji,lk->ijkl", inverse, inverse) - np.einsum(
        "jk,li->ijkl", inverse, inverse
    )
    assert_near(second, np.linalg.det(x) * expected, 1e-11)


@pytest.mark.parametrize("p", ORDERS[1:])
def test_norm_at_zero(p: float) -> None:
    rows = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, -2.0], [2.0, -2.0, 1.0], [-2.0, -2.0, -2.0]])
    expected = torch.tensor(rows, requires_grad=True)
    expected.norm(p, 1).sum().backward()
    x = Tensor(rows)
    with np.errstate(divide="ignore"):  # NumPy's warning for 0**-1
        x.norm(p, 1).sum().backward()
    # PyTorch has nothing for the number of entries that are not 0.
    slopes = np.zeros_like(rows) if p == 0 else expected.grad.numpy()
    assert_near(x.grad, slopes, 1e-14)


def test_values_that_are_equal_have_a_gradient() -> None:
    for function, torchs in (
        (np.linalg.eigvalsh, torch.linalg.eigvalsh),
        (np.linalg.svdvals, torch.linalg.svdvals),
    ):
        x, theirs = Tensor(np.eye(3)), torch.eye(3, dtype=torch.float64, requires_grad=True)
        (function(x) ** 2).sum().backward()
        (torchs(theirs) ** 2).sum().backward()
        assert_near(x.grad, theirs.grad.numpy(), 1e-14)


def test_what_fills_up_a_square_has_no_gradient() -> None:
    for function, name in (
        (lambda x: np.linalg.svd(x)[0], "svd"),
        (lambda x: np.linalg.svd(x.T)[2], "svd"),
        (lambda x: np.linalg.qr(x, mode="complete")[0], "qr"),
    ):
        x = Tensor(np.random.default_rng(0).normal(size=(4, 2)))
        out = function(x)
        with pytest.raises(ValueError, match=f"{name}: .*arbitrary.*full_matrices=False"):
            out.sum().backward()
        assert not x.grad.any()


@given(data=st.data())
def test_the_rest_of_a_full_decomposition_has_one(data: st.DataObject) -> None:
    choose = choices(data)
    n = choose.integer(1, 3)
    x = with_values(choose, n + choose.integer(0, 2), n, APART)

    def full(x: Any) -> Any:
        u, s, vh = np.linalg.svd(x)
        return signed((u[..., :n], s, vh))

    def thin(x: Any) -> Any:
        return signed(np.linalg.svd(x, full_matrices=False))

    def complete(x: Any) -> Any:
        q, r = np.linalg.qr(x, mode="complete")
        return q[..., :n], r[..., :n, :]

    assert_same(here(full, [x]), here(thin, [x]), 1e-11)
    assert_same(here(complete, [x]), here(np.linalg.qr, [x]), 1e-11)


def test_least_squares_of_a_vector_for_each_matrix() -> None:
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5))
    found = tinytorch.linalg.lstsq(A, b)
    expected = [np.linalg.lstsq(*pair)[0] for pair in zip(A, b, strict=True)]
    assert_allclose(found.solution.data, expected)
    assert_array_equal(found.rank.data, [3, 3])


def test_lstsq_without_full_rank() -> None:
    rng = np.random.default_rng(0)
    shared, b = rng.normal(size=(5, 2)), rng.normal(size=5)
    combine = np.array([[1.0, 0, 1], [0, 1, 1]])

    def solution(lstsq: Any, pinv: Any) -> Any:
        return lambda x, b: pinv(x @ combine) @ b if lstsq is None else lstsq(x @ combine, b)

    ours = here(solution(lambda a, b: np.linalg.lstsq(a, b, rcond=1e-9)[0], None), [shared, b])
    pinv = here(solution(None, lambda a: np.linalg.pinv(a, rcond=1e-9)), [shared, b])
    assert_same(ours, pinv, 1e-11)
    x, squares, rank, singular = np.linalg.lstsq(Tensor(shared @ combine), b, rcond=1e-9)
    expected = np.linalg.lstsq(shared @ combine, b, rcond=1e-9)
    assert_near(x.data, expected[0], 1e-13)
    assert squares.shape == expected[1].shape == (0,)
    assert rank == expected[2] == 2
    assert_near(singular.data, expected[3], 1e-13)


@pytest.mark.parametrize("values", [(0, 0), (2, 0), (2, 1), (2, 1e-16), (2, 1e-15)])
@pytest.mark.parametrize("rcond", [None, 0.4, 0.5, 0.6])
def test_lstsq_takes_numpys_singular_values_for_zero(
    values: tuple[float, float], rcond: float | None
) -> None:
    a, b = np.eye(4, 2) * values, np.arange(4.0)
    found = np.linalg.lstsq(Tensor(a), b, rcond)
    for x, y in zip(found, np.linalg.lstsq(a, b, rcond), strict=True):
        assert_allclose(getattr(x, "data", x), y, rtol=1e-13)


def test_functions_of_no_gradient_at_a_slope_of_zero() -> None:
    x = Tensor(np.diag([2.0, -3.0]))
    sign, logabsdet = np.linalg.slogdet(x)
    assert sign.item() == -1
    assert np.isnan(x.logdet().item())
    sign.backward()
    assert_array_equal(x.grad, np.zeros((2, 2)))
    assert_near(logabsdet.item(), np.log(6), 1e-15)
    power = np.linalg.matrix_power(x, 0)
    power.sum().backward()
    assert_array_equal(power.data, np.eye(2))
    assert_array_equal(x.grad, np.zeros((2, 2)))


def test_results_have_the_names_of_numpys() -> None:
    x = np.diag([3.0, 2.0])
    for name in ("slogdet", "qr", "eigh", "svd"):
        function = getattr(np.linalg, name)
        assert function(Tensor(x))._fields == function(x)._fields
        assert {part._op for part in function(Tensor(x))} == {Operation[name.upper()]}
    assert Tensor(x).svd()._fields == ("U", "S", "V")


def test_arrays_and_lists_are_constants() -> None:
    x = Tensor(np.array([[3.0, 1.0], [1.0, 2.0]], np.float32))
    whole = [[2, 0], [1, 1]]
    for function in (
        np.dot, np.inner, np.vdot, np.outer, np.kron, np.linalg.solve, np.matmul,
        np.tensordot, np.vecdot, lambda a, b: np.linalg.lstsq(a, b)[0],
        lambda a, b: np.einsum("ij,jk", a, b), lambda a, b: np.linalg.multi_dot([a, b]),
    ):  # fmt: skip
        for args in ((x, whole), (whole, x)):
            x.grad = None
            out = function(*args)
            out.sum().backward()
            assert out.dtype == x.grad.dtype == np.float32
            full = here(function, exchanged_for_arrays(args), np.float64)
            assert_near(out.data, full.values[0], 1e-5)
            assert np.any(x.grad)


def exchanged_for_arrays(args: Any) -> Any:
    return [np.array(x.data if isinstance(x, Tensor) else x, float) for x in args]


def test_a_stack_by_one_matrix_is_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = Tensor(np.ones((4, 3, 2))), Tensor(np.ones((2, 5)))

    def one_for_each_matrix(*_: Any) -> Any:
        raise AssertionError("np.matmul takes a product for each matrix of the stack")

    monkeypatch.setattr(np, "matmul", one_for_each_matrix)
    out = x @ w
    out.backward(np.ones((4, 3, 5)))
    assert_array_equal(out.data, np.full((4, 3, 5), 2.0))
    assert_array_equal(x.grad, np.full((4, 3, 2), 5.0))
    assert_array_equal(w.grad, np.full((2, 5), 12.0))


if hasattr(np, "matvec"):  # from NumPy 2.2 on

    @given(data=st.data())
    def test_matvec_and_vecmat(data: st.DataObject) -> None:
        choose = choices(data)
        x, v = normal(choose, *stack(choose), 2, 3), normal(choose, 3)
        assert_same(here(np.matvec, [x, v]), in_torch(torch.matmul, [x, v]), 1e-12)
        y = np.swapaxes(x, -1, -2)
        assert_same(here(np.vecmat, [v, y]), in_torch(torch.matmul, [v, y]), 1e-12)


# --- refusals -------------------------------------------------------------------------------------

SINGULAR, WIDE, NEGATIVE = np.ones((2, 2)), np.ones((2, 3)), -np.eye(2)


@pytest.mark.parametrize(
    ("function", "matrix", "message"),
    [
        (np.linalg.inv, SINGULAR, "Singular"),
        (np.linalg.inv, WIDE, "square"),
        (np.linalg.det, WIDE, "square"),
        (np.linalg.slogdet, WIDE, "square"),
        (lambda x: np.linalg.solve(x, np.ones(2)), SINGULAR, "Singular"),
        (lambda x: np.linalg.solve(x, np.ones(2)), WIDE, "square"),
        (lambda x: np.linalg.matrix_power(x, 2), WIDE, r"square matrices, got shape \(2, 3\)"),
        (lambda x: np.linalg.matrix_power(x, -1), SINGULAR, "Singular"),
        (np.linalg.cholesky, NEGATIVE, "positive definite"),
        (np.linalg.eigh, WIDE, "square"),
        (np.linalg.svd, np.full((2, 2), np.nan), "converge"),
        (lambda x: np.linalg.qr(x[0]), WIDE, "two-dimensional"),
        (lambda x: np.linalg.lstsq(x[0], np.ones(3)), WIDE, "two-dimensional"),
    ],
)
def test_numpys_error_passes_through(function: Any, matrix: Any, message: str) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=message):
        function(Tensor(matrix))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: np.linalg.qr(x, mode="raw"), ValueError, '"reduced", "complete" or "r".*raw'),
        (lambda x: np.linalg.norm(x, "what"), ValueError, '"fro".*what'),
        (lambda x: np.linalg.norm(x[0], "fro"), ValueError, "norm.*fro"),
        (lambda x: np.linalg.norm(x[None], 2), ValueError, "norm: one axis or two.*3"),
        (lambda x: x.cross(x), ValueError, r"cross: .*size 3.*\(2, 2\)"),
        (lambda x: np.cross(x, x), ValueError, "cross.*3-dimensional"),
        (lambda x: np.linalg.outer(x, x), ValueError, r"outer: .*\(2, 2\).*np.outer"),
        (lambda x: x @ np.ones(3), ValueError, r"matmul.*'m' of shape \(2, 2\).*\(3,\)"),
        (lambda x: x @ 2.0, ValueError, "matmul.*'m' of shape"),
        (lambda x: 2.0 @ x, ValueError, "matmul.*'m' of shape"),
        (lambda x: x[None] @ 2.0, ValueError, r"matmul.*of shape \(1, 2, 2\)"),
        (lambda x: np.tensordot(x, x, ([0], [0, 1])), ValueError, "tensordot.*'m'"),
        (lambda x: np.vdot(x, np.ones(3)), ValueError, "matmul.*"),
        (lambda x: np.kron(x, "a"), TypeError, "kron|multiply.*str|dtype"),
        (lambda x: np.linalg.solve(x, np.ones(3)), ValueError, "solve of tensor 'm'"),
        (lambda x: np.linalg.matrix_power(x, 0.5), TypeError, "integer"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    x = Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), label="m")
    with pytest.raises(error, match=message):
        call(x)


def test_nothing_is_recorded_without_need() -> None:
    with no_grad():
        assert not any(part.requires_grad for part in np.linalg.svd(Tensor(np.eye(2))))
    constant = Tensor(np.eye(2), requires_grad=False)
    assert not np.linalg.inv(constant).requires_grad
    u = np.linalg.svd(Tensor(np.ones((3, 2)), requires_grad=False))[0]
    assert u.shape == (3, 3)
    assert u._children == ()


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("rtol", [None, 0.2, 1e-5])
@pytest.mark.parametrize("atol", [None, 0.5, 1e-2, 0.0])
def test_what_counts_as_zero_is_pytorchs(
    atol: float | None, rtol: float | None, hermitian: bool
) -> None:
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    stack = np.stack([q @ np.diag(row) @ q.T for row in ([8, 1, 1e-3, 0], [0.3, 0.1, 0, 0])])
    options = {"atol": atol, "rtol": rtol, "hermitian": hermitian}
    near = np.diag([1, 3e-7, 0, 0]).astype(np.float32)  # to 0, for single precision
    for x in (stack, stack[0], near, np.zeros((2, 2))):
        rank = torch.linalg.matrix_rank(torch.tensor(x), **options)
        assert_array_equal(tinytorch.linalg.matrix_rank(x, **options), rank.numpy())
        inverse = torch.linalg.pinv(torch.tensor(x), **options)
        assert_allclose(
            tinytorch.linalg.pinv(x, **options).data, inverse.numpy(), rtol=1e-10, atol=1e-10
        )
