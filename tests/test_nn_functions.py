"""The functions of `nn.functional` against PyTorch's: values, first and second derivatives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
import torch
from cases import Choices, dice
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import assert_same, exchanged, here, in_torch
from torch.nn import functional as theirs

from tinytorch import Tensor, manual_seed, nn
from tinytorch.nn import functional as ours

Arguments = tuple[list[Any], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What a function is called with: variables, which are differentiated, and options.

    PyTorch may have no second derivative. `there` stands in for what it computes less exactly.
    """

    name: str
    arguments: Callable[[Choices], Arguments]
    twice: bool = True
    there: Callable[..., Any] | None = None
    here: Callable[..., Any] | None = None

    def draw(self, choices: Choices) -> Arguments:
        # NumPy makes numbers of arrays of no axes.
        variables, options = self.arguments(choices)
        return exchanged((variables, options), in_array)

    def ours(self, options: dict[str, Any]) -> Callable[..., Any]:
        return lambda *xs: (self.here or getattr(ours, self.name))(*xs, **options)

    def theirs(self, options: dict[str, Any]) -> Callable[..., Any]:
        def plain(x: Any) -> Any:
            return torch.tensor(x) if isinstance(x, np.ndarray) else x

        function = self.there or getattr(theirs, self.name)
        return lambda *xs: function(*xs, **exchanged(options, plain))


def in_array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, np.generic) else x


def reduction(c: Choices) -> dict[str, Any]:
    return {"reduction": c.one_of("mean", "sum", "none")}


def some(c: Choices, **options: Any) -> dict[str, Any]:
    """Give some of the options, drawn from their values; the others are the defaults."""
    return {name: c.one_of(*values) for name, values in options.items() if c.integer(0, 1)}


def fresh(c: Choices, shape: tuple[int, ...], low: float = -2, high: float = 2) -> Any:
    """Draw numbers without ties."""
    return np.random.default_rng(c.integer(0, 999)).uniform(low, high, shape)


def labels(c: Choices, shape: tuple[int, ...], n: int) -> Any:
    return np.random.default_rng(c.integer(0, 999)).integers(0, n, shape)


def signs(c: Choices, shape: tuple[int, ...]) -> Any:
    return labels(c, shape, 2) * 2.0 - 1


def activation(
    name: str, *, dim: bool = False, ties: bool = True, there: Any = None, **options: Any
) -> Case:
    # At a tie, where two formulas meet, PyTorch's second derivatives are those of either.
    def arguments(c: Choices) -> Arguments:
        x = c.array(1 if dim else 0, ties=ties)
        axis = {"dim": c.axis(x)} if dim else {}
        return [x * 3 if c.integer(0, 1) else x], {**some(c, **options), **axis}

    return Case(name, arguments, there=there)


def threshold(c: Choices) -> Arguments:
    return [c.array()], {"threshold": c.one_of(0.0, 1.0), "value": c.one_of(-2.0, 5)}


def prelu(c: Choices) -> Arguments:
    x = c.array(1, smallest=1, ties=False)
    channels = x.shape[min(x.ndim - 1, 1)] if x.ndim > 1 else 1
    return [x, c.filled((c.one_of(1, channels),), ties=False)], {}


def glu(c: Choices) -> Arguments:
    x = c.array(1)
    axis = c.axis(x)
    return [np.concatenate([x, x + 1], axis)], {"dim": axis}


ACTIVATIONS = [
    activation("relu", inplace=[False]),
    activation("relu6"),
    activation("leaky_relu", negative_slope=[0.2]),
    activation("elu", ties=False, alpha=[0.5]),
    activation("selu", ties=False),
    activation("celu", ties=False, alpha=[0.5, 2.0]),
    activation("gelu", approximate=["none", "tanh"]),
    activation("silu"),
    activation("mish"),
    activation("sigmoid"),
    activation("tanh"),
    activation("logsigmoid"),
    activation("softplus", ties=False, beta=[2.0, 0.5], threshold=[3.0]),
    activation("softsign"),
    activation("hardtanh", min_val=[-0.5, -2.0], max_val=[0.5, 2.0]),
    activation(
        "hardsigmoid", there=lambda x: theirs.relu6(x + 3) / 6
    ),  # PyTorch's 1/6 is float32's
    activation("hardswish", ties=False),
    activation("hardshrink", lambd=[1.0, 0.3]),
    activation("softshrink", lambd=[1.0, 0.3]),
    activation("tanhshrink"),
    activation("rrelu", lower=[0.1], upper=[0.5]),
    activation("softmax", dim=True),
    activation("softmin", dim=True),
    activation("log_softmax", dim=True),
    Case("threshold", threshold),
    Case("prelu", prelu),
    Case("glu", glu),
]


