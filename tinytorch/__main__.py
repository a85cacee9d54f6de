"""`python -m tinytorch`: the versions that run here, and which extras are there."""

import platform
from importlib.metadata import PackageNotFoundError, version

import tinytorch

# Of each extra: what it is for, and the packages that it brings.
EXTRAS = {
    "viz": ("draws computational graphs", ["pygraphviz"]),
    "safetensors": ("saves and loads states: save, load", ["safetensors"]),
    "scipy": ("special functions, and fits by SciPy: tinytorch.scipy", ["scipy"]),
    "dask": ("arrays larger than memory, on many cores or machines", ["dask", "distributed"]),
    "cuda": ("arrays on an NVIDIA GPU", ["cupy-cuda12x"]),
    "examples": ("runs examples/", ["safetensors", "matplotlib", "scikit-learn", "tqdm"]),
}


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def report() -> str:
    """Say the versions, and of each extra whether it is there, and how to install it if not.

    >>> report().splitlines()[0] == f"tinytorch {tinytorch.__version__}"
    True
    """
    lines = [f"tinytorch {tinytorch.__version__}", f"Python {platform.python_version()}"]
    lines += [f"{name} {_installed(name)}" for name in ("numpy", "graphviz")]
    for extra, (purpose, packages) in EXTRAS.items():
        found = {package: _installed(package) for package in packages}
        what = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
        how = "" if all(found.values()) else f': pip install "tinytorch[{extra}]"'
        lines.append(f"[{extra}] {purpose} ({what}){how}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())  # noqa: T201
