"""Jobs on rank 0: pack the tasks that go out, hand the outcomes back in order.

A job knows its function, its tasks and its outcomes, and nothing of workers, batches under way
or messages. The farm calls `packed`, `delivered` and `failed`; the caller's iterator or future
takes the values out. A map keeps a window of tasks, not a list.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future as PEP3148Future
from itertools import islice
from typing import Any, NamedTuple

from . import failure, payload
from .messages import Frame

AHEAD_BYTES = 64 << 20
"""Arguments or results that wait at rank 0, per job: keeps 10 million squares below 150 MB."""
AHEAD_TASKS = 1 << 20
"""Tasks of a map that may be handed out before the consumer has taken their results."""


class Tasks(NamedTuple):
    """The packed tasks of one batch, as `messages.Run` has them."""

    plain: bool
    frames: Frame


class Part(NamedTuple):
    """The outcomes of the tasks `start` to `stop - 1`, still packed as they came."""

    start: int
    stop: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]


class Function(NamedTuple):
    """A function as a frame. `lasting`: found by name, so its frame is right for ever."""

    name: str
    code: Frame
    lasting: bool


def function(target: Callable[..., Any]) -> Function:
    """Pack a function once for all tasks of a map.

    Raises PicklingError or TypeError, naming the function, where it cannot travel.
    """
    if not callable(target):
        raise TypeError(f"the first argument must be a function, {target!r} is not callable")
    name = failure.describe(target)
    try:
        return Function(name, payload.pack(target), payload.by_name(target))
    except Exception as error:
        raise pickle.PicklingError(
            f"the function {name} cannot be pickled and sent to workers: {error}. "
            "Open files, locks, sockets and generators cannot travel: make them inside the task."
        ) from error


def arguments(name: str, index: int, values: Any) -> Frame:
    """The frame of one task's arguments; where they cannot be pickled, of the error instead."""
    try:
        return payload.pack(values)
    except Exception as error:
        reason = f"the arguments of {name}, task {index}, cannot be pickled: {error}"
        return payload.pack(failure.Unpicklable(reason))


class Source:
    """The arguments of a map: columns with a length, or iterators that are read as needed."""

    def __init__(self, iterables: Sequence[Iterable[Any]]) -> None:
        if not iterables:
            raise TypeError("map needs at least one iterable of arguments")
        self.size: int | None = None  # known from the start, or when an iterator has ended
        self.read = 0
        self.error: BaseException | None = None
        self._dropped = 0
        if all(_sized(iterable) for iterable in iterables):
            self._columns = [_snapshot(iterable) for iterable in iterables]
            self.size = self.read = min(len(column) for column in self._columns)
            self._rows: Iterator[Any] = iter(())
        else:
            self._columns = [[] for _ in iterables]
            self._rows = zip(*iterables, strict=False)
        self.streamed = self.size is None

    def read_up_to(self, tasks: int) -> None:
        """Read the iterators until `tasks` are known or one ends or raises; runs user code."""
        wanted = tasks - self.read
        if self.size is not None or wanted <= 0:
            return
        rows: list[tuple[Any, ...]] = []
        try:
            rows.extend(islice(self._rows, wanted))  # extend keeps what came before an error
        except Exception as error:
            self.error = error
        if len(rows) < wanted:
            self.size = self.read + len(rows)
        for column, values in zip(self._columns, zip(*rows, strict=True), strict=False):
            column.extend(values)
        self.read += len(rows)

    def columns(self, start: int, stop: int) -> list[Sequence[Any]]:
        offset = self._dropped
        return [column[start - offset : stop - offset] for column in self._columns]

    def drop_before(self, index: int) -> None:
        """Tasks before `index` are never asked for again."""
        gone = index - self._dropped
        if self.streamed and gone > 1024 and 2 * gone > self.read - self._dropped:
            for column in self._columns:
                del column[:gone]
            self._dropped = index


def _sized(iterable: Iterable[Any]) -> bool:
    return isinstance(iterable, range | list | tuple | str | bytes) or payload.is_array(iterable)


def _snapshot(column: Any) -> Any:
    """Later changes of the caller's list or array must not reach tasks that are not sent yet."""
    return column.copy() if isinstance(column, list) or payload.is_array(column) else column


