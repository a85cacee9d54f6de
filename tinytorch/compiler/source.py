"""A program as Python text, to be read, and to be run with NumPy alone."""

from __future__ import annotations

import copy
import keyword
import operator
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.arrays.checks import raise_unless
from tinytorch.arrays.cupy import KIND, drawn
from tinytorch.arrays.kind import at_hand
from tinytorch.arrays.parts import METHODS
from tinytorch.arrays.scattered import whole
from tinytorch.arrays.user_lines import Line, refuse
from tinytorch.compiler.environment import Environment, Place
from tinytorch.compiler.gpu import word
from tinytorch.compiler.program import Argument, Call, Constant, Gradient, Program, Ref, Value
from tinytorch.compiler.spelling import dtype_text, literal, number_text
from tinytorch.compiler.storage import is_reduction
from tinytorch.engine import Node

_MODULES = (
    *("numpy", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.fft"),
    *("scipy.special", "scipy.linalg", "scipy.signal"),
)
# The same on a GPU, and how they are written.
_CUPYS = {
    "cupy": "cp", "cupy.linalg": "cp.linalg", "cupy.fft": "cp.fft",
    "cupy.lib.stride_tricks": "cp.lib.stride_tricks", "cupyx": "cupyx",
    "cupyx.scipy.special": "cupyx.scipy.special", "cupyx.scipy.linalg": "cupyx.scipy.linalg",
}  # fmt: skip
# Python's operators; not **, which NumPy computes in another way than np.power.
_INFIX: dict[Any, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.greater: ">",
    np.greater_equal: ">=", np.less: "<", np.less_equal: "<=", np.equal: "==",
    np.not_equal: "!=", np.bitwise_and: "&", np.bitwise_or: "|", np.negative: "-",
}  # fmt: skip
# Of Python's numbers.
_PYTHONS: dict[Any, str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/",
    operator.floordiv: "//", operator.mod: "%", operator.pow: "**", operator.neg: "-",
}  # fmt: skip
_SUMS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}
_UPDATES = "+-*/"


class Step(NamedTuple):
    """A line of a program: what it is part of, its text, and the names that it reads and sets."""

    part: str
    text: str
    reads: list[str]
    sets: list[str]


