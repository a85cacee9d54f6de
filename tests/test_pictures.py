from __future__ import annotations

import errno
import gc
import html
import logging
import math
import os
import re
import subprocess
import sys
import unicodedata
import weakref
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinytorch import Tensor, no_grad, pictures
from tinytorch.nn import MLP, Activation, Layer, Module
from tinytorch.pictures import Picture
from tinytorch.pictures.cells import Cell, side_by_side

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"box": "leaf", "box3d": "parameter", "note": "constant"}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def draw(tensor: Tensor, **options: Any) -> Picture:
    return tensor.render("graph.dot", **options)


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  (it is ours)


def texts(svg: str) -> list[str]:
    found = parsed(svg).iter(f"{SVG}text")
    return [(text.text or "").replace("\xa0", " ") for text in found]


def card_list(picture: Picture) -> list[tuple[str, list[str]]]:
    """List the name on each card with the other lines on it, first what made it."""
    found = []
    for label in re.findall(r"^\tn\d+ \[label=<(.*)>", picture.dot, re.MULTILINE):
        fonts = re.findall(r"<font point-size='(\d+)'[^>]*>(.*?)</font>", label)
        plain = [re.sub(r"<br[^>]*>", "\n", re.sub(r"</?b>", "", text)) for _, text in fonts]
        lines = [html.unescape(text) for text in plain]
        name = next(i for i, (size, _) in enumerate(fonts) if size == "13")
        found.append((lines[name], ["".join(lines[:name]).strip(), *lines[name + 1 :]]))
    return found


def cards(picture: Picture) -> dict[str, list[str]]:
    found = card_list(picture)
    assert len(dict(found)) == len(found)
    return dict(found)


def made_by(picture: Picture) -> list[str]:
    return [lines[0] for _, lines in card_list(picture)]


def arrows(picture: Picture) -> list[tuple[str, str]]:
    """List the arrows, each with the names on its two cards and the socket where it ends."""
    keys = re.findall(r"^\t(n\d+) \[", picture.dot, re.MULTILINE)
    names = {key: name for key, (name, _) in zip(keys, card_list(picture), strict=True)}
    found = re.findall(r"^\t(\w+):s -> (\w+)(:i\d+)?:n", picture.dot, re.MULTILINE)
    return [(names.get(x, x), names[y] + port) for x, y, port in found]


def quickstart() -> Tensor:
    x, y = Tensor([1.0, 2.0], label="x"), Tensor([3.0, -0.5], label="y")
    z: Tensor = x * y + x.exp()
    z.label = "z"
    return z


def loss_of_a_network() -> Tensor:
    inputs = np.linspace(-1, 1, 40).reshape(20, 2)
    targets = (inputs[:, :1] > 0).astype(float)
    layers = [(24, Activation.RELU), (12, Activation.RELU), (1, Activation.SIGMOID)]
    p = MLP(2, layers, rng=0)(inputs)
    loss: Tensor = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    return loss


# --- what a picture shows -------------------------------------------------------------------------


def test_the_quickstart() -> None:
    z = quickstart()
    z.backward()
    picture = draw(z)
    assert cards(picture) == {
        "x": ["", "leaf (2,) float64", "data  \n1  2  \n", "grad  \n5.718  6.889  \n"],
        "y": ["", "leaf (2,) float64", "data  \n3  -0.5  \n", "grad  \n1  2  \n"],
        "t1": ["□ * □", "(2,) float64", "data  \n3  -1  \n", "grad  \n1  1  \n"],
        "t2": ["exp(□)", "(2,) float64", "data  \n2.718  7.389  \n", "grad  \n1  1  \n"],
        "z": ["□ + □", "result (2,) float64", "data  \n5.718  6.389  \n", "grad  \n1  1  \n"],
    }
    assert arrows(picture) == [
        ("x", "t1:i0"),
        ("y", "t1:i1"),
        ("x", "t2"),
        ("t1", "z:i0"),
        ("t2", "z:i1"),
    ]
    assert {"x", "y", "z", "1  2  ", "exp(", "5.718  6.889  "} <= set(texts(picture.svg))


