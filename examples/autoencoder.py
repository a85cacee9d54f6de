"""Draw a map of handwritten digits: a variational autoencoder finds a place in the plane for each.

The encoder says where in the plane an image lies, and how exactly; the decoder draws the image of
any place (D. Kingma and M. Welling, "Auto-encoding variational Bayes", 2014).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import tinytorch
from script import COLOURS, INK, new_figure, number, parse_arguments, save
from tinytorch import Tensor, data, nn, no_grad, optim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array: TypeAlias = NDArray[Any]

OPTIONS = {
    "--epochs": (number(int, 1, 100_000), 200, "times that all images are seen"),
    "--batch": (number(int, 1, 1000), 100, "images in a step"),
    "--learning-rate": (number(float, 1e-6, 1), 2e-3, "of Adam"),
    "--hidden": (number(int, 1, 10_000), 128, "width of the layers in between"),
    "--seed": (number(int, 0, 2**32 - 1), 0, "of the first weights, the batches and the noise"),
    "--output": (Path, Path("autoencoder-pictures"), "folder for the pictures"),
}


class Autoencoder(nn.Module):
    """Images of 64 pixels, from 0 to 1; places in the plane."""

    def __init__(self, hidden: int) -> None:
        self.encoder = nn.Sequential(
            nn.Linear(64, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 4),
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 64),
        )

    def encode(self, x: Array) -> tuple[Tensor, Tensor]:
        """Return the mean and the logarithm of the variance of the places of images."""
        out = self.encoder(x)
        return out[:, :2], out[:, 2:]

    def decode(self, places: Array) -> Array:
        """Return the images of places."""
        with no_grad():
            return self.decoder(places).sigmoid().data

    def forward(self, x: Array, noise: Array) -> tuple[Tensor, Tensor]:
        """Return, as means over the images, the two parts of the loss.

        How many nats the images cost where their places are known, and how many more the places
        cost: the Kullback-Leibler divergence of their distributions from the standard normal one.
        """
        mean, log_variance = self.encode(x)
        places = mean + (log_variance / 2).exp() * noise  # so that the gradient reaches both
        pixels = nn.functional.binary_cross_entropy_with_logits(
            self.decoder(places), x, reduction="sum"
        )
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum() / 2
        return pixels / len(x), divergence / len(x)


def train(model: Autoencoder, images: Array, arguments: Any) -> Array:
    """Train by Adam; return the two parts of the loss for each epoch, of shape (epochs, 2).

    Ctrl-C ends the training early, and what was learnt until then counts.
    """
    rng = np.random.default_rng(arguments.seed)
    batches = data.DataLoader(images, arguments.batch, shuffle=True, drop_last=True, rng=rng)
    optimizer = optim.Adam(model.parameters(), arguments.learning_rate)

    @tinytorch.compile
    def step(x: Array, noise: Array) -> tuple[Tensor, Tensor]:
        pixels, divergence = model(x, noise)
        optimizer.zero_grad()
        (pixels + divergence).backward()
        optimizer.step()
        return pixels, divergence

    history = []
    bar = tqdm(range(arguments.epochs), desc="training", unit="epoch")
    with bar, suppress(KeyboardInterrupt):
        for _ in bar:
            parts = [step(x, rng.normal(size=(len(x), 2))) for x in batches]
            history.append(np.mean([(pixels.item(), places.item()) for pixels, places in parts], 0))
            bar.set_postfix_str("{:.2f} + {:.2f} nats".format(*history[-1]), refresh=False)
    return np.array(history)


def draw_plane(model: Autoencoder, images: Array, labels: Array) -> Figure:
    """Draw where the digits lie in the plane, beside the images of places all over it."""
    with no_grad():
        places = model.encode(images)[0].data
    figure = new_figure(12, 6.2)
    left, right = figure.subplots(1, 2)
    points = left.scatter(*places.T, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=9, alpha=0.8)
    for digit in range(10):
        middle = np.median(places[labels == digit], axis=0)
        left.annotate(
            str(digit),
            middle,
            ha="center",
            va="center",
            fontsize=15,
            fontweight="bold",
            color=INK,
            bbox={"boxstyle": "circle", "facecolor": "white", "alpha": 0.8, "edgecolor": "none"},
        )
    figure.colorbar(points, ticks=range(10), label="digit", shrink=0.7)
    limit, n = 2.6, 15
    axis = np.linspace(-limit, limit, n)
    grid = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    sheet = model.decode(grid).reshape(n, n, 8, 8).transpose(0, 2, 1, 3).reshape(8 * n, 8 * n)
    right.imshow(sheet, cmap="gray_r", extent=(-limit, limit, -limit, limit))
    left.set(title="Where the digits lie", xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    left.set(xlim=(-limit, limit), ylim=(-limit, limit))
    right.set(title="What the decoder draws there", xlabel="$z_1$", ylabel="$z_2$")
    return figure


def draw_training(history: Array) -> Figure:
    """Draw the two parts of the loss over the epochs."""
    figure = new_figure(9, 4)
    panels = figure.subplots(1, 2)
    titles = ("The images, given their places", "The places")
    for axes, part, title, colour in zip(panels, history.T, titles, COLOURS, strict=True):
        axes.plot(np.arange(1, len(part) + 1), part, color=colour)
        axes.set(title=title, xlabel="epoch", ylabel="nats for an image")
        axes.grid(alpha=0.3)
    return figure


def main() -> None:
    """Train the autoencoder, print what an image costs, and draw the plane."""
    from sklearn.datasets import load_digits

    arguments = parse_arguments(__doc__, OPTIONS)
    images, labels = load_digits(return_X_y=True)
    images = images / 16
    tinytorch.manual_seed(arguments.seed)
    model = Autoencoder(arguments.hidden)
    history = train(model, images, arguments)
    if not len(history):
        sys.exit("interrupted before the first epoch")
    pixels, places = history[-1]
    print(f"\nafter {len(history)} epochs an image costs {pixels:.2f} + {places:.2f} nats\n")
    save(draw_plane(model, images, labels), arguments.output / "autoencoder_plane.svg")
    save(draw_training(history), arguments.output / "autoencoder_training.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
