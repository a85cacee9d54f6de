"""The two moons and the pictures of a network learning them, for the script and the notebook alike.

Nothing in here knows TinyTorch: data are plain arrays, a network is a function from points to
probabilities. Scikit-learn and matplotlib take two seconds to import, so that is left to the
functions that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from script import COLOURS, INK, legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array: TypeAlias = NDArray[np.float64]

MARKERS = ("o", "^")  # which differ without any colour


class Moons(NamedTuple):
    """Points `X` of shape (n, 2) and their labels `y`, 0.0 or 1.0, of shape (n, 1)."""

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array


class Epoch(NamedTuple):
    """What a network scores after an epoch; an accuracy is a share, from 0 to 1."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def sample_moons(samples: int, noise: float, seed: int) -> Moons:
    """Draw two interleaving half circles with Gaussian noise; a quarter becomes the test set."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    X, classes = make_moons(samples, noise=noise, random_state=seed)
    # A column, as the predictions: labels of shape (n,) would broadcast with them to (n, n).
    y = classes.astype(float).reshape(-1, 1)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=seed
    )
    return Moons(X_train, y_train, X_test, y_test)


def draw_data(moons: Moons) -> Figure:
    """Draw the points of both classes, the training set beside the test set."""
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _scatter(left, moons.X_train, moons.y_train)
    _scatter(right, moons.X_test, moons.y_test)
    left.set(title=f"Training set: {len(moons.X_train)} points", xlabel="$x_1$", ylabel="$x_2$")
    right.set(title=f"Test set: {len(moons.X_test)} points", xlabel="$x_1$", ylabel="$x_2$")
    legend_below(figure, left)
    return figure


def draw_training(history: Sequence[Epoch]) -> Figure:
    """Draw loss and accuracy of both sets over the epochs; epoch 0 is before training."""
    train_loss, train_accuracy, test_loss, test_accuracy = np.transpose(history)
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2)
    for axes, train, test in (
        (left, train_loss, test_loss),
        (right, 100 * train_accuracy, 100 * test_accuracy),
    ):
        axes.plot(train, color=COLOURS[0], label="training set")
        axes.plot(test, color=COLOURS[1], label="test set", linestyle="--")
        axes.grid(alpha=0.3)
    left.set(title="Loss", xlabel="epoch", ylabel="binary cross-entropy", ylim=(0, None))
    right.set(title="Accuracy", xlabel="epoch", ylabel="points on the right side in %")
    legend_below(figure, left)
    return figure


def draw_results(moons: Moons, predict: Callable[[Array], Array]) -> Figure:
    """Draw what `predict`, from points (n, 2) to probabilities (n,), makes of the plane."""
    from matplotlib.colors import LinearSegmentedColormap

    points = np.concatenate([moons.X_train, moons.X_test])
    (left, bottom), (right, top) = points.min(axis=0) - 0.4, points.max(axis=0) + 0.4
    x1, x2 = np.meshgrid(np.linspace(left, right, 240), np.linspace(bottom, top, 160))
    probability = predict(np.column_stack([x1.ravel(), x2.ravel()])).reshape(x1.shape)
    accuracy = np.mean((predict(moons.X_test) > 0.5) == moons.y_test[:, 0])

    figure = new_figure(9, 6)
    axes = figure.subplots()
    image = axes.imshow(
        probability,
        cmap=LinearSegmentedColormap.from_list("classes", [COLOURS[0], "white", COLOURS[1]]),
        vmin=0,
        vmax=1,
        alpha=0.5,
        extent=(left, right, bottom, top),
        origin="lower",
        interpolation="bilinear",
    )
    axes.contour(x1, x2, probability, levels=[0.5], colors=INK)
    axes.plot([], [], color=INK, label="decision boundary")
    _scatter(axes, moons.X_train, moons.y_train, suffix=", training")
    _scatter(axes, moons.X_test, moons.y_test, suffix=", test", edge=INK)
    axes.set(
        title=f"Decision boundary: {accuracy:.1%} of the test set on the right side",
        xlabel="$x_1$",
        ylabel="$x_2$",
    )
    figure.colorbar(image, label="probability of class 1", shrink=0.8)
    legend_below(figure, axes)
    return figure


def _scatter(axes: Axes, X: Array, y: Array, suffix: str = "", edge: str = "white") -> None:
    for label, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=True)):
        axes.scatter(
            *X[y[:, 0] == label].T,
            color=colour,
            marker=marker,
            edgecolors=edge,
            linewidths=0.6,
            s=26,
            label=f"class {label}{suffix}",
        )
    axes.set_aspect("equal")
