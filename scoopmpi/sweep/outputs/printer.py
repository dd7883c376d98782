"""The way of items' outputs to stdout and stderr: whole, and again where stdout does not take them.

In which order they come, is for others to say.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from ...process import streams
from .spool import Output

logger = logging.getLogger("scoopmpi")

AGAIN = 5.0
"""Seconds until what could not be printed is tried again."""
PIECE = 1 << 15
"""Bytes to print at once: what was given to a stream that fails is the stream's to write again, and
a larger piece it would not keep (`output.outlet`)."""


class Printer:
    """Prints to stdout and stderr; what stdout does not take is tried again.

    What stderr does not take is lost: where should that be told?
    """

    def __init__(self, again: float) -> None:
        self._again = again
        self._pieces: deque[memoryview] = deque()  # of stdout
        self._retry = 0.0
        self._failing = self._fresh = self._hurry = False
        self._errors_lost = 0

    @property
    def unprinted(self) -> int:
        """How many outputs are not printed to their ends."""
        return int(bool(self._pieces) or self._failing) + self._errors_lost

    @property
    def failing(self) -> bool:
        """True where stdout does not take what it is given."""
        return self._failing

    def at_once(self, hurry: bool) -> None:
        """Try again now what could not be printed. hurry: wait for nobody who does not read."""
        self._retry, self._hurry = 0.0, hurry

    def ready(self) -> bool:
        """True where all that was given is printed: there may be more."""
        if not self._failing:
            return True
        if time.monotonic() >= self._retry:
            self._attempt(flush=True)
        return not self._failing

    def print(self, output: Output) -> None:
        """Print an output; a last line of text without its end gets one."""
        self._pieces.extend(_pieces(output.out))
        self._attempt(flush=bool(output.err))
        for piece in _pieces(output.err):
            if (self._hurry and not streams.is_read(sys.stderr)) or not _taken(sys.stderr, piece):
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
                if self._hurry and not streams.is_read(sys.stdout):
                    self._failing, self._retry = True, math.inf
                    return
                _write(sys.stdout, self._next())  # taken out first: what fails is the stream's
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

    def _next(self) -> memoryview:
        piece = self._pieces.popleft()
        if self._hurry and len(piece) > streams.TAKEN_AT_ONCE:
            self._pieces.appendleft(piece[streams.TAKEN_AT_ONCE :])
        return piece[: streams.TAKEN_AT_ONCE] if self._hurry else piece

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
    if data and not data.endswith(b"\n") and b"\0" not in data[:PIECE]:  # as grep tells
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
