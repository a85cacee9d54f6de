"""Neural networks: neurons, layers of them, and multilayer perceptrons."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from tinytorch.operations.operands import constant, describe
from tinytorch.operations.operation import Operation
from tinytorch.tensor import Tensor


class Activation(Enum):
    """What a neuron does with its weighted sum: `Activation.RELU(z)` is `z.relu()`."""

    RELU = "relu"
    SIGMOID = "sigmoid"
    TANH = "tanh"
    LINEAR = "linear"

    def __call__(self, z: Tensor) -> Tensor:
        """Apply it, entry by entry."""
        activated: Tensor = z if self is Activation.LINEAR else getattr(z, self._value_)()
        return activated


P = ParamSpec("P")
OutT_co = TypeVar("OutT_co", covariant=True)


class Forward(Protocol[P, OutT_co]):
    """What has a method `forward`, whose types are those of a call."""

    def forward(self, *inputs: P.args, **options: P.kwargs) -> OutT_co:
        """Compute the output."""


class Module:
    """Anything with parameters: tensors and other modules, alone or in lists, as attributes.

    A subclass says in `forward` what it computes; calling the module gives it.
    """

    def __call__(self: Forward[P, OutT_co], *inputs: P.args, **options: P.kwargs) -> OutT_co:
        """Compute the module's output, which is `forward`'s."""
        out = self.forward(*inputs, **options)
        # A picture shows the call as a box: the innermost one that made the output.
        new = id(out) not in map(id, inputs) and not hasattr(out, "_call")
        if new and isinstance(out, Tensor) and out._children:
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


class Layer(Module):
    """Neurons side by side: activation(x @ weight + bias), all in one matrix product.

    From (batch, n_input) to (batch, n_neurons), with `weight` (n_input, n_neurons) and `bias`
    (n_neurons,). The biases start at 0 and the weights at random, normal with mean 0 and the
    variance 2 / n_input before a ReLU (K. He et al., "Delving deep into rectifiers", 2015), else
    2 / (n_input + n_neurons) (X. Glorot and Y. Bengio, "Understanding the difficulty of training
    deep feedforward neural networks", 2010). `rng` is a `numpy.random.Generator` or a seed.

    An input that is no tensor is a constant of the layer's dtype. Raises ValueError for sizes below
    1 and for an input of another width, TypeError for an unknown activation.

    >>> Layer(2, 3, Activation.RELU, rng=0)([[1.0, 2.0]]).shape
    (1, 3)
    """

    def __init__(
        self,
        n_input: int,
        n_neurons: int,
        activation: Activation = Activation.LINEAR,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        kind = type(self).__name__
        for name, size in (("n_input", n_input), ("n_neurons", n_neurons)):
            if operator.index(size) < 1:
                raise ValueError(f"{kind}: {name} is at least 1, got {size}")
        if not isinstance(activation, Activation):
            known = ", ".join(map(str, Activation))
            raise TypeError(f"{kind}: the activation is one of {known}, got {activation!r}")
        fan = n_input if activation is Activation.RELU else n_input + n_neurons
        weight = np.random.default_rng(rng).normal(0, np.sqrt(2 / fan), (n_input, n_neurons))
        self.activation = activation
        self.weight = Tensor(weight, label="weight", dtype=dtype)
        self.bias = Tensor(np.zeros(n_neurons), label="bias", dtype=dtype)

    @property
    def neurons(self) -> list[Neuron]:
        """The neurons, each a view of one column: changing its data changes the layer's."""
        columns = (slice(j, j + 1) for j in range(self.bias.size))
        return [Neuron._view(self, column) for column in columns]

    def forward(self, x: Any) -> Tensor:
        """Compute activation(x @ weight + bias)."""
        weight = self.weight
        if not isinstance(x, Tensor) and (not hasattr(x, "dtype") or x.dtype != weight.dtype):
            x = constant(x, weight.dtype, Operation.ADDMM)
            if hasattr(x, "astype"):  # not a number
                x = x.astype(weight.dtype, copy=False)
        if getattr(x, "shape", ())[-1:] != weight._data.shape[:1]:
            raise ValueError(
                f"{type(self).__name__}: expected an input of shape (batch, {len(weight)}), "
                f"got {describe(x)}"
            )
        return self.activation(self.bias.addmm(x, weight))

    def __repr__(self) -> str:
        n_input, n_neurons = self.weight.shape
        shapes = f"weight {self.weight.shape}, bias {self.bias.shape}"
        return (
            f"{type(self).__name__}({n_input} -> {n_neurons}, {self.activation.name}): {shapes}, "
            f"{self.n_parameters:,} parameters"
        )


class Neuron(Layer):
    """A layer of one: activation(x @ weight + bias), from (batch, n_input) to (batch, 1).

    >>> Neuron(2, Activation.SIGMOID, rng=0)([[1.0, 2.0]]).shape
    (1, 1)
    """

    def __init__(
        self,
        n_input: int,
        activation: Activation = Activation.LINEAR,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_input, 1, activation, rng=rng, dtype=dtype)

    @classmethod
    def _view(cls, layer: Layer, column: slice) -> Neuron:
        neuron = cls.__new__(cls)
        neuron.activation = layer.activation
        neuron.weight, neuron.bias = layer.weight[:, column], layer.bias[column]
        neuron.weight.grad, neuron.bias.grad = layer.weight.grad[:, column], layer.bias.grad[column]
        return neuron


class MLP(Module):
    """A multilayer perceptron: layers one after the other.

    `MLP(2, [(24, Activation.RELU), (1, Activation.SIGMOID)])` goes from (batch, 2) through 24
    neurons to (batch, 1). `rng` and `dtype` as for `Layer`; one seed gives one network.

    Raises ValueError for an empty list of layers, TypeError for a layer that is no such pair.
    """

    def __init__(
        self,
        n_input: int,
        layers: Sequence[tuple[int, Activation]],
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        example = "such as layers=[(24, Activation.RELU), (1, Activation.SIGMOID)]"
        if not layers:
            raise ValueError(f"MLP: expected at least one layer, {example}")
        for layer in layers:
            if not isinstance(layer, Sequence) or len(layer) != 2:
                raise TypeError(
                    f"MLP: a layer is a number of neurons and an activation, {example}; "
                    f"got {layer!r}"
                )
        rng = np.random.default_rng(rng)
        widths = [n_input, *[n_neurons for n_neurons, _ in layers]]
        self.layers = [
            Layer(n, n_neurons, activation, rng=rng, dtype=dtype)
            for n, (n_neurons, activation) in zip(widths, layers, strict=False)
        ]

    def forward(self, x: Any) -> Tensor:
        """Compute the last layer's output."""
        out: Tensor = x
        for layer in self.layers:
            out = layer(out)
        return out
