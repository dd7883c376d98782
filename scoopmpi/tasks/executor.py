"""The door to what runs tasks: a farm, a worker for its own tasks, or this process in place.

`futures`, `MPIExecutor` and `Pool` speak to an `Executor` and never ask which one it is. What a map
was asked for is checked here, once, and goes on from here as one value, `MapOptions`.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from ..concurrency.timeouts import seconds
from . import limit
from .arguments import endless, sized
from .future import Future
from .unfinished import Unfinished
from .wrapped import Retry

if TYPE_CHECKING:  # an import is a file that every rank opens
    from .constants_backend import ConstantsBackend
    from .pedigree import Program, Strand
    from .results import Results, Values

T = TypeVar("T")
ExceptionTypes: TypeAlias = type[Exception] | Collection[type[Exception]]
"""Of `retry_on`: one type of exceptions, or several."""


class MapOptions(NamedTuple):
    """How a map is to run.

    timeout: seconds from the call until the last value; None waits for ever.
    ordered: whether values come in the order of the arguments, or as they are there.
    task_timeout: seconds that each task may take where it runs; None: as long as --task-timeout
        says, `limit.NO_LIMIT`: as long as it likes.
    return_exceptions: whether what tasks raise is given in the place of their values, not raised.
    retry: how tasks that raise are tried again, if they are.
    progress: whether a bar is to show the map, or its title there; None is left to the user.
    size: how many tasks there will be, for those who watch, where only reading the iterables shows.
    window: how many tasks at most are read ahead of who takes the values; None: what is worth it.
    """

    timeout: float | None = None
    ordered: bool = True
    task_timeout: float | None = None
    return_exceptions: bool = False
    retry: Retry | None = None
    progress: bool | str | None = None
    size: int | None = None
    window: int | None = None

    def deadline(self) -> float | None:
        """Return when the last value has to be there, as `time.monotonic` counts, if it has to."""
        return None if self.timeout is None else time.monotonic() + self.timeout


_USUAL = MapOptions()
"""Of most maps; tasks that map make thousands of them."""


def map_options(
    fn: Callable[..., Any],
    iterables: Sequence[Iterable[Any]],
    timeout: float | None = None,
    ordered: bool = True,
    task_timeout: float | None = None,
    return_exceptions: bool = False,
    retry: Retry | None = None,
    progress: bool | str | None = None,
) -> MapOptions:
    """Check what a map was asked for, and return its options.

    Raises TypeError where `fn` is no function, where there is nothing to map over, where seconds
    are no number, or `progress` is no bool and no text; ValueError for a timeout that is nan, or a
    task_timeout not above 0.
    """
    if not callable(fn):
        raise TypeError(f"the first argument must be a function, {fn!r} is not callable")
    if not iterables:
        raise TypeError("map needs at least one iterable of arguments")
    unlimited = timeout is None and task_timeout is None
    if unlimited and ordered and not return_exceptions and retry is None and progress is None:
        return _USUAL
    if not isinstance(progress, bool | str | None):
        raise TypeError(f"progress is {progress!r}, it must be True, False or a title")
    if task_timeout is not None:
        limit.check(task_timeout)
    collect = bool(return_exceptions)
    return MapOptions(seconds(timeout), ordered, task_timeout, collect, retry, progress)


class Executor(ABC):
    """Runs calls and maps. It has no end of its own: it ends with the program."""

    @property
    @abstractmethod
    def unfinished(self) -> Unfinished:
        """Executors, and results for later, on this one that have something under way."""

    @abstractmethod
    def call(
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None = None,
        retry: Retry | None = None,
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run; arguments are taken now, as they are.

        task_timeout: seconds that the call may take where it runs; TaskTimeout afterwards.
        retry: how it is tried again where it raises.
        """

    def submit(
        self, fn: Callable[..., T], /, *args: Any, task_timeout: float | None = None, **kwargs: Any
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run, as `call` does."""
        return self.call(fn, args, kwargs, task_timeout)

    @abstractmethod
    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> Values:
        """Have `fn` run over the iterables, and return the values in lists, for one who reads."""

    def results(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> Results:
        """Have `fn` run over the iterables, and return the values for an executor with an end."""
        from .results import IteratorResults  # late: few tasks have executors

        streamed = not all(map(sized, iterables))
        without_end = all(map(endless, iterables))
        return IteratorResults(self.values(fn, iterables, options), streamed, without_end)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        ordered: bool = True,
        task_timeout: float | None = None,
        return_exceptions: bool = False,
        retry: Retry | None = None,
        progress: bool | str | None = None,
    ) -> Iterator[T]:
        """Have `fn` run over the iterables, and return an iterator of the values.

        timeout: seconds from now until the last value; TimeoutError afterwards.
        chunksize: accepted and ignored, batches follow measured durations.
        ordered: False gives the values as they arrive.
        task_timeout: seconds that each task may take; TaskTimeout in its place afterwards.
        return_exceptions: True gives what tasks raise in the place of their values.
        retry: how tasks that raise are tried again. progress: whether to show it, or its title.
        """
        options = map_options(
            fn, iterables, timeout, ordered, task_timeout, return_exceptions, retry, progress
        )
        return chain.from_iterable(self.values(fn, iterables, options))

    @abstractmethod
    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until `done()` for what this executor brings about; False after `timeout`."""

    def finish(self, maps: bool = True) -> None:
        """Have run what runs although nobody waits for it: the program has ended.

        maps: whether maps and calls count that nobody waits for; executors and pools are finished
            in any case.
        """
        self.unfinished.finish()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: B027
        """Do nothing; what runs tasks ends with the program."""

    @property
    @abstractmethod
    def strand(self) -> Strand | Program:
        """Who runs where this is asked, and counts the maps it makes: a task, or the program."""

    # What some of them have.

    @property
    def workers(self) -> int:
        """How many processes run tasks, for programs that ask: 1 where tasks run in place."""
        return 1

    def wait_for_workers(self) -> None:  # noqa: B027 (most have none to wait for)
        """Return when all workers have joined and imported the program, if there are any."""

    def give_up(self, group: int) -> None:  # noqa: B027 (most run nothing that nobody waits for)
        """Have the maps and calls of a group (`groups`) end now, whoever waits for them.

        Who waits gets CancelledError, and KeyboardInterrupt is raised in its tasks that run; what
        has not begun never does. For any thread; returns at once.
        """

    @property
    def any_thread_waits(self) -> bool:
        """True where any thread may take values; else only the one that runs the tasks can."""
        return False

    @property
    def fork(self) -> Callable[..., Future[Any]] | None:
        """A function as `submit` that packs arguments only if another worker takes the call.

        For code of ours, which does not change them. None where no other worker could take it.
        """
        return None

    @property
    def interruption(self) -> BaseException | None:
        """The latest exception that a signal has raised in the program, if one has."""
        return None

    @property
    def constants_backend(self) -> ConstantsBackend | None:
        """The constants for `shared`; None where this process has its own for itself."""
        return None

    def checkpointed(
        self, path: str | os.PathLike[str], keep_failures: bool = False
    ) -> Executor | None:
        """Return an executor on the same workers that keeps outcomes in a file until its shutdown.

        keep_failures: True to take failures from there as they are, not to try again.
        None where nothing can be kept. Raises CheckpointError where the file is something else, or
        not to be trusted.
        """
        return None

    def watched(self, asked: Any) -> Callable[[], None] | None:
        """Have readers hear of all that happens on its farm; return what ends them.

        asked: which, as `executors.watching_asked` has them. None where there is no farm to watch.
        Raises ValueError where a file cannot be written.
        """
        return None
