"""Attention and transformers against PyTorch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
import torch
from cases import Choices, dice
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import assert_same, exchanged, here, in_torch
from torch.nn import functional as theirs

import tinytorch
from tinytorch import Tensor, nn
from tinytorch.nn import functional as ours
from tinytorch.optim import AdamW

# PyTorch says where it cannot be faster in evaluation.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")


def fresh(c: Choices, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(c.integer(0, 999)).uniform(-1, 1, shape)


def coin(c: Choices) -> bool:
    return bool(c.integer(0, 1))


def truths(c: Choices, shape: tuple[int, ...], first: bool) -> Any:
    """Draw truth values; in each row the first is as said."""
    mask = np.random.default_rng(c.integer(0, 999)).random(shape) < 0.5
    mask[..., 0] = first
    return mask


def plain(x: Any) -> Any:
    return torch.tensor(x) if isinstance(x, np.ndarray) else x


def rounded(tree: Any, dtype: Any) -> Any:
    """Give the same numbers as float32 has them."""

    def change(x: Any) -> Any:
        return x.astype(dtype).astype(float) if getattr(x, "dtype", None) == np.float64 else x

    return exchanged(tree, change)


def compare(
    here_with: Any, there_with: Any, arguments: Any, dtype: Any = np.float64, rtol: float = 1e-10
) -> None:
    arguments = rounded(arguments, dtype)
    actual = here(here_with, arguments, dtype)
    # PyTorch's fast ways have one derivative.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        expected = in_torch(there_with, arguments)
    assert_same(actual, expected, rtol)
    assert actual.values[0].dtype == dtype


# --- scaled_dot_product_attention -----------------------------------------------------------------


def scaled(c: Choices) -> tuple[list[Any], dict[str, Any]]:
    d, length, n_keys = c.integer(1, 3), c.integer(1, 3), c.integer(1, 3)
    groups = coin(c)
    lead = c.one_of((), (2,), (2, 2))
    options: dict[str, Any] = {}
    heads, kv_heads = lead, lead
    if groups:
        heads, kv_heads = (*lead, 4), (*lead, 2)
        options["enable_gqa"] = True
    inputs = [fresh(c, (*heads, length, d)), fresh(c, (*kv_heads, n_keys, d))]
    inputs.append(fresh(c, (*kv_heads, n_keys, c.integer(1, 3))))
    if coin(c):
        options["scale"] = 0.7
    kind = c.integer(0, 4)
    if kind == 1:
        options["is_causal"] = True
    elif kind == 2:
        options["attn_mask"] = truths(c, c.one_of((length, n_keys), (*heads, length, n_keys)), True)
    elif kind == 3:
        inputs.append(fresh(c, c.one_of((length, n_keys), (*heads, length, n_keys))))
    elif kind == 4:
        hidden = truths(c, (length, n_keys), False)
        options["attn_mask"] = np.where(hidden, -np.inf, 1.0)
    return inputs, options


def compare_scaled(c: Choices, dtype: Any = np.float64, rtol: float = 1e-10) -> None:
    inputs, options = scaled(c)
    in_torchs = exchanged(options, plain)
    compare(
        lambda *xs: ours.scaled_dot_product_attention(*xs, **options),
        lambda *xs: theirs.scaled_dot_product_attention(*xs, **in_torchs),
        inputs,
        dtype,
        rtol,
    )


@given(data=st.data())
def test_scaled_dot_product_attention(data: st.DataObject) -> None:
    compare_scaled(Choices(lambda low, high: data.draw(st.integers(low, high))))


def test_scaled_dot_product_attention_in_single_precision() -> None:
    for seed in range(10):
        compare_scaled(dice(seed), np.float32, 1e-4)


def test_a_query_that_sees_nothing_gets_zeros() -> None:
    q, k, v = (np.random.default_rng(i).normal(size=(3, 2)) for i in range(3))
    for mask in (np.zeros((3, 3), bool), np.full((3, 3), -np.inf)):
        x = Tensor(q)
        out = ours.scaled_dot_product_attention(x, k, v, mask)
        out.sum().backward()
        assert not out.data.any()
        assert not x.grad.any()


def test_scores_of_any_size() -> None:
    for dtype in (np.float32, np.float64):
        q = Tensor([[1e4, 0], [-1e4, 0]], dtype=dtype)
        k = np.array([[1, 0], [-1, 0]], dtype)
        out = ours.scaled_dot_product_attention(q, k, k, np.array([[True, False], [True, True]]))
        assert_array_equal(out.data, [[1, 0], [-1, 0]])


def test_dropout_of_weights() -> None:
    x = np.ones((4, 100, 1))
    out = ours.scaled_dot_product_attention(x, x, x, dropout_p=0.25, rng=0)
    assert_array_equal(
        ours.scaled_dot_product_attention(x, x, x, dropout_p=0.25, rng=0).data, out.data
    )
    assert out.data.std() > 0.01
    assert abs(out.data.mean() - 1) < 0.01


# --- MultiheadAttention ---------------------------------------------------------------------------


def pairs_of(
    name: str, options: dict[str, Any], *calls: Any, **keywords: Any
) -> tuple[Any, Any, Any]:
    """Make the module here and there; give the weights as well, which both functions take."""
    torch.manual_seed(0)
    there = getattr(torch.nn, name)(**options).double()
    ours_too = getattr(nn, name)(**options)
    state = {key: x.detach().numpy() for key, x in there.state_dict().items()}
    assert {k: x.shape for k, x in ours_too.state_dict().items()} == {
        k: x.shape for k, x in state.items()
    }

    def here_with(inputs: Any, weights: dict[str, Any]) -> Any:
        for path, weight in weights.items():
            owner, _, key = path.rpartition(".")
            holder = dict(ours_too.named_modules())[owner]
            vars(holder)[key] = weight  # a tensor that the test differentiates
        return drop_none(ours_too(*inputs, *calls, **keywords))

    def there_with(inputs: Any, weights: dict[str, Any]) -> Any:
        there_calls = exchanged(list(calls), plain)
        options = exchanged(keywords, plain)
        return drop_none(
            torch.func.functional_call(there, weights, (*inputs, *there_calls), options)
        )

    return here_with, there_with, state


def drop_none(out: Any) -> Any:
    return [x for x in out if x is not None] if isinstance(out, tuple) else out


def heads(c: Choices) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:  # noqa: C901
    n_heads, batched = c.integer(1, 2), coin(c)
    size, n, length, n_keys = (
        n_heads * c.integer(1, 2),
        c.integer(1, 2),
        c.integer(1, 3),
        c.integer(1, 3),
    )
    options: dict[str, Any] = {"embed_dim": size, "num_heads": n_heads}
    for name in ("add_bias_kv", "add_zero_attn", "batch_first"):
        if coin(c):
            options[name] = True
    if coin(c):
        options["bias"] = False
    if coin(c):
        options |= {"kdim": 3, "vdim": 2}
    alone = not coin(c) and "kdim" not in options  # one sequence, which attends to itself
    n_keys = length if alone else n_keys

    def shaped(length: int, size: int) -> tuple[int, ...]:
        if not batched:
            return length, size
        return (n, length, size) if "batch_first" in options else (length, n, size)

    inputs = [fresh(c, shaped(length, size))]
    if not alone:
        inputs.append(fresh(c, shaped(n_keys, options.get("kdim", size))))
        inputs.append(fresh(c, shaped(n_keys, options.get("vdim", size))))
    call: dict[str, Any] = {"average_attn_weights": coin(c), "need_weights": coin(c)}
    floating = coin(c)

    def mask(shape: tuple[int, ...]) -> Any:
        drawn = truths(c, shape, False)
        return np.where(drawn, -np.inf, 0.5) if floating else drawn

    if coin(c):
        rows = (n if batched else 1) * n_heads
        call["attn_mask"] = mask(c.one_of((length, n_keys), (rows, length, n_keys)))
    if coin(c):
        call["key_padding_mask"] = mask((n, n_keys) if batched else (n_keys,))
    return options, inputs, call


def compare_heads(c: Choices, dtype: Any = np.float64, rtol: float = 1e-10) -> None:
    options, inputs, call = heads(c)
    here_with, there_with, weights = pairs_of("MultiheadAttention", options, **call)

    def repeated(function: Any) -> Any:
        return lambda inputs, weights: function(inputs if len(inputs) == 3 else inputs * 3, weights)

    compare(repeated(here_with), repeated(there_with), [inputs, weights], dtype, rtol)


@given(data=st.data())
def test_multihead_attention(data: st.DataObject) -> None:
    compare_heads(Choices(lambda low, high: data.draw(st.integers(low, high))))


def test_multihead_attention_in_single_precision() -> None:
    for seed in range(10):
        compare_heads(dice(seed), np.float32, 2e-4)


def test_weights_begin_as_pytorchs() -> None:
    for options in ({}, {"kdim": 20, "vdim": 30}, {"add_bias_kv": True}):
        torch.manual_seed(0)
        given = {"embed_dim": 40, "num_heads": 4, **options}
        here_state = nn.MultiheadAttention(**given, rng=0).state_dict()
        for key, x in torch.nn.MultiheadAttention(**given).state_dict().items():
            values = here_state[key].data.ravel()
            assert scipy.stats.ks_2samp(values, x.numpy().ravel()).pvalue > 1e-3


# --- transformers ---------------------------------------------------------------------------------


def layers(c: Choices) -> dict[str, Any]:
    options: dict[str, Any] = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "dropout": 0.0}
    for name in ("batch_first", "norm_first"):
        if coin(c):
            options[name] = True
    if coin(c):
        options["bias"] = False
    if coin(c):
        options["layer_norm_eps"] = 0.1
    return options | {"activation": c.one_of("relu", "gelu")}


def sequence(c: Choices, options: dict[str, Any], length: int) -> Any:
    return fresh(c, (2, length, 4) if "batch_first" in options else (length, 2, 4))


def draw_masks(c: Choices, *names: tuple[str, tuple[int, ...]]) -> dict[str, Any]:
    return {name: truths(c, shape, False) for name, shape in names if coin(c)}


@pytest.mark.parametrize(
    "name", ["TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer"]
)
@settings(max_examples=15)
@given(data=st.data())
def test_transformers(name: str, data: st.DataObject) -> None:
    c = Choices(lambda low, high: data.draw(st.integers(low, high)))
    options = layers(c)
    inputs = [sequence(c, options, 3)]
    masks = [("src_mask", (3, 3)), ("src_key_padding_mask", (2, 3))]
    if name != "TransformerEncoderLayer":
        inputs.append(sequence(c, options, 2))
        masks = [("tgt_mask", (3, 3)), ("memory_mask", (3, 2)), ("tgt_key_padding_mask", (2, 3)),
                 ("memory_key_padding_mask", (2, 2))]  # fmt: skip
    if name == "Transformer":
        inputs.reverse()
        options |= {"num_encoder_layers": 2, "num_decoder_layers": 1}
        masks = [("src_mask", (2, 2)), ("src_key_padding_mask", (2, 2)), *masks]
    here_with, there_with, weights = pairs_of(name, options, **draw_masks(c, *masks))
    compare(here_with, there_with, [inputs, weights])


@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_stacks_of_layers(kind: str) -> None:
    c = dice(0)
    options = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "dropout": 0.0}
    inputs = [fresh(c, (3, 2, 4)) for _ in range(1 if kind == "Encoder" else 2)]
    stacks = []
    for library in (nn, torch.nn):
        layer = getattr(library, f"Transformer{kind}Layer")(**options)
        stacks.append(getattr(library, f"Transformer{kind}")(layer, 2, library.LayerNorm(4)))
    here_stack, there_stack = stacks
    there_stack.double()
    assert not np.shares_memory(*(layer.linear1.weight.data for layer in here_stack.layers))
    for x in there_stack.parameters():
        torch.nn.init.normal_(x)
    here_stack.load_state_dict({k: x.numpy() for k, x in there_stack.state_dict().items()})
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert_array_equal(mask, torch.nn.Transformer.generate_square_subsequent_mask(3))
    out = (
        here_stack(*inputs, mask, is_causal=True)
        if kind == "Encoder"
        else here_stack(*inputs, mask)
    )
    expected = there_stack(*map(torch.tensor, inputs), torch.tensor(mask))
    assert_allclose(out.data, expected.detach(), rtol=1e-10, atol=1e-12)


def test_dropout_is_drawn_anew_in_each_layer_and_training_only() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, rng=0)
    encoder = nn.TransformerEncoder(layer, 2)
    x = np.ones((5, 3, 8))
    assert encoder.layers[0].dropout.rng is encoder.layers[1].self_attn.rng
    assert not np.array_equal(encoder(x).data, encoder(x).data)
    encoder.eval()
    assert_array_equal(encoder(x).data, copy.deepcopy(encoder)(x).data)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_training_step_compiles(norm_first: bool) -> None:
    rng = np.random.default_rng(0)
    mask = nn.Transformer.generate_square_subsequent_mask(5)

    def make() -> Any:
        layer = nn.TransformerEncoderLayer(
            8, 2, 16, 0.0, batch_first=True, norm_first=norm_first, rng=0
        )
        model = nn.TransformerEncoder(layer, 2)
        embedding, head = nn.Embedding(7, 8, rng=1), nn.Linear(8, 7, rng=2)
        everything = nn.ModuleList([model, embedding, head])
        optimizer = AdamW(everything.parameters)

        def step(x: Any, y: Any) -> Any:
            logits = head(model(embedding(x), mask))
            loss = ours.cross_entropy(logits.reshape(-1, 7), y.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, everything

    step, model = make()
    twin, twins_model = make()
    compiled = tinytorch.compile(twin)
    for _ in range(5):
        x, y = rng.integers(0, 7, (2, 3, 5))
        # A program takes the way of softmax that holds for scores of any size.
        assert_allclose(compiled(x, y).data, step(x, y).data, rtol=1e-12)
    for a, b in zip(model.parameters, twins_model.parameters, strict=True):
        assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-12)
    assert compiled.program is not None


X = np.zeros((4, 2, 6))
ATTENTION = nn.MultiheadAttention(6, 2)


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: nn.MultiheadAttention(6, 4), ValueError, "a multiple of num_heads, got 6 and 4"),
        (lambda: ATTENTION(X[..., 0], X, X), ValueError, r"got \(4, 2\), \(4, 2, 6\)"),
        (lambda: ATTENTION(X[..., :3], X, X), ValueError, "size 6, .* heads, 2, got 3"),
        (lambda: ATTENTION(X, X[:3], X), ValueError, r"got \(4, 2, 6\), \(3, 2, 6\)"),
        (lambda: ATTENTION(X, X, X, is_causal=True), ValueError, "there is none"),
        (lambda: ATTENTION(X, X, X, attn_mask=np.zeros((4, 3))), ValueError, r"\(4, 4\) or"),
        (
            lambda: ATTENTION(X, X, X, np.zeros((4, 2), bool)),
            ValueError,
            r"mask has shape \(2, 4\)",
        ),
        (lambda: ATTENTION(X, X, X, np.zeros((2, 4), int)), TypeError, "a mask has truth values"),
        (
            lambda: ours.scaled_dot_product_attention(X, X, X, np.ones((2, 2)), is_causal=True),
            ValueError,
            "not both",
        ),
        (lambda: ours.scaled_dot_product_attention(X[0, 0], X, X), ValueError, r"\(6,\)"),
        (lambda: nn.TransformerEncoderLayer(6, 2, activation="sin"), ValueError, "got 'sin'"),
        (lambda: nn.Transformer(6, 2, 1, 1)(X, X[:, :1]), ValueError, "one batch"),
        (lambda: nn.Transformer(6, 2, 1, 1)(X, X[..., :1]), ValueError, "the size 6"),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()


def test_what_memory_held_before_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "empty", lambda shape, *_: np.full(shape, 1e300))
    nn.MultiheadAttention(4, 2, dtype=np.float32)  # whose dtype holds no such number
