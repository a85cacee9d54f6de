"""Pages that are written from the code: the reference, and the list of files."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from from_running import example

import tinytorch
from tinytorch import (
    Operation,
    Tensor,
    autograd,
    data,
    diagnostics,
    distributions,
    fft,
    linalg,
    nn,
    optim,
    pictures,
    scipy,
)
from tinytorch.nn import init, utils
from tinytorch.optim import lr_scheduler, swa_utils

EMPHASIS = re.compile(r"\B\\\*(\w+)\\\*\B")
PACKAGE = Path(tinytorch.__file__).parent
SPECIAL = re.compile(r"([*_|\\])")


def as_restructured_text(
    _app: Any, _what: str, name: str, obj: Any, _options: Any, lines: list[str]
) -> None:
    """Make of a docstring's plain text what Sphinx reads; add an example where it has none."""
    if not any(line.lstrip().startswith(">>>") for line in lines):
        lines += example(name, obj)
    text: list[str] = []
    in_example = in_code = False
    for line in lines:
        begins = line.lstrip().startswith(">>>")
        if begins and not in_example and text and text[-1]:
            text.append("")
        in_example = begins or (in_example and bool(line.strip()))
        indented = line.startswith("    ") and not in_example
        if indented and not in_code and not (text and text[-1]):
            text += [".. code-block:: python", ""]
            in_code = True
        in_code = in_code and (indented or not line)
        text.append(line if in_example or in_code else escaped(line))
    lines[:] = [*text, ""]


def escaped(line: str) -> str:
    """Let a line of plain text be plain; what stands between backticks is code."""
    return "".join(
        f"``{piece[1:-1]}``"
        if piece[:1] == "`"
        else EMPHASIS.sub(r"*\1*", SPECIAL.sub(r"\\\1", piece))
        for piece in re.split(r"(`[^`]*`)", line.strip())
    )


# --- the reference --------------------------------------------------------------------------------


def public(owner: Any) -> list[str]:
    """Give the public names of a module, in order."""
    names = getattr(owner, "__all__", None) or [
        name
        for name, value in vars(owner).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == owner.__name__
    ]
    return sorted(names, key=str.lower)


def entry(path: str, value: Any, members: str = "") -> str:
    if inspect.isclass(value):
        return f".. autoclass:: {path}\n{members}"
    if callable(value):
        return f".. autofunction:: {path}\n"
    return ""


def page(title: str, text: str, entries: list[str]) -> str:
    body = "\n".join(entry for entry in entries if entry)
    return f"# {title}\n\n{text}\n\n```{{eval-rst}}\n{body}\n```\n"


def entries(owner: ModuleType, names: list[str] | None = None) -> list[str]:
    members = "   :members:\n"
    return [
        entry(f"{owner.__name__}.{name}", getattr(owner, name), members)
        for name in (public(owner) if names is None else names)
        if not inspect.ismodule(getattr(owner, name))
    ]


