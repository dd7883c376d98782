"""A batch that says more of itself: when it ran, how much memory its worker took, what was raised.

Loaded where rank 0 asks for it (`messages.Observe`): somebody looks at a trace or a status then. It
costs some microseconds a batch, and no task anything. What is said rides on the batch's answers.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from ..tasks import stretch
from ..tasks.seen import Seen
from ..wire.messages import Finished
from .answers import Failed
from .running import Running
from .watched import WatchedBatch

if TYPE_CHECKING:
    from .batches import Batches

_MOST_ERRORS = 8
"""Different texts of errors that one answer tells; the rest is counted as others."""


def observe(batches: Batches) -> None:
    """Have a worker's batches say more from now on."""
    opened = batches.open
    if isinstance(opened, partial):
        if opened.func is WatchedBatch:
            batches.open = partial(SeenWatchedBatch, **opened.keywords)
    elif opened is Running:
        batches.open = SeenBatch


class SeenBatch(Running):
    """A batch on a worker that notes when it runs."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self._segments: list[tuple[float, float]] = []
        self._errors: Counter[str] = Counter()
        self._since: float | None = time.time()
        super().__init__(*given, **more)

    def suspend(self) -> Finished | None:
        """Answer for what has ended, by the running task itself, which will wait."""
        answer = super().suspend()
        self._pause()
        return answer

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds."""
        self._since = time.time()
        super().resume(seconds)

    def _pause(self) -> None:
        since, self._since = self._since, None
        if since is not None:
            self._segments.append((since, time.time()))

    def _failed(self, error: BaseException, kind: type[Failed] = Failed) -> Failed:
        text = stretch.shortened(error)
        known = text in self._errors or len(self._errors) < _MOST_ERRORS
        self._errors[text if known else "other errors"] += 1
        return super()._failed(error, kind)

    def _answer(
        self, values: list[Any], done: int, seconds: float, unstarted: int, end: int
    ) -> Finished:
        answer = super()._answer(values, done, seconds, unstarted, end)
        now = time.time()
        if self._since is not None:
            self._segments.append((self._since, now))
            self._since = now
        segments, self._segments = tuple(self._segments), []
        errors = tuple((count, text) for text, count in self._errors.items())
        self._errors.clear()
        return answer._replace(seen=Seen(segments, errors=errors))


class SeenWatchedBatch(SeenBatch, WatchedBatch):
    """The same for one whose tasks are watched one by one."""
