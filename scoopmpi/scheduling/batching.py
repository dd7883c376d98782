"""How large the next batch is, and how long it may take: that is decided here, and nowhere else.

Pure functions and their settings: numbers about tasks in, numbers about batches out. No state, no
clock, no messages. The scheduler asks; benchmarks and the simulator use the same functions.
"""

from __future__ import annotations

from math import ceil, exp, log, sqrt
from typing import NamedTuple


class Pace(NamedTuple):
    """How long the tasks of a job take.

    seconds: a task, on average.
    spread: by which share of that a task differs, typically; 1 where nothing is known of it.
    remembered: True where it is of an earlier job: the first batch that is measured replaces it.
    """

    seconds: float
    spread: float = 1.0
    remembered: bool = False


class Policy(NamedTuple):
    """The settings of batching, all times in seconds.

    target: what a batch takes while much remains. On two cores the efficiency at 1 ms tasks is
        0.95, 0.965, 0.975, 0.985, 0.985 for 10, 15, 20, 30, 40 ms, and skewed durations gain too:
        a message costs what its caches have forgotten, so few are better than small ones.
    shortest: what a batch takes at least, if there are tasks for it. Sending it costs 120 us of
        processor time between pauses, when caches are cold.
    message: what one of many batches in a row costs rank 0: pack, send, receive, deliver. 18 us
        without MPI, 25 over Open MPI on cores that all ranks share (`benchmarks/scale.py`).
    rounds: while much remains a batch lasts until rank 0 could have handed so many to each worker.
        At 1 it is saturated where a message costs what is said above: 10,000 workers, 40 tasks of
        0.1 s each: efficiency .88, .950, .952, .926, .923 for 1 to 5; at 20 us .963, .961, .959,
        .944, .944, at 30 us .77, .930, .929, .910, .906 (simulated).
    prefetch: batches longer than this are not doubled at a worker: the idle time between two of
        them (two sleeping receivers, together at most 5 ms) is below 1 % of it, and whoever waits
        behind a task of hours shares its fate.
    imbalance: that one worker may end so much later than another, where tasks differ as they did,
        is worth less than the messages that would avoid it. Only small maps are shared out so, by
        what is remembered: 1000 tasks of 10 us before 20 of 20 ms took 1.21 times the ideal time
        where the first answers were enough for it, and take 1.03.
    doubt: half of the least budget of a batch whose pace is remembered, where nothing of this job
        was measured yet: tasks may cost a hundred times as much now, each another. Simulated maps
        of changed costs took up to 1.9 times as long as without a memory with `target` here; with
        this 2 % less on average. Workers look every 5 ms.
    share: guided self-scheduling hands out 1 / (share * workers) of what remains
        (Polychronopoulos and Kuck, IEEE Trans. Comput. C-36, 1987).
    heaviest: bytes of arguments or results in a batch of several tasks, at most: a worker may hold
        two batches. Arguments of 1 MiB on two cores: 4.8, 6.5, 7.8, 7.4, 7.9 GB/s with 2, 4, 8, 16,
        32 MiB; results: 4.1, 4.6, 4.7, 4.6, 4.8.
    """

    target: float = 0.03
    shortest: float = 0.0002
    message: float = 25e-6
    rounds: int = 3
    prefetch: float = 0.5
    imbalance: float = 0.0002
    doubt: float = 0.0025
    share: int = 2
    heaviest: int = 8 << 20


class Remaining(NamedTuple):
    """What is left of a job when its next batch is made, in tasks.

    queued: not handed out. unfinished: these, and those that workers hold. all: of the job.
    held: by the worker that gets the batch. handed: batches, not tasks, that workers hold.
    """

    queued: int
    unfinished: int
    all: int
    held: int = 0
    handed: int = 0


