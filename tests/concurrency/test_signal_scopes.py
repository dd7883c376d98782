"""What a signal raises waits while the main thread is in a scope, or holds a farm's lock."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NoReturn

import pytest

from scoopmpi.concurrency.signal_handlers import guard
from scoopmpi.concurrency.signal_lock import SignalLock
from scoopmpi.concurrency.signal_scopes import calling, came_of_signal, scopes, uninterrupted


class Late(Exception):
    """What a handler of a program's raises."""


def raises(error: BaseException) -> Callable[[int, Any], NoReturn]:
    def handler(number: int, frame: object) -> NoReturn:
        raise error

    return handler


def comes(handler: Callable[[int, Any], object]) -> None:
    """Have a signal come here, where the scopes are, as to code of ours."""
    scopes.call(handler, signal.SIGUSR1, None)


def waiting() -> list[Any]:
    return [scopes.locked, scopes.depth, scopes.calling, len(scopes.late), len(scopes.kept)]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Any:
    guard()
    assert waiting() == [0] * 5
    yield
    assert waiting() == [0] * 5


@pytest.mark.parametrize("scope", ["lock", "uninterrupted"])
def test_an_interruption_is_raised_when_the_outermost_scope_ends(scope: str) -> None:
    inner: AbstractContextManager[None] = SignalLock() if scope == "lock" else uninterrupted
    ended = []
    with pytest.raises(KeyboardInterrupt), uninterrupted:
        with inner:
            scopes.interrupt(KeyboardInterrupt())
            ended.append("inner")
        ended.append("outer")
    assert ended == ["inner", "outer"]
    with inner, uninterrupted:
        pass  # what was kept was raised, once
    with pytest.raises(KeyboardInterrupt):
        scopes.interrupt(KeyboardInterrupt())  # nobody is inside


def test_callbacks_that_wait_get_the_interruption_each() -> None:
    scopes.raise_in_callback()  # nothing is kept
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught, calling:
        scopes.interrupt(error)
        with calling:
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    scopes.raise_in_callback()
            with SignalLock():
                scopes.raise_in_callback()  # in the middle of our own bookkeeping
            with uninterrupted:
                scopes.raise_in_callback()
    assert caught.value is error
    with calling:
        scopes.raise_in_callback()


def test_a_second_interruption_waits_for_locks_only() -> None:
    """The first may wait for a callback that never ends; a lock would stay held for ever."""
    after = []
    with pytest.raises(SystemExit, match="3"), uninterrupted:
        scopes.interrupt(SystemExit(3))
        with pytest.raises(SystemExit, match="4"), SignalLock():
            scopes.interrupt(SystemExit(4))
            after.append("in the lock")
        with pytest.raises(SystemExit, match="5"):
            scopes.interrupt(SystemExit(5))
    assert after == ["in the lock"]


def test_other_threads_keep_no_signal_waiting() -> None:
    inside, over = threading.Event(), threading.Event()

    def holds() -> None:
        with SignalLock(), uninterrupted, calling:
            inside.set()
            over.wait(20)

    other = threading.Thread(target=holds)
    other.start()
    try:
        assert inside.wait(20)
        with pytest.raises(KeyboardInterrupt):
            scopes.interrupt(KeyboardInterrupt())
    finally:
        over.set()
        other.join(20)


def test_a_handler_waits_for_locks_and_what_it_raises_for_scopes() -> None:
    called = []

    def handler(number: int, frame: object) -> None:
        called.append(scopes.locked)
        raise Late

    with pytest.raises(Late), uninterrupted:
        with SignalLock():
            with SignalLock():
                comes(handler)
            assert not called  # it may want the lock that is still held
        assert called == [0]
        comes(lambda *_: called.append("at once"))
        assert called == [0, "at once"]
    with pytest.raises(Late):
        comes(handler)


def test_of_several_errors_none_is_lost() -> None:
    """The first is the context of the second, as where two handlers raise one after the other."""
    first, second, third = Late(1), Late(2), Late(3)
    with pytest.raises(Late) as caught, uninterrupted:
        with SignalLock():
            comes(raises(first))
        comes(raises(second))
        comes(raises(third))
    found, each = [], caught.value
    while each is not None:
        found.append(each)
        each = each.__context__
    assert found == [third, second, first]
    with pytest.raises(Late) as caught, SignalLock():
        comes(raises(first))
        comes(raises(third))
    assert caught.value is third


