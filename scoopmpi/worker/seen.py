"""A batch that says more of itself: when it ran, how much memory its worker took, what was raised.

Loaded where rank 0 asks for it (`messages.Observe`): somebody looks at a trace or a status then. It
costs some microseconds a batch, and no task anything. What is said rides on the batch's answers,
but not on those that another thread gives while a task runs: it goes on, and the next one says it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from ..tasks import stretch
from ..tasks.seen import Seen
from ..wire.messages import Finished
from .answers import Failed, Packed
from .memory import Memory
from .nested.spans import NestedSpans
from .running import Running
from .watched import WatchedBatch

if TYPE_CHECKING:
    from .batches import Batches
    from .nested.depth_first import DepthFirst

_MOST_ERRORS = 8
"""Different texts of errors that one answer tells; the rest is counted as others."""
_MOST_SEGMENTS = 200
"""Segments that one answer tells, of a task that is set aside again and again."""
_RUNS_ON = Seen(())


class Sight:
    """What is looked at on one worker.

    thread: its own.
    """

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._epoch = time.time() - time.monotonic()
        self.nested = NestedSpans(self.now)
        """The spans of nested tasks."""
        self.memory = Memory()

    def now(self) -> float:
        """Return the time in seconds since 1970: one that never goes back, as clocks that are set
        may do."""
        return self._epoch + time.monotonic()


def observe(batches: Batches, tasks: DepthFirst, thread: int) -> None:
    """Have a worker's batches say more from now on.

    tasks: runs nested ones. thread: the worker's own.
    """
    if tasks.spans is not None:
        return
    sight, opened = Sight(thread), batches.open
    tasks.spans = sight.nested
    if isinstance(opened, partial):
        if opened.func is WatchedBatch:
            batches.open = partial(SeenWatchedBatch, sight=sight, **opened.keywords)
    elif opened is Running:
        batches.open = partial(SeenBatch, sight=sight)


class SeenBatch(Running):
    """A batch on a worker that notes when it runs. sight: what is looked at there."""

    def __init__(self, *given: Any, sight: Sight, **more: Any) -> None:
        self._sight = sight
        self._beside = threading.get_ident() != sight.thread  # while another one is blocked
        self._segments: list[tuple[float, float]] = []
        self._short = 0.0
        self._errors: Counter[str] = Counter()
        self._since: float | None = sight.now()
        super().__init__(*given, **more)
        if not self._beside:
            sight.memory.begins(self._function)

    # Answers: what is seen is told with those of the worker's own thread that tell of tasks.

    def suspend(self) -> Finished | None:
        """Answer for what has ended, by the running task itself, which will wait."""
        answer = super().suspend()
        self._pause(self._sight.now())
        self._since = None
        return self._telling(answer)

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds."""
        self._since = self._sight.now()
        super().resume(seconds)

    def front(self, value: Packed) -> Finished | None:
        """Answer for all tasks up to the one that ends now."""
        return self._telling(super().front(value))

    def rest(self) -> Finished | None:
        """Answer for what has not been answered."""
        return self._telling(super().rest())

    def cut(self) -> Finished | None:
        """Answer for what has ended, by another thread: the running task goes on meanwhile."""
        answer = super().cut()
        if answer is None or answer.stop == self._stop:  # the last task has ended just now
            return self._telling(answer)
        return answer._replace(seen=_RUNS_ON)

    def _telling(self, answer: Finished | None) -> Finished | None:
        if answer is None or answer.start == answer.stop:  # nobody hears of one without tasks
            return answer
        return answer._replace(seen=self._seen())

    def _seen(self) -> Seen:
        """Return what is to be said since it was last."""
        now = self._sight.now()
        if self._since is not None:
            self._pause(now)
            self._since = now
        segments, self._segments = tuple(self._segments), []
        errors: tuple[tuple[int, str], ...] = ()
        if self._errors:
            errors = tuple((count, text) for text, count in self._errors.items())
            self._errors.clear()
        short, self._short = self._short, 0.0
        own = self._function is None or self._run.job < 0
        name = self._name if own else ""
        if self._beside:
            return Seen((), errors=errors, function=name)
        ran = sum(ended - began for began, ended in segments)
        nested, memory = self._sight.nested.taken(), self._sight.memory.look(ran)
        return Seen(segments, nested, *memory, errors, short, name)

    def _pause(self, now: float) -> None:
        if self._since is not None:
            self._segments.append((self._since, now))
            if len(self._segments) > _MOST_SEGMENTS:
                self._thin_out()

    def _thin_out(self) -> None:
        """Keep the longer half of all segments; what the others last is summed."""
        lengths = sorted(ended - began for began, ended in self._segments)
        least = lengths[len(lengths) // 2]
        kept = [each for each in self._segments if each[1] - each[0] > least]
        self._short += sum(lengths) - sum(ended - began for began, ended in kept)
        self._segments = kept

    def _failed(self, error: BaseException, kind: type[Failed] = Failed) -> Failed:
        text = stretch.shortened(error)
        known = text in self._errors or len(self._errors) < _MOST_ERRORS
        self._errors[text if known else "other errors"] += 1
        return super()._failed(error, kind)


class SeenWatchedBatch(SeenBatch, WatchedBatch):
    """The same for one whose tasks are watched one by one."""
