"""A worker's jobs that have unstarted tasks: the newest run here, the oldest are given away.

Added and dropped by the worker's own thread only; other threads read a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .port import NestedJob


class PendingJobs:
    """The jobs with unstarted tasks, the oldest first, among some that have none left."""

    def __init__(self) -> None:
        self._jobs: list[NestedJob] = []

    def add(self, job: NestedJob) -> bool:
        """Add a job, if it is not the newest; return True where there was none before."""
        jobs = self._jobs
        while jobs and not jobs[-1].rows:
            jobs.pop()
        if not jobs:
            jobs.append(job)
            return True
        if jobs[-1] is not job:
            jobs.append(job)
        return False

    def newest(self) -> NestedJob | None:
        """Return the newest job with unstarted tasks."""
        jobs = self._jobs
        while jobs and not jobs[-1].rows:
            jobs.pop()
        return jobs[-1] if jobs else None

    def newest_of(self, scope: int) -> NestedJob | None:
        """Return the newest job of one task that has unstarted tasks."""
        jobs = self._jobs
        while jobs and not jobs[-1].rows:
            jobs.pop()
        for job in reversed(jobs):
            if job.scope == scope and job.rows:
                return job
        return None

    @property
    def latest(self) -> NestedJob | None:
        """The job that was added last, with unstarted tasks or without."""
        return self._jobs[-1] if self._jobs else None

    def unstarted(self) -> list[NestedJob]:
        """Return all jobs with unstarted tasks, the oldest first; for any thread."""
        return [job for job in self._jobs.copy() if job.rows]

    def __bool__(self) -> bool:
        return bool(self._jobs)
