"""The way back: by hand, watched, interrupted, and from several threads."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinytorch
from tinytorch import Operation, Tensor, autograd, no_grad, operation
from tinytorch import grad as derive
from tinytorch.atomic import lock, set_grads
from tinytorch.engine import accumulate, topological_order, watcher


def program() -> tuple[list[Tensor], Tensor]:
    rng = np.random.default_rng(0)
    x, w, b = (Tensor(rng.normal(size=shape)) for shape in ((4, 3), (3, 2), (2,)))
    h = np.tanh(x @ w + b)
    z = (h * h[0] + x[:, :1].exp() / 2).sum() + b.sum()
    return [x, w, b], z


def test_steps_by_hand_end_where_backward_ends() -> None:
    leaves, z = program()
    z.grad = 1.0
    for node in reversed(topological_order([z])):
        node._backward()
    expected, again = program()
    again.backward()
    for ours, theirs in zip(leaves, expected, strict=True):
        assert_allclose(ours.grad, theirs.grad, rtol=1e-14)
    for ours, theirs in zip(topological_order([z]), topological_order([again]), strict=True):
        assert_allclose(ours.grad, theirs.grad, rtol=1e-14)


def test_a_watcher_is_told_of_every_share() -> None:
    _, z = program()
    told: list[Any] = []
    token = watcher.set(lambda node, x, share: told.append((node, x, share)))
    try:
        z.backward()
    finally:
        watcher.reset(token)
    edges = [(n, x) for n in topological_order([z]) for x in n._children if isinstance(x, Tensor)]
    assert len(told) == len(edges)
    assert {(id(n), id(x)) for n, x, _ in told} == {(id(n), id(x)) for n, x in edges}
    assert all(hasattr(share, "shape") for _, _, share in told)
    z.backward()
    assert len(told) == len(edges)


# --- all or nothing -------------------------------------------------------------------------------


class Interruption(BaseException):
    pass


def gradients_of(z: Tensor) -> list[Any]:
    return [node._grad for node in topological_order([z])]


def assert_all_or_nothing(z: Tensor, before: list[Any], after: list[Any]) -> bool:
    """Say whether the gradients are those from before; else they must be those of a whole pass."""
    now = gradients_of(z)
    if all(a is b for a, b in zip(now, before, strict=True)):
        return True
    for a, b in zip(now, after, strict=True):
        assert_array_equal(a, b)
    return False


def test_an_error_before_any_line_leaves_all_gradients_or_none() -> None:
    _, z = program()
    z.backward()
    before = gradients_of(z)
    _, twin = program()
    twin.backward()
    twin.backward()
    after = gradients_of(twin)
    n, unchanged = 0, 0
    while True:
        n += 1
        lines = 0

        def trace(frame: Any, event: str, _: Any) -> Any:
            nonlocal lines
            if "tinytorch" not in frame.f_code.co_filename:
                return None
            if event == "line":
                lines += 1
                if lines == n:  # noqa: B023  (called before n changes)
                    raise Interruption
            return trace

        for node, gradient in zip(topological_order([z]), before, strict=True):
            node._grad = gradient
        sys.settrace(trace)
        try:
            z.backward()
        except Interruption:
            if lock._is_owned():  # type: ignore[attr-defined]
                lock.release()  # a signal can't come where the block has just ended
        finally:
            sys.settrace(None)
        if lines < n:
            break
        unchanged += assert_all_or_nothing(z, before, after)
    assert n > 100
    assert unchanged > 100
    assert n - unchanged > 10  # between the gradients' being set it came, too


def test_interrupts_at_random_moments_leave_all_gradients_or_none() -> None:
    def handler(*_: Any) -> None:
        raise Interruption

    x = Tensor(np.ones(3))
    h = x
    for _ in range(50):
        h = h * 1.01 + x
    z = h.sum()
    z.backward()
    step = x.grad.copy()
    before_signal = signal.signal(signal.SIGALRM, handler)
    interrupted = 0
    gc.disable()  # whose callbacks, Hypothesis has one, only print what is raised within
    try:
        for i in range(1000):
            expected = x.grad.copy()
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + i % 400))
                z.backward()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interruption:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            unchanged = np.array_equal(x.grad, expected)
            assert unchanged or np.allclose(x.grad, expected + step, rtol=1e-12)
    finally:
        signal.signal(signal.SIGALRM, before_signal)
        gc.enable()
    assert interrupted > 100
    other = threading.Thread(target=z.backward)  # whom no lock keeps waiting
    other.start()
    other.join(10)
    assert not other.is_alive()


def test_all_gradients_are_set_when_one_is_interrupted() -> None:
    class Interrupted(dict[Tensor, Any]):
        def items(self) -> Any:
            for i, pair in enumerate(super().items()):
                if i == at:
                    raise Interruption
                yield pair

    xs = [Tensor(float(i)) for i in range(3)]
    for at in range(len(xs)):
        grads = [np.array(10.0 * at + i) for i in range(3)]
        with pytest.raises(Interruption):
            set_grads(Interrupted(zip(xs, grads, strict=True)))
        assert all(x._grad is grad for x, grad in zip(xs, grads, strict=True))


def test_memory_that_runs_out_changes_no_gradient() -> None:
    class Full(np.ndarray):
        def __add__(self, other: Any) -> Any:
            raise MemoryError

    x, y = Tensor(np.ones(3)), Tensor(np.ones(3))
    (x * y).sum().backward()
    y._grad = np.ones(3).view(Full)
    before = x._grad
    with pytest.raises(MemoryError):
        (x * y).sum().backward()
    assert x._grad is before


def test_threads_that_share_parameters_lose_no_gradient() -> None:
    w = Tensor(np.zeros(50))
    rounds, workers = 50, 8
    start = threading.Barrier(workers)

    def work() -> None:
        start.wait()
        for _ in range(rounds):
            (w * np.ones(50)).sum().backward()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert_array_equal(w.grad, np.full(50, rounds * workers))


def test_threads_may_transform_and_define_operations_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Operation, "_members", dict(Operation._members))
    expected = np.tanh(np.ones(3)) * (1 - np.tanh(1) ** 2) * 2
    failures: list[Any] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        try:
            start.wait()
            for i in range(20):
                name = f"square_{number}_{i}"
                square = operation(lambda x: x * x, lambda grad, out, x: 2 * x * grad, name=name)
                for _ in range(9):
                    assert name in [str(op) for op in Operation]
                slope = derive(lambda x, f=square: f(np.tanh(x)).sum())(np.ones(3))
                assert_allclose(slope, expected, rtol=1e-14)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failures


# --- changes in place -----------------------------------------------------------------------------


def test_a_parameter_is_updated_in_place_where_nothing_is_recorded() -> None:
    w = Tensor([1.0, 2.0])
    (w * w).sum().backward()
    data, twin = w.data, w
    with no_grad():
        w -= 0.1 * w.grad
        w *= 2
        w += 1.0
        w /= 2
    assert w is twin
    assert w.data is data
    assert_allclose(data, (2 * (np.array([1.0, 2.0]) * 0.8) + 1) / 2)
    assert w.requires_grad


def test_an_update_that_would_be_lost_is_refused() -> None:
    parameters = [Tensor([1.0, 2.0], label="w")]
    (parameters[0] ** 2).sum().backward()
    for p in parameters:
        with pytest.raises(RuntimeError, match=r"tensor 'w' .* x\.data -= y updates a parameter"):
            p -= 0.1 * p.grad  # noqa: PLW2901
    total = Tensor(0.0)
    for _ in range(3):
        total += (parameters[0] * 2).sum()
    assert total.item() == 18


def test_a_gradient_that_another_thread_brings_in_between_is_not_lost() -> None:
    x = Tensor([1.0, 2.0])
    x.grad = np.ones(2)
    other = threading.Thread(target=accumulate, args=({x: np.full(2, 10.0)},))

    class Slow(dict[Any, Any]):
        """Gradients that another thread brings more to after they were added up."""

        def items(self) -> Any:
            yield from super().items()
            other.start()
            other.join(0.05)

    accumulate(Slow({x: np.array([2.0, 3.0])}))
    other.join()
    assert_array_equal(x.grad, [13.0, 14.0])


def test_leaves_have_gradients_of_their_own() -> None:
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    z = x + y  # which hands on to both what it gets
    z.backward()
    x.grad[0] = 7
    assert_array_equal(y.grad, [1.0, 1.0])
    assert_array_equal(z.grad, [1.0, 1.0])


def freed(x: Tensor) -> Tensor:
    y = x * x
    y.sum().backward(retain_graph=False)
    return y


FREED = "was freed by an earlier pass with retain_graph"


@pytest.mark.parametrize("of", [freed, tinytorch.compile(lambda x: x * x)])
def test_one_path_that_is_forgotten_loses_no_gradient_in_silence(of: Any) -> None:
    x, w = Tensor([1.0, 2.0]), Tensor([1.0, 10.0])
    _, y = of(x), of(x)  # the first call of what is compiled is the function itself
    message = FREED if of is freed else "comes from a compiled function"
    with pytest.raises(RuntimeError, match=message):
        autograd.grad((x + y).sum(), x)
    with pytest.raises(RuntimeError, match=message):
        autograd.grad((y * w).sum(), [x, w], allow_unused=True)
    later = Tensor([1.0, 10.0])  # than y, and so not behind it
    for z in (y, later):
        assert_array_equal(
            autograd.grad((y * later).sum(), z)[0].data, (later if z is y else y).data
        )
    assert_array_equal(derive(lambda v: (v * y).sum())(np.ones(2)), y.data)


def test_a_transform_sees_what_was_freed_in_it() -> None:
    with pytest.raises(RuntimeError, match=FREED):
        derive(lambda v: (freed(v) + v).sum())(np.ones(2))


def test_a_gradient_made_of_a_freed_graph_is_not_half_differentiated() -> None:
    x = Tensor([1.0, 2.0])
    (slope,) = autograd.grad((x * x * x).sum(), x, create_graph=True, retain_graph=False)
    assert_array_equal(slope.data, [3.0, 12.0])
    with pytest.raises(RuntimeError, match=FREED):
        autograd.grad(slope.sum(), x)


def test_what_no_gradient_went_through_is_not_freed() -> None:
    x = Tensor([1.0, 2.0])
    y = x * x
    autograd.grad((y * y).sum(), y, retain_graph=False)
    y.sum().backward()
    assert_array_equal(x.grad, [2.0, 4.0])


def test_a_freed_graph_has_no_gradients_of_an_earlier_pass() -> None:
    x = Tensor([1.0, 2.0])
    y = x * x
    z = y.sum()
    z.backward()
    z.backward(100.0, retain_graph=False)
    assert_array_equal(x.grad, [202.0, 404.0])
    assert_array_equal(y.grad, [0.0, 0.0])
    assert z.grad == 0


def test_backward_inside_vmap_gives_no_tensor_from_outside_a_batch() -> None:
    w = Tensor([1.0, 2.0], label="w")

    def f(v: Any) -> Any:
        z = (v * w).sum()
        z.backward()
        return z

    with pytest.raises(RuntimeError, match=r"inside vmap: tensor 'w' .*vmap\(grad\(f\)\)"):
        tinytorch.vmap(f)(np.ones((3, 2)))
    assert_array_equal(w.grad, [0.0, 0.0])


def test_backward_inside_vmap_gives_a_tensor_from_inside_its_own() -> None:
    def slope(v: Any) -> Any:
        x = v.detach().requires_grad_()
        (x**3).sum().backward()
        return x.grad

    assert_array_equal(tinytorch.vmap(slope)(np.ones((3, 2))), np.full((3, 2), 3.0))
