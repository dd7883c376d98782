"""Nested tasks on rank 0: ranges that workers have offered, and who may offer again.

An offer is a job of the farm like a map, but its tasks came packed and its outcomes go back packed,
to the worker that owns the nested job. Bookkeeping only: no messages are sent from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function, Tasks
from ..wire import payload
from ..wire.messages import Offered, Returned


class Offer:
    """Tasks of a worker's nested job, for other workers to run.

    owner: the worker whose job it is. first: the index there of the first task here.
    """

    def __init__(self, owner: int, message: Offered) -> None:
        self.owner = owner
        self.function: Function | None = None
        self.tasks = message.stop - message.start
        if message.code is not None:
            code = payload.forwarded(message.code)
            self.function = Function("a nested function", code, message.by_name, message.limit)
        self.job, self.last = message.job, message.last
        self._limit = message.limit
        self.first = message.start
        self._unanswered = self.tasks
        self._plain = message.plain
        if message.plain:  # numbers and strings: unpacking them runs nobody's code
            self._columns: Sequence[Any] = payload.unpack(message.tasks)
        else:
            self._columns = (tuple(map(payload.forwarded, message.tasks)),)

    def limit(self, index: int) -> float | None:
        """Seconds that a task may take."""
        return self._limit

    def packed(self, start: int, stop: int) -> Tasks:
        """The tasks `start` to `stop - 1`, counted from the start of the offer."""
        columns = [column[start:stop] for column in self._columns]
        if self._plain:
            return Tasks(True, payload.pack_columns(columns))
        return Tasks(False, columns[0])

    def returned(self, part: OutcomeRange) -> Returned:
        """What the owner is to be told."""
        self._unanswered -= part.stop - part.start
        frame = (
            payload.forwarded(part.outcomes)
            if part.plain
            else tuple(map(payload.forwarded, part.outcomes))
        )
        start, stop = part.start + self.first, part.stop + self.first
        return Returned(self.job, start, stop, part.plain, frame, part.failed)

    @property
    def answered(self) -> bool:
        """Whether every outcome has come."""
        return not self._unanswered

    def failed(self, error: BaseException) -> None:
        """The farm has ended, and the owner with it."""


class Offers:
    """All offers that are not answered, by their number as jobs, and who may not offer again."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], set[int]] = {}  # (owner, its job): our jobs
        self.spent: dict[int, None] = {}
        """Workers that must be told before they may offer again."""
        self.last_ones = 0
        """Rises with each offer, taken in or closed, of tasks that run before the program ends."""

    def opened(self, number: int, offer: Offer) -> None:
        """A worker has offered tasks, which are now the job `number`."""
        self._numbers.setdefault((offer.owner, offer.job), set()).add(number)
        self.spent[offer.owner] = None
        self.last_ones += offer.last

    def closed(self, number: int, offer: Offer) -> None:
        """All its outcomes have come, or nobody wants them."""
        self.last_ones += offer.last
        key = offer.owner, offer.job
        numbers = self._numbers.get(key, set())
        numbers.discard(number)
        if not numbers:
            self._numbers.pop(key, None)

    def of(self, owner: int, job: int) -> tuple[int, ...]:
        """Our numbers for a worker's nested job."""
        return tuple(self._numbers.get((owner, job), ()))

    def lost(self, owner: int) -> tuple[int, ...]:
        """Our numbers for all jobs of a worker that has died; it is asked for nothing more."""
        self.spent.pop(owner, None)
        keys = [key for key in self._numbers if key[0] == owner]
        return tuple(number for key in keys for number in self._numbers[key])

    def asked(self, idle_workers: int) -> list[int]:
        """Whom to ask for tasks while `hungry` workers have none: each once for each offer."""
        chosen = list(self.spent)[: 2 * idle_workers]
        for worker in chosen:
            del self.spent[worker]
        return chosen

    def __len__(self) -> int:
        return len(self._numbers)
