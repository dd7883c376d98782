"""The log of a sweep on a real disk: runs behind runs, torn lines, full disks, two at once."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scoopmpi.process import file_locks
from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.log import about, line_file, lines, sweep_log
from scoopmpi.sweep.log.known import State
from scoopmpi.sweep.log.sweep_log import LogProblem, SweepLog
from scoopmpi.watching import grown_file

from .ends import OLD, WHEN, end

pytestmark = pytest.mark.timeout(60)
WORDS = {"words": ["--data", "t.csv", "./x"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_locks, "FILE_FREE_SECONDS", 0.2)


def state(log: SweepLog, number: int) -> State:
    return log.known.state(Item(number, (), OLD))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_goes_on_from_another(path: Path) -> None:
    log = SweepLog(str(path), WORDS)
    log.items(3)
    log.started(2, 5, WHEN)
    log.ended(end(1))
    log.ended(end(2, status=1))
    assert state(log, 1) is State.NEW and log.close() == 0
    second = SweepLog(str(path), WORDS)
    assert [state(second, number) for number in (1, 2, 3)] == [
        State.DONE, State.FAILED, State.NEW,
    ]  # fmt: skip
    last = second.known.last_run
    assert last is not None and last["words"] == WORDS["words"] and last["directory"] == os.getcwd()
    assert second.known.is_over
    second.ended(end(3))
    assert second.close() == 0
    text = path.read_bytes()
    assert text.count(lines.HEADER) == 2 and text.count(b" started by ") == 3
    assert text.index(b"2 started by 5") < text.index(b"1 started by 3")


def test_what_has_ended_is_there_within_a_second(path: Path) -> None:
    log = SweepLog(str(path), WORDS)
    before = time.monotonic()
    log.ended(end(1))
    until(lambda: b"1 completed" in path.read_bytes())
    assert time.monotonic() - before < 2 * grown_file.GATHER + 1
    log.close()


@pytest.mark.parametrize("torn", [b"7 started b", b"# 7 0123", b"# scoopmpi sw", b"\0\0\0"])
def test_a_torn_line_is_ended_first(path: Path, torn: bytes) -> None:
    log = SweepLog(str(path), WORDS)
    log.ended(end(1))
    log.close()
    before = path.read_bytes() + torn
    path.write_bytes(before)
    log = SweepLog(str(path), WORDS)
    assert state(log, 1) is State.DONE
    log.ended(end(7))
    log.close()
    assert path.read_bytes().startswith(before + b"\n" + lines.HEADER)
    log = SweepLog(str(path), WORDS)
    assert state(log, 7) is State.DONE
    log.close()


def test_a_log_of_which_only_the_beginning_of_its_first_line_was_written(path: Path) -> None:
    path.write_bytes(lines.HEADER[:7])
    log = SweepLog(str(path), WORDS)
    assert len(log.known) == 0 and log.close() == 0


def test_what_is_no_log_is_left_as_it_was(tmp_path: Path) -> None:
    table = tmp_path / "data.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(LogProblem, match=r"data\.csv is not the log .* give another file"):
        SweepLog(str(table), WORDS)
    assert table.read_text() == "a,b\n1,2\n"
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        (tmp_path, "Is a directory"), ("/dev/null", "not a regular file"),
        (tmp_path / "pipe", "not a regular file"), (tmp_path / "no" / "log", "No such file"),
    ):  # fmt: skip
        with pytest.raises(LogProblem, match=why):
            SweepLog(str(name), WORDS)


# A disk that takes nothing.


class Disk:
    """Has room for some bytes more, and says so when it is written to, or only when it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
        self.room, self.late = 1 << 30, late
        self._write, self._fsync = os.write, os.fsync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fsync", self.fsync)

    def write(self, fd: int, data: bytes) -> int:
        size = len(data) if self.late else min(len(data), self.room)
        if not size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= size
        return self._write(fd, data[:size])

    def fsync(self, fd: int) -> None:
        if self.room < 0:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        self._fsync(fd)


@pytest.mark.parametrize("late", [False, True], ids=["write", "fsync"])
def test_a_full_disk_leaves_whole_lines_and_the_rest_comes_later(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, late: bool
) -> None:
    monkeypatch.setattr(grown_file, "GATHER", 0.01)
    log, disk = SweepLog(str(path), WORDS), Disk(monkeypatch, late)
    size = path.stat().st_size
    disk.room = 100
    for number in range(1, 6):
        log.ended(end(number))
    until(lambda: "cannot be written" in caplog.text)
    text = path.read_bytes()
    assert text.endswith(b"\n") and (len(text) == size if late else size < len(text) <= size + 100)
    disk.room = 1 << 30
    until(lambda: b"5 completed" in path.read_bytes())
    assert log.close() == 0 and caplog.text.count("cannot be written") == 1
    assert path.read_bytes().count(b"completed") == 5
    log = SweepLog(str(path), WORDS)
    assert all(state(log, number) is State.DONE for number in range(1, 6))
    assert not log.known.strange
    log.close()


