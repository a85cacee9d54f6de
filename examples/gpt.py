"""Teach a small transformer to write like Python's documentation, one character after the other.

It is trained on the texts that `help("topics")` shows, and judged on the last tenth of them, beside
a 5-gram model and bz2. The state is saved as it goes, and `--resume` goes on from there.
"""

from __future__ import annotations

import argparse
import math
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import tinytorch
from gpt_text_and_plots import Array, bz2_bits, draw_surprise, draw_training, five_gram_bits, text
from script import number, parse_arguments, save
from tinytorch import Tensor, nn, no_grad, optim
from tinytorch.nn import functional as F  # noqa: N812

OPTIONS = {
    "--steps": (number(int, 1, 1_000_000), 1800, "steps of training, those before --resume too"),
    "--batch": (number(int, 1, 1024), 8, "texts in a step"),
    "--context": (number(int, 8, 1024), 128, "characters of each, and how far back it looks"),
    "--width": (number(int, 8, 1024), 128, "numbers that stand for a character"),
    "--depth": (number(int, 1, 24), 4, "blocks of attention and thought"),
    "--learning-rate": (number(float, 1e-6, 1), 4e-3, "the highest, a tenth of the way"),
    "--every": (number(int, 1, 1_000_000), 250, "steps between samples, which are saved too"),
    "--resume": (bool, False, "go on from what the output folder has"),
    "--seed": (number(int, 0, 2**32 - 1), 0, "of the first weights and the batches"),
    "--output": (Path, Path("gpt-results"), "folder for the state and the pictures"),
}
HEADS = 4
STATE = "gpt.safetensors"


class Attention(nn.Module):
    """Each character asks those before it, and takes the average of their answers.

    How well a question (query) and an offer (key) go together is their product; the farther away,
    the less, for each head at its own rate (O. Press et al., "Train short, test long", 2022).
    """

    def __init__(self, width: int) -> None:
        self.ask = nn.Linear(width, 3 * width, bias=False, dtype=np.float32)
        self.answer = nn.Linear(width, width, bias=False, dtype=np.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Of (texts, characters, width), the same."""
        n, t, width = x.shape
        q, k, v = self.ask(x).reshape(n, t, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        ago = np.arange(t)[:, None] - np.arange(t)
        rates = 0.5 ** np.arange(1, 2 * HEADS, 2).reshape(-1, 1, 1)
        distance = np.where(ago < 0, np.inf, ago * rates).astype(np.float32)  # the future is far
        weights = (q @ k.mT / math.sqrt(width // HEADS) - distance).softmax(-1)
        return self.answer((weights @ v).permute(0, 2, 1, 3).reshape(n, t, width))


class Block(nn.Module):
    """Look around, then think."""

    def __init__(self, width: int) -> None:
        self.norm1 = nn.LayerNorm(width, dtype=np.float32)
        self.attention = Attention(width)
        self.norm2 = nn.LayerNorm(width, dtype=np.float32)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width, dtype=np.float32),
            nn.ReLU(),
            nn.Linear(4 * width, width, dtype=np.float32),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add what each finds out."""
        x = x + self.attention(self.norm1(x))
        return x + self.think(self.norm2(x))


class GPT(nn.Module):
    """Scores, for each character of a text, of what comes next."""

    def __init__(self, characters: int, width: int, depth: int) -> None:
        self.embedding = nn.Embedding(characters, width, dtype=np.float32)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, dtype=np.float32)
        self.scores = nn.Linear(width, characters, dtype=np.float32)

    def forward(self, codes: Array) -> Tensor:
        """Of (texts, characters), (texts, characters, alphabet)."""
        return self.scores(self.norm(self.blocks(self.embedding(codes))))


def loss_of(model: GPT, codes: Array, reduction: str = "mean") -> Tensor:
    """Return how unlikely the model finds each character after those before it, in nats."""
    scores = model(codes[:, :-1]).transpose(1, 2)  # (texts, alphabet, characters)
    return F.cross_entropy(scores, codes[:, 1:], reduction=reduction)


def surprise(model: GPT, codes: Array, context: int) -> Array:
    """Return the bits for each character of a text but the first.

    It is read in windows that overlap by half, so that there is always something to look back at.
    """
    half = context // 2
    starts = np.arange(0, len(codes) - context, half)
    windows = codes[starts[:, None] + np.arange(context + 1)]
    with no_grad():
        nats = [loss_of(model, windows[i : i + 16], "none").data for i in range(0, len(starts), 16)]
    bits = np.concatenate(nats) / math.log(2)
    return np.concatenate([bits[0, :half], bits[:, half:].ravel()])


