"""Maps that nobody reads: all their tasks run, their values are thrown away.

A map is left when its iterator is dropped before its first value, or is still unread when the
program ends. Here is what happens then: its outcomes are discarded as they come, and its iterators
are read on, window by window, by threads that may wait for them (`readers`). Which tasks run
where, and what a window is, is not decided here.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..concurrency.periods import SILENT_SECONDS
from ..concurrency.reader_threads import Readers
from ..tasks.unfinished import tell_endless, tell_failed
from ..wire import failure
from .map_job import MapJob

logger = logging.getLogger("scoopmpi")

_THREAD_BOUND = "sqlite3"
"""A module whose objects work in one thread only: a generator that meets one in a thread of ours is
at its end, and cannot be read on by another."""


class Unread:
    """The maps of one farm that nobody reads.

    jobs: all jobs of the farm, by number.
    release: hands out as many more tasks of a map as its window allows; runs its iterators.
    abandon: called with the number of a map that is over.
    threads: False for tests that drive by themselves.
    """

    def __init__(
        self,
        jobs: Mapping[int, Any],
        release: Callable[[int, MapJob], None],
        abandon: Callable[[int], None],
        threads: bool,
    ) -> None:
        self._jobs, self._release, self._abandon = jobs, release, abandon
        self._dropped: deque[int] = deque()
        self._left: dict[int, MapJob] = {}
        self._reading: dict[int, bool] = {}  # and whether to look again afterwards
        self._guard = threading.Lock()  # of `_reading`
        self._readers = Readers(threads)

    def drop(self, number: int) -> None:
        """Nobody will read this map. May be called by the garbage collector at any point."""
        self._dropped.append(number)

    def taken_in(self) -> list[Callable[[], None]]:
        """With the farm's lock: what is to be done without it for maps that were dropped."""
        found: list[Callable[[], None]] = []
        while self._dropped:
            number = self._dropped.popleft()
            job = self._jobs.get(number)
            if isinstance(job, MapJob) and not job.left:
                job.leave()
                self._left[number] = job
                if job.endless:
                    found.append(partial(tell_endless, name(job), job.read))
                found.append(partial(self.go_on, number, job))
        return found

    def go_on(self, number: int, job: MapJob) -> None:
        """Outcomes have come, or tasks are to be read: without the lock, by who drives."""
        if job.discard():
            self._ended(number, job)
        elif not job.streamed:
            self._release(number, job)
        elif not _waits_for_its_maker(job):
            with self._guard:
                begun = number in self._reading
                self._reading[number] = begun
            if not begun:
                self._readers.run(partial(self._read, number, job))

    @property
    def fresh(self) -> bool:
        """Whether maps have been dropped that nobody has looked after yet."""
        return bool(self._dropped)

    @property
    def under_way(self) -> bool:
        """Whether tasks of such maps are still to run, or to be read."""
        return bool(self._dropped or self._left)

    def _read(self, number: int, job: MapJob) -> None:
        """A window of tasks, in a thread of ours; more where outcomes have come meanwhile."""
        again = True
        while again:
            try:
                self._read_once(number, job)
            except BaseException as error:  # an iterator may even call sys.exit
                job.reading_failed(error)
                self._read_once(number, job)
            with self._guard:
                stuck = _waits_for_its_maker(job)
                again = self._reading[number] and number in self._left and not stuck
                if again:
                    self._reading[number] = False
                else:
                    del self._reading[number]

    def _read_once(self, number: int, job: MapJob) -> None:
        job.context.run(self._release, number, job)
        if job.discard():
            self._ended(number, job)

    def _ended(self, number: int, job: MapJob) -> None:
        if self._left.pop(number, None) is not None:
            self._abandon(number)
            if job.problem is not None:
                tell_failed(name(job), job.read, failure.reason(job.problem))

    # The end.

    def finish(self, wait_until: Callable[..., bool], broken: Callable[[], bool]) -> None:
        """The program has ended: have all tasks run of maps of which no value was asked for."""
        said = Patience("tasks of maps whose values nobody takes", self._names)
        while not broken():
            for number, job in dict(self._jobs).items():
                if isinstance(job, MapJob) and not (job.asked or job.left or job.over):
                    self.drop(number)
            if not self.under_way:
                return
            for number, job in self._left.copy().items():
                if _waits_for_its_maker(job):
                    self.finish_here(number, job, partial(said.wait, wait_until))
            said.wait(wait_until, lambda: not self.under_way or broken() or self._any_stuck())

    def finish_here(self, number: int, job: MapJob, wait_until: Callable[..., Any]) -> None:
        """A map whose iterators work in no thread of ours is read by the thread that waits."""

        def further(seen: int) -> bool:
            return job.taken != seen or job.error is not None or number not in self._left

        while number in self._left and job.error is None:
            if _waits_for_its_maker(job):
                self._read_once(number, job)
            wait_until(partial(further, job.taken))

    def _any_stuck(self) -> bool:
        return any(map(_waits_for_its_maker, self._left.copy().values()))

    def _names(self) -> str:
        jobs = self._left.copy().values()
        return ", ".join(f"{name(job)} ({job.taken} have run)" for job in jobs)


class Patience:
    """Waits at the end of a program, and says after a while for what.

    what: that is waited for. details: called when it is said.
    """

    def __init__(self, what: str, details: Callable[[], str]) -> None:
        self._what, self._details = what, details
        self._seconds = SILENT_SECONDS
        self._since = time.monotonic()

    def wait(self, wait_until: Callable[..., bool], done: Callable[[], bool]) -> None:
        """Until it is done."""
        while not wait_until(done, self._since + self._seconds - time.monotonic()):
            if time.monotonic() < self._since + self._seconds:
                continue  # not in seconds, in tests
            self._seconds *= 10
            logger.warning(
                "the program has ended, and waits for %s: %s. Ctrl-C ends it at once",
                self._what, self._details(),
            )  # fmt: skip


def _waits_for_its_maker(job: MapJob) -> bool:
    """Whether its iterators may only be read in the thread that waits at the end."""
    return job.stuck or (job.streamed and not job.over and _thread_bound())


def _thread_bound() -> bool:
    """Whether the program uses that module; that a checkpoint of ours does says nothing."""
    module = sys.modules.get(_THREAD_BOUND)
    if module is None:
        return False
    ours = "scoopmpi.checkpoint.database" in sys.modules
    return not ours or module in vars(sys.modules["__main__"]).values()


def name(job: MapJob) -> str:
    """The function's."""
    return "a function" if job.function is None else job.function.name
