"""L-BFGS: Newton's method with the curvature that the last steps have shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.words import as_reals
from tinytorch.engine import Array
from tinytorch.optim.optimizer import Optimizer, Params, State, loss_of
from tinytorch.tensor import Tensor

# The conditions of Wolfe: the loss falls by this part of what the slope at the start promises, and
# the slope is at most this part of it.
_DECREASE, _CURVATURE = 1e-4, 0.9
# A search along a line ends where no entry would change by more.
_SMALLEST_CHANGE = 1e-9


class LBFGS(Optimizer):
    """Minimise a loss that is the same in every call, in few evaluations of it.

    The direction of a step is -H g, where H, the inverse of the second derivative, is built from
    the last `history_size` changes of the parameters, s, and of the gradient, y. Its length is
    `lr`, or is found so that the strong conditions of Wolfe hold: `line_search_fn="strong_wolfe"`
    (D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989;
    J. Nocedal and S. Wright, "Numerical optimization", 2006, algorithms 7.4, 3.5 and 3.6).

    `step(closure)` makes up to `max_iter` steps with up to `max_eval` evaluations, and fewer where
    no entry of the gradient is above `tolerance_grad`, or no parameter, or the loss, changes by
    more than `tolerance_change`. All parameters are one group. Raises ValueError for more groups,
    TypeError for a step without a closure.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn is 'strong_wolfe' or None, got {line_search_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) > 1:
            raise ValueError("LBFGS: all parameters are one group, with the same options")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters in place, and give the loss before: the closure's first result."""
        if closure is None:
            raise TypeError("LBFGS: step needs a closure, which computes the loss and gradients")
        group = self.param_groups[0]
        lr, tolerance = group["lr"], group["tolerance_change"]
        state = self.state[group["params"][0]]
        first_loss = loss_of(closure)
        self._warn_without_gradients()
        loss, g, evaluations = float(first_loss), self._gradient(), 1

        def at(x: Array) -> tuple[float, Array]:
            nonlocal evaluations
            self._put(x)
            evaluations += 1
            return float(loss_of(closure)), self._gradient()

        for iteration in range(1, group["max_iter"] + 1):
            if np.abs(g).max() <= group["tolerance_grad"]:
                break
            d = _direction(state, g, group["history_size"])
            t = lr * min(1.0, 1 / float(np.abs(g).sum())) if state["n_iter"] == 1 else lr
            state.update(d=d, t=t, prev_flat_grad=g, prev_loss=loss)
            slope = float(g.dot(d))
            if slope > -tolerance:
                break
            x = self._parameters_flat()
            if group["line_search_fn"]:

                def along(t: float, x: Array = x, d: Array = d) -> _Point:
                    loss, g = at(x + t * d)
                    return _Point(t, loss, g, float(g.dot(d)))

                start, size = _Point(0.0, loss, g, slope), float(np.abs(d).max())
                search = _StrongWolfe(along, start, size)
                found = search.find(t, group["max_eval"] - evaluations)
                state["t"], loss, g = found.t, found.loss, found.gradient
                self._put(x + found.t * d)
            elif iteration < group["max_iter"]:
                loss, g = at(x + t * d)
            else:
                self._put(x + t * d)
            if (
                evaluations >= group["max_eval"]
                or np.abs(d * state["t"]).max() <= tolerance
                or abs(loss - state["prev_loss"]) < tolerance
            ):
                break
        state["func_evals"] = state.get("func_evals", 0) + evaluations
        return first_loss

    def _loaded(self, name: str, value: Any, x: Tensor) -> Any:
        """Copy numbers and vectors, of which there are lists too."""
        if isinstance(value, list):
            return [self._loaded(name, part, x) for part in value]
        if value is None or isinstance(value, int):
            return value
        if not np.ndim(value):
            return float(value)
        return np.asarray(value, like=x._value).astype(x._value.real.dtype)

    def _parameters_flat(self) -> Array:
        return np.concatenate([as_reals(x._value).reshape(-1) for x in self._parameters()])

    def _gradient(self) -> Array:
        """Give all gradients in one vector; of a parameter that has none, zeros."""
        return np.concatenate([as_reals(x.grad).reshape(-1) for x in self._parameters()])

    def _put(self, values: Array) -> None:
        """Set all parameters to the values of one vector."""
        start = 0
        for x in self._parameters():
            own = as_reals(x._value)
            own[...] = values[start : start + own.size].reshape(own.shape)
            start += own.size


