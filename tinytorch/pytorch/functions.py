"""The operations as functions of the package: `tinytorch.exp(x)` is `x.exp()`.

They are the methods of `Tensor`, of the same name and with PyTorch's meaning (NumPy's is NumPy's
function's: `np.exp(x)`), and the few that take several tensors. What is no tensor becomes one: a
floating array a constant, any other a `PlainArray`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.plain import plain, wrapped
from tinytorch.operations import factorizations
from tinytorch.operations.conversions import Conversions
from tinytorch.operations.elementwise import where as _where
from tinytorch.operations.methods import Methods
from tinytorch.operations.operands import describe
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.pytorch.factories import as_tensor
from tinytorch.tensor import Tensor

# What makes sense as a method alone, or means something else as a name of the package.
_METHODS_ONLY = {
    "append", "astype", "bernoulli", "bool", "byte", "cdouble", "cfloat", "char", "compress",
    "contiguous", "copy", "cpu",
    "cuda", "dim", "double", "element_size", "expand", "expand_as", "expand_dims", "float",
    "half", "int", "is_contiguous", "long", "multinomial", "ndimension", "nelement", "new_empty",
    "new_full", "new_ones", "new_tensor", "new_zeros", "pad", "partition", "repeat",
    "reshape_as", "rollaxis", "short", "to", "type", "type_as", "view", "view_as", "where",
}  # fmt: skip


def _function(name: str) -> Callable[..., Any]:
    """Make the function of a method."""
    method = getattr(Tensor, name)

    @functools.wraps(method)
    def function(input: Any, *args: Any, **options: Any) -> Any:
        return getattr(_subject(input), name)(*args, **options)

    function.__module__, function.__qualname__ = __name__, name
    function.__name__ = name
    return function


def _by_dim(name: str, second: str) -> Callable[..., Any]:
    """Make the function of a method whose whole number is `dim` in PyTorch, an axis in NumPy."""
    method = getattr(Tensor, name)

    @functools.wraps(method)
    def function(input: Any, *args: Any, **options: Any) -> Any:
        if args and isinstance(args[0], int):
            options |= zip(("dim", second), args, strict=False)
            args = ()
        elif name == "sort" and "axis" not in options:
            options.setdefault("dim", -1)
        return getattr(_subject(input), name)(*args, **options)

    function.__module__, function.__qualname__ = __name__, name
    function.__doc__ = f"{method.__doc__}\n\n        A whole number behind x is `dim`."
    return function


def _subject(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x
    return as_tensor(x)


def _methods() -> dict[str, Callable[..., Any]]:
    families = [cls for cls in Methods.__mro__[::-1] if cls is not object]
    names = {name: None for cls in (*families, Conversions) for name in vars(cls)}
    return {
        name: _function(name)
        for name in names
        if not name.startswith("_")
        and name not in _METHODS_ONLY
        and callable(getattr(Tensor, name))
    }


globals().update(_methods())

max = _by_dim("max", "keepdim")  # noqa: A001  (PyTorch's names, here and below)
min = _by_dim("min", "keepdim")  # noqa: A001
median = _by_dim("median", "keepdim")
sort = _by_dim("sort", "descending")


# --- complex numbers ------------------------------------------------------------------------------


def real(input: Any) -> Tensor:
    """Give the real part: `x.real`."""
    part: Tensor = _subject(input).real
    return part


def imag(input: Any) -> Tensor:
    """Give the imaginary part: `x.imag`."""
    part: Tensor = _subject(input).imag
    return part


def complex(real: Any, imag: Any) -> Tensor:  # noqa: A001
    """Make real + i imag."""
    made: Tensor = _subject(real) + 1j * _subject(imag)
    return made


def polar(abs: Any, angle: Any) -> Tensor:
    """Make the complex numbers of these absolute values and angles: abs * exp(i angle)."""
    made: Tensor = _subject(abs) * np.exp(1j * _subject(angle))
    return made


def view_as_real(input: Any) -> Tensor:
    """Give real and imaginary parts side by side, in a new last axis of size 2.

    >>> view_as_real([1 + 2j])
    Tensor([[1., 2.]], requires_grad=False)
    """
    x = _subject(input)
    if x.dtype.kind != "c":
        raise TypeError(f"view_as_real: expected complex numbers, got {describe(x)}, {x.dtype}")
    return stack([x.real, x.imag], -1)


def view_as_complex(input: Any) -> Tensor:
    """Make complex numbers of real and imaginary parts: x[..., 0] + i x[..., 1].

    >>> view_as_complex([[1.0, 2.0]])
    Tensor([1.+2.j], dtype=complex128, requires_grad=False)
    """
    x = _subject(input)
    if x.dtype.kind == "c" or x.shape[-1:] != (2,):
        raise ValueError(
            f"view_as_complex: expected real numbers, two in the last axis, got {describe(x)}, "
            f"{x.dtype}"
        )
    return complex(x[..., 0], x[..., 1])


# --- of several tensors ---------------------------------------------------------------------------


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors along an axis that they have; all other sizes agree.

    Rows without entries fit anywhere.
    """
    tensors = list(tensors)
    some = [x for x in tensors if np.shape(x) != (0,)]
    return wrapped(np.concatenate(some or tensors, dim if axis is None else axis))


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors of one shape along a new axis."""
    return wrapped(np.stack(list(tensors), dim if axis is None else axis))


def hstack(tensors: Any) -> Tensor:
    """Join side by side: along the second axis, or the only one."""
    return wrapped(np.hstack(list(tensors)))


def vstack(tensors: Any) -> Tensor:
    """Join as rows: along the first axis of at least two."""
    return wrapped(np.vstack(list(tensors)))


def dstack(tensors: Any) -> Tensor:
    """Join in depth: along the third axis."""
    return wrapped(np.dstack(list(tensors)))


def column_stack(tensors: Any) -> Tensor:
    """Join as columns of a matrix."""
    return wrapped(np.column_stack(list(tensors)))


def where(condition: Any, *choices: Any) -> Any:
    """Take the first choice where `condition` holds, else the second; the three broadcast.

    Of the condition alone, give the indices where it holds, axis by axis.
    """
    if not choices:
        return tuple(map(plain, np.nonzero(getattr(condition, "_value", condition))))
    x, y = choices
    return wrapped(_where(condition, x, y))


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum products along the axes that the equation names: "ij,jk->ik" is the matrix product."""
    return wrapped(np.einsum(equation, *operands))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Sum products over the last `dims` axes of a and the first of b, or over pairs of axes.

    Of a pair, one may have size 1, and is repeated.
    """
    if isinstance(dims, list | tuple):
        for i, j in zip(*dims, strict=True):
            n, m = np.shape(a)[i], np.shape(b)[j]
            a = np.sum(a, axis=i, keepdims=True) if m == 1 != n else a
            b = np.sum(b, axis=j, keepdims=True) if n == 1 != m else b
    return wrapped(np.tensordot(a, b, dims))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Repeat coordinates over a grid, an array for each axis: in order ("ij") or x first ("xy")."""
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    return tuple(map(wrapped, np.meshgrid(*tensors, indexing=indexing)))  # type: ignore[call-overload]


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Repeat the entries of all to fill their common shape."""
    return tuple(map(wrapped, np.broadcast_arrays(*tensors)))


def block_diag(*tensors: Any) -> Tensor:
    """Put matrices, or rows as such, on the diagonal of a matrix of zeros."""
    blocks = [_subject(x).atleast_2d() for x in tensors]
    ends = np.cumsum([0, *[x.shape[1] for x in blocks]]).tolist()
    rows = [
        x.pad(((0, 0), (start, ends[-1] - start - x.shape[1])))
        for x, start in zip(blocks, ends, strict=False)
    ]
    return cat(rows)


def cartesian_prod(*tensors: Any) -> Tensor:
    """Give all rows of an entry of each; of a single row that row."""
    if len(tensors) == 1:
        return wrapped(_subject(tensors[0]))
    return stack([grid.reshape(-1) for grid in meshgrid(*tensors)], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Give all rows of `r` entries in their order."""
    every = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    x = _subject(input)
    picked = np.array(list(every(range(len(x)), r)), int).reshape(-1, r)
    return wrapped(x[picked])


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Count how often each whole number is there, or add up its weights."""
    return wrapped(np.bincount(input, weights, minlength))


def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """Give P, L and U of what `lu` packs, so that P @ L @ U is what it was given.

    Without `unpack_data` P alone, without `unpack_pivots` L and U: nothing stands for the others.
    """
    p, lower, upper = factorizations.lu_unpack(_subject(LU_data), LU_pivots)
    return factorizations.LUResult(
        p if unpack_pivots else None,  # type: ignore[arg-type]
        *(lower, upper) if unpack_data else (None, None),  # type: ignore[arg-type]
    )


@torch_spelling
def std_mean(
    input: Any, axis: Any = None, correction: float = 1, keepdims: bool = False, **options: Any
) -> tuple[Tensor, Tensor]:
    """Give the standard deviation and the mean; see the two."""
    x = _subject(input)
    spread = x.std(axis, correction, keepdims, **options)
    return spread, x.mean(None if isinstance(axis, bool) else axis, keepdims)


@torch_spelling
def var_mean(
    input: Any, axis: Any = None, correction: float = 1, keepdims: bool = False, **options: Any
) -> tuple[Tensor, Tensor]:
    """Give the variance and the mean; see the two."""
    x = _subject(input)
    spread = x.var(axis, correction, keepdims, **options)
    return spread, x.mean(None if isinstance(axis, bool) else axis, keepdims)


__all__ = sorted(  # noqa: PLE0605
    name
    for name, made in globals().items()
    if not name.startswith("_") and getattr(made, "__module__", None) == __name__
)
