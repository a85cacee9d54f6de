"""Neurons, layers and networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch import Operation, Tensor, nn
from tinytorch.engine import topological_order
from tinytorch.nn import MLP, Activation, Layer, Module, Neuron

X = np.random.default_rng(7).normal(size=(5, 2))


def small_network(**options: Any) -> MLP:
    layers = [(4, Activation.RELU), (3, Activation.TANH), (1, Activation.SIGMOID)]
    return MLP(n_input=2, layers=layers, rng=0, **options)


@pytest.mark.parametrize("activation", Activation)
def test_a_layer_is_its_formula(activation: Activation) -> None:
    layer = Layer(2, 3, activation, rng=1)
    z = X @ layer.weight.data + layer.bias.data
    formulas = {
        Activation.RELU: lambda z: np.maximum(z, 0),
        Activation.SIGMOID: lambda z: 1 / (1 + np.exp(-z)),
        Activation.TANH: np.tanh,
        Activation.LINEAR: lambda z: z,
    }
    assert layer(X).shape == (5, 3)
    assert_allclose(layer(X).data, formulas[activation](z), rtol=1e-14)


def test_a_network_has_pytorchs_gradients() -> None:
    model = small_network()
    ours = model(X)
    ours.sum().backward()
    weights = [torch.tensor(p.data, requires_grad=True) for p in model.parameters]
    h = torch.relu(torch.tensor(X) @ weights[0] + weights[1])
    h = torch.tanh(h @ weights[2] + weights[3])
    p = torch.sigmoid(h @ weights[4] + weights[5])
    p.sum().backward()
    assert_allclose(ours.data, p.detach().numpy(), rtol=1e-13)
    for parameter, theirs in zip(model.parameters, weights, strict=True):
        assert_allclose(parameter.grad, theirs.grad.numpy(), rtol=1e-11, atol=1e-15)


def test_a_layer_is_one_product() -> None:
    nodes = topological_order([small_network()(X)])
    products = [node for node in nodes if node._op is Operation.ADDMM]
    assert len(products) == 3


def test_neurons_are_views_of_columns_both_ways() -> None:
    layer = Layer(2, 3, Activation.TANH, rng=2)
    for j, neuron in enumerate(layer.neurons):
        assert type(neuron) is Neuron
        assert neuron(X).shape == (5, 1)
        assert_allclose(neuron(X).data, layer(X).data[:, j : j + 1], rtol=1e-14)
    neuron = layer.neurons[1]
    neuron.weight.data[...] = 5
    neuron.bias.data = [6.0]
    assert_array_equal(layer.weight.data[:, 1], [5, 5])
    assert layer.bias.data[1] == 6
    layer.weight.data[:, 1] = 7
    layer.bias.data -= 1
    assert_array_equal(neuron.weight.data, [[7], [7]])
    assert neuron.bias.data[0] == 5


def test_a_neurons_gradient_reaches_its_column() -> None:
    layer = Layer(2, 3, rng=2)
    layer.neurons[1](X).sum().backward()
    assert_allclose(layer.weight.grad[:, 1], X.sum(axis=0))
    assert_array_equal(layer.weight.grad[:, [0, 2]], 0)
    assert_array_equal(layer.bias.grad, [0, 5, 0])
    assert_array_equal(layer.neurons[1].weight.grad, layer.weight.grad[:, 1:2])


def test_weights_start_at_random_for_their_activation_and_biases_at_zero() -> None:
    n, m = 400, 300
    for activation in Activation:
        layer = Layer(n, m, activation, rng=0)
        variance = 2 / n if activation is Activation.RELU else 2 / (n + m)
        # The variance of 120,000 numbers is known to about 0.4 percent.
        assert_allclose(layer.weight.data.var(), variance, rtol=0.02)
        assert abs(layer.weight.data.mean()) < 5 * np.sqrt(variance / (n * m))
        assert_array_equal(layer.bias.data, np.zeros(m))


def test_a_seed_gives_one_network_and_a_generator_goes_on() -> None:
    def weights(rng: Any) -> list[Any]:
        return [
            p.data
            for p in MLP(2, [(3, Activation.RELU), (1, Activation.LINEAR)], rng=rng).parameters
        ]

    for first, second in zip(weights(3), weights(np.random.default_rng(3)), strict=True):
        assert_array_equal(first, second)
    assert not np.array_equal(weights(3)[0], weights(4)[0])
    assert not np.array_equal(weights(None)[0], weights(None)[0])
    generator = np.random.default_rng(3)
    assert not np.array_equal(weights(generator)[0], weights(generator)[0])


def test_a_float32_network_stays_float32() -> None:
    model = small_network(dtype=np.float32)
    p = model(X)  # float64, and a constant of the layer's dtype
    p.sum().backward()
    assert p.dtype == np.float32
    assert {parameter.grad.dtype for parameter in model.parameters} == {np.dtype(np.float32)}
    assert_allclose(p.data, small_network()(X).data, rtol=1e-5)


def test_parameters_have_names_and_come_once() -> None:
    model = small_network()
    names = [name for name, _ in model.named_parameters()]
    assert names == [f"layers.{i}.{part}" for i in range(3) for part in ("weight", "bias")]
    assert [id(p) for _, p in model.named_parameters()] == [id(p) for p in model.parameters]
    assert model.n_parameters == 4 * 2 + 4 + 3 * 4 + 3 + 3 + 1


class Residual(Module):
    """Two branches and a scale, one of them twice, and a constant."""

    def __init__(self) -> None:
        self.branches = {"one": Layer(2, 2, rng=0), "two": [Layer(2, 2, rng=1)]}
        self.again = self.branches["one"]
        self.scale = Tensor(2.0)
        self.constant = Tensor(3.0, requires_grad=False)

    def forward(self, x: Any) -> Tensor:
        return self.branches["one"](x) * self.scale + self.branches["two"][0](x) + self.constant


def test_modules_nest_in_lists_and_dictionaries() -> None:
    model = Residual()
    assert [name for name, _ in model.named_parameters()] == [
        "branches.one.weight",
        "branches.one.bias",
        "branches.two.0.weight",
        "branches.two.0.bias",
        "scale",
    ]
    assert model(X).shape == (5, 2)
    assert repr(model).splitlines() == [
        "Residual(",
        "  (branches.one): Layer(2 -> 2, LINEAR): weight (2, 2), bias (2,), 6 parameters",
        "  (branches.two.0): Layer(2 -> 2, LINEAR): weight (2, 2), bias (2,), 6 parameters",
        ")",
    ]


@pytest.mark.parametrize("name", ["flush_grads", "zero_grad"])
def test_flushing_forgets_all_gradients(name: str) -> None:
    model = small_network()
    model(X).sum().backward()
    assert any(p.grad.any() for p in model.parameters)
    getattr(model, name)()
    assert not any(p.grad.any() for p in model.parameters)


def test_repr_shows_the_architecture() -> None:
    text = repr(small_network())
    assert text.startswith("MLP")
    assert f"{small_network().n_parameters} parameters" in text
    for shape in ("(2, 4)", "(4,)", "(4, 3)", "(3, 1)"):
        assert shape in text
    assert max(map(len, text.splitlines())) <= 80
    assert repr(Layer(2, 4, Activation.RELU)) == (
        "Layer(2 -> 4, RELU): weight (2, 4), bias (4,), 12 parameters"
    )


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: small_network()(np.ones((5, 3))), ValueError, r"of shape \(batch, 2\), got an"),
        (lambda: small_network()(1.0), ValueError, r"of shape \(batch, 2\), got float 1\.0"),
        (lambda: small_network()("data"), TypeError, "an array of numbers, got str 'data'"),
        (lambda: MLP(2, []), ValueError, r"at least one layer, such as layers=\[\("),
        (lambda: MLP(2, [4, 1]), TypeError, "a layer is a number of neurons and an activation"),
        (lambda: Layer(2, 0), ValueError, "Layer: n_neurons is .* at least 1, got int 0"),
        (lambda: Layer(0, 2), ValueError, "Layer: n_input is .* at least 1, got int 0"),
        (lambda: Neuron(0), ValueError, "Neuron: n_input is .* at least 1, got int 0"),
        (lambda: Layer(2, 2, "relu"), TypeError, "one of Activation.RELU, .*, got 'relu'"),
        (lambda: nn.Module()(X), NotImplementedError, "Module has no method `forward`"),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()
