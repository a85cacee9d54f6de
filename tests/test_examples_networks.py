"""The examples `digits`, `gpt`, `autoencoder` and `pinn`, run as a user runs them, but shortly."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tinytorch

EXAMPLES = Path(__file__).parents[1] / "examples"
# In quick mode: small networks, and few steps of them.
QUICK = {
    "digits": ["--epochs", "2"],
    "gpt": ["--steps", "6", "--every", "3", "--width", "16", "--depth", "1", "--context", "16"],
    "autoencoder": ["--epochs", "3", "--hidden", "16"],
    "pinn": ["--steps", "25"],
}
PICTURES = {
    "digits": {"digits_filters.svg", "digits_errors.svg"},
    "gpt": {"gpt_training.svg", "gpt_surprise.svg"},
    "autoencoder": {"autoencoder_plane.svg", "autoencoder_training.svg"},
    "pinn": {"pinn.svg"},
}
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command(name: str, folder: Path, *options: str) -> list[str]:
    # -W error: the examples, too, run without a warning.
    script = str(EXAMPLES / f"{name}.py")
    return [sys.executable, "-W", "error", script, "--output", str(folder), *options]


def run(name: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(name, folder, *options),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ONE_THREAD,
    )


def texts(path: Path) -> set[str]:
    """Read what a picture says: matplotlib leaves each text as a comment beside its shapes."""
    return set(re.findall("<!-- (.*) -->", path.read_text(encoding="utf-8")))


def drawn(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.svg")}


def test_digits_are_read(tmp_path: Path) -> None:
    done = run("digits", tmp_path, *QUICK["digits"], "--seeds", "2")
    assert done.returncode == 0, done.stderr
    accuracies = [float(x) for x in re.findall(r"seed \d: (\d+\.\d\d)% of 450", done.stdout)]
    assert len(accuracies) == 2
    assert min(accuracies) > 80
    assert re.search(r"^0 +Conv2d +\(1, 32, 8, 8\) +320$", done.stdout, re.MULTILINE)
    assert drawn(tmp_path) == PICTURES["digits"]


def test_the_transformer_learns_saves_and_goes_on(tmp_path: Path) -> None:
    options = QUICK["gpt"]
    whole = run("gpt", tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.stderr
    rows = dict(re.findall(r"^(\S+) +(\d\.\d{3})$", whole.stdout, re.MULTILINE))
    assert list(rows) == ["transformer", "5-gram", "bz2"]
    assert 1 < float(rows["bz2"]) < float(rows["5-gram"]) < 2.5 < float(rows["transformer"]) < 7
    assert len(re.findall(r"^--- \d steps, .* held out ---\nThe ", whole.stdout, re.MULTILINE)) == 2
    assert drawn(tmp_path / "whole") == PICTURES["gpt"]
    assert {"5-gram: " + f"{float(rows['5-gram']):.2f}", "What a character costs"} <= texts(
        tmp_path / "whole" / "gpt_training.svg"
    )
    # What was saved is what a longer training starts from.
    state = tinytorch.load(tmp_path / "whole" / "gpt.safetensors")
    assert len(state["history"]) == 6
    more = run("gpt", tmp_path / "whole", *options, "--steps", "8", "--resume")
    assert more.returncode == 0, more.stderr
    again = tinytorch.load(tmp_path / "whole" / "gpt.safetensors")
    assert len(again["history"]) == 8
    assert (again["history"][:6] == state["history"]).all()


def test_a_state_that_does_not_fit_gets_one_line(tmp_path: Path) -> None:
    done = run("gpt", tmp_path, *QUICK["gpt"], "--resume")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("gpt.py: error: argument --resume: [Errno 2]")
    (tmp_path / "gpt.safetensors").write_bytes(b"")
    done = run("gpt", tmp_path, *QUICK["gpt"], "--resume")
    assert "gpt.safetensors is empty" in done.stderr.splitlines()[-1]


def test_the_autoencoder_maps_digits(tmp_path: Path) -> None:
    done = run("autoencoder", tmp_path, *QUICK["autoencoder"])
    assert done.returncode == 0, done.stderr
    cost = re.search(r"after 3 epochs an image costs (\d+\.\d\d) \+ \d+\.\d\d nats", done.stdout)
    assert cost
    assert float(cost[1]) < 40
    assert drawn(tmp_path) == PICTURES["autoencoder"]
    assert {"Where the digits lie", "$z_1$", *"0123456789"} <= texts(
        tmp_path / "autoencoder_plane.svg"
    )


def test_the_network_obeys_the_equation(tmp_path: Path) -> None:
    done = run("pinn", tmp_path, *QUICK["pinn"])
    assert done.returncode == 0, done.stderr
    found = re.search(r"after 25 steps: loss (\S+), largest error (\S+)", done.stdout)
    assert found
    assert float(found[1]) < 1e-2
    assert float(found[2]) < 0.5
    assert {"exact", "after 1 step", "after 25 steps", "$t$"} <= texts(tmp_path / "pinn.svg")


@pytest.mark.parametrize("name", QUICK)
def test_help_names_every_option_and_make_the_example(name: str, tmp_path: Path) -> None:
    done = run(name, tmp_path, "--help")
    assert done.returncode == 0
    assert {"--seed", "--output", *(x for x in QUICK[name] if x.startswith("--"))} <= set(
        re.findall(r"--[a-z-]+", done.stdout)
    )
    assert f"\n{name}: " in (EXAMPLES.parent / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", QUICK)
def test_ctrl_c_keeps_what_was_learnt(name: str, tmp_path: Path) -> None:
    long = [x if x.startswith("--") or x == "16" else "100000" for x in QUICK[name]]
    if name == "gpt":
        long = [*QUICK["gpt"], "--steps", "100000", "--every", "100000"]
    # Python heeds SIGINT only if its parent does, and a parent in the background may not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            command(name, tmp_path, *long),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ONE_THREAD,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        seen = ""
        while not re.search(r" [1-9]\d*/100000.*(loss|bits|nats)", seen):
            character = process.stderr.read(1)
            assert character, seen
            seen += character
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, seen + errors
    assert "Traceback" not in errors
    assert drawn(tmp_path) == PICTURES[name]
