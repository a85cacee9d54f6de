"""Optimisers, clipped gradients and averaged weights: fifty steps, beside PyTorch's."""

from __future__ import annotations

import copy
import tracemalloc
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch import Tensor, nn, no_grad, optim
from tinytorch.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    parameters_to_vector,
    vector_to_parameters,
)

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 1))
START = [RNG.normal(size=shape) for shape in ((3, 5), (5,), (5, 1), ())]


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    """Let PyTorch keep its counters, and NAdam's product, in double precision too."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def loss_here(ws: Any) -> Any:
    return (((X @ ws[0] + ws[1]).tanh() @ ws[2] + ws[3] - Y) ** 2).mean()


def loss_there(ws: Any) -> Any:
    return (
        ((torch.tensor(X) @ ws[0] + ws[1]).tanh() @ ws[2] + ws[3] - torch.tensor(Y)) ** 2
    ).mean()


def both() -> tuple[list[Tensor], list[torch.Tensor]]:
    return [Tensor(w) for w in START], [torch.tensor(w, requires_grad=True) for w in START]


def pull(optimizer: Any, loss: Any, ws: Any) -> Any:
    """Give the closure that an optimiser takes."""

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(ws)
        value.backward()
        return value

    return closure


def run(optimizer: Any, loss: Any, ws: Any, steps: int = 50) -> None:
    closure = pull(optimizer, loss, ws)
    for _ in range(steps):
        optimizer.step(closure)


def assert_same(ours: list[Tensor], theirs: list[torch.Tensor]) -> None:
    for x, y in zip(ours, theirs, strict=True):
        assert_allclose(x.data, y.detach().numpy(), rtol=1e-10, atol=1e-10)
    assert not any(np.array_equal(x.data, w) for x, w in zip(ours, START, strict=True))


CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "lr": 0.01}),
    ("RMSprop", {"centered": True, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    ("Adadelta", {"maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.1, "maximize": True}),
    ("LBFGS", {"lr": 0.1}),
    ("LBFGS", {"lr": 0.5, "max_iter": 5, "history_size": 3}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 2}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 6, "lr": 3}),
    ("LBFGS", {"tolerance_grad": 0.2, "max_iter": 3}),
    ("LBFGS", {"tolerance_change": 0.05, "max_iter": 3}),
]
FIRST_ORDER = sorted({name for name, _ in CASES} - {"LBFGS"})


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_fifty_steps_are_pytorchs(name: str, options: dict[str, Any]) -> None:
    ours, theirs = both()
    # L-BFGS goes its way far faster, and where it ends it is told by rounding where to go.
    steps = 4 if name == "LBFGS" else 50
    run(getattr(optim, name)(ours, **options), loss_here, ours, steps)
    run(getattr(torch.optim, name)(theirs, **options), loss_there, theirs, steps)
    assert_same(ours, theirs)


def test_lbfgs_takes_pytorchs_way_on_a_hard_function() -> None:
    """Rosenbrock's: with bent valleys, so that the search along the line has something to do."""

    def rosenbrock(x: Any) -> Any:
        return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()

    start = np.array([-1.2, 1.0, -0.5, 2.0])
    for options in (
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "lr": 0.01},
        {"line_search_fn": "strong_wolfe", "lr": 50.0, "history_size": 2},
        {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 1e-3},
    ):
        x, y = Tensor(start), torch.tensor(start, requires_grad=True)
        ours = optim.LBFGS([x], max_iter=2, **options)
        theirs = torch.optim.LBFGS([y], max_iter=2, **options)
        for _ in range(8):
            losses = [
                optimizer.step(pull(optimizer, lambda ws: rosenbrock(ws[0]), [z])).item()
                for optimizer, z in ((ours, x), (theirs, y))
            ]
            assert_allclose(losses[0], losses[1], rtol=1e-8, atol=1e-10)
            assert_allclose(x.data, y.detach().numpy(), rtol=1e-8, atol=1e-10)
        state = theirs.state[y]
        assert ours.state[x]["func_evals"] == state["func_evals"]
        assert ours.state[x]["n_iter"] == state["n_iter"]
    x = Tensor(start)
    optimizer = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    optimizer.step(pull(optimizer, lambda ws: rosenbrock(ws[0]), [x]))
    assert_allclose(x.data, 1, rtol=1e-4)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad"])
