"""The README is held to its word: its code runs and gives what it shows; what it names is there."""

from __future__ import annotations

import ast
import math
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pages import ROOT, Block, Page, is_verbatim

PAGE = Page(ROOT / "README.md")
README, PROSE = PAGE.text, PAGE.prose


def blocks(role: str) -> list[Block]:
    found = PAGE.with_role(role)
    assert found, role
    return found


def test_it_is_short() -> None:
    assert README.count("\n") <= 350


# --- code to run ----------------------------------------------------------------------------------


def test_every_block_runs_and_gives_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    PAGE.run()


# --- code that stands elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("from"), ids=lambda block: f"line {block.line}")
def test_quoted_code_is_verbatim_in_the_source(block: Block) -> None:
    assert is_verbatim(block)


def test_operation_to_add_works_and_is_tested_by_being_there(tmp_path: Path) -> None:
    (row,) = blocks("into")
    (above,) = (block for block in blocks("from") if block.path == row.path)
    for folder in ("tinytorch", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / row.path
    quoted, added = (textwrap.indent(block.code, " " * 4) for block in (above, row))
    path.write_text(path.read_text(encoding="utf-8").replace(quoted, quoted + added))

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    use = "from tinytorch import Operation, Tensor as T; print(T(0.5).sech().item(), Operation.SECH"
    value, operation, doc = run("-c", f"{use}, T.sech.__doc__)").split(maxsplit=2)
    assert float(value) == pytest.approx(1 / math.cosh(0.5), rel=1e-12)
    assert (operation, doc) == ("sech", "1 / cosh(x)\n")
    suite = "tests/test_operations.py"
    report = run("-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-k", "SECH", suite)
    assert re.search(r"^=+ [3-9] passed", report, re.MULTILINE), report


def statements(source: str) -> tuple[list[str], list[str]]:
    """Find the loss function and the training loop; give the statements of each as text."""
    nodes = list(ast.walk(ast.parse(source)))
    (loss,) = (
        node
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name == "binary_cross_entropy"
    )
    (loop,) = (
        node
        for node in nodes
        if isinstance(node, ast.For) and ast.unparse(node.body[0]) == "p = model(X_train)"
    )
    body = loss.body[ast.get_docstring(loss) is not None :]
    return [ast.unparse(node) for node in body], [ast.unparse(node) for node in loop.body]


def test_training_reads_like_the_example() -> None:
    loss, loop = statements("".join(block.code for block in blocks("run")))
    example = (ROOT / "examples" / "moons.py").read_text(encoding="utf-8")
    loss_there, loop_there = statements(example)
    assert loss == loss_there
    assert loop == loop_there[: len(loop)]


# --- what the README names ------------------------------------------------------------------------


def anchor(heading: str) -> str:
    """Give the link to a heading, as GitHub makes it."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_and_pictures_lead_to_something() -> None:
    links = [link for link in re.findall(r"\]\((.*?)\)", PROSE) if not link.startswith("https://")]
    for name in ("computational_graph", "classification_data", "classification_training"):
        assert f"assets/{name}.svg" in links
    assert "assets/classification_results.svg" in links
    anchors = set(map(anchor, re.findall(r"(?m)^#+ (.*)$", PROSE)))
    named = re.findall(r"`((?:tinytorch|tests|examples|benchmarks|assets)/[\w./-]*)`", PROSE)
    missing = [
        target
        for target in links + named
        if not (target in anchors if target.startswith("#") else (ROOT / target).exists())
    ]
    assert not missing


def test_make_targets_exist() -> None:
    commands = re.findall(r"(?m)^make .*$", README) + re.findall(r"`(make [^`]*)`", PROSE)
    words = [word for command in commands for word in command.partition("#")[0].split()[1:]]
    named = {word for word in words if "=" not in word}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "tests"} <= named
    assert named <= set(re.findall(r"(?m)^([a-z-]+):", makefile))
