"""Losses of classifiers: how unlikely an input makes the classes that are right.

Class labels are plain arrays of whole numbers. `reduction` is "mean", "sum" or "none".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.checks import check, surely
from tinytorch.arrays.kind import kind_of, own
from tinytorch.arrays.warned import warn
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import input_like, tensor, values
from tinytorch.nn.linear import linear
from tinytorch.nn.losses import loss, paired, reduced
from tinytorch.operations.indexing import pick, take_along_axis
from tinytorch.operations.operands import describe
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.tensor import Tensor

# --- one of several classes -----------------------------------------------------------------------


@loss
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log(softmax(x)[y]), for scores x of the classes: log_softmax and nll_loss in one.

    The scores are (N, C), (N, C, d1, ...) or (C,), and the target holds a label for each, in an
    array without that axis, or the probabilities of all classes, floating and of the scores' shape.
    `label_smoothing` mixes that much of the uniform distribution into the target (C. Szegedy et
    al., "Rethinking the inception architecture", 2016). `weight` and `ignore_index` as `nll_loss`.

    Raises ValueError for shapes that don't fit, IndexError for a label that is none.
    """
    x = tensor(input)
    axis = _class_axis("cross_entropy", x)
    _warn_of_probabilities("cross_entropy", x, Operation.SOFTMAX)
    if x.shape[axis] == 1:
        warn(
            "cross_entropy: of one class the loss is always 0, and the scores have shape "
            f"{x.shape}: a score for yes or no goes into binary_cross_entropy_with_logits"
        )
    log_p = x.log_softmax(axis)
    if np.shape(target) != x.shape or values(target).dtype.kind != "f":
        return _nll(
            "cross_entropy", log_p, target, weight, ignore_index, reduction, label_smoothing
        )
    p = input_like(x, target)
    if label_smoothing:
        p = p * (1 - label_smoothing) + label_smoothing / x.shape[axis]
    if weight is not None:
        p = p * _for_classes(weight, x, axis)
    losses = -(log_p * p).sum(axis)
    return losses.sum() / losses.size if reduction == "mean" else reduced(losses, reduction)


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,  # noqa: ARG001
) -> Tensor:
    """Give the `cross_entropy` of the scores input @ linear_weight.T + linear_bias.

    Of inputs (N, in) or (in,) and weights (C, in) or (C, d1, ..., in). `options`, by which PyTorch
    goes through the scores in pieces, change nothing.
    """
    *classes, size = linear_weight.shape
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    scores = linear(input, linear_weight.reshape(-1, size), bias)
    scores = scores.reshape(*scores.shape[:-1], *classes)
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(scores, target, weight, ignored, reduction, label_smoothing)


