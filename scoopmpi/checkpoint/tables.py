"""What stands in the tables of a checkpoint, over one connection to SQLite: rows as what they mean.

Rows of a damaged file may be of any types; those that are not what they should be are left out,
what a part says is checked in `rows`. Nothing here writes. One thread at a time; who that is, is
the caller's business.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .rows import Outcome, Piece, Saved, decoded, replaced


class Function(NamedTuple):
    """A function as some run of the program had it.

    digest: of it and all that it uses. run: the number of the last run that had it so.
    """

    number: int
    name: str
    digest: bytes
    run: int


class Job(NamedTuple):
    """A job as the last run made it.

    tasks: how many; None where nobody knew. moved: True where outcomes came from other places.
    """

    number: int
    function: int
    tasks: int | None
    moved: bool = False


class Move(NamedTuple):
    """Tasks of a job that have got outcomes of elsewhere: those of a part, from a place in it on.

    Kept of tasks that are alike, so that each gets the same one in the next run.
    """

    job: int
    function: int
    start: int
    stop: int
    part: int
    place: int


class Place(NamedTuple):
    """Where a part lies: its number, the tasks of its job, and what is asked of it first.

    failed: as in a row.
    """

    part: int
    function: int
    job: int
    start: int
    stop: int
    digest: bytes
    failed: bytes

    @property
    def whole(self) -> bool:
        """True where the file has values of the right types."""
        kinds = tuple(map(type, self))
        return kinds == (int, int, int, int, int, bytes, bytes) and 0 <= self.start <= self.stop


def tasks_of(places: Iterable[Place]) -> int:
    """Return how many tasks have outcomes in some places."""
    return sum(place.stop - place.start for place in places)


_PLACES = "SELECT part, function, job, start, stop, digest, failed FROM parts WHERE piece=0 "


def joined(moves: Iterable[Move]) -> Iterator[Move]:
    """Return moves of tasks in a row, from places in a row, as one."""
    last: Move | None = None
    for move in sorted(moves):
        if last is not None and move == last._replace(
            start=last.stop, stop=move.stop, place=_next(last)
        ):
            last = last._replace(stop=move.stop)
            continue
        if last is not None:
            yield last
        last = move
    if last is not None:
        yield last


def _next(move: Move) -> int:
    return move.place + move.stop - move.start


class Tables:
    """What stands in an open file. Raises sqlite3.Error where it cannot be read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def facts(self) -> dict[str, str]:
        """Return what was told about the runs."""
        found = self.connection.execute("SELECT * FROM facts").fetchall()
        return {str(name): str(value) for name, value in found}

    def functions(self) -> list[Function]:
        """Return all functions of which there may be outcomes."""
        found = self.connection.execute("SELECT * FROM functions").fetchall()
        kinds = int, str, bytes, int
        return [Function(*row) for row in found if tuple(map(type, row)) == kinds]

    def jobs(self) -> list[Job]:
        """Return the jobs as the last run that made them did."""
        found = self.connection.execute("SELECT job, function, tasks, moved FROM jobs").fetchall()
        return [
            Job(job, function, tasks if type(tasks) is int else None, bool(moved))
            for job, function, tasks, moved in found
            if type(job) is type(function) is int
        ]

    def moves(self) -> list[Move]:
        """Return which tasks have got outcomes of elsewhere, the latest last."""
        found = self.connection.execute("SELECT * FROM moves ORDER BY rowid").fetchall()
        return [Move(*row) for row in found if {*map(type, row)} == {int}]

    def places(self, job: int | None = None, function: int | None = None) -> list[Place]:
        """Return where the parts of a job, of a function, or all lie, as they were saved."""
        chosen = ""
        values = tuple(number for number in (job, function) if number is not None)
        chosen += "" if job is None else "AND job=? "
        chosen += "" if function is None else "AND function=? "
        rows = self.connection.execute(f"{_PLACES}{chosen}ORDER BY part", values)
        return [place for place in map(Place._make, rows) if place.whole]

    def arguments(self, part: int) -> bytes:
        """Return the arguments of a part, which are yet to be checked."""
        words = "SELECT arguments FROM parts WHERE part=? AND piece=0"
        row = self.connection.execute(words, (part,)).fetchone()
        return row[0] if row is not None and type(row[0]) is bytes else b""

    def replaced(self) -> set[Outcome]:
        """Return the failures of which there are later outcomes."""
        words = "SELECT instead FROM parts WHERE piece=0 AND length(instead)>0"
        rows = self.connection.execute(words)
        return {each for (text,) in rows if type(text) is bytes for each in replaced(text)}

    def sizes(self) -> dict[tuple[int, int], int]:
        """Return the bytes of the outcomes of each function in each job."""
        words = "SELECT job, function, total(size) FROM parts WHERE piece=0 GROUP BY job, function"
        rows = self.connection.execute(words).fetchall()
        return {(job, function): int(size) for job, function, size in rows}

    def counts(self) -> dict[int, int]:
        """Return how many outcomes there are of each job."""
        words = "SELECT job, total(stop - start) FROM parts WHERE piece=0 GROUP BY job"
        rows = self.connection.execute(words).fetchall()
        return {job: int(tasks) for job, tasks in rows if type(job) is int}

    def last_part(self) -> int:
        """Return the highest number of a part; 0 where there is none."""
        found = self.connection.execute("SELECT max(part) FROM parts").fetchone()[0]
        return found if type(found) is int else 0

    def read(self, part: int, function: bytes) -> Saved | None:
        """Return a part; None where it is damaged or gone.

        function: the digest of the function that has made it.
        """
        words = "SELECT * FROM parts WHERE part=? ORDER BY piece"
        return decoded(map(Piece._make, self.connection.execute(words, (part,))), function)
