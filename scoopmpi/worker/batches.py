"""Which batch runs on a worker now, which wait with their task, and what the farm knows of them.

One batch runs at a time. `_current` is it for the progress thread, which may hand back what is not
started; the running task withdraws it first where it will answer itself. A task is started at most
once: a batch is cut by emptying the list that is being iterated, and only then it is looked how
far it came. Not here: how the tasks of a batch run (`running`), and what decides what runs next
(`worker`).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Hashable, Set
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ..wire.messages import Finished, Message, Resumed, Run, Waiting
from .answers import Leave, Packed
from .inbox import Inbox
from .nested.fibers import Ended
from .outbox import Outbox
from .running import Interlude, Running

logger = logging.getLogger("scoopmpi")


class SuspendedBatches:
    """The batches of one worker whose task waits; called with the worker's lock held.

    The farm takes a batch for running until it is told that it waits, and then gives the worker
    more. It is told only when there is nothing else to do here: short waits cost no message.

    send: takes a message for the farm.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._silent: list[Running] = []  # the farm believes that they run
        self._announced: list[Running] = []  # the farm knows that they wait

    def waits(self, batch: Running | Interlude) -> None:
        """Note that a batch waits from now on."""
        if isinstance(batch, Running) and batch not in self._announced:
            self._silent.append(batch)

    def goes_on(self, batch: Running | Interlude) -> None:
        """Note that a batch runs again."""
        if batch in self._announced:
            self._announced.remove(batch)
            self._send(Resumed(batch.job, batch.task))
        elif batch in self._silent:
            self._silent.remove(batch)

    def nothing_runs(self) -> None:
        """Tell the farm that this worker is free: it has nothing to do."""
        while self._silent:
            batch = self._silent.pop()
            self._announced.append(batch)
            self._send(Waiting(batch.job, batch.task))

    def something_runs(self) -> None:
        """Have the farm take one batch for running: nested tasks run, of which it cannot know."""
        if self._announced:
            batch = self._announced.pop()
            self._silent.append(batch)
            self._send(Resumed(batch.job, batch.task))

    def __len__(self) -> int:
        return len(self._silent) + len(self._announced)


class Printing(Protocol):
    """Knows whose lines are printed, and sends those on their way that have no end yet."""

    def place(self) -> tuple[int, int]:
        """Return who calls this, and how many tasks that one has ended."""

    def task_ended(self) -> None:
        """Have the caller's lines on their way: its task has ended."""

    def tasks_ended(self, owner: Hashable, before: int | None = None) -> None:
        """Have an owner's lines on their way: its tasks have ended, or those below a number."""


