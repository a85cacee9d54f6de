"""What a user installs: the wheel's files, its dependencies, and what importing it drags in."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from email.parser import Parser
from pathlib import Path
from shutil import which
from zipfile import ZipFile

import numpy as np
import pytest

import tinytorch
from tinytorch.__main__ import EXTRAS, report

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    # Hatchling itself, which `pip wheel` would fetch anew from the network.
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", folder], cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return ZipFile(path)


def test_wheel_holds_the_package_and_nothing_else(wheel: ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = ROOT / "tinytorch"
    sources = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}
    stubs = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.pyi")}
    assert len(stubs) == 2
    page = {f"tinytorch/pictures/page.{ending}" for ending in ("css", "html", "js")}
    assert names == sources | stubs | page | {"tinytorch/py.typed"}


def test_nothing_else_stands_at_the_top() -> None:
    listing = [which("git") or "git", "ls-files"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    names = {path.split("/")[0] for path in listed.stdout.splitlines()}
    folders = {"assets", "benchmarks", "docs", "examples", "tests", "tinytorch"}
    texts = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "README.md"}
    tools = {"Makefile", "pyproject.toml", "requirements.txt"}
    assert {name for name in names if not name.startswith(".")} == folders | texts | tools


def test_dependencies_are_numpy_and_graphviz(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())
    required = [row for row in metadata.get_all("Requires-Dist") if "extra ==" not in row]
    assert sorted(required) == ["graphviz", "numpy>=2"]


def test_importing_imports_nothing_heavy() -> None:
    heavy = {
        "cupy", "dask", "graphviz", "matplotlib", "pygraphviz", "safetensors", "scipy", "sklearn",
        "torch", "tqdm",
    }  # fmt: skip
    code = "import sys, tinytorch, tinytorch.nn; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert {"numpy", "tinytorch"} <= loaded
    assert loaded.isdisjoint(heavy)


def test_one_version_everywhere(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert Parser().parsestr(wheel.read(name).decode())["Version"] == tinytorch.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {tinytorch.__version__}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert tinytorch.__version__ in re.findall(r"(?m)^## .*$", changes)[0]


def test_the_report_names_the_extras_and_what_they_bring() -> None:
    command = [sys.executable, "-m", "tinytorch"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == report() + "\n"
    assert done.stdout.splitlines()[:3] == [
        f"tinytorch {tinytorch.__version__}",
        f"Python {sys.version.split()[0]}",
        f"numpy {np.__version__}",
    ]
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    for extra in EXTRAS.keys() | (
        extras.keys() - {"notebooks", "docs", "browser", "release", "dev"}
    ):
        brings = {re.split(r"[\[>=]", requirement)[0] for requirement in extras[extra]}
        assert brings - {"tinytorch"} <= set(EXTRAS[extra][1])


def test_the_report_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch.__main__._installed", lambda name: None)
    assert 'scipy missing): pip install "tinytorch[scipy]"' in report()


def test_what_contributors_are_told_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^make ([^#\n]*)", text) + re.findall(r"`make ([^`]*)`", text)
    words = {word for command in commands for word in command.split() if "=" not in word}
    assert words <= set(re.findall(r"(?m)^([a-z-]+):", makefile))
    paths = re.findall(r"`((?:tinytorch|tests|docs)/[\w./]*)`|\]\(([\w./]+)\)", text)
    assert all((ROOT / (path or link)).exists() for path, link in paths)
