"""A worker's loop (ranks >= 1): receive a batch, run it, answer, sleep when nothing comes.

What keeps its promises:
- `_lock` guards the transport, the inbox and the running batch; user code runs without it.
- While a task outlives its batch's budget the progress thread speaks for the worker: it answers
  with what is done and hands back what is not started, prefetched batches too; it obeys Stop.
- Tasks run in fibers, beside the loop: one that waits for its own tasks is set aside, and the
  farm is told when there is nothing else to do here.
- A task is started at most once: a batch is cut by emptying the list that is being iterated, and
  only then looking how far it came.

Not here: what a batch does to run its tasks (`running`), and how anything is pickled.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..concurrency.backoff import pause
from ..concurrency.progress_thread import ProgressThread
from ..constants.domain import domain
from ..process.connections import own_addresses
from ..wire import messages
from ..wire.messages import Finished, Message, Run
from ..wire.transport import Transport
from .inbox import Inbox
from .nested.executor import NestedExecutor
from .nested.fibers import Ended
from .running import Interlude, Running, unpackable
from .suspended import SuspendedBatches

if TYPE_CHECKING:
    from ..output.worker_output import Output
    from ..tasks.constants_backend import ConstantsBackend

logger = logging.getLogger("scoopmpi")

LOOK_SECONDS = 0.005
"""How often the progress thread looks while a worker is busy: the interpreter switches as often."""
PASS_ON_SECONDS = 0.05
"""How often it looks for messages in any case, as other ranks may wait for what is sent on here."""
UNREAD_BYTES = 1 << 16
"""Of lines that rank 0 may not have taken yet: no faster than it takes them. Open MPI's sends of
1 KB end when the other side has them: to wait for each cost 5 ms a line while rank 0 slept."""
EAGER_BYTES = 2000
"""A longer message may need this rank once more, which might compute for hours: waited for."""
LINGER = 0.1
"""Seconds without a batch after which the progress thread sleeps until it is woken."""


class Worker:
    """One worker rank.

    leave: called by the progress thread when Stop arrives inside a task; must end the process.
    label: told the name of the function of each batch, for whoever finds the rank dead.
    """

    def __init__(
        self,
        transport: Transport,
        leave: Callable[[], None] | None = None,
        label: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._transport = transport
        self._leave = leave
        self._label = label
        # Re-entrant, as the garbage collector may run a __del__ that prints while it is held.
        self.lock = threading.RLock()
        self.workers = transport.size - 1
        self._constants_backend: ConstantsBackend | None = None
        self.nested = NestedExecutor(self)
        """The executor of this worker's tasks."""
        self.inbox = Inbox(transport, self.nested)
        self._suspended = SuspendedBatches(self.send)
        self._unread = 0
        self._pid = os.getpid()
        self._own = threading.get_ident()
        self.output: Output | None = None
        """Of a process whose streams are ours; else tasks print where the process does."""
        self._running: Running | Interlude | None = None
        self._gone = False
        self._last_message = time.monotonic()
        self._rescuer: threading.Thread | None = None
        self._progress_thread = ProgressThread("scoopmpi worker", self._stand_in) if leave else None

    @property
    def constants_backend(self) -> ConstantsBackend:
        """What `shared` speaks to in tasks."""
        with self.lock:
            if self._constants_backend is None:
                from .constants_backend import WorkerConstants  # late: few programs have constants

                self._constants_backend = WorkerConstants(self, self.inbox, self.nested.wait_until)
            return self._constants_backend

    # Talking to the farm.

    def join(self, names: frozenset[str], said: bytes = b"") -> None:
        """Say that tasks may come; names: what the program's module defines here.

        said: what it has written to stderr while it was imported.
        """
        with self.lock:
            host, addresses = socket.gethostname(), own_addresses()
            joined = messages.Joined(host, os.getpid(), domain(), names, addresses, said)
            self._transport.send(0, joined)

    def refuse(self, reason: str, said: bytes) -> None:
        """Say that the program cannot be imported here, why, and what it has printed before."""
        with self.lock:
            self._transport.send(0, messages.ImportFailed(socket.gethostname(), reason, said))

    def printed(self, stream: int, data: bytes) -> bool:
        """Send whole lines of a task on their way to the user; False where rank 0 has left."""
        with self.lock:
            if not self._gone:
                self._transport.send(0, messages.Printed(stream, data))
                self._unread += len(data)
                if self._unread > UNREAD_BYTES or len(data) > EAGER_BYTES:
                    self._transport.flush()
                    self._unread = 0
            return not self._gone

    def place(self) -> tuple[int, int]:
        """Who calls this, and how many tasks that one has ended: to keep their lines apart."""
        caller = threading.get_ident()
        if caller != self._own:
            return caller, 0
        running = self._running
        ended = running.ended if isinstance(running, Running) else 0
        return -self.nested.scope, ended

    def task_ended(self) -> None:
        """What the caller's tasks have printed is on its way, unfinished lines too."""
        if self.output is not None:
            self.output.ended(self.place()[0])

    def _tasks_ended(self, running: Running | Interlude) -> None:
        """The same for those of a batch that have ended, while another goes on."""
        if self.output is not None and isinstance(running, Running):
            self.output.ended(running.owner, running.ended)

    def serve(self) -> None:
        """Run batches until Stop."""
        while not self.inbox.stopping:
            if not self.step():
                pause(time.monotonic() - self._last_message, spin=True)

    def step(self) -> bool:
        """Take in messages, run something; False where there was nothing to do."""
        with self.lock:
            self.inbox.receive()
            self.nested.revoke()
            self.nested.rest.look()
        if self.inbox.stopping or not (self._go_on() or self._begin()):
            return False
        self._last_message = time.monotonic()
        return True

    def _go_on(self) -> bool:
        """What tasks have begun comes before what the farm sends."""
        ready = self.nested.fibers.ready()
        work = self.nested.work() if ready is None else ready.fiber.switch
        if work is None:
            return False
        with self.lock:
            self._suspended.something_runs()
        if ready is not None:
            work()
        else:
            self.nested.start(partial(self._run_interlude, work))
        return True

    def _begin(self) -> bool:
        with self.lock:
            batch = self.inbox.next_batch()
            if batch is None:
                self._suspended.nothing_runs()
                return False
        self.nested.start(partial(self._run, batch))
        return True

    def farewell(self) -> None:
        """The last message, sent and gone."""
        if self._progress_thread is not None:
            self._progress_thread.stop()
        self.nested.fibers.close()  # before the last message: a task that is told may still answer
        self.last_message()

    def last_message(self) -> None:
        """Say that this worker has left; from here on nothing is sent."""
        with self.lock:
            self._gone = True  # threads that tasks have left behind may go on printing
            self._transport.send(0, messages.Left())
            self._transport.flush()

    # Running a batch.

    def _run(self, run: Run) -> None:
        running = self._opened(run)
        if running is None:
            return
        running.owner = self.place()[0]
        with self.lock:
            self._running = running
        if self._progress_thread is not None:
            self._progress_thread.wake()
        running.run()
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the task has forked and that came back from it
        with self.lock:
            self._running = None
            self._suspended.goes_on(running)
        self._answer(running)

    def _opened(self, run: Run) -> Running | None:
        try:
            return Running(run, self.inbox.known.function(run.function), self._label)
        except BaseException as error:  # the function or the columns cannot be unpickled
            answer = unpackable(run, error)
        self.task_ended()
        with self.lock:
            if not self._gone:
                self._transport.send(0, answer)
        return None

    def _answer(self, running: Running) -> None:
        answer = running.rest()  # packing may run the user's code: not under the lock
        self.task_ended()
        with self.lock:
            if self._gone:
                return  # the rescuer's task has outlived the farm
            if answer is not None:
                self._transport.send(0, answer)
            if running.alone:
                self._transport.flush()  # the next task may change the memory that is being sent

    # Tasks that wait for tasks.

    def send(self, message: Message) -> None:
        """Send to the farm; with the lock held."""
        self._transport.send(0, message)

    def receive(self) -> None:
        """Take in everything that has arrived; with the lock held."""
        self.inbox.receive()

    def flush(self) -> None:
        """Wait until what was sent has left this rank's memory; with the lock held."""
        self._transport.flush()

    def nudge(self) -> None:
        """There is something that others could run: the progress thread shall look soon."""
        if self._progress_thread is not None:
            self._progress_thread.nudge()

    def suspending(self) -> Running | Interlude | None:
        """The running batch will wait: what it has not started goes back."""
        running = self._running
        with self.lock:
            self._running = None  # from here on the progress thread leaves it alone
        if running is not None:
            answer = running.set_aside()
            self._tasks_ended(running)
            with self.lock:
                if answer is not None:
                    self._transport.send(0, answer)
                self._suspended.waits(running)
        return running

    def resumed(self, running: Running | Interlude | None, seconds: float) -> None:
        """It goes on, `seconds` later."""
        if running is None:
            return
        running.away += seconds
        running.labelled()
        with self.lock:
            self._suspended.goes_on(running)
            self._running = running
        if self._progress_thread is not None:
            self._progress_thread.wake()

    def _run_interlude(self, work: Callable[[], None]) -> None:
        with self.lock:
            self._running = Interlude()
        if self._progress_thread is not None:
            self._progress_thread.wake()
        try:
            work()
        except Ended:
            raise
        except BaseException:  # a callback may call sys.exit
            logger.exception("a callback of a call has failed")
        finally:
            self.task_ended()
            with self.lock:
                self._running = None

    # While a task outlives its budget.

    def _stand_in(self) -> float | None:
        """The progress thread's turn: seconds until it looks again, None to sleep until woken."""
        running = self._running
        if running is None:
            idle = time.monotonic() - self._last_message
            return LOOK_SECONDS if idle < LINGER else None
        age = time.monotonic() - running.started - running.away
        unsettled = self.nested.unsettled
        if age < min(running.budget, PASS_ON_SECONDS) and not unsettled:
            return max(LOOK_SECONDS, min(running.budget, PASS_ON_SECONDS) - age)
        with self.lock:
            if self._running is running:
                self.inbox.receive()
                if age >= running.budget:
                    self._hand_back(running)
                if self.inbox.stopping and self._leave is not None:
                    self._leave()  # with the lock, so that the task cannot print meanwhile
        if unsettled:
            self.nested.offer(0)
            self._rescue(running)
            return LOOK_SECONDS
        return min(max(LOOK_SECONDS, (age - running.budget) / 20), PASS_ON_SECONDS)

    def _rescue(self, running: Running | Interlude) -> None:
        """A task that blocks, waiting for its own calls in a way of its own, must not hang.

        Such a wait cannot be set aside, and what it waits for may need this rank.
        """
        if self.nested.blocked and (self._rescuer is None or not self._rescuer.is_alive()):
            self._rescuer = threading.Thread(target=self._stand_by, args=(running,), daemon=True)
            self._rescuer.start()

    def _stand_by(self, running: Running | Interlude) -> None:
        """Run what there is to run, in place of the blocked thread, until it goes on."""
        with self.lock:
            if self._running is not running:
                return
            self._hand_back(running)
            if running.single:  # else it has just ended, or waits with others of its batch
                self._suspended.waits(running)
            self._suspended.nothing_runs()
        idle = time.monotonic()
        while self._running is running and self.nested.blocked:
            self.nested.rescue()
            with self.lock:
                self.inbox.receive()
                batch = self.inbox.next_batch()
            if batch is not None:
                other = self._opened(batch)
                if other is not None:
                    other.run()
                    self._answer(other)
                idle = time.monotonic()
            pause(time.monotonic() - idle, spin=False)
        with self.lock:
            if self._running is running:
                self._suspended.goes_on(running)

    def _hand_back(self, running: Running | Interlude) -> None:
        answer = running.cut()
        if answer is not None:
            self._tasks_ended(running)
            self._suspended.goes_on(running)  # a task in whose place others ran, and that has ended
            self._transport.send(0, answer)
        for job, start, stop in self.inbox.handed_back():
            self.send(Finished(job, start, start, -1.0, start, stop, False, (), ()))
