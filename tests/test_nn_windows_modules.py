"""Modules of windows beside PyTorch's; their mistakes; compiled, in batches, and as plans."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from reference import assert_agrees_with_differences
from test_nn_modules import (
    IMAGES,
    VOLUMES,
    assert_same_distribution,
)
from test_nn_modules import test_a_module_is_pytorchs as assert_is_pytorchs

import tinytorch
from tinytorch import Tensor, nn
from tinytorch.nn import functional as ours
from tinytorch.operations import correlation

RNG = np.random.default_rng(3)
LINES = RNG.normal(size=(2, 4, 9))
LARGE = RNG.normal(size=(2, 4, 8, 8))
CUBES = RNG.normal(size=(2, 4, 5, 6, 5))
INPUTS = {1: LINES, 2: LARGE, 3: CUBES}
CONV = {"in_channels": 4, "out_channels": 6, "kernel_size": 3}

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *[
        ("Conv", {**CONV, **more})
        for more in (
            {},
            {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
            {"padding": "same", "bias": False},
            {"padding": "valid"},
            {"padding": 2, "padding_mode": "circular"},
            {"padding": "same", "padding_mode": "reflect"},
            {"padding": 1, "padding_mode": "replicate"},
        )
    ],
    ("ConvTranspose", CONV),
    ("ConvTranspose", {**CONV, "stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
    ("ConvTranspose", {**CONV, "dilation": 2, "bias": False}),
    ("MaxPool", {"kernel_size": 2}),
    ("MaxPool", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ("AvgPool", {"kernel_size": 2}),
    ("AvgPool", {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    ("LPPool", {"norm_type": 2, "kernel_size": 2}),
    ("AdaptiveAvgPool", {"output_size": 3}),
    ("AdaptiveMaxPool", {"output_size": 3}),
    ("CircularPad", {"padding": 1}),
    ("ConstantPad", {"padding": 1, "value": 0.5}),
    ("ReflectionPad", {"padding": 2}),
    ("ReplicationPad", {"padding": 2}),
    ("ZeroPad", {"padding": 2}),
]  # fmt: skip
MODULES: list[tuple[str, dict[str, Any], list[Any]]] = [
    *[(f"{name}{n}d", options, [INPUTS[n]]) for name, options in OPTIONS for n in INPUTS],
    ("Conv2d", {**CONV, "kernel_size": (1, 3), "stride": (2, 1), "padding": (0, 2)}, [IMAGES]),
    ("ZeroPad2d", {"padding": (1, 0, -1, 2)}, [IMAGES]),
    ("AdaptiveAvgPool2d", {"output_size": (2, None)}, [IMAGES]),
    ("Upsample", {"scale_factor": 2}, [VOLUMES]),
    ("Upsample", {"scale_factor": (1.5, 2), "mode": "bicubic"}, [IMAGES]),
    ("Upsample", {"size": (4, 4), "mode": "bilinear", "align_corners": True}, [IMAGES]),
    ("UpsamplingNearest2d", {"scale_factor": 2}, [IMAGES]),
    ("UpsamplingBilinear2d", {"size": 5}, [IMAGES]),
    ("Unfold", {"kernel_size": 2}, [IMAGES]),
    ("Unfold", {"kernel_size": (3, 2), "padding": 1, "stride": 2, "dilation": 1}, [IMAGES]),
    ("Fold", {"output_size": (4, 5), "kernel_size": 2}, [RNG.normal(size=(2, 8, 12))]),
    ("PixelShuffle", {"upscale_factor": 2}, [IMAGES]),
    ("PixelUnshuffle", {"downscale_factor": 2}, [LARGE]),
    ("ChannelShuffle", {"groups": 2}, [IMAGES]),
]


@pytest.mark.parametrize(("name", "options", "inputs"), MODULES, ids=[m[0] for m in MODULES])
def test_a_module_is_pytorchs(name: str, options: dict[str, Any], inputs: list[Any]) -> None:
    assert_is_pytorchs(name, options, inputs)


@pytest.mark.parametrize("name", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_weights_begin_as_pytorchs(name: str, n: int) -> None:
    torch.manual_seed(0)
    options = {"in_channels": 8, "out_channels": 64, "kernel_size": 3, "groups": 2}
    layer = getattr(nn, f"{name}{n}d")(**options, rng=0)
    theirs = getattr(torch.nn, f"{name}{n}d")(**options)
    for key, x in theirs.state_dict().items():
        assert_same_distribution(layer.state_dict()[key].data, x.numpy())


# --- indices --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
def test_where_the_largest_was_and_back(n: int) -> None:
    x = INPUTS[n]
    for name, options in (
        ("MaxPool", {"kernel_size": 2}),
        ("MaxPool", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        ("AdaptiveMaxPool", {"output_size": 3}),
    ):
        pools = [getattr(x, f"{name}{n}d")(**options, return_indices=True) for x in (nn, torch.nn)]
        out, where = pools[0](x)
        expected, there = pools[1](torch.tensor(x))
        assert_array_equal(out.data, expected)
        assert_array_equal(where, there)
    out, where = getattr(nn, f"MaxPool{n}d")(2, return_indices=True)(x[0])
    pooled, theirs = Tensor(out.data), torch.tensor(out.data, requires_grad=True)
    unpools = [getattr(x, f"MaxUnpool{n}d")(2) for x in (nn, torch.nn)]
    assert repr(unpools[0]) == repr(unpools[1])
    back = unpools[0](pooled, where, x.shape[2:])
    expected = unpools[1](theirs, torch.tensor(where), x.shape[2:])
    assert_array_equal(back.data, expected.detach())
    (back**2).sum().backward()
    (expected**2).sum().backward()
    assert_array_equal(pooled.grad, theirs.grad)


@pytest.mark.parametrize("n", [2, 3])
def test_fractional_pooling_draws_windows_and_says_where_the_largest_was(n: int) -> None:
    x = INPUTS[n]
    samples = np.random.default_rng(0).random((*x.shape[:2], n))
    kernel, ratio = 2, (0.7, 0.6, 0.7)[:n]
    options = {"kernel_size": kernel, "output_ratio": ratio, "return_indices": True}
    name = f"FractionalMaxPool{n}d"
    theirs = getattr(torch.nn, name)(**options, _random_samples=torch.tensor(samples))
    ours_ = getattr(nn, name)(**options, _random_samples=samples)
    assert repr(ours_) == repr(theirs)
    for mine, expected in zip(ours_(x), theirs(torch.tensor(x)), strict=True):
        assert_array_equal(getattr(mine, "data", mine), expected)
    drawn = [getattr(nn, name)(**options, rng=seed)(x)[1] for seed in (0, 0, 1)]
    assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert getattr(nn, name)(kernel, 2)(x[0]).shape == (x.shape[1], *(2,) * n)


def test_of_entries_for_one_place_the_last_remains_and_each_gets_the_gradient() -> None:
    x = Tensor([[[1.0, 2.0, 5.0]]])
    out = ours.max_unpool1d(x, np.array([[[1, 1, 0]]]), 2, output_size=(3,))
    assert_array_equal(out.data, [[[5, 2, 0]]])
    out.sum().backward()
    assert_array_equal(x.grad, [[[1, 1, 1]]])  # as in PyTorch


def test_the_first_of_tied_entries_and_nan_win() -> None:
    values = np.round(LARGE)
    values[0, 0, 0, 1] = np.nan
    x, there = Tensor(values), torch.tensor(values, requires_grad=True)
    out, expected = ours.max_pool2d(x, 3, 2, 1), torch.nn.functional.max_pool2d(there, 3, 2, 1)
    assert_array_equal(out.data, expected.detach())
    weights = RNG.normal(size=out.shape)
    out.backward(weights)
    expected.backward(torch.tensor(weights))
    assert there.grad is not None
    assert_allclose(x.grad, there.grad, atol=1e-15)


def test_a_transposed_convolution_finds_the_size_that_was() -> None:
    down, up = nn.Conv2d(1, 1, 3, stride=2, rng=0), nn.ConvTranspose2d(1, 1, 3, stride=2, rng=0)
    for size in ((8, 8), (7, 8)):
        x = np.ones((1, 1, *size))
        assert up(down(x), output_size=x.shape).shape == x.shape
    with pytest.raises(ValueError, match=r"output_size between \[7, 7\] and \[8, 8\], got"):
        up(np.ones((1, 1, 3, 3)), output_size=(9, 9))


def test_a_sampled_grid_has_second_derivatives() -> None:
    places = RNG.integers(0, 3, (2, 2, 2, 2)) + RNG.uniform(0.3, 0.7, (2, 2, 2, 2))  # no kinks
    grid = (2 * places + 1) / 4 - 1
    for mode in ("bilinear", "bicubic"):
        assert_agrees_with_differences(
            lambda x, at, mode=mode: ours.grid_sample(x, at, mode, "border"),
            [LARGE[..., :4, :4], grid],
        )


# --- dtypes, and other arrays ---------------------------------------------------------------------

FUNCTIONS = {
    "conv": lambda x: ours.conv2d(x, WEIGHT.astype(x.dtype), stride=2, padding=1, groups=2),
    "conv_transpose": lambda x: ours.conv_transpose2d(x, WEIGHT.astype(x.dtype)[:4], stride=2),
    "max_pool": lambda x: ours.max_pool2d(x, 3, 2, 1),
    "avg_pool": lambda x: ours.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "adaptive": lambda x: ours.adaptive_avg_pool2d(x, 3),
    "bilinear": lambda x: ours.interpolate(x, scale_factor=1.5, mode="bilinear"),
    "nearest": lambda x: ours.interpolate(x, scale_factor=2),
    "unfold": lambda x: ours.unfold(x, 2, padding=1),
    "fold": lambda x: ours.fold(ours.unfold(x, 2), (8, 8), 2),
    "reflect": lambda x: ours.pad(x, (1, 2), "reflect"),
    "shuffle": lambda x: ours.pixel_shuffle(x, 2),
}
WEIGHT = RNG.normal(size=(6, 2, 3, 3))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_dtypes_are_kept(name: str, dtype: Any) -> None:
    x, wide = Tensor(LARGE.astype(dtype)), Tensor(LARGE.astype(dtype).astype(float))
    out, expected = FUNCTIONS[name](x), FUNCTIONS[name](wide)
    assert out.dtype == dtype
    (out**2).mean().backward()
    (expected**2).mean().backward()
    accuracy = 30 * np.finfo(dtype).eps
    assert x.grad.dtype == dtype
    assert_allclose(out.data, expected.data, atol=accuracy * np.abs(expected.data).max())
    assert_allclose(x.grad, wide.grad, atol=accuracy * np.abs(wide.grad).max())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_jacobian_in_one_sweep_is_that_of_many(name: str) -> None:
    x = LARGE[:1, :, :3, :3] if name != "fold" else LARGE[:1]
    jacobian = tinytorch.jacobian(lambda x: FUNCTIONS[name](x).reshape(-1)[:7])(x)
    for row, entry in zip(jacobian, range(7), strict=True):
        leaf = Tensor(x)
        FUNCTIONS[name](leaf).reshape(-1)[entry].backward()
        assert_allclose(row, leaf.grad, atol=1e-13)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_jacobians_and_hessians_of_a_kernel(name: str, groups: int) -> None:
    x, weight = LARGE[:, :, :4, :3], RNG.normal(size=(4, 4 // groups, 2, 2))

    def convolved(library: Any, x: Any, weight: Any) -> Any:
        return getattr(library, name)(x, weight, padding=1, groups=groups)

    there = torch.tensor(x)
    functional = torch.nn.functional
    assert_allclose(
        tinytorch.jacobian(lambda w: convolved(ours, x, w))(weight),
        torch.autograd.functional.jacobian(
            lambda w: convolved(functional, there, w), torch.tensor(weight)
        ),
        atol=1e-12,
    )
    for argnum, inputs in ((0, (x[:1], weight)), (1, (x, weight))):
        hessian = tinytorch.hessian(
            lambda x, w: (convolved(ours, x, w).tanh() ** 2).sum(), argnums=argnum
        )(*inputs)
        expected = torch.autograd.functional.hessian(
            lambda x, w: (convolved(functional, x, w).tanh() ** 2).sum(),
            tuple(map(torch.tensor, inputs)),
        )
        assert_allclose(hessian, expected[argnum][argnum], atol=1e-11)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled(name: str) -> None:
    def differentiated(x: Any) -> Any:
        leaf = Tensor(x)
        out = FUNCTIONS[name](leaf)
        (out * out).sum().backward()
        return out.data, leaf.grad

    compiled = tinytorch.compile(differentiated)
    for i in range(5):
        x = LARGE * (1 + i / 10)
        for a, b in zip(compiled(x), differentiated(x), strict=True):
            assert_allclose(a, b, atol=1e-12)
    assert compiled.program is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_plan_gives_the_same(name: str) -> None:
    plan, x = Tensor(da.from_array(LARGE, chunks=(1, 4, 8, 8))), Tensor(LARGE)
    out, expected = FUNCTIONS[name](plan), FUNCTIONS[name](x)
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    assert_allclose(out.numpy(), expected.data, atol=1e-12)
    assert_allclose(plan.grad.compute(), x.grad, atol=1e-12)


@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_blocks_of_one_example_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = RNG.normal(size=(5, 4, 6, 6))

    def differentiated(x: Any) -> Any:
        leaf, weight = Tensor(x), Tensor(WEIGHT)
        convolve = ours.conv2d if name == "conv" else ours.conv_transpose2d
        weight_of = weight if name == "conv" else weight[:4]
        out = convolve(leaf, weight_of, padding=1, groups=2)
        (out * out).sum().backward()
        return out.data, leaf.grad, weight.grad

    expected = differentiated(x)
    monkeypatch.setattr(correlation, "_BLOCK", 1)
    compiled = tinytorch.compile(differentiated)
    for function in (differentiated, *[compiled] * 4):
        for a, b in zip(function(x), expected, strict=True):
            assert_allclose(a, b, atol=1e-12)
    assert compiled.program is not None


def test_a_compiled_step_of_a_convolutional_network_is_the_step() -> None:
    def trained(compiled: bool) -> Any:
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, rng=0), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, rng=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(4, 3, rng=2),
        )  # fmt: skip
        optimizer = tinytorch.optim.Adam(model.parameters, lr=0.01)

        def step(x: Any, y: Any) -> Any:
            loss = ours.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.data

        run = tinytorch.compile(step) if compiled else step
        rng = np.random.default_rng(5)
        return [run(rng.normal(size=(6, 1, 8, 8)), rng.dirichlet(np.ones(3), 6)) for _ in range(6)]

    assert_allclose(trained(compiled=True), trained(compiled=False), rtol=1e-10)


# --- mistakes -------------------------------------------------------------------------------------

X = Tensor(np.ones((2, 4, 5, 5)))
W = Tensor(np.ones((6, 4, 3, 3)))


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: ours.conv2d(X, W[:, :3]), ValueError, r"takes 3 channels, got .*\(2, 4, 5, 5\)"),
        (lambda: ours.conv2d(X, W, groups=4), ValueError, "6 channels make no 4 groups"),
        (lambda: ours.conv2d(X, W[0]), ValueError, "expected a weight of 4 axes"),
        (lambda: ours.conv2d(X[0, 0], W), ValueError, r"\(N, C, H, W\) or \(C, H, W\)"),
        (lambda: ours.conv2d(X, W, dilation=3), ValueError, r"spans \(7, 7\) is larger than"),
        (lambda: ours.conv2d(X, W, stride=(1, 2, 3)), ValueError, "stride is a whole number or 2"),
        (lambda: ours.conv2d(X, W, stride=0), ValueError, "stride is .*, at least 1, got int 0"),
        (lambda: ours.conv2d(X, W, stride=2, padding="same"), ValueError, "takes a stride of 1"),
        (lambda: ours.conv2d(X, W, padding="full"), ValueError, "'full'"),
        (lambda: ours.conv_transpose2d(X, W), ValueError, "takes 6 channels"),
        (
            lambda: ours.conv_transpose2d(X, W[:4], output_padding=1),
            ValueError,
            "output_padding is smaller than stride or dilation",
        ),
        (lambda: ours.conv_transpose2d(X, W[:4], padding=4), ValueError, "nothing is left"),
        (lambda: nn.Conv2d(4, 6, 3, groups=4), ValueError, "4 and 6 channels make no 4 groups"),
        (lambda: nn.Conv2d(4, 6, 3, padding_mode="same"), ValueError, "padding_mode is one of"),
        (lambda: nn.ConvTranspose2d(4, 6, 3, padding="same"), TypeError, "is a whole number"),
        (lambda: ours.max_pool2d(X, 6), ValueError, "spans 6 is larger than"),
        (lambda: ours.max_pool2d(X, 2, padding=2), ValueError, "at most half the window of 2"),
        (lambda: ours.avg_pool2d(X, 2, divisor_override=0), ValueError, "override is not 0"),
        (lambda: ours.adaptive_avg_pool2d(X, (1, 2, 3)), ValueError, "a number or 2"),
        (lambda: ours.adaptive_avg_pool2d(X[:, :, :0], 2), ValueError, "sizes that are not empty"),
        (lambda: ours.adaptive_avg_pool2d(X[..., :0], 2), ValueError, "sizes that are not empty"),
        (
            lambda: ours.max_unpool2d(X, np.full((2, 4, 5, 5), 100), 2),
            ValueError,
            "indices of that shape, below 100",
        ),
        (lambda: ours.interpolate(X), ValueError, "either size or scale_factor"),
        (lambda: ours.interpolate(X, 3, mode="linear"), ValueError, "bilinear and bicubic for two"),
        (lambda: ours.interpolate(X, 3, align_corners=True), ValueError, "align_corners is for"),
        (lambda: ours.interpolate(X, 3, antialias=True), ValueError, "antialias is for"),
        (lambda: ours.interpolate(X, scale_factor=0.1), ValueError, "nothing is left"),
        (lambda: ours.grid_sample(X, X), ValueError, r"a grid \(N, h, w, 2\)"),
        (lambda: ours.grid_sample(X, X[..., :2], "linear"), ValueError, "mode is bilinear"),
        (lambda: ours.affine_grid(X, (2, 1, 3, 3)), ValueError, r"shape \(N, 2, 3\)"),
        (lambda: ours.unfold(X, 6), ValueError, r"span \(6, 6\) do not fit"),
        (lambda: ours.fold(X[0, 0], 3, 2), ValueError, r"expected \(N, C \* 4, 4\)"),
        (lambda: ours.pixel_shuffle(X, 3), ValueError, r"C \* 3\*\*2"),
        (lambda: ours.pixel_unshuffle(X, 2), ValueError, r"H \* 2"),
        (lambda: ours.channel_shuffle(X, 3), ValueError, "channels in 3 groups"),
        (lambda: ours.pad(X, (1, 2, 3)), ValueError, "before and one behind"),
        (lambda: ours.pad(X, (5, 0), "reflect"), ValueError, "gives 4 at most"),
        (lambda: ours.fractional_max_pool2d(IMAGES, 2), ValueError, "output_size or output_ratio"),
        (lambda: ours.fractional_max_pool2d(IMAGES, 2, 99), ValueError, r"\(99, 99\) windows"),
        (lambda: ours.pad(X, (1, 1), "wrap"), ValueError, "mode is one of constant, reflect"),
        (lambda: ours.pad(X, (-3, -3)), ValueError, "no 3 entries to lose"),
        (lambda: X.unfold(2, 6, 1), ValueError, r"span \(6,\) do not fit"),
    ],
)  # fmt: skip
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_empty_batch_gives_an_empty_one(n: int) -> None:
    x = np.zeros((0, 4, *(8,) * n))
    calls = {
        f"avg_pool{n}d": (2,), f"max_pool{n}d": (2,), f"lp_pool{n}d": (2, 2),
        f"adaptive_avg_pool{n}d": (3,), f"adaptive_max_pool{n}d": (3,), "channel_shuffle": (2,),
    }  # fmt: skip
    if n == 2:
        calls |= {"unfold": (2,), "pixel_shuffle": (2,)}
    for name, options in calls.items():
        tensor = Tensor(x)
        out = getattr(ours, name)(tensor, *options)
        theirs = getattr(torch.nn.functional, name)(torch.tensor(x), *options)
        assert out.shape == tuple(theirs.shape)
        out.backward()
    shuffled = ours.pixel_unshuffle(np.zeros((0, 4, 8, 8)), 2)
    assert shuffled.shape == (0, 16, 4, 4)


def test_padding_takes_away_and_repeats_as_pytorch() -> None:
    for mode, pads in {
        "replicate": [(-3, 3), (-4, 5), (2, -3), (-1, 2), (3, -4), (1, 2)],
        "reflect": [(2, -3), (-1, 2), (2, 1), (-1, -1)],
        "circular": [(-1, 2), (1, 2), (2, 0)],
    }.items():
        for pad in pads:
            x = np.arange(3.0).reshape(1, 1, 3)
            mine, theirs = Tensor(x), torch.tensor(x, requires_grad=True)
            y = ours.pad(mine, pad, mode)
            z = torch.nn.functional.pad(theirs, pad, mode)
            assert_array_equal(y.data, z.detach())
            (y * np.arange(y.shape[-1])).sum().backward()
            (z * torch.arange(z.shape[-1])).sum().backward()
            assert_array_equal(mine.grad, theirs.grad)
    for pad in ((-3, 1), (3, -2)):  # of which PyTorch gives what is in new memory
        with pytest.raises(ValueError, match="in mode 'circular'"):
            ours.pad(np.arange(3.0).reshape(1, 1, 3), pad, "circular")
