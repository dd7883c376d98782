"""The end of a program on a farm: everything runs first that runs although nobody waits for it.

Executors, maps that nobody reads, and what tasks have left of both on their workers. Each worker
knows its own; rank 0 asks all in rounds, until in one of them nothing had been left and nothing
was handed on. No decisions about tasks here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..concurrency.periods import LEAVE_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..tasks.unfinished import Unfinished
from ..wire.messages import Finish, Rest
from .members import Members
from .offers import Offers
from .unread import Patience, Unread


class Ending:
    """What a farm does before it is closed.

    wait_until: of the farm. broken: says whether nothing can run any more.
    """

    def __init__(
        self,
        unfinished: Unfinished,
        unread: Unread,
        resting: Resting,
        offers: Offers,
        lock: SignalLock,
    ) -> None:
        self._unfinished, self._unread, self._resting = unfinished, unread, resting
        self._offers, self._lock = offers, lock

    def finish(
        self, maps: bool, wait_until: Callable[..., bool], broken: Callable[[], bool]
    ) -> None:
        """Have it run. maps: whether maps count that nobody reads; executors do in any case."""
        resting, offers = self._resting, self._offers
        while not broken():
            self._unfinished.finish()
            if maps:
                self._unread.finish(wait_until, broken)
            with self._lock:
                handed_on = offers.last_ones
                resting.ask(maps)
            said = Patience("tasks that tasks have left", lambda: f"workers {resting.unsettled}")
            said.wait(wait_until, lambda: resting.over or broken())
            new = self._unfinished or (maps and self._unread.under_way)
            if handed_on == offers.last_ones and not new:
                return


class Resting:
    """The rounds in which workers are asked.

    send: sends a message to a worker; with the farm's lock held, as all is called here.
    """

    def __init__(self, members: Members, send: Callable[[int, Any], None]) -> None:
        self._members, self._send = members, send
        self._token = 0
        self._asked = 0.0
        self._silent: set[int] = set()
        self._unsettled: set[int] = set()

    def ask(self, maps: bool) -> None:
        """A round begins."""
        self._token += 1
        self._asked = time.monotonic()
        self._silent, self._unsettled = set(self._members.present), set()
        for worker in self._silent:
            self._send(worker, Finish(self._token, maps))

    def heard(self, worker: int, message: Rest) -> None:
        """A worker has answered, maybe an earlier round."""
        if message.token == self._token:
            self._silent.discard(worker)
            (self._unsettled.discard if message.settled else self._unsettled.add)(worker)

    @property
    def over(self) -> bool:
        """Whether nobody has anything left to run.

        Who does not answer within seconds is in C code that lets no other thread run, of a task
        that nobody waits for.
        """
        gone = self._members.lost.keys()
        if self._unsettled - gone:
            return False
        late = time.monotonic() - self._asked > LEAVE_SECONDS
        return late or not self._silent - gone

    @property
    def unsettled(self) -> list[int]:
        """The workers that have something left to run."""
        return sorted(self._unsettled - self._members.lost.keys())
