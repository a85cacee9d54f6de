"""Complex numbers: every operation as in PyTorch, and what its derivatives mean in transforms."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.special
import torch
from cases import CASES, Case, dice
from complex_numbers import assert_as_in_torch, drawn, in_torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference import exchanged
from test_linalg import CASES as LINEAR_ALGEBRA
from test_operations import BINARY, UNARY, counterpart

import tinytorch
import tinytorch.scipy
from tinytorch import Tensor, check_grads, grad, hessian, hvp, jacobian, jvp, nn, optim, vjp

Function = Callable[..., Any]

# --- the table ------------------------------------------------------------------------------------

# What means nothing for complex numbers, there or here.
REAL = """cbrt floor ceil trunc rint deg2rad rad2deg erf relu softsign hardswish gelu gelu_tanh
    normal_probability remainder fmod floor_divide arctan2 hypot logaddexp logaddexp2 xlogy copysign
    maximum minimum fmax fmin"""
ELEMENTWISE = [(name, method) for name, method in UNARY if name.lower() not in REAL.split()]
OF_TWO = [(name, method) for name, method in BINARY if name.lower() not in REAL.split()]
# On both axes and off them, in all four quadrants, within the unit circle and without.
POINTS = np.concatenate([drawn(20), [0.5, -0.7, 2, -2.5, 0.4j, -3j]])


@pytest.mark.parametrize(("name", "method"), ELEMENTWISE)
def test_functions_of_an_entry(name: str, method: Function) -> None:
    assert_as_in_torch(method, counterpart(method) or getattr(torch, name.lower()), POINTS)


@pytest.mark.parametrize(("name", "method"), OF_TWO)
@pytest.mark.parametrize("kinds", ["complex, complex", "complex, real", "real, complex"])
def test_functions_of_two_entries(name: str, method: Function, kinds: str) -> None:
    del name
    pair = [
        np.abs(x) if kind == "real" else x
        for x, kind in zip((drawn(3, 1), drawn(2)), kinds.split(", "), strict=True)
    ]
    assert_as_in_torch(method, counterpart(method), *pair)


ORDER = """clip max min median mode kthvalue quantile cummax cummin sort topk"""
ACTIVATIONS = """leaky_relu elu celu selu gelu silu mish softplus hardtanh relu6 log-sigmoid softmax
    log_softmax softmin glu"""
OTHERS = (
    """round nan_to_num nansum nanmean logcumsumexp vectors vdot eigh svd cholesky lstsq select"""
)
SKIPPED = tuple((ORDER + " " + ACTIVATIONS + " " + OTHERS).split())
ROWS = [
    case
    for case in (*CASES, *LINEAR_ALGEBRA)
    if case.reference is not None and not case.name.replace(",", "").startswith(SKIPPED)
]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_rows_of_the_table(case: Case) -> None:
    compared = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        args = exchanged(case.arguments(dice(seed)), partial(made_complex, rng))
        try:
            in_torch(case.reference, args)
        except (AttributeError, TypeError, RuntimeError):
            continue  # an array of no axes that is a number in NumPy, or an order that is real
        for spelling in case.spellings:
            assert_as_in_torch(spelling, case.reference, *args)
            compared += 1
    assert compared


def made_complex(rng: np.random.Generator, x: Any) -> Any:
    is_real = isinstance(x, np.ndarray) and x.dtype.kind == "f"
    return np.asarray(x + 1j * rng.normal(size=x.shape)) if is_real else x


def test_the_rows_are_most_of_the_table() -> None:
    assert len(ROWS) > 120


# --- what PyTorch's functions of other names do, or not NumPy's -----------------------------------

PARTS = {
    "real": (lambda x: x.real, lambda x: x.real),
    "np.real": (np.real, lambda x: x.real),
    "imag": (lambda x: x.imag, lambda x: x.imag),
    "np.imag": (np.imag, torch.imag),
    "conj": (lambda x: x.conj() * x, lambda x: x.conj() * x),
    "np.conj": (lambda x: np.conj(x) ** 3, lambda x: x.conj() ** 3),
    "conj_physical": (Tensor.conj_physical, torch.conj_physical),
    "abs": (abs, abs),
    "np.abs": (np.abs, torch.abs),
    "sgn": (Tensor.sgn, torch.sgn),
    "angle": (Tensor.angle, torch.angle),
    "np.angle": (lambda x: np.angle(x, deg=True), lambda x: x.angle() * (180 / np.pi)),
    "mH": (lambda x: x.mH @ x, lambda x: x.mH @ x),
    "H": (lambda x: x.H, lambda x: x.H),
    "adjoint": (Tensor.adjoint, torch.adjoint),
    "view_as_real": (tinytorch.view_as_real, torch.view_as_real),
    "var of a part": (lambda x: np.var(x, axis=0), lambda x: x.var(0, correction=0)),
    "vdot": (lambda x: np.vdot(x, x * x), lambda x: torch.vdot(x.ravel(), (x * x).ravel())),
    "x.vdot": (lambda x: x[0].vdot(x[1]), lambda x: torch.vdot(x[0], x[1])),
    "vecdot": (lambda x: np.vecdot(x, x**2), lambda x: torch.linalg.vecdot(x, x**2)),
    "real_if_close": (np.real_if_close, lambda x: x * 1),
    "scaled": (lambda x: (2 - 3j) * x + 1j, lambda x: (2 - 3j) * x + 1j),
    "base": (lambda x: (1 + 2j) ** x, lambda x: (1 + 2j) ** x),
    "large power": (lambda x: x**-11 + x**9, lambda x: x**-11 + x**9),
    "where": (lambda x: np.where(x.real > 0, x, 1j), lambda x: torch.where(x.real > 0, x, 1j)),
    "order 3": (lambda x: x.norm(3), lambda x: torch.linalg.vector_norm(x, 3)),
    "order 1": (lambda x: x.norm(1), lambda x: torch.linalg.vector_norm(x, 1)),
    "order inf": (
        lambda x: np.linalg.norm(x, np.inf, 1),
        lambda x: torch.linalg.vector_norm(x, np.inf, 1),
    ),
    "indexed twice": (lambda x: x[[0, 0, 1]] ** 2, lambda x: x[[0, 0, 1]] ** 2),
    "cdouble": (Tensor.cdouble, lambda x: x.cdouble()),
    "unwrapped": (lambda x: x.resolve_conj().resolve_neg(), lambda x: x * 1),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts(name: str) -> None:
    assert_as_in_torch(*PARTS[name], drawn(3, 4))


@pytest.mark.parametrize("name", ["real", "imag", "conj", "angle", "abs"])
def test_parts_at_nought_and_on_the_unit_circle(name: str) -> None:
    x = Tensor([0, 1, 1j, -1, -1j])
    t = torch.tensor(x.data, requires_grad=True)
    y, expected = getattr(np, name)(x), getattr(torch, name)(t)
    y.backward(np.ones(5))
    expected.backward(torch.ones_like(expected))
    assert_allclose(y.data, expected.detach().resolve_conj())
    assert_allclose(x.grad, t.grad.resolve_conj(), atol=1e-15)


@pytest.mark.parametrize("name", ["complex", "polar"])
def test_complex_numbers_made_of_real_ones(name: str) -> None:
    x, y = np.abs(drawn(3)), drawn(3).real
    assert_as_in_torch(getattr(tinytorch, name), getattr(torch, name), x, y)


def test_pairs_seen_as_complex_numbers() -> None:
    assert_as_in_torch(tinytorch.view_as_complex, torch.view_as_complex, drawn(3, 2).real)


def test_real_parameters_have_real_gradients() -> None:
    waves = drawn(4, 3)
    assert_as_in_torch(
        lambda x: np.exp(1j * x) @ waves.T,
        lambda x: torch.exp(1j * x) @ torch.tensor(waves.T),
        drawn(2, 3).real,
    )
    for parts in ("real", "imag", "conj", "angle", "abs"):
        f = getattr(tinytorch, parts)
        x = Tensor([1.0, -2.0])
        y = f(x)
        y.backward(np.ones(2))
        assert x.grad.dtype == y.dtype == np.float64
        slope = {"real": [1, 1], "conj": [1, 1], "abs": [1, -1]}.get(parts, [0, 0])
        assert_allclose(x.grad, slope)


# --- matrices -------------------------------------------------------------------------------------


def hermitian(x: Any) -> Any:
    return x + x.mH


def positive(x: Any) -> Any:
    return x @ x.mH


def residuals(a: Any, b: Any) -> Any:
    x = torch.linalg.lstsq(a, b).solution
    return x, ((a @ x - b).abs() ** 2).sum(0)


MATRICES: dict[str, tuple[Function, Function]] = {
    "cholesky": (
        lambda x: np.linalg.cholesky(positive(x)),
        lambda x: torch.linalg.cholesky(positive(x)),
    ),
    "cholesky upper": (
        lambda x: positive(x).cholesky(upper=True),
        lambda x: torch.linalg.cholesky(positive(x), upper=True),
    ),
    "eigh values": (
        lambda x: np.linalg.eigh(hermitian(x))[0],
        lambda x: torch.linalg.eigh(hermitian(x))[0],
    ),
    "eigh sizes": (
        lambda x: np.abs(np.linalg.eigh(hermitian(x))[1]),
        lambda x: torch.linalg.eigh(hermitian(x))[1].abs(),
    ),
    "eigvals": (np.linalg.eigvals, torch.linalg.eigvals),
    "eig sizes": (lambda x: np.abs(np.linalg.eig(x)[1]), lambda x: torch.linalg.eig(x)[1].abs()),
    "eig together": (
        lambda x: together(np.linalg.eig(x)),
        lambda x: together(torch.linalg.eig(x)),
    ),
    "svd left": (
        lambda x: np.abs(np.linalg.svd(x)[0]),
        lambda x: torch.linalg.svd(x)[0].abs(),
    ),
    "svd right": (
        lambda x: np.abs(np.linalg.svd(x)[2]),
        lambda x: torch.linalg.svd(x)[2].abs(),
    ),
    "svd together": (
        lambda x: polar_factor(*np.linalg.svd(x)),
        lambda x: polar_factor(*torch.linalg.svd(x)),
    ),
    "logdet": (Tensor.logdet, torch.logdet),
    "sign": (lambda x: np.linalg.slogdet(x)[0], lambda x: torch.linalg.slogdet(x)[0]),
    "matrix_exp": (Tensor.matrix_exp, torch.matrix_exp),
    "power": (lambda x: np.linalg.matrix_power(x, -3), lambda x: torch.linalg.matrix_power(x, -3)),
}


def together(found: Any) -> Any:
    values, vectors = found
    scaled = vectors / (vectors[0] + 2 * vectors[1])  # which knows no phases
    return (scaled * values.exp()) @ scaled.mT


def polar_factor(u: Any, _: Any, vh: Any) -> Any:
    return u @ vh


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name: str) -> None:
    assert_as_in_torch(*MATRICES[name], drawn(3, 3), rtol=1e-9)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_singular_vectors_of_rectangles(shape: tuple[int, int]) -> None:
    assert_as_in_torch(
        lambda x: polar_factor(*np.linalg.svd(x, full_matrices=False)),
        lambda x: polar_factor(*torch.linalg.svd(x, full_matrices=False)),
        drawn(*shape),
        rtol=1e-9,
    )


def test_least_squares() -> None:
    assert_as_in_torch(lambda a, b: np.linalg.lstsq(a, b)[:2], residuals, drawn(5, 3), drawn(5, 2))


def test_eigenvalues_of_real_matrices() -> None:
    turning = np.array([[0.1, -1.0, 0.3], [2.0, 0.1, 0.0], [0.2, 0.5, 1.0]])
    assert_as_in_torch(np.linalg.eigvals, torch.linalg.eigvals, turning)
    check_grads(np.linalg.eigvals, np.array([[2.0, 1.0], [0.5, 1.0]]))  # which are real, as NumPy's


def test_functions_of_matrices_may_be_complex() -> None:
    x = Tensor([[-2.0, 0.5], [0.3, 1.0]])
    root = tinytorch.scipy.linalg.sqrtm(x)
    assert root.dtype == np.complex128
    assert_allclose((root @ root).data, x.data, atol=1e-12)
    check_grads(tinytorch.scipy.linalg.sqrtm, x.data, order=1)


# --- transforms -----------------------------------------------------------------------------------


@given(st.complex_numbers(max_magnitude=2), st.complex_numbers(max_magnitude=2))
def test_transforms_of_one_function_agree(z: complex, v: complex) -> None:
    def f(x: Any) -> Any:
        return x**3 + np.sin(x) * (1 - 2j)

    slope = 3 * z**2 + np.cos(z) * (1 - 2j)
    assert_allclose(jacobian(f)(z), slope, rtol=1e-12, atol=1e-12)
    assert_allclose(jvp(f, z, v)[1], slope * v, rtol=1e-12, atol=1e-12)
    assert_allclose(vjp(f, z)[1](v)[0], np.conj(slope) * v, rtol=1e-12, atol=1e-12)
    assert_allclose(grad(lambda x: f(x).real)(z), np.conj(slope), rtol=1e-12, atol=1e-12)
    second = jacobian(jacobian(f))(z)
    assert_allclose(second, 6 * z - np.sin(z) * (1 - 2j), rtol=1e-12, atol=1e-12)


def test_jacobians_of_complex_functions_of_real_numbers() -> None:
    x, a = np.array([0.3, 1.2]), drawn(3, 2)
    expected = 1j * np.exp(1j * (a.real @ x))[:, None] * a.real
    assert_allclose(jacobian(lambda x: np.exp(1j * (a.real @ x)))(x), expected)


def test_jacobians_of_real_functions_of_complex_numbers() -> None:
    z = drawn(3)
    assert_allclose(jacobian(np.abs)(z), np.diag(z / np.abs(z)), atol=1e-15)
    theirs = torch.autograd.functional.jacobian(torch.abs, torch.tensor(z))
    assert_allclose(jacobian(np.abs)(z), theirs)


def test_products_along_a_direction() -> None:
    z, v = drawn(3), drawn(3)

    def f(x: Any) -> Any:
        return (x.abs() ** 2 * x.conj()).sum().real

    _, ours = jvp(lambda x: x.conj() * x.real, z, v)
    _, theirs = torch.autograd.functional.jvp(
        lambda x: x.conj() * x.real, torch.tensor(z), torch.tensor(v)
    )
    assert_allclose(ours, theirs.resolve_conj())
    theirs = torch.autograd.functional.vhp(f, torch.tensor(z), torch.tensor(v))[1]
    assert_allclose(hvp(f, z, v), theirs)


def test_what_has_no_derivative_is_said() -> None:
    z = drawn(2)
    x = Tensor(z, label="z")
    for call, error, words in (
        (lambda: (x * x).sum().backward(), RuntimeError, "complex, and only real numbers"),
        (lambda: tinytorch.autograd.grad((x * x).sum(), x), RuntimeError, "outputs.0. is complex"),
        (lambda: grad(np.sum)(z), TypeError, "the output is complex.*jacobian"),
        (lambda: tinytorch.elementwise_grad(np.sin)(z), TypeError, "the output is complex"),
        (lambda: jacobian(np.conj)(z), ValueError, "no holomorphic function"),
        (lambda: hessian(lambda x: np.abs(x).sum())(z), TypeError, "view_as_complex"),
        (lambda: x.real.backward(1j * z), TypeError, "expected real numbers"),
        (lambda: vjp(np.abs, z)[1](z), TypeError, "expected real numbers, got an array"),
        (lambda: setattr(Tensor([1.0, 2.0]), "data", z), TypeError, "z.real are its real parts"),
        (lambda: float(x[0]), TypeError, "complex"),
        (lambda: x // 2, TypeError, "floor_divide"),
        (x.softplus, TypeError, "real numbers, got an array of dtype complex128"),
        (x.gelu, TypeError, "real numbers"),
        (lambda: np.arctan2(x, x), TypeError, "arctan2"),
        (lambda: tinytorch.view_as_complex(z), ValueError, "expected real numbers, two in"),
        (lambda: tinytorch.view_as_complex(Tensor([1.0])), ValueError, "two in the last axis"),
        (lambda: tinytorch.view_as_real(Tensor([1.0])), TypeError, "expected complex numbers"),
    ):
        with pytest.raises(error, match=words):
            call()


def test_differences_are_taken_in_both_directions() -> None:
    check_grads(lambda x, y: np.exp(x) * y, drawn(2), np.array([0.5, 2.0]))
    check_grads(np.abs, drawn(3))
    check_grads(lambda x: np.exp(1j * x), np.array([0.5, 2.0]))
    wrong = tinytorch.operation(np.abs, lambda grad, out, x: grad * x / out, name="wrong_size")
    with pytest.raises(AssertionError, match=r"the output\[0\] by argument 0\[0, 1\]: analytic"):
        check_grads(wrong, drawn(1))


# --- the walk back --------------------------------------------------------------------------------


def test_a_step_by_hand_is_that_of_backward() -> None:
    z = drawn(3)

    def graph() -> tuple[Tensor, Tensor, Tensor]:
        x = Tensor(z)
        y = x * x.conj() + 1j * x
        return x, y, np.exp(y).abs().sum()

    x, y, loss = graph()
    loss.backward()
    by_hand, middle, total = graph()
    total._grad = np.ones(())
    for node in reversed(tinytorch.engine.topological_order([total])):
        node._backward()
    assert_allclose(by_hand.grad, x.grad)
    assert_allclose(middle.grad, y.grad)


def test_a_second_pass_adds_up() -> None:
    x = Tensor(drawn(2))
    for _ in range(2):
        (x * (1 + 2j)).real.sum().backward()
    assert_allclose(x.grad, 2 * (1 - 2j))


def test_watchers_see_gradients() -> None:
    x = Tensor(drawn(2), label="x")
    seen = {}
    with tinytorch.diagnostics.watching.watching(lambda *told: seen.update({told[1]: told[2]})):
        (x * 1j).real.sum().backward()
    assert_allclose(seen[x], x.grad)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_dtypes(dtype: Any) -> None:
    x = Tensor(drawn(3).astype(dtype))
    real = np.finfo(dtype).dtype
    assert (x * 2).dtype == (1j * x).dtype == (x + np.arange(3)).dtype == x.exp().dtype == dtype
    assert x.abs().dtype == x.real.dtype == x.norm().dtype == x.var().dtype == real
    assert (Tensor(np.ones(3, real)) * 1j).dtype == dtype
    x.abs().sum().backward()
    assert x.grad.dtype == dtype
    assert repr(x[:1]).endswith(")")
    twins = [copy.deepcopy(x), pickle.loads(pickle.dumps(x))]  # noqa: S301
    for twin in twins:
        assert_allclose(twin.grad, x.grad)
    assert x.is_complex()
    assert not x.is_floating_point()
    assert tinytorch.tensor([1j]).dtype == tinytorch.complex128 == tinytorch.cdouble
    assert tinytorch.zeros(2, dtype=tinytorch.cfloat).dtype == np.complex64
    assert x.to(tinytorch.complex128).dtype == np.complex128
    assert type(x[0].item()) is complex
    assert complex(x[0].detach()) == x.data[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_complex_numbers_of_any_size_are_no_real_ones(dtype: Any) -> None:
    z = drawn(3)
    for numbers in (z, z.tolist(), z.astype(np.complex64), Tensor(z)):
        with pytest.raises(TypeError, match=r"z\.real are its real parts"):
            Tensor(numbers, dtype=dtype)
    for other in (np.complex64, np.complex128):
        x = Tensor(z.astype(other), dtype=np.complex64)
        assert x.dtype == np.complex64
        assert_allclose(x.data, z, rtol=1e-6)


def test_checkpoints_and_functions_of_ones_own() -> None:
    z = drawn(3)

    def f(x: Any) -> Any:
        return (x.conj() * x**2).abs().sum()

    expected = grad(f)(z)
    assert_allclose(grad(tinytorch.checkpoint(f))(z), expected)

    @tinytorch.custom_vjp
    def g(x: Any) -> Any:
        return x.conj()

    g.defvjp(lambda x: (x.conj(), None), lambda _, v: (v.conj(),))
    assert_allclose(grad(lambda x: f(g(x)))(z), grad(lambda x: f(x.conj()))(z))
    cube = tinytorch.operation(lambda x: x**3, lambda grad, out, x: grad * 3 * x**2, name="cube")
    assert_allclose(jacobian(lambda x: cube(x).sum())(z), 3 * z**2)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_optimisers_take_parts_for_parameters(name: str) -> None:
    start, target = drawn(3), drawn(3)
    ours, theirs = nn.Parameter(start), torch.nn.Parameter(torch.tensor(start))
    mine = getattr(optim, name)([ours], lr=0.1)
    other = getattr(torch.optim, name)([theirs], lr=0.1)
    for _ in range(5):
        for x, aim, optimiser in (
            (ours, target, mine),
            (theirs, torch.tensor(target), other),
        ):
            optimiser.zero_grad()
            ((x - aim).abs() ** 3).sum().backward()
            optimiser.step()
    assert_allclose(ours.data, theirs.detach(), rtol=1e-12)
    twin = getattr(optim, name)([ours], lr=0.1)
    twin.load_state_dict(mine.state_dict())


def test_lbfgs_and_clipping() -> None:
    x, target = nn.Parameter(drawn(3)), drawn(3)
    optimiser = optim.LBFGS([x], lr=0.5, max_iter=50)

    def closure() -> Any:
        optimiser.zero_grad()
        loss = ((x - target).abs() ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert_allclose(x.data, target, atol=1e-4)
    x.grad = 10 * drawn(3)
    nn.utils.clip_grad_norm_([x], 1.0)
    assert_allclose(np.linalg.norm(x.grad), 1, rtol=1e-6)


def test_programs() -> None:
    z = drawn(3)

    def f(x: Any) -> Any:
        return np.abs(np.exp(1j * x) * np.conj(x)).sum() + np.angle(x).sum()

    for function in (f, grad(f), jacobian(np.sin)):
        program = tinytorch.compile(function)
        assert_allclose(program(z), function(z))
        assert_allclose(program(2 * z), function(2 * z))


def test_pictures(tmp_path: Any) -> None:
    x = Tensor(drawn(2), label="x")
    y = (x * 1j).abs().sum()
    y.backward()
    y.render(tmp_path / "graph.dot")
    y.explain(tmp_path / "page.html")
    assert "j" in (tmp_path / "graph.dot").read_text()


def test_dask() -> None:
    import dask.array as da

    z = drawn(4)
    x = Tensor(da.from_array(z, chunks=2))
    (x.abs() * x.real).sum().backward()
    twin = Tensor(z)
    (twin.abs() * twin.real).sum().backward()
    assert_allclose(x.grad.compute(), twin.grad)


# --- what NumPy and SciPy do with complex numbers -------------------------------------------------

Z = drawn(4)
ELSEWHERE: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "correlate": (lambda x, y: np.correlate(x, y, "full"), (Z, drawn(3))),
    "correlate of a longer one": (lambda x, y: np.correlate(x, y, "same"), (Z, drawn(6))),
    "convolve": (np.convolve, (Z, drawn(3))),
    "cov": (np.cov, (drawn(2, 4),)),
    "cov weights": (lambda x: np.cov(x, aweights=[1.0, 2, 1, 3]), (drawn(2, 4),)),
    "corrcoef": (np.corrcoef, (drawn(2, 4),)),
    "interp": (lambda x: np.interp([0.5, 1.2], [0.0, 1, 2], x), (drawn(3),)),
    "nan_to_num": (np.nan_to_num, (Z,)),
    "nansum": (np.nansum, (Z,)),
    "linspace": (lambda x, y: np.linspace(x, y, 3), (Z, drawn(4))),
    "polyval": (np.polyval, (Z, drawn(2))),
    "sort": (np.sort, (Z,)),
    "max": (np.max, (Z,)),
    "maximum": (np.maximum, (Z, drawn(4))),
    "rint": (lambda x: np.rint(3 * x) + x, (Z,)),
    "emath.sqrt": (np.emath.sqrt, (np.array([-2.0, 3.0]),)),
    "emath.log": (np.emath.log, (np.array([-2.0, 3.0]),)),
    "emath.log2": (np.emath.log2, (np.array([-2.0, 3.0]),)),
    "emath.log10": (np.emath.log10, (np.array([-2.0, 3.0]),)),
    "emath.logn": (lambda x: np.emath.logn(2, x), (np.array([-2.0, 3.0]),)),
    "emath.power": (lambda x: np.emath.power(x, 1.5), (np.array([-2.0, 3.0]),)),
    "emath.arcsin": (np.emath.arcsin, (np.array([-2.0, 0.3]),)),
    "emath.arccos": (np.emath.arccos, (np.array([-2.0, 0.3]),)),
    "emath.arctanh": (np.emath.arctanh, (np.array([-2.0, 0.3]),)),
    "emath of what is real": (np.emath.sqrt, (np.array([2.0, 3.0]),)),
    "erf": (lambda x: scipy.special.erf(x), (Z,)),  # noqa: PLW0108  (SciPy has no types)
    "ive": (lambda x: scipy.special.ive(0.7, x), (Z,)),
    "signal.correlate": (tinytorch.scipy.signal.correlate, (Z, drawn(3))),
    "expm": (tinytorch.scipy.linalg.expm, (drawn(2, 2),)),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_numpys_and_scipys_functions(name: str) -> None:
    function, args = ELSEWHERE[name]
    theirs = {
        "signal.correlate": lambda x, y: scipy.signal.correlate(x, y, method="direct"),
        "expm": lambda x: scipy.linalg.expm(x),  # noqa: PLW0108
    }.get(name, function)
    found, expected = function(*map(Tensor, args)), theirs(*args)
    assert found.dtype == expected.dtype
    assert_allclose(found.data, expected, rtol=1e-12, atol=1e-12)
    check_grads(function, *args)


@pytest.mark.parametrize("name", ["sqrt", "log", "log2", "log10", "arcsin", "arccos", "arctanh"])
def test_numbers_stay_real_up_to_the_ends(name: str) -> None:
    function = getattr(np.emath, name)
    for x in (0.0, 1.0, -1.0):
        with np.errstate(divide="ignore"):
            assert function(Tensor([x])).dtype == function(np.array([x])).dtype


@pytest.mark.parametrize("f", [np.nanvar, np.nanstd])
def test_deviations_of_what_is_there(f: Any) -> None:
    x = drawn(3, 4)
    x[0, 1] = x[2, 2] = np.nan
    for options in ({}, {"axis": 0, "ddof": 1}, {"axis": -1, "keepdims": True}):
        found = f(Tensor(x), **options)
        assert found.dtype == f(x, **options).dtype == np.float64
        assert_allclose(found.data, f(x, **options), rtol=1e-13)
    pair = np.array([1.0, np.nan, 3.0])
    assert_allclose(f(Tensor(pair), ddof=1.5).item(), f(pair, ddof=1.5))
    assert_allclose(grad(f)(x)[~np.isnan(x)], grad(np.var if f is np.nanvar else np.std)(
        x[~np.isnan(x)]), rtol=1e-12)  # fmt: skip


if hasattr(np, "vecmat"):  # NumPy 2.2

    def test_vectors_are_conjugated_before_matrices() -> None:
        x, y = drawn(2, 3), drawn(3, 4)
        assert_allclose(np.vecmat(Tensor(x), y).data, np.vecmat(x, y), rtol=1e-13)
        check_grads(np.vecmat, x, y)


def test_complex_powers_of_negative_numbers() -> None:
    x, y = np.array([-2.0, -0.5, 1.5]), drawn(3)
    check_grads(np.power, x, y)
    check_grads(lambda y: -(2.0**y), y)
    check_grads(lambda x: x ** (1 + 2j), x)


def test_vmap_takes_complex_numbers() -> None:
    x = drawn(3, 2, 2)
    for f in (np.linalg.det, np.abs, np.fft.fft2, lambda x: np.linalg.svd(x, compute_uv=False)):
        assert_allclose(tinytorch.vmap(f)(x), f(x), rtol=1e-12)
    lengths = grad(lambda x: np.linalg.norm(x))  # noqa: PLW0108  (NumPy has other types)
    assert_allclose(tinytorch.vmap(lengths)(x)[1], lengths(x[1]))
    assert_allclose(tinytorch.jacfwd(np.exp)(x[0, 0]), jacobian(np.exp)(x[0, 0]))
    assert_allclose(tinytorch.jacfwd(np.abs)(x[0, 0]), jacobian(np.abs)(x[0, 0]), atol=1e-14)
    with pytest.raises(ValueError, match="no holomorphic function"):
        tinytorch.jacfwd(np.conj)(x[0, 0])


def test_what_was_computed_has_pytorchs_gradient() -> None:
    start, weights = drawn(3), np.array([1.0, -2.0, 0.5])

    def graph(z: Any, w: Any) -> Any:
        h = z * z + 2j * z
        return h, (h.abs() ** 3 * w).sum()

    z = Tensor(start)
    h, loss = graph(z, weights)
    loss.backward()
    theirs = torch.tensor(start, requires_grad=True)
    other, total = graph(theirs, torch.tensor(weights))
    other.retain_grad()
    total.backward()
    assert_allclose(h.grad, other.grad, rtol=1e-12)
    assert_allclose(z.grad, theirs.grad, rtol=1e-12)
    assert np.abs(h.grad.imag).min() > 0.01  # so that a conjugate would be seen

    # From a gradient that is set, by hand.
    twin = Tensor(start)
    h, _ = graph(twin, weights)
    h.grad = other.grad
    assert_allclose(h.grad, other.grad, rtol=1e-12)
    for node in reversed(tinytorch.engine.topological_order([h])):
        node._backward()
    assert_allclose(twin.grad, theirs.grad, rtol=1e-12)
