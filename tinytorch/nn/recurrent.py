"""Recurrent networks: layers that carry a state from each step of a sequence to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.nn import cells
from tinytorch.nn.cells import Cell, recurrence
from tinytorch.nn.dropout import dropout as drop
from tinytorch.nn.inputs import check_sizes, input_like, tensor
from tinytorch.nn.linear import linear
from tinytorch.nn.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.nn.utils.rnn import PackedSequence, pad_packed_sequence
from tinytorch.operations.operands import describe
from tinytorch.random import RNG, generator
from tinytorch.tensor import Tensor


class _Recurrent(Module):
    """What networks and single cells have in common: weights, and a state to begin with."""

    _cell: Cell
    hidden_size: int
    proj_size = 0

    def _set_weights(
        self,
        suffix: str,
        input_size: int,
        hidden_size: int,
        bias: bool,
        rng: RNG,
        dtype: npt.DTypeLike,
    ) -> None:
        """Draw the weights of a cell, uniform between -b and b, with b = 1 / sqrt(hidden_size)."""
        check_sizes(self, 1, input_size=input_size, hidden_size=hidden_size)
        bound, gates = 1 / math.sqrt(hidden_size), self._cell.n_gates * hidden_size
        rng = generator(rng)
        for name, shape in (
            ("weight_ih", (gates, input_size)),
            ("weight_hh", (gates, self.proj_size or hidden_size)),
            ("bias_ih", (gates,)),
            ("bias_hh", (gates,)),
            *([("weight_hr", (self.proj_size, hidden_size))] if self.proj_size else []),
        ):
            label, drawn = name + suffix, None
            if bias or len(shape) == 2:
                drawn = Parameter(rng.uniform(-bound, bound, shape), label=label, dtype=dtype)
            setattr(self, label, drawn)

    def _begin(self, x: Tensor, weight: Tensor, hx: Any, shape: tuple[int, ...]) -> list[Any]:
        """Give the parts of a state, (*shape, size of the part), or zeros.

        Raises TypeError for what is no pair where it is wanted, ValueError for other shapes.
        """
        sizes, name = self._sizes(), type(self).__name__
        if hx is None:
            return [np.zeros_like(x.data, shape=(*shape, size)) for size in sizes]
        if len(sizes) == 2 and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError(f"{name}: the state is a pair (h, c), got {describe(hx)}")
        parts = [input_like(weight, part) for part in (hx if len(sizes) == 2 else (hx,))]
        for part, size in zip(parts, sizes, strict=True):
            if np.shape(part) != (*shape, size):
                raise ValueError(
                    f"{name}: a state has shape {(*shape, size)}, got {describe(part)}"
                )
        return parts

    def _sizes(self) -> list[int]:
        """Give the size of each part of the state."""
        return [self.hidden_size] * self._cell.n_state

    def _run(
        self, x: Tensor, state: list[Any], suffix: str, turned: Any = None, last: Any = -1
    ) -> tuple[Any, Sequence[Any]]:
        """Give h at all steps of x (L, ..., input_size), and the state after the step `last`.

        The steps are taken in the order of x[turned].
        """
        w_ih, w_hh, b_ih, b_hh = (
            getattr(self, name + suffix)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        if b_hh is None or self._cell.adds:
            b_ih, b_hh = b_ih if b_hh is None else b_ih + b_hh, 0
        gates: Any = linear(x, w_ih, b_ih)
        gates = gates if turned is None else gates[turned]
        parts: Any = self._states(gates, w_hh, b_hh, state, suffix)
        h = parts[0] if turned is None else parts[0][turned]
        return h, [part[last] for part in parts]

    def _states(self, x: Tensor, w_hh: Any, b_hh: Any, state: list[Any], suffix: str) -> Any:
        """Give the parts of the state after each step."""
        del suffix
        return recurrence(self._cell, x, w_hh, b_hh, np.stack(state))


class _Network(_Recurrent):
    """Layers of a cell, each of which reads what the one below gives, in one direction or both."""

    weight_ih_l0: Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        name = type(self).__name__
        check_sizes(self, 1, num_layers=num_layers)
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout is a probability, between 0 and 1, got {dropout}")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.rng = bidirectional, None if rng is None else generator(rng)
        for layer in range(num_layers):
            below = self._sizes()[0] * (1 + bidirectional) if layer else input_size
            for suffix in self._suffixes(layer):
                self._set_weights(suffix, below, hidden_size, bias, self.rng, dtype)

    def _suffixes(self, layer: int) -> Sequence[str]:
        """Name the directions of a layer, as its weights end."""
        return (f"_l{layer}", f"_l{layer}_reverse")[: 1 + self.bidirectional]

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Give the last layer's h of all steps, and the states of all layers after their last step.

        Of inputs (L, N, input_size), with `batch_first` (N, L, input_size), or (L, input_size), the
        first has D * hidden_size in the place of input_size, D = 2 in both directions, else 1. A
        state is (D * num_layers, N, hidden_size), or without N; it begins as `hx`, or as zeros.
        Of a `PackedSequence` the first is one too. Raises ValueError for other shapes.
        """
        packed, lengths = None, None
        if isinstance(input, PackedSequence):
            packed = input
            input, lengths = pad_packed_sequence(packed, self.batch_first)  # noqa: A001
        x = tensor(input_like(self.weight_ih_l0, input))
        swapped = self._check(x)
        x = x.swapaxes(0, 1) if swapped else x
        turned: Any = slice(None, None, -1)
        last: Any = -1
        if lengths is not None:  # each sequence ends, and turns round, at its own last step
            steps, sequences = np.arange(len(x))[:, None], np.arange(len(lengths))
            turned = np.where(steps < lengths, lengths - 1 - steps, steps), sequences
            last = lengths - 1, sequences
        n_states = self.num_layers * (1 + self.bidirectional)
        states, ends = (
            self._begin(x, self.weight_ih_l0, hx, (n_states, *x.shape[1:-1])),
            list[Any](),
        )
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = drop(x, self.dropout, self.training, rng=self.rng)
            outputs = []
            for suffix in self._suffixes(layer):
                begin = [part[len(ends)] for part in states]
                order = turned if suffix.endswith("reverse") else None
                output, end = self._run(x, begin, suffix, order, last)
                outputs.append(output)
                ends.append(end)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)  # type: ignore[assignment]
        final = tuple(np.stack(parts) for parts in zip(*ends, strict=True))
        out: Any = x.swapaxes(0, 1) if swapped else x
        if packed is not None:
            out = packed._replace(data=x[packed.places])
        return out, final if len(final) == 2 else final[0]

    def _check(self, x: Tensor) -> bool:
        """Say whether the batch comes first. Raises ValueError for shapes that don't fit."""
        n, name = self.input_size, type(self).__name__
        if x.ndim not in (2, 3) or x.shape[-1] != n:
            batch = "N, L" if self.batch_first else "L, N"
            raise ValueError(f"{name}: expected shape ({batch}, {n}) or (L, {n}), got {x.shape}")
        swapped = self.batch_first and x.ndim == 3
        if not x.shape[int(swapped)]:
            raise ValueError(f"{name}: a sequence has a step at least, got shape {x.shape}")
        return swapped

    def extra_repr(self) -> str:
        """Show the sizes and what is not by default."""
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        for name, default in {**defaults, "dropout": 0, "bidirectional": False}.items():
            if getattr(self, name) != default:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)


