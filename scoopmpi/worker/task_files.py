"""What tasks print, in a file for each: at the level of descriptors, so C code and processes too.

While a task runs, descriptors 1 and 2 of this worker are a file without a task's name,
`rank-3.4711.out` (by rank and process, as other jobs may use the directory). A task that has
printed gives it its name at its end, and the next one gets a new file; one that has not costs a
look at the file's length. So a child that outlives its task goes on writing into the right file,
and what a task had printed that killed its worker is there too, without its name.

A task that waits keeps its file, and the ones in its place have theirs. One lock for all: threads
that stand in for a blocked task, and the end, may come in between.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import time
from contextlib import suppress

from ..process.named_files import put_aside, safe
from ..wire.messages import Run

logger = logging.getLogger("scoopmpi")
QUICK = 0.0002
"""Seconds in which no task starts a process: Linux takes 0.5 ms and more for it."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Sheet:
    """An open file that has no task's name yet.

    path: its name until then.
    """

    __slots__ = ("fd", "path")

    def __init__(self, path: str) -> None:
        put_aside(path)  # of a worker that died in a former run
        self.fd, self.path = os.open(path, _FLAGS, 0o666), path

    @property
    def empty(self) -> bool:
        """True where nothing has been written."""
        return not os.fstat(self.fd).st_size


class BatchFiles:
    """Takes what the tasks of one batch print."""

    def __init__(self, files: TaskFiles, job: int, start: int) -> None:
        self._files, self.job = files, job
        self.task, self.function = start, ""
        """The task that runs, and what it is called, as far as it is known."""
        self.sheet: Sheet | None = None

    def enter(self) -> None:
        """Take what is written from now on, at the beginning and after a pause."""
        self._files.begins(self)

    def pause(self) -> None:
        """Leave descriptors to others: the task waits."""
        self._files.pauses(self)

    def leave(self) -> None:
        """Leave them for good: the batch has run."""
        self._files.ends(self)

    def ended(self, task: int, function: str) -> None:
        """Give the file to a task that has ended, if it has printed anything."""
        self.task, self.function = task, function
        self._files.task_ended(self)
        self.task += 1


