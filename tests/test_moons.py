"""The example `examples/moons.py`, run as a user runs it: from a shell, without a screen."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "examples" / "moons.py"
PICTURES = {
    "classification_data.svg",
    "classification_training.svg",
    "classification_results.svg",
}


def command(folder: Path, *options: str) -> list[str]:
    # -W error: the example, too, runs without a warning.
    return [sys.executable, "-W", "error", str(SCRIPT), "--output", str(folder), *options]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *options), capture_output=True, text=True, timeout=120, check=False
    )


def accuracies(output: str) -> dict[str, float]:
    """Read the table that the script ends with."""
    rows = re.findall(r"^(train|test) +(\d+\.\d{4}) +(\d+\.\d\d)%$", output, re.MULTILINE)
    return {name: float(accuracy) for name, _loss, accuracy in rows}


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def short_run(folder: Path, seed: int) -> dict[str, bytes]:
    done = run(folder, "--seed", str(seed), "--epochs", "20", "--samples", "60")
    assert done.returncode == 0, done.stderr
    return pictures(folder)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The pictures of a short run with seed 3."""
    return short_run(tmp_path_factory.mktemp("drawn"), seed=3)


def test_the_network_learns_the_moons_and_says_so(tmp_path: Path) -> None:
    done = run(tmp_path / "new" / "folder")
    assert done.returncode == 0, done.stderr
    scores = accuracies(done.stdout)
    assert set(scores) == {"train", "test"}
    assert min(scores.values()) >= 97
    assert re.search(r"^2000 epochs in \d+\.\d seconds$", done.stdout, re.MULTILINE)
    assert re.search(r"training: 100%.*2000/2000.*loss \d\.\d{4}, accuracy \d+\.\d%", done.stderr)
    assert set(pictures(tmp_path / "new" / "folder")) == PICTURES


def test_same_seed_same_bytes(drawn: dict[str, bytes], tmp_path: Path) -> None:
    assert short_run(tmp_path, seed=3) == drawn


def test_other_seed_other_pictures(drawn: dict[str, bytes], tmp_path: Path) -> None:
    other = short_run(tmp_path, seed=4)
    assert set(other) == set(drawn) == PICTURES
    assert not set(other.values()) & set(drawn.values())


def test_pictures_have_titles_axis_labels_legends_and_paper(drawn: dict[str, bytes]) -> None:
    # Matplotlib draws letters as shapes, and leaves each text as a comment beside them.
    wanted = {
        "data": {"Training set: 45 points", "Test set: 15 points", "$x_1$", "$x_2$", "class 0"},
        "training": {"Loss", "Accuracy", "epoch", "binary cross-entropy", "test set"},
        "results": {"probability of class 1", "$x_1$", "$x_2$", "decision boundary"},
    }
    for name, texts in wanted.items():
        svg = drawn[f"classification_{name}.svg"].decode()
        assert texts <= set(re.findall("<!-- (.*) -->", svg)), name
        assert 'style="fill: #fdfdfd"' in svg, name


def test_ctrl_c_keeps_what_was_learnt(tmp_path: Path) -> None:
    # Python heeds SIGINT only if its parent does, and a parent in the background may not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            command(tmp_path, "--epochs", "10000000"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        seen = ""
        while "accuracy" not in seen and (character := process.stderr.read(1)):
            seen += character
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, seen + errors
    assert "Traceback" not in errors
    stopped = re.search(r"^Stopped after (\d+) of 10000000 epochs", output, re.MULTILINE)
    assert stopped
    assert int(stopped[1]) > 0
    assert set(accuracies(output)) == {"train", "test"}
    assert set(pictures(tmp_path)) == PICTURES


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("--samples", "7", "whole number from 8 to 100000"),
        ("--noise", "-0.1", "number from 0 to 10"),
        ("--noise", "nan", "number from 0 to 10"),
        ("--epochs", "-1", "whole number from 1 to 10000000"),
        ("--epochs", "many", "whole number from 1 to 10000000"),
        ("--learning-rate", "0", "number from 1e-06 to 100"),
        ("--seed", "0.5", "whole number from 0 to 4294967295"),
    ],
)
def test_wrong_arguments_get_one_line(tmp_path: Path, option: str, value: str, wanted: str) -> None:
    done = run(tmp_path, option, value)
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        f"moons.py: error: argument {option}: '{value}' is not a {wanted}"
    ]
    assert not pictures(tmp_path)


def test_output_folder_that_cannot_be_made_gets_one_line(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    folder = in_the_way / "folder"
    done = run(folder)
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        f"moons.py: error: argument --output: cannot make the folder {folder}: Not a directory"
    ]


def test_extreme_arguments_stay_finite(tmp_path: Path) -> None:
    # Enough of both to be sure of every point: probabilities that round to 0 and 1.
    done = run(tmp_path, "--learning-rate", "100", "--epochs", "200", "--samples", "8")
    assert done.returncode == 0, done.stderr
    assert set(accuracies(done.stdout)) == {"train", "test"}


def test_help_names_every_option(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for option in ("--samples", "--noise", "--epochs", "--learning-rate", "--seed", "--output"):
        assert option in done.stdout
