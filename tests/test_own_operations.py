"""Operations and gradients of one's own, made from outside the package."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from tinytorch import (
    Operation,
    Tensor,
    check_grads,
    checkpoint,
    custom_vjp,
    grad,
    hessian,
    jacobian,
    jvp,
    no_grad,
    operation,
    vmap,
    with_rules,
)
from tinytorch.engine import topological_order
from tinytorch.operations.operation import apply

X = np.array([0.3, 0.7, 1.2])

sech = operation(
    lambda x: 1 / np.cosh(x), lambda grad, out, x: -grad * out * np.tanh(x), name="sech"
)

# --- what an operation is -------------------------------------------------------------------------


def test_operations_show_what_they_are() -> None:
    exp = Operation.EXP
    assert exp in list(Operation)
    assert {"EXP", "SUM", "MATMUL"} <= set(dir(Operation))
    assert Operation["EXP"] is exp
    assert exp.function is np.exp
    assert "grad * out" in inspect.getsource(exp.rules[0])
    assert_array_equal(exp(X), np.exp(X))
    assert isinstance(exp(Tensor(X)), Tensor)
    with pytest.raises(AttributeError, match="there is no operation NOTHING"):
        _ = Operation.NOTHING


def test_every_operation_has_a_function_or_is_one_of_many_inputs() -> None:
    for op in Operation:
        assert op.name.isupper()
        assert str(op)


# --- one's own ------------------------------------------------------------------------------------


def test_an_operation_of_ones_own_does_all_that_the_librarys_do() -> None:
    check_grads(sech, X, order=3)
    assert_allclose(
        hessian(lambda x: sech(x).sum())(X), np.diag(jvp(grad_of_sech, X, np.ones(3))[1])
    )
    assert_allclose(jacobian(sech)(X), np.diag(grad_of_sech(X)))
    assert_allclose(sech(X), 1 / np.cosh(X))
    assert float(sech(0.0)) == 1
    x = Tensor(da.from_array(X, chunks=2))
    y = sech(x)
    assert isinstance(y.data, da.Array)
    y.sum().backward()
    assert_allclose(x.grad.compute(), grad_of_sech(X))
    assert "sech" in sech(Tensor(X)).render("graph.dot", view=False).dot


def grad_of_sech(x: Any) -> Any:
    return grad(lambda x: sech(x).sum())(x)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_parameters_have_defaults_and_keywords() -> None:
    @with_rules(lambda grad, out, x, scale, shift: grad * scale)
    def affine(x: Any, scale: float = 2.0, shift: float = 0.0) -> Any:
        """x * scale + shift."""
        return x * scale + shift

    assert inspect.signature(affine).parameters["scale"].default == 2
    assert affine.__doc__ == Operation.AFFINE.__doc__ == "x * scale + shift."
    for call in (
        affine,
        lambda x: affine(x, 3.0),
        lambda x: affine(x, shift=1.0),
        lambda x: affine(x=x, scale=5.0),
    ):
        check_grads(call, X)
    with pytest.raises(TypeError, match="unexpected keyword"):
        affine(Tensor(X), size=1)


def test_a_product_with_a_sparse_matrix() -> None:
    matrix = sparse.random(4, 3, density=0.6, random_state=0).tocsr()

    @with_rules(lambda grad, out, x: backward(grad))
    def forward(x: Any) -> Any:
        return matrix @ x

    @with_rules(lambda grad, out, x: forward(grad))
    def backward(x: Any) -> Any:
        return matrix.T @ x

    assert_allclose(jacobian(forward)(X), matrix.toarray())
    check_grads(lambda x: (forward(x) ** 3).sum(), X, order=3)
    with pytest.raises(TypeError, match="would lose its gradient"):
        matrix @ Tensor(X)


def test_several_outputs_and_a_missing_rule() -> None:
    @with_rules(lambda grad, out, x, y: grad[0] * y + 2 * grad[1], None)
    def pair(x: Any, y: Any) -> Any:
        return x * y, 2 * x, np.argsort(x)

    x, y = Tensor(X), Tensor(X + 1)
    first, second, order = pair(x, y)
    assert_array_equal(order, [0, 1, 2])
    (first * 3 + second).sum().backward()
    assert_allclose(x.grad, 3 * (X + 1) + 2)
    assert_array_equal(y.grad, 0)
    check_grads(lambda x: pair(x, 2.0)[:2], X)


def test_the_same_cell_run_twice_replaces_and_the_librarys_own_stay() -> None:
    for factor in (2.0, 3.0):
        times = operation(lambda x, f=factor: x * f, lambda g, out, x, f: g * f, name="times")
        assert Operation.TIMES.method is times
    assert Operation.TIMES(Tensor(1.0)).item() == 3
    with pytest.raises(ValueError, match="there is an operation EXP already"):
        operation(np.exp, lambda grad, out, x: grad * out)
    with pytest.raises(ValueError, match="needs one, as in name='sech'"):
        operation(lambda x: x, lambda grad, out, x: grad)


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (lambda grad, out, x: None, TypeError, "tensor 'w'|gave NoneType None"),
        (lambda grad, out, x: 1.0, TypeError, "gave float 1.0"),
        (lambda grad, out, x: np.ones(7), ValueError, r"shape \(7,\), expected that shape"),
    ],
)
def test_a_rule_that_gives_no_gradient_is_named(rule: Any, error: Any, message: str) -> None:
    bad = operation(lambda x: x * 2, rule, name="bad")
    w = Tensor(X, label="w")
    with pytest.raises(error, match=message) as raised:
        bad(w).sum().backward()
    assert "bad: the rule of input 0" in str(raised.value)
    assert w._grad is None


def test_a_rule_that_raises_is_named() -> None:
    bad = operation(lambda x: x * 2, lambda grad, out, x: 1 // 0, name="bad")
    with pytest.raises(ZeroDivisionError) as raised:
        bad(Tensor(X)).sum().backward()
    assert "bad: the rule of input 0" in raised.value.__notes__[0]


def test_an_operation_that_computes_with_a_tensor_from_outside_is_refused() -> None:
    scale = Tensor(2.0)

    def function(x: Any) -> Any:
        return x * scale

    def rule(grad: Any, _out: Any, _x: Any) -> Any:
        return grad * scale

    scaled, unnamed = operation(function, rule, name="scaled"), Operation("scaled by hand")
    for x in (Tensor(1.0), Tensor([1.0, 2.0]), Tensor(da.ones(3))):
        for compute in (scaled, lambda x: apply(unnamed, function, (rule,), x)):
            with pytest.raises(TypeError, match=r"^scaled.*: its value depends on a tensor"):
                compute(x)


def test_a_function_that_gives_no_values_is_named() -> None:
    bad = operation(lambda x: "text", lambda grad, out, x: grad, name="bad")
    with pytest.raises(TypeError, match="bad: the function gave str 'text'"):
        bad(Tensor(X))


# --- functions with a gradient of their own -------------------------------------------------------


@custom_vjp
def product(x: Any, parts: Any) -> Any:
    return np.sin(x) * parts["y"]


product.defvjp(
    lambda x, parts: (np.sin(x) * parts["y"], (x, parts)),
    lambda kept, grad: (
        grad * np.cos(kept[0]) * kept[1]["y"],
        {"y": grad * np.sin(kept[0])},
    ),
)


def test_a_functions_own_gradient_of_every_order() -> None:
    check_grads(product, X, {"y": X + 1}, order=3)
    check_grads(lambda x: product(x, {"y": 2.0}), X, order=3)
    assert_array_equal(product(X, {"y": 1.0}), np.sin(X))


def test_what_is_said_of_a_function_is_what_counts() -> None:
    @custom_vjp
    def clipped(x: Any) -> Any:
        return x

    with pytest.raises(RuntimeError, match=r"clipped\.defvjp\(\.\.\.\) comes first"):
        clipped(Tensor(1.0))
    clipped.defvjp(lambda x: (x, None), lambda kept, grad: (np.clip(grad, -1, 1),))
    assert_array_equal(grad(lambda x: (clipped(x) * 5).sum())(X), np.ones(3))
    clipped.defvjp(lambda x: (x, None), lambda kept, grad: grad)
    with pytest.raises(TypeError, match="backward gives a tuple of 1 gradients"):
        clipped(Tensor(1.0)).backward()


def with_gradients(*gradients: Any) -> Any:
    """Give a function that adds up its arguments, and says that these are their gradients."""
    f = custom_vjp(lambda *args: args[0], name="f")
    f.defvjp(
        lambda *args: (functools.reduce(np.add, [x.sum() for x in args]), None),
        lambda kept, grad: gradients,
    )
    return f


@pytest.mark.parametrize(
    ("gradients", "shapes"),
    [
        ([np.ones(4), np.ones(2)], [(2,), (4,)]),
        ([np.ones(5)], [()]),
        ([np.ones(3)], [(2, 3)]),
        ([1.5], [(2,)]),
        ([np.ones((2, 2))], [(2,)]),
    ],
)
def test_a_gradient_of_another_shape_is_named(gradients: Any, shapes: Any) -> None:
    args = [Tensor(np.ones(shape), label="w") for shape in shapes]
    with pytest.raises(ValueError, match="the gradient of argument 0, tensor 'w' of shape"):
        with_gradients(*gradients)(*args).backward()
    assert all(x._grad is None for x in args)


def test_a_number_is_the_gradient_of_a_number_and_what_is_none_is_named() -> None:
    assert grad(with_gradients(1.5))(2.0) == 1.5
    assert grad(with_gradients(None))(2.0) == 0
    with pytest.raises(TypeError, match="backward gave complex 1j, expected real numbers"):
        grad(with_gradients(1j))(2.0)
    f = custom_vjp(lambda x: x, name="f")
    f.defvjp(lambda x: (x, None), lambda kept, grad: 1 // 0)
    with pytest.raises(ZeroDivisionError) as raised:
        f(Tensor(1.0)).backward()
    assert raised.value.__notes__ == ["custom_vjp(f): backward raised this"]
    f.defvjp(lambda x: x, lambda kept, grad: (grad,))
    with pytest.raises(TypeError, match=r"custom_vjp\(f\): forward gives a pair"):
        f(Tensor(1.0))


def test_a_tensor_that_a_function_uses_without_being_given_it_is_refused() -> None:
    def total(p: Any) -> Any:
        f = custom_vjp(lambda x: x * p, name="f")
        f.defvjp(lambda x: (x * p, None), lambda kept, grad: (grad * p,))
        return p * p * f(Tensor(2.0))

    with pytest.raises(TypeError, match="depends on a tensor that requires a gradient and is no"):
        grad(total)(3.0)
    assert total(Tensor(3.0, requires_grad=False)).item() == 54


def test_arguments_by_name_defaults_and_names() -> None:
    def scaled(x: Any, scale: Any = 2.0) -> Any:
        return x * scale

    f = custom_vjp(scaled)
    f.defvjp(lambda x, scale: (x * scale, scale), lambda kept, grad: (grad * kept, None))
    assert grad(f)(1.0) == 2
    assert grad(lambda x: f(x, scale=5.0))(1.0) == 5
    assert grad(lambda x: f(scale=5.0, x=x))(1.0) == 5
    with pytest.raises(TypeError, match=r"custom_vjp\(scaled\): .*unexpected keyword"):
        f(1.0, size=2.0)

    partial = custom_vjp(functools.partial(scaled, scale=3.0))
    partial.defvjp(lambda x: (x * 3, None), lambda kept, grad: (grad * 3,))
    assert grad(partial)(1.0) == 3
    with pytest.raises(TypeError, match="scale can only be given by name"):
        partial(1.0, scale=2.0)

    def exp(x: Any) -> Any:
        return x

    with pytest.raises(ValueError, match="give another name="):
        custom_vjp(exp)
    assert Operation[custom_vjp(exp, name="my_exp")._name.upper()].symbol == "my_exp"


# --- checkpoints ----------------------------------------------------------------------------------


def test_a_checkpoint_forgets_and_has_the_same_gradients() -> None:
    w = Tensor(np.linspace(-1, 1, 9).reshape(3, 3))

    def f(x: Any) -> Any:
        for _ in range(5):
            x = np.tanh(x @ w)
        return x

    x = Tensor(X)
    (f(x) ** 2).sum().backward()
    expected, of_w = x.grad, w.grad
    x.grad = w.grad = None
    out = checkpoint(f)(x)
    assert len(topological_order([out])) <= 6
    (out**2).sum().backward()
    assert_array_equal(x.grad, expected)
    assert_array_equal(w.grad, of_w)
    with no_grad():
        assert not checkpoint(f)(x).requires_grad


def test_checkpoints_differentiate_again_and_take_structures() -> None:
    f = checkpoint(lambda x, y: {"a": np.sin(x) * y["u"], "b": x * y["u"] ** 2})
    check_grads(f, X, {"u": X + 1}, order=3)


def test_a_checkpoint_takes_nan_for_the_same_in_both_times() -> None:
    x = Tensor([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        checkpoint(np.sqrt)(x).sum().backward()
    assert_array_equal(x.grad, [np.nan, 0.25])


def test_a_checkpoint_notices_that_the_second_time_differs() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(RuntimeError, match="the second time it gave something else"):
        checkpoint(lambda x: x * rng.normal())(Tensor(X)).sum().backward()


def test_an_output_that_a_checkpoint_was_not_given_has_its_gradient() -> None:
    x, w = Tensor(2.0), Tensor(2.0)
    out, same = checkpoint(lambda x: (x * 2, w))(x)
    (out * same).backward()
    assert (x.grad, w.grad) == (4, 4)
    check_grads(lambda x, w: checkpoint(lambda x: {"a": x * w, "w": w})(x), 2.0, 3.0, order=3)


def test_what_has_no_gradient_leaves_a_checkpoint_as_it_is() -> None:
    x = Tensor(X)
    assert checkpoint(lambda x: x.data)(x) is x.data
    assert not checkpoint(lambda x: x.detach())(x).requires_grad
    out, plain, word = checkpoint(lambda x: (x * 2, x.data, "word"))(x)
    assert (out.requires_grad, type(plain), word) == (True, np.ndarray, "word")


def test_a_checkpoint_of_a_dask_array() -> None:
    x, w = Tensor(da.from_array(X, chunks=2)), Tensor(X)
    checkpoint(lambda x: (x * w * x).sum())(x).backward()
    assert_allclose(x.grad.compute(), 2 * X * X)
    assert_allclose(w.grad, X * X)


# --- inputs without a rule ------------------------------------------------------------------------


class Scaling:
    factor = 3.0

    @with_rules(None, lambda grad, out, self, x: grad * self.factor, name="scaling")
    def __call__(self, x: Any) -> Any:
        return x * self.factor


def _picked_rule(grad: Any, out: Any, i: Any, x: Any) -> Any:  # noqa: ARG001
    share = np.zeros_like(x)
    np.add.at(share, i, grad)
    return share


def test_an_input_without_a_rule_is_what_was_given() -> None:
    matrix = sparse.random(4, 3, density=0.6, random_state=0).tocsr()
    product = operation(
        lambda s, x: s @ x, None, lambda grad, out, s, x: s.T @ grad, name="sparse_product"
    )
    assert_allclose(jacobian(lambda x: product(matrix, x))(X), matrix.toarray())
    picked = operation(lambda i, x: x[i], None, _picked_rule, name="picked")
    index = np.array([0, 0, 2])
    assert_array_equal(grad(lambda x: picked(index, x).sum())(X), [2, 0, 1])
    assert_array_equal(grad(lambda x: Scaling()(x).sum())(X), [3, 3, 3])
    called = operation(
        lambda f, word, x: f(x), None, None, lambda g, out, f, word, x: g * np.cos(x), name="called"
    )
    assert_array_equal(grad(lambda x: called(np.sin, "word", x).sum())(X), np.cos(X))
    for node in (product(matrix, Tensor(X)), called(np.sin, "word", Tensor(X))):
        node.sum().backward()
        assert node.render("graph.dot", view=False).dot


def _assign(x: Any, i: Any, values: Any) -> None:
    x[i] = values


# Four arrays of two axes, of other sizes all, and of which each has a place of its own.
@pytest.mark.parametrize("index", [lambda i: i, lambda i: (i, [1, 0]), lambda i: (..., i)])
@pytest.mark.parametrize("write", [_assign, np.add.at])
def test_a_rule_writes_to_the_places_of_each_of_a_batch(write: Any, index: Any) -> None:
    def rule(grad: Any, out: Any, i: Any, x: Any) -> Any:  # noqa: ARG001
        share = np.zeros_like(x)
        write(share, index(i), grad)
        return share

    picked = operation(lambda i, x: x[index(i)], None, rule, name="picked")
    x, i = np.arange(24.0).reshape(4, 3, 2) + 1, np.array([[0, 1], [1, 0], [1, 0], [0, 1]])
    slope = grad(lambda x, i: (picked(i, x) ** 2).sum())
    assert_array_equal(vmap(slope)(x, i), [slope(*pair) for pair in zip(x, i, strict=True)])


def test_a_step_back_from_a_node_without_a_gradient_adds_zeros() -> None:
    x = Tensor(2.0)
    y = x * x
    assert y.grad == 0
    y._backward()
    assert x.grad == 0
