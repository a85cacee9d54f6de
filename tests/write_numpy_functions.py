"""Write docs/reference/numpy_functions.md: NumPy's public functions, and what each does here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.operations.protocols import numpy_functions, plain_functions, whole_functions

PATH = Path(__file__).parents[1] / "docs" / "reference" / "numpy_functions.md"
HOMES = {
    "np": np,
    "np.linalg": np.linalg,
    "np.fft": np.fft,
    "np.lib.stride_tricks": np.lib.stride_tricks,
}
KINDS = {
    "gradient": "it has a rule, and gives tensors",
    "plain": "its result has no derivative, or one that is 0: it sees the values, and gives plain "
    "arrays or numbers",
    "refused": "it writes into an array behind the graph's back: a TypeError says what to write",
    "whole": "it takes whole numbers, bits or dates, which no tensor holds: TypeError",
    "missing": "it has no rule: TypeError",
    "NumPy's": "NumPy does not ask what a tensor does there: it takes numbers, and an array or a "
    "sequence made of a tensor that needs a gradient is a TypeError that says what to write",
}
HEAD = """\
# NumPy's functions

All public functions of NumPy {version}, and what each does with tensors. With `out=` all raise a
TypeError; `where=`, `initial=`, `dtype=`, `ddof=`, `correction=`, `weights=` and the like mean
what they mean in NumPy, by name or by place. `order=` of `ravel` and `reshape` is "C" or "F", since
a tensor's place in memory says nothing of its entries; elsewhere what says how memory is laid out
(`order="K"`, `copy=`, `device="cpu"`) changes nothing. A keyword that is neither obeyed nor without
effect is refused by name. Every ufunc with a rule also has `reduce`, `accumulate`, `outer` and
`reduceat`; its `at` is refused.

| kind | what it means | functions |
| --- | --- | --: |
"""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Walk through NumPy's public functions by name."""
    for home, module in HOMES.items():
        for name in sorted(name for name in dir(module) if not name.startswith("_")):
            function = getattr(module, name)
            is_function = callable(function) and not isinstance(function, type)
            if is_function and not inspect.ismodule(function) and name != "test":
                yield f"{home}.{name}", function


def kind(function: Callable[..., Any]) -> str:
    """Say what a function does with tensors: a key of `KINDS`."""
    if function in plain_functions:
        return "plain"
    if function in whole_functions:
        return "whole"
    if function in numpy_functions:
        annotations = getattr(numpy_functions[function], "__annotations__", {})
        return "refused" if annotations.get("return") == "NoReturn" else "gradient"
    asks = isinstance(function, np.ufunc) or hasattr(function, "_implementation")
    return "missing" if asks else "NumPy's"


def told(name: str, function: Callable[..., Any]) -> str:
    """Say what a function does here: what it gives, or what to write instead."""
    implementation = numpy_functions.get(function)
    if implementation is None:
        return ""
    if kind(function) == "refused":
        try:
            implementation(None)
        except TypeError as error:
            return f"{error}".partition(": ")[2]
    doc = inspect.getdoc(implementation)
    if not doc:  # of the same name in np
        doc = inspect.getdoc(numpy_functions[getattr(np, name.rpartition(".")[2])])
    first = (doc or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return first.partition(". ")[0].rstrip(".")


def page() -> str:
    """Write the page."""
    found = [(name, function, kind(function)) for name, function in functions()]
    text = HEAD.format(version=".".join(np.__version__.split(".")[:2]))
    for key, meaning in KINDS.items():
        text += f"| {key} | {meaning} | {sum(of == key for *_, of in found)} |\n"
    for home in HOMES:
        own = [entry for entry in found if entry[0].rpartition(".")[0] == home]
        text += f"\n## {home}\n\n| function | kind | what it gives |\n| --- | --- | --- |\n"
        for name, function, of in own:
            text += f"| `{name}` | {of} | {told(name, function)} |\n"
    return text


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
