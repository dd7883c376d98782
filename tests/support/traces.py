"""Traces of runs that never were: a farm in numbers, with what can happen to one."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from typing import Any

from scoopmpi.watching.durations import Durations

Event = dict[str, Any]
MICRO = 1_000_000


@dataclass
class Farm:
    """Hands out tasks to the worker that is free first, and writes down what a trace would say.

    slow: how much longer tasks take on a host, by its number. names: of the functions.
    """

    workers: int = 2
    hosts: int = 1
    seed: int = 1
    slow: dict[int, float] = field(default_factory=dict)
    began: float = 1_790_000_000.0
    events: list[Event] = field(default_factory=list)
    functions: dict[str, Any] = field(default_factory=dict)
    failures: list[list[Any]] = field(default_factory=list)
    now: float = 0.0
    jobs: int = 0
    command: str = "squares 100"

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.host = {rank: 1 + (rank - 1) * self.hosts // self.workers for rank in self.ranks}
        self.start(0.5)
        self._named()

    def start(self, seconds: float) -> Farm:
        """Have all workers join so late."""
        self.joined = seconds
        self.free = dict.fromkeys(self.ranks, seconds)
        return self

    @property
    def ranks(self) -> range:
        return range(1, self.workers + 1)

    def _named(self) -> None:
        self._name(0, 0, "process_name", "rank 0 on login1")
        for number in range(1, self.hosts + 1):
            self._name(number, 0, "process_name", f"node{number:03d}")
        for rank in self.ranks:
            self._name(self.host[rank], rank, "thread_name", f"worker {rank} (pid {4000 + rank})")

    def _name(self, pid: int, tid: int, kind: str, name: str) -> None:
        self.events.append(
            {"ph": "M", "pid": pid, "tid": tid, "name": kind, "args": {"name": name}}
        )

    def serial(self, seconds: float) -> Farm:
        """Let the program compute on rank 0."""
        self.now += seconds
        return self

    def map(
        self, name: str, seconds: list[float], batch: int = 1, failed: dict[int, str] | None = None,
        overhead: float = 0.0001, only: list[int] | None = None, nested: bool = False,
        peak: int = 120_000_000,
    ) -> Farm:  # fmt: skip
        """Run a map: a task for each of the durations.

        overhead: seconds between two batches of a worker. only: ranks that get some.
        """
        self.jobs += 1
        job, failed = self.jobs, failed or {}
        title = f"map {job} of {name}"
        self._job("b", job, title, {"size": len(seconds), "kind": "map"})
        queue = [(max(self.free[rank], self.now), rank) for rank in only or self.ranks]
        heapq.heapify(queue)
        changes: list[tuple[float, int]] = []
        totals = self.functions.setdefault(
            name, {"tasks": 0, "failed": 0, "seconds": 0.0, "max": 0.0, "peak": peak,
                   "durations": [], "slowest": []}
        )  # fmt: skip
        ended = self.now
        for start in range(0, len(seconds), batch):
            at, rank = heapq.heappop(queue)
            factor = self.slow.get(self.host[rank], 1.0)
            each = [one * factor for one in seconds[start : start + batch]]
            taken = sum(each)
            wrong = [index for index in failed if start <= index < start + batch]
            self.events.append({
                "ph": "X", "pid": self.host[rank], "tid": rank, "ts": round(at * MICRO),
                "dur": round(taken * MICRO), "name": name, "cat": "batch",
                "args": {"job": job, "start": start, "tasks": len(each), "failed": len(wrong),
                         "attempt": 1, "batches": 1, "busy": round(taken * MICRO), "end": "whole",
                         "resident": peak // 2, "peak": peak},
            })  # fmt: skip
            if nested:
                self.events.append({
                    "ph": "X", "pid": self.host[rank], "tid": rank,
                    "ts": round((at + taken / 4) * MICRO),
                    "dur": round(taken / 2 * MICRO), "name": f"part_of_{name}", "cat": "nested",
                    "args": {"tasks": 3, "depth": 1},
                })  # fmt: skip
            changes += [(at, 1), (at + taken, -1)]
            totals["tasks"] += len(each)
            totals["failed"] += len(wrong)
            totals["seconds"] += taken
            totals["max"] = max(totals["max"], *each)
            totals["durations"] += each
            totals["slowest"] += [[one, job, start + place, rank] for place, one in enumerate(each)]
            totals["slowest"] = sorted(totals["slowest"], reverse=True)[:10]
            self.free[rank] = at + taken
            ended = max(ended, at + taken)
            heapq.heappush(queue, (at + taken + overhead, rank))
        for text in failed.values():
            self._failed(name, text)
        self._counted(changes, len(seconds), batch)
        self._job("e", job, title, {}, ended)
        self.now = ended
        return self

    def _failed(self, name: str, text: str) -> None:
        for known in self.failures:
            if known[1:] == [name, text]:
                known[0] += 1
                return
        self.failures.append([1, name, text])

    def _job(self, phase: str, job: int, title: str, args: Event, at: float | None = None) -> None:
        at = self.now if at is None else at
        self.events.append({
            "ph": phase, "cat": "job", "id2": {"local": str(job)}, "pid": 0, "tid": 0,
            "ts": round(at * MICRO), "name": title, "args": args,
        })  # fmt: skip

    def _counted(self, changes: list[tuple[float, int]], tasks: int, batch: int) -> None:
        """Write counters, ten times a second at most."""
        self._counter("tasks queued", self.now, tasks=tasks)
        busy, left, last = 0, tasks, -1.0
        for at, step in sorted(changes):
            busy += step
            left -= batch if step > 0 else 0
            if at - last > 0.1 or left <= 0:
                last = at
                self._counter("workers", at, busy=busy)
                self._counter("tasks queued", at, tasks=max(left, 0))
                self._counter("rank 0", at, load=min(busy, 30))

    def _counter(self, name: str, at: float, **values: float) -> None:
        self.events.append(
            {"ph": "C", "pid": 0, "tid": 0, "ts": round(at * MICRO), "name": name, "args": values}
        )

    def lose(self, rank: int, tasks: int = 1, late: bool = False) -> Farm:
        """Let a worker die, with tasks of the last map that are tried again."""
        self.events.append({
            "ph": "i", "cat": "loss", "name": f"worker {rank} is lost", "s": "p",
            "pid": self.host[rank], "tid": rank, "ts": round(self.now * MICRO),
            "args": {"worker": rank, "job": self.jobs, "start": 7, "tasks": tasks, "attempt": 1,
                     "late": late},
        })  # fmt: skip
        self.events.append({
            "ph": "i", "cat": "retry", "name": "tried again", "s": "p", "pid": self.host[rank],
            "tid": rank, "ts": round(self.now * MICRO),
            "args": {"worker": rank, "job": self.jobs, "start": 7, "tasks": tasks},
        })  # fmt: skip
        return self

    def trace(self, ended: bool = True, status: int = 0, after: float = 0.2) -> Event:
        """Return the trace. ended: False for that of a killed run."""
        events = list(self.events)
        events += [
            {"ph": "i", "cat": "run", "name": "joined", "s": "p", "pid": self.host[rank],
             "tid": rank, "ts": round(self.joined * MICRO), "args": {"pid": 4000 + rank}}
            for rank in self.ranks
        ]  # fmt: skip
        if ended:
            events.append({
                "ph": "i", "cat": "run", "name": "end", "s": "g", "pid": 0, "tid": 0,
                "ts": round((self.now + after) * MICRO), "args": self._totals(status),
            })  # fmt: skip
        hosts = [
            [f"node{number:03d}", sum(host == number for host in self.host.values())]
            for number in range(1, self.hosts + 1)
        ]
        other = {
            "format": "scoopmpi trace 1", "command": self.command, "began": self.began,
            "versions": {"scoopmpi": "0.1.0", "python": "3.11.9", "mpi": "Open MPI 5.0.8",
                         "mpi4py": "4.1.1"},
            "allocation": {"manager": "slurm", "job": "123", "hosts": hosts, "ends": None},
        }  # fmt: skip
        return {"displayTimeUnit": "ms", "otherData": other, "traceEvents": events}

    def _totals(self, status: int) -> Event:
        functions = {}
        for name, known in self.functions.items():
            counted = Durations()
            for one in known["durations"]:
                counted.add(one)
            functions[name] = {key: value for key, value in known.items() if key != "durations"} | {
                "histogram": sorted([number, count] for number, count in counted.bins.items())
            }
        finished = sum(known["tasks"] for known in functions.values())
        return {
            "status": status,
            "totals": {"finished": finished},
            "functions": functions,
            "failures": self.failures,
            "coarsened": 0,
        }


def lognormal(count: int, median: float, spread: float = 0.3, seed: int = 1) -> list[float]:
    """Return durations as tasks have them: most alike, some much longer."""
    chance = random.Random(seed)
    return [median * chance.lognormvariate(0.0, spread) for _ in range(count)]


def small() -> Farm:
    """Return a run of 2 workers: two maps, a failure, time alone between them."""
    farm = Farm(workers=2, hosts=1).serial(0.4)
    farm.map("simulate", lognormal(60, 0.2), failed={17: "ValueError: no convergence"})
    farm.serial(0.8)
    return farm.map("fit", lognormal(400, 0.004, seed=2), batch=10)


def large(spans: int = 100_000, workers: int = 200, hosts: int = 10) -> Farm:
    """Return a run of many workers: a slow host, a long tail, failures, nested tasks, a loss."""
    farm = Farm(workers=workers, hosts=hosts, slow={min(4, hosts): 1.6}).serial(2.0)
    first = spans // 2
    wrong = dict.fromkeys(range(0, first, 97), "ValueError: singular matrix")
    wrong |= dict.fromkeys(range(5, first, 1009), "OSError: [Errno 28] No space left on device")
    farm.map("simulate", lognormal(first, 0.4), failed=wrong)
    farm.lose(workers // 2, tasks=2)
    farm.serial(6.0)
    farm.map("fit", lognormal(spans // 4, 0.05, 0.8, seed=2), batch=5, nested=True)
    tail = lognormal(spans - first - spans // 20, 0.3, seed=3)
    return farm.map("score", [*tail[:-3], 40.0, 38.0, 42.0])
