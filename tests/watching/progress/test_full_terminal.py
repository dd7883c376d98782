"""A terminal that nobody reads takes some 20 kB and then nothing: what we draw waits for nobody."""

from __future__ import annotations

import os
import random
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scoopmpi.concurrency.periods import TERMINAL_SECONDS
from scoopmpi.watching.progress import nonblocking
from scoopmpi.watching.progress.nonblocking import Nonblocking
from tests.support import terminals
from tests.support.libraries import Library
from tests.watching.progress.test_bar import job
from tests.watching.progress.test_below import BAR, Terminal

LONG = 20.0
NEARLY_FULL = 12_000
"""Bytes: they have room (17 kB have, in lines of 99), what a bar of eight rows draws has not."""
SILENT = """
import time
from scoopmpi import futures

def a(x): time.sleep(x)
def b(x): time.sleep(x)
def c(x): time.sleep(x)
def d(x): time.sleep(x)
def e(x): time.sleep(x)
def f(x): time.sleep(x)
def g(x): time.sleep(x)

if __name__ == "__main__":
    maps = [futures.map(function, [0.02] * 60) for function in (a, b, c, d, e, f, g)]
    for values in maps:
        list(values)
    open("ended", "w").close()
"""


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.screen.close()


def stop(fd: int) -> None:
    """Have the terminal take nothing, as Ctrl-S does, until `go_on`."""
    termios.tcflow(fd, termios.TCOOFF)


def go_on(fd: int) -> None:
    termios.tcflow(fd, termios.TCOON)


def within(seconds: float, terminal: Terminal, doing: threading.Thread) -> None:
    """Have a thread do it, and look at the terminal, which frees it, where it takes longer."""
    doing.daemon = True
    doing.start()
    doing.join(seconds)
    late = doing.is_alive()
    while doing.is_alive():
        terminal.screen.look()
        doing.join(0.01)
    assert not late, "it has waited for the terminal"


def test_nothing_is_drawn_where_nothing_is_taken(terminal: Terminal) -> None:
    stop(terminal.screen.fd)
    terminal.below.show(BAR)
    assert terminal.lines == []
    go_on(terminal.screen.fd)
    assert terminal.lines == []
    terminal.below.show(BAR)
    assert terminal.lines == ["", "one 1/2", "all 3/4"]


@pytest.mark.parametrize("seed", range(8))
def test_what_has_begun_ends_once_there_is_room(terminal: Terminal, seed: int) -> None:
    """That there is room says not for how much: a drawing may be taken in part."""
    turn = random.Random(seed)
    lines = [b"%d" % number * turn.randint(1, 39) for number in range(turn.randint(1, 4))]

    def draw() -> None:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            terminal.below.show(lines)

    within(LONG, terminal, threading.Thread(target=draw))
    terminal.screen.look()
    terminal.below.show(BAR)
    terminal.prints("a result\n")
    assert terminal.lines == ["a result", "", "one 1/2", "all 3/4"]
    terminal.below.leave()
    assert terminal.lines == ["a result"] and terminal.outlet.below is None


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_reader_gets_all_of_it_whole(terminal: Terminal, seed: int) -> None:
    turn = random.Random(seed)
    expected = []

    def both() -> None:
        for number in range(600):
            terminal.below.show(BAR * turn.randint(0, 3))
            text = f"{number} " + "x" * turn.randint(0, 30)
            middle = turn.randint(1, len(text))
            terminal.prints(text[:middle])
            terminal.below.show(BAR)
            terminal.prints(text[middle:] + "\n")
            expected.append(text.rstrip())

    doing = threading.Thread(target=both, daemon=True)
    doing.start()
    deadline = time.monotonic() + 3 * LONG
    while doing.is_alive() and time.monotonic() < deadline:
        doing.join(turn.random() * 0.05)
        terminal.screen.look()
    assert not doing.is_alive()
    terminal.screen.look()
    terminal.below.leave()
    assert terminal.lines == expected


