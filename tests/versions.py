"""Run the tests on every Python that is here, with its oldest and newest NumPy.

`make tests-versions` does; `make tests-versions TESTS="tests/test_operations.py -k tanh"` runs
these. A Python is looked for on PATH and among pyenv's. Each has an environment in .venv-versions,
into which the one NumPy is put and then the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

ROOT = Path(__file__).parents[1]
# Of each Python, the oldest NumPy of 2.0 and later that has wheels for it.
PYTHONS = {"3.11": "2.0.*", "3.12": "2.0.*", "3.13": "2.1.*", "3.14": "2.3.*", "3.14t": "2.3.*"}
NEEDED = ["dask[array,distributed]", "hypothesis", "matplotlib", "pandas", "pygraphviz",
          "pytest", "pytest-xdist", "safetensors", "scikit-learn", "scipy", "torch==2.13.0", "tqdm",
          "--editable", "."]  # fmt: skip
# These have no wheels for a free-threaded Python: so it goes without, and without what tests them.
WITH_GIL = {"pygraphviz", "safetensors"}
THEIRS = ["a_pipe", "any_structure_is_read", "bfloat16_take_as_long", "damaged", "drawn",
          "header_that_lies", "open_as_text", "saved", "test_pictures", "text_copies_and_files",
          "the_picture_has", "tinytorch.serialization", "very_many_names"]  # fmt: skip
# What compares texts and pictures, opens notebooks, checks types or takes the time does so on one
# version.
LEFT_OUT = ["assets", "compile_speed", "docs", "examples*", "exercises", "explain", "growth",
            "mistakes", "moons", "notebooks", "numpy_page", "packaging", "pictures", "readme",
            "types"]  # fmt: skip
# Versions differ in what there is and what it is called rather than in sums: few examples show it.
TESTS = ["--numprocesses", "auto", "--hypothesis-profile", "few",
         *(f"--ignore-glob=*/test_{name}.py" for name in LEFT_OUT)]  # fmt: skip
VERSION = (
    "import sys, sysconfig; print('%d.%d%s' % (*sys.version_info[:2], "
    "'t' * bool(sysconfig.get_config_var('Py_GIL_DISABLED'))))"
)


def find(version: str) -> str | None:
    """Give the path of a Python that says it is of this version."""
    managed = (Path.home() / ".pyenv" / "versions").glob(f"{version.strip('t')}*/bin/python")
    for path in filter(None, [which(f"python{version}"), *map(str, managed)]):
        done = subprocess.run([path, "-c", VERSION], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return path
    return None


def run(python: str, version: str, numpy: str, tests: list[str]) -> tuple[bool, str]:
    """Run the tests; say whether they pass, and what pytest says of them in its last line."""
    folder = ROOT / ".venv-versions" / version
    own = str(folder / "bin" / "python")
    if not folder.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    pip = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    wanted = [f"numpy=={numpy}"] if numpy else ["--upgrade", "numpy"]
    needed, environment = NEEDED, dict(os.environ)
    if version.endswith("t"):
        needed = [package for package in NEEDED if package not in WITH_GIL]
        tests = [
            "--ignore-glob=*/test_serialization.py",
            "-k",
            f"not ({' or '.join(THEIRS)})",
            *tests,
        ]
        environment["PYTHON_GIL"] = "0"  # whatever a package asks for when it is imported
    if subprocess.run([*pip, *wanted, *needed], cwd=ROOT, check=False).returncode:
        return False, "pip finds no packages for this"
    last = ""
    with subprocess.Popen(
        [own, "-m", "pytest", *tests], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as pytest:
        for line in pytest.stdout or ():
            print(line, end="", flush=True)
            last = line.strip("= \n") or last
    return not pytest.returncode, last


def main() -> None:
    report, failed = [], False
    for version, oldest in PYTHONS.items():
        python = find(version)
        if python is None:
            report.append(f"Python {version}: is not here")
            continue
        for numpy in (oldest, ""):
            passes, how = run(python, version, numpy, sys.argv[1:] or TESTS)
            report.append(f"Python {version}, NumPy {numpy or 'newest'}: {how}")
            failed |= not passes
    print(*report, sep="\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
