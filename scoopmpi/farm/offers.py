"""Nested tasks on rank 0: ranges that workers have offered, and who may offer again.

An offer is a job of the farm like a map, but its tasks came packed and its outcomes go back packed,
to the worker that owns the nested job. Bookkeeping only: no messages are sent from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function, Tasks
from ..tasks.wrapped import Retry
from ..wire import errors, payload
from ..wire.messages import Offered, Returned


class NestedJob(NamedTuple):
    """A job that a task has made on its worker, by that worker's own number."""

    owner: int
    number: int


class Offer:
    """Tasks of a worker's nested job, for other workers to run.

    number: of the job on the farm. owner: the worker whose job it is.
    returned: takes the offer and outcomes for its owner. forgotten: takes the offer at its end.
    """

    kind = "nested"
    packing_runs_code = delivery_runs_code = False
    progress = None

    def __init__(
        self,
        number: int,
        owner: int,
        message: Offered,
        returned: Callable[[Offer, OutcomeRange], None],
        forgotten: Callable[[Offer], None],
    ) -> None:
        self.number, self.owner = number, owner
        self.name = "a submitted call"
        self.function: Function | None = None
        if message.code is not None:
            self.name = message.name
            code = payload.forwarded(message.code)
            self.function = Function(self.name, code, message.by_name, message.limit)
        self.tasks = message.stop - message.start
        self.nested_job, self.last = NestedJob(owner, message.job), message.last
        self.first = message.start  # the index there of the first task here
        self.origin = message.origin
        self._returned, self._forgotten = returned, forgotten
        self._limit = message.limit
        self._unanswered = self.tasks
        self._plain = message.plain
        if message.plain:  # numbers and strings: unpacking them runs nobody's code
            self._columns: Sequence[Any] = payload.unpack(message.tasks)
        else:
            self._columns = (tuple(map(payload.forwarded, message.tasks)),)

    @property
    def size(self) -> int:
        """Return how many tasks were offered."""
        return self.tasks

    def limit(self, task: int) -> float | None:
        """Return the seconds that a task may take, None where there is no limit."""
        return self._limit

    def retry(self, task: int) -> Retry | None:
        """Return None: tasks of tasks are tried again in place."""
        return None

    def words(self, task: int) -> str:
        """Return the words of messages for a task, as far as it is known here what it is."""
        if not self._plain:
            return f"task {self.first + task} of {self.name}"
        from ..wire import shown  # late: nothing may fail

        given = shown.arguments([column[task] for column in self._columns], {})
        return errors.words(f"{self.name}({given})", self.first + task)

    def packed(self, start: int, stop: int) -> Tasks:
        """Return the tasks `start` to `stop - 1`, counted from the start of the offer."""
        columns = [column[start:stop] for column in self._columns]
        if self._plain:
            return Tasks(True, payload.pack_columns(columns))
        return Tasks(False, columns[0])

    def delivered(self, part: OutcomeRange) -> None:
        """Pass outcomes on to the owner."""
        self._unanswered -= part.stop - part.start
        self._returned(self, part)

    def for_owner(self, part: OutcomeRange) -> Returned:
        """Return the message that tells the owner of outcomes, by the numbers of its own job."""
        frame = (
            payload.forwarded(part.outcomes)
            if part.plain
            else tuple(map(payload.forwarded, part.outcomes))
        )
        start, stop = part.start + self.first, part.stop + self.first
        return Returned(self.nested_job.number, start, stop, part.plain, frame, part.failed)

    @property
    def answered(self) -> bool:
        """True where every outcome has come."""
        return not self._unanswered

    def failed(self, error: BaseException) -> None:
        """Nothing follows: the owner ends with the farm."""

    def closed(self) -> None:
        """Take in that all its outcomes have come, or nobody wants them."""
        self._forgotten(self)


class Offers:
    """All offers that are not answered, and the workers that may not offer again."""

    def __init__(self) -> None:
        self._numbers: dict[NestedJob, set[int]] = {}  # of our jobs
        self._spent: dict[int, None] = {}
        self.spent: Final[Mapping[int, None]] = self._spent
        """Workers that must be asked before they may offer again, in the order of their offers."""
        self.last_ones = 0
        """Rises with each offer, taken in or closed, of tasks that run before the program ends."""

    def opened(self, offer: Offer) -> None:
        """Note that a worker has offered tasks."""
        self._numbers.setdefault(offer.nested_job, set()).add(offer.number)
        self._spent[offer.owner] = None
        self.last_ones += offer.last

    def closed(self, offer: Offer) -> None:
        """Note that all outcomes of an offer have come, or nobody wants them."""
        self.last_ones += offer.last
        numbers = self._numbers.get(offer.nested_job, set())
        numbers.discard(offer.number)
        if not numbers:
            self._numbers.pop(offer.nested_job, None)

    def of(self, nested_job: NestedJob) -> tuple[int, ...]:
        """Return our numbers for a worker's nested job."""
        return tuple(self._numbers.get(nested_job, ()))

    def lost(self, owner: int) -> tuple[int, ...]:
        """Return our numbers for all jobs of a worker that has died; it is asked for nothing."""
        self._spent.pop(owner, None)
        jobs = [nested_job for nested_job in self._numbers if nested_job.owner == owner]
        return tuple(number for nested_job in jobs for number in self._numbers[nested_job])

    def to_ask(self, idle_workers: int) -> list[int]:
        """Return whom to ask for tasks while so many have none: each once for each offer."""
        chosen = list(self._spent)[: 2 * idle_workers]
        for worker in chosen:
            del self._spent[worker]
        return chosen

    def __len__(self) -> int:
        return len(self._numbers)
