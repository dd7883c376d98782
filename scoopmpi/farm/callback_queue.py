"""Calls that wait until the farm's lock is left: outcomes for callers, and lines of tasks before.

The farm's loop adds under its lock; whoever drives shows and hands over without it. Threads may do
so at the same time: each call is made once, and never before the lines that had come before it
are written. Those have one order, and one thread at a time writes them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ..concurrency.backoff import pause
from ..concurrency.periods import LINES_SIGNALLED_SECONDS
from ..concurrency.signal_scopes import came_of_signal, scopes, uninterrupted

MOST_BYTES = 1 << 23
"""Of lines that nobody has taken; beyond, the farm takes in nothing, so that memory is bounded."""
PIECE, MOST_PIECES = 1 << 16, 100
"""Bytes of lines, and messages with lines, that are written as one."""


class CallbackQueue:
    """Calls to be made, in order, each behind the lines that had come before it.

    show: prints lines of a group on stdout (1) or stderr (2).
    held: says whether it would have to wait for another thread to end its line.
    """

    def __init__(
        self, show: Callable[[int, bytes, int | None], None], held: Callable[[int], bool]
    ) -> None:
        self._show, self._held = show, held
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._lines: deque[tuple[int, bytes, int | None]] = deque()
        self._came = self._shown = 0  # messages with lines; each number is changed by one thread
        self._bytes_came = self._bytes_shown = 0
        self._writing = threading.Lock()
        self._lost: OSError | None = None  # why what tasks print cannot be shown any more
        self._told = False

    def add(self, deliver: Callable[[], None]) -> None:
        """Have one more call made."""
        self._waiting.append((self._came, deliver))

    def printed(self, stream: int, data: bytes, group: int | None = None) -> None:
        """Have lines of a task shown, before the calls are made that are added from now on.

        group: that the task belongs to.
        """
        self._bytes_came += len(data)
        self._lines.append((stream, data, group))
        self._came += 1

    @property
    def full(self) -> bool:
        """True where the output is read so slowly that no more may come."""
        return self._bytes_came - self._bytes_shown > MOST_BYTES

    def show(self, tell: bool = True) -> None:
        """Write the lines that have come, if no other thread does.

        May block as long as nobody reads, and may be interrupted. Where stdout is gone (`| head`)
        the program ends as by its own print: `tell` raises that OSError in its thread, once, and
        whatever a stream of the program's own raises.
        """
        while self._lines and not self._held(self._lines[0][0]):
            with uninterrupted:  # else the lines would be counted as waiting for ever
                if not self._writing.acquire(blocking=False):
                    break
                try:
                    self._show_some()
                except Exception:  # of a stream of the program's own making
                    if tell:
                        raise
                finally:
                    self._writing.release()
        if tell and self._lost and threading.current_thread() is threading.main_thread():
            lost, self._lost = self._lost, None
            raise lost

    def show_all(self, hurry: bool) -> None:
        """Write all lines, however slowly they are read; at the end only.

        hurry: not longer than seconds, as a signal has ended the job.
        """
        begun = time.monotonic()
        while self._lines and not (hurry and time.monotonic() - begun > LINES_SIGNALLED_SECONDS):
            self.show(tell=False)
            if self._lines:
                pause(time.monotonic() - begun)

    def _show_some(self) -> None:
        lines = self._lines
        stream, of_group, size = 0, None, 0
        pieces: list[bytes] = []
        for place in range(min(len(lines), MOST_PIECES)):  # by place: others add meanwhile
            number, data, group = lines[place]
            if not pieces:
                stream, of_group = number, group
            if (number, group) != (stream, of_group) or size > PIECE:
                break
            pieces.append(data)
            size += len(data)
        if not pieces:
            return  # another thread was faster
        text, begun = b"".join(pieces), False

        def write() -> None:
            nonlocal begun
            begun = True
            self._show(stream, text, of_group)

        try:
            scopes.interruptible(write)
        except OSError as problem:
            if came_of_signal(problem):  # a TimeoutError of the program's
                raise
            if not self._told:  # once is enough: it may go on for what its tasks do
                self._lost, self._told = problem, True
        finally:
            if begun:
                for _ in pieces:  # only now: what is being written must be waited for
                    lines.popleft()
                self._bytes_shown += size
                self._shown += len(pieces)

    def hand_over(self) -> bool:
        """Make all calls, each after what was printed before; return True where there were any.

        An exception of the user's code spoils no other's, and comes out last.
        """
        problem: BaseException | None = None
        done = False
        while self._waiting:
            try:
                came, deliver = self._waiting.popleft()
            except IndexError:
                break  # another thread was faster
            if came > self._shown:
                self._waiting.appendleft((came, deliver))
                break
            done = True
            try:
                deliver()
            except BaseException as error:
                problem = error
        if problem is not None:
            raise problem
        return done

    def __len__(self) -> int:
        return len(self._waiting) + len(self._lines)
