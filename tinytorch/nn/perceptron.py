"""Multilayer perceptrons: neurons, layers of them, and layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.words import conj
from tinytorch.nn.inputs import check_sizes, input_like
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
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
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, 1, n_input=n_input, n_neurons=n_neurons)
        if not isinstance(activation, Activation):
            known = ", ".join(map(str, Activation))
            raise TypeError(
                f"{type(self).__name__}: the activation is one of {known}, got {activation!r}"
            )
        fan = n_input if activation is Activation.RELU else n_input + n_neurons
        weight = generator(rng).normal(0, np.sqrt(2 / fan), (n_input, n_neurons))
        self.activation = activation
        self.weight: Tensor = Parameter(weight, label="weight", dtype=dtype)
        self.bias: Tensor = Parameter(np.zeros(n_neurons), label="bias", dtype=dtype)

    @property
    def neurons(self) -> list[Neuron]:
        """The neurons, each a view of one column: changing its data changes the layer's."""
        columns = (slice(j, j + 1) for j in range(self.bias.size))
        return [Neuron._view(self, column) for column in columns]

    def forward(self, x: Any) -> Tensor:
        """Compute activation(x @ weight + bias)."""
        weight = self.weight
        x = x if isinstance(x, Tensor) else input_like(weight, x)
        try:
            z = self.bias.addmm(x, weight)
        except ValueError:
            raise ValueError(
                f"{type(self).__name__}: expected an input of shape (batch, {len(weight)}), "
                f"got {describe(x)}"
            ) from None
        return self.activation(z)

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
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_input, 1, activation, rng=rng, dtype=dtype)

    @classmethod
    def _view(cls, layer: Layer, column: slice) -> Neuron:
        neuron = cls.__new__(cls)
        neuron.activation = layer.activation
        neuron.weight, neuron.bias = layer.weight[:, column], layer.bias[column]
        # An operation made them, but they are what the neuron is trained by.
        neuron.weight._is_parameter = neuron.bias._is_parameter = True
        pairs = ((neuron.weight, layer.weight), (neuron.bias, layer.bias))
        for mine, whole in pairs:
            mine._grad = None if whole._grad is None else conj(whole.grad[..., column])
        return neuron


class MLP(Module):
    """A multilayer perceptron: layers one after the other.

    `MLP(2, [(24, Activation.RELU), (1, Activation.SIGMOID)])` goes from (batch, 2) through 24
    neurons to (batch, 1). `rng` and `dtype` as for `Layer`; one seed gives one network.

    Raises ValueError for an empty list of layers, TypeError for a layer that is no such pair.

    >>> model = MLP(2, [(8, Activation.RELU), (1, Activation.LINEAR)], rng=0)
    >>> model(np.ones((5, 2))).shape, model.n_parameters
    ((5, 1), 33)
    """

    def __init__(
        self,
        n_input: int,
        layers: Sequence[tuple[int, Activation]],
        *,
        rng: RNG = None,
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
        rng = generator(rng)
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

    def __repr__(self) -> str:
        parts = [f"{type(self).__name__}: {self.n_parameters:,} parameters"]
        parts += [f"  {path} {tensor.shape}" for path, tensor in self.named_parameters()]
        return "\n".join(parts)
