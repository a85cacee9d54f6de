"""The step-by-step page: its steps, its numbers, its rules, and what it may hold."""

from __future__ import annotations

import base64
import cProfile
import functools
import hashlib
import html
import json
import linecache
import logging
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch import Tensor, checkpoint, no_grad, operation
from tinytorch.engine import topological_order, watcher
from tinytorch.nn import MLP, Activation, Layer, Module
from tinytorch.pictures import Page, Picture, explain, record_lines
from tinytorch.pictures.graph import Graph
from tinytorch.pictures.steps import Story, too_early
from tinytorch.pictures.values import details, inline, summary


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def story_of(z: Tensor, max_nodes: int = 200) -> Story:
    return Story(Graph(z, expand=True, max_nodes=max_nodes))


def page_of(z: Tensor, **options: Any) -> Page:
    return explain(z, "page.html", **options)


def data_of(page: Page) -> Any:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html)
    assert text
    return json.loads(text[1])


def program() -> Tensor:
    x, y = Tensor([1.0, 2.0], label="x"), Tensor([3.0, -0.5], label="y")
    p = x * y
    z: Tensor = p.exp() + p * x
    p.label, z.label = "p", "z"
    return z


def network() -> Tensor:
    inputs = np.linspace(-1, 1, 12).reshape(6, 2)
    model = MLP(2, [(5, Activation.RELU), (1, Activation.SIGMOID)], rng=0)
    loss: Tensor = ((model(inputs) - np.ones((6, 1))) ** 2).mean()
    return loss


def indexed() -> Tensor:
    x = Tensor([1.0, 2.0, 3.0], label="x")
    return x[0] * x[1] + x[[1, 1, 2]].sum() * x[2]


def broadcast() -> Tensor:
    x, b = Tensor(np.ones((2, 3)), label="x"), Tensor([1.0, 2.0, 3.0], label="b")
    column = Tensor([[1.0], [2.0]], label="column")
    return ((x + b) * column).sum(axis=1)


def single() -> Tensor:
    x = Tensor(np.array([0.1, 0.7], np.float32), label="x")
    return (x * x).sin() / x


def recomputed() -> Tensor:
    x = Tensor([1.0, 2.0], label="x")
    return checkpoint(lambda x: (x * x).sin())(x) * x


def leaf() -> Tensor:
    return Tensor([1.0, 2.0], label="x")


def not_finite() -> Tensor:
    x = Tensor([0.0, 1.0, -1.0], label="x")
    return (x / x.data + Tensor(np.zeros((0, 3))).sum() + Tensor(np.zeros((0, 3))).sum(0)).sum()


PROGRAMS = [program, network, indexed, broadcast, single, recomputed, leaf, not_finite]


# --- the numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", PROGRAMS)
def test_all_numbers_are_those_that_backward_leaves(make: Callable[[], Tensor]) -> None:
    with np.errstate(all="ignore"):
        z = make()
    story = story_of(z)
    page = page_of(z)
    nodes = topological_order([z])
    assert all(node._grad is None for node in nodes)
    with np.errstate(all="ignore"):
        z.backward()
    assert story.grads.keys() == {id(node) for node in nodes}
    units = data_of(page)["units"]
    for node in nodes:
        grad = story.grads[id(node)]
        assert grad.dtype == node.dtype
        np.testing.assert_array_equal(grad, node.grad)
        assert units[story.keys[id(node)]]["grad"] == details(node.grad)
        assert units[story.keys[id(node)]]["values"] == details(node.data)
        told = [step.grads[key] for step in story.backward for key in step.grads]
        assert summary(node.grad) in told


@st.composite
def programs(draw: st.DrawFn) -> Tensor:
    """Draw a program of sums, products and functions of what there is already."""
    values = [Tensor(np.full(shape, 0.5)) for shape in ((), (2,), (3, 1), (3, 2))]
    for _ in range(draw(st.integers(1, 8))):
        x, y = (draw(st.sampled_from(values)) for _ in range(2))
        values.append(draw(st.sampled_from([np.add, np.multiply, lambda x, _: x.tanh()]))(x, y))
    return values[-1]


