"""What a status file says, as a dictionary: this is its format. Numbers come from the tally.

Counts are integers, times seconds since 1970, each with a date beside it for who reads the file by
eye; what is not known is null. Lists are short, however large the run is, and say what is left out.
To change the meaning of a key is to raise the version in `replaced_file`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Any, NamedTuple

from ...program.scoop_options import STOPPED
from ..counted import Counts, Function, Held, Job, Worker
from ..estimate import Estimate
from ..tally import Tally
from .outlook import Outlook
from .replaced_file import FORMAT, VERSION

MOST_JOBS, MOST_FUNCTIONS, MOST_SLOWEST, MOST_HOSTS, MOST_FAILURES = 20, 20, 10, 64, 10
"""Entries of the lists."""
_TEXT = 200
"""Characters of an error."""


class About(NamedTuple):
    """Says what is known of a run before it begins.

    command: the program and its arguments. job, manager: of the batch system, None without one.
    host, pid: of rank 0. checkpoint: the file in which outcomes are kept.
    """

    command: str
    host: str
    pid: int
    job: str | None = None
    manager: str | None = None
    checkpoint: str | None = None


class Times(NamedTuple):
    """Turns moments of the tally's clock into seconds since 1970.

    now: by the tally's clock. written: the same moment, since 1970.
    """

    now: float
    written: float

    def epoch(self, moment: float) -> float:
        """Return a moment of the tally's clock in seconds since 1970."""
        return self.written - (self.now - moment)


def at(name: str, epoch: float | None) -> dict[str, Any]:
    """Return a moment under its name, and under that name with `_at` as a date."""
    if epoch is None:
        return {name: None, f"{name}_at": None}
    date = datetime.fromtimestamp(epoch).astimezone().isoformat(timespec="seconds")
    return {name: round(epoch, 3), f"{name}_at": date}


def head(run: About, times: Times, tally: Tally, every: float, stopped: bool) -> dict[str, Any]:
    """Return who writes, and how the run as a whole is.

    every: seconds between two files. stopped: whether it was stopped before the end of its job.
    """
    end = times.now if tally.ended is None else tally.ended
    return {
        "format": FORMAT,
        "version": VERSION,
        "state": _state(tally, stopped),
        "exit_status": tally.status,
        **at("written", times.written),
        "every": every,
        **at("began", times.epoch(tally.begun)),
        "seconds": round(end - tally.begun, 3),
        "command": run.command,
        "manager": run.manager,
        "job": run.job,
        "host": run.host,
        "pid": run.pid,
    }


def _state(tally: Tally, stopped: bool) -> str:
    if tally.ended is None:
        return "running"
    if stopped and tally.status == STOPPED:
        return "stopped"
    return "ended" if tally.status == 0 else "failed"


def counts(of: Counts) -> dict[str, int]:
    """Return what has become of tasks."""
    return {
        "done": of.done, "left": of.left, "running": of.running, "failed": of.failed + of.given_up,
        "retried": of.retried, "lost": of.lost, "recalled": of.recalled,
    }  # fmt: skip


def end(estimate: Estimate, outlook: Outlook, source: str | None) -> dict[str, Any]:
    """Return when the work ends and when the job does. source: what says the latter."""
    left = estimate.seconds
    return {
        "seconds_left": None if left is None else round(left, 1),
        **at("expected", outlook.expected),
        **at("job_ends", outlook.ends),
        "job_ends_by": source,
        "spare": None if outlook.spare is None else round(outlook.spare, 1),
        "hint": outlook.hint,
    }


