"""Pages that are written from the code: the reference, and the list of files."""

from __future__ import annotations

import inspect
import re
import textwrap
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import tinytorch
from tinytorch import Operation, Tensor, autograd, data, distributions, nn, optim, pictures, scipy
from tinytorch.nn import init, utils
from tinytorch.optim import lr_scheduler, swa_utils

PACKAGE = Path(tinytorch.__file__).parent
SPECIAL = re.compile(r"([*_|\\])")


def as_restructured_text(
    _app: Any, _what: str, name: str, obj: Any, _options: Any, lines: list[str]
) -> None:
    """Make of a docstring's plain text what Sphinx reads; add an example where it has none."""
    if not any(line.lstrip().startswith(">>>") for line in lines):
        lines += example(name, obj)
    text: list[str] = []
    in_example = False
    for line in lines:
        begins = line.lstrip().startswith(">>>")
        if begins and not in_example and text and text[-1]:
            text.append("")
        in_example = begins or (in_example and bool(line.strip()))
        text.append(line if in_example else escaped(line))
    lines[:] = [*text, ""]


def escaped(line: str) -> str:
    """Let a line of plain text be plain; what stands between backticks is code."""
    return "".join(
        f"``{piece[1:-1]}``" if piece[:1] == "`" else SPECIAL.sub(r"\\\1", piece)
        for piece in re.split(r"(`[^`]*`)", line.strip())
    )


# --- examples -------------------------------------------------------------------------------------


# What to make modules and functions of, and what to give them, where one tensor isn't enough.
SEQUENCE, IMAGE, VOLUME = "np.ones((1, 4, 6))", "np.ones((1, 4, 6, 6))", "np.ones((1, 4, 4, 4, 4))"
INPUTS = (
    "Tensor([0.25, 0.5])", "Tensor([1.5, 2.0])", "Tensor([[2.0, 1.0], [1.0, 3.0]])",
    f"Tensor({SEQUENCE})", f"Tensor({IMAGE})", f"Tensor({VOLUME})",
)  # fmt: skip
ARGUMENTS = (
    "x", "x, np.array([1.0, 0.0])", "x, np.array([1, 0])", "x, 1", "x, 2", "x, 0, 1", "x, (2, 1)",
    "x, np.array([0])", "[x, x]", "x, np.array([[1, 0], [0, 1]])", "x, 0, np.array([0])",
    "x > 0.3, x, 0.0", "x, x, 0.5", "x, x, x", "x, x > 1, 0.0", "x, x > 1", "x, 0, (2, 1)",
    "x, np.array([1.0, 0.0]), np.array([1.0, 1.0])", "x, np.eye(2), np.eye(2)",
    "x, x, np.array([1.0, -1.0])", "x, np.eye(2), x, 1",
    "np.array([0, 1]), x", "x, np.ones((2, 4, 3))", "x, np.ones((2, 4, 3, 3))",
    "x, np.ones((2, 4, 3, 3, 3))", "x, np.ones((4, 2, 3))", "x, np.ones((4, 2, 3, 3))",
    "x, np.ones((4, 2, 3, 3, 3))", "x, (1, 1)", "x, (6, 6), 3", "x, scale_factor=2",
)  # fmt: skip
MADE_WITH = (
    "", "2", "4, 2, 3", "2, 3", "3", "0.5", "2, 2", "1, (2, 1)", "(2,)", "4, 2", "0.1, 20.0",
    "2, 2, 3",
)  # fmt: skip
GIVEN = (
    "x", "x, np.array([1.0, 0.0])", "x, np.array([1, 0])", "x, x, x",
    "x, x, np.array([1.0, -1.0])",
)  # fmt: skip