def _direction(state: State, g: Array, history_size: int) -> Array:
    """Give -H g, by the recursion with two loops, after adding the last step to the history."""
    state["n_iter"] = state.get("n_iter", 0) + 1
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
        return -g
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = float(y.dot(s))
    if curvature > 1e-10:
        for history, new in ((changes, y), (steps, s), (inverses, 1 / curvature)):
            history.append(new)
            del history[:-history_size]
        state["H_diag"] = curvature / float(y.dot(y))
    d, weights = -g, []
    for y, s, inverse in zip(changes[::-1], steps[::-1], inverses[::-1], strict=True):
        weights.append(inverse * s.dot(d))
        d -= weights[-1] * y
    d *= state["H_diag"]
    for y, s, inverse in zip(changes, steps, inverses, strict=True):
        d += (weights.pop() - inverse * y.dot(d)) * s
    return d


class _Point(NamedTuple):
    """A place on the line x + t * d, with the loss there, its gradient, and its slope along d."""

    t: float
    loss: float
    gradient: Array
    slope: float


class _StrongWolfe:
    """A search, from `start` on, for a place where the loss is lower and flatter, as Wolfe asks.

    `along(t)` goes to a place, and `size` is the largest entry of the direction.
    """

    def __init__(self, along: Callable[[float], _Point], start: _Point, size: float) -> None:
        self.along, self.start, self.size = along, start, size
        self.is_stuck = False  # the last trial was close to one that there was already

    def is_high(self, point: _Point) -> bool:
        """Say whether the loss is higher than the slope at the start promises."""
        return point.loss > self.start.loss + _DECREASE * point.t * self.start.slope

    def is_flat(self, point: _Point) -> bool:
        """Say whether the slope is flat enough."""
        return abs(point.slope) <= -_CURVATURE * self.start.slope

    def find(self, t: float, trials: int) -> _Point:
        """Go on, in growing steps, until the last two have such a place between them.

        After so many trials it is the best place so far.
        """
        before, point = self.start, self.along(t)
        for trial in range(trials):
            if self.is_high(point) or (trial > 1 and point.loss >= before.loss):
                return self.narrow(before, point, trials - trial)
            if self.is_flat(point):
                return point
            if point.slope >= 0:
                return self.narrow(before, point, trials - trial)
            bounds = point.t + 0.01 * (point.t - before.t), 10 * point.t
            before, point = point, self.along(_minimum(before, point, *bounds))
        return min(self.start, point, key=_loss)

    def narrow(self, one: _Point, other: _Point, trials: int) -> _Point:
        """Find the place between the two."""
        # `low` has the lowest loss so far, and falls towards `high`.
        low, high = sorted((one, other), key=_loss)
        for _ in range(trials):
            if abs(high.t - low.t) * self.size < _SMALLEST_CHANGE:
                break
            point = self.along(self.between(low, high))
            if self.is_high(point) or point.loss >= low.loss:
                low, high = sorted((low, point), key=_loss)
            elif self.is_flat(point):
                return point
            else:
                low, high = point, low if point.slope * (high.t - low.t) >= 0 else high
        return low

    def between(self, low: _Point, high: _Point) -> float:
        """Give the next place to try; twice close to the ends, it is put further inside."""
        left, right = sorted((low.t, high.t))
        t, margin = _minimum(low, high, left, right), 0.1 * (right - left)
        is_close = min(right - t, t - left) < margin
        if is_close and (self.is_stuck or not left < t < right):
            t = right - margin if right - t < t - left else left + margin
            is_close = False
        self.is_stuck = is_close
        return t


def _loss(point: _Point) -> float:
    return point.loss


def _minimum(p: _Point, q: _Point, low: float, high: float) -> float:
    """Give where the cubic through both places, with their slopes, is lowest within the bounds."""
    p, q = sorted((p, q), key=lambda point: point.t)
    mean = p.slope + q.slope - 3 * (p.loss - q.loss) / (p.t - q.t)
    square = mean * mean - p.slope * q.slope
    if square < 0:
        return (low + high) / 2
    root = math.sqrt(square)
    t = q.t - (q.t - p.t) * (q.slope + root - mean) / (q.slope - p.slope + 2 * root)
    return min(max(t, low), high)
