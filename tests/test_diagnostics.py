"""Seeing what training does: gradient flow, the first nan, and curves."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.array as da
import numpy as np
import pytest

from tinytorch import Operation, Tensor, nn, no_grad, optim
from tinytorch.diagnostics import History, Plot, detect_anomaly, gradient_flow
from tinytorch.diagnostics import flow as flow_module
from tinytorch.diagnostics import history as history_module
from tinytorch.engine import watcher

RELU, SIGMOID, TANH = nn.Activation.RELU, nn.Activation.SIGMOID, nn.Activation.TANH
X = np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]])


def pull(model: nn.Module, x: Any = X) -> None:
    model(x).sum().backward()


# --- the flow of gradients ------------------------------------------------------------------------


def test_dead_units_are_those_that_no_example_wakes() -> None:
    layer = nn.Layer(2, 4, RELU, rng=0)
    layer.weight.data = [[1.0, -1.0, -1.0, 1.0], [1.0, -1.0, 0.0, -1.0]]
    layer.bias.data = [0.0, 0.0, 1.5, 0.5]  # of four, one is dead, and two wake for one example
    model = nn.Sequential(layer, nn.Linear(4, 1, rng=0))
    with gradient_flow(model) as flow:
        pull(model)
    (step,) = flow.steps
    assert step["0"].dead == 0.25
    assert step["0"].saturated is None
    assert step["1"][2:] == (None, None)


def test_units_are_the_last_axis_of_sequences() -> None:
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.ReLU())
    model[0].weight.data = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    model[0].bias.data = np.zeros(4)
    with gradient_flow(model) as flow:
        pull(model, np.ones((3, 5, 2)))
    assert flow.steps[0]["0"].dead == 0.5


@pytest.mark.parametrize(("activation", "large"), [(nn.Sigmoid, 5.0), (nn.Tanh, 2.5)])
def test_saturated_units_are_those_on_the_flat_ends(activation: Any, large: float) -> None:
    linear = nn.Linear(2, 4, rng=0)
    linear.weight.data = np.zeros((4, 2))
    linear.bias.data = [large, -large, 0.5, 1.0]
    model = nn.Sequential(linear, activation())
    with gradient_flow(model) as flow:
        pull(model)
    assert flow.steps[0]["0"].saturated == 0.5
    assert flow.steps[0]["0"].dead is None


@pytest.mark.parametrize("activation", [RELU, SIGMOID, TANH])
@pytest.mark.parametrize("x", [np.ones((0, 2)), da.ones((3, 2))], ids=["no examples", "a plan"])
def test_units_are_looked_at_where_values_are(activation: Any, x: Any) -> None:
    model = nn.Sequential(nn.Layer(2, 4, activation, rng=0), nn.Linear(4, 1, rng=0))
    with gradient_flow(model) as flow:
        pull(model, x)
    assert flow.steps[0]["0"].gradient is not None
    assert flow.steps[0]["0"][2:] == (None, None)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_convolutions_units_are_its_channels(axes: int) -> None:
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1](1, 4, 3, rng=0)
    conv.weight.data = np.zeros(conv.weight.shape)
    conv.bias.data = [-1.0, -1.0, -1.0, 1.0]
    for x in (np.ones((2, 1, *[5] * axes)), np.ones((1, *[5] * axes))):
        model = nn.Sequential(conv, nn.ReLU())
        with gradient_flow(model) as flow:
            pull(model, x)
        assert flow.steps[0]["0"].dead == 0.75


def test_an_activation_counts_for_the_layer_in_front_of_it() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.first = nn.Linear(2, 3, bias=False, rng=0)
            self.second = nn.Linear(3, 2, bias=False, rng=0)

        def forward(self, x: Any) -> Tensor:
            return self.second(self.first(x)).relu()

    model = Net()
    model.first.weight.data, model.second.weight.data = np.ones((3, 2)), -np.ones((2, 3))
    with gradient_flow(model) as flow:
        pull(model)
    assert flow.steps[0]["first"].dead is None
    assert flow.steps[0]["second"].dead == 1


@pytest.mark.parametrize("gate", [nn.SiLU, nn.Mish])
def test_a_closed_gate_is_not_saturated(gate: Any) -> None:
    linear = nn.Linear(2, 2, rng=0)
    linear.weight.data, linear.bias.data = np.zeros((2, 2)), [9.0, -9.0]
    model = nn.Sequential(linear, gate())
    with gradient_flow(model) as flow:
        pull(model)
    assert flow.steps[0]["0"][2:] == (None, None)


def test_the_activations_are_operations() -> None:
    for name in flow_module._RECTIFIERS | flow_module._BOUNDED | {"MULTIPLY"}:
        assert Operation[name].name == name


def test_sizes_of_gradients_and_updates() -> None:
    model = nn.Linear(2, 1, rng=0)
    model.weight.data, model.bias.data = [[3.0, 4.0]], [0.0]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with gradient_flow(model) as flow:
        pull(model, X[:1])  # the gradients are 1, 2 and 1
        optimizer.step()
    step = flow.steps[0]["Linear"]
    assert step.gradient == pytest.approx(np.sqrt(6 / 3), rel=1e-15)
    assert step.update == pytest.approx(0.1 * np.sqrt(6) / 5, rel=1e-14)


def test_vanishing_gradients_are_seen() -> None:
    model = nn.MLP(2, [(8, SIGMOID)] * 6, rng=0)
    with gradient_flow(model) as flow:
        pull(model)
    sizes = [layer.gradient for layer in flow.steps[0].values()]
    assert sizes == sorted(sizes)
    assert sizes[0] < 1e-2 * sizes[-1], sizes


def test_the_table_knows_what_is_there_and_what_is_not() -> None:
    model = nn.MLP(2, [(3, RELU), (1, TANH)], rng=0)
    flow = gradient_flow(model)
    assert str(flow).splitlines()[1].split() == ["layers.0", "-", "-", "-", "-"]
    pull(model)
    assert re.match(r"layers\.0 +\d\.\d\de[+-]\d\d +- +- +-$", str(flow).splitlines()[1])
    model.zero_grad()
    with flow:
        pull(model)
    lines = str(flow).splitlines()
    assert lines[0].split() == ["layer", "gradient", "update/weight", "dead", "saturated"]
    assert re.search(r"0\.00e\+00 +\d+% +-$", lines[1])
    assert re.search(r"0\.00e\+00 +- +\d+%$", lines[2])
    assert len({len(line) for line in lines}) == 1


def test_the_watcher_changes_nothing_and_goes() -> None:
    models = [nn.MLP(2, [(5, TANH), (1, SIGMOID)], rng=0) for _ in range(2)]
    pull(models[0])
    with gradient_flow(models[1]) as flow:
        assert watcher.get() is not None
        pull(models[1])
    assert watcher.get() is None
    for x, y in zip(models[0].parameters, models[1].parameters, strict=True):
        np.testing.assert_array_equal(x.grad, y.grad)
    with pytest.raises(KeyError), flow:
        raise KeyError
    assert watcher.get() is None
    assert len(flow.steps) == 1  # an unfinished step is none
    with flow:
        pull(models[1])
    assert len(flow.steps) == 2


def test_two_watchers_are_both_told() -> None:
    model = nn.MLP(2, [(3, RELU)], rng=0)
    with gradient_flow(model) as outer, gradient_flow(model) as inner:
        pull(model)
    assert outer.steps == inner.steps
    assert outer.steps[0]["layers.0"].dead is not None


def test_what_gradient_flow_refuses() -> None:
    with pytest.raises(TypeError, match="expected a module, got list"):
        gradient_flow([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ReLU has no parameters"):
        gradient_flow(nn.ReLU())
    flow = gradient_flow(nn.Linear(1, 1))
    with pytest.raises(RuntimeError, match="open already"), flow, flow:
        pass
    with pytest.warns(UserWarning, match="no parameter has a gradient") as caught, flow:
        pass
    assert caught[0].filename == __file__


# --- plots ----------------------------------------------------------------------------------------


def test_plots_of_one_step_and_of_several(tmp_path: Path) -> None:
    model = nn.MLP(2, [(3, RELU), (2, TANH), (1, nn.Activation.LINEAR)], rng=0)
    flow = gradient_flow(model)
    flow.plot(tmp_path / "nothing.png")
    for _ in range(2):
        with flow:
            pull(model)
        plot = flow.plot(tmp_path / "flow.png")
        assert (tmp_path / "flow.png").read_bytes()[:4] == b"\x89PNG"
        assert plot._repr_png_()[:4] == b"\x89PNG"
    gradients, updates, units = plot.figure.axes
    assert [[text.get_text() for text in panel.texts] for panel in (gradients, updates, units)] == [
        [],
        [],
        ["solid: dead\ndashed: saturated"],
    ]
    assert units.texts[0].get_transform() == units.transAxes
    assert [line.get_label() for line in gradients.lines] == ["layers.0", "layers.1", "layers.2"]
    expected = [step["layers.0"].gradient for step in flow.steps]
    np.testing.assert_array_equal(gradients.lines[0].get_ydata(), expected)
    assert gradients.get_yscale() == "log"
    assert units.get_yscale() == "linear"


def test_a_plot_of_one_step_has_a_point_for_each_layer_that_has_a_number() -> None:
    model = nn.MLP(2, [(3, RELU), (2, TANH), (1, nn.Activation.LINEAR)], rng=0)
    with gradient_flow(model) as flow:
        pull(model)
    drawn = {}
    for panel, names in zip(
        flow.plot().figure.axes, [["gradient"], ["update"], ["dead", "saturated"]], strict=True
    ):
        assert [x.get_text() for x in panel.get_xticklabels()] == [*flow.steps[0]]
        assert panel.get_title()
        if "dead" in names:  # from none to all, and little beyond
            assert np.allclose(panel.get_ylim(), (0, 1), atol=0.05)
        drawn |= {
            x: line.get_xydata().tolist() for x, line in zip(names, panel.lines, strict=False)
        }
    layers = [*enumerate(flow.steps[0].values())]
    for name, points in drawn.items():
        numbers = [[i, getattr(layer, name)] for i, layer in layers]
        assert points == [[i, y] for i, y in numbers if y is not None], name
    assert [len(points) for points in drawn.values()] == [3, 3, 1, 1]


@pytest.mark.parametrize("steps", [1, 12])
def test_all_that_is_written_lies_within_the_picture(steps: int) -> None:
    model = nn.MLP(2, [(3, RELU), (2, TANH), (1, nn.Activation.LINEAR)], rng=0)
    flow, history = gradient_flow(model), History()
    for i in range(steps):
        with flow:
            pull(model)
        history.add(loss=i + 1, accuracy=0.5)
    for figure in (flow.plot().figure, history.plot().figure):
        figure.canvas.draw()
        written = [text for axes in figure.axes for text in (*axes.texts, axes.title)]
        for artist in (*written, *figure.legends):
            corners = artist.get_window_extent().corners()
            assert all(figure.bbox.contains(*corner) for corner in corners), artist


def test_history_draws_what_was_added(tmp_path: Path) -> None:
    with History(tmp_path / "history.png") as history:
        for i in range(4):
            history.add(loss=Tensor([[1.0 / (i + 1)]]) * 2, **({"accuracy": 0.5} if i % 2 else {}))
    assert history.values == {"loss": [2.0, 1.0, 2 / 3, 0.5], "accuracy": [0.5, 0.5]}
    assert (tmp_path / "history.png").read_bytes()[:4] == b"\x89PNG"
    plot = history.plot()
    assert isinstance(plot, Plot)
    assert [axes.get_title() for axes in plot.figure.axes] == ["loss", "accuracy"]
    assert list(plot.figure.axes[1].lines[0].get_xdata()) == [2, 4]


def test_history_keeps_no_graph() -> None:
    history = History()
    tracemalloc.start()
    for _ in range(5):
        x = Tensor(np.ones(100_000))
        history.add(loss=(x * x).sum())
    del x
    assert tracemalloc.get_traced_memory()[0] < 100_000
    tracemalloc.stop()


def test_what_history_refuses() -> None:
    history = History()
    with pytest.raises(ValueError, match=r"history\.add\(loss=loss\) comes first"):
        history.plot()
    with pytest.raises(TypeError, match="numbers have names"):
        history.add()
    with pytest.raises(TypeError, match=r"loss is one number a step.*shape \(2,\)"):
        history.add(accuracy=1, loss=Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="loss is a number, got str"):
        history.add(loss="1")
    assert history.values == {}


@pytest.mark.parametrize(
    ("shell", "shows"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=1), True)],
    ids=["no IPython", "a terminal", "a notebook"],
)
def test_history_shows_itself_where_pictures_are_shown(
    monkeypatch: pytest.MonkeyPatch, shell: Any, shows: bool
) -> None:
    shown: list[Any] = []

    def display(plot: Any, display_id: bool) -> Any:
        shown.append(plot)
        return SimpleNamespace(update=shown.append) if display_id else None

    monkeypatch.setattr(history_module, "_SECONDS", 1000.0)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    if shell is not None:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(version_info=(9,)))
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython.core.getipython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    with History() as history:
        history.add(loss=1.0)
        assert len(shown) == shows  # the next one when time has passed
        history.add(loss=2.0)
    assert ("IPython" in sys.modules) == (shell is not None)
    lines = [list(plot.figure.axes[0].lines[0].get_ydata()) for plot in shown]
    assert lines == [[1.0], [1.0, 2.0]][: 2 * shows]


# --- nan and inf ----------------------------------------------------------------------------------


def message_of(run: Any) -> str:
    """Give what `detect_anomaly` says of `run`, where NumPy's own warnings are hushed."""
    with np.errstate(all="ignore"), pytest.raises(RuntimeError) as caught, detect_anomaly():
        run()
    assert sys.getprofile() is None
    assert watcher.get() is None
    return str(caught.value)


