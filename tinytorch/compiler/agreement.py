"""Two recordings of one function: the program that both are, or what differs between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tinytorch.arrays.parts import is_array, map_parts
from tinytorch.arrays.user_lines import refuse
from tinytorch.compiler.environment import Place
from tinytorch.compiler.program import Constant, Program, Value, equal, same
from tinytorch.compiler.recording import Made


def agree(first: Program, second: Program) -> Program:
    """Give the program that both are.

    Arrays from outside that were the same objects both times stay what they are, to be looked at in
    each run; those that were made anew both times with the same entries are constants. Raises
    TypeError where the two differ.
    """
    for x, y in _others(first.calls, second.calls):
        if x.function != y.function or x.outs != y.outs or x.written != y.written:
            refuse("it does one thing in one call and another in the next", "compile the parts",
                   y.line)  # fmt: skip
        if not equal((x.args, x.kwargs), (y.args, y.kwargs)):
            refuse(
                "a number, or something else that is no array, changes from one call to the next",
                "give it to the function as an argument",
                y.line,
            )
    if len(first.calls) != len(second.calls) or len(first.values) != len(second.values):
        longer = max(first.calls, second.calls, key=len)
        refuse("it does more in one call than in the next", "compile the parts",
               longer[min(len(first.calls), len(second.calls)) - 1].line)  # fmt: skip
    for v, w in _others(first.values, second.values):
        _settle(v, w)
    if not equal(_shape_of_results(first), _shape_of_results(second)):
        raise TypeError(
            "compile: what the function returns or changes differs from one call to the next: "
            "return arrays and tensors, and numbers that stay the same"
        )
    known: list[Any] = []
    map_parts(lambda x: known.append(x.node) if isinstance(x, Made) else None, first.results)

    def settled(x: Any) -> Any:
        if isinstance(x, Made) and not any(x.node is node for node in known):
            return replace(x, node=None)  # made anew each time
        return x

    second.results = map_parts(settled, second.results)
    return second


def _others(first: Sequence[Any], second: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Give the pairs that the second recording did not find to be the same."""
    return ((x, y) for x, y in zip(first, second, strict=False) if x is not y)


def _settle(v: Value, w: Value) -> None:
    if not v.alike(w) or type(v.source) is not type(w.source):
        refuse("an array has another shape or dtype in the next call", "give it as an argument",
               w.line)  # fmt: skip
    if is_array(w.source):
        if v.place == w.place:
            if w.node is not None:
                w.content = None  # a parameter's, which was there to be compared
            return
        if v.content is None or w.content is None or not same(v.content, w.content):
            refuse(
                "an array changes from one call to the next",
                "give it to the function as an argument, or draw it with a generator's methods",
                w.line,
            )
        w.source = Constant(w.content)
        w.node = None
    elif isinstance(w.source, Place):
        return
    elif not equal(v.source, w.source):
        refuse("an array comes from elsewhere in the next call", "give it as an argument", w.line)


def _shape_of_results(program: Program) -> Any:
    return (
        program.results, program.gradients,
        [(place.name, value) for place, value in program.rebound],
    )  # fmt: skip