def test_drawing_computes_no_gradient_and_changes_nothing() -> None:
    z = quickstart()
    before = z._children, z._op, z._backward, z._value.copy()
    assert "grad" not in draw(z, expand=True).dot
    product = z._children[0]
    assert z._grad is product._grad is product._children[0]._grad is None
    assert (z._children, z._op, z._backward) == before[:3]
    np.testing.assert_array_equal(z.data, before[3])


@pytest.mark.parametrize(
    ("shown", "compute"),
    [
        ("□ - □", lambda x, y: x - y),
        ("□ - □", lambda x, y: y - x),
        ("□ @ □", lambda x, y: y @ x),
        ("arctan2(□, □)", lambda x, y: np.arctan2(y, x)),
    ],
)
def test_arrows_end_at_their_argument(shown: str, compute: Any) -> None:
    x, y = Tensor([1.0, 2.0], label="x"), Tensor([3.0, 4.0], label="y")
    z = compute(x, y)
    picture = draw(z)
    assert cards(picture)["t1"][0] == shown
    assert arrows(picture) == [(a.label, f"t1:i{i}") for i, a in enumerate(z._children)]


def test_one_tensor_as_both_arguments() -> None:
    x = Tensor(3.0, label="x")
    assert arrows(draw(x * x)) == [("x", "t1:i0"), ("x", "t1:i1")]


@pytest.mark.parametrize(
    ("shown", "compute"),
    [
        ("□ * 0.999", lambda x: x * 0.999),
        ("1 - □", lambda x: 1 - x),
        ("□ ** 2", lambda x: x**2),
        ("-□", lambda x: -x),
        ("maximum(□, 0)", lambda x: np.maximum(x, 0)),
        ("3 * □", lambda x: np.float32(3) * x),
        ("□[…]", lambda x: x[0]),
        ("9 * □", lambda x: 9 * x),
    ],
)
def test_numbers_are_written_into_their_operation(shown: str, compute: Any) -> None:
    picture = draw(compute(Tensor([1.0, 2.0], label="x")))
    assert cards(picture)["t1"][0] == shown
    assert set(arrows(picture)) == {("x", "t1")}


def test_many_inputs_are_counted() -> None:
    picture = draw(np.concatenate([Tensor([float(i)]) for i in range(9)]))
    assert "concatenate(9 * □)" in [card[0] for card in cards(picture).values()]


def test_kinds_differ_in_shape_and_colour() -> None:
    layer = Layer(2, 2, rng=0)
    x = Tensor([[1.0, 2.0]], label="x")
    known = Tensor([[1.0, 1.0]], label="known", requires_grad=False)
    z = layer(x) * known - np.array([[5.0, 6.0]])
    picture = draw(z, expand=True)
    kinds = {name: lines[1].split()[0] for name, lines in cards(picture).items()}
    assert kinds == {
        "x": "leaf",
        "weight": "parameter",
        "bias": "parameter",
        "t1": "(1,",
        "known": "constant",
        "t2": "(1,",
        "c1": "constant",
        "t3": "result",
    }
    looks = re.findall(r"> color=\"(.*)\" fillcolor=\"(.*)\" id=\w+ shape=(\w+)", picture.dot)
    assert [SHAPES[shape] for *_, shape in looks] == [
        k for k in kinds.values() if k in SHAPES.values()
    ]
    assert len(set(looks)) == len({shape for *_, shape in looks}) == 3
    frames = re.findall(r"border='1' bgcolor='(#\w+)'[^>]*cellpadding='2' >", picture.dot)
    assert len(frames) == 4  # two intermediates have one, the result has two
    assert frames[-1] == frames[-2] != frames[0] == frames[1]
    dashed = re.findall(r"^\t(n\d+):s -> .* \[id=.* style=dashed\]", picture.dot, re.MULTILINE)
    assert [list(kinds)[int(key[1:])] for key in dashed] == ["known", "c1"]


