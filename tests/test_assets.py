"""The pictures of the README are what the examples draw."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
PIXELS = re.compile(r"data:image/png;base64,[^\"]*")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    for command in (
        ["computational_graph.py", folder / "computational_graph.svg"],
        ["moons.py", "--output", folder],
    ):
        program = [sys.executable, ROOT / "examples" / command[0], *command[1:]]
        subprocess.run(program, check=True, capture_output=True)
    return folder


def shape_and_numbers(picture: Path) -> tuple[str, np.ndarray[Any, Any]]:
    text = PIXELS.sub("pixels", picture.read_text())
    return NUMBER.sub("#", text), np.array([float(x) for x in NUMBER.findall(text)])


# The bar chart of the benchmark is a measurement, and no drawing.
ASSETS = [path for path in sorted((ROOT / "assets").glob("*.svg")) if path.stem != "benchmark"]


@pytest.mark.parametrize("asset", ASSETS, ids=lambda path: path.stem)
def test_asset_is_up_to_date(asset: Path, drawn: Path) -> None:
    shape, numbers = shape_and_numbers(asset)
    new_shape, new_numbers = shape_and_numbers(drawn / asset.name)
    assert new_shape == shape, "make assets draws it again"
    # Another processor rounds otherwise, and two thousand epochs may carry that into view: a
    # hundredth of a point.
    np.testing.assert_allclose(new_numbers, numbers, atol=0.01, rtol=0)
