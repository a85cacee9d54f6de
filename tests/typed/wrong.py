"""What a type checker refuses: each line with a comment `wrong`, and no other."""

import numpy as np

from tinytorch import Tensor, grad, nn, no_grad

x = Tensor([1.0, 2.0])
layer = nn.Layer(2, 1)

x.sum(axes=0)  # wrong
x.sum("0")  # wrong
x.sum(axis=0, dim=0)  # wrong
x.softmax(axes=0)  # wrong
x.softmax(0.5)  # wrong
x.exp(0)  # wrong
x.explode()  # wrong
x.max(axis=0, dim=0)  # wrong
x.max(0).values  # wrong
x.max(dim=0).exp()  # wrong
x.shape = (2, 1)  # wrong
x[0] = 1.0  # wrong
x.backward(retain=True)  # wrong
x.numel(1)  # wrong
Tensor([1.0], True)  # wrong
grad(f=x)  # wrong
grad(np.sin)(2.0).backward()  # wrong
layer(x, 1)  # wrong
layer(x).forward()  # wrong
nn.Layer("2", 1)  # wrong
nn.MLP(2, [3])  # wrong
nn.Layer(2, 1, "relu")  # wrong
no_grad(True)  # wrong