def write(model: GPT, codes: list[int], length: int, context: int, rng: Any) -> list[int]:
    """Go on with a text: each character is drawn with the probability that the model gives it."""
    with no_grad():
        for _ in range(length):
            scores = model(np.array([codes[-context:]]))[0, -1].data
            codes.append(int(np.argmax(scores + rng.gumbel(size=len(scores)))))
    return codes


def train(model: GPT, codes: Array, arguments: argparse.Namespace, report: Any) -> list[float]:
    """Train, or go on; return the loss of each step, in bits per character.

    Ctrl-C ends the training early, and what was learnt until then counts. `report(model, steps)` is
    called before each save.
    """
    steps, context, path = arguments.steps, arguments.context, arguments.output / STATE
    rng, history = np.random.default_rng(arguments.seed), []
    optimizer = optim.AdamW(
        model.parameters(), arguments.learning_rate, betas=(0.9, 0.99), weight_decay=0.1
    )
    scheduler = optim.lr_scheduler.LambdaLR(  # up for a tenth of the time, then half a wave down
        optimizer, lambda t: min(1, 10 * (t + 1) / steps) * (1 + math.cos(math.pi * t / steps)) / 2
    )
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    if arguments.resume:
        try:
            state = tinytorch.load(path)
            for name, part in parts.items():
                part.load_state_dict(state[name])
        except (OSError, RuntimeError, ValueError) as error:
            sys.exit(f"gpt.py: error: argument --resume: {error}")
        rng.bit_generator.state, history = state["rng"], state["history"].tolist()

    def keep() -> None:
        state = {name: part.state_dict() for name, part in parts.items()}
        rest = {"rng": rng.bit_generator.state, "history": np.array(history)}
        tinytorch.save(state | rest, path)

    @tinytorch.compile
    def step(texts: Array) -> Tensor:
        loss = loss_of(model, texts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    with (
        tqdm(total=steps, initial=len(history), desc="training", unit="step") as bar,
        suppress(KeyboardInterrupt),
    ):
        while len(history) < steps:
            starts = rng.integers(0, len(codes) - context, arguments.batch)
            texts = codes[starts[:, None] + np.arange(context + 1)]
            history.append(step(texts).item() / math.log(2))
            scheduler.step()
            bar.set_postfix_str(f"{np.mean(history[-50:]):.2f} bits", refresh=False)
            bar.update()
            if len(history) % arguments.every == 0:
                report(model, len(history))
                keep()
    if len(history) < steps:
        print(f"\nStopped after {len(history)} of {steps} steps: --resume goes on from here.")
    keep()
    return history


def main() -> None:
    """Train the model, print what it writes and how it fares, and draw it."""
    arguments = parse_arguments(__doc__, OPTIONS)
    context = arguments.context
    everything = text()
    alphabet = "".join(sorted(set(everything)))
    codes = np.array([alphabet.index(character) for character in everything])
    cut = len(codes) * 9 // 10
    rivals = {"5-gram": five_gram_bits, "bz2": bz2_bits}
    bits = {name: rival(everything[:cut], everything[cut:]) for name, rival in rivals.items()}

    tinytorch.manual_seed(arguments.seed)
    model = GPT(len(alphabet), arguments.width, arguments.depth)
    print(f"{model.n_parameters:,} parameters are to learn from {cut:,} characters")
    held_out: dict[int, float] = {}

    def report(model: GPT, steps: int) -> None:
        rng = np.random.default_rng(arguments.seed)
        start = [alphabet.index(character) for character in "The "]
        written = "".join(alphabet[code] for code in write(model, start, 200, context, rng))
        held_out[steps] = surprise(model, codes[cut : cut + 5000], context).mean()
        tqdm.write(f"\n--- {steps} steps, {held_out[steps]:.2f} bits, held out ---\n{written}\n")

    history = train(model, codes[:cut], arguments, report)
    surprises = surprise(model, codes[cut:], context)
    bits = {"transformer": surprises.mean()} | bits
    print("\nbits per character of the held-out text")
    for name, value in bits.items():
        print(f"{name:12}{value:.3f}")
    print()
    save(draw_training(history, held_out, bits), arguments.output / "gpt_training.svg")
    passage = everything[cut + 1 : cut + 1 + len(surprises)]
    save(draw_surprise(passage, surprises), arguments.output / "gpt_surprise.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