class Source:
    """The text of a program, and what its function needs besides the arguments.

    `outside` maps the names of its keyword parameters to arrays, numbers and generators. The
    function writes into the arrays as the program does, and returns in a tuple the results, the
    gradients that were set, and what was put in other places.
    """

    def __init__(
        self,
        name: str,
        program: Program,
        outputs: Sequence[int],
        labels: Iterable[tuple[str, int]],
        gradients: Iterable[tuple[Any, int]],
        arguments: Sequence[str],
        environment: Environment,
    ) -> None:
        self.outside: dict[str, Any] = {}
        self.steps: list[Step] = []
        self._values, self._arguments = program.values, arguments
        self._names: dict[int, str] = {}  # of the values, by slot
        self._objects: dict[int, str] = {}  # of generators, by id
        self._taken = {"np", "cp", "scipy", "cupyx", *keyword.kwlist, *_builtins()}
        self._modules = {"numpy"}
        self._constants: dict[str, str] = {}  # by their text
        self._number_of_names = 0
        longest_first = sorted(environment.found, key=lambda found: -len(found[0].name))
        self._places = {
            id(x): place.name
            for place, x, _ in longest_first
            if isinstance(x, Node | np.ndarray | np.random.Generator)
        }
        self._written = {self._values[slot].root for call in program.calls for slot in call.written}
        function = self._new(name)
        given = [v for v in self._values if type(v.source) is Argument]
        parameters = [self._name(v.slot) for v in given]
        for v in self._values:
            if v.node is not None:
                self._name(v.slot)
        for label, slot in labels:
            if slot not in self._names and self._values[slot].source is None:
                self._names[slot] = self._new(label)
        for key, slot in gradients:
            if slot not in self._names and self._values[slot].source is None:
                self._names[slot] = self._new(f"d_{self._of_tensor(key)}")
        lines = self._body(program.calls)
        returned = "".join(f"{self._name(slot)}, " for slot in outputs)
        lines.append(f"return ({returned.rstrip() if len(outputs) < 2 else returned[:-2]})")
        if self.outside:
            parameters += ["*", *self.outside]
        constants = [f"{constant} = {text}" for text, constant in self._constants.items()]
        text = "\n".join([*constants, *lines])
        if re.search(r"\bcp\.", text):
            self._modules.add("cupy as cp")
        imports = [f"import {module}" for module in sorted(self._modules - {"numpy"})]
        head = ["import numpy as np", *imports, "", "", f"def {function}({', '.join(parameters)}):"]
        body = [f"    {line}" for line in (*constants, *lines)]
        self.text = "\n".join([*head, *body]) + "\n"

    # --- lines ----------------------------------------------------------------------------------

    def _body(self, calls: Sequence[Call]) -> list[str]:
        lines: list[str] = []
        part, line = "", None
        for call, now in zip(calls, self._parts(calls), strict=True):
            if now != part:
                lines.append(f"# --- {now} ---")
            if now != part or call.line != line:
                lines.append(f"# {_where(call.line)}")
            part, line = now, call.line
            if call.errstate is not None:
                options = ", ".join(f"{key}={x!r}" for key, x in call.errstate.items())
                lines.append(f"with np.errstate({options}):")
            indent = "" if call.errstate is None else "    "
            statement = self._statement(call)
            lines.append(indent + statement)
            reads, sets = (
                [self._names[slot] for slot in slots if slot in self._names]
                for slots in (call.inputs(), call.outs or call.written)
            )
            self.steps.append(Step(now, statement, reads, sets))
        return lines

    def _parts(self, calls: Sequence[Call]) -> list[str]:
        """Say of each call what it is part of.

        An update comes after a backward pass, and ends with the last change of what is outside.
        """
        parts, start = [call.part or "forward" for call in calls], None
        for i, call in enumerate(calls):
            if call.part:
                start = i + 1
            elif start is not None and any(self._is_outside(slot) for slot in call.written):
                parts[start : i + 1] = ["update"] * (i + 1 - start)
                start = i + 1
        return parts

    def _is_outside(self, slot: int) -> bool:
        source = self._values[self._values[slot].root].source
        return source is not None and not isinstance(source, Constant)

    def _statement(self, call: Call) -> str:
        changed = [self._values[slot] for slot in call.written or call.inputs()[:1]]
        expression = self._update(call) or self._expression(call)
        outs = [self._values[slot] for slot in call.outs]
        numbers = [x for x in outs if not (x.shape or x.scalar or x.on_gpu)]
        if len(outs) == 1 and numbers and outs[0].root in self._written:
            expression = f"np.asarray({expression})"  # where NumPy gives a number
        target = call.target([self._name(value.slot) for value in outs])
        text = f"{target} = {expression}" if target else expression
        return f"{text}  # {', '.join(str(value.shape) for value in outs or changed)}"

    def _update(self, call: Call) -> str | None:
        """Write a change of an array, where Python has a statement for it."""
        if call.function is operator.setitem:
            x, index, value = call.args
            return f"{self._receiver(x)}[{self._index(index)}] = {self._text(value)}"
        sign = _INFIX.get(call.function, "")
        out = call.kwargs.get("out")
        if sign and sign in _UPDATES and call.kwargs.keys() == {"out"} and out == call.args[:1]:
            return f"{self._text(out[0])} {sign}= {self._operand(call, call.args[1])}"
        return None

    def _expression(self, call: Call) -> str:  # noqa: PLR0911  (a branch for each kind)
        function, args, kwargs = call.function, call.args, call.kwargs
        if function is operator.getitem:
            return f"{self._receiver(args[0])}[{self._index(args[1])}]"
        if function is raise_unless:
            fine, _, error, message = args
            return f"if not {self._receiver(fine)}.all(): raise {error.__name__}({message!r})"
        if function in _PYTHONS or (not kwargs and any(self._is_array(x) for x in args)):
            operands = [self._operand(call, x) for x in args]
            sign = _PYTHONS.get(function) or _INFIX.get(function)
            if sign:
                return f" {sign} ".join(operands) if len(args) == 2 else f"{sign}{operands[0]}"
        if is_reduction(function):
            ufunc = function.__self__  # type: ignore[attr-defined]
            if ufunc in _SUMS and len(args) == 1 and kwargs.get("out") is None:
                options = {"axis": 0, **kwargs}
                defaults = {"axis": None, "keepdims": False, "dtype": None, "out": None}
                kwargs = {
                    key: x for key, x in options.items() if x is not defaults.get(key, options)
                }
                return f"{self._receiver(args[0])}.{_SUMS[ufunc]}({self._list((), kwargs)})"
        if function is drawn:
            rng, name, *rest = args
            return f"{self._draws(rng)}.{name}({self._list(rest, kwargs)})"
        if function in METHODS or isinstance(args[0] if args else None, np.random.Generator):
            first = self._receiver(args[0])
            return f"{first}.{function.__name__}({self._list(args[1:], kwargs)})"
        texts = [self._operand(call, x) for x in args]
        return f"{self._function(call)}({self._list(texts, kwargs, written=True)})"

    def _list(self, args: Sequence[Any], kwargs: dict[str, Any], written: bool = False) -> str:
        texts = list(args) if written else [self._text(x) for x in args]
        return ", ".join([*texts, *(f"{key}={self._text(x)}" for key, x in kwargs.items())])

    def _function(self, call: Call) -> str:
        function = call.function
        owner, method = function, ""
        if isinstance(getattr(function, "__self__", None), np.ufunc):
            owner, method = function.__self__, f".{function.__name__}"  # type: ignore[attr-defined]
        if self._is_there(call) and (name := self._of_cupy(owner)):
            return name
        for module in _MODULES:
            name = getattr(owner, "__name__", "")
            if getattr(sys.modules.get(module), name, None) is owner:
                self._modules.add(module.partition(".")[0] if module[0] == "n" else module)
                return f"{module.replace('numpy', 'np')}.{name}{method}"
        hint = "the program runs, but has no text"
        return refuse(f"{function!r} has no name in NumPy", hint, call.line)

    def _is_there(self, call: Call) -> bool:
        return any(self._values[slot].on_gpu for slot in (*call.inputs(), *call.outs))

    def _of_cupy(self, function: Any) -> str | None:
        """Name the function of CuPy's that computes on a GPU."""
        home, wanted = word(function), getattr(function, "__name__", "")
        for module, short in _CUPYS.items():
            contents = vars(sys.modules[module]) if module in sys.modules else {}
            names = [name for name, x in contents.items() if x is home]
            if names:
                if module == short:
                    self._modules.add(module)
                return f"{short}.{wanted if wanted in names else names[0]}"
        return None

    # --- arguments ------------------------------------------------------------------------------

    def _is_array(self, x: Any) -> bool:
        """Tell arrays from Python's numbers, which don't count as NumPy does."""
        return type(x) is Ref and not self._values[x.slot].weak

    def _operand(self, call: Call, x: Any) -> str:
        """Write an operand: a number without its dtype, where the others have the same one."""
        content = self._number(x)
        if isinstance(content, np.generic) and isinstance(call.function, np.ufunc):
            others = [y for y in call.args if self._number(y) is None]
            alike = all(self._is_array(y) and self._dtype(y) == content.dtype for y in others)
            if others and alike and content.dtype.kind in "fi":
                return number_text(content.item())
        return self._text(x)

    def _dtype(self, x: Any) -> Any:
        return self._values[x.slot].dtype if type(x) is Ref else None

    def _number(self, x: Any) -> Any:
        """Give an operand that is one number, the same in each run; None for others."""
        if type(x) is not Ref:
            return x
        value = self._values[x.slot]
        if value.shape or value.root in self._written or not _is_fixed(value):
            return None
        return np.asarray(at_hand(_content(value)))[()]

    def _receiver(self, x: Any) -> str:
        """Write what a method is called of."""
        text = self._text(x)
        return text if isinstance(x, Ref | np.generic | np.random.Generator) else f"({text})"

    def _index(self, index: Any) -> str:
        if isinstance(index, tuple) and index and type(index) is not Ref:
            if len(index) == 1 and (index[0] is Ellipsis or isinstance(index[0], slice)):
                return self._index(index[0])
            return ", ".join(map(self._index, index)) + ("," if len(index) == 1 else "")
        if isinstance(index, slice):
            ends = ["" if x is None else self._text(x) for x in (index.start, index.stop)]
            return ":".join(ends) + ("" if index.step is None else f":{self._text(index.step)}")
        return self._text(index)

    def _text(self, x: Any) -> str:  # noqa: C901, PLR0911  (a branch for each kind)
        kind = type(x)
        number = self._number(x) if kind is Ref else x
        if isinstance(number, np.generic):
            return f"np.{type(number).__name__}({number_text(number.item())})"
        if kind is Ref:
            return self._name(x.slot)
        if kind is tuple:
            return f"({', '.join(map(self._text, x))}{',' * (len(x) == 1)})"
        if kind is list:
            return f"[{', '.join(map(self._text, x))}]"
        if kind is slice:
            return f"slice({self._text(x.start)}, {self._text(x.stop)}, {self._text(x.step)})"
        if isinstance(x, np.dtype):
            return dtype_text(x)
        if isinstance(x, type):
            return f"np.{x.__name__}" if issubclass(x, np.generic) else x.__name__
        if kind in (float, complex):
            return number_text(x)
        if x is Ellipsis:
            return "..."
        if isinstance(x, np.random.Generator):
            if id(x) not in self._objects:
                self._objects[id(x)] = self._from_outside(self._short(x, "rng"), x)
            return self._objects[id(x)]
        return repr(x)

    def _draws(self, rng: np.random.Generator) -> str:
        """Name CuPy's generator that has its seed from `rng`."""
        # Of a generator of NumPy's it is another one in each draw.
        known = KIND.draws(rng if hasattr(rng, "on_gpu") else copy.deepcopy(rng))
        name = self._objects.get(id(known))
        if name is None:
            name = self._objects[id(known)] = self._from_outside(self._short(rng, "rng"), known)
        return name

    # --- names ----------------------------------------------------------------------------------

    def _new(self, wanted: str) -> str:
        name = base = re.sub(r"\W+", "_", wanted).strip("_") or "x"
        if base[0].isdigit():
            name = base = f"x{base}"
        number = 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def _name(self, slot: int) -> str:
        name = self._names.get(slot)
        if name is None:
            name = self._names[slot] = self._name_anew(self._values[slot])
        return name

    def _name_anew(self, value: Value) -> str:  # noqa: PLR0911  (a branch for each kind)
        source = value.source
        if type(source) is Argument:
            return self._new(self._arguments[source.number])
        if type(source) is Place:
            return self._from_outside(_without_first(source.name), source.read())
        if type(source) is Gradient:
            key = source.node
            given = None if type(key) is Argument else whole(key._grad)
            return self._from_outside(f"{self._of_tensor(key)}_grad", given)
        if source is not None:
            text = literal(_content(value)) if _is_fixed(value) else None
            if text is None:
                return self._from_outside(self._short(value.node, "array", source), _content(value))
            if value.root in self._written:  # each time a new one
                text = f"{text}  # {value.slot}, which is written into"
            if text not in self._constants:
                self._constants[text] = self._new("constant")
            return self._constants[text]
        of = self._names.get(value.gradient_of) if value.gradient_of is not None else None
        if of is not None:
            return self._new(f"d_{of}")
        self._number_of_names += 1
        return self._new(f"x{self._number_of_names}")

    def _from_outside(self, wanted: str, x: Any) -> str:
        name = self._new(wanted)
        self.outside[name] = x
        return name

    def _of_tensor(self, key: Any) -> str:
        if type(key) is Argument:
            return self._arguments[key.number]
        return self._short(key, "tensor")

    def _short(self, x: Any, otherwise: str, array: Any = None) -> str:
        """Name an object after its place, without the variable that it is reached from."""
        place = self._places.get(id(x)) or self._places.get(id(array))
        if place is not None:
            return _without_first(place)
        return (x.label if isinstance(x, Node) else None) or otherwise


def _without_first(place: str) -> str:
    rest = place.partition(".")[2]
    return rest if rest[:1].isalpha() else place


def _builtins() -> list[str]:
    return ["float", "int", "bool", "complex", "slice"]


def _where(line: Line) -> str:
    return f"{line}  {line.text}".rstrip()


def _is_fixed(value: Value) -> bool:
    """Say whether it is in no tensor's and no variable's array, where others could change it."""
    if isinstance(value.source, Constant):
        return True
    return isinstance(value.source, np.ndarray) and value.node is None and value.content is not None


def _content(value: Value) -> Any:
    return value.source.content if isinstance(value.source, Constant) else value.source
