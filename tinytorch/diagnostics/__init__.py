"""Seeing what training does: the flow of gradients, the first nan, and curves that grow.

`gradient_flow` measures a model's layers step by step (`flow.py`), `detect_anomaly` stops where nan
or inf first appears (`anomaly.py`), and `History` draws named numbers while they come
(`history.py`). All of them ask the engine or Python to tell them what happens; outside their blocks
nothing is paid.
"""

from tinytorch.diagnostics.anomaly import detect_anomaly
from tinytorch.diagnostics.flow import GradientFlow, gradient_flow
from tinytorch.diagnostics.history import History
from tinytorch.diagnostics.plot import Plot

__all__ = ["GradientFlow", "History", "Plot", "detect_anomaly", "gradient_flow"]
