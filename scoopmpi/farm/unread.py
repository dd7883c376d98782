"""Maps that nobody reads: all their tasks run, their values are thrown away.

A map is left when its iterator is dropped before its first value, or is still unread when the
program ends. Here is what happens then: its outcomes are discarded as they come, and its iterators
are read on, window by window, by threads that may wait for them (`readers`). Which tasks run
where, and what a window is, is not decided here.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from ..concurrency.reader_threads import Readers
from ..tasks.unfinished import tell_endless, tell_failed
from ..wire import failure
from .map_job import MapJob
from .patience import Patience

_THREAD_BOUND = "sqlite3"
"""A module whose objects work in one thread only: a generator that meets one in a thread of ours is
at its end, and cannot be read on by another."""


class UnreadMaps:
    """The maps of one farm that nobody reads.

    maps: those of the farm that are open, by number.
    release: hands out as many more tasks of a map as its window allows; runs its iterators.
    abandon: called with the number of a map that is over.
    threads: False for tests that drive by themselves.
    """

    def __init__(
        self,
        maps: Mapping[int, MapJob],
        release: Callable[[MapJob], None],
        abandon: Callable[[int], None],
        threads: bool,
    ) -> None:
        self._maps, self._release, self._abandon = maps, release, abandon
        self.dropped: deque[int] = deque()
        """Numbers of maps that have been dropped, and that nobody has looked after yet."""
        self._left: dict[int, MapJob] = {}
        self._reading: dict[int, bool] = {}  # and whether to look again afterwards
        self._guard = threading.Lock()  # of `_reading`
        self._told: set[str] = set()  # functions whose failures have been told
        self._readers = Readers(threads)

    def drop(self, number: int) -> None:
        """Note that nobody will read a map. The garbage collector may call this at any point."""
        self.dropped.append(number)

    def taken_in(self) -> list[Callable[[], None]]:
        """Look after maps that were dropped, with the farm's lock.

        Returns what is to be done for them without it.
        """
        found: list[Callable[[], None]] = []
        while self.dropped:
            job = self._maps.get(self.dropped.popleft())
            if job is not None and not job.left:
                job.leave()
                self._left[job.number] = job
                if job.endless:
                    found.append(partial(tell_endless, job.name, job.read))
                found.append(partial(self.go_on, job))
        return found

    def run_no_further(self, number: int) -> None:
        """Note that a map is closed: it need not run to its end, and nobody waits for that."""
        self._left.pop(number, None)

    def go_on(self, job: MapJob) -> None:
        """Throw away outcomes that have come, and have more tasks read; without the lock."""
        number = job.number
        if job.discard():
            self._ended(job)
        elif not job.streamed:
            self._release(job)
        elif not _waits_for_its_maker(job):
            with self._guard:
                begun = number in self._reading
                self._reading[number] = begun
            if not begun:
                self._readers.run(partial(self._read, job))

    @property
    def under_way(self) -> bool:
        """True where tasks of such maps are still to run, or to be read."""
        return bool(self.dropped or self._left)

    def _read(self, job: MapJob) -> None:
        """Read a window of tasks in a thread of ours; more where outcomes have come meanwhile."""
        number = job.number
        again = True
        while again:
            try:
                self._read_once(job)
            except BaseException as error:  # an iterator may even call sys.exit
                job.reading_failed(error)
                self._read_once(job)
            with self._guard:
                stuck = _waits_for_its_maker(job)
                again = self._reading[number] and number in self._left and not stuck
                if again:
                    self._reading[number] = False
                else:
                    del self._reading[number]

    def _read_once(self, job: MapJob) -> None:
        job.context.run(self._release, job)
        if job.discard():
            self._ended(job)

    def _ended(self, job: MapJob) -> None:
        if self._left.pop(job.number, None) is not None:
            self._abandon(job.number)
            if job.unheard is not None:
                job.unheard.tell(job.name, job.taken, self._told)
            if job.problem is not None:
                tell_failed(job.name, job.read, failure.reason(job.problem))

    # The end.

    def finish(self, wait_until: Callable[..., bool], broken: Callable[[], bool]) -> None:
        """Have all tasks run of maps of which no value was asked for, and no more of the others.

        The program has ended.

        wait_until: waits for a function, so many seconds at most. broken: says whether nothing can
        run any more.
        """
        said = Patience("tasks of maps whose values nobody takes", self._names)
        while not broken():
            for job in list(self._maps.values()):
                if not (job.asked or job.left or job.over):
                    self.drop(job.number)
            if not self.under_way:
                self._give_up_the_others()
                return
            for job in list(self._left.values()):
                if _waits_for_its_maker(job):
                    self.finish_here(job, partial(said.wait, wait_until))
            said.wait(wait_until, lambda: not self.under_way or broken() or self._any_stuck())

    def _give_up_the_others(self) -> None:
        """End maps of which some values were taken, now that no other map reads from them."""
        for job in list(self._maps.values()):
            if not (job.left or job.over):
                job.leave()  # who still asks for values hears of it
                self._abandon(job.number)

    def finish_here(self, job: MapJob, wait_until: Callable[..., object]) -> None:
        """Read in this thread, which waits, what can be read in no thread of ours."""

        def further(seen: int, reading: bool) -> bool:
            over = job.error is not None or job.number not in self._left
            return over or job.taken != seen or (reading and job.number not in self._reading)

        while job.number in self._left and job.error is None:
            reading = job.number in self._reading  # a thread of ours, which comes to its end
            if _waits_for_its_maker(job) and not reading:
                self._read_once(job)
            wait_until(partial(further, job.taken, reading))

    def _any_stuck(self) -> bool:
        return any(map(_waits_for_its_maker, list(self._left.values())))

    def _names(self) -> str:
        jobs = list(self._left.values())
        return ", ".join(f"{job.name} ({job.taken} have run)" for job in jobs)


def _waits_for_its_maker(job: MapJob) -> bool:
    """True where its iterators may only be read in the thread that waits at the end."""
    return job.stuck or (job.streamed and not job.over and _thread_bound())


def _thread_bound() -> bool:
    """True where the program uses that module; that a checkpoint of ours does says nothing."""
    module = sys.modules.get(_THREAD_BOUND)
    if module is None:
        return False
    ours = "scoopmpi.checkpoint.database" in sys.modules
    return not ours or module in vars(sys.modules["__main__"]).values()
