"""How a worker leaves: its Python ends, then it waits until rank 0 ends too, then MPI ends.

So that nobody waits in MPI's own end for a rank that has something else to do, and that end may
have a limit: Open MPI 5 can hang or crash there when a rank dies at that moment. By then all work
is done and delivered: what happens is nobody's business any more, and ends without a word.
"""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NoReturn

from .messages import Left, Stop
from .pause import pause
from .process import ending, fuse, strays, witness
from .process.deadline import GRACE
from .transport import Transport, leave

logger = logging.getLogger("scoopmpi")

FINALIZE_SECONDS = 6.0
"""For MPI's end once all ranks have come to it: it takes 0.01 to 0.3 s here. The witness adds its
grace, and rank 0 waits for that."""
RANKS_PER_SECOND = 500
"""More for a large job: its launcher hears from each rank."""


def end(transport: Transport, lock: AbstractContextManager[Any]) -> NoReturn:
    """The end of a worker after its last message. lock: guards the transport."""
    ending.in_order(transport.rank, partial(_with_rank_0, transport, lock))


def inside_task(transport: Transport) -> NoReturn:
    """The end of a worker while a task runs, whose value nobody wants; with the lock held."""
    transport.send(0, Left())
    transport.close()
    _with_rank_0(transport, nullcontext())


def _with_rank_0(transport: Transport, lock: AbstractContextManager[Any]) -> NoReturn:
    witness.ends(witness.ENDING, None)
    began = time.monotonic()
    while not _released(transport, lock):
        pause(time.monotonic() - began, spin=False)
    witness.ends(witness.LEAVING, _limit(transport))
    leave()


def _released(transport: Transport, lock: AbstractContextManager[Any]) -> bool:
    with lock:
        arrived = transport.receive()
    return arrived is not None and isinstance(arrived[1], Stop)


def with_workers(transport: Transport | None, status: int) -> None:
    """On rank 0, after the program and its farm: its exit functions, then all come to MPI's end.

    From here on this process ends within seconds, with `status`.
    """
    atexit._run_exitfuncs()
    _end_strays(status)
    if transport is not None:
        for worker in range(1, transport.size):
            transport.send(worker, Stop())
        transport.flush()
        fuse.light(_limit(transport) + 2 * GRACE, status)


def _end_strays(status: int) -> None:
    """What the program has left running on rank 0, where its launcher would wait for it."""
    left = strays.end(strays.SECONDS if status <= 128 else 0.0, own_group=True)
    if left:
        logger.warning("rank 0: %s", strays.ended(left))


def _limit(transport: Transport) -> float:
    return FINALIZE_SECONDS + transport.size / RANKS_PER_SECOND
