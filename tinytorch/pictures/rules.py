"""A rule as its source has it, and with numbers in the place of its names.

The numbers are those that the rule had when it returned: Python tells of it.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections import ChainMap
from collections.abc import Iterator, Mapping
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
            source, expression, variables = _returned_expression(rule, returned)
        except (AttributeError, KeyError, OSError, TypeError, SyntaxError):
            return Written(_UNAVAILABLE)
        texts = {name: text for name, x in variables.items() if (text := _text(x))}
        called = {name: names[id(x)] for name, x in variables.items() if id(x) in names}
        called["grad"] = f"{names[id(node._arrays[0])]}.grad"
        return Written(*(_cut(source, expression, values) for values in ({}, called, texts)))


def _returned_expression(
    rule: Any, returned: Mapping[CodeType, FrameType]
) -> tuple[str, ast.expr, dict[str, Any]]:
    """Find the expression that `rule` returned, in its source, and its names.

    Of one that only calls another rule, that one's. Raises OSError where there is no source.
    """
    frame = returned[rule.__code__]
    line, names = frame.f_lineno, ChainMap(frame.f_locals, frame.f_globals)
    definition, source = _definition(rule.__code__)
    expression = definition.body if isinstance(definition, ast.Lambda) else None
    for x in ast.walk(definition) if expression is None else ():
        if isinstance(x, ast.Return) and x.value and x.lineno <= line <= (x.end_lineno or 0):
            expression = x.value
    if expression is None:
        raise OSError(_UNAVAILABLE)
    called = getattr(getattr(expression, "func", None), "id", "")
    if "rule" in called:
        return _returned_expression(inspect.unwrap(names[called]), returned)
    return source, expression, {x.id: names[x.id] for x in _names(expression) if x.id in names}


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
def _definition(code: CodeType) -> tuple[ast.Lambda | ast.FunctionDef, str]:
    """Find the lambda, or the def, that was compiled to `code`, and the text that it stands in.

    Raises OSError where there is no text.
    """
    source = "".join(inspect.findsource(code)[0])
    found = [
        definition
        for definition in _definitions(source)
        if _first_line(definition) == code.co_firstlineno
        and len(definition.args.args) == code.co_argcount
        and (isinstance(definition, ast.Lambda) == (code.co_name == "<lambda>"))
    ]
    # Of several on a line, the one around all that was compiled.
    places = [(a, c, b, d) for a, b, c, d in code.co_positions() if c is not None and (c or d)]
    around = [x for x in found if all(_contains(x, *place) for place in places)]
    if not around:
        raise OSError(_UNAVAILABLE)
    return around[-1], source


@functools.lru_cache(maxsize=32)
def _definitions(source: str) -> list[ast.Lambda | ast.FunctionDef]:
    return [x for x in ast.walk(ast.parse(source)) if isinstance(x, ast.Lambda | ast.FunctionDef)]


def _first_line(definition: ast.Lambda | ast.FunctionDef) -> int:
    decorators: list[ast.expr] = getattr(definition, "decorator_list", [])
    return min(x.lineno for x in (definition, *decorators))


def _contains(x: Any, line: Any, column: Any, end_line: Any, end_column: Any) -> bool:
    start, end = (x.lineno, x.col_offset), (x.end_lineno, x.end_col_offset)
    return bool(start <= (line, column) and (end_line, end_column) <= end)


def _cut(source: str, expression: ast.expr, values: Mapping[str, str]) -> str:
    """Cut an expression out of the source, on one line, with values in the place of names."""
    first = expression.lineno
    lines = [line.encode() for line in source.splitlines()[first - 1 : expression.end_lineno]]
    lines[-1] = lines[-1][: expression.end_col_offset]
    for name in sorted(_names(expression), key=lambda x: (x.lineno, -x.col_offset)):
        if name.id in values:
            line, value = lines[name.lineno - first], values[name.id].encode()
            start, end = name.col_offset, name.end_col_offset
            lines[name.lineno - first] = line[:start] + value + line[end:]
    lines[0] = lines[0][expression.col_offset :]
    return " ".join(line.decode().strip() for line in lines)


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
