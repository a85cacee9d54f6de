"""Dask arrays: the same values and gradients as NumPy's, and nothing computed before its time."""

from __future__ import annotations

import copy
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import test_linalg
import test_operations
from cases import CASES, Case, Choices, dice
from dask.distributed import Client, LocalCluster
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import assert_close, exchanged, is_variable, leaves, weights
from scipy.optimize import minimize

from tinytorch import (
    Tensor,
    autograd,
    grad,
    hessian,
    hessian_diagonal,
    hvp,
    jacfwd,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from tinytorch.arrays.kind import evaluate
from tinytorch.nn import MLP, Activation


class Computations:
    """A scheduler that counts; `allowed` is the number it does not go beyond."""

    def __init__(self, allowed: int) -> None:
        self.allowed, self.count = allowed, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        assert self.count <= self.allowed, "this computed something"
        return dask.get(*args, **kwargs)


@contextmanager
def computing(times: int) -> Iterator[None]:
    """Expect that many computations in the block."""
    counted = Computations(times)
    with dask.config.set(scheduler=counted):
        yield
    assert counted.count == times


# --- every operation ------------------------------------------------------------------------------


def elementwise(name: str, method: Callable[..., Any], operands: int) -> Case:
    def arguments(choose: Choices) -> Any:
        offset = 1 if name == "ARCCOSH" else 0
        return tuple(
            np.asarray(np.random.default_rng(i).choice(test_operations.SMOOTH, x.shape) + offset)
            for i, x in enumerate(choose.broadcasting(operands))
        )

    return Case(name.lower(), arguments, here=(method,))


ALL = [elementwise(*row) for row in test_operations.ELEMENTWISE] + CASES
# But for those that look at the numbers, for the signs of singular vectors.
ALL += [case for case in test_linalg.CASES if case.name not in ("svd", "svd as PyTorch's")]
BY_NAME = [pytest.param(case, id=case.name) for case in ALL]

# Dask has no such function, or another one under its name.
REFUSED = {
    "median", "quantile", "nan_to_num", "logcumsumexp", "cummax", "cummin",
    "sort", "sort from the largest", "sort everything", "partition", "topk",
    "max, with its index", "min, with its index", "median, with its index", "mode", "kthvalue",
    "cross", "cross of axes", "cross along dim", "multi_dot",
    "det", "slogdet", "logdet", "pinv", "lstsq", "cholesky", "cholesky upper",
    "qr", "qr r", "qr complete", "eigh", "eigh U", "eigvalsh",
}  # fmt: skip
# It has, and does not take all parameters, all shapes or all chunks.
LIMITED = {
    "median, the lower one", "reshape", "index", "index by a mask", "masked_select",
    "matmul", "@", "vecdot", "matrix_power", "matrix norm", "matrix_norm",
    "x.norm nuc", "cond", "inv", "solve", "svdvals",
}  # fmt: skip


def chunked(x: Any, choose: Choices) -> Any:
    """Cut an array anywhere, also into empty chunks."""
    cuts = [sorted(choose.integer(0, n) for _ in range(choose.integer(0, 2))) for n in x.shape]
    chunks = [np.diff([0, *cut, n]).tolist() for cut, n in zip(cuts, x.shape, strict=True)]
    return da.from_array(x, chunks=tuple(map(tuple, chunks)))


def differentiated(function: Callable[..., Any], args: Any, make: Callable[[Any], Any]) -> Any:
    """Give the outputs, and the gradients that `backward` leaves behind."""
    xs: list[Tensor] = []

    def change(x: Any) -> Any:
        if not is_variable(x):
            return x
        xs.append(Tensor(make(x)))
        return xs[-1]

    outputs = list(leaves(function(*exchanged(args, change))))
    for y, w in zip(outputs, weights([y.shape for y in outputs], 1), strict=True):
        if y.requires_grad:
            y.backward(w)
    return [y.data for y in outputs], [x.grad for x in xs]


def assert_agrees(function: Callable[..., Any], args: Any, make: Callable[[Any], Any]) -> None:
    with np.errstate(all="ignore"), dask.config.set(scheduler="synchronous"):
        values, gradients = differentiated(function, args, np.asarray)
        with computing(0):
            plans = differentiated(function, args, make)
        assert all(isinstance(plan, da.Array) for part in plans for plan in part)
        for ours, theirs in zip(dask.compute(*plans), (values, gradients), strict=True):
            for a, b in zip(ours, theirs, strict=True):
                assert a.dtype == b.dtype
                assert_close(a, b, rtol=1e-9)


@pytest.mark.parametrize("case", BY_NAME)
@settings(max_examples=3)
@given(data=st.data())
def test_any_chunks_give_numpys_values_and_gradients(case: Case, data: st.DataObject) -> None:
    choose = test_operations.choices(data)
    args = case.arguments(choose)
    assume(all(x.size for x in leaves(args) if is_variable(x)))
    function = choose.one_of(*case.spellings)
    try:
        assert_agrees(function, args, lambda x: chunked(x, choose))
        refusal = ""
    except (TypeError, ValueError) as error:
        refusal = str(error)
    if case.name in REFUSED:
        assert re.search("Dask cannot|a Dask array as one must be computed first", refusal)
    elif refusal and not refusal.endswith("has no entries"):
        assert case.name in LIMITED, refusal
        assert re.match(r"[\w.]+( \(.+?\))?( of .*?)?: ", refusal)  # it says which operation


@pytest.mark.parametrize("case", [case for case in ALL if case.name in LIMITED])
def test_limited_operations_work_on_some(case: Case) -> None:
    def works(seed: int) -> bool:
        args = case.arguments(dice(seed))
        if not all(x.size for x in leaves(args) if is_variable(x)):
            return False
        try:
            assert_agrees(case.spellings[0], args, da.from_array)
        except (TypeError, ValueError):
            return False
        return True

    assert any(map(works, range(30)))


@pytest.mark.parametrize(
    "index",
    [
        np.s_[1],
        np.s_[..., ::2],
        np.s_[[0, 2, 0]],
        np.s_[[0, 2, 0], 1:3],
        np.s_[[2, 0], :, 1:4:2],
        np.s_[1:, [1, 1, 3], ::-1],
        np.s_[:2, :, [4, 0, 4]],
        np.s_[[0, 1, 0], [2, 3, 2]],
        np.s_[[0, 1, 0], [2, 3, 2], 1:3],
        np.s_[:2, [3, 3], [1, 1]],
        np.s_[None, [0, 2, 0], ..., 1:3],
        np.s_[np.array([True, False, True]), :, 2:],
    ],
    ids=str,
)
def test_entries_are_picked_and_their_gradients_added_up(index: Any) -> None:
    args = (np.random.default_rng(0).normal(size=(3, 4, 5)),)
    chunks = ((2, 1), (1, 3), (4, 1))
    assert_agrees(lambda x: x[index], args, lambda x: da.from_array(x, chunks=chunks))


def test_singular_vectors_have_values_and_gradients() -> None:
    x = np.random.default_rng(0).normal(size=(6, 3))
    memory, lazy = Tensor(x), Tensor(da.from_array(x, chunks=(2, 3)))
    for y in (memory, lazy):
        u, s, vh = np.linalg.svd(y, full_matrices=False)
        assert_allclose((u * s @ vh).numpy(), x)
        (np.abs(u) * s @ np.abs(vh)).sum().backward()  # which no sign of a vector changes
    assert_allclose(np.asarray(lazy.grad), memory.grad, rtol=1e-10, atol=1e-12)


def test_every_way_to_make_numbers_in_silence_is_refused() -> None:
    x, lazy = Tensor(np.ones(4)), Tensor(da.ones(4, chunks=2))
    indices = da.arange(2, chunks=1)
    with computing(0):
        for function in (np.argsort, np.argpartition, np.array_equal, np.array2string):
            with pytest.raises(TypeError, match=rf"^np.{function.__name__}: Dask cannot"):
                function(lazy, 1)
        for indexed in (
            lambda: x[indices],
            lambda: x[indices > 0],
            lambda: lazy[indices],
            lambda: np.take(x, indices),
            lambda: np.take_along_axis(lazy, indices, 0),
            lambda: x.gather(0, indices),
            lambda: x.scatter_add(0, indices, x),
            lambda: x.masked_select(indices[:1] > 0),
            lambda: np.compress(indices > 0, x),
        ):
            with pytest.raises(TypeError, match="an index decides the shape"):
                indexed()
        for values in (lambda: setattr(x, "data", lazy), lambda: setattr(x, "grad", lazy)):
            with pytest.raises(TypeError, match="expected a NumPy array, got a Dask array"):
                values()
        with pytest.raises(TypeError, match="expected a NumPy array, got a Dask array"):
            x.backward(da.ones(4))
        with pytest.raises(TypeError, match="expected a NumPy array, got a Dask array"):
            autograd.grad(x, x, da.ones(4))


def test_a_mask_may_be_a_dask_array() -> None:
    x, mask = Tensor(np.arange(4.0)), da.from_array(np.array([True, False, True, True]), chunks=3)
    with computing(1):
        picked = np.where(mask, x, -x)
        picked.backward()
    assert_array_equal(x.grad, [1, -1, 1, 1])
    with computing(1):
        assert picked.tolist() == [0, -1, 2, 3]


# --- a tensor of a Dask array ---------------------------------------------------------------------


def test_a_tensor_keeps_the_plan() -> None:
    plan = da.random.default_rng(0).normal(size=(6, 2), chunks=(3, 2))
    with computing(0):
        x = Tensor(plan, label="x")
        assert x.data.name == plan.name
        assert repr(x) == f"Tensor({plan!r}, label='x')"
        assert f"{x}" == repr(x)
        assert len(x) == 6
        assert x.detach().data is x.data
        assert Tensor(x).data.name == plan.name
        assert Tensor(da.arange(3), dtype=np.float32).dtype == np.float32
        assert Tensor(da.arange(3)).dtype == np.float64
        assert isinstance(x > 0, da.Array)
        assert isinstance(x.argmax(), da.Array)
        assert isinstance(x.grad, da.Array)
        for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):  # noqa: S301
            assert twin.data.name == plan.name
        with pytest.raises(TypeError, match="expected a number"):
            Tensor(da.from_array(np.array([None, 1]), chunks=2))
    with computing(4):
        values = x.numpy()
        assert_array_equal(np.asarray(x.detach()), values)
        assert x.tolist() == values.tolist()
        assert f"{x.sum():.3f}" == f"{values.sum():.3f}"


