"""Rank 0's look at the hosts of its workers: one that is off or cut off must not be waited for.

Decides by what the kernel hears from a host (`process.connections`), never by what workers say: one
may compute for hours without a word. Tells the user, then the farm; a farm that is stuck in an MPI
call ends with this process. A thread that sleeps but for a few looks a minute.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..concurrency.periods import HOST_STUCK_SECONDS
from ..process import connections
from ..wire.errors import WorkerLost
from .members import Members

if TYPE_CHECKING:
    from ..wire.transport import MPITransport
    from .farm import Farm

logger = logging.getLogger("scoopmpi")

VARIABLE = "SCOOPMPI_HOST_SECONDS"
USUAL = 60.0
"""Seconds. A switch that starts anew takes about that long; shorter cuts do no harm."""
_LEAST = 4.0
"""Seconds: kernels probe once a second at most, and half of this shall see an answer."""
_LOOKS = 6
"""Until the limit: each is a probe that the kernel sends."""
_LOOK_SECONDS = 10.0
"""At most between two looks."""
_FIRST_SECONDS = 1.0
"""To the first look: which connections there are."""
Silences = Callable[[Collection[str], float], dict[str, float]]


def limit(env: Mapping[str, str]) -> float:
    """Return the seconds after which a silent host is lost, as the user's variable has it.

    It may be 0 or inf, for never; what is returned is inf then.
    """
    text = env.get(VARIABLE, "")
    try:
        seconds = float(text) if text else USUAL
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds) or seconds < 0:
        logger.warning("%s=%.100r is ignored: it may be seconds, or 0 for never", VARIABLE, text)
        return USUAL
    return seconds or math.inf


def over(farm: Farm, transport: MPITransport, env: Mapping[str, str]) -> HostWatch:
    """Begin a watch over the hosts of a farm's workers, and return it."""

    def lost(error: WorkerLost) -> None:
        transport.host_cut_off()
        farm.fail(error)

    begun = HostWatch(farm.members, lost, limit(env), stuck=lambda: farm.error is None)
    begun.start()
    return begun


class HostWatch:
    """A watch over the hosts of `members`.

    lost: told once why the job cannot go on. seconds: how long a host may be silent.
    stuck: whether nobody has taken that in.
    """

    def __init__(
        self,
        members: Members,
        lost: Callable[[WorkerLost], None],
        seconds: float,
        stuck: Callable[[], bool] = lambda: False,
        silences: Silences | None = None,
    ) -> None:
        self._members, self._lost, self._stuck = members, lost, stuck
        self._seconds = max(seconds, _LEAST)
        self._every = min(self._seconds / _LOOKS, _LOOK_SECONDS)
        self._silences = silences or connections.Connections().silences
        self._seen: set[str] = set()  # addresses to which there were connections
        self._warned: set[str] = set()
        self._launcher = os.getppid()
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to look; until `stop`."""
        if math.isfinite(self._seconds):
            threading.Thread(target=self._run, name="scoopmpi host watch", daemon=True).start()

    def stop(self) -> None:
        """End the watch: nobody waits for workers any more."""
        self._over.set()

    def look(self) -> bool:
        """Look once; return True where a host is lost."""
        hosts = self._members.addresses
        for address, silent in self._silences(hosts.keys(), self._every).items():
            self._seen.add(address)
            host, workers = hosts[address]
            if workers and silent >= self._seconds:
                error = WorkerLost(f"{_nothing(host, workers, silent)}; the job cannot go on")
                error.rank, error.host = workers[0], host
                self._lost(error)
                return True
            self._tell(host, workers, silent)
        return False

    def launcher_died(self) -> bool:
        """Return True, and say so, where the launcher has died.

        SIGTERM comes then; PRRTE dies of a lost daemon.
        """
        if os.getppid() == self._launcher:
            return False
        hosts = self._members.addresses
        left = self._silences(hosts.keys(), self._every)
        gone = {hosts[each][0]: hosts[each][1] for each in self._seen if each not in left}
        lost = [f"host {host} ({named(workers)})" for host, workers in gone.items() if workers]
        text = "the launcher has died before the program has ended"
        if lost:
            text += f": {' and '.join(lost)} is lost, or the launcher's daemon there"
        logger.warning(text)
        return True

    def _tell(self, host: str, workers: Sequence[int], silent: float) -> None:
        if host in self._warned and silent < self._seconds / 3:
            self._warned.discard(host)
            logger.warning("host %s answers again", host)
        elif host not in self._warned and workers and silent >= self._seconds / 2:
            self._warned.add(host)
            logger.warning(
                "%s; the job ends if that goes on for %.0f s more",
                _nothing(host, workers, silent), self._seconds - silent,
            )  # fmt: skip

    def _run(self) -> None:
        wait = min(self._every, _FIRST_SECONDS)
        while not self._over.wait(wait):
            wait = self._every
            if self.look():
                break
        else:
            return
        if not self._over.wait(HOST_STUCK_SECONDS) and self._stuck():
            logger.warning("MPI waits for that host: ending all ranks")
            os.kill(os.getpid(), signal.SIGKILL)  # an exit status is not enough for Hydra


def _nothing(host: str, workers: Sequence[int], silent: float) -> str:
    return (
        f"nothing has come from host {host} ({named(workers)}) for {silent:.0f} s, no answer of "
        "its kernel either: it is off, or its network is cut"
    )


def named(workers: Sequence[int]) -> str:
    """Return workers in few words: `worker 3`, `workers 3, 4`, `workers 3 to 66`."""
    ranges = list(_ranges(sorted(workers)))
    text = ", ".join(
        str(first) if first == last else f"{first}{' to ' if last - first > 1 else ', '}{last}"
        for first, last in ranges
    )
    return f"worker{'s' if len(workers) > 1 else ''} {text}"


def _ranges(workers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = -2
    for worker in workers:
        if worker > last + 1:
            if first >= 0:
                yield first, last
            first = worker
        last = worker
    if first >= 0:
        yield first, last
