"""The parts of the page that are numbers and words: they need no JavaScript.

Each function makes one section out of the facts, or nothing where there is nothing to say.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from . import amounts
from .advice import SLOWER, advice
from .by_function import Function, nested, slowest
from .facts import Facts
from .markup import Heading, Markup, Text, bar, joined, name, short, shown, table
from .shares import ALONE, ENDING, LOST, RANK_0, STARTING, TAIL, WORKING

MOST_ROWS = 100
"""Rows of a table; the rest is told as a number."""
PARTS = (
    (WORKING, "working", "Working", "tasks ran, what they get and return being packed included"),
    (STARTING, "starting", "Starting", "before the worker took part"),
    (ALONE, "alone", "Waiting for the program", "no task anywhere: the program computed on rank 0"),
    (TAIL, "tail", "Waiting for the last tasks", "nothing queued while other workers had tasks"),
    (RANK_0, "rank-0", "Waiting for rank 0", "tasks were queued, and the worker had none"),
    (ENDING, "ending", "Ending", "behind the last task of all"),
    (LOST, "lost", "Lost", "by workers that died, from their last answer on"),
)
"""Of each share: its name, its colour, its title, and what it means."""


def section(title: str, *parts: str) -> str:
    """Return a section of the page; nothing where it has no parts."""
    if not any(parts):
        return ""
    return f"<section><h2>{shown(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: Text, kind: str = "muted") -> str:
    """Return a paragraph; nothing where there is no text."""
    return f'<p class="{kind}">{shown(text)}</p>' if text else ""


def head(facts: Facts) -> str:
    """Return the head of the page: which run this was, and its most important numbers."""
    run = facts.run
    began = run.about.get("began")
    when = time.strftime("%a %d %b %Y, %H:%M", time.localtime(began)) if began else ""
    host = "hosts" if len(run.hosts) != 1 else "host"
    where = f"{amounts.count(len(run.workers), 'worker')} on {len(run.hosts):,} {host}"
    parts = [when, amounts.duration(run.seconds), where, ended(facts)]
    recalled = ((run.end or {}).get("totals") or {}).get("recalled", 0)
    inner = facts.inner_tasks
    figures = [
        ("Efficiency", amounts.share(facts.shares.share(WORKING))),
        ("Run time", amounts.duration(run.seconds)),
        ("Tasks", amounts.count(facts.tasks)),
        ("Tasks of tasks", amounts.count(inner) if inner else ""),
        ("Failed", amounts.count(facts.failed)),
        ("Work in tasks", amounts.duration(sum(f.durations.seconds for f in facts.functions))),
        ("From the checkpoint", amounts.count(recalled) if recalled else ""),
        ("Workers", amounts.count(len(run.workers))),
        ("Peak memory", amounts.size(max((host.peak for host in facts.hosts), default=0))),
    ]
    boxes = "".join(
        f"<div><dt>{shown(name)}</dt><dd>{shown(value)}</dd></div>"
        for name, value in figures
        if value
    )
    note = "" if run.end is not None else paragraph(
        "This run was killed, or is not over: the trace has no end. Numbers are those of what is in"
        " it; tasks that ran then are not.", "note",
    )  # fmt: skip
    return (
        f"<header><h1>{shown(run.about.get('command') or 'A run')}</h1>"
        f'<div class="muted">{shown(" · ".join(filter(None, parts)))}</div>{note}'
        f'<dl class="figures">{boxes}</dl></header>'
    )


def ended(facts: Facts) -> str:
    """Return how a run has ended, in words."""
    if facts.run.end is None:
        return "its end is not known"
    status: int = facts.run.end.get("status", 0)
    with suppress(ValueError):
        return f"stopped by {signal.Signals(status - 128).name} (exit status {status})"
    return "ended well" if status == 0 else f"ended with exit status {status}"


def where_time_went(facts: Facts) -> str:
    """Return the section on what the workers' time was spent with."""
    total = facts.shares.total
    everything = float(total.sum())
    parts = "".join(
        f'<span style="width:{100 * total[which] / everything:.3f}%;'
        f'background:var(--{colour})"></span>'
        for which, colour, _, _ in PARTS if everything > 0
    )  # fmt: skip
    rows: list[Sequence[Text]] = [
        (
            joined(Markup(f'<span class="key" style="background:var(--{colour})"></span>'), title),
            amounts.share(float(total[which]), everything),
            amounts.duration(float(total[which])), meaning,
        )
        for which, colour, title, meaning in PARTS
    ]  # fmt: skip
    rows.append(("All", "100 %", amounts.duration(everything), "run time × workers"))
    heads = (Heading(""), Heading("Share", "n"), Heading("Worker time", "n"), Heading("What it is"))
    return section(
        "Where the workers’ time went", f'<div class="parts" aria-hidden="true">{parts}</div>',
        table("Where the workers’ time went", heads, rows),
    )  # fmt: skip