def test_what_could_not_be_written_is_told_at_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(line_file, "MOST", 1000)
    log, disk = SweepLog(str(path), WORDS), Disk(monkeypatch, late=False)
    disk.room = 0
    for number in range(1, 21):
        log.ended(end(number))
    assert log.close() == 61 and "61 lines are missing at its end" in caplog.text


def test_what_a_disk_hangs_on_is_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = SweepLog(str(path), WORDS)
    begun, goes_on, write = threading.Event(), threading.Event(), os.write

    def hangs(fd: int, data: bytes) -> int:
        begun.set()
        assert goes_on.wait(20)
        return write(fd, data)

    monkeypatch.setattr(grown_file, "DISK_SECONDS", 0.05)
    monkeypatch.setattr(os, "write", hangs)
    log.ended(end(1))
    assert begun.wait(20)
    assert log.close() == 4 and "4 lines are missing at its end" in caplog.text
    goes_on.set()


def test_a_log_that_is_removed_meanwhile_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = SweepLog(str(path), WORDS)
    moved = path.rename(path.with_name("moved"))
    assert log.close() == 0 and not caplog.text
    log = SweepLog(str(moved), WORDS)
    moved.unlink()
    log.ended(end(1))
    assert log.close() == 1 and "was removed while the sweep ran" in caplog.text
    log = SweepLog(str(path), WORDS)
    assert state(log, 1) is State.NEW
    log.close()


def test_a_disk_that_is_full_at_the_start_is_a_refusal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, late=False)
    disk.room = 20
    with pytest.raises(LogProblem, match=r"cannot be written: No space left .* make room there"):
        SweepLog(str(path), WORDS)
    assert path.read_bytes() == b""


def test_a_file_system_that_cannot_be_asked_is_written_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SweepLog(str(path), WORDS)

    def unable(fd: int) -> None:
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "fsync", unable)
    log.ended(end(1))
    assert log.close() == 0 and b"1 completed" in path.read_bytes()


# Two at once.


def test_a_second_run_is_refused_while_the_first_writes(path: Path) -> None:
    log = SweepLog(str(path), WORDS)
    with pytest.raises(LogProblem, match=rf"another run \(process {os.getpid()} on .* wait for"):
        SweepLog(str(path), WORDS)
    log.close()
    SweepLog(str(path), WORDS).close()


def _begun(path: Path, **more: object) -> None:
    """A log of a run that has not said that it has ended."""
    path.write_bytes(lines.run({**about.of_this_run(WORDS), **more}))


def test_without_locks_the_log_says_who_writes_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    SweepLog(str(path), WORDS).close()
    SweepLog(str(path), WORDS).close()
    assert not caplog.text
    _begun(path)
    with pytest.raises(LogProblem, match="is using it"):
        SweepLog(str(path), WORDS)
    for more in ({"pid": 2**22 + 1}, {"born": 1}):  # gone, or its number is another's now
        _begun(path, **more)
        SweepLog(str(path), WORDS).close()
    assert not caplog.text
    _begun(path, domain="elsewhere", host="node7")
    SweepLog(str(path), WORDS).close()
    assert "on node7, has not said that it has ended" in caplog.text


WRITER = """
import sys, time
from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.log.sweep_log import SweepLog
log = SweepLog(sys.argv[1], {"words": []})
for number in range(1, 10**9):
    log.ended(Ended(number, b"old row!", 3, "node1", 0, time.time(), 0.001))
    if number == 5000:
        print("5000", flush=True)
        time.sleep(1.1)
    if number % 50 == 0:
        time.sleep(0.001)
"""


@pytest.mark.ranks
def test_a_rank_0_that_is_killed_loses_the_last_half_second_at_most(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"5000\n"
        time.sleep(1.3)
        with pytest.raises(LogProblem, match=f"process {writer.pid} on"):
            SweepLog(str(path), WORDS)
        writer.kill()
        writer.wait(20)
    log = SweepLog(str(path), WORDS)
    assert all(state(log, number) is State.DONE for number in range(1, 5001))
    ends = len(log.known)
    assert all(state(log, number) is State.DONE for number in range(5001, ends + 1))
    assert state(log, ends + 1) is State.NEW and not log.known.is_over
    log.close()


def test_the_message_of_what_cannot_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()

    def broken(fd: int, size: int, place: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(sweep_log.os, "pread", broken)
    with pytest.raises(LogProblem, match="cannot be read: Input/output error; give another file"):
        SweepLog(str(path), WORDS)
