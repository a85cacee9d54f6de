"""Recurrent networks and cells against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
import torch
from cases import Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import assert_same, exchanged, here, in_torch

import tinytorch
from tinytorch import Tensor, hessian, nn
from tinytorch.optim import Adam

NETWORKS = ["RNN", "LSTM", "GRU"]
CELLS = ["RNNCell", "LSTMCell", "GRUCell"]


def some(c: Choices, **options: Any) -> dict[str, Any]:
    return {name: c.one_of(*values) for name, values in options.items() if c.integer(0, 1)}


def fresh(c: Choices, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(c.integer(0, 999)).uniform(-2, 2, shape)


def draw(c: Choices, name: str) -> tuple[dict[str, Any], Any, Any]:
    """Draw options, an input and a state, which may be None, of a network or a cell."""
    is_cell = name.endswith("Cell")
    n, hidden, batch = c.integer(1, 3), c.integer(1, 3), c.one_of((), (1,), (3,))
    options = {"input_size": n, "hidden_size": hidden, **some(c, bias=[False])}
    if name.startswith("RNN"):
        options |= some(c, nonlinearity=["relu"])
    steps: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    if not is_cell:
        options |= some(c, num_layers=[2], batch_first=[True], bidirectional=[True])
        steps = (c.integer(1, 3),)
        layers = (options.get("num_layers", 1) * (1 + options.get("bidirectional", False)),)
    first = options.get("batch_first") and batch
    x = fresh(c, (*((*batch, *steps) if first else (*steps, *batch)), n))
    if name == "LSTM" and hidden > 1:
        options |= some(c, proj_size=[hidden - 1])
    state = (*layers, *batch, hidden)
    if c.integer(0, 1):
        return options, x, None
    if name.startswith("LSTM"):
        h = (*layers, *batch, options.get("proj_size", hidden))
        return options, x, (fresh(c, h), fresh(c, state))
    return options, x, fresh(c, state)


def pairs_of(name: str, options: dict[str, Any], dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    """Make the module here and there; give the weights as well, which both functions take."""
    theirs = getattr(torch.nn, name)(**options).double()
    ours = getattr(nn, name)(**options, dtype=dtype)
    state = {key: x.detach().numpy() for key, x in theirs.state_dict().items()}
    if dtype != np.float64:
        state = {key: x.astype(dtype).astype(float) for key, x in state.items()}
    assert list(ours.state_dict()) == list(state)
    assert repr(ours) == repr(theirs)

    def here_with(x: Any, hx: Any, weights: dict[str, Any]) -> Any:
        for key, weight in weights.items():
            vars(ours)[key] = weight  # a tensor that the test differentiates
        return ours(x, hx)

    def there_with(x: Any, hx: Any, weights: dict[str, Any]) -> Any:
        return torch.func.functional_call(theirs, weights, (x, hx))

    return here_with, there_with, state


def compare(name: str, c: Choices, dtype: Any = np.float64, rtol: float = 1e-10) -> None:
    options, x, hx = draw(c, name)
    here_with, there_with, weights = pairs_of(name, options, dtype)
    arguments = [x, hx, weights]
    if dtype != np.float64:  # the same numbers for both
        arguments = exchanged(
            arguments, lambda x: None if x is None else x.astype(dtype).astype(float)
        )
    actual = here(here_with, arguments, dtype)
    assert_same(actual, in_torch(there_with, arguments), rtol)
    assert actual.values[0].dtype == dtype


@pytest.mark.parametrize("name", NETWORKS + CELLS)
@given(data=st.data())
def test_as_pytorch(name: str, data: st.DataObject) -> None:
    compare(name, Choices(lambda low, high: data.draw(st.integers(low, high))))


@pytest.mark.parametrize("name", NETWORKS + CELLS)
def test_in_single_precision(name: str) -> None:
    for seed in range(3):
        compare(name, dice(seed), np.float32, 2e-4)


@pytest.mark.parametrize("name", NETWORKS + CELLS)
def test_states_move_both_ways_and_weights_begin_as_pytorchs(name: str) -> None:
    options = {"input_size": 20, "hidden_size": 50}
    ours, theirs = getattr(nn, name)(**options, rng=0), getattr(torch.nn, name)(**options).double()
    for key, x in theirs.state_dict().items():
        values = ours.state_dict()[key].data
        assert scipy.stats.ks_2samp(values.ravel(), x.numpy().ravel()).pvalue > 1e-3
        assert abs(values).max() <= 50**-0.5
    state = {key: torch.tensor(x.data) for key, x in ours.state_dict().items()}
    theirs.load_state_dict(state)
    x = np.random.default_rng(0).normal(size=(3, 20))
    for a, b in zip(leaves(ours(x)), leaves(theirs(torch.tensor(x))), strict=True):
        assert_allclose(a.data, b.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
@given(data=st.data())
def test_packed_sequences_as_pytorch(name: str, data: st.DataObject) -> None:
    c = Choices(lambda low, high: data.draw(st.integers(low, high)))
    lengths = [c.integer(1, 4) for _ in range(c.integer(1, 4))]
    first, ordered = bool(c.integer(0, 1)), bool(c.integer(0, 1))
    lengths = sorted(lengths, reverse=True) if ordered else lengths
    options = {"input_size": 2, "hidden_size": 3, "batch_first": first}
    options |= some(c, num_layers=[2], bidirectional=[True])
    layers = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    x = fresh(c, (len(lengths), max(lengths) + 1, 2) if first else (max(lengths), len(lengths), 2))
    state = fresh(c, (layers, len(lengths), 3))
    hx = None if c.integer(0, 1) else (state, state / 2) if name == "LSTM" else state
    here_with, there_with, weights = pairs_of(name, options)

    def through(rnn: Any, run: Any, of_lengths: Any) -> Any:
        def packed(x: Any, hx: Any, weights: Any) -> Any:
            given = rnn.pack_padded_sequence(x, of_lengths, first, enforce_sorted=ordered)
            out, state = run(given, hx, weights)
            padded, found = rnn.pad_packed_sequence(out, first, -1.5, max(lengths) + 2)
            assert found.tolist() == lengths
            assert out.batch_sizes.tolist() == given.batch_sizes.tolist()
            return padded, state

        return packed

    actual = here(through(nn.utils.rnn, here_with, np.array(lengths)), [x, hx, weights])
    there = through(torch.nn.utils.rnn, there_with, torch.tensor(lengths))
    assert_same(actual, in_torch(there, [x, hx, weights]), 1e-10)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans())
def test_sequences_are_padded_and_packed_as_pytorchs(lengths: list[int], first: bool) -> None:
    ours, theirs = nn.utils.rnn, torch.nn.utils.rnn
    whole = [np.arange(n) + 1 for n in lengths]
    expected = theirs.pad_sequence([torch.tensor(x) for x in whole], first, 7)
    assert_array_equal(ours.pad_sequence(whole, first, 7), expected)
    assert ours.pad_sequence(whole).dtype == np.int64
    rows = [np.outer(x, [1.0, 2.0]) for x in whole]
    padded = ours.pad_sequence([Tensor(x) for x in rows], first, 0.5)
    assert isinstance(padded, Tensor)
    assert_array_equal(
        padded.data, theirs.pad_sequence([torch.tensor(x) for x in rows], first, 0.5)
    )
    packed = ours.pack_sequence([Tensor(x) for x in rows], enforce_sorted=False)
    expected = theirs.pack_sequence([torch.tensor(x) for x in rows], enforce_sorted=False)
    assert_array_equal(np.sort(packed.data.data, axis=0), np.sort(expected.data, axis=0))
    assert_array_equal(packed.batch_sizes, expected.batch_sizes)
    back, sizes = ours.pad_packed_sequence(packed, first, 0.5)
    assert_array_equal(back.data, padded.data)
    assert sizes.tolist() == lengths


def leaves(tree: Any) -> Any:
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def test_dropout_between_layers_in_training_only() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    for network in (nn.RNN, nn.LSTM, nn.GRU):
        plain = network(3, 4, num_layers=2, rng=0)
        dropped = network(3, 4, num_layers=2, dropout=0.5, rng=0)
        again = network(3, 4, num_layers=2, dropout=0.5, rng=0)
        first = dropped(x)[0].data
        assert_array_equal(again(x)[0].data, first)
        assert not np.array_equal(first, plain(x)[0].data)
        assert_array_equal(dropped.eval()(x)[0].data, plain(x)[0].data)
        every = network(3, 4, num_layers=2, dropout=1.0, rng=0)
        assert_array_equal(every(x)[0].data, every(x + 1)[0].data)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hessian_and_constants(name: str) -> None:
    network = getattr(nn, name)(2, 2, rng=0).requires_grad_(False)
    x = np.random.default_rng(0).normal(size=(3, 2))
    theirs = getattr(torch.nn, name)(2, 2).double()
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in network.state_dict().items()})
    expected = torch.autograd.functional.hessian(
        lambda x: (theirs(x)[0] ** 2).sum(), torch.tensor(x)
    )
    assert_allclose(
        hessian(lambda x: (network(x)[0] ** 2).sum())(x), expected, rtol=1e-9, atol=1e-12
    )
    assert not network(x)[0].requires_grad


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_compiles(name: str) -> None:
    rng = np.random.default_rng(0)

    def make() -> Any:
        network = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True, rng=0)
        optimizer = Adam(network.parameters)

        def step(x: Any) -> Any:
            loss = network(x)[0].square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, network

    step, network = make()
    twin, twins_network = make()
    compiled = tinytorch.compile(twin)
    for _ in range(5):
        x = rng.normal(size=(5, 2, 3))
        assert_array_equal(compiled(x).data, step(x).data)
    for a, b in zip(network.parameters, twins_network.parameters, strict=True):
        assert_array_equal(a.data, b.data)
    assert compiled.program is not None


X = Tensor(np.zeros((4, 2, 3)))


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (
            lambda: nn.LSTM(3, 4)(X[..., :2]),
            ValueError,
            r"\(L, N, 3\) or \(L, 3\), got \(4, 2, 2\)",
        ),
        (lambda: nn.GRU(3, 4, batch_first=True)(X[0, 0]), ValueError, r"\(N, L, 3\)"),
        (lambda: nn.RNN(3, 4)(X[:0]), ValueError, r"a step at least, got shape \(0, 2, 3\)"),
        (lambda: nn.LSTM(3, 4)(X, X), TypeError, r"a pair \(h, c\), got a tensor"),
        (lambda: nn.LSTM(3, 4)(X, (X, X)), ValueError, r"LSTM: a state has shape \(1, 2, 4\)"),
        (lambda: nn.GRU(3, 4)(X, X), ValueError, r"GRU: a state has shape \(1, 2, 4\)"),
        (lambda: nn.GRUCell(3, 4)(X), ValueError, r"\(N, 3\) or \(3,\), got \(4, 2, 3\)"),
        (lambda: nn.LSTMCell(3, 4)(X[0], X[0]), TypeError, "a pair"),
        (lambda: nn.RNN(3, 4, nonlinearity="sin"), ValueError, "tanh.*relu.*got 'sin'"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="sin"), ValueError, "tanh.*relu.*got 'sin'"),
        (lambda: nn.RNN(3, 0), ValueError, "hidden_size is .* at least 1, got int 0"),
        (lambda: nn.RNN(3, 4, num_layers=0), ValueError, "num_layers is .* at least 1, got int 0"),
        (lambda: nn.RNN(3, 4, dropout=2), ValueError, "between 0 and 1, got 2"),
        (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "below hidden_size, 4, got 4"),
        (lambda: nn.utils.rnn.pad_sequence([]), ValueError, "no sequences"),
        (lambda: nn.utils.rnn.pack_padded_sequence(X, [1, 2]), ValueError, "enforce_sorted=False"),
        (lambda: nn.utils.rnn.pack_padded_sequence(X, [5, 2]), ValueError, "2 .* from 1 to 4"),
        (lambda: nn.utils.rnn.pack_padded_sequence(X, [2]), ValueError, "batch_first=True swaps"),
        (
            lambda: nn.utils.rnn.pad_packed_sequence(
                nn.utils.rnn.pack_padded_sequence(X, [4, 2]), total_length=3
            ),
            ValueError,
            "total_length is at least 4: 3",
        ),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()
