"""Recurrent cells: what a recurrent network does, at each step, to a state and the next input.

A cell is three functions, in NumPy's words. `gates(x, y)` gives the gates, from what the input and
what h contribute to each, along a first axis; `forward(gates, state)` the new state: (h,), or for
an LSTM (h, c). `backward` gets the gradients of the new state, the gates, and the states before and
after. It gives the gradients of x, of y, their gates side by side in the last axis, and of the
state before, but for what reaches h through y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tinytorch.arrays.words import rows
from tinytorch.engine import Node
from tinytorch.operations.joint import JointRules
from tinytorch.operations.operation import Operation, apply, defines
from tinytorch.tensor import Tensor

_Parts: TypeAlias = "Any"  # arrays, in a list or along a first axis


class Cell(NamedTuple):
    """A cell: its three functions, the number of its gates, and that of the parts of its state."""

    gates: Callable[[Any, Any], _Parts]
    forward: Callable[[Any, Any], _Parts]
    backward: Callable[[_Parts, _Parts, Any, Any], tuple[Any, Any, _Parts]]
    n_gates: int
    n_state: int = 1
    adds: bool = True  # x and y count by their sum only


def _sigmoid(x: Any) -> Any:
    out = np.tanh(x * 0.5)
    out *= 0.5
    out += 0.5
    return out


# --- a simple network -----------------------------------------------------------------------------


def _simple(nonlinearity: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Cell:
    def backward(grads: _Parts, _gates: _Parts, _before: Any, after: Any) -> Any:
        share = grads[0] * slope(after[0])
        return share, share, [0]

    return Cell(lambda x, y: nonlinearity(x + y), lambda gates, _: gates, backward, 1)


TANH = _simple(np.tanh, lambda h: 1 - h * h)
RELU = _simple(lambda x: np.maximum(x, 0), lambda h: h > 0)


# --- LSTM -----------------------------------------------------------------------------------------


def _lstm_gates(x: Any, y: Any) -> _Parts:
    y += x  # which nobody else needs
    i, f = _sigmoid(y[:2])
    return [i, f, np.tanh(y[2]), _sigmoid(y[3])]


def _lstm(gates: _Parts, state: Any) -> _Parts:
    i, f, g, o = gates
    c = f * state[1] + i * g
    return [o * np.tanh(c), c]


def _lstm_backward(grads: _Parts, gates: _Parts, before: Any, after: Any) -> Any:
    (dh, dc), (i, f, g, o), t = grads, gates, np.tanh(after[1])
    of_t = dh * o
    of_o = of_t * t
    dc = dc + (of_t - of_o * t)  # the slope of t is 1 - t * t
    of_g, of_c = dc * i, dc * f
    of_i, of_f = of_g * g, of_c * before[1]
    of_g = of_g - of_i * g
    # Of a sigmoid's slope, i * (1 - i), the i is there.
    parts = [of_i * (1 - i), of_f * (1 - f), of_g, of_o * (1 - o)]
    share = np.concatenate(parts, axis=-1)
    return share, share, [0, of_c]


LSTM = Cell(_lstm_gates, _lstm, _lstm_backward, 4, 2)


# --- GRU ------------------------------------------------------------------------------------------


def _gru_gates(x: Any, y: Any) -> _Parts:
    (x_r, x_z, x_n), (y_r, y_z, y_n) = x, y
    r = _sigmoid(x_r + y_r)
    return [r, _sigmoid(x_z + y_z), np.tanh(x_n + r * y_n), y_n]


def _gru(gates: _Parts, state: Any) -> _Parts:
    _, z, new, _ = gates
    return [new + z * (state[0] - new)]


def _gru_backward(grads: _Parts, gates: _Parts, before: Any, _after: Any) -> Any:
    (dh,), (r, z, new, y), (h,) = grads, gates, before
    inner = dh * (1 - z) * (1 - new * new)
    of_r, of_z = inner * y * r * (1 - r), dh * (h - new) * z * (1 - z)
    of_x = np.concatenate([of_r, of_z, inner], axis=-1)
    return of_x, np.concatenate([of_r, of_z, inner * r], axis=-1), [dh * z]


GRU = Cell(_gru_gates, _gru, _gru_backward, 3, adds=False)


# --- a sequence -----------------------------------------------------------------------------------

_RECURRENCE = Operation("recurrence")


@defines(_RECURRENCE)
def recurrence(cell: Cell, x: Tensor, weight: Any, bias: Any, state: Any) -> Tensor:
    """Give the states, (n_state, L, ..., H), that a cell goes through from the state `state`.

    What the inputs contribute is x, (L, ..., gates * H); what h contributes is h @ weight.T + bias.
    The way back is the one through time (P. Werbos, "Backpropagation through time", 1990), with one
    product for all that a sequence contributes to the gradient of the weight.
    """
    kept: list[_Parts] = []

    def forward(x: Any, weight: Any, bias: Any, state: Any) -> Any:
        weights = _by_gate(weight.T, cell).copy()  # what lies together is computed with faster
        kept.clear()
        out = np.empty_like(x, shape=(cell.n_state, len(x), *state.shape[1:]))
        each_x = _by_gate(x, cell)
        if np.ndim(bias):
            bias = bias.reshape(cell.n_gates, *(1,) * (x.ndim - 2), -1)
        for t in range(len(x)):
            y = state[0] @ weights
            kept.append(cell.gates(each_x[:, t], y if cell.adds else y + bias))
            state = cell.forward(kept[t], state)
            for i, part in enumerate(state):
                out[i, t] = part
        return out

    def back(grad: Any, out: Any, x: Any, weight: Any, bias: Any, state: Any) -> Any:
        gates = kept
        if isinstance(x, Node):  # for a second derivative they must come from the inputs
            y = _before(out, state) @ weight.T + bias
            parts = cell.gates(_by_gate(x, cell), _by_gate(y, cell))
            gates = [[part[t] for part in parts] for t in range(len(kept))]
        of_x, of_y, later = _steps(grad, x), _steps(grad, x), [0] * cell.n_state
        states, grads = [state, *zip(*out, strict=True)], list(zip(*grad, strict=True))
        for t in reversed(range(len(kept))):
            now = [part + more for part, more in zip(grads[t], later, strict=True)]
            of_x[t], for_y, later = cell.backward(now, gates[t], states[t], states[t + 1])
            later[0] = later[0] + for_y @ weight
            if not cell.adds:
                of_y[t] = for_y
        each_x = np.stack(of_x) if isinstance(of_x, list) else of_x
        return each_x, each_x if cell.adds else np.stack(of_y), np.stack(later)

    rules: Any = JointRules(
        back,
        lambda shares, *_: shares[0],
        lambda shares, out, *inputs: rows(shares[1]).T @ rows(_before(out, inputs[-1])),
        lambda shares, *_: shares[1],
        lambda shares, *_: shares[2],
    )
    return apply(_RECURRENCE, forward, rules, x, weight, bias, state)


def _by_gate(x: Any, cell: Cell) -> Any:
    """See the gates, side by side in the last axis, along a first one."""
    return np.moveaxis(np.reshape(x, (*x.shape[:-1], cell.n_gates, -1)), -2, 0)


def _steps(grad: Any, x: Any) -> Any:
    """Give room for a share of each step's input: of NumPy's arrays, one that takes them all."""
    return np.empty_like(x) if type(grad) is type(x) is np.ndarray else [None] * len(x)


def _before(out: Any, state: Any) -> Any:
    """Give the h before each step."""
    return np.concatenate([state[:1], out[0, :-1]])
