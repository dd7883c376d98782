"""Taking outcomes out of a checkpoint, for a user who has asked for it: nothing else does that.

A part of which some tasks are to go is written anew without them. The file must not be in use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..wire import payload
from . import arguments, database, rows
from .contents import Contents, Version
from .file_checks import admitted, refused
from .kept import in_a_row
from .rows import Outcome, Saved
from .selection import Chosen
from .tables import Place


def drop(
    path: str | os.PathLike[str], wanted: Sequence[Chosen], failed: bool, earlier: bool
) -> int:
    """Take outcomes out of a file, all or none; return how many. The next run computes them again.

    wanted: of which tasks; of all where it is empty. failed: only those that failed.
    earlier: only those of earlier versions of a function.

    Raises CheckpointError where the file is none, is in use, or cannot be written.
    """
    shown = os.fspath(path)
    if not os.path.exists(shown):
        raise refused(shown, "there is no such file or directory", "is the path right?")
    real, locks = admitted(shown, create=True)
    try:
        opened = database.Database(shown, real, locks)
        try:
            with opened.transaction():
                return _dropped(opened, wanted, failed, earlier)
        finally:
            opened.close()
    except database.PROBLEMS as problem:
        raise database.unreadable(shown, problem) from None


def _dropped(
    opened: database.Database, wanted: Sequence[Chosen], failed: bool, earlier: bool
) -> int:
    tasks = 0
    chosen = {each.job for each in wanted}
    for version in Contents(opened).versions:
        if (earlier and version.latest) or (wanted and version.job not in chosen):
            continue
        leaving = dict(_going(version, wanted, failed))
        for place in version.places if leaving else ():
            going = leaving.get(place, set())
            if going or _gone(version, place):  # a failure whose later outcome goes stays gone
                _without(opened, version, place, going)
            tasks += len(going)
    return tasks


def _going(
    version: Version, wanted: Sequence[Chosen], failed: bool
) -> Iterator[tuple[Place, set[int]]]:
    """Return parts of a version, with the places in them of what is to go."""
    mine = [each for each in wanted if each.job == version.job]
    for place in version.places:
        going = set(range(place.stop - place.start)) - _gone(version, place)
        if failed:
            going &= {number for both in rows.failures(place.failed) for number in both}
        if wanted:
            going = {number for number in going if any(e.has(place.start + number) for e in mine)}
        if going:
            yield place, going


def _gone(version: Version, place: Place) -> set[int]:
    """Return the places of failures of which there are later outcomes."""
    return {outcome.place for outcome in version.replaced if outcome.part == place.part}


def _without(opened: database.Database, version: Version, place: Place, going: set[int]) -> None:
    """Write a part anew without some of its tasks: those in a row are a part each."""
    saved = opened.read(place.part, version.function.digest)
    opened.forget(place.part)
    if saved is None:  # damaged: nobody would use it
        return
    instead = saved.instead
    going = going | _gone(version, place)  # by their part's number, which is another one now
    for staying in in_a_row(x for x in range(place.stop - place.start) if x not in going):
        part = _cut(saved, staying[0], staying[-1], instead)
        if part is not None:
            opened.save(opened.last_part() + 1, rows.row(place.job, part), version.function)
        instead = ()


def _cut(saved: Saved, first: int, last: int, instead: tuple[Outcome, ...]) -> Saved | None:
    """Return the tasks from the place `first` to `last` of a part as one of their own.

    None where their arguments are not to be had: nothing would find them.
    """
    count, places = saved.stop - saved.start, range(first, last + 1)
    digest, kept = arguments.cut(saved.arguments, first, last, count)
    if digest is None:
        return None
    if saved.plain:
        outcomes = payload.pack(payload.unpack(saved.outcomes)[first : last + 1])
    else:
        outcomes = saved.outcomes[first : last + 1]
    failed, again = (
        tuple(number - first for number in numbers if number in places)
        for numbers in (saved.failed, saved.again)
    )
    start, stop = saved.start + first, saved.start + last + 1
    return Saved(start, stop, digest, saved.plain, outcomes, failed, kept, again, instead)
