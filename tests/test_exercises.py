"""The exercises: the solutions are right, mistakes are told apart, and open ones are left open."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from exercises_checks import CHECKS, check
from exercises_solutions import ANSWERS


def said(number: int, capsys: pytest.CaptureFixture[str], *answers: Any) -> str:
    check(number, *answers)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("number", CHECKS)
def test_the_solution_is_right(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(number, capsys, *ANSWERS[number]) == f"{number}. Right!"


@pytest.mark.parametrize("number", CHECKS)
def test_no_answer_is_no_mistake(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Not answered yet" in said(number, capsys, *[...] * len(ANSWERS[number]))


def forgetful(w: Any, steps: int) -> None:
    for _ in range(steps):
        ((w - 3) ** 2).backward()
        w.data -= 0.1 * w.grad


MISTAKES: list[tuple[int, tuple[Any, ...], str]] = [
    (1, (6.0,), "used twice"),
    (1, (7.0,), "neither right"),
    (2, (4.0,), "goes on to x twice"),
    (3, (np.ones((2, 3)),), "its tensor's shape"),
    (3, (np.ones(3),), "each of the two rows"),
    (4, (np.ones(4),), "of the sum"),
    (4, (1.0,), "shape of z"),
    (5, (lambda w, steps: None,), "not changed"),
    (5, (forgetful,), "still in w.grad"),
    (6, (lambda grad, out, x: 3 * x**2,), "what came in"),
    (6, (lambda grad, out, x: 1 / 0,), "raises ZeroDivisionError"),
    (7, (lambda grad, out, x, y: grad * y, ANSWERS[7][1]), "1 / y"),
    (7, (ANSWERS[7][0], lambda grad, out, x, y: grad * out / y), "wrong sign"),
    (8, (lambda array, shape: array.sum(),), "came out as ()"),
    (8, (np.resize,), "the entries should be"),
    (9, (lambda graph, root: ["c", "a", "b"],), "before b has given"),
    (9, (lambda graph, root: ["b", "a"],), "should come once"),
    (10, (lambda grad, out, x: grad * out * (1 - out),), "each entry alone"),
    (10, (lambda grad, out, x: grad * out,), "sums to 0"),
]


@pytest.mark.parametrize(("number", "answers", "message"), MISTAKES)
def test_a_mistake_is_told_what_is_wrong(
    number: int, answers: tuple[Any, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(number, capsys, *answers)
    assert text.startswith(f"{number}. Not yet: ")
    assert message in text
