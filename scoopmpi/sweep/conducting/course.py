"""The items of a sweep, run: out to the farm, and back to log and outputs, until all have ended.

Each item is judged as it comes back: it has ended for good, or it runs again elsewhere, or it was
the one that ends the sweep. Who takes what it has printed is in `outputs`, who runs it in `farm`.
"""

from __future__ import annotations

import shlex
import signal
import time
from array import array
from contextlib import suppress
from typing import Any

from ...tasks import retry
from ...tasks.executor import MapOptions
from ...tasks.limit import NO_LIMIT
from ...tasks.outcomes import Raised
from ...tasks.results import Results
from ...tasks.wrapped import Retry
from ..command.command import CommandProblem
from ..halting import FAIL, Counts
from ..items.ended import JOB, LOST, TIME, Ended
from ..items.item import Item
from ..running.failed_item import Attempt, ItemFailed
from ..running.runner import Runner
from ..running.variables import Variables
from . import telling
from .begun import Begun
from .failing_hosts import FailingHosts, Judged
from .incoming import Incoming
from .preparing import Parts
from .signalled import Signalled
from .supply import Supply
from .workers import Workers

LOOK, OFTEN = 0.5, 0.02
"""Seconds between two looks at what runs, while nothing comes; and at items that are still made."""
SHORT = 0.3
"""Seconds for what runs when a signal ends the sweep: short items go to workers some at a time, and
those of 2 ms that had run by then ran again, 70 with two workers."""
REASONS = 5
"""Why items could not be run: so many are told, a line each."""