def test_a_change_to_the_callers_array_changes_nothing() -> None:
    plan = da.ones(3)
    x = Tensor(plan)
    plan[0] = 5
    assert_array_equal(x.numpy(), 1)
    x.data[1] = 7
    assert_array_equal(plan.compute(), [5, 1, 1])


def test_data_is_exchanged_for_a_new_plan() -> None:
    x = Tensor(da.ones(4, chunks=2))
    with computing(0):
        x.data -= 0.5 * da.ones(4, chunks=2)
        y = x * 1.0
        y.data = np.arange(4)
    assert_array_equal(x.numpy(), 0.5)
    assert isinstance(y.data, da.Array)
    assert_array_equal(y.numpy(), [0, 1, 2, 3])
    with pytest.raises(ValueError, match="takes values of that shape"):
        x.data = da.ones(3)


def test_a_gradient_has_the_kind_of_array_its_tensor_has() -> None:
    x, w = Tensor(da.ones((6, 2), chunks=(4, 1))), Tensor(np.array([1.0, 2.0]), label="w")
    with computing(1):
        halved = w / 2
        y = (x @ halved) ** 2
        loss = y.mean()
        loss.backward()
    assert isinstance(w.grad, np.ndarray)
    assert isinstance(halved.grad, np.ndarray)
    assert isinstance(y.grad, da.Array)
    assert isinstance(x.grad, da.Array)
    assert_allclose(w.grad, [1.5, 1.5])
    w.grad *= 2  # it is the leaf's own, and may be written to
    with computing(1):
        loss.backward()
    assert_allclose(w.grad, [4.5, 4.5])
    assert_allclose(x.grad.compute(), 2 * np.ones((6, 1)) * 3 / 6 * [0.5, 1.0])


