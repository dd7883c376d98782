"""The executor of a process without ranks: everything runs in place, one task after the other.

Without a launcher, on a single rank, and in threads that tasks have made.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import Any, TypeVar

from ..concurrency.backoff import poll
from ..wire import errors, failure
from ..wire.messages import Origin
from . import arguments
from .executor import Executor, MapOptions
from .future import Future
from .limit import in_place, limited
from .pedigree import Program, Strand, program, runs_strand, strand_below
from .unfinished import Unfinished, Unheard, tell_endless, tell_failed, tell_not_run
from .wrapped import Retry

T = TypeVar("T")


class SerialExecutor(Executor):
    """Runs calls in place, at once.

    A map runs as it is read; one that nobody reads, when something else is asked for or at the end.
    """

    def __init__(self) -> None:
        self._unfinished = Unfinished()
        self._dropped: deque[SerialValues] = deque()
        self._told: set[str] = set()  # functions whose failures have been told
        self._maps: weakref.WeakSet[SerialValues] = weakref.WeakSet()

    @property
    def unfinished(self) -> Unfinished:
        """Executors, and results for later, on this one that have something under way."""
        return self._unfinished

    @property
    def strand(self) -> Strand | Program:
        """The task that runs in this thread, or the program."""
        return strand_below() or program

    @in_place
    @runs_strand
    def call(
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None = None,
        retry: Retry | None = None,
    ) -> Future[T]:
        """Run `fn(*args, **kwargs)` now, and return its future, which is done.

        task_timeout: seconds that it may take; TaskTimeout afterwards.
        retry: how it is tried again where it raises.
        """
        self._run_dropped()
        origin = (strand_below() or program).new_call(fn)
        fn = limited(fn, task_timeout)
        if retry is not None:
            fn = retry.in_place(fn, None)
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        strand = Strand.of(origin, fn)  # noqa: F841
        try:
            value = fn(*args, **kwargs)
        except BaseException as error:
            _noted(error, fn, args, kwargs, None)
            future.set_exception(error)
        else:
            future.set_result(value)
        return future

    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> SerialValues:
        """Return the values of the built-in map, with the limits and the timeout of others."""
        without_end, deadline = all(map(arguments.endless, iterables)), options.deadline()
        known = all(map(arguments.sized, iterables))
        size = min(map(arguments.length, iterables)) if known else None
        run = limited(fn, options.task_timeout)
        if options.retry is not None:
            run = options.retry.in_place(run, deadline)
        origin = (strand_below() or program).new_map()
        tasks = _Tasks(run, without_end, size, origin, options.return_exceptions)
        found = map(tasks.run, *iterables)
        self._run_dropped()
        made = SerialValues(tasks, found, deadline, self._dropped)
        self._maps.add(made)
        return made

    def finish(self, maps: bool = True) -> None:
        """Have run what runs although nobody waits for it: the program has ended.

        maps: whether maps count that nobody reads.
        """
        if not maps:
            left = [made for made in {*self._dropped, *self._maps} if made.unasked]
            self._dropped.clear()
            self._maps.clear()
            tell_not_run([(made.name, made.begun, made.size) for made in left], 0, failed=False)
        self._unfinished.finish()
        if maps:
            for made in list(self._maps):
                made.drop()
            self._run_dropped()

    def waits(self, maps: bool) -> bool:
        """Return whether there is something to finish. maps: also maps that nobody reads."""
        return bool(self._unfinished or (maps and self._dropped))

    def _run_dropped(self) -> None:
        """Run the tasks of maps that were dropped before their first value."""
        while self._dropped:
            made = self._dropped.popleft()
            try:
                deque(made.tasks(), 0)
            except Exception as error:  # what tasks raise does not come here
                tell_failed(made.name, made.begun, failure.reason(error))
            made.unheard.tell(made.name, made.begun, self._told)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until `done()` for what other threads bring about; False after `timeout` seconds."""
        return poll(done, timeout)


def _noted(
    error: BaseException, fn: Callable[..., Any], args: Any, kwargs: Any, index: int | None
) -> None:
    """Have an exception say which call it is of, as on a farm."""
    from ..wire import shown  # late: nothing may fail

    task = errors.words(shown.called(fn, args, kwargs), index)
    errors.add_task(error, failure.describe(fn), index, task)
    failure.note(error, f"Failed in {task}".rstrip(","))


