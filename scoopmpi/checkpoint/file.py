"""The file of a checkpoint, for those who have outcomes to keep: what was saved, and saving.

What is asked is answered from the database, what is given goes to the writer's thread. The file
is locked for as long as it is open. Here nothing knows jobs, functions or what a digest is of.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Collection

from . import database, file_checks
from .database import Database
from .file_checks import CheckpointError
from .rows import Saved, row
from .writer import Change, Writer

__all__ = ["CheckpointError", "CheckpointFile", "Saved", "ended"]
logger = logging.getLogger("scoopmpi")


class CheckpointFile:
    """An open checkpoint; the file is made where there is none.

    program: what a person knows the program by.
    Raises CheckpointError where the file is none, damaged, in use, or not the user's alone; it is
    left as it was then. Only an interrupted write of an earlier run is undone in any case.
    """

    def __init__(self, path: str | os.PathLike[str], program: str = "") -> None:
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
        self._touched: set[int] = set()  # jobs of which this run has changed something
        self._ended = False
        self._writer = Writer(self._database)
        self._jobs = self._database.jobs
        _open_files.append(self)
        now = database.now()
        self._tell(program=program, opened=now, written=now, run=database.RUNNING)
        self._writer.flush()

    def _tell(self, **facts: str) -> None:
        self._writer.give(Change(lambda written: written.tell(**facts)))

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

    def ranges(self, job: int) -> list[range]:
        """Return the tasks of each part that was saved of a job, by their start."""
        if not self._usable or job not in self._jobs | self._touched:
            return []
        if job in self._touched:
            self._writer.flush()
        with self._writer.guard:
            try:
                return self._database.ranges(job)
            except database.PROBLEMS as problem:
                logger.warning("checkpoint %s is damaged: %s", self.path, problem)
                return []

    def part(self, job: int, start: int) -> Saved | None:
        """Return the part of `ranges` that begins there; None and a warning where it is damaged."""
        found: Saved | int | None = None
        with self._writer.guard:
            try:
                found = next(self._database.read(job, start), None) if self._usable else None
            except database.PROBLEMS as problem:
                logger.warning("checkpoint %s is damaged: %s", self.path, problem)
        if isinstance(found, Saved):
            return found
        text = "checkpoint %s: what was saved of job %d from task %d on is damaged and not used"
        logger.warning(text, self.path, job, start)
        self.forget(job, [start])
        return None

    def saved_function(self, job: int) -> tuple[str, bytes] | None:
        """Return the name and the digest of the function with which a job's parts were saved."""
        if not self._usable:
            return None
        if job in self._touched:
            self._writer.flush()
        return self._database.functions.get(job)

    def save(self, job: int, name: str, function: bytes, part: Saved) -> None:
        """Have outcomes written; parts of the job that they overlap are removed.

        function: its digest; parts of the job that were saved with another one go, too.
        """
        if not self._usable:
            return
        self._touched.add(job)
        kept = row(job, part)
        self._writer.give(
            Change(
                lambda written: written.save(kept, name, function),
                kept.data.size + len(kept.failed) + len(kept.digest) + 200,  # and the row itself
                part.stop - part.start,
            )
        )

    def forget(self, job: int, starts: Collection[int]) -> None:
        """Have the parts of a job removed that begin there."""
        if not self._usable:
            return
        self._touched.add(job)

        def write(written: Database) -> None:
            for start in starts:
                written.forget(job, start)

        self._writer.give(Change(write))

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
        self._writer.close(Change(lambda written: written.tell(**facts)))
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