class TaskFiles:
    """The files of what the tasks of one worker print.

    directory: where they are; it is made. rank: of this worker.
    Raises OSError where files cannot be made there.
    """

    def __init__(self, directory: str, rank: int) -> None:
        self._directory, self._rank = directory, rank
        self._prefix = f"rank-{rank}.{os.getpid()}"
        self._lock = threading.RLock()
        self._flush_c = ctypes.PyDLL(None).fflush
        self._spare: list[Sheet] = []
        self._taking: list[BatchFiles] = []  # the latest has the descriptors
        self._waiting: set[BatchFiles] = set()
        self._nested: Sheet | None = None
        self._children = _children()
        self._looked = 0.0
        self._silent: list[str] = []  # named for the sake of a process that may print still
        self._warned = False
        os.makedirs(directory, exist_ok=True)
        self._spare.append(self._new_sheet())
        self._own = (os.dup(1), os.dup(2))

    def of_batch(self, run: Run) -> BatchFiles:
        """Return what takes the output of a batch's tasks."""
        return BatchFiles(self, run.job, run.start)

    @property
    def taking(self) -> bool:
        """True where what is written goes to a file of a task."""
        return bool(self._taking or self._waiting)

    def printed(self, stream: int, data: bytes) -> bool:
        """Write what a task has printed; False where no task runs."""
        if not self.taking:
            return False
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(stream, view) :]
        except OSError as problem:
            self._tell(problem)
        return True

    # What batches say.

    def begins(self, batch: BatchFiles) -> None:
        """Have the descriptors be a batch's."""
        with self._lock:
            self._waiting.discard(batch)
            try:
                batch.sheet = batch.sheet or self._sheet()
            except OSError as problem:
                self._tell(problem)
                return
            self._taking.append(batch)
            self._switch()

    def pauses(self, batch: BatchFiles) -> None:
        """Have them be for tasks of tasks, which run in this one's place."""
        with self._lock, suppress(OSError):
            self._nested = self._nested or self._nested_sheet()
            self._waiting.add(batch)
            self._remove(batch)

    def ends(self, batch: BatchFiles) -> None:
        """Have them be what they were before the batch."""
        with self._lock:
            self._waiting.discard(batch)
            self._remove(batch)
            if batch.sheet is not None:
                self._spare.append(batch.sheet)
                batch.sheet = None

    def task_ended(self, batch: BatchFiles) -> None:
        """Name the file of a task that has printed, or has left a process that may."""
        self._flush_c(None)
        with self._lock:
            sheet = batch.sheet
            if sheet is None or (sheet.empty and not self._left_children()):
                return
            try:
                path = self._name(sheet, batch)
                self._silent += [path] if sheet.empty else []
                batch.sheet = None
                batch.sheet = self._sheet()
            except OSError as problem:
                self._tell(problem)
            if batch.sheet is not sheet:
                self._switch()
                os.close(sheet.fd)

    def close(self) -> None:
        """Name what running tasks have printed, and leave no empty file: the worker leaves."""
        with self._lock:
            self._flush_c(None)
            for batch in (*self._taking, *self._waiting):
                if batch.sheet is not None and not batch.sheet.empty:
                    with suppress(OSError):
                        self._name(batch.sheet, batch)
            sheets = [batch.sheet for batch in (*self._taking, *self._waiting)]
            for sheet in (*sheets, *self._spare, self._nested):
                if sheet is not None and sheet.empty:
                    with suppress(OSError):
                        os.unlink(sheet.path)
            for path in self._silent:
                with suppress(OSError):
                    if not os.path.getsize(path):
                        os.unlink(path)
            with suppress(OSError):  # where it is not empty, say
                os.rmdir(os.path.join(self._directory, "nested"))

    # Files.

    def _switch(self) -> None:
        """Have descriptors 1 and 2 be the file of whoever runs."""
        targets = self._own
        if self._taking and self._taking[-1].sheet is not None:
            targets = (self._taking[-1].sheet.fd,) * 2
        elif self._waiting and self._nested is not None:
            targets = (self._nested.fd,) * 2
        for number, target in zip((1, 2), targets, strict=True):
            os.dup2(target, number)

    def _remove(self, batch: BatchFiles) -> None:
        if batch in self._taking:
            self._taking.remove(batch)
        self._flush_c(None)
        self._switch()

    def _sheet(self) -> Sheet:
        return self._spare.pop() if self._spare else self._new_sheet()

    def _new_sheet(self) -> Sheet:
        used = {batch.sheet.path for batch in (*self._taking, *self._waiting) if batch.sheet}
        number = 1
        while (path := self._path(number)) in used:
            number += 1
        return Sheet(path)

    def _path(self, number: int) -> str:
        more = "" if number == 1 else f"-{number}"
        return os.path.join(self._directory, f"{self._prefix}{more}.out")

    def _nested_sheet(self) -> Sheet:
        place = os.path.join(self._directory, "nested")
        os.makedirs(place, exist_ok=True)
        return Sheet(os.path.join(place, f"{self._prefix}.out"))

    def _name(self, sheet: Sheet, batch: BatchFiles) -> str:
        function = safe(batch.function) if batch.function else "running"
        nested = "nested" if batch.job < 0 else ""
        place = os.path.join(self._directory, nested, f"{abs(batch.job)}-{function}")
        os.makedirs(place, exist_ok=True)
        number, path = 1, os.path.join(place, f"{batch.task}.out")
        while not _renamed(sheet.path, path):  # of an earlier attempt, or of another run
            number += 1
            path = os.path.join(place, f"{batch.task}.{number}.out")
        return path

    def _left_children(self) -> bool:
        """True where processes run here that did not when the last task ended."""
        before_it, self._looked = self._looked, time.monotonic()
        if self._looked - before_it < QUICK:
            return False
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        before, self._children = self._children, _children()
        return bool(self._children - before)

    def _tell(self, problem: OSError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "--task-output %s: %s on rank %d; what its tasks print may be lost",
                self._directory, problem.strerror, self._rank,
            )  # fmt: skip


def _children() -> frozenset[str]:
    """Return the processes that this thread has started, where the system says so."""
    with suppress(OSError), open(f"/proc/self/task/{threading.get_native_id()}/children") as file:
        return frozenset(file.read().split())
    return frozenset()


def _renamed(path: str, new: str) -> bool:
    """Give a file a new name, False where another one has it: it is never overwritten."""
    try:
        os.link(path, new)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if os.path.lexists(new):
            return False
        os.rename(path, new)
    else:
        os.unlink(path)
    return True
