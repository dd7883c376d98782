"""A program sees its own handlers, and they are called where that does no harm."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from signal import getsignal as getsignal_imported_before
from signal import signal as signal_imported_before
from typing import Any, NoReturn

import pytest

from scoopmpi.concurrency.periods import AGAIN_SECONDS
from scoopmpi.concurrency.signal_handlers import ProgramHandler, guard, set_own
from scoopmpi.concurrency.signal_lock import SignalLock
from scoopmpi.concurrency.signal_scopes import scopes, uninterrupted
from scoopmpi.executors.handed_in import HandedIn
from scoopmpi.executors.map_values import MapValues
from scoopmpi.process.status import print_traceback
from scoopmpi.tasks.serial import SerialExecutor


class Late(Exception):
    """What a handler of a program's raises."""


def late(number: int, frame: Any) -> NoReturn:
    raise Late


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    guard()
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("sets", [signal.signal, signal_imported_before])
@pytest.mark.parametrize("gets", [signal.getsignal, getsignal_imported_before])
def test_a_program_sees_its_own_handlers(sets: Any, gets: Any) -> None:
    usual = sets(signal.SIGUSR1, late)
    assert gets(signal.SIGUSR1) is late
    assert sets(signal.SIGUSR1, signal.SIG_IGN) is late
    assert gets(signal.SIGUSR1) is signal.SIG_IGN
    assert sets(signal.SIGUSR1, usual) is signal.SIG_IGN
    with pytest.raises(TypeError):
        sets(signal.SIGUSR1, "no handler")


def test_handlers_of_before_wait_too() -> None:
    """Ctrl-C has one of Python's from the start."""
    guard()  # a second time changes nothing
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt), uninterrupted:
        signal.raise_signal(signal.SIGINT)
        after = "the signal"
    assert after == "the signal"


def test_it_is_called_with_what_python_gives_it() -> None:
    got = []
    signal.signal(signal.SIGUSR1, lambda *given: got.append(given))
    with SignalLock():
        signal.raise_signal(signal.SIGUSR1)
        assert not got
    signal.raise_signal(signal.SIGUSR1)
    assert [number for number, _ in got] == [signal.SIGUSR1] * 2
    for _, frame in got:
        while frame.f_globals["__name__"] != __name__:
            frame = frame.f_back
        assert frame.f_code.co_name == "test_it_is_called_with_what_python_gives_it"


def test_handlers_of_ours_are_called_at_once() -> None:
    got = []
    set_own(signal.SIGUSR1, lambda *_: got.append(scopes.locked))
    with SignalLock():
        signal.raise_signal(signal.SIGUSR1)
        assert got == [1]


@pytest.mark.parametrize("sets", [signal.signal, set_own], ids=["program's", "own"])
def test_in_a_finalizer_of_ours_it_comes_a_moment_later(sets: Any) -> None:
    """Python would print what it raises there, and go on."""
    values = MapValues(RingsAtItsEnd(), HandedIn(SerialExecutor()), None)  # type: ignore[arg-type]
    values.wait(0)
    sets(signal.SIGUSR1, late)
    with pytest.raises(Late):
        del values
        time.sleep(20)


def test_it_does_not_come_again_where_the_program_has_taken_it_back() -> None:
    values = MapValues(RingsAtItsEnd(), HandedIn(SerialExecutor()), None)  # type: ignore[arg-type]
    values.wait(0)
    before = signal.signal(signal.SIGUSR1, late)
    del values
    signal.signal(signal.SIGUSR1, before)  # which would end the process
    time.sleep(20 * AGAIN_SECONDS)


class RingsAtItsEnd:
    """The results of a map, at whose end a signal comes."""

    def wait(self, timeout: float | None) -> bool:
        return True

    def close(self) -> None:
        signal.raise_signal(signal.SIGUSR1)


@pytest.mark.parametrize("own", [False, True])
def test_a_forked_child_waits_for_nothing(own: bool) -> None:
    """It may go on from the middle of a scope, and has no farm; with handlers of its own too."""
    signal.signal(signal.SIGUSR1, late)
    with uninterrupted:
        if (pid := os.fork()) == 0:
            status = 1
            if own:
                signal.signal(signal.SIGUSR1, late)
            with suppress(Late):
                signal.raise_signal(signal.SIGUSR1)
                status = 2
            os._exit(0 if status == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_traceback_shows_no_handler_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    signal.signal(signal.SIGUSR1, late)
    try:
        try:
            signal.raise_signal(signal.SIGUSR1)
        except Late:
            signal.raise_signal(signal.SIGUSR1)
    except Late:
        print_traceback()
    shown = capsys.readouterr().err
    assert shown.count("in late") == 2 and ProgramHandler.__call__.__name__ not in shown


def test_alarms_at_any_time_leave_no_lock_held() -> None:
    """Real ones, raising, each at another place of a lock that is taken again and again.

    Of processor time: the other timer is that of the test's own limit.
    """
    before = signal.signal(signal.SIGVTALRM, late)
    lock, came, end = SignalLock(), 0, time.monotonic() + 60
    try:
        while came < 100 and time.monotonic() < end:
            signal.setitimer(signal.ITIMER_VIRTUAL, 2e-4 + came % 7 * 1e-5)
            try:
                while time.monotonic() < end:
                    with lock:
                        pass
                    with uninterrupted, lock:
                        pass
            except Late:
                came += 1
            assert not lock._lock.locked()
            assert (scopes.locked, scopes.depth) == (0, 0) and not (scopes.late or scopes.kept)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert came == 100
