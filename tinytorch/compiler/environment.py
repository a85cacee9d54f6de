"""What a function can reach without being given it: its closure, its globals, the objects in them.

A program is right as long as all of it is as it was when the program was recorded. `Environment`
lists it, so that changes are seen: what the function itself changes, and what others change between
two calls. The list is long, and looked through at every call, by a guard.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
import sysconfig
import types
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import Enum
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tinytorch import random
from tinytorch.arrays.parts import is_array, on_gpu
from tinytorch.arrays.plain import base
from tinytorch.arrays.user_lines import Line
from tinytorch.compiler.guard import Guard
from tinytorch.compiler.program import owner_of, place_of
from tinytorch.engine import Node

_TINYTORCH = str(Path(__file__).parents[1])
_STANDARD = sysconfig.get_path("stdlib"), str(Path(np.__file__).parent), "<frozen"
_INSTALLED = sysconfig.get_path("purelib"), sysconfig.get_path("platlib")
_SCALARS = (int, float, str, bytes, bool, type(None), Enum, np.generic, np.dtype, complex)
_STRUCTURES = (list, tuple, dict, deque)
_LEAVES = (*_SCALARS, np.ndarray, np.random.Generator, Node, types.ModuleType)
# Where Python's own objects are from that only hold what the user puts into them.
_CONTAINERS = "types", "argparse", "collections"
# What is in them is compared with what was.
_COPIED = set, frozenset, bytearray, type(os.environ)
# Another one of the same state is no other one.
_COMPARED = (*_STRUCTURES, set, frozenset, bytearray, types.FunctionType)
_MOST = 20_000


class Place(NamedTuple):
    """Where something is to be found: `container[key]`, `container.key`, or in a closure's cell."""

    how: str
    container: Any  # of what is in a tuple, the tuple's Place
    key: Any
    name: str  # as the user would write it, and no other's

    def read(self) -> Any:
        """Give what is there now."""
        if self.how == "part":
            return self.container.read()[self.key]
        if self.how == "cell":
            return self.container.cell_contents
        return self.container[self.key] if self.how == "item" else getattr(self.container, self.key)

    def write(self, value: Any) -> None:
        """Put something else there."""
        if self.how == "part":
            parts = self.container.read()
            self.container.write((*parts[: self.key], value, *parts[self.key + 1 :]))
        elif self.how == "cell":
            self.container.cell_contents = value
        elif self.how == "item":
            self.container[self.key] = value
        elif self.how == "partial":
            x = self.container
            x.__setstate__((x.func, value, x.keywords, vars(x)))
        else:
            setattr(self.container, self.key, value)


def line_about(function: Any, place: str) -> Line | None:
    """Find the last line of a function that speaks of a place, or of what the place is in."""
    function = inspect.unwrap(function)
    try:
        lines, first = inspect.getsourcelines(function)
        path = inspect.getsourcefile(function) or ""
    except (TypeError, OSError):
        return None
    for name in (place, re.split(r"[.\[]", place)[0]):
        for i in reversed(range(len(lines))):
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lines[i]):
                return Line(path, max(first, 1) + i)
    return Line(path, first)


