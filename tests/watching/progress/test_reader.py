"""The thread behind the bar: when it looks, what it has shown, and that it does no harm."""

from __future__ import annotations

import io
import logging
import os
import pty
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from scoopmpi.watching.progress import choice
from scoopmpi.watching.progress.choice import Choice
from scoopmpi.watching.progress.display import Display, Log
from scoopmpi.watching.progress.reader import Progress
from scoopmpi.watching.progress.row import Row
from scoopmpi.watching.tally import Tally
from tests.support.screens import ScreenAt


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Told:
    """Tally and reader, told of one event after the other; turns are taken by hand."""

    def __init__(self, after: float | None = 2.0) -> None:
        self.clock, self.text = Clock(), b""
        self.tally = Tally(self.clock)
        self.progress = Progress(self.tally, self._log, after, self.clock)
        self.progress._wake = lambda: None  # type: ignore[method-assign] # no thread
        self.tally.worker_joined(1, "n", 1)

    def _log(self, stay: Callable[[], Sequence[Row]]) -> Display:
        return Log(stay, self._write)

    def _write(self, data: bytes) -> None:
        self.text += data

    def begins(self, job: int = 1, size: int | None = 100) -> None:
        for reader in (self.tally, self.progress):
            reader.job_begun(job, "map", "simulate", size, None)

    def runs(self, start: int, tasks: int, seconds: float, job: int = 1) -> None:
        self.tally.tasks_assigned(job, 1, start, tasks, 1)
        self.clock.now += seconds
        self.tally.tasks_finished(job, 1, start, tasks, 0, seconds, None)

    @property
    def lines(self) -> list[str]:
        return self.text.decode().splitlines()


def test_a_log_has_a_line_soon_then_one_a_minute_and_a_last_one() -> None:
    told = Told()
    assert told.progress.turn() is None
    told.begins()
    assert told.progress.turn() == 2.0
    for second in range(99):
        told.runs(second, 1, 2.0)
        assert told.progress.turn() is not None
    assert [line.split(",")[0] for line in told.lines] == [
        f"scoopmpi: simulate: {done} of 100 done" for done in (1, 31, 61, 91)
    ]
    told.runs(99, 1, 2.0)
    told.tally.job_ended(1)
    told.progress.job_ended(1)
    told.progress.turn()
    assert told.lines[4:] == ["scoopmpi: simulate: 100 of 100 done in 3 min 20 s, 30/min"]
    told.clock.now += 5
    assert told.progress.turn() is None
    told.progress.end()
    assert len(told.lines) == 5


def test_what_nobody_asked_for_is_told_after_a_minute() -> None:
    told = Told(after=60.0)
    told.begins()
    for second in range(59):
        told.runs(second, 1, 1.0)
        told.progress.turn()
    assert told.lines == []
    told.runs(59, 1, 1.0)
    told.progress.turn()
    assert len(told.lines) == 1


def test_the_last_state_stays_when_the_program_ends() -> None:
    told = Told()
    told.begins()
    told.runs(0, 40, 5.0)
    told.progress.turn()
    told.progress.end()
    told.progress.end()
    assert told.lines[1:] == ["scoopmpi: simulate: 40 of 100 done in 5.0 s, 8/s"]
    told.progress.turn()
    told.progress.farm_closed(0)
    assert len(told.lines) == 2


def test_a_display_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    told.progress._make = lambda stay: 1 // 0  # type: ignore[assignment, return-value]
    told.begins()
    told.runs(0, 40, 5.0)
    with caplog.at_level(logging.WARNING, "scoopmpi"):
        assert told.progress.turn() is None
        assert told.progress.turn() is None
    assert [record.message for record in caplog.records] == [
        "watching: how far jobs are is not shown any more, the run goes on: "
        "ZeroDivisionError: integer division or modulo by zero"
    ]


def test_its_thread_sleeps_while_there_is_nothing_to_show() -> None:
    tally = Tally()
    shown: list[bytes] = []
    progress = Progress(tally, lambda stay: Log(stay, shown.append), 0.3)
    assert progress._thread is None
    for reader in (tally, progress):
        reader.job_begun(1, "map", "f", 10, None)
    deadline = time.monotonic() + 20
    while not shown and time.monotonic() < deadline:
        time.sleep(0.01)
    assert b"f: 0 of 10 done" in shown[0]
    for reader in (tally, progress):
        reader.job_ended(1)
    while (progress._thread is None or not progress._thread._asleep) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.01)
    assert progress._thread is not None and progress._thread._asleep
    progress.farm_closed(0)
    assert not progress._thread._thread.is_alive()


