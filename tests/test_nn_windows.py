"""Convolution, pooling, resampling and folding against PyTorch's: values, first and second slopes.

Each function is drawn with its options, in one to three axes, in a batch and alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from test_nn_functions import Arguments, Case, compare, fresh, some
from torch.nn import functional as theirs

from tinytorch import Tensor
from tinytorch.nn import functional as ours
from tinytorch.operations import correlation
from tinytorch.operations.windows import add_windows, windows

# PyTorch's, of even kernels and of single entries.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
    pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid behavior has changed"),
]

# --- windows --------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(*[st.integers(1, 3)] * 3, st.integers(0, 4)), min_size=1, max_size=3),
    st.integers(0, 2),
)
def test_adding_up_is_the_adjoint_of_windows(axes: list[tuple[int, ...]], batch: int) -> None:
    sizes, steps, dilations, _ = zip(*axes, strict=True)
    shape = (batch, *((k - 1) * d + 1 + more for k, _, d, more in axes))
    how = tuple(range(1, len(shape))), sizes, steps, dilations
    x = fresh(dice(0), shape)
    shown: Any = windows(x, *how)
    y = fresh(dice(1), shown.shape)
    assert_allclose(np.vdot(shown, y), np.vdot(x, add_windows(y, shape, *how)), atol=1e-10)


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"span \(3,\) do not fit into \(2,\)"):
        windows(Tensor(np.ones((1, 2))), (1,), (3,), (1,), (1,))


# --- convolutions ---------------------------------------------------------------------------------


def each(c: Choices, n: int, low: int, high: int) -> Any:
    """Draw a number for all axes, or one for each."""
    return c.one_of(c.integer(low, high), tuple(c.integer(low, high) for _ in range(n)))


def numbers(value: Any, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else value


def batch(c: Choices) -> tuple[int, ...]:
    return c.one_of((2,), (1,), (3,), ())


def convolution(n: int) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        groups = c.one_of(1, 1, 2, 3)
        ins, outs = groups * c.integer(1, 2), groups * c.integer(1, 2)
        kernel = [c.integer(1, 3) for _ in range(n)]
        dilation, padding = each(c, n, 1, 2), c.one_of(each(c, n, 0, 2), "same", "valid")
        options = {"dilation": dilation, "padding": padding, "groups": groups}
        if padding != "same":
            options["stride"] = each(c, n, 1, 3)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, numbers(dilation, n), strict=True)]
        x = fresh(c, (*batch(c), ins, *[span + c.integer(0, 4) for span in spans]))
        bias = [fresh(c, (outs,))] if c.integer(0, 1) else []
        return [x, fresh(c, (outs, ins // groups, *kernel)), *bias], options

    return arguments


def transposed(n: int) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        groups = c.one_of(1, 1, 2)
        ins, outs = groups * c.integer(1, 2), c.integer(1, 2)
        kernel = [c.integer(1, 3) for _ in range(n)]
        stride, dilation = each(c, n, 1, 3), each(c, n, 1, 2)
        pairs = zip(numbers(stride, n), numbers(dilation, n), strict=True)
        more = tuple(c.integer(0, max(pair) - 1) for pair in pairs)
        padding = tuple(c.integer(0, (k - 1) // 2) for k in kernel)
        x = fresh(c, (*batch(c), ins, *[c.integer(1, 4) for _ in range(n)]))
        bias = [fresh(c, (outs * groups,))] if c.integer(0, 1) else []
        return [x, fresh(c, (ins, outs, *kernel)), *bias], {
            "stride": stride, "dilation": dilation, "padding": padding, "groups": groups,
            "output_padding": more,
        }  # fmt: skip

    return arguments


# --- pooling --------------------------------------------------------------------------------------


def pooled(
    n: int, *, dilated: bool = False, norms: bool = False, **more: Any
) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        kernel = c.integer(1, 3) if norms else each(c, n, 1, 3)
        dilation = each(c, n, 1, 2) if dilated else 1
        pairs = zip(numbers(kernel, n), numbers(dilation, n), strict=True)
        spans = [(k - 1) * d + 1 for k, d in pairs]
        x = fresh(c, (*batch(c), 2, *[span + c.integer(0, 4) for span in spans]))
        options = {"kernel_size": kernel, **some(c, stride=[1, 2, 3], ceil_mode=[True], **more)}
        if norms:
            options["norm_type"] = c.one_of(1.0, 2.0, 3.0)
        if dilated:
            options["dilation"] = dilation
        if not norms:
            half = [k // 2 for k in numbers(kernel, n)]
            options["padding"] = tuple(c.integer(0, h) for h in half)
        return [np.abs(x) + 0.1 if norms else x], options

    return arguments


def adaptive(n: int) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        x = fresh(c, (*batch(c), 2, *[c.integer(1, 5) for _ in range(n)]))
        return [x], {"output_size": c.one_of(c.integer(1, 6), tuple(
            c.integer(1, 6) for _ in range(n)
        ))}  # fmt: skip

    return arguments


# --- resampling -----------------------------------------------------------------------------------


def resampled(c: Choices) -> Arguments:
    n = c.integer(1, 3)
    modes = ["nearest", "nearest-exact", "area"]
    modes += [["linear"], ["bilinear", "bicubic"], ["trilinear"]][n - 1] * 2
    mode = c.one_of(*modes)
    x = fresh(c, (2, 2, *[c.integer(1, 5) for _ in range(n)]))
    options: dict[str, Any] = {"mode": mode}
    if c.integer(0, 1):
        options["size"] = each(c, n, 1, 8)
    else:
        options["scale_factor"] = c.one_of(
            c.one_of(1.0, 2.0, 1.3, 2.5), tuple(c.one_of(1.0, 2.0, 1.7) for _ in range(n))
        )
        options.update(some(c, recompute_scale_factor=[True]))
    if "linear" in mode or "cubic" in mode:
        options.update(some(c, align_corners=[True, False]))
    return [x], options


def smoothed(c: Choices) -> Arguments:
    x = fresh(c, (1, 2, c.integer(1, 7), c.integer(1, 7)))
    mode, size = c.one_of("bilinear", "bicubic"), each(c, 2, 1, 7)
    return [x], {"mode": mode, "size": size, "antialias": True}


def sampled(c: Choices) -> Arguments:
    n = c.integer(2, 3)
    x = fresh(c, (2, 2, *[c.integer(1, 4) for _ in range(n)]))
    grid = fresh(c, (2, *[c.integer(1, 3) for _ in range(n)], n), -1.8, 1.8)
    modes = ["bilinear", "nearest", "bicubic"][: 5 - n]
    return [x, grid], {
        "mode": c.one_of(*modes),
        "padding_mode": c.one_of("zeros", "border", "reflection"),
        "align_corners": c.one_of(True, False),
    }


def positions(c: Choices) -> Arguments:
    n = c.integer(2, 3)
    size = (2, 1, *[c.integer(1, 4) for _ in range(n)])
    return [fresh(c, (2, n, n + 1))], {"size": size, "align_corners": c.one_of(True, False)}


def fractional(n: int) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        kernel, wanted = each(c, n, 1, 3), each(c, n, 1, 4)
        least = [k + w for k, w in zip(numbers(kernel, n), numbers(wanted, n), strict=True)]
        x = fresh(c, (c.integer(1, 3), 2, *[size + c.integer(0, 4) for size in least]))
        samples = np.random.default_rng(c.integer(0, 999)).random((*x.shape[:2], n))
        return [x], {"kernel_size": kernel, "output_size": wanted, "_random_samples": samples}

    return arguments


# --- folding and padding --------------------------------------------------------------------------


def unfolded(c: Choices) -> Arguments:
    kernel, dilation = each(c, 2, 1, 3), each(c, 2, 1, 2)
    spans = [(k - 1) * d + 1 for k, d in zip(numbers(kernel, 2), numbers(dilation, 2), strict=True)]
    x = fresh(c, (*batch(c), 2, *[span + c.integer(0, 3) for span in spans]))
    return [x], {
        "kernel_size": kernel, "dilation": dilation,
        **some(c, padding=[1, (2, 0)], stride=[2, (1, 3)]),
    }  # fmt: skip


def folded(c: Choices) -> Arguments:
    (x,), options = unfolded(c)
    columns = ours.unfold(Tensor(x), **options)
    return [fresh(c, columns.shape)], {"output_size": x.shape[-2:], **options}


def around(c: Choices) -> Arguments:
    mode = c.one_of("constant", "reflect", "replicate", "circular")
    n = c.integer(1, 3)
    x = fresh(c, (2, 2, *[c.integer(3, 4) for _ in range(n)]))
    low = -1 if mode == "constant" else 0
    widths = tuple(c.integer(low, 2) for _ in range(2 * n))
    value = some(c, value=[1.5]) if mode == "constant" else {}
    return [x], {"pad": widths, "mode": mode, **value}


def shuffled(c: Choices) -> Arguments:
    return [fresh(c, (*batch(c), 8, c.integer(1, 3), 2))], {"upscale_factor": c.one_of(1, 2)}


def unshuffled(c: Choices) -> Arguments:
    return [fresh(c, (*batch(c), 3, 4, 6))], {"downscale_factor": c.one_of(1, 2)}


def dealt(c: Choices) -> Arguments:
    return [fresh(c, (2, 6, *c.one_of((3,), (2, 2))))], {"groups": c.one_of(1, 2, 3)}


AXES = (1, 2, 3)
CASES = [
    *[Case(f"conv{n}d", convolution(n)) for n in AXES],
    *[Case(f"conv_transpose{n}d", transposed(n)) for n in AXES],
    *[Case(f"max_pool{n}d", pooled(n, dilated=True)) for n in AXES],
    Case("avg_pool1d", pooled(1, count_include_pad=[False])),
    *[
        Case(f"avg_pool{n}d", pooled(n, count_include_pad=[False], divisor_override=[3]))
        for n in (2, 3)
    ],
    *[Case(f"lp_pool{n}d", pooled(n, norms=True)) for n in AXES],
    *[Case(f"adaptive_avg_pool{n}d", adaptive(n)) for n in AXES],
    *[Case(f"adaptive_max_pool{n}d", adaptive(n)) for n in AXES],
    # PyTorch has no second derivative of it.
    *[Case(f"fractional_max_pool{n}d", fractional(n), twice=False) for n in (2, 3)],
    Case("interpolate", resampled),
    Case("interpolate", smoothed),
    # PyTorch has no second derivative of it.
    Case("grid_sample", sampled, twice=False),
    Case("affine_grid", positions),
    Case("unfold", unfolded),
    Case("fold", folded),
    Case("pad", around),
    Case("pixel_shuffle", shuffled),
    Case("pixel_unshuffle", unshuffled),
    Case("channel_shuffle", dealt),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(data=st.data())
def test_as_pytorch(case: Case, data: st.DataObject) -> None:
    compare(case, Choices(lambda low, high: data.draw(st.integers(low, high))), np.float64, 1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_single_precision(case: Case) -> None:
    for seed in range(3):
        compare(case, dice(seed), np.float32, 2e-4)


@pytest.mark.parametrize("long", [1, 10**9], ids=["rows", "windows"])
@pytest.mark.parametrize("case", [c for c in CASES if "conv" in c.name], ids=lambda case: case.name)
def test_convolution_of_many_channels_in_blocks(
    case: Case, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correlation, "_LONG", long)
    monkeypatch.setattr(correlation, "_BLOCK", 400)
    for seed in range(10):
        compare(case, dice(seed), np.float64, 1e-10)


def test_the_corner_stands_for_all_where_one_entry_is_left() -> None:
    x = np.arange(6.0).reshape(1, 2, 3)
    y = ours.interpolate(x, 1, mode="linear", align_corners=True)
    z = theirs.interpolate(torch.tensor(x), 1, mode="linear", align_corners=True)
    assert_allclose(y.data, z)
    assert_allclose(y.data, x[..., :1])
