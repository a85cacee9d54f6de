"""Distributions: logarithms of probabilities, entropies and divergences as PyTorch's, and draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import assert_same, here, in_torch

import tinytorch
from tinytorch import Tensor
from tinytorch.arrays.plain import PlainArray
from tinytorch.distributions import Bernoulli, Categorical, Normal, kl_divergence

Function = Callable[..., Any]


def both(function: Function, args: Any) -> None:
    """Compare `function(distributions, ...)`: value, first and second derivative."""
    assert_same(
        here(lambda *xs: function(tinytorch.distributions, *xs), args),
        in_torch(lambda *xs: function(torch.distributions, *xs), args),
        rtol=1e-10,
    )


shapes = st.lists(st.integers(1, 3), max_size=2).map(tuple)
seeds = st.integers(0, 999)


@given(shapes, seeds)
def test_normal(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    loc, scale = np.asarray(rng.normal(size=shape)), rng.uniform(0.3, 2, (*shape[:1], 1))
    x = rng.normal(size=(2, *np.broadcast_shapes(loc.shape, scale.shape)))
    both(lambda d, loc, scale, x: d.Normal(loc, scale).log_prob(x), (loc, scale, x))
    both(lambda d, loc, scale: d.Normal(loc, scale).entropy(), (loc, scale))
    both(lambda d, loc, scale: d.Normal(loc, scale).variance, (loc, scale))
    both(
        lambda d, *x: d.kl_divergence(d.Normal(*x[:2]), d.Normal(*x[2:])),
        (loc, scale, scale, np.asarray(scale + 0.5)),
    )


@given(shapes, seeds)
def test_categorical(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, probs = rng.normal(size=(*shape, 4)), rng.uniform(0.1, 2, (*shape, 4))
    labels = rng.integers(0, 4, (3, *shape))
    for name, values in (("logits", logits), ("probs", probs)):
        both(lambda d, x, y, name=name: d.Categorical(**{name: x}).log_prob(y), (values, labels))
        both(lambda d, x, name=name: d.Categorical(**{name: x}).entropy(), (values,))
        both(lambda d, x, name=name: d.Categorical(**{name: x}).probs, (values,))
        both(lambda d, x, name=name: d.Categorical(**{name: x}).logits, (values,))
    both(
        lambda d, x, y: d.kl_divergence(d.Categorical(logits=x), d.Categorical(probs=y)),
        (logits, probs),
    )


@given(shapes, seeds)
def test_bernoulli(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, probs = np.asarray(rng.normal(size=shape)), np.asarray(rng.uniform(0.1, 0.9, shape))
    x = np.asarray(rng.integers(0, 2, (2, *shape)), float)
    for name, values in (("logits", logits), ("probs", probs)):
        # No gradient for x: it is drawn.
        both(
            lambda d, p, name=name: d.Bernoulli(**{name: p}).log_prob(
                x if d is HERE else tensor(x)
            ),
            (values,),
        )
        both(lambda d, x, name=name: d.Bernoulli(**{name: x}).entropy(), (values,))
        both(lambda d, x, name=name: d.Bernoulli(**{name: x}).mean, (values,))
        both(lambda d, x, name=name: d.Bernoulli(**{name: x}).variance, (values,))
    both(
        lambda d, x, y: d.kl_divergence(d.Bernoulli(logits=x), d.Bernoulli(probs=y)),
        (logits, probs),
    )


HERE, tensor = tinytorch.distributions, torch.tensor


def test_impossible_and_certain_events() -> None:
    for make in (
        lambda d, t: d.Categorical(probs=t.tensor([0.0, 1.0, 3.0])).log_prob(t.tensor(1)),
        lambda d, t: d.Categorical(logits=t.tensor([-np.inf, 1.0, 3.0])).entropy(),
        lambda d, t: d.Categorical(probs=t.tensor([0.0, 1.0])).entropy(),
        lambda d, t: d.Bernoulli(probs=t.tensor([0.0, 1.0])).log_prob(t.tensor([0.0, 1.0])),
    ):
        torch.set_default_dtype(torch.float64)
        expected = make(torch.distributions, torch)
        torch.set_default_dtype(torch.float32)
        assert_allclose(make(tinytorch.distributions, tinytorch).data, expected, atol=1e-15)


def test_draws() -> None:
    n = 5000
    drawn = Normal([1.0, -1.0], [0.5, 2.0]).sample((n,), rng=0)
    assert isinstance(drawn, Tensor)
    assert not drawn.requires_grad
    assert_allclose(drawn.mean(0).data, [1, -1], atol=0.1)
    assert_allclose(drawn.std(0).data, [0.5, 2], atol=0.1)
    labels = Categorical([[1.0, 3.0], [1.0, 0.0]]).sample((n,), rng=0)
    assert isinstance(labels, PlainArray)
    assert labels.shape == (n, 2)
    assert_allclose(np.mean(labels, axis=0), [0.75, 0], atol=0.02)
    assert Categorical(np.ones((2, 3, 4))).sample((5, 6)).shape == (5, 6, 2, 3)
    assert Categorical(np.ones(4)).sample().shape == ()
    coins = Bernoulli(probs=[0.2, 0.9]).sample([n], rng=0)
    assert_allclose(coins.mean(0).data, [0.2, 0.9], atol=0.02)
    assert set(coins.data.ravel()) == {0, 1}
    again = Bernoulli(probs=[0.2, 0.9]).sample([n], rng=0)
    assert (coins == again).all()


def test_a_draw_with_a_gradient() -> None:
    loc, scale = Tensor([1.0, 2.0], label="loc"), Tensor([0.5, 3.0])
    drawn = Normal(loc, scale).rsample((4,), rng=1)
    drawn.backward()
    assert loc.grad.tolist() == [4, 4]
    assert_allclose(scale.grad, ((drawn.data - loc.data) / scale.data).sum(0))
    assert not Normal(loc, scale).sample().requires_grad


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Normal(0.0, -1.0), ValueError, "above 0"),
        (Categorical, ValueError, "either probs= or logits="),
        (lambda: Categorical([1.0], [1.0]), ValueError, "either probs= or logits="),
        (lambda: Categorical([-1.0, 2.0]), ValueError, "negative"),
        (lambda: Categorical([[0.0, 0.0]]), ValueError, "not all are 0"),
        (lambda: Categorical(1.0), ValueError, "axis"),
        (lambda: Bernoulli([1.5]), ValueError, "between 0 and 1"),
        (lambda: kl_divergence(Normal(0, 1), Bernoulli(0.5)), NotImplementedError, "two Normal"),
    ],
)
def test_what_is_no_distribution(make: Function, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_a_distribution_is_shown() -> None:
    assert repr(Categorical(np.ones((2, 3)))) == "Categorical(batch_shape=(2,))"
