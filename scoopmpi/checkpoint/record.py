"""What jobs ask of a checkpoint, and tell it: which outcomes are known, which have come.

A map is known by its place among the maps of the program, a submitted call by its place among the
calls (job 0 of the file). What was saved is used again only where the digests of the function,
of the constants that the program has set, and of the arguments are those of the earlier run; all
else is computed, and a warning says how much. Where a task may have read a constant that its digest
does not cover, nothing is kept. Nothing here knows the farm, or how a file is written.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..tasks.outcomes import OutcomeRange
from ..wire import failure, payload
from . import digests
from .file import CheckpointFile, Saved

if TYPE_CHECKING:
    from ..constants.sharing import FarmSharing

logger = logging.getLogger("scoopmpi")

CALLS = 0
"""The job of all submitted calls."""


def opened(path: str | os.PathLike[str], constants: FarmSharing, program: str = "") -> Checkpoint:
    """Open the checkpoint of a program, before its first job; or of one executor.

    path: the file, which is made where there is none. constants: those of the farm.
    program: what a person knows it by; empty for an executor's.

    Raises CheckpointError where the file is none, or not to be trusted.
    """
    return Checkpoint(CheckpointFile(path, program), constants)


class Checkpoint:
    """The jobs of one run of a program, and the file in which their outcomes are kept."""

    def __init__(self, file: CheckpointFile, constants: FarmSharing) -> None:
        self.file = file
        self._constants = constants
        self._digests: dict[str, bytes | None] = {}  # of constants
        self._maps = itertools.count(1)
        self._places = itertools.count()
        self._calls: set[int] | None = None  # the places of those that are known
        self._lock = threading.RLock()
        self._told: set[str] = set()
        self.changed = 0
        """Tasks whose saved outcomes did not fit the program any more."""

    def map(self, target: Callable[..., Any]) -> CheckpointedMap:
        """Return the record of the program's next map."""
        number, given = next(self._maps), self.given
        name, function = failure.describe(target), self._function(target)
        saved = self.file.ranges(number)
        before = self.file.saved_function(number)
        if saved and (function is None or before is None or before[1] != function):
            was = "its function" if before is None or before[0] == name else f"it was {before[0]}"
            tasks = sum(map(len, saved))
            self.dropped(f"map {number} ({name})", f"{was} and has changed", tasks)
            self.file.forget(number, [part.start for part in saved])
            saved = []
        return CheckpointedMap(self, given, number, name, function, saved)

    def call(
        self, target: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> CheckpointedCall:
        """Return the record of the program's next submitted call."""
        place, given, function = next(self._places), self.given, self._function(target)
        digest = None if function is None else digests.digest(function, args, kwargs)
        with self._lock:
            if self._calls is None:
                self._calls = {tasks.start for tasks in self.file.ranges(CALLS)}
            known = place in self._calls
        saved = self.file.part(CALLS, place) if known else None
        if saved is not None and saved.digest != digest:
            self.dropped("submitted calls", f"from call {place} on they have changed", 1)
            self.file.forget(CALLS, [place])
            saved = None
        return CheckpointedCall(self, given, place, digest, saved)

    @property
    def given(self) -> int:
        """The number of constants that the program has set so far."""
        return len(self._constants.by_program)

    def covers(self, given: int) -> bool:
        """True where digests made at that count of constants cover all that a task can have read.

        A task that waits for a constant may get one that was set later. Which tasks have read what
        another has set, nobody knows.
        """
        by_tasks = self._constants.by_tasks
        if by_tasks and by_tasks[0] not in self._told:
            self._told.add(by_tasks[0])
            text = "checkpoint %s: a task has set the constant %s; from here on nothing is kept"
            logger.warning(text, self.file.path, by_tasks[0])
        return not by_tasks and given == self.given

    def dropped(self, which: str, why: str, tasks: int) -> None:
        """Note that saved outcomes do not fit any more; tell the user at once the first time."""
        self.changed += tasks
        if which not in self._told:
            self._told.add(which)
            logger.warning(
                "checkpoint %s: %s: %s; what does not fit is computed again",
                self.file.path, which, why,
            )  # fmt: skip

    def close(self, ended: bool) -> None:
        """Write all that has come, and let go of the file.

        ended: True where the program came to its end.
        """
        if self.changed:
            text = "checkpoint %s: the program has changed, %d saved results were not used"
            logger.warning(text, self.file.path, self.changed)
            self.changed = 0
        self.file.close(ended)

    def _function(self, target: Callable[..., Any]) -> bytes | None:
        """Return the digest of what tasks depend on beside arguments; None where there is none."""
        function = digests.function(target)
        if function is None:
            name = failure.describe(target)
            if name not in self._told:
                self._told.add(name)
                text = "checkpoint %s: nobody can say whether %s stays the same; it is not saved"
                logger.warning(text, self.file.path, name)
            return None
        store = self._constants.store
        with self._lock:
            for name in self._constants.by_program:
                if name in store and name not in self._digests:
                    self._digests[name] = digests.digest(store.get(name))
            comparable = None not in self._digests.values()
            return digests.digest(function, sorted(self._digests.items())) if comparable else None


class CheckpointedMap:
    """One map: its tasks' arguments by their digests, and the outcomes of an earlier run.

    Called by one thread at a time.
    """

    def __init__(
        self, checkpoint: Checkpoint, given: int, number: int, name: str,
        function: bytes | None, saved: Sequence[range],
    ) -> None:  # fmt: skip
        self._checkpoint, self._given, self._number = checkpoint, given, number
        self._name, self._function = name, function
        self._saved = deque(saved)  # in order of the tasks; what lies before was looked at
        self._rows: dict[int, bytes] = {}  # digests of arguments that may change, as they were sent

    def next_known(self, task: int) -> range | None:
        """Return the first tasks from `task` on whose outcomes were saved at once."""
        while self._saved and self._saved[0].start < task:
            self._drop()  # the program's tasks are others
        return self._saved[0] if self._saved else None

    def recalled(self, columns: Sequence[Sequence[Any]] | None) -> OutcomeRange | None:
        """Return what was saved of the tasks of `next_known`; None where their arguments differ.

        columns: the arguments that they have now; None where there are not so many tasks any more.
        """
        digest = None if columns is None else self._digest(columns, None)
        saved = self._checkpoint.file.part(self._number, self._saved[0].start) if digest else None
        if saved is None or saved.digest != digest or saved.stop != self._saved[0].stop:
            self._drop()
            return None
        self._saved.popleft()
        return _as_came(saved)

    def sent(self, start: int, columns: Sequence[Sequence[Any]]) -> None:
        """Look at arguments that are handed out and can change, as they are now."""
        if self._function is not None and not payload.plain_columns(columns):
            for task, row in enumerate(zip(*columns, strict=True), start):
                self._rows[task] = digests.digest(row) or b""

    def came(self, part: OutcomeRange, columns: Sequence[Sequence[Any]]) -> None:
        """Keep outcomes that have come, of tasks with these arguments."""
        digest = self._digest(columns, part.start)
        late = any(_says_late(part.outcomes[place]) for place in part.failed)
        if digest is None or self._function is None or late:
            return
        if self._checkpoint.covers(self._given):
            saved = Saved(part.start, part.stop, digest, part.plain, part.outcomes, part.failed)
            self._checkpoint.file.save(self._number, self._name, self._function, saved)

    def _digest(self, columns: Sequence[Sequence[Any]], start: int | None) -> bytes | None:
        """Return the digest of the arguments of some tasks; None where nothing can compare them.

        start: the index of the first, where they were sent.
        """
        if self._function is None:
            return None
        rows: list[bytes | None] = []
        if start is not None and self._rows:
            rows = [self._rows.pop(start + place, None) for place in range(len(columns[0]))]
        if payload.plain_columns(columns):
            return digests.digest(*columns)
        if start is None:
            rows = [digests.digest(row) for row in zip(*columns, strict=True)]
        return digests.digest(*rows) if rows and all(rows) else None

    def _drop(self) -> None:
        tasks = self._saved.popleft()
        why = f"its tasks from {tasks.start} on have changed"
        self._checkpoint.dropped(f"map {self._number} ({self._name})", why, len(tasks))
        self._checkpoint.file.forget(self._number, [tasks.start])


class CheckpointedCall:
    """One submitted call."""

    def __init__(
        self, checkpoint: Checkpoint, given: int, place: int, digest: bytes | None,
        known: Saved | None,
    ) -> None:  # fmt: skip
        self._checkpoint, self._given = checkpoint, given
        self._place, self._digest = place, digest
        self.known = None if known is None else _as_came(known)
        """Its outcome in an earlier run."""

    def came(self, plain: bool, outcome: Any, failed: bool) -> None:
        """Keep the outcome that has come: a value where it is plain, else its frame."""
        if self._digest is None or (failed and _says_late(outcome)):
            return
        if self._checkpoint.covers(self._given):
            place, frame = self._place, payload.pack(outcome) if plain else outcome
            part = Saved(place, place + 1, self._digest, False, (frame,), (0,) if failed else ())
            self._checkpoint.file.save(CALLS, "submitted calls", b"", part)


def _as_came(saved: Saved) -> OutcomeRange:
    """Return outcomes of an earlier run as they came from a worker there."""
    return OutcomeRange(saved.start, saved.stop, saved.plain, saved.outcomes, saved.failed)


def _says_late(frame: Any) -> bool:
    """True where an exception may be of a task that ran out of time: another run may give more."""
    return type(frame) is not tuple and b"TaskTimeout" in bytes(frame)
