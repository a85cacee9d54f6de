"""The generator behind `rng=`: seeds, and what is none."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinytorch
from tinytorch.random import default_generator, generator


def test_a_seed_is_numpys() -> None:
    assert tinytorch.manual_seed(3) is default_generator
    drawn = generator().random(4)
    assert np.array_equal(drawn, np.random.default_rng(3).random(4))
    assert np.array_equal(drawn, generator(3).random(4))
    assert np.array_equal(drawn, tinytorch.Generator().manual_seed(3).random(4))
    assert not np.array_equal(drawn, generator().random(4))


def test_a_generator_is_taken_as_it_is_and_copies_go_on_from_where_it_is() -> None:
    rng = tinytorch.Generator(5)
    assert generator(rng) is rng
    rng.random()
    twins = [copy.deepcopy(rng), pickle.loads(pickle.dumps(rng))]  # noqa: S301
    wanted = rng.random()
    assert [twin.random() for twin in twins] == [wanted, wanted]


def test_without_a_seed_no_two_are_alike() -> None:
    assert tinytorch.Generator().random() != tinytorch.Generator().random()


def test_what_is_no_seed_is_refused() -> None:
    with pytest.raises(TypeError):
        generator("three")  # type: ignore[arg-type]
