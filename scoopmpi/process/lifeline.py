"""Rank 0's line to the command that has started its launcher, on the same host.

Over it come the user's own stdin, stdout and stderr, which then stand in the place of the
launcher's pipes: an end of stdin, a full disk, a terminal, half a line are what they are. Back go
the signals that this process has got, so that none reaches it twice, and at the very end the exit
status. An abstract socket of Linux: no file, no port, and both ends ask who the other one is.
Under a launcher of the user's own, or from another host, there is no line and nothing changes.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import struct
import threading
from collections.abc import MutableMapping

from ..concurrency.periods import LIFELINE_SECONDS
from . import streams
from .signals import NOT_FOR_LAUNCHERS

VARIABLE = "SCOOPMPI_LIFELINE"
"""The name of the socket, for the ranks on the host of the command."""
READY = b"ready"
"""Rank 0's first word: signals are the program's from here on."""
ENDED = b"ended "
"""Begins rank 0's last word; the exit status follows. A single byte is a signal's number."""
STREAMS = b"streams "
"""Begins the command's only word: the numbers of the descriptors that come with it."""
PACKET = 64
_line: _Line | None = None
"""Of this process."""
_CREDENTIALS = struct.Struct("iii")


def peer(line: socket.socket) -> tuple[int, int]:
    """Return the process and the user at the other end."""
    option: int = getattr(socket, "SO_PEERCRED")  # noqa: B009 (Linux only)
    size = _CREDENTIALS.size
    pid, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, option, size))
    return pid, user


def take(env: MutableMapping[str, str], rank: int | None) -> bool:
    """Connect rank 0 to its command, and put the user's streams in their places.

    Return False without such a line. The variable is taken out of the environment, as what a rank
    starts is no rank of this job. rank: of this process, None where only MPI knows it.
    """
    name = env.pop(VARIABLE, None)
    if name is not None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, NOT_FOR_LAUNCHERS)  # Hydra hands on its own
    if name is None or rank != 0:
        return False
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.settimeout(LIFELINE_SECONDS)
        line.connect(f"\0{name}")
        if peer(line)[1] != os.geteuid():
            raise PermissionError(f"{name} belongs to another user")
        word, descriptors, _, _ = socket.recv_fds(line, PACKET, 3)
        if not word.startswith(STREAMS):
            raise ConnectionError(f"{name} gives no streams")
    except OSError:  # the command says that nothing was heard of rank 0
        line.close()
        return False
    numbers = map(int, word.removeprefix(STREAMS).split())
    streams.put_in_place(dict(zip(numbers, descriptors, strict=True)))
    global _line
    _line = _Line(line)
    return True


def ends_with(status: int) -> int:
    """Note the exit status of the program; return what to tell the launcher of it.

    That is 0 where the command will know: a launcher explains at length what a status means.
    """
    if _line is None:
        return status
    _line.status = status
    return 0


def ready() -> None:
    """Tell the command that the program hears signals; until then they end the job at once."""
    if _line is not None:
        _line.send(READY)


def noted(number: int) -> None:
    """Make sure that the command knows of a signal whose handler of ours has been called.

    An event loop of asyncio takes the place where the C part of handlers writes, and leaves none.
    """
    if _line is not None:
        _line.noted(number)


def say() -> None:
    """Tell the command, once, of the status that was noted: the program has ended."""
    if _line is not None:
        _line.say()


class _Line:
    """Speaks to the command: rank 0's end of the line."""

    def __init__(self, line: socket.socket) -> None:
        self.status: int | None = None
        self._said = False
        self._line = line
        self._pid = os.getpid()
        line.setblocking(False)
        # The C part of each handler writes the number of its signal.
        signal.set_wakeup_fd(line.fileno(), warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=self._leave)
        atexit.register(self.say)  # where nobody has said it before

    def say(self) -> None:
        """Tell of the status, once."""
        if self.status is None or self._said or os.getpid() != self._pid:
            return
        self._said = True
        self.send(ENDED + str(self.status).encode())

    def noted(self, number: int) -> None:
        """Write the number of a signal where the C part of its handler could not."""
        if os.getpid() != self._pid or threading.current_thread() is not threading.main_thread():
            return
        own = self._line.fileno()
        before = signal.set_wakeup_fd(own, warn_on_full_buffer=False)
        if before not in (-1, own):
            signal.set_wakeup_fd(before)
        if before != own:
            self.send(bytes([number]))

    def send(self, word: bytes) -> None:
        """Tell the command, if it is there."""
        try:
            self._line.setblocking(True)
            self._line.send(word)
            self._line.setblocking(False)
        except OSError:
            pass

    def _leave(self) -> None:
        """Close the line in a forked child, whose signals are its own."""
        number = self._line.fileno()
        before = signal.set_wakeup_fd(-1)
        if before not in (-1, number):
            signal.set_wakeup_fd(before)
        self._line.close()
