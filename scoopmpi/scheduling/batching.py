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
    message: what one of many batches in a row costs rank 0: pack, send, receive, deliver.
    prefetch: batches longer than this are not doubled at a worker: the idle time between two of
        them (two sleeping receivers, together at most 5 ms) is below 1 % of it, and whoever waits
        behind a task of hours shares its fate.
    imbalance: that one worker may end so much later than another, where tasks differ as they did,
        is worth less than the messages that would avoid it. Only small maps are shared out so.
    share: guided self-scheduling hands out 1 / (share * workers) of what remains
        (Polychronopoulos and Kuck, IEEE Trans. Comput. C-36, 1987).
    """

    target: float = 0.03
    shortest: float = 0.0002
    message: float = 30e-6
    prefetch: float = 0.5
    imbalance: float = 0.0002
    share: int = 2


class Remaining(NamedTuple):
    """What is left of a job when its next batch is made, in tasks.

    queued: not handed out. unfinished: these, and those that workers hold. all: of the job.
    held: by the worker that gets the batch.
    """

    queued: int
    unfinished: int
    all: int
    held: int = 0

    @classmethod
    def untouched(cls, tasks: int) -> Remaining:
        """Return what is left of so many tasks before the first is handed out."""
        return cls(tasks, tasks, tasks)


def size(policy: Policy, left: Remaining, workers: int, pace: Pace | None) -> int:
    """Return how many tasks go into the next batch, at least 1.

    Where nothing is known of the tasks they go one by one: the first answers teach it.
    """
    queued = left.queued
    if pace is None or queued == 1:
        return 1
    rank0_limit = workers * policy.message
    wanted = policy.target / pace.seconds
    fair = ceil(queued / (policy.share * workers))
    worth = max(policy.shortest, rank0_limit) / pace.seconds
    if left.all * pace.seconds <= workers * policy.target:
        worth = max(worth, _steady(policy, pace))
    # Rounded up: a batch of 2 tasks where 2.99 are the limit makes rank 0 the bottleneck.
    least = min(ceil(worth), ceil(left.unfinished / workers) - left.held)
    return max(1, int(min(max(min(wanted, fair), least), queued)))


def _steady(policy: Policy, pace: Pace) -> float:
    """Return how many tasks may go at once, as their sum is known well enough.

    The sum of n tasks differs by the square root of n times what one differs by: factoring
    (Hummel, Schonberg and Flynn, CACM 35, 1992), with what was measured.
    """
    return min((policy.imbalance / (pace.spread * pace.seconds)) ** 2, policy.target / pace.seconds)


def surely(pace: Pace, tasks: int) -> float:
    """Return the seconds that a batch takes in all likelihood: its sum less two deviations."""
    return max(0.0, tasks - 2 * pace.spread * sqrt(tasks)) * pace.seconds


def budget(policy: Policy, workers: int, expected: float) -> float:
    """Return the seconds after which a worker hands the unstarted rest of a batch back.

    expected: how long the batch should take; 0 where nobody knows.
    """
    return 2 * max(expected, policy.target, workers * policy.message)


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
