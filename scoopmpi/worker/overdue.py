"""The progress thread's turn: what becomes of a worker's messages while a task runs long.

While a task outlives the budget of its batch this speaks for the worker: it answers with what is
done and hands back what is not started, prefetched batches too; it obeys Stop. Nested tasks are
offered to others, and a task that blocks is rescued. Budgets are kept here and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .batches import Batches
from .inbox import Inbox
from .nested.hub import Hub
from .running import Interlude, Running

if TYPE_CHECKING:
    from types import FrameType

    from ..wire.messages import GiveUp
    from .given_up import GivenUp
    from .rescue import Rescue

LOOK_SECONDS = 0.005
"""How often the progress thread looks while a worker is busy: the interpreter switches as often."""
PASS_ON_SECONDS = 0.05
"""How often it looks for messages in any case, as other ranks may wait for what is sent on here."""
LINGER = 0.1
"""Seconds without a batch after which the progress thread sleeps until it is woken."""


class Overdue:
    """Looks after the batch that runs on one worker; made by the worker's own thread.

    idle: says for how many seconds this worker has had nothing to do.
    leave: called when Stop arrives inside a task, with the lock held; must end the process.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        inbox: Inbox,
        batches: Batches,
        hub: Hub,
        idle: Callable[[], float],
        leave: Callable[[], None] | None,
    ) -> None:
        self._lock, self._inbox, self._batches, self._hub = lock, inbox, batches, hub
        self._idle, self._leave = idle, leave
        self._own_thread = threading.get_ident()
        self._given_up: GivenUp | None = None

    def turn(self) -> float | None:
        """Look after what runs; return the seconds until the next turn.

        None: sleep until woken, as nothing runs.
        """
        batch, beside = self._batches.current, self._given_up_beside()
        if batch is None:
            return LOOK_SECONDS if beside or self._idle() < LINGER else None
        age = _age(batch)
        unsettled = self._hub.unsettled
        if self._given_up is not None and self._given_up.look():
            self._speak_for(batch)
            return LOOK_SECONDS
        if age < min(batch.budget, PASS_ON_SECONDS) and not unsettled:
            return max(LOOK_SECONDS, min(batch.budget, PASS_ON_SECONDS) - age)
        self._speak_for(batch)
        if unsettled:
            self._hub.sharing.offer(0)
            self.rescue.look_after(batch)
            return LOOK_SECONDS
        return min(max(LOOK_SECONDS, (age - batch.budget) / 20), PASS_ON_SECONDS)

    def _speak_for(self, batch: Running | Interlude) -> None:
        with self._lock:
            if self._batches.current is batch:
                self._inbox.receive()
                if _age(batch) >= batch.budget:  # values that leave may have held the lock for long
                    self._batches.hand_back(batch)
                if self._inbox.stopping and self._leave is not None:
                    self._leave()  # with the lock, so that the task cannot print meanwhile

    def give_up(self, message: GiveUp) -> None:
        """Have tasks of some groups end; with the lock held."""
        if self._given_up is None:
            from .given_up import GivenUp  # late: few programs give anything up

            self._given_up = GivenUp(lambda: self._hub.strand)
        groups = self._given_up.add(message.groups)
        self._hub.give_up(groups)
        self._batches.give_up(groups)
        self._batches.hand_back(self._batches.current)

    def _given_up_beside(self) -> bool:
        """Answer for tasks in a thread that were given up before they said whose they are; True
        where others may follow."""
        if self._given_up is None or not self._batches.beside:
            return False
        with self._lock:
            self._batches.give_up(self._given_up.groups)
        return True

    def called(self, _: int, frame: FrameType | None) -> None:
        """Handle the progress thread's signal to the main thread."""
        if self._given_up is not None:
            self._given_up.called(frame)

    @cached_property
    def rescue(self) -> Rescue:
        """The one that stands in for a task that blocks."""
        from .rescue import Rescue  # late: only tasks that create tasks can need it

        return Rescue(self._lock, self._inbox, self._batches, self._hub, self._own_thread)


def _age(batch: Running | Interlude) -> float:
    """Return the seconds for which a batch has run."""
    return time.monotonic() - batch.started - batch.away
