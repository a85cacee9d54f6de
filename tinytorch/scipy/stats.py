"""SciPy's distributions: the logarithms of their densities, and the like, with derivatives.

`norm` `t` `gamma` `beta` `expon` `chi2` `laplace` `cauchy` `logistic` `lognorm` `uniform` have
`logpdf` `pdf` `logcdf` `cdf` `sf`: `norm.logpdf(x, loc, scale)`, `gamma.cdf(x, a, loc, scale)`. The
parameters come in SciPy's order, and x and parameters broadcast. `multivariate_normal` `dirichlet`
`wishart` have `logpdf` `pdf`; of whole numbers `poisson` `binom` `bernoulli` `multinomial` have
`logpmf` `pmf`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.checks import check
from tinytorch.arrays.kind import NUMBERS
from tinytorch.operations.elementwise import where
from tinytorch.scipy.linalg import solve_triangular
from tinytorch.scipy.special import multigammaln
from tinytorch.scipy.words import call, operand, values

_LOG_2PI = math.log(2 * math.pi)


class _Distribution:
    """A distribution, of formulas in z = (x - loc) / scale and its parameters of shape."""

    def __init__(
        self,
        logpdf: Callable[..., Any],
        cdf: Callable[..., Any],
        sf: Callable[..., Any],
        logcdf: Callable[..., Any] | None = None,
        low: float = -np.inf,
        high: float = np.inf,
    ) -> None:
        self._logpdf, self._cdf, self._sf = logpdf, cdf, sf
        self._logcdf = logcdf or self._log_of_cdf
        self._low, self._high = low, high
        self._shapes = list(inspect.signature(logpdf).parameters)[1:]

    def _standard(self, x: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Give z, the scale and the parameters of shape."""
        names = [*self._shapes, "loc", "scale"]
        given: dict[str, Any] = {"loc": 0.0, "scale": 1.0}
        given |= dict(zip(names, args, strict=False)) | named
        missing, unknown = set(names) - set(given), set(given) - set(names)
        if missing or unknown or len(args) > len(names):
            raise TypeError(f"the arguments are x, {', '.join(names)}; got {len(args)}, {[*named]}")
        found = [v if type(v) in NUMBERS else operand(v) for v in map(given.get, names)]
        *shapes, loc, scale = found
        return ((operand(x) - loc) / scale, scale, *shapes)

    def _replaced(self, formula: Any, z: Any, shapes: Any, outside: Any, value: Any) -> Any:
        """Compute `formula` but where z is `outside`: there it is the value."""
        middle = max(self._low, 0) + 0.5  # where it has derivatives
        return where(outside, value, formula(where(outside, middle, z), *shapes))

    def _log_of_cdf(self, z: Any, *shapes: Any) -> Any:
        below, above = self._cdf(z, *shapes), self._sf(z, *shapes)
        small = below.data < above.data
        return where(small, np.log(where(small, below, 1)), np.log1p(-where(small, 0, above)))

    def _below(self, formula: Any, least: float, most: float, x: Any, args: Any, named: Any) -> Any:
        z, _, *shapes = self._standard(x, args, named)
        ends = np.where(z.data <= self._low, least, most)
        outside = (z.data <= self._low) | (z.data >= self._high)
        return self._replaced(formula, z, shapes, outside, ends)

    def logpdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """Give the logarithm of the density at x; -inf where it is 0."""
        z, scale, *shapes = self._standard(x, args, named)
        outside = (z.data < self._low) | (z.data > self._high)
        return self._replaced(self._logpdf, z, shapes, outside, -np.inf) - np.log(scale)

    def pdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """Give the density at x."""
        return np.exp(self.logpdf(x, *args, **named))

    def cdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """Give the probability of less than x."""
        return self._below(self._cdf, 0.0, 1.0, x, args, named)

    def sf(self, x: Any, *args: Any, **named: Any) -> Any:
        """Give the probability of more than x: 1 - cdf, exact where that is small."""
        return self._below(self._sf, 1.0, 0.0, x, args, named)

    def logcdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """Give the logarithm of the probability of less than x."""
        return self._below(self._logcdf, -np.inf, 0.0, x, args, named)


def _laplace_cdf(z: Any) -> Any:
    tail = np.exp(-np.abs(z)) / 2
    return where(z < 0, tail, 1 - tail)


def _laplace_logcdf(z: Any) -> Any:
    size = np.abs(z)
    return where(z < 0, -size - math.log(2), np.log1p(-np.exp(-size) / 2))