class Batches:
    """The batches of one worker: the one that runs, and those that wait.

    label: told the name of the function of each batch, for whoever finds the rank dead.
    wake: called when the progress thread has something to look after.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        inbox: Inbox,
        outbox: Outbox,
        label: Callable[[str], None],
        printing: Printing,
        wake: Callable[[], None],
    ) -> None:
        self._lock, self._inbox, self._outbox = lock, inbox, outbox
        self._label, self._printing, self._wake = label, printing, wake
        self._pid = os.getpid()
        self.open: Callable[[Run, Any, Callable[[str], None], Hashable, Leave], Running] = Running
        """Makes a batch of a message; another way where the user wants to know of each task."""
        self._current: Running | Interlude | None = None
        self.suspended = SuspendedBatches(outbox.send)
        self.latest: int | None = None
        """The group of the batch that ran last: lines without an end are sent behind it."""
        self.beside: list[tuple[Run, Running]] = []
        """What runs in a thread, and is not answered for."""
        self.looks: Callable[[], None] | None = None
        """Looks, behind each batch, what its tasks have done to the process; where one has to."""

    @property
    def current(self) -> Running | Interlude | None:
        """The batch that runs now, while the progress thread may cut it."""
        return self._current

    @property
    def ended_tasks(self) -> int:
        """The number of tasks of the running batch that have ended."""
        current = self._current
        return current.ended if isinstance(current, Running) else 0

    # Running, by the worker's own thread, or by one that stands in while it is blocked.

    def run(self, run: Run) -> None:
        """Run a batch and answer it; called in a fiber, as its tasks may wait."""
        batch = self._opened(run)
        if batch is None:
            return
        with self._lock:
            self._current = batch
        self._wake()
        batch.run()
        self.latest = batch.strand.origin[4]
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the task has forked and that came back from it
        with self._lock:
            self._current = None
            self.suspended.goes_on(batch)
        self._answer(batch)

    def run_beside(self, run: Run) -> None:
        """Run a batch in another thread, while the current one is blocked."""
        batch = self._opened(run)
        if batch is None:
            return
        with self._lock:
            self.beside.append((run, batch))
        batch.run()
        with self._lock:
            wanted = (run, batch) in self.beside
            if wanted:
                self.beside.remove((run, batch))
        if wanted:
            self._answer(batch)

    def run_interlude(self, work: Callable[[], None]) -> None:
        """Run what is part of no batch: nested tasks, callbacks; called in a fiber."""
        with self._lock:
            self._current = Interlude()
        self._wake()
        try:
            work()
        except Ended:
            raise
        except BaseException:  # a callback may call sys.exit
            logger.exception("a callback of a call has failed")
        finally:
            self._printing.task_ended()
            with self._lock:
                self._current = None

    def _opened(self, run: Run) -> Running | None:
        """Unpickle a batch; where that cannot be done, answer for it and return None.

        It goes back as it came where it has waited so long that its tasks may not begin any more.
        """
        if run.within is not None:
            left = run.within - time.monotonic()
            if left <= 0:
                self._outbox.send(nothing_run(run))
                return None
            run = run._replace(budget=min(run.budget, left))
        try:
            if run.lent:
                run = self._inbox.on_loan(run)
            function = self._inbox.functions.function(run.function)
            owner = self._printing.place()[0]
            return self.open(run, function, self._label, owner, self._leave)
        except BaseException as error:  # the function or the columns cannot be unpickled
            from .failing import unpackable  # late: most batches can be

            answer = unpackable(run, error)
        self._printing.task_ended()
        self._outbox.send(answer)
        return None

    def _leave(self, batch: Running, value: Packed) -> None:
        """Answer for the front of a batch whose task ends with a large value.

        Waits until the one before has left, so that no more than two are kept here; and for this
        one where it is not copied, as the next task may change its memory.
        """
        if os.getpid() != self._pid:
            os._exit(0)  # as in `run`
        self._printing.tasks_ended(batch.owner, batch.ended + 1)
        with self._lock:
            answer = batch.front(value)
            if answer is not None:
                since = time.monotonic()
                self._outbox.flush()
                self._outbox.send(answer, flush=batch.bare)
                batch.bare = False
                batch.away += time.monotonic() - since  # it depends on rank 0, not on the tasks

    def _answer(self, batch: Running) -> None:
        answer = batch.rest()  # packing may run the user's code: not under the lock
        self._printing.tasks_ended(batch.owner)
        # Waited for where it is not copied: the next task may change the memory that is being sent.
        flush = batch.alone or batch.bare
        if answer is not None:
            self._outbox.send(answer, flush)
        elif flush:
            self._outbox.flush()
        if self.looks is not None:
            self.looks()
        batch.drop()

    # While a task waits for tasks.

    def suspend(self) -> Running | Interlude | None:
        """Suspend the current batch, as its task will wait; return it for `resume`.

        The farm gets the outcomes of tasks that have ended, and the tasks that are not started.
        """
        batch = self._current
        with self._lock:
            self._current = None  # from here on the progress thread leaves it alone
        if batch is not None:
            answer = batch.suspend()
            if batch.strand is not None:
                self.latest = batch.strand.origin[4]
            self._tasks_ended(batch)
            with self._lock:
                if answer is not None:
                    self._outbox.send(answer)
                self.suspended.waits(batch)
        return batch

    def resume(self, batch: Running | Interlude | None, seconds: float) -> None:
        """Go on with what `suspend` has returned, so many seconds later."""
        if batch is None:
            return
        batch.resume(seconds)
        with self._lock:
            self.suspended.goes_on(batch)
            self._current = batch
        self._wake()

    # By other threads, with the lock held.

    def hand_back(self, batch: Running | Interlude | None) -> None:
        """Answer for the tasks that have ended, and give back all that is not started here."""
        answer = None if batch is None else batch.cut()
        if batch is not None and answer is not None:
            self._tasks_ended(batch)
            self.suspended.goes_on(batch)  # a task in whose place others ran, and that has ended
            self._outbox.send(answer)
        for run in self._inbox.hand_back():
            self._outbox.send(nothing_run(run))

    def give_up(self, groups: Set[int]) -> None:
        """Answer for tasks of some groups that run in a thread: nothing interrupts them there."""
        for run, batch in self.beside.copy():
            if batch.alone and batch.strand.origin[4] in groups:
                from .failing import given_up  # late: few programs give anything up

                self.beside.remove((run, batch))
                self._outbox.send(given_up(run))

    def _tasks_ended(self, batch: Running | Interlude) -> None:
        if isinstance(batch, Running):
            self._printing.tasks_ended(batch.owner, batch.ended)


def nothing_run(run: Run) -> Finished:
    """Return the answer for a batch that goes back as it came."""
    return Finished(
        job=run.job,
        start=run.start,
        stop=run.start,
        seconds=-1.0,
        unstarted=run.start,
        end=run.stop,
        plain=False,
        outcomes=(),
        failed=(),
    )