# Who sees what.


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    ours, theirs = pty.openpty()
    monkeypatch.setattr(choice, "_stderr", lambda: theirs)
    yield theirs
    os.close(ours)
    os.close(theirs)


XTERM = {"TERM": "xterm"}
BATCH = {"SLURM_JOB_ID": "17"}


def after(asked: bool | None, env: dict[str, str], quiet: bool = False) -> float | None:
    """Seconds after which jobs are shown; None for never."""
    found = Choice(asked, dict(env), quiet)
    if not found.readers():
        return None
    assert found.progress is not None
    return found.progress._overview._after


def test_on_a_terminal(terminal: int) -> None:
    assert after(None, XTERM) == after(True, XTERM) == after(None, {}) == 2.0
    assert after(False, XTERM) is None
    assert after(None, XTERM, quiet=True) is None and after(True, XTERM, quiet=True) == 2.0
    assert after(None, {"TERM": "dumb"}) == 60.0 and after(True, {"TERM": "dumb"}) == 2.0
    display = Choice(None, {"TERM": "dumb"})._display(lambda: ())
    assert isinstance(display, Log)
    assert choice.draws(None, False, XTERM) and not choice.draws(None, False, {"TERM": "dumb"})


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w") as file:
        monkeypatch.setattr(choice, "_stderr", file.fileno)
        assert after(None, XTERM) is None and after(True, XTERM) == 2.0
        assert after(None, BATCH) == 60.0 and after(False, BATCH) is None
        assert after(None, {"JOB_ID": "3"}) is None  # anybody's
        assert after(None, {"JOB_ID": "3", "SGE_ROOT": "/opt/sge"}) == 60.0
        assert after(None, {"PBS_JOBID": "3.n"}) == after(None, {"LSB_JOBID": "3"}) == 60.0
        env = {**XTERM, "SCOOPMPI_TERMINAL": "bar"}
        assert Choice(None, env).readers() and "SCOOPMPI_TERMINAL" not in env
        assert not choice.draws(None, False, XTERM)


def test_without_a_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert Choice(True, dict(BATCH)).readers() == ()
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert Choice(True, dict(BATCH)).readers() == ()


def test_what_a_program_asks_for_is_shown_once(terminal: int) -> None:
    chosen = Choice(None, {"TERM": "xterm"})
    assert chosen.readers() and chosen.readers_for_some() == ()
    silent = Choice(None, {"TERM": "xterm"}, quiet=True)
    assert silent.readers() == () and len(silent.readers_for_some()) == 2
    assert silent.readers_for_some() == ()
    assert Choice(False, {"TERM": "xterm"}).readers_for_some() == ()


def test_two_threads_ask_for_the_first_time_and_all_is_shown_once(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Choice(None, {"TERM": "xterm"}, quiet=True)
    found: list[Any] = []
    other = threading.Thread(target=lambda: found.extend(chosen.readers_for_some()))
    made = Choice._made

    def begun(self: Choice, after: float | None) -> Any:
        if not other.ident:  # the second thread comes while the first one makes them
            other.start()
            other.join(0.2)
        return made(self, after)

    monkeypatch.setattr(Choice, "_made", begun)
    found.extend(chosen.readers_for_some())
    other.join(20)
    assert len(found) == 2


def test_columns_are_what_the_user_says_where_there_are_so_many() -> None:
    from scoopmpi.output.outlet import Outlet
    from scoopmpi.watching.progress.display import Bar

    screen = ScreenAt(70, 20)
    for columns, width in ({"50": 50, "200": 70, "": 70, "many": 70}).items():
        outlet = Outlet()
        outlet.takes(screen.fd)
        bar = Bar(screen.fd, outlet, lambda: (), {"TERM": "xterm", "COLUMNS": columns})
        bar.show([Row("x" * 300, 1, 2)])
        assert len(screen.look()[-1]) == width - 1
        assert bar.most == 6
        bar.leave()
    screen.close()
