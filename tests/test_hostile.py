"""What means harm, or lies at the end of what there is: files, labels, numbers, sizes."""

from __future__ import annotations

import json
import os
import struct
import time
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from test_operations import ELEMENTWISE

import tinytorch
from tinytorch import Tensor, pictures
from tinytorch.operations.operands import describe

# --- files ----------------------------------------------------------------------------------------


def written(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_a_file_of_very_many_names(tmp_path: Path) -> None:
    n = 20_000
    header = {
        f"{i}.{'x' * (i % 50)}": {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]}
        for i in range(n)
    }
    loaded = tinytorch.load(written(tmp_path / "many", header, bytes(i % 251 for i in range(n))))
    assert len(loaded) == n
    assert all(int(x[0]) == int(name.partition(".")[0]) % 251 for name, x in loaded.items())


def test_many_names_of_bfloat16_take_as_long_as_others(tmp_path: Path) -> None:
    n = 3000  # the header once more for each of them would take a minute
    header = {
        str(i): {"dtype": "BF16", "shape": [1], "data_offsets": [2 * i, 2 * i + 2]}
        for i in range(n)
    }
    halves = np.arange(n, dtype="<u2")
    path = written(tmp_path / "many", header, halves.tobytes())
    start = time.process_time()
    loaded = tinytorch.load(path)
    assert time.process_time() - start < 5
    bits = np.concatenate([loaded[str(i)] for i in range(n)]).view(np.uint32)
    assert_array_equal(bits >> 16, halves)


@pytest.mark.parametrize(
    ("shape", "offsets"),
    [
        ([3], [0, 4]),
        ([1], [4, 8]),
        ([1], [4, 0]),
        ([-1], [0, 4]),
        ([1], [-4, 0]),
        ([2**63, 2**63], [0, 4]),
        ([2**32, 2**32], [0, 0]),
        ([0, 2**62], [0, 0]),
        ([1] * 65, [0, 4]),
        ([1] * 65, [0, 2]),
        ([1.5], [0, 4]),
        ([1], [0, 2**64]),
        ([1], [0]),
        ("1", [0, 4]),
    ],
)
@pytest.mark.parametrize("dtype", ["F32", "BF16"])
def test_a_header_that_lies_about_sizes(
    tmp_path: Path, dtype: str, shape: Any, offsets: Any
) -> None:
    header = {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}
    with pytest.raises(ValueError, match=r"^load: "):
        tinytorch.load(written(tmp_path / "lies", header, bytes(4)))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"^load: .*pipe is a pipe or a device"):
        tinytorch.load(tmp_path / "pipe")


def test_a_file_open_as_text_is_refused_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "text"
    tinytorch.save({"x": np.array([-1.5])}, path)  # no UTF-8
    with path.open(encoding="utf-8") as file, pytest.raises(TypeError, match="for reading bytes"):
        tinytorch.load(file)


@given(
    structure=st.recursive(
        st.none() | st.integers() | st.sampled_from(["a", "array", "list", "tuple", "dict"]),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(st.sampled_from(["array", "list", "dict", "eval"]), part, max_size=2)
        ),
        max_leaves=8,
    )
)
def test_any_structure_is_read_or_refused(tmp_path_factory: Any, structure: Any) -> None:
    header = {
        "__metadata__": {"tinytorch": json.dumps(structure)},
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
    }
    path = written(tmp_path_factory.getbasetemp() / "structure", header, b"x")
    try:
        tinytorch.load(path)
    except ValueError as error:
        assert str(error).startswith("load: ")  # noqa: PT017  (either is right)


def test_a_state_of_other_keys_changes_nothing() -> None:
    model = tinytorch.nn.Linear(2, 1, rng=0)
    before = model.weight.data.copy()
    state = {**model.state_dict(), "weight": np.ones((1, 2)), 3: np.ones(2)}
    with pytest.raises(RuntimeError, match="unexpected in the state: 3"):
        model.load_state_dict(state)
    assert_array_equal(model.weight.data, before)


# --- labels ---------------------------------------------------------------------------------------

LABELS = ["</script><script>alert(1)</script>", '"]; evil [label="', "a\\N\\", "%s{0}{x!r}",
          "\x00\x1b[2J", "__import__('os')", "x\n\n= 1", "\u202eabc", "\ud800",
          "", "é" * 10_000]  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=range(len(LABELS)))
