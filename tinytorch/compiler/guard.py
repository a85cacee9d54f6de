"""A guard, which says before each run of a program whether things are as they were."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from types import FunctionType
from typing import Any

from tinytorch.engine import Node


class Guard:
    """What there is to look at, kind by kind: loops are the fastest that need no compiling."""

    def __init__(self) -> None:
        self._items: list[tuple[Any, Any, Any]] = []
        self._attributes: list[tuple[Any, str, Any]] = []
        self._objects: list[tuple[Any, type, Any, int]] = []
        self._sizes: list[tuple[Any, int]] = []
        self._tensors: list[tuple[Node, Any, bool]] = []
        self._functions: list[tuple[FunctionType, Any, Any, Any]] = []
        self._missing: list[tuple[Any, Collection[str]]] = []
        self._others: list[tuple[Callable[[Any], Any], Any, Any]] = []

    def copy(self) -> Guard:
        """Give a guard that looks at the same things, to which others can be added."""
        twin = Guard()
        for name, looked_at in vars(self).items():
            vars(twin)[name] = looked_at.copy()
        return twin

    def item(self, container: Any, key: Any, value: Any) -> None:
        """Look whether `container[key]` is `value`."""
        self._items.append((container, key, value))

    def attribute(self, owner: Any, name: str, value: Any) -> None:
        """Look whether `owner.name` is `value`."""
        self._attributes.append((owner, name, value))

    def object(self, x: Any) -> None:
        """Look whether an object has its class, and as many attributes: they hide the class's."""
        self._objects.append((x, type(x), x.__dict__, len(x.__dict__)))

    def size(self, container: Any) -> None:
        """Look whether there are as many things in `container`."""
        self._sizes.append((container, len(container)))

    def tensor(self, x: Node) -> None:
        """Look whether a tensor has the same array, and requires a gradient as it did."""
        self._tensors.append((x, x._value, x._requires_grad))

    def function(self, function: FunctionType) -> None:
        """Look whether a function has become another one."""
        defaults = function.__defaults__, function.__kwdefaults__
        self._functions.append((function, function.__code__, *defaults))

    def missing(self, namespace: dict[str, Any], names: Iterable[str]) -> None:
        """Look whether those of the names that are not in `namespace` are still not."""
        keys = namespace.keys()
        self._missing.append((keys, [name for name in names if name not in keys]))

    def equal(self, read: Callable[[Any], Any], x: Any, value: Any) -> None:
        """Look whether `read(x)` equals `value`."""
        self._others.append((read, x, value))

    def __call__(self) -> bool:  # noqa: C901, PLR0911, PLR0912  (a loop for each kind)
        """Say whether all is as it was."""
        try:
            for container, key, value in self._items:
                if container[key] is not value:
                    return False
            for owner, name, value in self._attributes:
                if getattr(owner, name) is not value:
                    return False
            for x, kind, attributes, size in self._objects:
                if type(x) is not kind or x.__dict__ is not attributes or len(attributes) != size:
                    return False
            for container, size in self._sizes:
                if len(container) != size:
                    return False
            for tensor, data, requires_grad in self._tensors:
                if tensor._value is not data or tensor._requires_grad is not requires_grad:
                    return False
            for function, code, defaults, by_name in self._functions:
                if (
                    function.__code__ is not code
                    or function.__defaults__ is not defaults
                    or function.__kwdefaults__ is not by_name
                ):
                    return False
            for keys, names in self._missing:
                if not keys.isdisjoint(names):
                    return False
            for read, x, value in self._others:
                if read(x) != value:
                    return False
        except (LookupError, AttributeError, ValueError):  # something isn't there any more
            return False
        return True