# --- losses ---------------------------------------------------------------------------------------


def pair(
    low: float = -2, high: float = 2, *, ties: bool = False, weighted: bool = False, **options: Any
) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        shape = c.shape(smallest=1)
        x, y = fresh(c, shape), fresh(c, shape, low, high)
        if ties and c.integer(0, 1):
            y = y.round()
            x = y + c.one_of(-1, 0, 1)
        weights = {"weight": fresh(c, shape, 0.5)} if weighted and c.integer(0, 1) else {}
        return [x, y], {**reduction(c), **some(c, **options), **weights}

    return arguments


def divergence(c: Choices) -> Arguments:
    shape = c.shape(1, smallest=1)
    log_target = bool(c.integer(0, 1))
    how = c.one_of("sum", "none", "batchmean")
    y = fresh(c, shape) if log_target else fresh(c, shape, 0.1, 1)
    return [fresh(c, shape), y], {"reduction": how, "log_target": log_target}


def poisson(c: Choices) -> Arguments:
    shape = c.shape(smallest=1)
    log_input = bool(c.integer(0, 1))
    x = fresh(c, shape) if log_input else fresh(c, shape, 0.1, 2)
    return [x, fresh(c, shape, 0.1, 4)], {
        "log_input": log_input, **some(c, full=[True], eps=[0.1]), **reduction(c)
    }  # fmt: skip


def gaussian(c: Choices) -> Arguments:
    shape = c.shape(1, smallest=2)
    var = fresh(c, c.one_of(shape, (*shape[:-1], 1), shape[:-1]), 0.01, 2)
    return [fresh(c, shape), fresh(c, shape), var], {
        **some(c, full=[True], eps=[0.5]), **reduction(c)
    }  # fmt: skip


def scores(c: Choices) -> tuple[Any, tuple[int, ...], int]:
    """Draw the scores of n classes: (C,), (N, C), (N, C, d), ...; and the shape of labels."""
    x = fresh(c, c.one_of((4,), (3, 4), (1, 2), (2, 4, 3), (2, 3, 2, 2)))
    axis = min(x.ndim - 1, 1)
    return x, x.shape[:axis] + x.shape[axis + 1 :], x.shape[axis]


def of_labels(smoothing: bool) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        x, shape, n = scores(c)
        y = labels(c, shape, n)
        options = reduction(c)
        if c.integer(0, 1):
            options["weight"] = fresh(c, (n,), 0.5, 2)
        if c.integer(0, 1) and y.size > 1:
            ignored = c.one_of(-100, 1)
            y.flat[0], y.flat[1] = ignored, 0
            options["ignore_index"] = ignored
        if smoothing:
            options.update(some(c, label_smoothing=[0.1, 0.5]))
        return [x], {"target": y, **options}

    return arguments


def of_probabilities(c: Choices) -> Arguments:
    x, _, n = scores(c)
    weight = {"weight": fresh(c, (n,), 0.5, 2)} if c.integer(0, 1) else {}
    p = fresh(c, x.shape, 0.1, 1)
    return [x, p], {**reduction(c), **weight, **some(c, label_smoothing=[0.1])}


def binary(c: Choices, logits: bool) -> Arguments:
    shape = c.shape(1, smallest=1)
    x = fresh(c, shape, -3, 3) if logits else fresh(c, shape, 0.1, 0.9)
    options = reduction(c)
    if c.integer(0, 1):
        options["weight"] = fresh(c, c.one_of(shape, shape[-1:]), 0.5, 2)
    if logits and c.integer(0, 1):
        options["pos_weight"] = fresh(c, shape[-1:], 0.5, 2)
    return [x, fresh(c, shape, 0, 1)], options


