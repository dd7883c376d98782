"""The processes of one item: a session and a process group of their own, started and ended.

The group is what gets signals, so that what a command has started dies with it. Nothing is
inherited but what is given: no descriptors, as MPI's would stay open, and no memory is copied
(`subprocess` starts by vfork).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from ...concurrency.periods import ITEM_GRACE_SECONDS
from .not_started import no_directory, no_program

SHELL = "/bin/sh"
LONGEST = 1e6
"""Seconds: a longer time is none, and would be too much for the kernel."""
_LOOK_SECONDS = 0.01
"""Between two looks whether all processes of a group have ended that was asked to."""


class Group:
    """What runs for an item.

    words: the program and its arguments. env: its variables. cwd: its directory; None: this one.
    out, err: descriptors to which it writes; its stdin is empty.
    Raises NotStarted.
    """

    def __init__(
        self, words: Sequence[str], env: Mapping[bytes, bytes], cwd: str | None, out: int, err: int
    ) -> None:
        try:
            self._process = _started(words, env, cwd, out, err)
        except OSError as error:
            if cwd is not None and not os.access(cwd, os.X_OK):
                raise no_directory(cwd, error) from error
            found = _found(words[0], env, cwd)
            if error.errno != errno.ENOEXEC or found is None:
                raise no_program(words[0], found, error) from error
            # A script without a first line that names its interpreter: a shell runs it, so do we.
            self._process = _started((SHELL, found, *words[1:]), env, cwd, out, err)
        except ValueError as error:
            raise no_program(words[0], None, error) from error
        self.number = self._process.pid

    def wait(self, seconds: float | None) -> bool:
        """Wait until the command ends, at most so long; return whether it has.

        What it has started itself may go on.
        """
        if seconds is None or seconds > LONGEST:
            self._process.wait()
        elif seconds > 0 and not self._waited(seconds):
            return False
        return self._process.poll() is not None

    def end(self) -> None:
        """End all processes of the group: they are asked to, and then killed."""
        until = time.monotonic() + ITEM_GRACE_SECONDS
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # one that is stopped would not hear it
        self.wait(ITEM_GRACE_SECONDS)
        while time.monotonic() < until and self._signal(0):
            time.sleep(_LOOK_SECONDS)
        self._signal(signal.SIGKILL)
        self.wait(ITEM_GRACE_SECONDS)  # a file system may keep even a killed process

    @property
    def status(self) -> int:
        """How the command has ended: its exit status, negative for a signal."""
        code = self._process.returncode
        return -signal.SIGKILL if code is None else code

    def _waited(self, seconds: float) -> bool:
        try:
            watched = os.pidfd_open(self.number)
        except (AttributeError, OSError):  # before Linux 5.3, and elsewhere
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return self._process.returncode is not None
        try:
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(watched)

    def _signal(self, number: int) -> bool:
        """Signal the group; False where none of it is left."""
        try:
            os.killpg(self.number, number)
        except ProcessLookupError:
            return False
        except OSError:  # of another user by now
            pass
        return True


def _started(
    words: Sequence[str], env: Mapping[bytes, bytes], cwd: str | None, out: int, err: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, env=env, cwd=cwd, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=out, stderr=err,
    )  # fmt: skip


def _found(program: str, env: Mapping[bytes, bytes], cwd: str | None) -> str | None:
    """Return where a program is that could not be started; None where it is nowhere."""
    if "/" not in program:
        return shutil.which(program, path=os.fsdecode(env.get(b"PATH", os.defpath)))
    path = os.path.join(cwd or "", program)
    return path if os.path.exists(path) else None
