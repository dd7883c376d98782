"""Private mappings of lent memory, one for each task, used again by the next.

To map costs 5 us, to find each page that is read 0.4 us, which for 16 MiB is three times a copy of
it: so a mapping goes to the next task, without the pages that were written to. Which these are the
kernel says (pagemap). Tasks that write to most of it get copies in ordinary memory, which are
faster then. Knows one file and its buffers.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

from . import hostmemory
from .hostmemory import Where

MOST_FREE = 2
"""Mappings of one file that wait for a task; one runs at a time."""
MOST = 64
"""Mappings of a process. Each has a file open with Python before 3.13, and a task that keeps what
it gets has one each: of 1500 tasks 990 could open no file of their own any more."""
_mappings: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
"""Those of this process that have not ended, whoever has them."""
FAULT_PAGES = 16
"""Pages that the kernel maps at one fault, where they are in memory."""
FEW_PAGES = 64
"""Pages that are taken back one by one where a task has written to them."""
LITTLE = 8
"""Where less than this part of a buffer was read, nothing is gained by keeping its mapping."""


class _Mapping:
    """A private mapping of the whole file.

    faults: of this process, when it was given to a task. fresh: whether no task had it before.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.faults, self.fresh = 0, True


class PrivateMemory:
    """Gives out buffers of one file that is published on this host. copied: makes a copy of one."""

    def __init__(self, fd: int, where: Where, copied: Callable[[int], Any]) -> None:
        self._fd, self._copied = fd, copied
        self._offsets, self._sizes = hostmemory.offsets(where.sizes), where.sizes
        self._holder: Any = ctypes.c_char * self._offsets[-1]
        self._free: list[_Mapping] = []
        self._written = 0  # of the latest tasks, those that wrote to most of it, less the others

    def opened(self, place: int) -> Any:
        """Return a buffer as the caller's own: what is written to it nobody else sees."""
        if self._written > 1 or (not self._free and len(_mappings) >= MOST):
            return self._copied(place)
        try:
            given = self._free.pop() if self._free else self._mapped()
        except OSError:  # too many files or mappings are open
            return self._copied(place)
        given.faults = _faults()
        # Whoever uses it holds `watched`, that `keeper`, and that what is told of the end. Where
        # they are part of a cycle of garbage nothing is told, and it ends with the cycle.
        keeper = self._holder.from_buffer(given.memory)
        watched = self._holder.from_buffer(keeper)
        # Without us: who still has it when the number is forgotten keeps its memory, not our file.
        keeper.told = weakref.ref(watched, partial(_back, weakref.ref(self), given, place))
        offset = self._offsets[place]
        return memoryview(watched).cast("B")[offset : offset + self._sizes[place]]

    def _mapped(self) -> _Mapping:
        memory = mmap.mmap(self._fd, self._offsets[-1], access=mmap.ACCESS_COPY)
        _mappings.add(memory)
        return _Mapping(memory)

    def came_back(self, given: _Mapping, place: int) -> None:
        """Take a mapping that no task has any more."""
        faults, pages = _faults() - given.faults, self._sizes[place] // mmap.PAGESIZE
        if given.fresh and faults * FAULT_PAGES * LITTLE < pages:
            return
        if not _kernel_tells():
            return
        # Asked in any case: what a device or another process has written is no fault of ours.
        first = self._offsets[place] // mmap.PAGESIZE
        end = (self._offsets[place] + self._sizes[place] - 1) // mmap.PAGESIZE + 1
        written = _written_pages(given.memory, first, end)
        if written is None:
            return
        self._written = max(0, self._written + (1 if len(written) * 2 > pages else -1))
        if len(written) <= FEW_PAGES and len(self._free) < MOST_FREE:
            for page in written:
                given.memory.madvise(mmap.MADV_DONTNEED, int(page) * mmap.PAGESIZE, mmap.PAGESIZE)
            given.fresh = False
            self._free.append(given)


def _back(memory: weakref.ref[PrivateMemory], given: _Mapping, place: int, _: object) -> None:
    if (owner := memory()) is not None:
        owner.came_back(given, place)


def _faults() -> int:
    """Return how many pages this process has touched for the first time, or written to then."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _written_pages(memory: mmap.mmap, first: int, end: int) -> Any:
    """Return which pages of a mapping are no longer the file's; None where nobody says."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory)) // mmap.PAGESIZE
    with suppress(OSError), open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        entries = os.pread(pagemap.fileno(), 8 * (end - first), 8 * (start + first))
        # Present, in swap, of a file: Documentation/admin-guide/mm/pagemap.rst of the kernel.
        kinds = numpy.frombuffer(entries, numpy.uint64) >> numpy.uint64(61)
        if len(kinds) == end - first:
            own = (kinds > 1) & (kinds & numpy.uint64(1) == 0)
            return numpy.flatnonzero(own) + first
    return None


@cache
def _kernel_tells() -> bool:
    """True where the kernel says of a page that was written to that it is not the file's any more.

    Tried once: one that has pagemap and fills it with zeros would have a task find what another
    one has written.
    """
    fd = hostmemory.memory()
    try:
        os.ftruncate(fd, 3 * mmap.PAGESIZE)
        trial = mmap.mmap(fd, 3 * mmap.PAGESIZE, access=mmap.ACCESS_COPY)
        trial[0] = trial[mmap.PAGESIZE]  # the first is written to, the second read
        return list(() if (found := _written_pages(trial, 0, 3)) is None else found) == [0]
    finally:
        os.close(fd)
