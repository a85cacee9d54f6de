"""Find the bottom of Rosenbrock's valley with SciPy, which gets its derivatives from TinyTorch.

The function is written for NumPy arrays. `grad`, `value_and_grad`, `hessian` and `hvp` make of it
what `scipy.optimize.minimize` wants to be given.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from tinytorch import grad, hessian, hvp, value_and_grad

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def rosenbrock(x: Any) -> Any:
    """Return `sum(100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2)`, which is 0 where all x[i] are 1."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def descents() -> dict[str, OptimizeResult]:
    """Minimise from the same start by values alone, by gradients, and by second derivatives."""
    slope = grad(rosenbrock)
    return {
        "Nelder-Mead": minimize(
            rosenbrock, START, method="Nelder-Mead", options={"maxiter": 2000, "maxfev": 2000}
        ),
        "CG": minimize(rosenbrock, START, jac=slope, method="CG"),
        "BFGS": minimize(value_and_grad(rosenbrock), START, jac=True, method="BFGS"),
        "Newton-CG": minimize(
            rosenbrock, START, jac=slope, hessp=partial(hvp, rosenbrock), method="Newton-CG"
        ),
        "trust-ncg": minimize(
            rosenbrock, START, jac=slope, hess=hessian(rosenbrock), method="trust-ncg"
        ),
    }


def main() -> None:
    """Print a line for each method: its iterations, its evaluations, and where it ended."""
    print(f"Rosenbrock's function in {len(START)} dimensions, from x = {START}\n")
    print(f"{'':12}{'':>12}{'evaluations of':^30}")
    print(f"{'method':12}{'iterations':>12}{'f':>8}{'gradient':>11}{'Hessian':>10}   ended at")
    for method, found in descents().items():
        counts = f"{found.nfev:8}{found.get('njev', 0):11}{found.get('nhev', 0):10}"
        place = np.array2string(found.x, precision=4, floatmode="fixed")
        print(f"{method:12}{found.nit:12}{counts}   {place}, f = {found.fun:.1e}")


if __name__ == "__main__":
    main()
