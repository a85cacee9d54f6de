"""Teach a small network to tell two moons apart, and draw how it learnt."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

import moons_data_and_plots as plots
from moons_data_and_plots import Array, Epoch, Moons, sample_moons
from script import number, parse_arguments, save
from tinytorch import Tensor, no_grad
from tinytorch.nn import MLP, Activation

OPTIONS = {
    "--samples": (number(int, 8, 100_000), 1000, "points in both moons together"),
    "--noise": (number(float, 0, 10), 0.15, "standard deviation of the points' noise"),
    "--epochs": (number(int, 1, 10_000_000), 2000, "steps of gradient descent"),
    "--learning-rate": (number(float, 1e-6, 100), 0.1, "size of a step"),
    "--seed": (number(int, 0, 2**32 - 1), 0, "of the data, the split and the first weights"),
    "--output": (Path, Path("moons-pictures"), "folder for the pictures"),
}


def binary_cross_entropy(p: Tensor, y: Array) -> Tensor:
    """Return `-mean(y log p + (1 - y) log(1 - p))`; probabilities and labels have shape (n, 1)."""
    p = p.clip(1e-12, 1 - 1e-12)  # a sure prediction rounds to 0 or 1, and log(0) is not finite
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def evaluate(model: MLP, X: Array, y: Array) -> tuple[float, float]:
    """Return the loss and the accuracy of the model's predictions for `X`."""
    with no_grad():
        p = model(X)
        loss = binary_cross_entropy(p, y)
    return loss.item(), float(((p > 0.5) == y).mean())


def train(model: MLP, moons: Moons, epochs: int, learning_rate: float) -> list[Epoch]:
    """Train by gradient descent on the whole training set; return the scores before and after.

    The list starts with the untrained model, then has one item an epoch. Ctrl-C ends the training
    early, and what was learnt until then counts.
    """
    X_train, y_train, X_test, y_test = moons

    def scores() -> Epoch:
        return Epoch(*evaluate(model, X_train, y_train), *evaluate(model, X_test, y_test))

    history = [scores()]
    with tqdm(range(epochs), desc="training", unit="epoch") as bar, suppress(KeyboardInterrupt):
        for _ in bar:
            p = model(X_train)
            loss = binary_cross_entropy(p, y_train)
            model.flush_grads()
            loss.backward()
            for parameter in model.parameters:
                parameter.data -= learning_rate * parameter.grad

            history.append(epoch := scores())
            bar.set_postfix_str(
                f"loss {epoch.train_loss:.4f}, accuracy {epoch.train_accuracy:.1%}", refresh=False
            )
    return history


def main() -> None:
    """Sample the data, train the network, print its scores and draw three pictures."""
    arguments = parse_arguments(__doc__, OPTIONS)
    moons = sample_moons(arguments.samples, arguments.noise, arguments.seed)
    model = MLP(
        n_input=2,
        layers=[(24, Activation.RELU), (12, Activation.RELU), (1, Activation.SIGMOID)],
        rng=arguments.seed,
    )

    start = perf_counter()
    history = train(model, moons, arguments.epochs, arguments.learning_rate)
    seconds = perf_counter() - start

    epochs, last = len(history) - 1, history[-1]
    if epochs < arguments.epochs:
        print(f"\nStopped after {epochs} of {arguments.epochs} epochs: this was learnt so far.")
    print(f"\n{'':8}{'loss':>8}{'accuracy':>12}")
    print(f"{'train':8}{last.train_loss:8.4f}{last.train_accuracy:12.2%}")
    print(f"{'test':8}{last.test_loss:8.4f}{last.test_accuracy:12.2%}")
    print(f"\n{epochs} epochs in {seconds:.1f} seconds\n")

    def predict(points: Array) -> Array:
        with no_grad():
            return model(points).data[:, 0]

    for name, figure in (
        ("classification_data", plots.draw_data(moons)),
        ("classification_training", plots.draw_training(history)),
        ("classification_results", plots.draw_results(moons, predict)),
    ):
        save(figure, arguments.output / f"{name}.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
