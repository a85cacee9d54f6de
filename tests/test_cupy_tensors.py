"""Tensors on a GPU: what goes there and comes back, what they tell, and what is refused."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gpu import IS_REAL, assert_same, cupy, installed, transferring  # noqa: F401
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import (
    Tensor,
    autograd,
    cuda,
    diagnostics,
    distributions,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    manual_seed,
    nn,
    no_grad,
    optim,
    value_and_grad,
    vjp,
    vmap,
)
from tinytorch.nn import functional

X = np.random.default_rng(0).normal(size=(5, 3))


def there(x: Any = X) -> Tensor:
    return Tensor(cupy.asarray(x))


# --- there and back -------------------------------------------------------------------------------


def test_a_tensor_stays_where_its_array_is() -> None:
    x = there()
    assert str(x.device) == "cuda:0"
    assert x.is_cuda
    y = (x.exp() + 1).sum(axis=0)
    y.sum().backward()
    for array in (x.data, y.data, x.grad, y.grad, y.detach().data, x.clone().data):
        assert isinstance(array, cupy.ndarray)
    assert isinstance(there().grad, cupy.ndarray)  # zeros
    assert_allclose(x.grad.get(), np.exp(X))
    assert isinstance(x.numpy(), np.ndarray)
    assert_array_equal(x.numpy(), X)
    assert x.tolist() == X.tolist()
    assert x.sum().item() == pytest.approx(X.sum())


def test_a_gradient_comes_back_over_the_way_there() -> None:
    x = Tensor(X)
    for go in (x.cuda, lambda: x.to("cuda"), lambda: x.to(tinytorch.device("cuda:0")),
               lambda: x.cuda(0), lambda: x.to(there())):  # fmt: skip
        x.grad = None
        y = go()
        assert y.is_cuda
        back = (y * y).cpu()
        assert type(back.data) is np.ndarray
        back.sum().backward()
        assert type(x.grad) is np.ndarray
        assert_allclose(x.grad, 2 * X)
    assert x.cpu() is x
    assert y.cuda() is y.to("cuda") is y
    (twice,) = autograd.grad((x.cuda() ** 3).sum(), x, create_graph=True)
    assert_allclose(autograd.grad(twice.sum(), x)[0].data, 6 * X)
    assert y.to(x).device == tinytorch.device("cpu")
    assert x.to("cuda", np.float32).dtype == x.to(device="cuda", dtype=np.float32).dtype == "f4"


@pytest.mark.parametrize("index", range(cupy.cuda.runtime.getDeviceCount()))
def test_a_tensor_goes_to_the_gpu_of_a_number(index: int) -> None:
    name, x = f"cuda:{index}", there()
    for y in (
        x.cuda(index), x.to(name), x.cpu().to(name), tinytorch.zeros(2, device=name),
        tinytorch.tensor(X, device=name), nn.Linear(2, 3).cuda(index).weight,
    ):  # fmt: skip
        assert str(y.device) == name
    with cupy.cuda.Device(index):
        assert str(x.cuda().device) == str(x.cpu().cuda().device) == name


def test_devices_have_names() -> None:
    assert cuda.is_available()
    assert cuda.device_count() >= 1
    assert repr(tinytorch.device("cuda:1")) == "device(type='cuda', index=1)"
    assert tinytorch.device("cuda", 1) == "cuda:1" == tinytorch.device(1)
    assert hash(tinytorch.device("cpu")) == hash(tinytorch.device("cpu"))
    assert tinytorch.device("cuda") != tinytorch.device("cpu")
    cuda.synchronize()


def test_without_cupy_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert not cuda.is_available()
    for go in (lambda: Tensor(X).cuda(), lambda: tinytorch.zeros(2, device="cuda"),
               lambda: nn.Linear(2, 2).to("cuda")):  # fmt: skip
        with pytest.raises(RuntimeError, match=r'pip install "tinytorch\[cuda\]"'):
            go()


def test_without_a_gpu_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupy.cuda, "is_available", lambda: False)
    assert cuda.device_count() == 0
    with pytest.raises(RuntimeError, match="CuPy finds no GPU"):
        Tensor(X).cuda()


FACTORIES = [
    lambda d: tinytorch.zeros(2, 3, device=d),
    lambda d: tinytorch.ones(2, 3, device=d, dtype=np.float32),
    lambda d: tinytorch.empty(2, device=d),
    lambda d: tinytorch.full((2,), 3.0, device=d),
    lambda d: tinytorch.arange(5, device=d),
    lambda d: tinytorch.arange(0.0, 1.0, 0.25, device=d),
    lambda d: tinytorch.linspace(0, 1, 4, device=d),
    lambda d: tinytorch.logspace(0, 1, 4, device=d),
    lambda d: tinytorch.eye(3, device=d),
    lambda d: tinytorch.tensor([1.0, 2.0], device=d),
    lambda d: tinytorch.tensor([1, 2], device=d),
    lambda d: tinytorch.tensor(Tensor([1.0]), device=d),
    lambda d: tinytorch.as_tensor(X, device=d),
    lambda d: tinytorch.zeros_like(Tensor(X), device=d),
    lambda d: tinytorch.full_like(tinytorch.zeros(2, device=d), 2.0),
    lambda d: tinytorch.randperm(5, generator=0, device=d),
]


@pytest.mark.parametrize("make", FACTORIES)
def test_a_factory_makes_the_same_there(make: Any) -> None:
    here, made = (getattr(x, "_value", x) for x in (make("cpu"), make("cuda")))
    assert_same([made], [here])


def test_random_numbers_are_drawn_there_from_one_seed() -> None:
    def draw() -> list[Any]:
        manual_seed(3)
        x = tinytorch.ones(1000, device="cuda")
        with transferring(0):
            return [
                tinytorch.rand(1000, device="cuda"), tinytorch.randn(1000, device="cuda"),
                tinytorch.rand_like(x), tinytorch.randn_like(x),
                functional.dropout(x, 0.25), functional.alpha_dropout(x, 0.25, training=True),
                functional.rrelu(-x, training=True), functional.gumbel_softmax(x),
                tinytorch.normal(x, 2.0), x.clone().uniform_(2, 3),
            ]  # fmt: skip

    first, second = draw(), draw()
    for x, y in zip(first, second, strict=True):
        assert_array_equal(x.numpy(), y.numpy())
        assert x.is_cuda
    assert first[0].numpy().mean() == pytest.approx(0.5, abs=0.05)
    assert first[1].numpy().std() == pytest.approx(1, abs=0.1)
    assert (first[4].numpy() == 0).mean() == pytest.approx(0.25, abs=0.06)
    assert not np.array_equal(first[0].numpy(), first[2].numpy())
    drawn = tinytorch.multinomial(tinytorch.tensor([0.0, 1.0, 0.0], device="cuda"), 4, True)
    assert_array_equal(drawn.get(), 1)
    assert tinytorch.bernoulli(tinytorch.ones(3, device="cuda")).tolist() == [1, 1, 1]
    assert tinytorch.randint(0, 9, (3,), device="cuda").is_cuda


def test_distributions_draw_there() -> None:
    p = tinytorch.tensor([0.2, 0.3, 0.5], device="cuda")
    for make in (
        lambda p: distributions.Normal(p, p + 1), distributions.Bernoulli,
        distributions.Categorical,
    ):  # fmt: skip
        there, here = make(p), make(p.cpu())
        drawn = there.sample((4,))
        assert drawn.is_cuda
        assert_allclose(there.log_prob(drawn).numpy(), here.log_prob(drawn.cpu()).numpy())
        assert_allclose(there.entropy().numpy(), here.entropy().numpy())
    x = distributions.Normal(Tensor(cupy.ones(3)), 2.0).rsample((5,))
    assert x.is_cuda
    assert x.requires_grad


def test_one_seed_gives_one_network_on_every_device() -> None:
    manual_seed(0)
    here = nn.Linear(3, 4)
    manual_seed(0)
    model = nn.Linear(3, 4).cuda()
    assert_same([model.weight.data], [here.weight.data])
    for fill in (nn.init.xavier_uniform_, nn.init.orthogonal_, nn.init.sparse_):
        options = {"sparsity": 0.5} if fill is nn.init.sparse_ else {}
        fill(here.weight, rng=1, **options), fill(model.weight, rng=1, **options)
        assert_same([model.weight.data], [here.weight.data])


# --- what does not mix ----------------------------------------------------------------------------


def test_numpys_arrays_are_refused_and_numbers_pass() -> None:
    x = there()
    for mix in (lambda: x + X, lambda: X * x, lambda: x @ X.T, lambda: np.maximum(x, X),
                lambda: x - Tensor(X), lambda: x.where(x.data > 0, X),
                lambda: functional.mse_loss(x, X),
                lambda: np.concatenate([x, Tensor(X)])):  # fmt: skip
        with pytest.raises(
            TypeError, match=r"NumPy array of shape .* CuPy array of shape .*cuda\(\)"
        ):
            mix()
    for number in (2, 2.0, np.float64(2), np.array(2.0), Tensor(2.0)):
        assert_allclose((x * number).numpy(), 2 * X)
        assert_allclose((number / x).numpy(), 2 / X)
    assert_allclose((x * np.array(2.0)).exp().numpy(), np.exp(2 * X))
    y = x * np.array(2.0)
    y.sum().backward()
    assert_allclose(x.grad.get(), 2)
    with pytest.raises(TypeError, match="expected a NumPy array, got a CuPy array; its get"):
        Tensor(X).data = cupy.asarray(X)


def test_labels_and_indices_may_be_on_either_side() -> None:
    labels = np.array([0, 2, 1, 1, 0])
    here = functional.cross_entropy(Tensor(X), labels)
    for y in (labels, cupy.asarray(labels), tinytorch.tensor(labels)):
        x = there()
        loss = functional.cross_entropy(x, y)
        loss.backward()
        assert loss.item() == pytest.approx(here.item())
        assert isinstance(x.grad, cupy.ndarray)
        assert_array_equal(x[y].numpy(), X[labels])
        assert_array_equal(x.take_along_axis(y[:, None] * 0, 1).numpy(), X[:, :1])
        assert_array_equal(
            np.where(y[:, None] > 0, x, 0).numpy(), np.where(labels[:, None] > 0, X, 0)
        )
    mask = X > 0
    assert_array_equal(x[mask].numpy(), X[mask])
    assert_array_equal(x.masked_fill(mask, 0).numpy(), np.where(mask, 0, X))


def test_a_wrong_label_is_said_when_a_value_is_brought_back() -> None:
    with transferring(0):
        loss = functional.cross_entropy(there(), cupy.asarray([0, 2, 1, 1, 7]))
    with pytest.raises(IndexError, match="of 3 classes the labels are 0 to 2"):
        loss.item()
    assert there().sum().item() == pytest.approx(X.sum())  # it is said once
    with pytest.raises(IndexError, match="the labels are 0 to 2, got 7"):
        functional.cross_entropy(there(), np.array([0, 2, 1, 1, 7]))


# --- what a tensor tells --------------------------------------------------------------------------


def test_text_copies_and_files(tmp_path: Path) -> None:
    x = Tensor(cupy.asarray([1.0, 2.0]), label="x")
    x.grad = cupy.ones(2)
    assert repr(x) == "Tensor([1., 2.], label='x')"
    assert f"{x.sum():.1f}" == "3.0"
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):  # noqa: S301
        assert_same([twin.data, twin.grad], [np.array([1.0, 2.0]), np.ones(2)])
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).cuda()
    model(there())
    path = tmp_path / "model.safetensors"
    tinytorch.save(model.state_dict(), path)
    other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    other.load_state_dict(tinytorch.load(path))
    assert_same([x.data for x in model.parameters], [x.data for x in other.parameters])
    other[0].weight.data[...] = 0
    model.load_state_dict(other.state_dict())
    assert_same([x.data for x in model.parameters], [x.data for x in other.parameters])
    assert isinstance(model[1].num_batches_tracked, cupy.ndarray)
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert all(x.is_cuda for x in twin.parameters)


def test_an_array_is_changed_in_place() -> None:
    x = there()
    array = x.data
    x.data = cupy.asarray(X + 1)
    x.data -= 1
    assert x.data is array
    assert_allclose(x.numpy(), X)
    x.grad = cupy.asarray(X)
    with no_grad():
        x -= 0.5 * x.grad
    assert x.data is array
    assert_allclose(x.numpy(), X / 2)


def test_pictures_show_values(tmp_path: Path) -> None:
    x = Tensor(cupy.asarray([1.5, 2.5]), label="x")
    y = (x * 2).sum()
    y.backward()
    here = Tensor(np.array([1.5, 2.5]), label="x")
    z = (here * 2).sum()
    z.backward()
    assert y.render(tmp_path / "there.dot").dot == z.render(tmp_path / "here.dot").dot


def test_diagnostics_look_at_arrays_there() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).cuda()
    twin = copy.deepcopy(model).cpu()
    told = []
    for network, x in ((model, there()), (twin, Tensor(X))):
        optimizer = optim.SGD(network.parameters, lr=0.1)
        with diagnostics.gradient_flow(network) as flow:
            network(x).sum().backward()
            optimizer.step()
        told.append(str(flow))
    assert told[0] == told[1]
    with pytest.raises(RuntimeError, match="nan first appears in log"):  # noqa: SIM117
        with diagnostics.detect_anomaly():
            (there() * 0 - 1).log().sum().backward()


def test_dlpack_goes_both_ways() -> None:
    x = there().detach()
    given = torch.from_dlpack(x) if IS_REAL else np.from_dlpack(_Host(x))
    assert_array_equal(given if not IS_REAL else given.cpu(), X)
    assert_same([Tensor(_Foreign(cupy.asarray(X))).data], [X])
    assert type(Tensor(torch.tensor(X)).data) is np.ndarray


class _Foreign:
    """Another library's array on a GPU."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class _Host(_Foreign):
    """What the stand-in is: on the host."""

    def __dlpack_device__(self) -> Any:
        return 1, 0


