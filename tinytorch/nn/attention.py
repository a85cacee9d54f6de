"""Attention: averages of values, weighted by how well their keys fit a query.

A. Vaswani et al., "Attention is all you need", 2017.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import own
from tinytorch.arrays.words import choose, half_as_single, sum_along
from tinytorch.engine import Node
from tinytorch.nn.dropout import dropout
from tinytorch.nn.init import xavier_normal_, xavier_uniform_
from tinytorch.nn.inputs import check_sizes, input_like, tensor, values
from tinytorch.nn.linear import Linear, linear
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.activations import _is_moderate, _softmax_rule
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.operations.reductions import largest
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor

# --- weights --------------------------------------------------------------------------------------

_MASKED_SOFTMAX = Operation("masked_softmax")


@defines(_MASKED_SOFTMAX)
def _masked_softmax(x: Tensor, keep: Any) -> Tensor:
    """Give exp(x) / sum(exp(x)) of the entries to keep, in the last axis, and 0 for the others.

    Where there is nothing to keep, all are 0.
    """
    kept = np.asarray(keep, x.dtype, like=x._value if isinstance(x, Node) else x)

    def function(x: Any) -> Any:
        if not _is_moderate(x):
            x = np.minimum(x - largest(choose(keep, x, -np.inf), -1), 0)
        powers = np.exp(x)
        powers *= kept
        powers /= np.maximum(sum_along(powers, -1), np.finfo(x.dtype).tiny)
        return powers

    return apply(_MASKED_SOFTMAX, half_as_single(function), (half_as_single(_softmax_rule),), x)


def _mask(name: str, mask: Any, x: Tensor, true_is_kept: bool) -> tuple[Any, Any]:
    """Give what a mask keeps, and what it adds to the scores; either may be None.

    Raises TypeError for a mask that is neither of truth values nor floating.
    """
    array = own(values(mask), x)
    if array.dtype.kind == "b":
        return array if true_is_kept else ~array, None
    if array.dtype.kind != "f":
        raise TypeError(
            f"{name}: a mask has truth values, or floating ones that are added to the scores, got "
            f"{describe(mask)}"
        )
    keep = array > -np.inf
    # In a product, or a sum, infinity would make nan of what is not kept.
    added = np.where(keep, own(input_like(x, mask), x), 0)
    if type(added) is np.ndarray and not added.any():
        return keep, None
    return keep, added


def _attend(
    q: Any, k: Any, v: Any, keep: Any, added: Any, dropout_p: float, scale: float | None, rng: RNG
) -> tuple[Tensor, Tensor]:
    """Give averages (..., L, dv) of (..., L, d), (..., S, d) and (..., S, dv), and the weights."""
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = (q * scale) @ k.swapaxes(-1, -2)
    if added is not None:
        scores = scores + added
    weights = scores.softmax(-1) if keep is None else _masked_softmax(scores, keep)
    if dropout_p:
        weights = dropout(weights, dropout_p, rng=rng)
    return weights @ v, weights


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: RNG = None,
) -> Tensor:
    """softmax(scale * query @ key.T + mask) @ value, with the scale 1 / sqrt(d) if none is given.

    Of queries (..., L, d), keys (..., S, d) and values (..., S, dv), (..., L, dv). `attn_mask`
    broadcasts to (..., L, S), and says what counts, or is floating and added. With `is_causal` the
    query i sees the keys up to i. A query that sees none gets zeros. With `enable_gqa`, queries
    have a multiple of the heads, in the third last axis, that keys and values have (J. Ainslie et
    al., "GQA", 2023). Of the weights `dropout` leaves out some with probability `dropout_p`.

    Raises ValueError for a mask beside `is_causal`, and for shapes that don't fit.
    """
    name = "scaled_dot_product_attention"
    q = tensor(query)
    k, v = tensor(input_like(q, key)), tensor(input_like(q, value))
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ValueError(
            f"{name}: expected (..., L, d), (..., S, d) and (..., S, dv), got shapes {q.shape}, "
            f"{k.shape} and {v.shape}"
        )
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))  # type: ignore[assignment]
    keep = added = None
    if is_causal:
        if attn_mask is not None:
            raise ValueError(f"{name}: give attn_mask or is_causal, not both")
        keep = own(np.tri(q.shape[-2], k.shape[-2], dtype=bool), q)
    elif attn_mask is not None:
        keep, added = _mask(name, attn_mask, q, true_is_kept=True)
    return _attend(q, k, v, keep, added, dropout_p, scale, rng)[0]


# --- several heads --------------------------------------------------------------------------------


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    rng: RNG = None,
) -> tuple[Tensor, Tensor | None]:
    """Do what `MultiheadAttention` does, with the weights given, of inputs (L, N, E) or (L, E).

    `static_k` and `static_v`, (N * heads, S, E / heads), stand for projected keys and values.
    """
    name = "multi_head_attention_forward"
    inputs = _batch_first(name, query, key, value)
    (n, _, size), n_keys = inputs[0].shape, inputs[1].shape[1]
    if size != embed_dim_to_check or size % num_heads:
        raise ValueError(
            f"{name}: queries have the size {embed_dim_to_check}, a multiple of the number of "
            f"heads, {num_heads}, got {size}"
        )
    if is_causal and attn_mask is None:
        raise ValueError(f"{name}: is_causal says of attn_mask what it is, and there is none")
    weights = [in_proj_weight]
    if use_separate_proj_weight:
        weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    q, k, v = _projected(inputs, weights, in_proj_bias)
    if bias_k is not None:
        k, v = (
            np.concatenate([x, np.broadcast_to(bias, (n, 1, size))], axis=1)
            for x, bias in ((k, bias_k), (v, bias_v))
        )
    q, k, v = (x.reshape(n, x.shape[1], num_heads, -1).swapaxes(1, 2) for x in (q, k, v))
    k, v = (
        x if static is None else tensor(static).reshape(n, num_heads, *static.shape[1:])
        for x, static in ((k, static_k), (v, static_v))
    )
    if add_zero_attn:
        k, v = (np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0))) for x in (k, v))
    if key_padding_mask is not None and np.ndim(query) == 2:
        key_padding_mask = key_padding_mask[None]
    keep, added = _masks(name, q, k, attn_mask, key_padding_mask, n_keys)
    dropout_p = dropout_p if training else 0
    out, attention = _attend(q, k, v, keep, added, dropout_p, None, rng)
    out = linear(out.swapaxes(1, 2).reshape(inputs[0].shape), out_proj_weight, out_proj_bias)
    if average_attn_weights and need_weights:
        attention = attention.mean(1)
    if np.ndim(query) == 2:
        return out[0], attention[0] if need_weights else None
    return out.swapaxes(0, 1), attention if need_weights else None


def _batch_first(name: str, query: Any, key: Any, value: Any) -> list[Any]:
    """Give queries, keys and values as (N, L, E); what is the same stays the same.

    Raises ValueError for shapes that don't fit.
    """
    shapes = [np.shape(x) for x in (query, key, value)]
    kinds, fits = {len(shape) for shape in shapes}, shapes[1][:-1] == shapes[2][:-1]
    if kinds == {3}:
        fits = fits and shapes[0][1] == shapes[1][1]
    if kinds not in ({2}, {3}) or not fits:
        raise ValueError(
            f"{name}: expected queries (L, N, E), keys (S, N, K) and values (S, N, V), or all "
            "without N, got {}, {} and {}".format(*shapes)
        )
    changed = {
        id(x): tensor(x).swapaxes(0, 1) if kinds == {3} else tensor(x)[None]
        for x in (query, key, value)
    }
    return [changed[id(x)] for x in (query, key, value)]


def _projected(inputs: list[Any], weights: list[Any], bias: Any) -> list[Any]:
    """Multiply the inputs by their weights; what is one input in one product."""
    size = inputs[0].shape[-1]
    parts = [slice(i * size, (i + 1) * size) for i in range(3)]
    if len(weights) == 1:
        if inputs[0] is inputs[1] is inputs[2]:
            together = linear(inputs[0], weights[0], bias)
            return [together[..., part] for part in parts]
        weights = [weights[0][part] for part in parts]
    biases = [None if bias is None else bias[part] for part in parts]
    return [linear(*given) for given in zip(inputs, weights, biases, strict=True)]


def _masks(
    name: str, q: Any, k: Any, attn_mask: Any, key_padding_mask: Any, n_keys: int
) -> tuple[Any, Any]:
    """Make one mask of both, for scores (N, heads, L, S): what it keeps, and what it adds.

    The masks know of `n_keys`; what was added to all sequences, behind them, is kept.
    """
    n, heads, length = q.shape[:3]
    keep = added = None
    for title, mask, shapes in (
        ("attn_mask", attn_mask, [(length, n_keys), (n * heads, length, n_keys)]),
        ("key_padding_mask", key_padding_mask, [(n, n_keys)]),
    ):
        if mask is None:
            continue
        if np.shape(mask) not in shapes:
            known = " or ".join(map(str, shapes))
            raise ValueError(f"{name}: {title} has shape {known}, got {describe(mask)}")
        whole = np.pad(mask, [*[(0, 0)] * (mask.ndim - 1), (0, k.shape[2] - n_keys)])
        if mask is key_padding_mask:
            whole = whole[:, None, None]
        elif mask.ndim == 3:
            whole = whole.reshape(n, heads, length, -1)
        kept, more = _mask(name, whole, q, true_is_kept=False)
        keep = kept if keep is None else keep & kept
        if more is not None:
            added = more if added is None else added + more
    return keep, added


class MultiheadAttention(Module):
    """Attention by several heads, each with its own projections of queries, keys and values.

    Each head is `scaled_dot_product_attention` of a part of query @ Wq.T + bq, key @ Wk.T + bk and
    value @ Wv.T + bv, and `out_proj` mixes what they give. `in_proj_weight` is Wq, Wk and Wv above
    each other, (3 * embed_dim, embed_dim), or they are `q_proj_weight`, `k_proj_weight` and
    `v_proj_weight`, where keys or values have a size of their own, `kdim` or `vdim`. With
    `add_bias_kv` there are one more key and value to learn, with `add_zero_attn` one of zeros.
    Matrices start by `xavier_uniform_`, biases at 0.

    >>> out, weights = MultiheadAttention(4, 2, rng=0)(*[np.ones((5, 3, 4))] * 3)
    >>> out.shape, weights.shape
    ((5, 3, 4), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, 1, embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim is a multiple of num_heads, got {embed_dim} and "
                f"{num_heads}"
            )
        self.rng = rng = None if rng is None else generator(rng)
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = (
            embed_dim if kdim is None else kdim,
            embed_dim if vdim is None else vdim,
        )
        check_sizes(self, kdim=self.kdim, vdim=self.vdim)
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn

        def drawn(draw: Any, label: str, *shape: int) -> Parameter:
            parameter = Parameter(np.zeros(shape), label=label, dtype=dtype)
            draw(parameter, rng=rng)
            return parameter

        self.in_proj_weight = self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = drawn(xavier_uniform_, "in_proj_weight", 3 * embed_dim, embed_dim)
        else:
            for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
                label = f"{name}_proj_weight"
                setattr(self, label, drawn(xavier_uniform_, label, embed_dim, size))
        zeros = np.zeros(3 * embed_dim)
        self.in_proj_bias = Parameter(zeros, label="in_proj_bias", dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.data[...] = 0
        self.bias_k = drawn(xavier_normal_, "bias_k", 1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = drawn(xavier_normal_, "bias_v", 1, 1, embed_dim) if add_bias_kv else None

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Give the output, like the queries, and weights (N, L, S), of each head if not averaged.

        Queries are (L, N, embed_dim), keys (S, N, kdim), values (S, N, vdim); with `batch_first` N
        is the first; or all without it. `key_padding_mask`, (N, S), is true for keys that nobody
        sees, `attn_mask`, (L, S) or (N * num_heads, L, S), where a query doesn't see a key; or they
        are floating, and added to the scores. `is_causal` says of `attn_mask` that it lets a query
        see no later keys. Raises ValueError for shapes that don't fit.
        """
        inputs = {id(x): tensor(input_like(self.out_proj.weight, x)) for x in (query, key, value)}
        swapped = self.batch_first and all(x.ndim == 3 for x in inputs.values())
        if swapped:
            inputs = {place: x.swapaxes(0, 1) for place, x in inputs.items()}
        query, key, value = (inputs[id(x)] for x in (query, key, value))
        out, attention = multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads,
            self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn,
            self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, self.in_proj_weight is None,
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight, None, None,
            average_attn_weights, is_causal, rng=self.rng,
        )  # fmt: skip
        return out.swapaxes(0, 1) if swapped else out, attention