norm = _Distribution(
    lambda z: -z * z / 2 - _LOG_2PI / 2,
    lambda z: call("ndtr", z),
    lambda z: call("ndtr", -z),
    lambda z: call("log_ndtr", z),
)
t = _Distribution(
    lambda z, df: (
        call("gammaln", (df + 1) / 2)
        - call("gammaln", df / 2)
        - np.log(df * math.pi) / 2
        - (df + 1) / 2 * np.log1p(z * z / df)
    ),
    lambda z, df: call("stdtr", df, z),
    lambda z, df: call("stdtr", df, -z),
)
gamma = _Distribution(
    lambda z, a: call("xlogy", a - 1, z) - z - call("gammaln", a),
    lambda z, a: call("gammainc", a, z),
    lambda z, a: call("gammaincc", a, z),
    low=0,
)
chi2 = _Distribution(
    lambda z, df: (
        call("xlogy", df / 2 - 1, z) - z / 2 - call("gammaln", df / 2) - df / 2 * math.log(2)
    ),
    lambda z, df: call("gammainc", df / 2, z / 2),
    lambda z, df: call("gammaincc", df / 2, z / 2),
    low=0,
)
beta = _Distribution(
    lambda z, a, b: call("xlogy", a - 1, z) + call("xlog1py", b - 1, -z) - call("betaln", a, b),
    lambda z, a, b: call("betainc", a, b, z),
    lambda z, a, b: call("betainc", b, a, 1 - z),
    low=0,
    high=1,
)
expon = _Distribution(lambda z: -z, lambda z: -np.expm1(-z), lambda z: np.exp(-z), low=0)
laplace = _Distribution(
    lambda z: -np.abs(z) - math.log(2),
    _laplace_cdf,
    lambda z: _laplace_cdf(-z),
    _laplace_logcdf,
)
cauchy = _Distribution(
    lambda z: -math.log(math.pi) - np.log1p(z * z),
    lambda z: np.arctan2(1.0, -z) / math.pi,
    lambda z: np.arctan2(1.0, z) / math.pi,
)
logistic = _Distribution(
    lambda z: -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z))),
    lambda z: call("expit", z),
    lambda z: call("expit", -z),
    lambda z: call("log_expit", z),
)
lognorm = _Distribution(
    lambda z, s: -(np.log(z) ** 2) / (2 * s * s) - np.log(s * z) - _LOG_2PI / 2,
    lambda z, s: call("ndtr", np.log(z) / s),
    lambda z, s: call("ndtr", -np.log(z) / s),
    lambda z, s: call("log_ndtr", np.log(z) / s),
    low=0,
)
uniform = _Distribution(lambda z: 0 * z, lambda z: z, lambda z: 1 - z, low=0, high=1)


class _Counts:
    """A distribution of whole numbers."""

    def __init__(self, logpmf: Callable[..., Any]) -> None:
        self._logpmf = logpmf
        self._shapes = list(inspect.signature(logpmf).parameters)[1:]

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """Give the logarithm of the probability of the whole number k."""
        given = dict(zip(self._shapes, args, strict=False)) | named
        if set(given) != set(self._shapes):
            raise TypeError(f"the arguments are k, {', '.join(self._shapes)}; got {[*given]}")
        k = np.asarray(values(k), float)
        return self._logpmf(k, *[operand(given[name]) for name in self._shapes])

    def pmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """Give the probability of the whole number k."""
        return np.exp(self.logpmf(k, *args, **named))


def _binomial(k: Any, n: Any, p: Any) -> Any:
    whole = call("gammaln", n + 1) - call("gammaln", k + 1) - call("gammaln", n - k + 1)
    out = whole + call("xlogy", k, p) + call("xlog1py", n - k, -p)
    return where((k >= 0) & (k <= n.data) & (k == np.floor(k)), out, -np.inf)


poisson = _Counts(
    lambda k, mu: where(
        (k >= 0) & (k == np.floor(k)),
        call("xlogy", k, mu) - call("gammaln", k + 1) - mu,
        -np.inf,
    )
)
binom = _Counts(_binomial)
bernoulli = _Counts(lambda k, p: _binomial(k, operand(1.0), p))


