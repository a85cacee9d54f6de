"""Saved states: read as they were written, here and in PyTorch, and refused where damaged."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Tensor, nn, no_grad, optim

RNG = np.random.default_rng(5)
X = RNG.normal(size=(6, 4))

dtypes = hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.unsigned_integer_dtypes()
dtypes |= hnp.floating_dtypes(sizes=(16, 32, 64)) | hnp.complex_number_dtypes(sizes=64)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
states = st.recursive(
    arrays | numbers,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.tuples(parts, parts)
        | st.dictionaries(st.text("ab.0", max_size=3) | st.integers(0, 2), parts, max_size=3)
    ),
)


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        assert_same(list(a.values()), list(b.values()))
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype.newbyteorder("=")
        assert_array_equal(a, b)
    else:
        assert a == b or a != a  # noqa: PLR0124  (nan)


@given(states)
def test_a_nested_state_comes_back(tmp_path_factory: Any, state: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "nested.safetensors"
    tinytorch.save([state], path)
    assert_same(tinytorch.load(path), [state])


def test_open_files_are_written_and_read(tmp_path: Path) -> None:
    state = {"model": nn.Linear(2, 1, rng=0).state_dict(), "epoch": 3}
    buffer = io.BytesIO(b"before")
    buffer.seek(6)
    tinytorch.save(state, buffer)
    buffer.seek(6)
    assert tinytorch.load(buffer)["epoch"] == 3
    with (tmp_path / "state").open("wb") as file:
        tinytorch.save(state["model"], file)
    loaded = safetensors.numpy.load_file(tmp_path / "state")
    with (tmp_path / "state").open("rb") as file:
        assert_same(tinytorch.load(file), loaded)
    with gzip.open(tmp_path / "zipped", "wb") as zipped:
        tinytorch.save(state["model"], zipped)
    with gzip.open(tmp_path / "zipped") as zipped:
        assert_same(tinytorch.load(zipped), loaded)
    halves = io.BytesIO(safetensors.torch.save({"x": torch.ones(2, dtype=torch.bfloat16)}))
    assert tinytorch.load(halves)["x"].tolist() == [1, 1]


def test_what_programs_for_pytorch_say_of_loading() -> None:
    buffer = io.BytesIO()
    tinytorch.save({"x": np.ones(2)}, buffer)
    for place in (None, "cpu", tinytorch.device("cpu")):
        buffer.seek(0)
        loaded = tinytorch.load(buffer, map_location=place, weights_only=False)
        assert_same(loaded, {"x": np.ones(2)})
    with pytest.raises(ValueError, match=r"to the CPU, got map_location='cuda:0': model\.to"):
        tinytorch.load(buffer, map_location="cuda:0")
    with pytest.raises(TypeError, match='expected "cpu" or "cuda"'):
        tinytorch.load(buffer, map_location=lambda storage, _: storage)


@pytest.mark.parametrize("file", [None, 3, [], np.ones(2)], ids=repr)
def test_what_is_no_file_is_told(file: Any) -> None:
    with pytest.raises(TypeError, match=r"^load: the file is a path or open for bytes, got "):
        tinytorch.load(file)
    with pytest.raises(TypeError, match=r"^save: the file is a path or open for bytes, got "):
        tinytorch.save({"x": np.ones(2)}, file)


def test_what_an_open_file_cannot_give_is_told(tmp_path: Path) -> None:
    state = {"x": np.ones(2)}
    with (tmp_path / "text").open("w") as text:
        for file in (text, io.StringIO()):
            with pytest.raises(
                TypeError, match=r'save: .* not open for writing bytes, as open\(path, "wb"\)'
            ):
                tinytorch.save(state, file)
    with (tmp_path / "text").open() as text:
        for file in (text, io.StringIO("abc")):
            with pytest.raises(
                TypeError, match=r'load: .* not open for reading bytes, as open\(path, "rb"\)'
            ):
                tinytorch.load(file)
        with pytest.raises(TypeError, match="not open for writing bytes"):
            tinytorch.save(state, text.buffer)
    buffer = io.BytesIO()
    tinytorch.save(state, buffer)
    with pytest.raises(ValueError, match=r"the BytesIO is empty from its position on; file\.seek"):
        tinytorch.load(buffer)
    with pytest.raises(ValueError, match="load: the BytesIO is cut: 70 bytes"):
        tinytorch.load(io.BytesIO(buffer.getvalue()[:70]))
    with pytest.raises(ValueError, match=r"no safetensors file, but a pickle"):
        tinytorch.load(io.BytesIO(pickle.dumps(state)))
    buffer.close()
    with pytest.raises(ValueError, match="closed file"):
        tinytorch.save(state, buffer)


def test_views_of_any_layout_come_back(tmp_path: Path) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    state = {"a": x.T, "b": x[:, ::-2], "c": Tensor(x).transpose(1, 0, 2).detach(), "d": x[0, 0, 0]}
    tinytorch.save(state, tmp_path / "x")
    loaded = tinytorch.load(tmp_path / "x")
    for name, array in state.items():
        assert_array_equal(loaded[name], getattr(array, "data", array))
    loaded["a"][0] = 3  # what is loaded may be written to
    assert not list(tmp_path.glob(".*"))


def test_names_that_meet_are_told_apart(tmp_path: Path) -> None:
    state = {"a": {"b": np.zeros(2)}, "a.b": np.ones(2), 0: np.zeros(1), "0": np.ones(1)}
    tinytorch.save(state, tmp_path / "x")
    assert_same(tinytorch.load(tmp_path / "x"), state)


def test_of_a_tensor_the_values_are_kept(tmp_path: Path) -> None:
    x = Tensor([1.0, 2.0])
    tinytorch.save({"y": x * 2, "n": {"x": x}}, tmp_path / "x")
    assert_same(
        tinytorch.load(tmp_path / "x"), {"y": np.array([2.0, 4.0]), "n": {"x": np.array([1.0, 2])}}
    )


# --- PyTorch --------------------------------------------------------------------------------------


def network(library: Any) -> Any:
    nn = library
    return nn.Sequential(
        nn.Linear(4, 6),
        nn.BatchNorm1d(6),
        nn.PReLU(6),
        nn.Sequential(nn.Linear(6, 6, bias=False), nn.LayerNorm(6), nn.GELU()),
        nn.GroupNorm(2, 6),
        nn.ModuleList([nn.Linear(6, 3)])[0],
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pytorch_model_loads_here_and_the_other_way_round(tmp_path: Path, dtype: str) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    theirs, ours = network(torch.nn).to(getattr(torch, dtype)), network(nn).to(dtype)
    inputs = X.astype(dtype)
    theirs(torch.tensor(inputs))  # so that the running statistics are some
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12}

    path = tmp_path / "theirs.safetensors"
    safetensors.torch.save_file(theirs.state_dict(), path)
    ours.load_state_dict(tinytorch.load(path))
    theirs.eval(), ours.eval()
    with no_grad(), torch.no_grad():
        assert_allclose(ours(inputs).data, theirs(torch.tensor(inputs)).numpy(), **tolerance)

    for parameter in ours.parameters:
        parameter.data += rng.normal(scale=0.1, size=parameter.shape)  # outputs stay of order 1
    path = tmp_path / "ours.safetensors"
    tinytorch.save(ours.state_dict(), path)
    theirs.load_state_dict(safetensors.torch.load_file(path))
    with no_grad(), torch.no_grad():
        assert_allclose(ours(inputs).data, theirs(torch.tensor(inputs)).numpy(), **tolerance)
    # Of such a state PyTorch writes the very bytes.
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_weights_that_a_pytorch_model_holds_twice(tmp_path: Path) -> None:
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(5, 3)
            self.head = torch.nn.Linear(3, 5, bias=False)
            self.head.weight = self.embedding.weight

    class TiedHere(nn.Module):
        def __init__(self) -> None:
            self.embedding = nn.Embedding(5, 3)
            self.head = nn.Linear(3, 5, bias=False)
            self.head.weight = self.embedding.weight

    theirs, ours = Tied(), TiedHere()
    safetensors.torch.save_model(theirs, tmp_path / "x")
    ours.load_state_dict(tinytorch.load(tmp_path / "x"))
    assert_array_equal(ours.head.weight.data, theirs.head.weight.detach().numpy())
    assert ours.head.weight is ours.embedding.weight
    tinytorch.save(ours.state_dict(), tmp_path / "y")
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "y"))


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    x = torch.tensor(RNG.normal(size=(3, 2))).to(torch.bfloat16)
    state = {"a": torch.ones(3), "x": x, "y": torch.tensor(float("inf"), dtype=torch.bfloat16)}
    safetensors.torch.save_file(state, tmp_path / "x")
    loaded = tinytorch.load(tmp_path / "x")
    assert loaded["x"].dtype == loaded["y"].dtype == np.float32
    assert_array_equal(loaded["x"], x.to(torch.float32).numpy())
    assert loaded["y"] == np.inf
    nn.PReLU(3).load_state_dict({"weight": loaded["a"]})


def test_a_dtype_that_numpy_lacks_is_refused(tmp_path: Path) -> None:
    safetensors.torch.save_file({"w": torch.ones(3).to(torch.float8_e4m3fn)}, tmp_path / "x")
    with pytest.raises(ValueError, match="'w' is of dtype F8_E4M3, which NumPy has not"):
        tinytorch.load(tmp_path / "x")


# --- training that goes on ------------------------------------------------------------------------

OPTIMISERS: list[Any] = [
    lambda p: optim.SGD(p, momentum=0.9),
    lambda p: optim.Adam([{"params": p[:1], "lr": 0.1}, {"params": p[1:]}], amsgrad=True),
    optim.NAdam,
    lambda p: optim.RMSprop(p, centered=True, momentum=0.5),
    lambda p: optim.LBFGS(p, lr=0.1, max_iter=3),
]


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_training_goes_on_where_it_was(tmp_path: Path, kind: Any) -> None:
    def begin(seed: int) -> tuple[Any, Any, Any]:
        model = nn.Sequential(nn.Linear(4, 3, rng=seed), nn.Tanh(), nn.Linear(3, 1, rng=seed))
        optimizer = kind(list(model.parameters))
        return model, optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)

    def train(model: Any, optimizer: Any, scheduler: Any) -> float:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = ((model(X) - 1) ** 2).mean()
            loss.backward()
            return loss

        for _ in range(5):
            loss = optimizer.step(closure)
            scheduler.step()
        return loss.item()

    first = begin(0)
    train(*first)
    names = ("model", "optimizer", "scheduler")
    state = {name: part.state_dict() for name, part in zip(names, first, strict=True)}
    tinytorch.save({**state, "rng": RNG.bit_generator.state}, tmp_path / "x")
    last = train(*first)

    second = begin(1)
    loaded = tinytorch.load(tmp_path / "x")
    for name, part in zip(names, second, strict=True):
        part.load_state_dict(loaded[name])
    assert train(*second) == last
    for a, b in zip(first[0].parameters, second[0].parameters, strict=True):
        assert_array_equal(a.data, b.data)
    np.random.default_rng().bit_generator.state = loaded["rng"]


# --- files ----------------------------------------------------------------------------------------


def test_paths_of_every_kind(tmp_path: Path) -> None:
    state = {"x": np.ones(2)}
    for path in (tmp_path / "a", str(tmp_path / "b"), os.fsencode(tmp_path / "c")):
        tinytorch.save(state, path)
        assert_same(tinytorch.load(path), state)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    tinytorch.save({"x": np.zeros(2)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert_same(tinytorch.load(tmp_path / "a"), {"x": np.zeros(2)})
    for function in (lambda x: tinytorch.save(state, x), tinytorch.load):
        with pytest.raises(OSError, match="No such file"):
            function(tmp_path / "absent" / "x")
        with pytest.raises(OSError, match="directory"):
            function(tmp_path)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "b", "c", "link"]
    (tmp_path / "new").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "new").stat().st_mode


@pytest.mark.parametrize("place", ["fsync", "serialize_file"])
def test_an_interrupted_save_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = tmp_path / "x"
    tinytorch.save({"x": np.ones(3)}, path)

    def interrupt(*_args: Any, **_kwargs: Any) -> None:
        raise KeyboardInterrupt

    owner: Any = os if place == "fsync" else safetensors.numpy
    with monkeypatch.context() as patch:
        patch.setattr(owner, place, interrupt)
        with pytest.raises(KeyboardInterrupt):
            tinytorch.save({"x": np.zeros(3)}, path)
    assert [x.name for x in tmp_path.iterdir()] == ["x"]
    assert_same(tinytorch.load(path), {"x": np.ones(3)})


def test_a_disk_that_is_full_is_an_oserror(tmp_path: Path, monkeypatch: Any) -> None:
    def full(*_args: Any, **_kwargs: Any) -> None:
        raise safetensors.SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.numpy, "serialize_file", full)
    with pytest.raises(OSError, match="x cannot be written: No space left"):
        tinytorch.save({"x": np.zeros(3)}, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_arrays_can_be_mapped_and_are_read_one_by_one(tmp_path: Path) -> None:
    state = {str(i): np.full(500_000, i, dtype) for i, dtype in enumerate(("f8", "i1", "f4", "f8"))}
    tinytorch.save(state, tmp_path / "x")
    header, start = header_of((tmp_path / "x").read_bytes())
    for name, array in state.items():
        offset = start + header[name]["data_offsets"][0]
        assert offset % array.itemsize == 0
        assert_array_equal(np.memmap(tmp_path / "x", array.dtype, "r", offset, array.shape), array)
    tracemalloc.start()
    loaded = tinytorch.load(tmp_path / "x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_same(dict(sorted(loaded.items())), state)
    size = sum(x.nbytes for x in state.values())
    assert peak < size + 2 * state["0"].nbytes


# --- what is refused ------------------------------------------------------------------------------


def header_of(data: bytes) -> tuple[dict[str, Any], int]:
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), end


def with_header(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def archive(**arrays: Any) -> bytes:
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


def pytorchs(**options: Any) -> bytes:
    torch.save({"x": torch.ones(50)}, file := io.BytesIO(), **options)
    return file.getvalue()


GOOD = safetensors.numpy.save({"a": np.arange(3.0), "b": np.ones((2, 2), "f4")})
WRONG: list[tuple[str, bytes, str]] = [
    ("empty", b"", "is empty"),
    ("cut", GOOD[:-1], rf"is cut: {len(GOOD) - 1} bytes are there, of {len(GOOD)}"),
    ("cut in the header", GOOD[:40], "is cut: 40 bytes are there"),
    ("cut in the length", GOOD[:5], "is no safetensors file: header too small"),
    ("padded", GOOD + bytes(3), "has 3 bytes more than its header speaks of"),
    ("padded nothing", with_header({}, b"x"), "has 1 bytes more than its header speaks of"),
    ("shape", with_header({"a": entry("F32", [3], 0, 8)}, bytes(8)), "is damaged: invalid shape"),
    ("huge", with_header({"a": entry("F32", [2**62, 4], 0, 8)}, bytes(8)), "damaged: overflow"),
    ("huge header", struct.pack("<Q", 2**60) + GOOD[8:], "is cut: 160 bytes are there, of 11529"),
    (
        "overlap",
        with_header({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, bytes(4)),
        "damaged: invalid offset for tensor",
    ),
    ("dtype", with_header({"a": entry("X", [1], 0, 4)}, bytes(4)), "damaged: .*unknown variant"),
    ("JSON", with_header(b"{" * 40, b""), "is damaged: invalid JSON"),
    ("list", with_header([], b""), "is no safetensors file: invalid JSON"),
    ("pickle", pickle.dumps({"x": np.ones(50)}), "but a pickle, which may run any program"),
    ("old torch.save", pytorchs(_use_new_zipfile_serialization=False), "but a pickle"),
    (
        "torch.save",
        pytorchs(),
        "but a zip archive, as torch.save and np.savez write .see safetensors.torch",
    ),
    ("np.savez", archive(x=np.ones(3)), "but a zip archive"),
    ("text", b"Some words,\nand more of them", "but text"),
    ("numbers", bytes(range(200, 250)), "is no safetensors file: header too large"),
    (
        "structure",
        with_header({"__metadata__": {"tinytorch": '{"list": [{"array": "x"}]}'}}, b""),
        r"metadata do not say how its arrays go together \(KeyError: 'x'\)",
    ),
    (
        "deep structure",
        with_header({"__metadata__": {"tinytorch": "[" * 100_000}}, b""),
        "metadata do not say .*RecursionError",
    ),
]


@pytest.mark.parametrize(("data", "what"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "wrong"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=what) as caught:
        tinytorch.load(path)
    assert str(caught.value).startswith(f"load: {path}")


@given(st.data())
def test_any_damage_to_the_header_is_refused_or_harmless(tmp_path_factory: Any, data: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    tinytorch.save({"a": np.arange(3.0), "n": {"b": np.ones((2, 2)), 1: "text"}}, path)
    good = path.read_bytes()
    place = data.draw(st.integers(0, 2 * len(good)))
    damaged = bytearray(good)
    if place < len(good):
        damaged[place] ^= data.draw(st.integers(1, 255))
    else:
        del damaged[place - len(good) :]
    path.write_bytes(damaged)
    try:
        tinytorch.load(path)
    except ValueError as error:
        assert str(error).startswith("load: ")  # noqa: PT017  (either is right)


class _Trap:
    def __reduce__(self) -> Any:
        return os.abort, ()


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pickle.dumps([_Trap(), "padding" * 100]))
    with pytest.raises(ValueError, match="a pickle"):
        tinytorch.load(tmp_path / "x")


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (nn.Linear(2, 1), r"got Linear; model.state_dict\(\) is the state of a module"),
        ({"a": [object()]}, "got object in 'a.0'"),
        ({"a": b"bytes"}, "got bytes in 'a'"),
        ({(1, 2): 3}, "a key is text or a number, got tuple"),
        ({"a": {"b": np.array(["text"])}}, "the format has no dtype <U4 in 'a.b'"),
        ({"a": np.array([None])}, "no dtype object in 'a'"),
        (np.ones(2, np.complex128), "no dtype complex128$"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path: Path, state: Any, what: str) -> None:
    with pytest.raises(TypeError, match=what):
        tinytorch.save(state, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_without_safetensors_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (lambda: tinytorch.save({}, "x"), lambda: tinytorch.load("x")):
        with pytest.raises(ImportError, match=r'pip install "tinytorch\[safetensors\]"'):
            call()
