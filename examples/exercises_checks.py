"""What `exercises.ipynb` says to an answer: that it is right, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import Tensor, check_grads, operation


def check(number: int, *answers: Any) -> None:
    """Print what is wrong with the answer of an exercise, or that nothing is."""
    if any(answer is ... for answer in answers):
        print(f"{number}. Not answered yet: put your answer in the place of the dots.")
        return
    try:
        wrong = CHECKS[number](*answers)
    except Exception as error:  # noqa: BLE001  (an answer may raise anything)
        wrong = f"it raises {type(error).__name__}: {error}"
    print(f"{number}. Not yet: {wrong}" if wrong else f"{number}. Right!")


def among(answer: float, right: float, mistakes: dict[float, str]) -> str | None:
    """Compare a number with the right one, and with those that known mistakes lead to."""
    if np.isclose(answer, right):
        return None
    for value, why in mistakes.items():
        if np.isclose(answer, value):
            return why
    return f"{answer} is neither right nor a mistake that many make; try x a little larger."


def one_use(answer: float) -> str | None:
    mistakes = {
        6.0: "that is the share of one use of x. It is used twice: add both.",
        9.0: "that is the gradient of y.",
        18.0: "that is z itself, and no slope.",
    }
    return among(answer, 12.0, mistakes)


def two_levels(answer: float) -> str | None:
    mistakes = {
        2.0: "that is the slope of a by x alone: multiply by that of b by a.",
        4.0: "that is the gradient of a. It goes on to x twice.",
    }
    return among(answer, 8.0, mistakes)


def folded(answer: Any) -> str | None:
    if np.shape(answer) != (3,):
        return f"a gradient has its tensor's shape, (3,), and this has {np.shape(answer)}."
    if not np.allclose(answer, [2, 2, 2]):
        return "each entry of the row is used once for each of the two rows of the result."
    return None


def seed(answer: Any) -> str | None:
    if np.shape(answer) != (4,):
        return f"a seed has the shape of z, (4,), and this has {np.shape(answer)}."
    x = Tensor([1.0, 2.0, 3.0, 4.0])
    (x * x).backward(answer)
    if np.allclose(x.grad, [2, 4, 6, 8]):
        return "that gives the gradient of the sum. What weight has an entry in a mean?"
    right = np.allclose(x.grad, [0.5, 1, 1.5, 2])
    return None if right else f"it gives {x.grad}, and the mean's gradient is [0.5, 1, 1.5, 2]."


def descent(train: Callable[[Tensor, int], Any]) -> str | None:
    w = Tensor(0.0)
    train(w, 1)
    if w.item() == 0:
        return "w has not changed. An update writes into w.data."
    if not np.isclose(w.item(), 0.6):
        return f"after one step of rate 0.1 w should be 0.6, and it is {w.item():.3f}."
    train(w, 1)
    if np.isclose(w.item(), 1.68):
        return "the second step went too far: the first step's gradient is still in w.grad."
    w = Tensor(0.0)
    train(w, 100)
    return None if np.isclose(w.item(), 3) else f"after 100 steps w is {w.item()}, and not near 3."


def cube(rule: Callable[..., Any]) -> str | None:
    x, grad = np.array([1.0, 2.0]), np.array([1.0, 10.0])
    share = rule(grad, x**3, x)
    if np.allclose(share, 3 * x * x):
        return "that is the slope. The share is the slope times what came in, grad."
    if not np.allclose(share, grad * 3 * x * x):
        return f"for x = {x} and grad = {grad} it gives {share}."
    check_grads(operation(lambda x: x**3, rule, name="cube"), 0.7, order=2)
    return None


def division(rule_x: Callable[..., Any], rule_y: Callable[..., Any]) -> str | None:
    x, y, grad = np.array([1.0, 2.0]), np.array([4.0, -5.0]), np.array([1.0, 10.0])
    if not np.allclose(rule_x(grad, x / y, x, y), grad / y):
        return "the rule of x: with y held fast, x / y is x times 1 / y."
    share = rule_y(grad, x / y, x, y)
    if np.allclose(share, grad * x / y**2):
        return "the rule of y has the wrong sign: a larger y makes x / y smaller."
    if not np.allclose(share, -grad * x / y**2):
        return f"the rule of y: for x = {x}, y = {y} and grad = {grad} it gives {share}."
    return None


def fold(answer: Callable[..., Any]) -> str | None:
    array = np.arange(6.0).reshape(2, 3)
    for shape, right in (
        ((2, 3), array),
        ((3,), array.sum(0)),
        ((2, 1), array.sum(1, keepdims=True)),
        ((1, 3), array.sum(0, keepdims=True)),
        ((), array.sum()),
    ):
        given = answer(array, shape)
        if np.shape(given) != shape:
            return f"folded to {shape}, an array of shape (2, 3) came out as {np.shape(given)}."
        if not np.allclose(given, right):
            return f"folded to {shape}, the entries should be {right}, and are {given}."
    return None


def order(answer: Callable[..., Any]) -> str | None:
    graph = {"c": ["b", "a"], "b": ["a", "a"], "a": [], "unused": ["a"]}
    given = list(answer(graph, "c"))
    if sorted(given) != ["a", "b", "c"]:
        return f"each node that c needs should come once, and it gives {given}."
    if given.index("b") > given.index("a"):
        return f"{given}: a hands on before b has given it its share."
    return None if given == ["c", "b", "a"] else f"{given}: the way back begins at c."


def softmax(rule: Callable[..., Any]) -> str | None:
    def value(x: Any) -> Any:
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    x, grad = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]]), np.array([[1.0, 0, 0], [0, 2.0, 1.0]])
    out = value(x)
    share = rule(grad, out, x)
    if np.allclose(share, grad * out * (1 - out)):
        return (
            "that treats each entry alone. A larger x[i] also makes all others of its row smaller."
        )
    if np.shape(share) != x.shape:
        return f"the share has the shape {np.shape(share)} instead of {x.shape}: keepdims?"
    if not np.allclose(share, out * (grad - (grad * out).sum(-1, keepdims=True))):
        return f"each row of a share sums to 0, since softmax of x + 1 is that of x; this: {share}."
    return None


CHECKS: dict[int, Callable[..., str | None]] = {
    1: one_use,
    2: two_levels,
    3: folded,
    4: seed,
    5: descent,
    6: cube,
    7: division,
    8: fold,
    9: order,
    10: softmax,
}
