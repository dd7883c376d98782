"""Ranks leave together: when the Python of each of them has ended, MPI ends for all at once.

So nobody waits in MPI's own end for a rank that has something else to do, and that end may have a
limit: Open MPI 5 can hang or crash there when a rank dies at that moment. By then all work is done
and delivered: what happens there concerns nobody any more, and is not reported. The limits are in
`concurrency.periods`; a worker's supervisor, and the fuse of rank 0, keep them.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, Union

from ..concurrency.backoff import YIELD_SECONDS, pause
from ..concurrency.periods import (
    END_SECONDS,
    FINALIZE_SECONDS,
    GRACE_SECONDS,
    RANKS_PER_SECOND,
    WORKERS_SECONDS,
)
from ..process import ending, lifeline, strays, supervisor
from ..process.signals import STOPPING
from ..wire.messages import Left, Stop
from ..wire.mpi_waits import yield_inside_mpi
from ..wire.transport import MPITransport

if TYPE_CHECKING:  # an import is a file that every rank opens
    from ..wire.line import LineTransport

Way: TypeAlias = Union[MPITransport, "LineTransport"]
"""Of a rank to the others."""
logger = logging.getLogger("scoopmpi")
_SIGNALLED = [128 + number for number in STOPPING]
"""The program's exit statuses by which its batch system, or Ctrl-C, wants it to end soon."""


def end(transport: Way, lock: AbstractContextManager[Any]) -> NoReturn:
    """End a worker after its last message: its Python, and then MPI together with all ranks.

    lock: guards the transport.
    """
    ending.in_order(transport.rank, partial(_with_rank_0, transport, lock))


def inside_task(transport: Way) -> NoReturn:
    """End a worker while a task runs whose value nobody wants; with the lock held."""
    _with_rank_0(transport, nullcontext(), supervisor.LEAVING_TASK)


def _with_rank_0(
    transport: Way, lock: AbstractContextManager[Any], phase: int = supervisor.LEAVING
) -> NoReturn:
    """Answer rank 0, which asks when its own Python has ended, and leave when all have answered."""
    if transport.leave_together:
        supervisor.link.ends(supervisor.ENDING, None)
        _wait_for_stop(transport, lock)
        with lock:
            transport.send(0, Left())
            transport.flush()
        _wait_for_stop(transport, lock)
    supervisor.link.ends(phase, _limit(transport))
    transport.leave()


def _wait_for_stop(transport: Way, lock: AbstractContextManager[Any]) -> None:
    began = time.monotonic()
    while True:
        with lock:
            arrived = transport.receive()
        if arrived is None:
            pause(time.monotonic() - began)
        elif isinstance(arrived[1], Stop):
            return


class Rank0:
    """Ends rank 0: after its program's exit functions, all ranks come to MPI's end.

    Made before the program runs. transport: None without workers.
    """

    def __init__(self, transport: MPITransport | None) -> None:
        from ..concurrency.signal_scopes import scopes  # not above, as workers need neither
        from ..process import fuse

        self._status = 1
        self._light, self._deaf = fuse.light, scopes.deaf
        self._transport = transport
        self._pid = os.getpid()
        self._ended = False
        # Before the program can register any, so it runs after them. Twice, as a handler of the
        # program's may raise before the first has begun.
        atexit.register(self._end)
        atexit.register(self._end)

    def program_ended(self, status: int) -> None:
        """Note the program's exit status, for the command that has started the job."""
        self._status = status

    def _end(self) -> None:
        if os.getpid() != self._pid:
            return  # a child that the program has forked
        with self._deaf():  # a handler of the program's that raises would leave the others behind
            if not self._ended:
                self._ended = True
                self._end_job()

    def _end_job(self) -> None:
        _end_strays(self._status)
        status = lifeline.command.ends_with(self._status)
        lifeline.command.say()
        transport = self._transport
        if transport is not None:
            self._light(WORKERS_SECONDS + 2 * _limit(transport), status)  # whatever happens
            _stop_all(transport)
            _wait_for_all(transport)
            _stop_all(transport)
            transport.flush()
            self._light(_limit(transport) + 2 * GRACE_SECONDS, status)
            yield_inside_mpi(True)


def _stop_all(transport: MPITransport) -> None:
    for worker in range(1, transport.size):
        transport.send(worker, Stop())


def _wait_for_all(transport: MPITransport) -> None:
    """Wait until every worker that lives has come to the end of its Python."""
    waiting = set(range(1, transport.size))
    began = last = time.monotonic()
    while waiting - transport.dead and time.monotonic() - began < WORKERS_SECONDS:
        arrived = transport.receive()
        if arrived is None:
            pause(time.monotonic() - last, YIELD_SECONDS)
            continue
        last = time.monotonic()
        if isinstance(arrived[1], Left):
            waiting.discard(arrived[0])


def _end_strays(status: int) -> None:
    """End what the program has left running on rank 0, where its launcher would wait for it."""
    _end_forkserver()
    signalled = status in _SIGNALLED
    left = strays.end(0.0 if signalled else END_SECONDS, own_group=True)
    if left and not signalled:
        logger.warning("rank 0: %s", strays.ended(left))


def _end_forkserver() -> None:
    """End that of multiprocessing, which waits here for its maker's end."""
    server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    stop = getattr(server, "_stop", None)
    if stop is not None:
        with suppress(Exception):
            stop()


def _limit(transport: Way) -> float:
    return FINALIZE_SECONDS + transport.size / RANKS_PER_SECOND
