"""What a library costs to have: time to import, disk space, memory while training.

Each figure is taken in processes of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.libraries import LIBRARIES
from benchmarks.race import process
from benchmarks.resident import forget_peak, give_back, resident
from benchmarks.worker import set_up
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parents[1]
BATCH = 2048
SETTLING, STEPS = 4, 20
COLD = ("tinytorch", "compiled", "pytorch", "jax", "numpy")
COLD_STEPS = 1000


def import_seconds(library: str) -> float:
    """Time the import in a fresh interpreter that has imported NumPy."""
    code = (
        "import time, numpy; start = time.perf_counter(); "
        f"import {LIBRARIES[library].imports}; print(time.perf_counter() - start)"
    )
    # Where compiled modules are not kept, every import would compile.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return float(subprocess.check_output(command, cwd=ROOT, env=environment))  # noqa: S603  (a fixed command)


def cold_seconds(library: str) -> float:
    """Time a process that imports the library, sets moons up, and takes 1,000 steps."""
    code = (
        "from benchmarks.worker import set_up; from benchmarks.workloads import WORKLOADS\n"
        f"step = set_up({library!r}, WORKLOADS['moons']).step\n"
        f"for _ in range({COLD_STEPS}): step()"
    )
    start = time.perf_counter()
    subprocess.check_call([sys.executable, "-c", code], cwd=ROOT)  # noqa: S603  (a fixed command)
    return time.perf_counter() - start


def installed_bytes(library: str) -> int:
    """Add up the files of the library and of all it requires, except NumPy's."""
    paths = [
        Path(str(path.locate()))
        for name in _required(LIBRARIES[library].distribution) - _required("numpy")
        for path in metadata.files(name) or ()
    ]
    if library == "tinytorch":  # an editable install has only a pointer to them
        paths += (ROOT / "tinytorch").rglob("*")
    return sum(path.stat().st_size for path in set(paths) if path.is_file())


def _required(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """List a distribution and what it needs here, and what that needs."""
    required = {name}
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in seen:
            required |= _required(requirement.name, seen | required)
    return required


def training_bytes(library: str) -> int:
    """Give what 20 steps of `wide` with a batch of 2048 add to the resident memory at most.

    The first few, in which a library may record and compile, are not among them, nor is memory
    that the C library keeps of what was freed before.
    """
    with process(library) as ask:
        return ask(_training_growth, library)


def _training_growth(library: str) -> int:
    wide = WORKLOADS["wide"]
    # A few steps with a small batch load what is loaded lazily, so that this is not counted.
    small = set_up(library, wide)
    for _ in range(3):
        small.step()
    del small
    large = set_up(library, wide._replace(arguments={**wide.arguments, "batch": BATCH}))
    give_back()
    before = resident()
    for _ in range(SETTLING):  # in which a library may record and compile
        large.step()
    give_back()
    forget_peak()
    for _ in range(STEPS):
        large.step()
    return resident(peak=True) - before
