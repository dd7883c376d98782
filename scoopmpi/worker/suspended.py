"""Batches of a worker that are set aside while their task waits, and what the farm knows of them.

The farm takes a batch for running until it is told that it waits, and then gives the worker more.
It is told only when there is nothing else to do here, so short waits cost no message. Everything
here is called with the worker's lock held.
"""

from __future__ import annotations

from collections.abc import Callable

from ..wire.messages import Resumed, Waiting
from .running import Interlude, Running


class SuspendedBatches:
    """What waits on one worker.

    send: takes a message for the farm.
    """

    def __init__(self, send: Callable[[Waiting | Resumed], None]) -> None:
        self._send = send
        self._silent: list[Running] = []  # the farm believes that they run
        self._announced: list[Running] = []  # the farm knows that they wait

    def waits(self, running: Running | Interlude) -> None:
        """The running batch does from now on."""
        if isinstance(running, Running) and running not in self._announced:
            self._silent.append(running)

    def goes_on(self, running: Running | Interlude) -> None:
        """A batch runs again."""
        if running in self._announced:
            self._announced.remove(running)
            self._send(Resumed(*running.task))
        elif running in self._silent:
            self._silent.remove(running)

    def nothing_runs(self) -> None:
        """The worker has nothing to do: the farm shall know that it is free."""
        while self._silent:
            running = self._silent.pop()
            self._announced.append(running)
            self._send(Waiting(*running.task))

    def something_runs(self) -> None:
        """Nested tasks go on here, of which the farm cannot know: one of its batches stands in."""
        if self._announced:
            running = self._announced.pop()
            self._silent.append(running)
            self._send(Resumed(*running.task))

    def __len__(self) -> int:
        return len(self._silent) + len(self._announced)
