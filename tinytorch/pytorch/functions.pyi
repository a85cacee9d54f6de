"""The operations as functions of the package, as a type checker sees them.

Written by `make stub` from the module; don't edit.
"""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy.typing as npt

from tinytorch.arrays.plain import PlainArray
from tinytorch.engine import Array
from tinytorch.operations.decompositions import QRResult
from tinytorch.operations.factorizations import TriangularSolution
from tinytorch.operations.indexing import ValuesIndices
from tinytorch.operations.linalg import SlogdetResult, TorchSVDResult
from tinytorch.operations.reductions import Axis
from tinytorch.operations.torch_names import MinMax
from tinytorch.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "addbmm",
    "addcdiv",
    "addcmul",
    "addmm",
    "addmv",
    "addr",
    "adjoint",
    "all",
    "allclose",
    "amax",
    "amin",
    "aminmax",
    "angle",
    "any",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "argwhere",
    "as_strided",
    "as_strided_scatter",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "baddbmm",
    "bincount",
    "block_diag",
    "bmm",
    "broadcast_tensors",
    "broadcast_to",
    "cartesian_prod",
    "cat",
    "cbrt",
    "cdist",
    "ceil",
    "celu",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "chunk",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "clone",
    "column_stack",
    "combinations",
    "complex",
    "concat",
    "concatenate",
    "conj",
    "conj_physical",
    "conjugate",
    "copysign",
    "corrcoef",
    "cos",
    "cosh",
    "count_nonzero",
    "cov",
    "cross",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_trapezoid",
    "deg2rad",
    "degrees",
    "det",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "diagonal_scatter",
    "diff",
    "digamma",
    "dist",
    "div",
    "divide",
    "dot",
    "dsplit",
    "dstack",
    "einsum",
    "elu",
    "eq",
    "equal",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fill",
    "fix",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "frexp",
    "gather",
    "ge",
    "gelu",
    "ger",
    "glu",
    "gradient",
    "greater",
    "greater_equal",
    "gt",
    "hardswish",
    "hardtanh",
    "heaviside",
    "hsplit",
    "hstack",
    "hypot",
    "i0",
    "imag",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_reduce",
    "index_select",
    "inner",
    "inv",
    "inverse",
    "is_complex",
    "is_floating_point",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "kron",
    "kthvalue",
    "ldexp",
    "le",
    "leaky_relu",
    "lerp",
    "less",
    "less_equal",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logcumsumexp",
    "logdet",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "logsigmoid",
    "logsumexp",
    "lt",
    "lu",
    "lu_solve",
    "lu_unpack",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "mm",
    "mod",
    "mode",
    "moveaxis",
    "movedim",
    "msort",
    "mul",
    "multiply",
    "mv",
    "mvlgamma",
    "nan_to_num",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "nansum",
    "narrow",
    "ne",
    "neg",
    "negative",
    "nextafter",
    "nonzero",
    "norm",
    "not_equal",
    "numel",
    "ormqr",
    "outer",
    "permute",
    "pinv",
    "pinverse",
    "polar",
    "polygamma",
    "positive",
    "pow",
    "power",
    "prod",
    "put",
    "qr",
    "quantile",
    "rad2deg",
    "radians",
    "ravel",
    "real",
    "reciprocal",
    "relu",
    "relu6",
    "remainder",
    "renorm",
    "repeat_interleave",
    "reshape",
    "resolve_conj",
    "resolve_neg",
    "rint",
    "roll",
    "rot90",
    "round",
    "rsqrt",
    "rsub",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "select",
    "select_scatter",
    "selu",
    "sgn",
    "sigmoid",
    "sign",
    "signbit",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "slice_scatter",
    "slogdet",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "sort",
    "split",
    "split_with_sizes",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "sub",
    "subtract",
    "sum",
    "sum_to_size",
    "svd",
    "swapaxes",
    "swapdims",
    "t",
    "take",
    "take_along_axis",
    "take_along_dim",
    "tan",
    "tanh",
    "tensor_split",
    "tensordot",
    "tile",
    "topk",
    "trace",
    "transpose",
    "trapezoid",
    "trapz",
    "triangular_solve",
    "tril",
    "triu",
    "true_divide",
    "trunc",
    "unbind",
    "unflatten",
    "unfold",
    "unique",
    "unsqueeze",
    "vander",
    "var",
    "var_mean",
    "vdot",
    "view_as_complex",
    "view_as_real",
    "vsplit",
    "vstack",
    "where",
    "xlogy",
]

def abs(input: Any) -> Tensor:
    """The absolute value of x"""

def absolute(input: Any) -> Tensor:
    """The absolute value of x"""

def acos(input: Any) -> Tensor:
    """The angle whose cosine is x"""

def acosh(input: Any) -> Tensor:
    """The inverse of cosh, x >= 1"""

def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Give x + alpha * other."""

def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Give beta * x + alpha * (the sum of the products of the matrices)."""

def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Give x + value * tensor1 / tensor2."""

def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Give x + value * tensor1 * tensor2."""

def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Give alpha * mat1 @ mat2 + beta * self: of (n, k), (k, m) and (m,), say, (n, m).

    The sum broadcasts, and the factors are all that `@` takes. Raises ValueError for shapes
    that don't fit.
    """

def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Give beta * x + alpha * (mat @ vec)."""

def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Give beta * x + alpha * outer(vec1, vec2)."""

def adjoint(input: Any) -> Tensor:
    """Give the matrices in the last two axes, transposed and conjugated: `x.mH`."""

@overload
def all(input: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Say whether all entries are not 0, as plain truth values."""

@overload
def all(input: Any, dim: Axis = None, keepdim: bool = False) -> Any:
    """Say whether all entries are not 0, as plain truth values."""

def allclose(
    input: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False
) -> Any:
    """Say whether |x - other| <= atol + rtol * |other| everywhere."""

