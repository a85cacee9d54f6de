"""Complex numbers: their parts, and how they are made of real ones.

Gradients travel through the graph as conjugates (`arrays.words.conj`). So these rules are those of
f(a + ib) by a, minus i times the one by b; the operations that have a derivative by a + ib need
nothing of it, and what goes to a real input is cut down to its real part by the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.arrays.checks import surely
from tinytorch.arrays.words import conj
from tinytorch.operations.arithmetic import set_where
from tinytorch.operations.elementwise import Elementwise
from tinytorch.operations.notation import unary
from tinytorch.operations.protocols import implements, numpy_functions
from tinytorch.operations.samples import as_operand

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

real = unary(np.real, lambda grad, out, x: grad, "The real part of x")
imag = unary(np.imag, lambda grad, out, x: grad * -1j, "The imaginary part of x")
conjugate = unary(
    np.conjugate, lambda grad, out, x: conj(grad), "The complex conjugate: the real part - imag * i"
)
angle = unary(
    np.angle,
    lambda grad, out, x: grad * -1j / set_where(x == 0, np.inf, x),
    "The angle of x in the complex plane, from -pi to pi; its slope at 0 is 0",
)


@implements(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    """Give the angle of complex numbers in the plane: radians, or degrees with `deg`."""
    return Elementwise.rad2deg(angle(z)) if deg else angle(z)


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """Give the real parts, if all imaginary ones are below `tol` times the dtype's precision."""
    return real(a) if np.isrealobj(np.real_if_close(a._value, tol)) else a


# --- np.emath -------------------------------------------------------------------------------------


def _as_complex(x: Any, where: Any) -> Any:
    """Give x in complex numbers if it is somewhere where its function has no real value."""
    return x.astype(np.result_type(x.dtype, 1j)) if surely(np.any(where)) else x


def _beyond_reals(name: str, where: Callable[[Any], Any]) -> None:
    function = getattr(np, name)
    numpy_functions[getattr(np.emath, name)] = lambda x: function(_as_complex(x, where(x)))


for _name in ("sqrt", "log", "log2", "log10"):
    _beyond_reals(_name, lambda x: x.real < 0)
for _name in ("arcsin", "arccos", "arctanh"):
    _beyond_reals(_name, lambda x: np.abs(x) > 1)


@implements(np.emath.logn)
def _logn(n: Any, x: Any) -> Any:
    return np.emath.log(x) / np.emath.log(n)


@implements(np.emath.power)
def _power(x: Any, p: Any) -> Any:
    x = as_operand(x, p)
    return Elementwise.power(_as_complex(x, x.real < 0), p)


class ComplexNumbers:
    """The parts of complex numbers."""

    __slots__ = ()

    @property
    def real(self: Any) -> Tensor:
        """The real part; of real numbers, the tensor itself."""
        out: Tensor = real(self) if self._value.dtype.kind == "c" else self
        return out

    @property
    def imag(self) -> Tensor:
        """The imaginary part, which is 0 for real numbers."""
        return imag(self)

    @property
    def H(self: Any) -> Tensor:
        """The matrix transposed and conjugated."""
        out: Tensor = self.T.conj()
        return out

    @property
    def mH(self: Any) -> Tensor:
        """The matrices in the last two axes, transposed and conjugated."""
        out: Tensor = self.mT.conj()
        return out

    conj = conj_physical = conjugate = conjugate
    angle = angle

    def resolve_conj(self: Any) -> Tensor:
        """Give the tensor as it is: no conjugate waits to be computed."""
        out: Tensor = self
        return out

    resolve_neg = resolve_conj

    def adjoint(self) -> Tensor:
        """Give the matrices in the last two axes, transposed and conjugated: `x.mH`."""
        return self.mH
