"""The processes of one item: a process group of their own, waited for and ended.

The group is what gets signals, so that what a command has started dies with it.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator

from ...concurrency.periods import ITEM_GRACE_SECONDS
from .not_started import no_directory, no_program
from .starting import Environment, started

SHELL = "/bin/sh"
LONGEST = 1e6
"""Seconds: a longer time is none, and would be too much for the kernel."""
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 0.0005, 0.02
"""Between two looks whether a process has ended, at first and later, where nothing tells it."""


class Group:
    """What runs for an item.

    words: the program and its arguments. env: its variables. cwd: its directory; None: this one.
    out, err: descriptors to which it writes; its stdin is empty.
    Raises NotStarted.
    """

    def __init__(
        self, words: list[str], env: Environment, cwd: str | None, out: int, err: int
    ) -> None:
        try:
            self.number = started(words, env, cwd, out, err)
        except OSError as error:
            if cwd is not None and not os.access(cwd, os.X_OK):
                raise no_directory(cwd, error.strerror or "") from error
            found = _found(words[0], cwd)
            if error.errno != errno.ENOEXEC or found is None:
                raise no_program(words[0], found, error) from error
            # A script without a first line that names its interpreter: a shell runs it, so do we.
            self.number = started([SHELL, found, *words[1:]], env, cwd, out, err)
        except ValueError as error:
            raise no_program(words[0], None, error) from error
        self._status: int | None = None

    def wait(self, seconds: float | None) -> bool:
        """Wait until the command ends, at most so long; return whether it has.

        What it has started itself may go on.
        """
        if seconds is None or seconds > LONGEST:
            return self._reaped(0)
        self._watch(seconds)
        return self._reaped(os.WNOHANG)

    def end(self) -> None:
        """End all processes of the group: they are asked to, and then killed."""
        until = time.monotonic() + ITEM_GRACE_SECONDS
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # one that is stopped would not hear it
        self.wait(ITEM_GRACE_SECONDS)
        for _ in _looks(until):
            if not self._signal(0):
                break
        self._signal(signal.SIGKILL)
        self.wait(ITEM_GRACE_SECONDS)  # a file system may keep even a killed process

    @property
    def status(self) -> int:
        """How the command has ended: its exit status, negative for a signal."""
        return -signal.SIGKILL if self._status is None else self._status

    def _watch(self, seconds: float) -> None:
        """Sleep until the command has ended, or for so long."""
        try:
            watched = os.pidfd_open(self.number)
        except (AttributeError, OSError):  # before Linux 5.3, and elsewhere
            for _ in _looks(time.monotonic() + seconds):
                if self._reaped(os.WNOHANG):
                    break
            return
        try:
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            poll.poll(seconds * 1000)
        finally:
            os.close(watched)

    def _reaped(self, how: int) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.number, how)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is not None

    def _signal(self, number: int) -> bool:
        """Signal the group; False where none of it is left."""
        try:
            os.killpg(self.number, number)
        except ProcessLookupError:
            return False
        except OSError:  # of another user by now
            pass
        return True


def _looks(until: float) -> Iterator[None]:
    """Yield now and then until a moment of the monotonic clock."""
    pause = _FIRST_LOOK_SECONDS
    while (now := time.monotonic()) < until:
        yield
        time.sleep(min(pause, until - now))
        pause = min(2 * pause, _LOOK_SECONDS)


def _found(program: str, cwd: str | None) -> str | None:
    """Return where a program is that could not be started; None where it is nowhere."""
    if "/" not in program:
        return shutil.which(program) or shutil.which(program, os.F_OK)
    path = os.path.join(cwd or "", program)
    return path if os.path.exists(path) else None