def exact_of_probabilities(p: Any, y: Any, weight: Any = 1.0, reduction: str = "mean") -> Any:
    """Give PyTorch's binary cross-entropy, whose second derivative adds 1e-12 to a denominator."""
    loss = -weight * (y * p.log() + (1 - y) * torch.log1p(-p))
    return loss if reduction == "none" else getattr(loss, reduction)()


def signed(c: Choices, **options: Any) -> Arguments:
    x = fresh(c, c.shape(smallest=1))
    return [x], {"target": signs(c, x.shape), **reduction(c), **some(c, **options)}


def ranking(c: Choices) -> Arguments:
    shape = c.shape(smallest=1)
    return [fresh(c, shape), fresh(c, shape)], {
        "target": signs(c, shape), **reduction(c), **some(c, margin=[0.5])
    }  # fmt: skip


def multi_margin(c: Choices) -> Arguments:
    x = fresh(c, c.one_of((4,), (3, 4), (1, 2)))
    weight = {"weight": fresh(c, x.shape[-1:], 0.5, 2)} if c.integer(0, 1) else {}
    options = some(c, p=[2], margin=[0.5, 2.0])
    return [x], {
        "target": labels(c, x.shape[:-1], x.shape[-1]),
        **reduction(c),
        **options,
        **weight,
    }


def multilabel_margin(c: Choices) -> Arguments:
    x = fresh(c, c.one_of((4,), (3, 4), (2, 1)))
    rng = np.random.default_rng(c.integer(0, 999))
    y = np.argsort(rng.uniform(size=x.shape), axis=-1)
    y[np.arange(x.shape[-1]) >= rng.integers(0, x.shape[-1] + 1, (*x.shape[:-1], 1))] = -1
    return [x], {"target": y, **reduction(c)}


def multilabel_soft_margin(c: Choices) -> Arguments:
    x = fresh(c, c.shape(1, smallest=1))
    weight = {"weight": fresh(c, x.shape[-1:], 0.5, 2)} if c.integer(0, 1) else {}
    return [x, fresh(c, x.shape, 0, 1)], {**reduction(c), **weight}


def triplet(c: Choices) -> Arguments:
    shape = c.one_of((4,), (3, 4), (2, 3, 2))
    return [fresh(c, shape) for _ in range(3)], {
        **reduction(c), **some(c, margin=[0.3, 3.0], p=[1.0, 3.0], eps=[0.1], swap=[True])
    }  # fmt: skip


def triplet_with_distance(c: Choices) -> Arguments:
    variables, options = triplet(c)
    options = {k: v for k, v in options.items() if k not in ("p", "eps")}
    return variables, {
        **options,
        **some(c, distance_function=[lambda x, y: ((x - y) ** 2).sum(-1)]),
    }


def cosine_embedding(c: Choices) -> Arguments:
    shape = c.one_of((4,), (3, 4))
    options = {"target": signs(c, shape[:-1]), **reduction(c), **some(c, margin=[0.3])}
    return [fresh(c, shape), fresh(c, shape)], options


def ctc(c: Choices) -> Arguments:
    n = c.integer(1, 3)
    lengths = np.array([c.integer(0, 2) for _ in range(n)])
    targets = labels(c, (n, 2), 3)
    blank = c.one_of(0, 3)
    targets += blank == 0
    if c.integer(0, 1):
        targets = targets[np.arange(2) < lengths[:, None]]
    times = np.array([c.integer(4, 5) for _ in range(n)])
    x = fresh(c, (5, n, 4))
    return [x], {
        "targets": targets, "input_lengths": times, "target_lengths": lengths, "blank": blank,
        **reduction(c),
    }  # fmt: skip


LOSSES = [
    Case("mse_loss", pair(weighted=True, ties=True)),
    Case("l1_loss", pair(weighted=True, ties=True)),
    Case("huber_loss", pair(weighted=True, delta=[0.5, 2.0])),
    Case("smooth_l1_loss", pair(beta=[0.0, 0.5, 2.0])),
    Case("kl_div", divergence),
    Case("poisson_nll_loss", poisson),
    Case("gaussian_nll_loss", gaussian),
    Case("cross_entropy", of_labels(smoothing=True)),
    Case("cross_entropy", of_probabilities),
    Case("nll_loss", of_labels(smoothing=False)),
    Case("binary_cross_entropy", lambda c: binary(c, logits=False), there=exact_of_probabilities),
    Case("binary_cross_entropy_with_logits", lambda c: binary(c, logits=True)),
    Case("soft_margin_loss", signed),
    Case("hinge_embedding_loss", lambda c: signed(c, margin=[0.5])),
    Case("margin_ranking_loss", ranking),
    Case("multi_margin_loss", multi_margin, twice=False),
    Case("multilabel_margin_loss", multilabel_margin, twice=False),
    Case("multilabel_soft_margin_loss", multilabel_soft_margin),
    Case("triplet_margin_loss", triplet),
    Case("triplet_margin_with_distance_loss", triplet_with_distance),
    Case("cosine_embedding_loss", cosine_embedding),
]


