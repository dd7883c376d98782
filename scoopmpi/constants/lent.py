"""Buffers that a rank has been lent: what many tasks have in common, once for each host.

The buffers of one number are together: in the host's shared memory, which the first rank there has
published, or in this rank's own where that does not work. Each task that opens one may write to it
and disturbs nobody. How numbers come here, and when they are forgotten, is said in `lending`.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..wire import lent
from ..wire.lent import Part
from . import hostmemory
from .hostmemory import NotShared, Published, Where
from .private_memory import PrivateMemory


class Lent:
    """The buffers of one number.

    buffers: all of them, read-only. where: their place on this host, None where each rank has its
    own. fd: of the file there; or published, which keeps that open.
    """

    def __init__(
        self,
        buffers: Sequence[Any],
        where: Where | None = None,
        fd: int | None = None,
        published: Published | None = None,
    ) -> None:
        self.buffers, self.where = buffers, where
        self._own_fd, self._published = fd, published
        opened = fd if published is None else published.fd
        self._own: PrivateMemory | None = None
        if opened is not None and where is not None:
            self._own = PrivateMemory(opened, where, partial(_copied, buffers))
        self._guard = threading.Lock()
        self._bytes: dict[int, bytes] = {}

    def opened(self, place: int, use: int) -> Any:
        """Return a buffer for one task, to be used as is said (`lent.PRIVATE` and so on)."""
        if use == lent.PRIVATE:
            return self._own.opened(place) if self._own else _copied(self.buffers, place)
        if use == lent.READ_ONLY:
            return self.buffers[place]
        with self._guard:
            if place not in self._bytes:
                self._bytes[place] = bytes(self.buffers[place])
            return self._bytes[place]

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return sum(memoryview(each).nbytes for each in self.buffers)

    def frame(self) -> tuple[Any, ...]:
        """Return the buffers as they can be sent."""
        return tuple(map(pickle.PickleBuffer, self.buffers))

    def close(self) -> None:
        """Let go of memory and file; what tasks have opened stays theirs."""
        self.buffers, self._own = (), None
        self._bytes.clear()
        if self._published is not None:
            self._published.close()
            self._published = None
        if self._own_fd is not None:
            os.close(self._own_fd)
            self._own_fd = None

    __del__ = close


def _copied(buffers: Sequence[Any], place: int) -> Any:
    return bytearray(buffers[place])


def kept(buffers: Any) -> Lent:
    """Return what a rank has been sent, as it keeps it.

    buffers: as in `LentBuffers`. Raises NotShared where they are in memory that cannot be opened.
    """
    if not isinstance(buffers, Where):
        return published(buffers)
    fd = hostmemory.opened(buffers)
    try:
        return Lent(hostmemory.views(fd, buffers.sizes), buffers, fd)
    except OSError as problem:
        os.close(fd)
        raise NotShared(f"mapping the memory of process {buffers.pid}: {problem}") from problem


def published(buffers: Sequence[Any]) -> Lent:
    """Return buffers in this host's shared memory, in this rank's own where that does not work."""
    try:
        there = hostmemory.publish(buffers)
    except NotShared:
        return Lent([memoryview(each).toreadonly() for each in buffers])
    return Lent(there.views, there.where, published=there)


class Loan:
    """What the tasks of one batch, or its function, refer to, for as long as they may open it."""

    def __init__(self, lent: Mapping[int, Lent]) -> None:
        self._lent = lent

    def opened(self, part: Part) -> Any:
        """Return a buffer for one task. Raises LookupError where it has not come."""
        number, place, use = part
        there = self._lent.get(number)
        if there is None:
            raise LookupError(
                f"the data with number {number}, which all tasks have in common, has not come"
            )
        return there.opened(place, use)
