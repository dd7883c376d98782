"""The workers of the scheduler in buckets, by what they hold: who may get something, and who not.

What becomes of a worker is told here by the scheduler; who of a bucket is served is decided there.
"""

from __future__ import annotations

from collections import OrderedDict

from .worker_state import WorkerState


class Buckets:
    """Knows all workers."""

    def __init__(self) -> None:
        self._workers: dict[int, WorkerState] = {}
        # Buckets, because scanning a dict whose front was deleted cost 31 us per batch at
        # 100,000 workers. The idle are taken last in, first out: the latest is still awake.
        self._idle: OrderedDict[int, WorkerState] = OrderedDict()
        self._can_prefetch: OrderedDict[int, WorkerState] = OrderedDict()
        self._kept_idle: dict[int, WorkerState] = {}  # barred, and with nothing that runs

    def _file(self, worker: int, state: WorkerState) -> None:
        """Put a worker into the bucket that its load says."""
        if state.barred:
            self._take_out(worker)
            if not state.held:
                self._kept_idle[worker] = state
            return
        if not state.held:
            self._can_prefetch.pop(worker, None)
            self._idle.setdefault(worker, state)
            return
        self._idle.pop(worker, None)
        if state.accepts_more:
            self._can_prefetch.setdefault(worker, state)
        else:
            self._can_prefetch.pop(worker, None)

    def _take_out(self, worker: int) -> None:
        for bucket in (self._idle, self._can_prefetch, self._kept_idle):
            bucket.pop(worker, None)

    def _let_in_the_last(self) -> None:
        """Let all barred workers in where there are no others: better there than nowhere."""
        if not all(state.barred for state in self._workers.values()):
            return
        self._kept_idle.clear()
        for worker, state in self._workers.items():
            state.barred = False
            self._file(worker, state)

    @property
    def _some_run(self) -> bool:
        """True where a worker holds something that runs."""
        return len(self._idle) + len(self._kept_idle) < len(self._workers)
