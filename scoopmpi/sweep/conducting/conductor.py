"""A sweep from its options to its exit status, on rank 0: the story, of which each line is a file.

preparing   table, command, log, outputs: whatever is wrong is found before anything begins
scripts     the prolog
course      the items: out to the farm, and back, until all have ended
preparing   what waits is written, to the outputs and the log
results     files that items have written become one
scripts     the epilog
telling     the last line
"""

from __future__ import annotations

import os
import signal

from ...program.scoop_options import STOPPED, UNABLE
from ...wire.errors import FarmError
from ..asked import SweepOptions
from ..command.command import Call
from ..halting import FAIL, SUCCESS
from ..running.variables import common
from . import results, scripts, telling
from .course import Course
from .preparing import PROBLEMS, Parts, prepared
from .telling import Outcome
from .workers import Workers

FAILED = 1
"""The exit status where some items are not done."""
UNREAD = "nobody reads what items print"
"""Why a sweep ends that is piped into `head`: as others do there, it says nothing of it."""
OF_SIGNALS = 128
"""What the exit status of a program has above the number of the signal that has ended it."""


def conduct(options: SweepOptions) -> int:
    """Run all items that are to be run; return the exit status of the sweep.

    What ends the program from outside raises SystemExit here, when all is written and told.
    """
    workers = Workers()
    if workers.checkpoint:
        telling.say("--checkpoint keeps what tasks of programs return; of a sweep --log FILE does")
        return UNABLE
    try:
        parts = prepared(options, workers)
    except PROBLEMS as problem:
        telling.say(str(problem))
        return UNABLE
    if parts.source.size == 0:
        telling.say("there are no items")
        return FAILED if parts.close() else 0
    workers.tells_what_is_left()
    return Conductor(parts, workers).run()


class Conductor:
    """Conducts one sweep, whose parts are ready."""

    def __init__(self, parts: Parts, workers: Workers) -> None:
        self._parts = parts
        self._course = Course(parts, workers)
        self._early: str | None = None  # why it ends before all items have run
        self._from_outside = False
        self._status = 0

    def run(self) -> int:
        """Run the sweep, and return its exit status."""
        self._tell_beginning()
        ended: SystemExit | None = None
        try:
            self._run_items()
        except SystemExit as error:
            ended, self._from_outside = error, True
            self._ends(_why(error), 0)
        finally:
            self._note_items()
            if self._parts.close(hurry=self._from_outside):
                self._status = self._status or FAILED
        if self._early is None:
            self._run_what_follows()
        if self._early != UNREAD:
            self._tell_end()
        if ended is not None:
            raise ended
        return self._exit_status()

    def _run_items(self) -> None:
        """Run prolog and items; note why, where that ends before all have run."""
        try:
            problem = self._prolog()
            if problem is not None:
                self._ends(f"the prolog has failed, {problem}", FAILED)
                return
            self._course.run()
        except BrokenPipeError:
            self._ends(UNREAD, OF_SIGNALS + signal.SIGPIPE)
        except KeyboardInterrupt:
            self._from_outside = True
            self._ends("stopped by Ctrl-C", OF_SIGNALS + signal.SIGINT)
        except (
            *PROBLEMS,
            FarmError,
        ) as problem:  # items read as they run; no workers left
            self._ends(str(problem), FAILED)
        else:
            if self._course.halted and self._parts.halt is not None:
                self._ends(f"ended by --halt {self._parts.halt.text}", 0)
            elif self._left:  # a chain of jobs of which none gets anything done is to end
                some = self._course.well or self._course.failed
                self._ends("the batch job is at its end", STOPPED if some else FAILED)

    def _ends(self, why: str, status: int) -> None:
        self._early, self._status = why, status

    def _prolog(self) -> str | None:
        """Run the prolog, unless a former run has; return how it has failed."""
        prolog, again = self._parts.scripts.prolog, self._parts.options.enable_prolog
        if prolog is None or (self._parts.former.any and not again):
            return None
        return self._script(prolog)

    def _run_what_follows(self) -> None:
        """Join the results, and run the epilog: all items have been tried."""
        options = self._parts.options
        try:
            if options.reduce is not None:
                not_done = {*self._course.failed, *self._parts.former.passed_over}
                results.join(self._parts, not_done)
        except PROBLEMS as problem:
            telling.say(str(problem))
            self._status = FAILED
        epilog = self._parts.scripts.epilog
        failed = None if epilog is None else self._script(epilog)
        if failed is not None:
            telling.say(f"the epilog has failed, {failed}")
            self._status = FAILED

    def _script(self, script: Call) -> str | None:
        return scripts.run(script, common(self._parts.plan, os.environ))

    def _note_items(self) -> None:
        """Have the log say how many items there are, of those that are read as they run."""
        log, supply, former = self._parts.log, self._course.supply, self._parts.former
        if log is not None and self._parts.source.size is None and supply.all_seen:
            done = supply.seen - supply.to_run - former.failed
            log.items(supply.seen, done, former.failed)

    # How it stands.

    @property
    def _left(self) -> int | None:
        """How many items have not run to their end; None where that is not known."""
        course = self._course
        to_run = self._parts.to_run
        if course.supply.all_seen:
            to_run = course.supply.to_run
        return None if to_run is None else to_run - course.well - len(course.failed)

    @property
    def _size(self) -> int | None:
        size, supply = self._parts.source.size, self._course.supply
        return supply.seen if size is None and supply.all_seen else size

    def _exit_status(self) -> int:
        halt = self._parts.halt
        if self._status:
            return self._status
        if self._course.halted and halt is not None and halt.why in (FAIL, SUCCESS):
            return FAILED if halt.why == FAIL else 0
        return FAILED if self._course.failed or self._parts.former.failed else 0

    # What is told.

    def _tell_beginning(self) -> None:
        log, former, size = self._parts.log, self._parts.former, self._parts.source.size
        if log is None:
            return
        for line in telling.of_log(self._parts.options.log or "", log.known):
            telling.say(line)
        counts = former.counts
        if counts is not None:
            telling.say(telling.of_former(counts, self._parts.options.retry))
            earlier = self._parts.sink.earlier
            if earlier is not None and earlier < counts.done:
                telling.say(telling.of_lacking(self._parts.options.results, counts.done - earlier))
            log.items(counts.items, counts.done, counts.items - counts.done - (self._left or 0))
        elif size is not None:
            log.items(size)

    def _tell_end(self) -> None:
        outcome = Outcome(
            self._size, len(self._course.failed), self._course.failed[: telling.MOST],
            self._parts.former.failed, self._left, self._course.late,
        )  # fmt: skip
        line = telling.of_end(outcome, self._parts.options.log, self._early)
        if line is not None:
            telling.say(line)


def _why(error: SystemExit) -> str:
    """Return why the program is ended from outside, by the status that it gets."""
    if error.code == STOPPED:
        return "stopped before the end of the batch job"
    number = error.code - OF_SIGNALS if isinstance(error.code, int) else 0
    try:
        return f"stopped by {signal.Signals(number).name}"
    except ValueError:
        return "stopped"
