"""Tasks that nobody wants any more are interrupted where they run: KeyboardInterrupt in the task.

The progress thread looks whether what runs belongs to a group that was given up, and then calls the
main thread by a signal, which also ends a sleep. The handler raises where the task's own code runs,
never in code of ours, nor in a `__del__`; else the progress thread calls again. A task that goes on
all the same gets it again after a second, as its clean-up may take that long.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Set
from types import FrameType

from ..process.signals import OWN
from ..tasks import limit
from ..tasks.pedigree import Program, Strand, is_runner
from ..tasks.wrapped import CALLING
from .nested.depth_first import GIVEN_UP

AGAIN_SECONDS = 1.0
"""Between two of one task."""


class GivenUp:
    """The groups that were given up, on one worker.

    runs: says who runs now, in the main thread.
    """

    def __init__(self, runs: Callable[[], Strand | Program]) -> None:
        self._runs = runs
        self.groups: set[int] = set()
        """All that were given up until now."""
        self._main = threading.main_thread().ident or 0
        self._raised: tuple[object, int, float] = None, 0, 0.0  # in which task, and when

    def add(self, groups: Iterable[int]) -> Set[int]:
        """Take note of more of them; return all, also those to come."""
        self.groups.update(groups)
        return self.groups

    def look(self) -> bool:
        """Call the main thread where it is to be interrupted; True where it may have to be again.

        For the progress thread.
        """
        found = self._wanted_not()
        if found is not None and self._due(found):
            signal.pthread_kill(self._main, OWN)
        return found is not None

    def called(self, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the task that runs, where it is to be; in the main thread."""
        found = self._wanted_not()
        if found is None or not self._due(found) or limit.delicate(frame, is_runner):
            return
        if _begins(frame, found):
            return
        self._raised = found.origin, found.index, time.monotonic()
        raise KeyboardInterrupt(GIVEN_UP)

    def _wanted_not(self) -> Strand | None:
        strand = self._runs()
        return strand if isinstance(strand, Strand) and strand.origin[4] in self.groups else None

    def _due(self, strand: Strand) -> bool:
        origin, index, when = self._raised
        same = origin is strand.origin and index == strand.index
        return not same or time.monotonic() - when > AGAIN_SECONDS


def _begins(frame: FrameType | None, strand: Strand) -> bool:
    """Return whether a submitted call is about to say whose it is: who runs is the one before."""
    if frame is None or frame.f_code not in CALLING or "origin" not in frame.f_code.co_varnames:
        return False
    return frame.f_locals.get("origin") is not strand.origin