@given(programs())
def test_of_any_program_the_gradients_are_backward_s(z: Tensor) -> None:
    story = story_of(z)
    z.backward()
    for node in topological_order([z]):
        np.testing.assert_array_equal(story.grads[id(node)], node.grad)


@given(programs())
def test_an_order_is_wrong_if_and_only_if_two_operations_use_what_was_computed(z: Tensor) -> None:
    nodes = topological_order([z])
    users = {id(x): {id(n) for n in nodes if any(x is y for y in n._children)} for x in nodes}
    some = any(x._children and len(users[id(x)]) > 1 for x in nodes)
    order = too_early(z)
    assert (order is not None) == some
    assert order is None or {node for node in nodes if node._children} == set(order)


def test_gradients_that_are_there_already_stay() -> None:
    z = program()
    z.backward()
    x = z._children[1]._children[1]
    before = x.grad
    page = page_of(z)
    assert x.grad is before
    units = data_of(page)["units"].values()
    assert [unit["grad"] for unit in units if unit["name"] == "x"] == [details(before)]
    assert watcher.get() is None


def test_what_is_not_shown_counts_all_the_same() -> None:
    x = Tensor(0.5, label="x")
    y = x
    for _ in range(10):
        y = y * 0.9 + x
    story = story_of(y, max_nodes=6)
    assert id(x) in story.grads
    assert len(story.graph.units) == 6
    y.backward()
    np.testing.assert_array_equal(story.grads[id(x)], x.grad)
    assert any("A tensor that isn't shown hands x" in step.text for step in story.backward)
    assert "closed" not in data_of(page_of(y, max_nodes=6))


def test_of_a_long_chain_the_end_is_told() -> None:
    x = Tensor(1.0)
    for _ in range(20_000):
        x = x * 0.999
    story = story_of(x, max_nodes=5)
    assert story.forward[0].text == "The program begins with tensors that are not shown."
    assert len(story.forward) == 6
    assert len(story.backward) == 6
    assert story.backward[-1].text.startswith("The way back is over: t1.grad = 0.996")


# --- the steps ------------------------------------------------------------------------------------


def test_each_step_says_what_happens() -> None:
    story = story_of(program())
    assert [(step.kind, step.text) for step in story.forward] == [
        ("start", "The program begins with x = [1 2] and y = [3 -0.5]."),
        ("forward", "p is computed: x * y."),
        ("forward", "t1 is computed: exp(p)."),
        ("forward", "t2 is computed: p * x."),
        ("forward", "z is computed: t1 + t2. z is the result."),
    ]
    first, share = story.forward[1], story.backward[-2]
    assert (first.rule, first.numbers, first.result) == ("p = x * y", "[1 2] * [3 -0.5]", "[3 -1]")
    assert [step.text for step in story.backward] == [
        "The way back begins at z: its gradient is [1 1], that of z with respect to itself.",
        "z hands t1 its share, [1 1]. t1 had none yet.",
        "z hands t2 its share, [1 1]. t2 had none yet.",
        "The gradient of t2 is complete. t2 hands p its share, [1 2]. p had none yet.",
        "t2 hands x its share, [3 -1]. x had none yet.",
        (
            "The gradient of t1 is complete. t1 hands p its share, [20.09 0.3679]. "
            "It is added to what p has: [1 2] + [20.09 0.3679] = [21.09 2.368]."
        ),
        (
            "The gradient of p is complete. p hands x its share, [63.26 -1.184]. "
            "It is added to what x has: [3 -1] + [63.26 -1.184] = [66.26 -2.184]."
        ),
        "p hands y its share, [21.09 4.736]. y had none yet.",
        "The way back is over: x.grad = [66.26 -2.184] and y.grad = [21.09 4.736].",
    ]
    assert (share.rule, share.names, share.numbers, share.result) == (
        "grad * x",
        "p.grad * x",
        "[21.09 2.368] * [1 2]",
        "[21.09 4.736]",
    )
    keys = dict(zip(story.names.values(), story.keys.values(), strict=True))
    assert (share.node, share.to, share.arrows) == (keys["p"], keys["y"], [f"{keys['p']}-1"])
    done = [story.names[unit] for step in story.backward for unit, key in story.keys.items()
            if key in step.complete]  # fmt: skip
    assert done == ["z", "t1", "t2", "p", "x", "y"]


