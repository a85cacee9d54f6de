"""Connectionist temporal classification: labels for a sequence that nobody has aligned with it.

A. Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with
recurrent neural networks", 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of, own
from tinytorch.nn.function_module import FunctionModule
from tinytorch.nn.inputs import tensor, values
from tinytorch.nn.losses import reduced
from tinytorch.operations.indexing import take_along_axis
from tinytorch.operations.joining import concatenate
from tinytorch.tensor import Tensor


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of all paths that read as the target.

    A path has one of C classes at each of T times; it is read by leaving out repetitions, and then
    the `blank` ones. `log_probs` are (T, N, C) or (T, C), the targets (N, S), or one behind the
    other in one axis; both have their lengths. The "mean" is that of losses divided by the targets'
    lengths. A target for which there are too few times has an infinite loss, which
    `zero_infinity` sets to 0. Raises ValueError for lengths and labels that don't fit.
    """
    log_p = tensor(log_probs)
    batched = log_p.ndim == 3
    if not batched:
        log_p = log_p[:, None]
    n_times, n, n_classes = log_p.shape
    times, lengths = (
        np.broadcast_to(_at_hand(x).reshape(-1), n) for x in (input_lengths, target_lengths)
    )
    labels = _rows(_at_hand(targets), lengths, n)
    if times.max() > n_times or labels.min(initial=0) < 0 or labels.max(initial=0) >= n_classes:
        raise ValueError(
            f"ctc_loss: of {n_times} times and {n_classes} classes, got lengths up to "
            f"{times.max()} and labels from {labels.min()} to {labels.max()}"
        )

    # A path may go through a blank before, between and behind the labels: (N, 2 S + 1) states.
    states = np.full((n, 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    # From one label to the next it may skip the blank, unless the two are the same.
    skips = np.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])

    # The logarithm of 0, but finite: differences of infinities would be nan.
    never = float(np.finfo(log_p.dtype).min) / 4
    emitted = take_along_axis(log_p, states[None], 2).clip(never)
    start = np.arange(states.shape[1]) < 2
    reached = emitted[0].masked_fill(~start, never)
    edge = own(np.full((n, 2), never, log_p.dtype), log_p)
    for t in range(1, n_times):
        before = concatenate([edge, reached], axis=1)
        skipped = before[:, :-2].masked_fill(~skips, never)
        arrived = reached.logaddexp(before[:, 1:-1]).logaddexp(skipped) + emitted[t]
        reached = arrived.where((t < times)[:, None], reached)

    # It ends in the last label, or in the blank behind it.
    rows = np.arange(n)
    last = reached[rows, np.maximum(2 * lengths - 1, 0)].masked_fill(lengths == 0, never)
    losses = -last.logaddexp(reached[rows, 2 * lengths])
    losses = losses.masked_fill(losses.data > -never / 2, 0 if zero_infinity else np.inf)
    if reduction == "mean":
        losses = losses / own(np.maximum(lengths, 1), log_p)
    return reduced(losses if batched else losses[0], reduction)


def _at_hand(x: Any) -> Any:
    """Give whole numbers that decide shapes, wherever they are."""
    array = values(x)
    return kind_of(array).numpy(array)


def _rows(targets: Any, lengths: Any, n: int) -> Any:
    """Put targets into rows, (N, S), with class 0 behind their ends."""
    longest = int(lengths.max(initial=0))
    places = np.arange(longest) < lengths[:, None]
    rows = np.zeros((n, longest), int)
    if targets.ndim == 2 and targets.shape[0] == n and targets.shape[1] >= longest:
        targets = targets[:, :longest][places]
    if targets.shape != (lengths.sum(),):
        raise ValueError(
            f"ctc_loss: targets of shape {targets.shape} for {n} of lengths {lengths.tolist()}"
        )
    rows[places] = targets
    return rows


class CTCLoss(FunctionModule, function=ctc_loss, inputs=4):
    """-log of the probability of all paths that read as the target: see `ctc_loss`.

    >>> log_probs = np.log(np.full((6, 1, 3), 1 / 3))  # steps, batch, classes
    >>> loss = CTCLoss()(log_probs, np.array([[1, 2]]), np.array([6]), np.array([2]))
    >>> round(loss.item(), 3)
    1.172
    """
