"""What all transforms do: call f on tensors of their own, and hand over gradients and values."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinytorch.arrays.batch import Batch
from tinytorch.arrays.kind import NUMPY, kind_of
from tinytorch.autograd import sweep
from tinytorch.grad_mode import in_transform, run_in_transform
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor
from tinytorch.trees import leaves, map_leaves

Function: TypeAlias = Callable[..., Any]
Argnums: TypeAlias = int | Sequence[int]
Argnames: TypeAlias = str | Sequence[str] | None
Wanted: TypeAlias = int | str | Sequence[int | str]  # numbers or names of arguments


def title_of(transform: str, f: Function) -> str:
    """Name a transform of `f`, for messages. Raises TypeError if `f` is no function."""
    if not callable(f):
        raise TypeError(f"{transform}: expected a function, got {describe(f)}")
    return f"{transform}({getattr(f, '__name__', type(f).__name__)})"


def derived(title: str, f: Function) -> Callable[[Function], Function]:
    """Give a derivative of `f` its signature, and a name."""

    def rename(derivative: Function) -> Function:
        functools.update_wrapper(derivative, f)
        derivative.__name__ = derivative.__qualname__ = title
        return derivative

    return rename


def call_on_tensors(
    title: str, f: Function, wanted: Wanted, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Call `f` with new tensors for the arguments wanted; give its output, and those tensors."""

    def variable(where: str, leaf: Any) -> Tensor:
        dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        if dtype.kind not in "fc":
            raise TypeError(
                f"{where}: a derivative needs floating values, as in 3.0 or x.astype(float), "
                f"got {describe(leaf)}"
            )
        # A copy that passes gradients on, for the transform around this one.
        x = leaf.clone() if isinstance(leaf, Tensor) and in_transform() else Tensor(leaf)
        x.requires_grad = True
        made.append(x)
        return x

    made: list[Tensor] = []
    places = [
        _place(title, f, key, args, kwargs)
        for key in ([wanted] if isinstance(wanted, int | str) else wanted)
    ]
    given: dict[Any, Any] = dict(enumerate(args)) | kwargs
    variables = {
        key: map_leaves(variable, f"{title}: argument {key}", given[key]) for key in places
    }
    given |= variables
    positional = [given.pop(i) for i in range(len(args))]
    output = run_in_transform(f, made, *positional, **given)
    output = map_leaves(_tensor, f"{title}: the output", output)
    chosen = tuple(variables[key] for key in places)
    return output, chosen[0] if isinstance(wanted, int | str) else chosen


def _place(
    title: str, f: Function, key: int | str, args: Sequence[Any], kwargs: dict[str, Any]
) -> int | str:
    """Find an argument: give its number if it came by position, else its name."""
    if key in kwargs:
        return key
    if isinstance(key, str):
        names = _names(f)[: len(args)]
        if key in names:
            return names.index(key)
        given = f"{', '.join([*names, *kwargs])} were given"
    elif -len(args) <= key < len(args):
        return key % len(args)
    else:
        given = f"{len(args)} positional arguments were given"
    raise ValueError(f"{title}: there is no argument {key} to differentiate by: {given}")


def _names(f: Function) -> list[str]:
    try:
        return list(inspect.signature(f).parameters)
    except ValueError:  # of a function in C
        return []


def wanted_of(title: str, argnums: Argnums, argnames: Argnames) -> Wanted:
    """Say which arguments to differentiate by. Raises TypeError for both ways, or for others."""
    kind: type = int
    wanted: Any = argnums
    name, how = "argnums", "0 or (0, 1)"
    if argnames is not None:
        kind, name, how, wanted = str, "argnames", "'x' or ('x', 'y')", argnames
        if argnums != 0:
            raise TypeError(f"{title}: give argnums= or argnames=, not both")
    several = isinstance(wanted, Sequence) and not isinstance(wanted, str)
    if not all(isinstance(key, kind) for key in (wanted if several else [wanted])):
        raise TypeError(
            f"{title}: {name} says which arguments to differentiate by, as in {how}, got "
            f"{describe(wanted)}; the derivative is a function, which is called with values: "
            f"{title}(x)"
        )
    result: Wanted = wanted
    return result


def parted(title: str, f: Function, has_aux: bool) -> tuple[Function, Function]:
    """Part f into the function of its output, and the function that adds what f gave beside it.

    The latter makes a tuple of results, or gives the only one. Without `has_aux` nothing is added.
    """
    if not has_aux:
        return f, lambda *results: results if len(results) > 1 else results[0]
    beside: list[Any] = []

    @functools.wraps(f)
    def main(*args: Any, **kwargs: Any) -> Any:
        output = f(*args, **kwargs)
        if not isinstance(output, tuple) or len(output) != 2:
            raise TypeError(
                f"{title}: with has_aux=True the function gives a pair, the output and what comes "
                f"beside it, got {describe(output)}"
            )
        beside[:] = output[1:]
        return output[0]

    return main, lambda *results: (*results, primals_of(beside[0]))


def _tensor(where: str, leaf: Any) -> Tensor:
    if isinstance(leaf, Tensor):
        if in_transform(leaf) and not in_transform():
            raise TypeError(
                f"{where} depends on a variable of a transform in another thread, which would lose "
                "its gradient without a word: contextvars.copy_context().run(...) in this thread "
                "lets it know of that transform"
            )
        return leaf
    raise TypeError(
        f"{where} is {describe(leaf)}, expected a tensor: a plain array, float(), .item() and the "
        "math module lose the gradient; a constant is written Tensor(3.0)"
    )


def pull_back(outputs: Sequence[Tensor], seeds: Sequence[Tensor], variables: Any) -> Any:
    """Give the gradients of `sum(output * seed)` in the structure of `variables`."""
    found = sweep(outputs, seeds, leaves(variables), create_graph=in_transform())
    if not in_transform():
        for x, gradient in zip(leaves(variables), found, strict=True):
            x._grad = gradient  # after which a recording names it
    remaining = iter(found)
    return map_leaves(lambda _where, x: result_of(next(remaining), x), "", variables)


def result_of(value: Any, like: Tensor) -> Any:
    """Hand over a gradient, zeros for None: a tensor to a transform around, else a plain value."""
    if value is None:
        value = np.zeros_like(like._value)
    if in_transform() or isinstance(like._value, Batch) or isinstance(value, Batch):
        return value if isinstance(value, Tensor) else constant(value)
    # A copy, since rules may pass on what they were given; and a number if it has no axes.
    return value.copy()[()]


def primals_of(output: Any) -> Any:
    """Hand over the values of the outputs, and what is no tensor as it is."""

    def primal(_where: str, y: Any) -> Any:
        if not isinstance(y, Tensor):
            return y
        return result_of(y if in_transform() else kind_of(y._value).known(y._value), y)

    return map_leaves(primal, "", output)


def in_memory(results: Any, variables: Any) -> Any:
    """Compute, all together, results that come as plans where no argument was one."""
    arrays = leaves(results)
    kind = kind_of(*arrays)
    if kind is NUMPY or kind_of(*[x._value for x in leaves(variables)]) is kind:
        return results
    settled = iter(kind.settle(arrays, [None] * len(arrays)))
    return map_leaves(lambda _where, _array: next(settled)[()], "", results)


def constant(value: Any) -> Tensor:
    """Make a tensor of an array, without a copy."""
    tensor: Tensor = object.__new__(Tensor)
    tensor._begin(value, None, False, None)
    return tensor


def ones_of(output: Tensor) -> Tensor:
    """Give the seed of a plain sum."""
    return Tensor(np.ones_like(output._value), requires_grad=False)
