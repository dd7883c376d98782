"""All that a log tells of its runs: every end in columns, 35 bytes each, and what has no end.

Of logs of the worker framework as well, whose times are whole seconds. What follows from it is in
`summary`. Where the log still grows this is how it stood when it was read.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple, TypeVar

from ..items.ended import LOST, TIME
from . import lines, reading
from .lines import Detail, Entry

_LIMIT, _DEATH = "over its time limit", "its worker has died"
_REASONS = {TIME: _LIMIT, LOST: _DEATH}
T = TypeVar("T")
_moment = lru_cache(1024)(lines.moment)
"""Many lines in a row have the same second."""


class Start(NamedTuple):
    """Says on which worker an item was started, and when: seconds since 1970."""

    worker: int
    at: float


class Place(NamedTuple):
    """Names a worker; host: empty where the log does not say it."""

    worker: int
    host: str


class History:
    """Knows what one log tells.

    file: the log, from its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.numbers, self.well = array("q"), bytearray()
        """Of each end: the item's number, and 1 where it is done, 0 where it has failed."""
        self.began, self.seconds = array("d"), array("d")
        """Of each end: when the item began, in seconds since 1970, and how long it took."""
        self.at, self.why = array("i"), array("i")
        """Of each end: places in `places` and, where it has failed, in `reasons`."""
        self.places: list[Place] = []
        self.reasons: list[str] = [""]
        self.running: dict[int, Start] = {}
        """Items that the last run has started, and that have not ended."""
        self.broken: dict[int, Start] = {}
        """The same of runs before it, of which no later one has said more."""
        self.runs: list[Mapping[str, Any]] = []
        """What each run has said at its beginning; none in a log of the worker framework."""
        self.is_over = False
        """True where the last run has said that it has ended."""
        self.last_run = 0
        """The first end of the last run, among the ends."""
        self.counted: tuple[int, int, int] | None = None
        """How many items the last run has, how many of them were done before it, and had failed."""
        self.strange, self.example = 0, b""
        """Lines that are none of a log, and the first of them."""
        self._place_of: dict[Place, int] = {}
        self._reason_of: dict[str, int] = {"": 0}
        for block in reading.blocks(file):
            for row in block:
                self._take(Entry._make(row))

    def _take(self, entry: Entry) -> None:
        if entry.ended:
            self._end(entry)
        elif entry.lone:
            self._start(entry.lone, entry.lone_worker, entry.lone_at)
        elif entry.remark:
            self._hear(entry.remark)
        elif entry.rest.strip():
            self._pass_over(entry.rest)

    def _start(self, number: bytes, worker: bytes, date: bytes) -> None:
        self.broken.pop(int(number), None)
        self.running[int(number)] = Start(int(worker), _moment(date))

    def _end(self, entry: Entry) -> None:
        number, ours = int(entry.ended), entry.noted == entry.ended
        detail = lines.detail_of(entry.detail) if ours else None
        if entry.number and (detail is None or entry.number != entry.ended):
            self._start(entry.number, entry.worker, entry.at)
        if self.runs and not ours:
            self._pass_over(entry.ended + b" " + entry.word)
            return
        start = self.running.pop(number, None) or self.broken.pop(number, None)
        if detail is None:
            when = _moment(entry.when)
            began = when if start is None else min(start.at, when)
            detail = Detail(began, when - began, "")
        self.numbers.append(number)
        self.well.append(entry.word == b"completed")
        self.began.append(detail.started)
        self.seconds.append(detail.seconds)
        self.at.append(_kept(self._place_of, self.places, Place(int(entry.by), detail.host)))
        self.why.append(_kept(self._reason_of, self.reasons, _reason(entry, detail)))

    def _hear(self, remark: bytes) -> None:
        about = lines.facts(remark)
        if about is not None:
            self.runs.append(about)
            self.broken.update(self.running)
            self.running = {}
            self.is_over, self.counted, self.last_run = False, None, len(self.numbers)
        elif lines.is_over(remark):
            self.is_over = True
        else:
            self.counted = lines.counted(remark) or self.counted

    def _pass_over(self, text: bytes) -> None:
        self.strange += 1
        self.example = self.example or text[:60]


def _reason(entry: Entry, detail: Detail) -> str:
    """Return in words why an item has failed; nothing where it has not."""
    if entry.word == b"completed":
        return ""
    if detail.why:
        return _REASONS.get(detail.why, detail.why)
    if detail.signal:
        return lines.signal_name(detail.signal)
    return f"exit status {entry.status.decode() or '?'}"


def _kept(known: dict[T, int], kept: list[T], what: T) -> int:
    """Return the place of a thing in a list; what is new there comes to its end."""
    place = known.get(what)
    if place is None:
        place = known[what] = len(kept)
        kept.append(what)
    return place


def read(path: str) -> History:
    """Return what a log tells; raises OSError, and `reading.NoLog` where it is none."""
    with open(path, "rb") as file:
        reading.check(path, file.read(reading.LOOKED_AT))
        file.seek(0)
        return History(file)
