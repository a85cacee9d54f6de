"""How gradients flow through a model's layers: their sizes, the updates', and units that pass none.

What is measured of a step comes from two places: the parameters before and after it, and the
engine, which tells of every activation that a gradient passes on its way back.
"""

from __future__ import annotations

import heapq
import os
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.scattered import whole
from tinytorch.diagnostics.flow_plot import draw
from tinytorch.diagnostics.plot import Plot
from tinytorch.diagnostics.watching import watching
from tinytorch.engine import Array, Node
from tinytorch.nn.module import Module
from tinytorch.operations.operands import describe

# Those that are flat on one side, and those that are flat on both.
_RECTIFIERS = frozenset({"RELU", "LEAKY_RELU", "ELU", "CELU", "GELU", "GELU_TANH"})
_BOUNDED = frozenset({"SIGMOID", "TANH", "HARDTANH", "SOFTSIGN"})
_FLAT = 0.05  # of the steepest slope, on average: tanh at 2.2, sigmoid at 4.4


class LayerFlow(NamedTuple):
    """What one step did with one layer; None where there is nothing to measure.

    `gradient` is the root mean square of the gradients' entries, `update` the size of what the step
    changed, divided by that of the parameters before. `dead` and `saturated` are the shares of such
    units among the layer's.
    """

    gradient: float | None
    update: float | None
    dead: float | None
    saturated: float | None


