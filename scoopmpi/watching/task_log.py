"""The reader behind `--task-log`: a row for each task, or for several short ones, in a CSV file.

What a row says is decided here; workers say how their tasks went, and `row_file` writes.
Called with the farm's lock held: a row costs a tuple here, all else is the writer's thread's.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Sequence

from ..process import named_files
from ..tasks.stretch import CACHED, FAILED, LOST, TIMEOUT, Stretch
from .observer import Observer
from .row_file import RowFile

COLUMNS = (
    "map", "function", "index", "tasks", "outcome", "attempt", "rank", "host", "start", "at",
    "seconds", "error",
)  # fmt: skip
_ENDED = 1000
"""Jobs whose names are kept after their end: batches that were under way are still told of."""


class TaskLog(Observer):
    """Writes the rows of one farm.

    file: takes them, with the heading of a new file. fresh: nothing is in it yet.
    """

    def __init__(self, file: RowFile, fresh: bool) -> None:
        self._file = file
        self._opened = time.time()
        self._hosts: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._ended: deque[int] = deque()
        if fresh:
            file.add(COLUMNS)

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        self._hosts[worker] = host

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        self._names[job] = name

    def job_ended(self, job: int) -> None:
        self._ended.append(job)
        if len(self._ended) > _ENDED:
            self._names.pop(self._ended.popleft(), None)

    def tasks_ran(
        self, job: int, worker: int, start: int, tasks: int, log: Sequence[Stretch]
    ) -> None:
        for each in log:
            began = each.began
            self._file.add((
                job, each.function, start, each.tasks, each.outcome, each.attempt, worker,
                self._hosts.get(worker, ""), Moment(began), f"{began - self._opened:.3f}",
                f"{each.seconds:.6f}", each.error,
            ))  # fmt: skip
            start += each.tasks
        if not log:
            self._row(job, start, tasks, FAILED, worker)

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        self._row(job, start, tasks, CACHED)

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        self._row(job, start, tasks, TIMEOUT if late else LOST, worker, attempt)

    def farm_closed(self, status: int) -> None:
        self._file.close()

    def _row(
        self, job: int, start: int | None, tasks: int, outcome: str, worker: int | None = None,
        attempt: int = 1,
    ) -> None:  # fmt: skip
        host = "" if worker is None else self._hosts.get(worker, "")
        error = "its worker died" if outcome in (LOST, TIMEOUT) else ""
        name = self._names.get(job, "")
        self._file.add((job, name, start, tasks, outcome, attempt, worker, host, "", "", "", error))


class Moment:
    """Is a time that is written as text by whoever writes it: a date is the dearest of a row."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __str__(self) -> str:
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.seconds))
        return f"{text}.{int(self.seconds % 1 * 1000):03d}"


def begun(option: str, name: str, goes_on: bool = False) -> TaskLog:
    """Open the log that an option names, and say what has become of that of a former run.

    goes_on: rows come behind those of the former run: it is the same job, which has crashed.
    Raises NameProblem where it cannot be written.
    """
    path = named_files.named(option, name)
    former = None if goes_on else named_files.put_aside(path)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        if not goes_on and os.path.isfile(path):  # it could not be put aside
            os.ftruncate(fd, 0)
        fresh = not os.fstat(fd).st_size
    except OSError as problem:
        why = f"{option} {path} cannot be written: {problem.strerror}"
        raise named_files.NameProblem(why) from None
    if former is not None:
        text = named_files.moved(option, path, former)
        print(f"scoopmpi: {text}", file=sys.stderr, flush=True)
    return TaskLog(RowFile(path, "task log", fd), fresh)
