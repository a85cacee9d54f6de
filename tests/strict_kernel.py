"""The text of an elementwise kernel, in the part of C++ that the stand-in for CuPy computes.

A kernel is a list of statements: `const float v1 = x1 * 2.0f;` declares a variable, and `y1 = v1;`
gives a parameter its value. Each name is declared once, before it is used; functions and types are
those that CUDA has.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import scipy.special

TYPES = {
    "bool": np.bool_, "int": np.int32, "long long": np.int64, "float": np.float32,
    "double": np.float64,
}  # fmt: skip
FUNCTIONS = {
    **{name: getattr(np, name) for name in (
        "sqrt", "cbrt", "exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "floor", "ceil", "trunc", "rint", "fabs", "hypot", "copysign",
        "fmax", "fmin", "isnan", "isinf", "isfinite", "signbit",
    )},
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "atan2": np.arctan2, "pow": np.power,
    "erf": scipy.special.erf,
}  # fmt: skip
_STATEMENT = re.compile(r"(?:const (\w[\w ]*?) )?(\w+) = (.+)")
_CAST = re.compile(rf"\(({'|'.join(TYPES)})\)(\w+(?:\(\w+\))?)")
_TERNARY = re.compile(r"(.+?) \? (.+?) : (.+)")
_LITERAL = re.compile(r"(?<![\w.])((?:\d+\.\d*|\d+)(?:e[+-]?\d+)?)(f|LL|)(?![\w.])")
_OPERATORS: dict[Any, Any] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or, ast.BitXor: np.bitwise_xor,
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal, ast.And: np.logical_and, ast.Or: np.logical_or,
    ast.Not: np.logical_not, ast.USub: np.negative, ast.Invert: np.invert,
}  # fmt: skip


def parameters(text: str) -> list[tuple[str, Any]]:
    """Read "float32 x1, bool x2": CuPy's names of dtypes, and names."""
    pairs = [part.split() for part in text.split(",")] if text else []
    names = [name for _, name in pairs]
    if len(set(names)) < len(names) or "i" in names:
        raise ValueError(f"Can not use these parameters: {text}")
    return [(name, np.dtype(dtype)) for dtype, name in pairs]


def compute(operation: str, given: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    """Give the values of the outputs. Raises SyntaxError for what is no such text."""
    values = {name: x for name, x in given.items() if name not in outputs}
    found: dict[str, Any] = {}
    for statement in filter(None, map(str.strip, operation.split(";"))):
        match = _STATEMENT.fullmatch(statement)
        if match is None:
            raise SyntaxError(f"a kernel does not compile: {statement}")
        kind, name, expression = match.groups()
        declared = kind is not None
        if name in values or name in found or (name in outputs) == declared:
            raise SyntaxError(f"{name} is declared twice, or not at all: {statement}")
        if "--" in expression:
            raise SyntaxError(f"C++ takes -- for one operator: {statement}")
        with np.errstate(all="ignore"):
            value = _evaluate(expression, values)
        if declared:
            values[name] = value.astype(TYPES[kind])
        elif value.dtype != given[name].dtype:
            raise SyntaxError(f"{statement}: {value.dtype} is not {given[name].dtype}")
        else:
            found[name] = value
    if found.keys() != set(outputs):
        raise SyntaxError(f"a kernel gives {[*found]}, and not {outputs}")
    return found


def _evaluate(text: str, values: dict[str, Any]) -> Any:
    if ternary := _TERNARY.fullmatch(text):
        condition, x, y = (_evaluate(part, values) for part in ternary.groups())
        return np.where(condition, x, y)
    text = text.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    literals = {"f": "float_", "LL": "long_long_"}
    text = _LITERAL.sub(
        lambda m: f"{literals.get(m[2], 'int_' if m[1].isdigit() else 'double_')}({m[1]})", text
    )
    text = _CAST.sub(lambda m: f"{m[1].replace(' ', '_')}_({m[2]})", text)
    return _value(ast.parse(text.strip(), mode="eval").body, values)


def _value(node: ast.expr, values: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return np.asarray({"true": True, "false": False}.get(node.id, values.get(node.id)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = node.func.id
        if name.endswith("_"):
            dtype = TYPES[name[:-1].replace("_", " ")]
            (x,) = node.args
            return np.asarray(x.value if isinstance(x, ast.Constant) else _value(x, values)).astype(
                dtype
            )
        args = [_value(x, values) for x in node.args]
        if any(x.dtype.kind != "f" for x in args):
            raise SyntaxError(f"{name} takes floats, got {[x.dtype for x in args]}")
        return np.asarray(FUNCTIONS[name](*args))
    if isinstance(node, ast.Compare):
        (right,) = node.comparators
        operands: list[ast.expr] = [node.left, right]
        operator: Any = node.ops[0]
    elif isinstance(node, ast.BinOp):
        operands, operator = [node.left, node.right], node.op
    elif isinstance(node, ast.BoolOp):
        operands, operator = node.values, node.op
    elif isinstance(node, ast.UnaryOp):
        operands, operator = [node.operand], node.op
    else:
        raise SyntaxError(f"a kernel does not compile: {ast.dump(node)}")  # noqa: TRY004
    args = [_value(x, values) for x in operands]
    if isinstance(operator, ast.Div) and any(x.dtype.kind != "f" for x in args):
        raise SyntaxError("a quotient of whole numbers is cut off")
    return np.asarray(_OPERATORS[type(operator)](*args))
