"""How busy hosts are and have been, and what memory their workers and rank 0 take.

Shares of time come from two looks at the same sums: what the workers of a host have run, and for
how long they have been there. Of workers in a tally, with its lock held; rank 0's is the kernel's.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..counted import Worker

WINDOW = 60.0
"""Seconds: what is called the last minute."""
_APART = 5.0
"""Seconds between two sums that are kept."""
_PAGE = resource.getpagesize()


@dataclass(slots=True)
class _Sums:
    """Of a host: seconds that its workers have run tasks, and have been there."""

    busy: float = 0.0
    there: float = 0.0


class Load:
    """Remembers the sums of the last minute for each host."""

    def __init__(self) -> None:
        self._lost_at: dict[int, float] = {}
        self._sums: deque[tuple[float, dict[str, _Sums]]] = deque()

    def hosts(self, workers: Mapping[int, Worker], now: float) -> list[dict[str, Any]]:
        """Return what there is to say of each host, in the order of their first workers.

        now: by the clock of the workers' times.
        """
        by_host: dict[str, list[Worker]] = {}
        for worker in workers.values():
            by_host.setdefault(worker.host, []).append(worker)
            if worker.lost:
                self._lost_at.setdefault(worker.rank, now)
        sums = {host: self._summed(own, now) for host, own in by_host.items()}
        before = self._before(sums, now)
        return [
            _said(host, own, sums[host], before.get(host, _Sums())) for host, own in by_host.items()
        ]

    def _summed(self, workers: Sequence[Worker], now: float) -> _Sums:
        sums = _Sums()
        for worker in workers:
            sums.there += max(self._lost_at.get(worker.rank, now) - worker.joined, 0.0)
            sums.busy += worker.busy(now)
        return sums

    def _before(self, sums: dict[str, _Sums], now: float) -> dict[str, _Sums]:
        """Return the sums of a minute ago, or none where nobody has looked then."""
        while len(self._sums) > 1 and now - self._sums[1][0] >= WINDOW:
            self._sums.popleft()
        before = self._sums[0][1] if self._sums and now - self._sums[0][0] >= WINDOW else {}
        if not self._sums or now - self._sums[-1][0] >= _APART:
            self._sums.append((now, sums))
        return before


def _said(host: str, workers: Sequence[Worker], sums: _Sums, before: _Sums) -> dict[str, Any]:
    alive = [worker for worker in workers if not worker.lost]
    highest = max(workers, key=lambda worker: worker.peak)
    return {
        "host": host,
        "workers": len(alive),
        "lost": len(workers) - len(alive),
        "running": sum(worker.running() is not None for worker in alive),
        "tasks": sum(worker.tasks for worker in workers),
        "busy_last_minute": _share(sums.busy - before.busy, sums.there - before.there),
        "busy": _share(sums.busy, sums.there),
        "resident": sum(worker.resident for worker in alive),
        "highest": highest.peak,
        "highest_rank": highest.rank,
    }


def _share(part: float, whole: float) -> float:
    return round(min(max(part / whole, 0.0), 1.0), 3) if whole > 0 else 0.0


def own_memory() -> tuple[int, int]:
    """Return the bytes that this process takes now, and the most that it has taken."""
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    highest *= 1 if sys.platform == "darwin" else 1024
    try:
        with open(f"/proc/{os.getpid()}/statm", "rb") as file:
            resident = int(file.read().split()[1]) * _PAGE
            return resident, max(resident, highest)
    except (OSError, ValueError, IndexError):
        return 0, highest  # no Linux
