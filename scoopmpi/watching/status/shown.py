"""A status file in lines for a person, at 80 columns: plain text, marked where it is to stand out.

From what the file says and the time alone; whether rank 0 still runs is looked at by who calls.
Names come from a file that anybody may have written: signs that move a cursor are left out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from . import words

WIDTH = 80
_MOST_JOBS, _MOST_SLOWEST, _MOST_HOSTS, _MOST_FAILURES, _MOST_LOSSES = 8, 6, 12, 5, 5
_LATE = 30.0
"""Seconds without a new file, beyond those in which there has to be one: then it is stale."""

_SLOW = 3
"""A task that runs so many times longer than half of its like stands out."""

GOOD, BAD, PLAIN, STRONG = "good", "bad", "", "strong"
"""How a line is marked."""


class Line(NamedTuple):
    """One line, and how it is marked."""

    text: str
    mark: str = PLAIN


def age(said: Mapping[str, Any], now: float) -> float:
    """Return how many seconds ago a file was written, by its own time."""
    return max(now - _number(said, "written"), 0.0)


def stale(said: Mapping[str, Any], now: float, gone: bool = False) -> bool:
    """True where a file says that the run goes on, and nothing writes it any more.

    gone: True where rank 0's process is known not to be there.
    """
    if said.get("state") != "running":
        return False
    return gone or age(said, now) > (_number(said, "every") or 10.0) + _LATE


def lines(said: Mapping[str, Any], now: float, gone: bool = False) -> list[Line]:
    """Return the lines for a file. gone: True where rank 0's process is not there any more."""
    found = list(_head(said, now, gone))
    for part in (_work, _jobs, _slowest, _hosts, _memory, _failures, _losses):
        found += list(part(said, now))
    return [Line(line.text[:_FAR].rstrip(), line.mark) for line in found]


_FAR = 400
"""Characters of a line, whatever a file says."""


def _head(said: Mapping[str, Any], now: float, gone: bool) -> Iterator[Line]:
    state, status = said.get("state"), said.get("exit_status")
    text = {"running": "running", "ended": "ended well"}.get(str(state), f"failed, status {status}")
    took = words.duration(_number(said, "seconds"))
    mark = {"running": STRONG, "ended": GOOD}.get(str(state), BAD)
    yield Line(f"{_plain(said.get('command')) or 'the program'}: {text}, {took}", mark)
    job = f"job {_plain(said['job'])} of {_plain(said.get('manager'))}, " if said.get("job") else ""
    where = f"rank 0 is process {said.get('pid')} on {_plain(said.get('host'))}"
    began = words.moment(_number(said, "began"), now)
    yield Line(f"  {job}{where}, began {began}")
    old = words.duration(age(said, now))
    if stale(said, now, gone):
        why = "rank 0 is not there any more" if gone else (
            "rank 0 is not there any more, or cannot write"
        )  # fmt: skip
        yield Line(f"  written {old} ago: {why}", BAD)
    elif state == "running":
        yield Line(f"  written {old} ago")


