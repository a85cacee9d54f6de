"""The mistakes that beginners make first, each as they write it, and what they are told.

`make mistakes` writes docs/mistakes.md from this table.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
from write_mistakes import PATH, page

import tinytorch
from tinytorch import Tensor, data, grad, nn, no_grad, optim


class Mistake(NamedTuple):
    """What somebody writes, and the essential words of what comes of it."""

    name: str
    who: str  # "newcomer", "PyTorch" or "JAX": where it is the habit
    code: str
    kind: type[Exception]  # a warning is one too
    words: tuple[str, ...]


class Unseen(NamedTuple):
    """What nobody is told of, and why."""

    name: str
    code: str
    why: str


NEWCOMER, PYTORCH, JAX = "newcomer", "PyTorch", "JAX"
MISTAKES = [
    # --- tensors ---
    Mistake(
        "a tensor made of tensors", NEWCOMER,
        "a, b = Tensor(1.0), Tensor(2.0)\n"
        "z = Tensor([a * 2, b])",
        TypeError, ("would lose its gradient", "np.stack"),
    ),
    Mistake(
        "an array made of tensors", NEWCOMER,
        "a, b = Tensor(1.0), Tensor(2.0)\n"
        "z = np.array([a * 2, b])",
        TypeError, ("would lose its gradient", "np.stack"),
    ),
    Mistake(
        "a label that is no text", NEWCOMER,
        "x = Tensor(1.0, 2.0)",
        TypeError, ("label is a str, got float 2.0", "Tensor(data, label=None"),
    ),
    Mistake(
        "requires_grad in the second place", PYTORCH,
        "x = Tensor([1.0, 2.0], True)",
        TypeError, ("label is a str, got bool True", "requires_grad=True"),
    ),
    Mistake(
        "a number as text", NEWCOMER,
        'x = Tensor("3.0")',
        TypeError, ("expected a number", "got str '3.0'"),
    ),
    Mistake(
        "rows of different lengths", NEWCOMER,
        "x = Tensor([[1.0], [1.0, 2.0]])",
        ValueError, ("of one length along each axis",),
    ),
    Mistake(
        "a gradient for whole numbers", PYTORCH,
        "x = tinytorch.tensor([1, 2, 3], requires_grad=True)",
        RuntimeError, ("only floating tensors have gradients", "give floats"),
    ),
    Mistake(
        "writing into a tensor", NEWCOMER,
        "x = Tensor([1.0, 2.0])\n"
        "x[0] = 5.0",
        TypeError, ("x.data[i] = v", "np.where"),
    ),
    Mistake(
        "shapes that don't fit in a product", NEWCOMER,
        'X, W = Tensor(np.ones((5, 3)), "X"), Tensor(np.ones((2, 3)), "W")\n'
        "X @ W",
        ValueError, ("matmul (@) of tensor 'X' of shape (5, 3) and tensor 'W' of shape (2, 3)",),
    ),
    Mistake(
        "shapes that don't broadcast", NEWCOMER,
        'X, b = Tensor(np.ones((2, 3)), "X"), Tensor(np.ones(2), "b")\n'
        "X + b",
        ValueError, ("add (+) of tensor 'X' of shape (2, 3) and tensor 'b' of shape (2,)",),
    ),
    Mistake(
        "an output array", NEWCOMER,
        "x, y = Tensor([1.0]), np.zeros(1)\n"
        "np.exp(x, out=y)",
        TypeError, ("np.exp: out=", "use the result"),
    ),
    Mistake(
        "a function that has no rule", NEWCOMER,
        "import scipy.special\nscipy.special.struve(0, Tensor([1.0, 2.0]))",
        TypeError, ("scipy.special.struve has no derivative rule", "x.data"),
    ),
    Mistake(
        "changing an entry as JAX does", JAX,
        "x = Tensor([1.0, 2.0])\n"
        "x = x.at[0].set(5.0)",
        AttributeError, ("x.at[i].set(v) is JAX's", "np.where(mask, v, x)", "x.data[i] = v"),
    ),
    Mistake(
        "a dtype of PyTorch's", PYTORCH,
        "import torch\n"
        "x = Tensor([1.0, 2.0], dtype=torch.float32)",
        TypeError, ("expected a dtype of NumPy's", "tinytorch.float32", "got dtype torch.float32"),
    ),
    Mistake(
        "zeros of a dtype of PyTorch's", PYTORCH,
        "import torch\n"
        "x = tinytorch.zeros(2, dtype=torch.float32)",
        TypeError, ("expected a dtype of NumPy's", "tinytorch.float32", "got dtype torch.float32"),
    ),
    Mistake(
        "a function of PyTorch's", PYTORCH,
        "import torch\n"
        "y = torch.relu(Tensor([1.0, -2.0]))",
        TypeError, ("PyTorch's relu got a tensor of TinyTorch", "import tinytorch as torch"),
    ),
    Mistake(
        "tensors joined by PyTorch", PYTORCH,
        "import torch\n"
        "y = torch.stack([Tensor([1.0]), Tensor([2.0])])",
        TypeError, ("PyTorch's stack got a tensor of TinyTorch", "torch.as_tensor(x.data)"),
    ),
    Mistake(
        "a graphics card", PYTORCH,
        "x = Tensor([1.0]).cuda()",
        RuntimeError, ("a GPU needs CuPy", "tinytorch[cuda]"),
    ),
    Mistake(
        "a model on a graphics card", PYTORCH,
        'model = nn.Linear(2, 1).to("cuda")',
        RuntimeError, ("a GPU needs CuPy", "tinytorch[cuda]"),
    ),
    # --- gradients ---
    Mistake(
        "changing a parameter by -=", NEWCOMER,
        "w = Tensor([1.0])\n"
        "(w * w).sum().backward()\n"
        "w -= 0.1 * w.grad",
        RuntimeError, ("x.data -= y", "no_grad()"),
    ),
    Mistake(
        "backward from constants", NEWCOMER,
        "x = Tensor([1.0], requires_grad=False)\n"
        "(x * 2).sum().backward()",
        RuntimeError, ("requires no gradient", "requires_grad=False"),
    ),
    Mistake(
        "a loss computed in no_grad", PYTORCH,
        "model = nn.Linear(1, 1)\n"
        "with no_grad():\n"
        "    loss = model(np.ones((2, 1))).sum()\n"
        "loss.backward()",
        RuntimeError, ("requires no gradient", "inside no_grad()"),
    ),
    Mistake(
        "a weight of another shape for backward", PYTORCH,
        "y = Tensor([1.0, 2.0]) * 2\n"
        "y.backward(1.0)",
        ValueError, ("backward: a tensor of shape (2,) takes a gradient of that shape, got ()",),
    ),
    Mistake(
        "the math module", JAX,
        "import math\n"
        "grad(lambda x: math.exp(x))(1.0)",
        TypeError, ("would lose its gradient", "NumPy's functions instead of the math module's"),
    ),
    Mistake(
        "the derivative of a vector", JAX,
        "grad(lambda x: x * 2)(np.ones(3))",
        TypeError, ("expected a single entry", "jacobian", "sum them"),
    ),
    Mistake(
        "the derivative by a whole number", JAX,
        "grad(lambda x: x * x)(3)",
        TypeError, ("needs floating values", "3.0", "got int 3"),
    ),
    Mistake(
        "the gradient of a value", JAX,
        "x = Tensor(2.0)\n"
        "grad(x * x)",
        TypeError, ("grad: expected a function, got a tensor",),
    ),
    Mistake(
        "a value beside the function", JAX,
        "def f(x):\n"
        "    return x * x\n"
        "grad(f, 3.0)",
        TypeError, ("argnums says which arguments", "got float 3.0", "grad(f)(x)"),
    ),
    Mistake(
        "the values in place of the tensor", JAX,
        "grad(lambda x: (x.data * 2).sum())(np.ones(3))",
        TypeError, ("expected a tensor", "lose the gradient"),
    ),
    Mistake(
        "an argument that isn't there", JAX,
        "grad(lambda x: x * x, argnums=1)(3.0)",
        ValueError, ("there is no argument 1", "1 positional arguments were given"),
    ),
    # --- names ---
    Mistake(
        "jit", JAX,
        "tinytorch.jit(lambda x: x)",
        AttributeError, ("no attribute 'jit'", "tinytorch.compile"),
    ),
    Mistake(
        "an if inside vmap", JAX,
        "X = np.array([[1.0, 2.0], [-1.0, -2.0]])\n"
        "tinytorch.vmap(lambda x: x if x.sum() > 0 else -x)(X)",
        TypeError, ("no truth value in common", "np.where(condition, x, y)"),
    ),
    Mistake(
        "random numbers inside vmap", JAX,
        "tinytorch.vmap(lambda x: x + tinytorch.randn(2))(np.ones((3, 2)))",
        RuntimeError, ("the same for all examples", "draw them outside", 'randomness="same"'),
    ),
    Mistake(
        "what is no array inside vmap", JAX,
        "tinytorch.vmap(lambda x, n: x**n)(np.ones((3, 2)), 2)",
        TypeError, ("argument 1 is int 2, which has no axis", "None in its place of in_axes"),
    ),
    Mistake(
        "a key for random numbers", JAX,
        "key = tinytorch.random.PRNGKey(0)",
        AttributeError, ("no attribute 'PRNGKey'", "rng=0"),
    ),
    Mistake(
        "NumPy within the library", JAX,
        "tinytorch.numpy.sin(1.0)",
        AttributeError, ("no attribute 'numpy'", "import numpy as np"),
    ),
    Mistake(
        "a layer looked for in the wrong place", PYTORCH,
        "model = tinytorch.Linear(2, 1)",
        AttributeError, ("no attribute 'Linear'", "from tinytorch.nn import Linear"),
    ),
    Mistake(
        "a variable", PYTORCH,
        "x = tinytorch.Variable(np.ones(2))",
        AttributeError, ("no attribute 'Variable'", "Tensor(data)"),
    ),
    # --- layers and models ---
    Mistake(
        "an input of another width", NEWCOMER,
        "nn.Linear(3, 2)(np.ones((5, 4)))",
        ValueError, ("expected an input of shape (..., 3)", "shape (5, 4)"),
    ),
    Mistake(
        "images given to a linear layer", PYTORCH,
        "nn.Linear(784, 10)(np.ones((32, 28, 28)))",
        ValueError, ("expected an input of shape (..., 784)", "nn.Flatten()"),
    ),
    Mistake(
        "a size that is no number", NEWCOMER,
        'nn.Linear("784", 10)',
        TypeError, ("in_features is a whole number, at least 0, got str '784'",),
    ),
    Mistake(
        "a size computed by division", NEWCOMER,
        "nn.Linear(28 * 28 / 2, 10)",
        TypeError, ("in_features is a whole number, at least 0, got float 392.0",),
    ),
    Mistake(
        "an activation's name", NEWCOMER,
        'nn.Layer(2, 3, "relu")',
        TypeError, ("Activation.RELU", "got 'relu'"),
    ),
    Mistake(
        "a network of sizes alone", NEWCOMER,
        "nn.MLP(2, [16, 16, 1])",
        TypeError, ("a layer is a number of neurons and an activation", "layers=[(24,", "got 16"),
    ),
    Mistake(
        "a class for a layer", PYTORCH,
        "nn.Sequential(nn.Linear(3, 2), nn.ReLU)",
        TypeError, ("got type", "ReLU() makes one"),
    ),
    Mistake(
        "a list of layers", PYTORCH,
        "nn.Sequential([nn.Linear(3, 2), nn.ReLU()])",
        TypeError, ("got list", "Sequential(*layers)"),
    ),
    Mistake(
        "a function for a layer", PYTORCH,
        "nn.Sequential(nn.Linear(3, 2), nn.functional.relu)",
        TypeError, ("got the function relu", "`forward`"),
    ),
    Mistake(
        "an activation module given the input", PYTORCH,
        "h = nn.ReLU(Tensor([1.0, -1.0]))",
        TypeError, ("made first and called then, ReLU()(...)", "nn.functional.relu"),
    ),
    Mistake(
        "a loss module given the outputs", PYTORCH,
        "loss = nn.MSELoss(Tensor([1.0, 2.0]), np.ones(2))",
        TypeError, ("made first and called then, MSELoss()(...)", "nn.functional.mse_loss"),
    ),
    Mistake(
        "layers in a set", NEWCOMER,
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        self.layers = {nn.Linear(2, 1), nn.ReLU()}\n"
        "Net()",
        TypeError, ("layers is a set", "write a list"),
    ),
    Mistake(
        "a misspelt forward", PYTORCH,
        "class Net(nn.Module):\n"
        "    def foward(self, x):\n"
        "        return x\n"
        "Net()(np.ones(2))",
        NotImplementedError, ("Net has no method `forward`",),
    ),
    Mistake(
        "an array for a parameter", PYTORCH,
        "layer = nn.Linear(2, 1)\n"
        "layer.weight = np.ones((1, 2))",
        TypeError, ("weight is a parameter", "module.weight.data = values"),
    ),
    Mistake(
        "a computed tensor for a parameter", JAX,
        "layer = nn.Linear(2, 1)\n"
        "layer(np.ones((5, 2))).sum().backward()\n"
        "layer.weight = layer.weight - 0.1 * layer.weight.grad",
        TypeError, ("weight is a parameter", "was computed", "module.weight.data -= step"),
    ),
    Mistake(
        "a number for all weights", NEWCOMER,
        "layer = nn.Linear(2, 1)\n"
        "layer.weight.data = 0.5",
        ValueError, ("takes values of that shape, got shape ()",),
    ),
    Mistake(
        "channels that come last", JAX,
        "nn.Conv2d(3, 8, 3)(np.ones((5, 28, 28, 3)))",
        ValueError, ("takes 3 channels", "np.moveaxis(x, -1, 1)"),
    ),
    Mistake(
        "an image without channels", PYTORCH,
        "nn.Conv2d(1, 8, 3)(np.ones((28, 28)))",
        ValueError, ("expected shape (N, C, H, W) or (C, H, W)", "(28, 28)"),
    ),
    Mistake(
        "dropout in per cent", NEWCOMER,
        "nn.Dropout(50)",
        ValueError, ("p is a probability, between 0 and 1, got 50", "p=0.5"),
    ),
    Mistake(
        "words by numbers that are floats", PYTORCH,
        "nn.Embedding(5, 2)(np.array([0.0, 1.0]))",
        TypeError, ("expected plain whole numbers", "astype(int)"),
    ),
    # --- losses ---
    Mistake(
        "targets of shape (n,) for outputs of shape (n, 1)", NEWCOMER,
        "model = nn.Linear(3, 1)\n"
        "loss = nn.functional.mse_loss(model(np.ones((5, 3))), np.ones(5))",
        ValueError, ("shape (5, 1)", "the target (5,)", "target.reshape(input.shape)"),
    ),
    Mistake(
        "labels that begin at 1", NEWCOMER,
        "loss = nn.functional.cross_entropy(Tensor(np.zeros((2, 3))), np.array([1, 3]))",
        IndexError, ("of 3 classes the labels are 0 to 2, got 3",),
    ),
    Mistake(
        "labels that are floats", NEWCOMER,
        "loss = nn.functional.cross_entropy(Tensor(np.zeros((2, 3))), np.array([0.0, 2.0]))",
        TypeError, ("class labels are plain whole numbers", "astype(int)"),
    ),
    Mistake(
        "labels in words", NEWCOMER,
        'loss = nn.functional.cross_entropy(Tensor(np.zeros((2, 3))), np.array(["a", "b"]))',
        TypeError, ("got an array of dtype <U1", "np.unique(y, return_inverse=True)[1] of words"),
    ),
    Mistake(
        "targets in words", NEWCOMER,
        'loss = nn.functional.mse_loss(Tensor(np.zeros(2)), np.array(["a", "b"]))',
        TypeError, ("mse_loss, the target: expected", "got an array of dtype <U1"),
    ),
    Mistake(
        "labels that are one-hot", NEWCOMER,
        "y = np.array([[1, 0, 0], [0, 0, 1]])\n"
        "loss = nn.functional.cross_entropy(Tensor(np.zeros((2, 3))), y)",
        ValueError, ("take labels of shape (2,), got (2, 3)", "y.argmax(1)"),
    ),
    Mistake(
        "labels in a column", NEWCOMER,
        "loss = nn.functional.cross_entropy(Tensor(np.zeros((2, 3))), np.array([[0], [2]]))",
        ValueError, ("take labels of shape (2,), got (2, 1)",),
    ),
    Mistake(
        "softmax in front of cross_entropy", NEWCOMER,
        "model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n"
        "loss = nn.functional.cross_entropy(model(np.ones((2, 4))), np.array([0, 2]))",
        UserWarning, ("cross_entropy takes scores", "leave softmax out"),
    ),
    Mistake(
        "sigmoid in front of a loss from logits", NEWCOMER,
        "p = nn.Linear(4, 1)(np.ones((2, 4))).sigmoid()\n"
        "loss = nn.functional.binary_cross_entropy_with_logits(p, np.array([[0.0], [1.0]]))",
        UserWarning, ("takes scores", "leave sigmoid out"),
    ),
    Mistake(
        "one score for two classes", NEWCOMER,
        "model = nn.Linear(4, 1)\n"
        "loss = nn.functional.cross_entropy(model(np.ones((2, 4))), np.array([[0.0], [1.0]]))",
        UserWarning, ("of one class the loss is always 0", "binary_cross_entropy_with_logits"),
    ),
    Mistake(
        "labels of -1 and 1", NEWCOMER,
        "score = nn.Linear(4, 1)(np.ones((2, 4)))\n"
        "loss = nn.functional.binary_cross_entropy_with_logits(score, np.array([[-1.0], [1.0]]))",
        UserWarning, ("the target is 0 or 1", "got -1.0", "(y + 1) / 2"),
    ),
    Mistake(
        "the mean by its old name", PYTORCH,
        "loss = nn.MSELoss(size_average=False)",
        TypeError, ("size_average", 'reduction="mean", "sum" or "none"'),
    ),
    Mistake(
        "logits where probabilities are meant", PYTORCH,
        "loss = nn.functional.binary_cross_entropy(Tensor([-1.0, 2.0]), np.array([0.0, 1.0]))",
        ValueError, ("between 0 and 1", "binary_cross_entropy_with_logits"),
    ),
    Mistake(
        "a reduction that there is not", PYTORCH,
        'loss = nn.functional.mse_loss(Tensor([1.0]), np.ones(1), reduction="avg")',
        ValueError, ('"mean", "sum" or "none"', "'avg'"),
    ),
    # --- training ---
    Mistake(
        "a forgotten backward", NEWCOMER,
        "model = nn.Linear(3, 1)\n"
        "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "loss = model(np.ones((2, 3))).sum()\n"
        "optimizer.step()",
        UserWarning, ("no parameter has a gradient", "loss.backward() first"),
    ),
    Mistake(
        "zero_grad between backward and step", NEWCOMER,
        "model = nn.Linear(3, 1)\n"
        "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "model(np.ones((2, 3))).sum().backward()\n"
        "optimizer.zero_grad()\n"
        "optimizer.step()",
        UserWarning, ("no parameter has a gradient", "zero_grad() before that"),
    ),
    Mistake(
        "an optimiser of layers", NEWCOMER,
        "optimizer = optim.SGD([nn.Linear(1, 1)], lr=0.1)",
        TypeError, ("a parameter is a Tensor, got Linear",),
    ),
    Mistake(
        "an optimiser of a model", NEWCOMER,
        "optimizer = optim.SGD(nn.Linear(2, 1), lr=0.1)",
        TypeError, ("got the Linear that has them", "SGD(model.parameters(), ...)"),
    ),
    Mistake(
        "a learning rate as text", NEWCOMER,
        'optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr="0.1")',
        TypeError, ("expected numbers for lr, got str '0.1'",),
    ),
    Mistake(
        "a schedule of a model", NEWCOMER,
        "optim.lr_scheduler.StepLR(nn.Linear(1, 1), 3)",
        TypeError, ("expected an optimiser, got Linear", "StepLR(optimizer, ...)"),
    ),
    Mistake(
        "clipping the gradients of a model", NEWCOMER,
        "nn.utils.clip_grad_norm_(nn.Linear(1, 1), 1.0)",
        TypeError, ("got the Linear that has them", "model.parameters()"),
    ),
    # --- data and files ---
    Mistake(
        "a loader of two arrays", NEWCOMER,
        "X, y = np.ones((10, 3)), np.ones(10)\n"
        "batches = data.DataLoader(X, y)",
        TypeError, ("the second a number", "DataLoader(TensorDataset(X, y), batch_size=32)"),
    ),
    Mistake(
        "a loader of a pair of arrays", JAX,
        "X, y = np.ones((10, 3)), np.ones(10)\n"
        "batches = data.DataLoader((X, y), batch_size=5)",
        TypeError, ("a tuple of arrays", "TensorDataset(X, y)"),
    ),
    Mistake(
        "a dataset of a pair of arrays", NEWCOMER,
        "X, y = np.ones((10, 3)), np.ones(10)\n"
        "dataset = data.TensorDataset((X, y))",
        TypeError, ("got a tuple of them", "TensorDataset(X, y)"),
    ),
    Mistake(
        "a loader of an iterator", NEWCOMER,
        "batches = data.DataLoader(zip([1, 2], [3, 4]))",
        TypeError, ("a dataset has a length and items", "list(...)"),
    ),
    Mistake(
        "a path for a state", NEWCOMER,
        'nn.Linear(1, 1).load_state_dict("model.safetensors")',
        TypeError, ("a state is a dict of arrays", "load_state_dict(tinytorch.load(path))"),
    ),
    Mistake(
        "the state of another model", PYTORCH,
        "nn.Linear(1, 1).load_state_dict(nn.Linear(2, 1).state_dict())",
        RuntimeError, ("weight has shape (1, 1), in the state (1, 2)",),
    ),
    Mistake(
        "saving a model", PYTORCH,
        'tinytorch.save(nn.Linear(1, 1), "model.safetensors")',
        TypeError, ("got Linear", "model.state_dict()"),
    ),
    Mistake(
        "saving with the path in front", NEWCOMER,
        'tinytorch.save("model.safetensors", nn.Linear(1, 1).state_dict())',
        TypeError, ("the path comes second", "save(state, path)"),
    ),
    Mistake(
        "a seed that is none", NEWCOMER,
        'nn.Linear(2, 1, rng="seed")',
        TypeError, ("rng= is a seed or a generator", "rng=0"),
    ),
]  # fmt: skip

UNSEEN = [
    Unseen(
        "a forgotten zero_grad",
        "model = nn.Linear(2, 1, rng=0)\n"
        "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "for _ in range(3):\n"
        "    model(np.ones((5, 2))).square().sum().backward()\n"
        "    optimizer.step()",
        "Gradients add up, which is what collects those of several batches. To know that a step "
        "was already taken with what is there would cost something in each backward pass. The "
        "loss swings, and grows: write `optimizer.zero_grad()` first in the loop.",
    ),
    Unseen(
        "the schedule in front of the step",
        "p = Tensor([1.0])\n"
        "optimizer = optim.SGD([p], lr=0.1)\n"
        "scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1)\n"
        "for _ in range(3):\n"
        "    optimizer.zero_grad()\n"
        "    (p * p).sum().backward()\n"
        "    scheduler.step()\n"
        "    optimizer.step()",
        "The first learning rate is skipped, and no more. To draw a schedule one calls "
        "`scheduler.step()` alone, so that a warning would often be wrong: write it behind "
        "`optimizer.step()`.",
    ),
    Unseen(
        "labels in the order of another shuffle",
        "X, y = np.arange(10.0).reshape(5, 2), np.arange(5)\n"
        "rng = np.random.default_rng(0)\n"
        "X, y = rng.permutation(X), rng.permutation(y)",
        "Numbers don't tell what belongs together. The loss stays that of guessing: shuffle once, "
        "as `order = rng.permutation(len(X))` and `X[order], y[order]`, or let a `DataLoader`.",
    ),
]  # fmt: skip


def names_of_a_program() -> dict[str, Any]:
    return {
        "np": np, "tinytorch": tinytorch, "Tensor": Tensor, "data": data, "grad": grad, "nn": nn,
        "no_grad": no_grad, "optim": optim, "__name__": "__main__",
    }  # fmt: skip


def message_of(mistake: Mistake) -> str:
    """Make the mistake, as a program of its own, and give what is said about it."""
    names = names_of_a_program()
    program = compile(mistake.code, "program.py", "exec")
    if not issubclass(mistake.kind, Warning):
        with pytest.raises(mistake.kind) as raised:
            exec(program, names)  # noqa: S102
        assert raised.type is mistake.kind
        return str(raised.value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(program, names)  # noqa: S102
    (warning,) = caught
    assert warning.category is mistake.kind
    assert (warning.filename, warning.lineno) == ("program.py", len(mistake.code.split("\n")))
    return str(warning.message)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_explained(mistake: Mistake) -> None:
    message = message_of(mistake)
    for words in mistake.words:
        assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("mistake", UNSEEN, ids=lambda mistake: mistake.name)
def test_what_is_said_to_be_silent_is(mistake: Unseen) -> None:
    exec(mistake.code, names_of_a_program())  # noqa: S102


def test_names_are_told_apart() -> None:
    names = [mistake.name for mistake in (*MISTAKES, *UNSEEN)]
    assert len(set(names)) == len(names)
    assert {mistake.who for mistake in MISTAKES} == {NEWCOMER, PYTORCH, JAX}


def test_the_page_is_current() -> None:
    expected = page([(mistake, message_of(mistake)) for mistake in MISTAKES], UNSEEN)
    assert PATH.read_text() == expected, "run `make mistakes`"
