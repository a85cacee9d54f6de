"""Constant sparse matrices, and tensors that they are multiplied by or solved for."""

from tinytorch.scipy.sparse import linalg

__all__ = ["linalg"]