def what_would_help(facts: Facts) -> str:
    """Return the section with advice."""
    found = advice(facts)
    items = "".join(f"<li><h3>{shown(x.title)}</h3><p>{shown(x.text)}</p></li>" for x in found)
    nothing = (
        f"Nothing stands out: workers spent {amounts.share(facts.shares.share(WORKING))} of their"
        " time in tasks."
    )
    if not found and not facts.tasks:
        return ""
    said = f'<ul class="advice">{items}</ul>' if found else paragraph(nothing)
    return section("What would make it faster", said)


def by_function(facts: Facts, chart: str) -> str:
    """Return the section on durations. chart: the place of the histogram."""
    own = _functions("Durations by function", facts.functions)
    inner = nested(facts.run)
    below = ""
    if inner:
        text = (
            "Tasks of tasks that ran inside the task that made them, as far as the trace has them:"
        )
        below = paragraph(text) + _functions("Durations of tasks of tasks", inner)
    killed = facts.run.end is None and facts.functions
    note = "Tasks of one batch count as equally long, as this run was killed." if killed else ""
    if not own:
        return section("How long tasks took", paragraph("No task has run to its end."))
    return section("How long tasks took", own, paragraph(note), chart, below)


def _functions(title: str, found: Sequence[Function]) -> str:
    heads = [Heading("Function"), *(Heading(name, "n") for name in (
        "Tasks", "Failed", "Median", "95 %", "99 %", "Longest", "Total", "Memory"
    ))]  # fmt: skip
    rows: list[Sequence[Text]] = []
    for each in found[:MOST_ROWS]:
        times = [each.durations.quantile(share) for share in (0.5, 0.95, 0.99)]
        rows.append((
            name(each.name), amounts.count(each.durations.tasks), amounts.count(each.failed),
            *map(amounts.duration, [*times, each.durations.longest, each.durations.seconds]),
            amounts.size(each.peak) or "–",
        ))  # fmt: skip
    return (table(title, heads, rows) if rows else "") + not_shown(len(found))


def not_shown(many: int, what: str = "further function") -> str:
    """Return how many rows a table has left out. many: that there are. what: one of them."""
    left = many - MOST_ROWS
    return paragraph(f"{amounts.count(left, what)} not shown.") if left > 0 else ""


def slow_tasks(facts: Facts) -> str:
    """Return the section on the slowest tasks."""
    found = slowest(facts.functions)
    hosts = {worker.rank: worker.host for worker in facts.run.workers}
    usual = {each.name: each.durations.quantile(0.5) for each in facts.functions}
    heads = [
        Heading("Task"), Heading("Function"), Heading("Of"), Heading("Took", "n"),
        Heading("Times its median", "n"), Heading("Began at", "n"), Heading("Worker", "n"),
        Heading("Host"),
    ]  # fmt: skip
    rows = [
        (
            str(task.index), name(task.function), short(facts.job_name(task.job)),
            amounts.duration(task.seconds),
            amounts.digits(task.seconds / max(usual[task.function], 1e-9)),
            "–" if task.began is None else amounts.duration(task.began), str(task.worker),
            hosts.get(task.worker, ""),
        )
        for task in found
    ]  # fmt: skip
    if not rows:
        return ""
    note = "Tasks that were alone in their batch; Task is the index in its map, from 0 on."
    return section("The slowest tasks", table("The slowest tasks", heads, rows), paragraph(note))


def hosts(facts: Facts) -> str:
    """Return the section that has hosts side by side."""
    known = sorted(facts.hosts, key=lambda host: -(host.pace or 0)) if (
        len(facts.hosts) > MOST_ROWS
    ) else facts.hosts  # fmt: skip
    heads = [Heading("Host"), *(Heading(name, "n") for name in (
        "Workers", "Lost", "Tasks", "Failed", "Working", "Tasks take", "Highest memory"
    ))]  # fmt: skip
    rows = []
    for host in known[:MOST_ROWS]:
        pace: Text = "–"
        if host.pace is not None:
            pace = f"× {amounts.digits(host.pace)}"
            if host.pace >= SLOWER:
                pace = Markup(f'<span class="stands-out">{pace}</span>')
        rows.append((
            short(host.name), amounts.count(host.workers), amounts.count(host.lost),
            amounts.count(host.tasks), amounts.count(host.failed),
            joined(amounts.share(host.busy), bar(host.busy)), pace, amounts.size(host.peak) or "–",
        ))  # fmt: skip
    if not rows:
        return ""
    note = "Highest memory: of one worker."
    if any(host.pace is not None for host in facts.hosts):
        note = (
            "Tasks take: the median duration, against tasks of the same functions on all other"
            f" hosts; × 1.2 is a fifth longer. {note}"
        )
    left = not_shown(len(known), "further host")
    return section("Hosts", table("Hosts", heads, rows), left, paragraph(note))