@loss
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x[y], for logarithms x of the classes' probabilities.

    They are (N, C), (N, C, d1, ...) or (C,), and the target holds a label for each, in an array
    without that axis. `weight` has a number for each class; the mean is the weighted one. What has
    the label `ignore_index` counts nothing.

    Raises ValueError for shapes that don't fit, IndexError for a label that is none.
    """
    return _nll("nll_loss", tensor(input), target, weight, ignore_index, reduction)


def _nll(
    name: str,
    log_p: Tensor,
    target: Any,
    weight: Any,
    ignore_index: int,
    reduction: str,
    label_smoothing: float = 0.0,
) -> Tensor:
    axis = _class_axis(name, log_p)
    labels, counted = _labels(name, log_p, target, axis, ignore_index)
    weights = counted.astype(log_p.dtype)
    if weight is not None:
        weights = weights * pick(values(weight), labels).astype(log_p.dtype)
    losses = _at(log_p, labels, axis) * -weights
    if label_smoothing:
        weighted = log_p if weight is None else log_p * _for_classes(weight, log_p, axis)
        smooth = weighted.mean(axis) * -counted.astype(log_p.dtype)
        losses = losses * (1 - label_smoothing) + smooth * label_smoothing
    if not surely(counted.all()):  # 0 times -inf would be nan
        losses = losses.masked_fill(~counted, 0)
    return losses.sum() / weights.sum() if reduction == "mean" else reduced(losses, reduction)


def _warn_of_probabilities(name: str, x: Tensor, made_by: Operation) -> None:
    if x._op is made_by:
        warn(
            f"{name} takes scores, which may be any numbers, and got what {made_by} makes of them: "
            f"leave {made_by} out, since the loss computes it itself"
        )


def _class_axis(name: str, x: Tensor) -> int:
    if not x.ndim:
        raise ValueError(
            f"{name}: expected scores of shape (N, C), (N, C, d1, ...) or (C,), got ()"
        )
    return min(x.ndim - 1, 1)


def _at(x: Tensor, labels: Any, axis: int) -> Tensor:
    """Give the entry of the class that is right."""
    return take_along_axis(x, np.expand_dims(labels, axis), axis).squeeze(axis)


def _for_classes(weight: Any, x: Tensor, axis: int) -> Any:
    """Give the weights of the classes, with axes behind them to broadcast against x."""
    return values(weight).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))


def _labels(
    name: str, x: Tensor, target: Any, axis: int, ignore_index: int | None = None
) -> tuple[Any, Any]:
    """Check class labels; give them, with 0 for the ignored ones, and which are not ignored."""
    if isinstance(target, Tensor) or values(target).dtype.kind not in "iu":
        raise TypeError(
            f"{name}: class labels are plain whole numbers, got {describe(target)}; "
            "y.data.astype(int) makes some of a tensor, y.astype(int) of an array, "
            "np.unique(y, return_inverse=True)[1] of words. "
            f"(Probabilities of the classes have the shape of the scores, {x.shape})"
        )
    labels = values(target)
    wanted = x.shape[:axis] + x.shape[axis + 1 :]
    if labels.shape != wanted:
        one_hot = f"; y.argmax({axis}) makes some of one-hot rows" * (labels.shape == x.shape)
        raise ValueError(
            f"{name}: scores of shape {x.shape} take labels of shape {wanted}, got "
            f"{labels.shape}{one_hot}"
        )
    every = np.ones_like(labels, dtype=bool)
    counted = every if ignore_index is None else labels != ignore_index
    labels = np.where(counted, labels, 0)
    n = x.shape[axis]
    message = f"{name}: of {n} classes the labels are 0 to {n - 1}"
    check((labels >= 0) & (labels < n), labels, IndexError, message)
    return own(labels, x), own(counted, x)


@loss
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Sum max(0, margin - x[y] + x[i])**p over all other classes i, divided by their number C.

    The scores are (N, C) or (C,), with a label for each row. `weight` has a factor for each class,
    as the right one. Raises ValueError for another p than 1 and 2.
    """
    x = tensor(input)
    if x.ndim < 2:
        x, target = x.reshape(-1), np.reshape(values(target), ())
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p is 1 or 2, got {p}")
    axis = _class_axis("multi_margin_loss", x)
    labels, _ = _labels("multi_margin_loss", x, target, axis)
    others = own(np.arange(x.shape[axis]), x) != labels[..., None]
    margins = (x - _at(x, labels, axis)[..., None] + margin).relu() * others
    losses = (margins.square() if p == 2 else margins).mean(-1)
    if weight is not None:
        losses = losses * pick(values(weight).astype(x.dtype), labels)
    return reduced(losses, reduction)


# --- several classes at once ----------------------------------------------------------------------


def _binary_cross_entropy(p: Any, y: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -(y * np.maximum(np.log(p), -100) + (1 - y) * np.maximum(np.log1p(-p), -100))


def _target_rule(grad: Any, out: Any, p: Any, y: Any) -> Any:  # noqa: ARG001
    with np.errstate(divide="ignore"):
        return grad * (np.maximum(np.log1p(-p), -100) - np.maximum(np.log(p), -100))


_BINARY_CROSS_ENTROPY = Operation(
    "binary_cross_entropy",
    rules=(
        lambda grad, out, p, y: grad * (p - y) / np.maximum((1 - p) * p, 1e-12),  # noqa: ARG005
        _target_rule,
    ),
)


@defines(_BINARY_CROSS_ENTROPY)
@loss
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """-(y * log(p) + (1 - y) * log(1 - p)), for probabilities p.

    No logarithm counts below -100, and no p * (1 - p), by which the gradient is divided, below
    1e-12. `weight` broadcasts. Raises ValueError for shapes that differ, and for p outside 0 to 1.
    """
    p, y = paired("binary_cross_entropy", input, target, strict=True)
    _warn_of_signs("binary_cross_entropy", y)
    check(
        (p.data >= 0) & (p.data <= 1), p.data, ValueError,
        "binary_cross_entropy: the input is a probability, between 0 and 1 "
        "(binary_cross_entropy_with_logits takes what comes before the sigmoid)",
    )  # fmt: skip
    op = _BINARY_CROSS_ENTROPY
    losses = apply(op, _binary_cross_entropy, op.rules, p, y)
    return reduced(losses if weight is None else losses * input_like(p, weight), reduction)


def _warn_of_signs(name: str, y: Any) -> None:
    if type(y) is np.ndarray and y.size and y.min() < 0:  # of other kinds it isn't quickly known
        warn(
            f"{name}: the target is 0 or 1, or a probability between them, got {y.min()}; "
            "(y + 1) / 2 makes some of -1 and 1"
        )


@loss
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """-(y * log(s) + (1 - y) * log(1 - s)) with s = sigmoid(x), exact for any x.

    `pos_weight`, one for each class, is a factor of the first part. Both weights broadcast. Raises
    ValueError for shapes that differ.
    """
    x, y = paired("binary_cross_entropy_with_logits", input, target, strict=True)
    _warn_of_signs("binary_cross_entropy_with_logits", y)
    _warn_of_probabilities("binary_cross_entropy_with_logits", x, Operation.SIGMOID)
    positive = y if pos_weight is None else y * input_like(x, pos_weight)
    losses = positive * (-x).softplus() + (1 - y) * x.softplus()
    return reduced(losses if weight is None else losses * input_like(x, weight), reduction)


@loss
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-y * x)), for targets of 1 and -1."""
    x, y = paired("soft_margin_loss", input, target)
    return reduced((-y * x).softplus(), reduction)


@loss
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Average binary_cross_entropy_with_logits over the classes, the last axis."""
    x, y = paired("multilabel_soft_margin_loss", input, target)
    losses = y * (-x).softplus() + (1 - y) * x.softplus()
    if weight is not None:
        losses = losses * input_like(x, weight)
    return reduced(losses.mean(-1), reduction)


