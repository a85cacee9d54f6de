"""What all tests share: Hypothesis's profiles, and a look at what a test leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import Phase, settings

from tinytorch import is_grad_enabled

# The same examples in every run, so that a failure is there again in the next one. Which lines only
# failing examples run takes longer to find out than they do.
settings.register_profile(
    "quick",
    max_examples=20,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
settings.register_profile("few", settings.get_profile("quick"), max_examples=3)
# A search for new ones: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("quick")

torch.set_num_threads(1)  # these tensors are too small for two


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    errors = np.geterr()
    yield
    assert np.geterr() == errors
    assert is_grad_enabled()
