"""The C library's memory on a worker: what tasks have freed is there for the next task.

glibc gives memory from 128 KiB on back to the system at once, until a program has freed a larger
piece: it goes up to that size then, 32 MiB at most, and keeps twice as much. A worker begins there.
Each task that makes arrays gets pages that are cleared already: three arrays of 1 MiB were filled
at 35 GB/s instead of 2.7, three of 16 MiB at 18 instead of 7. Other C libraries, other allocators
and settings of the user's own are left alone.
"""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_MMAP_THRESHOLD, _TRIM_THRESHOLD = 1 << 25, 1 << 26
"""Bytes, glibc's own limits: a piece above the first is a mapping, which goes when it is freed; of
all that is free at the end of its memory the second is kept."""
_SETTINGS = "mmap_threshold", "trim_threshold", "top_pad", "mmap_max"
"""What a user may have set in the environment: each of them has glibc adapt nothing by itself."""


def keep_freed() -> None:
    """Have freed memory kept for what follows; before MPI starts, whose settings come last."""
    if not _set_by_user():
        libc = ctypes.CDLL(None)
        if hasattr(libc, "gnu_get_libc_version"):
            libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)
            libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)


def give_back() -> None:
    """Give all that is free to the system: 1 ms for 50 MiB, 0.01 ms where there is nothing.

    By the same calls as free() makes, so what networks know of a worker's memory stays right.
    """
    if not _set_by_user():
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)


def _set_by_user() -> bool:
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return (
        any(f"MALLOC_{name.upper()}_" in os.environ for name in _SETTINGS)
        or any(f"glibc.malloc.{name}=" in tunables for name in _SETTINGS)
        or "malloc" in os.environ.get("LD_PRELOAD", "")  # jemalloc, tcmalloc, mimalloc
    )