def test_a_large_array_is_summed_up() -> None:
    x = Tensor(np.arange(100.0).reshape(50, 2), label="x")
    assert cards(draw(x))["x"][2:] == ["min  \nmean  \nmax  \n", "   0  \n49.5  \n  99  \n"]
    (x * x).backward()
    assert cards(draw(x))["x"][2:] == [
        "   \nmin  \nmean  \nmax  \n",
        "data  \n   0  \n49.5  \n  99  \n",
        "grad  \n  0  \n 99  \n198  \n",
    ]


@pytest.mark.parametrize(
    ("array", "shown"),
    [
        (-2.5, "-2.5"),
        ([[1.0, -20.0], [300.0, 4.0]], "  1  -20\n300    4"),
        (np.ones((2, 2, 2)), "1  1\n" * 4),
        (np.zeros((0, 3)), "empty"),
        ([np.nan, np.inf, 1e-9], "nan  inf  1e-09"),
        (np.full(30, np.inf), "inf\ninf\ninf"),
        (np.array([np.inf, -np.inf] * 15), "-inf\n nan\n inf"),
        (np.full(30, 6e4, np.float16), "6e+04\n6e+04\n6e+04"),
    ],
)
def test_values(array: Any, shown: str) -> None:
    lines = cards(draw(Tensor(array, label="x")))["x"]
    assert [line.rstrip() for line in lines[-1].splitlines()] == shown.splitlines()


def test_an_array_that_is_not_computed_yet_stays_so() -> None:
    class Lazy:
        shape, ndim, dtype = (2, 3), 2, np.dtype("float32")

        def __array__(self) -> None:
            pytest.fail("it was computed")

    x = Tensor(1.0, label="x")
    x._value = Lazy()  # type: ignore[assignment]
    assert cards(draw(x))["x"] == ["", "leaf (2, 3) float32", f"{__name__} array"]


def test_tensors_of_one_label_stay_apart_and_new_names_are_free() -> None:
    z = Tensor(2.0, label="t1") - Tensor(3.0, label="t1") * Tensor(4.0)
    picture = draw(z)
    named = re.findall(r"point-size='13'[^>]*><b>(.*?)</b>", picture.dot)
    assert sorted(named) == ["t1", "t1", "t2", "t3", "t4"]
    assert len(set(re.findall(r"^\t(n\d+) \[", picture.dot, re.MULTILINE))) == 5


UNSEEN = ["Cc", "Cf", "Cs", "Zl", "Zp"]


@given(st.text(st.characters(exclude_categories=UNSEEN), min_size=1, max_size=40))
@example("a<b>&amp;|{c}\"d\"'e' \\N \\n \\G \\\\ &eacute; <!-- --> ]]> \N{GRINNING FACE} é 漢字")
@example("two\nlines\n\nand  more ")
@example(" ")
@example("graph [label=<x>]; n0 [label=")
def test_labels_come_out_as_typed(label: str) -> None:
    label = label.translate({0xFFFE: None, 0xFFFF: None}) or "x"
    shown = texts(draw(Tensor(1.0, label=label)).svg)
    lines = label.replace("\xa0", " ").split("\n")
    assert [x for x in shown[:-2] if x.strip()] == [x for x in lines if x.strip()]


def test_control_characters_are_shown_as_python_shows_them() -> None:
    assert texts(draw(Tensor(1.0, label="\x00\x1b[1m\ud800\r\tend")).svg)[0] == (
        r"\x00\x1b[1m\ud800\r    end"
    )


def test_marks_of_direction_are_spelled_out_and_joiners_stay() -> None:
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    shown = texts(draw(Tensor(1.0, label=f"\u202eabc\u2069 \ufeff\u2028 {family} e\u0301")).svg)
    assert shown[0] == rf"\u202eabc\u2069 \ufeff\u2028 {family} e" + "\u0301"


