"""Makes nested jobs of the maps and calls of tasks; on the worker's own thread only.

Loaded with the first one, and with it all that knows how nested jobs look.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...tasks import limit
from ...tasks.executor import MapOptions
from ...tasks.future import Future
from ...tasks.pedigree import UNPLACED, Program, Strand
from ...wire import failure
from .calls import Call, NestedCalls, packed
from .hub import Hub
from .maps import NestedMap
from .values import NestedValues
from .waiters import Waiters


class JobMaker:
    """Makes the nested jobs of one worker, and numbers them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tasks, self._pending, self._maps = hub.tasks, hub.pending, hub.maps
        self._lock, self._sharing = hub.lock, hub.sharing
        self._ahead = 4 * hub.workers
        self._numbers = itertools.count(1)

    def submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Make a call, as its arguments are now; it joins the last job where that is possible."""
        tasks, future = self._tasks, Future[Any]()
        future.driver, future._waiters = tasks, Waiters(tasks)
        try:
            call = packed(future, fn, args, kwargs, self._hub.strand.new_call(fn))
        except Exception as error:
            future.set_running_or_notify_cancel()
            future.set_exception(failure.call_unpicklable(error, fn))
            return future
        with self._lock:  # nobody takes calls while one is added
            latest = self._pending.latest
            if isinstance(latest, NestedCalls) and latest.add(call, tasks.scope):
                return future
            calls = NestedCalls(next(self._numbers), tasks.scope, call.origin[4])
            calls.add(call, tasks.scope)
        tasks.opened(calls)
        return future

    def fork(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Make a call whose arguments nobody changes, and offer it to others at once.

        It belongs to the group of the task that makes it, and has no other place in the program.
        """
        tasks, future = self._tasks, Future[Any]()
        future.driver, future._waiters = tasks, Waiters(tasks)
        origin = (*UNPLACED[:4], self._hub.strand.origin[4])
        calls = NestedCalls(next(self._numbers), tasks.scope, origin[4])
        calls.add(Call(future, (fn, args), None, origin), tasks.scope)
        tasks.opened(calls)
        self._sharing.offer(0)
        return future

    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> NestedValues:
        """Make a map, and return its values, a list at a time."""
        deadline = options.deadline()
        fn = limit.limited(fn, options.task_timeout)
        if options.retry is not None:
            fn = options.retry.in_place(fn, deadline)
        ordered = options.ordered
        tasks, maps = self._tasks, self._maps
        strand: Strand | Program | None = tasks.strand  # of a nested task mostly, which is at hand
        if strand is None or strand.inner is not None:
            strand = self._hub.strand
        origin = strand.new_map()
        job = NestedMap(
            next(self._numbers), tasks.scope, fn, iterables, self._ahead, ordered, origin
        )
        maps.add(job)
        tasks.opened(job)
        return NestedValues(tasks, maps, job, deadline, options.return_exceptions)
