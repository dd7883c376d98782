"""What a checkpoint holds, for people: jobs with the versions of their functions, and each task.

Outcomes and arguments are unpickled here, which runs code of the program where its modules are to
be had; what they are of is named where they are not. Nothing here is text for a terminal.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from ..wire import failure as packed_failure
from ..wire import payload
from ..wire.errors import TaskError
from ..wire.payload import Frame
from . import arguments
from .rows import Outcome, Saved, failures
from .tables import Function, Job, Place, Tables


class Failure(NamedTuple):
    """Why a task has no value: the exception's type and text, and the traceback."""

    reason: str
    trace: str


class Task(NamedTuple):
    """One task: its number, arguments if the file has them, and its value or Failure."""

    number: int
    arguments: arguments.Call | None
    outcome: Any
    failed: bool


class Version(NamedTuple):
    """The outcomes of one function in one job.

    latest: whether the job had this function when it was last made. total: its tasks, if known.
    """

    job: int
    function: Function
    latest: bool
    places: tuple[Place, ...]
    total: int | None
    size: int
    replaced: frozenset[Outcome]

    @property
    def tasks(self) -> int:
        """How many outcomes there are."""
        parts = {place.part for place in self.places}
        gone = sum(outcome.part in parts for outcome in self.replaced)
        return sum(place.stop - place.start for place in self.places) - gone

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The tasks that have outcomes, in order."""
        joined: list[tuple[int, int]] = []
        for start, stop in sorted((place.start, place.stop) for place in self.places):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(stop, joined[-1][1])
            else:
                joined.append((start, stop))
        return joined

    @property
    def failed(self) -> list[int]:
        """The numbers of tasks that failed, in order."""
        found = set()
        for place in self.places:
            for number in {*failures(place.failed)[0], *failures(place.failed)[1]}:
                if Outcome(place.part, number) not in self.replaced:
                    found.add(place.start + number)
        return sorted(found)


class Contents:
    """The jobs of a file.

    tables: open.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.facts = tables.facts()

    @cached_property
    def versions(self) -> list[Version]:
        """The jobs by their numbers, the latest version of each first."""
        jobs = {job.number: job for job in self._tables.jobs()}
        functions = {function.number: function for function in self._tables.functions()}
        places: dict[tuple[int, int], list[Place]] = {}
        for place in self._tables.places():
            if place.function in functions:
                places.setdefault((place.job, place.function), []).append(place)
        for job in jobs.values():  # those that have only begun
            if job.number and job.function in functions:
                places.setdefault((job.number, job.function), [])
        sizes, replaced = self._tables.sizes(), frozenset(self._tables.replaced())
        found = []
        for (number, function), lie in places.items():
            latest = _is_latest(functions[function], number, jobs, functions, places)
            known = jobs.get(number)
            total = known.tasks if known is not None and known.function == function else None
            size = sizes.get((number, function), 0)
            version = Version(
                number, functions[function], latest, tuple(lie), total, size, replaced
            )
            found.append(version)
        return sorted(found, key=lambda one: (one.job, not one.latest, -one.function.run))

    def tasks(self, version: Version, failed: bool = False) -> Iterator[Task]:
        """Return the tasks of a version, in order where parts do not lie above each other.

        failed: only those that failed.
        """
        for place in sorted(version.places, key=lambda one: (one.start, one.part)):
            failing = {*failures(place.failed)[0], *failures(place.failed)[1]}
            if failed and not failing:
                continue
            saved = self._tables.read(place.part, version.function.digest)
            if saved is not None:
                yield from self._of_part(place, saved, version, failing if failed else None)

    def _of_part(
        self, place: Place, saved: Saved, version: Version, only: set[int] | None
    ) -> Iterator[Task]:
        count = place.stop - place.start
        given = arguments.shown(saved.arguments, count)
        outcomes = payload.unpack(saved.outcomes) if saved.plain else saved.outcomes
        for number in range(count) if only is None else sorted(only):
            if Outcome(place.part, number) in version.replaced:
                continue
            raised = number in saved.failed
            value = outcomes[number]
            if raised:
                value = failure(value)
            elif not saved.plain:
                value = opened(value)
            failed = raised or number in saved.again
            yield Task(place.start + number, given[number], value, failed)


def _is_latest(
    function: Function, job: int, jobs: dict[int, Job], functions: dict[int, Function],
    places: dict[tuple[int, int], list[Place]],
) -> bool:  # fmt: skip
    """True where no other function of that name was the job's later."""
    if job in jobs and job:
        return jobs[job].function == function.number
    others = [functions[of] for where, of in places if where == job]
    return all(each.run <= function.run for each in others if each.name == function.name)


class Unknown:
    """Stands for an object whose class, or the function that makes it, is not to be had here.

    It shows with what it was to be made.
    """

    name = "?"
    _args: tuple[Any, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Unknown:
        """Take any arguments, as the class in whose place it stands."""
        made = super().__new__(cls)
        made._args = args
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._state: Any = None

    def __setstate__(self, state: Any) -> None:
        """Keep what it is to have in it."""
        self._state = state

    def __repr__(self) -> str:
        words = [repr(arg) for arg in self._args]
        state = self.__dict__.get("_state")
        if isinstance(state, dict):
            words += [f"{name}={value!r}" for name, value in state.items()]
        return f"<{self.name}({', '.join(words)})>"

    def __reduce__(self) -> Any:
        return str, (repr(self),)


class _Tolerant(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except Exception:
            return type(name, (Unknown,), {"name": f"{module}.{name}"})


def opened(frame: Frame) -> Any:
    """Return the value in a frame; names it where it cannot be unpickled here."""
    try:
        return payload.unpack(frame)
    except BaseException:  # the program's classes are not to be had, or worse
        return _tolerated(frame)


def _tolerated(frame: Frame) -> Any:
    data, buffers = (frame[0], frame[1:]) if type(frame) is tuple else (frame, ())
    try:
        return _Tolerant(io.BytesIO(data), buffers=buffers).load()
    except BaseException as problem:
        return type("Unknown", (Unknown,), {"name": f"unpicklable: {type(problem).__name__}"})()


def failure(frame: Frame) -> Failure:
    """Return what a task raised; by the last line of its traceback where it cannot be revived."""
    found = _tolerated(frame)
    text = found[1] if type(found) is tuple and len(found) > 1 and type(found[1]) is str else ""
    error = packed_failure.unpack(frame)
    if type(error) is not TaskError or "cannot be unpickled" not in str(error):
        return Failure(packed_failure.reason(error), text)
    lines = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return Failure(lines[-1] if lines else "it cannot be unpickled here", text)
