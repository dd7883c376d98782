"""What becomes of batches: when they ran, by what workers say of it, or by what rank 0 knows.

A worker says in which pieces a batch has run, by its own clock. Where it says nothing, as nobody
has asked it yet or it has died, a batch ran since it was assigned and the one before was over.
"""

from __future__ import annotations

from collections.abc import Callable

from ...tasks.seen import Seen
from . import form
from .jobs import JobLives
from .places import Held, Place
from .spans import Inner, Span, Spans

SHOWN = 1.0
"""Seconds that a batch has to run for the file to say so before it ends."""


class BatchSpans:
    """The batches of one run.

    us: brings seconds since 1970 to microseconds of the run.
    """

    def __init__(
        self, out: Callable[[str], None], spans: Spans, jobs: JobLives, us: Callable[[float], int]
    ) -> None:
        self._out, self._spans, self._jobs, self._us = out, spans, jobs, us

    def ran(
        self, now: float, place: Place, held: Held, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        """Have that in the file which a worker has run of a batch since it was heard of last.

        tasks: those that have ended; those to be tried again are in `held`. The rest is as in
        `Observer.tasks_finished`.
        """
        start, again = held.start, held.again
        held.start, held.again = start + tasks + again, 0
        over = held.start >= held.stop
        pieces = self._pieces(now, place, held, seconds, seen)
        inner = [] if seen is None else self._inner(place, seen)
        began, until = pieces.pop()
        for piece in pieces:
            waits = self._span(place, held, start, *piece, form.WAITS)
            waits.batches = 0
            self._spans.add(place, waits, _within(inner, *piece))
        end = (form.CUT if held.cut else form.WHOLE) if over else form.PART
        span = self._span(place, held, start, began, until, end)
        span.tasks, span.failed, span.again = tasks, failed, again
        span.nested = sum(each.tasks for each in inner)
        if seen is not None:
            span.resident, span.peak = seen.resident, seen.peak
        self._spans.add(place, span, _within(inner, began, until))
        if held.first is None:
            held.first = pieces[0][0] if pieces else began
        held.pieces += len(pieces)
        if over:
            place.drop(held)
            if held.pieces:
                self._tell_life(place, held, until)

    def _span(
        self, place: Place, held: Held, start: int, began: int, until: int, end: str
    ) -> Span:  # fmt: skip
        name = self._jobs[held.job].name
        return Span(name, held.job, start, began, until, until - began, end, attempt=held.attempt)

    def _pieces(
        self, now: float, place: Place, held: Held, seconds: float, seen: Seen | None
    ) -> list[tuple[int, int]]:
        """Return when a batch ran since it was heard of last, by rank 0's clock."""
        us, clock = self._us, place.clock
        if seen is not None and seen.segments:
            segments = seen.segments
            clock.learn(segments[0][0], segments[-1][1], held.assigned, now)
            return [(us(clock.here(began)), us(clock.here(ended))) for began, ended in segments]
        began = self._begun(place, held)
        until = max(us(now), began)
        return [(max(began, until - round(1e6 * seconds)) if seconds >= 0 else began, until)]

    def _begun(self, place: Place, held: Held) -> int:
        return max(self._us(held.assigned) if held.assigned > 0 else 0, place.until, 0)

    def _inner(self, place: Place, seen: Seen) -> list[Inner]:
        here, us = place.clock.here, self._us
        return [
            Inner(each.function, us(here(each.began)), us(here(each.ended)), each.tasks, each.depth)
            for each in seen.nested
        ]

    def _tell_life(self, place: Place, held: Held, until: int) -> None:
        """Have the life of a task in the file that was set aside: it has several spans."""
        ration, began = self._spans.ration, until if held.first is None else held.first
        if until - began < 1e6 * ration.shortest:
            return
        ration.spend(2)
        name, index = self._jobs[held.job].function, held.stop - 1
        for phase, ts in (("b", began), ("e", until)):
            self._out(form.life(
                phase, ts, form.TASK, f"{held.job}:{index}", name, place.process, place.worker,
                {"job": held.job, "index": index},
            ))  # fmt: skip

    # Those that have not ended.

    def unended(self, now: float, place: Place, held: Held, end: str) -> None:
        """Have a batch in the file that runs, or did when its worker died."""
        self._spans.add(place, self._open(now, place, held, end))

    def running(self, now: float, place: Place) -> str | None:
        """Return the span of the batch that a worker has run for a while, None for no such one."""
        held = place.running()
        if held is None:
            return None
        span = self._open(now, place, held, form.RUNNING)
        return Spans.text(place, span) if span.ended - span.began >= 1e6 * SHOWN else None

    def _open(self, now: float, place: Place, held: Held, end: str) -> Span:
        began = self._begun(place, held)
        span = self._span(place, held, held.start, began, max(self._us(now), began), end)
        span.batches, span.unended = 0, held.stop - held.start
        return span


def _within(inner: list[Inner], began: int, until: int) -> list[Inner]:
    return [each for each in inner if began <= each.began and each.ended <= until]
