"""Messages between ranks. The only file that imports mpi4py.

A message is one pickle of a tuple of plain values; its large buffers follow as messages of their
own, from the sender's memory into memory that earlier ones have left (`buffer_pool`). Sends never
block: what is under way is kept alive here until MPI has taken it. One thread at a time may call in
(MPI_THREAD_SERIALIZED); the caller holds the lock. Probe and receive are two calls, which is safe
for one thread and works where matched probes are broken (xopt-org/Xopt#67).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from ..concurrency.backoff import pause_while_sending
from ..concurrency.periods import ABORT_SECONDS
from ..process import lifeline, streams
from ..process.supervisor import ORPHANED
from .messages import KINDS, NUMBERS, Lost, Message
from .mpi_waits import yield_inside_mpi
from .under_way import UnderWay

if TYPE_CHECKING:  # an import is a file that every rank opens
    from .buffer_pool import BufferPool
    from .line import Line

LARGE = 1 << 16  # as payload.OUT_OF_BAND: below, a message of its own costs more than a copy
PIECE = 1 << 30  # MPI counts are 32 bit ints before MPI-4: buffers above 1 GiB go in pieces
POOLED = 1 << 18  # below, malloc has memory back by itself, and 2 us for a pooled buffer count
TAG_ALONE, TAG_WITH_BUFFERS, TAG_BUFFER = 1, 2, 3


class Garbled(Exception):
    """What a rank has sent is no message: nothing can go on. The text names the rank."""


class Transport(Protocol):
    """The door to the other ranks, for farm and worker; tests have a link in memory behind it.

    rank: of this process. size: how many ranks there are.
    """

    rank: int
    size: int

    def send(self, to: int, message: Message) -> None:
        """Start sending and return at once. Its buffers must not change before `flush`."""

    def receive(self) -> tuple[int, Message] | None:
        """Return the sender and the next message, or None where nothing has arrived."""

    def flush(self, to: int | None = None) -> None:
        """Wait until everything that was sent to a rank, or to all, has left this rank's memory."""

    def close(self) -> None:
        """Send what is under way; nothing is sent from this rank afterwards."""

    def rest(self) -> float | None:
        """Give back memory that is not needed, as `receive` does; return when to do so again."""

    def abort(self, status: int) -> None:
        """End every rank at once, with this exit status; does not return."""


