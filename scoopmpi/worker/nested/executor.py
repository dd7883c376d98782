"""What tasks talk to on a worker: their maps and calls become nested jobs of this worker.

Depth first (`depth_first`), and shared with others that have nothing to do (`work_sharing`). Here
is only what a task calls. What makes jobs is loaded when a task first creates one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ...tasks import limit
from ...tasks.executor import Executor, MapOptions
from ...tasks.future import Future
from ...tasks.unfinished import Unfinished
from ...tasks.wrapped import Retry
from .hub import Hub

if TYPE_CHECKING:  # an import is a file that every rank opens
    from ...tasks.constants_backend import ConstantsBackend
    from ...tasks.pedigree import Program, Strand
    from ...tasks.serial import SerialValues
    from .making import JobMaker
    from .values import NestedValues

T = TypeVar("T")


class NestedExecutor(Executor):
    """The executor of the tasks on one worker.

    constants: returns what `shared` speaks to in tasks.
    """

    def __init__(self, hub: Hub, constants: Callable[[], ConstantsBackend]) -> None:
        self._hub, self._constants = hub, constants
        self._serial = hub.serial
        self._own_thread = threading.get_ident()

    @property
    def unfinished(self) -> Unfinished:
        """Executors of tasks that have something under way."""
        return self._hub.unfinished

    @property
    def workers(self) -> int:
        """How many processes may run tasks of a task; 1 in threads, which run theirs in place."""
        return self._hub.workers if threading.get_ident() == self._own_thread else 1

    @property
    def constants_backend(self) -> ConstantsBackend:
        """The constants as `shared` needs them."""
        return self._constants()

    def call(
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None = None,
        retry: Retry | None = None,
    ) -> Future[T]:
        """Submit as `FarmExecutor.call` does: it runs here when waited for, or elsewhere."""
        fn = limit.limited(fn, task_timeout)
        if retry is not None:
            fn = retry.in_place(fn, None)
        if threading.get_ident() != self._own_thread:
            return self._serial.call(fn, args, kwargs, limit.NO_LIMIT)
        return self._maker.submit(fn, args, kwargs)

    @property
    def fork(self) -> Callable[..., Future[Any]]:
        """Have a call run whose arguments nobody changes: it is packed only if others take it.

        The call is offered to others at once, where tasks are wanted; who wants it back cancels it.
        """
        return self._maker.fork

    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> NestedValues | SerialValues:
        """Map as `FarmExecutor.values` does: tasks run here as values are taken, or elsewhere."""
        if threading.get_ident() != self._own_thread:
            return self._serial.values(fn, iterables, options)
        return self._maker.values(fn, iterables, options)

    @property
    def strand(self) -> Strand | Program:
        """Who runs, in the thread that asks."""
        if threading.get_ident() != self._own_thread:
            return self._serial.strand
        return self._hub.strand

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Run the task's own jobs, or let others run, until `done()`; False after `timeout`."""
        return self._hub.tasks.wait_until(done, timeout)

    @cached_property
    def _maker(self) -> JobMaker:
        from .making import JobMaker  # late: most programs nest nothing, and every rank opens files

        return JobMaker(self._hub)
