"""How Sphinx builds the documentation, by `make docs`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import from_code  # noqa: E402

project = "TinyTorch"
author = copyright = "The TinyTorch authors"  # noqa: A001
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "TinyTorch"
pygments_dark_style = "github-dark"  # Furo's own underlines names, as if they were links
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tests run them, and compare with what is committed
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": False}
html_math_renderer = "mathml"  # which browsers draw themselves: no script, no network


def mathml(node: Any, *, as_block: bool = False) -> str:
    return tex2mathml(node.astext().replace(r"\dots", r"\ldots"), as_block=as_block)


def formula(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def displayed_formula(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def write_pages(_app: Sphinx) -> None:
    """Put beside the pages what is elsewhere: the notebooks, the reference, the list of files."""
    notebooks = HERE / "notebooks"
    notebooks.mkdir(exist_ok=True)
    for path in sorted((HERE.parent / "examples").glob("*.ipynb")):
        shutil.copy(path, notebooks)
    from_code.write_reference(HERE / "reference")
    from_code.write_house(HERE / "built" / "house.md")


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (formula, None), (displayed_formula, None))
    app.connect("builder-inited", write_pages, priority=1)
    app.connect("autodoc-process-docstring", from_code.as_restructured_text)
