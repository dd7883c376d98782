"""Ctrl-C at the moment in which a line is written: it is there once, and whole.

A reader's answer to what it has read is a signal that comes while the write returns. The kernel
makes that exact: it signals who writes to a pipe whose other end has asked for it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi.output.outlet import MOST_AT_ONCE, Outlet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes of Linux signal")
ME = threading.get_ident()


class Pipe:
    """A pipe whose reader interrupts each write, while it is told to."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self.outlet = Outlet()
        self.outlet.takes(self.write)
        os.set_blocking(self.read, False)
        fcntl.fcntl(self.read, fcntl.F_SETOWN, os.getpid())

    def interrupts(self, whether: bool) -> None:
        flags = fcntl.fcntl(self.read, fcntl.F_GETFL) & ~os.O_ASYNC
        fcntl.fcntl(self.read, fcntl.F_SETFL, flags | (os.O_ASYNC if whether else 0))

    def come(self) -> bytes:
        try:
            return os.read(self.read, 1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    before = signal.signal(signal.SIGIO, signal.default_int_handler)
    made = Pipe()
    yield made
    made.interrupts(False)
    signal.signal(signal.SIGIO, before)
    os.close(made.read)
    os.close(made.write)


def late(number: int, frame: object) -> None:
    """The program's own handler, of an alarm: it is an OSError, and none of the file."""
    raise TimeoutError


@pytest.mark.parametrize("who", [ME, None], ids=["of the program", "of a task"])
@pytest.mark.parametrize("handler", [signal.default_int_handler, late], ids=["Ctrl-C", "alarm"])
def test_a_line_is_not_written_again(pipe: Pipe, who: int | None, handler: Any) -> None:
    signal.signal(signal.SIGIO, handler)
    pipe.interrupts(True)
    with pytest.raises((KeyboardInterrupt, TimeoutError)), pipe.outlet.lock:
        pipe.outlet.put(pipe.write, b"begun\n", who)
    pipe.interrupts(False)
    pipe.outlet.again(pipe.write)
    pipe.outlet.put(pipe.write, b"more\n", who)
    assert pipe.come() == b"begun\nmore\n"


@pytest.mark.parametrize("length", [100, MOST_AT_ONCE + 1, 80_000])
def test_a_print_that_shows_at_once_is_there_once_and_whole(pipe: Pipe, length: int) -> None:
    """A long one finds no room, and is cut by the signal that comes meanwhile."""
    data = b"x" * (length - 1) + b"\n"
    pipe.interrupts(True)
    with pytest.raises(KeyboardInterrupt), pipe.outlet.lock:
        if not pipe.outlet.quick(pipe.write, data, ME):
            pipe.outlet.put(pipe.write, data, ME)
    pipe.interrupts(False)
    found = pipe.come()
    pipe.outlet.put(pipe.write, b"end\n", ME)
    assert found + pipe.come() == data + b"end\n"
