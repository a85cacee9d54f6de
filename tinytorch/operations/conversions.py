"""What PyTorch's programs ask of every tensor, whole or floating: dtype, device, comparisons.

Both `Tensor` and `PlainArray` have these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import kind_of, placed
from tinytorch.arrays.plain import PLAIN, PlainArray, plain
from tinytorch.arrays.warned import at_users_line
from tinytorch.devices import device, is_device
from tinytorch.engine import Node
from tinytorch.operations.operands import as_dtype
from tinytorch.operations.operation import Operation, apply, defines

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


_TO = Operation("to")


@defines(_TO)
def moved(x: Any, place: Any) -> Any:
    """Give x on a device, itself if it is there; its gradient comes back to where x is.

    Raises RuntimeError for a device that is not there.
    """
    there = placed(values := getattr(x, "_value", x), place)
    if there is values:
        return x
    if not isinstance(x, Node):
        return plain(there)
    home = kind_of(values).device(values)
    return apply(_TO, lambda x: there, (lambda grad, out, x: moved(grad, home),), x)


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
        return bool(np.allclose(self._value, _values(other), rtol, atol, equal_nan))

    def equal(self, other: Any) -> Any:
        """Say whether both have the same shape and entries."""
        return bool(np.array_equal(self._value, _values(other)))

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
        if not as_tuple:
            return plain(np.argwhere(self._value))
        return tuple(map(plain, np.nonzero(np.atleast_1d(self._value))))

    def unique(
        self: Any,
        sorted: Any = True,  # noqa: ARG002  (they are)
        return_inverse: Any = False,
        return_counts: Any = False,
        dim: Any = None,
    ) -> Any:
        """Give the different entries in order, or slices along `dim`.

        If asked for, also where in them each entry is, and how often each is there.
        """
        _, first, inverse, counts = np.unique(self._value, True, True, True, axis=dim)
        found = self.reshape(-1)[first] if dim is None else self.take(first, dim)
        wanted = ((return_inverse, inverse), (return_counts, counts))
        others = tuple(plain(numbers) for asked, numbers in wanted if asked)
        return (found, *others) if others else found

    # --- devices and memory -------------------------------------------------------------------

    @property
    def device(self) -> device:
        """Where the entries are."""
        return kind_of(self._value).device(self._value)

    @property
    def is_cuda(self) -> Any:
        """Whether the entries are on a GPU."""
        return self.device.type == "cuda"

    def cpu(self) -> Any:
        """Give it on the CPU."""
        return moved(self, "cpu")

    def cuda(self, device: Any = None, *_: Any, **__: Any) -> Any:
        """Give it on a GPU, the current one or that of a number or name.

        Raises RuntimeError where there is none.
        """
        return moved(self, "cuda" if device is None else device)

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

        options = {"dtype": dtype or self._value.dtype, "device": self.device, **options}
        return factories.tensor(data, **options)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with a number."""
        from tinytorch.pytorch import factories

        options = {"dtype": dtype or self._value.dtype, "device": self.device, **options}
        return factories.full(size, fill_value, **options)

    def new_zeros(self, *size: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with zeros."""
        from tinytorch.pytorch import factories

        options = {"dtype": dtype or self._value.dtype, "device": self.device, **options}
        return factories.zeros(*size, **options)

    def new_ones(self, *size: Any, dtype: Any = None, **options: Any) -> Any:
        """Make a tensor of the same dtype, filled with ones."""
        from tinytorch.pytorch import factories

        options = {"dtype": dtype or self._value.dtype, "device": self.device, **options}
        return factories.ones(*size, **options)

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
        non_blocking: Any = False,  # noqa: ARG002  (copies are waited for)
        copy: Any = False,
    ) -> Any:
        """Give it in another dtype, on another device, or as another tensor in both.

        Raises RuntimeError for a device that is not there, TypeError for what is neither device nor
        dtype.
        """
        for given in args:
            if is_device(given):
                device = given
            elif isinstance(given, Conversions) or type(given) in PLAIN:
                dtype, device = given._value.dtype, given.device
            elif not isinstance(given, bool):
                dtype = given
        x = moved(self, device)
        x = x if dtype is None else converted(x, dtype)
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

    def char(self) -> PlainArray:
        """Give whole numbers of 8 bits."""
        return whole(self, np.int8)

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
