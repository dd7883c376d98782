"""A worker's loop (ranks >= 1): receive a batch, run it, answer, sleep when nothing comes.

What keeps its promises:
- `_lock` guards the transport, the inbox and the running batch; user code runs without it.
- While a task outlives its batch's budget the stand-in thread speaks for the worker: it answers
  with what is done and hands back what is not started, prefetched batches too; it obeys Stop.
- A task is started at most once: a batch is cut by emptying the list that is being iterated, and
  only then looking how far it came.

Not here: what a batch does to run its tasks (`running`), and how anything is pickled.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import failure, payload
from .messages import Finished, Forget, Joined, Left, Printed, Run, Stop, Unfit
from .pause import pause
from .running import Running
from .standin import StandIn
from .transport import Transport

LOOK_SECONDS = 0.005
"""How often the stand-in looks while a worker is busy: the interpreter's own switch interval."""
LINGER = 0.1
"""Seconds without a batch after which the stand-in sleeps until it is woken."""


class Worker:
    """One worker rank.

    leave: called by the stand-in when Stop arrives inside a task; must end the process.
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
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._inbox: deque[Run | Forget] = deque()
        self._codes: dict[int, Any] = {}
        self._functions: dict[int, Any] = {}
        self._running: Running | None = None
        self._stopping = False
        self._gone = False
        self._last_message = time.monotonic()
        self._standin = StandIn("scoopmpi worker", self._stand_in) if leave else None

    # Talking to the farm.

    def join(self, names: frozenset[str]) -> None:
        """Say that tasks may come; names: what the program's module defines here."""
        with self._lock:
            self._transport.send(0, Joined(socket.gethostname(), os.getpid(), names))

    def refuse(self, reason: str) -> None:
        """Say that the program cannot be imported here, and why."""
        with self._lock:
            self._transport.send(0, Unfit(reason))

    def printed(self, stream: int, text: str) -> None:
        """Send whole lines of a task's output on their way to the user's terminal."""
        with self._lock:
            if not self._gone:
                self._transport.send(0, Printed(stream, text))
                self._transport.flush()  # no faster than rank 0 takes it

    def serve(self) -> None:
        """Run batches until Stop."""
        while not self._stopping:
            if not self.step():
                pause(time.monotonic() - self._last_message, spin=True)

    def step(self) -> bool:
        """Take in messages, run one batch; False where there was nothing to do."""
        with self._lock:
            self._receive()
            message = self._inbox.popleft() if self._inbox and not self._stopping else None
        if message is None:
            return False
        if isinstance(message, Forget):
            self._forget(message.function)
        else:
            self._run(message)
        self._last_message = time.monotonic()
        return True

    def farewell(self) -> None:
        """The last message, sent and gone."""
        if self._standin is not None:
            self._standin.stop()
        with self._lock:
            self._gone = True  # threads that tasks have left behind may go on printing
            self._transport.send(0, Left())
            self._transport.flush()

    def _receive(self) -> None:
        while True:
            arrived = self._transport.receive()
            if arrived is None:
                return
            message = arrived[1]
            if isinstance(message, Run):
                if message.code is not None:
                    self._codes[message.function] = message.code
                self._inbox.append(message)
            elif isinstance(message, Forget):
                self._inbox.append(message)
            elif isinstance(message, Stop):
                self._stopping = True

    # Running a batch.

    def _run(self, run: Run) -> None:
        try:
            function = self._function(run)
            running = Running(run, function, self._label)
        except BaseException as error:
            self._answer_unpackable(run, error)
            return
        with self._lock:
            self._running = running
        if self._standin is not None:
            self._standin.wake()
        running.run()
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the task has forked and that came back from it
        with self._lock:
            self._running = None
        answer = running.rest()  # packing may run the user's code: not under the lock
        with self._lock:
            if answer is not None:
                self._transport.send(0, answer)
            if running.alone:
                self._transport.flush()  # the next task may change the memory that is being sent

    def _function(self, run: Run) -> Any:
        if not run.function:
            return None
        function = self._functions.get(run.function)
        if function is None:
            function = payload.unpack(self._codes[run.function])
            self._functions[run.function] = function
        return function

    def _forget(self, key: int) -> None:
        for known in (self._codes, self._functions):
            known.pop(key, None)

    def _answer_unpackable(self, run: Run, error: BaseException) -> None:
        """The function or the columns of a batch cannot be unpickled: each task fails with that."""
        name = getattr(sys.modules.get("__main__"), "__file__", None) or "the program"
        problem = failure.TaskError(
            f"a function or its arguments cannot be unpickled on worker {self._transport.rank}: "
            f"{failure.reason(error)}. What tasks use must be defined at the top level of {name} "
            "or a module."
        )
        problem.__cause__ = error
        frame = failure.pack(problem, self._transport.rank, "a batch")
        count = run.stop - run.start
        frames, failed = (frame,) * count, tuple(range(count))
        job, start, stop = run.job, run.start, run.stop
        answer = Finished(job, start, stop, -1.0, stop, stop, False, frames, failed)
        with self._lock:
            self._transport.send(0, answer)

    # While a task outlives its budget.

    def _stand_in(self) -> float | None:
        """The stand-in's turn: seconds until it looks again, None to sleep until woken."""
        running = self._running
        if running is None:
            idle = time.monotonic() - self._last_message
            return LOOK_SECONDS if idle < LINGER else None
        overdue = time.monotonic() - running.started - running.budget
        if overdue < 0:
            return max(LOOK_SECONDS, -overdue)
        with self._lock:
            if self._running is running:
                self._receive()
                self._hand_back(running)
                if self._stopping and self._leave is not None:
                    self._leave()  # with the lock, so that the task cannot print meanwhile
        return min(max(LOOK_SECONDS, overdue / 20), 0.05)

    def _hand_back(self, running: Running) -> None:
        answer = running.cut()
        if answer is not None:
            self._transport.send(0, answer)
        waiting, self._inbox = self._inbox, deque()
        for message in waiting:
            if isinstance(message, Forget):
                self._inbox.append(message)
            else:
                job, start, stop = message.job, message.start, message.stop
                back = Finished(job, start, start, -1.0, start, stop, False, (), ())
                self._transport.send(0, back)
