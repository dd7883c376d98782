"""How lent buffers reach all ranks: rank 0 numbers them, every rank that gets them sends them on.

To each host once, as constants (`sharing`), and between hosts over the same tree; but tasks refer
to them by number, and when no task does any more all ranks forget them. Always so: a batch does not
begin before all is there that it refers to (`want`); rank 0 has a number until all that were
sent it have said that they forgot it; what was forgotten is not kept again, however late it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..wire.constants_messages import LentBuffers, LentRequest
from ..wire.messages import Message
from .broadcast import Place, forwards
from .hostmemory import NotShared
from .lent import Lent, Loan, kept

Send = Callable[[int, Message], None]


class Lending:
    """What a rank has been lent, and its part in passing it on; with the rank's lock held.

    send: takes a rank and a message for it. domain: of this rank's host (`memory_domain`).
    """

    def __init__(self, send: Send, domain: str) -> None:
        self._send, self._domain = send, domain
        self._lent: dict[int, Lent] = {}
        self._whom: dict[int, tuple[int, bool]] = {}
        """Whom to ask for what this rank has not got, and whether for all of it."""
        self._gone: set[int] = set()
        self._oldest = 0

    def keep_and_pass_on(self, sender: int, message: LentBuffers) -> None:
        """Keep buffers that have come, and send them on."""
        number = message.number
        if number in self._lent:  # it was asked for, as the tree was slow
            self._pass_on(number, self._lent[number], message.behind)
            return
        lent = None
        if self._forgotten(number) or (message.buffers is None and sender == 0):
            self._gone.add(number)
        elif message.buffers is None:
            self._whom[number] = 0, True  # which has it for as long as tasks refer to it
        elif type(message.buffers) is int:
            self._whom[number] = message.buffers, False
        else:
            try:
                lent = self._lent[number] = kept(message.buffers)
            except NotShared:
                self._whom[number] = sender, True
        self._pass_on(number, lent, message.behind)

    def want(self, numbers: Iterable[int]) -> list[int]:
        """Return those of these for which a batch has to wait.

        What could not be opened, or another rank has, is asked for: not before, as few may need it.
        """
        missing = [
            number for number in numbers if number not in self._lent and not self._forgotten(number)
        ]
        for number in missing:
            if (whom := self._whom.pop(number, None)) is not None:
                self.ask(*whom, number)
        return missing

    def ask(self, rank: int, whole: bool, number: int) -> None:
        """Have a rank send the buffers of a number, or say where they are on this host."""
        self._send(rank, LentRequest(number, whole))

    def send_buffers(self, sender: int, message: LentRequest) -> None:
        """Send a copy to a rank that cannot open shared memory, or waits too long.

        Who joined later is told where it is, by another rank of his host.
        """
        lent = self._lent.get(message.number)
        buffers: Any = None
        if lent is not None:
            buffers = lent.frame() if message.whole or lent.where is None else lent.where
        self._send(sender, LentBuffers(message.number, buffers, ()))

    def loan(self, numbers: Iterable[int]) -> Loan:
        """Return those of the numbers that are here, kept until their batch has ended."""
        return Loan({number: self._lent[number] for number in numbers if number in self._lent})

    def forget(self, numbers: Iterable[int], oldest: int) -> None:
        """Keep these no longer. oldest: all numbers below have been forgotten by all ranks."""
        self._oldest = max(self._oldest, oldest)
        for number in numbers:
            self._close(number)
            self._whom.pop(number, None)
            self._gone.add(number)
        self._gone = {number for number in self._gone if number >= self._oldest}

    def _close(self, number: int) -> None:
        # Not left to the collector: batches are circles, and may refer to it.
        if (lent := self._lent.pop(number, None)) is not None:
            lent.close()

    def _forgotten(self, number: int) -> bool:
        return number < self._oldest or number in self._gone

    def _pass_on(self, number: int, lent: Lent | None, places: Sequence[Place]) -> None:
        for to, behind in forwards(self._domain, places):
            self._send(to.rank, LentBuffers(number, self._wired(lent, to.host), behind))

    def _wired(self, lent: Lent | None, domain: str) -> Any:
        if lent is None:
            return None
        return lent.where if lent.where and domain == self._domain else lent.frame()

    def __len__(self) -> int:
        return len(self._lent)
