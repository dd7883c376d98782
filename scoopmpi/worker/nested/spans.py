"""When tasks of tasks ran on this worker, for those who watch a run; bounded. Loaded where asked.

Whoever runs some says when they begin and end, and when the stack on which they stand is set aside:
what runs meanwhile is on another one. So spans nest in each other, and in those of their batch.
Tasks of one that is too short count for the span around it, or for the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...tasks.seen import NestedSpan
from ...wire import failure

if TYPE_CHECKING:
    from ...tasks.pedigree import Strand
    from .port import NestedJob

MOST = 256
"""Spans that an answer carries, some 20 KB; where there are more the shortest have none."""
_SHORTEST = 0.0001
"""Seconds below which a span counts for another one from the beginning: ten times what it costs."""


class Frame:
    """Some tasks of one job that run now. extra: tasks below them that have no span."""

    __slots__ = ("began", "extra", "front", "job", "strand")

    def __init__(self, job: NestedJob, strand: Strand, now: float) -> None:
        self.job, self.strand = job, strand
        self.extra = 0
        self.go_on(now)

    def go_on(self, now: float) -> None:
        """Begin anew at a time."""
        self.began, self.front = now, self.job.front

    @property
    def tasks(self) -> int:
        """How many have begun since, with those below them that have no span."""
        return self.job.front - self.front + self.extra

    @property
    def name(self) -> str:
        """The name of what runs."""
        return failure.describe(self.strand.function)


class NestedSpans:
    """The spans of one worker; for its own thread.

    clock: seconds since 1970, that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._frames: list[Frame] = []
        self._spans: list[NestedSpan] = []
        self._shortest = _SHORTEST
        self._since = 0.0  # when what runs has begun, or gone on: nothing is joined with what was

    def begin(self, job: NestedJob, strand: Strand) -> Frame:
        """Take note that tasks of a job begin on top of what runs. strand: says which."""
        frame = Frame(job, strand, self._clock())
        self._frames.append(frame)
        return frame

    def end(self, frame: Frame) -> None:
        """Take note that they have ended, or wait for their turn."""
        frames = self._frames
        if frames and frames[-1] is frame:  # else the worker ends, and all that waited
            self._note(frame, self._clock(), len(frames))
            frames.pop()

    def set_aside(self) -> list[Frame]:
        """Take note that what runs is set aside; return it for `go_on`."""
        now, frames = self._clock(), self._frames
        for depth in range(len(frames), 0, -1):
            self._note(frames[depth - 1], now, depth)
        self._frames, self._since = [], now
        return frames

    def go_on(self, frames: list[Frame]) -> None:
        """Take note that what was set aside runs again."""
        self._frames, self._since = frames, self._clock()
        for frame in frames:
            frame.go_on(self._since)

    def taken(self) -> tuple[NestedSpan, ...]:
        """Return the spans since this was asked last."""
        self._since = self._clock()
        if not self._spans:
            return ()
        spans, self._spans = tuple(self._spans), []
        self._shortest = _SHORTEST
        return spans

    def _note(self, frame: Frame, now: float, depth: int) -> None:
        """Keep a span, or count it for the one around it, or for the one that it goes on with."""
        tasks, frame.extra = frame.tasks, 0
        around = self._frames[depth - 2] if depth > 1 else None
        if around is not None and now - frame.began < self._shortest:
            around.extra += tasks
            return
        since = self._since if around is None else around.began
        before = self._spans[-1] if self._spans else None
        if (
            before is not None
            and before.depth == depth
            and before.began >= since
            and frame.began - before.ended < self._shortest
            and frame.name == before.function
        ):
            self._spans[-1] = before._replace(ended=now, tasks=before.tasks + tasks)
            return
        self._spans.append(NestedSpan(frame.name, frame.began, now, tasks, depth))
        while len(self._spans) > MOST:
            self._thin_out()

    def _thin_out(self) -> None:
        while len(self._spans) > MOST // 2:
            self._shortest *= 2
            self._spans, left = thinned(self._spans, self._shortest)
            for depth, tasks in left.items():
                if depth - 2 < len(self._frames):
                    self._frames[depth - 2].extra += tasks


def thinned(
    spans: list[NestedSpan], shortest: float
) -> tuple[list[NestedSpan], dict[int, int]]:  # fmt: skip
    """Return spans without those that are shorter: their tasks count for the one around them.

    spans: in the order in which they ended. Returns also the tasks, by their depth, of those around
    which nothing has ended yet. Where nothing is around one it counts for the one before it.
    """
    kept: list[NestedSpan] = []
    left: dict[int, int] = {}
    outer: int | None = None  # the place of the last one around which there is nothing
    for span in spans:
        tasks = span.tasks + left.pop(span.depth + 1, 0)
        if span.depth > 1 and span.ended - span.began < shortest:
            left[span.depth] = left.get(span.depth, 0) + tasks
        elif outer is not None and span.ended - span.began < shortest:
            kept[outer] = kept[outer]._replace(tasks=kept[outer].tasks + tasks)
        else:
            kept.append(span._replace(tasks=tasks))
            if span.depth == 1:
                outer = len(kept) - 1
    return kept, left
