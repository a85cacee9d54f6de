"""The examples `rosenbrock.py` and `taylor.py`, run as a user runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(script: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # -W error: the examples, too, run without a warning.
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *options]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_rosenbrock_ends_in_the_valley(tmp_path: Path) -> None:
    done = run("rosenbrock.py", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"^([\w-]+) +(\d+) +(\d+) +(\d+) +(\d+)   \[(.*)\], f = (\S+)$", done.stdout, re.MULTILINE
    )
    found = {row[0]: row for row in rows}
    assert list(found) == ["Nelder-Mead", "CG", "BFGS", "Newton-CG", "trust-ncg"]
    for _, iterations, values, _, _, place, minimum in rows:
        assert max(abs(float(x) - 1) for x in place.split()) < 0.02
        assert float(minimum) < 1e-4
        assert 0 < int(iterations) <= int(values)
    # Those that are given derivatives use them, and need far fewer values.
    gradients = {method: int(row[3]) for method, row in found.items()}
    hessians = {method: int(row[4]) for method, row in found.items()}
    assert {method for method, count in gradients.items() if not count} == {"Nelder-Mead"}
    assert {method for method, count in hessians.items() if count} == {"Newton-CG", "trust-ncg"}
    assert int(found["trust-ncg"][2]) < int(found["Nelder-Mead"][2]) / 5
    assert not list(tmp_path.iterdir())


def test_taylor_prints_the_polynomial_and_draws_the_same_each_time(tmp_path: Path) -> None:
    done = run("taylor.py", tmp_path)
    assert done.returncode == 0, done.stderr
    # x - x^3 / 3 + 2 x^5 / 15
    assert "tanh(x) = +1.000000 x^1 -0.333333 x^3 +0.133333 x^5 + ..." in done.stdout
    # Matplotlib draws letters as shapes, and leaves each text as a comment beside them.
    svg = (tmp_path / "taylor.svg").read_text()
    texts = set(re.findall("<!-- (.*) -->", svg))
    orders = ("first", "second", "third", "fourth", "fifth", "sixth")
    assert {"tanh", *(f"{order} derivative" for order in orders)} <= texts
    assert {"$x$", r"$\tanh^{(6)}(x)$", "even: $f(-x) = f(x)$"} <= texts

    done = run("taylor.py", tmp_path, "--output", "again.svg")
    assert "drawn: again.svg" in done.stdout
    assert (tmp_path / "again.svg").read_text() == svg


def test_a_picture_that_cannot_be_drawn_gets_one_line(tmp_path: Path) -> None:
    for name in ("picture.txt.unknown", "absent/picture.svg"):
        done = run("taylor.py", tmp_path, "--output", name)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()[1:]
        assert line.startswith(f"taylor.py: error: argument --output: cannot draw {name}: ")
