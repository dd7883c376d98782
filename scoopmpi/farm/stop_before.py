"""The end of the batch job: no task begins that it would cut, and the program ends before it.

The scheduler has no clock; here the time is looked at. A job is paused there from the moment on
when a task of its function, as long as the longest so far, would not end in time; all jobs are from
the margin on. When nothing runs any more and the program waits, or the margin has begun, the
program is ended as by a signal, and whoever waits for a task is told. Tasks of tasks are part of
the task that has made them: they are never held back, so that none waits for ever.

All is called with the farm's lock held, but for `turn`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple, Protocol

from ..concurrency.signal_lock import SignalLock
from ..process.time_kept_free import auto
from ..scheduling.ranges import Batch
from ..scheduling.scheduler import Scheduler
from ..watching.door import Door
from ..wire.messages import Finished
from .callback_queue import CallbackQueue
from .calls import CallStream
from .dispatch import Dispatch
from .driver import Driver
from .jobs import Jobs
from .paces import MOST, Paces
from .tasks_left import TasksLeft, count

logger = logging.getLogger("scoopmpi")

ON_ITS_WAY = 0.1
"""Seconds for a batch on its way: a worker that is in a task looks for messages every 0.05 s, and
rank 0 takes a moment to look at the time again."""
LOOK, OFTEN = 0.25, 0.02
"""Seconds between two looks at the end of the job, which may be moved; and while nothing of some
job may begin any more."""
TAKES = 0.3
"""Seconds for a program to take the values that have come last, before the margin ends it."""
UNKNOWN = 60.0
"""Seconds after which the user is told that nobody says when the job ends: a busy batch system gets
half of them."""


class Ending(Protocol):
    """Knows when the job ends."""

    @property
    def at(self) -> float | None:
        """Seconds since 1970, None where that is not known, or not yet."""

    @property
    def began(self) -> float | None:
        """The same of its beginning."""


class StopBefore(NamedTuple):
    """Says what is asked for.

    job: knows its end. margin: seconds to be kept free before it; None: `auto`.
    error: what is raised in the program, and in all that wait for a task.
    stop: raises it in the program's own thread, in good order, from whatever thread.
    """

    job: Ending
    margin: float | None
    error: BaseException
    stop: Callable[[], None]


class Stopped(NamedTuple):
    """How the program was ended.

    left: the tasks that have not run. run: how many have, in this job.
    seconds: to the end of the job.
    """

    left: TasksLeft
    run: int
    seconds: float


class HoldingBack:
    """Holds back what the end of the job would cut, on one farm.

    step: takes a turn of its loop. driver: returns who has it called.
    """

    def __init__(
        self,
        asked: StopBefore,
        lock: SignalLock,
        scheduler: Scheduler,
        jobs: Jobs,
        calls: CallStream,
        paces: Paces,
        dispatch: Dispatch,
        callbacks: CallbackQueue,
        door: Door,
        step: Callable[[], bool],
        driver: Callable[[], Driver],
    ) -> None:
        self.stopped: Stopped | None = None
        """How the program was ended, None as long as it was not."""
        self._asked, self._lock, self._scheduler = asked, lock, scheduler
        self._jobs, self._calls, self._paces = jobs, calls, paces
        self._dispatch, self._callbacks, self._door = dispatch, callbacks, door
        self._step, self._driver = step, driver
        self._began = time.time()
        self._look_at = 0.0
        self._longest: dict[object, float] = {}  # seconds of a task, by its function
        self._paused: set[int] = set()  # open maps, and 0 for the calls
        self._idle_in = 0  # the wait in which nothing could begin at the last look
        self._idle_since = 0.0  # when something could, or ran
        self._told = False  # those who wait for tasks
        self._warned = False

    @property
    def margin(self) -> float | None:
        """Return the seconds to be kept free that were asked for; None: `auto`."""
        return self._asked.margin

    # What calls.

    def turn(self) -> bool:
        """Take a turn of the loop, and look at the time where it is due; without the lock."""
        if time.time() >= self._look_at:
            with self._lock:
                self._look()
        return self._step()

    def at_rest(self, rest: Callable[[], float | None]) -> float | None:
        """Do what the loop does while nothing is under way, and look at the time.

        rest: the rest of that. Returns the seconds until it is due again.
        """
        after = rest()
        self._look()
        if self._callbacks or self._dispatch.outbox:
            self._driver().wake()
        if not (self._jobs.maps or self._calls.waiting):
            return after
        wait = max(0.0, self._look_at - time.time())
        return wait if after is None else min(wait, after)

    def heard(self, message: Finished) -> None:
        """Learn how long tasks take, before the next of them may begin."""
        tasks, seconds = message.stop - message.start, message.seconds
        if tasks <= 0 or seconds < 0:
            return
        seconds += message.away
        longer = [
            code for code in self._codes(message.job, message.start, message.stop)
            if code is not None and seconds > self._longest.get(code, 0.0)
        ]  # fmt: skip
        for code in longer:
            self._longest.pop(code, None)
            self._longest[code] = seconds
            if len(self._longest) > MOST:
                del self._longest[next(iter(self._longest))]
        if longer or time.time() >= self._look_at:
            self._look()

    def begun(self, number: int) -> None:
        """Have a new map, of which nothing was handed out, wait where it would be too late."""
        latest = self._latest()
        if latest is not None:
            self._pause(number, time.time() + self._needed({self._paces.code_of(number)}) > latest)

    def calls_come(self) -> None:
        """Have calls wait that come where it would be too late for one of them."""
        latest, number = self._latest(), self._calls.number
        if latest is not None and number not in self._paused:
            self._pause(number, time.time() + self._needed(self._calls.fresh_codes) > latest)

    def within(self, batch: Batch) -> float | None:
        """Return the seconds within which tasks of a batch may begin; None: whenever."""
        latest = None if batch.job < 0 else self._latest()
        if latest is None:
            return None
        needed = self._needed(self._codes(batch.job, batch.start, batch.stop))
        return max(0.0, latest - needed - time.time())

    # What is decided.

    def _latest(self) -> float | None:
        """Return when all tasks have to have ended; None where nobody knows."""
        end = self._asked.job.at
        if end is None:
            return None
        margin = self._asked.margin
        if margin is None:
            margin = auto(end - (self._asked.job.began or self._began))
        return end - margin - ON_ITS_WAY

    def _needed(self, codes: Collection[object]) -> float:
        """Return how long a task of one of some functions may take; 0 where nobody knows."""
        longest = max((self._longest.get(code, 0.0) for code in codes), default=0.0)
        return longest and max(longest, self._scheduler.policy.target)

    def _codes(self, number: int, start: int, stop: int) -> Collection[object]:
        """Return the functions of some tasks of a job."""
        if number == self._calls.number:
            return self._calls.codes(start, stop)
        return (self._paces.code_of(number),)

    def _codes_left(self, number: int, late: bool) -> Collection[object]:
        """Return the functions of all tasks of a job that are left.

        late: whether some function could be too long; where none is, calls are not looked through.
        """
        if number == self._calls.number:
            return self._calls.codes_left() if late else ()
        return (self._paces.code_of(number),)

    def _look(self) -> None:
        """Have each job wait, or go on, and end the program where nothing can begin any more."""
        now = time.time()
        self._look_at = now + LOOK
        latest = self._latest()
        if latest is None:
            self._warn(now)
            return
        if self._dispatch.stopping or self._jobs.error is not None:
            return
        if self.stopped is not None:
            self._tell_all()
            return
        numbers = [self._calls.number, *self._jobs.maps]
        self._paused.intersection_update(numbers)
        late = now + max(self._longest.values(), default=0.0) > latest - LOOK
        for number in numbers:
            begins = latest - self._needed(self._codes_left(number, late))
            self._pause(number, now > begins)
            if now <= begins:
                self._look_at = min(self._look_at, begins)
        if self._paused:
            self._look_at = now + OFTEN
            self._stop_if_over(now, late=now > latest)

    def _warn(self, now: float) -> None:
        if not self._warned and now - self._began > UNKNOWN:
            self._warned = True
            logger.warning(
                "--stop-before: nobody says when this job ends, or it has no end; nothing is held "
                "back (--walltime says it)"
            )

    def _pause(self, number: int, paused: bool) -> None:
        if paused == (number in self._paused):
            return
        (self._paused.add if paused else self._paused.discard)(number)
        if self._door.open and (number != self._calls.number or self._calls.waiting):
            self._door.job_paused(number, paused)
        self._dispatch.assigned(self._scheduler.paused(number, paused))

    # The end.

    def _stop_if_over(self, now: float, late: bool) -> None:
        """End the program where nothing runs, and nothing that it waits for can begin.

        late: the margin has begun, in which it is to end, whatever it does.
        """
        busy = self._callbacks or self._dispatch.outbox or self._calls.fresh
        if busy or not self._scheduler.rests:
            self._idle_in, self._idle_since = 0, now
            return
        before, self._idle_in = self._idle_in, 0
        if self._scheduler.stands and not self._others_go_on():
            self._idle_in = self._driver().programs_wait
        waits = before and before == self._idle_in  # else it may not have seen what has just come
        if not waits and not (late and now - self._idle_since > TAKES):
            return
        left = count(self._jobs, self._calls, self._scheduler)
        end = self._asked.job.at
        if left and end is not None:
            self.stopped = Stopped(left, self._scheduler.answered, max(0.0, end - now))
            if self._door.open:
                self._door.program_stopped(left.tasks, self.stopped.seconds)
            self._asked.stop()

    def _others_go_on(self) -> bool:
        """True where a map that is not paused has tasks that its consumer has not asked for yet."""
        return any(
            number not in self._paused and self._scheduler.finished_of(number) != job.size
            for number, job in self._jobs.maps.items()
        )

    def _tell_all(self) -> None:
        """Give whoever waits the error, now that the program has it."""
        if not self._told:
            self._told = True
            self._callbacks.add(partial(self._jobs.fail, self._asked.error))