def jobs(
    of: Iterable[Job],
    estimates: Mapping[int, Estimate | None],
    times: Times,
    paused: Container[int],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the open jobs, those with the most left first. paused: those that are held back."""
    ordered = sorted(of, key=lambda job: (job.kind == "nested", -job.counts.left, job.number))
    return [
        {**_job(job, estimates.get(job.number), times), "paused": job.number in paused}
        for job in ordered[:MOST_JOBS]
    ]


def opened(tally: Tally) -> list[Job]:
    """Return the open jobs; submitted calls count only while some have no outcome."""
    return [job for job in tally.jobs.values() if job.kind == "map" or job.counts.left]


def _job(job: Job, estimate: Estimate | None, times: Times) -> dict[str, Any]:
    left = None if estimate is None else estimate.seconds
    return {
        "job": job.number,
        "kind": job.kind,
        "function": job.name,
        "title": job.progress if isinstance(job.progress, str) else None,
        "size": job.size,
        "known": job.counts.known,
        **counts(job.counts),
        "pace": None if estimate is None else _pace(estimate.rate),
        "seconds_left": None if left is None else round(left, 1),
        **at("began", times.epoch(job.begun)),
    }


def functions(of: Iterable[Function]) -> list[dict[str, Any]]:
    """Return how long tasks of functions took, those with the most work first."""
    used = [each for each in of if each.counts.known or each.counts.finished]
    ordered = sorted(used, key=lambda each: -each.counts.seconds)
    return [
        {
            "function": each.name,
            "jobs": each.jobs,
            **counts(each.counts),
            "seconds": round(each.counts.seconds, 3),
            "median": _seconds(each, 0.5),
            "p95": _seconds(each, 0.95),
            "longest": round(each.durations.longest, 6) if each.durations.tasks else None,
            "highest_memory": each.peak or None,
        }
        for each in ordered[:MOST_FUNCTIONS]
    ]


def _seconds(function: Function, part: float) -> float | None:
    """Return the seconds that this part of a function's tasks did not exceed."""
    found = function.durations.quantile(part)
    return float(f"{found:.3g}") if function.durations.tasks else None


def running(workers: Iterable[Worker]) -> list[tuple[Worker, Held]]:
    """Return who runs something, and what."""
    return [(worker, held) for worker in workers if (held := worker.running()) is not None]


def slowest(of: Iterable[tuple[Worker, Held]], times: Times) -> list[dict[str, Any]]:
    """Return what has run longest of all that runs."""
    found = nsmallest(MOST_SLOWEST, of, key=lambda pair: pair[1].since - pair[1].spent)
    return [_running(worker, held, times) for worker, held in found]


def _running(worker: Worker, held: Held, times: Times) -> dict[str, Any]:
    function = held.function
    since = held.since - held.spent
    return {
        "function": function.name,
        "job": held.job.number,
        "index": held.start,
        "tasks": held.stop - held.start,
        "attempt": held.attempt,
        **at("since", times.epoch(since)),
        "seconds": round(times.now - since, 1),
        "usual": _seconds(function, 0.5),
        "rank": worker.rank,
        "host": worker.host,
        "pid": worker.pid,
    }


def failures(of: Iterable[Function]) -> list[dict[str, Any]]:
    """Return what tasks have raised, the most frequent first."""
    found = [(number, each.name, text) for each in of for text, number in each.errors.items()]
    found.sort(key=lambda one: -one[0])
    return [
        {"tasks": number, "function": name, "error": text[:_TEXT]}
        for number, name, text in found[:MOST_FAILURES]
    ]


def hosts(of: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return hosts; of too many those that are least busy, and those that have lost workers."""
    if len(of) <= MOST_HOSTS:
        return list(of)
    return sorted(of, key=lambda each: (-each["lost"], each["busy_last_minute"]))[:MOST_HOSTS]


def memory(rank0: tuple[int, int], of: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the bytes that rank 0 and workers take, and the most that they have taken.

    rank0: these two of rank 0. of: all hosts.
    """
    most = max(of, key=lambda each: int(each["highest"]), default=None)
    known = most is not None and most["highest"]
    return {
        "rank0": {"resident": rank0[0], "highest": rank0[1]},
        "workers": {
            "resident": sum(each["resident"] for each in of),
            "highest": most["highest"] if most and known else None,
            "highest_rank": most["highest_rank"] if most and known else None,
            "highest_host": most["host"] if most and known else None,
        },
    }


def _pace(rate: float) -> float:
    return float(f"{rate:.4g}")


def body(
    tally: Tally, estimate: Estimate, of_hosts: Sequence[dict[str, Any]], busy: int
) -> dict[str, Any]:
    """Return the totals over all jobs, those included that have ended. busy: workers now."""
    total = tally.total.without(tally.nested)
    more = estimate.more and tally.ended is None
    return {
        "tasks": {
            "known": total.known,
            "more": more,
            **counts(total),
            "dropped": total.dropped,
        },
        "nested": counts(tally.nested),
        "pace": _pace(estimate.rate),
        "workers": {
            "joined": len(tally.workers),
            "lost": sum(worker.lost for worker in tally.workers.values()),
            "busy": busy,
        },
        "open_jobs": len(opened(tally)),
        "all_functions": len(tally.functions),
        "all_hosts": len(of_hosts),
        "kept": tally.kept,
    }
