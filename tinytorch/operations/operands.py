"""Operands: making arrays of what stands beside a tensor, and naming it in messages."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.arrays.kind import NUMBERS, kind_of
from tinytorch.arrays.warned import at_users_line
from tinytorch.engine import Node
from tinytorch.messages import describe as describe  # noqa: PLC0414  (where others look for it)

_NUMBERS = NUMBERS | {complex}


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Read what names a dtype. Raises TypeError for what NumPy doesn't know."""
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"expected a dtype of NumPy's, such as np.float32, 'float32' or tinytorch.float32, got "
            f"{describe(dtype)}"
        ) from None
    return kind


def constant(operand: Any, dtype: np.dtype[Any], op: object) -> Any:
    """Prepare an operand that is no tensor: a floating or complex array may change the dtype."""
    kind = type(operand)
    if kind in NUMBERS:
        return operand
    if kind is complex:
        return np.asarray(operand, np.result_type(dtype, operand))
    if hasattr(operand, "__array_function__"):
        operand = operand if kind is np.ndarray else kind_of(operand).accept(operand)
    else:
        if isinstance(operand, list | tuple) and any(isinstance(x, Node) for x in operand):
            raise TypeError(
                f"{op}: a {kind.__name__} of tensors is no tensor; "
                "np.stack or np.concatenate makes one of it"
            )
        try:
            operand = np.asarray(operand)
        except ValueError as error:
            raise ValueError(f"{op}: {error}") from None
    if operand.dtype.kind in "fc":
        return operand if operand.dtype.isnative else operand.astype(operand.dtype.newbyteorder())
    if operand.dtype.kind in "biu":
        return at_users_line(operand.astype, dtype)
    raise TypeError(
        f"{op}: expected a Tensor, a number or an array of numbers, "
        f"got {describe(operand if operand.ndim else operand.item())}"
    )


def alike(*operands: Any) -> list[Any]:
    """Make arrays of plain numbers, in the dtype of the first tensor, which they don't change."""
    dtype = next((x._value.dtype for x in operands if isinstance(x, Node)), None)
    return [
        np.asarray(x, np.result_type(dtype, x)) if dtype is not None and type(x) in _NUMBERS else x
        for x in operands
    ]


@functools.lru_cache(256)
def _shared_array(number: float, dtype: np.dtype[Any]) -> Any:
    array = np.asarray(number, dtype)
    array.setflags(write=False)
    return array


def as_array(number: float, dtype: np.dtype[Any]) -> Any:
    """Give an array of no axes; equal numbers share one, which saves memory in long graphs."""
    try:
        # But 0 equals -0.
        return _shared_array(number, dtype) if number else np.asarray(number, dtype)
    except RuntimeWarning:  # it is too large for the dtype
        return at_users_line(np.asarray, number, dtype)


def no_parameter(op: object, name: str, tensor: Node) -> Exception:
    """Say that a tensor is no parameter, since no rule would give it a gradient."""
    return TypeError(
        f"{op}: {name}= is {describe(tensor)}, and a parameter gets no gradient: "
        f"write {name}.item() or {name}.data for its value"
    )


def closed_over(op: object) -> Exception:
    """Say that an operation has computed with a tensor that it was not given as an input."""
    return TypeError(
        f"{op}: its value depends on a tensor that is not one of its inputs, and would get no "
        "gradient: make the tensor an input with a rule of its own, or use tensor.data"
    )


def refusal(error: Exception, op: object, operands: Sequence[Any]) -> Exception:
    """Say in NumPy's error which operation it was and what it was given."""
    given = " and ".join(describe(x) for x in operands)
    reason = str(error).removeprefix(f"{op}: ")
    return type(error)(f"{op} of {given}: {reason}")
