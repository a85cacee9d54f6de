"""What is public is explained, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import pydoc
import re
import runpy
import warnings

import pytest
from gpu import installed  # noqa: F401  (modules that attach CuPy import it)

import tinytorch
from tinytorch import Operation, Tensor, nn
from tinytorch.__main__ import report

MODULES = ["tinytorch"] + [
    module.name for module in pkgutil.walk_packages(tinytorch.__path__, "tinytorch.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    # run_docstring_examples would print; a failure is an exception here.
    runner = doctest.DebugRunner(verbose=False)
    for example in doctest.DocTestFinder().find(module):
        runner.run(example)


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    with_examples = {
        test.name
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    }
    assert {
        "tinytorch.tensor.Tensor",
        "tinytorch.engine.sum_to_shape",
        "tinytorch.nn.perceptron.Layer",
        "tinytorch.autograd.grad",
    } <= with_examples


def test_the_package_run_as_a_program_reports(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that it is imported already
        runpy.run_module("tinytorch", run_name="__main__")
    assert capsys.readouterr().out == report() + "\n"


PUBLIC = (
    [(owner, name) for owner in (tinytorch, nn, nn.functional) for name in owner.__all__]
    + [(nn.init, name) for name in vars(nn.init) if name.endswith("_") and name[0] != "_"]
    + [
        (owner, name)
        for owner in (Tensor, nn.Module, nn.Neuron, nn.Layer, nn.MLP, nn.Activation)
        for name in dir(owner)
        if not name.startswith("_") and not inspect.ismemberdescriptor(getattr(owner, name))
    ]
)


@pytest.mark.parametrize(
    ("owner", "name"), PUBLIC, ids=lambda part: getattr(part, "__name__", part)
)
def test_everything_public_is_explained(owner: object, name: str) -> None:
    assert (inspect.getdoc(getattr(owner, name)) or "").strip()


def test_help_shows_one_class_with_all_operations() -> None:
    text = pydoc.render_doc(Tensor, renderer=pydoc.plaintext)
    for method, explanation in (("tanh", r"sinh\(x\) / cosh\(x\)"), ("sum", "The sum")):
        assert re.search(
            rf"^ \|  {method}(\(| = \w+\().*\n \|      {explanation}$", text, re.MULTILINE
        )


def test_an_operation_is_printed_by_its_name() -> None:
    assert repr(Operation.MATMUL) == "Operation.MATMUL"
    assert str(Operation["TANH"]) == "tanh"
    assert str(Operation.ADD) == "add (+)"
    assert len(Operation) == len({op.name for op in Operation})
    with pytest.raises(AttributeError, match="no operation SNIH"):
        _ = Operation.SNIH
    with pytest.raises(ValueError, match="an operation TANH already"):
        Operation("tanh")
