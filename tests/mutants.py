"""Would the tests notice? Change one place of a file of the package at a time, and run its tests.

`make mutants SECONDS=600 SEED=1 FILES="engine.py nn/linear.py"`: of each file the share of mutants
that die. One that survives is a hole in the tests, or changes nothing: then its line is put into
tests/mutants_survivors.txt with the reason. Any other survivor fails the target. The mutants live
in a copy of the project.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
# By the beginning of a file's name: the tests that concern it. The rest is told by all of CORE.
CORE = ["operations", "meanings", "engine", "backward", "numpy_functions"]
TESTS = {
    "engine": [*CORE, "autograd"],
    "tensor": [*CORE, "numpy"],
    "operations/": [*CORE, "functions", "linalg", "nan", "lost_gradients", "precision"],
    "arrays/dask": ["dask"],
    "arrays/recorder": ["compile*"],
    "arrays/": [*CORE, "arrays", "warnings"],
    "compiler/": ["compile*"],
    "nn/": ["nn*", "precision"],
    "optim/": ["optim", "schedulers"],
    "pictures/": ["pictures", "explain"],
    "pytorch/": ["functions", "programs"],
    "scipy/": ["scipy"],
    "transforms": ["transforms*", "autograd"],
    "autograd": ["autograd", "transforms*"],
    "grad_mode": ["grad_mode", "transforms*"],
    "custom": ["own_operations", "transforms*"],
    "diagnostics/": ["diagnostics"],
    **{name: [name] for name in ("data", "distributions", "serialization", "random", "memory")},
}
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip


def changed(node: ast.AST) -> ast.AST | None:
    """Give what to put in the place of a node; None where nothing fits."""
    if type(node) in SWAPPED:
        return SWAPPED[type(node)]()
    if isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        value = node.value
        return ast.Constant(not value if isinstance(value, bool) else value + 1)
    if isinstance(node, ast.If | ast.IfExp):
        twin = copy.copy(node)
        twin.test = ast.UnaryOp(ast.Not(), node.test)
        return twin
    if isinstance(node, ast.Return) and node.value is not None:
        return ast.Return(ast.Constant(None))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.Pass()
    return None


def places(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Find what can be changed: its parent, field, place in it, and the new node."""
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns"):
            continue  # these are for type checkers
        for i, node in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(node, ast.AST):
                if new := changed(node):
                    yield parent, field, i if isinstance(value, list) else None, new
                yield from places(node)


def mutant(source: str, number: int) -> tuple[str, str]:
    """Change one place; give the line of code that it makes, and the whole text."""
    tree = ast.parse(source)
    before = ast.unparse(tree).splitlines()
    parent, field, i, new = list(places(tree))[number]
    if i is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[i] = new
    text = ast.unparse(ast.fix_missing_locations(tree))
    differ = (b for a, b in zip(before, text.splitlines(), strict=False) if a != b)
    return next(differ, "").strip(), text


def tests_of(name: str) -> list[str]:
    """Give the files of tests that concern a file of the package."""
    words = next((words for start, words in TESTS.items() if name.startswith(start)), CORE)
    folder = ROOT / "tests"
    return sorted({f"tests/{p.name}" for word in words for p in folder.glob(f"test_{word}.py")})


def dies(folder: str, name: str) -> bool:
    """Run the tests; a mutant that hangs is dead, too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *tests_of(name)], cwd=folder, check=False, capture_output=True, timeout=600
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("files", nargs="*", help="below tinytorch/; else all of them")
    options = parser.parse_args()
    rng, until = random.Random(options.seed), time.monotonic() + options.seconds  # noqa: S311
    package = ROOT / "tinytorch"
    names = options.files or [p.relative_to(package).as_posix() for p in package.rglob("*.py")]
    listed = (ROOT / "tests" / "mutants_survivors.txt").read_text(encoding="utf-8").splitlines()
    explained = {tuple(row.split(" | ")[:2]) for row in listed if not row.startswith("#")}
    died, survived = Counter[str](), Counter[str]()
    with TemporaryDirectory() as folder:
        for part in ("tinytorch", "tests", "docs", "examples"):
            shutil.copytree(ROOT / part, Path(folder, part))
        shutil.copy(ROOT / "pyproject.toml", folder)
        for name in {tuple(tests_of(name)): name for name in names}.values():
            if dies(folder, name):
                sys.exit(f"the tests of {name} fail without a mutant")
        while time.monotonic() < until:
            name = rng.choice(sorted(names))
            path = Path(folder, "tinytorch", name)
            source = path.read_text(encoding="utf-8")
            if not (n := sum(1 for _ in places(ast.parse(source)))):
                continue
            line, text = mutant(source, rng.randrange(n))
            path.write_text(text, encoding="utf-8")
            if dies(folder, name):
                died[name] += 1
            elif (name, line) not in explained:
                survived[name] += 1
                print(f"survives: {name} | {line}", flush=True)
            path.write_text(source, encoding="utf-8")
    for name in sorted({*died, *survived}):
        print(f"{name}: {died[name]} died, {survived[name]} survived")
    print(f"{died.total()} passed, {survived.total()} failed")
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main())
