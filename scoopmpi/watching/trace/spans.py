"""Spans of batches and of what nests in them, worker by worker; short ones are put together.

While the ration lasts each goes out as it is. Then a short one waits for those that follow it on
its worker, and goes out with them once they are long enough together: what they count is summed,
so nothing is lost but where one ended and the next began. Times are microseconds. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import form
from .rations import Ration

_MIXED = 1.0
"""Seconds from which on batches of different functions are put together too: a program that takes
turns between two functions has no others that follow one another."""


@dataclass(slots=True)
class Span:
    """A batch, or a part of one, or several that follow one another.

    began, ended: microseconds. name: of the function, as JSON has it. busy: microseconds.
    again: tasks that have raised, and are tried again. unended: tasks that have not come to their
        end. nested: tasks of tasks in it.
    """

    name: str
    job: int
    start: int
    began: int
    ended: int
    busy: int
    end: str
    tasks: int = 0
    failed: int = 0
    attempt: int = 1
    batches: int = 1
    resident: int = 0
    peak: int = 0
    again: int = 0
    unended: int = 0
    nested: int = 0

    def take_in(self, other: Span) -> None:
        """Be both from now on; the other one follows."""
        if other.name != self.name:
            self.name = _SEVERAL
        self.ended, self.end = other.ended, other.end
        self.busy += other.busy
        self.tasks += other.tasks
        self.failed += other.failed
        self.batches += other.batches
        self.again += other.again
        self.nested += other.nested
        self.attempt = max(self.attempt, other.attempt)
        self.resident, self.peak = other.resident or self.resident, max(self.peak, other.peak)

    @property
    def args(self) -> str:
        """What it says beside its place, as JSON has it."""
        text = (
            f'"job":{self.job},"start":{self.start},"tasks":{self.tasks},"failed":{self.failed},'
            f'"attempt":{self.attempt},"batches":{self.batches},"busy":{self.busy},'
            f'"end":"{self.end}"'
        )
        for name in ("again", "unended", "nested"):
            if number := getattr(self, name):
                text += f',"{name}":{number}'
        if self.peak:
            text += f',"resident":{self.resident},"peak":{self.peak}'
        return text


@dataclass(slots=True)
class Inner:
    """Tasks of tasks that ran on the worker of theirs; times in microseconds."""

    function: str
    began: int
    ended: int
    tasks: int
    depth: int


@dataclass(slots=True)
class Line:
    """What is in the file of one worker. process: the number of its host."""

    process: int
    worker: int
    until: int = 0
    """Microseconds at which the latest of its spans ends."""
    waiting: Span | None = field(default=None)
    """A span that others may be put together with."""
    hidden: int = 0
    """Microseconds of short parts of batches that have no span: they count with the next one."""


class Spans:
    """The spans of one run.

    out: takes what goes into the file.
    """

    def __init__(self, out: Callable[[str], None], ration: Ration) -> None:
        self._out, self.ration = out, ration

    def add(self, line: Line, span: Span, inner: Sequence[Inner] = ()) -> None:
        """Have a span in the file, with what nests in it, now or with those that follow."""
        shortest = self._shortest
        follows = span.began >= line.until
        if shortest and follows:
            span.busy += line.hidden
            line.hidden = 0
        waiting = line.waiting
        if waiting is not None and follows:
            if self._fits(waiting, span, shortest):
                waiting.take_in(span)
                line.until = span.ended
                if span.ended - waiting.began >= shortest:
                    self._flush(line)
                return
            self._flush(line)
        if span.ended - span.began >= shortest:
            self._write(line, span)
        elif follows:
            line.waiting = span
        elif span.batches:
            self._write(line, span)
        else:  # a part of a batch that was set aside long ago
            line.hidden += span.busy
        line.until = max(line.until, span.ended)
        for each in inner:
            self.add_inner(line, each)

    @property
    def _shortest(self) -> int:
        return round(self.ration.shortest * 1e6)

    def _fits(self, waiting: Span, span: Span, shortest: int) -> bool:
        alike = waiting.name == span.name or self.ration.shortest >= _MIXED
        return (
            alike
            and not span.unended
            and span.ended - span.began < shortest
            and span.ended - waiting.began < 2 * shortest
        )

    def rest(self, line: Line, before: int | None = None) -> None:
        """Have what waits in the file too, of a line that has nothing since a time, or of any."""
        if line.waiting is not None and (before is None or line.until < before):
            self._flush(line)

    def _flush(self, line: Line) -> None:
        waiting, line.waiting = line.waiting, None
        if waiting is not None:
            self._write(line, waiting)

    def _write(self, line: Line, span: Span) -> None:
        self.ration.spend(1, (span.ended - span.began) / 1e6)
        self._out(self.text(line, span))

    def add_inner(self, line: Line, each: Inner) -> None:
        """Have tasks of tasks in the file, unless they are too short: their batch counts them."""
        length = each.ended - each.began
        if length < self._shortest:
            return
        self.ration.spend()
        args = f'"tasks":{each.tasks},"depth":{each.depth}'
        self._out(
            form.span(
                each.began, length, form.NESTED, form.quoted(each.function),
                line.process, line.worker, args,
            )
        )  # fmt: skip

    @staticmethod
    def text(line: Line, span: Span) -> str:
        """Return a span as it stands in the file."""
        length = span.ended - span.began
        return form.span(
            span.began, length, form.BATCH, span.name, line.process, line.worker, span.args
        )


_SEVERAL = form.quoted(form.SEVERAL)
