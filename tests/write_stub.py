"""Write `methods.pyi` and `functions.pyi`: what a type checker and an editor see of the operations.

The stubs are made from the live class and module. An operation of a tensor gives a tensor, unless
its annotation or its overloads say more; PyTorch's names of parameters make an overload of their
own.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, get_overloads

from tinytorch import Tensor
from tinytorch.operations.methods import Methods
from tinytorch.pytorch import functions

PATH = Path(sys.modules[Methods.__module__].__file__ or "").with_suffix(".pyi")
FUNCTIONS_PATH = Path(functions.__file__).with_suffix(".pyi")

HEADER = '''\
"""The methods of a tensor that are operations, as a type checker sees them.

Written by `make stub` from the class; don't edit.
"""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy.typing as npt

from tinytorch.engine import Array
from tinytorch.operations.decompositions import QRResult
from tinytorch.operations.factorizations import TriangularSolution
from tinytorch.operations.indexing import ValuesIndices
from tinytorch.operations.linalg import SlogdetResult, TorchSVDResult
from tinytorch.operations.reductions import Axis
from tinytorch.operations.shape import Size
from tinytorch.operations.torch_names import MinMax
from tinytorch.tensor import Tensor

class Methods:
'''

FUNCTIONS_HEADER = '''\
"""The operations as functions of the package, as a type checker sees them.

Written by `make stub` from the module; don't edit.
"""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy.typing as npt

from tinytorch.arrays.plain import PlainArray
from tinytorch.engine import Array
from tinytorch.operations.decompositions import QRResult
from tinytorch.operations.factorizations import TriangularSolution
from tinytorch.operations.indexing import ValuesIndices
from tinytorch.operations.linalg import SlogdetResult, TorchSVDResult
from tinytorch.operations.reductions import Axis
from tinytorch.operations.torch_names import MinMax
from tinytorch.tensor import Tensor
'''

HIDDEN = {"__slots__", "__annotations__"}
REFUSED = {"__setitem__"}  # it says what to write instead
# Those that give an array or a number.
PLAIN = {
    *("all", "any", "argmax", "argmin", "argsort", "count_nonzero"),
    *("allclose", "equal", "is_floating_point", "nonzero", "unique"),
    *("argwhere", "frexp", "isneginf", "isposinf", "nanmedian", "signbit", "tensor_split"),
    *("split_with_sizes", "gradient"),
}


def stub() -> str:
    """Give the text of the stub."""
    parts = [HEADER, indent(_quoted(inspect.getdoc(Methods)), "    ")]
    for name in _names():
        parts += _definitions(name, inspect.getattr_static(Methods, name))
    return _formatted(parts)


def functions_stub() -> str:
    """Give the text of the stub of the functions."""
    parts = [FUNCTIONS_HEADER, f"__all__ = {functions.__all__}"]
    for name in functions.__all__:
        function = getattr(functions, name)
        if getattr(function, "__wrapped__", None) is getattr(Tensor, name, functions):
            parts += map(dedent, _definitions(name, function, "input: Any"))
        else:
            parts.append(
                f"def {name}{_unquoted(function)}:\n{indent(_quoted(function.__doc__), '    ')}"
            )
    return _formatted(parts)


def _formatted(parts: list[str]) -> str:
    ruff = [Path(sysconfig.get_path("scripts"), "ruff"), "format", "--stdin-filename", PATH, "-"]
    done = subprocess.run(ruff, input="\n".join(parts), stdout=-1, check=True, encoding="utf-8")
    return done.stdout


def _names() -> Iterator[str]:
    families = reversed(Methods.__mro__[:-1])
    names = {name: None for cls in families for name in vars(cls)}
    for name in names:
        own = not hasattr(object, name) and name not in REFUSED
        if own and (not name.startswith("_") or name.endswith("__")) and name not in HIDDEN:
            yield name


def _definitions(name: str, attribute: Any, own: str = "self") -> Iterator[str]:
    if isinstance(attribute, property):
        yield "    @property"
        yield _definition(name, inspect.signature(attribute.fget), attribute.__doc__)
        return
    if isinstance(attribute, staticmethod):
        attribute = attribute.__func__
    signatures = list(_signatures(attribute))
    for signature in signatures:
        if len(signatures) > 1:
            yield "    @overload"
        yield _definition(name, signature, inspect.getdoc(attribute), own)


def _signatures(method: Callable[..., Any]) -> Iterator[inspect.Signature]:
    """Give a method's signatures: NumPy's spelling, and PyTorch's where it is another one."""
    given = [inspect.signature(overload) for overload in get_overloads(inspect.unwrap(method))]
    for signature in given or [inspect.signature(method)]:
        yield signature
        spelled = _in_torch(signature, getattr(method, "spellings", {}))
        if spelled != signature:
            yield spelled


def _in_torch(signature: inspect.Signature, spellings: Mapping[str, str]) -> inspect.Signature:
    theirs = {ours: theirs for theirs, ours in reversed(spellings.items())}
    parameters = signature.parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        theirs["axis"] = "dims"  # as of flip, which takes any number of them
    return signature.replace(
        parameters=[p.replace(name=theirs.get(p.name, p.name)) for p in parameters]
    )


def _definition(name: str, signature: inspect.Signature, doc: str | None, own: str = "self") -> str:
    first, *others = signature.parameters.values()
    parameters = [
        first.replace(name="self", annotation=first.empty, kind=first.POSITIONAL_OR_KEYWORD)
    ]
    parameters += [p.replace(annotation=_Words(_annotation(p))) for p in others]
    returned = signature.return_annotation
    if returned == "Any" and name not in PLAIN:
        returned = "Tensor"
    shown = inspect.Signature(parameters, return_annotation=_Words(returned))
    text = f"{shown}".replace("(self", f"({own}", 1)
    return f"    def {name}{text}:\n{indent(_quoted(doc), ' ' * 8)}"


def _unquoted(function: Callable[..., Any]) -> inspect.Signature:
    """Give a function's own signature, with its annotations as they are written."""
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=_Words(p.annotation)) for p in signature.parameters.values()]
    returned = _Words(signature.return_annotation)
    return signature.replace(parameters=parameters, return_annotation=returned)


class _Words(str):
    """An annotation that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _annotation(parameter: inspect.Parameter) -> str:
    """Give the annotation; a row's lambdas have none, and there the default tells."""
    if parameter.annotation is not parameter.empty:
        return str(parameter.annotation)
    if parameter.name == "dtype":
        return "npt.DTypeLike"
    if parameter.default is parameter.empty:
        return "Any"
    return "float | None" if parameter.default is None else type(parameter.default).__name__


def _quoted(doc: str | None) -> str:
    doc = inspect.cleandoc(doc or "")
    return f'"""{doc}\n"""' if "\n" in doc else f'"""{doc}"""'


if __name__ == "__main__":
    PATH.write_text(stub(), encoding="utf-8")
    FUNCTIONS_PATH.write_text(functions_stub(), encoding="utf-8")
