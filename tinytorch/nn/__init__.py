"""Neural networks: modules and functions, one concept a file."""

from tinytorch.nn import functional
from tinytorch.nn.module import Module, Parameter
from tinytorch.nn.perceptron import MLP, Activation, Layer, Neuron

__all__ = ["MLP", "Activation", "Layer", "Module", "Neuron", "Parameter", "functional"]