class _Tasks:
    """How the tasks of a serial map run.

    fn: the user's function, with its limit.
    endless: whether the iterables are known to have no end. size: how many tasks there are, if
    that is known. origin: who has made it. collect: whether exceptions of tasks are values too.
    """

    def __init__(
        self, fn: Callable[..., Any], endless: bool, size: int | None, origin: Origin, collect: bool
    ) -> None:
        self._fn, self.endless, self.size, self._collect = fn, endless, size, collect
        self._strand = strand = Strand()
        strand.origin, strand.function, strand.start = origin, fn, -1
        self.unheard = Unheard()
        self.unread = False
        """True where nobody takes the values: then what tasks raise is for nobody."""

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        return failure.describe(self._fn)

    @property
    def begun(self) -> int:
        """How many tasks have begun."""
        return self._strand.start + 1

    def leave(self) -> None:
        """Note that nobody takes the values."""
        self.unread = True

    @runs_strand
    def run(self, *args: Any) -> Any:
        """Run one task, and return its value; raises what it raises where somebody reads."""
        strand = self._strand
        strand.start += 1
        try:
            return self._fn(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if self.unread:
                return self._note(error)
            _noted(error, self._fn, args, {}, self.begun - 1)
            if self._collect and not getattr(type(error), "breaks_executor", False):
                return failure.raisable(error)
            if isinstance(error, StopIteration):  # it would end the map as if all were done
                raise failure.raisable(error) from error.__cause__ or error
            raise

    def _note(self, error: BaseException) -> None:
        """Note what a task has raised whose value nobody takes."""
        self.unheard.note(self.begun - 1, lambda: error)


class SerialValues:
    """The values of a serial map: one iterator, which runs the tasks.

    tasks: how they run.
    values: gives a value for each task.
    deadline: when the last value has to be there, as `time.monotonic` counts; None: whenever.
    dropped: where the map goes when nobody has asked for a value.
    """

    def __init__(
        self,
        tasks: _Tasks,
        values: Iterator[Any],
        deadline: float | None,
        dropped: deque[Any],
    ) -> None:
        self._tasks, self._values, self._deadline = tasks, values, deadline
        self._dropped = dropped
        self._over = False

    def __iter__(self) -> Iterator[Iterable[Any]]:
        return self

    def __next__(self) -> Iterable[Any]:
        if self._tasks.unread:
            raise errors.FarmError(errors.NOT_TAKEN)
        if self._over:
            raise StopIteration
        self._over = True
        values = self._values
        return values if self._deadline is None else _InTime(values, self._deadline)

    @staticmethod  # so that who asks keeps no values
    def settled() -> bool:
        """Return True: no task runs but for one who takes its value."""
        return True

    def drop(self) -> None:
        """Have the tasks run later, as nobody takes the values. For the garbage collector."""
        if not self._over:
            self._over = True
            self._tasks.leave()
            self._dropped.append(self)

    __del__ = drop

    def tasks(self) -> Iterator[Any]:
        """Return an iterator that runs the tasks of a map that was dropped; none where endless."""
        if not self._tasks.endless:
            return self._values
        tell_endless(self.name, 0)
        return iter(())

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        return self._tasks.name

    @property
    def begun(self) -> int:
        """How many tasks have begun."""
        return self._tasks.begun

    @property
    def size(self) -> int | None:
        """How many tasks there are, if that is known."""
        return self._tasks.size

    @property
    def unheard(self) -> Unheard:
        """What tasks have raised of which nobody takes the values."""
        return self._tasks.unheard

    @property
    def unasked(self) -> bool:
        """True where nobody has asked for a value."""
        return not self._over or self._tasks.unread


class _InTime:
    """Values up to a deadline; what a task raises does not end them."""

    def __init__(self, values: Iterator[Any], deadline: float) -> None:
        self._values, self._deadline = values, deadline

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        value = next(self._values)
        if time.monotonic() > self._deadline:
            self._values = iter(())
            raise WaitedTooLong("the map's timeout has passed")
        return value
