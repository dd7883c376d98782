"""Rank 0's part in lending: it lends, says who gets what and when, and has it forgotten.

Large buffers are put into shared memory under numbers, as far as there is room; a worker is sent a
number before the first batch that refers to it. Rank 0 has it until all that were sent it have said
that they forgot it. What tasks have in common is found elsewhere (`farm.recurring`, `in_common`).
"""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..concurrency.periods import ON_ITS_WAY_SECONDS
from ..wire import lent as lent_frames
from ..wire import payload
from ..wire.constants_messages import LentBuffers, LentRequest
from ..wire.messages import Forget
from ..wire.payload import Frame
from . import hostmemory
from .broadcast import Place
from .hostmemory import NotShared
from .lending import Lending, Send
from .lent import Lent
from .spare_memory import spare

logger = logging.getLogger("scoopmpi")
LINK = 25e6
"""Bytes a second that a link between hosts takes at least: a quarter of 1 Gbit/s, as others use it
too."""
LITTLE = 64 << 20
"""Bytes that are lent without a look at how much memory is left, which takes 0.3 ms."""
MOST = 64
"""Numbers at a time: each is a file that is open on every rank, of the 1024 that are usual."""


class _Out:
    """What rank 0 has lent under one number.

    borrowed: batches that were packed with it, and are not sent. holders: the workers that have it,
    or will. spread: when it was sent to all other hosts. answered: workers that asked for it.
    """

    def __init__(self, lent: Lent) -> None:
        self.lent = lent
        self.borrowed = 0
        self.holders: set[int] = set()
        self.spread: float | None = None
        self.answered: set[int] = set()


