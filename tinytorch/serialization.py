"""States in files: `save` and `load`, in the safetensors format, which holds data and no program.

A file is a header, which says of each array its name, dtype, shape and place, and the arrays one
after the other (https://huggingface.co/docs/safetensors). The state of a module is such a file's
arrays by name, the same as PyTorch's of the same module. How a nested state is put together is
written beside them, as JSON in the header's metadata.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeAlias

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.devices import device
from tinytorch.engine import Array
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

File: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | IO[bytes]
Tree: TypeAlias = dict[str, Any] | list[Any] | str | float | None  # what JSON can say

_STRUCTURE = "tinytorch"  # the key of the metadata


def save(state: Any, file: File) -> None:
    """Write a state into a file: dicts, lists and tuples of tensors, arrays, numbers and text.

    `model.state_dict()`, an optimiser's, or `{"model": ..., "optimizer": ..., "epoch": 3}`. Of a
    tensor its values are kept. `file` is a path, and what is written takes the place of an older
    file at once and as a whole: if it cannot be finished, the older one stays as it was. Or it is
    open for writing bytes, as an `io.BytesIO()` is, and stays open.

    Raises TypeError for what is none of these and for a file of text, ImportError where safetensors
    is missing, OSError where the file cannot be written.

    >>> with TemporaryDirectory() as folder:
    ...     save({"weight": Tensor([1.0, 2.0]), "epoch": 3}, f"{folder}/state.safetensors")
    ...     load(f"{folder}/state.safetensors")
    {'weight': array([1., 2.]), 'epoch': 3}
    """
    if isinstance(file, Mapping):
        raise TypeError("save: the path comes second, save(state, path); got a dict for it")
    _require_safetensors()
    from safetensors import numpy as safetensors

    arrays: dict[str, Array] = {}
    tree = _flatten(state, "", arrays)
    is_flat = isinstance(state, Mapping) and list(state) == list(arrays)
    metadata = None if is_flat else {_STRUCTURE: json.dumps(tree)}
    if hasattr(file, "write"):
        contents = safetensors.save(arrays, metadata)
        try:
            file.write(contents)
        except (TypeError, io.UnsupportedOperation):
            raise _no_bytes("save", "writing", "wb") from None
    else:
        _replace(_path("save", file), arrays, metadata)


def _replace(path: Path, arrays: dict[str, Array], metadata: dict[str, str] | None) -> None:
    """Write a file as a whole, in the place of an older one."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    target = path.resolve()  # what a link stands for, not the link
    with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
        unfinished = Path(beside, target.name)
        unfinished.touch()
        mode = unfinished.stat().st_mode  # of a new file; safetensors lets no one else read its own
        try:
            save_file(arrays, unfinished, metadata)
        except SafetensorError as error:
            raise OSError(f"save: {target} cannot be written: {error}") from None
        unfinished.chmod(mode)
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())  # on the disk before it has the name
        unfinished.replace(target)


def load(file: File, map_location: Any = None, *, weights_only: bool = True) -> Any:  # noqa: ARG001
    """Read what `save` wrote, with arrays in the place of tensors; or any safetensors file.

    That of a PyTorch model, written by `safetensors.torch`, is the same as of this library's:
    `model.load_state_dict(load(path))`. bfloat16, which NumPy has not, becomes float32, exactly.
    A file that is open for reading bytes is read from its position to its end. PyTorch's
    `map_location` is the CPU here, and `weights_only` changes nothing: there are but weights.

    Raises ValueError for a damaged file and for what is no such file, and says what is wrong with
    it, and for another `map_location`; TypeError for a file of text, OSError where it cannot be
    read, ImportError where safetensors is missing.

    >>> from tinytorch.nn import Linear
    >>> model = Linear(2, 1, rng=0)
    >>> with TemporaryDirectory() as folder:
    ...     save(model.state_dict(), f"{folder}/model.safetensors")
    ...     model.load_state_dict(load(f"{folder}/model.safetensors"))
    IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    """
    if device(map_location or "cpu").type != "cpu":
        raise ValueError(
            f"load: arrays come to the CPU, got map_location={map_location!r}: model.to(device) "
            "takes to a GPU what model.load_state_dict has read"
        )
    _require_safetensors()
    if not hasattr(file, "read"):
        path = _path("load", file)
        return _load(path, str(path))
    try:
        contents = memoryview(file.read())
    except (TypeError, UnicodeDecodeError, io.UnsupportedOperation):
        raise _no_bytes("load", "reading", "rb") from None
    name = f"{getattr(file, 'name', f'the {type(file).__name__}')}"
    if not contents:
        raise ValueError(f"load: {name} is empty from its position on; file.seek(0) goes back")
    with TemporaryDirectory() as folder:  # since safetensors opens files
        path = Path(folder, "state")
        path.write_bytes(contents)
        return _load(path, name)


def _load(path: Path, name: str) -> Any:
    """Read the file, which messages call by that name."""
    from safetensors import SafetensorError, safe_open

    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(
            f"load: {name} is a pipe or a device, of which nobody knows where it ends: "
            "load(io.BytesIO(contents)) takes what was read from it"
        )
    with path.open("rb") as file:
        header = cache(lambda: _header(file))  # once for all arrays, and only if one needs it
        try:
            with safe_open(path, framework="numpy") as contents:  # which checks the header
                arrays = {
                    key: _read(contents, key, file, name, header)
                    for key in contents.keys()  # noqa: SIM118
                }
                metadata = contents.metadata() or {}
        except SafetensorError as error:
            raise ValueError(f"load: {name} {_fault(file, str(error))}") from None
    if _STRUCTURE in metadata:
        try:
            return _unflatten(json.loads(metadata[_STRUCTURE]), arrays)
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(
                f"load: {name} is damaged: its metadata do not say how its arrays go together "
                f"({type(error).__name__}: {error})"
            ) from None
    # What a model holds twice, safetensors.torch.save_model leaves out once, and notes it there.
    arrays |= {
        twin: arrays[key] for twin, key in metadata.items() if key in arrays and twin not in arrays
    }
    return arrays