@overload
def amax(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest entry; a nan has no slope"""

@overload
def amax(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """The largest entry; a nan has no slope"""

@overload
def amin(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest entry; a nan has no slope"""

@overload
def amin(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """The smallest entry; a nan has no slope"""

@overload
def aminmax(input: Any, axis: Axis = None, keepdims: bool = False) -> MinMax:
    """Give the smallest entry and the largest; ties share the gradient."""

@overload
def aminmax(input: Any, dim: Axis = None, keepdim: bool = False) -> MinMax:
    """Give the smallest entry and the largest; ties share the gradient."""

def angle(input: Any) -> Tensor:
    """The angle of x in the complex plane, from -pi to pi; its slope at 0 is 0"""

@overload
def any(input: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Say whether any entry is not 0, as plain truth values."""

@overload
def any(input: Any, dim: Axis = None, keepdim: bool = False) -> Any:
    """Say whether any entry is not 0, as plain truth values."""

def arccos(input: Any) -> Tensor:
    """The angle whose cosine is x"""

def arccosh(input: Any) -> Tensor:
    """The inverse of cosh, x >= 1"""

def arcsin(input: Any) -> Tensor:
    """The angle whose sine is x"""

def arcsinh(input: Any) -> Tensor:
    """The inverse of sinh"""

def arctan(input: Any) -> Tensor:
    """The angle whose tangent is x"""

def arctan2(input: Any, other: Any) -> Tensor:
    """The angle of the point whose ordinate is x and whose abscissa is y"""

def arctanh(input: Any) -> Tensor:
    """The inverse of tanh, |x| < 1"""

@overload
def argmax(input: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Give the index of the largest entry, as plain integers."""

@overload
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Give the index of the largest entry, as plain integers."""

@overload
def argmin(input: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Give the index of the smallest entry, as plain integers."""

@overload
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Give the index of the smallest entry, as plain integers."""

@overload
def argsort(
    input: Any, axis: int | None = -1, descending: bool = False, *, stable: bool = True
) -> Any:
    """Give the indices that sort along `axis`, as plain integers; ties keep their order."""

@overload
def argsort(
    input: Any, dim: int | None = -1, descending: bool = False, *, stable: bool = True
) -> Any:
    """Give the indices that sort along `axis`, as plain integers; ties keep their order."""

def argwhere(input: Any) -> Any:
    """Give the indices of the entries that are not 0, as plain rows."""

def as_strided(
    input: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
) -> Tensor:
    """Pick from all entries in one row, in strides: y[i, j] = row[offset + i * s + j * t]."""

def as_strided_scatter(
    input: Any, src: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
) -> Tensor:
    """Put `src` in the places that `as_strided` would pick."""

def asin(input: Any) -> Tensor:
    """The angle whose sine is x"""

def asinh(input: Any) -> Tensor:
    """The inverse of sinh"""

def atan(input: Any) -> Tensor:
    """The angle whose tangent is x"""

def atan2(input: Any, other: Any) -> Tensor:
    """The angle of the point whose ordinate is x and whose abscissa is y"""

def atanh(input: Any) -> Tensor:
    """The inverse of tanh, |x| < 1"""

def atleast_1d(input: Any) -> Tensor:
    """Give each at least one axis."""

def atleast_2d(input: Any) -> Tensor:
    """Give each at least two axes, new ones first."""

def atleast_3d(input: Any) -> Tensor:
    """Give each at least three axes: of a vector the middle one, of a matrix the first two."""

def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Give beta * x + alpha * (batch1 @ batch2)."""

def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Count how often each whole number is there, or add up its weights."""

def block_diag(*tensors: Any) -> Tensor:
    """Put matrices, or rows as such, on the diagonal of a matrix of zeros."""

def bmm(input: Any, other: Any) -> Tensor:
    """The matrix product"""

def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Repeat the entries of all to fill their common shape."""

def broadcast_to(input: Any, shape: int | Sequence[int]) -> Tensor:
    """Repeat the entries to fill `shape`, by the rules of broadcasting."""

def cartesian_prod(*tensors: Any) -> Tensor:
    """Give all rows of an entry of each; of a single row that row."""

def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors along an axis that they have; all other sizes agree.

    Rows without entries fit anywhere.
    """

def cbrt(input: Any) -> Tensor:
    """The cube root of x"""

def cdist(input: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """Give the distance of each row of x to each of `x2`, by the norm of order p."""

def ceil(input: Any) -> Tensor:
    """The smallest integer that is not below x"""

def celu(input: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha * (exp(x / alpha) - 1)"""

def cholesky(input: Any, upper: bool = False) -> Tensor:
    """Give the lower triangle L for which x = L @ L.mH, or the upper one: x = U.mH @ U."""

def cholesky_inverse(input: Any, upper: bool = False) -> Tensor:
    """Give the inverse of L @ L.mH; this tensor is L."""

def cholesky_solve(input: Any, L: Any, upper: bool = False) -> Tensor:
    """Give the X of which (L @ L.mH) @ X is this tensor; L is a factor of Cholesky's."""

@overload
def chunk(input: Any, chunks: int, axis: int = 0) -> list[Tensor]:
    """Cut into at most that many parts of one size, the last one smaller if need be."""

@overload
def chunk(input: Any, chunks: int, dim: int = 0) -> list[Tensor]:
    """Cut into at most that many parts of one size, the last one smaller if need be."""

def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit x to `min` <= x <= `max`; either may be None. The bounds get gradients too.

    Where `max` is below `min`, the result is `max`.
    """

def clamp_max(input: Any, max: Any) -> Tensor:
    """Limit the entries to x <= max."""

def clamp_min(input: Any, min: Any) -> Tensor:
    """Limit the entries to x >= min."""

def clip(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit x to `min` <= x <= `max`; either may be None. The bounds get gradients too.

    Where `max` is below `min`, the result is `max`.
    """

def clone(input: Any) -> Tensor:
    """A copy of x that passes gradients on"""

def column_stack(tensors: Any) -> Tensor:
    """Join as columns of a matrix."""

def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Give all rows of `r` entries in their order."""

def complex(real: Any, imag: Any) -> Tensor:
    """Make real + i imag."""

def concat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors along an axis that they have; all other sizes agree.

    Rows without entries fit anywhere.
    """

def concatenate(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors along an axis that they have; all other sizes agree.

    Rows without entries fit anywhere.
    """

def conj(input: Any) -> Tensor:
    """The complex conjugate: the real part - imag * i"""

def conj_physical(input: Any) -> Tensor:
    """The complex conjugate: the real part - imag * i"""

def conjugate(input: Any) -> Tensor:
    """The complex conjugate: the real part - imag * i"""

def copysign(input: Any, other: Any) -> Tensor:
    """The magnitude of x with the sign of y"""

def corrcoef(input: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """Give the correlations of the rows of x (and y): their covariances by both deviations."""

def cos(input: Any) -> Tensor:
    """The cosine of x (radians)"""

def cosh(input: Any) -> Tensor:
    """(exp(x) + exp(-x)) / 2"""

@overload
def count_nonzero(input: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Count the entries that are not 0, as plain integers."""

@overload
def count_nonzero(input: Any, dim: Axis = None, keepdim: bool = False) -> Any:
    """Count the entries that are not 0, as plain integers."""

def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """Give the covariances of the rows: sum((x - mean) (y - mean)) / (n - correction)."""

@overload
def cross(input: Any, other: Any, axis: int | None = None) -> Tensor:
    """Give the vector product along `axis`, or along the first axis of size 3.

    >>> from tinytorch import Tensor
    >>> Tensor([1.0, 0.0, 0.0]).cross([0.0, 1.0, 0.0])
    Tensor([0., 0., 1.])
    """

@overload
def cross(input: Any, other: Any, dim: int | None = None) -> Tensor:
    """Give the vector product along `axis`, or along the first axis of size 3.

    >>> from tinytorch import Tensor
    >>> Tensor([1.0, 0.0, 0.0]).cross([0.0, 1.0, 0.0])
    Tensor([0., 0., 1.])
    """

@overload
def cummax(input: Any, axis: int) -> ValuesIndices:
    """Give the largest entry up to each and its index; of tied ones the last."""

@overload
def cummax(input: Any, dim: int) -> ValuesIndices:
    """Give the largest entry up to each and its index; of tied ones the last."""

@overload
def cummin(input: Any, axis: int) -> ValuesIndices:
    """Give the smallest entry up to each and its index; of tied ones the last."""

@overload
def cummin(input: Any, dim: int) -> ValuesIndices:
    """Give the smallest entry up to each and its index; of tied ones the last."""

@overload
def cumprod(input: Any, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The products of the entries up to each"""

@overload
def cumprod(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The products of the entries up to each"""

@overload
def cumsum(input: Any, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The sums of the entries up to each"""

@overload
def cumsum(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The sums of the entries up to each"""

@overload
def cumulative_trapezoid(input: Any, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
    """Integrate up to each entry but the first, by trapezoids."""

@overload
def cumulative_trapezoid(input: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """Integrate up to each entry but the first, by trapezoids."""

def deg2rad(input: Any) -> Tensor:
    """Degrees in radians"""

def degrees(input: Any) -> Tensor:
    """Radians in degrees"""

def det(input: Any) -> Tensor:
    """The determinant of square matrices"""

@overload
def diag(input: Any, k: int = 0) -> Tensor:
    """Give the `k`-th diagonal of a matrix, or the matrix that has x on it and is 0 elsewhere."""

@overload
def diag(input: Any, diagonal: int = 0) -> Tensor:
    """Give the `k`-th diagonal of a matrix, or the matrix that has x on it and is 0 elsewhere."""

@overload
def diag_embed(input: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Tensor:
    """Put the rows along the last axis on diagonals of matrices, in two axes of the result."""

@overload
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Put the rows along the last axis on diagonals of matrices, in two axes of the result."""

@overload
def diagflat(input: Any, k: int = 0) -> Tensor:
    """Put all entries on a diagonal of a matrix."""

@overload
def diagflat(input: Any, offset: int = 0) -> Tensor:
    """Put all entries on a diagonal of a matrix."""

@overload
def diagonal(input: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Give the diagonals of the planes of two axes, along a new last axis."""

@overload
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Give the diagonals of the planes of two axes, along a new last axis."""

@overload
def diagonal_scatter(
    input: Any, src: Any, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Tensor:
    """Put `src` in the place of a diagonal."""

@overload
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Put `src` in the place of a diagonal."""

@overload
def diff(input: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""

@overload
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""

def digamma(input: Any) -> Tensor:
    """The derivative of gammaln"""

def dist(input: Any, other: Any, p: float = 2) -> Tensor:
    """Give the norm of x - other, of order p."""

def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Give x / other, rounded with "floor", or with "trunc" towards 0."""

def divide(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Give x / other, rounded with "floor", or with "trunc" towards 0."""

def dot(input: Any, b: Any) -> Tensor:
    """Sum the products over the last axis of a and the last but one of b, or its only one."""

def dsplit(input: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the third axis."""

def dstack(tensors: Any) -> Tensor:
    """Join in depth: along the third axis."""

def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum products along the axes that the equation names: "ij,jk->ik" is the matrix product."""

def elu(input: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha * (exp(x) - 1)"""

def eq(input: Any, other: Any) -> PlainArray:
    """Say where x == other."""

def equal(input: Any, other: Any) -> Any:
    """Say whether both have the same shape and entries."""

def erf(input: Any) -> Tensor:
    """2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x; needs SciPy"""

def erfc(input: Any) -> Tensor:
    """1 - erf(x)"""

def erfinv(input: Any) -> Tensor:
    """The inverse of erf"""

def exp(input: Any) -> Tensor:
    """e to the power x"""

def exp2(input: Any) -> Tensor:
    """2 to the power x"""

def expm1(input: Any) -> Tensor:
    """exp(x) - 1, exact near 0"""

def fill(input: Any, value: Any) -> Tensor:
    """Give a tensor like x of one number."""

def fix(input: Any) -> Tensor:
    """x without its fractional part"""

def flatten(
    input: Any, start_dim: Any = 0, end_dim: int = -1, *, order: str | None = "C"
) -> Tensor:
    """Join the axes from `start_dim` to `end_dim` into one; or all in NumPy's `order`."""

@overload
def flip(input: Any, *axes: Any, axis: Any = None) -> Tensor:
    """Reverse the order of the entries along these axes, or along all."""

@overload
def flip(input: Any, *axes: Any, dims: Any = None) -> Tensor:
    """Reverse the order of the entries along these axes, or along all."""

def fliplr(input: Any) -> Tensor:
    """Reverse the columns."""

def flipud(input: Any) -> Tensor:
    """Reverse the rows."""

def float_power(input: Any, other: Any) -> Tensor:
    """x to the power y, in float64 at least"""

def floor(input: Any) -> Tensor:
    """The largest integer that is not above x"""

def floor_divide(input: Any, other: Any) -> Tensor:
    """floor(x / y), whose slope is 0"""

def fmax(input: Any, other: Any) -> Tensor:
    """The larger of x and y; a nan gives way"""

def fmin(input: Any, other: Any) -> Tensor:
    """The smaller of x and y; a nan gives way"""

def fmod(input: Any, other: Any) -> Tensor:
    """x - y * trunc(x / y), with the sign of x"""

def frac(input: Any) -> Tensor:
    """x without its whole part"""

def frexp(input: Any) -> Any:
    """Give m and whole n of which x = m * 2**n, where |m| is at least 1/2 and below 1."""

@overload
def gather(input: Any, axis: int, index: Any) -> Tensor:
    """Pick along `axis`, in each row by its own indices; of the other axes the first ones."""

@overload
def gather(input: Any, dim: int, index: Any) -> Tensor:
    """Pick along `axis`, in each row by its own indices; of the other axes the first ones."""

def ge(input: Any, other: Any) -> PlainArray:
    """Say where x >= other."""

def gelu(input: Any, approximate: Literal["none", "tanh"] = "none") -> Tensor:
    """x times the probability that a standard normal variable is below x.

    With `approximate="tanh"` nearly so (D. Hendrycks and K. Gimpel, "Gaussian error linear
    units", 2016). Raises ValueError for another form.
    """

def ger(input: Any, b: Any) -> Tensor:
    """Multiply every entry of a with every entry of b, to a matrix: out[i, j] = a[i] * b[j]."""

@overload
def glu(input: Any, axis: int = -1) -> Tensor:
    """Gate the first half of x along `axis` by the sigmoid of the second: a * sigmoid(b)."""

@overload
def glu(input: Any, dim: int = -1) -> Tensor:
    """Gate the first half of x along `axis` by the sigmoid of the second: a * sigmoid(b)."""

def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    """Estimate the derivative along each axis; see np.gradient."""

def greater(input: Any, other: Any) -> PlainArray:
    """Say where x > other."""

def greater_equal(input: Any, other: Any) -> PlainArray:
    """Say where x >= other."""

def gt(input: Any, other: Any) -> PlainArray:
    """Say where x > other."""

def hardswish(input: Any) -> Tensor:
    """x * relu6(x + 3) / 6"""

def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x limited to min_val <= x <= max_val; the slope at either is 0"""

def heaviside(input: Any, other: Any) -> Tensor:
    """0 where x is negative, y where it is 0, and 1 where it is positive"""

def hsplit(input: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the second axis, or the only one."""

def hstack(tensors: Any) -> Tensor:
    """Join side by side: along the second axis, or the only one."""

def hypot(input: Any, other: Any) -> Tensor:
    """sqrt(x**2 + y**2), without overflow"""

def i0(input: Any) -> Tensor:
    """iv(0, x)"""

def imag(input: Any) -> Tensor:
    """Give the imaginary part: `x.imag`."""

@overload
def index_add(input: Any, axis: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
    """Add the slices of `source`, `alpha` times, to those along `axis`."""

@overload
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
    """Add the slices of `source`, `alpha` times, to those along `axis`."""

@overload
def index_copy(input: Any, axis: int, index: Any, source: Any) -> Tensor:
    """Put the slices of `source` in the places of those along `axis`."""

@overload
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Tensor:
    """Put the slices of `source` in the places of those along `axis`."""

@overload
def index_fill(input: Any, axis: int, index: Any, value: Any) -> Tensor:
    """Put a number in all places of slices along `axis`."""

@overload
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Tensor:
    """Put a number in all places of slices along `axis`."""

def index_put(input: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Tensor:
    """Give x after x[indices] = values, or with them added where `accumulate`."""

@overload
def index_reduce(
    input: Any, axis: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Reduce the slices of `source` into those along `axis`: "prod", "mean", "amax", "amin"."""

@overload
def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Reduce the slices of `source` into those along `axis`: "prod", "mean", "amax", "amin"."""

@overload
def index_select(input: Any, axis: int, index: Any) -> Tensor:
    """Pick slices along `axis`."""

@overload
def index_select(input: Any, dim: int, index: Any) -> Tensor:
    """Pick slices along `axis`."""

def inner(input: Any, b: Any) -> Tensor:
    """Sum the products over the last axes of a and b."""

def inv(input: Any) -> Tensor:
    """The inverse of square matrices; raises LinAlgError if there is none"""

def inverse(input: Any) -> Tensor:
    """The inverse of square matrices; raises LinAlgError if there is none"""

def is_complex(input: Any) -> Tensor:
    """Say whether the entries are complex."""

def is_floating_point(input: Any) -> Any:
    """Say whether the entries are floating."""

def isclose(
    input: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False
) -> PlainArray:
    """Say where |x - other| <= atol + rtol * |other|."""

def isfinite(input: Any) -> PlainArray:
    """Say which entries are neither nan nor infinite."""

def isinf(input: Any) -> PlainArray:
    """Say which entries are infinite."""

def isnan(input: Any) -> PlainArray:
    """Say which entries are nan."""

def isneginf(input: Any) -> Any:
    """Say where x is minus infinity, as plain truth values."""

def isposinf(input: Any) -> Any:
    """Say where x is infinity, as plain truth values."""

def kron(input: Any, b: Any) -> Tensor:
    """Put a copy of b, times that entry, in place of every entry of a: Kronecker's product."""

@overload
def kthvalue(input: Any, k: int, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
    """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

    Raises ValueError unless there are k entries.
    """

@overload
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

    Raises ValueError unless there are k entries.
    """

def ldexp(input: Any, other: Any) -> Tensor:
    """Give x * 2**other."""

def le(input: Any, other: Any) -> PlainArray:
    """Say where x <= other."""

def leaky_relu(input: Any, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, else negative_slope * x"""

def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """Interpolate linearly: x + weight * (end - x)."""

def less(input: Any, other: Any) -> PlainArray:
    """Say where x < other."""

def less_equal(input: Any, other: Any) -> PlainArray:
    """Say where x <= other."""

def lgamma(input: Any) -> Tensor:
    """The logarithm of |gamma(x)|"""

def log(input: Any) -> Tensor:
    """The natural logarithm of x"""

def log10(input: Any) -> Tensor:
    """The logarithm of x to base 10"""

def log1p(input: Any) -> Tensor:
    """log(1 + x), exact near 0"""

def log2(input: Any) -> Tensor:
    """The logarithm of x to base 2"""

def log_sigmoid(input: Any) -> Tensor:
    """The logarithm of sigmoid, without overflow."""

@overload
def log_softmax(input: Any, axis: int = -1) -> Tensor:
    """The logarithm of softmax along `axis`"""

@overload
def log_softmax(input: Any, dim: int = -1) -> Tensor:
    """The logarithm of softmax along `axis`"""

def logaddexp(input: Any, other: Any) -> Tensor:
    """log(exp(x) + exp(y)), without overflow"""

def logaddexp2(input: Any, other: Any) -> Tensor:
    """log2(2**x + 2**y), without overflow"""

@overload
def logcumsumexp(input: Any, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The logsumexp up to each"""

@overload
def logcumsumexp(input: Any, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The logsumexp up to each"""

def logdet(input: Any) -> Tensor:
    """Give the logarithm of the determinant, nan where it is negative."""

def logical_and(input: Any, other: Any) -> PlainArray:
    """Say where neither is 0."""

def logical_not(input: Any) -> PlainArray:
    """Say which entries are 0."""

def logical_or(input: Any, other: Any) -> PlainArray:
    """Say where either is not 0."""

def logical_xor(input: Any, other: Any) -> PlainArray:
    """Say where exactly one is 0."""

def logit(input: Any, eps: float | None = None) -> Tensor:
    """Give log(x / (1 - x)), after x was limited to `eps` <= x <= 1 - eps."""

def logsigmoid(input: Any) -> Tensor:
    """The logarithm of sigmoid, without overflow."""

@overload
def logsumexp(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))), without overflow"""

@overload
def logsumexp(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))), without overflow"""

def lt(input: Any, other: Any) -> PlainArray:
    """Say where x < other."""

def lu(input: Any, pivot: bool = True, get_infos: bool = False) -> Tensor:
    """Give L and U packed into one matrix, and the row that each was exchanged for.

    With `get_infos` also what LAPACK says of each matrix: 0.
    """

def lu_solve(input: Any, LU_data: Any, LU_pivots: Any) -> Tensor:
    """Give the X for which A @ X is this tensor; `lu` has packed A."""

def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """Give P, L and U of what `lu` packs, so that P @ L @ U is what it was given.

    Without `unpack_data` P alone, without `unpack_pivots` L and U: nothing stands for the others.
    """

def masked_fill(input: Any, mask: Any, value: Any) -> Tensor:
    """Put `value` where `mask` is true."""

def masked_scatter(input: Any, mask: Any, source: Any) -> Tensor:
    """Put the entries of `source`, one after the other, where `mask` is true.

    Raises ValueError where there are too few.
    """

def masked_select(input: Any, mask: Any) -> Tensor:
    """Pick the entries where `mask`, broadcast, is true, in one row."""

def matmul(input: Any, other: Any) -> Tensor:
    """The matrix product"""

def matrix_exp(input: Any) -> Tensor:
    """Give the exponential of square matrices: 1 + A + A @ A / 2 + ...; needs SciPy."""

def matrix_power(input: Any, n: int) -> Tensor:
    """Give the n-th power of square matrices, of their inverses for negative n.

    Raises LinAlgError for matrices that are not square, or have no inverse where one is needed.
    """

@overload
def max(
    input: Any,
    axis: Axis | Tensor | Array | float = None,
    keepdims: bool = False,
    *,
    keepdim: bool = False,
) -> Tensor:
    """Give the largest entry along `axis`; with a tensor, array or float the larger of each.

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the first index gets the gradient.


    A whole number behind x is `dim`.
    """

@overload
def max(input: Any, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
    """Give the largest entry along `axis`; with a tensor, array or float the larger of each.

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the first index gets the gradient.


    A whole number behind x is `dim`.
    """

def maximum(input: Any, other: Any) -> Tensor:
    """The larger of x and y; nan if either is"""

@overload
def mean(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean: sum / n"""

@overload
def mean(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """The mean: sum / n"""

@overload
def median(
    input: Any, axis: Axis = None, keepdims: bool = False, *, keepdim: bool = False
) -> Tensor:
    """Give the middle one of the sorted entries, the lower of two (np.median: their mean).

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the index gets the gradient.


    A whole number behind x is `dim`.
    """

@overload
def median(input: Any, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
    """Give the middle one of the sorted entries, the lower of two (np.median: their mean).

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the index gets the gradient.


    A whole number behind x is `dim`.
    """

def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Repeat coordinates over a grid, an array for each axis: in order ("ij") or x first ("xy")."""

@overload
def min(
    input: Any,
    axis: Axis | Tensor | Array | float = None,
    keepdims: bool = False,
    *,
    keepdim: bool = False,
) -> Tensor:
    """Give the smallest entry along `axis`; with a tensor, array or float the smaller one.

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the first index gets the gradient.


    A whole number behind x is `dim`.
    """

@overload
def min(input: Any, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
    """Give the smallest entry along `axis`; with a tensor, array or float the smaller one.

    Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
    of which the first index gets the gradient.


    A whole number behind x is `dim`.
    """

def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of x and y; nan if either is"""

def mish(input: Any) -> Tensor:
    """x * tanh(softplus(x))."""

def mm(input: Any, other: Any) -> Tensor:
    """The matrix product"""

def mod(input: Any, other: Any) -> Tensor:
    """x - y * floor(x / y), with the sign of y"""

@overload
def mode(input: Any, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
    """Give the entry that is there most often along `axis`, and the index of the last of them.

    Of several such it is the smallest; nan counts as one value, larger than any number.
    """

@overload
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """Give the entry that is there most often along `axis`, and the index of the last of them.

    Of several such it is the smallest; nan counts as one value, larger than any number.
    """

def moveaxis(input: Any, source: Any, destination: Any) -> Tensor:
    """Move the axes `source` to the places `destination`; the others keep their order."""

def movedim(input: Any, source: Any, destination: Any) -> Tensor:
    """Move the axes `source` to the places `destination`; the others keep their order."""

def msort(input: Any) -> Tensor:
    """Sort along the first axis."""

def mul(input: Any, other: Any) -> Tensor:
    """x * y"""

def multiply(input: Any, other: Any) -> Tensor:
    """x * y"""

def mv(input: Any, other: Any) -> Tensor:
    """The matrix product"""

def mvlgamma(input: Any, p: int) -> Tensor:
    """Give the logarithm of the gamma function of p dimensions."""

def nan_to_num(
    input: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """x with `nan`, `posinf` and `neginf` in place of what is not finite"""

@overload
def nanmean(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Give the mean of the entries that are not nan."""

@overload
def nanmean(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """Give the mean of the entries that are not nan."""

@overload
def nanmedian(input: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Give the middle one of the entries that are not nan, the lower of two.

    Along an axis give PyTorch's pair of values and indices.
    """

@overload
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Give the middle one of the entries that are not nan, the lower of two.

    Along an axis give PyTorch's pair of values and indices.
    """

@overload
def nanquantile(
    input: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Tensor:
    """Give the value below which the fraction `q` of the entries that are not nan is."""

@overload
def nanquantile(
    input: Any, q: Any, dim: Axis = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Give the value below which the fraction `q` of the entries that are not nan is."""

@overload
def nansum(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Give the sum of the entries that are not nan."""

@overload
def nansum(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """Give the sum of the entries that are not nan."""

@overload
def narrow(input: Any, axis: int, start: int, length: int) -> Tensor:
    """Pick `length` slices along `axis` from `start` on.

    Raises ValueError unless there are so many.
    """

@overload
def narrow(input: Any, dim: int, start: int, length: int) -> Tensor:
    """Pick `length` slices along `axis` from `start` on.

    Raises ValueError unless there are so many.
    """

def ne(input: Any, other: Any) -> PlainArray:
    """Say where x != other."""

def neg(input: Any) -> Tensor:
    """-x"""

def negative(input: Any) -> Tensor:
    """-x"""

def nextafter(input: Any, other: Any) -> Tensor:
    """The next number to x in the direction of y"""

def nonzero(input: Any, *, as_tuple: Any = False) -> Any:
    """Give the indices of the entries that are not 0, a row for each; or, axis by axis."""

@overload
def norm(input: Any, p: Any = "fro", axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Give (sum |x|**p)**(1/p), over `axis` or all entries; its slope at 0 is 0.

    "fro" is 2; "nuc" the sum of the singular values of a matrix, which two axes make.
    """

@overload
def norm(input: Any, p: Any = "fro", dim: Axis = None, keepdim: bool = False) -> Tensor:
    """Give (sum |x|**p)**(1/p), over `axis` or all entries; its slope at 0 is 0.

    "fro" is 2; "nuc" the sum of the singular values of a matrix, which two axes make.
    """

def not_equal(input: Any, other: Any) -> PlainArray:
    """Say where x != other."""

def numel(input: Any) -> int:
    """Give the number of entries."""

def ormqr(
    input: Any, input2: Any, input3: Any, left: bool = True, transpose: bool = False
) -> Tensor:
    """Give Q @ input3, of reflections whose vectors are here and whose factors `input2` are."""

def outer(input: Any, b: Any) -> Tensor:
    """Multiply every entry of a with every entry of b, to a matrix: out[i, j] = a[i] * b[j]."""

def permute(input: Any, *axes: Any, dims: Any = None) -> Tensor:
    """Put the axes in the order `axes`, or `dims`."""

def pinv(input: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """Give the pseudo-inverse (Moore and Penrose); singular values up to `rcond` count as 0."""

def pinverse(input: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """Give the pseudo-inverse (Moore and Penrose); singular values up to `rcond` count as 0."""

def polar(abs: Any, angle: Any) -> Tensor:
    """Make the complex numbers of these absolute values and angles: abs * exp(i angle)."""

def polygamma(input: Any, n: int) -> Tensor:
    """Give the n-th derivative of digamma."""

def positive(input: Any) -> Tensor:
    """+x"""

def pow(input: Any, other: Any) -> Tensor:
    """x to the power y"""

def power(input: Any, other: Any) -> Tensor:
    """x to the power y"""

@overload
def prod(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product"""

@overload
def prod(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """The product"""

def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """Put the entries of `source` in places counted in order, or add them to what is there."""

def qr(input: Any, some: bool = True) -> QRResult:
    """Give Q and R for which x = Q @ R; Q is square if not `some`."""

@overload
def quantile(
    input: Any,
    q: Any,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    method: str = "linear",
    weights: Any = None,
) -> Tensor:
    """Give the value below which the fraction `q` of the entries is, a number or an array of them.

    Between two entries `method` decides, as in NumPy: "linear", "lower", "higher", "midpoint",
    "nearest", "hazen" and others. The axes of q come first. `weights` say how much each entry
    counts, with method "inverted_cdf". Raises ValueError for q outside 0 to 1 or another method.
    """

@overload
def quantile(
    input: Any,
    q: Any,
    dim: Axis = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    weights: Any = None,
) -> Tensor:
    """Give the value below which the fraction `q` of the entries is, a number or an array of them.

    Between two entries `method` decides, as in NumPy: "linear", "lower", "higher", "midpoint",
    "nearest", "hazen" and others. The axes of q come first. `weights` say how much each entry
    counts, with method "inverted_cdf". Raises ValueError for q outside 0 to 1 or another method.
    """

def rad2deg(input: Any) -> Tensor:
    """Radians in degrees"""

def radians(input: Any) -> Tensor:
    """Degrees in radians"""

def ravel(input: Any, order: str | None = "C") -> Tensor:
    """Arrange the entries in one axis; with `order` "F" the first axis runs fastest."""

def real(input: Any) -> Tensor:
    """Give the real part: `x.real`."""

def reciprocal(input: Any) -> Tensor:
    """1 / x"""

def relu(input: Any) -> Tensor:
    """max(x, 0)"""

def relu6(input: Any) -> Tensor:
    """Limit x to 0 <= x <= 6."""

def remainder(input: Any, other: Any) -> Tensor:
    """x - y * floor(x / y), with the sign of y"""

@overload
def renorm(input: Any, p: float, axis: int, maxnorm: float) -> Tensor:
    """Scale the slices along `axis` whose norm of order p is above `maxnorm` down to it."""

@overload
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Tensor:
    """Scale the slices along `axis` whose norm of order p is above `maxnorm` down to it."""

@overload
def repeat_interleave(input: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each entry along `axis`, or each of all, as np.repeat."""

@overload
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None) -> Tensor:
    """Repeat each entry along `axis`, or each of all, as np.repeat."""

def reshape(input: Any, *shape: Any, order: str | None = "C") -> Tensor:
    """Arrange the entries in `shape`, of which one size may be -1.

    They keep their order, in which the last axis runs fastest, or with `order` "F" the first.
    """

def resolve_conj(input: Any) -> Tensor:
    """Give the tensor as it is: no conjugate waits to be computed."""

def resolve_neg(input: Any) -> Tensor:
    """Give the tensor as it is: no conjugate waits to be computed."""

def rint(input: Any) -> Tensor:
    """The nearest integer; halves go to the even one"""

def roll(input: Any, shifts: Any, dims: Any = None) -> Tensor:
    """Shift the entries along `dims`, or all in one row; the last ones come in first."""

@overload
def rot90(input: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turn the plane of `axes` by 90 degrees, `k` times, from the first towards the second."""

@overload
def rot90(input: Any, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Tensor:
    """Turn the plane of `axes` by 90 degrees, `k` times, from the first towards the second."""

def round(input: Any, decimals: int = 0) -> Tensor:
    """x to `decimals` places; halves go to the even neighbour"""

def rsqrt(input: Any) -> Tensor:
    """1 / sqrt(x)"""

def rsub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Give other - alpha * x."""

@overload
def scatter(
    input: Any, axis: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """Put the entries of `src`, or a number, in the places that `gather` would pick for them.

    With `reduce` "add" or "multiply" they are added to what is there, or multiply it.
    """

@overload
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """Put the entries of `src`, or a number, in the places that `gather` would pick for them.

    With `reduce` "add" or "multiply" they are added to what is there, or multiply it.
    """

@overload
def scatter_add(input: Any, axis: int, index: Any, src: Any) -> Tensor:
    """Add the entries of `src`, each to the entry of x that `gather` would pick for it."""

@overload
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Tensor:
    """Add the entries of `src`, each to the entry of x that `gather` would pick for it."""

@overload
def scatter_reduce(
    input: Any, axis: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Reduce the entries of `src` in the places that `gather` would pick for them.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; with what is there if `include_self`.
    """

@overload
def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Reduce the entries of `src` in the places that `gather` would pick for them.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; with what is there if `include_self`.
    """

@overload
def select(input: Any, axis: int, index: int) -> Tensor:
    """Pick one slice along `axis`, without that axis."""

@overload
def select(input: Any, dim: int, index: int) -> Tensor:
    """Pick one slice along `axis`, without that axis."""

@overload
def select_scatter(input: Any, src: Any, axis: int, index: int) -> Tensor:
    """Put `src` in the place of one slice along `axis`."""

@overload
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Tensor:
    """Put `src` in the place of one slice along `axis`."""

def selu(input: Any) -> Tensor:
    """Scale elu so that a deep network's activations keep mean 0 and variance 1."""

def sgn(input: Any) -> Tensor:
    """x / |x| and 0 at 0: -1, 0 or 1, as x is negative, zero or positive"""

def sigmoid(input: Any) -> Tensor:
    """1 / (1 + exp(-x))"""

def sign(input: Any) -> Tensor:
    """x / |x| and 0 at 0: -1, 0 or 1, as x is negative, zero or positive"""

def signbit(input: Any) -> Any:
    """Say where the sign is minus, as plain truth values."""

def silu(input: Any) -> Tensor:
    """x * sigmoid(x)."""

def sin(input: Any) -> Tensor:
    """The sine of x (radians)"""

def sinc(input: Any) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0"""

def sinh(input: Any) -> Tensor:
    """(exp(x) - exp(-x)) / 2"""

@overload
def slice_scatter(
    input: Any,
    src: Any,
    axis: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """Put `src` in the place of x[start:end:step] along `axis`."""

@overload
def slice_scatter(
    input: Any,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """Put `src` in the place of x[start:end:step] along `axis`."""

def slogdet(input: Any) -> SlogdetResult:
    """Give the sign of the determinant, and the logarithm of its absolute value."""

@overload
def softmax(input: Any, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`"""

@overload
def softmax(input: Any, dim: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`"""

@overload
def softmin(input: Any, axis: int = -1) -> Tensor:
    """Compute the softmax of -x along `axis`."""

@overload
def softmin(input: Any, dim: int = -1) -> Tensor:
    """Compute the softmax of -x along `axis`."""

def softplus(input: Any, beta: float = 1.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, a smooth relu; without overflow"""

def softsign(input: Any) -> Tensor:
    """x / (1 + |x|)"""

@overload
def sort(
    input: Any, axis: int | None = -1, descending: bool = False, *, stable: bool = True
) -> Tensor:
    """Sort along `axis`. Along `dim` give PyTorch's pair of values and indices.

    A nan is larger than any number. Ties keep their order, `stable` or not.


    A whole number behind x is `dim`.
    """

@overload
def sort(input: Any, *, dim: int, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Sort along `axis`. Along `dim` give PyTorch's pair of values and indices.

    A nan is larger than any number. Ties keep their order, `stable` or not.


    A whole number behind x is `dim`.
    """

@overload
def split(input: Any, split_size: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cut into parts of that size, the last one smaller if need be, or of these sizes."""

@overload
def split(input: Any, split_size: int | Sequence[int], dim: int = 0) -> list[Tensor]:
    """Cut into parts of that size, the last one smaller if need be, or of these sizes."""

@overload
def split_with_sizes(input: Any, split_sizes: Sequence[int], axis: int = 0) -> Any:
    """Cut into parts of these sizes."""

@overload
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """Cut into parts of these sizes."""

def sqrt(input: Any) -> Tensor:
    """The square root of x"""

def square(input: Any) -> Tensor:
    """x * x"""

@overload
def squeeze(input: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Leave out the axes of size 1, or of those named the ones that have it."""

@overload
def squeeze(input: Any, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Leave out the axes of size 1, or of those named the ones that have it."""

def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors of one shape along a new axis."""

@overload
def std(
    input: Any,
    axis: Axis = None,
    correction: float | None = 1,
    keepdims: bool = False,
    *,
    unbiased: bool = True,
) -> Tensor:
    """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""

@overload
def std(
    input: Any,
    dim: Axis = None,
    correction: float | None = 1,
    keepdim: bool = False,
    *,
    unbiased: bool = True,
) -> Tensor:
    """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""

def std_mean(
    input: Any, axis: Any = None, correction: float = 1, keepdims: bool = False, **options: Any
) -> tuple[Tensor, Tensor]:
    """Give the standard deviation and the mean; see the two."""

def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Give x - alpha * other."""

def subtract(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Give x - alpha * other."""

@overload
def sum(input: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum"""

@overload
def sum(input: Any, dim: Axis = None, keepdim: bool = False) -> Tensor:
    """The sum"""

def sum_to_size(input: Any, *size: Any) -> Tensor:
    """Sum over what broadcasting from `size` would have repeated."""

def svd(input: Any, some: bool = True) -> TorchSVDResult:
    """Give U, S and V (np.linalg.svd: Vh) for which x = (U * S) @ V.mH; full if not `some`."""

def swapaxes(input: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""

@overload
def swapdims(input: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""

@overload
def swapdims(input: Any, dim0: int, dim1: int) -> Tensor:
    """Exchange two axes."""

def t(input: Any) -> Tensor:
    """Exchange the axes of a matrix. Raises ValueError for more than two."""

@overload
def take(input: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Tensor:
    """Pick entries along `axis`, or of all in one row; the axes of `indices` replace it.

    In `mode` "wrap" the numbers go on from the start, in "clip" no further than the ends.
    """

@overload
def take(input: Any, indices: Any, dim: int | None = None, *, mode: str = "raise") -> Tensor:
    """Pick entries along `axis`, or of all in one row; the axes of `indices` replace it.

    In `mode` "wrap" the numbers go on from the start, in "clip" no further than the ends.
    """

def take_along_axis(input: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Pick along `axis`, in each row by its own indices, as argsort and argmax give them.

    Along the other axes x and `indices` broadcast.
    """

@overload
def take_along_dim(input: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Pick along `axis` as take_along_axis, or of all entries in one row."""

@overload
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """Pick along `axis` as take_along_axis, or of all entries in one row."""

def tan(input: Any) -> Tensor:
    """The tangent of x (radians)"""

def tanh(input: Any) -> Tensor:
    """sinh(x) / cosh(x)"""

@overload
def tensor_split(input: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut into that many parts, the first ones larger by one if need be, or before indices."""

@overload
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """Cut into that many parts, the first ones larger by one if need be, or before indices."""

def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Sum products over the last `dims` axes of a and the first of b, or over pairs of axes.

    Of a pair, one may have size 1, and is repeated.
    """

def tile(input: Any, *sizes: Any) -> Tensor:
    """Lay the whole of x side by side, that many times along each axis (np.repeat: entries)."""

@overload
def topk(
    input: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """Give the `k` largest entries along `axis`, or the smallest, in order; and their indices.

    A nan is larger than any number.
    """

@overload
def topk(
    input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """Give the `k` largest entries along `axis`, or the smallest, in order; and their indices.

    A nan is larger than any number.
    """

def trace(input: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
    """Sum the diagonal of the planes of two axes."""

def transpose(input: Any, *axes: Any, dim0: int | None = None, dim1: int | None = None) -> Tensor:
    """Exchange two axes; of none, reverse them all; of more, put them in that order."""

@overload
def trapezoid(input: Any, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
    """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""

@overload
def trapezoid(input: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""

@overload
def trapz(input: Any, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
    """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""

@overload
def trapz(input: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""

def triangular_solve(
    input: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolution:
    """Give the X for which A @ X is this tensor, of the triangle of A; and A itself."""

@overload
def tril(input: Any, k: int = 0) -> Tensor:
    """Keep the entries on and below the `k`-th diagonal; the others become 0."""

@overload
def tril(input: Any, diagonal: int = 0) -> Tensor:
    """Keep the entries on and below the `k`-th diagonal; the others become 0."""

@overload
def triu(input: Any, k: int = 0) -> Tensor:
    """Keep the entries on and above the `k`-th diagonal; the others become 0."""

@overload
def triu(input: Any, diagonal: int = 0) -> Tensor:
    """Keep the entries on and above the `k`-th diagonal; the others become 0."""

def true_divide(input: Any, other: Any) -> Tensor:
    """x / y"""

def trunc(input: Any) -> Tensor:
    """x without its fractional part"""

@overload
def unbind(input: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Give the slices along `axis`, without that axis."""

@overload
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Give the slices along `axis`, without that axis."""

@overload
def unflatten(input: Any, axis: int, sizes: Sequence[int]) -> Tensor:
    """Part an axis into several of these sizes; one may be -1."""

@overload
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """Part an axis into several of these sizes; one may be -1."""

def unfold(input: Any, dimension: int, size: int, step: int) -> Tensor:
    """Show the windows of `size` entries along an axis, `step` apart, along a new last axis.

    Raises ValueError if a window is larger than that.
    """

def unique(
    input: Any,
    sorted: Any = True,
    return_inverse: Any = False,
    return_counts: Any = False,
    dim: Any = None,
) -> Any:
    """Give the different entries in order, or slices along `dim`.

    If asked for, also where in them each entry is, and how often each is there.
    """

@overload
def unsqueeze(input: Any, axis: int) -> Tensor:
    """Put in an axis of size 1 at the place `axis`."""

@overload
def unsqueeze(input: Any, dim: int) -> Tensor:
    """Put in an axis of size 1 at the place `axis`."""

def vander(input: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """Give the powers of each entry as a row, the highest first unless `increasing`."""

@overload
def var(
    input: Any,
    axis: Axis = None,
    correction: float | None = 1,
    keepdims: bool = False,
    *,
    unbiased: bool = True,
) -> Tensor:
    """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""

@overload
def var(
    input: Any,
    dim: Axis = None,
    correction: float | None = 1,
    keepdim: bool = False,
    *,
    unbiased: bool = True,
) -> Tensor:
    """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""

def var_mean(
    input: Any, axis: Any = None, correction: float = 1, keepdims: bool = False, **options: Any
) -> tuple[Tensor, Tensor]:
    """Give the variance and the mean; see the two."""

def vdot(input: Any, b: Any) -> Tensor:
    """Sum the products of all entries, in their order: of the conjugates in a."""

def view_as_complex(input: Any) -> Tensor:
    """Make complex numbers of real and imaginary parts: x[..., 0] + i x[..., 1].

    >>> view_as_complex([[1.0, 2.0]])
    Tensor([1.+2.j], dtype=complex128, requires_grad=False)
    """

def view_as_real(input: Any) -> Tensor:
    """Give real and imaginary parts side by side, in a new last axis of size 2.

    >>> view_as_real([1 + 2j])
    Tensor([[1., 2.]], requires_grad=False)
    """

def vsplit(input: Any, indices_or_sections: Any) -> list[Tensor]:
    """Split along the first axis."""

def vstack(tensors: Any) -> Tensor:
    """Join as rows: along the first axis of at least two."""

def where(condition: Any, *choices: Any) -> Any:
    """Take the first choice where `condition` holds, else the second; the three broadcast.

    Of the condition alone, give the indices where it holds, axis by axis.
    """

def xlogy(input: Any, other: Any) -> Tensor:
    """x * log(y), and 0 where x is 0"""
