"""Write docs/mistakes.md: the mistakes that tests/test_mistakes.py holds, and what is said."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "docs" / "mistakes.md"
HEAD = """\
# Mistakes that beginners make

Each of these was written as one writes it at first, by somebody who knows NumPy and is new to
gradients, or by somebody who comes from PyTorch or JAX. Below the code stands what TinyTorch says
of it. This page is made of the table in `tests/test_mistakes.py` by `make mistakes`.
"""
WHO = {
    "newcomer": "Those who are new to gradients",
    "PyTorch": "Those who come from PyTorch",
    "JAX": "Those who come from JAX",
}


def page(told: Iterable[tuple[Any, str]], unseen: Iterable[Any]) -> str:
    """Write the page of mistakes, each with what is said of it; and of those that aren't seen."""
    told = list(told)
    parts = [HEAD]
    for who, title in WHO.items():
        parts.append(f"## {title}\n")
        for mistake, message in told:
            if mistake.who == who:
                parts.append(f"### {mistake.name[0].upper()}{mistake.name[1:]}\n")
                parts.append(f"```python\n{mistake.code}\n```\n")
                parts.append(f"```text\n{mistake.kind.__name__}: {message}\n```\n")
    parts.append("## What nobody tells you\n")
    parts.append("Some mistakes are programs like any other. These are to be known.\n")
    for mistake in unseen:
        parts.append(f"### {mistake.name[0].upper()}{mistake.name[1:]}\n")
        parts.append(f"```python\n{mistake.code}\n```\n")
        parts.append("\n".join(textwrap.wrap(mistake.why, 100)) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    from test_mistakes import MISTAKES, UNSEEN, message_of

    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(page([(mistake, message_of(mistake)) for mistake in MISTAKES], UNSEEN))