def test_it_names_operation_inputs_and_line_in_the_forward_pass() -> None:
    x = Tensor([1.0, 0.0, -1.0], label="x")

    def run() -> None:
        y = x * 2
        (y / 2).log().sum().backward()

    line = inspect.getsourcelines(run)[1] + 2
    message = message_of(run)
    assert "nan first appears in log" in message
    assert f"test_diagnostics.py:{line}: (y / 2).log().sum().backward()" in message
    assert "entry (2,)" in message
    assert "a tensor of shape (3,) (from -1 to 1)" in message


def test_an_input_that_had_it_is_named() -> None:
    data = np.array([[1.0, np.nan]])
    message = message_of(lambda: nn.Linear(2, 1, rng=0)(data))
    assert "nan was in an input of addmm" in message
    assert "shape (1, 2) (with nan at (0, 1))" in message


def test_inputs_without_a_range_are_named_alone() -> None:
    x, z = Tensor([0.0, 1.0]), Tensor([complex(np.nan, 0)])
    joined = message_of(lambda: np.concatenate([x[:0], x, [np.nan]]))
    assert "of a tensor of shape (0,) and a tensor of shape (2,) (from 0 to 1) and" in joined
    assert message_of(z.abs).endswith("entry (0,) of the result, of a tensor of shape (1,)")


