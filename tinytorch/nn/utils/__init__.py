"""What is done to the parameters of a model together, and in `rnn` to sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinytorch.arrays.words import as_reals
from tinytorch.nn.module import Module
from tinytorch.nn.utils import rnn as rnn
from tinytorch.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor] | Callable[[], Iterable[Tensor]],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients, in place, so that their norm together is at most `max_norm`.

    (sum |g|**p)**(1/p), p = norm_type, over all entries of all gradients; of p = inf the largest
    |g|. Gives that norm as it was before. Raises RuntimeError for a norm that is nan or infinite,
    if `error_if_nonfinite`.
    """
    grads = _gradients(parameters)
    if not grads:
        return Tensor(0.0, requires_grad=False)
    norms = np.stack([np.linalg.norm(g.reshape(-1), norm_type) for g in grads])
    norm: Any = np.linalg.norm(norms, norm_type)
    if error_if_nonfinite and not np.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {norm}, by which nothing can be scaled"
        )
    scale = np.minimum(max_norm / (norm + 1e-6), 1)
    for g in grads:
        np.multiply(g, scale.astype(g.dtype), out=g)
    return Tensor(norm, requires_grad=False)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor] | Callable[[], Iterable[Tensor]], clip_value: float
) -> None:
    """Bring all entries of all gradients, in place, into -clip_value to clip_value."""
    for g in map(as_reals, _gradients(parameters)):
        np.clip(g, -clip_value, clip_value, out=g)


def _gradients(parameters: Any) -> list[Any]:
    """List the gradients that there are. Raises TypeError for what is no tensor."""
    if isinstance(parameters, Module):
        raise TypeError(
            f"expected parameters, got the {type(parameters).__name__} that has them: "
            "model.parameters() gives them"
        )
    if callable(parameters):
        parameters = parameters()
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [x.grad for x in tensors if x._grad is not None]


def parameters_to_vector(parameters: Callable[[], Iterable[Tensor]] | Iterable[Tensor]) -> Tensor:
    """Put the entries of all parameters into one vector."""
    tensors = parameters() if callable(parameters) else parameters
    vector: Tensor = np.concatenate([x.reshape(-1) for x in tensors])  # type: ignore[assignment]
    return vector


def vector_to_parameters(vec: Any, parameters: Any) -> None:
    """Write the entries of a vector into the parameters, in place; see `parameters_to_vector`."""
    values, start = getattr(vec, "_value", vec), 0
    for x in parameters() if callable(parameters) else parameters:
        x._value[...] = values[start : start + x.size].reshape(x.shape)
        start += x.size