class FarmLending(Lending):
    """Rank 0's part: it lends, says who gets what and when, and has it forgotten.

    `lend`, `borrow`, `give_back` and `retire` may be called by any thread without the farm's lock.
    places: says which workers take part, and where.
    retired: numbers that are to be forgotten (`forget_retired`).
    """

    def __init__(
        self,
        send: Send,
        domain: str,
        places: Callable[[], Sequence[Place]],
        retired: deque[int],
    ) -> None:
        super().__init__(send, domain)
        self._places = places
        self._numbers = itertools.count(1)
        self._most = sys.maxsize  # bytes, as far as is known
        self._told = False
        self._guard = threading.RLock()  # for what follows; signal handlers may lend too
        self._out: dict[int, _Out] = {}
        self._retired = retired
        self._leaving: dict[int, set[int]] = {}
        """Numbers that workers were told to forget, and those who have not said that they have."""

    def lend(self, buffers: Sequence[Any]) -> tuple[int, Lent]:
        """Copy buffers to where all workers of this host find them; return their number.

        Raises NotShared where there is no such place, or not enough of it; the user is told once.
        """
        size = sum(memoryview(each).nbytes for each in buffers)
        try:
            self._check(size)
            there = hostmemory.publish(buffers)
        except NotShared as problem:
            self._most = min(self._most, size - 1)
            self._tell(problem)
            raise
        lent = Lent(there.views, there.where, published=there)
        with self._guard:
            number = next(self._numbers)
            self._out[number] = _Out(lent)
            self._lent[number] = lent
        return number, lent

    def has_room(self, size: int) -> bool:
        """True where so many bytes may be lent beside what is lent already."""
        if size > self._most or len(self._out) - len(self._retired) >= MOST:
            return False
        lent = sum(each.size for each in list(self._lent.values()))
        return not lent or size + lent <= LITTLE or 2 * size < spare() - lent

    def _check(self, size: int) -> None:
        """Raise NotShared where so many bytes would not leave as much memory to others."""
        if size > LITTLE and 2 * size > (left := spare()):
            raise NotShared(f"{size >> 20} MiB are more than half of the {left >> 20} MiB left")

    def _tell(self, problem: NotShared) -> None:
        """Say once that what many tasks have in common is sent to each."""
        if not self._told:
            self._told = True
            logger.warning(
                "large arguments that tasks have in common are sent with each task, which is "
                "slower: %s. Give the job more memory, or have tasks read the data from a file",
                problem,
            )

    def kept(self, frame: Frame) -> Frame:
        """Return a frame that the user's later changes do not reach; lend what is large in it.

        Who no longer needs it retires its numbers.
        """
        parts = list(frame) if type(frame) is tuple else [frame]
        large = [
            place for place, part in enumerate(parts) if memoryview(part).nbytes >= lent_frames.LENT
        ]
        if not large:  # many small ones
            return payload.copied(frame)
        try:
            number, _ = self.lend([parts[place] for place in large])
        except NotShared:
            return payload.copied(frame)
        for at, place in enumerate(large):  # in front is the pickle itself, which is only read
            use = lent_frames.use(parts[place]) if place else lent_frames.READ_ONLY
            parts[place] = number, at, use
        return lent_frames.framed(
            part if type(part) is tuple else payload.own(part) for part in parts
        )

    def borrow(self, numbers: Iterable[int]) -> None:
        """Take in that a batch was packed with these; `give_back` follows."""
        with self._guard:
            for number in numbers:
                self._out[number].borrowed += 1

    def give_back(self, numbers: Iterable[int]) -> None:
        """Take in that a batch that was packed with these is sent, or will never be."""
        with self._guard:
            for number in numbers:
                self._out[number].borrowed -= 1

    def retire(self, numbers: Iterable[int]) -> None:
        """Have these forgotten: nothing is packed with them any more."""
        self._retired.extend(numbers)

    # With the farm's lock held.

    def lost(self, worker: int) -> None:
        """Take in that a worker has died. Who waits for what it had to send on asks for that."""
        for out in list(self._out.values()):  # others may lend meanwhile
            out.holders.discard(worker)
        for number in list(self._leaving):
            self.forgot(worker, (number,))

    def send_to(self, worker: int, numbers: Iterable[int]) -> None:
        """Send a worker what it has not been sent of these: a batch follows that refers to it.

        Workers of this host are told where it is. Others get it by the tree, and all at once.
        """
        for number in numbers:
            out = self._out[number]
            if worker not in out.holders:
                self._send_one(worker, number, out)

    def _send_one(self, worker: int, number: int, out: _Out) -> None:
        """Send one number to a worker; where it is the first on another host, to all on others."""
        places = self._places()
        own = next(place for place in places if place.rank == worker)
        beside = [
            place.rank for place in places if place.host == own.host and place.rank in out.holders
        ]
        if own.host != self._domain and beside:  # it has joined later
            self._send(worker, LentBuffers(number, beside[0], ()))
            reached = [own]
        else:
            reached = [own]
            if own.host != self._domain and out.spread is None:
                out.spread = time.monotonic()
                # This one first: a batch follows, so it has little to do, and hears it at once.
                far = [place for place in places if place.host != self._domain]
                reached = sorted(far, key=lambda place: place.rank != worker)
            self._pass_on(number, out.lent, reached)
        out.holders.update(place.rank for place in reached)

    def send_buffers(self, sender: int, message: LentRequest) -> None:
        """Send a copy to a worker that asks, once; who is not answered asks again.

        On other hosts not while it may still be on its way to them: the copy would go over the same
        link, and one to each of their workers.
        """
        out = self._out.get(message.number)
        if out is not None:
            if sender in out.answered or self._on_its_way(sender, out):
                return
            out.answered.add(sender)
        super().send_buffers(sender, message)

    def _on_its_way(self, worker: int, out: _Out) -> bool:
        host = {place.rank: place.host for place in self._places()}
        far = {*host.values()} - {self._domain}
        if out.spread is None or host.get(worker) not in far:
            return False
        size = sum(memoryview(each).nbytes for each in out.lent.buffers)
        most = min(size / LINK * len(far).bit_length(), ON_ITS_WAY_SECONDS / 2)
        return time.monotonic() - out.spread < most

    def forget_retired(self) -> None:
        """Have all ranks forget what was retired, as far as no batch is on its way with it."""
        with self._guard:
            ready: list[int] = []
            kept: list[int] = []
            while self._retired:  # one by one, as more may come meanwhile
                number = self._retired.popleft()
                (kept if self._out[number].borrowed else ready).append(number)
            self._retired.extend(kept)
            outs = {number: self._out.pop(number) for number in ready}
            oldest = min((*self._out, *self._leaving, *ready), default=0)
        told: dict[int, list[int]] = {}
        for number, out in outs.items():
            for worker in out.holders:
                told.setdefault(worker, []).append(number)
            self._leaving[number] = set(out.holders)
            self._let_go(number)
        for worker, numbers in told.items():
            self._send(worker, Forget(0, tuple(numbers), oldest))

    def forgot(self, worker: int, numbers: Iterable[int]) -> None:
        """Take in that a worker has forgotten these."""
        for number in numbers:
            if number in self._leaving:
                self._leaving[number].discard(worker)
                self._let_go(number)

    @property
    def leaving(self) -> bool:
        """True while workers have not said that they have forgotten what they were told to."""
        return bool(self._leaving)

    def _let_go(self, number: int) -> None:
        if not self._leaving[number]:
            del self._leaving[number]
            self._close(number)
