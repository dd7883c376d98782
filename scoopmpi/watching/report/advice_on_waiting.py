"""Rules of advice on workers that wait: at the end of maps, for rank 0, for the program.

Each rule is a function of the facts, with a threshold and its reason; silent where it does not
hold. Of tail, few tasks and many ends one speaks at most: all three are workers without tasks while
others have some.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from . import amounts
from .by_function import Function
from .curves import worked
from .facts import Facts
from .finding import Finding
from .markup import short
from .run import Job, Spans
from .shares import ALONE, ENDING, RANK_0, TAIL, unbegun

WAITING_SHARE = 0.05
"""Of worker time: what is less is lost in the differences between two runs."""
SERIAL_SHARE = 0.1
"""Of the run: below that ten times the workers still help."""
LONG = 2.0
"""Times the median of its function: tasks differ by less without being others in kind."""
SHORT = 0.005
"""A task below that is near what handing it over costs, with its arguments and its value."""
MEANT = 0.05
"""What a task should take that is made of several short ones: a tenth of it is above the cost."""
BUSY_LOAD = 60.0
"""Percent of a core at which rank 0 counts as busy: the rest is the program, and the system."""


@dataclass(slots=True)
class End:
    """A time when nothing was queued, and some workers had nothing while others worked.

    idle: worker seconds without work in it.
    """

    began: float
    ended: float
    idle: float


def ends(facts: Facts) -> list[End]:
    """Return the times when only the last tasks ran, that first in which most was idle."""
    periods = facts.shares.periods
    is_tail = periods.state == TAIL
    begins, stops = periods.times[:-1][is_tail], periods.times[1:][is_tail]
    spans = facts.run.spans
    work = worked(spans, stops) - worked(spans, begins)
    idle = len(facts.run.workers) * (stops - begins) - work
    rows = zip(begins.tolist(), stops.tolist(), idle.tolist(), strict=True)
    return sorted((End(*row) for row in rows), key=lambda end: -end.idle)


def _longest_end(facts: Facts) -> tuple[End, Spans, Job | None] | None:
    """Return the end that costs most, what ran in its middle, and the job of that.

    None where ends cost little, or are many.
    """
    if facts.shares.share(TAIL) < WAITING_SHARE:
        return None
    found = ends(facts)
    if not found or 2 * found[0].idle < sum(end.idle for end in found):
        return None
    middle = (found[0].began + found[0].ended) / 2
    spans = facts.run.spans
    spans = spans.chosen((spans.began <= middle) & (spans.ended > middle))
    if not len(spans):
        return None
    jobs = np.unique(spans.job)
    return found[0], spans, facts.run.jobs.get(int(jobs[0])) if len(jobs) == 1 else None


def tail(facts: Facts) -> Finding | None:
    """The last tasks of a map, while most workers have nothing more to do."""
    found = _longest_end(facts)
    if found is None or _few(found[2], facts):
        return None
    end, spans, job = found
    workers = sum(each.lost is None or each.lost > end.began for each in facts.run.workers)
    idle = workers - len(np.unique(spans.row))
    share = facts.shares.share(TAIL)
    many, long = _last_tasks(spans), _longer(spans, facts)
    text = (
        f"At the end of {short(job.name) if job else 'the run'}, {many} ran while {idle:,} of"
        f" {workers:,} workers had nothing to do. Workers waited like that for"
        f" {amounts.share(share)} of their time. "
    )
    if long >= LONG:
        text += (
            f"{'They' if len(spans) > 1 else 'It'} took {amounts.digits(long)} times as long as"
            " the function does by the median: start the long ones first, by sorting the"
            " arguments, or split them."
        )
    else:
        text += (
            "They are no longer than others: tasks are few for so many workers. Make them smaller,"
            " or have other maps run meanwhile (submit, or map_as_completed)."
        )
    return Finding("The last tasks keep all others waiting", text, share)


def _last_tasks(spans: Spans) -> str:
    """Return which tasks spans are: `3 tasks of score (17, 40 and 41; 38 to 42 s)`."""
    length = spans.ended - spans.began
    order = np.argsort(-length)
    names = [
        f"{spans.start[place]:,}" if spans.tasks[place] <= 1
        else f"{spans.start[place]:,} to {spans.start[place] + spans.tasks[place] - 1:,}"
        for place in order
    ]  # fmt: skip
    single = int(spans.tasks.max()) <= 1
    what = amounts.count(len(spans), *(("task",) if single else ("batch", "batches")))
    least, most = amounts.duration(float(length.min())), amounts.duration(float(length.max()))
    times = most if least == most else f"{least} to {most}"
    index = "index" if len(spans) == 1 and single else "indices"
    return f"{what} ({index} {amounts.some(names)}; {times})"


def _longer(spans: Spans, facts: Facts) -> float:
    """Return how many times as long as others of their function tasks take, by their median."""
    usual = {each.name: each.durations.quantile(0.5) for each in facts.functions}
    ratios = [
        float(spans.busy[place]) / max(int(spans.tasks[place]), 1)
        / max(usual.get(facts.run.functions[spans.function[place]], 0.0), 1e-9)
        for place in range(len(spans))
    ]  # fmt: skip
    return float(np.median(ratios))


def _few(job: Job | None, facts: Facts) -> bool:
    return job is not None and job.size is not None and job.size < len(facts.run.workers)


def few_tasks(facts: Facts) -> Finding | None:
    """A map with fewer tasks than there are workers."""
    found = _longest_end(facts)
    if found is None or not _few(found[2], facts):
        return None
    end, _, job = found
    workers = len(facts.run.workers)
    name, size = (short(job.name), job.size or 0) if job is not None else ("", 0)
    text = (
        f"{name} has {amounts.count(size, 'task')} for {workers:,} workers: {workers - size:,} had"
        f" nothing to do for {amounts.duration(end.ended - end.began)}. Workers waited like that"
        f" for {amounts.share(facts.shares.share(TAIL))} of their time. Split the tasks into"
        " smaller ones, have other maps run meanwhile, or ask for fewer workers."
    )
    return Finding("There are fewer tasks than workers", text, facts.shares.share(TAIL))


def many_ends(facts: Facts) -> Finding | None:
    """Many maps, one after the other, each of which leaves workers idle at its end."""
    share = facts.shares.share(TAIL)
    if share < WAITING_SHARE or _longest_end(facts) is not None:
        return None
    found = ends(facts)
    if len(found) < 2:
        return None
    maps = sum(job.kind == "map" for job in facts.run.jobs.values())
    among = f" in {amounts.count(maps, 'map')}," if maps else ""
    text = (
        f"{amounts.count(len(found))} times{among} nothing was queued while some workers still had"
        f" tasks: all others waited, together for {amounts.share(share)} of their time. Begin the"
        " next tasks before the values of those before are all read, or have more tasks at a time."
    )
    return Finding("Workers wait for the last tasks again and again", text, share)


def rank_0(facts: Facts) -> Finding | None:
    """Workers that have nothing to do while tasks are queued."""
    share = facts.shares.share(RANK_0)
    function = _most_waited_for(facts) if share >= WAITING_SHARE else None
    if function is None:
        return None
    usual, load = function.durations.quantile(0.5), _load_meanwhile(facts)
    used = f" Rank 0 used {load:.0f} % of a core then." if load is not None else ""
    text = (
        f"Workers had nothing to do for {amounts.share(share)} of their time although tasks were"
        f" queued, most of it in {short(function.name)}, whose tasks take"
        f" {amounts.duration(usual)} by the median.{used} "
    )
    if usual < SHORT and (load is None or load >= BUSY_LOAD):
        text += (
            "Hand more work to each task, for example several arguments as one, so that it takes"
            f" {amounts.duration(MEANT)}; and return less."
        )
    elif load is not None and load < BUSY_LOAD:
        text += (
            "So it is not rank 0 that is slow: are there more workers than cores, does the program"
            " make its arguments slowly, or are arguments and values large for the network?"
        )
    else:
        text += (
            "Arguments or values may be large, or the program on rank 0 keeps its core while tasks"
            " run: share what all tasks have in common as constants, and return less."
        )
    return Finding("Workers wait for rank 0", text, share)


def _most_waited_for(facts: Facts) -> Function | None:
    """Return the function in whose jobs workers had nothing longest while tasks were queued."""
    intervals = unbegun(facts.run)
    spans = facts.run.spans
    jobs, places = np.unique(spans.job, return_index=True)
    named = dict(zip(jobs.tolist(), spans.function[places].tolist(), strict=True))
    times = np.array(list(intervals.values())).reshape(-1, 2)
    length = times[:, 1] - times[:, 0]
    work = worked(spans, times[:, 1]) - worked(spans, times[:, 0])
    idle: Counter[str] = Counter()
    for job, seconds in zip(intervals, len(facts.run.workers) * length - work, strict=True):
        idle[facts.run.functions[named[job]]] += seconds
    known = {function.name: function for function in facts.functions}
    return next((known[name] for name, _ in idle.most_common() if name in known), None)


def _load_meanwhile(facts: Facts) -> float | None:
    """Return the load of rank 0 while workers waited for it, percent; None where nobody looked."""
    curves, run = facts.curves, facts.run
    if curves.load is None:
        return None
    half = run.seconds / len(curves.at) / 2
    queued = facts.shares.periods.within(curves.at - half, curves.at + half, RANK_0)
    weights = queued * np.maximum(len(run.workers) - curves.working, 0.0)
    return float(np.average(curves.load, weights=weights)) if weights.sum() > 0 else None


def serial(facts: Facts) -> Finding | None:
    """Times in which no task is anywhere: the program computes on rank 0."""
    run, found = facts.run, facts.shares
    if not len(run.spans):
        return None
    joined = [worker.joined for worker in run.workers if worker.joined is not None]
    begin = min([float(run.spans.began.min()), *joined])
    inside = found.periods.within(np.array([begin]), np.array([found.last]), ALONE)
    alone = float(inside[0]) + run.seconds - found.last
    if alone < SERIAL_SHARE * run.seconds:
        return None
    work, workers = float(run.spans.busy.sum()), len(run.workers)
    text = (
        f"For {amounts.duration(alone)} of {amounts.duration(run.seconds)}"
        f" ({amounts.share(alone, run.seconds)}) no task ran and none was queued, while the program"
        f" computed on rank 0. By Amdahl's law no number of workers makes this program more than"
        f" {amounts.digits((alone + work) / alone)} times as fast as one worker; now"
        f" {amounts.count(workers, 'worker')} make it"
        f" {amounts.digits((alone + work) / run.seconds)} times as fast. Make tasks of that part,"
        " or let it go on while the next map runs."
    )
    return Finding(
        "The program computes alone on rank 0", text, found.share(ALONE) + found.share(ENDING)
    )


def never_used(facts: Facts) -> Finding | None:
    """Workers that have run no task, though there were enough."""
    run = facts.run
    rows = np.bincount(run.spans.row, minlength=len(run.workers)) if len(run.spans) else None
    if rows is None or facts.tasks < 2 * len(run.workers):
        return None
    idle = [worker for worker in run.workers if not rows[worker.row]]
    if not idle:
        return None
    names = amounts.some([f"{worker.rank} on {worker.host}" for worker in idle])
    text = (
        f"{amounts.count(len(idle), 'worker')} of {len(run.workers):,} never ran a task: {names}."
        " Did they import the program too late, or was the run over so soon? See the time line."
    )
    return Finding("Some workers never ran a task", text, len(idle) / len(run.workers))
