"""Outputs to the user: those of each item together, in the order of the items.

What waits for an earlier item is kept in memory as far as that is bounded, then on disk. What
cannot be printed waits likewise, and is tried again. An item that never comes holds others back
until the end only.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from ..items.ended import Ended
from ..items.item import Item
from .sink import Kept
from .spool import Output, Spool

logger = logging.getLogger("scoopmpi")

ROOM = 8 << 20
"""Bytes that wait in memory: outputs that are a little out of their order never see a disk."""
ENTRY = 300
"""Bytes of memory that the keeping of an output takes beside it."""
AGAIN = 5.0
"""Seconds until what could not be printed is tried again."""
PIECE = 1 << 15
"""Bytes to print at once: what was given to a stream that fails is the stream's to write again, and
a larger piece it would not keep (`output.outlet`)."""


class InOrder:
    """Prints what items have written.

    room: bytes that wait in memory. again: seconds until a stream that has failed is tried again.
    """

    def __init__(self, kept: Kept, room: int = ROOM, again: float = AGAIN) -> None:
        self._kept, self._room = kept, room
        self._printer = _Printer(again)
        self._places: dict[int, int] = {}  # of items that run, by their numbers
        self._expected = 0
        self._turn = 0
        self._memory: dict[int, Output] = {}
        self._size = 0
        self._spool: Spool | None = None
        self._told = False
        self._lost = 0

    def expected(self, item: Item) -> None:
        """Hear that an item is about to be run: in the order of the items."""
        self._places[item.number] = self._expected
        self._expected += 1

    def add(self, ended: Ended) -> None:
        """Print what an item has written, and what has waited for it; or keep it for its turn."""
        place = self._places.pop(ended.number)
        output = Output(ended.out, ended.err)
        if place == self._turn and self._printer.ready():
            self._turn += 1
            self._printer.print(output)
        else:
            self._keep(place, output)
        self._print_waiting()
        self._kept(ended)

    def close(self) -> int:
        """Print what is left, in its order; return how many outputs could not be printed."""
        self._printer.at_once()
        while self._turn < self._expected and self._waiting and self._printer.ready():
            found = self._taken(self._turn)
            self._turn += 1
            if found is not None:
                self._printer.print(found)
        self._printer.flush()
        self._lost += self._waiting + self._printer.unprinted
        if self._spool is not None:
            self._spool.close()
        if self._lost:
            logger.warning("sweep: the output of %d items could not be printed", self._lost)
        return self._lost

    @property
    def _waiting(self) -> int:
        return len(self._memory) + (0 if self._spool is None else self._spool.waiting)

    def _print_waiting(self) -> None:
        """Print all whose turn has come."""
        while self._waiting and self._printer.ready():
            found = self._taken(self._turn)
            if found is None:
                break
            self._turn += 1
            self._printer.print(found)
        self._printer.flush()

    def _keep(self, place: int, output: Output) -> None:
        size = len(output.out) + len(output.err) + ENTRY
        if self._size + size <= self._room:
            self._memory[place] = output
            self._size += size
            return
        try:
            if self._spool is None:
                self._spool = Spool()
            self._spool.add(place, output)
        except OSError as problem:
            self._no_room(output, problem)

    def _no_room(self, output: Output, problem: OSError) -> None:
        """Print it before its turn: better than to lose it, or to fill the memory of the host."""
        if not self._told:
            self._told = True
            logger.warning(
                "sweep: no room in %s for the output of items that wait for earlier ones (%s): "
                "it is printed before its turn; set TMPDIR to a directory with room, or use "
                "--output-dir or --results",
                tempfile.gettempdir(), problem.strerror or problem,
            )  # fmt: skip
        if self._printer.ready():
            self._printer.print(output)
        else:
            self._lost += 1

    def _taken(self, place: int) -> Output | None:
        found = self._memory.pop(place, None)
        if found is not None:
            self._size -= len(found.out) + len(found.err) + ENTRY
            return found
        try:
            return None if self._spool is None else self._spool.take(place)
        except OSError as problem:
            logger.warning("sweep: an output that has waited cannot be read: %s", problem)
            self._lost += 1
            return Output(b"", b"")


class _Printer:
    """Prints to stdout and stderr; what stdout does not take is tried again.

    What stderr does not take is lost: where should that be told?
    """

    def __init__(self, again: float) -> None:
        self._again = again
        self._pieces: deque[memoryview] = deque()  # of stdout
        self._retry = 0.0
        self._failing = self._fresh = False
        self._errors_lost = 0

    @property
    def unprinted(self) -> int:
        """How many outputs are not printed to their ends."""
        return int(bool(self._pieces) or self._failing) + self._errors_lost

    def at_once(self) -> None:
        """Try again now what could not be printed."""
        self._retry = 0.0

    def ready(self) -> bool:
        """True where all that was given is printed: there may be more."""
        if not self._failing:
            return True
        if time.monotonic() >= self._retry:
            self._attempt(flush=True)
        return not self._failing

    def print(self, output: Output) -> None:
        """Print an output; a last line without its end gets one."""
        self._pieces.extend(_pieces(output.out))
        self._attempt(flush=bool(output.err))
        for piece in _pieces(output.err):
            if not _taken(sys.stderr, piece):
                self._errors_lost += 1
                break

    def flush(self) -> None:
        """Show what was printed: somebody may wait for it."""
        if self._fresh and not self._failing:
            self._attempt(flush=True)

    def _attempt(self, flush: bool) -> None:
        try:
            if self._failing:
                _flush(sys.stdout)
            while self._pieces:
                _write(sys.stdout, self._pieces.popleft())  # first: what fails is the stream's
                self._fresh = True
            if flush:
                _flush(sys.stdout)
                self._fresh = False
        except BrokenPipeError:
            self._pieces.clear()
            _nobody_reads()
            raise
        except OSError as problem:
            self._fail(problem)
        else:
            self._failing = False

    def _fail(self, problem: OSError) -> None:
        self._retry = time.monotonic() + self._again
        if not self._failing:
            self._failing = True
            logger.warning(
                "sweep: stdout cannot be written (%s); the sweep goes on, what its items print "
                "waits in %s until there is room",
                problem.strerror or problem, tempfile.gettempdir(),
            )  # fmt: skip


def _pieces(data: bytes) -> Iterator[memoryview]:
    for start in range(0, len(data), PIECE):
        yield memoryview(data)[start : start + PIECE]
    if data and not data.endswith(b"\n"):
        yield memoryview(b"\n")


def _write(stream: TextIO | None, data: memoryview) -> None:
    if stream is not None:  # it is where a program was started with it closed
        stream.buffer.write(data)


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _taken(stream: TextIO | None, data: memoryview) -> bool:
    """Write and show; return whether that was possible."""
    try:
        _write(stream, data)
        _flush(stream)
    except OSError:
        return False
    return True


def _nobody_reads() -> None:
    """Have the end of Python not fail for the same reason once more."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
