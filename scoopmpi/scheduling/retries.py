"""When is a task run again, and when is it given up? All of that is decided here.

1. A worker dies with all that it held. Blamed is what it was to run (`blamed`); the rest is run
   again as if it had never been handed out.
2. What is blamed is suspect: it is run again with one attempt more (`again`). Its tasks are then
   handed out one by one, each alone on its worker, so that no other task is blamed for the next
   death (`Batch.suspect`, which the scheduler and the queues ask).
3. A single task is given up when it was blamed for `retries` deaths before this one, or when it
   has outlived its limit, which it would only do again (`given_up`).
4. A task that raises is put off, and run again after a delay, where its caller has asked for it
   and it was not tried again so often before (`put_off`). Deaths do not count there: who asks
   for three tries more of what raises has them whatever happens to workers, and the reverse.
   Another worker gets it where one is idle, as a full disk or a lost licence is of one node.

Pure functions. The farm reports the death and what it knows of limits, and tells the user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from .ranges import Batch


def blamed(wanted: Sequence[Batch], waiting: Sequence[Batch]) -> Sequence[Batch]:
    """Return the batches that may have killed a worker: what it was to run, else what waits.

    wanted: what it was to run, without that of cancelled jobs; tasks of these, as of the worker's
        own nested jobs, leave the blame to those that wait for them.
    waiting: its tasks that wait for others.
    """
    return wanted or waiting


def again(batch: Batch) -> Batch:
    """Return a blamed batch as it is queued again."""
    return batch._replace(attempts=batch.attempts + 1)


def given_up(
    blamed: Collection[Batch], retries: int, expired: Batch | None = None
) -> Sequence[Batch]:
    """Return the single tasks that are not tried again after a death.

    Of several that are blamed nobody knows which had begun: they get one more turn, alone.
    retries: how often a task is tried again. expired: the task that has outlived its limit.
    """
    most = retries + (len(blamed) > 1)
    return [
        batch for batch in blamed
        if batch.tasks == 1 and (batch == expired or batch.attempts >= most)
    ]  # fmt: skip


def put_off(batch: Batch, raised: Iterable[int], most: Callable[[int], int]) -> list[Batch]:
    """Return the tasks that are tried again after they have raised, neighbours together.

    batch: in which they have run. raised: in order, those for which another try is wanted.
    most: returns how often a task is tried again.
    """
    found: list[Batch] = []
    for task in raised:
        if batch.raised >= most(task):
            continue
        start = found.pop().start if found and found[-1].stop == task else task
        found.append(batch._replace(start=start, stop=task + 1, raised=batch.raised + 1))
    return found
