"""What a trace says of a run: its workers, spans, jobs, marks, counters and totals, in columns.

Here a trace becomes arrays of numbers, once; everything else in the report is computed from them.
What is missing in a trace, as its run was killed, is missing here. Times: seconds since the run
began.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..trace import form

Event: TypeAlias = Mapping[str, Any]
Column: TypeAlias = "np.ndarray[Any, Any]"

_MICRO = 1e-6
ENDS = (form.WHOLE, form.CUT, form.PART, form.WAITS, form.LOST, form.RUNNING)
"""How the span of a batch can end."""
LOST_END = ENDS.index(form.LOST)
WAITS_END = ENDS.index(form.WAITS)
_PID = re.compile(r"\(pid (\d+)\)")


@dataclass(slots=True)
class Worker:
    """One worker: where it is in the time line, and where it ran.

    row: its line, from 0 on; workers of a host are neighbours. joined: when; None if not known.
    lost: when it died; None where it has not.
    """

    row: int
    rank: int
    host: str
    pid: int
    joined: float | None = None
    lost: float | None = None


@dataclass(slots=True)
class Job:
    """One job; ended: None where the run ended before it."""

    number: int
    name: str
    kind: str = ""
    size: int | None = None
    began: float = 0.0
    ended: float | None = None


@dataclass(slots=True)
class Mark:
    """Something that happened at one moment: a loss, a retry, constants that were set."""

    at: float
    kind: str
    name: str
    args: Mapping[str, Any]


@dataclass(slots=True)
class Spans:
    """Batches that ran, or nested tasks: an array for each fact, sorted by worker and beginning.

    function, end: numbers of names in `TracedRun.functions` and `ENDS`. busy: seconds in which
    tasks ran; less than from beginning to end where the trace has made one span of several.
    inner: tasks of tasks that ran in it.
    """

    row: Column
    began: Column
    ended: Column
    busy: Column
    function: Column
    job: Column
    start: Column
    tasks: Column
    failed: Column
    attempt: Column
    batches: Column
    end: Column
    depth: Column
    resident: Column
    peak: Column
    inner: Column

    def __len__(self) -> int:
        return len(self.row)

    def chosen(self, which: Column) -> Spans:
        """Return some of them. which: an index, or a choice, of numpy."""
        return Spans(*(getattr(self, name)[which] for name in _COLUMNS))


_COLUMNS = tuple(Spans.__slots__)
_TIMES = ("began", "ended", "busy")


@dataclass(slots=True)
class TracedRun:
    """A run, as its trace tells it.

    about: what the trace says of the whole. end: totals; None where the run was killed.
    seconds: from its beginning to its end, or to the last that is known.
    """

    about: Mapping[str, Any]
    workers: list[Worker]
    functions: list[str]
    jobs: dict[int, Job]
    spans: Spans
    nested: Spans
    marks: list[Mark]
    counters: dict[str, tuple[Column, Column]]
    end: Mapping[str, Any] | None
    seconds: float
    rank_0: str = "rank 0"

    @property
    def hosts(self) -> list[str]:
        """Return the hosts of workers, in the order of the time line."""
        return list(dict.fromkeys(worker.host for worker in self.workers))


def run_of(about: Mapping[str, Any], events: Iterable[Event]) -> TracedRun:
    """Return the run that a trace tells of.

    about: its `otherData`. events: its events, in any order; those of other kinds are left out.
    """
    seen = _Seen()
    for event in events:
        take = _TAKES.get(event.get("ph", ""))
        if take is not None:
            take(seen, event)
    return seen.run(about)


@dataclass(slots=True)
class _Seen:
    """What has been read so far."""

    names: dict[tuple[int, int, str], str] = field(default_factory=dict)
    joined: dict[int, float] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    spans: array[float] = field(default_factory=lambda: array("d"))
    nested: array[float] = field(default_factory=lambda: array("d"))
    """Of each span a number for each column, one after the other: the worker's rank is its row."""
    places: dict[int, int] = field(default_factory=dict)
    """The host's number of each worker that has a span."""
    jobs: dict[int, Job] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    counters: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    end: Mapping[str, Any] | None = None
    last: float = 0.0

    def name(self, event: Event) -> None:
        key = event["pid"], event["tid"], event["name"]
        self.names[key] = str(event.get("args", {}).get("name", ""))

    def span(self, event: Event) -> None:
        args = event.get("args", {})
        began = event["ts"] * _MICRO
        ended = began + event["dur"] * _MICRO
        self.last = max(self.last, ended)
        kind = event.get("cat")
        if kind not in (form.BATCH, form.NESTED):
            return
        function = self.functions.setdefault(str(event["name"]), len(self.functions))
        end = args.get("end", form.WHOLE)
        self.places[event["tid"]] = event["pid"]
        (self.spans if kind == form.BATCH else self.nested).extend((
            event["tid"], began, ended,
            args.get("busy", event["dur"]) * _MICRO, function, args.get("job", 0),
            args.get("start") or 0, args.get("tasks", 0), args.get("failed", 0),
            args.get("attempt", 1), args.get("batches", 1),
            ENDS.index(end) if end in ENDS else 0, args.get("depth", 0), args.get("resident", 0),
            args.get("peak", 0), args.get("nested", 0),
        ))  # fmt: skip

    def phase(self, event: Event) -> None:
        if event.get("cat") != form.JOB:
            return
        at, args = event["ts"] * _MICRO, event.get("args", {})
        number = int(form.ident(event))
        self.last = max(self.last, at)
        job = self.jobs.setdefault(number, Job(number, str(event["name"]), began=at))
        job.kind = args.get("kind", job.kind)
        job.size = args.get("size", job.size)
        if event["ph"] == "e":
            job.ended = at

    def mark(self, event: Event) -> None:
        at, kind, args = event["ts"] * _MICRO, str(event.get("cat", "")), event.get("args", {})
        self.last = max(self.last, at)
        if kind == form.RUN and event["name"] == "end":
            self.end = args
        elif kind == form.RUN and event["name"] == "joined":
            self.joined[event["tid"]] = at
        else:
            self.marks.append(Mark(at, kind, str(event["name"]), args))

    def counter(self, event: Event) -> None:
        for value in event.get("args", {}).values():
            at = event["ts"] * _MICRO
            self.counters.setdefault(str(event["name"]), []).append((at, float(value)))

    def run(self, about: Mapping[str, Any]) -> TracedRun:
        workers = self._workers()
        rows = {worker.rank: worker.row for worker in workers}
        for mark in self.marks:
            rank = mark.args.get("worker")
            if mark.kind == form.LOSS and rank in rows:  # what it lost is told before, or at once
                workers[rows[rank]].lost = mark.at
        counters = {
            name: (np.array(times), np.array(values))
            for name, found in self.counters.items()
            for times, values in [zip(*sorted(found), strict=True)]
        }
        return TracedRun(
            about, workers, list(self.functions), self.jobs, _columns(self.spans, rows),
            _columns(self.nested, rows), sorted(self.marks, key=lambda mark: mark.at), counters,
            self.end, max(self.last, 1e-6), self.names.get((0, 0, "process_name"), "rank 0"),
        )  # fmt: skip

    def _workers(self) -> list[Worker]:
        keys = {
            (pid, tid) for pid, tid, kind in self.names if kind == "thread_name" and pid and tid
        }
        keys |= {(pid, tid) for tid, pid in self.places.items()}
        found = []
        for row, (pid, tid) in enumerate(sorted(keys)):
            host = self.names.get((pid, 0, "process_name")) or f"host {pid}"
            said = _PID.search(self.names.get((pid, tid, "thread_name"), ""))
            number = int(said[1]) if said else 0
            found.append(Worker(row, tid, host, number, self.joined.get(tid)))
        return found


_TAKES = {
    "M": _Seen.name, "X": _Seen.span, "b": _Seen.phase, "e": _Seen.phase, "i": _Seen.mark,
    "C": _Seen.counter,
}  # fmt: skip


def _columns(found: array[float], rows: Mapping[int, int]) -> Spans:
    """Return spans as columns. rows: of workers, by their rank."""
    table = np.frombuffer(found).reshape(-1, len(_COLUMNS))
    ranks, places = np.unique(table[:, 0], return_inverse=True)
    row = np.array([rows[int(rank)] for rank in ranks], np.int64)[places]
    order = np.lexsort((table[:, 1], row))
    kinds = [float if name in _TIMES else np.int64 for name in _COLUMNS]
    columns = [table[order, place].astype(kind) for place, kind in enumerate(kinds)]
    columns[0] = row[order]
    return Spans(*columns)
