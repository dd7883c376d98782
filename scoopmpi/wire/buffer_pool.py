"""Memory for large buffers that are received: taken from what earlier ones have left.

Fresh memory costs more than all else of a transfer: the kernel clears each page when it is touched
first. So a buffer goes back when nothing can reach it any more (no array, no view of a view), and
the next one gets it. Who drops the last view does so in any thread, with any lock held, or the
garbage collector does: all that happens then is one append, in C. No MPI here, and no numpy.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import time
import weakref
from collections import deque
from typing import Any

from ..concurrency.periods import FREE_MEMORY_SECONDS

_ON_RANK_0, _ON_WORKERS = 1 << 28, 1 << 26
"""Bytes that are kept at most: a host may have one rank 0 and a hundred workers."""
_GROUP = 1 << 24
"""Bytes that are mapped at once. Mappings that lie side by side share huge pages (2 MiB), and each
can still be given back alone: filling fresh buffers of 1 MiB went at 3.1 GB/s one by one, at 5.0 in
groups of 4 MiB, at 10.0 in groups of 16 MiB."""
_HUGE = 1 << 21
_SLOW = 0.001
"""Seconds of processor time for the first touch of a huge page, above which small pages are as
good. A machine clears one in 0.1 ms. A virtual machine that has lent its free memory to the host
has to get it back first: 16 MiB took 37 ms then, 6 ms in small pages, 1 ms in the best case."""
_NO_HUGE_PAGES = "NUMPY_MADVISE_HUGEPAGE", "0"
"""The variable by which users keep numpy from asking for huge pages; it holds here too."""


def of_rank(rank: int) -> BufferPool:
    """Return a pool of the size that is right for a rank."""
    return BufferPool(_ON_WORKERS if rank else _ON_RANK_0)


class BufferPool:
    """The memory of one rank's large received buffers.

    most: bytes that are kept free for buffers of one size, and of all sizes together whenever
        fresh memory is taken; what comes back beyond that goes to the system at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sizes: dict[int, _Blocks] = {}
        self._next_look = self._small_pages_until = 0.0

    def take(self, size: int) -> memoryview:
        """Return writable memory with any content; it comes back by itself.

        size: in bytes, some hundred thousand at least.
        Raises MemoryError where the system has none left.
        """
        full = _rounded(size)
        blocks = self._of(full)
        memory = blocks.taken()
        if memory is None:
            larger = self._sizes.get(_rounded(full + 1))  # an eighth too large at most
            if larger is not None and (memory := larger.taken()) is not None:
                return larger.lent(memory, size)
            try:
                memory = self._fresh(blocks)
            except OSError:  # the kernel has a limit for the number of mappings, too
                return memoryview(bytearray(size))
        return blocks.lent(memory, size)

    def rest(self) -> float:
        """Give back to the system what nobody has needed for a while.

        Returns the seconds until it should be called again.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + FREE_MEMORY_SECONDS
            for blocks in self._sizes.values():
                blocks.give_back(blocks.unused)
                blocks.unused = len(blocks.free)
        return self._next_look - now

    def close(self) -> None:
        """Give back all that is free; what is lent follows when it is dropped."""
        while self._sizes:
            self._sizes.popitem()[1].free.clear()

    @property
    def free(self) -> int:
        """The bytes that are kept for buffers to come."""
        return sum(len(blocks.free) * blocks.size for blocks in self._sizes.values())

    def _of(self, size: int) -> _Blocks:
        blocks = self._sizes.get(size)
        if blocks is None:
            blocks = self._sizes[size] = _Blocks(size, self._most // size)
        return blocks

    def _fresh(self, blocks: _Blocks) -> mmap.mmap:
        count = max(1, min(_GROUP, self._most) // blocks.size)
        excess = self.free + (count - 1) * blocks.size - self._most
        for others in self._sizes.values():
            if excess > 0:
                dropped = min(len(others.free), -(-excess // others.size))
                others.give_back(dropped)
                excess -= dropped * others.size
        mapped = [_mapped(blocks.size) for _ in range(count)]
        now = time.monotonic()
        if now >= self._small_pages_until and not _in_huge_pages(mapped):
            self._small_pages_until = now + FREE_MEMORY_SECONDS
        for memory in mapped[1:]:
            blocks.lent(memory, 0)  # and back at once
        return mapped[0]


class _Lent(weakref.ref[Any]):
    """Tells when memory that was lent is not used any more."""

    __slots__ = ("memory",)
    memory: mmap.mmap


class _Blocks:
    """All memory in blocks of one size. `free` is what came back, the latest at its end.

    A full deque drops its oldest entry when it gets one more, and the memory with it: as free()
    does with large memory, and no Python code runs for it, which an exception could interrupt.
    """

    def __init__(self, size: int, most: int) -> None:
        self.size = size
        self.free: deque[_Lent] = deque(maxlen=most)
        self.unused = 0
        """How many were free at any time since the last look."""
        self._bytes = ctypes.c_ubyte * size

    def taken(self) -> mmap.mmap | None:
        """Return the memory that was used last, as the processor may still have it; or None."""
        try:
            found = self.free.pop().memory
        except IndexError:
            self.unused = 0
            return None
        self.unused = min(self.unused, len(self.free))
        return found

    def lent(self, memory: mmap.mmap, size: int) -> memoryview:
        """Return the first bytes of a block, which goes back when they are not used any more.

        Whatever uses them holds `watched`, as the object that gives its buffer: views of views do,
        arrays do. `watched` holds `keeper`, and that one `told`, which therefore lives until it has
        been called. Where all are part of a cycle of garbage, `told` is garbage too, and Python
        does not call it: as a finalizer may yet bring the cycle back to life, that memory is freed
        when it really dies and not lent again.
        """
        keeper: Any = self._bytes.from_buffer(memory)
        watched = self._bytes.from_buffer(keeper)
        keeper.told = told = _Lent(watched, self.free.append)
        told.memory = memory
        return memoryview(watched)[:size].cast("B")

    def give_back(self, count: int) -> None:
        """Unmap the blocks that have been free for longest.

        Safe for networks that remember which memory is registered with the adapter: their
        libraries (UCX, libfabric) watch munmap, as they have to for every free(). Memory that is
        lent again stays registered.
        """
        with contextlib.suppress(IndexError):
            for _ in range(count):
                self.free.popleft()


def _rounded(size: int) -> int:
    """Return the size of the block for a buffer: a sixteenth more at most."""
    step = 1 << max(size.bit_length() - 5, 0)
    return -(-size // step) * step


def _mapped(size: int) -> mmap.mmap:
    """Return fresh memory, private: a forked child writes into its own copy."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _in_huge_pages(mapped: list[mmap.mmap]) -> bool:
    """Have mappings side by side be in huge pages; False where these turn out to be slow."""
    name, never = _NO_HUGE_PAGES
    if not hasattr(mmap, "MADV_HUGEPAGE") or os.environ.get(name) == never:
        return True
    try:
        _advise(mapped, mmap.MADV_HUGEPAGE)
    except OSError:  # a kernel without them
        return True
    begun = time.thread_time()
    _touch(mapped)
    if time.thread_time() - begun <= _SLOW:
        return True
    _advise(mapped, mmap.MADV_NOHUGEPAGE)
    return False


def _advise(mapped: list[mmap.mmap], advice: int) -> None:
    for memory in mapped:
        memory.madvise(advice)


def _touch(mapped: list[mmap.mmap]) -> None:
    """Write to the first address at which a huge page may lie as a whole."""
    starts = {ctypes.addressof(ctypes.c_char.from_buffer(memory)): memory for memory in mapped}
    address = -(-min(starts) // _HUGE) * _HUGE
    for start, memory in starts.items():
        if start <= address < start + len(memory):
            memory[address - start] = 0
