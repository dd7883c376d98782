"""What the jobs of one run share of a checkpoint: its file, its functions, and what it tells.

A function stands for its code, for all of the program that this uses, and for the constants that
the program has set before. Where a task may have read a constant that its digest does not cover,
nothing is kept. Nothing here knows jobs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..wire import failure, payload
from . import digests
from .file import CheckpointFile
from .known import Known
from .tables import Function
from .told import Tally, uses

if TYPE_CHECKING:
    from ..constants.sharing import FarmSharing

logger = logging.getLogger("scoopmpi")


class _Latest(NamedTuple):
    """A function that is found by its name, and that asks for no place.

    given: the number of constants that were set before.
    """

    target: object
    code: object
    given: int
    function: Function


class Ledger:
    """One run of a program, and the file in which its outcomes are kept.

    constants: those of the farm.
    keep_failures: True to take failures of earlier runs as they are, not to try again.
    """

    def __init__(self, file: CheckpointFile, constants: FarmSharing, keep_failures: bool) -> None:
        self.file = file
        self.keep_failures = keep_failures
        self.tally = Tally(sum(file.counts.values()) - len(file.replaced))
        self._constants = constants
        self._moved = {part for tasks in file.moved.values() for part, _ in tasks.values()}
        self._digests: dict[str, bytes | None] = {}  # of constants
        self._wholes: dict[tuple[bytes, int], tuple[bytes | None, bool]] = {}
        self._asking = False  # whether a constant asks for the place of a task
        self._functions: dict[Any, Function] = {}  # by their digest and the constants set before
        self._latest: _Latest | None = None
        self._known: dict[int, Known | None] = {}  # by the number of their function
        self._lock = threading.RLock()
        self._told: set[str] = set()

    @property
    def given(self) -> int:
        """The number of constants that the program has set so far."""
        return len(self._constants.by_program)

    @property
    def set_by_tasks(self) -> bool:
        """True where a task has set a constant: tasks from here on may read it."""
        return bool(self._constants.by_tasks)

    def covers(self, given: int) -> bool:
        """True where digests made at that count of constants cover all that a task can have read.

        A task that waits for a constant may get one that was set later. Which tasks have read what
        another has set, nobody knows.
        """
        by_tasks = self._constants.by_tasks
        if by_tasks and self.first_time(f"set {by_tasks[0]}"):
            text = "checkpoint %s: a task has set the constant %s; from here on nothing is kept"
            logger.warning(text, self.file.path, by_tasks[0])
        return not by_tasks and given == self.given

    def known(self, function: Function) -> Known | None:
        """Return what earlier runs have left of a function; None where it is new to the file."""
        with self._lock:
            if function.number not in self._known:
                file, number = self.file, function.number
                self._known[number] = (
                    Known(
                        number,
                        lambda: file.places(function=number),
                        file.keys,
                        file.replaced,
                        self._moved,
                    )
                    if file.is_earlier(function)
                    else None
                )
            return self._known[function.number]

    def first_time(self, what: str) -> bool:
        """True where the user has not been told of something yet; it counts as told now."""
        with self._lock:
            new = what not in self._told
            self._told.add(what)
            return new

    def changed(self, where: str, function: str, tasks: int) -> None:
        """Tell the user at once, for each function once, that nothing kept of it fits."""
        self._tell_once(function, where, uses([function]), tasks, "computed again")

    def nothing_fits(self, where: str, function: str, tasks: int) -> None:
        """Tell the user at once, for each function once, that a map has other arguments."""
        self._tell_once(function, where, "its arguments are others than before", tasks, "computed")

    def _tell_once(self, function: str, where: str, why: str, tasks: int, then: str) -> None:
        if self.first_time(f"changed {function}"):
            which = "1 earlier result is" if tasks == 1 else f"{tasks} earlier results are"
            text = "checkpoint %s: %s: %s; its %s kept, its tasks are %s"
            logger.warning(text, self.file.path, where, why, which, then)

    def close(self, ended: bool) -> None:
        """Write all that has come, and let go of the file; say what was found and computed.

        ended: True where the program came to its end.
        """
        if self.first_time("summary") and (said := self.tally.summary(self.file.path, ended)):
            logger.warning("checkpoint %s: %s", self.file.path, said)
        self.file.close(ended)

    def function(
        self, target: Callable[..., Any], place: tuple[int | None, int]
    ) -> tuple[Function | None, bool]:
        """Return a function as the file knows it, and whether it asks for its task's place.

        None for the function where it cannot be compared. One that asks (`scoopmpi.task`) depends
        on the place: it is another function at another one.

        place: the program's seed, and the number of the map that is made.
        """
        if (latest := self._as_latest(target)) is not None:
            return latest, False
        digest, placed = digests.described(target)
        if digest is None:
            name = failure.describe(target)
            if self.first_time(f"incomparable {name}"):
                text = "checkpoint %s: nobody can say whether %s stays the same; it is not saved"
                logger.warning(text, self.file.path, name)
            return None, placed
        given = self.given  # first: another thread may set a constant meanwhile
        whole, asking = self._whole(digest)
        placed = placed or asking
        known = digest, given, place if placed else None
        if known not in self._functions:
            if whole is not None and placed:
                whole = digests.digest(whole, place)
            if whole is None:
                return None, placed
            self._functions[known] = self.file.function(failure.describe(target), whole)
        function = self._functions[known]
        if not placed and payload.pack_named(target) is not None:
            code = getattr(target, "__code__", None)
            self._latest = _Latest(target, code, given, function)
        return function, placed

    def _as_latest(self, target: Callable[..., Any]) -> Function | None:
        """Return the function that was asked for last, if it is this one and just as it was."""
        latest = self._latest
        if latest is None or latest.target is not target or latest.given != self.given:
            return None
        same = latest.code is getattr(target, "__code__", None)
        return latest.function if same and payload.pack_named(target) is not None else None

    def _whole(self, function: bytes) -> tuple[bytes | None, bool]:
        """Return what `_with_constants` does, and whether a constant asks for a task's place."""
        known = function, self.given
        if known not in self._wholes:
            self._wholes[known] = self._with_constants(function), self._asking
        return self._wholes[known]

    def _with_constants(self, function: bytes) -> bytes | None:
        """Return the digest of a function and of the constants that the program has set."""
        store = self._constants.store
        with self._lock:
            for name in self._constants.by_program:
                if name in store and name not in self._digests:
                    self._digests[name], asks = digests.described(store.get(name))
                    self._asking = self._asking or asks
            comparable = None not in self._digests.values()
            return digests.digest(function, sorted(self._digests.items())) if comparable else None
