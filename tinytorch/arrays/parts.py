"""What programs are made of: arrays of NumPy's and CuPy's, wherever they are in the arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.plain import PLAIN

# What else programs are made of, of other libraries.
ARRAYS: set[type] = set()
# The types that are met most and that nothing is in.
ATOMS: set[type] = {np.ndarray, np.float64, np.float32, int, float, str, bool, type(None)}
_ON_CPU = frozenset(ATOMS)

# They write into their first argument.
WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
METHODS = {method for method in vars(np.ndarray).values() if callable(method)}


def on_gpu(x: Any) -> bool:
    """Tell CuPy's own arrays."""
    kind = type(x)
    return kind not in _ON_CPU and kind_of(x).name == "CuPy" and kind not in PLAIN


def is_array(x: Any) -> bool:
    """Tell NumPy's arrays and CuPy's, which programs are made of."""
    return type(x) is np.ndarray or on_gpu(x)


def made(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Make a call; a method of NumPy's arrays is one of CuPy's, too."""
    if function in METHODS and on_gpu(args[0]):
        return getattr(args[0], function.__name__)(*args[1:], **kwargs)
    return function(*args, **kwargs)


def map_parts(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply `function` to everything in nested tuples, lists, dicts and slices."""
    kind = type(tree)
    if kind in ATOMS:
        return function(tree)
    if kind is tuple or kind is list:
        parts = [function(x) if type(x) in ATOMS else map_parts(function, x) for x in tree]
        return parts if kind is list else tuple(parts)
    if kind is dict:
        return {key: map_parts(function, part) for key, part in tree.items()} if tree else {}
    if kind is slice:
        return slice(*[map_parts(function, x) for x in (tree.start, tree.stop, tree.step)])
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make([map_parts(function, part) for part in tree])
    return function(tree)
