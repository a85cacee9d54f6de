"""Run the tests on every Python that is here, with its oldest and newest NumPy.

`make tests-versions` does; `make tests-versions TESTS="tests/test_operations.py -k tanh"` runs
these. A Python is looked for on PATH and among pyenv's. Each pair has an environment in
.venv-versions.
"""

from __future__ import annotations

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
# What compares texts and pictures, opens notebooks or checks types does so on one version.
LEFT_OUT = ["assets", "docs", "examples*", "exercises", "explain", "mistakes", "moons",
            "notebooks", "numpy_page", "packaging", "pictures", "readme", "types"]  # fmt: skip
TESTS = ["--numprocesses", "auto", *(f"--ignore-glob=*/test_{name}.py" for name in LEFT_OUT)]
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


def run(python: str, version: str, numpy: str, tests: list[str]) -> str:
    """Run the tests; say how they went."""
    folder = ROOT / ".venv-versions" / f"{version}-numpy{numpy.removesuffix('.*') or '-newest'}"
    own = str(folder / "bin" / "python")
    wanted = f"numpy=={numpy}" if numpy else "numpy"
    pip = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    if not folder.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    if subprocess.run([*pip, wanted, *NEEDED], cwd=ROOT, check=False).returncode:
        return "cannot be tried: pip finds no wheels of what the tests need"
    return (
        "fails"
        if subprocess.run([own, "-m", "pytest", *tests], cwd=ROOT, check=False).returncode
        else "passes"
    )


def main() -> None:
    report = []
    for version, oldest in PYTHONS.items():
        python = find(version)
        if python is None:
            report.append(f"Python {version}: is not here")
            continue
        for numpy in (oldest, ""):
            how = run(python, version, numpy, sys.argv[1:] or TESTS)
            report.append(f"Python {version}, NumPy {numpy or 'newest'}: {how}")
    print(*report, sep="\n")
    sys.exit(any(line.endswith("fails") for line in report))


if __name__ == "__main__":
    main()