def test_the_end_waits_a_moment_and_the_rest_comes_before_what_is_printed(
    terminal: Terminal,
) -> None:
    terminal.below.show(BAR)
    stop(terminal.screen.fd)
    terminal.staying = [b"one 2/2 in 3 s"]
    began = time.monotonic()
    terminal.below.leave()
    assert TERMINAL_SECONDS <= time.monotonic() - began < LONG
    terminal.below.show(())
    go_on(terminal.screen.fd)
    assert terminal.lines == ["", "one 1/2", "all 3/4"]
    terminal.prints("end\n")
    assert terminal.lines == ["one 2/2 in 3 s", "end"]
    terminal.below.leave()
    assert terminal.outlet.below is None and terminal.lines[-1] == "end"


def test_the_end_comes_once_the_reader_goes_on(terminal: Terminal) -> None:
    stop(terminal.screen.fd)
    goes_on = threading.Timer(TERMINAL_SECONDS, go_on, [terminal.screen.fd])
    goes_on.start()
    began = time.monotonic()
    drawing = Nonblocking(terminal.screen.fd)
    drawing.write(b"end", LONG)
    assert drawing.rest == b"" and terminal.lines == ["end"]
    assert time.monotonic() - began < LONG
    goes_on.join()


def test_no_descriptor_is_left(terminal: Terminal) -> None:
    """A program that closes descriptors it has not opened would have the bar in a file of its."""
    for _ in range(3):
        terminal.below.show(BAR)
        assert descriptors(terminal) == 1
        terminal.below.leave()
        stop(terminal.screen.fd)
        terminal.below.show(BAR)
        terminal.below.leave()
        go_on(terminal.screen.fd)
        assert descriptors(terminal) == 1


def descriptors(terminal: Terminal) -> int:
    """How many of ours lead to the terminal."""
    found = 0
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):
            found += os.path.samestat(os.fstat(int(name)), os.fstat(terminal.screen.fd))
    return found


@pytest.mark.parametrize("named", [True, False])
def test_a_terminal_without_a_name_is_drawn_on_all_the_same(
    terminal: Terminal, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container it may have none; of another user it may not be opened."""

    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(nonblocking.os, *("open" if named else "ttyname", refused))
    terminal.below.show(BAR)
    assert terminal.lines == ["", "one 1/2", "all 3/4"]
    if not named:
        stop(terminal.screen.fd)
        drawing = Nonblocking(terminal.screen.fd)
        drawing.write(b"more")
        assert drawing.rest == b"more"


def test_a_terminal_that_is_gone_is_nothing_to_wait_for() -> None:
    ours, theirs = os.openpty()
    began, drawing = time.monotonic(), Nonblocking(theirs)
    drawing.write(b"some")
    stop(theirs)
    drawing.write(b"more")
    assert drawing.rest == b"more"
    os.close(ours)
    drawing.write(b"most", LONG)
    assert drawing.rest == b"" and time.monotonic() - began < LONG
    os.close(theirs)


def test_what_was_begun_is_known_where_ctrl_c_comes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = Nonblocking(terminal.screen.fd)
    stop(terminal.screen.fd)

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nonblocking.select, "select", pressed)
    with pytest.raises(KeyboardInterrupt):
        drawing.write(b"end", LONG)
    monkeypatch.undo()
    go_on(terminal.screen.fd)
    assert drawing.rest == b"end" and descriptors(terminal) == 1
    drawing.write(b"")
    assert terminal.lines == ["end"]


@pytest.mark.ranks
def test_a_run_ends_whose_terminal_nobody_reads(first_library: Library, tmp_path: Path) -> None:
    """As of a program that starts ours on a terminal, and waits for its end."""
    ours, theirs = os.openpty()
    terminals.resize(theirs, 200, 60)
    os.set_blocking(theirs, False)
    for _ in range(NEARLY_FULL // 100):
        with suppress(BlockingIOError):
            os.write(theirs, b"x" * 98 + b"\n")
    os.set_blocking(theirs, True)
    words = job(tmp_path, SILENT, "-n", "2", "--multi", "2", "--progress")
    run = subprocess.Popen(
        words, env={**first_library.env, "TERM": "xterm-256color"}, cwd=tmp_path,
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    try:
        assert run.wait(60) == 0
    finally:
        os.close(ours)  # who still writes there ends
        os.close(theirs)
        run.wait(60)
    assert (tmp_path / "ended").exists()