def _path(name: str, file: Any) -> Path:
    try:
        return Path(os.fsdecode(file))
    except TypeError:
        raise TypeError(
            f"{name}: the file is a path or open for bytes, got {describe(file)}"
        ) from None


def _no_bytes(name: str, doing: str, mode: str) -> TypeError:
    return TypeError(f'{name}: the file is not open for {doing} bytes, as open(path, "{mode}") is')


def _require_safetensors() -> None:
    try:
        import safetensors  # noqa: F401
    except ImportError:
        raise ImportError(
            'save and load need safetensors: pip install "tinytorch[safetensors]"'
        ) from None


# --- nested states --------------------------------------------------------------------------------


def _flatten(part: Any, name: str, arrays: dict[str, Array]) -> Tree:
    """Put the arrays of a state into `arrays` under their names, and say how they go together.

    Numbers, text and None stand for themselves, all else is a JSON object of one key that says what
    it is: {"array": name}, {"list": parts}, {"tuple": parts}, {"dict": pairs of key and part}.
    """
    if part is None or isinstance(part, str | int | float):
        return part
    if isinstance(part, Mapping):
        for key in part:
            if key is not None and not isinstance(key, str | int | float):
                raise TypeError(f"save: a key is text or a number, got {describe(key)}{_in(name)}")
        pairs = [[key, _flatten(x, _join(name, key), arrays)] for key, x in part.items()]
        return {"dict": pairs}
    if isinstance(part, list | tuple):
        kind = "list" if isinstance(part, list) else "tuple"
        return {kind: [_flatten(x, _join(name, i), arrays) for i, x in enumerate(part)]}
    if not hasattr(part, "dtype"):
        hint = (
            "; model.state_dict() is the state of a module" if hasattr(part, "state_dict") else ""
        )
        raise TypeError(
            "save: a state is made of dicts, lists, tensors, arrays, numbers and text, "
            f"got {type(part).__name__}{_in(name)}{hint}"
        )
    values = part._value if isinstance(part, Tensor) else part
    array = np.asarray(kind_of(values).numpy(values), order="C")
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > 8:
        raise TypeError(f"save: the format has no dtype {array.dtype}{_in(name)}")
    while name in arrays:  # {"a": {"b": x}, "a.b": y}
        name += "'"
    arrays[name] = array
    return {"array": name}


def _unflatten(tree: Tree, arrays: Mapping[str, Array]) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, parts),) = tree.items()
    if kind == "array":
        return arrays[parts]
    if kind == "dict":
        return {key: _unflatten(x, arrays) for key, x in parts}
    return {"list": list, "tuple": tuple}[kind](_unflatten(x, arrays) for x in parts)


def _join(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def _in(name: str) -> str:
    return f" in {name!r}" if name else ""


# --- files ----------------------------------------------------------------------------------------


def _header(file: Any) -> tuple[dict[str, Any], int]:
    """Give what a file says of its arrays, and where they begin."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    return json.loads(file.read(length)), 8 + length


def _read(
    contents: Any, key: str, file: Any, name: str, header: Callable[[], tuple[dict[str, Any], int]]
) -> Array:
    dtype = contents.get_slice(key).get_dtype()
    if dtype.startswith("F") and dtype not in ("F16", "F32", "F64"):
        raise ValueError(f"load: {name}: {key!r} is of dtype {dtype}, which NumPy has not")
    try:
        if dtype == "BF16":
            entries, begin = header()
            return _bfloat16(file, begin, entries[key])
        array: Array = contents.get_tensor(key)
    except ValueError as error:  # NumPy's, for more axes or entries than it can count
        raise ValueError(f"load: {name}: {key!r} is no array for NumPy: {error}") from None
    return array


def _bfloat16(file: Any, begin: int, entry: dict[str, Any]) -> Array:
    """Read an array of bfloat16, the upper halves of float32."""
    first, last = entry["data_offsets"]
    file.seek(begin + first)
    halves = np.frombuffer(file.read(last - first), np.dtype("<u2"))
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])


# How files begin that are mistaken for these.
_OTHERS = {
    b"PK": "a zip archive, as torch.save and np.savez write (see safetensors.torch.save_file)",
    b"\x80": "a pickle, which may run any program when it is read",
    b"\x93NUMPY": "a .npy file, which np.load reads",
    b"\x89HDF": "an HDF5 file",
}


def _fault(file: Any, message: str) -> str:
    """Say what is wrong with a file that safetensors has refused with this message."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(64)
    length = int.from_bytes(start[:8], "little")
    reason = message.removeprefix("Error while deserializing header: ")
    if not size:
        return "is empty"
    if start[8:9] != b"{":
        kinds = [kind for beginning, kind in _OTHERS.items() if start.startswith(beginning)]
        if (
            not kinds
            and start.isascii()
            and start.translate(None, b"\t\r\n").decode().isprintable()
        ):
            kinds = ["text"]
        return f"is no safetensors file{f', but {kinds[0]}' if kinds else f': {reason}'}"
    end = 8 + length
    if "not fully covered" in message:
        entries, _ = _header(file)
        entries.pop("__metadata__", None)
        end += max((x["data_offsets"][1] for x in entries.values()), default=0)
    if size < end:
        return f"is cut: {size} bytes are there, of {end} that its header speaks of"
    if "not fully covered" in message:
        return f"has {size - end} bytes more than its header speaks of"
    return f"is damaged: {reason}"
