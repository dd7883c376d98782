"""Signals wait while the main thread is in the lock, or in a scope without it."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

import pytest

from scoopmpi.concurrency.signal_lock import SignalLock


@pytest.mark.parametrize("scope", ["lock", "uninterrupted"])
def test_an_interruption_is_raised_when_the_outermost_scope_ends(scope: str) -> None:
    lock = SignalLock()
    outer: AbstractContextManager[None] = lock.uninterrupted
    ended = []
    with pytest.raises(KeyboardInterrupt), outer:
        with lock if scope == "lock" else lock.uninterrupted:
            lock.interrupt(KeyboardInterrupt())
            ended.append("inner")
        ended.append("outer")
    assert ended == ["inner", "outer"]
    with lock, lock.uninterrupted:
        pass  # what was kept was raised, once
    with pytest.raises(KeyboardInterrupt):
        lock.interrupt(KeyboardInterrupt())  # nobody is inside


def test_callbacks_that_wait_get_the_interruption_each() -> None:
    lock = SignalLock()
    lock.raise_in_callback()  # nothing is kept
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught, lock.calling:
        lock.interrupt(error)
        with lock.calling:
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    lock.raise_in_callback()
            with lock:
                lock.raise_in_callback()  # in the middle of our own bookkeeping
    assert caught.value is error and lock.kept is None
    with lock.calling:
        lock.raise_in_callback()


def test_a_second_interruption_does_not_wait() -> None:
    lock = SignalLock()
    with pytest.raises(SystemExit, match="3"), lock.uninterrupted:
        lock.interrupt(SystemExit(3))
        with pytest.raises(SystemExit, match="4"):
            lock.interrupt(SystemExit(4))


def test_other_threads_keep_no_signal_waiting() -> None:
    lock, inside, over = SignalLock(), threading.Event(), threading.Event()

    def holds() -> None:
        with lock.uninterrupted:
            inside.set()
            over.wait(20)

    other = threading.Thread(target=holds)
    other.start()
    try:
        assert inside.wait(20)
        with pytest.raises(KeyboardInterrupt):
            lock.interrupt(KeyboardInterrupt())
    finally:
        over.set()
        other.join(20)