def tooltips(svg: str) -> list[str]:
    found = [x.get("{http://www.w3.org/1999/xlink}title") for x in parsed(svg).iter(f"{SVG}a")]
    return [title for title in found if title]


@pytest.mark.parametrize(
    ("label", "shown", "full"),
    [
        ("ab" * 5000, "ab" * 19 + "a…b" + "ab" * 19, "ab" * 5000),
        ("\N{CJK UNIFIED IDEOGRAPH-6F22}" * 3000, "漢" * 19 + "…" + "漢" * 19, "漢" * 3000),
        ("\0" * 100, r"\x00" * 9 + r"\x0…x00" + r"\x00" * 9, r"\x00" * 100),
        ("e\u0301" * 99, "e\u0301" * 19 + "e…" + "e\u0301" * 19, "e\u0301" * 99),
        ("<&\"'\\N&lt;>" * 20, None, "<&\"'\\N&lt;>" * 20),
        ("\ud800" * 50, None, r"\ud800" * 50),
    ],
    ids=["long", "wide", "control", "combining", "markup", "surrogates"],
)
def test_of_a_long_label_both_ends_are_shown_and_all_in_a_tooltip(
    label: str, shown: str | None, full: str
) -> None:
    svg = draw(Tensor(1.0, label=label)).svg
    assert tooltips(svg) == [full]
    (line,) = (text for text in texts(svg) if "…" in text)
    if shown is not None:
        assert line == shown
    head, tail = line.split("…")
    assert full.startswith(head)
    assert full.endswith(tail)
    assert float(parsed(svg).get("width", "").removesuffix("pt")) < 700


@pytest.mark.parametrize("part", ["x", '"', "\\", "\x00", "漢", "a\n", "&"])
@pytest.mark.parametrize("length", [2_500, 16_384, 100_000])
def test_labels_of_any_length_are_drawn(part: str, length: int) -> None:
    svg = draw(Tensor(1.0, label=part * length)).svg
    (shown,) = tooltips(svg)
    assert shown.startswith(ascii(part)[1:-1] if part == "\x00" else part)
    assert shown.endswith("…") or len(svg) < 40_000


def test_of_many_lines_the_first_and_the_last_are_shown() -> None:
    lines = [f"line {i}" for i in range(300)]
    svg = draw(Tensor(1.0, label="\n".join(lines))).svg
    assert texts(svg)[:21] == [*lines[:10], "…", *lines[-10:]]
    assert tooltips(svg) == ["\n".join(lines)]
    assert tooltips(draw(Tensor(1.0, label="short")).svg) == []


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize(
    "name", ["x" * 10_000, "a\nb\t\0\u202e\ud800\\N", "<b>&amp;", "", "e\u0301" * 99]
)
def test_a_modules_repr_of_any_kind(name: str, expand: bool) -> None:
    class Named(Module):
        def __init__(self) -> None:
            self.gain = Tensor(np.ones(2))

        def forward(self, x: Any) -> Any:
            return x * self.gain

        def __repr__(self) -> str:
            return name

    out = Named()(Tensor([1.0, 2.0]))
    for ending in ("svg", "png", "pdf"):
        picture = out.render(f"graph.{ending}", expand=expand)
    assert tooltips(picture.svg) == ([name] if len(name) > 80 else [])


@pytest.mark.parametrize("expand", [False, True])
def test_nothing_is_cut_off_and_the_background_is_solid(expand: bool) -> None:
    loss = loss_of_a_network()
    loss.label = "a long label, 漢字, " * 5
    loss.backward()
    svg = parsed(draw(loss, expand=expand).svg)
    background = next(svg.iter(f"{SVG}polygon"))
    assert background.get("fill") == "white"
    corners = [tuple(map(float, p.split(","))) for p in background.get("points", "").split()]
    for text in svg.iter(f"{SVG}text"):
        x, y, size = (float(text.get(name, "")) for name in ("x", "y", "font-size"))
        columns = [2 if unicodedata.east_asian_width(c) == "W" else 1 for c in text.text or ""]
        right = x + 0.6 * size * sum(columns)
        assert min(corners)[0] < x < right < max(corners)[0]
        assert min(y for _, y in corners) < y - size < y < max(y for _, y in corners)


