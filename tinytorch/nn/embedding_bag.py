"""Bags of embeddings: the sum, mean or largest entries of the vectors of several things."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import kind_of, own
from tinytorch.nn.embedding import embedding
from tinytorch.nn.inputs import check_sizes, values
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.indexing import scatter
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Give the "sum", "mean" or "max" of the rows weight[input] of each bag; of an empty one, 0.

    The input is (B, n), a bag in each row, or (n,), where `offsets` says at which entry each bag
    begins, and with `include_last_offset` also where the last one ends. `per_sample_weights`, of
    the shape of the input, are factors in a sum. What is `padding_idx` is in no bag. The other
    options are those of `embedding`. Raises ValueError for what doesn't fit together.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f'embedding_bag: mode is "sum", "mean" or "max", got {mode!r}')
    if per_sample_weights is not None and mode != "sum":
        raise ValueError(f'embedding_bag: per_sample_weights are for mode "sum", not {mode!r}')
    numbers, bags, n_bags = _bags(input, offsets, include_last_offset)
    rows = embedding(numbers, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if per_sample_weights is not None:
        if np.shape(per_sample_weights) != np.shape(input):
            raise ValueError(
                "embedding_bag: per_sample_weights have the shape of the input, got "
                f"{describe(per_sample_weights)}"
            )
        rows = rows * per_sample_weights.reshape(-1, 1)
    if padding_idx is not None:
        inside = _at_hand(np.flatnonzero(numbers != padding_idx % len(weight)))
        rows, bags = rows[inside], bags[inside]
    shape = (n_bags, rows.shape[1])
    if mode == "max":
        return _largest(rows, bags, shape)
    sums = scatter(rows, bags, shape)
    if mode == "sum":
        return sums
    counts = np.maximum(np.bincount(bags, minlength=n_bags), 1)[:, None]
    mean: Tensor = sums / own(counts.astype(sums.dtype), sums)
    return mean


def _bags(input: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any, int]:
    """Give all numbers in a row, the bag of each, and how many bags there are."""
    numbers = values(input)
    if numbers.ndim == 2 and offsets is None:
        n_bags, size = numbers.shape
        return numbers.reshape(-1), np.repeat(np.arange(n_bags), size), n_bags
    if numbers.ndim != 1 or offsets is None:
        raise ValueError(
            "embedding_bag: expected numbers (B, n), or (n,) and offsets, got shape "
            f"{numbers.shape}" + ("" if offsets is None else f" and {describe(offsets)}")
        )
    starts = _at_hand(values(offsets))
    ends = starts[1:] if include_last_offset else np.append(starts[1:], len(numbers))
    starts = starts[: len(ends)]
    if (len(starts) and starts[0]) or (ends < starts).any() or ends.max(initial=0) > len(numbers):
        raise ValueError(
            f"embedding_bag: offsets begin at 0 and rise to at most {len(numbers)}, got {offsets}"
        )
    used = numbers[: ends[-1]] if len(ends) else numbers[:0]
    return used, np.repeat(np.arange(len(starts)), ends - starts), len(starts)


def _at_hand(numbers: Any) -> Any:
    """Give whole numbers that decide shapes, wherever they are."""
    return kind_of(numbers).numpy(numbers)


def _largest(rows: Tensor, bags: Any, shape: tuple[int, int]) -> Tensor:
    """Take from each bag the largest entry of each column, the first of several."""
    filled, firsts = np.unique(bags, return_index=True)
    ends = [*firsts[1:].tolist(), len(bags)]
    bounds = zip(firsts.tolist(), ends, strict=True)
    places = [rows.data[first:end].argmax(axis=0) + first for first, end in bounds]
    chosen = np.stack(places) if places else np.zeros((0, shape[1]), int)
    return scatter(rows[chosen, np.arange(shape[1])], filled, shape)


class EmbeddingBag(Module):
    """The "sum", "mean" or "max" of vectors: see `embedding_bag`.

    `weight` is (num_embeddings, embedding_dim), and starts normal with mean 0 and variance 1, the
    row `padding_idx` at 0.

    >>> EmbeddingBag(10, 3, rng=0)(np.array([1, 2, 4, 5]), np.array([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"EmbeddingBag: padding_idx is one of {num_embeddings} rows, got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim, self.mode = num_embeddings, embedding_dim, mode
        self.max_norm, self.norm_type, self.padding_idx = max_norm, norm_type, padding_idx
        self.scale_grad_by_freq = scale_grad_by_freq
        self.include_last_offset = include_last_offset
        rows = generator(rng).normal(size=(num_embeddings, embedding_dim))
        if padding_idx is not None:
            rows[padding_idx] = 0
        self.weight = Parameter(rows, label="weight", dtype=dtype)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        """Combine the rows of each bag."""
        return embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Show the sizes and what is not by default."""
        shown = [f"{self.num_embeddings}, {self.embedding_dim}"]
        for name, default in {
            "max_norm": None,
            "norm_type": 2.0,
            "scale_grad_by_freq": False,
        }.items():
            if getattr(self, name) != default:
                shown.append(f"{name}={getattr(self, name)}")
        shown.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            shown.append(f"padding_idx={self.padding_idx}")
        return ", ".join(shown)
