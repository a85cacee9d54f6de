"""The README is held to its word: its code runs and gives what it shows; what it names is there."""

from __future__ import annotations

import ast
import contextlib
import io
import math
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"(?ms)^```.*?^```$", "", README)
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]\d+)?")


class Block(NamedTuple):
    """A Python block: one to "run", quoted "from" a file, or to be put "into" one."""

    line: int
    role: str
    path: str
    code: str


def python_blocks() -> list[Block]:
    fence = re.compile(r"(?ms)(?:<!-- (from|into) (\S+) -->\n)?^```python\n(.*?)^```$")
    return [
        Block(README.count("\n", 0, match.start(3)), match[1] or "run", match[2] or "", match[3])
        for match in fence.finditer(README)
    ]


def blocks(role: str) -> list[Block]:
    found = [block for block in python_blocks() if block.role == role]
    assert found, role
    return found


# --- code to run ----------------------------------------------------------------------------------


def evaluated(statement: ast.stmt, names: dict[str, Any]) -> str:
    """Run a statement and give what an interactive session would show."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if isinstance(statement, ast.Expr):
            expression = compile(ast.Expression(statement.value), "README.md", "eval")
            sys.displayhook(eval(expression, names))  # noqa: S307
        else:
            exec(compile(ast.Module([statement], []), "README.md", "exec"), names)  # noqa: S102
    return printed.getvalue().strip()


def shown_after(statement: ast.stmt) -> str:
    """Read the comment behind an expression, and those on lines of their own right below."""
    if not isinstance(statement, ast.Expr):
        return ""
    first, *below = README.splitlines()[statement.end_lineno - 1 :]
    comments = [first[statement.end_col_offset :].strip()]
    for line in map(str.strip, below):
        if not line.startswith("#"):
            break
        comments.append(line)
    return "\n".join(comment[2:] for comment in comments).strip()


def assert_same_output(shown: str, given: str, where: str) -> None:
    """Compare exactly, but for the last digits of numbers, in which processors differ."""
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", given), where
    for a, b in zip(NUMBER.findall(shown), NUMBER.findall(given), strict=True):
        assert math.isclose(float(a), float(b), rel_tol=1e-8, abs_tol=1e-12), f"{where}: {given}"


def test_every_block_runs_and_gives_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks("run"):
        # Tracebacks name the line of the README.
        for statement in ast.increment_lineno(ast.parse(block.code), block.line).body:
            given = evaluated(statement, names)
            assert_same_output(shown_after(statement), given, f"README.md:{statement.lineno}")


# --- code that stands elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("from"), ids=lambda block: f"line {block.line}")
def test_quoted_code_is_verbatim_in_the_source(block: Block) -> None:
    source = (ROOT / block.path).read_text(encoding="utf-8")
    assert any(f"\n{textwrap.indent(block.code, indent)}" in source for indent in ("", " " * 4))


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