def size(
    policy: Policy, left: Remaining, workers: int, pace: Pace | None, weight: float = 0.0
) -> int:
    """Return how many tasks go into the next batch, at least 1.

    Where nothing is known of the tasks they go one by one, but on farms of thousands (`_first`):
    the first answers teach it.

    weight: bytes of a task.
    """
    most = queued = left.queued
    if weight * queued > policy.heaviest:
        most = max(1, int(policy.heaviest / weight))
    rank0_round = workers * policy.message  # what a batch for each worker costs rank 0
    large = rank0_round > policy.target
    if pace is None:
        return min(_first(left, workers), most) if large else 1
    longest = max(policy.target, policy.rounds * rank0_round)
    if queued == 1 or pace.seconds >= longest:
        return 1
    wanted = longest / pace.seconds
    fair = ceil(queued / (policy.share * workers))
    worth = max(policy.shortest, rank0_round) / pace.seconds
    if large:  # towards the end rank 0 has less to hand out than workers have to do
        worth *= max(2 / 3, queued / left.unfinished)
    if pace.remembered and left.all * pace.seconds <= workers * policy.target:
        worth = max(worth, _steady(policy, pace))
    # Rounded up: a batch of 2 tasks where 2.99 are the limit makes rank 0 the bottleneck.
    least = min(ceil(worth), ceil(left.unfinished / workers) - left.held)
    return max(1, int(min(max(min(wanted, fair), least), most)))


def _first(left: Remaining, workers: int) -> int:
    """Return how many tasks of unknown length go into a batch of a farm of thousands.

    One by one the first workers would have ended before the last have begun, and all at once: so
    they get 1 to 4 in turn. What is not begun in time comes back, as ever.
    """
    most = max(1, min(4, left.all // (8 * workers)))
    return 1 + left.handed % most


def _steady(policy: Policy, pace: Pace) -> float:
    """Return how many tasks may go at once, as their sum is known well enough.

    The sum of n tasks differs by the square root of n times what one differs by: factoring
    (Hummel, Schonberg and Flynn, CACM 35, 1992), with what was measured.
    """
    most = policy.target / pace.seconds
    differs = pace.spread * pace.seconds
    return most if differs * sqrt(most) <= policy.imbalance else (policy.imbalance / differs) ** 2


def surely(pace: Pace, tasks: int) -> float:
    """Return the seconds that a batch takes in all likelihood: its sum less two deviations."""
    return max(0.0, tasks - 2 * pace.spread * sqrt(tasks)) * pace.seconds


def budget(policy: Policy, workers: int, expected: float, remembered: bool = False) -> float:
    """Return the seconds after which a worker hands the unstarted rest of a batch back.

    expected: how long the batch should take; 0 where nobody knows. remembered: as of its pace.
    """
    least = policy.doubt if remembered else policy.target
    return 2 * max(expected, least, workers * policy.message)


def short(policy: Policy, expected: float) -> bool:
    """True where a batch is so short that a second one may wait behind it; 0 is not known."""
    return 0 < expected <= policy.prefetch


def at_the_tail(policy: Policy, queued: int, workers: int, pace: Pace | None) -> bool:
    """True where so little is left that it waits for whoever is free first, behind nobody.

    A batch that is doubled here would wait while another worker has nothing: four tasks of 10 ms
    on two workers took three rounds.
    """
    shortest = 1 if pace is None else max(1.0, policy.shortest / pace.seconds)
    return queued <= workers * shortest


def learned(pace: Pace | None, tasks: int, seconds: float) -> Pace:
    """Return the pace after one more measured batch.

    A geometric mean of old and new: one task a thousand times longer than the others moves it by
    a factor of thirty for a few batches, where an arithmetic mean would send single tasks for long.
    """
    measured = max(seconds, 1e-9) / tasks
    if pace is None:
        return Pace(measured)
    difference = log(measured / pace.seconds)
    spread = (pace.spread + min(1.0, abs(difference) * sqrt(tasks))) / 2
    if pace.remembered:
        return Pace(measured, spread)
    return Pace(pace.seconds * exp(difference / 2), spread)


class Measured(NamedTuple):
    """So many tasks that took so many seconds together."""

    tasks: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """Seconds of a task."""
        return max(self.seconds, 1e-9) / self.tasks


def remembered(policy: Policy, pace: Pace, early: Measured, late: Measured) -> Pace | None:
    """Return what the next job of a function may count on, None where that is nothing.

    pace: at the end of the latest job. early, late: its first and its second half.
    Where these differ by a factor of e, and by more than a batch takes, tasks are to be learnt from
    the first on: 20 of 20 ms before 1000 of 10 us went out in two halves, and took 1.34 times the
    ideal time instead of 1.07.
    """
    tasks = early.tasks + late.tasks
    mean = Measured(tasks, early.seconds + late.seconds).mean
    if early.tasks and late.tasks:
        differ = abs(early.mean - late.mean) * min(early.tasks, late.tasks)
        if differ > policy.target and abs(log(early.mean / late.mean)) > 1:
            return None
    return Pace(mean, pace.spread, True)
