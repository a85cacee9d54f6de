"""What a function can reach without being given it: its closure, its globals, the objects in them.

A program is right as long as all of it is as it was when the program was recorded. `Environment`
lists it, so that changes are seen: what the function itself changes, and what others change between
two calls. The list is long, and looked through at every call; so it becomes one Python expression.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinytorch.compiler.program import owner_of
from tinytorch.engine import Node

_TINYTORCH = str(Path(__file__).parents[1])
_STANDARD = sysconfig.get_path("stdlib"), str(Path(np.__file__).parent), "<frozen"
_SCALARS = (int, float, str, bytes, bool, type(None), Enum, np.generic, np.dtype, complex)
_STRUCTURES = (list, tuple, dict)
_MOST = 20_000


class Place(NamedTuple):
    """Where something is to be found: `container[key]`, `container.key`, or in a closure's cell."""

    how: str
    container: Any
    key: Any
    name: str  # as the user would write it

    def read(self) -> Any:
        """Give what is there now."""
        if self.how == "cell":
            return self.container.cell_contents
        return self.container[self.key] if self.how == "item" else getattr(self.container, self.key)

    def write(self, value: Any) -> None:
        """Put something else there; for a float again a float."""
        if type(value) is np.float64 and type(self.read()) is float:
            value = float(value)  # which the program computed as NumPy does
        if self.how == "cell":
            self.container.cell_contents = value
        elif self.how == "item":
            self.container[self.key] = value
        else:
            setattr(self.container, self.key, value)


