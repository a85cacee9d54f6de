"""Install the built wheel and sdist, each into an empty environment, and use them there.

`make release-check` builds them first, and has their metadata checked as an index would.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

DIST = Path(__file__).parents[1] / "dist"
SMOKE = """
import pathlib, sys
import numpy as np
import tinytorch
from tinytorch import Tensor, nn, optim, pictures

assert pathlib.Path(tinytorch.__file__).is_relative_to(sys.prefix), tinytorch.__file__
assert (pathlib.Path(tinytorch.__file__).parent / "py.typed").exists()
x = Tensor([1.0, 2.0])
(x * np.exp(x)).sum().backward()
np.testing.assert_allclose(x.grad, [2 * np.e, 3 * np.e**2])
model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = optim.Adam(model.parameters(), lr=0.05)
X = np.random.default_rng(0).normal(size=(50, 2))

@tinytorch.compile
def step():
    loss = ((model(X) - X[:, :1] * X[:, 1:]) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss

losses = [step().item() for _ in range(200)]
assert losses[-1] < losses[0] / 5, losses
assert "exp" in pictures.render(x.exp().sum(), "graph.dot").dot
for ending in ("css", "html", "js"):
    assert (pathlib.Path(pictures.__file__).parent / f"page.{ending}").exists()
"""


def main() -> None:
    wheel, sdist = sorted(DIST.iterdir())
    assert wheel.name.endswith("-py3-none-any.whl"), "the wheel is to be pure Python"
    for file in (wheel, sdist):
        with TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            python = Path(folder, "bin", "python")
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", file]
            subprocess.run(pip, cwd=folder, check=True)
            subprocess.run([python, "-I", "-W", "error", "-c", SMOKE], cwd=folder, check=True)
            subprocess.run([python, "-I", "-m", "tinytorch"], cwd=folder, check=True)


if __name__ == "__main__":
    main()