def test_of_dask_arrays_alone_nothing_is_computed() -> None:
    x = Tensor(da.arange(4.0, chunks=2))
    with computing(0):
        loss = (x**2).sum()
        loss.backward(np.array(2.0))
        loss.backward()
    assert_array_equal(x.grad.compute(), 6 * np.arange(4.0))
    with computing(1):
        assert loss.item() == 14


def test_the_value_of_a_loss_comes_with_the_gradients() -> None:
    w = Tensor(np.array([1.0, 2.0]))
    loss = (da.ones((4, 2), chunks=2) @ w).sum()
    with computing(1):
        loss.backward()
        assert loss.item() == float(loss) == 12
        assert repr(loss) == "Tensor(12.)"
        assert f"{loss:.2f}" == "12.00"
        assert int(loss) == 12
    w.data -= 0.5
    with computing(1):
        assert loss.data.compute() == 12  # the plan has copies of NumPy arrays


# --- awkward arrays -------------------------------------------------------------------------------


def test_unknown_sizes_are_refused() -> None:
    x = da.ones((4, 2), chunks=2)
    unknown = x[x[:, 0] > 0]
    w = Tensor(np.ones(2))
    with computing(0):
        for use in (lambda: Tensor(unknown), lambda: unknown @ w, lambda: w * unknown):
            with pytest.raises(ValueError, match=r"not known.*compute_chunk_sizes\(\)"):
                use()
    assert_array_equal((unknown.compute_chunk_sizes() @ w).numpy(), 2)