def test_a_handler_waits_for_those_before_it_where_a_lock_has_just_been_left() -> None:
    called: list[int] = []
    scopes.late.append(lambda: called.append(1))  # what comes behind the last lock left it there
    with pytest.raises(Late):
        comes(raises(Late()))
    assert called == [1]
    scopes.late.append(lambda: called.append(2))
    with pytest.raises(KeyboardInterrupt):
        scopes.interrupt(KeyboardInterrupt())
    assert called == [1, 2]


def test_what_may_block_in_a_scope_keeps_no_signal_waiting() -> None:
    ended: list[str] = []

    def blocks() -> None:
        comes(raises(Late("blocked")))
        ended.append("unblocked")

    with pytest.raises(Late, match="behind"), uninterrupted:
        with pytest.raises(Late, match="blocked"):
            scopes.interruptible(blocks)
        comes(raises(Late("behind")))  # a scope again
        ended.append("scope")
    assert ended == ["scope"]
    with pytest.raises(Late, match="before"), uninterrupted:
        comes(raises(Late("before")))
        scopes.interruptible(partial(ended.append, "called"))
    with pytest.raises(Late, match="outer"), uninterrupted:
        comes(raises(Late("outer")))
        with uninterrupted:
            scopes.interruptible(partial(ended.append, "inner"))  # it is still in one
        assert ended == ["scope", "inner"]
    other = threading.Thread(target=scopes.interruptible, args=(partial(ended.append, "other"),))
    other.start()
    other.join(20)
    assert ended == ["scope", "inner", "other"]


def test_deaf_blocks_end_whatever_handlers_raise() -> None:
    called = []
    with scopes.deaf():
        comes(lambda *_: called.append(1))
        comes(raises(SystemExit(1)))
        with SignalLock():
            comes(raises(Late()))
        with calling:
            scopes.raise_in_callback()
    assert called == [1]


def test_a_callback_that_waits_gets_what_a_handler_raises_once() -> None:
    """It may be its own alarm, which it catches."""
    with calling:
        comes(raises(Late()))
        with pytest.raises(Late):
            scopes.raise_in_callback()
        scopes.raise_in_callback()


def test_what_a_handler_raises_is_known_by_its_traceback() -> None:
    def caught(act: Callable[[], object]) -> BaseException:
        with pytest.raises(BaseException) as info:
            act()
        return info.value

    def kept() -> None:
        with SignalLock():
            comes(raises(Late()))

    def of_ours() -> None:
        with uninterrupted:
            scopes.interrupt(KeyboardInterrupt())
            scopes.interrupt(SystemExit())

    for act in (partial(comes, raises(Late())), kept, of_ours):
        assert came_of_signal(caught(act)), act
    assert not came_of_signal(caught(lambda: [][0])) and not came_of_signal(Late())


def test_a_signal_may_come_anywhere_in_a_scope_s_own_code() -> None:
    """At each line of it in turn, by a trace function in the place of the kernel."""
    lock = SignalLock()
    ours = {SignalLock.__module__, type(scopes).__module__}

    def once(at: int) -> int:
        """Enter and leave all kinds with a signal at a line; return how many lines there are."""
        seen = 0

        def trace(frame: Any, event: str, arg: object) -> Any:
            nonlocal seen
            if frame.f_globals["__name__"] not in ours:
                return None
            if event == "line":
                seen += 1
                if seen == at:
                    sys.settrace(None)
                    if scopes.locked or scopes.depth:
                        comes(raises(Late()))
                    else:
                        raise Late
            return trace

        sys.settrace(trace)
        try:
            with uninterrupted, lock:
                pass
            with lock, calling:
                pass
        except Late:
            pass
        finally:
            sys.settrace(None)
        assert not lock._lock.locked() and waiting() == [0] * 5, at
        return seen

    most = once(0)
    assert most > 20
    for line in range(1, most + 1):
        once(line)
