"""Modules: what has parameters, and computes something with them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ParamSpec, Protocol, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import placed
from tinytorch.arrays.plain import PLAIN, base, plain
from tinytorch.arrays.scattered import whole
from tinytorch.devices import is_device
from tinytorch.grad_mode import in_transform
from tinytorch.nn.parameter import Parameter
from tinytorch.nn.state import IncompatibleKeys, load, state_of
from tinytorch.operations.arithmetic import floating
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor


class Parameters(list[Tensor]):
    """A module's parameters: a list, which `model.parameters()` iterates over as in PyTorch."""

    __slots__ = ("_module",)
    _module: Module

    def __call__(self, recurse: bool = True) -> Iterator[Tensor]:
        """Iterate over the parameters; without `recurse` over those that no submodule holds."""
        return iter(self) if recurse else (x for _, x in self._module.named_parameters("", False))


P = ParamSpec("P")
OutT_co = TypeVar("OutT_co", covariant=True)


class Forward(Protocol[P, OutT_co]):
    """What has a method `forward`, whose types are those of a call."""

    def forward(self, *inputs: P.args, **options: P.kwargs) -> OutT_co:
        """Compute the output."""


class Module:
    """Anything with parameters: tensors and other modules, alone or in lists, as attributes.

    A subclass says in `forward` what it computes; calling the module gives it. Its parameters are
    each `Parameter`, and each other tensor that requires a gradient and that no operation made. A
    tensor that is no parameter but belongs to the module's state is a buffer (`register_buffer`).
    `training` says whether the module is being trained, or used (`train`, `eval`).

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Parameter([2.0])
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> Line()(3.0), len(Line().parameters)
    (Tensor([6.]), 1)
    """

    training: bool = True
    # The names of the buffers, and whether a state holds them.
    _buffers: Mapping[str, bool] = MappingProxyType({})

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute.

        Raises TypeError for a plain value in the place of a parameter, or a computed one, and for
        modules or parameters in a set, which has no order to name them by.
        """
        kind = type(self).__name__
        if isinstance(value, set | frozenset) and any(
            isinstance(x, Module | Tensor) for x in value
        ):
            raise TypeError(
                f"{kind}: {name} is a set, in which no parameters are looked for: write a list, or "
                "nn.ModuleList"
            )
        is_parameter = isinstance(vars(self).get(name), Parameter)
        if is_parameter and isinstance(value, Tensor) and value._children and not in_transform():
            raise TypeError(
                f"{kind}: {name} is a parameter, and {describe(value)} was computed: "
                f"module.{name}.data -= step changes the parameter in place"
            )
        if is_parameter and not isinstance(value, Tensor | None):
            raise TypeError(
                f"{kind}: {name} is a parameter, and {describe(value)} is none: "
                f"module.{name}.data = values gives it new values"
            )
        super().__setattr__(name, value)

    def __call__(self: Forward[P, OutT_co], *inputs: P.args, **options: P.kwargs) -> OutT_co:
        """Compute the module's output, which is `forward`'s."""
        out = self.forward(*inputs, **options)
        # A picture shows the call as a box: the innermost one that made the output.
        if isinstance(out, Tensor) and out._children and not hasattr(out, "_call"):
            for x in inputs:
                if x is out:  # as it came
                    break
            else:
                out._call = (self, *inputs, *options.values())
        return out

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Say what the module computes: that is for the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no method `forward`")

    # --- what it consists of ------------------------------------------------------------------

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Give this module and all within it with their paths; each module once."""
        return _modules_in(self, prefix, set() if remove_duplicate else None, ())

    def modules(self) -> Iterator[Module]:
        """Give this module and all within it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Give the modules that this one holds itself, with their names; each once."""
        names: dict[Module, str] = {}
        for name, child in _children(self):
            names.setdefault(child, name)
        return ((name, child) for child, name in names.items())

    def children(self) -> Iterator[Module]:
        """Give the modules that this one holds itself, each once."""
        return (child for _, child in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Give each parameter with its path, such as `layers.0.weight`; each parameter once."""
        found: list[tuple[Tensor, _Path]] = []
        _find_tensors(self, recurse, lambda *pair: found.append(pair))
        seen = set()
        for tensor, path in found:
            if tensor not in seen:
                yield _join(prefix, _dotted(path)), tensor
            if remove_duplicate:
                seen.add(tensor)

    @property
    def parameters(self) -> Parameters:
        """The tensors that training changes."""
        found = Parameters(_tensors_in(self))
        found._module = self
        return found

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Give each buffer with its path; each buffer once."""
        seen = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name in module._buffers:
                buffer = getattr(module, name)
                if buffer is not None and id(buffer) not in seen:
                    yield _join(path, name), buffer
                if remove_duplicate:
                    seen.add(id(buffer))

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """Give the buffers, each once."""
        return (buffer for _, buffer in self.named_buffers("", recurse))

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Keep a tensor, or a plain array of whole numbers, as state that training leaves alone.

        Of a tensor its values are kept, in the same memory, without a gradient. A buffer that is
        not persistent is in no `state_dict`. Raises KeyError for a name that is taken or no name.
        """
        self._refuse_taken(name)
        self._buffers = {**self._buffers, name: persistent}
        vars(self)[name] = tensor.detach() if isinstance(tensor, Tensor) else tensor

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Hold a parameter under a name, or None for one that is not used.

        Raises KeyError for a name that is taken or no name.
        """
        self._refuse_taken(name)
        vars(self)[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Hold a module under a name. Raises KeyError for a name that is taken or no name."""
        self._refuse_taken(name)
        vars(self)[name] = module

    register_module = add_module

    def _refuse_taken(self, name: str) -> None:
        kind = type(self).__name__
        if not isinstance(name, str) or "." in name or not name:
            raise KeyError(f"{kind}: a name is a text without dots, got {name!r}")
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"{kind} has an attribute {name!r} already")

    # --- its state ----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Map the names of the parameters and persistent buffers to their values.

        They share the module's memory, without history: training changes them too, and
        `copy.deepcopy` keeps them as they are now. What the module holds twice is there twice.
        """
        return {
            name: x.detach() if isinstance(x, Tensor) else x for name, x in state_of(self).items()
        }

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Take over the values of a state, tensors or arrays, into the module's own memory.

        Gives the names that the state lacks, and those that it has and the module has not, as
        `missing_keys` and `unexpected_keys`; unless `strict` is false, either is an error.

        Raises RuntimeError for those, and for shapes that differ; then nothing was changed.
        Raises TypeError for what is no state.
        """
        return load(self, state_dict, strict)

    # --- what is done to all of it ------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with each module within this one, inner ones first, and with this one."""
        for module in list(self.modules())[::-1]:
            fn(module)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set `training` of this module and all within it."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Use the module, rather than train it: `train(False)`."""
        return self.train(mode=False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let training change the parameters, or freeze them.

        A frozen `Parameter` stays among them; another tensor is a constant from then on.
        """
        for parameter in self.parameters:
            parameter.requires_grad = bool(requires_grad)
        return self

    def to(self, *args: Any, dtype: npt.DTypeLike | None = None, device: Any = None) -> Self:
        """Change the floating dtype of all parameters and buffers, and of their gradients.

        A device may be named too, to which all of them go, whole numbers included. Raises
        RuntimeError for one that is not there.
        """
        for given in args:
            dtype, device = (dtype, given) if is_device(given) else (given, device)
        kind = None if dtype is None else floating(dtype)
        for module in self.modules():
            for name in module._buffers:
                buffer = base(getattr(module, name))
                is_plain = hasattr(buffer, "__array_function__") and not isinstance(buffer, Tensor)
                if is_plain and (there := placed(buffer, device)) is not buffer:
                    vars(module)[name] = (
                        plain(there) if type(getattr(module, name)) in PLAIN else there
                    )
        for x in [*self.parameters, *(x for x in self.buffers() if isinstance(x, Tensor))]:
            for name in ("_value", "_grad"):
                if (array := whole(getattr(x, name))) is not None:
                    there = placed(array, device)
                    setattr(x, name, there if kind is None else there.astype(kind, copy=False))
        return self

    def cpu(self) -> Self:
        """Take all parameters and buffers to the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Take all parameters and buffers to a GPU. Raises RuntimeError where there is none."""
        return self.to(device="cuda" if device is None else device)

    def float(self) -> Self:
        """Change all parameters and buffers to float32."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Change all parameters and buffers to float64."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Change all parameters and buffers to float16."""
        return self.to(np.float16)

    def flush_grads(self, set_to_none: bool = True) -> None:
        """Forget all gradients, so that the next backward pass starts from zero."""
        for parameter in _tensors_in(self):
            parameter._grad = None if set_to_none else np.zeros_like(parameter._value)

    zero_grad = flush_grads

    # --- how it is shown ----------------------------------------------------------------------

    @property
    def n_parameters(self) -> int:
        """How many numbers training changes."""
        return sum(parameter.size for parameter in self.parameters)

    def extra_repr(self) -> str:
        """Say what stands in the brackets behind the name: that is for the subclass."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {child!r}" for name, child in self.named_children()]
        if not children and len(lines) < 2:
            return f"{type(self).__name__}({extra})"
        lines += [child.replace("\n", "\n  ") for child in children]
        return "\n  ".join([f"{type(self).__name__}(", *lines]) + "\n)"


# What leads to a part of a module: what leads to its owner, and its name there. Written out only
# where a name is asked for, since every step of a training looks all parameters up.
_Place: TypeAlias = "tuple[_Path, Any]"
_Path: TypeAlias = "tuple[()] | _Place"


def _parts(owned: Iterable[tuple[Any, Any]], path: _Path = ()) -> Iterator[tuple[_Place, Any]]:
    """Give all that an object owns, of lists, tuples and dicts what is in them."""
    for name, part in owned:
        if isinstance(part, dict):
            yield from _parts(part.items(), (path, name))
        elif isinstance(part, list | tuple):
            yield from _parts(enumerate(part), (path, name))
        else:
            yield (path, name), part


def _tensors_in(module: Module) -> dict[Tensor, _Path]:
    """Map the parameters to their paths, in the order of attributes, whichever holds them first."""
    found: dict[Tensor, _Path] = {}
    _find_tensors(module, recurse=True, add=found.setdefault)
    return found


_Add: TypeAlias = Callable[[Tensor, _Path], object]


def _find_tensors(module: Module, recurse: bool, add: _Add) -> None:
    """Call `add` for each parameter with its path, once for each of its places."""
    above = [module] if recurse else None
    _look_into(vars(module).items(), (), module._buffers, above, add)


def _look_into(
    owned: Iterable[tuple[Any, Any]],
    path: _Path,
    buffers: Container[str],
    above: list[Module] | None,
    add: _Add,
) -> None:
    for name, part in owned:
        if isinstance(part, Tensor):
            is_leaf = part._requires_grad and not part._children
            if (is_leaf or hasattr(part, "_is_parameter")) and name not in buffers:
                add(part, (path, name))
        elif isinstance(part, Module):
            if above is not None and part not in above:
                above.append(part)
                _look_into(vars(part).items(), (path, name), part._buffers, above, add)
                above.pop()
        elif isinstance(part, dict):
            _look_into(part.items(), (path, name), (), above, add)
        elif isinstance(part, (list, tuple)):  # quicker than list | tuple, made anew each time
            _look_into(enumerate(part), (path, name), (), above, add)


def _modules_in(
    module: Module, path: str, seen: set[Module] | None, above: tuple[Module, ...]
) -> Iterator[tuple[str, Module]]:
    if module in (above if seen is None else seen):
        return
    if seen is not None:
        seen.add(module)
    yield path, module
    for name, child in list(_children(module)):
        yield from _modules_in(child, _join(path, name), seen, (*above, module))


def _children(module: Module) -> Iterator[tuple[str, Module]]:
    return (
        (_dotted(path), part)
        for path, part in _parts(vars(module).items())
        if isinstance(part, Module)
    )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _dotted(path: _Path) -> str:
    """Write a path as `layers.0.weight`."""
    if not path:
        return ""
    owner, name = path
    return _join(_dotted(owner), str(name))