def test_what_was_broadcast_is_folded_in_a_step_of_its_own() -> None:
    story = story_of(broadcast())
    folds = [step for step in story.backward if step.kind in {"fold", "spread"}]
    assert [(step.kind, step.copies, step.total) for step in folds] == [
        ("spread", ["[[1] [1]]"], "[[1 1 1] [1 1 1]]"),
        ("fold", ["[[2] [2]]", "[[3] [3]]", "[[4] [4]]"], "[[9] [9]]"),
        ("fold", ["[1 1 1]", "[2 2 2]"], "[3 3 3]"),
    ]
    assert folds[2].text == (
        "b has the shape (3,), its share (2, 3): b was copied 2 times, so that its share is the "
        "sum of those of the copies, [3 3 3]. b had none yet."
    )


def test_of_many_copies_three_are_shown() -> None:
    story = story_of(Tensor(np.ones((20, 2))) + Tensor(np.zeros(2)))
    (fold,) = (step for step in story.backward if step.kind == "fold")
    assert fold.copies == ["[1 1]", "[1 1]", "[1 1]", "… 17 more"]
    assert fold.total == "[20 20]"


def test_an_input_that_comes_twice_gets_two_shares() -> None:
    x = Tensor(3.0, label="x")
    story = story_of(x * x)
    shares = [step for step in story.backward if step.kind == "share"]
    assert [step.arrows for step in shares] == [["n1-0"], ["n1-1"]]
    assert shares[1].sum == "3 + 3 = 6"


def test_the_wrong_order_hands_on_too_early() -> None:
    story = story_of(program())
    early = next(step for step in story.wrong if "hands on too early" in step.text)
    late = next(step for step in story.wrong if "too late" in step.text)
    p = next(key for unit, key in story.keys.items() if story.names[unit] == "p")
    assert early.text.startswith(
        "p hands on too early, with 1 share still to come. p hands x its share, "
    )
    assert late.text.endswith("That is too late: p has handed on what it had.")
    assert early.wrong == late.wrong == [p]
    end = story.wrong[-1]
    assert end.text == (
        "The way back is over: x.grad = [63.26 -1.184] and y.grad = [20.09 0.7358]. "
        "In the right order, x.grad = [66.26 -2.184] and y.grad = [21.09 4.736]."
    )
    assert sorted(story.wrong[-1].wrong) == sorted(
        key for unit, key in story.keys.items() if story.names[unit] in "xy"
    )
    assert not any(step.wrong for step in story.backward)


def test_where_no_order_is_wrong_there_is_none() -> None:
    assert story_of(Tensor(1.0).exp().sin()).wrong == []
    assert story_of(broadcast()).wrong == []


def test_in_a_graph_of_many_inputs_few_are_listed() -> None:
    story = story_of(np.stack([Tensor(float(i), label=f"x{i}") for i in range(10)]).sum())
    assert story.forward[0].text.endswith("x4 = 4 and 5 more.")
    assert "…" in next(step.rule for step in story.forward if "concatenate" in step.rule)


# --- the rules ------------------------------------------------------------------------------------


def rules_of(z: Tensor) -> list[tuple[str, str, str]]:
    return [
        (step.rule, step.names, step.numbers)
        for step in story_of(z).backward
        if step.kind == "share"
    ]


