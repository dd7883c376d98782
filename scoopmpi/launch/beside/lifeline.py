"""The command's end of the line to rank 0 (`process.lifeline`): what it gives, what it has heard.

Rank 0 is asked for by its user id alone, as any process of this host may knock. No signals are
sent here, and nothing is printed.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from collections import defaultdict, deque
from collections.abc import Mapping

from ...process.lifeline import ENDED, PACKET, READY, STREAMS, VARIABLE, peer

OFFERED = sys.platform == "linux"
_ON_ITS_WAY = 1.0
"""Seconds within which a signal of ours has come; a stopped process takes longer."""


class Lifeline:
    """What is known of rank 0.

    streams: the descriptors that stand for its stdin, stdout and stderr; those of closed ones are
    missing.
    """

    def __init__(self, streams: Mapping[int, int]) -> None:
        self.pid: int | None = None
        """Of rank 0, once it has called."""
        self.ready = False
        """True where the program hears signals."""
        self.status: int | None = None
        """The exit status of the program, once it has ended."""
        self.noted: set[int] = set()
        """The signals that rank 0 has got, whoever has sent them."""
        self._by_others: dict[int, deque[float]] = defaultdict(deque)  # when they came
        self._by_us: dict[int, float] = {}  # when it was sent, until rank 0 has it
        self._streams = streams
        self._name = f"scoopmpi-{secrets.token_hex(16)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(f"\0{self._name}")
        self._socket.listen(4)
        self._socket.setblocking(False)

    @property
    def variables(self) -> dict[str, str]:
        """Return what the launcher's environment needs, for the ranks on this host."""
        return {VARIABLE: self._name}

    def fileno(self) -> int:
        """Return a descriptor that can be read when there is something to `hear`.

        It is -1 when nothing will come any more.
        """
        return self._socket.fileno()

    def hear(self) -> None:
        """Take in what has come."""
        try:
            if self.pid is None:
                self._answer()
            else:
                self._listen()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _answer(self) -> None:
        line, _ = self._socket.accept()
        pid, user = peer(line)
        numbers = " ".join(map(str, self._streams))
        try:
            if user not in (os.geteuid(), os.getuid()):
                raise PermissionError(f"user {user} is not who started this")
            word = STREAMS + numbers.encode()
            socket.send_fds(line, [word], list(self._streams.values()))
        except OSError:
            line.close()
            return
        self._socket.close()
        self._socket, self.pid = line, pid
        line.setblocking(False)

    def _listen(self) -> None:
        while word := self._socket.recv(PACKET):
            if word.startswith(ENDED):
                self.status = int(word.removeprefix(ENDED))
            elif word == READY:
                self.ready = True
            elif len(word) == 1:
                self._note(word[0], time.monotonic())
        self.close()

    def _note(self, number: int, now: float) -> None:
        self.noted.add(number)
        if now - self._by_us.pop(number, -_ON_ITS_WAY) >= _ON_ITS_WAY:
            self._by_others[number].append(now)

    def told_of(self, number: int, since: float) -> bool:
        """True where others have sent rank 0 this signal too, since then; said once for each."""
        came = self._by_others[number]
        while came and came[0] < since:
            came.popleft()
        return bool(came) and came.popleft() >= since

    def send(self, number: int) -> None:
        """Have rank 0 get a signal."""
        if self.pid is not None and self.fileno() >= 0:
            self._by_us[number] = time.monotonic()
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    @property
    def alive(self) -> bool:
        """True where rank 0 runs."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:
            return False

    @property
    def ended_by_signal(self) -> bool:
        """True where the program has ended as a signal that came to rank 0 asked for."""
        number = (self.status or 0) - 128
        return number in self.noted and number in set(signal.Signals)

    def close(self) -> None:
        """Hear nothing any more."""
        self._socket.close()
