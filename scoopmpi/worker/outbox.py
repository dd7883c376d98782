"""What a worker says to the farm: messages in order, and none behind its last one.

Any thread may speak, so each message is sent with the lock held. Not here: what a batch answers
(`running`), and what a rank says to other workers (constants, in `inbox`).
"""

from __future__ import annotations

import os
import socket
from contextlib import AbstractContextManager
from typing import Any

from ..process.connections import own_addresses
from ..process.identity import memory_domain
from ..wire import messages
from ..wire.messages import Message
from ..wire.transport import Transport

UNREAD_BYTES = 1 << 16
"""Of lines that rank 0 may not have taken yet: no faster than it takes them. Open MPI's sends of
1 KB end when the other side has them: to wait for each cost 5 ms a line while rank 0 slept."""
EAGER_BYTES = 2000
"""A longer message may need this rank once more, which might compute for hours: waited for."""


class Outbox:
    """The sending end of one worker.

    lock: guards the transport, and may be taken again by the thread that holds it.
    """

    def __init__(self, transport: Transport, lock: AbstractContextManager[Any]) -> None:
        self._transport, self._lock = transport, lock
        self._unread = 0
        self._closed = False

    def send(self, message: Message, flush: bool = False) -> None:
        """Send a message; nothing is sent after the last one.

        flush: wait until it has left this rank's memory. Not for what is under way to other
            workers, which may be in tasks of hours.
        """
        with self._lock:
            if not self._closed:
                self._transport.send(0, message)
                if flush:
                    self._transport.flush(0)

    def flush(self) -> None:
        """Wait until what was sent has left this rank's memory."""
        with self._lock:
            if not self._closed:
                self._transport.flush(0)

    def join(self, names: frozenset[str], said: bytes) -> None:
        """Say that tasks may come.

        names: what the program's module defines here.
        said: what the program has written to stderr while it was imported.
        """
        host, addresses = socket.gethostname(), own_addresses()
        self.send(messages.Joined(host, os.getpid(), memory_domain(), names, addresses, said))

    def refuse(self, reason: str, said: bytes) -> None:
        """Say that the program cannot be imported here, why, and what it has printed before."""
        self.send(messages.ImportFailed(socket.gethostname(), reason, said))

    def printed(self, stream: int, data: bytes, group: int | None = None) -> bool:
        """Send whole lines of a task on their way to the user.

        stream: 1 for stdout, 2 for stderr. group: that the task belongs to. Returns False where
        nothing is sent any more.
        """
        with self._lock:
            if not self._closed:
                self._transport.send(0, messages.Printed(stream, data, group))
                self._unread += len(data)
                if self._unread > UNREAD_BYTES or len(data) > EAGER_BYTES:
                    self._transport.flush(0)
                    self._unread = 0
            return not self._closed

    def close(self) -> None:
        """Send the last message, and wait until it is gone."""
        with self._lock:
            self._closed = True  # threads that tasks have left behind may go on printing
            self._transport.send(0, messages.Left())
            self._transport.flush()
