"""Transformers: layers of attention and of networks that see one step of a sequence each.

A. Vaswani et al., "Attention is all you need", 2017; with `norm_first`, in the order of R. Xiong et
al., "On layer normalization in the transformer architecture", 2020.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tinytorch.nn.activations import gelu, relu
from tinytorch.nn.attention import MultiheadAttention
from tinytorch.nn.containers import ModuleList
from tinytorch.nn.dropout import Dropout
from tinytorch.nn.init import xavier_uniform_
from tinytorch.nn.inputs import check_sizes
from tinytorch.nn.linear import Linear
from tinytorch.nn.module import Module
from tinytorch.nn.normalization import LayerNorm
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor

Activation: TypeAlias = str | Callable[[Any], Any]


class _Layer(Module):
    """What the layers of encoders and of decoders have in common: all but the order of attentions.

    Each attention, and the network of two linear maps behind them, has a norm and a dropout.
    """

    attentions: ClassVar[Sequence[str]]
    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        rng = None if rng is None else generator(rng)
        options: dict[str, Any] = {"bias": bias, "rng": rng, "dtype": dtype}
        for name in self.attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, batch_first=batch_first, **options
            )
            setattr(self, name, attention)
        self.activation = self._chosen(activation)
        self.linear1 = Linear(d_model, dim_feedforward, **options)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, **options)
        self.norm_first = norm_first
        for i in range(1, len(self.attentions) + 2):
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))

    def _chosen(self, activation: Activation) -> Callable[[Any], Any]:
        known = {"relu": relu, "gelu": gelu}
        chosen: Any = known.get(activation) if isinstance(activation, str) else activation
        if chosen is None:
            raise ValueError(
                f'{type(self).__name__}: the activation is "relu", "gelu" or a function, got '
                f"{activation!r}"
            )
        return cast("Callable[[Any], Any]", chosen)

    def _network(self, x: Any) -> Tensor:
        out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return out

    def _added(self, x: Any, norm: Module, dropout: Module, block: Callable[[Any], Any]) -> Any:
        """Add what a block gives, normalised before it or after it."""
        if self.norm_first:
            return x + dropout(block(norm(x)))
        return norm(x + dropout(block(x)))


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, and a network; each is added to its input, and normalised.

    The network is linear2(activation(linear1(x))), from `d_model` to `dim_feedforward` and back.
    Inputs and outputs are (L, N, d_model), with `batch_first` (N, L, d_model), or (L, d_model).

    >>> layer = TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, rng=0)
    >>> layer(np.ones((5, 3, 8))).shape
    (5, 3, 8)
    """

    attentions = ("self_attn",)

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Compute the layer; the masks are those of `MultiheadAttention`."""

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, src_key_padding_mask, need_weights=False, attn_mask=src_mask,
                is_causal=is_causal,
            )[0]  # fmt: skip

        x = self._added(src, self.norm1, self.dropout1, attend)
        out: Tensor = self._added(x, self.norm2, self.dropout2, self._network)
        return out


class TransformerDecoderLayer(_Layer):
    """Attention to itself, to an encoder's output, and a network; each added and normalised.

    Inputs and outputs are (L, N, d_model), with `batch_first` (N, L, d_model), or (L, d_model).

    >>> layer = TransformerDecoderLayer(8, nhead=2, batch_first=True, rng=0)
    >>> layer(np.ones((5, 4, 8)), np.ones((5, 6, 8))).shape
    (5, 4, 8)
    """

    attentions = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Compute the layer, of its input and an encoder's output `memory`, each with its masks."""

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, tgt_key_padding_mask, need_weights=False, attn_mask=tgt_mask,
                is_causal=tgt_is_causal,
            )[0]  # fmt: skip

        def attend_to_memory(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, need_weights=False,
                attn_mask=memory_mask, is_causal=memory_is_causal,
            )[0]  # fmt: skip

        x = self._added(tgt, self.norm1, self.dropout1, attend)
        x = self._added(x, self.norm2, self.dropout2, attend_to_memory)
        out: Tensor = self._added(x, self.norm3, self.dropout3, self._network)
        return out


def _copies(layer: Module, n: int) -> ModuleList:
    """Copy a layer, so that all begin with the same weights and draw from the same generator."""
    generators = [rng for m in layer.modules() if (rng := getattr(m, "rng", None)) is not None]
    return ModuleList(
        [copy.deepcopy(layer, {id(shared): shared for shared in generators}) for _ in range(n)]
    )


class TransformerEncoder(Module):
    """Copies of a layer, one after the other, and `norm` behind the last, if there is one.

    `enable_nested_tensor` and `mask_check` are taken as in PyTorch, and change nothing.

    >>> layer = TransformerEncoderLayer(8, nhead=2, batch_first=True, rng=0)
    >>> TransformerEncoder(layer, 2)(np.ones((5, 6, 8))).shape
    (5, 6, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        check_sizes(self, num_layers=num_layers)
        self.layers, self.num_layers = _copies(encoder_layer, num_layers), num_layers
        self.norm = norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Compute all layers; the masks are those of `MultiheadAttention`."""
        x = src
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, bool(is_causal))
        out: Tensor = x if self.norm is None else self.norm(x)
        return out


class TransformerDecoder(Module):
    """Copies of a layer, one after the other, and `norm` behind the last, if there is one."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        check_sizes(self, num_layers=num_layers)
        self.layers, self.num_layers = _copies(decoder_layer, num_layers), num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Compute all layers, of an input and an encoder's output `memory`, each with its masks."""
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                bool(tgt_is_causal), memory_is_causal,
            )  # fmt: skip
        out: Tensor = x if self.norm is None else self.norm(x)
        return out


class Transformer(Module):
    """An encoder of one sequence, and a decoder that makes another of what the encoder gives.

    `custom_encoder` and `custom_decoder` take the places of both. All matrices start by
    `xavier_uniform_`.

    >>> model = Transformer(8, 2, 1, 1, dim_feedforward=16, rng=0)
    >>> model(np.ones((5, 3, 8)), np.ones((4, 3, 8))).shape
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        rng = None if rng is None else generator(rng)
        of_layers: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*of_layers, rng=rng, dtype=dtype)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm())
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*of_layers, rng=rng, dtype=dtype)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for parameter in self.parameters:
            if parameter.ndim > 1:
                xavier_uniform_(parameter, rng=rng)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode `src`, and decode `tgt` with what came of it.

        The masks are those of `MultiheadAttention`. Raises ValueError for shapes that don't fit.
        """
        shapes = np.shape(src), np.shape(tgt)
        batch = 0 if self.batch_first else 1
        if any(shape[-1:] != (self.d_model,) for shape in shapes) or (
            len(shapes[0]) == 3 and shapes[0][batch] != shapes[1][batch]
        ):
            raise ValueError(
                f"Transformer: src and tgt have the size {self.d_model} and one batch, got shapes "
                f"{shapes[0]} and {shapes[1]}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, is_causal=src_is_causal)
        out: Tensor = self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: npt.DTypeLike = np.float64) -> Any:
        """Give the mask of what is causal: 0 up to the diagonal, and -inf above it."""
        return np.where(np.tri(sz, dtype=bool), 0, -np.inf).astype(dtype)