def test_arrays_without_entries_are_refused() -> None:
    x = Tensor(da.ones((4, 2), chunks=2))
    for use in (lambda: Tensor(da.ones((0, 2))), lambda: x[:0], lambda: x @ da.ones((2, 0))):
        with pytest.raises(ValueError, match=r"shape .* has no entries"):
            use()


def test_float32_stays_float32() -> None:
    X = da.ones((4, 2), chunks=2, dtype=np.float32)
    w = Tensor(np.ones((2, 1)), dtype=np.float32)
    loss = ((X @ w + 1).sigmoid() * da.arange(4, chunks=2)[:, None]).mean()
    loss.backward()
    assert loss.dtype == w.grad.dtype == np.float32


def broken(block: Any, fails: list[bool]) -> Any:
    if fails:
        raise OSError("the disk is gone")
    return block


def test_a_failing_computation_changes_nothing() -> None:
    fails = [True]
    X = da.ones((4, 2), chunks=2).map_blocks(broken, fails, meta=np.empty((0, 0)))
    w, b = Tensor(np.ones(2)), Tensor(1.0)
    w.grad = np.array([5.0, 6.0])
    y = X @ w + b
    loss = y.mean()
    with dask.config.set(scheduler="synchronous"):
        with pytest.raises(OSError, match="the disk is gone"):
            loss.backward()
        assert_array_equal(w.grad, [5, 6])
        assert_array_equal(w.data, 1)
        assert b._grad is y._grad is loss._grad is None
        with pytest.raises(OSError, match="the disk is gone"):
            loss.item()
        fails.clear()
        loss.backward()
    assert_array_equal(w.grad, [6, 7])
    assert loss.item() == 3


def test_a_refusal_leaves_dask_as_it_was_and_other_threads_alone() -> None:
    x = Tensor(da.ones((4, 2), chunks=2))
    other: list[float] = []

    def elsewhere(values: Any) -> Any:
        thread = threading.Thread(target=lambda: other.append(da.ones(3).sum().compute()))
        thread.start()
        thread.join()
        return np.linalg.eigh(values)

    before = dict(dask.config.config)
    reason = r"\(The `numpy.linalg.eigh` function is not implemented .*\)\. On NumPy arrays"
    with pytest.raises(TypeError, match=rf"^here: Dask cannot .* {reason}"):
        evaluate("here", elsewhere, x.data)
    assert other == [3]
    assert dask.config.config == before
    assert x.data.sum().compute() == 8


# --- gradients on demand --------------------------------------------------------------------------


def logistic(parameters: Any, X: Any, y: Any) -> Any:
    p = (X @ parameters[:-1] + parameters[-1]).sigmoid()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean() + 0.1 * (parameters**2).sum()


@pytest.fixture(scope="module")
def rows() -> Any:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    return X, (X @ [1.0, -2.0, 0.5] + rng.normal(size=90) > 0).astype(float)


def in_chunks(rows: Any) -> Any:
    X, y = rows
    return da.from_array(X, chunks=((20, 0, 30, 40), (2, 1))), da.from_array(y, chunks=(45,))