def test_groups_have_options_of_their_own(name: str) -> None:
    ours, theirs = both()
    for module, ws, loss in ((optim, ours, loss_here), (torch.optim, theirs, loss_there)):
        groups = [
            {"params": ws[:1], "lr": 0.05},
            {"params": (w for w in ws[1:3]), "weight_decay": 0.1},
        ]
        optimizer = getattr(module, name)(groups, lr=0.01)
        run(optimizer, loss, ws, 3)
        optimizer.add_param_group({"params": ws[3], "lr": 0.2})
        optimizer.param_groups[1]["lr"] = 0.02
        run(optimizer, loss, ws, 20)
    assert_same(ours, theirs)


def test_whatever_gives_parameters_will_do() -> None:
    model = nn.MLP(2, [(3, nn.Activation.TANH)], rng=0)
    for params in (
        model.parameters,
        model.parameters(),
        iter(model.parameters),
        tuple(model.parameters),
        lambda: model.parameters,
        [{"params": model.parameters}],
        [{"params": model.parameters()}],
    ):
        assert optim.SGD(params).param_groups[0]["params"] == list(model.parameters)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_step_is_in_place_and_in_the_dtype(name: str) -> None:
    for dtype in (np.float32, np.float64):
        for start in (np.ones((3, 2)), np.ones(())):
            x = Tensor(start, dtype=dtype)
            array = x.data
            optimizer = getattr(optim, name)([x])
            for _ in range(3):
                x.grad = start
                optimizer.step()
            assert x.data is array
            assert array.dtype == dtype
            assert (array < 1).all()
            for value in optimizer.state[x].values():
                assert type(value) is float or (value.dtype, value.shape) == (dtype, x.shape)
            assert_array_equal(x.grad, start)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_step_makes_no_array_larger_than_the_parameter(name: str) -> None:
    x = Tensor(np.ones(100_000), requires_grad=True)
    optimizer = getattr(optim, name)([x], weight_decay=0.1)
    x.grad = np.ones(100_000)
    optimizer.step()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    optimizer.step()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 5.1 * x.data.nbytes
    assert after - before < x.data.nbytes / 10  # threads of other tests may be alive


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_what_got_no_gradient_stays(name: str) -> None:
    used, unused = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    optimizer = getattr(optim, name)([used, unused], weight_decay=0.1)
    (used**2).sum().backward()
    optimizer.step()
    assert_array_equal(unused.data, [3, 4])
    assert list(optimizer.state) == [used]
    assert (used.data < [1, 2]).all()
    optimizer.zero_grad()
    assert used._grad is None
    optimizer.zero_grad(set_to_none=False)
    assert_array_equal(used._grad, [0, 0])


@pytest.mark.parametrize(
    ("name", "options"), [case for case in CASES if case[0] != "LBFGS"], ids=str
)
def test_what_gets_no_gradient_any_more_stays(name: str, options: dict[str, Any]) -> None:
    """Momentum and weight decay move nothing, either, that the last pass has not reached."""
    ours, theirs = both()
    for library, loss, ws in ((optim, loss_here, ours), (torch.optim, loss_there, theirs)):
        optimizer = getattr(library, name)(ws, **{"weight_decay": 0.1, **options})
        run(optimizer, loss, ws, 3)
        before = [w.detach().numpy().copy() for w in ws]
        optimizer.zero_grad()
        (ws[0] ** 2).sum().backward()
        optimizer.step()
        moved = [not np.array_equal(w.detach().numpy(), b) for w, b in zip(ws, before, strict=True)]
        assert moved == [True, False, False, False]


@pytest.mark.parametrize("name", [*FIRST_ORDER, "LBFGS"])
def test_a_step_without_any_gradient_says_so(name: str) -> None:
    def train(forget: str, steps: int = 3) -> list[warnings.WarningMessage]:
        ws = [Tensor(w) for w in START]
        model = nn.ParameterList(ws)
        optimizer = getattr(optim, name)(model.parameters, lr=1e-3)

        def closure() -> Any:
            if forget != "zero_grad":
                optimizer.zero_grad()
                model.zero_grad()
            loss = loss_here(model)
            if forget != "backward":
                loss.backward()
            if forget == "order":
                model.zero_grad()
            return loss

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for _ in range(steps):
                optimizer.step(closure)
        same = [np.array_equal(w.data, start) for w, start in zip(model, START, strict=True)]
        assert same == [forget in ("backward", "order")] * 4
        return caught

    assert not train("nothing")
    assert not train("zero_grad")
    for mistake in ("backward", "order"):
        (warning,) = train(mistake)  # once for the line, which is the user's
        assert "no parameter has a gradient; call loss.backward() first" in str(warning.message)
        assert warning.filename == __file__


