"""The ranks that an mpirun of the user's own has started, as master and workers of pools.

For programs with schwimmbad's idiom: each rank runs the program, and asks a pool whether it is the
master. Rank 0 is, and opens an `MPICommExecutor` when it has work; the others wait for that, as
often as it may come. Who has asked and does not wait works at its exit: so nobody is missed,
whatever the program does in between. When rank 0 ends, it says so.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from concurrent.futures import CancelledError
from typing import Any

from ..concurrency.backoff import YIELD_SECONDS, pause
from ..concurrency.periods import LATE_RANKS_SECONDS
from ..process import identity, launcher_mismatch, launcher_variables
from ..wire.transport import library, mpi
from .comm_executor import MPICommExecutor, MPIExecutor

TAG = 31415
"""Marks our words to ranks that wait and receive nothing else meanwhile; any MPI has 32767 tags."""
WORK, END, HERE = b"work", b"end ", b"here"
"""The words of rank 0 to those that wait, and their answer when they begin to work."""


class ProgramRanks:
    """All ranks of the program, as one of them sees them.

    comm: the communicator of all.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self.rank: int = comm.rank
        self.workers: int = comm.size - 1
        self.at_work = False
        self._over = False
        self._block: MPICommExecutor | None = None
        self._executor: MPIExecutor | None = None
        self._users: weakref.WeakSet[Any] = weakref.WeakSet()  # who is dropped uses it no more
        self._calling = threading.Lock()  # any thread of the program may be the first to need them
        # As concurrent.futures does: in functions of `atexit` no thread may begin any more.
        getattr(threading, "_register_atexit")(self._leave)  # noqa: B009 (not in the type stubs)

    # Rank 0.

    def lead(self, user: object) -> MPIExecutor:
        """Return the executor on the other ranks when they are there.

        user: the pool that uses it, until it is released or dropped.
        """
        self._users.add(user)
        with self._calling:
            if self._executor is None:
                self._call(WORK)
                self._gather()
                self._block = MPICommExecutor(self._comm)
                self._executor = self._block.__enter__()
            assert self._executor is not None
            return self._executor

    def release(self, user: object, failed: bool) -> None:
        """Let the others go on, unless somebody else uses them.

        failed: whether what has not begun is not to run.
        """
        self._users.discard(user)
        if self._block is None or self._users:
            return
        block, self._block, self._executor = self._block, None, None
        error = CancelledError() if failed else None
        block.__exit__(type(error) if error else None, error, None)

    def _call(self, word: bytes) -> None:
        for rank in range(1, self.workers + 1):
            self._comm.Send(word, rank, TAG)  # so small that it never waits

    def _gather(self) -> None:
        missing = set(range(1, self.workers + 1))
        begun, told = time.monotonic(), False
        while missing:
            idle = time.monotonic() - begun
            here = {rank for rank in missing if self._comm.Iprobe(rank, TAG)}
            for rank in here:
                self._comm.Recv(bytearray(len(HERE)), rank, TAG)
            missing -= here
            if missing and idle > LATE_RANKS_SECONDS and not told:
                told = True
                print(
                    f"scoopmpi: rank 0 waits for the ranks {sorted(missing)}: they have to call "
                    "pool.wait(), or to end, where pool.is_master() says no",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
            pause(idle, YIELD_SECONDS)

    # The others.

    def follow(self) -> None:
        """Work until rank 0 needs nobody for now; at once where it has ended."""
        if self._over or self._heard() == END:
            self._over = True
            return
        self._comm.Send(HERE, 0, TAG)
        self.at_work = True
        try:
            with MPICommExecutor(self._comm):
                pass
        finally:
            self.at_work = False

    def _heard(self) -> bytes:
        begun = time.monotonic()
        while not self._comm.Iprobe(0, TAG):
            pause(time.monotonic() - begun, YIELD_SECONDS)
        word = bytearray(len(WORK))
        self._comm.Recv(word, 0, TAG)
        return bytes(word)

    # The end of the program.

    def _leave(self) -> None:
        if self.rank == 0:
            self._users.clear()
            self.release(self, failed=False)
            self._call(END)
        while self.rank and not self._over:
            self.follow()


_ranks: ProgramRanks | None = None
"""Those of this process, once it has been asked: MPI gives a process one place in its life."""


def gathered() -> ProgramRanks | None:
    """Return all ranks of this program; None where it has only one, or runs on a farm already.

    Raises RuntimeError where ranks cannot see each other.
    """
    global _ranks
    if _ranks is not None:
        return None if _ranks.at_work else _ranks
    if identity.this.started or not _launched():
        return None
    comm = mpi().COMM_WORLD
    if problem := launcher_mismatch.in_mpi(os.environ, library(), comm.size, None):
        raise RuntimeError(problem)
    if comm.size > 1:
        _ranks = ProgramRanks(comm)
    return _ranks


def _launched() -> bool:
    """Return whether this may be one of many ranks; asking MPI would start it."""
    return "mpi4py.MPI" in sys.modules or launcher_variables.rank_of(os.environ) is not None
