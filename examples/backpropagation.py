"""Write a page that plays, step by step, how exp(x) + x * y is computed and gets its gradients."""

import sys

from tinytorch import Tensor
from tinytorch.pictures import record_lines

with record_lines():
    x = Tensor([1.0, 2.0], label="x")
    y = Tensor([3.0, 4.0], label="y")
    z = x.exp() + x * y
z.label = "z"
z.explain(sys.argv[1] if len(sys.argv) > 1 else "backprop.html")
