"""A rule as its source has it, and with numbers in the place of its names.

The numbers are those that the rule had when it returned: Python tells of it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from tinytorch.pictures.values import inline

_UNAVAILABLE = "its source cannot be read"


class Written(NamedTuple):
    """A rule's source, `grad * y`, with the names of the user's program, and with numbers."""

    source: str
    names: str = ""
    numbers: str = ""


class Rules:
    """The rules that ran while this was told of all functions that returned (`on_return`)."""

    def __init__(self) -> None:
        self._returned: dict[CodeType, FrameType] = {}

    def __call__(self, frame: FrameType, value: object) -> None:
        """Note a function that returns."""
        del value
        self._returned[frame.f_code] = frame

    def written(self, node: Any, place: int, names: Mapping[int, str]) -> Written:
        """Write down what the rule of that input of `node` has returned, and forget the others.

        `names` are those of the arrays that the rule gets, by their ids.
        """
        returned, self._returned = self._returned, {}
        table = node._op.rules
        rule = inspect.unwrap((table if len(table) == len(node._rules) else node._rules)[place])
        try:
            pieces, variables = _returned(rule, returned)
        except (AttributeError, KeyError, OSError, TypeError, SyntaxError):
            return Written(_UNAVAILABLE)
        texts = {name: text for name, x in variables.items() if (text := _text(x))}
        called = {name: names[id(x)] for name, x in variables.items() if id(x) in names}
        called["grad"] = f"{names[id(node._arrays[0])]}.grad"
        return Written(*(_joined(pieces, values) for values in ({}, called, texts)))


def _returned(
    rule: Any, returned: Mapping[CodeType, FrameType]
) -> tuple[Sequence[str], dict[str, Any]]:
    """Give the expression that `rule` returned, in pieces, and what its names stood for.

    Of one that only calls another rule, that one's. Raises OSError where there is no source.
    """
    frame = returned[rule.__code__]
    pieces, called = _pieces(rule.__code__, frame.f_lineno)
    variables = ChainMap(frame.f_locals, frame.f_globals)
    if "rule" in called:
        return _returned(inspect.unwrap(variables[called]), returned)
    return pieces, {name: variables[name] for name in pieces[1::2] if name in variables}


def _joined(pieces: Sequence[str], values: Mapping[str, str]) -> str:
    return "".join(values.get(x, x) if i % 2 else x for i, x in enumerate(pieces))


def _text(value: Any) -> str:
    """Write a value that is shown in the place of its name; "" for one that keeps it."""
    if isinstance(value, np.ndarray | np.generic):
        return inline(value)
    if isinstance(value, tuple) and any(isinstance(x, np.ndarray) for x in value):
        return ", ".join(map(inline, value))
    return str(value) if _is_plain(value) else ""


def _is_plain(x: Any) -> bool:
    if isinstance(x, tuple):
        return all(map(_is_plain, x))
    return x is None or isinstance(x, bool | int | float)


@functools.lru_cache(maxsize=256)
def _pieces(code: CodeType, line: int | None) -> tuple[Sequence[str], str]:
    """Cut the expression that a function returns on a line out of its source.

    Gives it in pieces, every second one a name, and the name of the function that it only calls.
    Raises OSError where there is no source.
    """
    source = "".join(inspect.findsource(code)[0])
    expression = _expression(_definition(source, code), line)
    text = source.encode()
    starts = [0, *itertools.accumulate(map(len, text.splitlines(keepends=True)))]

    def span(x: Any) -> tuple[int, int]:
        start, end = starts[x.lineno - 1], starts[x.end_lineno - 1]
        return start + x.col_offset, end + x.end_col_offset

    begin, end = span(expression)
    cuts = [begin, *itertools.chain(*sorted(map(span, _names(expression)))), end]
    pieces = [text[a:b].decode() for a, b in itertools.pairwise(cuts)]
    called = getattr(getattr(expression, "func", None), "id", "")
    return [re.sub(r"\s*\n\s*", " ", piece) for piece in pieces], called


def _expression(definition: ast.Lambda | ast.FunctionDef, line: int | None) -> ast.expr:
    if isinstance(definition, ast.Lambda):
        return definition.body
    for x in ast.walk(definition):
        if isinstance(x, ast.Return) and x.value and x.lineno <= (line or 0) <= (x.end_lineno or 0):
            return x.value
    raise OSError(_UNAVAILABLE)


def _definition(source: str, code: CodeType) -> ast.Lambda | ast.FunctionDef:
    """Find the lambda, or the def, that was compiled to `code`."""
    found = [
        definition
        for definition in _definitions(source)
        if _first_line(definition) == code.co_firstlineno
        and isinstance(definition, ast.Lambda) == (code.co_name == "<lambda>")
    ]
    # Of several on a line, the one around all that was compiled.
    places = [(a, c, b, d) for a, b, c, d in code.co_positions() if c is not None and (c or d)]
    around = [x for x in found if all(_contains(x, *place) for place in places)]
    if not around:
        raise OSError(_UNAVAILABLE)
    return around[-1]


@functools.lru_cache(maxsize=32)
def _definitions(source: str) -> list[ast.Lambda | ast.FunctionDef]:
    return [x for x in ast.walk(ast.parse(source)) if isinstance(x, ast.Lambda | ast.FunctionDef)]


def _first_line(definition: ast.Lambda | ast.FunctionDef) -> int:
    decorators: list[ast.expr] = getattr(definition, "decorator_list", [])
    return min(x.lineno for x in (definition, *decorators))


def _contains(x: Any, line: Any, column: Any, end_line: Any, end_column: Any) -> bool:
    start, end = (x.lineno, x.col_offset), (x.end_lineno, x.end_col_offset)
    return bool(start <= (line, column) and (end_line, end_column) <= end)


def _names(expression: ast.expr) -> Iterator[ast.Name]:
    """List the names that come from outside."""
    own = {x.arg for x in ast.walk(expression) if isinstance(x, ast.arg)}
    own |= {
        x.id
        for x in ast.walk(expression)
        if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)
    }
    for x in ast.walk(expression):
        if isinstance(x, ast.Name) and x.id not in own:
            yield x