# --- transforms -----------------------------------------------------------------------------------


def f(x: Any) -> Any:
    return (np.sin(x) * x[:, :1]).sum() ** 2


def g(x: Any) -> Any:
    return np.exp(x[0]) * x[1:].sum(axis=0)


def test_transforms_give_numpys_values_there() -> None:
    there = cupy.asarray(X)
    v = np.random.default_rng(1).normal(size=X.shape)
    for transform in (
        lambda x, v: grad(f)(x), lambda x, v: grad(grad(lambda x: (x**3).sum()))(x[0, 0]),
        lambda x, v: value_and_grad(f)(x), lambda x, v: elementwise_grad(np.exp)(x),
        lambda x, v: jacobian(g)(x), lambda x, v: hessian(f)(x),
        lambda x, v: hvp(f, (x,), (v,)), lambda x, v: jvp(g, (x,), (v,)),
        lambda x, v: vjp(g, x)[1](v[0]), vmap(grad(lambda r, w: (r * w).prod())),
        lambda x, v: vmap(lambda r: r[np.argsort(r.data)])(x),
    ):  # fmt: skip
        expected = tinytorch.trees.leaves(transform(X, v))
        with transferring(0):
            found = tinytorch.trees.leaves(transform(there, cupy.asarray(v)))
        assert_same(found, [np.asarray(x) for x in expected])


