"""The user's terminal, while this process is in front of it, and another one for rank 0.

Rank 0 is in another group of processes, often in another session: the kernel would let it read of
the user's terminal what a shell is to get. So it has a pseudo-terminal. What is typed goes there as
long as this process is in the foreground, and what comes out is shown at once. Whoever reads there
edits the line (readline, or the kernel). Signals stay with the user's terminal: Ctrl-C and Ctrl-Z
come to this process. What the job does then is in `job`.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...concurrency.periods import SHOWN_SECONDS
from ...watching.progress.modes import reads_lines
from .passing import write

_IFLAG, _OFLAG, _LFLAG, _CC = 0, 1, 3, 6
"""Places in what termios gives."""
_CHANGING = (
    termios.BRKINT | termios.ICRNL | termios.IGNCR | termios.INLCR | termios.INPCK
    | termios.ISTRIP | termios.IXON
)  # fmt: skip
_EDITING = termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN
_AT_ONCE = 1 << 16
_LOOK_SECONDS = 0.5
"""How often it is looked whether a command from the background has come to the front."""


class Terminal:
    """Two terminals: the user's, which is our stdin, and a pseudo-terminal for rank 0."""

    def __init__(self) -> None:
        self._usual: list[Any] = termios.tcgetattr(0)
        self._master, self.own = os.openpty()
        """For rank 0: what stands in the place of the user's terminal."""
        modes = termios.tcgetattr(0)
        modes[_OFLAG] &= ~termios.OPOST  # lines are ended by the user's own, once
        termios.tcsetattr(self.own, termios.TCSANOW, modes)
        self._wake, self._waking = os.pipe()
        self._lock = threading.RLock()
        self._taken: int | None = None  # the flag ISIG as it was set, while the user's is ours
        self._over = self._writing = False
        self._rank_0 = 0
        self._handlers: dict[int, Any] = {}
        self._threads: list[threading.Thread] = []
        self.put: Callable[[int, bytes], None] = write
        """Writes bytes to a descriptor of ours, all of them."""
        self.before_stop: Callable[[], None] = lambda: None
        """Called before the terminal is left to another, as at Ctrl-Z."""

    @property
    def ours(self) -> bool:
        """True while the terminal is for us to write on: no editor or prompt of rank 0 has it."""
        return in_front() and reads_lines(self._master)

    def places(self, err: int) -> dict[int, int]:
        """Return what rank 0 shall have: by number of a standard stream, our descriptor.

        err: where its stderr goes otherwise.
        """
        return {0: self.own, 1: self.own, 2: self.own if same_terminal(err) else err}

    def begin(self, rank_0: int) -> None:
        """Let pass what is typed, and what is shown, from now on. rank_0: the process there."""
        self._rank_0 = rank_0
        self._resize()
        acts: dict[signal.Signals, Any] = {
            signal.SIGWINCH: self._resized, signal.SIGTSTP: self._stop,
            signal.SIGCONT: self._continued,
        }  # fmt: skip
        for number, act in acts.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, act)
        for work in (self._type, self._show):
            thread = threading.Thread(target=work, name="scoopmpi terminal", daemon=True)
            thread.start()
            self._threads.append(thread)

    def give_back(self) -> None:
        """Read no more: the program has ended, what is typed from now on is the shell's."""
        if self._over:
            return
        self._over = True
        os.write(self._waking, b"x")
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._release()

    def close(self) -> None:
        """Give the terminal back, and show what is left of the program's output."""
        if self.own < 0:
            return
        self.give_back()
        os.close(self.own)
        self.own = -1
        if self._threads:
            self._drain(*self._threads)
        if not any(thread.is_alive() for thread in self._threads):
            for end in (self._master, self._wake, self._waking):
                os.close(end)

    def _drain(self, typing: threading.Thread, showing: threading.Thread) -> None:
        """Wait until all has been shown, however slow the user's terminal is."""
        typing.join(SHOWN_SECONDS)
        until = time.monotonic() + SHOWN_SECONDS
        while showing.is_alive() and time.monotonic() < until:
            showing.join(SHOWN_SECONDS / 20)
            if self._writing:
                until = time.monotonic() + SHOWN_SECONDS

    # The user's terminal.

    def _take(self) -> None:
        """Have each key come as it is typed, without an echo."""
        with self._lock:
            signals = self._wants_signals()
            if self._over or self._taken == signals:
                return
            first, self._taken = self._taken is None, signals
            modes = list(self._usual)
            modes[_IFLAG] &= ~_CHANGING
            modes[_LFLAG] &= ~(_EDITING | termios.ISIG)
            modes[_LFLAG] |= signals
            modes[_CC] = [*modes[_CC]]
            modes[_CC][termios.VMIN], modes[_CC][termios.VTIME] = 1, 0
            with suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, modes)
        if first:
            self._resized()  # it may have another size than before

    def _release(self) -> None:
        """Leave the terminal as it was found; in the background it is another's."""
        with self._lock:
            if self._taken is not None and in_front():
                with suppress(termios.error):
                    termios.tcsetattr(0, termios.TCSANOW, self._usual)
            self._taken = None

    def _wants_signals(self) -> int:
        """Return the flag ISIG as rank 0 has it: an editor may want Ctrl-C as a key."""
        with suppress(termios.error, OSError):
            return int(termios.tcgetattr(self._master)[_LFLAG] & termios.ISIG)
        return termios.ISIG

    def _stop(self, number: int, frame: object) -> None:
        """Stop at Ctrl-Z, as any command does; tasks and the program go on meanwhile."""
        with self._lock:
            self.before_stop()
            self._release()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            signal.signal(number, self._stop)
            self._continued()

    def _continued(self, *_: object) -> None:
        """Go on where a shell has had the terminal meanwhile."""
        with self._lock:
            self._taken = None
            if in_front():
                self._take()

    def _resized(self, *_: object) -> None:
        self._resize()
        with suppress(ProcessLookupError):
            os.kill(self._rank_0, signal.SIGWINCH)  # the pseudo-terminal has nobody to tell

    def _resize(self) -> None:
        with suppress(OSError):
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    # Two threads.

    def _type(self) -> None:
        """Pass on what is typed, in the foreground only: elsewhere reading would stop us."""
        with suppress(OSError):
            while not self._over:
                if not in_front():
                    select.select([self._wake], [], [], _LOOK_SECONDS)
                    continue
                self._take()
                ready = select.select([0, self._wake], [], [], _LOOK_SECONDS)[0]
                if ready != [0] or not in_front():
                    continue
                data = os.read(0, _AT_ONCE)
                if not data:
                    return
                write(self._master, data)

    def _show(self) -> None:
        """Show what comes out, until nobody can write any more."""
        with suppress(OSError):
            while data := os.read(self._master, _AT_ONCE):
                self._writing = True
                if self._taken is not None:
                    self._take()  # rank 0 may have changed what Ctrl-C is
                try:
                    self.put(1, data)
                except OSError:  # the user's terminal is gone: let rank 0 find its own so
                    with open(os.devnull, "rb") as nothing:
                        os.dup2(nothing.fileno(), self._master)
                self._writing = False


def of_user(streams: tuple[int, int]) -> Terminal | None:
    """Return the terminal that a user sits at; None where stdin or stdout is something else.

    streams: where rank 0's stdout and stderr are to go.
    """
    try:
        if sys.platform == "linux" and streams[0] == 1 and os.isatty(0) and same_terminal(1):
            return Terminal()
    except (OSError, termios.error):
        pass  # no pseudo-terminals here
    return None


def same_terminal(descriptor: int) -> bool:
    """True where a descriptor is the terminal that is our stdin."""
    try:
        return os.isatty(descriptor) and os.fstat(descriptor).st_rdev == os.fstat(0).st_rdev
    except OSError:
        return False


def in_front() -> bool:
    """True where the terminal that is our stdin is for us, not for another of its session."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # it is not our own terminal: nobody stops us there
        return True
