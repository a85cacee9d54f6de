"""Distances between vectors, and the losses that draw alike ones together and push others apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import tensor, values
from tinytorch.nn.losses import loss, paired, reduced
from tinytorch.operations.norms import vector_norm
from tinytorch.operations.repeating import broadcast_arrays
from tinytorch.tensor import Tensor


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle: (x1 / |x1|) . (x2 / |x2|) along `dim`; no norm below `eps`."""
    x, y = tensor(x1), tensor(x2)
    if x.shape != y.shape:
        x, y = broadcast_arrays(x, y)
    similarity: Tensor = (_unit(x, dim, eps) * _unit(y, dim, eps)).sum(dim)
    return similarity


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    norm = vector_norm(x, axis=dim, keepdims=True)
    return x / (norm + (np.maximum(norm.data, eps) - norm.data))


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """x / |x| along `dim`, by the norm of order p; no norm below `eps`."""
    x = tensor(input)
    return x / vector_norm(x, ord=p, axis=dim, keepdims=True).clip(eps)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """|x1 - x2 + eps| along the last axis, by the norm of order p."""
    return vector_norm(tensor(x1) - x2 + eps, ord=p, axis=-1, keepdims=keepdim)


def pdist(input: Any, p: float = 2) -> Tensor:
    """The distances between all rows of (n, m), each pair once: (n * (n - 1) / 2,)."""
    x = tensor(input)
    if x.ndim != 2:
        raise ValueError(f"pdist: expected shape (n, m), got {x.shape}")
    first, second = np.triu_indices(x.shape[0], 1)
    return vector_norm(x[first] - x[second], ord=p, axis=-1)


@loss
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - y * (x1 - x2)): with y = 1, x1 should be larger by `margin`; with -1, x2."""
    x1, x2 = paired("margin_ranking_loss", input1, input2)
    difference, y = paired("margin_ranking_loss", x1 - x2, target)
    return reduced((-y * difference + margin).clip(0), reduction)


@loss
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """The distance x where the target is 1, max(0, margin - x) where it is -1."""
    x, y = paired("hinge_embedding_loss", input, target)
    return reduced(_by_sign(values(y), x, margin - x), reduction)


@loss
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, reduction: str = "mean"
) -> Tensor:
    """1 - cosine where the target is 1, max(0, cosine - margin) where it is -1.

    The vectors are (n, m) or (m,), and the target is (n,) or one number.
    """
    x1, x2 = tensor(input1), tensor(input2)
    y = values(target)
    if x1.shape != x2.shape or y.shape != x1.shape[:-1]:
        raise ValueError(
            "cosine_embedding_loss: vectors of one shape, (n, m) or (m,), have a target of shape "
            f"(n,) or (); got {x1.shape}, {x2.shape} and {y.shape}"
        )
    squares = (x1.square().sum(-1) + 1e-12) * (x2.square().sum(-1) + 1e-12)
    cosine = (x1 * x2).sum(-1) / squares.sqrt()
    return reduced(_by_sign(y, 1 - cosine, cosine - margin), reduction)


def _by_sign(y: Any, positive: Tensor, negative: Tensor) -> Tensor:
    """Take `positive` where y is 1, `negative` where it is -1 and where it is above 0."""
    losses: Tensor = positive * (y != -1) + negative.clip(0) * (y != 1)
    return losses


@loss
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, |a - p| - |a - n| + margin), distances along the last axis by the norm of order p.

    With `swap` the smaller of |a - n| and |p - n| counts (V. Balntas et al., "Learning shallow
    convolutional feature descriptors with triplet losses", 2016).
    """

    def distance(x1: Any, x2: Any) -> Tensor:
        return pairwise_distance(x1, x2, p, eps)

    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=distance,
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin), with any distance; else as `triplet_margin_loss`."""
    shapes = [np.shape(x) for x in (anchor, positive, negative)]
    if len(set(map(len, shapes))) > 1:
        raise ValueError(
            f"triplet_margin_loss: the three have as many axes, got shapes {shapes[0]}, "
            f"{shapes[1]} and {shapes[2]}"
        )
    distance = distance_function or pairwise_distance
    near, far = tensor(distance(anchor, positive)), tensor(distance(anchor, negative))
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((near - far + margin).clip(0), reduction)


class CosineSimilarity(FunctionModule, function=cosine_similarity, inputs=2):
    """The cosine of the angle: (x1 / |x1|) . (x2 / |x2|) along `dim`.

    >>> CosineSimilarity()([[1.0, 0.0]], [[1.0, 1.0]]).data.round(3)
    array([0.707])
    """


class PairwiseDistance(FunctionModule, function=pairwise_distance, inputs=2):
    """|x1 - x2 + eps| along the last axis, by the norm of order p.

    >>> PairwiseDistance()([[0.0, 0.0]], [[3.0, 4.0]]).data.round(3)
    array([5.])
    """


class MarginRankingLoss(FunctionModule, function=margin_ranking_loss, inputs=3):
    """max(0, margin - y * (x1 - x2)): with y = 1, x1 should be larger by `margin`; with -1, x2."""


class HingeEmbeddingLoss(FunctionModule, function=hinge_embedding_loss, inputs=2):
    """The distance x where the target is 1, max(0, margin - x) where it is -1."""


class CosineEmbeddingLoss(FunctionModule, function=cosine_embedding_loss, inputs=3):
    """1 - cosine where the target is 1, max(0, cosine - margin) where it is -1."""


class TripletMarginLoss(FunctionModule, function=triplet_margin_loss, inputs=3):
    """max(0, |a - p| - |a - n| + margin), distances by the norm of order p.

    >>> round(TripletMarginLoss()([[0.0]], [[1.0]], [[1.5]]).item(), 3)
    0.5
    """


class TripletMarginWithDistanceLoss(
    FunctionModule, function=triplet_margin_with_distance_loss, inputs=3
):
    """max(0, d(a, p) - d(a, n) + margin), with any distance."""

    distance_function: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.distance_function = self.distance_function or PairwiseDistance()
