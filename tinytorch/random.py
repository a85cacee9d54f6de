"""Random numbers: every function that draws some takes `rng=`, a generator or a seed.

Where none is given they come from the library's own generator, which `manual_seed` sets: one seed,
one network. Before that, no two programs draw the same.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinytorch.devices import namespace


class Generator(np.random.Generator):
    """NumPy's generator, which can also be set to a seed as PyTorch's is.

    >>> first = Generator().manual_seed(3).random()
    >>> bool(first == np.random.default_rng(3).random())
    True
    """

    def __init__(self, seed: int | None = None, *, device: Any = None) -> None:
        namespace(device)  # has to be there; it draws on whichever device it is asked to
        super().__init__(np.random.PCG64(seed))
        self.on_gpu: Any = None  # what draws there, seeded from this one

    def manual_seed(self, seed: int) -> Generator:
        """Draw from now on what `numpy.random.default_rng(seed)` draws."""
        self.bit_generator.state, self.on_gpu = np.random.PCG64(seed).state, None
        return self

    def __reduce__(self) -> Any:
        return _restored, (self.bit_generator.state,)


def _restored(state: Any) -> Generator:
    generator = Generator()
    generator.bit_generator.state = state
    return generator


default_generator = Generator()

# Inside vmap, whether its examples may have the same random numbers.
shared = ContextVar("shared", default=True)

RNG: TypeAlias = np.random.Generator | int | None


def manual_seed(seed: int) -> Generator:
    """Set the library's own generator to a seed, and give it."""
    return default_generator.manual_seed(seed)


def generator(rng: RNG = None) -> np.random.Generator:
    """Give the generator that `rng=` means: itself, one with that seed, or the library's own.

    Raises TypeError for what is neither, and RuntimeError inside vmap, where a function runs once
    for all examples, unless they may have the same numbers.
    """
    if not shared.get() and not isinstance(rng, int):
        raise RuntimeError(
            "random numbers inside vmap would be the same for all examples: draw them outside, "
            'with one more axis, and map over that; vmap(f, randomness="same") or a seed, rng=0, '
            "means the same"
        )
    if rng is None:
        return default_generator
    try:
        return Generator(rng) if isinstance(rng, int) else np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise TypeError(
            f"rng= is a seed or a generator, as in rng=0 or rng=np.random.default_rng(0), got "
            f"{rng!r:.80}"
        ) from None


if not TYPE_CHECKING:

    def __getattr__(name: str) -> None:
        said = f"module {__name__!r} has no attribute {name!r}"
        if name in ("PRNGKey", "key", "split"):
            said += ": a seed or a generator takes the place of keys, as in nn.Linear(2, 3, rng=0)"
        raise AttributeError(said)
