"""What messages say of the values that came."""

from __future__ import annotations

import reprlib
from typing import Any

from tinytorch.engine import Node

_SHORT = reprlib.Repr()
_SHORT.maxstring = 100  # a label may be as long as one likes


def describe(operand: Any) -> str:
    """Say what an operand is, for a message."""
    if isinstance(operand, Node):
        name = "a tensor" if operand.label is None else f"tensor {_SHORT.repr(operand.label)}"
        return f"{name} of shape {operand._value.shape}"
    if hasattr(operand, "shape") and operand.shape != ():
        dtype = f"dtype {operand.dtype} and " if hasattr(operand, "dtype") else ""
        if hasattr(operand, "__array_function__"):
            return f"an array of {dtype}shape {operand.shape}"
        way = " (its toarray() gives an array)" if hasattr(operand, "toarray") else ""
        return f"a {type(operand).__name__} of {dtype}shape {operand.shape}{way}"
    name = type(operand).__name__
    try:
        return f"{name} {reprlib.repr(operand)}"
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return f"{name} of too many digits to write" if isinstance(operand, int) else name