class _OneStep(_Recurrent):
    """One step of a recurrent network."""

    weight_ih: Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self._set_weights("", input_size, hidden_size, bias, rng, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Give the state after an input (N, input_size) or (input_size,).

        A state is (N, hidden_size) or (hidden_size,); it begins as `hx`, or as zeros. Raises
        ValueError for other shapes.
        """
        x, n = tensor(input_like(self.weight_ih, input)), self.input_size
        if x.ndim not in (1, 2) or x.shape[-1] != n:
            name = type(self).__name__
            raise ValueError(f"{name}: expected shape (N, {n}) or ({n},), got {x.shape}")
        _, end = self._run(x[None], self._begin(x, self.weight_ih, hx, x.shape[:-1]), "")
        return tuple(end) if len(end) == 2 else end[0]

    def extra_repr(self) -> str:
        """Show the sizes, and that there is no bias."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


def _simple(name: str, nonlinearity: str) -> Cell:
    known = {"tanh": cells.TANH, "relu": cells.RELU}
    if nonlinearity not in known:
        raise ValueError(f'{name}: the nonlinearity is "tanh" or "relu", got {nonlinearity!r}')
    return known[nonlinearity]


class RNN(_Network):
    """A simple recurrent network: h = tanh(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh).

    Or the relu of it. Between the layers there is dropout, in training.

    >>> output, h = RNN(3, 4, num_layers=2, rng=0)(np.ones((6, 5, 3)))
    >>> output.shape, h.shape
    ((6, 5, 4), (2, 5, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.nonlinearity, self._cell = nonlinearity, _simple("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            rng=rng, dtype=dtype,
        )  # fmt: skip


class LSTM(_Network):
    """A network with a long memory: c = f * c + i * g and h = o * tanh(c).

    The gates i, f and o are sigmoids, and g the tanh, of the four parts of weight_ih @ x + bias_ih
    + weight_hh @ h + bias_hh, in the order i, f, g, o. The state is the pair (h, c) (S. Hochreiter
    and J. Schmidhuber, "Long short-term memory", 1997; F. A. Gers et al., "Learning to forget",
    2000). With `proj_size` h is weight_hr @ (o * tanh(c)), of that size (H. Sak et al., "Long
    short-term memory recurrent neural network architectures for large scale acoustic modeling",
    2014). Between the layers there is dropout, in training.

    >>> output, (h, c) = LSTM(3, 4, bidirectional=True, rng=0)(np.ones((6, 5, 3)))
    >>> output.shape, h.shape, c.shape
    ((6, 5, 8), (2, 5, 4), (2, 5, 4))
    """

    _cell = cells.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(self, 1, hidden_size=hidden_size)
        check_sizes(self, proj_size=proj_size)
        if proj_size >= hidden_size:
            raise ValueError(
                f"LSTM: proj_size is 0, for none, or below hidden_size, {hidden_size}, got "
                f"{proj_size}"
            )
        self.proj_size = proj_size
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            rng=rng, dtype=dtype,
        )  # fmt: skip

    def _sizes(self) -> list[int]:
        return [self.proj_size or self.hidden_size, self.hidden_size]

    def _states(self, x: Tensor, w_hh: Any, b_hh: Any, state: list[Any], suffix: str) -> Any:
        if not self.proj_size:
            return super()._states(x, w_hh, b_hh, state, suffix)
        (h, c), w_hr = state, getattr(self, "weight_hr" + suffix)
        steps = []
        for gates in x:
            i, f, g, o = (gates + h @ w_hh.T + b_hh).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = (o.sigmoid() * c.tanh()) @ w_hr.T
            steps.append((h, c))
        return [np.stack(parts) for parts in zip(*steps, strict=True)]


class GRU(_Network):
    """A network of gated units: h = (1 - z) * n + z * h, with n = tanh(x_n + r * y_n).

    r and z are sigmoids of those parts of x + y, where x = weight_ih @ x + bias_ih and y =
    weight_hh @ h + bias_hh have the parts r, z, n (K. Cho et al., "Learning phrase representations
    using RNN encoder-decoder", 2014). Between the layers there is dropout, in training.

    >>> output, h = GRU(3, 4, batch_first=True, rng=0)(np.ones((5, 6, 3)))
    >>> output.shape, h.shape
    ((5, 6, 4), (1, 5, 4))
    """

    _cell = cells.GRU


class RNNCell(_OneStep):
    """One step of a simple recurrent network: see `RNN`.

    >>> RNNCell(3, 4, rng=0)(np.ones((5, 3))).shape
    (5, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: RNG = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.nonlinearity, self._cell = nonlinearity, _simple("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)

    def extra_repr(self) -> str:
        """Show the sizes, and what is not by default."""
        other = f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else ""
        return super().extra_repr() + other


class LSTMCell(_OneStep):
    """One step of an LSTM, to the state (h, c): see `LSTM`.

    >>> h, c = LSTMCell(3, 4, rng=0)(np.ones((5, 3)))
    >>> h.shape, c.shape
    ((5, 4), (5, 4))
    """

    _cell = cells.LSTM


class GRUCell(_OneStep):
    """One step of a network of gated units: see `GRU`.

    >>> GRUCell(3, 4, rng=0)(np.ones((5, 3))).shape
    (5, 4)
    """

    _cell = cells.GRU