class Course:
    """Runs the items of one sweep."""

    def __init__(self, parts: Parts, workers: Workers) -> None:
        self._parts, self._workers = parts, workers
        self.supply = _supply(parts)
        self.failed = array("q")
        """The numbers of the items that have failed for good."""
        self.late = 0
        """How many of these their time limit has ended."""
        self.well = 0
        """How many items are done."""
        self.halted = False
        """True where `--halt` has ended the sweep."""
        self._over_soon = False  # no item begins any more
        self._counts = Counts()  # with those that may run again
        self._hosts = FailingHosts(workers.leave_out, workers.others)
        self._signalled = Signalled()
        self._begun = Begun()
        self._looked = time.monotonic()
        self._told: list[str] = []
        self._told_of_wait = False  # for other hosts
        self._variables = Variables(parts.plan)
        self._results: Results | None = None

    def run(self) -> None:
        """Return when all items have ended for good, or `--halt` has ended the sweep."""
        if self._parts.log is not None:
            self._workers.observe(self._begun)
        size = self._parts.to_run
        while True:
            results = self._results = self._handed_out(size)
            try:
                self._take_all(results)
            except (KeyboardInterrupt, SystemExit):
                self._take_what_is_done(results)
                raise
            finally:
                results.close()
            for ended in self._hosts.rest():
                self._over(ended)
            if self._over_soon or not self.supply.waiting:
                return
            size = self.supply.waiting

    def _handed_out(self, size: int | None) -> Results:
        options = MapOptions(
            ordered=False, task_timeout=NO_LIMIT, retry=_retry(self._parts.options.retries),
            size=size, window=self._workers.window,
        )  # fmt: skip
        attempt = Attempt(Runner(self._parts.plan))
        results = self._workers.executor.results(attempt, [self.supply], options)
        if (halt := self._parts.halt) is not None:  # else the worker that answers gets an item more
            results.ask_first(failures_only=halt.why == FAIL)
        return results

    def _take_all(self, results: Results) -> None:
        while True:
            while not results.wait(self._pause):
                self._look()
            with self._workers.uninterrupted:  # what has come is not to be lost half-way
                outcomes = results.outcomes()
                for outcome in outcomes:
                    self._take(self._ended(outcome))
            self._parts.sink.show()
            if outcomes and self._parts.halt is not None:
                results.decided()
            self._wait_for_other_hosts()
            if time.monotonic() - self._looked > LOOK:
                self._look()
            halt = self._parts.halt
            if self.halted and halt is not None and halt.now:
                return
            if not outcomes:
                break
        while self._signalled:
            time.sleep(OFTEN)
            self._look()

    def _take_what_is_done(self, results: Results) -> None:
        """Take in what has come, or comes at once, of a sweep that is ended from outside.

        But what has failed runs again with the next run: a batch system may have ended it, as it
        signals all processes of a job.
        """
        self._over_soon = True
        with suppress(Exception, SystemExit):  # the farm itself may have ended
            results.run_out()
            until = time.monotonic() + SHORT
            while results.wait(until - time.monotonic()) and (outcomes := results.outcomes()):
                for outcome in outcomes:
                    if (ended := self._ended(outcome)).well:
                        self._over(ended)

    def _wait_for_other_hosts(self) -> None:
        """Wait for workers that have not joined, where all fails on the hosts of those that have.

        Meanwhile nothing is taken in, so that no more fails there than may be out.
        """
        while (host := self._hosts.suspected) is not None and not self._over_soon:
            self._workers.wait_for_others(host, LOOK)
            self._follow(self._hosts.decided(host))
            self._look()
            if self._hosts.suspected is not None and not self._told_of_wait:
                self._told_of_wait = True
                telling.say(telling.of_wait_for_others(host))

    @property
    def _pause(self) -> float:
        return LOOK if self._parts.source.size is not None or self.supply.all_seen else OFTEN

    def _look(self) -> None:
        """Tell the log of items that last, and let go of failures that are what they seem."""
        self._looked = time.monotonic()
        for runs in self._begun.lasting() if self._parts.log is not None else ():
            item = self.supply.at(runs.place)
            if item is not None and self._parts.log is not None:
                self._parts.log.started(item.number, runs.worker, runs.since)
        for ended in self._signalled.over(self._looked):
            self._judge(ended)
        for ended in self._hosts.quiet(self._looked):
            self._over(ended)
        self._parts.sink.show()

    # One item.

    def _ended(self, outcome: Any) -> Ended:
        """Return how an item has ended, of which a worker has answered, or none could."""
        if type(outcome) is not Raised:
            ended: Ended = outcome
            return ended
        error = outcome.error
        if isinstance(error, ItemFailed):
            return error.ended
        item = None if outcome.task is None else self.supply.at(outcome.task)
        if item is None:  # the farm itself has ended
            raise error
        return _without_answer(item, error)

    def _take(self, ended: Ended) -> None:
        if ended.why == JOB:  # it is as if it had not begun, and so would be all others
            self.supply.ended(ended.number)
            self._run_out()
        elif not self._signalled.keeps(ended, time.monotonic()):
            self._judge(ended)

    def _judge(self, ended: Ended) -> None:
        self._count(ended, 1)
        if self._over_soon:
            self._over(ended)
            return
        self._follow(self._hosts.ended(ended, time.monotonic()))
        self._halt_where_asked()

    def _follow(self, judged: Judged) -> None:
        if judged.host is not None:
            telling.say(telling.of_host(judged.host, judged.again))
        for each in judged.again:
            self._count(each, -1)
            self.supply.again(each.number)
        for each in judged.final:
            self._over(each)

    def _count(self, ended: Ended, by: int) -> None:
        failed, well = self._counts
        self._counts = Counts(failed, well + by) if ended.well else Counts(failed + by, well)

    def _halt_where_asked(self) -> None:
        halt, size = self._parts.halt, self._parts.source.size
        if size is None and self.supply.all_seen:
            size = self.supply.seen
        if halt is not None and halt.reached(self._counts, size):
            self.halted = True
            self._run_out()

    def _run_out(self) -> None:
        """Let no item begin any more."""
        self._over_soon = True
        if self._results is not None:
            self._results.run_out()

    def _over(self, ended: Ended) -> None:
        """Take in that an item has ended for good."""
        item = self.supply.ended(ended.number)
        if ended.well:
            self.well += 1
        else:
            self.failed.append(ended.number)
            self.late += ended.why == TIME
            self._tell_why(ended)
        if self._parts.joblog is not None:
            self._parts.joblog.ended(ended, self._shown(item))
        self._parts.sink.add(ended)

    def _tell_why(self, ended: Ended) -> None:
        """Tell the user why an item could not be run, each reason once."""
        why = ended.why
        if why not in (TIME, LOST, *self._told) and why and len(self._told) < REASONS:
            self._told.append(why)
            telling.say(f"item {ended.number}: {why}")

    def _shown(self, item: Item) -> str:
        """Return the command of an item as a person would write it."""
        variables = self._variables.of(item)
        try:
            words = self._parts.plan.command.call(variables).words
        except CommandProblem:  # a variable that only workers have
            return self._parts.plan.command.name
        batch = self._parts.options.batch  # its interpreter alone says nothing
        return shlex.join(words if batch is None else [*words, batch])


def _supply(parts: Parts) -> Supply:
    """Return the items; those that are made meanwhile (stdin) are not waited for."""
    items, wanted, expected = parts.items(), parts.former.wanted, parts.sink.expected
    if parts.source.size is not None:
        return Supply(items, wanted, expected)
    incoming = Incoming(items)
    return Supply(incoming, wanted, expected, lambda: incoming.there)


def _retry(retries: int) -> Retry | None:
    return retry.asked(retries, None, ItemFailed)


def _without_answer(item: Item, error: BaseException) -> Ended:
    """Return the end of an item whose workers have died, or could not say how it has ended."""
    rank, host = getattr(error, "rank", None), getattr(error, "host", None)
    lost = rank is not None
    why = LOST if lost else f"its worker cannot say how it ended: {error}"
    return Ended(
        item.number, item.digest, rank or 0, host or "", -signal.SIGKILL if lost else 1,
        time.time(), 0.0, why,
    )  # fmt: skip
