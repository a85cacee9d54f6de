"""Embeddings: a vector for each of many things, looked up by its number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.checks import check, surely
from tinytorch.arrays.kind import kind_of, own
from tinytorch.arrays.plain import plain
from tinytorch.nn.inputs import check_sizes, tensor, values
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Give plain whole numbers, 1 at the place of each label and else 0: of (...), (..., C).

    Without `num_classes` the largest label is the last class. Raises ValueError for a label that
    is none.
    """
    labels = _numbers("one_hot", tensor)
    n = num_classes
    if num_classes == -1:
        n = int(labels.max()) + 1 if labels.size else 0
    message = f"one_hot: of {n} classes the labels are 0 to {n - 1}"
    check((labels >= 0) & (labels < n), labels, ValueError, message)
    return plain((labels[..., None] == own(np.arange(n), labels)).astype(int))


def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """Give weight[input]: of numbers (...), rows (..., d).

    The row `padding_idx` gets no gradient. With `max_norm` the rows that are used are first, in
    place, made no longer than that by the norm of order `norm_type`. With `scale_grad_by_freq` the
    gradient of a row is divided by how often it is used. Raises IndexError for a number that is
    none, TypeError for what are no whole numbers.
    """
    numbers, n = _numbers("embedding", input), len(weight)
    message = f"embedding: of {n} rows the numbers are 0 to {n - 1}"
    check((numbers >= 0) & (numbers < n), numbers, IndexError, message)
    if max_norm is not None:
        table = values(weight)
        used = table[numbers]
        lengths = np.linalg.norm(used, norm_type, axis=-1, keepdims=True)
        scale = np.where(lengths > max_norm, max_norm / (lengths + 1e-7), 1)
        table[numbers] = used * scale  # the same, if one is used twice
    rows = tensor(weight[numbers])
    if padding_idx is not None:
        others = numbers != padding_idx % n
        if not surely(others.all()):
            rows = rows.masked_fill(~others[..., None], rows.data)
    if scale_grad_by_freq:
        ones = np.ones_like(numbers, dtype=rows.dtype)
        counts = kind_of(numbers).scatter(ones, numbers, (n,))
        share = own(1 / counts[numbers][..., None], rows)
        rows = rows * share + rows.data * (1 - share)
    return rows


def _numbers(name: str, x: Any) -> Any:
    numbers = values(x)
    if isinstance(x, Tensor) or (numbers.dtype.kind not in "iu" and numbers.size):
        raise TypeError(
            f"{name}: expected plain whole numbers, got {describe(x)}; x.data.astype(int) makes "
            "some of a tensor"
        )
    return numbers.astype(int, copy=False)


class Embedding(Module):
    """A vector for each of `num_embeddings` things: weight[input], of numbers (...), (..., d).

    `weight` is (num_embeddings, embedding_dim), and starts normal with mean 0 and variance 1, the
    row `padding_idx` at 0. The options are those of `embedding`.

    >>> Embedding(10, 3, rng=0)(np.array([[1, 2, 4, 5]])).shape
    (1, 4, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx is one of {num_embeddings} rows, got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        rows = generator(rng).normal(size=(num_embeddings, embedding_dim))
        if padding_idx is not None:
            rows[padding_idx] = 0
        self.weight = Parameter(rows, label="weight", dtype=dtype)

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> Self:
        """Make one with these rows, which training changes only if `freeze` is false."""
        rows = Parameter(embeddings, not freeze, label="weight")
        made = cls(rows.shape[0], rows.shape[1], **options, dtype=rows.dtype)
        made.weight = rows
        return made

    def forward(self, input: Any) -> Tensor:
        """Look up the rows."""
        return embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        """Show the sizes and what is not by default."""
        shown = [f"{self.num_embeddings}, {self.embedding_dim}"]
        defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2.0}
        for name, default in {**defaults, "scale_grad_by_freq": False}.items():
            if getattr(self, name) != default:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)
