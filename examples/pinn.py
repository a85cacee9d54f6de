"""Solve a differential equation with a network that is shown nothing but the equation.

A mass on a spring with friction, u'' + 2 d u' + w^2 u = 0, is let go at u(0) = 1 with u'(0) = 0.
The network is trained until its own second derivative obeys the equation; the exact solution is for
the pictures alone.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import tinytorch
from script import COLOURS, INK, legend_below, new_figure, number, parse_arguments, save
from tinytorch import Tensor, nn, optim
from tinytorch.autograd import grad

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIONS = {
    "--friction": (number(float, 0, 6), 0.6, "the d of the equation"),
    "--steps": (number(int, 1, 100_000), 150, "steps of L-BFGS, of 20 iterations each"),
    "--seed": (number(int, 0, 2**32 - 1), 0, "of the first weights"),
    "--output": (Path, Path("pinn-pictures"), "folder for the pictures"),
}
W = 2 * np.pi  # without friction, one swing in a unit of time
END = 2.0


def solution(network: nn.Module, t: Any) -> Any:
    """Return u(t), which starts as the mass does whatever the network says: u(0) = 1, u'(0) = 0."""
    return 1 + t**2 * network(W * t)


def residual(network: nn.Module, t: Tensor, d: float) -> Tensor:
    """Return what the equation's left side is at the times `t`, in units of w^2."""
    u = solution(network, t)
    (velocity,) = grad(u.sum(), t, create_graph=True)
    (acceleration,) = grad(velocity.sum(), t, create_graph=True)
    return (acceleration + 2 * d * velocity) / W**2 + u


def exact(t: Any, d: float) -> Any:
    """Return the solution that the textbook has, for d < w."""
    w = np.sqrt(W**2 - d**2)
    return np.exp(-d * t) * (np.cos(w * t) + d / w * np.sin(w * t))


def train(network: nn.Module, d: float, steps: int) -> list[tuple[float, NDArray[np.float64]]]:
    """Train by L-BFGS; return for each step the loss and the solution so far at `TIMES`.

    Ctrl-C ends the training early, and what was learnt until then counts.
    """
    t = Tensor(np.linspace(0, END, 100).reshape(-1, 1))
    optimizer = optim.LBFGS(network.parameters(), line_search_fn="strong_wolfe", tolerance_change=0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (residual(network, t, d) ** 2).mean()
        loss.backward()
        return loss

    history = []
    with tqdm(range(steps), desc="training", unit="step") as bar, suppress(KeyboardInterrupt):
        for _ in bar:
            loss = optimizer.step(closure).item()
            history.append((loss, solution(network, TIMES).data))
            error = np.abs(history[-1][1] - exact(TIMES, d)).max()
            bar.set_postfix_str(f"loss {loss:.1e}, error {error:.1e}", refresh=False)
    return history


TIMES = np.linspace(0, END, 401).reshape(-1, 1)  # also between the times of the training
STAGES = (1, 4, 16, 64)


def draw(history: list[tuple[float, NDArray[np.float64]]], d: float) -> Figure:
    """Draw the solution as it came about, and below how far off it is."""
    figure = new_figure(9, 7)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    top.plot(TIMES, exact(TIMES, d), color=INK, linewidth=5, alpha=0.2, label="exact")
    stages = [*(stage for stage in STAGES if stage < len(history)), len(history)]
    for stage, shade in zip(stages, np.linspace(0.25, 1, len(stages)), strict=True):
        u = history[stage - 1][1]
        last = stage == stages[-1]
        style = {"color": COLOURS[last], "alpha": shade, "linewidth": 1.8 if last else 1.2}
        top.plot(TIMES, u, label=f"after {stage} step{'s' * (stage > 1)}", **style)
        bottom.semilogy(TIMES, np.abs(u - exact(TIMES, d)) + 1e-12, **style)
    top.set(title=f"A network that obeys $u'' + 2d u' + w^2 u = 0$, $d = {d:g}$", ylabel="$u(t)$")
    top.set_ylim(-1.4, 1.4)
    bottom.set(xlabel="$t$", ylabel="distance from the exact solution", ylim=(1e-7, 3))
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
        axes.margins(x=0)
    legend_below(figure, top)
    return figure


def main() -> None:
    """Train the network, print how far off it is and draw it."""
    arguments = parse_arguments(__doc__, OPTIONS)
    tinytorch.manual_seed(arguments.seed)
    network = nn.Sequential(
        nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    history = train(network, arguments.friction, arguments.steps)
    if not history:
        sys.exit("interrupted before the first step")
    error = np.abs(history[-1][1] - exact(TIMES, arguments.friction)).max()
    print(f"\nafter {len(history)} steps: loss {history[-1][0]:.1e}, largest error {error:.1e}\n")
    save(draw(history, arguments.friction), arguments.output / "pinn.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
