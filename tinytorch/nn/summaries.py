"""A model's summary: what its modules give, how many parameters they have, and how much memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinytorch.grad_mode import no_grad
from tinytorch.nn.module import Module
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves


class Row(NamedTuple):
    """One module: its path, its class, the shape of its output, and its own parameters."""

    path: str
    kind: str
    output_shape: tuple[int, ...] | None  # None where the pass has not called it
    n_parameters: int


class Summary(list[Row]):
    """A model's modules, row by row; `print` shows the table.

    `n_parameters` are all parameters, each once, and `n_trained` those that training changes.
    `parameter_bytes` is the memory that parameters and buffers take, `output_bytes` that of the
    outputs of the modules that hold no others.
    """

    def __init__(self, model: Module, outputs: dict[Module, list[Tensor]]) -> None:
        parameters, buffers = model.parameters, model.buffers()
        self.n_parameters = model.n_parameters
        self.n_trained = sum(x.size for x in parameters if x.requires_grad)
        self.parameter_bytes = sum(x.size * x.dtype.itemsize for x in (*parameters, *buffers))
        self.output_bytes = 0
        for path, module in model.named_modules():
            given = outputs.get(module, [])
            own = sum(x.size for _, x in module.named_parameters(recurse=False))
            shape = given[0].shape if given else None
            self.append(Row(path, type(module).__name__, shape, own))
            if not any(module.children()):
                self.output_bytes += sum(x.size * x.dtype.itemsize for x in given)

    def __repr__(self) -> str:
        lines = [("layer", "", "output shape", "parameters")]
        for path, kind, shape, n in self:
            lines.append((path, kind, "" if shape is None else str(shape), f"{n:,}" if n else ""))
        a, b, c, d = (max(map(len, column)) for column in zip(*lines, strict=True))
        table = [f"{w:{a}}  {x:{b}}  {y:{c}}  {z:>{d}}".rstrip() for w, x, y, z in lines]
        rule = "-" * (a + b + c + d + 6)
        parameters = f"{self.n_parameters:,} parameters, of which {self.n_trained:,} are trained"
        memory = f"{_size(self.parameter_bytes)} for them and the buffers"
        outputs = f"{_size(self.output_bytes)} for the outputs of one pass"
        return "\n".join([table[0], rule, *table[1:], rule, parameters, f"{memory}, {outputs}"])


def summary(model: Module, *inputs: Any) -> Summary:
    """List a model's modules, with the shapes that they give for inputs of these shapes.

    Of each input the shape is given, with its axis for the batch, and zeros stand for it; or an
    array, as an embedding needs, of whole numbers. The model is used once, as by `eval`, and is
    then as before. Raises TypeError without inputs, and what the model raises for them.

    >>> from tinytorch import nn
    >>> summary(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (1, 3))
    layer              output shape  parameters
    -------------------------------------------
           Sequential  (1, 4)
    0      Linear      (1, 4)                16
    1      ReLU        (1, 4)
    -------------------------------------------
    16 parameters, of which 16 are trained
    128 B for them and the buffers, 64 B for the outputs of one pass
    """
    if not inputs:
        raise TypeError("summary: give the shape of each input: summary(model, (1, 28, 28))")
    dtype = next((x.dtype for x in model.parameters), np.dtype(float))
    given = [x if hasattr(x, "dtype") else np.zeros(x, dtype) for x in inputs]
    outputs: dict[Module, list[Tensor]] = defaultdict(list)

    def watched(module: Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            out = forward(*args, **options)
            outputs[module] += [x for x in leaves(out) if isinstance(x, Tensor)]
            return out

        return call

    before = {module: dict(vars(module)) for module in model.modules()}
    try:
        model.eval()
        for module in before:
            vars(module)["forward"] = watched(module, module.forward)
        with no_grad():
            model(*given)
    finally:
        for module, attributes in before.items():
            vars(module).clear()
            vars(module).update(attributes)
    return Summary(model, outputs)


def _size(n: float) -> str:
    units = ["B", "kB", "MB", "GB"]
    while n >= 1000 and len(units) > 1:
        n /= 1000
        del units[0]
    return f"{n:.3g} {units[0]}"