class MapJob:
    """One map: a function over columns of arguments.

    workers: says how many workers there are.
    ordered: whether the consumer wants the outcomes in the order of the tasks or as they come.
    batch: the least number of tasks that the user wants in a batch.
    """

    def __init__(
        self,
        target: Function,
        iterables: Sequence[Iterable[Any]],
        workers: Callable[[], int],
        ordered: bool = True,
        batch: int = 1,
    ) -> None:
        self.function: Function | None = target
        self.error: BaseException | None = None
        self._source = Source(iterables)
        self._workers = workers
        self._batch = batch
        self._released = 0  # tasks that the scheduler knows of
        self._position = 0  # tasks that the consumer has taken
        self._bytes = 0.0  # of a task's arguments or result, the larger, on average
        self._ordered = ordered
        self._waiting: dict[int, Part] = {}  # by start, where the order matters
        self._arrivals: deque[Part] = deque()  # else
        self._front = 0  # every task before this one has its outcome
        self._beyond: dict[int, int] = {}  # spans behind the front that have theirs

    # The farm's side.

    def packed(self, start: int, stop: int) -> Tasks:
        self._source.drop_before(self._front)
        columns = self._source.columns(start, stop)
        frame = payload.pack_columns(columns)
        if frame is not None:
            self._weigh((frame,), stop - start)
            return Tasks(True, frame)
        assert self.function is not None
        name = self.function.name
        rows = enumerate(zip(*columns, strict=True), start)
        frames = tuple(arguments(name, index, row) for index, row in rows)
        self._weigh(frames, stop - start)
        return Tasks(False, frames)

    def delivered(self, part: Part) -> None:
        frames = (part.outcomes,) if part.plain else part.outcomes
        self._weigh(frames, part.stop - part.start)
        self._beyond[part.start] = part.stop
        while self._front in self._beyond:
            self._front = self._beyond.pop(self._front)
        if self._ordered:
            self._waiting[part.start] = part
        else:
            self._arrivals.append(part)

    def failed(self, error: BaseException) -> None:
        """No outcome will come any more: the farm itself has ended."""
        self.error = error

    def _weigh(self, frames: Sequence[Frame], tasks: int) -> None:
        each = sum(map(payload.size, frames)) / tasks
        self._bytes = max(self._bytes * 0.9, each)

    # The consumer's side.

    def releasable(self) -> int:
        """How many more tasks may be handed out now; reads the user's iterators."""
        fits = AHEAD_TASKS if not self._bytes else int(AHEAD_BYTES / self._bytes)
        at_least = 4 * max(1, self._workers()) * self._batch
        ahead = min(max(fits, at_least), AHEAD_TASKS)
        if not (self._front or self._beyond):
            ahead = min(ahead, 16 * at_least)  # until the first results have been weighed
        source = self._source
        if source.size is None:
            # An endless or costly generator is read no further than twice what was used of it.
            ahead = min(ahead, max(at_least, 2 * self._position))
            source.read_up_to(self._position + ahead)
        count = min(source.read, self._position + ahead) - self._released
        if count <= 0:
            return 0
        self._released += count
        return count

    def take(self) -> Part | None:
        """The next outcomes for the consumer, None where they have not arrived."""
        if self._ordered:
            part = self._waiting.pop(self._position, None)
        else:
            part = self._arrivals.popleft() if self._arrivals else None
        if part is not None:
            self._position += part.stop - part.start
        return part

    @property
    def ready(self) -> bool:
        """Whether `take` has something, or nothing will ever come."""
        if self.error is not None:
            return True
        return self._position in self._waiting if self._ordered else bool(self._arrivals)

    @property
    def streamed(self) -> bool:
        """Whether the arguments come from the user's iterators, which only the caller may run."""
        return self._source.streamed

    @property
    def exhausted(self) -> bool:
        """Whether the consumer has everything; raises what the user's own iterator raised."""
        done = self._source.size is not None and self._position >= self._source.size
        if done and self._source.error is not None:
            raise self._source.error
        return done


def values(part: Part) -> tuple[list[Any], BaseException | None]:
    """The values of a part up to its first failure, and that failure; runs user code."""
    if part.plain:
        found: list[Any] = payload.unpack(part.outcomes)
        return found, None
    found = []
    failed = frozenset(part.failed)
    for place, frame in enumerate(part.outcomes):
        outcome = opened(frame, place in failed, part.start + place)
        if isinstance(outcome, Raised):
            return found, outcome.error
        found.append(outcome)
    return found, None


class Raised(NamedTuple):
    """An outcome that is a failure."""

    error: BaseException


def opened(frame: Frame, failed: bool, index: int) -> Any:
    """The value in a frame, or `Raised`: what the task, or unpickling its result, raised."""
    if failed:
        return Raised(failure.unpack(frame))
    try:
        return payload.unpack(frame)
    except BaseException as error:
        problem = failure.TaskError(f"the result of task {index} cannot be unpickled: {error!r}")
        problem.__cause__ = error
        return Raised(problem)


class Call(NamedTuple):
    """One submitted call that has no outcome yet."""

    future: PEP3148Future[Any]
    frame: Frame


CANCELLED: Frame = b""
"""The frame of a call that was cancelled before it was handed out; workers skip it."""


class CallStream:
    """All submitted calls of a program: an open-ended job, every task with its own function."""

    function: Function | None = None

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._count = 0

    def add(self, future: PEP3148Future[Any], frame: Frame) -> None:
        self._calls[self._count] = Call(future, frame)
        self._count += 1

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def packed(self, start: int, stop: int) -> Tasks:
        frames = []
        for index in range(start, stop):
            future, frame = self._calls[index]
            begun = future.running() or future.set_running_or_notify_cancel()
            frames.append(frame if begun else CANCELLED)
        return Tasks(False, tuple(frames))

    def delivered(self, part: Part) -> None:
        """Set the futures; their callbacks, the user's code, run here."""
        failed = frozenset(part.failed)
        for place, frame in enumerate(part.outcomes):
            index = part.start + place
            future = self._calls.pop(index).future
            if future.cancelled():
                continue
            outcome = opened(frame, place in failed, index)
            if isinstance(outcome, Raised):
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome)

    def failed(self, error: BaseException) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if not call.future.done():
                if not call.future.running():
                    call.future.set_running_or_notify_cancel()
                call.future.set_exception(error)
