"""When rank 0 has to look after which worker: until then it sleeps, and then it looks often.

A pause that grows with the time without a message made each task of 100 ms wait 8 ms, though it was
known to the millisecond when its answer was due. Expectations come with the assignments of the
scheduler. Where there are none, or they have passed, rank 0 looks again and again as before. Times
are of one clock, which callers read; nothing is sent or slept here.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush

from ..scheduling.scheduler import Assignment

FEW = 64
"""Entries that are not worth tidying up: while the program computes nobody looks, for hours."""


class Due:
    """The batches that workers hold, and from when on each worker has to be looked after."""

    def __init__(self) -> None:
        self._held: dict[int, deque[Assignment]] = {}
        self._begun: dict[int, float] = {}  # when the first of these has
        self._wanted: dict[int, float] = {}  # in future
        self._awaited: set[int] = set()  # those whose time has come
        self._order: list[tuple[float, int]] = []  # a heap, also of what is not wanted any more
        self._since = 0.0
        self._parts: dict[int, tuple[int, float]] = {}  # jobs, and how often a part of them comes
        self._idle: dict[int, float] = {}  # since when, in this order

    def given(self, assignment: Assignment, now: float) -> None:
        """Note that a worker gets a batch."""
        worker = assignment.worker
        held = self._held.get(worker)
        if held is None:
            held = self._held[worker] = deque()
        if not held:
            self._begun[worker] = now
            self._idle.pop(worker, None)
        held.append(assignment)
        self._expect(worker, held)

    def answered(self, worker: int, now: float) -> None:
        """Note that a worker has answered for the first batch that it holds, or for a part."""
        held = self._held.get(worker)
        if held:
            held.popleft()
            self._begun[worker] = now
            self._expect(worker, held)

    def goes_on(self, worker: int, job: int, seconds: float, now: float) -> None:
        """Note that a worker has answered for a part, and goes on with the same batch.

        seconds: that the next part will take in all likelihood.
        """
        self._parts[worker] = job, seconds
        held = self._held.get(worker)
        if held:
            self._begun[worker] = now
            self._expect(worker, held)

    def lost(self, worker: int) -> None:
        """Note that a worker has died."""
        self._awaited.discard(worker)
        for known in (self._held, self._begun, self._wanted, self._idle, self._parts):
            known.pop(worker, None)

    def _expect(self, worker: int, held: deque[Assignment]) -> None:
        self._awaited.discard(worker)
        if not held:
            self._wanted.pop(worker, None)
            self._idle[worker] = self._begun[worker]
            return
        time = self._begun[worker]
        if len(held) == 1:
            time += held[0].surely
        else:  # soon enough to send a third before the second has ended
            time += held[0].expected + held[1].expected / 2
        if self._parts:
            job, seconds = self._parts.get(worker, (0, 0.0))
            if job == held[0].batch.job:  # the worker stands still until the part is taken
                time = min(time, self._begun[worker] + seconds)
        self._wanted[worker] = time
        heappush(self._order, (time, worker))
        if len(self._order) > 4 * len(self._wanted) + FEW:  # nobody has looked for long
            self._order = [(time, worker) for worker, time in self._wanted.items()]
            heapify(self._order)

    def idle_before(self, time: float) -> bool:
        """True where some worker has been idle since before that time."""
        longest = next(iter(self._idle.values()), time)
        return longest < time

    def look(self, now: float) -> tuple[float, float | None, bool]:
        """Return the latest time that has come, the next one if there is any, and whether some
        worker is awaited whose time has come."""
        order, wanted = self._order, self._wanted
        next_time = None
        while order:
            time, worker = order[0]
            if wanted.get(worker) == time:
                if time > now:
                    next_time = time
                    break
                del wanted[worker]
                self._awaited.add(worker)
                self._since = time
            heappop(order)
        return self._since, next_time, bool(self._awaited)