def test_the_same_graph_is_the_same_file() -> None:
    for ending in ("svg", "png", "pdf", "dot"):
        for i in range(2):
            loss = loss_of_a_network()
            loss.backward()
            loss.render(f"{i}.{ending}")
        assert Path(f"0.{ending}").read_bytes() == Path(f"1.{ending}").read_bytes()
    assert b"D:20000101000000Z" in Path("0.pdf").read_bytes()


# --- modules --------------------------------------------------------------------------------------


class Scale(Module):
    def __init__(self) -> None:
        self.gain = Tensor(np.ones(3))
        self.offset = Tensor(np.zeros(3))

    def forward(self, x: Tensor, *, shift: Any) -> Any:
        self.seen = x - shift
        return self.seen * self.gain / 2 + self.offset


class Residual(Module):
    def __init__(self) -> None:
        self.layer = Layer(3, 3, Activation.TANH, rng=0)

    def forward(self, x: Any) -> Any:
        return x + self.layer(x)


def test_each_layer_is_one_box() -> None:
    picture = draw(loss_of_a_network())
    assert made_by(picture) == [
        "",
        "",
        "Layer(2 → 24, RELU)weight (2, 24)bias (24,)",
        "Layer(24 → 12, RELU)weight (24, 12)bias (12,)",
        "Layer(12 → 1, SIGMOID)weight (12, 1)bias (1,)",
        "log(□)",
        "□ * □",
        "",
        "1 - □",
        "log(□)",
        "□ * □",
        "□ + □",
        "mean(□)",
        "-□",
    ]
    assert arrows(picture)[:3] == [("c2", "t1"), ("t1", "t2"), ("t2", "t3")]


def test_the_boxes_can_be_opened() -> None:
    picture = draw(loss_of_a_network(), expand=True)
    clusters = re.findall(r"subgraph cluster_\d \{\n(.*?)\n\t\}", picture.dot, re.DOTALL)
    assert [html.unescape(re.search("<b>(.*)</b>", x)[1]) for x in clusters] == [  # type: ignore[index]
        "Layer(2 → 24, RELU)",
        "Layer(24 → 12, RELU)",
        "Layer(12 → 1, SIGMOID)",
    ]
    # In each: two parameters, their product and sum with the input, activation.
    assert [len(re.findall(r"^\t\tn\d+$", x, re.MULTILINE)) for x in clusters] == [4, 4, 4]
    assert picture.dot.count("shape=box3d") == 6
    assert made_by(picture).count("relu(□)") == 2
    assert made_by(picture).count("□ @ □ + □") == 3


def test_a_module_of_the_users_own_is_a_box_with_a_socket_for_each_input() -> None:
    x, y = Tensor(np.ones(3), label="x"), Tensor(np.ones(3), label="y")
    picture = draw(Scale()(x.exp(), shift=y.exp()))
    assert cards(picture)["t3"][0] == "□  □ Scalegain (3,)offset (3,)"
    assert arrows(picture)[2:] == [("t1", "t3:i0"), ("t2", "t3:i1")]


def test_the_parameters_of_two_modules_of_one_input_have_names() -> None:
    x = Tensor(np.ones((1, 2)))
    heads = Layer(2, 3, rng=0), Layer(2, 3, rng=1)
    dot = draw(heads[0](x) + heads[1](x), expand=True).dot
    assert dot.count("weight") == dot.count("bias") == 2


def test_a_module_of_modules_shows_theirs() -> None:
    block = Residual()
    picture = draw(block(block(Tensor(np.ones((1, 3)), label="x"))))
    layer = "Layer(3 → 3, TANH)weight (3, 3)bias (3,)"
    assert made_by(picture) == ["", layer, "□ + □", layer, "□ + □"]


