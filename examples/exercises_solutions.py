"""Answers to the exercises of `exercises.ipynb`, under their numbers: look after you have tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import Tensor

# 1. z = x * x * y has the slope 2 x y: x is used twice, and each use brings x * y.
gradient_of_x = 2 * 3.0 * 2.0

# 2. b = a * a with a = 2 gives a the gradient 4; a = x + x hands it on twice.
gradient_through_a = 4.0 + 4.0

# 3. Each entry of the row is used in both rows.
gradient_of_row = np.array([2.0, 2.0, 2.0])

# 4. A mean weighs each of n entries with 1 / n.
seed = np.ones(4) / 4


# 5. Forget, go back, update.
def train(w: Tensor, steps: int) -> None:
    for _ in range(steps):
        w.grad = None
        loss = (w - 3) ** 2
        loss.backward()
        w.data -= 0.1 * w.grad


# 6. The slope of the cube, times what came in.
def cube_rule(grad: Any, _out: Any, x: Any) -> Any:
    return grad * 3 * x**2


# 7. With respect to y it is the slope of 1 / y, times x; x / y is there already.
def rule_x(grad: Any, _out: Any, _x: Any, y: Any) -> Any:
    return grad / y


def rule_y(grad: Any, out: Any, _x: Any, y: Any) -> Any:
    return -grad * out / y


# 8. Axes that the shape doesn't have are on the left.
def fold(array: Any, shape: tuple[int, ...]) -> Any:
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return array.sum(axis=ones, keepdims=True) if ones else array


# 9. A node is listed when all that it is computed from have been; then the list is reversed.
def way_back(graph: dict[str, list[str]], root: str) -> list[str]:
    listed: list[str] = []

    def visit(node: str) -> None:
        if node not in listed:
            for x in graph[node]:
                visit(x)
            listed.append(node)

    visit(root)
    return listed[::-1]


# 10. Each entry gets its own slope, less what it takes from the others of its row.
def softmax_rule(grad: Any, out: Any, _x: Any) -> Any:
    return out * (grad - (grad * out).sum(axis=-1, keepdims=True))


ANSWERS: dict[int, tuple[Any, ...]] = {
    1: (gradient_of_x,),
    2: (gradient_through_a,),
    3: (gradient_of_row,),
    4: (seed,),
    5: (train,),
    6: (cube_rule,),
    7: (rule_x, rule_y),
    8: (fold,),
    9: (way_back,),
    10: (softmax_rule,),
}
