"""Parameters: the tensors that a module is trained by."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy.typing as npt

from tinytorch.tensor import Tensor


class _ParameterType(type):
    """Lets `isinstance(x, Parameter)` look for the mark that makes a tensor a parameter."""

    def __instancecheck__(cls, x: object) -> bool:
        if cls is not Parameter:
            return super().__instancecheck__(x)
        return isinstance(x, Tensor) and hasattr(x, "_is_parameter")


class Parameter(Tensor, metaclass=_ParameterType):
    """A tensor that a module is trained by; it stays one while `requires_grad` is false.

    What is computed from it is a plain tensor. `data` is copied, as by `Tensor`. To Python, which
    runs quickest where all objects are of one class, it is a `Tensor` with a mark. One of a
    subclass is of that class, too.

    >>> x = Parameter([1.0, 2.0])
    >>> isinstance(x, Parameter), isinstance(x * 2, Parameter)
    (True, False)
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        requires_grad: bool = True,
        *,
        label: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> Self:
        """Mark a tensor."""
        if cls is not Parameter:
            return super().__new__(cls)  # and Python goes on with __init__
        tensor = Tensor(data, label, requires_grad, dtype)
        tensor._is_parameter = True
        return cast(Self, tensor)

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        *,
        label: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(data, label, requires_grad, dtype)
        self._is_parameter = True
