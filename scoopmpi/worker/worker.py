"""A worker's loop (ranks >= 1): receive a batch, run it, answer, sleep when nothing comes.

What keeps its promises:
- `lock` guards the transport, the inbox and the running batch; user code runs without it.
- While a task outlives its batch's budget the progress thread speaks for the worker (`overdue`).
- Tasks run in fibers, beside the loop: one that waits for its own tasks is suspended, and the
  farm is told when there is nothing else to do here.
- A task is started at most once (`batches`).

Here the parts of a worker are joined, and it is decided what runs next. Not here: what is said to
the farm (`outbox`), what has come from it (`inbox`), how a batch runs (`batches`, `running`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..concurrency.backoff import YIELD_SECONDS, pause
from ..concurrency.periods import FREE_MEMORY_SECONDS
from ..concurrency.progress_thread import ProgressThread
from ..wire import messages
from ..wire.messages import Message
from ..wire.transport import Transport
from .batches import Batches
from .inbox import Inbox
from .nested.executor import NestedExecutor
from .nested.hub import Hub
from .outbox import Outbox
from .overdue import Overdue

if TYPE_CHECKING:
    from ..output.worker_output import Output
    from ..tasks.constants_backend import ConstantsBackend
    from ..tasks.pedigree import Strand


class Worker:
    """One worker rank.

    leave: called by the progress thread when Stop arrives inside a task; must end the process.
        None: there is no progress thread.
    label: told the name of the function of each batch, for whoever finds the rank dead.
    rest: called when nothing has run for a while, once each time.
    """

    def __init__(
        self,
        transport: Transport,
        leave: Callable[[], None] | None = None,
        label: Callable[[str], None] = lambda name: None,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        # Re-entrant, as the garbage collector may run a __del__ that prints while it is held.
        self.lock = threading.RLock()
        self.rank = transport.rank
        self.output: Output | None = None
        """Takes what tasks print; None where the process keeps streams of its own."""
        self._own_thread = threading.get_ident()
        self._busy_at = self._rested = time.monotonic()
        self._rest = rest
        self._constants: ConstantsBackend | None = None
        self.hub = Hub(self, self.lock, transport.size - 1)
        """The jobs of this worker's tasks."""
        self.nested = NestedExecutor(self.hub, self.constants)
        """The executor of this worker's tasks."""
        self.outbox = Outbox(transport, self.lock)
        self.inbox = Inbox(transport, self._handlers())
        self.batches = Batches(
            self.lock, self.inbox, self.outbox, label, printing=self, wake=self._wake
        )
        self.overdue = Overdue(
            self.lock, self.inbox, self.batches, self.hub, self._idle_seconds, leave
        )
        self._progress_thread = (
            ProgressThread("scoopmpi worker", self.overdue.turn) if leave else None
        )

    def _handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what is to be done with each message that is not for the inbox itself."""
        hub = self.hub
        return {
            messages.Returned: hub.returned,
            messages.StealRequest: hub.sharing.steal_requested,
            messages.Ceased: hub.sharing.ceased,
            messages.Finish: hub.finishing.asked,
            messages.Reconfigured: self._reconfigured,
            messages.Observe: self._observe,
            messages.GiveUp: lambda message: self.overdue.give_up(message),
        }

    # What the process around it calls.

    def print_to(self, output: Output) -> None:
        """Have lines of tasks go through this from now on."""
        self.output = output

    def join(self, names: frozenset[str], said: bytes = b"") -> None:
        """Say that tasks may come.

        names: what the program's module defines here.
        said: what the program has written to stderr while it was imported.
        """
        self.outbox.join(names, said)

    def refuse(self, reason: str, said: bytes) -> None:
        """Say that the program cannot be imported here, why, and what it has printed before."""
        self.outbox.refuse(reason, said)

    def printed(self, stream: int, data: bytes) -> bool:
        """Send whole lines of a task on their way to the user; False where rank 0 has left."""
        strand = self.hub.tasks.strand or self.strand
        group = self.batches.latest if strand is None else strand.origin[4]
        return self.outbox.printed(stream, data, group)

    def place(self) -> tuple[int, int]:
        """Return who calls this, and how many tasks that one has ended: to keep lines apart."""
        caller = threading.get_ident()
        if caller != self._own_thread:
            return caller, 0
        return -self.hub.tasks.scope, self.batches.ended_tasks

    def farewell(self) -> None:
        """End what waits here, say so, and wait until that is sent."""
        if self._progress_thread is not None:
            self._progress_thread.stop()
        self.hub.close()  # before the last message: a task that is told may still answer
        self.last_message()

    def last_message(self) -> None:
        """Say that this worker has left; from here on nothing is sent."""
        self.outbox.close()

    # The loop.

    def serve(self) -> None:
        """Run batches until Stop."""
        while not self.inbox.stopping:
            if not self.step():
                idle = self._idle_seconds()
                if idle > FREE_MEMORY_SECONDS and self._rested < self._busy_at:
                    self._rested = self._busy_at
                    self._rest()
                pause(idle, YIELD_SECONDS)

    def step(self) -> bool:
        """Take in messages, run something; return False where there was nothing to do."""
        with self.lock:
            self.inbox.receive()
            self.hub.report()
        if self.inbox.stopping or not (self._go_on() or self._begin()):
            return False
        self._busy_at = time.monotonic()
        return True

    def _go_on(self) -> bool:
        """Go on with what tasks have begun, which comes before what the farm sends."""
        ready = self.hub.ready()
        work = self.hub.work() if ready is None else ready
        if work is None:
            return False
        with self.lock:
            self.batches.suspended.something_runs()
        if ready is not None:
            ready()
        else:
            self.hub.tasks.start(partial(self.batches.run_interlude, work))
        return True

    def _begin(self) -> bool:
        """Begin the next batch of the farm."""
        with self.lock:
            run = self.inbox.next_batch()
            if run is None:
                self.batches.suspended.nothing_runs()
                return False
        self.hub.tasks.start(partial(self.batches.run, run))
        return True

    def _idle_seconds(self) -> float:
        return time.monotonic() - self._busy_at

    # What nested jobs and batches call.

    @property
    def strand(self) -> Strand | None:
        """The strand of the batch that runs now, None where none does."""
        batch = self.batches.current
        return None if batch is None else batch.strand

    def send(self, message: Message) -> None:
        """Send to the farm."""
        self.outbox.send(message)

    def receive(self) -> None:
        """Take in everything that has arrived."""
        with self.lock:
            self.inbox.receive()

    def suspend(self) -> Any:
        """Suspend what runs, which will wait; return it for `resume`."""
        return self.batches.suspend()

    def resume(self, batch: Any, seconds: float) -> None:
        """Go on with what was suspended so many seconds ago."""
        self.batches.resume(batch, seconds)

    def task_ended(self) -> None:
        """Have what the caller's task has printed on its way, an unfinished line too."""
        output = self.output
        if output is not None and output.unfinished:
            output.ended(self.place()[0])

    def tasks_ended(self, owner: Hashable, before: int | None = None) -> None:
        """Have an owner's lines on their way: its tasks have ended, or those below a number."""
        if self.output is not None:
            self.output.ended(owner, before)

    def nudge(self) -> None:
        """Have the progress thread look soon: there is something that others could run."""
        if self._progress_thread is not None:
            self._progress_thread.nudge()

    def constants(self) -> ConstantsBackend:
        """Return what `shared` speaks to in tasks."""
        with self.lock:
            if self._constants is None:
                from .constants_backend import WorkerConstants  # late: few programs have constants

                self._constants = WorkerConstants(
                    self.lock, self.inbox, self.outbox, self.nested.wait_until
                )
            return self._constants

    # What the parts tell each other.

    def _reconfigured(self, message: messages.Reconfigured) -> None:
        if self.output is not None:
            self.output.reconfigured(message.stream, message.settings)

    def _observe(self, message: messages.Observe) -> None:
        from . import seen  # late: few runs are looked at

        seen.observe(self.batches, self.hub.tasks, self._own_thread)

    def _wake(self) -> None:
        if self._progress_thread is not None:
            self._progress_thread.wake()
