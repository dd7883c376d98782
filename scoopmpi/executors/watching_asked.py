"""How an executor is watched: what its arguments ask for, opened, joined to a farm, and ended.

Names of files mean what they mean to `myscoop`. Readers are those of `watching`, each loaded only
where it is asked for; what they write is theirs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..process import identity
from ..process.users_line import warn
from ..watching.observer import Observer
from ..wire.transport import library
from .watching_files import Files, WatchedRun, opened

if TYPE_CHECKING:
    from ..farm.farm import Farm
    from ..process.job_end import JobEndWatch


class Asked(NamedTuple):
    """What an executor is asked to be watched by.

    status, trace, report: names of files. progress: of maps that are given none, as in
    `MapOptions`.
    """

    status: str | None = None
    trace: str | None = None
    report: str | None = None
    progress: bool | str | None = None

    @property
    def files(self) -> bool:
        """True where there is to be a file."""
        return any(name is not None for name in (self.status, self.trace, self.report))

    def opened(self) -> list[Observer]:
        """Return readers that write the files; raises NameProblem where one cannot be written."""
        readers: list[Observer] = []
        try:
            for reader in self._readers():
                readers.append(reader)  # noqa: PERF402 (those that are there are closed)
        except ValueError:
            for reader in readers:
                reader.farm_closed(1)
            raise
        return readers

    def _readers(self) -> Iterator[Observer]:
        """Open the files, one after the other."""
        files, ends = Files(self.status, self.trace, self.report), _Ends()
        yield from opened(files, WatchedRun(sys.argv, library, ends.begun))
        yield ends

    def tell_useless(self) -> None:
        """Warn that nothing is watched: once in a process, at the user's line."""
        for name, value in self._replace(progress=None)._asdict().items():
            if value is not None and identity.this.tells(name):
                why = "only a farm is watched, from the program (myscoop, python -m scoopmpi)"
                warn(f"{name}={value!r} changes nothing here: {why}")


class _Ends(Observer):
    """Asks when the batch job ends, where a reader wants to know, and no more when all is over."""

    def __init__(self) -> None:
        self._watch: JobEndWatch | None = None

    def begun(self) -> JobEndWatch:
        """Begin to ask."""
        from ..process.job_end import JobEndWatch  # late: few programs want to know

        self._watch = JobEndWatch(os.environ)
        self._watch.start()
        return self._watch

    def farm_closed(self, status: int) -> None:
        if self._watch is not None:
            self._watch.stop()


def asked(status: Any, trace: Any, report: Any, progress: Any) -> Asked:
    """Check what is asked for, and return it; raises TypeError for what is no name of a file."""
    files = {"status": status, "trace": trace, "report": report}
    names = {name: _name(name, value) for name, value in files.items()}
    if not isinstance(progress, bool | str | None):
        raise TypeError(f"progress is {progress!r}, it must be True, False or a title")
    return Asked(**names, progress=progress)


def _name(argument: str, value: Any) -> str | None:
    with suppress(TypeError):
        name = None if value is None else os.fspath(value)
        if not isinstance(name, bytes):
            return name
    raise TypeError(f"{argument} is {value!r}, it must be the name of a file: a string or a path")


def watched(farm: Farm, asked: Asked) -> Callable[[], None]:
    """Have readers hear of all that happens on a farm from now on; return what ends them.

    Raises NameProblem, a ValueError, where a file cannot be written.
    """
    readers = asked.opened()
    for reader in readers:
        farm.observe(reader)

    def end() -> None:
        while readers:
            farm.dismiss(readers.pop(0))

    return end
