"""The values of a map by themselves: a consumer, and another thread that finishes the map."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import MagicMock

from scoopmpi.executors.farm_results import FarmResults
from scoopmpi.tasks.outcomes import OutcomeRange
from scoopmpi.wire import payload

LAST = OutcomeRange(0, 1, True, payload.pack([5]), ())


class OneTask:
    """A job whose only outcome comes just behind the consumer's look, and is taken by another."""

    number, endless, asked, more, left, error = 1, False, True, False, False, None
    runs_out = False

    def __init__(self) -> None:
        self.parts: list[OutcomeRange] = []
        self.taken = self.ready = False
        self.results: FarmResults | None = None
        self.other: threading.Thread | None = None

    def ask(self) -> None:
        """Take no note of it."""

    def take(self) -> OutcomeRange | None:
        """Return what has come."""
        if not self.parts:
            return None
        self.taken = True
        return self.parts.pop()

    @property
    def over(self) -> bool:
        """True where the outcome was taken."""
        return self.taken

    @property
    def exhausted(self) -> bool:
        """True where the outcome was taken; at the consumer's first look, somebody finishes."""
        if self.other is None and self.results is not None:
            self.parts, self.ready = [LAST], True
            self.other = threading.Thread(target=self.results.finish, args=(True,), daemon=True)
            self.other.start()
            self.other.join(0.3)
        return self.taken


def test_a_consumer_gets_what_another_thread_takes_behind_his_look() -> None:
    farm, job = MagicMock(), OneTask()
    results = job.results = FarmResults(farm, job, None)  # type: ignore[arg-type]

    def wait(done: Any, timeout: float | None = None) -> bool:
        if threading.current_thread() is not job.other and job.other is not None:
            job.other.join(10)
        return True

    farm.wait_until = wait
    assert results.outcomes() == [5]
    assert results.outcomes() == []
