"""Plain arrays inside `vmap`, their methods and what they index, against a loop."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference import leaves

import tinytorch
from tinytorch import Tensor, grad, nn, vmap
from tinytorch.arrays.plain import plain

F = nn.functional

CALLS = """argmax() argmax(dim=1,keepdim=True) argmin(dim=0) any() any(dim=0) any(1) all(dim=1)
count_nonzero(dim=0) argsort() argsort(dim=0,descending=True) dim() numel() size() size(-1)
max(0) max(dim=1,keepdim=True) min() min(1) amax(dim=(0,1)) amin(dim=0,keepdim=True)
sort(dim=0,descending=True) sort() topk(2) median(0) mode(0) kthvalue(1,dim=0) cummax(0) cummin(1)
sum() sum(dim=0) sum(0,True) prod(dim=1) mean(dim=1,keepdim=True) std(dim=0) var(0) cumsum(dim=1)
cumprod(1) reshape(3,2) flatten(0,1) unflatten(1,(3,1)) ravel() transpose(0,1) permute(1,0)
squeeze(0) unsqueeze(dim=-1) expand_dims(0) moveaxis(0,1) movedim(0,1) swapaxes(0,1) swapdims(0,1)
flip(dims=(0,1)) fliplr() flipud() roll(shifts=1,dims=1) rot90() expand(2,2,3)
broadcast_to((2,2,3)) repeat(2,1) tile((2,1)) repeat_interleave(2,dim=0) tril(diagonal=-1) triu(1)
diag() diagonal(offset=1) pad((1,1)) split(2,dim=1) chunk(2) unbind(1) hsplit(3) vsplit(2)
dsplit(1) atleast_1d() atleast_2d() atleast_3d() select(1,-1) index_select(0,np.array([1,0]))
gather(1,y.argsort()) take([0,5]) take_along_axis(y.argsort(1),1) take_along_dim(y.argsort(),1)
compress([True,False,True],1) masked_select(np.ones((2,3),bool)) masked_fill(y>1,0)
add(1) sub(1) subtract(y*2) mul(y) multiply(2) div(2) divide(2) true_divide(y+1.5) floor_divide(2)
pow(2) remainder(2) fmod(2) maximum(y) minimum(1) matmul(y.T) mm(y.T) bmm(y.T) mv(y[0]) dot(y.T)
vdot(y) outer(y) ger(y) inner(y) kron(y) neg() negative() abs() absolute() sign() square()
bitwise_and(1) bitwise_or(1) bitwise_xor(y) bitwise_not() view(3,2) clamp(0,1) clip(min=1) clone()
copy() float() double() half() long() int() bool() short() byte() char() type(float) to(float)
type_as(y) cpu() detach() astype(float) data T[0] [1] [y.argmin()%2] [:,None] ==1 /2 *2.5 +y
add_(1) sub_(1) mul_(2) fill_(3) zero_() clamp_(0,1) copy_(y.T.T) exp() log_softmax(0) T
eq(1) ne(y) ge(0) gt(y[0]) le(1) lt(y) logical_and(y) logical_or(y) logical_xor(y) logical_not()
isnan() isfinite() isinf() isclose(y) t() view_as(y) reshape_as(y.T) expand_as(y) pow_(2)
masked_fill_(y>1,0) neg_() abs_() square_() remainder_(2) tril_() round_() clip_(0,1) sign_()
scatter_add_(0,y.argsort(0),y) new_zeros((2,)) new_ones(2) new_tensor([1.5]) ndimension() nelement()
new_full((2,),3) is_floating_point() contiguous() norm()"""


def values(result: Any) -> list[Any]:
    found = leaves(list(result) if isinstance(result, tuple | list) else result)
    return [np.asarray(getattr(y, "data", y)) for y in found]


def spelled(call: str) -> Any:
    return eval(f"lambda y: y{'' if call[0] in '[=/*+' else '.'}{call}")  # noqa: S307


@pytest.mark.parametrize("call", CALLS.split())
@pytest.mark.parametrize("make", [lambda x: x.long(), lambda x: x > 2], ids=["whole", "truth"])
def test_every_method_of_plain_arrays_in_a_batch(call: str, make: Any) -> None:
    f, xs = spelled(call), np.random.default_rng(0).integers(-2, 9, (4, 2, 3)).astype(float)
    try:
        expected = [values(f(make(Tensor(x)))) for x in xs]
    except (TypeError, ValueError):  # as NumPy refuses -y of truth values
        return
    for found in (
        vmap(lambda x: f(make(x)))(Tensor(xs)),
        vmap(f)(make(Tensor(xs))),
        vmap(vmap(lambda x: f(make(x))))(Tensor(xs[None])),
    ):
        for a, *parts in zip(values(found), *expected, strict=True):
            assert_array_equal(a.reshape(np.shape(parts)), np.stack(parts))
            assert a.dtype == parts[0].dtype


@pytest.mark.parametrize("given", [lambda i: i, plain], ids=["array", "plain array"])
@pytest.mark.parametrize(
    "f",
    [
        np.zeros, lambda i: sum(range(i)), lambda i: [1.0, 2.0, 3.0][i],
        lambda i: Tensor(np.ones((2, 3))).sum(i - 1), lambda i: np.ones((2, 3)).sum(axis=i - 1),
        lambda i: np.expand_dims(np.ones(3), i), tinytorch.zeros,
    ],
)  # fmt: skip
def test_sizes_and_axes_are_those_of_all(f: Any, given: Any) -> None:
    same = given(np.array([1, 1]))
    (found,) = values(vmap(f)(same))
    assert_array_equal(found, np.stack([values(f(1))[0]] * 2))
    with pytest.raises(TypeError, match=r"in common here|sequence of integers"):
        vmap(f)(given(np.array([1, 2])))


def test_copies() -> None:
    for copied in (copy.copy, copy.deepcopy):
        found = vmap(lambda x, copied=copied: copied(x > 2).sum(dim=0))(
            Tensor(np.arange(6.0).reshape(2, 3))
        )
        assert_array_equal(found, [0, 3])


# --- what differs from example to example ---------------------------------------------------------

INDEXED: dict[str, Any] = {
    "scatter": lambda x, i, v: x.scatter(0, i, v),
    "scatter of a number": lambda x, i, v: x.scatter(1, i, 2.0),
    "scatter_add": lambda x, i, v: x.scatter_add(0, i, v),
    **{
        f"scatter_reduce {how}": lambda x, i, v, how=how: x.scatter_reduce(0, i, v, how)
        for how in ("sum", "prod", "mean", "amax", "amin")
    },
    "index_put": lambda x, i, v: x.index_put((i[0], i[1]), v[0]),
    "index_put, added": lambda x, i, v: x.index_put((i[0], i[1]), v[0], True),
    "put": lambda x, i, v: x.put(i[0], v[0]),
    "put, added": lambda x, i, v: x.put(i, v, True),
    "index_copy": lambda x, i, v: x.index_copy(0, i[0, :2], v[:2]),
    "index_fill": lambda x, i, v: x.index_fill(1, i[0], 7.0),
    "index_add": lambda x, i, v: x.index_add(0, i[0], v),
    "index_reduce": lambda x, i, v: x.index_reduce(0, i[0], v, "amax"),
    "narrow": lambda x, i, v: x.narrow(0, i[0, 0] - 2, 1),
    "gather": lambda x, i, v: x.gather(0, i),
    "of no entries": lambda x, i, v: x[0].gather(0, i[0, :0]) + v.sum(),
    "weighted classes": lambda x, i, v: F.cross_entropy(x, i[0], weight=v[0] ** 2),
    "one weighted class": lambda x, i, v: F.cross_entropy(x[0], i[0, 0], weight=v[0] ** 2),
    "weighted margins": lambda x, i, v: F.multi_margin_loss(x, i[0], weight=v[0] ** 2),
    "weighted counts": lambda x, i, v: np.bincount(i[0], v[0] * x[0], minlength=4),
    "unpooled": lambda x, i, v: F.max_unpool1d(x, i, 2),
    "factors": lambda x, i, v: tinytorch.linalg.lu(x),
    "factors in one": lambda x, i, v: tinytorch.linalg.lu_factor(x),
}


@pytest.mark.parametrize("f", INDEXED.values(), ids=INDEXED)
@pytest.mark.parametrize("axes", [(0, 0, 0), (None, 0, None), (0, None, 0), (None, 0, 0)])
def test_places_that_differ(f: Any, axes: Any) -> None:
    rng = np.random.default_rng(3)
    given = rng.normal(size=(4, 3, 3)), rng.integers(0, 3, (4, 3, 3)), rng.normal(size=(4, 3, 3))
    args = [x if axis == 0 else x[0] for x, axis in zip(given, axes, strict=True)]
    args = [Tensor(x, requires_grad=False) if x.dtype.kind == "f" else x for x in args]

    def example(i: int) -> list[Any]:
        return [x[i] if axis == 0 else x for x, axis in zip(args, axes, strict=True)]

    expected = [values(f(*example(i))) for i in range(4)]
    for a, *parts in zip(values(vmap(f, axes)(*args)), *expected, strict=True):
        assert_allclose(a, np.broadcast_to(np.stack(parts), a.shape), rtol=1e-12)

    def slope(x: Any, i: Any, v: Any) -> Any:
        return grad(lambda x: sum((y * y).sum() for y in found(f(x, i, v))))(x)

    def found(result: Any) -> list[Any]:
        return [y for y in leaves(result) if isinstance(y, Tensor)]

    slopes = np.stack([np.asarray(slope(*example(i))) for i in range(4)])
    assert_allclose(vmap(slope, axes)(*args).data, slopes, rtol=1e-9, atol=1e-9)


def test_slices_that_are_not_there() -> None:
    with pytest.raises(ValueError, match=r"narrow: 2 slices don't fit into 3 .* got 2"):
        vmap(lambda i: Tensor(np.ones(3)).narrow(0, i, 2))(np.array([0, 2]))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.softmax(0), lambda x: x.log_softmax(-1), lambda x: x.argmax(0), np.sum,
        lambda x: (x > 0).any(-1), lambda x: np.max(x, axis=0), lambda x: (x > 0).sum(),
        lambda x: x.count_nonzero(), lambda x: x.sum(0), lambda x: np.sum(x > 0, axis=-1),
        lambda x: np.add.reduce(x, axis=0),
    ],
)  # fmt: skip
def test_numbers_have_an_axis(f: Any) -> None:
    xs = np.array([2.0, 0.0, -1.0])
    (found,) = values(vmap(f)(Tensor(xs)))
    expected = np.stack([values(f(Tensor(x)))[0] for x in xs])
    assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.roll(x, [1, 1], [0, 0]), lambda x: np.roll(x[:0], 2),
        lambda x: np.pad(x, 1, constant_values=((1, 2), (3, 4))),
        lambda x: np.pad(x, 1, "linear_ramp", end_values=((1, 2), (3, 4))),
        lambda x: np.pad(x, 1, "mean", stat_length=((1, 1), (2, 2))),
    ],
)  # fmt: skip
def test_options_of_each_axis(f: Any) -> None:
    whole = np.arange(24).reshape(4, 2, 3)
    for xs in (whole, Tensor(whole * 1.0)):
        try:
            expected = np.stack([values(f(x))[0] for x in xs])
        except TypeError:  # an option that tensors don't take
            continue
        assert_array_equal(values(vmap(f)(xs))[0], expected)