class MPITransport:
    """A link over a communicator of its own, so that the user's MPI messages never meet ours.

    Making one is collective.
    comm: an intracommunicator, COMM_WORLD where None. root: its rank that becomes rank 0 here.
    """

    leave_together = True
    """MPI ends for all ranks at once."""

    def __init__(self, comm: Any = None, root: int = 0) -> None:
        MPI = mpi()
        self._mpi = MPI
        comm = MPI.COMM_WORLD if comm is None else comm
        yielding = yield_inside_mpi(True)  # until all have come
        if root == 0:
            self._comm = comm.Dup()
        else:
            self._comm = comm.Split(0, -1 if comm.rank == root else comm.rank)
        yield_inside_mpi(yielding)
        self.rank: int = self._comm.rank
        self.size: int = self._comm.size
        self._status = MPI.Status()
        self._under_way = UnderWay(self._note_the_dead)
        self._cut_off = False  # whether a host cannot be reached
        self._dead: set[int] = set()
        self._unsaid: deque[int] = deque()  # those of the dead that nobody has been told of
        self._lines: dict[int, Line] = {}  # to workers that are no ranks of MPI
        self._pool: BufferPool | None = None

    def join(self, line: Line) -> None:
        """Have a process at the other end of a line be the next rank here, for this rank only."""
        self._lines[self.size] = line
        self.size += 1

    def send(self, to: int, message: Message) -> None:
        if self._lines and to in self._lines:
            self._lines[to].send(message)
            return
        buffers: list[Any] = []

        def keep(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < LARGE:
                return True
            buffers.append(raw)
            return False

        fields = (NUMBERS[type(message)], *message)
        head = pickle.dumps(fields, 5, buffer_callback=keep)
        if buffers:
            sizes = [buffer.nbytes for buffer in buffers]
            head = pickle.dumps((head, sizes), 5)
        self._start(head, to, TAG_WITH_BUFFERS if buffers else TAG_ALONE)
        for buffer in buffers:
            for start in range(0, buffer.nbytes, PIECE):
                self._start(buffer[start : start + PIECE], to, TAG_BUFFER)
        if self._under_way.sends:
            self._under_way.drop()

    def receive(self) -> tuple[int, Message] | None:
        if self._under_way.sends:
            self._under_way.drop()
        if self._unsaid:
            return self._unsaid.popleft(), Lost()
        for _ in range(2 + len(self._dead)):
            try:
                found = self._received()
                return self._from_lines() if found is None and self._lines else found
            except self._mpi.Exception as problem:
                self._note_the_dead(problem)
                if self._unsaid:
                    return None
            # Else a message of the dead is in front, which MPI does not hand out: look behind it.
        return None

    def _from_lines(self) -> tuple[int, Message] | None:
        for rank, line in self._lines.items():
            if rank not in self._dead:
                message = line.receive()
                if message is not None:
                    return rank, message
                if line.ended:
                    self._dead.add(rank)
                    return rank, Lost()
        return None

    def _received(self) -> tuple[int, Message] | None:
        status = self._status
        # Twice: MPI looks at what it has taken in, and takes in more only behind that. Open MPI and
        # MPICH say no to the first probe after a sleep whatever has come, and the next may be a
        # whole pause later: sleeping tasks of 100 ms lost 8 ms each.
        probe, source, tag = self._comm.Iprobe, self._mpi.ANY_SOURCE, self._mpi.ANY_TAG
        if not probe(source, tag, status) and not probe(source, tag, status):
            if self._pool is not None:
                self._pool.rest()
            return None
        source, tag = status.source, status.tag
        size = status.Get_count(self._mpi.BYTE)
        head = self._mpi.buffer.allocate(size) if size < POOLED else self._memory(size)
        self._comm.Recv([head, self._mpi.BYTE], source, tag)
        try:
            if tag == TAG_ALONE:
                fields = pickle.loads(head)
            else:
                inner, sizes = pickle.loads(head)
                fields = pickle.loads(inner, buffers=[self._take(source, size) for size in sizes])
            message: Message = KINDS[fields[0]]._make(fields[1:])
        except self._mpi.Exception:
            raise
        except Exception as problem:
            raise Garbled(
                f"what rank {source} has sent to rank {self.rank} is no message "
                f"({type(problem).__name__}: {problem}): its MPI library lost something, or a task "
                "uses the farm's communicator"
            ) from problem
        return source, message

    def flush(self, to: int | None = None) -> None:
        sends, since = self._under_way.sends, 0.0
        while sends if to is None else to in sends:
            since = since or time.monotonic()
            # MPI's own wait would keep a core that the receiver may need.
            pause_while_sending(time.monotonic() - since)
            self._under_way.drop()
        for line in self._lines.values():
            line.flush()

    def close(self) -> None:
        self.flush()
        if self._pool is not None:
            self._pool.close()

    def rest(self) -> float | None:
        return None if self._pool is None else self._pool.rest()

    def host_cut_off(self) -> None:
        """Note that a host cannot be reached: `abort` does not wait for the launcher then."""
        self._cut_off = True

    def leave(self) -> NoReturn:
        """Finalise MPI and end this process at once, whatever its other threads do."""
        leave()

    @property
    def dead(self) -> set[int]:
        """The ranks that have died."""
        return self._dead

    def free(self) -> None:
        """Give the communicator back, where MPI goes on without this link; collective."""
        if not self._dead:
            self._comm.Free()

    def abort(self, status: int) -> None:
        streams.flush()
        lifeline.command.ends_with(status)
        lifeline.command.say()
        if self._cut_off and _daemon_killed():
            os._exit(status or 1)
        _end_after(ABORT_SECONDS)
        self._comm.Abort(status)
        os._exit(status)  # where MPI returns from it all the same

    def _start(self, data: Any, to: int, tag: int) -> None:
        if to in self._dead:
            return
        try:
            request = self._comm.Isend([data, self._mpi.BYTE], to, tag)
            if not request.Test():
                self._under_way.add(to, request, data)
        except self._mpi.Exception as problem:
            self._note_the_dead(problem)

    def _note_the_dead(self, problem: Any) -> None:
        """Note which ranks have died, where the problem is that; else raise it.

        Open MPI with ULFM lets the others live (MPI-5, chapter on process fault tolerance).

        A probe for any sender fails once for each death, until the deaths are acknowledged.
        """
        if problem.Get_error_class() != getattr(self._mpi, "ERR_PROC_FAILED", None):
            raise problem
        failed = self._comm.Get_failed()
        places = list(range(failed.size))
        ranks = self._mpi.Group.Translate_ranks(failed, places, self._comm.Get_group())
        self._comm.Ack_failed(failed.size)  # no more than these: one may have died meanwhile
        if self.rank > 0 and 0 in ranks:
            os._exit(ORPHANED)  # nobody is left to work for
        self._unsaid += [rank for rank in ranks if rank not in self._dead]
        self._dead.update(ranks)

    def _take(self, source: int, size: int) -> Any:
        memory = self._memory(size)
        view = memoryview(memory)
        for start in range(0, size, PIECE):
            self._comm.Recv([view[start : start + PIECE], self._mpi.BYTE], source, TAG_BUFFER)
        return memory

    def _memory(self, size: int) -> Any:
        if size < POOLED:
            return self._mpi.buffer.allocate(size)
        if self._pool is None:
            from . import buffer_pool  # late: a file that ranks need not open for less

            self._pool = buffer_pool.of_rank(self.rank)
        return self._pool.take(size)


def mpi() -> Any:
    """Return the MPI module, initialised for one thread at a time."""
    import mpi4py

    if "mpi4py.MPI" not in sys.modules:
        mpi4py.rc.thread_level = "serialized"
    from mpi4py import MPI

    return MPI


def leave() -> NoReturn:
    """Finalise MPI and end this process at once, whatever its other threads do.

    Through C's `exit`, not `os._exit`: MPICH says goodbye to its launcher in an exit handler, and
    a process that leaves without is taken for a crash.
    """
    yield_inside_mpi(True)
    with contextlib.suppress(Exception):  # another rank has died meanwhile, which is told elsewhere
        mpi().Finalize()
    ctypes.CDLL(None).exit(0)
    os._exit(0)


def _daemon_killed() -> bool:
    """Kill the launcher's daemon on this host, which would wait for one that is off."""
    from ..process import daemon  # late: a file that ranks need not open for it

    return daemon.kill()


def _end_after(seconds: int) -> None:
    """Have the kernel end this process in so many seconds, whatever its threads do.

    MPI_Abort of MPICH 5.0.2 spins for ever where a host or the launcher's daemon is gone. By the C
    library, as the thread may be any, and a handler of Python's would never run.
    """
    libc = ctypes.CDLL(None)
    libc.signal(signal.SIGALRM, ctypes.c_void_p(0))  # SIG_DFL
    libc.alarm(seconds)


def threads_allowed() -> bool:
    """True where a second thread may make MPI calls while the first makes none."""
    MPI = mpi()
    return bool(MPI.Query_thread() >= MPI.THREAD_SERIALIZED)


def library() -> str:
    """Return the first line of what the MPI library says of itself."""
    text: str = mpi().Get_library_version()
    return text.splitlines()[0].strip("\0 ")