class Environment:
    """All that `roots`, functions and objects, can reach, as it is now."""

    def __init__(self, roots: Any) -> None:
        self.found: list[tuple[Place, Any, int]] = []  # with the lengths of containers, say
        self._seen: set[int] = set()
        self.roots = roots
        for i, root in enumerate(roots):
            self._look(root, "" if i == 0 else f"object_{i}")
        self.arrays = [value for _, value, _ in self.found if isinstance(value, np.ndarray | Node)]
        self.owners = {id(owner_of(getattr(x, "_data", x))) for x in self.arrays}
        self.unchanged = self._guard()

    def differences(self, other: Environment) -> list[tuple[Place, Any, Any]]:
        """List the places that hold something else in `other`; of another structure, the first."""
        changed = []
        for (place, x, state), (place_there, y, state_there) in zip(
            self.found, other.found, strict=False
        ):
            if place.name != place_there.name or state != state_there:
                return [(place_there, None, None)]
            if x is y or (state >= 0 and type(x) is type(y)):
                continue
            if type(x) is not type(y) or not isinstance(x, _SCALARS) or x != y:
                changed.append((place_there, x, y))
        if len(self.found) != len(other.found):
            longer = max(self.found, other.found, key=len)
            return [(longer[min(len(self.found), len(other.found))][0], None, None)]
        return changed

    def _guard(self) -> Callable[[], bool]:
        """Make the function that says whether everything is still in its place."""
        names: dict[str, Any] = {}
        terms = []
        for i, (place, value, state) in enumerate(self.found):
            names[f"c{i}"], names[f"k{i}"], names[f"v{i}"] = place.container, place.key, value
            at = {
                "cell": f"c{i}.cell_contents", "item": f"c{i}[k{i}]",
                "attribute": f"c{i}.{place.key}",
            }[place.how]  # fmt: skip
            terms.append(f"{at} is v{i}")
            if isinstance(value, _STRUCTURES):
                terms.append(f"len(v{i}) == {state}")
            if isinstance(value, Node):
                names[f"d{i}"] = value._data
                terms.append(f"v{i}._data is d{i} and v{i}.requires_grad is {value.requires_grad}")
        # Python's parser nests a long expression deeply.
        lines = [
            f"    if not ({' and '.join(terms[i : i + 200])}): return False\n"
            for i in range(0, len(terms), 200)
        ]
        exec(f"def unchanged():\n{''.join(lines)}    return True\n", names)  # noqa: S102
        unchanged: Callable[[], bool] = names["unchanged"]
        return unchanged

    # --- the walk -------------------------------------------------------------------------------

    def _place(self, how: str, container: Any, key: Any, name: str, value: Any) -> None:
        state = len(value) if isinstance(value, _STRUCTURES) else -1
        if isinstance(value, types.FunctionType):
            state = 0
        elif isinstance(value, Node):
            state = -2 - value.requires_grad
        if len(self.found) < _MOST:
            self.found.append((Place(how, container, key, name), value, state))
            self._look(value, name)

    def _look(self, value: Any, name: str) -> None:  # noqa: C901, PLR0912  (a branch for each kind)
        if isinstance(value, (*_SCALARS, np.ndarray, Node)) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if not isinstance(value, types.FunctionType | type) and hasattr(value, "__wrapped__"):
            self._look(value.__wrapped__, name)
        elif isinstance(value, types.FunctionType):
            self._look_into_function(value, name)
        elif isinstance(value, types.MethodType):
            self._look(value.__func__, name)
            self._look(value.__self__, name.rpartition(".")[0] or name or "self")
        elif isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self._look(part, name)
        elif isinstance(value, list | tuple):
            for i, part in enumerate(value):
                self._place("item", value, i, f"{name}[{i}]", part)
        elif isinstance(value, dict):
            for i, (key, part) in enumerate(list(value.items())):
                if isinstance(key, str | int | Node):  # an optimiser's state is kept by parameter
                    shown = i if isinstance(key, Node) else repr(key)
                    self._place("item", value, key, f"{name}[{shown}]", part)
        elif isinstance(value, type):
            if not _is_library(sys.modules.get(value.__module__)):
                self._look_into_attributes(value, name)
        elif hasattr(value, "__dict__") and not isinstance(value, types.ModuleType):
            if _is_standard(sys.modules.get(type(value).__module__)):
                return
            self._look_into_attributes(value, name)
            for kind in type(value).__mro__[:-1]:
                self._look(kind, name)

    def _look_into_attributes(self, value: Any, name: str) -> None:
        dot = f"{name}." if name else ""
        for key, part in list(vars(value).items()):
            inner = getattr(part, "__func__", getattr(part, "fget", part))
            if isinstance(inner, types.FunctionType):
                self._look(inner, f"{dot}{key}")
            elif key.isidentifier() and not key.startswith("__"):
                descriptor = hasattr(type(part), "__get__") or hasattr(type(part), "__set__")
                if not descriptor:
                    self._place("attribute", value, key, f"{dot}{key}", part)

    def _look_into_function(self, function: types.FunctionType, name: str) -> None:
        code = function.__code__
        for key, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._place("cell", cell, 0, key, cell.cell_contents)
            except ValueError:  # nothing is in it yet
                continue
        self._look((function.__defaults__ or (), function.__kwdefaults__ or {}), name)
        if code.co_filename.startswith((_TINYTORCH, *_STANDARD)):
            return
        names = dict.fromkeys(_names(code))
        for key in names:
            value = function.__globals__.get(key)
            if isinstance(value, types.ModuleType):
                if not _is_library(value):
                    for inner in names.keys() & vars(value).keys():
                        self._place(
                            "item", vars(value), inner, f"{key}.{inner}", vars(value)[inner]
                        )
            elif (
                key in function.__globals__
                and not _is_library(sys.modules.get(getattr(value, "__module__", None) or ""))
            ) or _has_state(value):
                self._place("item", function.__globals__, key, key, value)


def _names(code: types.CodeType) -> Iterator[str]:
    """Give the names that a function looks up, those of the functions in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _has_state(value: Any) -> bool:
    is_object = isinstance(value, Node) or hasattr(value, "__dict__")
    return is_object and not isinstance(value, type | types.FunctionType)


def _is_standard(module: Any) -> bool:
    name = getattr(module, "__name__", "")
    root = name.partition(".")[0]
    return (root in sys.stdlib_module_names and root != "__main__") or root == "numpy"


def _is_library(module: Any) -> bool:
    return _is_standard(module) or getattr(module, "__name__", "").partition(".")[0] == "tinytorch"
