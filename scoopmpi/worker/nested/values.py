"""The values of a nested map on their way to the task that made it, a list at a time.

Taking them is what runs the map's tasks: here, or elsewhere while this task waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from typing import Any, Protocol

from ...tasks.outcomes import handed_over
from ...wire import errors, failure
from .maps import NestedMap


class Owner(Protocol):
    """What runs the tasks of a nested map."""

    @property
    def shallow(self) -> bool:
        """Whether one more task may run on top of this stack."""

    def advance(self, job: NestedMap) -> None:
        """Run some unstarted tasks of a job here and now."""

    def opened(self, job: NestedMap) -> None:
        """A job has tasks that are not started, the first ones or more."""

    def abandon(self, job: NestedMap) -> None:
        """Nobody wants the rest."""

    def leave(self, job: NestedMap) -> None:
        """Nobody takes the values, but the tasks shall run."""

    def settled(self, job: NestedMap) -> bool:
        """Whether no task of it is to run, or runs, any more."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Run tasks, or let others run, until `done()`; False after `timeout` seconds."""


class NestedValues:
    """The values of a nested map, in lists, as they come."""

    def __init__(self, nested: Owner, job: NestedMap, deadline: float | None) -> None:
        self._nested, self._job, self._deadline = nested, job, deadline
        self._failure: BaseException | None = None
        self._ended = False

    def __iter__(self) -> NestedValues:
        return self

    def __next__(self) -> Iterable[Any]:
        self._job.asked = True
        try:
            found = None if self._ended else self._next_values()
        except BaseException:
            self.close()
            raise
        if not found:
            self.close()
            raise StopIteration
        return found if len(found) == 1 else handed_over(found)

    @property
    def settled(self) -> Callable[[], bool]:
        """Says whether no task of it is to run, or runs, any more; keeps no values."""
        return partial(self._nested.settled, self._job)

    def close(self) -> None:
        """Nobody wants the rest."""
        if not self._ended:
            self._ended = True
            self._nested.abandon(self._job)

    def __del__(self) -> None:
        if self._job.asked:
            self.close()
        else:  # made for what its tasks do, not for what they return
            self._nested.leave(self._job)

    def _next_values(self) -> list[Any]:
        job, nested = self._job, self._nested
        while self._failure is None:
            if job.ready():
                found, self._failure = job.next_values()
                if found:
                    return found
            elif job.rows and nested.shallow and self._left() is None:
                nested.advance(job)
            elif job.refill():
                nested.opened(job)
            elif job.left:
                raise errors.FarmError(errors.NOT_TAKEN)
            elif job.exhausted:  # asked last: reading on may have found the end
                return []
            elif not nested.wait_until(job.ready, self._left()):
                raise WaitedTooLong("the map's timeout has passed")
        raise failure.raisable(self._failure)

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
