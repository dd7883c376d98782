"""The parts of the page that say what happened, and in which surroundings: losses, failures, jobs.

Each function makes one section out of the facts, as those in `sections` do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ..trace import form
from . import amounts
from .facts import Facts
from .markup import Heading, Text, code, name, short, table
from .run import Job
from .sections import MOST_ROWS, ended, not_shown, paragraph, section


def losses(facts: Facts) -> str:
    """Return the section on workers that died, and tasks that were tried again."""
    found = [mark for mark in facts.run.marks if mark.kind in (form.LOSS, form.STOP)]
    by_rank = {worker.rank: worker for worker in facts.run.workers}
    heads = [
        Heading("At", "n"), Heading("What"), Heading("Worker", "n"), Heading("Host"), Heading("Of"),
        Heading("First task", "n"), Heading("Tasks", "n"), Heading("Attempt", "n"),
    ]  # fmt: skip
    rows = []
    for mark in found[:MOST_ROWS]:
        args = mark.args
        worker = by_rank.get(args.get("worker", -1))
        late = " (its task had outlived its limit)" if args.get("late") else ""
        rows.append((
            amounts.duration(mark.at), short(mark.name, 80) + late, str(args.get("worker", "–")),
            worker.host if worker else "–",
            short(facts.job_name(args["job"])) if args.get("job") is not None else "–",
            *(str(args.get(name, "–")) for name in ("start", "tasks", "attempt")),
        ))  # fmt: skip
    again = _tried_again(facts)
    if not rows and not again:
        return section("Losses and retries", paragraph("No worker died, no task was tried again."))
    shown_rows = table("Losses", heads, rows) if rows else ""
    return section(
        "Losses and retries", shown_rows, not_shown(len(found), "further event"), paragraph(again)
    )


def _tried_again(facts: Facts) -> str:
    tasks: Counter[int] = Counter()
    for mark in facts.run.marks:
        if mark.kind == form.RETRY:
            tasks[mark.args.get("job", 0)] += mark.args.get("tasks", 0)
    parts = [
        f"{amounts.count(many, 'task')} of {short(facts.job_name(job))}"
        for job, many in tasks.most_common() if many
    ]  # fmt: skip
    return f"Tried again: {amounts.some(parts, 20)}." if parts else ""


def failures(facts: Facts) -> str:
    """Return the section on tasks that raised, by message."""
    known = sorted((facts.run.end or {}).get("failures") or [], key=lambda each: -each[0])
    heads = [Heading("Tasks", "n"), Heading("Function"), Heading("What they raised", "wide")]
    rows = [
        (amounts.count(count), name(str(function)), code(str(text)))
        for count, function, text in known[:MOST_ROWS]
    ]
    if not rows:
        told = (
            f"{amounts.count(facts.failed, 'task')} failed; what they raised is not in the trace."
        )
        return section("Failures", paragraph(told if facts.failed else "No task failed."))
    told = sum(count for count, _, _ in known)
    rest = (
        f"{amounts.count(facts.failed - told)} more failed, with messages that are not kept."
        if facts.failed > told
        else ""
    )
    left = not_shown(len(known), "further message")
    return section("Failures", table("Failures", heads, rows), left, paragraph(rest))


def maps(facts: Facts) -> str:
    """Return the section on jobs: maps, submitted calls; those of a function as one, if many."""
    jobs = sorted(facts.run.jobs.values(), key=lambda job: job.began)
    ran = _ran(facts)
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        function = job.name.partition(" of ")[2]
        groups.setdefault(function if len(jobs) > MOST_ROWS else str(job.number), []).append(job)
    heads = [Heading("Job"), *(Heading(name, "n") for name in ("Tasks", "Ran", "Began at", "Took"))]
    rows = [_of_jobs(group, ran) for group in list(groups.values())[:MOST_ROWS]]
    if not rows:
        return ""
    left_out = ((facts.run.end or {}).get("left_out") or {}).get(form.JOB, 0)
    left = not_shown(len(groups) + left_out, "further job")
    return section("Maps and calls", table("Maps and calls", heads, rows), left)


def _of_jobs(jobs: list[Job], ran: Mapping[int, int]) -> Sequence[Text]:
    """Return the row of one job, or of several of one function. ran: tasks by job."""
    title, first = short(jobs[0].name), jobs[0].began
    took = [job.ended - job.began for job in jobs if job.ended is not None]
    said = amounts.duration(sum(took)) if took else "–"
    if len(jobs) > 1:
        title = f"{amounts.count(len(jobs), 'map')} of {short(jobs[0].name.partition(' of ')[2])}"
        said += " in all"
    sizes = [job.size for job in jobs if job.size is not None]
    size = amounts.count(sum(sizes)) if sizes else "–"
    done = amounts.count(sum(ran.get(job.number, 0) for job in jobs))
    return title, size, done, amounts.duration(first), said


def _ran(facts: Facts) -> dict[int, int]:
    """Return how many tasks of each job have run."""
    spans = facts.run.spans
    jobs, places = np.unique(spans.job, return_inverse=True)
    tasks = np.bincount(places, spans.tasks, minlength=len(jobs))
    return dict(zip(jobs.tolist(), map(int, tasks), strict=True))


def the_run(facts: Facts) -> str:
    """Return the section on the command, the versions and the allocation."""
    about = facts.run.about
    versions, given = about.get("versions") or {}, about.get("allocation") or {}
    began = about.get("began")
    rows: list[Sequence[Text]] = [("Command", code(str(about.get("command", ""))))]
    if began:
        rows.append(("Began", _moment(began)))
        rows.append(("Last event", _moment(began + facts.run.seconds)))
    rows.append(("End", ended(facts)))
    rows += [
        (str(what), str(version).split(", ")[0]) for what, version in versions.items() if version
    ]
    if given.get("manager"):
        job = f", job {given['job']}" if given.get("job") else ""
        rows.append(("Batch system", f"{given['manager']}{job}"))
    if ends := (facts.run.end or {}).get("ends"):
        rows.append(("The job’s time was over at", _moment(ends)))
    rows.append(("Rank 0", facts.run.rank_0))
    names = [f"{host} ({many})" for host, many in given.get("hosts") or []]
    rows.append(("Hosts (workers)", amounts.some(names or facts.run.hosts, 50)))
    seconds = (facts.run.end or {}).get("coarsened")
    if seconds:
        text = f"spans of up to {amounts.duration(seconds)} are one; totals are exact"
        rows.append(("The trace is coarse", text))
    heads = (Heading("What"), Heading("", "wide"))
    return section("The run", table("The run", heads, rows))


def _moment(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))