# --- distances, linear maps, normalisation, embeddings --------------------------------------------


def similarity(c: Choices) -> Arguments:
    x = fresh(c, c.shape(1, smallest=2))
    dim = c.axis(x)
    return [x, fresh(c, x.shape)], {"dim": dim, **some(c, eps=[0.1, 3.0])}


def distance(c: Choices) -> Arguments:
    shape = c.shape(1, smallest=1)
    options = some(c, p=[1.0, 3.0, np.inf], eps=[0.1], keepdim=[True])
    return [fresh(c, shape), fresh(c, shape) + 5], options


def distances(c: Choices) -> Arguments:
    x = c.filled((c.integer(2, 4), c.integer(1, 3)), ties=False)
    return [x], some(c, p=[1.0, 3.0])


def normalizing(c: Choices) -> Arguments:
    x = c.filled(c.shape(1, smallest=1), ties=False)
    return [x], {"dim": c.axis(x), **some(c, p=[1.0, 3.0], eps=[3.0])}


def linear(c: Choices) -> Arguments:
    n, m = c.integer(1, 3), c.integer(1, 3)
    x = fresh(c, (*c.shape(0, 2), n))
    return [x, fresh(c, (m, n)), *([fresh(c, (m,))] if c.integer(0, 1) else [])], {}


def bilinear(c: Choices) -> Arguments:
    n, m, k = (c.integer(1, 3) for _ in range(3))
    rows = c.shape(1, 2, smallest=1)
    x, y = fresh(c, (*rows, n)), fresh(c, (*rows, m))
    return [x, y, fresh(c, (k, n, m)), *([fresh(c, (k,))] if c.integer(0, 1) else [])], {}


def scaled(c: Choices, sizes: tuple[int, ...]) -> list[Any]:
    """Draw weights and biases, or neither."""
    return [fresh(c, sizes), fresh(c, sizes)] if c.integer(0, 1) else []


def by_last_axes(bias: bool) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        sizes = c.one_of((3,), (2, 3), (4,))
        x = fresh(c, (*c.shape(0, 2, smallest=1), *sizes))
        wb = scaled(c, sizes)
        if not bias:
            wb = wb[:1]
        return [x, sizes, *wb], some(c, eps=[0.1])

    return arguments


def groups(c: Choices) -> Arguments:
    n, each = c.integer(1, 2), c.integer(1, 2)
    x = fresh(c, (c.integer(1, 2), n * each, *c.shape(1, 2, smallest=2)))
    return [x, n, *scaled(c, (n * each,))], some(c, eps=[0.1])


