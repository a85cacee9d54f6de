"""What PyTorch's programs ask of every tensor, whole or floating: dtype, device, comparisons.

Both `Tensor` and `PlainArray` have these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.plain import PlainArray, plain
from tinytorch.arrays.warned import at_users_line
from tinytorch.devices import NO_GPU, check_device, device, is_device
from tinytorch.engine import Node
from tinytorch.operations.operands import as_dtype

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


def converted(x: Any, dtype: npt.DTypeLike) -> Any:
    """Give x in another dtype: a tensor if that is floating or complex, else a plain array.

    Raises TypeError for a dtype that is neither.
    """
    return whole(x, dtype) if as_dtype(dtype).kind in "biu" else floating(x, dtype)


def whole(x: Any, dtype: npt.DTypeLike) -> PlainArray:
    """Give whole numbers or truth values, which have no gradient."""
    return plain(at_users_line(x._value.astype, np.dtype(dtype)))


def floating(x: Any, dtype: npt.DTypeLike) -> Tensor:
    """Give a tensor; x itself, if it is one of that dtype."""
    if not isinstance(x, Node):
        from tinytorch.tensor import Tensor

        return Tensor(x._value, requires_grad=False, dtype=dtype)
    tensor: Tensor = x  # type: ignore[assignment]
    return tensor if tensor.dtype == dtype else tensor.astype(dtype)


class Conversions:
    """Dtypes, devices and comparisons, by PyTorch's names."""

    __slots__ = ()
    _value: Any

    # --- comparisons ------------------------------------------------------------------------

    def eq(self: Any, other: Any) -> PlainArray:
        """Say where x == other."""
        return plain(self == other)

    def ne(self: Any, other: Any) -> PlainArray:
        """Say where x != other."""
        return plain(self != other)

    def lt(self: Any, other: Any) -> PlainArray:
        """Say where x < other."""
        return plain(self < other)

    def le(self: Any, other: Any) -> PlainArray:
        """Say where x <= other."""
        return plain(self <= other)

    def gt(self: Any, other: Any) -> PlainArray:
        """Say where x > other."""
        return plain(self > other)

    def ge(self: Any, other: Any) -> PlainArray:
        """Say where x >= other."""
        return plain(self >= other)

    greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne

    def isnan(self) -> PlainArray:
        """Say which entries are nan."""
        return plain(np.isnan(self._value))

    def isinf(self) -> PlainArray:
        """Say which entries are infinite."""
        return plain(np.isinf(self._value))

    def isfinite(self) -> PlainArray:
        """Say which entries are neither nan nor infinite."""
        return plain(np.isfinite(self._value))

    def isclose(
        self, other: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False
    ) -> PlainArray:
        """Say where |x - other| <= atol + rtol * |other|."""
        near = np.isclose(self._value, _values(other), rtol, atol, equal_nan)
        return plain(near)

    def allclose(
        self, other: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False
    ) -> Any:
        """Say whether |x - other| <= atol + rtol * |other| everywhere."""
        return np.allclose(self._value, _values(other), rtol, atol, equal_nan)

    def equal(self, other: Any) -> Any:
        """Say whether both have the same shape and entries."""
        return np.array_equal(self._value, _values(other))

    def logical_and(self, other: Any) -> PlainArray:
        """Say where neither is 0."""
        return plain(np.logical_and(self._value, _values(other)))

    def logical_or(self, other: Any) -> PlainArray:
        """Say where either is not 0."""
        return plain(np.logical_or(self._value, _values(other)))

    def logical_xor(self, other: Any) -> PlainArray:
        """Say where exactly one is 0."""
        return plain(np.logical_xor(self._value, _values(other)))

    def logical_not(self) -> PlainArray:
        """Say which entries are 0."""
        return plain(np.logical_not(self._value))

    def nonzero(self, *, as_tuple: Any = False) -> Any:
        """Give the indices of the entries that are not 0, a row for each; or, axis by axis."""
        places = np.nonzero(self._value)
        return tuple(map(plain, places)) if as_tuple else plain(np.stack(places, -1))

    def unique(self: Any, sorted: Any = True, *, return_counts: Any = False) -> Any:  # noqa: ARG002
        """Give the different entries in order; and how often each is there."""
        _, first, counts = np.unique(self._value, return_index=True, return_counts=True)
        found = self.reshape(-1)[first]
        return (found, plain(counts)) if return_counts else found

    # --- devices and memory -------------------------------------------------------------------

    @property
    def device(self) -> device:
        """Where the entries are: on the CPU."""
        return device("cpu")

    @property
    def is_cuda(self) -> Any:
        """Whether the entries are on a GPU: they are not."""
        return False

    def cpu(self) -> Self:
        """Give it as it is, on the CPU."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Any:
        """Raise RuntimeError: there is only the CPU."""
        raise RuntimeError(NO_GPU)

    def contiguous(self) -> Self:
        """Give it as it is: `view` takes any order in memory."""
        return self

    def is_contiguous(self) -> Any:
        """Say that `view` takes it as it is."""
        return True

    def nelement(self: Any) -> Any:
        """Give the number of entries."""
        return int(self.size)

    def ndimension(self) -> Any:
        """Give the number of axes."""
        return self._value.ndim

    def element_size(self) -> Any:
        """Give the bytes of an entry."""
        return self._value.dtype.itemsize

    def is_floating_point(self) -> Any:
        """Say whether the entries are floating."""
        return self._value.dtype.kind == "f"

    def is_complex(self) -> Any:
        """Say whether the entries are complex."""
        return self._value.dtype.kind == "c"

    # --- others of its kind -------------------------------------------------------------------

    def view_as(self: Any, other: Any) -> Any:
        """Arrange the entries, in their order, in other's shape."""
        return self.reshape(other.shape)

    reshape_as = view_as

    def expand_as(self: Any, other: Any) -> Any:
        """Repeat the entries to fill other's shape."""
        return self.expand(other.shape)

    def t(self: Any) -> Any:
        """Exchange the axes of a matrix. Raises ValueError for more than two."""
        if self._value.ndim > 2:
            raise ValueError(f"t: expected at most two axes, got shape {self.shape}; x.mT")
        return self.T

    def new_tensor(self, data: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype."""
        from tinytorch.pytorch import factories

        return factories.tensor(data, dtype or self._value.dtype, **options)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with a number."""
        from tinytorch.pytorch import factories

        return factories.full(size, fill_value, dtype=dtype or self._value.dtype, **options)

    def new_zeros(self, *size: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with zeros."""
        from tinytorch.pytorch import factories

        return factories.zeros(*size, dtype=dtype or self._value.dtype, **options)

    def new_ones(self, *size: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with ones."""
        from tinytorch.pytorch import factories

        return factories.ones(*size, dtype=dtype or self._value.dtype, **options)

    new_empty = new_zeros

    def multinomial(
        self, num_samples: Any, replacement: Any = False, *, generator: Any = None
    ) -> Any:
        """Draw indices, each as likely as its entry is large: see `tinytorch.multinomial`."""
        from tinytorch.pytorch import sampling

        return sampling.multinomial(self, num_samples, replacement, generator=generator)

    def bernoulli(self, *, generator: Any = None) -> Any:
        """Draw 1 with the probability that an entry is, else 0."""
        from tinytorch.pytorch import sampling

        return sampling.bernoulli(self, generator=generator)

    # --- dtypes -------------------------------------------------------------------------------

    def to(
        self: Any,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: Any = False,  # noqa: ARG002  (there is nowhere to go)
        copy: Any = False,
    ) -> Any:
        """Give it in another dtype, or in that of another tensor; on the CPU, where it is.

        Raises RuntimeError for another device, TypeError for what is neither device nor dtype.
        """
        for given in args:
            if is_device(given):
                device = given
            elif isinstance(given, Conversions | PlainArray):
                dtype = given._value.dtype
            elif not isinstance(given, bool):
                dtype = given
        check_device(device)
        x = self if dtype is None else converted(self, dtype)
        return x.clone() if copy and x is self else x

    def type(self, dtype: Any) -> Any:
        """Give it in another dtype."""
        return converted(self, dtype)

    def type_as(self, other: Any) -> Any:
        """Give it in other's dtype."""
        return converted(self, other.dtype)

    def double(self) -> Tensor:
        """Give it in float64."""
        return floating(self, np.float64)

    def cdouble(self) -> Tensor:
        """Give it in complex128."""
        return floating(self, np.complex128)

    def cfloat(self) -> Tensor:
        """Give it in complex64."""
        return floating(self, np.complex64)

    def half(self) -> Tensor:
        """Give it in float16."""
        return floating(self, np.float16)

    def long(self) -> PlainArray:
        """Give whole numbers of 64 bits, rounded towards 0; they have no gradient."""
        return whole(self, np.int64)

    def short(self) -> PlainArray:
        """Give whole numbers of 16 bits."""
        return whole(self, np.int16)

    def byte(self) -> PlainArray:
        """Give whole numbers from 0 to 255."""
        return whole(self, np.uint8)

    def bool(self) -> PlainArray:
        """Say which entries are not 0."""
        return whole(self, np.bool)

    def int(self) -> PlainArray:
        """Give whole numbers of 32 bits, rounded towards 0; they have no gradient."""
        return whole(self, np.int32)

    def float(self) -> Tensor:
        """Give it in float32."""
        return floating(self, np.float32)


def _values(x: Any) -> Any:
    return getattr(x, "_value", x)
