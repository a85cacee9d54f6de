"""A function recorded as a NumPy program, and the program made fast."""

from tinytorch.compiler.compiled import compile  # noqa: A004  (as PyTorch's)

__all__ = ["compile"]
