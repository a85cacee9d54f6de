"""On one GPU: TinyTorch on CuPy, eager and compiled, beside eager PyTorch and JAX, in turns.

`make gpu-bench` runs it. TinyTorch's side and PyTorch's are the same program, with another import.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[], Any]
RNG = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    """Draw float32 numbers."""
    return RNG.standard_normal(shape, np.float32)


# --- in TinyTorch and PyTorch ---------------------------------------------------------------------


def training(t: ModuleType, place: str, batch: int, *sizes: int) -> Step:
    """Take a step of a network of dense layers, with the cross-entropy of the last sizes[-1]."""
    nn, functional = t.nn, import_module(f"{t.__name__}.nn.functional")
    layers: list[Any] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).float().to(place)
    optimizer = t.optim.SGD(model.parameters(), lr=0.01)
    x = t.tensor(floats(batch, sizes[0])).to(place)
    binary = sizes[-1] == 1
    labels = RNG.integers(0, max(sizes[-1], 2), batch)
    y = t.tensor(labels[:, None].astype(np.float32) if binary else labels).to(place)
    loss_of = functional.binary_cross_entropy_with_logits if binary else functional.cross_entropy

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def elementwise(t: ModuleType, place: str, n: int) -> Step:
    """Go through n entries, there and back."""
    x = t.tensor(floats(n), device=place, requires_grad=True)

    def step() -> Any:
        x.grad = None
        y = (x.sin() * x.tanh() + x * x).sum()
        y.backward()
        return y

    return step


def attention(t: ModuleType, place: str, batch: int, heads: int, length: int, size: int) -> Step:
    """Let each query see the keys before it."""
    functional = import_module(f"{t.__name__}.nn.functional")
    q, k, v = (
        t.tensor(floats(batch, heads, length, size), device=place, requires_grad=True)
        for _ in range(3)
    )

    def step() -> Any:
        q.grad = k.grad = v.grad = None
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True).sum()
        y.backward()
        return y

    return step


def gpt(t: ModuleType, place: str, batch: int, length: int, size: int, layers: int) -> Step:
    """Take a step of a transformer that reads characters."""
    nn, functional, n_characters = t.nn, import_module(f"{t.__name__}.nn.functional"), 96

    class Gpt(nn.Module):  # type: ignore[misc, name-defined]
        """Characters in, scores of the next ones out."""

        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Embedding(n_characters, size)
            self.place = nn.Embedding(length, size)
            layer = nn.TransformerEncoderLayer(
                size, 4, 4 * size, dropout=0.0, activation="gelu", batch_first=True
            )
            self.blocks = nn.TransformerEncoder(layer, layers)
            self.scores = nn.Linear(size, n_characters)

        def forward(self, text: Any) -> Any:
            x = self.token(text) + self.place(places)
            return self.scores(self.blocks(x, mask=mask, is_causal=True))

    places = t.arange(length, device=place)
    mask = t.tensor(~np.tri(length, dtype=bool)).to(place)
    model = Gpt().float().to(place)
    optimizer = t.optim.AdamW(model.parameters(), lr=1e-3)
    text = RNG.integers(0, n_characters, (batch, length + 1))
    x, y = t.tensor(text[:, :-1]).to(place), t.tensor(text[:, 1:].reshape(-1)).to(place)

    def step() -> Any:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x).reshape(-1, n_characters), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


# --- in JAX ---------------------------------------------------------------------------------------


def in_jax(function: Callable[..., Step], *arguments: int) -> Step | None:
    """Give the same step of JAX's, compiled; None for what is not written here."""
    jax = import_module("jax")
    jnp = jax.numpy

    def dense(parameters: Any, x: Any, y: Any) -> Any:
        for weight, bias in parameters[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        weight, bias = parameters[-1]
        scores = x @ weight + bias
        if scores.shape[1] == 1:
            return jnp.mean(jax.nn.softplus(scores) - y[:, None] * scores)
        return -jnp.mean(jax.nn.log_softmax(scores)[jnp.arange(len(y)), y])

    if function is training:
        batch, *sizes = arguments
        pairs = list(pairwise(sizes))
        state = [
            (jnp.asarray(floats(*pair) / pair[0] ** 0.5), jnp.zeros(pair[1])) for pair in pairs
        ]
        x = jnp.asarray(floats(batch, sizes[0]))
        y = jnp.asarray(RNG.integers(0, max(sizes[-1], 2), batch))

        @jax.jit
        def update(state: Any) -> Any:
            gradient = jax.grad(dense)(state, x, y)
            return jax.tree.map(lambda p, g: p - 0.01 * g, state, gradient)

        held = [state]

        def step() -> Any:
            held[0] = update(held[0])
            return held[0]

        return step
    if function is elementwise:
        x = jnp.asarray(floats(*arguments))
        slope = jax.jit(jax.value_and_grad(lambda x: (jnp.sin(x) * jnp.tanh(x) + x * x).sum()))
        return lambda: slope(x)
    if function is attention:
        batch, heads, length, size = arguments
        qkv = [jnp.asarray(floats(batch, length, heads, size)) for _ in range(3)]

        def total(q: Any, k: Any, v: Any) -> Any:
            return jax.nn.dot_product_attention(q, k, v, is_causal=True).sum()

        slopes = jax.jit(jax.value_and_grad(total, (0, 1, 2)))
        return lambda: slopes(*qkv)
    return None


# --- the race -------------------------------------------------------------------------------------


class Race(NamedTuple):
    """A step, and how many times the time of eager PyTorch it may take, as it is and compiled."""

    function: Callable[..., Step]
    arguments: tuple[int, ...]
    small: tuple[int, ...]  # to try the script
    bound: float
    compiled: float


RACES = {
    "moons": Race(training, (100, 2, 24, 12, 1), (10, 2, 4, 1), 1.4, 0.9),
    "mnist256": Race(training, (256, 784, 128, 10), (8, 16, 8, 4), 1.4, 0.9),
    "784-2048-2048-10, batch 4096": Race(
        training, (4096, 784, 2048, 2048, 10), (8, 8, 8, 4), 1.05, 1.0
    ),
    "4096-4096-4096-1000, batch 8192": Race(
        training, (8192, 4096, 4096, 4096, 1000), (8, 8, 8, 4), 1.05, 1.0
    ),
    "elementwise on 1e6": Race(elementwise, (10**6,), (100,), 1.4, 0.9),
    "elementwise on 1e8": Race(elementwise, (10**8,), (100,), 1.6, 0.6),
    "attention": Race(attention, (16, 8, 512, 64), (2, 2, 4, 4), 1.5, 1.0),
    "character GPT": Race(gpt, (32, 128, 256, 4), (2, 4, 8, 1), 1.5, 1.0),
}


def race(race: Race, place: str, seconds: float) -> dict[str, float]:
    """Time the libraries in turns; give the median of each, in milliseconds."""
    arguments = race.arguments if place == "cuda" else race.small
    steps: dict[str, tuple[Step, Callable[[Any], Any]]] = {}
    for name in ("tinytorch", "torch"):
        t = import_module(name)
        wait = (lambda _, t=t: t.cuda.synchronize()) if place == "cuda" else (lambda _: None)
        steps[name] = race.function(t, place, *arguments), wait
        if name == "tinytorch":
            steps["compiled"] = t.compile(race.function(t, place, *arguments)), wait
    try:
        jax = import_module("jax")
        step = in_jax(race.function, *arguments) if jax.devices()[0].platform != "cpu" else None
        if step is not None:
            steps["jax"] = step, jax.block_until_ready
    except ImportError:
        pass
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step, wait in steps.values():
        for _ in range(6):  # steps are recorded, kernels compiled, and memory taken
            wait(step())
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["torch"]) < 5:
        for name, (step, wait) in steps.items():
            start = time.perf_counter()
            wait(step())
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Race all of them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", help="cpu tries the script, on small arrays")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each workload")
    options = parser.parse_args()
    if options.device == "cuda" and not import_module("tinytorch").cuda.is_available():
        raise SystemExit("There is no GPU here that CuPy can use, so there is nothing to race.")
    print("| step | TinyTorch | compiled | PyTorch, eager | JAX `jit` | to PyTorch | bounds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, each in RACES.items():
        found = race(each, options.device, options.seconds)
        eager, compiled = (found[x] / found["torch"] for x in ("tinytorch", "compiled"))
        columns = "tinytorch", "compiled", "torch", "jax"
        shown = " | ".join(f"{found[x]:.3g} ms" if x in found else "-" for x in columns)
        bounds = f"{each.bound} / {each.compiled}"
        print(f"| {name} | {shown} | {eager:.2f} / {compiled:.2f} | {bounds} |", flush=True)


if __name__ == "__main__":
    main()
