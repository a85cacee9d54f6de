"""Modules: PyTorch's names, arguments, states and pictures in text; modes, buffers, containers."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections import OrderedDict
from typing import Any, Self

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
import torch
from numpy.testing import assert_allclose, assert_array_equal

from tinytorch import Tensor, manual_seed, nn
from tinytorch.nn import init
from tinytorch.nn.function_module import FunctionModule

# --- every module beside PyTorch's ----------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(4, 6))
IMAGES = np.random.default_rng(1).normal(size=(2, 4, 3, 5))
VOLUMES = np.random.default_rng(2).normal(size=(2, 4, 3, 2, 2))
CLASSES = np.array([0, 5, 2, 1])
SIGNS = np.array([[1.0, -1, 1, 1, -1, 1]] * 4)
P = 1 / (1 + np.exp(-X))

ENTRY_BY_ENTRY = (
    "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh",
    "LogSigmoid", "Softplus", "Softsign", "Hardtanh", "Hardsigmoid", "Hardswish", "Hardshrink",
    "Softshrink", "Tanhshrink", "GLU", "PReLU", "Identity",
)  # fmt: skip

# A name, what it is made with, and its inputs.
MODULES: list[tuple[str, dict[str, Any], list[Any]]] = [
    *[(name, {}, [X]) for name in ENTRY_BY_ENTRY],
    ("ReLU", {"inplace": True}, [X]),
    ("LeakyReLU", {"negative_slope": 0.2, "inplace": True}, [X]),
    ("Threshold", {"threshold": 0.1, "value": 2.0}, [X]),
    ("RReLU", {"lower": 0.2, "upper": 0.2}, [X]),
    *[(name, {"dim": 1}, [X]) for name in ("Softmax", "Softmin", "LogSoftmax")],
    ("Softmax2d", {}, [IMAGES]),
    ("PReLU", {"num_parameters": 6, "init": 0.1}, [X]),
    ("Linear", {"in_features": 6, "out_features": 3}, [X]),
    ("Linear", {"in_features": 6, "out_features": 3, "bias": False}, [X]),
    ("Bilinear", {"in1_features": 6, "in2_features": 6, "out_features": 3}, [X, X + 1]),
    ("Flatten", {}, [IMAGES]),
    ("Unflatten", {"dim": 1, "unflattened_size": (2, 3)}, [X]),
    ("Embedding", {"num_embeddings": 7, "embedding_dim": 3}, [CLASSES]),
    ("Embedding", {"num_embeddings": 7, "embedding_dim": 3, "padding_idx": -1}, [CLASSES]),
    ("Embedding", {"num_embeddings": 7, "embedding_dim": 3, "max_norm": 1.0}, [CLASSES]),
    ("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3}, [CLASSES[None]]),
    (
        "EmbeddingBag",
        {"num_embeddings": 7, "embedding_dim": 3, "mode": "max", "padding_idx": 2, "max_norm": 1.0},
        [CLASSES, np.array([0, 3])],
    ),
    ("BatchNorm1d", {"num_features": 6}, [X]),
    ("BatchNorm2d", {"num_features": 4, "momentum": None}, [IMAGES]),
    ("BatchNorm2d", {"num_features": 4, "affine": False}, [IMAGES]),
    ("BatchNorm3d", {"num_features": 4, "track_running_stats": False}, [VOLUMES]),
    ("InstanceNorm1d", {"num_features": 3}, [IMAGES[0]]),
    ("InstanceNorm2d", {"num_features": 4}, [IMAGES[0]]),
    ("InstanceNorm2d", {"num_features": 4, "affine": True}, [IMAGES]),
    ("InstanceNorm3d", {"num_features": 4, "track_running_stats": True}, [VOLUMES]),
    ("LayerNorm", {"normalized_shape": (3, 5), "bias": False}, [IMAGES]),
    ("LayerNorm", {"normalized_shape": 6}, [X]),
    ("GroupNorm", {"num_groups": 2, "num_channels": 4}, [IMAGES]),
    ("RMSNorm", {"normalized_shape": 6}, [X]),
    ("LocalResponseNorm", {"size": 2}, [IMAGES]),
    *[
        (name, {"p": 0.0}, [IMAGES[0] if name == "Dropout1d" else IMAGES])
        for name in ["Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"]
    ],
    ("Dropout3d", {"p": 0.0}, [VOLUMES]),
    *[(name, {}, [X, X + 1]) for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")],
    ("KLDivLoss", {"reduction": "batchmean"}, [X, P]),
    ("PoissonNLLLoss", {}, [X, P]),
    ("GaussianNLLLoss", {}, [X, P, P + 1]),
    *[(name, {}, [X, CLASSES]) for name in ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss")],
    ("CrossEntropyLoss", {"weight": np.arange(1.0, 7)}, [X, CLASSES]),
    ("BCELoss", {}, [P, P]),
    ("BCEWithLogitsLoss", {"pos_weight": np.arange(1.0, 7)}, [X, P]),
    ("SoftMarginLoss", {}, [X, SIGNS]),
    ("HingeEmbeddingLoss", {}, [X, SIGNS]),
    ("MarginRankingLoss", {}, [X, P, SIGNS]),
    ("MultiLabelMarginLoss", {}, [X, np.array([[1, 2, -1, 0, 0, 0]] * 4)]),
    ("MultiLabelSoftMarginLoss", {}, [X, P]),
    ("CosineEmbeddingLoss", {}, [X, P, SIGNS[:, 0]]),
    ("TripletMarginLoss", {}, [X, P, X * 2]),
    ("TripletMarginWithDistanceLoss", {}, [X, P, X * 2]),
    ("CosineSimilarity", {}, [X, P]),
    ("PairwiseDistance", {}, [X, P]),
    (
        "CTCLoss",
        {},
        [-P.reshape(6, 1, 4), np.array([[1, 2]]), np.array([6]), np.array([2])],
    ),
]


def in_torch(x: Any) -> Any:
    return torch.tensor(x) if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize(("name", "options", "inputs"), MODULES, ids=[m[0] for m in MODULES])
def test_a_module_is_pytorchs(name: str, options: dict[str, Any], inputs: list[Any]) -> None:
    theirs = getattr(torch.nn, name)(**{k: in_torch(x) for k, x in options.items()}).double()
    ours = getattr(nn, name)(**options)
    assert repr(ours) == repr(theirs)
    state = {key: x.numpy() for key, x in theirs.state_dict().items()}
    assert {key: x.shape for key, x in ours.state_dict().items()} == {
        key: x.shape for key, x in state.items()
    }
    ours.load_state_dict(state)
    for training in (True, False):
        out, expected = (
            ours.train(training)(*inputs),
            theirs.train(training)(*map(in_torch, inputs)),
        )
        assert_allclose(np.asarray(getattr(out, "data", out)), expected.detach(), rtol=1e-9)
    for key, x in theirs.state_dict().items():
        assert_allclose(getattr(ours.state_dict()[key], "data", ours.state_dict()[key]), x)
    assert repr(pickle.loads(pickle.dumps(ours))) == repr(ours)  # noqa: S301


SIZES = [
    pytest.param(name, {**options, key: least}, id=f"{name} {key}={least}")
    for name, options, _ in MODULES
    for key, size in options.items()
    for least in (0, 1)
    if type(size) is int and options.get("padding_idx") is None
]


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize(("name", "options"), SIZES)
def test_a_size_is_0_or_1_where_pytorchs_may_be(name: str, options: dict[str, Any]) -> None:
    try:
        theirs = getattr(torch.nn, name)(**options).state_dict()
    except (ValueError, ZeroDivisionError):
        with pytest.raises(ValueError, match=r"got|make no"):
            getattr(nn, name)(**options)
        return
    ours = getattr(nn, name)(**options).state_dict()
    assert {k: np.shape(x) for k, x in ours.items()} == {k: x.shape for k, x in theirs.items()}


ARGUMENTS: dict[str, Any] = {
    "embed_dim": 4, "num_heads": 2, "d_model": 4, "nhead": 2, "dim_feedforward": 8,
    "num_groups": 2, "num_channels": 4, "layers": [(2, nn.Activation.TANH)],
    "encoder_layer": nn.TransformerEncoderLayer(4, 2, 8, rng=0),
    "decoder_layer": nn.TransformerDecoderLayer(4, 2, 8, rng=0),
}  # fmt: skip
OF_SIZES = [
    pytest.param(module, parameter.name, id=f"{module.__name__} {parameter.name}")
    for module in vars(nn).values()
    if inspect.isclass(module) and issubclass(module, nn.Module)
    # What is a function with its options hears of it from the function, when it is called.
    if not issubclass(module, FunctionModule) and "MaxPool" not in module.__name__
    for parameter in inspect.signature(module).parameters.values()
    if parameter.annotation in ("int", "Sizes", "Padding", "int | Sequence[int]")
    and parameter.name not in ("dim", "blank", "start_dim", "end_dim")  # no sizes
]


@pytest.mark.parametrize(("module", "name"), OF_SIZES)
def test_what_is_no_size_is_named(module: Any, name: str) -> None:
    needed = {
        parameter.name: ARGUMENTS.get(parameter.name, 3)
        for parameter in inspect.signature(module).parameters.values()
        if parameter.default is parameter.empty or parameter.name in ARGUMENTS
    }
    module(**needed)
    for size in (-1, 2.5, "3", None):
        if size == -1 and "Pad" in module.__name__:
            continue  # of which there may be fewer than none: entries are cut off
        with pytest.raises((TypeError, ValueError)) as raised:
            module(**{**needed, name: size})
        told = str(raised.value)
        assert re.match(r"(\w+: )?(\w+) is .*whole number", told)
        assert told.endswith(repr(size))


LEFT_OUT = {
    "Lazy": "modules that find out their sizes from the first input",
    "AdaptiveLogSoftmaxWithLoss": "for vocabularies of millions",
    "Container": "PyTorch's own name for Module in old programs",
    "CrossMapLRN2d": "PyTorch's name for LocalResponseNorm in old programs",
    "RNNBase": "what RNN, LSTM and GRU have in common, no network",
    "RNNCellBase": "what their cells have in common, no cell",
    "LinearCrossEntropy": "Linear and CrossEntropyLoss in pieces that save a GPU's memory",
    "NLLLoss2d": "NLLLoss, deprecated",
    "SyncBatchNorm": "for several GPUs",
}


def test_no_module_of_pytorchs_is_forgotten() -> None:
    missing = [name for name in torch.nn.modules.__all__ if not hasattr(nn, name)]
    known = LEFT_OUT
    assert [name for name in missing if not any(part in name for part in known)] == []


# --- how weights begin ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "axes"),
    [("eye_", "2"), ("sparse_", "2"), ("dirac_", "3 or 4 or 5")],
)
def test_a_tensor_of_other_axes_is_refused(name: str, axes: str) -> None:
    x = Tensor(np.ones(6))
    with pytest.raises(ValueError, match=f"^{name}: expected {axes} axes, got"):
        getattr(init, name)(x, *([0.5] if name == "sparse_" else []))
    assert_array_equal(x.data, 1)


def assert_same_distribution(ours: Any, theirs: Any) -> None:
    assert scipy.stats.ks_2samp(np.ravel(ours), np.ravel(theirs)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Linear", {"in_features": 50, "out_features": 200}),
        ("Linear", {"in_features": 1, "out_features": 2000}),
        ("Conv1d", {"in_channels": 1, "out_channels": 2000, "kernel_size": 1}),
        ("Bilinear", {"in1_features": 20, "in2_features": 30, "out_features": 200}),
        ("Embedding", {"num_embeddings": 100, "embedding_dim": 100}),
    ],
)
def test_weights_begin_as_pytorchs(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    ours, theirs = getattr(nn, name)(**options, rng=0), getattr(torch.nn, name)(**options)
    for key, x in theirs.state_dict().items():
        assert_same_distribution(ours.state_dict()[key].data, x.numpy())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("uniform_", {"a": -1, "b": 2}),
        ("normal_", {"mean": 1, "std": 2}),
        ("trunc_normal_", {"mean": 1, "a": 0, "b": 1.5}),
        ("xavier_uniform_", {"gain": 2}),
        ("xavier_normal_", {}),
        ("kaiming_uniform_", {"a": 0.5}),
        ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
        ("kaiming_normal_", {"nonlinearity": "tanh"}),
        ("orthogonal_", {"gain": 2}),
        ("sparse_", {"sparsity": 0.3}),
        ("constant_", {"val": 3}),
        ("ones_", {}),
        ("zeros_", {}),
        ("eye_", {}),
    ],
)
def test_distributions_are_pytorchs(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    ours, theirs = Tensor(np.full((60, 100), 9.0)), torch.empty(60, 100)
    rng = {"rng": 0} if "rng" in inspect.signature(getattr(init, name)).parameters else {}
    assert getattr(init, name)(ours, **options, **rng) is ours
    assert_same_distribution(ours.data, getattr(torch.nn.init, name)(theirs, **options).numpy())
    assert ours.requires_grad


def test_the_rest_of_init() -> None:
    weight = Tensor(np.zeros((6, 2, 3, 3)))
    theirs = torch.nn.init.dirac_(torch.empty(6, 2, 3, 3), 3)
    assert_array_equal(init.dirac_(weight, 3).data, theirs)
    for shape in ((4, 7), (7, 4)):
        q = init.orthogonal_(Tensor(np.zeros(shape)), rng=0).data
        small = q @ q.T if shape[0] < shape[1] else q.T @ q
        assert_allclose(small, np.eye(4), atol=1e-12)
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    with pytest.raises(ValueError, match=r"calculate_gain: one of .*, got 'swish'"):
        init.calculate_gain("swish")


@pytest.mark.parametrize(
    "name",
    [
        *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"),
        *("RReLU", "FractionalMaxPool2d", "FractionalMaxPool3d"),
    ],
)
def test_a_seed_begins_with_the_module_not_with_each_call(name: str) -> None:
    options = {"kernel_size": 2, "output_size": 5} if "Fractional" in name else {}
    n_axes = int(name[-2]) if name.endswith("d") else 2
    x = np.random.default_rng(0).normal(size=(2, 3, *(8,) * n_axes))
    drawn = []
    for _ in range(2):
        module = getattr(nn, name)(**options, rng=0)
        drawn.append([module(x).data for _ in range(4)])
    assert_array_equal(*drawn)
    assert not all(np.array_equal(y, drawn[0][0]) for y in drawn[0])


def test_one_seed_one_network() -> None:
    def weights() -> Any:
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).state_dict()["1.weight"].data.copy()

    manual_seed(3)
    first = weights()
    assert not np.array_equal(weights(), first)
    manual_seed(3)
    assert_array_equal(weights(), first)


# --- what modules do ------------------------------------------------------------------------------


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.linears = nn.ModuleList([nn.Linear(3, 3, rng=i) for i in range(2)])
        self.scale = nn.Parameter(np.ones(3))
        self.register_buffer("mask", Tensor(np.ones(3)))
        self.register_buffer("seen", np.array([1, 2]), persistent=False)
        self.drop = nn.Dropout(0.5, rng=0)

    mask: Any

    def forward(self, x: Any) -> Any:
        self.kept = self.norm(x) * self.mask
        for linear in self.linears:
            x = linear(self.kept) * self.scale
        return self.drop(x)


NAMES = ["norm.weight", "norm.bias", "linears.0.weight", "linears.0.bias",
         "linears.1.weight", "linears.1.bias", "scale"]  # fmt: skip


def test_names_of_parameters_modules_and_buffers() -> None:
    block = Block()
    block(X[:, :3]).sum().backward()  # what it keeps is no parameter
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert list(block.parameters()) == block.parameters
    assert [name for name, _ in block.named_parameters(recurse=False)] == ["scale"]
    assert list(block.parameters(recurse=False)) == [block.scale]
    assert [name for name, _ in block.named_children()] == ["norm", "linears", "drop"]
    assert [name for name, _ in block.named_modules()] == [
        "", "norm", "linears", "linears.0", "linears.1", "drop"
    ]  # fmt: skip
    assert [name for name, _ in block.named_buffers()] == [
        "mask", "seen", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"
    ]  # fmt: skip
    assert not block.mask.requires_grad
    assert type(block.scale * 2) is type(block.scale.detach()) is Tensor


def test_modes_reach_all_modules() -> None:
    block = Block()
    assert block.training
    assert not any(module.training for module in block.eval().modules())
    assert all(module.training for module in block.train().modules())
    assert_array_equal(block.eval()(X[:, :3]).data, block(X[:, :3]).data)


def test_freezing_keeps_parameters() -> None:
    block = Block().requires_grad_(False)
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert not block(X[:, :3]).requires_grad
    block.linears[0].requires_grad_()
    assert sum(p.requires_grad for p in block.parameters) == 2


def test_a_state_moves_whole_or_not_at_all() -> None:
    source, target = Block(), Block()
    source(X[:, :3])
    for parameter in source.parameters:
        parameter.data += 1
    state = copy.deepcopy(source.state_dict())
    assert "seen" not in state
    result = target.load_state_dict(state)
    assert result.missing_keys == result.unexpected_keys == []
    for name, x in source.state_dict().items():
        assert_array_equal(getattr(target.state_dict()[name], "data", x), getattr(x, "data", x))
    before = copy.deepcopy(target.state_dict())
    wrong = {**{name: x * 0 for name, x in state.items()}, "extra": np.zeros(2)}
    del wrong["scale"]
    with pytest.raises(RuntimeError, match=r"missing from the state: scale; unexpected.*: extra"):
        target.load_state_dict(wrong)
    with pytest.raises(RuntimeError, match=r"scale has shape \(3,\), in the state \(2,\)"):
        target.load_state_dict({**wrong, "scale": np.zeros(2)}, strict=False)
    for name, x in before.items():
        assert_array_equal(getattr(target.state_dict()[name], "data", x), getattr(x, "data", x))
    result = target.load_state_dict(wrong, strict=False)
    assert result == (["scale"], ["extra"])
    assert not target.linears[0].weight.data.any()


def test_shared_parameters_count_once_and_are_in_the_state_twice() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert len(model.parameters) == 3
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("change", ["float", "double", "half"])
def test_dtypes_change_all_floating_state(change: str) -> None:
    block = Block()
    block(X[:, :3]).sum().backward()
    parameters = block.parameters
    dtype = {"float": np.float32, "double": np.float64, "half": np.float16}[change]
    assert getattr(block, change)() is block
    assert block.parameters == parameters
    assert {x.dtype for x in parameters} == {x.grad.dtype for x in parameters} == {np.dtype(dtype)}
    assert block.norm.running_mean.dtype == dtype
    assert block(X[:, :3].astype(dtype)).dtype == dtype


def test_apply_zero_grad_and_names_that_are_taken() -> None:
    block, seen = Block(), list[str]()
    block.apply(lambda module: seen.append(type(module).__name__))
    assert seen[-1] == "Block"
    assert len(seen) == 6
    block(X[:, :3]).sum().backward()
    block.zero_grad()
    assert all(p._grad is None for p in block.parameters)
    for register in (block.register_buffer, block.register_parameter, block.add_module):
        with pytest.raises(KeyError, match="an attribute 'forward' already"):
            register("forward", None)
        with pytest.raises(KeyError, match="without dots"):
            register("a.b", None)


def test_containers_are_pytorchs() -> None:
    def build(library: Any) -> Any:
        blocks = [library.Sequential(library.Linear(3, 3), library.ReLU()) for _ in range(3)]
        parts = library.ModuleDict({"a": library.Linear(3, 2), "b": library.Tanh()})
        named = OrderedDict(blocks=library.ModuleList(blocks), parts=parts)
        return library.Sequential(named)

    ours, theirs = build(nn), build(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_module_lists_are_lists() -> None:
    one, two, three = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    modules = nn.ModuleList([one])
    modules.append(two).extend([three])
    modules.insert(0, three)
    assert list(modules) == [three, one, two, three]
    del modules[0]
    modules[1] = one
    assert list(modules[::-1]) == [three, one, one]
    assert modules.pop() is three
    assert one in modules
    assert len(nn.Sequential(one, two)[1:]) == 1
    parts = nn.ModuleDict({"a": one})
    parts["b"] = two
    assert list(parts.items()) == [("a", one), ("b", two)]
    assert parts.pop("a") is one
    assert hash(parts)
    parameters = nn.ParameterList([Tensor([1.0])])
    assert isinstance(parameters[0], nn.Parameter)
    assert list(nn.ParameterDict({"w": parameters[0]}).state_dict()) == ["w"]
    with pytest.raises(TypeError, match="holds a Module in each place, got int 3"):
        modules.append(3)
    with pytest.raises(KeyError, match="an attribute 'forward' already"):
        parts["forward"] = one


def test_options_that_are_none_are_named() -> None:
    with pytest.raises(TypeError, match=r"LeakyReLU\(negative_slope.*unexpected keyword.*slope"):
        nn.LeakyReLU(slope=2)


def test_layers_work_among_the_new_ones() -> None:
    model = nn.Sequential(nn.Layer(6, 4, nn.Activation.TANH, rng=0), nn.Dropout(), nn.Linear(4, 1))
    model(X).sum().backward()
    assert model.n_parameters == 6 * 4 + 4 + 4 + 1
    assert all(p.grad.any() for p in model.parameters)


def test_a_padding_row_gets_no_gradient_and_pretrained_rows_are_frozen() -> None:
    table = nn.Embedding(5, 2, padding_idx=1, rng=0)
    table(np.array([0, 1, 1])).sum().backward()
    assert_array_equal(table.weight.grad, [[1, 1], [0, 0], [0, 0], [0, 0], [0, 0]])
    assert not table.weight.data[1].any()
    frozen = nn.Embedding.from_pretrained(np.ones((3, 2)))
    assert not frozen.weight.requires_grad
    assert [name for name, _ in frozen.named_parameters()] == ["weight"]


def test_a_plain_array_takes_no_parameters_place() -> None:
    layer = nn.Linear(2, 3)
    with pytest.raises(TypeError, match=r"Linear: weight is a parameter, .* module\.weight\.data"):
        layer.weight = np.ones((3, 2))
    layer.weight.data = np.ones((3, 2))
    layer.bias = None
    assert_array_equal(layer(np.ones((1, 2))).data, [[2, 2, 2]])


def test_a_tensor_kept_as_a_buffer_is_no_parameter() -> None:
    layer = nn.Linear(1, 1)
    layer.register_buffer("average", Tensor([1.0]))
    layer.average = Tensor([2.0])  # under a buffer's name
    layer.history = Tensor([1.0])
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias", "history"]


class Scale(nn.Parameter):
    """A parameter with a method and a way of its own to be made."""

    def __new__(cls, n: int) -> Self:
        return super().__new__(cls, np.ones(n))

    def __init__(self, n: int) -> None:
        super().__init__(np.ones(n))

    def doubled(self) -> Tensor:
        return self * 2


@pytest.mark.parametrize("module", [nn.Embedding, nn.EmbeddingBag])
@pytest.mark.parametrize(("padding_idx", "row"), [(None, None), (2, 2), (-1, 4), (-5, 0)])
def test_the_row_of_padding_starts_at_0(module: Any, padding_idx: int | None, row: Any) -> None:
    rows = module(5, 3, padding_idx=padding_idx, rng=0).weight.data
    assert_array_equal(np.flatnonzero((rows == 0).all(1)), [] if row is None else [row])


def test_subclasses_of_parameters_are_classes() -> None:
    scale, plain = Scale(3), nn.Parameter(np.ones(3))
    assert not isinstance(plain, Scale)
    assert isinstance(type("Larger", (Scale,), {})(3), Scale)
    assert not isinstance(scale * 2, nn.Parameter)
    copies = copy.copy(scale), copy.deepcopy(scale), pickle.loads(pickle.dumps(scale))  # noqa: S301
    for x in (scale, *copies):
        assert type(x) is Scale
        assert isinstance(x, Scale)
        assert isinstance(x, nn.Parameter)
        assert_array_equal(x.doubled().data, [2, 2, 2])
    model = nn.Linear(3, 1)
    model.weight = Scale(3)
    assert [type(x) for x in copy.deepcopy(model).parameters()] == [Scale, Tensor]


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_refused_batch_leaves_running_statistics(momentum: float | None) -> None:
    norm = nn.BatchNorm1d(3, momentum=momentum)
    norm(X[:, :3])
    before = {name: np.array(value) for name, value in norm.state_dict().items()}
    for refused in (X, X[:1, :3]):
        with pytest.raises(ValueError, match="shape"):
            norm(refused)
        for name, value in norm.state_dict().items():
            assert_array_equal(value, before[name])


def test_a_module_in_two_places_has_two_paths() -> None:
    def paths(nn: Any) -> list[str]:
        shared = nn.Linear(2, 2)
        model = nn.Sequential(shared, nn.Sequential(nn.ReLU(), shared))
        return [name for name, _ in model.named_parameters(remove_duplicate=False)]

    assert paths(nn) == paths(torch.nn)
    assert len(paths(nn)) == 4


def test_running_statistics_are_forgotten() -> None:
    norm, new = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    norm(Tensor(np.arange(12.0).reshape(4, 3) ** 2))
    assert norm.running_mean is not None
    assert norm.running_mean.data.any()
    norm.reset_running_stats()
    for (name, left), (_, right) in zip(norm.named_buffers(), new.named_buffers(), strict=True):
        assert_array_equal(getattr(left, "_value", left), getattr(right, "_value", right), name)
    nn.BatchNorm1d(3, track_running_stats=False).reset_running_stats()