def test_a_box_is_opened_if_something_else_uses_what_is_inside() -> None:
    scale = Scale()
    out = scale(Tensor(np.ones(3), label="x"), shift=2.0)
    assert cards(draw(out))["t1"][0].startswith("Scale")
    opened = cards(draw(out + scale.seen))
    assert [lines[0] for lines in opened.values()] == [
        "", "□ - 2", "", "□ * □", "□ / 2", "", "□ + □", "□ + □",
    ]  # fmt: skip
    assert opened["gain"][1] == "parameter (3,) float64"


def test_a_parameter_that_is_used_elsewhere_too() -> None:
    layer = Layer(2, 1, rng=0)
    x = Tensor([[1.0, 2.0]], label="x")
    picture = draw(layer(x).sum() + (layer.weight**2).sum())
    assert cards(picture)["weight"][1] == "parameter (2, 1) float64"
    assert [end for end in arrows(picture) if end[0] == "weight"] == [("weight", "t3")]


def test_a_parameter_of_two_calls_is_in_the_first_box(capfd: pytest.CaptureFixture[str]) -> None:
    layer = Layer(2, 2, rng=0)
    picture = draw(layer(layer(Tensor([[1.0, 2.0]]))), expand=True)
    clusters = re.findall(r"subgraph cluster_\d \{\n(.*?)\n\t\}", picture.dot, re.DOTALL)
    assert [len(re.findall(r"^\t\tn\d+$", x, re.MULTILINE)) for x in clusters] == [3, 1]
    assert picture.svg
    assert capfd.readouterr().err == ""


def test_the_box_of_a_module_that_nobody_holds_any_more() -> None:
    picture = draw(Layer(2, 3, rng=0)(Tensor([[1.0, 2.0]], label="x")))
    assert cards(picture)["t1"][0].startswith("Layer(2 → 3, LINEAR)")


def test_a_neuron_is_a_box() -> None:
    layer = Layer(2, 2, Activation.RELU, rng=0)
    picture = draw(layer.neurons[0](Tensor([[1.0, 2.0]], label="x")))
    assert made_by(picture) == ["", "Neuron(2 → 1, RELU)weight (2, 1)bias (1,)"]


def test_boxes_keep_nothing_alive() -> None:
    layer = Layer(2, 2, rng=0)
    gc.disable()
    try:
        refs = [weakref.ref(layer(layer(Tensor([[1.0, 2.0]]))))]
        with no_grad():
            hidden = layer(Tensor([[1.0, 2.0]]))
            out = layer(hidden)
        refs.append(weakref.ref(hidden))
        del hidden
        assert [ref() for ref in refs] == [None, None]
        assert out.shape == (1, 2)
    finally:
        gc.enable()


# --- limits ---------------------------------------------------------------------------------------


def test_of_a_long_chain_the_end_is_drawn() -> None:
    x = Tensor(1.0)
    for _ in range(20_000):
        x = x * 0.999
    picture = draw(x)
    assert len(cards(picture)) == 200
    assert arrows(picture)[0] == ("more", "t1")
    assert arrows(picture)[-1] == ("t199", "t200")
    assert html.unescape(picture.dot).count(">… 19,801 more<") == 1
    assert "… 19,998 more" in texts(draw(x, max_nodes=3).svg)


def test_the_nearest_are_drawn_and_a_box_counts_as_one() -> None:
    loss = loss_of_a_network()
    picture = draw(loss, max_nodes=13)
    assert "… 1 more" in texts(picture.svg)
    assert ("more", "t1") in arrows(picture)
    assert " more" not in draw(loss, max_nodes=14).dot
    assert len(cards(draw(loss, max_nodes=1))) == 1


