"""Whether operations are recorded: blocks, decorators, generators, tasks, and interrupts."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tinytorch import Tensor, enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled

# --- blocks and statements ------------------------------------------------------------------------


@pytest.mark.parametrize("block", [no_grad, no_grad(), set_grad_enabled])
def test_a_block_nests_and_can_be_used_again(block: Any) -> None:
    for _ in range(2):
        made = block(mode=False) if block is set_grad_enabled else block
        with made:
            assert not is_grad_enabled()
            with no_grad(), enable_grad():
                assert is_grad_enabled()
            with made:
                assert not is_grad_enabled()
            assert not is_grad_enabled()
        assert is_grad_enabled()


def test_a_statement_holds_from_here_on() -> None:
    set_grad_enabled(False)
    gc.collect()
    assert not is_grad_enabled()
    assert not (Tensor(1.0) * 2).requires_grad
    set_grad_enabled(True)
    assert is_grad_enabled()


def test_a_block_that_an_error_leaves() -> None:
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert is_grad_enabled()


# --- decorators -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decorate",
    [no_grad, no_grad(), lambda f: set_grad_enabled(mode=False)(f)],  # noqa: PLW0108
    ids="012",
)
def test_a_decorated_function(decorate: Any) -> None:
    @decorate
    def recorded(word: str) -> tuple[str, bool]:
        return word, is_grad_enabled()

    assert recorded("x") == ("x", False)
    assert recorded.__name__ == "recorded"
    assert is_grad_enabled()


def test_a_decorated_generator_leaves_its_consumer_alone() -> None:
    seen = []

    @no_grad()
    def steps() -> Iterator[int]:
        try:
            received = yield 1
            seen.append((received, is_grad_enabled()))
            try:
                yield 2
            except KeyError:
                seen.append(("caught", is_grad_enabled()))
            yield 3
        finally:
            seen.append(("closed", is_grad_enabled()))

    running = steps()
    assert next(running) == 1
    assert is_grad_enabled()
    assert running.send("sent") == 2
    assert running.throw(KeyError) == 3
    assert is_grad_enabled()
    running.close()
    assert seen == [("sent", False), ("caught", False), ("closed", False)]


def test_decorated_coroutines_and_asynchronous_generators() -> None:
    @no_grad()
    async def recorded() -> bool:
        await asyncio.sleep(0)
        return is_grad_enabled()

    @no_grad()
    async def several() -> AsyncIterator[bool]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield is_grad_enabled()

    async def main() -> None:
        assert not await recorded()
        async for inside in several():
            assert not inside
            assert is_grad_enabled()
        assert await asyncio.gather(recorded(), asyncio.sleep(0, is_grad_enabled())) == [
            False,
            True,
        ]

    asyncio.run(main())


def test_tasks_may_leave_a_mode_that_they_share_in_any_order() -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        with no_grad:
            await entered.wait()
            assert not is_grad_enabled()
        assert is_grad_enabled()
        left.set()

    async def second() -> None:
        with no_grad:
            entered.set()
            await left.wait()
            assert not is_grad_enabled()
        assert is_grad_enabled()

    async def main() -> None:
        await asyncio.gather(first(), second())
        assert is_grad_enabled()

    asyncio.run(main())


def test_an_asynchronous_generator_that_is_left_leaves_nothing() -> None:
    async def endless() -> AsyncIterator[int]:
        with no_grad():
            while True:
                yield 1

    async def main() -> None:
        async for _ in endless():
            break
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        assert is_grad_enabled()

    asyncio.run(main())
    assert is_grad_enabled()


# --- threads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["with", "decorator", "generator"])
def test_threads_that_share_a_mode_do_not_disturb_each_other(use: str) -> None:
    @no_grad
    def decorated() -> bool:
        return is_grad_enabled()

    @no_grad
    def generator() -> Iterator[bool]:
        yield is_grad_enabled()

    def enabled_inside() -> bool:
        if use == "with":
            with no_grad:
                return is_grad_enabled()
        return decorated() if use == "decorator" else next(generator())

    def work() -> None:
        wrong.extend(enabled_inside() or not is_grad_enabled() for _ in range(1000))

    wrong: list[bool] = []
    errors: list[Any] = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    hook, threading.excepthook = threading.excepthook, errors.append
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        threading.excepthook = hook
    assert not errors
    assert wrong == [False] * 4000
    assert is_grad_enabled()


# --- interrupts -----------------------------------------------------------------------------------


class Interruption(BaseException):
    pass


def interrupted_at(n: int, work: Any, *files: str) -> bool:
    """Run `work`, and raise an exception before the n-th line that it runs in these files."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.endswith(files):
            return None
        if event == "line":
            lines += 1
            if lines == n:
                raise Interruption
        return trace

    sys.settrace(trace)
    try:
        work()
    except Interruption:
        pass
    finally:
        sys.settrace(None)
    return lines >= n


def test_no_interrupt_makes_a_mode_stick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)

    def work() -> None:
        with no_grad():
            Tensor(1.0) * 2
        grad(lambda x: grad(lambda y: x * y * y)(x))(3.0)

    n = 1
    while interrupted_at(n, work, "grad_mode.py", "transforms/calling.py", "gradients.py"):
        assert is_grad_enabled(), n
        assert grad(lambda x: x * x)(3.0) == 6
        n += 1
    assert n > 50


def test_signals_do_not_make_a_mode_stick(monkeypatch: pytest.MonkeyPatch) -> None:
    # What comes while an object is finalized, Python reports and drops.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)

    def handler(*_: Any) -> None:
        raise Interruption

    before = signal.signal(signal.SIGALRM, handler)
    caught = 0
    try:
        for i in range(100):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (1 + i % 30))
                for _ in range(10_000):
                    with no_grad():
                        pass
            except Interruption:
                caught += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert is_grad_enabled()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught > 60


def test_the_exception_of_a_nested_transform_leaves_no_level() -> None:
    def fails(x: Any) -> Any:
        raise ValueError(x)

    with pytest.raises(ValueError, match="Tensor"):
        grad(lambda x: grad(fails)(x) * x)(2.0)
    assert float(Tensor(2.0)) == 2  # which a transform would refuse
