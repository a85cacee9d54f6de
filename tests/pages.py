"""The pages of the documentation, held to their word: what the tests of each of them share."""

from __future__ import annotations

import ast
import contextlib
import io
import math
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]\d+)?")
FENCE = re.compile(r"(?ms)(?:<!-- (from|into) (\S+) -->\n)?^```python\n(.*?)^```$")


class Block(NamedTuple):
    """A Python block: one to "run", quoted "from" a file, or to be put "into" one."""

    line: int
    role: str
    path: str
    code: str


class Page:
    """A Markdown file: its text, its prose, its blocks of Python."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.relative_to(ROOT).as_posix()
        self.text = path.read_text(encoding="utf-8")
        # The library whose column of a table is run beside TinyTorch's: one that the tests have.
        other = re.search(r"\| (PyTorch|NumPy) \| TinyTorch \|", self.text)
        self.other = other[1] if other else None
        self.prose = re.sub(r"(?ms)^(```+|~~~+).*?^\1$", "", self.text)
        self.blocks = [
            Block(
                self.text.count("\n", 0, match.start(3)),
                match[1] or "run",
                match[2] or "",
                match[3],
            )
            for match in FENCE.finditer(self.text)
        ]

    def with_role(self, role: str) -> list[Block]:
        return [block for block in self.blocks if block.role == role]

    def run(self, until: int | None = None) -> dict[str, Any]:
        """Run the blocks in order; compare what they give with what is shown; give the names."""
        names: dict[str, Any] = {"__name__": "__main__"}
        for block in self.with_role("run")[:until]:
            # Tracebacks name the line of the page.
            for statement in ast.increment_lineno(ast.parse(block.code), block.line).body:
                shown = self._shown_after(statement)
                given = self._evaluated(statement, names, fails=bool(ERROR.match(shown)))
                assert_same_output(shown, given, f"{self.name}:{statement.lineno}")
        return names

    def rows(self) -> Iterator[dict[str, str]]:
        """Give each row of the tables, its cells by the heads of their columns."""
        head: list[str] = []
        for line in self.prose.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if not line.startswith("|"):
                head = []
            elif not head:
                head = cells
            elif not line.startswith("| ---"):
                yield dict(zip(head, cells, strict=True))

    def _evaluated(self, statement: ast.stmt, names: dict[str, Any], *, fails: bool) -> str:
        """Run a statement and give what an interactive session would show."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            try:
                if isinstance(statement, ast.Expr):
                    expression = compile(ast.Expression(statement.value), self.name, "eval")
                    sys.displayhook(eval(expression, names))  # noqa: S307
                else:
                    program = compile(ast.Module([statement], []), self.name, "exec")
                    exec(program, names)  # noqa: S102
            except Exception as error:
                if not fails:
                    raise
                return f"{type(error).__name__}: {error}"
        return printed.getvalue().strip()

    def _shown_after(self, statement: ast.stmt) -> str:
        """Read the comment behind a statement, and those on lines of their own right below."""
        assert statement.end_lineno is not None
        first, *below = self.text.splitlines()[statement.end_lineno - 1 :]
        comments = [first.encode()[statement.end_col_offset :].decode().strip()]
        for line in below:
            if not line.lstrip().startswith("#"):
                break
            comments.append(line.strip())
        shown = "\n".join(comment[2:] for comment in comments).strip()
        return shown if isinstance(statement, ast.Expr) or ERROR.match(shown) else ""


ERROR = re.compile(r"\w+Error: ")


def assert_same_output(shown: str, given: str, where: str) -> None:
    """Compare exactly, but for the last digits of numbers, in which processors differ.

    Of a message, which may be cut short by `...`, line breaks don't count.
    """
    if ERROR.match(shown):
        shown, given = (" ".join(text.split()) for text in (shown, given))
        if shown.endswith("..."):
            shown, given = shown[:-3], given[: len(shown) - 3]
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", given), f"{where}: {given}"
    for a, b in zip(NUMBER.findall(shown), NUMBER.findall(given), strict=True):
        assert math.isclose(float(a), float(b), rel_tol=1e-8, abs_tol=1e-12), f"{where}: {given}"


def is_verbatim(block: Block) -> bool:
    """Whether a quotation stands in the source as it is, perhaps indented."""
    source = (ROOT / block.path).read_text(encoding="utf-8")
    return any(f"\n{textwrap.indent(block.code, indent)}" in source for indent in ("", " " * 4))
