"""The invariants of the scheduler's state, for tests. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from .batching import Policy, at_the_tail
from .ranges import JobQueue
from .worker_state import WorkerState


def check(
    jobs: Mapping[int, JobQueue],
    workers: Mapping[int, WorkerState],
    ready: Mapping[int, JobQueue],
    idle: Mapping[int, WorkerState],
    can_prefetch: Mapping[int, WorkerState],
    kept_idle: Mapping[int, WorkerState],
    counts: tuple[int, int],
    policy: Policy,
    settled: bool,
) -> None:
    """Raise AssertionError where the parts of a scheduler's state contradict each other.

    counts: of tasks that wait, and of ranges that are put off.
    settled: whether no job was cancelled since the last assignments.
    """
    waiting, put_off = counts
    ranges: dict[int, list[tuple[int, int]]] = {number: [] for number in jobs}
    for number, job in jobs.items():
        here = (*job.queue, *job.held_back, *job.put_off)
        ranges[number] += [(batch.start, batch.stop) for batch in here]
        assert job.queued == sum(batch.tasks for batch in job.queue)
        assert (number in ready) == (bool(job.queue) and not job.paused)
        assert not (job.cancelled and here)
        assert job.gate is not None or not job.held_back
        assert all(batch.stop <= (job.gate or 0) for batch in job.queue if job.gate is not None)
        assert all(batch.start >= (job.gate or 0) for batch in job.held_back)
    assert idle.keys() | can_prefetch.keys() | kept_idle.keys() <= workers.keys()
    assert not workers or not all(state.barred for state in workers.values())
    for worker, state in workers.items():
        assert (worker in idle) == (not (state.held or state.barred))
        assert (worker in kept_idle) == (state.barred and not state.held)
        assert (worker in can_prefetch) == (bool(state.held) and state.accepts_more)
        for batch in (*state.held, *state.waiting):
            ranges[batch.job].append((batch.start, batch.stop))
    assert put_off == sum(len(job.put_off) for job in jobs.values())
    assert waiting == sum(len(each.waiting) for each in workers.values())
    for number, job in jobs.items():
        queued = len(job.queue) + len(job.held_back) + len(job.put_off)
        assert job.handed + queued == len(ranges[number])
        spans = sorted(ranges[number])
        assert all(start < stop for start, stop in spans)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        if not job.cancelled:
            unfinished = sum(stop - start for start, stop in spans)
            assert job.finished + unfinished == job.submitted
    if ready:
        first = next(iter(ready.values()))
        tail = at_the_tail(policy, first.queued, len(workers), first.pace) and len(ready) == 1
        tail = tail and first.gate is None
        waits = first.queue[0].suspect or tail  # for somebody who is free
        assert not idle and (waits or not can_prefetch or not settled)