@loss
def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Sum max(0, 1 - x[y] + x[i]) over right classes y and wrong ones i, divided by their number C.

    The scores are (N, C) or (C,), and the target has their shape: labels of the right classes, and
    -1 behind the last of them. Raises IndexError for a label that is none.
    """
    x, labels = tensor(input), values(target)
    if labels.shape != x.shape or labels.dtype.kind not in "iu":
        raise ValueError(
            f"multilabel_margin_loss: scores of shape {x.shape} take whole numbers of that shape, "
            f"got {describe(target)}"
        )
    if not x.ndim:
        x, labels = x.reshape(1), labels.reshape(1)
    labels = own(labels, x)
    given = kind_of(labels).accumulate(np.logical_and, labels >= 0, -1)
    labels = np.where(given, labels, 0)
    right = (given[..., None] & (labels[..., None] == own(np.arange(x.shape[-1]), x))).any(-2)
    pairs = given[..., None] & ~right[..., None, :]
    margins = 1 - take_along_axis(x, labels, -1)[..., None] + x[..., None, :]
    return reduced((margins.relu() * pairs).sum((-2, -1)) / x.shape[-1], reduction)


class CrossEntropyLoss(FunctionModule, function=cross_entropy, inputs=2):
    """-log(softmax(x)[y]), for scores x of the classes: see `cross_entropy`.

    >>> scores = np.array([[0.0, 3.0], [0.0, 3.0]])
    >>> CrossEntropyLoss(reduction="none")(scores, np.array([1, 0])).data.round(3)
    array([0.049, 3.049])
    """


class NLLLoss(FunctionModule, function=nll_loss, inputs=2):
    """-x[y], for logarithms x of the classes' probabilities: see `nll_loss`.

    >>> round(NLLLoss()(np.log([[0.25, 0.75]]), np.array([1])).item(), 3)
    0.288
    """


class MultiMarginLoss(FunctionModule, function=multi_margin_loss, inputs=2):
    """The sum of max(0, margin - x[y] + x[i])**p over all other classes i, divided by C."""


class BCELoss(FunctionModule, function=binary_cross_entropy, inputs=2):
    """-(y * log(p) + (1 - y) * log(1 - p)), for probabilities p.

    >>> round(BCELoss()([0.9], [1.0]).item(), 3)
    0.105
    """


class BCEWithLogitsLoss(FunctionModule, function=binary_cross_entropy_with_logits, inputs=2):
    """-(y * log(s) + (1 - y) * log(1 - s)) with s = sigmoid(x), exact for any x.

    >>> round(BCEWithLogitsLoss()([0.0, 100.0], [1.0, 1.0]).item(), 3)
    0.347
    """


class SoftMarginLoss(FunctionModule, function=soft_margin_loss, inputs=2):
    """log(1 + exp(-y * x)), for targets of 1 and -1."""


class MultiLabelSoftMarginLoss(FunctionModule, function=multilabel_soft_margin_loss, inputs=2):
    """The average of binary_cross_entropy_with_logits over the classes, the last axis."""


class MultiLabelMarginLoss(FunctionModule, function=multilabel_margin_loss, inputs=2):
    """The sum of max(0, 1 - x[y] + x[i]) over right classes y and wrong ones i, divided by C."""
