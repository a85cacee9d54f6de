"""Teach a convolutional network to read handwritten digits, and show what it looks for.

The digits are scikit-learn's, 8 by 8 pixels, a quarter of them held out. In training each image is
moved by up to a pixel, to where it comes no one knows.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import tinytorch
from script import INK, new_figure, number, parse_arguments, save
from tinytorch import Tensor, data, nn, no_grad, optim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array: TypeAlias = NDArray[Any]

OPTIONS = {
    "--epochs": (number(int, 1, 100_000), 20, "times that all images are seen"),
    "--batch": (number(int, 2, 1000), 64, "images in a step"),
    "--learning-rate": (number(float, 1e-6, 1), 1e-2, "the highest, three tenths of the way"),
    "--seed": (number(int, 0, 2**31), 0, "of the split, the first weights and the batches"),
    "--seeds": (number(int, 1, 1000), 1, "train so many networks, each with the next seed"),
    "--output": (Path, Path("digits-pictures"), "folder for the pictures"),
}


class Digits(NamedTuple):
    """Images of shape (n, 1, 8, 8) from 0 to 1, and the digits that they show."""

    x_train: Array
    x_test: Array
    y_train: Array
    y_test: Array


def load(seed: int) -> Digits:
    """Load the digits; a quarter is held out."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    x = (images / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    return Digits(*train_test_split(x, labels, test_size=0.25, stratify=labels, random_state=seed))


def network() -> nn.Sequential:
    """Look for strokes, then for what they make in twice as large a window, then for digits."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 10),
    ).float()


def moved(images: Array, rng: np.random.Generator) -> Array:
    """Move each image by up to a pixel up or down, and left or right."""
    padded = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    rows, columns = np.arange(8) + rng.integers(0, 3, (2, len(images), 1))
    return padded[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None]][
        :, None
    ]


def train(model: nn.Module, digits: Digits, arguments: Any, seed: int) -> int:
    """Train by Adam with weight decay; return how many epochs it was given.

    Ctrl-C ends the training early, and what was learnt until then counts.
    """
    rng = np.random.default_rng(seed)
    batches = data.DataLoader(
        data.TensorDataset(digits.x_train, digits.y_train),
        arguments.batch,
        shuffle=True,
        drop_last=True,
        rng=rng,
    )
    optimizer = optim.AdamW(model.parameters(), weight_decay=0.01)
    scheduler = optim.lr_scheduler.OneCycleLR(
        optimizer, arguments.learning_rate, arguments.epochs * len(batches), cycle_momentum=False
    )

    @tinytorch.compile
    def step(x: Array, y: Array) -> Tensor:
        loss = nn.functional.cross_entropy(model(x), y, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    done = 0
    bar = tqdm(range(arguments.epochs), desc=f"training, seed {seed}", unit="epoch")
    with bar, suppress(KeyboardInterrupt):
        for _ in bar:
            for x, y in batches:
                loss = step(moved(x, rng), y)
                scheduler.step()
            done += 1
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
    return done


def predict(model: nn.Module, images: Array) -> Array:
    """Return the probability of each digit, of shape (n, 10)."""
    model.eval()
    with no_grad():
        return model(images).softmax(1).data


def draw_filters(model: nn.Sequential, image: Array) -> Figure:
    """Draw the first layer's filters, and what each makes of an image."""
    figure = new_figure(11, 3.4)
    filters = model[0].weight.data[:, 0]
    with no_grad():
        found = model[:3](image[None]).data[0]
    panels = figure.subplots(4, 16)
    figure.suptitle("The filters of the first layer, and below each where it finds its stroke")
    limit = np.abs(filters).max()
    for i, (weights, strokes) in enumerate(zip(filters, found, strict=True)):
        row, column = divmod(i, 16)
        panels[2 * row, column].imshow(weights, cmap="PuOr", vmin=-limit, vmax=limit)
        panels[2 * row + 1, column].imshow(strokes, cmap="gray_r")
    for axes in panels.flat:
        axes.set_axis_off()
    return figure


def draw_errors(digits: Digits, p: Array, most: int = 8) -> Figure:
    """Draw the held-out digits that the network gets wrong, or is least sure of."""
    right = p[np.arange(len(p)), digits.y_test]
    figure = new_figure(10, 2.2)
    n = int((p.argmax(1) != digits.y_test).sum())
    figure.suptitle(f"{n} of {len(p)} held-out digits are misread; these are the hardest")
    # The misread ones are those whose own probability is not the largest.
    order = np.argsort(right - p.max(axis=1) + 1e-3 * right)[:most]
    for axes, i in zip(figure.subplots(1, most), order, strict=True):
        axes.imshow(digits.x_test[i, 0], cmap="gray_r")
        read, true = p[i].argmax(), digits.y_test[i]
        colour = INK if read == true else "#d55e00"
        axes.set_title(f"read {read}, {p[i, read]:.0%}\nis {true}, {right[i]:.0%}", color=colour)
        axes.set_axis_off()
    return figure


def main() -> None:
    """Train a network for each seed, print how many digits it reads, and draw the last one."""
    arguments = parse_arguments(__doc__, OPTIONS)
    accuracies = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        tinytorch.manual_seed(seed)
        digits, model = load(seed), network()
        if not accuracies:
            print(tinytorch.summary(model, (1, 1, 8, 8)))
        epochs = train(model, digits, arguments, seed)
        p = predict(model, digits.x_test)
        accuracies.append((p.argmax(1) == digits.y_test).mean())
        print(
            f"seed {seed}: {accuracies[-1]:.2%} of {len(p)} held-out digits after {epochs} epochs"
        )
        if epochs < arguments.epochs:
            print(f"Stopped after {epochs} of {arguments.epochs} epochs: this was learnt so far.")
            break
    if len(accuracies) > 1:
        print(f"median {median(accuracies):.2%}")
    print()
    save(draw_filters(model, digits.x_test[0]), arguments.output / "digits_filters.svg")
    save(draw_errors(digits, p), arguments.output / "digits_errors.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