# --- training -------------------------------------------------------------------------------------


def test_a_training_step_transfers_nothing() -> None:
    manual_seed(0)
    model = nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
    ).cuda()
    optimizer = optim.Adam(model.parameters, lr=0.05)
    data = tinytorch.data.TensorDataset(tinytorch.tensor(X), tinytorch.tensor([0, 2, 1, 1, 0]))
    loader = tinytorch.data.DataLoader(data, batch_size=5)
    losses = []
    for _ in range(40):
        for x, y in loader:
            with transferring(0):
                optimizer.zero_grad()
                loss = functional.cross_entropy(model(x.to("cuda")), y.to("cuda"))
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters, 1.0)
                optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    state = copy.deepcopy(optimizer.state_dict())
    fresh = optim.Adam(model.parameters, lr=0.05)
    fresh.load_state_dict(state)
    assert all(isinstance(x, cupy.ndarray) for x in fresh.state[model[0].weight].values()
               if not isinstance(x, float))  # fmt: skip


# --- whole numbers --------------------------------------------------------------------------------


def test_whole_numbers_have_a_tensors_methods() -> None:
    labels = tinytorch.tensor([0, 2, 1, 1, 0])
    y = labels.to("cuda")
    scores = there()
    assert y.is_cuda
    assert str(y.device) == "cuda:0"
    assert y.shape == (5,)
    assert y.size(0) == len(y) == 5
    right = scores.argmax(dim=1) == y
    with transferring(0):
        accuracy = right.float().mean()
        pairs = [
            (y + 1, labels + 1), (y * 2 % 3, labels * 2 % 3), (-y, -labels), (y > 1, labels > 1),
            (y.view(-1, 1), labels.view(-1, 1)), (y[1:3], labels[1:3]), (y.long(), labels.long()),
            (y.sum(), labels.sum()), (y.max(), labels.max()), (y.unsqueeze(0), labels.unsqueeze(0)),
            (y.eq(1), labels.eq(1)), (y.clone(), labels.clone()), (y / 2, labels / 2),
            (y.cumsum(0), labels.cumsum(0)), (y.expand(2, 5), labels.expand(2, 5)),
            (functional.one_hot(y, 3), functional.one_hot(labels, 3)),
            (scores.max(dim=1).indices, Tensor(X).max(dim=1).indices),
            (~right, ~(Tensor(X).argmax(dim=1) == labels)),
        ]  # fmt: skip
    assert accuracy.item() == pytest.approx((X.argmax(axis=1) == labels.numpy()).mean())
    assert_same([getattr(a, "_value", a) for a, _ in pairs],
                [np.asarray(getattr(b, "_value", b)) for _, b in pairs])  # fmt: skip
    assert y.tolist() == labels.tolist()
    assert y[1].item() == int(y[1]) == 2
    assert [*range(3)][y[1]] == 2
    assert repr(y) == repr(labels)
    assert f"{y[1]}" == "2"
    assert type(y.cpu()) is type(labels)
    assert_array_equal(pickle.loads(pickle.dumps(y)).numpy(), labels)  # noqa: S301
    assert tinytorch.is_tensor(y)
    y[0] = 2
    assert y.tolist()[0] == 2
    correct = 0
    correct += (scores.argmax(1) == y).sum().item()
    assert isinstance(correct, int)
    assert isinstance(functional.cross_entropy(scores, y).item(), float)
    assert_array_equal(scores[y].numpy(), X[y.numpy()])
    assert_array_equal((scores * y[:3]).numpy(), X * y.numpy()[:3])


def test_a_generator_seeds_one_on_the_gpu_once() -> None:
    own = tinytorch.Generator().manual_seed(0)
    tinytorch.rand(3, device="cuda", generator=own)
    state = own.bit_generator.state
    tinytorch.rand(3, device="cuda", generator=own)
    assert own.bit_generator.state == state
    numpys = np.random.default_rng(0)  # which has no place for another one
    state = numpys.bit_generator.state
    tinytorch.rand(3, device="cuda", generator=numpys)
    assert numpys.bit_generator.state != state
