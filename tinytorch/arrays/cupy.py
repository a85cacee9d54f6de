"""CuPy's arrays, on a GPU: NumPy's functions compute there, and nothing comes back unasked.

What CuPy lacks, or does in other words, is said here. It mixes with no array of NumPy's: what an
operation makes for itself goes over to the GPU (`own`), what the user gives has to be there.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinytorch.arrays.kind import Kind
from tinytorch.devices import device

cupy: Any = import_module("cupy")


class CupyKind(Kind):
    """Arrays on a GPU."""

    name = "CuPy"
    to_numpy = "its get()"
    namespace = cupy

    def accept(self, array: Any) -> Any:
        """Give the array."""
        return array

    def like(self, values: Any, array: Any) -> Any:
        """Give `values` on the GPU."""
        return values if type(values) is type(array) else cupy.asarray(values)

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Any, type[Exception]]] = {}

    def numpy(self, array: Any) -> Any:
        """Bring the values back. Raises what has been found wrong since this was last done."""
        checks, self._checks = self._checks, {}
        for message, (fine, error) in checks.items():
            if not fine:
                raise error(f"{message}, got others on the way to this value")
        return array.get()

    def check(self, fine: Any, values: Any, error: type[Exception], message: str) -> None:
        """Note whether all are fine, without waiting for it."""
        del values
        known, _ = self._checks.get(message, (True, error))
        self._checks[message] = fine.all() & known, error

    def operands(self, op: object, arrays: Sequence[Any]) -> list[Any]:
        """Take arrays of no axes over; refuse others that are on the CPU."""
        return [self._operand(op, x, arrays) for x in arrays]

    def _operand(self, op: object, x: Any, arrays: Sequence[Any]) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        if x.ndim:
            there = next(y for y in arrays if type(y) is cupy.ndarray)
            raise TypeError(
                f"{op} of a NumPy array of shape {x.shape} and a CuPy array of shape "
                f"{there.shape}: both are on the CPU, or both on the GPU; x.cuda() and x.cpu() "
                "take a tensor over, cupy.asarray(x) an array"
            )
        return cupy.asarray(x)

    def own(self, array: Any, like: Any) -> Any:
        """Take the array over to the GPU."""
        del like
        return cupy.asarray(array) if isinstance(array, np.ndarray) else array

    def device(self, array: Any) -> device:
        """Say on which GPU the entries are."""
        return device("cuda", array.device.id)

    def placed(self, array: Any, index: int | None) -> Any:
        """Give the array on that GPU, or without an index on any."""
        if index is None:
            return cupy.asarray(array)
        with cupy.cuda.Device(index):
            return cupy.asarray(array)

    def evaluate(
        self, op: object, function: Callable[..., Any], arrays: Sequence[Any], parameters: Any
    ) -> Any:
        """Call `function`. Raises TypeError for what CuPy can't do."""
        try:
            return function(*arrays, **parameters)
        except (TypeError, AttributeError, NotImplementedError) as error:
            raise self._refused(op, error) from error

    def _refused(self, op: object, error: Exception) -> Exception:
        reason = str(error).strip().partition("\n")[0]
        return TypeError(
            f"{op}: CuPy cannot do this to its arrays ({reason}). On NumPy arrays, which x.cpu() "
            "gives, it works"
        )

    def accumulate(self, ufunc: np.ufunc, array: Any, axis: int) -> Any:
        """Let each entry take in the one before it, then the two before those, then the four.

        CuPy accumulates sums and products only. (W. D. Hillis and G. L. Steele, "Data parallel
        algorithms", 1986.)
        """
        out = np.moveaxis(array.copy(), axis, -1)
        step = 1
        while step < out.shape[-1]:
            out[..., step:] = ufunc(out[..., :-step], out[..., step:])
            step *= 2
        return np.moveaxis(out, -1, axis)

    def multi_dot(self, matrices: Sequence[Any]) -> Any:
        """Give the product of all the matrices, in a good order, if not always the best one."""
        letters = string.ascii_letters
        terms = ",".join(letters[i : i + 2] for i in range(len(matrices)))
        return np.einsum(f"{terms}->a{letters[len(matrices)]}", *matrices, optimize=True)

    def add_at(self, out: Any, index: Any, part: Any) -> None:
        """Do `out[index] += part`, but add up what goes to the same entry."""
        out.scatter_add(index, part)

    def draws(self, rng: np.random.Generator) -> Any:
        """Give CuPy's generator with a seed that `rng` draws: once, if it is the library's own."""
        known = getattr(rng, "on_gpu", None)
        if known is None:
            known = cupy.random.Generator(cupy.random.XORWOW(int(rng.integers(2**63))))
            if hasattr(rng, "on_gpu"):
                rng.on_gpu = known
        return known

    def scipy(self, module: str, name: str) -> Callable[..., Any]:
        """Give CuPy's function of that name. Raises TypeError where it has none."""
        try:
            function: Callable[..., Any] = getattr(import_module(f"cupyx.scipy.{module}"), name)
        except AttributeError:
            raise TypeError(f"cupyx.scipy.{module} has no {name}") from None
        return function


KIND = CupyKind()
