"""Plain arrays of whole numbers and truth values, with the methods that PyTorch's tensors have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.kind import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class PlainArray(np.ndarray[Any, np.dtype[Any]]):
    """An array of labels, indices, counts or truth values, none of which has a gradient.

    Comparisons, `argmax`, and factories with such a dtype give them. It is NumPy's own array, seen
    through a class that has PyTorch's methods: `y.size(0)`, `y.view(-1)`, `(p > 0.5).float()`. As
    of tensors, a method means what PyTorch's means, a function of NumPy's what it means there; and
    operations take the array itself, as a constant or an index. So a `Tensor` is always floating,
    nothing asks here whether to record, and whatever takes an array takes this one.

    What arithmetic makes floating, `images / 255` say, is a constant tensor. Methods that are not
    listed in `operations/plain_methods.py` are a tensor's: `y.exp()`.
    """

    __slots__ = ()
    requires_grad = False

    # --- NumPy's protocols ------------------------------------------------------------------

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        del context, return_scalar  # of no axes it is an array still, which has methods
        return wrapped(array)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        del types  # whose are others ask again
        return function(*bases(args), **bases(kwargs))

    @property
    def _value(self) -> Any:
        """The array that this is a view of."""
        return np.ndarray.view(self, np.ndarray)

    # --- entries ------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        return plain(self._value[bases(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._value[bases(index)] = base(value)

    def __iter__(self) -> Iterator[Any]:
        return map(plain, self._value)

    def __hash__(self) -> int:  # type: ignore[override]
        """Let an entry look things up, `names[y[0]]`, as the number that it is."""
        if self.ndim:
            raise TypeError("an array of several entries can't be hashed; one, y[i], can be")
        return hash(self.item())

    # --- what else a tensor has ---------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The array itself."""
        return self

    def detach(self) -> PlainArray:
        """Give the array itself, which has no history."""
        return self

    def numpy(self) -> Any:
        """Give NumPy's own array, of the same memory."""
        return self._value

    to_numpy = numpy

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        """Give an array of another dtype; if it is floating, NumPy's own."""
        return plain(self._value.astype(dtype, *args, **options))

    def __getattr__(self, name: str) -> Any:
        from tinytorch.tensor import Tensor

        if name.startswith("_") or not hasattr(Tensor, name):
            raise AttributeError(f"a plain array has no attribute {name!r}")
        return getattr(Tensor(self._value, requires_grad=False), name)

    def __repr__(self) -> str:
        return repr(self._value)

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value if self.ndim else self.item(), spec)


PLAIN: set[type] = {PlainArray}  # and what other kinds have in its place


def plain(array: Any) -> PlainArray:
    """See whole numbers and truth values as a `PlainArray`; give anything else as it is."""
    kind = type(array)
    if (kind is np.ndarray or isinstance(array, np.generic)) and array.dtype.kind in "biu":
        array = array if kind is np.ndarray else np.asarray(array)
        return np.ndarray.view(array, PlainArray)
    other: PlainArray = kind_of(array).plain(array)
    return other


def base(array: Any) -> Any:
    """Give the array that a `PlainArray` is a view of, and anything else as it is."""
    return array._value if type(array) in PLAIN else array


def wrapped(array: Any) -> Any:
    """Make of NumPy's numbers a constant tensor, or a `PlainArray`; leave others alone."""
    here = isinstance(array, np.ndarray | np.generic) or kind_of(array).name == "batch"
    if (here or kind_of(array).device(array).type == "cuda") and array.dtype.kind in "fc":
        from tinytorch.tensor import Tensor

        return Tensor(array, requires_grad=False)
    return plain(array)


def bases(tree: Any) -> Any:
    """Give the arrays that are seen as plain ones in a tree."""
    if isinstance(tree, list | tuple):
        return type(tree)([bases(part) for part in tree])
    if isinstance(tree, dict):
        return {key: bases(part) for key, part in tree.items()}
    return base(tree)
