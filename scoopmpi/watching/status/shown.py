"""A status file in lines for a person, at 80 columns: plain text, marked where it is to stand out.

From what the file says and the time alone; whether rank 0 still runs is looked at by who calls.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from . import words
from .part import Part

WIDTH = 80
_MOST_JOBS, _MOST_SLOWEST, _MOST_HOSTS, _MOST_FAILURES, _MOST_LOSSES = 8, 6, 12, 5, 5
_LATE = 30.0
"""Seconds without a new file, beyond those in which there has to be one: then it is stale."""
_SLOW = 3
"""A task that runs so many times longer than half of its like stands out."""
_STATES = {
    "running": "running", "ended": "ended well", "stopped": "stopped before the end of its job",
}  # fmt: skip

GOOD, BAD, PLAIN, STRONG = "good", "bad", "", "strong"
"""How a line is marked."""


class Line(NamedTuple):
    """One line, and how it is marked."""

    text: str
    mark: str = PLAIN


def stale(said: Mapping[str, Any], now: float, gone: bool = False) -> bool:
    """True where a file says that the run goes on, and nothing writes it any more.

    gone: True where rank 0's process is known not to be there.
    """
    file = Part(said)
    if file.text("state") != "running":
        return False
    return gone or _age(file, now) > (file.number("every") or 10.0) + _LATE


def lines(said: Mapping[str, Any], now: float, gone: bool = False) -> list[Line]:
    """Return the lines for a file.

    now: seconds since 1970. gone: True where rank 0's process is not there any more.
    """
    file, found = Part(said), list(_head(Part(said), now, gone, stale(said, now, gone)))
    for part in (_work, _jobs, _slowest, _hosts, _memory, _failures, _losses):
        found += part(file, now)
    return [Line(line.text.rstrip(), line.mark) for line in found]


def _age(file: Part, now: float) -> float:
    return max(now - file.number("written"), 0.0)


def _runs(file: Part) -> bool:
    return file.text("state") == "running"


def _head(file: Part, now: float, gone: bool, late: bool) -> Iterator[Line]:
    state = file.text("state")
    how = _STATES.get(state, f"failed, status {file.count('exit_status')}")
    mark = {"running": STRONG, "ended": GOOD}.get(state, BAD)
    took = words.duration(file.number("seconds"))
    yield from _wrapped("", f"{file.text('command', 300) or 'the program'}: {how}, {took}", mark)
    job = f"job {file.text('job')} of {file.text('manager')}, " if file.has("job") else ""
    where = f"rank 0 is process {file.count('pid')} on {file.text('host')}"
    began = words.moment(file.number("began"), now)
    yield from _wrapped("  ", f"{job}{where}, began {began}")
    old = f"  written {words.duration(_age(file, now))} ago"
    if late:
        why = "rank 0 is not there any more" + ("" if gone else ", or cannot write")
        yield Line(f"{old}: {why}", BAD)
    elif _runs(file):
        yield Line(old)


def _work(file: Part, now: float) -> Iterator[Line]:
    tasks, workers, stopped = file.part("tasks"), file.part("workers"), file.part("stopped")
    more = "or more " if tasks.count("more") else ""
    known = tasks.count("known") + tasks.count("dropped")
    parts = [f"{tasks.count('done')} of {known} {more}tasks done"]
    at_workers = tasks.count("running") if _runs(file) else 0
    parts += [f"{at_workers} at workers"] if at_workers else []
    for name, text in (
        ("failed", "failed"), ("retried", "tried again"), ("lost", "lost with workers"),
        ("recalled", "from the checkpoint"),
    ):  # fmt: skip
        parts += [f"{tasks.count(name)} {text}"] if tasks.count(name) else []
    if stopped:
        before = words.duration(stopped.number("before_end"))
        parts += [f"{stopped.count('left')} left, {before} before the end of the job"]
    elif tasks.count("dropped"):
        parts += [f"{tasks.count('dropped')} dropped with their maps"]
    yield Line("")
    yield from _wrapped("Tasks    ", ", ".join(parts), BAD if tasks.count("failed") else PLAIN)
    lost = workers.count("lost")
    text = f"Workers  {workers.count('joined') - lost}"
    text += f", {workers.count('busy')} busy" if _runs(file) else ""
    yield Line(f"{text}, {lost} lost" if lost else text, BAD if lost else PLAIN)
    if _runs(file):
        yield from _ends(file, now)


def _ends(file: Part, now: float) -> Iterator[Line]:
    end, pace = file.part("end"), file.number("pace")
    text = f"{words.rate(pace)} of late" if pace else "no task has ended of late"
    if end.has("seconds_left") and end.has("expected"):
        expected = end.number("expected")
        left = words.duration(max(expected - now, 0.0))
        text += f"; {left} left, until {words.moment(expected, now)}"
    yield Line(f"Pace     {text}")
    if end.has("job_ends"):
        at = end.number("job_ends")
        left = f"in {words.duration(at - now)}" if at >= now else f"{words.duration(now - at)} ago"
        yield Line(f"Job ends {words.moment(at, now)}, {left} ({end.text('job_ends_by', 30)})")
    if end.has("hint"):
        yield from _wrapped(" " * 9, end.text("hint"), BAD)


def _jobs(file: Part, now: float) -> Iterator[Line]:
    jobs = file.parts("jobs") if _runs(file) else []
    if not jobs:
        return
    yield from _heading("Open maps and calls", max(file.count("open_jobs"), len(jobs)), _MOST_JOBS)
    for job in jobs[:_MOST_JOBS]:
        kind = job.text("kind", 10)
        size = job.count("known") if job.has("size") or kind == "calls" else "?"
        name = job.text("title", 32) or job.text("function", 32)
        title = name if kind == "map" else f"{name} ({kind})"
        text = f"  {title:34} {job.count('done')}/{size}"
        text += f", {job.count('failed')} failed" if job.count("failed") else ""
        if job.count("paused"):
            text += ", held back"
        elif job.has("seconds_left"):
            text += f", {words.duration(job.number('seconds_left'))} left"
        yield Line(text)


def _slowest(file: Part, now: float) -> Iterator[Line]:
    found = file.parts("slowest_running") if _runs(file) else []
    if not found:
        return
    yield from _heading("Running for the longest time")
    yield Line(f"  {'task':32} {'since':>11} {'usually':>11}  where")
    for task in found[:_MOST_SLOWEST]:
        seconds, usual = task.number("seconds"), task.number("usual")
        others = task.count("tasks") - 1
        more = f" and {others} more" if others > 0 else ""
        name = f"{task.text('function', 18)} {task.count('index')}{more}"
        usually = words.duration(usual) if usual else ""
        where = f"rank {task.count('rank')} on {task.text('host', 10)}"
        slow = others <= 0 and 0 < usual * _SLOW < seconds
        yield Line(
            f"  {name:32} {words.duration(seconds):>11} {usually:>11}  {where}",
            BAD if slow else PLAIN,
        )


def _hosts(file: Part, now: float) -> Iterator[Line]:
    hosts = file.parts("hosts")
    if not hosts:
        return
    yield from _heading("Hosts", max(file.count("all_hosts"), len(hosts)), _MOST_HOSTS)
    yield Line("  host                 workers   busy: last minute, in all   highest memory")
    for host in hosts[:_MOST_HOSTS]:
        lost = f" (-{host.count('lost')})" if host.count("lost") else ""
        highest = host.number("highest")
        most = f"{words.memory(highest)}, rank {host.count('highest_rank')}" if highest else ""
        minute, whole = words.share(host.number("busy_last_minute")), host.number("busy")
        yield Line(
            f"  {host.text('host', 20):20} {host.count('workers'):>7}{lost:6}"
            f" {minute:>14} {words.share(whole):>9}   {most:>14}",
            BAD if lost else PLAIN,
        )


def _memory(file: Part, now: float) -> Iterator[Line]:
    memory = file.part("memory")
    rank0, workers = memory.part("rank0"), memory.part("workers")
    text = f"rank 0 {words.memory(rank0.number('highest'))} at most"
    if workers.count("highest"):
        where = f"rank {workers.count('highest_rank')} on {workers.text('highest_host')}"
        text += f", a worker {words.memory(workers.number('highest'))} ({where})"
    yield Line("")
    yield from _wrapped("Memory   ", text)


def _failures(file: Part, now: float) -> Iterator[Line]:
    found = file.parts("failures")
    if found:
        yield from _heading("What tasks raised")
    for each in found[:_MOST_FAILURES]:
        text = f"{each.count('tasks')} of {each.text('function', 60)}: {each.text('error', 150)}"
        yield from _wrapped("  ", text, BAD)


def _losses(file: Part, now: float) -> Iterator[Line]:
    found = file.parts("losses")
    if found:
        yield from _heading("Workers that have died")
    for each in found[-_MOST_LOSSES:]:
        number, when = each.count("tasks"), words.moment(each.number("died"), now)
        tasks = f", with {number} task{'s' if number != 1 else ''}" if number else ""
        yield Line(f"  {when} rank {each.count('rank')} on {each.text('host', 30)}{tasks}", BAD)


def _heading(text: str, there: int = 0, shown: int = 0) -> Iterator[Line]:
    """Yield a heading. there: as many as there are, shown: of which so many are shown at most."""
    yield Line("")
    yield Line(f"{text} ({shown} of {there})" if there > shown else text, STRONG)


def _wrapped(first: str, text: str, mark: str = PLAIN) -> Iterator[Line]:
    further = " " * len(first)
    for line in textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_on_hyphens=False
    ):
        yield Line(line, mark)
