"""What a user installs: the wheel's files, its dependencies, and what importing it drags in."""

from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

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