def write_reference(folder: Path) -> None:
    operations = {op.name.lower() for op in Operation}
    here = public(tinytorch)
    functions = [name for name in here if name in tinytorch.functions.__all__]
    tensors = [
        name for name in here if name in {*tinytorch.factories.__all__, *tinytorch.sampling.__all__}
    ]
    dtypes = [name for name in here if name in tinytorch.dtypes.__all__]
    rest = [
        name for name in here if name not in {*functions, *tensors, *dtypes, "Tensor", "Operation"}
    ]
    methods = [
        name
        for name in sorted(dir(Tensor))
        if not name.startswith("_")
        and (callable(getattr(Tensor, name)) or isinstance(getattr(Tensor, name), property))
        and not refuses(getattr(Tensor, name))
    ]
    table = "\n".join(
        f"| `{name}` | `{getattr(tinytorch, name)}` |"
        for name in dtypes
        if isinstance(getattr(tinytorch, name), np.dtype)
    )
    rooms = [getattr(scipy, name) for name in scipy.__all__ if name != "sparse"]
    rooms.append(scipy.sparse.linalg)
    pages = {
        "package": page(
            "The package: transforms, modes, operations of one's own",
            "`tinytorch.` and these names. The dtypes are NumPy's under PyTorch's names:\n\n"
            f"| name | NumPy's |\n| --- | --- |\n{table}",
            [*entries(tinytorch, rest), *entries(tinytorch, ["Operation"])],
        ),
        "tensor": page(
            "Tensor",
            "The class, its properties, and its methods, which are the operations too: each method "
            "is what NumPy's function of that name does with a tensor.",
            [
                ".. autoclass:: tinytorch.Tensor\n",
                *(
                    f".. auto{'property' if is_property else 'method'}:: tinytorch.Tensor.{name}\n"
                    for name in methods
                    for is_property in [isinstance(getattr(Tensor, name), property)]
                ),
            ],
        ),
        "making": page(
            "Making tensors",
            "Tensors made from numbers, and of random ones, by PyTorch's names.",
            entries(tinytorch, tensors),
        ),
        "functions": page(
            "Functions",
            "The operations as functions of the package: `tinytorch.exp(x)` is `x.exp()`. "
            f"There are {len(operations)} operations; some have several names.",
            entries(tinytorch, functions),
        ),
        "autograd": page("autograd", module_text(autograd), entries(autograd)),
        "nn": page("nn: modules", module_text(nn), entries(nn)),
        "nn_functional": page("nn.functional", module_text(nn.functional), entries(nn.functional)),
        "nn_init": page(
            "nn.init and nn.utils",
            module_text(init),
            entries(init) + entries(utils) + entries(utils.rnn),
        ),
        "linalg": page("linalg", module_text(linalg), entries(linalg)),
        "optim": page("optim: optimisers", module_text(optim), entries(optim)),
        "lr_scheduler": page(
            "optim.lr_scheduler and optim.swa_utils",
            module_text(lr_scheduler),
            entries(lr_scheduler) + entries(swa_utils),
        ),
        "data": page("data", module_text(data), entries(data)),
        "distributions": page("distributions", module_text(distributions), entries(distributions)),
        "scipy": page(
            "scipy: what takes tensors in SciPy's place",
            f"{module_text(scipy)} Below, `scipy` is `from tinytorch import scipy`.",
            [
                text
                for room in rooms
                for text in [
                    f".. rubric:: {room.__name__}\n\n{in_restructured_text(room)}\n",
                    *entries(room),
                ]
            ],
        ),
        "fft": page("fft", module_text(fft), entries(fft)),
        "pictures": page("pictures", module_text(pictures), entries(pictures)),
        "diagnostics": page("diagnostics", module_text(diagnostics), entries(diagnostics)),
    }
    for name, text in pages.items():
        write(folder / f"{name}.md", text)


def refuses(member: Any) -> bool:
    """Whether it is there only to say what to write instead."""
    getter = getattr(member, "fget", None)
    return getter is not None and getter.__annotations__.get("return") == "NoReturn"


def module_text(module: ModuleType) -> str:
    return inspect.getdoc(module) or ""


def in_restructured_text(module: ModuleType) -> str:
    return "\n".join(map(escaped, module_text(module).splitlines()))


def write(path: Path, text: str) -> None:
    """Write a file if it has changed, so that Sphinx reads again only what is new."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


# --- the house ------------------------------------------------------------------------------------

ROOMS = {
    "": "The core, and what is built on it",
    "operations": "The operations: the calculus table in families",
    "arrays": "The kinds of array",
    "nn": "Networks",
    "nn/utils": "What is done to parameters, and to sequences",
    "optim": "Optimisers",
    "transforms": "Transforms of functions",
    "optim/lr_scheduler": "Schedules of the learning rate",
    "pytorch": "PyTorch's names",
    "scipy": "SciPy's names",
    "diagnostics": "Seeing what training does",
    "compiler": "The compiler",
    "pictures": "Pictures",
}
FIRST = ["engine.py", "tensor.py", "gradients.py", "autograd.py", "arithmetic.py",
         "elementwise.py", "operation.py", "own.py", "kind.py", "batch.py", "calling.py",
         "gradients.py", "module.py", "linear.py",
         "optimizer.py", "recording.py", "program.py", "graph.py"]  # fmt: skip


def write_house(path: Path) -> None:
    """List every file of the package, folder by folder, with its docstring's first sentence."""
    text = [
        "# Every file\n",
        "Each file has one job. Within a folder those to read first come first.\n",
    ]
    found = {file.parent.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py")}
    for folder in sorted(found, key=lambda name: [*ROOMS, name].index("" if name == "." else name)):
        name = "" if folder == "." else folder
        text.append(
            f"## {ROOMS.get(name, name)}\n\n| file | its one job | lines |\n| --- | --- | --: |"
        )
        files = sorted((PACKAGE / folder).glob("*.py"), key=reading_order)
        for file in files:
            source = file.read_text(encoding="utf-8")
            job = re.match(r'"""(.*?)(?:"""|\n\n)', source, re.DOTALL)
            first = textwrap.shorten(job[1], 300).replace("|", "\\|") if job else ""
            shown = file.relative_to(PACKAGE.parent).as_posix()
            text.append(f"| `{shown}` | {first} | {source.count(chr(10))} |")
        text.append("")
    write(path, "\n".join(text))


def reading_order(file: Path) -> tuple[int, str]:
    return (FIRST.index(file.name) if file.name in FIRST else len(FIRST), file.name)
