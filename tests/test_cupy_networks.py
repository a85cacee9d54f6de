"""Networks on a GPU: modules, losses, optimisers and whole programs, as on the CPU."""

from __future__ import annotations

import copy
import runpy
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_nn_functions
import test_nn_modules
import test_nn_windows
import test_nn_windows_modules
import test_optim
from cases import dice
from gpu import assert_same, cupy, installed, transferring, uploaded  # noqa: F401
from reference import exchanged, leaves, weights

import tinytorch
from tinytorch import Tensor, nn, optim


def differentiated(function: Callable[..., Any], xs: list[Tensor], make: Any) -> list[Any]:
    """Give the outputs of a function, and the gradients of `xs`."""
    outputs = list(leaves(function()))
    tensors = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
    for y, w in zip(tensors, weights([y.shape for y in tensors], 1), strict=True):
        y.backward(make(w.astype(y.dtype)))
    return [getattr(y, "_value", y) for y in outputs], [x.grad for x in xs]


# --- functions ------------------------------------------------------------------------------------

FUNCTIONS = [*test_nn_functions.CASES, *test_nn_windows.CASES]


def call(case: Any, seed: int, make: Callable[[Any], Any]) -> Any:
    variables, options = case.draw(dice(seed))
    xs: list[Tensor] = []

    def change(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        if x.dtype.kind != "f":
            return make(x)
        xs.append(Tensor(make(x)))
        return xs[-1]

    variables = exchanged(variables, change)
    options = exchanged(options, lambda x: make(x) if isinstance(x, np.ndarray) else x)
    return differentiated(lambda: case.ours(options)(*variables), xs, make)


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_a_function_gives_numpys_values_and_gradients(case: Any) -> None:
    for seed in range(2):
        here = call(case, seed, np.asarray)
        with transferring(0):
            there = call(case, seed, cupy.asarray)
        for ours, theirs in zip(there, here, strict=True):
            assert_same(ours, theirs)


# --- modules --------------------------------------------------------------------------------------

MORE: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("LayerNorm", {"normalized_shape": 6}, [test_nn_modules.X]),
    ("RMSNorm", {"normalized_shape": 6}, [test_nn_modules.X]),
    ("GroupNorm", {"num_groups": 2, "num_channels": 4}, [test_nn_modules.IMAGES]),
    *[
        (name, {"input_size": 3, "hidden_size": 4, "num_layers": 2}, [np.ones((5, 2, 3))])
        for name in ("RNN", "LSTM", "GRU")
    ],
    *[(name, {"input_size": 3, "hidden_size": 4}, [np.ones((2, 3))]) for name in
      ("RNNCell", "LSTMCell", "GRUCell")],
    ("MultiheadAttention", {"embed_dim": 6, "num_heads": 2}, [np.ones((3, 2, 6))] * 3),
    (
        "TransformerEncoderLayer",
        {"d_model": 6, "nhead": 2, "dim_feedforward": 8, "dropout": 0.0},
        [np.ones((3, 2, 6))],
    ),
    (
        "TransformerDecoderLayer",
        {"d_model": 6, "nhead": 2, "dim_feedforward": 8, "dropout": 0.0},
        [np.ones((3, 2, 6))] * 2,
    ),
    (
        "MLP",
        {"n_input": 6, "layers": [(4, nn.Activation.TANH), (1, nn.Activation.SIGMOID)]},
        [test_nn_modules.X],
    ),
]  # fmt: skip
# Numbers decide their shapes, which the host has to know.
SIZED_BY_VALUES = {"EmbeddingBag", "CTCLoss"}
MODULES = [*test_nn_modules.MODULES, *test_nn_windows_modules.MODULES, *MORE]


@pytest.mark.parametrize(("name", "options", "inputs"), MODULES, ids=[m[0] for m in MODULES])
def test_a_module_gives_numpys_values_and_gradients(
    name: str, options: dict[str, Any], inputs: list[Any]
) -> None:
    model = getattr(nn, name)(**options)
    twin = copy.deepcopy(model).to("cuda")
    assert all(x.is_cuda for x in twin.parameters)
    given = uploaded(inputs)
    for training in (True, False):
        model.train(training), twin.train(training)
        here = differentiated(lambda: model(*inputs), model.parameters, np.asarray)
        with nullcontext() if name in SIZED_BY_VALUES else transferring(0):
            there = differentiated(lambda: twin(*given), twin.parameters, cupy.asarray)
        for ours, theirs in zip(there, here, strict=True):
            assert_same(ours, theirs)
    for ours, theirs in zip(twin.buffers(), model.buffers(), strict=True):
        assert_same([getattr(ours, "_value", ours)], [getattr(theirs, "_value", theirs)])
    back = twin.cpu()
    assert all(type(x.data) is type(x.grad) is np.ndarray for x in back.parameters)


# --- optimisers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), test_optim.CASES, ids=str)
def test_an_optimiser_takes_numpys_steps(name: str, options: dict[str, Any]) -> None:
    x, y = uploaded([test_optim.X, test_optim.Y])

    def loss_there(ws: Any) -> Any:
        return (((x @ ws[0] + ws[1]).tanh() @ ws[2] + ws[3] - y) ** 2).mean()

    here = [Tensor(w) for w in test_optim.START]
    there = [Tensor(cupy.asarray(w)) for w in test_optim.START]
    steps = 4 if name == "LBFGS" else 10
    test_optim.run(getattr(optim, name)(here, **options), test_optim.loss_here, here, steps)
    optimizer = getattr(optim, name)(there, **options)
    if name == "LBFGS":  # whose steps are decided by numbers
        test_optim.run(optimizer, loss_there, there, steps)
    else:
        with transferring(0):
            test_optim.run(optimizer, loss_there, there, steps)
    assert_same([w.data for w in there], [w.data for w in here])


# --- the benchmark --------------------------------------------------------------------------------

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
RACES = runpy.run_path(str(SCRIPT))["RACES"]


@pytest.mark.parametrize("race", RACES.values(), ids=RACES)
def test_a_step_of_the_benchmark_transfers_nothing(race: Any) -> None:
    step = race.function(tinytorch, "cuda", *race.small)
    first = step().item()
    with transferring(0):
        loss = step()
    assert loss.is_cuda
    assert np.isfinite(first)
    compiled = tinytorch.compile(race.function(tinytorch, "cuda", *race.small))
    for i in range(6):
        with transferring(0) if i > 3 else nullcontext():
            loss = compiled()
    assert loss.is_cuda
    assert np.isfinite(loss.item())
    here = race.function(tinytorch, "cpu", *race.small)
    assert np.isfinite(here().item())