def test_it_names_the_operation_and_the_line_in_the_backward_pass() -> None:
    x = Tensor([4.0, 0.0], label="x")

    def run() -> None:
        y = x.sqrt()
        (y * 2).sum().backward()

    line = inspect.getsourcelines(run)[1] + 1
    message = message_of(run)
    assert "inf first appears on the way back" in message
    assert f"sqrt at test_diagnostics.py:{line}: y = x.sqrt()" in message
    assert "entry (1,)" in message
    assert "tensor 'x' of shape (2,) (from 0 to 4)" in message


def test_a_graph_made_before_has_no_line_but_is_watched() -> None:
    x = Tensor([0.0])
    y = x.sqrt()
    message = message_of(y.backward)
    assert "inf first appears on the way back, in the gradient that sqrt gives" in message


def test_the_nan_that_where_hides_is_found_on_the_way_back() -> None:
    x = Tensor([0.0, 1.0])
    message = message_of(lambda: np.where(x.data > 0, x.sqrt(), 0.0).sum().backward())
    assert "on the way back, in the gradient that sqrt" in message


def test_a_mask_of_infinities_is_no_anomaly() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    with detect_anomaly():
        x.masked_fill(np.array([True, False, False]), -np.inf).softmax(0).sum().backward()
        with no_grad():
            x.exp()


def test_what_is_computed_without_a_graph_is_looked_at_too() -> None:
    x = Tensor([0.0], requires_grad=False)
    assert "inf first appears in log" in message_of(x.log)
    assert "divide" in message_of(lambda: 1 / x)


def test_it_nests_and_leaves_a_sound_program_alone() -> None:
    model = nn.MLP(2, [(3, RELU), (1, SIGMOID)], rng=0)
    with detect_anomaly(), detect_anomaly(), gradient_flow(model) as flow:
        pull(model)
    assert sys.getprofile() is None
    assert flow.steps[0]["layers.1"].gradient


def test_importing_it_imports_no_matplotlib() -> None:
    code = "import json, sys, tinytorch.diagnostics; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint({"matplotlib", "IPython"})


@pytest.mark.parametrize(
    "number",
    [2, 2.0, True, np.float32(2), np.int64(2), np.array(2.0), np.array([[2]]), Tensor(2.0),
     Tensor([2.0], requires_grad=False)],
)  # fmt: skip
def test_a_history_takes_one_number_of_any_type(number: Any) -> None:
    history = History()
    history.add(loss=number)
    assert history.values["loss"] == [float(number if isinstance(number, bool) else 2)]