@pytest.mark.parametrize(
    "transform",
    [
        grad,
        value_and_grad,
        hessian,
        lambda f: jacobian(lambda w, *data: f(w, *data) * w),
        lambda f: jacfwd(lambda w, *data: f(w, *data) * w),
        hessian_diagonal,
        lambda f: lambda w, *data: hvp(lambda w: f(w, *data), w, np.arange(4.0)),
        lambda f: lambda w, *data: autograd.grad(f(w := Tensor(w), *data), w)[0].data,
        lambda f: lambda w, *data: jvp(lambda w: f(w, *data) * w, (w,), (np.arange(4.0),)),
        lambda f: lambda w, *data: vjp(lambda w: f(w, *data) * w, w)[0],
    ],
    ids=[
        "grad",
        "value_and_grad",
        "hessian",
        "jacobian",
        "jacfwd",
        "hessian_diagonal",
        "hvp",
        "autograd.grad",
        "jvp",
        "vjp",
    ],
)
def test_transforms_give_numpy_arrays_in_one_computation(transform: Any, rows: Any) -> None:
    w = np.array([0.3, -0.2, 0.1, 0.4])
    expected = transform(logistic)(w, *rows)
    with computing(1):
        actual = transform(logistic)(w, *in_chunks(rows))
    for ours, theirs in zip(leaves(actual), leaves(expected), strict=True):
        assert type(ours) is type(theirs)
        assert_allclose(ours, theirs, rtol=1e-12)


def test_derivatives_by_dask_arrays_are_dask_arrays(rows: Any) -> None:
    X, y = in_chunks(rows)
    w = np.array([0.3, -0.2, 0.1, 0.4])
    with computing(0):
        by_data = grad(logistic, argnums=1)(w, X, y)
    assert isinstance(by_data, da.Array)
    assert_allclose(by_data.compute(), grad(logistic, argnums=1)(w, *rows), rtol=1e-12)


def test_scipy_fits_as_in_memory(rows: Any) -> None:
    start = np.zeros(4)
    found = [
        minimize(value_and_grad(logistic), start, data, jac=True, method="L-BFGS-B")
        for data in (rows, in_chunks(rows))
    ]
    assert found[0].success
    assert_allclose(found[1].x, found[0].x, rtol=1e-6)
    assert found[1].nfev == found[0].nfev


# --- training, here and on a cluster --------------------------------------------------------------


def train(X_train: Any, y_train: Any, steps: int = 5) -> Any:
    """Run the README's loop; give the losses, the parameters, and the sizes of the plans."""
    model = MLP(3, layers=[(8, Activation.RELU), (1, Activation.SIGMOID)], rng=0)
    losses, sizes = [], []
    for _ in range(steps):
        p = model(X_train)
        loss = -(y_train * p.log() + (1 - y_train) * (1 - p).log()).mean()
        model.flush_grads()
        loss.backward()
        for parameter in model.parameters:
            parameter.data -= 0.1 * parameter.grad
        losses.append(loss.item())
        sizes.append(len(getattr(loss.data, "dask", ())))
    with no_grad():
        right = ((model(X_train) > 0.5) == y_train).mean()
    return [*losses, *(p.data for p in model.parameters), float(right)], sizes


def columns(rows: Any) -> Any:
    X, y = rows
    return X, y[:, None]


def test_training_agrees_with_numpys_in_one_computation_a_step(rows: Any) -> None:
    expected, _ = train(*columns(rows))
    with computing(5 + 1):
        actual, sizes = train(*columns(in_chunks(rows)))
    for ours, theirs in zip(actual, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12)
    assert len(set(sizes)) == 1  # nothing is left over from the steps before


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_training_on_two_processes(client: Client, rows: Any) -> None:
    expected, _ = train(*columns(rows), steps=2)
    X, y = client.persist([da.from_array(x, chunks=(30, -1)) for x in columns(rows)])
    assert len({*client.has_what()}) == 2
    actual, _ = train(X, y, steps=2)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12)


