"""What would make a run faster: rules that hold for this run, with its figures; else silence.

Each rule is a function of the facts, with a threshold and its reason. Those of waiting are in
`advice_on_waiting`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ..trace import form
from . import advice_on_waiting, amounts
from .facts import Facts
from .finding import Finding
from .markup import short
from .shares import LOST, STARTING

STARTING_SHARE = 0.2
"""Of worker time: a job that takes five times as long as its start is not worth a change."""
SLOWER = 1.2
"""Of a host's median: hosts of one kind differ by some percent, and other jobs on it by more."""
COMPARED = 20
"""Tasks of a host, for its median to be worth a sentence."""
FAILED_SHARE, FAILED = 0.01, 3
"""Of tasks, and how many: fewer cost no time that one would notice."""
LOST_SHARE = 0.01
"""Of worker time, or one worker in a hundred."""
GROWN, GROWN_BYTES = 1.5, 200e6
"""Times, and bytes, by which a worker's memory grows: less is what allocators keep."""
SPANS_OF_GROWTH = 20
"""Batches of a worker that tell its memory, for its first and last ones to be compared."""


def advice(facts: Facts) -> list[Finding]:
    """Return what holds for a run, that first which costs most."""
    found = [rule(facts) for rule in RULES]
    return sorted((each for each in found if each is not None), key=lambda each: -each.share)


def starting(facts: Facts) -> Finding | None:
    """Workers that need long until their first task."""
    share = facts.shares.share(STARTING)
    if share < STARTING_SHARE:
        return None
    row = facts.shares.by_worker[:, STARTING]
    text = (
        f"Until its first task a worker needed {amounts.duration(float(np.median(row)))} by the"
        f" median, {amounts.share(share)} of all worker time, in a run of"
        f" {amounts.duration(facts.run.seconds)}. Workers import the program: keep what only rank 0"
        ' needs below `if __name__ == "__main__":`, have Python and its packages on a fast file'
        " system, or give one job more work."
    )
    return Finding("Starting takes a large part of the run", text, share)


def slow_host(facts: Facts) -> Finding | None:
    """Hosts on which the same functions take longer than on all others."""
    slow = [
        host for host in facts.hosts
        if host.pace is not None and host.pace >= SLOWER and host.compared >= COMPARED
    ]  # fmt: skip
    if not slow or 2 * len(slow) > len(facts.hosts):
        return None  # where half are slow the others are fast: hosts of two kinds
    slow.sort(key=lambda host: -(host.pace or 1.0))
    names = amounts.some([
        f"{host.name} ({amounts.share((host.pace or 1.0) - 1)} longer, {host.compared:,} tasks)"
        for host in slow
    ])  # fmt: skip
    cost = sum((1 - 1 / (host.pace or 1.0)) * host.busy * host.workers for host in slow)
    text = (
        f"By the median, tasks of the same functions take longer on {names} than elsewhere. Is"
        " something else running there, are there more workers than cores, or does it swap? Have"
        " the administrators look at it, or exclude it from the job."
    )
    title = "A host is slow" if len(slow) == 1 else f"{len(slow)} hosts are slow"
    return Finding(title, text, cost / max(len(facts.run.workers), 1))


def failures(facts: Facts) -> Finding | None:
    """Many tasks that raise."""
    if facts.failed < max(FAILED_SHARE * facts.tasks, FAILED):
        return None
    worst = max(facts.functions, key=lambda function: function.failed)
    whose = "all" if worst.failed == facts.failed else f"{worst.failed:,}"
    said = max((facts.run.end or {}).get("failures") or [], key=lambda each: each[0], default=None)
    often = f" Most often: {said[2].splitlines()[0][:200]}." if said and said[2] else ""
    text = (
        f"{amounts.count(facts.failed)} of {amounts.count(facts.tasks, 'task')} raised"
        f" ({amounts.share(facts.failed, facts.tasks)}), {whose} of {short(worst.name)}.{often}"
        " Their time is lost, and with retries it is lost again: try one of them alone with"
        " --debug-task."
    )
    return Finding("Many tasks fail", text, facts.failed / facts.tasks)


def losses(facts: Facts) -> Finding | None:
    """Workers that die."""
    lost = [worker for worker in facts.run.workers if worker.lost is not None]
    share = facts.shares.share(LOST)
    if not lost or (share < LOST_SHARE and len(lost) < LOST_SHARE * len(facts.run.workers)):
        return None
    late = sum(mark.kind == form.LOSS and bool(mark.args.get("late")) for mark in facts.run.marks)
    names = amounts.some(sorted({worker.host for worker in lost}))
    why = (
        "Most often memory is short there: fewer workers on a host (--hybrid) leave more to each."
        if late < len(lost)
        else "Their tasks had outlived their limit (--task-timeout)."
    )
    they = "they were doing, and would" if len(lost) > 1 else "it was doing, and would"
    text = (
        f"{amounts.count(len(lost), 'worker')} died, on {names}: what {they} have done since, is"
        f" {amounts.share(share)} of all worker time. {why}"
    )
    return Finding("Workers died", text, share)


def memory(facts: Facts) -> Finding | None:
    """Workers whose memory grows from the first tasks to the last."""
    before, after = [], []
    spans = facts.run.spans
    told = spans.chosen(spans.resident > 0)
    bounds = np.searchsorted(told.row, np.arange(len(facts.run.workers) + 1))
    for begin, end in pairwise(bounds):
        if end - begin >= SPANS_OF_GROWTH:
            tenth = (end - begin) // 10
            before.append(float(np.median(told.resident[begin + tenth : begin + 2 * tenth])))
            after.append(float(np.median(told.resident[end - tenth : end])))
    if not before:
        return None
    first, last = np.array(before), np.array(after)
    grown = (last > GROWN * first) & (last - first > GROWN_BYTES)
    if 2 * grown.sum() < len(grown):
        return None
    text = (
        f"The memory of {amounts.count(int(grown.sum()), 'worker')} grew from"
        f" {amounts.size(float(np.median(first[grown])))} to"
        f" {amounts.size(float(np.median(last[grown])))} by the median while tasks came and went."
        " Something is kept that nobody needs: a cache, a list of a module, open files. A longer"
        " run may end for want of memory."
    )
    return Finding("Memory grows from task to task", text, 0.0)


RULES: tuple[Callable[[Facts], Finding | None], ...] = (
    advice_on_waiting.tail,
    advice_on_waiting.few_tasks,
    advice_on_waiting.many_ends,
    advice_on_waiting.rank_0,
    advice_on_waiting.serial,
    advice_on_waiting.never_used,
    starting,
    slow_host,
    failures,
    losses,
    memory,
)
