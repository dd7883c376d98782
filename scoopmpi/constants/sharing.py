"""How constants reach all ranks: rank 0 numbers them, every rank that gets them sends them on.

The tree is that of `broadcast`: rank 0 sends O(log P) messages, and to each host once. A batch
says how many constants had been set when it was sent, so a task never asks too early. Here are
the messages and their answers; what a constant is, is said in `store`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..concurrency.periods import ON_ITS_WAY_SECONDS
from ..process.identity import memory_domain
from ..wire import payload
from ..wire.constants_messages import BroadcastConstants, BufferRequest, ConstantsSet, SetConstants
from ..wire.messages import Message
from ..wire.payload import Frame
from .broadcast import Place, forwards
from .store import LARGE, Added, Constants

if TYPE_CHECKING:
    from .farm_lending import FarmLending
    from .lending import Lending

Send = Callable[[int, Message], None]

FEW, COPIED = 3, 64 << 20
"""So few workers of rank 0's host get a function of less than so many bytes in a message: a map
with a partial of 16 MiB took 4.9 ms on two workers, and 7.0 with fresh shared memory."""


class Sharing:
    """A rank's constants, and its part in passing them on.

    Everything here but `store` is called with the rank's lock held. What takes a message is called
    when it has come, with its sender.
    send: takes a rank and a message for it.
    """

    def __init__(self, send: Send) -> None:
        self.store = Constants()
        self.domain = memory_domain()
        self._send = send
        self._incomplete: dict[int, BroadcastConstants] = {}
        """By number: what was lent to this rank, which cannot open it."""
        self._lending: Lending | None = None

    @property
    def lending(self) -> Lending:
        """What tasks have in common on this rank; made when there is some."""
        if self._lending is None:
            from .lending import Lending  # late: few programs have any, and it is a file to open

            self._lending = Lending(self._send, self.domain)
        return self._lending

    def keep_and_pass_on(self, sender: int, message: BroadcastConstants) -> None:
        """Keep constants that have come, and send them on."""
        if self.store.knows(message.number):
            return  # sent once more, as a rank was lost that may not have sent it on
        before = self._incomplete.pop(message.number, None)
        if before is not None:
            frames = {**before.frames, **message.frames}
            message = before._replace(frames=frames)
        try:
            added = self.store.add(message.frames, message.number)
        except Exception as problem:
            from .hostmemory import NotShared  # late: it was needed just now for the first time

            if not isinstance(problem, NotShared):
                raise
            self._incomplete[message.number] = message
            self._send(sender, BufferRequest(message.number))
            return
        self._pass_on(added, message.behind)

    def send_buffers(self, sender: int, message: BufferRequest) -> None:
        """Send a copy to a rank of this host that cannot open shared memory."""
        frames = self.store.frames_of(message.number)
        self._send(sender, BroadcastConstants(message.number, frames, ()))

    def _pass_on(self, added: Added, places: tuple[Place, ...]) -> None:
        for to, behind in forwards(self.domain, places):
            self._send(to.rank, self._share(added, to.host, behind))

    def _share(self, added: Added, domain: str, behind: tuple[Place, ...]) -> BroadcastConstants:
        frames = added.lent if domain == self.domain else added.frames
        return BroadcastConstants(added.number, frames, behind)


class FarmSharing(Sharing):
    """Rank 0's part: it decides what is set.

    told: told of constants that are set, by their number and bytes.
    """

    def __init__(self, send: Send, told: Callable[[int, int], None] = lambda *_: None) -> None:
        super().__init__(send)
        self._told = told
        self._places: list[Place] = []
        self._set_by: dict[int, dict[frozenset[str], int]] = {}  # worker: names and number
        self._orphans: dict[frozenset[str], int] = {}  # as there, of tasks that come again
        self.by_program: list[str] = []
        """The names that the program has set, or is just setting."""
        self.by_tasks: list[str] = []
        """The names that its tasks have set."""
        self._sent: list[tuple[float, Added]] = []  # for those who join later
        self._lent: FarmLending | None = None
        self.retired: deque[int] = deque()
        """Numbers of what was lent, and is to be forgotten; any thread may add to them."""
        self._guard = threading.RLock()  # any thread may be the first that lends

    @property
    def lending(self) -> FarmLending:
        """What tasks have in common; made when there is some."""
        with self._guard:
            if self._lent is None:
                from .farm_lending import FarmLending

                self._lent = FarmLending(
                    self._send, self.domain, lambda: self._places, self.retired
                )
            return self._lent

    def kept(self, frame: Frame) -> Frame:
        """Return a frame that the user's later changes do not reach; lend what is large in it."""
        least = COPIED if self._few_beside else LARGE
        lends = payload.size(frame) >= least
        return self.lending.kept(frame) if lends else payload.copied(frame)

    @property
    def _few_beside(self) -> bool:
        """True where there are few workers, all on this host."""
        return len(self._places) <= FEW and all(place.host == self.domain for place in self._places)

    def retire(self, numbers: Sequence[int]) -> None:
        """Have these be forgotten, if there are any: nothing is packed with them any more."""
        self.retired.extend(numbers)

    @property
    def lends(self) -> bool:
        """True from when tasks have something in common."""
        return self._lent is not None

    @property
    def forgetting(self) -> bool:
        """True while something is to be forgotten, or workers have not said that they have: until
        then this rank keeps it, a whole table perhaps, however long the program computes alone."""
        return bool(self.retired) or (self._lent is not None and self._lent.leaving)

    def program_sets(self, names: Iterable[str]) -> None:
        """Note what the program is about to set, before any task can see it."""
        self.by_program += names

    def joined(self, worker: int, domain: str) -> None:
        """Send a worker that can take part what has been set before."""
        for _, added in self._sent:
            self._send(worker, self._share(added, domain, ()))
        self._places.append(Place(worker, domain))

    def lost(self, worker: int) -> None:
        """Send again what a dead worker may not have sent on to those who wait for it."""
        self._places = [place for place in self._places if place.rank != worker]
        recent = time.monotonic() - ON_ITS_WAY_SECONDS
        for moment, added in self._sent:
            for place in self._places if moment > recent else ():
                # As to ranks of this host: who has them drops that, others ask for what is large.
                self._send(place.rank, BroadcastConstants(added.number, added.lent, ()))
        self._orphans.update(self._set_by.pop(worker, {}))
        if self.lends:
            self.lending.lost(worker)

    def set(self, frames: Mapping[str, Frame]) -> int:
        """Set constants for everyone and return their number; TypeError where a name is known."""
        added = self.store.add(frames)
        self._sent.append((time.monotonic(), added))
        self._pass_on(added, tuple(self._places))
        self._told(added.number, sum(map(payload.size, frames.values())))
        return added.number

    def set_for_task(self, sender: int, message: SetConstants) -> None:
        """Set constants for a task; once more where it had set them on a worker that died."""
        names, problem = frozenset(message.frames), ""
        try:
            number = self.set(message.frames)
            self.by_tasks += message.frames
        except TypeError as error:
            number = self._orphans.pop(names, 0)
            problem = "" if number else str(error)
        if number:
            self._set_by.setdefault(sender, {})[names] = number
        self._send(sender, ConstantsSet(message.token, number, problem))
