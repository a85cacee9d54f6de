"""The documentation is held to its word: every block of every page runs and gives what it shows."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import ROOT, Page, is_verbatim

import tinytorch
from tinytorch import Tensor, autograd, diagnostics, distributions, nn, optim, pictures
from tinytorch.scipy import (
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    signal,
    sparse,
    special,
)

DOCS = ROOT / "docs"
WRITTEN_BY_BUILD = {"notebooks", "_build"}
PAGES = [
    Page(path)
    for path in sorted(DOCS.rglob("*.md"))
    if not WRITTEN_BY_BUILD & set(path.relative_to(DOCS).parts)
    and not (path.parent.name == "reference" and path.stem != "index")
    and path.name not in ("house.md", "mistakes.md")  # tested with the table that it is made of
]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@each_page
def test_its_code_runs_and_gives_what_it_shows(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its blocks, and the code in those columns of its tables that are headed by a library."""
    monkeypatch.chdir(tmp_path)
    page.run()
    names = page.run(until=1)  # the block that stands before its table
    for row in page.rows():
        here, there = (run_cell(row.get(head, ""), names) for head in ("TinyTorch", page.other))
        for ours, theirs in zip(here, there, strict=False):
            values = [np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (ours, theirs)]
            if all(x.dtype.kind in "fib" for x in values):
                np.testing.assert_allclose(*values, rtol=1e-6, err_msg=str(row))


def run_cell(cell: str, names: dict[str, Any]) -> list[Any]:
    """Run the code between the backticks of a cell; give the values of its expressions."""
    values = []
    for code in re.findall(r"`([^`]+)`", cell):
        for line in code.split("; "):
            try:
                values.append(eval(line, names))  # noqa: S307
            except SyntaxError:
                exec(line, names)  # noqa: S102
    return values


@each_page
def test_quoted_code_is_verbatim_in_the_source(page: Page) -> None:
    assert all(is_verbatim(block) for block in page.with_role("from"))


@each_page
def test_what_it_names_is_there(page: Page) -> None:
    links = re.findall(r"\]\(((?!https:)[^)#]+)", page.prose)
    named = re.findall(r"`((?:tinytorch|tests|examples|benchmarks|assets)/[\w./-]*)`", page.prose)
    written = ("reference/", "notebooks/", "house.md")  # by the build, which checks links itself
    missing = [
        target
        for target in links
        if not (page.path.parent / target).exists() and not any(w in target for w in written)
    ] + [name for name in named if not (ROOT / name).exists()]
    assert not missing


@each_page
def test_it_begins_with_its_title(page: Page) -> None:
    assert page.text.startswith("# ")
    assert len(re.findall(r"(?m)^# ", page.prose)) == 1


def test_the_reference_has_every_name_and_the_house_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS)
    from_code = importlib.import_module("from_code")
    from_code.write_reference(tmp_path)
    reference = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md")}
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    assert {*reference, "numpy_functions"} == set(re.findall(r"(?m)^(\w+)$", index)) - {""}
    text = "\n".join(reference.values())
    for owner in (tinytorch, nn, nn.functional, optim):
        for name in owner.__all__:
            if callable(getattr(owner, name)) and name not in tinytorch.dtypes.__all__:
                assert f":: {owner.__name__}.{name}\n" in text
    from_code.write_house(tmp_path / "house.md")
    house = (tmp_path / "house.md").read_text(encoding="utf-8")
    for path in (ROOT / "tinytorch").rglob("*.py"):
        assert f"`{path.relative_to(ROOT).as_posix()}`" in house


def test_the_reference_shows_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    from_code = importlib.import_module("from_code")
    from_running = importlib.import_module("from_running")
    assert from_running.example("tinytorch.tanh", tinytorch.tanh)[:3] == [
        "", ">>> x = Tensor([0.25, 0.5])", ">>> tinytorch.tanh(x)"
    ]  # fmt: skip
    for word in from_running.LINES:
        assert len(from_running.example(f"tinytorch.{word}", None)) >= 3, word
    lines = ["Of `x` and *y.", ">>> 1", "1", "", "More."]
    from_code.as_restructured_text(None, "", "tinytorch.tanh", tinytorch.tanh, None, lines)
    assert lines == ["Of ``x`` and \\*y.", "", ">>> 1", "1", "", "More.", ""]


# A transfer that is refused, promises of nothing, and what others make or show.
WITHOUT_EXAMPLE = {"cuda", "retain_grad", "keep_freed_memory", "Distribution", "Plot"}


def test_each_name_outside_networks_has_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    from_code, from_running = map(importlib.import_module, ("from_code", "from_running"))
    names = [(f"tinytorch.{name}", getattr(tinytorch, name)) for name in tinytorch.__all__]
    names += [(f"tinytorch.Tensor.{name}", getattr(Tensor, name)) for name in dir(Tensor)]
    scipy = (
        integrate, interpolate, linalg, ndimage, optimize, signal, sparse.linalg, special,
    )  # fmt: skip
    for owner in (tinytorch.linalg, autograd, diagnostics, distributions, pictures, *scipy):
        names += [
            (f"{owner.__name__}.{name}", getattr(owner, name)) for name in from_code.public(owner)
        ]
    bare = {
        path.rpartition(".")[2]
        for path, value in names
        if "._" not in path
        and (callable(value) or isinstance(value, property))
        and not from_code.refuses(value)
        and path.rpartition(".")[2] not in tinytorch.dtypes.__all__  # which stand in a table
        and ">>>" not in (inspect.getdoc(value) or "")
        and not from_running.example(path, value)
    }
    assert bare == WITHOUT_EXAMPLE
