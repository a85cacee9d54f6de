"""The step-by-step page in Chromium: every control is used, and the console stays empty.

`make browser-tests` runs this; the usual test run does without a browser.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import numpy as np
import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tinytorch import Tensor
from tinytorch.nn import MLP, Activation
from tinytorch.pictures import record_lines


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    browser, program = (shutil.which(name) for name in ("chromium", "chromedriver"))
    assert browser, "apt-get install chromium chromium-driver"
    assert program, "apt-get install chromium chromium-driver"
    options = ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, ChromeService(program))
    yield driver
    driver.quit()


class Opened:
    """A page in the browser, and what is done with it."""

    def __init__(self, driver: Chrome, path: Path, address: str = "") -> None:
        self.driver = driver
        driver.get("about:blank")
        driver.get(path.resolve().as_uri() + address)

    def __getitem__(self, name: str) -> WebElement:
        return self.driver.find_element(By.ID, name)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def step(self) -> int:
        return int(self["link"].text.split()[1])

    @property
    def last(self) -> int:
        return int(self["link"].text.split()[3])

    @property
    def sentence(self) -> str:
        return self["sentence"].text

    def classes(self, key: str) -> set[str]:
        return set((self[key].get_attribute("class") or "").split())

    def card(self, name: str) -> WebElement:
        selector = f'#graph .node[aria-label^="{name}, "]'
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return next(card for card in found if card.is_displayed())

    def wait(self, until: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, 10, 0.05).until(lambda _: until())


@pytest.fixture
def opened(chromium: Chrome, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    def write_and_open(z: Tensor, address: str = "", **options: Any) -> Opened:
        z.explain(tmp_path / "page.html", **options)
        return Opened(chromium, tmp_path / "page.html", address)

    yield write_and_open
    assert chromium.get_log("browser") == []


def program() -> Tensor:
    with record_lines():
        x, y = Tensor([1.0, 2.0], label="x"), Tensor([3.0, -0.5], label="y")
        p = x * y
        z: Tensor = p.exp() + p * x
    p.label, z.label = "p", "z"
    return z


def network() -> Tensor:
    model = MLP(2, [(24, Activation.RELU), (1, Activation.SIGMOID)], rng=0)
    p = model(np.linspace(-1, 1, 40).reshape(20, 2))
    loss: Tensor = -(p.log() + (1 - p).log()).mean()
    loss.label = "loss"
    return loss


def test_the_first_and_the_last_step(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    assert page.step == 1
    assert page.sentence == "The program begins with x = [1 2] and y = [3 -0.5]."
    assert "known" in page.classes("n0")
    assert "known" not in page.classes("n2")
    page.press(Keys.END)
    assert page.step == page.last == 14
    assert page.sentence.endswith("x.grad = [66.26 -2.184] and y.grad = [21.09 4.736].")
    for key in ("n0", "n1", "n2", "n3", "n4", "n5"):
        assert {"known", "graded", "complete"} <= page.classes(key)
    assert "66.26" in page["n0"].text


def test_a_step_for_each_key(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.step == 3
    page.press(Keys.ARROW_LEFT)
    assert page.step == 2
    page.press(Keys.HOME, Keys.ARROW_LEFT)
    assert page.step == 1
    page.press(Keys.END, Keys.ARROW_RIGHT)
    assert page.step == page.last
    page.press(Keys.HOME, Keys.SPACE)
    assert page["play"].text == "Pause"
    page.wait(lambda: page.step == 2)
    page.press(Keys.SPACE)
    assert page["play"].text == "Play"


def test_the_buttons(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    assert not page["back"].is_enabled()
    page["forth"].click()
    page["forth"].click()
    page["back"].click()
    assert page.step == 2
    page.press(Keys.END)
    assert not page["forth"].is_enabled()


def test_it_plays_to_the_end_and_again(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    page.press(Keys.END, Keys.ARROW_LEFT)
    Select(page["speed"]).select_by_visible_text("4")
    page["play"].click()
    page.wait(lambda: page.step == page.last and page["play"].text == "Play")
    page["play"].click()
    page.wait(lambda: page.step == 3)
    page["play"].click()
    assert page["play"].text == "Play"


def test_parcels_travel_along_the_arrows_and_vanish(opened: Callable[..., Opened]) -> None:
    page = opened(program(), "#step=12")
    page.press(Keys.ARROW_RIGHT)
    parcel = page.driver.find_element(By.CSS_SELECTOR, ".edge.busy .parcel")
    assert parcel.text == "[21.09 4.736]"
    before = parcel.get_attribute("y")
    page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".parcel") == [])
    assert before != ""


def test_the_slider(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    page["slider"].click()  # in its middle
    assert 6 <= page.step <= 9
    assert page["slider"].get_attribute("aria-valuetext") == f"Step {page.step} of 14"
    middle = page.step
    page.press(Keys.ARROW_RIGHT)
    assert page.step == middle + 1
    page.press(Keys.HOME)
    assert page.step == 1


def test_a_step_has_an_address(opened: Callable[..., Opened]) -> None:
    page = opened(program(), "#step=12")
    assert page.step == 12
    page.press(Keys.ARROW_RIGHT)
    assert page.driver.current_url.endswith("#step=13")
    page.driver.execute_script("location.hash = '#step=3'")
    page.wait(lambda: page.step == 3)
    page.driver.execute_script("location.hash = '#step=1000'")
    page.wait(lambda: page.step == page.last)
    page.driver.execute_script("location.hash = '#step=nonsense'")
    page.wait(lambda: page.step == 1)
    page = opened(program(), "#step=12&order=wrong")
    assert page["wrong"].get_attribute("aria-pressed") == "true"
    assert page.step == 12


def test_the_rule_and_the_sum(opened: Callable[..., Opened]) -> None:
    page = opened(program(), "#step=12")
    assert page["sum"].text.splitlines() == [
        "Rule of p = x * y for x",
        "grad * y",
        "= p.grad * y",
        "= [21.09 2.368] * [3 -0.5]",
        "= [63.26 -1.184]",
        "Added up",
        "[3 -1] + [63.26 -1.184] = [66.26 -2.184]",
    ]


def test_folding_is_drawn(opened: Callable[..., Opened]) -> None:
    page = opened(Tensor(np.ones((20, 2))) + Tensor(np.zeros(2), label="b"))
    page.press(Keys.END, Keys.ARROW_LEFT)
    copies = page.driver.find_elements(By.CSS_SELECTOR, ".copies > *")
    assert [copy.text for copy in copies] == [
        "  [1 1]", "+ [1 1]", "+ [1 1]", "+ … 17 more", "= [20 20]",
    ]  # fmt: skip


def test_a_card_tells_more(opened: Callable[..., Opened]) -> None:
    page = opened(program(), "#step=9")
    ActionChains(page.driver).move_to_element(page.card("p")).perform()
    text = page["details"].text
    assert text.startswith("p\n(2,) float64\np = x * y\nMade by\nbrowser_page.py:")
    assert "p = x * y\nValues\n3  -1\nGradient so far\n1  2" in text
    page.press(Keys.END)
    assert page["details"].text.endswith("Gradient\n21.09  2.368")
    page.driver.execute_script("arguments[0].focus()", page.card("x"))
    assert page["details"].text.startswith("x\nleaf (2,) float64\nValues\n1  2\nGradient\n66.26")


def test_a_large_array_has_a_map(opened: Callable[..., Opened]) -> None:
    page = opened(network(), expand=True)
    page.press(Keys.END)
    ActionChains(page.driver).move_to_element(page.card("loss")).perform()
    assert page["details"].find_elements(By.TAG_NAME, "canvas") == []
    page.driver.execute_script("arguments[0].focus()", page.card("weight"))
    maps = page["details"].find_elements(By.TAG_NAME, "canvas")
    assert len(maps) == 2
    assert (maps[0].get_attribute("aria-label") or "").startswith("heat map of 2 by 24 entries")
    colours = "return [...arguments[0].getContext('2d').getImageData(0, 0, 16, 2).data]"
    assert len(set(page.driver.execute_script(colours, maps[0]))) > 20


def test_a_module_opens_and_closes(opened: Callable[..., Opened]) -> None:
    page = opened(network())
    shown = lambda: [page["opened"].is_displayed(), page["closed"].is_displayed()]  # noqa: E731
    assert shown() == [False, True]
    assert page["modules"].text == "Open modules"
    page["modules"].click()
    assert shown() == [True, False]
    page["modules"].click()
    assert shown() == [False, True]
    box = page.driver.find_element(By.CSS_SELECTOR, '#closed [role="button"]')
    assert (box.get_attribute("aria-label") or "").startswith("open Layer(2 → 24, RELU)")
    page.driver.execute_script("arguments[0].focus()", box)
    page.press(Keys.ENTER)
    assert shown() == [True, False]
    page.press(Keys.END)
    page.driver.find_element(By.CSS_SELECTOR, ".cluster text").click()
    assert shown() == [False, True]
    # What happens inside a closed box is said to be inside it.
    for _ in range(page.last):
        page.press(Keys.ARROW_LEFT)
        if "In Layer(2 → 24, RELU): " in page.sentence:
            break
    else:
        raise AssertionError
    assert page.driver.find_elements(By.CSS_SELECTOR, "#closed .active")
    assert opened(network(), expand=True)["opened"].is_displayed()


def test_the_whole_graph_fits(opened: Callable[..., Opened]) -> None:
    page = opened(network(), expand=True)
    frame = page["graph"].size
    assert page["opened"].size["height"] > frame["height"]
    page["whole"].click()
    assert page["opened"].size["height"] <= frame["height"]
    page["whole"].click()
    assert page["opened"].size["height"] > frame["height"]


def test_the_wrong_order(opened: Callable[..., Opened]) -> None:
    page = opened(program())
    page["wrong"].click()
    assert page.sentence.startswith("The way back begins at z")
    told = []
    while page.step < page.last:
        page.press(Keys.ARROW_RIGHT)
        told.append(page.sentence)
        if "too late" in told[-1]:
            assert page.driver.find_elements(By.CSS_SELECTOR, ".fault")
    assert any("hands on too early" in text for text in told)
    assert "In the right order, x.grad = [66.26 -2.184]" in told[-1]
    page["wrong"].click()
    assert "In the right order" not in page.sentence
    page = opened(Tensor(1.0).exp())
    assert not page["wrong"].is_enabled()
    assert "No order is wrong here" in (page["wrong"].get_attribute("title") or "")


def test_the_card_in_question_is_in_view(opened: Callable[..., Opened]) -> None:
    x = Tensor(1.0, label="x")
    y = x
    for _ in range(30):
        y = y * 0.9
    page = opened(y)
    for key, card in ((Keys.END + Keys.ARROW_LEFT, "x"), (Keys.HOME, "x")):
        page.press(key)
        page.wait(lambda: _is_inside(page, page.card(card)))  # noqa: B023
    page.driver.execute_script("location.hash = '#step=31'")
    page.wait(lambda: _is_inside(page, page.card("t30")))


def _is_inside(page: Opened, card: WebElement) -> bool:
    script = "const [a, b] = [...arguments].map(x => x.getBoundingClientRect());"
    script += "return a.top >= b.top - 1 && a.bottom <= b.bottom + 1"
    return bool(page.driver.execute_script(script, card, page["graph"]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_texts_stand_out_and_nothing_is_wider_than_the_page(
    scheme: str, width: int, opened: Callable[..., Opened]
) -> None:
    page = opened(network())
    send = page.driver.execute_cdp_cmd
    feature = {"name": "prefers-color-scheme", "value": scheme}
    send("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    send("Emulation.setDeviceMetricsOverride", size)
    try:
        page.press(Keys.END)
        wide = "return document.documentElement.scrollWidth"
        assert page.driver.execute_script(wide) <= width
        ratios = page.driver.execute_script(CONTRAST)
        assert min(ratios.values()) >= 4.5, ratios
        page["back"].click()
        assert page.step == page.last - 1
    finally:
        send("Emulation.setEmulatedMedia", {"features": []})
        send("Emulation.clearDeviceMetricsOverride", {})


# The contrast of WCAG 2.2: each text against what is drawn below it in its card, or the page.
CONTRAST = """
const luminance = (colour) => {
  const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255);
  const [r, g, b] = parts.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const inside = (box, text) => box.left <= text.left + 1 && box.right >= text.left + 2
  && box.top <= text.top + 4 && box.bottom >= text.bottom - 4;
