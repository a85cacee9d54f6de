"""All methods that are operations, in one class.

A type checker and an editor don't see what a row such as `exp = unary(...)` makes. They read
`methods.pyi` beside this file instead, which `make stub` writes from the class.
"""

from tinytorch.operations import (  # noqa: F401
    arranging,
    fourier,
    histograms,
    polynomials,
    sets,
    special_of_parameters,
)
from tinytorch.operations.activations import Activations
from tinytorch.operations.complex_numbers import ComplexNumbers
from tinytorch.operations.diagonals import Diagonals
from tinytorch.operations.differences import Differences
from tinytorch.operations.factorizations import Factorizations
from tinytorch.operations.indexing import Indexing
from tinytorch.operations.joining import Joining
from tinytorch.operations.linalg import LinearAlgebra
from tinytorch.operations.matrix_functions import MatrixFunctions
from tinytorch.operations.ordering import Ordering
from tinytorch.operations.padding import Padding
from tinytorch.operations.reductions import Reductions
from tinytorch.operations.repeating import Repeating
from tinytorch.operations.replacing import Replacing
from tinytorch.operations.shape import Shape
from tinytorch.operations.sums_of_products import SumsOfProducts
from tinytorch.operations.torch_names import TorchNames
from tinytorch.operations.windows import Windows


class Methods(
    Activations,
    Reductions,
    Ordering,
    Differences,
    Shape,
    Repeating,
    Diagonals,
    Padding,
    Windows,
    Joining,
    Indexing,
    LinearAlgebra,
    Factorizations,
    SumsOfProducts,
    Replacing,
    TorchNames,
    MatrixFunctions,
    ComplexNumbers,
):
    """What a tensor can compute."""

    __slots__ = ()
