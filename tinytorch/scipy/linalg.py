"""SciPy's linear algebra: triangular and symmetric systems, matrix functions, built matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.kind import evaluate, kind_of
from tinytorch.operations import matrix_functions
from tinytorch.operations.joint import JointRules
from tinytorch.operations.operation import Operation, apply
from tinytorch.scipy.words import operand

_TRIANGULAR = Operation("solve_triangular", module=__name__)
_SYLVESTER = Operation("solve_sylvester", module=__name__)
_BANDED = Operation("solve_banded", module=__name__)


def expm(A: Any) -> Any:
    """Give the exponential of square matrices."""
    return matrix_functions.expm(operand(A))


def logm(A: Any) -> Any:
    """Give the logarithm of square matrices, complex where eigenvalues are below 0."""
    return matrix_functions.logm(operand(A))


def sqrtm(A: Any) -> Any:
    """Give the square root of square matrices, complex where eigenvalues are below 0."""
    return matrix_functions.sqrtm(operand(A))


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """Give the x of which a @ x is b, or a.T @ x with `trans`; a is triangular.

    Of a only the triangle is looked at; not its diagonal either if `unit_diagonal`.
    """
    if trans not in (0, 1, "N", "T"):
        raise ValueError(f"solve_triangular: trans is 0, 1, 'N' or 'T', got {trans!r}")
    turned = trans in (1, "T")
    return _triangular(operand(a), operand(b), turned, lower, unit_diagonal)


def _triangular(a: Any, b: Any, turned: bool, lower: bool, unit: bool) -> Any:
    def of_arrays(a: Any, b: Any) -> Any:
        return kind_of(a, b).scipy("linalg", "solve_triangular")(a, b, int(turned), lower, unit)

    def by_b(grad: Any, out: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        return _triangular(a, grad, not turned, lower, unit)

    def by_a(grad: Any, out: Any, a: Any, b: Any) -> Any:
        share = by_b(grad, out, a, b)
        columns = [x[:, None] if x.ndim == 1 else x for x in (share, out)]
        full = -columns[0] @ columns[1].T
        return (np.tril if lower else np.triu)(full.T if turned else full, -unit if lower else unit)

    return apply(
        _TRIANGULAR,
        lambda a, b: evaluate(_TRIANGULAR, of_arrays, a, b),
        (by_a, by_b),
        a,
        b,
    )


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """Give the x of which a @ x is b; a has entries near its diagonal alone, those in ab.

    With l diagonals below the main one and u above, a[i, j] is ab[u + i - j, j].

    >>> solve_banded((0, 1), [[0.0, 1.0], [1.0, 2.0]], [5.0, 4.0])
    Tensor([3., 2.], requires_grad=False)
    """
    below, above = l_and_u
    ab, b = operand(ab), operand(b)
    if ab.ndim != 2 or ab.shape[0] != below + above + 1:
        raise ValueError(
            f"solve_banded: {below} diagonals below and {above} above are {below + above + 1} "
            f"rows, got shape {ab.shape}"
        )
    return _banded(below, above, ab, b)


def _banded(below: int, above: int, ab: Any, b: Any) -> Any:
    diagonals = range(-above, below + 1)  # i - j of each row of ab
    n = ab.shape[1]
    places = np.arange(n) + np.array(diagonals)[:, None]

    def of_arrays(ab: Any, b: Any) -> Any:
        solve = kind_of(ab, b).scipy("linalg", "solve_banded")
        return evaluate(_BANDED, solve, (below, above), ab, b)

    def by_b(grad: Any, out: Any, ab: Any, b: Any) -> Any:  # noqa: ARG001
        turned = np.stack([np.roll(ab[above + d], d) for d in reversed(diagonals)])
        return _banded(above, below, turned, grad)

    def by_ab(grad: Any, out: Any, ab: Any, b: Any) -> Any:
        share = by_b(grad, out, ab, b).reshape(n, -1)
        columns = out.reshape(n, -1)
        full = np.stack([(np.roll(share, -d, 0) * columns).sum(axis=1) for d in diagonals])
        return -full * ((places >= 0) & (places < n))

    return apply(_BANDED, of_arrays, (by_ab, by_b), ab, b)


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """Give Cholesky's factor of a positive definite matrix, and whether it is the lower one.

    Its other triangle is 0 (SciPy's is arbitrary).
    """
    return np.linalg.cholesky(operand(a), upper=not lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """Give the x of which a @ x is b; `c_and_lower` is what cho_factor gave of a."""
    c, lower = c_and_lower
    half = solve_triangular(c, b, trans=int(not lower), lower=lower)
    return solve_triangular(c, half, trans=int(lower), lower=lower)


def block_diag(*arrs: Any) -> Any:
    """Put matrices, or rows as such, on the diagonal of a matrix of zeros."""
    from tinytorch.pytorch.functions import block_diag

    return block_diag(*map(operand, arrs))


def toeplitz(c: Any, r: Any = None) -> Any:
    """Give the matrix whose diagonals are constant: c is its first column, r its first row."""
    c = operand(c)
    r = c if r is None else operand(r)
    values = np.concatenate([np.flip(c), r[1:]])
    rows, columns = np.arange(c.size)[:, None], np.arange(r.size)
    return values[columns - rows + c.size - 1]


def _sylvester_work(grad: Any, out: Any, a: Any, b: Any, q: Any) -> Any:  # noqa: ARG001
    return _sylvester(a.T, b.T, grad)


_SYLVESTER_RULES: Any = JointRules(
    _sylvester_work,
    lambda share, out, *_: -share @ out.T,
    lambda share, out, *_: -out.T @ share,
    lambda share, *_: share,
)


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    def of_arrays(a: Any, b: Any, q: Any) -> Any:
        solve = kind_of(a, b, q).scipy("linalg", "solve_sylvester")
        return evaluate(_SYLVESTER, solve, a, b, q)

    return apply(_SYLVESTER, of_arrays, _SYLVESTER_RULES, a, b, q)


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Give the x of which a @ x + x @ b is q."""
    return _sylvester(*map(operand, (a, b, q)))
