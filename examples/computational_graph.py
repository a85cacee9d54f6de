"""Draw the graph of exp(x) + x * y with its values and gradients, as in the README's quickstart."""

import sys

from tinytorch import Tensor

x = Tensor([1.0, 2.0], label="x")
y = Tensor([3.0, 4.0], label="y")
z = x.exp() + x * y
z.label = "z"
z.backward()
z.render(sys.argv[1] if len(sys.argv) > 1 else "computational_graph.svg")
