"""Functions as modules: what a function takes besides its inputs, the module is made with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from tinytorch.engine import Node
from tinytorch.nn.module import Module
from tinytorch.operations.operands import describe
from tinytorch.random import generator
from tinytorch.tensor import Tensor


def refuse_old(
    name: str,
    parameters: Mapping[str, inspect.Parameter],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """Raise TypeError for what PyTorch's losses took before they had `reduction`.

    A truth value in the place of a parameter that is none was meant for one of those.
    """
    if "reduction" not in parameters:
        return
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    for key, value in given.items():
        meant = isinstance(value, bool) and key in parameters
        if key in ("size_average", "reduce") or (
            meant and parameters[key].annotation in ("int", "float", "str")
        ):
            raise TypeError(
                f'{name}: got {key}={value!r}: reduction="mean", "sum" or "none" takes the place '
                "of PyTorch's old size_average= and reduce="
            )


class FunctionModule(Module):
    """A module without parameters, which calls a function with the options it was made with.

    `class LeakyReLU(FunctionModule, function=leaky_relu, shows="negative_slope")` is made with what
    `leaky_relu` takes behind its `inputs`, in that order, and keeps it in attributes of that name;
    tensors and arrays among them as buffers. Whether it is being trained it says itself. `shows`
    names the options that `print` shows.
    """

    _function: ClassVar[Callable[..., Any]]
    _options: ClassVar[tuple[str, ...]]
    _says_training: ClassVar[bool]
    _shows: ClassVar[Sequence[str]]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(
        cls, function: Callable[..., Any] | None = None, inputs: int = 1, shows: str = ""
    ) -> None:
        if function is None:  # a subclass of one of these
            return
        options = list(inspect.signature(function).parameters.values())[inputs:]
        cls._says_training = any(option.name == "training" for option in options)
        options = [option for option in options if option.name != "training"]
        cls._function = staticmethod(function)
        cls._options = tuple(option.name for option in options)
        cls._shows = shows.split()
        cls.__signature__ = inspect.Signature(options)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse_old(type(self).__name__, self.__signature__.parameters, args, kwargs)
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{self.__signature__}: {error}") from None
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if isinstance(value, Tensor) and value.shape and "weight" not in name:
                kind, function = type(self).__name__, self._function.__name__
                raise TypeError(
                    f"{kind}: {name} is no tensor, got {describe(value)}: a module is made first "
                    f"and called then, {kind}()(...); nn.functional.{function}(...) is called at "
                    "once"
                )
            if isinstance(value, Node) or hasattr(value, "__array_function__"):
                self.register_buffer(name, value)
            elif name == "rng" and value is not None:
                self.rng = generator(value)  # a seed begins here, not with each call
            else:
                setattr(self, name, value)

    def forward(self, *inputs: Any) -> Tensor:
        """Compute the function of the inputs."""
        options = {name: getattr(self, name) for name in self._options}
        if self._says_training:
            options["training"] = self.training
        out: Tensor = self._function(*inputs, **options)
        return out

    def extra_repr(self) -> str:
        """Show the options."""
        shown = [f"{name}={getattr(self, name)!r}" for name in self._shows]
        if getattr(self, "inplace", False) and "inplace" not in self._shows:
            shown.append("inplace=True")
        return ", ".join(shown)