def test_a_label_is_only_text(label: str, tmp_path: Path) -> None:
    x = Tensor([1.0, 2.0], label=label)
    y = (x * x).sum()
    y.backward()
    assert x.label == label
    repr(x), repr(y), str(x)
    with pytest.raises(ValueError, match="shape") as raised:
        x @ Tensor(np.ones((3, 3)), label=label)
    assert len(str(raised.value)) < 1000
    if label.isprintable() or "\n" in label:
        assert repr(pictures.render(y, tmp_path / "graph.dot")) == "Picture(3 nodes)"

    @tinytorch.compile
    def step(a: Any) -> Any:
        return (x * a).sum()

    assert step(2.0).item() == step(2.0).item() == 6.0
    compile(str(step.program), "program", "exec")  # whatever it is called, it is still a program


# --- numbers --------------------------------------------------------------------------------------

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def ends(dtype: str) -> Any:
    info = np.finfo(dtype)
    parts = [info.max, info.min, info.tiny, info.smallest_subnormal, info.eps, np.inf, np.nan, 0.0]
    return np.array([*parts, *(-np.array(parts))], dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_ends_of_whole_numbers_become_floats(dtype: str) -> None:
    info = np.iinfo(dtype)
    array = np.array([info.min, info.max], dtype)
    x = Tensor(array)
    assert x.dtype == np.float64
    assert_array_equal(x.data, array.astype(float))
    y = Tensor([1.0, 1.0]) * array
    assert_array_equal(y.data, array.astype(float))


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**64), 10**300])
def test_whole_numbers_beyond_64_bits_become_floats(number: int) -> None:
    x, y = Tensor(number), Tensor([0.0, 0.0])
    assert x.item() == float(number)
    y.data = y.grad = [number, True]
    assert y.data.tolist() == y.grad.tolist() == [float(number), 1.0]
    assert Tensor([[2**64]], dtype="float32").dtype == np.float32
    with pytest.raises(ValueError, match="too large for float64"):
        Tensor([number**1000])
    # From 3.14 on Python's reprlib says how many digits they are.
    for x in (10**5000, -(10**5000), [10**5000]):
        assert describe(x).startswith(type(x).__name__)
        assert len(describe(x)) < 100
    assert "digits" in describe(10**5000)
    with pytest.raises(TypeError, match="expected a number"):
        Tensor([number, None])


@pytest.mark.parametrize("operation", ELEMENTWISE, ids=itemgetter(0))
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_at_the_ends_of_floats_there_is_a_value_and_a_gradient(operation: Any, dtype: str) -> None:
    _, method, operands = operation
    points = ends(dtype)
    arrays = np.meshgrid(*[points] * operands)
    tensors = [Tensor(x) for x in arrays]
    out = method(*tensors)
    out.backward()
    assert out.dtype in (np.dtype(dtype), np.float64)
    for x, data in zip(tensors, arrays, strict=True):
        assert x.grad.dtype == dtype
        assert x.grad.shape == data.shape
        assert_array_equal(x.data, data)  # it was read, and nothing more


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_saved_numbers_of_the_ends_come_back(dtype: str, tmp_path: Path) -> None:
    tinytorch.save({"x": ends(dtype)}, tmp_path / "x")
    assert tinytorch.load(tmp_path / "x")["x"].tobytes() == ends(dtype).tobytes()


# --- sizes ----------------------------------------------------------------------------------------

N = 2**31 + 1


def test_views_of_more_entries_than_31_bits_count() -> None:
    x = Tensor(np.ones(1, np.float32))
    y = np.broadcast_to(x, (N,))
    assert y.shape == (N,)
    assert y.size == N
    assert y.data.strides == (0,)
    assert y[N - 1].item() == y[-N].item() == 1
    assert y[-3:].shape == (3,)
    assert y[:: 2**30].shape == (3,)
    assert y.reshape(1, N).T.shape == (N, 1)
    assert y.unsqueeze(0).swapaxes(0, 1).squeeze(1).shape == (N,)
    assert np.split(y, [2**31])[1].shape == (1,)
    assert [part.size for part in np.array_split(y, 2)] == [2**30 + 1, 2**30]
    assert "..." in repr(y)
    with pytest.raises(IndexError, match=str(N)):
        y[N]
    with pytest.raises(ValueError, match="shape"):
        y + np.ones(2)


def test_no_entries_along_very_many() -> None:
    x = Tensor(np.empty((2**40, 0)))
    y = (x * 2).exp().sum()
    y.backward()
    assert y.item() == 0
    assert x.grad.shape == (2**40, 0)
    assert x.sum(0).shape == (0,)
    assert (x.T @ x).shape == (0, 0)
