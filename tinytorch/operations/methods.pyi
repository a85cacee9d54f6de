"""The methods of a tensor that are operations, as a type checker sees them.

Written by `make stub` from the class; don't edit.
"""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy.typing as npt

from tinytorch.engine import Array
from tinytorch.operations.decompositions import QRResult
from tinytorch.operations.factorizations import TriangularSolution
from tinytorch.operations.indexing import ValuesIndices
from tinytorch.operations.linalg import SlogdetResult, TorchSVDResult
from tinytorch.operations.reductions import Axis
from tinytorch.operations.shape import Size
from tinytorch.operations.torch_names import MinMax
from tinytorch.tensor import Tensor

class Methods:
    """What a tensor can compute."""
    @property
    def real(self) -> Tensor:
        """The real part; of real numbers, the tensor itself."""
    @property
    def imag(self) -> Tensor:
        """The imaginary part, which is 0 for real numbers."""
    @property
    def H(self) -> Tensor:
        """The matrix transposed and conjugated."""
    @property
    def mH(self) -> Tensor:
        """The matrices in the last two axes, transposed and conjugated."""
    def conj(self) -> Tensor:
        """The complex conjugate: the real part - imag * i"""
    def conj_physical(self) -> Tensor:
        """The complex conjugate: the real part - imag * i"""
    def conjugate(self) -> Tensor:
        """The complex conjugate: the real part - imag * i"""
    def angle(self) -> Tensor:
        """The angle of x in the complex plane, from -pi to pi; its slope at 0 is 0"""
    def resolve_conj(self) -> Tensor:
        """Give the tensor as it is: no conjugate waits to be computed."""
    def resolve_neg(self) -> Tensor:
        """Give the tensor as it is: no conjugate waits to be computed."""
    def adjoint(self) -> Tensor:
        """Give the matrices in the last two axes, transposed and conjugated: `x.mH`."""
    def matrix_exp(self) -> Tensor:
        """Give the exponential of square matrices: 1 + A + A @ A / 2 + ...; needs SciPy."""
    def frac(self) -> Tensor:
        """x without its whole part"""
    def digamma(self) -> Tensor:
        """The derivative of gammaln"""
    def lgamma(self) -> Tensor:
        """The logarithm of |gamma(x)|"""
    def erfc(self) -> Tensor:
        """1 - erf(x)"""
    def erfinv(self) -> Tensor:
        """The inverse of erf"""
    def i0(self) -> Tensor:
        """iv(0, x)"""
    def heaviside(self, other: Any) -> Tensor:
        """0 where x is negative, y where it is 0, and 1 where it is positive"""
    def nextafter(self, other: Any) -> Tensor:
        """The next number to x in the direction of y"""
    def vander(self, N: int | None = None, increasing: bool = False) -> Tensor:
        """Give the powers of each entry as a row, the highest first unless `increasing`."""
    def corrcoef(self, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
        """Give the correlations of the rows of x (and y): their covariances by both deviations."""
    def logit(self, eps: float | None = None) -> Tensor:
        """Give log(x / (1 - x)), after x was limited to `eps` <= x <= 1 - eps."""
    def polygamma(self, n: int) -> Tensor:
        """Give the n-th derivative of digamma."""
    def mvlgamma(self, p: int) -> Tensor:
        """Give the logarithm of the gamma function of p dimensions."""
    def clamp_min(self, min: Any) -> Tensor:
        """Limit the entries to x >= min."""
    def clamp_max(self, max: Any) -> Tensor:
        """Limit the entries to x <= max."""
    def rsub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Give other - alpha * x."""
    def ldexp(self, other: Any) -> Tensor:
        """Give x * 2**other."""
    def frexp(self) -> Any:
        """Give m and whole n of which x = m * 2**n, where |m| is at least 1/2 and below 1."""
    @overload
    def aminmax(self, axis: Axis = None, keepdims: bool = False) -> MinMax:
        """Give the smallest entry and the largest; ties share the gradient."""
    @overload
    def aminmax(self, dim: Axis = None, keepdim: bool = False) -> MinMax:
        """Give the smallest entry and the largest; ties share the gradient."""
    @overload
    def nanmedian(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the middle one of the entries that are not nan, the lower of two.

        Along an axis give PyTorch's pair of values and indices.
        """
    @overload
    def nanmedian(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Give the middle one of the entries that are not nan, the lower of two.

        Along an axis give PyTorch's pair of values and indices.
        """
    @overload
    def nanquantile(
        self, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
    ) -> Tensor:
        """Give the value below which the fraction `q` of the entries that are not nan is."""
    @overload
    def nanquantile(
        self, q: Any, dim: Axis = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> Tensor:
        """Give the value below which the fraction `q` of the entries that are not nan is."""
    def msort(self) -> Tensor:
        """Sort along the first axis."""
    def cov(self, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
        """Give the covariances of the rows: sum((x - mean) (y - mean)) / (n - correction)."""
    def dist(self, other: Any, p: float = 2) -> Tensor:
        """Give the norm of x - other, of order p."""
    def cdist(self, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
        """Give the distance of each row of x to each of `x2`, by the norm of order p."""
    @overload
    def renorm(self, p: float, axis: int, maxnorm: float) -> Tensor:
        """Scale the slices along `axis` whose norm of order p is above `maxnorm` down to it."""
    @overload
    def renorm(self, p: float, dim: int, maxnorm: float) -> Tensor:
        """Scale the slices along `axis` whose norm of order p is above `maxnorm` down to it."""
    def sum_to_size(self, *size: Any) -> Tensor:
        """Sum over what broadcasting from `size` would have repeated."""
    @overload
    def tensor_split(self, indices_or_sections: Any, axis: int = 0) -> Any:
        """Cut into that many parts, the first ones larger by one if need be, or before indices."""
    @overload
    def tensor_split(self, indices_or_sections: Any, dim: int = 0) -> Any:
        """Cut into that many parts, the first ones larger by one if need be, or before indices."""
    @overload
    def split_with_sizes(self, split_sizes: Sequence[int], axis: int = 0) -> Any:
        """Cut into parts of these sizes."""
    @overload
    def split_with_sizes(self, split_sizes: Sequence[int], dim: int = 0) -> Any:
        """Cut into parts of these sizes."""
    @overload
    def trapezoid(self, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
        """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    @overload
    def trapezoid(self, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
        """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    @overload
    def trapz(self, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
        """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    @overload
    def trapz(self, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
        """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
    @overload
    def cumulative_trapezoid(self, x: Any = None, *, dx: float = 1, axis: int = -1) -> Tensor:
        """Integrate up to each entry but the first, by trapezoids."""
    @overload
    def cumulative_trapezoid(self, x: Any = None, *, dx: float = 1, dim: int = -1) -> Tensor:
        """Integrate up to each entry but the first, by trapezoids."""
    def gradient(self, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
        """Estimate the derivative along each axis; see np.gradient."""
    def cholesky_solve(self, L: Any, upper: bool = False) -> Tensor:
        """Give the X of which (L @ L.mH) @ X is this tensor; L is a factor of Cholesky's."""
    def cholesky_inverse(self, upper: bool = False) -> Tensor:
        """Give the inverse of L @ L.mH; this tensor is L."""
    def signbit(self) -> Any:
        """Say where the sign is minus, as plain truth values."""
    def isposinf(self) -> Any:
        """Say where x is infinity, as plain truth values."""
    def isneginf(self) -> Any:
        """Say where x is minus infinity, as plain truth values."""
    def argwhere(self) -> Any:
        """Give the indices of the entries that are not 0, as plain rows."""
    @overload
    def scatter(
        self, axis: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
    ) -> Tensor:
        """Put the entries of `src`, or a number, in the places that `gather` would pick for them.

        With `reduce` "add" or "multiply" they are added to what is there, or multiply it.
        """
    @overload
    def scatter(
        self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
    ) -> Tensor:
        """Put the entries of `src`, or a number, in the places that `gather` would pick for them.

        With `reduce` "add" or "multiply" they are added to what is there, or multiply it.
        """
    @overload
    def scatter_reduce(
        self, axis: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """Reduce the entries of `src` in the places that `gather` would pick for them.

        `reduce` is "sum", "prod", "mean", "amax" or "amin"; with what is there if `include_self`.
        """
    @overload
    def scatter_reduce(
        self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """Reduce the entries of `src` in the places that `gather` would pick for them.

        `reduce` is "sum", "prod", "mean", "amax" or "amin"; with what is there if `include_self`.
        """
    @overload
    def index_copy(self, axis: int, index: Any, source: Any) -> Tensor:
        """Put the slices of `source` in the places of those along `axis`."""
    @overload
    def index_copy(self, dim: int, index: Any, source: Any) -> Tensor:
        """Put the slices of `source` in the places of those along `axis`."""
    @overload
    def index_fill(self, axis: int, index: Any, value: Any) -> Tensor:
        """Put a number in all places of slices along `axis`."""
    @overload
    def index_fill(self, dim: int, index: Any, value: Any) -> Tensor:
        """Put a number in all places of slices along `axis`."""
    @overload
    def index_add(self, axis: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
        """Add the slices of `source`, `alpha` times, to those along `axis`."""
    @overload
    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
        """Add the slices of `source`, `alpha` times, to those along `axis`."""
    @overload
    def index_reduce(
        self, axis: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """Reduce the slices of `source` into those along `axis`: "prod", "mean", "amax", "amin"."""
    @overload
    def index_reduce(
        self, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """Reduce the slices of `source` into those along `axis`: "prod", "mean", "amax", "amin"."""
    def index_put(self, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Tensor:
        """Give x after x[indices] = values, or with them added where `accumulate`."""
    def put(self, index: Any, source: Any, accumulate: bool = False) -> Tensor:
        """Put the entries of `source` in places counted in order, or add them to what is there."""
    def masked_scatter(self, mask: Any, source: Any) -> Tensor:
        """Put the entries of `source`, one after the other, where `mask` is true.

        Raises ValueError where there are too few.
        """
    @overload
    def select_scatter(self, src: Any, axis: int, index: int) -> Tensor:
        """Put `src` in the place of one slice along `axis`."""
    @overload
    def select_scatter(self, src: Any, dim: int, index: int) -> Tensor:
        """Put `src` in the place of one slice along `axis`."""
    @overload
    def slice_scatter(
        self,
        src: Any,
        axis: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Tensor:
        """Put `src` in the place of x[start:end:step] along `axis`."""
    @overload
    def slice_scatter(
        self,
        src: Any,
        dim: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Tensor:
        """Put `src` in the place of x[start:end:step] along `axis`."""
    def as_strided_scatter(
        self, src: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
    ) -> Tensor:
        """Put `src` in the places that `as_strided` would pick."""
    @overload
    def diagonal_scatter(self, src: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Put `src` in the place of a diagonal."""
    @overload
    def diagonal_scatter(self, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """Put `src` in the place of a diagonal."""
    @overload
    def diag_embed(self, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Tensor:
        """Put the rows along the last axis on diagonals of matrices, in two axes of the result."""
    @overload
    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
        """Put the rows along the last axis on diagonals of matrices, in two axes of the result."""
    @overload
    def narrow(self, axis: int, start: int, length: int) -> Tensor:
        """Pick `length` slices along `axis` from `start` on.

        Raises ValueError unless there are so many.
        """
    @overload
    def narrow(self, dim: int, start: int, length: int) -> Tensor:
        """Pick `length` slices along `axis` from `start` on.

        Raises ValueError unless there are so many.
        """
    def fill(self, value: Any) -> Tensor:
        """Give a tensor like x of one number."""
    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (mat @ vec)."""
    def addr(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * outer(vec1, vec2)."""
    def addbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (the sum of the products of the matrices)."""
    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give beta * x + alpha * (batch1 @ batch2)."""
    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Give x + value * tensor1 * tensor2."""
    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Give x + value * tensor1 / tensor2."""
    def lu(self, pivot: bool = True, get_infos: bool = False) -> Tensor:
        """Give L and U packed into one matrix, and the row that each was exchanged for.

        With `get_infos` also what LAPACK says of each matrix: 0.
        """
    def lu_solve(self, LU_data: Any, LU_pivots: Any) -> Tensor:
        """Give the X for which A @ X is this tensor; `lu` has packed A."""
    def triangular_solve(
        self, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
    ) -> TriangularSolution:
        """Give the X for which A @ X is this tensor, of the triangle of A; and A itself."""
    def ormqr(self, input2: Any, input3: Any, left: bool = True, transpose: bool = False) -> Tensor:
        """Give Q @ input3, of reflections whose vectors are here and whose factors `input2` are."""
    @overload
    def norm(self, p: Any = "fro", axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Give (sum |x|**p)**(1/p), over `axis` or all entries; its slope at 0 is 0.

        "fro" is 2; "nuc" the sum of the singular values of a matrix, which two axes make.
        """
    @overload
    def norm(self, p: Any = "fro", dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Give (sum |x|**p)**(1/p), over `axis` or all entries; its slope at 0 is 0.

        "fro" is 2; "nuc" the sum of the singular values of a matrix, which two axes make.
        """
    def __matmul__(self, other: Any) -> Tensor:
        """The matrix product"""
    def matmul(self, other: Any) -> Tensor:
        """The matrix product"""
    def mm(self, other: Any) -> Tensor:
        """The matrix product"""
    def bmm(self, other: Any) -> Tensor:
        """The matrix product"""
    def mv(self, other: Any) -> Tensor:
        """The matrix product"""
    def __rmatmul__(self, other: Any) -> Tensor:
        """The matrix product with the operands exchanged."""
    def addmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """Give alpha * mat1 @ mat2 + beta * self: of (n, k), (k, m) and (m,), say, (n, m).

        The sum broadcasts, and the factors are all that `@` takes. Raises ValueError for shapes
        that don't fit.
        """
    def dot(self, b: Any) -> Tensor:
        """Sum the products over the last axis of a and the last but one of b, or its only one."""
    def inner(self, b: Any) -> Tensor:
        """Sum the products over the last axes of a and b."""
    def vdot(self, b: Any) -> Tensor:
        """Sum the products of all entries, in their order: of the conjugates in a."""
    def kron(self, b: Any) -> Tensor:
        """Put a copy of b, times that entry, in place of every entry of a: Kronecker's product."""
    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
        """Sum the diagonal of the planes of two axes."""
    def matrix_power(self, n: int) -> Tensor:
        """Give the n-th power of square matrices, of their inverses for negative n.

        Raises LinAlgError for matrices that are not square, or have no inverse where one is needed.
        """
    def outer(self, b: Any) -> Tensor:
        """Multiply every entry of a with every entry of b, to a matrix: out[i, j] = a[i] * b[j]."""
    def ger(self, b: Any) -> Tensor:
        """Multiply every entry of a with every entry of b, to a matrix: out[i, j] = a[i] * b[j]."""
    @overload
    def cross(self, other: Any, axis: int | None = None) -> Tensor:
        """Give the vector product along `axis`, or along the first axis of size 3.

        >>> from tinytorch import Tensor
        >>> Tensor([1.0, 0.0, 0.0]).cross([0.0, 1.0, 0.0])
        Tensor([0., 0., 1.])
        """
    @overload
    def cross(self, other: Any, dim: int | None = None) -> Tensor:
        """Give the vector product along `axis`, or along the first axis of size 3.

        >>> from tinytorch import Tensor
        >>> Tensor([1.0, 0.0, 0.0]).cross([0.0, 1.0, 0.0])
        Tensor([0., 0., 1.])
        """
    def inverse(self) -> Tensor:
        """The inverse of square matrices; raises LinAlgError if there is none"""
    def inv(self) -> Tensor:
        """The inverse of square matrices; raises LinAlgError if there is none"""
    def det(self) -> Tensor:
        """The determinant of square matrices"""
    def slogdet(self) -> SlogdetResult:
        """Give the sign of the determinant, and the logarithm of its absolute value."""
    def pinverse(self, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
        """Give the pseudo-inverse (Moore and Penrose); singular values up to `rcond` count as 0."""
    def pinv(self, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
        """Give the pseudo-inverse (Moore and Penrose); singular values up to `rcond` count as 0."""
    def logdet(self) -> Tensor:
        """Give the logarithm of the determinant, nan where it is negative."""
    def cholesky(self, upper: bool = False) -> Tensor:
        """Give the lower triangle L for which x = L @ L.mH, or the upper one: x = U.mH @ U."""
    def qr(self, some: bool = True) -> QRResult:
        """Give Q and R for which x = Q @ R; Q is square if not `some`."""
    def svd(self, some: bool = True) -> TorchSVDResult:
        """Give U, S and V (np.linalg.svd: Vh) for which x = (U * S) @ V.mH; full if not `some`."""
    def take_along_axis(self, indices: Any, axis: int | None = -1) -> Tensor:
        """Pick along `axis`, in each row by its own indices, as argsort and argmax give them.

        Along the other axes x and `indices` broadcast.
        """
    @overload
    def take(self, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Tensor:
        """Pick entries along `axis`, or of all in one row; the axes of `indices` replace it.

        In `mode` "wrap" the numbers go on from the start, in "clip" no further than the ends.
        """
    @overload
    def take(self, indices: Any, dim: int | None = None, *, mode: str = "raise") -> Tensor:
        """Pick entries along `axis`, or of all in one row; the axes of `indices` replace it.

        In `mode` "wrap" the numbers go on from the start, in "clip" no further than the ends.
        """
    def __getitem__(self, index: Any) -> Tensor:
        """"""
    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """Pick the slices along `axis` for which the condition holds."""
    @overload
    def take_along_dim(self, indices: Any, axis: int | None = None) -> Tensor:
        """Pick along `axis` as take_along_axis, or of all entries in one row."""
    @overload
    def take_along_dim(self, indices: Any, dim: int | None = None) -> Tensor:
        """Pick along `axis` as take_along_axis, or of all entries in one row."""
    @overload
    def select(self, axis: int, index: int) -> Tensor:
        """Pick one slice along `axis`, without that axis."""
    @overload
    def select(self, dim: int, index: int) -> Tensor:
        """Pick one slice along `axis`, without that axis."""
    @overload
    def index_select(self, axis: int, index: Any) -> Tensor:
        """Pick slices along `axis`."""
    @overload
    def index_select(self, dim: int, index: Any) -> Tensor:
        """Pick slices along `axis`."""
    @overload
    def gather(self, axis: int, index: Any) -> Tensor:
        """Pick along `axis`, in each row by its own indices; of the other axes the first ones."""
    @overload
    def gather(self, dim: int, index: Any) -> Tensor:
        """Pick along `axis`, in each row by its own indices; of the other axes the first ones."""
    def as_strided(
        self, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
    ) -> Tensor:
        """Pick from all entries in one row, in strides: y[i, j] = row[offset + i * s + j * t]."""
    @overload
    def scatter_add(self, axis: int, index: Any, src: Any) -> Tensor:
        """Add the entries of `src`, each to the entry of x that `gather` would pick for it."""
    @overload
    def scatter_add(self, dim: int, index: Any, src: Any) -> Tensor:
        """Add the entries of `src`, each to the entry of x that `gather` would pick for it."""
    def masked_select(self, mask: Any) -> Tensor:
        """Pick the entries where `mask`, broadcast, is true, in one row."""
    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """Put `value` where `mask` is true."""
    @overload
    def sort(
        self, axis: int | None = -1, descending: bool = False, *, stable: bool = True
    ) -> Tensor:
        """Sort along `axis`. Along `dim` give PyTorch's pair of values and indices.

        A nan is larger than any number. Ties keep their order, `stable` or not.
        """
    @overload
    def sort(self, *, dim: int, descending: bool = False, stable: bool = True) -> ValuesIndices:
        """Sort along `axis`. Along `dim` give PyTorch's pair of values and indices.

        A nan is larger than any number. Ties keep their order, `stable` or not.
        """
    @overload
    def argsort(
        self, axis: int | None = -1, descending: bool = False, *, stable: bool = True
    ) -> Any:
        """Give the indices that sort along `axis`, as plain integers; ties keep their order."""
    @overload
    def argsort(
        self, dim: int | None = -1, descending: bool = False, *, stable: bool = True
    ) -> Any:
        """Give the indices that sort along `axis`, as plain integers; ties keep their order."""
    def partition(self, kth: Any, axis: int | None = -1) -> Tensor:
        """Put the `kth` entry in its sorted place, smaller ones before it and larger ones behind."""
    @overload
    def topk(
        self, k: int, axis: int = -1, largest: bool = True, sorted: bool = True
    ) -> ValuesIndices:
        """Give the `k` largest entries along `axis`, or the smallest, in order; and their indices.

        A nan is larger than any number.
        """
    @overload
    def topk(
        self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
    ) -> ValuesIndices:
        """Give the `k` largest entries along `axis`, or the smallest, in order; and their indices.

        A nan is larger than any number.
        """
    def append(self, values: Any, axis: int | None = None) -> Tensor:
        """Put `values` behind x along `axis`, or behind all entries of x in one row."""
    def hsplit(self, indices_or_sections: Any) -> list[Tensor]:
        """Split along the second axis, or the only one."""
    def vsplit(self, indices_or_sections: Any) -> list[Tensor]:
        """Split along the first axis."""
    def dsplit(self, indices_or_sections: Any) -> list[Tensor]:
        """Split along the third axis."""
    def atleast_1d(self) -> Tensor:
        """Give each at least one axis."""
    def atleast_2d(self) -> Tensor:
        """Give each at least two axes, new ones first."""
    def atleast_3d(self) -> Tensor:
        """Give each at least three axes: of a vector the middle one, of a matrix the first two."""
    @overload
    def split(self, split_size: int | Sequence[int], axis: int = 0) -> list[Tensor]:
        """Cut into parts of that size, the last one smaller if need be, or of these sizes."""
    @overload
    def split(self, split_size: int | Sequence[int], dim: int = 0) -> list[Tensor]:
        """Cut into parts of that size, the last one smaller if need be, or of these sizes."""
    @overload
    def chunk(self, chunks: int, axis: int = 0) -> list[Tensor]:
        """Cut into at most that many parts of one size, the last one smaller if need be."""
    @overload
    def chunk(self, chunks: int, dim: int = 0) -> list[Tensor]:
        """Cut into at most that many parts of one size, the last one smaller if need be."""
    @overload
    def unbind(self, axis: int = 0) -> tuple[Tensor, ...]:
        """Give the slices along `axis`, without that axis."""
    @overload
    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """Give the slices along `axis`, without that axis."""
    def unfold(self, dimension: int, size: int, step: int) -> Tensor:
        """Show the windows of `size` entries along an axis, `step` apart, along a new last axis.

        Raises ValueError if a window is larger than that.
        """
    def pad(
        self,
        pad_width: Any,
        mode: Any = "constant",
        *,
        constant_values: Any = 0,
        end_values: Any = 0,
        stat_length: Any = None,
        reflect_type: str = "even",
    ) -> Tensor:
        """Put `pad_width` entries before and after, along each axis.

        They are `constant_values`; or in mode "edge", "reflect", "symmetric" or "wrap" taken from x, in
        "linear_ramp" even steps to `end_values`, in "maximum", "minimum", "mean" or "median" that of
        the first and last `stat_length` entries.
        """
    @overload
    def tril(self, k: int = 0) -> Tensor:
        """Keep the entries on and below the `k`-th diagonal; the others become 0."""
    @overload
    def tril(self, diagonal: int = 0) -> Tensor:
        """Keep the entries on and below the `k`-th diagonal; the others become 0."""
    @overload
    def triu(self, k: int = 0) -> Tensor:
        """Keep the entries on and above the `k`-th diagonal; the others become 0."""
    @overload
    def triu(self, diagonal: int = 0) -> Tensor:
        """Keep the entries on and above the `k`-th diagonal; the others become 0."""
    @overload
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Give the diagonals of the planes of two axes, along a new last axis."""
    @overload
    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """Give the diagonals of the planes of two axes, along a new last axis."""
    @overload
    def diag(self, k: int = 0) -> Tensor:
        """Give the `k`-th diagonal of a matrix, or the matrix that has x on it and is 0 elsewhere."""
    @overload
    def diag(self, diagonal: int = 0) -> Tensor:
        """Give the `k`-th diagonal of a matrix, or the matrix that has x on it and is 0 elsewhere."""
    @overload
    def diagflat(self, k: int = 0) -> Tensor:
        """Put all entries on a diagonal of a matrix."""
    @overload
    def diagflat(self, offset: int = 0) -> Tensor:
        """Put all entries on a diagonal of a matrix."""
    def broadcast_to(self, shape: int | Sequence[int]) -> Tensor:
        """Repeat the entries to fill `shape`, by the rules of broadcasting."""
    def expand(self, *shape: Any) -> Tensor:
        """Repeat the entries to fill `shape`; -1 keeps a size."""
    def repeat(self, *sizes: Any) -> Tensor:
        """Lay the whole of x side by side, that many times along each axis (np.repeat: entries)."""
    def tile(self, *sizes: Any) -> Tensor:
        """Lay the whole of x side by side, that many times along each axis (np.repeat: entries)."""
    @overload
    def repeat_interleave(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Repeat each entry along `axis`, or each of all, as np.repeat."""
    @overload
    def repeat_interleave(self, repeats: Any, dim: int | None = None) -> Tensor:
        """Repeat each entry along `axis`, or each of all, as np.repeat."""
    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
    @property
    def ndim(self) -> int:
        """The number of axes."""
    @property
    def size(self) -> Size:
        """The number of entries; as in PyTorch, `x.size()` is the shape, `x.size(0)` one size."""
    def numel(self) -> int:
        """Give the number of entries."""
    def dim(self) -> int:
        """Give the number of axes."""
    def ravel(self, order: str | None = "C") -> Tensor:
        """Arrange the entries in one axis; with `order` "F" the first axis runs fastest."""
    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        """Move the axes `source` to the places `destination`; the others keep their order."""
    def movedim(self, source: Any, destination: Any) -> Tensor:
        """Move the axes `source` to the places `destination`; the others keep their order."""
    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
    @overload
    def swapdims(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
    @overload
    def swapdims(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two axes."""
    @overload
    def expand_dims(self, axis: int | Sequence[int]) -> Tensor:
        """Put in an axis of size 1, or several, at the places `axis` of the result."""
    @overload
    def expand_dims(self, dim: int | Sequence[int]) -> Tensor:
        """Put in an axis of size 1, or several, at the places `axis` of the result."""
    def rollaxis(self, axis: int, start: int = 0) -> Tensor:
        """Move `axis` back until it comes before `start`."""
    def fliplr(self) -> Tensor:
        """Reverse the columns."""
    def flipud(self) -> Tensor:
        """Reverse the rows."""
    @overload
    def rot90(self, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
        """Turn the plane of `axes` by 90 degrees, `k` times, from the first towards the second."""
    @overload
    def rot90(self, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Tensor:
        """Turn the plane of `axes` by 90 degrees, `k` times, from the first towards the second."""
    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
    def reshape(self, *shape: Any, order: str | None = "C") -> Tensor:
        """Arrange the entries in `shape`, of which one size may be -1.

        They keep their order, in which the last axis runs fastest, or with `order` "F" the first.
        """
    def view(self, *shape: Any) -> Tensor:
        """Arrange the entries, in their order, in `shape`; one size may be -1."""
    def flatten(self, start_dim: Any = 0, end_dim: int = -1, *, order: str | None = "C") -> Tensor:
        """Join the axes from `start_dim` to `end_dim` into one; or all in NumPy's `order`."""
    @overload
    def unflatten(self, axis: int, sizes: Sequence[int]) -> Tensor:
        """Part an axis into several of these sizes; one may be -1."""
    @overload
    def unflatten(self, dim: int, sizes: Sequence[int]) -> Tensor:
        """Part an axis into several of these sizes; one may be -1."""
    def transpose(self, *axes: Any, dim0: int | None = None, dim1: int | None = None) -> Tensor:
        """Exchange two axes; of none, reverse them all; of more, put them in that order."""
    def permute(self, *axes: Any, dims: Any = None) -> Tensor:
        """Put the axes in the order `axes`, or `dims`."""
    @overload
    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """Leave out the axes of size 1, or of those named the ones that have it."""
    @overload
    def squeeze(self, dim: int | tuple[int, ...] | None = None) -> Tensor:
        """Leave out the axes of size 1, or of those named the ones that have it."""
    @overload
    def unsqueeze(self, axis: int) -> Tensor:
        """Put in an axis of size 1 at the place `axis`."""
    @overload
    def unsqueeze(self, dim: int) -> Tensor:
        """Put in an axis of size 1 at the place `axis`."""
    @overload
    def flip(self, *axes: Any, axis: Any = None) -> Tensor:
        """Reverse the order of the entries along these axes, or along all."""
    @overload
    def flip(self, *axes: Any, dims: Any = None) -> Tensor:
        """Reverse the order of the entries along these axes, or along all."""
    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """Shift the entries along `dims`, or all in one row; the last ones come in first."""
    @overload
    def diff(self, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
        """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""
    @overload
    def diff(self, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
        """Give x[1:] - x[:-1] along `axis`, `n` times over, after putting on what comes at the ends."""
    @overload
    def quantile(
        self,
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
        self,
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
    @overload
    def median(self, axis: Axis = None, keepdims: bool = False, *, keepdim: bool = False) -> Tensor:
        """Give the middle one of the sorted entries, the lower of two (np.median: their mean).

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the index gets the gradient.
        """
    @overload
    def median(self, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
        """Give the middle one of the sorted entries, the lower of two (np.median: their mean).

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the index gets the gradient.
        """
    @overload
    def mode(self, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the entry that is there most often along `axis`, and the index of the last of them.

        Of several such it is the smallest; nan counts as one value, larger than any number.
        """
    @overload
    def mode(self, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
        """Give the entry that is there most often along `axis`, and the index of the last of them.

        Of several such it is the smallest; nan counts as one value, larger than any number.
        """
    @overload
    def kthvalue(self, k: int, axis: int = -1, keepdims: bool = False) -> ValuesIndices:
        """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

        Raises ValueError unless there are k entries.
        """
    @overload
    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
        """Give the `k`-th entry along `axis` from the smallest, which is the first, and its index.

        Raises ValueError unless there are k entries.
        """
    @overload
    def cummax(self, axis: int) -> ValuesIndices:
        """Give the largest entry up to each and its index; of tied ones the last."""
    @overload
    def cummax(self, dim: int) -> ValuesIndices:
        """Give the largest entry up to each and its index; of tied ones the last."""
    @overload
    def cummin(self, axis: int) -> ValuesIndices:
        """Give the smallest entry up to each and its index; of tied ones the last."""
    @overload
    def cummin(self, dim: int) -> ValuesIndices:
        """Give the smallest entry up to each and its index; of tied ones the last."""
    @overload
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum"""
    @overload
    def sum(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The sum"""
    @overload
    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean: sum / n"""
    @overload
    def mean(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The mean: sum / n"""
    @overload
    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The product"""
    @overload
    def prod(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The product"""
    @overload
    def amax(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest entry; a nan has no slope"""
    @overload
    def amax(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The largest entry; a nan has no slope"""
    @overload
    def amin(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest entry; a nan has no slope"""
    @overload
    def amin(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The smallest entry; a nan has no slope"""
    @overload
    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """log(sum(exp(x))), without overflow"""
    @overload
    def logsumexp(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """log(sum(exp(x))), without overflow"""
    @overload
    def cumsum(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The sums of the entries up to each"""
    @overload
    def cumsum(self, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The sums of the entries up to each"""
    @overload
    def cumprod(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The products of the entries up to each"""
    @overload
    def cumprod(self, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The products of the entries up to each"""
    @overload
    def logcumsumexp(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The logsumexp up to each"""
    @overload
    def logcumsumexp(self, dim: int | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
        """The logsumexp up to each"""
    @overload
    def nansum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Give the sum of the entries that are not nan."""
    @overload
    def nansum(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Give the sum of the entries that are not nan."""
    @overload
    def nanmean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Give the mean of the entries that are not nan."""
    @overload
    def nanmean(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Give the mean of the entries that are not nan."""
    @overload
    def max(
        self,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        keepdim: bool = False,
    ) -> Tensor:
        """Give the largest entry along `axis`; with a tensor, array or float the larger of each.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
    @overload
    def max(self, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
        """Give the largest entry along `axis`; with a tensor, array or float the larger of each.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
    @overload
    def min(
        self,
        axis: Axis | Tensor | Array | float = None,
        keepdims: bool = False,
        *,
        keepdim: bool = False,
    ) -> Tensor:
        """Give the smallest entry along `axis`; with a tensor, array or float the smaller one.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
    @overload
    def min(self, *, dim: int, keepdims: bool = False, keepdim: bool = False) -> ValuesIndices:
        """Give the smallest entry along `axis`; with a tensor, array or float the smaller one.

        Entries that tie share the gradient. Along `dim` give PyTorch's pair of values and indices,
        of which the first index gets the gradient.
        """
    @overload
    def var(
        self,
        axis: Axis = None,
        correction: float | None = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""
    @overload
    def var(
        self,
        dim: Axis = None,
        correction: float | None = 1,
        keepdim: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the variance: sum((x - mean)**2) / (n - correction); not `unbiased`, over n."""
    @overload
    def std(
        self,
        axis: Axis = None,
        correction: float | None = 1,
        keepdims: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""
    @overload
    def std(
        self,
        dim: Axis = None,
        correction: float | None = 1,
        keepdim: bool = False,
        *,
        unbiased: bool = True,
    ) -> Tensor:
        """Give the standard deviation, the root of the variance; its slope is 0 where it is 0."""
    @overload
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the largest entry, as plain integers."""
    @overload
    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Give the index of the largest entry, as plain integers."""
    @overload
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the index of the smallest entry, as plain integers."""
    @overload
    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Give the index of the smallest entry, as plain integers."""
    @overload
    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether any entry is not 0, as plain truth values."""
    @overload
    def any(self, dim: Axis = None, keepdim: bool = False) -> Any:
        """Say whether any entry is not 0, as plain truth values."""
    @overload
    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Say whether all entries are not 0, as plain truth values."""
    @overload
    def all(self, dim: Axis = None, keepdim: bool = False) -> Any:
        """Say whether all entries are not 0, as plain truth values."""
    @overload
    def count_nonzero(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Count the entries that are not 0, as plain integers."""
    @overload
    def count_nonzero(self, dim: Axis = None, keepdim: bool = False) -> Any:
        """Count the entries that are not 0, as plain integers."""
    def __add__(self, other: Any) -> Tensor:
        """x + y"""
    def __sub__(self, other: Any) -> Tensor:
        """x - y"""
    def __mul__(self, other: Any) -> Tensor:
        """x * y"""
    def mul(self, other: Any) -> Tensor:
        """x * y"""
    def multiply(self, other: Any) -> Tensor:
        """x * y"""
    def __truediv__(self, other: Any) -> Tensor:
        """x / y"""
    def true_divide(self, other: Any) -> Tensor:
        """x / y"""
    def __pow__(self, other: Any) -> Tensor:
        """x to the power y"""
    def pow(self, other: Any) -> Tensor:
        """x to the power y"""
    def power(self, other: Any) -> Tensor:
        """x to the power y"""
    def float_power(self, other: Any) -> Tensor:
        """x to the power y, in float64 at least"""
    def __mod__(self, other: Any) -> Tensor:
        """x - y * floor(x / y), with the sign of y"""
    def mod(self, other: Any) -> Tensor:
        """x - y * floor(x / y), with the sign of y"""
    def remainder(self, other: Any) -> Tensor:
        """x - y * floor(x / y), with the sign of y"""
    def fmod(self, other: Any) -> Tensor:
        """x - y * trunc(x / y), with the sign of x"""
    def __floordiv__(self, other: Any) -> Tensor:
        """floor(x / y), whose slope is 0"""
    def floor_divide(self, other: Any) -> Tensor:
        """floor(x / y), whose slope is 0"""
    def __neg__(self) -> Tensor:
        """-x"""
    def neg(self) -> Tensor:
        """-x"""
    def negative(self) -> Tensor:
        """-x"""
    def __pos__(self) -> Tensor:
        """+x"""
    def positive(self) -> Tensor:
        """+x"""
    def clone(self) -> Tensor:
        """A copy of x that passes gradients on"""
    def copy(self) -> Tensor:
        """A copy of x that passes gradients on"""
    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Give x + alpha * other."""
    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Give x - alpha * other."""
    def subtract(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Give x - alpha * other."""
    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Give x / other, rounded with "floor", or with "trunc" towards 0."""
    def divide(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Give x / other, rounded with "floor", or with "trunc" towards 0."""
    def __radd__(self, other: Any) -> Tensor:
        """x + y with the operands exchanged."""
    def __rsub__(self, other: Any) -> Tensor:
        """x - y with the operands exchanged."""
    def __rmul__(self, other: Any) -> Tensor:
        """x * y with the operands exchanged."""
    def __rtruediv__(self, other: Any) -> Tensor:
        """x / y with the operands exchanged."""
    def __rpow__(self, other: Any) -> Tensor:
        """x to the power y with the operands exchanged."""
    def __rmod__(self, other: Any) -> Tensor:
        """x - y * floor(x / y), with the sign of y with the operands exchanged."""
    def __rfloordiv__(self, other: Any) -> Tensor:
        """floor(x / y), whose slope is 0 with the operands exchanged."""
    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        """"""
    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        """"""
    def astype(self, dtype: npt.DTypeLike) -> Tensor:
        """x in another floating dtype; its gradient comes back in x's own"""
    def exp(self) -> Tensor:
        """e to the power x"""
    def exp2(self) -> Tensor:
        """2 to the power x"""
    def expm1(self) -> Tensor:
        """exp(x) - 1, exact near 0"""
    def log(self) -> Tensor:
        """The natural logarithm of x"""
    def log2(self) -> Tensor:
        """The logarithm of x to base 2"""
    def log10(self) -> Tensor:
        """The logarithm of x to base 10"""
    def log1p(self) -> Tensor:
        """log(1 + x), exact near 0"""
    def sqrt(self) -> Tensor:
        """The square root of x"""
    def cbrt(self) -> Tensor:
        """The cube root of x"""
    def rsqrt(self) -> Tensor:
        """1 / sqrt(x)"""
    def square(self) -> Tensor:
        """x * x"""
    def reciprocal(self) -> Tensor:
        """1 / x"""
    def __abs__(self) -> Tensor:
        """The absolute value of x"""
    def abs(self) -> Tensor:
        """The absolute value of x"""
    def absolute(self) -> Tensor:
        """The absolute value of x"""
    def sign(self) -> Tensor:
        """x / |x| and 0 at 0: -1, 0 or 1, as x is negative, zero or positive"""
    def sgn(self) -> Tensor:
        """x / |x| and 0 at 0: -1, 0 or 1, as x is negative, zero or positive"""
    def floor(self) -> Tensor:
        """The largest integer that is not above x"""
    def ceil(self) -> Tensor:
        """The smallest integer that is not below x"""
    def trunc(self) -> Tensor:
        """x without its fractional part"""
    def fix(self) -> Tensor:
        """x without its fractional part"""
    def rint(self) -> Tensor:
        """The nearest integer; halves go to the even one"""
    def round(self, decimals: int = 0) -> Tensor:
        """x to `decimals` places; halves go to the even neighbour"""
    def sin(self) -> Tensor:
        """The sine of x (radians)"""
    def cos(self) -> Tensor:
        """The cosine of x (radians)"""
    def tan(self) -> Tensor:
        """The tangent of x (radians)"""
    def arcsin(self) -> Tensor:
        """The angle whose sine is x"""
    def asin(self) -> Tensor:
        """The angle whose sine is x"""
    def arccos(self) -> Tensor:
        """The angle whose cosine is x"""
    def acos(self) -> Tensor:
        """The angle whose cosine is x"""
    def arctan(self) -> Tensor:
        """The angle whose tangent is x"""
    def atan(self) -> Tensor:
        """The angle whose tangent is x"""
    def sinh(self) -> Tensor:
        """(exp(x) - exp(-x)) / 2"""
    def cosh(self) -> Tensor:
        """(exp(x) + exp(-x)) / 2"""
    def tanh(self) -> Tensor:
        """sinh(x) / cosh(x)"""
    def arcsinh(self) -> Tensor:
        """The inverse of sinh"""
    def asinh(self) -> Tensor:
        """The inverse of sinh"""
    def arccosh(self) -> Tensor:
        """The inverse of cosh, x >= 1"""
    def acosh(self) -> Tensor:
        """The inverse of cosh, x >= 1"""
    def arctanh(self) -> Tensor:
        """The inverse of tanh, |x| < 1"""
    def atanh(self) -> Tensor:
        """The inverse of tanh, |x| < 1"""
    def sinc(self) -> Tensor:
        """sin(pi x) / (pi x), and 1 at 0"""
    def deg2rad(self) -> Tensor:
        """Degrees in radians"""
    def radians(self) -> Tensor:
        """Degrees in radians"""
    def rad2deg(self) -> Tensor:
        """Radians in degrees"""
    def degrees(self) -> Tensor:
        """Radians in degrees"""
    def erf(self) -> Tensor:
        """2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x; needs SciPy"""
    def arctan2(self, other: Any) -> Tensor:
        """The angle of the point whose ordinate is x and whose abscissa is y"""
    def atan2(self, other: Any) -> Tensor:
        """The angle of the point whose ordinate is x and whose abscissa is y"""
    def hypot(self, other: Any) -> Tensor:
        """sqrt(x**2 + y**2), without overflow"""
    def logaddexp(self, other: Any) -> Tensor:
        """log(exp(x) + exp(y)), without overflow"""
    def logaddexp2(self, other: Any) -> Tensor:
        """log2(2**x + 2**y), without overflow"""
    def xlogy(self, other: Any) -> Tensor:
        """x * log(y), and 0 where x is 0"""
    def copysign(self, other: Any) -> Tensor:
        """The magnitude of x with the sign of y"""
    def maximum(self, other: Any) -> Tensor:
        """The larger of x and y; nan if either is"""
    def minimum(self, other: Any) -> Tensor:
        """The smaller of x and y; nan if either is"""
    def fmax(self, other: Any) -> Tensor:
        """The larger of x and y; a nan gives way"""
    def fmin(self, other: Any) -> Tensor:
        """The smaller of x and y; a nan gives way"""
    def nan_to_num(
        self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
    ) -> Tensor:
        """x with `nan`, `posinf` and `neginf` in place of what is not finite"""
    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit x to `min` <= x <= `max`; either may be None. The bounds get gradients too.

        Where `max` is below `min`, the result is `max`.
        """
    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit x to `min` <= x <= `max`; either may be None. The bounds get gradients too.

        Where `max` is below `min`, the result is `max`.
        """
    def lerp(self, end: Any, weight: Any) -> Tensor:
        """Interpolate linearly: x + weight * (end - x)."""
    def where(self, condition: Any, other: Any) -> Tensor:
        """Take x where `condition` holds, else `other`."""
    def relu(self) -> Tensor:
        """max(x, 0)"""
    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x))"""
    def leaky_relu(self, negative_slope: float = 0.01) -> Tensor:
        """x where it is positive, else negative_slope * x"""
    def celu(self, alpha: float = 1.0) -> Tensor:
        """x where it is positive, else alpha * (exp(x / alpha) - 1)"""
    def elu(self, alpha: float = 1.0) -> Tensor:
        """x where it is positive, else alpha * (exp(x) - 1)"""
    def softplus(self, beta: float = 1.0) -> Tensor:
        """log(1 + exp(beta * x)) / beta, a smooth relu; without overflow"""
    def softsign(self) -> Tensor:
        """x / (1 + |x|)"""
    def hardtanh(self, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
        """x limited to min_val <= x <= max_val; the slope at either is 0"""
    def hardswish(self) -> Tensor:
        """x * relu6(x + 3) / 6"""
    @overload
    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along `axis`"""
    @overload
    def softmax(self, dim: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along `axis`"""
    @overload
    def log_softmax(self, axis: int = -1) -> Tensor:
        """The logarithm of softmax along `axis`"""
    @overload
    def log_softmax(self, dim: int = -1) -> Tensor:
        """The logarithm of softmax along `axis`"""
    def relu6(self) -> Tensor:
        """Limit x to 0 <= x <= 6."""
    def selu(self) -> Tensor:
        """Scale elu so that a deep network's activations keep mean 0 and variance 1."""
    def logsigmoid(self) -> Tensor:
        """The logarithm of sigmoid, without overflow."""
    def log_sigmoid(self) -> Tensor:
        """The logarithm of sigmoid, without overflow."""
    def silu(self) -> Tensor:
        """x * sigmoid(x)."""
    def mish(self) -> Tensor:
        """x * tanh(softplus(x))."""
    def gelu(self, approximate: Literal["none", "tanh"] = "none") -> Tensor:
        """x times the probability that a standard normal variable is below x.

        With `approximate="tanh"` nearly so (D. Hendrycks and K. Gimpel, "Gaussian error linear
        units", 2016). Raises ValueError for another form.
        """
    @overload
    def softmin(self, axis: int = -1) -> Tensor:
        """Compute the softmax of -x along `axis`."""
    @overload
    def softmin(self, dim: int = -1) -> Tensor:
        """Compute the softmax of -x along `axis`."""
    @overload
    def glu(self, axis: int = -1) -> Tensor:
        """Gate the first half of x along `axis` by the sigmoid of the second: a * sigmoid(b)."""
    @overload
    def glu(self, dim: int = -1) -> Tensor:
        """Gate the first half of x along `axis` by the sigmoid of the second: a * sigmoid(b)."""
