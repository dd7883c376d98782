"""What a large array costs a host: `myscoop -n 8 benchmarks/memory.py [MB]` (200).

Tasks on all workers read the same array, which comes in a closure, in a partial, or with each task.
The table shows, in MB above what there was before the first array was made: the peak of rank 0, as
the kernel notes it (VmHWM), and the highest sum of all ranks of the host that was seen, with shared
memory counted once, whether somebody has it mapped or only open. Both count the program's array.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from scoopmpi import futures
from scoopmpi.process import identity

HERE = os.path.abspath(__file__)
MB = 10**6
LOOKS_SECONDS = 0.02
NAP_SECONDS = 0.02
"""Of each task, for the others to get one too."""
SETTLES_SECONDS = 1.0
"""What a map had is let go when the farm has had nothing to do for a moment."""


def mine(_: int) -> int:
    time.sleep(NAP_SECONDS)
    return os.getpid()


def read(table: Any, row: int) -> int:
    assert float(table.sum()) == table.size
    return mine(row)


def in_closure(table: Any, rows: Iterable[int]) -> Any:
    return futures.map(lambda row: read(table, row), rows)


def in_partial(table: Any, rows: Iterable[int]) -> Any:
    return futures.map(partial(read, table), rows)


def with_each(table: Any, rows: Iterable[int]) -> Any:
    return futures.map(read, repeat(table), rows)


WAYS: dict[str, Callable[[Any, Iterable[int]], Any]] = {
    "in a closure": in_closure,
    "in a partial": in_partial,
    "with each task": with_each,
}


def noted(process: int, file: str, *names: str) -> list[int]:
    """Bytes that the kernel notes of a process under these names (proc(5))."""
    with open(f"/proc/{process}/{file}") as lines:
        text = lines.read()
    found = (re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE) for name in names)
    return [int(each[1]) * 1024 if each else 0 for each in found]


def of_all(processes: Iterable[int]) -> int:
    """Bytes that these take together."""
    own = mapped = 0
    held: dict[int, int] = {}  # bytes of shared memory that is open, by the number of its file
    for process in processes:
        with suppress(OSError):  # it has ended
            every, shared = noted(process, "smaps_rollup", "Pss", "Pss_Shmem")
            own, mapped = own + every - shared, mapped + shared
            for file in os.scandir(f"/proc/{process}/fd"):
                if os.readlink(file.path).startswith("/memfd:"):
                    known = os.stat(file.path)
                    held[known.st_ino] = known.st_size
    return own + max(mapped, sum(held.values()))


class Peak:
    """The highest of what `of_all` gives from now on, as a thread sees it."""

    def __init__(self, processes: set[int]) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(processes,), daemon=True)
        self._thread.start()

    def _look(self, processes: set[int]) -> None:
        while not self._over.wait(LOOKS_SECONDS):
            self.bytes = max(self.bytes, of_all(processes))

    def end(self) -> int:
        self._over.set()
        self._thread.join()
        return self.bytes


def measured(way: str, size: int, workers: set[int]) -> tuple[int, int]:
    """The peaks of rank 0 and of all ranks, in bytes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the highest so far is forgotten
    peak = Peak({os.getpid(), *workers})
    table, reached = np.ones(size // 8), set[int]()
    while not reached >= workers:
        reached.update(WAYS[way](table, range(4 * len(workers))))
    (highest,) = noted(os.getpid(), "status", "VmHWM")
    return highest, peak.end()


def main(size: int = 200) -> None:
    workers: set[int] = set()
    while len(workers) < identity.this.size - 1:
        workers.update(futures.map(mine, range(100)))
    before = noted(os.getpid(), "status", "VmRSS")[0], of_all({os.getpid(), *workers})
    print(f"| {size} MB, {len(workers)} workers | rank 0, MB | all ranks, MB |\n|---|---:|---:|")
    for way in WAYS:
        peaks = measured(way, size * MB, workers)
        grown = [round((peak - known) / MB) for peak, known in zip(peaks, before, strict=True)]
        print(f"| {way} | {grown[0]} | {grown[1]} |", flush=True)
        time.sleep(SETTLES_SECONDS)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