def running(function: Callable[..., Any], as_tensor: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of PyTorch's or ours give the running statistics, which it changes, too."""

    def with_statistics(x: Any, *weights: Any, mean: Any, var: Any, **options: Any) -> Any:
        mean, var = as_tensor(mean + 0), as_tensor(var + 0)
        return [function(x, mean, var, *weights, **options), mean * 1, var * 1]

    return with_statistics


def constant(x: Any) -> Tensor:
    return Tensor(x, requires_grad=False)


def by_channel(spatial: int, option: str) -> Callable[[Choices], Arguments]:
    def arguments(c: Choices) -> Arguments:
        n = c.integer(1, 3)
        x = fresh(c, (c.integer(2, 3), n, *c.shape(spatial, 3, smallest=2)))
        options = {"mean": fresh(c, (n,)), "var": fresh(c, (n,), 0.5, 2)}
        options |= {option: bool(c.integer(0, 1)), **some(c, eps=[0.1], momentum=[0.3])}
        return [x, *scaled(c, (n,))], options

    return arguments


def neighbours(c: Choices) -> Arguments:
    x = fresh(c, (2, c.integer(1, 4), *c.shape(1, 3, smallest=1)))
    return [x], {"size": c.integer(1, 4), **some(c, alpha=[0.5], beta=[0.5], k=[2.0])}


def lookup(c: Choices) -> Arguments:
    weight = fresh(c, (4, 3))
    numbers = labels(c, c.shape(0, 2, smallest=1), 4)  # PyTorch has no second derivative of none
    options = some(c, padding_idx=[0, -1])
    return [numbers, weight], options


OTHERS = [
    Case("cosine_similarity", similarity),
    Case("pairwise_distance", distance),
    Case("pdist", distances, twice=False),
    Case("normalize", normalizing),
    Case("linear", linear),
    Case("bilinear", bilinear),
    Case("layer_norm", by_last_axes(bias=True)),
    Case("rms_norm", by_last_axes(bias=False)),
    Case("group_norm", groups),
    Case("local_response_norm", neighbours),
    *[
        Case(
            name,
            by_channel(spatial, option),
            there=running(getattr(theirs, name), torch.as_tensor),
            here=running(getattr(ours, name), constant),
        )
        for name, spatial, option in (
            ("batch_norm", 0, "training"),
            ("instance_norm", 1, "use_input_stats"),
        )
    ],
    Case("embedding", lookup),
]
CASES = [*ACTIVATIONS, *LOSSES, *OTHERS]


def compare(case: Case, choices: Choices, dtype: Any, rtol: float) -> None:
    variables, options = case.draw(choices)
    if dtype != np.float64:  # the same numbers for both
        variables = exchanged(
            variables,
            lambda x: (
                x.astype(dtype).astype(float)
                if isinstance(x, np.ndarray) and x.dtype.kind == "f"
                else x
            ),
        )
    actual = here(case.ours(options), variables, dtype)
    expected = in_torch(case.theirs(options), variables, twice=case.twice)
    if not case.twice:
        actual = actual._replace(second=[])
    assert_same(actual, expected, rtol)
    assert actual.values[0].dtype == dtype


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(data=st.data())
def test_as_pytorch(case: Case, data: st.DataObject) -> None:
    compare(case, Choices(lambda low, high: data.draw(st.integers(low, high))), np.float64, 1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_single_precision(case: Case) -> None:
    for seed in range(3):
        compare(case, dice(seed), np.float32, 2e-4)


@pytest.mark.parametrize("scale_grad_by_freq", [False, True])
@pytest.mark.parametrize("padding_idx", [None, 1, -1])
@pytest.mark.parametrize("numbers", [[[0, 2, 2], [3, 1, 1]], [[], []]], ids=["several", "none"])
def test_rows_that_are_looked_up_several_times_or_never(
    scale_grad_by_freq: bool, padding_idx: int | None, numbers: Any
) -> None:
    options = {"scale_grad_by_freq": scale_grad_by_freq, "padding_idx": padding_idx}
    variables = [np.array(numbers, int), np.arange(12.0).reshape(4, 3)]
    # PyTorch's second derivative forgets the scale, and fails for none.
    twice = not scale_grad_by_freq and numbers != [[], []]
    case = Case("embedding", lambda _: (variables, options), twice=twice)
    compare(case, dice(0), np.float64, 1e-15)


def test_prelu_of_few_axes() -> None:
    x, weight = Tensor([-1.0, 2.0, -3.0]), Tensor([0.1, 0.2, 0.3])
    y = ours.prelu(x, weight)  # whose only axis is that of the channels
    y.backward()
    assert_allclose(y.data, [-0.1, 2.0, -0.9], rtol=1e-15)
    assert_allclose(x.grad, [0.1, 1.0, 0.3])
    assert_allclose(weight.grad, [-1.0, 0.0, -3.0])
    number, slope = Tensor(-2.0), Tensor([0.25])
    y = ours.prelu(number, slope)
    y.backward()
    assert (y.shape, y.item(), float(number.grad), slope.grad.tolist()) == ((), -0.5, 0.25, [-2])


@given(data=st.data())
def test_ctc_loss_is_pytorchs(data: st.DataObject) -> None:
    # PyTorch's gradient is only right behind log_softmax, and has no second one.
    (x,), options = ctc(Choices(lambda low, high: data.draw(st.integers(low, high))))
    case = Case("ctc_loss", ctc)
    actual = here(lambda x: case.ours(options)(x.log_softmax(2)), [x])
    expected = in_torch(lambda x: case.theirs(options)(x.log_softmax(2)), [x], twice=False)
    assert_same(actual._replace(second=[]), expected, 1e-10)


def test_a_target_that_does_not_fit_into_the_times_is_impossible() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 3))).log_softmax(1)
    arguments = (np.array([1, 1]), np.array(2), np.array(2))  # 1, blank, 1: three times
    assert ours.ctc_loss(x, *arguments).item() == np.inf
    loss = ours.ctc_loss(x, *arguments, zero_infinity=True)
    assert loss.item() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_hold_at_the_ends(dtype: Any) -> None:
    x = Tensor([-1e4, -80, -1, 0, 1, 80, 1e4], dtype=dtype)
    p = Tensor([0, 0, 0.5, 1, 1], dtype=dtype)
    for y in (np.zeros(7), np.ones(7)):
        case = Case("binary_cross_entropy_with_logits", lambda c: ([], {}))
        actual = here(case.ours({"target": y}), [x.data], dtype)
        assert_same(actual, in_torch(case.theirs({"target": y}), [x.data]), 1e-6)
    y = np.array([0.0, 1, 0, 0, 1])
    ours.binary_cross_entropy(p, y).backward()
    q = torch.tensor(p.data, requires_grad=True)
    loss = theirs.binary_cross_entropy(q, torch.tensor(y.astype(dtype)))
    loss.backward()
    assert_allclose(ours.binary_cross_entropy(p, y).item(), loss.item(), rtol=1e-6)
    assert q.grad is not None
    assert_allclose(p.grad, q.grad.numpy(), rtol=1e-6)
    scores = Tensor([[1e4, -1e4, 0]], dtype=dtype)
    for label, value in ((0, 0), (1, 2e4), (2, 1e4)):
        loss = ours.cross_entropy(scores, np.array([label]))
        assert loss.item() == value


