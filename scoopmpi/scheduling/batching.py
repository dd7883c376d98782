"""How large the next batch is, and how long it may take: that is decided here, and nowhere else.

Pure functions and their settings: numbers about tasks in, numbers about batches out. No state, no
clock, no messages. The scheduler asks; benchmarks and the simulator use the same functions.
"""

from __future__ import annotations

from math import ceil, exp, log
from typing import NamedTuple


class Policy(NamedTuple):
    """The settings of batching, all times in seconds.

    target: what a batch takes while much remains. On two cores the efficiency at 1 ms tasks is
        0.95, 0.965, 0.975, 0.985, 0.985 for 10, 15, 20, 30, 40 ms, and skewed durations gain too:
        a message costs what its caches have forgotten, so few are better than small ones.
    shortest: what a batch takes at least, if there are tasks for it. Sending it costs 120 us of
        processor time between pauses, when caches are cold.
    message: what one of many batches in a row costs rank 0: pack, send, receive, deliver.
    prefetch: batches longer than this are not doubled at a worker: the idle time between two of
        them (a sleeping receiver, at most 1 ms) is below 2 % of it.
    share: guided self-scheduling hands out 1 / (share * workers) of what remains
        (Polychronopoulos and Kuck, IEEE Trans. Comput. C-36, 1987).
    """

    target: float = 0.03
    shortest: float = 0.0002
    message: float = 30e-6
    prefetch: float = 0.05
    share: int = 2


def size(policy: Policy, queued: int, workers: int, task_seconds: float | None) -> int:
    """Return how many of `queued` tasks of `task_seconds` each go into the next batch, at least 1.

    Where nothing is known of the tasks they go one by one: the first answers teach it.
    """
    if task_seconds is None or queued == 1:
        return 1
    rank0_limit = workers * policy.message
    wanted = policy.target / task_seconds
    fair = ceil(queued / (policy.share * workers))
    # Rounded up: a batch of 2 tasks where 2.99 are the limit makes rank 0 the bottleneck.
    least = min(ceil(max(policy.shortest, rank0_limit) / task_seconds), ceil(queued / workers))
    return max(1, int(min(max(min(wanted, fair), least), queued)))


def budget(policy: Policy, tasks: int, workers: int, task_seconds: float | None) -> float:
    """Return the seconds after which a worker hands the unstarted rest of a batch back."""
    expected = 0.0 if task_seconds is None else tasks * task_seconds
    return 2 * max(expected, policy.target, workers * policy.message)


def short(policy: Policy, tasks: int, task_seconds: float | None) -> bool:
    """True where a batch is so short that a second one should wait behind it."""
    return task_seconds is not None and tasks * task_seconds <= policy.prefetch


def learned(task_seconds: float | None, tasks: int, seconds: float) -> float:
    """Return the seconds per task after one more measured batch.

    A geometric mean of old and new: one task a thousand times longer than the others moves it by
    a factor of thirty for a few batches, where an arithmetic mean would send single tasks for long.
    """
    measured = max(seconds, 1e-9) / tasks
    return measured if task_seconds is None else exp((log(task_seconds) + log(measured)) / 2)
