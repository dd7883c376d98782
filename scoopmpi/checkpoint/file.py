"""The file of a checkpoint, for those who have outcomes to keep: what was saved, and saving.

What is asked is answered from the database, what is given goes to the writer's thread. The file
is locked for as long as it is open. Here nothing decides which outcome fits which task.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from ..wire import payload
from . import arguments, database, file_checks
from .database import Database
from .file_checks import CheckpointError
from .recent import One, Opened, Recent
from .rows import Outcome, Saved, row
from .tables import Function, Job, Move, Place, joined
from .writer import Change, Kept, Writer

__all__ = ["CheckpointError", "CheckpointFile", "Saved", "ended"]
T = TypeVar("T")
MOVED = 1 << 24
"""Tasks that moved at once: more are in no part, but may be in a damaged row."""
logger = logging.getLogger("scoopmpi")


class CheckpointFile:
    """An open checkpoint; the file is made where there is none.

    program: what a person knows the program by.
    Raises CheckpointError where the file is none, damaged, in use, or not the user's alone; it is
    left as it was then. Only an interrupted write of an earlier run is undone in any case.
    """

    def __init__(
        self, path: str | os.PathLike[str], program: str = "", kept: Kept | None = None
    ) -> None:
        self.path = os.fspath(path)
        real, locks = file_checks.admitted(self.path, create=True)
        if not locks:
            text = "checkpoint %s: its file system has no locks; no second run may use it now"
            logger.warning(text, self.path)
        self._real, self._process = real, os.getpid()
        try:
            self._database = Database(self.path, real, locks)
        except database.PROBLEMS as problem:
            raise database.unreadable(self.path, problem) from None
        found = os.stat(real)
        self._identity = found.st_dev, found.st_ino
        file_checks.hold(self._identity)
        self._ended = False
        self._writer = Writer(self._database, kept)
        self._lock = threading.RLock()  # a signal's handler may use the farm
        try:
            self._look()
        except database.PROBLEMS as problem:
            raise database.unreadable(self.path, problem) from None
        _open_files.append(self)
        now = database.now()
        self._tell(
            program=program, opened=now, written=now, run=database.RUNNING, runs=str(self._run)
        )
        self._writer.flush()

    def _look(self) -> None:
        """Learn what earlier runs have left."""
        found = self._database
        runs = found.facts().get("runs", "0")
        self._run = int(runs) + 1 if runs.isdecimal() else 1
        self._functions = {function.digest: function for function in found.functions()}
        self._by_number = {function.number: function for function in self._functions.values()}
        self._earlier = set(self._by_number)
        self._parts = itertools.count(found.last_part() + 1)
        self._first = found.last_part() + 1  # what comes from there on is this run's
        self._recent = Recent()
        self._damaged: set[int] = set()  # parts of which the user has been told
        self.jobs = {job.number: job for job in found.jobs()}
        """The jobs of earlier runs, by their numbers, as the last one made them."""
        self.counts = found.counts()
        """How many outcomes of earlier runs there are of each job."""
        self.moved: dict[tuple[int, int], dict[int, Outcome]] = {}
        """Of each function in each job: which outcomes some tasks had in the last run."""
        for move in found.moves():
            tasks = range(move.start, min(move.stop, move.start + MOVED))
            places = enumerate(tasks, move.place)
            outcomes = {task: Outcome(move.part, place) for place, task in places}
            self.moved.setdefault((move.job, move.function), {}).update(outcomes)
        self.replaced = found.replaced()
        """Failures of which there are later outcomes."""

    def _tell(self, **facts: str) -> None:
        self._writer.give(Change(partial(self._database.tell, **facts)))

    def tell(self, **facts: str) -> None:
        """Have facts about the program written, for its next run."""
        if self._usable:
            self._tell(**facts)

    def fact(self, name: str) -> str | None:
        """Return a fact that an earlier run has told, None where none has."""
        with self._writer.guard:
            try:
                return self._database.fact(name) if self._usable else None
            except database.PROBLEMS as problem:
                logger.warning("checkpoint %s is damaged: %s", self.path, problem)
                return None

    @property
    def _usable(self) -> bool:
        """True unless it is closed, or this process was forked: the file is its parent's then."""
        return not self._ended and os.getpid() == self._process

    # What earlier runs have left.

    def is_earlier(self, function: Function) -> bool:
        """True where earlier runs may have left outcomes of a function."""
        return function.number in self._earlier

    def versions(self, name: str) -> list[Function]:
        """Return the functions of that name which the file knows, each with what it used."""
        with self._lock:
            return [known for known in self._functions.values() if known.name == name]

    def places(self, job: int | None = None, function: int | None = None) -> list[Place]:
        """Return where parts of earlier runs lie, in the order in which they were saved.

        job, function: only theirs.
        """
        if not self._usable or (job is not None and job not in self.counts):
            return []
        found = self._asked(lambda: self._database.places(job, function))
        return [place for place in found or [] if place.part < self._first]

    def keys(self, place: Place) -> list[bytes | None]:
        """Return the keys of a part's tasks; None where the file cannot say."""
        text = self._asked(lambda: self._database.arguments(place.part)) or b""
        return arguments.keys(text, place.stop - place.start)

    def part(self, place: Place) -> Saved | None:
        """Return the part that lies there; None and, once, a warning where it is damaged."""
        if place.part in self._damaged:  # its other tasks ask for it, too
            return None
        function = self._by_number.get(place.function)
        found = None
        if self._usable and function is not None:
            digest = function.digest
            found = self._asked(lambda: self._database.read(place.part, digest))
        facts = place.start, place.stop, place.digest
        if found is not None and (found.start, found.stop, found.digest) == facts:
            return found
        self._damaged.add(place.part)
        text = "checkpoint %s: what was saved of job %d from task %d on is damaged and not used"
        logger.warning(text, self.path, place.job, place.start)
        self.forget(place.part)
        return None

    def outcome(self, place: Place, number: int) -> One | None:
        """Return one outcome of the part that lies there; None where the part is damaged.

        number: its place in the part.
        """
        opened = self._recent.get(place.part)
        if opened is None:
            saved = self.part(place)
            if saved is None:
                return None
            opened = Opened(
                saved, payload.unpack(saved.outcomes) if saved.plain else saved.outcomes
            )
            self._recent.add(place.part, opened)
        saved = opened.saved
        failed, again = number in saved.failed, number in saved.again
        return One(saved.plain, opened.outcomes[number], failed, failed or again)

    def _asked(self, question: Callable[[], T]) -> T | None:
        with self._writer.guard:
            try:
                return question()
            except database.PROBLEMS as problem:
                logger.warning("checkpoint %s is damaged: %s", self.path, problem)
                return None

    # What this run leaves.

    def function(self, name: str, digest: bytes) -> Function:
        """Return a function as the file knows it, or make it known.

        digest: of it and all that it uses.
        """
        with self._lock:
            found = self._functions.get(digest)
            if found is not None and found.run == self._run:
                return found
            number = max(self._by_number, default=0) + 1 if found is None else found.number
            found = Function(number, name, digest, self._run)
            self._functions[digest] = self._by_number[number] = found
            if self._usable:
                self._writer.give(Change(partial(self._database.add_function, found)))
        return found

    def note_job(self, job: Job) -> None:
        """Note a job as this run makes it."""
        if self._usable:
            self._writer.give(Change(partial(self._database.note_job, job)))

    def note_moves(self, moves: Iterable[Move]) -> None:
        """Note which tasks have got outcomes of elsewhere."""
        if self._usable:
            for move in joined(moves):
                self._writer.give(Change(partial(self._database.note_move, move)))

    def save(self, job: int, function: Function, part: Saved) -> int:
        """Have outcomes written; return the number of their part."""
        number = next(self._parts)
        if self._usable:
            kept = row(job, part)
            write = partial(self._database.save, number, kept, function)
            self._writer.give(Change(write, kept.size, part.stop - part.start))
        return number

    def forget(self, part: int) -> None:
        """Have a part removed."""
        if self._usable:
            self._writer.give(Change(partial(self._database.forget, part)))

    def flush(self) -> None:
        """Wait until all that was given so far is on disk, or could not be written."""
        if self._usable:
            self._writer.flush()

    def close(self, ended: bool) -> None:
        """Write all that was given, and let go of the file; do nothing where it is closed.

        ended: True where the program came to its end by itself.
        Takes as long as the disk makes progress. Where nothing moves for 2 s, and 1 s more for each
        50 MB of a large result, it gives up, with a warning that says how many outcomes are
        missing; a thread stays behind then.
        """
        if not self._usable:
            return
        self._ended = True
        run = database.ENDED if ended else database.BROKEN_OFF
        facts = {"written": database.now(), "run": run}
        self._writer.close(Change(partial(self._database.tell, **facts)))
        file_checks.let_go(self._identity)
        _open_files.remove(self)
        try:
            here = os.stat(self._real)
            moved = (here.st_dev, here.st_ino) != self._identity
        except OSError:
            moved = True
        if moved:
            logger.warning("checkpoint %s was removed while it was in use", self.path)

    def _leave_to_parent(self) -> None:
        """Never close the connection in a forked process: that would undo the parent's writing."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database.connection))


_open_files: list[CheckpointFile] = []
"""Of this process: what a forked child must not close."""


def _forked() -> None:
    for file in _open_files:
        file._leave_to_parent()
    file_checks.hold_nothing()


os.register_at_fork(after_in_child=_forked)


def ended(path: str | os.PathLike[str]) -> bool | None:
    """True where the last run came to its end; None where the file cannot say, or is in use.

    Read only. A journal that is still to be undone says that the run was killed while it wrote.
    """
    try:
        real, _ = file_checks.admitted(os.fspath(path), create=False)
        if os.path.getsize(real) == 0:
            return False if os.path.exists(f"{real}-journal") else None
        connection = database.connect(real, "ro")
    except (CheckpointError, OSError, *database.PROBLEMS):
        return None
    try:
        found = connection.execute("SELECT value FROM facts WHERE name='run'").fetchone()
    except database.PROBLEMS as problem:
        # SQLITE_READONLY_ROLLBACK and _CANTINIT are told by their text only before Python 3.11.
        return False if "readonly" in str(problem) else None
    finally:
        connection.close()
    return (
        None
        if found is None
        else {database.ENDED: True, database.RUNNING: False}.get(found[0], False)
    )


def kept(path: str | os.PathLike[str]) -> int | None:
    """Return how many tasks have an outcome in a closed file; None where it cannot say."""
    words = "SELECT total(stop - start) FROM parts WHERE piece = 0"
    try:
        real, _ = file_checks.admitted(os.fspath(path), create=False)
        connection = database.connect(real, "ro")
    except (CheckpointError, OSError, *database.PROBLEMS):
        return None
    try:
        return int(connection.execute(words).fetchone()[0])
    except database.PROBLEMS:
        return None
    finally:
        connection.close()
