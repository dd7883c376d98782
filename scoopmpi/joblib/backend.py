"""The backend that joblib's Parallel asks: calls in, their outcomes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joblib.parallel import ParallelBackendBase

from .. import futures
from ..tasks.current_executor import usable
from ..tasks.future import Future


class FarmBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs the calls of a `Parallel` as tasks of the farm."""

    supports_retrieve_callback = False
    supports_timeout = True

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many calls run at a time."""
        workers = usable().workers
        return workers if n_jobs is None or n_jobs < 0 else min(n_jobs, workers)

    def submit(
        self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None
    ) -> Future[Any]:
        """Have a call run, and tell joblib when it has."""
        future = futures.submit(func)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit

    def retrieve_result(self, out: Future[Any], timeout: float | None = None) -> Any:
        """Wait for the outcome of a call."""
        return out.result(timeout)
