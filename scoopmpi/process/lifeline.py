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
_CREDENTIALS = struct.Struct("iii")


def peer(line: socket.socket) -> tuple[int, int]:
    """Return the process and the user at the other end."""
    option: int = getattr(socket, "SO_PEERCRED")  # noqa: B009 (Linux only)
    size = _CREDENTIALS.size
    pid, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, option, size))
    return pid, user


class ToCommand:
    """Speaks to the command that has started this job; does nothing where there is no line."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._pid = os.getpid()
        self._status: int | None = None
        self._said = False

    def connect(self, env: MutableMapping[str, str], rank: int | None) -> bool:
        """Connect rank 0 to its command, and put the user's streams in their places.

        Return False without such a line. The variable is taken out of the environment, as what a
        rank starts is no rank of this job. rank: of this process, None where only MPI knows it.
        """
        name = env.pop(VARIABLE, None)
        if name is not None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, NOT_FOR_LAUNCHERS)  # Hydra hands on its own
        if name is None or rank != 0:
            return False
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            given = _received(line, name)
        except OSError:  # the command says that nothing was heard of rank 0
            line.close()
            return False
        streams.put_in_place(given)
        self._begin(line)
        return True

    def _begin(self, line: socket.socket) -> None:
        self._line, self._pid = line, os.getpid()
        line.setblocking(False)
        # The C part of each handler writes the number of its signal.
        signal.set_wakeup_fd(line.fileno(), warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=self._leave)
        atexit.register(self.say)  # where nobody has said it before

    def in_front(self) -> bool:
        """True where the user's terminal is for this job, not for what is done there meanwhile.

        Also where nobody can tell. A rank is in another session, in general: it asks for the
        command.
        """
        try:
            command = self._pid if self._line is None else peer(self._line)[0]
            with open(f"/proc/{command}/stat", "rb") as file:
                _, _, group, _, _, front = file.read().rpartition(b")")[2].split()[:6]
            return front in (group, b"-1")
        except (OSError, ValueError):
            return True

    def ready(self) -> None:
        """Tell the command that the program hears signals; until then they end the job at once."""
        self._send(READY)

    def noted(self, number: int) -> None:
        """Make sure that the command knows of a signal whose handler of ours has been called.

        An event loop of asyncio takes the place where the C part of handlers writes, and leaves
        none.
        """
        if self._line is None or os.getpid() != self._pid:
            return
        if threading.current_thread() is not threading.main_thread():
            return
        own = self._line.fileno()
        before = signal.set_wakeup_fd(own, warn_on_full_buffer=False)
        if before not in (-1, own):
            signal.set_wakeup_fd(before)
        if before != own:
            self._send(bytes([number]))

    def ends_with(self, status: int) -> int:
        """Note the exit status of the program; return what to tell the launcher of it.

        That is 0 where the command will know: a launcher explains at length what a status means.
        """
        if self._line is None:
            return status
        self._status = status
        return 0

    def say(self) -> None:
        """Tell the command, once, of the status that was noted: the program has ended."""
        if self._status is None or self._said or os.getpid() != self._pid:
            return
        self._said = True
        self._send(ENDED + str(self._status).encode())

    def _send(self, word: bytes) -> None:
        if self._line is None:
            return
        try:
            self._line.setblocking(True)
            self._line.send(word)
            self._line.setblocking(False)
        except OSError:
            pass  # the command is not there any more

    def _leave(self) -> None:
        """Close the line in a forked child, whose signals are its own."""
        if self._line is None:
            return
        number = self._line.fileno()
        before = signal.set_wakeup_fd(-1)
        if before not in (-1, number):
            signal.set_wakeup_fd(before)
        self._line.close()


def _received(line: socket.socket, name: str) -> dict[int, int]:
    """Connect to the command's socket and return the descriptors that it gives, by number."""
    line.settimeout(LIFELINE_SECONDS)
    line.connect(f"\0{name}")
    if peer(line)[1] != os.geteuid():
        raise PermissionError(f"{name} belongs to another user")
    word, descriptors, _, _ = socket.recv_fds(line, PACKET, 3)
    if not word.startswith(STREAMS):
        raise ConnectionError(f"{name} gives no streams")
    numbers = map(int, word.removeprefix(STREAMS).split())
    return dict(zip(numbers, descriptors, strict=True))


command = ToCommand()
"""That of this process."""
