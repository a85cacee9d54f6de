"""Would the tests notice? Change one place of the package at a time, and run the tests of it.

`make mutants SECONDS=600 SEED=1 FILES="engine.py nn/linear.py"`: of each file in turn one place,
drawn at random; in the end, by file, how many mutants died. One that survives is a hole in the
tests, or changes nothing: then its line is put into tests/mutants_survivors.txt with the reason.
Any other survivor fails the target.

Which tests run a function is found out once, and kept in .mutants/; a mutant is shown to those of
its function alone. The mutants live in a copy of the project, and each in a process of its own.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import importlib
import inspect
import json
import os
import random
import resource
import shutil
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, settings
from mutations import Lines, mutant, places

ROOT = Path(__file__).parents[1]
# These look at texts, types and times, or start other programs.
LEFT_OUT = ["assets", "compile_speed", "docs", "examples*", "exercises", "growth", "moons",
            "notebooks", "readme", "types"]  # fmt: skip
# It reads what functions take, and enters none: every mutant is shown it.
OF_SIGNATURES = "tests/test_defaults.py"
HEAVY = ["dask.array", "dask.distributed", "hypothesis", "matplotlib.pyplot", "numpy", "pandas",
         "safetensors.numpy", "scipy.integrate", "scipy.linalg", "scipy.optimize", "scipy.signal",
         "scipy.special", "scipy.stats", "torch", "torch.testing"]  # fmt: skip
# Seconds of tests that a mutant is shown, as they took while they were watched, which is some twice
# as long; and of the processor's time until it is taken to hang, or of the clock's if it sleeps.
SHOWN, HANGS, SLEEPS = 100, 400, 1000
# How many examples of Hypothesis a mutant is shown at first, and then if it is alive. Which of them
# is the simplest nobody asks.
EXAMPLES = (3, 20)
for n in EXAMPLES:
    settings.register_profile(
        f"mutants-{n}",
        max_examples=n,
        derandomize=True,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
    )
Use = tuple[float, dict[str, list[int]]]  # a test's seconds, and the functions by file and line
Uses = dict[str, dict[str, Use]]  # by file of tests, by test


class Watch:
    """A plugin of pytest that notes which functions of the package each test enters."""

    def __init__(self, package: str) -> None:
        self.package, self.seen, self.failed = package, dict[str, Use](), set[str]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        codes = set()

        def enter(frame: Any, _event: str, _argument: Any) -> None:
            codes.add(frame.f_code)

        start = time.process_time()
        threading.settrace(enter)
        sys.settrace(enter)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            seconds, lines = time.process_time() - start, defaultdict[str, list[int]](list)
            for code in codes:
                if code.co_filename.startswith(self.package):
                    file = code.co_filename.removeprefix(self.package)
                    lines[file].append(code.co_firstlineno)
            self.seen[item.nodeid] = (seconds, lines)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


class Only:
    """A plugin of pytest that runs these tests, in this order; or Hypothesis's among them."""

    def __init__(self, tests: Iterable[str], only_generated: bool = False) -> None:
        self.ranks = {test: rank for rank, test in enumerate(tests)}
        self.functions = {test.rpartition("::")[2].partition("[")[0] for test in self.ranks}
        self.only_generated = only_generated

    def pytest_pycollect_makeitem(self, name: str, obj: Any) -> list[pytest.Item] | None:
        """Make no tests of other functions, which takes long where there are many."""
        generated = getattr(obj, "is_hypothesis_test", False) or not self.only_generated
        is_one = inspect.isclass(obj) or (name in self.functions and generated)
        return None if is_one else []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.ranks]
        items.sort(key=lambda item: self.ranks[item.nodeid])