LOSS_OF_PAIRS = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss"]


@pytest.mark.parametrize(
    "name", [*LOSS_OF_PAIRS, "binary_cross_entropy", "binary_cross_entropy_with_logits"]
)
def test_labels_of_one_axis_do_not_meet_predictions_of_two(name: str) -> None:
    with pytest.raises(ValueError, match=r"shape \(4, 1\), the target \(4,\)"):
        getattr(ours, name)(Tensor(np.full((4, 1), 0.5)), np.ones(4))


@pytest.mark.parametrize("name", LOSS_OF_PAIRS)
def test_a_target_that_broadcasts_is_warned_of(name: str) -> None:
    with pytest.warns(UserWarning, match=r"shape \(4, 1\), the target \(\)"):
        getattr(ours, name)(Tensor(np.full((4, 1), 0.5)), np.ones(()))


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda x: ours.cross_entropy(x, np.array([0, 3])), IndexError, "0 to 2, got 3"),
        (lambda x: ours.cross_entropy(x, np.array([0, -1])), IndexError, "0 to 2, got -1"),
        (lambda x: ours.cross_entropy(x, np.array([0])), ValueError, r"labels of shape \(2,\)"),
        (lambda x: ours.cross_entropy(x, Tensor([0, 1])), TypeError, "plain whole numbers"),
        (lambda x: ours.mse_loss(x, x, reduction="men"), ValueError, "reduction is .*'men'"),
        (lambda x: ours.binary_cross_entropy(x + 2, x), ValueError, "between 0 and 1"),
        (lambda x: ours.embedding(np.array([3]), x), IndexError, "0 to 1, got 3"),
        (lambda x: ours.one_hot(np.array([3]), 2), ValueError, "0 to 1, got 3"),
        (lambda x: ours.embedding_bag(np.array([1]), x), ValueError, "or .n,. and offsets, got"),
        (lambda x: ours.embedding_bag(np.array([1]), x, np.array([1])), ValueError, "begin at 0"),
        (lambda x: ours.embedding_bag(np.array([[1]]), x, mode="no"), ValueError, "got 'no'"),
        (
            lambda x: ours.triplet_margin_with_distance_loss(x, x, x[0]),
            ValueError,
            r"as many axes, got shapes \(2, 3\), \(2, 3\) and \(3,\)",
        ),
        (lambda x: ours.dropout(x, 2), ValueError, "between 0 and 1, got 2"),
        (lambda x: ours.layer_norm(x, 4), ValueError, r"\(\.\.\., 4,\), got \(2, 3\)"),
        (lambda x: ours.group_norm(x, 2), ValueError, "2 groups of channels"),
        (lambda x: ours.batch_norm(x[:1], None, None, training=True), ValueError, "one value"),
    ],
)
def test_mistakes_are_named(mistake: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mistake(Tensor(np.zeros((2, 3))))


DROPOUTS = ["dropout", "dropout1d", "alpha_dropout", "feature_alpha_dropout"]


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_keeps_the_mean_and_leaves_out_what_it_says(name: str) -> None:
    x = Tensor(np.random.default_rng(0).normal(1, 1, (200, 30, 20)))
    function = getattr(ours, name)
    out = function(x, 0.3, training=True, rng=0)
    theirs_out = getattr(theirs, name)(torch.tensor(x.data), 0.3, training=True).numpy()
    assert_allclose(out.data.mean(), theirs_out.mean(), atol=0.1)
    assert_allclose(out.data.std(), theirs_out.std(), atol=0.1)
    assert np.array_equal(function(x, 0.3, training=True, rng=0).data, out.data)
    assert function(x, 0.3, training=False) is x
    manual_seed(5)
    first = function(x, 0.3, training=True).data
    manual_seed(5)
    assert np.array_equal(function(x, 0.3, training=True).data, first)


def test_a_gumbel_draw_is_a_class_by_its_probability() -> None:
    logits = Tensor(np.tile(np.log([0.2, 0.3, 0.5]), (5000, 1)))
    drawn = ours.gumbel_softmax(logits, hard=True, rng=0)
    assert_allclose(drawn.data.mean(axis=0), [0.2, 0.3, 0.5], atol=0.03)
    assert_allclose(drawn.data.max(axis=1), 1)
    assert_allclose(ours.gumbel_softmax(logits, tau=0.5, rng=0).data.sum(axis=1), 1)
    drawn[:, 0].sum().backward()
    assert np.any(logits.grad)


OLD = [
    (place, name)
    for place in ("functional", "modules.loss")
    for name in sorted(vars(attrgetter(place)(torch.nn)))
    if re.search("loss|Loss|entropy", name) and not name.startswith("_")
    for function in [getattr(attrgetter(place)(torch.nn), name)]
    if callable(function) and "size_average" in inspect.signature(function).parameters
    if not hasattr(function, "__deprecated__")  # the class NLLLoss2d
]


@pytest.mark.parametrize(("place", "name"), OLD, ids=[name for _, name in OLD])
def test_old_keywords_of_losses_are_refused(place: str, name: str) -> None:
    theirs_ = getattr(attrgetter(place)(torch.nn), name)
    function = getattr(ours if place == "functional" else nn, name)
    wanted = inspect.signature(theirs_).parameters
    x = Tensor([[0.2, 0.8]])
    inputs = [x for p in wanted.values() if p.default is p.empty]
    for key in ("size_average", "reduce"):
        for value in (True, False, None):
            with pytest.raises(TypeError, match=rf"{name}: got {key}={value}: reduction="):
                function(*inputs, **{key: value})
    places = list(wanted)
    before = [p.default for p in wanted.values()][len(inputs) : places.index("size_average")]
    with pytest.raises(TypeError, match=rf'{name}: got \w+=False: reduction="mean", "sum"'):
        function(*inputs, *before, False)  # by its place


# Deprecated there; arrays that are given to be written in; gradients that are dense here.
LEFT_OUT = {"size_average", "reduce", "_stacklevel", "out", "sparse"}


@pytest.mark.parametrize("name", ours.__all__)
def test_the_arguments_are_pytorchs(name: str) -> None:
    function = getattr(theirs, name)
    try:
        wanted = [p for p in inspect.signature(function).parameters if p not in LEFT_OUT]
    except ValueError:
        wanted = re.findall(r"[(,]\s*([a-z_0-9]+)", (function.__doc__ or "").split("->")[0])
    if wanted != ["args", "kwargs"] and wanted:
        given = [p for p in inspect.signature(getattr(ours, name)).parameters if p != "rng"]
        assert given == wanted
