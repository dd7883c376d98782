"""What a farm does when the program has ended, before it is closed (`closing`).

Everything runs that runs although nobody waits for it: executors, maps, calls, and what tasks have
left of these on their workers. Each worker knows its own; rank 0 asks all in rounds,
until in one of them nothing had been left and nothing was handed on. No decisions about tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..concurrency.periods import LEAVE_SECONDS
from ..concurrency.signal_lock import SignalLock
from ..tasks.unfinished import Unfinished
from ..wire.messages import Finish, Rest
from .calls import CallStream
from .members import Members
from .offers import Offers
from .patience import Patience
from .unread import UnreadMaps


class ProgramEnd:
    """The end of one program on a farm.

    unfinished: executors here. unread: maps here. calls: those submitted here.
    rounds, offers: tell of the workers.
    """

    def __init__(
        self,
        unfinished: Unfinished,
        unread: UnreadMaps,
        calls: CallStream,
        rounds: Rounds,
        offers: Offers,
        lock: SignalLock,
    ) -> None:
        self._unfinished, self._unread, self._calls = unfinished, unread, calls
        self._rounds, self._offers, self._lock = rounds, offers, lock

    def finish(
        self, maps: bool, wait_until: Callable[..., bool], broken: Callable[[], bool]
    ) -> None:
        """Return when nothing is left to run.

        maps: whether maps and calls count that nobody waits for; executors do in any case.
        wait_until: of the farm. broken: says whether nothing can run any more.
        """
        rounds, offers = self._rounds, self._offers
        while not broken():
            self._unfinished.finish()
            if maps:
                self._unread.finish(wait_until, broken)
                self._finish_calls(wait_until, broken)
            with self._lock:
                handed_on = offers.last_ones
                rounds.ask(maps)
            said = Patience("tasks that tasks have left", lambda: f"workers {rounds.unsettled}")
            said.wait(wait_until, lambda: rounds.over or broken())
            new = self._unfinished or (maps and (self._unread.under_way or self._calls.waiting))
            self._calls.tell_unheard()
            if not rounds.waited and handed_on == offers.last_ones and not new:
                return

    def _finish_calls(self, wait_until: Callable[..., bool], broken: Callable[[], bool]) -> None:
        calls = self._calls
        said = Patience("submitted calls", lambda: f"{calls.waiting} have not ended")
        said.wait(wait_until, lambda: not calls.waiting or broken())


class Rounds:
    """The rounds in which workers are asked whether anything is left to run on them.

    send: sends a message to a worker; with the farm's lock held, as all is called here.
    """

    def __init__(self, members: Members, send: Callable[[int, Any], None]) -> None:
        self._members, self._send = members, send
        self._token = 0
        self._asked = 0.0
        self._silent: set[int] = set()
        self._unsettled: set[int] = set()
        self.waited = False
        """True where in the latest round something was left to run on a worker."""

    def ask(self, maps: bool) -> None:
        """Begin a round. maps: whether maps and calls count that nobody waits for."""
        self._token += 1
        self._asked = time.monotonic()
        self._silent, self._unsettled = set(self._members.present), set()
        self.waited = False
        for worker in self._silent:
            self._send(worker, Finish(self._token, maps))

    def heard(self, worker: int, message: Rest) -> None:
        """Take in a worker's answer, maybe to an earlier round."""
        if message.token == self._token:
            self._silent.discard(worker)
            self.waited = self.waited or not message.settled
            (self._unsettled.discard if message.settled else self._unsettled.add)(worker)

    @property
    def over(self) -> bool:
        """True where no worker has anything left to run.

        One that does not answer within seconds is in C code that lets no other thread run, of a
        task that nobody waits for.
        """
        gone = self._members.lost.keys()
        if self._unsettled - gone:
            return False
        late = time.monotonic() - self._asked > LEAVE_SECONDS
        return late or not self._silent - gone

    @property
    def unsettled(self) -> list[int]:
        """Return the workers that have something left to run."""
        return sorted(self._unsettled - self._members.lost.keys())