def test_max_nodes_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="max_nodes is at least 1, got 0"):
        quickstart().render(max_nodes=0)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("graph.svg", b"<?xml"),
        ("graph.png", b"\x89PNG"),
        ("graph.pdf", b"%PDF"),
        ("graph.dot", b"digraph"),
        ("GRAPH.PNG", b"\x89PNG"),
    ],
)
def test_the_ending_says_what_is_written(name: str, start: bytes) -> None:
    picture = quickstart().render(Path(name))
    assert isinstance(picture, Picture)
    assert Path(name).read_bytes().startswith(start)
    assert files() == [name]
    Path("other").touch()  # others may read it, as any new file
    assert Path(name).stat().st_mode == Path("other").stat().st_mode


def test_svg_and_dot_are_what_the_files_hold() -> None:
    picture = quickstart().render("graph.svg")
    assert Path("graph.svg").read_text() == picture.svg
    picture.save("graph.dot")
    assert Path("graph.dot").read_text() == picture.dot
    assert repr(picture) == "Picture(5 nodes)"


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("graph.gif", ValueError, r"ends in .svg, .png, .pdf, .dot, .html; got 'graph.gif'"),
        ("graph", ValueError, "got 'graph'"),
        ("missing/graph.svg", FileNotFoundError, "there is no directory missing$"),
        ("folder.svg", OSError, "cannot write folder.svg: "),
        (3, TypeError, "^render: the path is a str or a Path, got int 3$"),
        (b"graph.svg", TypeError, "^render: the path is a str or a Path, got "),
    ],
)
def test_a_path_that_cannot_be_written(path: Any, error: type[Exception], message: str) -> None:
    Path("folder.svg").mkdir()
    with pytest.raises(error, match=message) as caught:
        quickstart().render(path)
    assert "\n" not in str(caught.value)
    assert files() == ["folder.svg"]


def test_a_full_disk_leaves_the_old_file_and_no_half_of_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("graph.svg").write_text("old")

    def write_half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match=r"^render: cannot write graph.svg: No space left on device$"):
        quickstart().render("graph.svg")
    assert files() == ["graph.svg"]
    assert Path("graph.svg").read_text() == "old"


def test_view_opens_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    quickstart().render("a b.svg", view=True)
    quickstart().render(view=True)
    assert opened == [
        (tmp_path / "a b.svg").as_uri(),
        (tmp_path / "computational_graph.svg").as_uri(),
    ]
    assert files() == ["a b.svg", "computational_graph.svg"]


# --- scripts and notebooks ------------------------------------------------------------------------


def test_a_script_says_where_the_picture_is(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from tinytorch import Tensor
        z = Tensor(1.0).exp()
        heavy = {"graphviz", "pygraphviz", "tinytorch.pictures", "logging"}
        print(sorted(heavy & sys.modules.keys()))
        z.render()
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert done.stderr == f"the graph is drawn in {tmp_path / 'computational_graph.svg'}\n"
    assert "exp(" in texts(Path("computational_graph.svg").read_text())


def test_where_logging_is_set_up_it_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "tinytorch")
    quickstart().render()
    assert caplog.record_tuples == [
        (
            "tinytorch",
            logging.INFO,
            f"the graph is drawn in {Path('computational_graph.svg').resolve()}",
        )
    ]
    assert capsys.readouterr().err == ""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


@pytest.mark.usefixtures("notebook")
def test_in_a_notebook_it_shows_itself() -> None:
    picture = quickstart().render()
    assert files() == []
    shown = picture._repr_mimebundle_(include=None, exclude=None)
    assert shown == {"image/svg+xml": picture.svg, "text/plain": "Picture(5 nodes)"}
    quickstart().render("graph.dot")
    assert files() == ["graph.dot"]


def test_in_a_terminal_ipython_it_writes_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=SimpleNamespace))
    quickstart().render()
    assert files() == ["computational_graph.svg"]


# --- three ways to draw ---------------------------------------------------------------------------


@pytest.fixture
def without_pygraphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide pygraphviz, and give the only folder on the PATH."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def test_pygraphviz_needs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert texts(quickstart().render("graph.svg").svg)