# What is shown of functions that take other things than tensors. Of each line the value is shown.
LINES = {
    "eye": "tinytorch.eye(2)",
    "full": "tinytorch.full((2,), 7.0)",
    "linspace": "tinytorch.linspace(0, 1, 5)",
    "logspace": "tinytorch.logspace(0, 2, 3)",
    "tril_indices": "tinytorch.tril_indices(2, 2)",
    "triu_indices": "tinytorch.triu_indices(2, 2)",
    "randperm": "tinytorch.randperm(5).shape",
    "randint": "tinytorch.randint(0, 10, (3,)).shape",
    "normal": "tinytorch.normal(0.0, 1.0, (3,)).shape",
    "multinomial": "tinytorch.multinomial(np.array([0.0, 1.0]), 1)",
    "bernoulli": "tinytorch.bernoulli(tinytorch.ones(3))",
    "full_like": "tinytorch.full_like(Tensor([1.0, 2.0]), 7.0)",
    "is_tensor": "tinytorch.is_tensor(np.ones(2))",
    "is_grad_enabled": "tinytorch.is_grad_enabled()",
    "get_default_dtype": "tinytorch.get_default_dtype()",
    "cross": "tinytorch.cross(Tensor([1.0, 0.0, 0.0]), Tensor([0.0, 1.0, 0.0]))",
    "scatter_add": "tinytorch.scatter_add(Tensor([1.0, 2.0]), 0, [0, 0], Tensor([3.0, 4.0]))",
    "isnan": "tinytorch.isnan(Tensor([1.0, np.inf]))",
    "calculate_gain": "nn.init.calculate_gain('relu')",
    "fans": "nn.init.fans(tinytorch.ones(3, 2))",
    "one_hot": "nn.functional.one_hot(np.array([0, 2]), 3)",
    "MLP": "nn.MLP(3, [(4, nn.Activation.RELU), (1, nn.Activation.LINEAR)], rng=0).n_parameters",
    "ModuleList": "nn.ModuleList([nn.ReLU(), nn.Tanh()])[1]",
    "ModuleDict": "list(nn.ModuleDict({'bend': nn.ReLU()}))",
    "ParameterList": "len(nn.ParameterList([nn.Parameter(np.ones(2))]))",
    "ParameterDict": "list(nn.ParameterDict({'scale': nn.Parameter(np.ones(2))}))",
    "Activation": "list(nn.Activation)",
    "DataLoader": "[batch for batch in data.DataLoader(np.arange(5), batch_size=2)]",
    "Subset": "list(data.Subset(['a', 'b', 'c'], [2, 0]))",
    "ConcatDataset": "data.ConcatDataset([['a'], ['b', 'c']])[2]",
    "manual_seed": "tinytorch.manual_seed(0).normal()",
    **{
        name: f"tinytorch.{name}(2)" if name != "empty" else "tinytorch.empty(2).shape"
        for name in ("ones", "zeros", "empty")
    },
    **{name: f"tinytorch.{name}(2, 3).shape" for name in ("rand", "randn")},
    **{name: f"tinytorch.{name}(np.ones(2))" for name in ("as_tensor", "asarray", "from_numpy")},
    **{name: f"tinytorch.{name}(Tensor([1.0, 2.0]))" for name in ("ones_like", "zeros_like")},
    **{
        name: f"tinytorch.{name}(Tensor([1.0, 2.0])).shape"
        for name in ("empty_like", "rand_like", "randn_like")
    },
    **{
        name: f"tinytorch.{name}(Tensor([1.0, np.inf]))" for name in ("nanmean", "nansum")
    },
    **{name: f"nn.init.{name}(tinytorch.ones(2, 2))" for name in ("eye_", "ones_", "zeros_")},
    **{
        name: f"nn.init.{name}(tinytorch.ones(2, 2), rng=0).shape"
        for name in (
            "uniform_", "normal_", "trunc_normal_", "orthogonal_", "xavier_uniform_",
            "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
        )
    },
    "constant_": "nn.init.constant_(tinytorch.ones(2), 0.5)",
    "sparse_": "nn.init.sparse_(tinytorch.ones(4, 2), 0.5, rng=0).shape",
    "dirac_": "nn.init.dirac_(tinytorch.ones(1, 1, 3))",
}  # fmt: skip


def step_of(name: str) -> list[str]:
    """Show one step of an optimiser."""
    p = Tensor([1.0, -2.0])
    optimizer = getattr(optim, name)([p], lr=0.1)
    (p * p).sum().backward()
    optimizer.step()
    return [
        "",
        ">>> p = Tensor([1.0, -2.0])",
        f">>> optimizer = optim.{name}([p], lr=0.1)",
        ">>> (p * p).sum().backward()",
        ">>> optimizer.step()",
        ">>> p",
        repr(p),
    ]


