"""The list of NumPy's public functions is what they do: docs/reference/numpy_functions.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference import leaves
from write_numpy_functions import KINDS, PATH, functions, kind, page, told

from tinytorch import Tensor

LISTED = {name: (function, kind(function)) for name, function in functions()}


def of_kind(*kinds: str) -> Any:
    chosen = [(name, function) for name, (function, of) in LISTED.items() if of in kinds]
    return pytest.mark.parametrize(("name", "function"), chosen, ids=[name for name, _ in chosen])


def test_the_page_is_that_of_the_code() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "make numpy-functions writes it again"
    assert {of for _, of in LISTED.values()} <= set(KINDS)


@of_kind("gradient", "refused")
def test_it_says_what_a_function_does(name: str, function: Callable[..., Any]) -> None:
    assert told(name, function)


@of_kind("missing", "whole", "refused")
def test_what_has_no_rule_says_so(name: str, function: Callable[..., Any]) -> None:
    arguments: list[tuple[Any, ...]] = [(Tensor([1.0, 2.0]),) * n for n in (1, 2, 3, 4)]
    said = []
    for args in arguments:
        try:
            function(*args)
        except TypeError as error:
            said.append(f"{error}")
    word = name.rpartition(".")[2]
    assert any((word in text and "tensor" in text) or "x." in text for text in said)


ANSWERS = {"iterable", "isscalar", "isfortran", "info", "issubdtype", "isdtype", "typename"}
TESTING = {"show_config", "show_runtime", "setbufsize", "seterr", "seterrcall", "printoptions"}


@of_kind("NumPy's")
def test_no_array_is_made_of_a_tensor_in_silence(name: str, function: Callable[..., Any]) -> None:
    word = name.rpartition(".")[2]
    if word in TESTING or word in ANSWERS:
        return
    for args in ((), (1,), (2, 2)):
        x = Tensor([0.5, 2.0]).exp()
        try:
            with np.printoptions():
                result = function(x, *args)
        except Exception:  # noqa: BLE001, S112  (what it is, other tests ask)
            continue
        made = [np.asarray(part) for part in leaves(result) if isinstance(part, np.ndarray)]
        assert not any(np.isin(x.data, part).any() for part in made)