def test_zeros_are_a_gradient() -> None:
    x = Tensor([2.0])
    optimizer = optim.SGD([x], lr=0.1, weight_decay=0.5)
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    assert_allclose(x.data, [1.9])


def test_a_closure_gives_the_loss_and_is_recorded() -> None:
    x = Tensor([2.0])
    optimizer = optim.SGD([x], lr=0.25)
    with no_grad():
        loss = optimizer.step(pull(optimizer, lambda ws: (ws[0] ** 2).sum(), [x]))
    assert loss.item() == 4
    assert x.data[0] == 1


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_a_state_goes_on_here_and_in_pytorch(name: str, options: dict[str, Any]) -> None:
    """Three steps in one library, three in the other, are six."""
    ours, theirs = both()
    steps = 2 if name == "LBFGS" else 3
    here = getattr(optim, name)(ours, **options)
    there = getattr(torch.optim, name)(theirs, **options)
    run(here, loss_here, ours, steps)
    run(there, loss_there, theirs, steps)

    state = copy.deepcopy(here.state_dict())
    more = [Tensor(x.data) for x in ours]
    again = getattr(optim, name)(more)
    again.load_state_dict(there.state_dict())
    further = [torch.tensor(x.data, requires_grad=True) for x in ours]
    in_torch = getattr(torch.optim, name)(further)
    for i, kept in state["state"].items():
        for key, value in kept.items():
            if isinstance(value, np.ndarray):
                state["state"][i][key] = torch.tensor(value)
            elif isinstance(value, list):
                kept[key] = [torch.as_tensor(v) for v in value]
            elif key in ("step", "mu_product"):
                kept[key] = torch.tensor(value, dtype=torch.float64)
    in_torch.load_state_dict(state)

    run(there, loss_there, theirs, steps)
    run(again, loss_here, more, steps)
    run(in_torch, loss_there, further, steps)
    for x, y, z in zip(more, theirs, further, strict=True):
        assert_allclose(x.data, y.detach().numpy(), rtol=1e-10, atol=1e-10)
        assert_allclose(z.detach().numpy(), y.detach().numpy(), rtol=1e-10, atol=1e-10)


def test_a_state_is_loaded_whole_or_not_at_all() -> None:
    ours, _ = both()
    optimizer = optim.Adam(ours, lr=0.1)
    run(optimizer, loss_here, ours, 2)
    state = optimizer.state_dict()
    again = optim.Adam([Tensor(x.data) for x in ours])
    again.load_state_dict(state)
    assert again.param_groups[0]["lr"] == 0.1
    assert again.state_dict()["state"][0]["exp_avg"] is not state["state"][0]["exp_avg"]
    with pytest.raises(ValueError, match=r"groups of \[4\] parameters, the optimiser of \[3\]"):
        optim.Adam(ours[:3]).load_state_dict(state)
    with pytest.raises(ValueError, match=r"exp_avg has shape \(3, 5\), for a tensor"):
        optim.Adam(ours[::-1]).load_state_dict(state)


X1 = Tensor([1.0])


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "SGD: there are no parameters"),
        (lambda: optim.SGD(X1), TypeError, "SGD: expected a list of tensors"),
        (lambda: optim.SGD([X1, X1]), ValueError, "comes twice"),
        (lambda: optim.SGD([{"params": [X1]}, {"params": [X1]}]), ValueError, "comes twice"),
        (lambda: optim.SGD([np.ones(2)]), TypeError, "is a Tensor, got an array"),
        (lambda: optim.SGD([X1 * 2]), ValueError, "is computed from others"),
        (lambda: optim.SGD([{"lr": 1}]), TypeError, 'a group is a dict with "params"'),
        (lambda: optim.SGD([X1], lr=-1), ValueError, "SGD: lr is at least 0, got -1"),
        (lambda: optim.SGD([X1], lr=float("nan")), ValueError, "lr is at least 0, got nan"),
        (lambda: optim.SGD([X1], nesterov=True), ValueError, "nesterov needs a momentum"),
        (lambda: optim.Adam([X1], betas=(0.9, 1.0)), ValueError, "betas are two numbers"),
        (lambda: optim.Adadelta([X1], rho=2), ValueError, "rho is from 0 to 1, got 2"),
        (lambda: optim.LBFGS([X1]).step(), TypeError, "needs a closure"),
        (lambda: optim.LBFGS([X1], line_search_fn="wolfe"), ValueError, "'strong_wolfe' or None"),
        (
            lambda: optim.LBFGS([{"params": [X1]}, {"params": [Tensor(1.0)]}]),
            ValueError,
            "one group",
        ),
        (lambda: optim.swa_utils.get_ema_avg_fn(2), ValueError, "decay is from 0 to 1"),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake()


