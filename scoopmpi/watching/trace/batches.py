"""What becomes of batches: when they ran, by what workers say of it, or by what rank 0 knows.

A worker says in which pieces a batch has run, by its own clock. Where it says nothing, as nobody
has asked it yet or it has died, a batch ran since it was assigned and the one before was over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
        held.start += tasks + held.unmoved
        held.unmoved = 0
        held.tasks += tasks
        held.failed += failed
        over = held.start >= held.stop
        if over:
            place.drop(held)
        elif seen is not None and not seen.segments:
            return  # it runs on, in one piece
        pieces = self._pieces(now, place, held, seconds, seen)  # first: it may set the clock
        inner = [] if seen is None else self._inner(place, seen)
        function = (seen is not None and seen.function) or self._function(held)
        name = form.quoted(function)
        for piece in pieces[:-1]:
            waits = self._span(held, *piece, form.WAITS, name)
            self._spans.add(place, waits, _within(inner, *piece))
        last = pieces[-1]
        end = (form.CUT if held.cut else form.WHOLE) if over else form.PART
        span = self._counting(self._span(held, *last, end, name), held)
        span.batches = 1
        if seen is not None:
            _add_seen(span, seconds, seen)
        self._spans.add(place, span, _within(inner, *last))
        self._apart(place, inner, pieces)
        if held.first is None:
            held.first = pieces[0][0]
        held.pieces += len(pieces) - 1
        if over and held.pieces:
            self._tell_life(place, held, last[1], function)

    def _span(self, held: Held, began: int, until: int, end: str, name: str = "") -> Span:
        name = name or form.quoted(self._function(held))
        return Span(
            name, held.job, held.start - held.tasks - held.again, began, until, until - began, end,
            attempt=held.attempt, batches=0,
        )  # fmt: skip

    def _function(self, held: Held) -> str:
        return held.called or self._jobs[held.job].function

    @staticmethod
    def _counting(span: Span, held: Held) -> Span:
        """Return a span in which the tasks count that have ended and are in none yet."""
        span.tasks, span.failed, span.again = held.tasks, held.failed, held.again
        held.tasks = held.failed = held.again = 0
        return span

    def _pieces(
        self, now: float, place: Place, held: Held, seconds: float, seen: Seen | None
    ) -> list[tuple[int, int]]:
        """Return when a batch ran since it was heard of last, by rank 0's clock."""
        us, clock = self._us, place.clock
        if seen is None:
            began = self._begun(place, held)
            until = max(us(now), began)
            if seconds >= 0:
                began = max(began, until - round(1e6 * seconds))
            place.guess = began, until
            return [place.guess]
        segments = seen.segments
        if not segments:  # it ran beside one that was blocked: two spans at a time would not nest
            return [(us(now), us(now))]
        clock.learn(segments[0][0], segments[-1][1], held.assigned, now)
        return [
            place.beside(us(clock.here(began)), us(clock.here(ended))) for began, ended in segments
        ]

    def _apart(self, place: Place, inner: list[Inner], pieces: list[tuple[int, int]]) -> None:
        """Have nested tasks in the file that ran while their batch was set aside."""
        for each in inner:
            if not any(began <= each.began and each.ended <= until for began, until in pieces):
                self._spans.add_inner(place, each)

    def _begun(self, place: Place, held: Held) -> int:
        return max(self._us(held.assigned) if held.assigned > 0 else 0, place.until, 0)

    def _inner(self, place: Place, seen: Seen) -> list[Inner]:
        here, us = place.clock.here, self._us
        return [
            Inner(
                each.function, *place.beside(us(here(each.began)), us(here(each.ended))),
                each.tasks, each.depth,
            )
            for each in seen.nested
        ]  # fmt: skip

    def _tell_life(self, place: Place, held: Held, until: int, name: str) -> None:
        """Have the life of a task in the file that was set aside: it has several spans."""
        ration, began = self._spans.ration, until if held.first is None else held.first
        if until - began < 1e6 * ration.shortest:
            return
        ration.spend(2)
        index = held.stop - 1
        for phase, ts in (("b", began), ("e", until)):
            self._out(form.life(
                phase, ts, form.TASK, f"{held.job}:{index}", name, place.process, place.worker,
                {"job": held.job, "index": index},
            ))  # fmt: skip

    # Those that have not ended.

    def unended(self, now: float, place: Place, held: Held, end: str) -> None:
        """Have a batch in the file that runs, or did when its worker died."""
        self._spans.add(place, self._counting(self._open(now, place, held, end), held))

    def running(self, now: float, place: Place) -> str | None:
        """Return the span of the batch that a worker has run for a while, None for no such one."""
        held = place.running()
        if held is None:
            return None
        if held.tasks:  # they count where they stand for good
            held = replace(held, tasks=0, failed=0, again=0)
        span = self._open(now, place, held, form.RUNNING)
        return Spans.text(place, span) if span.ended - span.began >= 1e6 * SHOWN else None

    def _open(self, now: float, place: Place, held: Held, end: str) -> Span:
        began = self._begun(place, held)
        span = self._span(held, began, max(self._us(now), began), end)
        span.unended = held.stop - held.start
        return span


def _within(inner: list[Inner], began: int, until: int) -> list[Inner]:
    return [each for each in inner if began <= each.began and each.ended <= until]


def _add_seen(span: Span, seconds: float, seen: Seen) -> None:
    """Have a span say what its worker says. seconds: that it took, as rank 0 has heard."""
    span.nested = sum(each.tasks for each in seen.nested)
    span.resident, span.peak = seen.resident, seen.peak
    if not seen.segments:
        span.busy = round(1e6 * max(seconds, 0.0))
    span.busy += round(1e6 * seen.short)
