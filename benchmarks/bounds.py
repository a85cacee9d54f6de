"""The ratios that TinyTorch means to stay below, and what it misses.

Written `workload: {peer: bound}`: TinyTorch's median over the peer's.
"""

from __future__ import annotations

from collections.abc import Mapping

BOUNDS: dict[str, dict[str, float]] = {
    "quickstart": {"pytorch": 0.35, "jax": 1.2},
    "moons": {"pytorch": 0.35, "jax": 1.0, "numpy": 2.0},
    "mnist32": {"pytorch": 0.55, "jax": 0.9, "numpy": 1.2},
    "mnist256": {"pytorch": 0.85, "jax": 0.85, "numpy": 1.1},
    "wide": {"pytorch": 0.95, "jax": 0.9, "numpy": 1.1},
    "chain1k": {"pytorch": 0.5},
    "chain100k": {"pytorch": 0.8},
    "elementwise": {"pytorch": 0.8, "jax": 0.8, "numpy": 2.0},
    "attention": {"pytorch": 1.0, "numpy": 1.3},
    "lenet": {"pytorch": 2.0},
    "batchnorm_conv": {"pytorch": 2.0},
    "gpt": {"pytorch": 1.5},
    "lstm": {"pytorch": 1.2},
    "adam": {"pytorch": 1.0},
    "embedding": {"pytorch": 1.0},
    "hessian10": {"pytorch": 0.8, "autograd": 0.8},
    "hessian50": {"pytorch": 0.8, "autograd": 0.8},
    "import": {"pytorch": 0.05},
    "memory": {"pytorch": 1.0},
}
COMPILED: dict[str, dict[str, float]] = {
    "quickstart": {"pytorch": 0.2, "jax": 0.8},
    "moons": {"pytorch": 0.25, "jax": 0.65, "numpy": 1.15},
    "mnist32": {"pytorch": 0.55, "jax": 0.75, "numpy": 1.15},
    "mnist256": {"pytorch": 0.6, "jax": 0.8, "numpy": 1.1},
    "wide": {"pytorch": 0.6, "jax": 0.9, "numpy": 1.05},
    "chain1k": {"pytorch": 0.2, "numpy": 1.1},
    "elementwise": {"pytorch": 0.65, "jax": 0.85, "numpy": 0.6},
    "attention": {"pytorch": 0.9, "jax": 1.0, "numpy": 1.0},
    "lenet": {"pytorch": 1.2, "jax": 1.0},
    "batchnorm_conv": {"pytorch": 1.5},
    "gpt": {"pytorch": 1.0, "jax": 1.1},
    "lstm": {"pytorch": 0.7, "jax": 1.2},
    "adam": {"pytorch": 0.6},
    "embedding": {"pytorch": 1.0},
    "hessian10": {"pytorch": 0.15},
    "hessian50": {"pytorch": 0.2},
    "cold": {"pytorch": 0.3, "jax": 0.3},
    "memory": {"pytorch": 0.6, "jax": 1.0},
}
OURS = {"tinytorch": BOUNDS, "compiled": COMPILED}
DEEPER = 1.5  # chain100k over chain1k, both for one operation
INSTALLED = 1e6  # bytes

# The median of each library in each row of the table.
Medians = Mapping[str, Mapping[str, float]]


def ratio(medians: Medians, row: str, peer: str, ours: str = "tinytorch") -> float | None:
    """Give TinyTorch's figure over the peer's, if both were measured."""
    if ours in medians[row] and peer in medians[row]:
        return medians[row][ours] / medians[row][peer]
    return None


def is_missed(row: str, peer: str, measured: float, ours: str = "tinytorch") -> bool:
    """Say whether `measured` is above the bound, if there is one."""
    return measured > OURS[ours].get(row, {}).get(peer, measured)


def further(medians: Medians) -> dict[str, bool]:
    """Word the two bounds that need no peer, and say of each whether it is missed."""
    lines = {}
    if "chain1k" in medians and "chain100k" in medians:
        deeper = medians["chain100k"]["tinytorch"] / medians["chain1k"]["tinytorch"]
        line = f"an operation of chain100k costs TinyTorch {deeper:.2f} times one of chain1k"
        lines[f"{line} ({DEEPER})"] = deeper > DEEPER
    if "installed" in medians:
        size = medians["installed"]["tinytorch"] / 1e6
        line = f"TinyTorch takes {size:.2f} MB of disk space beyond NumPy's"
        lines[f"{line} ({INSTALLED / 1e6:g})"] = size >= INSTALLED / 1e6
    return lines