class Environment:
    """All that a function and the objects given to it, by name, can reach, as it is now."""

    def __init__(self, roots: Sequence[tuple[str, Any]]) -> None:
        self.found: list[tuple[Place, Any, Any]] = []  # with what `_state` says of each
        self._guard = Guard()  # of what is in no place
        self._seen: set[int] = set()
        self._looked: list[tuple[str, Any]] = []  # into which kinds of object, and what code
        self.places: dict[str, Place] = {}
        self.tuples: list[tuple[Place, Any]] = []  # which as a whole can be another one
        self.roots = roots
        self._own = {_package(getattr(root, "__module__", None)) for _, root in roots}
        for name, root in roots:
            self._look(root, name)
        rng = "default_generator"
        self._place("attribute", random, rng, f"random.{rng}", random.default_generator)
        found = [(place, base(value), state) for place, value, state in self.found]
        self.arrays = [x for _, x, _ in found if isinstance(x, np.ndarray | Node) or on_gpu(x)]
        self.owners = {id(owner_of(getattr(x, "_value", x))) for x in self.arrays}

    @functools.cached_property
    def in_memory(self) -> set[Any]:
        """Where the arrays lie."""
        data = (getattr(x, "_value", x) for x in self.arrays)
        return {place_of(x) for x in data if is_array(x)}

    def differences(self, other: Environment) -> list[tuple[Place, Any, Any]]:
        """List the places that hold something else in `other`; of another structure, the first."""
        changed = []
        for (place, x, state), (place_there, y, state_there) in zip(
            self.found, other.found, strict=False
        ):
            if place.name != place_there.name or state != state_there:
                return [(place_there, None, None)]
            if x is y or (isinstance(x, _COMPARED) and type(x) is type(y)):
                continue
            if type(x) is not type(y) or not isinstance(x, _SCALARS) or x != y:
                changed.append((place_there, x, y))
        if len(self.found) != len(other.found):
            longer = max(self.found, other.found, key=len)
            return [(longer[min(len(self.found), len(other.found))][0], None, None)]
        # What was reloaded is the same object in the same place, with other code or another class.
        for here, there in zip_longest(self._looked, other._looked):
            if here != there:
                name, _ = there or here
                changed.append((Place("attribute", other, "roots", name or "itself"), None, None))
                break
        return changed

    def changes(self) -> list[tuple[Place, Any, Any]]:
        """List the places that hold something else by now."""
        return [] if self.unchanged() else self.differences(Environment(self.roots))

    @functools.cached_property
    def unchanged(self) -> Guard:
        """What says whether everything is in its place: then there are no `differences`."""
        return self.guard(())

    def guard(self, dynamic: Collection[str]) -> Guard:
        """Make what says so, but in the places `dynamic` there may be other numbers."""
        guard = self._guard.copy()
        loose = set()  # tuples of which a part may be another
        for name in dynamic:
            place = self.places.get(name)
            while place is not None and place.how == "part":
                place = place.container
                loose.add(place.name)
        for place, value, state in self.found:
            if place.name in loose:
                guard.equal(_type_in, place, type(value))
                guard.equal(_length_in, place, state)
            elif place.name in dynamic and isinstance(value, float | np.inexact):
                guard.equal(_type_in, place, type(value))
            elif place.how == "item":
                guard.item(place.container, place.key, value)
            elif place.how == "cell":
                guard.attribute(place.container, "cell_contents", value)
            elif place.how == "attribute":
                guard.attribute(place.container, place.key, value)
            elif place.container.name in loose:  # in the same tuple there are the same parts
                guard.equal(lambda at: id(at.read()), place, id(value))
        return guard

    # --- the walk -------------------------------------------------------------------------------

    def _is_library(self, module: Any) -> bool:
        """Tell what is installed, whose functions stay as they are, from the user's own modules."""
        package = _package(getattr(module, "__name__", None))
        if _is_standard(module) or package == "tinytorch":
            return True
        path = getattr(module, "__file__", None) or ""
        return package not in self._own and path.startswith(_INSTALLED)

    def _place(self, how: str, container: Any, key: Any, name: str, value: Any) -> None:
        place = self._note(how, container, key, name, value)
        if isinstance(value, tuple) and not isinstance(container, tuple):
            self.tuples.append((place, value))
        if type(value) is tuple:
            for i, part in enumerate(value):
                self._place("part", place, i, f"{place.name}[{i}]", part)
        else:
            self._look(value, place.name)

    def _note(self, how: str, container: Any, key: Any, name: str, value: Any) -> Place:
        if len(self.found) == _MOST:
            raise TypeError(
                f"compile: the function can reach more than {_MOST} things outside, as {name}, "
                "and a program would have to look at all in each call: give it what it needs as "
                "arguments, or put the numbers into an array"
            )
        if name in self.places:
            name = f"{name} ({len(self.found)})"
        place = self.places[name] = Place(how, container, key, name)
        self.found.append((place, value, state := _state(value)))
        if isinstance(value, Node):
            self._guard.tensor(value)
        elif isinstance(value, types.FunctionType):
            self._guard.function(value)
        elif isinstance(value, _COPIED):
            self._guard.equal(type(state), value, state)
        return place

    def _look(self, value: Any, name: str) -> None:
        """List what can be reached from `value`, which is called `name`."""
        if isinstance(value, _LEAVES) or id(value) in self._seen or on_gpu(base(value)):
            return
        self._seen.add(id(value))
        code = value.__code__ if isinstance(value, types.FunctionType) else type(value)
        self._looked.append((name, code))
        look: Any = next((look for kind, look in self._LOOKS if isinstance(value, kind)), None)
        # What an object gives for a name that it hasn't, or raises, is its own affair, and what a
        # library's wrapper keeps besides.
        wrapped = getattr(value, "__dict__", {}).get("__wrapped__")
        if (
            wrapped is not None
            and not isinstance(value, types.FunctionType | type)
            and self._is_library(sys.modules.get(type(value).__module__))
        ):
            self._place("item", vars(value), "__wrapped__", f"{name}.__wrapped__", wrapped)
        else:
            (look or Environment._look_into_object)(self, value, name)

    def _look_into_method(self, method: types.MethodType, name: str) -> None:
        self._look(method.__func__, name)
        self._look(method.__self__, name.rpartition(".")[0] or name or "self")

    def _look_into_partial(self, partial: functools.partial[Any], name: str) -> None:
        self.tuples.append((Place("partial", partial, "args", name), partial.args))
        for part in (partial.func, partial.args, partial.keywords):
            self._look(part, name)

    def _look_into_sequence(self, value: Any, name: str) -> None:
        if not isinstance(value, tuple):
            self._guard.size(value)
        for i, part in enumerate(value):
            self._place("item", value, i, f"{name}[{i}]", part)

    def _look_into_set(self, value: Any, name: str) -> None:
        for part in value:
            self._look(part, name)

    def _look_into_dict(self, value: dict[Any, Any], name: str) -> None:
        self._guard.equal(list, value, list(value))
        for i, (key, part) in enumerate(list(value.items())):
            # An optimiser's state is kept by parameter.
            shown = repr(key) if isinstance(key, _SCALARS) else i
            self._place("item", value, key, f"{name}[{shown}]", part)

    def _look_into_class(self, kind: type, name: str) -> None:
        if not self._is_library(sys.modules.get(kind.__module__)):
            self._guard.size(vars(kind))
            self._look_into_attributes(kind, name)

    def _look_into_object(self, value: Any, name: str) -> None:
        if _is_standard(sys.modules.get(type(value).__module__)) and (
            type(value).__module__ not in _CONTAINERS
        ):
            return
        if hasattr(value, "__dict__"):
            self._guard.object(value)
            self._look_into_attributes(value, name)
        for kind in type(value).__mro__[:-1]:
            slots = vars(kind).get("__slots__", ())
            for key in (slots,) if isinstance(slots, str) else slots:
                if hasattr(value, key):
                    self._place("attribute", value, key, f"{name}.{key}", getattr(value, key))
                else:
                    self._guard.equal(functools.partial(hasattr, value), key, False)
            self._look(kind, name)

    def _look_into_attributes(self, value: Any, name: str) -> None:
        dot = f"{name}." if name else ""
        for key, part in list(vars(value).items()):
            inner = getattr(part, "__func__", getattr(part, "fget", part))
            if not isinstance(value, type):
                self._place("item", vars(value), key, f"{dot}{key}", part)
            elif isinstance(inner, types.FunctionType):
                self._look(inner, f"{dot}{key}")
                if getattr(value, key, None) is part:  # as of functions and properties
                    self._note("attribute", value, key, f"{dot}{key}", part)
                else:
                    self._note("item", vars(value), key, f"{dot}{key}", part)
            elif not (key.startswith("__") or hasattr(type(part), "__get__")):
                self._place("attribute", value, key, f"{dot}{key}", part)

    def _look_into_function(self, function: types.FunctionType, _name: str) -> None:
        code = function.__code__
        self._guard.function(function)
        for key, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._place("cell", cell, 0, key, cell.cell_contents)
            except ValueError:  # nothing is in it yet
                self._guard.equal(types.CellType().__eq__, cell, True)
        self._look_into_defaults(function)
        # A wrapper of ours has the user's module for its own.
        ours = code.co_filename.startswith((_TINYTORCH, *_STANDARD))
        if ours or self._is_library(sys.modules.get(function.__module__)):
            return
        names = dict.fromkeys(_names(code))
        namespace = function.__globals__
        if not names.keys().isdisjoint(("environ", "getenv")):
            self._note("attribute", os, "environ", "os.environ", os.environ)
        self._guard.missing(namespace, names)
        for key in names:
            value = namespace.get(key)
            if isinstance(value, types.ModuleType):
                self._guard.item(namespace, key, value)
                if not self._is_library(value):
                    inside = vars(value)
                    self._guard.missing(inside, names)
                    for inner in names.keys() & inside.keys():
                        self._place("item", inside, inner, f"{key}.{inner}", inside[inner])
            elif key in namespace:
                module = sys.modules.get(getattr(value, "__module__", None) or "")
                changes = not self._is_library(module) or _has_state(value)
                keep = self._place if changes else self._note
                keep("item", namespace, key, key, value)

    def _look_into_defaults(self, function: types.FunctionType) -> None:
        code = function.__code__
        defaults = function.__defaults__ or ()
        self.tuples.append((Place("attribute", function, "__defaults__", ""), defaults))
        first = code.co_argcount - len(defaults)
        for i, (key, value) in enumerate(zip(code.co_varnames[first:], defaults, strict=False)):
            self._place("item", defaults, i, key, value)
        for key, value in (function.__kwdefaults__ or {}).items():
            self._place("item", function.__kwdefaults__, key, key, value)

    _LOOKS: ClassVar[list[tuple[Any, Callable[[Environment, Any, str], None]]]] = [
        (types.FunctionType, _look_into_function),
        (types.MethodType, _look_into_method),
        (functools.partial, _look_into_partial),
        (list | tuple | deque, _look_into_sequence),
        (set | frozenset, _look_into_set),
        (dict, _look_into_dict),
        (type, _look_into_class),
    ]


def _state(value: Any) -> Any:
    """Give what tells a container from itself as it was, and two functions from each other.

    A tensor's is whether it requires a gradient.
    """
    if isinstance(value, _STRUCTURES):
        return len(value)
    if isinstance(value, _COPIED):
        return value.copy()
    if isinstance(value, types.FunctionType):
        return value.__code__
    return value._requires_grad if isinstance(value, Node) else None


def _type_in(place: Place) -> type:
    return type(place.read())


def _length_in(place: Place) -> int:
    return len(place.read())


def _names(code: types.CodeType) -> Iterator[str]:
    """Give the names that a function looks up, those of the functions in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str) and "globals" in code.co_names:
            yield constant  # as in globals()["rate"]
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _has_state(value: Any) -> bool:
    is_object = isinstance(value, Node) or hasattr(value, "__dict__")
    return is_object and not isinstance(value, type | types.FunctionType)


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _is_standard(module: Any) -> bool:
    package = _package(getattr(module, "__name__", None))
    return package in sys.stdlib_module_names or package == "numpy"