def in_a_process(folder: str, limit: int, task: Callable[[], int]) -> int | None:
    """Do the task in a fork, in the folder; give its exit status, or what shows that it hangs."""

    def quietly() -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        os.chdir(folder)
        sys.path[:0] = [folder, f"{folder}/tests"]
        os.environ["PYTHONPATH"] = folder
        output = os.open("output.txt", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for stream in (0, 1, 2):
            os.dup2(output, stream)
        status = 255
        try:
            status = task()
        finally:
            os._exit(status)

    process = get_context("fork").Process(target=quietly)
    process.start()
    process.join(SLEEPS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid or 0, 9)  # with what it started
    process.join()
    return process.exitcode


def runs(file: str, plugin: object, *options: str) -> int:
    # Hypothesis is there already, and whoever comes first cannot have its asserts rewritten.
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*arguments, *options, file], [plugin]))


def look_at(folder: str, path: Path, kept: Path) -> None:
    """Run a file of tests, and keep what each of them runs."""

    def watch() -> int:
        watching = Watch(f"{folder}/tinytorch/")
        runs(f"tests/{path.name}", watching, "--hypothesis-profile", "few")
        passed = {t: use for t, use in watching.seen.items() if t not in watching.failed}
        kept.write_text(json.dumps(passed), encoding="utf-8")
        return bool(watching.failed)

    failed = in_a_process(folder, SLEEPS, watch)
    print(
        f"looked at {path.name}", "of which some fail without a mutant" * bool(failed), flush=True
    )


def uses_of(folder: str, pool: Executor) -> Uses:
    """Give what each test runs: from .mutants/ where nothing changed, else by running it."""
    kept = ROOT / ".mutants"
    kept.mkdir(exist_ok=True)
    package = b"".join(p.read_bytes() for p in sorted((ROOT / "tinytorch").rglob("*.py")))
    left_out = {path for name in LEFT_OUT for path in (ROOT / "tests").glob(f"test_{name}.py")}
    paths = sorted({*(ROOT / "tests").glob("test_*.py")} - left_out)
    files = {}
    for path in paths:
        digest = hashlib.sha256(package + path.read_bytes()).hexdigest()[:12]
        files[path] = kept / f"{path.stem}-{digest}.json"
    looks = [
        pool.submit(look_at, folder, path, file)
        for path, file in files.items()
        if not file.exists()
    ]
    for look in looks:
        look.result()
    return {
        f"tests/{path.name}": json.loads(file.read_text(encoding="utf-8"))
        for path, file in files.items()
    }


def tests_of(uses: Uses, file: str, around: tuple[Lines, ...]) -> dict[str, list[str]]:
    """Give tests by their files: those of the function first, then of what is around it."""

    def distance(lines: list[int]) -> int:
        """Count how many steps outwards there is a function that the test enters."""
        places = ((any(a <= x <= b for x in lines), i) for i, (a, b) in enumerate(around))
        return next((i for is_here, i in places if is_here), len(around))

    def breadth(lines: dict[str, list[int]]) -> int:
        return sum(map(len, lines.values()))

    found = sorted(
        (distance(lines[file]) if file in lines else 0, breadth(lines), seconds, test, path)
        for path, tests in uses.items()
        for test, (seconds, lines) in tests.items()
        if file in lines or path == OF_SIGNATURES
    )
    # Of each file those come first that enter the fewest functions: they are about this one. Of
    # each the same share, since the file that has most of them is about it, too.
    number, seen = Counter((far, path) for far, *_, path in found), Counter[tuple[int, str]]()
    ranked = []
    for far, _, seconds, test, path in found:
        ranked.append((far, seen[far, path] / number[far, path], seconds, test, path))
        seen[far, path] += 1
    by_file, total = defaultdict[str, list[str]](list), 0.0
    for _, _, seconds, test, path in sorted(ranked):
        if (total := total + seconds) < SHOWN:
            by_file[path].append(test)
    return by_file


