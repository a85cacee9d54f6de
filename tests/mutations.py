"""Small changes of a program's text, as mistakes make them: one operator, number or branch."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
Lines = tuple[int, int]


class Place(NamedTuple):
    """What can be changed: where it stands, what comes instead, and the lines of what is around.

    Those are the innermost function's, each wider one's, and at last the whole file's.
    """

    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST
    around: tuple[Lines, ...]


def changed(node: ast.AST) -> ast.AST | None:
    """Give what to put in the place of a node; None where nothing fits."""
    if type(node) in SWAPPED:
        return SWAPPED[type(node)]()
    if isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        value = node.value
        return ast.Constant(not value if isinstance(value, bool) else value + 1)
    if isinstance(node, ast.If | ast.IfExp):
        twin = copy.copy(node)
        twin.test = ast.UnaryOp(ast.Not(), node.test)
        return twin
    # Nobody tells None from False, which is changed to True already.
    no = ("return", "return None", "return False")
    if isinstance(node, ast.Return) and ast.unparse(node) not in no:
        return ast.Return(ast.Constant(None))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.Pass()
    return None


def places(tree: ast.Module) -> list[Place]:
    return list(below(tree, ((1, max(tree.body[-1].end_lineno or 1, 1)),) if tree.body else ()))


def below(parent: ast.AST, around: tuple[Lines, ...]) -> Iterator[Place]:
    if isinstance(parent, ast.stmt | ast.Lambda) and (
        len(around) == 1 or isinstance(parent, ast.FunctionDef | ast.ClassDef | ast.Lambda)
    ):
        first = min(n.lineno for n in [parent, *getattr(parent, "decorator_list", [])])
        around = ((first, parent.end_lineno or first), *around)
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns"):
            continue  # these are for type checkers
        for i, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or changes_nothing(parent, node):
                continue
            if new := changed(node):
                yield Place(parent, field, i if isinstance(value, list) else None, new, around)
            yield from below(node, around)


def changes_nothing(parent: ast.AST, node: ast.AST) -> bool:
    """Is this for type checkers, a `strict=` of equal lengths, or reshape's -1, or any such?"""
    return (
        (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        or "overload" in map(ast.unparse, getattr(node, "decorator_list", []))
        or (isinstance(node, ast.keyword) and node.arg == "strict")
        or (
            isinstance(parent, ast.Call)
            and "reshape" in ast.unparse(parent.func)
            and isinstance(node, ast.UnaryOp)
        )
    )


def mutant(source: str, number: int) -> tuple[str, str, tuple[Lines, ...]]:
    """Change one place; give the line that it makes, the whole text, and what is around."""
    tree = ast.parse(source)
    before = ast.unparse(tree).splitlines()
    parent, field, index, other, around = places(tree)[number]
    if index is None:
        setattr(parent, field, other)
    else:
        getattr(parent, field)[index] = other
    text = ast.unparse(ast.fix_missing_locations(tree))
    pairs = zip(before, text.splitlines(), strict=False)
    old, new = next(((a.strip(), b.strip()) for a, b in pairs if a != b), ("", ""))
    return f"{new}  # {old}" if new in ("pass", "return None") else new, text, around
