"""stdout and stderr of a worker: whole lines go to rank 0, which prints them.

So that lines of different workers, tasks and threads never mix, and what a task printed stands
before its value. Bytes arrive as they are, text in the encoding that rank 0 has. An unfinished
line is sent when its task has ended. What writes to the file descriptors themselves (C code, child
processes) goes its own way, through mpirun; so does what comes when rank 0 takes nothing any more.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TextIO

from .lines import Lines

Place = Callable[[], tuple[Hashable, int]]
Send = Callable[[int, bytes], bool]

KEPT = 100
"""Pieces that wait for the end of an import; one that prints more is not to be kept silent."""


class Output:
    """Stands in the place of both streams of a worker.

    send: takes 1 for stdout or 2 for stderr and whole lines; False where nobody takes them.
    place: who writes now, and which of its tasks that is.
    lines: makes what holds unfinished lines.
    """

    def __init__(self, send: Send, place: Place, lines: Callable[[], Lines] = Lines) -> None:
        self._collecting: int | None = None
        self._place = place
        self._send = send
        self._kept: list[tuple[int, bytes]] | None = None
        ends = [_End(partial(self._pass_on, fd), self._owner, fd, lines) for fd in (1, 2)]
        self._ends = ends
        self.streams = tuple(
            TaskStream(end, like) for end, like in zip(ends, (sys.stdout, sys.stderr), strict=True)
        )
        gc.callbacks.append(self._collects)

    def install(self) -> None:
        """Put them in the place of the process's own."""
        for name, stream in zip(("stdout", "stderr"), self.streams, strict=True):
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    def keep(self) -> None:
        """Keep what is printed while the program is imported, until it is known how that ends."""
        self._kept = []

    def kept(self, failed: bool) -> bytes:
        """End what `keep` has begun, and return what was printed on stderr.

        failed: the import has failed; what was printed on stdout is returned too then, not sent.
        """
        self.all_ended()
        kept, self._kept = self._kept or [], None
        for fd, data in () if failed else kept:
            if fd == 1:
                self._send(fd, data)
        return b"".join(data for fd, data in kept if failed or fd == 2)

    def _pass_on(self, fd: int, data: bytes) -> bool:
        kept = self._kept
        if kept is None or len(kept) >= KEPT:
            return self._send(fd, data)
        kept.append((fd, data))
        return True

    @property
    def unfinished(self) -> bool:
        """True where some line has no end yet."""
        first, second = self._ends
        return bool(first.lines or second.lines)

    def ended(self, owner: Hashable, before: int | None = None) -> None:
        """Send the unfinished lines of an owner's tasks, which have ended, as they are.

        before: only of tasks with numbers below it, while another goes on.
        """
        for end in self._ends:
            if end.lines:
                end.rest(owner, before)

    def all_ended(self) -> None:
        """Send all unfinished lines: the worker leaves."""
        for end in self._ends:
            for owner in end.lines.owners():
                end.rest(owner)

    def reconfigured(self, fd: int, settings: dict[str, Any]) -> None:
        """Encode text as rank 0 does.

        fd: 1 for stdout, 2 for stderr. settings: what `reconfigure` takes.
        """
        self.streams[fd - 1].reconfigure(**settings)

    def _owner(self) -> tuple[Hashable, int]:
        owner, task = self._place()
        if self._collecting == threading.get_ident():
            return (owner, "a __del__"), 0  # it may come between a task's text and its newline
        return owner, task

    def _collects(self, phase: str, _: object) -> None:
        self._collecting = threading.get_ident() if phase == "start" else None


class _End(io.RawIOBase):
    """Is the binary end of a stream: what text becomes."""

    name: str
    mode = "wb"

    def __init__(
        self, send: Callable[[bytes], bool], place: Place, fd: int, lines: Callable[[], Lines]
    ) -> None:
        self.name = f"<{'stdout' if fd == 1 else 'stderr'}>"
        self._new_lines = lines
        self._take(lines())
        self._send = send
        self._place = place
        self._fd = fd
        self._pid = os.getpid()

    def write(self, data: Any) -> int:
        """Take bytes; they are sent when their line ends."""
        data = bytes(data)
        self._look_who_this_is()
        owner, task = self._place()
        self._out(self._add(owner, data, task))
        return len(data)

    def flush(self) -> None:
        """Send nothing but, in a forked child, unfinished lines: nothing else waits here."""
        if self._look_who_this_is():
            self.rest(self._place()[0])

    def rest(self, owner: Hashable, before: int | None = None) -> None:
        """Send what an owner has begun."""
        self._out(self.lines.rest(owner, before))

    def _out(self, whole: bytes) -> None:
        if whole and not self._send(whole):
            _write_all(self._fd, whole)

    def _look_who_this_is(self) -> bool:
        """True in a child that a task has forked: it has no rank to talk to."""
        if os.getpid() != self._pid and self._send is not _nobody:
            self._take(self._new_lines())  # what its parent has begun is its parent's
            self._send = _nobody
        return self._send is _nobody

    def _take(self, lines: Lines) -> None:
        self.lines, self._add = lines, lines.text

    def close(self) -> None:
        """Stay open: a task that closes it must not take it from the tasks after it."""

    def writable(self) -> bool:
        """True: it takes bytes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that child processes inherit."""
        return self._fd

    def isatty(self) -> bool:
        """False: it is a way to rank 0."""
        return False


class _Buffer(_End):
    """Is `sys.stdout.buffer`: bytes stay in one piece until they end with a newline.

    end: the text's, with which it shares the unfinished lines.
    """

    def __init__(self, end: _End) -> None:
        super().__init__(end._send, end._place, end._fd, end._new_lines)
        self._take(end.lines)

    def _take(self, lines: Lines) -> None:
        self.lines, self._add = lines, lines.binary

    @property
    def raw(self) -> _Buffer:
        """This one itself: nothing lies between."""
        return self

    def detach(self) -> _Buffer:
        """Return this one itself; it stays."""
        return self


class TaskStream(io.TextIOWrapper):
    """Is a text stream as `sys.stdout` is one, with `buffer`, `detach` and `reconfigure`.

    like: the stream in whose place it stands, None where that is closed.
    """

    mode = "w"

    def __init__(self, end: _End, like: TextIO | None) -> None:
        encoding = getattr(like, "encoding", None) or "utf-8"
        errors = getattr(like, "errors", None) or "backslashreplace"
        # Every write goes on at once, in the thread that writes: the end keeps lines apart.
        super().__init__(end, encoding, errors, newline="\n", write_through=True)
        self._binary = _Buffer(end)

    @property
    def buffer(self) -> Any:
        """The binary end, where bytes go."""
        return self._binary

    def reconfigure(self, **settings: Any) -> None:
        """Change settings as any text stream does; what is written goes on at once in any case."""
        super().reconfigure(**{**settings, "write_through": True})

    def detach(self) -> Any:
        """Give the binary end; this stream stays as it is, for the tasks afterwards."""
        return self._binary

    def close(self) -> None:
        """Stay open: a task that closes it must not take it from the tasks after it."""


def _nobody(whole: bytes) -> bool:
    """Refuse, in a child of a task: no rank takes anything from it."""
    return False


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
