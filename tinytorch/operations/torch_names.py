"""PyTorch's further methods, in tensors' words: most are other names of what NumPy has too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import at_hand, own
from tinytorch.arrays.plain import base, plain
from tinytorch.engine import Node
from tinytorch.operations.decompositions import mH
from tinytorch.operations.differences import gradient, trapezoid
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import one_along, sort
from tinytorch.operations.joining import array_split
from tinytorch.operations.nans import nanquantile
from tinytorch.operations.norms import vector_norm
from tinytorch.operations.notation import unary
from tinytorch.operations.numbers import heaviside, nextafter
from tinytorch.operations.polynomials import vander
from tinytorch.operations.pytorch import torch_spelling
from tinytorch.operations.reductions import Axis, Reductions, axes_of
from tinytorch.operations.special import special_functions
from tinytorch.operations.statistics import corrcoef, cov


class MinMax(NamedTuple):
    """What `aminmax` gives: `low, high = x.aminmax()`."""

    min: Any
    max: Any


def _nanmedian_index(data: Any, axis: int, keepdims: bool) -> Any:  # noqa: ARG001
    """Find the lower one of the middle entries in sorted order, which nan come behind."""
    order = np.argsort(data, axis=axis, kind="stable")
    numbers = data.shape[axis] - np.isnan(data).sum(axis=axis, keepdims=True)
    return np.take_along_axis(order, np.maximum(numbers - 1, 0) // 2, axis)


def _special(name: str) -> Any:
    return special_functions[name]


class TorchNames:
    """PyTorch's names."""

    __slots__ = ()

    frac = unary(
        lambda x: x - np.trunc(x), lambda grad, out, x: grad, "x without its whole part", "frac"
    )
    digamma, lgamma = _special("psi"), _special("gammaln")
    erfc, erfinv, i0 = _special("erfc"), _special("erfinv"), _special("i0")
    heaviside, nextafter = heaviside, nextafter
    vander = vander
    corrcoef = corrcoef

    def logit(self: Any, eps: float | None = None) -> Any:
        """Give log(x / (1 - x)), after x was limited to `eps` <= x <= 1 - eps."""
        x = self if eps is None else self.clip(eps, 1 - eps)
        return special_functions["logit"](x)

    def polygamma(self, n: int) -> Any:
        """Give the n-th derivative of digamma."""
        if n == 0:
            return special_functions["psi"](self)
        return special_functions["zeta"](n + 1.0, self) * ((-1) ** (n + 1) * math.factorial(n))

    def mvlgamma(self: Any, p: int) -> Any:
        """Give the logarithm of the gamma function of p dimensions."""
        shifted = self[..., None] - own(np.arange(p).astype(self.dtype) / 2, self)
        out = special_functions["gammaln"](shifted).sum(axis=-1)
        return out + p * (p - 1) / 4 * math.log(math.pi)

    def clamp_min(self: Any, min: Any) -> Any:
        """Limit the entries to x >= min."""
        return self.clip(min=min) if not isinstance(min, Node) else self.maximum(min)

    def clamp_max(self: Any, max: Any) -> Any:
        """Limit the entries to x <= max."""
        return self.clip(max=max) if not isinstance(max, Node) else self.minimum(max)

    def rsub(self: Any, other: Any, *, alpha: float = 1) -> Any:
        """Give other - alpha * x."""
        return other - (self if alpha == 1 else self * alpha)

    def ldexp(self: Any, other: Any) -> Any:
        """Give x * 2**other."""
        return np.ldexp(self, other)

    def frexp(self: Any) -> Any:
        """Give m and whole n of which x = m * 2**n, where |m| is at least 1/2 and below 1."""
        mantissa, exponent = np.frexp(self)
        return mantissa, plain(exponent)

    # --- order and statistics -------------------------------------------------------------------

    @torch_spelling
    def aminmax(self: Any, axis: Axis = None, keepdims: bool = False) -> MinMax:
        """Give the smallest entry and the largest; ties share the gradient."""
        return MinMax(self.amin(axis, keepdims), self.amax(axis, keepdims))

    @torch_spelling
    def nanmedian(self: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Give the middle one of the entries that are not nan, the lower of two.

        Along an axis give PyTorch's pair of values and indices.
        """
        if axis is None:
            return one_along("nanmedian", self.reshape(-1), _nanmedian_index, 0, False).values
        return one_along("nanmedian", self, _nanmedian_index, axis, keepdims)

    @torch_spelling
    def nanquantile(
        self: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
    ) -> Any:
        """Give the value below which the fraction `q` of the entries that are not nan is."""
        line = self if self.ndim else self.reshape(1)
        return nanquantile(line, q, axis, keepdims=keepdims and self.ndim, method=method)

    def msort(self: Any) -> Any:
        """Sort along the first axis."""
        return sort(self, 0)

    def cov(self: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
        """Give the covariances of the rows: sum((x - mean) (y - mean)) / (n - correction)."""
        return cov(self, ddof=correction, fweights=fweights, aweights=aweights)

    # --- distances ------------------------------------------------------------------------------

    def dist(self: Any, other: Any, p: float = 2) -> Any:
        """Give the norm of x - other, of order p."""
        return vector_norm(self - other, ord=p)

    def cdist(self: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:  # noqa: ARG002
        """Give the distance of each row of x to each of `x2`, by the norm of order p."""
        return vector_norm(self[..., :, None, :] - x2[..., None, :, :], axis=-1, ord=p)

    @torch_spelling
    def renorm(self: Any, p: float, axis: int, maxnorm: float) -> Any:
        """Scale the slices along `axis` whose norm of order p is above `maxnorm` down to it."""
        others = tuple(i for i in range(self.ndim) if i != axis % self.ndim)
        norms = vector_norm(self, axis=others, keepdims=True, ord=p)
        above = norms.data > maxnorm
        scale = where(above, maxnorm / (where(above, norms, maxnorm + 1.0) + 1e-7), 1)
        return self * scale

    # --- parts ----------------------------------------------------------------------------------

    def sum_to_size(self: Any, *size: Any) -> Any:
        """Sum over what broadcasting from `size` would have repeated."""
        shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
        lead = self.ndim - len(shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(shape, self.shape[lead:], strict=True)):
            raise ValueError(f"sum_to_size: {self.shape} was not broadcast from {shape}")
        summed = self.sum(axis=tuple(range(lead))) if lead else self
        axes = tuple(i for i, n in enumerate(shape) if n == 1 != summed.shape[i])
        return summed.sum(axis=axes, keepdims=True) if axes else summed

    @torch_spelling
    def tensor_split(self: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        """Cut into that many parts, the first ones larger by one if need be, or before indices."""
        given = indices_or_sections
        parts = given if isinstance(given, int) else np.asarray(at_hand(base(given)))
        parts = int(parts) if np.ndim(parts) == 0 else parts.tolist()  # type: ignore[union-attr]
        return tuple(array_split(self, parts, axis))

    @torch_spelling
    def split_with_sizes(self: Any, split_sizes: Sequence[int], axis: int = 0) -> Any:
        """Cut into parts of these sizes."""
        return self.split(list(split_sizes), axis)

    # --- differences ----------------------------------------------------------------------------

    @torch_spelling
    def trapezoid(self: Any, x: Any = None, *, dx: float = 1, axis: int = -1) -> Any:
        """Integrate over x, or over steps of `dx`: sum((y[1:] + y[:-1]) / 2 * diff(x))."""
        return trapezoid(self, x, dx, axis)

    trapz = trapezoid

    @torch_spelling
    def cumulative_trapezoid(self: Any, x: Any = None, *, dx: float = 1, axis: int = -1) -> Any:
        """Integrate up to each entry but the first, by trapezoids."""
        y: Any = np.moveaxis(self, axis, -1)
        step: Any = dx
        if x is not None:
            step = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
        out: Any = Reductions.cumsum((y[..., 1:] + y[..., :-1]) * step / 2, -1)
        return np.moveaxis(out, -1, axis)

    def gradient(self: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
        """Estimate the derivative along each axis; see np.gradient."""
        axes = axes_of(self, tuple(dim) if isinstance(dim, list) else dim)
        steps = (
            spacing if isinstance(spacing, list | tuple) else [1 if spacing is None else spacing]
        )
        slopes: Any = gradient(self, *steps, axis=axes, edge_order=edge_order)
        return slopes if isinstance(slopes, tuple) else (slopes,)

    # --- matrices -------------------------------------------------------------------------------

    def cholesky_solve(self: Any, L: Any, upper: bool = False) -> Any:
        """Give the X of which (L @ L.mH) @ X is this tensor; L is a factor of Cholesky's."""
        factor = mH(L) if upper else L
        return np.linalg.solve(factor @ mH(factor), self)

    def cholesky_inverse(self: Any, upper: bool = False) -> Any:
        """Give the inverse of L @ L.mH; this tensor is L."""
        factor = mH(self) if upper else self
        return np.linalg.inv(factor @ mH(factor))

    # --- plain values ---------------------------------------------------------------------------

    def signbit(self: Any) -> Any:
        """Say where the sign is minus, as plain truth values."""
        return plain(np.signbit(self._value))

    def isposinf(self: Any) -> Any:
        """Say where x is infinity, as plain truth values."""
        return plain(np.isposinf(self._value))

    def isneginf(self: Any) -> Any:
        """Say where x is minus infinity, as plain truth values."""
        return plain(np.isneginf(self._value))

    def argwhere(self: Any) -> Any:
        """Give the indices of the entries that are not 0, as plain rows."""
        return plain(np.argwhere(self._value))
