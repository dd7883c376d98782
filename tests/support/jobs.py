"""What is left of a job, for tests of how large batches are."""

from __future__ import annotations

from scoopmpi.scheduling.batching import Remaining


def untouched(tasks: int) -> Remaining:
    """Return what is left of so many tasks before the first is handed out."""
    return Remaining(queued=tasks, unfinished=tasks, all=tasks)