def example(name: str, obj: Any) -> list[str]:
    """Run a function at a point or two, and show what comes of it and how fast it changes.

    Of what takes more than one tensor, the arguments are tried out; where none fit, none are shown.
    """
    word = name.rpartition(".")[2]
    if name.startswith("tinytorch.scipy."):  # of which some are called as others here
        return []
    if word in {"Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "NAdam", "RMSprop"}:
        return step_of(word)
    if word in LINES and ".Tensor." not in name:
        names = {"Tensor": Tensor, "tinytorch": tinytorch, "np": np, "nn": nn, "data": data}
        shown = eval(LINES[word], names)  # noqa: S307
        return ["", f">>> {LINES[word]}", *repr(shown).splitlines()]
    for call in calls_of(name, obj):
        for made in INPUTS:
            if session := ran(made, call):
                return ["", *session]
    return []


def calls_of(name: str, obj: Any) -> list[str]:
    """List the calls that may be an example of it."""
    owner, _, word = name.rpartition(".")
    if inspect.isclass(obj):
        made = MADE_WITH if issubclass(obj, nn.Module) else ()
        return [f"nn.{word}({how})({given})" for how in made for given in GIVEN]
    if word[0] == "_" or word in DANGEROUS or not callable(obj):
        return []
    if owner.endswith("Tensor"):
        own = [given[3:] for given in ARGUMENTS if given.startswith("x, ")]
        return [f"x.{word}({given})" for given in ["", *own] if not word.endswith("_")]
    if ".nn" in owner and word in nn.functional.__all__:
        return [f"nn.functional.{word}({given})" for given in ARGUMENTS]
    if word in tinytorch.functions.__all__:
        return [f"tinytorch.{word}({given})" for given in ARGUMENTS]
    return []


DANGEROUS = {"render", "explain", "backward", "numpy", "retain_grad"}


def ran(made: str, call: str) -> list[str]:
    """Give the lines of a session, or none if the call wants other arguments."""
    names: dict[str, Any] = {"Tensor": Tensor, "tinytorch": tinytorch, "np": np, "nn": nn}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tinytorch.manual_seed(0)
            names["x"] = x = eval(made, names)  # noqa: S307
            out = eval(call, names)  # noqa: S307
            session = [f">>> x = {made}"]
            large = isinstance(out, Tensor) and (out.size > 8 or out.ndim > 2)
            shown = f"{call}.shape" if large else call
            text = repr(out.shape if large else out)
            if out is None or " at 0x" in text or "nan" in text or len(text) > 600:
                return []
            session += [f">>> {shown}", *text.splitlines()]
            if isinstance(out, Tensor) and not large and out.requires_grad and out is not x:
                out.backward()
                session += [f">>> {call}.backward()", ">>> x.grad", *repr(x.grad).splitlines()]
    except Exception:  # noqa: BLE001  (whatever it wants: these aren't its arguments)
        return []
    return session if not any("nan" in line for line in session) else []


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
    ]
    table = "\n".join(
        f"| `{name}` | `{np.dtype(getattr(tinytorch, name))}` |"
        for name in dtypes
        if isinstance(getattr(tinytorch, name), type)
        and issubclass(getattr(tinytorch, name), np.generic)
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
        "nn_init": page("nn.init and nn.utils", module_text(init), entries(init) + entries(utils)),
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
            module_text(scipy),
            [
                text
                for room in rooms
                for text in [
                    f".. rubric:: {room.__name__}\n\n{in_restructured_text(room)}\n",
                    *entries(room),
                ]
            ],
        ),
        "pictures": page("pictures", module_text(pictures), entries(pictures)),
    }
    for name, text in pages.items():
        write(folder / f"{name}.md", text)


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
    "optim": "Optimisers",
    "compiler": "The compiler",
    "pictures": "Pictures",
}
FIRST = ["engine.py", "tensor.py", "autograd.py", "transforms.py", "arithmetic.py",
         "elementwise.py", "operation.py", "own.py", "kind.py", "module.py", "linear.py",
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
