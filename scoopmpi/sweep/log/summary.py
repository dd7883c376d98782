"""What follows from the history of a sweep: how far it is, how long items take, what has failed.

Numbers out of numbers; nothing is read here, and there is no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .history import History, Start
from .last_words import last_of_each

if TYPE_CHECKING:
    from numpy import ndarray

_SLOWEST = 10
_EXAMPLES = 5
"""Numbers of items that are named for each kind of failure."""


class Standing(NamedTuple):
    """Counts items. total, left: None where the log does not say how many there are."""

    total: int | None
    done: int
    failed: int
    left: int | None


class Durations(NamedTuple):
    """Says how long items took that are done, in seconds. most: 95 % took no longer."""

    items: int
    mean: float
    median: float
    most: float
    longest: float


class Work(NamedTuple):
    """Says what a worker has done: ends of items, of them failures, and the seconds they took."""

    worker: int
    host: str
    items: int
    failed: int
    seconds: float


class Slow(NamedTuple):
    """Names an item that took long."""

    number: int
    seconds: float
    worker: int
    host: str


class Failure(NamedTuple):
    """Counts the items that have failed in one way. numbers: some of them."""

    why: str
    items: int
    numbers: list[int]


class Summary(NamedTuple):
    """Says how a sweep stands.

    running: by number. first, last: when the last run has begun its first item, and ended the last
        that it has. rate: ends a second in between. expected: when all will have ended. All moments
        in seconds since 1970, None where they are not known.
    """

    standing: Standing
    is_over: bool
    running: dict[int, Start]
    durations: Durations | None
    workers: list[Work]
    slowest: list[Slow]
    failures: list[Failure]
    first: float | None
    last: float | None
    rate: float | None
    expected: float | None


def done(told: History) -> ndarray[Any, Any]:
    """Return the numbers of the items that are done, in their order."""
    return _numbers(told, _last(told), well=True)


def failed(told: History) -> ndarray[Any, Any]:
    """Return the numbers of the items that have failed, in their order."""
    return _numbers(told, _that_count(told, _last(told)), well=False)


def summary(told: History) -> Summary:
    """Return how the sweep stands by its log."""
    last = _last(told)
    standing = _standing(told, last)
    first, end, rate = _pace(told)
    expected = None
    if standing.left and end is not None and rate and not told.is_over:
        expected = end + standing.left / rate
    return Summary(
        standing, told.is_over, told.running, _durations(told, last), _workers(told),
        _slowest(told, last), _failures(told, _that_count(told, last)), first, end, rate, expected,
    )  # fmt: skip


def plain(found: object) -> Any:
    """Return a summary, or a part of it, as objects of JSON."""
    if isinstance(found, tuple) and hasattr(found, "_asdict"):
        return {name: plain(value) for name, value in found._asdict().items()}
    if isinstance(found, dict):
        return {str(key): plain(value) for key, value in found.items()}
    return [plain(value) for value in found] if isinstance(found, list) else found


def _last(told: History) -> ndarray[Any, Any]:
    """Return the places of the last ends of items, in their order, unless these run once more."""
    import numpy

    numbers = numpy.array(told.numbers, numpy.int64)
    last = last_of_each(numbers)
    again = numpy.array([*told.running, *told.broken], numpy.int64)
    kept: ndarray[Any, Any] = last[~numpy.isin(numbers[last], again)]
    return kept


def _numbers(told: History, last: ndarray[Any, Any], well: bool) -> ndarray[Any, Any]:
    import numpy

    ends = numpy.array(told.numbers, numpy.int64)[last]
    found: ndarray[Any, Any] = ends[numpy.frombuffer(bytes(told.well), numpy.uint8)[last] == well]
    return found


def _standing(told: History, last: ndarray[Any, Any]) -> Standing:
    """Count by what the last run has said of those before it, where it has: tables are edited."""
    total, done_before, failed_before = told.counted or (None, 0, 0)
    if total is not None:
        last = last[last >= told.last_run]
    done = done_before + len(_numbers(told, last, well=True))
    failed = failed_before + len(_numbers(told, last, well=False))
    left = None if total is None else max(total - done - failed, 0)
    return Standing(total, done, failed, left)


def _that_count(told: History, last: ndarray[Any, Any]) -> ndarray[Any, Any]:
    """Return the places of ends that may be failures: items of former runs may be gone by now."""
    total, _, failed_before = told.counted or (None, 0, 0)
    kept: ndarray[Any, Any] = last
    if total is not None and not failed_before:
        kept = last[last >= told.last_run]
    return kept


def _durations(told: History, last: ndarray[Any, Any]) -> Durations | None:
    import numpy

    well = numpy.frombuffer(bytes(told.well), numpy.uint8)[last] == 1
    seconds = numpy.array(told.seconds)[last][well]
    if not len(seconds):
        return None
    median, most = numpy.percentile(seconds, (50, 95))
    return Durations(
        len(seconds), float(seconds.mean()), float(median), float(most), float(seconds.max())
    )


def _workers(told: History) -> list[Work]:
    import numpy

    at, count = numpy.array(told.at, numpy.int64), len(told.places)
    ill = 1.0 - numpy.frombuffer(bytes(told.well), numpy.uint8)
    items = numpy.bincount(at, minlength=count)
    failures = numpy.bincount(at, ill, minlength=count)
    seconds = numpy.bincount(at, numpy.array(told.seconds), minlength=count)
    found = (
        Work(place.worker, place.host, int(items[i]), int(failures[i]), float(seconds[i]))
        for i, place in enumerate(told.places)
    )
    return sorted(found, key=lambda work: (work.worker, work.host))


def _slowest(told: History, last: ndarray[Any, Any]) -> list[Slow]:
    import numpy

    seconds = numpy.array(told.seconds)[last]
    places = last[numpy.argsort(-seconds, kind="stable")[:_SLOWEST]].tolist()
    return [Slow(told.numbers[i], told.seconds[i], *told.places[told.at[i]]) for i in places]


def _failures(told: History, last: ndarray[Any, Any]) -> list[Failure]:
    import numpy

    why = numpy.array(told.why, numpy.int64)[last]
    numbers = numpy.array(told.numbers, numpy.int64)[last]
    found = []
    for reason, text in enumerate(told.reasons):
        these = numbers[why == reason]
        if reason and len(these):
            found.append(Failure(text, len(these), these[:_EXAMPLES].tolist()))
    return sorted(found, key=lambda failure: -failure.items)


def _pace(told: History) -> tuple[float | None, float | None, float | None]:
    """Return when the last run began and ended what it has done, and ends a second."""
    import numpy

    began = numpy.array(told.began)[told.last_run :]
    if not len(began):
        return None, None, None
    first, end = (
        float(began.min()),
        float((began + numpy.array(told.seconds)[told.last_run :]).max()),
    )
    return first, end, len(began) / (end - first) if end > first else None