def test_rules_are_shown_as_the_source_has_them() -> None:
    x, y = Tensor([1.0, 2.0], label="x"), Tensor([[1.0, 0.0], [0.0, 1.0]], label="y")
    assert rules_of(x.tanh()) == [
        (
            "grad * (1 - out * out)",
            "t1.grad * (1 - t1 * t1)",
            "[1 1] * (1 - [0.7616 0.964] * [0.7616 0.964])",
        )
    ]
    # The `return` that was taken, with what its names stood for there.
    assert rules_of(y @ x)[1] == (
        "grad[..., None, :] @ x", "t1.grad[..., None, :] @ y", "[1 1][..., None, :] @ [[1 0] [0 1]]"
    )  # fmt: skip
    # A rule that only calls another one is shown as that.
    rule, *_ = rules_of(Layer(2, 2, rng=0)(x.reshape(1, 2)))[0]
    assert rule == "matmul(grad, y.swapaxes(-1, -2))"
    # Parameters are put in, too.
    assert rules_of(x.clip(0, 1))[0][2] == "keep(([1 2] >= 0) & ([1 2] <= 1), [1 1])"
    assert rules_of(np.flip(x.reshape(1, 2), (0, 1)))[0][2] == "np.flip([[1 1]], (0, 1))"
    assert rules_of(x.mean(axis=0))[0][0] == "grad / max(count(x, axis), 1)"


def test_rules_of_one_s_own() -> None:
    twice = operation(lambda x: 2 * x, lambda grad, out, x: 2 * grad, name="explained_twice")
    pair = operation(lambda x, y: x + 3 * y, lambda grad, out, x, y: grad, lambda grad, out, x, y: 3 * grad, name="explained_pair")  # noqa: E501  # fmt: skip

    def slope(grad: Any, out: Any, x: Any) -> Any:  # noqa: ARG001
        """Say nothing."""
        factor = 3 * x**2
        return (
            grad
            * factor
        )  # fmt: skip

    cube = operation(lambda x: x**3, slope, name="explained_cube")
    x = Tensor(2.0, label="x")
    assert rules_of(twice(x)) == [("2 * grad", "2 * t1.grad", "2 * 1")]
    assert rules_of(pair(x, Tensor(1.0)))[1] == ("3 * grad", "3 * t2.grad", "3 * 1")
    assert rules_of(cube(x)) == [("grad * factor", "t1.grad * factor", "1 * 12")]


def test_a_rule_without_a_source_says_so() -> None:
    hidden = eval("lambda grad, out, x: 5 * grad")  # noqa: S307
    op = operation(lambda x: 5 * x, hidden, name="explained_hidden")
    assert rules_of(op(Tensor(1.0))) == [("its source cannot be read", "", "")]
    in_c = operation(np.sin, functools.partial(lambda grad, out, x: grad), name="explained_in_c")
    assert rules_of(in_c(Tensor(1.0))) == [("its source cannot be read", "", "")]


def test_explaining_under_a_profiler() -> None:
    def profile(*_: object) -> None:
        pass

    sys.setprofile(profile)
    try:
        rules_of(Tensor(1.0).exp())
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    with cProfile.Profile() as profiler:
        rules_of(Tensor(1.0).exp())
        assert np.isfinite(1.0)
    assert profiler.getstats()


# --- the user's lines -----------------------------------------------------------------------------


def lines_of(z: Tensor) -> dict[str, str]:
    return {
        unit["name"]: unit["line"]
        for unit in data_of(page_of(z))["units"].values()
        if "line" in unit
    }


def test_the_line_that_made_a_tensor_is_known_where_it_was_recorded() -> None:
    x = Tensor(1.0, label="x")
    y = x.exp()
    with record_lines():
        z = y.sin()
        out = Layer(1, 1, rng=0)(z.reshape(1, 1))
    y.label, z.label, out.label = "y", "z", "out"
    line = lines_of(out)
    number = test_the_line_that_made_a_tensor_is_known_where_it_was_recorded.__code__.co_firstlineno
    assert line["y"] == ""
    assert line["z"] == f"test_explain.py:{number + 4}: z = y.sin()"
    assert line["out"].endswith(": out = Layer(1, 1, rng=0)(z.reshape(1, 1))")
    assert sys.getprofile() is None
    assert lines_of(x.exp()) == {"t1": ""}


