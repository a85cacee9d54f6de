"""Kinds of fault that no operation may have: tensors that lose gradients, and silent objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tinytorch import Operation, Tensor, grad, operation
from tinytorch.engine import Node
from tinytorch.nn import cells, functional
from tinytorch.nn.pooling import windows_of
from tinytorch.operations.correlation import Sliding
from tinytorch.operations.protocols import numpy_functions

# --- a tensor as a parameter ----------------------------------------------------------------------

# What steps, or draws anew, has no differences to compare with; in place, nothing is computed.
UNCOMPARED = ("dropout", "adaptive", "bernoulli", "multinomial", "new_", "rrelu-training")
NOT_OF_VALUES = {"render", "explain", "backward", "register_hook"}
SIZES = {
    "n",
    "k",
    "kernel_size",
    "shift",
    "shifts",
    "repeats",
    "dims",
    "sections",
    "axis",
    "dim",
    "norm_type",
}


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for owner in (Tensor, functional):
        for name in dir(owner):
            function = getattr(owner, name)
            told_apart = name.startswith("_") or name.endswith("_") or name in NOT_OF_VALUES
            if callable(function) and not isinstance(function, type) and not told_apart:
                yield f"{owner.__name__.split('.')[-1]}.{name}", function
    for function in numpy_functions:
        yield f"{getattr(function, '__module__', 'numpy')}.{function.__name__}", function


def parameters() -> Iterator[Any]:
    for title, function in functions():
        try:
            signature = inspect.signature(function)
        except ValueError:  # a ufunc's: all are inputs
            continue
        _, *others = signature.parameters.values() or [None]
        named = [p for p in others if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        needed = {p.name: 1 if p.name in SIZES else 0.5 for p in named if p.default is p.empty}
        for p in named:
            given = {name: x for name, x in needed.items() if name != p.name}
            if not any(word in f"{title}-{p.name}" for word in UNCOMPARED):
                yield pytest.param(function, p.name, given, id=f"{title}-{p.name}")


def total(result: Any) -> Any:
    """Add up all tensors in a result."""
    if isinstance(result, Node):
        assert not isinstance(result._value, Node)
        return result.real.sum()  # some are complex where others are real
    if isinstance(result, list | tuple):
        return sum(map(total, result))
    is_floating = isinstance(result, float | np.ndarray) and np.asarray(result).dtype.kind == "f"
    return np.sum(result) if is_floating else 0.0


INPUTS = [
    np.array([[0.31, -0.72], [1.23, 2.14]]),
    np.array([0.31, 0.62, 0.93]),
    np.arange(16.0).reshape(1, 1, 4, 4) / 7 - 1,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "name", "given"), list(parameters()))
def test_a_tensor_as_any_parameter_gets_its_gradient_or_is_refused(
    function: Callable[..., Any], name: str, given: dict[str, Any]
) -> None:
    for x in INPUTS:
        for value in (0.37, 1.73):
            parameter = Tensor(value)

            def compute(value: Any, x: Any = x) -> Any:
                return total(function(Tensor(x), **{name: value}, **given))

            try:
                out = compute(parameter)
            except Exception:  # noqa: BLE001, S112  (which says no, and so loses nothing)
                continue
            if not isinstance(out, Tensor):
                continue
            out.backward()
            step = 1e-6
            try:
                rise = float(compute(value + step)) - float(compute(value - step))
            except (AttributeError, TypeError, ValueError):  # there it is a size, or an array
                continue
            if np.isfinite(rise):  # else the function itself is not finite there
                assert_allclose(parameter.grad, rise / (2 * step), 1e-4, 1e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda k: Tensor([-1.0, 2.0]).leaky_relu(negative_slope=k),
        lambda k: Tensor([-1.0, 2.0]).elu(k),
        lambda k: Tensor([-1.0, 2.0]).celu(k),
        lambda k: Tensor([-1.0, 2.0]).softplus(k),
        lambda k: Tensor([-1.0, 2.0]).hardtanh(-1.0, k),
        lambda k: Tensor([-1.0, 2.0]).norm(k),
        lambda k: functional.layer_norm(Tensor([-1.0, 2.0]), 2, eps=k),
        lambda k: functional.rrelu(Tensor([-1.0, 2.0]), lower=k),
        lambda k: functional.rrelu(Tensor([-1.0, 2.0]), lower=k, training=True),
    ],
)
def test_a_tensor_as_a_parameter_is_refused(call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        call(Tensor(0.3))
    with pytest.raises(TypeError):
        grad(lambda k: call(k).sum())(0.3)
    with pytest.raises(TypeError, match=r"leaky_relu: negative_slope= is tensor 'k' of shape \(\)"):
        Tensor(1.0).leaky_relu(Tensor(2.0, label="k"))


# --- an operation as an object --------------------------------------------------------------------

MATRIX = np.array([[0.9, 0.3], [0.3, 0.6]])
IMAGE = np.linspace(0.2, 0.8, 16).reshape(1, 1, 4, 4)
HOW = Sliding((1, 1), (1, 1), ((0, 0), (0, 0)), 1)
POOL = windows_of("pool", 2, IMAGE, 2, None, 0, 1, ceil_mode=False)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "TO": (MATRIX, "cpu"),
    "ADD_WINDOWS": (np.ones((2, 2)), (3,), (0,), (2,), (1,), (1,)),
    "ARCCOSH": (1 + MATRIX,),
    "ASTYPE": (MATRIX, "float32"),
    "BROADCAST_TO": (MATRIX, (3, 2, 2)),
    "CHECKPOINT": (np.exp,),
    "CLIP": (MATRIX, 0.4, 0.7),
    "COFACTOR": (MATRIX, MATRIX),
    "CONCATENATE": ([MATRIX, MATRIX],),
    "CORRELATE": (IMAGE, IMAGE[..., :2, :2], (3, 3), HOW),
    "CORRELATE_WEIGHT": (IMAGE, IMAGE[..., :3, :3], (2, 2), HOW),
    "CROSS": (np.ones(3), np.arange(3.0)),
    "EINSUM": ("ij,jk", MATRIX, MATRIX),
    "INDEX": (MATRIX, 0),
    "LSTSQ": (MATRIX, MATRIX),
    "MASKED_SOFTMAX": (MATRIX, MATRIX > 0.5),
    "MAX_POOL": (IMAGE, POOL),
    "MAX_UNPOOL": (MATRIX, (np.arange(2)[:, None], np.array([[0, 3], [4, 4]])), (2, 5)),
    "MULTI_DOT": ([MATRIX, MATRIX],),
    "PAD": (MATRIX, 1),
    "POWER_LOG": (MATRIX, MATRIX, 1),
    "RECURRENCE": (
        cells.GRU, np.ones((3, 2, 6)), np.ones((6, 2)), np.ones(6), np.ones((1, 2, 2)),
    ),
    "RESHAPE": (MATRIX, -1),
    "ROLL": (MATRIX, 1),
    "SCALE_AND_SHIFT": (MATRIX, MATRIX[0], MATRIX[1], (2,)),
    "SCATTER": (MATRIX, (slice(0, 2),), (3, 2)),
    "SET_WHERE": (MATRIX > 0.5, 0.0, MATRIX),
    "ROOTS": (np.array([1.0, -3.0, 2.0]),),
    "SPREAD": (IMAGE[..., :3, :3], IMAGE[..., :2, :2], (4, 4), HOW),
    "STANDARDIZE": (MATRIX, (-1,), 1e-5),
    "SUM_POOL": (IMAGE, POOL),
    "TENSORDOT": (MATRIX, MATRIX),
    "TO_LARGEST": (IMAGE[..., :2, :2], np.eye(4).reshape(4, 1, 1, 2, 2) > 0, IMAGE.shape, POOL),
    "WHERE": (MATRIX > 0.5, MATRIX, 1.0),
    "WINDOWS": (MATRIX, (0,), (2,), (1,), (1,)),
}  # fmt: skip
# Those of tinytorch.scipy, which only its import brings, are tested with its functions.
LIBRARYS = [
    op for op in Operation if op.module.startswith(("tinytorch.nn", "tinytorch.operations"))
]


@pytest.mark.parametrize("op", LIBRARYS, ids=str)
def test_every_operation_says_what_it_is_and_computes_with_arrays(op: Operation) -> None:
    assert op.__doc__
    assert op.rules or "Its rules close over its parameters" in op.__doc__
    signature = inspect.signature(op)
    assert signature.parameters
    assert all(p.kind is not p.VAR_KEYWORD for p in signature.parameters.values())
    args = ARGUMENTS.get(op.name, (MATRIX,) * max(len(op.rules), 1))
    signature.bind(*args)
    floating = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in args]
    tensors = [Tensor(x) if is_x else x for x, is_x in zip(args, floating, strict=True)]
    of_arrays, of_tensors = op(*args), op(*tensors)
    if callable(of_arrays):
        return
    pairs = [(of_arrays, of_tensors)]
    if isinstance(of_arrays, tuple):
        pairs = list(zip(of_arrays, of_tensors, strict=True))
    for x, y in pairs:
        assert_allclose(value(x), value(y), rtol=1e-12)


def value(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


# --- operations of one's own ----------------------------------------------------------------------

W = Tensor([2.0], label="w")
X = Tensor([1.0], label="x")


@pytest.mark.parametrize(
    ("function", "rules", "args", "kwargs", "message"),
    [
        (lambda x, k: x * k, [lambda g, o, x, k: g * k], (X, W), {}, "own: k= is tensor 'w'"),
        (lambda x, k: x * k, [lambda g, o, x, k: g * k], (X,), {"k": W}, "own: k= is tensor 'w'"),
        (lambda x: x * W, [lambda g, o, x: g], (X,), {}, "its value depends on a tensor"),
        (lambda x: (x, x * W), [lambda g, o, x: g[0]], (X,), {}, "its value depends on a tensor"),
        (lambda x, y: x * y, [lambda *_: 0] * 2, (X,), {}, "own.*missing a required argument: 'y'"),
        (lambda *xs: xs[0], [lambda *_: 0] * 2, (X,), {}, "own: expected 2 inputs.* got 1"),
        (lambda x: (np.argsort(x), "a"), [lambda *_: 0], (X,), {}, "int64.*'a', expected floating"),
        (lambda x: x, [3], (X,), {}, "the rule of input 0 is a function, or None, got int 3"),
        (lambda x: x, [], (X,), {}, "got no rules"),
        (3, [lambda *_: 0], (X,), {}, "expected a function, got int 3"),
    ],
)
def test_an_operation_that_is_written_or_called_wrongly_says_so(
    function: Any, rules: Any, args: Any, kwargs: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        operation(function, *rules, name="own")(*args, **kwargs)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda grad, out, x: grad * W, "where all that it got are arrays"),
        (lambda grad, out, x: grad * 1j, "complex128.*expected real numbers"),
        (lambda grad, out, x: "text", "gave str 'text', expected real numbers"),
    ],
)
def test_a_rule_that_gives_no_array_of_real_numbers_is_named(rule: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        operation(lambda x: x * 2, rule, name="own")(X).backward()