def killer(folder: str, tests: dict[str, list[str]]) -> str | None:
    """Run the tests; give the file of the first that fails, or where it hangs."""

    def run() -> int:
        for n in EXAMPLES:
            for i, file in enumerate(tests, 1):
                only = Only(tests[file], only_generated=n > EXAMPLES[0])
                status = runs(file, only, "-x", "--hypothesis-profile", f"mutants-{n}")
                # A file in which none is found, since they are called otherwise now, is no failure.
                if status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
                    return i
        return 0

    status = in_a_process(folder, HANGS, run)
    if status == 0:
        return None
    return [*tests][status - 1] if status in range(1, len(tests) + 1) else "hangs"


def drawn(names: list[str], seed: int) -> Iterator[tuple[str, int]]:
    """Draw places of the files, by their numbers: one of each file in turn, none twice."""
    rng, left = random.Random(seed), {}  # noqa: S311
    for name in names:
        tree = ast.parse((ROOT / "tinytorch" / name).read_text(encoding="utf-8"))
        left[name] = list(range(len(places(tree))))
        rng.shuffle(left[name])
    while left := {name: numbers for name, numbers in left.items() if numbers}:
        for name in rng.sample([*left], len(left)):
            yield name, left[name].pop()


def tried(
    folder: str, uses: Uses, mutants: Iterable[tuple[str, int]], until: float
) -> Counter[tuple[str, str]]:
    """Try one mutant after the other in the folder; count by file what became of them."""
    listed = (ROOT / "tests" / "mutants_survivors.txt").read_text(encoding="utf-8").splitlines()
    explained = {tuple(row.split(" | ")[:2]) for row in listed if not row.startswith("#")}
    ends, killers = Counter[tuple[str, str]](), defaultdict[str, Counter[str]](Counter)
    for name, number in mutants:
        if time.monotonic() > until:
            break
        path = Path(folder, "tinytorch", name)
        source = path.read_text(encoding="utf-8")
        line, text, around = mutant(source, number)
        tests = tests_of(uses, name, around)
        # What killed others of this file is tried first.
        order = sorted(tests, key=lambda file: -killers[name][file])
        write(path, text)
        killed_by = killer(folder, {file: tests[file] for file in order})
        write(path, source)
        if killed_by:
            killers[name][killed_by] += 1
            ends[name, "died"] += 1
        elif (name, line) in explained:
            ends[name, "changed nothing"] += 1
        else:
            ends[name, "survived"] += 1
            print(f"survives: {name} | {line}", flush=True)
    return ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("files", nargs="*", help="below tinytorch/; else all of them")
    options = parser.parse_args()
    for name in HEAVY:
        importlib.import_module(name)  # once for all
    package = ROOT / "tinytorch"
    names = sorted(
        options.files or [p.relative_to(package).as_posix() for p in package.rglob("*.py")]
    )
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(options.processes, get_context("fork")) as pool,
    ):
        copies = [f"{folder}/{i}" for i in range(options.processes)]
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*"))
        uses, until = uses_of(copies[0], pool), time.monotonic() + options.seconds
        stream, n = [*drawn(names, options.seed)], len(copies)
        parts = [
            pool.submit(tried, copy, uses, stream[i::n], until) for i, copy in enumerate(copies)
        ]
        ends = sum((part.result() for part in parts), Counter[tuple[str, str]]())
    for name in sorted({name for name, _ in ends}):
        how = (f"{ends[name, end]} {end}" for end in ("died", "survived", "changed nothing"))
        print(f"{name}: {', '.join(how)}")
    total = Counter[str]()
    for (_, end), times in ends.items():
        total[end] += times
    print(f"{total['changed nothing']} change nothing, as tests/mutants_survivors.txt says")
    print(f"{total['died']} passed, {total['survived']} failed")
    return bool(total["survived"])


def write(path: Path, text: str) -> None:
    """Write a file that Python takes for a new one, however soon after the last it comes."""
    modified = int(path.stat().st_mtime) + 1
    path.write_text(text, encoding="utf-8")
    os.utime(path, (modified, modified))


if __name__ == "__main__":
    sys.exit(main())