def _work(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    tasks = _part(said, "tasks")
    known, more = tasks.get("known", 0), "or more " if tasks.get("more") else ""
    parts = [f"{tasks.get('done', 0)} of {known} {more}tasks done"]
    parts += [f"{tasks.get('running', 0)} at workers"] if tasks.get("running") else []
    for name, text in (
        ("failed", "failed"), ("retried", "tried again"), ("lost", "lost with workers"),
        ("recalled", "from the checkpoint"),
    ):  # fmt: skip
        parts += [f"{tasks[name]} {text}"] if tasks.get(name) else []
    yield Line("")
    yield from _wrapped("Tasks    ", ", ".join(parts), BAD if tasks.get("failed") else PLAIN)
    workers = _part(said, "workers")
    running = said.get("state") == "running"
    lost = f", {workers['lost']} lost" if workers.get("lost") else ""
    alive = workers.get("joined", 0) - workers.get("lost", 0)
    busy = f", {workers.get('busy', 0)} busy" if running else ""
    yield Line(f"Workers  {alive}{busy}{lost}", BAD if lost else PLAIN)
    if running:
        yield from _ends(said, now)


def _ends(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    end, pace = _part(said, "end"), _number(said, "pace")
    text = f"{words.rate(pace)} of late" if pace else "no task has ended of late"
    if end.get("seconds_left") is not None and end.get("expected"):
        left = max(_number(end, "expected") - now, 0.0)
        text += f"; {words.duration(left)} left, until {words.moment(end['expected'], now)}"
    yield Line(f"Pace     {text}")
    if end.get("job_ends"):
        left = _number(end, "job_ends") - now
        ends = f"{words.moment(end['job_ends'], now)}, in {words.duration(left)}"
        if left < 0:
            ends = f"{words.moment(end['job_ends'], now)}, {words.duration(-left)} ago"
        yield Line(f"Job ends {ends} ({_plain(end.get('job_ends_by'))})")
    if end.get("hint"):
        yield from _wrapped("         ", _plain(end["hint"]), BAD)


def _jobs(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    jobs = _parts(said, "jobs") if said.get("state") == "running" else []
    if not jobs:
        return
    yield from _heading("Open maps and calls", len(jobs), said.get("open_jobs"), _MOST_JOBS)
    for each in jobs[:_MOST_JOBS]:
        known = each.get("size") is not None or each.get("kind") == "calls"
        size = each.get("known") if known else "?"
        name = _plain(each.get("title") or each.get("function"))
        title = name if each.get("kind") == "map" else f"{name} ({_plain(each.get('kind'))})"
        text = f"  {_short(title, 34):34} {each.get('done', 0)}/{size}"
        if each.get("failed"):
            text += f", {each['failed']} failed"
        if each.get("seconds_left") is not None:
            text += f", {words.duration(_number(each, 'seconds_left'))} left"
        yield Line(text)


def _slowest(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    found = _parts(said, "slowest_running") if said.get("state") == "running" else []
    if not found:
        return
    yield from _heading("Running for the longest time", 0, None, 0)
    yield Line(f"  {'task':32} {'since':>11} {'usually':>10}  where")
    for each in found[:_MOST_SLOWEST]:
        tasks, usual = each.get("tasks", 1), _number(each, "usual")
        more = "" if tasks == 1 else f" and {tasks - 1} more"
        seconds = _number(each, "seconds")
        name = f"{_short(_plain(each.get('function')), 18)} {each.get('index')}{more}"
        usually = words.duration(usual) if usual else ""
        where = f"rank {each.get('rank')} on {_short(_plain(each.get('host')), 12)}"
        yield Line(
            f"  {name:32} {words.duration(seconds):>11} {usually:>10}  {where}",
            BAD if tasks == 1 and 0 < usual * _SLOW < seconds else PLAIN,
        )


def _hosts(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    hosts = _parts(said, "hosts")
    if not hosts:
        return
    yield from _heading("Hosts", len(hosts), said.get("all_hosts"), _MOST_HOSTS)
    yield Line("  host                 workers   busy: last minute, in all   highest memory")
    for each in hosts[:_MOST_HOSTS]:
        lost = f" (-{each['lost']})" if each.get("lost") else ""
        highest = _number(each, "highest")
        most = f"{words.memory(highest)}, rank {each.get('highest_rank')}" if highest else ""
        yield Line(
            f"  {_short(_plain(each.get('host')), 20):20} {each.get('workers', 0)!s:>7}{lost:6}"
            f" {words.share(_number(each, 'busy_last_minute')):>14}"
            f" {words.share(_number(each, 'busy')):>9}   {most:>14}",
            BAD if lost else PLAIN,
        )


def _memory(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    memory = _part(said, "memory")
    rank0, workers = _part(memory, "rank0"), _part(memory, "workers")
    text = f"rank 0 {words.memory(_number(rank0, 'highest'))} at most"
    if workers.get("highest"):
        where = f"rank {workers.get('highest_rank')} on {_plain(workers.get('highest_host'))}"
        text += f", a worker {words.memory(_number(workers, 'highest'))} ({where})"
    yield Line("")
    yield from _wrapped("Memory   ", text, PLAIN)


def _failures(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    found = _parts(said, "failures")
    if not found:
        return
    yield from _heading("What tasks raised", 0, None, 0)
    for each in found[:_MOST_FAILURES]:
        text = f"{each.get('tasks')} of {_plain(each.get('function'))}: {_plain(each.get('error'))}"
        yield from _wrapped("  ", _short(text, 3 * WIDTH), BAD)


def _losses(said: Mapping[str, Any], now: float) -> Iterator[Line]:
    found = _parts(said, "losses")
    if not found:
        return
    yield from _heading("Workers that have died", 0, None, 0)
    for each in found[-_MOST_LOSSES:]:
        when = words.moment(_number(each, "at"), now)
        number = each.get("tasks", 0)
        tasks = "" if not number else f", with {number} task{'s' if number != 1 else ''}"
        yield Line(f"  {when} rank {each.get('rank')} on {_plain(each.get('host'))}{tasks}", BAD)


# Parts of a file, whatever is in them.


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _parts(said: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = said.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _number(said: Mapping[str, Any], name: str) -> float:
    found = said.get(name)
    return float(found) if isinstance(found, int | float) else 0.0


def _heading(text: str, listed: int, there: Any, shown: int) -> Iterator[Line]:
    more = max(int(there or 0), listed) - shown
    yield Line("")
    yield Line(f"{text} ({shown} of {shown + more})" if shown and more > 0 else text, STRONG)


def _wrapped(first: str, text: str, mark: str) -> Iterator[Line]:
    further = " " * len(first)
    for line in textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_on_hyphens=False
    ):
        yield Line(line, mark)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _plain(text: Any) -> str:
    shown = "" if text is None else str(text)
    return "".join(letter if letter.isprintable() else " " for letter in shown).strip()