class GradientFlow:
    """The flow of gradients through the layers of a model: see `gradient_flow`.

    `steps` holds what was recorded: for each step a dict from the paths of the layers to their
    `LayerFlow`. To print it gives the table of the last step.

    >>> from tinytorch import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> flow = GradientFlow(model)
    >>> with flow:
    ...     model(np.array([[1.0, 2.0]])).backward()
    >>> round(flow.steps[0]["Linear"].gradient, 2)
    1.41
    """

    def __init__(self, model: Module) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"gradient_flow: expected a module, got {describe(model)}")
        self._layers = {
            path or type(module).__name__: own
            for path, module in model.named_modules()
            if (own := [x for _, x in module.named_parameters(recurse=False)])
        }
        if not self._layers:
            raise ValueError(f"gradient_flow: {type(model).__name__} has no parameters")
        self._layer_of = {x: path for path, own in self._layers.items() for x in own}
        self.steps: list[dict[str, LayerFlow]] = []
        self._flat: dict[str, tuple[float | None, float | None]] = {}
        self._gates: set[Node] = set()
        self._before: dict[str, Array] = {}
        self._watching = ExitStack()

    def __enter__(self) -> Self:
        if self._before:
            raise RuntimeError(
                "gradient_flow: this block is open already; a step ends before the next"
            )
        self._flat = {}
        self._before = {path: _joined(x._value for x in own) for path, own in self._layers.items()}
        self._watching.enter_context(watching(self._look_at))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._watching.close()
        self._gates = set()
        before, self._before = self._before, {}
        if kind is not None:  # the step was not finished
            return
        self.steps.append(self._measure(before))
        if all(flow.gradient is None for flow in self.steps[-1].values()):
            warnings.warn(
                "gradient_flow: no parameter has a gradient at the end of the block: backward() "
                "belongs into it, and zero_grad() before backward()",
                stacklevel=2,
            )

    def plot(self, path: str | os.PathLike[str] | None = None) -> Plot:
        """Draw gradients, updates and flat units: over the steps, or over the layers of one.

        A notebook shows the plot, and `path` names a file for it. Raises ImportError without
        matplotlib.
        """
        return Plot(12, 3.4, lambda figure: draw(figure, self.steps or [self._now()]), path)

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("layer", "gradient", "update/weight", "dead", "saturated")]
        for path, flow in (self.steps[-1] if self.steps else self._now()).items():
            sizes = [_size(flow.gradient), _size(flow.update)]
            rows.append((path, *sizes, _percent(flow.dead), _percent(flow.saturated)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        )

    __repr__ = __str__

    def _now(self) -> dict[str, LayerFlow]:
        return self._measure({})

    def _measure(self, before: dict[str, Array]) -> dict[str, LayerFlow]:
        flows = {}
        for path, own in self._layers.items():
            grads = [whole(x._grad) for x in own if x._grad is not None]
            update = None
            if path in before:
                size, after = _rms(before[path]), _joined(x._value for x in own)
                update = _rms(after - before[path]) / size if size else None
            gradient = _rms(_joined(grads)) if grads else None
            flows[path] = LayerFlow(gradient, update, *self._flat.get(path, (None, None)))
        return flows

    def _look_at(self, node: Any, _: Node, share: Array) -> None:
        """Count the units of an activation, told by the engine, that hardly pass a gradient on."""
        name = getattr(node._op, "name", "")
        inputs = node._children
        if name == "MULTIPLY" and all(isinstance(y, Node) and y._requires_grad for y in inputs):
            self._gates.update(inputs)  # as in an LSTM or x * sigmoid(x): to be closed is no fault
        if name not in _RECTIFIERS | _BOUNDED or node in self._gates:
            return
        on_gpu = kind_of(share).device(share).type == "cuda"
        if (type(share) is not np.ndarray and not on_gpu) or not share.size:
            return
        parameter = self._in_front_of(node)
        if parameter is None:
            return
        path = self._layer_of[parameter]
        with np.errstate(all="ignore"):
            slopes = np.abs(node._rules[0](np.ones_like(node._value), *node._arrays))
        # A convolution's units are its channels, in front of the axes of the windows.
        windows = max(x.ndim for x in self._layers[path]) - 2
        axis = -1 - windows if windows > 0 else 1 if slopes.ndim > 3 else -1
        slopes = np.moveaxis(slopes, axis, -1) if slopes.ndim else slopes.reshape(1)
        slopes = slopes.reshape(-1, slopes.shape[-1])
        if name in _RECTIFIERS:
            self._flat[path] = float(np.mean((slopes == 0).all(axis=0))), None
        else:
            steepest = 0.25 if name == "SIGMOID" else 1.0
            self._flat[path] = None, float(np.mean(slopes.mean(axis=0) < _FLAT * steepest))

    def _in_front_of(self, activation: Any) -> Any:
        """Find a parameter of the layer whose output is activated: the one that was used last."""
        waiting, seen = [(-activation._order, activation)], {activation}
        while waiting:
            for x in heapq.heappop(waiting)[1]._children:
                if isinstance(x, Node) and x in self._layer_of:
                    return x
                if isinstance(x, Node) and x not in seen and x._children:
                    seen.add(x)
                    heapq.heappush(waiting, (-x._order, x))
        return None


def gradient_flow(model: Module) -> GradientFlow:
    """Watch how gradients flow through the layers of a model.

    `print(gradient_flow(model))` after `backward()` is a table of the gradients as they are. Around
    a step it records that step, and the table knows its updates and its units as well:

        flow = gradient_flow(model)
        for x, y in batches:
            optimizer.zero_grad()
            with flow:
                loss_of(model(x), y).backward()
                optimizer.step()
        print(flow)
        flow.plot("flow.png")

    A layer is a module with parameters of its own. Its `gradient` is the root mean square of the
    entries; `update/weight` is the size of the step's change over that of the parameters, healthy
    somewhere near 1e-3. Units (columns, or channels of images) are looked at in the activation that
    follows the layer, over the examples of the last batch in the block: a unit is *dead* where the
    slope of a ReLU (or its like) is 0 for all examples, *saturated* where the slope of a sigmoid or
    tanh is on average below 5 % of its steepest. Gates, which are multiplied by something else that
    is learnt, are none: not those of an LSTM, nor the one in SiLU.

    Raises TypeError for what is no module, ValueError for one without parameters.

    >>> from tinytorch import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> model.weight.data = [[3.0, 4.0]]
    >>> model(np.array([[1.0, 2.0]])).backward()
    >>> print(gradient_flow(model))
    layer   gradient  update/weight  dead  saturated
    Linear  1.41e+00              -     -          -
    """
    return GradientFlow(model)


def _joined(arrays: Iterable[Any]) -> Array:
    return np.concatenate([array.reshape(-1) for array in arrays])  # a copy


def _rms(array: Array) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def _size(size: float | None) -> str:
    return "-" if size is None else f"{size:.2e}"


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.0%}"
