"""How fast TinyTorch is beside PyTorch, JAX, autograd, micrograd and plain NumPy: one table.

`python -m benchmarks --help` says how to run it.
"""
