"""The pictures of the README are what the examples draw."""

from __future__ import annotations

import itertools
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


def test_the_arrows_of_the_quickstart_do_not_cross() -> None:
    picture = (ROOT / "assets" / "computational_graph.svg").read_text()
    arrows = [
        np.array(NUMBER.findall(path), float).reshape(-1, 2)
        for path in re.findall(r'class="edge">.*?<path [^>]*? d="M([^"]*)"', picture, re.DOTALL)
    ]
    assert len(arrows) == 5
    crossing = [
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(map(points_along, arrows)), 2)
        if not np.array_equal(a[0], b[0]) and cross(a, b)
    ]
    assert not crossing


def points_along(knots: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give points on a chain of Bézier curves: its first knot, then three for each curve."""
    t = np.linspace(0, 1, 50)[:, None]
    curves = [knots[i : i + 4] for i in range(0, len(knots) - 1, 3)]
    weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    return np.concatenate(
        [sum(w * p for w, p in zip(weights, curve, strict=True)) for curve in curves]
    )


def cross(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two polygonal lines have a point in common."""

    def sides(line: np.ndarray[Any, Any], points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        along, to = np.diff(line, axis=0)[:, None], points[None] - line[:-1, None]
        return np.sign(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])

    on_a, on_b = sides(a, b), sides(b, a)
    return bool(((on_a[:, 1:] * on_a[:, :-1] < 0) & (on_b[:, 1:] * on_b[:, :-1] < 0).T).any())
