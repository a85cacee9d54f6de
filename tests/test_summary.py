"""The table of a model's modules, from one pass that leaves the model as it was."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinytorch
from tinytorch import nn


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(4, 6, bias=False),
        nn.BatchNorm1d(6),
        nn.Sequential(nn.Linear(6, 2), nn.Dropout()),
        nn.MLP(2, [(3, nn.Activation.RELU)]),
    )


def test_rows_shapes_parameters_and_memory() -> None:
    model = network()
    model[2].requires_grad_(False)
    table = tinytorch.summary(model, (5, 4))
    assert [tuple(row) for row in table] == [
        ("", "Sequential", (5, 3), 0),
        ("0", "Linear", (5, 6), 24),
        ("1", "BatchNorm1d", (5, 6), 12),
        ("2", "Sequential", (5, 2), 0),
        ("2.0", "Linear", (5, 2), 14),
        ("2.1", "Dropout", (5, 2), 0),
        ("3", "MLP", (5, 3), 0),
        ("3.layers.0", "Layer", (5, 3), 9),
    ]
    assert table.n_parameters == sum(row.n_parameters for row in table) == model.n_parameters
    assert table.n_trained == table.n_parameters - 14
    assert table.parameter_bytes == 8 * (table.n_parameters + 2 * 6 + 1)  # and the statistics
    assert table.output_bytes == 8 * 5 * (6 + 6 + 2 + 2 + 3)
    lines = str(table).splitlines()
    assert lines[3] == "0           Linear       (5, 6)                24"
    assert lines[-2] == "59 parameters, of which 45 are trained"
    assert len({len(line) for line in (lines[1], lines[3])}) == 1


def test_the_model_stays_as_it_was() -> None:
    model = network()
    model[2].eval()
    before, attributes = copy.deepcopy(model.state_dict()), [dict(vars(m)) for m in model.modules()]
    tinytorch.summary(model, (5, 4))
    with pytest.raises(ValueError, match="shape"):
        tinytorch.summary(model, (5, 3))
    assert [dict(vars(m)) for m in model.modules()] == attributes
    for name, values in model.state_dict().items():
        assert_array_equal(
            getattr(values, "data", values), getattr(before[name], "data", before[name])
        )
    assert model.training
    assert not model[2].training
    assert model(np.zeros((5, 4))).requires_grad


def test_several_inputs_outputs_and_calls_of_one_module() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.words = nn.Embedding(9, 3, dtype=np.float32)
            self.unused = self.same = nn.Linear(3, 3, dtype=np.float32)
            self.idle = nn.Linear(3, 1, dtype=np.float32)

        def forward(self, words: Any, x: Any) -> dict[str, Any]:
            assert x.dtype == np.float32
            once = self.same(self.words(words) + x)
            return {"y": self.same(once[:, :1]), "rest": [once]}

    table = nn.summary(Twice(), np.zeros((2, 4), int), (2, 4, 3))
    assert [(row.path, row.output_shape, row.n_parameters) for row in table] == [
        ("", (2, 1, 3), 0),
        ("words", (2, 4, 3), 27),
        ("unused", (2, 4, 3), 12),
        ("idle", None, 4),
    ]
    assert table.n_parameters == 43
    assert table.output_bytes == 4 * (2 * 4 * 3 * 2 + 2 * 3)


def test_large_numbers_are_written_short() -> None:
    text = str(tinytorch.summary(nn.Linear(2000, 1000), (1000, 2000)))
    assert "2,001,000 parameters" in text
    assert re.search(r"^16 MB for them and the buffers, 8 MB for the outputs", text, re.MULTILINE)


def test_without_a_shape_it_says_what_is_wanted() -> None:
    with pytest.raises(TypeError, match=r"summary\(model, \(1, 28, 28\)\)"):
        tinytorch.summary(network())