def test_else_the_program_dot_draws(without_pygraphviz: Path) -> None:
    program = without_pygraphviz / "dot"
    program.write_text('#!/bin/sh\necho "$@"\nwhile read -r line; do echo "$line"; done\n')
    program.chmod(0o755)
    picture = quickstart().render("graph.svg")
    arguments, *dot = picture.svg.splitlines()
    assert arguments == "-Kdot -Tsvg"
    assert dot == [line.strip() for line in picture.dot.splitlines()]
    picture.save("graph.png")
    assert Path("graph.png").read_text().startswith("-Kdot -Tpng\n")
    assert "dpi=144" in Path("graph.png").read_text()


@pytest.mark.usefixtures("without_pygraphviz")
def test_with_neither_it_says_what_to_install() -> None:
    before = files()
    with pytest.raises(RuntimeError, match=r'pip install "tinytorch\[viz\]"') as caught:
        quickstart().render("graph.png")
    assert "\n" not in str(caught.value)
    assert files() == before
    picture = quickstart().render("graph.dot")
    assert Path("graph.dot").read_text() == picture.dot
    assert 'pip install "tinytorch[viz]"' in picture._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libcgraph.so.6: cannot open shared object file: No such file or directory"),
        OSError("libcgraph.so: missing"),
        ModuleNotFoundError("No module named 'pygraphviz._graphviz'", name="pygraphviz._graphviz"),
    ],
)
def test_a_missing_system_library_is_named(
    error: Exception, without_pygraphviz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise error

    monkeypatch.setitem(sys.modules, "pygraphviz", Broken())
    with pytest.raises(
        RuntimeError, match="pygraphviz is installed, but cannot be loaded"
    ) as found:
        _ = quickstart().render("graph.dot").svg
    assert str(error) in str(found.value)
    assert "pip install" not in str(found.value)
    program = without_pygraphviz / "dot"
    program.write_text("#!/bin/sh\necho drawn\n")
    program.chmod(0o755)
    assert draw(quickstart()).svg == "drawn\n"


def test_a_broken_program_is_named(without_pygraphviz: Path) -> None:
    program = without_pygraphviz / "dot"
    program.write_text("#!/bin/sh\necho libcgraph.so.6: no such file >&2\nexit 127\n")
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match=r"the program dot failed \(.*libcgraph.so.6"):
        _ = draw(quickstart()).svg


def test_what_graphviz_says_is_heard_when_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  (whichever pygraphviz raises)
        _ = Picture("digraph { a -> }").svg
    assert "syntax error" in capfd.readouterr().err
    assert quickstart().render("graph.svg").svg  # and the next one can be drawn


def test_cells_have_room_beside_each_other() -> None:
    row = side_by_side([Cell("a", 10, 20), Cell("b", 30, 5)])
    assert row.width >= 10 + 30
    assert row.height >= 20
    assert f"width='{row.width}' height='{row.height}'" in row.content


@pytest.mark.parametrize("name", ["explain", "render"])
def test_the_method_and_the_function_leave_out_the_same(name: str) -> None:
    def defaults(function: Any) -> list[Any]:
        return [(x.name, x.default) for x in [*signature(function).parameters.values()][1:]]

    assert defaults(getattr(Tensor, name)) == defaults(getattr(pictures, name))


SMALL = [(6,), (2, 6), (3, 5), (4, 4), (8, 2), (8, 1), (2, 2, 4)]


@pytest.mark.parametrize("shape", [*SMALL, (7,), (3, 6), (9, 1), (9, 2), (5, 4)])
def test_small_arrays_are_written_out_and_larger_ones_in_figures(shape: tuple[int, ...]) -> None:
    numbers = np.arange(101, 101 + math.prod(shape))
    ((_, lines),) = card_list(draw(Tensor(numbers.reshape(shape), requires_grad=False)))
    figures = [f"{x:.4g}" for x in (numbers.min(), numbers.mean(), numbers.max())]
    assert lines[-1].split() == ([*map(str, numbers)] if shape in SMALL else figures)
