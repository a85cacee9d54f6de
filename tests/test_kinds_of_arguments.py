"""Each kind of argument that a function takes: numbers, lists, tensors; and what is left out.

With tensors the values are NumPy's of the same arrays, or those of PyTorch's method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from reference import leaves

from tinytorch import Tensor, grad, nn, vmap
from tinytorch.nn import functional

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3))
SQUARE = RNG.normal(size=(3, 3))
TALL = RNG.normal(size=(4, 2))
NANS = np.array([3.0, np.nan, 1.0, np.nan, 3.0])

# A function of `t`, which makes a tensor of an array, or leaves it as it is.
NUMPY: list[Callable[[Callable[[Any], Any]], Any]] = [
    # numbers
    lambda t: np.dot(2.0, t(X)),
    lambda t: np.dot(t(X), 2.0),
    lambda t: np.inner(t(X), 2.0),
    lambda t: np.kron(2.0, t(X)),
    lambda t: np.outer(2.0, t(X)),
    lambda t: np.vdot(t(X), X),
    lambda t: np.linalg.cond(t(X), 2),
    lambda t: np.linalg.cond(t(X), -2),
    lambda t: np.linalg.cond(t(SQUARE), 1),
    lambda t: np.linalg.cond(t(SQUARE), "fro"),
    lambda t: np.linalg.tensorinv(t(SQUARE), ind=1),
    lambda t: np.linalg.tensorinv(t(SQUARE.reshape(3, 3, 1)), ind=1),
    lambda t: np.pad(t(X), 1, "linear_ramp"),
    lambda t: np.pad(t(X), 1),
    lambda t: np.pad(t(X), (1, 2), "reflect"),
    lambda t: np.pad(t(X), ((1, 0), (0, 2)), constant_values=((1, 2), (3, 4))),
    # axes: left out, one, several, in a tuple
    lambda t: np.split(t(X), 2),
    lambda t: np.array_split(t(X), 3),
    lambda t: np.array_split(t(X), 2, 1),
    lambda t: np.squeeze(t(X[None, :, :1])),
    lambda t: np.squeeze(t(X[None]), (0,)),
    lambda t: np.expand_dims(t(X), (0, 3)),
    lambda t: np.flip(t(X)),
    lambda t: np.flip(t(X), (0, 1)),
    lambda t: np.roll(t(X), 2),
    lambda t: np.roll(t(X), (1, 2), (0, 1)),
    lambda t: np.rot90(t(X)),
    lambda t: np.rot90(t(X), -1),
    lambda t: np.moveaxis(t(X[None]), [0, 1], [2, 0]),
    lambda t: np.delete(t(X), 1),
    lambda t: np.delete(t(X), [0, 2], 1),
    lambda t: np.insert(t(X), 1, 5.0),
    lambda t: np.append(t(X), X),
    lambda t: np.repeat(t(X), 2),
    lambda t: np.repeat(t(X), [1, 2], 0),
    lambda t: np.take(t(X), [0, 5]),
    lambda t: np.take(t(X), [2, 0], 1),
    lambda t: np.trapezoid(t(X)),
    lambda t: np.trapezoid(t(X), dx=2.0),
    lambda t: np.trapezoid(t(X), [0.0, 1.0, 4.0]),
    lambda t: np.diff(t(X)),
    lambda t: np.diff(t(X), 2),
    lambda t: np.diff(t(X), axis=0),
    lambda t: np.gradient(t(SQUARE)),
    lambda t: np.gradient(t(SQUARE), 2.0, axis=0),
    lambda t: np.cumsum(t(X)),
    lambda t: np.cumprod(t(X)),
    lambda t: np.sort(t(X)),
    lambda t: np.sort(t(X), None),
    lambda t: np.argsort(t(X)),
    lambda t: np.argmax(t(X)),
    lambda t: np.argmin(t(X), keepdims=True),
    lambda t: np.count_nonzero(t(X)),
    lambda t: np.all(t(X)),
    lambda t: np.any(t(X), axis=1),
    lambda t: np.median(t(X)),
    lambda t: np.quantile(t(X), [0.2, 0.5]),
    lambda t: np.percentile(t(X), 30, axis=0),
    lambda t: np.std(t(X)),
    lambda t: np.var(t(X), ddof=1),
    lambda t: np.ptp(t(X)),
    lambda t: np.average(t(X), weights=[1, 2, 3], axis=1),
    lambda t: np.cov(t(X)),
    lambda t: np.cov(t(X), rowvar=False),
    lambda t: np.corrcoef(t(X)),
    lambda t: np.cross(t(X), X[::-1]),
    lambda t: np.tril(t(X)),
    lambda t: np.triu(t(X), 1),
    lambda t: np.diag(t(X)),
    lambda t: np.diag(t(X), 1),
    lambda t: np.diagonal(t(X), -1),
    lambda t: np.trace(t(X)),
    lambda t: np.vander(t(X[0])),
    lambda t: np.vander(t(X[0]), 2, increasing=True),
    lambda t: np.take_along_axis(t(X), np.array([[2], [0]]), 1),
    lambda t: np.vecdot(t(X), X),
    lambda t: np.linalg.norm(t(X)),
    lambda t: np.linalg.norm(t(X), axis=0),
    lambda t: np.linalg.norm(t(X), 1),
    lambda t: np.linalg.norm(t(X), np.inf),
    lambda t: np.linalg.norm(t(X), -1, 1),
    lambda t: np.linalg.norm(t(X), "nuc"),
    lambda t: np.linalg.svd(t(X), compute_uv=False),
    lambda t: np.linalg.matrix_rank(t(X)),
    lambda t: np.linalg.qr(t(TALL), "r"),
    lambda t: abs(np.asarray(np.linalg.qr(t(TALL), "complete")[1].data)) if t is Tensor
    else abs(np.linalg.qr(TALL, "complete")[1]),
    lambda t: np.linalg.slogdet(t(np.ones((2, 2)))),
    lambda t: np.linalg.det(t(SQUARE)),
    lambda t: np.linalg.matrix_power(t(SQUARE), -2),
    lambda t: np.linalg.matrix_power(t(SQUARE), 0),
    lambda t: np.linalg.multi_dot([t(X), SQUARE, t(X.T)]),
    lambda t: np.tensordot(t(X), X.T, 1),
    lambda t: np.tensordot(t(X), X, ([0], [0])),
    lambda t: np.einsum("ij->j", t(X)),
    lambda t: np.convolve(t(X[0]), [1.0, 2.0]),
    lambda t: np.convolve(t(X[0]), [1.0, 2.0], "same"),
    lambda t: np.correlate(t(X[0]), [1.0, 2.0]),
    lambda t: np.interp([0.5, 1.5], [0, 1, 2], t(X[0])),
    lambda t: np.nan_to_num(t(NANS)),
    lambda t: np.nanmean(t(NANS)),
    lambda t: np.nanmax(t(NANS)),
    lambda t: np.nanstd(t(NANS), ddof=1),
    # by name, and with words that change no entry
    lambda t: np.sort(a=t(X)),
    lambda t: np.sum(a=t(X), axis=0),
    lambda t: np.sort(t(X), kind="stable"),
    lambda t: np.sort(a=t(X), axis=0, kind="stable"),
    lambda t: np.median(t(X), overwrite_input=False),
    lambda t: np.copy(a=t(X), order="C"),
    # tensors, lists and numbers beside each other
    lambda t: np.where(t(X) > 0, t(X), 0),
    lambda t: np.where(t(X), 1.0, t(X)),
    lambda t: np.concatenate([t(X), X.tolist()]),
    lambda t: np.concatenate([t(X), [[1, 2, 3]]], axis=0),
    lambda t: np.concatenate([t(X), X], axis=None),
    lambda t: np.stack([t(X), X]),
    lambda t: np.stack([t(X), X], -1),
    lambda t: np.hstack([t(X[0]), [1.0]]),
    lambda t: np.vstack([t(X[0]), [1.0, 2.0, 3.0]]),
    lambda t: np.dstack([t(X), X]),
    lambda t: np.column_stack([t(X[:, 0]), X]),
    lambda t: np.block([[t(X), 0 * X], [X, t(X)]]),
    lambda t: np.select([X > 1, X > 0], [t(X), 2 * t(X)]),
    lambda t: np.select([X > 1], [t(X)], 7.0),
    lambda t: np.choose([0, 1, 0], [t(X[0]), X[1]]),
    lambda t: np.clip(t(X), -0.5, 0.5),
    lambda t: np.clip(t(X), None, X[0]),
    lambda t: np.clip(0.3, t(X), None),
    lambda t: np.maximum(t(X), 0),
    lambda t: np.broadcast_arrays(t(X), [1.0]),
    lambda t: np.meshgrid(t(X[0]), [1.0, 2.0]),
    lambda t: np.meshgrid(t(X[0]), [1.0, 2.0], indexing="ij"),
    lambda t: np.extract(X > 0, t(X)),
    lambda t: np.compress([True, False, True], t(X), axis=1),
    # sets, with what is not equal to itself
    lambda t: np.unique(t(NANS)),
    lambda t: np.unique(t(NANS), equal_nan=False),
    lambda t: np.unique(t(X), return_index=True),
    lambda t: np.unique(t(NANS), return_counts=True),
    lambda t: np.unique_all(t(NANS)),
    lambda t: np.unique_counts(t(NANS)),
    lambda t: np.unique_inverse(t(NANS)),
    lambda t: np.unique_values(t(NANS)),
    lambda t: np.union1d(t(X), [1.0]),
    lambda t: np.intersect1d(t(X), X[0], return_indices=True),
    lambda t: np.intersect1d(X[0], t(X)),
    lambda t: np.setdiff1d(t(X), X[0]),
    lambda t: np.setdiff1d(t(NANS), [1.0], assume_unique=True),
    lambda t: np.setdiff1d(NANS, t(np.array([1.0]))),
    lambda t: np.setxor1d(t(X), X[0]),
]  # fmt: skip


def plain(tree: Any) -> list[Any]:
    return [x.data if isinstance(x, Tensor) else np.asarray(x) for x in leaves(tree)]


@pytest.mark.parametrize("call", NUMPY, ids=range(len(NUMPY)))
def test_values_are_numpys(call: Callable[[Callable[[Any], Any]], Any]) -> None:
    expected = plain(call(lambda x: x))
    found = plain(call(Tensor))
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert x.shape == y.shape
        assert_allclose(x, y, rtol=1e-12, atol=1e-14)


PYTORCH: list[Callable[[Any], Any]] = [
    lambda x: x.argmax(),
    lambda x: x.argmin(),
    lambda x: x.all(),
    lambda x: x.any(),
    lambda x: x.squeeze(1),
    lambda x: x.unbind(),
    lambda x: x.chunk(2),
    lambda x: x.split(1),
    lambda x: x.cumsum(0),
    lambda x: x.sort(dim=-1),
    lambda x: x.argsort(),
    lambda x: x[0, 0].argsort(),
    lambda x: x[0, 0].sort(dim=0),
    lambda x: x[0, 0].topk(1),
    lambda x: x[0, 0].mode(),
    lambda x: x.sum_to_size(3),
    lambda x: x.sum_to_size(2, 1),
    lambda x: x.sum_to_size((1, 3)),
    lambda x: x.median(),
    lambda x: x.std(),
    lambda x: x.var(),
    lambda x: x.norm(),
    lambda x: x.diag(),
    lambda x: x.trace(),
    lambda x: x.tril(),
    lambda x: x.triu(),
    lambda x: x.diff(),
    lambda x: x.flatten(),
    lambda x: x.unsqueeze(-1),
    lambda x: x.topk(2),
    lambda x: x.kthvalue(2),
    lambda x: x.mode(),
    lambda x: x.cummax(1),
    lambda x: x.roll(1),
    lambda x: x.rot90(),
    lambda x: x.clamp(0),
    lambda x: x.clip(max=0),
    lambda x: x.repeat_interleave(2),
    lambda x: x.softmax(1),
    lambda x: x.log_softmax(0),
    lambda x: x.logsumexp(1),
    lambda x: x.diagonal(),
    lambda x: x.movedim(0, 1),
    lambda x: x.count_nonzero(),
    lambda x: x.aminmax(),
    lambda x: x.quantile(0.3),
    lambda x: x.nansum(),
]  # fmt: skip


@pytest.mark.parametrize("call", PYTORCH, ids=range(len(PYTORCH)))
def test_methods_are_pytorchs(call: Callable[[Any], Any]) -> None:
    expected = [np.asarray(y) for y in leaves(call(torch.tensor(X)))]
    found = plain(call(Tensor(X)))
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert x.shape == y.shape
        assert_allclose(x, y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("start", range(-4, 5))
@pytest.mark.parametrize("length", range(-1, 5))
def test_narrow_takes_and_refuses_what_pytorchs_does(start: int, length: int) -> None:
    try:
        expected = torch.tensor(X).narrow(1, start, length)
    except (IndexError, RuntimeError):
        with pytest.raises(ValueError, match="don't fit into 3"):
            Tensor(X).narrow(1, start, length)
    else:
        assert_array_equal(Tensor(X).narrow(1, start, length).data, expected, strict=True)


@pytest.mark.parametrize("beta", [0, 0.5, 1])
@pytest.mark.parametrize("alpha", [0, 0.5, 1])
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("addmm", [(2, 4), (4, 3)]), ("addmv", [(3, 4), (4,)]), ("addr", [(2,), (3,)]),
        ("addbmm", [(5, 2, 4), (5, 4, 3)]), ("baddbmm", [(5, 2, 4), (5, 4, 3)]),
    ],
)  # fmt: skip
def test_sums_with_products_scale_both(
    name: str, shapes: list[tuple[int, ...]], alpha: float, beta: float
) -> None:
    rng = np.random.default_rng(0)
    x = [np.nan if beta == 0 else 2.5, -1.0, 0.5]  # of which nothing is left where beta is 0
    arrays = [np.array(x), *[rng.normal(size=shape) for shape in shapes]]
    results = []
    for make in (Tensor, lambda x: torch.tensor(x, requires_grad=True)):
        first, *others = map(make, arrays)
        out = getattr(first, name)(*others, beta=beta, alpha=alpha)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[np.asarray(x.grad) for x in (first, *others)]])
    for found, expected in zip(*results, strict=True):
        assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_the_logarithm_of_the_determinant_of_a_singular_matrix() -> None:
    assert Tensor(np.ones((2, 2))).logdet().item() == -np.inf


def test_functions_of_matrices_of_no_entries() -> None:
    for shape in [(0, 0), (2, 0, 0), (2, 3, 0, 0), (0, 2, 2)]:
        assert Tensor(np.empty(shape)).matrix_exp().shape == shape


@pytest.mark.parametrize("shape", [(3,), (3, 3), (3, 1)])
def test_a_product_with_a_matrix_or_a_vector_for_each_example(shape: tuple[int, ...]) -> None:
    w = RNG.normal(size=shape)

    def loss(w: Any, x: Any) -> Any:
        return ((x @ w) ** 2).sum()

    each = vmap(grad(loss), in_axes=(None, 0))(w, X)
    wanted = [2 * np.multiply.outer(x, x @ w) for x in X]
    assert_allclose(each, wanted, rtol=1e-12)
    shared = Tensor(w)
    vmap(lambda x: loss(shared, x))(X).sum().backward()
    assert_allclose(shared.grad, sum(wanted), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("batch", [(), (4,)])
def test_dropout_leaves_out_whole_channels(n: int, batch: tuple[int, ...]) -> None:
    if n == 2 and not batch:
        batch = (1,)  # three axes are (N, C, L), as in PyTorch
    x = np.ones((*batch, 50, *[3] * n))
    kept = getattr(functional, f"dropout{n}d")(x, 0.5, rng=0).data
    of_channels = kept.reshape(-1, 3**n)
    assert set(of_channels.sum(1)) == {0, 2 * 3**n}
    assert_array_equal(of_channels, of_channels[:, :1] + np.zeros(3**n))
    by_example = kept.reshape(-1, 50, 3**n)[..., 0]
    assert len({tuple(row) for row in by_example}) == len(by_example)


@pytest.mark.parametrize("method", ["outer", "reduce", "accumulate"])
@pytest.mark.parametrize("dtype", [None, np.float32])
def test_methods_of_ufuncs_compute_in_a_dtype(method: str, dtype: Any) -> None:
    def call(x: Any) -> Any:
        args = (x, X) if method == "outer" else (x,)
        return getattr(np.add, method)(*args, dtype=dtype)

    found = call(Tensor(X))
    assert found.dtype == call(X).dtype
    assert_allclose(found.data, call(X), rtol=1e-6)


@pytest.mark.parametrize("index", [-3, -1, 0, 2])
def test_any_row_of_an_embedding_may_be_padding(index: int) -> None:
    rows = nn.Embedding(3, 2, padding_idx=index, rng=0).weight.data
    assert_array_equal((rows == 0).all(1), np.arange(3) == index % 3)


@pytest.mark.parametrize("index", [-4, 3])
def test_padding_beyond_an_embedding_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(3, 2, padding_idx=index)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 2)])
def test_without_an_axis_softmax_says_which_it_takes(name: str, shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape)
    with pytest.warns(UserWarning, match="Implicit dimension"):
        expected = getattr(torch.nn.functional, name)(torch.tensor(x))
    with pytest.warns(UserWarning, match=f"{name}: without dim="):
        found = getattr(functional, name)(Tensor(x))
    assert_allclose(found.data, expected, rtol=1e-12)


def test_equal_modules_in_a_row_are_shown_once_with_their_places() -> None:
    modules = [nn.ReLU(), nn.Tanh(), nn.Tanh(), nn.ReLU(), nn.ReLU(), nn.ReLU(), nn.Tanh()]
    theirs = [getattr(torch.nn, type(module).__name__)() for module in modules]
    assert repr(nn.ModuleList(modules)) == repr(torch.nn.ModuleList(theirs))


def test_what_is_detached_keeps_its_label() -> None:
    x = Tensor(X, label="x")
    assert x.detach().label == "x"
    assert not x.detach().requires_grad
    assert_array_equal(x.detach().data, X)


def test_softmax_of_float16_keeps_its_dtype() -> None:
    x = Tensor(X, dtype=np.float16)
    assert x.softmax(1).dtype == np.float16
    assert_allclose(x.softmax(1).data.sum(1), 1, rtol=2e-3)


T = Tensor(X)
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: np.exp.reduce(T), ValueError, "binary functions"),
    (lambda: np.divmod.outer(T, T), ValueError, "two operands"),
    (lambda: np.add(T, T, where=X > 0), TypeError, "where="),
    (lambda: np.add(T, T, subok=1, extra=2), TypeError, "extra"),
    (lambda: np.linalg.tensorinv(T, ind=0), ValueError, "at least 1"),
    (lambda: np.meshgrid(T[0], T[1], indexing="ji"), ValueError, "indexing"),
    (lambda: np.choose(T, [T, T]), TypeError, "whole numbers"),
    (lambda: np.choose([0, 2, 0], [T[0], T[1]]), ValueError, "0 to 1"),
    (lambda: np.choose([0, -1, 0], [T[0], T[1]]), ValueError, "0 to 1"),
    (lambda: T.sum_to_size(5), ValueError, "not broadcast"),
    (lambda: T.sum_to_size(1, 1, 2, 3), ValueError, "not broadcast"),
    (lambda: T.sum(dim=0, axis=0), TypeError, "not both"),
    (lambda: T.reshape(4, 2), ValueError, "shape"),
    (lambda: T.squeeze(axis=5), IndexError, "axis"),
    (lambda: T @ T, ValueError, "shape"),
    (lambda: np.linalg.inv(T), np.linalg.LinAlgError, "square"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_an_error_of_its_type(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
