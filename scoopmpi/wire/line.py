"""Messages over a socket, to and from a process that is no rank of MPI.

The messages are those of all ranks, each one pickle behind its length. As over MPI a send never
blocks; what the socket has not taken yet is kept here. One thread at a time; the caller holds the
lock. Who is at the other end, and why, is not known here.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from ..concurrency.periods import HALF_WAY_SECONDS
from ..process.supervisor import ORPHANED
from .messages import KINDS, NUMBERS, Message

_LENGTH = struct.Struct("!Q")
_PIECE = 1 << 18
"""Bytes that are read at once: what a pipe of Linux holds, about."""


class Line:
    """One end of a line.

    end: of a pair of sockets. gone: says whether the process at the other end has died: a process
    of its own may hold the line open then.
    """

    def __init__(self, end: socket.socket, gone: Callable[[], bool] = lambda: False) -> None:
        end.setblocking(False)
        self._end, self._gone = end, gone
        self._out: deque[memoryview] = deque()
        self._arrived = bytearray()
        self.ended = False
        """True where nothing comes any more, and nothing gets through."""

    def put(self, what: Any) -> None:
        """Start sending a value, and return at once."""
        data = pickle.dumps(what, 5)
        self._out += (memoryview(_LENGTH.pack(len(data))), memoryview(data))
        self._push()

    def take(self) -> Any:
        """Return the next value that has arrived, None where there is none."""
        self._push()
        found = self._taken()
        if found is None and not self.ended:
            left = self._gone()  # asked first: what it has sent before that is here by then
            self._read()
            while (found := self._taken()) is None and self._goes_on():
                self._push()
                self._read()
            if found is None and left:
                self._broken()
        return found

    def flush(self) -> None:
        """Wait until the socket has taken everything."""
        while self._out and not self.ended:
            self._ready(select.POLLOUT, 0.1)
            self._push()
            if self._out and self._gone():
                self._broken()

    def wait(self) -> Any:
        """Return the next value; None where the other end has gone instead."""
        while (found := self.take()) is None and not self.ended:
            self._ready(select.POLLIN, 0.1)
        return found

    def send(self, message: Message) -> None:
        """Start sending a message."""
        self.put((NUMBERS[type(message)], *message))

    def receive(self) -> Message | None:
        """Return the next message, None where none has arrived."""
        fields = self.take()
        return None if fields is None else KINDS[fields[0]]._make(fields[1:])

    def _goes_on(self) -> bool:
        """Wait a moment where a message is half-way; True where there is more of it to move."""
        if self.ended or not (self._out or self._arrived):
            return False
        return self._ready(select.POLLIN | (select.POLLOUT if self._out else 0), HALF_WAY_SECONDS)

    def _ready(self, events: int, seconds: float) -> bool:
        """Wait for the socket, whatever its number: `select` takes none above 1023."""
        poll = select.poll()
        poll.register(self._end, events)
        return bool(poll.poll(seconds * 1000))

    def _push(self) -> None:
        try:
            while self._out:
                rest = self._out[0][self._end.send(self._out[0]) :]
                if rest:
                    self._out[0] = rest
                else:
                    self._out.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # what the other end has sent may still be read

    def _read(self) -> None:
        try:
            while data := self._end.recv(_PIECE):
                self._arrived += data
                if len(data) < _PIECE:
                    return
            self._broken()
        except BlockingIOError:
            pass
        except OSError:
            self._broken()

    def _taken(self) -> Any:
        head = _LENGTH.size
        if len(self._arrived) < head:
            return None
        end = head + _LENGTH.unpack_from(self._arrived)[0]
        if len(self._arrived) < end:
            return None
        data = bytes(memoryview(self._arrived)[head:end])
        del self._arrived[:end]
        return pickle.loads(data)

    def _broken(self) -> None:
        self.ended = True
        self._out.clear()


class LineTransport:
    """A worker's way to rank 0 where it is no rank of MPI: a `Transport`.

    line: to rank 0. rank: as rank 0 counts this worker.
    """

    size = 2
    """This worker and rank 0: all others have died."""

    leave_together = False
    """There is no common end of MPI to come to."""

    def __init__(self, line: Line, rank: int) -> None:
        self._line, self.rank = line, rank

    def send(self, to: int, message: Message) -> None:
        if to == 0:  # there are no others when such a worker begins
            self._line.send(message)

    def receive(self) -> tuple[int, Message] | None:
        message = self._line.receive()
        if message is not None:
            return 0, message
        if self._line.ended:
            os._exit(ORPHANED)  # nobody is left to work for
        return None

    def flush(self, to: int | None = None) -> None:
        self._line.flush()

    def close(self) -> None:
        self.flush()

    def rest(self) -> float | None:
        return None

    def abort(self, status: int) -> NoReturn:
        os._exit(status)

    def leave(self) -> NoReturn:
        """End this process at once, whatever its other threads do."""
        ctypes.CDLL(None).exit(0)
        os._exit(0)
