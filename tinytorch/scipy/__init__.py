"""SciPy's functions that turn their arguments into arrays, under the same names, for tensors.

`scipy.special`'s ufuncs take tensors themselves. All of these functions give tensors; they need
SciPy.
"""

from tinytorch.scipy import (
    fft,
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    signal,
    sparse,
    special,
    stats,
)

__all__ = [
    "fft",
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "special",
    "stats",
]
