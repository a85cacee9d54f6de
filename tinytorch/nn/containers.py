"""Containers: modules and parameters in lists and dicts, under the names that a state has."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from itertools import groupby
from typing import Any, ClassVar, Self

from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor


class _Container(Module):
    """Holds its items as attributes, whose names are those that `state_dict` has."""

    _kind_of_item: ClassVar[type[Any]] = Module

    def _items(self) -> dict[str, Any]:
        return {name: x for name, x in vars(self).items() if isinstance(x, self._kind_of_item)}

    def _hold(self, items: Mapping[str, Any]) -> None:
        """Hold these items and no others. Raises TypeError for what is no such item."""
        checked = {name: self._checked(x) for name, x in items.items()}
        for name in self._items():
            del vars(self)[name]
        vars(self).update(checked)

    def _checked(self, x: Any) -> Any:
        kind = self._kind_of_item
        if kind is Parameter and isinstance(x, Tensor) and not isinstance(x, Parameter):
            return Parameter(x, label=x.label)
        if not isinstance(x, kind):
            name = type(self).__name__
            said = f"{name} holds a {kind.__name__} in each place, got "
            if inspect.isfunction(x):
                raise TypeError(f"{said}the function {x.__name__}; a module calls it in `forward`")
            said += describe(x)
            if isinstance(x, type) and issubclass(x, kind):
                said += f"; {x.__name__}() makes one of the class"
            elif isinstance(x, list | tuple) and name == "Sequential":
                said += "; Sequential(*layers) takes those in a list"
            raise TypeError(said)
        return x

    def __len__(self) -> int:
        return len(self._items())


class _List(_Container, MutableSequence[Any]):
    """A list whose items have their places for names: "0", "1", and so on."""

    def _number(self, items: Iterable[Any]) -> Self:
        self._hold({str(i): x for i, x in enumerate(items)})
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items().values())

    def __getitem__(self, index: Any) -> Any:
        found = list(self)[index]
        kind: Any = type(self)
        return kind(found) if isinstance(index, slice) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        items = list(self)
        items[index] = value
        self._number(items)

    def __delitem__(self, index: Any) -> None:
        items = list(self)
        del items[index]
        self._number(items)

    def insert(self, index: int, value: Any) -> None:
        """Put an item before the one at `index`."""
        items = list(self)
        items.insert(index, value)
        self._number(items)

    def append(self, value: Any) -> Self:  # type: ignore[override]
        """Put an item at the end, and give the list."""
        vars(self)[str(len(self))] = self._checked(value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:  # type: ignore[override]
        """Put items at the end, and give the list."""
        for value in list(values):
            self.append(value)
        return self

    def __add__(self, other: Iterable[Any]) -> Self:
        return self[:].extend(other)  # type: ignore[no-any-return]


class Sequential(_List):
    """Modules one after the other: the output of each is the input of the next.

    They are given in order, or in a dict, whose keys are their names.

    >>> Sequential(Module(), Module())
    Sequential(
      (0): Module()
      (1): Module()
    )
    """

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            self._hold(modules[0])
        else:
            self._number(modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(list(self._items().items())[index]))
        return list(self)[index]

    def forward(self, input: Any) -> Any:
        """Compute the last module's output."""
        for module in self:
            input = module(input)  # noqa: A001
        return input


class ModuleList(_List):
    """Modules in a list, which has all that Python's lists have.

    >>> from tinytorch.nn import Linear
    >>> layers = ModuleList([Linear(2, 3), Linear(3, 1)])
    >>> len(layers), layers[1].weight.shape
    (2, (1, 3))
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._number(modules or ())

    def __repr__(self) -> str:
        # Equal ones in a row are shown once, with their places.
        lines, start = [], 0
        for text, group in groupby(map(repr, self)):
            n = len(list(group))
            places = f"({start}): " if n == 1 else f"({start}-{start + n - 1}): {n} x "
            lines.append("\n  " + (places + text).replace("\n", "\n  "))
            start += n
        return f"{type(self).__name__}({''.join(lines)}{chr(10) if lines else ''})"


class ParameterList(_List):
    """Parameters in a list, which has all that Python's lists have; tensors become parameters."""

    _kind_of_item = Parameter

    def __init__(self, values: Iterable[Tensor] = ()) -> None:
        self._number(values or ())

    def extra_repr(self) -> str:
        """Show the shapes."""
        return _shapes(self._items())


class _Dict(_Container, MutableMapping[str, Any]):
    """A dict whose keys are names of attributes."""

    def __getitem__(self, key: str) -> Any:
        return self._items()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self._items():
            self._refuse_taken(key)
        vars(self)[key] = self._checked(value)

    def __delitem__(self, key: str) -> None:
        del vars(self)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items())

    # As for all modules, and not as for dicts.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class ModuleDict(_Dict):
    """Modules in a dict, which has all that Python's dicts have.

    Raises KeyError for a key that is a name modules have already, such as "forward".

    >>> from tinytorch.nn import Linear
    >>> heads = ModuleDict({"mean": Linear(2, 1), "scale": Linear(2, 1)})
    >>> list(heads), heads["mean"].weight.shape
    (['mean', 'scale'], (1, 2))
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})


class ParameterDict(_Dict):
    """Parameters in a dict, which has all that Python's dicts have; tensors become parameters.

    Raises KeyError for a key that is a name modules have already, such as "forward".
    """

    _kind_of_item = Parameter

    def __init__(self, parameters: Mapping[str, Tensor] | None = None) -> None:
        self.update(parameters or {})

    def extra_repr(self) -> str:
        """Show the shapes."""
        return _shapes(self._items())


def _shapes(items: Mapping[str, Tensor]) -> str:
    return "\n".join(
        f"({name}): Parameter containing: [{x.dtype} of size {'x'.join(map(str, x.shape))}]"
        for name, x in items.items()
    )
