"""`vmap`: every operation in a batch, against a loop; and the nests, axes and errors of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array
import numpy as np
import pytest
import torch
from cases import CASES, Case, dice
from numpy.testing import assert_allclose, assert_array_equal
from reference import leaves
from test_linalg import CASES as LINEAR_ALGEBRA
from test_transforms import function_of_variables

import tinytorch
from tinytorch import (
    Tensor,
    checkpoint,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    laplacian,
    nn,
    no_grad,
    value_and_grad,
    vjp,
    vmap,
)

Function = Callable[..., Any]


def assert_close(actual: Any, expected: Any) -> None:
    actual, expected = list(leaves(actual)), list(leaves(expected))
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        scale = max(1, np.max(np.abs(b), initial=0))
        assert_allclose(a, b, rtol=1e-9, atol=1e-11 * scale)


def stacked(results: Any) -> list[Any]:
    """Stack what a loop gave, leaf by leaf."""
    return [np.stack(column) for column in zip(*map(leaves, results), strict=True)]


# --- every operation ------------------------------------------------------------------------------

EXAMPLES = 3
BY_NAME = [pytest.param(case, id=case.name) for case in [*CASES, *LINEAR_ALGEBRA]]


@pytest.mark.parametrize("case", BY_NAME)
def test_every_operation_in_a_batch(case: Case) -> None:
    """Values, gradients within and of the batch, and second derivatives, against a loop."""
    f, xs = function_of_variables(case, case.arguments(dice(2)))
    # Smaller in proportion, so that all are in the domain where the first ones are.
    examples = [[x * (1 - 0.1 * i) for x in xs] for i in range(EXAMPLES)]
    args, numbers = [np.stack(column) for column in zip(*examples, strict=True)], range(len(xs))
    rng = np.random.default_rng(0)
    outs, pullbacks = zip(*[vjp(f, *example) for example in examples], strict=True)
    ws = [rng.normal(size=(EXAMPLES, *y.shape)) for y in outs[0]]
    gradients = [pull([w[i] for w in ws]) for i, pull in enumerate(pullbacks)]
    out, pullback = vjp(vmap(f), *args)
    assert_close(vmap(f)(*args), stacked(outs))
    assert_close(out, stacked(outs))
    assert_close(pullback(ws), stacked(gradients))

    def slopes(xs: Any, ws: Any) -> Any:
        return list(vjp(f, *xs)[1](ws))

    assert_close(vmap(slopes)(args, ws), stacked(gradients))
    vs = [rng.normal(size=x.shape) for x in args]

    def contracted(*args: Any) -> Any:
        found = vmap(slopes)(list(args), ws)
        return sum((g * v).sum() for g, v in zip(found, vs, strict=True))

    def one(i: int) -> Function:
        def contracted(*xs: Any) -> Any:
            found = slopes(xs, [w[i] for w in ws])
            return sum((g * v[i]).sum() for g, v in zip(found, vs, strict=True))

        return contracted

    second = [grad(one(i), numbers)(*example) for i, example in enumerate(examples)]
    assert_close(grad(contracted, numbers)(*args), stacked(second))


@pytest.mark.parametrize("case", BY_NAME)
def test_every_operation_with_an_argument_that_all_share(case: Case) -> None:
    f, xs = function_of_variables(case, case.arguments(dice(2)))
    if len(xs) < 2:
        return
    others = [[x * (1 - 0.1 * i) for x in xs[1:]] for i in range(EXAMPLES)]
    args = [np.stack(column) for column in zip(*others, strict=True)]
    outs, pullbacks = zip(*[vjp(f, xs[0], *example) for example in others], strict=True)
    rng = np.random.default_rng(0)
    ws = [rng.normal(size=(EXAMPLES, *y.shape)) for y in outs[0]]
    gradients = [pull([w[i] for w in ws]) for i, pull in enumerate(pullbacks)]
    axes = (None, *[0] * len(args))
    out, pullback = vjp(vmap(f, axes), xs[0], *args)
    assert_close(out, stacked(outs))
    first, *rest = stacked(gradients)
    assert_close(pullback(ws), [first.sum(axis=0), *rest])
    within = vmap(lambda *given: list(vjp(f, *given[:-1])[1](given[-1])), (*axes, 0))
    assert_close(within(xs[0], *args, ws), [first, *rest])
    vs = [rng.normal(size=x.shape) for x in (xs[0], *args)]

    def contracted(*args: Any) -> Any:
        found = vjp(vmap(f, axes), *args)[1](ws)
        return sum((g * v).sum() for g, v in zip(found, vs, strict=True))

    def by_loop(*args: Any) -> Any:
        result = 0
        for i in range(EXAMPLES):
            of_first, *found = vjp(f, args[0], *[x[i] for x in args[1:]])[1]([w[i] for w in ws])
            result += (of_first * vs[0]).sum()
            result += sum((g * v[i]).sum() for g, v in zip(found, vs[1:], strict=True))
        return result

    numbers = range(len(xs))
    assert_close(grad(contracted, numbers)(xs[0], *args), grad(by_loop, numbers)(xs[0], *args))


# --- nests ----------------------------------------------------------------------------------------

X, W = np.random.default_rng(0).normal(size=(2, 5, 3, 4))
Y = np.random.default_rng(1).normal(size=(5, 3))


def layer(x: Any, w: Any) -> Any:
    """Multiply a vector of 4 by a matrix, and bend: in NumPy's words and in PyTorch's."""
    return (x @ w.T).sin()


def in_torch(function: Function, *args: Any) -> Any:
    found = function(*[torch.tensor(x) for x in args])
    return [y.numpy() for y in found] if isinstance(found, tuple) else found.numpy()


@pytest.mark.parametrize("in_axes", [(0, None), (None, 0), (0, 0), (-1, None), (1, 2), (-2, -3)])
@pytest.mark.parametrize("out_axes", [0, 1, -1, -2])
def test_axes(in_axes: Any, out_axes: int) -> None:
    args = np.ones((5, 4)), np.ones((3, 4))
    shapes = iter([(4,), (3, 4)])
    args = tuple(
        rng_normal(next(shapes) if axis is None else inserted(next(shapes), axis, 5))
        for axis in in_axes
    )
    expected = in_torch(torch.vmap(layer, in_axes, out_axes), *args)
    assert_close(vmap(layer, in_axes, out_axes)(*args), expected)
    w = rng_normal(expected.shape)
    first = in_torch(
        torch.func.grad(
            lambda *xs: (torch.vmap(layer, in_axes, out_axes)(*xs) * torch.tensor(w)).sum(), (0, 1)
        ),
        *args,
    )
    assert_close(
        grad(lambda *xs: (vmap(layer, in_axes, out_axes)(*xs) * w).sum(), (0, 1))(*args), first
    )


def rng_normal(shape: Any) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def inserted(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    sizes = list(shape)
    sizes.insert(axis % (len(shape) + 1), size)
    return tuple(sizes)


def total(x: Any, w: Any) -> Any:
    return layer(x, w).sum()


def wave(x: Any, y: Any) -> Any:
    return (x * y).sum().sin()


NESTS: dict[str, Function] = {
    "vmap of grad": lambda t: t.vmap(t.grad(total, (0, 1)), (0, None)),
    "vmap of jacrev": lambda t: t.vmap(t.jacrev(layer, 1), (0, None)),
    "vmap of jacrev of jacrev": lambda t: t.vmap(t.jacrev(t.jacrev(layer)), (0, None)),
    "jacrev of vmap": lambda t: t.jacrev(t.vmap(layer, (0, None)), 1),
    "jacrev of vmap of grad": lambda t: t.jacrev(t.vmap(t.grad(total), (0, None)), 1),
    "grad of vmap of grad": lambda t: t.grad(
        lambda x, w: (t.vmap(t.grad(total, 1), (0, None))(x, w) ** 2).sum(), 1
    ),
    "vmap of vmap": lambda t: t.vmap(t.vmap(wave, (None, 0)), (0, None)),
    "vmap inside, closing over": lambda t: t.vmap(
        lambda x, w: t.vmap(lambda row: wave(row, x) * x)(w), (0, None)
    ),
    "vmap of vmap of grad": lambda t: t.vmap(t.vmap(t.grad(wave), (None, 0)), (0, None)),
    "grad of vmap of vmap": lambda t: t.grad(
        lambda x, w: (t.vmap(t.vmap(wave, (None, 0)), (0, None))(x, w) ** 2).sum(), (0, 1)
    ),
    "axes of each": lambda t: t.vmap(t.vmap(lambda x, y: x * y, (0, None)), (None, 0), 2),
    "three": lambda t: t.vmap(
        t.vmap(t.vmap(lambda x, y: x.sin() * y.cos(), (0, None)), (None, 0)), (0, None)
    ),
}


@pytest.mark.parametrize("transform", NESTS.values(), ids=NESTS)
def test_nests(transform: Any) -> None:
    w = W[0]
    assert_close(transform(tinytorch)(X[:, 0], w), in_torch(transform(torch.func), X[:, 0], w))


def test_other_transforms_inside() -> None:
    w, v = W[0], W[1, 0]
    f = lambda x: layer(x, w).sum()  # noqa: E731
    assert_close(vmap(hessian(f))(X[:, 0]), [np.stack([hessian(f)(x) for x in X[:, 0]])])
    both = vmap(lambda x: jvp(f, x, v))(X[:, 0])
    assert_close(list(both), stacked([jvp(f, x, v) for x in X[:, 0]]))
    assert_close(vmap(lambda x: hvp(f, x, v))(X[:, 0]), [np.stack([hvp(f, x, v) for x in X[:, 0]])])
    assert_close(vmap(laplacian(f))(X[:, 0]), [np.stack([laplacian(f)(x) for x in X[:, 0]])])
    values, gradients = vmap(value_and_grad(f))(X[:, 0])
    assert_close(gradients, vmap(grad(f))(X[:, 0]))
    assert_close(values, vmap(f)(X[:, 0]))
    with no_grad():
        assert_close(vmap(grad(f))(X[:, 0]), gradients)


def test_own_gradients_inside() -> None:
    @custom_vjp
    def doubled(x: Any, y: Any) -> Any:
        return x * y

    doubled.defvjp(lambda x, y: (x * y, (x, y)), lambda kept, g: (2 * g * kept[1], 3 * g * kept[0]))
    x, y = X[0], W[0, 0]
    for f in (doubled, checkpoint(lambda x, y: (x * y).sin())):
        pulled = lambda x, y, f=f: vjp(f, x, y)[1](np.arange(4.0))  # noqa: E731
        expected = [pulled(row, y) for row in x]
        assert_close(list(vmap(pulled, (0, None))(x, y)), stacked(expected))
        of_x, of_y = vjp(vmap(f, (0, None)), x, y)[1](np.tile(np.arange(4.0), (3, 1)))
        assert_close([of_x, of_y], [stacked(expected)[0], stacked(expected)[1].sum(axis=0)])


# --- arguments and results ------------------------------------------------------------------------


def test_structures() -> None:
    def f(p: Any, scale: Any) -> Any:
        return {"a": p["w"] * scale, "b": [p["c"][0].sum(), p["n"] * scale]}

    p = {"w": X[0], "c": (W[0],), "n": np.arange(3)}
    axes = ({"w": 0, "c": 1, "n": None}, None)
    with pytest.raises(
        ValueError, match=r"differ in size:\n  3 in .*\['w'\].*\n  4 in .*\['c'\]\[0\]"
    ):
        vmap(f, axes)(p, 2.0)
    p["w"] = X[:4, 0]
    found = vmap(f, axes, {"a": 1, "b": 0})(p, 2.0)
    assert_array_equal(found["a"], 2 * X[:4, 0].T)
    assert_close(found["b"][0], W[0].sum(axis=0))
    assert_array_equal(found["b"][1], np.tile([0, 2, 4], (4, 1)))


def test_whole_numbers_and_what_they_pick() -> None:
    labels = np.array([2, 0, 1, 1, 3])
    table = W[0]
    assert_array_equal(vmap(lambda x, y: x[y])(X[:, 0], labels), X[np.arange(5), 0, labels])
    assert_array_equal(vmap(lambda y: Tensor(table)[:, y])(labels).data, table[:, labels].T)
    assert_array_equal(vmap(lambda y: y * 2)(labels), labels * 2)
    assert_array_equal(vmap(lambda x: x.argmax())(X[:, 0]), X[:, 0].argmax(axis=1))
    assert_array_equal(vmap(lambda x: x > 0)(X), X > 0)

    def picked(table: Any, y: Any) -> Any:
        return (table[:, y] ** 2).sum()

    each = vmap(grad(picked), (None, 0))(table, labels)
    assert_close(each, np.stack([grad(picked)(table, y) for y in labels]))
    total = grad(lambda table: vmap(picked, (None, 0))(table, labels).sum())(table)
    assert_close(total, each.sum(axis=0))


OF_TWO: dict[str, Function] = {
    "full_like": np.full_like,
    "full_like by name": lambda x, n: np.full_like(x, fill_value=n, dtype=float),
    "full_like with a shape": lambda x, n: np.full_like(x, n, shape=(2, 2)),
    "where": lambda x, n: np.where(x > n, x, n),
    "clip": lambda x, n: np.clip(x, a_max=n, a_min=None),
    "isclose": lambda x, n: np.isclose(x, b=n, atol=1),
    "nan_to_num": lambda x, n: np.nan_to_num(np.where(x == 1, np.nan, x), nan=n),
    "sum": lambda x, n: np.sum(x, axis=0, initial=n),
    "add.reduce": lambda x, n: np.add.reduce(x, axis=1, initial=n),
    "max": lambda x, n: np.max(x, axis=1, initial=n, where=x < n),
    "quantile": lambda x, n: np.quantile(x, q=n / 9, axis=0),
    "diff": lambda x, n: np.diff(x, prepend=np.broadcast_to(n, (2, 1))),
    "repeat": lambda x, n: np.repeat(np.broadcast_to(n, 2), x.shape[1]),
    "roll": lambda x, n: np.roll(x, shift=n, axis=1),
    "roll of all": np.roll,
    "take": lambda x, n: np.take(x, indices=n, axis=-1, mode="wrap"),
    "take_along_axis": lambda x, n: np.take_along_axis(x, indices=x % 2 * (n > 1), axis=0),
    "pad": lambda x, n: np.pad(x, 1, constant_values=n),
    "concatenate": lambda x, n: np.concatenate([x, np.broadcast_to(n, (2, 1))], axis=1),
    "stack": lambda x, n: np.stack([x, np.broadcast_to(n, (2, 3))], axis=1),
    "einsum": lambda x, n: np.einsum("ij,->i", x, n),
    "tensordot": lambda x, n: np.tensordot(x, x * n, axes=[[0, 1], [0, 1]]),
    "cross": lambda x, n: np.linalg.cross(x, x[::-1] * n),
    "vecdot along an axis": lambda x, n: np.vecdot(x * n, x, axis=0),
    "clip with a place": lambda x, n: np.clip(x * n, 0, 3, out=x * n),
    "concatenate with a place": lambda x, n: np.concatenate([x], 1, x * n),
    "stack with a place": lambda x, n: np.stack([x], out=x[None] * n),
    "einsum with a place": lambda x, n: np.einsum("ij->ji", x * n, out=x.T * n),
    "divmod with places": lambda x, n: np.divmod(x, n + 1, out=(x * n, x * n))[1],
    "add in some places": lambda x, n: np.add(x, n, where=x > 0, out=x * n),
}


@pytest.mark.parametrize("f", OF_TWO.values(), ids=OF_TWO)
def test_either_of_two_differs_within_and_around(f: Function) -> None:
    xs, ns = np.arange(24).reshape(4, 2, 3) % 7 - 2, np.array([0, 3, 1, 2])
    table = np.stack([np.stack([f(x, n) for n in ns]) for x in xs])
    numbers = np.arange(4)
    for found, expected in (
        (vmap(f)(xs, ns), table[numbers, numbers]),
        (vmap(lambda x: f(x, 3))(xs), table[:, 1]),
        (vmap(lambda x: vmap(lambda n: f(x, n))(ns))(xs), table),
        (vmap(lambda n: vmap(lambda x: f(x, n))(xs))(ns), np.swapaxes(table, 0, 1)),
    ):
        assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize(
    "write",
    [
        np.copyto, lambda out, n: np.put(out, 0, n), lambda out, n: np.putmask(out, out == 0, n),
        lambda out, n: np.place(out, out == 0, n), lambda _, n: np.full(2, n),
        lambda out, n: np.fill_diagonal(out[None], n), np.full_like,
        lambda out, n: np.put_along_axis(out, np.array([0]), n, 0),
        lambda out, n: np.add(1, n, out=out), lambda out, n: np.add(1, n, out),
        lambda out, n: np.add(out, n, where=out == 0, out=out),
        lambda out, n: np.add.reduce(np.array([0, n])[:, None], 0, out=out),
        lambda out, n: np.sum(np.broadcast_to(n, (1, 2)), 0, None, out),
        lambda out, n: np.clip(np.broadcast_to(n, 2), 0, 3, out=out),
        lambda out, n: np.stack([n, n], 0, out),
    ],
)  # fmt: skip
def test_what_is_the_same_for_all_is_not_written_into(write: Function) -> None:
    for values in (np.arange(3), np.arange(3.0)):
        out = np.zeros(2)
        with pytest.raises(TypeError, match=r"behind the graph's back|inside vmap|out= is not"):
            vmap(lambda n, out=out: write(out, n))(values)
        assert_array_equal(out, 0)


@pytest.mark.parametrize(
    "index",
    [
        lambda i: i, lambda i: (..., i), lambda i: (slice(None), i), lambda i: (i, slice(None), i),
        lambda i: (i, None, i), lambda i: (0, i), lambda i: (slice(1), [0, 1], i),
        lambda i: (np.array([True, False]), i[0]), lambda i: (i, ..., [1, 0]),
    ],
)  # fmt: skip
def test_an_index_that_differs(index: Function) -> None:
    rng = np.random.default_rng(0)
    x, i = rng.normal(size=(5, 2, 2, 2)), rng.integers(-2, 2, (5, 2))

    def pulled(x: Any, i: Any) -> Any:
        out, pullback = vjp(lambda x: x[index(i)], x)
        return out, pullback(np.arange(out.size).reshape(out.shape))[0]

    assert_close(list(vmap(pulled)(x, i)), stacked(map(pulled, x, i)))
    assert_close(list(vmap(pulled, (None, 0))(x[0], i)), stacked(pulled(x[0], j) for j in i))


def test_a_module_and_its_gradients() -> None:
    model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh(), nn.Linear(3, 2, rng=1))
    x, y = X[:, 0], np.array([0, 1, 1, 0, 1])
    losses = vmap(lambda x, y: nn.functional.cross_entropy(model(x), y))(x, y)
    expected = nn.functional.cross_entropy(model(Tensor(x)), y, reduction="none")
    assert_close(losses.data, expected.data)
    losses.sum().backward()
    found = [p.grad.copy() for p in model.parameters]
    model.flush_grads()
    expected.sum().backward()
    assert_close(found, [p.grad for p in model.parameters])
    with no_grad():
        assert not vmap(model)(Tensor(x)).requires_grad


def test_tensors_come_where_tensors_or_gradients_are() -> None:
    x, w = X[0], Tensor(W[0])
    assert type(vmap(np.sin)(x)) is np.ndarray
    assert type(vmap(np.sum)(x)) is np.ndarray
    assert not vmap(np.sin)(Tensor(x, requires_grad=False)).requires_grad
    for out in (vmap(np.sin)(Tensor(x)), vmap(lambda x: w @ x)(x)):
        assert out.requires_grad
    assert vmap(np.sin)(x.astype(np.float32)).dtype == np.float32
    same = vmap(lambda x: x)(x)
    same[:] = 7
    assert not (x == 7).any()


def test_outputs_that_are_the_same_for_all() -> None:
    w = Tensor([1.0, 2.0])
    out, one = vmap(lambda x: (w * 2, w.sum()), out_axes=(1, None))(X[0])
    assert out.shape == (2, 3)
    assert one.shape == ()
    (out.sum() + one).backward()
    assert_array_equal(w.grad, [7, 7])
    assert_array_equal(vmap(lambda x: 3)(X[0]), [3, 3, 3])


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: vmap(3), TypeError, "vmap: expected a function"),
        (lambda: vmap(layer)(X[0], W[0, :2]), ValueError, "differ in size:\n  3 in"),
        (lambda: vmap(layer, None)(X[0], W[0]), ValueError, "no argument is mapped over"),
        (vmap(layer), ValueError, "no argument is mapped over"),
        (lambda: vmap(layer)(2.0, W[0]), TypeError, "argument 0 is float 2.0, which has no axis"),
        (lambda: vmap(layer)(X[0], "w"), TypeError, "argument 1 is str 'w', which has no axis"),
        (lambda: vmap(layer, 3)(X[0], W[0]), ValueError, "argument 0: axis 3 is out of bounds"),
        (lambda: vmap(layer, (0,))(X[0], W[0]), ValueError, "in_axes has 1 items for 2"),
        (lambda: vmap(layer, "a")(X[0], W[0]), TypeError, "in_axes is str 'a'"),
        (lambda: vmap(layer, (0, True))(X[0], W[0]), TypeError, r"in_axes\[1\] is bool True"),
        (lambda: vmap(layer, ({}, 0))(X[0], W[0]), ValueError, r"in_axes\[0\]: expected a dict"),
        (lambda: vmap(np.sin)(X[:0]), ValueError, "there are 0 examples"),
        (lambda: vmap(np.sin, out_axes=None)(X), ValueError, "out_axes=None is for what doesn't"),
        (lambda: vmap(np.sin, out_axes=3)(X), ValueError, "the output: axis 3 is out of bounds"),
        (lambda: vmap(np.sin, out_axes=(0, 0))(X), ValueError, "out_axes: expected a tuple"),
        (lambda: vmap(lambda x: "y")(X), TypeError, "the output is str 'y', expected a tensor"),
        (lambda: vmap(lambda x: x[x > 0])(X), TypeError, "a mask picks as many entries as"),
        (lambda: vmap(lambda x: x if x.sum() > 0 else -x)(X), TypeError, "no truth value in"),
        (lambda: vmap(lambda x: x.sum().item())(X), TypeError, "is many, and has no value"),
        (lambda: vmap(lambda x: np.nonzero(x > 0)[0])(X), ValueError, "depends on their values"),
    ],
)  # fmt: skip
def test_refusals(call: Function, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_an_if_that_all_agree_on() -> None:
    f = lambda x: x if x.sum() < 100 else -x  # noqa: E731
    assert_array_equal(vmap(f)(X), X)


# --- beside the rest of the library ---------------------------------------------------------------


def test_random_numbers() -> None:
    drop = lambda x: nn.functional.dropout(x, 0.5, training=True)  # noqa: E731
    for f in (drop, lambda x: x * tinytorch.rand(4), lambda x: x + tinytorch.randn_like(x)):
        with pytest.raises(RuntimeError, match="the same for all examples: draw them outside"):
            vmap(f)(X[0])
        out = vmap(f, randomness="same")(X[0])
        assert out.shape == (3, 4)
    kept = vmap(drop, randomness="same")(np.ones((3, 4)))
    assert (kept == kept[0]).all()
    seeded = vmap(lambda x: nn.functional.dropout(x, 0.5, rng=0))(np.ones((3, 4)))
    assert_array_equal(seeded[2], nn.functional.dropout(np.ones(4), 0.5, rng=0))
    with pytest.raises(ValueError, match='randomness is "error" or "same", got str \'different\''):
        vmap(np.sin, randomness="different")
    tinytorch.rand(2)  # outside it draws again


def test_in_a_program() -> None:
    w, x = W[0], X[:, 0]
    for f in (
        vmap(layer, (0, None)),
        vmap(grad(total), (0, None)),
        grad(lambda x, w: vmap(total, (0, None))(x, w).sum(), (0, 1)),
        vmap(vmap(wave, (None, 0)), (0, None)),
    ):
        program = tinytorch.compile(f)
        for scale in (1, 2, 3):
            assert_close(program(scale * x, w), f(scale * x, w))
    inside = tinytorch.compile(lambda x: np.tanh(x) * 2)
    assert_close(vmap(inside)(x), np.tanh(x) * 2)


def test_of_plans() -> None:
    plan = dask.array.from_array(X[:, 0], chunks=(2, 4))
    out = vmap(layer, (0, None))(plan, W[0])
    assert isinstance(out, dask.array.Array)
    assert_close(out.compute(), np.sin(X[:, 0] @ W[0].T))
    each = vmap(grad(total), (0, None))(plan, W[0])
    assert_close(each.compute(), vmap(grad(total), (0, None))(X[:, 0], W[0]))


def test_what_pytorch_has_of_truths_and_numbers() -> None:
    found = vmap(lambda x: ((x > 0).float().sum(), (x > 0).sum()))(X[0])
    assert_array_equal(found[0], (X[0] > 0).sum(axis=1))
    assert_array_equal(found[1], (X[0] > 0).sum(axis=1))
    assert "one of 3 inside vmap, of shape (4,)" in captured(X[0])


def captured(x: Any) -> str:
    shown: list[str] = []
    vmap(lambda x: (shown.append(repr(x)), x)[1])(x)
    return shown[0]


def test_modules_of_every_kind() -> None:
    rng = np.random.default_rng(0)
    for module, shape in (
        (nn.Conv2d(2, 3, 3, rng=0), (2, 6, 6)),
        (nn.MaxPool2d(2), (2, 4, 4)),
        (nn.LayerNorm(4), (5, 4)),
        (nn.BatchNorm1d(4).eval(), (5, 4)),
        (nn.LSTM(4, 3, rng=0), (5, 4)),
    ):
        x = rng.normal(size=(3, *shape))
        out = vmap(module)(x)
        out, expected = list(leaves(out)), stacked(module(Tensor(part)) for part in x)
        for a, b in zip(out, expected, strict=True):
            assert_close(getattr(a, "data", a), getattr(b, "data", b))


def test_running_statistics_of_all_follow_no_batch_of_one() -> None:
    x = np.random.default_rng(0).normal(size=(4, 2, 3, 5))
    for norm in (nn.BatchNorm1d(3), nn.InstanceNorm1d(3, track_running_stats=True)):
        with pytest.raises(TypeError, match=r"model\.eval\(\) .* track_running_stats=False"):
            vmap(norm)(x)
        assert_array_equal(norm.running_mean, 0)
        assert_close(vmap(norm.eval())(Tensor(x)).data[0], norm(x[0]).data)
    plain = nn.BatchNorm1d(3, track_running_stats=False)
    assert_close(vmap(plain)(Tensor(x)).data[0], plain(x[0]).data)


@pytest.mark.parametrize(
    "product", [lambda x, w: x @ w, lambda x, w: nn.functional.linear(x, w.T, w[0])]
)
def test_a_matrix_that_all_share(product: Function) -> None:
    """Its gradient is one product for all examples, and is differentiated as often as any other."""
    w, x = W[0].T, X[:, :2]  # (4, 3), and five times two rows of 4

    def rows(w: Any, x: Any) -> Any:
        hidden = np.tanh(product(x, w)) @ w.T
        return np.sin(product(hidden, w)).sum() + (w**2).sum() * x[0, 0]

    def loop(w: Any) -> Any:
        return sum(rows(w, one) for one in x)

    def both(w: Any) -> Any:
        return sum(rows(w, one[None]) for two in x for one in two)

    batch = lambda w: vmap(rows, (None, 0))(w, x).sum()  # noqa: E731
    nested = lambda w: vmap(  # noqa: E731
        lambda x: vmap(lambda x: rows(w, x[None]))(x).sum()
    )(x).sum()
    for f, expected in ((batch, loop), (nested, both)):
        assert_close(grad(f)(w), grad(expected)(w))
        assert_close(hessian(f)(w), hessian(expected)(w))
        assert_close(jacobian(grad(f))(w), hessian(expected)(w))
        third = lambda f: grad(lambda w: (grad(lambda w: (grad(f)(w) ** 2).sum())(w) ** 2).sum())  # noqa: E731
        assert_close(third(f)(w), third(expected)(w))
        assert_close(hvp(f, w, np.cos(w)), hvp(expected, w, np.cos(w)))
        assert_close(jvp(f, w, np.cos(w))[1], jvp(expected, w, np.cos(w))[1])


@pytest.mark.parametrize("product", [lambda x, w: x @ w, lambda x, w: np.tensordot(x, w, 1)])
@pytest.mark.parametrize(("n", "m", "k"), [(2, 0, 3), (0, 2, 3), (2, 3, 0), (0, 0, 0)])
def test_products_of_no_entries(product: Function, n: int, m: int, k: int) -> None:
    x, w = np.ones((4, n, m)), np.ones((m, k))
    assert_array_equal(vmap(product, (0, None))(x, w), np.full((4, n, k), float(m)))
    slope = grad(lambda w: vmap(product, (0, None))(x, w).sum())(w)
    assert_array_equal(slope, np.full((m, k), 4.0 * n))


VECMAT = getattr(np, "vecmat", None)  # NumPy 2.2


@pytest.mark.parametrize("f", [np.dot, np.matmul, np.vdot, *([VECMAT] if VECMAT else [])])
@pytest.mark.parametrize("real", [(), (0,), (1,)])
def test_products_of_complex_vectors(f: Function, real: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    pair = [rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4)) for _ in range(2)]
    x, y = (part.real if i in real else part for i, part in enumerate(pair))
    if f is VECMAT:
        y = np.stack([y, 2 * y], -1)
    assert_close(vmap(f)(x, y), np.stack([f(a, b) for a, b in zip(x, y, strict=True)]))

    def size(x: Any, y: Any) -> Any:
        return (np.abs(f(x, y)) ** 2).sum()

    assert_close(
        vmap(grad(size, argnums=(0, 1)))(x, y),
        stacked(grad(size, argnums=(0, 1))(a, b) for a, b in zip(x, y, strict=True)),
    )


@pytest.mark.parametrize("start", [(2, 3), (0,), (0, 3), ()])
@pytest.mark.parametrize(
    "shape", [-1, (-1, 3), (3, -1), (-1, 5), (-1, 0), (0, -1), (6,), (4, 2), (0, 2), (-1, -1), ()]
)
def test_reshape_takes_and_refuses_what_numpys_does(start: Any, shape: Any) -> None:
    x = np.ones((4, *start))
    try:
        expected = x[0].reshape(shape).shape
    except ValueError:
        with pytest.raises(ValueError, match=r"cannot reshape|one unknown"):
            vmap(lambda x: x.reshape(shape))(x)
    else:
        assert vmap(lambda x: x.reshape(shape))(x).shape == (4, *expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_a_batch_are_flattened_one_by_one(order: str) -> None:
    batch = np.arange(24.0).reshape(2, 3, 4)
    found = vmap(lambda x: np.ravel(x.data, order=order) * 2)(batch)
    assert_array_equal(np.asarray(found), [2 * x.ravel(order) for x in batch])


@pytest.mark.parametrize("axes", [(), (None,), (1, 0), ((1, 0),), ([0, 1],)])
def test_arrays_of_a_batch_are_transposed_as_numpys_are(axes: Any) -> None:
    batch = np.arange(24.0).reshape(2, 3, 4)
    found = vmap(lambda x: x.data.transpose(*axes) * 2)(batch)
    assert_array_equal(np.asarray(found), [2 * x.transpose(*axes) for x in batch])


def test_values_are_asked_for_in_each_example() -> None:
    probabilities = np.array([[0.5, 0.25], [0.5, 1.5]])
    for outer in (vmap, lambda f: vmap(vmap(f))):
        with pytest.raises(ValueError, match=r"between 0 and 1 .* got 1\.5"):
            outer(lambda p: nn.functional.binary_cross_entropy(p, np.ones(p.shape)))(probabilities)
