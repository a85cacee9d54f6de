"""Modules: what has parameters, and computes something with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from tinytorch.tensor import Tensor


class Module:
    """Anything with parameters: tensors and other modules, alone or in lists, as attributes.

    A subclass says in `forward` what it computes; calling the module gives it.
    """

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Compute the module's output, which is `forward`'s."""
        out = self.forward(*inputs, **options)
        # A picture shows the call as a box: the innermost one that made the output.
        new = isinstance(out, Tensor) and out._children and out._call is None
        if new and id(out) not in map(id, inputs):
            out._call = (self, *inputs, *options.values())
        return out

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Say what the module computes: that is for the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no method `forward`")

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Give each parameter with its path, such as `layers.0.weight`; each parameter once."""
        return ((_dotted(path), tensor) for tensor, path in _tensors_in(self).items())

    @property
    def parameters(self) -> list[Tensor]:
        """The tensors that training changes."""
        return list(_tensors_in(self))

    def flush_grads(self) -> None:
        """Forget all gradients, so that the next backward pass starts from zero."""
        for parameter in _tensors_in(self):
            parameter._grad = None

    zero_grad = flush_grads

    @property
    def n_parameters(self) -> int:
        """How many numbers training changes."""
        return sum(parameter.size for parameter in self.parameters)

    def __repr__(self) -> str:
        parts = [f"{type(self).__name__}: {self.n_parameters:,} parameters"]
        parts += [f"  {path} {tensor.shape}" for path, tensor in self.named_parameters()]
        return "\n".join(parts)


# What leads to a tensor from a module: what leads to its owner, and its name there.
_Path: TypeAlias = "tuple[()] | tuple[_Path, str | int]"


def _tensors_in(module: Module) -> dict[Tensor, _Path]:
    """Map the tensors that need a gradient, in attributes, lists and dicts, to their paths."""
    found: dict[Tensor, _Path] = {}
    _find_tensors(vars(module).items(), (), found)
    return found


def _find_tensors(
    parts: Iterable[tuple[Any, Any]], path: _Path, found: dict[Tensor, _Path]
) -> None:
    for name, part in parts:
        if isinstance(part, Tensor):
            if part.requires_grad and part not in found:
                found[part] = path, name
        elif isinstance(part, Module):
            _find_tensors(vars(part).items(), (path, name), found)
        elif isinstance(part, dict):
            _find_tensors(part.items(), (path, name), found)
        elif isinstance(part, (list, tuple)):
            _find_tensors(enumerate(part), (path, name), found)


def _dotted(path: _Path) -> str:
    """Write a path as `layers.0.weight`."""
    if not path:
        return ""
    owner, name = path
    return f"{_dotted(owner)}.{name}" if owner else str(name)