class _MultivariateNormal:
    """The normal distribution of vectors."""

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """Give the logarithm of the density at the vectors x, along the last axis.

        `cov` is a positive definite matrix, a row of variances, or one variance; it or `mean` says
        how many numbers a vector has. Of one, each entry of x is a vector. Raises ValueError for
        shapes that don't fit, LinAlgError where cov is not positive definite.
        """
        x, cov = operand(x), operand(cov)
        mean = None if mean is None else operand(mean).reshape(-1)
        n = mean.size if mean is not None else cov.shape[0] if cov.ndim else 1
        x = x[..., None] if n == 1 and x.ndim < 2 else x
        if x.shape[-1] != n or cov.shape not in ((), (n,), (n, n)):
            raise ValueError(f"multivariate_normal: vectors of {n}, got {x.shape} and {cov.shape}")
        apart = x if mean is None else x - mean
        if cov.ndim < 2:
            cov = np.diag(np.broadcast_to(cov, (n,)))
        factor = np.linalg.cholesky(cov)
        white = solve_triangular(factor, apart.reshape(-1, n).T, lower=True)
        distance = (white * white).sum(axis=0).reshape(apart.shape[:-1])
        return -(distance + n * _LOG_2PI) / 2 - np.log(np.diagonal(factor)).sum()

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """Give the density at the vectors x."""
        return np.exp(self.logpdf(x, mean, cov))


multivariate_normal = _MultivariateNormal()


class _Dirichlet:
    """The distribution of parts x of a whole, with density x**(alpha - 1) / B(alpha)."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Give the logarithm of the density at x, whose first axis is that of the row alpha.

        The last part may be left out. Raises ValueError for parts below 0, or of another sum
        than 1.
        """
        x, alpha = operand(x), operand(alpha)
        if x.shape[:1] == (alpha.size - 1,):
            x = np.concatenate([x, 1 - x.sum(axis=0, keepdims=True)])
        if alpha.ndim != 1 or x.shape[:1] != alpha.shape:
            raise ValueError(f"dirichlet: x has shape {x.shape}, alpha {alpha.shape}")
        parts, sums = x.data, x.data.sum(axis=0)
        message = "dirichlet: the parts x are positive, and their sum is 1"
        check(parts >= 0, parts, ValueError, message)
        check(np.abs(sums - 1) <= 1e-9, sums, ValueError, message)
        powers = np.reshape(alpha - 1, (-1,) + (1,) * (x.ndim - 1))
        whole = call("gammaln", alpha.sum()) - call("gammaln", alpha).sum()
        return whole + call("xlogy", powers, x).sum(axis=0)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """Give the density at x."""
        return np.exp(self.logpdf(x, alpha))


class _Wishart:
    """The distribution of x = z @ z.T, the df columns of z normal with covariance `scale`."""

    def logpdf(self, x: Any, df: Any, scale: Any) -> Any:
        """Give the logarithm of the density at the positive definite matrix x.

        ((df - p - 1) log|x| - tr(scale^-1 x) - df log|scale| - df p log 2) / 2 - log Gamma_p(df/2)
        for p by p matrices (J. Wishart, 1928). Raises LinAlgError where x, or scale, is not
        positive definite, ValueError for other shapes.
        """
        x, df, scale = operand(x), operand(df), operand(scale)
        p = len(x) if x.ndim == 2 else 0
        if not p or x.shape != (p, p) or scale.shape != (p, p):
            raise ValueError(f"wishart: expected two matrices, got {x.shape} and {scale.shape}")
        of_x, of_scale = np.linalg.cholesky(x), np.linalg.cholesky(scale)
        white = solve_triangular(of_scale, of_x, lower=True)
        volumes = [np.log(np.diagonal(factor)).sum() for factor in (of_x, of_scale)]
        return (
            (df - p - 1) * volumes[0]
            - (white * white).sum() / 2
            - df * volumes[1]
            - df * (p * math.log(2) / 2)
            - multigammaln(df / 2, p)
        )

    def pdf(self, x: Any, df: Any, scale: Any) -> Any:
        """Give the density at the positive definite matrix x."""
        return np.exp(self.logpdf(x, df, scale))


class _Multinomial:
    """The distribution of how often each of several outcomes comes in n trials."""

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """Give log(n! / prod(x!) * prod(p**x)), with x and p along the last axis.

        -inf where x doesn't add up to n, or has a part below 0. The sum of p is taken to be 1.
        """
        x, n = (np.asarray(values(v), float) for v in (x, n))
        p = operand(p)
        if x.shape[-1:] != p.shape[-1:]:
            raise ValueError(f"multinomial: x has shape {x.shape}, p {p.shape}")
        fits = (x.sum(axis=-1) == n) & (x >= 0).all(axis=-1)
        x = np.where(x < 0, 0, x)
        ways = call("gammaln", n + 1) - call("gammaln", x + 1).sum(axis=-1)
        return where(fits, call("xlogy", x, p).sum(axis=-1) + ways, -np.inf)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """Give the probability of the counts x."""
        return np.exp(self.logpmf(x, n, p))


dirichlet, wishart, multinomial = _Dirichlet(), _Wishart(), _Multinomial()