def test_an_optimizer_of_ones_own_says_how_a_parameter_changes() -> None:
    class Sign(optim.Optimizer):
        def update(self, x: Any, g: Any, state: Any, group: Any) -> None:  # noqa: ARG002
            x -= group["lr"] * np.sign(g)

    x = Tensor([1.0, -1.0])
    optimizer = Sign([x], {"lr": 0.5})
    (x**2).sum().backward()
    optimizer.step()
    assert_array_equal(x.data, [0.5, -0.5])
    assert "group 0: 1 parameters, lr=0.5" in repr(optimizer)
    with pytest.raises(NotImplementedError, match="no method `update`"):
        optim.Optimizer([x], {}).step()


# --- clipping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.1, 1e6])
def test_gradients_are_clipped_as_in_pytorch(norm_type: float, max_norm: float) -> None:
    ours, theirs = both()
    loss_here(ours).backward()
    loss_there(theirs).backward()
    arrays = [x.grad for x in ours]
    unused = Tensor(1.0)
    norm = clip_grad_norm_([*ours, unused], max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert_allclose(norm.item(), expected.item(), rtol=1e-12)
    for x, array, y in zip(ours, arrays, theirs, strict=True):
        assert x.grad is array
        assert_allclose(x.grad, y.grad.numpy(), rtol=1e-12)
    assert unused._grad is None
    clip_grad_value_(iter(ours), 0.02)
    torch.nn.utils.clip_grad_value_(theirs, 0.02)
    for x, y in zip(ours, theirs, strict=True):
        assert_allclose(x.grad, y.grad.numpy(), rtol=1e-12)


def test_clipping_keeps_the_dtype_and_says_what_cannot_be_clipped() -> None:
    x = Tensor([3.0, 4.0], dtype=np.float32)
    assert clip_grad_norm_(x, 1.0).item() == 0
    x.grad = [3.0, 4.0]
    assert clip_grad_norm_(x, 1.0).dtype == np.float32
    assert_allclose(x.grad, [0.6, 0.8], rtol=1e-6)
    assert x.grad.dtype == np.float32
    x.grad = [np.inf, 1.0]
    with pytest.raises(RuntimeError, match="the norm of the gradients is inf"):
        clip_grad_norm_(lambda: [x], 1.0, error_if_nonfinite=True)


def test_parameters_become_a_vector_and_back() -> None:
    ours, theirs = both()
    vector = parameters_to_vector(ours)
    assert_array_equal(vector.data, torch.nn.utils.parameters_to_vector(theirs).detach().numpy())
    vector_to_parameters(vector * 2, ours)
    assert_array_equal(ours[0].data, 2 * START[0])


# --- averages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [None, 0.9])
def test_averages_are_pytorchs(decay: float | None) -> None:
    there = torch.optim.swa_utils
    model = nn.Linear(3, 2, dtype=np.float64)
    theirs = torch.nn.Linear(3, 2, dtype=torch.float64)
    averages = (
        optim.swa_utils.AveragedModel(model, decay and optim.swa_utils.get_ema_avg_fn(decay)),
        there.AveragedModel(theirs, avg_fn=decay and there.get_ema_avg_fn(decay)),
    )
    for _ in range(5):
        weight, bias = RNG.normal(size=(2, 3)), RNG.normal(size=2)
        model.load_state_dict({"weight": weight, "bias": bias})
        theirs.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        for average, m in zip(averages, (model, theirs), strict=True):
            average.update_parameters(m)
        ours = averages[0].state_dict()
        assert set(ours) == {"n_averaged", "module.weight", "module.bias"}
        for name, value in averages[1].state_dict().items():
            assert_allclose(np.asarray(getattr(ours[name], "data", ours[name])), value.numpy())
    x = RNG.normal(size=(4, 3))
    assert_allclose(
        averages[0](Tensor(x)).data, averages[1](torch.tensor(x)).detach().numpy(), rtol=1e-10
    )
