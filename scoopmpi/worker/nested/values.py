"""The values of a nested map on their way to the task that made it, a list at a time.

Taking them is what runs the map's tasks: here, or elsewhere while this task waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from typing import TYPE_CHECKING, Any

from ...tasks.outcomes import Raised, Surfacing, collected, consumed, handed_over
from ...wire import errors
from .maps import Arrived, NestedMap

if TYPE_CHECKING:
    from .port import Tasks
    from .unread_maps import UnreadMaps


class NestedValues:
    """The values of a nested map, in lists, as they come.

    deadline: the time after which waiting for a value raises TimeoutError.
    collect: whether exceptions of tasks are values too.
    """

    def __init__(
        self,
        tasks: Tasks,
        maps: UnreadMaps,
        job: NestedMap,
        deadline: float | None,
        collect: bool,
    ) -> None:
        self._tasks, self._maps, self._job, self._deadline = tasks, maps, job, deadline
        self._collect = collect
        self._asked = self._ended = False

    def __iter__(self) -> NestedValues:
        return self

    def __next__(self) -> Iterable[Any]:
        if not self._asked:
            self._asked = True
            self._job.ask()
        try:
            found = None if self._ended else self._next_values()
        except BaseException:
            self.close()
            raise
        if found is None:
            self.close()
            raise StopIteration
        return found

    @property
    def settled(self) -> Callable[[], bool]:
        """Says whether no task of the map is to run, or runs, any more; keeps no values."""
        return partial(self._maps.settled, self._job)

    def close(self) -> None:
        """Drop the rest of the values."""
        if not self._ended:
            self._ended = True
            self._maps.abandon(self._job)

    def __del__(self) -> None:
        if self._ended:
            return
        if self._asked:
            self.close()
        else:  # made for what its tasks do, not for what they return
            self._maps.leave(self._job)

    def _next_values(self) -> Iterable[Any] | None:
        job, tasks = self._job, self._tasks
        while True:
            if (arrived := job.outcomes.take()) is not None:
                if isinstance(arrived, Arrived):
                    if arrived.failure is not None:
                        return self._with_failure(arrived.values, arrived.failure)
                    found = arrived.values
                    return found if len(found) == 1 else handed_over(found)
                return consumed(arrived, self._collect)  # from another worker
            if job.rows and self._deadline is None and tasks.shallow:
                tasks.advance(job)
            elif job.refill():
                tasks.opened(job)
            elif job.unread:
                raise errors.FarmError(errors.NOT_TAKEN)
            elif job.exhausted:  # asked last: reading on may have found the end
                return None
            elif not tasks.wait_until(job.ready, self._seconds_left()):
                raise WaitedTooLong("the map's timeout has passed")

    def _with_failure(self, found: list[Any], problem: BaseException) -> Iterable[Any]:
        outcomes = [*found, Raised(problem)]
        return handed_over(collected(outcomes)) if self._collect else Surfacing(outcomes)

    def _seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
