"""The reader of events behind the bar: wakes when there is something to show, and has it shown.

It has a thread that begins with the first job, sleeps while nothing is to be shown, and else looks
at the counts of the tally some times a second. Events only note which jobs there are.

Locks: an event holds the farm's and takes the tally's; the thread, or a thread of the program that
prints, holds the outlet's and takes the tally's. With the tally's in hand nobody takes another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...concurrency.progress_thread import ProgressThread
from ..estimate import Estimate, Estimator
from ..observer import Observer
from ..tally import Tally
from .display import Display
from .overview import Overview
from .row import Row
from .series import SOON

if TYPE_CHECKING:
    from ...tasks.seen import Seen

logger = logging.getLogger("scoopmpi")

ESTIMATED_SECONDS = 1.0
"""Between two estimates of the time that is left: nobody reads them faster."""
LEAST_SECONDS = 0.02
LOOK_SECONDS = 1.0
"""How often it is looked, at least, whether something is over."""
SHARE = 20
"""So many times as long as a look takes it waits for the next: no more than a part of a core."""
Make = Callable[[Callable[[], Sequence[Row]]], Display]
"""Makes a display, which is given what says the rows that stay."""


class Progress(Observer):
    """Shows how far jobs are.

    tally: counts; it hears of each event before this does.
    make: makes the display, when there is something to show for the first time.
    after: seconds that jobs have to last to be shown; None: only those whose program asks for it.
    """

    def __init__(
        self, tally: Tally, make: Make, after: float | None = SOON,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._tally, self._make, self._clock = tally, make, clock
        self._overview = Overview(after)
        self._display: Display | None = None
        self._thread: ProgressThread | None = None
        self._guard = threading.RLock()  # one shows at a time: the thread, or who ends
        self._estimator, self._estimate = Estimator(), Estimate(None, 0.0, False)
        self._estimated = -ESTIMATED_SECONDS
        self._next = clock()
        self._ended = self._rests = False
        self._changed = True  # something may have to stay, since that was asked

    def shows_after(self, after: float) -> None:
        """Have jobs that begin from now on be shown that last so many seconds."""
        self._overview = Overview(after)

    # Events.

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        with self._tally.lock:
            known = self._tally.jobs.get(job)
            wanted = known is not None and self._overview.begins(known, self._clock())
        if wanted and (kind != "calls" or size):
            self._wake()

    def job_grew(self, job: int, tasks: int) -> None:
        self._wake()

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        self._changed = True

    def job_ended(self, job: int) -> None:
        self._changed = True
        with self._tally.lock:
            stays = self._overview.ends(job, self._clock())
        if stays and self._thread is not None:
            self._thread.nudge()  # a log is told of it at once

    def farm_closed(self, status: int) -> None:
        self.end()
        if self._thread is not None:
            self._thread.stop()

    def _wake(self) -> None:
        if self._thread is not None:
            self._thread.wake()
        elif not self._ended:
            self._thread = ProgressThread("scoopmpi progress", self.turn)

    # The thread.

    def turn(self) -> float | None:
        """Show what there is; return in how many seconds to look again, None: when woken."""
        with self._guard:
            try:
                return None if self._ended else self._turn(self._clock())
            except Exception as problem:
                self._fail(problem)
                return None

    def _fail(self, problem: Exception) -> None:
        self._ended = True
        logger.warning(
            "watching: how far jobs are is not shown any more, the run goes on: %s: %s",
            type(problem).__name__, problem,
        )  # fmt: skip

    def _turn(self, now: float) -> float | None:
        self._changed = True  # as time has gone on
        with self._tally.lock:
            due = self._overview.due(now)
        if due is None or due > 0:
            if self._display is not None:
                self._display.show(())
            return due
        if self._display is None:
            self._display = self._make(self._staying)
        self._show(self._display, now)
        took = self._clock() - now
        return max(min(self._next - now, LOOK_SECONDS), took * SHARE, LEAST_SECONDS)

    def _show(self, display: Display, now: float) -> None:
        if now < self._next:
            display.settle()
        else:
            display.show(self._rows(now, display.most))
            self._next = now + display.every

    def _rows(self, now: float, most: int) -> list[Row]:
        tally = self._tally
        if now - self._estimated >= ESTIMATED_SECONDS:
            self._estimate, self._estimated = self._estimator.look(tally, now), now
        with tally.lock:
            workers = tally.workers.values()
            return self._overview.rows(now, workers, self._estimate, self._estimator, most)

    def _staying(self) -> list[Row]:
        """Return the rows that shall stay now. Called at each print, too, and quick there."""
        if not self._changed:
            return []
        self._changed = self._ended  # what changes from here on is seen next time
        with self._tally.lock:
            return self._overview.staying(self._clock(), self._ended or self._rests)

    def rest(self) -> None:
        """Leave the last state of what was shown, where nothing runs: a cell of a notebook ends."""
        with self._guard:
            with self._tally.lock:
                runs = self._overview.active
            if self._ended or runs:
                return
            self._rests = self._changed = True
            try:
                if self._display is not None:
                    self._display.show(())
            except Exception as problem:
                self._fail(problem)
            self._rests = False
            self._overview = self._overview.anew()

    def end(self) -> None:
        """Leave the last state of what was shown, and show nothing more: the program has ended."""
        with self._guard:
            if self._ended:
                return
            self._ended = self._changed = True
            try:
                if self._display is not None:
                    self._display.leave()
            except Exception as problem:
                self._fail(problem)
