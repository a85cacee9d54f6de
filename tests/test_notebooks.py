"""The notebooks run from scratch, and give what is committed with them."""

from __future__ import annotations

import copy
import math
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]\d+)?")
# Home directories, the usual places of temporary files and kernels' cells, drives of Windows.
MACHINE_PATH = re.compile(r"/(?:home|root|Users|tmp|work|var|private)/|ipykernel_|\b[A-Z]:\\\\")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def executed(notebook: Any) -> Any:
    """Run a copy without outputs, in a new kernel, in the folder that it is in."""
    notebook = copy.deepcopy(notebook)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    # Streams are put together as a reader sees them, however the kernel has cut them.
    client = NotebookClient(
        notebook,
        timeout=120,
        allow_errors=False,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(EXAMPLES)}},
    )
    return client.execute()


def kinds(cell: Any) -> list[tuple[str, ...]]:
    """Tell of each output whether it is text, a picture or both."""
    return [
        (output.output_type, *sorted(output.get("data", {})), output.get("name", ""))
        for output in cell.outputs
    ]


def text(cell: Any) -> str:
    """Give what a cell prints and shows as text, without progress bars and descriptions."""
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            lines = re.split(r"[\r\n]", output.text)
            shown += [line for line in lines if line and "%|" not in line]
        elif list(output.data) == ["text/plain"]:
            shown.append(output.data["text/plain"])
    return "\n".join(shown)


def assert_same(committed: str, given: str) -> None:
    """Compare exactly, but for the last digits of numbers, in which processors differ."""
    assert NUMBER.sub("#", given) == NUMBER.sub("#", committed)
    for a, b in zip(NUMBER.findall(committed), NUMBER.findall(given), strict=True):
        assert math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-9), given


def test_they_are_all_there() -> None:
    names = ["classifier", "digits", "engine", "exercises", "quickstart", "regression"]
    assert [path.stem for path in NOTEBOOKS] == names


@each_notebook
def test_it_runs_and_gives_what_is_committed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # nobody's own settings
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    committed = read(path)
    fresh = executed(committed)
    for there, here in zip(code_cells(committed), code_cells(fresh), strict=True):
        assert kinds(here) == kinds(there), there.source
        assert_same(text(there), text(here))
        assert here.execution_count == there.execution_count


@each_notebook
def test_it_can_be_read_without_running_it(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    shown = [output for cell in code_cells(notebook) for output in cell.outputs]
    pictures = [
        kind
        for output in shown
        for kind in output.get("data", {})
        if kind in {"image/png", "image/svg+xml"}
    ]
    assert len(pictures) >= 3 or path.stem in {"engine", "exercises"}
    assert any(output.output_type == "stream" for output in shown)
    assert all(output.get("name") != "stderr" for output in shown)
    assert notebook.metadata.kernelspec.name == "python3"


@each_notebook
def test_it_keeps_to_itself_where_and_when_it_ran(path: Path) -> None:
    notebook = read(path)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "data" in output:
                output.data.pop("image/png", None)  # letters that only look like text
    assert not MACHINE_PATH.search(nbformat.writes(notebook))
    assert not any(cell.metadata for cell in notebook.cells)


@each_notebook
def test_its_pictures_are_small(path: Path) -> None:
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            data = output.get("data", {})
            assert len(data.get("image/svg+xml", "")) < 100_000
            assert len(data.get("image/png", "")) * 3 // 4 < 100_000  # base64


def test_history_replaces_itself_in_a_notebook() -> None:
    code = """
from tinytorch.diagnostics import History, history
history._SECONDS = 0.0
with History() as curves:
    for i in range(3):
        curves.add(loss=1 / (i + 1))
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120).execute()
    (shown,) = notebook.cells[0].outputs  # one, which was updated
    assert shown.output_type == "display_data"
    assert "image/png" in shown.data