const ratios = {};
for (const text of document.querySelectorAll("#closed text")) {
  const box = text.getBoundingClientRect();
  const below = [...text.parentNode.querySelectorAll("path, polygon")].filter((shape) =>
    getComputedStyle(shape).fill !== "none" && inside(shape.getBoundingClientRect(), box));
  const page = getComputedStyle(document.body).backgroundColor;
  const ground = below.length ? getComputedStyle(below.at(-1)).fill : page;
  const [a, b] = [getComputedStyle(text).fill, ground].map(luminance);
  ratios[`${text.textContent} ${ground}`] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
return ratios;
"""


def test_hostile_labels_do_nothing(opened: Callable[..., Opened]) -> None:
    labels = [
        "</script><script>document.title = 'broken'</script>",
        "<img src=x onerror=\"document.title = 'broken'\">",
        "</svg><svg onload=\"document.title = 'broken'\">",
        "\"'><b onmouseover='document.title = 1'>\u2028\u2029",
    ]
    z = np.stack([Tensor(1.0, label=label) for label in labels]).sum()
    page = opened(z, expand=True)
    page.press(Keys.END)
    for card in page.driver.find_elements(By.CSS_SELECTOR, "#opened .node"):
        page.driver.execute_script("arguments[0].focus()", card)
    assert page.driver.title == "Backpropagation, step by step"
    assert page.driver.find_elements(By.CSS_SELECTOR, "img, b, svg svg") == []
    page.press(Keys.HOME)
    assert labels[0] in page.sentence


def test_two_hundred_cards_open_within_a_second(opened: Callable[..., Opened]) -> None:
    x = Tensor(np.linspace(0, 1, 200).reshape(10, 20), label="x")
    for _ in range(33):
        x = (x + Tensor(np.zeros(20))).tanh() * 0.9 + x * 0.1
    page = opened(x.sum())
    script = "return performance.getEntriesByType('navigation')[0].domComplete"
    times = []
    for _ in range(3):
        page.driver.refresh()
        page.wait(lambda: page.driver.execute_script(script) > 0)
        times.append(page.driver.execute_script(script))
    assert min(times) < 1000, times
    start = time.perf_counter()
    page.press(*[Keys.ARROW_RIGHT] * 20)
    assert time.perf_counter() - start < 5


def test_of_a_long_chain_the_end_is_shown(opened: Callable[..., Opened]) -> None:
    x = Tensor(1.0)
    for _ in range(100):
        x = x * 0.9 + 1
    page = opened(x, max_nodes=5)
    assert page.sentence == "The program begins with tensors that are not shown."
    page.press(*[Keys.ARROW_RIGHT] * 20)
    assert page.step == page.last


def test_without_javascript_it_is_the_picture(chromium: Chrome, tmp_path: Path) -> None:
    program().explain(tmp_path / "page.html")
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page = Opened(chromium, tmp_path / "page.html")
        assert "66.26" in page["n0"].text
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a notebook with a page among its outputs, and the same from somebody else."""
    for kind in ("CONFIG", "DATA"):  # leave the user's alone
        monkeypatch.setenv(f"JUPYTER_{kind}_DIR", str(tmp_path / kind))
    source = "from tinytorch import Tensor\n(Tensor([1.0, 2.0], label='x') * 3).explain()"
    notebook = nbformat.v4.new_notebook()
    notebook.cells.append(nbformat.v4.new_code_cell(source))
    nbclient.NotebookClient(notebook).execute()
    nbformat.write(notebook, tmp_path / "own.ipynb")
    notebook.cells.append(nbformat.v4.new_markdown_cell("From somebody else"))
    nbformat.write(notebook, tmp_path / "foreign.ipynb")
    trust = [sys.executable, "-m", "jupyter", "trust", tmp_path / "own.ipynb"]
    subprocess.run(trust, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def lab(notebooks: Path) -> Iterator[str]:
    """Run JupyterLab there, for nobody but this machine and without a password."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--notebook-dir={notebooks}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            yield f"http://localhost:{port}/lab/tree/"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:  # some versions wait for a thread of their own
                server.kill()


def test_in_jupyterlab(chromium: Chrome, lab: str) -> None:
    def output(notebook: str, kind: str) -> WebElement:
        for _ in range(20):
            with contextlib.suppress(WebDriverException):  # until the server listens
                chromium.get(f"{lab}{notebook}?reset")
                break
            time.sleep(1)
        selector = f".jp-OutputArea-output {kind}"
        return WebDriverWait(chromium, 60).until(
            lambda _: next(iter(chromium.find_elements(By.CSS_SELECTOR, selector)), None)
        )

    chromium.switch_to.frame(output("own.ipynb", "iframe"))
    chromium.find_element(By.ID, "forth").click()
    assert chromium.find_element(By.ID, "sentence").text.startswith("t1 is computed: x * 3.")
    chromium.switch_to.default_content()
    # Where the notebook is not trusted, frames are taken out, and the picture is left.
    picture = output("foreign.ipynb", "img")
    assert picture.size["height"] > 100
    assert chromium.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output iframe") == []
    chromium.get("about:blank")
    chromium.get_log("browser")  # JupyterLab's own


def test_in_a_frame_as_in_a_notebook(chromium: Chrome, tmp_path: Path) -> None:
    page = program().explain(tmp_path / "page.html")
    (tmp_path / "frame.html").write_text(page._repr_mimebundle_()["text/html"])
    chromium.get((tmp_path / "frame.html").as_uri())
    assert chromium.find_elements(By.TAG_NAME, "img") == []
    chromium.switch_to.frame(0)
    chromium.find_element(By.ID, "forth").click()
    assert chromium.find_element(By.ID, "link").text == "Step 2 of 14"
    chromium.switch_to.default_content()
    assert chromium.get_log("browser") == []
