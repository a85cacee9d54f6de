"""Fourier transforms: np.fft, scipy.fft's and PyTorch's names, against torch.fft."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.fft
import torch
from complex_numbers import assert_as_in_torch, drawn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinytorch
import tinytorch.scipy
from tinytorch import Tensor, check_grads, fft, grad, jacobian

LINES = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
OF_REALS = ("rfft", "ihfft")


def entries(name: str, *shape: int) -> Any:
    x = drawn(*shape)
    return x.real if name.startswith(OF_REALS) else x


@pytest.mark.parametrize("name", LINES)
@given(st.data())
def test_one_axis(name: str, data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(2, 5), min_size=1, max_size=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = data.draw(st.sampled_from([None, 2, 3, 4, 7, 8]))
    norm = data.draw(st.sampled_from([None, "backward", "ortho", "forward"]))
    x, theirs = entries(name, *shape), getattr(torch.fft, name)
    for ours in (
        lambda x: getattr(np.fft, name)(x, n, axis, norm),
        lambda x: getattr(tinytorch.scipy.fft, name)(x, n, axis, norm, workers=1),
        lambda x: getattr(fft, name)(x, n, dim=axis, norm=norm),
    ):
        assert_as_in_torch(ours, lambda x: theirs(x, n, axis, norm), x)


SIZES: list[tuple[Any, Any]] = [
    (None, None), (None, (0, 1)), (None, (-1, 0)), ((4, 3), (0, 2)), ((3, 8), (2, 1)),
    ((5, -1), (-2, -1)), ((3, 4), None), (None, (1,)),
]  # fmt: skip


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("several", ["2", "n"])
def test_several_axes(name: str, norm: Any, several: str) -> None:
    name += several
    x, theirs = entries(name, 3, 4, 5), getattr(torch.fft, name)
    for s, axes in SIZES if several == "n" else [(None, (-2, -1)), *SIZES[1:5]]:
        spellings = [
            lambda x, s=s, axes=axes: getattr(tinytorch.scipy.fft, name)(x, s, axes, norm),
            lambda x, s=s, axes=axes: getattr(fft, name)(x, s, dim=axes, norm=norm),
        ]
        if hasattr(np.fft, name):
            spellings.append(lambda x, s=s, axes=axes: getattr(np.fft, name)(x, s, axes, norm))
        for ours in spellings:
            assert_as_in_torch(ours, lambda x, s=s, axes=axes: theirs(x, s, axes, norm), x)


def test_values_are_numpys_and_scipys() -> None:
    for name in fft.__all__:
        if name.endswith("freq"):
            assert_allclose(getattr(fft, name)(5, 0.5).data, getattr(np.fft, name)(5, 0.5))
            continue
        x = entries(name, 4, 5)
        expected = getattr(scipy.fft, name)(x)
        assert_allclose(getattr(tinytorch.scipy.fft, name)(Tensor(x)).data, expected)
        assert_allclose(getattr(tinytorch.scipy.fft, name)(x).data, expected)
        assert_allclose(getattr(fft, name)(x.tolist()).data, expected)
        if hasattr(np.fft, name):
            assert_allclose(getattr(np.fft, name)(Tensor(x)).data, getattr(np.fft, name)(x))


def test_shifts() -> None:
    x = drawn(3, 4)
    for axes in (None, 0, (0, 1), -1):
        assert_as_in_torch(
            lambda x, axes=axes: np.fft.fftshift(x, axes),
            lambda x, axes=axes: torch.fft.fftshift(x, axes),
            x,
        )
        assert_as_in_torch(
            lambda x, axes=axes: np.fft.ifftshift(x, axes),
            lambda x, axes=axes: torch.fft.ifftshift(x, axes),
            x,
        )


def test_real_numbers_have_real_gradients() -> None:
    x = drawn(3, 6).real
    for name in ("fft", "ifft", "irfft", "hfft"):
        assert_as_in_torch(getattr(np.fft, name), getattr(torch.fft, name), x)
    check_grads(lambda x: np.abs(np.fft.rfft(x)) ** 2, x[0])
    check_grads(np.fft.irfft2, drawn(2, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype: Any) -> None:
    x = Tensor(np.ones(4, dtype))
    y = np.fft.rfft(x)
    assert y.dtype == np.result_type(dtype, 1j)
    assert np.fft.irfft(y).dtype == dtype
    np.abs(y).sum().backward()
    assert x.grad.dtype == dtype


def test_jacobians_and_programs() -> None:
    x = drawn(4)
    matrix = np.fft.fft(np.eye(4))
    assert_allclose(jacobian(np.fft.fft)(x), matrix, atol=1e-12)
    assert_allclose(jacobian(np.fft.fft)(x.real), matrix, atol=1e-12)
    rows = jacobian(lambda x: np.fft.irfft(x, axis=0))(drawn(3, 1))
    assert_allclose(rows, torch.autograd.functional.jacobian(
        lambda x: torch.fft.irfft(x, dim=0), torch.tensor(drawn(3, 1))
    ), atol=1e-12)  # fmt: skip
    derivative = grad(lambda x: (np.abs(np.fft.fft2(x)) ** 3).sum())
    program = tinytorch.compile(derivative)
    for x in (drawn(3, 4), drawn(3, 4)):
        assert_allclose(program(x), derivative(x))


def test_bad_input() -> None:
    x = Tensor(np.ones((2, 3)), label="x")
    for call, error, words in (
        (lambda: np.fft.fft(x, 0), ValueError, r"fft of tensor 'x' of shape \(2, 3\).*points"),
        (lambda: np.fft.fft(x, norm="half"), ValueError, "norm"),
        (lambda: np.fft.fft(x, axis=3), IndexError, "index"),
        (lambda: np.fft.rfft(x * 1j), TypeError, "ufunc 'rfft.*not supported"),
        (lambda: np.fft.fftn(x, (2, 3), (0,)), ValueError, "2 sizes for 1 axes"),
        (lambda: np.fft.fftn(x, axes=()), ValueError, "an axis at least"),
    ):
        with pytest.raises(error, match=words):
            call()