def test_the_line_is_that_of_the_operation_not_of_a_function_that_returns_it() -> None:
    def squared(x: Tensor) -> Tensor:
        y = x * x
        del x
        return y

    with record_lines():
        z = squared(Tensor(2.0, label="x"))
    (line,) = (line for line in lines_of(z).values() if line)
    assert line.endswith(": y = x * x")


def test_a_cell_of_a_notebook_has_no_file() -> None:
    code = compile("z = x.exp()\n", "ipykernel_1/123.py", "exec")
    names = {"x": Tensor(1.0, label="x")}
    linecache.cache[code.co_filename] = (12, None, ["z = x.exp()\n"], code.co_filename)
    with record_lines():
        exec(code, names)  # noqa: S102
    assert lines_of(names["z"])["t1"] == "line 1: z = x.exp()"
    del linecache.cache[code.co_filename]


# --- arrays ---------------------------------------------------------------------------------------


def test_large_arrays_are_a_corner_an_extent_and_a_map() -> None:
    array = np.arange(-300.0, 300.0).reshape(20, 30)
    array[0, 1] = np.nan  # which the map shows
    shown = details(array)
    assert shown["text"].splitlines()[1] == "-270  -269  -268  -267  …"
    assert shown["text"].endswith("\n…")
    assert shown["extent"] == "from nan to nan, mean nan"
    assert shown["of"] == "20 by 30"
    assert [len(row) for row in shown["map"]] == [16] * 12
    assert shown["map"][0][:2] == "a "
    assert shown["map"][-1][-1] == "y"
    assert details(np.zeros((9, 9)))["map"] == ["m" * 9] * 9
    assert details(np.zeros((0, 9))) == {"text": "empty"}
    assert details(np.array(2.5)) == {"text": "2.5"}


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 0.1, 7.0, 1e300])
def test_the_shades_of_a_map_are_of_its_largest_magnitude(scale: float) -> None:
    array = np.linspace(-12, 12, 25)[None] * np.ones((9, 1))
    (row, *others) = details(array[:, ::2] / 12 * scale)["map"]
    assert row == "acegikmoqsuwy"
    assert others == [row] * 8


@given(st.lists(st.integers(0, 5), max_size=3))
def test_every_shape_can_be_written(shape: list[int]) -> None:
    array = np.arange(float(np.prod(shape))).reshape(shape)
    assert details(array)["text"]
    assert len(inline(array)) < 100


def test_eight_entries_are_written_out() -> None:
    assert inline(np.arange(8.0)) == "[0 1 2 3 4 5 6 7]"
    assert inline(np.arange(9.0)) == "[0 1 …]"


# --- the page -------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """What a browser would make of a page: its elements, and the scripts' text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"] and data.strip():
            self.scripts.append(data)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</svg><svg onload=alert(1)>",
    "\"' onmouseover='alert(1)",
    "<!--",
    "]]><![CDATA[",
    "&lt;script&gt;&#60;",
    "\u2028\u2029\u202e\x00\ud800",
    "$data ${script} $$",
    '<g id="n0"> stroke="none" xml:space="preserve"',
    "\\N\\G\\u003c/script>",
    "long " * 400,
]


@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_breaks_out(label: str) -> None:
    def made(label: str) -> Any:
        x, layer = Tensor([1.0, 2.0], label=label), Layer(2, 1, rng=0)
        z = layer(x.reshape(1, 2)).sum()
        z.label = label
        return page_of(z)

    page, plain = made(label), made("x")
    hostile, usual = Tags(page.html), Tags(plain.html)
    assert set(hostile.tags) == set(usual.tags) | ({"a"} & set(hostile.tags))
    assert hostile.tags.count("script") == 2
    assert not any(name.startswith("on") for name, _ in hostile.attributes)
    assert hostile.scripts[1:] == usual.scripts[1:]
    names = {unit["name"] for unit in data_of(page)["units"].values()}
    assert data_of(page)["name"] in names
    page.html.encode()
    if label.isprintable() and len(label) < 80:
        assert label in names
    assert all("\u2028" not in name and "\u202e" not in name for name in names)