def test_the_example_runs_on_a_cluster_and_leaves_nothing(client: Client, tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / "examples" / "larger_than_memory.py"
    options = {
        "--rows": 300_000,
        "--steps": 2,
        "--folder": tmp_path,
        "--scheduler": client.scheduler.address,
    }
    run = [sys.executable, example, *(str(x) for option in options.items() for x in option)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    apart = re.search(r"250,000 rows, here and in memory: (\S+) apart", done.stdout)
    assert apart, done.stdout
    assert 0 < float(apart[1]) < 1e-4
    assert len(re.findall(r"\d+ MB", done.stdout)) == 2
    assert not list(tmp_path.iterdir())


def dies_once(block: Any, mark: Path) -> Any:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return block
    return os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_dies_in_the_middle_of_a_step(client: Client, rows: Any, tmp_path: Path) -> None:
    assert len(client.nthreads()) == 2
    mark = tmp_path / "died"
    X, y = (da.from_array(x, chunks=(30, -1)) for x in columns(rows))
    mortal = X.map_blocks(dies_once, mark, meta=np.empty((0, 0)))
    expected, _ = train(*columns(rows), steps=1)
    actual, _ = train(mortal, y, steps=1)
    assert mark.exists()
    for ours, theirs in zip(actual, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12)


SCHEDULER_DIES = """
import json, os, subprocess, sys, time
import dask.array as da, numpy as np
from dask.distributed import Client
from tinytorch import Tensor

def die(block, pid):
    os.kill(pid, 9)
    time.sleep(60)

command = [sys.executable, "-m", "distributed.cli.dask_{}", "--no-dashboard"]
with open(os.devnull, "w") as null:
    start = lambda name, *rest: subprocess.Popen(
        [part.format(name) for part in command] + list(rest), stderr=null
    )
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", "s")
    worker = start("worker", "--no-nanny", "--nthreads", "1", "--scheduler-file", "s")
try:
    while not os.path.exists("s"):
        time.sleep(0.1)
    with Client(scheduler_file="s", timeout=20) as client:
        X = da.ones((4, 2), chunks=2).map_blocks(die, scheduler.pid, meta=np.empty((0, 0)))
        w = Tensor(np.ones(2))
        w.grad = np.array([5.0, 6.0])
        try:
            ((X @ w) ** 2).mean().backward()
        except Exception as error:
            print(type(error).__name__, "lost" in str(error), w.data, w.grad)
finally:
    worker.kill()
    scheduler.kill()
    worker.wait()
    scheduler.wait()
"""


def test_the_scheduler_dies_in_the_middle_of_a_step(tmp_path: Path) -> None:
    run = [sys.executable, "-c", SCHEDULER_DIES]
    done = subprocess.run(
        run, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "FutureCancelledError True [1. 1.] [5. 6.]", done.stderr


# --- without Dask ---------------------------------------------------------------------------------


def test_dask_is_not_imported_before_an_array_of_it_has_come_in() -> None:
    code = """
import sys
import numpy as np
from tinytorch import Tensor, hessian

x = Tensor(np.ones(3))
y = (x.softmax() @ np.ones(3))[None].sum()
y.backward()
print(x.grad, y.item(), hessian(lambda x: (x**3).sum())(np.ones(2)), repr(y))
print("dask" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_gradients_are_laid_out_as_their_data() -> None:
    x = Tensor(da.ones((6, 4), chunks=(2, 4)))
    for z in (x.sum(), x.mean(axis=0).sum(), (x * 2).sum()):
        x.grad = None
        z.backward()
        assert x.grad.chunks == x.data.chunks


DASKS_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda X, w: da.sum(X @ w),
    "stack": lambda X, w: da.stack([X @ w, X @ w]),
    "concatenate": lambda X, w: da.concatenate([w, w]),
    "method dot": lambda X, w: X.dot(w),
    "tensordot": lambda X, w: da.tensordot(X, w, axes=1),
    "matmul": lambda X, w: da.matmul(X, w),  # noqa: PLW0108
    "einsum": lambda X, w: da.einsum("ij,j", X, w),
    "where": lambda X, w: da.where(X[:, 0] > 0, w[0], 1),
    "asarray": lambda X, w: da.asarray(w),
    "from_array": lambda X, w: da.from_array(w, name=False),
}


@pytest.mark.parametrize("name", DASKS_FUNCTIONS)
def test_functions_of_dask_itself_take_no_tensors(name: str) -> None:
    x = da.ones((3, 2), chunks=(2, 2))
    with pytest.raises(TypeError, match=r"Dask's functions .* np\.sum\(x\), plan on Dask arrays"):
        DASKS_FUNCTIONS[name](x, Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="Dask's functions"):
        grad(lambda w: DASKS_FUNCTIONS[name](x, w))(np.ones(2))
    assert_allclose(grad(lambda w: np.dot(x, w).sum() + np.exp(w).sum())(np.zeros(2)), [4, 4])


def test_a_freed_plan_says_so_as_a_freed_graph_does() -> None:
    W = Tensor(np.ones((3, 2)))
    z = (da.ones((4, 3), chunks=2) @ W).tanh().sum()
    z.backward(retain_graph=False)
    assert_allclose(W.grad, 4 * (1 - np.tanh(3) ** 2) * np.ones((3, 2)))
    with pytest.raises(RuntimeError, match="freed by an earlier pass with retain_graph=False"):
        z.backward()