def test_no_line_of_the_program_breaks_out() -> None:
    with record_lines():
        z = Tensor(1.0, label="x").exp()  # </script><script>alert(1)</script> <!--
    page = page_of(z)
    assert Tags(page.html).tags.count("script") == 2
    assert "<script>alert(1)</script>" in lines_of(z)["t1"]


def test_a_title_of_a_module_cannot_break_out() -> None:
    class Evil(Layer):
        def __repr__(self) -> str:
            return "</script><img src=x onerror=alert(1)>"

    page = page_of(Evil(2, 1, rng=0)(Tensor([[1.0, 2.0]])))
    assert {"img"}.isdisjoint(Tags(page.html).tags)
    assert Tags(page.html).tags.count("script") == 2


def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    page = page_of(network()).html
    assert set(re.findall(r"\w+://[^\s\"]*", page)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    attributes = dict(Tags(page).attributes)
    assert {"src", "rel"}.isdisjoint(attributes)
    script = Tags(page).scripts[-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page


def test_names_in_the_page_are_unique_and_those_of_the_data() -> None:
    page = page_of(network())
    ids = [value for name, value in Tags(page.html).attributes if name == "id" and value]
    assert len(set(ids)) == len(ids)
    data = data_of(page)
    assert data["units"].keys() <= set(ids)
    assert data["closed"]["places"].keys() == data["units"].keys()
    closed = data["closed"]
    for found in (
        closed["cards"],
        closed["places"],
        closed["arrows"],
        dict.fromkeys(closed["boxes"]),
    ):
        assert {key if value is None else value for key, value in found.items()} <= set(ids)
    arrows = {
        arrow for step in data["forward"] + data["backward"] for arrow in step.get("arrows", ())
    }
    assert arrows <= set(ids)
    assert sorted(closed["boxes"].values()) == ["Layer(2 → 5, RELU)", "Layer(5 → 1, SIGMOID)"]
    # Outside the boxes every arrow is drawn in both; inside them none is.
    assert set(closed["arrows"]) < arrows


def test_arrows_end_at_the_inputs_of_a_closed_box_not_of_what_is_in_it() -> None:
    class Turned(Module):
        def forward(self, x: Any, y: Any) -> Any:
            return y * 2 + x

    x, y = Tensor([1.0]), Tensor([2.0])
    closed = data_of(page_of(Turned()(x.exp(), y.exp()).sum()))["closed"]
    (box,) = closed["boxes"]
    first, second = closed["cards"]["n3"], closed["cards"]["n1"]
    assert [closed["places"][n] for n in ("n1", "n2", "n3", "n5")] == [second, box, first, box]
    assert closed["arrows"]["n2-0"] == f"{box}-1"
    assert closed["arrows"]["n5-1"] == f"{box}-0"


def test_colours_are_the_pictures() -> None:
    style = Path(sys.modules[Page.__module__].__file__ or "").with_name("page.css").read_text()
    page = page_of(network(), expand=True)
    known = set(re.findall(r'(?:fill|stroke)="(#\w+)"', page.html + page_of(program()).html))
    assert set(re.findall(r'\[(?:fill|stroke)="(#\w+)"\]', style)) <= known


def test_two_hundred_tensors_are_less_than_a_megabyte() -> None:
    x = Tensor(np.linspace(0, 1, 200).reshape(10, 20), label="x")
    b = [Tensor(np.zeros(20)) for _ in range(33)]
    for bias in b:
        x = (x + bias).tanh() * 0.9 + x * 0.1
    page = page_of(x.sum())
    assert 190 <= len(data_of(page)["units"]) <= 200
    assert data_of(page)["wrong"]
    assert len(page.html.encode()) < 1_000_000


def test_a_network_of_layers_is_less_than_a_megabyte() -> None:
    model = MLP(8, [(8, Activation.TANH)] * 48, rng=0)
    page = page_of(model(np.ones((4, 8))).sum())
    assert 190 <= len(data_of(page)["units"]) <= 200
    assert len(data_of(page)["closed"]["boxes"]) == 48
    assert len(page.html.encode()) < 1_000_000


# --- files and notebooks --------------------------------------------------------------------------


def test_html_is_a_file_that_render_writes_too() -> None:
    z = program()
    page = z.render("a.html")
    assert isinstance(page, Page)
    z.explain("b.html")
    assert Path("a.html").read_text() == Path("b.html").read_text() == page.html
    page.save("graph.svg")
    assert "66.26" in Path("graph.svg").read_text()
    assert repr(page) == "Page(6 nodes)"
    with pytest.raises(ValueError, match=r"ends in .svg, .png, .pdf, .dot; got 'a.html'"):
        z.render("graph.dot").save("a.html")
    with pytest.raises(ValueError, match=r"ends in .html, .svg, .png, .pdf, .dot; got 'a.gif'"):
        z.explain("a.gif")


def test_the_page_opens_modules_if_asked_to() -> None:
    assert data_of(page_of(network(), expand=True))["expand"] is True
    network().render("a.html", expand=True)
    assert '"expand":true' in Path("a.html").read_text()


def test_the_example_writes_its_page() -> None:
    program = Path(__file__).parents[1] / "examples" / "backpropagation.py"
    subprocess.run([sys.executable, program, "page.html"], check=True)
    assert "backpropagation.py:11: z = x.exp() + x * y" in Path("page.html").read_text()


def test_in_a_script_it_writes_backprop_html(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tinytorch")
    program().explain()
    assert [path.name for path in Path().iterdir()] == ["backprop.html"]
    assert caplog.messages == [f"the graph is drawn in {Path('backprop.html').resolve()}"]


def test_in_a_notebook_it_shows_itself_with_the_picture_where_frames_are_not_allowed() -> None:
    page = page_of(program())
    shown = page._repr_mimebundle_(include=None)
    assert shown["image/svg+xml"] == page.svg
    found = re.fullmatch(r'<iframe .* srcdoc="([^"]*)"><img alt="[^"]*" src="([^"]*)"></iframe>',
                         shown["text/html"])  # fmt: skip
    assert found
    assert html.unescape(found[1]) == page.html
    assert base64.b64decode(found[2].partition(",")[2]).decode() == page.svg


def test_in_a_notebook_that_is_not_trusted_pixels_are_left() -> None:
    """VS Code shows neither HTML nor SVG of it: text, Markdown and PNG are what it calls secure."""
    shown = page_of(program())._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/svg+xml", "image/png", "text/plain"}
    pixels = base64.b64decode(shown["image/png"])
    assert pixels.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", pixels[16:24])
    (drawn,) = re.findall(r'<svg width="(\d+)pt" height="(\d+)pt"', shown["image/svg+xml"])
    assert [width, height] == pytest.approx([2 * int(side) for side in drawn], abs=4)


def test_of_a_large_graph_a_notebook_keeps_no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of(program())
    monkeypatch.setattr("tinytorch.pictures.page._SMALL", len(page.svg))
    assert "image/png" not in page._repr_mimebundle_()


def test_without_graphviz_a_notebook_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(Graph(program(), expand=True, max_nodes=9), expand=False)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    assert 'pip install "tinytorch[viz]"' in page._repr_mimebundle_()["text/plain"]
    with pytest.raises(RuntimeError, match="to draw needs Graphviz"):
        page.save("a.html")


def test_what_cannot_be_explained() -> None:
    with no_grad():
        z = program()
    with pytest.raises(RuntimeError, match=r"explain: tensor 'z' of shape .* requires no gradient"):
        z.explain("a.html")
    with pytest.raises(ValueError, match="max_nodes is at least 1, got 0"):
        program().explain("a.html", max_nodes=0)
    lazy = Tensor(dask.array.ones(3), label="lazy")
    with pytest.raises(TypeError, match="holds a dask array: explain a small example"):
        (lazy * 2).explain("a.html")
    with pytest.raises(FileNotFoundError, match="no directory missing"):
        program().explain("missing/a.html")
    assert isinstance(program().render("a.svg"), Picture)
